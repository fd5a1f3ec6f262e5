/*-------------------------------------------------------------------------
 *
 * convert.c
 *	  The text of one JSON value -> Datum.
 *
 * What costs on a page of a thousand records are texts, uuids, numbers and
 * dates, so those have short ways; everything else, and every odd spelling,
 * goes through the type's input function.  Strings with escapes are decoded
 * by PostgreSQL's own lexer.  Money never touches a double.
 *
 * The value's text is valid UTF-8, its scalars are valid JSON (skip.c).  It is
 * converted to the database's encoding here.  Errors are those of PostgreSQL's
 * input functions, class 22; the caller adds table, column and record.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "base/text.h"
#include "catalog/pg_type_d.h"
#include "common/int.h"
#include "common/jsonapi.h"
#include "json/convert.h"
#include "json/moment.h"
#include "json/rewrite.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonfuncs.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* Text in the database's encoding, without a NUL. */
typedef struct Chars
{
	const char *s;
	size_t		len;
} Chars;

/* Prepare for a type; what must be looked up is looked up here, once. */
void
xero_converter_init(XeroConverter *converter, Oid type, int32 typmod,
					MemoryContext mcxt)
{
	static const struct
	{
		Oid			type;
		XeroConversion conversion;
	}			known[] =
	{
		{TEXTOID, XERO_CONVERT_TEXT},
		{UUIDOID, XERO_CONVERT_UUID},
		{NUMERICOID, XERO_CONVERT_NUMERIC},
		{BOOLOID, XERO_CONVERT_BOOL},
		{INT2OID, XERO_CONVERT_INTEGER},
		{INT4OID, XERO_CONVERT_INTEGER},
		{INT8OID, XERO_CONVERT_INTEGER},
		{FLOAT4OID, XERO_CONVERT_FLOAT},
		{FLOAT8OID, XERO_CONVERT_FLOAT},
		{DATEOID, XERO_CONVERT_DATE},
		{TIMESTAMPOID, XERO_CONVERT_TIMESTAMP},
		{TIMESTAMPTZOID, XERO_CONVERT_TIMESTAMP},
		{JSONOID, XERO_CONVERT_JSON},
		{JSONBOID, XERO_CONVERT_JSON},
		{CSTRINGOID, XERO_CONVERT_RAW},
	};
	Oid			function;

	converter->conversion = XERO_CONVERT_INPUT;
	for (int i = 0; i < lengthof(known); i++)
	{
		if (known[i].type == type)
			converter->conversion = known[i].conversion;
	}
	converter->type = type;
	converter->typmod = typmod;
	getTypeInputInfo(type, &function, &converter->ioparam);
	fmgr_info_cxt(function, &converter->input, mcxt);
}

static Chars
to_server(const char *s, size_t len)
{
	Chars		chars = {s, len};

	if (GetDatabaseEncoding() != PG_UTF8)
	{
		chars.s = pg_any_to_server(s, len, PG_UTF8);
		if (chars.s != s)
			chars.len = strlen(chars.s);
	}
	return chars;
}

/*
 * Decode a string with escapes, quotes included.  The lexer turns \u into the
 * database's encoding, so the rest has to be in it before.
 */
static Chars
unescape(const char *json, size_t len)
{
	Chars		chars = to_server(json, len);
	JsonLexContext *lex = xero_json_lexer(chars.s, chars.len,
										  GetDatabaseEncoding(), true);
	JsonParseErrorType error = json_lex(lex);

	if (error != JSON_SUCCESS)
		json_errsave_error(error, lex, NULL);
	chars.s = lex->strval->data;
	chars.len = lex->strval->len;
	return chars;
}

/* A string's content, or the text of anything else as it stands. */
static Chars
content(const char *json, size_t len)
{
	if (*json != '"')
		return to_server(json, len);
	if (memchr(json, '\\', len) != NULL)
		return unescape(json, len);
	return to_server(json + 1, len - 2);
}

/*
 * A string as it may be shown in a message, in the present context.  Where its
 * escapes cannot be read, they stay.
 */
char *
xero_readable_string(const char *json, size_t len)
{
	JsonLexContext *lex;

	if (GetDatabaseEncoding() == PG_UTF8)
	{
		lex = xero_json_lexer(xero_replace_bad_text(json, len), len,
							  PG_UTF8, true);
		if (json_lex(lex) == JSON_SUCCESS)
			return lex->strval->data;
	}
	return pnstrdup(json + 1, len - 2);
}

static Datum
call_input(XeroConverter *converter, Chars chars)
{
	char	   *copy = pnstrdup(chars.s, chars.len);

	return InputFunctionCall(&converter->input, copy, converter->ioparam,
							 converter->typmod);
}

/* The error of an input function, for the types that do not call theirs. */
static void
raise_syntax(const XeroConverter *converter, Chars chars)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"",
					format_type_be(converter->type),
					pnstrdup(chars.s, chars.len))));
}

/* The usual spelling of a uuid; other spellings are left to uuid_in(). */
static Datum
convert_uuid(XeroConverter *converter, Chars chars)
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));
	const char *s = chars.s;

	if (chars.len != 36)
		return call_input(converter, chars);
	for (int i = 0; i < UUID_LEN; i++)
	{
		int			high;
		int			low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return call_input(converter, chars);
		high = xero_hex_value(s[0]);
		low = xero_hex_value(s[1]);
		if (high < 0 || low < 0)
			return call_input(converter, chars);
		uuid->data[i] = high << 4 | low;
		s += 2;
	}
	return UUIDPGetDatum(uuid);
}

