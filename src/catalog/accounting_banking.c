/*-------------------------------------------------------------------------
 *
 * accounting_banking.c
 *	  Accounting API: bank transactions, payments, expenses.
 *
 * Data only.  See catalog.h and writes.h for what the members mean, and rows.h
 * for the short names used here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"

/* INDENT OFF */

/* batch_payments */

static const XeroColumn batch_payments_columns[] = {
	C(batch_payment_id, "BatchPaymentID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the batch payment"),
	C(account_id, "Account.AccountID", UUID, LEGAL, FULL, WRITABLE, "Account the money is paid from or into"),
	C(account_code, "Account.Code", TEXT, LEGAL, FULL, WRITABLE, "Code of the account the money is paid from or into"),
	C(reference, "Reference", TEXT, LEGAL, FULL, WRITABLE, "Reference, free text", .max_length = 255),
	C(particulars, "Particulars", TEXT, LEGAL, FULL, WRITABLE, "Particulars for the bank (New Zealand)", .max_length = 12),
	C(code, "Code", TEXT, LEGAL, FULL, WRITABLE, "Code for the bank (New Zealand)", .max_length = 12),
	C(details, "Details", TEXT, LEGAL, FULL, WRITABLE, "Details for the bank (outside New Zealand)"),
	C(narrative, "Narrative", TEXT, LEGAL, FULL, WRITABLE, "Text on the statement line in Xero (UK)", .max_length = 18),
	C(date_string, "DateString", TEXT, NONE, FULL, 0, "Date of the payments as text"),
	C(date, "Date", DATE, LEGAL, FULL, ORDER | REQUIRED, "Date of the payments"),
	C(amount, "Amount", NUMERIC, LEGAL, FULL, ORDER, "Amount of the batch payment"),
	C(payments, "Payments", JSONB, NONE, FULL, REQUIRED, "The payments in the batch"),
	C(type, "Type", TEXT, LEGAL, FULL, NOT_NULL | ENUM, "PAYBATCH (bills) or RECBATCH (invoices)"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM, "AUTHORISED or DELETED"),
	C(total_amount, "TotalAmount", NUMERIC, LEGAL, FULL, ORDER, "Sum of the payments in the batch"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(is_reconciled, "IsReconciled", BOOLEAN, LEGAL, FULL, 0, "Whether it is reconciled with the bank statement"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

const XeroObject xero_object_batch_payments = {
	.api = &xero_api_accounting, .name = "BatchPayments", .table_name = "batch_payments",
	.comment = "Payments made or received together, as one bank transaction",
	.key = "batch_payment_id",
	COLUMNS(batch_payments_columns),
	.wrapper = "BatchPayments",
	.paging = XERO_PAGING_NONE,
	.has_where = true, .has_modified_since = true,
	.typical_rows = 500,
	SCOPE("accounting.payments"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true,
		.labels = {"reference"},
		.one_of = {"account_id|account_code"},
		.status = "status", ENDINGS({"AUTHORISED", "DELETED"}),
		.ending_hint = "A batch payment cannot be changed; DELETE makes an AUTHORISED one DELETED, with its payments."),
};

/* bank_transactions */

static const XeroColumn bank_transactions_columns[] = {
	C(bank_transaction_id, "BankTransactionID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the bank transaction"),
	C(type, "Type", TEXT, OPTIMISED, FULL, NOT_NULL | ENUM | REQUIRED, "SPEND, RECEIVE, or one of their -PREPAYMENT, -OVERPAYMENT and -TRANSFER forms", .words = "RECEIVE|RECEIVE-OVERPAYMENT|RECEIVE-PREPAYMENT|SPEND|SPEND-OVERPAYMENT|SPEND-PREPAYMENT|RECEIVE-TRANSFER|SPEND-TRANSFER"),
	C(contact_id, "Contact.ContactID", UUID, OPTIMISED, FULL, REQUIRED, "Contact"),
	C(contact_name, "Contact.Name", TEXT, LEGAL, FULL, 0, "Name of the contact"),
	C(line_items, "LineItems", JSONB, NONE, FULL, REQUIRED, "The lines"),
	C(bank_account_id, "BankAccount.AccountID", UUID, LEGAL, FULL, WRITABLE, "Bank account"),
	C(bank_account_code, "BankAccount.Code", TEXT, LEGAL, FULL, WRITABLE, "Code of the bank account"),
	C(bank_account_name, "BankAccount.Name", TEXT, NONE, FULL, 0, "Name of the bank account"),
	C(is_reconciled, "IsReconciled", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether it is reconciled with the bank statement"),
	C(date, "Date", DATE, OPTIMISED, FULL, NOT_NULL | ORDER | WRITABLE, "Date of the transaction"),
	C(reference, "Reference", TEXT, LEGAL, FULL, WRITABLE, "Reference, free text"),
	C(currency_code, "CurrencyCode", TEXT, LEGAL, FULL, WRITABLE, "ISO 4217 code of the currency"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, WRITABLE, "Exchange rate to the base currency of the organisation"),
	C(url, "Url", TEXT, LEGAL, FULL, WRITABLE, "Link to the source document in another application"),
	C(status, "Status", TEXT, OPTIMISED, FULL, NOT_NULL | ENUM | WRITABLE, "AUTHORISED, DELETED or VOIDED", .words = "AUTHORISED|DELETED|VOIDED"),
	C(line_amount_types, "LineAmountTypes", TEXT, LEGAL, FULL, WRITABLE, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax", .words = LINE_AMOUNT_TYPES),
	C(sub_total, "SubTotal", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum with tax"),
	C(prepayment_id, "PrepaymentID", UUID, LEGAL, FULL, 0, "Prepayment made by this transaction"),
	C(overpayment_id, "OverpaymentID", UUID, LEGAL, FULL, 0, "Overpayment made by this transaction"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(batch_payment, "BatchPayment", JSONB, NONE, FULL, 0, "Batch payment the transaction belongs to"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

#define BANK_TRANSACTIONS_LIST \
	.wrapper = "BankTransactions", .order = "BankTransactionID", \
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100, \
	.has_where = true, .has_modified_since = true, .has_unitdp = true

const XeroObject xero_object_bank_transactions = {
	.api = &xero_api_accounting, .name = "BankTransactions", .table_name = "bank_transactions",
	.comment = "Money spent and received directly on a bank account",
	.key = "bank_transaction_id",
	COLUMNS(bank_transactions_columns),
	BANK_TRANSACTIONS_LIST,
	PARAMS({"References", XERO_PARAM_LIST, "reference", false}),
	.typical_rows = 10000,
	SCOPE("accounting.banktransactions"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50,
		.labels = {"reference"},
		FOLLOWS(TOTAL_FOLLOWS),
		.one_of = {"bank_account_id|bank_account_code"},
		.status = "status", ENDINGS({"AUTHORISED", "DELETED"}),
		.ending_hint = "DELETE makes an AUTHORISED transaction DELETED, unless it is reconciled."),
};

#define BANK_TRANSACTION_MEMBERS \
	P(bank_transaction_date, "Date", DATE, OPTIMISED, "Date of the transaction"), \
	P(bank_transaction_status, "Status", TEXT, OPTIMISED, "Status of the transaction"), \
	P(bank_transaction_type, "Type", TEXT, OPTIMISED, "Type of the transaction"), \
	P(bank_transaction_contact_id, "Contact.ContactID", UUID, OPTIMISED, "Contact of the transaction"), \
	P(bank_transaction_contact_name, "Contact.Name", TEXT, LEGAL, "Name of that contact"), \
	P(bank_transaction_currency_code, "CurrencyCode", TEXT, LEGAL, "Currency of the transaction"), \
	P(bank_transaction_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the transaction")

/* bank_transaction_line_items */

static const XeroColumn bank_transaction_line_items_columns[] = {
	C(bank_transaction_id, "BankTransactionID", UUID, LEGAL, FULL, PARENT_KEY, "Bank transaction the line belongs to"),
	LINE_ITEM_COLUMNS,
	BANK_TRANSACTION_MEMBERS,
};

const XeroObject xero_object_bank_transaction_line_items = {
	.api = &xero_api_accounting, .name = "BankTransactions/LineItems", .table_name = "bank_transaction_line_items",
	.parent = &xero_object_bank_transactions, .array = "LineItems",
	.comment = "Lines of bank transactions, one row each",
	.key = "line_item_id",
	COLUMNS(bank_transaction_line_items_columns),
	BANK_TRANSACTIONS_LIST,
	.typical_rows = 30000,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 500,
	LINE_ITEM_WRITES,
};

/* bank_transfers */

static const XeroColumn bank_transfers_columns[] = {
	C(bank_transfer_id, "BankTransferID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the bank transfer"),
	C(from_bank_account_id, "FromBankAccount.AccountID", UUID, NONE, FULL, WRITABLE, "Account the money leaves"),
	C(from_bank_account_code, "FromBankAccount.Code", TEXT, NONE, FULL, WRITABLE, "Code of the account the money leaves"),
	C(from_bank_account_name, "FromBankAccount.Name", TEXT, NONE, FULL, 0, "Name of the account the money leaves"),
	C(to_bank_account_id, "ToBankAccount.AccountID", UUID, NONE, FULL, WRITABLE, "Account the money arrives in"),
	C(to_bank_account_code, "ToBankAccount.Code", TEXT, NONE, FULL, WRITABLE, "Code of the account the money arrives in"),
	C(to_bank_account_name, "ToBankAccount.Name", TEXT, NONE, FULL, 0, "Name of the account the money arrives in"),
	C(amount, "Amount", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER | REQUIRED, "Amount transferred"),
	C(date, "Date", DATE, LEGAL, FULL, NOT_NULL | ORDER | WRITABLE, "Date of the transfer"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, 0, "Exchange rate between the two accounts"),
	C(from_bank_transaction_id, "FromBankTransactionID", UUID, LEGAL, FULL, 0, "Bank transaction in the account the money leaves"),
	C(to_bank_transaction_id, "ToBankTransactionID", UUID, LEGAL, FULL, 0, "Bank transaction in the account the money arrives in"),
	C(from_is_reconciled, "FromIsReconciled", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether the outgoing side is reconciled"),
	C(to_is_reconciled, "ToIsReconciled", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether the incoming side is reconciled"),
	C(reference, "Reference", TEXT, LEGAL, FULL, WRITABLE, "Reference, free text"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(created_date_utc, "CreatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, KEY, "Time of creation"),
	C(status, "Status", TEXT, LEGAL, FULL, ENUM, "AUTHORISED or DELETED"),
	C(from_tracking, "FromTracking", JSONB, NONE, FULL, WRITABLE, "Tracking of the outgoing side"),
	C(to_tracking, "ToTracking", JSONB, NONE, FULL, WRITABLE, "Tracking of the incoming side"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

#define BANK_TRANSFERS_LIST \
	.wrapper = "BankTransfers", \
	.paging = XERO_PAGING_NONE, \
	.has_where = true, .has_modified_since = true

const XeroObject xero_object_bank_transfers = {
	.api = &xero_api_accounting, .name = "BankTransfers", .table_name = "bank_transfers",
	.comment = "Money moved from one bank account to another",
	.key = "bank_transfer_id",
	COLUMNS(bank_transfers_columns),
	BANK_TRANSFERS_LIST,
	PARAMS({"includeDeleted", XERO_PARAM_ARCHIVED, NULL, true}),
	.typical_rows = 200,
	SCOPE("accounting.banktransactions"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_VOID,
	.max_batch = 1,
	WRITES(
		.create = "PUT", .update = "POST",
		.labels = {"reference"},
		.one_of = {"from_bank_account_id|from_bank_account_code", "to_bank_account_id|to_bank_account_code"},
		.status = "status", ENDINGS({"AUTHORISED", "DELETED"}),
		.ending_hint = "A transfer cannot be changed; DELETE makes an AUTHORISED one DELETED."),
};

/* bank_transfer_attachments */

#define BANK_TRANSFER_MEMBERS \
	P(bank_transfer_date, "Date", DATE, LEGAL, "Date of the transfer"), \
	P(bank_transfer_status, "Status", TEXT, LEGAL, "Status of the transfer")

ATTACHMENTS(bank_transfer_attachments, bank_transfers, "BankTransfers", bank_transfer_id, "BankTransferID", LEGAL, "bank transfers", BANK_TRANSFERS_LIST, BANK_TRANSFER_MEMBERS);

/* bank_transaction_attachments */

ATTACHMENTS(bank_transaction_attachments, bank_transactions, "BankTransactions", bank_transaction_id, "BankTransactionID", LEGAL, "bank transactions", BANK_TRANSACTIONS_LIST, BANK_TRANSACTION_MEMBERS);

/* expense_claims */

static const XeroColumn expense_claims_columns[] = {
	C(expense_claim_id, "ExpenseClaimID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the expense claim"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "SUBMITTED, AUTHORISED, PAID, VOIDED or DELETED", .words = "SUBMITTED|AUTHORISED|PAID|VOIDED|DELETED"),
	C(payments, "Payments", JSONB, NONE, FULL, 0, "Payments made"),
	C(user_id, "User.UserID", UUID, LEGAL, FULL, REQUIRED, "User who owns it"),
	C(user_email_address, "User.EmailAddress", TEXT, NONE, FULL, 0, "E-mail address of the user who owns it"),
	C(receipts, "Receipts", JSONB, NONE, FULL, REQUIRED, "The receipts claimed"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(total, "Total", NUMERIC, LEGAL, FULL, ORDER, "Sum of the claim"),
	C(amount_due, "AmountDue", NUMERIC, LEGAL, FULL, ORDER, "Amount still to be paid"),
	C(amount_paid, "AmountPaid", NUMERIC, LEGAL, FULL, ORDER, "Amount paid so far"),
	C(payment_due_date, "PaymentDueDate", DATE, LEGAL, FULL, ORDER, "Date the claim is to be paid"),
	C(reporting_date, "ReportingDate", DATE, LEGAL, FULL, ORDER, "Date the claim is booked on"),
	C(receipt_id, "ReceiptID", UUID, LEGAL, FULL, 0, "A receipt of the claim"),
};

const XeroObject xero_object_expense_claims = {
	.api = &xero_api_accounting, .name = "ExpenseClaims", .table_name = "expense_claims",
	.comment = "Classic expense claims, which Xero ends in February 2027",
	.key = "expense_claim_id",
	COLUMNS(expense_claims_columns),
	.wrapper = "ExpenseClaims",
	.paging = XERO_PAGING_NONE,
	.has_where = true, .has_modified_since = true,
	.typical_rows = 50,
	SCOPE("accounting.classicexpenses"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 1,
	WRITES(
		.create = "PUT", .update = "POST",
		.status = "status", ENDINGS({"SUBMITTED", "DELETED"}, {"AUTHORISED", "VOIDED"}),
		.ending_hint = "DELETE makes a SUBMITTED claim DELETED, and an AUTHORISED one VOIDED."),
};

/* overpayments */

static const XeroColumn overpayments_columns[] = {
	C(overpayment_id, "OverpaymentID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the overpayment"),
	C(type, "Type", TEXT, LEGAL, FULL, NOT_NULL | ENUM, "RECEIVE-OVERPAYMENT or SPEND-OVERPAYMENT"),
	C(contact_id, "Contact.ContactID", UUID, LEGAL, FULL, 0, "Contact"),
	C(contact_name, "Contact.Name", TEXT, LEGAL, FULL, 0, "Name of the contact"),
	C(date, "Date", DATE, LEGAL, FULL, NOT_NULL | ORDER, "Date of the overpayment"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM, "AUTHORISED, PAID or VOIDED"),
	C(line_amount_types, "LineAmountTypes", TEXT, LEGAL, FULL, 0, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax"),
	C(line_items, "LineItems", JSONB, NONE, FULL, 0, "The lines"),
	C(sub_total, "SubTotal", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum with tax"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(updated_date_utc_string, "UpdatedDateUTCString", TEXT, NONE, FULL, 0, "Time of the last change as text, in whole seconds"),
	C(currency_code, "CurrencyCode", TEXT, LEGAL, FULL, 0, "ISO 4217 code of the currency"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, 0, "Exchange rate to the base currency of the organisation"),
	C(remaining_credit, "RemainingCredit", NUMERIC, NONE, FULL, 0, "Credit still to be applied"),
	C(allocations, "Allocations", JSONB, NONE, FULL, 0, "What the credit has been applied to"),
	C(applied_amount, "AppliedAmount", NUMERIC, NONE, FULL, 0, "Amount applied so far"),
	C(payments, "Payments", JSONB, NONE, FULL, 0, "Refunds made"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(reference, "Reference", TEXT, LEGAL, FULL, 0, "Reference, free text"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
};

#define OVERPAYMENTS_LIST \
	.wrapper = "Overpayments", .order = "OverpaymentID", \
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100, \
	.has_where = true, .has_modified_since = true, .has_unitdp = true

const XeroObject xero_object_overpayments = {
	.api = &xero_api_accounting, .name = "Overpayments", .table_name = "overpayments",
	.comment = "Amounts paid or received beyond what was due",
	.key = "overpayment_id",
	COLUMNS(overpayments_columns),
	OVERPAYMENTS_LIST,
	PARAMS({"References", XERO_PARAM_LIST, "reference", false}),
	.typical_rows = 200,
	SCOPE("accounting.payments"),
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

#define OVERPAYMENT_MEMBERS \
	P(overpayment_date, "Date", DATE, LEGAL, "Date of the overpayment"), \
	P(overpayment_status, "Status", TEXT, LEGAL, "Status of the overpayment"), \
	P(overpayment_type, "Type", TEXT, LEGAL, "Type of the overpayment"), \
	P(overpayment_contact_id, "Contact.ContactID", UUID, LEGAL, "Contact of the overpayment"), \
	P(overpayment_contact_name, "Contact.Name", TEXT, LEGAL, "Name of that contact"), \
	P(overpayment_currency_code, "CurrencyCode", TEXT, LEGAL, "Currency of the overpayment"), \
	P(overpayment_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the overpayment")

/* overpayment_allocations */

static const XeroColumn overpayment_allocations_columns[] = {
	C(overpayment_id, "OverpaymentID", UUID, LEGAL, FULL, PARENT_KEY, "Overpayment the allocation belongs to"),
	C(allocation_id, "AllocationID", UUID, NONE, FULL, 0, "Xero's identifier of the allocation"),
	C(invoice_id, "Invoice.InvoiceID", UUID, NONE, FULL, WRITABLE, "Invoice or bill the credit is applied to"),
	C(invoice_number, "Invoice.InvoiceNumber", TEXT, NONE, FULL, WRITABLE, "Number of the invoice or bill the credit is applied to"),
	C(allocation_overpayment_id, "Overpayment.OverpaymentID", UUID, NONE, FULL, 0, "Overpayment, as the allocation itself states it"),
	C(prepayment_id, "Prepayment.PrepaymentID", UUID, NONE, FULL, 0, "Prepayment, as the allocation itself states it"),
	C(credit_note_id, "CreditNote.CreditNoteID", UUID, NONE, FULL, 0, "Credit note, as the allocation itself states it"),
	C(credit_note_number, "CreditNote.CreditNoteNumber", TEXT, NONE, FULL, 0, "Number of the credit note, as the allocation itself states it"),
	C(amount, "Amount", NUMERIC, NONE, FULL, REQUIRED, "Amount applied"),
	C(date, "Date", DATE, NONE, FULL, REQUIRED, "Date it is applied on"),
	C(is_deleted, "IsDeleted", BOOLEAN, NONE, FULL, 0, "Whether the allocation has been deleted"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	OVERPAYMENT_MEMBERS,
};

const XeroObject xero_object_overpayment_allocations = {
	.api = &xero_api_accounting, .name = "Overpayments/Allocations", .table_name = "overpayment_allocations",
	.parent = &xero_object_overpayments, .array = "Allocations",
	.comment = "What overpayments have been applied to, one row per allocation",
	.key = "allocation_id",
	COLUMNS(overpayment_allocations_columns),
	OVERPAYMENTS_LIST,
	.typical_rows = 200,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_DELETE,
	.max_batch = 50,
	ALLOCATION_WRITES,
};

/* overpayment_attachments */

ATTACHMENTS(overpayment_attachments, overpayments, "Overpayments", overpayment_id, "OverpaymentID", LEGAL, "overpayments", OVERPAYMENTS_LIST, OVERPAYMENT_MEMBERS);

/* payments */

static const XeroColumn payments_columns[] = {
	C(payment_id, "PaymentID", UUID, OPTIMISED, FULL, KEY, "Xero's identifier of the payment"),
	C(invoice_id, "Invoice.InvoiceID", UUID, OPTIMISED, FULL, WRITABLE, "Invoice or bill that is paid; for a refund the credit note"),
	C(invoice_number, "Invoice.InvoiceNumber", TEXT, LEGAL, FULL, WRITABLE, "Number of the invoice or bill that is paid"),
	C(credit_note_id, "CreditNote.CreditNoteID", UUID, LEGAL, FULL, WRITABLE, "Credit note that is refunded"),
	C(credit_note_number, "CreditNote.CreditNoteNumber", TEXT, LEGAL, FULL, WRITABLE, "Number of the credit note that is refunded"),
	C(prepayment_id, "Prepayment.PrepaymentID", UUID, NONE, FULL, WRITABLE, "Prepayment"),
	C(overpayment_id, "Overpayment.OverpaymentID", UUID, NONE, FULL, WRITABLE, "Overpayment"),
	C(payment_invoice_number, "InvoiceNumber", TEXT, NONE, FULL, WRITABLE, "To create a payment by number: the invoice to pay"),
	C(payment_credit_note_number, "CreditNoteNumber", TEXT, NONE, FULL, WRITABLE, "To create a refund by number: the credit note"),
	C(batch_payment, "BatchPayment", JSONB, NONE, FULL, 0, "The batch payment it belongs to, in full"),
	C(account_id, "Account.AccountID", UUID, LEGAL, FULL, WRITABLE, "Account the money is paid from or into"),
	C(account_code, "Account.Code", TEXT, LEGAL, FULL, WRITABLE, "Code of the account the money is paid from or into"),
	C(code, "Code", TEXT, NONE, FULL, WRITABLE, "To create a payment by code: the account"),
	C(date, "Date", DATE, OPTIMISED, FULL, NOT_NULL | ORDER | REQUIRED, "Date of the payment"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, WRITABLE, "Exchange rate to the base currency of the organisation"),
	C(amount, "Amount", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER | REQUIRED, "Amount in the currency of the invoice"),
	C(bank_amount, "BankAmount", NUMERIC, NONE, FULL, WRITABLE, "Amount in the currency of the bank account"),
	C(reference, "Reference", TEXT, OPTIMISED, FULL, WRITABLE, "Reference, free text"),
	C(is_reconciled, "IsReconciled", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether it is reconciled with the bank statement"),
	C(status, "Status", TEXT, OPTIMISED, FULL, NOT_NULL | ENUM, "AUTHORISED or DELETED"),
	C(payment_type, "PaymentType", TEXT, OPTIMISED, FULL, NOT_NULL | ENUM, "What is paid, such as ACCRECPAYMENT or ACCPAYPAYMENT"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(updated_date_utc_string, "UpdatedDateUTCString", TEXT, NONE, FULL, 0, "Time of the last change as text, in whole seconds"),
	C(batch_payment_id, "BatchPaymentID", UUID, LEGAL, FULL, 0, "Batch payment it belongs to"),
	C(bank_account_number, "BankAccountNumber", TEXT, NONE, FULL, WRITABLE, "The supplier's bank account number, for batch payments"),
	C(particulars, "Particulars", TEXT, NONE, FULL, WRITABLE, "Particulars for the bank (New Zealand)"),
	C(details, "Details", TEXT, NONE, FULL, WRITABLE, "Details for the bank (outside New Zealand)"),
	C(has_account, "HasAccount", BOOLEAN, NONE, FULL, 0, "Whether the payment has an account"),
	C(has_validation_errors, "HasValidationErrors", BOOLEAN, NONE, FULL, 0, "Whether the answer to a write carries validation messages"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	C(warnings, "Warnings", JSONB, NONE, FULL, 0, "Warning messages, present in answers to writes"),
};

const XeroObject xero_object_payments = {
	.api = &xero_api_accounting, .name = "Payments", .table_name = "payments",
	.comment = "Payments of invoices and bills, and refunds of credit",
	.key = "payment_id",
	COLUMNS(payments_columns),
	.wrapper = "Payments", .order = "PaymentID",
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100,
	.has_where = true, .has_modified_since = true,
	.typical_rows = 10000,
	SCOPE("accounting.payments"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true,
		.labels = {"reference", "invoice_number"},
		/* ways to say what is paid, and from where */
		.unechoed = "InvoiceNumber|CreditNoteNumber|Code",
		.one_of = {"invoice_id|invoice_number|credit_note_id|credit_note_number|prepayment_id|overpayment_id|payment_invoice_number|payment_credit_note_number", "account_id|account_code|code"},
		.status = "status", ENDINGS({"AUTHORISED", "DELETED"}),
		.ending_hint = "A payment cannot be changed; DELETE makes an AUTHORISED one DELETED, unless it is part of a batch payment."),
};

/* prepayments */

static const XeroColumn prepayments_columns[] = {
	C(prepayment_id, "PrepaymentID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the prepayment"),
	C(type, "Type", TEXT, LEGAL, FULL, NOT_NULL | ENUM, "RECEIVE-PREPAYMENT or SPEND-PREPAYMENT"),
	C(contact_id, "Contact.ContactID", UUID, LEGAL, FULL, 0, "Contact"),
	C(contact_name, "Contact.Name", TEXT, LEGAL, FULL, 0, "Name of the contact"),
	C(date, "Date", DATE, LEGAL, FULL, NOT_NULL | ORDER, "Date of the prepayment"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM, "AUTHORISED, PAID or VOIDED"),
	C(line_amount_types, "LineAmountTypes", TEXT, LEGAL, FULL, 0, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax"),
	C(line_items, "LineItems", JSONB, NONE, FULL, 0, "The lines"),
	C(sub_total, "SubTotal", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, LEGAL, FULL, NOT_NULL | ORDER, "Sum with tax"),
	C(reference, "Reference", TEXT, LEGAL, FULL, 0, "Reference, free text"),
	C(invoice_number, "InvoiceNumber", TEXT, LEGAL, FULL, 0, "Number of the prepayment invoice"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(updated_date_utc_string, "UpdatedDateUTCString", TEXT, NONE, FULL, 0, "Time of the last change as text, in whole seconds"),
	C(currency_code, "CurrencyCode", TEXT, LEGAL, FULL, 0, "ISO 4217 code of the currency"),
	C(branding_theme_id, "BrandingThemeID", UUID, NONE, FULL, 0, "Branding theme the document is printed with"),
	C(currency_rate, "CurrencyRate", NUMERIC, NONE, FULL, 0, "Exchange rate to the base currency of the organisation"),
	C(remaining_credit, "RemainingCredit", NUMERIC, NONE, FULL, 0, "Credit still to be applied"),
	C(allocations, "Allocations", JSONB, NONE, FULL, 0, "What the credit has been applied to"),
	C(payments, "Payments", JSONB, NONE, FULL, 0, "Refunds made"),
	C(applied_amount, "AppliedAmount", NUMERIC, NONE, FULL, 0, "Amount applied so far"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
};

#define PREPAYMENTS_LIST \
	.wrapper = "Prepayments", .order = "PrepaymentID", \
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100, \
	.has_where = true, .has_modified_since = true, .has_unitdp = true

const XeroObject xero_object_prepayments = {
	.api = &xero_api_accounting, .name = "Prepayments", .table_name = "prepayments",
	.comment = "Amounts paid or received in advance",
	.key = "prepayment_id",
	COLUMNS(prepayments_columns),
	PREPAYMENTS_LIST,
	PARAMS({"InvoiceNumbers", XERO_PARAM_LIST, "invoice_number", false}, {"References", XERO_PARAM_LIST, "reference", false}),
	.typical_rows = 200,
	SCOPE("accounting.payments"),
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

#define PREPAYMENT_MEMBERS \
	P(prepayment_date, "Date", DATE, LEGAL, "Date of the prepayment"), \
	P(prepayment_status, "Status", TEXT, LEGAL, "Status of the prepayment"), \
	P(prepayment_type, "Type", TEXT, LEGAL, "Type of the prepayment"), \
	P(prepayment_contact_id, "Contact.ContactID", UUID, LEGAL, "Contact of the prepayment"), \
	P(prepayment_contact_name, "Contact.Name", TEXT, LEGAL, "Name of that contact"), \
	P(prepayment_currency_code, "CurrencyCode", TEXT, LEGAL, "Currency of the prepayment"), \
	P(prepayment_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the prepayment"), \
	P(document_number, "InvoiceNumber", TEXT, LEGAL, "Number of the prepayment invoice")

/* prepayment_allocations */

static const XeroColumn prepayment_allocations_columns[] = {
	C(prepayment_id, "PrepaymentID", UUID, LEGAL, FULL, PARENT_KEY, "Prepayment the allocation belongs to"),
	C(allocation_id, "AllocationID", UUID, NONE, FULL, 0, "Xero's identifier of the allocation"),
	C(invoice_id, "Invoice.InvoiceID", UUID, NONE, FULL, WRITABLE, "Invoice or bill the credit is applied to"),
	C(invoice_number, "Invoice.InvoiceNumber", TEXT, NONE, FULL, WRITABLE, "Number of the invoice or bill the credit is applied to"),
	C(overpayment_id, "Overpayment.OverpaymentID", UUID, NONE, FULL, 0, "Overpayment, as the allocation itself states it"),
	C(allocation_prepayment_id, "Prepayment.PrepaymentID", UUID, NONE, FULL, 0, "Prepayment, as the allocation itself states it"),
	C(credit_note_id, "CreditNote.CreditNoteID", UUID, NONE, FULL, 0, "Credit note, as the allocation itself states it"),
	C(credit_note_number, "CreditNote.CreditNoteNumber", TEXT, NONE, FULL, 0, "Number of the credit note, as the allocation itself states it"),
	C(amount, "Amount", NUMERIC, NONE, FULL, REQUIRED, "Amount applied"),
	C(date, "Date", DATE, NONE, FULL, REQUIRED, "Date it is applied on"),
	C(is_deleted, "IsDeleted", BOOLEAN, NONE, FULL, 0, "Whether the allocation has been deleted"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	PREPAYMENT_MEMBERS,
};

const XeroObject xero_object_prepayment_allocations = {
	.api = &xero_api_accounting, .name = "Prepayments/Allocations", .table_name = "prepayment_allocations",
	.parent = &xero_object_prepayments, .array = "Allocations",
	.comment = "What prepayments have been applied to, one row per allocation",
	.key = "allocation_id",
	COLUMNS(prepayment_allocations_columns),
	PREPAYMENTS_LIST,
	.typical_rows = 200,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_DELETE,
	.max_batch = 50,
	ALLOCATION_WRITES,
};

/* prepayment_attachments */

ATTACHMENTS(prepayment_attachments, prepayments, "Prepayments", prepayment_id, "PrepaymentID", LEGAL, "prepayments", PREPAYMENTS_LIST, PREPAYMENT_MEMBERS);

/* receipts */

static const XeroColumn receipts_columns[] = {
	C(receipt_id, "ReceiptID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the receipt"),
	C(date, "Date", DATE, LEGAL, FULL, NOT_NULL | ORDER | REQUIRED, "Date of the receipt"),
	C(contact_id, "Contact.ContactID", UUID, LEGAL, FULL, REQUIRED, "Contact"),
	C(contact_name, "Contact.Name", TEXT, LEGAL, FULL, 0, "Name of the contact"),
	C(line_items, "LineItems", JSONB, NONE, SINGLE, REQUIRED, "The lines; one call per record"),
	C(user_id, "User.UserID", UUID, LEGAL, FULL, REQUIRED, "User who owns it"),
	C(user_email_address, "User.EmailAddress", TEXT, NONE, FULL, 0, "E-mail address of the user who owns it"),
	C(reference, "Reference", TEXT, LEGAL, FULL, WRITABLE, "Reference, free text"),
	C(line_amount_types, "LineAmountTypes", TEXT, LEGAL, FULL, WRITABLE, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax", .words = LINE_AMOUNT_TYPES),
	C(sub_total, "SubTotal", NUMERIC, LEGAL, FULL, ORDER, "Sum without tax"),
	C(total_tax, "TotalTax", NUMERIC, LEGAL, FULL, ORDER, "Sum of tax"),
	C(total, "Total", NUMERIC, LEGAL, FULL, ORDER, "Sum with tax"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "DRAFT, SUBMITTED, AUTHORISED, DECLINED or VOIDED", .words = "DRAFT|SUBMITTED|AUTHORISED|DECLINED|VOIDED"),
	C(receipt_number, "ReceiptNumber", TEXT, LEGAL, FULL, 0, "Running number within the user's current claim"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(url, "Url", TEXT, LEGAL, FULL, 0, "Link to the source document in another application"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	C(warnings, "Warnings", JSONB, NONE, FULL, 0, "Warning messages, present in answers to writes"),
};

#define RECEIPTS_LIST \
	.wrapper = "Receipts", \
	.paging = XERO_PAGING_NONE, \
	.has_where = true, .has_modified_since = true, .has_unitdp = true

#define RECEIPTS_WRITES(create_) \
	WRITES( \
		.create = create_, .update = "POST", \
		.labels = {"reference"}, \
		FOLLOWS(TOTAL_FOLLOWS), \
		.status = "status", ENDINGS({"DRAFT", "VOIDED"}, {"SUBMITTED", "VOIDED"}, {"DECLINED", "VOIDED"}, {"AUTHORISED", "VOIDED"}), \
		.ending_hint = "DELETE makes a receipt VOIDED, unless it is that already.")

const XeroObject xero_object_receipts = {
	.api = &xero_api_accounting, .name = "Receipts", .table_name = "receipts",
	.comment = "Receipts of classic expense claims, which Xero ends in February 2027",
	.key = "receipt_id",
	COLUMNS(receipts_columns),
	RECEIPTS_LIST,
	.typical_rows = 100,
	SCOPE("accounting.classicexpenses"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 1,
	RECEIPTS_WRITES(NULL),
};

#define RECEIPT_MEMBERS \
	P(receipt_date, "Date", DATE, LEGAL, "Date of the receipt"), \
	P(receipt_status, "Status", TEXT, LEGAL, "Status of the receipt"), \
	P(receipt_contact_id, "Contact.ContactID", UUID, LEGAL, "Contact of the receipt"), \
	P(receipt_contact_name, "Contact.Name", TEXT, LEGAL, "Name of that contact"), \
	P(receipt_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the receipt"), \
	P(document_number, "ReceiptNumber", TEXT, LEGAL, "Number of the receipt")

/* receipt_details */

const XeroObject xero_object_receipt_details = {
	.api = &xero_api_accounting, .name = "ReceiptDetails", .table_name = "receipt_details",
	.path = "Receipts", .details = true,
	.comment = "Receipts with their lines; one call per receipt",
	.key = "receipt_id",
	COLUMNS(receipts_columns),
	RECEIPTS_LIST,
	.typical_rows = 100,
	SCOPE("accounting.classicexpenses"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 1,
	RECEIPTS_WRITES("PUT"),
};

/* receipt_line_items */

static const XeroColumn receipt_line_items_columns[] = {
	C(receipt_id, "ReceiptID", UUID, LEGAL, FULL, PARENT_KEY, "Receipt the line belongs to"),
	LINE_ITEM_COLUMNS,
	RECEIPT_MEMBERS,
};

const XeroObject xero_object_receipt_line_items = {
	.api = &xero_api_accounting, .name = "Receipts/LineItems", .table_name = "receipt_line_items",
	.parent = &xero_object_receipts, .array = "LineItems",
	.comment = "Lines of receipts, one row each; one call per receipt",
	.key = "line_item_id",
	COLUMNS(receipt_line_items_columns),
	RECEIPTS_LIST,
	.typical_rows = 200,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 500,
	LINE_ITEM_WRITES,
};

/* receipt_attachments */

ATTACHMENTS(receipt_attachments, receipts, "Receipts", receipt_id, "ReceiptID", LEGAL, "receipts", RECEIPTS_LIST, RECEIPT_MEMBERS);
