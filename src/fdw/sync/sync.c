/*-------------------------------------------------------------------------
 *
 * sync.c
 *	  What the sync procedures ask of a foreign table and of the session.
 *
 * What needs rights on a foreign table is done at the door, as the caller.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/sync.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "api/call/session.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fdw/fdw.h"
#include "fdw/scan/scan.h"
#include "fdw/sync/gate.h"
#include "fdw/write/modify.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(xero_push_rules);
PG_FUNCTION_INFO_V1(xero_is_updatable);
PG_FUNCTION_INFO_V1(xero_session);
PG_FUNCTION_INFO_V1(xero_sync_owner);
PG_FUNCTION_INFO_V1(xero_sync_list_size);
PG_FUNCTION_INFO_V1(xero_list_columns);
PG_FUNCTION_INFO_V1(xero_sync_organisations);

static int	sync_history = 30;

void
xero_sync_init(void)
{
	DefineCustomIntVariable("xero_fdw.sync_history",
							"How many days runs of syncs are shown after they have ended.",
							"What is older is removed when the sync runs.",
							&sync_history, 30, 0, 36500,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

Relation
xero_open_table(Oid relid, LOCKMODE lockmode)
{
	Relation	rel = try_relation_open(relid, lockmode);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (rel->rd_rel->relkind != RELKIND_FOREIGN_TABLE ||
		GetFdwRoutineByRelId(relid)->GetForeignRelSize != xeroGetForeignRelSize)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a foreign table of xero_fdw",
						RelationGetRelationName(rel))));
	return rel;
}

void
xero_check_select(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);

	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT,
								  ACLMASK_ALL) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE,
					   RelationGetRelationName(rel));
}

CmdType
xero_parse_operation(const char *operation)
{
	if (strcmp(operation, "insert") == 0)
		return CMD_INSERT;
	if (strcmp(operation, "update") == 0)
		return CMD_UPDATE;
	if (strcmp(operation, "delete") == 0)
		return CMD_DELETE;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown operation \"%s\"", operation),
			 errhint("Operations are insert, update and delete.")));
}

/* May the caller write rows of the table so?  Rows of a line table may not. */
static bool
is_writable(Relation rel, CmdType operation)
{
	XeroTable  *table = xero_get_table(rel);

	return table->object->parent == NULL &&
		(xeroIsForeignRelUpdatable(rel) & (1 << operation)) != 0 &&
		xero_read_only_option(table, xero_caller_role()) == NULL;
}

