/*-------------------------------------------------------------------------
 *
 * queue.c
 *	  Rows that wait until a request is full.
 *
 * A request holds as many rows as Xero takes at once, and no more than 3 MB.
 * Each organisation has rows and requests of its own; and so has, of a child
 * table, each record of the parent.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "api/consent/organisations.h"
#include "base/text.h"
#include "fdw/write/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

/*-------------------------------------------------------------------------
 * Organisations
 *-------------------------------------------------------------------------
 */

static const char *
progress_phase(CmdType operation)
{
	switch (operation)
	{
		case CMD_INSERT:
			return "insert";
		case CMD_UPDATE:
			return "update";
		default:
			return "delete";
	}
}

void
xero_make_queues(XeroModify *state)
{
	const XeroModifySpec *spec = &state->spec;
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(state));
	XeroOrganisation *organisations;

	Assert(state->queues == NULL);
	state->nqueues = xero_organisations(spec->server, &organisations);
	state->queues = palloc0(sizeof(XeroQueue) * state->nqueues);
	for (int i = 0; i < state->nqueues; i++)
	{
		XeroQueue  *queue = &state->queues[i];

		queue->organisation = &organisations[i];
		queue->server = *spec->server;
		queue->cxt = AllocSetContextCreate(CurrentMemoryContext,
										   "Xero pending rows",
										   ALLOCSET_DEFAULT_SIZES);
	}
	state->tally.progress = xero_progress_begin(spec->table->relid,
												progress_phase(spec->operation));
	MemoryContextSwitchTo(old);
}

/* The queue of that number, which from now on speaks for its organisation. */
static int
take_queue(XeroModify *state, int number)
{
	XeroQueue  *queue = &state->queues[number];

	xero_speak_for(&queue->server, queue->organisation);
	return number;
}

int
xero_choose_queue(XeroModify *state, const char *tenant, const char *label)
{
	pg_uuid_t  *id;

	if (state->queues == NULL)
		xero_make_queues(state);
	if (tenant == NULL)
	{
		if (state->nqueues == 1)
			return take_queue(state, 0);
		xero_refuse_row(state, ERRCODE_NOT_NULL_VIOLATION, label,
						psprintf("server \"%s\" stands for %d organisations, and the row does not say which one it is for",
								 state->spec.server->name, state->nqueues),
						"Give column \"tenant_id\" a value.");
		return -1;
	}
	id = DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(tenant)));
	for (int i = 0; i < state->nqueues; i++)
	{
		if (memcmp(id->data, state->queues[i].organisation->id.data,
				   UUID_LEN) == 0)
			return take_queue(state, i);
	}
	xero_refuse_row(state, ERRCODE_INVALID_PARAMETER_VALUE, label,
					psprintf("server \"%s\" does not write to organisation %s",
							 state->spec.server->name, tenant),
					NULL);
	return -1;
}

/*-------------------------------------------------------------------------
 * Sending what waits
 *-------------------------------------------------------------------------
 */

/* An error of any kind says what was written before. */
static void
describe_done(void *arg)
{
	XeroModify *state = arg;

	if (state->tally.done > 0 && !state->tally.told)
		errcontext("written by this statement already, and not undone by ROLLBACK: "
				   "%lld %s foreign table \"%s\": %s",
				   (long long) state->tally.done, xero_operation_verb(state->spec.operation),
				   state->spec.table->name, state->tally.names.data);
}

/* Rows of a child table, as a list of lists: those of one parent each. */
static List *
group_rows(List *rows)
{
	List	   *groups = NIL;
	ListCell   *lc;
	ListCell   *lg;

	foreach(lc, rows)
	{
		XeroPendingRow *row = lfirst(lc);
		bool		found = false;

		foreach(lg, groups)
		{
			XeroPendingRow *first = linitial(lfirst(lg));

			found = strcmp(first->parent_key, row->parent_key) == 0;
			if (found)
			{
				lfirst(lg) = lappend(lfirst(lg), row);
				break;
			}
		}
		if (!found)
			groups = lappend(groups, list_make1(row));
	}
	return groups;
}

