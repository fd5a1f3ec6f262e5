/*-------------------------------------------------------------------------
 *
 * tenant.h
 *	  Which organisation a server stands for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TENANT_H
#define XERO_TENANT_H

#include "compat.h"

#include "api/server.h"

/*
 * Set server->tenant_id if the server's options leave it open: by asking Xero
 * once for the connected organisations.  The answer is kept for the backend.
 * ERROR unless it is exactly one organisation.
 */
extern void xero_resolve_tenant(XeroServer *server);

#endif							/* XERO_TENANT_H */
