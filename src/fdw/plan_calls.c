/*-------------------------------------------------------------------------
 *
 * plan_calls.c
 *	  What the nodes of a plan take in calls, each and together.
 *
 * A node knows what one run of it takes.  How often it will run with other
 * values, and so ask for something else, is up to the nodes above it.  EXPLAIN
 * shows a node without those, so nodes that call are remembered while their plan
 * is, and their runs are counted in the plan's tree.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan_calls.h"

#include "api/budget/budget_state.h"
#include "commands/explain.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"

typedef struct CallingNode
{
	dlist_node	link;
	PlanState  *node;
	const XeroCallingKind *kind;
	void	   *arg;
	const ExplainState *shown;	/* the last one that shows the plan's calls */
	MemoryContextCallback forget;
} CallingNode;

static dlist_head calling_nodes = DLIST_STATIC_INIT(calling_nodes);

static void
forget_node(void *arg)
{
	dlist_delete(&((CallingNode *) arg)->link);
}

void
xero_note_calling_node(PlanState *node, const XeroCallingKind *kind, void *arg)
{
	MemoryContext cxt = node->state->es_query_cxt;
	CallingNode *calling = MemoryContextAllocZero(cxt, sizeof(CallingNode));

	calling->node = node;
	calling->kind = kind;
	calling->arg = arg;
	dlist_push_tail(&calling_nodes, &calling->link);
	calling->forget.func = forget_node;
	calling->forget.arg = calling;
	MemoryContextRegisterResetCallback(cxt, &calling->forget);
}

/*-------------------------------------------------------------------------
 * How often a node runs
 *-------------------------------------------------------------------------
 */

/* What runs a part of the plan for each row of another. */
typedef struct Loop
{
	const Bitmapset *params;	/* that change from row to row */
	const Plan *rows;			/* gives these rows */
	const struct Loop *outer;
} Loop;

typedef struct Search
{
	const Plan *wanted;
	List	   *subplans;		/* of the statement */
	double		loops;			/* once it is found */
} Search;

static bool search_plan(Search *search, Plan *plan, const Loop *loop);

static bool
collect_params(Node *node, Bitmapset **params)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*params = bms_add_member(*params, ((Param *) node)->paramid);
	return expression_tree_walker(node, collect_params, params);
}

/* The loops on whose values it depends what the node asks for. */
static double
count_loops(const Plan *plan, const Loop *loop)
{
	Bitmapset  *params = NULL;
	double		loops = 1;

	if (IsA(plan, ForeignScan))
		collect_params((Node *) ((ForeignScan *) plan)->fdw_exprs, &params);
	else
		params = bms_copy(plan->allParam);
	for (; loop != NULL; loop = loop->outer)
	{
		if (!bms_overlap(loop->params, params))
			continue;
		loops *= Max(loop->rows->plan_rows, 1);
		params = bms_add_members(params, loop->rows->allParam);
	}
	return loops;
}

static bool
search_plans(Search *search, List *plans, const Loop *loop)
{
	ListCell   *lc;

	foreach(lc, plans)
	{
		if (search_plan(search, lfirst(lc), loop))
			return true;
	}
	return false;
}

static bool
search_subplan(Search *search, const SubPlan *subplan, const Plan *host,
			   const Loop *loop)
{
	Bitmapset  *params = NULL;
	Loop		inner = {.rows = host,.outer = loop};
	ListCell   *lc;

	foreach(lc, subplan->parParam)
		params = bms_add_member(params, lfirst_int(lc));
	inner.params = params;
	return search_plan(search, list_nth(search->subplans, subplan->plan_id - 1),
					   &inner);
}

/* What the search of a plan's expressions needs to know. */
typedef struct ExprSearch
{
	Search	   *search;
	const Plan *host;
	const Loop *loop;
} ExprSearch;

static bool
search_expr(Node *node, ExprSearch *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) &&
		search_subplan(context->search, (SubPlan *) node, context->host,
					   context->loop))
		return true;
	return expression_tree_walker(node, search_expr, context);
}

