/*-------------------------------------------------------------------------
 *
 * page_cache.h
 *	  Answers that a statement keeps, so that it asks for each once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PAGE_CACHE_H
#define XERO_PAGE_CACHE_H

#include "compat.h"

#include "api/call/call.h"

/* An answer: known, on its way, or neither. */
typedef struct XeroCachedPage
{
	XeroPageCache *cache;
	char	   *key;			/* what was asked for */
	XeroCall   *asker;			/* that it comes with; NULL: none */
	XeroResponse response;		/* the body is NULL before it is known */
} XeroCachedPage;

/* To be called by _PG_init. */
extern void xero_page_cache_init(void);

/*
 * A cache in a context that outlives all calls that use it: their contexts are
 * below it.  NULL if nothing is to be kept.
 */
extern XeroPageCache *xero_page_cache_create(MemoryContext mcxt);

/* What is known of the answer to a request. */
extern XeroCachedPage *xero_page_cache_find(XeroPageCache *cache,
											const XeroServer *server,
											const XeroCallSpec *spec);

/* It has come; it is kept if there is room. */
extern void xero_page_cache_keep(XeroCachedPage *page,
								 const XeroResponse *response);

/* Answers may be others by now: of this cache, or of any. */
extern void xero_page_cache_forget(XeroPageCache *cache);
extern void xero_page_caches_forget(void);

#endif							/* XERO_PAGE_CACHE_H */
