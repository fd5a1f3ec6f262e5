/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  The one piece of shared memory of this extension.
 *
 * Since PostgreSQL 17 it is a named DSM segment that the first backend to need
 * it makes.  Before that it is part of the main segment, which exists only if
 * the library was preloaded; without that, the first use is an error, since a
 * budget that each backend keeps for itself would be none.
 *
 * One struct, each part of it with a lock of its own, all of one tranche:
 *	- progress_lock: taken exclusively to claim or free a slot or to change a
 *	  string in one, shared to read.  The counters of a slot are stored by its
 *	  owner without a lock and may be read torn where the machine has no
 *	  64-bit stores; they are for eyes only.
 *	- log_lock: taken exclusively to write an entry, shared to copy them.
 * A backend holds one of these locks at a time, and only for copying and
 * arithmetic: no I/O, no palloc, no ereport.
 *
 * Whoever adds a part adds its own lock before the ring, which must stay last
 * because its length is a setting.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/shared.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#ifdef XERO_HAVE_DSM_REGISTRY
#include "storage/dsm_registry.h"
#endif

/* Default and bounds of the ring, whose entries take some 600 bytes. */
#define LOG_SIZE 1000
#define MAX_LOG_SIZE 1000000

static int	request_log_size = LOG_SIZE;
static XeroShared *shared = NULL;

static Size
shared_size(int log_size)
{
	return add_size(offsetof(XeroShared, log),
					mul_size(log_size, sizeof(XeroLoggedRequest)));
}

static void
initialize(void *segment)
{
	XeroShared *fresh = segment;

	memset(fresh, 0, offsetof(XeroShared, log));
	fresh->tranche = LWLockNewTrancheId();
	LWLockInitialize(&fresh->progress_lock, fresh->tranche);
	LWLockInitialize(&fresh->log_lock, fresh->tranche);
	fresh->log_size = request_log_size;
}

#ifdef XERO_HAVE_DSM_REGISTRY

static void
find_segment(void)
{
	bool		found;
	XeroShared *segment = GetNamedDSMSegment("xero_fdw",
											 shared_size(request_log_size),
											 initialize, &found);

	LWLockRegisterTranche(segment->tranche, "xero_fdw");
	shared = segment;
}

#else

static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;
static XeroShared *main_segment = NULL;

static void
request_memory(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(shared_size(request_log_size));
}

static void
create_memory(void)
{
	bool		found;

	if (next_startup_hook)
		next_startup_hook();

	shared = NULL;
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	main_segment = ShmemInitStruct("xero_fdw", shared_size(request_log_size),
								   &found);
	if (!found)
		initialize(main_segment);
	LWLockRelease(AddinShmemInitLock);
}

static void
find_segment(void)
{
	if (main_segment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("xero_fdw must be loaded via shared_preload_libraries"),
				 errhint("Add xero_fdw to shared_preload_libraries and restart the server.")));
	LWLockRegisterTranche(main_segment->tranche, "xero_fdw");
	shared = main_segment;
}

#endif							/* XERO_HAVE_DSM_REGISTRY */

void
xero_shared_init(void)
{
	/*
	 * A variable of the postmaster cannot be defined by a library that a
	 * backend loads; there the configuration file decides likewise, at the
	 * time when the segment is made.
	 */
	DefineCustomIntVariable("xero_fdw.request_log_size",
							"Number of calls that the view xero_fdw.requests remembers.",
							NULL,
							&request_log_size, LOG_SIZE, 0, MAX_LOG_SIZE,
							process_shared_preload_libraries_in_progress ?
							PGC_POSTMASTER : PGC_SIGHUP,
							0, NULL, NULL, NULL);

#ifndef XERO_HAVE_DSM_REGISTRY
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = create_memory;
#endif
}

XeroShared *
xero_shared_attach(void)
{
	if (shared == NULL)
		find_segment();
	return shared;
}

XeroShared *
xero_shared_if_attached(void)
{
	return shared;
}
