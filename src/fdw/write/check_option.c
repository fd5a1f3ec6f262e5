/*-------------------------------------------------------------------------
 *
 * check_option.c
 *	  Check options of views, and policies of partitioned tables, before a row
 *	  is sent.
 *
 * PostgreSQL checks a row of a foreign table against a view's WITH CHECK OPTION
 * when it is written, and against a policy of its partitioned parent not at
 * all.  Xero has the row then, and no rollback takes it back.  So the row is
 * checked before.
 *
 * That says something only if the columns of the check will have in Xero the
 * values that they have in the row: those that are sent and that Xero stores as
 * they are, and those of an UPDATE that stay as they were read.  A row of which
 * that is not sure is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/rel.h"

/* Why the value that a column will have in Xero is not sure. */
typedef enum Doubt
{
	DOUBT_NONE,
	DOUBT_NO_VALUE,				/* the row has none */
	DOUBT_COMPUTED,				/* Xero sets it */
	DOUBT_UNKNOWN,				/* not in the catalogue, or of another type */
	DOUBT_OTHER,				/* another column that says it, too, is sent */
	DOUBT_TEXT,
	DOUBT_CASE,
	DOUBT_NUMBER,
	DOUBT_FORM
} Doubt;

/* What a message says of it. */
static const struct
{
	const char *detail;			/* with the column's name */
	const char *hint;
}			doubts[] =

{
	[DOUBT_NO_VALUE] = {"The row has no value in column \"%s\".",
	"Give the column a value."},
	[DOUBT_COMPUTED] = {"Xero sets column \"%s\" itself.", NULL},
	[DOUBT_UNKNOWN] = {"What Xero makes of column \"%s\" is not known.", NULL},
	[DOUBT_OTHER] = {"Column \"%s\" says the same as another one that is sent.",
	"Give only this column a value."},
	[DOUBT_TEXT] = {"Xero may change the text of column \"%s\".",
	"Leave out blanks at the ends, and control characters."},
	[DOUBT_CASE] = {"Xero may change the text of column \"%s\".",
	"Write it in upper case."},
	[DOUBT_NUMBER] = {"Xero may round the number of column \"%s\".",
	"Give it at most two decimals."},
	[DOUBT_FORM] = {"Xero writes values of column \"%s\" in a form of its own.", NULL},
};

/*-------------------------------------------------------------------------
 * Does Xero store a value as it is?
 *-------------------------------------------------------------------------
 */

/* Blanks in the widest sense, and characters that cannot be seen. */
static bool
is_blank(pg_wchar c)
{
	return c <= 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD ||
		c == 0x034F || c == 0x061C || c == 0x115F || c == 0x1160 ||
		c == 0x1680 || (c >= 0x17B4 && c <= 0x17B5) ||
		(c >= 0x180B && c <= 0x180F) || (c >= 0x2000 && c <= 0x200F) ||
		(c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x206F) ||
		c == 0x2800 || c == 0x3000 || c == 0x3164 ||
		(c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || c == 0xFFA0 ||
		(c >= 0xFFF0 && c <= 0xFFFF) || c >= 0xE0000;
}

/* Plain spaces and their like may be inside of a text, but not at its ends. */
static Doubt
doubt_text(const char *text, bool upper)
{
	char	   *utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);
	int			len = strlen(utf8);
	pg_wchar   *chars = palloc(sizeof(pg_wchar) * (len + 1));
	int			n = pg_encoding_mb2wchar_with_len(PG_UTF8, utf8, chars, len);

	if (n == 0)
		return DOUBT_NO_VALUE;
	for (int i = 0; i < n; i++)
	{
		if (is_blank(chars[i]) && (i == 0 || i == n - 1 || chars[i] != ' '))
			return DOUBT_TEXT;
		if (upper && chars[i] >= 'a' && chars[i] <= 'z')
			return DOUBT_CASE;
	}
	return DOUBT_NONE;
}

/* Amounts have two decimals. */
static Doubt
doubt_number(const char *json)
{
	const char *decimals = strchr(json, '.');

	if (strpbrk(json, "eE") != NULL)
		return DOUBT_NUMBER;
	if (decimals == NULL || strlen(decimals) <= 3)
		return DOUBT_NONE;
	return decimals[3 + strspn(decimals + 3, "0")] == '\0' ? DOUBT_NONE :
		DOUBT_NUMBER;
}

static Doubt
doubt_value(const XeroModify *state, int member, Datum value, const char *json)
{
	const XeroColumn *known = state->encoder.columns[member].known;
	Oid			type = state->encoder.members[member].type;

	switch (known->type)
	{
		case XERO_TEXT:
			if (type != TEXTOID && type != VARCHAROID)
				return DOUBT_UNKNOWN;
			return doubt_text(TextDatumGetCString(value),
							  (known->flags & XERO_COL_ENUM) != 0);
		case XERO_NUMERIC:
		case XERO_INTEGER:
			if (type != NUMERICOID && type != INT4OID)
				return DOUBT_UNKNOWN;
			return doubt_number(json);
		case XERO_UUID:
		case XERO_BOOLEAN:
		case XERO_DATE:
			return type == xero_type_oid(known->type) ? DOUBT_NONE :
				DOUBT_UNKNOWN;
		default:
			return DOUBT_FORM;
	}
}

