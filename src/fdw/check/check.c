/*-------------------------------------------------------------------------
 *
 * check.c
 *	  SQL function that looks for what is wrong with a server.
 *
 * The checks come in the order in which things depend on each other, and each
 * tells the later ones what it has found (XeroCheck).  One that cannot be done,
 * as an earlier one has failed, says so.  Nothing that is to be reported is an
 * ERROR (attempt.c).
 *
 * The calls are those that nobody counts, then one for each organisation, and
 * one for a list; nothing is written.  Waits are kept short, since what they are
 * for is a finding.
 *
 * Whoever may use the server may check it, with the user mapping that is in
 * force.  What is told of a budget is what a call has just shown.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/statement_limits.h"
#include "api/consent/store.h"
#include "api/secret/vault.h"
#include "fdw/check/attempt.h"
#include "fdw/check/check.h"
#include "fdw/consent/table_scopes.h"
#include "fdw/options.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

/* The longest wait for limits, and for an answer, in ms. */
#define PATIENCE 5000
#define ANSWER_PATIENCE 10000

PG_FUNCTION_INFO_V1(xero_check);

/* ---- what takes no call ---- */

typedef struct ServerStep
{
	Oid			serverid;
	XeroServer *server;
} ServerStep;

static void
get_server(void *state)
{
	ServerStep *step = state;

	step->server = xero_get_server(step->serverid, GetUserId());
}

static void
check_settings(XeroCheck *check, const ForeignServer *fs)
{
	ServerStep	step = {fs->serverid, NULL};
	XeroFailure *failure = xero_attempt(get_server, &step);
	const char *kind;

	check->server = step.server;
	if (failure != NULL)
	{
		xero_check_failure(check, "settings", failure,
						   psprintf("CREATE USER MAPPING FOR CURRENT_USER SERVER %s OPTIONS (...);",
									quote_identifier(fs->servername)));
		return;
	}
	step.server->request_timeout = Min(step.server->request_timeout,
									   ANSWER_PATIENCE);
	if (step.server->access_token != NULL)
		kind = "an access_token in the user mapping";
	else if (xero_needs_consent(step.server))
		kind = "a consent";
	else
		kind = "a custom connection";
	xero_check_row(check, "settings", XERO_CHECK_OK, kind, NULL);
}

typedef struct StoreStep
{
	const XeroServer *server;
	XeroConsent *consent;
} StoreStep;

static void
read_consent(void *state)
{
	StoreStep  *step = state;

	step->consent = xero_store_read(step->server);
}

static void
read_key(void *state)
{
	xero_vault_check();
}

static void
wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
}

/* What is stored shows best whether the key is the right one. */
static void
check_key_file(XeroCheck *check)
{
	StoreStep	step = {check->server, NULL};
	XeroFailure *failure;
	const char *seen = "it opens the stored tokens";

	if (!xero_needs_consent(check->server))
	{
		xero_check_row(check, "key file", XERO_CHECK_OK,
					   "not needed, as no tokens are stored", NULL);
		return;
	}
	failure = xero_attempt(read_consent, &step);
	if (step.consent != NULL)
	{
		wipe(step.consent->refresh_token);
		wipe(step.consent->access_token);
	}
	else if (failure == NULL)
	{
		failure = xero_attempt(read_key, NULL);
		seen = "no tokens are stored yet";
		if (failure != NULL && failure->sqlerrcode == ERRCODE_UNDEFINED_FILE)
		{
			failure = NULL;
			seen = "no tokens are stored yet, and the file will be made with the first ones";
		}
	}
	if (failure != NULL)
		xero_check_failure(check, "key file", failure,
						   "See the setting xero_fdw.key_file.");
	else
		xero_check_row(check, "key file", XERO_CHECK_OK, seen, NULL);
}

/* ---- all of it ---- */

static void
check_all(XeroCheck *check, const ForeignServer *fs)
{
	check_settings(check, fs);
	if (check->server == NULL)
	{
		static const char *const others[] = {
			"key file", "reachable", "tls", "clock", "token", "scopes",
			"organisation", "budget", "page size"
		};

		for (int i = 0; i < lengthof(others); i++)
			xero_check_undone(check, others[i],
							  "the settings are not complete");
		return;
	}
	check->tables = xero_table_scopes(fs->serverid);
	check_key_file(check);
	xero_check_hosts(check);
	xero_check_token(check);
	xero_check_scopes(check);
	xero_check_orgs(check);
	xero_check_budgets(check);
	xero_check_page_size(check);
}

/* SQL: check(server) */
Datum
xero_check(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ForeignServer *fs = xero_usable_server(name);
	XeroCheck	check = {0};
	int			nest_level = NewGUCNestLevel();

	InitMaterializedSRF(fcinfo, 0);
	check.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	if (xero_statement_max_wait() > PATIENCE)
		(void) set_config_option("xero_fdw.max_wait",
								 psprintf("%d", PATIENCE), PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
	check_all(&check, fs);
	AtEOXact_GUC(false, nest_level);
	return (Datum) 0;
}
