/*-------------------------------------------------------------------------
 *
 * choice.c
 *	  Clauses on an expression that chooses one of several values, as clauses on
 *	  these values.
 *
 * Where a clause on coalesce(a, b) is true, the same clause on a is true, or on
 * b.  If b is a constant for which it is not true, b adds nothing; if it is
 * true of the constant, it is for the records whose a is null.  The same goes
 * for greatest(), least() and nullif(), but that nothing is known of what they
 * pass over.  A CASE tells when it chooses what.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

typedef struct Search
{
	const XeroRel *rel;
	Node	   *found;			/* the first choice over the relation's
								 * columns */
	Node	   *instead;		/* what comes into its place */
} Search;

static bool
find_choice(Node *node, void *context)
{
	Search	   *search = context;

	if (node == NULL)
		return false;
	if ((IsA(node, CoalesceExpr) || IsA(node, CaseExpr) ||
		 IsA(node, NullIfExpr) || IsA(node, MinMaxExpr)) &&
		xero_mentions_rel(search->rel, node))
	{
		search->found = node;
		return true;
	}
	return expression_tree_walker(node, find_choice, context);
}

static Node *
replace_choice(Node *node, void *context)
{
	Search	   *search = context;

	if (node == search->found)
		return search->instead;
	return expression_tree_mutator(node, replace_choice, context);
}

/* The clause, or its NOT, on a value instead of the choice. */
static Node *
clause_on(Search *search, Node *clause, Node *value, bool negate)
{
	Node	   *result;

	search->instead = value;
	result = replace_choice(clause, search);
	return negate ? (Node *) make_notclause((Expr *) result) : result;
}

static bool
is_true(Node *constant)
{
	return !((Const *) constant)->constisnull &&
		DatumGetBool(((Const *) constant)->constvalue);
}

static List *
values_of(Node *choice)
{
	if (IsA(choice, CoalesceExpr))
		return ((CoalesceExpr *) choice)->args;
	if (IsA(choice, MinMaxExpr))
		return ((MinMaxExpr *) choice)->args;
	return list_make1(linitial(((NullIfExpr *) choice)->args));
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

/* For any choice but a CASE. */
static List *
arms_of_values(Search *search, Node *clause, bool negate)
{
	bool		first_counts = IsA(search->found, CoalesceExpr);
	List	   *values = values_of(search->found);
	List	   *arms = NIL;
	ListCell   *lc;

	foreach(lc, values)
	{
		Node	   *value = lfirst(lc);
		Node	   *arm = clause_on(search, clause, value, negate);

		if (xero_mentions_rel(search->rel, value))
		{
			/* What is not understood may be an error when it is evaluated. */
			if (xero_classify_clause(search->rel, arm) == NULL)
				return NIL;
			arms = lappend(arms, arm);
			if (first_counts && xero_is_never_null(search->rel, value))
				break;
			continue;
		}

		/* Of constants it is known; what comes after one may not count. */
		arm = eval_const_expressions(NULL, arm);
		if (!IsA(arm, Const))
			return NIL;
		if (is_true(arm))
		{
			if (!first_counts || list_length(arms) != 1)
				return NIL;
			arms = lappend(arms, make_null_test(linitial(values)));
		}
		if (first_counts)
			break;
	}
	return arms;
}

/* The condition of a WHEN; NULL where it is too far from a clause. */
static Node *
condition_of(const CaseExpr *expr, const CaseWhen *when)
{
	OpExpr	   *equality;

	if (expr->arg == NULL)
		return (Node *) when->expr;
	equality = (OpExpr *) when->expr;
	if (!IsA(equality, OpExpr) || !IsA(linitial(equality->args), CaseTestExpr))
		return NULL;
	equality = copyObject(equality);
	linitial(equality->args) = expr->arg;
	return (Node *) equality;
}

static Node *
make_not_true(Node *argument)
{
	BooleanTest *test = makeNode(BooleanTest);

	test->arg = (Expr *) argument;
	test->booltesttype = IS_NOT_TRUE;
	test->location = -1;
	return (Node *) test;
}

/* Is the choice compared, so that constants in its place are no errors? */
static bool
is_compared(Node *choice, Node *clause)
{
	if (IsA(clause, OpExpr))
		return list_member_ptr(((OpExpr *) clause)->args, choice) &&
			get_op_btree_interpretation(((OpExpr *) clause)->opno) != NIL;
	if (IsA(clause, ScalarArrayOpExpr))
		return linitial(((ScalarArrayOpExpr *) clause)->args) == choice &&
			get_op_btree_interpretation(((ScalarArrayOpExpr *) clause)->opno) != NIL;
	return clause == choice;
}

/* Constants are put in the choice's place only where that is no error. */
static Node *
branch_clause(Search *search, Node *clause, Expr *result, bool negate)
{
	bool		compared = is_compared(search->found, clause);
	Node	   *branch = clause_on(search, clause, (Node *) result, negate);

	return compared ? eval_const_expressions(NULL, branch) : branch;
}

/*
 * A branch is chosen if its condition is true, and those before are not.  NIL
 * if all branches may do, and nothing else is said of the columns.
 */
static List *
arms_of_case(Search *search, Node *clause, bool negate)
{
	CaseExpr   *expr = (CaseExpr *) search->found;
	int			nbranches = list_length(expr->args) + 1;
	bool		gained = false;
	List	   *passed = NIL;
	List	   *arms = NIL;

	for (int i = 0; i < nbranches; i++)
	{
		bool		last = i == nbranches - 1;
		CaseWhen   *when = last ? NULL : list_nth(expr->args, i);
		Node	   *branch = branch_clause(search, clause, last ? expr->defresult :
										   when->result, negate);
		List	   *needed = list_copy(passed);

		if (!last)
		{
			Node	   *condition = condition_of(expr, when);

			if (condition == NULL)
				return NIL;
			needed = lappend(needed, condition);
			passed = lappend(passed, make_not_true(condition));
		}
		if (IsA(branch, Const) && !is_true(branch))
		{
			gained = true;
			continue;
		}
		if (xero_mentions_rel(search->rel, branch))
			gained = true;
		if (!IsA(branch, Const))
			needed = lappend(needed, branch);
		arms = lappend(arms, make_ands_explicit(needed));
	}
	return gained ? arms : NIL;
}

/*
 * Clauses of which one is true wherever the clause is, or its NOT if "negate";
 * "exact" tells whether that is so nowhere else.  NIL if there is no choice in
 * it, or nothing to be gained.
 */
List *
xero_choice_arms(const XeroRel *rel, Node *clause, bool negate, bool *exact)
{
	Search		search = {rel};
	List	   *arms;

	if (!find_choice(clause, &search))
		return NIL;
	*exact = IsA(search.found, CaseExpr);
	if (*exact)
		return arms_of_case(&search, clause, negate);
	arms = arms_of_values(&search, clause, negate);
	*exact = list_length(arms) == 1 && IsA(search.found, CoalesceExpr);
	return arms;
}
