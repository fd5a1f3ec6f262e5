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
 * Rows are kept in some tuplestores, by the hash of the column that must equal
 * a value, so that memory is bounded and a run looks at few of them.  Its
 * conditions are checked here, on each.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

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

/* A tuplestore takes some kilobytes, whatever is in it. */
#define MOST_BUCKETS	64
#define BUCKET_KILOBYTES 64

/* So many runs show what the list takes, where that is not known. */
#define RUNS_BEFORE_ASKING	2

/* A value of the key whose rows are known. */
typedef struct Asked
{
	uint32		hash;
	Datum		value;
} Asked;

struct XeroAnswers
{
	MemoryContext cxt;
	ExprState  *checks;			/* conditions on values that may change */
	XeroParamValue *first;		/* values of the first run, NULL before */
	Bitmapset  *changing;		/* indexes of those that were others since */

	/* the column that must equal a value */
	int			param;			/* the value's index, -1 if there is none */
	AttrNumber	attno;
	Oid			collation;
	FmgrInfo	hash;
	FmgrInfo	equal;
	int16		typlen;
	bool		typbyval;
	Asked	   *present;		/* of the present run, or NULL */

	List	   *asked;			/* keys whose rows are in the buckets */
	bool		whole;			/* all rows are */
	Tuplestorestate **buckets;	/* NULL before the first row */
	int			nbuckets;
	Tuplestorestate *given;		/* the one that has the rows of this run, NULL
								 * if it is not answered from here */
	Tuplesortstate *sorter;		/* puts them in order */

	double		price;			/* calls of the list, -1 before it is known
								 * what it would be */
	int64		spent;			/* calls before the present run */
	int64		dearest;		/* calls of the dearest run so far */
};

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
	AttrNumber	attno;
	int			param = xero_sent_equality(spec->sent, &attno);

	answers->param = -1;
	if (param < 0)
		return;
	att = TupleDescAttr(desc, attno - 1);
	type = lookup_type_cache(att->atttypid, TYPECACHE_HASH_PROC_FINFO |
							 TYPECACHE_EQ_OPR_FINFO);
	if (att->atttypid != list_nth_oid(spec->param_types, param) ||
		!OidIsValid(type->hash_proc) || !OidIsValid(type->eq_opr))
		return;
	answers->param = param;
	answers->attno = attno;
	answers->collation = att->attcollation;
	answers->typlen = att->attlen;
	answers->typbyval = att->attbyval;
	fmgr_info_copy(&answers->hash, &type->hash_proc_finfo, answers->cxt);
	fmgr_info_copy(&answers->equal, &type->eq_opr_finfo, answers->cxt);
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
	for (int i = 0; i < answers->nbuckets; i++)
		tuplestore_clear(answers->buckets[i]);
	list_free(answers->asked);
	answers->asked = NIL;
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

/* Where rows are whose key has this hash. */
static Tuplestorestate *
bucket_of(XeroAnswers *answers, uint32 hash)
{
	if (answers->buckets == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(answers->cxt);

		answers->nbuckets = answers->param < 0 ? 1 :
			Max(1, Min(MOST_BUCKETS, work_mem / BUCKET_KILOBYTES));
		answers->buckets = palloc(sizeof(Tuplestorestate *) * answers->nbuckets);
		for (int i = 0; i < answers->nbuckets; i++)
		{
			answers->buckets[i] = tuplestore_begin_heap(false, false,
														work_mem / answers->nbuckets);
			tuplestore_set_eflags(answers->buckets[i], EXEC_FLAG_REWIND);
		}
		MemoryContextSwitchTo(old);
	}
	return answers->buckets[hash % answers->nbuckets];
}

static uint32
hash_key(XeroAnswers *answers, Datum value)
{
	return DatumGetUInt32(FunctionCall1Coll(&answers->hash, answers->collation,
											value));
}

static bool
equal_keys(XeroAnswers *answers, Datum a, Datum b)
{
	return DatumGetBool(FunctionCall2Coll(&answers->equal, answers->collation,
										  a, b));
}

/*
 * A row of the list, which has the rows of all keys once more.  What equals
 * nothing is wanted by no run.
 */
static void
keep_row(XeroScanState *state, TupleTableSlot *slot)
{
	XeroAnswers *answers = state->answers;
	uint32		hash = 0;

	if (answers->asked != NIL)
		forget_rows(answers);
	if (answers->param >= 0)
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, answers->attno, &isnull);

		if (isnull)
			return;
		hash = hash_key(answers, value);
	}
	tuplestore_puttupleslot(bucket_of(answers, hash), slot);
}

