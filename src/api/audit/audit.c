/*-------------------------------------------------------------------------
 *
 * audit.c
 *	  Who wrote what to Xero: the attempts of a write.
 *
 * Before an attempt is sent, a row tells of it, durably: whatever happens to
 * the session or to the server, Xero has done nothing that the table does not
 * know of.  When it has ended, the row is completed, and nobody waits for that.
 * So a row without a status is of an attempt that may have been carried out.
 *
 * A write is not held up for ever: where the row cannot be stored in time, the
 * server's log has the entry instead, both when it begins and when it ends, and
 * the session is warned.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "api/audit/audit.h"
#include "api/audit/queue.h"
#include "api/audit/worker.h"
#include "api/http/eventloop.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* So long it is waited for a row. */
#define PATIENCE_MS 5000.0

/* There may be no room for a worker; so often it is tried again. */
#define TRY_AGAIN_MS 200.0

struct XeroAudit
{
	XeroAuditMessage message;	/* of the present attempt */
	XeroAuditKeys known;		/* the keys that were known before */
	bool		open;			/* begun, and not closed */
	bool		unsettled;		/* not known whether it is stored */
	bool		in_log;			/* it was not in time, so the log has it */
	XeroAuditPlace place;
	double		give_up_at;		/* waiting */
};

static bool log_writes = false;

void
xero_audit_init(void)
{
	DefineCustomBoolVariable("xero_fdw.log_writes",
							 "Writes a line into the server's log for each write to Xero.",
							 "The view xero_fdw.audit has the same.",
							 &log_writes, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	xero_audit_worker_init();
	xero_audit_queue_init();
}

bool
xero_audit_is_logged(void)
{
	return log_writes;
}

static void
copy_role(char *dest, Oid roleid)
{
	const char *name = GetUserNameFromId(roleid, true);

	if (name == NULL)
		name = psprintf("unknown (OID=%u)", roleid);
	xero_audit_copy(dest, name, NAMEDATALEN);
}

void
xero_audit_asked_by(XeroAuditEntry *entry, Oid roleid, Oid session_roleid,
					int pid, const char *application)
{
	copy_role(entry->role, roleid);
	copy_role(entry->session_role, session_roleid);
	entry->pid = pid;
	xero_audit_copy(entry->application, application,
					sizeof(entry->application));
}

void
xero_audit_describe(XeroAuditEntry *entry, XeroAuditEvent event,
					const XeroServer *server, const char *method,
					const char *path)
{
	memset(entry, 0, sizeof(*entry));
	entry->event = event;
	entry->at = GetCurrentTimestamp();
	entry->attempt = 1;
	xero_audit_asked_by(entry, GetUserId(), GetSessionUserId(), MyProcPid,
						application_name);
	xero_audit_copy(entry->server, server->name, sizeof(entry->server));
	xero_audit_copy(entry->tenant_id, server->tenant_id,
					sizeof(entry->tenant_id));
	xero_audit_copy(entry->method, method, sizeof(entry->method));
	xero_audit_copy(entry->path, path, sizeof(entry->path));
}

XeroAudit *
xero_audit_create(const XeroServer *server, const char *method,
				  const char *path, const char *idempotency_key, List *keys)
{
	XeroAudit  *audit = palloc0(sizeof(XeroAudit));
	ListCell   *lc;

	xero_audit_describe(&audit->message.entry, XERO_AUDIT_WRITE, server,
						method, path);
	xero_audit_copy(audit->message.entry.idempotency_key, idempotency_key,
					sizeof(audit->message.entry.idempotency_key));
	foreach(lc, keys)
	{
		if (lfirst(lc) != NULL &&
			!xero_audit_add_key(&audit->known, lfirst(lc)))
			break;
	}
	return audit;
}

/* Once a statement. */
static void
warn(void)
{
	static TimestampTz warned = 0;

	if (warned == GetCurrentStatementStartTimestamp())
		return;
	warned = GetCurrentStatementStartTimestamp();
	ereport(WARNING,
			(errmsg("a write to Xero could not be recorded in xero_fdw.audit in time"),
			 errdetail("The server's log has it."),
			 errhint("See the view xero_fdw.audit_status.")));
}

/* It is sent although the table does not have it. */
static void
go_without(XeroAudit *audit)
{
	audit->in_log = true;
	xero_audit_log(&audit->message);
	warn();
}

void
xero_audit_begin(XeroAudit *audit, int attempt)
{
	XeroAuditMessage *message = &audit->message;

	message->entry_id = 0;
	message->entry.at = GetCurrentTimestamp();
	message->entry.attempt = attempt;
	memset(&message->end, 0, sizeof(message->end));
	message->keys = audit->known;
	audit->open = true;
	audit->in_log = false;
	audit->unsettled = xero_audit_put(message, &audit->place);
	audit->give_up_at = xero_clock_ms() +
		(xero_audit_is_stuck() ? 0 : PATIENCE_MS);
	if (!audit->unsettled)
		go_without(audit);
}

bool
xero_audit_may_send(XeroAudit *audit, double *resume_at)
{
	if (!audit->unsettled || audit->in_log)
		return true;
	switch (xero_audit_look(&audit->place, &audit->message.entry_id))
	{
		case XERO_AUDIT_STORED:
			audit->unsettled = false;
			break;
		case XERO_AUDIT_LOST:
			audit->unsettled = false;
			audit->in_log = true;
			warn();				/* the worker has logged it */
			break;
		case XERO_AUDIT_WAITS:
			if (xero_clock_ms() < audit->give_up_at)
			{
				*resume_at = Min(*resume_at, xero_clock_ms() + TRY_AGAIN_MS);
				return false;
			}
			xero_audit_note_stuck();
			go_without(audit);
			break;
	}
	return true;
}

bool
xero_audit_is_open(const XeroAudit *audit)
{
	return audit->open;
}

void
xero_audit_end(XeroAudit *audit, int status, const char *error,
			   const char *correlation_id)
{
	XeroAuditEnd *end = &audit->message.end;

	audit->message.keys.count = audit->message.keys.len = 0;
	end->at = GetCurrentTimestamp();
	end->status = status;
	xero_audit_copy(end->error, error, sizeof(end->error));
	xero_audit_copy(end->correlation_id, correlation_id,
					sizeof(end->correlation_id));
}

/* Tell the end, and the keys that were not known before. */
static void
tell(XeroAudit *audit)
{
	XeroAuditMessage *message = &audit->message;
	bool		told;

	if (audit->unsettled)
		told = xero_audit_add(&audit->place, &message->end, &message->keys);
	else
		told = message->entry_id != 0 && xero_audit_put(message, NULL);
	audit->unsettled = false;
	if (!told || audit->in_log || log_writes)
	{
		if (message->keys.count == 0)
			message->keys = audit->known;
		xero_audit_log(message);
	}
	message->keys.count = message->keys.len = 0;
}

void
xero_audit_add_keys(XeroAudit *audit, List *keys)
{
	ListCell   *lc;

	Assert(audit->message.end.at != 0);
	foreach(lc, keys)
	{
		if (xero_audit_add_key(&audit->message.keys, lfirst(lc)))
			continue;
		tell(audit);
		(void) xero_audit_add_key(&audit->message.keys, lfirst(lc));
	}
}

void
xero_audit_close(XeroAudit *audit)
{
	if (!audit->open)
		return;
	if (audit->message.end.at == 0)
		xero_audit_end(audit, 0, "not sent", NULL);
	tell(audit);
	audit->open = false;
}
