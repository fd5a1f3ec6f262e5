/*-------------------------------------------------------------------------
 *
 * render.c
 *	  Conditions as text of Xero's where=.
 *
 * The values decide more than the text: a null makes a comparison never true,
 * a date beyond Xero's calendar makes it trivial, and some values cannot
 * travel.  So rendering gives a fate, and the fates of parts combine: an AND
 * drops what cannot travel (its condition is then a superset, which the
 * planning side allowed for by a recheck), an OR cannot.
 *
 * Method calls on null are an error at Xero, comparisons with null are not;
 * so calls are guarded.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/render.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "query/pattern.h"
#include "query/span.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static const char *const operator_signs[] = {"==", "!=", "<", "<=", ">", ">="};

static XeroText *
make_fate(XeroFate fate)
{
	XeroText   *result = palloc0(sizeof(XeroText));

	result->fate = fate;
	return result;
}

static XeroText *
make_text(XeroBinding binding, char *text)
{
	XeroText   *result = make_fate(XERO_FATE_TEXT);

	result->binding = binding;
	result->text = text;
	return result;
}

/* An AND or OR of texts. */
static XeroText *
join_texts(bool is_and, List *parts)
{
	XeroBinding other = is_and ? XERO_BINDS_OR : XERO_BINDS_AND;
	XeroText   *result;
	StringInfoData buf;
	ListCell   *lc;

	if (parts == NIL)
		return make_fate(is_and ? XERO_FATE_ALWAYS : XERO_FATE_NEVER);
	if (list_length(parts) == 1)
	{
		result = palloc(sizeof(XeroText));
		*result = *(XeroText *) linitial(parts);
		return result;
	}
	initStringInfo(&buf);
	foreach(lc, parts)
	{
		XeroText   *part = lfirst(lc);

		if (buf.len > 0)
			appendStringInfoString(&buf, is_and ? " AND " : " OR ");
		appendStringInfo(&buf, part->binding == other ? "(%s)" : "%s",
						 part->text);
	}
	return make_text(is_and ? XERO_BINDS_AND : XERO_BINDS_OR, buf.data);
}

/*
 * Joins texts by AND or OR; their fates combine.  An OR of nothing is never
 * true, an AND of nothing always.  What may be longer when values are known
 * makes the whole longer, also where it has no text now.
 */
XeroText *
xero_join(XeroConditionKind kind, List *texts)
{
	bool		is_and = kind == XERO_COND_AND;
	XeroFate	decisive = is_and ? XERO_FATE_NEVER : XERO_FATE_ALWAYS;
	List	   *parts = NIL;
	bool		unsendable = false;
	bool		decided = false;
	bool		many = false;
	bool		unbounded = false;
	XeroText   *result;
	ListCell   *lc;

	foreach(lc, texts)
	{
		XeroText   *text = lfirst(lc);

		many |= text->many;
		unbounded |= text->unbounded;
		decided |= text->fate == decisive;
		unsendable |= text->fate == XERO_FATE_UNSENDABLE;
		if (text->fate == XERO_FATE_TEXT)
			parts = lappend(parts, text);
	}
	if (decided)
		result = make_fate(decisive);
	else if (unsendable && (!is_and || parts == NIL))
		result = make_fate(XERO_FATE_UNSENDABLE);
	else
		result = join_texts(is_and, parts);
	result->many = many;
	result->unbounded = unbounded;
	return result;
}

/* "before" this day, or from this day on ("before" false). */
static XeroText *
render_day_bound(const XeroColumn *column, bool before, int64 day)
{
	bool		all = before ? day > XERO_LAST_DAY : day <= XERO_FIRST_DAY;
	bool		none = before ? day <= XERO_FIRST_DAY : day > XERO_LAST_DAY;

	if (none)
		return make_fate(XERO_FATE_NEVER);
	if (all && (column->flags & XERO_COL_NOT_NULL))
		return make_fate(XERO_FATE_ALWAYS);
	if (all)
		return make_text(XERO_BINDS_ATOM, psprintf("%s!=null", column->field));
	return make_text(XERO_BINDS_ATOM,
					 psprintf("%s%s%s", column->field, before ? "<" : ">=",
							  xero_day_literal(day)));
}

