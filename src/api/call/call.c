/*-------------------------------------------------------------------------
 *
 * call.c
 *	  One API call: grant, token, HTTP, retries, errors.
 *
 * A call passes through the states of CallState.  No state waits: all calls
 * that are not done are in one list, the oldest first, and whenever this
 * backend waits for any of them (wait.c), or pumps, each goes on as far as it
 * can.  A failure is kept in its call until somebody asks for the answer.
 *
 * A call whose answer may be in a cache (page_cache.c) begins by looking there,
 * and waits if it is on its way.
 *
 * A call lives in a context of its own, a child of its owner's, with a reset
 * callback that was registered before it acquired anything: the transfer, the
 * grant and the interest in a token are given back there, however the call
 * ends.  The answer's body belongs to the transfer.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "api/audit/audit.h"
#include "api/budget/budget.h"
#include "api/budget/role_day.h"
#include "api/budget/statement_limits.h"
#include "api/call/call.h"
#include "api/call/page_cache.h"
#include "api/call/session.h"
#include "api/http/eventloop.h"
#include "api/http/http.h"
#include "api/report/caps.h"
#include "api/report/failure.h"
#include "api/report/request_log.h"
#include "api/report/retry.h"
#include "api/shared/shared.h"
#include "api/token/token.h"
#include "base/text.h"
#include "common/pg_prng.h"
#include "lib/ilist.h"
#include "miscadmin.h"

/*
 * For six minutes from the first call an Idempotency-Key has Xero answer
 * instead of doing the work again; half a minute is for the way there.
 */
#define KEY_LIFE (330 * 1000.0) /* ms */

/* xero_call_pump() may be called for every row; this often it does something. */
#define PUMP_INTERVAL 1.0		/* ms */

/* The header that has the token. */
#define BEARER "Authorization: Bearer "

/* A wait that was begun may be longer than the patience by rounding. */
#define SLACK 1.0				/* ms */

typedef enum CallState
{
	CALL_GRANT,					/* waits for leave to call */
	CALL_CACHE,					/* waits for an answer of another call, or to
								 * be the one that asks, then GRANT */
	CALL_TOKEN,					/* has that, waits for a token; if for too
								 * long, then GRANT */
	CALL_AUDIT,					/* of a write: waits until the audit knows of
								 * the attempt, then TOKEN */
	CALL_SENDING,				/* the attempt is under way */
	CALL_BACKOFF,				/* waits until resume_at, then GRANT */
	CALL_DONE					/* response or failure is there */
} CallState;

struct XeroCall
{
	MemoryContext cxt;
	MemoryContextCallback callback;
	dlist_node	node;			/* in "active" unless DONE */
	bool		active;

	XeroServer	server;			/* copies */
	XeroCallSpec spec;
	char	   *url;
	bool		filtered;		/* the query has a where= */

	XeroCachedPage *page;		/* in the cache, or NULL */
	CallState	state;
	Oid			roleid;			/* who has begun it */
	bool		reserved;		/* counted for the role, and not sent yet */
	XeroGrant	grant;
	XeroTokenTicket ticket;
	XeroHttp   *http;
	const char *token;			/* of the present attempt */
	int			attempt;		/* attempts that were begun */
	bool		renewed;		/* a second token was asked for */
	bool		is_write;
	double		doubtful_at;	/* when the first attempt was sent that may
								 * have written; -INFINITY: none */
	double		resume_at;		/* BACKOFF */
	XeroFailure *impatient;		/* BACKOFF that xero_fdw.max_wait bounds: what
								 * is said if it does; else NULL */
	double		wanted_at;		/* since when the attempt is wanted */
	double		waited_ms;		/* how long it was wanted before it was sent */
	double		stalled_ms;		/* for limits, not charged yet */
	double		sent_at;
	XeroLoggedRequest logged;	/* the present attempt */
	XeroAudit  *audit;			/* of a write, or NULL */

	XeroFailure *failure;
	XeroResponse response;
};

static dlist_head active = DLIST_STATIC_INIT(active);

/* ---- beginning and end ---- */

static void
leave_list(XeroCall *call)
{
	if (call->active)
		dlist_delete(&call->node);
	if (call->active && call->is_write)
		xero_page_caches_forget();
	call->active = false;
	if (call->page != NULL && call->page->asker == call)
		call->page->asker = NULL;
}

