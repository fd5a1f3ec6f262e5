/*-------------------------------------------------------------------------
 *
 * progress.c
 *	  How far the running scans and writes have come, for all to see.
 *
 * A slot in shared memory belongs to the backend that claimed it.  Each has a
 * node in the backend's memory, in the context that was current when it was
 * claimed: when that context goes, for whatever reason, the slot is freed.
 * Backends that exit in the midst free theirs in before_shmem_exit.
 *
 * The lock is taken exclusively to claim or free a slot or to change a string in
 * one, shared to read.  The counters of a slot are stored by its owner without
 * the lock and may be read torn where the machine has no 64-bit stores; they
 * are for eyes only.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/report/progress.h"
#include "api/shared/shared.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(xero_progress);

#define MAX_SLOTS 512

typedef struct SharedProgress
{
	LWLock		lock;
	XeroProgress slots[MAX_SLOTS];
} SharedProgress;

typedef struct Claim
{
	dlist_node	node;
	XeroProgress *slot;			/* NULL once freed */
	MemoryContextCallback callback;
} Claim;

/* Those of this backend with a slot, the latest first. */
static dlist_head claims = DLIST_STATIC_INIT(claims);

static Size
progress_size(int length)
{
	return sizeof(SharedProgress);
}

static void
initialize_progress(void *memory, int length, int tranche)
{
	SharedProgress *shared = memory;

	memset(shared, 0, sizeof(SharedProgress));
	LWLockInitialize(&shared->lock, tranche);
}

static XeroSharedPart part = {
	.size = progress_size,
	.initialize = initialize_progress
};

void
xero_progress_init(void)
{
	xero_shared_register(&part);
}

static void
free_slot(Claim *claim)
{
	SharedProgress *shared = part.memory;

	if (claim->slot == NULL)
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	claim->slot->pid = 0;
	LWLockRelease(&shared->lock);
	claim->slot = NULL;
	dlist_delete(&claim->node);
}

static void
owner_is_reset(void *arg)
{
	free_slot(arg);
}

static void
backend_exits(int code, Datum arg)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &claims)
		free_slot(dlist_container(Claim, node, iter.cur));
}

/* A free slot becomes this backend's; NULL if there is none. */
static XeroProgress *
claim_slot(SharedProgress *shared, Oid relid, const char *phase)
{
	XeroProgress *slot = NULL;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < MAX_SLOTS && slot == NULL; i++)
	{
		if (shared->slots[i].pid == 0)
			slot = &shared->slots[i];
	}
	if (slot != NULL)
	{
		memset(slot, 0, sizeof(*slot));
		slot->dbid = MyDatabaseId;
		slot->relid = relid;
		slot->pages_total = -1;
		strlcpy(slot->phase, phase, sizeof(slot->phase));
		slot->pid = MyProcPid;
	}
	LWLockRelease(&shared->lock);
	return slot;
}

XeroProgress *
xero_progress_begin(Oid relid, const char *phase)
{
	static bool exit_registered = false;
	SharedProgress *shared = xero_shared_part(&part);
	Claim	   *claim = palloc0(sizeof(Claim));

	if (!exit_registered)
	{
		before_shmem_exit(backend_exits, (Datum) 0);
		exit_registered = true;
	}
	claim->callback.func = owner_is_reset;
	claim->callback.arg = claim;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &claim->callback);

	claim->slot = claim_slot(shared, relid, phase);
	if (claim->slot != NULL)
		dlist_push_head(&claims, &claim->node);
	return claim->slot;
}

void
xero_progress_end(XeroProgress *progress)
{
	dlist_iter	iter;

	if (progress == NULL)
		return;
	dlist_foreach(iter, &claims)
	{
		Claim	   *claim = dlist_container(Claim, node, iter.cur);

		if (claim->slot == progress)
		{
			free_slot(claim);
			break;
		}
	}
}

void
xero_progress_waiting(const char *what)
{
	SharedProgress *shared = part.memory;
	dlist_iter	iter;

	if (what == NULL)
		what = "";
	if (dlist_is_empty(&claims))
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	dlist_foreach(iter, &claims)
	{
		Claim	   *claim = dlist_container(Claim, node, iter.cur);

		strlcpy(claim->slot->waiting_for, what,
				sizeof(claim->slot->waiting_for));
	}
	LWLockRelease(&shared->lock);
}

/* SQL: the slots of this database. */
Datum
xero_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SharedProgress *shared = xero_shared_part(&part);
	XeroProgress *copy;

	InitMaterializedSRF(fcinfo, 0);
	copy = palloc(sizeof(shared->slots));
	LWLockAcquire(&shared->lock, LW_SHARED);
	memcpy(copy, shared->slots, sizeof(shared->slots));
	LWLockRelease(&shared->lock);

	for (int i = 0; i < MAX_SLOTS; i++)
	{
		XeroProgress *slot = &copy[i];
		Datum		values[8];
		bool		nulls[8] = {0};

		if (slot->pid == 0 || slot->dbid != MyDatabaseId)
			continue;
		values[0] = Int32GetDatum(slot->pid);
		values[1] = ObjectIdGetDatum(slot->relid);
		values[2] = CStringGetTextDatum(slot->phase);
		values[3] = Int64GetDatum(slot->pages_done);
		nulls[4] = slot->pages_total < 0;
		values[4] = Int64GetDatum(slot->pages_total);
		values[5] = Int64GetDatum(slot->rows);
		values[6] = Int64GetDatum(slot->bytes_in);
		nulls[7] = slot->waiting_for[0] == '\0';
		values[7] = CStringGetTextDatum(slot->waiting_for);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	pfree(copy);
	return (Datum) 0;
}
