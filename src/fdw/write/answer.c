/*-------------------------------------------------------------------------
 *
 * answer.c
 *	  What Xero says to a write, element by element.
 *
 * Asked with summarizeErrors=false, Xero answers 200 and tells of each element
 * in turn whether it was stored.  Its flags contradict each other at times, so
 * an element counts as stored only if it has an identifier other than zero, no
 * messages, and no status ERROR.
 *
 * Elsewhere a refusal is status 400: with the element and its messages
 * ("Elements"), with a "problem" (payroll in the UK and NZ, where it is one
 * whatever the status), or with a message about the whole request.  Reasons
 * stand at the element, or inside of it, at the line that is at fault.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/answer.h"

#include "api/http/small_json.h"
#include "api/report/failure.h"
#include "catalog/pg_type.h"
#include "catalog/writes.h"
#include "fdw/write/row_error.h"
#include "json/compare.h"
#include "json/reader.h"
#include "utils/builtins.h"

/* So much of each message is shown. */
#define MAX_MESSAGE 500

/* So many of a row; a long document may have one at each of its lines. */
#define MAX_REASONS 20

/* So many of an answer are looked at. */
#define MAX_LISTED 10000

#define ZERO_ID "00000000-0000-0000-0000-000000000000"

/* ErrorNumbers of Xero's */
#define VALIDATION_EXCEPTION 10
#define POST_DATA_INVALID 14

enum
{
	FIELD_KEY,
	FIELD_STATUS,
	FIELD_ERRORS,
	FIELD_WARNINGS,
	FIELD_RECORD,
	NFIELDS
};

struct XeroAnswer
{
	const char *relation;
	XeroReader *reader;
	XeroField	fields[NFIELDS];
};

static void
set_field(XeroField *field, const char *path, Oid type)
{
	field->path = path;
	field->type = type;
	field->typmod = -1;
	field->column = path;
}

XeroAnswer *
xero_answer_create(MemoryContext mcxt, const char *relation,
				   const XeroObject *object)
{
	XeroAnswer *answer = MemoryContextAllocZero(mcxt, sizeof(XeroAnswer));

	answer->relation = relation;
	set_field(&answer->fields[FIELD_KEY],
			  xero_find_column(object, object->key)->field, TEXTOID);
	set_field(&answer->fields[FIELD_STATUS], "StatusAttributeString", TEXTOID);
	set_field(&answer->fields[FIELD_ERRORS], "ValidationErrors", CSTRINGOID);
	set_field(&answer->fields[FIELD_WARNINGS], "Warnings", CSTRINGOID);
	set_field(&answer->fields[FIELD_RECORD], "", CSTRINGOID);
	answer->reader = xero_reader_create(mcxt, relation,
										xero_write_wrapper(object), NULL,
										answer->fields, NFIELDS, -1);
	return answer;
}

/* A reason, with the part of the element that it is about. */
static char *
describe_reason(const XeroReason *reason)
{
	char	   *text = xero_clean_text(reason->text, strlen(reason->text),
									   MAX_MESSAGE);
	char	   *part = xero_clean_text(reason->part, strlen(reason->part),
									   sizeof(reason->part));

	if (text[0] == '\0')
		text = "Xero's reason has no letters.";

	if (part[0] == '\0')
		return text;
	if (reason->place < 0)
		return psprintf("%s: %s", part, text);
	if (strcmp(part, "LineItems") == 0 || strcmp(part, "JournalLines") == 0)
		return psprintf("line %d: %s", reason->place + 1, text);
	return psprintf("%s %d: %s", part, reason->place + 1, text);
}

typedef int (*ParseReasons) (const char *text, size_t len, XeroReason *list,
							 int room);

/* A session may keep thousands of rows with theirs (row_error.c). */
static List *
add_reason(List *messages, const XeroReason *reason)
{
	if (list_length(messages) < MAX_REASONS)
		return lappend(messages, describe_reason(reason));
	if (list_length(messages) == MAX_REASONS)
		return lappend(messages, "and more");
	return messages;
}

