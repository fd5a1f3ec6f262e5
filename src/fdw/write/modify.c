/*-------------------------------------------------------------------------
 *
 * modify.c
 *	  Running INSERT, UPDATE, DELETE and COPY: the executor's callbacks.
 *
 * Rows wait until a request is full.  Those of a batch that the executor has
 * made are sent before it goes on; others at the latest when the statement
 * ends, or each at once if triggers come before that.  With RETURNING each row
 * is sent by itself and read back.
 *
 * Until the statement ends no row is read that it has written itself: a scan
 * of a table that the statement writes to is read to its end first (scan.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "access/table.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*-------------------------------------------------------------------------
 * Beginning and end
 *-------------------------------------------------------------------------
 */

/* Can the column be part of an element? */
static bool
is_member(const XeroModify *state, const XeroTableColumn *column)
{
	if (column->path == NULL || column->from_parent)
		return false;
	return column->known == NULL ||
		(column->known->flags & XERO_COL_WRITABLE) != 0 ||
		(state->object->key != NULL &&
		 strcmp(column->known->name, state->object->key) == 0) ||
		(state->rules->status != NULL &&
		 strcmp(column->known->name, state->rules->status) == 0);
}

/*
 * What is sent whole needs all members that can be written, also those that
 * the table has no column for.
 */
static void
add_absent_members(XeroModify *state)
{
	const XeroObject *object = state->object;

	for (int i = 0; i < object->ncolumns; i++)
	{
		const XeroColumn *known = &object->columns[i];
		int			n = state->nmembers;
		bool		is_key = object->key && strcmp(known->name, object->key) == 0;

		if ((known->flags & XERO_COL_PARENT) ||
			!(is_key || (known->flags & XERO_COL_WRITABLE)) ||
			xero_attribute_of(state->table, known->name) != 0)
			continue;
		state->columns[n].known = known;
		state->members[n].path = known->field;
		state->members[n].type = xero_type_oid(known->type);
		state->members[n].column = known->name;
		state->nmembers++;
	}
}

static void
init_members(XeroModify *state)
{
	XeroTable  *table = state->table;
	int			max = table->natts + state->object->ncolumns;

	state->columns = palloc0(sizeof(XeroWritten) * max);
	state->members = palloc0(sizeof(XeroMember) * max);
	state->set = palloc0(sizeof(bool) * max);
	state->key_member = -1;
	state->status_member = -1;
	for (int i = 0; i < table->natts; i++)
	{
		const XeroTableColumn *column = &table->columns[i];
		Form_pg_attribute att = TupleDescAttr(state->desc, i);
		int			n = state->nmembers;

		if (!is_member(state, column))
			continue;
		state->columns[n].attno = i + 1;
		state->columns[n].known = column->known;
		state->members[n].path = column->known ? column->known->field : column->path;
		state->members[n].type = att->atttypid;
		state->members[n].column = pstrdup(NameStr(att->attname));
		if (column->known != NULL)
		{
			if (state->object->key &&
				strcmp(column->known->name, state->object->key) == 0)
				state->key_member = n;
			if (state->rules->status != NULL &&
				strcmp(column->known->name, state->rules->status) == 0)
				state->status_member = n;
		}
		state->nmembers++;
	}
	if (state->rules->place == XERO_PLACE_INSIDE)
		add_absent_members(state);
	state->texts = palloc0(sizeof(char *) * max);
	state->writer = xero_writer_create(CurrentMemoryContext, table->name,
									   state->members, state->nmembers);
}

void
xero_modify_read_back(XeroModify *state)
{
	state->nfields = xero_table_fields(state->table, state->desc,
									   &state->fields, &state->field_attnos);
	state->reader = xero_reader_create(CurrentMemoryContext, state->table->name,
									   xero_write_wrapper(state->object),
									   state->lines ? state->object->array : NULL,
									   state->fields, state->nfields, -1);
	state->values = palloc(sizeof(Datum) * Max(state->nfields, 1));
	state->nulls = palloc(sizeof(bool) * Max(state->nfields, 1));
}

