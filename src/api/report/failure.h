/*-------------------------------------------------------------------------
 *
 * failure.h
 *	  What went wrong, in words and an SQLSTATE.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_FAILURE_H
#define XERO_FAILURE_H

#include "compat.h"

#include "api/budget/budget.h"
#include "api/http/http.h"
#include "api/http/small_json.h"
#include "api/report/retry.h"
#include "api/shared/server.h"

/* An error that is not raised yet. */
typedef struct XeroFailure
{
	int			sqlerrcode;
	const char *message;
	const char *detail;			/* or NULL */
	const char *hint;			/* or NULL */
} XeroFailure;

/* The facts that an error about an attempt is made of. */
typedef struct XeroFailureFacts
{
	XeroSituation situation;
	const XeroServer *server;
	const char *method;
	const char *path;
	const char *query;			/* percent-encoded, or NULL */
	const XeroHttpResult *result;
	const XeroErrorDocument *document;	/* NULL if nothing of the answer's
										 * body may be shown */
	bool		filtered;		/* the query has a where= */
	XeroDecision decision;		/* what was to follow; zero if nothing */
} XeroFailureFacts;

/* A write of which nobody knows whether it was carried out. */
typedef struct XeroDoubt
{
	const XeroServer *server;
	const char *method;
	const char *path;
	const char *subject;		/* what was written, or NULL */
	const char *idempotency_key;	/* or NULL */
} XeroDoubt;

/* All in CurrentMemoryContext. */
extern XeroFailure *xero_failure_of_attempt(const XeroFailureFacts *facts);
extern XeroFailure *xero_failure_of_wait(const XeroServer *server,
										 const XeroWait *wait);
extern XeroFailure *xero_failure_of_doubt(const XeroDoubt *doubt,
										  const XeroFailure *last);
extern XeroFailure *xero_failure(int sqlerrcode, const char *message,
								 const char *detail, const char *hint);

/* A hint, and what has taken most of the statement's calls. */
extern const char *xero_spender_hint(const char *hint);

/* "HTTP status 200, correlation id ...", for details. */
extern char *xero_describe_answer(const XeroHttpResult *result);

extern XeroFailure *xero_copy_failure(const XeroFailure *failure);

/* Raise it, unless the statement was cancelled meanwhile. */
pg_noreturn extern void xero_failure_raise(const XeroFailure *failure);

/* What to do where a consent is missing or not good any more. */
extern const char *xero_authorize_hint(const XeroServer *server);

/* What to do where Xero has refused the scopes that the server asked for. */
extern const char *xero_scopes_hint(const XeroServer *server);

/*
 * Foreign text made presentable: control characters become blanks, at most
 * "cap" bytes remain, and the encoding is the database's.
 */
extern char *xero_clean_text(const char *text, size_t len, size_t cap);

#endif							/* XERO_FAILURE_H */
