/*-------------------------------------------------------------------------
 *
 * markup.h
 *	  Words of bodies that are HTML, XML or plain text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_MARKUP_H
#define XERO_MARKUP_H

#include "compat.h"

/* Does the text begin as HTML and XML do? */
extern bool xero_is_markup(const char *text, size_t len);

/*
 * The words that say what is wrong, cut to "size" with a zero byte at the end:
 * of XML the first Message, of HTML the title and the text, and all of a plain
 * text.  "text" may be NULL, and is not changed.
 */
extern void xero_markup_words(const char *text, size_t len, char *dest,
							  size_t size);

#endif							/* XERO_MARKUP_H */
