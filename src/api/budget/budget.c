/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  Grants of calls: no attempt is made without one.
 *
 * All backends of the cluster share the same budgets, one for each application
 * in each organisation (entries.c).  quota.c has their arithmetic, turns.c the
 * order of those who wait; this file locks, and wakes.
 *
 * Queues.  Each entry has a queue of calls that backends sleep for.  A call
 * that was begun ahead never queues: it takes a grant only if nobody waits.  A
 * backend that reads several organisations sleeps for a call to each of them,
 * in as many queues.  Each call queues anew, so backends take turns.  A backend
 * that goes off to do other work leaves all queues, so that nobody waits behind
 * it; on return it gets its old places back.
 *
 * The call whose turn it is is the head of its queue.  Only the head may
 * acquire a grant.  Only the head's backend is woken, by its latch, when
 * something has changed that may concern it.  It knows when time alone will
 * change something, and sleeps until then at most.  A backend that stops being
 * the head, because it got a grant or gave up, wakes the new head.
 *
 * Proof.  A call that Xero has accepted shows that its caller belongs to the
 * entry that others share.  Where there is none, the caller's own becomes that.
 * Where there is one, the call counts there, too, and whoever waits for the
 * caller's own goes there by its turn.  A token that Xero does not accept takes
 * the proof away; what was under way goes on where it was granted, and who
 * waits finds when it is woken that it is to wait elsewhere.
 *
 * Room.  If there are more organisations than entries, an idle entry is given
 * to another organisation.  If no entry is idle, calls wait in one more queue,
 * for room; its head gets the next entry that becomes idle.  A call never holds
 * an entry while it waits for another one.  An entry is held by calls that are
 * under way or wait in its own queue, and all of these end without another
 * entry.
 *
 * Locking.  One exclusive lock protects all of it.  It is held for arithmetic
 * and short walks over arrays and queues only: no I/O, no palloc, no ereport.
 * Latches are set after the lock is released, by the waiter's number.  If that
 * process has ended meanwhile and another one has its number, the needless
 * wakeup is harmless.
 *
 * Ownership.  A grant belongs to the call that holds it, which gives it back
 * however the call ends.  A list of the grants held serves the end of the
 * process.  After a backend is killed, the postmaster makes shared memory anew.
 * A grant that is not given back otherwise is lost after its lease, which a
 * backend renews while it attends to its calls: one whose client has stopped
 * reading does not, nor for a call that still waits for a token.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>
#include <math.h>

#include "api/budget/budget.h"
#include "api/budget/entries.h"
#include "api/budget/statement_limits.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"

/*
 * A grant is good for so long, in ms, and a backend that attends to its calls
 * renews it this often.
 */
#define LEASE 10000
#define RENEWAL 2000

/* Whoever waits for room looks for it this often, in ms. */
#define LOOK_FOR_ROOM 1000

/* In place of an entry's number: the queue for room. */
#define NO_ENTRY (-1)

/* Whom to wake after the lock's release: numbers of waiters. */
typedef struct Wakeups
{
	int			count;
	int			waiters[8];
} Wakeups;

/* Grants that this backend holds, and those that it waits for. */
static dlist_head held = DLIST_STATIC_INIT(held);
static XeroGrant *wanted[XERO_MAX_QUEUED];

/* When the leases of the former are to be renewed. */
static int64 renew_at;

/* ---- entries ---- */

/* Calls that belong to no organisation are bound by none of its limits. */
static XeroCaps
caps_of(const XeroServer *server)
{
	XeroCaps	caps;

	caps.concurrency = server->concurrency;
	caps.minute = server->minute_limit;
	caps.app_minute = server->app_minute_limit;
	caps.day = server->day_limit;
	caps.reserve = server->reserve;
	if (server->tenant_id == NULL)
	{
		caps.minute = caps.app_minute = caps.day = INT_MAX / 2;
		caps.reserve = 0;
	}
	return caps;
}

