/*-------------------------------------------------------------------------
 *
 * store.c
 *	  The tables of consents, tokens and organisations.
 *
 * Rows belong to the user mapping of a role, or of PUBLIC, for a server: to
 * the server by its name and the role by its oid, since these two survive
 * pg_upgrade.  An event trigger carries them over when a server gets another
 * name (reseal.c), and another one deletes them when a mapping is dropped
 * (src/sync/68_leaving.sql).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/parallel.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "api/consent/own_tables.h"
#include "api/consent/store.h"
#include "api/secret/vault.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* How long a person may take to consent. */
#define PENDING_LIFE "interval '10 minutes'"

/* So many may be under way that one role has begun. */
#define PENDING_MAX 100

/* The rows of a user mapping: parameters 1 and 2. */
#define OF_MAPPING " WHERE server = $1 AND roleid = $2"

/* Parameters that say whose rows are meant. */
static void
add_mapping(XeroParameters *parameters, const char *server, Oid roleid)
{
	xero_own_add_text(parameters, server);
	xero_own_add_oid(parameters, roleid);
}

/* A secret for its place, or NULL. */
static void
add_sealed(XeroParameters *parameters, const char *server, Oid roleid,
		   const char *client_id, const char *column, const char *secret)
{
	XeroSealPlace place = {server, roleid, client_id, column};

	xero_own_add_bytes(parameters,
					   secret ? xero_vault_seal(&place, secret) : NULL);
}

/* A secret, opened, for the caller; NULL if it is null. */
static char *
secret_of(const XeroOwnEntry *entry, uint64 row, int column,
		  const XeroSealPlace *place)
{
	bool		isnull;
	Datum		value = xero_own_value(row, column, &isnull);
	char	   *secret;
	char	   *copy;

	if (isnull)
		return NULL;
	secret = xero_vault_open(place, DatumGetByteaPP(value));
	copy = MemoryContextStrdup(entry->caller, secret);
	explicit_bzero(secret, strlen(secret));
	return copy;
}

/* ---- consents that were begun ---- */

static void
add_digest(XeroParameters *parameters, const char *state)
{
	bytea	   *digest = palloc(VARHDRSZ + XERO_SHA256_LEN);

	SET_VARSIZE(digest, VARHDRSZ + XERO_SHA256_LEN);
	if (!xero_sha256(state, strlen(state), (unsigned char *) VARDATA(digest)))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not compute a digest")));
	xero_own_add_bytes(parameters, digest);
}

/* Anybody with a user mapping may begin, and the rows are ours. */
static void
refuse_too_many(Oid role)
{
	XeroParameters parameters = {0};

	xero_own_add_oid(&parameters, role);
	if (xero_own_run("SELECT FROM xero_fdw.pending_authorization WHERE begun_by = $1",
					 &parameters) >= PENDING_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many authorizations are under way"),
				 errdetail("Role \"%s\" has begun %d that are not completed.",
						   GetUserNameFromId(role, false), PENDING_MAX),
				 errhint("Each ends after ten minutes.")));
}

void
xero_store_begin(const XeroPending *pending, const char *state)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	xero_own_run("DELETE FROM xero_fdw.pending_authorization WHERE expires_at <= now()",
				 NULL);
	refuse_too_many(pending->begun_by);
	add_digest(&parameters, state);
	add_mapping(&parameters, pending->server, pending->roleid);
	xero_own_add_text(&parameters, pending->client_id);
	xero_own_add_oid(&parameters, pending->begun_by);
	add_sealed(&parameters, pending->server, pending->roleid,
			   pending->client_id, "verifier", pending->verifier);
	add_sealed(&parameters, pending->server, pending->roleid,
			   pending->client_id, "nonce", pending->nonce);
	xero_own_add_text(&parameters, pending->redirect_uri);
	xero_own_add_text(&parameters, pending->scopes);
	xero_own_run("INSERT INTO xero_fdw.pending_authorization"
				 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + " PENDING_LIFE ")",
				 &parameters);
	xero_own_leave(&entry);
}

