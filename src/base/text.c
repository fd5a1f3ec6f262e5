/*-------------------------------------------------------------------------
 *
 * text.c
 *	  C strings: small questions that several layers ask.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "base/text.h"

bool
xero_has_word(const char *words, const char *word, size_t len)
{
	for (const char *p = words; *p != '\0';)
	{
		size_t		n = strcspn(p, " ");

		if (n == len && strncmp(p, word, len) == 0)
			return true;
		p += n;
		p += strspn(p, " ");
	}
	return false;
}

bool
xero_is_graphic(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
	{
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	}
	return text[0] != '\0';
}

bool
xero_contains(const char *text, const char *words)
{
	size_t		len = strlen(words);

	for (; *text != '\0'; text++)
	{
		if (pg_strncasecmp(text, words, len) == 0)
			return true;
	}
	return false;
}
