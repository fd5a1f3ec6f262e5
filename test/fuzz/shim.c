/*-------------------------------------------------------------------------
 *
 * shim.c
 *	  The server's part for code of ours that runs without a server.
 *
 * Only as much of each function as that code relies on: memory that is all
 * freed after an input, errors that jump, three encodings, and C strings for
 * values whose input and output are beside the point.  StringInfo, psprintf(),
 * the JSON lexer and the tables of encodings are PostgreSQL's own, from
 * libpgcommon and libpgport.
 *
 * Each palloc() is a malloc(), so that the address checker sees every step
 * beyond a chunk.  What is at fault with an input ends the program.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include <time.h>

#include "catalog/namespace.h"
#include "catalog/pg_type_d.h"
#include "common/int.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonfuncs.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

volatile sig_atomic_t InterruptPending = false;

void
ProcessInterrupts(void)
{
}

void
check_stack_depth(void)
{
}

/*-------------------------------------------------------------------------
 * Memory
 *-------------------------------------------------------------------------
 */

MemoryContext CurrentMemoryContext = NULL;
MemoryContext TopMemoryContext = NULL;

static void **chunks = NULL;
static size_t nchunks = 0;
static size_t chunk_room = 0;

static void **
find_chunk(void *pointer)
{
	size_t		i = nchunks;

	while (i > 0 && chunks[i - 1] != pointer)
		i--;
	fuzz_must(i > 0);
	return &chunks[i - 1];
}

void *
palloc(Size size)
{
	fuzz_must(size <= MaxAllocSize);
	if (nchunks == chunk_room)
	{
		chunk_room = Max(chunk_room * 2, 1024);
		chunks = realloc(chunks, chunk_room * sizeof(void *));
	}
	chunks[nchunks] = malloc(size);
	fuzz_must(chunks[nchunks] != NULL);
	return chunks[nchunks++];
}

void *
palloc0(Size size)
{
	return memset(palloc(size), 0, size);
}

void *
repalloc(void *pointer, Size size)
{
	void	  **chunk = find_chunk(pointer);

	fuzz_must(size <= MaxAllocSize);
	*chunk = realloc(pointer, size);
	fuzz_must(*chunk != NULL);
	return *chunk;
}

/* The lexer of 18 is built for programs, where NULL is allowed. */
void
pfree(void *pointer)
{
	if (pointer == NULL)
		return;
	*find_chunk(pointer) = chunks[nchunks - 1];
	nchunks--;
	free(pointer);
}

static void
free_all(void)
{
	while (nchunks > 0)
		free(chunks[--nchunks]);
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return palloc(size);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return palloc0(size);
}

void *
MemoryContextAllocZeroAligned(MemoryContext context, Size size)
{
	return palloc0(size);
}

