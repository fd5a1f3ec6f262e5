/*-------------------------------------------------------------------------
 *
 * page_cache.c
 *	  Answers that a statement keeps, so that it asks for each once.
 *
 * Scans of one statement may ask for the same pages: a list that stands there
 * twice, records and what is inside of them.  Whoever is first makes the call;
 * others wait for it, or find its answer here.
 *
 * What is kept is bounded by xero_fdw.statement_cache.  When there is no room
 * for a page, nothing more is kept: the pages that are, are the first ones of
 * their lists, as no page of a scan may be older than one before it.  A write,
 * by this session, outdates all.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>

#include "api/call/page_cache.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/* Some forty pages of a thousand invoices with their lines */
#define STATEMENT_CACHE (128 * 1024)

struct XeroPageCache
{
	MemoryContext mcxt;
	List	   *pages;			/* XeroCachedPage */
	size_t		used;			/* bytes of bodies */
	bool		full;			/* a page has found no room */
	uint64		writes;			/* that there were before */
};

static int	statement_cache = STATEMENT_CACHE;	/* kB */
static uint64 writes = 0;		/* of this session */

void
xero_page_cache_init(void)
{
	DefineCustomIntVariable("xero_fdw.statement_cache",
							"How much of Xero's answers a statement keeps that it may ask for twice.",
							"Beyond that it asks again.",
							&statement_cache, STATEMENT_CACHE, 0, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
}

XeroPageCache *
xero_page_cache_create(MemoryContext mcxt)
{
	XeroPageCache *cache;

	if (statement_cache == 0)
		return NULL;
	cache = MemoryContextAllocZero(mcxt, sizeof(XeroPageCache));
	cache->mcxt = mcxt;
	cache->writes = writes;
	return cache;
}

XeroCachedPage *
xero_page_cache_find(XeroPageCache *cache, const XeroServer *server,
					 const XeroCallSpec *spec)
{
	MemoryContext old = MemoryContextSwitchTo(cache->mcxt);
	char	   *key = psprintf("%u %s %s?%s %s", server->umid,
							   server->tenant_id ? server->tenant_id : "",
							   spec->path, spec->query,
							   spec->modified_since ? spec->modified_since : "");
	XeroCachedPage *page;
	ListCell   *lc;

	if (cache->writes != writes)
		xero_page_cache_forget(cache);
	cache->writes = writes;
	foreach(lc, cache->pages)
	{
		page = lfirst(lc);
		if (strcmp(page->key, key) == 0)
		{
			pfree(key);
			MemoryContextSwitchTo(old);
			return page;
		}
	}
	page = palloc0(sizeof(XeroCachedPage));
	page->cache = cache;
	page->key = key;
	cache->pages = lappend(cache->pages, page);
	MemoryContextSwitchTo(old);
	return page;
}

void
xero_page_cache_keep(XeroCachedPage *page, const XeroResponse *response)
{
	XeroPageCache *cache = page->cache;
	char	   *body;

	cache->full = cache->full ||
		cache->used + response->len >= (size_t) statement_cache * 1024;
	if (cache->full)
		return;
	cache->used += response->len;
	body = MemoryContextAllocHuge(cache->mcxt, response->len + 1);
	memcpy(body, response->body, response->len + 1);
	page->response = *response;
	page->response.detail = MemoryContextStrdup(cache->mcxt, response->detail);
	page->response.body = body;
}

/* Whoever has one of the answers, or waits for it, has it still. */
void
xero_page_cache_forget(XeroPageCache *cache)
{
	list_free(cache->pages);
	cache->pages = NIL;
}

void
xero_page_caches_forget(void)
{
	writes++;
}