/* Have it counted as one of its role's day, as long as it is to be sent. */
static bool
reserve(XeroCall *call, TimestampTz *ends_at)
{
	if (!call->reserved)
		call->reserved = xero_role_day_take(&call->server, call->roleid,
											ends_at);
	return call->reserved;
}

static void
release(XeroCall *call)
{
	if (call->reserved)
		xero_role_day_return(&call->server, call->roleid);
	call->reserved = false;
}

/*
 * What was wrong with an attempt, for the log.  Of a write whose outcome is not
 * known, the log has what is needed to look for it.
 */
static void
note_error(XeroCall *call, const char *what, bool doubtful)
{
	if (doubtful && call->spec.idempotency_key != NULL)
		snprintf(call->logged.error, sizeof(call->logged.error),
				 "%s, outcome unknown, key %s", what,
				 call->spec.idempotency_key);
	else
		snprintf(call->logged.error, sizeof(call->logged.error), "%s%s", what,
				 doubtful ? ", outcome unknown" : "");
}

/* How the attempt has ended; of one that was answered, more may be to tell. */
static void
end_audit(XeroCall *call, int status, const char *what, bool doubtful,
		  const char *correlation_id)
{
	char		error[64];

	if (call->audit == NULL)
		return;
	snprintf(error, sizeof(error), "%s%s", what,
			 doubtful ? ", outcome unknown" : "");
	xero_audit_end(call->audit, status, error, correlation_id);
}

static void
close_audit(XeroCall *call)
{
	if (call->audit != NULL)
		xero_audit_close(call->audit);
}

/* Reset callback: the call goes, whatever it was doing. */
static void
abandon_call(void *arg)
{
	XeroCall   *call = arg;

	if (call->spec.dropped != NULL)
		call->spec.dropped(call);
	/* later pages may be there, which would be older than this one then */
	if (call->page != NULL && call->page->asker == call)
		xero_page_cache_forget(call->page->cache);
	leave_list(call);
	if (call->http != NULL)
	{
		if (call->state == CALL_SENDING)
		{
			call->logged.elapsed_ms = xero_clock_ms() - call->sent_at;
			note_error(call, "abandoned", call->is_write);
			xero_request_log_add(&call->logged);
			end_audit(call, 0, "abandoned", true, NULL);
		}
		xero_http_free(call->http);
		call->http = NULL;
	}
	close_audit(call);
	release(call);
	xero_token_leave(&call->ticket);
	if (call->state == CALL_SENDING)
		xero_budget_abandon(&call->grant);
	else
		xero_budget_return(&call->grant);
}

/* The caller's structs may go before the call does. */
static void
copy_request(XeroCall *call, const XeroServer *server,
			 const XeroCallSpec *spec)
{
	call->server = *server;
	call->server.name = xero_copy_text(server->name);
	call->server.client_id = xero_copy_text(server->client_id);
	call->server.app = xero_copy_text(server->app);
	call->server.client_secret = xero_copy_text(server->client_secret);
	call->server.client_secret_file = xero_copy_text(server->client_secret_file);
	if (server->sealed_secret != NULL)
		call->server.sealed_secret = DatumGetByteaPCopy(PointerGetDatum(server->sealed_secret));
	call->server.access_token = xero_copy_text(server->access_token);
	call->server.tenant_id = xero_copy_text(server->tenant_id);
	call->server.tenant_name = xero_copy_text(server->tenant_name);
	call->server.scopes = xero_copy_text(server->scopes);
	call->server.api_url = xero_copy_text(server->api_url);
	call->server.identity_url = xero_copy_text(server->identity_url);
	call->server.ca_file = xero_copy_text(server->ca_file);

	call->spec = *spec;
	call->spec.method = xero_copy_text(spec->method);
	call->spec.path = xero_copy_text(spec->path);
	call->spec.query = xero_copy_text(spec->query);
	call->spec.modified_since = xero_copy_text(spec->modified_since);
	call->spec.body = xero_copy_text(spec->body);
	call->spec.idempotency_key = xero_copy_text(spec->idempotency_key);
	call->spec.subject = xero_copy_text(spec->subject);
	call->is_write = strcmp(spec->method, "GET") != 0;
	if (call->is_write && !spec->unaudited)
		call->audit = xero_audit_create(server, spec->method, spec->path,
										spec->idempotency_key,
										spec->record_keys);
	call->response.audit = call->audit;
	call->doubtful_at = spec->sent_before ?
		xero_clock_ms() - spec->sent_ago : -INFINITY;

	if (spec->query == NULL || spec->query[0] == '\0')
		call->url = psprintf("%s%s", server->api_url, spec->path);
	else
	{
		call->url = psprintf("%s%s?%s", server->api_url, spec->path,
							 spec->query);
		call->filtered = strncmp(spec->query, "where=", 6) == 0 ||
			strstr(spec->query, "&where=") != NULL;
	}
}

