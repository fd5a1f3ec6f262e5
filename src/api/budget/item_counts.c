/*-------------------------------------------------------------------------
 *
 * item_counts.c
 *	  How many records an organisation has of each object, as Xero has told.
 *
 * Planning makes no call, so it rests on what earlier answers told, those of
 * other sessions as well.  The counts lie in the entries of the budget and go
 * with them.  They are shown to callers whose token Xero has accepted there, as
 * the size of a ledger is nobody else's business.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/budget/entries.h"
#include "api/budget/item_counts.h"
#include "api/shared/shared.h"

static int
object_number(const XeroObject *object)
{
	int			i = 0;

	while (xero_objects[i] != object)
		i++;
	Assert(i < XERO_MAX_OBJECTS);
	return i;
}

void
xero_note_item_count(const XeroServer *server, const XeroObject *object,
					 bool archived, double records)
{
	XeroBudget *budget = xero_budget_attach();
	XeroBudgetKey key = xero_budget_key(server);
	XeroCaller	caller = xero_caller_of(server);
	XeroBudgetEntry *entry;

	LWLockAcquire(&budget->lock, LW_EXCLUSIVE);
	entry = xero_budget_find(budget, &key, &caller, xero_budget_now());
	if (entry != NULL)
		entry->items.records[object_number(object)][archived] =
			Min(records, PG_INT32_MAX);
	LWLockRelease(&budget->lock);
}

double
xero_item_count(const XeroServer *server, const XeroObject *object,
				bool archived, int *organisations)
{
	int			number = object_number(object);
	double		records = 0;
	XeroBudget *budget;
	XeroBudgetKey key;
	XeroCaller	caller;

	*organisations = 0;
	if (!xero_shared_exists())
		return -1;
	budget = xero_budget_attach();
	key = xero_budget_key(server);
	caller = xero_caller_of(server);
	LWLockAcquire(&budget->lock, LW_SHARED);
	for (int i = 0; i < budget->nentries; i++)
	{
		const XeroBudgetEntry *entry = &XERO_BUDGET_ENTRIES(budget)[i];
		int32		count = entry->items.records[number][archived];

		if (!entry->used || count < 0 || !xero_budget_is_open_to(entry, &caller) ||
			(key.tenant_id[0] != '\0' &&
			 strcmp(entry->key.tenant_id, key.tenant_id) != 0))
			continue;
		records += count;
		(*organisations)++;
	}
	LWLockRelease(&budget->lock);
	return *organisations > 0 ? records / *organisations : -1;
}
