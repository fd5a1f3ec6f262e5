/*-------------------------------------------------------------------------
 *
 * classify.c
 *	  SQL clause -> condition, and what sending it would mean.
 *
 * One pass over the clause.  Anything not understood here is local, which is
 * always right.  What is understood: built-in operators on columns whose SQL
 * type is the catalogue's, and on functions that keep their order
 * (monotone.c), with a value on the other side that does not depend on the
 * row; and _modified_since() of the syncs.  Negations are pushed down to the
 * operators on the way, which three-valued logic allows; after that null and
 * false are the same.
 *
 * Whether a request has a place for the condition is not decided here, but in
 * assign.c.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/literal.h"
#include "query/span.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* text ^@ text, which is what starts_with() computes */
#define TEXT_PREFIX_OPERATOR	3877

/*
 * Operators, by their names in pg_operator; the types are checked apart.  An
 * AND stands for no condition.
 */
typedef struct OperatorRow
{
	const char *name;
	XeroConditionKind kind;		/* on a column */
	XeroConditionKind folded;	/* on a part of a text, whatever its case */
	XeroComparison op;
} OperatorRow;

static const OperatorRow operators[] = {
	{"=", XERO_COND_COMPARE, XERO_COND_FOLDED, XERO_CMP_EQ},
	{"<>", XERO_COND_COMPARE, XERO_COND_AND, XERO_CMP_NE},
	{"<", XERO_COND_COMPARE, XERO_COND_AND, XERO_CMP_LT},
	{"<=", XERO_COND_COMPARE, XERO_COND_AND, XERO_CMP_LE},
	{">", XERO_COND_COMPARE, XERO_COND_AND, XERO_CMP_GT},
	{">=", XERO_COND_COMPARE, XERO_COND_AND, XERO_CMP_GE},
	{"~~", XERO_COND_LIKE, XERO_COND_FOLDED_LIKE, XERO_CMP_EQ},
	{"^@", XERO_COND_PREFIX, XERO_COND_FOLDED, XERO_CMP_EQ},
	{"~~*", XERO_COND_AND, XERO_COND_FOLDED_LIKE, XERO_CMP_EQ},
	{"~", XERO_COND_AND, XERO_COND_FOLDED_REGEX, XERO_CMP_EQ},
	{"~*", XERO_COND_AND, XERO_COND_FOLDED_REGEX, XERO_CMP_EQ},
	{"<@", XERO_COND_MONOTONE, XERO_COND_AND, XERO_CMP_EQ},
};

/* Functions whose result is a part of their first argument, but for its case. */
static const Oid parts_of_text[] = {
	F_LOWER_TEXT, F_UPPER_TEXT, F_LEFT, F_RIGHT,
	F_SUBSTR_TEXT_INT4, F_SUBSTR_TEXT_INT4_INT4,
	F_SUBSTRING_TEXT_INT4, F_SUBSTRING_TEXT_INT4_INT4,
	F_BTRIM_TEXT, F_BTRIM_TEXT_TEXT, F_LTRIM_TEXT, F_LTRIM_TEXT_TEXT,
	F_RTRIM_TEXT, F_RTRIM_TEXT_TEXT,
};

static XeroCondition *classify(const XeroRel *rel, Node *node, bool negate);

PG_FUNCTION_INFO_V1(xero_modified_since);

/* Do the operator's types mean for PostgreSQL what the column's mean for Xero? */
static bool
types_agree(XeroType type, Oid column_side, Oid value_side)
{
	if (column_side != xero_type_oid(type))
		return false;
	switch (type)
	{
		case XERO_INTEGER:
			return value_side == INT2OID || value_side == INT4OID ||
				value_side == INT8OID;
		case XERO_TIMESTAMPTZ:
			return value_side == TIMESTAMPTZOID || value_side == TIMESTAMPOID ||
				value_side == DATEOID;
		case XERO_JSONB:
			return false;
		default:
			return value_side == column_side;
	}
}

