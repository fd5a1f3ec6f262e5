/*-------------------------------------------------------------------------
 *
 * probe.h
 *	  Does a host answer, whoever it is that asks?
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PROBE_H
#define XERO_PROBE_H

#include "compat.h"

#include "api/http/http.h"
#include "api/shared/server.h"

/* So many may be asked at once. */
#define XERO_MAX_PROBES 4

typedef struct XeroProbe
{
	const char *base;			/* URL without a trailing slash */
	const char *path;
	XeroHttpResult result;		/* filled in, but for the body */
} XeroProbe;

/*
 * GET from each of them, once, at the same time, without credentials, and wait
 * until all have ended, for as long as one request may take.  What comes of it
 * is no ERROR.  They cost nothing of the budget, and do appear in
 * xero_fdw.requests.
 */
extern void xero_probe(const XeroServer *server, XeroProbe *probes,
					   int nprobes);

#endif							/* XERO_PROBE_H */
