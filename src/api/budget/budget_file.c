/*-------------------------------------------------------------------------
 *
 * budget_file.c
 *	  What of the budgets is kept over a restart.
 *
 * After a crash, and where a backend that was stopped immediately was writing an
 * entry, Xero's headers tell what is left, one organisation at a time.  What a
 * caller has for its own is not kept.  Nor are minutes: a restart takes about as
 * long, and the first answer tells.
 *
 * Times in the file are the calendar's, which may have been set meanwhile, so
 * what they say is believed within bounds.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/entries.h"
#include "api/shared/kept_file.h"

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
} SavedEntry;

static bool
save_entry(const void *memory, int number, void *record)
{
	const XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(memory)[number];
	const XeroDay *day = &entry->quota.day;
	SavedEntry *saved = record;

	if (!entry->used || !xero_budget_is_shared(entry))
		return false;
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
	return true;
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
load_entry(void *memory, int number, const void *record)
{
	const SavedEntry *saved = record;
	int64		now = xero_budget_now();
	XeroBudgetEntry *entry;
	XeroDay    *day;

	if (!has_valid_times(saved) ||
		saved->nproofs < 0 || saved->nproofs > XERO_MAX_PROOFS)
		return;
	entry = xero_budget_enter(memory, &saved->key, NULL, InvalidOid,
							  now);
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

static const XeroKeptFile file = {
	.name = "xero_fdw.budget",
	.magic = 0x58455234,
	.record_size = sizeof(SavedEntry),
	.save = save_entry,
	.load = load_entry
};

void
xero_budget_save(void *budget)
{
	xero_kept_save(&file, budget, ((XeroBudget *) budget)->nentries);
}

void
xero_budget_load(void *budget)
{
	xero_kept_load(&file, budget);
}
