/*-------------------------------------------------------------------------
 *
 * detail.c
 *	  Columns that no list carries, fetched record by record.
 *
 * Xero leaves some members out of lists, or shows them as empty arrays there:
 * the members of a contact group, the lines of a budget, attachments.  Where
 * such a column is wanted, each record is asked for by its key.  A record
 * whose own flag says that there is nothing (HasAttachments) costs no call;
 * the column is then NULL, whichever way the record was read.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/detail.h"

#include "fmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

struct XeroDetail
{
	const char *relation;
	const XeroField *key;		/* read behind the columns */
	const XeroDetailColumn *columns;
	int			ncolumns;
	XeroReader *reader;
	Datum	   *values;
	bool	   *nulls;
};

XeroDetail *
xero_detail_create(MemoryContext mcxt, const char *relation,
				   const XeroObject *object, const XeroField *key,
				   const XeroDetailColumn *columns, int ncolumns)
{
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	XeroDetail *detail = palloc0(sizeof(XeroDetail));
	XeroField  *fields = palloc(sizeof(XeroField) * (ncolumns + 1));

	for (int i = 0; i < ncolumns; i++)
		fields[i] = columns[i].field;
	fields[ncolumns] = *key;
	detail->relation = relation;
	detail->key = key;
	detail->columns = columns;
	detail->ncolumns = ncolumns;
	detail->reader = xero_reader_create(mcxt, relation, object->wrapper, NULL,
										fields, ncolumns + 1, -1);
	detail->values = palloc(sizeof(Datum) * (ncolumns + 1));
	detail->nulls = palloc(sizeof(bool) * (ncolumns + 1));
	MemoryContextSwitchTo(old);
	return detail;
}

char *
xero_field_text(const XeroField *field, Datum value)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(field->type, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}

void
xero_check_asked_for(const char *relation, const XeroField *key,
					 const char *asked, Datum value, bool isnull)
{
	const char *came = isnull ? "none" : xero_field_text(key, value);

	if (pg_strcasecmp(came, asked) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("Xero sent another record of foreign table \"%s\" than it was asked for",
						relation),
				 errdetail("The %s asked for is %s, and %s came.",
						   key->path, asked, came)));
}

/* Does the record's own flag say that the column has nothing? */
static bool
is_absent(const XeroDetailColumn *column, const Datum *values,
		  const bool *nulls)
{
	return column->flag_field >= 0 &&
		(nulls[column->flag_field] || !DatumGetBool(values[column->flag_field]));
}

void
xero_detail_mask(const XeroDetail *detail, const Datum *values,
				 const bool *nulls, bool *slot_nulls)
{
	for (int i = 0; i < detail->ncolumns; i++)
	{
		if (is_absent(&detail->columns[i], values, nulls))
			slot_nulls[detail->columns[i].attno - 1] = true;
	}
}

bool
xero_detail_is_wanted(const XeroDetail *detail, const Datum *values,
					  const bool *nulls, bool *slot_nulls)
{
	bool		any = false;

	for (int i = 0; i < detail->ncolumns; i++)
	{
		slot_nulls[detail->columns[i].attno - 1] = true;
		if (!is_absent(&detail->columns[i], values, nulls))
			any = true;
	}
	return any;
}

void
xero_detail_fill(XeroDetail *detail, const XeroResponse *response,
				 const char *key, const Datum *values, const bool *nulls,
				 Datum *slot_values, bool *slot_nulls)
{
	xero_reader_open(detail->reader, response->body, response->len,
					 response->detail);
	while (xero_reader_next(detail->reader, detail->values, detail->nulls))
		;
	xero_reader_check_single(detail->reader);
	xero_check_asked_for(detail->relation, detail->key, key,
						 detail->values[detail->ncolumns],
						 detail->nulls[detail->ncolumns]);
	for (int i = 0; i < detail->ncolumns; i++)
	{
		AttrNumber	attno = detail->columns[i].attno;

		if (is_absent(&detail->columns[i], values, nulls))
			continue;
		slot_values[attno - 1] = detail->values[i];
		slot_nulls[attno - 1] = detail->nulls[i];
	}
}
