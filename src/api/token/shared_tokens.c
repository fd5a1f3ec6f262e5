/*-------------------------------------------------------------------------
 *
 * shared_tokens.c
 *	  The tokens that all backends share, and the jobs that get them.
 *
 * A refresh token is good for one exchange, so of all backends of the cluster
 * only one may exchange it.  That one is a background worker, started when it
 * is needed and gone when its job is done.  A slot in shared memory belongs to
 * one user mapping and one state of its credentials; it has the access token
 * that all backends use, and the present job: whoever needs a token and finds
 * none makes a job of that, and all who come later wait for the same job.
 *
 * One lock protects all slots, and is held for copying only.  Waiting is on
 * the backend's latch, since a backend that waits for a token must also attend
 * to its transfers; at the end of any job all who wait are woken, which is
 * rare enough not to ask who waits for what.
 *
 * A job ends with an outcome, which stays for a few jobs more, so that all who
 * waited can read it.  A worker that is terminated leaves none: then those who
 * waited ask anew, a few times.  One that ends before it begins is missed by the
 * backend that asked for it, one that never starts is given up after a while.
 * If a worker crashes, the server starts anew, and all of this with it.
 *
 * One role has at most half of the slots, so that it cannot keep others from
 * theirs, whatever mappings it makes; beyond that it takes the place of its own.
 * A slot counts for the role that had it made.
 *
 * Tokens and arguments are secrets: they are overwritten as soon as they are of
 * no use, and nothing in this memory is shown in any view.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/entries.h"
#include "api/shared/shared.h"
#include "api/token/shared_tokens.h"
#include "base/worker.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* A token is replaced before its last minute. */
#define EARLY_MS 300000

/* After a failed attempt to replace one that is still good. */
#define EARLY_RETRY_MS 30000

/* A worker that has not begun by then never will. */
#define START_MS 15000

/* Jobs may end without a word so many times. */
#define MAX_LOST 3

/*
 * Those who are no superusers may ask so often in that time for an exchange that
 * is not needed.
 */
#define MAX_REFRESHES 10
#define REFRESHES_MS 600000

#define NOUTCOMES 4

typedef struct Outcome
{
	uint64		job;			/* 0: none */
	int			sqlerrcode;		/* 0: it went well */
	char		message[384];
	char		detail[640];
	char		hint[384];
} Outcome;

typedef struct Slot
{
	Oid			dbid;			/* InvalidOid: free */
	Oid			umid;
	uint64		credentials;
	Oid			made_for;		/* the role that needed it first */
	TimestampTz last_used;

	/* the token */
	uint64		serial;
	TimestampTz early_at;
	TimestampTz usable_until;	/* meaningless without a token */
	TimestampTz ends_at;		/* of the present or the last token */
	char		token[XERO_SHARED_TOKEN_SIZE];	/* "": none */

	/* the job */
	bool		busy;
	uint64		job;			/* the present or the last one */
	XeroTokenJobKind kind;
	bool		begun;			/* by a worker */
	TimestampTz asked_at;
	Oid			roleid;
	Oid			session_roleid;
	int			pid;
	char		application[NAMEDATALEN];
	size_t		argument_len;
	char		argument[XERO_TOKEN_JOB_ARGUMENT_SIZE];

	/* when the last ones were asked for; the next goes to the oldest's place */
	TimestampTz refreshes[MAX_REFRESHES];
	int			next_refresh;

	TimestampTz hold_until;		/* the last job's failure is in force */
	Outcome		outcomes[NOUTCOMES];	/* by number of the job */
} Slot;

/* The slots follow, and after them a flag for each backend that waits. */
typedef struct XeroSharedTokens
{
	LWLock		lock;
	int			nslots;
	int			nwaiters;
	uint64		last_job;
	uint64		last_serial;
} XeroSharedTokens;

/*
 * A slot takes some 18 kB; tokens that have no room are in a table.
 */
#define MAX_SLOTS 200

/* The job of this process, if it is a worker. */
static int	my_slot = -1;
static uint64 my_job = 0;

/* The worker that this process asked for last, and its job. */
static BackgroundWorkerHandle *launched = NULL;
static uint64 launched_job = 0;

static Slot *
slots_of(XeroSharedTokens *slots)
{
	return (Slot *) ((char *) slots + MAXALIGN(sizeof(XeroSharedTokens)));
}

