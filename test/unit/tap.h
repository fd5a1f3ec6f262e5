/*-------------------------------------------------------------------------
 *
 * tap.h
 *	  What a unit test prints, for prove: a line a check, and their number.
 *
 * prove passes on comments only, so they say which check failed, and why.
 *
 * Comes after the server's headers, which put printf of their own in place of
 * the C library's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TAP_H
#define XERO_TAP_H

#include <stdio.h>

#undef printf
#undef snprintf

static int	tap_tests = 0;
static int	tap_failed = 0;

static inline void
ok(bool holds, const char *what)
{
	tap_tests++;
	printf("%s %d - %s\n", holds ? "ok" : "not ok", tap_tests, what);
	if (holds)
		return;
	tap_failed++;
	printf("# failed: %s\n", what);
}

static inline void
is(int64 found, int64 expected, const char *what)
{
	ok(found == expected, what);
	if (found != expected)
		printf("# found %lld, expected %lld\n", (long long) found,
			   (long long) expected);
}

/* What main() returns. */
static inline int
done_testing(void)
{
	printf("1..%d\n", tap_tests);
	return tap_failed == 0 ? 0 : 1;
}

#endif							/* XERO_TAP_H */
