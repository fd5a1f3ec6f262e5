/*-------------------------------------------------------------------------
 *
 * child_rows.c
 *	  Writing rows that are elements of an array in a record: lines of
 *	  documents and journals, persons of a contact.
 *
 * Xero has no request for one of them.  The array is written with its record,
 * and what it lacks then is removed.  So the record is read, just before it is
 * written, the rows change the list, and all of it is sent back: one call to
 * read and one to write, whatever the number of rows; where Xero's lists take
 * keys, so many records at a time.
 *
 * An element is found again by its key, or, where it has none, by all that the
 * table shows of it.  What is sent is every member that can be written: those
 * that are set, and the others as they were read; of an element that changes
 * without those that Xero computes from what is set.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "fdw/write/modify.h"

#include "api/call/call.h"
#include "base/text.h"
#include "catalog/pg_type.h"
#include "json/rewrite.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Keys in the query of one list: what a URL holds. */
#define MAX_KEYS 40

enum
{
	RECORD_KEY,
	RECORD_ARRAY,
	RECORD_COMPANIONS			/* what every update of the record carries */
};

/* What a document sums up to. */
typedef enum Sum
{
	SUM_TOTAL,
	SUM_SUB_TOTAL,
	SUM_TOTAL_TAX,
	NSUMS
} Sum;

static const char *const sum_columns[NSUMS] = {"total", "sub_total", "total_tax"};

/* What of a line does not change any of it. */
#define NO_AMOUNTS "description|account_code|account_id|tracking"

struct XeroChildRows
{
	const XeroObject *parent;
	XeroReader *records;
	XeroField  *record_fields;	/* as the enum above says */
	XeroWriter *writer;			/* of the same members */
	XeroMember *record_members;
	int			nrecord_fields;
	int			style_field;	/* line_amount_types, if rules->untaxed */
	int			sums_field;		/* of a document: those of the enum Sum, which
								 * are not sent; else nrecord_fields */
	XeroReader *elements;
	XeroField  *element_fields; /* first those of state->spec.identity, then
								 * all members, as JSON */
	FmgrInfo   *outputs;		/* of the former */
};

/* An element of the array. */
typedef struct Element
{
	char	  **texts;			/* by member: JSON, NULL if absent or unsent */
	char	  **read;			/* so too, as they were read; NULL for one
								 * that is new */
	char	  **identity;		/* NULL for one that is new */
	double		amount;			/* its line_amount, as it was read */
	XeroPendingRow *row;		/* that has made, changed or removed it, or
								 * NULL */
	bool		gone;
} Element;

/* A record whose array rows change. */
typedef struct Parent
{
	const char *key;
	List	   *rows;			/* XeroPendingRow */
	bool		found;
	char	  **texts;			/* by record field: JSON, of the companions */
	double		sums[NSUMS];	/* of a document */
	List	   *elements;		/* Element */
} Parent;

/*-------------------------------------------------------------------------
 * Preparing
 *-------------------------------------------------------------------------
 */

static bool
is_document(const XeroObject *object)
{
	return xero_find_column(object, sum_columns[SUM_TOTAL_TAX]) != NULL;
}

static void
add_record_field(XeroChildRows *child_rows, const XeroColumn *column, Oid type)
{
	XeroField  *field = &child_rows->record_fields[child_rows->nrecord_fields];
	XeroMember *member = &child_rows->record_members[child_rows->nrecord_fields++];

	field->path = member->path = column->field;
	field->type = member->type = type;
	field->column = member->column = column->name;
	field->typmod = -1;
}

