/*-------------------------------------------------------------------------
 *
 * count_path.c
 *	  count() answered by Xero.
 *
 * The envelope of a page contains the number of records of the whole list.  So
 * a count over conditions that Xero evaluates exactly is one call for one
 * record.  FILTER, and a column whose nulls are not to be counted, are further
 * conditions of one count.
 *
 * The plan is a foreign scan without a relation of its own, which returns one
 * row.  Its first columns are the counts.  The others are always null; EXPLAIN
 * needs them to print the conditions that are pushed down.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include "access/sysattr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"

/*
 * So many calls for counts are at most twice, and one more than, the one that
 * reads a list of a single page.  More are made only if the list is known to
 * be longer.
 */
#define FEW_COUNTS 3

/*
 * The aggregates that the query needs, without duplicates; NIL if it needs
 * anything else, too.
 */
static List *
only_aggregates(PlannerInfo *root, RelOptInfo *upper)
{
	List	   *parts = pull_var_clause((Node *) list_concat_copy(upper->reltarget->exprs,
																  (List *) root->parse->havingQual),
										PVC_INCLUDE_AGGREGATES |
										PVC_RECURSE_PLACEHOLDERS |
										PVC_INCLUDE_WINDOWFUNCS);
	List	   *aggregates = NIL;
	ListCell   *lc;

	foreach(lc, parts)
	{
		if (!IsA(lfirst(lc), Aggref))
			return NIL;
		aggregates = list_append_unique(aggregates, lfirst(lc));
	}
	return aggregates;
}

/*
 * Does an aggregate count rows?  Then "clauses" gets the conditions on them.
 * They do not pick organisations: one scan reads the same for all its counts.
 */
static bool
counts_rows(const XeroRelInfo *info, const Aggref *agg, List **clauses)
{
	Bitmapset  *attrs = NULL;
	Node	   *arg;
	NullTest   *test;

	pull_varattnos((Node *) agg->aggfilter, info->rel->relid, &attrs);
	if ((agg->aggfnoid != F_COUNT_ && agg->aggfnoid != F_COUNT_ANY) ||
		agg->aggdistinct != NIL || agg->aggorder != NIL ||
		agg->agglevelsup != 0 || agg->aggsplit != AGGSPLIT_SIMPLE ||
		(info->rel->tenant_attno > 0 &&
		 bms_is_member(info->rel->tenant_attno - FirstLowInvalidHeapAttributeNumber,
					   attrs)))
		return false;
	*clauses = list_copy(make_ands_implicit(agg->aggfilter));
	if (agg->aggstar)
		return true;
	arg = (Node *) ((TargetEntry *) linitial(agg->args))->expr;
	if (IsA(arg, Const))
		return !((Const *) arg)->constisnull;
	test = makeNode(NullTest);
	test->arg = (Expr *) arg;
	test->nulltesttype = IS_NOT_NULL;
	test->location = -1;
	*clauses = lappend(*clauses, test);
	return true;
}

/*
 * Adds one count to the path: what is sent for it, and where its parameters
 * begin among those of all.  False if Xero's count is not the right one.
 */
static bool
add_count(XeroPath *path, const XeroRelInfo *info, const Aggref *agg)
{
	List	   *clauses;
	XeroPushdown pushdown;
	List	   *params = path->scan.pushdown.params;

	if (!counts_rows(info, agg, &clauses))
		return false;
	xero_pushdown(info->rel, list_concat_copy(info->clauses, clauses),
				  &pushdown);
	if (pushdown.recheck != NIL)
		return false;
	path->counts = lappend(path->counts,
						   list_make2(pushdown.sent,
									  makeInteger(list_length(params))));
	path->scan.pushdown.params = list_concat(params, pushdown.params);
	return true;
}

/* How many lists the counts of a path ask one organisation for. */
static int
count_lists(const XeroPath *path, const XeroRelInfo *info)
{
	List	   *seen = NIL;
	int			lists = 0;
	ListCell   *lc;

	foreach(lc, path->counts)
	{
		List	   *sent = linitial(lfirst(lc));

		if (list_member(seen, sent))
			continue;
		seen = lappend(seen, sent);
		lists += list_length(xero_build_requests(info->rel, sent, NULL,
												 &path->scan.options));
	}
	return lists;
}

/*
 * May so many calls be made for what reading the list could tell?  Conditions
 * may leave a page of it, whatever was estimated.
 */
static bool
may_ask(const XeroRelInfo *info, int lists)
{
	return lists <= FEW_COUNTS ||
		(info->clauses == NIL && info->records_known &&
		 info->records / info->organisations >
		 (double) lists * info->table->page_size);
}

void
xero_add_count_path(PlannerInfo *root, RelOptInfo *input_rel,
					RelOptInfo *output_rel)
{
	Query	   *parse = root->parse;
	XeroRelInfo *info = input_rel->fdw_private;
	XeroPath   *path;
	List	   *aggregates;
	int			lists;
	Cost		cost;
	ListCell   *lc;

	if (output_rel->fdw_private ||
		input_rel->reloptkind != RELOPT_BASEREL || info == NULL ||
		parse->groupClause || parse->groupingSets ||
		parse->hasTargetSRFs ||
		info->table->object->parent != NULL ||
		info->table->object->paging != XERO_PAGING_PAGE ||
		(aggregates = only_aggregates(root, output_rel)) == NIL)
		return;
	foreach(lc, input_rel->baserestrictinfo)
	{
		if (lfirst_node(RestrictInfo, lc)->pseudoconstant)
			return;
	}

	path = palloc0(sizeof(XeroPath));
	path->kind = XERO_PATH_COUNT;
	path->table = info->table;
	path->clauses = info->clauses;
	path->scan.pushdown.sent = info->pushdown.sent;
	path->scan.options.levels = XERO_LEVEL_SUMMARY | XERO_LEVEL_LIST | XERO_LEVEL_SINGLE;
	path->page_size = 1;		/* a single record may come */
	foreach(lc, aggregates)
	{
		if (!add_count(path, info, lfirst(lc)))
			return;
	}
	lists = count_lists(path, info);
	if (!may_ask(info, lists))
		return;

	path->scan.calls = lists *
		(info->pushdown.max_organisations < 0 ? info->organisations :
		 Max(Min(info->organisations, info->pushdown.max_organisations), 1));
	cost = XERO_CALL_COST * path->scan.calls + cpu_tuple_cost;
	output_rel->fdw_private = info;
	add_path(output_rel, (Path *)
			 xero_create_foreign_upper_path(root, output_rel,
											output_rel->reltarget, 1, cost, cost,
											xero_path_private(path)));
}

ForeignScan *
xero_plan_count(PlannerInfo *root, RelOptInfo *upper, const XeroPath *path,
				List *tlist)
{
	List	   *scan_tlist = add_to_flat_tlist(NIL, only_aggregates(root, upper));

	scan_tlist = add_to_flat_tlist(scan_tlist,
								   pull_var_clause((Node *) path->clauses,
												   PVC_RECURSE_PLACEHOLDERS));
	return make_foreignscan(tlist, (List *) root->parse->havingQual, 0,
							path->scan.pushdown.params,
							xero_plan_private(path), scan_tlist, path->clauses,
							NULL);
}
