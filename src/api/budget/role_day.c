/*-------------------------------------------------------------------------
 *
 * role_day.c
 *	  How many calls each role may make in a day.
 *
 * A server, or a user mapping, may have the option role_day_limit.  The calls
 * of each role over such a server are counted here, for 24 hours from the first
 * one.  Calls that belong to no organisation are not, as Xero does not count
 * them either.
 *
 * If there are more roles than records, those that have made the fewest calls
 * are forgotten.  So a role that would have its own count pushed out, by calls
 * over servers of its own, must make more calls for each record than it has on
 * its account.
 *
 * The lock is held for a walk over the records.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/role_day.h"
#include "api/shared/kept_file.h"
#include "api/shared/shared.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#define RECORDS 1000

#define DAY_MS (24 * 60 * 60 * 1000)

typedef struct Record
{
	Oid			dbid;
	Oid			serverid;
	Oid			roleid;
	int			calls;			/* 0: not in use */
	TimestampTz began;
} Record;

typedef struct RoleDays
{
	LWLock		lock;
	Record		records[RECORDS];
} RoleDays;

static Size
days_size(int length)
{
	return sizeof(RoleDays);
}

static void
initialize_days(void *memory, int length, int tranche)
{
	RoleDays   *days = memory;

	memset(days, 0, sizeof(*days));
	LWLockInitialize(&days->lock, tranche);
}

/* ---- over a restart ---- */

static bool
save_record(const void *memory, int number, void *record)
{
	const RoleDays *days = memory;

	memcpy(record, &days->records[number], sizeof(Record));
	return days->records[number].calls > 0;
}

static void
load_record(void *memory, int number, const void *record)
{
	RoleDays   *days = memory;

	if (number < RECORDS)
		memcpy(&days->records[number], record, sizeof(Record));
}

static const XeroKeptFile file = {
	.name = "xero_fdw.roles",
	.magic = 0x58455231,
	.record_size = sizeof(Record),
	.save = save_record,
	.load = load_record
};

static void
load_days(void *memory)
{
	xero_kept_load(&file, memory);
}

static void
save_days(void *memory)
{
	xero_kept_save(&file, memory, RECORDS);
}

static XeroSharedPart part = {
	.size = days_size,
	.initialize = initialize_days,
	.load = load_days,
	.save = save_days
};

void
xero_role_day_init(void)
{
	xero_shared_register(&part);
}

/* ---- counting ---- */

static bool
is_limited(const XeroServer *server)
{
	return server->role_day.limit > 0 && server->tenant_id != NULL;
}

static TimestampTz
end_of(const Record *record)
{
	return TimestampTzPlusMilliseconds(record->began, DAY_MS);
}

/* A clock that was set back must not make a day longer. */
static bool
is_over(const Record *record, TimestampTz now)
{
	return record->calls == 0 || now < record->began || now >= end_of(record);
}

/* The record of the present day, which may begin now.  The caller locks. */
static Record *
enter_record(RoleDays *days, Oid serverid, Oid roleid, TimestampTz now)
{
	Record	   *record = NULL;
	int			least = INT_MAX;

	for (int i = 0; i < RECORDS; i++)
	{
		Record	   *other = &days->records[i];
		int			calls = is_over(other, now) ? 0 : other->calls;

		if (calls > 0 && other->dbid == MyDatabaseId &&
			other->serverid == serverid && other->roleid == roleid)
			return other;
		if (calls < least)
		{
			record = other;
			least = calls;
		}
	}
	record->dbid = MyDatabaseId;
	record->serverid = serverid;
	record->roleid = roleid;
	record->calls = 0;
	record->began = now;
	return record;
}

bool
xero_role_day_take(const XeroServer *server, Oid roleid, TimestampTz *ends_at)
{
	RoleDays   *days;
	Record	   *record;
	bool		allowed;

	if (!is_limited(server))
		return true;
	days = xero_shared_part(&part);
	LWLockAcquire(&days->lock, LW_EXCLUSIVE);
	record = enter_record(days, server->serverid, roleid,
						  GetCurrentTimestamp());
	allowed = record->calls < server->role_day.limit;
	if (allowed)
		record->calls++;
	*ends_at = end_of(record);
	LWLockRelease(&days->lock);
	return allowed;
}

void
xero_role_day_return(const XeroServer *server, Oid roleid)
{
	RoleDays   *days = part.memory;

	if (!is_limited(server) || days == NULL)
		return;
	LWLockAcquire(&days->lock, LW_EXCLUSIVE);
	for (int i = 0; i < RECORDS; i++)
	{
		Record	   *record = &days->records[i];

		if (record->calls > 0 && record->dbid == MyDatabaseId &&
			record->serverid == server->serverid && record->roleid == roleid)
		{
			record->calls--;
			break;
		}
	}
	LWLockRelease(&days->lock);
}
