/*-------------------------------------------------------------------------
 *
 * collation.c
 *	  What a collation makes of letters.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "query/condition.h"
#include "utils/syscache.h"

/*
 * Has each letter one capital?  So it is with the C library.  Others have SS for
 * a German sharp s, FI for the ligature, and the like.
 */
bool
xero_has_single_capitals(Oid collation)
{
	HeapTuple	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	char		provider;

	if (!HeapTupleIsValid(tuple))
		return false;
	provider = ((Form_pg_collation) GETSTRUCT(tuple))->collprovider;
	ReleaseSysCache(tuple);
	if (provider == COLLPROVIDER_DEFAULT)
	{
		tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
		if (!HeapTupleIsValid(tuple))
			return false;
		provider = ((Form_pg_database) GETSTRUCT(tuple))->datlocprovider;
		ReleaseSysCache(tuple);
	}
	return provider == COLLPROVIDER_LIBC;
}
