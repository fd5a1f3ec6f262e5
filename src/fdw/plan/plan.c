/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Planning of scans: sizes and paths.
 *
 * There are five kinds of path:
 *	- the plain scan;
 *	- a scan in an order that Xero can give, offered only if LIMIT then lets it
 *	  stop within the first page.  Otherwise sorting here costs no more calls,
 *	  and in the order of an immutable key a record that changes meanwhile
 *	  cannot move across a page border;
 *	- the scan of a list by offset, in the order that it has;
 *	- the scan of a child table that asks for what its parent's is asked for
 *	  (parent.c);
 *	- look-ups by key, or in one organisation, with a parameter from another
 *	  relation.
 * path.c determines the requests of each, and the number of calls.
 *
 * The number of organisations that a scan will read is known here only if the
 * session has asked Xero before.  So a plan must be right for any number.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include <math.h>

#include "access/table.h"
#include "api/call/pager.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"

static void
cost_scan(const XeroScanPlan *scan, double rows, Cost *startup, Cost *total)
{
	*startup = XERO_CALL_COST;
	*total = *startup + (scan->calls - 1) * XERO_CALL_COST +
		Max(scan->records, rows) * cpu_tuple_cost;
}

void
xeroGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
					  Oid foreigntableid)
{
	XeroRelInfo *info = palloc0(sizeof(XeroRelInfo));
	Relation	rel = table_open(foreigntableid, NoLock);
	const XeroObject *object;
	XeroOrganisation *organisations;
	int			told;

	info->table = xero_get_table(rel);
	table_close(rel, NoLock);
	info->rel = xero_rel_from_table(info->table, baserel->relid);
	baserel->fdw_private = info;

	object = info->table->object;
	info->records = xero_planned_records(info->table, baserel->userid, &told);
	info->records_known = info->records >= 0;
	if (!info->records_known)
		info->records = xero_root_object(object)->typical_rows;
	info->organisations = xero_planned_organisations(info->table,
													 baserel->userid,
													 &organisations);
	if (info->organisations < 0)
		info->organisations = told;
	info->organisations = Max(1, info->organisations);
	info->records *= info->organisations;
	info->rows_per_record = object->parent ?
		Max(1.0, (double) object->typical_rows / Max(object->parent->typical_rows, 1)) : 1.0;

	baserel->tuples = clamp_row_est(info->records * info->rows_per_record);
	set_baserel_size_estimates(root, baserel);

	info->clauses = extract_actual_clauses(baserel->baserestrictinfo, false);
	xero_pushdown(info->rel, info->clauses, &info->pushdown);
	if (info->pushdown.max_records >= 0)
		baserel->rows = clamp_row_est(Min(baserel->rows,
										  info->pushdown.max_records * info->rows_per_record));
}

/* Is the table, or the one that it is a part of, all that the statement reads? */
static bool
is_read_alone(PlannerInfo *root, RelOptInfo *baserel)
{
	return bms_equal(root->all_baserels,
					 IS_OTHER_REL(baserel) ? baserel->top_parent_relids : baserel->relids);
}

/* Does the statement need a known number of rows at most? */
static bool
is_bounded(PlannerInfo *root)
{
	return root->limit_tuples > 0 &&
		root->parse->limitOption != LIMIT_OPTION_WITH_TIES;
}

/*
 * The page size.  If the statement needs only so many rows, and every row
 * that comes counts, then no more need to be asked for.
 */
static int
choose_page_size(PlannerInfo *root, RelOptInfo *baserel, bool all_count,
				 List *sort)
{
	XeroRelInfo *info = baserel->fdw_private;

	if (is_bounded(root) && all_count &&
		info->table->object->parent == NULL &&
		is_read_alone(root, baserel) &&
		(root->query_pathkeys == NIL ||
		 (sort != NIL && !boolVal(lfourth(sort)))))
		return Min(root->limit_tuples, info->table->page_size);
	return info->table->page_size;
}

/* Will all rows be wanted?  If not, a page ahead may be a call wasted. */
bool
xero_wants_all(PlannerInfo *root)
{
	return root->tuple_fraction <= 0 && root->limit_tuples < 0;
}

/* Settle the pages of a path, and offer it. */
static void
offer_path(PlannerInfo *root, RelOptInfo *baserel, XeroPath *path, double rows,
		   List *pathkeys, Relids outer)
{
	Cost		startup;
	Cost		total;

	cost_scan(&path->scan, rows, &startup, &total);
	if (!bms_is_empty(outer))
		total *= XERO_DOUBT_ROW;
	path->page_size = choose_page_size(root, baserel,
									   path->scan.pushdown.recheck == NIL,
									   path->sort);
	if (path->sort != NIL && intVal(lthird(path->sort)) <= path->page_size)
		/* several lists are put in one order here */
		path->scan.calls = path->scan.organisations * path->scan.lists;
	else if (path->page_size < path->table->page_size)
		path->scan.calls = 1;	/* as many rows as LIMIT asks for */
	add_path(baserel, (Path *)
			 xero_create_foreignscan_path(root, baserel, rows, startup, total,
										  pathkeys, outer,
										  xero_path_private(path)));
}

