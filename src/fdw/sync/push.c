/*-------------------------------------------------------------------------
 *
 * push.c
 *	  Rows as JSON -> one request that writes them -> what became of each.
 *
 * The sync procedures note what they will send before they send it, and must
 * be able to send it again, byte for byte, after a crash.  So rows come as
 * jsonb, the idempotency key from outside, and the request is a function of
 * the rows alone.  A row that is at fault does not hinder the others: what a
 * statement would raise is told of it instead.
 *
 * A pushed row is its own old row: the columns that UPDATE and DELETE take
 * from the plan (the record's key, its status, columns that go along with each
 * change) are taken from the same object as those that are set.
 *
 * Everything lives in one memory context; what Xero has stored before an error
 * is kept in mind as for any other write (send.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/gate.h"
#include "fdw/sync/sync.h"
#include "fdw/write/modify.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "base/subxact.h"
#include "base/text.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

typedef struct Push
{
	XeroRowSink sink;
	XeroModify *state;
	Relation	rel;
	List	   *needed;			/* IntList: attributes that each row has */
	int			nrows;
	int			number;			/* of the present row, from 0 */
	Jsonb	  **rows;
	Bitmapset **present;		/* by row: attributes it has */
	XeroOutcome *outcomes;		/* by row */
	Jsonb	  **records;		/* by row: what Xero stored, or NULL */
	List	   *encoded;		/* XeroPendingRow: what is sent */
	const XeroPendingRow *sent; /* the one that is read back */
	TupleTableSlot *slot;
	FmgrInfo	populate;		/* jsonb_populate_record of a row */
	FmgrInfo	to_json;		/* to_jsonb of a row */
} Push;

PG_FUNCTION_INFO_V1(xero_push);

/*-------------------------------------------------------------------------
 * Rows
 *-------------------------------------------------------------------------
 */

/* A function of any type, for rows of the table. */
static void
init_function(FmgrInfo *flinfo, Oid function, Oid row_type, Oid result,
			  List *more)
{
	List	   *args = lcons(makeNullConst(row_type, -1, InvalidOid), more);

	fmgr_info(function, flinfo);
	fmgr_info_set_expr((Node *) makeFuncExpr(function, result, args,
											 InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL),
					   flinfo);
}

/* The attribute that a member of a row's object names. */
static AttrNumber
find_attribute(const Push *push, const char *name)
{
	TupleDesc	desc = push->state->spec.desc;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return i + 1;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of foreign table \"%s\" does not exist",
					name, push->state->spec.table->name)));
}

static Bitmapset *
present_attributes(const Push *push, Jsonb *row)
{
	JsonbIterator *it = JsonbIteratorInit(&row->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	Bitmapset  *present = NULL;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			present = bms_add_member(present,
									 find_attribute(push,
													pnstrdup(value.val.string.val,
															 value.val.string.len)));
	}
	return present;
}

/* Take the array apart. */
static void
split_rows(Push *push, Jsonb *rows)
{
	int			batch = push->state->spec.batch;
	int			count = JB_ROOT_COUNT(rows);

	if (!JB_ROOT_IS_ARRAY(rows) || JB_ROOT_IS_SCALAR(rows))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows must be a JSON array")));
	if (count > batch)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d rows are more than one request to write foreign table \"%s\" holds",
						count, push->state->spec.table->name),
				 errhint("It holds %d.", batch)));
	push->nrows = count;
	push->rows = palloc(sizeof(Jsonb *) * Max(count, 1));
	push->present = palloc(sizeof(Bitmapset *) * Max(count, 1));
	push->records = palloc0(sizeof(Jsonb *) * Max(count, 1));
	push->outcomes = palloc0(sizeof(XeroOutcome) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		JsonbValue *row = getIthJsonbValueFromContainer(&rows->root, i);

		push->rows[i] = JsonbValueToJsonb(row);
		if (!JB_ROOT_IS_OBJECT(push->rows[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("row %d is not a JSON object", i + 1)));
		push->present[i] = present_attributes(push, push->rows[i]);
	}
}

