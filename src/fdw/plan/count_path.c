/*-------------------------------------------------------------------------
 *
 * count_path.c
 *	  count(*) answered by Xero.
 *
 * The envelope of a page contains the number of records of the whole list.  So
 * a count over conditions that Xero evaluates exactly is one call for one
 * record.  The plan is a foreign scan without a relation of its own, which
 * returns one row.  Its first column is the count.  The others are always null;
 * EXPLAIN needs them to print the conditions that are pushed down.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"

/* Is this count(*), plain? */
static bool
is_count_star(Node *node)
{
	Aggref	   *agg = (Aggref *) node;

	return IsA(agg, Aggref) && agg->aggfnoid == F_COUNT_ &&
		agg->aggstar && agg->aggfilter == NULL && agg->agglevelsup == 0 &&
		agg->aggsplit == AGGSPLIT_SIMPLE;
}

/* The count(*) that the upper relation computes, if it computes nothing else. */
static Node *
only_count_star(RelOptInfo *upper)
{
	List	   *parts = pull_var_clause((Node *) upper->reltarget->exprs,
										PVC_INCLUDE_AGGREGATES |
										PVC_RECURSE_PLACEHOLDERS |
										PVC_INCLUDE_WINDOWFUNCS);
	ListCell   *lc;

	foreach(lc, parts)
	{
		if (!is_count_star(lfirst(lc)))
			return NULL;
	}
	return parts != NIL ? linitial(parts) : NULL;
}

void
xero_add_count_path(PlannerInfo *root, RelOptInfo *input_rel,
					RelOptInfo *output_rel)
{
	Query	   *parse = root->parse;
	XeroRelInfo *info = input_rel->fdw_private;
	XeroPath   *path;
	double		calls;
	Cost		cost;
	ListCell   *lc;

	if (output_rel->fdw_private ||
		input_rel->reloptkind != RELOPT_BASEREL || info == NULL ||
		parse->groupClause || parse->groupingSets || parse->havingQual ||
		parse->hasTargetSRFs ||
		info->table->object->parent != NULL ||
		info->table->object->paging != XERO_PAGING_PAGE ||
		only_count_star(output_rel) == NULL)
		return;
	foreach(lc, input_rel->baserestrictinfo)
	{
		if (lfirst_node(RestrictInfo, lc)->pseudoconstant)
			return;
	}

	if (info->pushdown.recheck != NIL)
		return;

	calls = info->pushdown.max_organisations < 0 ? info->organisations :
		Max(Min(info->organisations, info->pushdown.max_organisations), 1);
	path = palloc0(sizeof(XeroPath));
	path->kind = XERO_PATH_COUNT;
	path->table = info->table;
	path->clauses = info->clauses;
	path->scan.pushdown = info->pushdown;
	path->scan.options.levels = XERO_LEVEL_SUMMARY | XERO_LEVEL_LIST | XERO_LEVEL_SINGLE;
	path->scan.calls = calls;
	path->page_size = 1;		/* a single record may come */

	cost = XERO_CALL_COST * calls + cpu_tuple_cost;
	output_rel->fdw_private = info;
	add_path(output_rel, (Path *)
			 xero_create_foreign_upper_path(root, output_rel,
											output_rel->reltarget, 1, cost, cost,
											xero_path_private(path)));
}

ForeignScan *
xero_plan_count(RelOptInfo *upper, const XeroPath *path, List *tlist)
{
	Node	   *count = only_count_star(upper);
	List	   *scan_tlist = list_make1(makeTargetEntry((Expr *) count, 1, NULL, false));

	scan_tlist = add_to_flat_tlist(scan_tlist,
								   pull_var_clause((Node *) path->clauses,
												   PVC_RECURSE_PLACEHOLDERS));
	return make_foreignscan(tlist, NIL, 0, path->scan.pushdown.params,
							xero_plan_private(path), scan_tlist, path->clauses,
							NULL);
}
