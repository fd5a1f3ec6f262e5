/*-------------------------------------------------------------------------
 *
 * consent.c
 *	  The work that only one process at a time may do: exchanging codes and
 *	  refresh tokens, and ending consents.
 *
 * This runs in the background worker.  The order of things is what makes a
 * connection survive everything:
 *
 *	1. The keys of the issuer are fetched first, so that nothing but the
 *	   exchange itself lies between a refresh token and its successor.
 *	2. The exchange.  If its answer is lost, it is repeated with the same
 *	   refresh token, which Xero honours for half an hour; by this process, or,
 *	   if it dies, by the next one, which finds the same token in the table.
 *	3. The new refresh token is committed, durably.
 *	4. Only then is the access token given out, and used here.
 *
 * No transaction of a user has any part in this.  What is fetched from Xero is
 * fetched in transactions that have no snapshot, so that a slow answer holds
 * up nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "api/call.h"
#include "api/consent.h"
#include "api/identity.h"
#include "api/issuer.h"
#include "api/store.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define TOKEN_PATH "/connect/token"
#define REVOCATION_PATH "/connect/revocation"

/* A token that cannot be verified would be exchanged for each query. */
#define UNVERIFIED_HOLD_MS 60000

/* Until something is done about it. */
#define HOLD_FOR_EVER (-1)

/* A token is not used in its last minute; as in slots.c. */
#define MARGIN_US INT64CONST(60000000)

/* One job.  Lives in the memory context of the job. */
typedef struct Work
{
	const XeroServer *server;
	XeroJob    *job;
	MemoryContext cxt;
	XeroFailure *failure;		/* how it went */
	int			hold_ms;
} Work;

static void
begin(Work *work)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	MemoryContextSwitchTo(work->cxt);
}

static void
commit(Work *work)
{
	CommitTransactionCommand();
	MemoryContextSwitchTo(work->cxt);
}

/* To be returned, for short. */
static bool
fail(Work *work, XeroFailure *failure, int hold_ms)
{
	work->failure = failure;
	work->hold_ms = hold_ms;
	return false;
}

static const char *
authorize_hint(const XeroServer *server)
{
	return psprintf("Authorize it: SELECT xero_fdw.authorize_url(%s);",
					quote_literal_cstr(server->name));
}

XeroFailure *
xero_no_consent(const XeroServer *server)
{
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("no consent is stored for server \"%s\"",
								 server->name),
						NULL, authorize_hint(server));
}

static XeroFailure *
reconnect_failure(const XeroServer *server, const char *detail)
{
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("Xero does not accept the consent that is stored for server \"%s\" any more",
								 server->name),
						detail, authorize_hint(server));
}

static XeroFailure *
lost_mapping(void)
{
	return xero_failure(ERRCODE_UNDEFINED_OBJECT,
						"server or user mapping was changed meanwhile",
						NULL, "Try again.");
}

/* ---- tokens in an answer ---- */

/* Could a header carry it, and a slot? */
static bool
is_usable(const char *token)
{
	for (const char *p = token; *p != '\0'; p++)
	{
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	}
	return token[0] != '\0' && strlen(token) < XERO_SHARED_TOKEN_SIZE;
}

static void
wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
}

/*
 * Take the tokens out of an answer into the consent; without a new refresh
 * token the old one stays.  The id token, if there is one, is palloc'ed.
 */
static bool
take_tokens(Work *work, const XeroIdentityAnswer *answer,
			TimestampTz asked_at, XeroConsent *consent, char **id_token)
{
	XeroTokenDocument *document = palloc(sizeof(XeroTokenDocument));
	bool		good;

	good = xero_parse_token(answer->result->body, answer->result->len,
							document) &&
		is_usable(document->access_token) && document->expires_in > 0;
	if (good)
	{
		consent->access_token = pstrdup(document->access_token);
		if (document->refresh_token[0] != '\0')
			consent->refresh_token = pstrdup(document->refresh_token);
		if (id_token != NULL && document->id_token[0] != '\0')
			*id_token = pstrdup(document->id_token);
		consent->refreshed_at = asked_at;
		consent->expires_at = asked_at +
			document->expires_in * USECS_PER_SEC;
	}
	explicit_bzero(document, sizeof(*document));
	pfree(document);
	if (!good)
		return fail(work,
					xero_failure(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION,
								 psprintf("unexpected answer from Xero for server \"%s\"",
										  work->server->name),
								 psprintf("POST %s: %s.", TOKEN_PATH,
										  xero_describe_answer(answer->result)),
								 NULL), 0);
	return true;
}

static XeroFailure *
unverified(const XeroServer *server, const char *which, XeroJwtResult result)
{
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("%s token that was got for server \"%s\" cannot be trusted",
								 which, server->name),
						psprintf("The token %s.", xero_jwt_result_name(result)),
						result == XERO_JWT_EXPIRED || result == XERO_JWT_NOT_YET_VALID ?
						"Check this machine's clock." : NULL);
}