char *
pnstrdup(const char *s, Size len)
{
	char	   *copy;

	len = strnlen(s, len);
	copy = palloc(len + 1);
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
pstrdup(const char *s)
{
	return pnstrdup(s, strlen(s));
}

/*-------------------------------------------------------------------------
 * Errors
 *-------------------------------------------------------------------------
 */

sigjmp_buf *PG_exception_stack = NULL;
ErrorContextCallback *error_context_stack = NULL;

static ErrorData error;

void
fuzz_broken(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}

#if PG_VERSION_NUM >= 160000
void
ExceptionalCondition(const char *condition, const char *file, int line)
#else
void
ExceptionalCondition(const char *condition, const char *type,
					 const char *file, int line)
#endif
{
	fuzz_broken(condition, file, line);
}

bool
errstart(int elevel, const char *domain)
{
	if (elevel < ERROR)
		return false;
	memset(&error, 0, sizeof(error));
	error.elevel = elevel;
	error.sqlerrcode = ERRCODE_INTERNAL_ERROR;
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

int
errcode(int sqlerrcode)
{
	error.sqlerrcode = sqlerrcode;
	return 0;
}

#define TAKE_TEXT(member) \
	do { \
		char text[8192]; \
		va_list args; \
		va_start(args, fmt); \
		vsnprintf(text, sizeof(text), fmt, args); \
		va_end(args); \
		error.member = pstrdup(text); \
		return 0; \
	} while (0)

int
errmsg(const char *fmt,...)
{
	TAKE_TEXT(message);
}

int
errmsg_internal(const char *fmt,...)
{
	TAKE_TEXT(message);
}

int
errdetail(const char *fmt,...)
{
	TAKE_TEXT(detail);
}

int
errdetail_internal(const char *fmt,...)
{
	TAKE_TEXT(detail);
}

int
errhint(const char *fmt,...)
{
	TAKE_TEXT(hint);
}

void
pg_re_throw(void)
{
	fuzz_must(PG_exception_stack != NULL);
	siglongjmp(*PG_exception_stack, 1);
}

void
errfinish(const char *file, int line, const char *function)
{
	pg_re_throw();
}

ErrorData *
CopyErrorData(void)
{
	ErrorData  *copy = palloc(sizeof(ErrorData));

	*copy = error;
	return copy;
}

void
FlushErrorState(void)
{
}

static bool
is_good(const char *message)
{
	return message == NULL || fuzz_is_text(message, strlen(message));
}

int
fuzz_run(void (*body) (void *arg), void *arg)
{
	error.sqlerrcode = 0;
	PG_TRY();
	{
		body(arg);
	}
	PG_CATCH();
	{
		fuzz_must(error.sqlerrcode != ERRCODE_INTERNAL_ERROR &&
				  is_good(error.message) && is_good(error.detail) &&
				  is_good(error.hint));
		return error.sqlerrcode;
	}
	PG_END_TRY();
	return 0;
}

/*-------------------------------------------------------------------------
 * Encodings: UTF8, LATIN1 and SQL_ASCII
 *-------------------------------------------------------------------------
 */

static int	database_encoding = PG_UTF8;

int
GetDatabaseEncoding(void)
{
	return database_encoding;
}

void
fuzz_pick_encoding(FuzzInput *in)
{
	static const int encodings[] = {PG_UTF8, PG_UTF8, PG_LATIN1, PG_SQL_ASCII};

	database_encoding = encodings[fuzz_pick(in, lengthof(encodings))];
}

bool
fuzz_is_text(const char *s, size_t len)
{
	return pg_encoding_verifymbstr(database_encoding, s, len) == len;
}

bool
pg_verify_mbstr(int encoding, const char *s, int len, bool noError)
{
	if (pg_encoding_verifymbstr(encoding, s, len) == len)
		return true;
	if (!noError)
		ereport(ERROR, (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
						errmsg("invalid byte sequence for encoding")));
	return false;
}

int
pg_verify_mbstr_len(int encoding, const char *s, int len, bool noError)
{
	return pg_verify_mbstr(encoding, s, len, noError) ? 0 : -1;
}

int
pg_encoding_mbcliplen(int encoding, const char *s, int len, int limit)
{
	int			clipped = 0;

	while (clipped < len && s[clipped] != '\0')
	{
		int			next = clipped + pg_encoding_mblen(encoding, s + clipped);

		if (next > limit)
			break;
		clipped = next;
	}
	return clipped;
}

/* How much could be converted. */
static int
utf8_to_latin1(const char *s, int len, char *out)
{
	int			i;

	for (i = 0; i < len; i++)
	{
		unsigned char c = s[i];

		if (c >= 0xc4)
			break;
		*out++ = c < 0x80 ? c : (c << 6) | (s[++i] & 0x3f);
	}
	*out = '\0';
	return i;
}

char *
pg_any_to_server(const char *s, int len, int encoding)
{
	char	   *out;

	pg_verify_mbstr(encoding, s, len, false);
	if (database_encoding != PG_LATIN1)
		return (char *) s;
	out = palloc(len + 1);
	if (utf8_to_latin1(s, len, out) < len)
		ereport(ERROR, (errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
						errmsg("character has no equivalent in encoding")));
	return out;
}

char *
pg_server_to_any(const char *s, int len, int encoding)
{
	char	   *out;
	char	   *end;

	if (database_encoding != PG_LATIN1)
		return (char *) s;
	end = out = palloc(2 * len + 1);
	for (int i = 0; i < len; i++)
	{
		unsigned char c = s[i];

		if (c >= 0x80)
			*end++ = 0xc0 | c >> 6;
		*end++ = c < 0x80 ? c : 0x80 | (c & 0x3f);
	}
	*end = '\0';
	return out;
}

Oid
FindDefaultConversionProc(int32 from, int32 to)
{
	return to == PG_LATIN1 ? 1 : InvalidOid;
}

int
pg_do_encoding_conversion_buf(Oid proc, int from, int to, unsigned char *s,
							  int len, unsigned char *out, int size,
							  bool noError)
{
	return utf8_to_latin1((char *) s, len, (char *) out);
}

/*-------------------------------------------------------------------------
 * Values
 *-------------------------------------------------------------------------
 */

text *
cstring_to_text_with_len(const char *s, int len)
{
	text	   *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	memcpy(VARDATA(result), s, len);
	return result;
}

text *
cstring_to_text(const char *s)
{
	return cstring_to_text_with_len(s, strlen(s));
}

char *
text_to_cstring(const text * t)
{
	return pnstrdup(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}

struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	return datum;
}

char *
format_type_be(Oid type)
{
	return psprintf("type %u", type);
}

void
getTypeInputInfo(Oid type, Oid *function, Oid *ioparam)
{
	*function = *ioparam = type;
}

void
fmgr_info_cxt(Oid function, FmgrInfo *info, MemoryContext context)
{
	info->fn_oid = function;
}

static void
refuse(int sqlerrcode, const char *s)
{
	ereport(ERROR, (errcode(sqlerrcode), errmsg("invalid input: \"%s\"", s)));
}

#if PG_VERSION_NUM >= 160000
void
json_errsave_error(JsonParseErrorType type, JsonLexContext *lex, Node *context)
#else
void
json_ereport_error(JsonParseErrorType type, JsonLexContext *lex)
#endif
{
	refuse(ERRCODE_INVALID_TEXT_REPRESENTATION, "JSON");
}

Datum
InputFunctionCall(FmgrInfo *info, char *s, Oid ioparam, int32 typmod)
{
	char	   *end = s;

	switch (info->fn_oid)
	{
		case UUIDOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
			refuse(ERRCODE_INVALID_TEXT_REPRESENTATION, s);
			break;
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			(void) strtod(s, &end);
			if (end == s || *end != '\0')
				refuse(ERRCODE_INVALID_TEXT_REPRESENTATION, s);
			break;
		case JSONOID:
		case JSONBOID:
			if (pg_parse_json(xero_json_lexer(s, strlen(s), database_encoding,
											  true),
							  &nullSemAction) != JSON_SUCCESS)
				refuse(ERRCODE_INVALID_TEXT_REPRESENTATION, s);
			break;
		default:
			break;
	}
	return CStringGetDatum(s);
}

Datum
DirectFunctionCall1Coll(PGFunction function, Oid collation, Datum value)
{
	LOCAL_FCINFO(fcinfo, 1);

	fcinfo->args[0].value = value;
	return function(fcinfo);
}

Datum
DirectFunctionCall2Coll(PGFunction function, Oid collation, Datum one,
						Datum two)
{
	LOCAL_FCINFO(fcinfo, 2);

	fcinfo->args[0].value = one;
	fcinfo->args[1].value = two;
	return function(fcinfo);
}

Datum
numeric_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup(PG_GETARG_CSTRING(0)));
}

