/*-------------------------------------------------------------------------
 *
 * request.c
 *	  Conditions and their values -> requests.
 *
 * Every item becomes a piece: a parameter's value, or an arm of where=.  Those
 * that must go were given room while planning; droppable ones follow as far
 * as they fit; the values of the split item, if there is one, are spread over
 * as many requests as they need.  Those requests ask for different values of
 * one column; where Xero takes two texts for one, a record may come by several
 * of them, and belongs to one (see xero_request_owns()).
 *
 * A query longer than some 2,048 bytes is answered with 404, which looks like
 * a missing record; Xero advises lists of up to 40 ids.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "base/text.h"
#include "common/string.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "query/render.h"
#include "query/span.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MAX_QUERY_BYTES 1900

/* Kept for the page and pageSize, or offset, that paging adds. */
#define PAGING_BYTES	40

/* Encoded: "where=" with its "&"; " AND "; " OR "; a pair of parentheses. */
#define WHERE_BYTES		7
#define AND_BYTES		9
#define OR_BYTES		8
#define PARENS_BYTES	6

typedef struct Piece
{
	XeroItem   *item;
	XeroText	summary;		/* the fate, and whether sizes are bounds */
	const char *name;			/* of the parameter, NULL for where= */
	bool		list;			/* several values may share a request */
	List	   *values;			/* parameter: strings */
	List	   *arms;			/* where=: XeroTexts, joined by OR */
	int			overhead;		/* encoded bytes besides values or arms */
	int			size;			/* of all in one request */
	int			widest;			/* of the largest value or arm */
} Piece;

typedef struct Build
{
	const XeroRel *rel;
	const XeroObject *root;
	const XeroRequestOptions *options;
	XeroRenderer renderer;
	bool		summary;
	int			room;
	List	   *pieces;			/* fixed ones that are sent */
	Piece	   *split;
	char	   *modified_since;
	int64		after;			/* XERO_ROUTE_OFFSET, as in XeroRequest */
	int64		last;
	char	   *offset;			/* "after" as SQL, or NULL */
	const char **bounds;		/* by param: FROM and TO values */
} Build;

/* Measures a piece in both forms. */
static void
measure(Piece *piece)
{
	ListCell   *lc;

	piece->overhead = piece->name ? strlen(piece->name) + 2 :
		AND_BYTES + PARENS_BYTES;
	piece->size = piece->overhead;
	foreach(lc, piece->values)
	{
		int			bytes = xero_encoded_length(lfirst(lc), piece->list) + 1;

		CHECK_FOR_INTERRUPTS();
		piece->size += bytes;
		piece->widest = Max(piece->widest, bytes);
	}
	foreach(lc, piece->arms)
	{
		XeroText   *arm = lfirst(lc);
		int			bytes = xero_encoded_length(arm->text, false) + OR_BYTES +
		PARENS_BYTES;

		CHECK_FOR_INTERRUPTS();
		piece->size += bytes;
		piece->widest = Max(piece->widest, bytes);
	}
}

/*
 * The values of an equality for a parameter.  False if one of them cannot
 * stand there: where= may still take it.
 */
static bool
param_values(const XeroRenderer *renderer, XeroItem *item, Piece *piece)
{
	const XeroParam *param;
	XeroValues	values;
	ListCell   *lc;

	xero_resolve_values(item->condition->values, renderer->params,
						renderer->unknowns, &values);
	xero_distinct_values(xero_condition_column(renderer->rel,
											   item->condition->attno),
						 &values, renderer->unknowns, &piece->summary,
						 &piece->values);
	piece->summary.fate = values.count > 0 || values.unbounded ?
		XERO_FATE_TEXT : XERO_FATE_NEVER;
	if (item->param < 0)
		return false;
	param = &xero_root_object(renderer->rel->object)->params[item->param];
	piece->name = param->name;
	piece->list = param->kind == XERO_PARAM_LIST;
	foreach(lc, piece->values)
	{
		const char *value = lfirst(lc);

		/* A list is cut at commas, and perhaps trimmed. */
		if (value == NULL || (piece->list && strchr(value, ',') != NULL) ||
			value[0] == ' ' || value[strlen(value) - 1] == ' ')
			return false;
	}
	return true;
}

