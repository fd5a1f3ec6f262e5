/*-------------------------------------------------------------------------
 *
 * dedup.c
 *	  Deduplication of records, by the keys of those on recent pages.
 *
 * When records appear in a list while it is being read, those behind them
 * move on and come again on the next page; when records went, pages are read
 * again.  In the order of an immutable key what comes again was on the pages
 * just before, so remembering a few pages of keys is enough and memory does
 * not grow with the table.
 *
 * Each generation is a hash table in a memory context of its own; the oldest
 * is dropped whole when a page begins.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/dedup.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

typedef struct DedupEntry
{
	pg_uuid_t	key;
	char		status;
} DedupEntry;

#define SH_PREFIX		dedupkeys
#define SH_ELEMENT_TYPE	DedupEntry
#define SH_KEY_TYPE		pg_uuid_t
#define SH_KEY			key
#define SH_HASH_KEY(rb, k)	hash_bytes((k).data, UUID_LEN)
#define SH_EQUAL(rb, a, b)	(memcmp((a).data, (b).data, UUID_LEN) == 0)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct XeroDedup
{
	MemoryContext mcxt;
	dedupkeys_hash *pages[XERO_DEDUP_PAGES];	/* newest first; NULL if none */
};

XeroDedup *
xero_dedup_create(MemoryContext mcxt)
{
	XeroDedup  *dedup = MemoryContextAllocZero(mcxt, sizeof(XeroDedup));

	dedup->mcxt = mcxt;
	xero_dedup_next_page(dedup);
	return dedup;
}

void
xero_dedup_next_page(XeroDedup *dedup)
{
	if (dedup->pages[XERO_DEDUP_PAGES - 1])
		dedupkeys_destroy(dedup->pages[XERO_DEDUP_PAGES - 1]);
	for (int i = XERO_DEDUP_PAGES - 1; i > 0; i--)
		dedup->pages[i] = dedup->pages[i - 1];
	dedup->pages[0] = dedupkeys_create(dedup->mcxt, 1024, NULL);
}

bool
xero_dedup_add(XeroDedup *dedup, const pg_uuid_t *key)
{
	bool		found;

	for (int i = 1; i < XERO_DEDUP_PAGES; i++)
	{
		if (dedup->pages[i] && dedupkeys_lookup(dedup->pages[i], *key))
			return false;
	}
	dedupkeys_insert(dedup->pages[0], *key, &found);
	return !found;
}
