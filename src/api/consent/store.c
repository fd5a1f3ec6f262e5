/*-------------------------------------------------------------------------
 *
 * store.c
 *	  The tables of consents, tokens and organisations.
 *
 * The tables are the extension's own, and nobody has rights on them but their
 * owner.  Each function here becomes that owner for its statements, with a
 * search path in which nobody else's operators can be found.  On an error the
 * end of the transaction restores both.
 *
 * Secrets go into statements as parameters, and only sealed, so that no log
 * of statements, plans or parameters has one.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "api/consent/store.h"
#include "api/consent/vault.h"
#include "api/report/failure.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* How long a person may take to consent. */
#define PENDING_LIFE "interval '10 minutes'"

/* What must be undone after the statements. */
typedef struct Entry
{
	Oid			userid;
	int			sec_context;
	int			nest_level;
	MemoryContext caller;
} Entry;

/* Parameters of one statement. */
typedef struct Parameters
{
	int			count;
	Oid			types[16];
	Datum		values[16];
	char		nulls[17];
} Parameters;

/* The schema is fixed, and so are the names. */
static Oid
store_relid(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("xero_fdw", false));
}

static Oid
store_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(RELOID,
										ObjectIdGetDatum(store_relid("token")));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"xero_fdw.token\" does not exist"),
				 errhint("Update or create the extension xero_fdw.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

static void
enter(Entry *entry)
{
	Oid			owner = store_owner();

	entry->caller = CurrentMemoryContext;
	GetUserIdAndSecContext(&entry->userid, &entry->sec_context);
	SetUserIdAndSecContext(owner, entry->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE);
	entry->nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	PushActiveSnapshot(IsInParallelMode() ? GetActiveSnapshot() :
					   GetTransactionSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static void
leave(Entry *entry)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PopActiveSnapshot();
	AtEOXact_GUC(false, entry->nest_level);
	SetUserIdAndSecContext(entry->userid, entry->sec_context);
}

static void
add(Parameters *parameters, Oid type, Datum value, bool isnull)
{
	int			n = parameters->count++;

	Assert(n < lengthof(parameters->types));
	parameters->types[n] = type;
	parameters->values[n] = value;
	parameters->nulls[n] = isnull ? 'n' : ' ';
}

static void
add_oid(Parameters *parameters, Oid value)
{
	add(parameters, OIDOID, ObjectIdGetDatum(value), false);
}

static void
add_text(Parameters *parameters, const char *value)
{
	add(parameters, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0,
		value == NULL);
}

static void
add_bytes(Parameters *parameters, const bytea *value)
{
	add(parameters, BYTEAOID, PointerGetDatum(value), value == NULL);
}

static void
add_time(Parameters *parameters, TimestampTz value)
{
	add(parameters, TIMESTAMPTZOID, TimestampTzGetDatum(value), false);
}

/* A secret for its place, or NULL. */
static void
add_sealed(Parameters *parameters, Oid umid, const char *client_id,
		   const char *column, const char *secret)
{
	XeroSealPlace place = {umid, client_id, column};

	add_bytes(parameters, secret ? xero_vault_seal(&place, secret) : NULL);
}

/* How many rows there were; those of a query are in SPI_tuptable. */
static uint64
run(const char *sql, Parameters *parameters)
{
	int			result;

	if (parameters == NULL)
		result = SPI_execute(sql, false, 0);
	else
		result = SPI_execute_with_args(sql, parameters->count,
									   parameters->types, parameters->values,
									   parameters->nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * The same of a query that sees the latest state, whatever the transaction may
 * see, and changes nothing.  While parallel workers run there is no snapshot
 * but the statement's own.
 */
static uint64
look(const char *sql, Parameters *parameters)
{
	SPIPlanPtr	plan = SPI_prepare(sql, parameters->count,
								   parameters->types);
	Snapshot	snapshot = IsInParallelMode() ? GetActiveSnapshot() :
	GetLatestSnapshot();

	if (plan == NULL ||
		SPI_execute_snapshot(plan, parameters->values, parameters->nulls,
							 snapshot, InvalidSnapshot, true, false,
							 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed");
	return SPI_processed;
}

/* ---- values of a row that was found ---- */

static Datum
value_of(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull);
}

static Oid
oid_of(uint64 row, int column)
{
	bool		isnull;

	return DatumGetObjectId(value_of(row, column, &isnull));
}

/* A copy for the caller; NULL if it is null. */
static char *
text_of(const Entry *entry, uint64 row, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row],
									 SPI_tuptable->tupdesc, column);

	return value ? MemoryContextStrdup(entry->caller, value) : NULL;
}

static TimestampTz
time_of(uint64 row, int column)
{
	bool		isnull;
	Datum		value = value_of(row, column, &isnull);

	return isnull ? 0 : DatumGetTimestampTz(value);
}

/* A secret, opened, for the caller; NULL if it is null. */
static char *
secret_of(const Entry *entry, uint64 row, int column, Oid umid,
		  const char *client_id, const char *name)
{
	XeroSealPlace place = {umid, client_id, name};
	bool		isnull;
	Datum		value = value_of(row, column, &isnull);
	char	   *secret;
	char	   *copy;

	if (isnull)
		return NULL;
	secret = xero_vault_open(&place, DatumGetByteaPP(value));
	copy = MemoryContextStrdup(entry->caller, secret);
	explicit_bzero(secret, strlen(secret));
	return copy;
}

/* ---- consents that were begun ---- */

static void
add_digest(Parameters *parameters, const char *state)
{
	bytea	   *digest = palloc(VARHDRSZ + XERO_SHA256_LEN);

	SET_VARSIZE(digest, VARHDRSZ + XERO_SHA256_LEN);
	if (!xero_sha256(state, strlen(state), (unsigned char *) VARDATA(digest)))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not compute a digest")));
	add_bytes(parameters, digest);
}

void
xero_store_begin(const XeroPending *pending, const char *state)
{
	Entry		entry;
	Parameters	parameters = {0};

	enter(&entry);
	run("DELETE FROM xero_fdw.pending_authorization WHERE expires_at <= now()",
		NULL);
	add_digest(&parameters, state);
	add_oid(&parameters, pending->umid);
	add_text(&parameters, pending->client_id);
	add_oid(&parameters, pending->roleid);
	add_sealed(&parameters, pending->umid, pending->client_id, "verifier",
			   pending->verifier);
	add_sealed(&parameters, pending->umid, pending->client_id, "nonce",
			   pending->nonce);
	add_text(&parameters, pending->redirect_uri);
	add_text(&parameters, pending->scopes);
	run("INSERT INTO xero_fdw.pending_authorization"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + " PENDING_LIFE ")",
		&parameters);
	leave(&entry);
}

XeroPending *
xero_store_take(const char *state, Oid roleid, bool *other_role)
{
	XeroPending *pending = NULL;
	Entry		entry;
	Parameters	parameters = {0};

	*other_role = false;
	enter(&entry);
	add_digest(&parameters, state);
	if (run("SELECT roleid, umid, client_id, verifier, nonce, redirect_uri, scopes"
			" FROM xero_fdw.pending_authorization"
			" WHERE state_hash = $1 AND expires_at > clock_timestamp()",
			&parameters) == 1)
	{
		*other_role = oid_of(0, 1) != roleid;
		if (!*other_role)
		{
			pending = MemoryContextAllocZero(entry.caller,
											 sizeof(XeroPending));
			pending->roleid = roleid;
			pending->umid = oid_of(0, 2);
			pending->client_id = text_of(&entry, 0, 3);
			pending->verifier = secret_of(&entry, 0, 4, pending->umid,
										  pending->client_id, "verifier");
			pending->nonce = secret_of(&entry, 0, 5, pending->umid,
									   pending->client_id, "nonce");
			pending->redirect_uri = text_of(&entry, 0, 6);
			pending->scopes = text_of(&entry, 0, 7);
			run("DELETE FROM xero_fdw.pending_authorization WHERE state_hash = $1",
				&parameters);
		}
	}
	leave(&entry);
	return pending;
}

/* ---- consents that were given ---- */

XeroConsent *
xero_store_read(Oid umid)
{
	XeroConsent *consent = NULL;
	Entry		entry;
	Parameters	parameters = {0};

	enter(&entry);
	add_oid(&parameters, umid);
	if (run("SELECT serverid, client_id, refresh_token, access_token, refreshed_at,"
			" access_expires_at, scopes, authentication_event, state = 'reconnect needed', error"
			" FROM xero_fdw.token WHERE umid = $1", &parameters) == 1)
	{
		bool		isnull;

		consent = MemoryContextAllocZero(entry.caller, sizeof(XeroConsent));
		consent->umid = umid;
		consent->serverid = oid_of(0, 1);
		consent->client_id = text_of(&entry, 0, 2);
		consent->refresh_token = secret_of(&entry, 0, 3, umid,
										   consent->client_id, "refresh_token");
		consent->access_token = secret_of(&entry, 0, 4, umid,
										  consent->client_id, "access_token");
		consent->refreshed_at = time_of(0, 5);
		consent->expires_at = time_of(0, 6);
		consent->scopes = text_of(&entry, 0, 7);
		consent->event = text_of(&entry, 0, 8);
		consent->refused = DatumGetBool(value_of(0, 9, &isnull));
		consent->error = text_of(&entry, 0, 10);
	}
	leave(&entry);
	return consent;
}

void
xero_store_consent(const XeroConsent *consent)
{
	Entry		entry;
	Parameters	parameters = {0};

	enter(&entry);
	/* nothing else tells that a user mapping was dropped */
	run("DELETE FROM xero_fdw.token AS t WHERE NOT EXISTS"
		" (SELECT FROM pg_user_mapping AS m WHERE m.oid = t.umid)", NULL);
	add_oid(&parameters, consent->umid);
	run("DELETE FROM xero_fdw.token WHERE umid = $1", &parameters);
	run("DELETE FROM xero_fdw.organisation WHERE umid = $1", &parameters);

	add_oid(&parameters, consent->serverid);
	add_text(&parameters, consent->client_id);
	add_sealed(&parameters, consent->umid, consent->client_id,
			   "refresh_token", consent->refresh_token);
	add_sealed(&parameters, consent->umid, consent->client_id,
			   "access_token", consent->access_token);
	add_time(&parameters, consent->expires_at);
	add_time(&parameters, consent->refreshed_at);
	add_oid(&parameters, consent->roleid);
	add_text(&parameters, consent->scopes);
	add_text(&parameters, consent->xero_user_id);
	add_text(&parameters, consent->user_name);
	add_text(&parameters, consent->email);
	add_text(&parameters, consent->event);
	run("INSERT INTO xero_fdw.token (umid, serverid, client_id, refresh_token,"
		" access_token, access_expires_at, refreshed_at, authorized_at,"
		" authorized_by, scopes, xero_user_id, user_name, email,"
		" authentication_event, state)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $7, pg_get_userbyid($8), $9, $10,"
		" $11, $12, $13, 'connected')", &parameters);
	leave(&entry);
}

void
xero_store_tokens(const XeroConsent *consent)
{
	Entry		entry;
	Parameters	parameters = {0};

	enter(&entry);
	add_oid(&parameters, consent->umid);
	add_sealed(&parameters, consent->umid, consent->client_id,
			   "refresh_token", consent->refresh_token);
	add_sealed(&parameters, consent->umid, consent->client_id,
			   "access_token", consent->access_token);
	add_time(&parameters, consent->expires_at);
	add_time(&parameters, consent->refreshed_at);
	if (run("UPDATE xero_fdw.token SET refresh_token = $2, access_token = $3,"
			" access_expires_at = $4, refreshed_at = $5, state = 'connected', error = NULL"
			" WHERE umid = $1", &parameters) != 1)
		elog(ERROR, "consent has vanished during an exchange");
	leave(&entry);
}

void
xero_store_trouble(Oid umid, bool refused, const char *error)
{
	Entry		entry;
	Parameters	parameters = {0};

	enter(&entry);
	add_oid(&parameters, umid);
	add(&parameters, BOOLOID, BoolGetDatum(refused), false);
	add_text(&parameters, error);
	run("UPDATE xero_fdw.token SET error = $3,"
		" state = CASE WHEN $2 THEN 'reconnect needed' ELSE state END,"
		" access_token = CASE WHEN $2 THEN NULL ELSE access_token END,"
		" access_expires_at = CASE WHEN $2 THEN NULL ELSE access_expires_at END"
		" WHERE umid = $1", &parameters);
	leave(&entry);
}

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
	Entry		entry;
	Parameters	parameters = {0};

	enter(&entry);
	add_oid(&parameters, server->umid);
	run("DELETE FROM xero_fdw.organisation WHERE umid = $1", &parameters);

	/*
	 * Nothing else tells that a user mapping was dropped.  Rows that another
	 * transaction is about to delete are its, be it at work for hours.
	 */
	run("DELETE FROM xero_fdw.organisation WHERE ctid = ANY (ARRAY("
		"SELECT o.ctid FROM xero_fdw.organisation AS o WHERE NOT EXISTS"
		" (SELECT FROM pg_user_mapping AS m WHERE m.oid = o.umid)"
		" FOR UPDATE SKIP LOCKED))", NULL);
	add_text(&parameters, list_owner(server));
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		parameters.count = 2;
		add(&parameters, UUIDOID, UUIDPGetDatum(&list[i].id), false);
		add_text(&parameters, list[i].name);
		add_text(&parameters, list[i].tenant_type);
		add(&parameters, BOOLOID, BoolGetDatum(!list[i].lost), false);
		run("INSERT INTO xero_fdw.organisation (umid, client_id, tenant_id,"
			" tenant_name, tenant_type, connected) VALUES ($1, $2, $3, $4, $5, $6)"
			" ON CONFLICT DO NOTHING", &parameters);
	}
	leave(&entry);
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
	if (ConditionalLockDatabaseObject(store_relid("organisation"), server->umid,
									  0, ExclusiveLock))
		xero_store_organisations(server, list, count);
}

