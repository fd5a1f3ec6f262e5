/*-------------------------------------------------------------------------
 *
 * budget_view.c
 *	  The budgets, for all to see.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "api/budget/budget_state.h"
#include "api/report/request_log.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(xero_budget);
PG_FUNCTION_INFO_V1(xero_reset_stats);

/* One row of the view, without names of servers. */
typedef struct Row
{
	XeroBudgetKey key;
	bool		shared;
	int			nservers;
	Oid			servers[XERO_MAX_PROOFS];	/* of this database */
	XeroBudgetStats stats;
	char		problem[32];
	XeroBudgetState state;
} Row;

static void
add_server(Row *row, const XeroCaller *caller)
{
	if (caller->dbid == MyDatabaseId)
		row->servers[row->nservers++] = caller->serverid;
}

static void
fill_row(Row *row, XeroBudgetEntry *entry, XeroMinute *app, int64 now)
{
	row->key = entry->key;
	row->shared = xero_budget_is_shared(entry);
	row->nservers = 0;
	if (!row->shared)
		add_server(row, &entry->owner);
	for (int i = 0; i < entry->proofs.count; i++)
		add_server(row, &entry->proofs.callers[i]);
	row->stats = entry->stats;
	memcpy(row->problem, entry->problem, sizeof(row->problem));
	xero_budget_state(entry, app, now, &row->state);
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

static Datum
make_array(const Oid *oids, int count)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = ObjectIdGetDatum(oids[i]);
	return PointerGetDatum(construct_array(elements, count, OIDOID, sizeof(Oid),
										   true, TYPALIGN_INT));
}

/*
 * SQL: one row for each organisation of each application, and for each caller
 * that has not proved itself there.
 */
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
		Datum		values[21];
		bool		nulls[21] = {0};

		values[0] = CStringGetTextDatum(row->key.client_id);
		values[1] = CStringGetTextDatum(row->key.tenant_id);
		values[2] = BoolGetDatum(row->shared);
		values[3] = make_array(row->servers, row->nservers);
		values[4] = Int32GetDatum(row->state.minute_limit);
		values[5] = Int32GetDatum(row->state.minute_remaining);
		values[6] = Int32GetDatum(row->state.day_limit);
		nulls[7] = row->state.day_remaining < 0;
		values[7] = Int32GetDatum(row->state.day_remaining);
		put_time(&values[8], &nulls[8], row->state.day_resets_at, clock_began);
		values[9] = Int32GetDatum(row->state.concurrency);
		values[10] = Int32GetDatum(row->state.in_flight);
		values[11] = Int32GetDatum(row->state.waiting);
		values[12] = Int32GetDatum(row->state.app_minute_remaining);
		put_time(&values[13], &nulls[13], row->state.blocked_until, clock_began);
		nulls[14] = row->problem[0] == '\0';
		values[14] = CStringGetTextDatum(row->problem);
		values[15] = Int64GetDatum(row->stats.calls);
		values[16] = Int64GetDatum(row->stats.throttled);
		values[17] = Float8GetDatum(rint(row->stats.waited_ms * 1000) / 1000);
		values[18] = Int64GetDatum(row->stats.bytes_in);
		values[19] = Int64GetDatum(row->stats.bytes_out);
		values[20] = TimestampTzGetDatum(row->stats.since);
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
		xero_item_counts_clear(&entry->items);
	}
	LWLockRelease(&budget->lock);
	xero_request_log_clear();
	PG_RETURN_VOID();
}
