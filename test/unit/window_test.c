/*-------------------------------------------------------------------------
 *
 * window_test.c
 *	  Is the window's arithmetic that of a plain list of calls?
 *
 * Link: src/api/budget/window.c
 *
 * The reference keeps every call and everything that was told in lists, and
 * looks through all of them each time.  Both are led through all short
 * sequences of what can happen, and through long random ones.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>
#include <string.h>

#include "api/budget/window.h"
#include "tap.h"

#define BUCKET 250
#define MAX_LISTED 64
#define CAP 5

static uint64
dice(uint64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * UINT64CONST(2685821657736338717)) >> 11;
}

/* ---- the reference ---- */

typedef struct Reference
{
	int64		time;			/* in buckets */
	int64		observed_at;
	int			size;
	int			nended;
	int64		ended[MAX_LISTED];	/* our calls, the oldest first */
	int			nbegun;
	int64		begun[MAX_LISTED];	/* those with observations, when granted */
	int			nobservations;
	int			number[MAX_LISTED];
	int			others[MAX_LISTED];
	int			last_observation;
	int			outdated;
} Reference;

static void
ref_clear(Reference *r, int64 now)
{
	r->time = now / BUCKET;
	r->observed_at = now - XERO_WINDOW_MS;
	r->size = r->nended = r->nbegun = r->nobservations = 0;
	r->outdated = r->last_observation;
}

static void
ref_advance(Reference *r, int64 now)
{
	int64		time = now / BUCKET;
	int			n = 0;

	if (time - r->time > 240 || r->time - time > 241)
	{
		ref_clear(r, now);
		return;
	}
	r->time = Max(r->time, time);
	for (int i = 0; i < r->nended; i++)
	{
		if (r->ended[i] + 241 > r->time)
			r->ended[n++] = r->ended[i];
	}
	r->nended = n;
	if (now - r->observed_at >= XERO_WINDOW_MS)
		r->nobservations = 0;
}

/* The worst of what may be the newest. */
static int
ref_others(const Reference *r)
{
	int			worst = INT_MIN;

	for (int i = 0; i < r->nobservations; i++)
	{
		if (r->number[i] > r->outdated)
			worst = Max(worst, r->others[i]);
	}
	return worst == INT_MIN ? 0 : worst;
}

static void
ref_worsen(Reference *r, int by)
{
	for (int i = 0; i < r->nobservations; i++)
		r->others[i] += by;
}

static void
ref_size(Reference *r, int64 now, int size)
{
	if (size <= r->size)
		return;
	if (now - r->observed_at < XERO_WINDOW_MS)
		ref_worsen(r, size - r->size);
	r->size = size;
}

static int
ref_left(Reference *r, int64 now, int cap)
{
	ref_advance(r, now);
	ref_size(r, now, cap);
	return Min(cap, r->size - ref_others(r)) - r->nended;
}

static void
ref_forget(Reference *r, int keep)
{
	int			gone = r->nended - keep;

	if (gone <= 0)
		return;
	memmove(r->ended, r->ended + gone, keep * sizeof(int64));
	r->nended = keep;
	ref_worsen(r, gone);
}

static void
ref_observation(Reference *r, int others)
{
	r->number[r->nobservations] = ++r->last_observation;
	r->others[r->nobservations++] = others;
}

static void
ref_charge(Reference *r, int64 now, int baseline, int64 granted, int remaining)
{
	int			lately = 0;

	ref_advance(r, now);
	r->ended[r->nended++] = r->time;
	if (remaining < 0)
	{
		ref_observation(r, ref_others(r));
		return;
	}
	ref_worsen(r, -1);
	if (granted <= r->time)
		r->begun[r->nbegun++] = granted;
	ref_size(r, now, remaining + 1);
	for (int i = 0; i < r->nbegun; i++)
	{
		if (r->begun[i] + 240 > r->time)
			lately++;
	}
	ref_forget(r, lately);
	r->outdated = Max(r->outdated, baseline);
	ref_observation(r, r->size - remaining - r->nended);
	if (ref_others(r) < 0)
		ref_forget(r, 1);
	r->observed_at = now;
}

/* ---- both together ---- */

