/*-------------------------------------------------------------------------
 *
 * quota.c
 *	  What one organisation allows now, by all its limits.
 *
 * Limits of Xero (docs, "API limits"): for an organisation and application 5
 * calls at once, 60 a minute, 5,000 or 1,000 a day; for the application 10,000
 * a minute over all organisations.
 *
 * A call that is allowed takes a slot, one of the calls at once, and is
 * pending at both minutes until it is charged.  A slot is not for ever:
 * whoever does not give it back in time has lost it, be it that a client has
 * stopped fetching from a cursor or that a process has vanished.  The slot of
 * a call that nobody waits for any more is kept for as long as calls usually
 * take, because Xero goes on working on it.
 *
 * When nothing is known (at first, and after Xero has refused a call), calls
 * go one at a time until one is answered, and tells what is left: otherwise
 * all who wait would be refused again together.
 *
 * Pure: no locks, no allocation, no errors.  See budget.c for who locks.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/quota.h"

/* Weight of the newest call in what calls usually take. */
#define NEWEST 0.2

/* What they take as long as none has ended. */
#define USUAL_MS 1000

void
xero_minute_clear(XeroMinute *minute, int64 now)
{
	memset(minute, 0, sizeof(*minute));
	xero_window_clear(&minute->window, now);
}

void
xero_quota_clear(XeroQuota *quota, int64 now)
{
	uint32		serial = quota->serial;

	/* serials go on, so that no old permit fits a new slot */
	memset(quota, 0, sizeof(*quota));
	quota->serial = serial;
	quota->refused = serial;
	quota->cleared = serial;
	xero_minute_clear(&quota->minute, now);
	xero_day_clear(&quota->day, now);
	quota->unsure = true;
	quota->usual_ms = USUAL_MS;
}

/* ---- slots ---- */

/* The call on the slot is over at both minutes. */
static void
leave_minutes(XeroQuota *quota, XeroMinute *app, XeroCallSlot *slot)
{
	Assert(slot->pending);
	slot->pending = false;
	quota->minute.pending--;
	app->pending--;
}

/* Calls that nobody has ended in time count as made. */
static void
reclaim_slots(XeroQuota *quota, XeroMinute *app, int64 now)
{
	static const XeroBaseline outdated = {0, (uint32) -1, 0};

	for (int i = 0; i < quota->nslots; i++)
	{
		XeroCallSlot *slot = &quota->slots[i];

		if (!slot->pending || slot->free_at > now)
			continue;
		leave_minutes(quota, app, slot);
		xero_window_charge(&quota->minute.window, now, outdated, -1);
		xero_window_charge(&app->window, now, outdated, -1);
		xero_day_charge(&quota->day, now, outdated, -1);
	}
	while (quota->nslots > 0 && quota->slots[quota->nslots - 1].free_at <= now)
		quota->nslots--;
}

static int
slots_taken(const XeroQuota *quota, int64 now, int64 *next_free)
{
	int			taken = 0;

	*next_free = XERO_NEVER;
	for (int i = 0; i < quota->nslots; i++)
	{
		if (quota->slots[i].free_at <= now)
			continue;
		taken++;
		*next_free = Min(*next_free, quota->slots[i].free_at);
	}
	return taken;
}

int
xero_quota_in_flight(const XeroQuota *quota, int64 now)
{
	int			count = 0;

	for (int i = 0; i < quota->nslots; i++)
	{
		if (quota->slots[i].pending && quota->slots[i].free_at > now)
			count++;
	}
	return count;
}

bool
xero_quota_is_idle(XeroQuota *quota, XeroMinute *app, int64 now)
{
	int64		next_free;

	reclaim_slots(quota, app, now);
	return quota->minute.blocked_until <= now &&
		slots_taken(quota, now, &next_free) == 0;
}

/* Calls that are under way may end at any time. */
int64
xero_quota_idle_at(const XeroQuota *quota, int64 now, int64 *look_at)
{
	(void) slots_taken(quota, now, look_at);
	if (quota->minute.blocked_until <= now)
		return now;
	*look_at = Min(*look_at, quota->minute.blocked_until);
	return quota->minute.blocked_until;
}

/* ---- what is in the way ---- */

static XeroLimit
blocked(XeroLimit limit, XeroDelay *delay, int64 provable,
		int64 look_at)
{
	delay->provable = provable;
	delay->look_at = look_at;
	delay->ordered = delay->at_latest = false;
	return limit;
}

