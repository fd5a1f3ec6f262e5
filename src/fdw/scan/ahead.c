/*-------------------------------------------------------------------------
 *
 * ahead.c
 *	  Which scans of a statement are read to their ends, and which are read
 *	  after them, so that pages may be asked for before they are needed; and
 *	  which are read once, so that their rows need not be kept.
 *
 * The planner has said it of statements that want all of their rows.  Two
 * things are known only when the plan is run.  What is below a node that takes
 * all of its input before it returns its first row is read to its end whatever
 * LIMIT or cursor is above.  And a client may ask for some rows of a statement
 * that could have more, by its protocol (JDBC's setMaxRows) or in a loop of
 * PL/pgSQL: then a page ahead may be a call wasted.
 *
 * The scans below an Append are read one after the other.  So each knows the
 * next one, whose first page may be asked for meanwhile.  A MergeAppend wants the
 * first row of each before it returns one.
 *
 * Whether a join will run a scan again, the planner did not know when it made
 * the scan.  Hash joins do not.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "executor/execPartition.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/portal.h"

typedef enum Extent
{
	AS_PLANNED,
	ALL_ROWS,
	SOME_ROWS
} Extent;

static ExecutorRun_hook_type next_run_hook = NULL;

static void note_extent(PlanState *node, Extent extent, bool once);

bool
xero_is_scan(const PlanState *node)
{
	const ForeignScanState *scan = (const ForeignScanState *) node;

	return IsA(node, ForeignScanState) &&
		((ForeignScan *) node->plan)->operation == CMD_SELECT &&
		scan->fdwroutine->IterateForeignScan == xeroIterateForeignScan;
}

/* Does a node take all of its input before it returns a row? */
static bool
takes_all(const PlanState *node)
{
	switch (nodeTag(node))
	{
		case T_SortState:
		case T_HashState:
			return true;
		case T_AggState:
			return ((Agg *) node->plan)->aggstrategy != AGG_SORTED;
		case T_SetOpState:
			return ((SetOp *) node->plan)->strategy == SETOP_HASHED;
		default:
			return false;
	}
}

static void
note_extents(PlanState **nodes, int count, Extent extent, bool once)
{
	for (int i = 0; i < count; i++)
		note_extent(nodes[i], extent, once);
}

/* The scan that a node begins with, if nothing decides whether it does. */
static ForeignScanState *
first_scan(PlanState *node)
{
	while (node && !IsA(node, ForeignScanState))
	{
		if (innerPlanState(node) || IsA(node, LimitState) ||
			(IsA(node, ResultState) && ((ResultState *) node)->resconstantqual))
			return NULL;
		node = IsA(node, SubqueryScanState) ?
			((SubqueryScanState *) node)->subplan : outerPlanState(node);
	}
	if (node == NULL || !xero_is_scan(node) || !bms_is_empty(node->plan->allParam))
		return NULL;
	return (ForeignScanState *) node;
}

/* The scans below these nodes are begun one after the other. */
static void
note_order(PlanState **nodes, int count, PartitionPruneState *prune, bool merged)
{
	ForeignScanState *next = NULL;

	if (prune && prune->do_exec_prune)
		return;
	for (int i = count - 1; i >= 0; i--)
	{
		ForeignScanState *node = first_scan(nodes[i]);

		if (node == NULL)
			continue;
		((XeroScanState *) node->fdw_state)->next = next;
		((XeroScanState *) node->fdw_state)->next_is_wanted = merged;
		next = node;
	}
}

static void
note_append(AppendState *node, Extent extent, bool once)
{
	note_extents(node->appendplans, node->as_nplans, extent, once);
	note_order(node->appendplans, node->as_nplans, node->as_prune_state, false);
}

static void
note_merge_append(MergeAppendState *node, Extent extent, bool once)
{
	note_extents(node->mergeplans, node->ms_nplans, extent, once);
	note_order(node->mergeplans, node->ms_nplans, node->ms_prune_state, true);
}

/*
 * Subqueries run for reasons of their own.  One whose result is kept, be it a
 * value, a hash table or what WITH has computed, runs again only for other values
 * from outside.
 */
static void
note_subplans(List *subplans, bool init)
{
	ListCell   *lc;

	foreach(lc, subplans)
	{
		SubPlanState *subplan = lfirst(lc);
		bool		hashed = subplan->subplan->useHashTable;

		note_extent(subplan->planstate, hashed ? ALL_ROWS : AS_PLANNED,
					(init || hashed) &&
					bms_is_empty(subplan->planstate->plan->extParam));
	}
}

/* "once": it is certain that the node is not run again. */
static void
note_extent(PlanState *node, Extent extent, bool once)
{
	if (node == NULL)
		return;
	check_stack_depth();
	note_subplans(node->initPlan, true);
	note_subplans(node->subPlan, false);

	if (takes_all(node))
		extent = ALL_ROWS;
	else if (IsA(node, LimitState) && extent == ALL_ROWS)
		extent = AS_PLANNED;
	if (xero_is_scan(node) && extent != AS_PLANNED)
		xero_expect_rows((ForeignScanState *) node, extent == ALL_ROWS);
	if (xero_is_scan(node) && once)
		xero_keep_nothing((ForeignScanState *) node);
	switch (nodeTag(node))
	{
		case T_AppendState:
			note_append((AppendState *) node, extent, once);
			break;
		case T_MergeAppendState:
			note_merge_append((MergeAppendState *) node, extent, once);
			break;
		case T_SubqueryScanState:
			note_extent(((SubqueryScanState *) node)->subplan, extent, once);
			break;
		default:
			break;
	}
	note_extent(outerPlanState(node), extent, once);
	note_extent(innerPlanState(node), extent, once && IsA(node, HashJoinState));
}

/* A cursor that SQL declares was planned for the share of rows that is wanted. */
static bool
is_declared(void)
{
	return ActivePortal && (ActivePortal->cursorOptions & CURSOR_OPT_FAST_PLAN);
}

static void
xero_executor_run(QueryDesc *queryDesc, ScanDirection direction, uint64 count
				  XERO_EXECUTE_ONCE_PARAM)
{
	if (!queryDesc->already_executed)
		note_extent(queryDesc->planstate,
					count > 0 && !is_declared() ? SOME_ROWS : AS_PLANNED,
					(queryDesc->estate->es_top_eflags & EXEC_FLAG_REWIND) == 0);
	if (next_run_hook)
		next_run_hook(queryDesc, direction, count XERO_EXECUTE_ONCE);
	else
		standard_ExecutorRun(queryDesc, direction, count XERO_EXECUTE_ONCE);
}

void
xero_ahead_init(void)
{
	next_run_hook = ExecutorRun_hook;
	ExecutorRun_hook = xero_executor_run;
}
