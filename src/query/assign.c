/*-------------------------------------------------------------------------
 *
 * assign.c
 *	  Which way each condition travels; query.h's planning side.
 *
 * All clauses are ANDed, so they are taken apart at their top-level ANDs and
 * each part is given a place in the request: the key first, then parameters
 * made for a column, then If-Modified-Since, then where=.
 *
 * A query has a limited length, and the values are known at run time only.
 * Hence the rule that everything rests on: a clause escapes the recheck only
 * if its condition is exact and is certain to be sent.  Certain are those
 * whose longest possible text was given room here, and the one whose values
 * may be spread over several requests.  All others are droppable.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "query/literal.h"
#include "utils/lsyscache.h"

/* One part of a clause. */
typedef struct Part
{
	XeroCondition *condition;
	int			clause;			/* index of its clause */
	bool		placed;
} Part;

typedef struct Assignment
{
	const XeroRel *rel;
	const XeroObject *root;
	List	   *items;			/* XeroItems */
	Bitmapset  *used;			/* indexes of params that are taken */
	int			room;			/* bytes left in the query */
	bool		split;			/* some item may be split already */
	bool		maybe_single;	/* a request by key alone is possible: then
								 * nothing else may be sent */
	double		max_records;
	double		max_organisations;
} Assignment;

/* How many values a list of equality values can have at run time. */
typedef enum Multitude
{
	SINGLE_VALUE,
	SEVERAL_VALUES,				/* known to be more than one */
	ANY_NUMBER					/* an array that comes at run time */
} Multitude;

/* Sets "count" to the number of values, nulls aside, or -1. */
static Multitude
multitude_of(const XeroCondition *condition, int *count)
{
	List	   *constants = NIL;
	int			scalars = 0;
	XeroValues	values;
	ListCell   *lc;
	bool		unknown = false;

	foreach(lc, condition->values)
	{
		Node	   *value = lfirst(lc);

		if (IsA(value, Const))
			constants = lappend(constants, value);
		else if (!xero_is_array_node(value))
			scalars++;
		else if (IsA(value, ArrayExpr) && !((ArrayExpr *) value)->multidims)
			scalars += list_length(((ArrayExpr *) value)->elements);
		else
			unknown = true;
	}
	*count = -1;
	if (unknown)
		return ANY_NUMBER;
	xero_resolve_values(constants, NULL, XERO_UNKNOWN_NONE, &values);
	*count = values.count + scalars;
	return *count > 1 ? SEVERAL_VALUES : SINGLE_VALUE;
}

static bool
is_comparison(const XeroCondition *condition)
{
	return condition->kind == XERO_COND_COMPARE ||
		condition->kind == XERO_COND_MONOTONE;
}

static bool
is_equality(const XeroCondition *condition)
{
	return condition->kind == XERO_COND_COMPARE &&
		condition->op == XERO_CMP_EQ;
}

static bool
is_key_equality(const XeroRel *rel, const XeroCondition *condition)
{
	return is_equality(condition) &&
		xero_is_key_column(rel, xero_condition_column(rel, condition->attno));
}

static int
width_of(const XeroRel *rel, XeroRoute route, int param,
		 XeroCondition *condition)
{
	XeroItem	item = {0};

	item.route = route;
	item.param = param;
	item.condition = condition;
	return xero_item_width(rel, &item, false);
}

/*
 * Makes an item the split one.  False if even one of its values may find no
 * room.
 */
static bool
split_item(Assignment *a, XeroItem *item)
{
	int			one = xero_item_width(a->rel, item, true);
	bool		fits = one >= 0 && one <= a->room;

	item->split = a->split = true;
	a->room -= Min(a->room, Max(one, XERO_SPLIT_ROOM));
	return fits;
}

/*
 * Adds an item.  Returns true if it is exact and certain to be sent, so that
 * its clause need not be checked again; else the item is droppable, and takes
 * no room from others.
 */
