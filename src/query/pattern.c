/*-------------------------------------------------------------------------
 *
 * pattern.c
 *	  What patterns say of a text.
 *
 * Where case does not matter, all that is taken from a pattern is a piece that
 * each matching text contains, in whatever case.  Only in ASCII both sides are
 * certain to agree about case.  So a piece ends at any other character, and at
 * i and k, which are the lower case of letters beyond ASCII, too (U+0130,
 * U+212A); of a text in capitals also at s, as I and S are those of others
 * (U+0131, U+017F); and at what cannot be sent.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/pattern.h"

#include "lib/stringinfo.h"

/* A shorter piece is in too many texts. */
#define MIN_PIECE	3

void
xero_read_pattern(const char *text, XeroPattern *pattern)
{
	StringInfoData piece;

	memset(pattern, 0, sizeof(XeroPattern));
	pattern->prefix = pattern->suffix = pattern->inner = "";
	initStringInfo(&piece);
	for (const char *c = text; *c; c++)
	{
		if (*c != '%' && *c != '_')
		{
			if (*c == '\\' && *++c == '\0')
				return;			/* PostgreSQL raises an error for it */
			appendStringInfoChar(&piece, *c);
			continue;
		}
		if (!pattern->wild)
			pattern->prefix = pstrdup(piece.data);
		else if (piece.len > strlen(pattern->inner))
			pattern->inner = pstrdup(piece.data);
		pattern->wild = true;
		resetStringInfo(&piece);
	}
	pattern->suffix = piece.data;
	pattern->valid = true;
}

typedef struct Pieces
{
	const char *ends;			/* what ends a piece, in lower case */
	StringInfoData current;
	char	   *longest;
} Pieces;

static void
end_piece(Pieces *pieces)
{
	if (pieces->current.len > strlen(pieces->longest))
		pieces->longest = pstrdup(pieces->current.data);
	resetStringInfo(&pieces->current);
}

static void
add_character(Pieces *pieces, char c)
{
	c = pg_ascii_tolower((unsigned char) c);
	if (c < ' ' || c > '~' || strchr(pieces->ends, c) != NULL)
		end_piece(pieces);
	else
		appendStringInfoChar(&pieces->current, c);
}

static void
read_like(Pieces *pieces, const char *pattern)
{
	for (const char *c = pattern; *c; c++)
	{
		if (*c == '%' || *c == '_')
			end_piece(pieces);
		else if (*c != '\\' || *++c != '\0')
			add_character(pieces, *c);
		else
			return;
	}
}

/*
 * Reads up to what might mean something else than it seems to.  Nothing is
 * certain if there are alternatives or options.
 */
static void
read_regex(Pieces *pieces, const char *regex)
{
	if (strchr(regex, '|') != NULL || strstr(regex, "(?") != NULL ||
		strncmp(regex, "***", 3) == 0)
		return;
	for (const char *c = regex; *c; c++)
	{
		switch (*c)
		{
			case '[':
			case '(':
			case '{':
				if (*c == '{' && pieces->current.len > 0)
					pieces->current.data[--pieces->current.len] = '\0';
				return;
			case '*':
			case '?':
				if (pieces->current.len > 0)
					pieces->current.data[--pieces->current.len] = '\0';
				end_piece(pieces);
				break;
			case '+':
			case '.':
			case '^':
			case '$':
				end_piece(pieces);
				break;
			case '\\':
				c++;
				if (*c == '\0' || isalnum((unsigned char) *c))
					return;
				/* FALLTHROUGH */
			default:
				add_character(pieces, *c);
				break;
		}
	}
}

/*
 * The longest piece, in lower case, of what a condition of such a kind asks
 * for, or NULL if there is none that is worth sending.
 */
char *
xero_folded_piece(XeroConditionKind kind, const char *value)
{
	Pieces		pieces;

	initStringInfo(&pieces.current);
	pieces.longest = "";
	pieces.ends = kind == XERO_COND_CAPITALS || kind == XERO_COND_CAPITALS_LIKE ?
		"iks[\"\\" : "ik[\"\\";
	if (kind == XERO_COND_FOLDED_LIKE || kind == XERO_COND_CAPITALS_LIKE)
		read_like(&pieces, value);
	else if (kind == XERO_COND_FOLDED_REGEX)
		read_regex(&pieces, value);
	else
	{
		for (const char *c = value; *c; c++)
			add_character(&pieces, *c);
	}
	end_piece(&pieces);
	return strlen(pieces.longest) < MIN_PIECE ? NULL : pieces.longest;
}
