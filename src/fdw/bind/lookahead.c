/*-------------------------------------------------------------------------
 *
 * lookahead.c
 *	  The outer side of a bind join: a node that reads ahead for keys.
 *
 * The inner side, a scan that is run for each row of the outer one, is asked
 * for one key at a time.  When it has to call for one, it has this node read
 * on, and calls for the keys of the rows that it will be run for next as well.
 * Those rows wait here until the join takes them.  So the join itself is
 * PostgreSQL's nested loop, with all that it knows of NULL, duplicates, outer,
 * semi and anti joins.
 *
 * The two nodes find each other by the slot of a parameter of the plan, as a
 * recursive union and its working table do.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/bind/lookahead.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "utils/ruleutils.h"
#include "utils/tuplestore.h"

struct XeroLookahead
{
	CustomScanState css;
	ExprState  *key;
	ExprContext *key_context;	/* the other one is the join's row's */
	Tuplestorestate *waiting;	/* rows that were read ahead */
	int64		nwaiting;
	TupleTableSlot *waited;		/* the present one, if it was among them */
	TupleTableSlot *ahead;		/* that was read last */
	bool		ended;			/* no more rows can be read */
	int64		nahead;			/* rows that were read ahead, in all */
};

static Plan *plan_lookahead(PlannerInfo *root, RelOptInfo *rel,
							CustomPath *path, List *tlist, List *clauses,
							List *plans);
static Node *create_lookahead(CustomScan *plan);
static void begin_lookahead(CustomScanState *css, EState *estate, int eflags);
static TupleTableSlot *run_lookahead(CustomScanState *css);
static void rescan_lookahead(CustomScanState *css);
static void end_lookahead(CustomScanState *css);
static void explain_lookahead(CustomScanState *css, List *ancestors,
							  ExplainState *es);

#define NODE_NAME	"XeroLookahead"

static const CustomPathMethods path_methods = {
	.CustomName = NODE_NAME,
	.PlanCustomPath = plan_lookahead,
};

static const CustomScanMethods plan_methods = {
	.CustomName = NODE_NAME,
	.CreateCustomScanState = create_lookahead,
};

static const CustomExecMethods run_methods = {
	.CustomName = NODE_NAME,
	.BeginCustomScan = begin_lookahead,
	.ExecCustomScan = run_lookahead,
	.EndCustomScan = end_lookahead,
	.ReScanCustomScan = rescan_lookahead,
	.ExplainCustomScan = explain_lookahead,
};

Path *
xero_lookahead_path(Path *path, XeroBinding *binding)
{
	CustomPath *result = makeNode(CustomPath);

	result->path = *path;
	result->path.type = T_CustomPath;
	result->path.pathtype = T_CustomScan;
	result->path.parallel_aware = false;
	result->path.parallel_safe = false;
	result->custom_paths = list_make1(path);
	result->custom_private = list_make1(binding);
	result->methods = &path_methods;
	return (Path *) result;
}

static bool
is_same_column(const void *a, const void *b)
{
	if (nodeTag(a) != nodeTag(b))
		return false;
	if (IsA(a, PlaceHolderVar))
		return ((const PlaceHolderVar *) a)->phid == ((const PlaceHolderVar *) b)->phid;
	return IsA(a, Var) &&
		((const Var *) a)->varno == ((const Var *) b)->varno &&
		((const Var *) a)->varattno == ((const Var *) b)->varattno;
}

/*
 * The key, of the columns that rows have here: those of the clause may differ
 * in which outer joins they are said to be below.
 */
static Node *
key_of_rows(Node *node, void *tlist)
{
	ListCell   *lc;

	if (node == NULL)
		return NULL;
	foreach(lc, (List *) tlist)
	{
		Expr	   *column = ((TargetEntry *) lfirst(lc))->expr;

		if (is_same_column(node, column))
			return copyObject((Node *) column);
	}
	return expression_tree_mutator(node, key_of_rows, tlist);
}

static Plan *
plan_lookahead(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
			   List *tlist, List *clauses, List *plans)
{
	XeroBinding *binding = linitial(path->custom_private);
	CustomScan *plan = makeNode(CustomScan);
	Plan	   *rows = linitial(plans);

	plan->scan.plan.targetlist = tlist;
	outerPlan(plan) = rows;
	plan->custom_scan_tlist = copyObject(rows->targetlist);
	plan->custom_exprs = list_make1(key_of_rows(binding->key, rows->targetlist));
	plan->custom_private = list_make1(makeInteger(xero_binding_slot(root, binding)));
	plan->methods = &plan_methods;
	return (Plan *) plan;
}

static Node *
create_lookahead(CustomScan *plan)
{
	XeroLookahead *lookahead = palloc0(sizeof(XeroLookahead));

	NodeSetTag(lookahead, T_CustomScanState);
	lookahead->css.methods = &run_methods;
	return (Node *) lookahead;
}

