/*-------------------------------------------------------------------------
 *
 * accounting_contacts.c
 *	  Accounting API: contacts and their groups.
 *
 * Data only.  See catalog.h and writes.h for what the members mean, and rows.h
 * for the short names used here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"

/* INDENT OFF */

/* contacts */

static const XeroColumn contacts_columns[] = {
	C(contact_id, "ContactID", UUID, LEGAL, ALL, KEY, "Xero's identifier of the contact"),
	C(merged_to_contact_id, "MergedToContactID", UUID, NONE, FULL, 0, "Contact this one was merged into"),
	C(contact_number, "ContactNumber", TEXT, LEGAL, ALL, WRITABLE, "Identifier in another system, set through the API only", .max_length = 50),
	C(account_number, "AccountNumber", TEXT, OPTIMISED, ALL, WRITABLE, "Account number given to the contact", .max_length = 50),
	C(contact_status, "ContactStatus", TEXT, LEGAL, ALL, NOT_NULL | ENUM | WRITABLE, "ACTIVE, ARCHIVED or GDPRREQUEST", .words = "ACTIVE|ARCHIVED|GDPRREQUEST"),
	C(name, "Name", TEXT, OPTIMISED, ALL, NOT_NULL | REQUIRED, "Name of the contact, unique among active ones", .max_length = 255),
	C(first_name, "FirstName", TEXT, LEGAL, ALL, WRITABLE, "First name of the main person", .max_length = 255),
	C(last_name, "LastName", TEXT, LEGAL, ALL, WRITABLE, "Last name of the main person", .max_length = 255),
	C(company_number, "CompanyNumber", TEXT, LEGAL, ALL, WRITABLE, "Company registration number", .max_length = 50),
	C(email_address, "EmailAddress", TEXT, OPTIMISED, ALL, WRITABLE, "E-mail address of the main person", .max_length = 255),
	C(contact_persons, "ContactPersons", JSONB, NONE, FULL, WRITABLE | STAYS, "Up to five further persons"),
	C(bank_account_details, "BankAccountDetails", TEXT, LEGAL, ALL, WRITABLE, "Bank account number of the contact"),
	C(tax_number, "TaxNumber", TEXT, LEGAL, ALL, WRITABLE, "Tax number: ABN, GST, VAT or tax id number", .max_length = 50),
	C(tax_number_type, "TaxNumberType", TEXT, NONE, FULL, WRITABLE, "Kind of tax number (US)"),
	C(accounts_receivable_tax_type, "AccountsReceivableTaxType", TEXT, LEGAL, ALL, WRITABLE, "Default tax rate of sales invoices"),
	C(accounts_payable_tax_type, "AccountsPayableTaxType", TEXT, LEGAL, ALL, WRITABLE, "Default tax rate of bills"),
	C(addresses, "Addresses", JSONB, NONE, FULL, WRITABLE, "Postal and street addresses"),
	C(phones, "Phones", JSONB, NONE, FULL, WRITABLE, "Phone numbers"),
	C(is_supplier, "IsSupplier", BOOLEAN, LEGAL, FULL, 0, "Whether there are bills from the contact"),
	C(is_customer, "IsCustomer", BOOLEAN, LEGAL, FULL, 0, "Whether there are sales invoices to the contact"),
	C(sales_default_line_amount_type, "SalesDefaultLineAmountType", TEXT, NONE, FULL, WRITABLE, "Default of line_amount_types on sales: INCLUSIVE, EXCLUSIVE or NONE", .words = "INCLUSIVE|EXCLUSIVE|NONE"),
	C(purchases_default_line_amount_type, "PurchasesDefaultLineAmountType", TEXT, NONE, FULL, WRITABLE, "Default of line_amount_types on purchases: INCLUSIVE, EXCLUSIVE or NONE", .words = "INCLUSIVE|EXCLUSIVE|NONE"),
	C(default_currency, "DefaultCurrency", TEXT, LEGAL, ALL, ENUM | WRITABLE, "Default currency of documents"),
	C(xero_network_key, "XeroNetworkKey", TEXT, NONE, FULL, WRITABLE, "Key of the contact in the Xero network"),
	C(sales_default_account_code, "SalesDefaultAccountCode", TEXT, NONE, FULL, WRITABLE, "Default account of sales"),
	C(purchases_default_account_code, "PurchasesDefaultAccountCode", TEXT, NONE, FULL, WRITABLE, "Default account of purchases"),
	C(sales_tracking_categories, "SalesTrackingCategories", JSONB, NONE, FULL, WRITABLE, "Default tracking of sales"),
	C(purchases_tracking_categories, "PurchasesTrackingCategories", JSONB, NONE, FULL, WRITABLE, "Default tracking of purchases"),
	C(tracking_category_name, "TrackingCategoryName", TEXT, NONE, FULL, WRITABLE, "Name of the default tracking category"),
	C(tracking_category_option, "TrackingCategoryOption", TEXT, NONE, FULL, WRITABLE, "Name of the default tracking option"),
	C(payment_terms, "PaymentTerms", JSONB, NONE, FULL, WRITABLE, "Default terms of payment for bills and sales"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, ALL, NOT_NULL | ORDER, "Time of the last change"),
	C(contact_groups, "ContactGroups", JSONB, NONE, FULL, 0, "Groups the contact is in"),
	C(website, "Website", TEXT, NONE, FULL, 0, "Web address"),
	C(branding_theme_id, "BrandingTheme.BrandingThemeID", UUID, NONE, FULL, 0, "Default branding theme"),
	C(branding_theme_name, "BrandingTheme.Name", TEXT, NONE, FULL, 0, "Name of the default branding theme"),
	C(batch_payments, "BatchPayments", JSONB, NONE, FULL, WRITABLE, "Bank details for batch payments"),
	C(batch_payments_bank_account_name, "BatchPayments.BankAccountName", TEXT, NONE, FULL, 0, "Name of the bank account for batch payments"),
	C(batch_payments_bank_account_number, "BatchPayments.BankAccountNumber", TEXT, NONE, FULL, 0, "Number of the bank account for batch payments"),
	C(batch_payments_code, "BatchPayments.Code", TEXT, NONE, FULL, 0, "Code for the bank (New Zealand)"),
	C(batch_payments_details, "BatchPayments.Details", TEXT, NONE, FULL, 0, "Details for the bank"),
	C(discount, "Discount", NUMERIC, NONE, FULL, 0, "Default discount, in percent"),
	C(balances, "Balances", JSONB, NONE, FULL, 0, "Outstanding and overdue sums of sales and bills"),
	C(balances_accounts_receivable_outstanding, "Balances.AccountsReceivable.Outstanding", NUMERIC, NONE, FULL, 0, "Sum of sales that is not paid"),
	C(balances_accounts_receivable_overdue, "Balances.AccountsReceivable.Overdue", NUMERIC, NONE, FULL, 0, "Sum of sales that is overdue"),
	C(balances_accounts_payable_outstanding, "Balances.AccountsPayable.Outstanding", NUMERIC, NONE, FULL, 0, "Sum of bills that is not paid"),
	C(balances_accounts_payable_overdue, "Balances.AccountsPayable.Overdue", NUMERIC, NONE, FULL, 0, "Sum of bills that is overdue"),
	C(attachments, "Attachments", JSONB, NONE, SINGLE, 0, "The attached files, without their content; one call per record that has any", .detail_if = "HasAttachments"),
	C(has_attachments, "HasAttachments", BOOLEAN, NONE, FULL, 0, "Whether files are attached"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
	C(has_validation_errors, "HasValidationErrors", BOOLEAN, NONE, FULL, 0, "Whether the answer to a write carries validation messages"),
	C(status_attribute_string, "StatusAttributeString", TEXT, NONE, FULL, 0, "OK, WARNING or ERROR in the answer to a write"),
};

#define CONTACTS_LIST \
	.wrapper = "Contacts", .order = "ContactID", \
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100, \
	.has_where = true, .has_modified_since = true, .has_summary = true, \
	PARAMS({"IDs", XERO_PARAM_LIST, "contact_id", true}, {"includeArchived", XERO_PARAM_ARCHIVED, NULL, true})

const XeroObject xero_object_contacts = {
	.api = &xero_api_accounting, .name = "Contacts", .table_name = "contacts",
	.comment = "Customers and suppliers",
	.key = "contact_id",
	COLUMNS(contacts_columns),
	CONTACTS_LIST,
	.typical_rows = 2000,
	SCOPE("accounting.contacts"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50,
		.labels = {"name"}, .unique = "contact_number",
		.merged = "Addresses|Phones",
		.status = "contact_status", ENDINGS({"ACTIVE", "ARCHIVED"}),
		.ending_hint = "DELETE archives a contact that is ACTIVE."),
};

#define CONTACT_MEMBERS \
	P(contact_name, "Name", TEXT, OPTIMISED, "Name of the contact"), \
	P(contact_status, "ContactStatus", TEXT, LEGAL, "Status of the contact"), \
	P(contact_updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, "Time of the last change of the contact")

/* contact_addresses */

static const XeroColumn contact_addresses_columns[] = {
	C(contact_id, "ContactID", UUID, LEGAL, FULL, PARENT | KEY, "Contact the address belongs to"),
	C(address_type, "AddressType", TEXT, NONE, FULL, ENUM, "POBOX, STREET or DELIVERY"),
	C(address_line1, "AddressLine1", TEXT, NONE, FULL, 0, "First line"),
	C(address_line2, "AddressLine2", TEXT, NONE, FULL, 0, "Second line"),
	C(address_line3, "AddressLine3", TEXT, NONE, FULL, 0, "Third line"),
	C(address_line4, "AddressLine4", TEXT, NONE, FULL, 0, "Fourth line"),
	C(city, "City", TEXT, NONE, FULL, 0, "City"),
	C(region, "Region", TEXT, NONE, FULL, 0, "State, county or region"),
	C(postal_code, "PostalCode", TEXT, NONE, FULL, 0, "Postal code"),
	C(country, "Country", TEXT, NONE, FULL, 0, "Country"),
	C(attention_to, "AttentionTo", TEXT, NONE, FULL, 0, "Person to address"),
	CONTACT_MEMBERS,
};

const XeroObject xero_object_contact_addresses = {
	.api = &xero_api_accounting, .name = "Contacts/Addresses", .table_name = "contact_addresses",
	.parent = &xero_object_contacts, .array = "Addresses",
	.comment = "Addresses of contacts",
	COLUMNS(contact_addresses_columns),
	CONTACTS_LIST,
	.typical_rows = 2000,
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* contact_phones */

static const XeroColumn contact_phones_columns[] = {
	C(contact_id, "ContactID", UUID, LEGAL, FULL, PARENT | KEY, "Contact the phone belongs to"),
	C(phone_type, "PhoneType", TEXT, NONE, FULL, ENUM, "DEFAULT, DDI, MOBILE, FAX or OFFICE"),
	C(phone_number, "PhoneNumber", TEXT, NONE, FULL, 0, "Number without country and area code"),
	C(phone_area_code, "PhoneAreaCode", TEXT, NONE, FULL, 0, "Area code"),
	C(phone_country_code, "PhoneCountryCode", TEXT, NONE, FULL, 0, "Country code"),
	CONTACT_MEMBERS,
};

const XeroObject xero_object_contact_phones = {
	.api = &xero_api_accounting, .name = "Contacts/Phones", .table_name = "contact_phones",
	.parent = &xero_object_contacts, .array = "Phones",
	.comment = "Phone numbers of contacts",
	COLUMNS(contact_phones_columns),
	CONTACTS_LIST,
	.typical_rows = 2000,
	.operations = XERO_OP_LIST | XERO_OP_GET,
};

/* contact_contact_persons */

static const XeroColumn contact_contact_persons_columns[] = {
	C(contact_id, "ContactID", UUID, LEGAL, FULL, PARENT_KEY, "Contact the person belongs to"),
	C(first_name, "FirstName", TEXT, NONE, FULL, WRITABLE, "First name", .max_length = 255),
	C(last_name, "LastName", TEXT, NONE, FULL, WRITABLE, "Last name", .max_length = 255),
	C(email_address, "EmailAddress", TEXT, NONE, FULL, WRITABLE, "E-mail address", .max_length = 255),
	C(include_in_emails, "IncludeInEmails", BOOLEAN, NONE, FULL, WRITABLE, "Whether the person gets invoices by mail"),
	CONTACT_MEMBERS,
};

const XeroObject xero_object_contact_contact_persons = {
	.api = &xero_api_accounting, .name = "Contacts/ContactPersons", .table_name = "contact_contact_persons",
	.parent = &xero_object_contacts, .array = "ContactPersons",
	.comment = "Further persons of contacts",
	COLUMNS(contact_contact_persons_columns),
	CONTACTS_LIST,
	.typical_rows = 2000,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_DELETE,
	.max_batch = 500,
	WRITES(
		.place = XERO_PLACE_INSIDE,
		.labels = {"first_name", "last_name"},
		BY_METHOD),
};

/* contact_attachments */

ATTACHMENTS(contact_attachments, contacts, "Contacts", contact_id, "ContactID", LEGAL, "contacts", CONTACTS_LIST, CONTACT_MEMBERS);

/* contact_groups */

static const XeroColumn contact_groups_columns[] = {
	C(contact_group_id, "ContactGroupID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the contact group"),
	C(name, "Name", TEXT, LEGAL, FULL, NOT_NULL | REQUIRED, "Name of the group"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "ACTIVE or DELETED", .words = "ACTIVE|DELETED"),
	C(contacts, "Contacts", JSONB, NONE, SINGLE, 0, "Id and name of the members; one call per group"),
};

#define CONTACT_GROUPS_LIST \
	.wrapper = "ContactGroups", \
	.paging = XERO_PAGING_NONE, \
	.has_where = true, .hides_records = true /* deleted groups */

const XeroObject xero_object_contact_groups = {
	.api = &xero_api_accounting, .name = "ContactGroups", .table_name = "contact_groups",
	.comment = "Groups of contacts",
	.key = "contact_group_id",
	COLUMNS(contact_groups_columns),
	CONTACT_GROUPS_LIST,
	.typical_rows = 10,
	SCOPE("accounting.contacts"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 1,
	WRITES(
		.create = "PUT", .update = "POST",
		.labels = {"name"},
		.status = "status", ENDINGS({"ACTIVE", "DELETED"}),
		.ending_hint = "DELETE makes an ACTIVE group DELETED."),
};

#define CONTACT_GROUP_MEMBERS \
	P(contact_group_status, "Status", TEXT, LEGAL, "Status of the group")

/* contact_group_contacts */

static const XeroColumn contact_group_contacts_columns[] = {
	C(contact_group_id, "ContactGroupID", UUID, LEGAL, FULL, PARENT_KEY, "Group"),
	C(contact_id, "ContactID", UUID, NONE, FULL, REQUIRED, "Contact that is in the group"),
	C(name, "Name", TEXT, NONE, FULL, 0, "Name of the contact"),
	CONTACT_GROUP_MEMBERS,
};

const XeroObject xero_object_contact_group_contacts = {
	.api = &xero_api_accounting, .name = "ContactGroups/Contacts", .table_name = "contact_group_contacts",
	.parent = &xero_object_contact_groups, .array = "Contacts",
	.comment = "Who is in which group; one call per group",
	.key = "contact_id",
	COLUMNS(contact_group_contacts_columns),
	CONTACT_GROUPS_LIST,
	.typical_rows = 200,
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_DELETE,
	.max_batch = 50,
	WRITES(
		.place = XERO_PLACE_BELOW, .create = "PUT", .repeatable = true,
		.labels = {"contact_id"},
		BY_METHOD),
};
