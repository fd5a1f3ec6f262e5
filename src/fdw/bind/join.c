/*-------------------------------------------------------------------------
 *
 * join.c
 *	  Bind joins: the keys of one relation are looked up in a foreign table,
 *	  many a call.
 *
 * A bind join is a nested loop of a lookahead over the outer relation
 * (lookahead.c) and a scan that asks for the keys of many rows at once
 * (scan/batch.c).  It is offered for each clause by which Xero finds many
 * values as easily as one, beside the nested loop whose scan asks for one key
 * at a time.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/bind/join.h"

#include <math.h>

#include "fdw/bind/lookahead.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/memutils.h"
#include "utils/selfuncs.h"

static set_join_pathlist_hook_type next_join_hook = NULL;

/*
 * How many keys are asked for at first, if not all rows of the join may be
 * wanted?  As many as seem to be needed, in full lists; of few twice as many,
 * which take no more calls.
 */
static int
first_keys(PlannerInfo *root, RelOptInfo *joinrel, double outer_rows)
{
	double		fraction = root->tuple_fraction;
	double		wanted;

	if (fraction <= 0)
		return XERO_LISTED_VALUES;
	if (fraction >= 1)
		fraction /= Max(joinrel->rows, fraction);
	wanted = ceil(outer_rows * fraction);
	if (wanted <= XERO_LISTED_VALUES)
		return Min(2 * wanted, XERO_LISTED_VALUES);
	return Min(ceil(wanted / XERO_LISTED_VALUES) * XERO_LISTED_VALUES,
			   XERO_MOST_KEYS);
}

/* The calls of a table that is read by itself; 0 if it need not be. */
static double
calls_of(const RelOptInfo *rel)
{
	ForeignPath *path = (ForeignPath *) rel->cheapest_total_path;

	return IsA(path, ForeignPath) ? xero_path_of(path)->scan.calls : 0;
}

/* The scan of the inner relation, which runs once for each outer row. */
static Path *
bound_scan(PlannerInfo *root, RelOptInfo *joinrel, Path *outer,
		   RelOptInfo *innerrel, ParamPathInfo *param_info,
		   XeroBinding *binding)
{
	XeroRelInfo *info = innerrel->fdw_private;
	List	   *clauses = list_concat_copy(info->clauses,
										   extract_actual_clauses(param_info->ppi_clauses,
																  false));
	XeroPath   *path;
	Cost		cost;

	binding->runs = Max(outer->rows, 1);
	binding->keys = estimate_num_groups(root, list_make1(binding->key),
										binding->runs, NULL, NULL);
	binding->first = first_keys(root, joinrel, binding->runs);
	path = xero_make_bound_path(root, innerrel, clauses, binding,
								xero_wants_all(root));
	if (path == NULL ||
		(xero_wants_all(root) && path->scan.calls >= calls_of(innerrel)))
		return NULL;
	cost = path->scan.calls * XERO_CALL_COST * XERO_DOUBT_BATCH +
		path->scan.records * cpu_tuple_cost;
	return (Path *) xero_create_foreignscan_path(root, innerrel,
												 param_info->ppi_rows, 0,
												 cost / binding->runs, NIL,
												 param_info->ppi_req_outer,
												 xero_path_private(path));
}

static void
add_bind_path(PlannerInfo *root, RelOptInfo *joinrel, Path *outer,
			  RelOptInfo *innerrel, ParamPathInfo *param_info,
			  JoinType jointype, const XeroBinding *clause,
			  JoinPathExtraData *extra)
{
	XeroBinding *binding = palloc(sizeof(XeroBinding));
	JoinCostWorkspace workspace;
	Path	   *inner;
	NestPath   *path;

	*binding = *clause;
	inner = bound_scan(root, joinrel, outer, innerrel, param_info, binding);
	if (inner == NULL)
		return;
	outer = xero_lookahead_path(outer, binding);
	initial_cost_nestloop(root, &workspace, jointype, outer, inner, extra);
	path = create_nestloop_path(root, joinrel, jointype, &workspace, extra,
								outer, inner, extra->restrictlist,
								build_join_pathkeys(root, joinrel, jointype,
													outer->pathkeys),
								NULL);
	/* the first row takes a call */
	path->jpath.path.startup_cost += Min(XERO_CALL_COST,
										 path->jpath.path.total_cost - path->jpath.path.startup_cost);
	add_path(joinrel, (Path *) path);
}

/* Bind joins by one clause, over each way of reading the outer relation. */
static void
add_bind_paths(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outerrel,
			   RelOptInfo *innerrel, ParamPathInfo *param_info,
			   JoinType jointype, const XeroBinding *clause,
			   JoinPathExtraData *extra)
{
	ListCell   *lc;

	if (jointype == JOIN_UNIQUE_OUTER)
	{
		Path	   *outer = (Path *) create_unique_path(root, outerrel,
														outerrel->cheapest_total_path,
														extra->sjinfo);

		if (outer != NULL)
			add_bind_path(root, joinrel, outer, innerrel, param_info,
						  JOIN_INNER, clause, extra);
		return;
	}
	foreach(lc, outerrel->pathlist)
	{
		Path	   *outer = lfirst(lc);

		if (PATH_REQ_OUTER(outer) == NULL)
			add_bind_path(root, joinrel, outer, innerrel, param_info, jointype,
						  clause, extra);
	}
}

