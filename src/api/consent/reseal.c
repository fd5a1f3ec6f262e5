/*-------------------------------------------------------------------------
 *
 * reseal.c
 *	  Stored secrets, sealed anew: with another key, or for another name of
 *	  their server.
 *
 * A row is locked before its secret is opened, so that no worker replaces it
 * meanwhile.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/consent/own_tables.h"
#include "api/consent/reseal.h"
#include "api/secret/vault.h"
#include "miscadmin.h"

/* What is sealed, but for begun consents, which are too short-lived. */
static const struct
{
	const char *table;
	const char *column;
}			sealed_columns[] = {

	{"token", "refresh_token"},
	{"token", "access_token"},
	{"secret", XERO_CLIENT_SECRET_COLUMN}
};

/* The tables whose rows are a server's. */
static const char *const server_tables[] = {
	"token", "secret", "organisation"
};

/* A value of a row, sealed anew for its place, or NULL if it can stay. */
typedef bytea *(*Resealer) (const XeroSealPlace *place, const bytea *sealed,
							const char *argument);

static bytea *
with_key(const XeroSealPlace *place, const bytea *sealed,
		 const char *old_key_file)
{
	return xero_vault_reseal(place, sealed, old_key_file);
}

static bytea *
for_name(const XeroSealPlace *place, const bytea *sealed, const char *name)
{
	XeroSealPlace named = *place;
	char	   *secret = xero_vault_open(place, sealed);
	bytea	   *anew;

	named.server = name;
	anew = xero_vault_seal(&named, secret);
	explicit_bzero(secret, strlen(secret));
	return anew;
}

/* One column, of all servers or the one of that name: how many have changed. */
static int64
reseal_column(const char *table, const char *column, const char *server,
			  Resealer reseal, const char *argument)
{
	XeroParameters wanted = {0};
	SPITupleTable *found;
	uint64		count;
	int64		resealed = 0;

	xero_own_add_text(&wanted, server);
	count = xero_own_run(psprintf("SELECT server, roleid, client_id, %s FROM xero_fdw.%s"
								  " WHERE %s IS NOT NULL AND coalesce(server = $1, true) FOR UPDATE",
								  column, table, column), &wanted);
	found = SPI_tuptable;
	for (uint64 i = 0; i < count; i++)
	{
		HeapTuple	row = found->vals[i];
		XeroParameters parameters = {0};
		XeroSealPlace place;
		bool		isnull;
		bytea	   *anew;

		CHECK_FOR_INTERRUPTS();
		place.server = SPI_getvalue(row, found->tupdesc, 1);
		place.roleid = DatumGetObjectId(SPI_getbinval(row, found->tupdesc, 2,
													  &isnull));
		place.client_id = SPI_getvalue(row, found->tupdesc, 3);
		place.column = column;
		anew = reseal(&place,
					  DatumGetByteaPP(SPI_getbinval(row, found->tupdesc, 4,
													&isnull)), argument);
		if (anew == NULL)
			continue;
		xero_own_add_text(&parameters, place.server);
		xero_own_add_oid(&parameters, place.roleid);
		xero_own_add_bytes(&parameters, anew);
		xero_own_run(psprintf("UPDATE xero_fdw.%s SET %s = $3"
							  " WHERE server = $1 AND roleid = $2",
							  table, column), &parameters);
		resealed++;
	}
	return resealed;
}

static int64
reseal_all(const char *server, Resealer reseal, const char *argument)
{
	int64		resealed = 0;

	for (int i = 0; i < lengthof(sealed_columns); i++)
		resealed += reseal_column(sealed_columns[i].table,
								  sealed_columns[i].column, server, reseal,
								  argument);
	return resealed;
}

int64
xero_reseal_with_key(const char *old_key_file)
{
	XeroOwnEntry entry;
	int64		resealed;

	xero_own_enter(&entry);
	/* nobody must store anything with the old key meanwhile */
	xero_own_run("LOCK TABLE xero_fdw.token, xero_fdw.secret IN EXCLUSIVE MODE", NULL);
	xero_own_run("DELETE FROM xero_fdw.pending_authorization", NULL);
	resealed = reseal_all(NULL, with_key, old_key_file);
	xero_own_leave(&entry);
	return resealed;
}

void
xero_reseal_for_name(const char *old_name, const char *new_name)
{
	XeroOwnEntry entry;
	XeroParameters parameters = {0};

	xero_own_enter(&entry);
	xero_own_add_text(&parameters, old_name);
	xero_own_add_text(&parameters, new_name);
	xero_own_run("DELETE FROM xero_fdw.pending_authorization WHERE server IN ($1, $2)",
				 &parameters);
	/* what an earlier server of that name has left */
	for (int i = 0; i < lengthof(server_tables); i++)
		xero_own_run(psprintf("DELETE FROM xero_fdw.%s WHERE server = $2 AND server <> $1",
							  server_tables[i]), &parameters);
	(void) reseal_all(old_name, for_name, new_name);
	for (int i = 0; i < lengthof(server_tables); i++)
		xero_own_run(psprintf("UPDATE xero_fdw.%s SET server = $2 WHERE server = $1",
							  server_tables[i]), &parameters);
	xero_own_leave(&entry);
}
