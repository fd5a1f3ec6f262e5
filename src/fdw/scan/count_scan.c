/*-------------------------------------------------------------------------
 *
 * count_scan.c
 *	  The scan that returns numbers of rows (plan/count_path.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

List *
xero_count_requests(XeroScanState *state, const XeroParamValue *params,
					List **owners)
{
	List	   *all = NIL;
	ListCell   *lc;

	foreach(lc, state->spec.counts)
	{
		List	   *count = lfirst(lc);
		List	   *requests = xero_build_requests(state->spec.rel, linitial(count),
												   params + intVal(lsecond(count)),
												   &state->spec.options);

		for (int i = 0; i < list_length(requests); i++)
			*owners = lappend_int(*owners, foreach_current_index(lc));
		all = list_concat(all, requests);
	}
	return all;
}

static List *
sent_for(const XeroScanState *state, int count)
{
	return linitial(list_nth(state->spec.counts, count));
}

/* The requests of one count. */
static List *
requests_of(const XeroScanState *state, int count)
{
	List	   *requests = NIL;
	ListCell   *lr;
	ListCell   *lo;

	forboth(lr, state->run.requests, lo, state->counting.owners)
	{
		if (lfirst_int(lo) == count)
			requests = lappend(requests, lfirst(lr));
	}
	return requests;
}

/*
 * The number of records counted one by one: an ordinary scan, so that what
 * holds for its rows holds for their number.
 */
static int64
count_rows(XeroScanState *state, int which, TupleTableSlot *scratch)
{
	XeroScanSpec *spec = &state->spec;
	XeroRun    *run = &state->run;
	List	   *all_requests = run->requests;
	List	   *requests = requests_of(state, which);
	List	   *sent = spec->sent;
	int			page_size = spec->page_size;
	MemoryContext row_cxt = AllocSetContextCreate(run->cxt,
												  "Xero count",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_cxt);
	int64		count = 0;

	run->requests = requests;
	spec->sent = sent_for(state, which);
	spec->page_size = spec->table->page_size;
	while (xero_fetch_row(state, scratch))
	{
		count++;
		MemoryContextReset(row_cxt);
	}
	spec->page_size = page_size;
	spec->sent = sent;
	xero_rewind_org_scans(state);
	run->requests = all_requests;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_cxt);
	return count;
}

/*
 * The numbers as Xero tells them, by request, -1 where it does not.  What
 * several counts ask for is asked for once.
 */
static int64 *
ask_counts(XeroScanState *state)
{
	XeroRun    *run = &state->run;
	int			nrequests = list_length(run->requests);
	int64	   *totals = palloc0(sizeof(int64) * Max(nrequests, 1));
	int		   *same = palloc(sizeof(int) * Max(nrequests, 1));
	XeroListCount *lists = palloc(sizeof(XeroListCount) *
								  Max(nrequests * run->norg_scans, 1));
	int			width = Min(XERO_MAX_ORG_SCANS,
							run->norg_scans * state->spec.server->concurrency);
	int			nlists = 0;

	for (int i = 0; i < nrequests; i++)
	{
		const XeroRequest *request = list_nth(run->requests, i);

		for (same[i] = 0; same[i] < i; same[i]++)
		{
			if (xero_same_request(request, list_nth(run->requests, same[i])))
				break;
		}
		for (int j = 0; same[i] == i && j < run->norg_scans; j++)
		{
			lists[nlists].request = request;
			lists[nlists].org_scan = &run->org_scans[j];
			lists[nlists++].sent =
				sent_for(state, list_nth_int(state->counting.owners, i));
		}
	}
	for (int i = 0; i < nlists; i += width)
		xero_count_lists(state, &lists[i], Min(nlists - i, width));

	for (int i = 0, n = 0; i < nrequests; i++)
	{
		if (same[i] < i)
			totals[i] = totals[same[i]];
		for (int j = 0; same[i] == i && j < run->norg_scans; j++, n++)
			totals[i] = totals[i] < 0 || lists[n].count < 0 ? -1 :
				totals[i] + lists[n].count;
	}
	return totals;
}

/* All counts of the run. */
static int64 *
find_counts(XeroScanState *state, TupleTableSlot *scratch)
{
	int			ncounts = list_length(state->spec.counts);
	int64	   *counts = palloc0(sizeof(int64) * ncounts);
	int64	   *totals;
	ErrorContextCallback context;
	ListCell   *lc;

	xero_push_org_scan_context(state, &context);
	totals = ask_counts(state);
	error_context_stack = context.previous;
	foreach(lc, state->counting.owners)
	{
		int64	   *count = &counts[lfirst_int(lc)];
		int64		total = totals[foreach_current_index(lc)];

		*count = *count < 0 || total < 0 ? -1 : *count + total;
	}
	for (int i = 0; i < ncounts; i++)
	{
		if (counts[i] < 0)
			counts[i] = count_rows(state, i, scratch);
	}
	return counts;
}

/*
 * The one row of a scan that counts; an empty slot the second time.  A rescan
 * that would ask for the same has the answer already.
 */
TupleTableSlot *
xero_iterate_count(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroCounting *counting = &state->counting;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (!state->started)
		xero_start_run(node);
	if (counting->returned)
		return slot;

	if (counting->counts == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->run.cxt);

		counting->counts = find_counts(state, slot);
		MemoryContextSwitchTo(old);
		state->stats.records = counting->counts[0];
	}
	counting->returned = true;
	state->stats.rows = 1;

	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < list_length(state->spec.counts); i++)
	{
		slot->tts_values[i] = Int64GetDatum(counting->counts[i]);
		slot->tts_isnull[i] = false;
	}
	return ExecStoreVirtualTuple(slot);
}