/* The server's entry, if it has one, which it uses now. */
static XeroBudgetEntry *
entry_of(XeroBudget *budget, const XeroServer *server, int64 now)
{
	XeroBudgetKey key = xero_budget_key(server);
	XeroCaller	caller = xero_caller_of(server);

	return xero_budget_find(budget, &key, &caller, now);
}

static void
use(XeroBudgetEntry *entry, const XeroServer *server, int64 now)
{
	entry->caps = caps_of(server);
	entry->last_used = now;
	/* nobody names the calls that belong to no organisation */
	if (server->one_tenant && server->tenant_id != NULL)
		entry->named_at = now;
}

static int
number_of(XeroBudget *budget, const XeroBudgetEntry *entry)
{
	return entry == NULL ? NO_ENTRY : (int) (entry - XERO_BUDGET_ENTRIES(budget));
}

static XeroMinute *
app_of(XeroBudget *budget, const XeroBudgetEntry *entry)
{
	return &XERO_BUDGET_APPS(budget)[entry->app].minute;
}

/* ---- queues ---- */

static XeroWaiter *
waiter_of(XeroBudget *budget, int number)
{
	Assert(number >= 0 && number < budget->nwaiters);
	return &XERO_BUDGET_WAITERS(budget)[number];
}

static XeroQueue *
queue_of(XeroBudget *budget, int entry)
{
	return entry == NO_ENTRY ? &budget->room :
		&XERO_BUDGET_ENTRIES(budget)[entry].queue;
}

/*
 * The first of a class that waits for room and may have it.  Whoever may not
 * yet, because its role has its share, holds up nobody.
 */
static int
first_for_room(XeroBudget *budget, XeroClass class)
{
	int64		now = xero_budget_now();
	int			i = budget->room.head[class];

	while (i != XERO_NOBODY &&
		   !xero_budget_has_room(budget, waiter_of(budget, i)->role, now))
	{
		Oid			role = waiter_of(budget, i)->role;

		while (i != XERO_NOBODY && waiter_of(budget, i)->role == role)
			i = waiter_of(budget, i)->next;
	}
	return i;
}

/* The waiter whose turn it is, or XERO_NOBODY. */
static int
head_of(XeroBudget *budget, int entry)
{
	const XeroQueue *queue = queue_of(budget, entry);
	int			first[XERO_NCLASSES];

	if (entry != NO_ENTRY || xero_queue_is_empty(queue))
		return xero_queue_head(queue, queue->head);
	for (int class = 0; class < XERO_NCLASSES; class++)
		first[class] = first_for_room(budget, class);
	return xero_queue_head(queue, first);
}

/* Does the call stand in that queue? */
static bool
stands_in(XeroBudget *budget, const XeroGrant *grant, int entry)
{
	return grant->queued && waiter_of(budget, grant->waiter)->entry == entry;
}

/*
 * Is it the call's turn?  One that does not stand in the queue may go if nobody
 * is there.
 */
static bool
is_in_turn(XeroBudget *budget, const XeroGrant *grant, int entry)
{
	int			head = head_of(budget, entry);

	return head == (stands_in(budget, grant, entry) ? grant->waiter : XERO_NOBODY);
}

/* To be woken after the lock's release. */
static void
remember_to_wake(Wakeups *wakeups, int number)
{
	Assert(wakeups->count < lengthof(wakeups->waiters));
	wakeups->waiters[wakeups->count++] = number;
}

static void
wake_one(int number)
{
	if (number != XERO_NOBODY && number / XERO_MAX_QUEUED != MyProcNumber)
		SetLatch(&GetPGProcByNumber(number / XERO_MAX_QUEUED)->procLatch);
}

static void
wake(const Wakeups *wakeups)
{
	for (int i = 0; i < wakeups->count; i++)
		wake_one(wakeups->waiters[i]);
}

