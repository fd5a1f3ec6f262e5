/*-------------------------------------------------------------------------
 *
 * catalog_views.c
 *	  The catalogue as rows: the functions behind the views xero_fdw.objects
 *	  and xero_fdw.columns.
 *
 * The words used here for paging, operations and pushdown are part of the
 * extension's interface; documentation and tests are made from them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/catalog.h"
#include "catalog/pg_type.h"
#include "catalog/writes.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(xero_catalog_objects);
PG_FUNCTION_INFO_V1(xero_catalog_columns);

/* text[] of a list of C strings */
static Datum
text_array(List *strings)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(strings), 1));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, strings)
		elements[n++] = CStringGetTextDatum((char *) lfirst(lc));
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static Datum
operations_array(int operations)
{
	static const struct
	{
		int			mask;
		char	   *word;
	}			words[] = {
		{XERO_OP_LIST, "list"},
		{XERO_OP_GET, "get"},
		{XERO_OP_CREATE, "create"},
		{XERO_OP_UPDATE, "update"},
		{XERO_OP_DELETE | XERO_OP_VOID, "delete"},
	};
	List	   *found = NIL;

	for (int i = 0; i < lengthof(words); i++)
	{
		if (operations & words[i].mask)
			found = lappend(found, words[i].word);
	}
	return text_array(found);
}

/* What narrows or sorts a list of the object. */
static Datum
filters_array(const XeroObject *object)
{
	const XeroObject *root = xero_root_object(object);
	List	   *found = NIL;
	bool		order = false;
	bool		modified = object->parent == NULL;

	for (int i = 0; i < root->nparams; i++)
	{
		const XeroColumn *column = root->params[i].column ?
		xero_find_column(root, root->params[i].column) : NULL;

		if (column == NULL || object == root ||
			xero_find_field(object, psprintf("%s%s", XERO_PARENT_PREFIX, column->field)))
			found = lappend(found, (char *) root->params[i].name);
	}
	for (int i = 0; i < object->ncolumns; i++)
	{
		order |= (object->columns[i].flags & XERO_COL_ORDER) != 0;
		modified |= strcmp(object->columns[i].field, "UpdatedDateUTC") == 0 &&
			(object->columns[i].flags & XERO_COL_PARENT);
	}

	if (object->has_where)
		found = lappend(found, "where");
	if (object->has_modified_since && modified)
		found = lappend(found, "If-Modified-Since");
	if (order)
		found = lappend(found, "order");
	if (object->offset_column != NULL)
		found = lappend(found, "offset");
	return text_array(found);
}

static const char *
paging_word(XeroPaging paging)
{
	switch (paging)
	{
		case XERO_PAGING_NONE:
			return "none";
		case XERO_PAGING_PAGE:
			return "page";
		case XERO_PAGING_BARE:
			return "bare";
		case XERO_PAGING_OFFSET:
			return "offset";
	}
	pg_unreachable();
}

/*
 * How well a condition on a column travels.  Besides where= there are four
 * ways that are efficient everywhere: a request for one record by its key, a
 * parameter made for the column, If-Modified-Since, and where a list begins.
 */
static const char *
pushdown_word(const XeroObject *object, const XeroColumn *column)
{
	if (object->parent != NULL)
	{
		if (!(column->flags & XERO_COL_PARENT))
			return "none";
		column = xero_find_field(object->parent, column->field);
		object = object->parent;
	}
	if (column->filtering == XERO_FILTER_OPTIMISED)
		return "optimised";
	if ((object->operations & XERO_OP_GET) && strcmp(column->name, object->key) == 0)
		return "optimised";
	if (object->has_modified_since &&
		column->type == XERO_TIMESTAMPTZ &&
		pg_strcasecmp(column->field, "UpdatedDateUTC") == 0)
		return "optimised";
	if (object->offset_column && strcmp(column->name, object->offset_column) == 0)
		return "optimised";
	for (int i = 0; i < object->nparams; i++)
	{
		if (object->params[i].column != NULL &&
			strcmp(object->params[i].column, column->name) == 0)
			return "optimised";
	}
	return column->filtering == XERO_FILTER_LEGAL ? "legal" : "none";
}