/* What is found in a text, NULL if it cannot be read. */
static XeroReason *
read_reasons(ParseReasons parse, const char *text, size_t len, int *count)
{
	XeroReason *list;

	*count = parse(text, len, NULL, 0);
	if (*count < 0)
		return NULL;
	*count = Min(*count, MAX_LISTED);
	list = palloc(sizeof(XeroReason) * Max(*count, 1));
	(void) parse(text, len, list, *count);
	return list;
}

/*
 * The messages in an array or object of them.  Their characters may be such as
 * this database cannot hold; whatever they are, a row was refused.
 */
static List *
collect_messages(Datum json)
{
	const char *text = DatumGetCString(json);
	List	   *messages = NIL;
	int			count;
	XeroReason *list = read_reasons(xero_parse_messages, text, strlen(text),
									&count);

	if (list == NULL)
		return list_make1("Xero's reasons cannot be read.");
	for (int i = 0; i < count; i++)
		messages = add_reason(messages, &list[i]);
	pfree(list);
	return messages;
}

/* So too, but a text that stands alone is a reason as well. */
static List *
collect_errors(Datum json)
{
	const char *text = DatumGetCString(json);

	if (*text == '"')
		json = CStringGetDatum(psprintf("[%s]", text));
	return collect_messages(json);
}

static void
judge(XeroOutcome *outcome, const Datum *values, const bool *nulls)
{
	char	   *key = nulls[FIELD_KEY] ? NULL : TextDatumGetCString(values[FIELD_KEY]);
	bool		error = !nulls[FIELD_STATUS] &&
	strcmp(TextDatumGetCString(values[FIELD_STATUS]), "ERROR") == 0;

	if (key != NULL && *key != '\0' && strcmp(key, ZERO_ID) != 0)
		outcome->key = key;
	if (!nulls[FIELD_WARNINGS])
		outcome->warnings = collect_messages(values[FIELD_WARNINGS]);
	if (!nulls[FIELD_ERRORS])
		outcome->messages = collect_errors(values[FIELD_ERRORS]);
	outcome->stored = outcome->key != NULL && !error &&
		outcome->messages == NIL;
	if (outcome->stored)
		outcome->record = DatumGetCString(values[FIELD_RECORD]);
}

/* An element may have its reasons at its lines, or at what it refers to. */
static void
add_reasons_of_parts(XeroOutcome *outcomes, int nelements,
					 const XeroResponse *response)
{
	int			count;
	XeroReason *list = read_reasons(xero_parse_reasons, response->body,
									response->len, &count);

	for (int i = 0; list != NULL && i < count; i++)
	{
		XeroOutcome *outcome;

		if (list[i].part[0] == '\0' || list[i].element >= nelements)
			continue;
		outcome = &outcomes[list[i].element];
		if (!outcome->stored)
			outcome->messages = add_reason(outcome->messages, &list[i]);
	}
}

static void
explain_refusals(XeroOutcome *outcomes, int nelements,
				 const XeroResponse *response)
{
	add_reasons_of_parts(outcomes, nelements, response);
	for (int i = 0; i < nelements; i++)
	{
		XeroOutcome *outcome = &outcomes[i];

		if (outcome->stored)
			continue;
		if (outcome->messages == NIL)
			outcome->messages = list_make1("Xero did not store it, and gave no reason.");
		outcome->sqlerrcode = xero_classify_message(linitial(outcome->messages));
	}
}

pg_noreturn static void
raise_mismatch(const XeroAnswer *answer, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("unexpected answer from Xero to a write of foreign table \"%s\"",
					answer->relation),
			 errdetail_internal("%s", detail),
			 errhint("Look in Xero which of them were stored before you run the statement again.")));
}

