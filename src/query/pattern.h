/*-------------------------------------------------------------------------
 *
 * pattern.h
 *	  What patterns say of a text.  Private to src/query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PATTERN_H
#define XERO_PATTERN_H

#include "compat.h"

#include "query/condition.h"

/*
 * A LIKE pattern: what it says of the beginning and the end of the text, or
 * else the longest piece of what lies between.
 */
typedef struct XeroPattern
{
	char	   *prefix;			/* "" for none */
	char	   *suffix;
	char	   *inner;
	bool		wild;			/* has a wildcard at all */
	bool		valid;
} XeroPattern;

extern void xero_read_pattern(const char *text, XeroPattern *pattern);
extern char *xero_folded_piece(XeroConditionKind kind, const char *value);

#endif							/* XERO_PATTERN_H */