/* Are all constants among the values sendable?  Sets whether all are constants. */
static bool
constants_sendable(const XeroColumn *column, List *nodes, bool *all_constant)
{
	List	   *constants = NIL;
	XeroValues	values;
	ListCell   *lc;

	foreach(lc, nodes)
	{
		if (IsA(lfirst(lc), Const))
			constants = lappend(constants, lfirst(lc));
	}
	*all_constant = list_length(constants) == list_length(nodes);
	xero_resolve_values(constants, NULL, XERO_UNKNOWN_NONE, &values);
	for (int i = 0; i < values.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (xero_value_text(column, &values.values[i]) == NULL)
			return false;
	}
	return true;
}

static bool
is_true_constant(List *values)
{
	Const	   *value = linitial(values);

	return list_length(values) == 1 && IsA(value, Const) &&
		value->consttype == BOOLOID && !value->constisnull &&
		DatumGetBool(value->constvalue);
}

/*
 * Null is different from every value to Xero, but not to PostgreSQL, so <> is
 * exact on columns without nulls only.
 */
static XeroVerdict
verdict_of_comparison(const XeroColumn *column, XeroComparison op,
					  List *values)
{
	XeroVerdict not_equal = (column->flags & XERO_COL_NOT_NULL) ?
	XERO_VERDICT_EXACT : XERO_VERDICT_SUPERSET;
	XeroVerdict equality = op == XERO_CMP_EQ ? XERO_VERDICT_EXACT :
	op == XERO_CMP_NE ? not_equal : XERO_VERDICT_LOCAL;
	bool		constant;

	switch (column->type)
	{
		case XERO_UUID:
			return equality;
		case XERO_INTEGER:
			return op == XERO_CMP_NE ? not_equal : XERO_VERDICT_EXACT;
		case XERO_DATE:
			return XERO_VERDICT_EXACT;	/* every date has a rendering, and <>
										 * is two ranges */
		case XERO_BOOLEAN:

			/*
			 * What a record leaves out is null here, but may well be false at
			 * Xero.
			 */
			if (op == XERO_CMP_EQ && is_true_constant(values))
				return XERO_VERDICT_EXACT;
			return equality == XERO_VERDICT_LOCAL ? equality : not_equal;
		case XERO_NUMERIC:
			if (!constants_sendable(column, values, &constant))
				return XERO_VERDICT_LOCAL;
			if (!constant)
				return XERO_VERDICT_SUPERSET;
			return op == XERO_CMP_NE ? not_equal : XERO_VERDICT_EXACT;
		case XERO_TEXT:
			if (!constants_sendable(column, values, &constant))
				return XERO_VERDICT_LOCAL;
			if ((column->flags & XERO_COL_ENUM) && constant)
				return equality;

			/*
			 * Xero ignores case and trailing blanks.  On an enum a run-time
			 * value that is not in its spelling stays behind, so <> on one is
			 * still a superset.
			 */
			if (op == XERO_CMP_EQ ||
				(op == XERO_CMP_NE && (column->flags & XERO_COL_ENUM)))
				return XERO_VERDICT_SUPERSET;
			return XERO_VERDICT_LOCAL;
		case XERO_TIMESTAMPTZ:
			return op == XERO_CMP_NE || list_length(values) != 1 ||
				xero_is_array_node(linitial(values)) ?
				XERO_VERDICT_LOCAL : XERO_VERDICT_SUPERSET;
		case XERO_JSONB:
			break;
	}
	return XERO_VERDICT_LOCAL;
}

/* NULL if it has to stay local. */
static XeroCondition *
make_leaf(const XeroRel *rel, XeroConditionKind kind, AttrNumber attno,
		  XeroComparison op, List *values)
{
	const XeroColumn *column = xero_condition_column(rel, attno);
	XeroCondition *leaf = palloc0(sizeof(XeroCondition));

	leaf->kind = kind;
	leaf->attno = attno;
	leaf->op = op;
	leaf->values = values;
	if (kind == XERO_COND_COMPARE)
		leaf->verdict = verdict_of_comparison(column, op, values);
	else if (kind >= XERO_COND_LIKE)
		leaf->verdict = XERO_VERDICT_SUPERSET;
	else if (column->type == XERO_DATE && !(column->flags & XERO_COL_NOT_NULL))

		/*
		 * Dates are the type whose values Xero is known to show and to
		 * compare with null alike.  Of other types some are never null over
		 * there, and comparing those with null is an error.
		 */
		leaf->verdict = kind == XERO_COND_IS_NULL ?
			XERO_VERDICT_SUPERSET : XERO_VERDICT_EXACT;
	return leaf->verdict == XERO_VERDICT_LOCAL ? NULL : leaf;
}

