/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  Requests to Xero's identity server, waited for.
 *
 * For the background worker, which has nothing else to do meanwhile; backends
 * that want a token of their own use token.c, which does not wait, and judges
 * answers by the same functions.  The rules for repeating are those of all
 * calls (retry.c).
 *
 * These requests cost nothing of the budget: it belongs to organisations, and
 * the identity server knows none.  They do appear in xero_fdw.requests.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "api/budget/statement.h"
#include "api/http/document.h"
#include "api/http/sleep.h"
#include "api/report/request_log.h"
#include "api/report/retry.h"
#include "api/token/identity.h"
#include "common/pg_prng.h"
#include "miscadmin.h"

/*
 * The errors of RFC 6749 (4.1.2.1 and 5.2).  Any other text in an answer of
 * the identity server may be a secret, so it is not shown.
 */
static const char *const oauth_errors[] = {
	"access_denied", "invalid_client", "invalid_grant", "invalid_request",
	"invalid_scope", "server_error", "temporarily_unavailable",
	"unauthorized_client", "unsupported_grant_type",
	"unsupported_response_type"
};

/* The one that is in the answer, "" if none is. */
static const char *
error_word(const XeroHttpResult *result)
{
	XeroTokenDocument *document = palloc(sizeof(XeroTokenDocument));
	const char *word = "";

	(void) xero_parse_token(result->body, result->len, document);
	for (int i = 0; i < lengthof(oauth_errors); i++)
	{
		if (strcmp(document->error, oauth_errors[i]) == 0)
			word = oauth_errors[i];
	}
	explicit_bzero(document, sizeof(*document));
	pfree(document);
	return word;
}

const char *
xero_describe_refusal(const XeroHttpResult *result)
{
	const char *word = error_word(result);

	if (word[0] == '\0')
		return psprintf("%s.", xero_describe_answer(result));
	return psprintf("%s, \"%s\".", xero_describe_answer(result), word);
}

const char *
xero_identity_word(const XeroIdentityAnswer *answer)
{
	return error_word(answer->result);
}

static void
drop_transfer(void *arg)
{
	XeroIdentityAnswer *answer = arg;

	if (answer->http == NULL)
		return;
	if (answer->result != NULL && answer->result->len > 0)
		explicit_bzero(answer->result->body, answer->result->len);
	xero_http_free(answer->http);
	answer->http = NULL;
	answer->result = NULL;
}

void
xero_identity_free(XeroIdentityAnswer *answer)
{
	MemoryContextDelete(answer->cxt);
}

static void
send_request(XeroIdentityAnswer *answer, const XeroServer *server,
			 const char *method, const char *path, const char *form)
{
	XeroHttpRequest request = {0};
	int			n = 0;

	request.method = method;
	request.url = psprintf("%s%s", server->identity_url, path);
	request.headers[n++] = "Accept: application/json";
	if (form != NULL)
	{
		request.headers[n++] =
			"Content-Type: application/x-www-form-urlencoded";
		request.body = form;
		if (server->client_secret != NULL)
		{
			request.user = server->client_id;
			request.password = server->client_secret;
		}
	}
	request.ca_file = server->ca_file;
	request.timeout = server->request_timeout;
	answer->http = xero_http_send(&request);
}

/* Go on with what is ready, then sleep, if there is anything to sleep for. */
static void
sleep_until(double at, uint32 wait_event)
{
	long		timeout = -1;

	CHECK_FOR_INTERRUPTS();
	if (xero_http_pump())
		return;
	if (!isinf(at))
		timeout = (long) Max(0, ceil(at - xero_clock_ms()));
	xero_sleep(timeout, wait_event);
}

static void
await_answer(XeroIdentityAnswer *answer, uint32 wait_event)
{
	while ((answer->result = xero_http_result(answer->http)) == NULL)
		sleep_until(INFINITY, wait_event);
}

XeroSituation
xero_identity_classify(const XeroHttpResult *result, bool empty_ok)
{
	XeroAttempt attempt = {0};

	attempt.transport = result->transport;
	attempt.status = result->status;
	attempt.problem = result->problem;
	attempt.authenticate = "";
	attempt.detail = "";
	attempt.json = (empty_ok && result->len == 0) ||
		xero_looks_like_json(result->content_type, result->body, result->len);
	return xero_classify(&attempt);
}

XeroDecision
xero_identity_decide(XeroSituation situation, int attempt,
					 const XeroHttpResult *result)
{
	XeroRetryInput input = {0};

	input.situation = situation;
	input.attempt = attempt;
	input.repeatable = true;
	input.retry_after = result->retry_after;
	input.random = pg_prng_double(&pg_global_prng_state);
	return xero_decide(&input);
}

XeroFailure *
xero_identity_failure(const XeroServer *server, const char *method,
					  const char *path, XeroSituation situation,
					  const XeroHttpResult *result, double delay_ms)
{
	XeroFailureFacts facts = {0};

	facts.situation = situation;
	facts.server = server;
	facts.method = method;
	facts.path = path;
	facts.result = result;
	facts.delay_ms = delay_ms;
	return xero_failure_of_attempt(&facts);
}

XeroIdentityAnswer *
xero_identity_request(const XeroServer *server, const char *path,
					  const char *form, bool refusable, XeroFailure **failure)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "Xero identity",
											  ALLOCSET_SMALL_SIZES);
	XeroIdentityAnswer *answer = MemoryContextAllocZero(cxt,
														sizeof(XeroIdentityAnswer));
	const char *method = form != NULL ? "POST" : "GET";
	uint32		wait_event = WaitEventExtensionNew("XeroIdentity");

	answer->cxt = cxt;
	answer->callback.func = drop_transfer;
	answer->callback.arg = answer;
	MemoryContextRegisterResetCallback(cxt, &answer->callback);

	for (int attempt = 1;; attempt++)
	{
		XeroLoggedRequest logged;
		XeroSituation situation;
		XeroDecision decision;
		bool		refused;

		xero_request_log_prepare(&logged, server, method, path, NULL);
		logged.attempt = attempt;
		logged.bytes_out = form != NULL ? strlen(form) : 0;
		send_request(answer, server, method, path, form);
		await_answer(answer, wait_event);

		/* a revocation is answered with nothing */
		situation = xero_identity_classify(answer->result, true);
		refused = refusable &&
			answer->result->transport == XERO_TRANSPORT_ANSWERED &&
			answer->result->status >= 400 && answer->result->status <= 403;
		if (refused)
			strlcpy(logged.error, "token refused", sizeof(logged.error));
		else if (situation != XERO_FINE)
			strlcpy(logged.error, xero_situation_name(situation),
					sizeof(logged.error));
		xero_request_log_answer(&logged, answer->result);
		if (refused || situation == XERO_FINE)
			return answer;

		decision = xero_identity_decide(situation, attempt, answer->result);
		if (decision.next != XERO_NEXT_RETRY ||
			(decision.ordered &&
			 decision.delay_ms > xero_statement_max_wait()))
		{
			*failure = xero_identity_failure(server, method, path, situation,
											 answer->result,
											 decision.delay_ms);
			xero_identity_free(answer);
			return NULL;
		}
		drop_transfer(answer);
		for (double until = xero_clock_ms() + decision.delay_ms;
			 xero_clock_ms() < until;)
			sleep_until(until, wait_event);
	}
}
