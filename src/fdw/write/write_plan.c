/*-------------------------------------------------------------------------
 *
 * write_plan.c
 *	  Planning of INSERT, UPDATE and DELETE: what Xero offers, which old values
 *	  are needed, and how the requests look.
 *
 * Old values come as junk columns of the plan, each under a name of its own: a
 * record's key, the status that decides how it ends, columns that an update
 * must carry, and of a DELETE what RETURNING shows.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "base/urlencode.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

char *
xero_junk_name(Oid relid, AttrNumber attno)
{
	return psprintf("xero_%u_%d", relid, attno);
}

AttrNumber
xero_attribute_of(const XeroTable *table, const char *column)
{
	for (int i = 0; i < table->natts; i++)
	{
		const XeroColumn *known = table->columns[i].known;

		if (known != NULL && strcmp(known->name, column) == 0)
			return i + 1;
	}
	return InvalidAttrNumber;
}

AttrNumber
xero_total_attribute(const XeroTable *table)
{
	const XeroWriteRules *rules = table->object->writes;

	for (int i = 0; i < rules->nfollows; i++)
	{
		if (strcmp(rules->follows[i].gives, "total") == 0)
			return xero_attribute_of(table, "total");
	}
	return InvalidAttrNumber;
}

static int
operation_mask(CmdType operation)
{
	switch (operation)
	{
		case CMD_INSERT:
			return XERO_OP_CREATE;
		case CMD_UPDATE:
			return XERO_OP_UPDATE;
		default:
			return XERO_OP_DELETE | XERO_OP_VOID;
	}
}

/* What there is instead, in a sentence. */
static char *
offer_hint(const XeroObject *object)
{
	const XeroWriteRules *rules = object->writes;
	StringInfoData hint;

	initStringInfo(&hint);
	if (object->operations & XERO_OP_CREATE)
		appendStringInfoString(&hint, "INSERT");
	if (object->operations & XERO_OP_UPDATE)
		appendStringInfo(&hint, "%sUPDATE", hint.len > 0 ? ", " : "");
	if (object->operations & (XERO_OP_DELETE | XERO_OP_VOID))
		appendStringInfo(&hint, "%sDELETE", hint.len > 0 ? ", " : "");
	if (hint.len > 0)
		return psprintf("Xero offers: %s.%s%s", hint.data,
						rules->ending_hint ? " " : "",
						rules->ending_hint ? rules->ending_hint : "");
	if (rules != NULL)
		return pstrdup(rules->ending_hint);
	if (object->parent != NULL)
	{
		const XeroColumn *array = xero_find_field(object->parent,
												  object->array);

		if (array != NULL && (array->flags & XERO_COL_WRITABLE))
			return psprintf("Set column \"%s\" of \"%s\" instead.",
							array->name, object->parent->table_name);
	}
	return pstrdup("Xero offers it for reading only.");
}

List *
xero_identity_attributes(const XeroTable *table)
{
	const XeroObject *object = table->object;
	List	   *attnos = NIL;

	for (int i = 0; i < table->natts; i++)
	{
		const XeroColumn *known = table->columns[i].known;

		if (known != NULL && !(known->flags & XERO_COL_PARENT) &&
			(object->key == NULL || strcmp(known->name, object->key) == 0))
			attnos = lappend_int(attnos, i + 1);
	}
	return attnos;
}

/* An ERROR if the table lacks a column that says which record is meant. */
static void
check_identity(const XeroTable *table, const XeroObject *object,
			   const char *message)
{
	if (object->key == NULL ||
		xero_attribute_of(table, object->key) != InvalidAttrNumber)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
			 errmsg(message, table->name),
			 errdetail("It has no column for %s, which identifies a record.",
					   xero_find_column(object, object->key)->field)));
}

void
xero_check_operation(const XeroTable *table, CmdType operation)
{
	static const char *const messages[] = {
		[CMD_INSERT] = "cannot insert into foreign table \"%s\"",
		[CMD_UPDATE] = "cannot update foreign table \"%s\"",
		[CMD_DELETE] = "cannot delete from foreign table \"%s\"",
	};

	if (table->object->writes == NULL ||
		!(table->object->operations & operation_mask(operation)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg(messages[operation], table->name),
				 errdetail("Xero does not offer this for %s.",
						   table->object->name),
				 errhint("%s", offer_hint(table->object))));
	if (table->object->parent != NULL)
		check_identity(table, table->object->parent, messages[operation]);
	if (operation != CMD_INSERT)
		check_identity(table, table->object, messages[operation]);
	xero_check_updatable(table, operation, InvalidOid);
}