/*
 * "before" a value, or from it on.  Comparisons of days are bounds at midnights,
 * so that a time of day, should Xero have stored one, changes nothing.
 */
static XeroText *
render_bound(const XeroColumn *column, bool before, int64 value)
{
	char	   *literal;

	if (column->type == XERO_DATE)
		return render_day_bound(column, before, value);
	literal = column->type == XERO_TIMESTAMPTZ ?
		xero_instant_literal(value * USECS_PER_SEC) :
		xero_number_literal(value);
	return make_text(XERO_BINDS_ATOM,
					 psprintf("%s%s%s", column->field, before ? "<" : ">=",
							  literal));
}

/* A comparison of what has an order; see xero_span() about "value". */
static XeroText *
render_span(const XeroColumn *column, const XeroCondition *condition,
			const XeroValue *value)
{
	List	   *bounds = NIL;
	XeroSpan	span;

	if (!xero_span(column, condition, value, &span))
		return make_fate(XERO_FATE_UNSENDABLE);
	if (condition->op == XERO_CMP_NE)
		return xero_join(XERO_COND_OR,
						 list_make2(render_bound(column, true, span.from),
									render_bound(column, false, span.before)));
	if (span.from >= span.before)
		return make_fate(XERO_FATE_NEVER);
	if (span.from != PG_INT64_MIN)
		bounds = lappend(bounds, render_bound(column, false, span.from));
	if (span.before != PG_INT64_MAX)
		bounds = lappend(bounds, render_bound(column, true, span.before));
	return xero_join(XERO_COND_AND, bounds);
}

static XeroText *
render_value(const XeroColumn *column, const XeroCondition *condition,
			 const XeroValue *value)
{
	const char *sign = operator_signs[condition->op];
	char	   *text;

	if (value->placeholder > 0)
		return make_text(XERO_BINDS_ATOM,
						 psprintf("%s%s" XERO_PLACEHOLDER, column->field, sign,
								  value->placeholder));
	if (condition->kind == XERO_COND_MONOTONE || column->type == XERO_DATE ||
		column->type == XERO_TIMESTAMPTZ)
		return render_span(column, condition, value);
	text = xero_value_text(column, value);
	if (text == NULL)
		return make_fate(XERO_FATE_UNSENDABLE);
	return make_text(XERO_BINDS_ATOM,
					 psprintf("%s%s%s", column->field, sign,
							  xero_where_literal(column, text)));
}

typedef struct Distinct
{
	const char *folded;
	int			position;
} Distinct;

static int
compare_distinct(const void *a, const void *b)
{
	const Distinct *x = a;
	const Distinct *y = b;
	int			order = strcmp(x->folded, y->folded);

	return order != 0 ? order : x->position - y->position;
}

