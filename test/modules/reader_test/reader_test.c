/*-------------------------------------------------------------------------
 *
 * reader_test.c
 *	  Functions that call the JSON reader from SQL.
 *
 * A field is given as 'path:type', with '^' before the path for a field of
 * the parent record.  The first field is the key that messages name.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "json/reader.h"
#include "json/rewrite.h"
#include "mb/pg_wchar.h"
#include "parser/parse_type.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(reader_read);
PG_FUNCTION_INFO_V1(reader_info);
PG_FUNCTION_INFO_V1(reader_bench);
PG_FUNCTION_INFO_V1(reader_bad_text);

typedef struct Fields
{
	XeroField  *fields;
	int			count;
} Fields;

static Fields
parse_fields(ArrayType *array)
{
	Fields		result;
	Datum	   *items;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, NULL,
					  &result.count);
	result.fields = palloc0(result.count * sizeof(XeroField));
	for (int i = 0; i < result.count; i++)
	{
		XeroField  *field = &result.fields[i];
		char	   *path = TextDatumGetCString(items[i]);
		char	   *colon = strchr(path, ':');

		if (colon == NULL)
			elog(ERROR, "no type in \"%s\"", path);
		*colon = '\0';
		field->from_parent = *path == '^';
		field->path = path + (field->from_parent ? 1 : 0);
		field->column = field->path;
		parseTypeString(colon + 1, &field->type, &field->typmod, 0);
	}
	return result;
}

/* The body with the NUL that the reader wants. */
static char *
copy_body(bytea *body)
{
	size_t		len = VARSIZE_ANY_EXHDR(body);
	char	   *copy = palloc(len + 1);

	memcpy(copy, VARDATA_ANY(body), len);
	copy[len] = '\0';
	return copy;
}

static char *
text_or_null(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

/* reader_read(wrapper, array, fields, body): rows as arrays of text */
Datum
reader_read(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Fields		fields = parse_fields(PG_GETARG_ARRAYTYPE_P(2));
	bytea	   *body = PG_GETARG_BYTEA_PP(3);
	Datum	   *values = palloc0((fields.count + 1) * sizeof(Datum));
	bool	   *nulls = palloc0((fields.count + 1) * sizeof(bool));
	XeroReader *reader;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	reader = xero_reader_create(CurrentMemoryContext, "t",
								text_or_null(fcinfo, 0),
								text_or_null(fcinfo, 1),
								fields.fields, fields.count,
								fields.count > 0 ? 0 : -1);
	xero_reader_open(reader, copy_body(body), VARSIZE_ANY_EXHDR(body),
					 "HTTP status 200");
	xero_reader_check_list(reader);
	while (xero_reader_next(reader, values, nulls))
	{
		int			dims[1] = {fields.count};
		int			lbs[1] = {1};
		Datum		row;
		bool		isnull = false;

		for (int i = 0; i < fields.count; i++)
		{
			Oid			output;
			bool		varlena;

			if (nulls[i])
				continue;
			getTypeOutputInfo(fields.fields[i].type, &output, &varlena);
			values[i] = CStringGetTextDatum(OidOutputFunctionCall(output,
																  values[i]));
		}
		row = PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs,
												 TEXTOID, -1, false,
												 TYPALIGN_INT));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &row, &isnull);
	}
	xero_reader_check_list(reader);
	return (Datum) 0;
}

static char *
describe(const XeroReader *reader)
{
	const XeroPageInfo *info = xero_reader_info(reader);

	return psprintf("%lld records, page %lld of %lld, size %lld, %lld items",
					(long long) xero_reader_records(reader),
					(long long) info->page, (long long) info->page_count,
					(long long) info->page_size,
					(long long) info->item_count);
}

/* reader_info(wrapper, array, body): what is known after open and at the end */
Datum
reader_info(PG_FUNCTION_ARGS)
{
	bytea	   *body = PG_GETARG_BYTEA_PP(2);
	XeroReader *reader;
	char	   *before;
	int			rows = 0;

	reader = xero_reader_create(CurrentMemoryContext, "t",
								text_or_null(fcinfo, 0),
								text_or_null(fcinfo, 1), NULL, 0, -1);
	xero_reader_open(reader, copy_body(body), VARSIZE_ANY_EXHDR(body), NULL);
	before = describe(reader);
	while (xero_reader_next(reader, NULL, NULL))
		rows++;
	if (xero_reader_next(reader, NULL, NULL))
		elog(ERROR, "a row behind the end");
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s; then %s, %d rows", before,
											  describe(reader), rows)));
}

/* reader_bench(wrapper, fields, body, n): milliseconds a page, and rows */
Datum
reader_bench(PG_FUNCTION_ARGS)
{
	Fields		fields = parse_fields(PG_GETARG_ARRAYTYPE_P(1));
	bytea	   *body = PG_GETARG_BYTEA_PP(2);
	int			n = PG_GETARG_INT32(3);
	char	   *copy = copy_body(body);
	Datum	   *values = palloc0((fields.count + 1) * sizeof(Datum));
	bool	   *nulls = palloc0((fields.count + 1) * sizeof(bool));
	XeroReader *reader;
	MemoryContext row_context;
	MemoryContext old;
	double		best = 1e9;

	reader = xero_reader_create(CurrentMemoryContext, "t",
								text_or_null(fcinfo, 0), NULL,
								fields.fields, fields.count, -1);
	row_context = AllocSetContextCreate(CurrentMemoryContext, "row",
										ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(row_context);
	for (int i = 0; i < n; i++)
	{
		instr_time	start;
		instr_time	end;

		INSTR_TIME_SET_CURRENT(start);
		xero_reader_open(reader, copy, VARSIZE_ANY_EXHDR(body), NULL);
		while (xero_reader_next(reader, values, nulls))
			MemoryContextReset(row_context);
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, start);
		best = Min(best, INSTR_TIME_GET_MILLISEC(end));
	}
	MemoryContextSwitchTo(old);
	PG_RETURN_FLOAT8(best);
}

/* reader_bad_text(replace, mark): what the settings of that name do */
Datum
reader_bad_text(PG_FUNCTION_ARGS)
{
	xero_on_bad_text = PG_GETARG_BOOL(0) ? XERO_BAD_TEXT_REPLACE :
		XERO_BAD_TEXT_ERROR;
	xero_mark_bad_text = PG_GETARG_BOOL(1);
	PG_RETURN_VOID();
}
