/*-------------------------------------------------------------------------
 *
 * pages.c
 *	  Pages -> rows.
 *
 * The pages of a scan's requests are opened one at a time, in the order in
 * which the organisations have them (org_scan.c), and decoded row by row
 * straight into a slot.
 *
 * The list may change while it is being read.  Pages are asked for in the
 * order of an immutable key, so a change shifts rows by whole places only:
 * records that come again are dropped by their key, and when the item count
 * fell between two pages, the pages before are read once more, as records may
 * have moved there.  A scan that in spite of that ends with fewer records
 * than Xero counted fails; it never returns a part.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* How often the list may shrink before the scan gets a page further. */
#define MAX_SETBACKS 5

/* Transfers of pages ahead are looked after once in so many rows. */
#define ROWS_PER_PUMP 64

static void
show_progress(XeroScanState *state)
{
	if (state->stats.progress == NULL)
		return;
	state->stats.progress->pages_done = state->stats.pages - (state->page.open ? 1 : 0);
	state->stats.progress->pages_total = state->stats.pages_total;
	state->stats.progress->rows = state->stats.rows;
	state->stats.progress->bytes_in = state->stats.calls.bytes_in;
}

/* Pages of all lists that have told, this number of the present one included. */
static int64
told_pages(const XeroScanState *state, int64 pages)
{
	int64		known = xero_pager_pages(state->page.org_scan->pager);

	return Max(state->stats.pages_total, 0) + pages - Max(known, 0);
}

/* The present page's envelope may have told how many pages the list has. */
static void
note_pages(XeroScanState *state, int64 pages)
{
	if (pages < 0)
		return;
	state->stats.pages_total = told_pages(state, pages);
	xero_pager_set_pages(state->page.org_scan->pager, pages);
}

/* Does the run take more pages than it may, as its last page shows? */
static bool
is_too_long(XeroScanState *state, int64 pages)
{
	XeroRun    *run = &state->run;

	if (run->most_pages == 0)
		return false;
	run->told = Max(run->pages, pages < 0 ? 0 : told_pages(state, pages));
	run->given_up = run->told > run->most_pages;
	return run->given_up;
}

/* It may have told how many records the list has. */
static void
note_records(XeroScanState *state, XeroOrgScan *org_scan, double records)
{
	if (records < 0)
		return;
	state->stats.records = Max(state->stats.records, 0) + records -
		Max(org_scan->counted, 0);
	org_scan->counted = records;
	xero_note_records(state, org_scan, records);
}

/*
 * The window begins behind the end of its list, says Xero.  It says the same
 * of a query that it does not understand, so make sure.
 */
static void
check_past_end(XeroScanState *state, XeroOrgScan *org_scan)
{
	const XeroObject *root = xero_root_object(state->spec.table->object);
	int64		before = (state->run.first_page - 1) *
	xero_pager_page_size(root, state->spec.page_size);
	XeroListCount list = {
		list_nth(state->run.requests, org_scan->request), org_scan,
		state->spec.sent
	};

	xero_count_lists(state, &list, 1);
	if (list.count < 0 || list.count > before)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Xero has no page %lld of foreign table \"%s\"",
						(long long) state->run.first_page, state->spec.table->name),
				 errdetail("It counts %lld records.",
						   (long long) list.count)));
}

/*
 * If pages were skipped, the page size must be the one that the offset was
 * computed with.
 */
static void
check_page_size(XeroScanState *state, int64 page_size)
{
	const XeroObject *root = xero_root_object(state->spec.table->object);
	int			asked = xero_pager_page_size(root, state->spec.page_size);

	if (state->run.first_page > 1 && page_size != asked)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Xero sent a page of foreign table \"%s\" of another size than it was asked for",
						state->spec.table->name),
				 errdetail("Pages of %d records were asked for; Xero says %lld.",
						   asked, (long long) page_size),
				 errhint("Set the table's option page_size to what Xero serves.")));
}

