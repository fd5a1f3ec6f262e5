/*-------------------------------------------------------------------------
 *
 * convert_fuzz.c
 *	  Any JSON value as a value of any type; dates and times among them.
 *
 * Input: encoding, type, text.
 *
 * Link: src/json/convert.c src/json/moment.c src/json/skip.c src/json/rewrite.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include <regex.h>

#include "catalog/pg_type_d.h"
#include "json/convert.h"
#include "json/moment.h"
#include "json/rewrite.h"
#include "json/skip.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

static const Oid types[] = {
	TEXTOID, UUIDOID, NUMERICOID, BOOLOID, INT2OID, INT4OID, INT8OID,
	FLOAT8OID, DATEOID, TIMESTAMPOID, TIMESTAMPTZOID, JSONBOID, CSTRINGOID,
	INTERVALOID
};

typedef struct Conversion
{
	Oid			type;
	const char *json;
	size_t		len;
	Datum		value;
	bool		isnull;
} Conversion;

static void
convert(void *arg)
{
	Conversion *c = arg;
	XeroConverter converter;

	xero_converter_init(&converter, c->type,
						c->type == TIMESTAMPTZOID ? 3 : -1,
						CurrentMemoryContext);
	c->value = xero_convert(&converter, c->json, c->len, &c->isnull);
}

/* Is it one of the forms that moment.c speaks of? */
static bool
is_moment(const char *content)
{
	static regex_t forms;
	static bool compiled = false;

	if (!compiled)
		fuzz_must(regcomp(&forms, "^(/Date\\(-?[0-9]+([+-][0-9]{4})?\\)/|"
						  "[0-9]{4}-[0-9]{2}-[0-9]{2}"
						  "([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?"
						  "([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?)$",
						  REG_EXTENDED | REG_NOSUB) == 0);
	compiled = true;
	return regexec(&forms, content, 0, NULL, 0) == 0;
}

/* Does the value say what the text says, where both are spelled alike? */
static void
check(const Conversion *c, const char *content)
{
	char	   *string;

	switch (c->type)
	{
		case TEXTOID:
			string = TextDatumGetCString(c->value);
			fuzz_must(fuzz_is_text(string, strlen(string)));
			break;
		case UUIDOID:
			string = DatumGetCString(DirectFunctionCall1(uuid_out, c->value));
			fuzz_must(pg_strcasecmp(string, content) == 0);
			break;
		case BOOLOID:
			fuzz_must(pg_strcasecmp(content, DatumGetBool(c->value) ?
									"true" : "false") == 0);
			break;
		case INT2OID:
			fuzz_must(DatumGetInt16(c->value) == strtoll(content, NULL, 10));
			break;
		case INT4OID:
			fuzz_must(DatumGetInt32(c->value) == strtoll(content, NULL, 10));
			break;
		case INT8OID:
			fuzz_must(DatumGetInt64(c->value) == strtoll(content, NULL, 10));
			break;
		case DATEOID:
			fuzz_must(IS_VALID_DATE(DatumGetDateADT(c->value)) &&
					  is_moment(content));
			break;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			fuzz_must(IS_VALID_TIMESTAMP(DatumGetTimestamp(c->value)) &&
					  is_moment(content));
			break;
		case CSTRINGOID:
			fuzz_must(strlen(DatumGetCString(c->value)) == c->len);
			break;
	}
}

/* A value with its dates rewritten is one of the same shape, for good. */
static void
check_dates(const char *json, size_t len)
{
	XeroJsonText text = {0};
	size_t		again;
	char	   *copy;

	text.begin = xero_rewrite_dates(json, &len);
	copy = pnstrdup(text.begin, len);
	text.begin = copy;
	text.end = copy + len;
	fuzz_must(xero_skip_value(&text, copy, 0) == text.end);
	again = len;
	fuzz_must(xero_rewrite_dates(copy, &again) == copy || again == len);
}

void
fuzz_one(FuzzInput *in)
{
	Conversion	c = {0};
	XeroJsonText text = {0};
	size_t		len;
	int			code;

	fuzz_pick_encoding(in);
	c.type = types[fuzz_pick(in, lengthof(types))];
	text.begin = fuzz_rest(in, &len);
	text.end = text.begin + len;

	/* no more than the reader knows of a value */
	c.json = text.begin;
	if (pg_encoding_verifymbstr(PG_UTF8, c.json, len) != len ||
		*c.json == 'n' || xero_skip_value(&text, c.json, 0) != text.end)
		return;
	c.len = len;
	code = fuzz_run(convert, &c);
	fuzz_must(code == 0 ||
			  ERRCODE_TO_CATEGORY(code) == ERRCODE_DATA_EXCEPTION);
	/* the settings change nothing else than they say */
	fuzz_must(xero_has_bad_text(c.json, len) ==
			  (xero_replace_bad_text(c.json, len) != c.json));
	fuzz_must(!xero_has_bad_text(xero_replace_bad_text(c.json, len), len));
	check_dates(c.json, len);
	if (code != 0 || c.isnull || memchr(c.json, '\\', len) != NULL)
		return;
	if (*c.json == '"')
		check(&c, pnstrdup(c.json + 1, len - 2));
	else
		check(&c, c.json);
}
