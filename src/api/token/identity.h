/*-------------------------------------------------------------------------
 *
 * identity.h
 *	  Requests to Xero's identity server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_IDENTITY_H
#define XERO_IDENTITY_H

#include "compat.h"

#include "api/http/http.h"
#include "api/report/failure.h"
#include "api/report/retry.h"
#include "api/shared/server.h"

/* Where tokens are, below identity_url. */
#define XERO_TOKEN_PATH "/connect/token"

/* An answer, whose body may have secrets. */
typedef struct XeroIdentityAnswer
{
	const XeroHttpResult *result;
	XeroHttp   *http;
	MemoryContext cxt;
	MemoryContextCallback callback;
} XeroIdentityAnswer;

/*
 * POST a form, or GET if it is NULL, to a path below identity_url, with the
 * application's credentials if it is a form.  Lost answers and the like are
 * repeated, a form too: an exchange may be.  The answer is a success with JSON,
 * or a refusal with status 400 to 403 if "refusable".  NULL and a failure in
 * CurrentMemoryContext otherwise.
 */
extern XeroIdentityAnswer *xero_identity_request(const XeroServer *server,
												 const char *path,
												 const char *form,
												 bool refusable,
												 XeroFailure **failure);

/* Overwrites the body; happens to what is not freed with its context, too. */
extern void xero_identity_free(XeroIdentityAnswer *answer);

/*
 * What an answer of the identity server means, where one without a body may be
 * fine; what follows from it after so many attempts; and the error, in
 * CurrentMemoryContext, if that is to give up.
 */
extern XeroSituation xero_identity_classify(const XeroHttpResult *result,
											bool empty_ok);
extern XeroDecision xero_identity_decide(XeroSituation situation, int attempt,
										 const XeroHttpResult *result);
extern XeroFailure *xero_identity_failure(const XeroServer *server,
										  const char *method,
										  const char *path,
										  XeroSituation situation,
										  const XeroHttpResult *result,
										  double delay_ms);

/*
 * The word of RFC 6749 in a refusal: "invalid_grant", ...; "" if it has none.
 */
extern const char *xero_identity_word(const XeroIdentityAnswer *answer);

/* "HTTP status 400, correlation id ..., "invalid_grant"." */
extern const char *xero_describe_refusal(const XeroHttpResult *result);

#endif							/* XERO_IDENTITY_H */