/* Turns an item into a piece; not for ranges and If-Modified-Since. */
static Piece *
make_piece(const XeroRenderer *renderer, XeroItem *item)
{
	Piece	   *piece = palloc0(sizeof(Piece));
	XeroCondition *condition = item->condition;

	piece->item = item;
	if (item->route != XERO_ROUTE_WHERE && param_values(renderer, item, piece))
	{
		measure(piece);
		return piece;
	}
	if (piece->summary.fate == XERO_FATE_NEVER)
		return piece;
	memset(piece, 0, sizeof(Piece));
	piece->item = item;
	piece->list = true;
	if (!xero_in_where(renderer->rel, condition))
		piece->summary.fate = XERO_FATE_UNSENDABLE;
	else if (condition->kind == XERO_COND_COMPARE &&
			 condition->op == XERO_CMP_EQ)
		piece->arms = xero_render_arms(renderer, condition, &piece->summary);
	else
	{
		piece->summary = *xero_render(renderer, condition);
		if (piece->summary.fate == XERO_FATE_TEXT)
			piece->arms = list_make1(&piece->summary);
	}
	measure(piece);
	return piece;
}

/*
 * For the planning side: the bytes an item takes in a query at most, or one of
 * its values if "one"; or one of XERO_WIDTH_*.
 */
int
xero_item_width(const XeroRel *rel, XeroItem *item, bool one)
{
	XeroRenderer renderer = {rel, NULL, XERO_UNKNOWN_WIDEST};
	const XeroObject *root = xero_root_object(rel->object);
	Piece	   *piece;
	int			count;

	if (item->route == XERO_ROUTE_MODIFIED || item->route == XERO_ROUTE_OFFSET)
		return 0;
	if (item->route == XERO_ROUTE_RANGE)
	{
		int			bytes = 0;

		for (int i = 0; i < root->nparams; i++)
		{
			if (root->params[i].kind == XERO_PARAM_FROM ||
				root->params[i].kind == XERO_PARAM_TO)
				bytes = Max(bytes, strlen(root->params[i].name));
		}
		return 2 * (bytes + strlen("&=2024-01-31"));
	}
	piece = make_piece(&renderer, item);
	if (piece->summary.fate == XERO_FATE_UNSENDABLE)
		return XERO_WIDTH_UNSENDABLE;
	if (piece->summary.unbounded)
		return XERO_WIDTH_UNBOUNDED;
	if (one)
		return piece->overhead + piece->widest;
	count = list_length(piece->values);
	if (piece->summary.many || count > XERO_LISTED_VALUES ||
		(count > 1 && !piece->list))
		return XERO_WIDTH_UNBOUNDED;
	return piece->size;
}

/*
 * The from and to parameters for a comparison of dates; several conditions on
 * one column leave the narrowest bounds.  False if no date can be within.
 */
static bool
add_range(Build *b, XeroItem *item)
{
	XeroCondition *condition = item->condition;
	const XeroColumn *column = xero_condition_column(b->rel, condition->attno);
	int			from = xero_find_param(b->rel, column, XERO_PARAM_FROM);
	int			to = xero_find_param(b->rel, column, XERO_PARAM_TO);
	bool		lower = condition->op != XERO_CMP_LT &&
	condition->op != XERO_CMP_LE;
	bool		upper = condition->op != XERO_CMP_GT &&
	condition->op != XERO_CMP_GE;
	XeroValues	values;
	XeroSpan	span;
	char	   *text;

	xero_resolve_values(condition->values, b->renderer.params,
						b->renderer.unknowns, &values);
	if (values.count == 0)
		return false;
	if (values.values[0].placeholder > 0)
	{
		text = psprintf(XERO_PLACEHOLDER, values.values[0].placeholder);
		if (lower)
			b->bounds[from] = text;
		if (upper)
			b->bounds[to] = text;
		return true;
	}
	if (!xero_span(column, condition, &values.values[0], &span))
		return true;
	if (span.from > XERO_LAST_DAY || span.before <= XERO_FIRST_DAY ||
		span.from >= span.before)
		return false;

	/* Days in this form sort as text. */
	if (lower)
	{
		text = xero_day_text(Max(span.from, XERO_FIRST_DAY));
		if (b->bounds[from] == NULL || strcmp(b->bounds[from], text) < 0)
			b->bounds[from] = text;
	}
	if (upper)
	{
		text = xero_day_text(Min(span.before - 1, XERO_LAST_DAY));
		if (b->bounds[to] == NULL || strcmp(b->bounds[to], text) > 0)
			b->bounds[to] = text;
	}
	return true;
}

