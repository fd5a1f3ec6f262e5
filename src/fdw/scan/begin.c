/*-------------------------------------------------------------------------
 *
 * begin.c
 *	  Beginning, repeating and ending a scan.
 *
 * What is settled once for a scan (table, server, the fields to decode) is
 * set up without the network.  A run is what lies between two changes of the
 * parameters: it has its requests and its transfers, which live in run_cxt and
 * are abandoned with it.  It begins when the first row is asked for.
 *
 * Rows are kept in a tuplestore only where the plan may run the scan again;
 * a rescan that would send the same requests then replays them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* The catalogue's column of the record's key, and of lists by offset. */
static const XeroColumn *
root_column(const XeroTable *table, const char *name)
{
	const XeroColumn *column;

	if (name == NULL)
		return NULL;
	column = xero_find_column(xero_root_object(table->object), name);
	Assert(column != NULL);
	return column;
}

/*
 * Index of the field that reads a member of the record with a given type;
 * a hidden one is added if no column of the table does.
 */
static int
need_field(XeroScanState *state, const char *path, Oid type)
{
	XeroDecoder *decoder = &state->decoder;
	bool		from_parent = state->spec.table->object->parent != NULL;
	XeroField  *field;

	for (int i = 0; i < decoder->nfields; i++)
	{
		field = &decoder->fields[i];
		if (pg_strcasecmp(field->path, path) == 0 && field->type == type &&
			field->from_parent == from_parent)
			return i;
	}
	field = &decoder->fields[decoder->nfields];
	field->path = path;
	field->from_parent = from_parent;
	field->type = type;
	field->typmod = -1;
	field->column = path;
	decoder->attnos[decoder->nfields] = 0;
	return decoder->nfields++;
}

/* Columns among the wanted ones that lists lack. */
static void
init_detail(XeroScanState *state, EState *estate)
{
	XeroDecoder *decoder = &state->decoder;
	XeroTable  *table = state->spec.table;
	XeroDetailColumn *columns = palloc(sizeof(XeroDetailColumn) * Max(decoder->nfields, 1));
	int			visible = decoder->nfields;
	int			n = 0;

	for (int i = 0; i < visible; i++)
	{
		AttrNumber	attno = decoder->attnos[i];
		const XeroColumn *known;

		if (attno == 0)
			continue;
		known = table->columns[attno - 1].known;
		if (known == NULL || (known->levels & XERO_LEVEL_LIST))
			continue;
		columns[n].field = decoder->fields[i];
		columns[n].attno = attno;
		columns[n].flag_field = known->detail_if ?
			need_field(state, known->detail_if, BOOLOID) : -1;
		n++;
	}
	if (n == 0)
		return;
	decoder->detail_cxt = AllocSetContextCreate(estate->es_query_cxt,
												"Xero detail",
												ALLOCSET_SMALL_SIZES);
	decoder->detail = xero_detail_create(estate->es_query_cxt, table->name,
										 table->object,
										 &decoder->fields[decoder->key_field],
										 columns, n);
}

/*
 * The reader of a list below a record: of the fields that are not the record's
 * own.
 */
static XeroReader *
make_below_reader(XeroScanState *state, MemoryContext mcxt)
{
	XeroDecoder *decoder = &state->decoder;
	XeroField  *fields = palloc0(sizeof(XeroField) * Max(decoder->nfields, 1));

	decoder->part_fields = palloc(sizeof(int) * Max(decoder->nfields, 1));
	for (int i = 0; i < decoder->nfields; i++)
	{
		if (decoder->fields[i].from_parent)
			continue;
		fields[decoder->npart_fields] = decoder->fields[i];
		decoder->part_fields[decoder->npart_fields++] = i;
	}
	decoder->part_values = palloc(sizeof(Datum) * Max(decoder->npart_fields, 1));
	decoder->part_nulls = palloc(sizeof(bool) * Max(decoder->npart_fields, 1));
	return xero_reader_create(mcxt, state->spec.table->name,
							  state->spec.table->object->array, NULL, fields,
							  decoder->npart_fields, -1);
}

