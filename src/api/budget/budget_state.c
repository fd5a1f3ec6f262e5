/*-------------------------------------------------------------------------
 *
 * budget_state.c
 *	  What the limits of an organisation leave just now, for people.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/budget_state.h"
#include "api/shared/shared.h"

static int
remaining_of(XeroMinute *minute, int64 now, int cap)
{
	int			left = xero_window_left(&minute->window, now, cap,
										minute->pending);

	return minute->blocked_until > now ? 0 : Max(0, Min(left, cap));
}

void
xero_budget_state(XeroBudgetEntry *entry, XeroMinute *app, int64 now,
				  XeroBudgetState *state)
{
	XeroQuota  *quota = &entry->quota;
	const XeroCaps *caps = &entry->caps;
	int			left = xero_day_left(&quota->day, now, caps->day);

	state->minute_limit = caps->minute;
	state->minute_remaining = remaining_of(&quota->minute, now, caps->minute);
	state->day_limit = xero_day_limit(&quota->day, caps->day);
	state->day_remaining = quota->day.left < 0 ? -1 :
		Max(0, left - quota->minute.pending);
	state->day_resets_at = xero_day_resets(&quota->day, caps->day);
	state->concurrency = caps->concurrency;
	state->in_flight = xero_quota_in_flight(quota, now);
	state->waiting = entry->queue.waiting[XERO_INTERACTIVE] +
		entry->queue.waiting[XERO_BACKGROUND];
	state->app_minute_remaining = remaining_of(app, now, caps->app_minute);
	state->blocked_until = Max(quota->minute.blocked_until,
							   app->blocked_until);
	if (left <= 0)
		state->blocked_until = Max(state->blocked_until,
								   state->day_resets_at);
	if (state->blocked_until <= now)
		state->blocked_until = 0;
}

bool
xero_budget_look(const XeroServer *server, XeroBudgetState *state)
{
	XeroBudget *budget = xero_budget_attach();
	XeroBudgetKey key = xero_budget_key(server);
	XeroCaller	caller = xero_caller_of(server);
	XeroBudgetEntry *entry;
	int64		now;

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	entry = xero_budget_find(budget, &key, &caller, now);
	if (entry != NULL)
		xero_budget_state(entry, &XERO_BUDGET_APPS(budget)[entry->app].minute,
						  now, state);
	LWLockRelease(&budget->lock);
	return entry != NULL;
}

static void
keep_least(XeroBudgetState *least, const XeroBudgetState *state)
{
	if (state->minute_remaining < least->minute_remaining)
	{
		least->minute_remaining = state->minute_remaining;
		least->minute_limit = state->minute_limit;
	}
	if (state->day_remaining >= 0 &&
		(least->day_remaining < 0 ||
		 state->day_remaining < least->day_remaining))
	{
		least->day_remaining = state->day_remaining;
		least->day_limit = state->day_limit;
	}
}

bool
xero_budget_least(const XeroServer *server, XeroBudgetState *least)
{
	XeroBudgetKey key = xero_budget_key(server);
	XeroCaller	caller = xero_caller_of(server);
	XeroBudget *budget;
	bool		known = false;
	int64		now;

	if (!xero_shared_exists())
		return false;
	budget = xero_budget_attach();
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];
		XeroBudgetState state;

		/* what a file has brought has no caps before its first call */
		if (!entry->used || entry->key.tenant_id[0] == '\0' ||
			entry->caps.concurrency == 0 ||
			!xero_budget_is_open_to(entry, &caller) ||
			(key.tenant_id[0] != '\0' &&
			 strcmp(entry->key.tenant_id, key.tenant_id) != 0))
			continue;
		xero_budget_state(entry, &XERO_BUDGET_APPS(budget)[entry->app].minute,
						  now, &state);
		if (known)
			keep_least(least, &state);
		else
			*least = state;
		known = true;
	}
	LWLockRelease(&budget->lock);
	return known;
}
