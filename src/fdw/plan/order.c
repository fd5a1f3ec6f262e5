/*-------------------------------------------------------------------------
 *
 * order.c
 *	  Orders that Xero can give.
 *
 * The columns of a path key are looked for among those that the scan has to
 * return.  A partition has the path keys of the table that it is a part of, whose
 * members for partitions PostgreSQL keeps in other places from version to
 * version, so it is asked whether a column is such a member.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include "nodes/makefuncs.h"
#include "optimizer/paths.h"

/* The columns of this table that a path key sorts by, which are equal. */
static List *
pathkey_columns(RelOptInfo *baserel, PathKey *pathkey)
{
	EquivalenceClass *ec = pathkey->pk_eclass;
	List	   *columns = NIL;
	ListCell   *lc;

	if (ec->ec_has_volatile)
		return NIL;
	foreach(lc, baserel->reltarget->exprs)
	{
		Var		   *var = lfirst(lc);

		if (IsA(var, Var) && var->varno == baserel->relid && var->varattno > 0 &&
			find_ec_member_matching_expr(ec, (Expr *) var, baserel->relids))
			columns = lappend(columns, var);
	}
	return columns;
}

Var *
xero_pathkey_column(RelOptInfo *baserel, PathKey *pathkey)
{
	List	   *columns = pathkey_columns(baserel, pathkey);

	return columns != NIL ? linitial(columns) : NULL;
}

const char *
xero_order_for_pathkey(RelOptInfo *baserel, PathKey *pathkey, List *clauses,
					   AttrNumber *attno)
{
	XeroRelInfo *info = baserel->fdw_private;
	ListCell   *lc;

	foreach(lc, pathkey_columns(baserel, pathkey))
	{
		const char *field;

		*attno = lfirst_node(Var, lc)->varattno;
		field = xero_order_field(info->rel, *attno, clauses);
		if (field)
			return xero_pathkey_descends(pathkey) ?
				psprintf("%s DESC", field) : field;
	}
	return NULL;
}

/* The clauses with one that leaves no nulls in the column of a path key. */
List *
xero_without_nulls(RelOptInfo *baserel, PathKey *pathkey, List *clauses)
{
	Var		   *var = xero_pathkey_column(baserel, pathkey);
	NullTest   *test;

	if (var == NULL)
		return clauses;
	test = makeNode(NullTest);
	test->arg = (Expr *) var;
	test->nulltesttype = IS_NOT_NULL;
	test->location = -1;
	return lappend(list_copy(clauses), test);
}
