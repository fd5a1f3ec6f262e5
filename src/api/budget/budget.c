/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  Leave to call: no attempt is made without a grant.
 *
 * All backends of the cluster draw on the same budgets, one for each
 * application in each organisation (tenants.c), whose arithmetic is quota.c's.
 * This file locks, queues and wakes.
 *
 * Queues.  Each entry has one, of calls that their backends sleep for: a call
 * that was begun ahead takes what is free and nobody waits for.  A backend that
 * reads several organisations sleeps for a call to each, in as many queues.
 * Within its class a queue is first in, first out, and each call queues anew,
 * so backends take turns.  A backend that has something else to do leaves all
 * queues, as nobody is to wait for it, and has its places again when it comes
 * back.  Interactive calls pass background ones, but for each BACKGROUND_TURN
 * of them one that waits in the background goes.  Whose turn it is is called
 * the head; only the head may acquire a grant, and only the head's backend is
 * woken, by its latch, whenever something has changed that may concern it.  It
 * also knows when time alone will change something, and sleeps until then at
 * most.  Who makes another the head, by getting a grant or by giving up, wakes
 * it.
 *
 * Locking.  One lock for all of it, taken exclusively and held for arithmetic
 * and short walks over arrays and queues only: no I/O, no palloc, no ereport.
 * Latches are set after its release, by the number of the backend, which that
 * of the waiter tells: that a process may have ended meanwhile, and another
 * have its number, does no harm.
 *
 * Ownership.  A grant belongs to the call that holds it, which gives it back
 * however it ends; a list of those held serves the end of the process.  A
 * backend that is killed takes shared memory with it, as the postmaster makes
 * it anew; one that does not get to give back a grant loses it after its
 * lease.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>

#include "api/budget/budget.h"
#include "api/budget/statement.h"
#include "api/budget/tenants.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"

/* So many interactive calls pass before it is the background's turn. */
#define BACKGROUND_TURN 4

/*
 * A grant is good for this many times the time that a request may take: once
 * for a token, once for the call.
 */
#define LEASE_TIMEOUTS 2

#define NOBODY (-1)

/* Entries by the hash of their keys, as they were found last. */
#define HINTS 256
static int	hints[HINTS];

/* Grants that this backend holds, and those that it waits for. */
static dlist_head held = DLIST_STATIC_INIT(held);
static XeroGrant *wanted[XERO_MAX_QUEUED];

/* ---- entries ---- */

static void
fill_key(XeroTenantKey *key, const XeroServer *server)
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

static XeroTenant *
find_tenant(XeroBudget *budget, const XeroTenantKey *key)
{
	XeroTenant *tenants = XERO_BUDGET_TENANTS(budget);
	int		   *hint = &hints[hash_bytes((const unsigned char *) key,
										 sizeof(*key)) % HINTS];

	if (*hint < budget->ntenants && tenants[*hint].used &&
		memcmp(&tenants[*hint].key, key, sizeof(*key)) == 0)
		return &tenants[*hint];
	for (int i = 0; i < budget->ntenants; i++)
	{
		if (tenants[i].used && memcmp(&tenants[i].key, key, sizeof(*key)) == 0)
		{
			*hint = i;
			return &tenants[i];
		}
	}
	return NULL;
}

static XeroTenant *
tenant_of(XeroBudget *budget, const XeroServer *server, int64 now)
{
	XeroTenantKey key;
	XeroTenant *tenant;

	fill_key(&key, server);
	tenant = find_tenant(budget, &key);
	if (tenant == NULL)
		tenant = xero_budget_enter(budget, &key, now);
	if (tenant == NULL)
	{
		LWLockRelease(&budget->lock);
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many organisations of Xero are in use at once"),
				 errdetail("There is room for %d.", budget->ntenants),
				 errhint("Raise xero_fdw.max_tenants and restart the server.")));
	}
	tenant->caps = caps_of(server);
	tenant->last_used = now;
	return tenant;
}

static XeroGate *
app_of(XeroBudget *budget, const XeroTenant *tenant)
{
	return &XERO_BUDGET_APPS(budget)[tenant->app].gate;
}

/* ---- queues ---- */

static XeroWaiter *
waiter_of(XeroBudget *budget, int number)
{
	Assert(number >= 0 && number < budget->nwaiters);
	return &XERO_BUDGET_WAITERS(budget)[number];
}

/* The class whose turn it is, among those that wait. */
static XeroClass
class_in_turn(const XeroTenant *tenant)
{
	if (tenant->waiting[XERO_BACKGROUND] > 0 &&
		(tenant->waiting[XERO_INTERACTIVE] == 0 ||
		 tenant->passed >= BACKGROUND_TURN))
		return XERO_BACKGROUND;
	return XERO_INTERACTIVE;
}

