/*-------------------------------------------------------------------------
 *
 * writer.c
 *	  Values -> the JSON object that Xero is sent.
 *
 * Members are written in the order of their paths, so that those of one nested
 * object ("Contact.ContactID", "Contact.Name") stand together and the object
 * can be opened and closed around them.
 *
 * Numbers are written with the digits they have; dates as ISO 8601, which all
 * of Xero's APIs read; JSON as it is.  Everything else becomes a string.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "json/writer.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

typedef struct Place
{
	int			member;
	const char *path;
} Place;

struct XeroWriter
{
	const char *relation;
	const XeroMember *members;
	int			nmembers;
	FmgrInfo   *outputs;		/* by member */
	Place	   *places;			/* members in the order of their paths */
};

/* The dot sorts before all letters and digits, so prefixes stay together. */
static int
compare_places(const void *a, const void *b)
{
	return strcmp(((const Place *) a)->path, ((const Place *) b)->path);
}

XeroWriter *
xero_writer_create(MemoryContext mcxt, const char *relation,
				   const XeroMember *members, int nmembers)
{
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	XeroWriter *writer = palloc0(sizeof(XeroWriter));

	writer->relation = relation;
	writer->members = members;
	writer->nmembers = nmembers;
	writer->outputs = palloc0(sizeof(FmgrInfo) * Max(nmembers, 1));
	writer->places = palloc(sizeof(Place) * Max(nmembers, 1));
	for (int i = 0; i < nmembers; i++)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(members[i].type, &output, &varlena);
		fmgr_info_cxt(output, &writer->outputs[i], mcxt);
		writer->places[i].member = i;
		writer->places[i].path = members[i].path;
	}
	qsort(writer->places, nmembers, sizeof(Place), compare_places);
	MemoryContextSwitchTo(old);
	return writer;
}

/*-------------------------------------------------------------------------
 * Values
 *-------------------------------------------------------------------------
 */

pg_noreturn static void
raise_unsendable(const XeroWriter *writer, const XeroMember *member,
				 const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot send %s to Xero", what),
			 errdetail("It is the value of column \"%s\" of foreign table \"%s\".",
					   member->column, writer->relation)));
}

char *
xero_json_string(const char *text)
{
	StringInfoData json;

	initStringInfo(&json);
	escape_json(&json, text);
	return json.data;
}

/* JSON has no infinity, and no number that is none. */
static char *
number_text(XeroWriter *writer, int member, Datum value)
{
	char	   *text = OutputFunctionCall(&writer->outputs[member], value);

	if (text[strspn(text, "+-.0123456789eE")] != '\0')
		raise_unsendable(writer, &writer->members[member],
						 psprintf("number \"%s\"", text));
	return text;
}

static char *
date_text(XeroWriter *writer, int member, DateADT date)
{
	int			year = 0;
	int			month = 0;
	int			day = 0;

	if (!DATE_NOT_FINITE(date))
		j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	if (year < 1 || year > 9999)
		raise_unsendable(writer, &writer->members[member],
						 psprintf("date \"%s\"",
								  OutputFunctionCall(&writer->outputs[member],
													 DateADTGetDatum(date))));
	return psprintf("\"%04d-%02d-%02d\"", year, month, day);
}

/* An instant in UTC, or, for a type without time zone, the time as it is. */
static char *
timestamp_text(XeroWriter *writer, int member, Timestamp timestamp)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_NOT_FINITE(timestamp) ||
		timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0 ||
		tm.tm_year < 1 || tm.tm_year > 9999)
		raise_unsendable(writer, &writer->members[member],
						 psprintf("time \"%s\"",
								  OutputFunctionCall(&writer->outputs[member],
													 TimestampGetDatum(timestamp))));
	return psprintf("\"%04d-%02d-%02dT%02d:%02d:%02d.%03d%s\"", tm.tm_year,
					tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
					(int) (fsec / 1000),
					writer->members[member].type == TIMESTAMPTZOID ? "Z" : "");
}

char *
xero_writer_value(XeroWriter *writer, int member, Datum value)
{
	switch (writer->members[member].type)
	{
		case BOOLOID:
			return DatumGetBool(value) ? "true" : "false";
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return number_text(writer, member, value);
		case DATEOID:
			return date_text(writer, member, DatumGetDateADT(value));
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return timestamp_text(writer, member, DatumGetTimestamp(value));
		case JSONOID:
		case JSONBOID:
			return OutputFunctionCall(&writer->outputs[member], value);
		default:
			return xero_json_string(OutputFunctionCall(&writer->outputs[member], value));
	}
}

/*-------------------------------------------------------------------------
 * Objects
 *-------------------------------------------------------------------------
 */

/* How many bytes of whole levels, dots included, two paths begin with. */
static int
common_levels(const char *a, const char *b)
{
	int			levels = 0;

	for (int i = 0; a[i] != '\0' && a[i] == b[i]; i++)
	{
		if (a[i] == '.')
			levels = i + 1;
	}
	return levels;
}

static int
count_dots(const char *path)
{
	int			dots = 0;

	for (; *path != '\0'; path++)
		dots += *path == '.';
	return dots;
}

/* Member names of the catalogue are plain; a user's may be anything. */
static void
append_name(StringInfo json, const char *name, int len)
{
	escape_json(json, pnstrdup(name, len));
	appendStringInfoChar(json, ':');
}

void
xero_writer_object(const XeroWriter *writer, StringInfo json, char **texts)
{
	const char *before = "";	/* path of the member written last */
	bool		first = true;

	appendStringInfoChar(json, '{');
	for (int i = 0; i < writer->nmembers; i++)
	{
		const char *path = writer->places[i].path;
		const char *text = texts[writer->places[i].member];
		int			common;
		const char *rest;

		if (text == NULL)
			continue;
		common = common_levels(before, path);
		for (int n = count_dots(before + common); n > 0; n--)
			appendStringInfoChar(json, '}');
		if (!first)
			appendStringInfoChar(json, ',');
		first = false;
		for (rest = path + common; strchr(rest, '.') != NULL;)
		{
			int			len = strcspn(rest, ".");

			append_name(json, rest, len);
			appendStringInfoChar(json, '{');
			rest += len + 1;
		}
		append_name(json, rest, strlen(rest));
		appendStringInfoString(json, text);
		before = path;
	}
	for (int n = count_dots(before); n > 0; n--)
		appendStringInfoChar(json, '}');
	appendStringInfoChar(json, '}');
}
