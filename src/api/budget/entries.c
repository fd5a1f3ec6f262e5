/*-------------------------------------------------------------------------
 *
 * entries.c
 *	  The entries of the budget, in shared memory: who has one.
 *
 * An entry is one application in one organisation, whatever server, role or
 * database the calls come from; its application has an entry of its own, as
 * long as one of its organisations has.  When all are used, the idle one that
 * was used least recently makes room: what is forgotten with it is told by
 * Xero's headers with its next call.
 *
 * All functions here expect the caller to hold the lock exclusively, or that
 * nobody else can be there.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/budget.h"
#include "api/budget/entries.h"
#include "api/http/eventloop.h"
#include "api/shared/shared.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* Default and bounds of the number of entries, which take some 6 kB. */
#define ENTRIES 100
#define MAX_ENTRIES 10000

static int	max_tenants = ENTRIES;

static Size
budget_size(int nentries)
{
	Size		size = MAXALIGN(sizeof(XeroBudget));

	size = add_size(size, mul_size(nentries, sizeof(XeroBudgetEntry)));
	size = add_size(size, mul_size(nentries, sizeof(XeroBudgetApp)));
	return add_size(size, mul_size(mul_size(MaxBackends, XERO_MAX_QUEUED),
								   sizeof(XeroWaiter)));
}

static void
clear_queue(XeroQueue *queue)
{
	memset(queue, 0, sizeof(*queue));
	for (int class = 0; class < XERO_NCLASSES; class++)
		queue->head[class] = queue->tail[class] = -1;
}

bool
xero_queue_is_empty(const XeroQueue *queue)
{
	return queue->waiting[XERO_INTERACTIVE] == 0 &&
		queue->waiting[XERO_BACKGROUND] == 0;
}

static void
initialize_budget(void *memory, int nentries, int tranche)
{
	XeroBudget *budget = memory;

	memset(budget, 0, budget_size(nentries));
	LWLockInitialize(&budget->lock, tranche);
	budget->nentries = nentries;
	budget->nwaiters = MaxBackends * XERO_MAX_QUEUED;
	clear_queue(&budget->room);
}

static XeroSharedPart part = {
	.length = xero_max_tenants,
	.size = budget_size,
	.initialize = initialize_budget,
	.load = xero_budget_load,
	.save = xero_budget_save
};

void
xero_budget_init(void)
{
	DefineCustomIntVariable("xero_fdw.max_tenants",
							"Number of organisations in Xero that are called at the same time.",
							"With more of them, those that are idle are forgotten.",
							&max_tenants, ENTRIES, 1, MAX_ENTRIES,
							xero_shared_setting_context(),
							0, NULL, NULL, NULL);
	xero_shared_register(&part);
}

int
xero_max_tenants(void)
{
	return max_tenants;
}

XeroBudget *
xero_budget_attach(void)
{
	return xero_shared_part(&part);
}

int64
xero_budget_now(void)
{
	return (int64) xero_clock_ms();
}

TimestampTz
xero_budget_wall_time(int64 ms)
{
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
									   ms - xero_budget_now());
}

int64
xero_budget_clock_time(TimestampTz at)
{
	return xero_budget_now() + (at - GetCurrentTimestamp()) / 1000;
}

static void
leave_app(XeroBudget *budget, const XeroBudgetEntry *entry)
{
	XeroBudgetApp *app = &XERO_BUDGET_APPS(budget)[entry->app];

	Assert(app->nentries > 0);
	app->nentries--;
}

/* As many applications as organisations have room, so there always is some. */
static int
enter_app(XeroBudget *budget, const char *client_id, int64 now)
{
	XeroBudgetApp *apps = XERO_BUDGET_APPS(budget);
	int			free = -1;

	for (int i = 0; i < budget->nentries; i++)
	{
		if (apps[i].nentries == 0)
			free = free < 0 ? i : free;
		else if (strcmp(apps[i].client_id, client_id) == 0)
		{
			apps[i].nentries++;
			return i;
		}
	}
	Assert(free >= 0);
	strlcpy(apps[free].client_id, client_id, sizeof(apps[free].client_id));
	apps[free].nentries = 1;
	xero_minute_clear(&apps[free].minute, now);
	return free;
}

bool
xero_budget_is_idle(XeroBudget *budget, XeroBudgetEntry *entry, int64 now)
{
	return xero_queue_is_empty(&entry->queue) &&
		xero_quota_is_idle(&entry->quota,
						   &XERO_BUDGET_APPS(budget)[entry->app].minute, now);
}

XeroBudgetEntry *
xero_budget_enter(XeroBudget *budget, const XeroBudgetKey *key, int64 now)
{
	XeroBudgetEntry *room = NULL;

	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];

		if (!entry->used)
		{
			room = entry;
			break;
		}
		if (xero_budget_is_idle(budget, entry, now) &&
			(room == NULL || entry->last_used < room->last_used))
			room = entry;
	}
	if (room == NULL)
		return NULL;

	if (room->used)
		leave_app(budget, room);
	room->used = true;
	room->key = *key;
	room->app = enter_app(budget, key->client_id, now);
	room->last_used = now;
	xero_quota_clear(&room->quota, now);
	room->problem[0] = '\0';
	clear_queue(&room->queue);
	memset(&room->stats, 0, sizeof(room->stats));
	room->stats.since = GetCurrentTimestamp();
	return room;
}

void
xero_budget_room(XeroBudget *budget, int64 now, XeroDelay *delay)
{
	memset(delay, 0, sizeof(*delay));
	delay->provable = delay->look_at = XERO_NEVER;
	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];
		int64		idle_at = now;
		int64		look_at = now;

		if (entry->used && !xero_budget_is_idle(budget, entry, now))
			idle_at = xero_quota_idle_at(&entry->quota, now, &look_at);
		delay->provable = Min(delay->provable, idle_at);
		delay->look_at = Min(delay->look_at, look_at);
	}
}
