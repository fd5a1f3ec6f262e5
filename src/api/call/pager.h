/*-------------------------------------------------------------------------
 *
 * pager.h
 *	  One list, response by response.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PAGER_H
#define XERO_PAGER_H

#include "compat.h"

#include "api/call/call.h"
#include "catalog/catalog.h"

typedef struct XeroPagerSpec
{
	const char *path;
	const char *query;			/* percent-encoded, without paging */
	const char *modified_since; /* or NULL */
	bool		single;			/* one record: one response, 404 is allowed;
								 * else it is for a first page other than 1,
								 * which may lie behind the end */
	int64		after;			/* lists by offset: where to begin, and after */
	int64		last;			/* which number to stop; 0: at the end */
	const XeroObject *object;	/* how its lists are paged */
	int			page_size;		/* wanted; ignored where there is no pageSize */
	int64		first_page;		/* to begin with, from 1 */
	int64		last_ahead;		/* later pages may not be wanted; 0: all are */
	int			ahead;			/* requests and unread responses at once: more
								 * than one where all pages will be wanted */
	XeroPageCache *cache;		/* of the statement, or NULL */
	XeroCallStats *stats;		/* must outlive the pager */
} XeroPagerSpec;

typedef struct XeroPager XeroPager;

/*
 * Begin a list; the spec's strings must outlive the pager.  Nothing is sent
 * before xero_pager_start() or the first xero_pager_next().  Deleting "owner"
 * abandons what is in flight, as does xero_pager_free().
 */
extern XeroPager *xero_pager_begin(MemoryContext owner, const XeroServer *server,
								   const XeroPagerSpec *spec);
extern void xero_pager_free(XeroPager *pager);

/* Send the first request, without waiting for the answer. */
extern void xero_pager_start(XeroPager *pager);

/*
 * The call that the next response comes from, begun if it was not yet; NULL at
 * the end.  The response before it is gone then.  Before that the caller must
 * have reported the present page with xero_pager_end_page(), once.
 */
extern XeroCall *xero_pager_request(XeroPager *pager);

/*
 * The next response, requested if it was not yet; NULL at the end.  It stays
 * valid until the next request.
 */
extern const XeroResponse *xero_pager_next(XeroPager *pager);

/* The page's envelope has told the number of pages: ask ahead. */
extern void xero_pager_set_pages(XeroPager *pager, int64 pages);

/*
 * All of the present page has been read: so many records, and (for lists by
 * offset) the last record's offset.
 */
extern void xero_pager_end_page(XeroPager *pager, int64 records, int64 offset);

/*
 * Serve a page again, with the next call of xero_pager_next(); it is not
 * reported by xero_pager_end_page().  Afterwards the list goes on where it
 * was.
 */
extern void xero_pager_reread(XeroPager *pager, int64 page);

/*
 * Number of the furthest page that was served, from 1; page count, -1 if
 * unknown.
 */
extern int64 xero_pager_page(const XeroPager *pager);
extern int64 xero_pager_pages(const XeroPager *pager);

/* How many records a page holds if so many are wanted. */
extern int	xero_pager_page_size(const XeroObject *object, int wanted);

/*
 * The paging part of a list's first request, "" if none.  The offset is that of
 * lists by offset.
 */
extern char *xero_pager_first_query(const XeroObject *object, int page_size,
									int64 first_page, const char *offset);

#endif							/* XERO_PAGER_H */
