/*-------------------------------------------------------------------------
 *
 * restate.c
 *	  Clauses in other words, which classify.c knows.
 *
 * What comes out is true of each row of which the clause is true.  Null counts
 * as false, as everywhere in conditions.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "access/transam.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/pattern.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* More values than these hardly find room as single comparisons. */
#define MAX_ELEMENTS	20

static Expr *
compare(Oid opno, Node *left, Node *right, Oid collation)
{
	return make_opclause(opno, BOOLOID, false, (Expr *) left, (Expr *) right,
						 InvalidOid, collation);
}

/* The elements of an array that is known, or NIL. */
static List *
elements_of(Node *array)
{
	Const	   *constant = (Const *) array;
	Oid			type = get_element_type(exprType(array));
	List	   *elements = NIL;
	Datum	   *datums;
	bool	   *nulls;
	int			count;
	int16		len;
	bool		byval;
	char		align;

	if (IsA(array, ArrayExpr) && !((ArrayExpr *) array)->multidims)
		return ((ArrayExpr *) array)->elements;
	if (!IsA(array, Const) || constant->constisnull || !OidIsValid(type))
		return NIL;
	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(DatumGetArrayTypeP(constant->constvalue), type, len, byval,
					  align, &datums, &nulls, &count);
	for (int i = 0; i < Min(count, MAX_ELEMENTS + 1); i++)
		elements = lappend(elements,
						   makeConst(type, -1, constant->constcollid, len,
									 datums[i], nulls[i], byval));
	return elements;
}

/* IN, ANY and ALL as comparisons with one value each. */
static Node *
restate_array(ScalarArrayOpExpr *expr, bool negate)
{
	List	   *elements = elements_of(lsecond(expr->args));
	List	   *arms = NIL;
	Expr	   *tree;
	ListCell   *lc;

	if (elements == NIL || list_length(elements) > MAX_ELEMENTS)
		return NULL;
	foreach(lc, elements)
		arms = lappend(arms, compare(expr->opno, linitial(expr->args),
									 lfirst(lc), expr->inputcollid));
	tree = list_length(arms) == 1 ? linitial(arms) :
		expr->useOr ? make_orclause(arms) : make_andclause(arms);
	return (Node *) (negate ? make_notclause(tree) : tree);
}

/* Is that true or false of every row? */
static bool
is_certain(const XeroRel *rel, Node *clause)
{
	List	   *args;
	ListCell   *lc;

	switch (nodeTag(clause))
	{
		case T_NullTest:
		case T_BooleanTest:
		case T_DistinctExpr:
			return true;
		case T_BoolExpr:
			foreach(lc, ((BoolExpr *) clause)->args)
			{
				if (!is_certain(rel, lfirst(lc)))
					return false;
			}
			return true;
		case T_OpExpr:
			args = ((OpExpr *) clause)->args;
			return op_strict(((OpExpr *) clause)->opno) &&
				((OpExpr *) clause)->opno < FirstGenbkiObjectId &&
				list_length(args) == 2 && xero_is_never_null(rel, linitial(args)) &&
				xero_is_never_null(rel, lsecond(args));
		case T_ScalarArrayOpExpr:
			args = elements_of(lsecond(((ScalarArrayOpExpr *) clause)->args));
			foreach(lc, args)
			{
				if (!xero_is_never_null(rel, lfirst(lc)))
					return false;
			}
			return args != NIL && list_length(args) <= MAX_ELEMENTS &&
				((ScalarArrayOpExpr *) clause)->opno < FirstGenbkiObjectId &&
				xero_is_never_null(rel, linitial(((ScalarArrayOpExpr *) clause)->args));
		default:
			return xero_is_never_null(rel, clause);
	}
}

/* IS NOT TRUE and IS NOT FALSE as NOT and nothing, of what is never null. */
static Node *
restate_test(const XeroRel *rel, BooleanTest *test, bool negate)
{
	if (negate || !is_certain(rel, (Node *) test->arg))
		return NULL;
	if (test->booltesttype == IS_NOT_TRUE)
		return (Node *) make_notclause(test->arg);
	return test->booltesttype == IS_NOT_FALSE ? (Node *) test->arg : NULL;
}

/*
 * IS DISTINCT FROM as <>, and IS NOT DISTINCT FROM as =, of what cannot both be
 * null.
 */