static XeroCondition *
make_boolean(const XeroRel *rel, AttrNumber attno, bool value)
{
	return make_leaf(rel, XERO_COND_COMPARE, attno, XERO_CMP_EQ,
					 list_make1(makeBoolConst(value, false)));
}

static const OperatorRow *
find_operator(Oid opno)
{
	char	   *name = get_opname(opno);

	for (int i = 0; name != NULL && i < lengthof(operators); i++)
	{
		if (strcmp(operators[i].name, name) == 0)
			return &operators[i];
	}
	return NULL;
}

/* A text comparison must be one where equal means the same bytes. */
static bool
collation_agrees(Oid left_type, Oid collation)
{
	return left_type != TEXTOID ||
		(OidIsValid(collation) && get_collation_isdeterministic(collation));
}

/* The text of which the node is a part; is the part in capitals? */
static Node *
whole_text(Node *node, bool *capitals)
{
	*capitals = false;
	while (IsA(node, FuncExpr))
	{
		FuncExpr   *function = (FuncExpr *) node;
		int			i;

		for (i = 0; i < lengthof(parts_of_text) && parts_of_text[i] != function->funcid; i++)
			;
		if (i == lengthof(parts_of_text))
			break;
		if (function->funcid == F_UPPER_TEXT)
		{
			if (!xero_has_single_capitals(function->inputcollid))
				break;
			*capitals = true;
		}
		node = linitial(function->args);
	}
	return node;
}

/* lower() or upper() of an enum, whose words are in capitals. */
static XeroCondition *
classify_word(const XeroRel *rel, FuncExpr *left, Node *value)
{
	const XeroColumn *column;
	XeroCondition *leaf;
	AttrNumber	attno;
	char	   *word;

	if (!IsA(left, FuncExpr) ||
		(left->funcid != F_LOWER_TEXT && left->funcid != F_UPPER_TEXT) ||
		(column = xero_column_of(rel, linitial(left->args), &attno)) == NULL ||
		(column->flags & XERO_COL_ENUM) == 0 ||
		!IsA(value, Const) || ((Const *) value)->constisnull)
		return NULL;
	word = TextDatumGetCString(((Const *) value)->constvalue);
	for (char *c = word; *c; c++)
		*c = pg_ascii_toupper((unsigned char) *c);
	leaf = make_leaf(rel, XERO_COND_COMPARE, attno, XERO_CMP_EQ,
					 list_make1(makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
										  CStringGetTextDatum(word), false, false)));
	if (leaf != NULL)
		leaf->verdict = XERO_VERDICT_SUPERSET;
	return leaf;
}

/* A condition on a part of a text, or in which case does not matter. */
static XeroCondition *
classify_folded(const XeroRel *rel, XeroConditionKind kind, Node *left,
				Node *value)
{
	AttrNumber	attno;
	bool		capitals;
	const XeroColumn *column = xero_column_of(rel, whole_text(left, &capitals),
											  &attno);

	if (column == NULL || column->type != XERO_TEXT ||
		(column->flags & XERO_COL_ENUM) != 0 || !xero_is_value(rel, value))
		return NULL;
	if (capitals)
	{
		if (kind == XERO_COND_FOLDED_REGEX)
			return NULL;
		kind = kind == XERO_COND_FOLDED ? XERO_COND_CAPITALS :
			XERO_COND_CAPITALS_LIKE;
	}
	return make_leaf(rel, kind, attno, XERO_CMP_EQ, list_make1(value));
}

