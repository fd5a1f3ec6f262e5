/*-------------------------------------------------------------------------
 *
 * quota_test.c
 *	  Which calls does an organisation allow, and what stands in the way?
 *
 * Link: src/api/budget/quota.c src/api/budget/window.c src/api/budget/day.c
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <limits.h>
#include <string.h>

#include "api/budget/quota.h"
#include "tap.h"

#define START INT64CONST(1763705560000)
#define LEASE 100000

/* ---- the quota under test, and its application ---- */

static XeroQuota quota;
static XeroMinute app;
static XeroCaps caps;
static XeroDelay delay;
static int64 now;

static const XeroCaps usual = {5, 60, 10000, 5000, 0};
static const XeroCaps boundless = {XERO_MAX_CONCURRENCY, INT_MAX, INT_MAX,
INT_MAX, 0};
static const XeroRemaining plenty = {50, 9000, 4000};
static const XeroRemaining untold = {-1, -1, -1};

static XeroLimit
check_for(bool background, int need)
{
	return xero_quota_check(&quota, &app, &caps, background, need, now,
							&delay);
}

static XeroLimit
check(void)
{
	return check_for(false, 1);
}

static XeroPermit
take(void)
{
	XeroPermit	permit;

	(void) check();
	xero_quota_take(&quota, &app, now, LEASE, &permit);
	return permit;
}

static void
charge(const XeroPermit *permit, int minute, int app_minute, int day)
{
	XeroRemaining remaining = {minute, app_minute, day};

	xero_quota_charge(&quota, &app, permit, now, &remaining);
}

/* A call by itself. */
static void
call(XeroRemaining remaining)
{
	XeroPermit	permit = take();

	xero_quota_charge(&quota, &app, &permit, now, &remaining);
}

static void
call_told(int minute, int app_minute, int day)
{
	XeroRemaining remaining = {minute, app_minute, day};

	call(remaining);
}

static void
begin(void)
{
	now = START;
	memset(&quota, 0, sizeof(quota));
	xero_quota_clear(&quota, now);
	xero_minute_clear(&app, now);
	caps = usual;
}

/* Something is told, and all may call. */
static void
begin_sure(void)
{
	begin();
	call(plenty);
}

/* ---- slots ---- */

static void
test_slots(void)
{
	XeroPermit	permits[5];

	begin_sure();
	for (int i = 0; i < 5; i++)
	{
		ok(check() == XERO_BLOCKED_BY_NONE, "a slot is free");
		permits[i] = take();
	}
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY && !delay.ordered,
	   "five are all");
	ok(delay.provable == now && delay.look_at == now + LEASE,
	   "anyone may leave, and one must by the end of the lease");
	is(xero_quota_in_flight(&quota, now), 5, "five in flight");

	xero_quota_return(&quota, &app, &permits[2]);
	ok(check() == XERO_BLOCKED_BY_NONE && quota.minute.window.ours == 1 &&
	   quota.minute.pending == 4, "a returned permit was no call");
	permits[2] = take();
	ok(permits[2].slot == 2, "its slot is taken again");
	charge(&permits[0], 49, 8999, 3999);
	ok(check() == XERO_BLOCKED_BY_NONE && quota.minute.window.ours == 2 &&
	   app.window.ours == 2 && quota.day.ours == 2,
	   "a charged one was, at all three limits");
	charge(&permits[0], 49, 8999, 3999);
	xero_quota_return(&quota, &app, &permits[0]);
	xero_quota_abandon(&quota, &app, &permits[0], now);
	ok(quota.minute.window.ours == 2 && quota.minute.pending == 4 &&
	   app.pending == 4, "but once");

	xero_quota_clear(&quota, now);
	xero_minute_clear(&app, now);
	(void) take();
	charge(&permits[0], 1, 1, 1);
	xero_quota_return(&quota, &app, &permits[0]);
	ok(quota.minute.pending == 1 && quota.minute.window.ours == 0,
	   "permits of before do not fit a cleared quota");
	ok(!xero_permit_is_current(&quota, &permits[0]) &&
	   !xero_permit_is_current(&quota, &permits[4]), "and are not of it");
	permits[0] = take();
	ok(xero_permit_is_current(&quota, &permits[0]), "those of after are");
}

