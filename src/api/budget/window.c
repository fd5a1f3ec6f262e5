/*-------------------------------------------------------------------------
 *
 * window.c
 *	  Calls of the last minute: our own, and those that Xero reports of others.
 *
 * Xero's texts describe both a fixed and a rolling minute (xero-api: "fixed
 * windows" on one page, "rolling" on another).  A sliding window of our own
 * calls is right under both: it never lets more calls into any minute than
 * either does.  The number of calls left that Xero reports corrects it in both
 * directions: downwards because other programs call, too; upwards because a
 * fixed window forgets all calls at once, and a rolling one forgets those of
 * other programs.
 *
 * A call is charged when its answer arrives, the latest time at which Xero can
 * have counted it.  Until then the caller counts it as pending.  So a charge
 * never ends here before it ends at Xero.
 *
 * The calls that Xero counts beyond ours are others'.  Others are assumed to
 * go on at the last reported rate until Xero reports again.  Each charge of
 * our own that ends allows a call, whose answer is a new observation.  An
 * observation is void after a window.
 *
 * Answers overtake each other.  An observation is certainly older than another
 * one if it was here before that one's call was granted; it is dropped then.
 * Which of the rest is the newest is unknown, so the worst of them counts.
 * Whichever it is, Xero had by then counted all calls that are answered now.
 * Therefore a charge of our own lessens the number of others'.
 *
 * When a charge of our own ends, it may be subtracted from the number that
 * Xero reported only if that number includes it.  Two kinds are not included.
 * They are forgotten when an observation is made, and count as others' from
 * then on, if at all:
 *	- Those that Xero may have counted more than a minute before.  For these
 *	  the time at which they were granted counts, not that of the answer.
 *	- Those from before a fixed window began.  It has begun if Xero counts
 *	  fewer calls than we alone have made.
 *
 * Buckets of 250 ms keep the size constant whatever the limit; a charge ends
 * up to one bucket late.  The clock must not run backwards.  If it does, time
 * stands still until the clock has caught up, but for a window at most: a
 * larger step forgets everything.
 *
 * Pure: no locks, no allocation, no errors.  budget.c locks.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/window.h"

/* One more than fit in: at both of its ends the window cuts through one. */
#define BUCKET_MS (XERO_WINDOW_MS / (XERO_WINDOW_BUCKETS - 1))

/* More than any limit, and far from what an int cannot hold. */
#define MOST 1000000000

static uint32 *
bucket_of(XeroWindow *window, int64 number)
{
	/* the clock may have begun less than a window ago */
	return &window->bucket[(number + XERO_WINDOW_BUCKETS) % XERO_WINDOW_BUCKETS];
}

void
xero_window_clear(XeroWindow *window, int64 now)
{
	uint32		last_observation = window->last_observation;

	memset(window, 0, sizeof(*window));
	window->newest = now / BUCKET_MS;
	window->observed_at = now - XERO_WINDOW_MS;
	window->last_observation = last_observation;
	window->outdated = last_observation;
}

/* Advance the buckets to "now". */
static void
advance(XeroWindow *window, int64 now)
{
	int64		newest = now / BUCKET_MS;
	int64		ended = newest - window->newest;

	if (ended >= XERO_WINDOW_BUCKETS || ended < -XERO_WINDOW_BUCKETS)
	{
		xero_window_clear(window, now);
		return;
	}
	for (int64 i = 1; i <= ended; i++)
	{
		uint32	   *bucket = bucket_of(window, window->newest + i);

		window->ours -= *bucket;
		*bucket = 0;
		window->nbegun -= window->begun[bucket - window->bucket];
		window->begun[bucket - window->bucket] = 0;
	}
	window->newest = Max(window->newest, newest);
	if (now - window->observed_at >= XERO_WINDOW_MS)
	{
		window->others = 0;
		window->nobservations = 0;
	}
}

/* Add "by" calls of others to every observation that is kept. */
static void
worsen_observations(XeroWindow *window, int by)
{
	for (int i = 0; i < window->nobservations; i++)
		window->observations[i].others += by;
	window->others += by;
}

/*
 * A window has at least as many calls as somebody wants to make in one.  That
 * changes what is not known about it, never what was observed.
 */
static void
set_size(XeroWindow *window, int64 now, int size)
{
	size = Min(size, MOST);
	if (size <= window->size)
		return;
	if (window->nobservations > 0 && now - window->observed_at < XERO_WINDOW_MS)
		worsen_observations(window, size - window->size);
	window->size = size;
}