/* A comparison of position(value IN text) that zero does not stand. */
static XeroCondition *
classify_position(const XeroRel *rel, XeroComparison op, FuncExpr *left,
				  const Const *value)
{
	int32		number;

	if (!IsA(left, FuncExpr) || !IsA(value, Const) ||
		(left->funcid != F_STRPOS && left->funcid != F_POSITION_TEXT_TEXT) ||
		value->constisnull || value->consttype != INT4OID ||
		!collation_agrees(TEXTOID, left->inputcollid))
		return NULL;
	number = DatumGetInt32(value->constvalue);
	if (op == XERO_CMP_GT ? number < 0 : op == XERO_CMP_NE ? number != 0 :
		(op != XERO_CMP_GE && op != XERO_CMP_EQ) || number < 1)
		return NULL;
	return classify_folded(rel, XERO_COND_FOLDED, linitial(left->args),
						   lsecond(left->args));
}

/* Comparisons of anything but the column itself. */
static XeroCondition *
classify_expression(const XeroRel *rel, const OperatorRow *row, Oid collation,
					Node *left, Node *value)
{
	XeroCondition *result = NULL;

	if (exprType(left) == TEXTOID && row->kind == XERO_COND_COMPARE &&
		row->op == XERO_CMP_EQ)
		result = classify_word(rel, (FuncExpr *) left, value);
	if (result == NULL && exprType(left) == TEXTOID &&
		row->folded != XERO_COND_AND)
		result = classify_folded(rel, row->folded, left, value);
	if (result == NULL && row->kind == XERO_COND_COMPARE)
		result = classify_position(rel, row->op, (FuncExpr *) left,
								   (Const *) value);
	if (result == NULL && row->kind == XERO_COND_COMPARE)
		result = xero_classify_monotone(rel, row->op, collation, left, value);
	if (row->kind == XERO_COND_MONOTONE)
		result = xero_classify_within(rel, left, value);
	return result;
}

/* Brings the value to the right, and NOT into the operator. */
static XeroCondition *
classify_operator(const XeroRel *rel, Oid opno, Oid collation, List *args,
				  bool negate)
{
	const XeroColumn *column;
	const OperatorRow *row;
	AttrNumber	attno;
	Node	   *left = linitial(args);
	Node	   *value = list_length(args) == 2 ? lsecond(args) : NULL;
	Oid			left_type;
	Oid			right_type;

	if (opno >= FirstGenbkiObjectId || value == NULL)
		return NULL;
	if (xero_is_value(rel, left))
	{
		opno = get_commutator(opno);
		left = value;
		value = linitial(args);
	}
	if (negate && OidIsValid(opno))
		opno = get_negator(opno);
	row = find_operator(opno);
	if (row == NULL || !xero_is_value(rel, value))
		return NULL;

	column = xero_column_of(rel, left, &attno);
	op_input_types(opno, &left_type, &right_type);
	if (!collation_agrees(left_type, collation))
		return NULL;
	if (column == NULL || !types_agree(column->type, left_type, right_type) ||
		row->kind == XERO_COND_AND)
		return classify_expression(rel, row, collation, left, value);
	if (row->kind != XERO_COND_COMPARE && column->type != XERO_TEXT)
		return NULL;
	if (column->type == XERO_BOOLEAN && row->op == XERO_CMP_NE &&
		IsA(value, Const) && !((Const *) value)->constisnull)
		return make_boolean(rel, attno,
							!DatumGetBool(((Const *) value)->constvalue));
	return make_leaf(rel, row->kind, attno, row->op, list_make1(value));
}

/* = ANY and <> ALL; the column is always on the left. */
static XeroCondition *
classify_array(const XeroRel *rel, ScalarArrayOpExpr *expr, bool negate)
{
	const XeroColumn *column;
	AttrNumber	attno;
	Node	   *value = lsecond(expr->args);
	bool		equal;
	Oid			left,
				right;

	column = xero_column_of(rel, linitial(expr->args), &attno);
	if (column == NULL || !xero_is_value(rel, value) ||
		expr->opno >= FirstGenbkiObjectId || !xero_is_array_node(value))
		return NULL;
	op_input_types(expr->opno, &left, &right);
	if (!types_agree(column->type, left, right) ||
		!collation_agrees(left, expr->inputcollid))
		return NULL;
	if (strcmp(get_opname(expr->opno), expr->useOr ? "=" : "<>") != 0)
		return NULL;
	equal = expr->useOr != negate;
	return make_leaf(rel, XERO_COND_COMPARE, attno,
					 equal ? XERO_CMP_EQ : XERO_CMP_NE, list_make1(value));
}

