/*-------------------------------------------------------------------------
 *
 * sink.c
 *	  Refused rows on their way to whoever waits for them; a statement's way.
 *
 * A statement ends at the first request of which Xero refused rows, with one
 * error, or (xero_fdw.on_row_error) notes them and goes on.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "mb/pg_wchar.h"

static void
refuse_for_statement(XeroRowSink *sink, XeroModify *state, List *refusals)
{
	XeroStatementSink *own = (XeroStatementSink *) sink;
	const XeroModifySpec *spec = &state->spec;
	ListCell   *lc;

	if (!xero_refusals_are_logged())
	{
		state->tally.told = true;
		xero_refusals_raise(spec->table->name, spec->operation, refusals,
							state->tally.done, state->tally.names.data,
							spec->operation == CMD_DELETE ?
							spec->rules->ending_hint : NULL);
	}
	xero_refusals_log(spec->table->name, spec->operation, refusals);
	own->noted += list_length(refusals);
	foreach(lc, refusals)
	{
		if (own->marks != NULL)
			own->marks[((XeroRefusal *) lfirst(lc))->number] = true;
	}
}

XeroStatementSink *
xero_statement_sink_create(void)
{
	XeroStatementSink *sink = palloc0(sizeof(XeroStatementSink));

	sink->sink.refused = refuse_for_statement;
	return sink;
}

XeroRefusal *
xero_make_refusal(const XeroPendingRow *row, const XeroOutcome *outcome)
{
	XeroRefusal *refusal = palloc0(sizeof(XeroRefusal));

	refusal->number = row->number;
	refusal->label = row->label;
	refusal->outcome = *outcome;
	if (row->element != NULL)
		refusal->values = pg_any_to_server(row->element, strlen(row->element),
										   PG_UTF8);
	return refusal;
}

void
xero_refuse_row(XeroModify *state, int sqlerrcode, const char *label,
				const char *message, const char *detail)
{
	XeroRefusal refusal = {0};

	refusal.number = state->present.number;
	refusal.label = pstrdup(label);
	refusal.outcome.sqlerrcode = sqlerrcode;
	refusal.outcome.messages = list_make1(pstrdup(message));
	if (detail != NULL)
		refusal.outcome.messages = lappend(refusal.outcome.messages,
										   pstrdup(detail));
	state->sink->refused(state->sink, state, list_make1(&refusal));
}
