/*-------------------------------------------------------------------------
 *
 * begin.c
 *	  Beginning, repeating and ending a scan.
 *
 * What is settled once for a scan (table, server, the fields to decode) is
 * set up without the network.  A run is what lies between two changes of the
 * parameters: it has its targets and its transfers, which live in run_cxt and
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
#include "base/text.h"
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
	bool		from_parent = state->table->object->parent != NULL;
	XeroField  *field;

	for (int i = 0; i < state->nfields; i++)
	{
		field = &state->fields[i];
		if (pg_strcasecmp(field->path, path) == 0 && field->type == type &&
			field->from_parent == from_parent)
			return i;
	}
	field = &state->fields[state->nfields];
	field->path = path;
	field->from_parent = from_parent;
	field->type = type;
	field->typmod = -1;
	field->column = path;
	state->field_attnos[state->nfields] = 0;
	return state->nfields++;
}

/* Columns among the wanted ones that lists lack. */
static void
init_detail(XeroScanState *state, EState *estate)
{
	XeroTable  *table = state->table;
	XeroDetailColumn *columns = palloc(sizeof(XeroDetailColumn) * Max(state->nfields, 1));
	int			visible = state->nfields;
	int			n = 0;

	for (int i = 0; i < visible; i++)
	{
		AttrNumber	attno = state->field_attnos[i];
		const XeroColumn *known;

		if (attno == 0)
			continue;
		known = table->columns[attno - 1].known;
		if (known == NULL || (known->forms & XERO_FORM_LIST))
			continue;
		columns[n].field = state->fields[i];
		columns[n].attno = attno;
		columns[n].flag_field = known->detail_if ?
			need_field(state, known->detail_if, BOOLOID) : -1;
		n++;
	}
	if (n > 0)
		state->detail = xero_detail_create(estate->es_query_cxt, table->name,
										   table->object, columns, n, &state->stats);
}

static void
init_fields(XeroScanState *state, List *wanted, Relation rel, EState *estate)
{
	const XeroObject *root = xero_root_object(state->table->object);
	TupleDesc	desc = RelationGetDescr(rel);
	int			max = list_length(wanted) * 2 + 2;
	const XeroColumn *column;
	ListCell   *lc;

	state->fields = palloc0(sizeof(XeroField) * max);
	state->field_attnos = palloc0(sizeof(int) * max);
	foreach(lc, wanted)
	{
		AttrNumber	attno = intVal(lfirst(lc));
		Form_pg_attribute att = TupleDescAttr(desc, attno - 1);
		XeroField  *field = &state->fields[state->nfields];

		if (state->table->columns[attno - 1].is_tenant)
		{
			state->tenant_attno = attno;
			state->tenant_typmod = att->atttypmod;
			getTypeInputInfo(att->atttypid, &state->tenant_input,
							 &state->tenant_ioparam);
			continue;
		}
		field->path = state->table->columns[attno - 1].path;
		field->from_parent = state->table->columns[attno - 1].from_parent;
		field->type = att->atttypid;
		field->typmod = att->atttypmod;
		field->column = pstrdup(NameStr(att->attname));
		state->field_attnos[state->nfields++] = attno;
	}

	column = root_column(state->table, root->key);
	state->key_field = column ?
		need_field(state, column->field, xero_type_oid(column->type)) : -1;
	column = root_column(state->table, root->offset_column);
	state->offset_field = column ?
		need_field(state, column->field, xero_type_oid(column->type)) : -1;
	init_detail(state, estate);

	state->reader = xero_reader_create(estate->es_query_cxt, state->table->name,
									   root->wrapper, state->table->object->array,
									   state->fields, state->nfields,
									   state->key_field);
	if (xero_lists_lack_rows(state->table->object))
	{
		state->parts = state->reader;
		state->reader = xero_reader_create(estate->es_query_cxt,
										   state->table->name, root->wrapper,
										   NULL, state->fields, state->nfields,
										   state->key_field);
		state->part_cxt = AllocSetContextCreate(estate->es_query_cxt,
												"Xero record",
												ALLOCSET_SMALL_SIZES);
	}
	state->values = palloc(sizeof(Datum) * state->nfields);
	state->nulls = palloc(sizeof(bool) * state->nfields);
}