/* Open the next page; false at the end of the run. */
static bool
open_page(XeroScanState *state)
{
	XeroPage   *page = &state->page;
	XeroDecoder *decoder = &state->decoder;

	for (;;)
	{
		const XeroResponse *response;
		const XeroPageInfo *info;
		XeroOrgScan *org_scan;
		XeroRequest *request;

		CHECK_FOR_INTERRUPTS();
		org_scan = xero_next_response(state, &response);
		if (org_scan == NULL)
			return false;
		if (response->status == 404)
		{
			/* a single record that does not exist, or a page */
			if (state->run.first_page > 1)
				check_past_end(state, org_scan);
			xero_pager_end_page(org_scan->pager, 0, 0);
			continue;
		}

		request = list_nth(state->run.requests, org_scan->request);
		page->reader = decoder->parts && request->single &&
			!state->spec.table->object->below ?
			decoder->parts : decoder->reader;
		xero_reader_open(page->reader, response->body, response->len,
						 response->detail);
		xero_reader_check_list(page->reader);
		info = xero_reader_info(page->reader);
		if (info->page_size >= 0)
			check_page_size(state, info->page_size);
		state->stats.pages++;
		state->run.pages++;
		note_records(state, org_scan, info->item_count);
		if (is_too_long(state, info->page_count))
			return false;
		note_pages(state, info->page_count);
		page->open = true;
		show_progress(state);
		if (org_scan->dedup && org_scan->reread_page == 0)
			xero_dedup_next_page(org_scan->dedup);
		page->repeated = 0;
		page->last_record = 0;
		return true;
	}
}

/*
 * Decide which pages are read again, after a page whose response
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
plan_rereads(XeroScanState *state, XeroOrgScan *org_scan, double change)
{
	const XeroObject *root = xero_root_object(state->spec.table->object);
	int			size = xero_pager_page_size(root, state->spec.page_size);
	int64		furthest = xero_pager_page(org_scan->pager);
	int64		page = org_scan->reread_page > 0 ? org_scan->reread_page : furthest;
	int64		reach = Max(page - (int64) ceil(fabs(change) / Max(size, 1)),
							state->run.first_page);

	if (change < 0)
		org_scan->setbacks++;
	if (org_scan->setbacks > MAX_SETBACKS ||
		(change != 0 && furthest - reach >= XERO_DEDUP_PAGES))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("foreign table \"%s\" keeps changing while it is being read",
						state->spec.table->name),
				 errhint("Run the statement again.")));
	if (change < 0)
	{
		org_scan->reread_last = org_scan->reread_page > 0 ? furthest : furthest - 1;
		org_scan->reread_page = page > state->run.first_page ? reach : page + 1;
	}
	else if (org_scan->reread_page > 0)
		org_scan->reread_page++;

	if (org_scan->reread_page > org_scan->reread_last)
		org_scan->reread_page = 0;
	if (org_scan->reread_page > 0)
		xero_pager_reread(org_scan->pager, org_scan->reread_page);
}

/*
 * The page is consumed: check it against the ones before, and let the pager
 * know where the list goes on.
 */
static void
close_page(XeroScanState *state)
{
	XeroPage   *page = &state->page;
	XeroOrgScan *org_scan = page->org_scan;
	const XeroPageInfo *info = xero_reader_info(page->reader);
	int64		records = xero_reader_records(page->reader);
	double		items = info->item_count;
	double		change = items >= 0 && org_scan->items >= 0 ?
	items - org_scan->items : 0;

	page->open = false;
	if (((XeroRequest *) list_nth(state->run.requests, org_scan->request))->single)
		xero_reader_check_single(page->reader);
	else
		xero_reader_check_list(page->reader);
	if (records > 0)
		check_page_size(state, info->page_size);
	org_scan->records += records - page->repeated;

	if (org_scan->reread_page == 0)
	{
		if (records > 0 && page->repeated == records && change <= 0)
		{
			xero_note_records(state, org_scan, -1);
			ereport(ERROR,
					(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
					 errmsg("Xero sent the same page of foreign table \"%s\" again",
							state->spec.table->name),
					 errdetail("Page %lld holds no record that was not on the pages before.",
							   (long long) xero_pager_page(org_scan->pager))));
		}
		note_pages(state, info->page_count);
		xero_pager_end_page(org_scan->pager, records, org_scan->offset);
		org_scan->setbacks = 0;
	}

	note_records(state, org_scan, items);
	if (items >= 0)
	{
		if (org_scan->fewest_items < 0 || items < org_scan->fewest_items)
			org_scan->fewest_items = items;
		org_scan->items = items;
	}
	plan_rereads(state, org_scan, change);
	show_progress(state);
}

