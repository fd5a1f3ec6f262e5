/*-------------------------------------------------------------------------
 *
 * direct.c
 *	  Writes with RETURNING, in batches.
 *
 * PostgreSQL hands rows over one by one where there is RETURNING, and wants each
 * back before the next.  But it lets a foreign table write in a scan below
 * ModifyTable, which then does no more than evaluate RETURNING.  So the plan that
 * finds the rows is put below such a scan, which takes as many of them as fit
 * into a request, sends them, and returns one row for each that was written.
 *
 * PostgreSQL does not offer that where something else is to be done for each row:
 * row triggers, check options, stored generated columns.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/unread.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/planmain.h"
#include "parser/parsetree.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct DirectModify
{
	XeroModify *state;
	List	   *set_columns;	/* IntList, of UPDATE */
	XeroUnreadRow *unread;		/* or NULL */
	bool		sets_tag;		/* rows count in the command tag */
	bool		done;			/* the plan has no more rows */

	/* the present batch */
	MemoryContext cxt;			/* of its values */
	TupleTableSlot **plan_rows; /* as the plan has found them */
	TupleTableSlot **rows;		/* as they are returned */
	bool	   *refused;
	int			count;
	int			next;			/* to be returned */
} DirectModify;

/*-------------------------------------------------------------------------
 * Planning
 *-------------------------------------------------------------------------
 */

/* A scan that returns what the plan does. */
static ForeignScan *
make_scan_over(Plan *subplan, Index relid, Oid serverid, Expr *key,
			   List *private)
{
	ForeignScan *scan = make_foreignscan(copyObject(subplan->targetlist), NIL,
										 relid,
										 key ? list_make1(copyObject(key)) : NIL,
										 private,
										 copyObject(subplan->targetlist), NIL,
										 subplan);
	Plan	   *plan = &scan->scan.plan;

	plan->startup_cost = subplan->startup_cost;
	plan->total_cost = subplan->total_cost;
	plan->plan_rows = subplan->plan_rows;
	plan->plan_width = subplan->plan_width;
	scan->fs_server = serverid;
	return scan;
}

bool
xeroPlanDirectModify(PlannerInfo *root, ModifyTable *plan,
					 Index resultRelation, int subplan_index)
{
	List	   *private;
	Oid			relid = planner_rt_fetch(resultRelation, root)->relid;
	Expr	   *key;
	ForeignScan *scan;

	/* not of partitions, whose plan may be that of several tables */
	if (resultRelation != root->parse->resultRelation)
		return false;
	key = xero_unread_key(root, plan, resultRelation);
	if (plan->returningLists == NIL && key == NULL)
		return false;
	private = lappend(xeroPlanForeignModify(root, plan, resultRelation,
											subplan_index),
					  makeBoolean(plan->canSetTag));
	scan = make_scan_over(outerPlan(plan), resultRelation,
						  GetForeignServerIdByRelId(relid), key, private);
	scan->operation = plan->operation;
	scan->resultRelation = resultRelation;
	outerPlan(plan) = &scan->scan.plan;
	return true;
}

/*-------------------------------------------------------------------------
 * Running
 *-------------------------------------------------------------------------
 */

XeroModify *
xero_direct_modify(ForeignScanState *node)
{
	DirectModify *direct = node->fdw_state;

	return direct ? direct->state : NULL;
}

static TupleTableSlot **
make_slots(EState *estate, TupleDesc desc, int count)
{
	TupleTableSlot **slots = palloc(sizeof(TupleTableSlot *) * count);

	for (int i = 0; i < count; i++)
		slots[i] = ExecInitExtraTupleSlot(estate, desc, &TTSOpsVirtual);
	return slots;
}

void
xeroBeginDirectModify(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	ResultRelInfo *rri = node->resultRelInfo;
	DirectModify *direct;
	XeroStatementSink *sink;
	int			batch;

	xero_note_calling_node(&node->ss.ps, &xero_write_calls, rri);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
	{
		xero_check_updatable(xero_get_table(rri->ri_RelationDesc),
							 plan->operation, xero_modify_user(rri, estate));
		return;
	}
	direct = palloc0(sizeof(DirectModify));
	direct->set_columns = list_nth(plan->fdw_private, XERO_MODIFY_COLUMNS);
	direct->sets_tag = boolVal(list_nth(plan->fdw_private,
										XERO_MODIFY_SETS_TAG));
	direct->state = xero_statement_begin(estate, rri, plan->operation,
										 direct->set_columns,
										 boolVal(list_nth(plan->fdw_private,
														  XERO_MODIFY_RETURNING)),
										 false, outerPlan(plan));
	direct->unread = xero_unread_row_create(node, direct->set_columns);
	batch = direct->state->spec.batch;
	direct->cxt = AllocSetContextCreate(CurrentMemoryContext,
										"Xero rows to return",
										ALLOCSET_DEFAULT_SIZES);
	direct->plan_rows = make_slots(estate,
								   ExecGetResultType(outerPlanState(node)),
								   batch);
	direct->rows = make_slots(estate, RelationGetDescr(rri->ri_RelationDesc),
							  batch);
	direct->refused = palloc(sizeof(bool) * batch);
	sink = xero_statement_sink(direct->state);
	sink->marks = direct->refused;
	sink->slots = direct->rows;
	sink->slots_cxt = direct->cxt;
	node->fdw_state = direct;
}