static void
test_leases(void)
{
	XeroPermit	late;
	XeroPermit	next;

	begin_sure();
	caps.concurrency = 1;
	late = take();
	now += LEASE - 1;
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY && delay.look_at == now + 1,
	   "the lease holds until its end");
	now++;
	ok(check() == XERO_BLOCKED_BY_NONE, "then the slot is free");
	ok(quota.minute.pending == 0 && app.pending == 0 &&
	   quota.minute.window.ours == 1 && app.window.ours == 1 &&
	   quota.day.ours == 2, "and the call counts as made");
	next = take();
	ok(next.slot == late.slot, "somebody else has the slot");
	charge(&late, 7, 7, 7);
	xero_quota_return(&quota, &app, &late);
	xero_quota_abandon(&quota, &app, &late, now);
	ok(quota.minute.pending == 1 && quota.minute.window.ours == 1 &&
	   xero_quota_in_flight(&quota, now) == 1, "whom the late one does not harm");
	charge(&next, 40, 8000, 3000);
	ok(quota.minute.pending == 0 && check_for(false, 40) == XERO_BLOCKED_BY_NONE &&
	   check_for(false, 41) == XERO_BLOCKED_BY_MINUTE, "who ends as usual");

	begin_sure();
	late = take();
	now += LEASE;
	ok(xero_quota_is_idle(&quota, &app, now) && quota.minute.window.ours == 1 &&
	   app.pending == 0, "who has lost his slot keeps nobody from being idle");
	ok(xero_permit_is_current(&quota, &late), "his permit is still of the quota");
	xero_quota_refuse(&quota, &app, &late, now, XERO_BLOCKED_BY_MINUTE,
					  now + 5000);
	ok(check() == XERO_BLOCKED_BY_MINUTE && delay.ordered,
	   "so a refusal that he finds counts");
}

static void
test_abandon(void)
{
	XeroPermit	permit;

	begin();
	permit = take();
	now += 100;
	xero_quota_abandon(&quota, &app, &permit, now);
	ok(xero_quota_in_flight(&quota, now) == 0 && quota.minute.pending == 0 &&
	   quota.minute.window.ours == 1, "an abandoned call counts as made");
	caps.concurrency = 1;
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY, "Xero still works on it");
	ok(!xero_quota_is_idle(&quota, &app, now), "so nothing is idle");
	now = delay.look_at;
	ok(now > START + 100 && now < START + LEASE &&
	   check() == XERO_BLOCKED_BY_NONE, "for as long as calls usually take");
	ok(xero_quota_is_idle(&quota, &app, now), "then all is idle");

	begin();
	caps.concurrency = 1;
	for (int i = 0; i < 50; i++)
	{
		permit = take();
		now += 4000;
		xero_quota_charge(&quota, &app, &permit, now, &plenty);
	}
	permit = take();
	xero_quota_abandon(&quota, &app, &permit, now);
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY &&
	   delay.look_at > now + 7900 && delay.look_at < now + 8100,
	   "how long calls take is learned");
}

