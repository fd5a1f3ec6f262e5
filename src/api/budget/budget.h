/*-------------------------------------------------------------------------
 *
 * budget.h
 *	  Leave to call: no attempt is made without a grant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_BUDGET_H
#define XERO_BUDGET_H

#include "compat.h"

#include "api/budget/callers.h"
#include "api/budget/quota.h"
#include "api/http/http.h"
#include "api/shared/server.h"
#include "lib/ilist.h"

/* So many calls of a backend may stand in queues at once. */
#define XERO_MAX_QUEUED 20

/* A call's place in a queue, then its permit.  Zeroed but for the role. */
typedef struct XeroGrant
{
	Oid			role;			/* xero_budget_role(): whose it is */
	bool		queued;
	int			waiter;			/* its number there */
	uint64		turn;			/* when it came, 0: it has not */
	bool		held;
	XeroCaller	caller;
	int			entry;			/* number of the entry */
	int			app;			/* and of its application */
	XeroPermit	permit;
	bool		kept;			/* its lease is renewed: set by whoever has
								 * all that the call needs */
	int64		ends_at;		/* of the lease */
	dlist_node	node;
} XeroGrant;

/* Why a call is not granted, and for how long.  Times of xero_clock_ms(). */
typedef struct XeroWait
{
	XeroLimit	blocked_by;
	double		provable;		/* not before */
	double		look_at;		/* wake up then, unless woken before */
	bool		ordered;		/* Xero has refused a call */
	bool		at_latest;		/* before "provable" if Xero tells so */
	bool		by_us;			/* this backend's own calls are in the way */
} XeroWait;

/* One call, if it may begin now; never waits. */
extern bool xero_budget_acquire(XeroGrant *grant, const XeroServer *server);

/* Is the lease over?  Then it is to be returned, and another acquired. */
extern bool xero_budget_is_stale(const XeroGrant *grant);

/*
 * Renew the leases that this backend's grants are kept by, if it is time to.
 * Returns when it will be; infinity if there is nothing to renew.
 */
extern double xero_budget_renew(void);

/*
 * Stand in the queue for the grant that could not be acquired, if not there
 * yet, and tell about the wait.  The latch is set when it is worth while to
 * acquire again.  Only for a call that the backend will sleep for now, and as
 * long as it does; XERO_MAX_QUEUED of them at most.
 */
extern void xero_budget_queue(XeroGrant *grant, const XeroServer *server,
							  XeroWait *wait);

/* The current role, for a grant. */
extern Oid	xero_budget_role(void);

/* So many organisations can have a budget at the same time for its calls. */
extern int	xero_budget_width(void);

/*
 * Stand in no queue any more.  Whoever comes back to one finds the place that
 * is due to when he first came.  Never raises an error.
 */
extern void xero_budget_leave_queues(void);

/*
 * Five ways to give a grant back; without one that is held they do nothing.
 * None raises an error.  The call was not sent:
 */
extern void xero_budget_return(XeroGrant *grant);

/* it was sent, and its answer is of no interest any more: */
extern void xero_budget_abandon(XeroGrant *grant);

/*
 * it has ended, "waited_ms" after it was wanted; "accepted" if Xero did what it
 * was asked for:
 */
extern void xero_budget_charge(XeroGrant *grant, const XeroHttpResult *result,
							   bool accepted, int64 bytes_out,
							   double waited_ms);

/* Xero has not accepted the token: */
extern void xero_budget_deny(XeroGrant *grant);

/* Xero has refused it for a limit, and wants no call for so many ms. */
extern void xero_budget_refuse(XeroGrant *grant, XeroLimit limit,
							   const char *problem, double delay_ms);

/*
 * Xero's refusals of calls of the applications that a server of this database
 * calls for are forgotten, in all organisations, and those who wait go on.
 */
extern void xero_budget_unblock(Oid serverid);

#endif							/* XERO_BUDGET_H */
