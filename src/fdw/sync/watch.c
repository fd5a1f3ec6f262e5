/*-------------------------------------------------------------------------
 *
 * watch.c
 *	  Local changes, recorded in the writer's own transaction.
 *
 * record_change() is the trigger function on the local tables of syncs.  Its
 * arguments are the sync's number, the columns of the key, the columns that
 * are watched, and those that tell whom a row is about, which is all that is
 * known of one that is gone; at statement level, for TRUNCATE, the number
 * alone.
 *
 * A writer has no rights on the extension's tables, so a change is recorded
 * as the owner of the function.  Values become JSON before that, as the
 * writer: functions of types and casts are other people's code.  As the owner
 * runs one statement alone, in which each name is qualified.  It records
 * changes of a sync's own table, so nobody can forge changes of somebody
 * else's.
 *
 * A writer never fails because of a sync.  While a column is missing, all that
 * is recorded is that something changed, which ends nothing.  Only a trigger that somebody has
 * made wrongly by hand is an error.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/gate.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(xero_record_change);

/* A column that a trigger's arguments name. */
typedef struct WatchColumn
{
	AttrNumber	attno;			/* 0 if it is missing */
	NameData	name;
	Oid			type;
	Datum		label;			/* the name, as text */
	FmgrInfo	output;			/* of a type that is not built-in */
} WatchColumn;

/* Columns that an argument names. */
typedef struct WatchColumns
{
	WatchColumn *columns;
	int			n;
	bool		missing;		/* at least one of them */
	bool		named;			/* their values become an object, not an array */
	FmgrInfo	build;			/* makes it */
} WatchColumns;

/* A trigger, as long as its call site lives: one statement. */
typedef struct Watch
{
	MemoryContext context;		/* which holds it */
	Oid			trigger;
	Oid			relation;
	int			natts;
	bool		for_row;

	Oid			engine;			/* who owns the extension */
	int32		sync_id;
	Datum		tables;			/* oid[]: the relation and those that it is a
								 * partition of */

	/* at row level */
	WatchColumns key;
	WatchColumns watched;
	WatchColumns identity;
	bool		pinned;			/* a value's text depends on settings */
} Watch;

/* What is recorded.  A pointer is NULL for a null. */
typedef struct Change
{
	const char *operation;
	Jsonb	   *local_key;
	Jsonb	   *old_key;		/* if it was another one */
	Jsonb	   *said;			/* whom the row is about, if it is deleted or
								 * that has changed */
	ArrayType  *columns;
	bool		departed;		/* deleted by an UPDATE, into another
								 * partition */
} Change;

/*
 * Keys are the same in every session.  The run of a sync has these settings,
 * too.
 */
static const struct
{
	const char *name;
	const char *value;
}			pinned_settings[] =

{
	{"search_path", "pg_catalog, pg_temp"},
	{"TimeZone", "UTC"},
	{"DateStyle", "ISO"},
	{"IntervalStyle", "postgres"},
	{"bytea_output", "hex"},
	{"extra_float_digits", "1"},
};

/*
 * It may be parsed anew under the writer's search_path: all names of functions
 * and operators are qualified, and the parameters have the columns' types.
 */
static const char insert_change[] =
"INSERT INTO xero_fdw.sync_change"
" (sync_id, operation, local_key, old_key, said, columns, departed, changed_at)"
" SELECT s.sync_id, $2, $3, $4, $5, $6, $8, pg_catalog.clock_timestamp()"
" FROM xero_fdw.sync AS s"
" WHERE s.sync_id OPERATOR(pg_catalog.=) $1"
" AND s.local_table OPERATOR(pg_catalog.=) ANY ($7)";

static void
check_call(FunctionCallInfo fcinfo)
{
	TriggerEvent event;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"record_change")));
	event = ((TriggerData *) fcinfo->context)->tg_event;
	if (!TRIGGER_FIRED_AFTER(event) ||
		!(TRIGGER_FIRED_FOR_ROW(event) || TRIGGER_FIRED_BY_TRUNCATE(event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired AFTER each ROW or AFTER TRUNCATE",
						"record_change")));
}

/* The tables whose syncs may hear of it. */
static Datum
tables_of(Relation rel)
{
	List	   *tables = list_make1_oid(RelationGetRelid(rel));
	Datum	   *values;
	int			n = 0;
	ListCell   *lc;

	if (rel->rd_rel->relispartition)
		tables = list_concat(tables,
							 get_partition_ancestors(RelationGetRelid(rel)));
	values = palloc(sizeof(Datum) * list_length(tables));
	foreach(lc, tables)
		values[n++] = ObjectIdGetDatum(lfirst_oid(lc));
	return PointerGetDatum(construct_array(values, n, OIDOID, sizeof(Oid),
										   true, TYPALIGN_INT));
}

