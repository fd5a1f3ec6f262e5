/*-------------------------------------------------------------------------
 *
 * count_scan.c
 *	  The scan that returns numbers of rows, and first values (plan/count_path.c).
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
#include "utils/typcache.h"
#include "utils/uuid.h"

/* XERO_SCAN_COUNTS: the order of a count, or NIL. */
static List *
order_of(const XeroScanState *state, int count)
{
	return lthird(list_nth(state->spec.counts, count));
}

/* The column of that order, or 0. */
static AttrNumber
attno_of(const XeroScanState *state, int count)
{
	List	   *order = order_of(state, count);

	return order != NIL ? intVal(lsecond(order)) : 0;
}

/* Is it a value that is wanted, and no number? */
static bool
is_first_wanted(const XeroScanState *state, int count)
{
	List	   *order = order_of(state, count);

	return order != NIL && boolVal(lfourth(order));
}

List *
xero_count_requests(XeroScanState *state, const XeroParamValue *params,
					XeroCounting *counting)
{
	XeroScanSpec *spec = &state->spec;
	XeroRequestOptions options = spec->options;
	List	   *all = NIL;
	ListCell   *lc;

	foreach(lc, spec->counts)
	{
		List	   *sent = linitial(lfirst(lc));
		const XeroParamValue *values = params + intVal(lsecond(lfirst(lc)));
		List	   *order = lthird(lfirst(lc));
		List	   *requests;

		options.order = order ? strVal(linitial(order)) : NULL;
		requests = xero_build_requests(spec->rel, sent, values, &options);
		for (int i = 0; i < list_length(requests); i++)
			counting->owners = lappend_int(counting->owners, foreach_current_index(lc));
		all = list_concat(all, requests);
		options.order = xero_root_object(spec->table->object)->order;
		counting->by_key = lappend(counting->by_key,
								   xero_build_requests(spec->rel, sent, values,
													   &options));
	}
	return all;
}

static List *
sent_for(const XeroScanState *state, int count)
{
	return linitial(list_nth(state->spec.counts, count));
}

/* How many requests one count takes. */
static int
count_requests(const XeroScanState *state, int count)
{
	int			requests = 0;
	ListCell   *lc;

	foreach(lc, state->counting.owners)
		requests += lfirst_int(lc) == count;
	return requests;
}

/* A slot for rows of the table. */
static TupleTableSlot *
make_row_slot(const XeroScanState *state)
{
	Relation	rel = table_open(state->spec.table->relid, NoLock);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(rel)),
													&TTSOpsVirtual);

	table_close(rel, NoLock);
	return slot;
}

/* Let "first" be a value, if that comes before it in the order of a count. */
static void
take_value(const XeroScanState *state, int count, XeroFirst *first, Oid typid,
		   Datum value)
{
	bool		descends = boolVal(lthird(order_of(state, count)));
	TypeCacheEntry *type = lookup_type_cache(typid, TYPECACHE_CMP_PROC_FINFO);
	int			order;

	if (first->found)
	{
		order = DatumGetInt32(FunctionCall2(&type->cmp_proc_finfo, value,
											first->value));
		if (descends ? order <= 0 : order >= 0)
			return;
	}
	first->found = true;
	first->type = typid;
	first->value = datumCopy(value, type->typbyval, type->typlen);
}

/* The next row, which stays until the context is reset; false: there is none. */
static bool
fetch_row_in(MemoryContext cxt, XeroScanState *state, TupleTableSlot *row)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	bool		found = xero_fetch_row(state, row);

	MemoryContextSwitchTo(old);
	return found;
}

/*
 * The number of records counted one by one, or the first value of them: an
 * ordinary scan, so that what holds for its rows holds for their number.
 */
