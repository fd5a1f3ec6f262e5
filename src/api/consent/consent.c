/*-------------------------------------------------------------------------
 *
 * consent.c
 *	  The work that only one process at a time may do: exchanging codes and
 *	  refresh tokens, and ending consents.
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
#include "api/consent/consent.h"
#include "api/consent/issuer.h"
#include "api/consent/work.h"
#include "base/text.h"
#include "base/urlencode.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define REVOCATION_PATH "/connect/revocation"

static XeroFailure *
lost_mapping(void)
{
	return xero_failure(ERRCODE_UNDEFINED_OBJECT,
						"server or user mapping was changed meanwhile",
						NULL, "Try again.");
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
take_pending(XeroWork *work, const char *state)
{
	bool		other_role;
	XeroPending *pending = xero_store_take(state, work->job->roleid,
										   &other_role);

	if (other_role)
		(void) xero_work_fail(work,
							  xero_failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
										   psprintf("this authorization of server \"%s\" was begun by another role",
													work->server->name),
										   NULL,
										   "The role that called authorize_url() must complete it."),
							  0);
	else if (pending == NULL || pending->umid != work->job->umid ||
			 strcmp(pending->client_id, work->server->client_id) != 0)
	{
		(void) xero_work_fail(work, bad_state(work->server), 0);
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
verify_both(XeroWork *work, const XeroPending *pending,
			const XeroConsent *consent, const char *id_token,
			XeroClaims *access, XeroClaims *identity)
{
	XeroJwtResult verified;

	verified = xero_issuer_verify(work->server, consent->access_token, NULL,
								  NULL, access);
	if (xero_issuer_is_outdated(verified))
	{
		XeroFailure *failure = xero_issuer_load(work->server, true);

		if (failure != NULL)
			return xero_work_fail(work, failure, 0);
		verified = xero_issuer_verify(work->server, consent->access_token,
									  NULL, NULL, access);
	}
	if (verified != XERO_JWT_VALID)
		return xero_work_fail(work, xero_unverified(work->server, "access", verified), 0);

	if (id_token == NULL)
		verified = xero_has_word(pending->scopes, "openid", strlen("openid")) ?
			XERO_JWT_MALFORMED : XERO_JWT_VALID;
	else
		verified = xero_issuer_verify(work->server, id_token, pending->nonce,
									  consent->access_token, identity);
	if (verified == XERO_JWT_VALID && id_token != NULL &&
		access->subject[0] != '\0' &&
		strcmp(access->subject, identity->subject) != 0)
		verified = XERO_JWT_AT_HASH;
	if (verified != XERO_JWT_VALID)
		return xero_work_fail(work, xero_unverified(work->server, "id", verified), 0);
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
exchange_code(XeroWork *work, const XeroPending *pending, const char *code,
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
	answer = xero_work_post(work, XERO_TOKEN_PATH, &form);
	if (answer == NULL)
		return false;
	if (answer->result->status >= 400)
	{
		bool		stale = strcmp(xero_identity_word(answer),
								   "invalid_grant") == 0;

		return xero_work_fail(work,
							  xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
										   psprintf("Xero refused to complete the authorization of server \"%s\"",
													work->server->name),
										   xero_describe_refusal(answer->result),
										   stale ?
										   psprintf("A code is good for five minutes and for one use. %s",
													xero_authorize_hint(work->server)) :
										   "Check client_id, client_secret and redirect_uri."),
							  0);
	}
	if (!xero_work_take_tokens(work, answer, asked_at, consent, &id_token))
		return false;
	xero_identity_free(answer);
	if (consent->refresh_token == NULL)
		return xero_work_fail(work,
							  xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
										   psprintf("Xero gave no refresh token to server \"%s\"",
													work->server->name),
										   NULL,
										   "The scope offline_access must be granted."),
							  0);
	if (!verify_both(work, pending, consent, id_token, access, identity))
		return false;
	describe_consent(access, identity, consent);
	xero_wipe(id_token);
	return true;
}

static bool
authorize(XeroWork *work)
{
	const char *state = work->job->argument;
	const char *code = state + strlen(state) + 1;
	XeroConsent consent = {0};
	XeroFailure *failure;
	XeroPending *pending = take_pending(work, state);

	xero_work_commit(work);
	xero_work_begin(work);
	if (pending == NULL)
		return false;
	failure = xero_issuer_load(work->server, false);
	if (failure != NULL)
		return xero_work_fail(work, failure, 0);

	consent.umid = pending->umid;
	consent.serverid = work->server->serverid;
	consent.client_id = pending->client_id;
	consent.roleid = pending->roleid;
	consent.scopes = pending->scopes;
	if (!exchange_code(work, pending, code, &consent))
		return false;
	xero_store_consent(&consent);
	xero_store_announce(consent.umid);
	xero_work_commit(work);
	xero_work_begin(work);

	xero_slot_publish(consent.access_token, consent.refreshed_at,
					  consent.expires_at);
	xero_work_organisations(work, &consent, true);
	xero_wipe(consent.access_token);
	xero_wipe(consent.refresh_token);
	xero_wipe(pending->verifier);
	return true;
}

/* ---- the end of a consent ---- */