int
xero_store_known(const XeroServer *server, XeroOrganisation **list)
{
	Entry		entry;
	Parameters	parameters = {0};
	int			count;

	enter(&entry);
	add_oid(&parameters, server->umid);
	add_text(&parameters, list_owner(server));
	count = (int) look("SELECT tenant_id, tenant_name, tenant_type, connected"
					   " FROM xero_fdw.organisation WHERE umid = $1 AND client_id = $2"
					   " ORDER BY tenant_id", &parameters);
	*list = MemoryContextAllocZero(entry.caller,
								   sizeof(XeroOrganisation) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		XeroOrganisation *one = &(*list)[i];
		bool		isnull;

		strlcpy(one->tenant_id, text_of(&entry, i, 1), sizeof(one->tenant_id));
		one->id = *DatumGetUUIDP(value_of(i, 1, &isnull));
		strlcpy(one->name, text_of(&entry, i, 2), sizeof(one->name));
		strlcpy(one->tenant_type, text_of(&entry, i, 3),
				sizeof(one->tenant_type));
		one->lost = !DatumGetBool(value_of(i, 4, &isnull));
	}
	leave(&entry);
	return count;
}

bool
xero_store_forget(Oid umid)
{
	Entry		entry;
	Parameters	parameters = {0};
	bool		found;

	enter(&entry);
	add_oid(&parameters, umid);
	found = run("DELETE FROM xero_fdw.token WHERE umid = $1", &parameters) > 0;
	run("DELETE FROM xero_fdw.organisation WHERE umid = $1", &parameters);
	run("DELETE FROM xero_fdw.pending_authorization WHERE umid = $1",
		&parameters);
	leave(&entry);
	return found;
}