static void
init_records(XeroChildRows *child_rows, const XeroModify *state)
{
	const XeroObject *parent = child_rows->parent;
	const XeroWriteRules *rules = parent->writes;
	int			max = RECORD_COMPANIONS + lengthof(rules->with_update) + NSUMS;

	child_rows->record_fields = palloc0(sizeof(XeroField) * max);
	child_rows->record_members = palloc0(sizeof(XeroMember) * max);
	add_record_field(child_rows, xero_find_column(parent, parent->key), TEXTOID);
	add_record_field(child_rows, xero_find_field(parent, state->spec.object->array),
					 JSONOID);
	for (int i = 0; i < lengthof(rules->with_update) &&
		 rules->with_update[i] != NULL; i++)
	{
		const XeroColumn *column = xero_find_column(parent,
													rules->with_update[i]);

		if (rules->untaxed != NULL &&
			strcmp(column->name, "line_amount_types") == 0)
			child_rows->style_field = child_rows->nrecord_fields;
		add_record_field(child_rows, column, xero_type_oid(column->type));
	}
	child_rows->sums_field = child_rows->nrecord_fields;
	for (int i = 0; i < NSUMS && is_document(parent); i++)
		add_record_field(child_rows, xero_find_column(parent, sum_columns[i]),
						 FLOAT8OID);
	child_rows->records = xero_reader_create(CurrentMemoryContext,
											 state->spec.table->name, parent->wrapper,
											 NULL, child_rows->record_fields,
											 child_rows->nrecord_fields, RECORD_KEY);
	child_rows->writer = xero_writer_create(CurrentMemoryContext,
											state->spec.table->name,
											child_rows->record_members,
											child_rows->nrecord_fields);
}

static void
init_elements(XeroChildRows *child_rows, const XeroModify *state)
{
	const XeroEncoder *encoder = &state->encoder;
	const XeroModifySpec *spec = &state->spec;
	int			nidentity = list_length(spec->identity);
	int			n = 0;
	ListCell   *lc;

	child_rows->element_fields = palloc0(sizeof(XeroField) *
										 (nidentity + Max(encoder->nmembers, 1)));
	child_rows->outputs = palloc0(sizeof(FmgrInfo) * Max(nidentity, 1));
	foreach(lc, spec->identity)
	{
		AttrNumber	attno = lfirst_int(lc);
		Form_pg_attribute att = TupleDescAttr(spec->desc, attno - 1);
		XeroField  *field = &child_rows->element_fields[n];
		Oid			output;
		bool		varlena;

		field->path = spec->table->columns[attno - 1].path;
		field->type = att->atttypid;
		field->typmod = att->atttypmod;
		field->column = NameStr(att->attname);
		getTypeOutputInfo(att->atttypid, &output, &varlena);
		fmgr_info(output, &child_rows->outputs[n++]);
	}
	for (int i = 0; i < encoder->nmembers; i++)
	{
		XeroField  *field = &child_rows->element_fields[n++];

		field->path = encoder->members[i].path;
		field->type = JSONOID;
		field->typmod = -1;
		field->column = encoder->members[i].column;
	}
	child_rows->elements = xero_reader_create(CurrentMemoryContext,
											  spec->table->name, NULL, NULL,
											  child_rows->element_fields, n, -1);
}

XeroChildRows *
xero_child_rows_create(XeroModify *state)
{
	XeroChildRows *child_rows = palloc0(sizeof(XeroChildRows));

	child_rows->parent = state->spec.object->parent;
	init_records(child_rows, state);
	init_elements(child_rows, state);
	return child_rows;
}

/*-------------------------------------------------------------------------
 * Reading
 *-------------------------------------------------------------------------
 */

/* The parameter of a list that takes keys, NULL if there is none. */
static const XeroParam *
keys_parameter(const XeroObject *object)
{
	for (int i = 0; i < object->nparams; i++)
	{
		const XeroParam *param = &object->params[i];

		if (param->kind == XERO_PARAM_LIST &&
			strcmp(param->column, object->key) == 0)
			return param;
	}
	return NULL;
}

int
xero_parent_batch(const XeroTable *table)
{
	const XeroObject *parent = table->object->parent;

	return keys_parameter(parent) == NULL ? 1 :
		Min(MAX_KEYS, Max(parent->writes->update_batch, 1));
}

