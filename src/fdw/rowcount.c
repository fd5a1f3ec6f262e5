/*-------------------------------------------------------------------------
 *
 * rowcount.c
 *	  How many records lists have: asked, and remembered.
 *
 * Planning must not cost a call, so the planner works with what earlier
 * scans of this session learned from Xero's item counts.  One number a table
 * and organisation, kept for the life of the backend.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan.h"

#include "utils/hsearch.h"

/* No list has more, and the sum of some still is a number. */
#define MAX_RECORDS INT64CONST(1000000000000)

typedef struct RowCountKey
{
	Oid			relid;
	pg_uuid_t	tenant;
} RowCountKey;

typedef struct RowCount
{
	RowCountKey key;
	double		records;
} RowCount;

static HTAB *row_counts = NULL;

/* The number of records, not of child rows, when no condition was sent. */
static void
remember_records(Oid relid, const pg_uuid_t *tenant, double records)
{
	RowCountKey key;
	RowCount   *entry;

	memset(&key, 0, sizeof(key));
	key.relid = relid;
	key.tenant = *tenant;

	if (row_counts == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(RowCountKey);
		ctl.entrysize = sizeof(RowCount);
		row_counts = hash_create("xero_fdw row counts", 32, &ctl,
								 HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(row_counts, &key, HASH_ENTER, NULL);
	entry->records = records;
}

void
xero_note_records(XeroScanState *state, const XeroStream *stream,
				  double records)
{
	if (xero_sends_whole_lists(state->sent))
		remember_records(state->table->relid, &stream->organisation->id,
						 records);
}

/* Of one organisation, on average; -1 if nothing is known. */
double
xero_remembered_records(Oid relid)
{
	HASH_SEQ_STATUS status;
	RowCount   *entry;
	double		records = 0;
	int			known = 0;

	if (row_counts == NULL)
		return -1;
	hash_seq_init(&status, row_counts);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->key.relid != relid)
			continue;
		records += entry->records;
		known++;
	}
	return known > 0 ? records / known : -1;
}

/*
 * Can a list of so many records, as Xero counts, have this first page?  If not,
 * they are counted here.
 */
static bool
is_believable(int64 items, int64 records)
{
	return items >= records && items <= MAX_RECORDS &&
		(items == 0 || records > 0);
}

/*
 * The number of records of one list; -1 if Xero does not tell, or cannot be
 * right.
 */
static int64
read_count(XeroScanState *state, XeroStream *stream, const XeroTarget *target,
		   XeroPager *pager)
{
	const XeroResponse *response = xero_pager_next(pager);
	const XeroPageInfo *info;

	if (response->status == 404)
		return 0;
	xero_reader_open(state->reader, response->body, response->len,
					 response->detail);
	while (xero_reader_next(state->reader, state->values, state->nulls))
		;
	state->pages++;
	if (target->single)
	{
		xero_reader_check_single(state->reader);
		return xero_reader_records(state->reader);
	}
	info = xero_reader_info(state->reader);
	if (!is_believable(info->item_count, xero_reader_records(state->reader)))
		return -1;
	xero_note_records(state, stream, info->item_count);
	return info->item_count;
}

int64
xero_count_lists(XeroScanState *state, const XeroTarget *target,
				 XeroStream *streams, int nstreams)
{
	XeroPager  *pagers[XERO_MAX_STREAMS];
	XeroCall   *calls[XERO_MAX_STREAMS];
	int			asked[XERO_MAX_STREAMS];
	int64		total = 0;

	for (int i = 0; i < nstreams; i++)
	{
		pagers[i] = xero_stream_pager(state, &streams[i], target, 1, 1);
		xero_pager_start(pagers[i]);
		calls[i] = xero_pager_request(pagers[i]);
		asked[i] = i;
	}
	while (nstreams > 0 && total >= 0)
	{
		int			i = xero_call_await(calls, nstreams);
		int64		n;

		state->stream = &streams[asked[i]];
		n = read_count(state, state->stream, target, pagers[i]);
		total = n < 0 ? n : total + n;
		xero_pager_free(pagers[i]);

		nstreams--;
		pagers[i] = pagers[nstreams];
		calls[i] = calls[nstreams];
		asked[i] = asked[nstreams];
	}
	while (nstreams > 0)
		xero_pager_free(pagers[--nstreams]);
	return total;
}
