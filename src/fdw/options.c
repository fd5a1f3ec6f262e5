/*-------------------------------------------------------------------------
 *
 * options.c
 *	  Options of servers, user mappings, tables and columns: one table says
 *	  what there is, the validator checks against it, and the look-ups merge
 *	  what was set with the defaults.
 *
 * Server options are readable by everyone, so secrets are accepted on user
 * mappings only.  Options that decide where a secret is sent are for
 * superusers.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/options.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "api/budget/budget_state.h"
#include "api/budget/item_counts.h"
#include "api/consent/jwt.h"
#include "api/consent/store.h"
#include "api/token/shared_tokens.h"
#include "base/loopback.h"
#include "base/text.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "fdw/import.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

/* Xero serves at most so many records a page. */
#define XERO_MAX_PAGE_SIZE	1000

/* No object takes more rows in one write. */
#define XERO_MAX_BATCH_SIZE 500

#define XERO_MAX_CALLS 100000000

typedef enum XeroOptionKind
{
	OPT_STRING,
	OPT_SECRET,
	OPT_SECRET_FILE,
	OPT_INTEGER,
	OPT_BOOLEAN,
	OPT_URL,
	OPT_UUID,
	OPT_GRANT_TYPE,
	OPT_OBJECT,
	OPT_FIELD
} XeroOptionKind;

typedef struct XeroOption
{
	const char *name;
	Oid			catalog;		/* where it may be set */
	XeroOptionKind kind;
	bool		superuser_only;
	int			min;			/* OPT_INTEGER */
	int			max;
} XeroOption;

static const XeroOption xero_options[] = {
	{"client_id", ForeignServerRelationId, OPT_STRING},
	{"grant_type", ForeignServerRelationId, OPT_GRANT_TYPE},
	{"tenant_id", ForeignServerRelationId, OPT_UUID},
	{"scopes", ForeignServerRelationId, OPT_STRING},
	{"redirect_uri", ForeignServerRelationId, OPT_STRING},
	{"api_url", ForeignServerRelationId, OPT_URL, true},
	{"identity_url", ForeignServerRelationId, OPT_URL, true},
	{"login_url", ForeignServerRelationId, OPT_URL, true},
	{"ca_file", ForeignServerRelationId, OPT_STRING, true},
	{"minute_limit", ForeignServerRelationId, OPT_INTEGER, false, 1, 1000000},
	{"day_limit", ForeignServerRelationId, OPT_INTEGER, false, 1, 100000000},
	{"concurrency", ForeignServerRelationId, OPT_INTEGER, false, 1, 100},
	{"app_minute_limit", ForeignServerRelationId, OPT_INTEGER, false, 1, 100000000},
	{"reserve", ForeignServerRelationId, OPT_INTEGER, false, 0, 100},
	{"page_size", ForeignServerRelationId, OPT_INTEGER, false, 1, XERO_MAX_PAGE_SIZE},
	{"request_timeout", ForeignServerRelationId, OPT_INTEGER, false, 100, 3600000},
	{"updatable", ForeignServerRelationId, OPT_BOOLEAN},
	{"batch_size", ForeignServerRelationId, OPT_INTEGER, false, 1, XERO_MAX_BATCH_SIZE},
	{"max_calls", ForeignServerRelationId, OPT_INTEGER, false, 1, XERO_MAX_CALLS},
	{"role_day_limit", ForeignServerRelationId, OPT_INTEGER, false, 1, XERO_MAX_CALLS},

	{"client_secret", UserMappingRelationId, OPT_SECRET},
	{"client_secret_file", UserMappingRelationId, OPT_SECRET_FILE},
	{"access_token", UserMappingRelationId, OPT_SECRET},
	{"updatable", UserMappingRelationId, OPT_BOOLEAN},
	{"max_calls", UserMappingRelationId, OPT_INTEGER, false, 1, XERO_MAX_CALLS},
	{"role_day_limit", UserMappingRelationId, OPT_INTEGER, false, 1, XERO_MAX_CALLS},

	{"object", ForeignTableRelationId, OPT_OBJECT},
	{"include_archived", ForeignTableRelationId, OPT_BOOLEAN},
	{"summary_only", ForeignTableRelationId, OPT_BOOLEAN},
	{"updatable", ForeignTableRelationId, OPT_BOOLEAN},
	{"batch_size", ForeignTableRelationId, OPT_INTEGER, false, 1, XERO_MAX_BATCH_SIZE},
	{"page_size", ForeignTableRelationId, OPT_INTEGER, false, 1, XERO_MAX_PAGE_SIZE},

	{"field", AttributeRelationId, OPT_FIELD},
};

