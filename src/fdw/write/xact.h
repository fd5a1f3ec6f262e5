/*-------------------------------------------------------------------------
 *
 * xact.h
 *	  What the present transaction has written to Xero.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_XACT_H
#define XERO_XACT_H

#include "compat.h"

#include "lib/stringinfo.h"
#include "nodes/nodes.h"

/* So many keys of records are named in messages. */
#define XERO_MAX_NAMED 100

/* In _PG_init: from now on rollbacks are noticed. */
extern void xero_xact_init(void);

/* A record was inserted, updated or deleted; "key" is its key. */
extern void xero_xact_wrote(const char *table, CmdType operation,
							const char *key);

/* "inserted into", "updated in", "deleted from" */
extern const char *xero_operation_verb(CmdType operation);

/* Append one of "count" keys to a list in a message, unless it is full. */
extern void xero_append_name(StringInfo names, int64 count, const char *key);

#endif							/* XERO_XACT_H */
