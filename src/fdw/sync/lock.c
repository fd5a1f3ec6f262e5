/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  The lock of a sync.
 *
 * A run commits, so its lock is the session's.  The session has one run at a
 * time: what it would wait for inside of a run, it would wait for for ever.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/lock.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(xero_sync_lock);
PG_FUNCTION_INFO_V1(xero_hold_table);

/* The lock of the run that is under way; valid if "running" is. */
static LOCKTAG run_lock;
static bool running = false;

static void
set_tag(LOCKTAG *tag, int32 sync_id)
{
	Oid			class = get_relname_relid("sync",
										  get_namespace_oid("xero_fdw", false));

	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, class, (uint32) sync_id, 0);
}

static bool
is_running(const LOCKTAG *tag)
{
	return running && memcmp(tag, &run_lock, sizeof(LOCKTAG)) == 0;
}

bool
xero_lock_run(int32 sync_id)
{
	LOCKTAG		tag;

	set_tag(&tag, sync_id);
	if (running ||
		LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	run_lock = tag;
	running = true;
	return true;
}

void
xero_unlock_run(void)
{
	if (running)
		LockRelease(&run_lock, ExclusiveLock, true);
	running = false;
}

bool
xero_holds_run_lock(void)
{
	return running;
}

/* Locks of a session end with a transaction that is aborted, as all others. */
static void
at_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		running = false;
}

void
xero_lock_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
}

/* SQL: _try_lock(sync_id), until the transaction ends */
Datum
xero_sync_lock(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	set_tag(&tag, PG_GETARG_INT32(0));
	PG_RETURN_BOOL(!is_running(&tag) &&
				   LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL);
}

/* SQL: _hold_table(relation), until the transaction ends */
Datum
xero_hold_table(PG_FUNCTION_ARGS)
{
	LockRelationOid(PG_GETARG_OID(0), AccessShareLock);
	PG_RETURN_VOID();
}
