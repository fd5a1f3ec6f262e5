/*-------------------------------------------------------------------------
 *
 * window.h
 *	  Calls of the last minute, our own and what Xero tells of others'.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_WINDOW_H
#define XERO_WINDOW_H

#include "compat.h"

#define XERO_WINDOW_MS 60000

/* So long an order of Xero's not to call is believed: what is longer is wrong. */
#define XERO_WINDOW_BLOCK_MS (2 * XERO_WINDOW_MS)

#define XERO_WINDOW_BUCKETS 241
#define XERO_WINDOW_OBSERVATIONS 8

/* Never, as a time. */
#define XERO_NEVER PG_INT64_MAX

/* What an answer said, as long as it may be the newest; see window.c. */
typedef struct XeroObservation
{
	uint32		number;			/* counted from the first */
	int			others;
} XeroObservation;

/* Times are milliseconds of a clock that all backends share. */
typedef struct XeroWindow
{
	int64		newest;			/* number of the newest bucket */
	int64		observed_at;	/* when "others" was last observed */
	int			ours;			/* our calls: the sum of the buckets */
	int			others;			/* calls that Xero counts beyond those */
	int			size;			/* calls that a window has */
	uint32		last_observation;	/* its number */
	uint32		outdated;		/* all up to this one are */
	int			nobservations;
	XeroObservation observations[XERO_WINDOW_OBSERVATIONS]; /* the oldest, and
															 * worst, first */
	uint32		bucket[XERO_WINDOW_BUCKETS];	/* by when they ended */
	uint32		begun[XERO_WINDOW_BUCKETS]; /* by when they began */
	int			nbegun;			/* the sum of these */
} XeroWindow;

/* What was known when a call was granted; see window.c. */
typedef struct XeroBaseline
{
	uint32		last_observation;
	uint32		epoch;			/* of a day */
	int64		begun;			/* bucket of a window */
} XeroBaseline;

/* Nothing was called, nothing is known. */
extern void xero_window_clear(XeroWindow *window, int64 now);

/*
 * How many calls more may begin now, if we are to make at most "cap" in a
 * window and "pending" have begun that are not charged yet.  May be negative.
 */
extern int	xero_window_left(XeroWindow *window, int64 now, int cap,
							 int pending);

/*
 * When "need" calls may have begun, provided that nothing else happens: "now"
 * at the earliest, XERO_NEVER if time alone does not bring it about.
 */
extern int64 xero_window_free_at(XeroWindow *window, int64 now, int cap,
								 int pending, int need);

/* When a call is granted, right after xero_window_left(). */
extern XeroBaseline xero_window_baseline(const XeroWindow *window);

/*
 * A call has ended: charge it.  "remaining" is what Xero said with the answer
 * of how many calls are left, -1 if it did not; "baseline" was taken when the
 * call was granted.
 */
extern void xero_window_charge(XeroWindow *window, int64 now,
							   XeroBaseline baseline, int remaining);

#endif							/* XERO_WINDOW_H */