/* Do two scans that run once ask for the same pages? */
static bool
ask_alike(const Path *a, const Path *b)
{
	const XeroPath *x;
	const XeroPath *y;

	if (!IsA(a, ForeignPath) || !IsA(b, ForeignPath) ||
		PATH_REQ_OUTER(a) != NULL || PATH_REQ_OUTER(b) != NULL)
		return false;
	x = xero_path_of((const ForeignPath *) a);
	y = xero_path_of((const ForeignPath *) b);
	return x->kind == XERO_PATH_ROWS && y->kind == XERO_PATH_ROWS &&
		x->asked->serverid == y->asked->serverid &&
		xero_root_object(x->asked->object) == xero_root_object(y->asked->object) &&
		(x->scan.pushdown.sent == NIL || x->asked->relid == y->asked->relid) &&
		equal(x->scan.pushdown.sent, y->scan.pushdown.sent) &&
		equal(x->scan.pushdown.params, y->scan.pushdown.params);
}

/*
 * Does the outer relation read the list anyway?  Scans of one list share its
 * pages (scan/readers.c), so that it takes no calls to read it once more.
 */
static bool
shares_pages(PlannerInfo *root, RelOptInfo *outerrel, RelOptInfo *innerrel)
{
	int			relid = -1;
	ListCell   *lc;
	ListCell   *lc2;

	while ((relid = bms_next_member(outerrel->relids, relid)) >= 0)
	{
		RelOptInfo *rel = root->simple_rel_array[relid];

		if (rel == NULL || rel->reloptkind != RELOPT_BASEREL || !xero_is_foreign_table(rel) ||
			rel->userid != innerrel->userid)
			continue;
		foreach(lc, rel->pathlist)
		{
			foreach(lc2, innerrel->pathlist)
			{
				if (ask_alike(lfirst(lc), lfirst(lc2)))
					return true;
			}
		}
	}
	return false;
}

/* More calls than one, which any scan takes? */
static bool
is_worth_it(PlannerInfo *root, RelOptInfo *outerrel, RelOptInfo *innerrel)
{
	return calls_of(innerrel) > 1 &&
		!(xero_wants_all(root) && shares_pages(root, outerrel, innerrel));
}

/* Can the keys of this kind of join be looked up as its rows come? */
static bool
joins_by_row(JoinType jointype)
{
	return jointype == JOIN_INNER || jointype == JOIN_LEFT ||
		jointype == JOIN_SEMI || jointype == JOIN_ANTI ||
		jointype == JOIN_UNIQUE_OUTER;
}

/* It is the inner relation's from now on, which outlasts a join that GEQO tries. */
static ParamPathInfo *
get_param_info(PlannerInfo *root, RelOptInfo *innerrel, RelOptInfo *outerrel)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(innerrel));
	ParamPathInfo *param_info = get_baserel_parampathinfo(root, innerrel,
														  bms_copy(outerrel->relids));

	MemoryContextSwitchTo(old);
	return param_info;
}

static void
xero_join_pathlist(PlannerInfo *root, RelOptInfo *joinrel,
				   RelOptInfo *outerrel, RelOptInfo *innerrel,
				   JoinType jointype, JoinPathExtraData *extra)
{
	XeroRelInfo *info = innerrel->fdw_private;
	ParamPathInfo *param_info;
	ListCell   *lc;

	if (next_join_hook)
		next_join_hook(root, joinrel, outerrel, innerrel, jointype, extra);
	if (innerrel->reloptkind != RELOPT_BASEREL ||
		!xero_is_foreign_table(innerrel) || !joins_by_row(jointype) || !enable_nestloop ||
		!bms_is_subset(innerrel->lateral_relids, outerrel->relids) ||
		!is_worth_it(root, outerrel, innerrel))
		return;
	param_info = get_param_info(root, innerrel, outerrel);
	foreach(lc, param_info->ppi_clauses)
	{
		XeroBinding clause = {.slot = -1};

		clause.clause = lfirst_node(RestrictInfo, lc)->clause;
		clause.key = xero_listed_value(info->rel, clause.clause,
									   &clause.attno);
		if (clause.key != NULL && !contain_subplans(clause.key))
			add_bind_paths(root, joinrel, outerrel, innerrel, param_info,
						   jointype, &clause, extra);
	}
}

void
xero_bind_init(void)
{
	xero_lookahead_init();
	next_join_hook = set_join_pathlist_hook;
	set_join_pathlist_hook = xero_join_pathlist;
}
