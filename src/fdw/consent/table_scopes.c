/*-------------------------------------------------------------------------
 *
 * table_scopes.c
 *	  Which scopes the foreign tables of a server need.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/scopes.h"
#include "fdw/consent/table_scopes.h"
#include "fdw/options.h"
#include "miscadmin.h"

static XeroTableScope *
make_scope(Oid relid, const XeroObject *object, const char *scope)
{
	XeroTableScope *table = palloc(sizeof(XeroTableScope));

	table->relid = relid;
	table->object = object;
	table->scope = scope;
	return table;
}

List *
xero_table_scopes(Oid serverid)
{
	Relation	catalog = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0,
										  NULL);
	HeapTuple	tuple;
	List	   *tables = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_foreign_table form = (Form_pg_foreign_table) GETSTRUCT(tuple);
		const XeroObject *object;
		bool		writes;

		CHECK_FOR_INTERRUPTS();
		if (form->ftserver != serverid)
			continue;
		object = xero_table_object(form->ftrelid, GetUserId(), &writes);
		if (object == NULL)
			continue;
		tables = lappend(tables,
						 make_scope(form->ftrelid, object,
									xero_object_scope(object, writes)));
		if (xero_below_scope(object) != NULL)
			tables = lappend(tables,
							 make_scope(form->ftrelid, object,
										xero_below_scope(object)));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return tables;
}
