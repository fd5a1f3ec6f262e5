/*-------------------------------------------------------------------------
 *
 * count_path.c
 *	  count(), min() and max() answered by Xero.
 *
 * The envelope of a page contains the number of records of the whole list.  So
 * a count over conditions that Xero evaluates exactly is one call for one
 * record.  FILTER, and a column whose nulls are not to be counted, are further
 * conditions of one count.  Rows that are grouped by a column of a few words
 * are counted word by word, and in total: if the words do not make up the total,
 * the executor reads the rows.  Rows that are grouped by tenant_id are counted in
 * each organisation.
 *
 * PostgreSQL turns min() and max() into ORDER BY and LIMIT where there is nothing
 * else to aggregate.  Beside a count, the first record of a list in that order has
 * the value, and its envelope the number of records.
 *
 * Partitions are counted each, if PostgreSQL aggregates them one by one.
 *
 * The plan is a foreign scan without a relation of its own, which returns one
 * row, or one for each group.  Its first columns are the counts, then comes that
 * of the groups.  The others are always null; EXPLAIN needs them to print the
 * conditions that are pushed down.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/*
 * So many calls for counts are at most twice, and one more than, the one that
 * reads a list of a single page.  More are made only if the list is known to
 * be longer.
 */
#define FEW_COUNTS 3

/* What the table's rows are grouped by; DISTINCT is a grouping, too. */
static List *
grouping(const Query *parse)
{
	return parse->groupClause || parse->hasAggs || parse->havingQual ?
		parse->groupClause : parse->distinctClause;
}

/* The expression of a target that a clause groups by; of a partition, its own. */
static Expr *
grouped_expr(const PathTarget *target, const SortGroupClause *clause)
{
	ListCell   *lc;

	foreach(lc, target->exprs)
	{
		if (get_pathtarget_sortgroupref(target, foreach_current_index(lc)) ==
			clause->tleSortGroupRef)
			return lfirst(lc);
	}
	return NULL;
}

static bool
is_tenant(const XeroRelInfo *info, const Var *column)
{
	return column->varattno == info->rel->tenant_attno;
}

/*
 * The column that the query groups by, if it is that of the organisation, or one
 * whose words are known and are in every record; else NULL.
 */
static Var *
grouped_column(PlannerInfo *root, const XeroRelInfo *info,
			   const PathTarget *target)
{
	List	   *clauses = grouping(root->parse);
	SortGroupClause *clause;
	Var		   *var;
	const XeroColumn *column;

	if (list_length(clauses) != 1 || root->parse->hasDistinctOn)
		return NULL;
	clause = linitial(clauses);
	var = (Var *) grouped_expr(target, clause);
	if (var == NULL || !IsA(var, Var) || var->varattno <= 0)
		return NULL;
	if (is_tenant(info, var))
		return get_opcode(clause->eqop) == F_UUID_EQ ? var : NULL;
	if (clause->eqop != TextEqualOperator ||
		!get_collation_isdeterministic(var->varcollid))
		return NULL;
	column = info->rel->columns[var->varattno - 1];
	if (column == NULL || column->words == NULL ||
		(column->flags & XERO_COL_ENUM) == 0 ||
		(column->flags & XERO_COL_NOT_NULL) == 0)
		return NULL;
	return var;
}

/*
 * The aggregates that the query needs, without duplicates; false if it needs
 * anything else, besides the column that it groups by.
 */
static bool
find_aggregates(const PathTarget *target, List *having, Var *group,
				List **aggregates)
{
	List	   *parts = pull_var_clause((Node *) list_concat_copy(target->exprs,
																  having),
										PVC_INCLUDE_AGGREGATES |
										PVC_RECURSE_PLACEHOLDERS |
										PVC_INCLUDE_WINDOWFUNCS);
	ListCell   *lc;

	*aggregates = NIL;
	foreach(lc, parts)
	{
		if (IsA(lfirst(lc), Aggref))
			*aggregates = list_append_unique(*aggregates, lfirst(lc));
		else if (!equal(lfirst(lc), group))
			return false;
	}
	return true;
}

/*
 * The conditions on the rows that an aggregate looks at, if there is nothing
 * else to it.  They do not pick organisations: one scan reads the same for all.
 */
static bool
find_conditions(const XeroRelInfo *info, const Aggref *agg, List **clauses)
{
	Bitmapset  *attrs = NULL;
	Node	   *arg;
	NullTest   *test;

	pull_varattnos((Node *) agg->aggfilter, info->rel->relid, &attrs);
	if (agg->aggdistinct != NIL || agg->aggorder != NIL ||
		agg->agglevelsup != 0 || list_length(agg->args) > 1 ||
		(info->rel->tenant_attno > 0 &&
		 bms_is_member(info->rel->tenant_attno - FirstLowInvalidHeapAttributeNumber,
					   attrs)))
		return false;
	*clauses = list_copy(make_ands_implicit(agg->aggfilter));
	if (agg->args == NIL)
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

/* Does an aggregate count rows?  Then "clauses" gets the conditions on them. */
static bool
counts_rows(const XeroRelInfo *info, const Aggref *agg, List **clauses)
{
	return (agg->aggfnoid == F_COUNT_ || agg->aggfnoid == F_COUNT_ANY) &&
		find_conditions(info, agg, clauses);
}

/* Is an aggregate the first value in an order, as min() and max() are? */
static bool
is_first_value(const Aggref *agg, Oid type, bool *descends)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(agg->aggfnoid));
	TypeCacheEntry *operators = lookup_type_cache(type,
												  TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	Oid			operator;

	if (!HeapTupleIsValid(tuple))
		return false;
	operator = ((Form_pg_aggregate) GETSTRUCT(tuple))->aggsortop;
	ReleaseSysCache(tuple);
	*descends = operator == operators->gt_opr;
	return OidIsValid(operator) &&
		(*descends || operator == operators->lt_opr);
}

