/*-------------------------------------------------------------------------
 *
 * seen.c
 *	  Keys of the records on recent pages.
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

#include "fdw/scan/seen.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

typedef struct SeenEntry
{
	pg_uuid_t	key;
	char		status;
} SeenEntry;

#define SH_PREFIX		seenkeys
#define SH_ELEMENT_TYPE	SeenEntry
#define SH_KEY_TYPE		pg_uuid_t
#define SH_KEY			key
#define SH_HASH_KEY(rb, k)	hash_bytes((k).data, UUID_LEN)
#define SH_EQUAL(rb, a, b)	(memcmp((a).data, (b).data, UUID_LEN) == 0)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct XeroSeen
{
	MemoryContext mcxt;
	seenkeys_hash *pages[XERO_SEEN_PAGES];	/* newest first; NULL if none */
};

XeroSeen *
xero_seen_create(MemoryContext mcxt)
{
	XeroSeen   *seen = MemoryContextAllocZero(mcxt, sizeof(XeroSeen));

	seen->mcxt = mcxt;
	xero_seen_next_page(seen);
	return seen;
}

void
xero_seen_next_page(XeroSeen *seen)
{
	if (seen->pages[XERO_SEEN_PAGES - 1])
		seenkeys_destroy(seen->pages[XERO_SEEN_PAGES - 1]);
	for (int i = XERO_SEEN_PAGES - 1; i > 0; i--)
		seen->pages[i] = seen->pages[i - 1];
	seen->pages[0] = seenkeys_create(seen->mcxt, 1024, NULL);
}

bool
xero_seen_add(XeroSeen *seen, const pg_uuid_t *key)
{
	bool		found;

	for (int i = 1; i < XERO_SEEN_PAGES; i++)
	{
		if (seen->pages[i] && seenkeys_lookup(seen->pages[i], *key))
			return false;
	}
	seenkeys_insert(seen->pages[0], *key, &found);
	return !found;
}