/* Random lives of permits; the sums must always agree with the slots. */
static void
test_lives(void)
{
	uint64		random = 42;
	XeroPermit	held[XERO_MAX_CONCURRENCY];
	int			nheld = 0;
	bool		holds = true;

	begin();
	caps = boundless;
	for (int i = 0; i < 50000; i++)
	{
		int			pending = 0;
		int			which;

		random = random * UINT64CONST(6364136223846793005) + 1442695040888963407;
		which = nheld > 0 ? (random >> 40) % nheld : 0;
		now += (random >> 33) % 2000;
		if ((random >> 20) % 8 < 5 && nheld < lengthof(held) &&
			check() == XERO_BLOCKED_BY_NONE)
			held[nheld++] = take();
		else if (nheld > 0)
		{
			switch ((random >> 50) % 6)
			{
				case 0:
					xero_quota_return(&quota, &app, &held[which]);
					break;
				case 1:
					xero_quota_abandon(&quota, &app, &held[which], now);
					break;
				case 2:
					xero_quota_refuse(&quota, &app, &held[which], now,
									  XERO_BLOCKED_BY_CONCURRENCY, now + 5);
					break;
				case 3:
					/* a process that vanishes */
					break;
				default:
					xero_quota_charge(&quota, &app, &held[which], now, &plenty);
			}
			held[which] = held[--nheld];
		}
		for (int j = 0; j < XERO_MAX_CONCURRENCY; j++)
		{
			pending += quota.slots[j].pending;
			holds = holds && (!quota.slots[j].pending || j < quota.nslots);
		}
		holds = holds && pending == quota.minute.pending &&
			pending == app.pending;
	}
	now += LEASE;
	(void) check();
	ok(holds, "what is pending is what has a slot");
	ok(quota.minute.pending == 0 && quota.nslots == 0 && check() == XERO_BLOCKED_BY_NONE,
	   "and everything ends");
}

/* ---- limits ---- */

static void
test_order(void)
{
	XeroPermit	permits[5];

	begin_sure();
	for (int i = 0; i < 5; i++)
		permits[i] = take();
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY, "first the slots");
	caps.minute = 6;
	ok(check() == XERO_BLOCKED_BY_MINUTE, "the minute comes before them");
	ok(delay.provable == now &&
	   delay.look_at == (START / 250 + 241) * 250,
	   "those under way may be returned, or else it is free by time");
	caps.app_minute = 6;
	ok(check() == XERO_BLOCKED_BY_APP, "then the application's minute");
	xero_quota_refuse(&quota, &app, &permits[0], now, XERO_BLOCKED_BY_CONCURRENCY,
					  now + 90000);
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY && delay.ordered &&
	   delay.provable == now + 90000 && delay.look_at == now + 90000,
	   "then Xero's order");
	xero_quota_refuse(&quota, &app, &permits[1], now, XERO_BLOCKED_BY_DAY,
					  now + 7200000);
	ok(check() == XERO_BLOCKED_BY_DAY && delay.ordered &&
	   delay.provable == now + 7200000 && delay.look_at == now + 7200000,
	   "and before all the day");
}

static void
test_need(void)
{
	begin_sure();
	call_told(3, 9000, 4000);
	ok(check_for(false, 3) == XERO_BLOCKED_BY_NONE, "three are left, three needed");
	ok(check_for(false, 4) == XERO_BLOCKED_BY_MINUTE &&
	   delay.provable == START + XERO_WINDOW_MS,
	   "the fourth may begin when what was told is void");
	ok(check_for(false, 100) == XERO_BLOCKED_BY_MINUTE &&
	   delay.provable == XERO_NEVER, "more than a minute has: nobody knows");
}

static void
test_leases_and_minute(void)
{
	begin_sure();
	(void) take();
	now += 59000;
	call_told(1, 9000, 4000);
	ok(check() == XERO_BLOCKED_BY_MINUTE && delay.look_at == START + 60250,
	   "the minute is free before the lease ends");
	now = START + LEASE - 10;
	call_told(1, 9000, 4000);
	ok(check() == XERO_BLOCKED_BY_MINUTE && delay.look_at == START + LEASE,
	   "or the lease ends before the minute is free");
}

