/*-------------------------------------------------------------------------
 *
 * row.c
 *	  A row -> the element that Xero is sent, with the checks that need no
 *	  call.
 *
 * INSERT sends what is not null.  UPDATE sends what SET or a trigger has
 * changed, so that nothing else can be overwritten; a text that
 * became null is sent as "", which is how Xero clears one.  DELETE, where Xero
 * has no method for it, sends the status that ends the record.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "json/rewrite.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* A row that was found, by organisation, parent and key. */
typedef struct FoundRow
{
	char	   *name;
	char		status;
} FoundRow;

#define SH_PREFIX		found
#define SH_ELEMENT_TYPE	FoundRow
#define SH_KEY_TYPE		char *
#define SH_KEY			name
#define SH_HASH_KEY(tb, k)	hash_bytes((const unsigned char *) (k), strlen(k))
#define SH_EQUAL(tb, a, b)	(strcmp(a, b) == 0)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A value as its type prints it. */
static char *
print_value(Oid type, Datum value)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}

static char *
print_attribute(XeroModify *state, AttrNumber attno, Datum value)
{
	return print_value(TupleDescAttr(state->spec.desc, attno - 1)->atttypid, value);
}

static const char *
attribute_name(XeroModify *state, AttrNumber attno)
{
	return NameStr(TupleDescAttr(state->spec.desc, attno - 1)->attname);
}

/* An old value of the row that the plan has found. */
static Datum
old_value(XeroModify *state, TupleTableSlot *plan_slot, AttrNumber attno,
		  bool *isnull)
{
	if (state->old.junk[attno - 1] == 0)
	{
		*isnull = true;
		return (Datum) 0;
	}
	return ExecGetJunkAttribute(plan_slot, state->old.junk[attno - 1], isnull);
}

/* What people call a new row: by the columns that name it, or its number. */
static char *
label_row(XeroModify *state, TupleTableSlot *slot)
{
	const XeroModifySpec *spec = &state->spec;
	StringInfoData label;

	initStringInfo(&label);
	appendStringInfo(&label, "row %d", state->present.counted);
	for (int i = 0; i < lengthof(spec->rules->labels) &&
		 spec->rules->labels[i] != NULL; i++)
	{
		AttrNumber	attno = xero_attribute_of(spec->table,
											  spec->rules->labels[i]);
		char	   *text;
		int			len;

		if (attno == 0 || slot->tts_isnull[attno - 1])
			continue;
		text = print_attribute(state, attno, slot->tts_values[attno - 1]);
		len = pg_mbcliplen(text, strlen(text), 100);
		appendStringInfo(&label, ", %s \"%s\"", attribute_name(state, attno),
						 pnstrdup(text, len));
	}
	return label.data;
}

/*-------------------------------------------------------------------------
 * Checks
 *-------------------------------------------------------------------------
 */

/* Is the text of a member what the specification allows?  NULL: it is. */
static char *
check_limit(XeroModify *state, int member, Datum value)
{
	XeroEncoder *encoder = &state->encoder;
	const XeroColumn *known = encoder->columns[member].known;
	char	   *text;

	if (known == NULL || (known->max_length == 0 && known->words == NULL))
		return NULL;
	text = print_value(encoder->members[member].type, value);
	if (known->max_length > 0 &&
		pg_mbstrlen(text) > known->max_length)
		return psprintf("value of column \"%s\" is too long for Xero: %d characters, where %d are allowed",
						encoder->members[member].column, pg_mbstrlen(text),
						known->max_length);
	if (known->words != NULL && *text != '\0' &&
		!xero_is_one_of(known->words, text))
		return psprintf("value \"%s\" of column \"%s\" is none that Xero has",
						pnstrdup(text, pg_mbcliplen(text, strlen(text), 100)),
						encoder->members[member].column);
	return NULL;
}

static char *
limit_detail(XeroModify *state, int member)
{
	const XeroColumn *known = state->encoder.columns[member].known;
	char	   *words;

	if (known->words == NULL)
		return NULL;
	words = pstrdup(known->words);
	for (char *p = words; *p != '\0'; p++)
	{
		if (*p == '|')
			*p = ' ';
	}
	return psprintf("Values are: %s.", words);
}

