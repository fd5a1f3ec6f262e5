/*-------------------------------------------------------------------------
 *
 * budget_file.c
 *	  What of the budgets is kept over a restart.
 *
 * The postmaster writes the file when it stops, also when it is told to stop
 * immediately, and reads and removes it when it starts, so after a crash there
 * is none, and Xero's headers tell what is left, one organisation at a time.
 * What a caller has for its own is not kept.  A
 * backend that was stopped immediately may have been writing an entry; then
 * numbers of it are wrong until the next answer tells.  Minutes are not kept: a
 * restart takes about as long, and the first answer tells.
 *
 * A file that is damaged or of another version is left aside with a message:
 * nothing in it is needed.  Its times are the calendar's, which may have been
 * set meanwhile, so what they say is believed within bounds.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <unistd.h>

#include "api/budget/entries.h"
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"

#define BUDGET_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/xero_fdw.budget"
#define TEMPORARY_FILE BUDGET_FILE ".tmp"

/* Changes with the struct below. */
static const uint32 magic = 0x58455233;

/* Times are those of the calendar, 0 where there is none. */
typedef struct SavedEntry
{
	XeroBudgetKey key;
	XeroBudgetStats stats;
	TimestampTz day_began;
	TimestampTz day_observed_at;
	TimestampTz day_resets_at;
	int			day_left;
	int			day_most;
	int			day_ours;
	int			nproofs;
	XeroCaller	proofs[XERO_MAX_PROOFS];
	pg_crc32c	crc;			/* of all before it */
} SavedEntry;

static pg_crc32c
crc_of(const SavedEntry *saved)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, saved, offsetof(SavedEntry, crc));
	FIN_CRC32C(crc);
	return crc;
}

static void
save_entry(SavedEntry *saved, const XeroBudgetEntry *entry)
{
	const XeroDay *day = &entry->quota.day;

	memset(saved, 0, sizeof(*saved));
	saved->key = entry->key;
	saved->stats = entry->stats;
	saved->day_began = xero_budget_wall_time(day->began);
	saved->day_observed_at = xero_budget_wall_time(day->observed_at);
	if (day->resets_at > 0)
		saved->day_resets_at = xero_budget_wall_time(day->resets_at);
	saved->day_left = day->left;
	saved->day_most = day->most;
	saved->day_ours = day->ours;
	saved->nproofs = entry->proofs.count;
	memcpy(saved->proofs, entry->proofs.callers,
		   saved->nproofs * sizeof(XeroCaller));
	saved->crc = crc_of(saved);
}

static bool
has_valid_times(const SavedEntry *saved)
{
	return IS_VALID_TIMESTAMP(saved->stats.since) &&
		IS_VALID_TIMESTAMP(saved->day_began) &&
		IS_VALID_TIMESTAMP(saved->day_observed_at) &&
		IS_VALID_TIMESTAMP(saved->day_resets_at);
}

static void
load_entry(XeroBudget *budget, const SavedEntry *saved)
{
	int64		now = xero_budget_now();
	XeroBudgetEntry *entry;
	XeroDay    *day;

	if (!has_valid_times(saved) ||
		saved->nproofs < 0 || saved->nproofs > XERO_MAX_PROOFS)
		return;
	entry = xero_budget_enter(budget, &saved->key, NULL, now);
	if (entry == NULL)
		return;
	entry->stats = saved->stats;
	day = &entry->quota.day;
	day->began = xero_budget_clock_time(saved->day_began);
	day->observed_at = xero_budget_clock_time(saved->day_observed_at);
	if (saved->day_resets_at != 0)
		day->resets_at = xero_budget_clock_time(saved->day_resets_at);
	day->left = saved->day_left;
	day->most = saved->day_most;
	day->ours = saved->day_ours;
	for (int i = 0; i < saved->nproofs; i++)
		xero_add_proof(&entry->proofs, &saved->proofs[i], now);
	xero_day_doubt(day, now);
}

static bool
write_entries(FILE *file, const XeroBudget *budget)
{
	if (fwrite(&magic, sizeof(magic), 1, file) != 1)
		return false;
	for (int i = 0; i < budget->nentries; i++)
	{
		const XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];
		SavedEntry	saved;

		if (!entry->used || !xero_budget_is_shared(entry))
			continue;
		save_entry(&saved, entry);
		if (fwrite(&saved, sizeof(saved), 1, file) != 1)
			return false;
	}
	return true;
}

void
xero_budget_save(void *budget)
{
	FILE	   *file = AllocateFile(TEMPORARY_FILE, PG_BINARY_W);

	if (file != NULL && write_entries(file, budget))
	{
		if (FreeFile(file) == 0)
		{
			(void) durable_rename(TEMPORARY_FILE, BUDGET_FILE, LOG);
			return;
		}
		file = NULL;
	}
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", TEMPORARY_FILE)));
	if (file != NULL)
		FreeFile(file);
	(void) unlink(TEMPORARY_FILE);
}

/* False if the file is not what xero_budget_save() writes. */
static bool
read_entries(FILE *file, XeroBudget *budget)
{
	uint32		found;
	SavedEntry	saved;
	size_t		got;

	if (fread(&found, sizeof(found), 1, file) != 1 || found != magic)
		return false;
	while ((got = fread(&saved, 1, sizeof(saved), file)) == sizeof(saved))
	{
		if (!EQ_CRC32C(saved.crc, crc_of(&saved)))
			return false;
		load_entry(budget, &saved);
	}
	return got == 0 && !ferror(file);
}

void
xero_budget_load(void *budget)
{
	FILE	   *file = AllocateFile(BUDGET_FILE, PG_BINARY_R);

	if (file == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", BUDGET_FILE)));
		return;
	}
	if (!read_entries(file, budget))
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("ignoring invalid data in file \"%s\"", BUDGET_FILE)));
	FreeFile(file);
	(void) unlink(BUDGET_FILE);
}
