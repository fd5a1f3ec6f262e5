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
 * The calls that Xero counts beyond our own are "elsewhere".  Others are
 * assumed to go on at the last reported rate until Xero reports again.  Each
 * charge of our own that ends allows a call, whose answer is a new report.  A
 * report is void after a window.
 *
 * Answers overtake each other.  A report is certainly older than another one if
 * it was here before that one's call was granted; it is dropped then.  Which of
 * the rest is the newest is unknown, so the worst of them counts.  Whichever it
 * is, Xero had by then counted all calls that are answered now.  Therefore a
 * charge of our own lessens the number elsewhere.
 *
 * When a charge of our own ends, it may be subtracted from the number that Xero
 * reported only if that number includes it.  Two kinds are not included.  They
 * are forgotten when a report comes, and count as elsewhere from then on, if at
 * all:
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
	uint32		tells = window->tells;

	memset(window, 0, sizeof(*window));
	window->newest = now / BUCKET_MS;
	window->told_at = now - XERO_WINDOW_MS;
	window->tells = tells;
	window->outdated = tells;
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

		window->own -= *bucket;
		*bucket = 0;
		window->begun[bucket - window->bucket] = 0;
	}
	window->newest = Max(window->newest, newest);
	if (now - window->told_at >= XERO_WINDOW_MS)
	{
		window->elsewhere = 0;
		window->nnews = 0;
	}
}

/* Add "by" calls to every kept report. */
static void
worsen_news(XeroWindow *window, int by)
{
	for (int i = 0; i < window->nnews; i++)
		window->news[i].elsewhere += by;
	window->elsewhere += by;
}

/*
 * A window has at least as many calls as somebody wants to make in one.  That
 * changes what is not known about it, never what was told.
 */
static void
set_size(XeroWindow *window, int64 now, int size)
{
	size = Min(size, MOST);
	if (size <= window->size)
		return;
	if (window->nnews > 0 && now - window->told_at < XERO_WINDOW_MS)
		worsen_news(window, size - window->size);
	window->size = size;
}

int
xero_window_left(XeroWindow *window, int64 now, int cap, int pending)
{
	advance(window, now);
	set_size(window, now, cap);
	return Min(cap, window->size - window->elsewhere) - window->own - pending;
}

/* So many of our charges must have ended for "need" calls, so many are there. */
static int64
lacking(const XeroWindow *window, int elsewhere, int cap, int pending,
		int need)
{
	return (int64) need + pending + window->own -
		Min(cap, window->size - elsewhere);
}

int64
xero_window_free_at(XeroWindow *window, int64 now, int cap, int pending,
					int need)
{
	int64		told_ends;
	int			ended = 0;

	if (xero_window_left(window, now, cap, pending) >= need)
		return now;

	told_ends = window->told_at + XERO_WINDOW_MS;
	for (int64 i = window->newest - XERO_WINDOW_BUCKETS + 1;
		 i <= window->newest; i++)
	{
		int64		ends = (i + XERO_WINDOW_BUCKETS) * BUCKET_MS;

		/* what others called may be void before */
		if (told_ends <= ends &&
			lacking(window, 0, cap, pending, need) <= ended)
			return Max(now, told_ends);
		ended += *bucket_of(window, i);
		if (lacking(window, ends < told_ends ? window->elsewhere : 0, cap,
					pending, need) <= ended)
			return Max(now, ends);
	}
	if (lacking(window, 0, cap, pending, need) <= ended)
		return Max(now, told_ends);
	return XERO_NEVER;
}

XeroMark
xero_window_mark(const XeroWindow *window)
{
	XeroMark	mark = {window->tells, 0, window->newest};

	return mark;
}

/* Our oldest calls are elsewhere, if Xero still counts them. */
static void
forget_oldest(XeroWindow *window, int count)
{
	worsen_news(window, Max(count, 0));
	for (int64 i = window->newest - XERO_WINDOW_BUCKETS + 1; count > 0; i++)
	{
		uint32	   *bucket = bucket_of(window, i);
		int			gone = Min(count, (int) *bucket);

		*bucket -= gone;
		window->own -= gone;
		count -= gone;
	}
}

/* So many of our calls began within a minute and were counted. */
static int
begun_lately(const XeroWindow *window)
{
	int			oldest = (window->newest + 1) % XERO_WINDOW_BUCKETS;
	int			count = 0;

	for (int i = 0; i < XERO_WINDOW_BUCKETS; i++)
	{
		if (i != oldest)
			count += window->begun[i];
	}
	return count;
}

/*
 * Keep the reports in order of age.  Older ones that are not higher than the
 * new one are dropped, since the highest counts.
 */
static void
add_news(XeroWindow *window, int elsewhere)
{
	int			n = window->nnews;

	while (n > 0 && window->news[n - 1].elsewhere <= elsewhere)
		n--;
	if (n == XERO_WINDOW_NEWS)
		elsewhere = window->news[--n].elsewhere;
	window->news[n].tell = ++window->tells;
	window->news[n].elsewhere = elsewhere;
	window->nnews = n + 1;
}

static void
drop_outdated_news(XeroWindow *window, uint32 outdated)
{
	int			n = 0;

	if ((int32) (outdated - window->outdated) > 0)
		window->outdated = outdated;
	while (n < window->nnews &&
		   (int32) (window->news[n].tell - window->outdated) <= 0)
		n++;
	window->nnews -= n;
	memmove(window->news, window->news + n, window->nnews * sizeof(XeroNews));
}

/* An answer to one of our calls, charged already, says what is left. */
static void
tell(XeroWindow *window, int64 now, XeroMark mark, int remaining)
{
	remaining = Min(remaining, MOST - 1);
	set_size(window, now, remaining + 1);
	if (mark.begun > window->newest - XERO_WINDOW_BUCKETS &&
		mark.begun <= window->newest)
		window->begun[bucket_of(window, mark.begun) - window->bucket]++;
	forget_oldest(window, window->own - begun_lately(window));
	drop_outdated_news(window, mark.tells);
	add_news(window, window->size - remaining - window->own);
	if (window->news[0].elsewhere < 0)
		forget_oldest(window, window->own - 1);
	window->elsewhere = window->news[0].elsewhere;
	window->told_at = now;
}

void
xero_window_charge(XeroWindow *window, int64 now, XeroMark mark,
				   int remaining)
{
	advance(window, now);
	(*bucket_of(window, window->newest))++;
	window->own++;
	if (remaining < 0)
	{
		/* What is told by those under way may be from before. */
		add_news(window, window->elsewhere);
		return;
	}
	worsen_news(window, -1);
	tell(window, now, mark, remaining);
}
