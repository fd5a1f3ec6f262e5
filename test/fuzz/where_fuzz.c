/*-------------------------------------------------------------------------
 *
 * where_fuzz.c
 *	  Any clauses with any values as requests: all of src/query.
 *
 * Clauses are made as the parser would make them, but for functions of a
 * column, which only the server can evaluate.  Every request must be one
 * that Xero can take apart as it is meant: short enough, encoded, and with
 * each text of where= inside of its own quotes.
 *
 * Input: encoding, table, options, number of clauses; each clause as bytes
 * that choose, and lines for its values.
 *
 * Link: src/query/classify.c src/query/assign.c src/query/condition.c
 * Link: src/query/literal.c src/query/render.c src/query/request.c
 * Link: src/query/org_filter.c src/query/span.c src/query/sent.c
 * Link: src/query/pattern.c src/query/restate.c src/base/urlencode.c
 * Link: src/catalog/accounting_banking.c src/catalog/accounting_contacts.c
 * Link: src/catalog/accounting_documents.c src/catalog/accounting_ledger.c
 * Link: src/catalog/accounting_settings.c src/catalog/payroll.c
 * Link: src/catalog/catalog.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "base/urlencode.h"
#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "query/query.h"
#include "query/span.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#define RELID 1
#define MODIFIED_SINCE 1
#define MAX_QUERY 1860
#define MAX_PARAMS 64

extern Datum xero_modified_since(PG_FUNCTION_ARGS);

static XeroRel rel;
static XeroParamValue params[MAX_PARAMS];
static int	nparams;

/*-------------------------------------------------------------------------
 * What the server knows of nodes, types and operators
 *-------------------------------------------------------------------------
 */

/* An operator's number is made of the places of its name and types here. */
static const char *const names[] = {
	"=", "<>", "<", "<=", ">", ">=", "~~", "^@", "?"
};
static const Oid types[] = {
	TEXTOID, UUIDOID, NUMERICOID, BOOLOID, INT4OID, DATEOID, TIMESTAMPTZOID,
	JSONBOID, INT2OID, INT8OID, TIMESTAMPOID
};

static int
place_of(Oid type)
{
	int			i = 0;

	while (types[i] != type)
		i++;
	return i;
}

static Oid
operator_number(int name, Oid left, Oid right)
{
	return 1 + (name * lengthof(types) + place_of(left)) * lengthof(types) +
		place_of(right);
}

void
op_input_types(Oid opno, Oid *left, Oid *right)
{
	*left = types[(opno - 1) / lengthof(types) % lengthof(types)];
	*right = types[(opno - 1) % lengthof(types)];
}

char *
get_opname(Oid opno)
{
	return OidIsValid(opno) ?
		pstrdup(names[(opno - 1) / lengthof(types) / lengthof(types)]) : NULL;
}

/* The operator with the other name, and perhaps its sides exchanged. */
static Oid
related(Oid opno, const int *others, bool exchanged)
{
	int			name = (opno - 1) / lengthof(types) / lengthof(types);
	Oid			left;
	Oid			right;

	op_input_types(opno, &left, &right);
	if (others[name] < 0)
		return InvalidOid;
	return exchanged ? operator_number(others[name], right, left) :
		operator_number(others[name], left, right);
}

Oid
get_commutator(Oid opno)
{
	static const int others[lengthof(names)] = {0, 1, 4, 5, 2, 3, -1, -1, -1};

	return related(opno, others, true);
}

Oid
get_negator(Oid opno)
{
	static const int others[lengthof(names)] = {1, 0, 5, 4, 3, 2, -1, -1, -1};

	return related(opno, others, false);
}

bool
op_strict(Oid opno)
{
	return true;
}

bool
xero_has_single_capitals(Oid collation)
{
	return true;
}

bool
get_collation_isdeterministic(Oid collation)
{
	return true;
}

void
fmgr_info(Oid function, FmgrInfo *info)
{
	info->fn_addr = function == MODIFIED_SINCE ? xero_modified_since : NULL;
}

/* An array type is the type of its elements and this. */
#define ARRAY_OF 1000000

typedef struct FuzzArray
{
	int			count;
	Datum	   *datums;
	bool	   *nulls;
} FuzzArray;

Oid
get_element_type(Oid type)
{
	return type > ARRAY_OF ? type - ARRAY_OF : InvalidOid;
}

void
get_typlenbyvalalign(Oid type, int16 *len, bool *byval, char *align)
{
	*len = 0;
	*byval = false;
	*align = 0;
}