/* What was spent goes to who began the call, and to the session. */
static void
spend(XeroCall *call, const XeroCallStats *cost)
{
	XeroCallStats *stats = call->spec.stats;

	if (stats == NULL)
		return;
	stats->calls += cost->calls;
	stats->retries += cost->retries;
	stats->bytes_in += cost->bytes_in;
	stats->bytes_out += cost->bytes_out;
	stats->waited_ms += cost->waited_ms;
	xero_session_spend(cost);
}

static void
finish_call(XeroCall *call)
{
	leave_list(call);
	release(call);
	call->state = CALL_DONE;
}

/* Has an attempt been sent that may have written? */
static bool
is_doubtful(const XeroCall *call)
{
	return !isinf(call->doubtful_at);
}

/*
 * A write of which an attempt may have succeeded fails with that, whatever
 * ended it.
 */
static void
fail_call(XeroCall *call, XeroFailure *failure)
{
	if (is_doubtful(call))
	{
		XeroDoubt	doubt = {0};

		doubt.server = &call->server;
		doubt.method = call->spec.method;
		doubt.path = call->spec.path;
		doubt.subject = call->spec.subject;
		doubt.idempotency_key = call->spec.idempotency_key;
		failure = xero_failure_of_doubt(&doubt, failure);
	}
	call->failure = failure;
	close_audit(call);
	finish_call(call);
}

/* Does the key, if the write needs it, still keep it from being done twice? */
static bool
is_protected(const XeroCall *call, double at)
{
	if (!is_doubtful(call) || strcmp(call->spec.method, "DELETE") == 0)
		return true;
	return call->spec.idempotency_key != NULL &&
		at <= call->doubtful_at + KEY_LIFE;
}

/* ---- the states; each returns true if the call went on ---- */

static bool
want_page(XeroCall *call)
{
	XeroCachedPage *page = call->page;

	if (page->response.body != NULL)
	{
		call->response = page->response;
		call->spec.stats->shared++;
		finish_call(call);
		return true;
	}
	if (page->asker != NULL)
		return false;
	page->asker = call;
	call->state = CALL_GRANT;
	return true;
}

static bool
want_grant(XeroCall *call)
{
	TimestampTz ends_at;

	if (!xero_statement_may_call(&call->server))
		fail_call(call, xero_failure_of_max_calls(&call->server));
	else if (!reserve(call, &ends_at))
		fail_call(call, xero_failure_of_role_day(&call->server, call->roleid,
												 ends_at));
	else if (xero_budget_acquire(&call->grant, &call->server))
	{
		xero_statement_called(call->spec.stats ? call->spec.stats->table : NULL,
							  call->spec.method, call->spec.path);
		call->waited_ms = xero_clock_ms() - call->wanted_at;
		call->state = CALL_TOKEN;
	}
	else
		return false;
	return true;
}

