/*-------------------------------------------------------------------------
 *
 * count_scan.c
 *	  The scan that returns numbers of rows (plan/count_path.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "access/table.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/uuid.h"

List *
xero_count_requests(XeroScanState *state, const XeroParamValue *params,
					List **owners)
{
	XeroRequestOptions options = state->spec.options;
	List	   *all = NIL;
	ListCell   *lc;

	options.order = NULL;
	foreach(lc, state->spec.counts)
	{
		List	   *count = lfirst(lc);
		List	   *requests = xero_build_requests(state->spec.rel, linitial(count),
												   params + intVal(lsecond(count)),
												   &options);

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

/* Ask for the numbers of records of these lists, many at once. */
static void
ask_lists(XeroScanState *state, XeroListCount *lists, int nlists)
{
	int			width = Min(XERO_MAX_ORG_SCANS,
							state->run.norg_scans * state->spec.server->concurrency);
	ErrorContextCallback context;

	xero_push_org_scan_context(state, &context);
	for (int i = 0; i < nlists; i += width)
		xero_count_lists(state, &lists[i], Min(nlists - i, width));
	error_context_stack = context.previous;
}

/*
 * Some counts as Xero tells them, from "first" to the one before "end"; -1 where
 * it does not.  What several of them ask for is asked for once.
 */
static void
ask_counts(XeroScanState *state, int first, int end, int64 *counts)
{
	XeroRun    *run = &state->run;
	int			nrequests = list_length(run->requests);
	int64	   *totals = palloc0(sizeof(int64) * Max(nrequests, 1));
	int		   *same = palloc(sizeof(int) * Max(nrequests, 1));
	XeroListCount *lists = palloc(sizeof(XeroListCount) *
								  Max(nrequests * run->norg_scans, 1));
	int			nlists = 0;

	for (int i = 0; i < nrequests; i++)
	{
		const XeroRequest *request = list_nth(run->requests, i);
		int			owner = list_nth_int(state->counting.owners, i);

		same[i] = -1;
		if (owner < first || owner >= end)
			continue;
		for (same[i] = 0; same[i] < i; same[i]++)
		{
			if (same[same[i]] == same[i] &&
				xero_same_request(request, list_nth(run->requests, same[i])))
				break;
		}
		for (int j = 0; same[i] == i && j < run->norg_scans; j++)
		{
			lists[nlists].request = request;
			lists[nlists].org_scan = &run->org_scans[j];
			lists[nlists++].sent = sent_for(state, owner);
		}
	}
	ask_lists(state, lists, nlists);

	for (int i = first; i < end; i++)
		counts[i] = 0;
	for (int i = 0, n = 0; i < nrequests; i++)
	{
		int64	   *count = &counts[list_nth_int(state->counting.owners, i)];

		if (same[i] < 0)
			continue;
		for (int j = 0; same[i] == i && j < run->norg_scans; j++, n++)
			totals[i] = totals[i] < 0 || lists[n].count < 0 ? -1 :
				totals[i] + lists[n].count;
		totals[i] = totals[same[i]];
		*count = *count < 0 || totals[i] < 0 ? -1 : *count + totals[i];
	}
}

/* The counts of one row. */
static void
find_counts(XeroScanState *state, TupleTableSlot *scratch)
{
	int			ncounts = list_length(state->spec.counts);
	int64	   *counts = palloc(sizeof(int64) * ncounts);

	ask_counts(state, 0, ncounts, counts);
	for (int i = 0; i < ncounts; i++)
	{
		if (counts[i] < 0)
			counts[i] = count_rows(state, i, scratch);
	}
	state->counting.counts = counts;
}

/*
 * Counts rows to the group of a value, a word or an organisation, which is copied
 * if it is the first.
 */
static List *
add_to_group(const XeroScanSpec *spec, List *groups, Datum value, bool isnull,
			 int64 count)
{
	int			typlen = lsecond(spec->group) != NIL ? -1 : UUID_LEN;
	XeroGroup  *group;
	ListCell   *lc;

	foreach(lc, groups)
	{
		group = lfirst(lc);
		if (group->isnull == isnull &&
			(isnull || datumIsEqual(group->value, value, false, typlen)))
		{
			group->count += count;
			return groups;
		}
	}
	group = palloc0(sizeof(XeroGroup));
	group->isnull = isnull;
	if (!isnull)
		group->value = datumCopy(value, false, typlen);
	group->count = count;
	return lappend(groups, group);
}

/* The groups of the rows themselves. */
static List *
group_rows(XeroScanState *state)
{
	XeroScanSpec *spec = &state->spec;
	XeroRun    *run = &state->run;
	AttrNumber	attno = intVal(linitial(spec->group));
	Relation	rel = table_open(spec->table->relid, NoLock);
	TupleTableSlot *row = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(rel)),
												   &TTSOpsVirtual);
	List	   *requests = run->requests;
	int			page_size = spec->page_size;
	MemoryContext row_cxt = AllocSetContextCreate(run->cxt, "Xero group",
												  ALLOCSET_SMALL_SIZES);
	List	   *groups = NIL;

	table_close(rel, NoLock);
	run->requests = run->by_key;
	run->ahead = true;
	spec->page_size = spec->table->page_size;
	for (;;)
	{
		MemoryContext old = MemoryContextSwitchTo(row_cxt);
		bool		found = xero_fetch_row(state, row);

		MemoryContextSwitchTo(old);
		if (!found)
			break;
		groups = add_to_group(spec, groups, row->tts_values[attno - 1],
							  row->tts_isnull[attno - 1], 1);
		MemoryContextReset(row_cxt);
	}
	xero_rewind_org_scans(state);
	run->requests = requests;
	run->ahead = false;
	spec->page_size = page_size;
	MemoryContextDelete(row_cxt);
	ExecDropSingleTupleTableSlot(row);
	return groups;
}

