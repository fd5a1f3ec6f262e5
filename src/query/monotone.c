/*-------------------------------------------------------------------------
 *
 * monotone.c
 *	  Comparisons of functions that keep the order of their column.
 *
 * Whether date_trunc('month', date) reaches a value, or date + 30 does, or the
 * date as a timestamp in the session's time zone: from some day on, it does,
 * and before, it does not.  So such a comparison says the same as one of the
 * bare column, and the day is found by trying: the function itself is
 * evaluated, for some twenty days.  Nothing here knows how it is inverted.
 *
 * The condition's "order" is an integer expression: how the function of the
 * column, which $1 stands for, compares with the value, which is $2.  It is
 * evaluated when the request is made, because it may depend on the time zone
 * and on now().  No function below fails for any value that Xero can have.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/span.h"

#include "access/nbtree.h"
#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#define COLUMN_PARAM	1
#define VALUE_PARAM		2

/* With constants up to these, 1000 years, nothing overflows. */
#define MAX_DAYS		365000
#define MAX_MONTHS		12000

/* In any case, as PostgreSQL takes them. */
static const char *const units[] = {
	"second", "minute", "hour", "day", "week", "month", "quarter", "year", NULL
};
static const char *const fields[] = {
	"year", "isoyear", "epoch", "julian", NULL
};
static const char *const formats[] = {
	"YYYY", "YYYYMM", "YYYY-MM", "YYYY/MM", "YYYY.MM",
	"YYYYMMDD", "YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD",
	"YYYYQ", "YYYY-Q", "YYYY\"Q\"Q", "YYYY-\"Q\"Q", "YYYY \"Q\"Q",
	"IYYYIW", "IYYY-IW", "IYYY\"W\"IW", "IYYY-\"W\"IW",
	"YYYY-MM-DD HH24", "YYYY-MM-DD HH24:MI", "YYYY-MM-DD HH24:MI:SS", NULL
};

typedef struct MonotoneFunction
{
	Oid			function;
	int			argument;		/* the one that has the column */
	bool		falls;			/* it turns the order round */
	const char *const *words;	/* what a text argument may be; NULL: a time
								 * zone */
	Oid			instead;		/* the like that does not fail */
} MonotoneFunction;

static const MonotoneFunction functions[] = {
	{F_TIMESTAMP_DATE, 0},
	{F_TIMESTAMPTZ_DATE, 0},
	{F_DATE_TIMESTAMP, 0},
	{F_DATE_TIMESTAMPTZ, 0},
	{F_TIMESTAMP_TIMESTAMPTZ, 0},
	{F_TIMESTAMPTZ_TIMESTAMP, 0},
	{F_TIMEZONE_TEXT_TIMESTAMP, 1},
	{F_TIMEZONE_TEXT_TIMESTAMPTZ, 1},
	{F_DATE_PLI, 0},
	{F_DATE_MII, 0},
	{F_DATE_MI, 0},
	{F_DATE_MI, 1, true},
	{F_DATE_PL_INTERVAL, 0},
	{F_DATE_MI_INTERVAL, 0},
	{F_TIMESTAMP_PL_INTERVAL, 0},
	{F_TIMESTAMP_MI_INTERVAL, 0},
	{F_TIMESTAMP_MI, 0},
	{F_TIMESTAMP_MI, 1, true},
	{F_TIMESTAMPTZ_PL_INTERVAL, 0},
	{F_TIMESTAMPTZ_MI_INTERVAL, 0},
	{F_TIMESTAMPTZ_MI, 0},
	{F_TIMESTAMPTZ_MI, 1, true},
	{F_DATE_TRUNC_TEXT_TIMESTAMP, 1, false, units},
	{F_DATE_TRUNC_TEXT_TIMESTAMPTZ, 1, false, units},
	{F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT, 1, false, units},
	{F_EXTRACT_TEXT_DATE, 1, false, fields},
	{F_EXTRACT_TEXT_TIMESTAMP, 1, false, fields},
	{F_EXTRACT_TEXT_TIMESTAMPTZ, 1, false, fields},
	{F_DATE_PART_TEXT_TIMESTAMP, 1, false, fields},
	{F_DATE_PART_TEXT_TIMESTAMPTZ, 1, false, fields},
	{F_TO_CHAR_TIMESTAMP_TEXT, 0, false, formats},
	{F_TO_CHAR_TIMESTAMPTZ_TEXT, 0, false, formats},
	{F_LEFT, 0},
	{F_SUBSTR_TEXT_INT4_INT4, 0},
	{F_SUBSTRING_TEXT_INT4_INT4, 0},
	{F_FLOAT8_NUMERIC, 0},
	{F_FLOAT4_NUMERIC, 0},
	{F_INT4_NUMERIC, 0, false, NULL, F_INT8_NUMERIC},
	{F_INT8_NUMERIC, 0},
	{F_INT4_FLOAT8, 0, false, NULL, F_INT8_FLOAT8},
	{F_INT8_FLOAT8, 0},
	{F_ROUND_NUMERIC_INT4, 0},
	{F_TRUNC_NUMERIC_INT4, 0},
	{F_FLOOR_NUMERIC, 0},
	{F_CEIL_NUMERIC, 0},
	{F_CEILING_NUMERIC, 0},
	{F_ROUND_FLOAT8, 0},
	{F_TRUNC_FLOAT8, 0},
	{F_FLOOR_FLOAT8, 0},
	{F_CEIL_FLOAT8, 0},
	{F_CEILING_FLOAT8, 0},
};

