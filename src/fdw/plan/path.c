/*-------------------------------------------------------------------------
 *
 * path.c
 *	  Paths: the requests that clauses lead to, and the number of calls they
 *	  take.
 *
 * The unit of cost is the API call: next to it, everything else is small.  So
 * the cost of a path is its number of calls, and rows are estimated only to
 * estimate pages.  Nothing here sends a request.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include <math.h>

#include "access/sysattr.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paramassign.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

/* Share of records that have something behind XeroColumn.detail_if. */
#define DETAIL_IF_SHARE		0.1

/*
 * Does the clause have a value that another run of the scan may find changed,
 * or that may turn out to be more values than the list has pages?
 */
static bool
has_changing_value(Node *node, void *relid)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return ((Var *) node)->varno != *(Index *) relid;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC ||
			OidIsValid(get_element_type(((Param *) node)->paramtype));
	return expression_tree_walker(node, has_changing_value, relid);
}

/*
 * Attributes that are read here: by the target list, by rechecked clauses, and
 * by those that pick the rows of a run out of a list that has the rows of many
 * (scan/answers.c).
 */
static List *
wanted_attributes(const XeroTable *table, RelOptInfo *baserel,
				  const XeroPushdown *pushdown)
{
	Bitmapset  *attrs = NULL;
	List	   *result = NIL;
	bool		whole_row;
	ListCell   *lc;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &attrs);
	pull_varattnos((Node *) pushdown->recheck, baserel->relid, &attrs);
	foreach(lc, pushdown->remote)
	{
		if (!table->summary_only &&
			has_changing_value(lfirst(lc), &baserel->relid))
			pull_varattnos(lfirst(lc), baserel->relid, &attrs);
	}

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
 * The levels of detail that carry a child table's array, without which there
 * are no rows, whatever columns are wanted.
 */
static int
array_levels(const XeroTable *table)
{
	const XeroObject *object = table->object;
	const XeroColumn *array;

	if (object->parent == NULL)
		return XERO_LEVEL_SUMMARY | XERO_LEVEL_LIST | XERO_LEVEL_SINGLE;
	if (object->below)
		return XERO_LEVEL_LIST | XERO_LEVEL_SINGLE;
	array = xero_find_field(object->parent, object->array);
	if (table->summary_only && !(array->levels & XERO_LEVEL_SUMMARY))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the rows of foreign table \"%s\" are not part of the summary form",
						table->name),
				 errhint("Set the table's option summary_only to false.")));
	if (xero_lists_lack_rows(object))
		return XERO_LEVEL_LIST | XERO_LEVEL_SINGLE;
	return array->levels;
}

/*
 * The levels of detail that carry all the wanted columns.  Columns that no
 * list carries are fetched record by record and do not hinder the list.
 */
static int
usable_levels(const XeroTable *table, List *wanted)
{
	int			levels = array_levels(table);
	ListCell   *lc;

	foreach(lc, wanted)
	{
		int			attno = intVal(lfirst(lc));
		const XeroTableColumn *column = &table->columns[attno - 1];
		int			carried;

		if (column->is_tenant)
			continue;
		carried = column->known ? column->known->levels :
			XERO_LEVEL_LIST | XERO_LEVEL_SINGLE;

		if (table->summary_only && !(carried & XERO_LEVEL_SUMMARY))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" is not part of the summary form of foreign table \"%s\"",
							get_attname(table->relid, attno, false), table->name),
					 errhint("Leave the column out, or set the table's option summary_only to false.")));

		if (!(carried & XERO_LEVEL_LIST))
		{
			const char *detail_if = column->known->detail_if;
			const XeroColumn *flag = detail_if ?
			xero_find_field(table->object, detail_if) : NULL;

			carried |= XERO_LEVEL_SUMMARY | XERO_LEVEL_LIST;
			if (flag)
				carried &= flag->levels;
		}
		levels &= carried;
	}
	return levels;
}

/* Calls for what only the GET of a single record carries. */
static double
detail_calls(const XeroTable *table, List *wanted, double records)
{
	const XeroObject *object = table->object;
	double		calls = 0;
	ListCell   *lc;

	if (object->below)
		calls = records;
	else if (xero_lists_lack_rows(object))
		calls = xero_find_field(object->parent, object->array)->detail_if ?
			ceil(records * DETAIL_IF_SHARE) : records;

	foreach(lc, wanted)
	{
		const XeroColumn *known = table->columns[intVal(lfirst(lc)) - 1].known;

		if (known && !(known->levels & XERO_LEVEL_LIST))
			calls = Max(calls, known->detail_if ?
						ceil(records * DETAIL_IF_SHARE) : records);
	}
	return calls;
}