/*
 * Is an aggregate the first value of a column in an order that Xero can give?
 * Then "clauses" gets the conditions on the rows, and "order" that order, as a
 * member of XERO_SCAN_COUNTS has it.
 */
static bool
takes_first(const XeroRelInfo *info, const Aggref *agg, List **clauses,
			List **order)
{
	Var		   *var;
	bool		descends;
	const char *field;

	if (list_length(agg->args) != 1 || !find_conditions(info, agg, clauses))
		return false;
	var = (Var *) ((TargetEntry *) linitial(agg->args))->expr;
	if (!IsA(var, Var) || var->varno != info->rel->relid || var->varattno <= 0 ||
		!is_first_value(agg, var->vartype, &descends))
		return false;
	field = xero_order_field(info->rel, var->varattno, *clauses);
	if (field == NULL)
		return false;
	*order = list_make4(makeString(descends ? psprintf("%s DESC", field) :
								   pstrdup(field)),
						makeInteger(var->varattno), makeBoolean(descends),
						makeBoolean(true));
	return true;
}

/*
 * Adds a count of the rows that meet these clauses, too, or the first value in
 * an order: what is sent for it, and where its parameters begin among those of
 * all.  False if Xero's answer is not the right one.
 */
static bool
add_count(XeroPath *path, const XeroRelInfo *info, List *clauses, List *order)
{
	XeroPushdown pushdown;
	List	   *params = path->scan.pushdown.params;

	xero_pushdown(info->rel, list_concat_copy(info->clauses, clauses),
				  &pushdown);
	if (pushdown.recheck != NIL)
		return false;
	path->counts = lappend(path->counts,
						   list_make3(pushdown.sent,
									  makeInteger(list_length(params)), order));
	path->scan.pushdown.params = list_concat_copy(params, pushdown.params);
	return true;
}

/* Adds the counts and values that are the aggregates. */
static bool
add_aggregates(XeroPath *path, const XeroRelInfo *info, List *aggregates)
{
	ListCell   *lc;

	foreach(lc, aggregates)
	{
		List	   *clauses;
		List	   *order = NIL;

		if ((!counts_rows(info, lfirst(lc), &clauses) &&
			 !takes_first(info, lfirst(lc), &clauses, &order)) ||
			!add_count(path, info, clauses, order))
			return false;
	}
	return aggregates != NIL;
}

/*
 * Lets counts come with the values of the same lists.  Are there any values?
 */
static bool
share_orders(XeroPath *path)
{
	bool		any = false;
	ListCell   *la;
	ListCell   *lb;

	foreach(la, path->counts)
	{
		List	   *order = lthird(lfirst(la));

		if (order == NIL || !boolVal(lfourth(order)))
			continue;
		any = true;
		foreach(lb, path->counts)
		{
			List	   *count = lfirst(lb);

			if (lthird(count) == NIL && equal(linitial(count), linitial(lfirst(la))))
				lthird(count) = list_make4(linitial(order), lsecond(order),
										   lthird(order), makeBoolean(false));
		}
	}
	return any;
}

/* Adds the counts of the words of a column. */
static bool
add_words(XeroPath *path, const XeroRelInfo *info, Var *column, List **words)
{
	char	   *rest = pstrdup(info->rel->columns[column->varattno - 1]->words);
	char	   *word;

	while ((word = strsep(&rest, "|")) != NULL)
	{
		Expr	   *is_word;

		is_word = make_opclause(TextEqualOperator, BOOLOID, false,
								(Expr *) column,
								(Expr *) makeConst(TEXTOID, -1, column->varcollid, -1,
												   CStringGetTextDatum(word),
												   false, false),
								InvalidOid, column->varcollid);
		set_opfuncid((OpExpr *) is_word);
		if (!add_count(path, info, list_make1(is_word), NIL))
			return false;
		*words = lappend(*words, makeString(word));
	}
	return true;
}

/*
 * Adds the count of all rows, which is made in each organisation, and those of the
 * words of the column, if it has any.
 */
static bool
add_groups(XeroPath *path, const XeroRelInfo *info, Var *column, int naggregates)
{
	List	   *words = NIL;

	if (!add_count(path, info, NIL, NIL) ||
		(!is_tenant(info, column) && !add_words(path, info, column, &words)))
		return false;
	path->group = list_make3(makeInteger(column->varattno), words,
							 makeInteger(naggregates));
	return true;
}

