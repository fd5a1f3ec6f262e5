/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  Leave to call: no attempt is made without a grant.
 *
 * A grant is acquired before an attempt and given back after it, on every
 * path.  This backend has at most the server's "concurrency" of them at a
 * time; whoever asks in vain asks again, the oldest call first, when another
 * has ended.  A statement has xero_fdw.max_calls of them, and may spend
 * xero_fdw.max_wait on waits that Xero orders.
 *
 * A statement here is what a client sends: PostgreSQL stamps its start, and
 * with a new stamp the counts begin anew.  Statements inside of functions and
 * procedures draw on the one that called them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>

#include "access/xact.h"
#include "api/budget.h"
#include "api/http.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/*
 * Two of Xero's minute windows: long enough for a scan of some 150 pages,
 * short enough that nobody believes the session to be dead.
 */
#define MAX_WAIT 120000

static int	max_wait = MAX_WAIT;
static int	max_calls = 0;

/* Grants that this backend holds. */
static dlist_head held = DLIST_STATIC_INIT(held);

/* The present statement. */
static TimestampTz statement_start = 0;
static int	statement_calls = 0;
static double statement_waits = 0;	/* ms charged */
static double waits_until = 0;	/* end of the last one, by xero_clock_ms() */

void
xero_budget_init(void)
{
	DefineCustomIntVariable("xero_fdw.max_wait",
							"How long a statement may wait for Xero's rate limits.",
							"A longer wait is an error at once, instead of after it.",
							&max_wait, MAX_WAIT, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("xero_fdw.max_calls",
							"How many calls to Xero a statement may make.",
							"Zero means no cap.",
							&max_calls, 0, 0, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

int
xero_budget_max_calls(void)
{
	return max_calls;
}

int
xero_budget_max_wait(void)
{
	return max_wait;
}

static void
notice_new_statement(void)
{
	TimestampTz start = GetCurrentStatementStartTimestamp();

	if (start == statement_start)
		return;
	statement_start = start;
	statement_calls = 0;
	statement_waits = 0;
	waits_until = 0;
}

XeroGrantAnswer
xero_budget_acquire(XeroGrant *grant, const XeroServer *server)
{
	int			in_flight = 0;
	dlist_iter	iter;

	Assert(!grant->held);
	notice_new_statement();
	if (max_calls > 0 && statement_calls >= max_calls)
		return XERO_GRANT_SPENT;

	dlist_foreach(iter, &held)
	{
		if (dlist_container(XeroGrant, node, iter.cur)->serverid ==
			server->serverid)
			in_flight++;
	}
	if (in_flight >= server->concurrency)
		return XERO_GRANT_QUEUED;

	statement_calls++;
	grant->serverid = server->serverid;
	grant->held = true;
	dlist_push_tail(&held, &grant->node);
	return XERO_GRANT_HELD;
}

void
xero_budget_release(XeroGrant *grant)
{
	if (!grant->held)
		return;
	grant->held = false;
	dlist_delete(&grant->node);
}

bool
xero_budget_may_wait(double delay_ms)
{
	double		now = xero_clock_ms();
	double		until = now + delay_ms;
	double		more;

	notice_new_statement();
	more = until - Max(now, waits_until);
	if (more <= 0)
		return true;
	if (statement_waits + more > max_wait)
		return false;
	statement_waits += more;
	waits_until = until;
	return true;
}