static void
init_fields(XeroScanState *state, List *wanted, Relation rel, EState *estate)
{
	XeroScanSpec *spec = &state->spec;
	XeroDecoder *decoder = &state->decoder;
	const XeroObject *root = xero_root_object(spec->table->object);
	TupleDesc	desc = RelationGetDescr(rel);
	int			max = list_length(wanted) * 2 + 3;
	const XeroColumn *column;
	ListCell   *lc;

	decoder->fields = palloc0(sizeof(XeroField) * max);
	decoder->attnos = palloc0(sizeof(int) * max);
	foreach(lc, wanted)
	{
		AttrNumber	attno = intVal(lfirst(lc));
		Form_pg_attribute att = TupleDescAttr(desc, attno - 1);
		XeroField  *field = &decoder->fields[decoder->nfields];

		if (spec->table->columns[attno - 1].is_tenant)
		{
			decoder->tenant_attno = attno;
			decoder->tenant_typmod = att->atttypmod;
			getTypeInputInfo(att->atttypid, &decoder->tenant_input,
							 &decoder->tenant_ioparam);
			continue;
		}
		field->path = spec->table->columns[attno - 1].path;
		field->from_parent = spec->table->columns[attno - 1].from_parent;
		field->type = att->atttypid;
		field->typmod = att->atttypmod;
		field->column = pstrdup(NameStr(att->attname));
		decoder->attnos[decoder->nfields++] = attno;
	}

	column = root_column(spec->table, root->key);
	decoder->key_field = column ?
		need_field(state, column->field, xero_type_oid(column->type)) : -1;
	column = root_column(spec->table, root->offset_column);
	decoder->offset_field = column ?
		need_field(state, column->field, xero_type_oid(column->type)) : -1;
	init_detail(state, estate);
	decoder->part_flag = -1;
	if (xero_lists_lack_rows(spec->table->object) && !spec->table->object->below)
	{
		column = xero_find_field(root, spec->table->object->array);
		if (column->detail_if != NULL)
			decoder->part_flag = need_field(state, column->detail_if, BOOLOID);
	}

	decoder->reader = xero_reader_create(estate->es_query_cxt, spec->table->name,
										 root->wrapper, spec->table->object->array,
										 decoder->fields, decoder->nfields,
										 decoder->key_field);
	if (xero_lists_lack_rows(spec->table->object))
	{
		decoder->parts = spec->table->object->below ?
			make_below_reader(state, estate->es_query_cxt) : decoder->reader;
		decoder->reader = xero_reader_create(estate->es_query_cxt,
											 spec->table->name, root->wrapper,
											 NULL, decoder->fields, decoder->nfields,
											 decoder->key_field);
		decoder->part_cxt = AllocSetContextCreate(estate->es_query_cxt,
												  "Xero record",
												  ALLOCSET_SMALL_SIZES);
	}
	decoder->values = palloc(sizeof(Datum) * decoder->nfields);
	decoder->nulls = palloc(sizeof(bool) * decoder->nfields);
}

static void
read_batching(List *batch, EState *estate, XeroBatching *batching)
{
	if (batch == NIL)
		return;
	batching->lookahead = xero_find_lookahead(estate, intVal(linitial(batch)));
	batching->param = intVal(lsecond(batch));
	batching->attno = intVal(lthird(batch));
	batching->keys = intVal(lfourth(batch));
}

/* What the planner has settled. */
static void
read_plan(XeroScanState *state, ForeignScan *plan, EState *estate)
{
	XeroScanSpec *spec = &state->spec;
	List	   *private = plan->fdw_private;
	const char *order = strVal(list_nth(private, XERO_SCAN_ORDER));
	List	   *sort = list_nth(private, XERO_SCAN_SORT);

	spec->sent = list_nth(private, XERO_SCAN_SENT);
	spec->options.order = *order ? order : NULL;
	spec->page_size = intVal(list_nth(private, XERO_SCAN_PAGE_SIZE));
	spec->all_wanted = boolVal(list_nth(private, XERO_SCAN_AHEAD));
	spec->whole = boolVal(list_nth(private, XERO_SCAN_WHOLE));
	spec->counts = list_nth(private, XERO_SCAN_COUNTS);
	spec->group = list_nth(private, XERO_SCAN_GROUP);
	read_batching(list_nth(private, XERO_SCAN_BATCH), estate, &spec->batching);
	if (!xero_read_window(plan, &spec->window))
		spec->window.rows = -1;
	spec->keep = spec->whole || boolVal(list_nth(private, XERO_SCAN_KEEP));
	if (sort != NIL)
	{
		spec->order_attno = intVal(linitial(sort));
		spec->order_descends = boolVal(lsecond(sort));
		spec->order_rows = intVal(lthird(sort));
		spec->order_ties = boolVal(lfourth(sort));
		spec->order_whole = list_nth(sort, 4);
	}
}

