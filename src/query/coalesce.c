/*-------------------------------------------------------------------------
 *
 * coalesce.c
 *	  Clauses on coalesce() as clauses on its arguments.
 *
 * Where a clause on coalesce(a, b) is true, the same clause on a is true, or on
 * b.  If b is a constant for which it is not true, b adds nothing; if it is
 * true of the constant, it is for the records whose a is null.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

typedef struct Search
{
	const XeroRel *rel;
	CoalesceExpr *found;		/* the first over the relation's columns */
	Node	   *instead;		/* what comes into its place */
} Search;

static bool
find_coalesce(Node *node, void *context)
{
	Search	   *search = context;

	if (node == NULL)
		return false;
	if (IsA(node, CoalesceExpr) && xero_mentions_rel(search->rel, node))
	{
		search->found = (CoalesceExpr *) node;
		return true;
	}
	return expression_tree_walker(node, find_coalesce, context);
}

static Node *
replace_coalesce(Node *node, void *context)
{
	Search	   *search = context;

	if (node == (Node *) search->found)
		return search->instead;
	return expression_tree_mutator(node, replace_coalesce, context);
}

static Node *
make_null_test(Node *argument)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = (Expr *) argument;
	test->nulltesttype = IS_NULL;
	test->location = -1;
	return (Node *) test;
}

/*
 * Clauses of which one is true wherever the clause is, or its NOT if "negate".
 * NIL if there is no coalesce() in it, or nothing to be gained.
 */
List *
xero_coalesce_arms(const XeroRel *rel, Node *clause, bool negate)
{
	Search		search = {rel};
	List	   *arms = NIL;
	ListCell   *lc;

	if (!find_coalesce(clause, &search))
		return NIL;
	foreach(lc, search.found->args)
	{
		const XeroColumn *column;
		AttrNumber	attno;
		Node	   *arm;

		search.instead = lfirst(lc);
		arm = replace_coalesce(clause, &search);
		if (negate)
			arm = (Node *) make_notclause((Expr *) arm);
		if (xero_mentions_rel(rel, search.instead))
		{
			/* What is not understood may be an error when it is evaluated. */
			if (xero_classify_clause(rel, arm) == NULL)
				return NIL;
			arms = lappend(arms, arm);
			column = xero_column_of(rel, search.instead, &attno);
			if (column != NULL && (column->flags & XERO_COL_NOT_NULL))
				break;
			continue;
		}

		/* Of constants it is known, and what comes after one does not count. */
		arm = eval_const_expressions(NULL, arm);
		if (!IsA(arm, Const))
			return NIL;
		if (((Const *) arm)->constisnull ||
			!DatumGetBool(((Const *) arm)->constvalue))
			break;
		if (list_length(arms) != 1)
			return NIL;
		arms = lappend(arms, make_null_test(linitial(search.found->args)));
		break;
	}
	return arms;
}
