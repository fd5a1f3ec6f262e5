/*-------------------------------------------------------------------------
 *
 * issuer.h
 *	  Who signs tokens, and whether a token is signed by them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ISSUER_H
#define XERO_ISSUER_H

#include "compat.h"

#include "api/consent/jwt.h"
#include "api/report/failure.h"
#include "api/shared/server.h"
#include "datatype/timestamp.h"

/* Where an issuer says what it is, below identity_url. */
#define XERO_DISCOVERY_PATH "/.well-known/openid-configuration"

/* What an issuer publishes, and from where we have it. */
typedef struct XeroIssuer
{
	TimestampTz fetched_at;		/* 0: never; the rest is meaningless then */
	char		identity_url[256];
	char		ca_file[MAXPGPATH];
	XeroDiscovery discovery;
	XeroKeySet	keys;
} XeroIssuer;

/* In _PG_init. */
extern void xero_issuer_init(void);

/*
 * Have the keys of the server's issuer at hand; "again" asks for them even if
 * they are.  NULL, or what went wrong.
 */
extern XeroFailure *xero_issuer_load(const XeroServer *server, bool again);

/* Could a token with this result be good if the keys are loaded again? */
extern bool xero_issuer_is_outdated(XeroJwtResult result);

/*
 * Verify a token, whose issuer is loaded.  An id token has a nonce, and the
 * access token that came with it; both are NULL for an access token.
 */
extern XeroJwtResult xero_issuer_verify(const XeroServer *server,
										const char *token, const char *nonce,
										const char *access_token,
										XeroClaims *claims);

#endif							/* XERO_ISSUER_H */