/* IS [NOT] TRUE, FALSE: true or false, so that negation is the other test. */
static XeroCondition *
classify_boolean_test(const XeroRel *rel, BooleanTest *test, bool negate)
{
	const XeroColumn *column;
	AttrNumber	attno;
	bool		wanted = test->booltesttype == IS_TRUE ||
	test->booltesttype == IS_NOT_TRUE;
	bool		not = test->booltesttype == IS_NOT_TRUE ||
	test->booltesttype == IS_NOT_FALSE;

	if (test->booltesttype == IS_UNKNOWN || test->booltesttype == IS_NOT_UNKNOWN)
		return NULL;
	if (not == negate)
		return classify(rel, (Node *) test->arg, !wanted);
	column = xero_column_of(rel, (Node *) test->arg, &attno);
	if (column == NULL || !(column->flags & XERO_COL_NOT_NULL))
		return NULL;
	return make_boolean(rel, attno, !wanted);
}

/* Equality arms over one column are one equality with all their values. */
static XeroCondition *
merge_equalities(const XeroRel *rel, List *arms)
{
	XeroCondition *first = linitial(arms);
	XeroCondition *merged;
	XeroVerdict verdict = XERO_VERDICT_EXACT;
	List	   *values = NIL;
	ListCell   *lc;

	foreach(lc, arms)
	{
		XeroCondition *arm = lfirst(lc);

		if (arm->kind != XERO_COND_COMPARE || arm->op != XERO_CMP_EQ ||
			arm->attno != first->attno)
			return NULL;
		values = list_concat(values, arm->values);
		verdict = Min(verdict, arm->verdict);
	}
	merged = make_leaf(rel, XERO_COND_COMPARE, first->attno, XERO_CMP_EQ, values);
	if (merged != NULL)
		merged->verdict = Min(merged->verdict, verdict);
	return merged;
}

/*
 * An AND may leave parts behind; an OR needs all of its arms.
 */
static XeroCondition *
classify_tree(const XeroRel *rel, BoolExpr *expr, bool negate)
{
	bool		is_and = (expr->boolop == AND_EXPR) != negate;
	XeroCondition *tree = palloc0(sizeof(XeroCondition));
	XeroCondition *merged;
	ListCell   *lc;

	tree->kind = is_and ? XERO_COND_AND : XERO_COND_OR;
	tree->verdict = XERO_VERDICT_EXACT;
	foreach(lc, expr->args)
	{
		XeroCondition *arg = classify(rel, lfirst(lc), negate);

		if (arg == NULL && !is_and)
			return NULL;
		if (arg == NULL)
			tree->verdict = XERO_VERDICT_SUPERSET;
		else
		{
			tree->verdict = Min(tree->verdict, arg->verdict);
			if (arg->kind == tree->kind)
				tree->args = list_concat(tree->args, arg->args);
			else
				tree->args = lappend(tree->args, arg);
		}
	}
	if (tree->args == NIL)
		return tree->verdict == XERO_VERDICT_EXACT ? tree : NULL;
	if (!is_and && (merged = merge_equalities(rel, tree->args)) != NULL)
		return merged;
	return tree;
}

