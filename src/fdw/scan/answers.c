/*-------------------------------------------------------------------------
 *
 * answers.c
 *	  Answers that are known without asking.
 *
 * A scan may run many times with other values: the inner side of a nested
 * loop, a correlated subquery.  Each run takes a call at least, and nobody
 * knows beforehand how many there will be.  So once the runs have cost as much
 * as the list that has the rows of them all (their request without the
 * conditions on values that change), that list is read, and all later runs are
 * answered from it.  Whichever way was the better one, twice its calls are
 * spent at most, and one more where the length of the list was not known: its
 * first page tells, and if the list is too long yet, it is left for later.
 *
 * Before that, the answers of keys that were asked for are kept as well.
 *
 * The same is done for a single run whose values need more requests than the
 * list has pages.
 *
 * Rows are kept by the column that must equal a value, so that a run looks at
 * few of them.  Its conditions are checked here, on each.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/answers.h"

#include "access/sysattr.h"
#include "api/budget/item_counts.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

/* So many runs show what the list takes, where that is not known. */
#define RUNS_BEFORE_ASKING	2

static bool
has_changing_value(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC ||
			OidIsValid(get_element_type(((Param *) node)->paramtype));
	return expression_tree_walker(node, has_changing_value, context);
}

/*
 * The conditions on values that may change; NIL if there are none, or if rows
 * lack a column that they are about.
 */
static List *
changing_conditions(ForeignScan *plan)
{
	List	   *wanted = list_nth(plan->fdw_private, XERO_SCAN_WANTED);
	List	   *conditions = NIL;
	Bitmapset  *attrs = NULL;
	int			attr = -1;
	ListCell   *lc;

	foreach(lc, plan->fdw_recheck_quals)
	{
		if (has_changing_value(lfirst(lc), NULL))
			conditions = lappend(conditions, lfirst(lc));
	}
	pull_varattnos((Node *) conditions, plan->scan.scanrelid, &attrs);
	while ((attr = bms_next_member(attrs, attr)) >= 0)
	{
		if (!list_member(wanted,
						 makeInteger(attr + FirstLowInvalidHeapAttributeNumber)))
			return NIL;
	}
	return conditions;
}

/* The column that rows are found by. */
static void
init_key(XeroAnswers *answers, const XeroScanSpec *spec, TupleDesc desc)
{
	Form_pg_attribute att;
	TypeCacheEntry *type;
	AttrNumber	attno = spec->batching.attno;
	int			param = spec->batching.lookahead ? spec->batching.param :
	xero_sent_equality(spec->sent, &attno);

	answers->param = -1;
	if (param >= 0)
	{
		att = TupleDescAttr(desc, attno - 1);
		type = lookup_type_cache(att->atttypid, TYPECACHE_HASH_PROC |
								 TYPECACHE_EQ_OPR);
		if (att->atttypid == list_nth_oid(spec->param_types, param) &&
			OidIsValid(type->hash_proc) && OidIsValid(type->eq_opr))
			answers->param = param;
	}
	answers->known = xero_known_create(answers->cxt,
									   answers->param >= 0 ? att : NULL);
}

/*
 * Not where a column or the rows themselves take a call a record, as then the
 * list is no way to save calls.
 */
void
xero_init_answers(ForeignScanState *node, Relation rel)
{
	XeroScanState *state = node->fdw_state;
	XeroScanSpec *spec = &state->spec;
	XeroAnswers *answers;
	List	   *conditions;

	if (spec->counts != NIL || spec->window.offset > 0 ||
		spec->window.rows >= 0 || state->decoder.detail || state->decoder.parts)
		return;
	conditions = changing_conditions((ForeignScan *) node->ss.ps.plan);
	if (conditions == NIL)
		return;
	state->answers = answers = palloc0(sizeof(XeroAnswers));
	answers->cxt = CurrentMemoryContext;
	answers->checks = ExecInitQual(conditions, &node->ss.ps);
	answers->price = -1;
	init_key(answers, spec, RelationGetDescr(rel));
	if (spec->batching.lookahead)
		answers->changing = bms_make_singleton(answers->param);
}

static bool
same_value(const XeroParamValue *a, const XeroParamValue *b)
{
	int16		typlen;
	bool		typbyval;

	if (a->isnull || b->isnull)
		return a->isnull == b->isnull;
	get_typlenbyval(a->type, &typlen, &typbyval);
	return datumIsEqual(a->value, b->value, typbyval, typlen);
}

static XeroParamValue *
copy_values(const XeroParamValue *values, int count)
{
	XeroParamValue *copy = palloc(sizeof(XeroParamValue) * count);

	for (int i = 0; i < count; i++)
	{
		int16		typlen;
		bool		typbyval;

		copy[i] = values[i];
		get_typlenbyval(values[i].type, &typlen, &typbyval);
		if (!values[i].isnull)
			copy[i].value = datumCopy(values[i].value, typbyval, typlen);
	}
	return copy;
}