/* The path and the query that read records; keys are NIL for EXPLAIN. */
char *
xero_parent_request(const XeroTable *table, List *keys, char **query)
{
	const XeroObject *parent = table->object->parent;
	const XeroParam *param = keys_parameter(parent);
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	if (param == NULL)
	{
		*query = parent->has_unitdp ? "unitdp=4" : "";
		return xero_record_path(parent, keys == NIL ? NULL : linitial(keys));
	}
	appendStringInfo(&text, "%s=", param->name);
	if (keys == NIL)
		appendStringInfo(&text, "{%s}", parent->key);
	foreach(lc, keys)
		appendStringInfo(&text, "%s%s", foreach_current_index(lc) > 0 ? "," : "",
						 (char *) lfirst(lc));
	xero_append_whole_list(&text, parent);
	*query = text.data;
	return psprintf("%s/%s", parent->api->base, xero_object_path(parent));
}

/* A number of JSON, which Xero may have put into quotes; 0 if it is none. */
static double
number_of(const char *json)
{
	return json == NULL ? 0 : strtod(json + (*json == '"'), NULL);
}

/* Of an element with one of the columns "a|b|c", leave out "column". */
static void
leave_out(const XeroEncoder *encoder, char **texts, const char *column)
{
	for (int i = 0; i < encoder->nmembers; i++)
	{
		const XeroColumn *known = encoder->columns[i].known;

		if (known != NULL && strcmp(known->name, column) == 0)
			texts[i] = NULL;
	}
}

/* Leave out of an element what is not sent back beside others. */
static void
leave_out_unsent(const XeroModify *state, Element *element)
{
	const XeroEncoder *encoder = &state->encoder;
	const XeroWriteRules *rules = state->spec.rules;
	bool	   *there = palloc(sizeof(bool) * Max(rules->nunsent, 1));

	element->read = palloc(sizeof(char *) * Max(encoder->nmembers, 1));
	memcpy(element->read, element->texts, sizeof(char *) * encoder->nmembers);
	for (int i = 0; i < encoder->nmembers; i++)
	{
		if (encoder->columns[i].known != NULL &&
			strcmp(encoder->columns[i].known->name, "line_amount") == 0)
			element->amount = number_of(element->texts[i]);
	}
	for (int i = 0; i < rules->nunsent; i++)
		there[i] = xero_is_any_there(encoder, element->read,
									 rules->unsent[i].set);
	for (int i = 0; i < rules->nunsent; i++)
	{
		if (there[i])
			leave_out(encoder, element->texts, rules->unsent[i].gives);
	}
}

/* The elements of the array, as they stand. */
static List *
read_elements(XeroModify *state, Datum array)
{
	XeroEncoder *encoder = &state->encoder;
	XeroChildRows *child_rows = state->child_rows;
	int			nidentity = list_length(state->spec.identity);
	int			nfields = nidentity + encoder->nmembers;
	Datum	   *values = palloc(sizeof(Datum) * nfields);
	bool	   *nulls = palloc(sizeof(bool) * nfields);
	char	   *json = TextDatumGetCString(array);
	List	   *result = NIL;

	json = pg_server_to_any(json, strlen(json), PG_UTF8);
	xero_reader_open(child_rows->elements, json, strlen(json), NULL);
	while (xero_reader_next(child_rows->elements, values, nulls))
	{
		Element    *element = palloc0(sizeof(Element));

		element->identity = palloc0(sizeof(char *) * Max(nidentity, 1));
		element->texts = palloc0(sizeof(char *) * Max(encoder->nmembers, 1));
		for (int i = 0; i < nidentity; i++)
		{
			if (!nulls[i])
				element->identity[i] = OutputFunctionCall(&child_rows->outputs[i],
														  values[i]);
		}
		for (int i = 0; i < encoder->nmembers; i++)
		{
			if (!nulls[nidentity + i] && encoder->first[i] == i)
				element->texts[i] = TextDatumGetCString(values[nidentity + i]);
		}
		leave_out_unsent(state, element);
		result = lappend(result, element);
	}
	return result;
}

