/*-------------------------------------------------------------------------
 *
 * run.c
 *	  run_sync(), run_syncs(), mirror(): the procedures that loop and commit.
 *
 * A run is a value of the engine's type _run, which a step turns into the next
 * one.  It is kept here, so nobody else can make one up.  Each step is a
 * transaction of its own, and in that a subtransaction, whose error ends the
 * run and not the procedure.
 *
 * However a run ends, its lock is free, and what became of it is known.  An
 * error of a step or of its COMMIT ends the run here.  Any other aborts the
 * transaction, and that takes the lock (lock.c), so the views say "crashed".
 * Between the lock and the loop, and in the loop, there is therefore nothing
 * outside of try_ask() and try_commit() that could be cancelled.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/gate.h"
#include "fdw/sync/lock.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "base/subxact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/portal.h"

#define MAX_ARGS	4

typedef struct Run
{
	Oid			engine;
	MemoryContext cxt;			/* of the procedure */
	MemoryContext step_cxt;		/* of a step */

	/* a question to the engine: its first row, of two columns at most */
	const char *statement;
	int			nargs;
	Oid			types[MAX_ARGS];
	Datum		values[MAX_ARGS];
	char		nulls[MAX_ARGS];
	Datum		answer[2];		/* in "cxt" */
	bool		answer_isnull[2];
	Oid			answer_type;	/* of the first */

	/* what became of a sync */
	char	   *name;
	char	   *outcome;		/* done, busy, paused, failed, cancelled;
								 * NULL: the caller has no such sync any more */
	ErrorData  *error;			/* unless done */
} Run;

PG_FUNCTION_INFO_V1(xero_run_sync);
PG_FUNCTION_INFO_V1(xero_run_syncs);
PG_FUNCTION_INFO_V1(xero_mirror);

/*-------------------------------------------------------------------------
 * Asking the engine
 *-------------------------------------------------------------------------
 */

static void
add_arg(Run *run, Oid type, Datum value, bool isnull)
{
	run->types[run->nargs] = type;
	run->values[run->nargs] = value;
	run->nulls[run->nargs++] = isnull ? 'n' : ' ';
}

static void
add_text(Run *run, const char *value)
{
	add_arg(run, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0,
			value == NULL);
}

static void
put_question(Run *run, const char *statement)
{
	run->statement = statement;
	run->nargs = 0;
}

/* A step of xero_try(). */
static void
execute(void *arg)
{
	Run		   *run = arg;
	TupleDesc	desc;
	int			status;

	MemoryContextSwitchTo(run->step_cxt);
	status = SPI_execute_with_args(run->statement, run->nargs, run->types,
								   run->values, run->nulls, false, 1);
	if (status != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "\"%s\" returned no row", run->statement);
	desc = SPI_tuptable->tupdesc;
	run->answer_type = SPI_gettypeid(desc, 1);
	for (int i = 0; i < Min(desc->natts, 2); i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], desc, i + 1,
										  &run->answer_isnull[i]);

		MemoryContextSwitchTo(run->cxt);
		run->answer[i] = run->answer_isnull[i] ? (Datum) 0 :
			datumCopy(value, att->attbyval, att->attlen);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Put the question, as the engine; NULL or the error, in "cxt". */
static ErrorData *
try_ask(Run *run)
{
	ErrorData  *volatile error = NULL;
	XeroIdentity saved;

	MemoryContextSwitchTo(run->step_cxt);
	xero_gate_enter(run->engine, &saved);
	MemoryContextSwitchTo(run->cxt);
	PG_TRY();
	{
		error = xero_try(execute, run);
	}
	PG_CATCH();
	{
		xero_gate_reset(&saved);
		PG_RE_THROW();
	}
	PG_END_TRY();
	xero_gate_leave(&saved);
	MemoryContextReset(run->step_cxt);
	return error;
}

static void
ask(Run *run)
{
	ErrorData  *error = try_ask(run);

	if (error != NULL)
		ReThrowError(error);
}

/*-------------------------------------------------------------------------
 * Transactions
 *-------------------------------------------------------------------------
 */

/*
 * Commit, and begin the next transaction, in which the local row that is read
 * is the one that is changed, whatever is the default.  What fails at the end
 * of a transaction, such as a constraint that is checked then, is returned.
 *
 * SPI_commit() aborts a transaction that it cannot commit, which takes the
 * lock of the run.  While that is there, the error is one that came before, and
 * not to be caught, as the transaction is not aborted.
 */
static ErrorData *
try_commit(Run *run)
{
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		SPI_commit();
	}
	PG_CATCH();
	{
		if (xero_holds_run_lock())
			PG_RE_THROW();
		MemoryContextSwitchTo(run->cxt);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	XactIsoLevel = XACT_READ_COMMITTED;
	return error;
}

