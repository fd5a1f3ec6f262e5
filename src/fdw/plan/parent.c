/*-------------------------------------------------------------------------
 *
 * parent.c
 *	  Child tables that are joined with the table of their parents.
 *
 * Of a child table that is joined by its parent's key, the rows are wanted
 * whose parent is a row of the parent's table.  So it can be read with what
 * the parent's table is asked for, whatever columns that is about.  The
 * parent's conditions are checked there and need not be here; the child's own
 * are all checked here.
 *
 * The clause must be one that could be moved into the child's scan with values
 * of the parent: then no row without its parent can come to anything, as it
 * could in the outer side of an outer join.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* Is the column the key of the record that is asked for? */
static bool
is_record_key(const XeroRel *rel, AttrNumber attno)
{
	const XeroObject *root = xero_root_object(rel->object);
	const XeroColumn *key = xero_find_column(root, root->key);
	const XeroColumn *column = attno >= 1 && attno <= rel->natts ?
	rel->columns[attno - 1] : NULL;

	return column != NULL && column->type == XERO_UUID &&
		strcmp(column->field, key->field) == 0 &&
		(rel->object->parent == NULL || (column->flags & XERO_COL_PARENT));
}

/* Is it a table of the child's parents, of the same server? */
static bool
is_parent_of(const RelOptInfo *child, const RelOptInfo *rel)
{
	const XeroRelInfo *info = child->fdw_private;
	const XeroRelInfo *other;

	if (rel == NULL || rel->reloptkind != RELOPT_BASEREL ||
		rel->fdw_private == NULL || !xero_is_foreign_table(rel) ||
		rel->serverid != child->serverid || rel->userid != child->userid)
		return false;
	other = rel->fdw_private;
	return other->table->object == info->table->object->parent &&
		other->table->include_archived == info->table->include_archived;
}

/* The parent's table if the clause joins the child with that by its key. */
static RelOptInfo *
parent_in_clause(PlannerInfo *root, RelOptInfo *child, RestrictInfo *rinfo)
{
	XeroRelInfo *info = child->fdw_private;
	OpExpr	   *clause = (OpExpr *) rinfo->clause;
	Var		   *mine;
	Var		   *other;
	RelOptInfo *parent;

	if (!IsA(clause, OpExpr) || get_opcode(clause->opno) != F_UUID_EQ ||
		!join_clause_is_movable_to(rinfo, child))
		return NULL;
	mine = linitial(clause->args);
	other = lsecond(clause->args);
	if (IsA(other, Var) && other->varno == child->relid)
	{
		other = mine;
		mine = lsecond(clause->args);
	}
	if (!IsA(mine, Var) || !IsA(other, Var) || mine->varno != child->relid ||
		other->varlevelsup != 0 || !is_record_key(info->rel, mine->varattno))
		return NULL;
	parent = root->simple_rel_array[other->varno];
	if (!is_parent_of(child, parent) ||
		!is_record_key(((XeroRelInfo *) parent->fdw_private)->rel, other->varattno))
		return NULL;
	return parent;
}

static RelOptInfo *
parent_in_clauses(PlannerInfo *root, RelOptInfo *child, List *rinfos)
{
	RelOptInfo *parent = NULL;
	ListCell   *lc;

	foreach(lc, rinfos)
	{
		if ((parent = parent_in_clause(root, child, lfirst(lc))) != NULL)
			break;
	}
	return parent;
}

RelOptInfo *
xero_joined_parent(PlannerInfo *root, RelOptInfo *child)
{
	XeroRelInfo *info = child->fdw_private;
	RelOptInfo *parent;

	if (info->table->object->parent == NULL ||
		info->table->object->parent->key == NULL ||
		child->reloptkind != RELOPT_BASEREL)
		return NULL;
	parent = parent_in_clauses(root, child, child->joininfo);
	for (AttrNumber attno = 1; parent == NULL && attno <= info->rel->natts; attno++)
	{
		if (is_record_key(info->rel, attno))
			parent = parent_in_clauses(root, child,
									   xero_implied_equalities(root, child, attno));
	}
	return parent;
}
