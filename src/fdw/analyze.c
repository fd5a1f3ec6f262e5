/*-------------------------------------------------------------------------
 *
 * analyze.c
 *	  ANALYZE of foreign tables, within xero_fdw.analyze_calls.
 *
 * The sample is the beginning of the list.  Most lists are read in the order of
 * their records' keys, which are random, so that it is as good as any.  By
 * default there is none: ANALYZE of a whole database would call for each table.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/analyze.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "fdw/fdw.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static int	analyze_calls = 0;

/* The rows that the calls bring from one organisation, but no more than wanted. */
static int
rows_to_read(Relation rel, List *attnos, int wanted)
{
	const XeroTable *table = xero_get_table(rel);
	double		rows = analyze_calls;

	if (!xero_asks_record_by_record(table, attnos))
		rows *= Max(table->page_size, 1);
	return Min(rows, wanted);
}

/* The columns that there are, a List of Integers. */
static List *
live_columns(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *attnos = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			attnos = lappend(attnos, makeInteger(i + 1));
	}
	return attnos;
}

static char *
make_query(Relation rel, List *attnos, int limit)
{
	StringInfoData query;
	ListCell   *lc;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT");
	foreach(lc, attnos)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(rel),
												 intVal(lfirst(lc)) - 1);

		appendStringInfo(&query, "%s %s", foreach_current_index(lc) > 0 ? "," : "",
						 quote_identifier(NameStr(column->attname)));
	}
	appendStringInfo(&query, " FROM %s LIMIT %d",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												RelationGetRelationName(rel)),
					 limit);
	return query.data;
}

/* A row of the query as one of the table. */
static HeapTuple
make_row(Relation rel, HeapTuple read, TupleDesc desc, List *attnos)
{
	int			natts = RelationGetNumberOfAttributes(rel);
	Datum	   *values = palloc0(sizeof(Datum) * natts);
	bool	   *nulls = palloc(sizeof(bool) * natts);
	ListCell   *lc;

	memset(nulls, true, sizeof(bool) * natts);
	foreach(lc, attnos)
	{
		int			i = intVal(lfirst(lc)) - 1;

		values[i] = heap_getattr(read, foreach_current_index(lc) + 1, desc, &nulls[i]);
	}
	return heap_form_tuple(RelationGetDescr(rel), values, nulls);
}

/* An AcquireSampleRowsFunc.  It runs as the table's owner. */
static int
acquire_sample_rows(Relation rel, int elevel, HeapTuple *rows, int targrows,
					double *totalrows, double *totaldeadrows)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *attnos = live_columns(rel);
	int			limit = rows_to_read(rel, attnos, targrows);
	char	   *query = make_query(rel, attnos, limit);
	int			nrows;
	int			told;

	SPI_connect();
	if (SPI_execute(query, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read foreign table \"%s\"", RelationGetRelationName(rel));
	nrows = SPI_processed;
	MemoryContextSwitchTo(caller);
	for (int i = 0; i < nrows; i++)
		rows[i] = make_row(rel, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, attnos);
	SPI_finish();

	*totaldeadrows = 0;
	*totalrows = nrows;
	if (nrows == limit)
		*totalrows = Max(nrows, xero_planned_records(xero_get_table(rel), GetUserId(), &told));
	ereport(elevel,
			(errmsg("\"%s\": table contains %.0f rows, %d rows in sample",
					RelationGetRelationName(rel), *totalrows, nrows)));
	return nrows;
}

bool
xeroAnalyzeForeignTable(Relation rel, AcquireSampleRowsFunc *func,
						BlockNumber *totalpages)
{
	*func = acquire_sample_rows;
	*totalpages = 1;
	return analyze_calls > 0;
}

void
xero_analyze_init(void)
{
	DefineCustomIntVariable("xero_fdw.analyze_calls",
							"How many calls ANALYZE of a foreign table may make for each organisation.",
							"Zero means that it analyzes none.",
							&analyze_calls, 0, 0, INT_MAX / 1000,
							PGC_USERSET, 0, NULL, NULL, NULL);
}
