/*-------------------------------------------------------------------------
 *
 * verify.c
 *	  Has Xero done what it was told?
 *
 * An answer of status 200 to a write shows what Xero has stored.  Members that
 * it ignores, drops or changes are no error to Xero; a statement that said
 * nothing would claim more than was done.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "fdw/write/modify.h"

#include "api/http/small_json.h"
#include "api/report/failure.h"
#include "json/compare.h"
#include "mb/pg_wchar.h"

/* So many members of a row are named. */
#define MAX_NAMED 5

/* By so much Xero lets the total of an invoice be another than its sum. */
#define MAX_ROUNDING 0.10
#define HALF_CENT 0.005

/* Amounts that are shown otherwise than they are read (rules->untaxed) */
#define TAXED_AMOUNTS "UnitAmount|LineAmount|DiscountAmount"

/* The rules that say what may come back otherwise. */
static XeroJsonLeniency
leniency_of(const XeroModify *state, const char *sent)
{
	const XeroWriteRules *rules = xero_written_object(state->spec.object)->writes;
	XeroJsonLeniency leniency = {rules->merged, rules->unechoed,
		/* what payroll answers is not documented to be all of a record */
	rules->envelope != XERO_ENVELOPE_WRAPPED};
	size_t		len;
	const char *style;

	if (rules->untaxed == NULL)
		return leniency;
	style = xero_json_find(sent, "LineAmountTypes", &len);
	if (style != NULL && len == strlen(rules->untaxed) + 2 &&
		strncmp(style + 1, rules->untaxed, len - 2) == 0)
		leniency.unechoed = TAXED_AMOUNTS;
	return leniency;
}

static char *
to_server(char *utf8)
{
	return xero_clean_text(utf8, strlen(utf8), strlen(utf8));
}

static void
warn_of(const XeroModify *state, const XeroPendingRow *row, List *differences)
{
	StringInfoData detail;
	ListCell   *lc;

	initStringInfo(&detail);
	foreach(lc, differences)
	{
		const XeroJsonDifference *difference = lfirst(lc);
		int			n = foreach_current_index(lc);

		if (n == MAX_NAMED)
		{
			appendStringInfo(&detail, "; and %d more",
							 list_length(differences) - n);
			break;
		}
		appendStringInfo(&detail, "%s%s is %s instead of %s", n > 0 ? "; " : "",
						 to_server(difference->path),
						 to_server(difference->stored),
						 to_server(difference->sent));
	}
	ereport(WARNING,
			(errmsg("Xero did not store all that was written to foreign table \"%s\"",
					state->spec.table->name),
			 errdetail("%s: %s.", row->label, detail.data)));
}

/* A record should have ended with a status: NULL if it has, else the other. */
static char *
other_status(const XeroModify *state, const XeroPendingRow *row,
			 const char *record)
{
	const XeroModifySpec *spec = &state->spec;
	const char *field;
	const char *sent;
	const char *stored;
	size_t		len;
	size_t		stored_len;

	if (spec->operation != CMD_DELETE || row->parts != NIL ||
		spec->rules->status == NULL)
		return NULL;
	field = xero_find_column(spec->object, spec->rules->status)->field;
	sent = xero_json_find(row->element, field, &len);
	stored = xero_json_find(record, field, &stored_len);
	if (sent == NULL || stored == NULL ||
		(len == stored_len && strncmp(sent, stored, len) == 0))
		return NULL;
	return to_server(pnstrdup(stored, stored_len));
}

static void
refuse(XeroOutcome *outcome, char *message)
{
	outcome->stored = false;
	outcome->record = NULL;
	outcome->sqlerrcode = ERRCODE_CHECK_VIOLATION;
	outcome->messages = list_make1(message);
}

/* A number of a record, which may be in quotes; 0 if there is none. */
static double
number_in(const char *record, const char *field)
{
	size_t		len;
	const char *value = xero_json_find(record, field, &len);

	return value == NULL ? 0 : strtod(value + (*value == '"'), NULL);
}

/*
 * What a document should sum up to, NULL if that is not known.  With a rounding
 * that it had, that is more than the sum of its lines.
 */
static char *
expected_total(const XeroPendingRow *row, const char *record)
{
	if (row->total != NULL || fabs(row->rounding) < HALF_CENT ||
		fabs(row->rounding) > MAX_ROUNDING + HALF_CENT)
		return row->total;
	return psprintf("%.2f", number_in(record, "SubTotal") +
					number_in(record, "TotalTax") + row->rounding);
}

/* JSON that the answer should have, NULL if there is none. */
static const char *
expected_of(const XeroPendingRow *row, const char *record)
{
	const char *expected = row->expected ? row->expected : row->element;
	char	   *total = expected_total(row, record);

	if (expected == NULL || total == NULL)
		return expected;
	return psprintf("%.*s,\"Total\":%s}", (int) strlen(expected) - 1, expected,
					total);
}

void
xero_verify_row(const XeroModify *state, const XeroPendingRow *row,
				XeroOutcome *outcome)
{
	const char *expected;
	XeroJsonLeniency leniency;
	List	   *differences;
	char	   *status;

	if (!outcome->stored || outcome->record == NULL)
		return;
	expected = expected_of(row, outcome->record);
	if (expected == NULL)
		return;
	status = other_status(state, row, outcome->record);
	if (status != NULL)
	{
		refuse(outcome, psprintf("Xero did not do it, and gave no reason: its status is %s.",
								 status));
		return;
	}
	leniency = leniency_of(state, expected);
	differences = xero_json_compare(expected, outcome->record, &leniency);
	if (differences != NIL)
		warn_of(state, row, differences);
}

XeroOutcome *
xero_verify_deletion(const XeroResponse *response)
{
	XeroOutcome *outcome = palloc0(sizeof(XeroOutcome));
	XeroReason	reasons[1];
	const char *errors;
	const char *deleted;
	size_t		errors_len;
	size_t		len;

	outcome->stored = true;
	if (response->len == 0)
		return outcome;
	errors = xero_json_find(response->body, "ValidationErrors", &errors_len);
	deleted = xero_json_find(response->body, "IsDeleted", &len);
	if (errors != NULL && xero_parse_messages(errors, errors_len, reasons, 1) > 0)
	{
		refuse(outcome, to_server(reasons[0].text));
		outcome->sqlerrcode = xero_classify_message(linitial(outcome->messages));
	}
	else if (deleted != NULL && *deleted == 'f')
		refuse(outcome, "Xero did not delete it, and gave no reason.");
	return outcome;
}
