/*-------------------------------------------------------------------------
 *
 * merge.c
 *	  Rows of several lists in one order.
 *
 * A scan in an order that Xero gives is planned for a statement that wants a
 * known number of rows (see plan.c).  Among several lists, be they of several
 * organisations or of values that one request has no room for, those are within
 * the first so many rows of each, so these are read, and sorted here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

static Tuplesortstate *
make_sorter(XeroScanState *state, TupleDesc desc)
{
	Form_pg_attribute att = TupleDescAttr(desc, state->spec.order_attno - 1);
	TypeCacheEntry *type = lookup_type_cache(att->atttypid,
											 TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	Oid			operator = state->spec.order_descends ? type->gt_opr : type->lt_opr;
	bool		nulls_first = state->spec.order_descends;	/* there are none */
	Tuplesortstate *sorter;

	sorter = tuplesort_begin_heap(desc, 1, &state->spec.order_attno, &operator,
								  &att->attcollation, &nulls_first, work_mem,
								  NULL, TUPLESORT_ALLOWBOUNDED);
	tuplesort_set_bound(sorter, state->spec.order_rows);
	return sorter;
}

static void
fill_sorter(XeroScanState *state, TupleTableSlot *slot)
{
	MemoryContext row_cxt = AllocSetContextCreate(state->run.cxt, "Xero merge",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_cxt);

	while (xero_fetch_row(state, slot))
	{
		ExecStoreVirtualTuple(slot);
		tuplesort_puttupleslot(state->run.sorter, slot);
		ExecClearTuple(slot);
		MemoryContextReset(row_cxt);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_cxt);
	tuplesort_performsort(state->run.sorter);
}

/* "slot" is room for a row meanwhile. */
bool
xero_merge_row(XeroScanState *state, TupleTableSlot *slot)
{
	if (state->run.sorter == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->run.cxt);

		state->run.sorter = make_sorter(state, slot->tts_tupleDescriptor);
		MemoryContextSwitchTo(old);
		fill_sorter(state, slot);
	}
	return tuplesort_gettupleslot(state->run.sorter, true, false, state->kept.slot,
								  NULL);
}