XeroPending *
xero_store_take(const char *state, Oid role, bool *other_role)
{
	XeroPending *pending = NULL;
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	*other_role = false;
	xero_own_enter(&entry);
	add_digest(&parameters, state);
	if (xero_own_run("SELECT begun_by, server, roleid, client_id, redirect_uri, scopes, verifier, nonce"
					 " FROM xero_fdw.pending_authorization"
					 " WHERE state_hash = $1 AND expires_at > clock_timestamp()",
					 &parameters) == 1)
	{
		*other_role = xero_own_oid(0, 1) != role;
		if (!*other_role)
		{
			XeroSealPlace place = {0};

			pending = MemoryContextAllocZero(entry.caller,
											 sizeof(XeroPending));
			pending->begun_by = role;
			place.server = pending->server = xero_own_text(&entry, 0, 2);
			place.roleid = pending->roleid = xero_own_oid(0, 3);
			place.client_id = pending->client_id = xero_own_text(&entry, 0, 4);
			pending->redirect_uri = xero_own_text(&entry, 0, 5);
			pending->scopes = xero_own_text(&entry, 0, 6);
			place.column = "verifier";
			pending->verifier = secret_of(&entry, 0, 7, &place);
			place.column = "nonce";
			pending->nonce = secret_of(&entry, 0, 8, &place);
			xero_own_run("DELETE FROM xero_fdw.pending_authorization WHERE state_hash = $1",
						 &parameters);
		}
	}
	xero_own_leave(&entry);
	return pending;
}

/* ---- consents that were given ---- */

XeroConsent *
xero_store_read(const XeroServer *server)
{
	XeroConsent *consent = NULL;
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	if (xero_own_run("SELECT client_id, refresh_token, access_token, refreshed_at,"
					 " access_expires_at, scopes, authentication_event, state = 'reconnect needed', error"
					 " FROM xero_fdw.token" OF_MAPPING, &parameters) == 1)
	{
		XeroSealPlace place = {server->name, server->roleid};
		bool		isnull;

		consent = MemoryContextAllocZero(entry.caller, sizeof(XeroConsent));
		place.client_id = consent->client_id = xero_own_text(&entry, 0, 1);
		place.column = "refresh_token";
		consent->refresh_token = secret_of(&entry, 0, 2, &place);
		place.column = "access_token";
		consent->access_token = secret_of(&entry, 0, 3, &place);
		consent->refreshed_at = xero_own_time(0, 4);
		consent->expires_at = xero_own_time(0, 5);
		consent->scopes = xero_own_text(&entry, 0, 6);
		consent->event = xero_own_text(&entry, 0, 7);
		consent->refused = DatumGetBool(xero_own_value(0, 8, &isnull));
		consent->error = xero_own_text(&entry, 0, 9);
	}
	xero_own_leave(&entry);
	return consent;
}

/* The sealed tokens of a consent. */
static void
add_tokens(XeroParameters *parameters, const XeroServer *server,
		   const XeroConsent *consent)
{
	add_sealed(parameters, server->name, server->roleid, consent->client_id,
			   "refresh_token", consent->refresh_token);
	add_sealed(parameters, server->name, server->roleid, consent->client_id,
			   "access_token", consent->access_token);
	xero_own_add_time(parameters, consent->expires_at);
	xero_own_add_time(parameters, consent->refreshed_at);
}

void
xero_store_consent(const XeroServer *server, const XeroConsent *consent)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	xero_own_run("DELETE FROM xero_fdw.token" OF_MAPPING, &parameters);
	xero_own_run("DELETE FROM xero_fdw.organisation" OF_MAPPING, &parameters);

	xero_own_add_text(&parameters, consent->client_id);
	add_tokens(&parameters, server, consent);
	xero_own_add_oid(&parameters, consent->completed_by);
	xero_own_add_text(&parameters, consent->scopes);
	xero_own_add_text(&parameters, consent->xero_user_id);
	xero_own_add_text(&parameters, consent->user_name);
	xero_own_add_text(&parameters, consent->email);
	xero_own_add_text(&parameters, consent->event);
	xero_own_run("INSERT INTO xero_fdw.token (server, roleid, client_id, refresh_token,"
				 " access_token, access_expires_at, refreshed_at, authorized_at,"
				 " authorized_by, scopes, xero_user_id, user_name, email,"
				 " authentication_event, state)"
				 " VALUES ($1, $2, $3, $4, $5, $6, $7, $7, pg_get_userbyid($8), $9, $10,"
				 " $11, $12, $13, 'connected')", &parameters);
	xero_own_leave(&entry);
}

