/*-------------------------------------------------------------------------
 *
 * org_scan.c
 *	  The scans of single organisations, and which is read next.
 *
 * A scan sends the same requests to each of its organisations; reading one of
 * them is an XeroOrgScan.  Each has a budget of its own at Xero, so they are
 * read side by side: whoever has answered is served, in turn, and nobody waits
 * for the limit of another while there is something to read.  Where the
 * statement may stop early they are read one after the other, as calls to the
 * next might be for nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "api/budget/budget.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"

StaticAssertDecl(XERO_MAX_ORG_SCANS <= XERO_MAX_QUEUED,
				 "more organisations are read at once than can be waited for");

/* Keys are remembered where pages can overlap and the key is a uuid. */
static XeroDedup *
make_dedup(XeroScanState *state)
{
	const XeroObject *root = xero_root_object(state->spec.table->object);

	if ((root->paging != XERO_PAGING_PAGE && root->paging != XERO_PAGING_BARE) ||
		state->decoder.key_field < 0 ||
		state->decoder.fields[state->decoder.key_field].type != UUIDOID)
		return NULL;
	return xero_dedup_create(state->run.cxt);
}

/* At most "ahead" requests and unread responses. */
XeroPager *
xero_org_scan_pager(XeroScanState *state, XeroOrgScan *org_scan,
					const XeroRequest *request, int ahead, int64 first_page,
					XeroPageCache *cache)
{
	XeroPagerSpec spec = {0};

	spec.path = request->path;
	spec.query = request->query;
	spec.modified_since = request->modified_since;
	spec.after = request->after;
	spec.last = request->last;
	spec.single = request->single;
	spec.object = xero_root_object(state->spec.table->object);
	spec.page_size = state->spec.page_size;
	spec.first_page = first_page;
	spec.last_ahead = state->run.last_page;
	spec.ahead = ahead;
	spec.cache = cache;
	spec.stats = &state->stats.calls;
	return xero_pager_begin(state->run.cxt, &org_scan->server, &spec);
}

/*
 * How many organisations are read at once.  More than have a budget at the
 * same time would only take them from each other.
 */
static int
width(const XeroScanState *state)
{
	if (!state->run.ahead && state->run.order_rows == 0)
		return 1;
	return Min(Min(state->run.norg_scans, XERO_MAX_ORG_SCANS), xero_budget_width());
}

/*
 * Turn to the next request.  Where all rows will be wanted, the first pages
 * of those after it are asked for along with it.
 */
static void
begin_request(XeroScanState *state, XeroOrgScan *org_scan)
{
	XeroRun    *run = &state->run;
	XeroRequest *request = list_nth(run->requests, org_scan->request);
	int			ahead = 1;
	int			last;

	if (run->ahead)
		ahead = width(state) == 1 ? state->spec.server->concurrency :
			Min(state->spec.server->concurrency, XERO_MAX_ORG_SCANS / width(state));
	last = Min(org_scan->request + ahead, list_length(run->requests));
	if (org_scan->pagers == NULL)
		org_scan->pagers = MemoryContextAllocZero(run->cxt,
												  sizeof(XeroPager *) * list_length(run->requests));
	for (int i = org_scan->request; i < last; i++)
	{
		if (org_scan->pagers[i] == NULL)
		{
			org_scan->pagers[i] = xero_org_scan_pager(state, org_scan,
													  list_nth(run->requests, i),
													  ahead, run->first_page,
													  state->spec.cache);
			xero_pager_start(org_scan->pagers[i]);
		}
	}
	org_scan->pager = org_scan->pagers[org_scan->request];
	org_scan->items = -1;
	org_scan->counted = -1;
	org_scan->fewest_items = -1;
	org_scan->rows = 0;
	org_scan->tied = false;
	org_scan->records = (run->first_page - 1) *
		xero_pager_page_size(xero_root_object(state->spec.table->object),
							 state->spec.page_size);
	org_scan->offset = request->after;
	org_scan->reread_page = 0;
	org_scan->setbacks = 0;
	org_scan->dedup = request->single ? NULL : make_dedup(state);
}

static void
leave_request(XeroOrgScan *org_scan)
{
	xero_pager_free(org_scan->pager);
	org_scan->pagers[org_scan->request++] = org_scan->pager = NULL;
}

/* Let all organisations be read from the beginning. */
void
xero_rewind_org_scans(XeroScanState *state)
{
	XeroRun    *run = &state->run;

	for (int i = 0; i < run->norg_scans; i++)
	{
		XeroOrgScan *org_scan = &run->org_scans[i];

		for (int j = 0; org_scan->pagers && j < list_length(run->requests); j++)
		{
			if (org_scan->pagers[j])
				xero_pager_free(org_scan->pagers[j]);
		}
		org_scan->pagers = NULL;
		org_scan->pager = NULL;
		org_scan->request = 0;
	}
	run->nbegun = 0;
	run->nopen = 0;
	state->stats.pages_total = -1;
	state->stats.records = -1;
}