/* The row as the table has it, into the slot. */
static void
fill_slot(Push *push, int number)
{
	LOCAL_FCINFO(fcinfo, 2);
	TupleDesc	desc = push->state->spec.desc;
	HeapTupleHeader header;
	HeapTupleData tuple;

	InitFunctionCallInfoData(*fcinfo, &push->populate, 2, InvalidOid, NULL,
							 NULL);
	fcinfo->args[0].value = (Datum) 0;
	fcinfo->args[0].isnull = true;
	fcinfo->args[1].value = JsonbPGetDatum(push->rows[number]);
	fcinfo->args[1].isnull = false;
	header = DatumGetHeapTupleHeader(FunctionCallInvoke(fcinfo));

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	ExecClearTuple(push->slot);
	heap_deform_tuple(&tuple, desc, push->slot->tts_values,
					  push->slot->tts_isnull);
	ExecStoreVirtualTuple(push->slot);
}

/*-------------------------------------------------------------------------
 * Checks
 *-------------------------------------------------------------------------
 */

static AclMode
privilege_of(CmdType operation)
{
	switch (operation)
	{
		case CMD_INSERT:
			return ACL_INSERT;
		case CMD_UPDATE:
			return ACL_UPDATE;
		default:
			return ACL_DELETE;
	}
}

/* May the user write these attributes?  As the executor checks it. */
static bool
may_write(Oid relid, AclMode privilege, const Bitmapset *attributes)
{
	int			attno = -1;

	if (pg_class_aclcheck(relid, GetUserId(), privilege) == ACLCHECK_OK)
		return true;
	if (privilege == ACL_DELETE || bms_is_empty(attributes))
		return false;
	while ((attno = bms_next_member(attributes, attno)) >= 0)
	{
		if (pg_attribute_aclcheck(relid, attno, GetUserId(),
								  privilege) != ACLCHECK_OK)
			return false;
	}
	return true;
}

/* The record that is shown takes the right to read as well. */
static void
check_privileges(const Push *push)
{
	Bitmapset  *written = NULL;
	ListCell   *lc;

	for (int i = 0; i < push->nrows; i++)
		written = bms_add_members(written, push->present[i]);
	foreach(lc, push->needed)
		written = bms_del_member(written, lfirst_int(lc));
	if (push->state->spec.operation == CMD_UPDATE)
		written = bms_del_member(written, push->state->spec.tenant_attno);
	if (!may_write(RelationGetRelid(push->rel),
				   privilege_of(push->state->spec.operation), written))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE,
					   RelationGetRelationName(push->rel));
	xero_check_select(push->rel);
}

static void
check_pushable(Relation rel, CmdType operation)
{
	XeroTable  *table = xero_get_table(rel);

	xero_check_operation(table, operation);
	if (table->object->parent != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rows of foreign table \"%s\" cannot be pushed",
						table->name),
				 errdetail("They are parts of other records.")));
}

/* Is what UPDATE and DELETE take from the record there? */
static bool
check_needed(Push *push, int number)
{
	XeroModify *state = push->state;
	ListCell   *lc;

	foreach(lc, push->needed)
	{
		AttrNumber	attno = lfirst_int(lc);
		bool		missing = !bms_is_member(attno, push->present[number]);

		if (attno == state->encoder.columns[state->encoder.key_member].attno)
			missing = missing || push->slot->tts_isnull[attno - 1];
		if (!missing)
			continue;
		xero_refuse_row(state, ERRCODE_NOT_NULL_VIOLATION, "",
						psprintf("row lacks column \"%s\"",
								 NameStr(TupleDescAttr(state->spec.desc,
													   attno - 1)->attname)),
						NULL);
		return false;
	}
	return true;
}

/*
 * Settle which columns of the row UPDATE sets; false if one of them cannot be
 * set.  One that goes along anyway and is null stays out of the request.
 */
static bool
choose_set(Push *push, int number)
{
	XeroModify *state = push->state;
	Bitmapset  *set = bms_copy(push->present[number]);
	int			attno = -1;
	ListCell   *lc;

	foreach(lc, push->needed)
	{
		attno = lfirst_int(lc);
		if (attno == state->encoder.columns[state->encoder.key_member].attno ||
			push->slot->tts_isnull[attno - 1])
			set = bms_del_member(set, attno);
	}
	for (int i = 0; i < state->encoder.nmembers; i++)
		state->encoder.set[i] = bms_is_member(state->encoder.columns[i].attno, set);
	attno = -1;
	while ((attno = bms_next_member(set, attno)) >= 0)
	{
		const XeroTableColumn *column = &state->spec.table->columns[attno - 1];

		if (column->known == NULL ||
			(column->known->flags & XERO_COL_WRITABLE) ||
			list_member_int(push->needed, attno))
			continue;
		xero_refuse_row(state, ERRCODE_GENERATED_ALWAYS, "",
						psprintf("column \"%s\" cannot be set",
								 NameStr(TupleDescAttr(state->spec.desc,
													   attno - 1)->attname)),
						"Xero sets it itself.");
		return false;
	}
	return true;
}