/* In lower case, as far as it is certain that Xero takes the two for one. */
char *
xero_folded(const char *text)
{
	char	   *folded = pstrdup(text);

	for (char *c = folded; *c; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	return folded;
}

/*
 * Leaves the first of each group of values that are one to Xero, in their
 * order, and gives their texts (NULL for one that cannot travel as such).
 * More of them may be one to Xero: see xero_request_owns().
 */
void
xero_distinct_values(const XeroColumn *column, XeroValues *values,
					 XeroUnknowns unknowns, XeroText *summary, List **texts)
{
	Distinct   *all = palloc(sizeof(Distinct) * (values->count + 1));
	char	  **spellings = palloc0(sizeof(char *) * (values->count + 1));
	bool	   *duplicate = palloc0(sizeof(bool) * (values->count + 1));
	int			kept = 0;

	*texts = NIL;
	summary->many = values->many;
	summary->unbounded = values->unbounded;
	for (int i = 0; i < values->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (values->values[i].placeholder > 0)
			spellings[i] = psprintf(XERO_PLACEHOLDER, values->values[i].placeholder);
		else
			spellings[i] = xero_value_text(column, &values->values[i]);
		all[i].position = i;
		all[i].folded = spellings[i] == NULL ? "" :
			column->type == XERO_TEXT ? xero_folded(spellings[i]) :
			spellings[i];
	}
	if (unknowns != XERO_UNKNOWN_WIDEST)
	{
		qsort(all, values->count, sizeof(Distinct), compare_distinct);
		for (int i = 1; i < values->count; i++)
			duplicate[all[i].position] =
				spellings[all[i].position] != NULL &&
				strcmp(all[i].folded, all[i - 1].folded) == 0;
	}
	for (int i = 0; i < values->count; i++)
	{
		if (duplicate[i])
			continue;
		values->values[kept++] = values->values[i];
		*texts = lappend(*texts, spellings[i]);
	}
	values->count = kept;
}

/*
 * An equality as a list of XeroTexts, one for each distinct value, that are
 * true of different records.  The fate and the flags go to "summary".
 */
List *
xero_render_arms(const XeroRenderer *renderer, const XeroCondition *condition,
				 XeroText *summary)
{
	const XeroColumn *column = xero_condition_column(renderer->rel,
													 condition->attno);
	List	   *arms = NIL;
	List	   *texts;
	XeroValues	values;

	memset(summary, 0, sizeof(XeroText));
	xero_resolve_values(condition->values, renderer->params,
						renderer->unknowns, &values);
	xero_distinct_values(column, &values, renderer->unknowns, summary, &texts);
	summary->fate = XERO_FATE_NEVER;
	for (int i = 0; i < values.count; i++)
	{
		XeroText   *arm = render_value(column, condition, &values.values[i]);

		CHECK_FOR_INTERRUPTS();
		if (arm->fate == XERO_FATE_UNSENDABLE)
		{
			summary->fate = XERO_FATE_UNSENDABLE;
			return NIL;
		}
		if (arm->fate != XERO_FATE_TEXT)
			continue;
		summary->fate = XERO_FATE_TEXT;
		arm->value = list_nth(texts, i);
		arms = lappend(arms, arm);
	}
	return arms;
}

/* Brackets may be wildcards to the database behind Xero. */
static XeroText *
render_call(const XeroColumn *column, const char *method, const char *text)
{
	if (text[0] == '\0' || strchr(text, '[') != NULL ||
		!xero_text_sendable(text))
		return make_fate(XERO_FATE_UNSENDABLE);
	return make_text(XERO_BINDS_ATOM,
					 psprintf("%s.%s(\"%s\")", column->field, method, text));
}

static XeroText *
guard(const XeroColumn *column, XeroText *calls)
{
	if (calls->fate != XERO_FATE_TEXT)
		return calls;
	return make_text(XERO_BINDS_AND,
					 psprintf("%s!=null AND %s", column->field, calls->text));
}

static const char *
method_of(XeroConditionKind kind)
{
	switch (kind)
	{
		case XERO_COND_LIKE:
			return "Like";
		case XERO_COND_PREFIX:
			return "StartsWith";
		default:
			return "ToLower().Contains";
	}
}

/* Conditions on parts of a text. */
static XeroText *
render_match(const XeroRenderer *renderer, const XeroCondition *condition)
{
	const XeroColumn *column = xero_condition_column(renderer->rel,
													 condition->attno);
	XeroText   *calls;
	XeroValues	values;
	XeroPattern pattern;
	char	   *string;

	xero_resolve_values(condition->values, renderer->params,
						renderer->unknowns, &values);
	if (values.unbounded)
	{
		calls = make_text(XERO_BINDS_ATOM, "");
		calls->unbounded = true;
		return calls;
	}
	if (values.count == 0)
		return make_fate(XERO_FATE_NEVER);
	if (values.values[0].placeholder > 0)
		return make_text(XERO_BINDS_ATOM,
						 psprintf("%s.%s(" XERO_PLACEHOLDER ")", column->field,
								  method_of(condition->kind),
								  values.values[0].placeholder));
	string = TextDatumGetCString(values.values[0].datum);
	if (condition->kind != XERO_COND_PREFIX && condition->kind != XERO_COND_LIKE)
		string = xero_folded_piece(condition->kind, string);
	if (string == NULL)
		return make_fate(XERO_FATE_UNSENDABLE);
	if (condition->kind != XERO_COND_LIKE)
		return guard(column, render_call(column, method_of(condition->kind), string));
	xero_read_pattern(string, &pattern);
	if (!pattern.valid)
		return make_fate(XERO_FATE_UNSENDABLE);
	if (!pattern.wild)
		return xero_text_sendable(pattern.suffix) ?
			make_text(XERO_BINDS_ATOM,
					  psprintf("%s==%s", column->field,
							   xero_where_literal(column, pattern.suffix))) :
			make_fate(XERO_FATE_UNSENDABLE);
	calls = xero_join(XERO_COND_AND,
					  list_make2(render_call(column, "StartsWith", pattern.prefix),
								 render_call(column, "EndsWith", pattern.suffix)));
	if (calls->fate == XERO_FATE_UNSENDABLE)
		calls = render_call(column, "Contains", pattern.inner);
	return guard(column, calls);
}

static XeroText *
render_comparison(const XeroRenderer *renderer, const XeroCondition *condition)
{
	const XeroColumn *column = xero_condition_column(renderer->rel,
													 condition->attno);
	List	   *parts = NIL;
	List	   *texts;
	XeroValues	values;
	XeroText	summary;
	XeroText   *result;

	if (condition->op == XERO_CMP_EQ)
	{
		parts = xero_render_arms(renderer, condition, &summary);
		if (summary.fate == XERO_FATE_UNSENDABLE)
			return make_fate(XERO_FATE_UNSENDABLE);
		result = xero_join(XERO_COND_OR, parts);
	}
	else
	{
		/* One value of these, or all values of <>; a null is never true. */
		memset(&summary, 0, sizeof(XeroText));
		xero_resolve_values(condition->values, renderer->params,
							renderer->unknowns, &values);
		if (values.nulls)
			return make_fate(XERO_FATE_NEVER);
		xero_distinct_values(column, &values, renderer->unknowns, &summary,
							 &texts);
		for (int i = 0; i < values.count; i++)
			parts = lappend(parts, render_value(column, condition,
												&values.values[i]));
		result = xero_join(XERO_COND_AND, parts);
	}
	result->many |= summary.many;
	result->unbounded |= summary.unbounded;
	return result;
}

static XeroText *
render_monotone(const XeroRenderer *renderer, const XeroCondition *condition)
{
	const XeroColumn *column = xero_condition_column(renderer->rel,
													 condition->attno);
	XeroValues	values;

	if (renderer->unknowns == XERO_UNKNOWN_WIDEST)
		return render_span(column, condition, NULL);
	xero_resolve_values(condition->values, renderer->params,
						renderer->unknowns, &values);
	return values.count == 0 ? make_fate(XERO_FATE_NEVER) :
		render_value(column, condition, &values.values[0]);
}

/* The text of a condition, all of whose columns where= can name. */
XeroText *
xero_render(const XeroRenderer *renderer, const XeroCondition *condition)
{
	const XeroColumn *column;
	List	   *parts = NIL;
	ListCell   *lc;

	check_stack_depth();
	switch (condition->kind)
	{
		case XERO_COND_AND:
		case XERO_COND_OR:
			foreach(lc, condition->args)
				parts = lappend(parts, xero_render(renderer, lfirst(lc)));
			return xero_join(condition->kind, parts);
		case XERO_COND_COMPARE:
			return render_comparison(renderer, condition);
		case XERO_COND_MONOTONE:
			return render_monotone(renderer, condition);
		case XERO_COND_LIKE:
		case XERO_COND_PREFIX:
		case XERO_COND_FOLDED:
		case XERO_COND_FOLDED_LIKE:
		case XERO_COND_FOLDED_REGEX:
		case XERO_COND_CAPITALS:
		case XERO_COND_CAPITALS_LIKE:
			return render_match(renderer, condition);
		case XERO_COND_IS_NULL:
		case XERO_COND_IS_NOT_NULL:
			column = xero_condition_column(renderer->rel, condition->attno);
			return make_text(XERO_BINDS_ATOM,
							 psprintf("%s%snull", column->field,
									  condition->kind == XERO_COND_IS_NULL ?
									  "==" : "!="));
	}
	return make_fate(XERO_FATE_UNSENDABLE);
}