/* If the entry has become idle, whoever waits for room may have it. */
static void
offer_room(XeroBudget *budget, const XeroBudgetEntry *entry, Wakeups *wakeups)
{
	if (xero_queue_is_empty(&entry->queue))
		remember_to_wake(wakeups, head_of(budget, NO_ENTRY));
}

static void
join_queue(XeroBudget *budget, int entry, XeroClass class, XeroGrant *grant)
{
	XeroWaiter *waiter;
	int			i = 0;

	while (wanted[i] != NULL)
		i++;
	Assert(i < XERO_MAX_QUEUED);
	wanted[i] = grant;
	grant->queued = true;
	grant->waiter = MyProcNumber * XERO_MAX_QUEUED + i;
	if (grant->turn == 0)
		grant->turn = ++budget->last_turn;

	waiter = waiter_of(budget, grant->waiter);
	waiter->entry = entry;
	waiter->class = class;
	waiter->role = grant->role;
	waiter->turn = grant->turn;
	xero_queue_join(queue_of(budget, entry), XERO_BUDGET_WAITERS(budget),
					grant->waiter);
}

/* Whoever becomes the head by that is woken. */
static void
leave_queue(XeroBudget *budget, XeroGrant *grant, Wakeups *wakeups)
{
	int			entry = waiter_of(budget, grant->waiter)->entry;
	int			head = head_of(budget, entry);

	xero_queue_leave(queue_of(budget, entry), XERO_BUDGET_WAITERS(budget),
					 grant->waiter);
	wanted[grant->waiter % XERO_MAX_QUEUED] = NULL;
	grant->queued = false;
	if (head_of(budget, entry) != head)
		remember_to_wake(wakeups, head_of(budget, entry));
	if (entry != NO_ENTRY)
		offer_room(budget, &XERO_BUDGET_ENTRIES(budget)[entry], wakeups);
}

/* All who wait for one entry wait for another one. */
static void
move_queue(XeroBudget *budget, XeroBudgetEntry *from, XeroBudgetEntry *to)
{
	for (int class = 0; class < XERO_NCLASSES; class++)
	{
		int			number;

		while ((number = from->queue.head[class]) != XERO_NOBODY)
		{
			xero_queue_leave(&from->queue, XERO_BUDGET_WAITERS(budget), number);
			waiter_of(budget, number)->entry = number_of(budget, to);
			xero_queue_join(&to->queue, XERO_BUDGET_WAITERS(budget), number);
		}
	}
}

/* ---- the end of the process ---- */

static void
backend_exits(int code, Datum arg)
{
	dlist_mutable_iter iter;

	xero_budget_leave_queues();
	dlist_foreach_modify(iter, &held)
		xero_budget_abandon(dlist_container(XeroGrant, node, iter.cur));
}

static void
register_exit(void)
{
	static bool registered = false;

	if (registered)
		return;
	before_shmem_exit(backend_exits, (Datum) 0);
	registered = true;
}

/* ---- acquiring ---- */

/* Whoever stands in a queue keeps the class that he came with. */
static XeroClass
class_of(XeroBudget *budget, const XeroGrant *grant)
{
	if (grant->queued)
		return waiter_of(budget, grant->waiter)->class;
	return xero_statement_in_background() ? XERO_BACKGROUND : XERO_INTERACTIVE;
}

static void
take(XeroBudget *budget, XeroBudgetEntry *entry, XeroGrant *grant,
	 const XeroServer *server, XeroClass class, int64 now)
{
	xero_quota_take(&entry->quota, app_of(budget, entry), now, LEASE,
					&grant->permit);
	xero_queue_count_turn(&entry->queue, class);
	grant->caller = xero_caller_of(server);
	grant->entry = number_of(budget, entry);
	grant->app = entry->app;
	grant->kept = false;
	grant->ends_at = now + LEASE;
	grant->turn = 0;
	grant->held = true;
	if (dlist_is_empty(&held))
		renew_at = now + RENEWAL;
	dlist_push_tail(&held, &grant->node);
}

