/*-------------------------------------------------------------------------
 *
 * queue.c
 *	  What waits to be put into the table of the audit, in shared memory.
 *
 * A transaction of the session that writes to Xero may roll back, so the rows
 * are another process's to store: a worker, one for each database that writes.
 * A message is in a slot, as one of
 *
 *	WAITING		for the worker
 *	TAKEN		by the worker, whose transaction is not committed yet
 *	STORED		durably, and its sender has not looked yet
 *	LOST		the worker could not store it, and its sender has not looked yet
 *
 * Most senders do not wait: then the slot is free once the message is stored.
 * One who waits owns the slot until it has looked, or has added the end to what
 * it has told before, which it does at the end of its transaction at the latest.
 *
 * A worker that ends puts back what it had taken: it has committed all of it or
 * nothing.  If a process crashes, the server starts anew, and all of this with
 * it; what was STORED is in the table.
 *
 * One lock protects all of it.  Nothing is allocated here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/audit/queue.h"
#include "api/shared/shared.h"
#include "base/worker.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/*
 * A slot takes less than 4 kB.  One database has half of them at most, so that
 * one whose worker cannot store anything leaves room for the others.
 */
#define NSLOTS 256
#define SHARE (NSLOTS / 2)

#define NDATABASES 32

/* A worker that has not begun by then never will. */
#define START_MS 5000

PG_FUNCTION_INFO_V1(xero_audit_status);

typedef enum SlotState
{
	SLOT_FREE,
	SLOT_WAITING,
	SLOT_TAKEN,
	SLOT_STORED,
	SLOT_LOST
} SlotState;

typedef struct Slot
{
	SlotState	state;
	uint64		number;			/* of the message, never 0 */
	Oid			dbid;
	int			owner;			/* number of its process; -1: nobody's */
	bool		grown;			/* while it was TAKEN */
	XeroAuditMessage message;
} Slot;

/* A database, and who serves it. */
typedef struct Database
{
	Oid			dbid;			/* InvalidOid: free */
	int			worker;			/* number of its process; -1: none */
	TimestampTz asked_at;		/* for a worker; 0: not since the last one */
	bool		stuck;
	int64		lost;
	TimestampTz last_lost_at;
} Database;

typedef struct Queue
{
	LWLock		lock;
	uint64		last_number;
	Database	databases[NDATABASES];
	Slot		slots[NSLOTS];
} Queue;

/* What this worker has taken. */
static int	taken[XERO_AUDIT_BATCH];
static int	ntaken = 0;

static Size
queue_size(int length)
{
	return sizeof(Queue);
}

static void
initialize_queue(void *memory, int length, int tranche)
{
	Queue	   *queue = memory;

	memset(queue, 0, sizeof(Queue));
	LWLockInitialize(&queue->lock, tranche);
}

static XeroSharedPart part = {
	.size = queue_size,
	.initialize = initialize_queue
};

void
xero_audit_queue_init(void)
{
	xero_shared_register(&part);
}

static Queue *
lock_queue(void)
{
	Queue	   *queue = xero_shared_part(&part);

	LWLockAcquire(&queue->lock, LW_EXCLUSIVE);
	return queue;
}

static void
unlock_queue(Queue *queue)
{
	LWLockRelease(&queue->lock);
}

/* ---- the caller of these holds the lock ---- */

/*
 * This database.  A new one takes the place of one that nobody serves; NULL if
 * all are served.
 */
static Database *
find_database(Queue *queue)
{
	Database   *room = NULL;

	for (int i = 0; i < NDATABASES; i++)
	{
		Database   *database = &queue->databases[i];

		if (database->dbid == MyDatabaseId)
			return database;
		if (!OidIsValid(database->dbid) ||
			(database->worker < 0 && (room == NULL || OidIsValid(room->dbid))))
			room = database;
	}
	if (room != NULL)
	{
		memset(room, 0, sizeof(*room));
		room->dbid = MyDatabaseId;
		room->worker = -1;
	}
	return room;
}

