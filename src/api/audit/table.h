/*-------------------------------------------------------------------------
 *
 * table.h
 *	  The table of the audit.
 *
 * For background workers, which are superusers, in a transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_AUDIT_TABLE_H
#define XERO_AUDIT_TABLE_H

#include "compat.h"

#include "api/audit/entry.h"

/* Store messages; those that make a row get its number. */
extern void xero_audit_store(XeroAuditMessage *messages, int count);

/*
 * Delete some rows that are older than so many days; are there perhaps more?
 */
extern bool xero_audit_forget(int days);

#endif							/* XERO_AUDIT_TABLE_H */
