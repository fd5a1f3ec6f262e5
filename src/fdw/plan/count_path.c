/*-------------------------------------------------------------------------
 *
 * count_path.c
 *	  count(*) answered by Xero.
 *
 * A page's envelope tells how many records the whole list has, so a count
 * over conditions that Xero checks exactly is one call for one record.  The
 * plan is a foreign scan without a relation of its own that returns one row.
 * Its first column is the count; others, always null, are there only for
 * EXPLAIN to name in the conditions that went down.
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
	XeroPushdown *pushdown;
	List	   *clauses;
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

	pushdown = palloc0(sizeof(XeroPushdown));
	clauses = extract_actual_clauses(input_rel->baserestrictinfo, false);
	xero_pushdown(info->rel, clauses, pushdown);
	if (pushdown->recheck != NIL)
		return;

	calls = pushdown->max_tenants < 0 ? info->organisations :
		Max(Min(info->organisations, pushdown->max_tenants), 1);
	cost = XERO_CALL_COST * calls + cpu_tuple_cost;
	output_rel->fdw_private = info;
	add_path(output_rel, (Path *)
			 xero_create_foreign_upper_path(root, output_rel,
											output_rel->reltarget, 1, cost, cost,
											list_make4(pushdown->sent,
													   pushdown->params,
													   makeFloat(psprintf("%.0f", calls)),
													   clauses)));
}

ForeignScan *
xero_plan_count(RelOptInfo *upper, ForeignPath *best_path, List *tlist)
{
	XeroRelInfo *info = upper->fdw_private;
	Node	   *count = only_count_star(upper);
	List	   *scan_tlist = list_make1(makeTargetEntry((Expr *) count, 1, NULL, false));
	List	   *clauses = lfourth(best_path->fdw_private);
	XeroAccess	access = {0};
	XeroScanChoice choice = {0};

	scan_tlist = add_to_flat_tlist(scan_tlist,
								   pull_var_clause((Node *) clauses,
												   PVC_RECURSE_PLACEHOLDERS));

	access.pushdown.sent = linitial(best_path->fdw_private);
	access.shape.forms = XERO_FORM_SUMMARY | XERO_FORM_LIST | XERO_FORM_SINGLE;
	access.calls = floatVal(lthird(best_path->fdw_private));
	choice.page_size = 1;		/* a single record may come */
	choice.counts = true;

	return make_foreignscan(tlist, NIL, 0, lsecond(best_path->fdw_private),
							xero_make_private(info->table, &access, &choice),
							scan_tlist, clauses, NULL);
}