/* Wake its worker; true if one must be started, once the lock is released. */
static bool
wake_worker(Database *database)
{
	TimestampTz now;

	if (database->worker >= 0)
	{
		SetLatch(&GetPGProcByNumber(database->worker)->procLatch);
		return false;
	}
	now = GetCurrentTimestamp();
	if (database->asked_at != 0 &&
		!TimestampDifferenceExceeds(database->asked_at, now, START_MS))
		return false;
	database->asked_at = now;
	return true;
}

static void
count_loss(Database *database)
{
	database->lost++;
	database->last_lost_at = GetCurrentTimestamp();
}

static Slot *
find_room(Queue *queue)
{
	Slot	   *room = NULL;
	int			used = 0;

	for (int i = 0; i < NSLOTS; i++)
	{
		Slot	   *slot = &queue->slots[i];

		if (slot->state == SLOT_FREE)
			room = slot;
		else if (slot->dbid == MyDatabaseId)
			used++;
	}
	return used < SHARE ? room : NULL;
}

/* The message of this place, which is still its sender's; or NULL. */
static Slot *
find_slot(Queue *queue, const XeroAuditPlace *place)
{
	Slot	   *slot = &queue->slots[place->slot];

	return place->number != 0 && slot->number == place->number &&
		slot->state != SLOT_FREE && slot->owner == MyProcNumber ? slot : NULL;
}

static int
count_waiting(const Queue *queue, bool *urgent)
{
	int			count = 0;

	*urgent = false;
	for (int i = 0; i < NSLOTS; i++)
	{
		const Slot *slot = &queue->slots[i];

		if (slot->dbid != MyDatabaseId || slot->state != SLOT_WAITING)
			continue;
		count++;
		*urgent = *urgent || slot->owner >= 0;
	}
	return count;
}

/* ---- telling ---- */

/* If there is no room for one, it may be asked for again at once. */
static void
start_worker(void)
{
	BackgroundWorker worker;
	Database   *database;
	Queue	   *queue;

	xero_describe_worker(&worker, "xero_fdw audit worker",
						 "xero_audit_worker_main",
						 BgWorkerStart_RecoveryFinished,
						 ObjectIdGetDatum(MyDatabaseId));
	if (RegisterDynamicBackgroundWorker(&worker, NULL))
		return;
	queue = lock_queue();
	database = find_database(queue);
	if (database != NULL)
		database->asked_at = 0;
	unlock_queue(queue);
}

bool
xero_audit_put(const XeroAuditMessage *message, XeroAuditPlace *place)
{
	Queue	   *queue = lock_queue();
	Database   *database = find_database(queue);
	Slot	   *slot = NULL;
	bool		start = false;

	if (database != NULL)
		slot = find_room(queue);
	if (slot != NULL)
	{
		slot->state = SLOT_WAITING;
		slot->number = ++queue->last_number;
		slot->dbid = MyDatabaseId;
		slot->owner = place != NULL ? MyProcNumber : -1;
		slot->grown = false;
		slot->message = *message;
		if (place != NULL)
		{
			place->slot = (int) (slot - queue->slots);
			place->number = slot->number;
		}
	}
	else if (database != NULL)
		count_loss(database);
	start = database != NULL && wake_worker(database);
	unlock_queue(queue);
	if (start)
		start_worker();
	return slot != NULL;
}

XeroAuditAnswer
xero_audit_look(XeroAuditPlace *place, int64 *entry_id)
{
	Queue	   *queue = lock_queue();
	Slot	   *slot = find_slot(queue, place);
	Database   *database;
	XeroAuditAnswer answer = XERO_AUDIT_LOST;
	bool		start = false;

	if (slot != NULL && slot->state == SLOT_STORED)
	{
		answer = XERO_AUDIT_STORED;
		*entry_id = slot->message.entry_id;
	}
	else if (slot != NULL && slot->state != SLOT_LOST)
	{
		answer = XERO_AUDIT_WAITS;
		database = find_database(queue);
		start = database != NULL && database->worker < 0 &&
			wake_worker(database);
	}
	if (answer != XERO_AUDIT_WAITS)
	{
		if (slot != NULL)
			slot->state = SLOT_FREE;
		place->number = 0;
	}
	unlock_queue(queue);
	if (start)
		start_worker();
	return answer;
}

