/*-------------------------------------------------------------------------
 *
 * orgs.c
 *	  Do the organisations answer, what may still be asked of them, and does
 *	  Xero heed the size of pages?
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/budget.h"
#include "api/budget/budget_state.h"
#include "api/call/pager.h"
#include "api/consent/organisations.h"
#include "base/text.h"
#include "catalog/scopes.h"
#include "fdw/check/attempt.h"
#include "fdw/check/check.h"
#include "fdw/consent/table_scopes.h"
#include "fdw/options.h"
#include "json/reader.h"
#include "query/literal.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* It is not counted as egress, and tells whether the organisation is there. */
#define ASKED_PATH "/api.xro/2.0/Organisation"
#define ASKED_SCOPE "accounting.settings.read"

/* Less of a day than this part of it is worth a word. */
#define LITTLE 10

/* ---- organisations ---- */

static bool
stands_for(const XeroServer *server, const XeroOrganisation *organisation)
{
	return strcmp(organisation->tenant_type, "ORGANISATION") == 0 &&
		(server->tenant_id == NULL ||
		 pg_strcasecmp(server->tenant_id, organisation->tenant_id) == 0);
}

static void
choose_orgs(XeroCheck *check)
{
	check->orgs = palloc0(sizeof(XeroCheckedOrg) *
						  Max(check->nconnections, 1));
	for (int i = 0; i < check->nconnections; i++)
	{
		XeroOrganisation *organisation = &check->connections[i];
		XeroCheckedOrg *org = &check->orgs[check->norgs];

		if (!stands_for(check->server, organisation))
			continue;
		org->organisation = organisation;
		org->label = psprintf("\"%s\" (%s)", organisation->name,
							  organisation->tenant_id);
		check->norgs++;
	}
}

static void
report_none(XeroCheck *check)
{
	if (check->server->tenant_id != NULL)
		xero_check_row(check, "organisation", XERO_CHECK_PROBLEM,
					   psprintf("the server option \"tenant_id\" is %s, which is not connected",
								check->server->tenant_id),
					   "Connect that organisation, or correct the option: the view xero_fdw.connections shows what is connected.");
	else
		xero_check_row(check, "organisation", XERO_CHECK_PROBLEM,
					   "none is connected", xero_needs_consent(check->server) ?
					   xero_authorize_hint(check->server) :
					   "Connect the application to an organisation in Xero.");
}

/* The server as it calls for an organisation. */
static XeroServer
server_for(const XeroCheck *check, const XeroCheckedOrg *org)
{
	XeroServer	server = *check->server;

	server.tenant_id = org->organisation->tenant_id;
	server.tenant_name = org->organisation->name[0] != '\0' ?
		org->organisation->name : NULL;
	return server;
}

typedef struct LostStep
{
	XeroCheck  *check;
	XeroCheckedOrg *org;
} LostStep;

/* Raises what a query would. */
static void
speak_for_lost(void *state)
{
	LostStep   *step = state;
	XeroServer	server = *step->check->server;

	xero_speak_for(&server, step->org->organisation);
}

/* Ask those that are connected, as many as may wait at once. */
static void
ask_orgs(XeroCheck *check)
{
	XeroCallStats stats = {0};
	XeroCall   *calls[XERO_MAX_QUEUED];
	XeroCheckedOrg *asked[XERO_MAX_QUEUED];
	int			ncalls = 0;

	for (int i = 0; i < check->norgs && ncalls < lengthof(calls); i++)
	{
		XeroServer	server = server_for(check, &check->orgs[i]);
		XeroCallSpec spec = {0};

		if (check->orgs[i].organisation->lost)
			continue;
		spec.method = "GET";
		spec.path = ASKED_PATH;
		spec.query = "";
		spec.stats = &stats;
		asked[ncalls] = &check->orgs[i];
		calls[ncalls++] = xero_call_begin(CurrentMemoryContext, &server,
										  &spec);
	}
	for (int i = 0; i < ncalls; i++)
	{
		const XeroFailure *failure;

		(void) xero_call_wait(&calls[i], 1);
		failure = xero_call_failure(calls[i]);
		if (failure != NULL)
		{
			xero_raise_unless_finding(failure);
			asked[i]->failure = xero_copy_failure(failure);
			asked[i]->limited =
				failure->sqlerrcode == ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
		}
		else
			asked[i]->answered = true;
		xero_call_free(calls[i]);
	}
}

