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

#include "api/budget/callers.h"
#include "api/budget/item_counts.h"
#include "api/budget/turns.h"
#include "api/budget/quota.h"
#include "datatype/timestamp.h"
#include "storage/lwlock.h"

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

typedef struct XeroBudgetEntry
{
	bool		used;
	XeroBudgetKey key;
	XeroCaller	owner;			/* whose own it is; nobody's: those share it
								 * that have proved themselves */
	XeroProofs	proofs;
	Oid			role;			/* who entered it; InvalidOid: a superuser */
	int			app;			/* number of its application */
	int64		last_used;
	int64		named_at;		/* of it, by a server whose options say which
								 * organisation; 0: never */
	XeroCaps	caps;			/* of the server that called last */
	XeroQuota	quota;
	char		problem[32];	/* of the last refusal, in Xero's word */
	XeroQueue	queue;
	XeroBudgetStats stats;
	XeroItemCounts items;
} XeroBudgetEntry;

typedef struct XeroBudgetApp
{
	int			nentries;		/* 0: free */
	bool		shared;			/* or that of one caller's own entry */
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

/* Of an organisation, as the server names it. */
extern XeroBudgetKey xero_budget_key(const XeroServer *server);

/* In the following functions the caller locks. */

/* The entry that is shared; NULL if there is none. */
extern XeroBudgetEntry *xero_budget_find_shared(XeroBudget *budget,
												const XeroBudgetKey *key);

/* The one that the caller uses: that, or its own. */
extern XeroBudgetEntry *xero_budget_find(XeroBudget *budget,
										 const XeroBudgetKey *key,
										 const XeroCaller *caller, int64 now);

/* May the caller know what is known there? */
extern bool xero_budget_is_open_to(const XeroBudgetEntry *entry,
								   const XeroCaller *caller);

/*
 * An entry becomes the key's, as its owner's (NULL: to be shared); NULL if there
 * is none that the role may take.
 */
extern XeroBudgetEntry *xero_budget_enter(XeroBudget *budget,
										  const XeroBudgetKey *key,
										  const XeroCaller *owner, Oid role,
										  int64 now);

/* An owner's entry becomes the one that is shared, as there is none. */
extern void xero_budget_open(XeroBudget *budget, XeroBudgetEntry *entry);

/* It is nobody's any more.  Nobody waits there, and no call is under way. */
extern void xero_budget_remove(XeroBudget *budget, XeroBudgetEntry *entry,
							   int64 now);

/* Does nothing hold it? */
extern bool xero_budget_is_idle(XeroBudget *budget, XeroBudgetEntry *entry,
								int64 now);

/* Is there an entry that the role may take, or (the second) is this one? */
extern bool xero_budget_has_room(XeroBudget *budget, Oid role, int64 now);
extern bool xero_budget_may_take(XeroBudget *budget, XeroBudgetEntry *entry,
								 Oid role, int64 now);

/* When there may be one. */
extern void xero_budget_room(XeroBudget *budget, Oid role, int64 now,
							 XeroDelay *delay);

/* So many entries a role can have. */
extern int	xero_budget_share(const XeroBudget *budget, Oid role);

static inline bool
xero_budget_is_shared(const XeroBudgetEntry *entry)
{
	return xero_is_nobody(&entry->owner);
}

/* Now, by the clock of window.h. */
extern int64 xero_budget_now(void);

/* That clock's time for humans and for files, and back. */
extern TimestampTz xero_budget_wall_time(int64 ms);
extern int64 xero_budget_clock_time(TimestampTz at);

/* What is left over a clean shutdown; see budget_file.c. */
extern void xero_budget_load(void *budget);
extern void xero_budget_save(void *budget);

#endif							/* XERO_ENTRIES_H */
