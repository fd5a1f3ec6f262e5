/*-------------------------------------------------------------------------
 *
 * literal.c
 *	  Single values: from Datum to what Xero reads, and URL encoding.
 *
 * A value that Xero might read as something else is never sent: the callers
 * then leave its condition to PostgreSQL.  Texts are in the server's encoding
 * until xero_append_sent() turns them into UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/literal.h"

#include "base/text.h"
#include "base/urlencode.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/*
 * Decimal digits sent on either side of the point.  A .NET decimal holds 28;
 * Xero's where= first reads an integer as a 64-bit one.
 */
#define MAX_INTEGER_DIGITS	15
#define MAX_FRACTION_DIGITS 10

bool
xero_is_array_node(Node *node)
{
	return OidIsValid(get_element_type(exprType(node)));
}

static void
add_value(XeroValues *result, int *room, const XeroValue *value)
{
	if (value->isnull)
	{
		result->nulls = true;
		return;
	}
	if (result->count >= *room)
	{
		*room *= 2;
		result->values = repalloc(result->values, *room * sizeof(XeroValue));
	}
	result->values[result->count++] = *value;
}

/* Adds a scalar, or every element of an array. */
static void
add_values(XeroValues *result, int *room, const XeroValue *value)
{
	Oid			element = get_element_type(value->type);
	XeroValue	one = {0};
	Datum	   *datums;
	bool	   *nulls;
	int			count;
	int16		len;
	bool		byval;
	char		align;

	if (!OidIsValid(element) || value->isnull)
	{
		add_value(result, room, value);
		return;
	}
	get_typlenbyvalalign(element, &len, &byval, &align);
	deconstruct_array(DatumGetArrayTypeP(value->datum), element, len, byval,
					  align, &datums, &nulls, &count);
	one.type = element;
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		one.datum = datums[i];
		one.isnull = nulls[i];
		add_value(result, room, &one);
	}
}

/* Sets the value of the type with the longest text; false if there is none. */
static bool
widest_value(Oid type, XeroValue *value)
{
	value->type = type;
	switch (type)
	{
		case UUIDOID:
			value->datum = UUIDPGetDatum(palloc0(sizeof(pg_uuid_t)));
			return true;
		case BOOLOID:
			value->datum = BoolGetDatum(false);
			return true;
		case INT2OID:
			value->datum = Int16GetDatum(PG_INT16_MIN);
			return true;
		case INT4OID:
			value->datum = Int32GetDatum(PG_INT32_MIN);
			return true;
		case INT8OID:
			value->datum = Int64GetDatum(PG_INT64_MIN);
			return true;
		case DATEOID:
			value->datum = DateADTGetDatum(XERO_LAST_DAY - 1);
			return true;
		default:
			return false;
	}
}

/*
 * The values of a condition, one by one: arrays are taken apart, nulls only
 * counted.  "params" is read for XERO_UNKNOWN_NONE only.
 */
void
xero_resolve_values(List *nodes, const XeroParamValue *params,
					XeroUnknowns unknowns, XeroValues *result)
{
	int			room = 8;
	ListCell   *lc;

	memset(result, 0, sizeof(XeroValues));
	result->values = palloc(room * sizeof(XeroValue));
	foreach(lc, nodes)
	{
		Node	   *node = lfirst(lc);
		XeroValue	value = {0};

		if (IsA(node, Const))
		{
			value.type = ((Const *) node)->consttype;
			value.datum = ((Const *) node)->constvalue;
			value.isnull = ((Const *) node)->constisnull;
			add_values(result, &room, &value);
		}
		else if (unknowns == XERO_UNKNOWN_NONE)
		{
			const XeroParamValue *param =
			&params[castNode(Param, node)->paramid];

			value.type = param->type;
			value.datum = param->value;
			value.isnull = param->isnull;
			add_values(result, &room, &value);
		}
		else if (unknowns == XERO_UNKNOWN_SHOWN)
		{
			value.placeholder = castNode(Param, node)->paramid + 1;
			add_value(result, &room, &value);
		}
		else
		{
			Oid			type = exprType(node);
			Oid			element = get_element_type(type);

			if (OidIsValid(element))
				result->many = true;
			if (widest_value(OidIsValid(element) ? element : type, &value))
				add_value(result, &room, &value);
			else
				result->unbounded = true;
		}
	}
}

/*
 * True if the text can be sent as a quoted literal in where=.  How Xero reads a
 * quote, a backslash, control characters and characters outside the BMP is
 * unknown, and so is what a character was that was replaced.  An empty text is
 * not sent either: Xero does not reliably tell it from null.
 */
bool
xero_text_sendable(const char *text)
{
	const unsigned char *c;
	int			len = strlen(text);

	if (GetDatabaseEncoding() == PG_SQL_ASCII &&
		!pg_verify_mbstr(PG_UTF8, text, len, true))
		return false;
	c = (const unsigned char *) pg_server_to_any(text, len, PG_UTF8);
	if (*c == '\0' || strstr((const char *) c, XERO_REPLACEMENT) != NULL ||
		strstr((const char *) c, XERO_BAD_TEXT_MARK) != NULL)
		return false;
	for (; *c; c++)
	{
		if (*c < ' ' || *c == 0x7F || *c == '"' || *c == '\\' || *c >= 0xF0 ||
			(*c == 0xC2 && c[1] < 0xA0))
			return false;
	}
	return true;
}

/* Is this a word that means the same to Xero and to PostgreSQL? */
static bool
is_canonical_word(const char *text)
{
	return text[0] != '\0' &&
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(text);
}

