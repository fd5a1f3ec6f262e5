/*-------------------------------------------------------------------------
 *
 * tenant.c
 *	  Which organisations a server stands for.
 *
 * Each call to Xero names the organisation it is for.  A server whose options
 * do not say stands for all that its credentials are connected to; Xero is
 * asked for them once a backend, so that all scans of a session agree.  The
 * answers are kept by user mapping, each in a memory context of its own that
 * lives as long as the backend, and forgotten when a server or a user mapping
 * changes.  That may happen during any call, so nobody is given a pointer to
 * what is kept, but copies.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/tenant.h"

#include "api/document.h"
#include "api/failure.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* So many organisations are asked for their countries at once. */
#define COUNTRIES_AT_ONCE 20

typedef struct TenantEntry
{
	Oid			umid;			/* hash key */
	MemoryContext cxt;			/* owns the list */
	XeroOrg    *list;			/* sorted by id */
	int			count;
} TenantEntry;

static HTAB *tenants = NULL;

static void
forget_tenants(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	TenantEntry *entry;

	hash_seq_init(&status, tenants);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		MemoryContextDelete(entry->cxt);
		hash_search(tenants, &entry->umid, HASH_REMOVE, NULL);
	}
}

static void
init_tenants(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(TenantEntry);
	tenants = hash_create("xero_fdw organisations", 8, &ctl,
						  HASH_ELEM | HASH_BLOBS);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, forget_tenants, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, forget_tenants, (Datum) 0);
}

static TenantEntry *
find_tenants(Oid umid)
{
	return tenants == NULL ? NULL :
		hash_search(tenants, &umid, HASH_FIND, NULL);
}

static int
compare_organisations(const void *a, const void *b)
{
	return memcmp(&((const XeroOrg *) a)->id,
				  &((const XeroOrg *) b)->id, sizeof(pg_uuid_t));
}

static void
set_id(XeroOrg *organisation, const char *tenant_id)
{
	organisation->tenant_id = pstrdup(tenant_id);
	organisation->id = *DatumGetUUIDP(DirectFunctionCall1(uuid_in,
														  CStringGetDatum(tenant_id)));
}

/* Copies in the current memory context. */
static XeroOrg *
copy_list(const XeroOrg *list, int count)
{
	XeroOrg    *copy = palloc(sizeof(XeroOrg) * count);

	for (int i = 0; i < count; i++)
	{
		copy[i] = list[i];
		copy[i].tenant_id = pstrdup(list[i].tenant_id);
		copy[i].name = pstrdup(list[i].name);
	}
	return copy;
}

/*
 * What the answer of /connections says, sorted, each organisation once.
 * Returns their number, -1 if it is no such answer.
 */
static int
read_connections(const XeroResponse *response, XeroOrg **list)
{
	int			found = xero_parse_organisations(response->body,
												 response->len, NULL, 0);
	XeroOrganisation *connections;
	int			norgs = 0;
	int			count = 0;

	if (found <= 0)
		return found;
	connections = palloc(sizeof(XeroOrganisation) * found);
	(void) xero_parse_organisations(response->body, response->len,
									connections, found);
	*list = palloc0(sizeof(XeroOrg) * found);
	for (int i = 0; i < found; i++)
	{
		XeroOrg    *org = &(*list)[norgs];

		/* practices have connections, too, but no accounts */
		if (strcmp(connections[i].tenant_type, "ORGANISATION") != 0)
			continue;
		set_id(org, connections[i].tenant_id);
		org->name = xero_clean_text(connections[i].name,
									strlen(connections[i].name),
									sizeof(connections[i].name));
		norgs++;
	}
	qsort(*list, norgs, sizeof(XeroOrg), compare_organisations);
	for (int i = 0; i < norgs; i++)
	{
		if (count == 0 ||
			compare_organisations(&(*list)[count - 1], &(*list)[i]) != 0)
			(*list)[count++] = (*list)[i];
	}
	return count;
}