bool
xero_store_forget_organisation(const XeroServer *server, const pg_uuid_t *id)
{
	Entry		entry;
	Parameters	parameters = {0};
	bool		found;

	enter(&entry);
	add_oid(&parameters, server->umid);
	add_text(&parameters, list_owner(server));
	add(&parameters, UUIDOID, UUIDPGetDatum(id), false);
	found = run("DELETE FROM xero_fdw.organisation WHERE umid = $1"
				" AND client_id = $2 AND tenant_id = $3", &parameters) > 0;
	leave(&entry);
	return found;
}

void
xero_store_announce(Oid umid)
{
	Relation	catalog = table_open(UserMappingRelationId, AccessShareLock);
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID,
										ObjectIdGetDatum(umid));

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
xero_store_show(Oid umid, ReturnSetInfo *rsinfo)
{
	Entry		entry;
	Parameters	parameters = {0};

	enter(&entry);
	add_oid(&parameters, umid);
	(void) look("SELECT t.user_name, t.email, o.tenant_id, o.tenant_name, o.tenant_type"
				" FROM xero_fdw.token AS t LEFT JOIN xero_fdw.organisation AS o USING (umid)"
				" WHERE t.umid = $1 ORDER BY o.tenant_name, o.tenant_id",
				&parameters);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	leave(&entry);
}