/*-------------------------------------------------------------------------
 * Steps that a row's data can make fail
 *-------------------------------------------------------------------------
 */

/*
 * Do one step for a row.  An error of its data, and no other, is returned.
 * Input functions may do anything, so it takes a subtransaction.
 */
static ErrorData *
try_step(void (*step) (void *push), Push *push, int number)
{
	ErrorData  *error;

	push->number = number;
	error = xero_try(step, push);
	if (error != NULL)
	{
		int			class = ERRCODE_TO_CATEGORY(error->sqlerrcode);

		if (class != ERRCODE_DATA_EXCEPTION &&
			class != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION &&
			class != ERRCODE_FDW_ERROR)
			ReThrowError(error);
	}
	return error;
}

/* Encode a row, unless a check of ours refuses it. */
static void
encode(void *arg)
{
	Push	   *push = arg;
	int			number = push->number;
	XeroModify *state = push->state;
	XeroPendingRow *row = NULL;

	state->present.number = number;
	fill_slot(push, number);
	if (!check_needed(push, number) ||
		(state->spec.operation == CMD_UPDATE && !choose_set(push, number)))
		return;
	if (state->spec.operation == CMD_INSERT)
		row = xero_encode_insert(state, push->slot);
	else if (state->spec.operation == CMD_UPDATE)
		row = xero_encode_update(state, push->slot, push->slot);
	else
		row = xero_encode_delete(state, push->slot);
	if (row != NULL)
		push->encoded = lappend(push->encoded, row);
}

/* What Xero shows of the row. */
static void
read_record(void *arg)
{
	Push	   *push = arg;
	Datum		record;

	xero_read_record(push->state, push->sent,
					 &push->outcomes[push->number], push->slot);
	record = ExecFetchSlotHeapTupleDatum(push->slot);
	push->records[push->number] = DatumGetJsonbP(FunctionCall1(&push->to_json,
															   record));
}

/*-------------------------------------------------------------------------
 * What became of the rows
 *-------------------------------------------------------------------------
 */

static void
take_outcome(XeroRowSink *sink, XeroModify *state, const XeroPendingRow *row,
			 const XeroOutcome *outcome)
{
	((Push *) sink)->outcomes[row->number] = *outcome;
}

static void
take_errors(XeroRowSink *sink, XeroModify *state, List *errors)
{
	ListCell   *lc;

	foreach(lc, errors)
	{
		const XeroRowError *error = lfirst(lc);

		((Push *) sink)->outcomes[error->number] = error->outcome;
	}
}

/*-------------------------------------------------------------------------
 * The whole
 *-------------------------------------------------------------------------
 */

static Push *
begin_push(Relation rel, CmdType operation, Jsonb *rows)
{
	Push	   *push = palloc0(sizeof(Push));
	Oid			row_type = rel->rd_rel->reltype;
	XeroModify *state;
	const XeroModifySpec *spec;
	ListCell   *lc;

	check_pushable(rel, operation);
	push->sink.stored = take_outcome;
	push->sink.refused = take_errors;
	state = xero_modify_begin(rel, GetUserId(), operation, false, &push->sink);
	spec = &state->spec;
	push->state = state;
	push->rel = rel;
	foreach(lc, xero_needed_columns(spec->table, operation))
		push->needed = lappend_int(push->needed,
								   xero_needed_attribute(spec->table,
														 lfirst(lc)));
	split_rows(push, rows);
	check_privileges(push);

	state->old.junk = palloc(sizeof(AttrNumber) * Max(spec->desc->natts, 1));
	for (int i = 0; i < spec->desc->natts; i++)
		state->old.junk[i] = i + 1;
	xero_modify_read_back(state);
	push->slot = MakeSingleTupleTableSlot(spec->desc, &TTSOpsVirtual);
	init_function(&push->populate, F_JSONB_POPULATE_RECORD, row_type, row_type,
				  list_make1(makeNullConst(JSONBOID, -1, InvalidOid)));
	init_function(&push->to_json, F_TO_JSONB, row_type, JSONBOID, NIL);
	return push;
}

