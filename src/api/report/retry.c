/*-------------------------------------------------------------------------
 *
 * retry.c
 *	  What an answer means and what follows from it.
 *
 * Two pure functions, so that the policy can be tested without a network:
 * xero_classify() turns the facts about an attempt into a situation, and
 * xero_decide() looks up in one table what to do in it.
 *
 * Nothing is retried without a bound.  Limits (429), and Xero's absence for a
 * statement that waits for it, have no count of their own, but every wait for
 * them is charged against xero_fdw.max_wait.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>
#include <math.h>

#include "api/report/retry.h"

/* Longest and shortest pause of our own choice, in ms. */
#define BACKOFF_BASE 200.0
#define BACKOFF_CAP 10000.0

/* The same while Xero is not there, for which it speaks of minutes (docs). */
#define OFFLINE_BASE 1000.0
#define OFFLINE_CAP 30000.0

/* Xero sends no Retry-After for calls at once: about a second does (docs). */
#define CONCURRENT_BASE 1000.0

/* Waiters of the same window must not all come back in the same instant. */
#define JITTER 1000.0

/* When Xero names a limit but not its end: minute windows last that long. */
#define MINUTE_MS 60000.0
#define UNKNOWN_DAY_MS (10 * MINUTE_MS)

#define NO_COUNT INT_MAX

/* One more attempt tells a gateway's error from one that Xero keeps. */
#define KEYED_BROKEN_ATTEMPTS 2

typedef struct Policy
{
	const char *name;
	int			attempts;		/* in all; 1: never retried */
	int			filtered_attempts;	/* with where=, which may be the cause */
	bool		unprocessed;	/* Xero did nothing: writes may be repeated */
	bool		perhaps_done;	/* Xero may have done it */
} Policy;

static const Policy policies[XERO_NSITUATIONS] = {
	[XERO_FINE] = {"ok", 1, 1, false},
	[XERO_MISSING] = {"not found", 1, 1, false},
	[XERO_NO_CONNECTION] = {"no connection", 5, 5, true},
	[XERO_UNTRUSTED] = {"certificate refused", 1, 1, false},
	[XERO_UNSENDABLE] = {"not sendable", 1, 1, false},
	[XERO_UNMADE] = {"out of memory", 1, 1, false},
	[XERO_NO_MEMORY] = {"out of memory", 1, 1, false, true},
	[XERO_TIMED_OUT] = {"timed out", 3, 3, false, true},
	[XERO_LOST] = {"connection lost", 5, 5, false, true},
	[XERO_TOO_LARGE] = {"answer too large", 1, 1, false, true},
	[XERO_LIMIT_MINUTE] = {"minute limit", NO_COUNT, NO_COUNT, true},
	[XERO_LIMIT_DAY] = {"day limit", NO_COUNT, NO_COUNT, true},
	[XERO_LIMIT_APP] = {"app minute limit", NO_COUNT, NO_COUNT, true},
	[XERO_LIMIT_CONCURRENT] = {"concurrency limit", NO_COUNT, NO_COUNT, true},
	[XERO_TOKEN_EXPIRED] = {"token expired", 1, 1, true},
	[XERO_TOKEN_REJECTED] = {"token rejected", 1, 1, true},
	[XERO_NO_SCOPE] = {"scope missing", 1, 1, true},
	[XERO_NO_ACCESS] = {"access refused", 1, 1, true},
	[XERO_BLOCKED] = {"blocked by a gateway", 1, 1, true},
	[XERO_BAD_REQUEST] = {"bad request", 1, 1, false},
	[XERO_BROKEN] = {"server error", 5, 2, false, true},
	[XERO_OFFLINE] = {"unavailable", 5, 5, false, true},
	[XERO_GATEWAY] = {"gateway error", 5, 2, false, true},
	[XERO_GARBLED] = {"answer is not JSON", 3, 3, false, true},
	[XERO_UNEXPECTED] = {"unexpected answer", 1, 1, false, true}
};

const char *
xero_situation_name(XeroSituation situation)
{
	return policies[situation].name;
}

bool
xero_perhaps_done(XeroSituation situation)
{
	return policies[situation].perhaps_done;
}

XeroLimit
xero_limit_of(XeroSituation situation)
{
	switch (situation)
	{
		case XERO_LIMIT_MINUTE:
			return XERO_BLOCKED_BY_MINUTE;
		case XERO_LIMIT_DAY:
			return XERO_BLOCKED_BY_DAY;
		case XERO_LIMIT_APP:
			return XERO_BLOCKED_BY_APP;
		case XERO_LIMIT_CONCURRENT:
			return XERO_BLOCKED_BY_CONCURRENCY;
		default:
			return XERO_BLOCKED_BY_NONE;
	}
}

static bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/*
 * Problems are matched by their beginnings, since Xero's texts spell some of
 * them in two ways.  One that is not known at all is taken for a minute's.
 */
static XeroSituation
classify_limit(const char *problem)
{
	if (starts_with(problem, "day"))
		return XERO_LIMIT_DAY;
	if (starts_with(problem, "app"))
		return XERO_LIMIT_APP;
	if (starts_with(problem, "concurrent"))
		return XERO_LIMIT_CONCURRENT;
	return XERO_LIMIT_MINUTE;
}

/* Most 401s cannot be cured by a new token; asking for one would loop. */
static XeroSituation
classify_unauthorized(const XeroAttempt *attempt)
{
	if (starts_with(attempt->detail, "TokenExpired"))
		return XERO_TOKEN_EXPIRED;
	/* Xero's own spelling lacks an "i" */
	if (starts_with(attempt->detail, "AuthorizationUnsuccessful") ||
		strstr(attempt->authenticate, "insufficent_scope") != NULL ||
		strstr(attempt->authenticate, "insufficient_scope") != NULL)
		return XERO_NO_SCOPE;
	return attempt->token_ended ? XERO_TOKEN_EXPIRED : XERO_TOKEN_REJECTED;
}