static Parent *
find_parent(List *parents, const char *key)
{
	ListCell   *lc;

	foreach(lc, parents)
	{
		Parent	   *parent = lfirst(lc);

		if (pg_strcasecmp(parent->key, key) == 0)
			return parent;
	}
	return NULL;
}

static void
take_record(XeroModify *state, List *parents, const Datum *values,
			const bool *nulls)
{
	XeroChildRows *child_rows = state->child_rows;
	Parent	   *parent = nulls[RECORD_KEY] ? NULL :
	find_parent(parents, TextDatumGetCString(values[RECORD_KEY]));

	if (parent == NULL)
		return;
	parent->found = true;
	if (!nulls[RECORD_ARRAY])
		parent->elements = read_elements(state, values[RECORD_ARRAY]);
	parent->texts = palloc0(sizeof(char *) * child_rows->nrecord_fields);
	for (int i = RECORD_COMPANIONS; i < child_rows->nrecord_fields; i++)
	{
		if (nulls[i])
			continue;
		if (i >= child_rows->sums_field)
		{
			parent->sums[i - child_rows->sums_field] = DatumGetFloat8(values[i]);
			continue;
		}
		parent->texts[i] = xero_writer_value(child_rows->writer, i, values[i]);
		if (xero_has_replacement(parent->texts[i]))
			ereport(ERROR,
					(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
					 errmsg("value of column \"%s\" has a character that stands for one that was lost",
							child_rows->record_members[i].column),
					 errdetail("It is a column of the record with %s \"%s\", which is sent with its rows.",
							   child_rows->parent->key, parent->key)));
	}
}

/* Read records as they are now, all with one call. */
static void
read_parents(XeroModify *state, const XeroQueue *queue, List *parents)
{
	XeroChildRows *child_rows = state->child_rows;
	Datum	   *values = palloc(sizeof(Datum) * child_rows->nrecord_fields);
	bool	   *nulls = palloc(sizeof(bool) * child_rows->nrecord_fields);
	List	   *keys = NIL;
	XeroCallSpec spec = {0};
	char	   *query;
	const XeroResponse *response;
	ListCell   *lc;

	foreach(lc, parents)
		keys = lappend(keys, unconstify(char *, ((Parent *) lfirst(lc))->key));
	spec.method = "GET";
	spec.path = xero_parent_request(state->spec.table, keys, &query);
	spec.query = query;
	spec.missing_ok = keys_parameter(child_rows->parent) == NULL;
	spec.stats = &state->tally.stats;
	response = xero_call_finish(xero_call_begin(CurrentMemoryContext,
												&queue->server, &spec));
	if (response->status == 404)
		return;
	xero_reader_open(child_rows->records, response->body, response->len,
					 response->detail);
	while (xero_reader_next(child_rows->records, values, nulls))
		take_record(state, parents, values, nulls);
	xero_reader_check_list(child_rows->records);
}

/*-------------------------------------------------------------------------
 * Changing
 *-------------------------------------------------------------------------
 */

/* The element that a row means; NULL if it is not there any more. */
static Element *
find_element(const XeroModify *state, const Parent *parent,
			 const XeroPendingRow *row)
{
	int			nidentity = list_length(state->spec.identity);
	ListCell   *lc;

	foreach(lc, parent->elements)
	{
		Element    *element = lfirst(lc);
		int			i = 0;

		/* without a key, each of several equal ones is meant once */
		if (element->identity == NULL || element->gone ||
			(element->row != NULL && state->spec.object->key == NULL))
			continue;
		while (i < nidentity && xero_same_text(element->identity[i], row->identity[i]))
			i++;
		if (i == nidentity)
			return element;
	}
	return NULL;
}

static void
change_element(const XeroModify *state, Element *element,
			   const XeroPendingRow *row)
{
	const XeroEncoder *encoder = &state->encoder;

	for (int f = 0; f < state->spec.rules->nfollows; f++)
	{
		const XeroFollow *follow = &state->spec.rules->follows[f];

		if (xero_is_any_there(encoder, row->texts, follow->set) &&
			(follow->given == NULL ||
			 xero_is_any_there(encoder, element->texts, follow->given)))
			leave_out(encoder, element->texts, follow->gives);
	}
	for (int i = 0; i < encoder->nmembers; i++)
	{
		if (row->texts[i] != NULL)
			element->texts[i] = row->texts[i];
	}
}