/* NULL also if what is stored does not open: then it is only forgotten here. */
static XeroConsent *
read_if_possible(XeroWork *work)
{
	XeroConsent *volatile consent = NULL;

	PG_TRY();
	{
		consent = xero_store_read(work->job->umid);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(work->cxt);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		xero_work_begin(work);
	}
	PG_END_TRY();
	return consent;
}

static bool
disconnect(XeroWork *work)
{
	XeroConsent *consent = read_if_possible(work);

	xero_work_commit(work);
	xero_work_begin(work);
	if (consent != NULL && !consent->refused)
	{
		XeroIdentityRequest *answer;
		StringInfoData form;

		initStringInfo(&form);
		xero_append_parameter(&form, "token", consent->refresh_token);
		answer = xero_work_post(work, REVOCATION_PATH, &form);
		if (answer == NULL)
			return false;
		if (answer->result->status > 400)
			return xero_work_fail(work,
								  xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
											   psprintf("Xero refused to end the consent of server \"%s\"",
														work->server->name),
											   xero_describe_refusal(answer->result),
											   "Check client_id and client_secret."),
								  0);
		xero_identity_free(answer);
		xero_wipe(consent->refresh_token);
		xero_wipe(consent->access_token);
	}
	xero_slot_wipe();
	if (!xero_store_forget(work->job->umid))
		return xero_work_fail(work, xero_no_consent(work->server), 0);
	xero_store_announce(work->job->umid);
	return true;
}

/* ---- any job ---- */

static void
do_job(XeroWork *work)
{
	bool		done PG_USED_FOR_ASSERTS_ONLY = false;

	xero_work_begin(work);
	switch (work->job->kind)
	{
		case XERO_JOB_RENEW:
			done = xero_work_renew(work, false);
			break;
		case XERO_JOB_REFRESH:
			done = xero_work_renew(work, true);
			break;
		case XERO_JOB_AUTHORIZE:
			done = authorize(work);
			break;
		case XERO_JOB_DISCONNECT:
			done = disconnect(work);
			break;
	}
	Assert(done == (work->failure == NULL));
	xero_work_commit(work);
}

/* An error becomes what those who wait get to hear. */
static void
catch_error(XeroWork *work)
{
	ErrorData  *error;

	MemoryContextSwitchTo(work->cxt);
	error = CopyErrorData();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(work->cxt);
	(void) xero_work_fail(work,
						  xero_failure(error->sqlerrcode, error->message,
									   error->detail, error->hint), 0);
}

/* For the view of connections, as far as that is possible now. */
static void
note_trouble(XeroWork *work)
{
	PG_TRY();
	{
		xero_work_begin(work);
		xero_store_trouble(work->job->umid, false, work->failure->message);
		xero_work_commit(work);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(work->cxt);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
}

void
xero_consent_work(const XeroServer *server, XeroJob *job)
{
	XeroWork	work = {server, job, CurrentMemoryContext, NULL, 0};

	if (server == NULL || xero_hash_credentials(server) != job->credentials)
		work.failure = lost_mapping();
	else
	{
		PG_TRY();
		{
			do_job(&work);
		}
		PG_CATCH();
		{
			catch_error(&work);
		}
		PG_END_TRY();
		/* terminated by an operator's hand: those who wait ask again */
		if (work.failure != NULL &&
			work.failure->sqlerrcode == ERRCODE_QUERY_CANCELED)
			return;
		if (work.failure != NULL && work.hold_ms != XERO_HOLD_FOR_EVER &&
			(job->kind == XERO_JOB_RENEW || job->kind == XERO_JOB_REFRESH) &&
			!RecoveryInProgress())
			note_trouble(&work);
	}
	explicit_bzero(job->argument, sizeof(job->argument));
	xero_slot_finish(work.failure, work.hold_ms);
}