/* Has one of "a|b|c" a value? */
static bool
has_one_of(XeroModify *state, TupleTableSlot *slot, const char *columns)
{
	for (int i = 0; i < state->spec.table->natts; i++)
	{
		const XeroColumn *known = state->spec.table->columns[i].known;

		if (known != NULL && xero_is_one_of(columns, known->name) &&
			!slot->tts_isnull[i])
			return true;
	}
	return false;
}

static void
append_missing(StringInfo missing, int *count, const char *columns)
{
	appendStringInfo(missing, "%s\"", missing->len > 0 ? ", " : "");
	for (; *columns != '\0'; columns++)
	{
		if (*columns == '|')
			appendStringInfoString(missing, "\" or \"");
		else
			appendStringInfoChar(missing, *columns);
	}
	appendStringInfoChar(missing, '"');
	(*count)++;
}

/* All that Xero requires of a new record and the row lacks; NULL: nothing. */
static char *
check_required(XeroModify *state, TupleTableSlot *slot)
{
	const XeroModifySpec *spec = &state->spec;
	const XeroObject *object = spec->object;
	StringInfoData missing;
	int			count = 0;

	initStringInfo(&missing);
	for (int i = 0; i < object->ncolumns; i++)
	{
		const XeroColumn *column = &object->columns[i];

		if ((column->flags & XERO_COL_REQUIRED) &&
			!has_one_of(state, slot, column->name))
			append_missing(&missing, &count, column->name);
	}
	for (int i = 0; i < lengthof(spec->rules->one_of) &&
		 spec->rules->one_of[i] != NULL; i++)
	{
		if (!has_one_of(state, slot, spec->rules->one_of[i]))
			append_missing(&missing, &count, spec->rules->one_of[i]);
	}
	if (count == 0)
		return NULL;
	return psprintf(count == 1 ? "Xero requires a value in column %s" :
					"Xero requires values in columns %s", missing.data);
}

/* Are there values in columns that Xero sets itself? */
static bool
check_read_only(XeroModify *state, TupleTableSlot *slot, char *label)
{
	for (int i = 0; i < state->spec.table->natts; i++)
	{
		const XeroTableColumn *column = &state->spec.table->columns[i];

		if (slot->tts_isnull[i])
			continue;
		if (column->known != NULL &&
			!(column->known->flags & XERO_COL_WRITABLE))
		{
			xero_refuse_row(state, ERRCODE_GENERATED_ALWAYS, label,
							psprintf("cannot insert a value into column \"%s\"",
									 attribute_name(state, i + 1)),
							"Xero sets it itself.");
			return false;
		}
	}
	return true;
}

/*-------------------------------------------------------------------------
 * Elements
 *-------------------------------------------------------------------------
 */

/* The members whose texts are set, as one element. */
static void
make_element(XeroModify *state, XeroPendingRow *row)
{
	XeroEncoder *encoder = &state->encoder;
	StringInfoData json;

	initStringInfo(&json);
	xero_writer_object(encoder->writer, &json, encoder->texts);
	row->element = pg_server_to_any(json.data, json.len, PG_UTF8);
	if (state->child_rows != NULL)
		row->texts = encoder->texts;
}

/* A text of which nobody knows what it was in Xero is not sent. */
static bool
check_replacement(XeroModify *state, int member, char *label)
{
	if (!xero_has_replacement(state->encoder.texts[member]))
		return true;
	xero_refuse_row(state, ERRCODE_UNTRANSLATABLE_CHARACTER, label,
					psprintf("value of column \"%s\" has a character that stands for one that was lost",
							 state->encoder.members[member].column),
					"With xero_fdw.on_bad_text set to \"replace\", U+FFFD is not sent to Xero, as it may have been read in place of another character.");
	return false;
}

