/*-------------------------------------------------------------------------
 *
 * unread.c
 *	  The one row of a statement that says all of it, and need not be read.
 *
 * "UPDATE ... SET first_name = 'Ann' WHERE contact_id = '...'", as an
 * object-relational mapper writes it, names the record, and what it sets depends
 * on nothing that the record has.  It is sent to the record's own path, where Xero
 * has 404 for what is not there: no row, as when a scan finds none.
 *
 * Only where an update carries no other column, and an INSERT of what it sets
 * would lack something that Xero requires: so it can neither overwrite what was
 * not seen nor make a record.  The plan keeps its scan, for what is not known
 * before it runs: several organisations, a null that may be one already, and a
 * dry run.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/unread.h"

#include "access/table.h"
#include "executor/executor.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"

struct XeroUnreadRow
{
	ExprState  *key;
	List	   *values;			/* ExprState: what UPDATE sets */
	TupleTableSlot *slot;		/* as the scan would return it */
};

/*-------------------------------------------------------------------------
 * Planning
 *-------------------------------------------------------------------------
 */

static AttrNumber
key_attribute(const XeroTable *table)
{
	return xero_attribute_of(table, table->object->key);
}

/* Does SET leave out a column that a new record must have? */
static bool
lacks_required(const XeroTable *table, List *set_columns)
{
	for (int i = 0; i < table->object->ncolumns; i++)
	{
		const XeroColumn *column = &table->object->columns[i];

		if ((column->flags & XERO_COL_REQUIRED) &&
			!list_member_int(set_columns, xero_attribute_of(table, column->name)))
			return true;
	}
	return false;
}

/* Can such a write do without the record's present values? */
static bool
needs_key_only(const XeroTable *table, CmdType operation, List *set_columns)
{
	const XeroWriteRules *rules = table->object->writes;
	ListCell   *lc;

	if (table->object->key == NULL || table->object->parent != NULL ||
		rules->by_body || rules->envelope != XERO_ENVELOPE_WRAPPED ||
		!table->include_archived ||
		list_length(xero_needed_columns(table, operation)) > 1)
		return false;
	if (operation == CMD_DELETE)
		return true;
	foreach(lc, set_columns)
	{
		if (xero_why_fixed(&table->columns[lfirst_int(lc) - 1]) != NULL)
			return false;
	}
	return xero_total_attribute(table) == 0 &&
		lacks_required(table, set_columns);
}

/* Is it the same for all rows, and may it be evaluated without one? */
static bool
is_constant(Node *expr)
{
	return !contain_var_clause(expr) && !contain_volatile_functions(expr) &&
		!contain_subplans(expr);
}

/* The value that a clause compares the key with, NULL if it does not. */
static Expr *
value_of_key(Node *clause, Index rtindex, AttrNumber key)
{
	OpExpr	   *op = (OpExpr *) clause;

	if (!IsA(op, OpExpr) || op->opfuncid != F_UUID_EQ)
		return NULL;
	for (int i = 0; i < 2; i++)
	{
		Var		   *var = list_nth(op->args, i);
		Node	   *value = list_nth(op->args, 1 - i);

		if (IsA(var, Var) && var->varno == rtindex && var->varattno == key &&
			is_constant(value))
			return (Expr *) value;
	}
	return NULL;
}

/* Are the plan's columns constants, and those of the record that go along? */
static bool
is_known_row(List *tlist, Expr *key)
{
	ListCell   *lc;

	foreach(lc, tlist)
	{
		TargetEntry *entry = lfirst(lc);

		/* one that is the key's value would take its place (setrefs.c) */
		if (entry->resjunk ? !IsA(entry->expr, Var) :
			!is_constant((Node *) entry->expr) || equal(entry->expr, key))
			return false;
	}
	return true;
}

Expr *
xero_unread_key(PlannerInfo *root, const ModifyTable *plan, Index rtindex)
{
	ForeignScan *scan = (ForeignScan *) outerPlan(plan);
	Relation	rel = table_open(planner_rt_fetch(rtindex, root)->relid, NoLock);
	XeroTable  *table = xero_get_table(rel);
	List	   *set_columns = plan->operation == CMD_UPDATE ?
	linitial(plan->updateColnosLists) : NIL;
	Expr	   *key;

	table_close(rel, NoLock);
	if (plan->operation == CMD_INSERT || !IsA(scan, ForeignScan) ||
		scan->scan.scanrelid != rtindex ||
		list_length(scan->fdw_recheck_quals) != 1 ||
		list_difference(scan->scan.plan.qual, scan->fdw_recheck_quals) != NIL ||
		(plan->operation == CMD_DELETE && plan->returningLists != NIL) ||
		!needs_key_only(table, plan->operation, set_columns))
		return NULL;
	key = value_of_key(linitial(scan->fdw_recheck_quals), rtindex,
					   key_attribute(table));
	return key != NULL && is_known_row(scan->scan.plan.targetlist, key) ?
		key : NULL;
}

/*-------------------------------------------------------------------------
 * Running
 *-------------------------------------------------------------------------
 */

XeroUnreadRow *
xero_unread_row_create(ForeignScanState *node, List *set_columns)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	XeroUnreadRow *row;

	if (plan->fdw_exprs == NIL)
		return NULL;
	row = palloc0(sizeof(XeroUnreadRow));
	row->key = ExecInitExpr(linitial(plan->fdw_exprs), &node->ss.ps);
	for (int i = 0; i < list_length(set_columns); i++)
	{
		TargetEntry *entry = list_nth(outerPlan(plan)->targetlist, i);

		row->values = lappend(row->values,
							  ExecInitExpr(entry->expr, &node->ss.ps));
	}
	row->slot = ExecInitExtraTupleSlot(node->ss.ps.state,
									   ExecGetResultType(outerPlanState(node)),
									   &TTSOpsVirtual);
	return row;
}

TupleTableSlot *
xero_unread_row(XeroUnreadRow *row, XeroModify *state, ExprContext *econtext)
{
	TupleTableSlot *slot = ExecClearTuple(row->slot);
	AttrNumber	key = state->old.junk[key_attribute(state->spec.table) - 1];
	ListCell   *lc;

	if (state->queues == NULL)
		xero_make_queues(state);
	if (state->nqueues > 1 || xero_write_is_dry_run())
		return NULL;
	memset(slot->tts_isnull, true,
		   sizeof(bool) * slot->tts_tupleDescriptor->natts);
	slot->tts_values[key - 1] = ExecEvalExpr(row->key, econtext,
											 &slot->tts_isnull[key - 1]);
	if (slot->tts_isnull[key - 1])
		return NULL;
	foreach(lc, row->values)
	{
		int			i = foreach_current_index(lc);

		slot->tts_values[i] = ExecEvalExpr(lfirst(lc), econtext,
										   &slot->tts_isnull[i]);
		if (slot->tts_isnull[i])
			return NULL;
	}
	return ExecStoreVirtualTuple(slot);
}