static void
begin_lookahead(CustomScanState *css, EState *estate, int eflags)
{
	XeroLookahead *lookahead = (XeroLookahead *) css;
	CustomScan *plan = (CustomScan *) css->ss.ps.plan;
	TupleDesc	desc = css->ss.ss_ScanTupleSlot->tts_tupleDescriptor;
	int			slot = intVal(linitial(plan->custom_private));

	outerPlanState(css) = ExecInitNode(outerPlan(plan), estate, eflags);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	lookahead->key = ExecInitExpr(linitial(plan->custom_exprs), &css->ss.ps);
	lookahead->key_context = CreateExprContext(estate);
	lookahead->waiting = tuplestore_begin_heap(false, false, work_mem);
	lookahead->waited = ExecInitExtraTupleSlot(estate, desc, &TTSOpsMinimalTuple);
	lookahead->ahead = ExecInitExtraTupleSlot(estate, desc, &TTSOpsVirtual);
	estate->es_param_exec_vals[slot].value = PointerGetDatum(lookahead);
}

XeroLookahead *
xero_find_lookahead(EState *estate, int slot)
{
	return (XeroLookahead *) DatumGetPointer(estate->es_param_exec_vals[slot].value);
}

bool
xero_is_lookahead(const PlanState *node)
{
	return IsA(node, CustomScanState) &&
		((const CustomScanState *) node)->methods == &run_methods;
}

/* The next row from below, or false. */
static bool
read_row(XeroLookahead *lookahead, TupleTableSlot *slot)
{
	TupleTableSlot *row;

	if (lookahead->ended)
		return false;
	row = ExecProcNode(outerPlanState(lookahead));
	lookahead->ended = TupIsNull(row);
	if (lookahead->ended)
		return false;
	ExecCopySlot(slot, row);
	return true;
}

bool
xero_look_ahead(XeroLookahead *lookahead, Datum *key, bool *isnull)
{
	ExprContext *econtext = lookahead->key_context;
	MemoryContext old;
	bool		found;

	if (!tuplestore_in_memory(lookahead->waiting))
		return false;

	/* the nodes below expect to be run in the context of the query */
	old = MemoryContextSwitchTo(lookahead->css.ss.ps.state->es_query_cxt);
	found = read_row(lookahead, lookahead->ahead);
	if (found)
	{
		tuplestore_puttupleslot(lookahead->waiting, lookahead->ahead);
		lookahead->nwaiting++;
		lookahead->nahead++;
	}
	MemoryContextSwitchTo(old);
	if (!found)
		return false;
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = lookahead->ahead;
	*key = ExecEvalExprSwitchContext(lookahead->key, econtext, isnull);
	return true;
}

/*
 * The next row that waits, into the slot, or false.  The tuplestore never
 * comes to its end, behind which it would not see rows that are added.
 */
static bool
take_row(XeroLookahead *lookahead, TupleTableSlot *slot)
{
	if (lookahead->nwaiting == 0)
		return false;
	(void) tuplestore_gettupleslot(lookahead->waiting, true, false,
								   lookahead->waited);
	ExecCopySlot(slot, lookahead->waited);
	ExecClearTuple(lookahead->waited);
	if (--lookahead->nwaiting == 0)
		tuplestore_clear(lookahead->waiting);
	return true;
}

/* What the join looks at is a copy, as rows are read while it does. */
static TupleTableSlot *
run_lookahead(CustomScanState *css)
{
	XeroLookahead *lookahead = (XeroLookahead *) css;
	TupleTableSlot *slot = css->ss.ss_ScanTupleSlot;

	if (!take_row(lookahead, slot) && !read_row(lookahead, slot))
		return NULL;
	if (css->ss.ps.ps_ProjInfo == NULL)
		return slot;
	ResetExprContext(css->ss.ps.ps_ExprContext);
	css->ss.ps.ps_ExprContext->ecxt_scantuple = slot;
	return ExecProject(css->ss.ps.ps_ProjInfo);
}

static void
rescan_lookahead(CustomScanState *css)
{
	XeroLookahead *lookahead = (XeroLookahead *) css;

	tuplestore_clear(lookahead->waiting);
	lookahead->nwaiting = 0;
	lookahead->ended = false;
	if (outerPlanState(css)->chgParam == NULL)
		ExecReScan(outerPlanState(css));
}

static void
end_lookahead(CustomScanState *css)
{
	XeroLookahead *lookahead = (XeroLookahead *) css;

	if (lookahead->waiting)
		tuplestore_end(lookahead->waiting);
	ExecEndNode(outerPlanState(css));
}

static void
explain_lookahead(CustomScanState *css, List *ancestors, ExplainState *es)
{
	XeroLookahead *lookahead = (XeroLookahead *) css;
	CustomScan *plan = (CustomScan *) css->ss.ps.plan;
	List	   *context = set_deparse_context_plan(es->deparse_cxt,
												   css->ss.ps.plan, ancestors);

	ExplainPropertyText("Xero Keys",
						deparse_expression(linitial(plan->custom_exprs), context,
										   list_length(es->rtable) > 1 || es->verbose,
										   false),
						es);
	if (es->analyze)
		ExplainPropertyInteger("Rows Ahead", NULL, lookahead->nahead, es);
}

void
xero_lookahead_init(void)
{
	RegisterCustomScanMethods(&plan_methods);
}
