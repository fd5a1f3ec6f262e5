/*-------------------------------------------------------------------------
 *
 * connect.c
 *	  SQL functions of consent: begin, complete, keep alive and end it.
 *
 * What they may do follows PostgreSQL's rules for user mappings: for one's own
 * it takes USAGE on the server, for that of PUBLIC, whose consent everybody
 * uses, the server's ownership.  A refresh changes nothing for anybody, so
 * USAGE is enough for it.
 *
 * All that happens at Xero is the work of the background worker, so that no
 * rollback here can undo it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xlog.h"
#include "api/consent/consent.h"
#include "api/consent/reseal.h"
#include "api/consent/store.h"
#include "api/secret/client_secret.h"
#include "api/token/shared_tokens.h"
#include "base/random.h"
#include "base/urlencode.h"
#include "catalog/pg_foreign_server.h"
#include "commands/event_trigger.h"
#include "fdw/consent/requested_scopes.h"
#include "fdw/options.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/value.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#define LOGIN_PATH "/identity/connect/authorize"

/* Of randomness; in the URL they are base64url. */
#define STATE_LEN 32

PG_FUNCTION_INFO_V1(xero_set_client_secret);
PG_FUNCTION_INFO_V1(xero_authorize_url);
PG_FUNCTION_INFO_V1(xero_complete_authorization);
PG_FUNCTION_INFO_V1(xero_refresh_token);
PG_FUNCTION_INFO_V1(xero_disconnect);
PG_FUNCTION_INFO_V1(xero_disconnect_one);
PG_FUNCTION_INFO_V1(xero_rotate_key);
PG_FUNCTION_INFO_V1(xero_server_renamed);

/* The server, if it is one of ours that the caller may deal with. */
static XeroServer *
find_server(const char *name, bool changes)
{
	ForeignServer *fs = xero_usable_server(name);
	XeroServer *server = xero_get_server(fs->serverid, GetUserId());

	if (changes && !OidIsValid(server->roleid) &&
		!object_ownercheck(ForeignServerRelationId, fs->serverid,
						   GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of foreign server %s", name),
				 errdetail("The user mapping that is in force is the one for PUBLIC, whose connection is everybody's."),
				 errhint("Create a user mapping for the role, or have the owner do it.")));
	return server;
}

/* Why there is no consent for it. */
static int
errdetail_no_consent(const XeroServer *server)
{
	return server->access_token != NULL ?
		errdetail("The user mapping has an access_token.") :
		errdetail("Its grant_type is client_credentials.");
}

/* The same, if there can be a consent for it. */
static XeroServer *
find_consent_server(const char *name, bool changes)
{
	XeroServer *server = find_server(name, changes);

	if (!xero_needs_consent(server))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("server \"%s\" needs no consent", name),
				 errdetail_no_consent(server)));
	return server;
}

/* ---- the client secret ---- */

/* An option of the mapping goes before what is stored. */
static void
note_options(const XeroServer *server)
{
	const char *option = server->access_token != NULL ? "access_token" :
	server->client_secret != NULL ? "client_secret" :
	server->client_secret_file != NULL ? "client_secret_file" : NULL;

	if (option != NULL)
		ereport(NOTICE,
				(errmsg("option \"%s\" of the user mapping goes before the stored client secret",
						option),
				 errhint("Drop it: ALTER USER MAPPING FOR %s SERVER %s OPTIONS (DROP %s);",
						 OidIsValid(server->roleid) ?
						 quote_identifier(GetUserNameFromId(server->roleid, false)) :
						 "PUBLIC", quote_identifier(server->name), option)));
}

/* SQL: set_client_secret(server, secret) */
Datum
xero_set_client_secret(PG_FUNCTION_ARGS)
{
	XeroServer *server;
	bytea	   *sealed = NULL;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	server = find_server(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	PreventCommandDuringRecovery("xero_fdw.set_client_secret()");
	if (!PG_ARGISNULL(1))
	{
		char	   *secret = text_to_cstring(PG_GETARG_TEXT_PP(1));

		if (server->client_id == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("server \"%s\" has no client_id", server->name)));
		if (!xero_cut_client_secret(secret))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("client secret must consist of printable ASCII characters without blanks"),
					 errdetail("It has %d characters at most.",
							   XERO_CLIENT_SECRET_MAX)));
		sealed = xero_seal_client_secret(server, secret);
		explicit_bzero(secret, strlen(secret));
		note_options(server);
	}
	xero_store_secret(server, sealed);
	xero_store_announce(server);
	PG_RETURN_VOID();
}