void
deconstruct_array(ArrayType *array, Oid element, int len, bool byval,
				  char align, Datum **datums, bool **nulls, int *count)
{
	*datums = ((FuzzArray *) array)->datums;
	*nulls = ((FuzzArray *) array)->nulls;
	*count = ((FuzzArray *) array)->count;
}

Oid
exprType(const Node *node)
{
	if (IsA(node, Var))
		return ((const Var *) node)->vartype;
	return IsA(node, Const) ? ((Const *) node)->consttype :
		castNode(Param, (Node *) node)->paramtype;
}

/* All that is walked is a Param. */
#if PG_VERSION_NUM >= 160000
bool
expression_tree_walker_impl(Node *node, tree_walker_callback walker,
							void *context)
#else
bool
expression_tree_walker(Node *node, bool (*walker) (), void *context)
#endif
{
	return false;
}

bool
contain_volatile_functions(Node *node)
{
	return false;
}

bool
contain_subplans(Node *node)
{
	return false;
}

bool
equal(const void *a, const void *b)
{
	return a == b;
}

Integer *
makeInteger(int i)
{
	Integer    *node = makeNode(Integer);

	node->ival = i;
	return node;
}

Expr *
makeBoolExpr(BoolExprType boolop, List *args, int location)
{
	BoolExpr   *node = makeNode(BoolExpr);

	node->boolop = boolop;
	node->args = args;
	return (Expr *) node;
}

static Expr *
make_bool(BoolExprType boolop, List *args)
{
	return makeBoolExpr(boolop, args, -1);
}

Expr *
make_andclause(List *args)
{
	return make_bool(AND_EXPR, args);
}

Expr *
make_orclause(List *args)
{
	return make_bool(OR_EXPR, args);
}

Expr *
make_notclause(Expr *arg)
{
	return make_bool(NOT_EXPR, list_make1(arg));
}

Expr *
make_opclause(Oid opno, Oid type, bool retset, Expr *left, Expr *right,
			  Oid collation, Oid inputcollid)
{
	OpExpr	   *expr = makeNode(OpExpr);

	expr->opno = opno;
	expr->inputcollid = inputcollid;
	expr->args = list_make2(left, right);
	return (Expr *) expr;
}

/* There are no patterns of functions here. */
int
pg_mbstrlen(const char *text)
{
	return strlen(text);
}

FuncExpr *
makeFuncExpr(Oid function, Oid type, List *args, Oid collation,
			 Oid inputcollid, CoercionForm form)
{
	fuzz_must(false);
	return NULL;
}

Const *
makeConst(Oid type, int32 typmod, Oid collation, int len, Datum datum,
		  bool isnull, bool byval)
{
	Const	   *node = makeNode(Const);

	node->consttype = type;
	node->constvalue = datum;
	node->constisnull = isnull;
	return node;
}

/* Numbers are text here. */
Numeric
int64_div_fast_to_numeric(int64 number, int log10)
{
	int64		unit = 1;
	uint64		size = number < 0 ? -(uint64) number : number;

	for (int i = 0; i < log10; i++)
		unit *= 10;
	return (Numeric) psprintf("%s%llu.%0*llu", number < 0 ? "-" : "",
							  (unsigned long long) size / unit, log10,
							  (unsigned long long) size % unit);
}

/* No clause here has a function of a column. */
XeroCondition *
xero_classify_monotone(const XeroRel *xero_rel, XeroComparison op,
					   Oid collation, Node *left, Node *value)
{
	return NULL;
}

XeroCondition *
xero_classify_within(const XeroRel *xero_rel, Node *left, Node *range)
{
	return NULL;
}

bool
xero_order_is_lost(const XeroCondition *condition)
{
	return false;
}

int64
xero_first_reaching(const XeroColumn *column, const XeroCondition *condition,
					const XeroValue *value, bool above, int64 low, int64 high)
{
	fuzz_must(false);
	return 0;
}

List *
xero_choice_arms(const XeroRel *xero_rel, Node *clause, bool negate, bool *exact)
{
	return NIL;
}

Node *
xero_restate_uuid(const XeroRel *xero_rel, Node *clause)
{
	return NULL;
}

static Node *
make_constant(Oid type, Datum datum, bool isnull)
{
	Const	   *node = makeNode(Const);

	node->consttype = type;
	node->constvalue = datum;
	node->constisnull = isnull;
	return (Node *) node;
}

Node *
makeBoolConst(bool value, bool isnull)
{
	return make_constant(BOOLOID, BoolGetDatum(value), isnull);
}