Datum
uuid_out(PG_FUNCTION_ARGS)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < UUID_LEN; i++)
		appendStringInfo(&text, "%s%02x",
						 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
						 PG_GETARG_UUID_P(0)->data[i]);
	PG_RETURN_CSTRING(text.data);
}

Datum
timestamp_scale(PG_FUNCTION_ARGS)
{
	fuzz_must(IS_VALID_TIMESTAMP(PG_GETARG_TIMESTAMP(0)));
	PG_RETURN_DATUM(fcinfo->args[0].value);
}

/*-------------------------------------------------------------------------
 * Days and times: the C library's calendar, UTC
 *-------------------------------------------------------------------------
 */

const int	day_tab[2][13] = {
	{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0},
	{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0}
};

int
date2j(int year, int month, int day)
{
	struct tm	tm = {.tm_year = year - 1900,.tm_mon = month - 1,.tm_mday = day};

	return timegm(&tm) / SECS_PER_DAY + UNIX_EPOCH_JDATE;
}

static void
split_seconds(time_t seconds, struct pg_tm *result)
{
	struct tm	tm;

	fuzz_must(gmtime_r(&seconds, &tm) != NULL);
	result->tm_year = tm.tm_year + 1900;
	result->tm_mon = tm.tm_mon + 1;
	result->tm_mday = tm.tm_mday;
	result->tm_hour = tm.tm_hour;
	result->tm_min = tm.tm_min;
	result->tm_sec = tm.tm_sec;
}

void
j2date(int jd, int *year, int *month, int *day)
{
	struct pg_tm tm;

	split_seconds((jd - UNIX_EPOCH_JDATE) * INT64CONST(86400), &tm);
	*year = tm.tm_year;
	*month = tm.tm_mon;
	*day = tm.tm_mday;
}