/* The columns that an argument names. */
static void
find_columns(TupleDesc desc, const char *argument, WatchColumns *found)
{
	Datum		names = OidInputFunctionCall(F_ARRAY_IN, (char *) argument,
											 TEXTOID, -1);
	Datum	   *elements;
	bool	   *nulls;

	deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &found->n);
	found->columns = palloc0(sizeof(WatchColumn) * Max(found->n, 1));
	for (int i = 0; i < found->n; i++)
	{
		WatchColumn *column = &found->columns[i];

		if (!nulls[i])
			namestrcpy(&column->name, TextDatumGetCString(elements[i]));
		column->label = elements[i];
		for (int k = 0; k < desc->natts; k++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, k);

			if (att->attisdropped || nulls[i] ||
				strcmp(NameStr(att->attname), NameStr(column->name)) != 0)
				continue;
			column->attno = k + 1;
			column->type = att->atttypid;
		}
		if (column->attno == 0)
			found->missing = true;
	}
}

/*
 * Is a value of the type the same text under all settings?  What is not known
 * to be is not.  In JSON, unlike in text, dates and times without a zone are.
 */
static bool
is_plain(Oid type)
{
	switch (getBaseType(type))
	{
		case BOOLOID:
		case BPCHAROID:
		case CHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NAMEOID:
		case NUMERICOID:
		case OIDOID:
		case TEXTOID:
		case UUIDOID:
		case VARCHAROID:
			return true;
		case DATEOID:
		case TIMESTAMPOID:
			return type < FirstNormalObjectId;
		default:
			return get_typtype(getBaseType(type)) == TYPTYPE_ENUM;
	}
}

/*
 * How to make JSON of values.  Built-in types become what to_jsonb() makes of
 * them.  Others become strings, by their output functions, since to_jsonb() of
 * them would depend on casts, which come and go.
 */
static void
prepare_json(Watch *watch, WatchColumns *list, bool named)
{
	Oid			function = named ? F_JSONB_BUILD_OBJECT_ANY : F_JSONB_BUILD_ARRAY_ANY;
	List	   *args = NIL;

	list->named = named;
	for (int i = 0; i < list->n; i++)
	{
		WatchColumn *column = &list->columns[i];
		Oid			type = column->type;

		if (!is_plain(type))
			watch->pinned = true;
		if (type >= FirstNormalObjectId)
		{
			Oid			output;
			bool		varlena;

			getTypeOutputInfo(type, &output, &varlena);
			fmgr_info(output, &column->output);
			type = TEXTOID;
		}
		if (named)
			args = lappend(args, makeNullConst(TEXTOID, -1, InvalidOid));
		args = lappend(args, makeNullConst(type, -1, InvalidOid));
	}
	fmgr_info(function, &list->build);
	/* it looks at the types of the arguments, and at nothing else of them */
	fmgr_info_set_expr((Node *) makeFuncExpr(function, JSONBOID, args,
											 InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL),
					   &list->build);
}

static Watch *
make_watch(FmgrInfo *flinfo, const TriggerData *data)
{
	const Trigger *trigger = data->tg_trigger;
	Relation	rel = data->tg_relation;
	bool		for_row = TRIGGER_FIRED_FOR_ROW(data->tg_event);
	MemoryContext context = AllocSetContextCreate(flinfo->fn_mcxt,
												  "xero_fdw watch",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Watch	   *watch = palloc0(sizeof(Watch));

	if (trigger->tgnargs != (for_row ? 4 : 1))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" has other arguments than those of a sync",
						trigger->tgname)));
	watch->context = context;
	watch->trigger = trigger->tgoid;
	watch->relation = RelationGetRelid(rel);
	watch->natts = RelationGetDescr(rel)->natts;
	watch->for_row = for_row;
	watch->engine = xero_engine_of(flinfo->fn_oid);
	watch->sync_id = pg_strtoint32(trigger->tgargs[0]);
	watch->tables = tables_of(rel);
	if (for_row)
	{
		find_columns(RelationGetDescr(rel), trigger->tgargs[1], &watch->key);
		find_columns(RelationGetDescr(rel), trigger->tgargs[2],
					 &watch->watched);
		find_columns(RelationGetDescr(rel), trigger->tgargs[3],
					 &watch->identity);
		if (watch->key.n == 0 || watch->key.n > INDEX_MAX_KEYS)
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("trigger \"%s\" names %d columns as a key",
							trigger->tgname, watch->key.n)));
		if (!watch->key.missing)
			prepare_json(watch, &watch->key, false);
		if (!watch->identity.missing)
			prepare_json(watch, &watch->identity, true);
	}
	MemoryContextSwitchTo(caller);
	return watch;
}