static Datum
convert_bool(XeroConverter *converter, Chars chars)
{
	if (chars.len == 4 && pg_strncasecmp(chars.s, "true", 4) == 0)
		return BoolGetDatum(true);
	if (chars.len != 5 || pg_strncasecmp(chars.s, "false", 5) != 0)
		raise_syntax(converter, chars);
	return BoolGetDatum(false);
}

static bool
fits_integer(Oid type, int64 value)
{
	switch (type)
	{
		case INT2OID:
			return value >= PG_INT16_MIN && value <= PG_INT16_MAX;
		case INT4OID:
			return value >= PG_INT32_MIN && value <= PG_INT32_MAX;
		default:
			return true;
	}
}

static Datum
integer_datum(Oid type, int64 value)
{
	switch (type)
	{
		case INT2OID:
			return Int16GetDatum((int16) value);
		case INT4OID:
			return Int32GetDatum((int32) value);
		default:
			return Int64GetDatum(value);
	}
}

/* Xero writes some whole numbers with a fraction of zeros. */
static Datum
convert_integer(XeroConverter *converter, Chars chars)
{
	int64		value = 0;
	size_t		digits = chars.len > 0 && chars.s[0] == '-' ? 1 : 0;
	size_t		i;
	const char *point = memchr(chars.s, '.', chars.len);

	if (point != NULL && point > chars.s && point + 1 < chars.s + chars.len)
	{
		size_t		len = chars.len;

		while (chars.s[len - 1] == '0')
			len--;
		if (chars.s + len == point + 1)
			chars.len = point - chars.s;
	}
	for (i = digits; i < chars.len; i++)
	{
		int			digit = chars.s[i] - '0';

		if (digit < 0 || digit > 9 ||
			pg_mul_s64_overflow(value, 10, &value) ||
			pg_sub_s64_overflow(value, digit, &value))
			break;
	}

	/* counted downwards, since the smallest number has no positive */
	if (i == digits || i < chars.len ||
		(digits == 0 && value == PG_INT64_MIN))
		return call_input(converter, chars);
	if (digits == 0)
		value = -value;
	if (!fits_integer(converter->type, value))
		return call_input(converter, chars);
	return integer_datum(converter->type, value);
}

/* "json" with quotes, as it came. */
static void
parse_moment(const XeroConverter *converter, const char *json, size_t len,
			 XeroMoment *moment)
{
	XeroMomentResult result = XERO_MOMENT_SYNTAX;

	if (*json == '"')
	{
		/* \/Date(0)\/ is understood without being unescaped */
		result = xero_moment_parse(json + 1, len - 2, moment);
		if (result == XERO_MOMENT_SYNTAX && memchr(json, '\\', len) != NULL)
		{
			Chars		chars = unescape(json, len);

			result = xero_moment_parse(chars.s, chars.len, moment);
		}
	}
	if (result == XERO_MOMENT_SYNTAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
				 errmsg("not a date or time in any form that Xero uses")));
	if (result == XERO_MOMENT_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s out of range", format_type_be(converter->type))));
}

static Datum
convert_date(const XeroConverter *converter, const char *json, size_t len)
{
	XeroMoment	moment;
	DateADT		date;

	parse_moment(converter, json, len, &moment);
	if (!xero_moment_date(&moment, &date))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range")));
	return DateADTGetDatum(date);
}

static Datum
convert_timestamp(const XeroConverter *converter, const char *json, size_t len)
{
	XeroMoment	moment;
	Timestamp	timestamp;

	parse_moment(converter, json, len, &moment);
	if (!xero_moment_timestamp(&moment, &timestamp))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	if (converter->typmod < 0)
		return TimestampGetDatum(timestamp);

	/* both kinds of timestamp are rounded alike */
	return DirectFunctionCall2(timestamp_scale, TimestampGetDatum(timestamp),
							   Int32GetDatum(converter->typmod));
}

static Datum
convert_scalar(XeroConverter *converter, Chars chars)
{
	switch (converter->conversion)
	{
		case XERO_CONVERT_UUID:
			return convert_uuid(converter, chars);
		case XERO_CONVERT_BOOL:
			return convert_bool(converter, chars);
		case XERO_CONVERT_INTEGER:
			return convert_integer(converter, chars);
		default:
			return call_input(converter, chars);
	}
}

/* Is the value the text itself, which can hold all that came? */
static bool
keeps_text(const XeroConverter *converter)
{
	return converter->type == JSONOID ||
		converter->conversion == XERO_CONVERT_RAW;
}

/*
 * Convert "json", the text of one value that is not null.  The result is in
 * the current memory context.
 */
Datum
xero_convert(XeroConverter *converter, const char *json, size_t len,
			 bool *isnull)
{
	Chars		chars;

	*isnull = false;
	if (converter->type == JSONBOID)
		json = xero_rewrite_dates(xero_settle_bad_text(json, len), &len);
	else if (*json == '"' && !keeps_text(converter))
		json = xero_settle_bad_text(json, len);
	switch (converter->conversion)
	{
		case XERO_CONVERT_TEXT:
			chars = content(json, len);
			return PointerGetDatum(cstring_to_text_with_len(chars.s,
															chars.len));
		case XERO_CONVERT_INPUT:
			return call_input(converter, content(json, len));
		case XERO_CONVERT_JSON:
			return call_input(converter, to_server(json, len));
		case XERO_CONVERT_RAW:
			return CStringGetDatum(pnstrdup(json, len));
		default:
			break;
	}

	/* Xero's way to say that there is none */
	if (len == 2 && *json == '"')
	{
		*isnull = true;
		return (Datum) 0;
	}
	if (converter->conversion == XERO_CONVERT_DATE)
		return convert_date(converter, json, len);
	if (converter->conversion == XERO_CONVERT_TIMESTAMP)
		return convert_timestamp(converter, json, len);
	return convert_scalar(converter, content(json, len));
}