/* The waiter whose turn it is, or NOBODY. */
static int
head_of(const XeroTenant *tenant)
{
	return tenant->head[class_in_turn(tenant)];
}

/* May a call begin without queueing, as far as those who wait care? */
static bool
is_first(const XeroTenant *tenant, XeroClass class)
{
	if (tenant->waiting[class] > 0)
		return false;
	return class == XERO_BACKGROUND ?
		tenant->waiting[XERO_INTERACTIVE] == 0 :
		class_in_turn(tenant) == XERO_INTERACTIVE;
}

/* Who has waited for longer stands before. */
static void
join_queue(XeroBudget *budget, XeroTenant *tenant, XeroClass class,
		   XeroGrant *grant)
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
	waiter->tenant = tenant - XERO_BUDGET_TENANTS(budget);
	waiter->class = class;
	waiter->turn = grant->turn;
	waiter->next = NOBODY;
	waiter->prev = tenant->tail[class];
	while (waiter->prev != NOBODY &&
		   waiter_of(budget, waiter->prev)->turn > waiter->turn)
	{
		waiter->next = waiter->prev;
		waiter->prev = waiter_of(budget, waiter->prev)->prev;
	}
	if (waiter->prev == NOBODY)
		tenant->head[class] = grant->waiter;
	else
		waiter_of(budget, waiter->prev)->next = grant->waiter;
	if (waiter->next == NOBODY)
		tenant->tail[class] = grant->waiter;
	else
		waiter_of(budget, waiter->next)->prev = grant->waiter;
	tenant->waiting[class]++;
}