/*
 * Does Xero show amounts without the tax that it would read them with?  So one
 * user has seen it; where the lines sum up to the total, it does not.
 */
static bool
is_untaxed(const XeroChildRows *child_rows, const Parent *parent)
{
	const char *untaxed = child_rows->parent->writes->untaxed;
	double		sum = 0;
	ListCell   *lc;

	if (untaxed == NULL || !parent->found ||
		parent->texts[child_rows->style_field] == NULL ||
		strcmp(parent->texts[child_rows->style_field],
			   xero_json_string(untaxed)) != 0)
		return false;
	foreach(lc, parent->elements)
		sum += ((Element *) lfirst(lc))->amount;
	return fabs(sum - parent->sums[SUM_TOTAL]) > 0.005;
}

/* Change the list as a row says; false if what it means is not there. */
static bool
apply_row(XeroModify *state, Parent *parent, XeroPendingRow *row)
{
	Element    *element;

	if (!parent->found)
		return false;
	if (state->spec.operation == CMD_INSERT)
	{
		element = palloc0(sizeof(Element));
		element->texts = row->texts;
		element->row = row;
		parent->elements = lappend(parent->elements, element);
		return true;
	}
	element = find_element(state, parent, row);
	if (element == NULL)
		return false;
	element->row = row;
	if (state->spec.operation == CMD_DELETE)
		element->gone = true;
	else
		change_element(state, element, row);
	return true;
}

/* The whole array, to be sent, or as it should be afterwards. */
static char *
make_array(const XeroModify *state, const Parent *parent, bool expected)
{
	StringInfoData array;
	ListCell   *lc;

	initStringInfo(&array);
	appendStringInfoChar(&array, '[');
	foreach(lc, parent->elements)
	{
		Element    *element = lfirst(lc);

		if (element->gone)
			continue;
		if (array.len > 1)
			appendStringInfoChar(&array, ',');
		xero_writer_object(state->encoder.writer, &array,
						   expected && element->row == NULL ? element->read :
						   element->texts);
	}
	appendStringInfoChar(&array, ']');
	return array.data;
}

/* The record with its whole array, as an element in UTF-8. */
static char *
make_record(const XeroChildRows *child_rows, Parent *parent, char *array)
{
	StringInfoData json;

	parent->texts[RECORD_KEY] = xero_json_string(parent->key);
	parent->texts[RECORD_ARRAY] = array;
	initStringInfo(&json);
	xero_writer_object(child_rows->writer, &json, parent->texts);
	return pg_server_to_any(json.data, json.len, PG_UTF8);
}

/* Tell the rows the places of their elements in what is sent. */
static void
set_places(const Parent *parent)
{
	int			place = 0;
	ListCell   *lc;

	foreach(lc, parent->elements)
	{
		Element    *element = lfirst(lc);

		if (element->gone)
			continue;
		if (element->row != NULL)
			element->row->place = place;
		place++;
	}
}

static void
refuse_part(XeroModify *state, const XeroPendingRow *row, int sqlerrcode,
			List *messages)
{
	XeroOutcome outcome = {0};

	outcome.sqlerrcode = sqlerrcode;
	outcome.messages = messages;
	state->sink->refused(state->sink, state,
						 list_make1(xero_make_row_error(row, &outcome)));
}

/* Can a row change what the document sums up to? */
static bool
changes_amounts(const XeroModify *state, const XeroPendingRow *row)
{
	const XeroEncoder *encoder = &state->encoder;

	if (state->spec.operation != CMD_UPDATE)
		return true;
	for (int i = 0; i < encoder->nmembers; i++)
	{
		if (row->texts[i] != NULL &&
			(encoder->columns[i].known == NULL ||
			 !xero_is_one_of(NO_AMOUNTS, encoder->columns[i].known->name)))
			return true;
	}
	return false;
}