/*-------------------------------------------------------------------------
 * Clauses
 *-------------------------------------------------------------------------
 */

/* As numeric_out() would print it. */
static char *
numeric_of(char *line)
{
	size_t		digits = strspn(line, "0123456789");

	if (*line == '-')
		digits = strspn(line + 1, "0123456789") + 1;
	if (line[digits] == '.')
		digits += 1 + strspn(line + digits + 1, "0123456789");
	line[digits] = '\0';
	return digits == 0 || line[digits - 1] == '.' || line[digits - 1] == '-' ?
		"NaN" : line;
}

static Datum
value_of(FuzzInput *in, Oid type)
{
	char	   *line = fuzz_line(in);
	int64		number = strtoll(line, NULL, 10);
	pg_uuid_t  *uuid;

	switch (type)
	{
		case TEXTOID:
			return PointerGetDatum(cstring_to_text(fuzz_is_text(line, strlen(line)) ?
												   line : ""));
		case UUIDOID:
			uuid = palloc0(sizeof(pg_uuid_t));
			memcpy(uuid, line, Min(strlen(line), sizeof(pg_uuid_t)));
			return UUIDPGetDatum(uuid);
		case NUMERICOID:
			return CStringGetDatum(numeric_of(line));
		case BOOLOID:
			return BoolGetDatum(number != 0);
		case INT2OID:
			return Int16GetDatum((int16) number);
		case INT4OID:
			return Int32GetDatum((int32) number);
		case INT8OID:
			return Int64GetDatum(number);
		case DATEOID:
			if (number > PG_INT32_MAX)
				return DateADTGetDatum(DATEVAL_NOEND);
			return DateADTGetDatum(IS_VALID_DATE(number) ? number :
								   DATEVAL_NOBEGIN);
		default:
			if (number == PG_INT64_MAX)
				return TimestampGetDatum(DT_NOEND);
			return TimestampGetDatum(IS_VALID_TIMESTAMP(number) ? number :
									 DT_NOBEGIN);
	}
}

static Datum
array_of(FuzzInput *in, Oid element)
{
	static const int lengths[] = {0, 1, 2, 3, 4, 9, 12, 45};
	FuzzArray  *array = palloc(sizeof(FuzzArray));
	bool		alike = fuzz_pick(in, 2) == 0;

	array->count = lengths[fuzz_pick(in, lengthof(lengths))];
	array->datums = palloc(array->count * sizeof(Datum));
	array->nulls = palloc0(array->count * sizeof(bool));
	for (int i = 0; i < array->count; i++)
	{
		/* many values from few bytes */
		if (i > 2 && alike && (element == INT4OID || element == DATEOID))
			array->datums[i] = array->datums[i - 1] + 1;
		else if (i > 2 && alike && element == TEXTOID)
			array->datums[i] = PointerGetDatum(cstring_to_text(psprintf("%s%d",
																		TextDatumGetCString(array->datums[0]), i)));
		else if (i > 2 && alike && element == UUIDOID)
		{
			pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

			*uuid = *DatumGetUUIDP(array->datums[0]);
			uuid->data[0] = i;
			array->datums[i] = UUIDPGetDatum(uuid);
		}
		else
		{
			array->nulls[i] = fuzz_pick(in, 8) == 7;
			array->datums[i] = value_of(in, element);
		}
	}
	return PointerGetDatum(array);
}

/* A constant, or a value that is known at run time only. */
static Node *
make_value(FuzzInput *in, Oid type, bool is_array)
{
	unsigned	kind = fuzz_pick(in, 5);
	Oid			whole = is_array ? type + ARRAY_OF : type;
	Datum		datum = is_array ? array_of(in, type) : value_of(in, type);
	Param	   *param;

	if (kind < 3 || nparams == MAX_PARAMS)
		return make_constant(whole, datum, kind == 2);
	params[nparams].type = whole;
	params[nparams].value = datum;
	params[nparams].isnull = kind == 4 && fuzz_pick(in, 2) == 1;
	param = makeNode(Param);
	param->paramkind = PARAM_EXEC;
	param->paramid = nparams++;
	param->paramtype = whole;
	return (Node *) param;
}

static Node *
make_column(AttrNumber attno, Oid type)
{
	Var		   *var = makeNode(Var);

	var->varno = RELID;
	var->varattno = attno;
	var->vartype = type;
	var->vartypmod = -1;
	return (Node *) var;
}

static Node *make_clause(FuzzInput *in, int depth);

