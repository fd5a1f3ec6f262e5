/*-------------------------------------------------------------------------
 *
 * quota.h
 *	  What one organisation allows now, by all its limits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_QUOTA_H
#define XERO_QUOTA_H

#include "compat.h"

#include "api/budget/day.h"
#include "api/budget/window.h"

/* The most that the server option "concurrency" may be. */
#define XERO_MAX_CONCURRENCY 100

/* The limit that blocks a call. */
typedef enum XeroLimit
{
	XERO_BLOCKED_BY_NONE,
	XERO_BLOCKED_BY_CONCURRENCY,	/* too many are under way */
	XERO_BLOCKED_BY_MINUTE,
	XERO_BLOCKED_BY_APP,		/* minute of the application */
	XERO_BLOCKED_BY_DAY,
	XERO_BLOCKED_BY_RESERVE,	/* rest of the day is not for background */
	XERO_BLOCKED_BY_ROOM		/* it has no quota, and all are in use */
} XeroLimit;

/* The limits that a server sets itself; see doc/budget.md. */
typedef struct XeroCaps
{
	int			concurrency;
	int			minute;
	int			app_minute;
	int			day;
	int			reserve;		/* percent of the day */
} XeroCaps;

/* A minute: of an organisation, or of an application over all of them. */
typedef struct XeroMinute
{
	XeroWindow	window;
	int			pending;		/* granted, not charged yet */
	int64		blocked_until;	/* by order of Xero */
	XeroLimit	blocked_by;
	uint32		refusals;		/* how often Xero has ordered that */
} XeroMinute;

/* One of the calls that may be under way at once. */
typedef struct XeroCallSlot
{
	uint32		serial;			/* of the permit that has it, or had it */
	bool		pending;		/* has a call that is not charged yet */
	int64		since;
	int64		free_at;		/* at the latest; past: the slot is free */
} XeroCallSlot;

typedef struct XeroQuota
{
	XeroMinute	minute;
	XeroDay		day;
	uint32		refusals_seen;	/* of the application's minute */
	bool		unsure;			/* one call at a time, until one is answered */
	double		usual_ms;		/* how long calls lately took */
	uint32		serial;
	uint32		refused;		/* the newest permit when Xero refused one */
	uint32		cleared;		/* the newest permit of before */
	int			nslots;			/* no slot from here on is taken */
	XeroCallSlot slots[XERO_MAX_CONCURRENCY];
} XeroQuota;

/* Leave to make one call; what a grant has from its quota. */
typedef struct XeroPermit
{
	int			slot;
	uint32		serial;
	uint32		refusals_seen;	/* of the application's minute */
	XeroBaseline minute;
	XeroBaseline app;
	XeroBaseline day;
} XeroPermit;

/* When a call that is not allowed now can be. */
typedef struct XeroDelay
{
	int64		provable;		/* not before; XERO_NEVER: not known */
	int64		look_at;		/* time alone may change something then */
	bool		ordered;		/* Xero has refused a call (429) */
	bool		at_latest;		/* before "provable" if Xero tells so */
} XeroDelay;

/* What Xero said to be left, -1 where it did not. */
typedef struct XeroRemaining
{
	int			minute;
	int			app_minute;
	int			day;
} XeroRemaining;

extern void xero_minute_clear(XeroMinute *minute, int64 now);
extern void xero_quota_clear(XeroQuota *quota, int64 now);

/*
 * The limit that blocks a call now, or XERO_BLOCKED_BY_NONE.  If there is one,
 * "delay" says when the "need"th call from now may begin.  In all of these
 * functions, "app" is the minute of the quota's application.
 */
extern XeroLimit xero_quota_check(XeroQuota *quota, XeroMinute *app,
								  const XeroCaps *caps, bool background,
								  int need, int64 now,
								  XeroDelay *delay);

/*
 * Begin a call that xero_quota_check() has just allowed.  It loses its slot
 * after "lease" ms at the latest.
 */
extern void xero_quota_take(XeroQuota *quota, XeroMinute *app, int64 now,
							int64 lease, XeroPermit *permit);

/* It keeps its slot until then, unless it has lost it. */
extern void xero_quota_renew(XeroQuota *quota, const XeroPermit *permit,
							 int64 until);

/*
 * True if this quota issued the permit; false if the entry was cleared and
 * given to another organisation since.
 */
extern bool xero_permit_is_current(const XeroQuota *quota, const XeroPermit *permit);

/*
 * A permit ends in one of four ways, even if its slot has been lost.  The call
 * was never sent:
 */
extern void xero_quota_return(XeroQuota *quota, XeroMinute *app,
							  const XeroPermit *permit);

/* nobody waits for its answer any more: */
extern void xero_quota_abandon(XeroQuota *quota, XeroMinute *app,
							   const XeroPermit *permit, int64 now);

/* it has ended, with or without an answer: */
extern void xero_quota_charge(XeroQuota *quota, XeroMinute *app,
							  const XeroPermit *permit, int64 now,
							  const XeroRemaining *remaining);

/* Xero refused it for one of its limits and wants no call before "until". */
extern void xero_quota_refuse(XeroQuota *quota, XeroMinute *app,
							  const XeroPermit *permit, int64 now,
							  XeroLimit limit, int64 until);

/* The quota becomes that of another application, with what is under way. */
extern void xero_quota_change_app(XeroQuota *quota, XeroMinute *from,
								  XeroMinute *to);

/* So does a permit, before it ends, if its quota has changed since. */
extern void xero_permit_change_app(XeroPermit *permit, const XeroMinute *to);

/*
 * A call that another quota's permit was for has ended, and counts here as
 * well.
 */
extern void xero_quota_count(XeroQuota *quota, XeroMinute *app,
							 const XeroPermit *permit, int64 now,
							 const XeroRemaining *remaining);

/* Calls under way whose answer somebody waits for. */
extern int	xero_quota_in_flight(const XeroQuota *quota, int64 now);

/* True if nothing is under way, and no refusal of Xero would be forgotten. */
extern bool xero_quota_is_idle(XeroQuota *quota, XeroMinute *app, int64 now);

/*
 * When a quota that is not idle may become idle; "look_at" is as in
 * XeroDelay.
 */
extern int64 xero_quota_idle_at(const XeroQuota *quota, int64 now,
								int64 *look_at);

/*
 * Forget what Xero has refused; in "app", for the whole application.  The next
 * call shows whether Xero still refuses.
 */
extern void xero_quota_unblock(XeroQuota *quota, XeroMinute *app);

#endif							/* XERO_QUOTA_H */
