/*-------------------------------------------------------------------------
 *
 * budget_view.c
 *	  The budgets, for all to see.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "api/budget/entries.h"
#include "api/report/request_log.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(xero_budget);
PG_FUNCTION_INFO_V1(xero_reset_stats);

/* One row of the view, without names of servers. */
typedef struct Row
{
	XeroBudgetKey key;
	XeroBudgetStats stats;
	char		problem[32];
	int			minute_limit;
	int			minute_remaining;
	int			day_limit;
	int			day_remaining;	/* -1: not known */
	int64		day_resets_at;	/* 0: not known */
	int			concurrency;
	int			in_flight;
	int			waiting;
	int			app_minute_remaining;
	int64		blocked_until;	/* 0: not blocked */
} Row;

static int
remaining_of(XeroMinute *minute, int64 now, int cap)
{
	int			left = xero_window_left(&minute->window, now, cap,
										minute->pending);

	return minute->blocked_until > now ? 0 : Max(0, Min(left, cap));
}

static void
fill_row(Row *row, XeroBudgetEntry *entry, XeroMinute *app, int64 now)
{
	XeroQuota  *quota = &entry->quota;
	const XeroCaps *caps = &entry->caps;
	int			left = xero_day_left(&quota->day, now, caps->day);

	row->key = entry->key;
	row->stats = entry->stats;
	memcpy(row->problem, entry->problem, sizeof(row->problem));
	row->minute_limit = caps->minute;
	row->minute_remaining = remaining_of(&quota->minute, now, caps->minute);
	row->day_limit = xero_day_limit(&quota->day, caps->day);
	row->day_remaining = quota->day.left < 0 ? -1 :
		Max(0, left - quota->minute.pending);
	row->day_resets_at = xero_day_resets(&quota->day, caps->day);
	row->concurrency = caps->concurrency;
	row->in_flight = xero_quota_in_flight(quota, now);
	row->waiting = entry->queue.waiting[XERO_INTERACTIVE] +
		entry->queue.waiting[XERO_BACKGROUND];
	row->app_minute_remaining = remaining_of(app, now, caps->app_minute);
	row->blocked_until = Max(quota->minute.blocked_until, app->blocked_until);
	if (left <= 0)
		row->blocked_until = Max(row->blocked_until, row->day_resets_at);
	if (row->blocked_until <= now)
		row->blocked_until = 0;
}

/* Reading moves windows on, hence the exclusive lock. */
static int
copy_rows(Row *rows, XeroBudget *budget)
{
	int64		now;
	int			count = 0;

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	now = xero_budget_now();
	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];

		/* what a file has brought has no caps before its first call */
		if (entry->used && entry->key.tenant_id[0] != '\0' &&
			entry->caps.concurrency > 0)
			fill_row(&rows[count++], entry,
					 &XERO_BUDGET_APPS(budget)[entry->app].minute, now);
	}
	LWLockRelease(&budget->lock);
	return count;
}

/* "clock_began" in wall time; one for a whole view, so that what is equal looks so. */
static void
put_time(Datum *value, bool *isnull, int64 at, TimestampTz clock_began)
{
	*isnull = at == 0;
	if (at != 0)
		*value = TimestampTzGetDatum(TimestampTzPlusMilliseconds(clock_began, at));
}

/* SQL: one row for each organisation of each application. */
Datum
xero_budget(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	XeroBudget *budget = xero_budget_attach();
	TimestampTz clock_began = xero_budget_wall_time(0);
	Row		   *rows;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	rows = palloc(budget->nentries * sizeof(Row));
	count = copy_rows(rows, budget);
	for (int i = 0; i < count; i++)
	{
		Row		   *row = &rows[i];
		Datum		values[19];
		bool		nulls[19] = {0};

		values[0] = CStringGetTextDatum(row->key.client_id);
		values[1] = CStringGetTextDatum(row->key.tenant_id);
		values[2] = Int32GetDatum(row->minute_limit);
		values[3] = Int32GetDatum(row->minute_remaining);
		values[4] = Int32GetDatum(row->day_limit);
		nulls[5] = row->day_remaining < 0;
		values[5] = Int32GetDatum(row->day_remaining);
		put_time(&values[6], &nulls[6], row->day_resets_at, clock_began);
		values[7] = Int32GetDatum(row->concurrency);
		values[8] = Int32GetDatum(row->in_flight);
		values[9] = Int32GetDatum(row->waiting);
		values[10] = Int32GetDatum(row->app_minute_remaining);
		put_time(&values[11], &nulls[11], row->blocked_until, clock_began);
		nulls[12] = row->problem[0] == '\0';
		values[12] = CStringGetTextDatum(row->problem);
		values[13] = Int64GetDatum(row->stats.calls);
		values[14] = Int64GetDatum(row->stats.throttled);
		values[15] = Float8GetDatum(rint(row->stats.waited_ms * 1000) / 1000);
		values[16] = Int64GetDatum(row->stats.bytes_in);
		values[17] = Int64GetDatum(row->stats.bytes_out);
		values[18] = TimestampTzGetDatum(row->stats.since);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	pfree(rows);
	return (Datum) 0;
}

/* SQL: what was counted begins anew; what is known of the limits stays. */
Datum
xero_reset_stats(PG_FUNCTION_ARGS)
{
	XeroBudget *budget = xero_budget_attach();
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	for (int i = 0; i < budget->nentries; i++)
	{
		XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];

		memset(&entry->stats, 0, sizeof(entry->stats));
		entry->stats.since = now;
		entry->problem[0] = '\0';
	}
	LWLockRelease(&budget->lock);
	xero_request_log_clear();
	PG_RETURN_VOID();
}
