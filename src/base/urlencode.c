/*-------------------------------------------------------------------------
 *
 * urlencode.c
 *	  Percent-encoding, of URLs and forms.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "base/text.h"
#include "base/urlencode.h"

void
xero_append_encoded(StringInfo out, const char *text, const char *plain)
{
	for (const char *p = text; *p != '\0'; p++)
	{
		unsigned char c = *p;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || strchr(plain, c) != NULL)
			appendStringInfoChar(out, c);
		else
			appendStringInfo(out, "%%%02X", c);
	}
}

void
xero_append_parameter(StringInfo form, const char *name, const char *value)
{
	appendStringInfo(form, "%s%s=", form->len > 0 ? "&" : "", name);
	xero_append_encoded(form, value, XERO_UNRESERVED);
}

void
xero_append_decoded(StringInfo out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		int			high = text[i] == '%' && i + 2 < len ?
		xero_hex_value(text[i + 1]) : -1;
		int			low = high >= 0 ? xero_hex_value(text[i + 2]) : -1;

		if (low >= 0)
		{
			appendStringInfoChar(out, (char) (high << 4 | low));
			i += 2;
		}
		else
			appendStringInfoChar(out, text[i] == '+' ? ' ' : text[i]);
	}
}