int
xero_window_left(XeroWindow *window, int64 now, int cap, int pending)
{
	advance(window, now);
	set_size(window, now, cap);
	return Min(cap, window->size - window->others) - window->ours - pending;
}

/* So many of our charges must have ended for "need" calls, so many are there. */
static int64
lacking(const XeroWindow *window, int others, int cap, int pending,
		int need)
{
	return (int64) need + pending + window->ours -
		Min(cap, window->size - others);
}

int64
xero_window_free_at(XeroWindow *window, int64 now, int cap, int pending,
					int need)
{
	int64		observed_ends;
	int			ended = 0;

	if (xero_window_left(window, now, cap, pending) >= need)
		return now;

	observed_ends = window->observed_at + XERO_WINDOW_MS;
	for (int64 i = window->newest - XERO_WINDOW_BUCKETS + 1;
		 i <= window->newest; i++)
	{
		int64		ends = (i + XERO_WINDOW_BUCKETS) * BUCKET_MS;

		/* what others called may be void before */
		if (observed_ends <= ends &&
			lacking(window, 0, cap, pending, need) <= ended)
			return Max(now, observed_ends);
		ended += *bucket_of(window, i);
		if (lacking(window, ends < observed_ends ? window->others : 0, cap,
					pending, need) <= ended)
			return Max(now, ends);
	}
	if (lacking(window, 0, cap, pending, need) <= ended)
		return Max(now, observed_ends);
	return XERO_NEVER;
}

XeroBaseline
xero_window_baseline(const XeroWindow *window)
{
	XeroBaseline baseline = {window->last_observation, 0, window->newest};

	return baseline;
}

/* Our oldest calls count as others', if Xero still counts them. */
static void
forget_oldest(XeroWindow *window, int count)
{
	worsen_observations(window, Max(count, 0));
	for (int64 i = window->newest - XERO_WINDOW_BUCKETS + 1; count > 0; i++)
	{
		uint32	   *bucket = bucket_of(window, i);
		int			gone = Min(count, (int) *bucket);

		*bucket -= gone;
		window->ours -= gone;
		count -= gone;
	}
}

/* So many of our calls began within a minute and were counted. */
static int
begun_lately(const XeroWindow *window)
{
	int			oldest = (window->newest + 1) % XERO_WINDOW_BUCKETS;

	return window->nbegun - (int) window->begun[oldest];
}

/*
 * Keep the observations in order of age.  Older ones that are not higher than
 * the new one are dropped, since the highest counts.
 */
static void
add_observation(XeroWindow *window, int others)
{
	int			n = window->nobservations;

	while (n > 0 && window->observations[n - 1].others <= others)
		n--;
	if (n == XERO_WINDOW_OBSERVATIONS)
		others = window->observations[--n].others;
	window->observations[n].number = ++window->last_observation;
	window->observations[n].others = others;
	window->nobservations = n + 1;
}

static void
drop_outdated(XeroWindow *window, uint32 outdated)
{
	int			n = 0;

	if ((int32) (outdated - window->outdated) > 0)
		window->outdated = outdated;
	while (n < window->nobservations &&
		   (int32) (window->observations[n].number - window->outdated) <= 0)
		n++;
	window->nobservations -= n;
	memmove(window->observations, window->observations + n,
			window->nobservations * sizeof(XeroObservation));
}

/* An answer to one of our calls, charged already, says what is left. */
static void
record(XeroWindow *window, int64 now, XeroBaseline baseline, int remaining)
{
	remaining = Min(remaining, MOST - 1);
	set_size(window, now, remaining + 1);
	if (baseline.begun > window->newest - XERO_WINDOW_BUCKETS &&
		baseline.begun <= window->newest)
	{
		window->begun[bucket_of(window, baseline.begun) - window->bucket]++;
		window->nbegun++;
	}
	forget_oldest(window, window->ours - begun_lately(window));
	drop_outdated(window, baseline.last_observation);
	add_observation(window, window->size - remaining - window->ours);
	if (window->observations[0].others < 0)
		forget_oldest(window, window->ours - 1);
	window->others = window->observations[0].others;
	window->observed_at = now;
}

void
xero_window_charge(XeroWindow *window, int64 now, XeroBaseline baseline,
				   int remaining)
{
	advance(window, now);
	(*bucket_of(window, window->newest))++;
	window->ours++;
	if (remaining < 0)
	{
		/* What those under way will observe may be from before. */
		add_observation(window, window->others);
		return;
	}
	worsen_observations(window, -1);
	record(window, now, baseline, remaining);
}
