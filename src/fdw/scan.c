/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Running a scan: targets -> pages -> rows.
 *
 * A scan asks for one or more targets (lists, or single records), each page
 * by page, and decodes rows straight into the scan's slot.
 *
 * The list may change while it is being read.  Pages are asked for in the
 * order of an immutable key, so a change shifts rows by whole places only:
 * records that come again are dropped by their key, and when the item count
 * fell between two pages, the page before is read once more, as records may
 * have moved there.  A scan that in spite of that ends with fewer records
 * than Xero counted fails; it never returns a part.
 *
 * Rows are kept in a tuplestore only where the plan may run the scan again;
 * a rescan that would send the same requests then replays them.
 *
 * All state lives in the executor's query context; what belongs to one run
 * (targets, transfers) in run_cxt, whose deletion abandons transfers.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan.h"

#include "access/table.h"
#include "api/tenant.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* How often one page is read again before the scan gives up. */
#define MAX_REREADS 5

/* Transfers of pages ahead are looked after once in so many rows. */
#define ROWS_PER_PUMP 64

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
										   table->object, state->server,
										   columns, n, &state->stats);
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
	state->values = palloc(sizeof(Datum) * state->nfields);
	state->nulls = palloc(sizeof(bool) * state->nfields);
}

void
xeroBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	List	   *private = plan->fdw_private;
	Relation	rel;
	const char *order;
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

	state->sent = list_nth(private, XERO_SCAN_SENT);
	state->shape.forms = intVal(list_nth(private, XERO_SCAN_FORMS));
	order = strVal(list_nth(private, XERO_SCAN_ORDER));
	state->shape.order = *order ? order : NULL;
	state->page_size = intVal(list_nth(private, XERO_SCAN_PAGE_SIZE));
	state->ahead = boolVal(list_nth(private, XERO_SCAN_AHEAD));
	state->keep = boolVal(list_nth(private, XERO_SCAN_KEEP)) ||
		(eflags & EXEC_FLAG_REWIND) != 0;

	state->param_exprs = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
	foreach(lc, plan->fdw_exprs)
		state->param_types = lappend_oid(state->param_types,
										 exprType(lfirst(lc)));

	init_fields(state, list_nth(private, XERO_SCAN_WANTED), rel, estate);
	if (state->keep)
	{
		state->kept = tuplestore_begin_heap(false, false, work_mem);
		tuplestore_set_eflags(state->kept, EXEC_FLAG_REWIND);
		state->kept_slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsMinimalTuple);
	}
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
same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
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
			!same_string(ta->modified_since, tb->modified_since))
			return false;
	}
	return true;
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
	List	   *targets = xero_build_targets(state->rel, state->sent,
											 evaluate_params(node),
											 &state->shape);

	state->started = true;
	if (state->run_cxt && state->keep &&
		same_targets(targets, state->targets))
	{
		MemoryContextSwitchTo(old);
		MemoryContextDelete(run_cxt);
		tuplestore_rescan(state->kept);
		state->replaying = true;
		return;
	}

	if (state->run_cxt)
		MemoryContextDelete(state->run_cxt);
	state->run_cxt = run_cxt;
	state->counted = false;
	state->targets = targets;
	state->pagers = palloc0(sizeof(XeroPager *) * Max(list_length(targets), 1));
	state->target = 0;
	state->pager = NULL;
	state->page_open = false;
	if (state->kept)
		tuplestore_clear(state->kept);

	/* set-up that may need the network waits until rows are asked for */
	if (targets != NIL)
	{
		MemoryContextSwitchTo(estate->es_query_cxt);
		xero_resolve_tenant(state->server);
		if (state->tenant_attno)
			state->tenant = DirectFunctionCall1(uuid_in,
												CStringGetDatum(state->server->tenant_id));
		if (state->progress == NULL)
			state->progress = xero_progress_begin(state->table->relid, "scan");
	}
	MemoryContextSwitchTo(old);
}

/* Keys are remembered where pages can overlap and the key is a uuid. */
static XeroSeen *
make_seen(XeroScanState *state)
{
	const XeroObject *root = xero_root_object(state->table->object);

	if ((root->paging != XERO_PAGING_PAGE && root->paging != XERO_PAGING_BARE) ||
		state->key_field < 0 ||
		state->fields[state->key_field].type != UUIDOID)
		return NULL;
	return xero_seen_create(state->run_cxt);
}