/* What the planner has settled. */
static void
read_plan(XeroScanState *state, ForeignScan *plan)
{
	List	   *private = plan->fdw_private;
	const char *order = strVal(list_nth(private, XERO_SCAN_ORDER));
	List	   *sort = list_nth(private, XERO_SCAN_SORT);

	state->sent = list_nth(private, XERO_SCAN_SENT);
	state->shape.forms = intVal(list_nth(private, XERO_SCAN_FORMS));
	state->shape.order = *order ? order : NULL;
	state->page_size = intVal(list_nth(private, XERO_SCAN_PAGE_SIZE));
	state->all_wanted = boolVal(list_nth(private, XERO_SCAN_AHEAD));
	state->whole = boolVal(list_nth(private, XERO_SCAN_WHOLE));
	state->counts = boolVal(list_nth(private, XERO_SCAN_COUNTS));
	if (!xero_read_window(plan, &state->window))
		state->window.rows = -1;
	state->keep = state->whole || boolVal(list_nth(private, XERO_SCAN_KEEP));
	if (sort != NIL)
	{
		state->order_attno = intVal(linitial(sort));
		state->order_descends = boolVal(lsecond(sort));
		state->order_rows = intVal(lthird(sort));
	}
}

void
xeroBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	List	   *private = plan->fdw_private;
	Relation	rel;
	Oid			check_as_user;
	XeroScanState *state;
	ListCell   *lc;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	state = palloc0(sizeof(XeroScanState));
	node->fdw_state = state;
	rel = table_open((Oid) intVal(list_nth(private, XERO_SCAN_RELID)), NoLock);
	state->table = xero_get_table(rel);
	state->rel = xero_rel_from_table(state->table, plan->scan.scanrelid);

	/* a view's owner, or the current user */
	check_as_user = xero_check_as_user(node);
	state->server = xero_get_server(state->table->serverid,
									OidIsValid(check_as_user) ? check_as_user : GetUserId());

	read_plan(state, plan);
	if (state->window.whole_row)
		state->whole_row = CreateTupleDescCopy(RelationGetDescr(rel));
	state->keep = state->keep || (eflags & EXEC_FLAG_REWIND) != 0;

	state->param_exprs = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
	foreach(lc, plan->fdw_exprs)
		state->param_types = lappend_oid(state->param_types,
										 exprType(lfirst(lc)));

	init_fields(state, list_nth(private, XERO_SCAN_WANTED), rel, estate);
	if (state->keep)
	{
		state->kept = tuplestore_begin_heap(false, false, work_mem);
		tuplestore_set_eflags(state->kept, EXEC_FLAG_REWIND);
	}
	if (state->keep || state->order_rows > 0)
		state->row_slot = MakeSingleTupleTableSlot(node->ss.ss_ScanTupleSlot->tts_tupleDescriptor,
												   &TTSOpsMinimalTuple);
	table_close(rel, NoLock);
}

/* Evaluate the run-time parameters in the current context. */
static XeroParamValue *
evaluate_params(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	XeroParamValue *params = palloc(sizeof(XeroParamValue) *
									Max(list_length(state->param_exprs), 1));
	ListCell   *le;
	ListCell   *lt;
	int			i = 0;

	forboth(le, state->param_exprs, lt, state->param_types)
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
same_targets(List *a, List *b)
{
	ListCell   *la;
	ListCell   *lb;

	if (list_length(a) != list_length(b))
		return false;
	forboth(la, a, lb, b)
	{
		XeroTarget *ta = lfirst(la);
		XeroTarget *tb = lfirst(lb);

		if (strcmp(ta->path, tb->path) != 0 ||
			strcmp(ta->query, tb->query) != 0 ||
			!xero_same_text(ta->modified_since, tb->modified_since))
			return false;
	}
	return true;
}

/* All organisations of the server; may need the network. */
static void
load_organisations(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);

	state->norganisations = xero_organisations(state->server,
											   &state->organisations);
	state->tenants = palloc(sizeof(pg_uuid_t) * state->norganisations);
	for (int i = 0; i < state->norganisations; i++)
		state->tenants[i] = state->organisations[i].id;
	if (state->progress == NULL)
		state->progress = xero_progress_begin(state->table->relid, "scan");
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
	const char *country = state->table->object->api->country;
	int			count = bms_num_members(wanted);
	XeroOrganisation **asked;
	int			i = -1;
	int			n = 0;

	if (country == NULL || state->norganisations <= 1 || count == 0)
		return wanted;
	asked = palloc(sizeof(XeroOrganisation *) * count);
	while ((i = bms_next_member(wanted, i)) >= 0)
		asked[n++] = &state->organisations[i];
	xero_learn_countries(state->server, asked, n, &state->stats);
	i = -1;
	while ((i = bms_next_member(wanted, i)) >= 0)
	{
		if (strcmp(state->organisations[i].country, country) != 0)
			wanted = bms_del_member(wanted, i);
	}
	return wanted;
}