void
xero_store_tokens(const XeroServer *server, const XeroConsent *consent)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	add_tokens(&parameters, server, consent);
	if (xero_own_run("UPDATE xero_fdw.token SET refresh_token = $3, access_token = $4,"
					 " access_expires_at = $5, refreshed_at = $6, state = 'connected', error = NULL"
					 OF_MAPPING, &parameters) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("consent of server \"%s\" has vanished during an exchange",
						server->name),
				 errhint("Try again.")));
	xero_own_leave(&entry);
}

void
xero_store_trouble(const XeroServer *server, bool refused, const char *error)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	xero_own_add(&parameters, BOOLOID, BoolGetDatum(refused), false);
	xero_own_add_text(&parameters, error);
	xero_own_run("UPDATE xero_fdw.token SET error = $4,"
				 " state = CASE WHEN $3 THEN 'reconnect needed' ELSE state END,"
				 " access_token = CASE WHEN $3 THEN NULL ELSE access_token END,"
				 " access_expires_at = CASE WHEN $3 THEN NULL ELSE access_expires_at END"
				 OF_MAPPING, &parameters);
	xero_own_leave(&entry);
}

/* ---- client secrets ---- */

void
xero_store_secret(const XeroServer *server, const bytea *sealed)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	if (sealed == NULL)
		xero_own_run("DELETE FROM xero_fdw.secret" OF_MAPPING, &parameters);
	else
	{
		xero_own_add_text(&parameters, server->client_id);
		xero_own_add_bytes(&parameters, sealed);
		xero_own_run("INSERT INTO xero_fdw.secret (server, roleid, client_id, client_secret)"
					 " VALUES ($1, $2, $3, $4) ON CONFLICT (server, roleid) DO UPDATE"
					 " SET client_id = excluded.client_id, client_secret = excluded.client_secret",
					 &parameters);
	}
	xero_own_leave(&entry);
}

bytea *
xero_store_sealed_secret(const char *server, Oid roleid, const char *client_id)
{
	Relation	rel = table_open(xero_own_relid("secret"), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	NameData	name;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bytea	   *sealed = NULL;

	namestrcpy(&name, server);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&name));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(roleid));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, lengthof(keys),
							  keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		stored_for = heap_getattr(tuple, 3, desc, &isnull);

		if (strcmp(TextDatumGetCString(stored_for), client_id) == 0)
			sealed = DatumGetByteaPCopy(heap_getattr(tuple, 4, desc, &isnull));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return sealed;
}

/* ---- organisations ---- */

/*
 * Whose the list is.  A token that a user mapping has ready-made is nobody's in
 * particular.
 */
static const char *
list_owner(const XeroServer *server)
{
	return server->access_token == NULL ? server->client_id : "";
}

void
xero_store_organisations(const XeroServer *server,
						 const XeroOrganisation *list, int count)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	xero_own_run("DELETE FROM xero_fdw.organisation" OF_MAPPING, &parameters);

	xero_own_add_text(&parameters, list_owner(server));
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		parameters.count = 3;
		xero_own_add(&parameters, UUIDOID, UUIDPGetDatum(&list[i].id), false);
		xero_own_add_text(&parameters, list[i].name);
		xero_own_add_text(&parameters, list[i].tenant_type);
		xero_own_add(&parameters, BOOLOID, BoolGetDatum(!list[i].lost), false);
		xero_own_run("INSERT INTO xero_fdw.organisation (server, roleid, client_id, tenant_id,"
					 " tenant_name, tenant_type, connected) VALUES ($1, $2, $3, $4, $5, $6, $7)"
					 " ON CONFLICT DO NOTHING", &parameters);
	}
	xero_own_leave(&entry);
}

