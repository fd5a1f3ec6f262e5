/*-------------------------------------------------------------------------
 *
 * progress.h
 *	  How far the running scans and writes have come, for all to see.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_PROGRESS_H
#define XERO_PROGRESS_H

#include "compat.h"

/*
 * One running scan or write, in shared memory.  Its backend stores into the
 * counters without a lock; others only read them.
 */
typedef struct XeroProgress
{
	int			pid;			/* 0: the slot is free */
	Oid			dbid;
	Oid			relid;
	char		phase[24];
	char		waiting_for[24];	/* "" if not waiting */
	int64		pages_done;
	int64		pages_total;	/* -1: not known */
	int64		rows;
	int64		bytes_in;
} XeroProgress;

/*
 * Show a scan or write of "relid".  NULL when too many run already: it then
 * runs unseen.  The slot goes with CurrentMemoryContext at the latest, so an
 * error needs no care.  Raises an ERROR if there is no shared memory.
 */
extern XeroProgress *xero_progress_begin(Oid relid, const char *phase);

/* It has ended; NULL is allowed. */
extern void xero_progress_end(XeroProgress *progress);

/* What all scans of this backend now wait for; NULL: for nothing. */
extern void xero_progress_waiting(const char *what);

/* In _PG_init. */
extern void xero_progress_init(void);

#endif							/* XERO_PROGRESS_H */
