/*-------------------------------------------------------------------------
 *
 * statement_limits.c
 *	  What one statement may spend: calls, and time waited for more.
 *
 * A statement has xero_fdw.max_calls calls, and xero_fdw.max_wait to spend on
 * waits for Xero's limits.  It makes no more calls to organisations of a server
 * that allows fewer.
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
#include "api/budget/statement_limits.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/*
 * Two of Xero's minute windows: long enough for a scan of some 150 pages,
 * short enough that nobody believes the session to be dead.
 */
#define MAX_WAIT 120000

/* A wait that a person notices, and wonders about. */
#define LOG_MIN_WAIT 10000

typedef enum Priority
{
	PRIORITY_INTERACTIVE,
	PRIORITY_BACKGROUND
} Priority;

static const struct config_enum_entry priorities[] = {
	{"interactive", PRIORITY_INTERACTIVE, false},
	{"background", PRIORITY_BACKGROUND, false},
	{NULL, 0, false}
};

static int	max_wait = MAX_WAIT;
static int	max_calls = 0;
static int	log_min_wait = LOG_MIN_WAIT;
static int	priority = PRIORITY_INTERACTIVE;

/* The present statement. */
static TimestampTz start = 0;
static int	calls = 0;
static double waited = 0;		/* ms */

void
xero_statement_init(void)
{
	DefineCustomIntVariable("xero_fdw.max_wait",
							"How long a statement may wait for Xero's rate limits, or for Xero to come back.",
							"A longer wait is an error at once, instead of after it.",
							&max_wait, MAX_WAIT, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("xero_fdw.max_calls",
							"How many calls to Xero a statement may make.",
							"Zero means no cap.",
							&max_calls, 0, 0, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("xero_fdw.priority",
							 "Whether calls to Xero pass others that wait for the same limits, or let them pass.",
							 "Background calls leave the server option \"reserve\" of a day to interactive ones.",
							 &priority, PRIORITY_INTERACTIVE, priorities,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("xero_fdw.log_min_wait",
							"Waits for Xero's rate limits from this length on are logged.",
							"-1 turns that off, 0 logs all waits.",
							&log_min_wait, LOG_MIN_WAIT, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
}

static void
notice_new_statement(void)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();

	if (now == start)
		return;
	start = now;
	calls = 0;
	waited = 0;
}

bool
xero_statement_may_call(const XeroServer *server)
{
	int			limit = server->tenant_id != NULL ? server->max_calls.limit : 0;

	notice_new_statement();
	return (max_calls == 0 || calls < max_calls) &&
		(limit == 0 || calls < limit);
}

void
xero_statement_called(void)
{
	calls++;
}

double
xero_statement_patience(void)
{
	notice_new_statement();
	return max_wait - waited;
}

void
xero_statement_waited(double ms)
{
	waited += ms;
}

bool
xero_statement_in_background(void)
{
	return priority == PRIORITY_BACKGROUND;
}

int
xero_statement_max_calls(void)
{
	return max_calls;
}

int
xero_statement_max_wait(void)
{
	return max_wait;
}

int
xero_statement_log_min_wait(void)
{
	return log_min_wait;
}
