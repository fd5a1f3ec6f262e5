/*-------------------------------------------------------------------------
 *
 * accounting_ledger.c
 *	  Accounting API: journals and budgets.
 *
 * Data only.  See catalog.h for what the members mean, and rows.h for the
 * short names used here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"

/* budgets */

static const XeroColumn budgets_columns[] = {
	{"budget_id", "BudgetID", XERO_UUID, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_NOT_NULL | XERO_COL_IMMUTABLE,
	"Xero's identifier of the budget"},
	{"type", "Type", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_NOT_NULL | XERO_COL_ENUM,
	"OVERALL or TRACKING"},
	{"description", "Description", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL,
		0,
	"Name of the budget"},
	{"updated_date_utc", "UpdatedDateUTC", XERO_TIMESTAMPTZ,
		XERO_FILTER_NONE, FORMS_FULL, 0,
	"Time of the last change"},
	{"budget_lines", "BudgetLines", XERO_JSONB, XERO_FILTER_NONE,
		XERO_FORM_SINGLE, 0,
	"Budgeted amounts by account and month; one call per budget"},
	{"tracking", "Tracking", XERO_JSONB, XERO_FILTER_NONE, FORMS_FULL, 0,
	"Tracking the budget is made for"},
	{"status", "Status", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, 0,
	"Status of the budget"},
};

static const XeroParam budgets_params[] = {
	{"IDs", XERO_PARAM_VALUE, "budget_id", true},
};

const XeroObject xero_object_budgets = {
	.api = &xero_api_accounting,
	.name = "Budgets",
	.table_name = "budgets",
	.wrapper = "Budgets",
	.key = "budget_id",
	.operations = XERO_OP_LIST | XERO_OP_GET,
	.paging = XERO_PAGING_NONE,
	.typical_rows = 5,
	.columns = budgets_columns,
	.ncolumns = lengthof(budgets_columns),
	.params = budgets_params,
	.nparams = lengthof(budgets_params),
	.comment = "Budgets; the amounts take one call per budget",
};

/* journals */

static const XeroColumn journals_columns[] = {
	{"journal_id", "JournalID", XERO_UUID, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_NOT_NULL | XERO_COL_IMMUTABLE,
	"Xero's identifier of the journal"},
	{"journal_date", "JournalDate", XERO_DATE, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_NOT_NULL,
	"Date the journal is booked on"},
	{"journal_number", "JournalNumber", XERO_INTEGER, XERO_FILTER_NONE,
		FORMS_FULL, XERO_COL_NOT_NULL | XERO_COL_IMMUTABLE,
	"Number of the journal, ascending within the organisation"},
	{"created_date_utc", "CreatedDateUTC", XERO_TIMESTAMPTZ,
		XERO_FILTER_NONE, FORMS_FULL, XERO_COL_NOT_NULL | XERO_COL_IMMUTABLE,
	"Time of creation"},
	{"reference", "Reference", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, 0,
	"Reference of the source document"},
	{"source_id", "SourceID", XERO_UUID, XERO_FILTER_NONE, XERO_FORM_LIST, 0,
	"Document that caused the journal"},
	{"source_type", "SourceType", XERO_TEXT, XERO_FILTER_NONE,
		XERO_FORM_LIST, XERO_COL_ENUM,
	"Kind of the document that caused the journal"},
	{"journal_lines", "JournalLines", XERO_JSONB, XERO_FILTER_NONE,
		FORMS_FULL, 0,
	"The lines"},
};

const XeroObject xero_object_journals = {
	.api = &xero_api_accounting,
	.name = "Journals",
	.table_name = "journals",
	.wrapper = "Journals",
	.key = "journal_id",
	.operations = XERO_OP_LIST | XERO_OP_GET,
	.paging = XERO_PAGING_OFFSET,
	.default_page_size = 100,
	.offset_column = "journal_number",
	.has_modified_since = true,
	.typical_rows = 50000,
	.columns = journals_columns,
	.ncolumns = lengthof(journals_columns),
	.comment = "The general ledger: one journal for each change of a document",
};

/* journal_journal_lines */

