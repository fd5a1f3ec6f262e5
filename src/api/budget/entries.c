/*-------------------------------------------------------------------------
 *
 * entries.c
 *	  The entries of the budget, in shared memory: who has one.
 *
 * An entry is one application in one organisation, whatever server, role or
 * database the calls come from; its application has an entry of its own, as
 * long as one of its organisations has.  Callers share it once Xero has accepted
 * their token there (callers.c).  Until then a caller has an entry of its own,
 * whose application is its own, too: nothing that it brings about is anything to
 * others.  The first to prove itself makes its entry the shared one.
 *
 * When all are used, an idle one makes room: what is forgotten with it is told by
 * Xero's headers with its next call.  A caller's own goes first, and that which a
 * server's options name, last: others may take it only when no such server has
 * used it for an hour.  Among equals the one goes that was used least recently.
 *
 * A role has at most half of the entries, those that it entered; with that many
 * it takes the place of its own only.  Superusers are bound by no share.
 *
 * All functions here expect the caller to hold the lock exclusively, or that
 * nobody else can be there.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <ctype.h>

#include "api/budget/budget.h"
#include "api/budget/entries.h"
#include "api/http/eventloop.h"
#include "api/shared/shared.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* Default and bounds of the number of entries, which take some 10 kB. */
#define ENTRIES 100
#define MAX_ENTRIES 10000

/* So long an entry is kept for a server that names its organisation. */
#define RESERVED_MS (60 * 60 * 1000)

static int	max_tenants = ENTRIES;

