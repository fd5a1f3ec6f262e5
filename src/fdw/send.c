/*-------------------------------------------------------------------------
 *
 * send.c
 *	  Rows that wait -> requests -> what became of them.
 *
 * A request holds as many rows as Xero takes at once, and no more than 3 MB.
 * If Xero refused some of its rows, the statement ends there with one error,
 * or they are noted and it goes on; either way what Xero has stored is kept in
 * mind for whoever rolls back.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/modify.h"

#include "api/tenant.h"
#include "executor/executor.h"
#include "fdw/written.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

/* Xero takes 3.5 MB. */
#define MAX_BODY (3 * 1000 * 1000)

/* So many rows of a request are named in an error about all of them. */
#define MAX_NAMED_ROWS 10

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

/* What needs the network, or is of use only when requests are sent. */
static void
prepare(XeroModify *state)
{
	MemoryContext old;

	if (state->resolved)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(state));
	xero_resolve_tenant(state->server);
	state->progress = xero_progress_begin(state->table->relid,
										  progress_phase(state->operation));
	state->resolved = true;
	MemoryContextSwitchTo(old);
}

/*-------------------------------------------------------------------------
 * Refusals
 *-------------------------------------------------------------------------
 */

static const char *
refusal_hint(const XeroModify *state)
{
	return state->operation == CMD_DELETE ? state->rules->ending_hint : NULL;
}

/* Raise or note them. */
static void
settle_refusals(XeroModify *state, List *refusals)
{
	if (refusals == NIL)
		return;
	if (!xero_refusals_are_logged())
	{
		state->told = true;
		xero_refusals_raise(state->table->name, state->operation, refusals,
							state->done, state->names.data,
							refusal_hint(state));
	}
	xero_refusals_log(state->table->name, state->operation, refusals);
	state->failed += list_length(refusals);
}

void
xero_refuse_row(XeroModify *state, int sqlerrcode, const char *label,
				const char *message, const char *detail)
{
	XeroRefusal refusal = {0};

	refusal.sqlerrcode = sqlerrcode;
	refusal.label = pstrdup(label);
	refusal.messages = list_make1(pstrdup(message));
	if (detail != NULL)
		refusal.messages = lappend(refusal.messages, pstrdup(detail));
	settle_refusals(state, list_make1(&refusal));
}

/* An error of any kind says what was written before. */
static void
describe_done(void *arg)
{
	XeroModify *state = arg;

	if (state->done > 0 && !state->told)
		errcontext("written by this statement already, and not undone by ROLLBACK: "
				   INT64_FORMAT " %s foreign table \"%s\": %s",
				   state->done, xero_written_verb(state->operation),
				   state->table->name, state->names.data);
}

/*-------------------------------------------------------------------------
 * One request
 *-------------------------------------------------------------------------
 */

static char *
make_subject(XeroModify *state)
{
	StringInfoData text;
	int			n = 0;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, state->pending)
	{
		XeroPendingRow *row = lfirst(lc);

		if (n == MAX_NAMED_ROWS)
		{
			appendStringInfo(&text, "; and %d more",
							 list_length(state->pending) - n);
			break;
		}
		appendStringInfo(&text, "%s%s", n++ > 0 ? "; " : "", row->label);
	}
	return text.data;
}

static char *
make_body(XeroModify *state)
{
	XeroEnvelope envelope = state->rules->envelope;
	StringInfoData body;
	bool		first = true;
	ListCell   *lc;

	if (((XeroPendingRow *) linitial(state->pending))->element == NULL)
		return NULL;
	initStringInfo(&body);
	if (envelope == XERO_ENVELOPE_WRAPPED)
		appendStringInfo(&body, "{\"%s\":[", state->object->wrapper);
	else if (envelope == XERO_ENVELOPE_ARRAY)
		appendStringInfoChar(&body, '[');
	foreach(lc, state->pending)
	{
		if (!first)
			appendStringInfoChar(&body, ',');
		first = false;
		appendStringInfoString(&body, ((XeroPendingRow *) lfirst(lc))->element);
	}
	if (envelope != XERO_ENVELOPE_BARE)
		appendStringInfoString(&body, envelope == XERO_ENVELOPE_WRAPPED ? "]}" : "]");
	return body.data;
}

static void
note_done(XeroModify *state, const char *key)
{
	state->done++;
	xero_written_name(&state->names, state->done, key);
	xero_written_add(state->table->name, state->operation, key);
}

static XeroRefusal *
make_refusal(const XeroPendingRow *row, const XeroOutcome *outcome)
{
	XeroRefusal *refusal = palloc0(sizeof(XeroRefusal));

	refusal->sqlerrcode = outcome->sqlerrcode;
	refusal->label = row->label;
	refusal->messages = outcome->messages;
	if (row->element != NULL)
		refusal->values = pg_any_to_server(row->element, strlen(row->element),
										   PG_UTF8);
	return refusal;
}

static void
show_warnings(XeroModify *state, const XeroPendingRow *row, List *warnings)
{
	ListCell   *lc;

	foreach(lc, warnings)
		ereport(WARNING,
				(errmsg("Xero warns about a row of foreign table \"%s\": %s",
						state->table->name, (char *) lfirst(lc)),
				 errdetail_internal("%s", row->label)));
}