/*-------------------------------------------------------------------------
 * Columns
 *-------------------------------------------------------------------------
 */

/* Is something sent that says in another way what the column says? */
static bool
has_rival(const XeroModify *state, const char *column)
{
	const XeroEncoder *encoder = &state->encoder;
	const XeroWriteRules *rules = state->spec.rules;

	for (int i = 0; i < lengthof(rules->one_of) && rules->one_of[i] != NULL; i++)
	{
		if (!xero_is_one_of(rules->one_of[i], column))
			continue;
		for (int m = 0; m < encoder->nmembers; m++)
		{
			const XeroColumn *known = encoder->columns[m].known;

			if (encoder->texts[m] != NULL && known != NULL &&
				strcmp(known->name, column) != 0 &&
				xero_is_one_of(rules->one_of[i], known->name))
				return true;
		}
	}
	return false;
}

/* A column of a member that can be sent, in the row that was encoded last. */
static Doubt
doubt_member(XeroModify *state, int member, const TupleTableSlot *slot)
{
	const XeroEncoder *encoder = &state->encoder;
	const XeroColumn *known = encoder->columns[member].known;
	AttrNumber	attno = encoder->columns[member].attno;
	const char *sent = encoder->texts[encoder->first[member]];
	const char *json;

	if (known == NULL)
		return DOUBT_UNKNOWN;
	if (xero_is_computed(state, known->name))
		return DOUBT_COMPUTED;
	if (has_rival(state, known->name))
		return DOUBT_OTHER;
	if (sent == NULL && state->spec.operation == CMD_UPDATE)
		return member == encoder->key_member ||
			(known->flags & XERO_COL_WRITABLE) ? DOUBT_NONE :
			DOUBT_COMPUTED;
	if (sent == NULL && !(known->flags & XERO_COL_WRITABLE))
		return DOUBT_COMPUTED;
	if (slot->tts_isnull[attno - 1])
		return DOUBT_NO_VALUE;
	json = xero_writer_value(encoder->writer, member,
							 slot->tts_values[attno - 1]);
	if (sent == NULL || strcmp(sent, json) != 0)
		return DOUBT_OTHER;
	return doubt_value(state, member, slot->tts_values[attno - 1], json);
}

static Doubt
doubt_attribute(XeroModify *state, AttrNumber attno, const TupleTableSlot *slot)
{
	const XeroModifySpec *spec = &state->spec;

	if (attno == spec->tenant_attno || attno == spec->parent_attno)
		return slot->tts_isnull[attno - 1] ? DOUBT_NO_VALUE : DOUBT_NONE;
	for (int i = 0; i < state->encoder.nmembers; i++)
	{
		if (state->encoder.columns[i].attno == attno)
			return doubt_member(state, i, slot);
	}
	return DOUBT_COMPUTED;
}

/* An ERROR unless all columns of a check will be what they are in the row. */
static void
check_columns(XeroModify *state, const WithCheckOption *check,
			  const TupleTableSlot *slot)
{
	ListCell   *lc;

	foreach(lc, pull_var_clause((Node *) check->qual, 0))
	{
		AttrNumber	attno = ((Var *) lfirst(lc))->varattno;
		Doubt		doubt = DOUBT_NONE;
		const char *detail = "It is about the row as a whole.";
		const char *hint = NULL;

		if (attno > 0)
		{
			doubt = doubt_attribute(state, attno, slot);
			if (doubt == DOUBT_NONE)
				continue;
			detail = psprintf(doubts[doubt].detail,
							  NameStr(TupleDescAttr(state->spec.desc, attno - 1)->attname));
			hint = doubts[doubt].hint;
		}
		else if (attno == TableOidAttributeNumber)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg(check->kind == WCO_VIEW_CHECK ?
						"check option of view \"%s\" cannot be checked before a row is sent to Xero" :
						"policies of table \"%s\" cannot be checked before a row is sent to Xero",
						check->relname),
				 errdetail_internal("%s", detail),
				 errhint("%s", hint ? hint :
						 "Check only columns that the statement sends, or write to the foreign table itself.")));
	}
}

/* An INSERT has policies of its own, an UPDATE too, and MERGE may be either. */
static bool
is_due(const XeroModifySpec *spec, WCOKind kind)
{
	switch (kind)
	{
		case WCO_VIEW_CHECK:
			return true;
		case WCO_RLS_INSERT_CHECK:
			return spec->statement != CMD_UPDATE;
		case WCO_RLS_UPDATE_CHECK:
			return spec->statement != CMD_INSERT;
		default:
			return false;
	}
}

void
xero_check_options(XeroModify *state, EState *estate, ResultRelInfo *rri,
				   TupleTableSlot *slot)
{
	const WCOKind kinds[] = {
		WCO_RLS_INSERT_CHECK, WCO_RLS_UPDATE_CHECK, WCO_VIEW_CHECK
	};
	ListCell   *lc;

	foreach(lc, rri->ri_WithCheckOptions)
	{
		const WithCheckOption *check = lfirst(lc);

		if (is_due(&state->spec, check->kind))
			check_columns(state, check, slot);
	}
	for (int i = 0; rri->ri_WithCheckOptions != NIL && i < lengthof(kinds); i++)
	{
		if (is_due(&state->spec, kinds[i]))
			ExecWithCheckOptions(kinds[i], rri, slot, estate);
	}
}