int
timestamp2tm(Timestamp timestamp, int *tzp, struct pg_tm *tm, fsec_t *fsec,
			 const char **tzn, pg_tz *attimezone)
{
	int64		unix_usec = timestamp +
	(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

	*fsec = (unix_usec % USECS_PER_SEC + USECS_PER_SEC) % USECS_PER_SEC;
	split_seconds((unix_usec - *fsec) / USECS_PER_SEC, tm);
	return 0;
}

TimestampTz
timestamp2timestamptz_opt_overflow(Timestamp timestamp, int *overflow)
{
	return timestamp;
}

TimestampTz
date2timestamptz_opt_overflow(DateADT date, int *overflow)
{
	int64		timestamp = 0;

	if (!DATE_NOT_FINITE(date) &&
		!pg_mul_s64_overflow(date, USECS_PER_DAY, &timestamp) &&
		IS_VALID_TIMESTAMP(timestamp))
		return timestamp;
	*overflow = date < 0 ? -1 : 1;
	return 0;
}

TimestampTz
GetCurrentTimestamp(void)
{
	return 0;
}

/*-------------------------------------------------------------------------
 * Lists and sets
 *-------------------------------------------------------------------------
 */

static List *
make_list(const ListCell *cells, int length)
{
	List	   *list = palloc0(offsetof(List, initial_elements));

	list->type = T_List;
	list->length = list->max_length = length;
	list->elements = palloc(length * sizeof(ListCell));
	memcpy(list->elements, cells, length * sizeof(ListCell));
	return list;
}

List *
list_make1_impl(NodeTag t, ListCell a)
{
	return make_list(&a, 1);
}

List *
list_make2_impl(NodeTag t, ListCell a, ListCell b)
{
	ListCell	cells[] = {a, b};

	return make_list(cells, lengthof(cells));
}

List *
list_make4_impl(NodeTag t, ListCell a, ListCell b, ListCell c, ListCell d)
{
	ListCell	cells[] = {a, b, c, d};

	return make_list(cells, lengthof(cells));
}

List *
list_make5_impl(NodeTag t, ListCell a, ListCell b, ListCell c, ListCell d,
				ListCell e)
{
	ListCell	cells[] = {a, b, c, d, e};

	return make_list(cells, lengthof(cells));
}

List *
list_copy(const List *list)
{
	return list == NIL ? NIL : make_list(list->elements, list->length);
}

List *
list_concat(List *list, const List *more)
{
	if (list == NIL || more == NIL)
		return list == NIL ? list_copy(more) : list;
	if (list->length + more->length > list->max_length)
	{
		list->max_length = 2 * (list->length + more->length);
		list->elements = repalloc(list->elements,
								  list->max_length * sizeof(ListCell));
	}
	memcpy(list->elements + list->length, more->elements,
		   more->length * sizeof(ListCell));
	list->length += more->length;
	return list;
}

List *
lappend(List *list, void *datum)
{
	return list_concat(list, list_make1(datum));
}

List *
lcons(void *datum, List *list)
{
	return list_concat(list_make1(datum), list);
}

/* Of small numbers only. */
Bitmapset *
bms_add_member(Bitmapset *set, int x)
{
	if (set == NULL)
	{
		set = palloc0(offsetof(Bitmapset, words) + sizeof(bitmapword));
		set->nwords = 1;
	}
	fuzz_must(x >= 0 && x < BITS_PER_BITMAPWORD);
	set->words[0] |= (bitmapword) 1 << x;
	return set;
}

Bitmapset *
bms_add_range(Bitmapset *set, int lower, int upper)
{
	for (int x = lower; x <= upper; x++)
		set = bms_add_member(set, x);
	return set;
}

Bitmapset *
bms_del_member(Bitmapset *set, int x)
{
	set->words[0] &= ~((bitmapword) 1 << x);
	return set;
}

bool
bms_is_member(int x, const Bitmapset *set)
{
	return set != NULL && (set->words[0] >> x & 1) != 0;
}

int
bms_next_member(const Bitmapset *set, int x)
{
	while (++x < BITS_PER_BITMAPWORD)
	{
		if (bms_is_member(x, set))
			return x;
	}
	return -2;
}

/*-------------------------------------------------------------------------
 * Inputs
 *-------------------------------------------------------------------------
 */

unsigned
fuzz_pick(FuzzInput *in, unsigned n)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return (unsigned char) *in->at++ % n;
}

char *
fuzz_rest(FuzzInput *in, size_t *len)
{
	char	   *copy = palloc(in->left + 1);

	memcpy(copy, in->at, in->left);
	copy[in->left] = '\0';
	*len = in->left;
	in->at += in->left;
	in->left = 0;
	return copy;
}

char *
fuzz_line(FuzzInput *in)
{
	const char *end = memchr(in->at, '\n', in->left);
	size_t		len = end == NULL ? in->left : end - in->at;
	char	   *line = pnstrdup(in->at, len);

	if (end != NULL)
		len++;
	in->at += len;
	in->left -= len;
	return line;
}

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	FuzzInput	in = {(const char *) data, size};

	database_encoding = PG_UTF8;
	fuzz_one(&in);
	free_all();
	return 0;
}
