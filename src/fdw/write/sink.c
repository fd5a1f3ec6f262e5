/*-------------------------------------------------------------------------
 *
 * sink.c
 *	  What became of rows, on its way to whoever waits for it; a statement's
 *	  way.
 *
 * A statement ends at the first request of which Xero refused rows, with one
 * error, or (xero_fdw.on_row_error) notes them and goes on.  It does not go on
 * if it has moved them here from a table of PostgreSQL's, where only an error
 * brings them back.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "mb/pg_wchar.h"

static void
refuse_for_statement(XeroRowSink *sink, XeroModify *state, List *errors)
{
	XeroStatementSink *own = (XeroStatementSink *) sink;
	const XeroModifySpec *spec = &state->spec;
	const XeroRowError *first = linitial(errors);
	ListCell   *lc;

	if (spec->unread && first->outcome.sqlerrcode == ERRCODE_NO_DATA_FOUND)
	{
		/* no scan would have found it */
		own->marks[first->number] = true;
		return;
	}
	if (!xero_row_errors_are_logged() || spec->statement != spec->operation)
	{
		state->tally.told = true;
		xero_row_errors_raise(spec->table->name, spec->operation, errors,
							  state->tally.done, state->tally.names.data,
							  spec->operation == CMD_DELETE ?
							  spec->rules->ending_hint : NULL);
	}
	xero_row_errors_log(spec->table->name, spec->operation, errors);
	own->noted += list_length(errors);
	foreach(lc, errors)
	{
		if (own->marks != NULL)
			own->marks[((XeroRowError *) lfirst(lc))->number] = true;
	}
}

/* RETURNING shows a deleted row as it was. */
static void
fetch_for_statement(XeroRowSink *sink, XeroModify *state,
					const XeroPendingRow *row, const XeroOutcome *outcome)
{
	XeroStatementSink *own = (XeroStatementSink *) sink;
	MemoryContext old;

	if (own->slots == NULL || state->back.reader == NULL ||
		outcome->record == NULL)
		return;
	old = MemoryContextSwitchTo(own->slots_cxt);
	xero_read_record(state, row, outcome, own->slots[row->number]);
	MemoryContextSwitchTo(old);
}

XeroStatementSink *
xero_statement_sink_create(void)
{
	XeroStatementSink *sink = palloc0(sizeof(XeroStatementSink));

	sink->sink.refused = refuse_for_statement;
	sink->sink.stored = fetch_for_statement;
	return sink;
}

XeroRowError *
xero_make_row_error(const XeroPendingRow *row, const XeroOutcome *outcome)
{
	XeroRowError *error = palloc0(sizeof(XeroRowError));

	error->number = row->number;
	error->label = row->label;
	error->outcome = *outcome;
	if (row->element != NULL)
		error->values = pg_any_to_server(row->element, strlen(row->element),
										 PG_UTF8);
	return error;
}

void
xero_refuse_row(XeroModify *state, int sqlerrcode, const char *label,
				const char *message, const char *detail)
{
	XeroRowError error = {0};

	error.number = state->present.number;
	error.label = pstrdup(label);
	error.outcome.sqlerrcode = sqlerrcode;
	error.outcome.messages = list_make1(pstrdup(message));
	if (detail != NULL)
		error.outcome.messages = lappend(error.outcome.messages,
										 pstrdup(detail));
	state->sink->refused(state->sink, state, list_make1(&error));
}