static const MonotoneFunction *
find_function(Oid function, int argument)
{
	for (int i = 0; i < lengthof(functions); i++)
	{
		if (functions[i].function == function &&
			functions[i].argument == argument)
			return &functions[i];
	}
	return NULL;
}

/* Of what is called by name or by an operator; NIL for anything else. */
static List *
arguments_of(Node *node, Oid *function)
{
	*function = InvalidOid;
	if (IsA(node, FuncExpr))
	{
		*function = ((FuncExpr *) node)->funcid;
		return ((FuncExpr *) node)->args;
	}
	if (IsA(node, OpExpr))
	{
		set_opfuncid((OpExpr *) node);
		*function = ((OpExpr *) node)->opfuncid;
		return ((OpExpr *) node)->args;
	}
	return NIL;
}

static bool
is_within(int64 number, int64 limit)
{
	return number >= -limit && number <= limit;
}

static bool
is_moderate_constant(const Const *value, const char *const *words)
{
	TimestampTz second;
	XeroValue	moment = {value->consttype, value->constvalue};
	Interval   *interval;
	char	   *word;

	if (value->constisnull)
		return false;
	switch (value->consttype)
	{
		case INT4OID:
			return is_within(DatumGetInt32(value->constvalue), MAX_DAYS);
		case INTERVALOID:
			interval = DatumGetIntervalP(value->constvalue);
			return is_within(interval->month, MAX_MONTHS) &&
				is_within(interval->day, MAX_DAYS) &&
				is_within(interval->time, MAX_DAYS * USECS_PER_DAY);
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return xero_instant(&moment, &second);
		case TEXTOID:
			word = TextDatumGetCString(value->constvalue);
			if (words == NULL)
				return strlen(word) <= TZ_STRLEN_MAX && pg_tzset(word) != NULL;
			for (; *words != NULL; words++)
			{
				if (pg_strcasecmp(word, *words) == 0)
					return true;
			}
			return false;
		default:
			return false;
	}
}

/* An argument beside the column: a constant, or the time that it is now. */
static bool
is_steady(Node *node, const char *const *words)
{
	Oid			function;
	List	   *args;

	if (IsA(node, Const))
		return is_moderate_constant((Const *) node, words);
	if (IsA(node, SQLValueFunction))
		return true;
	args = arguments_of(node, &function);
	if (IsA(node, FuncExpr) && args == NIL)
		return function == F_NOW || function == F_STATEMENT_TIMESTAMP ||
			function == F_TRANSACTION_TIMESTAMP;
	return list_length(args) == 1 && find_function(function, 0) != NULL &&
		is_steady(linitial(args), NULL);
}