static bool
columns_are_current(TupleDesc desc, const WatchColumns *list)
{
	for (int i = 0; i < list->n; i++)
	{
		const WatchColumn *column = &list->columns[i];
		Form_pg_attribute att;

		if (column->attno == 0)
			continue;
		att = TupleDescAttr(desc, column->attno - 1);
		if (att->attisdropped || att->atttypid != column->type ||
			strcmp(NameStr(att->attname), NameStr(column->name)) != 0)
			return false;
	}
	return true;
}

static bool
is_current(const Watch *watch, const TriggerData *data)
{
	TupleDesc	desc = RelationGetDescr(data->tg_relation);

	return watch->trigger == data->tg_trigger->tgoid &&
		watch->relation == RelationGetRelid(data->tg_relation) &&
		watch->natts == desc->natts &&
		columns_are_current(desc, &watch->key) &&
		columns_are_current(desc, &watch->watched) &&
		columns_are_current(desc, &watch->identity);
}

static const Watch *
get_watch(FmgrInfo *flinfo, const TriggerData *data)
{
	Watch	   *watch = flinfo->fn_extra;

	if (watch != NULL && !is_current(watch, data))
	{
		flinfo->fn_extra = NULL;
		MemoryContextDelete(watch->context);
		watch = NULL;
	}
	if (watch == NULL)
		flinfo->fn_extra = watch = make_watch(flinfo, data);
	return watch;
}

/* Bytes are compared: a type's own notion of equality is others' code. */
static bool
is_same(const TriggerData *data, AttrNumber attno)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(data->tg_relation),
										  attno - 1);
	bool		old_null;
	bool		new_null;
	Datum		old_value = slot_getattr(data->tg_trigslot, attno, &old_null);
	Datum		new_value = slot_getattr(data->tg_newslot, attno, &new_null);

	if (old_null || new_null)
		return old_null && new_null;
	return datum_image_eq(old_value, new_value, att->attbyval, att->attlen);
}

static bool
row_is_same(const TriggerData *data)
{
	TupleDesc	desc = RelationGetDescr(data->tg_relation);

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped && !is_same(data, i + 1))
			return false;
	}
	return true;
}

static bool
columns_are_same(const WatchColumns *list, const TriggerData *data)
{
	for (int i = 0; i < list->n; i++)
	{
		AttrNumber	attno = list->columns[i].attno;

		if (attno != 0 && !is_same(data, attno))
			return false;
	}
	return true;
}

static ArrayType *
changed_columns(const Watch *watch, const TriggerData *data, int *count)
{
	Datum	   *labels = palloc(sizeof(Datum) * Max(watch->watched.n, 1));

	*count = 0;
	for (int i = 0; i < watch->watched.n; i++)
	{
		if (!is_same(data, watch->watched.columns[i].attno))
			labels[(*count)++] = watch->watched.columns[i].label;
	}
	return construct_array(labels, *count, TEXTOID, -1, false, TYPALIGN_INT);
}

static Jsonb *
make_json(const WatchColumns *list, TupleTableSlot *slot)
{
	int			nargs = list->named ? 2 * list->n : list->n;
	FunctionCallInfo call = palloc(SizeForFunctionCallInfo(nargs));
	NullableDatum *arg = call->args;

	InitFunctionCallInfoData(*call, (FmgrInfo *) &list->build, nargs,
							 InvalidOid, NULL, NULL);
	for (int i = 0; i < list->n; i++, arg++)
	{
		WatchColumn *column = &list->columns[i];

		if (list->named)
		{
			arg->value = column->label;
			arg->isnull = false;
			arg++;
		}
		arg->value = slot_getattr(slot, column->attno, &arg->isnull);
		if (column->type < FirstNormalObjectId)
			continue;
		/* where it is no primary key, a null is what format('%s') makes of it */
		arg->value = CStringGetTextDatum(arg->isnull ? "" :
										 OutputFunctionCall(&column->output,
															arg->value));
		arg->isnull = false;
	}
	return DatumGetJsonbP(FunctionCallInvoke(call));
}

/*
 * The keys of a row, before a change if there was another, and after it; and,
 * if wanted, whom it is about.
 */