/* The table whose columns the conditions that are sent are about. */
static XeroRel *
asked_rel(ForeignScan *plan)
{
	Relation	rel = table_open((Oid) intVal(list_nth(plan->fdw_private,
													   XERO_SCAN_ASKED)), NoLock);
	XeroRel    *result = xero_rel_from_table(xero_get_table(rel),
											 plan->scan.scanrelid);

	table_close(rel, NoLock);
	return result;
}

void
xeroBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	List	   *private = plan->fdw_private;
	Relation	rel;
	XeroTable  *table;
	Oid			userid;
	XeroScanState *state;
	ListCell   *lc;

	xero_note_calling_node(&node->ss.ps, &xero_scan_calls, NULL);
	rel = table_open((Oid) intVal(list_nth(private, XERO_SCAN_RELID)), NoLock);
	table = xero_get_table(rel);

	/* a view's owner, or the current user */
	userid = xero_check_as_user(node);
	if (!OidIsValid(userid))
		userid = GetUserId();
	xero_add_reader(node, table, userid);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
	{
		table_close(rel, NoLock);
		return;
	}

	state = palloc0(sizeof(XeroScanState));
	node->fdw_state = state;
	state->spec.table = table;
	state->spec.rel = asked_rel(plan);
	state->spec.server = xero_get_server(table->serverid, userid);

	state->stats.calls.table = state->spec.table->name;
	read_plan(state, plan, estate);
	if (state->spec.window.whole_row)
		state->spec.whole_row = CreateTupleDescCopy(RelationGetDescr(rel));
	state->spec.keep = state->spec.keep || (eflags & EXEC_FLAG_REWIND) != 0;

	state->spec.param_exprs = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
	foreach(lc, plan->fdw_exprs)
		state->spec.param_types = lappend_oid(state->spec.param_types,
											  exprType(lfirst(lc)));

	init_fields(state, list_nth(private, XERO_SCAN_WANTED), rel, estate);
	xero_init_answers(node, rel);
	if (state->spec.keep)
	{
		state->kept.rows = tuplestore_begin_heap(false, false, work_mem);
		tuplestore_set_eflags(state->kept.rows, EXEC_FLAG_REWIND);
	}
	if (state->spec.keep || state->answers || state->spec.order_rows > 0)
		state->kept.slot = MakeSingleTupleTableSlot(node->ss.ss_ScanTupleSlot->tts_tupleDescriptor,
													&TTSOpsMinimalTuple);
	table_close(rel, NoLock);
}

void
xero_expect_rows(ForeignScanState *node, bool all)
{
	XeroScanState *state = node->fdw_state;

	/* what is read in Xero's order may end with the first rows */
	if (state->spec.order_rows == 0 || !all)
		state->spec.all_wanted = all;
}

void
xero_keep_nothing(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;

	/* what must be read to its end, or answers another run, is kept anyway */
	if (state->kept.rows == NULL || state->spec.whole || state->answers ||
		state->spec.order_rows > 0)
		return;
	tuplestore_end(state->kept.rows);
	state->kept.rows = NULL;
}

/* Evaluate the run-time parameters in the current context. */
static XeroParamValue *
evaluate_params(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroScanSpec *spec = &state->spec;
	XeroParamValue *params = palloc(sizeof(XeroParamValue) *
									Max(list_length(spec->param_exprs), 1));
	ListCell   *le;
	ListCell   *lt;
	int			i = 0;

	forboth(le, spec->param_exprs, lt, spec->param_types)
	{
		params[i].type = lfirst_oid(lt);
		params[i].value = ExecEvalExpr((ExprState *) lfirst(le),
									   node->ss.ps.ps_ExprContext,
									   &params[i].isnull);
		i++;
	}
	return params;
}

static bool
same_requests(List *a, List *b)
{
	ListCell   *la;
	ListCell   *lb;

	if (list_length(a) != list_length(b))
		return false;
	forboth(la, a, lb, b)
	{
		if (!xero_same_request(lfirst(la), lfirst(lb)))
			return false;
	}
	return true;
}

