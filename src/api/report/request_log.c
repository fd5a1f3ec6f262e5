/*-------------------------------------------------------------------------
 *
 * request_log.c
 *	  The most recent calls of all backends, in shared memory.
 *
 * Every attempt that was sent gets an entry when it ends, also one that was
 * abandoned.  Bodies, headers and tokens are never in it; of the query so much
 * as tells which rows were asked for.
 *
 * When all entries are in use, a new one takes the place of the oldest.  A role
 * that has half of them or more takes the place of its own oldest, so that it
 * cannot flush out what all others have done.  For this an entry is in two
 * lists, that of all and that of its role's share.
 *
 * The lock is taken exclusively to write an entry, shared to copy them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "api/report/failure.h"
#include "api/report/request_log.h"
#include "api/shared/shared.h"
#include "base/urlencode.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* So much of the decoded query is kept. */
#define MAX_QUERY 200

/* Default and bounds of the log, whose entries take some 800 bytes. */
#define LOG_SIZE 1000
#define MAX_LOG_SIZE 1000000

PG_FUNCTION_INFO_V1(xero_requests);

/* So many roles have a share of their own; the last share is the others'. */
#define SHARES 64

#define NONE (-1)

/* Entries by their numbers, in the order in which they were written. */
typedef struct EntryList
{
	int			count;
	int			oldest;			/* or NONE */
	int			newest;
} EntryList;

typedef struct Share
{
	Oid			roleid;			/* meaningless without entries */
	EntryList	list;
} Share;

/* The neighbours in a list, or NONE. */
typedef struct Links
{
	int			older;
	int			newer;
} Links;

typedef struct Entry
{
	int			share;			/* its number */
	Links		in_all;
	Links		in_share;
	XeroLoggedRequest request;
} Entry;

/* The first all.count entries are in use. */
typedef struct SharedLog
{
	LWLock		lock;
	int			size;			/* never changes */
	EntryList	all;
	Share		shares[SHARES];
	Entry		entries[FLEXIBLE_ARRAY_MEMBER];
} SharedLog;

static int	request_log_size = LOG_SIZE;

static int
log_length(void)
{
	return request_log_size;
}

static Size
log_size(int length)
{
	return add_size(offsetof(SharedLog, entries),
					mul_size(length, sizeof(Entry)));
}

static void
forget_all(SharedLog *log)
{
	const EntryList empty = {0, NONE, NONE};

	log->all = empty;
	for (int i = 0; i < SHARES; i++)
		log->shares[i].list = empty;
}

static void
initialize_log(void *memory, int length, int tranche)
{
	SharedLog  *log = memory;

	LWLockInitialize(&log->lock, tranche);
	log->size = length;
	forget_all(log);
}

static XeroSharedPart part = {
	.length = log_length,
	.size = log_size,
	.initialize = initialize_log
};

void
xero_request_log_init(void)
{
	DefineCustomIntVariable("xero_fdw.request_log_size",
							"Number of calls that the view xero_fdw.requests remembers.",
							NULL,
							&request_log_size, LOG_SIZE, 0, MAX_LOG_SIZE,
							xero_shared_setting_context(),
							0, NULL, NULL, NULL);
	xero_shared_register(&part);
}

void
xero_request_log_prepare(XeroLoggedRequest *entry, const XeroServer *server,
						 const char *method, const char *path,
						 const char *query)
{
	StringInfoData text;
	char	   *cleaned;

	memset(entry, 0, sizeof(*entry));
	entry->at = GetCurrentTimestamp();
	entry->pid = MyProcPid;
	entry->dbid = MyDatabaseId;
	entry->roleid = GetUserId();
	entry->serverid = server->serverid;
	strlcpy(entry->method, method, sizeof(entry->method));
	if (server->tenant_id != NULL)
		strlcpy(entry->tenant_id, server->tenant_id,
				sizeof(entry->tenant_id));

	initStringInfo(&text);
	appendStringInfoString(&text, path);
	if (query != NULL && query[0] != '\0')
	{
		appendStringInfoChar(&text, '?');
		xero_append_decoded(&text, query, strlen(query));
	}
	cleaned = xero_clean_text(text.data, text.len,
							  Min(strlen(path) + MAX_QUERY,
								  sizeof(entry->path) - 1));
	strlcpy(entry->path, cleaned,
			pg_mbcliplen(cleaned, strlen(cleaned),
						 sizeof(entry->path) - 1) + 1);
	pfree(cleaned);
	pfree(text.data);
}

/* ---- lists; the caller holds the lock ---- */

static Links *
links_of(SharedLog *log, const EntryList *list, int number)
{
	Entry	   *entry = &log->entries[number];

	return list == &log->all ? &entry->in_all : &entry->in_share;
}

static void
append_entry(SharedLog *log, EntryList *list, int number)
{
	Links	   *links = links_of(log, list, number);

	links->older = list->newest;
	links->newer = NONE;
	if (list->newest == NONE)
		list->oldest = number;
	else
		links_of(log, list, list->newest)->newer = number;
	list->newest = number;
	list->count++;
}

static void
remove_entry(SharedLog *log, EntryList *list, int number)
{
	const Links *links = links_of(log, list, number);

	if (links->older == NONE)
		list->oldest = links->newer;
	else
		links_of(log, list, links->older)->newer = links->newer;
	if (links->newer == NONE)
		list->newest = links->older;
	else
		links_of(log, list, links->newer)->older = links->older;
	list->count--;
}

