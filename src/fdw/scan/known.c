/*-------------------------------------------------------------------------
 *
 * known.c
 *	  Rows that have come, by the values of one column.
 *
 * Rows are kept in some tuplestores, by the hash of the column, so that memory
 * is bounded and whoever looks for those of a value reads few others.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/known.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/typcache.h"

/* A tuplestore takes some kilobytes, whatever is in it. */
#define MOST_BUCKETS	64
#define BUCKET_KILOBYTES 64

typedef struct Bucket
{
	Tuplestorestate *rows;		/* NULL before the first one */
	List	   *keys;			/* XeroRowKeys whose rows are all there */
} Bucket;

struct XeroKnown
{
	MemoryContext mcxt;
	AttrNumber	attno;			/* 0: by no column */
	Oid			collation;
	FmgrInfo	hash;
	FmgrInfo	equal;
	int16		typlen;
	bool		typbyval;
	Bucket	   *buckets;		/* NULL while there is nothing */
	int			nbuckets;
	bool		has_keys;
};

XeroKnown *
xero_known_create(MemoryContext mcxt, Form_pg_attribute column)
{
	XeroKnown  *known = MemoryContextAllocZero(mcxt, sizeof(XeroKnown));
	TypeCacheEntry *type;

	known->mcxt = mcxt;
	known->nbuckets = 1;
	if (column == NULL)
		return known;
	type = lookup_type_cache(column->atttypid, TYPECACHE_HASH_PROC_FINFO |
							 TYPECACHE_EQ_OPR_FINFO);
	known->attno = column->attnum;
	known->collation = column->attcollation;
	known->typlen = column->attlen;
	known->typbyval = column->attbyval;
	known->nbuckets = Max(1, Min(MOST_BUCKETS, work_mem / BUCKET_KILOBYTES));
	fmgr_info_copy(&known->hash, &type->hash_proc_finfo, mcxt);
	fmgr_info_copy(&known->equal, &type->eq_opr_finfo, mcxt);
	return known;
}

static Bucket *
bucket_of(XeroKnown *known, uint32 hash)
{
	if (known->buckets == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(known->mcxt);

		known->buckets = palloc0(sizeof(Bucket) * known->nbuckets);
		MemoryContextSwitchTo(old);
	}
	return &known->buckets[hash % known->nbuckets];
}

static Tuplestorestate *
rows_of(XeroKnown *known, uint32 hash)
{
	Bucket	   *bucket = bucket_of(known, hash);

	if (bucket->rows == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(known->mcxt);

		bucket->rows = tuplestore_begin_heap(false, false,
											 work_mem / known->nbuckets);
		tuplestore_set_eflags(bucket->rows, EXEC_FLAG_REWIND);
		MemoryContextSwitchTo(old);
	}
	return bucket->rows;
}

static uint32
hash_of(XeroKnown *known, Datum value)
{
	return DatumGetUInt32(FunctionCall1Coll(&known->hash, known->collation,
											value));
}

XeroRowKey *
xero_make_key(XeroKnown *known, Datum value)
{
	XeroRowKey *key = palloc(sizeof(XeroRowKey));

	key->hash = hash_of(known, value);
	key->value = value;
	return key;
}

XeroRowKey *
xero_copy_key(const XeroKnown *known, const XeroRowKey *key)
{
	XeroRowKey *copy = palloc(sizeof(XeroRowKey));

	copy->hash = key->hash;
	copy->value = datumCopy(key->value, known->typbyval, known->typlen);
	return copy;
}

bool
xero_row_key(XeroKnown *known, TupleTableSlot *row, XeroRowKey *key)
{
	bool		isnull;

	key->value = slot_getattr(row, known->attno, &isnull);
	if (isnull)
		return false;
	key->hash = hash_of(known, key->value);
	return true;
}

bool
xero_has_key(XeroKnown *known, List *keys, const XeroRowKey *key)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		const XeroRowKey *other = lfirst(lc);

		if (other->hash == key->hash &&
			DatumGetBool(FunctionCall2Coll(&known->equal, known->collation,
										   other->value, key->value)))
			return true;
	}
	return false;
}

void
xero_know_row(XeroKnown *known, TupleTableSlot *row)
{
	XeroRowKey	key = {0};

	if (known->attno != 0 && !xero_row_key(known, row, &key))
		return;
	tuplestore_puttupleslot(rows_of(known, key.hash), row);
}

void
xero_know_key(XeroKnown *known, const XeroRowKey *key)
{
	Bucket	   *bucket = bucket_of(known, key->hash);
	MemoryContext old = MemoryContextSwitchTo(known->mcxt);

	bucket->keys = lappend(bucket->keys, xero_copy_key(known, key));
	known->has_keys = true;
	MemoryContextSwitchTo(old);
}

bool
xero_is_known(XeroKnown *known, const XeroRowKey *key)
{
	return xero_has_key(known, bucket_of(known, key->hash)->keys, key);
}

bool
xero_knows_keys(const XeroKnown *known)
{
	return known->has_keys;
}

Tuplestorestate *
xero_known_rows(XeroKnown *known, const XeroRowKey *key)
{
	return rows_of(known, key ? key->hash : 0);
}

void
xero_known_clear(XeroKnown *known)
{
	known->has_keys = false;
	if (known->buckets == NULL)
		return;
	for (int i = 0; i < known->nbuckets; i++)
	{
		if (known->buckets[i].rows)
			tuplestore_clear(known->buckets[i].rows);
		list_free_deep(known->buckets[i].keys);
		known->buckets[i].keys = NIL;
	}
}

void
xero_known_end(XeroKnown *known)
{
	if (known->buckets == NULL)
		return;
	for (int i = 0; i < known->nbuckets; i++)
	{
		if (known->buckets[i].rows)
			tuplestore_end(known->buckets[i].rows);
	}
}
