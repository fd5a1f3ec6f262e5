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

/* "key" and "columns" must outlive the result, which lives in "mcxt". */
extern XeroDetail *xero_detail_create(MemoryContext mcxt, const char *relation,
									  const XeroObject *object,
									  const XeroField *key,
									  const XeroDetailColumn *columns,
									  int ncolumns);

/*
 * The record that was asked for by its key has this one: fail with HV00L if it
 * is another's.
 */
extern void xero_check_asked_for(const char *relation, const XeroField *key,
								 const char *asked, Datum value, bool isnull);

/* A value of the field as it stands in a path. */
extern char *xero_field_text(const XeroField *field, Datum value);

/*
 * Must a record that came from a list be fetched, for columns that the list
 * lacks?  values and nulls are the scan's fields, by which flag_field is looked
 * up; columns that are not fetched are NULL.
 */
extern bool xero_detail_is_wanted(const XeroDetail *detail,
								  const Datum *values, const bool *nulls,
								  bool *slot_nulls);

/*
 * Fill in the columns from the record that was fetched by its key; the results
 * go to slot_values and slot_nulls by attribute.
 */
extern void xero_detail_fill(XeroDetail *detail, const XeroResponse *response,
							 const char *key, const Datum *values,
							 const bool *nulls, Datum *slot_values,
							 bool *slot_nulls);

/* The same of a record that was read by itself: nothing needs fetching. */
extern void xero_detail_mask(const XeroDetail *detail, const Datum *values,
							 const bool *nulls, bool *slot_nulls);

#endif							/* XERO_DETAIL_H */
