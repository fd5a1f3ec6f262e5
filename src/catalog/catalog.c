/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  The lists of APIs and objects, and the look-ups.
 *
 * The lists are short enough, and asked seldom enough, to be searched from
 * end to end.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "catalog/rows.h"

const XeroApi xero_api_accounting = {
	.name = "accounting",
	.base = "/api.xro/2.0",
	.comment = "Accounting API",
};

const XeroApi xero_api_payroll_au = {
	.name = "payroll_au",
	.base = "/payroll.xro/1.0",
	.country = "AU",
	.comment = "Payroll API, Australia",
};

const XeroApi xero_api_payroll_uk = {
	.name = "payroll_uk",
	.base = "/payroll.xro/2.0",
	.country = "GB",
	.comment = "Payroll API, United Kingdom",
};

const XeroApi xero_api_payroll_nz = {
	.name = "payroll_nz",
	.base = "/payroll.xro/2.0",
	.country = "NZ",
	.comment = "Payroll API, New Zealand",
};

const XeroApi *const xero_apis[] = {
	&xero_api_accounting,
	&xero_api_payroll_au,
	&xero_api_payroll_uk,
	&xero_api_payroll_nz,
};

const int	xero_napis = lengthof(xero_apis);

const XeroObject *const xero_objects[] = {
	&xero_object_accounts,
	&xero_object_batch_payments,
	&xero_object_bank_transactions,
	&xero_object_bank_transaction_line_items,
	&xero_object_bank_transfers,
	&xero_object_branding_themes,
	&xero_object_budgets,
	&xero_object_contacts,
	&xero_object_contact_addresses,
	&xero_object_contact_phones,
	&xero_object_contact_contact_persons,
	&xero_object_contact_groups,
	&xero_object_contact_group_contacts,
	&xero_object_credit_notes,
	&xero_object_credit_note_line_items,
	&xero_object_credit_note_allocations,
	&xero_object_currencies,
	&xero_object_expense_claims,
	&xero_object_invoices,
	&xero_object_invoice_line_items,
	&xero_object_invoice_payments,
	&xero_object_items,
	&xero_object_journals,
	&xero_object_journal_journal_lines,
	&xero_object_linked_transactions,
	&xero_object_manual_journals,
	&xero_object_manual_journal_journal_lines,
	&xero_object_organisation,
	&xero_object_overpayments,
	&xero_object_overpayment_allocations,
	&xero_object_payments,
	&xero_object_payment_services,
	&xero_object_prepayments,
	&xero_object_prepayment_allocations,
	&xero_object_purchase_orders,
	&xero_object_purchase_order_line_items,
	&xero_object_quotes,
	&xero_object_quote_line_items,
	&xero_object_receipts,
	&xero_object_repeating_invoices,
	&xero_object_tax_rates,
	&xero_object_tax_rate_tax_components,
	&xero_object_tracking_categories,
	&xero_object_tracking_category_options,
	&xero_object_users,
	&xero_object_payroll_au_employees,
	&xero_object_payroll_uk_employees,
	&xero_object_payroll_nz_employees,
};

const int	xero_nobjects = lengthof(xero_objects);

/* The API of a remote schema's name. */
const XeroApi *
xero_find_api(const char *name)
{
	for (int i = 0; i < xero_napis; i++)
	{
		if (strcmp(xero_apis[i]->name, name) == 0)
			return xero_apis[i];
	}
	return NULL;
}

/* The object of an "object" option: "accounting/Invoices". */
const XeroObject *
xero_find_object(const char *api_and_name)
{
	const char *slash = strchr(api_and_name, '/');
	size_t		apilen;

	if (slash == NULL)
		return NULL;
	apilen = slash - api_and_name;

	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];

		if (strlen(object->api->name) == apilen &&
			pg_strncasecmp(object->api->name, api_and_name, apilen) == 0 &&
			pg_strcasecmp(object->name, slash + 1) == 0)
			return object;
	}
	return NULL;
}

/* The column of an SQL name, spelled exactly. */
const XeroColumn *
xero_find_column(const XeroObject *object, const char *name)
{
	for (int i = 0; i < object->ncolumns; i++)
	{
		if (strcmp(object->columns[i].name, name) == 0)
			return &object->columns[i];
	}
	return NULL;
}

/* The column of a "field" option, with its prefix if it is the parent's. */
const XeroColumn *
xero_find_field(const XeroObject *object, const char *field)
{
	int			parent = 0;

	if (strncmp(field, XERO_PARENT_PREFIX, strlen(XERO_PARENT_PREFIX)) == 0)
	{
		parent = XERO_COL_PARENT;
		field += strlen(XERO_PARENT_PREFIX);
	}

	for (int i = 0; i < object->ncolumns; i++)
	{
		const XeroColumn *column = &object->columns[i];

		if ((column->flags & XERO_COL_PARENT) == parent &&
			pg_strcasecmp(column->field, field) == 0)
			return column;
	}
	return NULL;
}

bool
xero_lists_lack_rows(const XeroObject *object)
{
	return object->parent != NULL &&
		!(xero_find_field(object->parent, object->array)->forms & XERO_FORM_LIST);
}

/* The SQL name of a type, as written in CREATE FOREIGN TABLE. */
const char *
xero_type_name(XeroType type)
{
	switch (type)
	{
		case XERO_TEXT:
			return "text";
		case XERO_UUID:
			return "uuid";
		case XERO_NUMERIC:
			return "numeric";
		case XERO_BOOLEAN:
			return "boolean";
		case XERO_INTEGER:
			return "integer";
		case XERO_DATE:
			return "date";
		case XERO_TIMESTAMPTZ:
			return "timestamp with time zone";
		case XERO_JSONB:
			return "jsonb";
	}
	pg_unreachable();
}

/* The OID of a type; all are built in. */
Oid
xero_type_oid(XeroType type)
{
	switch (type)
	{
		case XERO_TEXT:
			return TEXTOID;
		case XERO_UUID:
			return UUIDOID;
		case XERO_NUMERIC:
			return NUMERICOID;
		case XERO_BOOLEAN:
			return BOOLOID;
		case XERO_INTEGER:
			return INT4OID;
		case XERO_DATE:
			return DATEOID;
		case XERO_TIMESTAMPTZ:
			return TIMESTAMPTZOID;
		case XERO_JSONB:
			return JSONBOID;
	}
	pg_unreachable();
}
