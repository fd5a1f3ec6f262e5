/*-------------------------------------------------------------------------
 *
 * text.h
 *	  C strings: small questions that several layers ask.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TEXT_H
#define XERO_TEXT_H

#include "compat.h"

/* White space as JSON has it. */
static inline bool
xero_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of a hexadecimal digit; -1 if it is none. */
static inline int
xero_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Either may be NULL, which equals NULL only. */
static inline bool
xero_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* A copy in CurrentMemoryContext; of NULL, NULL. */
static inline char *
xero_copy_text(const char *text)
{
	return text == NULL ? NULL : pstrdup(text);
}

/*
 * Characters that are read in place of one that PostgreSQL cannot store, in
 * UTF-8: U+FFFD, which may be Xero's own, too, and for syncs U+FDD0.
 */
#define XERO_REPLACEMENT	"\xEF\xBF\xBD"
#define XERO_BAD_TEXT_MARK	"\xEF\xB7\x90"

/* Is the word of "len" bytes among those that blanks separate? */
extern bool xero_has_word(const char *words, const char *word, size_t len);

/* Does the text contain the words, in any casing of ASCII? */
extern bool xero_contains(const char *text, const char *words);

/* Printable ASCII without blanks, and not empty: fit for a header. */
extern bool xero_is_graphic(const char *text);

#endif							/* XERO_TEXT_H */