/* The form begins with what the kind of exchange needs. */
static XeroIdentityAnswer *
post(Work *work, const char *path, StringInfo form)
{
	XeroFailure *failure = NULL;
	XeroIdentityAnswer *answer;

	if (work->server->client_secret == NULL)
		xero_append_parameter(form, "client_id", work->server->client_id);
	answer = xero_identity_request(work->server, path, form->data, true,
								   &failure);
	explicit_bzero(form->data, form->len);
	if (answer == NULL)
		(void) fail(work, failure, 0);
	return answer;
}

/* ---- a new access token for a consent ---- */

/* Is what is stored good enough, and not what was given out before? */
static bool
is_still_good(const Work *work, const XeroConsent *consent)
{
	int64		lifetime = consent->expires_at - consent->refreshed_at;

	return consent->access_token != NULL &&
		consent->expires_at > work->job->given_until &&
		GetCurrentTimestamp() < consent->expires_at - Min(MARGIN_US, lifetime / 2);
}

/*
 * Xero did not want to exchange the refresh token.  That a refresh token is
 * not good any more is for everybody and for good.
 */
static bool
refused_exchange(Work *work, const XeroIdentityAnswer *answer)
{
	const char *why = xero_describe_refusal(answer->result);

	if (strcmp(xero_identity_word(answer), "invalid_grant") == 0)
	{
		xero_store_trouble(work->job->umid, true, why);
		xero_slot_wipe();
		return fail(work, reconnect_failure(work->server, why),
					HOLD_FOR_EVER);
	}
	return fail(work,
				xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
							 psprintf("Xero refused an access token to server \"%s\"",
									  work->server->name),
							 why,
							 "Check client_id and client_secret."), 0);
}

/*
 * Exchange, and store.  Between the two nothing is waited for.  A key that we
 * do not know yet must be fetched after the refresh token is safe; the access
 * token is not stored before it is verified.
 */
static bool
exchange(Work *work, XeroConsent *consent)
{
	XeroIdentityAnswer *answer;
	XeroClaims *claims = palloc(sizeof(XeroClaims));
	XeroJwtResult verified;
	StringInfoData form;
	TimestampTz asked_at;
	char	   *access_token;

	initStringInfo(&form);
	xero_append_parameter(&form, "grant_type", "refresh_token");
	xero_append_parameter(&form, "refresh_token", consent->refresh_token);
	asked_at = GetCurrentTimestamp();
	answer = post(work, TOKEN_PATH, &form);
	if (answer == NULL)
		return false;
	if (answer->result->status >= 400)
		return refused_exchange(work, answer);
	if (!take_tokens(work, answer, asked_at, consent, NULL))
		return false;
	xero_identity_free(answer);

	access_token = consent->access_token;
	verified = xero_issuer_verify(work->server, access_token, NULL, NULL,
								  claims);
	if (verified != XERO_JWT_VALID)
		consent->access_token = NULL;
	xero_store_tokens(consent);
	commit(work);
	begin(work);
	if (verified == XERO_JWT_UNKNOWN_KEY)
	{
		XeroFailure *failure = xero_issuer_load(work->server, true);

		if (failure != NULL)
			return fail(work, failure, 0);
		verified = xero_issuer_verify(work->server, access_token, NULL, NULL,
									  claims);
		if (verified == XERO_JWT_VALID)
		{
			consent->access_token = access_token;
			xero_store_tokens(consent);
			commit(work);
			begin(work);
		}
	}
	if (verified != XERO_JWT_VALID)
		return fail(work, unverified(work->server, "access", verified),
					UNVERIFIED_HOLD_MS);
	return true;
}

/* Ask Xero what the consent reaches; needs a transaction. */
static void
read_organisations(Work *work, const XeroConsent *consent)
{
	XeroServer	server = *work->server;
	XeroCallSpec spec = {0};
	const XeroResponse *response;
	XeroOrganisation *list;
	int			count;

	server.access_token = consent->access_token;
	server.tenant_id = NULL;
	spec.method = "GET";
	spec.path = "/connections";
	spec.query = "";
	response = xero_call_finish(xero_call_begin(work->cxt, &server, &spec));
	count = xero_parse_organisations(response->body, response->len, NULL, 0);
	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("could not read the list of organisations that server \"%s\" is connected to",
						server.name),
				 errdetail("%s.", response->detail)));
	list = palloc(sizeof(XeroOrganisation) * Max(count, 1));
	(void) xero_parse_organisations(response->body, response->len, list,
									count);
	xero_store_organisations(consent->umid, list, count);
	xero_store_announce(consent->umid);
}

