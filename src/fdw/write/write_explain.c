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

#include <math.h>

#include "commands/explain.h"
#include "miscadmin.h"
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

/* A write as it is planned. */
typedef struct PlannedWrite
{
	const XeroTable *table;
	CmdType		operation;
	Plan	   *rows;			/* finds them */
	double		nrows;
	bool		inside;			/* rows are written inside of records */
	int			batch;			/* rows of a request */
	int			elements;		/* elements of it */
	char	   *read;			/* what is read before, NULL if nothing */
	XeroModify *state;			/* NULL if the statement did not run */
} PlannedWrite;

/* That of a ModifyTable, or of the scan that writes below it (direct.c). */
static void
find_write(PlanState *node, ResultRelInfo *rri, PlannedWrite *write)
{
	bool		singly;

	write->table = xero_get_table(rri->ri_RelationDesc);
	write->rows = outerPlan(node->plan);
	write->nrows = write->rows->plan_rows;
	if (IsA(node, ModifyTableState))
	{
		ModifyTableState *mtstate = (ModifyTableState *) node;
		ModifyTable *plan = (ModifyTable *) node->plan;
		int			number = rri - mtstate->resultRelInfo;

		write->operation = mtstate->operation;
		write->nrows /= list_length(plan->resultRelations);
		write->state = rri->ri_FdwState;
		singly = boolVal(list_nth(list_nth(plan->fdwPrivLists, number),
								  XERO_MODIFY_RETURNING));
	}
	else
	{
		ForeignScan *plan = (ForeignScan *) node->plan;

		write->operation = plan->operation;
		write->state = xero_direct_modify((ForeignScanState *) node);
		singly = plan->fdw_exprs != NIL;
	}
	write->inside = xero_written_object(write->table->object) != write->table->object;
	write->batch = xero_write_batch(write->table, write->operation, singly);
	write->elements = write->inside ? xero_parent_batch(write->table) : write->batch;
	write->read = describe_read(write->table, write->operation, write->batch,
								write->rows->targetlist);
}

/* As if rows inside of records were one of each. */
static double
planned_calls(PlanState *node, void *rri, double loops)
{
	PlannedWrite write;

	find_write(node, rri, &write);
	return ceil(write.nrows / write.elements) * (write.read ? 2 : 1);
}

static int64
made_calls(PlanState *node, void *rri)
{
	PlannedWrite write;

	find_write(node, rri, &write);
	if (write.state == NULL)
		return 0;
	xero_send_pending(write.state);
	return write.state->tally.stats.calls;
}

const XeroCallingKind xero_write_calls = {planned_calls, made_calls};

static void
explain_write(PlanState *node, ResultRelInfo *rri, ExplainState *es)
{
	PlannedWrite write;
	const XeroTally *tally;
	char	   *query;

	find_write(node, rri, &write);
	query = xero_write_query(write.table, write.operation, write.elements,
							 xero_write_allows_backorders());
	if (write.read != NULL)
		ExplainPropertyText("Xero Read", write.read, es);
	ExplainPropertyText("Xero Request",
						psprintf("%s %s%s%s",
								 xero_write_method(write.table, write.operation,
												   write.elements),
								 xero_write_path(write.table, write.operation,
												 write.elements, NULL, NULL),
								 *query ? "?" : "", query),
						es);
	ExplainPropertyInteger("Xero Batch", NULL, write.batch, es);
	xero_explain_calls(node, rri, write.table,
					   xero_modify_user(rri, node->state), es);
	if (!es->analyze || write.state == NULL)
		return;

	ExplainPropertyInteger("Xero Actual Calls", NULL, made_calls(node, rri), es);
	tally = &write.state->tally;
	ExplainPropertyInteger("Xero Rows Written", NULL, tally->done, es);
	ExplainPropertyInteger("Xero Bytes Sent", NULL, tally->stats.bytes_out, es);
	ExplainPropertyInteger("Xero Retries", NULL, tally->stats.retries, es);
	if (es->timing)
		ExplainPropertyFloat("Xero Budget Wait", "ms", tally->stats.waited_ms,
							 3, es);
}

void
xeroExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
						 List *fdw_private, int subplan_index,
						 ExplainState *es)
{
	explain_write(&mtstate->ps, rri, es);
}

void
xeroExplainDirectModify(ForeignScanState *node, ExplainState *es)
{
	explain_write(&node->ss.ps, node->resultRelInfo, es);
}
