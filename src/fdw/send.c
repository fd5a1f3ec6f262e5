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
 * Each organisation has rows and requests of its own; and so has, of a child
 * table, each record of the parent.
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
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

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

/*-------------------------------------------------------------------------
 * Organisations
 *-------------------------------------------------------------------------
 */

void
xero_make_queues(XeroModify *state)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(state));
	XeroOrganisation *organisations;

	Assert(state->queues == NULL);
	state->nqueues = xero_organisations(state->server, &organisations);
	state->queues = palloc0(sizeof(XeroQueue) * state->nqueues);
	for (int i = 0; i < state->nqueues; i++)
	{
		XeroQueue  *queue = &state->queues[i];

		queue->organisation = &organisations[i];
		queue->server = *state->server;
		queue->cxt = AllocSetContextCreate(CurrentMemoryContext,
										   "Xero pending rows",
										   ALLOCSET_DEFAULT_SIZES);
	}
	state->progress = xero_progress_begin(state->table->relid,
										  progress_phase(state->operation));
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
								 state->server->name, state->nqueues),
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
							 state->server->name, tenant),
					NULL);
	return -1;
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
	if (refusals == NIL || state->push != NULL)
		return;					/* a push has noted them */
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
	List	   *messages = list_make1(pstrdup(message));

	if (detail != NULL)
		messages = lappend(messages, pstrdup(detail));
	if (state->push != NULL)
	{
		state->push->outcomes[state->row - 1].sqlerrcode = sqlerrcode;
		state->push->outcomes[state->row - 1].messages = messages;
		return;
	}
	refusal.sqlerrcode = sqlerrcode;
	refusal.label = pstrdup(label);
	refusal.messages = messages;
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

char *
xero_make_subject(List *rows)
{
	StringInfoData text;
	int			n = 0;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, rows)
	{
		XeroPendingRow *row = lfirst(lc);

		if (n == MAX_NAMED_ROWS)
		{
			appendStringInfo(&text, "; and %d more", list_length(rows) - n);
			break;
		}
		appendStringInfo(&text, "%s%s", n++ > 0 ? "; " : "", row->label);
	}
	return text.data;
}

static char *
make_body(const XeroModify *state, List *rows)
{
	const XeroObject *object = xero_written_object(state->object);
	XeroEnvelope envelope = xero_write_rules(object)->envelope;
	StringInfoData body;
	bool		first = true;
	ListCell   *lc;

	if (((XeroPendingRow *) linitial(rows))->element == NULL)
		return NULL;
	initStringInfo(&body);
	if (envelope == XERO_ENVELOPE_WRAPPED)
		appendStringInfo(&body, "{\"%s\":[", xero_write_wrapper(object));
	else if (envelope == XERO_ENVELOPE_ARRAY)
		appendStringInfoChar(&body, '[');
	foreach(lc, rows)
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

/* Xero does not find what the request was about: true of all its rows. */
static XeroOutcome *
make_missing(int nrows)
{
	XeroOutcome *outcomes = palloc0(sizeof(XeroOutcome) * nrows);

	for (int i = 0; i < nrows; i++)
	{
		outcomes[i].sqlerrcode = ERRCODE_NO_DATA_FOUND;
		outcomes[i].messages = list_make1(XERO_NO_SUCH_RECORD);
	}
	return outcomes;
}

/* The answer to a DELETE: nothing, or what is no more; or not found. */
static XeroOutcome *
read_deletion(XeroModify *state, const XeroResponse *response)
{
	XeroOutcome *outcome;

	if (response->status == 400)
		return xero_answer_read(state->answer, response, 1);
	if (response->status == 404 && !response->perhaps_done)
		return make_missing(1);
	outcome = palloc0(sizeof(XeroOutcome));
	outcome->stored = true;
	return outcome;
}

/* A value that the answer does not repeat, if the table has the column. */
static void
fill_value(XeroModify *state, AttrNumber attno, char *text,
		   TupleTableSlot *slot)
{
	Form_pg_attribute att;
	Oid			input;
	Oid			ioparam;

	if (attno == 0)
		return;
	att = TupleDescAttr(state->desc, attno - 1);
	getTypeInputInfo(att->atttypid, &input, &ioparam);
	slot->tts_values[attno - 1] = OidInputFunctionCall(input, text, ioparam,
													   att->atttypmod);
	slot->tts_isnull[attno - 1] = false;
}

/* Let the reader go on to the next record of the answer. */
static void
next_record(XeroModify *state)
{
	if (!xero_reader_next(state->reader, state->values, state->nulls))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("unexpected answer from Xero to a write of foreign table \"%s\"",
						state->table->name),
				 errdetail("It lacks a record that was written.")));
}