/* The number of the role's share, which may be a new one. */
static int
find_share(SharedLog *log, Oid roleid)
{
	int			share = SHARES - 1;

	for (int i = SHARES - 2; i >= 0; i--)
	{
		if (log->shares[i].list.count == 0)
			share = i;
		else if (log->shares[i].roleid == roleid)
			return i;
	}
	log->shares[share].roleid = roleid;
	return share;
}

/* A place for an entry of a share: one that is free, or is freed. */
static int
make_room(SharedLog *log, const Share *share)
{
	int			number;

	if (log->all.count < log->size)
		return log->all.count;
	number = share->list.count >= Max(log->size / 2, 1) ?
		share->list.oldest : log->all.oldest;
	remove_entry(log, &log->all, number);
	remove_entry(log, &log->shares[log->entries[number].share].list, number);
	return number;
}

/* ---- writing ---- */

void
xero_request_log_add(const XeroLoggedRequest *request)
{
	SharedLog  *log = part.memory;
	int			share;
	int			number;

	if (log == NULL || log->size == 0)
		return;
	LWLockAcquire(&log->lock, LW_EXCLUSIVE);
	share = find_share(log, request->roleid);
	number = make_room(log, &log->shares[share]);
	log->entries[number].request = *request;
	log->entries[number].share = share;
	append_entry(log, &log->all, number);
	append_entry(log, &log->shares[share].list, number);
	LWLockRelease(&log->lock);
}

void
xero_request_log_answer(XeroLoggedRequest *entry, const XeroHttpResult *result)
{
	entry->status = result->status;
	entry->elapsed_ms = result->elapsed_ms;
	entry->bytes_in = result->bytes_in;
	strlcpy(entry->correlation_id, result->correlation_id,
			sizeof(entry->correlation_id));
	xero_request_log_add(entry);
}

void
xero_request_log_warn(const char *warning)
{
	SharedLog  *log = part.memory;
	int			len = pg_mbcliplen(warning, strlen(warning),
								   sizeof(log->entries[0].request.warning) - 1);

	if (log == NULL || log->size == 0)
		return;
	LWLockAcquire(&log->lock, LW_EXCLUSIVE);
	for (int i = log->all.newest; i != NONE; i = log->entries[i].in_all.older)
	{
		XeroLoggedRequest *request = &log->entries[i].request;

		if (request->pid != MyProcPid || strcmp(request->method, "GET") == 0)
			continue;
		strlcpy(request->warning, warning, len + 1);
		break;
	}
	LWLockRelease(&log->lock);
}

void
xero_request_log_clear(void)
{
	SharedLog  *log = xero_shared_part(&part);

	LWLockAcquire(&log->lock, LW_EXCLUSIVE);
	forget_all(log);
	LWLockRelease(&log->lock);
}

/* ---- reading ---- */

/* All of it, oldest first, in memory of this backend. */
static XeroLoggedRequest *
copy_log(int *count)
{
	SharedLog  *log = xero_shared_part(&part);
	XeroLoggedRequest *copy;

	copy = palloc_extended(Max(log->size, 1) * sizeof(XeroLoggedRequest),
						   MCXT_ALLOC_HUGE);
	LWLockAcquire(&log->lock, LW_SHARED);
	*count = 0;
	for (int i = log->all.oldest; i != NONE; i = log->entries[i].in_all.newer)
		copy[(*count)++] = log->entries[i].request;
	LWLockRelease(&log->lock);
	return copy;
}

static void
put_text(Datum *value, bool *isnull, const char *text)
{
	*isnull = text[0] == '\0';
	*value = *isnull ? (Datum) 0 : CStringGetTextDatum(text);
}

/* Nobody wants to read nanoseconds. */
static Datum
milliseconds(double ms)
{
	return Float8GetDatum(rint(ms * 1000) / 1000);
}

/*
 * SQL: the log of this database.  Other databases' servers have no names here,
 * and their texts may be in another encoding.
 */
Datum
xero_requests(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	XeroLoggedRequest *log;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	log = copy_log(&count);
	for (int i = 0; i < count; i++)
	{
		XeroLoggedRequest *entry = &log[i];
		Datum		values[16];
		bool		nulls[16] = {0};

		CHECK_FOR_INTERRUPTS();
		if (entry->dbid != MyDatabaseId)
			continue;
		values[0] = TimestampTzGetDatum(entry->at);
		values[1] = Int32GetDatum(entry->pid);
		values[2] = ObjectIdGetDatum(entry->roleid);
		values[3] = ObjectIdGetDatum(entry->serverid);
		put_text(&values[4], &nulls[4], entry->tenant_id);
		put_text(&values[5], &nulls[5], entry->method);
		put_text(&values[6], &nulls[6], entry->path);
		nulls[7] = entry->status == 0;
		values[7] = Int32GetDatum(entry->status);
		values[8] = Int32GetDatum(entry->attempt);
		values[9] = milliseconds(entry->waited_ms);
		values[10] = milliseconds(entry->elapsed_ms);
		values[11] = Int64GetDatum(entry->bytes_in);
		values[12] = Int64GetDatum(entry->bytes_out);
		put_text(&values[13], &nulls[13], entry->correlation_id);
		put_text(&values[14], &nulls[14], entry->error);
		put_text(&values[15], &nulls[15], entry->warning);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	pfree(log);
	return (Datum) 0;
}