/* All organisations of the server; may need the network. */
static void
load_organisations(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroScanSpec *spec = &state->spec;
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);

	spec->norganisations = xero_organisations(spec->server,
											  &spec->organisations);
	spec->tenants = palloc(sizeof(pg_uuid_t) * spec->norganisations);
	for (int i = 0; i < spec->norganisations; i++)
		spec->tenants[i] = spec->organisations[i].id;
	if (state->stats.progress == NULL)
		state->stats.progress = xero_progress_begin(spec->table->relid, "scan");
	MemoryContextSwitchTo(old);
}

/*
 * Some APIs exist in one country only.  What an organisation of another
 * country answers there may be an error, or records that are none of the
 * table's, so among several organisations it is not asked.
 */
static Bitmapset *
leave_out_foreigners(XeroScanState *state, Bitmapset *wanted)
{
	XeroScanSpec *spec = &state->spec;
	const char *country = spec->table->object->api->country;
	int			count = bms_num_members(wanted);
	XeroOrganisation **asked;
	int			i = -1;
	int			n = 0;

	if (country == NULL || spec->norganisations <= 1 || count == 0)
		return wanted;
	asked = palloc(sizeof(XeroOrganisation *) * count);
	while ((i = bms_next_member(wanted, i)) >= 0)
		asked[n++] = &spec->organisations[i];
	xero_learn_countries(spec->server, asked, n, &state->stats.calls);
	i = -1;
	while ((i = bms_next_member(wanted, i)) >= 0)
	{
		if (strcmp(spec->organisations[i].country, country) != 0)
			wanted = bms_del_member(wanted, i);
	}
	return wanted;
}

/* The organisations that a run asks. */
Bitmapset *
xero_choose_organisations(ForeignScanState *node, const XeroParamValue *params)
{
	XeroScanState *state = node->fdw_state;
	XeroScanSpec *spec = &state->spec;

	if (spec->organisations == NULL)
		load_organisations(node);
	return leave_out_foreigners(state,
								xero_wanted_organisations(spec->sent, params,
														  spec->tenants,
														  spec->norganisations));
}

/* A scan of each organisation that is wanted, in the current context. */
static void
make_org_scans(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroRun    *run = &state->run;
	XeroDecoder *decoder = &state->decoder;
	int			i = -1;

	run->org_scans = palloc0(sizeof(XeroOrgScan) *
							 Max(bms_num_members(run->wanted), 1));
	while ((i = bms_next_member(run->wanted, i)) >= 0)
	{
		XeroOrgScan *org_scan = &run->org_scans[run->norg_scans++];

		org_scan->organisation = &state->spec.organisations[i];
		org_scan->server = *state->spec.server;
		xero_speak_for(&org_scan->server, org_scan->organisation);
		if (decoder->tenant_attno)
			org_scan->tenant = OidInputFunctionCall(decoder->tenant_input,
													org_scan->organisation->tenant_id,
													decoder->tenant_ioparam,
													decoder->tenant_typmod);
	}
}

/*
 * Where the run begins.  The rows that OFFSET passes over need not be read if
 * one list has them all; else nothing is asked for ahead, as rows that come
 * early may not be wanted.
 */
static void
place_window(XeroScanState *state)
{
	XeroRun    *run = &state->run;
	XeroScanSpec *spec = &state->spec;
	const XeroRowWindow *window = &spec->window;
	const XeroObject *root = xero_root_object(spec->table->object);

	run->first_page = 1;
	run->skip = window->offset;
	run->ahead = spec->all_wanted;
	if (window->offset == 0 && window->rows < 0)
		return;					/* no window */
	if (run->norg_scans == 1 && list_length(run->requests) == 1)
	{
		int			size = xero_pager_page_size(root, spec->page_size);

		run->first_page = xero_window_page(root, run->requests,
										   spec->page_size, window->offset);
		run->skip -= (run->first_page - 1) * size;
		if (window->rows >= 0)
			run->last_page = run->first_page +
				(Min(window->rows, PG_INT32_MAX) + run->skip - 1) / size;
	}
	else
		run->ahead = false;
}