static void
forget_rows(XeroAnswers *answers)
{
	xero_known_clear(answers->known);
	answers->whole = false;
}

/*
 * Which values change?  What is known rests on the others, so it is forgotten
 * when one of those does.
 */
static void
note_values(XeroScanState *state, const XeroParamValue *values)
{
	XeroAnswers *answers = state->answers;
	int			count = list_length(state->spec.param_exprs);
	int			known = bms_num_members(answers->changing);
	MemoryContext old = MemoryContextSwitchTo(answers->cxt);

	if (answers->first == NULL)
		answers->first = copy_values(values, count);
	for (int i = 0; i < count; i++)
	{
		if (!bms_is_member(i, answers->changing) &&
			!same_value(&answers->first[i], &values[i]))
			answers->changing = bms_add_member(answers->changing, i);
	}
	if (bms_num_members(answers->changing) > known)
	{
		forget_rows(answers);
		answers->price = -1;
	}
	MemoryContextSwitchTo(old);
}

/* A row of the list, which has the rows of all keys once more. */
static void
keep_row(XeroScanState *state, TupleTableSlot *slot)
{
	XeroKnown  *known = state->answers->known;

	if (xero_knows_keys(known))
		xero_known_clear(known);
	xero_know_row(known, slot);
}

XeroRowKey *
xero_run_key(XeroAnswers *answers, const XeroParamValue *values)
{
	if (answers->param < 0 || values[answers->param].isnull)
		return NULL;
	return xero_make_key(answers->known, values[answers->param].value);
}

bool
xero_find_answer(XeroScanState *state, const XeroParamValue *values)
{
	XeroAnswers *answers = state->answers;
	XeroRowKey *key;

	if (answers->sorter)
		tuplesort_end(answers->sorter);
	answers->sorter = NULL;
	answers->given = NULL;
	answers->dearest = Max(answers->dearest,
						   state->stats.calls.calls - answers->spent);
	answers->spent = state->stats.calls.calls;
	note_values(state, values);
	key = xero_run_key(answers, values);
	if (!answers->whole && !(key == NULL ? state->spec.batching.lookahead != NULL :
							 xero_is_known(answers->known, key)))
		return false;
	answers->given = xero_known_rows(answers->known, key);
	tuplestore_rescan(answers->given);
	return true;
}

/* The value stays here, for the row that it came from will not. */
void
xero_note_run(XeroScanState *state, const XeroParamValue *values)
{
	XeroAnswers *answers = state->answers;
	MemoryContext old = MemoryContextSwitchTo(state->run.cxt);

	answers->spent = state->stats.calls.calls;
	answers->present = xero_run_key(answers, values);
	if (answers->present)
		answers->present = xero_copy_key(answers->known, answers->present);
	MemoryContextSwitchTo(old);
}

/* Are all rows of the present run kept, or can they be without a call? */
static bool
is_complete(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroRun    *run = &state->run;

	if (run->ended)
		return true;
	if (state->spec.order_rows > 0)
		return !state->spec.order_ties &&
			tuplestore_tuple_count(state->kept.rows) >= state->spec.order_rows;
	if (!state->page.open || run->norg_scans != 1 ||
		!((XeroRequest *) linitial(run->requests))->single)
		return false;
	xero_keep_rest(node);
	return true;
}

/*
 * The present run gives way to another one: keep its answer, if nothing but
 * the key differs from run to run.
 */
void
xero_keep_answer(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroAnswers *answers = state->answers;
	XeroRowKey *key = answers->present;
	TupleTableSlot *row = state->kept.slot;
	XeroRowKey	row_key;

	answers->present = NULL;
	if (key == NULL || answers->whole || state->kept.rows == NULL ||
		bms_membership(answers->changing) != BMS_SINGLETON ||
		!bms_is_member(answers->param, answers->changing) ||
		!is_complete(node))
		return;
	tuplestore_rescan(state->kept.rows);
	while (xero_next_kept(state, state->kept.rows))
	{
		if (xero_row_key(answers->known, row, &row_key) &&
			xero_has_key(answers->known, list_make1(key), &row_key))
			xero_know_row(answers->known, row);
	}
	ExecClearTuple(row);
	xero_know_key(answers->known, key);
}

/* Let what is asked for be the list that has the rows of all runs. */
static void
turn_to_list(XeroScanState *state)
{
	XeroScanSpec *spec = &state->spec;

	spec->sent = xero_sent_without(spec->sent, state->answers->changing);
	spec->options.order = xero_root_object(spec->table->object)->order;
	spec->order_rows = 0;
	spec->order_ties = false;
	spec->page_size = spec->table->page_size;
	spec->all_wanted = true;
}

/*
 * What the list takes, as far as is known before it is asked for.  Conditions
 * that all runs have may leave little of it, which is worth a call to know if
 * there are many runs; not for one.
 */
