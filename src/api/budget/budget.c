/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  Grants of calls: no attempt is made without one.
 *
 * All backends of the cluster share the same budgets, one for each application
 * in each organisation (entries.c).  quota.c has their arithmetic; this file
 * locks, queues and wakes.
 *
 * Queues.  Each entry has a queue of calls that backends sleep for.  A call
 * that was begun ahead never queues: it takes a grant only if nobody waits.  A
 * backend that reads several organisations sleeps for a call to each of them,
 * in as many queues.  Within its class a queue is first in, first out.  Each
 * call queues anew, so backends take turns.  A backend that goes off to do
 * other work leaves all queues, so that nobody waits behind it; on return it
 * gets its old places back.  Interactive calls overtake background ones, but
 * after BACKGROUND_TURN of them one background call has its turn.
 *
 * The call whose turn it is is the head of its queue.  Only the head may
 * acquire a grant.  Only the head's backend is woken, by its latch, when
 * something has changed that may concern it.  It knows when time alone will
 * change something, and sleeps until then at most.  A backend that stops being
 * the head, because it got a grant or gave up, wakes the new head.
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
 * A grant that is not given back otherwise is lost after its lease.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>

#include "api/budget/budget.h"
#include "api/budget/budget_state.h"
#include "api/budget/entries.h"
#include "api/budget/statement_limits.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"

/* The number of interactive calls before a background call has its turn. */
#define BACKGROUND_TURN 4

/*
 * A grant is good for this many times the time that a request may take: once
 * for a token, once for the call.
 */
#define LEASE_TIMEOUTS 2

#define NOBODY (-1)

/* In place of an entry's number: the queue for room. */
#define NO_ENTRY (-1)

/* Entries by the hash of their keys, as they were found last. */
#define HINTS 256
static int	hints[HINTS];

/* Grants that this backend holds, and those that it waits for. */
static dlist_head held = DLIST_STATIC_INIT(held);
static XeroGrant *wanted[XERO_MAX_QUEUED];

/* ---- entries ---- */

static void
fill_key(XeroBudgetKey *key, const XeroServer *server)
{
	memset(key, 0, sizeof(*key));
	if (server->client_id != NULL)
		strlcpy(key->client_id, server->client_id, sizeof(key->client_id));
	if (server->tenant_id != NULL)
		strlcpy(key->tenant_id, server->tenant_id, sizeof(key->tenant_id));
	for (char *p = key->tenant_id; *p != '\0'; p++)
		*p = tolower((unsigned char) *p);
}

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

static XeroBudgetEntry *
find_entry(XeroBudget *budget, const XeroBudgetKey *key)
{
	XeroBudgetEntry *entries = XERO_BUDGET_ENTRIES(budget);
	int		   *hint = &hints[hash_bytes((const unsigned char *) key,
										 sizeof(*key)) % HINTS];

	if (*hint < budget->nentries && entries[*hint].used &&
		memcmp(&entries[*hint].key, key, sizeof(*key)) == 0)
		return &entries[*hint];
	for (int i = 0; i < budget->nentries; i++)
	{
		if (entries[i].used && memcmp(&entries[i].key, key, sizeof(*key)) == 0)
		{
			*hint = i;
			return &entries[i];
		}
	}
	return NULL;
}