static void
leave_queue(XeroBudget *budget, XeroTenant *tenant, XeroGrant *grant)
{
	XeroWaiter *waiter = waiter_of(budget, grant->waiter);
	XeroClass	class = waiter->class;

	if (waiter->prev == NOBODY)
		tenant->head[class] = waiter->next;
	else
		waiter_of(budget, waiter->prev)->next = waiter->next;
	if (waiter->next == NOBODY)
		tenant->tail[class] = waiter->prev;
	else
		waiter_of(budget, waiter->next)->prev = waiter->prev;
	tenant->waiting[class]--;
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
new_head(const XeroTenant *tenant, int before)
{
	int			head = head_of(tenant);

	return head == before ? NOBODY : head;
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

static XeroClass
my_class(void)
{
	return xero_statement_in_background() ? XERO_BACKGROUND : XERO_INTERACTIVE;
}

static void
take(XeroBudget *budget, XeroTenant *tenant, XeroGrant *grant,
	 const XeroServer *server, XeroClass class, int64 now)
{
	xero_quota_take(&tenant->quota, app_of(budget, tenant), now,
					(int64) server->request_timeout * LEASE_TIMEOUTS,
					&grant->permit);
	if (class == XERO_BACKGROUND)
		tenant->passed = 0;
	else if (tenant->waiting[XERO_BACKGROUND] > 0)
		tenant->passed++;
	grant->tenant = tenant - XERO_BUDGET_TENANTS(budget);
	grant->send_by = now + server->request_timeout;
	grant->turn = 0;
	grant->held = true;
	dlist_push_tail(&held, &grant->node);
}

bool
xero_budget_acquire(XeroGrant *grant, const XeroServer *server)
{
	XeroBudget *budget = xero_budget_attach();
	XeroClass	class = my_class();
	int64		now;
	XeroTenant *tenant;
	XeroOpening opening;
	bool		in_turn;
	int			head;
	int			next = NOBODY;

	Assert(!grant->held);
	register_exit();
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	tenant = tenant_of(budget, server, now);
	head = head_of(tenant);
	if (grant->queued)
	{
		class = waiter_of(budget, grant->waiter)->class;
		in_turn = head == grant->waiter;
	}
	else
		in_turn = is_first(tenant, class);

	if (in_turn &&
		xero_quota_check(&tenant->quota, app_of(budget, tenant),
						 &tenant->caps, class == XERO_BACKGROUND, 1, now,
						 &opening) == XERO_BARRIER_NONE)
	{
		if (grant->queued)
			leave_queue(budget, tenant, grant);
		take(budget, tenant, grant, server, class, now);
		next = new_head(tenant, head);
	}
	LWLockRelease(&budget->lock);
	wake(next);
	return grant->held;
}

bool
xero_budget_is_stale(const XeroGrant *grant)
{
	return xero_budget_now() >= grant->send_by;
}

static bool
is_of_us(int tenant)
{
	dlist_iter	iter;

	dlist_foreach(iter, &held)
	{
		if (dlist_container(XeroGrant, node, iter.cur)->tenant == tenant)
			return true;
	}
	return false;
}

void
xero_budget_queue(XeroGrant *grant, const XeroServer *server, XeroWait *wait)
{
	XeroBudget *budget = xero_budget_attach();
	int64		now;
	XeroTenant *tenant;
	XeroOpening opening;
	XeroClass	class;
	bool		is_head;
	int			ahead;
	int			minute;			/* the most that may begin in one */

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	memset(&opening, 0, sizeof(opening));
	opening.provable = opening.look_at = now;
	tenant = tenant_of(budget, server, now);
	if (!grant->queued)
		join_queue(budget, tenant, my_class(), grant);
	class = waiter_of(budget, grant->waiter)->class;
	is_head = head_of(tenant) == grant->waiter;
	ahead = count_ahead(budget, grant->waiter);
	minute = Min(tenant->caps.minute, tenant->caps.app_minute);
	wait->barrier = xero_quota_check(&tenant->quota, app_of(budget, tenant),
									 &tenant->caps, class == XERO_BACKGROUND,
									 ahead % minute + 1, now, &opening);
	/* and a whole window for each time that those ahead fill one */
	if ((wait->barrier == XERO_BARRIER_MINUTE ||
		 wait->barrier == XERO_BARRIER_APP) && !opening.ordered)
		opening.provable += (int64) (ahead / minute) * XERO_WINDOW_MS;
	wait->ordered = opening.ordered;
	wait->at_latest = opening.at_latest;
	wait->by_us = wait->barrier == XERO_BARRIER_CONCURRENCY &&
		is_of_us(tenant - XERO_BUDGET_TENANTS(budget));
	LWLockRelease(&budget->lock);

	wait->provable = (double) opening.provable;
	wait->look_at = !is_head || opening.look_at == XERO_NEVER ? INFINITY :
		(double) opening.look_at;
}

static void
leave_one(XeroGrant *grant)
{
	XeroBudget *budget = xero_budget_attach();
	XeroTenant *tenant;
	int			head;

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	tenant = &XERO_BUDGET_TENANTS(budget)[waiter_of(budget, grant->waiter)->tenant];
	head = head_of(tenant);
	leave_queue(budget, tenant, grant);
	head = new_head(tenant, head);
	LWLockRelease(&budget->lock);
	wake(head);
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
static XeroTenant *
begin_giving_back(XeroGrant *grant)
{
	XeroBudget *budget;
	XeroTenant *tenant;

	if (!grant->held)
		return NULL;
	grant->held = false;
	dlist_delete(&grant->node);
	budget = xero_budget_attach();
	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	tenant = &XERO_BUDGET_TENANTS(budget)[grant->tenant];
	if (xero_quota_gave(&tenant->quota, &grant->permit))
		return tenant;
	LWLockRelease(&budget->lock);
	return NULL;
}

/* Unlocks. */
static void
end_giving_back(const XeroTenant *tenant)
{
	XeroBudget *budget = xero_budget_attach();
	int			next = head_of(tenant);

	LWLockRelease(&budget->lock);
	wake(next);
}

void
xero_budget_return(XeroGrant *grant)
{
	XeroTenant *tenant = begin_giving_back(grant);

	if (tenant == NULL)
		return;
	xero_quota_return(&tenant->quota, app_of(xero_budget_attach(), tenant),
					  &grant->permit);
	end_giving_back(tenant);
}

void
xero_budget_abandon(XeroGrant *grant)
{
	XeroTenant *tenant = begin_giving_back(grant);

	if (tenant == NULL)
		return;
	xero_quota_abandon(&tenant->quota, app_of(xero_budget_attach(), tenant),
					   &grant->permit, xero_budget_now());
	tenant->stats.calls++;
	end_giving_back(tenant);
}

void
xero_budget_charge(XeroGrant *grant, const XeroHttpResult *result,
				   int64 bytes_out, double waited_ms)
{
	XeroRemaining remaining = {result->minute_remaining,
	result->app_minute_remaining, result->day_remaining};
	XeroTenant *tenant = begin_giving_back(grant);

	if (tenant == NULL)
		return;
	xero_quota_charge(&tenant->quota, app_of(xero_budget_attach(), tenant),
					  &grant->permit, xero_budget_now(), &remaining);
	tenant->stats.calls++;
	tenant->stats.bytes_in += result->bytes_in;
	tenant->stats.bytes_out += bytes_out;
	tenant->stats.waited_ms += waited_ms;
	end_giving_back(tenant);
}

void
xero_budget_refuse(XeroGrant *grant, XeroBarrier limit, const char *problem,
				   double delay_ms)
{
	XeroTenant *tenant = begin_giving_back(grant);
	int64		now = xero_budget_now();

	if (tenant == NULL)
		return;
	xero_quota_refuse(&tenant->quota, app_of(xero_budget_attach(), tenant),
					  &grant->permit, now, limit, now + (int64) delay_ms);
	strlcpy(tenant->problem, problem, sizeof(tenant->problem));
	tenant->stats.calls++;
	tenant->stats.throttled++;
	end_giving_back(tenant);
}