static Param *
make_param(int number, Oid type)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXTERN;
	param->paramid = number;
	param->paramtype = type;
	param->paramtypmod = -1;
	param->location = -1;
	return param;
}

/* Is that argument, if it is a text, the name of a time zone? */
static bool
is_zone(const MonotoneFunction *known, int argument)
{
	return known->words == NULL ||
		(known->argument > 0 && argument > known->argument);
}

/* Texts keep their order if as much is left of the beginning of each. */
static bool
leaves_beginning(List *numbers)
{
	ListCell   *lc;

	foreach(lc, numbers)
	{
		Const	   *number = lfirst(lc);
		bool		last = lnext(numbers, lc) == NULL;

		if (!IsA(number, Const) ||
			(last ? DatumGetInt32(number->constvalue) < 0 :
			 DatumGetInt32(number->constvalue) != 1))
			return false;
	}
	return true;
}

/* Can the column be in that argument, as far as the others tell? */
static bool
others_allow(const MonotoneFunction *known, List *args, XeroType type)
{
	for (int i = 0; i < list_length(args); i++)
	{
		Node	   *arg = list_nth(args, i);
		bool		zone = exprType(arg) == TEXTOID && is_zone(known, i);

		/* Days are exact, so no clock may be put back between two of them. */
		if (i != known->argument &&
			((zone && type == XERO_DATE) ||
			 !is_steady(arg, zone ? NULL : known->words)))
			return false;
	}
	if (known->function == F_LEFT || known->function == F_SUBSTR_TEXT_INT4_INT4 ||
		known->function == F_SUBSTRING_TEXT_INT4_INT4)
		return leaves_beginning(list_copy_tail(args, 1));
	return true;
}

static bool
is_style_dependent(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, CoerceViaIO) ||
		expression_tree_walker(node, is_style_dependent, context);
}

static Node *function_of_column(const XeroRel *rel, Node *node,
								AttrNumber *attno, bool *falls);

/* Of what has a day as text, the text; its order is that of days in ISO style. */
static Node *
text_of_column(const XeroRel *rel, CoerceViaIO *node, AttrNumber *attno,
			   bool *falls)
{
	Oid			type = exprType((Node *) node->arg);
	CoerceViaIO *result;
	Node	   *inner;

	if ((type != DATEOID && type != TIMESTAMPOID && type != TIMESTAMPTZOID) ||
		(node->resulttype != TEXTOID && node->resulttype != VARCHAROID) ||
		DateStyle != USE_ISO_DATES ||
		(inner = function_of_column(rel, (Node *) node->arg, attno, falls)) == NULL)
		return NULL;
	result = copyObject(node);
	result->arg = (Expr *) inner;
	result->resulttype = TEXTOID;
	return (Node *) result;
}

/*
 * A function that keeps the order of a column, or turns it round ("falls"),
 * with $1 in the column's place.  NULL if the node is nothing like it.
 */
static Node *
function_of_column(const XeroRel *rel, Node *node, AttrNumber *attno,
				   bool *falls)
{
	const XeroColumn *column = xero_column_of(rel, node, attno);
	Oid			function;
	List	   *args;

	check_stack_depth();
	if (column != NULL)
		return column->type == XERO_DATE || column->type == XERO_NUMERIC ||
			column->type == XERO_TIMESTAMPTZ ?
			(Node *) make_param(COLUMN_PARAM, exprType(node)) : NULL;
	if (IsA(node, RelabelType))
		return function_of_column(rel, (Node *) ((RelabelType *) node)->arg,
								  attno, falls);
	if (IsA(node, CoerceViaIO))
		return text_of_column(rel, (CoerceViaIO *) node, attno, falls);
	args = arguments_of(node, &function);
	for (int i = 0; i < list_length(args); i++)
	{
		const MonotoneFunction *known = find_function(function, i);
		bool		inner_falls = false;
		Node	   *inner;
		Node	   *result;

		if (known == NULL ||
			(inner = function_of_column(rel, list_nth(args, i), attno, &inner_falls)) == NULL ||
			!others_allow(known, args, xero_condition_column(rel, *attno)->type))
			continue;
		result = copyObject(node);
		lfirst(list_nth_cell(arguments_of(result, &function), i)) = inner;
		if (OidIsValid(known->instead))
		{
			((FuncExpr *) result)->funcid = known->instead;
			((FuncExpr *) result)->funcresulttype = INT8OID;
		}
		*falls = inner_falls != known->falls;
		return result;
	}
	return NULL;
}

