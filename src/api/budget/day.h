/*-------------------------------------------------------------------------
 *
 * day.h
 *	  Calls of a day, as Xero tells them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_DAY_H
#define XERO_DAY_H

#include "compat.h"

#include "api/budget/window.h"

#define XERO_DAY_MS INT64CONST(86400000)

/* As XERO_WINDOW_BLOCK_MS, for the calls of a day. */
#define XERO_DAY_BLOCK_MS (XERO_DAY_MS + INT64CONST(3600000))

/* Times are as in window.h. */
typedef struct XeroDay
{
	int			left;			/* as last observed; -1: not known */
	int			most;			/* the most that was ever observed, and not by
								 * one answer alone */
	int			ours;			/* our calls since "began" */
	int64		began;
	int64		observed_at;	/* when "left" was last observed */
	int64		resets_at;		/* as Xero said; 0: not known */
	uint32		last_observation;
	uint32		epoch;
} XeroDay;

extern void xero_day_clear(XeroDay *day, int64 now);

/*
 * How many calls more may begin today, if we are to make at most "cap" in a
 * day; calls that are not charged yet are not counted.
 */
extern int	xero_day_left(XeroDay *day, int64 now, int cap);

/* When there will be some, if there are none now; 0: not known. */
extern int64 xero_day_resets(const XeroDay *day, int cap);

/*
 * When there will be more than "kept", if there are some now, but not as many;
 * "at_latest": or sooner, nobody knows.
 */
extern int64 xero_day_free_at(const XeroDay *day, int cap, int kept,
							  bool *at_latest);

/* How many calls a day has: "cap", or less if Xero's headers show less. */
extern int	xero_day_limit(const XeroDay *day, int cap);

extern XeroBaseline xero_day_baseline(const XeroDay *day);

/* As xero_window_charge(). */
extern void xero_day_charge(XeroDay *day, int64 now, XeroBaseline baseline,
							int remaining);

/* Xero has refused a call until then. */
extern void xero_day_refuse(XeroDay *day, int64 until);

/* What Xero has told, refusals too, is of no account any more. */
extern void xero_day_forget(XeroDay *day);

/* The day comes from elsewhere: what cannot be true is forgotten. */
extern void xero_day_doubt(XeroDay *day, int64 now);

#endif							/* XERO_DAY_H */
