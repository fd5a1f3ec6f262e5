/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Running a scan: targets -> pages -> rows.
 *
 * A scan asks for one or more targets (lists, or single records), each page
 * by page, and decodes rows straight into the scan's slot.
 *
 * The list may change while it is being read.  Pages are asked for in the
 * order of an immutable key, so a change shifts rows by whole places only:
 * records that come again are dropped by their key, and when the item count
 * fell between two pages, the pages before are read once more, as records may
 * have moved there.  A scan that in spite of that ends with fewer records
 * than Xero counted fails; it never returns a part.
 *
 * begin.c makes the state that this works on.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

/* How often the list may shrink before the scan gets a page further. */
#define MAX_SETBACKS 5

/* Transfers of pages ahead are looked after once in so many rows. */
#define ROWS_PER_PUMP 64

/* Keys are remembered where pages can overlap and the key is a uuid. */
static XeroSeen *
make_seen(XeroScanState *state)
{
	const XeroObject *root = xero_root_object(state->table->object);

	if ((root->paging != XERO_PAGING_PAGE && root->paging != XERO_PAGING_BARE) ||
		state->key_field < 0 ||
		state->fields[state->key_field].type != UUIDOID)
		return NULL;
	return xero_seen_create(state->run_cxt);
}

static XeroPager *
make_pager(XeroScanState *state, const XeroTarget *target)
{
	XeroPagerSpec spec = {0};

	spec.path = target->path;
	spec.query = target->query;
	spec.modified_since = target->modified_since;
	spec.single = target->single;
	spec.object = xero_root_object(state->table->object);
	spec.page_size = state->page_size;
	spec.ahead = state->ahead;
	spec.stats = &state->stats;
	return xero_pager_begin(state->run_cxt, state->server, &spec);
}

/*
 * Turn to the next target.  Where all rows will be wanted, the first requests
 * of those after it are sent along.
 */
static void
begin_target(XeroScanState *state)
{
	XeroTarget *target = list_nth(state->targets, state->target);
	int			ahead = state->ahead ? state->server->concurrency : 1;
	int			last = Min(state->target + ahead, list_length(state->targets));

	for (int i = state->target; i < last; i++)
	{
		if (state->pagers[i] == NULL)
		{
			state->pagers[i] = make_pager(state, list_nth(state->targets, i));
			xero_pager_start(state->pagers[i]);
		}
	}
	state->pager = state->pagers[state->target];
	state->items = -1;
	state->fewest_items = -1;
	state->records = 0;
	state->offset = 0;
	state->reread_page = 0;
	state->setbacks = 0;
	state->seen = target->single ? NULL : make_seen(state);
}

/* Every record that Xero counted on every page must have come. */
static void
end_target(XeroScanState *state)
{
	if (state->fewest_items >= 0 && state->records < state->fewest_items)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("foreign table \"%s\" was not read completely",
						state->table->name),
				 errdetail("Xero counted %.0f records but sent %.0f.",
						   state->fewest_items, state->records),
				 errhint("The list changed while it was being read. Run the statement again.")));
	xero_pager_free(state->pager);
	state->pager = NULL;
	state->target++;
}

static void
show_progress(XeroScanState *state)
{
	if (state->progress == NULL)
		return;
	state->progress->pages_done = state->pages - (state->page_open ? 1 : 0);
	state->progress->pages_total = xero_pager_pages(state->pager);
	state->progress->rows = state->rows;
	state->progress->bytes_in = state->stats.bytes_in;
}

