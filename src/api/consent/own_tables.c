/*-------------------------------------------------------------------------
 *
 * own_tables.c
 *	  Statements on the tables of consents and secrets.
 *
 * The tables are the extension's own, and nobody has rights on them but their
 * owner.  Whoever enters becomes that owner for the statements, with a search
 * path in which nobody else's operators can be found.  On an error the end of
 * the transaction restores both.
 *
 * Secrets go into statements as parameters, and only sealed, so that no log
 * of statements, plans or parameters has one.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/xact.h"
#include "api/consent/own_tables.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

Oid
xero_own_relid(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("xero_fdw", false));
}

static Oid
store_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(RELOID,
										ObjectIdGetDatum(xero_own_relid("token")));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"xero_fdw.token\" does not exist"),
				 errhint("Update or create the extension xero_fdw.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
xero_own_enter(XeroOwnEntry *entry)
{
	Oid			owner = store_owner();

	entry->caller = CurrentMemoryContext;
	GetUserIdAndSecContext(&entry->userid, &entry->sec_context);
	SetUserIdAndSecContext(owner, entry->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE);
	entry->nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	PushActiveSnapshot(IsInParallelMode() ? GetActiveSnapshot() :
					   GetTransactionSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
xero_own_leave(XeroOwnEntry *entry)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PopActiveSnapshot();
	AtEOXact_GUC(false, entry->nest_level);
	SetUserIdAndSecContext(entry->userid, entry->sec_context);
}

void
xero_own_add(XeroParameters *parameters, Oid type, Datum value, bool isnull)
{
	int			n = parameters->count++;

	Assert(n < lengthof(parameters->types));
	parameters->types[n] = type;
	parameters->values[n] = value;
	parameters->nulls[n] = isnull ? 'n' : ' ';
}

void
xero_own_add_oid(XeroParameters *parameters, Oid value)
{
	xero_own_add(parameters, OIDOID, ObjectIdGetDatum(value), false);
}

void
xero_own_add_text(XeroParameters *parameters, const char *value)
{
	xero_own_add(parameters, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0,
				 value == NULL);
}

void
xero_own_add_bytes(XeroParameters *parameters, const bytea *value)
{
	xero_own_add(parameters, BYTEAOID, PointerGetDatum(value), value == NULL);
}

void
xero_own_add_time(XeroParameters *parameters, TimestampTz value)
{
	xero_own_add(parameters, TIMESTAMPTZOID, TimestampTzGetDatum(value), false);
}

uint64
xero_own_run(const char *sql, XeroParameters *parameters)
{
	int			result;

	if (parameters == NULL)
		result = SPI_execute(sql, false, 0);
	else
		result = SPI_execute_with_args(sql, parameters->count,
									   parameters->types, parameters->values,
									   parameters->nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

uint64
xero_own_look(const char *sql, XeroParameters *parameters)
{
	SPIPlanPtr	plan = SPI_prepare(sql, parameters->count,
								   parameters->types);
	Snapshot	snapshot = IsInParallelMode() ? GetActiveSnapshot() :
	GetLatestSnapshot();

	if (plan == NULL ||
		SPI_execute_snapshot(plan, parameters->values, parameters->nulls,
							 snapshot, InvalidSnapshot, true, false,
							 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed");
	return SPI_processed;
}

/* ---- values of a row that was found ---- */

Datum
xero_own_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull);
}

Oid
xero_own_oid(uint64 row, int column)
{
	bool		isnull;

	return DatumGetObjectId(xero_own_value(row, column, &isnull));
}

char *
xero_own_text(const XeroOwnEntry *entry, uint64 row, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row],
									 SPI_tuptable->tupdesc, column);

	return value ? MemoryContextStrdup(entry->caller, value) : NULL;
}

TimestampTz
xero_own_time(uint64 row, int column)
{
	bool		isnull;
	Datum		value = xero_own_value(row, column, &isnull);

	return isnull ? 0 : DatumGetTimestampTz(value);
}
