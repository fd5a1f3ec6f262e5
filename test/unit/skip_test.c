/*-------------------------------------------------------------------------
 *
 * skip_test.c
 *	  Does the fast skip over JSON stop where a slow one stops?
 *
 * Every text lies in memory of exactly its size, so that the address checker
 * sees a read beyond the end.  Random texts and random damage to them are
 * compared with a skipper that looks at one byte after the other.
 *
 * Link: src/json/skip.c
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "json/skip.h"
#include "tap.h"

/* How far the skip goes in a copy of the text: -1 for a fault. */
static long
skip(const char *s, size_t len, int depth)
{
	char	   *copy = malloc(len + 1);
	XeroJsonText text = {copy, copy + len, NULL, NULL};
	const char *end;
	long		result = -1;

	memcpy(copy, s, len);
	copy[len] = '\0';
	end = xero_skip_value(&text, copy, depth);
	if (end != NULL)
		result = end - copy;
	else if (text.problem == NULL || text.where < copy ||
			 text.where > copy + len)
		result = -2;			/* a fault without reason or place */
	free(copy);
	return result;
}

static void
goes_to(const char *s, long expected, const char *what)
{
	long		found = skip(s, strlen(s), 0);

	is(found, expected, what);
}

/*-------------------------------------------------------------------------
 * The slow one
 *-------------------------------------------------------------------------
 */

static long
slow_container(const char *s, size_t len, int depth)
{
	char		open[XERO_MAX_NESTING];
	int			level = 0;
	bool		in_string = false;

	for (size_t i = 0; i < len; i++)
	{
		char		c = s[i];

		if (in_string)
		{
			if ((unsigned char) c < 0x20)
				return -1;
			if (c == '"')
				in_string = false;
			else if (c == '\\' && ++i < len && (unsigned char) s[i] < 0x20)
				return -1;
		}
		else if (c == '"')
			in_string = true;
		else if (c == '\\')
			return -1;
		else if (c == '{' || c == '[')
		{
			if (depth + level >= XERO_MAX_NESTING)
				return -1;
			open[level++] = c;
		}
		else if (c == '}' || c == ']')
		{
			if (open[--level] != (c == '}' ? '{' : '['))
				return -1;
			if (level == 0)
				return i + 1;
		}
	}
	return -1;
}

/*-------------------------------------------------------------------------
 * Random texts
 *-------------------------------------------------------------------------
 */

static uint64 seed = 42;

static unsigned
pick(unsigned n)
{
	seed = seed * UINT64CONST(6364136223846793005) + 1442695040888963407;
	return (seed >> 33) % n;
}

static char buffer[20000];
static size_t used;

static void
put(const char *s)
{
	size_t		len = strlen(s);

	if (used + len < sizeof(buffer))
	{
		memcpy(buffer + used, s, len);
		used += len;
	}
}

static void
put_space(void)
{
	static const char *const spaces[] = {"", " ", "\r\n", "\t", "\r\n      ",
	"\r\n                                                                  "};

	put(spaces[pick(lengthof(spaces))]);
}

static void
put_string(void)
{
	static const char *const parts[] = {"a", "Contact", "\\\"", "\\\\", "\\/",
		"\\u00e9", "{", "}", "[", "]", ",", ":", "\xc3\xa9", "\\\\\\\"", " ",
	"long text without anything to stop at, as descriptions of goods are"};

	put("\"");
	for (int n = pick(6); n > 0; n--)
		put(parts[pick(lengthof(parts))]);
	put("\"");
}

static void
put_value(int depth)
{
	static const char *const scalars[] = {"0", "-1.50", "12e+3", "true",
	"false", "null", "1234567890.1234"};
	unsigned	kind = pick(depth > 5 ? 2 : 4);

	if (kind == 0)
		put(scalars[pick(lengthof(scalars))]);
	else if (kind == 1)
		put_string();
	else
	{
		put(kind == 2 ? "{" : "[");
		for (int n = pick(5); n > 0; n--)
		{
			put_space();
			if (kind == 2)
			{
				put_string();
				put_space();
				put(":");
				put_space();
			}
			put_value(depth + 1);
			put_space();
			if (n > 1)
				put(",");
		}
		put(kind == 2 ? "}" : "]");
	}
}