static void
commit(Run *run)
{
	ErrorData  *error = try_commit(run);

	if (error != NULL)
		ReThrowError(error);
}

static Run *
begin_procedure(FunctionCallInfo fcinfo)
{
	MemoryContext cxt;
	Run		   *run;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("syncs cannot run inside a transaction block or a function"),
				 errdetail("A run commits each of its steps."),
				 errhint("Call it outside of BEGIN and COMMIT, and as the only statement of what is sent to the server.")));
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("syncs cannot run on a standby"),
				 errhint("They run on the primary.")));
	if (XactReadOnly || DefaultXactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("syncs cannot run in a read-only transaction"),
				 DefaultXactReadOnly ?
				 errhint("Set default_transaction_read_only to off.") : 0));
	cxt = AllocSetContextCreate(PortalContext, "Xero sync",
								ALLOCSET_DEFAULT_SIZES);
	run = MemoryContextAllocZero(cxt, sizeof(Run));
	run->cxt = cxt;
	run->step_cxt = AllocSetContextCreate(cxt, "Xero sync step",
										  ALLOCSET_DEFAULT_SIZES);
	run->engine = xero_engine_of(fcinfo->flinfo->fn_oid);
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	MemoryContextSwitchTo(cxt);
	return run;
}

/*
 * A procedure that has called this one goes on in a transaction of the kind
 * that is the default.
 */
static void
end_procedure(Run *run)
{
	SPI_commit();
	SPI_finish();
	MemoryContextDelete(run->cxt);
}

/*-------------------------------------------------------------------------
 * A run
 *-------------------------------------------------------------------------
 */

static char *
answered_text(Run *run, int column)
{
	return run->answer_isnull[column] ? NULL :
		TextDatumGetCString(run->answer[column]);
}

/* Somebody else runs it.  That is told in its history, too. */
static void
refuse_run(Run *run, int32 sync_id)
{
	put_question(run, "SELECT xero_fdw._refuse_run($1)");
	add_arg(run, INT4OID, Int32GetDatum(sync_id), false);
	ask(run);
	commit(run);
	run->outcome = "busy";
}

/*
 * What became of a run is written down, whatever it is: no cancellation comes
 * in between.  An ERROR that is caught sets the count of what holds
 * interrupts to 0, so it is put back rather than counted down.
 */
static void
end_run(Run *run, Oid state_type, Datum state)
{
	ErrorData  *error = run->error;
	ErrorData  *failure;
	uint32		holdoff = InterruptHoldoffCount;

	HOLD_INTERRUPTS();
	put_question(run, "SELECT xero_fdw._end_run($1, $2, $3)");
	add_arg(run, state_type, state, false);
	add_text(run, error ? unpack_sql_state(error->sqlerrcode) : NULL);
	add_text(run, !error ? NULL : error->detail == NULL ? error->message :
			 psprintf("%s\n%s", error->message, error->detail));
	failure = try_ask(run);
	if (failure == NULL)
	{
		run->outcome = answered_text(run, 0);
		failure = try_commit(run);
	}
	xero_unlock_run();
	InterruptHoldoffCount = holdoff;
	if (failure != NULL)
		ReThrowError(failure);
}

static void
run_sync(Run *run, int32 sync_id, bool force)
{
	Oid			state_type;
	Datum		state;
	bool		locked;
	bool		done = false;

	run->outcome = NULL;
	run->error = NULL;
	locked = xero_lock_run(sync_id);
	/* it may have been dropped, or have got another owner, until then */
	put_question(run,
				 "SELECT (SELECT s.name FROM xero_fdw.sync AS s"
				 " WHERE s.sync_id OPERATOR(pg_catalog.=) $1"
				 " AND xero_fdw._sync_owner(s.local_table) OPERATOR(pg_catalog.=) xero_fdw._caller())");
	add_arg(run, INT4OID, Int32GetDatum(sync_id), false);
	ask(run);
	run->name = answered_text(run, 0);
	if (run->name == NULL)
	{
		if (locked)
			xero_unlock_run();
		return;
	}
	if (!locked)
	{
		refuse_run(run, sync_id);
		return;
	}
	put_question(run, "SELECT xero_fdw._begin_run($1, $2)");
	add_arg(run, INT4OID, Int32GetDatum(sync_id), false);
	add_arg(run, BOOLOID, BoolGetDatum(force), false);
	ask(run);
	state_type = run->answer_type;
	state = run->answer[0];
	commit(run);

	while (!done && run->error == NULL)
	{
		put_question(run, "SELECT s.state, (s.state).phase OPERATOR(pg_catalog.=) 'done' FROM xero_fdw._step($1) AS s");
		add_arg(run, state_type, state, false);
		run->error = try_ask(run);
		if (run->error != NULL)
			break;
		pfree(DatumGetPointer(state));
		state = run->answer[0];
		done = DatumGetBool(run->answer[1]);
		if (!done)
			run->error = try_commit(run);
	}
	end_run(run, state_type, state);
}