static bool *
waiters_of(XeroSharedTokens *slots)
{
	return (bool *) (slots_of(slots) + slots->nslots);
}

/* As many as organisations, as long as they are not too many. */
static int
slots_length(void)
{
	return Min(xero_max_tenants(), MAX_SLOTS);
}

static Size
slots_size(int nslots)
{
	Size		size = MAXALIGN(sizeof(XeroSharedTokens));

	size = add_size(size, mul_size(nslots, sizeof(Slot)));
	return add_size(size, mul_size(MaxBackends, sizeof(bool)));
}

static void
initialize_slots(void *memory, int nslots, int tranche)
{
	XeroSharedTokens *slots = memory;

	memset(slots, 0, slots_size(nslots));
	LWLockInitialize(&slots->lock, tranche);
	slots->nslots = nslots;
	slots->nwaiters = MaxBackends;
}

static XeroSharedPart part = {
	.length = slots_length,
	.size = slots_size,
	.initialize = initialize_slots
};

void
xero_shared_tokens_init(void)
{
	xero_shared_register(&part);
}

static XeroSharedTokens *
attach_slots(void)
{
	return xero_shared_part(&part);
}

static uint64
hash_bytes_of(uint64 seed, const char *part, size_t len)
{
	return hash_combine64(seed,
						  hash_bytes_extended((const unsigned char *) part,
											  (int) len, seed));
}

static uint64
hash_part(uint64 seed, const char *part)
{
	return part == NULL ? hash_combine64(seed, 0) :
		hash_bytes_of(seed, part, strlen(part));
}

uint64
xero_hash_credentials(const XeroServer *server)
{
	uint64		hash = hash_part(0, server->client_id);

	/* what is stored is found by it */
	hash = hash_part(hash, server->name);
	hash = hash_part(hash, server->client_secret);
	hash = hash_part(hash, server->client_secret_file);
	if (server->sealed_secret != NULL)
		hash = hash_bytes_of(hash, VARDATA_ANY(server->sealed_secret),
							 VARSIZE_ANY_EXHDR(server->sealed_secret));
	hash = hash_part(hash, server->access_token);
	hash = hash_part(hash, server->scopes);
	return hash_part(hash, server->identity_url);
}

/* ---- slots; the caller holds the lock ---- */

static void
wipe_token(Slot *slot)
{
	explicit_bzero(slot->token, sizeof(slot->token));
}

static bool
has_token(const Slot *slot, TimestampTz now)
{
	return slot->token[0] != '\0' && now < slot->usable_until;
}

static void
wake_waiters(XeroSharedTokens *slots)
{
	bool	   *waiters = waiters_of(slots);

	for (int i = 0; i < slots->nwaiters; i++)
	{
		if (waiters[i])
			SetLatch(&GetPGProcByNumber(i)->procLatch);
		waiters[i] = false;
	}
}

static void
end_job(XeroSharedTokens *slots, Slot *slot)
{
	slot->busy = false;
	explicit_bzero(slot->argument, sizeof(slot->argument));
	wake_waiters(slots);
}

/* The job whose worker has ended, as this process knows; 0 if it knows none. */
static uint64
find_ended_job(void)
{
	pid_t		pid;

	return launched != NULL &&
		GetBackgroundWorkerPid(launched, &pid) == BGWH_STOPPED ?
		launched_job : 0;
}

/* A worker that never came. */
static void
give_up_job(XeroSharedTokens *slots, Slot *slot, TimestampTz now, uint64 ended_job)
{
	if (slot->busy && !slot->begun &&
		(slot->job == ended_job ||
		 TimestampDifferenceExceeds(slot->asked_at, now, START_MS)))
		end_job(slots, slot);
}

/* Has the role as many slots as it may have? */
static bool
has_its_share(XeroSharedTokens *slots, Oid roleid)
{
	int			count = 0;

	for (int i = 0; i < slots->nslots; i++)
	{
		const Slot *slot = &slots_of(slots)[i];

		if (OidIsValid(slot->dbid) && slot->made_for == roleid)
			count++;
	}
	return count >= Max(slots->nslots / 2, 1);
}

/*
 * The slot that a new one takes the place of: the one that was not used for
 * the longest time, of all or of the role's own.  NULL if all are at work.
 */
