/*-------------------------------------------------------------------------
 *
 * skip.c
 *	  Jumping over JSON that nobody wants.
 *
 * Most of a page is whitespace and values of columns that no query asked for,
 * so this file decides how fast a page is read.  It replaces json_lex(), which
 * looks at every byte by itself, for finding where things end; what a wanted
 * value means is still settled by PostgreSQL's own code (see convert.c).
 *
 * Objects and arrays are passed over in blocks of 64 bytes: one bit per byte
 * says where quotes, backslashes and brackets are, a prefix XOR over the
 * quotes gives the bytes inside strings, and only brackets outside strings
 * are looked at one by one.  The bits come from SSE2 where there is SSE2, and
 * else from plain 64-bit arithmetic.
 *
 * What is checked of a skipped value: scalars fully except for the letters
 * after a backslash; containers for matching brackets, terminated strings, no
 * raw control characters in strings, no backslashes outside, and nesting.  Commas and colons inside a
 * skipped container are not checked.
 *
 * No function here allocates, raises an error, or calls anything of the
 * server, so the file can be tested and fuzzed alone.  All rely on the NUL at
 * text->end and never read beyond it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "base/text.h"
#include "json/skip.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"

#if defined(__SSE2__) && !defined(XERO_SKIP_PORTABLE)
#include <emmintrin.h>
#define XERO_SKIP_SSE2
#endif

#define BLOCK_SIZE	64

/* One bit per byte of a block, the first byte's bit lowest. */
typedef struct BlockBits
{
	uint64		quotes;
	uint64		backslashes;
	uint64		brackets;		/* of all four kinds */
	uint64		controls;		/* bytes below 0x20 */
} BlockBits;

/* Note what is wrong, and where.  Returns NULL for the caller to return. */
const char *
xero_json_fault(XeroJsonText *text, const char *where, const char *problem)
{
	text->where = where;
	text->problem = problem;
	return NULL;
}

#ifdef XERO_SKIP_SSE2

static inline uint64
equal_bits(__m128i bytes, char c)
{
	return (uint64) _mm_movemask_epi8(_mm_cmpeq_epi8(bytes,
													 _mm_set1_epi8(c)));
}

static inline uint64
control_bits(__m128i bytes)
{
	__m128i		lower = _mm_min_epu8(bytes, _mm_set1_epi8(0x1f));

	return (uint64) _mm_movemask_epi8(_mm_cmpeq_epi8(lower, bytes));
}

static inline void
read_block(const char *p, BlockBits *bits)
{
	memset(bits, 0, sizeof(BlockBits));
	for (int i = 0; i < BLOCK_SIZE; i += 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) (p + i));

		/* [ and { differ in this bit only, as do ] and } */
		__m128i		folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
		__m128i		opening = _mm_cmpeq_epi8(folded, _mm_set1_epi8('{'));
		__m128i		closing = _mm_cmpeq_epi8(folded, _mm_set1_epi8('}'));
		uint64		brackets = _mm_movemask_epi8(_mm_or_si128(opening, closing));

		bits->quotes |= equal_bits(bytes, '"') << i;
		bits->backslashes |= equal_bits(bytes, '\\') << i;
		bits->brackets |= brackets << i;
		bits->controls |= control_bits(bytes) << i;
	}
}

#else

#define EVERY_BYTE(c)	(UINT64CONST(0x0101010101010101) * (unsigned char) (c))

static inline uint64
load_word(const char *p)
{
	uint64		word;

	memcpy(&word, p, sizeof(word));
#ifdef WORDS_BIGENDIAN
	word = pg_bswap64(word);
#endif
	return word;
}

/* The high bit of every byte that is zero, exactly. */
static inline uint64
zero_bytes(uint64 word)
{
	uint64		low = EVERY_BYTE(0x7f);

	return ~(((word & low) + low) | word | low);
}

/* Gather the bytes' high bits into the lowest eight bits. */
static inline uint64
gather(uint64 high_bits)
{
	return ((high_bits >> 7) * UINT64CONST(0x0102040810204080)) >> 56;
}