void
xero_check_updatable(const XeroTable *table, CmdType operation, Oid userid)
{
	static const char *const messages[] = {
		[CMD_INSERT] = "foreign table \"%s\" does not allow inserts",
		[CMD_UPDATE] = "foreign table \"%s\" does not allow updates",
		[CMD_DELETE] = "foreign table \"%s\" does not allow deletes",
	};
	const char *place = xero_read_only_option(table, userid);

	if (place != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg(messages[operation], table->name),
				 errdetail("The option \"updatable\" of %s is false.", place)));
}

/*
 * The executor asks this of tables that it writes to in another's name, as
 * those of views.  Whose user mapping that is, it does not say.
 */
int
xeroIsForeignRelUpdatable(Relation rel)
{
	XeroTable  *table = xero_get_table(rel);
	int			events = 0;

	if (table->object->writes == NULL ||
		xero_read_only_option(table, InvalidOid) != NULL)
		return 0;
	for (CmdType operation = CMD_UPDATE; operation <= CMD_DELETE; operation++)
	{
		if (table->object->operations & operation_mask(operation))
			events |= 1 << operation;
	}
	return events;
}

/*-------------------------------------------------------------------------
 * Requests
 *-------------------------------------------------------------------------
 */

/* Does the DELETE method end every record of the object? */
static bool
ends_by_method(const XeroWriteRules *rules)
{
	return rules->nendings == 1 && rules->endings[0].becomes == NULL;
}

int
xero_write_batch(const XeroTable *table, CmdType operation, bool singly)
{
	const XeroWriteRules *rules = table->object->writes;
	int			most;

	if (rules == NULL || singly)
		return 1;
	if (rules->place == XERO_PLACE_INSIDE)
		most = table->object->max_batch;
	else if (operation == CMD_INSERT)
		most = rules->statuses || rules->repeatable ? table->object->max_batch : 1;
	else
		most = operation == CMD_DELETE && ends_by_method(rules) ? 1 :
			rules->update_batch;
	return Max(Min(most, table->batch_size), 1);
}

/*
 * The object whose records requests are about; what is inside of one is
 * written by its update.
 */
static const XeroObject *
request_object(const XeroTable *table, CmdType *operation)
{
	const XeroObject *object = xero_written_object(table->object);

	if (object != table->object)
		*operation = CMD_UPDATE;
	return object;
}

const char *
xero_write_method(const XeroTable *table, CmdType operation, int batch)
{
	const XeroWriteRules *rules = request_object(table, &operation)->writes;

	if (operation == CMD_INSERT)
		return rules->create;
	if (operation == CMD_DELETE && ends_by_method(rules))
		return "DELETE";
	return batch > 1 ? "POST" : rules->update;
}

static bool
is_own_path(const XeroWriteRules *rules, CmdType operation, int batch)
{
	return operation != CMD_INSERT && batch <= 1 && !rules->by_body;
}

/*
 * A key in a path, or its name in braces.  Keys are Xero's, and plain; but
 * they came from a column.
 */
static char *
encode_key(const XeroObject *object, const char *key)
{
	StringInfoData path;

	if (key == NULL)
		return psprintf("{%s}", object->key);
	initStringInfo(&path);
	xero_append_encoded(&path, key, "-");
	return path.data;
}

char *
xero_record_path(const XeroObject *object, const char *key)
{
	return psprintf("%s/%s/%s", object->api->base, xero_object_path(object),
					encode_key(object, key));
}

void
xero_append_whole_list(StringInfo query, const XeroObject *object)
{
	for (int i = 0; i < object->nparams; i++)
	{
		if (object->params[i].kind == XERO_PARAM_ARCHIVED)
			appendStringInfo(query, "&%s=true", object->params[i].name);
	}
	appendStringInfo(query, "&page=1&pageSize=%d%s",
					 object->default_page_size,
					 object->has_unitdp ? "&unitdp=4" : "");
}

