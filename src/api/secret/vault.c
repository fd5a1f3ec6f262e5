/*-------------------------------------------------------------------------
 *
 * vault.c
 *	  Secrets as they are stored: sealed, each for its place.
 *
 * The place is authenticated with the value: database, server, role of the
 * user mapping, application and column, each with its length before it.  So a
 * sealed value that is copied to another row, column or database does not open
 * there.  Database and role are their oids, the server is its name: these are
 * what pg_upgrade keeps.
 *
 * The key is read when it is needed and wiped right after.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/secret/keyfile.h"
#include "api/secret/vault.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/guc.h"

#define SETTING "xero_fdw.key_file"

static char *key_file = NULL;

void
xero_vault_init(void)
{
	DefineCustomStringVariable(SETTING,
							   "File with the key that stored tokens are sealed with.",
							   "An absolute path outside the data directory; the file is made when it is first needed.",
							   &key_file, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
}

void
xero_vault_check(void)
{
	XeroKey		key;

	xero_keyfile_read(key_file, SETTING, false, &key);
	explicit_bzero(&key, sizeof(key));
}

static void
append_part(StringInfo text, const void *part, size_t len)
{
	uint32		count = (uint32) len;

	appendBinaryStringInfo(text, (const char *) &count, sizeof(count));
	appendBinaryStringInfo(text, part, (int) len);
}

static void
describe_place(const XeroSealPlace *place, StringInfo text)
{
	initStringInfo(text);
	append_part(text, &MyDatabaseId, sizeof(Oid));
	append_part(text, place->server, strlen(place->server));
	append_part(text, &place->roleid, sizeof(Oid));
	append_part(text, place->client_id, strlen(place->client_id));
	append_part(text, place->column, strlen(place->column));
}

static bytea *
seal_with(const XeroKey *key, const XeroSealPlace *place, const char *secret)
{
	size_t		len = strlen(secret);
	bytea	   *sealed = palloc(VARHDRSZ + len + XERO_SEAL_OVERHEAD);
	StringInfoData where;

	describe_place(place, &where);
	SET_VARSIZE(sealed, VARHDRSZ + len + XERO_SEAL_OVERHEAD);
	return xero_seal(key, where.data, where.len, secret, len,
					 (unsigned char *) VARDATA(sealed)) ? sealed : NULL;
}

static XeroUnsealing
open_with(const XeroKey *key, const XeroSealPlace *place, const bytea *sealed,
		  char **secret)
{
	size_t		len = VARSIZE_ANY_EXHDR(sealed);
	size_t		plain_len = len - Min(len, XERO_SEAL_OVERHEAD);
	StringInfoData where;
	XeroUnsealing result;

	describe_place(place, &where);
	*secret = palloc(plain_len + 1);
	result = xero_open(key, where.data, where.len,
					   (unsigned char *) VARDATA_ANY(sealed), len,
					   (unsigned char *) *secret);
	if (result == XERO_OPENED)
		(*secret)[plain_len] = '\0';
	return result;
}

/* An operator who reseals all of them is to know which one it is. */
static int
tell_whose(const XeroSealPlace *place)
{
	const char *role = OidIsValid(place->roleid) ?
	GetUserNameFromId(place->roleid, true) : "public";

	return errcontext("user mapping for %s, server \"%s\"",
					  role ? role : "a role that is gone", place->server);
}

pg_noreturn static void
report_unopened(const XeroSealPlace *place, XeroUnsealing result)
{
	bool		is_token = strcmp(place->column, XERO_CLIENT_SECRET_COLUMN) != 0;
	const char *what = is_token ? "token" : "client secret";
	const char *cure = is_token ? "authorize the server again" :
	"call xero_fdw.set_client_secret() again";

	if (result == XERO_OPEN_FAILED)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not open a stored %s", what)));
	if (result == XERO_OPEN_OTHER_KEY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("stored %s is sealed with another key", what),
				 errdetail("The key in the %s does not open it.", xero_keyfile_name(key_file)),
				 errhint("Restore the key file, or, if it was exchanged, call xero_fdw.rotate_key() with the path of the old one. Without it, %s.", cure),
				 tell_whose(place)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("stored %s was changed, or belongs to another user mapping or database", what),
			 errhint("In a copy of a database, leave it to the original. To replace it, %s.", cure),
			 tell_whose(place)));
}

static void
report_unsealed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("could not seal a secret")));
}

bytea *
xero_vault_seal(const XeroSealPlace *place, const char *secret)
{
	XeroKey		key;
	bytea	   *sealed;

	xero_keyfile_read(key_file, SETTING, true, &key);
	sealed = seal_with(&key, place, secret);
	explicit_bzero(&key, sizeof(key));
	if (sealed == NULL)
		report_unsealed();
	return sealed;
}

char *
xero_vault_open(const XeroSealPlace *place, const bytea *sealed)
{
	XeroKey		key;
	XeroUnsealing result;
	char	   *secret;

	xero_keyfile_read(key_file, SETTING, false, &key);
	result = open_with(&key, place, sealed, &secret);
	explicit_bzero(&key, sizeof(key));
	if (result != XERO_OPENED)
		report_unopened(place, result);
	return secret;
}

bytea *
xero_vault_reseal(const XeroSealPlace *place, const bytea *sealed,
				  const char *old_key_file)
{
	XeroKey		old;
	XeroKey		present;
	XeroUnsealing result;
	char	   *secret;
	bytea	   *anew = NULL;
	bool		sealed_with_old = false;

	xero_keyfile_read(old_key_file, "old_key_file", false, &old);
	xero_keyfile_read(key_file, SETTING, true, &present);
	result = open_with(&present, place, sealed, &secret);
	if (result == XERO_OPEN_OTHER_KEY)
	{
		sealed_with_old = true;
		result = open_with(&old, place, sealed, &secret);
		if (result == XERO_OPENED)
			anew = seal_with(&present, place, secret);
	}
	explicit_bzero(&old, sizeof(old));
	explicit_bzero(&present, sizeof(present));
	if (result != XERO_OPENED)
		report_unopened(place, result);
	explicit_bzero(secret, strlen(secret));
	if (sealed_with_old && anew == NULL)
		report_unsealed();
	return anew;
}
