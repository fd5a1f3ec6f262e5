/*-------------------------------------------------------------------------
 *
 * decode.c
 *	  Prints the values that the reader finds in a document, for decode.py.
 *
 * Input: 0 for records, 1 for their lines, 2 more for a bare array; the
 * document.
 *
 * Link: src/json/reader.c src/json/skip.c src/json/convert.c
 * Link: src/json/moment.c src/json/rewrite.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "catalog/pg_type_d.h"
#include "json/reader.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#undef printf

/* decode.py has the same list. */
static const XeroField fields[] = {
	{"Text", false, TEXTOID, -1, "text"},
	{"Contact.Name", true, TEXTOID, -1, "contact_name"},
	{"Contact.Group.Code", true, TEXTOID, -1, "group_code"},
	{"Number", false, NUMERICOID, -1, "number"},
	{"Whole", false, INT8OID, -1, "whole"},
	{"Flag", false, BOOLOID, -1, "flag"},
	{"Id", false, UUIDOID, -1, "id"},
	{"Day", false, DATEOID, -1, "day"},
	{"At", false, TIMESTAMPTZOID, -1, "at"},
	{"Raw", false, CSTRINGOID, -1, "raw"},
	{"Any", false, JSONBOID, -1, "any"},
};

static const char *
text_of(Oid type, Datum value)
{
	switch (type)
	{
		case TEXTOID:
			return TextDatumGetCString(value);
		case INT8OID:
			return psprintf(INT64_FORMAT, DatumGetInt64(value));
		case BOOLOID:
			return DatumGetBool(value) ? "true" : "false";
		case UUIDOID:
			return DatumGetCString(DirectFunctionCall1(uuid_out, value));
		case DATEOID:
			return psprintf("%d", DatumGetDateADT(value));
		case TIMESTAMPTZOID:
			return psprintf(INT64_FORMAT, DatumGetTimestampTz(value));
		default:
			return DatumGetCString(value);
	}
}

/* Each value as its length, a colon and itself, or as a minus; a row a line. */
static void
decode(void *arg)
{
	FuzzInput  *in = arg;
	unsigned	kind = fuzz_pick(in, 4);
	size_t		len;
	char	   *body = fuzz_rest(in, &len);
	XeroReader *reader;
	Datum		values[lengthof(fields)];
	bool		nulls[lengthof(fields)];

	reader = xero_reader_create(CurrentMemoryContext, "t",
								kind < 2 ? "Records" : NULL,
								kind % 2 == 1 ? "Lines" : NULL, fields,
								lengthof(fields), -1);
	xero_reader_open(reader, body, len, NULL);
	while (xero_reader_next(reader, values, nulls))
	{
		for (int i = 0; i < lengthof(fields); i++)
		{
			const char *text;

			if (nulls[i])
			{
				putchar('-');
				continue;
			}
			text = text_of(fields[i].type, values[i]);
			printf("%zu:%s", strlen(text), text);
		}
		putchar('\n');
	}
}

void
fuzz_one(FuzzInput *in)
{
	printf("=%d\n", fuzz_run(decode, in));
	fflush(stdout);
}