static XeroSituation
classify_status(const XeroAttempt *attempt)
{
	switch (attempt->status)
	{
		case 200:
		case 201:
		case 204:
			return attempt->json ? XERO_FINE : XERO_GARBLED;
		case 401:
			return classify_unauthorized(attempt);
		case 403:
			/* "Access Denied" in HTML is no answer of the API (docs) */
			return attempt->markup ? XERO_BLOCKED : XERO_NO_ACCESS;
		case 404:
			return XERO_MISSING;
		case 429:
			return classify_limit(attempt->problem);
		case 500:
			return XERO_BROKEN;
		case 503:
			return XERO_OFFLINE;
		case 502:
		case 504:
			return XERO_GATEWAY;
		default:
			break;
	}
	if (attempt->status >= 400 && attempt->status < 500)
		return XERO_BAD_REQUEST;
	return XERO_UNEXPECTED;
}

XeroSituation
xero_classify(const XeroAttempt *attempt)
{
	switch (attempt->transport)
	{
		case XERO_TRANSPORT_ANSWERED:
			return classify_status(attempt);
		case XERO_TRANSPORT_NO_CONNECTION:
			return XERO_NO_CONNECTION;
		case XERO_TRANSPORT_UNTRUSTED:
			return XERO_UNTRUSTED;
		case XERO_TRANSPORT_UNSENDABLE:
			return XERO_UNSENDABLE;
		case XERO_TRANSPORT_UNMADE:
			return XERO_UNMADE;
		case XERO_TRANSPORT_TIMED_OUT:
			return XERO_TIMED_OUT;
		case XERO_TRANSPORT_LOST:
			return XERO_LOST;
		case XERO_TRANSPORT_TOO_LARGE:
			return XERO_TOO_LARGE;
		case XERO_TRANSPORT_NO_MEMORY:
			return XERO_NO_MEMORY;
	}
	return XERO_UNEXPECTED;
}

static double
doubled(double base, double cap, int doublings)
{
	return fmin(cap, ldexp(base, Min(doublings, 16)));
}

/* Full jitter: anything between nothing and the doubled bound. */
static double
backoff(double base, const XeroRetryInput *input)
{
	return input->random * doubled(base, BACKOFF_CAP, input->attempt - 1);
}

/*
 * At least half of it, as calls are of no use while Xero is not there; but the
 * first retry, which may find that it was there all the time, comes soon.
 */
static double
offline_delay(const XeroRetryInput *input)
{
	double		bound = doubled(OFFLINE_BASE, OFFLINE_CAP, input->attempt - 2);

	return bound / 2 + input->random * bound / 2;
}

static bool
is_away(XeroSituation situation)
{
	return situation == XERO_OFFLINE || situation == XERO_GATEWAY;
}

/* Xero's Retry-After, as far as it is believed. */
static double
ordered_delay(const XeroRetryInput *input)
{
	double		most = input->situation == XERO_LIMIT_DAY ?
	XERO_DAY_BLOCK_MS : XERO_WINDOW_BLOCK_MS;

	return fmin(input->retry_after * 1000.0, most) + input->random * JITTER;
}

static double
limit_delay(const XeroRetryInput *input)
{
	if (input->retry_after >= 0)
		return ordered_delay(input);
	if (input->situation == XERO_LIMIT_CONCURRENT)
		return CONCURRENT_BASE + backoff(CONCURRENT_BASE, input);
	/* too long for a statement, but not lost if the day begins anew */
	if (input->situation == XERO_LIMIT_DAY)
		return UNKNOWN_DAY_MS;
	return MINUTE_MS + input->random * JITTER;
}

XeroDecision
xero_decide(const XeroRetryInput *input)
{
	const Policy *policy = &policies[input->situation];
	XeroDecision decision = {XERO_NEXT_FAIL, 0, false, false};
	int			attempts = input->filtered ? policy->filtered_attempts :
	policy->attempts;

	if (input->patient && is_away(input->situation) &&
		attempts == policy->attempts)
	{
		attempts = NO_COUNT;
		decision.bounded = input->attempt > 1;
	}
	/* if the error is Xero's own, the key brings it back again and again */
	if (input->keyed && input->situation == XERO_BROKEN)
		attempts = Min(attempts, KEYED_BROKEN_ATTEMPTS);

	if (input->situation == XERO_FINE)
	{
		decision.next = XERO_NEXT_DONE;
		return decision;
	}
	if (input->situation == XERO_TOKEN_EXPIRED && input->renewable)
	{
		decision.next = XERO_NEXT_RENEW;
		return decision;
	}
	if (input->attempt >= attempts ||
		!(input->repeatable || policy->unprocessed))
		return decision;

	decision.next = XERO_NEXT_RETRY;
	switch (input->situation)
	{
		case XERO_LIMIT_MINUTE:
		case XERO_LIMIT_DAY:
		case XERO_LIMIT_APP:
		case XERO_LIMIT_CONCURRENT:
			decision.delay_ms = limit_delay(input);
			decision.bounded = decision.ordered = true;
			break;
		default:
			decision.delay_ms = decision.bounded ? offline_delay(input) :
				backoff(BACKOFF_BASE, input);
			if (input->retry_after > 0 &&
				ordered_delay(input) > decision.delay_ms)
			{
				decision.delay_ms = ordered_delay(input);
				decision.bounded = decision.ordered = true;
			}
			break;
	}
	return decision;
}
