/*-------------------------------------------------------------------------
 *
 * objects.h
 *	  The lists of APIs and objects.
 *
 * Each list is expanded where something is needed of every member.  An object
 * is its name here, and a section in one of the data files that defines
 * xero_object_NAME; rows.h tells how to write one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_OBJECTS_H
#define XERO_OBJECTS_H

/*
 * X(name, base, country): the name is that of the remote schema, the base its
 * path; a country is the CountryCode of the organisations that have the API,
 * NULL if all of them have it.
 */
#define XERO_APIS(X) \
	X(accounting, "/api.xro/2.0", NULL) \
	X(payroll_au, "/payroll.xro/1.0", "AU") \
	X(payroll_uk, "/payroll.xro/2.0", "GB") \
	X(payroll_nz, "/payroll.xro/2.0", "NZ")

/* X(name), in documentation order: parents before children. */
#define XERO_OBJECTS(X) \
	X(accounts) \
	X(account_attachments) \
	X(batch_payments) \
	X(bank_transactions) \
	X(bank_transaction_line_items) \
	X(bank_transaction_attachments) \
	X(bank_transfers) \
	X(bank_transfer_attachments) \
	X(branding_themes) \
	X(budgets) \
	X(budget_budget_lines) \
	X(contacts) \
	X(contact_addresses) \
	X(contact_phones) \
	X(contact_contact_persons) \
	X(contact_attachments) \
	X(contact_groups) \
	X(contact_group_contacts) \
	X(credit_notes) \
	X(credit_note_line_items) \
	X(credit_note_allocations) \
	X(credit_note_attachments) \
	X(currencies) \
	X(expense_claims) \
	X(invoices) \
	X(invoice_line_items) \
	X(invoice_payments) \
	X(invoice_attachments) \
	X(invoice_details) \
	X(invoice_reminders_settings) \
	X(items) \
	X(journals) \
	X(journal_journal_lines) \
	X(cash_journals) \
	X(cash_journal_journal_lines) \
	X(linked_transactions) \
	X(manual_journals) \
	X(manual_journal_journal_lines) \
	X(manual_journal_attachments) \
	X(organisation) \
	X(organisation_actions) \
	X(overpayments) \
	X(overpayment_allocations) \
	X(overpayment_attachments) \
	X(payments) \
	X(payment_services) \
	X(prepayments) \
	X(prepayment_allocations) \
	X(prepayment_attachments) \
	X(purchase_orders) \
	X(purchase_order_line_items) \
	X(purchase_order_attachments) \
	X(purchase_order_details) \
	X(quotes) \
	X(quote_attachments) \
	X(quote_line_items) \
	X(receipts) \
	X(receipt_line_items) \
	X(receipt_attachments) \
	X(receipt_details) \
	X(repeating_invoices) \
	X(repeating_invoice_attachments) \
	X(tax_rates) \
	X(tax_rate_tax_components) \
	X(tracking_categories) \
	X(tracking_category_options) \
	X(users) \
	X(payroll_au_employees) \
	X(payroll_au_employee_details) \
	X(payroll_uk_employees) \
	X(payroll_nz_employees)

#endif							/* XERO_OBJECTS_H */
