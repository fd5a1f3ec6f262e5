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
 * It consists of parts, each of which belongs to a file that registers it, with
 * locks of its own, all of one tranche; how they are taken stands there.  A
 * backend holds one of these locks at a time, and only for copying and
 * arithmetic: no I/O, no palloc, no ereport.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/shared/shared.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#ifdef XERO_HAVE_DSM_REGISTRY
#include "storage/dsm_registry.h"
#endif

#define MAX_PARTS 8

/* How long the parts are, from the time when the memory is made. */
typedef struct Lengths
{
	int			of[MAX_PARTS];
} Lengths;

static XeroSharedPart *parts[MAX_PARTS];
static int	nparts = 0;
static Lengths lengths;
static bool attached = false;

/* The number of the locks' tranche comes first. */
static Size
shared_size(void)
{
	Size		size = MAXALIGN(sizeof(int));

	for (int i = 0; i < nparts; i++)
		size = add_size(size, MAXALIGN(parts[i]->size(lengths.of[i])));
	return size;
}

/* Let the parts know where they are. */
static void
attach(void *segment)
{
	char	   *place = (char *) segment + MAXALIGN(sizeof(int));

	for (int i = 0; i < nparts; i++)
	{
		parts[i]->memory = place;
		place += MAXALIGN(parts[i]->size(lengths.of[i]));
	}
}

static void
initialize(void *segment)
{
	int			tranche = LWLockNewTrancheId();

	*(int *) segment = tranche;
	attach(segment);
	for (int i = 0; i < nparts; i++)
		parts[i]->initialize(parts[i]->memory, lengths.of[i], tranche);
}

static void
read_settings(Lengths *dest)
{
	for (int i = 0; i < nparts; i++)
		dest->of[i] = parts[i]->length ? parts[i]->length() : 0;
}

static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;
static void *main_segment = NULL;

static void
request_memory(void)
{
	if (next_request_hook)
		next_request_hook();
	read_settings(&lengths);
	RequestAddinShmemSpace(shared_size());
}

/* The postmaster stops. */
static void
save_parts(int code, Datum arg)
{
	for (int i = 0; code == 0 && i < nparts; i++)
	{
		if (parts[i]->save)
			parts[i]->save(parts[i]->memory);
	}
}

static void
create_memory(void)
{
	bool		found;

	if (next_startup_hook)
		next_startup_hook();

	attached = false;
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	main_segment = ShmemInitStruct("xero_fdw", shared_size(), &found);
	if (!found)
	{
		initialize(main_segment);
		for (int i = 0; i < nparts; i++)
		{
			if (parts[i]->load)
				parts[i]->load(parts[i]->memory);
		}
	}
	LWLockRelease(AddinShmemInitLock);
	if (!IsUnderPostmaster)
		on_shmem_exit(save_parts, (Datum) 0);
}

#ifdef XERO_HAVE_DSM_REGISTRY

static void
set_lengths(void *segment)
{
	read_settings(segment);
}

/*
 * Settings may change as long as backends come and go, but the segment stays
 * as it is, and must be asked for by its size: the first backend's settings
 * are kept in a segment of their own.
 */
static void *
find_named_segment(void)
{
	bool		found;

	lengths = *(Lengths *) GetNamedDSMSegment("xero_fdw lengths",
											  sizeof(Lengths), set_lengths,
											  &found);
	return GetNamedDSMSegment("xero_fdw", shared_size(), initialize, &found);
}

#endif							/* XERO_HAVE_DSM_REGISTRY */

static void *
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
xero_shared_register(XeroSharedPart *part)
{
	Assert(nparts < MAX_PARTS);
	parts[nparts++] = part;
}

/*
 * A variable of the postmaster cannot be defined by a library that a backend
 * loads; there the configuration file decides likewise, at the time when the
 * memory is made.
 */
GucContext
xero_shared_setting_context(void)
{
	return process_shared_preload_libraries_in_progress ? PGC_POSTMASTER :
		PGC_SIGHUP;
}

void
xero_shared_init(void)
{
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = create_memory;
}

bool
xero_shared_exists(void)
{
#ifdef XERO_HAVE_DSM_REGISTRY
	return !IsBinaryUpgrade;
#else
	return main_segment != NULL;
#endif
}

void
xero_shared_attach(void)
{
	void	   *segment;

	if (attached)
		return;
	segment = find_segment();
	attach(segment);
	LWLockRegisterTranche(*(int *) segment, "xero_fdw");
	attached = true;
}

void *
xero_shared_part(XeroSharedPart *part)
{
	xero_shared_attach();
	return part->memory;
}