static bool
add_item(Assignment *a, XeroRoute route, int param, XeroCondition *condition,
		 bool can_split, bool exact)
{
	XeroItem   *item = palloc0(sizeof(XeroItem));
	int			width;

	item->route = route;
	item->param = param;
	item->condition = condition;
	a->items = lappend(a->items, item);

	width = xero_item_width(a->rel, item, false);
	exact = exact && condition->verdict == XERO_VERDICT_EXACT &&
		!a->maybe_single;
	if (width >= 0 && width <= a->room)
	{
		if (exact)
			a->room -= width;
	}
	else if (!can_split || a->split || !split_item(a, item))
		exact = false;
	item->droppable = !exact;
	return exact;
}

/*
 * Does asking for records by their keys show the ones that the table's list
 * shows?  It shows archived ones in any case.  Else a condition could bring in
 * rows that the table does not have.
 */
static bool
keys_show_list(const XeroRel *rel)
{
	const XeroObject *root = xero_root_object(rel->object);

	for (int i = 0; i < root->nparams; i++)
	{
		if (root->params[i].kind == XERO_PARAM_ARCHIVED)
			return rel->include_archived;
	}
	return !root->hides_records;
}

/*
 * An equality on the key.  One value may become a request for one record by
 * path, which carries no other condition.  Its answer is rechecked: some
 * paths take other names of a record as well.
 */
static bool
place_key(Assignment *a, XeroCondition *condition, bool *exact)
{
	const XeroColumn *column = xero_condition_column(a->rel, condition->attno);
	bool		by_key = keys_show_list(a->rel);
	bool		by_path = by_key && (a->root->operations & XERO_OP_GET) != 0;
	bool		by_where = xero_in_where(a->rel, condition);
	int			param = by_key ?
	xero_find_param(a->rel, column, XERO_PARAM_LIST) : -1;
	int			count;
	Multitude	multitude = multitude_of(condition, &count);

	if (by_key && param < 0 && multitude == SINGLE_VALUE)
		param = xero_find_param(a->rel, column, XERO_PARAM_VALUE);
	if (param < 0 && !by_where && !(by_path && multitude == SINGLE_VALUE))
		return false;
	a->max_records = count;
	if (param >= 0)
		a->used = bms_add_member(a->used, param);
	if (by_path && multitude != SEVERAL_VALUES)
	{
		a->maybe_single = true;
		*exact = add_item(a, XERO_ROUTE_KEY, param, condition,
						  multitude == ANY_NUMBER, false);
	}
	else if (param >= 0)
		*exact = add_item(a, XERO_ROUTE_PARAM, param, condition, true,
						  a->root->params[param].exact);
	else
		*exact = add_item(a, XERO_ROUTE_WHERE, -1, condition, true, true);
	return true;
}

/*
 * A date compared with one value, by from and to parameters.  Any value will
 * do for them, so they are always sent, and their room is taken in any case.
 */
static bool
place_range(Assignment *a, XeroCondition *condition, bool *exact)
{
	const XeroColumn *column = xero_condition_column(a->rel, condition->attno);
	int			from = xero_find_param(a->rel, column, XERO_PARAM_FROM);
	int			to = xero_find_param(a->rel, column, XERO_PARAM_TO);
	bool		lower = condition->op == XERO_CMP_EQ ||
	condition->op == XERO_CMP_GE || condition->op == XERO_CMP_GT;
	bool		upper = condition->op == XERO_CMP_EQ ||
	condition->op == XERO_CMP_LE || condition->op == XERO_CMP_LT;

	int			width = width_of(a->rel, XERO_ROUTE_RANGE, -1, condition);

	if (column->type != XERO_DATE || condition->op == XERO_CMP_NE ||
		list_length(condition->values) != 1 ||
		xero_is_array_node(linitial(condition->values)) ||
		(lower && from < 0) || (upper && to < 0) || width > a->room)
		return false;
	*exact = add_item(a, XERO_ROUTE_RANGE, -1, condition, false,
					  (!lower || a->root->params[from].exact) &&
					  (!upper || a->root->params[to].exact));
	if (!*exact)
		a->room -= width;
	return true;
}