/*
 * If-Modified-Since: the latest of the lower bounds.  Whether Xero means since
 * or after is unknown, for which the bound has a margin.  False for a null.
 */
static bool
add_modified(Build *b, XeroItem *item)
{
	XeroCondition *condition = item->condition;
	XeroValues	values;
	XeroSpan	span;
	char	   *text;

	xero_resolve_values(condition->values, b->renderer.params,
						b->renderer.unknowns, &values);
	if (values.count == 0)
		return false;
	if (values.values[0].placeholder > 0)
		text = psprintf(XERO_PLACEHOLDER, values.values[0].placeholder);
	else if (xero_span(xero_condition_column(b->rel, condition->attno),
					   condition, &values.values[0], &span) &&
			 span.from != PG_INT64_MIN)
		text = xero_instant_text(span.from * USECS_PER_SEC);
	else
		return true;
	if (b->modified_since == NULL || strcmp(b->modified_since, text) < 0)
		b->modified_since = text;
	return true;
}

/*
 * A bound of the numbers that a list by offset goes by: the narrowest ones are
 * left.  False if no number can be within.
 */
static bool
add_offset(Build *b, XeroItem *item)
{
	XeroCondition *condition = item->condition;
	XeroValues	values;
	int64		number;

	xero_resolve_values(condition->values, b->renderer.params,
						b->renderer.unknowns, &values);
	if (values.count == 0)
		return false;
	if (values.values[0].placeholder > 0)
	{
		if (condition->op == XERO_CMP_GT)
			b->offset = psprintf(XERO_PLACEHOLDER, values.values[0].placeholder);
		else if (condition->op == XERO_CMP_GE || condition->op == XERO_CMP_EQ)
			b->offset = psprintf(XERO_PLACEHOLDER " - 1", values.values[0].placeholder);
		return true;
	}
	number = strtoi64(xero_value_text(xero_condition_column(b->rel, condition->attno),
									  &values.values[0]), NULL, 10);

	/* The column is an integer, so nothing is beyond. */
	number = Max(Min(number, PG_INT32_MAX), 0);
	if (condition->op == XERO_CMP_GT)
		b->after = Max(b->after, number);
	else if (condition->op == XERO_CMP_GE || condition->op == XERO_CMP_EQ)
		b->after = Max(b->after, number - 1);
	if (condition->op == XERO_CMP_LT)
		number--;
	if (condition->op == XERO_CMP_LT || condition->op == XERO_CMP_LE ||
		condition->op == XERO_CMP_EQ)
	{
		if (number < 1)
			return false;
		b->last = b->last == 0 ? number : Min(b->last, number);
	}
	return true;
}

/* Does the condition filter on something that summaries leave out? */
static bool
beyond_summary(const XeroRel *rel, const XeroCondition *condition)
{
	ListCell   *lc;

	if (condition->kind != XERO_COND_AND && condition->kind != XERO_COND_OR)
		return (xero_condition_column(rel, condition->attno)->levels &
				XERO_LEVEL_SUMMARY) == 0;
	foreach(lc, condition->args)
	{
		if (beyond_summary(rel, lfirst(lc)))
			return true;
	}
	return false;
}

/* A query in its two forms. */
typedef struct QueryText
{
	StringInfoData encoded;
	StringInfoData shown;
} QueryText;