/* Where the plan's rows have old values. */
static void
init_junk(XeroModify *state, Plan *subplan)
{
	state->junk = palloc0(sizeof(AttrNumber) * Max(state->table->natts, 1));
	for (int i = 0; i < state->table->natts; i++)
		state->junk[i] = ExecFindJunkAttributeInTlist(subplan->targetlist,
													  xero_junk_name(state->table->relid, i + 1));
	if (state->operation == CMD_UPDATE)
		state->whole_row = ExecFindJunkAttributeInTlist(subplan->targetlist,
														"wholerow");
}

XeroModify *
xero_modify_begin(Relation rel, Oid userid, CmdType operation, bool returning)
{
	XeroModify *state = palloc0(sizeof(XeroModify));

	state->table = xero_get_table(rel);
	state->object = state->table->object;
	state->rules = state->object->writes;
	state->operation = operation;
	state->desc = CreateTupleDescCopy(RelationGetDescr(rel));
	state->server = xero_get_server(state->table->serverid, userid);
	state->batch = xero_write_batch(state->table, operation, returning);
	for (int i = 0; i < state->table->natts; i++)
	{
		if (state->table->columns[i].is_tenant)
			state->tenant_attno = i + 1;
	}
	if (state->object->parent != NULL)
		state->holder_attno = xero_attribute_of(state->table,
												state->object->parent->key);
	state->identity = xero_identity_attributes(state->table);
	init_members(state);
	if (state->rules->place == XERO_PLACE_INSIDE)
	{
		state->lines = xero_lines_create(state);
		state->reach = xero_lines_reach(state->table);
	}
	state->answer = xero_answer_create(CurrentMemoryContext,
									   state->table->name,
									   xero_written_object(state->object));
	initStringInfo(&state->names);
	state->answer_cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "Xero answer to a write",
											  ALLOCSET_DEFAULT_SIZES);
	return state;
}

/*
 * Are there triggers that may look for what the statement has written?  They
 * fire before it ends, those of the parent that it names, too.
 */
static bool
has_statement_trigger(const ModifyTableState *mtstate,
					  const ResultRelInfo *rri)
{
	const ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;
	CmdType		operation = plan ? plan->operation : CMD_INSERT;

	for (; rri != NULL; rri = rri->ri_RootResultRelInfo)
	{
		const TriggerDesc *triggers = rri->ri_TrigDesc;

		if (triggers == NULL)
			continue;
		if ((triggers->trig_insert_after_statement &&
			 (operation == CMD_INSERT || operation == CMD_MERGE)) ||
			(triggers->trig_update_after_statement &&
			 (operation == CMD_UPDATE || operation == CMD_MERGE)) ||
			(triggers->trig_delete_after_statement &&
			 (operation == CMD_DELETE || operation == CMD_MERGE)))
			return true;
	}
	return false;
}

/* "subplan" is NULL for INSERT, "set_columns" NIL for all but UPDATE. */
static XeroModify *
begin_statement(ModifyTableState *mtstate, ResultRelInfo *rri,
				CmdType operation, List *set_columns, bool returning,
				Plan *subplan)
{
	EState	   *estate = mtstate->ps.state;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	XeroModify *state = xero_modify_begin(rri->ri_RelationDesc,
										  xero_modify_user(rri, estate),
										  operation, returning);

	state->at_once = has_statement_trigger(mtstate, rri);
	for (int i = 0; i < state->nmembers; i++)
		state->set[i] = list_member_int(set_columns, state->columns[i].attno);
	if (subplan != NULL)
	{
		init_junk(state, subplan);
		state->joined = !IsA(subplan, ForeignScan);
	}
	if (returning && operation != CMD_DELETE)
		xero_modify_read_back(state);
	MemoryContextSwitchTo(old);
	return state;
}

