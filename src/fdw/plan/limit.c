/*-------------------------------------------------------------------------
 *
 * limit.c
 *	  LIMIT and OFFSET answered by Xero.
 *
 * If every record of a list is a row, the rows that OFFSET skips need not be
 * requested: the scan begins on a later page.  The rows up to LIMIT will all be
 * wanted, so their pages can be requested at once.  So a table can be read in
 * chunks for no more calls than as a whole.  The chunks fit together because
 * the order of the key is immutable.
 *
 * The plan is a foreign scan in place of the Limit node.  Its rows have the
 * table's columns, so it runs as a scan without LIMIT does.  If the scan turns
 * out to request several lists, or to read several organisations, it skips the
 * rows one by one.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include <math.h>

#include "access/sysattr.h"
#include "access/table.h"
#include "api/call/pager.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/builtins.h"

/* A row count of the query; false if it is no plain number. */
static bool
read_count(Node *node, int64 absent, int64 *count)
{
	Const	   *value = (Const *) node;

	*count = absent;
	if (node == NULL)
		return true;
	if (!IsA(node, Const) || value->consttype != INT8OID)
		return false;
	if (!value->constisnull)
		*count = DatumGetInt64(value->constvalue);
	return value->constisnull || *count >= 0;
}

/*
 * LIMIT and OFFSET of the query, if reading pages of that size is better for
 * knowing them.
 */
static bool
take_window(PlannerInfo *root, int page_size, XeroRowWindow *window)
{
	Query	   *parse = root->parse;

	if (!read_count(parse->limitOffset, 0, &window->offset) ||
		!read_count(parse->limitCount, -1, &window->rows) ||
		parse->limitOption == LIMIT_OPTION_WITH_TIES ||
		window->rows == 0 || window->offset / page_size >= PG_INT32_MAX)
		return false;
	if (window->rows < 0)
		return window->offset >= page_size;
	return window->rows > page_size ||
		window->offset > page_size - window->rows;
}

/* A page of just these rows, if there is one. */
static int
choose_page_size(const XeroRowWindow *window, int page_size)
{
	if (window->rows > 0 && window->rows < page_size &&
		window->offset % window->rows == 0)
		return (int) window->rows;
	return page_size;
}

/* How many pages the window touches of a list with so many records. */
static double
count_pages(const XeroRowWindow *window, int page_size, double records)
{
	double		rows = Max(records - window->offset, 0);

	if (window->rows >= 0)
		rows = Min(rows, window->rows);
	return Max(ceil((window->offset % page_size + rows) / page_size), 1);
}

/* Is the query nothing but rows of one table, perhaps sorted? */
static RelOptInfo *
only_table(PlannerInfo *root, RelOptInfo *input_rel)
{
	Query	   *parse = root->parse;
	RelOptInfo *baserel;
	int			relid;
	ListCell   *lc;

	if (parse->commandType != CMD_SELECT || parse->rowMarks != NIL ||
		parse->hasTargetSRFs || input_rel->fdw_private == NULL ||
		!bms_get_singleton_member(root->all_baserels, &relid))
		return NULL;
	if (input_rel->reloptkind != RELOPT_BASEREL &&
		input_rel != fetch_upper_rel(root, UPPERREL_ORDERED, NULL))
		return NULL;
	baserel = find_base_rel(root, relid);
	foreach(lc, baserel->baserestrictinfo)
	{
		if (lfirst_node(RestrictInfo, lc)->pseudoconstant)
			return NULL;
	}
	return bms_is_empty(baserel->lateral_relids) ? baserel : NULL;
}

/* Can what the query returns be made of the table's columns and rows? */
static bool
check_target(PathTarget *target, Index relid, bool *whole_row)
{
	Bitmapset  *attrs = NULL;
	int			first;

	if (contain_volatile_functions((Node *) target->exprs))
		return false;
	pull_varattnos((Node *) target->exprs, relid, &attrs);
	*whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, attrs);
	first = bms_next_member(attrs, -1);
	return first < 0 || first >= 0 - FirstLowInvalidHeapAttributeNumber;
}

/*
 * The order= of the query; false if Xero cannot give it.  Since records move
 * in an order that is not immutable, the window must be on one page then, of
 * one list.
 */
static bool
take_order(PlannerInfo *root, RelOptInfo *baserel, List *clauses,
		   const XeroRowWindow *window, int page_size, const char **order)
{
	AttrNumber	attno;

	*order = NULL;
	if (root->sort_pathkeys == NIL)
		return true;
	if (list_length(root->sort_pathkeys) != 1 || window->rows < 0 ||
		window->offset % page_size + window->rows > page_size)
		return false;
	*order = xero_order_for_pathkey(baserel, linitial(root->sort_pathkeys),
									clauses, &attno);
	return *order != NULL;
}