static Slot *
find_victim(XeroSharedTokens *slots, Oid roleid)
{
	bool		own = has_its_share(slots, roleid);
	Slot	   *victim = NULL;

	for (int i = 0; i < slots->nslots; i++)
	{
		Slot	   *slot = &slots_of(slots)[i];

		if (slot->busy || (own && slot->made_for != roleid))
			continue;
		if (victim == NULL || slot->last_used < victim->last_used)
			victim = slot;
	}
	return victim;
}

/*
 * The slot of this mapping and these credentials, which may be a new one; what
 * other credentials of the same mapping had brought is of no use any more.
 * NULL if there is no room.
 */
static Slot *
enter_slot(XeroSharedTokens *slots, const XeroServer *server, uint64 credentials,
		   TimestampTz now, uint64 ended_job)
{
	Slot	   *all = slots_of(slots);
	Slot	   *entered;

	for (int i = 0; i < slots->nslots; i++)
	{
		Slot	   *slot = &all[i];

		give_up_job(slots, slot, now, ended_job);
		if (slot->dbid == MyDatabaseId && slot->umid == server->umid)
		{
			if (slot->credentials == credentials)
			{
				slot->last_used = now;
				return slot;
			}
			if (!slot->busy)
				slot->last_used = 0;
		}
	}
	entered = find_victim(slots, GetUserId());
	if (entered == NULL)
		return NULL;
	explicit_bzero(entered, sizeof(*entered));
	entered->dbid = MyDatabaseId;
	entered->umid = server->umid;
	entered->credentials = credentials;
	entered->made_for = GetUserId();
	entered->last_used = now;
	return entered;
}

/* When another exchange may be forced; not in the future if now. */
static TimestampTz
next_refresh_at(const Slot *slot)
{
	return TimestampTzPlusMilliseconds(slot->refreshes[slot->next_refresh],
									   REFRESHES_MS);
}

static void
note_refresh(Slot *slot, TimestampTz now)
{
	slot->refreshes[slot->next_refresh] = now;
	slot->next_refresh = (slot->next_refresh + 1) % MAX_REFRESHES;
}

static void
make_job(XeroSharedTokens *slots, Slot *slot, XeroTokenJobKind kind,
		 const char *argument, size_t len, TimestampTz now)
{
	slot->busy = true;
	slot->begun = false;
	slot->job = ++slots->last_job;
	slot->kind = kind;
	slot->asked_at = now;
	slot->roleid = GetUserId();
	slot->session_roleid = GetSessionUserId();
	slot->pid = MyProcPid;
	strlcpy(slot->application, application_name, NAMEDATALEN);
	slot->argument_len = len;
	if (len > 0)
		memcpy(slot->argument, argument, len);
	slot->hold_until = 0;
}

/* Whole characters only. */
static void
copy_text(char *dest, const char *text, size_t size)
{
	if (text != NULL)
		strlcpy(dest, text,
				pg_mbcliplen(text, strlen(text), (int) size - 1) + 1);
}

static void
put_outcome(Slot *slot, const XeroFailure *failure)
{
	Outcome    *outcome = &slot->outcomes[slot->job % NOUTCOMES];

	memset(outcome, 0, sizeof(*outcome));
	outcome->job = slot->job;
	if (failure == NULL)
		return;
	outcome->sqlerrcode = failure->sqlerrcode;
	copy_text(outcome->message, failure->message, sizeof(outcome->message));
	copy_text(outcome->detail, failure->detail, sizeof(outcome->detail));
	copy_text(outcome->hint, failure->hint, sizeof(outcome->hint));
}

/* ---- asking ---- */

/* What was found out under the lock; the rest happens without. */
typedef struct Finding
{
	XeroSharedTokenAnswer answer;
	bool		full;			/* FAILED: there is no slot */
	bool		lost;			/* FAILED: workers end without a word */
	TimestampTz again_at;		/* FAILED: too often, not before; else 0 */
	bool		launch;			/* a worker must be started */
	int			slot;
	uint64		job;
	Outcome		outcome;		/* FAILED otherwise */
} Finding;

static XeroFailure *
outcome_failure(const Outcome *outcome)
{
	return xero_failure(outcome->sqlerrcode, pstrdup(outcome->message),
						outcome->detail[0] ? pstrdup(outcome->detail) : NULL,
						outcome->hint[0] ? pstrdup(outcome->hint) : NULL);
}

static XeroFailure *
no_worker(const XeroServer *server)
{
	return xero_failure(ERRCODE_INSUFFICIENT_RESOURCES,
						psprintf("could not start a background worker to get an access token for server \"%s\"",
								 server->name),
						"All of the server's background workers are in use.",
						"Raise max_worker_processes, or try again later.");
}