/* A condition by a parameter made for its column. */
static bool
place_param(Assignment *a, XeroCondition *condition, bool *exact)
{
	const XeroColumn *column;
	Multitude	multitude;
	int			param;
	int			count;
	int			width;
	bool		several;
	bool		one_by_one;

	if (!is_comparison(condition))
		return false;
	if (place_range(a, condition, exact))
		return true;
	if (!is_equality(condition))
		return false;
	column = xero_condition_column(a->rel, condition->attno);
	multitude = multitude_of(condition, &count);
	param = xero_find_param(a->rel, column, XERO_PARAM_LIST);
	if (param < 0)
		param = xero_find_param(a->rel, column, XERO_PARAM_VALUE);
	if (param < 0 || bms_is_member(param, a->used) ||
		(is_key_equality(a->rel, condition) && !keys_show_list(a->rel)))
		return false;
	one_by_one = a->root->params[param].kind == XERO_PARAM_VALUE;
	width = width_of(a->rel, XERO_ROUTE_PARAM, param, condition);
	several = multitude != SINGLE_VALUE && (width < 0 || width > a->room);
	if (width == XERO_WIDTH_UNSENDABLE ||
		(several && one_by_one &&
		 (a->split || count > XERO_MAX_SINGLE_VALUES)))
		return false;
	a->used = bms_add_member(a->used, param);
	*exact = add_item(a, XERO_ROUTE_PARAM, param, condition, several,
					  a->root->params[param].exact &&
					  !(one_by_one && multitude == ANY_NUMBER));
	return true;
}

/* A lower bound of the time of the last change. */
static bool
place_modified(Assignment *a, XeroCondition *condition, bool *exact)
{
	if (!a->root->has_modified_since || !is_comparison(condition) ||
		(condition->op != XERO_CMP_EQ && condition->op != XERO_CMP_GT &&
		 condition->op != XERO_CMP_GE) ||
		strcmp(xero_condition_column(a->rel, condition->attno)->name,
			   "updated_date_utc") != 0)
		return false;
	*exact = add_item(a, XERO_ROUTE_MODIFIED, -1, condition, false, true);
	return true;
}

bool
xero_is_offset_column(const XeroRel *rel, AttrNumber attno)
{
	const XeroColumn *column = xero_condition_column(rel, attno);
	const char *name = xero_root_object(rel->object)->offset_column;

	return column != NULL && name != NULL && strcmp(column->name, name) == 0;
}

/*
 * A bound of the column that a list by offset goes by.  The last page has what
 * is beyond an upper one, so that is checked again.
 */
static bool
place_offset(Assignment *a, XeroCondition *condition, bool *exact)
{
	if (condition->kind != XERO_COND_COMPARE || condition->op == XERO_CMP_NE ||
		list_length(condition->values) != 1 ||
		xero_is_array_node(linitial(condition->values)) ||
		!xero_is_offset_column(a->rel, condition->attno))
		return false;
	*exact = add_item(a, XERO_ROUTE_OFFSET, -1, condition, false, false);
	return true;
}

/* What where= can say of a condition, or NULL. */
static XeroCondition *
where_part(const XeroRel *rel, XeroCondition *condition)
{
	XeroCondition *part;
	ListCell   *lc;

	if (xero_in_where(rel, condition))
		return condition;
	if (condition->kind != XERO_COND_AND && condition->kind != XERO_COND_OR)
		return NULL;
	part = palloc0(sizeof(XeroCondition));
	part->kind = condition->kind;
	part->verdict = XERO_VERDICT_SUPERSET;
	foreach(lc, condition->args)
	{
		XeroCondition *arg = where_part(rel, lfirst(lc));

		if (arg != NULL)
			part->args = lappend(part->args, arg);
		else if (condition->kind == XERO_COND_OR)
			return NULL;
	}
	return part->args == NIL ? NULL : part;
}