static void
report_org(XeroCheck *check, XeroCheckedOrg *org, bool asks)
{
	LostStep	step = {check, org};

	if (org->organisation->lost)
		xero_check_failure(check, "organisation",
						   xero_attempt(speak_for_lost, &step), NULL);
	else if (org->answered)
		xero_check_row(check, "organisation", XERO_CHECK_OK,
					   psprintf("%s answers", org->label), NULL);
	else if (org->failure != NULL && !org->limited)
		xero_check_failure(check, "organisation", org->failure, NULL);
	else
		xero_check_undone(check, "organisation",
						  psprintf("%s is connected, but %s", org->label,
								   org->limited ?
								   "no call is allowed now" :
								   asks ? "so many organisations are not asked at once" :
								   "the token lacks " ASKED_SCOPE));
}

void
xero_check_orgs(XeroCheck *check)
{
	bool		asks = check->granted == NULL ||
	xero_scope_is_granted(check->granted, ASKED_SCOPE);

	if (!check->has_token)
	{
		xero_check_undone(check, "organisation", "there is no token");
		return;
	}
	choose_orgs(check);
	if (check->norgs == 0)
		report_none(check);
	if (asks)
		ask_orgs(check);
	for (int i = 0; i < check->norgs; i++)
		report_org(check, &check->orgs[i], asks);
}

/* ---- budget ---- */

static void
report_budget(XeroCheck *check, const XeroCheckedOrg *org,
			  const XeroBudgetState *budget)
{
	bool		little = budget->day_remaining >= 0 &&
	budget->day_remaining < budget->day_limit / LITTLE;
	char	   *seen = psprintf("%s: %d of %d calls are left this minute",
								org->label, budget->minute_remaining,
								budget->minute_limit);

	if (budget->day_remaining >= 0)
		seen = psprintf("%s, %d of %d today", seen, budget->day_remaining,
						budget->day_limit);
	if (budget->blocked_until != 0)
		seen = psprintf("%s; blocked until %s", seen,
						timestamptz_to_str(xero_budget_wall_time(budget->blocked_until)));
	xero_check_row(check, "budget",
				   little || budget->blocked_until != 0 ?
				   XERO_CHECK_WARNING : XERO_CHECK_OK, seen,
				   little || budget->blocked_until != 0 ?
				   "The view xero_fdw.requests shows who makes the calls of this cluster; other programs of the same application count, too." :
				   NULL);
}

/* What the failure says of xero_fdw.max_wait is about the check's own. */
static void
report_limited(XeroCheck *check, const XeroCheckedOrg *org,
			   const XeroServer *server)
{
	const char *seen = psprintf("%s: %s", org->label, org->failure->message);
	XeroBudgetState budget;

	if (xero_budget_look(server, &budget) && budget.blocked_until != 0)
		seen = psprintf("%s, until %s", seen,
						timestamptz_to_str(xero_budget_wall_time(budget.blocked_until)));
	xero_check_row(check, "budget", XERO_CHECK_PROBLEM, seen,
				   org->failure->hint);
}

void
xero_check_budgets(XeroCheck *check)
{
	int			known = 0;

	for (int i = 0; i < check->norgs; i++)
	{
		XeroCheckedOrg *org = &check->orgs[i];
		XeroServer	server = server_for(check, org);
		XeroBudgetState budget;

		if (org->limited)
			report_limited(check, org, &server);
		else if (org->answered && xero_budget_look(&server, &budget))
			report_budget(check, org, &budget);
		else
			continue;
		known++;
	}
	if (known == 0)
		xero_check_undone(check, "budget", "no organisation has answered");
}