PG_FUNCTION_INFO_V1(xero_fdw_validator);

/* The valid options of a catalogue, for a HINT; NULL if it has none. */
static char *
valid_options(Oid catalog)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < lengthof(xero_options); i++)
	{
		if (xero_options[i].catalog != catalog)
			continue;
		if (buf.len > 0)
			appendStringInfoString(&buf, ", ");
		appendStringInfoString(&buf, xero_options[i].name);
	}
	return buf.len > 0 ? buf.data : NULL;
}

static const XeroOption *
find_option(const char *name, Oid catalog)
{
	for (int i = 0; i < lengthof(xero_options); i++)
	{
		if (xero_options[i].catalog == catalog &&
			strcmp(xero_options[i].name, name) == 0)
			return &xero_options[i];
	}
	return NULL;
}

/* A bearer token travels to these: https only, plain http to this machine. */
static void
check_url(const char *name, const char *value)
{
	const char *host;
	size_t		len;

	if (pg_strncasecmp(value, "https://", 8) == 0)
		host = value + 8;
	else if (pg_strncasecmp(value, "http://", 7) == 0)
		host = value + 7;
	else
		host = NULL;

	len = 0;
	if (host && *host == '[')
		len = strcspn(host, "]") + 1;
	else if (host)
		len = strcspn(host, ":/?#");

	if (len == 0 || strpbrk(host, "@?# \t\r\n\"") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\": \"%s\"", name, value),
				 errhint("Give a URL such as https://api.xero.com, without user name, query or fragment.")));
	if (pg_strncasecmp(value, "http://", 7) == 0 && !xero_is_loopback(host, len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must use https", name),
				 errdetail("Secrets travel to this address; http is accepted for a loopback address only.")));
}

/* It becomes part of a header line.  No message shows it. */
static void
check_secret(const char *name, const char *value)
{
	for (const char *p = value; *p; p++)
	{
		if ((unsigned char) *p <= ' ' || (unsigned char) *p >= 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" must consist of printable ASCII characters without blanks",
							name)));
	}
}

/*
 * The server reads it with its own rights.  Whether there is such a file shows
 * when it is read: a dump must be restorable.
 */
static void
check_secret_file(const char *name, const char *value)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\"", name),
				 errdetail("Only roles with privileges of the role \"pg_read_server_files\" may have the server read a file."),
				 errhint("Call xero_fdw.set_client_secret() instead.")));
	if (!is_absolute_path(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must be an absolute path", name)));
}

/* May be called with a secret's value. */
static void
check_value(const XeroOption *option, DefElem *def)
{
	char	   *value = defGetString(def);
	int			number;
	bool		flag;

	if (*value == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must not be empty", option->name)));

	switch (option->kind)
	{
		case OPT_STRING:
		case OPT_FIELD:
			break;
		case OPT_SECRET:
			check_secret(option->name, value);
			break;
		case OPT_SECRET_FILE:
			check_secret_file(option->name, value);
			break;
		case OPT_INTEGER:
			/* parse_int() would round fractions */
			if (value[strspn(value, "-0123456789")] != '\0' ||
				!parse_int(value, &number, 0, NULL) ||
				number < option->min || number > option->max)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for option \"%s\": \"%s\"",
								option->name, value),
						 errhint("The value must be an integer from %d to %d.",
								 option->min, option->max)));
			break;
		case OPT_BOOLEAN:
			if (!parse_bool(value, &flag))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for option \"%s\": \"%s\"",
								option->name, value),
						 errhint("The value must be a Boolean.")));
			break;
		case OPT_URL:
			check_url(option->name, value);
			break;
		case OPT_UUID:
			(void) DirectFunctionCall1(uuid_in, CStringGetDatum(value));
			break;
		case OPT_GRANT_TYPE:
			if (strcmp(value, "authorization_code") != 0 &&
				strcmp(value, "client_credentials") != 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("invalid value for option \"%s\": \"%s\"",
								option->name, value),
						 errhint("Valid values are: authorization_code, client_credentials.")));
			break;
		case OPT_OBJECT:
			if (xero_find_object(value) == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
						 errmsg("Xero object \"%s\" does not exist", value),
						 errhint("See the view xero_fdw.objects for what there is, for example accounting/Invoices.")));
			break;
	}
}