void
xero_read_record(XeroModify *state, const XeroQueue *queue,
				 TupleTableSlot *slot)
{
	next_record(state);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true,
		   sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < state->nfields; i++)
	{
		slot->tts_values[state->field_attnos[i] - 1] = state->values[i];
		slot->tts_isnull[state->field_attnos[i] - 1] = state->nulls[i];
	}
	fill_value(state, state->tenant_attno,
			   pstrdup(queue->organisation->tenant_id), slot);
	ExecStoreVirtualTuple(slot);
}

/*
 * What Xero stored of the one row, into the slot of RETURNING.  Of a record
 * that was sent for the sake of a row inside of it, that is the element at the
 * place where it was in the array.
 */
static void
read_back(XeroModify *state, const XeroQueue *queue,
		  const XeroPendingRow *row, const XeroResponse *response,
		  TupleTableSlot *slot, MemoryContext row_cxt)
{
	MemoryContext old = MemoryContextSwitchTo(row_cxt);
	int			place = row->parts == NIL ? 0 :
	((XeroPendingRow *) linitial(row->parts))->place;

	xero_reader_open(state->reader, response->body, response->len,
					 response->detail);
	for (int i = 0; i < place; i++)
		next_record(state);
	xero_read_record(state, queue, slot);
	if (state->rules->place == XERO_PLACE_BELOW)
		fill_value(state, state->holder_attno, row->holder, slot);
	MemoryContextSwitchTo(old);
}

/* A row was stored under this key, or refused. */
static void
judge_row(XeroModify *state, const XeroPendingRow *row, const char *key,
		  const XeroOutcome *outcome, List **refusals)
{
	if (outcome->stored)
		note_done(state, key);
	else
	{
		*refusals = lappend(*refusals, make_refusal(row, outcome));
		if (state->refused != NULL)
			state->refused[row->number] = true;
	}
}

/* Sort the rows of the request into those that were stored and the others. */
static void
judge_rows(XeroModify *state, List *rows, XeroOutcome *outcomes)
{
	List	   *refusals = NIL;
	int			i = 0;
	ListCell   *lc;
	ListCell   *lp;

	foreach(lc, rows)
	{
		XeroPendingRow *row = lfirst(lc);
		XeroOutcome *outcome = &outcomes[i++];

		CHECK_FOR_INTERRUPTS();
		show_warnings(state, row, outcome->warnings);
		if (outcome->key == NULL && row->key != NULL)
			outcome->key = pstrdup(row->key);
		if (state->push != NULL)
			state->push->outcomes[row->number] = *outcome;
		if (row->parts == NIL)
			judge_row(state, row, outcome->key, outcome, &refusals);
		foreach(lp, row->parts)
		{
			XeroPendingRow *part = lfirst(lp);

			judge_row(state, part, part->key ? part->key : part->holder,
					  outcome, &refusals);
		}
	}
	settle_refusals(state, refusals);
}

/* What Xero says to a request, row by row. */
static XeroOutcome *
read_outcomes(XeroModify *state, const XeroResponse *response,
			  const XeroWriteSpec *spec, int nrows)
{
	if (spec->body == NULL)
		return read_deletion(state, response);
	if (response->status == 404)
		return make_missing(nrows);
	return xero_answer_read(state->answer, response, nrows);
}

