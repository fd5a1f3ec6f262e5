/*-------------------------------------------------------------------------
 *
 * entry.h
 *	  What the audit knows of one write, consent, refresh or disconnect.
 *
 * Texts are in the encoding of the database, and cut where they are too long.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_AUDIT_ENTRY_H
#define XERO_AUDIT_ENTRY_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

typedef enum XeroAuditEvent
{
	XERO_AUDIT_WRITE,
	XERO_AUDIT_CONSENT,
	XERO_AUDIT_REFRESH,
	XERO_AUDIT_DISCONNECT
} XeroAuditEvent;

/* What is known before: who, when, what. */
typedef struct XeroAuditEntry
{
	XeroAuditEvent event;
	TimestampTz at;
	int			pid;
	int			attempt;
	char		role[NAMEDATALEN];
	char		session_role[NAMEDATALEN];
	char		application[NAMEDATALEN];
	char		server[NAMEDATALEN];
	char		tenant_id[40];	/* "" if none, as in all that follow */
	char		method[8];
	char		path[512];
	char		idempotency_key[132];
} XeroAuditEntry;

/* What is known afterwards. */
typedef struct XeroAuditEnd
{
	TimestampTz at;				/* 0: it has not ended */
	int			status;			/* of HTTP; 0: no answer */
	char		error[192];
	char		correlation_id[64];
} XeroAuditEnd;

/* Keys of records, each with its terminating zero byte. */
typedef struct XeroAuditKeys
{
	int			count;
	int			len;
	char		text[2300];
} XeroAuditKeys;

/* What is to become of a row of the table: a new one, its end, more keys. */
typedef struct XeroAuditMessage
{
	int64		entry_id;		/* the row; 0: there is none yet */
	XeroAuditEntry entry;		/* what is in it, or is to be */
	XeroAuditEnd end;
	XeroAuditKeys keys;
} XeroAuditMessage;

/* The word for it in the table and in the log. */
extern const char *xero_audit_event_name(XeroAuditEvent event);

/*
 * Copy whole characters, as many as there is room for; NULL is "".  If it is not
 * in the encoding of the database, only its ASCII is.
 */
extern void xero_audit_copy(char *dest, const char *text, size_t size);

/* Add a key; false if there is no room for it. */
extern bool xero_audit_add_key(XeroAuditKeys *keys, const char *key);

/*
 * Write all that is known into the server's log, as one line.  Allocates
 * nothing, so it can be used while cleaning up.
 */
extern void xero_audit_log(const XeroAuditMessage *message);

#endif							/* XERO_AUDIT_ENTRY_H */