/* Keys are NULL for EXPLAIN, which has none. */
char *
xero_write_path(const XeroTable *table, CmdType operation, int batch,
				const char *parent_key, const char *key)
{
	const XeroObject *object = request_object(table, &operation);
	const XeroWriteRules *rules = object->writes;
	char	   *list;

	if (rules->place == XERO_PLACE_BELOW)
		list = psprintf("%s/%s", xero_record_path(object->parent, parent_key),
						object->array);
	else
		list = psprintf("%s/%s", object->api->base, xero_object_path(object));
	if (!is_own_path(rules, operation, batch))
		return list;
	return psprintf("%s/%s", list,
					encode_key(object, object == table->object ? key : parent_key));
}

char *
xero_write_query(const XeroTable *table, CmdType operation, int batch,
				 bool backorders)
{
	const char *method = xero_write_method(table, operation, batch);
	const XeroWriteRules *rules = request_object(table, &operation)->writes;
	bool		statuses = rules->statuses &&
	!is_own_path(rules, operation, batch);
	bool		unitdp = table->object->has_unitdp &&
	rules->place != XERO_PLACE_BELOW && strcmp(method, "DELETE") != 0;

	StringInfoData query;

	initStringInfo(&query);
	if (statuses)
		appendStringInfoString(&query, "&summarizeErrors=false");
	if (unitdp)
		appendStringInfoString(&query, "&unitdp=4");
	if (rules->backorders && backorders)
		appendStringInfoString(&query, "&allowBackorders=true");
	return query.len > 0 ? query.data + 1 : query.data;
}

/*-------------------------------------------------------------------------
 * Planning
 *-------------------------------------------------------------------------
 */

static void
add_target(PlannerInfo *root, Index rtindex, Relation rel, AttrNumber attno)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

	if (att->attisdropped)
		return;
	add_row_identity_var(root,
						 makeVar(rtindex, attno, att->atttypid,
								 att->atttypmod, att->attcollation, 0),
						 rtindex,
						 xero_junk_name(RelationGetRelid(rel), attno));
}

AttrNumber
xero_needed_attribute(const XeroTable *table, const char *column)
{
	AttrNumber	attno = xero_attribute_of(table, column);

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("foreign table \"%s\" has no column for %s",
						table->name,
						xero_find_column(table->object, column)->field),
				 errdetail("Xero needs its present value to change or end a record.")));
	return attno;
}

/* One is needed once. */
static List *
add_needed(List *columns, const char *column)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		if (strcmp(lfirst(lc), column) == 0)
			return columns;
	}
	return lappend(columns, unconstify(char *, column));
}

List *
xero_needed_columns(const XeroTable *table, CmdType operation)
{
	const XeroWriteRules *rules = table->object->writes;
	List	   *columns = NIL;

	if (operation == CMD_INSERT)
		return NIL;
	if (table->object->parent != NULL)
		columns = add_needed(columns, table->object->parent->key);
	if (table->object->key != NULL)
		columns = add_needed(columns, table->object->key);
	if (operation == CMD_DELETE && rules->status != NULL)
		columns = add_needed(columns, rules->status);
	if (operation == CMD_UPDATE || !ends_by_method(rules))
	{
		for (int i = 0; i < lengthof(rules->with_update) &&
			 rules->with_update[i] != NULL; i++)
			columns = add_needed(columns, rules->with_update[i]);
	}
	return columns;
}

/* Columns that RETURNING of a DELETE shows. */
static void
add_returned_targets(PlannerInfo *root, Index rtindex, Relation rel)
{
	Query	   *parse = root->parse;
	Bitmapset  *attrs = NULL;
	bool		all = rtindex != parse->resultRelation; /* a partition */

	pull_varattnos((Node *) parse->returningList, parse->resultRelation,
				   &attrs);
	if (bms_is_empty(attrs))
		return;
	if (bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, attrs))
		all = true;
	for (AttrNumber attno = 1; attno <= RelationGetDescr(rel)->natts; attno++)
	{
		if (all || bms_is_member(attno - FirstLowInvalidHeapAttributeNumber,
								 attrs))
			add_target(root, rtindex, rel, attno);
	}
}