static void
send_attempt(XeroCall *call, const char *token)
{
	const XeroCallSpec *spec = &call->spec;
	XeroHttpRequest request = {0};
	XeroCallStats cost = {0};
	char	   *authorization;
	int			n = 0;

	xero_request_log_prepare(&call->logged, &call->server, spec->method,
							 spec->path, spec->query);
	call->logged.attempt = call->attempt + 1;
	call->logged.waited_ms = call->waited_ms;
	call->logged.bytes_out = spec->body ? strlen(spec->body) : 0;

	request.method = spec->method;
	request.url = call->url;
	request.headers[n++] = "Accept: application/json";
	authorization = psprintf("%s%s", BEARER, token);
	call->token = authorization + strlen(BEARER);
	request.headers[n++] = authorization;
	if (call->server.tenant_id != NULL)
		request.headers[n++] = psprintf("xero-tenant-id: %s",
										call->server.tenant_id);
	if (spec->modified_since != NULL)
		request.headers[n++] = psprintf("If-Modified-Since: %s",
										spec->modified_since);
	if (spec->body != NULL)
		request.headers[n++] = "Content-Type: application/json";
	if (spec->idempotency_key != NULL)
		request.headers[n++] = psprintf("Idempotency-Key: %s",
										spec->idempotency_key);
	request.body = spec->body;
	request.ca_file = call->server.ca_file;
	request.timeout = call->server.request_timeout;

	call->http = xero_http_send(&request);
	call->grant.kept = true;
	call->sent_at = xero_clock_ms();
	call->reserved = false;
	call->attempt++;
	call->state = CALL_SENDING;
	cost.calls = 1;
	cost.retries = call->attempt > 1;
	cost.bytes_out = call->logged.bytes_out;
	spend(call, &cost);
}

static bool
want_token(XeroCall *call, double *resume_at)
{
	const char *token;
	XeroFailure *failure;

	switch (xero_token_get(&call->ticket, &call->server, &token, &failure,
						   resume_at))
	{
		case XERO_TOKEN_PENDING:
			return false;
		case XERO_TOKEN_READY:
			if (!is_protected(call, xero_clock_ms()))
			{
				xero_budget_return(&call->grant);
				fail_call(call, NULL);
			}
			else if (xero_budget_is_stale(&call->grant))
			{
				xero_budget_return(&call->grant);
				call->state = CALL_GRANT;
			}
			else if (call->audit != NULL && !xero_audit_is_open(call->audit))
			{
				call->grant.kept = true;
				xero_audit_begin(call->audit, call->attempt + 1);
				call->state = CALL_AUDIT;
			}
			else
				send_attempt(call, token);
			break;
		case XERO_TOKEN_FAILED:
			xero_budget_return(&call->grant);
			fail_call(call, failure);
			break;
	}
	return true;
}

static bool
want_audit(XeroCall *call, double *resume_at)
{
	if (!xero_audit_may_send(call->audit, resume_at))
		return false;
	call->state = CALL_TOKEN;	/* it may have ended meanwhile */
	return true;
}

/* Is this what the caller is prepared for, though it is no success? */
static bool
is_answer(const XeroCall *call, XeroSituation situation)
{
	return (situation == XERO_MISSING && call->spec.missing_ok) ||
		(situation == XERO_BAD_REQUEST && call->spec.refusal_ok &&
		 call->http != NULL && xero_http_result(call->http)->status == 400);
}

static void
log_answer(XeroCall *call, const XeroHttpResult *result,
		   XeroSituation situation)
{
	XeroCallStats cost = {0};

	if (situation != XERO_FINE && !is_answer(call, situation))
		note_error(call, xero_situation_name(situation),
				   call->is_write && xero_perhaps_done(situation));
	xero_request_log_answer(&call->logged, result);
	end_audit(call, result->status,
			  situation == XERO_FINE ? "" : xero_situation_name(situation),
			  xero_perhaps_done(situation), result->correlation_id);
	cost.bytes_in = result->bytes_in;
	spend(call, &cost);
	xero_session_note_clock(result);
}

static XeroSituation
classify_answer(XeroCall *call, const XeroHttpResult *result,
				const XeroErrorDocument *document)
{
	XeroAttempt attempt = {0};

	attempt.transport = result->transport;
	attempt.status = result->status;
	attempt.problem = result->problem;
	attempt.authenticate = result->authenticate;
	attempt.detail = document->detail;
	attempt.token_ended = call->ticket.serial != 0 &&
		xero_clock_ms() >= call->ticket.ends_at;
	attempt.markup = document->markup;
	attempt.json = (call->is_write && result->status == 204) ||
		xero_looks_like_json(result->content_type, result->body, result->len);
	return xero_classify(&attempt);
}

/*
 * A wait that is longer than the statement's patience is of no use.  One of our
 * own choice ends with it, with a last attempt.
 */
static void
bound_delay(XeroDecision *decision)
{
	double		patience = xero_statement_patience();

	if (!decision->ordered && patience > 0)
		decision->delay_ms = Min(decision->delay_ms, patience);
	if (decision->next == XERO_NEXT_RETRY && decision->delay_ms > patience)
		decision->next = XERO_NEXT_FAIL;
}

