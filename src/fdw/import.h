/*-------------------------------------------------------------------------
 *
 * import.h
 *	  IMPORT FOREIGN SCHEMA.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_IMPORT_H
#define XERO_IMPORT_H

#include "compat.h"

#include "nodes/parsenodes.h"

extern List *xeroImportForeignSchema(ImportForeignSchemaStmt *stmt,
									 Oid serverid);

/* To be called by _PG_init: from now on imported tables get comments. */
extern void xero_import_init(void);

#endif							/* XERO_IMPORT_H */