static XeroPager *
make_pager(XeroScanState *state, const XeroTarget *target)
{
	XeroPagerSpec spec = {0};

	spec.path = target->path;
	spec.query = target->query;
	spec.modified_since = target->modified_since;
	spec.single = target->single;
	spec.object = xero_root_object(state->table->object);
	spec.page_size = state->page_size;
	spec.ahead = state->ahead;
	spec.stats = &state->stats;
	return xero_pager_begin(state->run_cxt, state->server, &spec);
}

/*
 * Turn to the next target.  Where all rows will be wanted, the first requests
 * of those after it are sent along.
 */
static void
begin_target(XeroScanState *state)
{
	XeroTarget *target = list_nth(state->targets, state->target);
	int			ahead = state->ahead ? state->server->concurrency : 1;
	int			last = Min(state->target + ahead, list_length(state->targets));

	for (int i = state->target; i < last; i++)
	{
		if (state->pagers[i] == NULL)
		{
			state->pagers[i] = make_pager(state, list_nth(state->targets, i));
			xero_pager_start(state->pagers[i]);
		}
	}
	state->pager = state->pagers[state->target];
	state->items = -1;
	state->fewest_items = -1;
	state->records = 0;
	state->offset = 0;
	state->rereading = false;
	state->seen = target->single ? NULL : make_seen(state);
}

/* Every record that Xero counted on every page must have come. */
static void
end_target(XeroScanState *state)
{
	if (state->fewest_items >= 0 && state->records < state->fewest_items)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("foreign table \"%s\" was not read completely",
						state->table->name),
				 errdetail("Xero counted %.0f records but sent %.0f.",
						   state->fewest_items, state->records),
				 errhint("The list changed while it was being read. Run the statement again.")));
	xero_pager_free(state->pager);
	state->pager = NULL;
	state->target++;
}

static void
show_progress(XeroScanState *state)
{
	if (state->progress == NULL)
		return;
	state->progress->pages_done = state->pages - (state->page_open ? 1 : 0);
	state->progress->pages_total = xero_pager_pages(state->pager);
	state->progress->rows = state->rows;
	state->progress->bytes_in = state->stats.bytes_in;
}

/* The planner remembers how many records the whole list has. */
void
xero_note_records(XeroScanState *state, double records)
{
	if (state->sent == NIL)
		xero_remember_records(state->table->relid, records);
}

/* Open the next page; false at the end of the run. */
static bool
open_page(XeroScanState *state)
{
	for (;;)
	{
		const XeroResponse *response;
		const XeroPageInfo *info;

		CHECK_FOR_INTERRUPTS();
		if (state->pager == NULL)
		{
			if (state->target >= list_length(state->targets))
				return false;
			begin_target(state);
		}
		response = xero_pager_next(state->pager);
		if (response == NULL)
		{
			end_target(state);
			continue;
		}
		if (response->status == 404)
		{
			/* a single record that does not exist */
			xero_pager_end_page(state->pager, 0, 0);
			continue;
		}

		xero_reader_open(state->reader, response->body, response->len,
						 response->detail);
		info = xero_reader_info(state->reader);
		if (info->page_count >= 0)
			xero_pager_set_pages(state->pager, info->page_count);
		if (info->item_count >= 0)
			xero_note_records(state, info->item_count);
		state->pages++;
		show_progress(state);
		if (state->seen)
			xero_seen_next_page(state->seen);
		state->page_open = true;
		state->page_repeated = 0;
		state->last_known = false;
		return true;
	}
}

/*
 * The page is consumed: check it against the ones before, and let the pager
 * know where the list goes on.
 */
static void
close_page(XeroScanState *state)
{
	const XeroPageInfo *info = xero_reader_info(state->reader);
	int64		records = xero_reader_records(state->reader);
	double		items = info->item_count;
	bool		shrunk = items >= 0 && items < state->items;

	state->page_open = false;
	state->records += records - state->page_repeated;

	if (state->rereading)
		state->rereads++;
	else
	{
		if (records > 0 && state->page_repeated == records)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
					 errmsg("Xero sent the same page of foreign table \"%s\" again",
							state->table->name),
					 errdetail("Page " INT64_FORMAT " holds no record that was not on the pages before.",
							   xero_pager_page(state->pager))));
		if (info->page_count >= 0)
			xero_pager_set_pages(state->pager, info->page_count);
		xero_pager_end_page(state->pager, records, state->offset);
		state->rereads = 0;
	}

	if (items >= 0)
	{
		if (state->fewest_items < 0 || items < state->fewest_items)
			state->fewest_items = items;
		state->items = items;
	}
	state->rereading = shrunk && xero_pager_page(state->pager) > 1;
	if (state->rereading)
	{
		if (state->rereads >= MAX_REREADS)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
					 errmsg("foreign table \"%s\" keeps changing while it is being read",
							state->table->name),
					 errhint("Run the statement again.")));
		xero_pager_reread(state->pager);
	}
	show_progress(state);
}