static XeroDecision
decide(XeroCall *call, const XeroHttpResult *result, XeroSituation situation)
{
	XeroRetryInput input = {0};
	XeroDecision decision;

	input.situation = situation;
	input.attempt = call->attempt;
	input.keyed = call->spec.idempotency_key != NULL;
	input.repeatable = !call->is_write || input.keyed ||
		strcmp(call->spec.method, "DELETE") == 0;
	input.filtered = call->filtered;
	/* the worker makes the others, and more than one statement waits for it */
	input.patient = call->spec.stats != NULL;
	input.renewable = !call->renewed && xero_token_renewable(&call->server);
	input.retry_after = result->retry_after;
	input.random = pg_prng_double(&pg_global_prng_state);
	decision = xero_decide(&input);

	if (decision.bounded && xero_limit_of(situation) == XERO_BLOCKED_BY_NONE)
		bound_delay(&decision);
	if (decision.next == XERO_NEXT_RETRY &&
		!is_protected(call, xero_clock_ms() + decision.delay_ms))
		decision.next = XERO_NEXT_FAIL;
	return decision;
}

/*
 * How long limits have held up the attempt.  An operator wants to know who
 * waits for long, as for locks.
 */
static void
log_stall(const XeroCall *call)
{
	int			threshold = xero_statement_log_min_wait();

	if (threshold < 0 || call->stalled_ms == 0 ||
		call->stalled_ms < threshold)
		return;
	ereport(LOG,
			(errmsg("waited %.3f ms for Xero's rate limits on server \"%s\"",
					call->stalled_ms, call->server.name),
			 errdetail("The call is %s %s for organisation %s.",
					   call->spec.method, call->spec.path,
					   call->server.tenant_id ? call->server.tenant_id : "(none)")));
}

/* The attempt has cost what it has cost, and Xero may have said what is left. */
static void
give_back_grant(XeroCall *call, const XeroHttpResult *result,
				XeroSituation situation, const XeroDecision *decision)
{
	if (xero_limit_of(situation) != XERO_BLOCKED_BY_NONE)
		xero_budget_refuse(&call->grant, xero_limit_of(situation),
						   result->problem, decision->delay_ms);
	else if (situation == XERO_NO_CONNECTION || situation == XERO_UNTRUSTED ||
			 situation == XERO_UNSENDABLE || situation == XERO_UNMADE)
	{
		call->reserved = true;
		xero_budget_return(&call->grant);
	}
	else
	{
		if (situation == XERO_TOKEN_EXPIRED || situation == XERO_TOKEN_REJECTED)
			xero_budget_deny(&call->grant);
		else
			xero_budget_charge(&call->grant, result, situation == XERO_FINE,
							   call->logged.bytes_out, call->stalled_ms);
		log_stall(call);
		call->stalled_ms = 0;
	}
}

static XeroFailure *
explain_failure(XeroCall *call, const XeroHttpResult *result,
				XeroSituation situation, const XeroErrorDocument *document,
				const XeroDecision *decision)
{
	XeroFailureFacts facts = {0};

	facts.situation = situation;
	facts.server = &call->server;
	facts.method = call->spec.method;
	facts.path = call->spec.path;
	facts.query = call->spec.query;
	facts.result = result;
	facts.document = document;
	facts.filtered = call->filtered;
	facts.decision = *decision;
	return xero_failure_of_attempt(&facts);
}

static void
accept_answer(XeroCall *call, const XeroHttpResult *result)
{
	call->response.status = result->status;
	call->response.body = result->body;
	call->response.len = result->len;
	call->response.detail = xero_describe_answer(result);
	call->response.perhaps_done = is_doubtful(call);
	if (call->page != NULL && result->status == 200)
		xero_page_cache_keep(call->page, &call->response);
	finish_call(call);
}

