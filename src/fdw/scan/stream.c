/*-------------------------------------------------------------------------
 *
 * stream.c
 *	  Which organisation a scan reads next.
 *
 * A scan sends the same requests to each of its organisations; what comes
 * from one is a stream.  Each has a budget of its own at Xero, so they are
 * read side by side: whoever has answered is served, in turn, and nobody
 * waits for the limit of another while there is something to read.  Where the
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

StaticAssertDecl(XERO_MAX_STREAMS <= XERO_MAX_QUEUED,
				 "more organisations are read at once than can be waited for");

/* Keys are remembered where pages can overlap and the key is a uuid. */
static XeroSeen *
make_seen(XeroScanState *state)
{
	const XeroObject *root = xero_root_object(state->spec.table->object);

	if ((root->paging != XERO_PAGING_PAGE && root->paging != XERO_PAGING_BARE) ||
		state->decoder.key_field < 0 ||
		state->decoder.fields[state->decoder.key_field].type != UUIDOID)
		return NULL;
	return xero_seen_create(state->run.cxt);
}

/* At most "ahead" requests and unread responses. */
XeroPager *
xero_stream_pager(XeroScanState *state, XeroStream *stream,
				  const XeroTarget *target, int ahead, int64 first_page)
{
	XeroPagerSpec spec = {0};

	spec.path = target->path;
	spec.query = target->query;
	spec.modified_since = target->modified_since;
	spec.single = target->single;
	spec.object = xero_root_object(state->spec.table->object);
	spec.page_size = state->spec.page_size;
	spec.first_page = first_page;
	spec.last_ahead = state->run.last_page;
	spec.ahead = ahead;
	spec.stats = &state->stats.calls;
	return xero_pager_begin(state->run.cxt, &stream->server, &spec);
}

/*
 * How many streams are read at once.  More than have a budget at the same time
 * would only take them from each other.
 */
static int
width(const XeroScanState *state)
{
	if (!state->run.ahead && state->spec.order_rows == 0)
		return 1;
	return Min(Min(state->run.nstreams, XERO_MAX_STREAMS), xero_budget_entries());
}

/*
 * Turn to the next target.  Where all rows will be wanted, the first requests
 * of those after it are sent along.
 */
static void
begin_target(XeroScanState *state, XeroStream *stream)
{
	XeroRun    *run = &state->run;
	XeroTarget *target = list_nth(run->targets, stream->target);
	int			ahead = 1;
	int			last;

	if (run->ahead)
		ahead = width(state) == 1 ? state->spec.server->concurrency :
			Min(state->spec.server->concurrency, XERO_MAX_STREAMS / width(state));
	last = Min(stream->target + ahead, list_length(run->targets));
	if (stream->pagers == NULL)
		stream->pagers = MemoryContextAllocZero(run->cxt,
												sizeof(XeroPager *) * list_length(run->targets));
	for (int i = stream->target; i < last; i++)
	{
		if (stream->pagers[i] == NULL)
		{
			stream->pagers[i] = xero_stream_pager(state, stream,
												  list_nth(run->targets, i),
												  ahead, run->first_page);
			xero_pager_start(stream->pagers[i]);
		}
	}
	stream->pager = stream->pagers[stream->target];
	stream->items = -1;
	stream->counted = -1;
	stream->fewest_items = -1;
	stream->rows = 0;
	stream->records = (run->first_page - 1) *
		xero_pager_page_size(xero_root_object(state->spec.table->object),
							 state->spec.page_size);
	stream->offset = 0;
	stream->reread_page = 0;
	stream->setbacks = 0;
	stream->seen = target->single ? NULL : make_seen(state);
}

static void
leave_target(XeroStream *stream)
{
	xero_pager_free(stream->pager);
	stream->pager = NULL;
	stream->target++;
}

/* Every record that Xero counted on every page must have come. */
static void
end_target(XeroScanState *state, XeroStream *stream)
{
	if (stream->fewest_items >= 0 && stream->records < stream->fewest_items)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("foreign table \"%s\" was not read completely",
						state->spec.table->name),
				 errdetail("Xero counted %.0f records but sent %.0f.",
						   stream->fewest_items, stream->records),
				 errhint("The list changed while it was being read. Run the statement again.")));
	leave_target(stream);
}

/* The call that the stream's next response comes from; NULL at its end. */
static XeroCall *
request_next(XeroScanState *state, XeroStream *stream)
{
	XeroCall   *call;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		/* the rest of the list comes after what is wanted */
		if (stream->pager != NULL && state->spec.order_rows > 0 &&
			stream->rows >= state->spec.order_rows)
			leave_target(stream);
		if (stream->pager == NULL)
		{
			if (stream->target >= list_length(state->run.targets))
				return NULL;
			begin_target(state, stream);
		}
		call = xero_pager_request(stream->pager);
		if (call != NULL)
			return call;
		end_target(state, stream);
	}
}

static void
remove_open(XeroScanState *state, int i)
{
	XeroRun    *run = &state->run;

	memmove(&run->open[i], &run->open[i + 1],
			sizeof(XeroStream *) * (run->nopen - i - 1));
	run->nopen--;
}

XeroStream *
xero_next_response(XeroScanState *state, const XeroResponse **response)
{
	XeroRun    *run = &state->run;
	XeroCall   *calls[XERO_MAX_STREAMS];
	XeroStream *stream;
	int			i = 0;

	for (;;)
	{
		if (i < run->nopen)
			state->page.stream = run->open[i];
		else if (i < width(state) && run->nbegun < run->nstreams)
			state->page.stream = run->open[run->nopen++] =
				&run->streams[run->nbegun++];
		else
			break;
		calls[i] = request_next(state, state->page.stream);
		if (calls[i] != NULL)
			i++;
		else
			remove_open(state, i);
	}
	if (run->nopen == 0)
		return NULL;

	i = run->nopen > 1 ? xero_call_await(calls, run->nopen) : 0;
	state->page.stream = stream = run->open[i];
	remove_open(state, i);
	run->open[run->nopen++] = stream;
	*response = xero_pager_next(stream->pager);
	return stream;
}

static void
stream_context(void *arg)
{
	XeroScanState *state = arg;

	if (state->page.stream != NULL && state->spec.norganisations > 1)
		errcontext("organisation \"%s\" (%s)",
				   state->page.stream->organisation->name,
				   state->page.stream->organisation->tenant_id);
}

void
xero_push_stream_context(XeroScanState *state, ErrorContextCallback *callback)
{
	callback->callback = stream_context;
	callback->arg = state;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}