static void
describe_row(const Watch *watch, TupleTableSlot *old_row, TupleTableSlot *row,
			 bool about, Change *change)
{
	int			nest_level = 0;

	if (watch->pinned)
	{
		nest_level = NewGUCNestLevel();
		for (int i = 0; i < lengthof(pinned_settings); i++)
			(void) set_config_option(pinned_settings[i].name,
									 pinned_settings[i].value, PGC_USERSET,
									 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
									 false);
	}
	change->local_key = make_json(&watch->key, row);
	if (old_row != NULL)
		change->old_key = make_json(&watch->key, old_row);
	if (about && watch->identity.n > 0 && !watch->identity.missing)
		change->said = make_json(&watch->identity, row);
	if (watch->pinned)
		AtEOXact_GUC(false, nest_level);

	/* 1.0 and 1.00 are other bytes, and the same key */
	if (change->old_key != NULL &&
		compareJsonbContainers(&change->old_key->root,
							   &change->local_key->root) == 0)
		change->old_key = NULL;
}

/* False if a sync need not know of it.  Runs as the writer. */
static bool
describe_update(const Watch *watch, const TriggerData *data, Change *change)
{
	bool		same_key;
	int			count;

	if (watch->key.missing || watch->watched.missing)
	{
		change->operation = "compare";
		return !row_is_same(data);
	}
	same_key = columns_are_same(&watch->key, data);
	change->operation = "update";
	change->columns = changed_columns(watch, data, &count);
	if (same_key && count == 0)
		return false;
	describe_row(watch, same_key ? NULL : data->tg_trigslot, data->tg_newslot,
				 !same_key || !columns_are_same(&watch->identity, data), change);
	return count > 0 || change->old_key != NULL;
}

static bool
describe_change(const Watch *watch, const TriggerData *data, Change *change)
{
	if (watch->for_row && TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		return describe_update(watch, data, change);
	if (!watch->for_row)
		change->operation = "truncate";
	else if (watch->key.missing)
		change->operation = "compare";
	else
	{
		bool		deleted = TRIGGER_FIRED_BY_DELETE(data->tg_event);

		change->operation = deleted ? "delete" : "insert";
		change->departed = deleted &&
			HeapTupleHeaderIndicatesMovedPartitions(data->tg_trigtuple->t_data);
		describe_row(watch, NULL, data->tg_trigslot, deleted, change);
	}
	return true;
}

/*
 * Runs as the owner.  The snapshot is the latest one: a transaction may have
 * begun before the sync was created, and its changes belong to the sync as
 * well.
 */
static void
insert(const Watch *watch, const Change *change)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT4OID, TEXTOID, JSONBOID, JSONBOID, JSONBOID,
	TEXTARRAYOID, OIDARRAYOID, BOOLOID};
	Datum		values[] = {
		Int32GetDatum(watch->sync_id),
		CStringGetTextDatum(change->operation),
		JsonbPGetDatum(change->local_key),
		JsonbPGetDatum(change->old_key),
		JsonbPGetDatum(change->said),
		PointerGetDatum(change->columns),
		watch->tables,
		BoolGetDatum(change->departed)
	};
	char		nulls[] = {
		' ',
		' ',
		change->local_key ? ' ' : 'n',
		change->old_key ? ' ' : 'n',
		change->said ? ' ' : 'n',
		change->columns ? ' ' : 'n',
		' ',
		' '
	};

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (plan == NULL)
	{
		/* planned for each change, it would cost more than all the rest */
		SPIPlanPtr	made = SPI_prepare_cursor(insert_change, lengthof(types),
											  types, CURSOR_OPT_GENERIC_PLAN);

		if (made == NULL || SPI_keepplan(made) != 0)
			elog(ERROR, "SPI_prepare_cursor failed: %s",
				 SPI_result_code_string(SPI_result));
		plan = made;
	}
	if (SPI_execute_snapshot(plan, values, nulls, GetLatestSnapshot(),
							 InvalidSnapshot, false, true, 0) != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_snapshot failed");
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

/* SQL: record_change() */
Datum
xero_record_change(PG_FUNCTION_ARGS)
{
	const TriggerData *data = (const TriggerData *) fcinfo->context;
	const Watch *watch;
	Change		change = {0};
	Oid			writer;
	int			sec_context;

	check_call(fcinfo);
	watch = get_watch(fcinfo->flinfo, data);
	if (describe_change(watch, data, &change))
	{
		/* after an ERROR, the end of the (sub)transaction undoes it */
		GetUserIdAndSecContext(&writer, &sec_context);
		SetUserIdAndSecContext(watch->engine, sec_context |
							   SECURITY_LOCAL_USERID_CHANGE);
		insert(watch, &change);
		SetUserIdAndSecContext(writer, sec_context);
	}
	/* what an AFTER trigger returns is not looked at */
	return PointerGetDatum(NULL);
}
