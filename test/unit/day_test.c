/*-------------------------------------------------------------------------
 *
 * day_test.c
 *	  What is left of the day, by Xero's headers and our own cap?
 *
 * Link: src/api/budget/day.c
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>
#include <string.h>

#include "api/budget/day.h"
#include "tap.h"

#define HOUR INT64CONST(3600000)
#define START INT64CONST(1763705560000)

static XeroDay
new_day(int64 now)
{
	XeroDay		day;

	memset(&day, 0xff, sizeof(day));
	xero_day_clear(&day, now);
	return day;
}

/* A call by itself. */
static void
call(XeroDay *day, int64 now, int remaining)
{
	(void) xero_day_left(day, now, INT_MAX);
	xero_day_charge(day, now, xero_day_baseline(day), remaining);
}

static void
test_limits(void)
{
	XeroDay		day = new_day(START);

	ok(xero_day_left(&day, START, 5000) == 5000, "nothing known: the cap");
	ok(xero_day_limit(&day, 5000) == 5000, "and so the limit");
	call(&day, START, -1);
	ok(xero_day_left(&day, START, 5000) == 4999, "untold calls count");
	call(&day, START, 980);
	ok(xero_day_left(&day, START, 5000) == 980, "what Xero says counts");
	ok(xero_day_limit(&day, 5000) == 1000, "the free tier's limit is learned");
	ok(xero_day_limit(&day, 500) == 500, "but not beyond the cap");
	call(&day, START, 1000);
	ok(xero_day_limit(&day, 5000) == 1000, "1,000 left is still that tier");
	call(&day, START, 1002);
	call(&day, START, 1001);
	ok(xero_day_limit(&day, 5000) == 5000, "one more is the other");
	call(&day, START, 3);
	ok(xero_day_limit(&day, 5000) == 5000, "a spent day does not change it");
	call(&day, START, 7001);
	call(&day, START, 7000);
	ok(xero_day_limit(&day, 9000) == 9000, "more than any known: the cap");
	ok(xero_day_left(&day, START, 5000) == 5000 - 2,
	   "more left than the cap, of which a day that began anew counts");
}

static void
test_cap(void)
{
	XeroDay		day = new_day(START);

	for (int i = 0; i < 10; i++)
		call(&day, START + i * HOUR, 4000 - i);
	ok(xero_day_left(&day, START + 10 * HOUR, 10) == 0, "the cap is spent");
	ok(xero_day_left(&day, START + 10 * HOUR, 5) == -5, "a lower one overdrawn");
	ok(xero_day_resets(&day, 10) == START + XERO_DAY_MS,
	   "it is back after a day");
	ok(xero_day_resets(&day, 11) == 0, "a higher one is not spent");
	ok(xero_day_left(&day, START + XERO_DAY_MS - 1, 10) == 0, "not before");
	ok(xero_day_left(&day, START + XERO_DAY_MS, 10) == 10, "but then");
}

/* A part of the day is kept for others. */
static void
test_kept(void)
{
	XeroDay		day = new_day(START);
	bool		at_latest;

	for (int i = 0; i < 10; i++)
		call(&day, START + i * HOUR, 4000 - i);
	ok(xero_day_free_at(&day, 15, 5, &at_latest) == START + XERO_DAY_MS &&
	   !at_latest, "ten of fifteen calls are made: until our day ends");
	ok(xero_day_free_at(&day, 5000, 3991, &at_latest) ==
	   START + 9 * HOUR + XERO_DAY_MS && at_latest,
	   "what Xero told is void after a day, or sooner if it tells anew");
	ok(xero_day_free_at(&day, 15, 3991, &at_latest) ==
	   START + 9 * HOUR + XERO_DAY_MS && at_latest, "the later of both");
	ok(xero_day_left(&day, START + 9 * HOUR + XERO_DAY_MS - 1, 5000) == 3991 &&
	   xero_day_left(&day, START + 9 * HOUR + XERO_DAY_MS, 5000) == 5000,
	   "then it is open");
	xero_day_refuse(&day, START + 12 * HOUR);
	ok(xero_day_free_at(&day, 15, 5, &at_latest) == START + 12 * HOUR &&
	   !at_latest && xero_day_resets(&day, 10) == START + 12 * HOUR,
	   "with Xero's day ours begins anew");
}

