/*-------------------------------------------------------------------------
 *
 * accounting_documents.c
 *	  Accounting API: invoices, credit notes, orders, quotes.
 *
 * Data only.  See catalog.h and writes.h for what the members mean, and rows.h
 * for the short names used here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"

/* INDENT OFF */

/* credit_notes */

static const XeroColumn credit_notes_columns[] = {
	C(credit_note_id, "CreditNoteID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the credit note"),
	C(type, "Type", TEXT, OPTIMISED, FULL, NOT_NULL | ENUM | REQUIRED, "ACCRECCREDIT (to a customer) or ACCPAYCREDIT (from a supplier)", .words = "ACCPAYCREDIT|ACCRECCREDIT"),
	C(contact_id, "Contact.ContactID", UUID, OPTIMISED, FULL, REQUIRED, "Contact"),
	C(contact_name, "Contact.Name", TEXT, OPTIMISED, FULL, 0, "Name of the contact"),
	C(date, "Date", DATE, OPTIMISED, FULL, NOT_NULL | ORDER | WRITABLE, "Date of the credit note"),
	C(due_date, "DueDate", DATE, LEGAL, FULL, ORDER | WRITABLE, "Due date"),
	C(status, "Status", TEXT, OPTIMISED, FULL, NOT_NULL | ENUM | WRITABLE, "DRAFT, SUBMITTED, AUTHORISED, PAID, VOIDED or DELETED", .words = "DRAFT|SUBMITTED|DELETED|AUTHORISED|PAID|VOIDED"),
	C(line_amount_types, "LineAmountTypes", TEXT, LEGAL, FULL, WRITABLE, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax", .words = LINE_AMOUNT_TYPES),
	C(line_items, "LineItems", JSONB, NONE, FULL, WRITABLE, "The lines"),
	C(sub_total, "SubTotal", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum with tax"),
	C(cis_deduction, "CISDeduction", NUMERIC, NONE, FULL, 0, "Deduction under the Construction Industry Scheme (UK)"),
	C(cis_rate, "CISRate", NUMERIC, NONE, FULL, 0, "Deduction rate of the Construction Industry Scheme (UK)"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(updated_date_utc_string, "UpdatedDateUTCString", TEXT, NONE, FULL, 0, "Time of the last change as text, in whole seconds"),
	C(currency_code, "CurrencyCode", TEXT, LEGAL, FULL, WRITABLE, "ISO 4217 code of the currency"),
	C(fully_paid_on_date, "FullyPaidOnDate", DATE, LEGAL, FULL, ORDER, "Date the balance became zero"),
	C(credit_note_number, "CreditNoteNumber", TEXT, LEGAL, FULL, WRITABLE, "Number of the credit note, unique among those to customers"),
	C(reference, "Reference", TEXT, OPTIMISED, FULL, WRITABLE, "Reference, free text"),
	C(sent_to_contact, "SentToContact", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether the document is marked as sent"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, WRITABLE, "Exchange rate to the base currency of the organisation"),
	C(remaining_credit, "RemainingCredit", NUMERIC, NONE, FULL, 0, "Credit still to be applied"),
	C(allocations, "Allocations", JSONB, NONE, FULL, 0, "What the credit has been applied to"),
	C(applied_amount, "AppliedAmount", NUMERIC, NONE, FULL, 0, "Amount applied so far"),
	C(payments, "Payments", JSONB, NONE, FULL, 0, "Refunds made"),
	C(branding_theme_id, "BrandingThemeID", UUID, LEGAL, FULL, WRITABLE, "Branding theme the document is printed with"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(invoice_addresses, "InvoiceAddresses", JSONB, NONE, FULL, WRITABLE, "Addresses that automatic sales tax is computed from"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(has_errors, "HasErrors", BOOLEAN, NONE, FULL, 0, "Whether the answer to a write carries validation messages"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	C(warnings, "Warnings", JSONB, NONE, FULL, 0, "Warning messages, present in answers to writes"),
};

#define CREDIT_NOTES_LIST \
	.wrapper = "CreditNotes", .order = "CreditNoteID", \
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100, \
	.has_where = true, .has_modified_since = true, .has_unitdp = true

const XeroObject xero_object_credit_notes = {
	.api = &xero_api_accounting, .name = "CreditNotes", .table_name = "credit_notes",
	.comment = "Credit notes to customers and from suppliers",
	.key = "credit_note_id",
	COLUMNS(credit_notes_columns),
	CREDIT_NOTES_LIST,
	.typical_rows = 500,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50,
		.labels = {"credit_note_number", "reference"},
		FOLLOWS(TOTAL_FOLLOWS),
		.status = "status", ENDINGS({"DRAFT", "DELETED"}, {"SUBMITTED", "DELETED"}, {"AUTHORISED", "VOIDED"}),
		.ending_hint = "DELETE makes a DRAFT or SUBMITTED credit note DELETED, and an AUTHORISED one VOIDED."),
};

#define CREDIT_NOTE_MEMBERS \
	P(credit_note_date, "Date", DATE, OPTIMISED, "Date of the credit note"), \
	P(credit_note_due_date, "DueDate", DATE, LEGAL, "Due date of the credit note"), \
	P(credit_note_status, "Status", TEXT, OPTIMISED, "Status of the credit note"), \
	P(credit_note_type, "Type", TEXT, OPTIMISED, "Type of the credit note"), \
	P(credit_note_contact_id, "Contact.ContactID", UUID, OPTIMISED, "Contact of the credit note"), \
	P(credit_note_contact_name, "Contact.Name", TEXT, OPTIMISED, "Name of that contact"), \
	P(credit_note_currency_code, "CurrencyCode", TEXT, LEGAL, "Currency of the credit note"), \
	P(credit_note_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the credit note"), \
	P(document_number, "CreditNoteNumber", TEXT, LEGAL, "Number of the credit note")

/* credit_note_line_items */

static const XeroColumn credit_note_line_items_columns[] = {
	C(credit_note_id, "CreditNoteID", UUID, LEGAL, FULL, PARENT_KEY, "Credit note the line belongs to"),
	LINE_ITEM_COLUMNS,
	CREDIT_NOTE_MEMBERS,
};

const XeroObject xero_object_credit_note_line_items = {
	.api = &xero_api_accounting, .name = "CreditNotes/LineItems", .table_name = "credit_note_line_items",
	.parent = &xero_object_credit_notes, .array = "LineItems",
	.comment = "Lines of credit notes, one row each",
	.key = "line_item_id",
	COLUMNS(credit_note_line_items_columns),
	CREDIT_NOTES_LIST,
	.typical_rows = 1500,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 500,
	LINE_ITEM_WRITES,
};

/* credit_note_allocations */

static const XeroColumn credit_note_allocations_columns[] = {
	C(credit_note_id, "CreditNoteID", UUID, LEGAL, FULL, PARENT_KEY, "Credit note the allocation belongs to"),
	C(allocation_id, "AllocationID", UUID, NONE, FULL, 0, "Xero's identifier of the allocation"),
	C(invoice_id, "Invoice.InvoiceID", UUID, NONE, FULL, WRITABLE, "Invoice or bill the credit is applied to"),
	C(invoice_number, "Invoice.InvoiceNumber", TEXT, NONE, FULL, WRITABLE, "Number of the invoice or bill the credit is applied to"),
	C(overpayment_id, "Overpayment.OverpaymentID", UUID, NONE, FULL, 0, "Overpayment, as the allocation itself states it"),
	C(prepayment_id, "Prepayment.PrepaymentID", UUID, NONE, FULL, 0, "Prepayment, as the allocation itself states it"),
	C(allocation_credit_note_id, "CreditNote.CreditNoteID", UUID, NONE, FULL, 0, "Credit note, as the allocation itself states it"),
	C(allocation_credit_note_number, "CreditNote.CreditNoteNumber", TEXT, NONE, FULL, 0, "Number of the credit note, as the allocation itself states it"),
	C(amount, "Amount", NUMERIC, NONE, FULL, REQUIRED, "Amount applied"),
	C(date, "Date", DATE, NONE, FULL, REQUIRED, "Date it is applied on"),
	C(is_deleted, "IsDeleted", BOOLEAN, NONE, FULL, 0, "Whether the allocation has been deleted"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	CREDIT_NOTE_MEMBERS,
};

const XeroObject xero_object_credit_note_allocations = {
	.api = &xero_api_accounting, .name = "CreditNotes/Allocations", .table_name = "credit_note_allocations",
	.parent = &xero_object_credit_notes, .array = "Allocations",
	.comment = "What credit notes have been applied to, one row per allocation",
	.key = "allocation_id",
	COLUMNS(credit_note_allocations_columns),
	CREDIT_NOTES_LIST,
	.typical_rows = 500,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_DELETE,
	.max_batch = 50,
	ALLOCATION_WRITES,
};

/* credit_note_attachments */

ATTACHMENTS(credit_note_attachments, credit_notes, "CreditNotes", credit_note_id, "CreditNoteID", LEGAL, "credit notes", CREDIT_NOTES_LIST, CREDIT_NOTE_MEMBERS);

/* invoices */

static const XeroColumn invoices_columns[] = {
	C(invoice_id, "InvoiceID", UUID, OPTIMISED, ALL, KEY, "Xero's identifier of the invoice"),
	C(type, "Type", TEXT, OPTIMISED, ALL, NOT_NULL | ENUM | REQUIRED, "ACCREC (sales invoice) or ACCPAY (bill)", .words = "ACCPAY|ACCREC"),
	C(contact_id, "Contact.ContactID", UUID, OPTIMISED, ALL, REQUIRED, "Contact"),
	C(contact_name, "Contact.Name", TEXT, OPTIMISED, ALL, 0, "Name of the contact"),
	C(line_items, "LineItems", JSONB, NONE, FULL, REQUIRED, "The lines"),
	C(date, "Date", DATE, OPTIMISED, ALL, NOT_NULL | ORDER | WRITABLE, "Date of the invoice"),
	C(due_date, "DueDate", DATE, OPTIMISED, ALL, ORDER | WRITABLE, "Date payment is due"),
	C(line_amount_types, "LineAmountTypes", TEXT, LEGAL, ALL, WRITABLE, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax", .words = LINE_AMOUNT_TYPES),
	C(invoice_number, "InvoiceNumber", TEXT, OPTIMISED, ALL, WRITABLE, "Number: unique for sales invoices, the supplier's own for bills", .max_length = 255),
	C(reference, "Reference", TEXT, OPTIMISED, ALL, WRITABLE, "Reference, free text"),
	C(branding_theme_id, "BrandingThemeID", UUID, LEGAL, ALL, WRITABLE, "Branding theme the document is printed with"),
	C(url, "Url", TEXT, LEGAL, ALL, WRITABLE, "Link to the source document in another application"),
	C(currency_code, "CurrencyCode", TEXT, LEGAL, ALL, WRITABLE, "ISO 4217 code of the currency"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, ALL, WRITABLE, "Exchange rate to the base currency of the organisation"),
	C(status, "Status", TEXT, OPTIMISED, ALL, NOT_NULL | ENUM | WRITABLE, "DRAFT, SUBMITTED, AUTHORISED, PAID, VOIDED or DELETED", .words = "DRAFT|SUBMITTED|DELETED|AUTHORISED|PAID|VOIDED"),
	C(sent_to_contact, "SentToContact", BOOLEAN, LEGAL, ALL, WRITABLE, "Whether the document is marked as sent"),
	C(expected_payment_date, "ExpectedPaymentDate", DATE, LEGAL, ALL, ORDER | WRITABLE, "Date a sales invoice is expected to be paid"),
	C(planned_payment_date, "PlannedPaymentDate", DATE, LEGAL, ALL, ORDER | WRITABLE, "Date a bill is planned to be paid"),
	C(cis_deduction, "CISDeduction", NUMERIC, NONE, FULL, 0, "Deduction under the Construction Industry Scheme (UK)"),
	C(cis_rate, "CISRate", NUMERIC, NONE, FULL, 0, "Deduction rate of the Construction Industry Scheme (UK)"),
	C(sub_total, "SubTotal", NUMERIC, LEGAL, ALL, NOT_NULL | ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, LEGAL, ALL, NOT_NULL | ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, LEGAL, ALL, NOT_NULL | ORDER, "Sum with tax"),
	C(total_discount, "TotalDiscount", NUMERIC, NONE, FULL, 0, "Sum of the discounts on the lines"),
	C(repeating_invoice_id, "RepeatingInvoiceID", UUID, LEGAL, FULL, 0, "Template the document was made from"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(is_discounted, "IsDiscounted", BOOLEAN, LEGAL, ALL, 0, "Whether a line has a discount"),
	C(payments, "Payments", JSONB, NONE, FULL, 0, "Payments made"),
	C(prepayments, "Prepayments", JSONB, NONE, FULL, 0, "Prepayments applied"),
	C(overpayments, "Overpayments", JSONB, NONE, FULL, 0, "Overpayments applied"),
	C(amount_due, "AmountDue", NUMERIC, OPTIMISED, ALL, NOT_NULL | ORDER, "Amount still to be paid"),
	C(amount_paid, "AmountPaid", NUMERIC, OPTIMISED, ALL, NOT_NULL | ORDER, "Payments received or made so far"),
	C(fully_paid_on_date, "FullyPaidOnDate", DATE, LEGAL, ALL, ORDER, "Date the balance became zero"),
	C(amount_credited, "AmountCredited", NUMERIC, LEGAL, ALL, NOT_NULL | ORDER, "Credit notes, prepayments and overpayments applied"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, ALL, NOT_NULL | ORDER, "Time of the last change"),
	C(updated_date_utc_string, "UpdatedDateUTCString", TEXT, NONE, ALL, 0, "Time of the last change as text, in whole seconds"),
	C(credit_notes, "CreditNotes", JSONB, NONE, FULL, 0, "Credit notes applied"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(invoice_addresses, "InvoiceAddresses", JSONB, NONE, FULL, WRITABLE, "Addresses that automatic sales tax is computed from"),
	C(invoice_payment_services, "InvoicePaymentServices", JSONB, NONE, FULL, 0, "Ways to pay that the online invoice offers"),
	C(sales_tax_calculation_type_code, "SalesTaxCalculationTypeCode", TEXT, NONE, FULL, 0, "How automatic sales tax was computed (US)"),
	C(has_errors, "HasErrors", BOOLEAN, NONE, FULL, 0, "Whether the answer to a write carries validation messages"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	C(warnings, "Warnings", JSONB, NONE, FULL, 0, "Warning messages, present in answers to writes"),
};

#define INVOICES_LIST \
	.wrapper = "Invoices", .order = "InvoiceID", \
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100, \
	.has_where = true, .has_modified_since = true, .has_summary = true, .has_unitdp = true

const XeroObject xero_object_invoices = {
	.api = &xero_api_accounting, .name = "Invoices", .table_name = "invoices",
	.comment = "Sales invoices (ACCREC) and bills (ACCPAY)",
	.key = "invoice_id",
	COLUMNS(invoices_columns),
	INVOICES_LIST,
	PARAMS({"IDs", XERO_PARAM_LIST, "invoice_id", true}, {"InvoiceNumbers", XERO_PARAM_LIST, "invoice_number", false}, {"ContactIDs", XERO_PARAM_LIST, "contact_id", true}, {"Statuses", XERO_PARAM_LIST, "status", true}, {"includeArchived", XERO_PARAM_ARCHIVED, NULL, true}),
	.typical_rows = 10000,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50, .backorders = true,
		.labels = {"invoice_number", "reference"},
		FOLLOWS(TOTAL_FOLLOWS),
		.status = "status", ENDINGS({"DRAFT", "DELETED"}, {"SUBMITTED", "DELETED"}, {"AUTHORISED", "VOIDED"}),
		.ending_hint = "DELETE makes a DRAFT or SUBMITTED invoice DELETED, and an AUTHORISED one VOIDED; of a PAID one, delete the payments first."),
};

#define INVOICE_MEMBERS \
	P(invoice_date, "Date", DATE, OPTIMISED, "Date of the invoice"), \
	P(invoice_due_date, "DueDate", DATE, OPTIMISED, "Due date of the invoice"), \
	P(invoice_status, "Status", TEXT, OPTIMISED, "Status of the invoice"), \
	P(invoice_type, "Type", TEXT, OPTIMISED, "Type of the invoice"), \
	P(invoice_contact_id, "Contact.ContactID", UUID, OPTIMISED, "Contact of the invoice"), \
	P(invoice_contact_name, "Contact.Name", TEXT, OPTIMISED, "Name of that contact"), \
	P(invoice_currency_code, "CurrencyCode", TEXT, LEGAL, "Currency of the invoice"), \
	P(invoice_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the invoice"), \
	P(document_number, "InvoiceNumber", TEXT, OPTIMISED, "Number of the invoice")

/* invoice_line_items */

static const XeroColumn invoice_line_items_columns[] = {
	C(invoice_id, "InvoiceID", UUID, OPTIMISED, FULL, PARENT_KEY, "Invoice the line belongs to"),
	LINE_ITEM_COLUMNS,
	INVOICE_MEMBERS,
};

const XeroObject xero_object_invoice_line_items = {
	.api = &xero_api_accounting, .name = "Invoices/LineItems", .table_name = "invoice_line_items",
	.parent = &xero_object_invoices, .array = "LineItems",
	.comment = "Lines of invoices, one row each",
	.key = "line_item_id",
	COLUMNS(invoice_line_items_columns),
	INVOICES_LIST,
	.typical_rows = 30000,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 500,
	LINE_ITEM_WRITES,
};

/* invoice_payments */

static const XeroColumn invoice_payments_columns[] = {
	C(invoice_id, "InvoiceID", UUID, OPTIMISED, FULL, PARENT | KEY, "Invoice the payment belongs to"),
	C(payment_id, "PaymentID", UUID, NONE, FULL, 0, "Xero's identifier of the payment"),
	C(payment_invoice_id, "Invoice.InvoiceID", UUID, NONE, FULL, 0, "Invoice or bill that is paid; for a refund the credit note"),
	C(invoice_number, "Invoice.InvoiceNumber", TEXT, NONE, FULL, 0, "Number of the invoice or bill that is paid"),
	C(credit_note_id, "CreditNote.CreditNoteID", UUID, NONE, FULL, 0, "Credit note that is refunded"),
	C(credit_note_number, "CreditNote.CreditNoteNumber", TEXT, NONE, FULL, 0, "Number of the credit note that is refunded"),
	C(prepayment_id, "Prepayment.PrepaymentID", UUID, NONE, FULL, 0, "Prepayment"),
	C(overpayment_id, "Overpayment.OverpaymentID", UUID, NONE, FULL, 0, "Overpayment"),
	C(payment_invoice_number, "InvoiceNumber", TEXT, NONE, FULL, 0, "To create a payment by number: the invoice to pay"),
	C(payment_credit_note_number, "CreditNoteNumber", TEXT, NONE, FULL, 0, "To create a refund by number: the credit note"),
	C(batch_payment, "BatchPayment", JSONB, NONE, FULL, 0, "The batch payment it belongs to, in full"),
	C(account_id, "Account.AccountID", UUID, NONE, FULL, 0, "Account the money is paid from or into"),
	C(account_code, "Account.Code", TEXT, NONE, FULL, 0, "Code of the account the money is paid from or into"),
	C(code, "Code", TEXT, NONE, FULL, 0, "To create a payment by code: the account"),
	C(date, "Date", DATE, NONE, FULL, 0, "Date of the payment"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, 0, "Exchange rate to the base currency of the organisation"),
	C(amount, "Amount", NUMERIC, NONE, FULL, 0, "Amount in the currency of the invoice"),
	C(bank_amount, "BankAmount", NUMERIC, NONE, FULL, 0, "Amount in the currency of the bank account"),
	C(reference, "Reference", TEXT, NONE, FULL, 0, "Reference, free text"),
	C(is_reconciled, "IsReconciled", BOOLEAN, NONE, FULL, 0, "Whether it is reconciled with the bank statement"),
	C(status, "Status", TEXT, NONE, FULL, ENUM, "AUTHORISED or DELETED"),
	C(payment_type, "PaymentType", TEXT, NONE, FULL, ENUM, "What is paid, such as ACCRECPAYMENT or ACCPAYPAYMENT"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, FULL, 0, "Time of the last change"),
	C(updated_date_utc_string, "UpdatedDateUTCString", TEXT, NONE, FULL, 0, "Time of the last change as text, in whole seconds"),
	C(batch_payment_id, "BatchPaymentID", UUID, NONE, FULL, 0, "Batch payment it belongs to"),
	C(bank_account_number, "BankAccountNumber", TEXT, NONE, FULL, 0, "The supplier's bank account number, for batch payments"),
	C(particulars, "Particulars", TEXT, NONE, FULL, 0, "Particulars for the bank (New Zealand)"),
	C(details, "Details", TEXT, NONE, FULL, 0, "Details for the bank (outside New Zealand)"),
	C(has_account, "HasAccount", BOOLEAN, NONE, FULL, 0, "Whether the payment has an account"),
	C(has_validation_errors, "HasValidationErrors", BOOLEAN, NONE, FULL, 0, "Whether the answer to a write carries validation messages"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	C(warnings, "Warnings", JSONB, NONE, FULL, 0, "Warning messages, present in answers to writes"),
	INVOICE_MEMBERS,
};

const XeroObject xero_object_invoice_payments = {
	.api = &xero_api_accounting, .name = "Invoices/Payments", .table_name = "invoice_payments",
	.parent = &xero_object_invoices, .array = "Payments",
	.comment = "Payments of invoices, as the invoice shows them",
	.key = "payment_id",
	COLUMNS(invoice_payments_columns),
	INVOICES_LIST,
	.typical_rows = 10000,
	.operations = XERO_OP_LIST | XERO_OP_GET,
	WRITES(.ending_hint = "Payments are inserted into, and deleted from, the table of payments."),
};

/* invoice_attachments */

ATTACHMENTS(invoice_attachments, invoices, "Invoices", invoice_id, "InvoiceID", OPTIMISED, "invoices and bills", INVOICES_LIST, INVOICE_MEMBERS);

/* invoice_details */

static const XeroColumn invoice_details_columns[] = {
	C(invoice_id, "InvoiceID", UUID, OPTIMISED, ALL, KEY, "Xero's identifier of the invoice"),
	C(type, "Type", TEXT, OPTIMISED, ALL, NOT_NULL | ENUM, "ACCREC (sales invoice) or ACCPAY (bill)"),
	C(status, "Status", TEXT, OPTIMISED, ALL, NOT_NULL | ENUM, "DRAFT, SUBMITTED, AUTHORISED, PAID, VOIDED or DELETED"),
	C(date, "Date", DATE, OPTIMISED, ALL, NOT_NULL | ORDER, "Date of the invoice"),
	C(invoice_number, "InvoiceNumber", TEXT, OPTIMISED, ALL, 0, "Number: unique for sales invoices, the supplier's own for bills"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, ALL, NOT_NULL | ORDER, "Time of the last change"),
	C(sent_to_email_address, "SentToEmailAddress", TEXT, NONE, SINGLE, 0, "Address the invoice was sent to"),
	C(rounding_amount, "RoundingAmount", NUMERIC, NONE, SINGLE, 0, "What the total was rounded by, if the organisation rounds totals"),
	C(entered_total, "EnteredTotal", NUMERIC, NONE, SINGLE, 0, "Total as it was entered, before rounding"),
};

const XeroObject xero_object_invoice_details = {
	.api = &xero_api_accounting, .name = "InvoiceDetails", .table_name = "invoice_details",
	.path = "Invoices", .details = true,
	.comment = "What only the answer about one invoice has; one call per invoice",
	.key = "invoice_id",
	COLUMNS(invoice_details_columns),
	INVOICES_LIST,
	PARAMS({"IDs", XERO_PARAM_LIST, "invoice_id", true}, {"InvoiceNumbers", XERO_PARAM_LIST, "invoice_number", false}, {"Statuses", XERO_PARAM_LIST, "status", true}, {"includeArchived", XERO_PARAM_ARCHIVED, NULL, true}),
	.typical_rows = 10000,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* linked_transactions */

static const XeroColumn linked_transactions_columns[] = {
	C(linked_transaction_id, "LinkedTransactionID", UUID, NONE, FULL, NOT_NULL, "Xero's identifier of the linked transaction"),
	C(source_transaction_id, "SourceTransactionID", UUID, NONE, FULL, REQUIRED, "Bill or spend transaction the expense comes from"),
	C(source_line_item_id, "SourceLineItemID", UUID, NONE, FULL, REQUIRED, "Line the expense comes from"),
	C(contact_id, "ContactID", UUID, NONE, FULL, WRITABLE, "Customer the expense is assigned to"),
	C(target_transaction_id, "TargetTransactionID", UUID, NONE, FULL, WRITABLE, "Sales invoice the expense is billed on"),
	C(target_line_item_id, "TargetLineItemID", UUID, NONE, FULL, WRITABLE, "Line the expense is billed on"),
	C(status, "Status", TEXT, NONE, FULL, NOT_NULL | ENUM, "APPROVED, DRAFT, ONDRAFT, BILLED or VOIDED"),
	C(type, "Type", TEXT, NONE, FULL, NOT_NULL | ENUM, "BILLABLEEXPENSE"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, FULL, NOT_NULL, "Time of the last change"),
	C(source_transaction_type_code, "SourceTransactionTypeCode", TEXT, NONE, FULL, ENUM, "Kind of the source: ACCPAY, SPEND or RECEIPT"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

const XeroObject xero_object_linked_transactions = {
	.api = &xero_api_accounting, .name = "LinkedTransactions", .table_name = "linked_transactions",
	.comment = "Billable expenses: lines of bills assigned to a customer",
	.key = "linked_transaction_id",
	COLUMNS(linked_transactions_columns),
	.wrapper = "LinkedTransactions",
	.paging = XERO_PAGING_BARE, .default_page_size = 100,
	PARAMS({"LinkedTransactionID", XERO_PARAM_VALUE, "linked_transaction_id", true}, {"SourceTransactionID", XERO_PARAM_VALUE, "source_transaction_id", true}, {"ContactID", XERO_PARAM_VALUE, "contact_id", false}, {"Status", XERO_PARAM_VALUE, "status", false}, {"TargetTransactionID", XERO_PARAM_VALUE, "target_transaction_id", true}),
	.typical_rows = 200,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 1,
	WRITES(
		.create = "PUT", .update = "POST",
		.labels = {"source_line_item_id"},
		BY_METHOD),
};

/* purchase_orders */

static const XeroColumn purchase_orders_columns[] = {
	C(purchase_order_id, "PurchaseOrderID", UUID, NONE, FULL, KEY, "Xero's identifier of the purchase order"),
	C(contact_id, "Contact.ContactID", UUID, NONE, FULL, REQUIRED, "Contact"),
	C(contact_name, "Contact.Name", TEXT, NONE, FULL, 0, "Name of the contact"),
	C(line_items, "LineItems", JSONB, NONE, FULL, REQUIRED, "The lines"),
	C(date, "Date", DATE, NONE, FULL, NOT_NULL | ORDER | WRITABLE, "Date of the purchase order"),
	C(delivery_date, "DeliveryDate", DATE, NONE, FULL, ORDER | WRITABLE, "Date the goods are to be delivered"),
	C(line_amount_types, "LineAmountTypes", TEXT, NONE, FULL, WRITABLE, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax", .words = LINE_AMOUNT_TYPES),
	C(purchase_order_number, "PurchaseOrderNumber", TEXT, NONE, FULL, WRITABLE, "Number of the purchase order, unique"),
	C(reference, "Reference", TEXT, NONE, FULL, WRITABLE, "Reference, free text"),
	C(branding_theme_id, "BrandingThemeID", UUID, NONE, FULL, WRITABLE, "Branding theme the document is printed with"),
	C(currency_code, "CurrencyCode", TEXT, NONE, FULL, WRITABLE, "ISO 4217 code of the currency"),
	C(status, "Status", TEXT, NONE, FULL, NOT_NULL | ENUM | WRITABLE, "DRAFT, SUBMITTED, AUTHORISED, BILLED or DELETED", .words = "DRAFT|SUBMITTED|AUTHORISED|BILLED|DELETED"),
	C(sent_to_contact, "SentToContact", BOOLEAN, NONE, FULL, WRITABLE, "Whether the document is marked as sent"),
	C(delivery_address, "DeliveryAddress", TEXT, NONE, FULL, WRITABLE, "Address to deliver to"),
	C(attention_to, "AttentionTo", TEXT, NONE, FULL, WRITABLE, "Person who accepts the delivery"),
	C(telephone, "Telephone", TEXT, NONE, FULL, WRITABLE, "Phone number for the delivery"),
	C(delivery_instructions, "DeliveryInstructions", TEXT, NONE, FULL, WRITABLE, "Instructions for the delivery, at most 500 characters"),
	C(expected_arrival_date, "ExpectedArrivalDate", DATE, NONE, FULL, ORDER | WRITABLE, "Date the goods are expected to arrive"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, WRITABLE, "Exchange rate to the base currency of the organisation"),
	C(sub_total, "SubTotal", NUMERIC, NONE, FULL, NOT_NULL | ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, NONE, FULL, NOT_NULL | ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, NONE, FULL, NOT_NULL | ORDER, "Sum with tax"),
	C(total_discount, "TotalDiscount", NUMERIC, NONE, FULL, ORDER, "Sum of the discounts on the lines"),
	C(has_attachments, "HasAttachments", BOOLEAN, NONE, FULL, 0, "Whether files are attached"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(is_discounted, "IsDiscounted", BOOLEAN, NONE, FULL, 0, "Whether a line has a discount"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	C(warnings, "Warnings", JSONB, NONE, FULL, 0, "Warning messages, present in answers to writes"),
};

#define PURCHASE_ORDERS_LIST \
	.wrapper = "PurchaseOrders", .order = "PurchaseOrderID", \
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100, \
	.has_modified_since = true

const XeroObject xero_object_purchase_orders = {
	.api = &xero_api_accounting, .name = "PurchaseOrders", .table_name = "purchase_orders",
	.comment = "Purchase orders",
	.key = "purchase_order_id",
	COLUMNS(purchase_orders_columns),
	PURCHASE_ORDERS_LIST,
	PARAMS({"Status", XERO_PARAM_VALUE, "status", true}, {"DateFrom", XERO_PARAM_FROM, "date", true}, {"DateTo", XERO_PARAM_TO, "date", true}),
	.typical_rows = 500,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50,
		.labels = {"purchase_order_number", "reference"},
		/* an order that got a status without it has lost it */
		.with_update = {"contact_id"},
		FOLLOWS(TOTAL_FOLLOWS),
		.status = "status", ENDINGS({"DRAFT", "DELETED"}, {"SUBMITTED", "DELETED"}, {"AUTHORISED", "DELETED"}, {"BILLED", "DELETED"}),
		.ending_hint = "DELETE makes an order DELETED, unless it is that already."),
};

#define PURCHASE_ORDER_MEMBERS \
	P(purchase_order_date, "Date", DATE, NONE, "Date of the order"), \
	P(purchase_order_status, "Status", TEXT, NONE, "Status of the order"), \
	P(purchase_order_contact_id, "Contact.ContactID", UUID, NONE, "Contact of the order"), \
	P(purchase_order_contact_name, "Contact.Name", TEXT, NONE, "Name of that contact"), \
	P(purchase_order_currency_code, "CurrencyCode", TEXT, NONE, "Currency of the order"), \
	P(purchase_order_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, "Time of the last change of the order"), \
	P(document_number, "PurchaseOrderNumber", TEXT, NONE, "Number of the order")

/* purchase_order_line_items */

static const XeroColumn purchase_order_line_items_columns[] = {
	C(purchase_order_id, "PurchaseOrderID", UUID, NONE, FULL, PARENT_KEY, "Purchase order the line belongs to"),
	LINE_ITEM_ROWS("To set the account by its identifier, which lists of orders do not show",),
	PURCHASE_ORDER_MEMBERS,
};

const XeroObject xero_object_purchase_order_line_items = {
	.api = &xero_api_accounting, .name = "PurchaseOrders/LineItems", .table_name = "purchase_order_line_items",
	.parent = &xero_object_purchase_orders, .array = "LineItems",
	.comment = "Lines of purchase orders, one row each",
	.key = "line_item_id",
	COLUMNS(purchase_order_line_items_columns),
	PURCHASE_ORDERS_LIST,
	.typical_rows = 1500,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 500,
	LINE_ITEM_WRITES,
};

/* purchase_order_attachments */

ATTACHMENTS(purchase_order_attachments, purchase_orders, "PurchaseOrders", purchase_order_id, "PurchaseOrderID", NONE, "purchase orders", PURCHASE_ORDERS_LIST, PURCHASE_ORDER_MEMBERS);

/* purchase_order_details */

static const XeroColumn purchase_order_details_columns[] = {
	C(purchase_order_id, "PurchaseOrderID", UUID, NONE, FULL, KEY, "Xero's identifier of the purchase order"),
	C(purchase_order_number, "PurchaseOrderNumber", TEXT, NONE, FULL, 0, "Number of the purchase order, unique"),
	C(date, "Date", DATE, NONE, FULL, NOT_NULL | ORDER, "Date of the purchase order"),
	C(status, "Status", TEXT, NONE, FULL, NOT_NULL | ENUM, "DRAFT, SUBMITTED, AUTHORISED, BILLED or DELETED"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(line_items, "LineItems", JSONB, NONE, SINGLE, 0, "The lines with AccountID and ItemID, which lists lack"),
};

const XeroObject xero_object_purchase_order_details = {
	.api = &xero_api_accounting, .name = "PurchaseOrderDetails", .table_name = "purchase_order_details",
	.path = "PurchaseOrders", .details = true,
	.comment = "Purchase orders with all of their lines; one call per order",
	.key = "purchase_order_id",
	COLUMNS(purchase_order_details_columns),
	PURCHASE_ORDERS_LIST,
	PARAMS({"Status", XERO_PARAM_VALUE, "status", true}, {"DateFrom", XERO_PARAM_FROM, "date", true}, {"DateTo", XERO_PARAM_TO, "date", true}),
	.typical_rows = 500,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* quotes */

static const XeroColumn quotes_columns[] = {
	C(quote_id, "QuoteID", UUID, NONE, FULL, KEY, "Xero's identifier of the quote"),
	C(quote_number, "QuoteNumber", TEXT, NONE, FULL, WRITABLE, "Number of the quote, unique", .max_length = 255),
	C(reference, "Reference", TEXT, NONE, FULL, WRITABLE, "Reference, free text", .max_length = 4000),
	C(terms, "Terms", TEXT, NONE, FULL, WRITABLE, "Terms of the quote", .max_length = 4000),
	C(contact_id, "Contact.ContactID", UUID, NONE, FULL, REQUIRED, "Contact"),
	C(contact_name, "Contact.Name", TEXT, NONE, FULL, 0, "Name of the contact"),
	C(line_items, "LineItems", JSONB, NONE, FULL, REQUIRED, "The lines"),
	C(date, "Date", DATE, NONE, FULL, NOT_NULL | ORDER | REQUIRED, "Date of the quote"),
	C(date_string, "DateString", TEXT, NONE, FULL, 0, "Date of the quote as text"),
	C(expiry_date, "ExpiryDate", DATE, NONE, FULL, ORDER | WRITABLE, "Date the quote expires"),
	C(expiry_date_string, "ExpiryDateString", TEXT, NONE, FULL, 0, "Date the quote expires as text"),
	C(status, "Status", TEXT, NONE, FULL, NOT_NULL | ENUM | WRITABLE, "DRAFT, SENT, DECLINED, ACCEPTED, INVOICED or DELETED", .words = "DRAFT|SENT|DECLINED|ACCEPTED|INVOICED|DELETED"),
	C(currency_code, "CurrencyCode", TEXT, NONE, FULL, WRITABLE, "ISO 4217 code of the currency"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, WRITABLE, "Exchange rate to the base currency of the organisation"),
	C(sub_total, "SubTotal", NUMERIC, NONE, FULL, NOT_NULL | ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, NONE, FULL, NOT_NULL | ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, NONE, FULL, NOT_NULL | ORDER, "Sum with tax"),
	C(total_discount, "TotalDiscount", NUMERIC, NONE, FULL, ORDER, "Sum of the discounts on the lines"),
	C(title, "Title", TEXT, NONE, FULL, WRITABLE, "Title of the quote", .max_length = 100),
	C(summary, "Summary", TEXT, NONE, FULL, WRITABLE, "Summary of the quote", .max_length = 3000),
	C(branding_theme_id, "BrandingThemeID", UUID, NONE, FULL, WRITABLE, "Branding theme the document is printed with"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(line_amount_types, "LineAmountTypes", TEXT, NONE, FULL, WRITABLE, "Whether line amounts contain tax: EXCLUSIVE, INCLUSIVE or NOTAX", .words = "EXCLUSIVE|INCLUSIVE|NOTAX"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

#define QUOTES_LIST \
	.wrapper = "Quotes", .order = "QuoteID", \
	.paging = XERO_PAGING_BARE, .default_page_size = 100, \
	.has_modified_since = true

const XeroObject xero_object_quotes = {
	.api = &xero_api_accounting, .name = "Quotes", .table_name = "quotes",
	.comment = "Offers to customers",
	.key = "quote_id",
	COLUMNS(quotes_columns),
	QUOTES_LIST,
	PARAMS({"DateFrom", XERO_PARAM_FROM, "date", true}, {"DateTo", XERO_PARAM_TO, "date", true}, {"ExpiryDateFrom", XERO_PARAM_FROM, "expiry_date", true}, {"ExpiryDateTo", XERO_PARAM_TO, "expiry_date", true}, {"ContactID", XERO_PARAM_VALUE, "contact_id", true}, {"Status", XERO_PARAM_VALUE, "status", true}, {"QuoteNumber", XERO_PARAM_VALUE, "quote_number", false}),
	.typical_rows = 500,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50,
		.labels = {"quote_number", "title"},
		/* Xero refuses a change without the first two, and clears the others */
		.with_update = {"contact_id", "date", "quote_number", "reference", "terms", "expiry_date", "title", "summary", "branding_theme_id", "currency_code", "currency_rate", "line_amount_types", "status"},
		FOLLOWS(TOTAL_FOLLOWS, {"currency_code", "currency_rate"}),
		.untaxed = "INCLUSIVE",
		.status = "status", ENDINGS({"DRAFT", "DELETED"}, {"SENT", "DELETED"}, {"ACCEPTED", "DELETED"}, {"DECLINED", "DELETED"}, {"INVOICED", "DELETED"}),
		.ending_hint = "DELETE makes a quote DELETED, unless it is that already."),
};

#define QUOTE_MEMBERS \
	P(quote_date, "Date", DATE, NONE, "Date of the quote"), \
	P(quote_status, "Status", TEXT, NONE, "Status of the quote"), \
	P(quote_contact_id, "Contact.ContactID", UUID, NONE, "Contact of the quote"), \
	P(quote_contact_name, "Contact.Name", TEXT, NONE, "Name of that contact"), \
	P(quote_currency_code, "CurrencyCode", TEXT, NONE, "Currency of the quote"), \
	P(quote_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, "Time of the last change of the quote"), \
	P(document_number, "QuoteNumber", TEXT, NONE, "Number of the quote")

/* quote_attachments */

static const XeroColumn quote_attachments_columns[] = {
	ATTACHMENT_COLUMNS(quote_id, "QuoteID", NONE),
	QUOTE_MEMBERS,
};

/* A quote says nothing of its files, not even whether it has any. */
const XeroObject xero_object_quote_attachments = {
	.api = &xero_api_accounting, .name = "Quotes/Attachments", .table_name = "quote_attachments",
	.parent = &xero_object_quotes, .array = "Attachments", .below = true,
	.comment = "Files attached to quotes; one call for each quote, as no list tells which have any",
	.key = "attachment_id",
	COLUMNS(quote_attachments_columns),
	QUOTES_LIST,
	.typical_rows = 50,
	.read_scope = "accounting.attachments.read",
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* quote_line_items */

static const XeroColumn quote_line_items_columns[] = {
	C(quote_id, "QuoteID", UUID, NONE, FULL, PARENT_KEY, "Quote the line belongs to"),
	LINE_ITEM_COLUMNS,
	QUOTE_MEMBERS,
};

const XeroObject xero_object_quote_line_items = {
	.api = &xero_api_accounting, .name = "Quotes/LineItems", .table_name = "quote_line_items",
	.parent = &xero_object_quotes, .array = "LineItems",
	.comment = "Lines of quotes, one row each",
	.key = "line_item_id",
	COLUMNS(quote_line_items_columns),
	QUOTES_LIST,
	.typical_rows = 1500,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 500,
	LINE_ITEM_WRITES,
};

/* repeating_invoices */

static const XeroColumn repeating_invoices_columns[] = {
	C(repeating_invoice_id, "RepeatingInvoiceID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the template"),
	C(type, "Type", TEXT, LEGAL, FULL, NOT_NULL | ENUM | REQUIRED, "ACCREC (sales invoice) or ACCPAY (bill)", .words = "ACCPAY|ACCREC"),
	C(contact_id, "Contact.ContactID", UUID, LEGAL, FULL, REQUIRED, "Contact"),
	C(contact_name, "Contact.Name", TEXT, LEGAL, FULL, 0, "Name of the contact"),
	C(schedule, "Schedule", JSONB, NONE, FULL, REQUIRED, "When invoices are made from the template"),
	C(line_items, "LineItems", JSONB, NONE, FULL, REQUIRED, "The lines"),
	C(line_amount_types, "LineAmountTypes", TEXT, LEGAL, FULL, WRITABLE, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax", .words = LINE_AMOUNT_TYPES),
	C(reference, "Reference", TEXT, LEGAL, FULL, WRITABLE, "Reference, free text"),
	C(branding_theme_id, "BrandingThemeID", UUID, LEGAL, FULL, WRITABLE, "Branding theme the document is printed with"),
	C(currency_code, "CurrencyCode", TEXT, LEGAL, FULL, WRITABLE, "ISO 4217 code of the currency"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "DRAFT, AUTHORISED or DELETED", .words = "DRAFT|AUTHORISED|DELETED"),
	C(sub_total, "SubTotal", NUMERIC, LEGAL, FULL, ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, LEGAL, FULL, ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, LEGAL, FULL, ORDER, "Sum with tax"),
	C(id, "ID", UUID, NONE, FULL, 0, "The same as repeating_invoice_id"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(approved_for_sending, "ApprovedForSending", BOOLEAN, NONE, FULL, WRITABLE, "Whether the invoices are sent once they are made"),
	C(send_copy, "SendCopy", BOOLEAN, NONE, FULL, WRITABLE, "Whether the sender gets a copy"),
	C(mark_as_sent, "MarkAsSent", BOOLEAN, NONE, FULL, WRITABLE, "Whether the invoices are marked as sent"),
	C(include_pdf, "IncludePDF", BOOLEAN, NONE, FULL, WRITABLE, "Whether a PDF is attached to the mail"),
};

#define REPEATING_INVOICES_LIST \
	.wrapper = "RepeatingInvoices", \
	.paging = XERO_PAGING_NONE, \
	.has_where = true

const XeroObject xero_object_repeating_invoices = {
	.api = &xero_api_accounting, .name = "RepeatingInvoices", .table_name = "repeating_invoices",
	.comment = "Templates that invoices and bills are made from",
	.key = "repeating_invoice_id",
	COLUMNS(repeating_invoices_columns),
	REPEATING_INVOICES_LIST,
	.typical_rows = 50,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true,
		.labels = {"reference"},
		.status = "status", ENDINGS({"DRAFT", "DELETED"}, {"AUTHORISED", "DELETED"}),
		.ending_hint = "A repeating invoice cannot be changed; DELETE makes it DELETED."),
};

/* repeating_invoice_attachments */

#define REPEATING_INVOICE_MEMBERS \
	P(repeating_invoice_status, "Status", TEXT, LEGAL, "Status of the template"), \
	P(repeating_invoice_type, "Type", TEXT, LEGAL, "Type of the template"), \
	P(repeating_invoice_contact_id, "Contact.ContactID", UUID, LEGAL, "Contact of the template"), \
	P(repeating_invoice_contact_name, "Contact.Name", TEXT, LEGAL, "Name of that contact"), \
	P(repeating_invoice_currency_code, "CurrencyCode", TEXT, LEGAL, "Currency of the template")

ATTACHMENTS(repeating_invoice_attachments, repeating_invoices, "RepeatingInvoices", repeating_invoice_id, "RepeatingInvoiceID", LEGAL, "templates", REPEATING_INVOICES_LIST, REPEATING_INVOICE_MEMBERS);
