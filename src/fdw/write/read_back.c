/*-------------------------------------------------------------------------
 *
 * read_back.c
 *	  What Xero has stored of rows, as rows of the table.
 *
 * Asked to write, Xero answers with the whole record, which RETURNING shows, and
 * which syncs agree on.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "executor/executor.h"
#include "utils/lsyscache.h"

void
xero_modify_read_back(XeroModify *state)
{
	const XeroModifySpec *spec = &state->spec;
	XeroReadBack *back = &state->back;

	back->nfields = xero_table_fields(spec->table, spec->desc,
									  &back->fields, &back->attnos);
	if (spec->rules->place == XERO_PLACE_BELOW)
	{
		int			n = 0;

		/* the answer has no member of the record that they are below */
		for (int i = 0; i < back->nfields; i++)
		{
			if (back->fields[i].from_parent)
				continue;
			back->fields[n] = back->fields[i];
			back->attnos[n++] = back->attnos[i];
		}
		back->nfields = n;
	}
	back->reader = xero_reader_create(CurrentMemoryContext, spec->table->name,
									  NULL,
									  state->child_rows ? spec->object->array : NULL,
									  back->fields, back->nfields, -1);
	back->values = palloc(sizeof(Datum) * Max(back->nfields, 1));
	back->nulls = palloc(sizeof(bool) * Max(back->nfields, 1));
}

/* A value that the answer does not repeat, if the table has the column. */
static void
fill_value(XeroModify *state, AttrNumber attno, char *text,
		   TupleTableSlot *slot)
{
	Form_pg_attribute att;
	Oid			input;
	Oid			ioparam;

	if (attno == 0)
		return;
	att = TupleDescAttr(state->spec.desc, attno - 1);
	getTypeInputInfo(att->atttypid, &input, &ioparam);
	slot->tts_values[attno - 1] = OidInputFunctionCall(input, text, ioparam,
													   att->atttypmod);
	slot->tts_isnull[attno - 1] = false;
}

void
xero_read_record(XeroModify *state, const XeroPendingRow *row,
				 const XeroOutcome *outcome, TupleTableSlot *slot)
{
	XeroReadBack *back = &state->back;

	xero_reader_open(back->reader, outcome->record, strlen(outcome->record),
					 NULL);
	for (int i = 0; i <= row->place; i++)
	{
		if (!xero_reader_next(back->reader, back->values, back->nulls))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
					 errmsg("unexpected answer from Xero to a write of foreign table \"%s\"",
							state->spec.table->name),
					 errdetail("It lacks a row that was written.")));
	}
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true,
		   sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < back->nfields; i++)
	{
		slot->tts_values[back->attnos[i] - 1] = back->values[i];
		slot->tts_isnull[back->attnos[i] - 1] = back->nulls[i];
	}
	fill_value(state, state->spec.tenant_attno,
			   pstrdup(state->queues[row->queue].organisation->tenant_id), slot);
	if (state->spec.rules->place == XERO_PLACE_BELOW)
		fill_value(state, state->spec.parent_attno, row->parent_key, slot);
	ExecStoreVirtualTuple(slot);
}