/* Open the next page; false at the end of the run. */
static bool
open_page(XeroScanState *state)
{
	for (;;)
	{
		const XeroResponse *response;
		const XeroPageInfo *info;

		CHECK_FOR_INTERRUPTS();
		if (state->pager == NULL)
		{
			if (state->target >= list_length(state->targets))
				return false;
			begin_target(state);
		}
		response = xero_pager_next(state->pager);
		if (response == NULL)
		{
			end_target(state);
			continue;
		}
		if (response->status == 404)
		{
			/* a single record that does not exist */
			xero_pager_end_page(state->pager, 0, 0);
			continue;
		}

		xero_reader_open(state->reader, response->body, response->len,
						 response->detail);
		info = xero_reader_info(state->reader);
		if (info->page_count >= 0)
			xero_pager_set_pages(state->pager, info->page_count);
		if (info->item_count >= 0)
			xero_note_records(state, info->item_count);
		state->pages++;
		state->page_open = true;
		show_progress(state);
		if (state->seen && state->reread_page == 0)
			xero_seen_next_page(state->seen);
		state->page_repeated = 0;
		state->last_known = false;
		return true;
	}
}

/*
 * Settle which pages are to be served again, after a page whose response
 * counted "change" records more than the one before (less, if negative).
 *
 * If so many records went, as many may have moved from a page that had not
 * been read to one that had: over the border before the page that showed the
 * change, so the pages before it are read again, as far back as that takes.
 * If the change showed while pages were being read again, all borders up to
 * the furthest page are in doubt.
 *
 * What comes again is known by its key, as far back as keys are remembered:
 * a page that is read again holds nothing older than itself.  The same limit
 * serves for records that appeared, which move others to pages to come.
 */
static void
settle_rereads(XeroScanState *state, double change)
{
	const XeroObject *root = xero_root_object(state->table->object);
	int			size = root->max_page_size > 0 ?
	Min(state->page_size, root->max_page_size) : root->default_page_size;
	int64		furthest = xero_pager_page(state->pager);
	int64		page = state->reread_page > 0 ? state->reread_page : furthest;
	int64		reach = Max(page - (int64) ceil(fabs(change) / Max(size, 1)), 1);

	if (change < 0)
		state->setbacks++;
	if (state->setbacks > MAX_SETBACKS ||
		(change != 0 && furthest - reach >= XERO_SEEN_PAGES))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("foreign table \"%s\" keeps changing while it is being read",
						state->table->name),
				 errhint("Run the statement again.")));
	if (change < 0)
	{
		state->reread_last = state->reread_page > 0 ? furthest : furthest - 1;
		state->reread_page = page > 1 ? reach : 2;
	}
	else if (state->reread_page > 0)
		state->reread_page++;

	if (state->reread_page > state->reread_last)
		state->reread_page = 0;
	if (state->reread_page > 0)
		xero_pager_reread(state->pager, state->reread_page);
}

/*
 * The page is consumed: check it against the ones before, and let the pager
 * know where the list goes on.
 */
static void
close_page(XeroScanState *state)
{
	const XeroPageInfo *info = xero_reader_info(state->reader);
	int64		records = xero_reader_records(state->reader);
	double		items = info->item_count;
	double		change = items >= 0 && state->items >= 0 ?
	items - state->items : 0;

	state->page_open = false;
	state->records += records - state->page_repeated;

	if (state->reread_page == 0)
	{
		if (records > 0 && state->page_repeated == records && change <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
					 errmsg("Xero sent the same page of foreign table \"%s\" again",
							state->table->name),
					 errdetail("Page " INT64_FORMAT " holds no record that was not on the pages before.",
							   xero_pager_page(state->pager))));
		if (info->page_count >= 0)
			xero_pager_set_pages(state->pager, info->page_count);
		xero_pager_end_page(state->pager, records, state->offset);
		state->setbacks = 0;
	}

	if (items >= 0)
	{
		if (state->fewest_items < 0 || items < state->fewest_items)
			state->fewest_items = items;
		state->items = items;
	}
	settle_rereads(state, change);
	show_progress(state);
}

/*
 * Has the present row's record been returned from an earlier page?  The rows
 * of a child table come with their record's key, several in succession.
 */
