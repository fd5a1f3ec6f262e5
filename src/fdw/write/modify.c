/*-------------------------------------------------------------------------
 *
 * modify.c
 *	  Running INSERT, UPDATE, DELETE and COPY: the executor's callbacks.
 *
 * Rows wait until a request is full.  Those of a batch that the executor has
 * made are sent before it goes on; others at the latest when the statement
 * ends, or each at once if triggers come before that.  Where the executor looks at
 * what Xero stored of each row, as triggers do, each is sent by itself and
 * read back.  RETURNING alone does not need that (direct.c).
 *
 * Until the statement ends no row is read that it has written itself: a scan
 * of a table that the statement writes to is read to its end first (scan.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "access/table.h"
#include "commands/trigger.h"
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
	const XeroModifySpec *spec = &state->spec;

	if (column->path == NULL || column->from_parent)
		return false;
	return column->known == NULL ||
		(column->known->flags & XERO_COL_WRITABLE) != 0 ||
		(spec->object->key != NULL &&
		 strcmp(column->known->name, spec->object->key) == 0) ||
		(spec->rules->status != NULL &&
		 strcmp(column->known->name, spec->rules->status) == 0);
}

/* The member of that path, in any casing; the next one if there is none. */
static int
first_member(const XeroEncoder *encoder, const char *path)
{
	for (int i = 0; i < encoder->nmembers; i++)
	{
		if (pg_strcasecmp(encoder->members[i].path, path) == 0)
			return i;
	}
	return encoder->nmembers;
}

/*
 * What is sent whole needs all members that can be written, also those that
 * the table has no column for.
 */
static void
add_absent_members(XeroModify *state)
{
	XeroEncoder *encoder = &state->encoder;
	const XeroObject *object = state->spec.object;

	for (int i = 0; i < object->ncolumns; i++)
	{
		const XeroColumn *known = &object->columns[i];
		int			n = encoder->nmembers;
		bool		is_key = object->key && strcmp(known->name, object->key) == 0;

		if ((known->flags & XERO_COL_PARENT) ||
			!(is_key || (known->flags & XERO_COL_WRITABLE)) ||
			xero_attribute_of(state->spec.table, known->name) != 0)
			continue;
		encoder->columns[n].known = known;
		encoder->first[n] = n;
		encoder->members[n].path = known->field;
		encoder->members[n].type = xero_type_oid(known->type);
		encoder->members[n].column = known->name;
		encoder->nmembers++;
	}
}

static void
init_members(XeroModify *state)
{
	XeroEncoder *encoder = &state->encoder;
	const XeroModifySpec *spec = &state->spec;
	XeroTable  *table = spec->table;
	int			max = table->natts + spec->object->ncolumns;

	encoder->columns = palloc0(sizeof(XeroWriteColumn) * max);
	encoder->members = palloc0(sizeof(XeroMember) * max);
	encoder->first = palloc0(sizeof(int) * max);
	encoder->set = palloc0(sizeof(bool) * max);
	encoder->key_member = -1;
	encoder->status_member = -1;
	for (int i = 0; i < table->natts; i++)
	{
		const XeroTableColumn *column = &table->columns[i];
		Form_pg_attribute att = TupleDescAttr(spec->desc, i);
		int			n = encoder->nmembers;

		if (!is_member(state, column))
			continue;
		encoder->columns[n].attno = i + 1;
		encoder->columns[n].known = column->known;
		encoder->members[n].path = column->known ? column->known->field : column->path;
		encoder->members[n].type = att->atttypid;
		encoder->members[n].column = pstrdup(NameStr(att->attname));
		encoder->first[n] = first_member(encoder, encoder->members[n].path);
		if (column->known != NULL && encoder->first[n] == n)
		{
			if (spec->object->key &&
				strcmp(column->known->name, spec->object->key) == 0)
				encoder->key_member = n;
			if (spec->rules->status != NULL &&
				strcmp(column->known->name, spec->rules->status) == 0)
				encoder->status_member = n;
		}
		encoder->nmembers++;
	}
	if (spec->rules->place == XERO_PLACE_INSIDE)
		add_absent_members(state);
	encoder->texts = palloc0(sizeof(char *) * max);
	encoder->writer = xero_writer_create(CurrentMemoryContext, table->name,
										 encoder->members, encoder->nmembers);
}

