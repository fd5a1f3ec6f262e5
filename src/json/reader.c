/*-------------------------------------------------------------------------
 *
 * reader.c
 *	  A page of JSON -> tuples, decoding only what is wanted.
 *
 * The wanted members form a small tree of names, made once.  A record is
 * walked along that tree: a member that is not in it is jumped over
 * (skip.c), one that is leaves a slice, the place of its value's text.  When
 * the record has been walked, the slices are converted (convert.c), so a
 * member that comes twice costs nothing and its last value counts.
 *
 * For a table of child rows the parent record is walked first, for the
 * parent's fields and the place of the array, wherever in the record they
 * are; then each element of the array is walked along a second tree.
 *
 * Names are compared in place, ignoring the case of ASCII letters; a name
 * spelled with JSON escapes, which Xero does not write, matches nothing.
 *
 * The page is streamed: a fault in its text is raised when the reader comes
 * to it, after the rows before it, and a page that is cut off always is one.
 *
 * A null in an array of a record, which a text without an envelope is, too,
 * stands for no element and is passed over.  In a list of records it would be
 * a record that is missing, which is a fault.
 *
 * All state is in the reader's own memory context and is allocated when it is
 * created; opening a page and passing over rows allocate nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "json/convert.h"
#include "json/reader.h"
#include "json/rewrite.h"
#include "json/skip.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* How much of a response's text goes into a message. */
#define MAX_SHOWN	100

/* Bytes of a response whose encoding is checked at once. */
#define VERIFIED_AT_ONCE (1024 * 1024)

/* Bytes of a character, at most. */
#define MAX_UTF8	4

/* A wanted name, and those wanted inside its value. */
typedef struct Wanted
{
	const char *name;
	int			len;
	int			first_slice;	/* slices filled by this member: a chain
								 * through next_slice, ended by -1 */
	uint64		filter;			/* name_bit() of every child */
	struct Wanted *children;
	struct Wanted *sibling;
} Wanted;

/* Where a value's text is; start is NULL for SQL NULL. */
typedef struct Slice
{
	const char *start;
	size_t		len;
} Slice;

/* The elements of an array, or a single object as if it were an array. */
typedef struct Elements
{
	const char *pos;			/* behind the last element read */
	bool		is_array;
	bool		is_null;		/* null stands in place of them */
	bool		nulls_pass;		/* a null among them is none of them */
	bool		started;		/* an element was read, or there is none */
	int			depth;			/* objects and arrays around an element */
} Elements;

/* What has to be read when the records have been. */
typedef enum Tail
{
	TAIL_NOTHING,				/* all has been read already */
	TAIL_END,					/* nothing but the end may follow */
	TAIL_ENVELOPE				/* the envelope goes on */
} Tail;

struct XeroReader
{
	/* settled when created */
	const char *relation;
	const char *wrapper;		/* NULL: there is no envelope */
	const char *array;
	const XeroField *fields;
	int			nfields;
	int			key_field;
	XeroConverter *converters;	/* by field */
	Wanted		record_tree;
	Wanted		child_tree;		/* used if there is an array */

	/* slices by field, and one more for the array */
	int			whole;			/* field of the element itself, or -1 */
	Slice	   *slices;
	int		   *next_slice;

	/* the page */
	XeroJsonText text;
	const char *detail;
	Elements	records;
	Elements	children;
	Tail		tail;
	bool		in_record;		/* children are being read */
	bool		done;
	int			current;		/* field being converted */
	int64		nrecords;
	XeroPageInfo info;
	bool		failed;			/* the envelope says so ... */
	Slice		message;		/* ... and why */
};

/*-------------------------------------------------------------------------
 * Messages
 *-------------------------------------------------------------------------
 */

/* Text from a response, fit for a message. */
static char *
show(const char *s, size_t len)
{
	bool		cut = len > MAX_SHOWN;
	StringInfoData buf;

	if (cut)
		len = GetDatabaseEncoding() == PG_UTF8 ?
			pg_encoding_mbcliplen(PG_UTF8, s, len, MAX_SHOWN) : MAX_SHOWN;
	initStringInfo(&buf);
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = s[i];

		if (c < 0x20 || c == 0x7f)
			c = ' ';
		else if (c >= 0x80 && GetDatabaseEncoding() != PG_UTF8)
			c = '?';
		appendStringInfoChar(&buf, c);
	}
	if (cut)
		appendStringInfoString(&buf, "...");
	return buf.data;
}