static void
test_refusal(void)
{
	XeroDay		day = new_day(START);
	XeroBaseline before;

	call(&day, START, 700);
	before = xero_day_baseline(&day);
	xero_day_refuse(&day, START + 20 * HOUR);
	ok(xero_day_left(&day, START, 5000) == 0, "refused: nothing is left");
	ok(xero_day_resets(&day, 5000) == START + 20 * HOUR, "until then");
	xero_day_charge(&day, START + 1, before, 699);
	ok(xero_day_left(&day, START + 1, 5000) == 0,
	   "what was told before the refusal does not count");
	ok(xero_day_left(&day, START + 20 * HOUR - 1, 5000) == 0, "nothing before");
	ok(xero_day_left(&day, START + 20 * HOUR, 5000) == 5000,
	   "all again at the reset");
	ok(xero_day_resets(&day, 5000) == 0, "the next reset is not known");
	xero_day_charge(&day, START + 20 * HOUR, before, 12);
	ok(xero_day_left(&day, START + 20 * HOUR, 5000) == 4999,
	   "observations of the day before do not count then");
	xero_day_refuse(&day, START + 60 * HOUR);
	ok(xero_day_left(&day, START + 60 * HOUR - 1, 5000) == 0,
	   "an order may last for longer than a day");
	(void) xero_day_left(&day, START + 60 * HOUR, 5000);
	day = new_day(START + 20 * HOUR);
	call(&day, START + 20 * HOUR, 4990);
	ok(xero_day_left(&day, START + 20 * HOUR, 5000) == 4990, "new ones do");
}

static void
test_order(void)
{
	XeroDay		day = new_day(START);
	XeroBaseline first;
	XeroBaseline second;
	XeroBaseline third;

	call(&day, START, 900);
	first = second = third = xero_day_baseline(&day);
	xero_day_charge(&day, START, second, 898);
	xero_day_charge(&day, START, first, 899);
	ok(xero_day_left(&day, START, 5000) == 898, "overtaken observations do not count");
	xero_day_charge(&day, START, third, 897);
	ok(xero_day_left(&day, START, 5000) == 897, "unless they are worse");

	first = xero_day_baseline(&day);
	call(&day, START, 4999);
	ok(xero_day_left(&day, START, 5000) == 4999, "a new day begins");
	xero_day_charge(&day, START, first, 896);
	ok(day.left == 4998, "observations from before its begin do not count");

	call(&day, START, 0);
	first = xero_day_baseline(&day);
	xero_day_charge(&day, START, first, -1);
	ok(day.left == 0, "nothing negative is left");
}

/* The order of three answers that were under way together is of no account. */
static void
test_all_orders(void)
{
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0},
	{2, 0, 1}, {2, 1, 0}};
	bool		holds = true;

	for (int i = 0; i < lengthof(orders); i++)
	{
		XeroDay		day = new_day(START);
		XeroBaseline baseline;

		call(&day, START, 100);
		baseline = xero_day_baseline(&day);
		for (int j = 0; j < 3; j++)
			xero_day_charge(&day, START, baseline, 99 - orders[i][j]);
		holds = holds && day.left == 97 && day.ours == 4;
	}
	ok(holds, "three answers in any order");
}

static void
test_clock(void)
{
	XeroDay		day = new_day(START);

	call(&day, START, 40);
	ok(xero_day_left(&day, START + XERO_DAY_MS - 1, 5000) == 40,
	   "observations hold for a day");
	ok(xero_day_left(&day, START + XERO_DAY_MS, 5000) == 5000,
	   "and no longer, though no reset was announced");

	day = new_day(START);
	for (int i = 0; i < 10; i++)
		call(&day, START, -1);
	ok(xero_day_left(&day, START - 2 * HOUR, 10) == 10,
	   "a clock that steps back does not block");
	ok(xero_day_left(&day, START - 2 * HOUR + XERO_DAY_MS, 10) == 10,
	   "nor a day later");
	ok(xero_day_left(&day, START + 1000 * XERO_DAY_MS, 10) == 10,
	   "nor one that steps forward");

	day = new_day(0);
	call(&day, 0, 5);
	ok(xero_day_left(&day, 0, 5000) == 5 && xero_day_resets(&day, 5000) == 0,
	   "at the clock's begin, too");
	ok(xero_day_left(&day, 0, INT_MAX) == 5, "with a huge cap, too");
}