/* Of a column that is never null, IS NOT NULL is an AND of nothing. */
static XeroCondition *
classify_null_test(const XeroRel *rel, NullTest *test, bool negate)
{
	const XeroColumn *column;
	AttrNumber	attno;
	bool		null = (test->nulltesttype == IS_NULL) != negate;

	if (test->argisrow)
		return NULL;
	column = xero_column_of(rel, (Node *) test->arg, &attno);
	if (column == NULL)
		return NULL;
	if (!null && (column->flags & XERO_COL_NOT_NULL))
	{
		XeroCondition *always = palloc0(sizeof(XeroCondition));

		always->kind = XERO_COND_AND;
		always->verdict = XERO_VERDICT_EXACT;
		return always;
	}
	return make_leaf(rel, null ? XERO_COND_IS_NULL : XERO_COND_IS_NOT_NULL,
					 attno, XERO_CMP_EQ, NIL);
}

/*
 * A pull of a sync wants whatever has been modified since, as Xero means it, and
 * is read in parts, so nothing may be left to recheck.
 */
static XeroCondition *
classify_function(const XeroRel *rel, FuncExpr *expr)
{
	const XeroColumn *column;
	XeroCondition *leaf;
	AttrNumber	attno;
	FmgrInfo	function;

	if (list_length(expr->args) != 2 ||
		(column = xero_column_of(rel, linitial(expr->args), &attno)) == NULL ||
		column->type != XERO_TIMESTAMPTZ || !xero_is_value(rel, lsecond(expr->args)))
		return NULL;
	fmgr_info(expr->funcid, &function);
	if (function.fn_addr != xero_modified_since)
		return NULL;
	leaf = make_leaf(rel, XERO_COND_COMPARE, attno, XERO_CMP_GE,
					 list_make1(lsecond(expr->args)));
	leaf->verdict = XERO_VERDICT_EXACT;
	return leaf;
}

static XeroCondition *
classify_node(const XeroRel *rel, Node *node, bool negate)
{
	AttrNumber	attno;
	const XeroColumn *column;

	switch (nodeTag(node))
	{
		case T_BoolExpr:
			if (((BoolExpr *) node)->boolop == NOT_EXPR)
				return classify(rel, linitial(((BoolExpr *) node)->args),
								!negate);
			return classify_tree(rel, (BoolExpr *) node, negate);
		case T_OpExpr:
			return classify_operator(rel, ((OpExpr *) node)->opno,
									 ((OpExpr *) node)->inputcollid,
									 ((OpExpr *) node)->args, negate);
		case T_ScalarArrayOpExpr:
			return classify_array(rel, (ScalarArrayOpExpr *) node, negate);
		case T_BooleanTest:
			return classify_boolean_test(rel, (BooleanTest *) node, negate);
		case T_FuncExpr:
			if (((FuncExpr *) node)->funcid != F_STARTS_WITH)
				return negate ? NULL : classify_function(rel, (FuncExpr *) node);
			return classify_operator(rel, TEXT_PREFIX_OPERATOR,
									 ((FuncExpr *) node)->inputcollid,
									 ((FuncExpr *) node)->args, negate);
		case T_NullTest:
			return classify_null_test(rel, (NullTest *) node, negate);
		case T_Var:
			column = xero_column_of(rel, node, &attno);
			if (column == NULL || column->type != XERO_BOOLEAN)
				return NULL;
			return make_boolean(rel, attno, !negate);
		default:
			return NULL;
	}
}

static XeroCondition *
classify(const XeroRel *rel, Node *node, bool negate)
{
	XeroCondition *condition;
	bool		exact;

	check_stack_depth();
	condition = classify_node(rel, node, negate);
	if (condition != NULL ||
		(node = xero_restate(rel, node, negate, &exact)) == NULL)
		return condition;
	condition = classify(rel, node, false);
	if (condition != NULL && !exact)
		condition->verdict = XERO_VERDICT_SUPERSET;
	return condition;
}

/*
 * The condition for a clause, or NULL if all of it is local.  The clause
 * counts as exact only if the condition does.
 */
XeroCondition *
xero_classify_clause(const XeroRel *rel, Node *clause)
{
	return classify(rel, clause, false);
}

/* _modified_since() where Xero is not asked: the same, give or take a second. */
Datum
xero_modified_since(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(PG_ARGISNULL(0) ||
				   PG_GETARG_TIMESTAMPTZ(0) >=
				   PG_GETARG_TIMESTAMPTZ(1) - USECS_PER_SEC);
}