double
xero_list_calls(const XeroObject *object, int page_size, double records,
				int lists)
{
	int			served;

	if (object->paging == XERO_PAGING_NONE)
		return lists;
	served = object->max_page_size > 0 ?
		Min(page_size, object->max_page_size) : object->default_page_size;
	return Max(ceil(records / Max(served, 1)), lists);
}

/* The requests that "asked" makes for the rows of a table, and their calls. */
static List *
plan_requests(const XeroTable *table, const XeroRel *asked, int page_size,
			  XeroScanPlan *scan)
{
	List	   *requests = xero_build_requests(asked, scan->pushdown.sent, NULL,
											   &scan->options);

	scan->lists = list_length(requests);
	if (scan->lists == 1 && ((XeroRequest *) linitial(requests))->single)
		scan->calls = scan->organisations * (table->object->below ? 2 : 1);
	else
		scan->calls = scan->organisations *
			xero_list_calls(xero_root_object(table->object), page_size,
							scan->records / scan->organisations,
							scan->lists) +
			detail_calls(table, scan->wanted, scan->records);
	return requests;
}

/* Settle what to ask for if just these clauses are looked at. */
static void
plan_clauses(PlannerInfo *root, RelOptInfo *baserel, List *clauses,
			 int page_size, XeroScanPlan *scan)
{
	XeroRelInfo *info = baserel->fdw_private;

	if (clauses == info->clauses)
		scan->pushdown = info->pushdown;
	else
		xero_pushdown(info->rel, clauses, &scan->pushdown);
	scan->wanted = wanted_attributes(info->table, baserel, &scan->pushdown);
	scan->options.levels = usable_levels(info->table, scan->wanted);

	scan->records = clamp_row_est(info->records *
								  clauselist_selectivity(root,
														 scan->pushdown.remote,
														 baserel->relid,
														 JOIN_INNER, NULL));
	if (scan->pushdown.max_records >= 0)
		scan->records = Min(scan->records, scan->pushdown.max_records);

	scan->organisations = info->organisations;
	if (scan->pushdown.max_organisations >= 0)
		scan->organisations = Max(Min(scan->organisations,
									  scan->pushdown.max_organisations), 1);

	(void) plan_requests(info->table, info->rel, page_size, scan);
}

/*
 * A long list of values travels 40 a call; where reading without it is known
 * to take fewer calls, the list is left out and its clause checked here.
 */
