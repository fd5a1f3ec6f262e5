/*-------------------------------------------------------------------------
 *
 * lock.h
 *	  The lock of a sync.
 *
 * Whoever runs, changes or drops a sync holds it.  It is a lock on an object
 * of a class that is ours, the table xero_fdw.sync, which no command takes: an
 * advisory lock could be taken by anybody.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_LOCK_H
#define XERO_LOCK_H

#include "compat.h"

/* In _PG_init. */
extern void xero_lock_init(void);

/*
 * Take the lock for a run, until it is released; false if another has it, or a
 * run of this session is under way.  One that is held when the transaction that
 * surrounds the run is aborted, is released then.
 */
extern bool xero_lock_run(int32 sync_id);
extern void xero_unlock_run(void);
extern bool xero_holds_run_lock(void);

#endif							/* XERO_LOCK_H */
