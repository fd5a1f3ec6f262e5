/*-------------------------------------------------------------------------
 *
 * accounting_ledger.c
 *	  Accounting API: journals and budgets.
 *
 * Data only.  See catalog.h and writes.h for what the members mean, and rows.h
 * for the short names used here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"

/* INDENT OFF */

/* budgets */

static const XeroColumn budgets_columns[] = {
	C(budget_id, "BudgetID", UUID, NONE, FULL, NOT_NULL, "Xero's identifier of the budget"),
	C(type, "Type", TEXT, NONE, FULL, NOT_NULL | ENUM, "OVERALL or TRACKING"),
	C(description, "Description", TEXT, NONE, FULL, 0, "Name of the budget"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, FULL, 0, "Time of the last change"),
	C(created_in, "CreatedIn", TEXT, NONE, FULL, 0, "Where the budget was made"),
	C(budget_lines, "BudgetLines", JSONB, NONE, SINGLE, 0, "Budgeted amounts by account and month; one call per budget"),
	C(tracking, "Tracking", JSONB, NONE, FULL, 0, "Tracking the budget is made for"),
	C(status, "Status", TEXT, NONE, FULL, 0, "Status of the budget"),
};

#define BUDGETS_LIST \
	.wrapper = "Budgets", \
	.paging = XERO_PAGING_NONE

