/*-------------------------------------------------------------------------
 *
 * requested_scopes.h
 *	  What a consent asks for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_REQUESTED_SCOPES_H
#define XERO_REQUESTED_SCOPES_H

#include "compat.h"

#include "api/shared/server.h"

/*
 * The scopes to ask a person for: those of the server's options, or else what
 * its foreign tables in this database need; and what any consent needs.
 */
extern char *xero_requested_scopes(const XeroServer *server);

#endif							/* XERO_REQUESTED_SCOPES_H */
