/*-------------------------------------------------------------------------
 *
 * count_scan.c
 *	  The scan that returns the number of rows (plan/count_path.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

/*
 * The number of records counted one by one: an ordinary scan, so that what
 * holds for its rows holds for their number.
 */
static int64
count_rows(XeroScanState *state, TupleTableSlot *scratch)
{
	MemoryContext row_cxt = AllocSetContextCreate(state->run.cxt,
												  "Xero count",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_cxt);
	int64		count = 0;

	state->spec.page_size = state->spec.table->page_size;
	while (xero_fetch_row(state, scratch))
	{
		count++;
		MemoryContextReset(row_cxt);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_cxt);
	return count;
}

/* The number as Xero tells it; -1 if it does not. */
static int64
ask_count(XeroScanState *state)
{
	ErrorContextCallback context;
	int64		total = 0;
	ListCell   *lc;

	xero_push_org_scan_context(state, &context);
	foreach(lc, state->run.requests)
	{
		for (int i = 0; i < state->run.norg_scans && total >= 0;
			 i += XERO_MAX_ORG_SCANS)
		{
			int64		n = xero_count_lists(state, lfirst(lc), &state->run.org_scans[i],
											 Min(state->run.norg_scans - i,
												 XERO_MAX_ORG_SCANS));

			total = n < 0 ? n : total + n;
		}
		if (total < 0)
			break;
	}
	error_context_stack = context.previous;
	return total;
}

/*
 * The one row of a count; an empty slot the second time.  A rescan that would
 * ask for the same has the answer already.
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

	if (!counting->known)
	{
		counting->count = ask_count(state);
		if (counting->count < 0)
			counting->count = count_rows(state, slot);
		counting->known = true;
		state->stats.records = counting->count;
	}
	counting->returned = true;
	state->stats.rows = 1;

	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	slot->tts_values[0] = Int64GetDatum(counting->count);
	slot->tts_isnull[0] = false;
	return ExecStoreVirtualTuple(slot);
}