typedef struct Pair
{
	XeroWindow	window;
	Reference	ref;
	int64		now;
	int			cap;
	int			nmarks;			/* taken before each charge, the last first */
	XeroBaseline baselines[3];
	int			ref_baselines[3];
	const char *wrong;			/* what does not hold */
	int			errors;
} Pair;

static void
expect(Pair *pair, bool holds, const char *what)
{
	if (holds)
		return;
	if (pair->errors++ == 0)
		pair->wrong = what;
}

static void
begin_pair(Pair *pair, int64 now, uint32 last_observation)
{
	memset(pair, 0, sizeof(*pair));
	pair->now = now;
	pair->cap = CAP;
	pair->window.last_observation = last_observation;
	xero_window_clear(&pair->window, now);
	ref_clear(&pair->ref, now);
}

/* As if the call had been granted before that many of the last charges. */
static void
charge(Pair *pair, int before, int remaining)
{
	XeroBaseline baseline;
	int			ref_baseline;
	bool		newest = before == 0;

	/* as when it is granted */
	(void) xero_window_left(&pair->window, pair->now, pair->cap, 0);
	(void) ref_left(&pair->ref, pair->now, pair->cap);
	memmove(pair->baselines + 1, pair->baselines, 2 * sizeof(XeroBaseline));
	memmove(pair->ref_baselines + 1, pair->ref_baselines, 2 * sizeof(int));
	pair->baselines[0] = xero_window_baseline(&pair->window);
	pair->ref_baselines[0] = pair->ref.last_observation;
	pair->nmarks = Min(pair->nmarks + 1, 3);

	before = Min(before, pair->nmarks - 1);
	baseline = pair->baselines[before];
	ref_baseline = pair->ref_baselines[before];
	xero_window_charge(&pair->window, pair->now, baseline, remaining);
	ref_charge(&pair->ref, pair->now, ref_baseline, baseline.begun, remaining);
	if (newest && remaining >= 0)
		expect(pair,
			   xero_window_left(&pair->window, pair->now, pair->cap, 2) ==
			   Min(remaining, pair->cap - pair->window.ours) - 2,
			   "the newest observation holds");
}

static int
left_at(const Pair *pair, int64 at)
{
	XeroWindow	window = pair->window;

	return xero_window_left(&window, at, pair->cap, 1);
}

static void
check_free_at(Pair *pair, int need)
{
	XeroWindow	window = pair->window;
	int64		at = xero_window_free_at(&window, pair->now, pair->cap, 1, need);

	if (at == XERO_NEVER)
	{
		for (int64 later = 0; later <= 180000; later += 59999)
			expect(pair, left_at(pair, pair->now + later) < need,
				   "never is never");
		return;
	}
	expect(pair, at >= pair->now, "free now or later");
	expect(pair, at <= pair->now + 2 * XERO_WINDOW_MS + BUCKET,
		   "free soon, whatever the clock did");
	expect(pair, left_at(pair, at) >= need, "has room when it is free");
	expect(pair, at == pair->now || left_at(pair, at - 1) < need,
		   "is not open before");
}

static void
check_pair(Pair *pair)
{
	XeroWindow *w = &pair->window;
	int			left = xero_window_left(w, pair->now, pair->cap, 0);
	int64		sum = 0;

	expect(pair, left == ref_left(&pair->ref, pair->now, pair->cap),
		   "as many left as by the reference");
	expect(pair, w->ours == pair->ref.nended, "ours as by the reference");
	expect(pair, w->others == ref_others(&pair->ref),
		   "others' as by the reference");
	for (int i = 0; i < XERO_WINDOW_BUCKETS; i++)
		sum += w->bucket[i];
	expect(pair, w->ours == sum, "ours is the sum of the buckets");
	expect(pair, w->ours >= 0 && w->others >= 0 && w->size >= 0 &&
		   w->nobservations >= 0 && w->nobservations <= XERO_WINDOW_OBSERVATIONS, "nothing negative");
	for (int need = 1; need <= CAP + 1; need += 2)
		check_free_at(pair, need);
}

/* ---- what can happen ---- */

typedef enum HappeningKind
{
	STEP,
	CHARGE,
	CAP_TO
} HappeningKind;

typedef struct Happening
{
	HappeningKind kind;
	int			amount;			/* ms, remaining, or cap */
	int			before;			/* of a charge: see charge() */
} Happening;