/* Plain decimal text without needless zeros, or NULL. */
static char *
numeric_text(Datum value)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	char	   *digits = text + (text[0] == '-' ? 1 : 0);
	size_t		before = strspn(digits, "0123456789");
	char	   *end;

	if (before == 0 || before > MAX_INTEGER_DIGITS)
		return NULL;			/* NaN and Infinity among them */
	if (digits[before] == '.')
	{
		end = digits + strlen(digits);
		while (end[-1] == '0')
			end--;
		if (end[-1] == '.')
			end--;
		*end = '\0';
		if (end > digits + before + 1 + MAX_FRACTION_DIGITS)
			return NULL;
	}
	return text;
}

/* A number that is counted in units of its fourth decimal place. */
char *
xero_number_literal(int64 number)
{
	return numeric_text(NumericGetDatum(int64_div_fast_to_numeric(number, 4)));
}

/* uuid_out() leaves a kilobyte allocated, and there may be thousands of keys. */
static char *
uuid_text(Datum value)
{
	char	   *string = DatumGetCString(DirectFunctionCall1(uuid_out, value));
	char	   *text = pstrdup(string);

	pfree(string);
	return text;
}

/*
 * A known, non-null value as it stands in a path or a parameter, or NULL if it
 * cannot be sent.  Not for timestamps.
 */
char *
xero_value_text(const XeroColumn *column, const XeroValue *value)
{
	char	   *string;

	switch (value->type)
	{
		case TEXTOID:
		case VARCHAROID:
			string = TextDatumGetCString(value->datum);
			if (column->flags & XERO_COL_ENUM)
				return is_canonical_word(string) ? string : NULL;
			return xero_text_sendable(string) ? string : NULL;
		case UUIDOID:
			return uuid_text(value->datum);
		case NUMERICOID:
			return numeric_text(value->datum);
		case BOOLOID:
			return DatumGetBool(value->datum) ? "true" : "false";
		case INT2OID:
			return psprintf("%d", DatumGetInt16(value->datum));
		case INT4OID:
			return psprintf("%d", DatumGetInt32(value->datum));
		case INT8OID:
			return psprintf(INT64_FORMAT, DatumGetInt64(value->datum));
		case DATEOID:
			return xero_day_text(DatumGetDateADT(value->datum));
		default:
			return NULL;
	}
}

/* The text of a value as a literal of where=. */
char *
xero_where_literal(const XeroColumn *column, const char *text)
{
	switch (column->type)
	{
		case XERO_TEXT:
			return psprintf("\"%s\"", text);
		case XERO_UUID:
			return psprintf("Guid(\"%s\")", text);
		default:
			return pstrdup(text);
	}
}

/* yyyy-mm-dd, or NULL for a day that Xero has not. */
char *
xero_day_text(int64 day)
{
	int			year,
				month,
				mday;

	if (day < XERO_FIRST_DAY || day > XERO_LAST_DAY)
		return NULL;
	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	return psprintf("%04d-%02d-%02d", year, month, mday);
}

char *
xero_day_literal(int64 day)
{
	int			year,
				month,
				mday;

	Assert(day >= XERO_FIRST_DAY && day <= XERO_LAST_DAY);
	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	return psprintf("DateTime(%d,%d,%d)", year, month, mday);
}

/*
 * The whole second at or before a timestamp or date, in the session's time
 * zone if the type has none.  False if Xero has no such second (or not some
 * seconds around it).
 */
bool
xero_instant(const XeroValue *value, TimestampTz *second)
{
	TimestampTz instant;
	int			overflow = 0;

	switch (value->type)
	{
		case TIMESTAMPTZOID:
			instant = DatumGetTimestampTz(value->datum);
			break;
		case TIMESTAMPOID:
			instant = timestamp2timestamptz_opt_overflow(
														 DatumGetTimestamp(value->datum), &overflow);
			break;
		case DATEOID:
			instant = date2timestamptz_opt_overflow(
													DatumGetDateADT(value->datum), &overflow);
			break;
		default:
			return false;
	}
	if (overflow != 0 || TIMESTAMP_NOT_FINITE(instant) ||
		instant < (XERO_FIRST_DAY + 1) * USECS_PER_DAY ||
		instant >= XERO_LAST_DAY * USECS_PER_DAY)
		return false;
	*second = instant - (instant % USECS_PER_SEC + USECS_PER_SEC) % USECS_PER_SEC;
	return true;
}

static struct pg_tm
utc_fields(TimestampTz second)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(second, NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "timestamp out of range");
	return tm;
}

/* As If-Modified-Since wants it; any other form is ignored by Xero. */
char *
xero_instant_text(TimestampTz second)
{
	struct pg_tm tm = utc_fields(second);

	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year, tm.tm_mon,
					tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

char *
xero_instant_literal(TimestampTz second)
{
	struct pg_tm tm = utc_fields(second);

	return psprintf("DateTime(%d,%d,%d,%d,%d,%d)", tm.tm_year, tm.tm_mon,
					tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/*
 * Percent-encodes all but unreserved characters.  Commas stay raw in list
 * parameters: there they separate, and encoded ones count three bytes.
 */
void
xero_append_sent(StringInfo out, const char *text, bool raw_commas)
{
	xero_append_encoded(out, pg_server_to_any(text, strlen(text), PG_UTF8),
						raw_commas ? XERO_UNRESERVED "," : XERO_UNRESERVED);
}

int
xero_encoded_length(const char *text, bool raw_commas)
{
	StringInfoData buf;
	int			len;

	initStringInfo(&buf);
	xero_append_sent(&buf, text, raw_commas);
	len = buf.len;
	pfree(buf.data);
	return len;
}