/* Entries by the hash of their keys, as this backend found them last. */
#define HINTS 256
static int	hints[HINTS];

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
initialize_budget(void *memory, int nentries, int tranche)
{
	XeroBudget *budget = memory;

	memset(budget, 0, budget_size(nentries));
	LWLockInitialize(&budget->lock, tranche);
	budget->nentries = nentries;
	budget->nwaiters = MaxBackends * XERO_MAX_QUEUED;
	xero_queue_clear(&budget->room);
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

/* The number of the application that is shared, or -1. */
static int
find_app(XeroBudget *budget, const char *client_id)
{
	XeroBudgetApp *apps = XERO_BUDGET_APPS(budget);

	for (int i = 0; i < budget->nentries; i++)
	{
		if (apps[i].nentries > 0 && apps[i].shared &&
			strcmp(apps[i].client_id, client_id) == 0)
			return i;
	}
	return -1;
}

/* As many applications as organisations have room, so there always is some. */
static int
make_app(XeroBudget *budget, const char *client_id, bool shared, int64 now)
{
	XeroBudgetApp *app = XERO_BUDGET_APPS(budget);
	int			i = 0;

	while (app[i].nentries > 0)
		i++;
	Assert(i < budget->nentries);
	strlcpy(app[i].client_id, client_id, sizeof(app[i].client_id));
	app[i].shared = shared;
	xero_minute_clear(&app[i].minute, now);
	return i;
}

static void
enter_app(XeroBudget *budget, XeroBudgetEntry *entry, int64 now)
{
	const char *client_id = entry->key.client_id;
	int			app = -1;

	if (xero_budget_is_shared(entry))
		app = find_app(budget, client_id);
	if (app < 0)
		app = make_app(budget, client_id, xero_budget_is_shared(entry), now);
	XERO_BUDGET_APPS(budget)[app].nentries++;
	entry->app = app;
}

XeroBudgetKey
xero_budget_key(const XeroServer *server)
{
	XeroBudgetKey key = {0};

	if (server->app != NULL)
		strlcpy(key.client_id, server->app, sizeof(key.client_id));
	if (server->tenant_id != NULL)
		strlcpy(key.tenant_id, server->tenant_id, sizeof(key.tenant_id));
	for (char *p = key.tenant_id; *p != '\0'; p++)
		*p = tolower((unsigned char) *p);
	return key;
}

static bool
is_for(const XeroBudgetEntry *entry, const XeroBudgetKey *key,
	   const XeroCaller *owner)
{
	return entry->used && memcmp(&entry->key, key, sizeof(*key)) == 0 &&
		(owner == NULL ? xero_budget_is_shared(entry) :
		 xero_is_same_caller(&entry->owner, owner));
}

/* The owner's, or that which is shared. */
static XeroBudgetEntry *
find_entry(XeroBudget *budget, const XeroBudgetKey *key,
		   const XeroCaller *owner)
{
	XeroBudgetEntry *entries = XERO_BUDGET_ENTRIES(budget);
	uint32		hash = hash_bytes((const unsigned char *) key, sizeof(*key));
	int		   *hint = &hints[(hash + (owner != NULL)) % HINTS];

	if (*hint < budget->nentries && is_for(&entries[*hint], key, owner))
		return &entries[*hint];
	for (int i = 0; i < budget->nentries; i++)
	{
		if (is_for(&entries[i], key, owner))
		{
			*hint = i;
			return &entries[i];
		}
	}
	return NULL;
}

bool
xero_budget_is_idle(XeroBudget *budget, XeroBudgetEntry *entry, int64 now)
{
	return xero_queue_is_empty(&entry->queue) &&
		xero_quota_is_idle(&entry->quota,
						   &XERO_BUDGET_APPS(budget)[entry->app].minute, now);
}

XeroBudgetEntry *
xero_budget_find_shared(XeroBudget *budget, const XeroBudgetKey *key)
{
	return find_entry(budget, key, NULL);
}

XeroBudgetEntry *
xero_budget_find(XeroBudget *budget, const XeroBudgetKey *key,
				 const XeroCaller *caller, int64 now)
{
	XeroBudgetEntry *shared = find_entry(budget, key, NULL);

	if (shared != NULL && xero_has_proof(&shared->proofs, caller, now))
		return shared;
	return find_entry(budget, key, caller);
}

bool
xero_budget_is_open_to(const XeroBudgetEntry *entry, const XeroCaller *caller)
{
	return xero_is_same_caller(&entry->owner, caller) ||
		(xero_budget_is_shared(entry) &&
		 xero_is_proven(&entry->proofs, caller));
}

void
xero_budget_remove(XeroBudget *budget, XeroBudgetEntry *entry, int64 now)
{
	Assert(xero_queue_is_empty(&entry->queue));
	leave_app(budget, entry);
	entry->used = false;
	/* no permit that was lost may come back to it */
	xero_quota_clear(&entry->quota, now);
}

void
xero_budget_open(XeroBudget *budget, XeroBudgetEntry *entry)
{
	XeroBudgetApp *apps = XERO_BUDGET_APPS(budget);
	int			app = find_app(budget, entry->key.client_id);

	memset(&entry->owner, 0, sizeof(entry->owner));
	if (app < 0)
	{
		apps[entry->app].shared = true;
		return;
	}
	xero_quota_change_app(&entry->quota, &apps[entry->app].minute,
						  &apps[app].minute);
	leave_app(budget, entry);
	apps[app].nentries++;
	entry->app = app;
}

/* ---- room ---- */

int
xero_budget_share(const XeroBudget *budget, Oid role)
{
	return OidIsValid(role) ? Max(1, budget->nentries / 2) : budget->nentries;
}

static bool
has_share(XeroBudget *budget, Oid role)
{
	int			count = 0;

	if (!OidIsValid(role))
		return false;
	for (int i = 0; i < budget->nentries; i++)
	{
		const XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];

		count += entry->used && entry->role == role;
	}
	return count >= xero_budget_share(budget, role);
}

/* Is it kept for a server that names it? */
static bool
is_reserved(const XeroBudgetEntry *entry, int64 now)
{
	return xero_budget_is_shared(entry) && entry->named_at > 0 &&
		now - entry->named_at < RESERVED_MS;
}

static bool
may_take(XeroBudget *budget, XeroBudgetEntry *entry, Oid role, bool only_own,
		 int64 now)
{
	if (!entry->used)
		return !only_own;
	if (entry->role != role && (only_own || is_reserved(entry, now)))
		return false;
	return xero_budget_is_idle(budget, entry, now);
}