/* Options of one object, checked when it is created or altered. */
Datum
xero_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	bool		has_object = false;
	int			nsecrets = 0;
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);
		const XeroOption *option = find_option(def->defname, catalog);

		if (option == NULL)
		{
			char	   *valid = valid_options(catalog);

			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("invalid option \"%s\"", def->defname),
					 valid ? errhint("Valid options in this context are: %s.", valid)
					 : errhint("There are no valid options in this context.")));
		}
		if (option->superuser_only && !superuser())
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to set option \"%s\"", option->name),
					 errdetail("Only superusers may decide where secrets are sent.")));
		check_value(option, def);
		if (option->kind == OPT_OBJECT)
			has_object = true;
		if (strncmp(option->name, "client_secret", 13) == 0)
			nsecrets++;
	}

	if (nsecrets > 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("options \"client_secret\" and \"client_secret_file\" exclude each other")));
	if (catalog == ForeignTableRelationId && !has_object)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("option \"object\" is required for a foreign table of xero_fdw"),
				 errhint("See the view xero_fdw.objects for what there is, for example accounting/Invoices.")));

	PG_RETURN_VOID();
}

static const char *
get_string(List *options, const char *name, const char *fallback)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		if (strcmp(def->defname, name) == 0)
			return defGetString(def);
	}
	return fallback;
}

static int
get_integer(List *options, const char *name, int fallback)
{
	const char *value = get_string(options, name, NULL);
	int			number = fallback;

	if (value)
		(void) parse_int(value, &number, 0, NULL);
	return number;
}

static bool
get_boolean(List *options, const char *name, bool fallback)
{
	const char *value = get_string(options, name, NULL);
	bool		flag = fallback;

	if (value)
		(void) parse_bool(value, &flag);
	return flag;
}

static XeroCap
get_cap(const ForeignServer *fs, const UserMapping *um, const char *name)
{
	int			of_server = get_integer(fs->options, name, 0);
	int			of_mapping = get_integer(um->options, name, 0);
	XeroCap		cap;

	cap.of_mapping = of_mapping > 0 &&
		(of_server == 0 || of_mapping < of_server);
	cap.limit = cap.of_mapping ? of_mapping : of_server;
	return cap;
}

/* A URL without trailing slashes, so that a path can follow. */
static char *
get_url(List *options, const char *name, const char *fallback)
{
	char	   *url = pstrdup(get_string(options, name, fallback));
	size_t		len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		url[--len] = '\0';
	return url;
}

ForeignServer *
xero_find_server(const char *name)
{
	ForeignServer *fs = GetForeignServerByName(name, false);
	Oid			handler = GetForeignDataWrapper(fs->fdwid)->fdwhandler;

	if (!OidIsValid(handler) ||
		GetFdwRoutine(handler)->ImportForeignSchema != xeroImportForeignSchema)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not one of xero_fdw", name)));
	return fs;
}

