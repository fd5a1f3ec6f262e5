/*-------------------------------------------------------------------------
 *
 * audit.h
 *	  Who wrote what to Xero: the attempts of a write.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_AUDIT_H
#define XERO_AUDIT_H

#include "compat.h"

#include "api/audit/entry.h"
#include "api/shared/server.h"

typedef struct XeroAudit XeroAudit;

/* In _PG_init: defines xero_fdw.log_writes, and what is below. */
extern void xero_audit_init(void);

/*
 * What is known before, of the first attempt; it is this session that makes it,
 * as the present role, until something else is said.  Needs a transaction.
 */
extern void xero_audit_describe(XeroAuditEntry *entry, XeroAuditEvent event,
								const XeroServer *server, const char *method,
								const char *path);
extern void xero_audit_asked_by(XeroAuditEntry *entry, Oid roleid,
								Oid session_roleid, int pid,
								const char *application);

/* Are the ends of attempts logged? */
extern bool xero_audit_is_logged(void);

/*
 * The audit of one write, in CurrentMemoryContext; "keys" are those of the
 * records that it is about (char *), NULL for new ones.
 */
extern XeroAudit *xero_audit_create(const XeroServer *server,
									const char *method, const char *path,
									const char *idempotency_key, List *keys);

/* An attempt is about to be made: have that stored. */
extern void xero_audit_begin(XeroAudit *audit, int attempt);

/*
 * May it be made?  Once it is stored durably, or there is no use in waiting.
 * "resume_at" is when to ask again at the latest.
 */
extern bool xero_audit_may_send(XeroAudit *audit, double *resume_at);

/* Has one begun, and not been closed? */
extern bool xero_audit_is_open(const XeroAudit *audit);

/* The attempt has ended in this way; status 0 is no answer, error "" none. */
extern void xero_audit_end(XeroAudit *audit, int status, const char *error,
						   const char *correlation_id);

/* Records that were written, whose keys were not known before (char *). */
extern void xero_audit_add_keys(XeroAudit *audit, List *keys);

/*
 * Tell how it ended, unless there is nothing to tell; one of which that is not
 * known was not sent.  Allocates nothing, so it can be used while cleaning up.
 */
extern void xero_audit_close(XeroAudit *audit);

#endif							/* XERO_AUDIT_H */