static void
append_param(QueryText *query, const char *name, const char *value,
			 bool raw_commas)
{
	if (query->encoded.len > 0)
	{
		appendStringInfoChar(&query->encoded, '&');
		appendStringInfoChar(&query->shown, '&');
	}
	appendStringInfo(&query->encoded, "%s=", name);
	xero_append_sent(&query->encoded, value, raw_commas);
	appendStringInfo(&query->shown, "%s=%s", name, value);
}

/* What every list request carries besides the conditions. */
static void
append_fixed(const Build *b, QueryText *query)
{
	if (b->root->query != NULL)
	{
		char	   *name = pstrdup(b->root->query);
		char	   *equals = strchr(name, '=');

		*equals = '\0';
		append_param(query, name, equals + 1, false);
	}
	if (b->options->order != NULL)
		append_param(query, "order", b->options->order, false);
	if (b->summary)
		append_param(query, "summaryOnly", "true", false);
	for (int i = 0; i < b->root->nparams; i++)
	{
		if (b->root->params[i].kind == XERO_PARAM_ARCHIVED &&
			b->rel->include_archived)
			append_param(query, b->root->params[i].name, "true", false);
	}
	if (b->root->has_unitdp)
		append_param(query, "unitdp", "4", false);
}

static char *
join_values(List *values)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, values)
	{
		if (buf.len > 0)
			appendStringInfoChar(&buf, ',');
		appendStringInfoString(&buf, lfirst(lc));
	}
	return buf.data;
}

static void
finish_request(XeroRequest *request, QueryText *query)
{
	request->query = query->encoded.data;
	request->shown = psprintf("GET %s%s%s", request->path,
							  query->shown.len > 0 ? "?" : "",
							  query->shown.data);
}

static char *
list_path(const XeroObject *root)
{
	return psprintf("%s/%s", root->api->base, xero_object_path(root));
}

/* One list request; "chunk" is what it takes of the split item, or NULL. */
static XeroRequest *
make_request(const Build *b, const Piece *chunk)
{
	XeroRequest *request = palloc0(sizeof(XeroRequest));
	List	   *pieces = list_copy(b->pieces);
	List	   *where = NIL;
	QueryText	query;
	ListCell   *lc;

	initStringInfo(&query.encoded);
	initStringInfo(&query.shown);
	if (chunk != NULL)
		pieces = lcons((void *) chunk, pieces);
	foreach(lc, pieces)
	{
		const Piece *piece = lfirst(lc);

		if (piece->name != NULL)
			append_param(&query, piece->name, join_values(piece->values),
						 piece->list);
		else
			where = lappend(where, xero_join(XERO_COND_OR, piece->arms));
	}
	for (int i = 0; i < b->root->nparams; i++)
	{
		if (b->bounds[i] != NULL)
			append_param(&query, b->root->params[i].name, b->bounds[i], false);
	}
	if (where != NIL)
		append_param(&query, "where", xero_join(XERO_COND_AND, where)->text,
					 false);
	append_fixed(b, &query);
	request->path = list_path(b->root);
	request->modified_since = b->modified_since;
	request->after = b->after;
	request->last = b->last;
	request->offset = b->offset ? b->offset : psprintf(INT64_FORMAT, b->after);
	request->summary = b->summary;
	finish_request(request, &query);
	return request;
}

/*
 * The request of a part of the split item's values.  Texts that differ may be
 * one to Xero, and then the parts' records overlap.  (The words of an enum do
 * not; and a text's condition is rechecked, so its column is read.)
 */
static XeroRequest *
make_part(const Build *b, const Piece *chunk)
{
	XeroRequest *request = make_request(b, chunk);
	AttrNumber	attno = b->split->item->condition->attno;
	const XeroColumn *column = xero_condition_column(b->rel, attno);
	ListCell   *lc;

	if (column->type != XERO_TEXT || (column->flags & XERO_COL_ENUM) != 0)
		return request;
	request->owner_attno = attno;
	foreach(lc, chunk->values)
		request->owned = lappend(request->owned, xero_folded(lfirst(lc)));
	foreach(lc, chunk->arms)
		request->owned = lappend(request->owned,
								 xero_folded(((XeroText *) lfirst(lc))->value));
	return request;
}