static const Happening all[] = {
	{STEP, 0}, {STEP, BUCKET}, {STEP, 20000}, {STEP, 59900}, {STEP, 60000},
	{STEP, 61000}, {STEP, 3600000}, {STEP, -1000}, {STEP, -7200000},
	{CHARGE, -1, 0}, {CHARGE, 0, 0}, {CHARGE, 1, 0}, {CHARGE, 3, 0},
	{CHARGE, 0, 1}, {CHARGE, 3, 1}, {CHARGE, 9, 1}, {CHARGE, 0, 2},
	{CHARGE, 2, 2}, {CAP_TO, 8}
};

/* Fewer, for longer sequences. */
static const Happening few[] = {
	{STEP, 20000}, {STEP, 59900}, {STEP, -1000}, {CHARGE, -1, 0},
	{CHARGE, 1, 0}, {CHARGE, 4, 0}, {CHARGE, 2, 1}, {CHARGE, 4, 2}
};

static void
happen(Pair *pair, const Happening *h)
{
	if (h->kind == STEP)
		pair->now = Max(pair->now + h->amount, 0);
	else if (h->kind == CHARGE)
		charge(pair, h->before, h->amount);
	else
		pair->cap = Max(pair->cap, h->amount);
	check_pair(pair);
}

static int64 sequences = 0;

static bool
all_sequences(const Pair *pair, const Happening *choice, int nchoice,
			  int length)
{
	if (length == 0)
		return true;
	for (int i = 0; i < nchoice; i++)
	{
		Pair		next = *pair;

		sequences++;
		happen(&next, &choice[i]);
		if (next.errors > 0)
		{
			printf("# %s; the happenings, the last first: %d", next.wrong, i);
			return false;
		}
		if (!all_sequences(&next, choice, nchoice, length - 1))
		{
			printf(" %d", i);
			return false;
		}
	}
	return true;
}

static void
test_sequences(void)
{
	static const int64 starts[] = {0, INT64CONST(1763705560000)};
	Pair		pair;

	for (int i = 0; i < lengthof(starts); i++)
	{
		begin_pair(&pair, starts[i], 0);
		ok(all_sequences(&pair, all, lengthof(all), 4),
		   "short sequences of all that can happen");
	}
	begin_pair(&pair, starts[1], UINT_MAX - 2);
	ok(all_sequences(&pair, few, lengthof(few), 6),
	   "longer sequences, while the number of observations wraps");
	printf("# %lld sequences\n", (long long) sequences);
}

static void
test_random(void)
{
	int			wrong = 0;

	for (int seed = 1; seed <= 150; seed++)
	{
		uint64		random = seed * UINT64CONST(0x9E3779B97F4A7C15);
		Pair		pair;

		begin_pair(&pair, dice(&random) % 100000000, dice(&random));
		for (int i = 0; i < 300; i++)
		{
			Happening	h = all[dice(&random) % lengthof(all)];

			/* mostly calls in quick succession */
			if (h.kind == STEP && dice(&random) % 8 > 0)
				h.amount = dice(&random) % 3000;
			if (h.kind == CHARGE && h.amount >= 0)
				h.amount = dice(&random) % 8;
			happen(&pair, &h);

			/* the lists' ends that no longer matter */
			if (pair.ref.nended > 50)
				h.amount = 61000, h.kind = STEP, happen(&pair, &h);
			if (pair.ref.nbegun > 50)
				memmove(pair.ref.begun, pair.ref.begun + 1,
						--pair.ref.nbegun * sizeof(int64));
			if (pair.ref.nobservations > 50)
			{
				pair.ref.nobservations--;
				memmove(pair.ref.number, pair.ref.number + 1,
						pair.ref.nobservations * sizeof(int));
				memmove(pair.ref.others, pair.ref.others + 1,
						pair.ref.nobservations * sizeof(int));
			}
		}
		if (pair.errors > 0 && wrong++ == 0)
			printf("# seed %d: %s\n", seed, pair.wrong);
	}
	is(wrong, 0, "long random sequences");
}

/* ---- nothing told ---- */

/*
 * Calls as soon as they are allowed, without a word from Xero, which counts
 * them at any time between grant and answer.
 */
