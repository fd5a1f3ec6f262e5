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

/* One that was on disk belongs to the slot, and outlasts a row's memory. */
bool
xero_next_kept(XeroScanState *state, Tuplestorestate *rows)
{
	MemoryContext old = MemoryContextSwitchTo(state->kept.slot->tts_mcxt);
	bool		found = tuplestore_gettupleslot(rows, true, false, state->kept.slot);

	MemoryContextSwitchTo(old);
	return found;
}

void
xero_fetch_rest(XeroScanState *state, TupleTableSlot *slot, XeroTakeRow take)
{
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
		take(state, slot);
	}
	ExecClearTuple(slot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_cxt);
	state->run.ended = true;
}

static void
keep_row(XeroScanState *state, TupleTableSlot *slot)
{
	tuplestore_puttupleslot(state->kept.rows, slot);
}

void
xero_keep_rest(ForeignScanState *node)
{
	xero_fetch_rest(node->fdw_state, node->ss.ss_ScanTupleSlot, keep_row);
}

/* Read the run to its end, so that it is untouched by what is written next. */
static void
drain(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;

	xero_keep_rest(node);
	tuplestore_rescan(state->kept.rows);
	state->run.drained = true;
	state->kept.replaying = true;
}

/* The next row that is read, or else the slot is left empty. */
static bool
read_row(XeroScanState *state, TupleTableSlot *slot)
{
	if (xero_sorts_here(state))
	{
		if (!xero_merge_row(state, slot))
			return false;
		copy_row(slot, state->kept.slot);
		return true;
	}
	if (!xero_fetch_row(state, slot))
		return false;
	ExecStoreVirtualTuple(slot);
	return true;
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
	if (xero_is_answered(state))
		return xero_answer_row(node) ? copy_row(slot, state->kept.slot) : slot;

	if (state->spec.whole && !state->run.drained)
		drain(node);

	if (state->kept.replaying)
	{
		if (xero_next_kept(state, state->kept.rows))
			return copy_row(slot, state->kept.slot);
		state->kept.replaying = false;
	}

	if (!read_row(state, slot))
	{
		state->run.ended = true;
		return slot;
	}
	if (state->kept.rows)
		tuplestore_puttupleslot(state->kept.rows, slot);
	return slot;
}