/* Ask Xero for the organisations that are connected. */
static int
ask_tenants(const XeroServer *server, XeroOrg **list)
{
	XeroCallSpec spec = {0};
	XeroCall   *call;
	const XeroResponse *response;
	int			count;

	spec.method = "GET";
	spec.path = "/connections";
	spec.query = "";
	call = xero_call_begin(CurrentMemoryContext, server, &spec);
	response = xero_call_finish(call);
	count = read_connections(response, list);
	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("could not read the list of organisations that server \"%s\" is connected to",
						server->name),
				 errdetail("%s.", response->detail)));
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("server \"%s\" is connected to no organisation", server->name),
				 errhint("Connect the app to an organisation in Xero.")));
	xero_call_free(call);
	return count;
}

static void
keep_tenants(Oid umid, const XeroOrg *list, int count)
{
	MemoryContext cxt = AllocSetContextCreate(TopMemoryContext,
											  "Xero organisations",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	XeroOrg    *copy = copy_list(list, count);
	TenantEntry *entry;
	bool		found;

	MemoryContextSwitchTo(old);
	entry = hash_search(tenants, &umid, HASH_ENTER, &found);
	if (found)
		MemoryContextDelete(entry->cxt);
	entry->cxt = cxt;
	entry->list = copy;
	entry->count = count;
}

int
xero_organisations(const XeroServer *server, XeroOrg **list)
{
	int			count;

	if (server->tenant_id != NULL)
	{
		*list = palloc0(sizeof(XeroOrg));
		set_id(*list, server->tenant_id);
		return 1;
	}
	count = xero_known_organisations(server->umid, list);
	if (count >= 0)
		return count;
	if (tenants == NULL)
		init_tenants();
	count = ask_tenants(server, list);
	keep_tenants(server->umid, *list, count);
	return count;
}

int
xero_known_organisations(Oid umid, XeroOrg **list)
{
	TenantEntry *entry = find_tenants(umid);

	if (entry == NULL)
		return -1;
	*list = copy_list(entry->list, entry->count);
	return entry->count;
}

/* The countries become known to the scans to come, too. */
static void
keep_country(Oid umid, const XeroOrg *organisation)
{
	TenantEntry *entry = find_tenants(umid);
	XeroOrg    *kept = entry == NULL ? NULL :
	bsearch(organisation, entry->list, entry->count,
			sizeof(XeroOrg), compare_organisations);

	if (kept != NULL)
		strlcpy(kept->country, organisation->country, sizeof(kept->country));
}

static void
read_country(const XeroServer *server, XeroOrg *organisation,
			 const XeroResponse *response)
{
	if (!xero_parse_country(response->body, response->len,
							organisation->country, XERO_COUNTRY_SIZE) ||
		organisation->country[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("could not read the country of organisation \"%s\" (%s)",
						organisation->name, organisation->tenant_id),
				 errdetail("%s.", response->detail)));
	keep_country(server->umid, organisation);
}

void
xero_learn_countries(const XeroServer *server, XeroOrg **organisations,
					 int count, XeroCallStats *stats)
{
	XeroCall   *calls[COUNTRIES_AT_ONCE];
	XeroOrg    *asked[COUNTRIES_AT_ONCE];
	int			next = 0;

	while (next < count)
	{
		int			ncalls = 0;

		for (; next < count && ncalls < COUNTRIES_AT_ONCE; next++)
		{
			XeroServer	one = *server;
			XeroCallSpec spec = {0};

			if (organisations[next]->country[0] != '\0')
				continue;
			xero_speak_for(&one, organisations[next]);
			spec.method = "GET";
			spec.path = "/api.xro/2.0/Organisation";
			spec.query = "";
			spec.stats = stats;
			asked[ncalls] = organisations[next];
			calls[ncalls++] = xero_call_begin(CurrentMemoryContext, &one, &spec);
		}
		for (int i = 0; i < ncalls; i++)
		{
			read_country(server, asked[i], xero_call_finish(calls[i]));
			xero_call_free(calls[i]);
		}
	}
}

void
xero_speak_for(XeroServer *server, const XeroOrg *organisation)
{
	server->tenant_id = organisation->tenant_id;
	server->tenant_name = organisation->name;
}