/* Where the plan's rows have old values. */
static void
init_junk(XeroModify *state, Plan *subplan)
{
	const XeroModifySpec *spec = &state->spec;
	XeroOldRows *old = &state->old;

	old->junk = palloc0(sizeof(AttrNumber) * Max(spec->table->natts, 1));
	for (int i = 0; i < spec->table->natts; i++)
		old->junk[i] = ExecFindJunkAttributeInTlist(subplan->targetlist,
													xero_junk_name(spec->table->relid, i + 1));
	if (spec->operation == CMD_UPDATE)
		old->whole_row = ExecFindJunkAttributeInTlist(subplan->targetlist,
													  "wholerow");
}

static void
init_spec(XeroModifySpec *spec, Relation rel, Oid userid, CmdType operation,
		  bool singly)
{
	spec->table = xero_get_table(rel);
	xero_check_updatable(spec->table, operation, userid);
	spec->object = spec->table->object;
	spec->rules = spec->object->writes;
	spec->operation = operation;
	spec->statement = operation;
	spec->desc = CreateTupleDescCopy(RelationGetDescr(rel));
	spec->server = xero_get_server(spec->table->serverid, userid);
	spec->batch = xero_write_batch(spec->table, operation, singly);
	for (int i = 0; i < spec->table->natts; i++)
	{
		if (spec->table->columns[i].is_tenant)
			spec->tenant_attno = i + 1;
	}
	if (spec->object->parent != NULL)
		spec->parent_attno = xero_attribute_of(spec->table,
											   spec->object->parent->key);
	spec->identity = xero_identity_attributes(spec->table);
	if (spec->rules->place == XERO_PLACE_INSIDE)
		spec->parent_batch = xero_parent_batch(spec->table);
}

XeroModify *
xero_modify_begin(Relation rel, Oid userid, CmdType operation, bool singly,
				  XeroRowSink *sink)
{
	XeroModify *state = palloc0(sizeof(XeroModify));
	const XeroModifySpec *spec = &state->spec;

	init_spec(&state->spec, rel, userid, operation, singly);
	init_members(state);
	if (spec->rules->place == XERO_PLACE_INSIDE)
		state->child_rows = xero_child_rows_create(state);
	state->sink = sink;
	state->answer_cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "Xero answer to a write",
											  ALLOCSET_DEFAULT_SIZES);
	state->answer = xero_answer_create(CurrentMemoryContext, spec->table->name,
									   xero_written_object(spec->object));
	initStringInfo(&state->tally.names);
	state->tally.stats.table = spec->table->name;
	return state;
}

/* A statement's operation; COPY has no plan. */
static CmdType
statement_of(const ModifyTableState *mtstate)
{
	const ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;

	return plan ? plan->operation : CMD_INSERT;
}

/* Does a trigger want the rows that are written in a transition table? */
static bool
captures_rows(const ModifyTableState *mtstate, CmdType operation)
{
	const TransitionCaptureState *capture = mtstate->mt_transition_capture;

	if (capture == NULL)
		return false;
	switch (operation)
	{
		case CMD_INSERT:
			return capture->tcs_insert_new_table ||
				capture->tcs_update_new_table;
		case CMD_UPDATE:
			return capture->tcs_update_old_table ||
				capture->tcs_update_new_table;
		default:
			return capture->tcs_delete_old_table;
	}
}

/*
 * Are there triggers that may look for what the statement has written?  They
 * fire before it ends, those of the parent that it names, too.
 */
