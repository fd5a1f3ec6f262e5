/*-------------------------------------------------------------------------
 *
 * record_count.c
 *	  How many records lists have, as Xero tells.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "api/budget/item_counts.h"

#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

/* No list has more, and the sum of some still is a number. */
#define MAX_RECORDS INT64CONST(1000000000000)

/* How many records the last scan of a foreign table was told of. */
typedef struct ListSize
{
	Oid			relid;			/* hash key */
	double		records;		/* -1: not known */
} ListSize;

static HTAB *list_sizes = NULL; /* for the life of the backend */

static void
note_records(const XeroScanState *state, List *sent,
			 const XeroOrgScan *org_scan, double records)
{
	if (xero_sends_whole_lists(sent))
		xero_note_item_count(&org_scan->server,
							 xero_root_object(state->spec.table->object),
							 state->spec.table->include_archived, records);
}

void
xero_note_records(XeroScanState *state, const XeroOrgScan *org_scan,
				  double records)
{
	note_records(state, state->spec.sent, org_scan, records);
}

void
xero_note_list_size(const XeroScanState *state)
{
	ListSize   *entry;

	if (list_sizes == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(ListSize);
		list_sizes = hash_create("xero_fdw list sizes", 32, &ctl,
								 HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(list_sizes, &state->spec.table->relid, HASH_ENTER,
						NULL);
	entry->records = state->started ? state->stats.records : -1;
}

double
xero_list_size(Oid relid)
{
	ListSize   *entry = NULL;

	if (list_sizes != NULL)
		entry = hash_search(list_sizes, &relid, HASH_FIND, NULL);
	return entry ? entry->records : -1;
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

/* The value that the present record has in the list's column. */
static void
take_first(const XeroDecoder *decoder, XeroListCount *list)
{
	const XeroField *field = decoder->fields;

	for (int i = 0; i < decoder->nfields; i++, field++)
	{
		if (decoder->attnos[i] != list->attno || decoder->nulls[i])
			continue;
		list->first.found = true;
		list->first.type = field->type;
		list->first.value = datumCopy(decoder->values[i], get_typbyval(field->type),
									  get_typlen(field->type));
	}
}

/*
 * The number of records of one list; -1 if Xero does not tell, or cannot be
 * right.
 */
static int64
read_count(XeroScanState *state, XeroListCount *list, XeroPager *pager)
{
	XeroDecoder *decoder = &state->decoder;
	const XeroResponse *response = xero_pager_next(pager);
	const XeroPageInfo *info;

	list->first.found = false;
	if (response->status == 404)
		return 0;
	xero_reader_open(decoder->reader, response->body, response->len,
					 response->detail);
	for (bool first = list->attno != 0;
		 xero_reader_next(decoder->reader, decoder->values, decoder->nulls);
		 first = false)
	{
		if (first)
			take_first(decoder, list);
	}
	state->stats.pages++;
	if (list->request->single)
	{
		xero_reader_check_single(decoder->reader);
		return xero_reader_records(decoder->reader);
	}
	xero_reader_check_list(decoder->reader);
	info = xero_reader_info(decoder->reader);
	if (!is_believable(info->item_count, xero_reader_records(decoder->reader)))
		return -1;
	note_records(state, list->sent, list->org_scan, info->item_count);
	return info->item_count;
}

void
xero_count_lists(XeroScanState *state, XeroListCount *lists, int nlists)
{
	XeroPager  *pagers[XERO_MAX_ORG_SCANS];
	XeroCall   *calls[XERO_MAX_ORG_SCANS];
	XeroListCount *asked[XERO_MAX_ORG_SCANS];

	for (int i = 0; i < nlists; i++)
	{
		pagers[i] = xero_org_scan_pager(state, lists[i].org_scan,
										lists[i].request, 1, 1, NULL);
		xero_pager_start(pagers[i]);
		calls[i] = xero_pager_request(pagers[i]);
		asked[i] = &lists[i];
	}
	while (nlists > 0)
	{
		int			i = xero_call_wait(calls, nlists);

		state->page.org_scan = asked[i]->org_scan;
		asked[i]->count = read_count(state, asked[i], pagers[i]);
		xero_pager_free(pagers[i]);

		nlists--;
		pagers[i] = pagers[nlists];
		calls[i] = calls[nlists];
		asked[i] = asked[nlists];
	}
}