static Node *
make_tree(FuzzInput *in, int depth)
{
	BoolExpr   *tree = makeNode(BoolExpr);
	int			nargs = 2 + fuzz_pick(in, 3);

	tree->boolop = fuzz_pick(in, 2) == 0 ? AND_EXPR : OR_EXPR;
	for (int i = 0; i < nargs; i++)
		tree->args = lappend(tree->args, make_clause(in, depth + 1));
	return (Node *) tree;
}

static Node *
make_not(Node *clause)
{
	BoolExpr   *tree = makeNode(BoolExpr);

	tree->boolop = NOT_EXPR;
	tree->args = list_make1(clause);
	return (Node *) tree;
}

static Node *
make_comparison(FuzzInput *in, Node *column, Oid type)
{
	OpExpr	   *expr = makeNode(OpExpr);
	int			name = fuzz_pick(in, lengthof(names));
	bool		commuted = fuzz_pick(in, 4) == 3;
	static const Oid integers[] = {INT4OID, INT2OID, INT8OID};
	static const Oid times[] = {TIMESTAMPTZOID, TIMESTAMPOID, DATEOID};
	Oid			value_type = type;
	Node	   *value;

	if (type == INT4OID)
		value_type = integers[fuzz_pick(in, lengthof(integers))];
	else if (type == TIMESTAMPTZOID)
		value_type = times[fuzz_pick(in, lengthof(times))];
	value = make_value(in, value_type, false);
	expr->inputcollid = 100;
	expr->opno = commuted ? operator_number(name, value_type, type) :
		operator_number(name, type, value_type);
	expr->args = commuted ? list_make2(value, column) :
		list_make2(column, value);
	return (Node *) expr;
}

/* IS DISTINCT FROM, or a comparison of rows by their first columns. */
static Node *
make_unlike_comparison(FuzzInput *in, Node *column, Oid type)
{
	DistinctExpr *distinct = makeNode(DistinctExpr);
	RowCompareExpr *rows = makeNode(RowCompareExpr);
	Node	   *value = make_value(in, type, false);
	unsigned	name = fuzz_pick(in, 6);

	if (name < 2)
	{
		distinct->opno = operator_number(0, type, type);
		distinct->inputcollid = 100;
		distinct->args = name == 0 ? list_make2(column, value) :
			list_make2(value, column);
		return (Node *) distinct;
	}
	rows->opnos = list_make1_oid(operator_number(name, type, type));
	rows->inputcollids = list_make1_oid(100);
	rows->largs = list_make1(column);
	rows->rargs = list_make1(value);
	return (Node *) rows;
}

static Node *
make_array_comparison(FuzzInput *in, Node *column, Oid type)
{
	ScalarArrayOpExpr *expr = makeNode(ScalarArrayOpExpr);
	int			name = fuzz_pick(in, 4) == 3 ? fuzz_pick(in, 7) : -1;

	expr->useOr = fuzz_pick(in, 4) != 3;
	expr->opno = operator_number(name >= 0 ? name : expr->useOr ? 0 : 1, type,
								 type);
	expr->inputcollid = 100;
	expr->args = list_make2(column, make_value(in, type, true));
	return (Node *) expr;
}

static Node *
make_test(FuzzInput *in, Node *column, Oid type)
{
	BooleanTest *test = makeNode(BooleanTest);
	NullTest   *null_test = makeNode(NullTest);

	if (type != BOOLOID)
	{
		null_test->arg = (Expr *) column;
		null_test->nulltesttype = fuzz_pick(in, 2) == 0 ? IS_NULL : IS_NOT_NULL;
		return (Node *) null_test;
	}
	test->arg = (Expr *) column;
	test->booltesttype = (BoolTestType) fuzz_pick(in, IS_NOT_UNKNOWN + 1);
	return fuzz_pick(in, 2) == 0 ? column : (Node *) test;
}

static Node *
make_modified_since(FuzzInput *in, Node *column)
{
	FuncExpr   *expr = makeNode(FuncExpr);

	expr->funcid = MODIFIED_SINCE;
	expr->args = list_make2(column, make_value(in, TIMESTAMPTZOID, false));
	return (Node *) expr;
}