static void
test_reserve(void)
{
	begin_sure();
	caps.reserve = 20;
	call_told(50, 9000, 1002);
	ok(check_for(true, 1) == XERO_BLOCKED_BY_NONE, "enough for background");
	call_told(50, 9000, 1001);
	(void) take();
	ok(check_for(true, 1) == XERO_BLOCKED_BY_CONCURRENCY,
	   "the last one for background is under way");
	ok(check_for(false, 1) == XERO_BLOCKED_BY_NONE, "others have the reserve");

	begin_sure();
	caps.reserve = 20;
	call_told(50, 9000, 1000);
	ok(check_for(true, 1) == XERO_BLOCKED_BY_RESERVE &&
	   delay.provable == now + XERO_DAY_MS && delay.at_latest &&
	   delay.look_at == delay.provable,
	   "the reserve is not for background, for a day at most");
	ok(check_for(false, 1) == XERO_BLOCKED_BY_NONE, "but for others");
	call_told(50, 9000, 1);
	ok(check_for(false, 1) == XERO_BLOCKED_BY_NONE, "to the last call");

	begin();
	caps.reserve = 20;
	call_told(50, 9000, 201);
	ok(check_for(true, 1) == XERO_BLOCKED_BY_NONE, "20 % of 1,000 are 200");
	caps.reserve = 21;
	ok(check_for(true, 1) == XERO_BLOCKED_BY_RESERVE, "21 % are more");
	caps.day = 399;
	caps.reserve = 50;
	call_told(50, 9000, 200);
	ok(check_for(true, 1) == XERO_BLOCKED_BY_RESERVE, "half of 399 are 200");
	now += XERO_DAY_MS;
	ok(check_for(true, 1) == XERO_BLOCKED_BY_NONE,
	   "the next day it has its share, though nobody called");
}

/* ---- refusals ---- */

static void
test_unsure(void)
{
	XeroPermit	first;
	XeroPermit	second;

	begin();
	first = take();
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY, "at first one at a time");
	xero_quota_charge(&quota, &app, &first, now, &untold);
	ok(check() == XERO_BLOCKED_BY_NONE, "until one is answered");
	(void) take();
	ok(check() == XERO_BLOCKED_BY_NONE, "then all");

	begin_sure();
	first = take();
	second = take();
	xero_quota_refuse(&quota, &app, &first, now, XERO_BLOCKED_BY_MINUTE,
					  now + 10000);
	now += 10000;
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY,
	   "after a refusal, too, and one is under way");
	charge(&second, 0, 9000, 4000);
	ok(check() == XERO_BLOCKED_BY_MINUTE, "which says that nothing is left");
	now += 60250;
	first = take();
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY,
	   "an answer to an older call does not make sure");
	charge(&first, 50, 9000, 4000);
	(void) take();
	ok(check() == XERO_BLOCKED_BY_NONE, "one to a newer does");
}

static void
test_refused_minute(void)
{
	XeroPermit	permit;

	begin_sure();
	permit = take();
	now += 5000;
	xero_quota_refuse(&quota, &app, &permit, now, XERO_BLOCKED_BY_MINUTE,
					  now + 20000);
	ok(quota.minute.window.ours == 1 && quota.minute.pending == 0,
	   "a refused call is not charged");
	ok(check() == XERO_BLOCKED_BY_MINUTE && delay.ordered &&
	   !xero_quota_is_idle(&quota, &app, now), "the minute is blocked");
	now += 20000;
	ok(check() == XERO_BLOCKED_BY_NONE, "and is free in time");
	permit = take();
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY, "for one");
	now += 200;
	charge(&permit, 59, 9000, 4000);
	ok(check_for(false, 59) == XERO_BLOCKED_BY_NONE, "which may find a new minute");
	ok(quota.minute.refusals == 1 && app.refusals == 0, "refusals are counted");
}

