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

#include "fdw/scan/scan.h"

#include "access/table.h"
#include "commands/explain.h"
#include "common/string.h"
#include "nodes/makefuncs.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* At most so many requests of one scan are shown. */
#define MAX_SHOWN 3

/* An expression of the scan's plan as SQL. */
static char *
deparse(Node *expr, ForeignScanState *node, ExplainState *es)
{
	List	   *context = set_deparse_context_plan(es->deparse_cxt,
												   node->ss.ps.plan, NIL);

	return deparse_expression(expr, context,
							  list_length(es->rtable) > 1 || es->verbose,
							  false);
}

/*
 * Put the expressions of run-time values where their placeholders are; they
 * begin at "first".
 */
static char *
fill_placeholders(const char *text, int first, ForeignScanState *node,
				  ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	StringInfoData buf;

	initStringInfo(&buf);
	while (*text)
	{
		char	   *end;
		int			number;

		if (*text != XERO_PLACEHOLDER_MARK)
		{
			appendStringInfoChar(&buf, *text++);
			continue;
		}
		number = strtoint(text + 1, &end, 10);
		Assert(*end == XERO_PLACEHOLDER_MARK);
		appendStringInfoString(&buf, deparse(list_nth(plan->fdw_exprs,
													  first + number - 1),
											 node, es));
		text = end + 1;
	}
	return buf.data;
}

/* A request as planned: what is known at run time only appears as SQL. */
static char *
show_request(const XeroRequest *request, const char *paging, int first_param,
			 ForeignScanState *node, ExplainState *es)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, request->shown);
	if (*paging)
		appendStringInfo(&buf, "%c%s", strchr(request->shown, '?') ? '&' : '?',
						 paging);
	if (request->modified_since)
		appendStringInfo(&buf, " If-Modified-Since: %s",
						 request->modified_since);
	return fill_placeholders(buf.data, first_param, node, es);
}

/* A table of the plan: XERO_SCAN_RELID, or XERO_SCAN_ASKED. */
static XeroTable *
get_planned_table(ForeignScan *plan, XeroScanPrivate which)
{
	Oid			relid = (Oid) intVal(list_nth(plan->fdw_private, which));
	Relation	rel = table_open(relid, NoLock);
	XeroTable  *table = xero_get_table(rel);

	table_close(rel, NoLock);
	return table;
}

/* What "sent" leads to in an order, among what is shown already. */
static List *
show_requests(List *shown, List *sent, const char *order, int first_param,
			  ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	List	   *private = plan->fdw_private;
	XeroTable  *table = get_planned_table(plan, XERO_SCAN_ASKED);
	const XeroObject *root = xero_root_object(table->object);
	int			page_size = intVal(list_nth(private, XERO_SCAN_PAGE_SIZE));
	XeroRowWindow window = {0};
	XeroRequestOptions options;
	List	   *requests;
	ListCell   *lc;

	options.levels = xero_reader_levels(node);
	options.order = *order ? order : NULL;
	(void) xero_read_window(plan, &window);
	requests = xero_build_requests(xero_rel_from_table(table, plan->scan.scanrelid),
								   sent, NULL, &options);
	foreach(lc, requests)
	{
		XeroRequest *request = lfirst(lc);
		char	   *paging = request->single ? "" :
		xero_pager_first_query(root, page_size,
							   xero_window_page(root, requests, page_size,
												window.offset),
							   request->offset);

		shown = list_append_unique(shown,
								   makeString(show_request(request, paging,
														   first_param, node, es)));
	}
	return shown;
}

/* The requests of the scan, the first ones of many. */
static void
explain_requests(ForeignScanState *node, ExplainState *es)
{
	List	   *private = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	List	   *counts = list_nth(private, XERO_SCAN_COUNTS);
	List	   *requests = NIL;
	List	   *shown = NIL;
	ListCell   *lc;

	if (counts == NIL)
		requests = show_requests(NIL, list_nth(private, XERO_SCAN_SENT),
								 strVal(list_nth(private, XERO_SCAN_ORDER)), 0,
								 node, es);
	foreach(lc, counts)
	{
		List	   *count = lfirst(lc);
		List	   *order = lthird(count);

		requests = show_requests(requests, linitial(count),
								 order ? strVal(linitial(order)) : "",
								 intVal(lsecond(count)), node, es);
	}

	foreach(lc, requests)
	{
		if (list_length(shown) == MAX_SHOWN)
		{
			shown = lappend(shown, psprintf("... and %d more",
											list_length(requests) - MAX_SHOWN));
			break;
		}
		shown = lappend(shown, strVal(lfirst(lc)));
	}
	if (list_length(shown) <= 1)
		ExplainPropertyText("Xero Request",
							shown == NIL ? "none" : linitial(shown), es);
	else
		ExplainPropertyList("Xero Request", shown, es);
}

/* The conditions that went down, exact and superset. */
static void
explain_filter(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;

	if (plan->fdw_recheck_quals == NIL)
		return;
	ExplainPropertyText("Xero Filter",
						deparse((Node *) make_ands_explicit(plan->fdw_recheck_quals),
								node, es),
						es);
}