static Node *
make_clause(FuzzInput *in, int depth)
{
	unsigned	kind = fuzz_pick(in, 8);
	AttrNumber	attno = 1 + fuzz_pick(in, rel.natts);
	Oid			type = attno == rel.tenant_attno ? UUIDOID :
	xero_type_oid(rel.columns[attno - 1]->type);
	Node	   *column = make_column(attno, type);

	if (kind == 0 && depth < 3)
		return make_tree(in, depth);
	if (kind == 1 && depth < 3)
		return make_not(make_clause(in, depth + 1));
	if (type == JSONBOID || kind == 2)
		return make_test(in, column, type);
	if (kind == 3)
		return make_array_comparison(in, column, type);
	if (kind == 4 && type == TIMESTAMPTZOID)
		return make_modified_since(in, column);
	if (kind == 5)
		return make_unlike_comparison(in, column, type);
	return make_comparison(in, column, type);
}

/*-------------------------------------------------------------------------
 * Requests
 *-------------------------------------------------------------------------
 */

static void
check_where(const char *where)
{
	int			parens = 0;
	bool		quoted = false;

	for (; *where != '\0'; where++)
	{
		if (*where == '"')
			quoted = !quoted;
		else if (quoted)
			fuzz_must(*where != '\\' && (unsigned char) *where >= ' ');
		else
		{
			fuzz_must(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							 "abcdefghijklmnopqrstuvwxyz"
							 "0123456789._-()<>=!, ", *where) != NULL);
			parens += *where == '(' ? 1 : *where == ')' ? -1 : 0;
			fuzz_must(parens >= 0);
		}
	}
	fuzz_must(!quoted && parens == 0);
}

static void
check_query(char *query)
{
	fuzz_must(strlen(query) <= MAX_QUERY);
	for (char *part = strtok(query, "&"); part != NULL; part = strtok(NULL, "&"))
	{
		char	   *value = strchr(part, '=');
		StringInfoData decoded;

		fuzz_must(value != NULL);
		*value++ = '\0';
		fuzz_must(part[strspn(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] == '\0');
		fuzz_must(value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%,")] == '\0');
		initStringInfo(&decoded);
		xero_append_decoded(&decoded, value, strlen(value));
		if (strcmp(part, "where") == 0)
			check_where(decoded.data);
	}
}

static void
check_requests(List *requests)
{
	ListCell   *lc;

	foreach(lc, requests)
	{
		XeroRequest *request = lfirst(lc);
		ListCell   *owned;

		fuzz_must(request->path[strspn(request->path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./")] == '\0');
		fuzz_must(!request->single || list_length(requests) == 1);
		foreach(owned, request->owned)
			fuzz_must(xero_request_owns(request, PointerGetDatum(cstring_to_text(lfirst(owned)))));
		check_query(request->query);
	}
}

static void
run(void *arg)
{
	FuzzInput  *in = arg;
	XeroRequestOptions options = {0};
	List	   *clauses = NIL;
	XeroPushdown pushdown;
	XeroParamValue *values;
	pg_uuid_t	tenants[3] = {0};
	AttrNumber	order = 0;
	ListCell   *lc;

	rel.include_archived = fuzz_pick(in, 2) == 0;
	options.levels = fuzz_pick(in, 8);
	order = fuzz_pick(in, rel.natts + 1);
	for (int n = fuzz_pick(in, 5); n >= 0; n--)
		clauses = lappend(clauses, make_clause(in, 0));

	if (order > 0)
		options.order = xero_order_field(&rel, order, clauses);
	foreach(lc, clauses)
		(void) xero_is_lookup(&rel, lfirst(lc));
	xero_pushdown(&rel, clauses, &pushdown);
	values = palloc0(sizeof(XeroParamValue) * (list_length(pushdown.params) + 1));
	foreach(lc, pushdown.params)
		values[foreach_current_index(lc)] = params[castNode(Param, lfirst(lc))->paramid];
	(void) xero_sends_whole_lists(pushdown.sent);
	(void) xero_wanted_organisations(pushdown.sent, NULL, tenants, lengthof(tenants));
	(void) xero_wanted_organisations(pushdown.sent, values, tenants, lengthof(tenants));
	(void) xero_build_requests(&rel, pushdown.sent, NULL, &options);
	check_requests(xero_build_requests(&rel, pushdown.sent, values, &options));
}

void
fuzz_one(FuzzInput *in)
{
	int			code;

	fuzz_pick_encoding(in);
	nparams = 0;
	rel.object = xero_objects[fuzz_pick(in, xero_nobjects)];
	rel.natts = rel.object->ncolumns + 1;
	rel.tenant_attno = rel.natts;
	rel.relid = RELID;
	rel.columns = palloc0(rel.natts * sizeof(XeroColumn *));
	for (int i = 0; i < rel.object->ncolumns; i++)
		rel.columns[i] = &rel.object->columns[i];
	code = fuzz_run(run, in);
	fuzz_must(code == 0);
}