bool
xero_same_request(const XeroRequest *a, const XeroRequest *b)
{
	return strcmp(a->path, b->path) == 0 && strcmp(a->query, b->query) == 0 &&
		a->after == b->after && a->last == b->last &&
		xero_same_text(a->modified_since, b->modified_since);
}

bool
xero_request_owns(const XeroRequest *request, Datum value)
{
	char	   *string = TextDatumGetCString(value);
	char	   *folded = xero_folded(string);
	bool		found = false;
	ListCell   *lc;

	foreach(lc, request->owned)
	{
		if (strcmp(lfirst(lc), folded) == 0)
		{
			found = true;
			break;
		}
	}
	pfree(folded);
	pfree(string);
	return found;
}

/* Cuts the split item's values into requests. */
static List *
make_chunks(const Build *b)
{
	Piece	   *split = b->split;
	bool		param = split->name != NULL;
	List	   *all = param ? split->values : split->arms;
	int			most = split->list ? XERO_LISTED_VALUES : 1;
	int			taken = 0;
	int			position = 0;
	Piece	   *chunk = NULL;
	List	   *requests = NIL;

	while (position < list_length(all))
	{
		void	   *one = list_nth(all, position);
		int			bytes = param ?
		xero_encoded_length(one, split->list) + 1 :
		xero_encoded_length(((XeroText *) one)->text, false) + OR_BYTES +
		PARENS_BYTES;

		CHECK_FOR_INTERRUPTS();
		if (chunk != NULL &&
			(taken + bytes > b->room ||
			 list_length(param ? chunk->values : chunk->arms) >= most))
		{
			requests = lappend(requests, make_part(b, chunk));
			chunk = NULL;
		}
		if (chunk == NULL)
		{
			chunk = palloc0(sizeof(Piece));
			chunk->name = split->name;
			chunk->list = split->list;
			taken = split->overhead;
		}
		if (param)
			chunk->values = lappend(chunk->values, one);
		else
			chunk->arms = lappend(chunk->arms, one);
		taken += bytes;
		position++;
	}
	requests = lappend(requests, make_part(b, chunk));
	if (list_length(requests) == 1)
		((XeroRequest *) linitial(requests))->owner_attno = 0;
	return requests;
}

/*
 * The record by its key, if there is one value for it that can stand in a
 * path, and a single record's response has what is wanted.
 */
static XeroRequest *
make_single(const Build *b, XeroItem *item)
{
	XeroRequest *request;
	XeroText	summary;
	XeroValues	values;
	List	   *texts;
	const char *key;
	QueryText	query;

	if ((b->options->levels & XERO_LEVEL_SINGLE) == 0)
		return NULL;
	memset(&summary, 0, sizeof(summary));
	xero_resolve_values(item->condition->values, b->renderer.params,
						b->renderer.unknowns, &values);
	if (values.count == 1 && values.values[0].placeholder > 0 &&
		xero_is_array_node(linitial(item->condition->values)))
		return NULL;
	xero_distinct_values(xero_condition_column(b->rel, item->condition->attno),
						 &values, b->renderer.unknowns, &summary, &texts);
	if (values.count != 1 || (key = linitial(texts)) == NULL)
		return NULL;

	/* Servers take some characters of a path apart even if encoded. */
	if (values.values[0].placeholder == 0 &&
		strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			   "0123456789_-") != strlen(key))
		return NULL;
	initStringInfo(&query.encoded);
	initStringInfo(&query.shown);
	if (b->root->has_unitdp)
		append_param(&query, "unitdp", "4", false);
	request = palloc0(sizeof(XeroRequest));
	request->path = psprintf("%s/%s", list_path(b->root), key);
	request->single = true;
	finish_request(request, &query);
	return request;
}

/*
 * Sorts a piece in: among those that must go, those that may (returned in
 * "optional"), or as the split one.  False if no record can meet it.
 */