static void
add_end(Slot *slot, const XeroAuditEnd *end, const XeroAuditKeys *keys)
{
	XeroAuditKeys *all = &slot->message.keys;
	const char *key = keys->text;

	slot->message.end = *end;
	for (int i = 0; i < keys->count; i++)
	{
		(void) xero_audit_add_key(all, key);
		key += strlen(key) + 1;
	}
	if (slot->state == SLOT_TAKEN)
		slot->grown = true;
	else
		slot->state = SLOT_WAITING;
}

bool
xero_audit_add(XeroAuditPlace *place, const XeroAuditEnd *end,
			   const XeroAuditKeys *keys)
{
	Queue	   *queue = lock_queue();
	Slot	   *slot = find_slot(queue, place);
	Database   *database = find_database(queue);
	bool		lost = slot == NULL || slot->state == SLOT_LOST;
	bool		start = false;

	place->number = 0;
	if (slot != NULL)
		slot->owner = -1;
	if (lost)
	{
		if (slot != NULL)
			slot->state = SLOT_FREE;
		if (database != NULL)
			count_loss(database);
	}
	else
	{
		add_end(slot, end, keys);
		start = database != NULL && wake_worker(database);
	}
	unlock_queue(queue);
	if (start)
		start_worker();
	return !lost;
}

bool
xero_audit_is_stuck(void)
{
	Queue	   *queue = lock_queue();
	Database   *database = find_database(queue);
	bool		stuck = database == NULL || database->stuck;

	unlock_queue(queue);
	return stuck;
}

void
xero_audit_note_stuck(void)
{
	Queue	   *queue = lock_queue();
	Database   *database = find_database(queue);

	if (database != NULL)
		database->stuck = true;
	unlock_queue(queue);
}

void
xero_audit_note_lost(void)
{
	Queue	   *queue = lock_queue();
	Database   *database = find_database(queue);

	if (database != NULL)
		count_loss(database);
	unlock_queue(queue);
}

/* ---- the worker ---- */

/* Put back what was taken, and serve no more; is something left to do? */
static bool
leave_service(void)
{
	Queue	   *queue = lock_queue();
	Database   *database = find_database(queue);
	bool		start = false;
	bool		urgent;

	for (int i = 0; i < ntaken; i++)
	{
		Slot	   *slot = &queue->slots[taken[i]];

		slot->state = SLOT_WAITING;
		slot->grown = false;
	}
	ntaken = 0;
	if (database != NULL && database->worker == MyProcNumber)
	{
		database->worker = -1;
		start = count_waiting(queue, &urgent) > 0 && wake_worker(database);
	}
	unlock_queue(queue);
	return start;
}

static void
worker_exits(int code, Datum arg)
{
	if (leave_service())
		start_worker();
}

bool
xero_audit_serve(void)
{
	Queue	   *queue;
	Database   *database;
	bool		first;

	before_shmem_exit(worker_exits, (Datum) 0);
	queue = lock_queue();
	database = find_database(queue);
	first = database != NULL && database->worker < 0;
	if (first)
	{
		database->worker = MyProcNumber;
		database->asked_at = 0;
	}
	unlock_queue(queue);
	return first;
}

int
xero_audit_waiting(bool *urgent)
{
	Queue	   *queue = lock_queue();
	int			count = count_waiting(queue, urgent);

	unlock_queue(queue);
	return count;
}

