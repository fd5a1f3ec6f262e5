/*-------------------------------------------------------------------------
 *
 * jwt.h
 *	  Is a signed token what it should be?  Pure functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_JWT_H
#define XERO_JWT_H

#include "compat.h"

#include "api/http/small_json.h"

/* The longest token that is looked at. */
#define XERO_JWT_MAX 16384

/* What may differ between the clocks, in seconds. */
#define XERO_JWT_LEEWAY 60

typedef struct XeroJwtExpected
{
	const char *issuer;
	const char *audience;		/* the client id, or the issuer's resources */
	const char *client_id;		/* whom the token is for */
	const char *nonce;			/* of an id token; NULL: an access token */
	const char *access_token;	/* that came with the id token, or NULL */
	int64		now;			/* seconds since 1970 */
} XeroJwtExpected;

/* In the order in which it is checked. */
typedef enum XeroJwtResult
{
	XERO_JWT_VALID,
	XERO_JWT_TOO_LARGE,
	XERO_JWT_MALFORMED,
	XERO_JWT_ALGORITHM,
	XERO_JWT_UNKNOWN_KEY,		/* get the key set again, once */
	XERO_JWT_WEAK_KEY,
	XERO_JWT_SIGNATURE,
	XERO_JWT_ISSUER,
	XERO_JWT_AUDIENCE,
	XERO_JWT_CLIENT,
	XERO_JWT_EXPIRED,
	XERO_JWT_NOT_YET_VALID,
	XERO_JWT_NONCE,
	XERO_JWT_AT_HASH
} XeroJwtResult;

#define XERO_NJWT_RESULTS (XERO_JWT_AT_HASH + 1)

/*
 * Verify a token.  The claims are all absent unless the result is
 * XERO_JWT_VALID.
 */
extern XeroJwtResult xero_jwt_verify(const char *token,
									 const XeroKeySet *keys,
									 const XeroJwtExpected *expected,
									 XeroClaims *claims);

/*
 * What a token says, whoever may have said it: for messages.  False if it is no
 * such token.
 */
extern bool xero_jwt_read(const char *token, XeroClaims *claims);

/* A few words for messages: "the token ...". */
extern const char *xero_jwt_result_name(XeroJwtResult result);

#endif							/* XERO_JWT_H */
