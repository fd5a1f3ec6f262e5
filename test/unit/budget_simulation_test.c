/*-------------------------------------------------------------------------
 *
 * budget_simulation_test.c
 *	  Many clients, a simulated Xero, and somebody else who spends, too.
 *
 * Link: src/api/budget/quota.c src/api/budget/window.c src/api/budget/day.c
 *
 * Discrete events in simulated time.  The server counts a call when it
 * arrives, in a rolling or in a fixed minute that begins at any time, and says
 * what is left either then or when its work is done.  Requests, work and
 * answers take random times, so answers overtake each other.  Our clients
 * share one quota and stand in one queue.  The spender's calls take no time
 * and are not repeated when they are refused.
 *
 * A refusal is our own fault if the server had refused the call, too, without
 * the calls that the spender made after the newest observation that we had
 * when we sent the call.  "Newest" is what the server said last, not what we
 * received last.  Whatever the spender did before, we had been told.
 *
 * What could have been done is measured by an ideal client that always asks:
 * the same slots, times and spender, but endless calls, which wait at the
 * server's door while there is no room and enter at the very instant when
 * there is some.  Two shares come from that.  Of the calls: what the server
 * had accepted of anyone when it accepted our last call, over what it would
 * have accepted until then with the ideal client in our place.  Of the time:
 * how soon it would have accepted as many calls of anyone, over how soon it
 * did.  Calls come in bursts at each minute's begin, so the first depends much
 * on where in a burst our last call is, the second less.  Short jobs also lose
 * what is left of the fixed minute in which they begin, because nobody tells
 * when that ends; the ideal client knows.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "api/budget/quota.h"
#include "tap.h"

/* Simulated time is in microseconds. */
#define SECOND INT64CONST(1000000)
#define MINUTE (60 * SECOND)
#define LIMIT 60
#define SLOTS 5
#define MAX_CALLS 6000
#define MAX_EVENTS 16000
#define MAX_COUNTED 8000
#define START (10 * MINUTE)		/* our clients begin */
#define PATIENCE (100 * MINUTE)

/* ---- dice ---- */

/* xorshift64*: the same on every machine. */
static uint64
dice(uint64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64CONST(2685821657736338717);
}

static int64
between(uint64 *state, int64 low, int64 high)
{
	return low + (int64) ((dice(state) >> 11) % (uint64) (high - low + 1));
}

/* ---- the world ---- */

typedef enum Spender
{
	SPENDER_NONE,
	SPENDER_EVEN,
	SPENDER_BURSTS,
	SPENDER_LATE,
	NSPENDERS
} Spender;

static const char *const spender_names[] = {"nobody else", "even spender",
"spender in bursts", "spender from the middle on"};

typedef struct Setting
{
	int			nclients;
	int			calls_each;
	int			width;			/* calls that a client has at a time */
	bool		lasting;		/* begin and end do not matter */
} Setting;

static const Setting settings[] = {{16, 20, 1, false}, {1, 300, SLOTS, false},
{5, 60, 1, false}, {16, 125, 1, true}};

typedef enum EventKind
{
	EVENT_ARRIVE,
	EVENT_FINISH,
	EVENT_ANSWER,
	EVENT_SPEND,
	EVENT_WAKE
} EventKind;

typedef struct Event
{
	int64		at;
	uint64		order;
	EventKind	kind;
	int			call;
} Event;

typedef struct Call
{
	int			client;
	XeroPermit	permit;
	int64		knew;			/* age of the observation when it was sent */
	int64		said_at;		/* when the server made the header */
	int			remaining;
	int64		retry_after;	/* 0: accepted */
} Call;

typedef struct Counted
{
	int64		at;
	bool		ours;
} Counted;

typedef struct World
{
	/* what is drawn */
	uint64		random;
	bool		fixed;
	bool		early_header;
	bool		ideal;
	Spender		spender;
	Setting		setting;
	int64		phase;

	int64		now;
	Event		events[MAX_EVENTS]; /* a heap */
	int			nevents;
	uint64		order;

	/* the server */
	Counted		counted[MAX_COUNTED];
	int			first;			/* the oldest in the window */
	int			ncounted;
	int			in_flight;
	int			door[MAX_CALLS];	/* calls that wait there, if ideal */
	int			ndoor;

	/* our side */
	XeroQuota	quota;
	XeroMinute	app;
	XeroCaps	caps;
	Call		calls[MAX_CALLS];
	int			ncalls;
	int			queue[MAX_CALLS];	/* calls, the next first */
	int			nqueue;
	int			left[16];		/* per client, not wanted yet */
	int			slots;			/* of the ideal client */
	int64		newest_news;
	int64		wake_at;

	/* figures */
	int			most_in_flight;
	int			own_refusals;
	int			other_refusals;
	int			accepted;
	int			spent;
	int64		enough_at;		/* when as many were accepted as with us */
	int			enough;
} World;

