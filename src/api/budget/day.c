/*-------------------------------------------------------------------------
 *
 * day.c
 *	  Calls of a day, as Xero tells them.
 *
 * What is left of the day is what Xero says with each answer; counting would
 * be wrong from the first call of another program on.  When the day begins is
 * not known: Xero's texts speak of a fixed window that begins at another time
 * for each organisation and, elsewhere, of a rolling one.  Only a refusal
 * (429, with Retry-After) tells when there will be calls again, and only that
 * is believed.  What was told a whole day ago is void in any case.
 *
 * The server option day_limit may allow less than Xero does.  For that our own
 * calls are counted, over 24 hours from the first of them on.
 *
 * Observations of answers that overtook each other are treated as in
 * window.c.  Pure, as that is.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>

#include "api/budget/day.h"

/* Xero's daily limits (docs: 1,000 in the free tier, 5,000 in the others). */
static const int tiers[] = {1000, 5000};

/* What is said to be left beyond this is not what is left of a day. */
#define MOST 1000000

void
xero_day_clear(XeroDay *day, int64 now)
{
	memset(day, 0, sizeof(*day));
	day->left = -1;
	day->began = now;
	day->observed_at = now;
}

int
xero_day_left(XeroDay *day, int64 now, int cap)
{
	if (day->resets_at > 0 && now >= day->resets_at)
	{
		day->left = -1;
		day->ours = 0;
		day->began = now;
		day->resets_at = 0;
		day->epoch++;
	}
	if (now - day->observed_at >= XERO_DAY_MS && day->resets_at == 0 &&
		day->left >= 0)
	{
		day->left = -1;
		day->epoch++;
	}
	/* a clock that stepped back far must not stop us for as long */
	if (now - day->began >= XERO_DAY_MS || now < day->began)
	{
		day->ours = 0;
		day->began = now;
	}
	return day->left < 0 ? cap - day->ours : Min(day->left, cap - day->ours);
}

int64
xero_day_resets(const XeroDay *day, int cap)
{
	/* with Xero's day our own begins anew */
	if (day->resets_at > 0)
		return day->resets_at;
	return day->ours >= cap ? day->began + XERO_DAY_MS : 0;
}

int64
xero_day_free_at(const XeroDay *day, int cap, int kept, bool *at_latest)
{
	int64		resets_at = xero_day_resets(day, cap - kept);
	int64		void_at = day->observed_at + XERO_DAY_MS;

	*at_latest = day->resets_at == 0 && void_at > resets_at &&
		day->left >= 0 && day->left <= kept;
	return *at_latest ? void_at : resets_at;
}

/* How many calls Xero's day has; INT_MAX if that is no tier that we know. */
static int
day_size(const XeroDay *day)
{
	for (int i = 0; i < lengthof(tiers); i++)
	{
		if (day->most <= tiers[i])
			return tiers[i];
	}
	return INT_MAX;
}

int
xero_day_limit(const XeroDay *day, int cap)
{
	return day->most > 0 ? Min(cap, day_size(day)) : cap;
}

XeroBaseline
xero_day_baseline(const XeroDay *day)
{
	XeroBaseline baseline = {day->last_observation, day->epoch, 0};

	return baseline;
}

/* A day of which Xero counts fewer calls than we have made began since then. */
static void
forget_yesterday(XeroDay *day, int remaining)
{
	int			counted = day_size(day) - remaining;

	if (counted < day->ours)
		day->ours = Max(counted, 1);
}

void
xero_day_charge(XeroDay *day, int64 now, XeroBaseline baseline, int remaining)
{
	day->ours++;
	if (remaining < 0 || remaining > MOST || baseline.epoch != day->epoch)
	{
		if (day->left > 0)
			day->left--;
		return;
	}

	/* it takes two to tell that a day has more: one alone may be wrong */
	day->most = Max(day->most, day->left < 0 ? remaining :
					Min(remaining, day->left));
	if (baseline.last_observation == day->last_observation)
	{
		if (day->left >= 0 && remaining >= day->left)
			day->epoch++;
		day->left = remaining;
	}
	else if (day->left >= 0)
		day->left = Min(day->left, remaining);
	forget_yesterday(day, remaining);
	day->observed_at = now;
	day->last_observation++;
}

void
xero_day_refuse(XeroDay *day, int64 until)
{
	day->left = 0;
	day->resets_at = until;
	day->epoch++;
}

void
xero_day_forget(XeroDay *day)
{
	day->left = -1;
	day->most = 0;
	day->resets_at = 0;
	day->epoch++;
}

/*
 * The calendar may have been another one when the times were written.  A time
 * to come would hold for as long as that one was wrong.
 */
void
xero_day_doubt(XeroDay *day, int64 now)
{
	day->ours = Max(0, Min(day->ours, MOST));
	day->began = Min(day->began, now);
	day->observed_at = Min(day->observed_at, now);
	if (day->left < -1 || day->left > MOST || day->most < 0 ||
		day->most > MOST || day->resets_at > now + XERO_DAY_BLOCK_MS)
		xero_day_forget(day);
}