/* The same for a value: strings without their quotes. */
static char *
show_slice(const Slice *slice)
{
	if (*slice->start == '"')
		return show(slice->start + 1, slice->len - 2);
	return show(slice->start, slice->len);
}

/*
 * The text cannot be what Xero should have sent: raise text.problem.  A place
 * that may lie in the middle of a character is shown as ASCII only.
 */
static pg_noinline void
raise_fault(const XeroReader *reader)
{
	const XeroJsonText *text = &reader->text;
	char		excerpt[41];
	char	   *place;
	size_t		len = Min((size_t) (text->end - text->where),
						  sizeof(excerpt) - 1);

	for (size_t i = 0; i < len; i++)
	{
		char		c = text->where[i];

		excerpt[i] = c >= 0x20 && c < 0x7f ? c : (c & 0x80) ? '?' : ' ';
	}
	excerpt[len] = '\0';
	if (len == 0)
		place = psprintf("It is %lld bytes long.",
						 (long long) (text->end - text->begin));
	else
		place = psprintf("This is at byte %lld of %lld: \"%s\".",
						 (long long) (text->where - text->begin) + 1,
						 (long long) (text->end - text->begin), excerpt);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("could not parse the response for foreign table \"%s\"",
					reader->relation),
			 errdetail("%s %s%s%s%s", text->problem, place,
					   reader->detail ? " (" : "",
					   reader->detail ? reader->detail : "",
					   reader->detail ? ")" : "")));
}

static pg_noinline void
raise_fault_at(XeroReader *reader, const char *where, const char *problem)
{
	xero_json_fault(&reader->text, where, problem);
	raise_fault(reader);
}

/* The text is JSON, but no answer to what was asked. */
static void
raise_unexpected(const XeroReader *reader, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("unexpected response for foreign table \"%s\"",
					reader->relation),
			 errdetail("%s%s%s%s", problem,
					   reader->detail ? " (" : "",
					   reader->detail ? reader->detail : "",
					   reader->detail ? ")" : "")));
}

/* The text is an answer, whatever its status: that Xero failed. */
static pg_noinline void
raise_failure(const XeroReader *reader)
{
	const char *message = reader->message.start == NULL ? "" :
	xero_readable_string(reader->message.start, reader->message.len);

	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("Xero failed to answer a request for foreign table \"%s\"",
					reader->relation),
			 errdetail("%s%s%s%s",
					   *message ? show(message, strlen(message)) :
					   "Xero gave no reason.",
					   reader->detail ? " (" : "",
					   reader->detail ? reader->detail : "",
					   reader->detail ? ")" : "")));
}

/*
 * A conversion failed: name the place if it is the value's fault, else pass
 * the error on as it is.  Called in a PG_CATCH block.
 */
static void
raise_conversion_error(const XeroReader *reader)
{
	ErrorData  *error = CopyErrorData();
	const XeroField *field = &reader->fields[reader->current];
	const Slice *slice = &reader->slices[reader->current];
	const Slice *key = NULL;
	int			code = error->sqlerrcode;
	char	   *record;

	/* this is how PostgreSQL refuses an escaped character in SQL_ASCII */
	if (code == ERRCODE_FEATURE_NOT_SUPPORTED &&
		GetDatabaseEncoding() == PG_SQL_ASCII)
		code = ERRCODE_UNTRANSLATABLE_CHARACTER;
	if (ERRCODE_TO_CATEGORY(code) != ERRCODE_DATA_EXCEPTION)
		PG_RE_THROW();
	FlushErrorState();

	/* what the skip did not check, jsonb did: the text itself is malformed */
	if (code == ERRCODE_INVALID_TEXT_REPRESENTATION &&
		reader->converters[reader->current].conversion == XERO_CONVERT_JSON)
		code = ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION;

	if (reader->key_field >= 0)
		key = &reader->slices[reader->key_field];
	if (key != NULL && key->start != NULL)
		record = psprintf("the record with %s \"%s\"",
						  reader->fields[reader->key_field].column,
						  show_slice(key));
	else
		record = psprintf("record %lld of the page",
						  (long long) reader->nrecords);
	ereport(ERROR,
			(errcode(code),
			 errmsg("invalid value for column \"%s\" of foreign table \"%s\"",
					field->column, reader->relation),
			 errdetail("In %s, \"%s\" is refused: %s%s%s",
					   record, show_slice(slice),
					   show(error->message, strlen(error->message)),
					   error->detail ? ": " : ".",
					   error->detail ?
					   show(error->detail, strlen(error->detail)) : ""),
			 xero_has_bad_text(slice->start, slice->len) ?
			 errhint("With xero_fdw.on_bad_text set to \"replace\", U+FFFD is read in place of a character that PostgreSQL cannot store.") : 0));
}