void
xeroAddForeignUpdateTargets(PlannerInfo *root, Index rtindex,
							RangeTblEntry *target_rte, Relation target_relation)
{
	XeroTable  *table = xero_get_table(target_relation);
	CmdType		operation = root->parse->commandType;
	ListCell   *lc;

	xero_check_operation(table, operation);
	foreach(lc, xero_needed_columns(table, operation))
		add_target(root, rtindex, target_relation,
				   xero_needed_attribute(table, lfirst(lc)));
	foreach(lc, xero_identity_attributes(table))
		add_target(root, rtindex, target_relation, lfirst_int(lc));
	for (int i = 0; i < table->natts; i++)
	{
		if (table->columns[i].is_tenant)
			add_target(root, rtindex, target_relation, i + 1);
	}
	if (operation == CMD_UPDATE && xero_total_attribute(table) != 0)
	{
		/* and what its rounding is told by */
		const char *const sums[] = {"total", "sub_total", "total_tax"};

		for (int i = 0; i < lengthof(sums); i++)
		{
			AttrNumber	attno = xero_attribute_of(table, sums[i]);

			if (attno != 0)
				add_target(root, rtindex, target_relation, attno);
		}
	}
	if (operation == CMD_DELETE)
		add_returned_targets(root, rtindex, target_relation);
}

/* Does the column tell which record holds the row? */
static bool
is_holder(const XeroTableColumn *column)
{
	return column->from_parent && column->known != NULL &&
		(column->known->flags & XERO_COL_WRITABLE);
}

const char *
xero_why_fixed(const XeroTableColumn *column)
{
	if (column->is_tenant || is_holder(column))
		return "A row stays where it was made.";
	if (column->from_parent)
		return "It is a member of the record that holds the row.";
	if (column->known != NULL && !(column->known->flags & XERO_COL_WRITABLE))
		return "Xero sets it itself.";
	return NULL;
}

/* May this be the value that the column has?  Who knows, if it depends on nothing. */
static bool
may_keep_value(Expr *value, Index rtindex, AttrNumber attno)
{
	if (IsA(value, Var))
		return ((Var *) value)->varno == rtindex &&
			((Var *) value)->varattno == attno;
	return !contain_var_clause((Node *) value) &&
		!contain_volatile_functions((Node *) value);
}

/*
 * Columns in SET that Xero computes, or fixes when a record is made.  Tools that
 * save whole rows set them to what they are, beside others; whether it is that is
 * seen when the row is there (row.c).
 */
static void
check_set_columns(const XeroTable *table, Relation rel, Index rtindex,
				  List *columns, List *tlist)
{
	bool		any_set = false;
	ListCell   *lc;

	foreach(lc, columns)
		any_set = any_set ||
		xero_why_fixed(&table->columns[lfirst_int(lc) - 1]) == NULL;
	foreach(lc, columns)
	{
		AttrNumber	attno = lfirst_int(lc);
		const char *reason = xero_why_fixed(&table->columns[attno - 1]);
		TargetEntry *entry = list_nth_node(TargetEntry, tlist,
										   foreach_current_index(lc));

		if (reason == NULL ||
			(any_set && may_keep_value(entry->expr, rtindex, attno)))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("column \"%s\" of foreign table \"%s\" cannot be set",
						NameStr(TupleDescAttr(RelationGetDescr(rel),
											  attno - 1)->attname),
						table->name),
				 errdetail("%s", reason)));
	}
}

static bool
has_row_trigger(const TriggerDesc *triggers, CmdType operation)
{
	if (triggers == NULL)
		return false;
	switch (operation)
	{
		case CMD_INSERT:
			return triggers->trig_insert_before_row ||
				triggers->trig_insert_after_row;
		case CMD_UPDATE:
			return triggers->trig_update_after_row;
		default:
			return triggers->trig_delete_after_row;
	}
}

List *
xeroPlanForeignModify(PlannerInfo *root, ModifyTable *plan,
					  Index resultRelation, int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(resultRelation, root);
	Relation	rel = table_open(rte->relid, NoLock);
	XeroTable  *table = xero_get_table(rel);
	List	   *columns = NIL;
	bool		returning;

	xero_check_operation(table, plan->operation);
	if (plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT is not supported by foreign table \"%s\"",
						table->name)));
	if (plan->operation == CMD_UPDATE)
	{
		columns = list_nth(plan->updateColnosLists, subplan_index);
		check_set_columns(table, rel, resultRelation, columns,
						  outerPlan(plan)->targetlist);
	}
	returning = plan->returningLists != NIL ||
		plan->withCheckOptionLists != NIL ||
		has_row_trigger(rel->trigdesc, plan->operation);
	table_close(rel, NoLock);
	return list_make2(columns, makeBoolean(returning));
}
