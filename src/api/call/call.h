/*-------------------------------------------------------------------------
 *
 * call.h
 *	  One API call: grant, token, HTTP, retries, errors.
 *
 * Calls are begun without waiting, several at once if wanted, and proceed
 * whenever this backend waits for any of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CALL_H
#define XERO_CALL_H

#include "compat.h"

#include "api/audit/audit.h"
#include "api/report/failure.h"
#include "api/shared/server.h"

/* What calls cost; added up over a scan, a write, or the session. */
typedef struct XeroCallStats
{
	const char *table;			/* the foreign table they are for, or NULL */
	int64		calls;			/* attempts that were sent */
	int64		retries;		/* of them, repeats */
	int64		bytes_in;		/* response bodies as received (compressed) */
	int64		bytes_out;
	double		waited_ms;		/* for budget: grants, 429, back-off */
	int64		shared;			/* answers that another call has brought */
} XeroCallStats;

typedef struct XeroCall XeroCall;

/* Answers that a statement keeps; see page_cache.h. */
typedef struct XeroPageCache XeroPageCache;

typedef struct XeroCallSpec
{
	const char *method;			/* "GET", ... */
	const char *path;			/* "/api.xro/2.0/Invoices" */
	const char *query;			/* percent-encoded, "" if none */
	const char *modified_since; /* or NULL */
	const char *body;			/* or NULL */
	bool		missing_ok;		/* 404 is an answer: status 404, no error */
	bool		refusal_ok;		/* so is 400 */
	bool		failure_ok;		/* so is 5xx, when asking again is no use */
	const char *idempotency_key;	/* of a PUT or POST, or NULL */
	bool		sent_before;	/* the same write was sent by another call,
								 * and may have been carried out ... */
	double		sent_ago;		/* ... so many ms ago */
	const char *subject;		/* what is written, for errors, or NULL */
	List	   *record_keys;	/* of what is written, for the audit: char *,
								 * NULL for new ones */
	bool		unaudited;		/* a write that the caller itself puts there */
	XeroPageCache *cache;		/* of a GET: to be asked before Xero is; or
								 * NULL */
	XeroCallStats *stats;		/* must outlive the call; NULL for one that
								 * Xero does not count */
	void		(*dropped) (const XeroCall *call);	/* before it goes,
													 * finished or not; must
													 * not raise; or NULL */
} XeroCallSpec;

typedef struct XeroResponse
{
	int			status;			/* 200, 204, or what the spec allows */
	bool		perhaps_done;	/* an attempt before may have done the work */
	XeroAudit  *audit;			/* of a write: which records were written may
								 * be added; closed with the call if not
								 * before; or NULL */
	char	   *body;			/* NUL at body[len] */
	size_t		len;
	const char *detail;			/* "HTTP status 200, correlation id ..." for
								 * errors found in the body later */
} XeroResponse;

/*
 * Begin a call.  It is owned by "owner": resetting or deleting that context
 * (also by an error) abandons the transfer at once and gives back its grant.
 * The spec's strings are copied.  Never waits.
 */
extern XeroCall *xero_call_begin(MemoryContext owner, const XeroServer *server,
								 const XeroCallSpec *spec);

/* Run the network without waiting, so that transfers proceed while rows are
 * being consumed. */
extern void xero_call_pump(void);

/*
 * Is it unfinished, and may it have written?  To be asked before it is thrown
 * away.
 */
extern bool xero_call_in_doubt(const XeroCall *call);

/* Throw a call away, finished or not. */
extern void xero_call_free(XeroCall *call);

/* ---- waiting, in wait.c ---- */

/*
 * Wait until one of several calls is done, driving all calls of this backend
 * meanwhile; reacts to cancel at once.  Returns its index, the lowest if there
 * are more.  Failures are left to xero_call_finish().  They have the same
 * stats, and are XERO_MAX_QUEUED (budget.h) at most.
 */
extern int	xero_call_wait(XeroCall *const *calls, int ncalls);

/*
 * Wait for the answer in the same way.  Failures are raised as ERRORs.  The
 * response belongs to the call.
 */
extern const XeroResponse *xero_call_finish(XeroCall *call);

/* Why a call that is done has no answer; NULL if it has one. */
extern const XeroFailure *xero_call_failure(const XeroCall *call);

/* ---- for wait.c; none of these waits ---- */

/* What a call waits for. */
typedef struct XeroObstacle
{
	const char *what;			/* as it is shown */
	bool		is_limit;		/* waiting for it is the statement's to pay */
	double		until;			/* look again then, or when xero_call_drive()
								 * says; infinity if never */
} XeroObstacle;

/*
 * Let every call of this backend go on as far as it can.  Returns when, by the
 * clock, trying again makes sense even if the network brings nothing; infinity
 * if never.  Where an interrupt is pending it returns before that, and trying
 * again makes sense at once.
 */
extern double xero_call_drive(void);

extern bool xero_call_is_done(const XeroCall *call);

/*
 * What is in the way of a call that is not done.  It joins the queue for its
 * grant if it needs one; if waiting there would try the statement's patience,
 * it is done, having failed.
 */
extern XeroObstacle xero_call_obstacle(XeroCall *call);

/* Limits have held up these calls, all at once, for so long. */
extern void xero_call_stalled(XeroCall *const *calls, int ncalls, double ms);

/* The response of a call that is done; raises its failure. */
extern const XeroResponse *xero_call_answer(const XeroCall *call);

#endif							/* XERO_CALL_H */