static bool
search_plan(Search *search, Plan *plan, const Loop *loop)
{
	ExprSearch	exprs = {.search = search,.host = plan,.loop = loop};
	Bitmapset  *params = NULL;
	Loop		inner = {.outer = loop};
	ListCell   *lc;

	if (plan == NULL)
		return false;
	check_stack_depth();
	if (plan == search->wanted)
	{
		search->loops = count_loops(plan, loop);
		return true;
	}
	if (search_expr((Node *) plan->initPlan, &exprs) ||
		search_expr((Node *) plan->targetlist, &exprs) ||
		search_expr((Node *) plan->qual, &exprs) ||
		search_plan(search, outerPlan(plan), loop))
		return true;
	switch (nodeTag(plan))
	{
		case T_NestLoop:
			foreach(lc, ((NestLoop *) plan)->nestParams)
				params = bms_add_member(params,
										lfirst_node(NestLoopParam, lc)->paramno);
			inner.params = params;
			inner.rows = outerPlan(plan);
			return search_expr((Node *) ((Join *) plan)->joinqual, &exprs) ||
				search_plan(search, innerPlan(plan), &inner);
		case T_Append:
			return search_plans(search, ((Append *) plan)->appendplans, loop);
		case T_MergeAppend:
			return search_plans(search, ((MergeAppend *) plan)->mergeplans, loop);
		case T_SubqueryScan:
			return search_plan(search, ((SubqueryScan *) plan)->subplan, loop);
		case T_CustomScan:
			return search_plans(search, ((CustomScan *) plan)->custom_plans, loop);
		default:
			return search_plan(search, innerPlan(plan), loop);
	}
}

static double
planned_loops(const PlanState *node)
{
	const PlannedStmt *stmt = node->state->es_plannedstmt;
	Search		search = {.wanted = node->plan,.subplans = stmt->subplans,.loops = 1};

	(void) search_plan(&search, stmt->planTree, NULL);
	return search.loops;
}

/*-------------------------------------------------------------------------
 * EXPLAIN
 *-------------------------------------------------------------------------
 */

static void
explain_budget(const XeroTable *table, Oid userid, ExplainState *es)
{
	XeroBudgetState left;
	StringInfoData text;

	if (!xero_planned_budget(table, userid, &left))
		return;
	initStringInfo(&text);
	appendStringInfo(&text, "%d of %d a minute", left.minute_remaining,
					 left.minute_limit);
	if (left.day_remaining >= 0)
		appendStringInfo(&text, ", %d of %d a day", left.day_remaining,
						 left.day_limit);
	ExplainPropertyText("Xero Budget Left", text.data, es);
}

static double
planned_calls(const CallingNode *calling)
{
	return calling->kind->planned(calling->node, calling->arg,
								  planned_loops(calling->node));
}

/* The sum over a plan, if there are several nodes to add up. */
static void
explain_total(const EState *estate, ExplainState *es)
{
	double		planned = 0;
	int64		made = 0;
	int			count = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &calling_nodes)
	{
		CallingNode *calling = dlist_container(CallingNode, link, iter.cur);

		if (calling->node->state != estate)
			continue;
		calling->shown = es;
		count++;
		planned += planned_calls(calling);
		if (es->analyze)
			made += calling->kind->made(calling->node, calling->arg);
	}
	if (count > 1 && es->costs)
		ExplainPropertyFloat("Xero Total Calls", NULL, planned, 0, es);
	if (count > 1 && es->analyze)
		ExplainPropertyInteger("Xero Actual Total Calls", NULL, made, es);
}

static CallingNode *
find_calling_node(const PlanState *node, const void *arg)
{
	dlist_iter	iter;

	dlist_foreach(iter, &calling_nodes)
	{
		CallingNode *calling = dlist_container(CallingNode, link, iter.cur);

		if (calling->node == node && calling->arg == arg)
			return calling;
	}
	elog(ERROR, "plan node %d was not noted to call", node->plan->plan_node_id);
}

void
xero_explain_calls(PlanState *node, void *arg, const XeroTable *table,
				   Oid userid, ExplainState *es)
{
	CallingNode *calling = find_calling_node(node, arg);
	bool		first = calling->shown != es;

	if (es->costs)
		ExplainPropertyFloat("Xero Calls", NULL, planned_calls(calling), 0, es);
	if (first)
		explain_total(node->state, es);
	if (first && es->costs)
		explain_budget(table, userid, es);
}
