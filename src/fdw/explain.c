/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  EXPLAIN of scans: what is sent, what that costs, and with ANALYZE what
 *	  it did cost.
 *
 * Requests are shown without host, headers or body, so that no secret can
 * appear.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan.h"

#include "access/table.h"
#include "commands/explain.h"
#include "nodes/makefuncs.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* At most so many requests of one scan are shown. */
#define MAX_SHOWN 3

/*
 * The requests as they were planned; values that are known at run time only
 * appear as $1, $2.
 */
static void
explain_requests(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	List	   *private = plan->fdw_private;
	Relation	rel = table_open((Oid) intVal(list_nth(private, XERO_SCAN_RELID)), NoLock);
	XeroTable  *table = xero_get_table(rel);
	const XeroObject *root = xero_root_object(table->object);
	const char *order = strVal(list_nth(private, XERO_SCAN_ORDER));
	int			page_size = intVal(list_nth(private, XERO_SCAN_PAGE_SIZE));
	XeroShape	shape;
	List	   *targets;
	List	   *shown = NIL;
	ListCell   *lc;

	table_close(rel, NoLock);
	shape.forms = intVal(list_nth(private, XERO_SCAN_FORMS));
	shape.order = *order ? order : NULL;
	targets = xero_build_targets(xero_rel_from_table(table, plan->scan.scanrelid),
								 list_nth(private, XERO_SCAN_SENT), NULL,
								 &shape);
	foreach(lc, targets)
	{
		XeroTarget *target = lfirst(lc);
		char	   *paging = target->single ? "" :
		xero_pager_first_query(root, page_size);

		if (list_length(shown) == MAX_SHOWN)
		{
			shown = lappend(shown, psprintf("... and %d more",
											list_length(targets) - MAX_SHOWN));
			break;
		}
		shown = lappend(shown, psprintf("%s%s%s", target->shown,
										*paging == '\0' ? "" :
										strchr(target->shown, '?') ? "&" : "?",
										paging));
	}
	if (list_length(shown) == 1)
		ExplainPropertyText("Xero Request", linitial(shown), es);
	else
		ExplainPropertyList("Xero Request", shown, es);
}

/* The conditions that went down, exact and superset. */
static void
explain_filter(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	List	   *context;

	if (plan->fdw_recheck_quals == NIL)
		return;
	context = set_deparse_context_plan(es->deparse_cxt, (Plan *) plan, NIL);
	ExplainPropertyText("Xero Filter",
						deparse_expression((Node *) make_ands_explicit(plan->fdw_recheck_quals),
										   context,
										   list_length(es->rtable) > 1 || es->verbose,
										   false),
						es);
}

void
xeroExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	XeroScanState *state = node->fdw_state;

	explain_requests(node, es);
	explain_filter(node, es);
	if (es->costs)
		ExplainPropertyFloat("Xero Calls", NULL,
							 floatVal(list_nth(plan->fdw_private, XERO_SCAN_CALLS)),
							 0, es);
	if (es->analyze && state)
	{
		ExplainPropertyInteger("Xero Actual Calls", NULL, state->stats.calls, es);
		ExplainPropertyInteger("Xero Pages", NULL, state->pages, es);
		ExplainPropertyInteger("Xero Rows Received", NULL, state->rows, es);
		ExplainPropertyInteger("Xero Bytes Received", NULL, state->stats.bytes_in, es);
		ExplainPropertyInteger("Xero Retries", NULL, state->stats.retries, es);
		if (es->timing)
			ExplainPropertyFloat("Xero Budget Wait", "ms",
								 state->stats.waited_ms, 3, es);
	}
}