/*-------------------------------------------------------------------------
 * What the caller is told
 *-------------------------------------------------------------------------
 */

/* Nobody need find out what became of a request; the next run does. */
static void
report(const Run *run, int elevel, char *message, const char *default_hint)
{
	const ErrorData *error = run->error;
	bool		unknown = error->sqlerrcode == ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;

	ereport(elevel,
			(errcode(error->sqlerrcode),
			 errmsg_internal("%s", message),
			 errdetail_internal("%s", error->detail ? error->detail :
								"What was done is kept."),
			 errhint("%s", unknown ?
					 "The next run finds out whether Xero has carried it out, and goes on from there." :
					 error->hint ? error->hint : default_hint)));
}

static void
report_busy(const Run *run, int elevel)
{
	ereport(elevel,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("sync \"%s\" is running already", run->name),
			 errhint("xero_fdw.sync_runs shows how far it is.")));
}

/* SQL: CALL run_sync(name, force) */
Datum
xero_run_sync(PG_FUNCTION_ARGS)
{
	Run		   *run = begin_procedure(fcinfo);

	put_question(run, "SELECT s.sync_id FROM xero_fdw._own_sync($1) AS s");
	add_arg(run, TEXTOID, PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	ask(run);
	commit(run);
	run_sync(run, DatumGetInt32(run->answer[0]),
			 !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	if (run->outcome == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the sync is not there any more, or belongs to another role"),
				 errhint("SET LOCAL ROLE ends with the first step of a run, which commits. Use SET ROLE.")));
	if (strcmp(run->outcome, "done") == 0)
		 /* nothing to be told */ ;
	else if (strcmp(run->outcome, "busy") == 0)
		report_busy(run, ERROR);
	else if (strcmp(run->outcome, "paused") == 0)
		report(run, WARNING,
			   psprintf("sync \"%s\" is paused: %s", run->name, run->error->message),
			   "The next run goes on from here.");
	else
		report(run, ERROR, run->error->message,
			   "xero_fdw.sync_runs has the history of runs.");
	end_procedure(run);
	return (Datum) 0;
}

/*
 * Run syncs one after the other.  One that fails does not keep the others from
 * running; being cancelled does.
 */
static void
run_all(Run *run, ArrayType *ids)
{
	StringInfoData failed;
	Datum	   *elements;
	int			count;

	initStringInfo(&failed);
	deconstruct_array(ids, INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &elements, NULL, &count);
	commit(run);
	for (int i = 0; i < count; i++)
	{
		run_sync(run, DatumGetInt32(elements[i]), false);
		if (run->outcome == NULL || strcmp(run->outcome, "done") == 0)
			continue;
		if (strcmp(run->outcome, "cancelled") == 0)
			ReThrowError(run->error);
		if (strcmp(run->outcome, "busy") == 0)
			report_busy(run, WARNING);
		else
			report(run, WARNING,
				   psprintf("sync \"%s\" is %s: %s", run->name, run->outcome,
							run->error->message),
				   "The next run goes on from here.");
		if (strcmp(run->outcome, "paused") != 0)
			appendStringInfo(&failed, "%s%s", failed.len > 0 ? ", " : "",
							 run->name);
	}
	if (failed.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("syncs have failed: %s", failed.data),
				 errhint("xero_fdw.sync_runs has the reasons.")));
}

/* SQL: CALL run_syncs() */
Datum
xero_run_syncs(PG_FUNCTION_ARGS)
{
	Run		   *run = begin_procedure(fcinfo);

	put_question(run, "SELECT xero_fdw._own_syncs()");
	ask(run);
	run_all(run, DatumGetArrayTypeP(run->answer[0]));
	end_procedure(run);
	return (Datum) 0;
}

/* SQL: CALL mirror(remote, local_schema, tables) */
Datum
xero_mirror(PG_FUNCTION_ARGS)
{
	Run		   *run = begin_procedure(fcinfo);

	put_question(run, "SELECT xero_fdw._define_mirror($1, $2, $3)");
	add_arg(run, TEXTOID, PG_GETARG_DATUM(0), PG_ARGISNULL(0));
	add_arg(run, TEXTOID, PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	add_arg(run, TEXTARRAYOID, PG_GETARG_DATUM(2), PG_ARGISNULL(2));
	ask(run);
	run_all(run, DatumGetArrayTypeP(run->answer[0]));
	end_procedure(run);
	return (Datum) 0;
}
