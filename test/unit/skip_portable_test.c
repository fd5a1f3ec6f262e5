/*
 * skip_portable_test.c
 *	  The same for the way that needs no SSE2.
 *
 * Link: -DXERO_SKIP_PORTABLE src/json/skip.c
 */
#include "skip_test.c"
