/*-------------------------------------------------------------------------
 *
 * compare_fuzz.c
 *	  What came back of an object, compared with what was sent.
 *
 * Input: what was sent, a line; what came back.
 *
 * Link: src/json/compare.c src/json/moment.c src/json/skip.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "json/compare.h"
#include "json/skip.h"

typedef struct Case
{
	const char *sent;
	const char *stored;
} Case;

/* An object as the reader leaves it: looked at for its brackets only. */
static bool
is_object(const char *s)
{
	XeroJsonText text = {s, s + strlen(s), NULL, NULL};

	return *s == '{' && xero_skip_value(&text, s, 0) == text.end;
}

static void
compare(void *arg)
{
	static const XeroJsonLeniency leniency = {"a|b", "c"};
	Case	   *c = arg;
	ListCell   *lc;

	foreach(lc, xero_json_compare(c->sent, c->stored, &leniency))
	{
		XeroJsonDifference *difference = lfirst(lc);

		fuzz_must(*difference->sent != '\0' && *difference->stored != '\0');
	}
}

void
fuzz_one(FuzzInput *in)
{
	Case		c;
	size_t		len;
	const char *member;

	c.sent = fuzz_line(in);
	c.stored = fuzz_rest(in, &len);
	if (strlen(c.stored) != len || !is_object(c.sent) || !is_object(c.stored))
		return;
	fuzz_must(fuzz_run(compare, &c) == 0);
	member = xero_json_find(c.stored, "a", &len);
	fuzz_must(member == NULL || (member > c.stored &&
								 member + len < c.stored + strlen(c.stored)));
}