/*
 * May the call use its server's entry?  One that is idle is as good as none
 * while somebody waits for room who may have it: those could not get ahead
 * otherwise of others who call without a pause.
 */
static bool
may_use(XeroBudget *budget, const XeroGrant *grant, XeroBudgetEntry *entry,
		int64 now)
{
	int			head;

	if (entry == NULL)
		return false;
	if (is_in_turn(budget, grant, NO_ENTRY) ||
		!xero_budget_is_idle(budget, entry, now))
		return true;
	head = head_of(budget, NO_ENTRY);
	return head == XERO_NOBODY ||
		!xero_budget_may_take(budget, entry, waiter_of(budget, head)->role,
							  now);
}

/* The entry that the call may use now; NULL if it has to wait for room. */
static XeroBudgetEntry *
enter(XeroBudget *budget, const XeroGrant *grant, const XeroServer *server,
	  XeroClass class, int64 now)
{
	XeroBudgetEntry *entry = entry_of(budget, server, now);

	if (entry == NULL && is_in_turn(budget, grant, NO_ENTRY))
	{
		XeroBudgetKey key = xero_budget_key(server);
		XeroCaller	caller = xero_caller_of(server);

		entry = xero_budget_enter(budget, &key, &caller, grant->role, now);
		if (entry != NULL)
			xero_queue_count_turn(&budget->room, class);
	}
	if (!may_use(budget, grant, entry, now))
		return NULL;
	use(entry, server, now);
	return entry;
}

bool
xero_budget_acquire(XeroGrant *grant, const XeroServer *server)
{
	XeroBudget *budget = xero_budget_attach();
	Wakeups		wakeups = {0};
	XeroClass	class;
	int64		now;
	XeroBudgetEntry *entry;
	XeroDelay	delay;

	Assert(!grant->held);
	register_exit();
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	class = class_of(budget, grant);
	entry = enter(budget, grant, server, class, now);
	if (grant->queued && !stands_in(budget, grant, number_of(budget, entry)))
		leave_queue(budget, grant, &wakeups);
	if (entry != NULL &&
		is_in_turn(budget, grant, number_of(budget, entry)) &&
		xero_quota_check(&entry->quota, app_of(budget, entry),
						 &entry->caps, class == XERO_BACKGROUND, 1, now,
						 &delay) == XERO_BLOCKED_BY_NONE)
	{
		if (grant->queued)
			leave_queue(budget, grant, &wakeups);
		take(budget, entry, grant, server, class, now);
	}
	LWLockRelease(&budget->lock);
	wake(&wakeups);
	return grant->held;
}

bool
xero_budget_is_stale(const XeroGrant *grant)
{
	return xero_budget_now() >= grant->ends_at;
}

static bool
keeps_any(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &held)
	{
		if (dlist_container(XeroGrant, node, iter.cur)->kept)
			return true;
	}
	return false;
}

double
xero_budget_renew(void)
{
	XeroBudget *budget;
	dlist_iter	iter;
	int64		now;

	if (!keeps_any())
		return INFINITY;
	now = xero_budget_now();
	if (now < renew_at)
		return (double) renew_at;
	renew_at = now + RENEWAL;
	budget = xero_budget_attach();
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	dlist_foreach(iter, &held)
	{
		XeroGrant  *grant = dlist_container(XeroGrant, node, iter.cur);
		XeroQuota  *quota = &XERO_BUDGET_ENTRIES(budget)[grant->entry].quota;

		if (!grant->kept || !xero_permit_is_current(quota, &grant->permit))
			continue;
		grant->ends_at = now + LEASE;
		xero_quota_renew(quota, &grant->permit, grant->ends_at);
	}
	LWLockRelease(&budget->lock);
	return (double) renew_at;
}

/* A worker may not look up whether it is a superuser, but it is that one. */
Oid
xero_budget_role(void)
{
	Oid			roleid = GetUserId();

	return roleid == BOOTSTRAP_SUPERUSERID || superuser() ? InvalidOid : roleid;
}

