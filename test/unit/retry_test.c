/*-------------------------------------------------------------------------
 *
 * retry_test.c
 *	  Does each kind of answer lead to what it should?
 *
 * Link: src/api/report/retry.c -lm
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>
#include <string.h>

#include "api/report/retry.h"
#include "tap.h"

/* ---- classification ---- */

typedef struct AnswerCase
{
	const char *what;
	XeroAttempt attempt;
	XeroSituation expected;
} AnswerCase;

#define ANSWER(status, problem, authenticate, detail, ended, json) \
	{XERO_TRANSPORT_ANSWERED, status, problem, authenticate, detail, ended, json}
#define PLAIN(status) ANSWER(status, "", "", "", false, false)
#define BROKE(transport) {transport, 0, "", "", "", false, false}

static const AnswerCase answers[] = {
	{"200 with JSON", ANSWER(200, "", "", "", false, true), XERO_FINE},
	{"201 with JSON", ANSWER(201, "", "", "", false, true), XERO_FINE},
	{"200 without JSON", PLAIN(200), XERO_GARBLED},
	{"204 is no list of nothing", PLAIN(204), XERO_GARBLED},
	{"302 is not followed", PLAIN(302), XERO_UNEXPECTED},
	{"304 was not asked for", PLAIN(304), XERO_UNEXPECTED},
	{"no status at all", PLAIN(0), XERO_UNEXPECTED},
	{"400", ANSWER(400, "", "", "", false, true), XERO_BAD_REQUEST},
	{"401 expired",
		ANSWER(401, "", "", "TokenExpired: token expired at 02/20/2025", false, true),
	XERO_TOKEN_EXPIRED},
	{"401 expired by our clock", ANSWER(401, "", "", "", true, false),
	XERO_TOKEN_EXPIRED},
	{"401 scope, by the body",
		ANSWER(401, "", "", "AuthorizationUnsuccessful", false, true),
	XERO_NO_SCOPE},
	{"401 scope beats our clock",
		ANSWER(401, "", "", "AuthorizationUnsuccessful", true, true),
	XERO_NO_SCOPE},
	{"401 scope, in Xero's spelling",
		ANSWER(401, "", "insufficent_scope", "", false, false),
	XERO_NO_SCOPE},
	{"401 scope, in the right spelling",
		ANSWER(401, "", "Bearer error=\"insufficient_scope\"", "", false, false),
	XERO_NO_SCOPE},
	{"401 for whatever reason", PLAIN(401), XERO_TOKEN_REJECTED},
	{"403", PLAIN(403), XERO_NO_ACCESS},
	{"403 in HTML",
		{XERO_TRANSPORT_ANSWERED, 403, "", "", "", false, false, true},
	XERO_BLOCKED},
	{"404", PLAIN(404), XERO_MISSING},
	{"412", PLAIN(412), XERO_BAD_REQUEST},
	{"414", PLAIN(414), XERO_BAD_REQUEST},
	{"429 minute", ANSWER(429, "minute", "", "", false, false),
	XERO_LIMIT_MINUTE},
	{"429 day", ANSWER(429, "day", "", "", false, false), XERO_LIMIT_DAY},
	{"429 concurrent", ANSWER(429, "concurrent", "", "", false, false),
	XERO_LIMIT_CONCURRENT},
	{"429 appminute", ANSWER(429, "appminute", "", "", false, false),
	XERO_LIMIT_APP},
	{"429 app-minute", ANSWER(429, "app-minute", "", "", false, false),
	XERO_LIMIT_APP},
	{"429 unknown", ANSWER(429, "fortnight", "", "", false, false),
	XERO_LIMIT_MINUTE},
	{"429 without a reason", PLAIN(429), XERO_LIMIT_MINUTE},
	{"500", PLAIN(500), XERO_BROKEN},
	{"501", PLAIN(501), XERO_UNEXPECTED},
	{"502", PLAIN(502), XERO_GATEWAY},
	{"503", PLAIN(503), XERO_OFFLINE},
	{"504", PLAIN(504), XERO_GATEWAY},
	{"no connection", BROKE(XERO_TRANSPORT_NO_CONNECTION), XERO_NO_CONNECTION},
	{"certificate", BROKE(XERO_TRANSPORT_UNTRUSTED), XERO_UNTRUSTED},
	{"not sendable", BROKE(XERO_TRANSPORT_UNSENDABLE), XERO_UNSENDABLE},
	{"timeout", BROKE(XERO_TRANSPORT_TIMED_OUT), XERO_TIMED_OUT},
	{"lost", BROKE(XERO_TRANSPORT_LOST), XERO_LOST},
	{"too large", BROKE(XERO_TRANSPORT_TOO_LARGE), XERO_TOO_LARGE},
	{"no memory for it", BROKE(XERO_TRANSPORT_UNMADE), XERO_UNMADE},
	{"no memory", BROKE(XERO_TRANSPORT_NO_MEMORY), XERO_NO_MEMORY},
	{"a broken transfer's status does not count",
	{XERO_TRANSPORT_LOST, 200, "", "", "", false, true}, XERO_LOST},
};