static bool
place_where(Assignment *a, XeroCondition *condition, bool *exact)
{
	bool		several;
	int			width;
	int			count;

	condition = where_part(a->rel, condition);
	if (condition == NULL)
		return false;
	width = width_of(a->rel, XERO_ROUTE_WHERE, -1, condition);
	if (width == XERO_WIDTH_UNSENDABLE)
		return false;
	several = is_equality(condition) &&
		multitude_of(condition, &count) != SINGLE_VALUE &&
		(width < 0 || width > a->room);
	*exact = add_item(a, XERO_ROUTE_WHERE, -1, condition, several, true);
	return true;
}

/*
 * An organisation is picked by where a request goes, not by its query, so
 * this takes no room, and goes with everything else.
 */
static bool
place_tenant(Assignment *a, XeroCondition *condition, bool *exact)
{
	XeroItem   *item;
	int			count;

	if (condition->kind != XERO_COND_COMPARE ||
		condition->attno != a->rel->tenant_attno)
		return false;
	item = palloc0(sizeof(XeroItem));
	item->route = XERO_ROUTE_TENANT;
	item->param = -1;
	item->condition = condition;
	a->items = lappend(a->items, item);
	if (is_equality(condition))
	{
		(void) multitude_of(condition, &count);
		if (count >= 0 && (a->max_organisations < 0 || count < a->max_organisations))
			a->max_organisations = count;
	}
	*exact = true;
	return true;
}

/* The parts of all clauses; clauses that are not sent in full get a recheck. */
static List *
take_apart(const XeroRel *rel, List *clauses, bool *recheck)
{
	List	   *parts = NIL;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		XeroCondition *condition = xero_classify_clause(rel, lfirst(lc));
		List	   *conditions;
		ListCell   *lc2;

		recheck[foreach_current_index(lc)] = condition == NULL ||
			condition->verdict != XERO_VERDICT_EXACT;
		if (condition == NULL)
			continue;
		conditions = condition->kind == XERO_COND_AND ? condition->args :
			list_make1(condition);
		foreach(lc2, conditions)
		{
			Part	   *part = palloc0(sizeof(Part));

			part->condition = lfirst(lc2);
			part->clause = foreach_current_index(lc);
			parts = lappend(parts, part);
		}
	}
	return parts;
}

/* The ways a condition can go, the best first. */
static bool (*const places[]) (Assignment *, XeroCondition *, bool *) =
{
	place_key, place_tenant, place_param, place_modified, place_offset, place_where
};

void
xero_pushdown(const XeroRel *rel, List *clauses, XeroPushdown *result)
{
	Assignment	a = {0};
	int			nclauses = list_length(clauses);
	bool	   *recheck = palloc0(sizeof(bool) * (nclauses + 1));
	bool	   *remote = palloc0(sizeof(bool) * (nclauses + 1));
	List	   *parts = take_apart(rel, clauses, recheck);
	ListCell   *lc;

	a.rel = rel;
	a.root = xero_root_object(rel->object);
	a.room = XERO_CONDITION_ROOM;
	a.max_records = a.max_organisations = -1;
	for (int i = 0; i < lengthof(places); i++)
	{
		foreach(lc, parts)
		{
			Part	   *part = lfirst(lc);
			bool		exact;

			if (part->placed ||
				(places[i] == place_key &&
				 (a.items != NIL || !is_key_equality(rel, part->condition))) ||
				!places[i] (&a, part->condition, &exact))
				continue;
			part->placed = true;
			remote[part->clause] = true;
			if (!exact)
				recheck[part->clause] = true;
		}
	}
	foreach(lc, parts)
	{
		Part	   *part = lfirst(lc);

		if (!part->placed)
			recheck[part->clause] = true;
	}

	memset(result, 0, sizeof(XeroPushdown));
	result->max_records = a.max_records;
	result->max_organisations = a.max_organisations;
	result->split = a.split;
	foreach(lc, a.items)
		result->sent = lappend(result->sent,
							   xero_item_to_node(lfirst(lc), &result->params));
	foreach(lc, clauses)
	{
		if (recheck[foreach_current_index(lc)])
			result->recheck = lappend(result->recheck, lfirst(lc));
		if (remote[foreach_current_index(lc)])
			result->remote = lappend(result->remote, lfirst(lc));
	}
}

