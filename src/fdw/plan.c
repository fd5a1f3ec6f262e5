/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Planning of scans.
 *
 * The unit of cost is the API call: next to it, everything else is small.
 * So a path's cost is its number of calls, and estimates of rows serve to
 * estimate pages.  Nothing here sends a request.
 *
 * Three kinds of path: the plain scan; a scan in an order that Xero can give,
 * offered only where LIMIT then lets it stop within the first page (otherwise
 * sorting here costs no call more, and reading in the order of an immutable
 * key keeps a record that changes meanwhile from moving across a page
 * border); and look-ups by key, or in one organisation, with a parameter from
 * another relation.
 *
 * How many organisations a scan will ask is known here only if the session
 * has asked Xero before, so a plan must be right for any number of them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan.h"

#include <math.h>

#include "access/sysattr.h"
#include "access/table.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

/* Share of records that have something behind XeroColumn.detail_if. */
#define DETAIL_IF_SHARE		0.1

/* Attributes that the target list or the rechecked clauses read. */
static List *
wanted_attributes(const XeroTable *table, RelOptInfo *baserel, List *recheck)
{
	Bitmapset  *attrs = NULL;
	List	   *result = NIL;
	bool		whole_row;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &attrs);
	pull_varattnos((Node *) recheck, baserel->relid, &attrs);

	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, attrs);
	for (int i = 0; i < table->natts; i++)
	{
		const XeroTableColumn *column = &table->columns[i];

		if (column->path == NULL && !column->is_tenant)
			continue;			/* dropped */
		if (whole_row ||
			bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, attrs))
			result = lappend(result, makeInteger(i + 1));
	}
	return result;
}

/*
 * The forms of response that carry a child table's array, without which there
 * are no rows, whatever columns are wanted.
 */
static int
array_forms(const XeroTable *table)
{
	const XeroObject *object = table->object;
	const XeroColumn *array;

	if (object->parent == NULL)
		return XERO_FORM_SUMMARY | XERO_FORM_LIST | XERO_FORM_SINGLE;
	array = xero_find_field(object->parent, object->array);
	if (table->summary_only && !(array->forms & XERO_FORM_SUMMARY))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the rows of foreign table \"%s\" are not part of the summary form",
						table->name),
				 errhint("Set the table's option summary_only to false.")));
	if (xero_lists_lack_rows(object))
		return XERO_FORM_LIST | XERO_FORM_SINGLE;
	return array->forms;
}

/*
 * The forms of response that carry all the wanted columns.  Columns that no
 * list carries are fetched record by record and do not hinder the list.
 */
static int
usable_forms(const XeroTable *table, List *wanted)
{
	int			forms = array_forms(table);
	ListCell   *lc;

	foreach(lc, wanted)
	{
		int			attno = intVal(lfirst(lc));
		const XeroTableColumn *column = &table->columns[attno - 1];
		int			carried;

		if (column->is_tenant)
			continue;
		carried = column->known ? column->known->forms :
			XERO_FORM_LIST | XERO_FORM_SINGLE;

		if (table->summary_only && !(carried & XERO_FORM_SUMMARY))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" is not part of the summary form of foreign table \"%s\"",
							get_attname(table->relid, attno, false), table->name),
					 errhint("Leave the column out, or set the table's option summary_only to false.")));

		if (!(carried & XERO_FORM_LIST))
		{
			const char *detail_if = column->known->detail_if;
			const XeroColumn *flag = detail_if ?
			xero_find_field(table->object, detail_if) : NULL;

			carried |= XERO_FORM_SUMMARY | XERO_FORM_LIST;
			if (flag)
				carried &= flag->forms;
		}
		forms &= carried;
	}
	return forms;
}