/* How the two compare, by the operators that sort them; NULL if none do. */
static Node *
make_order(Node *left, Node *right, Oid collation)
{
	Oid			left_type = exprType(left);
	Oid			right_type = exprType(right);
	TypeCacheEntry *type = lookup_type_cache(left_type, TYPECACHE_BTREE_OPFAMILY);
	Oid			function = get_opfamily_proc(type->btree_opf, left_type,
											 right_type, BTORDER_PROC);

	if (!OidIsValid(function))
		return NULL;
	return (Node *) makeFuncExpr(function, INT4OID, list_make2(left, right),
								 InvalidOid, collation,
								 COERCE_EXPLICIT_CALL);
}

static XeroComparison
turned(XeroComparison op)
{
	switch (op)
	{
		case XERO_CMP_LT:
			return XERO_CMP_GT;
		case XERO_CMP_LE:
			return XERO_CMP_GE;
		case XERO_CMP_GT:
			return XERO_CMP_LT;
		case XERO_CMP_GE:
			return XERO_CMP_LE;
		default:
			return op;
	}
}

/* Whose verdict is that of all conditions with an order. */
static XeroCondition *
make_condition(const XeroRel *rel, AttrNumber attno, XeroComparison op,
			   Node *value, Node *order)
{
	XeroType	type = xero_condition_column(rel, attno)->type;
	XeroCondition *condition;

	if (order == NULL || (type != XERO_DATE && op == XERO_CMP_NE))
		return NULL;
	condition = palloc0(sizeof(XeroCondition));
	condition->kind = XERO_COND_MONOTONE;
	condition->attno = attno;
	condition->op = op;
	condition->values = list_make1(value);
	condition->order = order;
	condition->verdict = type == XERO_DATE && !is_style_dependent(order, NULL) ?
		XERO_VERDICT_EXACT : XERO_VERDICT_SUPERSET;
	return condition;
}

/*
 * As bytes the words of dates have their order, to a person they may not.  But
 * digits have it in every language, and words that differ have no others at the
 * same place.  Anybody can make a collation where that is not so.
 */
static bool
agree_on_collation(XeroComparison op, Oid *collation)
{
	if (!OidIsValid(*collation))
		return true;
	if (!get_collation_isdeterministic(*collation))
		return false;
	if (op == XERO_CMP_EQ || op == XERO_CMP_NE)
		*collation = C_COLLATION_OID;
	return *collation < FirstNormalObjectId;
}

/*
 * The condition for a comparison of "left" with a value, by an operator that
 * is built in; NULL if it is local.
 */
XeroCondition *
xero_classify_monotone(const XeroRel *rel, XeroComparison op, Oid collation,
					   Node *left, Node *value)
{
	AttrNumber	attno;
	bool		falls = false;
	Node	   *function = function_of_column(rel, left, &attno, &falls);
	Node	   *param = (Node *) make_param(VALUE_PARAM, exprType(value));

	if (function == NULL || !agree_on_collation(op, &collation))
		return NULL;
	if (falls)
		return make_condition(rel, attno, turned(op), value,
							  make_order(param, function, collation));
	return make_condition(rel, attno, op, value,
						  make_order(function, param, collation));
}

