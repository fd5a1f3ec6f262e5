/*-------------------------------------------------------------------------
 *
 * markup_test.c
 *	  What words are found in bodies that are not JSON?
 *
 * Link: src/api/http/markup.c src/base/text.c
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <string.h>

#include "api/http/markup.h"
#include "tap.h"

typedef struct WordsCase
{
	const char *what;
	const char *body;
	bool		markup;
	const char *words;			/* blanks squeezed */
} WordsCase;

static const WordsCase cases[] = {
	{"nothing", "", false, ""},
	{"plain text", "The Organisation is offline", false,
	"The Organisation is offline"},
	{"JSON that is broken", "{\"Message\": \"x", false, ""},
	{"a sign of less", "< 5", false, "< 5"},
	{"ApiException",
		"<ApiException xmlns:xsd=\"x\">\r\n  <ErrorNumber>10</ErrorNumber>"
		"<Type>ValidationException</Type>"
		"<Message>A &quot;validation&quot; exception &amp; more</Message>"
		"<Elements/></ApiException>",
	true, "A \"validation\" exception & more"},
	{"XML with a declaration",
		"\xef\xbb\xbf<?xml version=\"1.0\"?><e><message>small</message></e>",
	true, "small"},
	{"a gateway's page",
		"<!DOCTYPE html><HTML><HEAD>\n<TITLE>Access Denied</TITLE>"
		"<style>p { color: red }</style></HEAD><BODY>\n<H1>Access Denied</H1>"
		"<script>alert('<b>')</script>You don't have permission.&nbsp;Reference&#39;s"
		"</BODY></HTML>",
	true, "Access Denied You don't have permission. Reference's"},
	{"a page without a body", "<html><title>502 Bad Gateway</title>", true,
	"502 Bad Gateway"},
	{"an element that does not end", "<Message>cut of", true, "cut of"},
	{"a tag that does not end", "<html><p", true, ""},
	{"a reference that is none", "<p>AT&T &unknown; &", true,
	"AT&T &unknown; &"},
};

static void
squeeze(char *text)
{
	char	   *to = text;

	for (const char *from = text; *from != '\0'; from++)
	{
		bool		blank = *from == ' ' || *from == '\n' || *from == '\r';

		if (blank && (to == text || to[-1] == ' '))
			continue;
		*to++ = blank ? ' ' : *from;
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

int
main(void)
{
	char		words[300];
	char		small[8];

	for (int i = 0; i < lengthof(cases); i++)
	{
		const WordsCase *c = &cases[i];
		size_t		len = strlen(c->body);
		char	   *body = malloc(len + 1); /* so that checks see its end */

		memcpy(body, c->body, len);
		ok(xero_is_markup(body, len) == c->markup, c->what);
		xero_markup_words(body, len, words, sizeof(words));
		squeeze(words);
		ok(strcmp(words, c->words) == 0, c->what);
		xero_markup_words(body, len, small, sizeof(small));
		ok(strlen(small) < sizeof(small), c->what);
		free(body);
	}
	xero_markup_words(NULL, 0, words, sizeof(words));
	ok(words[0] == 0, "no body");
	return done_testing();
}