/* ---- decisions ---- */

/* A first attempt of a read without a filter. */
static XeroRetryInput
input_for(XeroSituation situation)
{
	XeroRetryInput input = {0};

	input.situation = situation;
	input.attempt = 1;
	input.repeatable = true;
	input.retry_after = -1;
	input.random = 0.5;
	return input;
}

/* How many attempts are made in all if each ends like this; at most 100. */
static int
attempts_in_all(XeroSituation situation, bool repeatable, bool filtered)
{
	XeroRetryInput input = input_for(situation);

	input.repeatable = repeatable;
	input.filtered = filtered;
	while (input.attempt < 100 &&
		   xero_decide(&input).next == XERO_NEXT_RETRY)
		input.attempt++;
	return input.attempt;
}

typedef struct CountCase
{
	const char *what;
	XeroSituation situation;
	int			read;
	int			filtered;
	int			write;
} CountCase;

static const CountCase counts[] = {
	{"missing", XERO_MISSING, 1, 1, 1},
	{"no connection", XERO_NO_CONNECTION, 5, 5, 5},
	{"certificate", XERO_UNTRUSTED, 1, 1, 1},
	{"not sendable", XERO_UNSENDABLE, 1, 1, 1},
	{"no memory for it", XERO_UNMADE, 1, 1, 1},
	{"no memory", XERO_NO_MEMORY, 1, 1, 1},
	{"timeout", XERO_TIMED_OUT, 3, 3, 1},
	{"lost", XERO_LOST, 5, 5, 1},
	{"too large", XERO_TOO_LARGE, 1, 1, 1},
	{"minute limit", XERO_LIMIT_MINUTE, 100, 100, 100},
	{"day limit", XERO_LIMIT_DAY, 100, 100, 100},
	{"application's limit", XERO_LIMIT_APP, 100, 100, 100},
	{"concurrency limit", XERO_LIMIT_CONCURRENT, 100, 100, 100},
	{"token expired", XERO_TOKEN_EXPIRED, 1, 1, 1},
	{"token rejected", XERO_TOKEN_REJECTED, 1, 1, 1},
	{"scope", XERO_NO_SCOPE, 1, 1, 1},
	{"access", XERO_NO_ACCESS, 1, 1, 1},
	{"bad request", XERO_BAD_REQUEST, 1, 1, 1},
	{"500", XERO_BROKEN, 5, 2, 1},
	{"503", XERO_OFFLINE, 5, 5, 1},
	{"502 and 504", XERO_GATEWAY, 5, 2, 1},
	{"a gateway's 403", XERO_BLOCKED, 1, 1, 1},
	{"not JSON", XERO_GARBLED, 3, 3, 1},
	{"unexpected", XERO_UNEXPECTED, 1, 1, 1},
};