/* Outcomes are known by their places; keys tell where those are wrong. */
static void
check_order(XeroAnswer *answer, const XeroResponse *response,
			const XeroOutcome *outcomes, List *keys)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		const char *key = lfirst(lc);
		const char *found = outcomes[foreach_current_index(lc)].key;

		if (key != NULL && found != NULL && pg_strcasecmp(key, found) != 0)
			raise_mismatch(answer,
						   psprintf("Element %d was sent for %s, and the answer has %s in its place (%s).",
									foreach_current_index(lc) + 1, key, found,
									response->detail));
	}
}

static bool
has_problem(const XeroResponse *response)
{
	size_t		len;
	const char *problem = xero_json_find(response->body, "problem", &len);

	return problem != NULL && *problem == '{';
}

/* All of the request: the same for all elements. */
static void
read_refusal(const XeroResponse *response, XeroOutcome *outcomes,
			 int nelements)
{
	List	   *messages = NIL;
	int			count;
	XeroReason *list = read_reasons(xero_parse_reasons, response->body,
									response->len, &count);
	XeroErrorDocument document;
	char	   *words;
	int			sqlerrcode;

	for (int i = 0; list != NULL && i < count; i++)
		messages = add_reason(messages, &list[i]);
	if (messages != NIL)
		sqlerrcode = xero_classify_message(linitial(messages));
	else
	{
		xero_parse_error(response->body, response->len, &document);
		words = xero_clean_text(document.message, strlen(document.message),
								MAX_MESSAGE);
		messages = list_make1(words[0] != '\0' ? words :
							  pstrdup(response->detail));
		if (document.number == VALIDATION_EXCEPTION || has_problem(response))
			sqlerrcode = xero_classify_message(linitial(messages));
		else if (document.number == POST_DATA_INVALID)
			sqlerrcode = ERRCODE_INVALID_PARAMETER_VALUE;
		else
			sqlerrcode = ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION;
	}
	for (int i = 0; i < nelements; i++)
	{
		outcomes[i].messages = messages;
		outcomes[i].sqlerrcode = sqlerrcode;
		outcomes[i].together = nelements > 1;
	}
}

XeroOutcome *
xero_answer_failed(const XeroResponse *response, int nelements)
{
	XeroOutcome *outcomes = palloc0(sizeof(XeroOutcome) * nelements);
	XeroErrorDocument document;
	char	   *words;

	xero_parse_error(response->body, response->len, &document);
	words = xero_clean_text(document.message, strlen(document.message),
							MAX_MESSAGE);
	for (int i = 0; i < nelements; i++)
	{
		outcomes[i].sqlerrcode = ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;
		outcomes[i].messages = list_make1(psprintf("Xero failed to carry out the request: %s%s",
												   response->detail,
												   words[0] == '\0' ? "" :
												   psprintf(", \"%s\"", words)));
		outcomes[i].together = nelements > 1;
	}
	return outcomes;
}

XeroOutcome *
xero_answer_read(XeroAnswer *answer, const XeroResponse *response,
				 List *keys)
{
	int			nelements = list_length(keys);
	XeroOutcome *outcomes = palloc0(sizeof(XeroOutcome) * nelements);
	Datum		values[NFIELDS];
	bool		nulls[NFIELDS];
	int			found = 0;
	bool		refused = false;

	if (response->status == 400 || has_problem(response))
	{
		read_refusal(response, outcomes, nelements);
		return outcomes;
	}
	xero_reader_open(answer->reader, response->body, response->len,
					 response->detail);
	while (xero_reader_next(answer->reader, values, nulls))
	{
		if (found < nelements)
		{
			judge(&outcomes[found], values, nulls);
			refused = refused || !outcomes[found].stored;
		}
		found++;
	}
	if (found != nelements)
		raise_mismatch(answer,
					   psprintf("%d elements were sent, and the answer is about %d (%s).",
								nelements, found, response->detail));
	if (nelements > 1)
		check_order(answer, response, outcomes, keys);
	if (refused)
		explain_refusals(outcomes, nelements, response);
	return outcomes;
}
