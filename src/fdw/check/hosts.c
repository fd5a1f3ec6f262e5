/*-------------------------------------------------------------------------
 *
 * hosts.c
 *	  Can Xero's hosts be reached and trusted, and what time is it there?
 *
 * The identity server and the API are asked without credentials, so that the
 * answer does not depend on a token.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/call/probe.h"
#include "api/consent/issuer.h"
#include "fdw/check/check.h"
#include "utils/timestamp.h"

/* In seconds; what is beyond XERO_JWT_LEEWAY makes tokens useless. */
#define CLOCK_TOLERANCE 10

#define HOSTS 2

/* For messages: the host and port of a URL. */
static const char *
host_of(const char *url)
{
	const char *host = strstr(url, "://");

	host = host != NULL ? host + 3 : url;
	return pnstrdup(host, strcspn(host, "/"));
}

static bool
is_plain(const char *url)
{
	return pg_strncasecmp(url, "http://", 7) == 0;
}

/* Why a host does not answer, NULL if it does. */
static const char *
trouble_of(const XeroHttpResult *result)
{
	/* somebody is there who is not trusted, which is the next check's */
	switch (result->transport)
	{
		case XERO_TRANSPORT_ANSWERED:
			return result->status < 500 ? NULL :
				psprintf("HTTP status %d", result->status);
		case XERO_TRANSPORT_TIMED_OUT:
			return psprintf("no answer after %.0f ms", result->elapsed_ms);
		case XERO_TRANSPORT_UNTRUSTED:
			return NULL;
		default:
			return xero_clean_text(result->error, strlen(result->error), 300);
	}
}

static bool
same_host(const XeroProbe *probes)
{
	return strcmp(probes[0].base, probes[1].base) == 0;
}

static void
check_reachable(XeroCheck *check, const XeroProbe *probes)
{
	const char *seen = NULL;
	const char *advice =
	"Check the network, its proxies and firewalls: the server needs TCP to Xero's hosts on port 443.";

	for (int i = 0; i < HOSTS; i++)
	{
		const XeroHttpResult *result = &probes[i].result;
		const char *trouble = trouble_of(result);

		if (trouble == NULL ||
			(seen != NULL && same_host(probes)))
			continue;
		if (result->transport == XERO_TRANSPORT_ANSWERED)
			advice = "Xero has a disturbance, see https://status.xero.com.";
		seen = psprintf("%s%s%s: %s", seen ? seen : "", seen ? "; " : "",
						host_of(probes[i].base), trouble);
	}
	check->reached = seen == NULL;
	if (seen != NULL)
		xero_check_row(check, "reachable", XERO_CHECK_PROBLEM, seen, advice);
	else if (same_host(probes))
		xero_check_row(check, "reachable", XERO_CHECK_OK,
					   psprintf("%s answers", host_of(probes[0].base)), NULL);
	else
		xero_check_row(check, "reachable", XERO_CHECK_OK,
					   psprintf("%s and %s answer", host_of(probes[0].base),
								host_of(probes[1].base)), NULL);
}

static void
check_tls(XeroCheck *check, const XeroProbe *probes)
{
	int			answers = 0;
	int			plain = 0;

	for (int i = 0; i < HOSTS; i++)
	{
		const XeroHttpResult *result = &probes[i].result;

		if (result->transport == XERO_TRANSPORT_UNTRUSTED)
		{
			check->reached = false;
			xero_check_row(check, "tls", XERO_CHECK_PROBLEM,
						   psprintf("the certificate of %s is not trusted: %s",
									host_of(probes[i].base),
									xero_clean_text(result->error,
													strlen(result->error), 300)),
						   check->server->ca_file != NULL ?
						   "Check the file of the server option \"ca_file\", and whether something between here and Xero opens connections." :
						   "Check this machine's certificates (package ca-certificates), and whether something between here and Xero opens connections; then the server option \"ca_file\" names its certificate.");
			return;
		}
		answers += result->status != 0;
		plain += is_plain(probes[i].base);
	}
	if (answers == 0)
		xero_check_undone(check, "tls", "no host could be reached");
	else
		xero_check_row(check, "tls", XERO_CHECK_OK,
					   plain == HOSTS ? "not needed on this machine" :
					   "the certificates are trusted", NULL);
}

static void
check_clock(XeroCheck *check, const XeroProbe *probes)
{
	for (int i = 0; i < HOSTS; i++)
	{
		const XeroHttpResult *result = &probes[i].result;
		int64		ahead;
		int64		apart;
		const char *seen;

		if (result->date < 0)
			continue;
		ahead = timestamptz_to_time_t(result->date_seen) - result->date;
		apart = ahead < 0 ? -ahead : ahead;
		if (apart <= CLOCK_TOLERANCE)
		{
			xero_check_row(check, "clock", XERO_CHECK_OK,
						   "right to a few seconds", NULL);
			return;
		}
		seen = psprintf("this machine's clock is %lld seconds %s Xero's",
						(long long) apart, ahead > 0 ? "ahead of" : "behind");
		xero_check_row(check, "clock",
					   apart > XERO_JWT_LEEWAY ? XERO_CHECK_PROBLEM :
					   XERO_CHECK_WARNING,
					   seen,
					   "Set this machine's clock, and have it kept right (NTP): tokens contain times.");
		return;
	}
	xero_check_undone(check, "clock", "no answer told the time");
}

void
xero_check_hosts(XeroCheck *check)
{
	const XeroServer *server = check->server;
	XeroProbe	probes[HOSTS] = {
		{server->api_url, "/connections"},
		{server->identity_url, XERO_DISCOVERY_PATH}
	};

	xero_probe(server, probes, HOSTS);
	check_reachable(check, probes);
	check_tls(check, probes);
	check_clock(check, probes);
}