/* Send all rows that wait for an organisation. */
static void
send_rows(XeroModify *state, const XeroQueue *queue)
{
	List	   *groups;
	ListCell   *lc;

	if (state->spec.rules->place == XERO_PLACE_OWN)
	{
		xero_send_request(state, queue, queue->rows);
		return;
	}
	groups = group_rows(queue->rows);
	if (state->child_rows != NULL)
	{
		xero_child_rows_send(state, queue, groups);
		return;
	}
	foreach(lc, groups)
		xero_send_request(state, queue, lfirst(lc));
}

static void
send_queue(XeroModify *state, XeroQueue *queue)
{
	ErrorContextCallback callback;
	MemoryContext old;

	if (queue->rows == NIL)
		return;
	callback.callback = describe_done;
	callback.arg = state;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	MemoryContextReset(state->answer_cxt);
	old = MemoryContextSwitchTo(state->answer_cxt);
	send_rows(state, queue);
	MemoryContextSwitchTo(old);

	error_context_stack = callback.previous;
	MemoryContextReset(queue->cxt);
	queue->rows = NIL;
	queue->bytes = 0;
}

void
xero_send_pending(XeroModify *state)
{
	for (int i = 0; i < state->nqueues; i++)
		send_queue(state, &state->queues[i]);
}

/*-------------------------------------------------------------------------
 * Queueing
 *-------------------------------------------------------------------------
 */

static size_t
row_bytes(const XeroPendingRow *row)
{
	return row->element ? strlen(row->element) + 1 : 0;
}

static char **
copy_texts(char **texts, int n)
{
	char	  **copy = NULL;

	if (texts == NULL)
		return NULL;
	copy = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		copy[i] = xero_copy_text(texts[i]);
	return copy;
}

/* Append a copy of a row to its queue. */
static void
append_row(const XeroModify *state, XeroQueue *queue,
		   const XeroPendingRow *row)
{
	MemoryContext old = MemoryContextSwitchTo(queue->cxt);
	XeroPendingRow *copy = palloc0(sizeof(XeroPendingRow));

	copy->number = row->number;
	copy->queue = row->queue;
	copy->label = xero_copy_text(row->label);
	copy->element = xero_copy_text(row->element);
	copy->total = xero_copy_text(row->total);
	copy->rounding = row->rounding;
	copy->parent_key = xero_copy_text(row->parent_key);
	copy->key = xero_copy_text(row->key);
	copy->unique = xero_copy_text(row->unique);
	copy->texts = copy_texts(row->texts, state->encoder.nmembers);
	copy->identity = copy_texts(row->identity, list_length(state->spec.identity));
	queue->rows = lappend(queue->rows, copy);
	MemoryContextSwitchTo(old);
	queue->bytes += row_bytes(row);
}

void
xero_queue_row(XeroModify *state, XeroPendingRow *row)
{
	XeroQueue  *queue = &state->queues[row->queue];
	size_t		bytes = row_bytes(row);

	xero_check_size(state, row);
	if (queue->bytes + bytes > XERO_MAX_BODY)
		send_queue(state, queue);
	append_row(state, queue, row);
	if (list_length(queue->rows) >= state->spec.batch)
		send_queue(state, queue);
}

void
xero_send_together(XeroModify *state, List *rows)
{
	XeroQueue  *queue = NULL;
	ListCell   *lc;

	foreach(lc, rows)
	{
		XeroPendingRow *row = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (queue != NULL && queue != &state->queues[row->queue])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rows of one request must be for one organisation")));
		queue = &state->queues[row->queue];
		append_row(state, queue, row);
	}
	if (queue == NULL)
		return;
	if (queue->bytes > XERO_MAX_BODY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a request for foreign table \"%s\" is too large for Xero",
						state->spec.table->name),
				 errdetail("Its rows have %zu bytes, where %d are allowed.",
						   queue->bytes, XERO_MAX_BODY),
				 errhint("Send fewer rows at a time.")));
	send_queue(state, queue);
}
