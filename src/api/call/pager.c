/*-------------------------------------------------------------------------
 *
 * pager.c
 *	  One list, response by response.
 *
 * Xero cuts lists in four ways (XeroPaging).  This file knows which request
 * comes next and when a list has ended; it does not look into responses, so
 * the reader of the rows reports what it found.
 *
 * Where the number of pages is known from the first response and all of them
 * will be wanted, the following pages are requested before they are needed.
 * Requests and unread responses together never exceed the bound that the
 * caller sets: that bounds memory as well as the share of the budget.
 *
 * Calls in flight are owned by the pager's memory context: deleting it
 * abandons them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/call/pager.h"

#include "api/call/page_cache.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

struct XeroPager
{
	MemoryContext cxt;
	const XeroServer *server;
	XeroPagerSpec spec;

	int64		page;			/* present page, one less before the first */
	int64		pages;			/* page count, -1 while unknown */
	int64		requested;		/* last page asked for */
	int64		offset;			/* XERO_PAGING_OFFSET: where to go on */
	bool		finished;		/* no page after the present one */
	int64		reread;			/* this page comes next, again; 0 for none */

	XeroCall   *current;		/* owns the response handed out, or to be */
	bool		coming;			/* that has not been handed out */
	XeroCall  **ahead;			/* pages page+1 .. requested, by page number
								 * modulo nahead */
	int			nahead;
};

static bool
sends_page_size(const XeroObject *object)
{
	return object->max_page_size > 0;
}

int
xero_pager_page_size(const XeroObject *object, int wanted)
{
	if (!sends_page_size(object))
		return object->default_page_size;
	return Min(wanted, object->max_page_size);
}

/* page= or offset= of one request; the part starts with "&" if "more". */
static void
append_paging(StringInfo query, const XeroObject *object, int page_size,
			  int64 page, const char *offset)
{
	const char *sep = query->len > 0 ? "&" : "";

	switch (object->paging)
	{
		case XERO_PAGING_NONE:
			break;
		case XERO_PAGING_PAGE:
		case XERO_PAGING_BARE:
			appendStringInfo(query, "%spage=" INT64_FORMAT, sep, page);
			if (sends_page_size(object))
				appendStringInfo(query, "&pageSize=%d",
								 xero_pager_page_size(object, page_size));
			break;
		case XERO_PAGING_OFFSET:
			appendStringInfo(query, "%soffset=%s", sep, offset);
			break;
	}
}

char *
xero_pager_first_query(const XeroObject *object, int page_size,
					   int64 first_page, const char *offset)
{
	StringInfoData query;

	initStringInfo(&query);
	append_paging(&query, object, page_size, first_page, offset);
	return query.data;
}

XeroPager *
xero_pager_begin(MemoryContext owner, const XeroServer *server,
				 const XeroPagerSpec *spec)
{
	MemoryContext cxt = AllocSetContextCreate(owner, "Xero pager",
											  ALLOCSET_SMALL_SIZES);
	XeroPager  *pager = MemoryContextAllocZero(cxt, sizeof(XeroPager));

	pager->cxt = cxt;
	pager->server = server;
	pager->spec = *spec;
	pager->page = pager->requested = spec->first_page - 1;
	pager->pages = -1;
	pager->offset = spec->after;
	pager->nahead = Max(spec->ahead - 1, 1);
	pager->ahead = MemoryContextAllocZero(cxt,
										  sizeof(XeroCall *) * pager->nahead);
	return pager;
}

void
xero_pager_free(XeroPager *pager)
{
	MemoryContextDelete(pager->cxt);
}

static XeroCall *
request_page(XeroPager *pager, int64 page)
{
	XeroCallSpec call = {0};
	StringInfoData query;
	MemoryContext old = MemoryContextSwitchTo(pager->cxt);
	XeroCall   *result;

	initStringInfo(&query);
	appendStringInfoString(&query, pager->spec.query);
	if (!pager->spec.single)
		append_paging(&query, pager->spec.object, pager->spec.page_size,
					  page, psprintf(INT64_FORMAT, pager->offset));

	call.method = "GET";
	call.path = pager->spec.path;
	call.query = query.data;
	call.modified_since = pager->spec.modified_since;
	call.missing_ok = pager->spec.single ||
		(page > 1 && page == pager->spec.first_page);
	call.cache = pager->spec.cache;
	call.stats = pager->spec.stats;
	result = xero_call_begin(pager->cxt, pager->server, &call);

	pfree(query.data);
	MemoryContextSwitchTo(old);
	return result;
}

