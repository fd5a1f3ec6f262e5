/*-------------------------------------------------------------------------
 *
 * organisations.c
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

#include "api/consent/organisations.h"

#include "api/consent/connections.h"
#include "api/consent/store.h"
#include "base/uuid.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* So many organisations are asked for their countries at once. */
#define COUNTRIES_AT_ONCE 20

typedef struct KnownList
{
	Oid			umid;			/* hash key */
	MemoryContext cxt;			/* owns the list */
	XeroOrganisation *list;		/* sorted by id */
	int			count;
} KnownList;

static HTAB *known_lists = NULL;

/* How often all were forgotten. */
static uint64 changes = 0;

static void
forget_one(Oid umid)
{
	KnownList  *known = known_lists == NULL ? NULL :
	hash_search(known_lists, &umid, HASH_REMOVE, NULL);

	if (known != NULL)
		MemoryContextDelete(known->cxt);
}

static void
forget_all(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	KnownList  *known;

	changes++;
	hash_seq_init(&status, known_lists);
	while ((known = hash_seq_search(&status)) != NULL)
		forget_one(known->umid);
}

static void
init_lists(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(KnownList);
	known_lists = hash_create("xero_fdw organisations", 8, &ctl,
							  HASH_ELEM | HASH_BLOBS);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, forget_all, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, forget_all, (Datum) 0);
}

static KnownList *
find_list(Oid umid)
{
	return known_lists == NULL ? NULL :
		hash_search(known_lists, &umid, HASH_FIND, NULL);
}

/* As uuid spells it, whichever way an option does. */
static void
set_id(XeroOrganisation *organisation, const char *tenant_id)
{
	Datum		id = DirectFunctionCall1(uuid_in, CStringGetDatum(tenant_id));

	organisation->id = *DatumGetUUIDP(id);
	strlcpy(organisation->tenant_id,
			DatumGetCString(DirectFunctionCall1(uuid_out, id)),
			sizeof(organisation->tenant_id));
}

/* Copies in the current memory context. */
static XeroOrganisation *
copy_list(const XeroOrganisation *list, int count)
{
	XeroOrganisation *copy = palloc(sizeof(XeroOrganisation) * count);

	memcpy(copy, list, sizeof(XeroOrganisation) * count);
	return copy;
}

/* Practices have connections, too, but no accounts. */
static int
drop_practices(XeroOrganisation *list, int count)
{
	int			left = 0;

	for (int i = 0; i < count; i++)
	{
		if (strcmp(list[i].tenant_type, "ORGANISATION") == 0)
			list[left++] = list[i];
	}
	return left;
}

/*
 * Ask Xero for the organisations that are connected.  The list of a consent is
 * stored by the worker, with the consent; that of other credentials here.
 */
static int
ask_organisations(const XeroServer *server, XeroOrganisation **list)
{
	int			count = xero_ask_connections(server, list);
	bool		changed;

	count = xero_add_lost_connections(server, list, count, &changed);
	if (changed && !xero_needs_consent(server))
		xero_store_note(server, *list, count);
	count = drop_practices(*list, count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("server \"%s\" is connected to no organisation", server->name),
				 errhint("Connect the app to an organisation in Xero.")));
	return count;
}

static void
keep_organisations(Oid umid, const XeroOrganisation *list, int count)
{
	MemoryContext cxt = AllocSetContextCreate(TopMemoryContext,
											  "Xero organisations",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	XeroOrganisation *copy = copy_list(list, count);
	KnownList  *known;
	bool		found;

	MemoryContextSwitchTo(old);
	known = hash_search(known_lists, &umid, HASH_ENTER, &found);
	if (found)
		MemoryContextDelete(known->cxt);
	known->cxt = cxt;
	known->list = copy;
	known->count = count;
}

int
xero_organisations(const XeroServer *server, XeroOrganisation **list)
{
	int			count;
	uint64		changes_before;

	if (server->tenant_id != NULL)
	{
		*list = palloc0(sizeof(XeroOrganisation));
		set_id(*list, server->tenant_id);
		return 1;
	}
	count = xero_known_organisations(server->umid, list);
	if (count >= 0)
		return count;
	if (known_lists == NULL)
		init_lists();
	changes_before = changes;
	count = ask_organisations(server, list);

	/* what credentials reach that changed meanwhile is for this scan alone */
	if (changes == changes_before)
		keep_organisations(server->umid, *list, count);
	return count;
}

int
xero_known_organisations(Oid umid, XeroOrganisation **list)
{
	KnownList  *known = find_list(umid);

	if (known == NULL)
		return -1;
	*list = copy_list(known->list, known->count);
	return known->count;
}

/* The countries become known to the scans to come, too. */
static void
keep_country(Oid umid, const XeroOrganisation *organisation)
{
	KnownList  *known = find_list(umid);
	XeroOrganisation *kept = known == NULL ? NULL :
	bsearch(organisation, known->list, known->count,
			sizeof(XeroOrganisation), xero_compare_uuids);

	if (kept != NULL)
		strlcpy(kept->country, organisation->country, sizeof(kept->country));
}

static void
read_country(const XeroServer *server, XeroOrganisation *organisation,
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
xero_learn_countries(const XeroServer *server, XeroOrganisation **organisations,
					 int count, XeroCallStats *stats)
{
	XeroCall   *calls[COUNTRIES_AT_ONCE];
	XeroOrganisation *asked[COUNTRIES_AT_ONCE];
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

/* Perhaps it is connected again by the next statement, which asks anew. */
static void
report_lost(const XeroServer *server, const XeroOrganisation *organisation)
{
	forget_one(server->umid);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("server \"%s\" is not connected to organisation \"%s\" (%s) any more",
					server->name, organisation->name, organisation->tenant_id),
			 errdetail("Xero does not list it among the connections. Its rows would be missing."),
			 xero_needs_consent(server) ?
			 errhint("Connect it again: SELECT xero_fdw.authorize_url(%s); or accept that it is gone: SELECT xero_fdw.disconnect(%s, '%s');",
					 quote_literal_cstr(server->name),
					 quote_literal_cstr(server->name),
					 organisation->tenant_id) :
			 errhint("Connect it again in Xero, or accept that it is gone: SELECT xero_fdw.disconnect(%s);",
					 quote_literal_cstr(server->name))));
}

void
xero_speak_for(XeroServer *server, XeroOrganisation *organisation)
{
	if (organisation->lost)
		report_lost(server, organisation);
	server->tenant_id = organisation->tenant_id;
	server->tenant_name = organisation->name[0] != '\0' ?
		organisation->name : NULL;
}
