/*-------------------------------------------------------------------------
 *
 * assert.c
 *	  The unit tests' assertions, which are on whatever the server's are, and
 *	  their errors.
 *
 * Linked with every unit test.  A broken assertion ends the program, and prove
 * counts that as a failure.  So does an error: no test expects one.
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

bool
errstart(int elevel, const char *domain)
{
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return true;
}

int
errcode(int sqlerrcode)
{
	return 0;
}

int
errmsg(const char *format,...)
{
	fprintf(stderr, "error: %s\n", format);
	return 0;
}

int
errdetail(const char *format,...)
{
	return 0;
}

void
errfinish(const char *file, int line, const char *function)
{
	abort();
}