ForeignServer *
xero_usable_server(const char *name)
{
	ForeignServer *fs = xero_find_server(name);

	if (object_aclcheck(ForeignServerRelationId, fs->serverid, GetUserId(),
						ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_SERVER, name);
	return fs;
}

/*
 * The application that calls with the server's credentials are counted for.  A
 * token says which it was given to, and Xero accepts none that it has not made:
 * what the options say of it is of no account.
 */
static char *
application_of(const XeroServer *server)
{
	XeroClaims	claims;

	if (server->access_token != NULL &&
		xero_jwt_read(server->access_token, &claims) &&
		claims.client_id[0] != '\0')
		return pstrdup(claims.client_id);
	return server->client_id;
}

/* Whose a user mapping is; InvalidOid is PUBLIC. */
static Oid
mapping_role(Oid umid)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(umid));
	Oid			roleid;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for user mapping %u", umid);
	roleid = ((Form_pg_user_mapping) GETSTRUCT(tuple))->umuser;
	ReleaseSysCache(tuple);
	return roleid;
}

/* Without asking whether that is enough to call. */
static XeroServer *
merge_options(Oid serverid, Oid userid)
{
	ForeignServer *fs = GetForeignServer(serverid);
	UserMapping *um = GetUserMapping(userid, serverid);
	XeroServer *server = palloc0(sizeof(XeroServer));
	const char *grant_type;

	server->serverid = serverid;
	server->umid = um->umid;
	server->roleid = mapping_role(um->umid);
	server->name = pstrdup(fs->servername);
	server->client_id = xero_copy_text(get_string(fs->options, "client_id", NULL));
	server->client_secret = xero_copy_text(get_string(um->options, "client_secret", NULL));
	server->client_secret_file = xero_copy_text(get_string(um->options, "client_secret_file", NULL));
	server->access_token = xero_copy_text(get_string(um->options, "access_token", NULL));
	if (server->client_id != NULL && server->access_token == NULL &&
		!xero_has_client_secret(server))
		server->sealed_secret = xero_store_sealed_secret(server->name,
														 server->roleid,
														 server->client_id);
	server->tenant_id = xero_copy_text(get_string(fs->options, "tenant_id", NULL));
	server->one_tenant = server->tenant_id != NULL;
	server->scopes = xero_copy_text(get_string(fs->options, "scopes", NULL));
	grant_type = get_string(fs->options, "grant_type", "authorization_code");
	server->grant_type = strcmp(grant_type, "client_credentials") == 0 ?
		XERO_GRANT_CLIENT_CREDENTIALS : XERO_GRANT_AUTHORIZATION_CODE;
	server->api_url = get_url(fs->options, "api_url", "https://api.xero.com");
	server->identity_url = get_url(fs->options, "identity_url", "https://identity.xero.com");
	server->ca_file = xero_copy_text(get_string(fs->options, "ca_file", NULL));
	server->concurrency = get_integer(fs->options, "concurrency", 5);
	server->minute_limit = get_integer(fs->options, "minute_limit", 60);
	server->day_limit = get_integer(fs->options, "day_limit", 5000);
	server->app_minute_limit = get_integer(fs->options, "app_minute_limit", 10000);
	server->reserve = get_integer(fs->options, "reserve", 0);
	server->max_calls = get_cap(fs, um, "max_calls");
	server->role_day = get_cap(fs, um, "role_day_limit");
	server->page_size = get_integer(fs->options, "page_size", XERO_MAX_PAGE_SIZE);
	server->request_timeout = get_integer(fs->options, "request_timeout", 60000);
	server->app = application_of(server);
	server->credentials = xero_hash_credentials(server);
	return server;
}

XeroServer *
xero_get_server(Oid serverid, Oid userid)
{
	XeroServer *server = merge_options(serverid, userid);

	if (server->client_id == NULL && server->access_token == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("server \"%s\" has no client_id", server->name),
				 errhint("Set the client id of your Xero app: ALTER SERVER %s OPTIONS (ADD client_id '...').",
						 quote_identifier(server->name))));
	return server;
}

XeroLogin *
xero_get_login(Oid serverid)
{
	ForeignServer *fs = GetForeignServer(serverid);
	XeroLogin  *login = palloc(sizeof(XeroLogin));

	login->login_url = get_url(fs->options, "login_url",
							   "https://login.xero.com");
	login->redirect_uri = pstrdup(get_string(fs->options, "redirect_uri",
											 "http://localhost/xero"));
	return login;
}