/* The application's minute is that of several organisations. */
static void
test_app(void)
{
	XeroQuota	other;
	XeroPermit	permit;
	XeroPermit	others;
	XeroDelay	open;

	begin_sure();
	memset(&other, 0, sizeof(other));
	xero_quota_clear(&other, now);
	caps.app_minute = 2;
	ok(xero_quota_check(&other, &app, &caps, false, 1, now, &open) ==
	   XERO_BLOCKED_BY_NONE, "one call is left for another organisation");
	xero_quota_take(&other, &app, now, LEASE, &others);
	ok(check() == XERO_BLOCKED_BY_APP, "but not for both");
	xero_quota_charge(&other, &app, &others, now, &plenty);
	caps.app_minute = 10000;

	permit = take();
	xero_quota_take(&other, &app, now, LEASE, &others);
	xero_quota_refuse(&other, &app, &others, now, XERO_BLOCKED_BY_APP, now + 8000);
	ok(check() == XERO_BLOCKED_BY_APP && delay.ordered &&
	   delay.provable == now + 8000,
	   "one's refusal closes the application to all");
	ok(quota.minute.blocked_until == 0 && xero_quota_is_idle(&other, &app, now),
	   "and is no matter of an organisation");
	now += 8000;
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY, "then one at a time");
	charge(&permit, 40, 8900, 3900);
	permit = take();
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY,
	   "even if an older call has been answered");
	charge(&permit, 40, 8900, 3900);
	permit = take();
	ok(check() == XERO_BLOCKED_BY_NONE, "until one is answered");
	xero_quota_return(&quota, &app, &permit);
	is(app.pending, 0, "nothing is left pending");
}

static void
test_day(void)
{
	XeroPermit	probe;

	begin_sure();
	call_told(50, 9000, 0);
	ok(check() == XERO_BLOCKED_BY_NONE,
	   "the day is spent, nobody knows until when: one may ask");
	probe = take();
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY, "but only one");
	xero_quota_refuse(&quota, &app, &probe, now, XERO_BLOCKED_BY_DAY,
					  now + 3600000);
	ok(check() == XERO_BLOCKED_BY_DAY && delay.provable == now + 3600000,
	   "then it is known");
	ok(quota.minute.blocked_until <= now && quota.minute.refusals == 0,
	   "which is no matter of the minute");
	now += 3600000;
	ok(check() == XERO_BLOCKED_BY_NONE, "and over in time");
	(void) take();
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY, "one at a time first");

	begin_sure();
	call_told(50, 9000, 2);
	(void) take();
	ok(check() == XERO_BLOCKED_BY_NONE, "two are left of the day");
	(void) take();
	ok(check() == XERO_BLOCKED_BY_CONCURRENCY && delay.provable == now,
	   "and both under way: they tell of more, or not");

	begin_sure();
	caps.day = 2;
	call(plenty);
	ok(check() == XERO_BLOCKED_BY_DAY && delay.provable == START + XERO_DAY_MS &&
	   !delay.ordered && !delay.at_latest,
	   "our own limit of the day is over a day after its first call");
}

static void
test_idle(void)
{
	XeroPermit	permit;

	begin();
	ok(xero_quota_is_idle(&quota, &app, now), "a new quota is idle");
	permit = take();
	ok(!xero_quota_is_idle(&quota, &app, now), "one with a call under way is not");
	xero_quota_charge(&quota, &app, &permit, now, &plenty);
	ok(xero_quota_is_idle(&quota, &app, now), "afterwards it is");
}

/* When one that is not idle may be. */
static void
test_idle_at(void)
{
	XeroPermit	first;
	XeroPermit	second;
	int64		look_at;

	begin_sure();
	first = take();
	now += 10;
	second = take();
	ok(xero_quota_idle_at(&quota, now, &look_at) == now &&
	   look_at == now - 10 + LEASE,
	   "calls under way may end at once, and the first does by its lease");
	xero_quota_charge(&quota, &app, &first, now, &plenty);
	xero_quota_refuse(&quota, &app, &second, now, XERO_BLOCKED_BY_MINUTE,
					  now + 5000);
	ok(!xero_quota_is_idle(&quota, &app, now), "an order is not forgotten");
	ok(xero_quota_idle_at(&quota, now, &look_at) == now + 5000 &&
	   look_at == now + 5000, "before it ends");
	now += 5000;
	ok(xero_quota_is_idle(&quota, &app, now), "then it is");
}

