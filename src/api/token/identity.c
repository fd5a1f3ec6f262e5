/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  Requests to Xero's identity server.
 *
 * A request goes on whenever it is advanced, which never waits: a backend that
 * wants a token does that while its calls go on (token.c).  The background
 * worker has nothing else to do and waits.  The rules for repeating are those
 * of all calls (retry.c).
 *
 * A request lives in a context of its own, a child of its owner's, whose reset
 * ends the transfer and overwrites what may be secret.
 *
 * These requests cost nothing of the budget: it belongs to organisations, and
 * the identity server knows none.  They do appear in xero_fdw.requests.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "api/budget/statement_limits.h"
#include "api/http/eventloop.h"
#include "api/http/small_json.h"
#include "api/report/request_log.h"
#include "api/report/retry.h"
#include "api/secret/client_secret.h"
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
xero_identity_word(const XeroIdentityRequest *request)
{
	return error_word(request->result);
}

/* The attempt is over; its answer may have secrets. */
static void
end_attempt(XeroIdentityRequest *request)
{
	const XeroHttpResult *result = xero_http_result(request->http);

	if (result != NULL && result->len > 0)
		explicit_bzero(result->body, result->len);
	xero_http_free(request->http);
	request->http = NULL;
	request->result = NULL;
}

/* Reset callback. */
static void
drop_request(void *arg)
{
	XeroIdentityRequest *request = arg;

	if (request->http != NULL)
	{
		if (xero_http_result(request->http) == NULL)
		{
			request->logged.elapsed_ms = xero_clock_ms() - request->sent_at;
			strlcpy(request->logged.error, "abandoned",
					sizeof(request->logged.error));
			xero_request_log_add(&request->logged);
		}
		end_attempt(request);
	}
	if (request->form != NULL)
		explicit_bzero(request->form, strlen(request->form));
}

XeroIdentityRequest *
xero_identity_begin(MemoryContext owner, const char *path, const char *form,
					XeroIdentityAnswers answers)
{
	MemoryContext cxt = AllocSetContextCreate(owner, "Xero identity",
											  ALLOCSET_SMALL_SIZES);
	XeroIdentityRequest *request = MemoryContextAllocZero(cxt,
														  sizeof(XeroIdentityRequest));

	request->cxt = cxt;
	request->callback.func = drop_request;
	request->callback.arg = request;
	MemoryContextRegisterResetCallback(cxt, &request->callback);
	request->method = form != NULL ? "POST" : "GET";
	request->path = MemoryContextStrdup(cxt, path);
	request->form = form != NULL ? MemoryContextStrdup(cxt, form) : NULL;
	request->answers = answers;
	return request;
}

void
xero_identity_free(XeroIdentityRequest *request)
{
	MemoryContextDelete(request->cxt);
}

static void
send_attempt(XeroIdentityRequest *request, const XeroServer *server)
{
	XeroHttpRequest http = {0};
	char	   *secret = NULL;
	int			n = 0;

	request->attempt++;
	xero_request_log_prepare(&request->logged, server, request->method,
							 request->path, NULL);
	request->logged.attempt = request->attempt;
	request->logged.bytes_out = request->form ? strlen(request->form) : 0;

	http.method = request->method;
	http.url = psprintf("%s%s", server->identity_url, request->path);
	http.headers[n++] = "Accept: application/json";
	if (request->form != NULL)
	{
		http.headers[n++] =
			"Content-Type: application/x-www-form-urlencoded";
		http.body = request->form;
		if (xero_has_client_secret(server))
		{
			http.user = server->client_id;
			http.password = secret = xero_client_secret(server);
		}
	}
	http.ca_file = server->ca_file;
	http.timeout = server->request_timeout;
	request->http = xero_http_send(&http);
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	request->sent_at = xero_clock_ms();
}

static XeroSituation
classify_answer(const XeroIdentityRequest *request, const XeroHttpResult *result)
{
	XeroAttempt attempt = {0};

	attempt.transport = result->transport;
	attempt.status = result->status;
	attempt.problem = result->problem;
	attempt.authenticate = "";
	attempt.detail = "";
	attempt.json = (request->answers == XERO_IDENTITY_EMPTY && result->len == 0) ||
		xero_looks_like_json(result->content_type, result->body, result->len);
	return xero_classify(&attempt);
}