void
xeroBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
					   List *fdw_private, int subplan_index, int eflags)
{
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	rri->ri_FdwState =
		begin_statement(mtstate, rri, mtstate->operation,
						list_nth(fdw_private, XERO_MODIFY_COLUMNS),
						boolVal(list_nth(fdw_private, XERO_MODIFY_RETURNING)),
						mtstate->operation == CMD_INSERT ? NULL :
						outerPlanState(mtstate)->plan);
}

/* COPY, and rows of a partitioned table. */
void
xeroBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rri)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;
	TriggerDesc *triggers = rri->ri_TrigDesc;
	bool		returning;

	if (plan && plan->operation == CMD_UPDATE && rri->ri_FdwState)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot move rows into foreign table \"%s\", which the statement updates",
						RelationGetRelationName(rri->ri_RelationDesc))));
	if (plan && plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT is not supported by foreign table \"%s\"",
						RelationGetRelationName(rri->ri_RelationDesc))));
	returning = (plan && (plan->returningLists != NIL ||
						  plan->withCheckOptionLists != NIL)) ||
		(triggers && (triggers->trig_insert_before_row ||
					  triggers->trig_insert_after_row));
	rri->ri_FdwState = begin_statement(mtstate, rri, CMD_INSERT, NIL,
									   returning, NULL);
}

void
xero_modify_end(XeroModify *state)
{
	if (state == NULL)
		return;					/* EXPLAIN without ANALYZE */
	xero_send_pending(state);
	if (state->progress)
		xero_progress_end(state->progress);
	if (state->failed > 0)
		ereport(WARNING,
				(errmsg_plural("%lld row of foreign table \"%s\" was refused",
							   "%lld rows of foreign table \"%s\" were refused",
							   (unsigned long) state->failed,
							   (long long) state->failed, state->table->name),
				 errhint("The view xero_fdw.write_errors shows them.")));
	state->failed = 0;
	state->progress = NULL;
}

void
xeroEndForeignModify(EState *estate, ResultRelInfo *rri)
{
	xero_modify_end(rri->ri_FdwState);
}

void
xeroEndForeignInsert(EState *estate, ResultRelInfo *rri)
{
	xero_modify_end(rri->ri_FdwState);
}

int
xeroGetForeignModifyBatchSize(ResultRelInfo *rri)
{
	XeroModify *state = rri->ri_FdwState;

	if (state != NULL)
		return state->batch;
	return xero_write_batch(xero_get_table(rri->ri_RelationDesc), CMD_INSERT,
							rri->ri_projectReturning != NULL ||
							rri->ri_WithCheckOptions != NIL);
}

/*-------------------------------------------------------------------------
 * Rows
 *-------------------------------------------------------------------------
 */

/* Queue it in the per-tuple context; true if it was not refused. */
static bool
queue_row(XeroModify *state, XeroPendingRow *row, TupleTableSlot *slot)
{
	int64		failed = state->failed;

	if (row == NULL)
		return false;
	xero_queue_row(state, row, state->batch == 1 ? slot : NULL);
	if (state->at_once)
		xero_send_pending(state);

	/* of rows that were collected, others may have failed */
	return (state->batch > 1 && !state->at_once) || state->failed == failed;
}

TupleTableSlot *
xeroExecForeignInsert(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
					  TupleTableSlot *planSlot)
{
	XeroModify *state = rri->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	bool		stored = queue_row(state, xero_encode_insert(state, slot),
								   slot);

	MemoryContextSwitchTo(old);
	return stored ? slot : NULL;
}

