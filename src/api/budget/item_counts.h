/*-------------------------------------------------------------------------
 *
 * item_counts.h
 *	  How many records an organisation has of each object, as Xero has told.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ITEM_COUNTS_H
#define XERO_ITEM_COUNTS_H

#include "compat.h"

#include "api/shared/server.h"
#include "catalog/catalog.h"

/* By the object's number, and whether archived ones count; -1: not known. */
typedef struct XeroItemCounts
{
	int32		records[XERO_MAX_OBJECTS][2];
} XeroItemCounts;

static inline void
xero_item_counts_clear(XeroItemCounts *counts)
{
	memset(counts, 0xff, sizeof(*counts));
}

/* Of the organisation that the server speaks for. */
extern void xero_note_item_count(const XeroServer *server,
								 const XeroObject *object, bool archived,
								 double records);

/*
 * Of an organisation on average, as Xero has told any session that calls with
 * these credentials; -1 if it has told none.  Also how many have told.  Makes
 * no call and raises no error.
 */
extern double xero_item_count(const XeroServer *server,
							  const XeroObject *object, bool archived,
							  int *organisations);

#endif							/* XERO_ITEM_COUNTS_H */