static void
push_event(World *w, int64 at, EventKind kind, int call)
{
	int			i = w->nevents++;
	Event		event = {at, w->order++, kind, call};

	if (w->nevents > MAX_EVENTS)
		abort();
	while (i > 0)
	{
		Event	   *parent = &w->events[(i - 1) / 2];

		if (parent->at < at || (parent->at == at && parent->order < event.order))
			break;
		w->events[i] = *parent;
		i = (i - 1) / 2;
	}
	w->events[i] = event;
}

static bool
event_before(const Event *a, const Event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static Event
pop_event(World *w)
{
	Event		top = w->events[0];
	Event		last = w->events[--w->nevents];
	int			i = 0;

	for (;;)
	{
		int			child = 2 * i + 1;

		if (child >= w->nevents)
			break;
		if (child + 1 < w->nevents &&
			event_before(&w->events[child + 1], &w->events[child]))
			child++;
		if (event_before(&last, &w->events[child]))
			break;
		w->events[i] = w->events[child];
		i = child;
	}
	w->events[i] = last;
	return top;
}

/* ---- the server ---- */

/* Start of the present window: what came before does not count. */
static int64
window_start(const World *w)
{
	if (w->fixed)
		return w->now - (w->now - w->phase) % MINUTE;
	return w->now - MINUTE + 1;
}

static int
used(World *w)
{
	while (w->first < w->ncounted &&
		   w->counted[w->first].at < window_start(w))
		w->first++;
	return w->ncounted - w->first;
}

static int64
next_free_at(World *w)
{
	if (w->fixed)
		return window_start(w) + MINUTE;
	return w->counted[w->first].at + MINUTE;
}

static bool
count_call(World *w, bool ours)
{
	if (used(w) >= LIMIT)
		return false;
	if (w->ncounted >= MAX_COUNTED)
		abort();
	w->counted[w->ncounted].at = w->now;
	w->counted[w->ncounted].ours = ours;
	w->ncounted++;
	if (ours)
		w->accepted++;
	else
		w->spent++;
	if (w->accepted + w->spent == w->enough)
		w->enough_at = w->now;
	return true;
}

/* See the head of this file. */
static bool
is_own_fault(World *w, const Call *call)
{
	int			count = used(w);

	for (int i = w->first; i < w->ncounted; i++)
	{
		if (!w->counted[i].ours && w->counted[i].at > call->knew)
			count--;
	}
	return count >= LIMIT;
}

static int64
network_time(World *w)
{
	/* one packet in ten is lost and sent again */
	if (between(&w->random, 1, 10) == 1)
		return between(&w->random, 200000, SECOND);
	return between(&w->random, 2000, 150000);
}

static void
say_left(World *w, Call *call)
{
	call->said_at = w->now;
	call->remaining = LIMIT - used(w);
}

static void
begin_work(World *w, int number)
{
	say_left(w, &w->calls[number]);
	push_event(w, w->now + between(&w->random, 50000, 3 * SECOND),
			   EVENT_FINISH, number);
}

/* Who waits at the ideal client's door enters. */
static void
open_door(World *w)
{
	while (w->ndoor > 0 && count_call(w, true))
	{
		begin_work(w, w->door[0]);
		memmove(w->door, w->door + 1, --w->ndoor * sizeof(int));
	}
	if (w->ndoor > 0)
		push_event(w, next_free_at(w), EVENT_WAKE, -1);
}

static void
on_arrive(World *w, int number)
{
	Call	   *call = &w->calls[number];

	if (w->ideal)
	{
		w->door[w->ndoor++] = number;
		open_door(w);
		return;
	}
	w->in_flight++;
	w->most_in_flight = Max(w->most_in_flight, w->in_flight);
	if (count_call(w, true))
	{
		begin_work(w, number);
		return;
	}
	if (is_own_fault(w, call))
		w->own_refusals++;
	else
		w->other_refusals++;
	/* whole seconds, at least one */
	call->retry_after = (next_free_at(w) - w->now + SECOND - 1) / SECOND;
	call->retry_after = Max(call->retry_after, 1);
	say_left(w, call);
	push_event(w, w->now, EVENT_FINISH, number);
}

static void
on_finish(World *w, int number)
{
	Call	   *call = &w->calls[number];

	if (!w->ideal)
		w->in_flight--;
	if (!w->early_header)
		say_left(w, call);
	push_event(w, w->now + network_time(w), EVENT_ANSWER, number);
}

/* ---- the spender ---- */

static void
on_spend(World *w)
{
	int64		next = w->now + 3 * SECOND;
	int			count = 1;

	if (w->spender == SPENDER_BURSTS)
	{
		count = 20;
		next = w->now + MINUTE + between(&w->random, -5 * SECOND, 5 * SECOND);
	}
	else
		next += between(&w->random, -SECOND, SECOND);
	while (count-- > 0)
		(void) count_call(w, false);
	push_event(w, next, EVENT_SPEND, -1);
}

static void
begin_spending(World *w)
{
	if (w->spender == SPENDER_LATE)
		push_event(w, between(&w->random, 2 * MINUTE, 3 * MINUTE),
				   EVENT_SPEND, -1);
	else if (w->spender != SPENDER_NONE)
		push_event(w, between(&w->random, 0, MINUTE), EVENT_SPEND, -1);
}

/* ---- our side ---- */

static void
want_call(World *w, int client)
{
	Call	   *call = &w->calls[w->ncalls];

	if (w->left[client] == 0)
		return;
	w->left[client]--;
	memset(call, 0, sizeof(*call));
	call->client = client;
	w->queue[w->nqueue++] = w->ncalls++;
}

static bool
may_send(World *w, Call *call)
{
	XeroDelay	delay;
	int64		wake_at;

	if (w->ideal)
	{
		if (w->slots == SLOTS)
			return false;
		w->slots++;
		return true;
	}
	if (xero_quota_check(&w->quota, &w->app, &w->caps, false, 1,
						 w->now / 1000, &delay) == XERO_BLOCKED_BY_NONE)
	{
		xero_quota_take(&w->quota, &w->app, w->now / 1000, 300000,
						&call->permit);
		return true;
	}
	if (delay.look_at == XERO_NEVER)
		return false;
	wake_at = Max(delay.look_at * 1000, w->now + 1000);
	if (w->wake_at <= w->now || wake_at < w->wake_at)
	{
		push_event(w, wake_at, EVENT_WAKE, -1);
		w->wake_at = wake_at;
	}
	return false;
}

static void
pump(World *w)
{
	while (w->nqueue > 0)
	{
		int			number = w->queue[0];
		Call	   *call = &w->calls[number];

		if (!may_send(w, call))
			return;
		memmove(w->queue, w->queue + 1, --w->nqueue * sizeof(int));
		call->knew = w->newest_news;
		call->retry_after = 0;
		push_event(w, w->now + network_time(w), EVENT_ARRIVE, number);
	}
}

static void
on_answer(World *w, int number)
{
	Call	   *call = &w->calls[number];
	XeroRemaining remaining = {call->remaining, 9000, 4000};

	w->newest_news = Max(w->newest_news, call->said_at);
	if (w->ideal)
		w->slots--;
	else if (call->retry_after > 0)
	{
		int64		until = w->now / 1000 + call->retry_after * 1000 +
		between(&w->random, 0, 999);

		xero_quota_refuse(&w->quota, &w->app, &call->permit, w->now / 1000,
						  XERO_BLOCKED_BY_MINUTE, until);
		/* it keeps its place */
		memmove(w->queue + 1, w->queue, w->nqueue++ * sizeof(int));
		w->queue[0] = number;
		return;
	}
	else
		xero_quota_charge(&w->quota, &w->app, &call->permit, w->now / 1000,
						  &remaining);
	want_call(w, call->client);
}

/* Until our last call is accepted or, if ideal, until then. */
static bool
all_done(const World *w, int64 until)
{
	if (w->ideal)
		return w->nevents > 0 && w->events[0].at > until;
	return w->accepted == w->setting.nclients * w->setting.calls_each;
}

/* False if it does not come to an end. */
static bool
run(World *w, int64 until)
{
	/* the clock has been running for a while */
	w->now = START;
	while (w->nevents > 0 && w->events[0].at < w->now)
		w->events[0].at += w->now;
	xero_quota_clear(&w->quota, w->now / 1000);
	xero_minute_clear(&w->app, w->now / 1000);
	for (int j = 0; j < w->setting.width; j++)
	{
		for (int i = 0; i < w->setting.nclients; i++)
			want_call(w, i);
	}
	pump(w);
	while (!all_done(w, until))
	{
		Event		event;

		if (w->nevents == 0)
			return false;
		event = pop_event(w);
		w->now = event.at;
		if (w->now > PATIENCE)
			return false;
		switch (event.kind)
		{
			case EVENT_ARRIVE:
				on_arrive(w, event.call);
				break;
			case EVENT_FINISH:
				on_finish(w, event.call);
				break;
			case EVENT_ANSWER:
				on_answer(w, event.call);
				pump(w);
				break;
			case EVENT_SPEND:
				on_spend(w);
				break;
			case EVENT_WAKE:
				if (w->ideal)
					open_door(w);
				else
					pump(w);
				break;
		}
	}
	return true;
}

static World *
new_world(uint64 seed, bool fixed, bool early_header, Spender spender,
		  const Setting *setting, bool ideal)
{
	static World worlds[2];
	World	   *w = &worlds[ideal];

	memset(w, 0, sizeof(*w));
	w->random = seed * UINT64CONST(0x9E3779B97F4A7C15) + 1;
	w->fixed = fixed;
	w->early_header = early_header;
	w->spender = spender;
	w->setting = *setting;
	w->ideal = ideal;
	w->newest_news = -1;
	w->caps = (XeroCaps)
	{
		SLOTS, LIMIT, 10000, 5000, 0
	};
	for (int i = 0; i < setting->nclients; i++)
		w->left[i] = ideal ? MAX_CALLS / setting->nclients : setting->calls_each;
	for (int i = 0; i < 5; i++)
		(void) dice(&w->random);
	w->phase = between(&w->random, 0, MINUTE - 1);
	begin_spending(w);
	return w;
}

/* ---- figures ---- */

typedef struct Figures
{
	int			runs;
	int			unfinished;
	int			most_in_flight;
	int			own_refusals;
	uint64		own_seed;		/* of the first */
	int			other_refusals;
	double		of_calls;		/* shares, summed up */
	double		of_time;
	double		worst_of_time;
	uint64		worst_seed;
} Figures;

static void
add_run(Figures *f, uint64 seed, bool fixed, bool early, Spender spender,
		const Setting *setting)
{
	World	   *w = new_world(seed, fixed, early, spender, setting, false);
	World	   *ideal;
	double		of_time;

	f->runs++;
	if (!run(w, 0))
		f->unfinished++;
	ideal = new_world(seed, fixed, early, spender, setting, true);
	ideal->enough = w->accepted + w->spent;
	if (!run(ideal, w->now))
		abort();
	f->of_calls += (double) ideal->enough / (ideal->accepted + ideal->spent);
	of_time = ideal->enough_at == 0 ? 1 :
		(double) (ideal->enough_at - START) / (w->now - START);
	f->of_time += of_time;
	if (f->runs == 1 || of_time < f->worst_of_time)
	{
		f->worst_of_time = of_time;
		f->worst_seed = seed;
	}
	if (w->own_refusals > 0 && f->own_refusals == 0)
		f->own_seed = seed;
	f->own_refusals += w->own_refusals;
	f->other_refusals += w->other_refusals;
	f->most_in_flight = Max(f->most_in_flight, w->most_in_flight);
}

/*
 * A fixed minute that begins while few of our calls are in it and the spender
 * makes as many at once looks like a rolling one to us.  With such a spender
 * one run in some 500 has a refusal of our own from that.
 */
static void
judge(const Setting *setting, bool fixed, const Figures *f, const char *what)
{
	char		line[200];

	printf("# %s: %d runs, used %.1f %% of the calls, %.1f %% of the time (worst %.1f %%, seed %d), refusals: %d our own (seed %d), %.2f a run of others\n",
		   what, f->runs, 100 * f->of_calls / f->runs,
		   100 * f->of_time / f->runs, 100 * f->worst_of_time,
		   (int) f->worst_seed, f->own_refusals, (int) f->own_seed,
		   (double) f->other_refusals / f->runs);
	snprintf(line, sizeof(line), "%s: everyone finishes", what);
	ok(f->unfinished == 0, line);
	snprintf(line, sizeof(line), "%s: no refusal is our own fault", what);
	ok(f->own_refusals <= (fixed ? f->runs / 300 : 0), line);
	snprintf(line, sizeof(line), "%s: the slots are used, and no more", what);
	ok(f->most_in_flight == SLOTS, line);
	snprintf(line, sizeof(line), "%s: little is left unused", what);
	if (setting->lasting)
		ok(f->of_time >= 0.95 * f->runs && f->worst_of_time >= 0.9, line);
	else
		ok(f->of_calls >= 0.88 * f->runs, line);
}

static void
try_setting(const Setting *setting, int seeds)
{
	for (int fixed = 0; fixed < 2; fixed++)
	{
		for (int spender = 0; spender < NSPENDERS; spender++)
		{
			Figures		f = {0};
			char		what[100];

			for (int seed = 1; seed <= seeds; seed++)
				add_run(&f, seed, fixed, seed % 2, spender, setting);
			snprintf(what, sizeof(what), "%d x %d calls, %s minute, %s",
					 setting->nclients, setting->calls_each,
					 fixed ? "fixed" : "rolling", spender_names[spender]);
			judge(setting, fixed, &f, what);
		}
	}
}

/* The argument is the number of seeds for each combination. */
int
main(int argc, char **argv)
{
	int			seeds = argc > 1 ? atoi(argv[1]) : 100;

	for (int i = 0; i < lengthof(settings); i++)
		try_setting(&settings[i],
					settings[i].lasting ? (seeds + 4) / 5 : seeds);
	return done_testing();
}