bool
xero_budget_may_take(XeroBudget *budget, XeroBudgetEntry *entry, Oid role,
					 int64 now)
{
	return may_take(budget, entry, role, has_share(budget, role), now);
}

/* The smaller, the less is lost with it. */
static int
loss_of(const XeroBudgetEntry *entry, int64 now)
{
	if (!entry->used)
		return 0;
	if (!xero_budget_is_shared(entry))
		return 1;
	return is_reserved(entry, now) ? 3 : 2;
}

static bool
is_smaller_loss(const XeroBudgetEntry *a, const XeroBudgetEntry *b, int64 now)
{
	int			loss = loss_of(a, now) - loss_of(b, now);

	return loss < 0 || (loss == 0 && a->last_used < b->last_used);
}

/* The entry that the role takes if it needs one; NULL if it may take none. */
static XeroBudgetEntry *
find_room(XeroBudget *budget, Oid role, int64 now)
{
	bool		only_own = has_share(budget, role);
	XeroBudgetEntry *room = NULL;

	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];

		if (may_take(budget, entry, role, only_own, now) &&
			(room == NULL || is_smaller_loss(entry, room, now)))
			room = entry;
	}
	return room;
}

bool
xero_budget_has_room(XeroBudget *budget, Oid role, int64 now)
{
	return find_room(budget, role, now) != NULL;
}

/* What the caller's mapping had with the credentials of before is over. */
static void
forget_outdated(XeroBudget *budget, const XeroCaller *caller, int64 now)
{
	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];

		if (!entry->used)
			continue;
		xero_drop_outdated_proof(&entry->proofs, caller);
		if (xero_is_outdated(&entry->owner, caller) &&
			xero_budget_is_idle(budget, entry, now))
			xero_budget_remove(budget, entry, now);
	}
}

XeroBudgetEntry *
xero_budget_enter(XeroBudget *budget, const XeroBudgetKey *key,
				  const XeroCaller *owner, Oid role, int64 now)
{
	XeroBudgetEntry *room;

	if (owner != NULL)
		forget_outdated(budget, owner, now);
	room = find_room(budget, role, now);
	if (room == NULL)
		return NULL;
	if (room->used)
		xero_budget_remove(budget, room, now);
	room->used = true;
	room->key = *key;
	memset(&room->owner, 0, sizeof(room->owner));
	if (owner != NULL)
		room->owner = *owner;
	room->proofs.count = 0;
	room->role = role;
	enter_app(budget, room, now);
	room->last_used = now;
	room->named_at = 0;
	xero_quota_clear(&room->quota, now);
	room->problem[0] = '\0';
	xero_queue_clear(&room->queue);
	memset(&room->stats, 0, sizeof(room->stats));
	room->stats.since = GetCurrentTimestamp();
	xero_item_counts_clear(&room->items);
	return room;
}

/* When a role may take it, if nobody uses it until then. */
static int64
room_at(XeroBudget *budget, XeroBudgetEntry *entry, Oid role, int64 now,
		int64 *look_at)
{
	int64		idle_at = now;

	*look_at = now;
	if (!entry->used)
		return now;
	if (!xero_budget_is_idle(budget, entry, now))
		idle_at = xero_quota_idle_at(&entry->quota, now, look_at);
	if (entry->role == role || !is_reserved(entry, now))
		return idle_at;
	*look_at = Max(*look_at, entry->named_at + RESERVED_MS);
	return Max(idle_at, *look_at);
}

void
xero_budget_room(XeroBudget *budget, Oid role, int64 now, XeroDelay *delay)
{
	bool		only_own = has_share(budget, role);

	memset(delay, 0, sizeof(*delay));
	delay->provable = delay->look_at = XERO_NEVER;
	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];
		int64		look_at;

		if (only_own && (!entry->used || entry->role != role))
			continue;
		delay->provable = Min(delay->provable,
							  room_at(budget, entry, role, now, &look_at));
		delay->look_at = Min(delay->look_at, look_at);
	}
}
