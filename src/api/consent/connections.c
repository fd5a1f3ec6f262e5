/*-------------------------------------------------------------------------
 *
 * connections.c
 *	  Which organisations Xero says that a token reaches.
 *
 * GET /connections tells what there is, and not what there was: of an
 * organisation that was disconnected it says nothing, and a union over the
 * rest would be a shorter result that nobody notices.  So the list is stored,
 * and what is missing from a later one stays in it, marked as lost, until
 * somebody has accepted that it is gone.
 *
 * A token that a user mapping has ready-made is compared with nothing: it may
 * be anybody's, and the next one somebody else's.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/call/call.h"
#include "api/consent/connections.h"
#include "api/consent/store.h"
#include "api/report/failure.h"
#include "base/uuid.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* In the database's encoding, as much as there is room for. */
static void
clean(char *text, size_t size)
{
	const char *cleaned = xero_clean_text(text, strlen(text), size - 1);

	strlcpy(text, cleaned,
			pg_mbcliplen(cleaned, strlen(cleaned), (int) size - 1) + 1);
}

/* As Xero writes one; uuid_in() would accept more, and raise on the rest. */
static bool
is_uuid(const char *text)
{
	if (strlen(text) != 36 ||
		strspn(text, "0123456789abcdefABCDEF-") != 36)
		return false;
	for (int i = 0; i < 36; i++)
	{
		if ((text[i] == '-') != (i == 8 || i == 13 || i == 18 || i == 23))
			return false;
	}
	return true;
}

pg_noreturn static void
report_unreadable(const XeroServer *server, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("could not read the list of organisations that server \"%s\" is connected to",
					server->name),
			 errdetail_internal("%s", detail)));
}

/* What is in the document, made fit for use. */
static void
settle(XeroOrganisation *organisation)
{
	organisation->id =
		*DatumGetUUIDP(DirectFunctionCall1(uuid_in,
										   CStringGetDatum(organisation->tenant_id)));
	clean(organisation->name, sizeof(organisation->name));
	clean(organisation->tenant_type, sizeof(organisation->tenant_type));
}

int
xero_ask_connections(const XeroServer *server, XeroOrganisation **list)
{
	XeroCallSpec spec = {0};
	XeroCall   *call;
	const XeroResponse *response;
	int			found;
	int			count = 0;

	spec.method = "GET";
	spec.path = "/connections";
	spec.query = "";
	call = xero_call_begin(CurrentMemoryContext, server, &spec);
	response = xero_call_finish(call);
	found = xero_parse_organisations(response->body, response->len, NULL, 0);
	if (found < 0)
		report_unreadable(server, psprintf("%s.", response->detail));
	*list = palloc0(sizeof(XeroOrganisation) * Max(found, 1));
	(void) xero_parse_organisations(response->body, response->len, *list,
									found);
	xero_call_free(call);

	for (int i = 0; i < found; i++)
	{
		if (!is_uuid((*list)[i].tenant_id))
			report_unreadable(server,
							  psprintf("The tenantId of connection %d is not a uuid.",
									   i + 1));
		settle(&(*list)[i]);
	}
	qsort(*list, found, sizeof(XeroOrganisation), xero_compare_uuids);
	for (int i = 0; i < found; i++)
	{
		if (count == 0 || xero_compare_uuids(&(*list)[count - 1], &(*list)[i]) != 0)
			(*list)[count++] = (*list)[i];
	}
	return count;
}

char *
xero_connection_path(const XeroServer *server,
					 const XeroOrganisation *organisation)
{
	if (!is_uuid(organisation->connection_id))
		report_unreadable(server,
						  psprintf("The id of the connection to %s is not a uuid.",
								   organisation->tenant_id));
	return psprintf("/connections/%s", organisation->connection_id);
}

int
xero_end_connection(const XeroServer *server, const char *path)
{
	XeroCallSpec spec = {0};
	XeroCall   *call;
	int			status;

	spec.method = "DELETE";
	spec.path = path;
	spec.query = "";
	spec.missing_ok = true;
	spec.unaudited = true;
	call = xero_call_begin(CurrentMemoryContext, server, &spec);
	status = xero_call_finish(call)->status;
	xero_call_free(call);
	return status;
}

static bool
same_lists(const XeroOrganisation *a, const XeroOrganisation *b, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (xero_compare_uuids(&a[i], &b[i]) != 0 || a[i].lost != b[i].lost ||
			strcmp(a[i].name, b[i].name) != 0 ||
			strcmp(a[i].tenant_type, b[i].tenant_type) != 0)
			return false;
	}
	return true;
}

int
xero_add_lost_connections(const XeroServer *server, XeroOrganisation **list,
						  int count, bool *changed)
{
	XeroOrganisation *stored;
	int			nstored = xero_store_known(server, &stored);
	XeroOrganisation *all = palloc(sizeof(XeroOrganisation) *
								   Max(count + nstored, 1));
	int			total = count;

	memcpy(all, *list, sizeof(XeroOrganisation) * count);
	for (int i = 0; i < nstored && server->access_token == NULL; i++)
	{
		if (bsearch(&stored[i], *list, count, sizeof(XeroOrganisation),
					xero_compare_uuids) != NULL)
			continue;
		all[total] = stored[i];
		all[total++].lost = true;
	}
	qsort(all, total, sizeof(XeroOrganisation), xero_compare_uuids);
	*changed = total != nstored || !same_lists(all, stored, total);
	*list = all;
	return total;
}
