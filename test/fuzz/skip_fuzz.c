/*-------------------------------------------------------------------------
 *
 * skip_fuzz.c
 *	  The jump over any text, with SSE2 and without.
 *
 * Input: depth, text.
 *
 * Link: src/json/skip.c test/fuzz/skip_portable.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "json/skip.h"

extern const char *portable_skip_value(XeroJsonText *text, const char *p,
									   int depth);
extern const char *portable_skip_blanks(const XeroJsonText *text,
										const char *p);

void
fuzz_one(FuzzInput *in)
{
	int			depth = fuzz_pick(in, XERO_MAX_NESTING + 1);
	size_t		len;
	char	   *s = fuzz_rest(in, &len);
	XeroJsonText text = {s, s + len, NULL, NULL};
	XeroJsonText portable_text = text;
	const char *p = xero_skip_blanks(&text, s);
	const char *end;

	fuzz_must(p == portable_skip_blanks(&text, s) && p >= s && p <= text.end);
	end = xero_skip_value(&text, p, depth);
	fuzz_must(portable_skip_value(&portable_text, p, depth) == end);
	if (end != NULL)
		fuzz_must(end > p && end <= text.end);
	else
		fuzz_must(text.problem != NULL && text.where >= p &&
				  text.where <= text.end &&
				  text.where == portable_text.where &&
				  strcmp(text.problem, portable_text.problem) == 0);
}
