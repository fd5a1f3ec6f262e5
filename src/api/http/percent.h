/*-------------------------------------------------------------------------
 *
 * percent.h
 *	  Percent-encoding of queries and forms.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PERCENT_H
#define XERO_PERCENT_H

#include "compat.h"

#include "lib/stringinfo.h"

/* "name=value", encoded, with & before it if it is not the first. */
extern void xero_append_parameter(StringInfo form, const char *name,
								  const char *value);

/* "len" characters decoded; what is not well-formed stays as it is. */
extern void xero_append_decoded(StringInfo out, const char *text, size_t len);

#endif							/* XERO_PERCENT_H */