/* Calls for what only the GET of a single record carries. */
static double
detail_calls(const XeroTable *table, List *wanted, double records)
{
	double		calls = xero_lists_lack_rows(table->object) ? records : 0;
	ListCell   *lc;

	foreach(lc, wanted)
	{
		const XeroColumn *known = table->columns[intVal(lfirst(lc)) - 1].known;

		if (known && !(known->forms & XERO_FORM_LIST))
			calls = Max(calls, known->detail_if ?
						ceil(records * DETAIL_IF_SHARE) : records);
	}
	return calls;
}

/* Calls of a list with so many records, or of so many lists. */
static double
list_calls(const XeroObject *object, int page_size, double records, int lists)
{
	int			served;

	if (object->paging == XERO_PAGING_NONE)
		return lists;
	served = object->max_page_size > 0 ?
		Min(page_size, object->max_page_size) : object->default_page_size;
	return Max(ceil(records / Max(served, 1)), lists);
}

/* Settle what to ask for if just these clauses are looked at. */
static void
plan_clauses(PlannerInfo *root, RelOptInfo *baserel, List *clauses,
			 int page_size, XeroAccess *access)
{
	XeroRelInfo *info = baserel->fdw_private;
	const XeroObject *object = xero_root_object(info->table->object);
	List	   *targets;

	xero_pushdown(info->rel, clauses, &access->pushdown);
	access->wanted = wanted_attributes(info->table, baserel,
									   access->pushdown.recheck);
	access->shape.forms = usable_forms(info->table, access->wanted);

	access->records = clamp_row_est(info->records *
									clauselist_selectivity(root,
														   access->pushdown.remote,
														   baserel->relid,
														   JOIN_INNER, NULL));
	if (access->pushdown.max_records >= 0)
		access->records = Min(access->records, access->pushdown.max_records);

	access->organisations = info->organisations;
	if (access->pushdown.max_tenants >= 0)
		access->organisations = Max(Min(access->organisations,
										access->pushdown.max_tenants), 1);

	targets = xero_build_targets(info->rel, access->pushdown.sent, NULL,
								 &access->shape);
	if (list_length(targets) == 1 &&
		((XeroTarget *) linitial(targets))->single)
		access->calls = access->organisations;
	else
		access->calls = access->organisations *
			list_calls(object, page_size,
					   access->records / access->organisations,
					   list_length(targets)) +
			detail_calls(info->table, access->wanted, access->records);
}

/*
 * Settle how a set of clauses would be read, and what that costs.  A long
 * list of values travels 40 a call; where reading without it is known to take
 * fewer calls, the list is left out and its clause checked here.
 */
void
xero_plan_access(PlannerInfo *root, RelOptInfo *baserel, List *clauses,
				 const char *order, int page_size, XeroAccess *access)
{
	XeroRelInfo *info = baserel->fdw_private;
	List	   *lists = NIL;
	List	   *others = NIL;
	ListCell   *lc;

	access->shape.order = order ? order :
		xero_root_object(info->table->object)->order;
	plan_clauses(root, baserel, clauses, page_size, access);

	foreach(lc, clauses)
	{
		if (IsA(lfirst(lc), ScalarArrayOpExpr))
			lists = lappend(lists, lfirst(lc));
		else
			others = lappend(others, lfirst(lc));
	}
	if (lists != NIL && access->calls > 1 && info->records_known)
	{
		XeroAccess	whole;

		whole.shape.order = access->shape.order;
		plan_clauses(root, baserel, others, page_size, &whole);
		whole.pushdown.recheck = list_concat(whole.pushdown.recheck, lists);
		whole.wanted = wanted_attributes(info->table, baserel,
										 whole.pushdown.recheck);
		whole.shape.forms = usable_forms(info->table, whole.wanted);
		if (whole.calls < access->calls)
			*access = whole;
	}
}

static void
cost_access(const XeroAccess *access, double rows, Cost *startup, Cost *total)
{
	*startup = XERO_CALL_COST;
	*total = *startup + (access->calls - 1) * XERO_CALL_COST +
		Max(access->records, rows) * cpu_tuple_cost;
}

