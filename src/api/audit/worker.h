/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The background worker that keeps the table of the audit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_AUDIT_WORKER_H
#define XERO_AUDIT_WORKER_H

#include "compat.h"

/* In _PG_init: defines xero_fdw.audit_history. */
extern void xero_audit_worker_init(void);

#endif							/* XERO_AUDIT_WORKER_H */
