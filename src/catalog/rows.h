/*-------------------------------------------------------------------------
 *
 * rows.h
 *	  For the data files of the catalogue only: short names, and the objects
 *	  that catalog.c collects from them.
 *
 * Adding an object: its rows in one of the data files, its declaration here,
 * its place in the list in catalog.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ROWS_H
#define XERO_ROWS_H

#include "compat.h"

#include "catalog/catalog.h"

#define FORMS_ALL (XERO_FORM_SUMMARY | XERO_FORM_LIST | XERO_FORM_SINGLE)
#define FORMS_FULL (XERO_FORM_LIST | XERO_FORM_SINGLE)
#define KEY_FLAGS (XERO_COL_NOT_NULL | XERO_COL_ORDER | XERO_COL_IMMUTABLE)

/* Of the parent's key, in a child table that can be written */
#define HOLDER_FLAGS \
	(KEY_FLAGS | XERO_COL_PARENT | XERO_COL_WRITABLE | XERO_COL_REQUIRED)

/* The element of every LineItems array, after the parent's key. */
#define LINE_ITEM_COLUMNS \
	{"line_item_id", "LineItemID", XERO_UUID, XERO_FILTER_NONE, FORMS_FULL, \
		0, \
	"Xero's identifier of the line"}, \
	{"description", "Description", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, \
		XERO_COL_WRITABLE, \
	"Text of the line"}, \
	{"quantity", "Quantity", XERO_NUMERIC, XERO_FILTER_NONE, FORMS_FULL, XERO_COL_WRITABLE, \
	"Quantity"}, \
	{"unit_amount", "UnitAmount", XERO_NUMERIC, XERO_FILTER_NONE, FORMS_FULL, \
		XERO_COL_WRITABLE, \
	"Price of one unit"}, \
	{"item_code", "ItemCode", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, XERO_COL_WRITABLE, \
	"Code of the item"}, \
	{"account_code", "AccountCode", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, \
		XERO_COL_WRITABLE, \
	"Code of the account"}, \
	{"account_id", "AccountID", XERO_UUID, XERO_FILTER_NONE, FORMS_FULL, XERO_COL_WRITABLE, \
	"Account"}, \
	{"tax_type", "TaxType", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, XERO_COL_WRITABLE, \
	"Code of the tax rate"}, \
	{"tax_amount", "TaxAmount", XERO_NUMERIC, XERO_FILTER_NONE, FORMS_FULL, \
		XERO_COL_WRITABLE, \
	"Tax on the line"}, \
	{"item_id", "Item.ItemID", XERO_UUID, XERO_FILTER_NONE, FORMS_FULL, 0, \
	"Item"}, \
	{"item_name", "Item.Name", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, 0, \
	"Name of the item"}, \
	{"line_amount", "LineAmount", XERO_NUMERIC, XERO_FILTER_NONE, FORMS_FULL, \
		XERO_COL_WRITABLE, \
	"Amount of the line, discount deducted"}, \
	{"tracking", "Tracking", XERO_JSONB, XERO_FILTER_NONE, FORMS_FULL, XERO_COL_WRITABLE, \
	"Up to two tracking categories with their options"}, \
	{"discount_rate", "DiscountRate", XERO_NUMERIC, XERO_FILTER_NONE, \
		FORMS_FULL, XERO_COL_WRITABLE, \
	"Discount, in percent"}, \
	{"discount_amount", "DiscountAmount", XERO_NUMERIC, XERO_FILTER_NONE, \
		FORMS_FULL, XERO_COL_WRITABLE, \
	"Discount, as an amount"}, \
	{"repeating_invoice_id", "RepeatingInvoiceID", XERO_UUID, \
		XERO_FILTER_NONE, FORMS_FULL, 0, \
	"Template the line was made from"}, \
	{"taxability", "Taxability", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, \
		XERO_COL_ENUM, \
	"How automatic sales tax treats the line (US)"}, \
	{"sales_tax_code_id", "SalesTaxCodeId", XERO_NUMERIC, XERO_FILTER_NONE, \
		FORMS_FULL, 0, \
	"Sales tax code (US)"}, \
	{"tax_breakdown", "TaxBreakdown", XERO_JSONB, XERO_FILTER_NONE, \
		FORMS_FULL, 0, \
	"The tax by component (US)"}, \
	{"discount_entered_as_percent", "DiscountEnteredAsPercent", XERO_BOOLEAN, \
		XERO_FILTER_NONE, FORMS_FULL, 0, \
	"Whether the discount was entered in percent"},

extern const XeroApi xero_api_accounting;
extern const XeroApi xero_api_payroll_au;
extern const XeroApi xero_api_payroll_uk;
extern const XeroApi xero_api_payroll_nz;

extern const XeroObject xero_object_accounts;
extern const XeroObject xero_object_batch_payments;
extern const XeroObject xero_object_bank_transactions;
extern const XeroObject xero_object_bank_transaction_line_items;
extern const XeroObject xero_object_bank_transfers;
extern const XeroObject xero_object_branding_themes;
extern const XeroObject xero_object_budgets;
extern const XeroObject xero_object_contacts;
extern const XeroObject xero_object_contact_addresses;
extern const XeroObject xero_object_contact_phones;
extern const XeroObject xero_object_contact_contact_persons;
extern const XeroObject xero_object_contact_groups;
extern const XeroObject xero_object_contact_group_contacts;
extern const XeroObject xero_object_credit_notes;
extern const XeroObject xero_object_credit_note_line_items;
extern const XeroObject xero_object_credit_note_allocations;
extern const XeroObject xero_object_currencies;
extern const XeroObject xero_object_expense_claims;
extern const XeroObject xero_object_invoices;
extern const XeroObject xero_object_invoice_line_items;
extern const XeroObject xero_object_invoice_payments;
extern const XeroObject xero_object_items;
extern const XeroObject xero_object_journals;
extern const XeroObject xero_object_journal_journal_lines;
extern const XeroObject xero_object_linked_transactions;
extern const XeroObject xero_object_manual_journals;
extern const XeroObject xero_object_manual_journal_journal_lines;
extern const XeroObject xero_object_organisation;
extern const XeroObject xero_object_overpayments;
extern const XeroObject xero_object_overpayment_allocations;
extern const XeroObject xero_object_payments;
extern const XeroObject xero_object_payment_services;
extern const XeroObject xero_object_prepayments;
extern const XeroObject xero_object_prepayment_allocations;
extern const XeroObject xero_object_purchase_orders;
extern const XeroObject xero_object_purchase_order_line_items;
extern const XeroObject xero_object_quotes;
extern const XeroObject xero_object_quote_line_items;
extern const XeroObject xero_object_receipts;
extern const XeroObject xero_object_repeating_invoices;
extern const XeroObject xero_object_tax_rates;
extern const XeroObject xero_object_tax_rate_tax_components;
extern const XeroObject xero_object_tracking_categories;
extern const XeroObject xero_object_tracking_category_options;
extern const XeroObject xero_object_users;
extern const XeroObject xero_object_payroll_au_employees;
extern const XeroObject xero_object_payroll_uk_employees;
extern const XeroObject xero_object_payroll_nz_employees;

#endif							/* XERO_ROWS_H */