static bool
add_piece(Build *b, XeroItem *item, List **optional)
{
	Piece	   *piece = make_piece(&b->renderer, item);
	int			count = list_length(piece->name ? piece->values : piece->arms);

	if (piece->summary.fate == XERO_FATE_NEVER)
		return false;
	if (piece->summary.fate != XERO_FATE_TEXT)
	{
		Assert(piece->summary.fate == XERO_FATE_ALWAYS || item->droppable);
		return true;
	}
	if (item->split && count > 1)
		b->split = piece;
	else if (item->droppable)
		*optional = lappend(*optional, piece);
	else
	{
		b->pieces = lappend(b->pieces, piece);
		b->room -= piece->size;
	}
	return true;
}

/* Takes in what may go, as far as there is room next to the split item. */
static void
add_optional(Build *b, List *optional)
{
	int			keep = 0;
	ListCell   *lc;

	if (b->split != NULL && b->split->item->droppable &&
		(b->split->overhead + b->split->widest > b->room ||
		 (!b->split->list &&
		  list_length(b->split->values) > XERO_MAX_SINGLE_VALUES)))
		b->split = NULL;
	if (b->split != NULL)
		keep = Min(b->split->size,
				   Max(XERO_SPLIT_ROOM, b->split->overhead + b->split->widest));
	foreach(lc, optional)
	{
		Piece	   *piece = lfirst(lc);
		int			count = list_length(piece->values);

		if (piece->size + keep > b->room || count > XERO_LISTED_VALUES ||
			(count > 1 && !piece->list))
			continue;
		b->pieces = lappend(b->pieces, piece);
		b->room -= piece->size;
	}
}

/* The room that is left for conditions beside the fixed parameters. */
static int
room_for_conditions(const Build *b)
{
	QueryText	fixed;

	initStringInfo(&fixed.encoded);
	initStringInfo(&fixed.shown);
	append_fixed(b, &fixed);
	return MAX_QUERY_BYTES - PAGING_BYTES - WHERE_BYTES - fixed.encoded.len - 1;
}

List *
xero_build_requests(const XeroRel *rel, List *sent,
					const XeroParamValue *params, const XeroRequestOptions *options)
{
	Build		b = {0};
	List	   *items = NIL;
	List	   *optional = NIL;
	ListCell   *lc;

	b.rel = rel;
	b.root = xero_root_object(rel->object);
	b.options = options;
	b.renderer.rel = rel;
	b.renderer.params = params;
	b.renderer.unknowns = params ? XERO_UNKNOWN_NONE : XERO_UNKNOWN_SHOWN;
	b.bounds = palloc0(sizeof(char *) * (b.root->nparams + 1));
	b.summary = b.root->has_summary && (options->levels & XERO_LEVEL_SUMMARY) != 0;
	foreach(lc, sent)
	{
		XeroItem   *item = xero_item_from_node(lfirst(lc));

		items = lappend(items, item);
		if (beyond_summary(rel, item->condition))
			b.summary = false;
	}
	b.room = room_for_conditions(&b);
	Assert(b.room >= XERO_CONDITION_ROOM);

	foreach(lc, items)
	{
		XeroItem   *item = lfirst(lc);
		XeroRequest *single;
		bool		possible = true;

		if (item->route == XERO_ROUTE_TENANT)
			continue;
		if (item->route == XERO_ROUTE_RANGE)
		{
			possible = add_range(&b, item);
			b.room -= xero_item_width(rel, item, false);
		}
		else if (item->route == XERO_ROUTE_MODIFIED)
			possible = add_modified(&b, item);
		else if (item->route == XERO_ROUTE_OFFSET)
			possible = add_offset(&b, item);
		else if (item->route == XERO_ROUTE_KEY &&
				 (single = make_single(&b, item)) != NULL)
			return list_make1(single);
		else
			possible = add_piece(&b, item, &optional);
		if (!possible)
			return NIL;
	}
	if (b.last > 0 && b.last <= b.after)
		return NIL;
	add_optional(&b, optional);
	if (b.split != NULL)
		return make_chunks(&b);
	return list_make1(make_request(&b, NULL));
}