static inline uint64
equal_bytes(uint64 word, char c)
{
	return zero_bytes(word ^ EVERY_BYTE(c));
}

static inline uint64
control_bytes(uint64 word)
{
	return zero_bytes(word & EVERY_BYTE(0xe0));
}

static inline void
read_block(const char *p, BlockBits *bits)
{
	memset(bits, 0, sizeof(BlockBits));
	for (int i = 0; i < BLOCK_SIZE; i += 8)
	{
		uint64		word = load_word(p + i);

		/* [ and { differ in this bit only, as do ] and } */
		uint64		folded = word | EVERY_BYTE(0x20);

		bits->quotes |= gather(equal_bytes(word, '"')) << i;
		bits->backslashes |= gather(equal_bytes(word, '\\')) << i;
		bits->brackets |= gather(equal_bytes(folded, '{') |
								 equal_bytes(folded, '}')) << i;
		bits->controls |= gather(control_bytes(word)) << i;
	}
}

#endif

/* xero_skip_space()'s slow half: there is something to skip, or the end. */
const char *
xero_skip_blanks(const XeroJsonText *text, const char *p)
{
#ifdef XERO_SKIP_SSE2
	while (text->end - p >= 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) p);
		uint64		blanks = equal_bits(bytes, ' ') | equal_bits(bytes, '\n') |
		equal_bits(bytes, '\r') | equal_bits(bytes, '\t');

		if (blanks != 0xffff)
			return p + pg_rightmost_one_pos64(~blanks);
		p += 16;
	}
#endif
	while (xero_is_blank(*p))
		p++;
	return p;
}

/* The first quote, backslash or control character from p on. */
static inline const char *
string_stop(const XeroJsonText *text, const char *p)
{
#ifdef XERO_SKIP_SSE2
	while (text->end - p >= 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) p);
		uint64		stops = equal_bits(bytes, '"') |
		equal_bits(bytes, '\\') | control_bits(bytes);

		if (stops != 0)
			return p + pg_rightmost_one_pos64(stops);
		p += 16;
	}
#else
	while (text->end - p >= 8)
	{
		uint64		word = load_word(p);
		uint64		stops = equal_bytes(word, '"') |
		equal_bytes(word, '\\') | control_bytes(word);

		if (stops != 0)
			return p + pg_rightmost_one_pos64(stops) / 8;
		p += 8;
	}
#endif
	while (*p != '"' && *p != '\\' && (unsigned char) *p >= 0x20)
		p++;
	return p;
}