static void
leave_lists_out(PlannerInfo *root, RelOptInfo *baserel, List *clauses,
				int page_size, XeroScanPlan *scan)
{
	XeroRelInfo *info = baserel->fdw_private;
	List	   *lists = NIL;
	List	   *others = NIL;
	XeroScanPlan whole = {0};
	ListCell   *lc;

	if (scan->calls <= 1 || !info->records_known)
		return;
	foreach(lc, clauses)
	{
		if (IsA(lfirst(lc), ScalarArrayOpExpr))
			lists = lappend(lists, lfirst(lc));
		else
			others = lappend(others, lfirst(lc));
	}
	if (lists == NIL)
		return;
	whole.options.order = scan->options.order;
	plan_clauses(root, baserel, others, page_size, &whole);
	whole.pushdown.recheck = list_concat(whole.pushdown.recheck, lists);
	whole.wanted = wanted_attributes(info->table, baserel, &whole.pushdown);
	whole.options.levels = usable_levels(info->table, whole.wanted);
	if (whole.calls < scan->calls)
		*scan = whole;
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

XeroPath *
xero_make_path(PlannerInfo *root, RelOptInfo *baserel, List *clauses,
			   const char *order, int page_size, bool ahead)
{
	XeroRelInfo *info = baserel->fdw_private;
	XeroPath   *path = palloc0(sizeof(XeroPath));

	path->kind = XERO_PATH_ROWS;
	path->table = info->table;
	path->asked = info->table;
	path->clauses = clauses;
	path->scan.options.order = order ? order :
		xero_root_object(info->table->object)->order;
	plan_clauses(root, baserel, clauses, page_size, &path->scan);
	leave_lists_out(root, baserel, clauses, page_size, &path->scan);
	path->page_size = page_size;
	path->ahead = ahead;
	path->keep = may_be_rescanned(root, baserel);
	path->whole = ahead && is_written_to(root, info->table->relid);
	return path;
}

/*
 * May a record come by several of the requests?  Which of them it belongs to,
 * only its own table can tell.
 */
static bool
may_overlap(const XeroPushdown *pushdown, List *requests)
{
	ListCell   *lc;

	if (pushdown->split && pushdown->params != NIL)
		return true;
	foreach(lc, requests)
	{
		if (((XeroRequest *) lfirst(lc))->owner_attno)
			return true;
	}
	return false;
}

/* Values that are known at run time only may be more than the list is worth. */
static bool
has_array(List *params)
{
	ListCell   *lc;

	foreach(lc, params)
	{
		if (OidIsValid(get_element_type(exprType(lfirst(lc)))))
			return true;
	}
	return false;
}

XeroPath *
xero_make_child_path(PlannerInfo *root, RelOptInfo *child, RelOptInfo *parent,
					 int page_size, bool ahead)
{
	XeroRelInfo *info = child->fdw_private;
	XeroRelInfo *other = parent->fdw_private;
	XeroPath   *path = xero_make_path(root, parent, other->clauses, NULL,
									  page_size, ahead);
	XeroScanPlan *scan = &path->scan;
	XeroPushdown *pushdown = &scan->pushdown;

	if (pushdown->sent == NIL || has_array(pushdown->params) ||
		(info->pushdown.max_organisations >= 0 &&
		 pushdown->max_organisations < 0))
		return NULL;
	path->table = info->table;
	path->clauses = info->clauses;
	pushdown->recheck = info->clauses;
	pushdown->remote = NIL;
	scan->wanted = wanted_attributes(info->table, child, pushdown);
	scan->options.levels = usable_levels(info->table, scan->wanted);
	if (may_overlap(pushdown, plan_requests(info->table, other->rel, page_size,
											scan)))
		return NULL;
	path->keep = may_be_rescanned(root, child);
	path->whole = ahead && is_written_to(root, info->table->relid);
	return path;
}

/*
 * The clause that says "column = ANY (keys)", where the keys are a value that
 * nothing knows yet: a parameter without a number.  NULL if the column is
 * compared as something else than it is.
 */
static ScalarArrayOpExpr *
any_of_keys(RelOptInfo *baserel, const XeroBinding *binding)
{
	OpExpr	   *clause = castNode(OpExpr, binding->clause);
	bool		column_first = lsecond(clause->args) == binding->key;
	Var		   *column = column_first ? linitial(clause->args) :
	lsecond(clause->args);
	ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);
	Param	   *keys = makeNode(Param);

	if (!IsA(column, Var) || column->varno != baserel->relid ||
		column->vartype != exprType(binding->key) ||
		column->varcollid != clause->inputcollid)
		return NULL;
	keys->paramkind = PARAM_EXEC;
	keys->paramid = -1;
	keys->paramtype = get_array_type(exprType(binding->key));
	keys->paramtypmod = -1;
	keys->paramcollid = exprCollation(binding->key);
	keys->location = -1;
	any->opno = column_first ? clause->opno : get_commutator(clause->opno);
	any->opfuncid = get_opcode(any->opno);
	any->useOr = true;
	any->inputcollid = clause->inputcollid;
	any->args = list_make2(column, keys);
	any->location = -1;
	return any;
}

/*
 * The clauses with another one in place of the key's, but for those with other
 * values that may change: what is asked for differs in the keys alone.
 */
