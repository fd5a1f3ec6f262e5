/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker that keeps the table of the audit.
 *
 * It is started when there is something to store, and ends after a while
 * without work.  All that waits is stored in one transaction, so that sessions
 * that write at the same time pay for one commit; what nobody waits for is
 * kept back for a moment, to go with what somebody does.
 *
 * A worker that is told to end stores what waits first: usually the server is
 * being stopped, and shared memory goes with it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "api/audit/queue.h"
#include "api/audit/table.h"
#include "api/audit/worker.h"
#include "base/worker.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

/*
 * Without work for so long, it ends: before DROP DATABASE, which waits for five
 * seconds, is tired of it.
 */
#define IDLE_MS 4000

/* What nobody waits for is kept back for so long. */
#define COLLECT_MS 50

#define DAY_MS (24 * 3600 * 1000)

/* Whoever stops the server does not wait longer than this for a transaction. */
#define LAST_MS 1000

PGDLLEXPORT void xero_audit_worker_main(Datum arg);

static int	audit_history = 400;

void
xero_audit_worker_init(void)
{
	DefineCustomIntVariable("xero_fdw.audit_history",
							"How many days the view xero_fdw.audit goes back.",
							NULL,
							&audit_history, 400, 0, 36500,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* ---- transactions; an error is reported, and ends in false ---- */

/*
 * A transaction takes a moment, so SIGTERM lets it end.  But it may wait for a
 * lock, or for a standby.
 */
static TimeoutId patience;

static void
lose_patience(void)
{
	if (!ShutdownRequestPending)
		return;
	ProcDiePending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

static void
begin(void)
{
	enable_timeout_every(patience,
						 TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													 LAST_MS), LAST_MS);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
}

static void
report_error(MemoryContext cxt)
{
	MemoryContextSwitchTo(cxt);
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(cxt);
}

/*
 * Nothing may end this process between the commit and the note that it has
 * happened, or it would be done twice.
 */
static bool
store(XeroAuditMessage *messages, int count)
{
	MemoryContext cxt = CurrentMemoryContext;
	volatile bool stored = false;

	PG_TRY();
	{
		begin();
		xero_audit_store(messages, count);
		HOLD_INTERRUPTS();
		CommitTransactionCommand();
		xero_audit_taken(messages, true);
		RESUME_INTERRUPTS();
		stored = true;
	}
	PG_CATCH();
	{
		report_error(cxt);
	}
	PG_END_TRY();
	disable_timeout(patience, false);
	MemoryContextSwitchTo(cxt);
	return stored;
}

/* Delete some of what is too old; is there perhaps more? */
static bool
forget(void)
{
	MemoryContext cxt = CurrentMemoryContext;
	volatile bool more = false;

	PG_TRY();
	{
		begin();
		more = xero_audit_forget(audit_history);
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		report_error(cxt);
	}
	PG_END_TRY();
	disable_timeout(patience, false);
	MemoryContextSwitchTo(cxt);
	return more;
}

/* What waits for a database that was dropped waits for ever. */
static void
discard_dropped(void)
{
	Oid			dbids[XERO_AUDIT_BATCH];
	int			count = xero_audit_others(dbids);

	if (count == 0)
		return;
	begin();
	for (int i = 0; i < count; i++)
	{
		if (!SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(dbids[i])))
			xero_audit_discard(dbids[i]);
	}
	CommitTransactionCommand();
	disable_timeout(patience, false);
}

/* Store what waits; what cannot be stored goes into the server's log. */
static bool
do_work(void)
{
	static XeroAuditMessage messages[XERO_AUDIT_BATCH];
	int			count = xero_audit_take(messages);
	bool		stored;

	if (count == 0)
		return true;
	pgstat_report_activity(STATE_RUNNING, "storing what was written to Xero");
	stored = store(messages, count);
	if (!stored)
	{
		for (int i = 0; i < count; i++)
			xero_audit_log(&messages[i]);
		xero_audit_taken(messages, false);
	}
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return stored;
}

/* ---- the worker ---- */

static void
rest(long timeout_ms)
{
	(void) WaitLatch(MyLatch,
					 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 timeout_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		xero_secure_settings();
	}
}

/* Let more come, unless somebody waits. */
static void
collect(void)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													COLLECT_MS);
	bool		urgent;

	while (xero_audit_waiting(&urgent) < XERO_AUDIT_BATCH && !urgent &&
		   !ShutdownRequestPending)
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
														   until);

		if (left <= 0)
			break;
		rest(left);
	}
}

pg_noreturn static void
finish(void)
{
	bool		urgent;

	while (xero_audit_waiting(&urgent) > 0 && do_work())
		;
	proc_exit(0);
}

void
xero_audit_worker_main(Datum arg)
{
	TimestampTz busy_at;
	TimestampTz forget_at;
	bool		urgent;

	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGINT, SIG_IGN);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	patience = RegisterTimeout(USER_TIMEOUT, lose_patience);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg),
											  InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	xero_secure_settings();
	if (!xero_audit_serve())
		proc_exit(0);

	discard_dropped();
	busy_at = forget_at = GetCurrentTimestamp();
	for (;;)
	{
		TimestampTz now = GetCurrentTimestamp();

		if (ShutdownRequestPending)
			finish();
		if (xero_audit_waiting(&urgent) > 0)
		{
			collect();
			do_work();
			busy_at = GetCurrentTimestamp();
		}
		else if (now >= forget_at)
		{
			if (!forget())
				forget_at = TimestampTzPlusMilliseconds(now, DAY_MS);
		}
		else if (!TimestampDifferenceExceeds(busy_at, now, IDLE_MS))
			rest(IDLE_MS);
		else if (xero_audit_rest())
			proc_exit(0);
	}
}