static bool
renew(Work *work, bool forced)
{
	XeroConsent *consent = xero_store_read(work->job->umid);
	XeroFailure *failure;

	if (consent == NULL ||
		strcmp(consent->client_id, work->server->client_id) != 0)
		return fail(work, xero_no_consent(work->server), 0);
	if (consent->refused)
		return fail(work, reconnect_failure(work->server, consent->error),
					HOLD_FOR_EVER);
	if (forced || !is_still_good(work, consent))
	{
		if (RecoveryInProgress())
			return fail(work,
						xero_failure(ERRCODE_READ_ONLY_SQL_TRANSACTION,
									 psprintf("access token of server \"%s\" has expired, and cannot be renewed during recovery",
											  work->server->name),
									 NULL,
									 "Query the server on the primary: the new token is replicated to here."),
						0);
		commit(work);
		begin(work);
		failure = xero_issuer_load(work->server, false);
		if (failure != NULL)
			return fail(work, failure, 0);
		if (!exchange(work, consent))
			return false;
	}
	xero_slot_publish(consent->access_token, consent->refreshed_at,
					  consent->expires_at);
	if (forced)
		read_organisations(work, consent);
	wipe(consent->access_token);
	wipe(consent->refresh_token);
	return true;
}

/* ---- a new consent ---- */

static XeroFailure *
bad_state(const XeroServer *server)
{
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("this authorization of server \"%s\" was not begun, is completed already, or has taken too long",
								 server->name),
						"An address of authorize_url() is good for ten minutes, for one consent, and only if its transaction was committed.",
						authorize_hint(server));
}

/* The pending authorization is gone after this, whatever comes. */
static XeroPending *
take_pending(Work *work, const char *state)
{
	bool		other_role;
	XeroPending *pending = xero_store_take(state, work->job->roleid,
										   &other_role);

	if (other_role)
		(void) fail(work,
					xero_failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
								 psprintf("this authorization of server \"%s\" was begun by another role",
										  work->server->name),
								 NULL,
								 "The role that called authorize_url() must complete it."),
					0);
	else if (pending == NULL || pending->umid != work->job->umid ||
			 strcmp(pending->client_id, work->server->client_id) != 0)
	{
		(void) fail(work, bad_state(work->server), 0);
		pending = NULL;
	}
	return pending;
}

static bool
has_word(const char *words, const char *word)
{
	size_t		len = strlen(word);

	for (const char *p = strstr(words, word); p != NULL; p = strstr(p + 1, word))
	{
		if ((p == words || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' '))
			return true;
	}
	return false;
}

static char *
clean_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : xero_clean_text(text, strlen(text), 512);
}

/* Both tokens, and that they belong together. */
static bool
verify_both(Work *work, const XeroPending *pending,
			const XeroConsent *consent, const char *id_token,
			XeroClaims *access, XeroClaims *identity)
{
	XeroJwtResult verified;

	verified = xero_issuer_verify(work->server, consent->access_token, NULL,
								  NULL, access);
	if (verified == XERO_JWT_UNKNOWN_KEY)
	{
		XeroFailure *failure = xero_issuer_load(work->server, true);

		if (failure != NULL)
			return fail(work, failure, 0);
		verified = xero_issuer_verify(work->server, consent->access_token,
									  NULL, NULL, access);
	}
	if (verified != XERO_JWT_VALID)
		return fail(work, unverified(work->server, "access", verified), 0);

	if (id_token == NULL)
		verified = has_word(pending->scopes, "openid") ?
			XERO_JWT_MALFORMED : XERO_JWT_VALID;
	else
		verified = xero_issuer_verify(work->server, id_token, pending->nonce,
									  consent->access_token, identity);
	if (verified == XERO_JWT_VALID && id_token != NULL &&
		access->subject[0] != '\0' &&
		strcmp(access->subject, identity->subject) != 0)
		verified = XERO_JWT_AT_HASH;
	if (verified != XERO_JWT_VALID)
		return fail(work, unverified(work->server, "id", verified), 0);
	return true;
}

