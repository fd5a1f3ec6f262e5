/*-------------------------------------------------------------------------
 *
 * row_memory.c
 *	  The number of records that each table had when it was last read.
 *
 * Planning must not cost a call.  So the planner uses the item counts that Xero
 * reported to earlier scans of the session.  One number for each table and
 * organisation is kept for the life of the backend.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/fdw.h"

#include "utils/hsearch.h"

typedef struct RowCountKey
{
	Oid			relid;
	pg_uuid_t	tenant;
} RowCountKey;

typedef struct RowCount
{
	RowCountKey key;
	double		records;
} RowCount;

static HTAB *row_counts = NULL;

void
xero_remember_records(Oid relid, const pg_uuid_t *tenant, double records)
{
	RowCountKey key;
	RowCount   *entry;

	memset(&key, 0, sizeof(key));
	key.relid = relid;
	key.tenant = *tenant;

	if (row_counts == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(RowCountKey);
		ctl.entrysize = sizeof(RowCount);
		row_counts = hash_create("xero_fdw row counts", 32, &ctl,
								 HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(row_counts, &key, HASH_ENTER, NULL);
	entry->records = records;
}

/* Of one organisation, on average; -1 if nothing is known. */
double
xero_remembered_records(Oid relid)
{
	HASH_SEQ_STATUS status;
	RowCount   *entry;
	double		records = 0;
	int			known = 0;

	if (row_counts == NULL)
		return -1;
	hash_seq_init(&status, row_counts);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->key.relid != relid)
			continue;
		records += entry->records;
		known++;
	}
	return known > 0 ? records / known : -1;
}
