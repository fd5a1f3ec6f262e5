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
	const XeroObject *root = xero_root_object(state->table->object);

	if ((root->paging != XERO_PAGING_PAGE && root->paging != XERO_PAGING_BARE) ||
		state->key_field < 0 ||
		state->fields[state->key_field].type != UUIDOID)
		return NULL;
	return xero_seen_create(state->run_cxt);
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
	spec.object = xero_root_object(state->table->object);
	spec.page_size = state->page_size;
	spec.first_page = first_page;
	spec.last_ahead = state->last_page;
	spec.ahead = ahead;
	spec.stats = &state->stats;
	return xero_pager_begin(state->run_cxt, &stream->server, &spec);
}

/*
 * How many streams are read at once.  More than have a budget at the same time
 * would only take them from each other.
 */
static int
width(const XeroScanState *state)
{
	if (!state->ahead && state->order_rows == 0)
		return 1;
	return Min(Min(state->nstreams, XERO_MAX_STREAMS), xero_budget_entries());
}

/*
 * Turn to the next target.  Where all rows will be wanted, the first requests
 * of those after it are sent along.
 */
static void
begin_target(XeroScanState *state, XeroStream *stream)
{
	XeroTarget *target = list_nth(state->targets, stream->target);
	int			ahead = 1;
	int			last;

	if (state->ahead)
		ahead = width(state) == 1 ? state->server->concurrency :
			Min(state->server->concurrency, XERO_MAX_STREAMS / width(state));
	last = Min(stream->target + ahead, list_length(state->targets));
	if (stream->pagers == NULL)
		stream->pagers = MemoryContextAllocZero(state->run_cxt,
												sizeof(XeroPager *) * list_length(state->targets));
	for (int i = stream->target; i < last; i++)
	{
		if (stream->pagers[i] == NULL)
		{
			stream->pagers[i] = xero_stream_pager(state, stream,
												  list_nth(state->targets, i),
												  ahead, state->first_page);
			xero_pager_start(stream->pagers[i]);
		}
	}
	stream->pager = stream->pagers[stream->target];
	stream->items = -1;
	stream->counted = -1;
	stream->fewest_items = -1;
	stream->rows = 0;
	stream->records = (state->first_page - 1) *
		xero_pager_page_size(xero_root_object(state->table->object),
							 state->page_size);
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
						state->table->name),
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
		if (stream->pager != NULL && state->order_rows > 0 &&
			stream->rows >= state->order_rows)
			leave_target(stream);
		if (stream->pager == NULL)
		{
			if (stream->target >= list_length(state->targets))
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
	memmove(&state->open[i], &state->open[i + 1],
			sizeof(XeroStream *) * (state->nopen - i - 1));
	state->nopen--;
}

XeroStream *
xero_next_response(XeroScanState *state, const XeroResponse **response)
{
	XeroCall   *calls[XERO_MAX_STREAMS];
	XeroStream *stream;
	int			i = 0;

	for (;;)
	{
		if (i < state->nopen)
			state->stream = state->open[i];
		else if (i < width(state) && state->nbegun < state->nstreams)
			state->stream = state->open[state->nopen++] =
				&state->streams[state->nbegun++];
		else
			break;
		calls[i] = request_next(state, state->stream);
		if (calls[i] != NULL)
			i++;
		else
			remove_open(state, i);
	}
	if (state->nopen == 0)
		return NULL;

	i = state->nopen > 1 ? xero_call_await(calls, state->nopen) : 0;
	state->stream = stream = state->open[i];
	remove_open(state, i);
	state->open[state->nopen++] = stream;
	*response = xero_pager_next(stream->pager);
	return stream;
}

static void
stream_context(void *arg)
{
	XeroScanState *state = arg;

	if (state->stream != NULL && state->norganisations > 1)
		errcontext("organisation \"%s\" (%s)",
				   state->stream->organisation->name,
				   state->stream->organisation->tenant_id);
}

void
xero_push_stream_context(XeroScanState *state, ErrorContextCallback *callback)
{
	callback->callback = stream_context;
	callback->arg = state;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}
