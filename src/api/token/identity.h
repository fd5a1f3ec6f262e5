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
#include "api/report/request_log.h"
#include "api/report/retry.h"
#include "api/shared/server.h"

/* Where tokens are, below identity_url. */
#define XERO_TOKEN_PATH "/connect/token"

/* What a request may be answered with. */
typedef enum XeroIdentityAnswers
{
	XERO_IDENTITY_DOCUMENT,		/* JSON */
	XERO_IDENTITY_TOKEN,		/* JSON, or a refusal with status 400 to 403 */
	XERO_IDENTITY_EMPTY			/* that, or nothing */
} XeroIdentityAnswers;

/* A request, and its answer, whose body may have secrets. */
typedef struct XeroIdentityRequest
{
	const XeroHttpResult *result;	/* the answer; NULL if there is none yet */
	XeroFailure *failure;		/* why there will be none, in "cxt" */

	/* for identity.c */
	MemoryContext cxt;
	MemoryContextCallback callback;
	const char *method;
	char	   *path;
	char	   *form;			/* may have secrets; NULL for GET */
	XeroIdentityAnswers answers;
	XeroHttp   *http;			/* the present attempt's */
	int			attempt;		/* attempts that were begun */
	double		sent_at;
	double		resume_at;		/* no attempt before that */
	XeroLoggedRequest logged;
} XeroIdentityRequest;

/*
 * A request to POST a form, or GET if it is NULL, at a path below identity_url,
 * with the application's credentials if it is a form.  Lost answers and the
 * like are repeated, a form too: an exchange may be.
 */
extern XeroIdentityRequest *xero_identity_begin(MemoryContext owner,
												const char *path,
												const char *form,
												XeroIdentityAnswers answers);

/*
 * Let it go on as far as it can, for a server that has the same options each
 * time.  True if it has its result or failure; else *resume_at becomes the time
 * to try again, if that is earlier, even if the network brings nothing.
 */
extern bool xero_identity_advance(XeroIdentityRequest *request,
								  const XeroServer *server, double *resume_at);

/*
 * Begin one, and wait until it has its result.  NULL, and a failure in
 * CurrentMemoryContext, if there will be none.
 */
extern XeroIdentityRequest *xero_identity_request(const XeroServer *server,
												  const char *path,
												  const char *form,
												  XeroIdentityAnswers answers,
												  XeroFailure **failure);

/* Overwrites what may be secret; happens with its owner's context, too. */
extern void xero_identity_free(XeroIdentityRequest *request);

/*
 * An answer means this, and it is no use to try again.  "decision" may be NULL.
 */
extern XeroFailure *xero_identity_failure(const XeroIdentityRequest *request,
										  const XeroServer *server,
										  XeroSituation situation,
										  const XeroHttpResult *result,
										  const XeroDecision *decision);

/*
 * The word of RFC 6749 in a refusal: "invalid_grant", ...; "" if it has none.
 */
extern const char *xero_identity_word(const XeroIdentityRequest *request);

/* "HTTP status 400, correlation id ..., "invalid_grant"." */
extern const char *xero_describe_refusal(const XeroHttpResult *result);

#endif							/* XERO_IDENTITY_H */