static bool
has_statement_trigger(const ModifyTableState *mtstate,
					  const ResultRelInfo *rri)
{
	CmdType		operation = statement_of(mtstate);

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

XeroModify *
xero_statement_begin(EState *estate, ResultRelInfo *rri, CmdType operation,
					 List *set_columns, bool returning, bool singly,
					 Plan *subplan)
{
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	XeroModify *state = xero_modify_begin(rri->ri_RelationDesc,
										  xero_modify_user(rri, estate),
										  operation, singly,
										  &xero_statement_sink_create()->sink);

	for (int i = 0; i < state->encoder.nmembers; i++)
	{
		AttrNumber	attno = state->encoder.columns[i].attno;

		state->encoder.set[i] = list_member_int(set_columns, attno) &&
			xero_why_fixed(&state->spec.table->columns[attno - 1]) == NULL;
	}
	if (operation != CMD_INSERT)
	{
		init_junk(state, subplan);
		state->old.joined = !IsA(subplan, ForeignScan);
	}
	if (returning && operation != CMD_DELETE)
		xero_modify_read_back(state);
	MemoryContextSwitchTo(old);
	return state;
}

/* "set_columns" is NIL for all but UPDATE. */
static XeroModify *
begin_statement(ModifyTableState *mtstate, ResultRelInfo *rri,
				CmdType operation, List *set_columns, bool returning)
{
	PlanState  *subplan = outerPlanState(mtstate);
	XeroModify *state = xero_statement_begin(mtstate->ps.state, rri,
											 operation, set_columns, returning,
											 returning,
											 subplan ? subplan->plan : NULL);

	state->spec.statement = statement_of(mtstate);
	state->spec.captured = captures_rows(mtstate, operation);
	state->spec.at_once = has_statement_trigger(mtstate, rri);
	return state;
}

void
xeroBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
					   List *fdw_private, int subplan_index, int eflags)
{
	xero_note_calling_node(&mtstate->ps, &xero_write_calls, rri);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
	{
		xero_check_updatable(xero_get_table(rri->ri_RelationDesc),
							 mtstate->operation,
							 xero_modify_user(rri, mtstate->ps.state));
		return;
	}
	rri->ri_FdwState =
		begin_statement(mtstate, rri, mtstate->operation,
						list_nth(fdw_private, XERO_MODIFY_COLUMNS),
						boolVal(list_nth(fdw_private, XERO_MODIFY_RETURNING)));
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
	if (plan && plan->operation != CMD_INSERT && xero_write_is_dry_run())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot move rows into foreign table \"%s\" while xero_fdw.dry_run is on",
						RelationGetRelationName(rri->ri_RelationDesc)),
				 errdetail("They would be deleted where they are, and not be sent.")));
	returning = (plan && (plan->returningLists != NIL ||
						  plan->withCheckOptionLists != NIL)) ||
		(triggers && (triggers->trig_insert_before_row ||
					  triggers->trig_insert_after_row));
	rri->ri_FdwState = begin_statement(mtstate, rri, CMD_INSERT, NIL,
									   returning);
}

void
xero_modify_end(XeroModify *state)
{
	xero_send_pending(state);
	if (state->tally.progress)
		xero_progress_end(state->tally.progress);
	state->tally.progress = NULL;
}

void
xero_statement_end(XeroModify *state)
{
	int64		noted;

	if (state == NULL)
		return;					/* EXPLAIN without ANALYZE */
	xero_modify_end(state);
	noted = xero_statement_sink(state)->noted;
	if (noted > 0)
		ereport(WARNING,
				(errmsg_plural("%lld row of foreign table \"%s\" was refused",
							   "%lld rows of foreign table \"%s\" were refused",
							   (unsigned long) noted, (long long) noted,
							   state->spec.table->name),
				 errhint("The view xero_fdw.write_errors shows them.")));
	xero_statement_sink(state)->noted = 0;
}

void
xeroEndForeignModify(EState *estate, ResultRelInfo *rri)
{
	xero_statement_end(rri->ri_FdwState);
}

void
xeroEndForeignInsert(EState *estate, ResultRelInfo *rri)
{
	xero_statement_end(rri->ri_FdwState);
}

