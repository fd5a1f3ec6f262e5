/*-------------------------------------------------------------------------
 *
 * compare.c
 *	  Is what was sent in what came back?
 *
 * Works on the texts, as the reader does: what came back may have members that
 * no type of PostgreSQL could hold.  The reader has only looked at the brackets
 * of what it passes over; where anything else is wrong, nothing is said to
 * differ.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "json/compare.h"

#include "json/moment.h"
#include "json/skip.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"

/* So much of a value is shown. */
#define MAX_SHOWN 80

/* Half a cent, and what a double may be off. */
#define NEARLY 0.0050001

/* A value inside of a text; start is NULL if there is none. */
typedef struct Value
{
	const char *start;
	size_t		len;
} Value;

typedef struct Comparison
{
	XeroJsonText sent;
	XeroJsonText stored;
	const XeroJsonLeniency *leniency;
	StringInfoData path;
	List	   *differences;
} Comparison;

/* What stands in a list of members or elements. */
typedef struct Walk
{
	XeroJsonText *text;
	const char *pos;			/* NULL at the end, or where something is
								 * wrong */
} Walk;

static Walk
begin_walk(XeroJsonText *text, const Value *container)
{
	Walk		walk = {text, container->start ? container->start + 1 : NULL};

	return walk;
}

/* To the next element: false if there is none. */
static bool
next_element(Walk *walk, Value *element)
{
	const char *p;
	const char *end;

	if (walk->pos == NULL)
		return false;
	p = xero_skip_space(walk->text, walk->pos);
	if (*p == ',')
		p = xero_skip_space(walk->text, p + 1);
	end = *p == ']' || *p == '}' ? NULL : xero_skip_value(walk->text, p, 0);
	walk->pos = end;
	if (end == NULL)
		return false;
	element->start = p;
	element->len = end - p;
	return true;
}

/* To the next member; a name is what stands between its quotes. */
static bool
next_member(Walk *walk, Value *name, Value *value)
{
	const char *p;

	if (!next_element(walk, name) || *name->start != '"')
		return false;
	name->start++;
	name->len -= 2;
	p = xero_skip_space(walk->text, walk->pos);
	if (*p != ':')
		return false;
	walk->pos = xero_skip_space(walk->text, p + 1);
	return next_element(walk, value);
}

static Value
find_member(XeroJsonText *text, const Value *object, const char *name,
			size_t len)
{
	Value		found = {NULL, 0};
	Value		other;
	Value		value;
	Walk		walk = begin_walk(text, object);

	if (object->start == NULL || *object->start != '{')
		return found;
	while (next_member(&walk, &other, &value))
	{
		if (other.len == len && pg_strncasecmp(other.start, name, len) == 0)
			found = value;
	}
	return found;
}

static bool
is_among(const char *words, const Value *name)
{
	while (words != NULL && *words != '\0')
	{
		size_t		n = strcspn(words, "|");

		if (n == name->len && pg_strncasecmp(words, name->start, n) == 0)
			return true;
		words += n + (words[n] == '|');
	}
	return false;
}

/*-------------------------------------------------------------------------
 * Scalars
 *-------------------------------------------------------------------------
 */