/* Records that one call can change, 0 if none. */
static int
update_batch(const XeroObject *object)
{
	const XeroWriteRules *rules = object->writes;

	if (rules == NULL || !(object->operations & XERO_OP_UPDATE))
		return 0;
	return rules->place == XERO_PLACE_INSIDE ? object->max_batch :
		Max(rules->update_batch, 1);
}

/* What DELETE does, by the record's status; NULL if nothing. */
static char *
ends_text(const XeroObject *object)
{
	const XeroWriteRules *rules = object->writes;
	StringInfoData text;

	if (rules == NULL || rules->nendings == 0)
		return NULL;
	initStringInfo(&text);
	for (int i = 0; i < rules->nendings; i++)
	{
		const XeroEnding *ending = &rules->endings[i];

		if (ending->becomes == NULL)
			appendStringInfoString(&text, "removed");
		else
			appendStringInfo(&text, "%s%s becomes %s", i > 0 ? ", " : "",
							 ending->status, ending->becomes);
	}
	return text.data;
}

/* Rows of xero_fdw.objects, with what only the documents show at the end. */
Datum
xero_catalog_objects(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);

	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];
		const XeroObject *root = xero_root_object(object);
		const XeroObject *written = xero_written_object(object);
		Datum		values[13];
		bool		nulls[13] = {0};
		char	   *ends = ends_text(object);

		values[0] = CStringGetTextDatum(object->api->name);
		values[1] = CStringGetTextDatum(psprintf("%s/%s", object->api->name,
												 object->name));
		values[2] = CStringGetTextDatum(object->table_name);
		values[3] = CStringGetTextDatum(psprintf("%s/%s%s%s", object->api->base,
												 xero_object_path(root),
												 root->query ? "?" : "",
												 root->query ? root->query : ""));
		nulls[4] = object->key == NULL;
		values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(object->key);
		values[5] = operations_array(object->operations);
		values[6] = CStringGetTextDatum(paging_word(object->paging));
		values[7] = Int32GetDatum(object->max_batch);
		values[8] = filters_array(object);
		values[9] = CStringGetTextDatum(object->comment);
		values[10] = Int32GetDatum(update_batch(object));
		nulls[11] = ends == NULL;
		values[11] = nulls[11] ? (Datum) 0 : CStringGetTextDatum(ends);
		nulls[12] = written == object;
		values[12] = nulls[12] ? (Datum) 0 : CStringGetTextDatum(written->table_name);

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* Rows of xero_fdw.columns, with the description at the end. */
Datum
xero_catalog_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);

	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];

		for (int j = 0; j < object->ncolumns; j++)
		{
			const XeroColumn *column = &object->columns[j];
			Datum		values[9];
			bool		nulls[9] = {0};

			if (!xero_is_imported(object, column))
				continue;
			values[0] = CStringGetTextDatum(object->api->name);
			values[1] = CStringGetTextDatum(object->table_name);
			values[2] = CStringGetTextDatum(column->name);
			values[3] = CStringGetTextDatum(xero_type_name(column->type));
			values[4] = CStringGetTextDatum(psprintf("%s%s",
													 column->flags & XERO_COL_PARENT ?
													 XERO_PARENT_PREFIX : "",
													 column->field));
			values[5] = CStringGetTextDatum(pushdown_word(object, column));
			values[6] = BoolGetDatum((column->flags & XERO_COL_WRITABLE) != 0);
			values[7] = BoolGetDatum((column->flags & XERO_COL_REQUIRED) != 0 &&
									 (object->operations & XERO_OP_CREATE) != 0);
			values[8] = CStringGetTextDatum(column->comment);

			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
								 values, nulls);
		}
	}
	return (Datum) 0;
}
