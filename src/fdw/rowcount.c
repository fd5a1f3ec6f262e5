/*-------------------------------------------------------------------------
 *
 * rowcount.c
 *	  How many records a table had when it was last read whole.
 *
 * Planning must not cost a call, so the planner works with what earlier
 * scans of this session learned from Xero's item counts.  One number a
 * table, kept for the life of the backend.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/fdw.h"

#include "utils/hsearch.h"

typedef struct RowCount
{
	Oid			relid;			/* hash key */
	double		records;
} RowCount;

static HTAB *row_counts = NULL;

/* The number of records, not of child rows, when no condition was sent. */
void
xero_remember_records(Oid relid, double records)
{
	RowCount   *entry;

	if (row_counts == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(RowCount);
		row_counts = hash_create("xero_fdw row counts", 32, &ctl,
								 HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(row_counts, &relid, HASH_ENTER, NULL);
	entry->records = records;
}

/* -1 if nothing is known. */
double
xero_remembered_records(Oid relid)
{
	RowCount   *entry = NULL;

	if (row_counts)
		entry = hash_search(row_counts, &relid, HASH_FIND, NULL);
	return entry ? entry->records : -1;
}