/* The user mapping that applies, or InvalidOid; GetUserMapping() would fail. */
static Oid
find_user_mapping(Oid serverid, Oid userid)
{
	Oid			umid = GetSysCacheOid2(USERMAPPINGUSERSERVER,
									   Anum_pg_user_mapping_oid,
									   ObjectIdGetDatum(userid),
									   ObjectIdGetDatum(serverid));

	if (!OidIsValid(umid))
		umid = GetSysCacheOid2(USERMAPPINGUSERSERVER,
							   Anum_pg_user_mapping_oid,
							   ObjectIdGetDatum(InvalidOid),
							   ObjectIdGetDatum(serverid));
	return umid;
}

static List *
user_mapping_options(Oid serverid, Oid userid)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID,
										ObjectIdGetDatum(find_user_mapping(serverid, userid)));
	List	   *options = NIL;
	Datum		datum;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		return NIL;
	datum = SysCacheGetAttr(USERMAPPINGOID, tuple,
							Anum_pg_user_mapping_umoptions, &isnull);
	if (!isnull)
		options = untransformRelOptions(datum);
	ReleaseSysCache(tuple);
	return options;
}

static bool
is_updatable(List *options)
{
	return get_boolean(options, "updatable", true);
}

bool
xero_server_updatable(Oid serverid, Oid userid)
{
	return is_updatable(GetForeignServer(serverid)->options) &&
		is_updatable(user_mapping_options(serverid, userid));
}

char *
xero_read_only_option(const XeroTable *table, Oid userid)
{
	ForeignServer *fs = GetForeignServer(table->serverid);

	if (!is_updatable(fs->options))
		return psprintf("server \"%s\"", fs->servername);
	if (OidIsValid(userid) &&
		!is_updatable(user_mapping_options(table->serverid, userid)))
		return psprintf("the user mapping for server \"%s\"",
						fs->servername);
	if (!table->updatable)
		return psprintf("foreign table \"%s\"", table->name);
	return NULL;
}

const XeroObject *
xero_table_object(Oid relid, Oid userid, bool *updatable)
{
	ForeignTable *ft = GetForeignTable(relid);

	*updatable = is_updatable(ft->options) &&
		xero_server_updatable(ft->serverid, userid);
	return xero_find_object(get_string(ft->options, "object", ""));
}

/* The table's server for a user, if that may use it; InvalidOid: the caller. */
static XeroServer *
planned_server(const XeroTable *table, Oid userid)
{
	if (!OidIsValid(userid))
		userid = GetUserId();
	return OidIsValid(find_user_mapping(table->serverid, userid)) ?
		merge_options(table->serverid, userid) : NULL;
}

double
xero_planned_records(const XeroTable *table, Oid userid, int *organisations)
{
	XeroServer *server = planned_server(table, userid);

	*organisations = 0;
	return server == NULL ? -1 :
		xero_item_count(server, xero_root_object(table->object),
						table->include_archived, organisations);
}

bool
xero_planned_budget(const XeroTable *table, Oid userid, XeroBudgetState *least)
{
	XeroServer *server = planned_server(table, userid);

	return server != NULL && xero_budget_least(server, least);
}

int
xero_planned_organisations(const XeroTable *table, Oid userid,
						   XeroOrganisation **list)
{
	*list = NULL;
	if (table->one_tenant)
		return 1;
	return xero_known_organisations(find_user_mapping(table->serverid,
													  OidIsValid(userid) ? userid : GetUserId()),
									list);
}

/*
 * Settle what one column reads.  A path that starts with "../" is a member of
 * the record that holds the child array.
 */