/*-------------------------------------------------------------------------
 * The tree of wanted names
 *-------------------------------------------------------------------------
 */

/* One of 64 bits for a name, the same in upper and lower case. */
static inline uint64
name_bit(const char *name, int len)
{
	unsigned	sum = len * 7;

	if (len > 0)
		sum += (name[0] & 0x1f) * 5 + (name[len - 1] & 0x1f) +
			(name[len / 2] & 0x1f) * 3;
	return UINT64CONST(1) << (sum & 63);
}

static inline bool
same_name(const char *a, const char *b, int len)
{
	return memcmp(a, b, len) == 0 || pg_strncasecmp(a, b, len) == 0;
}

static Wanted *
find_child(const Wanted *node, const char *name, int len)
{
	if ((node->filter & name_bit(name, len)) == 0)
		return NULL;
	for (Wanted *child = node->children; child != NULL; child = child->sibling)
	{
		if (child->len == len && same_name(child->name, name, len))
			return child;
	}
	return NULL;
}

/* Let the member at "path" below "root" fill a slice. */
static void
want(XeroReader *reader, Wanted *root, const char *path, int slice)
{
	Wanted	   *node = root;

	for (;;)
	{
		int			len = strcspn(path, ".");
		Wanted	   *child = find_child(node, path, len);

		if (child == NULL)
		{
			child = palloc0(sizeof(Wanted));
			child->name = path;
			child->len = len;
			child->first_slice = -1;
			child->sibling = node->children;
			node->children = child;
			node->filter |= name_bit(path, len);
		}
		node = child;
		if (path[len] == '\0')
			break;
		path += len + 1;
	}
	reader->next_slice[slice] = node->first_slice;
	node->first_slice = slice;
}

/*-------------------------------------------------------------------------
 * Walking
 *-------------------------------------------------------------------------
 */

static inline const char *
skip_value(XeroReader *reader, const char *p, int depth)
{
	p = xero_skip_value(&reader->text, p, depth);
	if (unlikely(p == NULL))
		raise_fault(reader);
	return p;
}

/*
 * The next member of an object.  *pos is behind the opening bracket (*first
 * is true) or behind the value of the member before.  Returns where the value
 * begins, or NULL at the object's end, *pos then being behind it.
 */
static inline const char *
next_member(XeroReader *reader, const char **pos, bool *first,
			const char **name, int *len)
{
	XeroJsonText *text = &reader->text;
	const char *p = xero_skip_space(text, *pos);
	const char *end;

	CHECK_FOR_INTERRUPTS();
	if (*p == '}')
	{
		*pos = p + 1;
		return NULL;
	}
	if (!*first)
	{
		if (*p != ',')
			raise_fault_at(reader, p, p < text->end ?
						   "There should be a comma or a closing brace here." :
						   "The text ends inside an object.");
		p = xero_skip_space(text, p + 1);
	}
	*first = false;
	if (*p != '"')
		raise_fault_at(reader, p, p < text->end ?
					   "There should be a member's name here." :
					   "The text ends inside an object.");
	end = xero_skip_string(text, p);
	if (end == NULL)
		raise_fault(reader);
	*name = p + 1;
	*len = end - p - 2;
	p = xero_skip_space(text, end);
	if (*p != ':')
		raise_fault_at(reader, p, p < text->end ?
					   "There should be a colon here." :
					   "The text ends inside an object.");
	return xero_skip_space(text, p + 1);
}

/* Forget what was found below a node. */
static void
clear_slices(XeroReader *reader, const Wanted *node)
{
	for (Wanted *child = node->children; child != NULL; child = child->sibling)
	{
		for (int i = child->first_slice; i >= 0; i = reader->next_slice[i])
			reader->slices[i].start = NULL;
		clear_slices(reader, child);
	}
}

