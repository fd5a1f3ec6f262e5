/*-------------------------------------------------------------------------
 *
 * record_count.c
 *	  How many records lists have, as Xero tells.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "utils/hsearch.h"

/* No list has more, and the sum of some still is a number. */
#define MAX_RECORDS INT64CONST(1000000000000)

/* How many records the last scan of a foreign table was told of. */
typedef struct ListSize
{
	Oid			relid;			/* hash key */
	double		records;		/* -1: not known */
} ListSize;

static HTAB *list_sizes = NULL; /* for the life of the backend */

void
xero_note_records(XeroScanState *state, const XeroOrgScan *org_scan,
				  double records)
{
	if (xero_sends_whole_lists(state->spec.sent))
		xero_remember_records(state->spec.table->relid, &org_scan->organisation->id,
							  records);
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

/*
 * The number of records of one list; -1 if Xero does not tell, or cannot be
 * right.
 */
static int64
read_count(XeroScanState *state, XeroOrgScan *org_scan, const XeroRequest *request,
		   XeroPager *pager)
{
	XeroDecoder *decoder = &state->decoder;
	const XeroResponse *response = xero_pager_next(pager);
	const XeroPageInfo *info;

	if (response->status == 404)
		return 0;
	xero_reader_open(decoder->reader, response->body, response->len,
					 response->detail);
	while (xero_reader_next(decoder->reader, decoder->values, decoder->nulls))
		;
	state->stats.pages++;
	if (request->single)
	{
		xero_reader_check_single(decoder->reader);
		return xero_reader_records(decoder->reader);
	}
	xero_reader_check_list(decoder->reader);
	info = xero_reader_info(decoder->reader);
	if (!is_believable(info->item_count, xero_reader_records(decoder->reader)))
		return -1;
	xero_note_records(state, org_scan, info->item_count);
	return info->item_count;
}

int64
xero_count_lists(XeroScanState *state, const XeroRequest *request,
				 XeroOrgScan *org_scans, int norg_scans)
{
	XeroPager  *pagers[XERO_MAX_ORG_SCANS];
	XeroCall   *calls[XERO_MAX_ORG_SCANS];
	int			asked[XERO_MAX_ORG_SCANS];
	int64		total = 0;

	for (int i = 0; i < norg_scans; i++)
	{
		pagers[i] = xero_org_scan_pager(state, &org_scans[i], request, 1, 1);
		xero_pager_start(pagers[i]);
		calls[i] = xero_pager_request(pagers[i]);
		asked[i] = i;
	}
	while (norg_scans > 0 && total >= 0)
	{
		int			i = xero_call_wait(calls, norg_scans);
		int64		n;

		state->page.org_scan = &org_scans[asked[i]];
		n = read_count(state, state->page.org_scan, request, pagers[i]);
		total = n < 0 ? n : total + n;
		xero_pager_free(pagers[i]);

		norg_scans--;
		pagers[i] = pagers[norg_scans];
		calls[i] = calls[norg_scans];
		asked[i] = asked[norg_scans];
	}
	while (norg_scans > 0)
		xero_pager_free(pagers[--norg_scans]);
	return total;
}