static int
most_in_a_minute(uint64 random, int cap)
{
	static int64 counted[1000];
	int64		answers[5] = {0};
	XeroBaseline baselines[5] = {{0}};
	XeroWindow	window = {0};
	int64		now = dice(&random) % 1000000;
	int			ncounted = 0;
	int			pending = 0;
	int			most = 0;

	xero_window_clear(&window, now);
	while (ncounted < lengthof(counted))
	{
		for (int i = 0; i < lengthof(answers); i++)
		{
			if (answers[i] > 0 && answers[i] <= now)
			{
				xero_window_charge(&window, now, baselines[i], -1);
				answers[i] = 0;
				pending--;
			}
			if (answers[i] == 0 && ncounted < lengthof(counted) &&
				xero_window_left(&window, now, cap, pending) >= 1)
			{
				baselines[i] = xero_window_baseline(&window);
				answers[i] = now + 1 + dice(&random) % 3000;
				counted[ncounted++] = dice(&random) % 2 ? now : answers[i] - 1;
				pending++;
			}
		}
		now++;
	}
	for (int i = 0; i < ncounted; i++)
	{
		int			count = 0;

		for (int j = 0; j < ncounted; j++)
		{
			if (counted[j] >= counted[i] &&
				counted[j] < counted[i] + XERO_WINDOW_MS)
				count++;
		}
		most = Max(most, count);
	}
	return most;
}

static void
test_untold(void)
{
	int			most = 0;

	for (int seed = 1; seed <= 3; seed++)
		most = Max(most, most_in_a_minute(seed, 60));
	is(most, 60, "as many calls in a minute as the cap, never more");
}

/* ---- two ways that an observation may say less than we think ---- */

static void
test_reset(void)
{
	XeroWindow	window = {0};
	XeroBaseline baseline;
	int64		now = 1000000;

	xero_window_clear(&window, now);
	for (int i = 1; i <= 30; i++)
	{
		(void) xero_window_left(&window, now, 60, 0);
		baseline = xero_window_baseline(&window);
		xero_window_charge(&window, now, baseline, 60 - i);
	}
	now += 20000;
	(void) xero_window_left(&window, now, 60, 0);
	baseline = xero_window_baseline(&window);
	xero_window_charge(&window, now, baseline, 50);
	is(xero_window_left(&window, now, 60, 0), 50, "a fixed minute begins");
	is(xero_window_left(&window, now + 45000, 60, 0), 50,
	   "calls that were made before it do not end in it");
	is(xero_window_left(&window, now + 60250, 60, 0), 60,
	   "but a minute later all is void");
}

/* A call is counted at once and answered late. */
static void
test_slow_answer(void)
{
	XeroWindow	window = {0};
	XeroBaseline slow;
	XeroBaseline baseline;
	int64		now = 1000000;

	xero_window_clear(&window, now);
	(void) xero_window_left(&window, now, 60, 0);
	slow = xero_window_baseline(&window);
	xero_window_charge(&window, now + 20000, slow, 59);
	now += 61000;
	(void) xero_window_left(&window, now, 60, 0);
	baseline = xero_window_baseline(&window);
	xero_window_charge(&window, now, baseline, 10);
	is(xero_window_left(&window, now + 30000, 60, 0), 10,
	   "what Xero no longer counts does not end once more");
}

static void
test_extremes(void)
{
	static const int caps[] = {100000000, INT_MAX};
	static const int remaining[] = {0, 99999999, INT_MAX};
	bool		holds = true;

	for (int i = 0; i < lengthof(caps); i++)
	{
		XeroWindow	window = {0};

		xero_window_clear(&window, 0);
		for (int j = 0; j < 6; j++)
		{
			int			left = xero_window_left(&window, j, caps[i], 100);
			int64		at = xero_window_free_at(&window, j, caps[i], 100,
												 INT_MAX);

			holds = holds && left <= caps[i] && at >= j;
			xero_window_charge(&window, j, xero_window_baseline(&window),
							   remaining[j % 3]);
			left = xero_window_left(&window, j, caps[i], 0);
			holds = holds && left <= remaining[j % 3] && window.others >= 0;
		}
	}
	ok(holds, "huge limits do not overflow");
}

int
main(void)
{
	test_sequences();
	test_random();
	test_untold();
	test_reset();
	test_slow_answer();
	test_extremes();
	return done_testing();
}