/*
 * Walk an object along a tree, filling slices.  "p" is at its opening
 * bracket; "depth" is the number of objects and arrays around it.  Returns
 * what is behind it.
 */
static const char *
walk_object(XeroReader *reader, const Wanted *node, const char *p, int depth)
{
	const char *pos = p + 1;
	const char *name;
	int			len;
	bool		first = true;

	if (depth >= XERO_MAX_NESTING)
		raise_fault_at(reader, p, "Values are nested too deeply.");
	clear_slices(reader, node);
	while ((p = next_member(reader, &pos, &first, &name, &len)) != NULL)
	{
		Wanted	   *child = find_child(node, name, len);
		bool		is_null = *p == 'n';

		if (child != NULL && child->children != NULL && *p == '{')
			pos = walk_object(reader, child, p, depth + 1);
		else
		{
			if (child != NULL)
				clear_slices(reader, child);
			pos = skip_value(reader, p, depth + 1);
		}
		if (child == NULL)
			continue;
		for (int i = child->first_slice; i >= 0; i = reader->next_slice[i])
		{
			reader->slices[i].start = is_null ? NULL : p;
			reader->slices[i].len = pos - p;
		}
	}
	return pos;
}

/* Begin with the value at p, which holds the elements. */
static void
begin_elements(XeroReader *reader, Elements *elements, const char *p,
			   int depth)
{
	elements->pos = p;
	elements->is_array = *p == '[';
	elements->is_null = *p == 'n';
	elements->started = false;
	elements->depth = depth;
	if (*p == '[')
	{
		elements->pos++;
		elements->depth++;
	}
	else if (elements->is_null)
	{
		elements->pos = skip_value(reader, p, depth);
		elements->started = true;
	}
	else if (*p != '{')
		raise_fault_at(reader, p, p < reader->text.end ?
					   "There should be an array of records here." :
					   "The text ends where records should be.");
}

/*
 * Where the next element begins; the caller sets elements->pos behind it.  At
 * the end NULL, pos then being behind all.
 */
static const char *
next_element(XeroReader *reader, Elements *elements)
{
	XeroJsonText *text = &reader->text;

	for (;;)
	{
		const char *p = elements->pos;

		if (elements->is_array)
		{
			p = xero_skip_space(text, p);
			if (*p == ']')
			{
				elements->is_array = false;
				elements->started = true;
				elements->pos = p + 1;
				return NULL;
			}
			if (elements->started)
			{
				if (*p != ',')
					raise_fault_at(reader, p, p < text->end ?
								   "There should be a comma or a closing bracket here." :
								   "The text ends inside an array of records.");
				p = xero_skip_space(text, p + 1);
			}
		}
		else if (elements->started)
			return NULL;
		elements->started = true;
		if (*p == '{')
			return p;
		if (*p != 'n' || !elements->nulls_pass)
			raise_fault_at(reader, p, p < text->end ?
						   "There should be an object here." :
						   "The text ends inside an array of records.");
		CHECK_FOR_INTERRUPTS();
		elements->pos = skip_value(reader, p, elements->depth);
	}
}

/*-------------------------------------------------------------------------
 * The envelope
 *-------------------------------------------------------------------------
 */

/* A number of the pagination object; -1 if it is none that makes sense. */
static int64
read_count(const char *p)
{
	int64		value = 0;
	int			digits = 0;

	if (*p == '"')
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
	{
		if (++digits > 18)
			return -1;
		value = value * 10 + (*p - '0');
	}
	if (digits == 0 || *p == '.' || *p == 'e' || *p == 'E')
		return -1;
	return value;
}

static const char *
read_pagination(XeroReader *reader, const char *p)
{
	const char *pos = p + 1;
	const char *name;
	int			len;
	bool		first = true;

	while ((p = next_member(reader, &pos, &first, &name, &len)) != NULL)
	{
		if (len == 4 && same_name(name, "page", len))
			reader->info.page = read_count(p);
		else if (len == 8 && same_name(name, "pageSize", len))
			reader->info.page_size = read_count(p);
		else if (len == 9 && same_name(name, "pageCount", len))
			reader->info.page_count = read_count(p);
		else if (len == 9 && same_name(name, "itemCount", len))
			reader->info.item_count = read_count(p);
		pos = skip_value(reader, p, 2);
	}
	return pos;
}

static void
expect_end(XeroReader *reader, const char *p)
{
	p = xero_skip_space(&reader->text, p);
	if (p != reader->text.end)
		raise_fault_at(reader, p, "There is more after the end.");
}