/*
 * Has the present row's record been returned from an earlier page?  The rows
 * of a child table come with their record's key, several in succession.
 */
static bool
is_repeated(XeroScanState *state)
{
	pg_uuid_t  *key;

	if (state->seen == NULL || state->nulls[state->key_field])
		return false;
	key = DatumGetUUIDP(state->values[state->key_field]);
	if (state->last_known &&
		memcmp(state->last_key.data, key->data, UUID_LEN) == 0)
		return state->last_repeated;

	state->last_known = true;
	state->last_key = *key;
	state->last_repeated = !xero_seen_add(state->seen, key);
	if (state->last_repeated)
		state->page_repeated++;
	return state->last_repeated;
}

/* The key of the present record as it stands in a path. */
static char *
present_key(XeroScanState *state)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(state->fields[state->key_field].type, &output, &varlena);
	return OidOutputFunctionCall(output, state->values[state->key_field]);
}

/* The present fields as a row of the table; false if the record is gone. */
static bool
fill_slot(XeroScanState *state, TupleTableSlot *slot)
{
	XeroTarget *target = list_nth(state->targets, state->target);

	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < state->nfields; i++)
	{
		int			attno = state->field_attnos[i];

		if (attno == 0)
			continue;
		slot->tts_values[attno - 1] = state->values[i];
		slot->tts_isnull[attno - 1] = state->nulls[i];
	}
	if (state->tenant_attno)
	{
		slot->tts_values[state->tenant_attno - 1] = state->tenant;
		slot->tts_isnull[state->tenant_attno - 1] = false;
	}
	if (state->detail && target->single)
		xero_detail_mask(state->detail, state->values, state->nulls,
						 slot->tts_isnull);
	else if (state->detail)
		return xero_detail_fill(state->detail, present_key(state),
								state->values, state->nulls,
								slot->tts_values, slot->tts_isnull);
	return true;
}

/* Fetch the next row into the slot; false at the end. */
static bool
fetch_row(XeroScanState *state, TupleTableSlot *slot)
{
	for (;;)
	{
		if (!state->page_open && !open_page(state))
			return false;
		if (!xero_reader_next(state->reader, state->values, state->nulls))
		{
			close_page(state);
			continue;
		}
		if (state->offset_field >= 0 && !state->nulls[state->offset_field])
			state->offset = DatumGetInt32(state->values[state->offset_field]);
		if (is_repeated(state) || !fill_slot(state, slot))
			continue;
		if (state->rows++ % ROWS_PER_PUMP == 0)
			xero_call_pump();
		return true;
	}
}

/* Called in the per-tuple context: what the slot holds lives there. */
TupleTableSlot *
xeroIterateForeignScan(ForeignScanState *node)
{
	XeroScanState *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	int			natts = slot->tts_tupleDescriptor->natts;

	if (node->ss.ss_currentRelation == NULL)
		return xero_iterate_count(node);

	ExecClearTuple(slot);
	if (!state->started)
		xero_start_run(node);

	if (state->replaying)
	{
		if (tuplestore_gettupleslot(state->kept, true, false, state->kept_slot))
		{
			slot_getallattrs(state->kept_slot);
			memcpy(slot->tts_values, state->kept_slot->tts_values,
				   sizeof(Datum) * natts);
			memcpy(slot->tts_isnull, state->kept_slot->tts_isnull,
				   sizeof(bool) * natts);
			return ExecStoreVirtualTuple(slot);
		}
		state->replaying = false;
	}

	if (!fetch_row(state, slot))
		return slot;
	ExecStoreVirtualTuple(slot);
	if (state->kept)
		tuplestore_puttupleslot(state->kept, slot);
	return slot;
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
	if (state->run_cxt)
		MemoryContextDelete(state->run_cxt);
	state->run_cxt = NULL;
	if (state->kept)
		tuplestore_end(state->kept);
	if (state->kept_slot)
		ExecDropSingleTupleTableSlot(state->kept_slot);
	if (state->progress)
		xero_progress_end(state->progress);
}
