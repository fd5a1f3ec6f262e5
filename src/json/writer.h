/*-------------------------------------------------------------------------
 *
 * writer.h
 *	  Values -> the JSON object that Xero is sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_WRITER_H
#define XERO_WRITER_H

#include "compat.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

/* A value that may be written. */
typedef struct XeroMember
{
	const char *path;			/* in Xero's spelling, levels separated by
								 * dots */
	Oid			type;
	const char *column;			/* SQL name, for messages */
} XeroMember;

typedef struct XeroWriter XeroWriter;

/* Paths must differ; the members must outlive the writer. */
extern XeroWriter *xero_writer_create(MemoryContext mcxt,
									  const char *relation,
									  const XeroMember *members,
									  int nmembers);

/*
 * The text of one value as a member's JSON, in the current memory context and
 * the database's encoding.  ERROR for what JSON, or Xero, has no form of.
 */
extern char *xero_writer_value(XeroWriter *writer, int member, Datum value);

/* A text as a JSON string. */
extern char *xero_json_string(const char *text);

/*
 * Append an object of the members whose text is not NULL.
 */
extern void xero_writer_object(const XeroWriter *writer, StringInfo json,
							   char **texts);

#endif							/* XERO_WRITER_H */
