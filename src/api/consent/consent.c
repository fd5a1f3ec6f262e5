/*-------------------------------------------------------------------------
 *
 * consent.c
 *	  The jobs that only one process at a time may do: exchanging codes and
 *	  refresh tokens, and ending consents and connections.
 *
 * This runs in the background worker.  No transaction of a user has any part
 * in it.  Whatever happens becomes an outcome, which those who wait get to
 * hear, an error too.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "api/consent/connections.h"
#include "api/consent/consent.h"
#include "api/consent/issuer.h"
#include "api/consent/token_job.h"
#include "base/text.h"
#include "base/urlencode.h"
#include "base/uuid.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define REVOCATION_PATH "/connect/revocation"

static XeroFailure *
lost_mapping(void)
{
	return xero_failure(ERRCODE_UNDEFINED_OBJECT,
						"server or user mapping was changed meanwhile",
						"Changes that are not committed do not count yet.",
						"Commit them, or try again.");
}

/* ---- a new consent ---- */

static XeroFailure *
bad_state(const XeroServer *server)
{
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("this authorization of server \"%s\" was not begun, is completed already, or has taken too long",
								 server->name),
						"An address of authorize_url() is good for ten minutes, for one consent, and only if its transaction was committed.",
						xero_authorize_hint(server));
}

/* The pending authorization is gone after this, whatever comes. */
static XeroPending *
take_pending(XeroTokenJob *job, const char *state)
{
	bool		other_role;
	XeroPending *pending = xero_store_take(state, job->spec->roleid,
										   &other_role);

	if (other_role)
		(void) xero_token_job_fail(job,
								   xero_failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
												psprintf("this authorization of server \"%s\" was begun by another role",
														 job->server->name),
												NULL,
												"The role that called authorize_url() must complete it."),
								   0);
	else if (pending == NULL || strcmp(pending->server, job->server->name) != 0 ||
			 pending->roleid != job->server->roleid ||
			 strcmp(pending->client_id, job->server->client_id) != 0)
	{
		(void) xero_token_job_fail(job, bad_state(job->server), 0);
		pending = NULL;
	}
	return pending;
}

static char *
clean_or_null(const char *text)
{
	char	   *clean = xero_clean_text(text, strlen(text), 512);

	return clean[0] == '\0' ? NULL : clean;
}

/* Both tokens, and that they belong together. */
static bool
verify_both(XeroTokenJob *job, const XeroPending *pending,
			const XeroConsent *consent, const char *id_token,
			XeroClaims *access, XeroClaims *identity)
{
	XeroJwtResult verified;

	verified = xero_issuer_verify(job->server, consent->access_token, NULL,
								  NULL, access);
	if (xero_issuer_is_outdated(verified))
	{
		XeroFailure *failure = xero_issuer_load(job->server, true);

		if (failure != NULL)
			return xero_token_job_fail(job, failure, 0);
		verified = xero_issuer_verify(job->server, consent->access_token,
									  NULL, NULL, access);
	}
	if (verified != XERO_JWT_VALID)
		return xero_token_job_fail(job, xero_unverified(job->server, "access", verified), 0);

	if (id_token == NULL)
		verified = xero_has_word(pending->scopes, "openid", strlen("openid")) ?
			XERO_JWT_MALFORMED : XERO_JWT_VALID;
	else
		verified = xero_issuer_verify(job->server, id_token, pending->nonce,
									  consent->access_token, identity);
	if (verified == XERO_JWT_VALID && id_token != NULL &&
		access->subject[0] != '\0' &&
		strcmp(access->subject, identity->subject) != 0)
		verified = XERO_JWT_AT_HASH;
	if (verified != XERO_JWT_VALID)
		return xero_token_job_fail(job, xero_unverified(job->server, "id", verified), 0);
	return true;
}

/* What the tokens say about the consent. */
static void
describe_consent(const XeroClaims *access, const XeroClaims *identity,
				 XeroConsent *consent)
{
	const char *names = psprintf("%s %s", identity->given_name,
								 identity->family_name);

	consent->user_name = clean_or_null(names);
	consent->email = clean_or_null(identity->email);
	consent->xero_user_id = clean_or_null(access->user_id[0] != '\0' ?
										  access->user_id :
										  identity->user_id);
	consent->event = clean_or_null(access->event_id);
	if (access->scope[0] != '\0')
		consent->scopes = xero_clean_text(access->scope,
										  strlen(access->scope),
										  sizeof(access->scope));
}