/* From a string's opening quote to behind its closing one, or NULL. */
const char *
xero_skip_string(XeroJsonText *text, const char *p)
{
	const char *start = p++;

	for (;;)
	{
		p = string_stop(text, p);
		if (*p == '"')
			return p + 1;
		if (p >= text->end)
			return xero_json_fault(text, start,
								   "The text ends inside a string.");
		if (*p != '\\')
			return xero_json_fault(text, p,
								   "There is a control character in a string.");
		/* the NUL at the end is no escaped character */
		p += (p + 1 < text->end) ? 2 : 1;
	}
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_number(XeroJsonText *text, const char *p)
{
	const char *start = p;

	if (*p == '-')
		p++;
	if (!is_digit(*p))
		return xero_json_fault(text, start, p >= text->end ?
							   "The text ends where a value should be." :
							   "There is no valid value here.");
	if (*p++ != '0')
	{
		while (is_digit(*p))
			p++;
	}
	if (*p == '.')
	{
		if (!is_digit(*++p))
			return xero_json_fault(text, start, "A number is malformed.");
		while (is_digit(*p))
			p++;
	}
	if (*p == 'e' || *p == 'E')
	{
		p++;
		if (*p == '+' || *p == '-')
			p++;
		if (!is_digit(*p))
			return xero_json_fault(text, start, "A number is malformed.");
		while (is_digit(*p))
			p++;
	}
	return p;
}

static inline const char *
skip_literal(XeroJsonText *text, const char *p, const char *word, size_t len)
{
	if (strncmp(p, word, len) != 0)
		return xero_json_fault(text, p, "There is no valid value here.");
	return p + len;
}

/* Bits of the bytes that a backslash before them takes the meaning from. */
static inline uint64
escaped_bits(uint64 backslashes, uint64 *carry)
{
	uint64		escaped = *carry;

	*carry = 0;
	backslashes &= ~escaped;
	while (backslashes != 0)
	{
		uint64		escape = backslashes & (~backslashes + 1);

		if (escape >> 63)
			*carry = 1;
		escaped |= escape << 1;
		backslashes &= ~(escape | escape << 1);
	}
	return escaped;
}

/* Each bit becomes the XOR of itself and all lower ones. */
static inline uint64
prefix_xor(uint64 bits)
{
	for (int shift = 1; shift < 64; shift <<= 1)
		bits ^= bits << shift;
	return bits;
}

/* The block at p; one that the text does not fill ends in blanks. */
static inline const char *
whole_block(const XeroJsonText *text, const char *p, char *room)
{
	if (text->end - p >= BLOCK_SIZE)
		return p;
	memset(room, ' ', BLOCK_SIZE);
	return memcpy(room, p, text->end - p);
}

/*
 * From an object's or array's opening bracket to behind its closing one.
 * "depth" is the number of containers around it.
 */
static const char *
skip_container(XeroJsonText *text, const char *p, int depth)
{
	const char *start = p;
	uint64		is_object = 0;	/* a stack of bits, the innermost lowest */
	int			level = 0;
	uint64		in_string = 0;	/* all ones if the block begins in a string */
	uint64		carry = 0;		/* 1 if its first byte is escaped */

	for (; p < text->end; p += BLOCK_SIZE)
	{
		char		tail[BLOCK_SIZE];
		const char *block = whole_block(text, p, tail);
		BlockBits	bits;
		uint64		strings;
		uint64		brackets;
		uint64		faults;

		read_block(block, &bits);
		if ((bits.backslashes | carry) != 0)
			bits.quotes &= ~escaped_bits(bits.backslashes, &carry);

		/* from an opening quote to before the closing one */
		strings = prefix_xor(bits.quotes) ^ in_string;
		in_string = ~(strings >> 63) + 1;
		faults = (bits.controls & strings) | (bits.backslashes & ~strings);

		for (brackets = bits.brackets & ~strings; brackets != 0;
			 brackets &= brackets - 1)
		{
			int			i = pg_rightmost_one_pos64(brackets);
			char		c = block[i];

			if (c == '{' || c == '[')
			{
				if (depth + level >= XERO_MAX_NESTING)
					return xero_json_fault(text, p + i,
										   "Values are nested too deeply.");
				is_object = is_object << 1 | (c == '{');
				level++;
				continue;
			}
			if ((is_object & 1) != (c == '}'))
				return xero_json_fault(text, p + i,
									   "Brackets do not match.");
			is_object >>= 1;
			if (--level == 0)
			{
				if ((faults & ((UINT64CONST(1) << i) - 1)) != 0)
					break;
				return p + i + 1;
			}
		}
		if (faults != 0)
			return xero_json_fault(text, p + pg_rightmost_one_pos64(faults),
								   "There is a control character in a string, or a backslash outside.");
	}
	return xero_json_fault(text, start,
						   "The text ends inside an object or array.");
}

/*
 * From the first byte of any value to behind its last one, or NULL.  "depth"
 * is the number of objects and arrays the value is in.
 */
const char *
xero_skip_value(XeroJsonText *text, const char *p, int depth)
{
	switch (*p)
	{
		case '"':
			return xero_skip_string(text, p);
		case '[':
			if (p[1] == ']' && depth < XERO_MAX_NESTING)
				return p + 2;	/* most arrays of a page are empty */
			return skip_container(text, p, depth);
		case '{':
			return skip_container(text, p, depth);
		case 't':
			return skip_literal(text, p, "true", 4);
		case 'f':
			return skip_literal(text, p, "false", 5);
		case 'n':
			return skip_literal(text, p, "null", 4);
		default:
			return skip_number(text, p);
	}
}