/* What the tokens say about the consent. */
static void
describe_consent(const XeroClaims *access, const XeroClaims *identity,
				 XeroConsent *consent)
{
	const char *names = psprintf("%s %s", identity->given_name,
								 identity->family_name);

	consent->user_name = clean_or_null(xero_clean_text(names, strlen(names),
													   512));
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
exchange_code(Work *work, const XeroPending *pending, const char *code,
			  XeroConsent *consent)
{
	XeroIdentityAnswer *answer;
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
	answer = post(work, TOKEN_PATH, &form);
	if (answer == NULL)
		return false;
	if (answer->result->status >= 400)
	{
		bool		stale = strcmp(xero_identity_word(answer),
								   "invalid_grant") == 0;

		return fail(work,
					xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
								 psprintf("Xero refused to complete the authorization of server \"%s\"",
										  work->server->name),
								 xero_describe_refusal(answer->result),
								 stale ?
								 psprintf("A code is good for five minutes and for one use. %s",
										  authorize_hint(work->server)) :
								 "Check client_id, client_secret and redirect_uri."),
					0);
	}
	if (!take_tokens(work, answer, asked_at, consent, &id_token))
		return false;
	xero_identity_free(answer);
	if (consent->refresh_token == NULL)
		return fail(work,
					xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
								 psprintf("Xero gave no refresh token to server \"%s\"",
										  work->server->name),
								 NULL,
								 "The scope offline_access must be granted."),
					0);
	if (!verify_both(work, pending, consent, id_token, access, identity))
		return false;
	describe_consent(access, identity, consent);
	wipe(id_token);
	return true;
}

static bool
authorize(Work *work)
{
	const char *state = work->job->argument;
	const char *code = state + strlen(state) + 1;
	XeroConsent consent = {0};
	XeroFailure *failure;
	XeroPending *pending = take_pending(work, state);

	commit(work);
	begin(work);
	if (pending == NULL)
		return false;
	failure = xero_issuer_load(work->server, false);
	if (failure != NULL)
		return fail(work, failure, 0);

	consent.umid = pending->umid;
	consent.serverid = work->server->serverid;
	consent.client_id = pending->client_id;
	consent.roleid = pending->roleid;
	consent.scopes = pending->scopes;
	if (!exchange_code(work, pending, code, &consent))
		return false;
	xero_store_consent(&consent);
	xero_store_announce(consent.umid);
	commit(work);
	begin(work);

	xero_slot_publish(consent.access_token, consent.refreshed_at,
					  consent.expires_at);
	read_organisations(work, &consent);
	wipe(consent.access_token);
	wipe(consent.refresh_token);
	wipe(pending->verifier);
	return true;
}

/* ---- the end of a consent ---- */

/* NULL also if what is stored does not open: then it is only forgotten here. */
static XeroConsent *
read_if_possible(Work *work)
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
		begin(work);
	}
	PG_END_TRY();
	return consent;
}

static bool
disconnect(Work *work)
{
	XeroConsent *consent = read_if_possible(work);

	commit(work);
	begin(work);
	if (consent != NULL && !consent->refused)
	{
		XeroIdentityAnswer *answer;
		StringInfoData form;

		initStringInfo(&form);
		xero_append_parameter(&form, "token", consent->refresh_token);
		answer = post(work, REVOCATION_PATH, &form);
		if (answer == NULL)
			return false;
		if (answer->result->status > 400)
			return fail(work,
						xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
									 psprintf("Xero refused to end the consent of server \"%s\"",
											  work->server->name),
									 xero_describe_refusal(answer->result),
									 "Check client_id and client_secret."),
						0);
		xero_identity_free(answer);
		wipe(consent->refresh_token);
		wipe(consent->access_token);
	}
	xero_slot_wipe();
	if (!xero_store_forget(work->job->umid))
		return fail(work, xero_no_consent(work->server), 0);
	xero_store_announce(work->job->umid);
	return true;
}

/* ---- any job ---- */

static void
do_job(Work *work)
{
	bool		done PG_USED_FOR_ASSERTS_ONLY = false;

	begin(work);
	switch (work->job->kind)
	{
		case XERO_JOB_RENEW:
			done = renew(work, false);
			break;
		case XERO_JOB_REFRESH:
			done = renew(work, true);
			break;
		case XERO_JOB_AUTHORIZE:
			done = authorize(work);
			break;
		case XERO_JOB_DISCONNECT:
			done = disconnect(work);
			break;
	}
	Assert(done == (work->failure == NULL));
	commit(work);
}

/* An error becomes what those who wait get to hear. */
static void
catch_error(Work *work)
{
	ErrorData  *error;

	MemoryContextSwitchTo(work->cxt);
	error = CopyErrorData();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(work->cxt);
	(void) fail(work,
				xero_failure(error->sqlerrcode, error->message,
							 error->detail, error->hint), 0);
}

/* For the view of connections, as far as that is possible now. */
static void
note_trouble(Work *work)
{
	PG_TRY();
	{
		begin(work);
		xero_store_trouble(work->job->umid, false, work->failure->message);
		commit(work);
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
	Work		work = {server, job, CurrentMemoryContext, NULL, 0};

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
		if (work.failure != NULL && work.hold_ms != HOLD_FOR_EVER &&
			(job->kind == XERO_JOB_RENEW || job->kind == XERO_JOB_REFRESH) &&
			!RecoveryInProgress())
			note_trouble(&work);
	}
	explicit_bzero(job->argument, sizeof(job->argument));
	xero_slot_finish(work.failure, work.hold_ms);
}
