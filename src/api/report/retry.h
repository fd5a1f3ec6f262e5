/*-------------------------------------------------------------------------
 *
 * retry.h
 *	  What an answer means and what follows from it.  Pure functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_RETRY_H
#define XERO_RETRY_H

#include "compat.h"

#include "api/budget/quota.h"
#include "api/http/http.h"

/* What has happened to one attempt. */
typedef enum XeroSituation
{
	XERO_FINE,
	XERO_MISSING,				/* 404: no such record, or query too long */
	XERO_NO_CONNECTION,
	XERO_UNTRUSTED,
	XERO_UNSENDABLE,
	XERO_UNMADE,				/* no memory for the request */
	XERO_NO_MEMORY,
	XERO_TIMED_OUT,
	XERO_LOST,
	XERO_TOO_LARGE,
	XERO_LIMIT_MINUTE,
	XERO_LIMIT_DAY,
	XERO_LIMIT_APP,				/* the application's, over all organisations */
	XERO_LIMIT_CONCURRENT,
	XERO_TOKEN_EXPIRED,
	XERO_TOKEN_REJECTED,
	XERO_NO_SCOPE,
	XERO_NO_ACCESS,				/* 403: not this organisation, or not this
								 * user */
	XERO_BLOCKED,				/* 403 of what stands in front of Xero */
	XERO_BAD_REQUEST,			/* other 4xx: sending it again is no use */
	XERO_BROKEN,				/* 500 */
	XERO_OFFLINE,				/* 503 */
	XERO_GATEWAY,				/* 502, 504 */
	XERO_GARBLED,				/* success, but the body is not JSON */
	XERO_UNEXPECTED				/* redirects, a part of the answer, ... */
} XeroSituation;

#define XERO_NSITUATIONS (XERO_UNEXPECTED + 1)

/* The facts about one attempt. */
typedef struct XeroAttempt
{
	XeroTransport transport;
	int			status;
	const char *problem;		/* X-Rate-Limit-Problem, "" if none */
	const char *authenticate;	/* WWW-Authenticate, "" if none */
	const char *detail;			/* Detail of the error body, "" if none */
	bool		token_ended;	/* by our clock, the token's time is over */
	bool		json;			/* the body looks like JSON */
	bool		markup;			/* it looks like HTML or XML */
} XeroAttempt;

extern XeroSituation xero_classify(const XeroAttempt *attempt);

/* The limit that has refused the attempt, if one has. */
extern XeroLimit xero_limit_of(XeroSituation situation);

/* May Xero have done what was asked for, without our having been told? */
extern bool xero_perhaps_done(XeroSituation situation);

/* A word or two for logs and views. */
extern const char *xero_situation_name(XeroSituation situation);

typedef enum XeroNext
{
	XERO_NEXT_DONE,				/* use the answer */
	XERO_NEXT_RETRY,			/* send it again after the delay */
	XERO_NEXT_RENEW,			/* send it again with a new token */
	XERO_NEXT_FAIL
} XeroNext;

typedef struct XeroRetryInput
{
	XeroSituation situation;
	int			attempt;		/* how many were made, this one included */
	bool		repeatable;		/* sending twice does no harm */
	bool		keyed;			/* because it has an Idempotency-Key, under
								 * which Xero keeps errors, too */
	bool		filtered;		/* the query has a where= */
	bool		patient;		/* for Xero to come back it waits as long as
								 * xero_fdw.max_wait allows */
	bool		renewable;		/* a new token can be had, and was not yet */
	int			retry_after;	/* seconds, -1 if Xero did not say */
	double		random;			/* in [0, 1) */
} XeroRetryInput;

typedef struct XeroDecision
{
	XeroNext	next;
	double		delay_ms;
	bool		bounded;		/* xero_fdw.max_wait bounds this wait ... */
	bool		ordered;		/* ... and Xero asked for it: it cannot be
								 * shorter */
} XeroDecision;

extern XeroDecision xero_decide(const XeroRetryInput *input);

#endif							/* XERO_RETRY_H */