static void
add_plain_path(PlannerInfo *root, RelOptInfo *baserel)
{
	XeroRelInfo *info = baserel->fdw_private;

	offer_path(root, baserel,
			   xero_make_path(root, baserel, info->clauses, NULL,
							  info->table->page_size, xero_wants_all(root)),
			   baserel->rows, NIL, baserel->lateral_relids);
}

/*
 * See the head of the file for why only a bounded scan is read in order.  If
 * the order is that of the first of several keys, or ties are wanted, the rows
 * that are equal to the last one have to be on its page, too.
 *
 * Nulls that come last are left out, in the hope that there are enough other
 * rows.  Values of parameters would have to be told for both kinds of list.
 */
static void
add_ordered_path(PlannerInfo *root, RelOptInfo *baserel)
{
	XeroRelInfo *info = baserel->fdw_private;
	const XeroObject *object = info->table->object;
	bool		ties = list_length(root->query_pathkeys) > 1 ||
	root->parse->limitOption == LIMIT_OPTION_WITH_TIES;
	double		page = xero_pager_page_size(object, info->table->page_size);
	List	   *clauses = info->clauses;
	List	   *whole = NIL;
	XeroPath   *path;
	PathKey    *pathkey;
	const char *order;
	AttrNumber	attno;

	if (root->query_pathkeys == NIL || root->limit_tuples <= 0 ||
		object->parent != NULL || info->pushdown.recheck != NIL ||
		!is_read_alone(root, baserel))
		return;
	pathkey = linitial(root->query_pathkeys);
	order = xero_order_for_pathkey(baserel, pathkey, clauses, &attno);
	if (order == NULL && !pathkey->pk_nulls_first)
	{
		clauses = xero_without_nulls(baserel, pathkey, clauses);
		order = xero_order_for_pathkey(baserel, pathkey, clauses, &attno);
		whole = list_make1(info->pushdown.sent);
		ties = true;
	}
	if (order == NULL || root->limit_tuples > (ties ? page / 2 : page))
		return;

	path = xero_make_path(root, baserel, clauses, pstrdup(order),
						  info->table->page_size, xero_wants_all(root));
	if (path->scan.pushdown.recheck != NIL ||
		(whole != NIL && path->scan.pushdown.params != NIL))
		return;
	path->scan.pushdown.remote = info->pushdown.remote;
	path->sort = list_make5(makeInteger(attno),
							makeBoolean(xero_pathkey_descends(pathkey)),
							makeInteger((int) root->limit_tuples),
							makeBoolean(ties), whole);
	path->scan.wanted = list_append_unique(path->scan.wanted,
										   linitial(path->sort));
	offer_path(root, baserel, path, baserel->rows, list_make1(pathkey),
			   baserel->lateral_relids);
}

/*
 * A list by offset comes in the order of its numbers, whatever is wanted of it.
 */
static void
add_offset_path(PlannerInfo *root, RelOptInfo *baserel)
{
	XeroRelInfo *info = baserel->fdw_private;
	XeroPath   *path;
	PathKey    *pathkey;
	Var		   *column;
	bool		first_ones;

	if (root->query_pathkeys == NIL)
		return;
	pathkey = linitial(root->query_pathkeys);
	column = xero_pathkey_column(baserel, pathkey);
	if (column == NULL || !xero_is_offset_column(info->rel, column->varattno) ||
		xero_pathkey_descends(pathkey))
		return;

	path = xero_make_path(root, baserel, info->clauses, NULL,
						  info->table->page_size, xero_wants_all(root));
	first_ones = is_bounded(root) && path->scan.pushdown.recheck == NIL &&
		list_length(root->query_pathkeys) == 1 &&
		is_read_alone(root, baserel);
	path->sort = list_make5(makeInteger(column->varattno), makeBoolean(false),
							makeInteger(first_ones ? (int) Min(root->limit_tuples, INT_MAX) : INT_MAX),
							makeBoolean(false), NIL);
	path->scan.wanted = list_append_unique(path->scan.wanted,
										   linitial(path->sort));
	offer_path(root, baserel, path, baserel->rows, list_make1(pathkey),
			   baserel->lateral_relids);
}

/* A child table that is read with the conditions of its parent's table. */
static void
add_child_path(PlannerInfo *root, RelOptInfo *baserel)
{
	XeroRelInfo *info = baserel->fdw_private;
	RelOptInfo *parent = xero_joined_parent(root, baserel);
	XeroPath   *path;

	if (parent == NULL || !bms_is_empty(baserel->lateral_relids))
		return;
	path = xero_make_child_path(root, baserel, parent, info->table->page_size,
								xero_wants_all(root));
	if (path != NULL)
		offer_path(root, baserel, path,
				   clamp_row_est(baserel->rows * path->scan.records / info->records),
				   NIL, NULL);
}

static bool
is_wanted_ec_member(PlannerInfo *root, RelOptInfo *baserel,
					EquivalenceClass *ec, EquivalenceMember *em, void *arg)
{
	Var		   *var = (Var *) em->em_expr;

	return IsA(var, Var) && var->varno == baserel->relid &&
		var->varattno == *(AttrNumber *) arg;
}

