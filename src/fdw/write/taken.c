/*-------------------------------------------------------------------------
 *
 * taken.c
 *	  New records whose number another record has.
 *
 * Xero says that it refuses to create a contact whose number is taken; a user
 * has seen it change the contact that has it.  So Xero is asked who has such
 * numbers (rules->unique) before anything is created: one call for all of a
 * request, or for as many as a URL holds.  A number that somebody takes between
 * that call and the request is not seen.
 *
 * Xero takes texts for one that differ in case, accents or trailing blanks.
 * What it finds for one number has that number, however it is spelled.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "api/call/call.h"
#include "base/urlencode.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

/* Bytes of a condition in a URL, encoded. */
#define MAX_WHERE 1800

/* What may stand in a path; and what a key consists of, 32 of them. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
#define HEX "ABCDEFabcdef0123456789-"

#define NOT_ASKED "Xero cannot be asked whether a record has %s \"%s\" already."

/* A row that gives a number. */
typedef struct NewRow
{
	XeroPendingRow *row;
	char	   *folded;			/* the number, as it is compared */
	char	   *problem;		/* why the row is refused, or NULL */
	int			sqlerrcode;		/* then */
} NewRow;

static const XeroColumn *
unique_column(const XeroModify *state)
{
	return xero_find_column(state->spec.object, state->spec.rules->unique);
}

static char *
fold(const char *number)
{
	char	   *folded = str_tolower(number, strlen(number), DEFAULT_COLLATION_OID);
	size_t		len = strlen(folded);

	while (len > 0 && folded[len - 1] == ' ')
		folded[--len] = '\0';
	return folded;
}

static NewRow *
find_number(List *rows, const char *folded)
{
	ListCell   *lc;

	foreach(lc, rows)
	{
		NewRow	   *row = lfirst(lc);

		if (strcmp(row->folded, folded) == 0)
			return row;
	}
	return NULL;
}

/* Note why a row is refused; "format" has places for column and number. */
static void
refuse(const XeroModify *state, NewRow *row, int sqlerrcode, const char *format)
{
	row->problem = psprintf(format, state->spec.rules->unique,
							row->row->unique);
	row->sqlerrcode = sqlerrcode;
}

static void
mark_taken(const XeroModify *state, NewRow *row)
{
	refuse(state, row, ERRCODE_UNIQUE_VIOLATION,
		   "Xero has a record with %s \"%s\" already.");
}

/* A condition, percent-encoded. */
static char *
make_condition(const XeroColumn *column, const char *number)
{
	StringInfoData text;
	char	   *condition = psprintf("%s==\"%s\"", column->field, number);

	initStringInfo(&text);
	xero_append_encoded(&text, pg_server_to_any(condition, strlen(condition), PG_UTF8),
						XERO_UNRESERVED);
	return text.data;
}

char *
xero_taken_query(const XeroObject *object, const char *where)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "where=%s", where);
	xero_append_whole_list(&query, object);
	return query.data;
}

static const XeroResponse *
get(XeroModify *state, const XeroQueue *queue, XeroCallSpec *spec)
{
	spec->method = "GET";
	spec->stats = &state->tally.stats;
	return xero_call_finish(xero_call_begin(CurrentMemoryContext,
											&queue->server, spec));
}

/*
 * Ask for the record of that number.  A path takes it for a key if it looks like
 * one, and servers take some characters of a path apart even if encoded.
 */
static void
ask_for_record(XeroModify *state, const XeroQueue *queue, NewRow *row)
{
	const char *number = row->row->unique;
	size_t		len = strlen(number);
	XeroCallSpec spec = {.query = "",.missing_ok = true};

	if (strspn(number, PLAIN) < len || (len >= 32 && strspn(number, HEX) == len))
	{
		refuse(state, row, ERRCODE_FEATURE_NOT_SUPPORTED, NOT_ASKED);
		return;
	}
	spec.path = xero_record_path(state->spec.object, number);
	if (get(state, queue, &spec)->status != 404)
		mark_taken(state, row);
}