static XeroDecision
decide(const XeroIdentityRequest *request, XeroSituation situation,
	   const XeroHttpResult *result)
{
	XeroRetryInput input = {0};
	XeroDecision decision;

	input.situation = situation;
	input.attempt = request->attempt;
	input.repeatable = true;
	input.retry_after = result->retry_after;
	input.random = pg_prng_double(&pg_global_prng_state);
	decision = xero_decide(&input);
	if (decision.next == XERO_NEXT_RETRY && decision.bounded)
	{
		if (decision.delay_ms > xero_statement_patience())
			decision.next = XERO_NEXT_FAIL;
		else
			xero_statement_waited(decision.delay_ms);
	}
	return decision;
}

XeroFailure *
xero_identity_failure(const XeroIdentityRequest *request,
					  const XeroServer *server, XeroSituation situation,
					  const XeroHttpResult *result,
					  const XeroDecision *decision)
{
	XeroFailureFacts facts = {0};

	facts.situation = situation;
	facts.server = server;
	facts.method = request->method;
	facts.path = request->path;
	facts.result = result;
	if (decision != NULL)
		facts.decision = *decision;
	return xero_failure_of_attempt(&facts);
}

/* The attempt has ended; what now? */
static void
judge_attempt(XeroIdentityRequest *request, const XeroServer *server,
			  const XeroHttpResult *result)
{
	XeroSituation situation = classify_answer(request, result);
	bool		refused = request->answers != XERO_IDENTITY_DOCUMENT &&
	result->transport == XERO_TRANSPORT_ANSWERED &&
	result->status >= 400 && result->status <= 403;
	XeroDecision decision;

	if (refused)
		strlcpy(request->logged.error, "token refused",
				sizeof(request->logged.error));
	else if (situation != XERO_FINE)
		strlcpy(request->logged.error, xero_situation_name(situation),
				sizeof(request->logged.error));
	xero_request_log_answer(&request->logged, result);
	if (refused || situation == XERO_FINE)
	{
		request->result = result;
		return;
	}
	decision = decide(request, situation, result);
	if (decision.next == XERO_NEXT_RETRY)
		request->resume_at = xero_clock_ms() + decision.delay_ms;
	else
		request->failure = xero_identity_failure(request, server, situation,
												 result, &decision);
	end_attempt(request);
}

bool
xero_identity_advance(XeroIdentityRequest *request, const XeroServer *server,
					  double *resume_at)
{
	MemoryContext old = MemoryContextSwitchTo(request->cxt);

	if (request->http == NULL && request->failure == NULL)
	{
		if (xero_clock_ms() >= request->resume_at)
			send_attempt(request, server);
		else
			*resume_at = Min(*resume_at, request->resume_at);
	}
	if (request->http != NULL && request->result == NULL)
	{
		const XeroHttpResult *result = xero_http_result(request->http);

		if (result != NULL)
			judge_attempt(request, server, result);
		if (request->http == NULL && request->failure == NULL)
			*resume_at = Min(*resume_at, request->resume_at);
	}
	MemoryContextSwitchTo(old);
	return request->result != NULL || request->failure != NULL;
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

XeroIdentityRequest *
xero_identity_request(const XeroServer *server, const char *path,
					  const char *form, XeroIdentityAnswers answers,
					  XeroFailure **failure)
{
	XeroIdentityRequest *request = xero_identity_begin(CurrentMemoryContext,
													   path, form, answers);
	uint32		wait_event = WaitEventExtensionNew("XeroIdentity");
	double		resume_at = INFINITY;

	while (!xero_identity_advance(request, server, &resume_at))
	{
		sleep_until(resume_at, wait_event);
		resume_at = INFINITY;
	}
	if (request->failure == NULL)
		return request;
	*failure = xero_copy_failure(request->failure);
	xero_identity_free(request);
	return NULL;
}
