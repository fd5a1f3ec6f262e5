/*-------------------------------------------------------------------------
 *
 * wait.c
 *	  Waiting for calls.
 *
 * The backend sleeps until one of the calls that are waited for can go on, for
 * a transfer, a token, a place in the budget, or a time that has come; all
 * other calls go on meanwhile.  Only what limits take counts against
 * xero_fdw.max_wait, and only while they are in the way of all these calls.
 *
 * Places in the budget's queues are taken when the backend is about to sleep,
 * and are left however the waiting ends.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "api/budget/budget.h"
#include "api/budget/statement_limits.h"
#include "api/call/call.h"
#include "api/http/eventloop.h"
#include "api/report/progress.h"
#include "miscadmin.h"

static uint32 wait_http = 0;
static uint32 wait_budget = 0;

/* Sleep until a call can go on, at "resume_at" at the latest. */
static void
sleep_until(double resume_at, const char *what, uint32 wait_event)
{
	long		timeout = -1;

	if (resume_at != INFINITY)
	{
		double		rest = ceil(resume_at - xero_clock_ms());

		timeout = (long) Max(0, Min(rest, 3600 * 1000));
	}
	xero_progress_waiting(what);
	xero_sleep(timeout, wait_event);
}

/* Sleep because of limits, which counts against the statement's patience. */
static void
sleep_for_limits(XeroCall *const *calls, int ncalls, double resume_at,
				 const char *what)
{
	double		began = xero_clock_ms();
	double		slept;

	sleep_until(Min(resume_at, began + Max(0, xero_statement_patience())),
				what, wait_budget);
	slept = xero_clock_ms() - began;
	xero_statement_waited(slept);
	xero_call_stalled(calls, ncalls, slept);
}

/*
 * Sleep until one of the calls can go on.  It is for a limit only if limits are
 * in the way of all of them.  Does not sleep if a call has failed at once.
 */
static void
sleep_for(XeroCall *const *calls, int ncalls, double resume_at)
{
	const char *what = NULL;
	bool		limited = true;

	if (wait_http == 0)
	{
		wait_http = WaitEventExtensionNew("XeroHttp");
		wait_budget = WaitEventExtensionNew("XeroBudget");
	}
	for (int i = 0; i < ncalls; i++)
	{
		XeroObstacle obstacle = xero_call_obstacle(calls[i]);

		if (xero_call_is_done(calls[i]))
			return;
		resume_at = Min(resume_at, obstacle.until);
		if (what == NULL || (limited && !obstacle.is_limit))
			what = obstacle.what;
		limited = limited && obstacle.is_limit;
	}
	if (limited)
		sleep_for_limits(calls, ncalls, resume_at, what);
	else
		sleep_until(resume_at, what, wait_http);
}

/* The first call that is done, or -1. */
static int
find_done(XeroCall *const *calls, int ncalls)
{
	for (int i = 0; i < ncalls; i++)
	{
		if (xero_call_is_done(calls[i]))
			return i;
	}
	return -1;
}

static int
wait_until_one_done(XeroCall *const *calls, int ncalls)
{
	for (;;)
	{
		double		resume_at;
		int			done;

		CHECK_FOR_INTERRUPTS();
		resume_at = xero_call_drive();
		done = find_done(calls, ncalls);
		if (done >= 0)
			return done;
		sleep_for(calls, ncalls, resume_at);
	}
}

int
xero_call_wait(XeroCall *const *calls, int ncalls)
{
	int			done = find_done(calls, ncalls);

	if (done < 0)
	{
		PG_TRY();
		{
			done = wait_until_one_done(calls, ncalls);
		}
		PG_FINALLY();
		{
			xero_budget_leave_queues();
			xero_progress_waiting(NULL);
		}
		PG_END_TRY();
	}
	return done;
}

const XeroResponse *
xero_call_finish(XeroCall *call)
{
	(void) xero_call_wait(&call, 1);
	return xero_call_answer(call);
}