/* Start the worker; if there is no room for one, the job has failed. */
static XeroFailure *
launch_worker(XeroSharedTokens *slots, const XeroServer *server,
			  const Finding *finding)
{
	BackgroundWorker worker;
	BackgroundWorkerHandle *handle;
	MemoryContext old;
	bool		started;
	XeroFailure *failure;
	Slot	   *slot = &slots_of(slots)[finding->slot];

	xero_describe_worker(&worker, "xero_fdw token worker", "xero_worker_main",
						 BgWorkerStart_ConsistentState,
						 Int32GetDatum(finding->slot));
	memcpy(worker.bgw_extra, &finding->job, sizeof(finding->job));
	worker.bgw_notify_pid = MyProcPid;
	old = MemoryContextSwitchTo(TopMemoryContext);
	started = RegisterDynamicBackgroundWorker(&worker, &handle);
	MemoryContextSwitchTo(old);
	if (started)
	{
		if (launched != NULL)
			pfree(launched);
		launched = handle;
		launched_job = finding->job;
		return NULL;
	}

	failure = no_worker(server);
	LWLockAcquire(&slots->lock, LW_EXCLUSIVE);
	if (slot->busy && slot->job == finding->job)
	{
		put_outcome(slot, failure);
		slot->early_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													 EARLY_RETRY_MS);
		end_job(slots, slot);
	}
	LWLockRelease(&slots->lock);
	return failure;
}

/* The caller holds the lock and has made the job. */
static void
find_job(XeroSharedTokens *slots, const Slot *slot, Finding *finding)
{
	finding->launch = true;
	finding->slot = (int) (slot - slots_of(slots));
	finding->job = slot->job;
}

/*
 * Has the job of this ticket ended?  False if it is of no more interest: it
 * went well, or nobody knows.  The caller holds the lock.
 */
static bool
find_outcome(Slot *slot, XeroTokenJobTicket *ticket, Finding *finding)
{
	const Outcome *outcome = &slot->outcomes[ticket->job % NOUTCOMES];

	if (ticket->job == 0)
		return false;
	if (outcome->job != ticket->job)
	{
		ticket->job = 0;
		finding->lost = ++ticket->lost > MAX_LOST;
		finding->answer = XERO_SHARED_TOKEN_FAILED;
		return finding->lost;
	}
	ticket->job = 0;
	finding->outcome = *outcome;
	finding->answer = outcome->sqlerrcode != 0 ? XERO_SHARED_TOKEN_FAILED :
		XERO_SHARED_TOKEN_DONE;
	return true;
}

static void
wait_for_job(XeroSharedTokens *slots, const Slot *slot, XeroTokenJobTicket *ticket,
			 Finding *finding)
{
	ticket->job = slot->job;
	waiters_of(slots)[MyProcNumber] = true;
	finding->answer = XERO_SHARED_TOKEN_WAIT;
}

static XeroFailure *
too_often(const XeroServer *server, TimestampTz again_at)
{
	return xero_failure(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
						psprintf("access token of server \"%s\" is refreshed too often",
								 server->name),
						psprintf("That was asked for %d times in %d minutes; the next time may be at %s.",
								 MAX_REFRESHES, REFRESHES_MS / 60000,
								 timestamptz_to_str(again_at)),
						"Queries renew it by themselves when it is needed.");
}

/* Whatever has to happen without the lock. */
static XeroSharedTokenAnswer
conclude(XeroSharedTokens *slots, const XeroServer *server, Finding *finding,
		 XeroFailure **failure)
{
	if (finding->launch)
	{
		XeroFailure *trouble = launch_worker(slots, server, finding);

		if (trouble != NULL && finding->answer == XERO_SHARED_TOKEN_WAIT)
		{
			*failure = trouble;
			return XERO_SHARED_TOKEN_FAILED;
		}
	}
	if (finding->answer != XERO_SHARED_TOKEN_FAILED)
		return finding->answer;
	if (finding->full)
		*failure = xero_failure(ERRCODE_INSUFFICIENT_RESOURCES,
								psprintf("no room for the access token of server \"%s\"",
										 server->name),
								NULL, "Try again later, or raise xero_fdw.max_tenants.");
	else if (finding->lost)
		*failure = xero_failure(ERRCODE_OPERATOR_INTERVENTION,
								psprintf("background worker that gets access tokens for server \"%s\" was terminated",
										 server->name),
								NULL, "Try again.");
	else if (finding->again_at != 0)
		*failure = too_often(server, finding->again_at);
	else
		*failure = outcome_failure(&finding->outcome);
	return XERO_SHARED_TOKEN_FAILED;
}