/* LIMIT and OFFSET, if there is no plan node for them. */
static void
explain_window(ForeignScan *plan, ExplainState *es)
{
	XeroRowWindow window;

	if (!xero_read_window(plan, &window))
		return;
	if (window.rows >= 0)
		ExplainPropertyInteger("Xero Limit", NULL, window.rows, es);
	ExplainPropertyInteger("Xero Offset", NULL, window.offset, es);
}

/*
 * How many of the organisations are asked, where there are several: of a scan
 * that ran, or as far as can be said without asking Xero or knowing run-time
 * values.
 */
static void
explain_organisations(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	XeroScanState *state = node->fdw_state;
	bool		ran = es->analyze && state && state->spec.organisations;
	XeroOrganisation *organisations;
	pg_uuid_t  *tenants;
	int			count;
	int			wanted;

	if (ran)
	{
		count = state->spec.norganisations;
		wanted = bms_num_members(state->run.wanted);
	}
	else
	{
		count = xero_planned_organisations(get_planned_table(plan,
															 XERO_SCAN_RELID),
										   xero_check_as_user(node),
										   &organisations);
		if (count <= 1)
			return;
		tenants = palloc(sizeof(pg_uuid_t) * count);
		for (int i = 0; i < count; i++)
			tenants[i] = organisations[i].id;
		wanted = bms_num_members(xero_wanted_organisations(list_nth(plan->fdw_private,
																	XERO_SCAN_SENT),
														   NULL, tenants, count));
	}
	if (count > 1)
		ExplainPropertyText("Xero Organisations",
							psprintf("%d of %d", wanted, count), es);
}

bool
xero_asks_record_by_record(const XeroTable *table, List *wanted)
{
	ListCell   *lc;

	if (xero_lists_lack_rows(table->object))
		return true;
	foreach(lc, wanted)
	{
		const XeroColumn *known = table->columns[intVal(lfirst(lc)) - 1].known;

		if (known && !(known->levels & XERO_LEVEL_LIST))
			return true;
	}
	return false;
}

/* What a run takes.  Where keys are asked for in batches, it is part of a call. */
static double
calls_of_run(List *private)
{
	double		calls = floatVal(list_nth(private, XERO_SCAN_CALLS));
	List	   *batch = list_nth(private, XERO_SCAN_BATCH);

	return batch == NIL ? calls : calls / floatVal(llast(batch));
}

/*
 * Once the runs have cost as much as the list, that is read (answers.c).  Pages that
 * several scans ask for are one's.
 */
static double
planned_calls(PlanState *node, void *arg, double loops)
{
	ForeignScan *plan = (ForeignScan *) node->plan;
	List	   *private = plan->fdw_private;
	double		calls = calls_of_run(private) * loops;
	XeroTable  *table = get_planned_table(plan, XERO_SCAN_RELID);
	const XeroObject *root = xero_root_object(table->object);
	Oid			userid = xero_check_as_user((ForeignScanState *) node);
	XeroOrganisation *organisations;
	double		records;
	int			told;
	int			count;

	if (xero_asks_record_by_record(table, list_nth(private, XERO_SCAN_WANTED)))
		return calls;
	if (xero_reader_repeats((ForeignScanState *) node))
		return 0;
	if (loops <= 1 || list_nth(private, XERO_SCAN_COUNTS) != NIL ||
		list_nth(private, XERO_SCAN_WINDOW) != NIL)
		return calls;
	records = xero_planned_records(table, userid, &told);
	count = Max(xero_planned_organisations(table, userid, &organisations), told);
	return Min(calls, 2 * Max(count, 1) *
			   xero_list_calls(root, table->page_size,
							   records < 0 ? root->typical_rows : records, 1));
}

static int64
made_calls(PlanState *node, void *arg)
{
	XeroScanState *state = ((ForeignScanState *) node)->fdw_state;

	return state ? state->stats.calls.calls : 0;
}

const XeroCallingKind xero_scan_calls = {planned_calls, made_calls};

void
xeroExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	XeroScanState *state = node->fdw_state;

	explain_requests(node, es);
	explain_filter(node, es);
	explain_window(plan, es);
	explain_organisations(node, es);
	xero_explain_calls(&node->ss.ps, NULL, get_planned_table(plan, XERO_SCAN_RELID),
					   xero_check_as_user(node), es);
	if (es->analyze && state)
	{
		ExplainPropertyInteger("Xero Actual Calls", NULL, state->stats.calls.calls, es);
		if (state->stats.calls.shared > 0)
			ExplainPropertyInteger("Xero Shared Pages", NULL,
								   state->stats.calls.shared, es);
		if (state->stats.batches > 0)
			ExplainPropertyInteger("Xero Batches", NULL, state->stats.batches, es);
		if (state->stats.known_runs > 0)
			ExplainPropertyInteger("Xero Loops Without Calls", NULL,
								   state->stats.known_runs, es);
		ExplainPropertyInteger("Xero Pages", NULL, state->stats.pages, es);
		ExplainPropertyInteger("Xero Rows Received", NULL, state->stats.rows, es);
		ExplainPropertyInteger("Xero Bytes Received", NULL, state->stats.calls.bytes_in, es);
		ExplainPropertyInteger("Xero Retries", NULL, state->stats.calls.retries, es);
		if (es->timing)
			ExplainPropertyFloat("Xero Budget Wait", "ms",
								 state->stats.calls.waited_ms, 3, es);
	}
}