const XeroObject xero_object_budgets = {
	.api = &xero_api_accounting, .name = "Budgets", .table_name = "budgets",
	.comment = "Budgets",
	.key = "budget_id",
	COLUMNS(budgets_columns),
	BUDGETS_LIST,
	PARAMS({"IDs", XERO_PARAM_VALUE, "budget_id", true}),
	.typical_rows = 5,
	.read_scope = "accounting.budgets.read",
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* budget_budget_lines */

static const XeroColumn budget_budget_lines_columns[] = {
	C(budget_id, "BudgetID", UUID, NONE, FULL, PARENT | NOT_NULL, "Budget the line belongs to"),
	C(account_id, "AccountID", UUID, NONE, FULL, 0, "Account"),
	C(account_code, "AccountCode", TEXT, NONE, FULL, 0, "Code of the account"),
	C(budget_balances, "BudgetBalances", JSONB, NONE, FULL, 0, "Budgeted amounts by month"),
	P(budget_status, "Status", TEXT, NONE, "Status of the budget"),
	P(budget_type, "Type", TEXT, NONE, "Type of the budget"),
	P(budget_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, NONE, "Time of the last change of the budget"),
};

const XeroObject xero_object_budget_budget_lines = {
	.api = &xero_api_accounting, .name = "Budgets/BudgetLines", .table_name = "budget_budget_lines",
	.parent = &xero_object_budgets, .array = "BudgetLines",
	.comment = "Lines of budgets, one for each account; one call per budget",
	COLUMNS(budget_budget_lines_columns),
	BUDGETS_LIST,
	.typical_rows = 100,
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* journals and cash_journals */

#define JOURNAL_COLUMNS(levels) \
	C(journal_id, "JournalID", UUID, NONE, levels, NOT_NULL, "Xero's identifier of the journal"), \
	C(journal_date, "JournalDate", DATE, NONE, levels, NOT_NULL, "Date the journal is booked on"), \
	C(journal_number, "JournalNumber", INTEGER, NONE, levels, NOT_NULL, "Number of the journal, ascending within the organisation"), \
	C(created_date_utc, "CreatedDateUTC", TIMESTAMPTZ, NONE, levels, NOT_NULL, "Time of creation"), \
	C(reference, "Reference", TEXT, NONE, levels, 0, "Reference of the source document"), \
	C(source_id, "SourceID", UUID, NONE, LIST, 0, "Document that caused the journal"), \
	C(source_type, "SourceType", TEXT, NONE, LIST, ENUM, "Kind of the document that caused the journal"), \
	C(journal_lines, "JournalLines", JSONB, NONE, levels, 0, "The lines")

#define JOURNALS_LIST \
	.wrapper = "Journals", \
	.paging = XERO_PAGING_OFFSET, .default_page_size = 100, .offset_column = "journal_number", \
	.has_modified_since = true

static const XeroColumn journals_columns[] = {
	JOURNAL_COLUMNS(FULL),
};

const XeroObject xero_object_journals = {
	.api = &xero_api_accounting, .name = "Journals", .table_name = "journals",
	.comment = "The general ledger: one journal for each change of a document",
	.key = "journal_id",
	COLUMNS(journals_columns),
	JOURNALS_LIST,
	.typical_rows = 50000,
	.read_scope = "accounting.journals.read",
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* Whether a journal's own path knows those of the cash basis is documented nowhere. */
static const XeroColumn cash_journals_columns[] = {
	JOURNAL_COLUMNS(LIST),
};

const XeroObject xero_object_cash_journals = {
	.api = &xero_api_accounting, .name = "CashJournals", .table_name = "cash_journals",
	.path = "Journals", .query = "paymentsOnly=true",
	.comment = "The general ledger on a cash basis",
	.key = "journal_id",
	COLUMNS(cash_journals_columns),
	JOURNALS_LIST,
	.typical_rows = 50000,
	.read_scope = "accounting.journals.read",
	.operations = XERO_OP_LIST,
};

/* journal_journal_lines and cash_journal_journal_lines */

#define JOURNAL_LINE_COLUMNS(levels, date, number) \
	C(journal_id, "JournalID", UUID, NONE, levels, PARENT | NOT_NULL, "Journal the line belongs to"), \
	C(journal_line_id, "JournalLineID", UUID, NONE, levels, 0, "Xero's identifier of the line"), \
	C(account_id, "AccountID", UUID, NONE, levels, 0, "Account"), \
	C(account_code, "AccountCode", TEXT, NONE, levels, 0, "Code of the account"), \
	C(account_type, "AccountType", TEXT, NONE, levels, ENUM, "Account type"), \
	C(account_name, "AccountName", TEXT, NONE, levels, 0, "Name of the account"), \
	C(description, "Description", TEXT, NONE, levels, 0, "Text of the line"), \
	C(net_amount, "NetAmount", NUMERIC, NONE, levels, 0, "Amount without tax: positive for a debit, negative for a credit"), \
	C(gross_amount, "GrossAmount", NUMERIC, NONE, levels, 0, "Amount with tax"), \
	C(tax_amount, "TaxAmount", NUMERIC, NONE, levels, 0, "Tax on the line"), \
	C(tax_type, "TaxType", TEXT, NONE, levels, 0, "Code of the tax rate"), \
	C(tax_name, "TaxName", TEXT, NONE, levels, 0, "Name of the tax rate"), \
	C(tracking_categories, "TrackingCategories", JSONB, NONE, levels, 0, "Tracking categories with their options"), \
	C(date, "JournalDate", DATE, NONE, levels, PARENT, "Date of the journal"), \
	C(number, "JournalNumber", INTEGER, NONE, levels, PARENT, "Number of the journal")

static const XeroColumn journal_journal_lines_columns[] = {
	JOURNAL_LINE_COLUMNS(FULL, journal_date, journal_number),
};

const XeroObject xero_object_journal_journal_lines = {
	.api = &xero_api_accounting, .name = "Journals/JournalLines", .table_name = "journal_journal_lines",
	.parent = &xero_object_journals, .array = "JournalLines",
	.comment = "Lines of journals, one row each",
	.key = "journal_line_id",
	COLUMNS(journal_journal_lines_columns),
	JOURNALS_LIST,
	.typical_rows = 150000,
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

static const XeroColumn cash_journal_journal_lines_columns[] = {
	JOURNAL_LINE_COLUMNS(LIST, cash_journal_date, cash_journal_number),
};

const XeroObject xero_object_cash_journal_journal_lines = {
	.api = &xero_api_accounting, .name = "CashJournals/JournalLines", .table_name = "cash_journal_journal_lines",
	.parent = &xero_object_cash_journals, .array = "JournalLines",
	.comment = "Lines of journals on a cash basis, one row each",
	.key = "journal_line_id",
	COLUMNS(cash_journal_journal_lines_columns),
	JOURNALS_LIST,
	.typical_rows = 150000,
	.operations = XERO_OP_LIST,
};

/* manual_journals */

static const XeroColumn manual_journals_columns[] = {
	C(manual_journal_id, "ManualJournalID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the manual journal"),
	C(narration, "Narration", TEXT, OPTIMISED, FULL, NOT_NULL | REQUIRED, "Description of the journal"),
	C(journal_lines, "JournalLines", JSONB, NONE, FULL, REQUIRED, "The lines"),
	C(date, "Date", DATE, LEGAL, FULL, NOT_NULL | ORDER | WRITABLE, "Date the journal is booked on"),
	C(line_amount_types, "LineAmountTypes", TEXT, LEGAL, FULL, WRITABLE, "Whether line amounts contain tax: Exclusive, Inclusive or NoTax", .words = LINE_AMOUNT_TYPES),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "DRAFT, POSTED, DELETED, VOIDED or ARCHIVED", .words = "DRAFT|POSTED|DELETED|VOIDED|ARCHIVED"),
	C(url, "Url", TEXT, LEGAL, FULL, WRITABLE, "Link to the source document in another application"),
	C(show_on_cash_basis_reports, "ShowOnCashBasisReports", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether reports on a cash basis contain it"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(warnings, "Warnings", JSONB, NONE, FULL, 0, "Warning messages, present in answers to writes"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

#define MANUAL_JOURNALS_LIST \
	.wrapper = "ManualJournals", .order = "ManualJournalID", \
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100, \
	.has_where = true, .has_modified_since = true

const XeroObject xero_object_manual_journals = {
	.api = &xero_api_accounting, .name = "ManualJournals", .table_name = "manual_journals",
	.comment = "Journals entered by hand",
	.key = "manual_journal_id",
	COLUMNS(manual_journals_columns),
	MANUAL_JOURNALS_LIST,
	.typical_rows = 500,
	SCOPE("accounting.manualjournals"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50,
		.labels = {"narration"},
		.with_update = {"narration"},
		.status = "status", ENDINGS({"DRAFT", "DELETED"}, {"POSTED", "VOIDED"}),
		.ending_hint = "DELETE makes a DRAFT journal DELETED, and a POSTED one VOIDED."),
};

#define MANUAL_JOURNAL_MEMBERS \
	P(manual_journal_date, "Date", DATE, LEGAL, "Date of the journal"), \
	P(manual_journal_status, "Status", TEXT, LEGAL, "Status of the journal"), \
	P(manual_journal_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the journal")

/* manual_journal_attachments */

ATTACHMENTS(manual_journal_attachments, manual_journals, "ManualJournals", manual_journal_id, "ManualJournalID", LEGAL, "manual journals", MANUAL_JOURNALS_LIST, MANUAL_JOURNAL_MEMBERS);

/* manual_journal_journal_lines */

static const XeroColumn manual_journal_journal_lines_columns[] = {
	C(manual_journal_id, "ManualJournalID", UUID, LEGAL, FULL, PARENT_KEY, "Manual journal the line belongs to"),
	C(line_amount, "LineAmount", NUMERIC, NONE, FULL, REQUIRED, "Amount: positive for a debit, negative for a credit"),
	C(account_code, "AccountCode", TEXT, NONE, FULL, WRITABLE, "Code of the account"),
	C(account_id, "AccountID", UUID, NONE, FULL, WRITABLE, "Account"),
	C(description, "Description", TEXT, NONE, FULL, WRITABLE, "Text of the line"),
	C(tax_type, "TaxType", TEXT, NONE, FULL, WRITABLE, "Code of the tax rate"),
	C(tracking, "Tracking", JSONB, NONE, FULL, WRITABLE, "Up to two tracking categories with their options"),
	C(tax_amount, "TaxAmount", NUMERIC, NONE, FULL, WRITABLE, "Tax on the line"),
	C(is_blank, "IsBlank", BOOLEAN, NONE, FULL, 0, "Whether the line is blank"),
	MANUAL_JOURNAL_MEMBERS,
};

const XeroObject xero_object_manual_journal_journal_lines = {
	.api = &xero_api_accounting, .name = "ManualJournals/JournalLines", .table_name = "manual_journal_journal_lines",
	.parent = &xero_object_manual_journals, .array = "JournalLines",
	.comment = "Lines of manual journals, one row each",
	COLUMNS(manual_journal_journal_lines_columns),
	MANUAL_JOURNALS_LIST,
	.typical_rows = 1500,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 500,
	WRITES(
		.place = XERO_PLACE_INSIDE,
		.labels = {"account_code", "account_id", "description"},
		.one_of = {"account_code|account_id"},
		BY_METHOD,
		FOLLOWS({"line_amount|tax_type", "tax_amount"}, {"account_code", "account_id"}, {"account_id", "account_code"})),
};