static XeroLimit
ordered(XeroLimit limit, XeroDelay *delay, int64 until)
{
	delay->provable = delay->look_at = until;
	delay->ordered = true;
	delay->at_latest = false;
	return limit;
}

static XeroLimit
check_day(XeroQuota *quota, const XeroCaps *caps, bool background, int64 now,
		  XeroDelay *delay)
{
	XeroDay    *day = &quota->day;
	int			left = xero_day_left(day, now, caps->day);
	int64		kept = 0;
	int64		free_at;
	int64		next_free;
	bool		at_latest;

	if (background)
		kept = ((int64) xero_day_limit(day, caps->day) * caps->reserve + 99) / 100;
	if (left - quota->minute.pending > kept)
		return XERO_BLOCKED_BY_NONE;

	/* Those under way may tell that more is left. */
	if (left > kept)
	{
		(void) slots_taken(quota, now, &next_free);
		return blocked(XERO_BLOCKED_BY_CONCURRENCY, delay, now, next_free);
	}
	if (left > 0)
	{
		free_at = xero_day_free_at(day, caps->day, (int) kept, &at_latest);
		(void) blocked(XERO_BLOCKED_BY_RESERVE, delay, free_at, free_at);
		delay->at_latest = at_latest;
		return XERO_BLOCKED_BY_RESERVE;
	}
	if (day->resets_at > 0)
		return ordered(XERO_BLOCKED_BY_DAY, delay, day->resets_at);
	free_at = xero_day_resets(day, caps->day);
	if (free_at > 0)
		return blocked(XERO_BLOCKED_BY_DAY, delay, free_at, free_at);

	/*
	 * Only a refusal tells when the day begins, so one call is made to be
	 * refused: otherwise nobody would know when to begin again.
	 */
	quota->unsure = true;
	return XERO_BLOCKED_BY_NONE;
}

/* Both of the minutes' windows. */
static XeroLimit
check_window(XeroLimit limit, XeroMinute *minute, int cap, int need,
			 int64 now, int64 next_free, XeroDelay *delay)
{
	int64		look_at;

	if (xero_window_left(&minute->window, now, cap, minute->pending) >= need)
		return XERO_BLOCKED_BY_NONE;
	look_at = xero_window_free_at(&minute->window, now, cap, minute->pending, 1);
	return blocked(limit, delay,
				   xero_window_free_at(&minute->window, now, cap, 0, need),
				   Min(look_at, next_free));
}

XeroLimit
xero_quota_check(XeroQuota *quota, XeroMinute *app, const XeroCaps *caps,
				 bool background, int need, int64 now, XeroDelay *delay)
{
	XeroLimit	limit;
	int64		next_free;
	int			taken;

	reclaim_slots(quota, app, now);
	limit = check_day(quota, caps, background, now, delay);
	if (limit != XERO_BLOCKED_BY_NONE)
		return limit;
	if (app->blocked_until > Max(now, quota->minute.blocked_until))
		return ordered(app->blocked_by, delay, app->blocked_until);
	if (quota->minute.blocked_until > now)
		return ordered(quota->minute.blocked_by, delay,
					   quota->minute.blocked_until);

	taken = slots_taken(quota, now, &next_free);
	limit = check_window(XERO_BLOCKED_BY_APP, app, caps->app_minute, need, now,
						 next_free, delay);
	if (limit == XERO_BLOCKED_BY_NONE)
		limit = check_window(XERO_BLOCKED_BY_MINUTE, &quota->minute,
							 caps->minute, need, now, next_free, delay);
	if (limit != XERO_BLOCKED_BY_NONE)
		return limit;

	if (taken >= caps->concurrency ||
		(taken > 0 && (quota->unsure ||
					   quota->refusals_seen != app->refusals)))
		return blocked(XERO_BLOCKED_BY_CONCURRENCY, delay, now, next_free);
	return XERO_BLOCKED_BY_NONE;
}

/* ---- the life of a permit ---- */

void
xero_quota_take(XeroQuota *quota, XeroMinute *app, int64 now, int64 lease,
				XeroPermit *permit)
{
	XeroCallSlot *slot;
	int			i = 0;

	while (i < quota->nslots && quota->slots[i].free_at > now)
		i++;
	Assert(i < XERO_MAX_CONCURRENCY);
	slot = &quota->slots[i];
	slot->serial = ++quota->serial;
	slot->pending = true;
	slot->since = now;
	slot->free_at = now + lease;
	quota->nslots = Max(quota->nslots, i + 1);
	quota->minute.pending++;
	app->pending++;

	permit->slot = i;
	permit->serial = slot->serial;
	permit->refusals_seen = app->refusals;
	permit->minute = xero_window_baseline(&quota->minute.window);
	permit->app = xero_window_baseline(&app->window);
	permit->day = xero_day_baseline(&quota->day);
}