XeroSharedTokenAnswer
xero_shared_token_get(const XeroServer *server, XeroTokenJobTicket *ticket,
					  XeroSharedToken *token, XeroFailure **failure)
{
	XeroSharedTokens *slots = attach_slots();
	uint64		credentials = server->credentials;
	TimestampTz now = GetCurrentTimestamp();
	uint64		ended_job = find_ended_job();
	Finding		finding = {0};
	Slot	   *slot;

	LWLockAcquire(&slots->lock, LW_EXCLUSIVE);
	slot = enter_slot(slots, server, credentials, now, ended_job);
	if (slot == NULL)
	{
		finding.answer = XERO_SHARED_TOKEN_FAILED;
		finding.full = true;
	}
	else if (has_token(slot, now))
	{
		ticket->job = 0;
		finding.answer = XERO_SHARED_TOKEN_DONE;
		token->serial = slot->serial;
		token->ends_at = slot->ends_at;
		strcpy(token->token, slot->token);
		if (now >= slot->early_at && !slot->busy)
		{
			make_job(slots, slot, XERO_TOKEN_JOB_RENEW, NULL, 0, now);
			find_job(slots, slot, &finding);
		}
	}
	else if (slot->busy)
		wait_for_job(slots, slot, ticket, &finding);
	else if (find_outcome(slot, ticket, &finding) &&
			 finding.answer == XERO_SHARED_TOKEN_FAILED)
		 /* what there is to say, is in it */ ;
	else if (now < slot->hold_until)
	{
		finding.answer = XERO_SHARED_TOKEN_FAILED;
		finding.outcome = slot->outcomes[slot->job % NOUTCOMES];
	}
	else
	{
		make_job(slots, slot, XERO_TOKEN_JOB_RENEW, NULL, 0, now);
		find_job(slots, slot, &finding);
		wait_for_job(slots, slot, ticket, &finding);
	}
	LWLockRelease(&slots->lock);
	return conclude(slots, server, &finding, failure);
}

XeroSharedTokenAnswer
xero_shared_token_run_job(const XeroServer *server, XeroTokenJobKind kind,
						  const char *argument, size_t len, XeroTokenJobTicket *ticket,
						  XeroFailure **failure)
{
	XeroSharedTokens *slots = attach_slots();
	uint64		credentials = server->credentials;
	TimestampTz now = GetCurrentTimestamp();
	uint64		ended_job = find_ended_job();
	bool		counts = kind == XERO_TOKEN_JOB_REFRESH && !superuser();
	Finding		finding = {0};
	Slot	   *slot;

	Assert(len <= XERO_TOKEN_JOB_ARGUMENT_SIZE);
	LWLockAcquire(&slots->lock, LW_EXCLUSIVE);
	slot = enter_slot(slots, server, credentials, now, ended_job);
	if (slot == NULL)
	{
		finding.answer = XERO_SHARED_TOKEN_FAILED;
		finding.full = true;
	}
	else if (slot->busy)
	{
		/* perhaps with somebody else's job, which goes first */
		waiters_of(slots)[MyProcNumber] = true;
		finding.answer = XERO_SHARED_TOKEN_WAIT;
	}
	else if (find_outcome(slot, ticket, &finding))
		 /* what there is to say, is in it */ ;
	else if (counts && next_refresh_at(slot) > now)
	{
		finding.answer = XERO_SHARED_TOKEN_FAILED;
		finding.again_at = next_refresh_at(slot);
	}
	else
	{
		if (counts)
			note_refresh(slot, now);
		make_job(slots, slot, kind, argument, len, now);
		find_job(slots, slot, &finding);
		wait_for_job(slots, slot, ticket, &finding);
	}
	LWLockRelease(&slots->lock);
	return conclude(slots, server, &finding, failure);
}

void
xero_shared_token_reject(const XeroServer *server, uint64 serial)
{
	XeroSharedTokens *slots = attach_slots();

	LWLockAcquire(&slots->lock, LW_EXCLUSIVE);
	for (int i = 0; i < slots->nslots; i++)
	{
		Slot	   *slot = &slots_of(slots)[i];

		if (slot->dbid == MyDatabaseId && slot->umid == server->umid &&
			slot->serial == serial)
			wipe_token(slot);
	}
	LWLockRelease(&slots->lock);
}

