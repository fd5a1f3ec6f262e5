/*-------------------------------------------------------------------------
 *
 * sync.h
 *	  What the functions for the sync procedures share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_SYNC_H
#define XERO_SYNC_H

#include "compat.h"

#include "fmgr.h"
#include "nodes/nodes.h"
#include "utils/rel.h"

/* In _PG_init: defines xero_fdw.sync_history. */
extern void xero_sync_init(void);

/* In _PG_init: watches REASSIGN OWNED and DROP ROLE. */
extern void xero_roles_init(void);

/* Open a relation; ERROR if it is no foreign table of this extension. */
extern Relation xero_open_table(Oid relid, LOCKMODE lockmode);

/* ERROR unless the current user may read all of it. */
extern void xero_check_select(Relation rel);

/* "insert", "update" or "delete" */
extern CmdType xero_parse_operation(const char *operation);

/* A row as the result of a function that returns a record. */
extern Datum xero_make_record(FunctionCallInfo fcinfo, Datum *values,
							  bool *nulls);

#endif							/* XERO_SYNC_H */
