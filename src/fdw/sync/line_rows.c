/*-------------------------------------------------------------------------
 *
 * line_rows.c
 *	  Rows of a line table from records that were read already.
 *
 * The lines of an invoice come with the invoice, as an array.  Whoever has
 * read the invoices makes the rows of their lines here, without a call, by the
 * reader that a scan of the line table uses: each parent is put together again
 * as Xero had sent it, as far as the line table looks at it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/sync.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "fdw/options.h"
#include "fmgr.h"
#include "funcapi.h"
#include "json/reader.h"
#include "json/writer.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct LineRows
{
	XeroTable  *table;
	TupleDesc	desc;
	AttrNumber	tenant_attno;	/* 0 if there is none */
	XeroField  *fields;
	AttrNumber *attnos;			/* by field */
	int			nfields;
	XeroReader *reader;

	/* the parent's members: the array, then others */
	const char **names;			/* in the jsonb */
	XeroMember *members;
	int			nmembers;
	XeroWriter *writer;

	MemoryContext parent_cxt;	/* of one parent */
	Datum	   *values;			/* by attribute */
	bool	   *nulls;
} LineRows;

PG_FUNCTION_INFO_V1(xero_lines);
PG_FUNCTION_INFO_V1(xero_line_source);

static void
add_member(LineRows *lines, const char *path, const char *name)
{
	XeroMember *member = &lines->members[lines->nmembers];

	for (int i = 0; i < lines->nmembers; i++)
	{
		if (strcmp(lines->members[i].path, path) == 0)
			return;
	}
	member->path = path;
	member->type = JSONBOID;
	member->column = name;
	lines->names[lines->nmembers++] = name;
}

/* What the parent's JSON is made of, by the names of the parent's columns. */
static void
init_parent(LineRows *lines)
{
	const XeroObject *object = lines->table->object;
	int			max = lines->nfields + 1;

	lines->names = palloc(sizeof(char *) * max);
	lines->members = palloc0(sizeof(XeroMember) * max);
	add_member(lines, object->array,
			   xero_find_field(object->parent, object->array)->name);
	for (int i = 0; i < lines->nfields; i++)
	{
		const XeroField *field = &lines->fields[i];
		const XeroColumn *column;

		if (!field->from_parent)
			continue;
		column = xero_find_field(object->parent, field->path);
		add_member(lines, field->path, column ? column->name : field->column);
	}
	lines->writer = xero_writer_create(CurrentMemoryContext,
									   lines->table->name, lines->members,
									   lines->nmembers);
}

static LineRows *
begin_lines(Relation rel)
{
	LineRows   *lines = palloc0(sizeof(LineRows));
	const XeroObject *object;

	lines->table = xero_get_table(rel);
	lines->desc = RelationGetDescr(rel);
	object = lines->table->object;
	if (object->parent == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("foreign table \"%s\" is not one of lines",
						lines->table->name)));
	for (int i = 0; i < lines->table->natts; i++)
	{
		if (lines->table->columns[i].is_tenant)
			lines->tenant_attno = i + 1;
	}
	lines->nfields = xero_table_fields(lines->table, lines->desc,
									   &lines->fields, &lines->attnos);
	lines->reader = xero_reader_create(CurrentMemoryContext,
									   lines->table->name,
									   object->parent->wrapper, object->array,
									   lines->fields, lines->nfields, -1);
	init_parent(lines);
	lines->parent_cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "Xero parent of lines",
											  ALLOCSET_DEFAULT_SIZES);
	lines->values = palloc0(sizeof(Datum) * Max(lines->desc->natts, 1));
	lines->nulls = palloc(sizeof(bool) * Max(lines->desc->natts, 1));
	return lines;
}

/* A member of a JSON object; NULL if it is not there or null. */
static JsonbValue *
find_member(Jsonb *object, const char *name)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, name,
													 strlen(name), NULL);

	return value != NULL && value->type != jbvNull ? value : NULL;
}