void
xeroGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel,
					  Oid foreigntableid)
{
	XeroRelInfo *info = palloc0(sizeof(XeroRelInfo));
	Relation	rel = table_open(foreigntableid, NoLock);
	const XeroObject *object;
	XeroOrganisation *organisations;
	XeroPushdown pushdown;

	info->table = xero_get_table(rel);
	table_close(rel, NoLock);
	info->rel = xero_rel_from_table(info->table, baserel->relid);
	baserel->fdw_private = info;

	object = info->table->object;
	info->records = xero_remembered_records(foreigntableid);
	info->records_known = info->records >= 0;
	if (!info->records_known)
		info->records = xero_root_object(object)->typical_rows;
	info->organisations = Max(1, xero_planned_organisations(info->table,
															baserel->userid,
															&organisations));
	info->records *= info->organisations;
	info->rows_per_record = object->parent ?
		Max(1.0, (double) object->typical_rows / Max(object->parent->typical_rows, 1)) : 1.0;

	baserel->tuples = clamp_row_est(info->records * info->rows_per_record);
	set_baserel_size_estimates(root, baserel);

	xero_pushdown(info->rel,
				  extract_actual_clauses(baserel->baserestrictinfo, false),
				  &pushdown);
	if (pushdown.max_records >= 0)
		baserel->rows = clamp_row_est(Min(baserel->rows,
										  pushdown.max_records * info->rows_per_record));
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
				 bool ordered)
{
	XeroRelInfo *info = baserel->fdw_private;

	if (is_bounded(root) && all_count &&
		info->table->object->parent == NULL &&
		bms_equal(root->all_baserels, baserel->relids) &&
		(root->query_pathkeys == NIL || ordered))
		return Min(root->limit_tuples, info->table->page_size);
	return info->table->page_size;
}

/* The order= that gives a path key, and its column; or NULL. */
const char *
xero_order_for_pathkey(RelOptInfo *baserel, PathKey *pathkey, List *clauses,
					   AttrNumber *attno)
{
	XeroRelInfo *info = baserel->fdw_private;
	ListCell   *lc;

	if (pathkey->pk_eclass->ec_has_volatile)
		return NULL;
	foreach(lc, pathkey->pk_eclass->ec_members)
	{
		EquivalenceMember *member = lfirst(lc);
		Var		   *var = (Var *) member->em_expr;
		const char *field;

		if (!IsA(var, Var) || var->varno != baserel->relid ||
			var->varattno <= 0 || member->em_is_child)
			continue;
		*attno = var->varattno;
		field = xero_order_field(info->rel, var->varattno, clauses);
		if (field)
			return xero_pathkey_descends(pathkey) ?
				psprintf("%s DESC", field) : field;
	}
	return NULL;
}

static void
add_plain_path(PlannerInfo *root, RelOptInfo *baserel, List *clauses)
{
	XeroRelInfo *info = baserel->fdw_private;
	XeroAccess	access;
	Cost		startup;
	Cost		total;

	xero_plan_access(root, baserel, clauses, NULL, info->table->page_size, &access);
	cost_access(&access, baserel->rows, &startup, &total);
	add_path(baserel, (Path *)
			 xero_create_foreignscan_path(root, baserel, baserel->rows,
										  startup, total, NIL,
										  baserel->lateral_relids, NIL));
}

