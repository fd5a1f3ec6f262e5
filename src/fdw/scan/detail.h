/*-------------------------------------------------------------------------
 *
 * detail.h
 *	  Columns that no list carries, fetched record by record.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_DETAIL_H
#define XERO_DETAIL_H

#include "compat.h"

#include "access/attnum.h"
#include "api/call/call.h"
#include "catalog/catalog.h"
#include "json/reader.h"

typedef struct XeroDetail XeroDetail;

/* One such column. */
typedef struct XeroDetailColumn
{
	XeroField	field;
	AttrNumber	attno;			/* where it goes */
	int			flag_field;		/* index among the scan's fields of the
								 * boolean that tells whether there is
								 * anything to fetch, or -1 */
} XeroDetailColumn;

/*
 * "key" and "columns" must outlive the result, which lives in "mcxt".
 * Calls are counted in "stats".
 */
extern XeroDetail *xero_detail_create(MemoryContext mcxt, const char *relation,
									  const XeroObject *object,
									  const XeroField *key,
									  const XeroDetailColumn *columns,
									  int ncolumns, XeroCallStats *stats);

/*
 * The record that was asked for by its key has this one: fail with HV00L if it
 * is another's.
 */
extern void xero_check_asked_for(const char *relation, const XeroField *key,
								 const char *asked, Datum value, bool isnull);

/*
 * Fetch and fill in the columns of one record that came from a list of the
 * organisation that "server" speaks for.  "key" is its key; values and nulls are the scan's fields, by which flag_field is
 * looked up; the results go to slot_values and slot_nulls by attribute.
 * False if the record is gone.
 */
extern bool xero_detail_fill(XeroDetail *detail, const XeroServer *server,
							 const char *key, const Datum *values, const bool *nulls,
							 Datum *slot_values, bool *slot_nulls);

/*
 * A record by itself, in "mcxt"; its status is 404 if it was deleted since the
 * list was read.
 */
extern const XeroResponse *xero_detail_get(MemoryContext mcxt,
										   const XeroServer *server,
										   const XeroObject *object,
										   const char *key,
										   XeroCallStats *stats);

/* The same for a record that was read by itself: nothing needs fetching. */
extern void xero_detail_mask(const XeroDetail *detail, const Datum *values,
							 const bool *nulls, bool *slot_nulls);

#endif							/* XERO_DETAIL_H */
