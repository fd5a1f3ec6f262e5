/*-------------------------------------------------------------------------
 *
 * merge.c
 *	  Rows in the order of one column, of several lists or with ties.
 *
 * A scan in an order that Xero gives is planned for a statement that wants a
 * known number of rows (see plan.c).  Among several lists, be they of several
 * organisations or of values that one request has no room for, those are within
 * the first so many rows of each, so these are read, and sorted here.
 *
 * If the statement sorts by more than that column, all rows are wanted that are
 * equal to the last one of so many.  They should be on the first page of each
 * list.  If they are not, the lists are read as a whole, in the order of their
 * keys, since records move between the pages of any other.  So they are if nulls
 * are wanted, which come last, after so many other rows.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

void
xero_prepare_order(XeroScanState *state, const XeroParamValue *params)
{
	const XeroScanSpec *spec = &state->spec;
	XeroRequestOptions options = spec->options;

	state->run.order_rows = spec->order_rows;
	if (!spec->order_ties && spec->group == NIL)
		return;
	options.order = xero_root_object(spec->table->object)->order;
	state->run.by_key = xero_build_requests(spec->rel,
											spec->order_whole ?
											linitial(spec->order_whole) : spec->sent,
											params, &options);
}

bool
xero_sorts_here(const XeroScanState *state)
{
	return state->spec.order_ties ||
		(state->spec.order_rows > 0 &&
		 (state->run.norg_scans > 1 || list_length(state->run.requests) > 1));
}

Tuplesortstate *
xero_make_sorter(XeroScanState *state, TupleDesc desc)
{
	Form_pg_attribute att = TupleDescAttr(desc, state->spec.order_attno - 1);
	TypeCacheEntry *type = lookup_type_cache(att->atttypid,
											 TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	Oid			operator = state->spec.order_descends ? type->gt_opr : type->lt_opr;
	bool		nulls_first = false;	/* there are none, or they come last */
	Tuplesortstate *sorter;

	sorter = tuplesort_begin_heap(desc, 1, &state->spec.order_attno, &operator,
								  &att->attcollation, &nulls_first, work_mem,
								  NULL, TUPLESORT_ALLOWBOUNDED);
	if (!state->spec.order_ties)
		tuplesort_set_bound(sorter, state->spec.order_rows);
	return sorter;
}

/* Take note of whether a row is equal to the last one that is wanted. */
static void
note_tie(XeroScanState *state, TupleTableSlot *slot)
{
	XeroOrgScan *org_scan = state->page.org_scan;
	int			attno = state->spec.order_attno;
	Form_pg_attribute att = TupleDescAttr(slot->tts_tupleDescriptor, attno - 1);
	Datum		value = slot->tts_values[attno - 1];
	TypeCacheEntry *type;

	if (slot->tts_isnull[attno - 1])
	{
		state->run.by_key_instead = true;	/* whatever sorts it where */
		return;
	}
	if (org_scan->rows < state->run.order_rows)
		return;
	if (org_scan->rows == state->run.order_rows)
	{
		MemoryContext old = MemoryContextSwitchTo(state->run.cxt);

		org_scan->bound = datumCopy(value, att->attbyval, att->attlen);
		org_scan->tied = true;
		MemoryContextSwitchTo(old);
		return;
	}
	type = lookup_type_cache(att->atttypid, TYPECACHE_EQ_OPR_FINFO);
	org_scan->tied = DatumGetBool(FunctionCall2Coll(&type->eq_opr_finfo,
													att->attcollation,
													value, org_scan->bound));
}

static void
fill_sorter(XeroScanState *state, TupleTableSlot *slot)
{
	MemoryContext row_cxt = AllocSetContextCreate(state->run.cxt, "Xero merge",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_cxt);

	while (xero_fetch_row(state, slot))
	{
		if (state->spec.order_ties && state->run.order_rows > 0)
			note_tie(state, slot);
		ExecStoreVirtualTuple(slot);
		tuplesort_puttupleslot(state->run.sorter, slot);
		ExecClearTuple(slot);
		MemoryContextReset(row_cxt);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_cxt);
}

/* Read the lists, whose rows the sorter has then. */
static void
sort_lists(XeroScanState *state, TupleTableSlot *slot)
{
	XeroRun    *run = &state->run;
	List	   *requests = run->requests;
	MemoryContext old = MemoryContextSwitchTo(run->cxt);

	run->sorter = xero_make_sorter(state, slot->tts_tupleDescriptor);
	fill_sorter(state, slot);
	if (run->by_key_instead ||
		(state->spec.order_whole && run->returned < run->order_rows))
	{
		xero_rewind_org_scans(state);
		run->requests = run->by_key;
		run->order_rows = 0;
		run->ahead = true;
		run->by_key_instead = false;
		tuplesort_end(run->sorter);
		run->sorter = xero_make_sorter(state, slot->tts_tupleDescriptor);
		fill_sorter(state, slot);
		run->requests = requests;
	}
	tuplesort_performsort(run->sorter);
	MemoryContextSwitchTo(old);
}

/* "slot" is room for a row meanwhile. */
bool
xero_merge_row(XeroScanState *state, TupleTableSlot *slot)
{
	if (state->run.sorter == NULL)
		sort_lists(state, slot);
	return tuplesort_gettupleslot(state->run.sorter, true, false, state->kept.slot,
								  NULL);
}
