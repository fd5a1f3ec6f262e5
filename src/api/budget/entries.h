/*-------------------------------------------------------------------------
 *
 * entries.h
 *	  The entries of the budget, in shared memory.
 *
 * For budget.c, which says how it is locked, and for those who save and show
 * it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ENTRIES_H
#define XERO_ENTRIES_H

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
typedef struct XeroBudgetKey
{
	char		client_id[64];	/* "": there is a token only */
	char		tenant_id[40];	/* "": calls that belong to none */
} XeroBudgetKey;

/* Since when, what. */
typedef struct XeroBudgetStats
{
	TimestampTz since;
	int64		calls;			/* attempts that were sent */
	int64		throttled;		/* of them, refused for a limit */
	int64		bytes_in;
	int64		bytes_out;
	double		waited_ms;
} XeroBudgetStats;

/* A call that its backend sleeps for until it may begin. */
typedef struct XeroWaiter
{
	int			entry;			/* number of the entry whose queue it is in,
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

typedef struct XeroBudgetEntry
{
	bool		used;
	XeroBudgetKey key;
	int			app;			/* number of its application */
	int64		last_used;
	XeroCaps	caps;			/* of the server that called last */
	XeroQuota	quota;
	char		problem[32];	/* of the last refusal, in Xero's word */
	XeroQueue	queue;
	XeroBudgetStats stats;
} XeroBudgetEntry;

typedef struct XeroBudgetApp
{
	int			nentries;		/* 0: free */
	char		client_id[64];
	XeroMinute	minute;
} XeroBudgetApp;

/* The arrays follow it in memory. */
typedef struct XeroBudget
{
	LWLock		lock;
	int			nentries;		/* and as many applications */
	int			nwaiters;		/* XERO_MAX_QUEUED a backend */
	uint64		last_turn;
	XeroQueue	room;			/* of calls to what has no entry */
} XeroBudget;

#define XERO_BUDGET_ENTRIES(budget) \
	((XeroBudgetEntry *) ((char *) (budget) + MAXALIGN(sizeof(XeroBudget))))
#define XERO_BUDGET_APPS(budget) \
	((XeroBudgetApp *) (XERO_BUDGET_ENTRIES(budget) + (budget)->nentries))
#define XERO_BUDGET_WAITERS(budget) \
	((XeroWaiter *) (XERO_BUDGET_APPS(budget) + (budget)->nentries))

/* In _PG_init: defines xero_fdw.max_tenants. */
extern void xero_budget_init(void);

/* What that setting says. */
extern int	xero_max_tenants(void);

/* The budget of all backends.  Raises an ERROR 55000 if there is none. */
extern XeroBudget *xero_budget_attach(void);

/* A free entry becomes the key's; NULL if all are in use.  Caller locks. */
extern XeroBudgetEntry *xero_budget_enter(XeroBudget *budget,
										  const XeroBudgetKey *key, int64 now);

/* Can it be given to another key?  Caller locks. */
extern bool xero_budget_is_idle(XeroBudget *budget, XeroBudgetEntry *entry,
								int64 now);

/* When there may be a free entry.  Caller locks. */
extern void xero_budget_room(XeroBudget *budget, int64 now,
							 XeroDelay *delay);

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

#endif							/* XERO_ENTRIES_H */
