/*-------------------------------------------------------------------------
 *
 * defaults.c
 *	  The values that a column gets by default, beforehand.
 *
 * The default is evaluated as it was stored, as the caller and under the
 * search path of the sync.  Its text, parsed anew under that path, could mean
 * something else: somebody's function that fits its arguments better.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/sync/gate.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(xero_default_values);

/* to_jsonb(), for values of a type */
static void
init_to_jsonb(FmgrInfo *function, Oid type)
{
	List	   *args = list_make1(makeNullConst(type, -1, InvalidOid));

	fmgr_info(F_TO_JSONB, function);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID, args,
											 InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL),
					   function);
}

/* What is not of PostgreSQL itself may become JSON that its type cannot read. */
static Datum
text_of(Datum value, Oid type)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(type, &output, &varlena);
	return CStringGetTextDatum(OidOutputFunctionCall(output, value));
}

static ArrayType *
default_values(Relation rel, AttrNumber attno, int count)
{
	Oid			type = TupleDescAttr(RelationGetDescr(rel), attno - 1)->atttypid;
	Expr	   *expression = (Expr *) build_column_default(rel, attno);
	Datum	   *values = palloc(sizeof(Datum) * Max(count, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(count, 1));
	EState	   *estate = CreateExecutorState();
	ExprState  *state = NULL;
	bool		as_text = type >= FirstNormalObjectId;
	FmgrInfo	to_jsonb;
	int			lower = 1;

	init_to_jsonb(&to_jsonb, as_text ? TEXTOID : type);
	if (expression != NULL)
		state = ExecPrepareExpr(expression, estate);
	for (int i = 0; i < count; i++)
	{
		Datum		value = (Datum) 0;

		CHECK_FOR_INTERRUPTS();
		nulls[i] = true;
		if (state != NULL)
			value = ExecEvalExprSwitchContext(state,
											  GetPerTupleExprContext(estate),
											  &nulls[i]);
		if (!nulls[i])
			values[i] = FunctionCall1(&to_jsonb, as_text ? text_of(value, type) : value);
		ResetPerTupleExprContext(estate);
	}
	FreeExecutorState(estate);
	return construct_md_array(values, nulls, 1, &count, &lower, JSONBOID, -1,
							  false, TYPALIGN_INT);
}

/* SQL: _default_values(relation, column_name, path, number) */
Datum
xero_default_values(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *column = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *path = text_to_cstring(PG_GETARG_TEXT_PP(2));
	AttrNumber	attno = get_attnum(relid, column);
	XeroIdentity saved;
	Relation	rel;
	ArrayType  *result;

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" does not exist", column)));
	xero_door_enter(path, &saved);
	rel = table_open(relid, AccessShareLock);
	result = default_values(rel, attno, PG_GETARG_INT32(3));
	table_close(rel, NoLock);
	xero_door_leave(&saved);
	PG_RETURN_ARRAYTYPE_P(result);
}