static void
test_counts(void)
{
	char		what[100];

	for (int i = 0; i < lengthof(counts); i++)
	{
		const CountCase *c = &counts[i];

		snprintf(what, sizeof(what), "attempts to read: %s", c->what);
		ok(attempts_in_all(c->situation, true, false) == c->read, what);
		snprintf(what, sizeof(what), "attempts to read filtered: %s", c->what);
		ok(attempts_in_all(c->situation, true, true) == c->filtered, what);
		snprintf(what, sizeof(what), "attempts to write: %s", c->what);
		ok(attempts_in_all(c->situation, false, false) == c->write, what);
	}
}

static void
test_verdicts(void)
{
	XeroRetryInput input = input_for(XERO_FINE);

	ok(xero_decide(&input).next == XERO_NEXT_DONE, "an answer is used");

	input = input_for(XERO_TOKEN_EXPIRED);
	ok(xero_decide(&input).next == XERO_NEXT_FAIL,
	   "an expired token fails if there is no other");
	input.renewable = true;
	ok(xero_decide(&input).next == XERO_NEXT_RENEW,
	   "an expired token is renewed");
	input.repeatable = false;
	ok(xero_decide(&input).next == XERO_NEXT_RENEW,
	   "for a write, too: nothing was done yet");
	input = input_for(XERO_NO_SCOPE);
	input.renewable = true;
	ok(xero_decide(&input).next == XERO_NEXT_FAIL,
	   "a missing scope is not cured by another token");
	input = input_for(XERO_TOKEN_REJECTED);
	input.renewable = true;
	ok(xero_decide(&input).next == XERO_NEXT_FAIL,
	   "a rejected token is not asked for again in a loop");
}

/* The delay stays within these bounds, whatever the dice say. */
static bool
delay_within(XeroRetryInput input, double low, double high)
{
	double		first;
	double		last;

	input.random = 0;
	first = xero_decide(&input).delay_ms;
	input.random = 0.999999;
	last = xero_decide(&input).delay_ms;
	return first >= low && first <= last && last <= high;
}

static void
test_delays(void)
{
	XeroRetryInput input = input_for(XERO_BROKEN);

	ok(delay_within(input, 0, 200), "back-off starts with 200 ms");
	ok(!xero_decide(&input).ordered, "our own back-off is not Xero's order");
	input.random = 0.999999;
	ok(xero_decide(&input).delay_ms > 190, "and uses all of it");
	input.attempt = 4;
	ok(delay_within(input, 0, 1600), "it doubles");
	ok(xero_decide(&input).delay_ms > 1500, "each time");

	input = input_for(XERO_LIMIT_CONCURRENT);
	ok(delay_within(input, 1000, 2000), "concurrent: a second and some");
	ok(xero_decide(&input).ordered, "limits are Xero's order");
	input.attempt = 1000000;
	ok(delay_within(input, 1000, 11000), "back-off is capped");

	input = input_for(XERO_LIMIT_MINUTE);
	input.retry_after = 22;
	ok(delay_within(input, 22000, 23000), "Retry-After and jitter");
	input.retry_after = 0;
	ok(delay_within(input, 0, 1000), "Retry-After: 0");
	input.retry_after = -1;
	ok(delay_within(input, 60000, 61000), "no Retry-After: a minute");

	input = input_for(XERO_LIMIT_DAY);
	input.retry_after = 73451;
	ok(delay_within(input, 73451000, 73452000), "a day's Retry-After");
	input.retry_after = -1;
	ok(delay_within(input, 600000, 601000), "or else ten minutes");

	input = input_for(XERO_OFFLINE);
	input.retry_after = 30;
	ok(delay_within(input, 30000, 31000), "503: Retry-After is honoured");
	ok(xero_decide(&input).ordered, "and is Xero's order");
	input.retry_after = 0;
	ok(delay_within(input, 0, 200), "503: Retry-After 0 leaves the back-off");
}