/* ---- another key ---- */

/* The two tables, and their columns that are sealed. */
static const struct
{
	const char *column;
	const char *select;
	const char *update;
}			sealed_columns[] = {

	{"refresh_token",
		"SELECT umid, client_id, refresh_token FROM xero_fdw.token",
	"UPDATE xero_fdw.token SET refresh_token = $2 WHERE umid = $1"},
	{"access_token",
		"SELECT umid, client_id, access_token FROM xero_fdw.token WHERE access_token IS NOT NULL",
	"UPDATE xero_fdw.token SET access_token = $2 WHERE umid = $1"}
};

static int64
reseal_column(int which, const char *old_key_file)
{
	SPITupleTable *found;
	uint64		count = run(sealed_columns[which].select, NULL);
	int64		resealed = 0;

	found = SPI_tuptable;
	for (uint64 i = 0; i < count; i++)
	{
		Parameters	parameters = {0};
		XeroSealPlace place;
		bool		isnull;
		bytea	   *anew;

		CHECK_FOR_INTERRUPTS();
		place.umid = DatumGetObjectId(SPI_getbinval(found->vals[i],
													found->tupdesc, 1,
													&isnull));
		place.client_id = SPI_getvalue(found->vals[i], found->tupdesc, 2);
		place.column = sealed_columns[which].column;
		anew = xero_vault_reseal(&place,
								 DatumGetByteaPP(SPI_getbinval(found->vals[i],
															   found->tupdesc,
															   3, &isnull)),
								 old_key_file);
		if (anew == NULL)
			continue;
		add_oid(&parameters, place.umid);
		add_bytes(&parameters, anew);
		run(sealed_columns[which].update, &parameters);
		resealed++;
	}
	return resealed;
}

int64
xero_store_reseal(const char *old_key_file)
{
	Entry		entry;
	int64		resealed = 0;

	enter(&entry);
	/* no worker must store one with the old key meanwhile */
	run("LOCK TABLE xero_fdw.token IN EXCLUSIVE MODE", NULL);
	/* begun consents are too short-lived to be worth it */
	run("DELETE FROM xero_fdw.pending_authorization", NULL);
	for (int i = 0; i < lengthof(sealed_columns); i++)
		resealed += reseal_column(i, old_key_file);
	leave(&entry);
	return resealed;
}