static void
encode_rows(Push *push)
{
	for (int i = 0; i < push->nrows; i++)
	{
		XeroOutcome *outcome = &push->outcomes[i];
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		error = try_step(encode, push, i);
		if (error == NULL)
			continue;
		outcome->sqlerrcode = error->sqlerrcode;
		outcome->messages = list_make1(error->message);
		if (error->detail != NULL)
			outcome->messages = lappend(outcome->messages, error->detail);
	}
}

/*
 * What Xero shows of the rows that it stored.  A record that does not fit the
 * table is no reason to say otherwise.
 */
static void
read_records(Push *push)
{
	ListCell   *lc;

	foreach(lc, push->encoded)
	{
		int			number;
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		push->sent = lfirst(lc);
		number = push->sent->number;
		if (push->outcomes[number].record == NULL)
			continue;
		error = try_step(read_record, push, number);
		if (error != NULL)
			ereport(WARNING,
					(errcode(error->sqlerrcode),
					 errmsg("a record that was written cannot be read: %s",
							error->message),
					 error->detail ? errdetail_internal("%s", error->detail) : 0));
	}
}

static void
return_rows(const Push *push, ReturnSetInfo *rsinfo)
{
	for (int i = 0; i < push->nrows; i++)
	{
		const XeroOutcome *outcome = &push->outcomes[i];
		Datum		values[7] = {0};
		bool		nulls[7] = {0};

		values[0] = Int32GetDatum(i + 1);
		values[1] = BoolGetDatum(outcome->stored);
		nulls[2] = outcome->key == NULL;
		if (!nulls[2])
			values[2] = CStringGetTextDatum(outcome->key);
		nulls[3] = nulls[4] = outcome->stored;
		if (!outcome->stored)
		{
			values[3] = CStringGetTextDatum(unpack_sql_state(outcome->sqlerrcode));
			values[4] = CStringGetTextDatum(xero_join_messages(outcome->messages, "; "));
		}
		nulls[5] = push->records[i] == NULL;
		if (!nulls[5])
			values[5] = JsonbPGetDatum(push->records[i]);
		values[6] = BoolGetDatum(outcome->together);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
}

/* It becomes a header, so it must be plain. */
static char *
check_key(char *key)
{
	if (!xero_is_graphic(key) || strlen(key) > XERO_MAX_KEY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid idempotency key"),
				 errdetail("It has 1 to %d printable ASCII characters, and no blanks.",
						   XERO_MAX_KEY)));
	return key;
}

/* ms since then, -1 for null */
static double
age_of(FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		return -1;
	return Max(0.0, (GetCurrentTimestamp() - PG_GETARG_TIMESTAMPTZ(arg)) / 1000.0);
}

/* SQL: _push(relation, operation, rows, idempotency_key, first_sent) */
Datum
xero_push(PG_FUNCTION_ARGS)
{
	MemoryContext cxt;
	MemoryContext old;
	XeroIdentity engine;
	Relation	rel;
	Push	   *push;

	for (int i = 0; i < 4; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("relation, operation, rows and idempotency_key must not be null")));
	}
	PreventCommandIfReadOnly("xero_fdw._push()");
	if (xero_write_is_dry_run())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot push rows to Xero while xero_fdw.dry_run is on")));
	InitMaterializedSRF(fcinfo, 0);
	cxt = AllocSetContextCreate(CurrentMemoryContext, "Xero push",
								ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	xero_door_enter(NULL, &engine);

	rel = xero_open_table(PG_GETARG_OID(0), RowExclusiveLock);
	push = begin_push(rel,
					  xero_parse_operation(text_to_cstring(PG_GETARG_TEXT_PP(1))),
					  PG_GETARG_JSONB_P(2));
	push->state->spec.key = check_key(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	push->state->spec.key_age = age_of(fcinfo, 4);
	xero_make_queues(push->state);
	encode_rows(push);
	xero_send_together(push->state, push->encoded);
	read_records(push);
	return_rows(push, (ReturnSetInfo *) fcinfo->resultinfo);
	xero_modify_end(push->state);
	relation_close(rel, NoLock);

	xero_door_leave(&engine);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
	return (Datum) 0;
}
