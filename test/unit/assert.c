/*-------------------------------------------------------------------------
 *
 * assert.c
 *	  The unit tests' assertions, which are on whatever the server's are.
 *
 * Linked with every unit test.  A broken assertion ends the program, and prove
 * counts that as a failure.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <stdio.h>
#include <stdlib.h>

#undef fprintf

#if PG_VERSION_NUM >= 160000
void
ExceptionalCondition(const char *condition, const char *file, int line)
#else
void
ExceptionalCondition(const char *condition, const char *kind,
					 const char *file, int line)
#endif
{
	fprintf(stderr, "%s:%d: assertion does not hold: %s\n", file, line, condition);
	abort();
}