/* Will at most one organisation be asked, as far as is known? */
static bool
is_one_organisation(const XeroRelInfo *info, const XeroScanPlan *scan,
					bool for_certain)
{
	if (info->table->one_tenant ||
		(scan->pushdown.max_organisations >= 0 && scan->pushdown.max_organisations <= 1))
		return true;
	return !for_certain && info->organisations <= 1;
}

/*
 * All rows of a window will be wanted, unless the statement around it may stop
 * early.  LIMIT is part of the query's own tuple_fraction.
 */
static bool
wants_all(PlannerInfo *root, const XeroRowWindow *window)
{
	if (root->parent_root != NULL && root->parent_root->tuple_fraction > 0)
		return false;
	return window->rows < 0 ? root->tuple_fraction <= 0 :
		root->tuple_fraction >= (double) window->offset + window->rows;
}

void
xero_add_limit_path(PlannerInfo *root, RelOptInfo *input_rel,
					RelOptInfo *final_rel)
{
	PathTarget *target = root->upper_targets[UPPERREL_FINAL];
	RelOptInfo *baserel = only_table(root, input_rel);
	XeroRelInfo *info;
	const XeroObject *object;
	XeroRowWindow window;
	XeroPath   *path;
	XeroScanPlan *scan;
	int			page_size;
	const char *order;
	double		rows;

	if (baserel == NULL)
		return;
	info = baserel->fdw_private;
	object = info->table->object;
	if (object->parent != NULL || object->paging != XERO_PAGING_PAGE)
		return;
	page_size = xero_pager_page_size(object, info->table->page_size);
	if (!take_window(root, page_size, &window) ||
		!check_target(target, baserel->relid, &window.whole_row))
		return;
	page_size = choose_page_size(&window, page_size);
	if (!take_order(root, baserel, info->clauses, &window, page_size, &order))
		return;
	path = xero_make_path(root, baserel, info->clauses, order, page_size,
						  wants_all(root, &window));
	scan = &path->scan;
	if (scan->pushdown.recheck != NIL ||
		!is_one_organisation(info, scan, order != NULL) ||
		(order != NULL && (scan->lists > 1 || scan->pushdown.split)))
		return;

	path->kind = XERO_PATH_WINDOW;
	path->window = list_make3(makeFloat(psprintf(INT64_FORMAT, window.offset)),
							  makeFloat(psprintf(INT64_FORMAT, window.rows)),
							  makeBoolean(window.whole_row));
	scan->calls = count_pages(&window, page_size, scan->records);
	rows = clamp_row_est(scan->records - window.offset);
	if (window.rows >= 0)
		rows = Min(rows, window.rows);
	add_path(final_rel, (Path *)
			 xero_create_foreign_upper_path(root, final_rel, target, rows,
											XERO_CALL_COST,
											XERO_CALL_COST * scan->calls +
											rows * cpu_tuple_cost,
											xero_path_private(path)));
}

/* The table's columns, and perhaps a row of it, as the scan returns them. */
static List *
make_scan_tlist(Index varno, Oid relid, bool whole_row)
{
	Relation	rel = table_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *tlist = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Expr	   *expr;

		if (att->attisdropped)
			expr = (Expr *) makeNullConst(INT4OID, -1, InvalidOid);
		else
			expr = (Expr *) makeVar(varno, i + 1, att->atttypid, att->atttypmod,
									att->attcollation, 0);
		tlist = lappend(tlist, makeTargetEntry(expr, i + 1,
											   pstrdup(NameStr(att->attname)),
											   false));
	}
	if (whole_row)
		tlist = lappend(tlist,
						makeTargetEntry((Expr *) makeVar(varno, 0,
														 rel->rd_rel->reltype,
														 -1, InvalidOid, 0),
										desc->natts + 1, NULL, false));
	table_close(rel, NoLock);
	return tlist;
}

ForeignScan *
xero_plan_window(PlannerInfo *root, const XeroPath *path, List *tlist)
{
	List	   *scan_tlist;

	scan_tlist = make_scan_tlist(bms_singleton_member(root->all_baserels),
								 path->table->relid,
								 boolVal(lthird(path->window)));
	return make_foreignscan(tlist, NIL, 0, path->scan.pushdown.params,
							xero_plan_private(path), scan_tlist,
							path->scan.pushdown.remote, NULL);
}