void
xero_quota_renew(XeroQuota *quota, const XeroPermit *permit, int64 until)
{
	XeroCallSlot *slot = &quota->slots[permit->slot];

	if (slot->serial == permit->serial && slot->pending)
		slot->free_at = until;
}

bool
xero_permit_is_current(const XeroQuota *quota, const XeroPermit *permit)
{
	return (int32) (permit->serial - quota->cleared) > 0;
}

/* The permit's slot, given back; NULL if it had been lost before. */
static XeroCallSlot *
leave_slot(XeroQuota *quota, XeroMinute *app, const XeroPermit *permit)
{
	XeroCallSlot *slot = &quota->slots[permit->slot];

	if (slot->serial != permit->serial || !slot->pending)
		return NULL;
	leave_minutes(quota, app, slot);
	slot->free_at = 0;
	return slot;
}

static void
charge(XeroQuota *quota, XeroMinute *app, const XeroPermit *permit, int64 now,
	   const XeroRemaining *remaining)
{
	xero_window_charge(&quota->minute.window, now, permit->minute,
					   remaining->minute);
	xero_window_charge(&app->window, now, permit->app, remaining->app_minute);
	xero_day_charge(&quota->day, now, permit->day, remaining->day);
}

void
xero_quota_return(XeroQuota *quota, XeroMinute *app, const XeroPermit *permit)
{
	(void) leave_slot(quota, app, permit);
}

void
xero_quota_abandon(XeroQuota *quota, XeroMinute *app, const XeroPermit *permit,
				   int64 now)
{
	static const XeroRemaining unknown = {-1, -1, -1};
	XeroCallSlot *slot = leave_slot(quota, app, permit);

	if (slot == NULL)
		return;
	slot->free_at = slot->since + 2 * (int64) quota->usual_ms;
	charge(quota, app, permit, now, &unknown);
}

void
xero_quota_charge(XeroQuota *quota, XeroMinute *app, const XeroPermit *permit,
				  int64 now, const XeroRemaining *remaining)
{
	XeroCallSlot *slot = leave_slot(quota, app, permit);

	if (slot == NULL)
		return;
	charge(quota, app, permit, now, remaining);
	quota->usual_ms += NEWEST * (now - slot->since - quota->usual_ms);
	if ((int32) (permit->serial - quota->refused) > 0)
		quota->unsure = false;
	quota->refusals_seen = permit->refusals_seen;
}

void
xero_quota_refuse(XeroQuota *quota, XeroMinute *app, const XeroPermit *permit,
				  int64 now, XeroLimit limit, int64 until)
{
	XeroMinute *minute = limit == XERO_BLOCKED_BY_APP ? app : &quota->minute;

	(void) leave_slot(quota, app, permit);
	quota->unsure = true;
	quota->refused = quota->serial;
	if (limit == XERO_BLOCKED_BY_DAY)
		xero_day_refuse(&quota->day, until);
	else
	{
		if (until > minute->blocked_until)
		{
			minute->blocked_until = until;
			minute->blocked_by = limit;
		}
		minute->refusals++;
	}
}

void
xero_quota_change_app(XeroQuota *quota, XeroMinute *from, XeroMinute *to)
{
	for (int i = 0; i < quota->nslots; i++)
	{
		if (!quota->slots[i].pending)
			continue;
		from->pending--;
		to->pending++;
	}
}

/* What was observed there before the call began is not known: maybe nothing. */
void
xero_permit_change_app(XeroPermit *permit, const XeroMinute *to)
{
	permit->app.last_observation = to->window.outdated;
}

void
xero_quota_count(XeroQuota *quota, XeroMinute *app, const XeroPermit *permit,
				 int64 now, const XeroRemaining *remaining)
{
	XeroPermit	here = *permit;

	here.minute.last_observation = quota->minute.window.outdated;
	xero_permit_change_app(&here, app);
	here.day.last_observation = quota->day.last_observation - 1;
	here.day.epoch = quota->day.epoch;
	charge(quota, app, &here, now, remaining);
}

void
xero_quota_unblock(XeroQuota *quota, XeroMinute *app)
{
	quota->minute.blocked_until = 0;
	app->blocked_until = 0;
	xero_day_forget(&quota->day);
	quota->unsure = true;
	quota->refused = quota->serial;
}