/* A statement waits for Xero to come back, and max_wait says how long. */
static void
test_patience(void)
{
	XeroRetryInput input = input_for(XERO_OFFLINE);

	input.patient = true;
	ok(delay_within(input, 0, 200), "503: a first retry comes soon");
	ok(!xero_decide(&input).bounded, "and whatever max_wait is");
	input.attempt = 2;
	ok(delay_within(input, 500, 1000), "503: then after a second at most");
	ok(xero_decide(&input).bounded, "which max_wait bounds");
	ok(!xero_decide(&input).ordered, "but which is our own choice");
	input.attempt = 5;
	ok(delay_within(input, 4000, 8000), "503: it doubles");
	input.attempt = 1000000;
	ok(delay_within(input, 15000, 30000), "503: up to half a minute");
	ok(xero_decide(&input).next == XERO_NEXT_RETRY, "503: without a count");
	input.filtered = true;
	ok(xero_decide(&input).next == XERO_NEXT_RETRY, "503: filtered or not");
	input.retry_after = 50;
	ok(delay_within(input, 50000, 51000), "503: Retry-After as it is");
	ok(xero_decide(&input).bounded && xero_decide(&input).ordered,
	   "503: of which no part is of use");
	input.repeatable = false;
	ok(xero_decide(&input).next == XERO_NEXT_FAIL, "503: no write without key");

	input = input_for(XERO_GATEWAY);
	input.patient = true;
	input.attempt = 100;
	ok(xero_decide(&input).next == XERO_NEXT_RETRY, "504: so, too");
	input.filtered = true;
	ok(xero_decide(&input).next == XERO_NEXT_FAIL,
	   "504: but a filter may be the cause");
	input = input_for(XERO_BROKEN);
	input.patient = true;
	input.attempt = 5;
	ok(xero_decide(&input).next == XERO_NEXT_FAIL, "500: five times at most");
}

/* However long Xero says: the longest order that is believed, in seconds. */
static void
test_bounds(void)
{
	static const struct
	{
		const char *what;
		XeroSituation situation;
		int			most;
	}			bounds[] = {
		{"a minute's", XERO_LIMIT_MINUTE, 120},
		{"an application's", XERO_LIMIT_APP, 120},
		{"calls at once", XERO_LIMIT_CONCURRENT, 120},
		{"500", XERO_BROKEN, 120},
		{"503", XERO_OFFLINE, 120},
		{"timed out", XERO_TIMED_OUT, 120},
		{"a day's", XERO_LIMIT_DAY, 25 * 3600},
	};
	static const int longer[] = {25 * 3600 + 1, 999999999, INT_MAX};
	char		what[100];

	for (int i = 0; i < lengthof(bounds); i++)
	{
		XeroRetryInput input = input_for(bounds[i].situation);
		double		most = bounds[i].most * 1000.0;
		bool		holds = true;

		input.retry_after = bounds[i].most - 1;
		snprintf(what, sizeof(what), "%s: what can be is believed",
				 bounds[i].what);
		ok(delay_within(input, most - 1000, most), what);
		for (int j = 0; j < lengthof(longer); j++)
		{
			input.retry_after = longer[j];
			holds = holds && delay_within(input, most, most + 1000);
		}
		snprintf(what, sizeof(what), "%s: what cannot be is not",
				 bounds[i].what);
		ok(holds, what);
	}
}

int
main(void)
{
	for (int i = 0; i < lengthof(answers); i++)
		ok(xero_classify(&answers[i].attempt) == answers[i].expected,
		   answers[i].what);
	for (int i = 0; i < XERO_NSITUATIONS; i++)
		ok(xero_situation_name(i) != NULL && strlen(xero_situation_name(i)) < 32,
		   "every situation has a short name");
	test_verdicts();
	test_counts();
	test_delays();
	test_patience();
	test_bounds();
	return done_testing();
}