/* The member that a call has failed by, and the one that says why. */
static void
note_failure(XeroReader *reader, const char *name, int len, const char *p,
			 const char *end)
{
	if (*p != '"')
		return;
	if (len == 6 && same_name(name, "Status", len))
		reader->failed = end - p == 7 && same_name(p + 1, "ERROR", 5);
	else if (len == 7 && same_name(name, "Message", len))
	{
		reader->message.start = p;
		reader->message.len = end - p;
	}
}

/*
 * Walk the envelope's members from pos on, up to the one that holds the
 * records ("found" is false; the records are begun then), or to the end.
 */
static void
walk_envelope(XeroReader *reader, const char *pos, bool found)
{
	const char *single = NULL;
	int			wrapper_len = strlen(reader->wrapper);
	const char *name;
	const char *p;
	int			len;
	bool		first = !found;

	while ((p = next_member(reader, &pos, &first, &name, &len)) != NULL)
	{
		if (len == wrapper_len && same_name(name, reader->wrapper, len))
		{
			if (found)
				raise_fault_at(reader, name, "The records come twice.");
			begin_elements(reader, &reader->records, p, 1);
			reader->tail = TAIL_ENVELOPE;
			return;
		}
		if (len == 10 && *p == '{' && same_name(name, "pagination", len))
		{
			pos = read_pagination(reader, p);
			continue;
		}

		/* payroll: a single record is the "employee" of "employees" */
		if (*p == '{' && len == wrapper_len - 1 &&
			pg_tolower(reader->wrapper[len]) == 's' &&
			same_name(name, reader->wrapper, len))
			single = p;
		pos = skip_value(reader, p, 1);
		note_failure(reader, name, len, p, pos);
	}
	expect_end(reader, pos);
	if (found)
		return;
	if (single == NULL && reader->failed)
		raise_failure(reader);
	if (single == NULL)
		raise_unexpected(reader, psprintf("It has no member \"%s\".",
										  reader->wrapper));
	begin_elements(reader, &reader->records, single, 1);
	reader->tail = TAIL_NOTHING;
}

/* There are no more records: read what is behind them. */
static void
finish_page(XeroReader *reader)
{
	reader->done = true;
	if (reader->tail == TAIL_ENVELOPE)
		walk_envelope(reader, reader->records.pos, true);
	else if (reader->tail == TAIL_END)
		expect_end(reader, reader->records.pos);
}

/*-------------------------------------------------------------------------
 * What reader.h declares
 *-------------------------------------------------------------------------
 */

XeroReader *
xero_reader_create(MemoryContext mcxt, const char *relation,
				   const char *wrapper, const char *array,
				   const XeroField *fields, int nfields, int key_field)
{
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	XeroReader *reader = palloc0(sizeof(XeroReader));

	reader->relation = pstrdup(relation);
	reader->wrapper = wrapper ? pstrdup(wrapper) : NULL;
	reader->array = array;
	reader->fields = fields;
	reader->nfields = nfields;
	reader->key_field = key_field;
	reader->converters = palloc0((nfields + 1) * sizeof(XeroConverter));
	reader->slices = palloc0((nfields + 1) * sizeof(Slice));
	reader->next_slice = palloc0((nfields + 1) * sizeof(int));
	reader->whole = -1;
	for (int i = 0; i < nfields; i++)
	{
		const XeroField *field = &fields[i];

		xero_converter_init(&reader->converters[i], field->type,
							field->typmod, mcxt);
		if (field->path[0] == '\0')
			reader->whole = i;
		else
			want(reader, array != NULL && !field->from_parent ?
				 &reader->child_tree : &reader->record_tree, field->path, i);
	}
	if (array != NULL)
		want(reader, &reader->record_tree, pstrdup(array), nfields);
	reader->records.nulls_pass = wrapper == NULL;
	reader->children.nulls_pass = true;
	reader->done = true;
	MemoryContextSwitchTo(old);
	return reader;
}

/* A piece at a time, since a body may have hundreds of megabytes. */
static void
check_encoding(XeroReader *reader)
{
	const char *p = reader->text.begin;

	while (p < reader->text.end)
	{
		int			len = Min(reader->text.end - p, VERIFIED_AT_ONCE);
		int			valid = pg_encoding_verifymbstr(PG_UTF8, p, len);

		CHECK_FOR_INTERRUPTS();
		p += valid;
		/* the piece may end inside of a character */
		if (valid < len && (valid == 0 || p + MAX_UTF8 > reader->text.end))
			raise_fault_at(reader, p, "The response is not valid UTF-8.");
	}
}