void
xero_send_request(XeroModify *state, const XeroQueue *queue, List *rows,
				  TupleTableSlot *slot, MemoryContext row_cxt)
{
	XeroPendingRow *first = linitial(rows);
	int			elements = state->lines ? xero_lines_reach(state->table) :
	state->batch;
	XeroWriteSpec spec = {0};
	const XeroResponse *response;
	XeroOutcome *outcomes;
	ListCell   *lc;

	spec.method = xero_write_method(state->table, state->operation, elements);
	spec.path = xero_write_path(state->table, state->operation, elements,
								first->holder, first->key);
	spec.query = xero_write_query(state->table, state->operation, elements);
	spec.body = make_body(state, rows);
	spec.subject = xero_make_subject(rows);
	spec.missing_ok = spec.body == NULL ||
		state->rules->place == XERO_PLACE_BELOW;
	spec.stats = &state->stats;
	if (state->push != NULL)
	{
		spec.key = state->push->key;
		spec.key_age = state->push->key_age;
	}
	if (xero_write_is_dry_run())
	{
		xero_write_show(&spec);
		return;
	}

	response = xero_write_send(CurrentMemoryContext, &queue->server, &spec);
	if (response->status == 400 && state->rules->repeatable &&
		list_length(rows) > 1)
	{
		/* Xero tells of the failed ones only: ask about each */
		foreach(lc, rows)
			xero_send_request(state, queue, list_make1(lfirst(lc)), slot,
							  row_cxt);
		return;
	}
	outcomes = read_outcomes(state, response, &spec, list_length(rows));
	if (state->push != NULL)
		state->push->response = response;
	judge_rows(state, rows, outcomes);
	if (state->progress)
	{
		state->progress->pages_done++;
		state->progress->rows = state->done;
		state->progress->bytes_in = state->stats.bytes_in;
	}
	if (slot != NULL && state->reader != NULL && outcomes[0].stored)
		read_back(state, queue, first, response, slot, row_cxt);
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

			found = strcmp(first->holder, row->holder) == 0;
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
send_rows(XeroModify *state, const XeroQueue *queue, TupleTableSlot *slot,
		  MemoryContext row_cxt)
{
	List	   *groups;
	ListCell   *lc;

	if (state->rules->place == XERO_PLACE_OWN)
	{
		xero_send_request(state, queue, queue->rows, slot, row_cxt);
		return;
	}
	groups = group_rows(queue->rows);
	if (state->lines != NULL)
	{
		xero_lines_send(state, queue, groups, slot, row_cxt);
		return;
	}
	foreach(lc, groups)
		xero_send_request(state, queue, lfirst(lc), slot, row_cxt);
}

static void
send_queue(XeroModify *state, XeroQueue *queue, TupleTableSlot *slot)
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
	send_rows(state, queue, slot, old);
	MemoryContextSwitchTo(old);

	error_context_stack = callback.previous;
	MemoryContextReset(queue->cxt);
	queue->rows = NIL;
	queue->bytes = 0;
}

static size_t
row_bytes(const XeroPendingRow *row)
{
	return row->element ? strlen(row->element) + 1 : 0;
}

void
xero_send_pending(XeroModify *state)
{
	for (int i = 0; i < state->nqueues; i++)
		send_queue(state, &state->queues[i], NULL);
}

void
xero_check_size(const XeroModify *state, const XeroPendingRow *row)
{
	size_t		bytes = row->element ? strlen(row->element) : 0;

	if (bytes > XERO_MAX_BODY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a row of foreign table \"%s\" is too large for Xero",
						state->table->name),
				 errdetail("The %s has %zu bytes, where %d are allowed.",
						   row->label, bytes, XERO_MAX_BODY)));
}

static char *
copy_text(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

static char **
copy_texts(char **texts, int n)
{
	char	  **copy = NULL;

	if (texts == NULL)
		return NULL;
	copy = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		copy[i] = copy_text(texts[i]);
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
	copy->label = copy_text(row->label);
	copy->element = copy_text(row->element);
	copy->holder = copy_text(row->holder);
	copy->key = copy_text(row->key);
	copy->texts = copy_texts(row->texts, state->nmembers);
	copy->identity = copy_texts(row->identity, list_length(state->identity));
	queue->rows = lappend(queue->rows, copy);
	MemoryContextSwitchTo(old);
	queue->bytes += row_bytes(row);
}

void
xero_queue_row(XeroModify *state, XeroPendingRow *row, TupleTableSlot *slot)
{
	XeroQueue  *queue = &state->queues[row->queue];
	size_t		bytes = row_bytes(row);

	xero_check_size(state, row);
	if (queue->bytes + bytes > XERO_MAX_BODY)
		send_queue(state, queue, NULL);
	append_row(state, queue, row);
	if (list_length(queue->rows) >= state->batch)
		send_queue(state, queue, slot);
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
						state->table->name),
				 errdetail("Its rows have %zu bytes, where %d are allowed.",
						   queue->bytes, XERO_MAX_BODY),
				 errhint("Send fewer rows at a time.")));
	send_queue(state, queue, NULL);
}