static unsigned int
hex4(const char *p)
{
	unsigned int code = 0;

	for (int i = 0; i < 4; i++)
		code = code * 16 + (p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return code;
}

static void
append_character(StringInfo text, pg_wchar code)
{
	unsigned char utf8[MAX_MULTIBYTE_CHAR_LEN + 1] = {0};

	unicode_to_utf8(code, utf8);
	appendBinaryStringInfo(text, (char *) utf8, pg_utf_mblen(utf8));
}

/* The escape behind a backslash; returns what is behind it. */
static const char *
append_escape(StringInfo text, const char *p, const char *end)
{
	static const char letters[] = "bfnrt";
	static const char controls[] = "\b\f\n\r\t";
	const char *letter = strchr(letters, *p);
	unsigned int code;

	if (*p != 'u' || end - p < 5 ||
		strspn(p + 1, "0123456789abcdefABCDEF") < 4)
	{
		appendStringInfoChar(text, letter ? controls[letter - letters] : *p);
		return p + 1;
	}
	code = hex4(p + 1);
	p += 5;
	if (code >= 0xD800 && code < 0xDC00 && end - p >= 6 && p[0] == '\\' &&
		p[1] == 'u')
	{
		code = 0x10000 + ((code - 0xD800) << 10) + (hex4(p + 2) & 0x3FF);
		p += 6;
	}
	append_character(text, code);
	return p;
}

/* What a scalar says: without quotes, escapes, or blanks around it. */
static char *
plain_text(const Value *value)
{
	const char *p = value->start ? value->start : "";
	const char *end = p + value->len;
	StringInfoData text;

	initStringInfo(&text);
	if (*p == '"')
	{
		for (p++, end--; p < end;)
		{
			if (*p == '\\' && p + 1 < end)
				p = append_escape(&text, p + 1, end);
			else
				appendStringInfoChar(&text, *p++);
			/* line ends are not told apart */
			if (text.len > 1 && text.data[text.len - 1] == '\n' &&
				text.data[text.len - 2] == '\r')
				text.data[--text.len - 1] = '\n';
		}
	}
	else if (*p != 'n')
		appendBinaryStringInfo(&text, p, value->len);
	while (text.len > 0 && isspace((unsigned char) text.data[text.len - 1]))
		text.len--;
	text.data[text.len] = '\0';
	return text.data + strspn(text.data, " \t\r\n");
}

static bool
is_number(const char *text, double *number)
{
	char	   *end;

	if (text[strspn(text, "+-.0123456789eE")] != '\0')
		return false;
	*number = strtod(text, &end);
	return end != text && *end == '\0';
}

static bool
is_same_day(const char *a, const char *b)
{
	XeroMoment	first;
	XeroMoment	second;

	return xero_moment_parse(a, strlen(a), &first) == XERO_MOMENT_OK &&
		xero_moment_parse(b, strlen(b), &second) == XERO_MOMENT_OK &&
		first.day == second.day;
}

static bool
is_same_scalar(const Value *sent, const Value *stored)
{
	char	   *a = plain_text(sent);
	char	   *b = plain_text(stored);
	double		number;
	double		other;

	if (strcmp(a, b) == 0 || is_same_day(a, b))
		return true;
	if (*b == '\0')
		return strcmp(a, "false") == 0 || (is_number(a, &number) && number == 0);
	if (is_number(a, &number) && is_number(b, &other))
		return fabs(number - other) <= NEARLY;
	return strlen(a) == 36 && pg_strcasecmp(a, b) == 0;
}

/*-------------------------------------------------------------------------
 * All values
 *-------------------------------------------------------------------------
 */

static bool compare_values(Comparison *cmp, const Value *sent,
						   const Value *stored, bool tell);

static char *
show(const Value *value)
{
	int			len;

	if (value->start == NULL)
		return pstrdup("null");
	if (value->len <= MAX_SHOWN)
		return pnstrdup(value->start, value->len);
	len = pg_encoding_mbcliplen(PG_UTF8, value->start, value->len, MAX_SHOWN);
	return psprintf("%.*s...", len, value->start);
}

/* They differ: returns false. */
static bool
differ(Comparison *cmp, const Value *sent, const Value *stored, bool tell)
{
	XeroJsonDifference *difference;

	if (!tell)
		return false;
	difference = palloc(sizeof(XeroJsonDifference));
	difference->path = pstrdup(cmp->path.data);
	difference->sent = show(sent);
	difference->stored = show(stored);
	cmp->differences = lappend(cmp->differences, difference);
	return false;
}

/* To the next element that is more than an empty object. */
static bool
next_full_element(Walk *walk, Value *element)
{
	while (next_element(walk, element))
	{
		if (*element->start != '{' ||
			*xero_skip_space(walk->text, element->start + 1) != '}')
			return true;
	}
	return false;
}

static int
count_elements(XeroJsonText *text, const Value *array)
{
	Walk		walk = begin_walk(text, array);
	Value		element;
	int			count = 0;

	while (next_full_element(&walk, &element))
		count++;
	return count;
}

/* Is each element that was sent in one that came back? */
static bool
is_merged(Comparison *cmp, const Value *sent, const Value *stored)
{
	Walk		walk = begin_walk(&cmp->sent, sent);
	Value		element;
	Value		other;

	while (next_element(&walk, &element))
	{
		Walk		others = begin_walk(&cmp->stored, stored);
		bool		found = false;

		while (!found && next_element(&others, &other))
			found = compare_values(cmp, &element, &other, false);
		if (!found)
			return false;
	}
	return true;
}

static bool
compare_arrays(Comparison *cmp, const Value *sent, const Value *stored,
			   bool merged, bool tell)
{
	const Value none = {NULL, 0};
	Walk		walk = begin_walk(&cmp->sent, sent);
	Walk		others = begin_walk(&cmp->stored, stored);
	Value		element;
	Value		other;
	bool		same = true;

	if (stored->start == NULL || *stored->start != '[')
		return count_elements(&cmp->sent, sent) == 0 ||
			differ(cmp, sent, &none, tell);
	if (merged)
		return is_merged(cmp, sent, stored) || differ(cmp, sent, stored, tell);
	if (count_elements(&cmp->sent, sent) != count_elements(&cmp->stored, stored))
		return differ(cmp, sent, stored, tell);
	for (int i = 1; next_full_element(&walk, &element) &&
		 next_full_element(&others, &other); i++)
	{
		int			len = cmp->path.len;

		appendStringInfo(&cmp->path, "[%d]", i);
		same &= compare_values(cmp, &element, &other, tell);
		cmp->path.len = len;
		cmp->path.data[len] = '\0';
	}
	return same;
}

static bool
compare_objects(Comparison *cmp, const Value *sent, const Value *stored,
				bool tell)
{
	Walk		walk = begin_walk(&cmp->sent, sent);
	Value		name;
	Value		value;
	bool		same = true;

	while (next_member(&walk, &name, &value))
	{
		int			len = cmp->path.len;
		Value		other;

		CHECK_FOR_INTERRUPTS();
		if (is_among(cmp->leniency->unechoed, &name))
			continue;
		other = find_member(&cmp->stored, stored, name.start, name.len);
		if (other.start == NULL && cmp->leniency->partial)
			continue;
		appendStringInfo(&cmp->path, "%s%.*s", len > 0 ? "." : "",
						 (int) name.len, name.start);
		same &= *value.start == '[' ?
			compare_arrays(cmp, &value, &other,
						   is_among(cmp->leniency->merged, &name), tell) :
			compare_values(cmp, &value, &other, tell);
		cmp->path.len = len;
		cmp->path.data[len] = '\0';
	}
	return same;
}

/* Are they the same?  If not, and "tell", that is noted. */
static bool
compare_values(Comparison *cmp, const Value *sent, const Value *stored,
			   bool tell)
{
	check_stack_depth();
	if (*sent->start == '{')
		return compare_objects(cmp, sent, stored, tell);
	if (*sent->start == '[')
		return compare_arrays(cmp, sent, stored, false, tell);
	return is_same_scalar(sent, stored) || differ(cmp, sent, stored, tell);
}

static XeroJsonText
text_of(const char *json)
{
	XeroJsonText text = {json, json + strlen(json), NULL, NULL};

	return text;
}

List *
xero_json_compare(const char *sent, const char *stored,
				  const XeroJsonLeniency *leniency)
{
	Comparison	cmp = {text_of(sent), text_of(stored), leniency};
	Value		whole = {sent, strlen(sent)};
	Value		other = {stored, strlen(stored)};

	initStringInfo(&cmp.path);
	(void) compare_objects(&cmp, &whole, &other, true);
	return cmp.differences;
}

const char *
xero_json_find(const char *object, const char *name, size_t *len)
{
	XeroJsonText text = text_of(object);
	Value		whole = {object, strlen(object)};
	Value		found = find_member(&text, &whole, name, strlen(name));

	*len = found.len;
	return found.start;
}