/* ---- begin ---- */

static char *
random_word(void)
{
	unsigned char bytes[STATE_LEN];
	char	   *text = palloc(XERO_BASE64URL_LEN(STATE_LEN) + 1);

	xero_random_bytes(bytes, sizeof(bytes));
	xero_base64url_encode(bytes, sizeof(bytes), text);
	explicit_bzero(bytes, sizeof(bytes));
	return text;
}

/* PKCE's S256 of the verifier. */
static char *
challenge_of(const char *verifier)
{
	unsigned char digest[XERO_SHA256_LEN];
	char	   *text = palloc(XERO_BASE64URL_LEN(XERO_SHA256_LEN) + 1);

	if (!xero_sha256(verifier, strlen(verifier), digest))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not compute a digest")));
	xero_base64url_encode(digest, sizeof(digest), text);
	return text;
}

/* SQL: authorize_url(server) */
Datum
xero_authorize_url(PG_FUNCTION_ARGS)
{
	XeroServer *server = find_consent_server(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											 true);
	XeroLogin  *login = xero_get_login(server->serverid);
	XeroPending pending = {0};
	char	   *state = random_word();
	StringInfoData query;

	pending.server = server->name;
	pending.roleid = server->roleid;
	pending.begun_by = GetUserId();
	pending.client_id = server->client_id;
	pending.verifier = random_word();
	pending.nonce = random_word();
	pending.redirect_uri = login->redirect_uri;
	pending.scopes = xero_requested_scopes(server);
	xero_store_begin(&pending, state);

	initStringInfo(&query);
	xero_append_parameter(&query, "response_type", "code");
	xero_append_parameter(&query, "client_id", server->client_id);
	xero_append_parameter(&query, "redirect_uri", pending.redirect_uri);
	xero_append_parameter(&query, "scope", pending.scopes);
	xero_append_parameter(&query, "state", state);
	xero_append_parameter(&query, "nonce", pending.nonce);
	xero_append_parameter(&query, "code_challenge",
						  challenge_of(pending.verifier));
	xero_append_parameter(&query, "code_challenge_method", "S256");
	explicit_bzero(pending.verifier, strlen(pending.verifier));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s%s?%s", login->login_url,
											  LOGIN_PATH, query.data)));
}

/* ---- complete ---- */

/* A parameter of the address; NULL if it has none of that name. */
static char *
parameter_of(const char *url, const char *name)
{
	const char *p = strchr(url, '?');
	size_t		name_len = strlen(name);

	for (p = p != NULL ? p + 1 : url; *p != '\0' && *p != '#';)
	{
		size_t		len = strcspn(p, "&#");

		if (len > name_len && p[name_len] == '=' &&
			strncmp(p, name, name_len) == 0)
		{
			StringInfoData value;

			initStringInfo(&value);
			xero_append_decoded(&value, p + name_len + 1, len - name_len - 1);
			return value.data;
		}
		p += len;
		if (*p == '&')
			p++;
	}
	return NULL;
}

/* Xero sent the browser back without a code. */
static void
report_refusal(const XeroServer *server, const char *url, const char *error)
{
	char	   *description = parameter_of(url, "error_description");
	const char *detail = description != NULL ?
	psprintf("%s: %s", error, description) : error;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 strcmp(error, "access_denied") == 0 ?
			 errmsg("consent was refused for server \"%s\"", server->name) :
			 errmsg("Xero did not accept the request for consent of server \"%s\"",
					server->name),
			 errdetail_internal("%s",
								xero_clean_text(detail, strlen(detail), 500)),
			 strcmp(error, "invalid_scope") == 0 ?
			 errhint("%s", xero_scopes_hint(server)) :
			 errhint("To begin again: SELECT xero_fdw.authorize_url(%s);",
					 quote_literal_cstr(server->name))));
}

/* Have the worker do something, and wait for it. */
static void
run_job(const XeroServer *server, XeroTokenJobKind kind, const char *argument,
		size_t len)
{
	XeroTokenJobTicket ticket = {0};
	XeroFailure *failure = NULL;
	static uint32 wait_event = 0;

	if (wait_event == 0)
		wait_event = WaitEventExtensionNew("XeroToken");
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		switch (xero_shared_token_run_job(server, kind, argument, len, &ticket, &failure))
		{
			case XERO_SHARED_TOKEN_DONE:
				return;
			case XERO_SHARED_TOKEN_FAILED:
				xero_failure_raise(failure);
				break;
			case XERO_SHARED_TOKEN_WAIT:
				break;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT |
						 WL_EXIT_ON_PM_DEATH, 1000, wait_event);
		ResetLatch(MyLatch);
	}
}