/*
 * What a document should sum up to afterwards: the same as before, or what its
 * new amounts do, with the rounding that it had.
 */
static void
expect_total(const XeroModify *state, const Parent *parent,
			 XeroPendingRow *record)
{
	const double *sums = parent->sums;
	ListCell   *lc;

	if (!is_document(state->child_rows->parent))
		return;
	record->rounding = sums[SUM_TOTAL] - sums[SUM_SUB_TOTAL] - sums[SUM_TOTAL_TAX];
	foreach(lc, record->parts)
	{
		if (changes_amounts(state, lfirst(lc)))
			return;
	}
	record->total = psprintf("%.2f", sums[SUM_TOTAL]);
}

/* What is to be sent for a record; NULL if none of its rows can be written. */
static XeroPendingRow *
make_parent_row(XeroModify *state, Parent *parent)
{
	XeroPendingRow *record = palloc0(sizeof(XeroPendingRow));
	bool		untaxed = is_untaxed(state->child_rows, parent);
	ListCell   *lc;

	foreach(lc, parent->rows)
	{
		XeroPendingRow *row = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (untaxed)
			refuse_part(state, row, ERRCODE_FEATURE_NOT_SUPPORTED,
						list_make2(psprintf("Xero shows the lines of a record that is %s without tax, and would read them as with it.",
											state->child_rows->parent->writes->untaxed),
								   psprintf("Set %s of the record to the whole list, with tax in its amounts.",
											xero_find_field(state->child_rows->parent,
															state->spec.object->array)->name)));
		else if (apply_row(state, parent, row))
			record->parts = lappend(record->parts, row);
		else
			refuse_part(state, row, ERRCODE_NO_DATA_FOUND,
						list_make1(XERO_NO_SUCH_RECORD));
	}
	if (record->parts == NIL)
		return NULL;
	set_places(parent);
	record->label = psprintf("%s %s: %s", state->child_rows->parent->key,
							 parent->key, xero_make_subject(record->parts));
	record->parent_key = unconstify(char *, parent->key);
	record->element = make_record(state->child_rows, parent,
								  xero_array_text(xero_find_field(state->child_rows->parent,
																  state->spec.object->array),
												  make_array(state, parent, false)));
	record->expected = make_record(state->child_rows, parent,
								   make_array(state, parent, true));
	expect_total(state, parent, record);
	xero_check_size(state, record);
	return record;
}

/*-------------------------------------------------------------------------
 * Sending
 *-------------------------------------------------------------------------
 */

/* Read some records and write them back; what that takes is freed. */
static void
send_parents(XeroModify *state, const XeroQueue *queue, List *parents)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "Xero records",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	List	   *records = NIL;
	size_t		bytes = 0;
	ListCell   *lc;

	read_parents(state, queue, parents);
	foreach(lc, parents)
	{
		XeroPendingRow *record = make_parent_row(state, lfirst(lc));

		if (record == NULL)
			continue;
		if (bytes + strlen(record->element) > XERO_MAX_BODY)
		{
			xero_send_request(state, queue, records);
			records = NIL;
			bytes = 0;
		}
		records = lappend(records, record);
		bytes += strlen(record->element) + 1;
	}
	if (records != NIL)
		xero_send_request(state, queue, records);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

void
xero_child_rows_send(XeroModify *state, const XeroQueue *queue, List *groups)
{
	List	   *parents = NIL;
	ListCell   *lc;

	foreach(lc, groups)
	{
		Parent	   *parent = palloc0(sizeof(Parent));

		parent->rows = lfirst(lc);
		parent->key = ((XeroPendingRow *) linitial(parent->rows))->parent_key;
		parents = lappend(parents, parent);
		if (list_length(parents) == state->spec.parent_batch)
		{
			send_parents(state, queue, parents);
			parents = NIL;
		}
	}
	if (parents != NIL)
		send_parents(state, queue, parents);
}