/*
 * The groups by their words, unless reading the rows takes no more calls.  The
 * first count is that of all rows; if the words do not make it up, there is
 * another word, or the list has changed in between.
 */
static void
find_groups_of_words(XeroScanState *state)
{
	const XeroObject *root = xero_root_object(state->spec.table->object);
	List	   *words = lsecond(state->spec.group);
	int			ncounts = list_length(words) + 1;
	int64	   *counts = palloc0(sizeof(int64) * ncounts);
	int			size = xero_pager_page_size(root, state->spec.table->page_size);
	int64		calls = (int64) state->run.norg_scans *
	(list_length(state->run.requests) - list_length(requests_of(state, 0)));
	int64		grouped = 0;
	List	   *groups = NIL;
	ListCell   *lc;

	ask_counts(state, 0, 1, counts);
	if (counts[0] > calls * size)
	{
		ask_counts(state, 1, ncounts, counts);
		foreach(lc, words)
		{
			int64		count = counts[foreach_current_index(lc) + 1];

			if (count <= 0)
				continue;
			grouped += count;
			groups = add_to_group(&state->spec, groups, CStringGetTextDatum(strVal(lfirst(lc))),
								  false, count);
		}
	}
	if (grouped != counts[0])
		groups = group_rows(state);
	state->counting.counts = counts;
	state->counting.groups = groups;
}

/* The groups of organisations, unless one of them does not tell. */
static void
find_groups_of_organisations(XeroScanState *state)
{
	XeroRun    *run = &state->run;
	int			nrequests = list_length(run->requests);
	int			nlists = 0;
	XeroListCount *lists = palloc(sizeof(XeroListCount) *
								  Max(nrequests * run->norg_scans, 1));
	int64	   *counts = palloc0(sizeof(int64));
	List	   *groups = NIL;
	bool		told = true;

	for (int i = 0; i < run->norg_scans; i++)
	{
		ListCell   *lc;

		foreach(lc, run->requests)
		{
			lists[nlists].request = lfirst(lc);
			lists[nlists].org_scan = &run->org_scans[i];
			lists[nlists++].sent = sent_for(state, 0);
		}
	}
	ask_lists(state, lists, nlists);
	for (int i = 0; i < nlists; i++)
	{
		told = told && lists[i].count >= 0;
		if (told && lists[i].count > 0)
			groups = add_to_group(&state->spec, groups, lists[i].org_scan->tenant,
								  false, lists[i].count);
		counts[0] += lists[i].count;
	}
	state->counting.groups = told ? groups : group_rows(state);
	state->counting.counts = counts;
}

static void
find_groups(XeroScanState *state)
{
	if (lsecond(state->spec.group) != NIL)
		find_groups_of_words(state);
	else
		find_groups_of_organisations(state);
}

/* The row of a group: its count, as often as it is wanted, and its value. */
static void
fill_group(TupleTableSlot *slot, const XeroGroup *group, int ncounts)
{
	for (int i = 0; i < ncounts; i++)
	{
		slot->tts_values[i] = Int64GetDatum(group->count);
		slot->tts_isnull[i] = false;
	}
	slot->tts_values[ncounts] = group->value;
	slot->tts_isnull[ncounts] = group->isnull;
}

/* The one row of counts. */
static void
fill_counts(TupleTableSlot *slot, const int64 *counts, int ncounts)
{
	for (int i = 0; i < ncounts; i++)
	{
		slot->tts_values[i] = Int64GetDatum(counts[i]);
		slot->tts_isnull[i] = false;
	}
}

/*
 * The next row of a scan that counts; at the end an empty slot.  A rescan that
 * would ask for the same has the answer already.
 */
TupleTableSlot *
xero_iterate_count(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroCounting *counting = &state->counting;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	List	   *group = state->spec.group;

	ExecClearTuple(slot);
	if (!state->started)
		xero_start_run(node);
	if (counting->counts == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->run.cxt);

		if (group != NIL)
			find_groups(state);
		else
			find_counts(state, slot);
		MemoryContextSwitchTo(old);
		state->stats.records = counting->counts[0];
	}
	if (counting->returned >= (group != NIL ? list_length(counting->groups) : 1))
		return slot;

	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	if (group != NIL)
		fill_group(slot, list_nth(counting->groups, counting->returned),
				   intVal(lthird(group)));
	else
		fill_counts(slot, counting->counts, list_length(state->spec.counts));
	state->stats.rows = ++counting->returned;
	return ExecStoreVirtualTuple(slot);
}
