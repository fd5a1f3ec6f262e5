/*-------------------------------------------------------------------------
 *
 * tenants.h
 *	  The budget's part of shared memory.
 *
 * For budget.c, which says how it is locked, and for those who save and show
 * it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TENANTS_H
#define XERO_TENANTS_H

#include "compat.h"

#include "api/budget/quota.h"
#include "datatype/timestamp.h"
#include "storage/lwlock.h"

/* Those who wait in one queue are of two classes. */
typedef enum XeroClass
{
	XERO_INTERACTIVE,
	XERO_BACKGROUND
} XeroClass;

#define XERO_NCLASSES 2

/* Which quota it is: of an application in an organisation. */
typedef struct XeroTenantKey
{
	char		client_id[64];	/* "": there is a token only */
	char		tenant_id[40];	/* "": calls that belong to none */
} XeroTenantKey;

/* Since when, what. */
typedef struct XeroTenantStats
{
	TimestampTz since;
	int64		calls;			/* attempts that were sent */
	int64		throttled;		/* of them, refused for a limit */
	int64		bytes_in;
	int64		bytes_out;
	double		waited_ms;
} XeroTenantStats;

/* A call that its backend sleeps for until it may begin. */
typedef struct XeroWaiter
{
	int			tenant;			/* number of the entry whose queue it is in,
								 * -1: the queue for room */
	XeroClass	class;
	uint64		turn;			/* the smaller goes first */
	int			next;			/* number of a waiter, or -1 */
	int			prev;
} XeroWaiter;

/* Calls that wait, as budget.c has them take turns. */
typedef struct XeroQueue
{
	int			head[XERO_NCLASSES];	/* numbers of waiters, or -1 */
	int			tail[XERO_NCLASSES];
	int			waiting[XERO_NCLASSES];
	int			passed;			/* calls that passed waiting background ones */
} XeroQueue;

typedef struct XeroTenant
{
	bool		used;
	XeroTenantKey key;
	int			app;			/* number of its application */
	int64		last_used;
	XeroCaps	caps;			/* of the server that called last */
	XeroQuota	quota;
	char		problem[32];	/* of the last refusal, in Xero's word */
	XeroQueue	queue;
	XeroTenantStats stats;
} XeroTenant;

typedef struct XeroApp
{
	int			ntenants;		/* 0: free */
	char		client_id[64];
	XeroGate	gate;
} XeroApp;

/* The arrays follow it in memory. */
typedef struct XeroBudget
{
	LWLock		lock;
	int			ntenants;		/* of tenants and of applications */
	int			nwaiters;		/* XERO_MAX_QUEUED a backend */
	uint64		last_turn;
	XeroQueue	room;			/* of calls to what has no entry */
} XeroBudget;

#define XERO_BUDGET_TENANTS(budget) \
	((XeroTenant *) ((char *) (budget) + MAXALIGN(sizeof(XeroBudget))))
#define XERO_BUDGET_APPS(budget) \
	((XeroApp *) (XERO_BUDGET_TENANTS(budget) + (budget)->ntenants))
#define XERO_BUDGET_WAITERS(budget) \
	((XeroWaiter *) (XERO_BUDGET_APPS(budget) + (budget)->ntenants))

/* In _PG_init: defines xero_fdw.max_tenants. */
extern void xero_tenants_init(void);

/* What that setting says. */
extern int	xero_max_tenants(void);

/* The budget of all backends.  Raises an ERROR 55000 if there is none. */
extern XeroBudget *xero_budget_attach(void);

/* A free entry becomes the key's; NULL if all are in use.  Caller locks. */
extern XeroTenant *xero_budget_enter(XeroBudget *budget,
									 const XeroTenantKey *key, int64 now);

/* Can it be given to another key?  Caller locks. */
extern bool xero_budget_is_idle(XeroBudget *budget, XeroTenant *tenant,
								int64 now);

/* When there may be a free entry.  Caller locks. */
extern void xero_budget_room(XeroBudget *budget, int64 now,
							 XeroOpening *opening);

/* Does anybody wait there? */
extern bool xero_queue_is_empty(const XeroQueue *queue);

/* Now, by the clock of window.h. */
extern int64 xero_budget_now(void);

/* That clock's time for humans and for files, and back. */
extern TimestampTz xero_budget_wall_time(int64 ms);
extern int64 xero_budget_clock_time(TimestampTz at);

/* What is left over a clean shutdown; see budget_file.c. */
extern void xero_budget_load(void *budget);
extern void xero_budget_save(void *budget);

#endif							/* XERO_TENANTS_H */