static Node *
restate_distinct(const XeroRel *rel, DistinctExpr *expr, bool negate)
{
	Node	   *left = linitial(expr->args);
	Node	   *right = lsecond(expr->args);
	Expr	   *equal = compare(expr->opno, left, right, expr->inputcollid);
	Expr	   *unequal = make_notclause(equal);
	NullTest   *null;

	if (xero_is_never_null(rel, left))
	{
		Node	   *other = left;

		left = right;
		right = other;
	}
	if (!xero_is_never_null(rel, right))
		return NULL;
	if (negate)
		return (Node *) equal;
	if (xero_is_never_null(rel, left))
		return (Node *) unequal;
	null = makeNode(NullTest);
	null->arg = (Expr *) left;
	null->nulltesttype = IS_NULL;
	null->location = -1;
	return (Node *) make_orclause(list_make2(unequal, null));
}

/* Rows are compared by their first columns, unless these are equal. */
static Node *
restate_rows(RowCompareExpr *expr, bool negate)
{
	Oid			opno = linitial_oid(expr->opnos);

	if (negate)
		opno = get_negator(opno);
	if (OidIsValid(opno) && strlen(get_opname(opno)) == 1)
		opno = get_negator(get_commutator(opno));
	if (!OidIsValid(opno))
		return NULL;
	return (Node *) compare(opno, linitial(expr->largs), linitial(expr->rargs),
							linitial_oid(expr->inputcollids));
}

/* What a pattern says of the beginning, as left() and an equality. */
static Node *
restate_pattern(OpExpr *expr, bool negate)
{
	Const	   *value = list_length(expr->args) == 2 ? lsecond(expr->args) : NULL;
	XeroPattern pattern;
	Const	   *length;
	Const	   *prefix;
	Node	   *beginning;

	if (value == NULL || negate || expr->opno != OID_TEXT_LIKE_OP ||
		!IsA(value, Const) || value->constisnull)
		return NULL;
	xero_read_pattern(TextDatumGetCString(value->constvalue), &pattern);
	if (!pattern.valid || pattern.prefix[0] == '\0')
		return NULL;
	length = makeConst(INT4OID, -1, InvalidOid, sizeof(int32),
					   Int32GetDatum(pg_mbstrlen(pattern.prefix)), false, true);
	prefix = makeConst(TEXTOID, -1, value->constcollid, -1,
					   CStringGetTextDatum(pattern.prefix), false, false);
	beginning = (Node *) makeFuncExpr(F_LEFT, TEXTOID,
									  list_make2(linitial(expr->args), length),
									  expr->inputcollid, expr->inputcollid,
									  COERCE_EXPLICIT_CALL);
	return (Node *) compare(TextEqualOperator, beginning, (Node *) prefix,
							expr->inputcollid);
}

/*
 * The clause, or its NOT if "negate", in other words; NULL if there are none.
 * "exact" tells whether they are true of no other rows.
 */
Node *
xero_restate(const XeroRel *rel, Node *clause, bool negate, bool *exact)
{
	List	   *arms;
	Node	   *uuid;

	*exact = true;
	switch (nodeTag(clause))
	{
		case T_DistinctExpr:
			return restate_distinct(rel, (DistinctExpr *) clause, negate);
		case T_BooleanTest:
			return restate_test(rel, (BooleanTest *) clause, negate);
		case T_RowCompareExpr:
			*exact = false;
			return restate_rows((RowCompareExpr *) clause, negate);
		case T_CaseExpr:
		case T_CoalesceExpr:
		case T_OpExpr:
		case T_ScalarArrayOpExpr:
			break;
		default:
			return NULL;
	}
	arms = xero_choice_arms(rel, clause, negate, exact);
	if (arms != NIL)
		return list_length(arms) == 1 ? linitial(arms) :
			(Node *) make_orclause(arms);
	*exact = true;
	if (!IsA(clause, OpExpr) && !IsA(clause, ScalarArrayOpExpr))
		return NULL;
	uuid = negate ? NULL : xero_restate_uuid(rel, clause);
	if (uuid != NULL)
		return uuid;
	if (IsA(clause, ScalarArrayOpExpr))
		return restate_array((ScalarArrayOpExpr *) clause, negate);
	*exact = false;
	return restate_pattern((OpExpr *) clause, negate);
}