static const XeroColumn journal_journal_lines_columns[] = {
	{"journal_id", "JournalID", XERO_UUID, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_PARENT | XERO_COL_NOT_NULL | XERO_COL_IMMUTABLE,
	"Journal the line belongs to"},
	{"journal_line_id", "JournalLineID", XERO_UUID, XERO_FILTER_NONE,
		FORMS_FULL, 0,
	"Xero's identifier of the line"},
	{"account_id", "AccountID", XERO_UUID, XERO_FILTER_NONE, FORMS_FULL, 0,
	"Account"},
	{"account_code", "AccountCode", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL,
		0,
	"Code of the account"},
	{"account_type", "AccountType", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_ENUM,
	"Account type"},
	{"account_name", "AccountName", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL,
		0,
	"Name of the account"},
	{"description", "Description", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL,
		0,
	"Text of the line"},
	{"net_amount", "NetAmount", XERO_NUMERIC, XERO_FILTER_NONE, FORMS_FULL,
		0,
	"Amount without tax: positive for a debit, negative for a credit"},
	{"gross_amount", "GrossAmount", XERO_NUMERIC, XERO_FILTER_NONE,
		FORMS_FULL, 0,
	"Amount with tax"},
	{"tax_amount", "TaxAmount", XERO_NUMERIC, XERO_FILTER_NONE, FORMS_FULL,
		0,
	"Tax on the line"},
	{"tax_type", "TaxType", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, 0,
	"Code of the tax rate"},
	{"tax_name", "TaxName", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, 0,
	"Name of the tax rate"},
	{"tracking_categories", "TrackingCategories", XERO_JSONB,
		XERO_FILTER_NONE, FORMS_FULL, 0,
	"Tracking categories with their options"},
};

const XeroObject xero_object_journal_journal_lines = {
	.api = &xero_api_accounting,
	.name = "Journals/JournalLines",
	.table_name = "journal_journal_lines",
	.wrapper = "Journals",
	.key = "journal_line_id",
	.operations = XERO_OP_LIST | XERO_OP_GET,
	.paging = XERO_PAGING_OFFSET,
	.default_page_size = 100,
	.offset_column = "journal_number",
	.has_modified_since = true,
	.typical_rows = 150000,
	.columns = journal_journal_lines_columns,
	.ncolumns = lengthof(journal_journal_lines_columns),
	.parent = &xero_object_journals,
	.array = "JournalLines",
	.comment = "Lines of journals, one row each",
};

/* manual_journals */

static const XeroColumn manual_journals_columns[] = {
	{"manual_journal_id", "ManualJournalID", XERO_UUID, XERO_FILTER_LEGAL,
		FORMS_FULL, KEY_FLAGS,
	"Xero's identifier of the manual journal"},
	{"narration", "Narration", XERO_TEXT, XERO_FILTER_OPTIMISED, FORMS_FULL,
		XERO_COL_NOT_NULL | XERO_COL_WRITABLE | XERO_COL_REQUIRED,
	"Description of the journal"},
	{"journal_lines", "JournalLines", XERO_JSONB, XERO_FILTER_NONE,
		FORMS_FULL, XERO_COL_WRITABLE | XERO_COL_REQUIRED,
	"The lines"},
	{"date", "Date", XERO_DATE, XERO_FILTER_LEGAL, FORMS_FULL,
		XERO_COL_NOT_NULL | XERO_COL_ORDER | XERO_COL_WRITABLE,
	"Date the journal is booked on"},
	{"line_amount_types", "LineAmountTypes", XERO_TEXT, XERO_FILTER_LEGAL,
		FORMS_FULL, XERO_COL_WRITABLE,
	"Whether line amounts contain tax: Exclusive, Inclusive or NoTax"},
	{"status", "Status", XERO_TEXT, XERO_FILTER_LEGAL, FORMS_FULL,
		XERO_COL_NOT_NULL | XERO_COL_ENUM | XERO_COL_WRITABLE,
	"DRAFT, POSTED, DELETED, VOIDED or ARCHIVED"},
	{"url", "Url", XERO_TEXT, XERO_FILTER_LEGAL, FORMS_FULL,
		XERO_COL_WRITABLE,
	"Link to the source document in another application"},
	{"show_on_cash_basis_reports", "ShowOnCashBasisReports", XERO_BOOLEAN,
		XERO_FILTER_LEGAL, FORMS_FULL, XERO_COL_WRITABLE,
	"Whether reports on a cash basis contain it"},
	{"has_attachments", "HasAttachments", XERO_BOOLEAN, XERO_FILTER_LEGAL,
		FORMS_FULL, 0,
	"Whether files are attached"},
	{"updated_date_utc", "UpdatedDateUTC", XERO_TIMESTAMPTZ,
		XERO_FILTER_LEGAL, FORMS_FULL, XERO_COL_NOT_NULL | XERO_COL_ORDER,
	"Time of the last change"},
	{"attachments", "Attachments", XERO_JSONB, XERO_FILTER_NONE,
		XERO_FORM_SINGLE, 0,
	"The attached files, without their content; one call per record that has any", "HasAttachments"},
	{"status_attribute_string", "StatusAttributeString", XERO_TEXT,
		XERO_FILTER_NONE, FORMS_FULL, 0,
	"OK, WARNING or ERROR in the answer to a write"},
	{"warnings", "Warnings", XERO_JSONB, XERO_FILTER_NONE, FORMS_FULL, 0,
	"Warning messages, present in answers to writes"},
	{"validation_errors", "ValidationErrors", XERO_JSONB, XERO_FILTER_NONE,
		FORMS_FULL, 0,
	"Validation messages, present in answers to writes"},
};

