/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  The one piece of shared memory of this extension.
 *
 * If the library was preloaded, it is part of the main segment.  If not, since
 * PostgreSQL 17 it is a named DSM segment that the first backend to need it
 * makes, and before that its first use is an error, since a budget that each
 * backend keeps for itself would be none.  Only in the main segment does what
 * is known of the day outlive a restart: it takes the postmaster to save it.
 *
 * One struct, each part of it with a lock of its own, all of one tranche:
 *	- progress_lock: taken exclusively to claim or free a slot or to change a
 *	  string in one, shared to read.  The counters of a slot are stored by its
 *	  owner without a lock and may be read torn where the machine has no
 *	  64-bit stores; they are for eyes only.
 *	- issuer_lock: taken exclusively to replace the keys, shared to copy them.
 *	- log_lock: taken exclusively to write an entry, shared to copy them.
 *	- the budget's: see budget.c.
 *	- the tokens': see slots.c.
 * A backend holds one of these locks at a time, and only for copying and
 * arithmetic: no I/O, no palloc, no ereport.
 *
 * The ring of requests and, after it, the budget and the tokens are as long as
 * settings say.
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

/*
 * Default and bounds of the budgets, which take some 6 kB, and how many tokens
 * are shared at most, which take 18; those that have no room are in a table.
 */
#define TENANTS 100
#define MAX_TENANTS 10000
#define MAX_SLOTS 200

/* What the settings say, at the time when the segment is made. */
typedef struct Lengths
{
	int			requests;
	int			tenants;
} Lengths;

static Lengths lengths = {LOG_SIZE, TENANTS};
static XeroShared *shared = NULL;

/* Where the budget begins. */
static Size
budget_offset(void)
{
	return MAXALIGN(add_size(offsetof(XeroShared, log),
							 mul_size(lengths.requests,
									  sizeof(XeroLoggedRequest))));
}

/* Where the tokens begin. */
static Size
slots_offset(void)
{
	return MAXALIGN(add_size(budget_offset(),
							 xero_budget_size(lengths.tenants, MaxBackends)));
}

static int
slots_count(void)
{
	return Min(lengths.tenants, MAX_SLOTS);
}

static Size
shared_size(void)
{
	return add_size(slots_offset(),
					xero_slots_size(slots_count(), MaxBackends));
}

static XeroBudget *
budget_in(XeroShared *segment)
{
	return (XeroBudget *) ((char *) segment + segment->budget_at);
}

static XeroSlots *
slots_in(XeroShared *segment)
{
	return (XeroSlots *) ((char *) segment + segment->slots_at);
}

static void
initialize(void *segment)
{
	XeroShared *fresh = segment;

	memset(fresh, 0, offsetof(XeroShared, log));
	fresh->tranche = LWLockNewTrancheId();
	LWLockInitialize(&fresh->progress_lock, fresh->tranche);
	LWLockInitialize(&fresh->issuer_lock, fresh->tranche);
	LWLockInitialize(&fresh->log_lock, fresh->tranche);
	fresh->log_size = lengths.requests;
	fresh->budget_at = budget_offset();
	xero_budget_initialize(budget_in(fresh), fresh->tranche, lengths.tenants,
						   MaxBackends);
	fresh->slots_at = slots_offset();
	xero_slots_initialize(slots_in(fresh), fresh->tranche, slots_count(),
						  MaxBackends);
}

static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;
static XeroShared *main_segment = NULL;

static void
request_memory(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(shared_size());
}

/* The postmaster stops. */
static void
save_budget(int code, Datum arg)
{
	if (code == 0)
		xero_budget_save(budget_in(main_segment));
}

static void
create_memory(void)
{
	bool		found;

	if (next_startup_hook)
		next_startup_hook();

	shared = NULL;
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	main_segment = ShmemInitStruct("xero_fdw", shared_size(), &found);
	if (!found)
	{
		initialize(main_segment);
		xero_budget_load(budget_in(main_segment));
	}
	LWLockRelease(AddinShmemInitLock);
	if (!IsUnderPostmaster)
		on_shmem_exit(save_budget, (Datum) 0);
}

#ifdef XERO_HAVE_DSM_REGISTRY

static void
set_lengths(void *segment)
{
	*(Lengths *) segment = lengths;
}

/*
 * Settings may change as long as backends come and go, but the segment stays
 * as it is, and must be asked for by its size: the first backend's settings
 * are kept in a segment of their own.
 */
static XeroShared *
find_named_segment(void)
{
	bool		found;

	lengths = *(Lengths *) GetNamedDSMSegment("xero_fdw lengths",
											  sizeof(Lengths), set_lengths,
											  &found);
	return GetNamedDSMSegment("xero_fdw", shared_size(), initialize, &found);
}

#endif							/* XERO_HAVE_DSM_REGISTRY */

static XeroShared *
find_segment(void)
{
#ifdef XERO_HAVE_DSM_REGISTRY
	if (main_segment == NULL)
		return find_named_segment();
#endif
	if (main_segment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("xero_fdw must be loaded via shared_preload_libraries"),
				 errhint("Add xero_fdw to shared_preload_libraries and restart the server.")));
	return main_segment;
}

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
							&lengths.requests, LOG_SIZE, 0, MAX_LOG_SIZE,
							process_shared_preload_libraries_in_progress ?
							PGC_POSTMASTER : PGC_SIGHUP,
							0, NULL, NULL, NULL);

	DefineCustomIntVariable("xero_fdw.max_tenants",
							"Number of organisations in Xero that are called at the same time.",
							"With more of them, those that are idle are forgotten.",
							&lengths.tenants, TENANTS, 1, MAX_TENANTS,
							process_shared_preload_libraries_in_progress ?
							PGC_POSTMASTER : PGC_SIGHUP,
							0, NULL, NULL, NULL);

	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = create_memory;
}

XeroShared *
xero_shared_attach(void)
{
	if (shared == NULL)
	{
		shared = find_segment();
		LWLockRegisterTranche(shared->tranche, "xero_fdw");
	}
	return shared;
}

XeroBudget *
xero_shared_budget(void)
{
	return budget_in(xero_shared_attach());
}

XeroSlots *
xero_shared_slots(void)
{
	return slots_in(xero_shared_attach());
}

XeroShared *
xero_shared_if_attached(void)
{
	return shared;
}
