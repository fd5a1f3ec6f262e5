/*
 * skip_portable.c
 *	  skip.c once more, in the way that needs no SSE2, under other names.
 */
#define XERO_SKIP_PORTABLE
#define xero_json_fault portable_json_fault
#define xero_skip_blanks portable_skip_blanks
#define xero_skip_string portable_skip_string
#define xero_skip_value portable_skip_value

#include "json/skip.c"
