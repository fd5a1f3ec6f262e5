/*-------------------------------------------------------------------------
 *
 * gate.c
 *	  Who runs what in a sync: the caller, the engine, the door between them.
 *
 * An entry point in SQL, f(...), is xero_gate() here.  It becomes the owner of
 * the extension and calls the engine's function of the same arguments, _f(...).
 * It is no SECURITY DEFINER function, as nothing inside of one could tell who
 * called it.
 *
 * Where the session is another role's, as after SET ROLE, a statement at the
 * door is a security-restricted operation: code of the caller's tables must
 * not find its way back to that role, not even by a trigger that waits for the
 * end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/gate.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(xero_gate);
PG_FUNCTION_INFO_V1(xero_before_drop_extension);
PG_FUNCTION_INFO_V1(xero_refuse_writes);
PG_FUNCTION_INFO_V1(xero_caller);
PG_FUNCTION_INFO_V1(xero_caller_path);
PG_FUNCTION_INFO_V1(xero_as_caller);
PG_FUNCTION_INFO_V1(xero_do_as_caller);

/* Who came in by the gate; InvalidOid if nobody has. */
static struct
{
	Oid			role;
	int			context;
	const char *path;
	const char *plans;			/* plan_cache_mode */
}			caller;

/*
 * What a run means must not depend on who happens to run it: values become
 * text and JSON, and expressions are parsed.  Nor must its plans be those of a
 * session's first run, when the tables were empty.
 */
static const char *const run_settings[][2] = {
	{"search_path", "pg_catalog, pg_temp"},
	{"timezone", "UTC"},
	{"datestyle", "ISO"},
	{"intervalstyle", "postgres"},
	{"bytea_output", "hex"},
	{"extra_float_digits", "1"},
	{"standard_conforming_strings", "on"},
	{"backslash_quote", "safe_encoding"},
	{"transform_null_equals", "off"},
	{"array_nulls", "on"},
	{"quote_all_identifiers", "off"},
	{"xmloption", "content"},
	{"jit", "off"},
	{"plan_cache_mode", "force_custom_plan"},
	{"xero_fdw.priority", "background"},
};

static void
set_until_left(const char *name, const char *value)
{
	set_config_option(name, value, superuser() ? PGC_SUSET : PGC_USERSET,
					  PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*-------------------------------------------------------------------------
 * The gate
 *-------------------------------------------------------------------------
 */

Oid
xero_engine_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
xero_gate_enter(Oid engine, XeroIdentity *saved)
{
	const char *path = pstrdup(namespace_search_path);
	const char *plans = GetConfigOption("plan_cache_mode", false, false);

	saved->caller = caller.role;
	saved->caller_context = caller.context;
	saved->caller_path = caller.path;
	saved->caller_plans = caller.plans;
	GetUserIdAndSecContext(&saved->user, &saved->context);
	SetUserIdAndSecContext(engine,
						   saved->context | SECURITY_LOCAL_USERID_CHANGE);
	saved->nestlevel = NewGUCNestLevel();
	for (int i = 0; i < lengthof(run_settings); i++)
		set_until_left(run_settings[i][0], run_settings[i][1]);

	/* last, as an ERROR of the above would not bring it back */
	caller.role = saved->user;
	caller.context = saved->context;
	caller.path = path;
	caller.plans = plans;
}

void
xero_gate_reset(const XeroIdentity *saved)
{
	caller.role = saved->caller;
	caller.context = saved->caller_context;
	caller.path = saved->caller_path;
	caller.plans = saved->caller_plans;
}

void
xero_gate_leave(const XeroIdentity *saved)
{
	AtEOXact_GUC(false, saved->nestlevel);
	SetUserIdAndSecContext(saved->user, saved->context);
	xero_gate_reset(saved);
}

/* The engine's function behind an entry point. */
static FmgrInfo *
find_engine_function(Oid function, MemoryContext cxt)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	FmgrInfo   *result;
	Form_pg_proc entry;
	Oid			behind;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	entry = (Form_pg_proc) GETSTRUCT(tuple);
	behind = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
							 CStringGetDatum(psprintf("_%s", NameStr(entry->proname))),
							 PointerGetDatum(&entry->proargtypes),
							 ObjectIdGetDatum(entry->pronamespace));
	if (!OidIsValid(behind))
		elog(ERROR, "there is no function behind %s()",
			 NameStr(entry->proname));
	ReleaseSysCache(tuple);
	result = MemoryContextAlloc(cxt, sizeof(FmgrInfo));
	fmgr_info_cxt(behind, result, cxt);
	return result;
}