void
xero_reader_open(XeroReader *reader, char *body, size_t len,
				 const char *detail)
{
	const char *p = body;

	reader->text.begin = body;
	reader->text.end = body + len;
	reader->detail = detail;
	reader->in_record = false;
	reader->done = false;
	reader->nrecords = 0;
	reader->failed = false;
	reader->message.start = NULL;
	memset(&reader->info, -1, sizeof(XeroPageInfo));

	if (len > MaxAllocSize)
		raise_fault_at(reader, body, "The response is too long.");
	check_encoding(reader);
	if (len >= 3 && memcmp(body, "\xEF\xBB\xBF", 3) == 0)
		p += 3;					/* a byte order mark */

	p = xero_skip_space(&reader->text, p);
	if (reader->wrapper == NULL && (*p == '[' || *p == '{'))
	{
		begin_elements(reader, &reader->records, p, 0);
		reader->tail = TAIL_END;
	}
	else if (reader->wrapper != NULL && *p == '{')
		walk_envelope(reader, p + 1, false);
	else
		raise_fault_at(reader, p, p == reader->text.end ?
					   "The response is empty." : reader->wrapper ?
					   "The response is not a JSON object." :
					   "The response is neither a JSON array nor an object.");
}

/*
 * Convert all slices of the element from "start" to "end"; a failure is raised
 * with the names of the place.
 */
static void
convert_slices(XeroReader *reader, const char *start, const char *end,
			   Datum *values, bool *nulls)
{
	MemoryContext row_context = CurrentMemoryContext;

	if (reader->whole >= 0)
	{
		reader->slices[reader->whole].start = start;
		reader->slices[reader->whole].len = end - start;
	}
	PG_TRY();
	{
		for (int i = 0; i < reader->nfields; i++)
		{
			const Slice *slice = &reader->slices[i];

			reader->current = i;
			values[i] = (Datum) 0;
			nulls[i] = true;
			if (slice->start != NULL)
				values[i] = xero_convert(&reader->converters[i], slice->start,
										 slice->len, &nulls[i]);
		}
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(row_context);
		raise_conversion_error(reader);
	}
	PG_END_TRY();
}

bool
xero_reader_next(XeroReader *reader, Datum *values, bool *nulls)
{
	Elements   *records = &reader->records;
	Elements   *children = &reader->children;
	const char *p;

	while (!reader->done)
	{
		CHECK_FOR_INTERRUPTS();

		if (reader->in_record)
		{
			p = next_element(reader, children);
			if (p != NULL)
			{
				children->pos = walk_object(reader, &reader->child_tree, p,
											children->depth);
				convert_slices(reader, p, children->pos, values, nulls);
				return true;
			}
			reader->in_record = false;
		}

		p = next_element(reader, records);
		if (p == NULL)
		{
			finish_page(reader);
			break;
		}
		reader->nrecords++;
		records->pos = walk_object(reader, &reader->record_tree, p,
								   records->depth);
		if (reader->array == NULL)
		{
			convert_slices(reader, p, records->pos, values, nulls);
			return true;
		}
		p = reader->slices[reader->nfields].start;
		if (p != NULL)
		{
			begin_elements(reader, children, p, records->depth + 1);
			reader->in_record = true;
		}
	}
	return false;
}

int64
xero_reader_records(const XeroReader *reader)
{
	return reader->nrecords;
}

const XeroPageInfo *
xero_reader_info(const XeroReader *reader)
{
	return &reader->info;
}

void
xero_reader_check_list(const XeroReader *reader)
{
	if (reader->failed)
		raise_failure(reader);
	if (reader->done && reader->records.is_null && reader->info.item_count != 0)
		raise_unexpected(reader, psprintf("Its member \"%s\" is null.",
										  reader->wrapper));
}

void
xero_reader_check_single(const XeroReader *reader)
{
	if (reader->failed)
		raise_failure(reader);
	if (reader->nrecords == 0)
		raise_unexpected(reader, "It has no record.");
	if (reader->nrecords > 1)
		raise_unexpected(reader, "It has more records than one.");
}
