/*-------------------------------------------------------------------------
 *
 * client_secret.h
 *	  The client secret of a server's application, wherever it is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CLIENT_SECRET_H
#define XERO_CLIENT_SECRET_H

#include "compat.h"

#include "api/shared/server.h"

/* Longer ones are none of Xero's. */
#define XERO_CLIENT_SECRET_MAX 1000

/* The secret itself, which the caller wipes; NULL if there is none. */
extern char *xero_client_secret(const XeroServer *server);

/*
 * Cut the white space at the end of what a person or a file has given.  False
 * if the rest cannot be a secret.
 */
extern bool xero_cut_client_secret(char *secret);

/* Sealed, to be stored for the server's user mapping. */
extern bytea *xero_seal_client_secret(const XeroServer *server,
									  const char *secret);

#endif							/* XERO_CLIENT_SECRET_H */