/*
 * Has the present row's record come before?  The rows of a child table are
 * several in succession of the same record.
 */
static bool
is_repeated(XeroScanState *state)
{
	XeroPage   *page = &state->page;
	XeroDecoder *decoder = &state->decoder;
	int64		record = xero_reader_records(page->reader);

	if (page->org_scan->dedup == NULL || decoder->nulls[decoder->key_field])
		return false;
	if (record == page->last_record)
		return page->last_repeated;

	page->last_record = record;
	page->last_repeated =
		!xero_dedup_add(page->org_scan->dedup,
						DatumGetUUIDP(decoder->values[decoder->key_field]));
	if (page->last_repeated)
		page->repeated++;
	return page->last_repeated;
}

/*
 * The key of the present record as it stands in a path.  What cannot be asked
 * for by itself is no record.
 */
static char *
present_key(XeroScanState *state)
{
	XeroDecoder *decoder = &state->decoder;
	const XeroField *field = &decoder->fields[decoder->key_field];

	if (decoder->nulls[decoder->key_field])
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Xero sent a record of foreign table \"%s\" without its key",
						state->spec.table->name),
				 errdetail("Record %lld of the page has no %s.",
						   (long long) xero_reader_records(state->page.reader),
						   field->path)));
	return xero_field_text(field, decoder->values[decoder->key_field]);
}

/* Columns that the list lacks; false if the record is gone. */
static bool
fill_detail(XeroScanState *state, TupleTableSlot *slot)
{
	XeroDecoder *decoder = &state->decoder;
	const char *key = present_key(state);
	const XeroResponse *response;

	if (!xero_detail_is_wanted(decoder->detail, decoder->values,
							   decoder->nulls, slot->tts_isnull))
		return true;
	MemoryContextReset(decoder->detail_cxt);
	response = xero_get_listed(state, decoder->detail_cxt, key);
	if (response == NULL)
		return false;
	xero_detail_fill(decoder->detail, response, key, decoder->values,
					 decoder->nulls, slot->tts_values, slot->tts_isnull);
	return true;
}

/*
 * The present fields as a row of the table; false if it is not to be returned,
 * because the record is gone or belongs to another request.
 */
static bool
fill_slot(XeroScanState *state, TupleTableSlot *slot)
{
	XeroDecoder *decoder = &state->decoder;
	XeroOrgScan *org_scan = state->page.org_scan;
	XeroRequest *request = list_nth(state->run.requests, org_scan->request);

	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < decoder->nfields; i++)
	{
		int			attno = decoder->attnos[i];

		if (attno == 0)
			continue;
		slot->tts_values[attno - 1] = decoder->values[i];
		slot->tts_isnull[attno - 1] = decoder->nulls[i];
	}
	if (request->owner_attno &&
		(slot->tts_isnull[request->owner_attno - 1] ||
		 !xero_request_owns(request, slot->tts_values[request->owner_attno - 1])))
		return false;
	if (decoder->tenant_attno)
	{
		slot->tts_values[decoder->tenant_attno - 1] = org_scan->tenant;
		slot->tts_isnull[decoder->tenant_attno - 1] = false;
	}
	if (request->single && decoder->key_field >= 0)
		xero_check_asked_for(state->spec.table->name,
							 &decoder->fields[decoder->key_field],
							 strrchr(request->path, '/') + 1,
							 decoder->values[decoder->key_field],
							 decoder->nulls[decoder->key_field]);
	if (decoder->detail && request->single)
		xero_detail_mask(decoder->detail, decoder->values, decoder->nulls,
						 slot->tts_isnull);
	else if (decoder->detail)
		return fill_detail(state, slot);
	return true;
}

/* Does the present record's own flag say that it may have rows? */
static bool
has_parts(const XeroScanState *state)
{
	const XeroDecoder *decoder = &state->decoder;

	return decoder->part_flag < 0 ||
		(!decoder->nulls[decoder->part_flag] &&
		 DatumGetBool(decoder->values[decoder->part_flag]));
}