static double
estimate_price(const XeroScanState *state, List *requests, int norganisations)
{
	const XeroTable *table = state->spec.table;
	const XeroObject *root = xero_root_object(table->object);
	int			told;
	double		records = xero_item_count(state->spec.server, root,
										  table->include_archived, &told);
	double		unknown = Max(RUNS_BEFORE_ASKING, norganisations);
	bool		one_run = state->run.cxt == NULL;
	double		price;

	if (records < 0 && root->paging != XERO_PAGING_NONE && !one_run)
		return unknown;
	price = norganisations * xero_list_calls(root, table->page_size,
											 records < 0 ? root->typical_rows : records,
											 list_length(requests));
	return (one_run && !state->spec.batching.lookahead) ||
		xero_sends_whole_lists(state->spec.sent) ? price : Min(price, unknown);
}

void
xero_settle_price(ForeignScanState *node, const XeroParamValue *values)
{
	XeroScanState *state = node->fdw_state;
	XeroScanSpec runs = state->spec;
	List	   *requests;

	turn_to_list(state);
	requests = xero_build_requests(runs.rel, state->spec.sent, values,
								   &state->spec.options);
	state->answers->price = estimate_price(state, requests,
										   bms_num_members(xero_choose_organisations(node, values)));
	state->spec = runs;
}

/* Would another run make them cost more than the list? */
static bool
is_due(const XeroScanState *state)
{
	return state->stats.calls.calls + state->answers->dearest > state->answers->price;
}

/* Read it; false if it is too long yet. */
static bool
read_list(ForeignScanState *node, const XeroParamValue *values)
{
	XeroScanState *state = node->fdw_state;
	XeroAnswers *answers = state->answers;
	MemoryContext cxt = AllocSetContextCreate(answers->cxt, "Xero scan run",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	List	   *requests = xero_build_requests(state->spec.rel, state->spec.sent,
											   values, &state->spec.options);
	Bitmapset  *wanted = xero_choose_organisations(node, values);

	MemoryContextSwitchTo(old);
	xero_begin_run(node, cxt, requests, wanted);
	state->run.most_pages = state->stats.calls.calls + answers->dearest - 1;
	xero_fetch_rest(state, node->ss.ss_ScanTupleSlot, keep_row);
	answers->whole = !state->run.given_up;
	if (state->run.given_up)
	{
		answers->price = state->run.told;
		if (!xero_knows_keys(answers->known))
			forget_rows(answers);
	}
	return answers->whole;
}

/* The coming run asks for so much: if all of it is wanted, it may be too much. */
static void
note_lists(XeroScanState *state, int calls)
{
	XeroAnswers *answers = state->answers;
	MemoryContext old = MemoryContextSwitchTo(answers->cxt);
	ListCell   *lc;

	foreach(lc, state->spec.param_types)
	{
		if (OidIsValid(get_element_type(lfirst_oid(lc))))
			answers->changing = bms_add_member(answers->changing,
											   foreach_current_index(lc));
	}
	answers->dearest = Max(answers->dearest, calls);
	MemoryContextSwitchTo(old);
}

bool
xero_read_answers(ForeignScanState *node, const XeroParamValue *values,
				  int nrequests, int norganisations)
{
	XeroScanState *state = node->fdw_state;
	XeroAnswers *answers = state->answers;
	XeroScanSpec runs = state->spec;
	bool		read;

	if (nrequests > 1 && runs.all_wanted)
		note_lists(state, nrequests * norganisations);
	if (bms_is_empty(answers->changing))
		return false;
	if (answers->price < 0)
		xero_settle_price(node, values);
	if (!is_due(state))
		return false;
	xero_keep_answer(node);
	turn_to_list(state);
	read = read_list(node, values);
	state->spec = runs;
	return read && xero_find_answer(state, values);
}

/* The next row that the run's conditions let pass, in kept.slot; or false. */
static bool
next_row(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;

	while (xero_next_kept(state, state->answers->given))
	{
		CHECK_FOR_INTERRUPTS();
		econtext->ecxt_scantuple = state->kept.slot;
		if (ExecQual(state->answers->checks, econtext))
			return true;
		ResetExprContext(econtext);
	}
	return false;
}

bool
xero_is_answered(const XeroScanState *state)
{
	return state->answers && state->answers->given;
}

bool
xero_answer_row(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroAnswers *answers = state->answers;

	if (state->spec.order_rows == 0)
		return next_row(node);
	if (answers->sorter == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(answers->cxt);

		answers->sorter = xero_make_sorter(state,
										   state->kept.slot->tts_tupleDescriptor);
		MemoryContextSwitchTo(old);
		while (next_row(node))
			tuplesort_puttupleslot(answers->sorter, state->kept.slot);
		tuplesort_performsort(answers->sorter);
	}
	return tuplesort_gettupleslot(answers->sorter, true, false, state->kept.slot,
								  NULL);
}

void
xero_end_answers(XeroScanState *state)
{
	XeroAnswers *answers = state->answers;

	if (answers == NULL)
		return;
	xero_known_end(answers->known);
	if (answers->sorter)
		tuplesort_end(answers->sorter);
}