TupleTableSlot **
xeroExecForeignBatchInsert(EState *estate, ResultRelInfo *rri,
						   TupleTableSlot **slots, TupleTableSlot **planSlots,
						   int *numSlots)
{
	XeroModify *state = rri->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	int			stored = 0;

	state->refused = palloc0(sizeof(bool) * *numSlots);
	for (int i = 0; i < *numSlots; i++)
	{
		XeroPendingRow *row = xero_encode_insert(state, slots[i]);

		CHECK_FOR_INTERRUPTS();
		if (row == NULL)
			state->refused[i] = true;
		else
		{
			row->number = i;
			xero_queue_row(state, row, NULL);
		}
	}
	xero_send_pending(state);
	for (int i = 0; i < *numSlots; i++)
	{
		if (!state->refused[i])
		{
			/* the executor frees all of them, so none may be lost */
			TupleTableSlot *slot = slots[stored];

			slots[stored++] = slots[i];
			slots[i] = slot;
		}
	}
	state->refused = NULL;
	*numSlots = stored;
	MemoryContextSwitchTo(old);
	return slots;
}

TupleTableSlot *
xeroExecForeignUpdate(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
					  TupleTableSlot *planSlot)
{
	XeroModify *state = rri->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	bool		stored = queue_row(state,
								   xero_encode_update(state, slot, planSlot),
								   slot);

	MemoryContextSwitchTo(old);
	return stored ? slot : NULL;
}

/* RETURNING shows a deleted row as it was. */
static void
fill_deleted(XeroModify *state, TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	ExecClearTuple(slot);
	for (int i = 0; i < state->table->natts; i++)
	{
		slot->tts_isnull[i] = true;
		slot->tts_values[i] = (Datum) 0;
		if (state->junk[i] != 0)
			slot->tts_values[i] = ExecGetJunkAttribute(planSlot,
													   state->junk[i],
													   &slot->tts_isnull[i]);
	}
	ExecStoreVirtualTuple(slot);
}

TupleTableSlot *
xeroExecForeignDelete(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
					  TupleTableSlot *planSlot)
{
	XeroModify *state = rri->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	bool		stored = queue_row(state, xero_encode_delete(state, planSlot),
								   NULL);

	MemoryContextSwitchTo(old);
	if (!stored)
		return NULL;
	fill_deleted(state, slot, planSlot);
	return slot;
}

/*-------------------------------------------------------------------------
 * EXPLAIN
 *-------------------------------------------------------------------------
 */

void
xeroExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
						 List *fdw_private, int subplan_index,
						 ExplainState *es)
{
	XeroModify *state = rri->ri_FdwState;
	XeroTable  *table = xero_get_table(rri->ri_RelationDesc);
	bool		returning = boolVal(list_nth(fdw_private, XERO_MODIFY_RETURNING));
	int			batch = state ? state->batch :
	xero_write_batch(table, mtstate->operation, returning);
	bool		inside = xero_written_object(table->object) != table->object;
	int			elements = inside ? xero_lines_reach(table) : batch;
	char	   *query = xero_write_query(table, mtstate->operation, elements);

	if (inside)
	{
		char	   *read_query;
		char	   *path = xero_lines_request(table, NIL, &read_query);

		ExplainPropertyText("Xero Read",
							psprintf("GET %s%s%s", path,
									 *read_query ? "?" : "", read_query),
							es);
	}
	ExplainPropertyText("Xero Request",
						psprintf("%s %s%s%s",
								 xero_write_method(table, mtstate->operation, elements),
								 xero_write_path(table, mtstate->operation, elements,
												 NULL, NULL),
								 *query ? "?" : "", query),
						es);
	ExplainPropertyInteger("Xero Batch", NULL, batch, es);
	if (!es->analyze || state == NULL)
		return;

	xero_send_pending(state);
	ExplainPropertyInteger("Xero Actual Calls", NULL, state->stats.calls, es);
	ExplainPropertyInteger("Xero Rows Written", NULL, state->done, es);
	ExplainPropertyInteger("Xero Bytes Sent", NULL, state->stats.bytes_out, es);
	ExplainPropertyInteger("Xero Retries", NULL, state->stats.retries, es);
	if (es->timing)
		ExplainPropertyFloat("Xero Budget Wait", "ms", state->stats.waited_ms,
							 3, es);
}