static bool
is_asked(XeroAnswers *answers, const Asked *key)
{
	ListCell   *lc;

	foreach(lc, answers->asked)
	{
		Asked	   *asked = lfirst(lc);

		if (asked->hash == key->hash &&
			equal_keys(answers, asked->value, key->value))
			return true;
	}
	return false;
}

/* The value that the run's rows have in the column of the key, or NULL. */
static Asked *
key_of(XeroAnswers *answers, const XeroParamValue *values)
{
	Asked	   *key;

	if (answers->param < 0 || values[answers->param].isnull)
		return NULL;
	key = palloc(sizeof(Asked));
	key->value = values[answers->param].value;
	key->hash = hash_key(answers, key->value);
	return key;
}

bool
xero_find_answer(XeroScanState *state, const XeroParamValue *values)
{
	XeroAnswers *answers = state->answers;
	Asked	   *key;

	if (answers->sorter)
		tuplesort_end(answers->sorter);
	answers->sorter = NULL;
	answers->given = NULL;
	answers->dearest = Max(answers->dearest,
						   state->stats.calls.calls - answers->spent);
	answers->spent = state->stats.calls.calls;
	note_values(state, values);
	key = key_of(answers, values);
	if (!answers->whole && (key == NULL || !is_asked(answers, key)))
		return false;
	answers->given = bucket_of(answers, key ? key->hash : 0);
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
	answers->present = key_of(answers, values);
	if (answers->present)
		answers->present->value = datumCopy(answers->present->value,
											answers->typbyval, answers->typlen);
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
	Asked	   *key = answers->present;
	TupleTableSlot *row = state->kept.slot;
	MemoryContext old;

	answers->present = NULL;
	if (key == NULL || answers->whole || state->kept.rows == NULL ||
		bms_membership(answers->changing) != BMS_SINGLETON ||
		!bms_is_member(answers->param, answers->changing) ||
		!is_complete(node))
		return;
	tuplestore_rescan(state->kept.rows);
	while (xero_next_kept(state, state->kept.rows))
	{
		bool		isnull;
		Datum		value = slot_getattr(row, answers->attno, &isnull);

		if (!isnull && equal_keys(answers, value, key->value))
			tuplestore_puttupleslot(bucket_of(answers, key->hash), row);
	}
	ExecClearTuple(row);
	old = MemoryContextSwitchTo(answers->cxt);
	key = memcpy(palloc(sizeof(Asked)), key, sizeof(Asked));
	key->value = datumCopy(key->value, answers->typbyval, answers->typlen);
	answers->asked = lappend(answers->asked, key);
	MemoryContextSwitchTo(old);
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
	return one_run || xero_sends_whole_lists(state->spec.sent) ?
		price : Min(price, unknown);
}

/* Would another run make them cost more than the list? */
static bool
is_due(const XeroScanState *state)
{
	return state->stats.calls.calls + state->answers->dearest > state->answers->price;
}

/* Read it, if it is due; false if it is too long yet. */
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

	if (answers->price < 0)
		answers->price = estimate_price(state, requests, bms_num_members(wanted));
	MemoryContextSwitchTo(old);
	if (!is_due(state))
	{
		MemoryContextDelete(cxt);
		return false;
	}
	xero_begin_run(node, cxt, requests, wanted);
	state->run.most_pages = state->stats.calls.calls + answers->dearest - 1;
	xero_fetch_rest(state, node->ss.ss_ScanTupleSlot, keep_row);
	answers->whole = !state->run.given_up;
	if (state->run.given_up)
	{
		answers->price = state->run.told;
		if (answers->asked == NIL)
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
	if (bms_is_empty(answers->changing) || !is_due(state))
		return false;
	xero_keep_answer(node);
	state->spec.sent = xero_sent_without(runs.sent, answers->changing);
	state->spec.options.order = xero_root_object(runs.table->object)->order;
	state->spec.order_rows = 0;
	state->spec.order_ties = false;
	state->spec.page_size = runs.table->page_size;
	state->spec.all_wanted = true;
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
	for (int i = 0; i < answers->nbuckets; i++)
		tuplestore_end(answers->buckets[i]);
	if (answers->sorter)
		tuplesort_end(answers->sorter);
}