/* Ask for as many of the following pages as may be outstanding. */
static void
request_ahead(XeroPager *pager)
{
	int64		last = pager->pages;

	if (pager->spec.ahead <= 1 || pager->pages < 0)
		return;
	if (pager->spec.last_ahead > 0)
		last = Min(last, pager->spec.last_ahead);
	while (pager->requested < last &&
		   pager->requested < pager->page + pager->nahead)
	{
		pager->requested++;
		pager->ahead[pager->requested % pager->nahead] =
			request_page(pager, pager->requested);
	}
}

void
xero_pager_start(XeroPager *pager)
{
	Assert(pager->requested == pager->spec.first_page - 1);
	pager->requested++;
	pager->ahead[pager->requested % pager->nahead] =
		request_page(pager, pager->requested);
}

XeroCall *
xero_pager_request(XeroPager *pager)
{
	if (pager->coming)
		return pager->current;
	if (pager->current)
		xero_call_free(pager->current);
	pager->current = NULL;
	if (pager->finished && pager->reread == 0)
		return NULL;

	pager->coming = true;
	if (pager->reread > 0)
	{
		pager->current = request_page(pager, pager->reread);
		pager->reread = 0;
		return pager->current;
	}

	pager->page++;
	if (pager->page <= pager->requested)
	{
		XeroCall  **slot = &pager->ahead[pager->page % pager->nahead];

		pager->current = *slot;
		*slot = NULL;
	}
	else
	{
		pager->requested = pager->page;
		pager->current = request_page(pager, pager->page);
	}
	request_ahead(pager);
	return pager->current;
}

const XeroResponse *
xero_pager_next(XeroPager *pager)
{
	XeroCall   *call = xero_pager_request(pager);

	pager->coming = false;
	return call ? xero_call_finish(call) : NULL;
}

void
xero_pager_set_pages(XeroPager *pager, int64 pages)
{
	pager->pages = pages;
	request_ahead(pager);
}

/*
 * Without a page count a list ends with a short page.  What is short depends
 * on whether the server heeds pageSize, which not all lists do.
 */
static bool
is_short_page(const XeroPager *pager, int64 records)
{
	int64		served = pager->spec.object->default_page_size;
	int64		asked = xero_pager_page_size(pager->spec.object,
											 pager->spec.page_size);

	if (records < Min(served, asked))
		return true;
	return records > served && records < asked;
}

void
xero_pager_end_page(XeroPager *pager, int64 records, int64 offset)
{
	if (pager->spec.single || records == 0)
	{
		pager->finished = true;
		return;
	}

	switch (pager->spec.object->paging)
	{
		case XERO_PAGING_NONE:
			pager->finished = true;
			break;
		case XERO_PAGING_PAGE:
		case XERO_PAGING_BARE:
			if (pager->pages >= 0)
				pager->finished = pager->page >= pager->pages;
			else
				pager->finished = is_short_page(pager, records);
			break;
		case XERO_PAGING_OFFSET:

			/*
			 * A short page is not the end here; only an empty one is.  An
			 * offset that stands still would ask for ever.
			 */
			if (offset <= pager->offset)
				ereport(ERROR,
						(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
						 errmsg("Xero sent the same page of \"%s\" again",
								pager->spec.path),
						 errdetail("Offset %lld was asked for and the page ended with %lld.",
								   (long long) pager->offset,
								   (long long) offset)));
			pager->offset = offset;
			pager->finished = pager->spec.last > 0 && offset >= pager->spec.last;
			break;
	}
}

void
xero_pager_reread(XeroPager *pager, int64 page)
{
	Assert(page > 0 && page <= pager->page);
	pager->reread = page;

	/* the list has changed: what is kept of it does not fit together */
	if (pager->spec.cache)
		xero_page_cache_forget(pager->spec.cache);
	pager->spec.cache = NULL;
}

int64
xero_pager_page(const XeroPager *pager)
{
	return pager->page;
}

int64
xero_pager_pages(const XeroPager *pager)
{
	return pager->pages;
}
