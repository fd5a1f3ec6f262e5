/*-------------------------------------------------------------------------
 *
 * known.h
 *	  Rows that have come, by the values of one column.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_KNOWN_H
#define XERO_KNOWN_H

#include "compat.h"

#include "catalog/pg_attribute.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

/* A value of the column. */
typedef struct XeroRowKey
{
	uint32		hash;
	Datum		value;
} XeroRowKey;

typedef struct XeroKnown XeroKnown;

/* By this column; by none, if NULL: then there is but one place for rows. */
extern XeroKnown *xero_known_create(MemoryContext mcxt, Form_pg_attribute column);
extern void xero_known_end(XeroKnown *known);
extern void xero_known_clear(XeroKnown *known);

/* The key is made in the current context, of which the value is not copied. */
extern XeroRowKey *xero_make_key(XeroKnown *known, Datum value);
extern XeroRowKey *xero_copy_key(const XeroKnown *known, const XeroRowKey *key);

/* A row's key, which is not copied; false if it is null, and equals nothing. */
extern bool xero_row_key(XeroKnown *known, TupleTableSlot *row,
						 XeroRowKey *key);
extern bool xero_has_key(XeroKnown *known, List *keys, const XeroRowKey *key);

/* Add a row; one without a key is left out. */
extern void xero_know_row(XeroKnown *known, TupleTableSlot *row);

/* All rows of a key have been added; have they? */
extern void xero_know_key(XeroKnown *known, const XeroRowKey *key);
extern bool xero_is_known(XeroKnown *known, const XeroRowKey *key);

/* Is there any such key? */
extern bool xero_knows_keys(const XeroKnown *known);

/* The rows of a key, among others; NULL: of none. */
extern Tuplestorestate *xero_known_rows(XeroKnown *known, const XeroRowKey *key);

#endif							/* XERO_KNOWN_H */