/* False if the value is refused. */
static bool
take_value(XeroModify *state, int member, Datum value, char *label)
{
	char	   *problem = check_limit(state, member, value);

	if (problem != NULL)
	{
		xero_refuse_row(state, ERRCODE_INVALID_PARAMETER_VALUE, label,
						problem, limit_detail(state, member));
		return false;
	}
	state->encoder.texts[member] = xero_writer_value(state->encoder.writer, member, value);
	return check_replacement(state, member, label);
}

/* False if two columns give a member different values. */
static bool
join_members(XeroModify *state, char *label)
{
	char	   *problem = xero_join_members(&state->encoder, state->encoder.texts);

	if (problem == NULL)
		return true;
	xero_refuse_row(state, ERRCODE_INVALID_PARAMETER_VALUE, label, problem,
					NULL);
	return false;
}

/* A new value as text; NULL if there is none. */
static char *
given_text(XeroModify *state, TupleTableSlot *slot, AttrNumber attno)
{
	if (attno == 0 || slot->tts_isnull[attno - 1])
		return NULL;
	return print_attribute(state, attno, slot->tts_values[attno - 1]);
}

XeroPendingRow *
xero_encode_insert(XeroModify *state, TupleTableSlot *slot)
{
	XeroEncoder *encoder = &state->encoder;
	const XeroModifySpec *spec = &state->spec;
	char	   *label;
	char	   *missing;
	XeroPendingRow *row;

	slot_getallattrs(slot);
	state->present.counted++;
	label = label_row(state, slot);
	if (!check_read_only(state, slot, label))
		return NULL;
	missing = check_required(state, slot);
	if (missing != NULL)
	{
		xero_refuse_row(state, ERRCODE_NOT_NULL_VIOLATION, label, missing,
						NULL);
		return NULL;
	}
	memset(encoder->texts, 0, sizeof(char *) * encoder->nmembers);
	for (int i = 0; i < encoder->nmembers; i++)
	{
		AttrNumber	attno = encoder->columns[i].attno;

		if (attno != 0 && !slot->tts_isnull[attno - 1] &&
			!take_value(state, i, slot->tts_values[attno - 1], label))
			return NULL;
	}
	if (!join_members(state, label))
		return NULL;
	row = palloc0(sizeof(XeroPendingRow));
	row->number = state->present.number;
	row->label = label;
	row->parent_key = given_text(state, slot, spec->parent_attno);
	if (spec->rules->unique != NULL)
		row->unique = given_text(state, slot,
								 xero_attribute_of(spec->table, spec->rules->unique));
	make_element(state, row);
	row->queue = xero_choose_queue(state,
								   given_text(state, slot, spec->tenant_attno),
								   label);
	return row->queue < 0 ? NULL : row;
}

/* An old value as text; NULL if there is none. */
static char *
old_text(XeroModify *state, TupleTableSlot *plan_slot, AttrNumber attno)
{
	bool		isnull;
	Datum		value = old_value(state, plan_slot, attno, &isnull);

	return isnull ? NULL : print_attribute(state, attno, value);
}

static char *
old_key(XeroModify *state, TupleTableSlot *plan_slot, AttrNumber attno)
{
	char	   *key = old_text(state, plan_slot, attno);

	if (key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
				 errmsg("a record of foreign table \"%s\" has no key",
						state->spec.table->name)));
	return key;
}

/* The row that the plan has found. */
static XeroPendingRow *
make_old_row(XeroModify *state, TupleTableSlot *plan_slot)
{
	const XeroModifySpec *spec = &state->spec;
	const XeroObject *object = spec->object;
	XeroPendingRow *row = palloc0(sizeof(XeroPendingRow));
	int			n = 0;
	ListCell   *lc;

	row->number = state->present.number;
	if (object->parent != NULL)
		row->parent_key = old_key(state, plan_slot, spec->parent_attno);
	if (object->key != NULL)
		row->key = old_key(state, plan_slot,
						   xero_attribute_of(spec->table, object->key));
	row->label = object->key ? psprintf("%s %s", object->key, row->key) :
		psprintf("%s %s", object->parent->key, row->parent_key);
	row->identity = palloc(sizeof(char *) * Max(list_length(spec->identity), 1));
	foreach(lc, spec->identity)
		row->identity[n++] = old_text(state, plan_slot, lfirst_int(lc));
	return row;
}