static void
get_column(XeroTable *table, Form_pg_attribute att, XeroTableColumn *column)
{
	const char *path;

	memset(column, 0, sizeof(XeroTableColumn));
	/* what PostgreSQL computes for each query is neither read nor written */
	if (att->attisdropped || att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
		return;

	path = get_string(GetForeignColumnOptions(table->relid, att->attnum),
					  "field", NULL);
	if (path == NULL && strcmp(NameStr(att->attname), "tenant_id") == 0)
	{
		column->is_tenant = true;
		return;
	}
	if (path == NULL)
	{
		const XeroColumn *known = xero_find_column(table->object,
												   NameStr(att->attname));

		if (known == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
					 errmsg("column \"%s\" of foreign table \"%s\" has no option \"field\"",
							NameStr(att->attname), table->name),
					 errhint("Name the member of Xero's JSON that it reads: ALTER FOREIGN TABLE %s ALTER COLUMN %s OPTIONS (ADD field '...').",
							 quote_identifier(table->name),
							 quote_identifier(NameStr(att->attname)))));
		column->known = known;
		path = known->field;
		column->from_parent = (known->flags & XERO_COL_PARENT) != 0;
	}
	else
	{
		if (strncmp(path, "../", 3) == 0)
		{
			column->from_parent = true;
			path += 3;
		}
		for (int i = 0; i < table->object->ncolumns; i++)
		{
			const XeroColumn *known = &table->object->columns[i];

			if (pg_strcasecmp(known->field, path) == 0 &&
				((known->flags & XERO_COL_PARENT) != 0) == column->from_parent)
				column->known = known;
		}
	}
	column->path = pstrdup(path);
	column->same_type = column->known != NULL && att->atttypmod < 0 &&
		(xero_type_oid(column->known->type) == att->atttypid ||
		 (column->known->type == XERO_TEXT && att->atttypid == VARCHAROID));
}

XeroTable *
xero_get_table(Relation rel)
{
	ForeignTable *ft = GetForeignTable(RelationGetRelid(rel));
	ForeignServer *fs = GetForeignServer(ft->serverid);
	TupleDesc	desc = RelationGetDescr(rel);
	XeroTable  *table = palloc0(sizeof(XeroTable));
	const char *object = get_string(ft->options, "object", "");

	table->relid = RelationGetRelid(rel);
	table->name = pstrdup(RelationGetRelationName(rel));
	table->serverid = ft->serverid;
	table->object = xero_find_object(object);
	if (table->object == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("Xero object \"%s\" does not exist", object)));
	table->one_tenant = get_string(fs->options, "tenant_id", NULL) != NULL;
	table->include_archived = get_boolean(ft->options, "include_archived", true);
	table->summary_only = get_boolean(ft->options, "summary_only", false);
	table->page_size = get_integer(ft->options, "page_size",
								   get_integer(fs->options, "page_size",
											   XERO_MAX_PAGE_SIZE));
	table->updatable = is_updatable(ft->options);
	table->batch_size = get_integer(ft->options, "batch_size",
									get_integer(fs->options, "batch_size",
												XERO_MAX_BATCH_SIZE));
	table->natts = desc->natts;
	table->columns = palloc(sizeof(XeroTableColumn) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
		get_column(table, TupleDescAttr(desc, i), &table->columns[i]);
	return table;
}

XeroRel *
xero_rel_from_table(const XeroTable *table, Index relid)
{
	XeroRel    *rel = palloc0(sizeof(XeroRel));

	rel->object = table->object;
	rel->natts = table->natts;
	rel->columns = palloc0(sizeof(XeroColumn *) * Max(table->natts, 1));
	rel->relid = relid;
	rel->include_archived = table->include_archived;
	for (int i = 0; i < table->natts; i++)
	{
		if (table->columns[i].is_tenant)
			rel->tenant_attno = i + 1;
		else if (table->columns[i].same_type)
			rel->columns[i] = table->columns[i].known;
	}
	return rel;
}

int
xero_table_fields(const XeroTable *table, TupleDesc desc, XeroField **fields,
				  AttrNumber **attnos)
{
	int			nfields = 0;

	*fields = palloc0(sizeof(XeroField) * Max(table->natts, 1));
	*attnos = palloc0(sizeof(AttrNumber) * Max(table->natts, 1));
	for (int i = 0; i < table->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		XeroField  *field = &(*fields)[nfields];

		if (table->columns[i].path == NULL)
			continue;
		field->path = table->columns[i].path;
		field->from_parent = table->columns[i].from_parent;
		field->type = att->atttypid;
		field->typmod = att->atttypmod;
		field->column = pstrdup(NameStr(att->attname));
		(*attnos)[nfields++] = i + 1;
	}
	return nfields;
}