/* The parent as Xero's envelope has it, in UTF-8. */
static char *
make_page(const LineRows *lines, Jsonb *parent)
{
	char	  **texts = palloc0(sizeof(char *) * lines->nmembers);
	StringInfoData json;

	for (int i = 0; i < lines->nmembers; i++)
	{
		JsonbValue *value = find_member(parent, lines->names[i]);
		Jsonb	   *part;

		if (value == NULL)
			continue;
		part = JsonbValueToJsonb(value);
		texts[i] = JsonbToCString(NULL, &part->root, VARSIZE(part));
	}
	initStringInfo(&json);
	appendStringInfo(&json, "{\"%s\":[", lines->table->object->parent->wrapper);
	xero_writer_object(lines->writer, &json, texts);
	appendStringInfoString(&json, "]}");
	return pg_server_to_any(json.data, json.len, PG_UTF8);
}

/* The parent's organisation, as the line table has it. */
static void
set_tenant(LineRows *lines, Jsonb *parent)
{
	AttrNumber	attno = lines->tenant_attno;
	JsonbValue *value;
	Form_pg_attribute att;
	Oid			input;
	Oid			ioparam;

	if (attno == 0)
		return;
	value = find_member(parent, "tenant_id");
	if (value == NULL || value->type != jbvString)
		return;
	att = TupleDescAttr(lines->desc, attno - 1);
	getTypeInputInfo(att->atttypid, &input, &ioparam);
	lines->values[attno - 1] = OidInputFunctionCall(input,
													pnstrdup(value->val.string.val,
															 value->val.string.len),
													ioparam, att->atttypmod);
	lines->nulls[attno - 1] = false;
}

/* The lines of one parent. */
static void
add_lines(LineRows *lines, Jsonb *parent, ReturnSetInfo *rsinfo)
{
	char	   *page = make_page(lines, parent);
	Datum	   *values = palloc(sizeof(Datum) * Max(lines->nfields, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(lines->nfields, 1));

	memset(lines->nulls, true, sizeof(bool) * lines->desc->natts);
	set_tenant(lines, parent);
	xero_reader_open(lines->reader, page, strlen(page), NULL);
	while (xero_reader_next(lines->reader, values, nulls))
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < lines->nfields; i++)
		{
			lines->values[lines->attnos[i] - 1] = values[i];
			lines->nulls[lines->attnos[i] - 1] = nulls[i];
		}
		tuplestore_putvalues(rsinfo->setResult, lines->desc, lines->values,
							 lines->nulls);
	}
}

/* SQL: _lines(line, parents) */
Datum
xero_lines(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			relid = get_typ_typrelid(get_fn_expr_argtype(fcinfo->flinfo, 0));
	Jsonb	   *parents;
	Relation	rel;
	LineRows   *lines;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("first argument must be a row of a foreign table")));
	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1))
		return (Datum) 0;
	parents = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_ARRAY(parents) || JB_ROOT_IS_SCALAR(parents))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parents must be a JSON array")));

	rel = xero_open_table(relid, AccessShareLock);
	lines = begin_lines(rel);
	for (uint32 i = 0; i < JB_ROOT_COUNT(parents); i++)
	{
		MemoryContext old = MemoryContextSwitchTo(lines->parent_cxt);
		JsonbValue *parent = getIthJsonbValueFromContainer(&parents->root, i);

		if (parent->type != jbvBinary ||
			!JsonContainerIsObject(parent->val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parent %u is not a JSON object", i + 1)));
		add_lines(lines, JsonbValueToJsonb(parent), rsinfo);
		MemoryContextSwitchTo(old);
		MemoryContextReset(lines->parent_cxt);
	}
	relation_close(rel, AccessShareLock);
	return (Datum) 0;
}

/* SQL: _line_source(relation) */
Datum
xero_line_source(PG_FUNCTION_ARGS)
{
	Relation	rel = xero_open_table(PG_GETARG_OID(0), AccessShareLock);
	const XeroObject *object = xero_get_table(rel)->object;
	const XeroObject *parent = object->parent;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	if (parent != NULL)
	{
		values[0] = CStringGetTextDatum(psprintf("%s/%s", parent->api->name,
												 parent->name));
		values[1] = CStringGetTextDatum(parent->key);
		values[2] = CStringGetTextDatum(xero_find_field(parent,
														object->array)->name);
		memset(nulls, false, sizeof(nulls));
	}
	relation_close(rel, AccessShareLock);
	PG_RETURN_DATUM(xero_make_record(fcinfo, values, nulls));
}