const XeroObject xero_object_manual_journals = {
	.api = &xero_api_accounting,
	.name = "ManualJournals",
	.table_name = "manual_journals",
	.wrapper = "ManualJournals",
	.key = "manual_journal_id",
	.order = "ManualJournalID",
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE |
	XERO_OP_UPDATE | XERO_OP_VOID,
	.paging = XERO_PAGING_PAGE,
	.max_page_size = 1000,
	.default_page_size = 100,
	.has_where = true,
	.has_modified_since = true,
	.max_batch = 50,
	.typical_rows = 500,
	.columns = manual_journals_columns,
	.ncolumns = lengthof(manual_journals_columns),
	.comment = "Journals entered by hand",
};

/* manual_journal_journal_lines */

static const XeroColumn manual_journal_journal_lines_columns[] = {
	{"manual_journal_id", "ManualJournalID", XERO_UUID, XERO_FILTER_LEGAL,
		FORMS_FULL, HOLDER_FLAGS,
	"Manual journal the line belongs to"},
	{"line_amount", "LineAmount", XERO_NUMERIC, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_WRITABLE | XERO_COL_REQUIRED,
	"Amount: positive for a debit, negative for a credit"},
	{"account_code", "AccountCode", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_WRITABLE,
	"Code of the account"},
	{"account_id", "AccountID", XERO_UUID, XERO_FILTER_NONE, FORMS_FULL, XERO_COL_WRITABLE,
	"Account"},
	{"description", "Description", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_WRITABLE,
	"Text of the line"},
	{"tax_type", "TaxType", XERO_TEXT, XERO_FILTER_NONE, FORMS_FULL, XERO_COL_WRITABLE,
	"Code of the tax rate"},
	{"tracking", "Tracking", XERO_JSONB, XERO_FILTER_NONE, FORMS_FULL, XERO_COL_WRITABLE,
	"Up to two tracking categories with their options"},
	{"tax_amount", "TaxAmount", XERO_NUMERIC, XERO_FILTER_NONE, FORMS_FULL,
		XERO_COL_WRITABLE,
	"Tax on the line"},
	{"is_blank", "IsBlank", XERO_BOOLEAN, XERO_FILTER_NONE, FORMS_FULL, 0,
	"Whether the line is blank"},
};

const XeroObject xero_object_manual_journal_journal_lines = {
	.api = &xero_api_accounting,
	.name = "ManualJournals/JournalLines",
	.table_name = "manual_journal_journal_lines",
	.wrapper = "ManualJournals",
	.order = "ManualJournalID",
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE |
	XERO_OP_UPDATE | XERO_OP_DELETE,
	.paging = XERO_PAGING_PAGE,
	.max_page_size = 1000,
	.default_page_size = 100,
	.has_where = true,
	.has_modified_since = true,
	.max_batch = 500,
	.typical_rows = 1500,
	.columns = manual_journal_journal_lines_columns,
	.ncolumns = lengthof(manual_journal_journal_lines_columns),
	.parent = &xero_object_manual_journals,
	.array = "JournalLines",
	.comment = "Lines of manual journals, one row each",
};