/* See the head of the file for why only a bounded scan is read in order. */
static void
add_ordered_path(PlannerInfo *root, RelOptInfo *baserel, List *clauses)
{
	XeroRelInfo *info = baserel->fdw_private;
	XeroAccess	access;
	PathKey    *pathkey;
	const char *order;
	AttrNumber	attno;
	List	   *sort;
	Cost		startup;
	Cost		total;

	if (list_length(root->query_pathkeys) != 1 || !is_bounded(root) ||
		root->limit_tuples > info->table->page_size ||
		info->table->object->parent != NULL ||
		!bms_equal(root->all_baserels, baserel->relids))
		return;
	pathkey = linitial(root->query_pathkeys);
	order = xero_order_for_pathkey(baserel, pathkey, clauses, &attno);
	if (order == NULL)
		return;

	xero_plan_access(root, baserel, clauses, order, info->table->page_size, &access);
	if (access.pushdown.recheck != NIL)
		return;
	cost_access(&access, baserel->rows, &startup, &total);
	sort = list_make3(makeInteger(attno),
					  makeBoolean(xero_pathkey_descends(pathkey)),
					  makeInteger((int) root->limit_tuples));
	add_path(baserel, (Path *)
			 xero_create_foreignscan_path(root, baserel, baserel->rows,
										  startup, total,
										  root->query_pathkeys,
										  baserel->lateral_relids,
										  list_make2(makeString(pstrdup(order)),
													 sort)));
}

static bool
is_wanted_ec_member(PlannerInfo *root, RelOptInfo *baserel,
					EquivalenceClass *ec, EquivalenceMember *em, void *arg)
{
	Var		   *var = (Var *) em->em_expr;

	return IsA(var, Var) && var->varno == baserel->relid &&
		var->varattno == *(AttrNumber *) arg;
}

/* One path for the relations that one key clause takes its value from. */
static void
add_lookup_path(PlannerInfo *root, RelOptInfo *baserel, RestrictInfo *rinfo)
{
	XeroRelInfo *info = baserel->fdw_private;
	Relids		outer;
	ParamPathInfo *param_info;
	XeroAccess	access;
	List	   *clauses;
	Cost		startup;
	Cost		total;

	if (!join_clause_is_movable_to(rinfo, baserel) ||
		!xero_is_lookup(info->rel, rinfo->clause))
		return;
	outer = bms_difference(rinfo->clause_relids, baserel->relids);
	outer = bms_union(outer, baserel->lateral_relids);
	if (bms_is_empty(outer))
		return;

	param_info = get_baserel_parampathinfo(root, baserel, outer);
	clauses = list_concat(extract_actual_clauses(baserel->baserestrictinfo, false),
						  extract_actual_clauses(param_info->ppi_clauses, false));
	xero_plan_access(root, baserel, clauses, NULL, info->table->page_size, &access);
	cost_access(&access, param_info->ppi_rows, &startup, &total);
	add_path(baserel, (Path *)
			 xero_create_foreignscan_path(root, baserel, param_info->ppi_rows,
										  startup, total, NIL, outer, NIL));
}

/* Look-ups by key, or tenant_id, with values of other relations. */
static void
add_lookup_paths(PlannerInfo *root, RelOptInfo *baserel)
{
	XeroRelInfo *info = baserel->fdw_private;
	ListCell   *lc;

	foreach(lc, baserel->joininfo)
		add_lookup_path(root, baserel, lfirst_node(RestrictInfo, lc));

	if (!baserel->has_eclass_joins)
		return;
	for (AttrNumber attno = 1; attno <= info->rel->natts; attno++)
	{
		List	   *rinfos;

		if (info->rel->columns[attno - 1] == NULL &&
			attno != info->rel->tenant_attno)
			continue;
		rinfos = generate_implied_equalities_for_column(root, baserel,
														is_wanted_ec_member,
														&attno,
														baserel->lateral_referencers);
		foreach(lc, rinfos)
			add_lookup_path(root, baserel, lfirst_node(RestrictInfo, lc));
	}
}

void
xeroGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	List	   *clauses = extract_actual_clauses(baserel->baserestrictinfo, false);

	add_plain_path(root, baserel, clauses);
	add_ordered_path(root, baserel, clauses);
	add_lookup_paths(root, baserel);
}

/*
 * Can the scan be run again with the same parameters?  Not where it is the
 * only relation of the statement itself; then its rows need not be kept.
 */