/* Mark those of some rows whose numbers Xero has. */
static void
ask(XeroModify *state, const XeroQueue *queue, List *rows, const char *where)
{
	const XeroObject *object = state->spec.object;
	const XeroColumn *column = unique_column(state);
	XeroField	field = {.path = column->field,.type = TEXTOID,.typmod = -1,
	.column = column->name};
	XeroCallSpec spec = {.refusal_ok = true};
	const XeroResponse *response;
	XeroReader *reader;
	bool		unclear = false;
	Datum		value;
	bool		isnull;
	ListCell   *lc;

	spec.path = psprintf("%s/%s", object->api->base, xero_object_path(object));
	spec.query = xero_taken_query(object, where);
	response = get(state, queue, &spec);
	if (response->status == 400)
	{
		/* a very large organisation does not let one look by number */
		foreach(lc, rows)
			ask_for_record(state, queue, lfirst(lc));
		return;
	}
	reader = xero_reader_create(CurrentMemoryContext, state->spec.table->name,
								object->wrapper, NULL, &field, 1, -1);
	xero_reader_open(reader, response->body, response->len, response->detail);
	while (xero_reader_next(reader, &value, &isnull))
	{
		NewRow	   *row = isnull ? NULL :
		find_number(rows, fold(TextDatumGetCString(value)));

		if (row == NULL && list_length(rows) == 1)
			row = linitial(rows);
		if (row != NULL)
			mark_taken(state, row);
		else
			unclear = true;
	}
	xero_reader_check_list(reader);
	if (!unclear)
		return;
	/* a number is spelled in a way that only Xero knows of */
	foreach(lc, rows)
	{
		NewRow	   *row = lfirst(lc);

		if (row->problem == NULL)
			ask(state, queue, list_make1(row),
				make_condition(column, row->row->unique));
	}
}

/* The rows that give numbers; those are marked that cannot be asked about. */
static List *
collect_numbers(const XeroModify *state, List *rows)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, rows)
	{
		NewRow	   *row = palloc0(sizeof(NewRow));

		row->row = lfirst(lc);
		if (row->row->unique == NULL || *row->row->unique == '\0')
			continue;
		row->folded = fold(row->row->unique);
		if (!xero_text_sendable(row->row->unique))
			refuse(state, row, ERRCODE_FEATURE_NOT_SUPPORTED, NOT_ASKED);
		else if (find_number(result, row->folded) != NULL)
			refuse(state, row, ERRCODE_UNIQUE_VIOLATION,
				   "Another row has %s \"%s\", too.");
		result = lappend(result, row);
	}
	return result;
}

static void
ask_about_all(XeroModify *state, const XeroQueue *queue, List *rows)
{
	StringInfoData where;
	List	   *asked = NIL;
	ListCell   *lc;

	initStringInfo(&where);
	foreach(lc, rows)
	{
		NewRow	   *row = lfirst(lc);
		char	   *condition;

		CHECK_FOR_INTERRUPTS();
		if (row->problem != NULL)
			continue;
		condition = make_condition(unique_column(state), row->row->unique);
		if (asked != NIL && where.len + strlen(condition) > MAX_WHERE)
		{
			ask(state, queue, asked, where.data);
			asked = NIL;
			resetStringInfo(&where);
		}
		appendStringInfo(&where, "%s%s", asked != NIL ? "+OR+" : "", condition);
		asked = lappend(asked, row);
	}
	if (asked != NIL)
		ask(state, queue, asked, where.data);
}

List *
xero_refuse_taken(XeroModify *state, const XeroQueue *queue, List *rows)
{
	List	   *numbers;
	List	   *result = list_copy(rows);
	List	   *errors = NIL;
	ListCell   *lc;

	if (state->spec.operation != CMD_INSERT ||
		state->spec.rules->unique == NULL)
		return rows;
	numbers = collect_numbers(state, rows);
	ask_about_all(state, queue, numbers);
	foreach(lc, numbers)
	{
		NewRow	   *row = lfirst(lc);
		XeroOutcome outcome = {.sqlerrcode = row->sqlerrcode};

		if (row->problem == NULL)
			continue;
		outcome.messages = list_make1(row->problem);
		errors = lappend(errors, xero_make_row_error(row->row, &outcome));
		result = list_delete_ptr(result, row->row);
	}
	if (errors != NIL)
		state->sink->refused(state->sink, state, errors);
	return result;
}
