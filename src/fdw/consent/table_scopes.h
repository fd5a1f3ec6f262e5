/*-------------------------------------------------------------------------
 *
 * table_scopes.h
 *	  Which scopes the foreign tables of a server need.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TABLE_SCOPES_H
#define XERO_TABLE_SCOPES_H

#include "compat.h"

#include "catalog/catalog.h"
#include "nodes/pg_list.h"

/*
 * One foreign table, of an object that is known.  A table that needs two scopes
 * is here twice.
 */
typedef struct XeroTableScope
{
	Oid			relid;
	const XeroObject *object;
	const char *scope;			/* to write if the current user may write to
								 * the table, else to read; NULL: none is
								 * needed */
} XeroTableScope;

/* Of the server's foreign tables in this database: a list of these. */
extern List *xero_table_scopes(Oid serverid);

#endif							/* XERO_TABLE_SCOPES_H */