/* The answer to a DELETE: nothing, or what is no more; or not found. */
static XeroOutcome *
read_deletion(XeroModify *state, const XeroResponse *response)
{
	XeroOutcome *outcome;

	if (response->status == 400)
		return xero_answer_read(state->answer, response, 1);
	outcome = palloc0(sizeof(XeroOutcome));
	if (response->status != 404 || response->perhaps_done)
		outcome->stored = true;
	else
	{
		outcome->sqlerrcode = ERRCODE_NO_DATA_FOUND;
		outcome->messages = list_make1("There is no such record any more.");
	}
	return outcome;
}

/* What Xero stored of the one row, into the slot of RETURNING. */
static void
read_back(XeroModify *state, const XeroResponse *response,
		  TupleTableSlot *slot, MemoryContext row_cxt)
{
	MemoryContext old = MemoryContextSwitchTo(row_cxt);

	xero_reader_open(state->reader, response->body, response->len,
					 response->detail);
	if (!xero_reader_next(state->reader, state->values, state->nulls))
		elog(ERROR, "answer of Xero to a write has vanished");
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true,
		   sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < state->nfields; i++)
	{
		slot->tts_values[state->field_attnos[i] - 1] = state->values[i];
		slot->tts_isnull[state->field_attnos[i] - 1] = state->nulls[i];
	}
	for (int i = 0; i < state->table->natts; i++)
	{
		if (!state->table->columns[i].is_tenant)
			continue;
		slot->tts_values[i] = DirectFunctionCall1(uuid_in,
												  CStringGetDatum(state->server->tenant_id));
		slot->tts_isnull[i] = false;
	}
	ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(old);
}

/* Sort the rows of the request into those that were stored and the others. */
static void
judge_rows(XeroModify *state, XeroOutcome *outcomes)
{
	List	   *refusals = NIL;
	int			i = 0;
	ListCell   *lc;

	foreach(lc, state->pending)
	{
		XeroPendingRow *row = lfirst(lc);
		XeroOutcome *outcome = &outcomes[i++];

		CHECK_FOR_INTERRUPTS();
		show_warnings(state, row, outcome->warnings);
		if (outcome->stored)
			note_done(state, outcome->key ? outcome->key : row->key);
		else
		{
			refusals = lappend(refusals, make_refusal(row, outcome));
			if (state->refused != NULL)
				state->refused[row->number] = true;
		}
	}
	settle_refusals(state, refusals);
}

/* Send the rows that wait, all in one request. */
static void
send_request(XeroModify *state, TupleTableSlot *slot, MemoryContext row_cxt)
{
	XeroPendingRow *first = linitial(state->pending);
	XeroWriteSpec spec = {0};
	const XeroResponse *response;
	XeroOutcome *outcomes;

	spec.method = xero_write_method(state->table, state->operation, state->batch);
	spec.path = xero_write_path(state->table, state->operation, state->batch,
								first->key);
	spec.query = xero_write_query(state->table, state->operation, state->batch);
	spec.body = make_body(state);
	spec.subject = make_subject(state);
	spec.stats = &state->stats;
	if (xero_write_is_dry_run())
	{
		xero_write_show(&spec);
		return;
	}

	prepare(state);
	response = xero_write_send(state->answer_cxt, state->server, &spec);
	if (spec.body == NULL)
		outcomes = read_deletion(state, response);
	else
		outcomes = xero_answer_read(state->answer, response,
									list_length(state->pending));
	judge_rows(state, outcomes);
	if (state->progress)
	{
		state->progress->pages_done++;
		state->progress->rows = state->done;
		state->progress->bytes_in = state->stats.bytes_in;
	}
	if (slot != NULL && state->reader != NULL && outcomes[0].stored)
		read_back(state, response, slot, row_cxt);
}

void
xero_send_pending(XeroModify *state, TupleTableSlot *slot)
{
	ErrorContextCallback callback;
	MemoryContext old;

	if (state->pending == NIL)
		return;
	callback.callback = describe_done;
	callback.arg = state;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	MemoryContextReset(state->answer_cxt);
	old = MemoryContextSwitchTo(state->answer_cxt);
	send_request(state, slot, old);
	MemoryContextSwitchTo(old);

	error_context_stack = callback.previous;
	MemoryContextReset(state->pending_cxt);
	state->pending = NIL;
	state->pending_bytes = 0;
}

void
xero_queue_row(XeroModify *state, XeroPendingRow *row, TupleTableSlot *slot)
{
	size_t		bytes = row->element ? strlen(row->element) + 1 : 0;
	MemoryContext old;
	XeroPendingRow *copy;

	if (bytes > MAX_BODY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a row of foreign table \"%s\" is too large for Xero",
						state->table->name),
				 errdetail("The %s has %zu bytes, where %d are allowed.",
						   row->label, bytes, MAX_BODY)));
	if (state->pending_bytes + bytes > MAX_BODY)
		xero_send_pending(state, NULL);

	old = MemoryContextSwitchTo(state->pending_cxt);
	copy = palloc0(sizeof(XeroPendingRow));
	copy->number = row->number;
	copy->label = pstrdup(row->label);
	copy->element = row->element ? pstrdup(row->element) : NULL;
	copy->key = row->key ? pstrdup(row->key) : NULL;
	state->pending = lappend(state->pending, copy);
	MemoryContextSwitchTo(old);
	state->pending_bytes += bytes;

	if (list_length(state->pending) >= state->batch)
		xero_send_pending(state, slot);
}
