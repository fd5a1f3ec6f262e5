/*-------------------------------------------------------------------------
 *
 * token_job.c
 *	  What the jobs that exchange tokens have in common.
 *
 * What is fetched from Xero is fetched in transactions that have no snapshot,
 * so that a slow answer holds up nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "api/audit/queue.h"
#include "api/audit/table.h"
#include "api/consent/connections.h"
#include "api/consent/token_job.h"
#include "base/subxact.h"
#include "base/text.h"
#include "base/urlencode.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* So long a row of the audit is waited for. */
#define AUDIT_PATIENCE "5s"

void
xero_token_job_begin(XeroTokenJob *job)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	MemoryContextSwitchTo(job->cxt);
}

void
xero_token_job_commit(XeroTokenJob *job)
{
	CommitTransactionCommand();
	MemoryContextSwitchTo(job->cxt);
	if (job->audited && job->audit.end.at != 0)
	{
		if (job->in_log || xero_audit_is_logged())
			xero_audit_log(&job->audit);
		job->audited = false;
	}
}

void
xero_token_job_hold_name(XeroTokenJob *job)
{
	ForeignServer *present;
	XeroServer *renamed;

	/* ALTER SERVER waits for this, and this for it */
	LockDatabaseObject(ForeignServerRelationId, job->server->serverid, 0,
					   AccessShareLock);
	present = GetForeignServerExtended(job->server->serverid, FSV_MISSING_OK);
	if (present == NULL || strcmp(present->servername, job->server->name) == 0)
		return;
	renamed = palloc(sizeof(XeroServer));
	*renamed = *job->server;
	renamed->name = present->servername;
	job->server = renamed;
}

bool
xero_token_job_hold_mapping(XeroTokenJob *job)
{
	/* as DROP SERVER locks the two */
	xero_token_job_hold_name(job);
	LockDatabaseObject(UserMappingRelationId, job->server->umid, 0,
					   AccessShareLock);
	return SearchSysCacheExists1(USERMAPPINGOID,
								 ObjectIdGetDatum(job->server->umid));
}

static void
store_audit(void *state)
{
	XeroTokenJob *job = state;
	int			nest_level = NewGUCNestLevel();

	(void) set_config_option("lock_timeout", AUDIT_PATIENCE, PGC_SUSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	xero_audit_store(&job->audit, 1);
	AtEOXact_GUC(false, nest_level);
}

/* What becomes of the audit must not decide on what becomes of a token. */
static void
try_to_store_audit(XeroTokenJob *job)
{
	ErrorData  *error = xero_try(store_audit, job);

	if (error == NULL)
		return;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	ereport(LOG,
			(errmsg("could not write to xero_fdw.audit: %s", error->message)));
	xero_audit_note_lost();
	job->in_log = true;
}

void
xero_token_job_audit(XeroTokenJob *job, XeroAuditEvent event,
					 const XeroServer *server, const char *method,
					 const char *path)
{
	XeroTokenJobSpec *spec = job->spec;
	XeroAuditMessage *audit = &job->audit;

	memset(audit, 0, sizeof(*audit));
	xero_audit_describe(&audit->entry, event, server, method, path);
	xero_audit_asked_by(&audit->entry, spec->roleid, spec->session_roleid,
						spec->pid, spec->application);
	job->audited = true;
	job->in_log = false;
	try_to_store_audit(job);
	if (job->in_log)
		xero_audit_log(audit);
}

void
xero_token_job_audited(XeroTokenJob *job)
{
	XeroAuditMessage *audit = &job->audit;

	audit->end.at = GetCurrentTimestamp();
	if (job->failure != NULL)
		xero_audit_copy(audit->end.error, job->failure->message,
						sizeof(audit->end.error));
	if (!job->in_log)
		try_to_store_audit(job);
}

bool
xero_token_job_fail(XeroTokenJob *job, XeroFailure *failure, int hold_ms)
{
	job->failure = failure;
	job->hold_ms = hold_ms;
	return false;
}

XeroFailure *
xero_no_consent(const XeroServer *server)
{
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("no consent is stored for server \"%s\"",
								 server->name),
						NULL,
						psprintf("%s A custom connection needs the option grant_type 'client_credentials' instead.",
								 xero_authorize_hint(server)));
}

/* Could a header carry it, and a slot? */
static bool
is_usable(const char *token)
{
	return xero_is_graphic(token) && strlen(token) < XERO_SHARED_TOKEN_SIZE;
}

void
xero_wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
}

void
xero_wipe_tokens(XeroConsent *consent)
{
	xero_wipe(consent->access_token);
	xero_wipe(consent->refresh_token);
}

bool
xero_token_job_take_tokens(XeroTokenJob *job, const XeroIdentityRequest *answer,
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
		return xero_token_job_fail(job,
								   xero_failure(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION,
												psprintf("unexpected answer from Xero for server \"%s\"",
														 job->server->name),
												psprintf("POST %s: %s.", XERO_TOKEN_PATH,
														 xero_describe_answer(answer->result)),
												NULL), 0);
	return true;
}

XeroFailure *
xero_unverified(const XeroServer *server, const char *which, XeroJwtResult result)
{
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("%s token received for server \"%s\" cannot be trusted",
								 which, server->name),
						psprintf("The token %s.", xero_jwt_result_name(result)),
						result == XERO_JWT_EXPIRED || result == XERO_JWT_NOT_YET_VALID ?
						"Check this machine's clock." : NULL);
}

XeroIdentityRequest *
xero_token_job_post(XeroTokenJob *job, const char *path, StringInfo form)
{
	XeroFailure *failure = NULL;
	XeroIdentityRequest *answer;

	if (!xero_has_client_secret(job->server))
		xero_append_parameter(form, "client_id", job->server->client_id);
	answer = xero_identity_request(job->server, path, form->data, XERO_IDENTITY_EMPTY,
								   &failure);
	explicit_bzero(form->data, form->len);
	if (answer == NULL)
	{
		(void) xero_token_job_fail(job, failure, 0);
		return NULL;
	}
	job->audit.end.status = answer->result->status;
	xero_audit_copy(job->audit.end.correlation_id,
					answer->result->correlation_id,
					sizeof(job->audit.end.correlation_id));
	return answer;
}

void
xero_token_job_organisations(XeroTokenJob *job, const XeroConsent *consent,
							 bool accept_losses)
{
	XeroServer	server = *job->server;
	XeroOrganisation *list;
	int			count;
	bool		changed;

	server.access_token = consent->access_token;
	server.tenant_id = NULL;
	count = xero_ask_connections(&server, &list);
	if (!xero_token_job_hold_mapping(job))
		return;
	if (!accept_losses)
		count = xero_add_lost_connections(job->server, &list, count, &changed);
	xero_store_organisations(job->server, list, count);
	xero_store_announce(job->server);
}