/* Throw away what a run has, its transfers included. */
static void
end_run(XeroScanState *state)
{
	XeroRun    *run = &state->run;

	if (run->sorter)
		tuplesort_end(run->sorter);
	if (run->cxt)
		MemoryContextDelete(run->cxt);
	memset(&state->run, 0, sizeof(XeroRun));
	memset(&state->page, 0, sizeof(XeroPage));
}

void
xero_begin_run(ForeignScanState *node, MemoryContext run_cxt, List *requests,
			   Bitmapset *wanted)
{
	XeroScanState *state = node->fdw_state;
	MemoryContext old = MemoryContextSwitchTo(run_cxt);

	if (state->answers)
		xero_keep_answer(node);
	end_run(state);
	state->run.cxt = run_cxt;
	state->counting.counts = NULL;
	state->run.requests = requests;
	state->run.wanted = wanted;
	state->stats.pages_total = -1;
	state->stats.records = -1;
	make_org_scans(node);
	place_window(state);
	if (state->kept.rows)
		tuplestore_clear(state->kept.rows);
	MemoryContextSwitchTo(old);
}

/*
 * Begin a run, unless its rows are known.  If its requests are those of the
 * run before and its rows were kept, replay them and go on from there.
 */
static bool
start_run(ForeignScanState *node, MemoryContext run_cxt)
{
	XeroScanState *state = node->fdw_state;
	XeroRun    *run = &state->run;
	XeroScanSpec *spec = &state->spec;
	XeroParamValue *params = evaluate_params(node);
	XeroCounting counting = {0};
	List	   *requests;
	Bitmapset  *wanted;

	if (state->answers && xero_find_answer(state, params))
	{
		state->stats.known_runs++;
		return false;
	}
	if (spec->batching.lookahead)
	{
		xero_ask_batch(node, params);
		return false;
	}
	requests = spec->counts != NIL ?
		xero_count_requests(state, params, &counting) :
		xero_build_requests(spec->rel, spec->sent, params, &spec->options);
	wanted = requests == NIL ? NULL : xero_choose_organisations(node, params);
	if (run->cxt && run->most_pages == 0 &&
		(state->kept.rows || state->counting.counts) &&
		same_requests(requests, run->requests) &&
		equal(counting.owners, state->counting.owners) &&
		bms_equal(wanted, run->wanted))
	{
		if (state->kept.rows)
		{
			tuplestore_rescan(state->kept.rows);
			state->kept.replaying = true;
		}
		return false;
	}
	if (state->answers && !bms_is_empty(wanted) &&
		xero_read_answers(node, params, list_length(requests),
						  bms_num_members(wanted)))
		return false;
	xero_begin_run(node, run_cxt, requests, wanted);
	xero_prepare_order(state, params);
	state->counting = counting;
	if (state->answers)
		xero_note_run(state, params);
	return true;
}

static bool
begin_or_go_on(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	MemoryContext run_cxt = AllocSetContextCreate(node->ss.ps.state->es_query_cxt,
												  "Xero scan run",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(run_cxt);
	bool		begun;

	state->started = true;
	state->spec.options.levels = xero_reader_levels(node);
	state->spec.cache = xero_reader_cache(node);
	state->counting.returned = 0;
	begun = start_run(node, run_cxt);
	MemoryContextSwitchTo(old);
	if (!begun)
		MemoryContextDelete(run_cxt);
	return begun;
}

/* As many scans wait for their first pages as one would for its own. */
void
xero_start_run(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	int			seats = state->spec.server->concurrency;

	if (!begin_or_go_on(node) || (!state->run.ahead && !state->next_is_wanted))
		return;
	xero_ask_first_pages(state);
	while ((node = state->next) != NULL && --seats > 0)
	{
		state = node->fdw_state;
		if (!state->started && begin_or_go_on(node))
			xero_ask_first_pages(state);
	}
}

/* The next row decides whether anything has to be asked for again. */
void
xeroReScanForeignScan(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;

	state->started = false;
	state->kept.replaying = false;
}

void
xeroEndForeignScan(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;

	if (state == NULL)
		return;					/* EXPLAIN without ANALYZE */
	xero_note_list_size(state);
	end_run(state);
	if (state->kept.rows)
		tuplestore_end(state->kept.rows);
	xero_end_answers(state);
	if (state->kept.slot)
		ExecDropSingleTupleTableSlot(state->kept.slot);
	if (state->stats.progress)
		xero_progress_end(state->stats.progress);
}
