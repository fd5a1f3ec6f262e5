/*-------------------------------------------------------------------------
 *
 * urlencode.h
 *	  Percent-encoding, of URLs and forms.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_URLENCODE_H
#define XERO_URLENCODE_H

#include "compat.h"

#include "lib/stringinfo.h"

/* Besides letters and digits, what RFC 3986 leaves as it is. */
#define XERO_UNRESERVED "-._~"

/* Encoded, but for letters, digits, and what "plain" names. */
extern void xero_append_encoded(StringInfo out, const char *text,
								const char *plain);

/* "name=value", encoded, with & before it if it is not the first. */
extern void xero_append_parameter(StringInfo form, const char *name,
								  const char *value);

/* "len" characters decoded; what is not well-formed stays as it is. */
extern void xero_append_decoded(StringInfo out, const char *text, size_t len);

#endif							/* XERO_URLENCODE_H */
