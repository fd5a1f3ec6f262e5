/*-------------------------------------------------------------------------
 *
 * own_tables.h
 *	  Statements on the tables of consents and secrets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_OWN_TABLES_H
#define XERO_OWN_TABLES_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "executor/spi.h"

/* What must be undone after the statements. */
typedef struct XeroOwnEntry
{
	Oid			userid;
	int			sec_context;
	int			nest_level;
	MemoryContext caller;
} XeroOwnEntry;

/* Parameters of one statement.  Zeroed before first use. */
typedef struct XeroParameters
{
	int			count;
	Oid			types[18];
	Datum		values[18];
	char		nulls[19];
} XeroParameters;

/* Of a table of the extension's. */
extern Oid	xero_own_relid(const char *name);

/* Become the owner, with SPI connected; and nobody special again. */
extern void xero_own_enter(XeroOwnEntry *entry);
extern void xero_own_leave(XeroOwnEntry *entry);

/* The next parameter; strings and bytes may be NULL. */
extern void xero_own_add(XeroParameters *parameters, Oid type, Datum value,
						 bool isnull);
extern void xero_own_add_oid(XeroParameters *parameters, Oid value);
extern void xero_own_add_text(XeroParameters *parameters, const char *value);
extern void xero_own_add_bytes(XeroParameters *parameters, const bytea *value);
extern void xero_own_add_time(XeroParameters *parameters, TimestampTz value);

/*
 * Run a statement; the parameters may be NULL.  Returns how many rows there
 * were; those of a query are in SPI_tuptable.
 */
extern uint64 xero_own_run(const char *sql, XeroParameters *parameters);

/*
 * The same of a query that sees the latest state, whatever the transaction may
 * see, and changes nothing.
 */
extern uint64 xero_own_look(const char *sql, XeroParameters *parameters);

/* Values of a row that was found; a text is a copy for the caller or NULL. */
extern Datum xero_own_value(uint64 row, int column, bool *isnull);
extern Oid	xero_own_oid(uint64 row, int column);
extern char *xero_own_text(const XeroOwnEntry *entry, uint64 row, int column);
extern TimestampTz xero_own_time(uint64 row, int column);

#endif							/* XERO_OWN_TABLES_H */
