/*-------------------------------------------------------------------------
 *
 * accounting_settings.c
 *	  Accounting API: settings and master data.
 *
 * Data only.  See catalog.h and writes.h for what the members mean, and rows.h
 * for the short names used here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"

/* INDENT OFF */

/* accounts */

static const XeroColumn accounts_columns[] = {
	C(account_id, "AccountID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the account"),
	C(code, "Code", TEXT, LEGAL, FULL, WRITABLE, "Account code, at most 10 characters; bank accounts may have none", .max_length = 10),
	C(name, "Name", TEXT, LEGAL, FULL, NOT_NULL | REQUIRED, "Name of the account", .max_length = 150),
	C(type, "Type", TEXT, LEGAL, FULL, NOT_NULL | ENUM | REQUIRED, "Account type, such as BANK, REVENUE or EXPENSE"),
	C(bank_account_number, "BankAccountNumber", TEXT, LEGAL, FULL, WRITABLE, "Bank account number, for accounts of type BANK"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "ACTIVE, ARCHIVED or DELETED", .words = "ACTIVE|ARCHIVED|DELETED"),
	C(description, "Description", TEXT, LEGAL, FULL, WRITABLE, "Description; bank accounts have none"),
	C(bank_account_type, "BankAccountType", TEXT, LEGAL, FULL, WRITABLE, "Kind of bank account, for accounts of type BANK"),
	C(currency_code, "CurrencyCode", TEXT, LEGAL, FULL, WRITABLE, "ISO 4217 code of the currency"),
	C(tax_type, "TaxType", TEXT, LEGAL, FULL, WRITABLE, "Code of the tax rate"),
	C(enable_payments_to_account, "EnablePaymentsToAccount", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether payments can be booked to the account"),
	C(show_in_expense_claims, "ShowInExpenseClaims", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether expense claims can use the account"),
	C(class, "Class", TEXT, LEGAL, FULL, ENUM, "ASSET, EQUITY, EXPENSE, LIABILITY or REVENUE"),
	C(system_account, "SystemAccount", TEXT, LEGAL, FULL, 0, "Role of a system account, such as DEBTORS; empty for others"),
	C(reporting_code, "ReportingCode", TEXT, LEGAL, FULL, WRITABLE, "Reporting code"),
	C(reporting_code_name, "ReportingCodeName", TEXT, LEGAL, FULL, 0, "Name of the reporting code"),
	C(has_attachments, "HasAttachments", BOOLEAN, LEGAL, FULL, 0, "Whether files are attached"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(add_to_watchlist, "AddToWatchlist", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether the account is on the dashboard watchlist"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(reporting_code_updated_utc, "ReportingCodeUpdatedUTC", TIMESTAMPTZ, NONE, FULL, 0, "Time the reporting code was last changed"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

#define ACCOUNTS_LIST \
	.wrapper = "Accounts", \
	.paging = XERO_PAGING_NONE, \
	.has_where = true, .has_modified_since = true

const XeroObject xero_object_accounts = {
	.api = &xero_api_accounting, .name = "Accounts", .table_name = "accounts",
	.comment = "Chart of accounts",
	.key = "account_id",
	COLUMNS(accounts_columns),
	ACCOUNTS_LIST,
	.typical_rows = 120,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 1,
	WRITES(
		.create = "PUT", .update = "POST",
		.labels = {"code", "name"},
		.one_of = {"code|bank_account_number"},
		BY_METHOD,
		.ending_hint = "An account that is in use can be archived: UPDATE ... SET status = 'ARCHIVED'."),
};

/* account_attachments */

#define ACCOUNT_MEMBERS \
	P(account_status, "Status", TEXT, LEGAL, "Status of the account"), \
	P(account_type, "Type", TEXT, LEGAL, "Type of the account"), \
	P(account_currency_code, "CurrencyCode", TEXT, LEGAL, "Currency of the account"), \
	P(account_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the account")

ATTACHMENTS(account_attachments, accounts, "Accounts", account_id, "AccountID", LEGAL, "accounts", ACCOUNTS_LIST, ACCOUNT_MEMBERS);

/* branding_themes */

static const XeroColumn branding_themes_columns[] = {
	C(branding_theme_id, "BrandingThemeID", UUID, NONE, FULL, NOT_NULL, "Xero's identifier of the branding theme"),
	C(name, "Name", TEXT, NONE, FULL, NOT_NULL, "Name of the branding theme"),
	C(logo_url, "LogoUrl", TEXT, NONE, FULL, 0, "Where the logo is"),
	C(type, "Type", TEXT, NONE, FULL, ENUM, "Kind of document: INVOICE"),
	C(sort_order, "SortOrder", INTEGER, NONE, FULL, NOT_NULL, "Rank among the themes; the default theme has 0"),
	C(created_date_utc, "CreatedDateUTC", TIMESTAMPTZ, NONE, FULL, NOT_NULL, "Time of creation"),
};

const XeroObject xero_object_branding_themes = {
	.api = &xero_api_accounting, .name = "BrandingThemes", .table_name = "branding_themes",
	.comment = "Looks of printed documents",
	.key = "branding_theme_id",
	COLUMNS(branding_themes_columns),
	.wrapper = "BrandingThemes",
	.paging = XERO_PAGING_NONE,
	.typical_rows = 5,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* currencies */

static const XeroColumn currencies_columns[] = {
	C(code, "Code", TEXT, LEGAL, LIST, KEY | ENUM | REQUIRED, "ISO 4217 code"),
	C(description, "Description", TEXT, LEGAL, LIST, WRITABLE, "Name of the currency"),
};

const XeroObject xero_object_currencies = {
	.api = &xero_api_accounting, .name = "Currencies", .table_name = "currencies",
	.comment = "Currencies in use",
	.key = "code",
	COLUMNS(currencies_columns),
	.wrapper = "Currencies",
	.paging = XERO_PAGING_NONE,
	.has_where = true,
	.typical_rows = 5,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST | XERO_OP_CREATE,
	.max_batch = 1,
	WRITES(
		.create = "PUT",
		.labels = {"code"}),
};

/* items */

static const XeroColumn items_columns[] = {
	C(item_id, "ItemID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the item"),
	C(code, "Code", TEXT, LEGAL, FULL, NOT_NULL | REQUIRED, "Item code, unique, at most 30 characters", .max_length = 30),
	C(inventory_asset_account_code, "InventoryAssetAccountCode", TEXT, NONE, FULL, WRITABLE, "Inventory account of a tracked item"),
	C(name, "Name", TEXT, LEGAL, FULL, WRITABLE, "Name of the item", .max_length = 50),
	C(is_sold, "IsSold", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether the item can be sold"),
	C(is_purchased, "IsPurchased", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether the item can be purchased"),
	C(description, "Description", TEXT, LEGAL, FULL, WRITABLE, "Description on sales documents", .max_length = 4000),
	C(purchase_description, "PurchaseDescription", TEXT, NONE, FULL, WRITABLE, "Description on purchase documents", .max_length = 4000),
	C(purchase_details, "PurchaseDetails", JSONB, NONE, FULL, WRITABLE, "Price, account and tax rate for purchases"),
	C(sales_details, "SalesDetails", JSONB, NONE, FULL, WRITABLE, "Price, account and tax rate for sales"),
	C(is_tracked_as_inventory, "IsTrackedAsInventory", BOOLEAN, LEGAL, FULL, 0, "Whether quantities on hand are tracked"),
	C(total_cost_pool, "TotalCostPool", NUMERIC, NONE, FULL, 0, "Value on hand at average cost"),
	C(quantity_on_hand, "QuantityOnHand", NUMERIC, NONE, FULL, 0, "Quantity on hand"),
	C(quantity_available, "QuantityAvailable", NUMERIC, NONE, FULL, 0, "Quantity on hand that is not promised to anybody"),
	C(quantity_on_back_order, "QuantityOnBackOrder", NUMERIC, NONE, FULL, 0, "Quantity sold beyond what was available"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

const XeroObject xero_object_items = {
	.api = &xero_api_accounting, .name = "Items", .table_name = "items",
	.comment = "Things bought and sold",
	.key = "item_id",
	COLUMNS(items_columns),
	.wrapper = "Items",
	.paging = XERO_PAGING_NONE,
	.has_where = true, .has_modified_since = true, .has_unitdp = true,
	.typical_rows = 200,
	SCOPE("accounting.invoices"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50,
		.labels = {"code"},
		.with_update = {"code"},
		BY_METHOD,
		.ending_hint = "An item that transactions use cannot be deleted."),
};

/* organisation */

static const XeroColumn organisation_columns[] = {
	C(organisation_id, "OrganisationID", UUID, NONE, LIST, NOT_NULL, "Xero's identifier of the organisation"),
	C(api_key, "APIKey", TEXT, NONE, LIST, 0, "Key for transactions from Xero to Xero"),
	C(name, "Name", TEXT, NONE, LIST, NOT_NULL, "Display name"),
	C(legal_name, "LegalName", TEXT, NONE, LIST, 0, "Name on reports"),
	C(pays_tax, "PaysTax", BOOLEAN, NONE, LIST, 0, "Whether it is registered with the tax authority"),
	C(version, "Version", TEXT, NONE, LIST, ENUM, "Edition of Xero by country: AU, NZ, UK, US, GLOBAL"),
	C(organisation_type, "OrganisationType", TEXT, NONE, LIST, ENUM, "Kind of organisation"),
	C(base_currency, "BaseCurrency", TEXT, NONE, LIST, NOT_NULL | ENUM, "Base currency"),
	C(country_code, "CountryCode", TEXT, NONE, LIST, ENUM, "ISO 3166 code of the country"),
	C(is_demo_company, "IsDemoCompany", BOOLEAN, NONE, LIST, 0, "Whether it is a demo company"),
	C(organisation_status, "OrganisationStatus", TEXT, NONE, LIST, 0, "ACTIVE where the API can be used"),
	C(registration_number, "RegistrationNumber", TEXT, NONE, LIST, 0, "Company registration number (AU, NZ, UK)"),
	C(employer_identification_number, "EmployerIdentificationNumber", TEXT, NONE, LIST, 0, "Employer identification number (US)"),
	C(tax_number, "TaxNumber", TEXT, NONE, LIST, 0, "Tax number"),
	C(tax_number_name, "TaxNumberName", TEXT, NONE, LIST, 0, "What the tax number is called in that country"),
	C(financial_year_end_day, "FinancialYearEndDay", INTEGER, NONE, LIST, 0, "Day of the month the financial year ends on"),
	C(financial_year_end_month, "FinancialYearEndMonth", INTEGER, NONE, LIST, 0, "Month the financial year ends in"),
	C(sales_tax_basis, "SalesTaxBasis", TEXT, NONE, LIST, ENUM, "Accounting basis of tax returns"),
	C(sales_tax_period, "SalesTaxPeriod", TEXT, NONE, LIST, ENUM, "How often tax returns are made"),
	C(default_sales_tax, "DefaultSalesTax", TEXT, NONE, LIST, 0, "Default of line_amount_types on sales"),
	C(default_purchases_tax, "DefaultPurchasesTax", TEXT, NONE, LIST, 0, "Default of line_amount_types on purchases"),
	C(period_lock_date, "PeriodLockDate", DATE, NONE, LIST, 0, "Nothing can be changed up to this date, except by advisers"),
	C(end_of_year_lock_date, "EndOfYearLockDate", DATE, NONE, LIST, 0, "Nothing can be changed up to this date"),
	C(created_date_utc, "CreatedDateUTC", TIMESTAMPTZ, NONE, LIST, NOT_NULL, "Time of creation"),
	C(timezone, "Timezone", TEXT, NONE, LIST, ENUM, "Time zone, Windows' name in capitals without blanks"),
	C(organisation_entity_type, "OrganisationEntityType", TEXT, NONE, LIST, ENUM, "Legal form"),
	C(short_code, "ShortCode", TEXT, NONE, LIST, 0, "Short code used in links into Xero"),
	C(class, "Class", TEXT, NONE, LIST, ENUM, "Pricing plan"),
	C(edition, "Edition", TEXT, NONE, LIST, ENUM, "BUSINESS or PARTNER"),
	C(line_of_business, "LineOfBusiness", TEXT, NONE, LIST, 0, "Line of business"),
	C(addresses, "Addresses", JSONB, NONE, LIST, 0, "Postal and street addresses"),
	C(phones, "Phones", JSONB, NONE, LIST, 0, "Phone numbers"),
	C(external_links, "ExternalLinks", JSONB, NONE, LIST, 0, "Links to profiles on the web"),
	C(payment_terms, "PaymentTerms", JSONB, NONE, LIST, 0, "Default terms of payment for bills and sales"),
};

const XeroObject xero_object_organisation = {
	.api = &xero_api_accounting, .name = "Organisation", .table_name = "organisation",
	.comment = "The organisation itself: one row",
	.key = "organisation_id",
	COLUMNS(organisation_columns),
	.wrapper = "Organisations",
	.paging = XERO_PAGING_NONE,
	.typical_rows = 1,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST,
};

/* organisation_actions */

static const XeroColumn organisation_actions_columns[] = {
	C(name, "Name", TEXT, NONE, LIST, NOT_NULL, "What can be done, such as CreateApprovedInvoice"),
	C(status, "Status", TEXT, NONE, LIST, NOT_NULL | ENUM, "ALLOWED or NOT-ALLOWED"),
};

const XeroObject xero_object_organisation_actions = {
	.api = &xero_api_accounting, .name = "Organisation/Actions", .table_name = "organisation_actions",
	.comment = "What the connection may do in the organisation",
	.key = "name",
	COLUMNS(organisation_actions_columns),
	.wrapper = "Actions",
	.paging = XERO_PAGING_NONE,
	.typical_rows = 15,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST,
};

/* invoice_reminders_settings */

static const XeroColumn invoice_reminders_settings_columns[] = {
	C(enabled, "Enabled", BOOLEAN, NONE, LIST, NOT_NULL, "Whether reminders of overdue invoices are sent"),
};

const XeroObject xero_object_invoice_reminders_settings = {
	.api = &xero_api_accounting, .name = "InvoiceReminders/Settings", .table_name = "invoice_reminders_settings",
	.comment = "Whether customers are reminded of invoices: one row",
	.key = "enabled",
	COLUMNS(invoice_reminders_settings_columns),
	.wrapper = "InvoiceReminders",
	.paging = XERO_PAGING_NONE,
	.typical_rows = 1,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST,
};

/* payment_services */

static const XeroColumn payment_services_columns[] = {
	C(payment_service_id, "PaymentServiceID", UUID, NONE, LIST, NOT_NULL, "Xero's identifier of the payment service"),
	C(payment_service_name, "PaymentServiceName", TEXT, NONE, LIST, REQUIRED, "Name of the payment service"),
	C(payment_service_url, "PaymentServiceUrl", TEXT, NONE, LIST, REQUIRED, "Address of the payment page"),
	C(pay_now_text, "PayNowText", TEXT, NONE, LIST, REQUIRED, "Text on the button of online invoices"),
	C(payment_service_type, "PaymentServiceType", TEXT, NONE, LIST, 0, "Type of service; CUSTOM if made through the API"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, LIST, 0, "Validation messages, present in answers to writes"),
};

const XeroObject xero_object_payment_services = {
	.api = &xero_api_accounting, .name = "PaymentServices", .table_name = "payment_services",
	.comment = "Ways to pay online invoices",
	.key = "payment_service_id",
	COLUMNS(payment_services_columns),
	.wrapper = "PaymentServices",
	.paging = XERO_PAGING_NONE,
	.typical_rows = 3,
	.read_scope = "paymentservices", .write_scope = "paymentservices",
	.operations = XERO_OP_LIST | XERO_OP_CREATE,
	.max_batch = 1,
	WRITES(
		.create = "PUT",
		.labels = {"payment_service_name"}),
};

/* tax_rates */

static const XeroColumn tax_rates_columns[] = {
	C(tax_type, "TaxType", TEXT, LEGAL, FULL, KEY, "Code of the tax rate"),
	C(name, "Name", TEXT, LEGAL, FULL, NOT_NULL | REQUIRED, "Name of the tax rate"),
	C(tax_components, "TaxComponents", JSONB, NONE, FULL, REQUIRED, "The rates it is made of"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "ACTIVE, DELETED, ARCHIVED or PENDING", .words = "ACTIVE|DELETED|ARCHIVED|PENDING"),
	C(report_tax_type, "ReportTaxType", TEXT, LEGAL, FULL, ENUM | WRITABLE, "Where the tax appears in returns"),
	C(can_apply_to_assets, "CanApplyToAssets", BOOLEAN, LEGAL, FULL, 0, "Whether asset accounts can use it"),
	C(can_apply_to_equity, "CanApplyToEquity", BOOLEAN, LEGAL, FULL, 0, "Whether equity accounts can use it"),
	C(can_apply_to_expenses, "CanApplyToExpenses", BOOLEAN, LEGAL, FULL, 0, "Whether expense accounts can use it"),
	C(can_apply_to_liabilities, "CanApplyToLiabilities", BOOLEAN, LEGAL, FULL, 0, "Whether liability accounts can use it"),
	C(can_apply_to_revenue, "CanApplyToRevenue", BOOLEAN, LEGAL, FULL, 0, "Whether revenue accounts can use it"),
	C(display_tax_rate, "DisplayTaxRate", NUMERIC, NONE, FULL, 0, "Rate to show, in percent"),
	C(effective_rate, "EffectiveRate", NUMERIC, NONE, FULL, 0, "Rate with compounding, in percent"),
};

#define TAX_RATES_LIST \
	.wrapper = "TaxRates", \
	.paging = XERO_PAGING_NONE, \
	.has_where = true

const XeroObject xero_object_tax_rates = {
	.api = &xero_api_accounting, .name = "TaxRates", .table_name = "tax_rates",
	.comment = "Tax rates",
	.key = "tax_type",
	COLUMNS(tax_rates_columns),
	TAX_RATES_LIST,
	.typical_rows = 20,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 1,
	WRITES(
		.create = "PUT", .update = "POST", .by_body = true,
		.labels = {"name"},
		.status = "status", ENDINGS({"ACTIVE", "DELETED"}, {"ARCHIVED", "DELETED"}),
		.ending_hint = "DELETE makes a tax rate DELETED, unless it is that already."),
};

#define TAX_RATE_MEMBERS \
	P(tax_rate_status, "Status", TEXT, LEGAL, "Status of the tax rate")

/* tax_rate_tax_components */

static const XeroColumn tax_rate_tax_components_columns[] = {
	C(tax_type, "TaxType", TEXT, LEGAL, FULL, PARENT | KEY, "Tax rate the component belongs to"),
	C(name, "Name", TEXT, NONE, FULL, 0, "Name of the component"),
	C(rate, "Rate", NUMERIC, NONE, FULL, 0, "Rate of the component, in percent"),
	C(is_compound, "IsCompound", BOOLEAN, NONE, FULL, 0, "Whether it is charged on top of the other components"),
	C(is_non_recoverable, "IsNonRecoverable", BOOLEAN, NONE, FULL, 0, "Whether the tax cannot be recovered (Canada)"),
	TAX_RATE_MEMBERS,
};

const XeroObject xero_object_tax_rate_tax_components = {
	.api = &xero_api_accounting, .name = "TaxRates/TaxComponents", .table_name = "tax_rate_tax_components",
	.parent = &xero_object_tax_rates, .array = "TaxComponents",
	.comment = "Components of tax rates",
	COLUMNS(tax_rate_tax_components_columns),
	TAX_RATES_LIST,
	.typical_rows = 20,
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* tracking_categories */

static const XeroColumn tracking_categories_columns[] = {
	C(tracking_category_id, "TrackingCategoryID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the tracking category"),
	C(tracking_option_id, "TrackingOptionID", UUID, NONE, FULL, 0, "Tracking option, where the category is used"),
	C(name, "Name", TEXT, LEGAL, FULL, NOT_NULL | REQUIRED, "Name of the tracking category", .max_length = 100),
	C(option, "Option", TEXT, NONE, FULL, 0, "Name of the tracking option, where the category is used"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "ACTIVE, ARCHIVED or DELETED", .words = "ACTIVE|ARCHIVED|DELETED"),
	C(options, "Options", JSONB, NONE, FULL, 0, "The options of the category"),
};

#define TRACKING_CATEGORIES_LIST \
	.wrapper = "TrackingCategories", \
	.paging = XERO_PAGING_NONE, \
	.has_where = true, \
	PARAMS({"includeArchived", XERO_PARAM_ARCHIVED, NULL, true})

const XeroObject xero_object_tracking_categories = {
	.api = &xero_api_accounting, .name = "TrackingCategories", .table_name = "tracking_categories",
	.comment = "Up to two dimensions that lines are tagged with",
	.key = "tracking_category_id",
	COLUMNS(tracking_categories_columns),
	TRACKING_CATEGORIES_LIST,
	.typical_rows = 2,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 1,
	WRITES(
		.create = "PUT", .update = "POST",
		.labels = {"name"},
		BY_METHOD,
		.ending_hint = "A category that is in use can be archived: UPDATE ... SET status = 'ARCHIVED'."),
};

#define TRACKING_CATEGORY_MEMBERS \
	P(tracking_category_status, "Status", TEXT, LEGAL, "Status of the category")

/* tracking_category_options */

static const XeroColumn tracking_category_options_columns[] = {
	C(tracking_category_id, "TrackingCategoryID", UUID, LEGAL, FULL, PARENT_KEY, "Tracking category the option belongs to"),
	C(tracking_option_id, "TrackingOptionID", UUID, NONE, FULL, 0, "Xero's identifier of the tracking option"),
	C(name, "Name", TEXT, NONE, FULL, REQUIRED, "Name of the tracking option", .max_length = 100),
	C(status, "Status", TEXT, NONE, FULL, ENUM | WRITABLE, "ACTIVE, ARCHIVED or DELETED", .words = "ACTIVE|ARCHIVED|DELETED"),
	C(tracking_option_tracking_category_id, "TrackingCategoryID", UUID, NONE, FULL, 0, "Tracking category, as the option itself states it"),
	C(is_active, "IsActive", BOOLEAN, NONE, FULL, 0, "Whether the option is active"),
	C(is_archived, "IsArchived", BOOLEAN, NONE, FULL, 0, "Whether the option is archived"),
	C(is_deleted, "IsDeleted", BOOLEAN, NONE, FULL, 0, "Whether the option is deleted"),
	TRACKING_CATEGORY_MEMBERS,
};

const XeroObject xero_object_tracking_category_options = {
	.api = &xero_api_accounting, .name = "TrackingCategories/Options", .table_name = "tracking_category_options",
	.parent = &xero_object_tracking_categories, .array = "Options",
	.comment = "Options of tracking categories",
	.key = "tracking_option_id",
	COLUMNS(tracking_category_options_columns),
	TRACKING_CATEGORIES_LIST,
	.typical_rows = 2,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 1,
	WRITES(
		.place = XERO_PLACE_BELOW, .create = "PUT", .update = "POST", .envelope = XERO_ENVELOPE_BARE,
		.labels = {"name"},
		BY_METHOD,
		.ending_hint = "An option that is in use can be archived: UPDATE ... SET status = 'ARCHIVED'."),
};

/* users */

static const XeroColumn users_columns[] = {
	C(user_id, "UserID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the user"),
	C(email_address, "EmailAddress", TEXT, LEGAL, FULL, NOT_NULL, "E-mail address"),
	C(first_name, "FirstName", TEXT, LEGAL, FULL, 0, "First name"),
	C(last_name, "LastName", TEXT, LEGAL, FULL, 0, "Last name"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(is_subscriber, "IsSubscriber", BOOLEAN, LEGAL, FULL, 0, "Whether the user pays the subscription"),
	C(organisation_role, "OrganisationRole", TEXT, LEGAL, FULL, ENUM, "The user's role in the organisation"),
};

const XeroObject xero_object_users = {
	.api = &xero_api_accounting, .name = "Users", .table_name = "users",
	.comment = "People with access to the organisation",
	.key = "user_id",
	COLUMNS(users_columns),
	.wrapper = "Users",
	.paging = XERO_PAGING_NONE,
	.has_where = true, .has_modified_since = true,
	.typical_rows = 10,
	SCOPE("accounting.settings"),
	.operations = XERO_OP_LIST | XERO_OP_GET,
};