bool
xero_is_lookup(const XeroRel *rel, Expr *clause)
{
	const XeroObject *root = xero_root_object(rel->object);
	XeroCondition *condition = xero_classify_clause(rel, (Node *) clause);
	const XeroColumn *column;
	int			count;

	if (condition == NULL || !is_equality(condition))
		return false;
	if (condition->attno == rel->tenant_attno)
		return true;
	if (!is_key_equality(rel, condition))
		return false;
	column = xero_condition_column(rel, condition->attno);
	if (!keys_show_list(rel))
		return xero_in_where(rel, condition);
	if (xero_find_param(rel, column, XERO_PARAM_LIST) >= 0)
		return true;
	return (root->operations & XERO_OP_GET) != 0 &&
		(multitude_of(condition, &count) == SINGLE_VALUE ||
		 xero_in_where(rel, condition));
}

Node *
xero_listed_value(const XeroRel *rel, Expr *clause, AttrNumber *attno)
{
	XeroCondition *condition = xero_classify_clause(rel, (Node *) clause);
	const XeroColumn *column;
	Node	   *value;

	if (condition == NULL || !IsA(clause, OpExpr) || !is_equality(condition) ||
		list_length(condition->values) != 1 ||
		condition->attno == rel->tenant_attno)
		return NULL;
	value = linitial(condition->values);
	column = xero_condition_column(rel, condition->attno);
	if (IsA(value, Const) || xero_is_array_node(value) ||
		exprType(value) != xero_type_oid(column->type) ||
		(column->type != XERO_UUID && column->type != XERO_TEXT) ||
		(column->flags & XERO_COL_ENUM) != 0)
		return NULL;
	*attno = condition->attno;
	if (is_key_equality(rel, condition))
		return xero_is_lookup(rel, clause) &&
			(xero_find_param(rel, column, XERO_PARAM_LIST) >= 0 ||
			 xero_in_where(rel, condition)) ? value : NULL;
	if (xero_find_param(rel, column, XERO_PARAM_LIST) >= 0 ||
		(xero_in_where(rel, condition) &&
		 column->filtering == XERO_FILTER_OPTIMISED))
		return value;
	return NULL;
}

static bool
is_bare_column(const XeroRel *rel, AttrNumber attno, Node *node)
{
	Var		   *var = (Var *) node;

	return IsA(var, Var) && var->varno == rel->relid &&
		var->varattno == attno && var->varlevelsup == 0;
}

/* Is one of the clauses IS NOT NULL, or a strict comparison, of the column? */
static bool
excludes_nulls(const XeroRel *rel, AttrNumber attno, List *clauses)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		Node	   *clause = lfirst(lc);
		ListCell   *la;

		if (IsA(clause, NullTest) &&
			((NullTest *) clause)->nulltesttype == IS_NOT_NULL &&
			is_bare_column(rel, attno, (Node *) ((NullTest *) clause)->arg))
			return true;
		if (!IsA(clause, OpExpr) || !op_strict(((OpExpr *) clause)->opno))
			continue;
		foreach(la, ((OpExpr *) clause)->args)
		{
			if (is_bare_column(rel, attno, lfirst(la)))
				return true;
		}
	}
	return false;
}

const char *
xero_order_field(const XeroRel *rel, AttrNumber attno, List *clauses)
{
	const XeroObject *root = xero_root_object(rel->object);
	const XeroColumn *column = xero_condition_column(rel, attno);

	if (column == NULL || (!root->has_where && root->order == NULL) ||
		(column->flags & XERO_COL_ORDER) == 0 ||
		((column->flags & XERO_COL_NOT_NULL) == 0 &&
		 !excludes_nulls(rel, attno, clauses)))
		return NULL;
	switch (column->type)
	{
		case XERO_NUMERIC:
		case XERO_INTEGER:
		case XERO_DATE:
		case XERO_TIMESTAMPTZ:
			return column->field;
		default:
			return NULL;
	}
}