/* State and code as the worker takes them; both are ASCII without blanks. */
static char *
argument_of(const XeroServer *server, const char *url, size_t *len)
{
	char	   *error = parameter_of(url, "error");
	char	   *state = parameter_of(url, "state");
	char	   *code = parameter_of(url, "code");
	char	   *argument;

	if (error != NULL)
		report_refusal(server, url, error);
	if (state == NULL || code == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("address has no %s",
						code == NULL ? "code" : "state"),
				 errhint("Copy the whole address that the browser was sent back to, from http to its end.")));
	*len = strlen(state) + strlen(code) + 2;
	if (*len > XERO_TOKEN_JOB_ARGUMENT_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("address is too long")));
	argument = palloc(*len);
	strcpy(argument, state);
	strcpy(argument + strlen(state) + 1, code);
	return argument;
}

/* SQL: complete_authorization(server, callback_url) */
Datum
xero_complete_authorization(PG_FUNCTION_ARGS)
{
	XeroServer *server = find_consent_server(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											 true);
	char	   *argument;
	size_t		len;

	InitMaterializedSRF(fcinfo, 0);
	PreventCommandDuringRecovery("xero_fdw.complete_authorization()");
	argument = argument_of(server, text_to_cstring(PG_GETARG_TEXT_PP(1)),
						   &len);
	run_job(server, XERO_TOKEN_JOB_AUTHORIZE, argument, len);
	xero_store_show(server, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/* SQL: refresh_token(server) */
Datum
xero_refresh_token(PG_FUNCTION_ARGS)
{
	XeroServer *server = find_consent_server(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											 false);

	PreventCommandDuringRecovery("xero_fdw.refresh_token()");
	run_job(server, XERO_TOKEN_JOB_REFRESH, NULL, 0);
	PG_RETURN_VOID();
}

/* SQL: disconnect(server) */
Datum
xero_disconnect(PG_FUNCTION_ARGS)
{
	XeroServer *server = find_server(text_to_cstring(PG_GETARG_TEXT_PP(0)),
									 true);

	PreventCommandDuringRecovery("xero_fdw.disconnect()");
	if (xero_needs_consent(server))
		run_job(server, XERO_TOKEN_JOB_DISCONNECT, NULL, 0);
	else
	{
		/* nothing to end at Xero; what is stored is the list it gave */
		(void) xero_store_forget(server);
		xero_store_announce(server);
	}
	PG_RETURN_VOID();
}

/* SQL: disconnect(server, tenant_id) */
Datum
xero_disconnect_one(PG_FUNCTION_ARGS)
{
	XeroServer *server = find_server(text_to_cstring(PG_GETARG_TEXT_PP(0)),
									 true);
	char	   *tenant_id = DatumGetCString(DirectFunctionCall1(uuid_out,
																PG_GETARG_DATUM(1)));

	if (!xero_needs_consent(server))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot disconnect a single organisation of server \"%s\"",
						server->name),
				 errdetail_no_consent(server),
				 errhint("Disconnect the application in Xero; then SELECT xero_fdw.disconnect(%s); forgets the organisation.",
						 quote_literal_cstr(server->name))));
	PreventCommandDuringRecovery("xero_fdw.disconnect()");
	run_job(server, XERO_TOKEN_JOB_DISCONNECT_ONE, tenant_id,
			strlen(tenant_id) + 1);
	PG_RETURN_VOID();
}

/* SQL: rotate_key(old_key_file) */
Datum
xero_rotate_key(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(xero_reseal_with_key(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

/*
 * SQL: carry_consents(), an event trigger at the end of ALTER SERVER.  What is
 * stored of a server is found by its name.
 */
Datum
xero_server_renamed(PG_FUNCTION_ARGS)
{
	const Node *statement;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("must be called as an event trigger")));
	statement = ((EventTriggerData *) fcinfo->context)->parsetree;
	if (IsA(statement, RenameStmt))
	{
		const RenameStmt *rename = (const RenameStmt *) statement;

		xero_reseal_for_name(strVal(rename->object), rename->newname);
	}
	PG_RETURN_VOID();
}
