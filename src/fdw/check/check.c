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
#include "api/secret/client_secret.h"
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

static void
wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
}

static void
read_secret(void *state)
{
	wipe(xero_client_secret(state));
}

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

	if (failure != NULL)
	{
		xero_check_failure(check, "settings", failure,
						   psprintf("CREATE USER MAPPING FOR CURRENT_USER SERVER %s OPTIONS (...);",
									quote_identifier(fs->servername)));
		return;
	}
	if (step.server->client_secret_file != NULL &&
		step.server->access_token == NULL)
		failure = xero_attempt(read_secret, step.server);
	if (failure != NULL)
	{
		xero_check_failure(check, "settings", failure,
						   "See the option client_secret_file of the user mapping.");
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
	check->server = step.server;
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

/* What is stored shows best whether the key is the right one. */
static XeroFailure *
look_at_stored(const XeroServer *server, const char **seen)
{
	StoreStep	step = {server, NULL};
	XeroFailure *failure = NULL;

	if (server->sealed_secret != NULL)
	{
		failure = xero_attempt(read_secret, (void *) server);
		*seen = "it opens the stored client secret";
	}
	if (failure != NULL || !xero_needs_consent(server))
		return failure;
	failure = xero_attempt(read_consent, &step);
	if (step.consent != NULL)
	{
		*seen = "it opens the stored tokens";
		wipe(step.consent->refresh_token);
		wipe(step.consent->access_token);
	}
	return failure;
}

static void
check_key_file(XeroCheck *check)
{
	const char *seen = NULL;
	XeroFailure *failure = look_at_stored(check->server, &seen);

	if (failure == NULL && seen == NULL)
	{
		if (!xero_needs_consent(check->server))
		{
			xero_check_row(check, "key file", XERO_CHECK_OK,
						   "not needed, as nothing is stored", NULL);
			return;
		}
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
