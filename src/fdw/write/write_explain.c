/*-------------------------------------------------------------------------
 *
 * write_explain.c
 *	  EXPLAIN of INSERT, UPDATE and DELETE: what is sent, and with ANALYZE what
 *	  that did cost.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "commands/explain.h"
#include "parser/parsetree.h"

/* Does an INSERT of such rows give what is asked about first (taken.c)? */
static bool
gives_unique(const XeroTable *table, List *tlist)
{
	const char *unique = table->object->writes->unique;
	AttrNumber	attno = unique ? xero_attribute_of(table, unique) : 0;
	TargetEntry *entry = attno ? get_tle_by_resno(tlist, attno) : NULL;

	return entry != NULL &&
		!(IsA(entry->expr, Const) && ((Const *) entry->expr)->constisnull);
}

/* What is read before rows are written, NULL if nothing is. */
static char *
describe_read(const XeroTable *table, CmdType operation, int batch,
			  List *tlist)
{
	const XeroObject *object = table->object;
	const char *unique = object->writes->unique;
	char	   *path;
	char	   *query;

	if (xero_written_object(object) != object)
		path = xero_parent_request(table, NIL, &query);
	else if (operation == CMD_INSERT && gives_unique(table, tlist))
	{
		path = xero_write_path(table, CMD_INSERT, batch, NULL, NULL);
		query = xero_taken_query(object,
								 psprintf("%s=={%s}",
										  xero_find_column(object, unique)->field,
										  unique));
	}
	else
		return NULL;
	return psprintf("GET %s%s%s", path, *query ? "?" : "", query);
}

/* "tlist" is that of the rows, "state" NULL if the statement did not run. */
static void
explain_write(const XeroTable *table, CmdType operation, int batch,
			  List *tlist, XeroModify *state, ExplainState *es)
{
	bool		inside = xero_written_object(table->object) != table->object;
	int			elements = inside ? xero_parent_batch(table) : batch;
	char	   *query = xero_write_query(table, operation, elements,
										 xero_write_allows_backorders());
	char	   *read = describe_read(table, operation, batch, tlist);

	if (read != NULL)
		ExplainPropertyText("Xero Read", read, es);
	ExplainPropertyText("Xero Request",
						psprintf("%s %s%s%s",
								 xero_write_method(table, operation, elements),
								 xero_write_path(table, operation, elements,
												 NULL, NULL),
								 *query ? "?" : "", query),
						es);
	ExplainPropertyInteger("Xero Batch", NULL, batch, es);
	if (!es->analyze || state == NULL)
		return;

	xero_send_pending(state);
	ExplainPropertyInteger("Xero Actual Calls", NULL, state->tally.stats.calls, es);
	ExplainPropertyInteger("Xero Rows Written", NULL, state->tally.done, es);
	ExplainPropertyInteger("Xero Bytes Sent", NULL, state->tally.stats.bytes_out, es);
	ExplainPropertyInteger("Xero Retries", NULL, state->tally.stats.retries, es);
	if (es->timing)
		ExplainPropertyFloat("Xero Budget Wait", "ms", state->tally.stats.waited_ms,
							 3, es);
}

void
xeroExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
						 List *fdw_private, int subplan_index,
						 ExplainState *es)
{
	XeroTable  *table = xero_get_table(rri->ri_RelationDesc);
	bool		singly = boolVal(list_nth(fdw_private, XERO_MODIFY_RETURNING));

	explain_write(table, mtstate->operation,
				  xero_write_batch(table, mtstate->operation, singly),
				  outerPlanState(mtstate)->plan->targetlist, rri->ri_FdwState,
				  es);
}

void
xeroExplainDirectModify(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	XeroTable  *table = xero_get_table(node->resultRelInfo->ri_RelationDesc);

	explain_write(table, plan->operation,
				  xero_write_batch(table, plan->operation,
								   plan->fdw_exprs != NIL),
				  outerPlan(plan)->targetlist, xero_direct_modify(node), es);
}