/* SQL: an entry point f(...), behind which there is _f(...) */
Datum
xero_gate(PG_FUNCTION_ARGS)
{
	FmgrInfo   *behind = fcinfo->flinfo->fn_extra;
	FunctionCallInfo inner;
	XeroIdentity saved;
	Datum		result;

	if (behind == NULL)
		behind = fcinfo->flinfo->fn_extra =
			find_engine_function(fcinfo->flinfo->fn_oid,
								 fcinfo->flinfo->fn_mcxt);
	inner = palloc(SizeForFunctionCallInfo(fcinfo->nargs));
	InitFunctionCallInfoData(*inner, behind, fcinfo->nargs,
							 PG_GET_COLLATION(), fcinfo->context,
							 fcinfo->resultinfo);
	for (int i = 0; i < fcinfo->nargs; i++)
		inner->args[i] = fcinfo->args[i];

	xero_gate_enter(xero_engine_of(fcinfo->flinfo->fn_oid), &saved);
	PG_TRY();
	{
		result = FunctionCallInvoke(inner);
	}
	PG_CATCH();
	{
		xero_gate_reset(&saved);
		PG_RE_THROW();
	}
	PG_END_TRY();
	xero_gate_leave(&saved);
	fcinfo->isnull = inner->isnull;
	return result;
}

/*
 * SQL: forget_all_jobs(), an event trigger.  Behind it stands
 * _forget_all_jobs(), which is called if it is us that DROP EXTENSION drops.
 */
Datum
xero_before_drop_extension(PG_FUNCTION_ARGS)
{
	const EventTriggerData *event = (EventTriggerData *) fcinfo->context;
	ListCell   *lc;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("must be called as an event trigger")));
	fcinfo->context = NULL;
	foreach(lc, castNode(DropStmt, event->parsetree)->objects)
	{
		if (strcmp(strVal(lfirst(lc)), "xero_fdw") == 0)
			return xero_gate(fcinfo);
	}
	PG_RETURN_VOID();
}

/*
 * SQL: refuse_writes(), a trigger.  What the engine takes from these tables it
 * hands to the door, so a role that may write every table must not write them.
 */
Datum
xero_refuse_writes(PG_FUNCTION_ARGS)
{
	const TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("must be called as a trigger")));
	if (!superuser() &&
		GetUserId() != trigger->tg_relation->rd_rel->relowner)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("table \"%s\" belongs to the extension",
						RelationGetRelationName(trigger->tg_relation)),
				 errhint("Use the functions of xero_fdw.")));
	PG_RETURN_POINTER(NULL);
}

Oid
xero_caller_role(void)
{
	return OidIsValid(caller.role) ? caller.role : GetUserId();
}

/* SQL: _caller() */
Datum
xero_caller(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(xero_caller_role());
}

/* SQL: _caller_path() */
Datum
xero_caller_path(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(OidIsValid(caller.role) ? caller.path :
									 namespace_search_path));
}

/*-------------------------------------------------------------------------
 * The door
 *-------------------------------------------------------------------------
 */