/* The transfer has ended; what now? */
static void
judge_answer(XeroCall *call, const XeroHttpResult *result)
{
	XeroErrorDocument document;
	XeroSituation situation;
	XeroDecision decision;

	/* what refuses a request may quote it, and is shown to whoever reads */
	if (result->status != 200 || call->is_write)
		xero_http_hide(call->http, call->token);
	if (result->status >= 400)
		xero_parse_error(result->body, result->len, &document);
	else
		memset(&document, 0, sizeof(document));
	situation = classify_answer(call, result, &document);
	log_answer(call, result, situation);
	if (call->is_write && !is_doubtful(call) &&
		xero_perhaps_done(situation))
		call->doubtful_at = call->sent_at;
	decision = decide(call, result, situation);
	give_back_grant(call, result, situation, &decision);

	if (is_answer(call, situation))
	{
		accept_answer(call, result);
		return;
	}
	if (situation == XERO_TOKEN_EXPIRED || situation == XERO_TOKEN_REJECTED)
		xero_token_reject(&call->ticket, &call->server);

	call->wanted_at = xero_clock_ms();
	switch (decision.next)
	{
		case XERO_NEXT_DONE:
			accept_answer(call, result);
			return;				/* keeps the transfer, which has the body */
		case XERO_NEXT_FAIL:
			if (call->spec.failure_ok && result->status >= 500)
			{
				accept_answer(call, result);
				return;
			}
			fail_call(call, explain_failure(call, result, situation,
											&document, &decision));
			break;
		case XERO_NEXT_RENEW:
			call->renewed = true;
			call->state = CALL_GRANT;
			break;
		case XERO_NEXT_RETRY:
			/* for limits, all who call wait in the budget, in their turn */
			call->state = xero_limit_of(situation) != XERO_BLOCKED_BY_NONE ?
				CALL_GRANT : CALL_BACKOFF;
			call->resume_at = call->wanted_at + decision.delay_ms;
			call->impatient = NULL;
			if (call->state == CALL_BACKOFF && decision.bounded)
				call->impatient = explain_failure(call, result, situation,
												  &document, &decision);
			break;
	}
	close_audit(call);
	xero_http_free(call->http);
	call->http = NULL;
}

static bool
take_answer(XeroCall *call)
{
	const XeroHttpResult *result = xero_http_result(call->http);

	if (result == NULL)
		return false;
	judge_answer(call, result);
	return true;
}

static bool
back_off(XeroCall *call, double *resume_at)
{
	if (xero_clock_ms() < call->resume_at)
	{
		*resume_at = Min(*resume_at, call->resume_at);
		return false;
	}
	call->state = CALL_GRANT;
	return true;
}

/* ---- driving ---- */

static bool
advance(XeroCall *call, double *resume_at)
{
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	bool		moved = false;

	switch (call->state)
	{
		case CALL_GRANT:
			moved = want_grant(call);
			break;
		case CALL_CACHE:
			moved = want_page(call);
			break;
		case CALL_TOKEN:
			moved = want_token(call, resume_at);
			break;
		case CALL_AUDIT:
			moved = want_audit(call, resume_at);
			break;
		case CALL_SENDING:
			moved = take_answer(call);
			break;
		case CALL_BACKOFF:
			moved = back_off(call, resume_at);
			break;
		case CALL_DONE:
			break;
	}
	MemoryContextSwitchTo(old);
	return moved;
}

double
xero_call_drive(void)
{
	bool		moved;
	double		resume_at;

	do
	{
		dlist_mutable_iter iter;

		moved = xero_http_pump();
		resume_at = INFINITY;
		dlist_foreach_modify(iter, &active)
		{
			XeroCall   *call = dlist_container(XeroCall, node, iter.cur);

			while (advance(call, &resume_at))
				moved = true;
		}
		if (moved && InterruptPending)
			return -INFINITY;
	} while (moved);
	return Min(resume_at, xero_budget_renew());
}

XeroCall *
xero_call_begin(MemoryContext owner, const XeroServer *server,
				const XeroCallSpec *spec)
{
	MemoryContext cxt;
	MemoryContext old;
	XeroCall   *call;

	xero_shared_attach();

	cxt = AllocSetContextCreate(owner, "Xero call", ALLOCSET_SMALL_SIZES);
	call = MemoryContextAllocZero(cxt, sizeof(XeroCall));
	call->cxt = cxt;
	call->callback.func = abandon_call;
	call->callback.arg = call;
	MemoryContextRegisterResetCallback(cxt, &call->callback);

	old = MemoryContextSwitchTo(cxt);
	copy_request(call, server, spec);
	MemoryContextSwitchTo(old);

	call->roleid = GetUserId();
	call->grant.role = xero_budget_role();
	call->wanted_at = xero_clock_ms();
	if (spec->cache != NULL)
	{
		call->page = xero_page_cache_find(spec->cache, server, spec);
		call->state = CALL_CACHE;
	}
	if (call->is_write)
		xero_page_caches_forget();
	dlist_push_tail(&active, &call->node);
	call->active = true;
	(void) xero_call_drive();
	return call;
}