/* Do all aggregates count all the rows of a group? */
static bool
count_all_rows(const XeroRelInfo *info, List *aggregates)
{
	ListCell   *lc;

	foreach(lc, aggregates)
	{
		List	   *clauses;
		XeroPushdown pushdown;

		if (!counts_rows(info, lfirst(lc), &clauses))
			return false;
		xero_pushdown(info->rel, clauses, &pushdown);
		if (pushdown.sent != NIL || pushdown.recheck != NIL)
			return false;
	}
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
		List	   *order = lthird(lfirst(lc));
		List	   *list = list_make2(sent, order ? linitial(order) : NULL);

		if (list_member(seen, list))
			continue;
		seen = lappend(seen, list);
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

/*
 * The counts of the query's rows, or of those of each group.  What is planned
 * for the rows is for the case that they must be looked at after all.
 */
static XeroPath *
make_count_path(PlannerInfo *root, RelOptInfo *input_rel, List *aggregates,
				Var *group)
{
	XeroRelInfo *info = input_rel->fdw_private;
	XeroPath   *path = xero_make_path(root, input_rel, info->clauses, NULL,
									  info->table->page_size, false);

	path->kind = XERO_PATH_COUNT;
	path->page_size = 1;		/* a single record may come */
	path->keep = false;
	path->scan.pushdown = info->pushdown;
	if (group != NULL)
		return count_all_rows(info, aggregates) &&
			add_groups(path, info, group, list_length(aggregates)) ? path : NULL;
	path->scan.options.order = NULL;
	if (!add_aggregates(path, info, aggregates))
		return NULL;
	if (!share_orders(path))
	{
		path->scan.wanted = NIL;
		path->scan.options.levels = XERO_LEVEL_SUMMARY | XERO_LEVEL_LIST | XERO_LEVEL_SINGLE;
	}
	return may_ask(info, count_lists(path, info)) ? path : NULL;
}

/* Is the parameter a column of a query around this one? */
static bool
is_outer_column(const PlannerInfo *root, const Param *param)
{
	while ((root = root->parent_root) != NULL)
	{
		ListCell   *lc;

		foreach(lc, root->plan_params)
		{
			if (((PlannerParamItem *) lfirst(lc))->paramId == param->paramid)
				return true;
		}
	}
	return false;
}

/*
 * Does an expression depend on the rows of a query around this one?  Counts
 * would be asked for with each of those anew, however many they are.  Rows are
 * not: see scan/answers.c.
 */
static bool
is_correlated(Node *node, void *root)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC &&
			is_outer_column(root, (Param *) node);
	return expression_tree_walker(node, is_correlated, root);
}

void
xero_add_count_path(PlannerInfo *root, RelOptInfo *input_rel,
					RelOptInfo *output_rel, PathTarget *target, List *having)
{
	Query	   *parse = root->parse;
	XeroRelInfo *info = input_rel->fdw_private;
	XeroPath   *path;
	List	   *aggregates;
	Var		   *group;
	double		rows;
	Cost		cost;
	ListCell   *lc;

	if (output_rel->fdw_private ||
		!IS_SIMPLE_REL(input_rel) || info == NULL ||
		parse->groupingSets || parse->hasTargetSRFs ||
		info->table->object->parent != NULL ||
		info->table->object->paging != XERO_PAGING_PAGE)
		return;
	group = grouped_column(root, info, target);
	if ((grouping(parse) != NIL && group == NULL) ||
		!find_aggregates(target, having, group, &aggregates) ||
		is_correlated((Node *) info->clauses, root) ||
		is_correlated((Node *) aggregates, root))
		return;
	foreach(lc, input_rel->baserestrictinfo)
	{
		if (lfirst_node(RestrictInfo, lc)->pseudoconstant)
			return;
	}
	path = make_count_path(root, input_rel, aggregates, group);
	if (path == NULL)
		return;

	path->returned = aggregates;
	if (group != NULL)
		path->returned = lappend(list_copy(aggregates), group);
	path->having = having;
	rows = group == NULL ? 1 :
		is_tenant(info, group) ? path->scan.organisations :
		list_length(lsecond(path->group));
	path->scan.calls = count_lists(path, info) * path->scan.organisations;
	cost = XERO_CALL_COST * path->scan.calls + rows * cpu_tuple_cost;
	output_rel->fdw_private = info;
	add_path(output_rel, (Path *)
			 xero_create_foreign_upper_path(root, output_rel, target, rows, cost,
											cost, xero_path_private(path)));
}

ForeignScan *
xero_plan_count(const XeroPath *path, List *tlist)
{
	List	   *scan_tlist;

	scan_tlist = add_to_flat_tlist(NIL, path->returned);
	scan_tlist = add_to_flat_tlist(scan_tlist,
								   pull_var_clause((Node *) path->clauses,
												   PVC_RECURSE_PLACEHOLDERS));
	return make_foreignscan(tlist, path->having, 0,
							path->scan.pushdown.params,
							xero_plan_private(path), scan_tlist, path->clauses,
							NULL);
}