/* The columns that each row of a push must have, as text[]. */
static Datum
needed_columns(Relation rel, CmdType operation)
{
	XeroTable  *table = xero_get_table(rel);
	List	   *needed = xero_needed_columns(table, operation);
	Datum	   *names = palloc(sizeof(Datum) * Max(list_length(needed), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, needed)
	{
		AttrNumber	attno = xero_needed_attribute(table, lfirst(lc));

		names[n++] = CStringGetTextDatum(NameStr(TupleDescAttr(RelationGetDescr(rel),
															   attno - 1)->attname));
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

Datum
xero_make_record(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

/* SQL: _is_updatable(relation, role) */
Datum
xero_is_updatable(PG_FUNCTION_ARGS)
{
	bool		updatable;

	(void) xero_table_object(PG_GETARG_OID(0), PG_GETARG_OID(1), &updatable);
	PG_RETURN_BOOL(updatable);
}

/* The column that shows whether a record has ended, and by which values. */
static void
show_endings(Relation rel, Datum *values, bool *nulls)
{
	XeroTable  *table = xero_get_table(rel);
	const XeroWriteRules *rules = table->object->writes;
	AttrNumber	attno;
	Datum	   *ends;
	int			n = 0;

	if (rules->status == NULL)
		return;
	attno = xero_needed_attribute(table, rules->status);
	ends = palloc(sizeof(Datum) * Max(rules->nendings, 1));
	for (int i = 0; i < rules->nendings; i++)
	{
		if (rules->endings[i].becomes != NULL)
			ends[n++] = CStringGetTextDatum(rules->endings[i].becomes);
	}
	values[0] = CStringGetTextDatum(NameStr(TupleDescAttr(RelationGetDescr(rel),
														  attno - 1)->attname));
	values[1] = PointerGetDatum(construct_array(ends, n, TEXTOID, -1, false,
												TYPALIGN_INT));
	nulls[0] = nulls[1] = false;
}

/* SQL: _push_rules(relation, operation) */
Datum
xero_push_rules(PG_FUNCTION_ARGS)
{
	Relation	rel = xero_open_table(PG_GETARG_OID(0), AccessShareLock);
	CmdType		operation = xero_parse_operation(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	Datum		values[4] = {Int32GetDatum(0)};
	bool		nulls[4] = {false, true, true, true};

	if (is_writable(rel, operation))
	{
		values[0] = Int32GetDatum(xero_write_batch(xero_get_table(rel),
												   operation, false));
		values[1] = needed_columns(rel, operation);
		nulls[1] = false;
		if (operation == CMD_DELETE)
			show_endings(rel, &values[2], &nulls[2]);
	}
	relation_close(rel, AccessShareLock);
	PG_RETURN_DATUM(xero_make_record(fcinfo, values, nulls));
}

/* SQL: _session() */
Datum
xero_session(PG_FUNCTION_ARGS)
{
	const XeroCallStats *spent = xero_session_stats();
	Interval	offset = {0};
	Datum		values[6];
	bool		nulls[6] = {0};

	values[0] = Int64GetDatum(spent->calls);
	values[1] = Int64GetDatum(spent->retries);
	values[2] = Int64GetDatum(spent->bytes_in);
	values[3] = Int64GetDatum(spent->bytes_out);
	values[4] = Float8GetDatum(spent->waited_ms);
	nulls[5] = !xero_session_clock_offset(&offset.time);
	values[5] = IntervalPGetDatum(&offset);
	PG_RETURN_DATUM(xero_make_record(fcinfo, values, nulls));
}

/* SQL: _sync_owner(local_table) */
Datum
xero_sync_owner(PG_FUNCTION_ARGS)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, PG_GETARG_DATUM(0));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		PG_RETURN_NULL();
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	PG_RETURN_OID(owner);
}

/* SQL: _list_size(relation) */
Datum
xero_sync_list_size(PG_FUNCTION_ARGS)
{
	double		records = xero_list_size(PG_GETARG_OID(0));

	if (records < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) records);
}

/* SQL: _organisations(relation) */
Datum
xero_sync_organisations(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation	rel = xero_open_table(PG_GETARG_OID(0), AccessShareLock);
	XeroIdentity engine;
	XeroOrganisation *organisations;
	int			count;

	xero_door_enter(NULL, &engine);
	xero_check_select(rel);
	InitMaterializedSRF(fcinfo, 0);
	count = xero_organisations(xero_get_server(xero_get_table(rel)->serverid,
											   GetUserId()),
							   &organisations);
	for (int i = 0; i < count; i++)
	{
		const XeroOrganisation *org = &organisations[i];
		Datum		values[2];
		bool		nulls[2] = {false, org->name[0] == '\0'};

		values[0] = UUIDPGetDatum(&org->id);
		values[1] = CStringGetTextDatum(org->name);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	xero_door_leave(&engine);
	relation_close(rel, AccessShareLock);
	return (Datum) 0;
}

/* SQL: _list_columns(relation) */
Datum
xero_list_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation	rel = xero_open_table(PG_GETARG_OID(0), AccessShareLock);
	XeroTable  *table = xero_get_table(rel);
	int			level = table->summary_only ? XERO_LEVEL_SUMMARY : XERO_LEVEL_LIST;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < table->natts; i++)
	{
		const XeroTableColumn *column = &table->columns[i];
		const char *known = column->is_tenant ? "tenant_id" :
		column->known ? column->known->name : NULL;
		Datum		values[3];
		bool		nulls[3] = {false, known == NULL, false};

		if (!column->is_tenant && column->path == NULL)
			continue;			/* dropped */
		if (!column->is_tenant &&
			!((column->known ? column->known->levels : XERO_LEVEL_LIST) & level))
			continue;
		values[0] = CStringGetTextDatum(NameStr(TupleDescAttr(RelationGetDescr(rel),
															  i)->attname));
		values[1] = known ? CStringGetTextDatum(known) : (Datum) 0;
		values[2] = BoolGetDatum(column->from_parent);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	relation_close(rel, AccessShareLock);
	return (Datum) 0;
}
