/*-------------------------------------------------------------------------
 *
 * caps.c
 *	  What is said where calls end at a limit of the database's own.
 *
 * Xero's limits are those of failure.c.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/report/caps.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

/* Whose option it is. */
static char *
holder_of(const XeroCap *cap, const XeroServer *server)
{
	return psprintf("%s \"%s\"",
					cap->of_mapping ? "the user mapping for server" : "server",
					server->name);
}

XeroFailure *
xero_failure_of_max_calls(const XeroServer *server)
{
	const XeroCap *cap = &server->max_calls;
	int			setting = xero_statement_max_calls();
	const char *detail = "The limit is one of each statement; the next begins anew.";

	if (setting > 0 && (cap->limit == 0 || setting <= cap->limit))
		return xero_failure(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
							psprintf("statement needs more calls to Xero than xero_fdw.max_calls (%d) allows",
									 setting),
							detail,
							xero_spender_hint("Narrow the query, or raise xero_fdw.max_calls."));
	return xero_failure(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
						psprintf("statement needs more calls to Xero than option \"max_calls\" (%d) of %s allows",
								 cap->limit, holder_of(cap, server)),
						detail,
						xero_spender_hint("Narrow the query, or ask the owner of the server to raise the option."));
}

XeroFailure *
xero_failure_of_plan(double calls, const XeroSpender *most)
{
	int			made = xero_statement_calls();

	return xero_failure(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
						psprintf("statement needs more calls to Xero than xero_fdw.max_calls (%d) allows",
								 xero_statement_max_calls()),
						psprintf("It has made %d calls, and by what Xero has told of its lists, the plan takes at least %.0f more.",
								 made, calls),
						psprintf("Narrow the query, or raise xero_fdw.max_calls. Foreign table \"%s\" would take %d of them (%s).",
								 most->table, most->calls, most->request));
}

XeroFailure *
xero_failure_of_role_day(const XeroServer *server, Oid roleid,
						 TimestampTz ends_at)
{
	const char *role = GetUserNameFromId(roleid, true);

	return xero_failure(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
						psprintf("role \"%s\" has made as many calls over server \"%s\" as it may in a day",
								 role ? role : "?", server->name),
						psprintf("Option \"role_day_limit\" (%d) of %s is the limit of each role; its day ends at %s.",
								 server->role_day.limit,
								 holder_of(&server->role_day, server),
								 timestamptz_to_str(ends_at)),
						xero_spender_hint("Ask the owner of the server to raise the option, or try again then."));
}
