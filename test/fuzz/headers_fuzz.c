/*-------------------------------------------------------------------------
 *
 * headers_fuzz.c
 *	  Any lines as the headers of an answer.
 *
 * The function is curl's callback, which http.c keeps to itself.  Nothing of
 * what the rest of that file calls is linked.
 *
 * Input: lines.
 *
 * Link: -lcurl -no-pie -Wl,--unresolved-symbols=ignore-all
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "api/http/http.c"

/* Is it a string, of printable ASCII? */
static bool
is_clean(const char *text, size_t size)
{
	size_t		len = strnlen(text, size);

	for (size_t i = 0; i < len; i++)
	{
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return len < size;
}

#define IS_CLEAN(member) is_clean(result->member, sizeof(result->member))

void
fuzz_one(FuzzInput *in)
{
	XeroHttp	http = {0};
	XeroHttpResult *result = &http.result;

	forget_answer(result);
	while (in->left > 0)
	{
		const char *end = memchr(in->at, '\n', in->left);
		size_t		len = end != NULL ? end + 1 - in->at : in->left;
		char	   *line = palloc(len);

		/* curl's lines do not end with a zero byte */
		memcpy(line, in->at, len);
		fuzz_must(take_header(line, 1, len, &http) == len);
		pfree(line);
		in->at += len;
		in->left -= len;
	}
	fuzz_must(IS_CLEAN(content_type) && IS_CLEAN(correlation_id) &&
			  IS_CLEAN(authenticate) && IS_CLEAN(problem));
	fuzz_must(result->retry_after >= -1 && result->minute_remaining >= -1 &&
			  result->day_remaining >= -1 &&
			  result->app_minute_remaining >= -1);
}
