/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Running a scan: where its next row comes from.
 *
 * That is the pages of Xero's lists (pages.c), several lists put in one order
 * (merge.c), rows that were kept when they were read before, or a count that
 * Xero has told (count_scan.c).  begin.c makes the state that all of these
 * work on, and settles the requests of a run.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "miscadmin.h"

/* A row that was kept, as a row of the scan. */
static TupleTableSlot *
copy_row(TupleTableSlot *slot, TupleTableSlot *row)
{
	int			natts = slot->tts_tupleDescriptor->natts;

	slot_getallattrs(row);
	memcpy(slot->tts_values, row->tts_values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, row->tts_isnull, sizeof(bool) * natts);
	return ExecStoreVirtualTuple(slot);
}

/*
 * The next row that was kept, if there is one.  One that was on disk belongs to
 * the slot, so it must outlast the present row's memory.
 */
static bool
next_kept(XeroKept *kept)
{
	MemoryContext old = MemoryContextSwitchTo(kept->slot->tts_mcxt);
	bool		found = tuplestore_gettupleslot(kept->rows, true, false,
												kept->slot);

	MemoryContextSwitchTo(old);
	return found;
}

/* Read the run to its end, so that it is untouched by what is written next. */
static void
drain(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	MemoryContext row_cxt = AllocSetContextCreate(CurrentMemoryContext,
												  "Xero row",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_cxt);

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		ExecClearTuple(slot);
		MemoryContextReset(row_cxt);
		if (!xero_fetch_row(state, slot))
			break;
		ExecStoreVirtualTuple(slot);
		tuplestore_puttupleslot(state->kept.rows, slot);
	}
	ExecClearTuple(slot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_cxt);
	tuplestore_rescan(state->kept.rows);
	state->run.drained = true;
	state->kept.replaying = true;
}

/* Called in the per-tuple context: what the slot holds lives there. */
TupleTableSlot *
xeroIterateForeignScan(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (state->spec.counts)
		return xero_iterate_count(node);

	ExecClearTuple(slot);
	if (!state->started)
		xero_start_run(node);

	if (state->spec.whole && !state->run.drained)
		drain(node);

	if (state->kept.replaying)
	{
		if (next_kept(&state->kept))
			return copy_row(slot, state->kept.slot);
		state->kept.replaying = false;
	}

	if (xero_sorts_here(state))
	{
		if (!xero_merge_row(state, slot))
			return slot;
		copy_row(slot, state->kept.slot);
	}
	else
	{
		if (!xero_fetch_row(state, slot))
			return slot;
		ExecStoreVirtualTuple(slot);
	}
	if (state->kept.rows)
		tuplestore_puttupleslot(state->kept.rows, slot);
	return slot;
}
