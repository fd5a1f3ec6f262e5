/*-------------------------------------------------------------------------
 *
 * least_calls.c
 *	  Plans that cannot do with xero_fdw.max_calls are refused before their
 *	  first call.
 *
 * A statement that is bound to end at the limit should not spend it first.  What
 * is counted are the pages of whole lists, of which Xero has told the length, as
 * far as the plan reads them to their ends whatever it finds.  All else counts
 * nothing: conditions may leave less than is known, and a row that is not there
 * may end a plan early.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "api/budget/item_counts.h"
#include "api/report/caps.h"
#include "executor/executor.h"
#include "miscadmin.h"

/* The fewest calls of a part of a plan. */
typedef struct Least
{
	double		calls;
	bool		has_row;		/* it is certain to return one */
} Least;

static ExecutorRun_hook_type next_run_hook = NULL;

/* Of the scans that were looked at, the one that takes the most calls. */
static XeroSpender most;

static Least least_calls(PlanState *node, bool whole);

static Least
least_of_scan(ForeignScanState *node, bool whole)
{
	XeroScanState *state = node->fdw_state;
	const XeroScanSpec *spec = &state->spec;
	const XeroTable *table = spec->table;
	const XeroObject *root = xero_root_object(table->object);
	Least		least = {0};
	int			organisations;
	double		records;

	if (!whole || spec->sent != NIL || spec->counts != NIL ||
		spec->order_rows > 0 || spec->window.offset > 0 || spec->window.rows >= 0 ||
		xero_reader_repeats(node))
		return least;
	records = xero_item_count(spec->server, root, table->include_archived,
							  &organisations) * organisations;
	if (records <= 0)
		return least;
	least.calls = xero_list_calls(root, spec->page_size, records, 1);
	least.has_row = table->object == root && node->ss.ps.qual == NULL;
	if (least.calls > most.calls)
	{
		List	   *requests = xero_build_requests(spec->rel, NIL, NULL, &spec->options);

		xero_spender_name(&most, table->name, "GET",
						  ((XeroRequest *) linitial(requests))->path);
		most.calls = least.calls;
	}
	return least;
}

static Least
least_of_all(PlanState **nodes, int count, bool whole)
{
	Least		sum = {0};

	for (int i = 0; i < count; i++)
	{
		Least		least = least_calls(nodes[i], whole);

		sum.calls += least.calls;
		sum.has_row = sum.has_row || least.has_row;
	}
	return sum;
}

/*
 * Either side may be the first to be looked at, and the other one is not, if that
 * has no row.
 */
static Least
least_of_hash_join(PlanState *node, bool whole)
{
	Least		outer = least_calls(outerPlanState(node), whole);
	Least		inner = least_calls(innerPlanState(node), true);
	Least		least = {0};

	least.calls = outer.has_row && inner.has_row ?
		outer.calls + inner.calls : Min(outer.calls, inner.calls);
	return least;
}

/* Is it certain that LIMIT lets a row pass? */
static bool
limits_to_some(const Limit *plan)
{
	const Const *count = (Const *) plan->limitCount;

	return plan->limitCount == NULL ||
		(IsA(count, Const) &&
		 (count->constisnull || DatumGetInt64(count->constvalue) > 0));
}

/* "whole": all rows of the node are wanted, or at least one. */
static Least
least_calls(PlanState *node, bool whole)
{
	Least		least = {0};

	if (node == NULL)
		return least;
	check_stack_depth();
	if (xero_is_scan(node))
		return least_of_scan((ForeignScanState *) node, whole);
	if (xero_is_lookahead(node))
		return least_calls(outerPlanState(node), whole);
	switch (nodeTag(node))
	{
		case T_SortState:
		case T_HashState:
			return least_calls(outerPlanState(node), true);
		case T_AggState:
			whole = whole || ((Agg *) node->plan)->aggstrategy != AGG_SORTED;
			least = least_calls(outerPlanState(node), whole);
			break;
		case T_LimitState:
			if (!limits_to_some((Limit *) node->plan))
				return least;
			whole = whole && ((Limit *) node->plan)->limitCount == NULL;
			least = least_calls(outerPlanState(node), whole);
			least.has_row = least.has_row && ((Limit *) node->plan)->limitOffset == NULL;
			break;
		case T_SubqueryScanState:
			least = least_calls(((SubqueryScanState *) node)->subplan, whole);
			break;
		case T_ResultState:
			if (((ResultState *) node)->resconstantqual != NULL)
				return least;
			/* FALLTHROUGH */
		case T_MaterialState:
		case T_IncrementalSortState:
		case T_UniqueState:
		case T_ModifyTableState:
			least = least_calls(outerPlanState(node), whole);
			break;
		case T_HashJoinState:
			return least_of_hash_join(node, whole);
		case T_NestLoopState:
		case T_MergeJoinState:
			/* which may end before its outer side does */
			whole = whole && IsA(node, NestLoopState);
			least.calls = least_calls(outerPlanState(node), whole).calls;
			return least;
		case T_AppendState:
			if (whole && ((AppendState *) node)->as_prune_state == NULL)
				return least_of_all(((AppendState *) node)->appendplans,
									((AppendState *) node)->as_nplans, true);
			return least;
		case T_MergeAppendState:
			if (((MergeAppendState *) node)->ms_prune_state == NULL)
				return least_of_all(((MergeAppendState *) node)->mergeplans,
									((MergeAppendState *) node)->ms_nplans, whole);
			return least;
		default:
			return least;
	}
	least.has_row = least.has_row && node->qual == NULL;
	return least;
}

static void
refuse_if_too_many(PlanState *node, bool whole)
{
	double		calls;

	if (xero_statement_max_calls() == 0)
		return;
	most.calls = 0;
	calls = least_calls(node, whole).calls;
	if (calls > 0 &&
		calls + xero_statement_calls() > xero_statement_max_calls())
		xero_failure_raise(xero_failure_of_plan(calls, &most));
}

static void
xero_executor_run(QueryDesc *queryDesc, ScanDirection direction, uint64 count
				  XERO_EXECUTE_ONCE_PARAM)
{
	if (!queryDesc->already_executed && ScanDirectionIsForward(direction))
		refuse_if_too_many(queryDesc->planstate, count == 0);
	if (next_run_hook)
		next_run_hook(queryDesc, direction, count XERO_EXECUTE_ONCE);
	else
		standard_ExecutorRun(queryDesc, direction, count XERO_EXECUTE_ONCE);
}

void
xero_least_calls_init(void)
{
	next_run_hook = ExecutorRun_hook;
	ExecutorRun_hook = xero_executor_run;
}