static void
compare_random(void)
{
	int			wrong = 0;
	int			broken = 0;
	int			whole = 0;

	for (int round = 0; round < 20000; round++)
	{
		static const char damage[] = "\"\\{}[]\n\001 ,";
		size_t		len;
		long		expected;
		long		found;

		used = 0;
		put(pick(2) ? "{\"a\":" : "[");
		put_value(0);
		put(buffer[0] == '{' ? "}" : "]");
		put(",\"next\":1}");
		len = used;
		if (round % 2 == 1)
		{
			if (pick(3) == 0)
				len = 1 + pick(len);
			else
				buffer[1 + pick(len - 1)] = damage[pick(sizeof(damage) - 1)];
		}
		expected = slow_container(buffer, len, 0);
		found = skip(buffer, len, 0);
		if (expected < 0)
			broken++;
		else
			whole++;
		if (found != expected && wrong++ < 5)
			printf("# %.*s: stopped at %ld, should at %ld\n", (int) len,
				   buffer, found, expected);
	}
	ok(wrong == 0, "random containers");
	ok(whole > 10000 && broken > 1000,
	   "among them are many whole and many broken ones");
}

/* A string of every length, with every stop at its every place. */
static void
strings_of_all_lengths(void)
{
	bool		holds = true;

	for (int len = 0; len < 200; len++)
	{
		memset(buffer, 'x', len + 2);
		buffer[0] = '"';
		buffer[len + 1] = '"';
		holds &= skip(buffer, len + 2, 0) == len + 2;
		holds &= skip(buffer, len + 1, 0) == -1;
		for (int i = 1; i < len; i++)
		{
			char		other = buffer[i + 1];

			buffer[i] = '\\';
			buffer[i + 1] = '"';
			holds &= skip(buffer, len + 2, 0) == (i + 1 <= len ? len + 2 : -1);
			buffer[i] = 'x';
			holds &= skip(buffer, len + 2, 0) == i + 2;
			buffer[i + 1] = '\n';
			holds &= skip(buffer, len + 2, 0) == -1;
			buffer[i + 1] = other;
		}
	}
	ok(holds, "strings of all lengths");
}

static void
spaces_of_all_lengths(void)
{
	bool		holds = true;

	for (int len = 0; len < 100; len++)
	{
		for (int rest = 0; rest < 20; rest++)
		{
			char	   *copy = malloc(len + rest + 1);
			XeroJsonText text = {copy, copy + len + rest, NULL, NULL};

			for (int i = 0; i < len; i++)
				copy[i] = " \t\r\n"[i % 4];
			memset(copy + len, rest % 2 ? '1' : '\001', rest);
			copy[len + rest] = '\0';
			holds &= xero_skip_space(&text, copy) == copy + len;
			free(copy);
		}
	}
	ok(holds, "spaces of all lengths");
}

static void
nesting(void)
{
	bool		holds = true;

	for (int depth = 1; depth < 200; depth++)
	{
		memset(buffer, '[', depth);
		memset(buffer + depth, ']', depth);
		holds &= skip(buffer, 2 * depth, 0) ==
			(depth <= XERO_MAX_NESTING ? 2 * depth : -1);
		holds &= skip(buffer, 2 * depth, 10) ==
			(depth + 10 <= XERO_MAX_NESTING ? 2 * depth : -1);
	}
	ok(holds, "nesting is bounded");
}

int
main(void)
{
	goes_to("0,", 1, "zero");
	goes_to("01", 1, "nothing follows a zero");
	goes_to("-12.50]", 6, "a negative fraction");
	goes_to("1e5}", 3, "an exponent");
	goes_to("1E-05 ", 5, "a negative exponent");
	goes_to("1.", -1, "no digit after the point");
	goes_to(".5", -1, "no digit before the point");
	goes_to("-", -1, "a lone sign");
	goes_to("1e", -1, "an exponent without digits");
	goes_to("+1", -1, "a plus sign");
	goes_to("NaN", -1, "not a number");
	goes_to("true,", 4, "true");
	goes_to("false", 5, "false");
	goes_to("null}", 4, "null");
	goes_to("nul", -1, "half of null");
	goes_to("True", -1, "literals in another case");
	goes_to("", -1, "nothing");
	goes_to("<html>", -1, "HTML");
	goes_to("}", -1, "a closing brace");
	goes_to("\"a\\\\\"b", 5, "a quote after an escaped backslash");
	goes_to("\"\\", -1, "a backslash at the end");
	goes_to("{\"a\":[1,{}]}x", 12, "a container");
	goes_to("[}", -1, "brackets that do not match");
	goes_to("{\"a\":\"}", -1, "a brace in an unterminated string");
	goes_to("[\"\t\"]", -1, "a tab in a string in a container");
	goes_to("[1]\"\001\"", 3, "a fault behind the value is not its own");
	strings_of_all_lengths();
	spaces_of_all_lengths();
	nesting();
	compare_random();
	return done_testing();
}
