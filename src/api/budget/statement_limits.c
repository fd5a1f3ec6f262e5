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
 * What most of its calls were for is told when there are no more.  Keys of records
 * are left out, as they may come from rows that the role may not see.
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

/* More kinds of calls than a statement has, as a rule. */
#define MAX_SPENDERS 32

/* "/api.xro/2.0/Invoices": what follows names a record. */
#define PATH_SEGMENTS 3

/* The present statement. */
static TimestampTz start = 0;
static int	calls = 0;
static XeroSpender spenders[MAX_SPENDERS + 1];	/* the last is no one's */
static int	nspenders = 0;
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
	nspenders = 0;
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
xero_spender_name(XeroSpender *spender, const char *table, const char *method,
				  const char *path)
{
	const char *end = path;

	for (int i = 0; i < PATH_SEGMENTS && *end != '\0'; i++)
		end += 1 + strcspn(end + 1, "/");
	strlcpy(spender->table, table, sizeof(spender->table));
	snprintf(spender->request, sizeof(spender->request), "%s %.*s%s", method,
			 (int) (end - path), path, *end == '\0' ? "" : "/...");
	spender->calls = 0;
}

void
xero_statement_called(const char *table, const char *method, const char *path)
{
	XeroSpender *spender = &spenders[nspenders];

	calls++;
	if (table == NULL)
		return;
	xero_spender_name(spender, table, method, path);
	for (int i = 0; i < nspenders; i++)
	{
		if (strcmp(spenders[i].table, spender->table) == 0 &&
			strcmp(spenders[i].request, spender->request) == 0)
			spender = &spenders[i];
	}
	if (spender == &spenders[nspenders] && nspenders < MAX_SPENDERS)
		nspenders++;
	spender->calls++;
}

int
xero_statement_calls(void)
{
	notice_new_statement();
	return calls;
}

const XeroSpender *
xero_statement_spender(void)
{
	const XeroSpender *most = NULL;

	notice_new_statement();
	for (int i = 0; i < nspenders; i++)
	{
		if (most == NULL || spenders[i].calls > most->calls)
			most = &spenders[i];
	}
	return most;
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