/* What a header says that cannot be. */
static void
test_absurd(void)
{
	XeroDay		day = new_day(START);

	call(&day, START, 900);
	call(&day, START, 999999999);
	ok(day.left == 899 && xero_day_limit(&day, 5000) == 1000,
	   "a number that no day has is not believed");
	call(&day, START, INT_MAX);
	ok(day.left == 898, "nor the largest");
	call(&day, START, 897);
	ok(xero_day_left(&day, START, 5000) == 897, "the next one is");
	call(&day, START, 1001);
	call(&day, START, 895);
	ok(xero_day_limit(&day, 5000) == 1000,
	   "one answer does not make the day larger");
	call(&day, START, 4999);
	ok(xero_day_limit(&day, 5000) == 1000, "of a new day neither");
	call(&day, START, 4998);
	ok(xero_day_limit(&day, 5000) == 5000, "two do");
}

static void
test_forget(void)
{
	XeroDay		day = new_day(START);
	XeroBaseline baseline;

	call(&day, START, 900);
	baseline = xero_day_baseline(&day);
	xero_day_refuse(&day, START + HOUR);
	xero_day_forget(&day);
	ok(xero_day_left(&day, START, 5000) == 4999 &&
	   xero_day_resets(&day, 5000) == 0, "a refusal is forgotten");
	ok(xero_day_left(&day, START, 1) == 0, "our own calls are not");
	xero_day_charge(&day, START, baseline, 0);
	ok(day.left == -1, "what was asked before tells nothing any more");
	call(&day, START, 4000);
	ok(day.left == 4000 && xero_day_limit(&day, 5000) == 5000,
	   "what was not, does");
}

/* The day as a file has it, which was written by another clock. */
static void
test_doubt(void)
{
	XeroDay		day = new_day(START);

	call(&day, START, 900);
	xero_day_refuse(&day, START + 25 * HOUR);
	xero_day_doubt(&day, START);
	ok(xero_day_resets(&day, 5000) == START + 25 * HOUR &&
	   xero_day_left(&day, START, 5000) == 0, "what can be is kept");

	day.resets_at++;
	xero_day_doubt(&day, START);
	ok(xero_day_resets(&day, 5000) == 0 &&
	   xero_day_left(&day, START, 5000) == 4999, "a later reset is not");

	day = new_day(START);
	call(&day, START, 0);
	xero_day_doubt(&day, START - 1000 * XERO_DAY_MS);
	ok(xero_day_left(&day, START - 999 * XERO_DAY_MS, 5000) == 5000,
	   "what was told in times to come is void a day later");
	day = new_day(START);
	for (int i = 0; i < 10; i++)
		call(&day, START, -1);
	xero_day_doubt(&day, START - HOUR);
	ok(xero_day_left(&day, START - HOUR, 10) == 0 &&
	   xero_day_left(&day, START + 23 * HOUR, 10) == 10,
	   "our own calls count for a day at most");

	for (int i = 0; i < 3; i++)
	{
		static const int absurd[] = {INT_MIN, -2, INT_MAX};

		day = new_day(START);
		day.left = day.most = day.ours = absurd[i];
		day.began = day.observed_at = i % 2 ? 0 : PG_INT64_MAX;
		day.resets_at = PG_INT64_MAX;
		xero_day_doubt(&day, START);
		ok(day.left == -1 && day.ours >= 0 && day.most == 0 &&
		   xero_day_left(&day, START, 5000) <= 5000 &&
		   xero_day_left(&day, START + XERO_DAY_MS, 5000) == 5000,
		   "whatever the file has");
	}
}

int
main(void)
{
	test_limits();
	test_cap();
	test_kept();
	test_refusal();
	test_order();
	test_all_orders();
	test_clock();
	test_absurd();
	test_forget();
	test_doubt();
	return done_testing();
}
