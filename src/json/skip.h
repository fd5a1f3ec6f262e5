/*-------------------------------------------------------------------------
 *
 * skip.h
 *	  Jumping over JSON that nobody wants.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SKIP_H
#define XERO_SKIP_H

#include "compat.h"

/* Objects and arrays inside each other, counted from the whole text. */
#define XERO_MAX_NESTING	64

/*
 * The text being read.  "end" points to a NUL.  After a function returned
 * NULL, "problem" is a sentence that says what is wrong and "where" a place
 * at or shortly before the fault.
 */
typedef struct XeroJsonText
{
	const char *begin;
	const char *end;
	const char *problem;
	const char *where;
} XeroJsonText;

extern const char *xero_json_fault(XeroJsonText *text, const char *where,
								   const char *problem);
extern const char *xero_skip_blanks(const XeroJsonText *text, const char *p);
extern const char *xero_skip_string(XeroJsonText *text, const char *p);
extern const char *xero_skip_value(XeroJsonText *text, const char *p,
								   int depth);

/* To the next byte that is not JSON whitespace; at the end, the NUL. */
static inline const char *
xero_skip_space(const XeroJsonText *text, const char *p)
{
	return (unsigned char) *p > ' ' ? p : xero_skip_blanks(text, p);
}

#endif							/* XERO_SKIP_H */