void
xero_store_note(const XeroServer *server, const XeroOrganisation *list,
				int count)
{
	if (XactReadOnly || RecoveryInProgress() || IsInParallelMode() ||
		IsolationUsesXactSnapshot())
		return;

	/*
	 * Held to the end of the transaction, as the rows are; whoever would wait
	 * for that has nothing to add.
	 */
	if (ConditionalLockDatabaseObject(xero_own_relid("organisation"), server->umid,
									  0, ExclusiveLock))
		xero_store_organisations(server, list, count);
}

int
xero_store_known(const XeroServer *server, XeroOrganisation **list)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};
	int			count;

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	xero_own_add_text(&parameters, list_owner(server));
	count = (int) xero_own_look("SELECT tenant_id, tenant_name, tenant_type, connected"
								" FROM xero_fdw.organisation" OF_MAPPING " AND client_id = $3"
								" ORDER BY tenant_id", &parameters);
	*list = MemoryContextAllocZero(entry.caller,
								   sizeof(XeroOrganisation) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		XeroOrganisation *one = &(*list)[i];
		bool		isnull;

		strlcpy(one->tenant_id, xero_own_text(&entry, i, 1), sizeof(one->tenant_id));
		one->id = *DatumGetUUIDP(xero_own_value(i, 1, &isnull));
		strlcpy(one->name, xero_own_text(&entry, i, 2), sizeof(one->name));
		strlcpy(one->tenant_type, xero_own_text(&entry, i, 3),
				sizeof(one->tenant_type));
		one->lost = !DatumGetBool(xero_own_value(i, 4, &isnull));
	}
	xero_own_leave(&entry);
	return count;
}

bool
xero_store_forget(const XeroServer *server)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};
	bool		found;

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	found = xero_own_run("DELETE FROM xero_fdw.token" OF_MAPPING,
						 &parameters) > 0;
	xero_own_run("DELETE FROM xero_fdw.organisation" OF_MAPPING, &parameters);
	xero_own_run("DELETE FROM xero_fdw.pending_authorization" OF_MAPPING,
				 &parameters);
	xero_own_leave(&entry);
	return found;
}

bool
xero_store_forget_organisation(const XeroServer *server, const pg_uuid_t *id)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};
	bool		found;

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	xero_own_add_text(&parameters, list_owner(server));
	xero_own_add(&parameters, UUIDOID, UUIDPGetDatum(id), false);
	found = xero_own_run("DELETE FROM xero_fdw.organisation" OF_MAPPING
						 " AND client_id = $3 AND tenant_id = $4", &parameters) > 0;
	xero_own_leave(&entry);
	return found;
}

void
xero_store_announce(const XeroServer *server)
{
	Relation	catalog = table_open(UserMappingRelationId, AccessShareLock);
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID,
										ObjectIdGetDatum(server->umid));

	if (HeapTupleIsValid(tuple))
	{
		CacheInvalidateHeapTuple(catalog, tuple, NULL);
		ReleaseSysCache(tuple);
	}
	table_close(catalog, AccessShareLock);
}

/*
 * The worker has committed what is to be shown after the transaction's
 * snapshot may have been taken.
 */
void
xero_store_show(const XeroServer *server, ReturnSetInfo *rsinfo)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	add_mapping(&parameters, server->name, server->roleid);
	(void) xero_own_look("SELECT t.user_name, t.email, o.tenant_id, o.tenant_name, o.tenant_type"
						 " FROM xero_fdw.token AS t LEFT JOIN xero_fdw.organisation AS o USING (server, roleid)"
						 OF_MAPPING " ORDER BY o.tenant_name, o.tenant_id",
						 &parameters);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	xero_own_leave(&entry);
}