void
xero_shared_token_forget(Oid dbid, Oid umid)
{
	XeroSharedTokens *slots = attach_slots();

	LWLockAcquire(&slots->lock, LW_EXCLUSIVE);
	for (int i = 0; i < slots->nslots; i++)
	{
		Slot	   *slot = &slots_of(slots)[i];

		if (slot->dbid == dbid &&
			(slot->umid == umid || !OidIsValid(umid)))
			wipe_token(slot);
	}
	LWLockRelease(&slots->lock);
}

/* ---- the worker ---- */

/* The slot, locked, while it is still the one of this process's job. */
static Slot *
lock_my_slot(XeroSharedTokens *slots)
{
	Slot	   *slot;

	if (my_slot < 0)
		return NULL;
	LWLockAcquire(&slots->lock, LW_EXCLUSIVE);
	slot = &slots_of(slots)[my_slot];
	if (slot->busy && slot->job == my_job)
		return slot;
	LWLockRelease(&slots->lock);
	return NULL;
}

static void
worker_exits(int code, Datum arg)
{
	XeroSharedTokens *slots = attach_slots();
	Slot	   *slot = lock_my_slot(slots);

	if (slot == NULL)
		return;
	end_job(slots, slot);
	LWLockRelease(&slots->lock);
}

bool
xero_shared_token_take_job(int number, uint64 job, XeroTokenJobSpec *copy)
{
	XeroSharedTokens *slots = attach_slots();
	Slot	   *slot;

	my_slot = number;
	my_job = job;
	before_shmem_exit(worker_exits, (Datum) 0);
	slot = lock_my_slot(slots);
	if (slot == NULL)
		return false;
	slot->begun = true;
	copy->number = job;
	copy->kind = slot->kind;
	copy->dbid = slot->dbid;
	copy->umid = slot->umid;
	copy->roleid = slot->roleid;
	copy->session_roleid = slot->session_roleid;
	copy->pid = slot->pid;
	strlcpy(copy->application, slot->application, NAMEDATALEN);
	copy->credentials = slot->credentials;
	copy->given_until = slot->ends_at;
	memset(copy->argument, 0, sizeof(copy->argument));
	memcpy(copy->argument, slot->argument, slot->argument_len);
	explicit_bzero(slot->argument, sizeof(slot->argument));
	LWLockRelease(&slots->lock);
	return true;
}

void
xero_shared_token_publish(const char *token, TimestampTz begins_at,
						  TimestampTz ends_at)
{
	XeroSharedTokens *slots = attach_slots();
	Slot	   *slot = lock_my_slot(slots);
	int64		lifetime_ms = (ends_at - begins_at) / 1000;

	if (slot == NULL)
		return;
	wipe_token(slot);
	strlcpy(slot->token, token, sizeof(slot->token));
	slot->serial = ++slots->last_serial;
	slot->ends_at = ends_at;
	slot->usable_until =
		TimestampTzPlusMilliseconds(ends_at,
									-Min(XERO_TOKEN_MARGIN_MS, lifetime_ms / 2));
	slot->early_at =
		TimestampTzPlusMilliseconds(ends_at,
									-Min(EARLY_MS, lifetime_ms / 2));
	LWLockRelease(&slots->lock);
}

void
xero_shared_token_wipe(void)
{
	XeroSharedTokens *slots = attach_slots();
	Slot	   *slot = lock_my_slot(slots);

	if (slot == NULL)
		return;
	wipe_token(slot);
	LWLockRelease(&slots->lock);
}

void
xero_shared_token_finish_job(const XeroFailure *failure, int hold_ms)
{
	XeroSharedTokens *slots = attach_slots();
	Slot	   *slot = lock_my_slot(slots);
	TimestampTz now = GetCurrentTimestamp();

	if (slot == NULL)
		return;
	put_outcome(slot, failure);
	if (failure != NULL)
	{
		slot->early_at = TimestampTzPlusMilliseconds(now, EARLY_RETRY_MS);
		slot->hold_until = hold_ms < 0 ? DT_NOEND :
			TimestampTzPlusMilliseconds(now, hold_ms);
	}
	end_job(slots, slot);
	LWLockRelease(&slots->lock);
}