/*
 * Has the statement found the row before?  A join may find it several times,
 * and then, as in any table, only the first time counts.
 */
static bool
is_repeated(XeroModify *state, TupleTableSlot *plan_slot,
			const XeroPendingRow *row)
{
	XeroOldRows *old = &state->old;
	MemoryContext cxt = GetMemoryChunkContext(state);
	char	   *tenant = NULL;
	char	   *name;
	bool		repeated;
	FoundRow   *entry;

	if (!old->joined || row->key == NULL)
		return false;
	if (old->found == NULL)
		old->found = found_create(cxt, 256, NULL);
	if (state->spec.tenant_attno != 0)
		tenant = old_text(state, plan_slot, state->spec.tenant_attno);
	name = psprintf("%s %s %s", tenant ? tenant : "",
					row->parent_key ? row->parent_key : "", row->key);
	entry = found_insert(old->found, name, &repeated);
	if (!repeated)
		entry->name = MemoryContextStrdup(cxt, name);
	return repeated;
}

/* The queue of the organisation that the record is in. */
static int
old_queue(XeroModify *state, TupleTableSlot *plan_slot, const char *label)
{
	AttrNumber	attno = state->spec.tenant_attno;

	return xero_choose_queue(state, attno == 0 ? NULL :
							 old_text(state, plan_slot, attno),
							 label);
}

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

/* A column became null: false if Xero cannot do that. */
static bool
take_null(XeroModify *state, int member, char *label)
{
	XeroEncoder *encoder = &state->encoder;
	const XeroColumn *known = encoder->columns[member].known;

	if (known != NULL && (known->flags & XERO_COL_REQUIRED))
		xero_refuse_row(state, ERRCODE_NOT_NULL_VIOLATION, label,
						psprintf("Xero requires a value in column \"%s\"",
								 encoder->members[member].column),
						NULL);
	else if (!is_text(encoder->members[member].type))
		xero_refuse_row(state, ERRCODE_FEATURE_NOT_SUPPORTED, label,
						psprintf("Xero cannot clear column \"%s\"",
								 encoder->members[member].column),
						"It ignores what is null, and only a text can be made empty.");
	else
	{
		encoder->texts[member] = "\"\"";
		return true;
	}
	return false;
}

HeapTupleHeader
xero_old_row(XeroModify *state, TupleTableSlot *plan_slot)
{
	bool		isnull;
	Datum		value;

	if (state->old.whole_row == 0)
		return NULL;
	value = ExecGetJunkAttribute(plan_slot, state->old.whole_row, &isnull);
	return isnull ? NULL : DatumGetHeapTupleHeader(value);
}

/*
 * Is it another value than the row had, and not the same one in another writing,
 * as 1.0 and 1.00?  Texts are the same if their bytes are, whatever a collation
 * says.  A row that was not read has no other values.
 */
static bool
has_changed(XeroModify *state, HeapTupleHeader before, AttrNumber attno,
			TupleTableSlot *slot)
{
	Form_pg_attribute att = TupleDescAttr(state->spec.desc, attno - 1);
	Datum		now = slot->tts_values[attno - 1];
	TypeCacheEntry *type;
	bool		isnull;
	Datum		value;

	if (before == NULL)
		return false;
	value = GetAttributeByNum(before, attno, &isnull);
	if (isnull || slot->tts_isnull[attno - 1])
		return isnull != slot->tts_isnull[attno - 1];
	if (datum_image_eq(value, now, att->attbyval, att->attlen))
		return false;
	type = lookup_type_cache(att->atttypid, TYPECACHE_EQ_OPR_FINFO);
	return !OidIsValid(type->eq_opr_finfo.fn_oid) ||
		!DatumGetBool(FunctionCall2Coll(&type->eq_opr_finfo, C_COLLATION_OID,
										value, now));
}