int
xero_audit_take(XeroAuditMessage *messages)
{
	Queue	   *queue = lock_queue();

	ntaken = 0;
	while (ntaken < XERO_AUDIT_BATCH)
	{
		Slot	   *next = NULL;

		for (int i = 0; i < NSLOTS; i++)
		{
			Slot	   *slot = &queue->slots[i];

			if (slot->dbid == MyDatabaseId && slot->state == SLOT_WAITING &&
				(next == NULL || slot->number < next->number))
				next = slot;
		}
		if (next == NULL)
			break;
		next->state = SLOT_TAKEN;
		messages[ntaken] = next->message;
		taken[ntaken++] = (int) (next - queue->slots);
	}
	unlock_queue(queue);
	return ntaken;
}

/* One of them is stored, or lost; the keys that it has got meanwhile stay. */
static void
settle_slot(Slot *slot, const XeroAuditMessage *message, bool stored)
{
	XeroAuditKeys *keys = &slot->message.keys;

	slot->message.entry_id = message->entry_id;
	keys->count -= message->keys.count;
	keys->len -= message->keys.len;
	memmove(keys->text, keys->text + message->keys.len, keys->len);
	if (slot->owner >= 0)
	{
		slot->state = stored ? SLOT_STORED : SLOT_LOST;
		SetLatch(&GetPGProcByNumber(slot->owner)->procLatch);
	}
	else
		slot->state = stored && slot->grown ? SLOT_WAITING : SLOT_FREE;
	slot->grown = false;
}

void
xero_audit_taken(const XeroAuditMessage *messages, bool stored)
{
	Queue	   *queue = lock_queue();
	Database   *database = find_database(queue);

	for (int i = 0; i < ntaken; i++)
	{
		Slot	   *slot = &queue->slots[taken[i]];

		if (!stored && database != NULL)
			count_loss(database);
		settle_slot(slot, &messages[i], stored);
	}
	ntaken = 0;
	if (stored && database != NULL)
		database->stuck = false;
	unlock_queue(queue);
}

bool
xero_audit_rest(void)
{
	Queue	   *queue = lock_queue();
	Database   *database = find_database(queue);
	bool		urgent;
	bool		rest = count_waiting(queue, &urgent) == 0;

	if (rest && database != NULL)
		database->worker = -1;
	unlock_queue(queue);
	return rest;
}

int
xero_audit_others(Oid *dbids)
{
	Queue	   *queue = lock_queue();
	int			count = 0;

	for (int i = 0; i < NSLOTS && count < XERO_AUDIT_BATCH; i++)
	{
		const Slot *slot = &queue->slots[i];
		bool		known = slot->dbid == MyDatabaseId;

		for (int k = 0; k < count && !known; k++)
			known = dbids[k] == slot->dbid;
		if (slot->state != SLOT_FREE && !known)
			dbids[count++] = slot->dbid;
	}
	unlock_queue(queue);
	return count;
}

void
xero_audit_discard(Oid dbid)
{
	Queue	   *queue = lock_queue();

	for (int i = 0; i < NSLOTS; i++)
	{
		if (queue->slots[i].dbid == dbid)
			queue->slots[i].state = SLOT_FREE;
	}
	unlock_queue(queue);
}

/* ---- the view ---- */

/* SQL: what waits and what was lost, of this database */
Datum
xero_audit_status(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {0};
	Queue	   *queue;
	Database   *database;
	int			waiting = 0;
	int64		lost = 0;
	TimestampTz last_lost_at = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	queue = lock_queue();
	for (int i = 0; i < NSLOTS; i++)
	{
		const Slot *slot = &queue->slots[i];

		if (slot->dbid == MyDatabaseId &&
			(slot->state == SLOT_WAITING || slot->state == SLOT_TAKEN))
			waiting++;
	}
	database = find_database(queue);
	if (database != NULL)
	{
		lost = database->lost;
		last_lost_at = database->last_lost_at;
	}
	unlock_queue(queue);

	values[0] = Int32GetDatum(waiting);
	values[1] = Int64GetDatum(lost);
	values[2] = TimestampTzGetDatum(last_lost_at);
	nulls[2] = last_lost_at == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
