/*-------------------------------------------------------------------------
 *
 * percent.c
 *	  Percent-encoding of queries and forms.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/http/percent.h"

/* Letters, digits and what else RFC 3986 leaves as it is; in any locale. */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
}

void
xero_append_parameter(StringInfo form, const char *name, const char *value)
{
	appendStringInfo(form, "%s%s=", form->len > 0 ? "&" : "", name);
	for (const char *p = value; *p != '\0'; p++)
	{
		if (is_unreserved(*p))
			appendStringInfoChar(form, *p);
		else
			appendStringInfo(form, "%%%02X", (unsigned char) *p);
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void
xero_append_decoded(StringInfo out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		int			high = text[i] == '%' && i + 2 < len ?
		hex_value(text[i + 1]) : -1;
		int			low = high >= 0 ? hex_value(text[i + 2]) : -1;

		if (low >= 0)
		{
			appendStringInfoChar(out, (char) (high << 4 | low));
			i += 2;
		}
		else
			appendStringInfoChar(out, text[i] == '+' ? ' ' : text[i]);
	}
}