int
xeroGetForeignModifyBatchSize(ResultRelInfo *rri)
{
	XeroModify *state = rri->ri_FdwState;

	if (state != NULL)
		return state->spec.batch;
	return xero_write_batch(xero_get_table(rri->ri_RelationDesc), CMD_INSERT,
							rri->ri_projectReturning != NULL ||
							rri->ri_WithCheckOptions != NIL);
}

/*-------------------------------------------------------------------------
 * Rows
 *-------------------------------------------------------------------------
 */

/*
 * PostgreSQL has no transition tables for rows of foreign tables, which it
 * notices when they are written.
 */
static void
check_captured(const XeroModify *state)
{
	if (state->spec.captured)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write to foreign table \"%s\" for a trigger with transition tables",
						state->spec.table->name),
				 errdetail("PostgreSQL cannot collect transition tuples from child foreign tables."),
				 errhint("Write to the foreign table itself, or use a trigger without REFERENCING.")));
}

/* Queue it in the per-tuple context; true if it was not refused. */
static bool
queue_row(XeroModify *state, XeroPendingRow *row, TupleTableSlot *slot)
{
	const XeroModifySpec *spec = &state->spec;
	XeroStatementSink *sink = xero_statement_sink(state);
	int64		noted = sink->noted;

	check_captured(state);
	if (row == NULL)
		return false;
	sink->slots = spec->batch == 1 ? &slot : NULL;
	sink->slots_cxt = CurrentMemoryContext;
	xero_queue_row(state, row);
	if (spec->at_once)
		xero_send_pending(state);
	sink->slots = NULL;

	/* of rows that were collected, others may have failed */
	return (spec->batch > 1 && !spec->at_once) || sink->noted == noted;
}

/* The same of a row that is new, or changed, if its checks let it through. */
static bool
write_row(XeroModify *state, EState *estate, ResultRelInfo *rri,
		  XeroPendingRow *row, TupleTableSlot *slot)
{
	if (row != NULL)
		xero_check_options(state, estate, rri, slot);
	return queue_row(state, row, slot);
}

TupleTableSlot *
xeroExecForeignInsert(EState *estate, ResultRelInfo *rri, TupleTableSlot *slot,
					  TupleTableSlot *planSlot)
{
	XeroModify *state = rri->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	XeroPendingRow *row = xero_encode_insert(state, slot);
	bool		stored = write_row(state, estate, rri, row, slot);

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
	bool	   *refused = palloc0(sizeof(bool) * *numSlots);
	int			stored = 0;

	/* rows with checks are read back, each by itself */
	Assert(rri->ri_WithCheckOptions == NIL);
	check_captured(state);
	xero_statement_sink(state)->marks = refused;
	for (int i = 0; i < *numSlots; i++)
	{
		XeroPendingRow *row;

		CHECK_FOR_INTERRUPTS();
		state->present.number = i;
		row = xero_encode_insert(state, slots[i]);
		if (row != NULL)
			xero_queue_row(state, row);
	}
	xero_send_pending(state);
	xero_statement_sink(state)->marks = NULL;
	for (int i = 0; i < *numSlots; i++)
	{
		if (!refused[i])
		{
			/* the executor frees all of them, so none may be lost */
			TupleTableSlot *slot = slots[stored];

			slots[stored++] = slots[i];
			slots[i] = slot;
		}
	}
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
	XeroPendingRow *row = xero_encode_update(state, slot, planSlot);
	bool		stored = write_row(state, estate, rri, row, slot);

	MemoryContextSwitchTo(old);
	return stored ? slot : NULL;
}

void
xero_fill_deleted(const XeroModify *state, TupleTableSlot *slot,
				  TupleTableSlot *planSlot)
{
	ExecClearTuple(slot);
	for (int i = 0; i < state->spec.table->natts; i++)
	{
		slot->tts_isnull[i] = true;
		slot->tts_values[i] = (Datum) 0;
		if (state->old.junk[i] != 0)
			slot->tts_values[i] = ExecGetJunkAttribute(planSlot,
													   state->old.junk[i],
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
	xero_fill_deleted(state, slot, planSlot);
	return slot;
}