/* Exchange the code and look at what came of it; nothing is stored yet. */
static bool
exchange_code(XeroTokenJob *job, const XeroPending *pending, const char *code,
			  XeroConsent *consent)
{
	XeroIdentityRequest *answer;
	StringInfoData form;
	XeroClaims *access = palloc0(sizeof(XeroClaims));
	XeroClaims *identity = palloc0(sizeof(XeroClaims));
	char	   *id_token = NULL;
	TimestampTz asked_at;

	initStringInfo(&form);
	xero_append_parameter(&form, "grant_type", "authorization_code");
	xero_append_parameter(&form, "code", code);
	xero_append_parameter(&form, "redirect_uri", pending->redirect_uri);
	xero_append_parameter(&form, "code_verifier", pending->verifier);
	asked_at = GetCurrentTimestamp();
	answer = xero_token_job_post(job, XERO_TOKEN_PATH, &form);
	if (answer == NULL)
		return false;
	if (answer->result->status >= 400)
	{
		bool		stale = strcmp(xero_identity_word(answer),
								   "invalid_grant") == 0;

		return xero_token_job_fail(job,
								   xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
												psprintf("Xero refused to complete the authorization of server \"%s\"",
														 job->server->name),
												xero_describe_refusal(answer->result),
												stale ?
												psprintf("A code is good for five minutes and for one use. %s",
														 xero_authorize_hint(job->server)) :
												"Check client_id, client_secret and redirect_uri."),
								   0);
	}
	if (!xero_token_job_take_tokens(job, answer, asked_at, consent, &id_token))
		return false;
	xero_identity_free(answer);
	if (consent->refresh_token == NULL)
		return xero_token_job_fail(job,
								   xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
												psprintf("Xero gave no refresh token to server \"%s\"",
														 job->server->name),
												NULL,
												"The scope offline_access must be granted."),
								   0);
	if (!verify_both(job, pending, consent, id_token, access, identity))
		return false;
	describe_consent(access, identity, consent);
	xero_wipe(id_token);
	return true;
}

static bool
authorize(XeroTokenJob *job)
{
	const char *state = job->spec->argument;
	const char *code = state + strlen(state) + 1;
	XeroConsent consent = {0};
	XeroFailure *failure;
	XeroPending *pending = take_pending(job, state);

	if (pending != NULL)
		xero_token_job_audit(job, XERO_AUDIT_CONSENT, job->server, "POST",
							 XERO_TOKEN_PATH);
	xero_token_job_commit(job);
	xero_token_job_begin(job);
	if (pending == NULL)
		return false;
	failure = xero_issuer_load(job->server, false);
	if (failure != NULL)
		return xero_token_job_fail(job, failure, 0);

	consent.client_id = pending->client_id;
	consent.completed_by = pending->begun_by;
	consent.scopes = pending->scopes;
	if (!exchange_code(job, pending, code, &consent))
		return false;
	if (!xero_token_job_hold_mapping(job))
		return xero_token_job_fail(job, lost_mapping(), 0);
	xero_store_consent(job->server, &consent);
	xero_store_announce(job->server);
	xero_token_job_audited(job);
	xero_token_job_commit(job);
	xero_token_job_begin(job);

	xero_shared_token_publish(consent.access_token, consent.refreshed_at,
							  consent.expires_at);
	xero_token_job_organisations(job, &consent, true);
	xero_wipe_tokens(&consent);
	xero_wipe(pending->verifier);
	return true;
}

/* ---- the end of a consent ---- */

/* NULL also if what is stored does not open: then it is only forgotten here. */
static XeroConsent *
read_if_possible(XeroTokenJob *job)
{
	XeroConsent *volatile consent = NULL;

	PG_TRY();
	{
		consent = xero_store_read(job->server);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(job->cxt);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		xero_token_job_begin(job);
	}
	PG_END_TRY();
	return consent;
}

static bool
disconnect(XeroTokenJob *job)
{
	XeroConsent *consent = read_if_possible(job);
	bool		revoke = consent != NULL && !consent->refused;

	xero_token_job_audit(job, XERO_AUDIT_DISCONNECT, job->server,
						 revoke ? "POST" : NULL,
						 revoke ? REVOCATION_PATH : NULL);
	xero_token_job_commit(job);
	xero_token_job_begin(job);
	if (revoke)
	{
		XeroIdentityRequest *answer;
		StringInfoData form;

		initStringInfo(&form);
		xero_append_parameter(&form, "token", consent->refresh_token);
		answer = xero_token_job_post(job, REVOCATION_PATH, &form);
		if (answer == NULL)
			return false;
		if (answer->result->status > 400)
			return xero_token_job_fail(job,
									   xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
													psprintf("Xero refused to end the consent of server \"%s\"",
															 job->server->name),
													xero_describe_refusal(answer->result),
													"Check client_id and client_secret."),
									   0);
		xero_identity_free(answer);
		xero_wipe_tokens(consent);
	}
	xero_shared_token_wipe();
	xero_token_job_hold_name(job);
	if (!xero_store_forget(job->server))
		return xero_token_job_fail(job, xero_no_consent(job->server), 0);
	xero_store_announce(job->server);
	xero_token_job_audited(job);
	return true;
}

/* ---- the end of one connection ---- */

static XeroFailure *
not_connected(const XeroServer *server, const char *tenant_id)
{
	return xero_failure(ERRCODE_UNDEFINED_OBJECT,
						psprintf("server \"%s\" is not connected to organisation %s",
								 server->name, tenant_id),
						"Xero does not list it among the connections, and did not before.",
						"See the view xero_fdw.connections.");
}