static bool
may_be_rescanned(PlannerInfo *root, RelOptInfo *baserel)
{
	return root->query_level > 1 ||
		!bms_equal(root->all_baserels, baserel->relids);
}

/*
 * Does the statement write to the table that is scanned?  Then the scan has to
 * come to its end before the first row is written.
 */
static bool
is_written_to(PlannerInfo *root, Oid relid)
{
	for (; root != NULL; root = root->parent_root)
	{
		Index		target = root->parse->resultRelation;
		int			leaf = -1;

		if (target != 0 && planner_rt_fetch(target, root)->relid == relid)
			return true;
		while ((leaf = bms_next_member(root->leaf_result_relids, leaf)) >= 0)
		{
			if (planner_rt_fetch(leaf, root)->relid == relid)
				return true;
		}
	}
	return false;
}

List *
xero_make_private(PlannerInfo *root, RelOptInfo *baserel,
				  const XeroAccess *access, List *sort, int page_size,
				  bool ahead, List *window)
{
	const char *order = access->shape.order;
	Oid			relid = ((XeroRelInfo *) baserel->fdw_private)->table->relid;
	List	   *private;

	private = list_make5(access->pushdown.sent,
						 access->wanted,
						 makeInteger(access->shape.forms),
						 makeString(pstrdup(order ? order : "")),
						 sort);
	private = lappend(private, makeInteger(page_size));
	private = lappend(private, makeBoolean(ahead));
	private = lappend(private, makeBoolean(may_be_rescanned(root, baserel)));
	private = lappend(private, makeFloat(psprintf("%.0f", access->calls)));
	private = lappend(private, makeInteger((int) relid));
	private = lappend(private, makeBoolean(ahead && is_written_to(root, relid)));
	private = lappend(private, makeBoolean(false));
	return lappend(private, window);
}

void
xeroGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
						 RelOptInfo *input_rel, RelOptInfo *output_rel,
						 void *extra)
{
	switch (stage)
	{
		case UPPERREL_GROUP_AGG:
			xero_add_count_path(root, input_rel, output_rel);
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

ForeignScan *
xeroGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid,
				   ForeignPath *best_path, List *tlist, List *scan_clauses,
				   Plan *outer_plan)
{
	XeroAccess	access;
	List	   *clauses = extract_actual_clauses(scan_clauses, false);
	const char *order = NULL;
	List	   *sort = NIL;
	XeroRelInfo *info = baserel->fdw_private;
	int			page_size;
	bool		ahead;
	List	   *private;

	if (baserel->reloptkind == RELOPT_UPPER_REL)
		return baserel == fetch_upper_rel(root, UPPERREL_FINAL, NULL) ?
			xero_plan_limit(root, best_path, tlist) :
			xero_plan_count(baserel, best_path, tlist);

	if (best_path->fdw_private != NIL)
	{
		order = strVal(linitial(best_path->fdw_private));
		sort = lsecond(best_path->fdw_private);
	}

	xero_plan_access(root, baserel, clauses, order, info->table->page_size, &access);
	page_size = choose_page_size(root, baserel,
								 access.pushdown.recheck == NIL,
								 order != NULL);
	if (sort != NIL)
	{
		/* organisations are put in one order here, by this column */
		access.calls = access.organisations;
		access.wanted = list_append_unique(access.wanted, linitial(sort));
	}
	else if (page_size < info->table->page_size)
		access.calls = 1;		/* as many rows as LIMIT asks for */

	/* where the statement may stop early, a page ahead may be a call wasted */
	ahead = root->tuple_fraction <= 0 && root->limit_tuples < 0;

	private = xero_make_private(root, baserel, &access, sort, page_size,
								ahead, NIL);
	return make_foreignscan(tlist, access.pushdown.recheck, baserel->relid,
							access.pushdown.params, private, NIL,
							access.pushdown.remote, outer_plan);
}
