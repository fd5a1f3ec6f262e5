/*-------------------------------------------------------------------------
 *
 * compare.h
 *	  Is what was sent in what came back?
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_COMPARE_H
#define XERO_COMPARE_H

#include "compat.h"

#include "nodes/pg_list.h"

/* A value that came back as another one. */
typedef struct XeroJsonDifference
{
	char	   *path;			/* "LineItems[2].Quantity" */
	char	   *sent;			/* JSON, cut if it is long */
	char	   *stored;			/* the same; "null" if it is not there */
} XeroJsonDifference;

/* Members that are not what was sent, although it was stored. */
typedef struct XeroJsonLeniency
{
	const char *merged;			/* "A|B": arrays that are merged with what was
								 * there, so they may have more elements */
	const char *unechoed;		/* "A|B": members that are not compared,
								 * wherever they are */
	bool		partial;		/* nor are those that did not come back at all */
} XeroJsonLeniency;

/*
 * Where an object came back otherwise than it was sent; both are valid JSON
 * in UTF-8.  What comes back besides does not count, nor does how a value is
 * spelled: null, an empty text and nothing at all are the same, in arrays also an
 * empty object, and so are dates of one day, numbers that are the same to half a cent, and texts but for blanks
 * at their ends.  Texts of the result are in UTF-8, too.
 */
extern List *xero_json_compare(const char *sent, const char *stored,
							   const XeroJsonLeniency *leniency);

/*
 * The value of a member of an object, NULL if there is none; "len" is set to
 * its length.
 */
extern const char *xero_json_find(const char *object, const char *name,
								  size_t *len);

#endif							/* XERO_COMPARE_H */