static Const *
make_constant(Oid type, Datum datum)
{
	int16		len;
	bool		byval;

	get_typlenbyval(type, &len, &byval);
	return makeConst(type, -1, InvalidOid, len, datum, false, byval);
}

static CaseWhen *
make_when(Node *test, int32 result)
{
	CaseWhen   *when = makeNode(CaseWhen);

	when->expr = (Expr *) test;
	when->result = (Expr *) make_constant(INT4OID, Int32GetDatum(result));
	when->location = -1;
	return when;
}

/*
 * The condition for "left" being within a range: that is equal, to what is
 * before it the range is greater, and to anything else less, as an empty range
 * is to all.
 */
XeroCondition *
xero_classify_within(const XeroRel *rel, Node *left, Node *range)
{
	AttrNumber	attno;
	bool		falls = false;
	Node	   *function = function_of_column(rel, left, &attno, &falls);
	Node	   *param = (Node *) make_param(VALUE_PARAM, exprType(range));
	Oid			type = exprType(left);
	Oid			opfamily = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
	Node	   *lower;
	Node	   *within;
	Node	   *not_above;
	CaseExpr   *order;

	if (function == NULL || falls || get_range_subtype(exprType(range)) != type)
		return NULL;
	lower = (Node *) makeFuncExpr(F_LOWER_ANYRANGE, type, list_make1(param),
								  InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	within = (Node *) makeFuncExpr(F_ELEM_CONTAINED_BY_RANGE, BOOLOID,
								   list_make2(function, param), InvalidOid,
								   InvalidOid, COERCE_EXPLICIT_CALL);
	not_above = (Node *) make_opclause(get_opfamily_member(opfamily, type, type,
														   BTLessEqualStrategyNumber),
									   BOOLOID, false, (Expr *) function,
									   (Expr *) lower, InvalidOid, InvalidOid);
	order = makeNode(CaseExpr);
	order->casetype = INT4OID;
	order->args = list_make2(make_when(within, 0), make_when(not_above, -1));
	order->defresult = (Expr *) make_constant(INT4OID, Int32GetDatum(1));
	order->location = -1;
	return make_condition(rel, attno, XERO_CMP_EQ, range, (Node *) order);
}

/* The value of a column with such a number (see XeroSpan). */
static Const *
counted_value(const XeroColumn *column, int64 number)
{
	switch (column->type)
	{
		case XERO_DATE:
			return make_constant(DATEOID, DateADTGetDatum(number));
		case XERO_TIMESTAMPTZ:
			return make_constant(TIMESTAMPTZOID,
								 TimestampTzGetDatum(number * USECS_PER_SEC));
		default:
			return make_constant(NUMERICOID,
								 NumericGetDatum(int64_div_fast_to_numeric(number, 4)));
	}
}

/* Puts constants in the places of params. */
static Node *
fill_in(Node *node, void *constants)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Param))
		return (Node *) ((Const **) constants)[((Param *) node)->paramid];
	return expression_tree_mutator(node, fill_in, constants);
}

/* May the order be gone, as the style of dates is another one by now? */
bool
xero_order_is_lost(const XeroCondition *condition)
{
	return DateStyle != USE_ISO_DATES &&
		is_style_dependent(condition->order, NULL);
}

/*
 * The first of the values from "low" to "high" for which the condition's
 * function reaches the value, or comes above it; high + 1 if it never does.
 */
int64
xero_first_reaching(const XeroColumn *column, const XeroCondition *condition,
					const XeroValue *value, bool above, int64 low, int64 high)
{
	Const	   *constants[VALUE_PARAM + 1];

	constants[VALUE_PARAM] = make_constant(value->type, value->datum);
	high++;
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;
		Const	   *order;

		CHECK_FOR_INTERRUPTS();
		constants[COLUMN_PARAM] = counted_value(column, middle);
		order = (Const *) evaluate_expr((Expr *) fill_in(condition->order, constants),
										INT4OID, -1, InvalidOid);
		if (DatumGetInt32(order->constvalue) >= (above ? 1 : 0))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}
