/*-------------------------------------------------------------------------
 *
 * tenant.c
 *	  Which organisation a server stands for.
 *
 * Each call to Xero names the organisation it is for.  A server that does
 * not say stands for the one organisation its credentials are connected to;
 * Xero is asked for it once a backend.  The answers are kept in a hash table
 * by user mapping, in a context that lives as long as the backend, and
 * forgotten when a server or a user mapping changes.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/tenant.h"

#include "api/call.h"
#include "api/document.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

typedef struct TenantEntry
{
	Oid			umid;			/* hash key */
	char		tenant_id[XERO_UUID_TEXT_LEN + 1];
} TenantEntry;

static HTAB *tenants = NULL;

static void
forget_tenants(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	TenantEntry *entry;

	hash_seq_init(&status, tenants);
	while ((entry = hash_seq_search(&status)) != NULL)
		hash_search(tenants, &entry->umid, HASH_REMOVE, NULL);
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

/* Ask Xero for the one organisation that is connected. */
static void
ask_tenant(XeroServer *server, char *tenant_id)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "Xero connections",
											  ALLOCSET_SMALL_SIZES);
	XeroCallSpec spec = {0};
	const XeroResponse *response;
	int			count;

	spec.method = "GET";
	spec.path = "/connections";
	spec.query = "";
	response = xero_call_finish(xero_call_begin(cxt, server, &spec));
	count = xero_parse_connections(response->body, response->len, tenant_id);
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
	if (count > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("server \"%s\" is connected to %d organisations",
						server->name, count),
				 errhint("Name one of them with the server option tenant_id.")));
	MemoryContextDelete(cxt);
}

void
xero_resolve_tenant(XeroServer *server)
{
	TenantEntry *entry;
	char		tenant_id[XERO_UUID_TEXT_LEN + 1];

	if (server->tenant_id)
		return;
	if (tenants == NULL)
		init_tenants();
	entry = hash_search(tenants, &server->umid, HASH_FIND, NULL);
	if (entry == NULL)
	{
		ask_tenant(server, tenant_id);
		entry = hash_search(tenants, &server->umid, HASH_ENTER, NULL);
		strlcpy(entry->tenant_id, tenant_id, sizeof(entry->tenant_id));
	}
	server->tenant_id = pstrdup(entry->tenant_id);
}