/* The organisations that a run asks. */
static Bitmapset *
choose_organisations(ForeignScanState *node, const XeroParamValue *params)
{
	XeroScanState *state = node->fdw_state;

	if (state->organisations == NULL)
		load_organisations(node);
	return leave_out_foreigners(state,
								xero_wanted_tenants(state->sent, params,
													state->tenants,
													state->norganisations));
}

/* A stream for each organisation that is wanted, in the current context. */
static void
make_streams(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	int			i = -1;

	state->nstreams = state->nbegun = state->nopen = 0;
	state->stream = NULL;
	state->streams = palloc0(sizeof(XeroStream) *
							 Max(bms_num_members(state->wanted), 1));
	while ((i = bms_next_member(state->wanted, i)) >= 0)
	{
		XeroStream *stream = &state->streams[state->nstreams++];

		stream->organisation = &state->organisations[i];
		stream->server = *state->server;
		xero_speak_for(&stream->server, stream->organisation);
		if (state->tenant_attno)
			stream->tenant = OidInputFunctionCall(state->tenant_input,
												  stream->organisation->tenant_id,
												  state->tenant_ioparam,
												  state->tenant_typmod);
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
	const XeroRowWindow *window = &state->window;
	const XeroObject *root = xero_root_object(state->table->object);

	state->returned = 0;
	state->first_page = 1;
	state->last_page = 0;
	state->skip = window->offset;
	state->ahead = state->all_wanted;
	if (window->offset == 0 && window->rows < 0)
		return;					/* no window */
	if (state->nstreams == 1 && list_length(state->targets) == 1)
	{
		int			size = xero_pager_page_size(root, state->page_size);

		state->first_page = xero_window_page(root, state->targets,
											 state->page_size, window->offset);
		state->skip -= (state->first_page - 1) * size;
		if (window->rows >= 0)
			state->last_page = state->first_page +
				(Min(window->rows, PG_INT32_MAX) + state->skip - 1) / size;
	}
	else
		state->ahead = false;
}

/* Throw away what a run has, its transfers included. */
static void
end_run(XeroScanState *state)
{
	if (state->sorter)
		tuplesort_end(state->sorter);
	state->sorter = NULL;
	if (state->run_cxt)
		MemoryContextDelete(state->run_cxt);
	state->run_cxt = NULL;
}

/*
 * Begin a run: settle the requests.  If they are those of the run before and
 * its rows were kept, replay them and go on from there.
 */
void
xero_start_run(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	EState	   *estate = node->ss.ps.state;
	MemoryContext run_cxt = AllocSetContextCreate(estate->es_query_cxt,
												  "Xero scan run",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(run_cxt);
	XeroParamValue *params = evaluate_params(node);
	List	   *targets = xero_build_targets(state->rel, state->sent, params,
											 &state->shape);
	Bitmapset  *wanted = targets == NIL ? NULL :
	choose_organisations(node, params);

	state->started = true;
	state->count_returned = false;
	if (state->run_cxt && (state->kept || state->counted) &&
		same_targets(targets, state->targets) &&
		bms_equal(wanted, state->wanted))
	{
		MemoryContextSwitchTo(old);
		MemoryContextDelete(run_cxt);
		if (state->kept)
		{
			tuplestore_rescan(state->kept);
			state->replaying = true;
		}
		return;
	}

	end_run(state);
	state->run_cxt = run_cxt;
	state->counted = false;
	state->drained = false;
	state->targets = targets;
	state->wanted = wanted;
	state->pages_total = -1;
	state->records = -1;
	state->page_open = false;
	state->part_open = false;
	make_streams(node);
	place_window(state);
	if (state->kept)
		tuplestore_clear(state->kept);
	MemoryContextSwitchTo(old);
}

/* The next row decides whether anything has to be asked for again. */
void
xeroReScanForeignScan(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;

	state->started = false;
	state->replaying = false;
}

void
xeroEndForeignScan(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;

	if (state == NULL)
		return;					/* EXPLAIN without ANALYZE */
	xero_note_scan(state);
	end_run(state);
	if (state->kept)
		tuplestore_end(state->kept);
	if (state->row_slot)
		ExecDropSingleTupleTableSlot(state->row_slot);
	if (state->progress)
		xero_progress_end(state->progress);
}