/* The fields that are the present record's own outlast the rows of its part. */
static void
keep_record(XeroDecoder *decoder)
{
	MemoryContext old = MemoryContextSwitchTo(decoder->part_cxt);

	for (int i = 0; i < decoder->nfields; i++)
	{
		int16		len;
		bool		byval;

		if (!decoder->fields[i].from_parent || decoder->nulls[i])
			continue;
		get_typlenbyval(decoder->fields[i].type, &len, &byval);
		decoder->values[i] = datumCopy(decoder->values[i], byval, len);
	}
	MemoryContextSwitchTo(old);
}

/* Ask for the present record by itself, for the rows that the list lacks. */
static void
open_part(XeroScanState *state)
{
	XeroDecoder *decoder = &state->decoder;
	const XeroResponse *response;

	MemoryContextReset(decoder->part_cxt);
	response = xero_get_listed(state, decoder->part_cxt, present_key(state));
	if (response == NULL)
		return;
	xero_reader_open(decoder->parts, response->body, response->len,
					 response->detail);
	if (state->spec.table->object->below)
	{
		xero_reader_check_list(decoder->parts);
		keep_record(decoder);
	}
	state->page.part_open = true;
}

/* The next row of the present part; false at its end. */
static bool
read_part(XeroScanState *state)
{
	XeroDecoder *decoder = &state->decoder;

	if (!state->spec.table->object->below)
	{
		if (xero_reader_next(decoder->parts, decoder->values, decoder->nulls))
			return true;
		xero_reader_check_single(decoder->parts);
		return false;
	}
	if (!xero_reader_next(decoder->parts, decoder->part_values,
						  decoder->part_nulls))
	{
		xero_reader_check_list(decoder->parts);
		return false;
	}
	for (int i = 0; i < decoder->npart_fields; i++)
	{
		decoder->values[decoder->part_fields[i]] = decoder->part_values[i];
		decoder->nulls[decoder->part_fields[i]] = decoder->part_nulls[i];
	}
	return true;
}

/* The row itself, behind its columns. */
static void
fill_whole_row(XeroScanState *state, TupleTableSlot *slot)
{
	int			natts = state->spec.whole_row->natts;
	HeapTuple	tuple = heap_form_tuple(state->spec.whole_row, slot->tts_values,
										slot->tts_isnull);

	slot->tts_values[natts] = HeapTupleGetDatum(tuple);
	slot->tts_isnull[natts] = false;
}

/*
 * Does OFFSET pass over the present record?  Asked before its columns are
 * completed, which may take a call, and again after it has turned out to be a
 * row, where that is not certain before.
 */
static bool
pass_over(XeroScanState *state, bool early)
{
	XeroRequest *request = list_nth(state->run.requests, state->page.org_scan->request);

	if (state->run.skip == 0 || early != (request->owner_attno == 0))
		return false;
	state->run.skip--;
	return true;
}

/* The next row of any organisation into the slot's arrays; false at the end. */
static bool
fetch_row(XeroScanState *state, TupleTableSlot *slot)
{
	XeroPage   *page = &state->page;
	XeroDecoder *decoder = &state->decoder;

	if (state->run.returned == state->spec.window.rows)
		return false;
	for (;;)
	{
		if (!page->open && !open_page(state))
			return false;
		if (page->part_open)
		{
			page->part_open = read_part(state);
			if (!page->part_open)
				continue;
		}
		else if (!xero_reader_next(page->reader, decoder->values, decoder->nulls))
		{
			close_page(state);
			continue;
		}
		if (decoder->offset_field >= 0 && !decoder->nulls[decoder->offset_field])
			page->org_scan->offset = DatumGetInt32(decoder->values[decoder->offset_field]);
		if (!page->part_open)
		{
			if (is_repeated(state) || !has_parts(state) ||
				pass_over(state, true))
				continue;
			if (decoder->parts && page->reader != decoder->parts)
			{
				open_part(state);
				continue;
			}
		}
		if (!fill_slot(state, slot) || pass_over(state, false))
			continue;
		if (state->spec.whole_row)
			fill_whole_row(state, slot);
		if (state->stats.rows++ % ROWS_PER_PUMP == 0)
			xero_call_pump();
		page->org_scan->rows++;
		state->run.returned++;
		return true;
	}
}

bool
xero_fetch_row(XeroScanState *state, TupleTableSlot *slot)
{
	ErrorContextCallback context;
	bool		found;

	xero_push_org_scan_context(state, &context);
	found = fetch_row(state, slot);
	error_context_stack = context.previous;
	return found;
}