int
xero_budget_width(void)
{
	return xero_budget_share(xero_budget_attach(), xero_budget_role());
}

static bool
is_of_us(int entry)
{
	dlist_iter	iter;

	dlist_foreach(iter, &held)
	{
		if (dlist_container(XeroGrant, node, iter.cur)->entry == entry)
			return true;
	}
	return false;
}

/* What is in the way of a call that stands in the queue of an entry. */
static XeroLimit
check_queued(XeroBudget *budget, XeroBudgetEntry *entry, const XeroGrant *grant,
			 int64 now, XeroDelay *delay)
{
	XeroClass	class = waiter_of(budget, grant->waiter)->class;
	int			ahead = xero_queue_ahead(XERO_BUDGET_WAITERS(budget),
										 grant->waiter);
	int			minute = Min(entry->caps.minute, entry->caps.app_minute);
	XeroLimit	limit;

	memset(delay, 0, sizeof(*delay));
	delay->provable = delay->look_at = now;
	limit = xero_quota_check(&entry->quota, app_of(budget, entry),
							 &entry->caps, class == XERO_BACKGROUND,
							 ahead % minute + 1, now, delay);
	/* and a whole window for each time that those ahead fill one */
	if ((limit == XERO_BLOCKED_BY_MINUTE || limit == XERO_BLOCKED_BY_APP) &&
		!delay->ordered)
		delay->provable += (int64) (ahead / minute) * XERO_WINDOW_MS;
	return limit;
}

void
xero_budget_queue(XeroGrant *grant, const XeroServer *server, XeroWait *wait)
{
	XeroBudget *budget = xero_budget_attach();
	Wakeups		wakeups = {0};
	int64		now;
	XeroBudgetEntry *entry;
	XeroClass	class;
	int			number;
	XeroDelay	delay;
	bool		is_head;

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	class = class_of(budget, grant);
	entry = entry_of(budget, server, now);
	number = may_use(budget, grant, entry, now) ?
		number_of(budget, entry) : NO_ENTRY;
	/* others may have entered or shared what it waited for */
	if (grant->queued && !stands_in(budget, grant, number))
		leave_queue(budget, grant, &wakeups);
	if (!grant->queued)
		join_queue(budget, number, class, grant);
	is_head = head_of(budget, number) == grant->waiter;
	if (number != NO_ENTRY)
	{
		use(entry, server, now);
		wait->blocked_by = check_queued(budget, entry, grant, now, &delay);
		wait->by_us = wait->blocked_by == XERO_BLOCKED_BY_CONCURRENCY &&
			is_of_us(number);
	}
	else
	{
		wait->blocked_by = XERO_BLOCKED_BY_ROOM;
		wait->by_us = !dlist_is_empty(&held);
		xero_budget_room(budget, grant->role, now, &delay);
	}
	LWLockRelease(&budget->lock);
	wake(&wakeups);

	wait->ordered = delay.ordered;
	wait->at_latest = delay.at_latest;
	wait->provable = (double) delay.provable;
	wait->look_at = !is_head || delay.look_at == XERO_NEVER ? INFINITY :
		(double) delay.look_at;
	/* who is not the head may become it when a role has less than its share */
	if (number == NO_ENTRY)
		wait->look_at = Min(wait->look_at, (double) now + LOOK_FOR_ROOM);
}

static void
leave_one(XeroGrant *grant)
{
	XeroBudget *budget = xero_budget_attach();
	Wakeups		wakeups = {0};

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	leave_queue(budget, grant, &wakeups);
	LWLockRelease(&budget->lock);
	wake(&wakeups);
}

void
xero_budget_leave_queues(void)
{
	for (int i = 0; i < XERO_MAX_QUEUED; i++)
	{
		if (wanted[i] != NULL)
			leave_one(wanted[i]);
	}
}

/* ---- proof ---- */

/*
 * Xero has accepted the caller's token: the entry that it shares from now on.
 */
