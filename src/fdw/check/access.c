/*-------------------------------------------------------------------------
 *
 * access.c
 *	  Does Xero accept the token, and what does that permit?
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/consent/connections.h"
#include "api/consent/jwt.h"
#include "api/token/token.h"
#include "base/text.h"
#include "catalog/scopes.h"
#include "fdw/check/attempt.h"
#include "fdw/check/check.h"
#include "fdw/consent/table_scopes.h"
#include "lib/stringinfo.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* So many tables are named that lack a scope. */
#define MAX_NAMED 3

/* ---- token ---- */

static void
ask_connections(void *state)
{
	XeroCheck  *check = state;
	bool		changed;

	check->nconnections = xero_ask_connections(check->server,
											   &check->connections);
	check->nconnections = xero_add_lost_connections(check->server,
													&check->connections,
													check->nconnections,
													&changed);
}

/*
 * What the token says, which has just been used and so is at hand.  Only a
 * person is told, so it does not matter who has signed it.
 */
static bool
read_token(const XeroServer *server, XeroClaims *claims)
{
	XeroTokenTicket ticket = {0};
	XeroFailure *failure;
	const char *token;
	double		resume_at = 0;
	bool		found = false;

	if (xero_token_get(&ticket, server, &token, &failure,
					   &resume_at) == XERO_TOKEN_READY)
		found = xero_jwt_read(token, claims);
	xero_token_leave(&ticket);
	return found;
}

void
xero_check_token(XeroCheck *check)
{
	XeroFailure *failure;
	XeroClaims *claims;
	const char *seen = "Xero accepts it";

	if (!check->reached)
	{
		xero_check_undone(check, "token",
						  "Xero cannot be reached, or not be trusted");
		return;
	}
	failure = xero_attempt(ask_connections, check);
	if (failure != NULL)
	{
		xero_check_failure(check, "token", failure,
						   failure->sqlerrcode != ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION ? NULL :
						   "If that is no answer of Xero's, see what is between here and there, such as a proxy or a page to log in.");
		return;
	}
	check->has_token = true;
	claims = palloc(sizeof(XeroClaims));
	if (read_token(check->server, claims))
	{
		if (claims->scope[0] != '\0')
			check->granted = pstrdup(claims->scope);
		seen = psprintf("%s, until %s", seen,
						timestamptz_to_str(time_t_to_timestamptz(claims->expires_at)));
	}
	pfree(claims);
	xero_check_row(check, "token", XERO_CHECK_OK, seen, NULL);
}

/* ---- scopes ---- */

/* A scope that is lacking, and the tables that need it. */
static char *
describe_lack(List *tables, const char *scope)
{
	StringInfoData text;
	int			count = 0;
	ListCell   *lc;

	initStringInfo(&text);
	appendStringInfo(&text, "%s (for ", scope);
	foreach(lc, tables)
	{
		const XeroTableScope *table = lfirst(lc);

		if (!xero_same_text(table->scope, scope))
			continue;
		count++;
		if (count <= MAX_NAMED)
			appendStringInfo(&text, "%s%s", count > 1 ? ", " : "",
							 get_rel_name(table->relid));
	}
	if (count > MAX_NAMED)
		appendStringInfo(&text, " and %d more", count - MAX_NAMED);
	appendStringInfoChar(&text, ')');
	return text.data;
}

static const char *
scope_advice(const XeroServer *server, bool closed)
{
	if (closed)
		return "Xero grants these scopes to few applications, and the other tables need none of them. If this one has them, the server option \"scopes\" must name them, with all others that are needed; else drop the tables.";
	if (server->access_token != NULL)
		return "Get an access_token with these scopes, or drop the tables.";
	if (server->grant_type == XERO_GRANT_CLIENT_CREDENTIALS)
		return "Add these scopes to the application at developer.xero.com, and to the server option \"scopes\" if that is set; or drop the tables.";
	return psprintf("%s If the server option \"scopes\" is set, it must name these scopes. Or drop the tables.",
					xero_authorize_hint(server));
}

/*
 * A row of what is lacking, if anything is: of scopes that are open to every
 * application, or of those that are not, which a consent does not ask for.
 */
static bool
report_lacking(XeroCheck *check, bool closed)
{
	StringInfoData lacking;
	StringInfoData seen;
	ListCell   *lc;

	initStringInfo(&lacking);
	initStringInfo(&seen);
	foreach(lc, check->tables)
	{
		const XeroTableScope *table = lfirst(lc);
		const char *scope = table->scope;

		if (scope == NULL || xero_scope_is_granted(check->granted, scope) ||
			(xero_closed_scope(scope, strlen(scope)) != NULL) != closed ||
			xero_has_word(lacking.data, scope, strlen(scope)))
			continue;
		appendStringInfo(&lacking, " %s", scope);
		appendStringInfo(&seen, "%s%s", seen.len > 0 ? "; " : "lacking: ",
						 describe_lack(check->tables, scope));
	}
	if (lacking.len == 0)
		return false;
	xero_check_row(check, "scopes",
				   closed ? XERO_CHECK_WARNING : XERO_CHECK_PROBLEM,
				   seen.data, scope_advice(check->server, closed));
	return true;
}

void
xero_check_scopes(XeroCheck *check)
{
	bool		some;
	bool		all;

	if (!check->has_token || check->granted == NULL)
	{
		xero_check_undone(check, "scopes", check->has_token ?
						  "the token does not say which it has" :
						  "there is no token");
		return;
	}
	some = report_lacking(check, false);
	all = !report_lacking(check, true) && !some;
	if (all)
		xero_check_row(check, "scopes", XERO_CHECK_OK,
					   check->tables == NIL ? "there are no foreign tables" :
					   psprintf("enough for %d foreign tables",
								list_length(check->tables)), NULL);
}