static List *
bound_clauses(RelOptInfo *baserel, List *clauses, const XeroBinding *binding,
			  void *any)
{
	List	   *result = list_make1(any);
	ListCell   *lc;

	foreach(lc, clauses)
	{
		if (lfirst(lc) != binding->clause &&
			!has_changing_value(lfirst(lc), &baserel->relid))
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/* The keys, and the records that they bring, settle the calls of all runs. */
static void
count_bound_calls(PlannerInfo *root, RelOptInfo *baserel,
				  const XeroBinding *binding, int page_size,
				  XeroScanPlan *scan)
{
	XeroRelInfo *info = baserel->fdw_private;
	const XeroObject *object = xero_root_object(info->table->object);
	double		records = info->records *
	clauselist_selectivity(root, scan->pushdown.remote, baserel->relid,
						   JOIN_INNER, NULL);

	if (xero_is_key(info->rel, binding->attno))
		records = Min(records, 1);
	scan->records = clamp_row_est(Min(records * binding->keys, info->records));
	scan->lists = ceil(binding->keys / XERO_LISTED_VALUES);
	scan->calls = scan->organisations *
		xero_list_calls(object, page_size, scan->records / scan->organisations,
						scan->lists);
}

/*
 * Might a batch have what the statement has written since the one before?  Each
 * record of the target is read once, if it is read by its own key.
 */
static bool
reads_written(PlannerInfo *root, RelOptInfo *baserel, AttrNumber attno)
{
	XeroRelInfo *info = baserel->fdw_private;

	return is_written_to(root, info->table->relid) &&
		!(baserel->relid == root->parse->resultRelation &&
		  xero_is_key(info->rel, attno));
}

XeroPath *
xero_make_bound_path(PlannerInfo *root, RelOptInfo *baserel, List *clauses,
					 XeroBinding *binding, bool ahead)
{
	XeroRelInfo *info = baserel->fdw_private;
	XeroPath   *path = palloc0(sizeof(XeroPath));
	XeroPushdown *pushdown = &path->scan.pushdown;
	ScalarArrayOpExpr *any = any_of_keys(baserel, binding);
	List	   *bound;
	int			param;

	if (any == NULL || reads_written(root, baserel, binding->attno))
		return NULL;
	bound = bound_clauses(baserel, clauses, binding, any);
	path->kind = XERO_PATH_ROWS;
	path->table = path->asked = info->table;
	path->clauses = clauses;
	path->page_size = info->table->page_size;
	path->ahead = ahead;
	path->binding = binding;
	path->scan.options.order = xero_root_object(info->table->object)->order;
	plan_clauses(root, baserel, bound, path->page_size, &path->scan);
	param = xero_sent_split(pushdown->sent);
	if (param < 0 || list_nth(pushdown->params, param) != lsecond(any->args))
		return NULL;

	/* what has become of the keys becomes of the one key of a run */
	lfirst(list_nth_cell(pushdown->params, param)) = binding->key;
	pushdown->remote = lappend(list_delete_ptr(pushdown->remote, any),
							   binding->clause);
	pushdown->recheck = list_concat(list_delete_ptr(pushdown->recheck, any),
									list_difference_ptr(clauses, lappend(bound, binding->clause)));
	path->scan.wanted = wanted_attributes(info->table, baserel, pushdown);
	path->scan.options.levels = usable_levels(info->table, path->scan.wanted);
	if (info->table->summary_only ||
		detail_calls(info->table, path->scan.wanted, 1) > 0)
		return NULL;			/* see xero_init_answers() */

	count_bound_calls(root, baserel, binding, path->page_size, &path->scan);
	return path;
}

int
xero_binding_slot(PlannerInfo *root, XeroBinding *binding)
{
	if (binding->slot < 0)
		binding->slot = assign_special_exec_param(root);
	return binding->slot;
}

/* Nothing looks into the list of a path but its owner, so it needs no node. */
List *
xero_path_private(XeroPath *path)
{
	return list_make1(path);
}

XeroPath *
xero_path_of(const ForeignPath *path)
{
	return linitial(path->fdw_private);
}

/* XERO_SCAN_BATCH */
static List *
binding_private(const XeroPath *path)
{
	const XeroBinding *binding = path->binding;

	return list_make5(makeInteger(binding->slot),
					  makeInteger(xero_sent_split(path->scan.pushdown.sent)),
					  makeInteger(binding->attno),
					  makeInteger(binding->first),
					  makeFloat(psprintf("%.0f", binding->runs)));
}

List *
xero_plan_private(const XeroPath *path)
{
	const XeroScanPlan *scan = &path->scan;
	const char *order = scan->options.order;
	List	   *private;

	private = list_make5(scan->pushdown.sent,
						 scan->wanted,
						 makeInteger(scan->options.levels),
						 makeString(pstrdup(order ? order : "")),
						 path->sort);
	private = lappend(private, makeInteger(path->page_size));
	private = lappend(private, makeBoolean(path->ahead));
	private = lappend(private, makeBoolean(path->keep));
	private = lappend(private, makeFloat(psprintf("%.0f", scan->calls)));
	private = lappend(private, makeInteger((int) path->table->relid));
	private = lappend(private, makeBoolean(path->whole));
	private = lappend(private, path->counts);
	private = lappend(private, path->group);
	private = lappend(private, path->binding ? binding_private(path) : NIL);
	private = lappend(private, path->window);
	return lappend(private, makeInteger((int) path->asked->relid));
}
