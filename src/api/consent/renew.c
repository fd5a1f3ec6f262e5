/*-------------------------------------------------------------------------
 *
 * renew.c
 *	  A new access token for a consent that is stored.
 *
 * The order of things is what makes a connection survive everything:
 *
 *	1. The keys of the issuer are at hand first, so that nothing but the
 *	   exchange itself lies between a refresh token and its successor.
 *	2. The exchange.  If its answer is lost, it is repeated with the same
 *	   refresh token, which Xero honours for half an hour; by this process, or,
 *	   if it dies, by the next one, which finds the same token in the table.
 *	3. The new refresh token is committed, durably.
 *	4. Only then is the access token given out, and used here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xlog.h"
#include "api/consent/issuer.h"
#include "api/consent/token_job.h"
#include "base/urlencode.h"
#include "utils/timestamp.h"

/* A token that cannot be verified would be exchanged for each query. */
#define UNVERIFIED_HOLD_MS 60000

static XeroFailure *
reconnect_failure(const XeroServer *server, const char *detail)
{
	return xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						psprintf("Xero does not accept the consent that is stored for server \"%s\" any more",
								 server->name),
						detail, xero_authorize_hint(server));
}

/* Is what is stored good enough, and not what was given out before? */
static bool
is_still_good(const XeroTokenJob *job, const XeroConsent *consent)
{
	int64		lifetime = consent->expires_at - consent->refreshed_at;

	return consent->access_token != NULL &&
		consent->expires_at > job->spec->given_until &&
		GetCurrentTimestamp() < consent->expires_at - Min(XERO_TOKEN_MARGIN_MS * INT64CONST(1000), lifetime / 2);
}

/*
 * Xero did not want to exchange the refresh token.  That a refresh token is
 * not good any more is for everybody and for good.
 */
static bool
refused_exchange(XeroTokenJob *job, const XeroIdentityRequest *answer)
{
	const char *why = xero_describe_refusal(answer->result);

	if (strcmp(xero_identity_word(answer), "invalid_grant") == 0)
	{
		xero_token_job_hold_name(job);
		xero_store_trouble(job->server, true, why);
		xero_shared_token_wipe();
		return xero_token_job_fail(job, reconnect_failure(job->server, why),
								   XERO_HOLD_FOR_EVER);
	}
	return xero_token_job_fail(job,
							   xero_failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
											psprintf("Xero refused an access token to server \"%s\"",
													 job->server->name),
											why,
											"Check client_id and client_secret."), 0);
}

/*
 * Exchange, and store.  Between the two nothing is waited for.  A key that we
 * do not know yet must be fetched after the refresh token is safe; the access
 * token is not stored before it is verified.
 */
static bool
exchange(XeroTokenJob *job, XeroConsent *consent)
{
	XeroIdentityRequest *answer;
	XeroClaims *claims = palloc(sizeof(XeroClaims));
	XeroJwtResult verified;
	StringInfoData form;
	TimestampTz asked_at;
	char	   *access_token;

	initStringInfo(&form);
	xero_append_parameter(&form, "grant_type", "refresh_token");
	xero_append_parameter(&form, "refresh_token", consent->refresh_token);
	asked_at = GetCurrentTimestamp();
	answer = xero_token_job_post(job, XERO_TOKEN_PATH, &form);
	if (answer == NULL)
		return false;
	if (answer->result->status >= 400)
		return refused_exchange(job, answer);
	if (!xero_token_job_take_tokens(job, answer, asked_at, consent, NULL))
		return false;
	xero_identity_free(answer);

	access_token = consent->access_token;
	verified = xero_issuer_verify(job->server, access_token, NULL, NULL,
								  claims);
	if (verified != XERO_JWT_VALID)
		consent->access_token = NULL;
	xero_token_job_hold_name(job);
	xero_store_tokens(job->server, consent);
	xero_token_job_audited(job);
	xero_token_job_commit(job);
	xero_token_job_begin(job);
	if (xero_issuer_is_outdated(verified))
	{
		XeroFailure *failure = xero_issuer_load(job->server, true);

		if (failure != NULL)
			return xero_token_job_fail(job, failure, 0);
		verified = xero_issuer_verify(job->server, access_token, NULL, NULL,
									  claims);
		if (verified == XERO_JWT_VALID)
		{
			consent->access_token = access_token;
			xero_token_job_hold_name(job);
			xero_store_tokens(job->server, consent);
			xero_token_job_commit(job);
			xero_token_job_begin(job);
		}
	}
	if (verified != XERO_JWT_VALID)
		return xero_token_job_fail(job, xero_unverified(job->server, "access", verified),
								   UNVERIFIED_HOLD_MS);
	return true;
}

bool
xero_token_job_renew(XeroTokenJob *job, bool forced, XeroConsent **renewed)
{
	XeroConsent *consent = xero_store_read(job->server);
	XeroFailure *failure;

	if (consent == NULL ||
		strcmp(consent->client_id, job->server->client_id) != 0)
		return xero_token_job_fail(job, xero_no_consent(job->server), 0);
	if (consent->refused)
		return xero_token_job_fail(job, reconnect_failure(job->server, consent->error),
								   XERO_HOLD_FOR_EVER);
	if (forced || !is_still_good(job, consent))
	{
		if (RecoveryInProgress())
			return xero_token_job_fail(job,
									   xero_failure(ERRCODE_READ_ONLY_SQL_TRANSACTION,
													psprintf("access token of server \"%s\" has expired, and cannot be renewed during recovery",
															 job->server->name),
													NULL,
													"Query the server on the primary: the new token is replicated to here."),
									   0);
		xero_token_job_audit(job, XERO_AUDIT_REFRESH, job->server, "POST",
							 XERO_TOKEN_PATH);
		xero_token_job_commit(job);
		xero_token_job_begin(job);
		failure = xero_issuer_load(job->server, false);
		if (failure != NULL)
			return xero_token_job_fail(job, failure, 0);
		if (!exchange(job, consent))
			return false;
	}
	xero_shared_token_publish(consent->access_token, consent->refreshed_at,
							  consent->expires_at);
	*renewed = consent;
	return true;
}