/*
 * One that Xero does not list any more, and that is missed, is no longer missed
 * after this.
 */
static bool
disconnect_one(XeroTokenJob *job)
{
	const char *tenant_id = job->spec->argument;
	XeroServer	server = *job->server;
	XeroOrganisation wanted = {0};
	XeroOrganisation *list;
	XeroOrganisation *found;
	XeroConsent *consent;
	char	   *path = NULL;
	int			count;
	bool		was_stored;

	wanted.id = *DatumGetUUIDP(DirectFunctionCall1(uuid_in,
												   CStringGetDatum(tenant_id)));
	if (!xero_token_job_renew(job, true, &consent))
		return false;
	server.access_token = consent->access_token;
	server.tenant_id = NULL;
	count = xero_ask_connections(&server, &list);
	found = bsearch(&wanted, list, count, sizeof(XeroOrganisation),
					xero_compare_uuids);
	if (found != NULL)
		path = xero_connection_path(&server, found);

	server.tenant_id = job->spec->argument;
	xero_token_job_audit(job, XERO_AUDIT_DISCONNECT, &server,
						 path ? "DELETE" : NULL, path);
	xero_token_job_commit(job);
	xero_token_job_begin(job);
	server.tenant_id = NULL;
	if (path != NULL)
		job->audit.end.status = xero_end_connection(&server, path);
	xero_wipe_tokens(consent);
	xero_token_job_hold_name(job);
	was_stored = xero_store_forget_organisation(job->server, &wanted.id);
	if (found == NULL && !was_stored)
		return xero_token_job_fail(job, not_connected(job->server, tenant_id), 0);
	xero_store_announce(job->server);
	xero_token_job_audited(job);
	return true;
}

/* ---- any job ---- */

/* A usable token; "forced" a new one, and the organisations. */
static bool
renew(XeroTokenJob *job, bool forced)
{
	XeroConsent *consent;

	if (!xero_token_job_renew(job, forced, &consent))
		return false;
	if (forced)
		xero_token_job_organisations(job, consent, false);
	xero_wipe_tokens(consent);
	return true;
}

static void
do_job(XeroTokenJob *job)
{
	bool		done PG_USED_FOR_ASSERTS_ONLY = false;

	xero_token_job_begin(job);
	switch (job->spec->kind)
	{
		case XERO_TOKEN_JOB_RENEW:
			done = renew(job, false);
			break;
		case XERO_TOKEN_JOB_REFRESH:
			done = renew(job, true);
			break;
		case XERO_TOKEN_JOB_AUTHORIZE:
			done = authorize(job);
			break;
		case XERO_TOKEN_JOB_DISCONNECT:
			done = disconnect(job);
			break;
		case XERO_TOKEN_JOB_DISCONNECT_ONE:
			done = disconnect_one(job);
			break;
	}
	Assert(done == (job->failure == NULL));
	xero_token_job_commit(job);
}

/* An error becomes what those who wait get to hear. */
static void
catch_error(XeroTokenJob *job)
{
	ErrorData  *error;

	MemoryContextSwitchTo(job->cxt);
	error = CopyErrorData();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(job->cxt);
	(void) xero_token_job_fail(job,
							   xero_failure(error->sqlerrcode, error->message,
											error->detail, error->hint), 0);
}

/* For the view of connections. */
static void
note_trouble(XeroTokenJob *job)
{
	xero_token_job_hold_name(job);
	xero_store_trouble(job->server, false, job->failure->message);
}

/* What is to be kept of a failure, as far as that is possible now. */
static void
try_to_keep(XeroTokenJob *job, void (*keep) (XeroTokenJob *job))
{
	PG_TRY();
	{
		xero_token_job_begin(job);
		keep(job);
		xero_token_job_commit(job);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(job->cxt);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
}

void
xero_run_token_job(const XeroServer *server, XeroTokenJobSpec *spec)
{
	XeroTokenJob job = {server, spec, CurrentMemoryContext, NULL, 0};

	if (server == NULL || server->credentials != spec->credentials)
		job.failure = lost_mapping();
	else
	{
		PG_TRY();
		{
			do_job(&job);
		}
		PG_CATCH();
		{
			catch_error(&job);
		}
		PG_END_TRY();
		if (job.audited)
			try_to_keep(&job, xero_token_job_audited);
		/* terminated by an operator's hand: those who wait ask again */
		if (job.failure != NULL &&
			job.failure->sqlerrcode == ERRCODE_QUERY_CANCELED)
			return;
		if (job.failure != NULL && job.hold_ms != XERO_HOLD_FOR_EVER &&
			(spec->kind == XERO_TOKEN_JOB_RENEW || spec->kind == XERO_TOKEN_JOB_REFRESH) &&
			!RecoveryInProgress())
			try_to_keep(&job, note_trouble);
	}
	explicit_bzero(spec->argument, sizeof(spec->argument));
	xero_shared_token_finish_job(job.failure, job.hold_ms);
}
