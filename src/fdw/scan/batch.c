/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  The inner side of a bind join: the keys of many runs are asked for at
 *	  once.
 *
 * A run whose key is not known asks for it together with those of the runs to
 * come, which a lookahead tells (bind/lookahead.c).  All runs are answered from
 * the rows that are known by then (answers.c).
 *
 * If all rows will be wanted, nothing is lost by looking far ahead: until it is
 * clear that the list that has all rows takes fewer calls, or else what few
 * keys there are.  Otherwise the first batch has the keys that the planner
 * expects to be wanted, and each of the next ones as many as all before, so
 * that twice the calls are made at most.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/answers.h"

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* A first batch may have been too small; a request takes no longer for more. */
#define BATCH_GROWTH	5

/* How many keys are asked for next? */
static int
keys_wanted(XeroScanState *state)
{
	const XeroAnswers *answers = state->answers;
	XeroBatching *batching = &state->spec.batching;
	int			keys = batching->keys;

	if (state->spec.all_wanted)
		return Max(XERO_MOST_KEYS,
				   Min(answers->price, PG_INT16_MAX) * XERO_LISTED_VALUES + 1);
	batching->asked += keys;
	batching->keys = Min(keys * BATCH_GROWTH,
						 Max(XERO_LISTED_VALUES,
							 Min(batching->asked, XERO_MOST_KEYS)));
	return keys;
}

/* The key of the present run, and others that coming runs are about. */
static List *
gather_keys(XeroScanState *state, const XeroParamValue *values)
{
	XeroAnswers *answers = state->answers;
	XeroRowKey *key = xero_copy_key(answers->known,
									xero_run_key(answers, values));
	List	   *keys = list_make1(key);
	int			wanted = keys_wanted(state);
	Datum		value;
	bool		isnull;

	xero_know_key(answers->batch, key);
	while (list_length(keys) < wanted &&
		   xero_look_ahead(state->spec.batching.lookahead, &value, &isnull))
	{
		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;
		key = xero_make_key(answers->known, value);
		if (xero_is_known(answers->known, key) ||
			xero_is_known(answers->batch, key))
			continue;
		keys = lappend(keys, xero_copy_key(answers->known, key));
		xero_know_key(answers->batch, key);
	}
	return keys;
}

static XeroParamValue
array_of_keys(List *keys, Oid type)
{
	XeroParamValue array = {.type = get_array_type(type)};
	Datum	   *values = palloc(sizeof(Datum) * list_length(keys));
	int16		typlen;
	bool		typbyval;
	char		typalign;
	ListCell   *lc;

	foreach(lc, keys)
		values[foreach_current_index(lc)] = ((XeroRowKey *) lfirst(lc))->value;
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	array.value = PointerGetDatum(construct_array(values, list_length(keys), type,
												  typlen, typbyval, typalign));
	return array;
}

/* Xero may find others, as it looks at texts differently; those are not ours. */
static void
keep_batch_row(XeroScanState *state, TupleTableSlot *slot)
{
	XeroAnswers *answers = state->answers;
	XeroRowKey	key;

	if (xero_row_key(answers->known, slot, &key) &&
		xero_is_known(answers->batch, &key))
		xero_know_row(answers->known, slot);
}

/* Let the requests bring the rows of the keys. */
static void
read_batch(ForeignScanState *node, MemoryContext cxt, List *keys,
		   List *requests, Bitmapset *wanted)
{
	XeroScanState *state = node->fdw_state;
	ListCell   *lc;

	xero_begin_run(node, cxt, requests, wanted);
	state->run.ahead = true;
	xero_fetch_rest(state, node->ss.ss_ScanTupleSlot, keep_batch_row);
	foreach(lc, keys)
		xero_know_key(state->answers->known, lfirst(lc));
	state->stats.batches++;
}

void
xero_ask_batch(ForeignScanState *node, XeroParamValue *values)
{
	XeroScanState *state = node->fdw_state;
	XeroScanSpec *spec = &state->spec;
	XeroAnswers *answers = state->answers;
	XeroParamValue key = values[answers->param];
	MemoryContext cxt = AllocSetContextCreate(answers->cxt, "Xero scan run",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	List	   *keys;
	List	   *requests;
	Bitmapset  *wanted;

	if (answers->price < 0)
		xero_settle_price(node, values);
	answers->batch = xero_known_create(cxt, TupleDescAttr(node->ss.ss_ScanTupleSlot->tts_tupleDescriptor,
														  spec->batching.attno - 1));
	keys = gather_keys(state, values);
	values[answers->param] = array_of_keys(keys, key.type);
	requests = xero_build_requests(spec->rel, spec->sent, values, &spec->options);
	wanted = xero_choose_organisations(node, values);
	values[answers->param] = key;
	MemoryContextSwitchTo(old);

	answers->dearest = Max(answers->dearest,
						   list_length(requests) * bms_num_members(wanted));
	if (xero_read_answers(node, values, 1, 1))
		MemoryContextDelete(cxt);
	else
	{
		read_batch(node, cxt, keys, requests, wanted);
		(void) xero_find_answer(state, values);
	}
	answers->batch = NULL;
}