List *
xero_implied_equalities(PlannerInfo *root, RelOptInfo *baserel, AttrNumber attno)
{
	if (!baserel->has_eclass_joins)
		return NIL;
	return generate_implied_equalities_for_column(root, baserel,
												  is_wanted_ec_member, &attno,
												  baserel->lateral_referencers);
}

/* One path for the relations that one key clause takes its value from. */
static void
add_lookup_path(PlannerInfo *root, RelOptInfo *baserel, RestrictInfo *rinfo)
{
	XeroRelInfo *info = baserel->fdw_private;
	Relids		outer;
	ParamPathInfo *param_info;
	List	   *clauses;

	if (!join_clause_is_movable_to(rinfo, baserel) ||
		!xero_is_lookup(info->rel, rinfo->clause))
		return;
	outer = bms_difference(rinfo->clause_relids, baserel->relids);
	outer = bms_union(outer, baserel->lateral_relids);
	if (bms_is_empty(outer))
		return;

	param_info = get_baserel_parampathinfo(root, baserel, outer);
	clauses = list_concat_copy(info->clauses,
							   extract_actual_clauses(param_info->ppi_clauses,
													  false));
	offer_path(root, baserel,
			   xero_make_path(root, baserel, clauses, NULL,
							  info->table->page_size, xero_wants_all(root)),
			   param_info->ppi_rows, NIL, outer);
}

/* Look-ups by key, or tenant_id, with values of other relations. */
static void
add_lookup_paths(PlannerInfo *root, RelOptInfo *baserel)
{
	XeroRelInfo *info = baserel->fdw_private;
	ListCell   *lc;

	foreach(lc, baserel->joininfo)
		add_lookup_path(root, baserel, lfirst_node(RestrictInfo, lc));

	for (AttrNumber attno = 1; attno <= info->rel->natts; attno++)
	{
		if (info->rel->columns[attno - 1] == NULL &&
			attno != info->rel->tenant_attno)
			continue;
		foreach(lc, xero_implied_equalities(root, baserel, attno))
			add_lookup_path(root, baserel, lfirst_node(RestrictInfo, lc));
	}
}

void
xeroGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	add_plain_path(root, baserel);
	add_ordered_path(root, baserel);
	add_offset_path(root, baserel);
	add_child_path(root, baserel);
	add_lookup_paths(root, baserel);
}

void
xeroGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
						 RelOptInfo *input_rel, RelOptInfo *output_rel,
						 void *extra)
{
	switch (stage)
	{
		case UPPERREL_GROUP_AGG:
			xero_add_count_path(root, input_rel, output_rel,
								output_rel->reltarget,
								(List *) ((GroupPathExtraData *) extra)->havingQual);
			break;
		case UPPERREL_PARTIAL_GROUP_AGG:
			xero_add_count_path(root, input_rel, output_rel,
								output_rel->reltarget, NIL);
			break;
		case UPPERREL_DISTINCT:
			xero_add_count_path(root, input_rel, output_rel,
								root->upper_targets[UPPERREL_DISTINCT], NIL);
			break;
		case UPPERREL_ORDERED:
			/* a mark: nothing but sorting comes after the table's rows */
			if (input_rel->reloptkind == RELOPT_BASEREL)
				output_rel->fdw_private = input_rel->fdw_private;
			break;
		case UPPERREL_FINAL:
			if (((FinalPathExtraData *) extra)->limit_needed)
				xero_add_limit_path(root, input_rel, output_rel);
			break;
		default:
			break;
	}
}

/*
 * Those of the clauses that are checked here, in the order that the planner
 * wants, which keeps those of security barriers first.
 */
static List *
order_recheck(List *clauses, List *recheck)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		if (list_member_ptr(recheck, lfirst(lc)))
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/*
 * Were these clauses looked at when the path was made?  Not if its parameters
 * have become those of a partition since: that copies them.
 */
static bool
is_path_for(const XeroPath *path, List *clauses)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		if (!list_member_ptr(path->clauses, lfirst(lc)))
			return false;
	}
	return true;
}

ForeignScan *
xeroGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid,
				   ForeignPath *best_path, List *tlist, List *scan_clauses,
				   Plan *outer_plan)
{
	XeroPath   *path = xero_path_of(best_path);
	List	   *clauses = extract_actual_clauses(scan_clauses, false);
	const XeroPushdown *pushdown;

	if (path->kind == XERO_PATH_WINDOW)
		return xero_plan_window(root, path, tlist);
	if (path->kind == XERO_PATH_COUNT)
		return xero_plan_count(path, tlist);

	if (!is_path_for(path, clauses))
		path = xero_make_path(root, baserel, clauses, NULL, path->page_size,
							  path->ahead);
	if (path->binding)
		(void) xero_binding_slot(root, path->binding);
	pushdown = &path->scan.pushdown;
	return make_foreignscan(tlist, order_recheck(clauses, pushdown->recheck),
							baserel->relid, pushdown->params,
							xero_plan_private(path), NIL, pushdown->remote,
							outer_plan);
}
