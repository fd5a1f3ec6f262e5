/*-------------------------------------------------------------------------
 *
 * fold.c
 *	  Texts without case, as Xero compares names.
 *
 * lower() folds as the database's locale says, and where that is C, nothing
 * beyond ASCII; so a collation is taken that knows all of Unicode, if there is
 * one.  What may be composed in more ways than one is composed.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(xero_fold);

/* A collation by name; InvalidOid if this database has no use for it. */
static Oid
find_collation(char *name)
{
	return get_collation_oid(list_make2(makeString("pg_catalog"), makeString(name)), true);
}

static Oid
folding_collation(void)
{
	static Oid	collation = InvalidOid;

	if (!OidIsValid(collation))
		collation = find_collation("pg_c_utf8");
	if (!OidIsValid(collation))
		collation = find_collation("und-x-icu");
	if (!OidIsValid(collation))
		collation = DEFAULT_COLLATION_OID;
	return collation;
}

static bool
is_ascii(const char *bytes, int length)
{
	for (int i = 0; i < length; i++)
		if (IS_HIGHBIT_SET(bytes[i]))
			return false;
	return true;
}

Datum
xero_fold(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	Datum		folded = PointerGetDatum(value);

	if (is_ascii(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)))
		return DirectFunctionCall1Coll(lower, C_COLLATION_OID, folded);
	if (GetDatabaseEncoding() == PG_UTF8)
		folded = DirectFunctionCall2(unicode_normalize_func, folded,
									 CStringGetTextDatum("NFC"));
	return DirectFunctionCall1Coll(lower, folding_collation(), folded);
}