static bool
is_repeated(XeroScanState *state)
{
	pg_uuid_t  *key;

	if (state->seen == NULL || state->nulls[state->key_field])
		return false;
	key = DatumGetUUIDP(state->values[state->key_field]);
	if (state->last_known &&
		memcmp(state->last_key.data, key->data, UUID_LEN) == 0)
		return state->last_repeated;

	state->last_known = true;
	state->last_key = *key;
	state->last_repeated = !xero_seen_add(state->seen, key);
	if (state->last_repeated)
		state->page_repeated++;
	return state->last_repeated;
}

/* The key of the present record as it stands in a path. */
static char *
present_key(XeroScanState *state)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(state->fields[state->key_field].type, &output, &varlena);
	return OidOutputFunctionCall(output, state->values[state->key_field]);
}

/*
 * The present fields as a row of the table; false if it is not to be returned,
 * because the record is gone or is another target's.
 */
static bool
fill_slot(XeroScanState *state, TupleTableSlot *slot)
{
	XeroTarget *target = list_nth(state->targets, state->target);

	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < state->nfields; i++)
	{
		int			attno = state->field_attnos[i];

		if (attno == 0)
			continue;
		slot->tts_values[attno - 1] = state->values[i];
		slot->tts_isnull[attno - 1] = state->nulls[i];
	}
	if (target->owner_attno &&
		(slot->tts_isnull[target->owner_attno - 1] ||
		 !xero_target_owns(target, slot->tts_values[target->owner_attno - 1])))
		return false;
	if (state->tenant_attno)
	{
		slot->tts_values[state->tenant_attno - 1] = state->tenant;
		slot->tts_isnull[state->tenant_attno - 1] = false;
	}
	if (state->detail && target->single)
		xero_detail_mask(state->detail, state->values, state->nulls,
						 slot->tts_isnull);
	else if (state->detail)
		return xero_detail_fill(state->detail, present_key(state),
								state->values, state->nulls,
								slot->tts_values, slot->tts_isnull);
	return true;
}

/* Fetch the next row into the slot's arrays; false at the end. */
bool
xero_fetch_row(XeroScanState *state, TupleTableSlot *slot)
{
	for (;;)
	{
		if (!state->page_open && !open_page(state))
			return false;
		if (!xero_reader_next(state->reader, state->values, state->nulls))
		{
			close_page(state);
			continue;
		}
		if (state->offset_field >= 0 && !state->nulls[state->offset_field])
			state->offset = DatumGetInt32(state->values[state->offset_field]);
		if (is_repeated(state) || !fill_slot(state, slot))
			continue;
		if (state->rows++ % ROWS_PER_PUMP == 0)
			xero_call_pump();
		return true;
	}
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
		tuplestore_puttupleslot(state->kept, slot);
	}
	ExecClearTuple(slot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_cxt);
	tuplestore_rescan(state->kept);
	state->drained = true;
	state->replaying = true;
}

/* Called in the per-tuple context: what the slot holds lives there. */
TupleTableSlot *
xeroIterateForeignScan(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	int			natts = slot->tts_tupleDescriptor->natts;

	if (node->ss.ss_currentRelation == NULL)
		return xero_iterate_count(node);

	ExecClearTuple(slot);
	if (!state->started)
		xero_start_run(node);

	if (state->whole && !state->drained)
		drain(node);

	if (state->replaying)
	{
		if (tuplestore_gettupleslot(state->kept, true, false, state->kept_slot))
		{
			slot_getallattrs(state->kept_slot);
			memcpy(slot->tts_values, state->kept_slot->tts_values,
				   sizeof(Datum) * natts);
			memcpy(slot->tts_isnull, state->kept_slot->tts_isnull,
				   sizeof(bool) * natts);
			return ExecStoreVirtualTuple(slot);
		}
		state->replaying = false;
	}

	if (!xero_fetch_row(state, slot))
		return slot;
	ExecStoreVirtualTuple(slot);
	if (state->kept)
		tuplestore_puttupleslot(state->kept, slot);
	return slot;
}