/* Has SET, or a trigger, changed a column that is fixed? */
static bool
check_fixed(XeroModify *state, HeapTupleHeader before,
			TupleTableSlot *slot, char *label)
{
	for (int i = 0; i < state->spec.table->natts; i++)
	{
		const char *reason = xero_why_fixed(&state->spec.table->columns[i]);

		if (reason == NULL || !has_changed(state, before, i + 1, slot))
			continue;
		xero_refuse_row(state, ERRCODE_GENERATED_ALWAYS, label,
						psprintf("cannot change column \"%s\"",
								 attribute_name(state, i + 1)),
						reason);
		return false;
	}
	return true;
}

/*
 * Which members an UPDATE sends.  What SET leaves as it is does not go along beside
 * what changes: tools save whole rows, and Xero would refuse, or compute by, some of
 * what stays.
 */
static void
choose_members(XeroModify *state, HeapTupleHeader before,
			   TupleTableSlot *slot, bool *chosen)
{
	const XeroEncoder *encoder = &state->encoder;
	bool		any_changed = false;

	for (int i = 0; i < encoder->nmembers; i++)
	{
		AttrNumber	attno = encoder->columns[i].attno;

		chosen[i] = i != encoder->key_member && attno != 0 &&
			has_changed(state, before, attno, slot);
		any_changed = any_changed || chosen[i];
	}
	for (int i = 0; i < encoder->nmembers && !any_changed; i++)
	{
		AttrNumber	attno = encoder->columns[i].attno;

		chosen[i] = i != encoder->key_member && attno != 0 && encoder->set[i] &&
			(before == NULL || !slot->tts_isnull[attno - 1]);
	}
}

bool
xero_is_computed(const XeroModify *state, const char *column)
{
	const XeroWriteRules *rules = state->spec.rules;

	for (int f = 0; f < rules->nfollows; f++)
	{
		if (strcmp(rules->follows[f].gives, column) == 0 &&
			xero_is_any_there(&state->encoder, state->encoder.texts,
							  rules->follows[f].set))
			return true;
	}
	return false;
}

/*
 * Columns that every change carries, at their present value if not set.  False
 * if one is refused.
 */
static bool
take_companions(XeroModify *state, TupleTableSlot *plan_slot, char *label)
{
	XeroEncoder *encoder = &state->encoder;
	bool		computed[lengthof(state->spec.rules->with_update)] = {0};

	/* by what is set, before anything goes along */
	for (int i = 0; i < lengthof(computed) &&
		 state->spec.rules->with_update[i] != NULL; i++)
		computed[i] = xero_is_computed(state, state->spec.rules->with_update[i]);
	for (int i = 0; i < lengthof(state->spec.rules->with_update) &&
		 state->spec.rules->with_update[i] != NULL; i++)
	{
		for (int m = 0; m < encoder->nmembers; m++)
		{
			const XeroWriteColumn *column = &encoder->columns[m];
			bool		isnull;
			Datum		value;

			if (encoder->texts[m] != NULL || encoder->first[m] != m ||
				column->attno == 0 || column->known == NULL ||
				strcmp(column->known->name, state->spec.rules->with_update[i]) != 0 ||
				computed[i])
				continue;
			value = old_value(state, plan_slot, column->attno, &isnull);
			if (isnull)
				continue;
			encoder->texts[m] = xero_writer_value(encoder->writer, m, value);
			if (!check_replacement(state, m, label))
				return false;
		}
	}
	return true;
}

/* What a document sums up to, unless it changes with what is set; or NULL. */
static char *
kept_total(XeroModify *state, TupleTableSlot *plan_slot)
{
	AttrNumber	attno = xero_total_attribute(state->spec.table);

	return attno == 0 || xero_is_computed(state, "total") ? NULL :
		old_text(state, plan_slot, attno);
}

/*
 * A document's total beyond the sum of its lines, if the lines are written and
 * its status, which may end it, is not; else 0.
 */
