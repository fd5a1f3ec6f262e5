/*-------------------------------------------------------------------------
 *
 * reader.h
 *	  A page of JSON -> tuples, decoding only what is wanted.
 *
 * The reader walks a response, compares member names in place (ignoring case:
 * Xero's casing varies), jumps over unwanted values, and converts wanted ones
 * straight from the text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_READER_H
#define XERO_READER_H

#include "compat.h"

/*
 * One wanted value.  "path" is the member path inside the element, levels
 * separated by dots ("Contact.ContactID"), or "" for the element itself; with
 * from_parent it is inside the record that holds the child array.  A missing member, JSON null, and a path
 * that leads through null or an array are SQL NULL.
 */
typedef struct XeroField
{
	const char *path;
	bool		from_parent;
	Oid			type;			/* text, varchar, bpchar, uuid, numeric, bool,
								 * int2/4/8, float, date, timestamp(tz), json,
								 * jsonb, any type with an input function, or
								 * cstring: the JSON as it came, in UTF-8 */
	int32		typmod;
	const char *column;			/* SQL name, for messages */
} XeroField;

/* What the envelope says; -1 where it says nothing. */
typedef struct XeroPageInfo
{
	int64		page;
	int64		page_size;
	int64		page_count;
	int64		item_count;
} XeroPageInfo;

typedef struct XeroReader XeroReader;

/*
 * Make a reader in "mcxt".  "wrapper" names the envelope's member that holds
 * the array, or a single object, which is read too; it is NULL if the text is
 * one record, or an array of them, without an envelope.  "array" is NULL, or
 * the member of each element whose elements are the rows.  A null in an array
 * of a record is no row.  "relation" names the table in messages.  The fields
 * must outlive the reader.
 */
extern XeroReader *xero_reader_create(MemoryContext mcxt, const char *relation,
									  const char *wrapper, const char *array,
									  const XeroField *fields, int nfields,
									  int key_field);

/*
 * Start on a response.  "body" has a NUL at body[len], stays the caller's,
 * and must live until the next open.  Fails with HV00L if the body is not
 * valid UTF-8 JSON of the expected shape; "detail" (status and correlation
 * id, or NULL) goes into that error's DETAIL.
 */
extern void xero_reader_open(XeroReader *reader, char *body, size_t len,
							 const char *detail);

/*
 * Next row.  Values are allocated in the current memory context.  False at
 * the end of the page.  A value that its column's type cannot hold is an
 * ERROR naming table, column and the record's key (fields[key_field], or
 * nothing where key_field is -1).
 */
extern bool xero_reader_next(XeroReader *reader, Datum *values, bool *nulls);

/*
 * Number of top-level records (not child rows) passed so far, and what the
 * envelope said so far.  Both are complete once xero_reader_next() returned
 * false; the info is often known right after open.
 */
extern int64 xero_reader_records(const XeroReader *reader);
extern const XeroPageInfo *xero_reader_info(const XeroReader *reader);

/*
 * Of a list, when it has been opened and again at its end: fail with HV00L if
 * the envelope says that Xero failed, or has null for the records without
 * counting none.  An empty list of Xero's is [], so a null may stand for
 * records that are not shown.
 */
extern void xero_reader_check_list(const XeroReader *reader);

/*
 * Of the response to the GET of one record: fail with HV00L if not one record
 * was passed, or the envelope says that Xero failed.  One that does not exist has status 404.
 */
extern void xero_reader_check_single(const XeroReader *reader);

#endif							/* XERO_READER_H */
