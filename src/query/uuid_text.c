/*-------------------------------------------------------------------------
 *
 * uuid_text.c
 *	  A uuid column as text that equals a text, as the column that equals a uuid.
 *
 * What comes at run time need not be a uuid's text.  It is null then, which no
 * column equals.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "query/literal.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

#define UUID_FORM	"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

static Node *
make_text_test(void)
{
	CaseTestExpr *test = makeNode(CaseTestExpr);

	test->typeId = TEXTOID;
	test->typeMod = -1;
	test->collation = C_COLLATION_OID;
	return (Node *) test;
}

/* CASE text WHEN it has the form of a uuid THEN text::uuid END */
static Node *
make_uuid(Node *text)
{
	CaseExpr   *expr = makeNode(CaseExpr);
	CaseWhen   *when = makeNode(CaseWhen);
	CoerceViaIO *uuid = makeNode(CoerceViaIO);
	Const	   *form = makeConst(TEXTOID, -1, C_COLLATION_OID, -1,
								 CStringGetTextDatum(UUID_FORM), false, false);

	uuid->arg = (Expr *) text;
	uuid->resulttype = UUIDOID;
	uuid->coerceformat = COERCE_EXPLICIT_CAST;
	uuid->location = -1;
	when->expr = make_opclause(OID_TEXT_REGEXEQ_OP, BOOLOID, false,
							   (Expr *) make_text_test(), (Expr *) form,
							   InvalidOid, C_COLLATION_OID);
	when->result = (Expr *) uuid;
	when->location = -1;
	expr->casetype = UUIDOID;
	expr->arg = (Expr *) text;
	expr->args = list_make1(when);
	expr->defresult = (Expr *) makeNullConst(UUIDOID, -1, InvalidOid);
	expr->location = -1;
	return (Node *) expr;
}

static Node *
make_uuids(Node *texts)
{
	ArrayCoerceExpr *expr = makeNode(ArrayCoerceExpr);

	expr->arg = (Expr *) texts;
	expr->elemexpr = (Expr *) make_uuid(make_text_test());
	expr->resulttype = UUIDARRAYOID;
	expr->resulttypmod = -1;
	expr->coerceformat = COERCE_EXPLICIT_CAST;
	expr->location = -1;
	return (Node *) expr;
}

/* The uuid column that is there as text, or NULL. */
static Node *
column_behind(const XeroRel *rel, Node *node)
{
	const XeroColumn *column;
	AttrNumber	attno;

	while (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	if (!IsA(node, CoerceViaIO))
		return NULL;
	node = (Node *) ((CoerceViaIO *) node)->arg;
	column = xero_column_of(rel, node, &attno);
	return column != NULL && column->type == XERO_UUID ? node : NULL;
}

/* NULL if the clause is something else. */
Node *
xero_restate_uuid(const XeroRel *rel, Node *clause)
{
	Oid			equal = lookup_type_cache(UUIDOID, TYPECACHE_EQ_OPR)->eq_opr;
	OpExpr	   *expr = (OpExpr *) clause;
	ScalarArrayOpExpr *several = (ScalarArrayOpExpr *) clause;
	Node	   *column;
	Node	   *value;

	if (IsA(clause, OpExpr) && expr->opno == TextEqualOperator)
	{
		value = lsecond(expr->args);
		column = column_behind(rel, linitial(expr->args));
		if (column == NULL)
		{
			value = linitial(expr->args);
			column = column_behind(rel, lsecond(expr->args));
		}
		if (column == NULL || !xero_is_value(rel, value))
			return NULL;
		return (Node *) make_opclause(equal, BOOLOID, false, (Expr *) column,
									  (Expr *) eval_const_expressions(NULL, make_uuid(value)),
									  InvalidOid, InvalidOid);
	}
	if (!IsA(clause, ScalarArrayOpExpr) || several->opno != TextEqualOperator ||
		!several->useOr)
		return NULL;
	value = lsecond(several->args);
	column = column_behind(rel, linitial(several->args));
	if (column == NULL || !xero_is_value(rel, value) || !xero_is_array_node(value))
		return NULL;
	several = makeNode(ScalarArrayOpExpr);
	several->opno = equal;
	several->useOr = true;
	several->args = list_make2(column, eval_const_expressions(NULL, make_uuids(value)));
	several->location = -1;
	return (Node *) several;
}
