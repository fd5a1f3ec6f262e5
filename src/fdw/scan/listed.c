/*-------------------------------------------------------------------------
 *
 * listed.c
 *	  A record that a list has shown, by itself; or the list below it.
 *
 * Xero's 404 may say that a record was deleted since the list was read, and
 * then it is no row.  But it says the same at times of a record that is there,
 * and of one that is only in the list.  So it is believed when it comes twice
 * and the list, read again, has the record no more.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* Where the record is, or what the table's rows are made of. */
static char *
record_path(const XeroScanState *state, const char *key)
{
	const XeroObject *object = state->spec.table->object;
	const XeroObject *root = xero_root_object(object);

	return psprintf("%s/%s/%s%s%s", root->api->base, xero_object_path(root), key,
					object->below ? "/" : "",
					object->below ? object->array : "");
}

static const XeroResponse *
get_record(XeroScanState *state, MemoryContext mcxt, const char *key)
{
	const XeroObject *root = xero_root_object(state->spec.table->object);
	XeroCallSpec spec = {0};

	spec.method = "GET";
	spec.path = record_path(state, key);
	spec.query = root->has_unitdp ? "unitdp=4" : "";
	spec.missing_ok = true;
	spec.stats = &state->stats.calls;
	return xero_call_finish(xero_call_begin(mcxt,
											&state->page.org_scan->server,
											&spec));
}

/* Has the page the record?  It is read to its end. */
static bool
page_has(XeroReader *reader, const XeroField *field, const char *key,
		 const XeroResponse *response)
{
	Datum		value;
	bool		isnull;
	bool		found = false;

	xero_reader_open(reader, response->body, response->len, response->detail);
	while (xero_reader_next(reader, &value, &isnull))
	{
		if (!isnull && pg_strcasecmp(xero_field_text(field, value), key) == 0)
			found = true;
	}
	xero_reader_check_list(reader);
	return found;
}

/* Has the list that the present page is of the record? */
static bool
list_has(XeroScanState *state, const char *key)
{
	const XeroField *field = &state->decoder.fields[state->decoder.key_field];
	const XeroObject *root = xero_root_object(state->spec.table->object);
	XeroOrgScan *org_scan = state->page.org_scan;
	XeroPager  *pager = xero_org_scan_pager(state, org_scan,
											list_nth(state->run.requests,
													 org_scan->request), 1, 1, NULL);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "Xero list read again",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	XeroReader *reader = xero_reader_create(cxt, state->spec.table->name,
											root->wrapper, NULL, field, 1, 0);
	const XeroResponse *response;
	bool		found = false;

	/* no object by offset has columns or rows that its list lacks */
	Assert(root->paging != XERO_PAGING_OFFSET);
	while (!found && (response = xero_pager_next(pager)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (response->status == 404)
			break;				/* one record, that was asked for by its key */
		found = page_has(reader, field, key, response);
		xero_pager_set_pages(pager, xero_reader_info(reader)->page_count);
		xero_pager_end_page(pager, xero_reader_records(reader), 0);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
	xero_pager_free(pager);
	return found;
}

const XeroResponse *
xero_get_listed(XeroScanState *state, MemoryContext mcxt, const char *key)
{
	for (int i = 0; i < 2; i++)
	{
		const XeroResponse *response = get_record(state, mcxt, key);

		if (response->status != 404)
			return response;
	}
	if (list_has(state, key))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Xero lists a record of foreign table \"%s\" and does not find it",
						state->spec.table->name),
				 errdetail("GET %s was answered with status 404 twice, and the list has it still.",
						   record_path(state, key)),
				 errhint("Run the statement again, or exclude the record by a condition.")));
	return NULL;
}
