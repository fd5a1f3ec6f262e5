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

#include "api/server.h"
#include "lib/ilist.h"

/* Zeroed before first use; lives in the call that uses it. */
typedef struct XeroGrant
{
	bool		held;
	Oid			serverid;		/* valid while held */
	dlist_node	node;
} XeroGrant;

typedef enum XeroGrantAnswer
{
	XERO_GRANT_HELD,			/* go; give it back after the attempt */
	XERO_GRANT_QUEUED,			/* ask again when something has ended */
	XERO_GRANT_SPENT			/* xero_fdw.max_calls is reached */
} XeroGrantAnswer;

/* In _PG_init: defines xero_fdw.max_wait and xero_fdw.max_calls. */
extern void xero_budget_init(void);

extern XeroGrantAnswer xero_budget_acquire(XeroGrant *grant,
										   const XeroServer *server);

/* Idempotent, never raises an error. */
extern void xero_budget_release(XeroGrant *grant);

/*
 * May the statement wait so long from now on, in ms?  If so, the time is
 * charged against xero_fdw.max_wait; waits that overlap count once.
 */
extern bool xero_budget_may_wait(double delay_ms);

/* The two variables, for messages. */
extern int	xero_budget_max_calls(void);
extern int	xero_budget_max_wait(void);

#endif							/* XERO_BUDGET_H */
