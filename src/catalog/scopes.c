/*-------------------------------------------------------------------------
 *
 * scopes.c
 *	  Which scope of a consent covers an object.
 *
 * Granular names; the broad ones of before March 2026 are for those who have
 * them in the option "scopes".
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/scopes.h"

typedef struct ObjectScope
{
	const char *api;
	const char *object;			/* NULL: all others of the API */
	const char *read;
	const char *write;			/* NULL: there is none */
} ObjectScope;

/* The first that fits. */
#define SCOPE(api, object, name) {api, object, name ".read", name}

static const ObjectScope scopes[] = {
	SCOPE("accounting", "Invoices", "accounting.invoices"),
	SCOPE("accounting", "CreditNotes", "accounting.invoices"),
	SCOPE("accounting", "LinkedTransactions", "accounting.invoices"),
	SCOPE("accounting", "Quotes", "accounting.invoices"),
	SCOPE("accounting", "PurchaseOrders", "accounting.invoices"),
	SCOPE("accounting", "RepeatingInvoices", "accounting.invoices"),
	SCOPE("accounting", "Items", "accounting.invoices"),
	SCOPE("accounting", "Payments", "accounting.payments"),
	SCOPE("accounting", "BatchPayments", "accounting.payments"),
	SCOPE("accounting", "Overpayments", "accounting.payments"),
	SCOPE("accounting", "Prepayments", "accounting.payments"),
	SCOPE("accounting", "BankTransactions", "accounting.banktransactions"),
	SCOPE("accounting", "BankTransfers", "accounting.banktransactions"),
	SCOPE("accounting", "ManualJournals", "accounting.manualjournals"),
	SCOPE("accounting", "ExpenseClaims", "accounting.classicexpenses"),
	SCOPE("accounting", "Receipts", "accounting.classicexpenses"),
	SCOPE("accounting", "Contacts", "accounting.contacts"),
	SCOPE("accounting", "ContactGroups", "accounting.contacts"),
	{"accounting", "Journals", "accounting.journals.read", NULL},
	{"accounting", "Budgets", "accounting.budgets.read", NULL},
	{"accounting", "PaymentServices", "paymentservices", "paymentservices"},
	SCOPE("accounting", NULL, "accounting.settings"),
	SCOPE("assets", NULL, "assets"),
	SCOPE("files", NULL, "files"),
	SCOPE("projects", NULL, "projects"),
	SCOPE("payroll_au", NULL, "payroll.employees"),
	SCOPE("payroll_nz", NULL, "payroll.employees"),
	SCOPE("payroll_uk", NULL, "payroll.employees")
};

static const ObjectScope *
find_scope(const XeroObject *object)
{
	const XeroObject *root = xero_root_object(object);

	for (int i = 0; i < lengthof(scopes); i++)
	{
		const ObjectScope *scope = &scopes[i];

		if (strcmp(scope->api, root->api->name) == 0 &&
			(scope->object == NULL || strcmp(scope->object, root->name) == 0))
			return scope;
	}
	return NULL;
}

static const char *
pick_scope(const ObjectScope *scope, bool writes)
{
	if (scope == NULL)
		return NULL;
	return writes && scope->write != NULL ? scope->write : scope->read;
}

const char *
xero_object_scope(const XeroObject *object, bool writes)
{
	return pick_scope(find_scope(object), writes && object->max_batch > 0);
}

const char *
xero_path_scope(const char *path, bool writes)
{
	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];
		size_t		base = strlen(object->api->base);
		size_t		name = strlen(object->name);

		if (object->parent == NULL &&
			strncmp(path, object->api->base, base) == 0 &&
			path[base] == '/' &&
			strncmp(path + base + 1, object->name, name) == 0 &&
			(path[base + 1 + name] == '\0' || path[base + 1 + name] == '/'))
			return pick_scope(find_scope(object), writes);
	}
	return NULL;
}
