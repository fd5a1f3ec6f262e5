/*-------------------------------------------------------------------------
 *
 * queue.h
 *	  What waits to be put into the table of the audit, in shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_AUDIT_QUEUE_H
#define XERO_AUDIT_QUEUE_H

#include "compat.h"

#include "api/audit/entry.h"

/* So many messages are stored in one transaction. */
#define XERO_AUDIT_BATCH 32

/* Where a message lies whose sender is not done with it.  Zero: nowhere. */
typedef struct XeroAuditPlace
{
	int			slot;
	uint64		number;
} XeroAuditPlace;

typedef enum XeroAuditAnswer
{
	XERO_AUDIT_WAITS,			/* look again when the latch is set */
	XERO_AUDIT_STORED,			/* durably */
	XERO_AUDIT_LOST				/* it will not be */
} XeroAuditAnswer;

/* In _PG_init. */
extern void xero_audit_queue_init(void);

/* ---- for those who have something to tell; none of these waits ---- */

/*
 * Put a message.  Whoever gives a place may look what became of it, and add to
 * it; it is the sender's until it was stored or lost, or xero_audit_add().
 * False if there is no room, which is counted.
 */
extern bool xero_audit_put(const XeroAuditMessage *message,
						   XeroAuditPlace *place);

/* What has become of it?  If it is stored, so is the number of its row. */
extern XeroAuditAnswer xero_audit_look(XeroAuditPlace *place, int64 *entry_id);

/*
 * The end has come before the beginning was seen to be stored: let it go along,
 * with further keys.  False if the message is lost.
 */
extern bool xero_audit_add(XeroAuditPlace *place, const XeroAuditEnd *end,
						   const XeroAuditKeys *keys);

/* Has somebody waited in vain since something was stored? */
extern bool xero_audit_is_stuck(void);

/* This process has waited in vain. */
extern void xero_audit_note_stuck(void);

/* Something that was not put here could not be stored either: count it. */
extern void xero_audit_note_lost(void);

/* ---- for the worker ---- */

/* Begin to serve this database; false if another worker does. */
extern bool xero_audit_serve(void);

/* How many messages wait for this worker; is anybody waiting for one? */
extern int	xero_audit_waiting(bool *urgent);

/* The next messages, in the order in which they came; how many. */
extern int	xero_audit_take(XeroAuditMessage *messages);

/*
 * The messages that were taken are stored, and have their rows' numbers; or
 * they are lost.
 */
extern void xero_audit_taken(const XeroAuditMessage *messages, bool stored);

/*
 * Other databases for which something waits, XERO_AUDIT_BATCH at most: how many.
 * What waits for one that was dropped can be discarded by whoever knows that.
 */
extern int	xero_audit_others(Oid *dbids);
extern void xero_audit_discard(Oid dbid);

/* End the service, unless something waits: then false. */
extern bool xero_audit_rest(void);

#endif							/* XERO_AUDIT_QUEUE_H */