static int64
count_rows(XeroScanState *state, int which, XeroFirst *first)
{
	XeroScanSpec *spec = &state->spec;
	XeroRun    *run = &state->run;
	List	   *all_requests = run->requests;
	List	   *sent = spec->sent;
	int			page_size = spec->page_size;
	TupleTableSlot *row = make_row_slot(state);
	MemoryContext row_cxt = AllocSetContextCreate(run->cxt,
												  "Xero count",
												  ALLOCSET_SMALL_SIZES);
	AttrNumber	attno = is_first_wanted(state, which) ? attno_of(state, which) : 0;
	int64		count = 0;

	run->requests = list_nth(state->counting.by_key, which);
	spec->sent = sent_for(state, which);
	spec->page_size = spec->table->page_size;
	while (fetch_row_in(row_cxt, state, row))
	{
		count++;
		if (attno > 0 && !row->tts_isnull[attno - 1])
			take_value(state, which, first,
					   TupleDescAttr(row->tts_tupleDescriptor, attno - 1)->atttypid,
					   row->tts_values[attno - 1]);
		MemoryContextReset(row_cxt);
	}
	spec->page_size = page_size;
	spec->sent = sent;
	xero_rewind_org_scans(state);
	run->requests = all_requests;
	MemoryContextDelete(row_cxt);
	ExecDropSingleTupleTableSlot(row);
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
 * The lists that some counts need, from "first" to the one before "end", those
 * of all organisations next to each other.  What several counts ask for is asked
 * for once: "places" gets, by request, where its lists begin, or -1.
 */
static int
collect_lists(XeroScanState *state, int first, int end, XeroListCount *lists,
			  int *places)
{
	XeroRun    *run = &state->run;
	int			nlists = 0;

	for (int i = 0; i < list_length(run->requests); i++)
	{
		const XeroRequest *request = list_nth(run->requests, i);
		int			owner = list_nth_int(state->counting.owners, i);

		places[i] = -1;
		if (owner < first || owner >= end)
			continue;
		for (int j = 0; j < nlists && places[i] < 0; j += run->norg_scans)
		{
			if (lists[j].attno == attno_of(state, owner) &&
				xero_same_request(request, lists[j].request))
				places[i] = j;
		}
		if (places[i] >= 0)
			continue;
		places[i] = nlists;
		for (int j = 0; j < run->norg_scans; j++)
		{
			lists[nlists].request = request;
			lists[nlists].org_scan = &run->org_scans[j];
			lists[nlists].sent = sent_for(state, owner);
			lists[nlists++].attno = attno_of(state, owner);
		}
	}
	return nlists;
}

/* Let a count know what a list has told. */
static void
take_list(const XeroScanState *state, int count, const XeroListCount *list,
		  int64 *number, XeroFirst *first)
{
	*number = *number < 0 || list->count < 0 ? -1 : *number + list->count;
	if (!is_first_wanted(state, count))
		return;
	if (list->first.found)
		take_value(state, count, first, list->first.type, list->first.value);
	else if (list->count < 0)
		first->unsure = true;
}

/*
 * Some counts as Xero tells them, from "first" to the one before "end"; -1 where
 * it does not.  "firsts" get the values that are wanted; NULL if none are.
 */
static void
ask_counts(XeroScanState *state, int first, int end, int64 *counts,
		   XeroFirst *firsts)
{
	XeroRun    *run = &state->run;
	int			nrequests = list_length(run->requests);
	int		   *places = palloc(sizeof(int) * Max(nrequests, 1));
	XeroListCount *lists = palloc0(sizeof(XeroListCount) *
								   Max(nrequests * run->norg_scans, 1));

	ask_lists(state, lists, collect_lists(state, first, end, lists, places));
	for (int i = first; i < end; i++)
		counts[i] = 0;
	for (int i = 0; i < nrequests; i++)
	{
		int			owner = list_nth_int(state->counting.owners, i);

		for (int j = 0; places[i] >= 0 && j < run->norg_scans; j++)
			take_list(state, owner, &lists[places[i] + j], &counts[owner],
					  firsts ? &firsts[owner] : NULL);
	}
}

/* The counts of one row. */
static void
find_counts(XeroScanState *state)
{
	int			ncounts = list_length(state->spec.counts);
	int64	   *counts = palloc(sizeof(int64) * ncounts);
	XeroFirst  *firsts = palloc0(sizeof(XeroFirst) * ncounts);

	ask_counts(state, 0, ncounts, counts, firsts);
	for (int i = 0; i < ncounts; i++)
	{
		if (is_first_wanted(state, i) ? firsts[i].unsure : counts[i] < 0)
			counts[i] = count_rows(state, i, &firsts[i]);
	}
	state->counting.counts = counts;
	state->counting.firsts = firsts;
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
	TupleTableSlot *row = make_row_slot(state);
	List	   *requests = run->requests;
	int			page_size = spec->page_size;
	MemoryContext row_cxt = AllocSetContextCreate(run->cxt, "Xero group",
												  ALLOCSET_SMALL_SIZES);
	List	   *groups = NIL;

	run->requests = run->by_key;
	run->ahead = true;
	spec->page_size = spec->table->page_size;
	while (fetch_row_in(row_cxt, state, row))
	{
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
	(list_length(state->run.requests) - count_requests(state, 0));
	int64		grouped = 0;
	List	   *groups = NIL;
	ListCell   *lc;

	ask_counts(state, 0, 1, counts, NULL);
	if (counts[0] > calls * size)
	{
		ask_counts(state, 1, ncounts, counts, NULL);
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
	XeroListCount *lists = palloc0(sizeof(XeroListCount) *
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

/* The one row of counts and values. */
static void
fill_counts(TupleTableSlot *slot, const XeroScanState *state)
{
	const XeroCounting *counting = &state->counting;

	for (int i = 0; i < list_length(state->spec.counts); i++)
	{
		if (is_first_wanted(state, i))
			slot->tts_values[i] = counting->firsts[i].value;
		else
			slot->tts_values[i] = Int64GetDatum(counting->counts[i]);
		slot->tts_isnull[i] = is_first_wanted(state, i) && !counting->firsts[i].found;
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
			find_counts(state);
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
		fill_counts(slot, state);
	state->stats.rows = ++counting->returned;
	return ExecStoreVirtualTuple(slot);
}
