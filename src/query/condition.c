/*-------------------------------------------------------------------------
 *
 * condition.c
 *	  What conditions and clauses refer to in the catalogue, and the form of
 *	  conditions as nodes.
 *
 * In a plan, an item is a list of Integers and the condition; a condition is
 * (kind, attribute number, operator, list of parts or values, order).  All of
 * these nodes can be copied and written out.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

/* Every record is of an organisation, which no member of it tells. */
static const XeroColumn tenant_column = {
	.name = "tenant_id",
	.field = "",
	.type = XERO_UUID,
	.filtering = XERO_FILTER_NONE,
	.levels = XERO_LEVEL_SUMMARY | XERO_LEVEL_LIST | XERO_LEVEL_SINGLE,
	.flags = XERO_COL_NOT_NULL,
};

/*
 * The catalogue's column behind an attribute as requests know it: for a child
 * table that is the parent's column, and nothing for members of the array's
 * elements, which no request can name.
 */
const XeroColumn *
xero_condition_column(const XeroRel *rel, AttrNumber attno)
{
	const XeroColumn *column;

	if (attno < 1 || attno > rel->natts)
		return NULL;
	if (attno == rel->tenant_attno)
		return &tenant_column;
	column = rel->columns[attno - 1];
	if (column == NULL || rel->object->parent == NULL)
		return column;
	if ((column->flags & XERO_COL_PARENT) == 0)
		return NULL;
	column = xero_find_field(rel->object->parent, column->field);
	if (column != NULL && column->type != rel->columns[attno - 1]->type)
		return NULL;
	return column;
}

static Node *
strip_relabel(Node *node)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/*
 * The column behind a node, or NULL.  A type modifier may have changed the
 * value that came from Xero, so columns with one are left alone.
 */
const XeroColumn *
xero_column_of(const XeroRel *rel, Node *node, AttrNumber *attno)
{
	const XeroColumn *column;
	Var		   *var = (Var *) strip_relabel(node);

	if (var == NULL || !IsA(var, Var) || var->varno != rel->relid ||
		var->varlevelsup != 0 || var->vartypmod != -1)
		return NULL;
	column = xero_condition_column(rel, var->varattno);
	if (column == NULL || column->type == XERO_JSONB)
		return NULL;
	if (var->vartype != xero_type_oid(column->type) &&
		!(column->type == XERO_TEXT && var->vartype == VARCHAROID))
		return NULL;
	*attno = var->varattno;
	return column;
}

static bool
mentions_rel(Node *node, void *relid)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return ((Var *) node)->varno == *(Index *) relid;
	return expression_tree_walker(node, mentions_rel, relid);
}

bool
xero_mentions_rel(const XeroRel *rel, Node *node)
{
	Index		relid = rel->relid;

	return mentions_rel(node, &relid);
}

bool
xero_is_never_null(const XeroRel *rel, Node *node)
{
	AttrNumber	attno;
	const XeroColumn *column = xero_column_of(rel, node, &attno);

	return column != NULL ? (column->flags & XERO_COL_NOT_NULL) != 0 :
		IsA(node, Const) && !((Const *) node)->constisnull;
}

/* Can it be evaluated once, before the request goes out? */
bool
xero_is_value(const XeroRel *rel, Node *node)
{
	return IsA(node, Const) ||
		(!xero_mentions_rel(rel, node) && !contain_volatile_functions(node) &&
		 !contain_subplans(node));
}

/* "column" is one that xero_condition_column() returned. */
bool
xero_is_key_column(const XeroRel *rel, const XeroColumn *column)
{
	const XeroObject *root = xero_root_object(rel->object);

	return root->key != NULL && strcmp(root->key, column->name) == 0;
}

bool
xero_is_key(const XeroRel *rel, AttrNumber attno)
{
	return xero_is_key_column(rel, xero_condition_column(rel, attno));
}

/* Can where= say all of this condition? */
bool
xero_in_where(const XeroRel *rel, const XeroCondition *condition)
{
	ListCell   *lc;

	if (!xero_root_object(rel->object)->has_where)
		return false;
	if (condition->kind != XERO_COND_AND && condition->kind != XERO_COND_OR)
		return xero_condition_column(rel, condition->attno)->filtering !=
			XERO_FILTER_NONE;
	foreach(lc, condition->args)
	{
		if (!xero_in_where(rel, lfirst(lc)))
			return false;
	}
	return true;
}

/* Index of the column's parameter of that kind, -1 if there is none. */
int
xero_find_param(const XeroRel *rel, const XeroColumn *column,
				XeroParamKind kind)
{
	const XeroObject *root = xero_root_object(rel->object);

	for (int i = 0; i < root->nparams; i++)
	{
		if (root->params[i].kind == kind && root->params[i].column != NULL &&
			strcmp(root->params[i].column, column->name) == 0)
			return i;
	}
	return -1;
}

static List *
condition_to_node(const XeroCondition *condition, List **params)
{
	List	   *parts = NIL;
	ListCell   *lc;

	foreach(lc, condition->args)
		parts = lappend(parts, condition_to_node(lfirst(lc), params));
	foreach(lc, condition->values)
	{
		Node	   *value = lfirst(lc);
		Param	   *param;
		ListCell   *known;

		if (IsA(value, Const))
		{
			parts = lappend(parts, value);
			continue;
		}
		param = makeNode(Param);
		param->paramkind = PARAM_EXTERN;
		param->paramid = 0;
		param->paramtype = exprType(value);
		param->paramtypmod = -1;
		param->paramcollid = InvalidOid;
		param->location = -1;
		foreach(known, *params)
		{
			if (equal(lfirst(known), value))
				break;
			param->paramid++;
		}
		if (known == NULL)
			*params = lappend(*params, value);
		parts = lappend(parts, param);
	}
	return list_make5(makeInteger(condition->kind),
					  makeInteger(condition->attno),
					  makeInteger(condition->op),
					  parts,
					  condition->order);
}

static XeroCondition *
condition_from_node(List *node)
{
	XeroCondition *condition = palloc0(sizeof(XeroCondition));
	List	   *parts = lfourth(node);
	ListCell   *lc;

	condition->kind = (XeroConditionKind) intVal(linitial(node));
	condition->attno = (AttrNumber) intVal(lsecond(node));
	condition->op = (XeroComparison) intVal(lthird(node));
	condition->order = list_nth(node, 4);
	if (condition->kind != XERO_COND_AND && condition->kind != XERO_COND_OR)
	{
		condition->values = parts;
		return condition;
	}
	foreach(lc, parts)
		condition->args = lappend(condition->args,
								  condition_from_node(lfirst(lc)));
	return condition;
}

/* Run-time expressions are added to "params" unless they are there. */
List *
xero_item_to_node(const XeroItem *item, List **params)
{
	return list_make5(makeInteger(item->route),
					  makeInteger(item->param),
					  makeInteger(item->droppable),
					  makeInteger(item->split),
					  condition_to_node(item->condition, params));
}

XeroItem *
xero_item_from_node(List *node)
{
	XeroItem   *item = palloc0(sizeof(XeroItem));

	item->route = (XeroRoute) intVal(linitial(node));
	item->param = intVal(lsecond(node));
	item->droppable = intVal(lthird(node)) != 0;
	item->split = intVal(lfourth(node)) != 0;
	item->condition = condition_from_node(list_nth(node, 4));
	return item;
}