void
xero_door_enter(const char *search_path, XeroIdentity *saved)
{
	Oid			role;
	int			context;

	GetUserIdAndSecContext(&saved->user, &saved->context);
	role = OidIsValid(caller.role) ? caller.role : saved->user;
	context = OidIsValid(caller.role) ? caller.context : saved->context;
	context |= SECURITY_LOCAL_USERID_CHANGE;
	if (GetSessionUserId() != role || GetAuthenticatedUserId() != role)
		context |= SECURITY_RESTRICTED_OPERATION;
	SetUserIdAndSecContext(role, context);
	saved->nestlevel = NewGUCNestLevel();

	/*
	 * Triggers make the same plans again and again, one row after the other.
	 */
	if (OidIsValid(caller.role))
		set_until_left("plan_cache_mode", caller.plans);

	/*
	 * Where the path does not say so, pg_temp would come first, and with it
	 * the temporary tables and views of whoever's session it is: the caller
	 * may be the owner of a SECURITY DEFINER function.
	 */
	if (search_path != NULL)
		set_until_left("search_path", search_path[0] == '\0' ? "pg_temp" :
					   psprintf("%s, pg_temp", search_path));
}

void
xero_door_leave(const XeroIdentity *saved)
{
	AtEOXact_GUC(false, saved->nestlevel);
	SetUserIdAndSecContext(saved->user, saved->context);
}

/* The values of a statement's parameters, from the third argument on. */
static ParamListInfo
statement_parameters(FunctionCallInfo fcinfo)
{
	int			count = PG_NARGS() - 2;
	ParamListInfo params = makeParamList(count);

	for (int i = 0; i < count; i++)
	{
		ParamExternData *param = &params->params[i];

		param->ptype = get_fn_expr_argtype(fcinfo->flinfo, i + 2);
		if (param->ptype == UNKNOWNOID || !OidIsValid(param->ptype))
			elog(ERROR, "parameter %d has no type", i + 1);
		param->pflags = PARAM_FLAG_CONST;
		param->isnull = PG_ARGISNULL(i + 2);
		param->value = PG_GETARG_DATUM(i + 2);
	}
	return params;
}

/*
 * A trigger that waits for the end of the transaction cannot be fired inside
 * of a restricted operation.  PostgreSQL's message does not tell why this is
 * one.
 */
static void
explain_deferred_trigger(MemoryContext cxt)
{
	ErrorData  *error;

	MemoryContextSwitchTo(cxt);
	error = CopyErrorData();
	if (error->message_id == NULL ||
		strcmp(error->message_id,
			   "cannot fire deferred trigger within security-restricted operation") != 0)
		PG_RE_THROW();
	FlushErrorState();
	error->schema_name = pstrdup("xero_fdw");	/* no row's fault */
	error->hint = psprintf("The session belongs to another role than \"%s\", whose triggers must not wait until the transaction ends. Connect as that role, and run the sync there.",
						   GetUserNameFromId(GetUserId(), false));
	ReThrowError(error);
}

/* Run a statement as the caller; how many rows it processed. */
static uint64
run_as_caller(FunctionCallInfo fcinfo, DestReceiver *dest)
{
	MemoryContext cxt = CurrentMemoryContext;
	char	   *statement = text_to_cstring(PG_GETARG_TEXT_PP(1));
	SPIExecuteOptions options = {0};
	XeroIdentity saved;
	uint64		processed;
	int			status;

	options.params = statement_parameters(fcinfo);
	options.must_return_tuples = dest != NULL;
	options.dest = dest;
	xero_door_enter(text_to_cstring(PG_GETARG_TEXT_PP(0)), &saved);
	PG_TRY();
	{
		SPI_connect();
		status = SPI_execute_extended(statement, &options);
		if (status < 0)
			elog(ERROR, "SPI_execute_extended failed: %s",
				 SPI_result_code_string(status));
		processed = SPI_processed;
		SPI_finish();
	}
	PG_CATCH();
	{
		explain_deferred_trigger(cxt);
	}
	PG_END_TRY();
	xero_door_leave(&saved);
	return processed;
}

/* SQL: _as_caller(path, statement, ...), the rows of a statement */
Datum
xero_as_caller(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DestReceiver *dest;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(dest, rsinfo->setResult,
									rsinfo->econtext->ecxt_per_query_memory,
									true, rsinfo->setDesc,
									"the statement does not return what was asked for");
	run_as_caller(fcinfo, dest);
	dest->rDestroy(dest);
	return (Datum) 0;
}

/* SQL: _do_as_caller(path, statement, ...) */
Datum
xero_do_as_caller(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) run_as_caller(fcinfo, NULL));
}
