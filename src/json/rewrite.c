/*-------------------------------------------------------------------------
 *
 * rewrite.c
 *	  JSON as Xero writes it -> JSON that PostgreSQL's types can hold.
 *
 * Values are rewritten as texts, before their types see them, so that all
 * types are treated alike.  Nothing is rewritten but what the two functions
 * are for: white space, the spelling of numbers, other escapes and all other
 * texts stay byte for byte.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "base/text.h"
#include "json/moment.h"
#include "json/rewrite.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

/* An escape of a character by its number: \u0000 */
#define ESCAPE_LEN	6

int			xero_on_bad_text = XERO_BAD_TEXT_ERROR;
bool		xero_mark_bad_text = false;

/*-------------------------------------------------------------------------
 * Characters that cannot be stored
 *-------------------------------------------------------------------------
 */

/* The number of the character that is escaped at p; -1 if none is. */
static int
escaped_unit(const char *p, const char *end)
{
	int			unit = 0;

	if (end - p < ESCAPE_LEN || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < ESCAPE_LEN; i++)
	{
		int			digit = xero_hex_value(p[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* The next escape of such a character, from p on; NULL if there is none. */
static const char *
find_bad_text(const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '\\', end - p)) != NULL)
	{
		int			unit = escaped_unit(p, end);

		if (unit < 0)
		{
			p += 2;				/* another escape */
			continue;
		}
		if (is_utf16_surrogate_first(unit))
		{
			int			second = escaped_unit(p + ESCAPE_LEN, end);

			if (second < 0 || !is_utf16_surrogate_second(second))
				return p;
			p += ESCAPE_LEN;
		}
		else if (unit == 0 || is_utf16_surrogate_second(unit))
			return p;
		p += ESCAPE_LEN;
	}
	return NULL;
}

bool
xero_has_bad_text(const char *json, size_t len)
{
	return find_bad_text(json, json + len) != NULL;
}

static const char *
replace_with(const char *json, size_t len, const char *escape)
{
	const char *bad = find_bad_text(json, json + len);
	char	   *copy;

	if (bad == NULL)
		return json;
	copy = pnstrdup(json, len);
	for (; bad != NULL; bad = find_bad_text(bad + ESCAPE_LEN, json + len))
		memcpy(copy + (bad - json), escape, ESCAPE_LEN);
	return copy;
}

const char *
xero_replace_bad_text(const char *json, size_t len)
{
	return replace_with(json, len, "\\ufffd");
}

const char *
xero_settle_bad_text(const char *json, size_t len)
{
	if (xero_on_bad_text == XERO_BAD_TEXT_REPLACE)
		return xero_replace_bad_text(json, len);
	return xero_mark_bad_text ? replace_with(json, len, "\\ufdd0") : json;
}

bool
xero_has_replacement(const char *json)
{
	const char *end = json + strlen(json);
	bool		replaced = xero_on_bad_text == XERO_BAD_TEXT_REPLACE;

	/* in other encodings they cannot be stored */
	if ((GetDatabaseEncoding() == PG_UTF8 ||
		 GetDatabaseEncoding() == PG_SQL_ASCII) &&
		(strstr(json, XERO_BAD_TEXT_MARK) != NULL ||
		 (replaced && strstr(json, XERO_REPLACEMENT) != NULL)))
		return true;
	for (const char *p = json; (p = strchr(p, '\\')) != NULL;)
	{
		int			unit = escaped_unit(p, end);

		if (unit == 0xFDD0 || (replaced && unit == 0xFFFD))
			return true;
		p += unit >= 0 ? ESCAPE_LEN : 2;
	}
	return false;
}

/*-------------------------------------------------------------------------
 * Dates
 *-------------------------------------------------------------------------
 */

/* Is this the name of a member that holds a date?  All of Xero's say so. */
static bool
is_date_name(const char *name, size_t len)
{
	for (size_t i = 0; i + 4 <= len; i++)
	{
		if (pg_strncasecmp(name + i, "date", 4) == 0)
			return true;
	}
	return false;
}

/* Is it worth looking closer? */
static bool
has_epoch(const char *json, size_t len)
{
	const char *end = json + len;

	for (const char *p = json; (p = memchr(p, '/', end - p)) != NULL; p++)
	{
		if (end - p > 6 && memcmp(p, "/Date(", 6) == 0)
			return true;
	}
	return false;
}

/* Behind the string that begins at p. */
static const char *
string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
	{
		if (*p == '\\')
			p++;
	}
	return Min(p + 1, end);
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && xero_is_blank(*p))
		p++;
	return p;
}

/*
 * The milliseconds of the form are in UTC, and no offset that is shown with
 * them counts, so the text ends in Z: as a date it is the day that Xero means,
 * as a timestamp the instant.
 */
const char *
xero_rewrite_dates(const char *json, size_t *len)
{
	const char *end = json + *len;
	const char *copied = json;
	const char *date = NULL;	/* where the value of a date begins */
	StringInfoData out;

	if (!has_epoch(json, *len))
		return json;
	initStringInfo(&out);
	for (const char *p = json; (p = memchr(p, '"', end - p)) != NULL;)
	{
		const char *start = p;
		const char *next;
		XeroMoment	moment;
		char		iso[XERO_MOMENT_ISO_SIZE];

		p = string_end(start, end);
		next = skip_blanks(p, end);
		if (next < end && *next == ':')
		{
			if (is_date_name(start + 1, p - start - 2))
				date = skip_blanks(next + 1, end);
		}
		else if (start == date &&
				 (start[1] == '/' || start[1] == '\\') &&
				 xero_moment_parse(start + 1, p - start - 2,
								   &moment) == XERO_MOMENT_OK &&
				 xero_moment_iso(&moment, iso))
		{
			appendBinaryStringInfo(&out, copied, start + 1 - copied);
			appendStringInfoString(&out, iso);
			copied = p - 1;
		}
	}
	appendBinaryStringInfo(&out, copied, end - copied);
	*len = out.len;
	return out.data;
}