/*
 * The first page of a list in an order has been read.  Are there rows that are
 * wanted on later pages?  They are not asked for, since records move between
 * the pages of such a list.
 */
static bool
wants_later_pages(const XeroScanState *state, const XeroOrgScan *org_scan)
{
	const XeroObject *root = xero_root_object(state->spec.table->object);
	bool		ended = org_scan->items >= 0 ?
	org_scan->records >= org_scan->items :
	org_scan->records < xero_pager_page_size(root, state->spec.page_size);

	return !ended &&
		(org_scan->tied || org_scan->rows < state->run.order_rows);
}

/* Every record that Xero counted on every page must have come. */
static void
end_request(XeroScanState *state, XeroOrgScan *org_scan)
{
	if (org_scan->fewest_items >= 0 && org_scan->records < org_scan->fewest_items)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("foreign table \"%s\" was not read completely",
						state->spec.table->name),
				 errdetail("Xero counted %.0f records but sent %.0f.",
						   org_scan->fewest_items, org_scan->records),
				 errhint("The list changed while it was being read. Run the statement again.")));
	leave_request(org_scan);
}

/* The call that the next response comes from; NULL at the end of the scan. */
static XeroCall *
request_next(XeroScanState *state, XeroOrgScan *org_scan)
{
	XeroCall   *call;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		/* the rest of the list comes after what is wanted */
		if (org_scan->pager != NULL && state->run.order_rows > 0 &&
			org_scan->rows >= state->run.order_rows && !state->spec.order_ties)
			leave_request(org_scan);
		if (org_scan->pager != NULL && state->run.order_rows > 0 &&
			state->spec.order_ties && org_scan->records > 0)
		{
			if (wants_later_pages(state, org_scan))
				state->run.by_key_instead = true;
			leave_request(org_scan);
		}
		if (state->run.by_key_instead)
			return NULL;
		if (org_scan->pager == NULL)
		{
			if (org_scan->request >= list_length(state->run.requests))
				return NULL;
			begin_request(state, org_scan);
		}
		call = xero_pager_request(org_scan->pager);
		if (call != NULL)
			return call;
		end_request(state, org_scan);
	}
}

static void
remove_open(XeroScanState *state, int i)
{
	XeroRun    *run = &state->run;

	memmove(&run->open[i], &run->open[i + 1],
			sizeof(XeroOrgScan *) * (run->nopen - i - 1));
	run->nopen--;
}

/* Let as many organisations be asked at once as may be; the call of each. */
static void
ask_next(XeroScanState *state, XeroCall **calls)
{
	XeroRun    *run = &state->run;
	int			i = 0;

	for (;;)
	{
		if (i < run->nopen)
			state->page.org_scan = run->open[i];
		else if (i < width(state) && run->nbegun < run->norg_scans)
			state->page.org_scan = run->open[run->nopen++] =
				&run->org_scans[run->nbegun++];
		else
			break;
		calls[i] = request_next(state, state->page.org_scan);
		if (calls[i] != NULL)
			i++;
		else
			remove_open(state, i);
	}
}

void
xero_ask_first_pages(XeroScanState *state)
{
	XeroCall   *calls[XERO_MAX_ORG_SCANS];

	if (state->spec.counts == NIL)
		ask_next(state, calls);
}

XeroOrgScan *
xero_next_response(XeroScanState *state, const XeroResponse **response)
{
	XeroRun    *run = &state->run;
	XeroCall   *calls[XERO_MAX_ORG_SCANS];
	XeroOrgScan *org_scan;
	int			i;

	ask_next(state, calls);
	if (run->nopen == 0)
		return NULL;

	i = run->nopen > 1 ? xero_call_wait(calls, run->nopen) : 0;
	state->page.org_scan = org_scan = run->open[i];
	remove_open(state, i);
	run->open[run->nopen++] = org_scan;
	*response = xero_pager_next(org_scan->pager);
	return org_scan;
}

static void
org_scan_context(void *arg)
{
	XeroScanState *state = arg;

	if (state->page.org_scan != NULL && state->spec.norganisations > 1)
		errcontext("organisation \"%s\" (%s)",
				   state->page.org_scan->organisation->name,
				   state->page.org_scan->organisation->tenant_id);
}

void
xero_push_org_scan_context(XeroScanState *state, ErrorContextCallback *callback)
{
	callback->callback = org_scan_context;
	callback->arg = state;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}