static XeroBudgetEntry *
prove(XeroBudget *budget, XeroBudgetEntry *entry, const XeroCaller *caller,
	  int64 now)
{
	XeroBudgetEntry *shared = entry;

	if (!xero_budget_is_shared(entry))
		shared = xero_budget_find_shared(budget, &entry->key);
	if (shared == NULL)
	{
		xero_budget_open(budget, entry);
		shared = entry;
	}
	if (!xero_has_proof(&shared->proofs, caller, now))
		xero_add_proof(&shared->proofs, caller, now);
	return shared;
}

static void
move_stats(XeroBudgetStats *from, XeroBudgetStats *to)
{
	to->calls += from->calls;
	to->throttled += from->throttled;
	to->bytes_in += from->bytes_in;
	to->bytes_out += from->bytes_out;
	to->waited_ms += from->waited_ms;
	memset(from, 0, sizeof(*from));
}

/* A caller's own entry has turned out to be what others share. */
static void
merge(XeroBudget *budget, XeroBudgetEntry *own, XeroBudgetEntry *shared,
	  int64 now, Wakeups *wakeups)
{
	shared->caps = own->caps;
	shared->last_used = now;
	shared->named_at = Max(shared->named_at, own->named_at);
	move_stats(&own->stats, &shared->stats);
	move_queue(budget, own, shared);
	remember_to_wake(wakeups, head_of(budget, number_of(budget, shared)));
	if (xero_quota_in_flight(&own->quota, now) == 0)
		xero_budget_remove(budget, own, now);
}

/* ---- giving back ---- */

/*
 * Locks; NULL if there is nothing to give back, as when the grant had been lost
 * long enough for another organisation to get the entry.
 */
static XeroBudgetEntry *
begin_giving_back(XeroGrant *grant)
{
	XeroBudget *budget;
	XeroBudgetEntry *entry;

	if (!grant->held)
		return NULL;
	grant->held = false;
	dlist_delete(&grant->node);
	budget = xero_budget_attach();
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	entry = &XERO_BUDGET_ENTRIES(budget)[grant->entry];
	if (xero_permit_is_current(&entry->quota, &grant->permit))
		return entry;
	LWLockRelease(&budget->lock);
	return NULL;
}

/* Unlocks. */
static void
end_giving_back(const XeroBudgetEntry *entry, Wakeups *wakeups)
{
	XeroBudget *budget = xero_budget_attach();

	remember_to_wake(wakeups, head_of(budget, number_of(budget, entry)));
	offer_room(budget, entry, wakeups);
	LWLockRelease(&budget->lock);
	wake(wakeups);
}

void
xero_budget_return(XeroGrant *grant)
{
	XeroBudgetEntry *entry = begin_giving_back(grant);
	Wakeups		wakeups = {0};

	if (entry == NULL)
		return;
	xero_quota_return(&entry->quota, app_of(xero_budget_attach(), entry),
					  &grant->permit);
	end_giving_back(entry, &wakeups);
}

void
xero_budget_abandon(XeroGrant *grant)
{
	XeroBudgetEntry *entry = begin_giving_back(grant);
	Wakeups		wakeups = {0};

	if (entry == NULL)
		return;
	xero_quota_abandon(&entry->quota, app_of(xero_budget_attach(), entry),
					   &grant->permit, xero_budget_now());
	entry->stats.calls++;
	end_giving_back(entry, &wakeups);
}