/* ---- page size ---- */

/* A list in pages that the token can read, and that may be read in a moment. */
static const XeroTableScope *
find_paged(const XeroCheck *check)
{
	ListCell   *lc;

	foreach(lc, check->tables)
	{
		const XeroTableScope *table = lfirst(lc);
		const XeroObject *object = table->object;

		if (object->parent == NULL && object->paging == XERO_PAGING_PAGE &&
			object->max_page_size > object->default_page_size &&
			object->has_modified_since && object->api->country == NULL &&
			(check->granted == NULL || table->scope == NULL ||
			 xero_scope_is_granted(check->granted, table->scope)))
			return table;
	}
	return NULL;
}

typedef struct PageStep
{
	const XeroServer *server;
	const XeroObject *object;
	int			asked;
	int64		served;			/* -1: Xero does not say */
} PageStep;

/* A page of what was modified just now: almost nothing, at any size. */
static void
ask_page(void *state)
{
	PageStep   *step = state;
	XeroCallStats stats = {0};
	XeroCallSpec spec = {0};
	XeroCall   *call;
	const XeroResponse *response;
	XeroReader *reader;

	spec.method = "GET";
	spec.path = psprintf("%s/%s", step->object->api->base,
						 step->object->name);
	spec.query = xero_pager_first_query(step->object, step->asked, 1, "0");
	spec.modified_since = xero_instant_text(GetCurrentTimestamp());
	spec.stats = &stats;
	call = xero_call_begin(CurrentMemoryContext, step->server, &spec);
	response = xero_call_finish(call);
	reader = xero_reader_create(CurrentMemoryContext,
								step->object->table_name,
								step->object->wrapper, NULL, NULL, 0, -1);
	xero_reader_open(reader, response->body, response->len,
					 response->detail);
	while (xero_reader_next(reader, NULL, NULL))
		;
	step->served = xero_reader_info(reader)->page_size;
	xero_call_free(call);
}

static void
report_page_size(XeroCheck *check, const PageStep *step)
{
	const char *name = step->object->table_name;

	if (step->served == step->asked)
		xero_check_row(check, "page size", XERO_CHECK_OK,
					   psprintf("pages of %s have the %d records that are asked for",
								name, step->asked), NULL);
	else if (step->served < 0)
		xero_check_row(check, "page size", XERO_CHECK_WARNING,
					   psprintf("Xero does not say how many records a page of %s has",
								name),
					   "Please report this; LIMIT with OFFSET reads more than it needs.");
	else
		xero_check_row(check, "page size", XERO_CHECK_WARNING,
					   psprintf("pages of %s have %lld records, though %d are asked for",
								name, (long long) step->served, step->asked),
					   "Please report this; scans need more calls than EXPLAIN shows.");
}

void
xero_check_page_size(XeroCheck *check)
{
	const XeroTableScope *table = find_paged(check);
	XeroFailure *failure;
	XeroServer	server;
	PageStep	step = {0};
	int			i = 0;

	while (i < check->norgs && !check->orgs[i].answered)
		i++;
	if (i == check->norgs || table == NULL)
	{
		xero_check_undone(check, "page size", i == check->norgs ?
						  "no organisation has answered" :
						  "there is no foreign table in pages that the token can read");
		return;
	}
	server = server_for(check, &check->orgs[i]);
	step.server = &server;
	step.object = table->object;
	step.asked = xero_pager_page_size(table->object,
									  check->server->page_size);
	failure = xero_attempt(ask_page, &step);
	if (failure != NULL)
		xero_check_failure(check, "page size", failure, NULL);
	else
		report_page_size(check, &step);
}