/* The new row, which begins the plan's. */
static void
fill_inserted(TupleTableSlot *row, const TupleTableSlot *plan_row)
{
	int			natts = row->tts_tupleDescriptor->natts;

	memcpy(row->tts_values, plan_row->tts_values, sizeof(Datum) * natts);
	memcpy(row->tts_isnull, plan_row->tts_isnull, sizeof(bool) * natts);
	ExecStoreVirtualTuple(row);
}

/*
 * The row as it was, as far as it was read, but for columns in SET, which begin
 * the plan's.
 */
static void
fill_updated(const DirectModify *direct, TupleTableSlot *row,
			 TupleTableSlot *plan_row)
{
	HeapTupleData before;
	ListCell   *lc;

	before.t_data = xero_old_row(direct->state, plan_row);
	if (before.t_data != NULL)
	{
		before.t_len = HeapTupleHeaderGetDatumLength(before.t_data);
		heap_deform_tuple(&before, row->tts_tupleDescriptor, row->tts_values,
						  row->tts_isnull);
	}
	else
		memset(row->tts_isnull, true,
			   sizeof(bool) * row->tts_tupleDescriptor->natts);
	foreach(lc, direct->set_columns)
	{
		int			n = foreach_current_index(lc);
		AttrNumber	attno = lfirst_int(lc);

		row->tts_values[attno - 1] = plan_row->tts_values[n];
		row->tts_isnull[attno - 1] = plan_row->tts_isnull[n];
	}
	ExecStoreVirtualTuple(row);
}

/* Fill in the row as it is returned unless Xero shows it, and encode it. */
static XeroPendingRow *
encode_row(const DirectModify *direct, TupleTableSlot *row,
		   TupleTableSlot *plan_row)
{
	XeroModify *state = direct->state;

	ExecClearTuple(row);
	switch (state->spec.operation)
	{
		case CMD_INSERT:
			fill_inserted(row, plan_row);
			return xero_encode_insert(state, row);
		case CMD_UPDATE:
			fill_updated(direct, row, plan_row);
			return xero_encode_update(state, row, plan_row);
		default:
			xero_fill_deleted(state, row, plan_row);
			return xero_encode_delete(state, plan_row);
	}
}

/* Add a row of the plan to the batch, if it is to be written. */
static void
take_row(DirectModify *direct, TupleTableSlot *slot)
{
	int			number = direct->count;
	TupleTableSlot *plan_row = direct->plan_rows[number];
	XeroPendingRow *pending;

	ExecCopySlot(plan_row, slot);
	direct->refused[number] = false;
	direct->state->present.number = number;
	pending = encode_row(direct, direct->rows[number], plan_row);
	if (pending == NULL)
		return;
	xero_queue_row(direct->state, pending);
	direct->count++;
}

/* A plan expects to run in the query's context. */
static TupleTableSlot *
next_plan_row(ForeignScanState *node)
{
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	TupleTableSlot *slot = ExecProcNode(outerPlanState(node));

	MemoryContextSwitchTo(old);
	return slot;
}

/* Take the one row that need not be read, if there is one. */
static void
take_unread_row(ForeignScanState *node)
{
	DirectModify *direct = node->fdw_state;
	XeroModifySpec *spec = &direct->state->spec;
	TupleTableSlot *slot = direct->unread == NULL ? NULL :
	xero_unread_row(direct->unread, direct->state, node->ss.ps.ps_ExprContext);

	direct->unread = NULL;
	if (slot == NULL)
		return;
	spec->batch = 1;
	spec->unread = true;
	direct->done = true;
	take_row(direct, slot);
}

static void
write_batch(ForeignScanState *node)
{
	DirectModify *direct = node->fdw_state;
	MemoryContext old;

	MemoryContextReset(direct->cxt);
	old = MemoryContextSwitchTo(direct->cxt);
	direct->count = 0;
	direct->next = 0;
	take_unread_row(node);
	while (!direct->done && direct->count < direct->state->spec.batch)
	{
		TupleTableSlot *slot = next_plan_row(node);

		CHECK_FOR_INTERRUPTS();
		if (TupIsNull(slot))
			direct->done = true;
		else
			take_row(direct, slot);
	}
	xero_send_pending(direct->state);
	MemoryContextSwitchTo(old);
}

TupleTableSlot *
xeroIterateDirectModify(ForeignScanState *node)
{
	DirectModify *direct = node->fdw_state;
	ProjectionInfo *returning = node->resultRelInfo->ri_projectReturning;

	for (;;)
	{
		while (direct->next < direct->count)
		{
			int			number = direct->next++;

			if (direct->refused[number])
				continue;
			if (direct->sets_tag)
				node->ss.ps.state->es_processed++;
			if (returning == NULL)
				continue;
			/* ModifyTable takes what RETURNING is about from there */
			returning->pi_exprContext->ecxt_scantuple = direct->rows[number];
			return direct->plan_rows[number];
		}
		if (direct->done)
			return ExecClearTuple(node->ss.ss_ScanTupleSlot);
		write_batch(node);
	}
}

void
xeroEndDirectModify(ForeignScanState *node)
{
	xero_statement_end(xero_direct_modify(node));
}