void
xero_budget_charge(XeroGrant *grant, const XeroHttpResult *result,
				   bool accepted, int64 bytes_out, double waited_ms)
{
	XeroBudget *budget = xero_budget_attach();
	XeroRemaining remaining = {result->minute_remaining,
	result->app_minute_remaining, result->day_remaining};
	static const XeroRemaining unknown = {-1, -1, -1};
	XeroBudgetEntry *entry = begin_giving_back(grant);
	XeroBudgetEntry *shared = NULL;
	Wakeups		wakeups = {0};
	int64		now;

	if (entry == NULL)
		return;
	now = xero_budget_now();
	if (accepted)
		shared = prove(budget, entry, &grant->caller, now);
	if (entry->app != grant->app)
		xero_permit_change_app(&grant->permit, app_of(budget, entry));
	/* who has proved nothing may say anything */
	xero_quota_charge(&entry->quota, app_of(budget, entry), &grant->permit,
					  now, xero_budget_is_shared(entry) ? &remaining : &unknown);
	entry->stats.calls++;
	entry->stats.bytes_in += result->bytes_in;
	entry->stats.bytes_out += bytes_out;
	entry->stats.waited_ms += waited_ms;
	if (shared != NULL && shared != entry)
	{
		xero_quota_count(&shared->quota, app_of(budget, shared),
						 &grant->permit, now, &remaining);
		merge(budget, entry, shared, now, &wakeups);
	}
	end_giving_back(entry, &wakeups);
}

void
xero_budget_deny(XeroGrant *grant)
{
	XeroBudget *budget = xero_budget_attach();
	static const XeroRemaining unknown = {-1, -1, -1};
	XeroBudgetEntry *entry = begin_giving_back(grant);
	Wakeups		wakeups = {0};

	if (entry == NULL)
		return;
	if (xero_budget_is_shared(entry))
	{
		xero_quota_return(&entry->quota, app_of(budget, entry), &grant->permit);
		xero_drop_proof(&entry->proofs, &grant->caller);
	}
	else
		xero_quota_charge(&entry->quota, app_of(budget, entry), &grant->permit,
						  xero_budget_now(), &unknown);
	entry->stats.calls++;
	end_giving_back(entry, &wakeups);
}

void
xero_budget_refuse(XeroGrant *grant, XeroLimit limit, const char *problem,
				   double delay_ms)
{
	XeroBudgetEntry *entry = begin_giving_back(grant);
	Wakeups		wakeups = {0};
	int64		now = xero_budget_now();

	if (entry == NULL)
		return;
	xero_quota_refuse(&entry->quota, app_of(xero_budget_attach(), entry),
					  &grant->permit, now, limit, now + (int64) delay_ms);
	strlcpy(entry->problem, problem, sizeof(entry->problem));
	entry->stats.calls++;
	entry->stats.throttled++;
	end_giving_back(entry, &wakeups);
}

/* ---- clearing ---- */

/* Does a server of this database use the entry? */
static bool
is_used_by(const XeroBudgetEntry *entry, Oid serverid)
{
	if (!entry->used)
		return false;
	if (entry->owner.dbid == MyDatabaseId && entry->owner.serverid == serverid)
		return true;
	for (int i = 0; i < entry->proofs.count; i++)
	{
		if (entry->proofs.callers[i].dbid == MyDatabaseId &&
			entry->proofs.callers[i].serverid == serverid)
			return true;
	}
	return false;
}

void
xero_budget_unblock(Oid serverid)
{
	XeroBudget *budget = xero_budget_attach();
	XeroBudgetEntry *entries = XERO_BUDGET_ENTRIES(budget);
	bool	   *apps = palloc0(sizeof(bool) * budget->nentries);
	int		   *heads = palloc(sizeof(int) * (budget->nentries + 1));
	int			nheads = 0;

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	for (int i = 0; i < budget->nentries; i++)
	{
		if (is_used_by(&entries[i], serverid))
			apps[entries[i].app] = true;
	}
	for (int i = 0; i < budget->nentries; i++)
	{
		if (!entries[i].used || !apps[entries[i].app])
			continue;
		xero_quota_unblock(&entries[i].quota, app_of(budget, &entries[i]));
		heads[nheads++] = head_of(budget, i);
	}
	heads[nheads++] = head_of(budget, NO_ENTRY);
	LWLockRelease(&budget->lock);
	for (int i = 0; i < nheads; i++)
		wake_one(heads[i]);
	pfree(heads);
	pfree(apps);
}