static double
kept_rounding(XeroModify *state, TupleTableSlot *plan_slot)
{
	const XeroTable *table = state->spec.table;
	const char *const sums[] = {"total", "sub_total", "total_tax"};
	double		rounding = 0;

	if (xero_total_attribute(table) == 0 ||
		!xero_is_any_there(&state->encoder, state->encoder.texts, "line_items") ||
		xero_is_any_there(&state->encoder, state->encoder.texts, "status"))
		return 0;
	for (int i = 0; i < lengthof(sums); i++)
	{
		AttrNumber	attno = xero_attribute_of(table, sums[i]);
		char	   *text = attno == 0 ? NULL : old_text(state, plan_slot, attno);

		if (text == NULL)
			return 0;
		rounding += i == 0 ? strtod(text, NULL) : -strtod(text, NULL);
	}
	return rounding;
}

XeroPendingRow *
xero_encode_update(XeroModify *state, TupleTableSlot *slot,
				   TupleTableSlot *plan_slot)
{
	XeroEncoder *encoder = &state->encoder;
	HeapTupleHeader before = xero_old_row(state, plan_slot);
	XeroPendingRow *row = make_old_row(state, plan_slot);
	bool	   *chosen = palloc(sizeof(bool) * encoder->nmembers);

	if (is_repeated(state, plan_slot, row))
		return NULL;
	slot_getallattrs(slot);
	state->present.counted++;
	if (!check_fixed(state, before, slot, row->label))
		return NULL;
	choose_members(state, before, slot, chosen);
	memset(encoder->texts, 0, sizeof(char *) * encoder->nmembers);
	for (int i = 0; i < encoder->nmembers; i++)
	{
		AttrNumber	attno = encoder->columns[i].attno;

		if (!chosen[i])
			continue;
		if (slot->tts_isnull[attno - 1] ? !take_null(state, i, row->label) :
			!take_value(state, i, slot->tts_values[attno - 1], row->label))
			return NULL;
		if (encoder->columns[i].known != NULL)
			encoder->texts[i] = xero_array_text(encoder->columns[i].known,
												encoder->texts[i]);
	}
	if (!join_members(state, row->label))
		return NULL;
	/* by what is set */
	row->total = kept_total(state, plan_slot);
	row->rounding = kept_rounding(state, plan_slot);
	if (!take_companions(state, plan_slot, row->label))
		return NULL;
	if (state->spec.rules->place == XERO_PLACE_OWN &&
		state->spec.rules->envelope != XERO_ENVELOPE_BARE)
		encoder->texts[encoder->key_member] = xero_json_string(row->key);
	make_element(state, row);
	row->queue = old_queue(state, plan_slot, row->label);
	return row->queue < 0 ? NULL : row;
}

/* NULL also if the record cannot end as it is, which is noted. */
XeroPendingRow *
xero_encode_delete(XeroModify *state, TupleTableSlot *plan_slot)
{
	XeroEncoder *encoder = &state->encoder;
	const XeroWriteRules *rules = state->spec.rules;
	XeroPendingRow *row = make_old_row(state, plan_slot);
	char	   *status = NULL;
	const XeroEnding *ending;

	if (is_repeated(state, plan_slot, row))
		return NULL;
	state->present.counted++;
	if (rules->status != NULL)
		status = old_text(state, plan_slot,
						  xero_attribute_of(state->spec.table, rules->status));
	ending = xero_find_ending(rules, status);
	if (ending == NULL)
	{
		xero_refuse_row(state, ERRCODE_FEATURE_NOT_SUPPORTED, row->label,
						psprintf("Xero cannot delete a record whose %s is %s",
								 rules->status, status ? status : "null"),
						NULL);
		return NULL;
	}
	row->queue = old_queue(state, plan_slot, row->label);
	if (row->queue < 0)
		return NULL;
	if (ending->becomes == NULL)
		return row;
	memset(encoder->texts, 0, sizeof(char *) * encoder->nmembers);
	encoder->texts[encoder->key_member] = xero_json_string(row->key);
	encoder->texts[encoder->status_member] = xero_json_string(ending->becomes);
	if (!take_companions(state, plan_slot, row->label))
		return NULL;
	make_element(state, row);
	return row;
}
