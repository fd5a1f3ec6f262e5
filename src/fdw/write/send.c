/*-------------------------------------------------------------------------
 *
 * send.c
 *	  One request of a write -> what became of its rows.
 *
 * What Xero has stored is kept in mind for a transaction that rolls back; when
 * that is done for all rows, the sink is told of what was refused and of what was
 * stored.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "api/report/request_log.h"
#include "fdw/write/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

/* So many rows of a request are named in an error about all of them. */
#define MAX_NAMED_ROWS 10

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
	const XeroObject *object = xero_written_object(state->spec.object);
	XeroEnvelope envelope = object->writes->envelope;
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
	XeroTally  *tally = &state->tally;

	xero_append_name(&tally->names, ++tally->done, key);
	xero_xact_wrote(state->spec.table->name, state->spec.operation, key);
}

static void
show_warnings(XeroModify *state, const XeroPendingRow *row, List *warnings)
{
	ListCell   *lc;

	foreach(lc, warnings)
	{
		xero_request_log_warn(lfirst(lc));
		ereport(WARNING,
				(errmsg("Xero warns about a row of foreign table \"%s\": %s",
						state->spec.table->name, (char *) lfirst(lc)),
				 errdetail_internal("%s", row->label)));
	}
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
	if (response->status == 400)
		return xero_answer_read(state->answer, response, list_make1(NULL));
	if (response->status == 404 && !response->perhaps_done)
		return make_missing(1);
	return xero_verify_deletion(response);
}

/* The rows that an element was sent for. */
static List *
rows_of(XeroPendingRow *element)
{
	return element->parts != NIL ? element->parts : list_make1(element);
}

/* Note that the rows of an element were stored, or add them to the errors. */
static List *
judge_rows(XeroModify *state, XeroPendingRow *element,
		   const XeroOutcome *outcome, List *errors)
{
	ListCell   *lc;

	foreach(lc, rows_of(element))
	{
		XeroPendingRow *row = lfirst(lc);

		if (!outcome->stored)
			errors = lappend(errors, xero_make_row_error(row, outcome));
		else if (row == element)
			note_done(state, outcome->key);
		else
			note_done(state, row->key ? row->key : row->parent_key);
	}
	return errors;
}

/* Tell the sink what became of the elements of a request. */
static void
tell_outcomes(XeroModify *state, List *elements, XeroOutcome *outcomes)
{
	List	   *errors = NIL;
	ListCell   *lc;
	ListCell   *lr;

	foreach(lc, elements)
	{
		XeroPendingRow *element = lfirst(lc);
		XeroOutcome *outcome = &outcomes[foreach_current_index(lc)];

		CHECK_FOR_INTERRUPTS();
		show_warnings(state, element, outcome->warnings);
		if (outcome->key == NULL && element->key != NULL)
			outcome->key = pstrdup(element->key);
		xero_verify_row(state, element, outcome);
		errors = judge_rows(state, element, outcome, errors);
	}
	xero_write_forget();		/* all that was stored is noted */
	if (errors != NIL)
		state->sink->refused(state->sink, state, errors);
	foreach(lc, elements)
	{
		XeroOutcome *outcome = &outcomes[foreach_current_index(lc)];

		if (!outcome->stored)
			continue;
		foreach(lr, rows_of(lfirst(lc)))
			state->sink->stored(state->sink, state, lfirst(lr), outcome);
	}
}

/* What Xero says to a request, row by row. */
static XeroOutcome *
read_outcomes(XeroModify *state, const XeroResponse *response,
			  const XeroWriteSpec *request, List *rows)
{
	if (response->status >= 500)
		return xero_answer_failed(response, list_length(rows));
	if (request->body == NULL)
		return read_deletion(state, response);
	if (response->status == 404)
		return make_missing(list_length(rows));
	return xero_answer_read(state->answer, response, request->record_keys);
}

/* The keys of the records that the rows are about; NULL for new ones. */
static List *
record_keys(List *rows)
{
	List	   *keys = NIL;
	ListCell   *lc;

	foreach(lc, rows)
	{
		XeroPendingRow *row = lfirst(lc);

		keys = lappend(keys, row->parts != NIL ? row->parent_key : row->key);
	}
	return keys;
}

/* Tell the audit the keys that Xero has given to new records. */
static void
audit_new_records(XeroAudit *audit, List *keys, const XeroOutcome *outcomes)
{
	List	   *given = NIL;
	ListCell   *lc;

	foreach(lc, keys)
	{
		const XeroOutcome *outcome = &outcomes[foreach_current_index(lc)];

		if (lfirst(lc) == NULL && outcome->stored && outcome->key != NULL)
			given = lappend(given, outcome->key);
	}
	xero_audit_add_keys(audit, given);
	xero_audit_close(audit);
}

static void
show_progress(const XeroTally *tally)
{
	if (tally->progress == NULL)
		return;
	tally->progress->pages_done++;
	tally->progress->rows = tally->done;
	tally->progress->bytes_in = tally->stats.bytes_in;
}

void
xero_send_request(XeroModify *state, const XeroQueue *queue, List *rows)
{
	const XeroModifySpec *spec = &state->spec;
	XeroPendingRow *first;
	int			elements = state->child_rows ? spec->parent_batch : spec->batch;
	XeroWriteSpec request = {0};
	const XeroResponse *response;
	XeroOutcome *outcomes;
	ListCell   *lc;

	if (!xero_write_is_dry_run())
		rows = xero_refuse_taken(state, queue, rows);
	if (rows == NIL)
		return;
	first = linitial(rows);
	request.method = xero_write_method(spec->table, spec->operation, elements);
	request.path = xero_write_path(spec->table, spec->operation, elements,
								   first->parent_key, first->key);
	/* under a key of the caller's, it may be repeated with another setting */
	request.query = xero_write_query(spec->table, spec->operation, elements,
									 spec->key == NULL &&
									 xero_write_allows_backorders());
	request.body = make_body(state, rows);
	request.subject = xero_make_subject(rows);
	request.record_keys = record_keys(rows);
	request.missing_ok = request.body == NULL || spec->unread ||
		spec->rules->place == XERO_PLACE_BELOW;
	request.stats = &state->tally.stats;
	request.key = spec->key;
	/* whoever has a key of its own knows how to find out what was stored */
	request.failure_ok = spec->key != NULL;
	request.key_age = spec->key_age;
	if (xero_write_is_dry_run())
	{
		xero_write_show(&request);
		return;
	}

	response = xero_write_send(CurrentMemoryContext, &queue->server, &request);
	if (response->status == 400 && spec->rules->repeatable &&
		list_length(rows) > 1)
	{
		/* Xero tells of the failed ones only: ask about each */
		xero_audit_close(response->audit);
		foreach(lc, rows)
			xero_send_request(state, queue, list_make1(lfirst(lc)));
		return;
	}
	outcomes = read_outcomes(state, response, &request, rows);
	audit_new_records(response->audit, request.record_keys, outcomes);
	tell_outcomes(state, rows, outcomes);
	show_progress(&state->tally);
}

void
xero_check_size(const XeroModify *state, const XeroPendingRow *row)
{
	size_t		bytes = row->element ? strlen(row->element) : 0;

	if (bytes > XERO_MAX_BODY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a row of foreign table \"%s\" is too large for Xero",
						state->spec.table->name),
				 errdetail("The %s has %zu bytes, where %d are allowed.",
						   row->label, bytes, XERO_MAX_BODY)));
}
