/*-------------------------------------------------------------------------
 *
 * markup.c
 *	  Words of bodies that are HTML, XML or plain text.
 *
 * Xero's API answers JSON.  What stands in front of it, and its older parts,
 * also answer HTML (a gateway's "Access Denied"), XML (ApiException) and plain
 * text ("The Organisation is offline").  These words are for a person to read,
 * so nothing is decided by them but hints, and a guess is good enough.  Pure.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/http/markup.h"

#include "base/text.h"

/* A piece of the body. */
typedef struct Piece
{
	const char *at;
	const char *end;
} Piece;

bool
xero_is_markup(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '<')
			return i + 1 < len && (text[i + 1] == '!' || text[i + 1] == '?' ||
								   isalpha((unsigned char) text[i + 1]));
		/* a byte order mark may come first */
		if (!xero_is_blank(text[i]) && !IS_HIGHBIT_SET(text[i]))
			break;
	}
	return false;
}

/* Does a tag begin here that has this name? */
static bool
is_tag(const Piece *piece, const char *name)
{
	size_t		len = strlen(name);

	return piece->end - piece->at > len + 1 && *piece->at == '<' &&
		pg_strncasecmp(piece->at + 1, name, len) == 0 &&
		!isalnum((unsigned char) piece->at[len + 1]);
}

/* Go on behind the next byte of that kind, or to the end. */
static void
skip_behind(Piece *piece, char c)
{
	const char *found = memchr(piece->at, c, piece->end - piece->at);

	piece->at = found ? found + 1 : piece->end;
}

/* What is in the first element of that name; false if there is none. */
static bool
find_element(Piece piece, const char *name, Piece *content)
{
	char		closing[32];

	snprintf(closing, sizeof(closing), "/%s", name);
	for (; piece.at < piece.end; piece.at++)
	{
		if (!is_tag(&piece, name))
			continue;
		skip_behind(&piece, '>');
		content->at = piece.at;
		while (piece.at < piece.end && !is_tag(&piece, closing))
			piece.at++;
		content->end = piece.at;
		return true;
	}
	return false;
}

/* The character that a reference means, if it is one of the usual ones. */
static char
take_reference(Piece *piece)
{
	static const struct
	{
		const char *name;
		char		c;
	}			references[] =
	{
		{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'},
		{"&apos;", '\''}, {"&#39;", '\''}, {"&nbsp;", ' '},
	};

	for (int i = 0; i < lengthof(references); i++)
	{
		size_t		len = strlen(references[i].name);

		if (piece->end - piece->at >= len &&
			strncmp(piece->at, references[i].name, len) == 0)
		{
			piece->at += len;
			return references[i].c;
		}
	}
	piece->at++;
	return '&';
}

/* Append the text between the tags; each of these is a blank. */
static void
append_words(Piece piece, char *dest, size_t size)
{
	size_t		n = strlen(dest);

	while (piece.at < piece.end && n + 1 < size)
	{
		Piece		unseen;

		if (*piece.at == '&')
			dest[n++] = take_reference(&piece);
		else if (*piece.at != '<')
			dest[n++] = *piece.at++;
		else
		{
			if (is_tag(&piece, "style") && find_element(piece, "style", &unseen))
				piece.at = unseen.end;
			else if (is_tag(&piece, "script") &&
					 find_element(piece, "script", &unseen))
				piece.at = unseen.end;
			skip_behind(&piece, '>');
			dest[n++] = ' ';
		}
	}
	dest[n] = '\0';
}

void
xero_markup_words(const char *text, size_t len, char *dest, size_t size)
{
	Piece		body = {text, text + len};
	Piece		content;

	dest[0] = '\0';
	if (text == NULL)
		return;
	if (!xero_is_markup(text, len))
	{
		/* JSON that cannot be read has no words for a person */
		if (len > 0 && (*text == '{' || *text == '['))
			return;
		len = Min(len, size - 1);
		memcpy(dest, text, len);
		dest[len] = '\0';
		return;
	}
	if (find_element(body, "Message", &content))
		append_words(content, dest, size);
	else if (find_element(body, "body", &content))
		append_words(content, dest, size);
	else
		append_words(body, dest, size);
}
