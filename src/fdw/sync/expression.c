/*-------------------------------------------------------------------------
 *
 * expression.c
 *	  What an expression of a sync is: its type, and the columns it reads.
 *
 * Expressions and filters are texts of a user.  The statements of a sync
 * contain them as "(", the text, a line break and ")", so a text has to be one
 * expression, whatever stands around it.  A text that passes here is: it is
 * parsed by itself, where nothing but one bare expression is let through, and
 * then once more in the place that it will have.
 *
 * All of it is done as the caller, under the search path that the sync will
 * have: names mean what they mean to the caller, and nothing is found or
 * computed by the rights of somebody else.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/gate.h"
#include "fdw/sync/sync.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "parser/parsetree.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(xero_analyze);

/*
 * Is it one bare expression?  By the rule of PL/pgSQL, what may follow one is
 * the rest of a SELECT: each clause of it is a field that is not empty.
 */
static void
require_one_expression(const char *expression)
{
	List	   *statements = raw_parser(expression, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = castNode(SelectStmt,
								  linitial_node(RawStmt, statements)->stmt);
	SelectStmt *bare = makeNode(SelectStmt);
	ResTarget  *target;

	bare->targetList = select->targetList;
	if (list_length(select->targetList) == 1 && equal(select, bare))
	{
		target = linitial_node(ResTarget, select->targetList);
		if (target->name == NULL &&
			!(IsA(target->val, ColumnRef) &&
			  IsA(linitial(((ColumnRef *) target->val)->fields), A_Star)))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("it is not one expression")));
}

/*
 * The expression, analysed as a condition: there it can be neither an
 * aggregate nor a set.
 */
static Query *
analyse(Oid relid, const char *alias, const char *expression,
		const char **statement)
{
	StringInfoData text;
	List	   *statements;
	Query	   *query;

	LockRelationOid(relid, AccessShareLock);
	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	initStringInfo(&text);
	appendStringInfo(&text, "SELECT FROM %s AS %s WHERE (%s\n) IS NULL",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												get_rel_name(relid)),
					 quote_identifier(alias), expression);
	statements = raw_parser(text.data, RAW_PARSE_DEFAULT);
	query = parse_analyze_fixedparams(linitial_node(RawStmt, statements),
									  text.data, NULL, 0, NULL);
	if (list_length(statements) != 1 || rt_fetch(1, query->rtable)->relid != relid ||
		!IsA(query->jointree->quals, NullTest))
		elog(ERROR, "the statement around an expression is another one");
	*statement = text.data;
	return query;
}

/* Its type as the target of a SELECT. */
static Oid
expression_type(Node *node)
{
	Oid			type = exprType(node);

	if (type == UNKNOWNOID)
		return TEXTOID;
	if (get_typtype(type) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("it is of pseudo-type %s", format_type_be(type))));
	return type;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* The columns of the row that it reads, in the order of their names. */
static ArrayType *
columns_read(Node *node, Oid relid)
{
	Bitmapset  *columns = NULL;
	List	   *names = NIL;
	Datum	   *values;
	int			attno;
	int			n = 0;
	ListCell   *lc;

	/* The row is all there is in FROM, so no other Var is of this level. */
	foreach(lc, pull_vars_of_level(node, 0))
	{
		attno = lfirst_node(Var, lc)->varattno;
		if (attno < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("it reads a system column")));
		if (attno == 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("it reads the row as a whole; name the columns")));
		columns = bms_add_member(columns, attno);
	}
	attno = -1;
	while ((attno = bms_next_member(columns, attno)) >= 0)
		names = lappend(names, get_attname(relid, attno, false));
	list_sort(names, compare_names);

	values = palloc(sizeof(Datum) * Max(list_length(names), 1));
	foreach(lc, names)
		values[n++] = CStringGetTextDatum(lfirst(lc));
	return construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT);
}

/*
 * The rights on all that it uses, relations as well as functions: the executor
 * looks at them before it begins.  It reads nothing.
 */
static void
require_rights(Query *query, const char *statement)
{
	Query	   *rewritten = linitial_node(Query, pg_rewrite_query(query));
	PlannedStmt *plan = pg_plan_query(rewritten, statement, 0, NULL);
	QueryDesc  *desc = CreateQueryDesc(plan, statement, GetActiveSnapshot(),
									   InvalidSnapshot, None_Receiver, NULL,
									   NULL, 0);

	ExecutorStart(desc, EXEC_FLAG_EXPLAIN_ONLY);
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
}

/* SQL: _analyze(relation, alias, expression, path) */
Datum
xero_analyze(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *alias = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *expression = text_to_cstring(PG_GETARG_TEXT_PP(2));
	const char *statement;
	Query	   *query;
	Node	   *node;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	XeroIdentity saved;

	xero_door_enter(text_to_cstring(PG_GETARG_TEXT_PP(3)), &saved);
	require_one_expression(expression);
	query = analyse(relid, alias, expression, &statement);
	node = (Node *) castNode(NullTest, query->jointree->quals)->arg;
	values[0] = ObjectIdGetDatum(expression_type(node));
	values[1] = PointerGetDatum(columns_read(node, relid));
	require_rights(query, statement);
	xero_door_leave(&saved);
	PG_RETURN_DATUM(xero_make_record(fcinfo, values, nulls));
}
