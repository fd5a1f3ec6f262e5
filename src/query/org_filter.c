/*-------------------------------------------------------------------------
 *
 * org_filter.c
 *	  Conditions on tenant_id: which organisations are asked.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "query/condition.h"

#include "base/uuid.h"
#include "miscadmin.h"
#include "query/literal.h"

/* Takes those out of "wanted" that the condition does not let pass. */
static Bitmapset *
sift(Bitmapset *wanted, const XeroCondition *condition,
	 const XeroParamValue *params, const pg_uuid_t *organisations)
{
	bool		equal = condition->op == XERO_CMP_EQ;
	XeroValues	values;
	pg_uuid_t  *ids;
	int			i = -1;

	Assert(equal || condition->op == XERO_CMP_NE);
	xero_resolve_values(condition->values, params,
						params ? XERO_UNKNOWN_NONE : XERO_UNKNOWN_SHOWN,
						&values);
	if (values.nulls && !equal)
		return NULL;
	ids = palloc(sizeof(pg_uuid_t) * (values.count + 1));
	for (int n = 0; n < values.count; n++)
	{
		CHECK_FOR_INTERRUPTS();
		if (values.values[n].placeholder > 0)
			return wanted;
		ids[n] = *DatumGetUUIDP(values.values[n].datum);
	}
	qsort(ids, values.count, sizeof(pg_uuid_t), xero_compare_uuids);
	while ((i = bms_next_member(wanted, i)) >= 0)
	{
		bool		found = bsearch(&organisations[i], ids, values.count,
									sizeof(pg_uuid_t), xero_compare_uuids) != NULL;

		if (found != equal)
			wanted = bms_del_member(wanted, i);
	}
	pfree(ids);
	return wanted;
}

Bitmapset *
xero_wanted_organisations(List *sent,
						  const XeroParamValue *params,
						  const pg_uuid_t *organisations,
						  int norganisations)
{
	Bitmapset  *wanted = bms_add_range(NULL, 0, norganisations - 1);
	ListCell   *lc;

	foreach(lc, sent)
	{
		XeroItem   *item = xero_item_from_node(lfirst(lc));

		if (item->route == XERO_ROUTE_TENANT && wanted != NULL)
			wanted = sift(wanted, item->condition, params, organisations);
	}
	return wanted;
}