/* The server's entry, which it uses now; NULL if it has none. */
static XeroBudgetEntry *
entry_of(XeroBudget *budget, const XeroServer *server, int64 now)
{
	XeroBudgetKey key;
	XeroBudgetEntry *entry;

	fill_key(&key, server);
	entry = find_entry(budget, &key);
	if (entry != NULL)
	{
		entry->caps = caps_of(server);
		entry->last_used = now;
	}
	return entry;
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

/* The class whose turn it is, among those that wait. */
static XeroClass
class_in_turn(const XeroQueue *queue)
{
	if (queue->waiting[XERO_BACKGROUND] > 0 &&
		(queue->waiting[XERO_INTERACTIVE] == 0 ||
		 queue->passed >= BACKGROUND_TURN))
		return XERO_BACKGROUND;
	return XERO_INTERACTIVE;
}

/* The waiter whose turn it is, or NOBODY. */
static int
head_of(const XeroQueue *queue)
{
	return queue->head[class_in_turn(queue)];
}

/* Does the call stand in that queue? */
static bool
stands_in(XeroBudget *budget, const XeroGrant *grant, int entry)
{
	return grant->queued && waiter_of(budget, grant->waiter)->entry == entry;
}

/*
 * Is it the call's turn?  One that does not stand in the queue may go if nobody
 * is there whom it may not pass.
 */
static bool
is_in_turn(XeroBudget *budget, const XeroGrant *grant, int entry,
		   XeroClass class)
{
	const XeroQueue *queue = queue_of(budget, entry);

	if (stands_in(budget, grant, entry))
		return head_of(queue) == grant->waiter;
	if (queue->waiting[class] > 0)
		return false;
	return class == XERO_BACKGROUND ?
		queue->waiting[XERO_INTERACTIVE] == 0 :
		class_in_turn(queue) == XERO_INTERACTIVE;
}

/* Who goes has passed others, or was one of them. */
static void
count_turn(XeroQueue *queue, XeroClass class)
{
	if (class == XERO_BACKGROUND)
		queue->passed = 0;
	else if (queue->waiting[XERO_BACKGROUND] > 0)
		queue->passed++;
}

/* Who has waited for longer stands before. */
static void
join_queue(XeroBudget *budget, int entry, XeroClass class, XeroGrant *grant)
{
	XeroQueue  *queue = queue_of(budget, entry);
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
	waiter->turn = grant->turn;
	waiter->next = NOBODY;
	waiter->prev = queue->tail[class];
	while (waiter->prev != NOBODY &&
		   waiter_of(budget, waiter->prev)->turn > waiter->turn)
	{
		waiter->next = waiter->prev;
		waiter->prev = waiter_of(budget, waiter->prev)->prev;
	}
	if (waiter->prev == NOBODY)
		queue->head[class] = grant->waiter;
	else
		waiter_of(budget, waiter->prev)->next = grant->waiter;
	if (waiter->next == NOBODY)
		queue->tail[class] = grant->waiter;
	else
		waiter_of(budget, waiter->next)->prev = grant->waiter;
	queue->waiting[class]++;
}

static void
leave_queue(XeroBudget *budget, XeroGrant *grant)
{
	XeroWaiter *waiter = waiter_of(budget, grant->waiter);
	XeroQueue  *queue = queue_of(budget, waiter->entry);
	XeroClass	class = waiter->class;

	if (waiter->prev == NOBODY)
		queue->head[class] = waiter->next;
	else
		waiter_of(budget, waiter->prev)->next = waiter->next;
	if (waiter->next == NOBODY)
		queue->tail[class] = waiter->prev;
	else
		waiter_of(budget, waiter->next)->prev = waiter->prev;
	queue->waiting[class]--;
	wanted[grant->waiter % XERO_MAX_QUEUED] = NULL;
	grant->queued = false;
}

/* How many stand before this one, in its class. */
static int
count_ahead(XeroBudget *budget, int number)
{
	int			count = 0;

	for (int i = waiter_of(budget, number)->prev; i != NOBODY;
		 i = waiter_of(budget, i)->prev)
		count++;
	return count;
}

/* Who is to be woken if "before" was the head. */
static int
new_head(const XeroQueue *queue, int before)
{
	int			head = head_of(queue);

	return head == before ? NOBODY : head;
}

/* Who is to be woken by the entry's having become idle, if it has. */
static int
heir_of(XeroBudget *budget, const XeroBudgetEntry *entry)
{
	return xero_queue_is_empty(&entry->queue) ? head_of(&budget->room) : NOBODY;
}

/* After the lock's release. */
static void
wake(int number)
{
	if (number != NOBODY && number / XERO_MAX_QUEUED != MyProcNumber)
		SetLatch(&GetPGProcByNumber(number / XERO_MAX_QUEUED)->procLatch);
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
	xero_quota_take(&entry->quota, app_of(budget, entry), now,
					(int64) server->request_timeout * LEASE_TIMEOUTS,
					&grant->permit);
	count_turn(&entry->queue, class);
	grant->entry = number_of(budget, entry);
	grant->send_by = now + server->request_timeout;
	grant->turn = 0;
	grant->held = true;
	dlist_push_tail(&held, &grant->node);
}

/*
 * May the call use its server's entry?  One that is idle is as good as none
 * while others wait for room, who could not get ahead of those otherwise who
 * call without a pause.
 */
static bool
may_use(XeroBudget *budget, const XeroGrant *grant, XeroBudgetEntry *entry,
		XeroClass class, int64 now)
{
	return entry != NULL &&
		(is_in_turn(budget, grant, NO_ENTRY, class) ||
		 !xero_budget_is_idle(budget, entry, now));
}

/*
 * The server's entry; NULL if the call has to wait for room.  If it did, it
 * leaves that queue when there is an entry.
 */
static XeroBudgetEntry *
enter(XeroBudget *budget, XeroGrant *grant, const XeroServer *server,
	  XeroClass class, int64 now)
{
	XeroBudgetEntry *entry = entry_of(budget, server, now);

	if (entry == NULL && is_in_turn(budget, grant, NO_ENTRY, class))
	{
		XeroBudgetKey key;

		fill_key(&key, server);
		if (xero_budget_enter(budget, &key, now) != NULL)
		{
			count_turn(&budget->room, class);
			entry = entry_of(budget, server, now);
		}
	}
	if (!may_use(budget, grant, entry, class, now))
		return NULL;
	if (stands_in(budget, grant, NO_ENTRY))
		leave_queue(budget, grant);
	return entry;
}

bool
xero_budget_acquire(XeroGrant *grant, const XeroServer *server)
{
	XeroBudget *budget = xero_budget_attach();
	XeroClass	class;
	int64		now;
	XeroBudgetEntry *entry;
	XeroDelay	delay;
	int			first_for_room;
	int			next_for_room;
	int			next = NOBODY;

	Assert(!grant->held);
	register_exit();
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	class = class_of(budget, grant);
	first_for_room = head_of(&budget->room);
	entry = enter(budget, grant, server, class, now);
	next_for_room = new_head(&budget->room, first_for_room);
	if (entry != NULL &&
		is_in_turn(budget, grant, number_of(budget, entry), class) &&
		xero_quota_check(&entry->quota, app_of(budget, entry),
						 &entry->caps, class == XERO_BACKGROUND, 1, now,
						 &delay) == XERO_BLOCKED_BY_NONE)
	{
		int			head = head_of(&entry->queue);

		if (grant->queued)
			leave_queue(budget, grant);
		take(budget, entry, grant, server, class, now);
		next = new_head(&entry->queue, head);
	}
	LWLockRelease(&budget->lock);
	wake(next);
	wake(next_for_room);
	return grant->held;
}

bool
xero_budget_is_stale(const XeroGrant *grant)
{
	return xero_budget_now() >= grant->send_by;
}

int
xero_budget_entries(void)
{
	return xero_budget_attach()->nentries;
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
	int			ahead = count_ahead(budget, grant->waiter);
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
	int64		now;
	XeroBudgetEntry *entry;
	XeroClass	class;
	bool		usable;
	int			number;
	XeroDelay	delay;
	bool		is_head;

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	class = class_of(budget, grant);
	entry = entry_of(budget, server, now);
	usable = may_use(budget, grant, entry, class, now);
	if (!grant->queued)
		join_queue(budget, usable ? number_of(budget, entry) : NO_ENTRY,
				   class, grant);
	number = waiter_of(budget, grant->waiter)->entry;
	is_head = head_of(queue_of(budget, number)) == grant->waiter;
	if (number != NO_ENTRY)
	{
		wait->blocked_by = check_queued(budget, entry, grant, now, &delay);
		wait->by_us = wait->blocked_by == XERO_BLOCKED_BY_CONCURRENCY &&
			is_of_us(number);
	}
	else
	{
		wait->blocked_by = XERO_BLOCKED_BY_ROOM;
		wait->by_us = !dlist_is_empty(&held);
		xero_budget_room(budget, now, &delay);
		/* somebody else has entered it: go there */
		if (usable)
		{
			is_head = true;
			delay.provable = delay.look_at = now;
		}
	}
	LWLockRelease(&budget->lock);

	wait->ordered = delay.ordered;
	wait->at_latest = delay.at_latest;
	wait->provable = (double) delay.provable;
	wait->look_at = !is_head || delay.look_at == XERO_NEVER ? INFINITY :
		(double) delay.look_at;
}

static void
leave_one(XeroGrant *grant)
{
	XeroBudget *budget = xero_budget_attach();
	int			entry;
	int			head;
	int			heir = NOBODY;

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	entry = waiter_of(budget, grant->waiter)->entry;
	head = head_of(queue_of(budget, entry));
	leave_queue(budget, grant);
	head = new_head(queue_of(budget, entry), head);
	if (entry != NO_ENTRY)
		heir = heir_of(budget, &XERO_BUDGET_ENTRIES(budget)[entry]);
	LWLockRelease(&budget->lock);
	wake(head);
	wake(heir);
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
end_giving_back(const XeroBudgetEntry *entry)
{
	XeroBudget *budget = xero_budget_attach();
	int			next = head_of(&entry->queue);
	int			heir = heir_of(budget, entry);

	LWLockRelease(&budget->lock);
	wake(next);
	wake(heir);
}

void
xero_budget_return(XeroGrant *grant)
{
	XeroBudgetEntry *entry = begin_giving_back(grant);

	if (entry == NULL)
		return;
	xero_quota_return(&entry->quota, app_of(xero_budget_attach(), entry),
					  &grant->permit);
	end_giving_back(entry);
}

void
xero_budget_abandon(XeroGrant *grant)
{
	XeroBudgetEntry *entry = begin_giving_back(grant);

	if (entry == NULL)
		return;
	xero_quota_abandon(&entry->quota, app_of(xero_budget_attach(), entry),
					   &grant->permit, xero_budget_now());
	entry->stats.calls++;
	end_giving_back(entry);
}

void
xero_budget_charge(XeroGrant *grant, const XeroHttpResult *result,
				   int64 bytes_out, double waited_ms)
{
	XeroRemaining remaining = {result->minute_remaining,
	result->app_minute_remaining, result->day_remaining};
	XeroBudgetEntry *entry = begin_giving_back(grant);

	if (entry == NULL)
		return;
	xero_quota_charge(&entry->quota, app_of(xero_budget_attach(), entry),
					  &grant->permit, xero_budget_now(), &remaining);
	entry->stats.calls++;
	entry->stats.bytes_in += result->bytes_in;
	entry->stats.bytes_out += bytes_out;
	entry->stats.waited_ms += waited_ms;
	end_giving_back(entry);
}

void
xero_budget_refuse(XeroGrant *grant, XeroLimit limit, const char *problem,
				   double delay_ms)
{
	XeroBudgetEntry *entry = begin_giving_back(grant);
	int64		now = xero_budget_now();

	if (entry == NULL)
		return;
	xero_quota_refuse(&entry->quota, app_of(xero_budget_attach(), entry),
					  &grant->permit, now, limit, now + (int64) delay_ms);
	strlcpy(entry->problem, problem, sizeof(entry->problem));
	entry->stats.calls++;
	entry->stats.throttled++;
	end_giving_back(entry);
}

void
xero_budget_unblock(const char *client_id)
{
	XeroBudget *budget = xero_budget_attach();
	int		   *heads = palloc(sizeof(int) * (budget->nentries + 1));
	int			nheads = 0;
	XeroBudgetKey key;

	strlcpy(key.client_id, client_id != NULL ? client_id : "",
			sizeof(key.client_id));
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];

		if (!entry->used || strcmp(entry->key.client_id, key.client_id) != 0)
			continue;
		xero_quota_unblock(&entry->quota, app_of(budget, entry));
		heads[nheads++] = head_of(&entry->queue);
	}
	heads[nheads++] = head_of(&budget->room);
	LWLockRelease(&budget->lock);
	for (int i = 0; i < nheads; i++)
		wake(heads[i]);
	pfree(heads);
}

bool
xero_budget_look(const XeroServer *server, XeroBudgetState *state)
{
	XeroBudget *budget = xero_budget_attach();
	XeroBudgetKey key;
	XeroBudgetEntry *entry;

	fill_key(&key, server);
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	entry = find_entry(budget, &key);
	if (entry != NULL)
		xero_budget_state(entry, app_of(budget, entry), xero_budget_now(),
						  state);
	LWLockRelease(&budget->lock);
	return entry != NULL;
}