static void
test_unblock(void)
{
	static const XeroLimit limits[] = {XERO_BLOCKED_BY_MINUTE,
	XERO_BLOCKED_BY_APP, XERO_BLOCKED_BY_CONCURRENCY, XERO_BLOCKED_BY_DAY};
	XeroPermit	permit;
	XeroPermit	late;

	for (int i = 0; i < lengthof(limits); i++)
	{
		begin_sure();
		permit = take();
		late = take();
		xero_quota_refuse(&quota, &app, &permit, now, limits[i], now + 50000);
		ok(check() != XERO_BLOCKED_BY_NONE && delay.ordered, "refused");
		xero_quota_unblock(&quota, &app);
		xero_quota_charge(&quota, &app, &late, now, &untold);
		ok(check() == XERO_BLOCKED_BY_NONE, "that is forgotten");
		permit = take();
		ok(check() == XERO_BLOCKED_BY_CONCURRENCY,
		   "one call tells whether it is over");
		xero_quota_charge(&quota, &app, &permit, now, &plenty);
		(void) take();
		ok(check() == XERO_BLOCKED_BY_NONE, "it is");
	}
}

static void
test_renewal(void)
{
	XeroPermit	kept;
	XeroPermit	lost;

	begin_sure();
	kept = take();
	lost = take();
	now += LEASE - 1;
	xero_quota_renew(&quota, &kept, now + LEASE);
	now += 1;
	(void) check();
	ok(xero_quota_in_flight(&quota, now) == 1, "who renews its lease keeps its slot");
	xero_quota_renew(&quota, &lost, now + LEASE);
	ok(xero_quota_in_flight(&quota, now) == 1, "what is lost is not had back by that");
	xero_quota_return(&quota, &app, &kept);
	ok(xero_quota_in_flight(&quota, now) == 0 && quota.minute.pending == 0 &&
	   app.pending == 0, "and nothing is left");
}

/* A caller's own quota and application, and what turns out to be theirs. */
static void
test_joining(void)
{
	static const XeroRemaining little = {10, 9000, 4000};
	XeroQuota	own;
	XeroMinute	own_app;
	XeroPermit	permit;
	int			left;

	begin_sure();
	memset(&own, 0, sizeof(own));
	xero_quota_clear(&own, now);
	xero_minute_clear(&own_app, now);
	xero_quota_take(&own, &own_app, now, LEASE, &permit);
	ok(own_app.pending == 1 && app.pending == 0, "a call of a caller's own");

	/* another quota of the same organisation has it counted */
	left = xero_window_left(&quota.minute.window, now, caps.minute, 0);
	xero_quota_count(&quota, &app, &permit, now, &untold);
	ok(xero_window_left(&quota.minute.window, now, caps.minute, 0) == left - 1,
	   "counts where it belongs, with no word of Xero's");
	xero_quota_count(&quota, &app, &permit, now, &little);
	ok(xero_window_left(&quota.minute.window, now, caps.minute, 0) == 10,
	   "and what Xero says of it is believed");
	xero_quota_count(&quota, &app, &permit, now, &plenty);
	ok(xero_window_left(&quota.minute.window, now, caps.minute, 0) <= 10,
	   "but it outdates nothing");

	/* or the application alone is there already */
	xero_quota_change_app(&own, &own_app, &app);
	xero_permit_change_app(&permit, &app);
	ok(own_app.pending == 0 && app.pending == 1, "it is pending at the application");
	xero_quota_charge(&own, &app, &permit, now, &plenty);
	ok(app.pending == 0 && own.minute.pending == 0, "until it has ended");
}

int
main(void)
{
	test_slots();
	test_leases();
	test_abandon();
	test_lives();
	test_order();
	test_need();
	test_leases_and_minute();
	test_reserve();
	test_unsure();
	test_refused_minute();
	test_app();
	test_day();
	test_idle();
	test_idle_at();
	test_unblock();
	test_renewal();
	test_joining();
	return done_testing();
}