/*
 * Queue for a call, until it is its turn.  If that would try the statement's
 * patience, the call fails at once.
 */
static XeroObstacle
queue_call(XeroCall *call)
{
	XeroObstacle obstacle = {"network", false, INFINITY};
	XeroWait	wait;

	xero_budget_queue(&call->grant, &call->server, &wait);
	obstacle.until = wait.look_at;
	if (wait.by_us)
		return obstacle;
	obstacle.what = wait.ordered ? "rate limit" : "budget";
	obstacle.is_limit = true;
	if (Max(0, wait.provable - xero_clock_ms()) > xero_statement_patience())
	{
		MemoryContext old = MemoryContextSwitchTo(call->cxt);

		log_stall(call);
		fail_call(call, xero_failure_of_wait(&call->server, &wait));
		MemoryContextSwitchTo(old);
	}
	return obstacle;
}

/*
 * Wait for Xero to come back.  If the statement has become less patient since
 * it began to, the call fails.
 */
static XeroObstacle
wait_for_retry(XeroCall *call)
{
	XeroObstacle obstacle = {"retry", call->impatient != NULL, INFINITY};

	if (call->impatient != NULL &&
		call->resume_at - xero_clock_ms() > xero_statement_patience() + SLACK)
	{
		MemoryContext old = MemoryContextSwitchTo(call->cxt);

		fail_call(call, call->impatient);
		MemoryContextSwitchTo(old);
	}
	return obstacle;
}

/*
 * What is in the way of the call that brings the answer.  There may be none: it has
 * failed just now, or an interrupt came before this one could take its place.
 */
static XeroObstacle
wait_for_asker(XeroCall *call)
{
	XeroObstacle obstacle = {"network", false, -INFINITY};

	if (call->page->asker != NULL)
		obstacle = xero_call_obstacle(call->page->asker);
	if (call->page->asker == NULL)
		obstacle.until = -INFINITY;
	return obstacle;
}

XeroObstacle
xero_call_obstacle(XeroCall *call)
{
	XeroObstacle obstacle = {"network", false, INFINITY};

	switch (call->state)
	{
		case CALL_GRANT:
			return queue_call(call);
		case CALL_CACHE:
			return wait_for_asker(call);
		case CALL_TOKEN:
			obstacle.what = "token";
			break;
		case CALL_AUDIT:
			obstacle.what = "audit";
			break;
		case CALL_BACKOFF:
			return wait_for_retry(call);
		default:
			break;
	}
	return obstacle;
}

void
xero_call_pump(void)
{
	static double last = 0;
	double		now;

	if (dlist_is_empty(&active))
		return;
	now = xero_clock_ms();
	if (now - last < PUMP_INTERVAL)
		return;
	last = now;
	(void) xero_call_drive();
}

bool
xero_call_is_done(const XeroCall *call)
{
	return call->state == CALL_DONE;
}

void
xero_call_stalled(XeroCall *const *calls, int ncalls, double ms)
{
	XeroCallStats cost = {0};

	for (int i = 0; i < ncalls; i++)
		calls[i]->stalled_ms += ms;
	cost.waited_ms = ms;
	spend(calls[0], &cost);
}

const XeroResponse *
xero_call_answer(const XeroCall *call)
{
	Assert(call->state == CALL_DONE);
	if (call->failure != NULL)
		xero_failure_raise(call->failure);
	return &call->response;
}

const XeroFailure *
xero_call_failure(const XeroCall *call)
{
	Assert(call->state == CALL_DONE);
	return call->failure;
}

bool
xero_call_in_doubt(const XeroCall *call)
{
	return call->is_write && call->state != CALL_DONE &&
		(call->state == CALL_SENDING || is_doubtful(call));
}

void
xero_call_free(XeroCall *call)
{
	MemoryContextDelete(call->cxt);
}
