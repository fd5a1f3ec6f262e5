/*-------------------------------------------------------------------------
 *
 * writes.c
 *	  How Xero lets its objects be written, as data, and the look-ups.
 *
 * The sources are Xero's specification (methods, lengths, enumerations) and
 * its documentation (batches, status changes).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"
#include "catalog/writes.h"

#define ENDINGS(list) .endings = (list), .nendings = lengthof(list)

static const XeroEnding by_method[] = {{NULL, NULL}};

static const XeroEnding by_status[] = {
	{"DRAFT", "DELETED"}, {"SUBMITTED", "DELETED"}, {"AUTHORISED", "VOIDED"},
};

static const XeroEnding orders[] = {
	{"DRAFT", "DELETED"}, {"SUBMITTED", "DELETED"}, {"AUTHORISED", "DELETED"},
	{"BILLED", "DELETED"},
};

static const XeroEnding quotes[] = {
	{"DRAFT", "DELETED"}, {"SENT", "DELETED"}, {"ACCEPTED", "DELETED"},
	{"DECLINED", "DELETED"}, {"INVOICED", "DELETED"},
};

static const XeroEnding journals[] = {
	{"DRAFT", "DELETED"}, {"POSTED", "VOIDED"},
};

static const XeroEnding claims[] = {
	{"SUBMITTED", "DELETED"}, {"AUTHORISED", "VOIDED"},
};

static const XeroEnding receipts[] = {
	{"DRAFT", "VOIDED"}, {"SUBMITTED", "VOIDED"}, {"DECLINED", "VOIDED"},
	{"AUTHORISED", "VOIDED"},
};

static const XeroEnding authorised[] = {{"AUTHORISED", "DELETED"}};

static const XeroEnding drafts[] = {
	{"DRAFT", "DELETED"}, {"AUTHORISED", "DELETED"},
};

static const XeroEnding active[] = {{"ACTIVE", "DELETED"}};

static const XeroEnding rates[] = {
	{"ACTIVE", "DELETED"}, {"ARCHIVED", "DELETED"},
};

static const XeroEnding contacts[] = {{"ACTIVE", "ARCHIVED"}};

/* The price of one unit and its number give the rest. */
static const XeroFollow line_items[] = {
	{"quantity|unit_amount|discount_rate|discount_amount|tax_type", "line_amount"},
	{"quantity|unit_amount|discount_rate|discount_amount|tax_type|line_amount", "tax_amount"},
	{"quantity|unit_amount", "discount_amount", "discount_rate"},
	{"discount_rate", "discount_amount"},
	{"discount_amount", "discount_rate"},
	{"account_code", "account_id"},
	{"account_id", "account_code"},
};

static const XeroFollow journal_lines[] = {
	{"line_amount|tax_type", "tax_amount"},
	{"account_code", "account_id"},
	{"account_id", "account_code"},
};

#define LINE_ITEMS(name) \
	{ \
		.object = &(name), \
		.place = XERO_PLACE_INSIDE, \
		.labels = {"description"}, \
		ENDINGS(by_method), \
		.follows = line_items,.nfollows = lengthof(line_items), \
	}

#define ALLOCATIONS(name) \
	{ \
		.object = &(name), \
		.place = XERO_PLACE_BELOW, \
		.create = "PUT",.statuses = true, \
		.labels = {"invoice_id", "invoice_number"}, \
		.one_of = {"invoice_id|invoice_number"}, \
		ENDINGS(by_method), \
		.ending_hint = "An allocation cannot be changed; DELETE takes it back.", \
	}

static const XeroWriteRules rules[] = {
	{
		.object = &xero_object_contacts,
		.create = "PUT",.update = "POST",
		.statuses = true,.update_batch = 50,
		.labels = {"name"},
		.status = "contact_status", ENDINGS(contacts),
		.ending_hint = "DELETE archives a contact that is ACTIVE.",
	},
	{
		.object = &xero_object_invoices,
		.create = "PUT",.update = "POST",
		.statuses = true,.update_batch = 50,
		.labels = {"invoice_number", "reference"},
		.status = "status", ENDINGS(by_status),
		.ending_hint = "DELETE makes a DRAFT or SUBMITTED invoice DELETED, and an AUTHORISED one VOIDED; of a PAID one, delete the payments first.",
	},
	{
		.object = &xero_object_credit_notes,
		.create = "PUT",.update = "POST",
		.statuses = true,.update_batch = 50,
		.labels = {"credit_note_number", "reference"},
		.status = "status", ENDINGS(by_status),
		.ending_hint = "DELETE makes a DRAFT or SUBMITTED credit note DELETED, and an AUTHORISED one VOIDED.",
	},
	{
		.object = &xero_object_payments,
		.create = "PUT",.update = "POST",.statuses = true,
		.labels = {"reference", "invoice_number"},
		.one_of = {"invoice_id|invoice_number|credit_note_id|credit_note_number|prepayment_id|overpayment_id|payment_invoice_number|payment_credit_note_number",
		"account_id|account_code|code"},
		.status = "status", ENDINGS(authorised),
		.ending_hint = "A payment cannot be changed; DELETE makes an AUTHORISED one DELETED, unless it is part of a batch payment.",
	},
	{
		.object = &xero_object_batch_payments,
		.create = "PUT",.update = "POST",.statuses = true,
		.labels = {"reference"},
		.one_of = {"account_id|account_code"},
		.status = "status", ENDINGS(authorised),
		.ending_hint = "A batch payment cannot be changed; DELETE makes an AUTHORISED one DELETED, with its payments.",
	},
	{
		.object = &xero_object_bank_transactions,
		.create = "PUT",.update = "POST",
		.statuses = true,.update_batch = 50,
		.labels = {"reference"},
		.one_of = {"bank_account_id|bank_account_code"},
		.status = "status", ENDINGS(authorised),
		.ending_hint = "DELETE makes an AUTHORISED transaction DELETED, unless it is reconciled.",
	},
	{
		.object = &xero_object_bank_transfers,
		.create = "PUT",.update = "POST",
		.labels = {"reference"},
		.one_of = {"from_bank_account_id|from_bank_account_code",
		"to_bank_account_id|to_bank_account_code"},
		.status = "status", ENDINGS(authorised),
		.ending_hint = "A transfer cannot be changed; DELETE makes an AUTHORISED one DELETED.",
	},
	{
		.object = &xero_object_accounts,
		.create = "PUT",.update = "POST",
		.labels = {"code", "name"},
		.one_of = {"code|bank_account_number"},
		ENDINGS(by_method),
		.ending_hint = "An account that is in use can be archived: UPDATE ... SET status = 'ARCHIVED'.",
	},
	{
		.object = &xero_object_items,
		.create = "PUT",.update = "POST",
		.statuses = true,.update_batch = 50,
		.labels = {"code"},
		ENDINGS(by_method),
		.ending_hint = "An item that transactions use cannot be deleted.",
	},
	{
		.object = &xero_object_manual_journals,
		.create = "PUT",.update = "POST",
		.statuses = true,.update_batch = 50,
		.labels = {"narration"},
		.status = "status", ENDINGS(journals),
		.ending_hint = "DELETE makes a DRAFT journal DELETED, and a POSTED one VOIDED.",
	},
	{
		.object = &xero_object_purchase_orders,
		.create = "PUT",.update = "POST",
		.statuses = true,.update_batch = 50,
		.labels = {"purchase_order_number", "reference"},
		.status = "status", ENDINGS(orders),
		.ending_hint = "DELETE makes an order DELETED, unless it is that already.",
	},
	{
		.object = &xero_object_quotes,
		.create = "PUT",.update = "POST",
		.statuses = true,.update_batch = 50,
		.labels = {"quote_number", "title"},
		.with_update = {"contact_id", "date"},
		.status = "status", ENDINGS(quotes),
		.ending_hint = "DELETE makes a quote DELETED, unless it is that already.",
	},
	{
		.object = &xero_object_repeating_invoices,
		.create = "PUT",.update = "POST",.statuses = true,
		.labels = {"reference"},
		.status = "status", ENDINGS(drafts),
		.ending_hint = "A repeating invoice cannot be changed; DELETE makes it DELETED.",
	},
	{
		.object = &xero_object_linked_transactions,
		.create = "PUT",.update = "POST",
		.labels = {"source_line_item_id"},
		ENDINGS(by_method),
	},
	{
		.object = &xero_object_contact_groups,
		.create = "PUT",.update = "POST",
		.labels = {"name"},
		.status = "status", ENDINGS(active),
		.ending_hint = "DELETE makes an ACTIVE group DELETED.",
	},
	{
		.object = &xero_object_tracking_categories,
		.create = "PUT",.update = "POST",
		.labels = {"name"},
		ENDINGS(by_method),
		.ending_hint = "A category that is in use can be archived: UPDATE ... SET status = 'ARCHIVED'.",
	},
	{
		.object = &xero_object_tax_rates,
		.create = "PUT",.update = "POST",.by_body = true,
		.labels = {"name"},
		.status = "status", ENDINGS(rates),
		.ending_hint = "DELETE makes a tax rate DELETED, unless it is that already.",
	},
	{
		.object = &xero_object_currencies,
		.create = "PUT",
		.labels = {"code"},
	},
	{
		.object = &xero_object_payment_services,
		.create = "PUT",
		.labels = {"payment_service_name"},
	},
	{
		.object = &xero_object_expense_claims,
		.create = "PUT",.update = "POST",
		.status = "status", ENDINGS(claims),
		.ending_hint = "DELETE makes a SUBMITTED claim DELETED, and an AUTHORISED one VOIDED.",
	},
	{
		.object = &xero_object_receipts,
		.create = "PUT",.update = "POST",
		.labels = {"reference"},
		.status = "status", ENDINGS(receipts),
		.ending_hint = "DELETE makes a receipt VOIDED, unless it is that already.",
	},
	LINE_ITEMS(xero_object_bank_transaction_line_items),
	LINE_ITEMS(xero_object_credit_note_line_items),
	LINE_ITEMS(xero_object_invoice_line_items),
	LINE_ITEMS(xero_object_purchase_order_line_items),
	LINE_ITEMS(xero_object_quote_line_items),
	{
		.object = &xero_object_manual_journal_journal_lines,
		.place = XERO_PLACE_INSIDE,
		.labels = {"account_code", "account_id", "description"},
		.one_of = {"account_code|account_id"},
		ENDINGS(by_method),
		.follows = journal_lines,.nfollows = lengthof(journal_lines),
	},
	{
		.object = &xero_object_contact_contact_persons,
		.place = XERO_PLACE_INSIDE,
		.labels = {"first_name", "last_name"},
		ENDINGS(by_method),
	},
	ALLOCATIONS(xero_object_credit_note_allocations),
	ALLOCATIONS(xero_object_overpayment_allocations),
	ALLOCATIONS(xero_object_prepayment_allocations),
	{
		.object = &xero_object_tracking_category_options,
		.place = XERO_PLACE_BELOW,
		.create = "PUT",.update = "POST",.envelope = XERO_ENVELOPE_BARE,
		.labels = {"name"},
		ENDINGS(by_method),
		.ending_hint = "An option that is in use can be archived: UPDATE ... SET status = 'ARCHIVED'.",
	},
	{
		.object = &xero_object_contact_group_contacts,
		.place = XERO_PLACE_BELOW,
		.create = "PUT",.repeatable = true,
		.labels = {"contact_id"},
		ENDINGS(by_method),
	},
	{
		.object = &xero_object_invoice_payments,
		.ending_hint = "Payments are inserted into, and deleted from, the table of payments.",
	},
	{
		.object = &xero_object_payroll_au_employees,
		.create = "POST",.update = "POST",.envelope = XERO_ENVELOPE_ARRAY,
		.labels = {"first_name", "last_name"},
	},
	/* PUT replaces the whole record, so all of it goes along */
	{
		.object = &xero_object_payroll_uk_employees,
		.create = "POST",.update = "PUT",.envelope = XERO_ENVELOPE_BARE,
		.labels = {"first_name", "last_name"},
		.with_update = {"title", "first_name", "last_name", "date_of_birth",
			"address", "email", "gender", "phone_number", "start_date",
		"national_insurance_number", "is_off_payroll_worker"},
	},
	{
		.object = &xero_object_payroll_nz_employees,
		.create = "POST",.update = "PUT",.envelope = XERO_ENVELOPE_BARE,
		.labels = {"first_name", "last_name"},
		.with_update = {"title", "first_name", "last_name", "date_of_birth",
			"address", "email", "gender", "phone_number", "start_date",
		"job_title", "engagement_type", "fixed_term_end_date"},
	},
};

#define LINE_AMOUNT_TYPES "Exclusive|Inclusive|NoTax"

static const XeroLimit limits[] = {
	{&xero_object_batch_payments, "reference", 255},
	{&xero_object_batch_payments, "particulars", 12},
	{&xero_object_batch_payments, "code", 12},
	{&xero_object_batch_payments, "narrative", 18},
	{&xero_object_bank_transactions, "type", 0, "RECEIVE|RECEIVE-OVERPAYMENT|RECEIVE-PREPAYMENT|SPEND|SPEND-OVERPAYMENT|SPEND-PREPAYMENT|RECEIVE-TRANSFER|SPEND-TRANSFER"},
	{&xero_object_bank_transactions, "status", 0, "AUTHORISED|DELETED|VOIDED"},
	{&xero_object_bank_transactions, "line_amount_types", 0, LINE_AMOUNT_TYPES},
	{&xero_object_expense_claims, "status", 0, "SUBMITTED|AUTHORISED|PAID|VOIDED|DELETED"},
	{&xero_object_receipts, "status", 0, "DRAFT|SUBMITTED|AUTHORISED|DECLINED|VOIDED"},
	{&xero_object_receipts, "line_amount_types", 0, LINE_AMOUNT_TYPES},
	{&xero_object_contacts, "contact_number", 50},
	{&xero_object_contacts, "account_number", 50},
	{&xero_object_contacts, "contact_status", 0, "ACTIVE|ARCHIVED|GDPRREQUEST"},
	{&xero_object_contacts, "name", 255},
	{&xero_object_contacts, "first_name", 255},
	{&xero_object_contacts, "last_name", 255},
	{&xero_object_contacts, "company_number", 50},
	{&xero_object_contacts, "email_address", 255},
	{&xero_object_contacts, "tax_number", 50},
	{&xero_object_contacts, "sales_default_line_amount_type", 0, "INCLUSIVE|EXCLUSIVE|NONE"},
	{&xero_object_contacts, "purchases_default_line_amount_type", 0, "INCLUSIVE|EXCLUSIVE|NONE"},
	{&xero_object_contact_groups, "status", 0, "ACTIVE|DELETED"},
	{&xero_object_credit_notes, "type", 0, "ACCPAYCREDIT|ACCRECCREDIT"},
	{&xero_object_credit_notes, "status", 0, "DRAFT|SUBMITTED|DELETED|AUTHORISED|PAID|VOIDED"},
	{&xero_object_credit_notes, "line_amount_types", 0, LINE_AMOUNT_TYPES},
	{&xero_object_invoices, "type", 0, "ACCPAY|ACCREC"},
	{&xero_object_invoices, "invoice_number", 255},
	{&xero_object_invoices, "status", 0, "DRAFT|SUBMITTED|DELETED|AUTHORISED|PAID|VOIDED"},
	{&xero_object_invoices, "line_amount_types", 0, LINE_AMOUNT_TYPES},
	{&xero_object_purchase_orders, "status", 0, "DRAFT|SUBMITTED|AUTHORISED|BILLED|DELETED"},
	{&xero_object_purchase_orders, "line_amount_types", 0, LINE_AMOUNT_TYPES},
	{&xero_object_quotes, "quote_number", 255},
	{&xero_object_quotes, "reference", 4000},
	{&xero_object_quotes, "terms", 4000},
	{&xero_object_quotes, "title", 100},
	{&xero_object_quotes, "summary", 3000},
	{&xero_object_quotes, "status", 0, "DRAFT|SENT|DECLINED|ACCEPTED|INVOICED|DELETED"},
	{&xero_object_quotes, "line_amount_types", 0, "EXCLUSIVE|INCLUSIVE|NOTAX"},
	{&xero_object_repeating_invoices, "type", 0, "ACCPAY|ACCREC"},
	{&xero_object_repeating_invoices, "status", 0, "DRAFT|AUTHORISED|DELETED"},
	{&xero_object_repeating_invoices, "line_amount_types", 0, LINE_AMOUNT_TYPES},
	{&xero_object_manual_journals, "status", 0, "DRAFT|POSTED|DELETED|VOIDED|ARCHIVED"},
	{&xero_object_manual_journals, "line_amount_types", 0, LINE_AMOUNT_TYPES},
	{&xero_object_accounts, "code", 10},
	{&xero_object_accounts, "name", 150},
	{&xero_object_accounts, "status", 0, "ACTIVE|ARCHIVED|DELETED"},
	{&xero_object_items, "code", 30},
	{&xero_object_items, "name", 50},
	{&xero_object_items, "description", 4000},
	{&xero_object_items, "purchase_description", 4000},
	{&xero_object_tax_rates, "status", 0, "ACTIVE|DELETED|ARCHIVED|PENDING"},
	{&xero_object_contact_contact_persons, "first_name", 255},
	{&xero_object_contact_contact_persons, "last_name", 255},
	{&xero_object_contact_contact_persons, "email_address", 255},
	{&xero_object_tracking_category_options, "name", 100},
	{&xero_object_tracking_category_options, "status", 0, "ACTIVE|ARCHIVED|DELETED"},
	{&xero_object_tracking_categories, "name", 100},
	{&xero_object_tracking_categories, "status", 0, "ACTIVE|ARCHIVED|DELETED"},
};

const XeroWriteRules *
xero_write_rules(const XeroObject *object)
{
	for (int i = 0; i < lengthof(rules); i++)
	{
		if (rules[i].object == object)
			return &rules[i];
	}
	return NULL;
}

const XeroObject *
xero_written_object(const XeroObject *object)
{
	const XeroWriteRules *found = xero_write_rules(object);

	return found != NULL && found->place == XERO_PLACE_INSIDE ?
		object->parent : object;
}

const char *
xero_write_wrapper(const XeroObject *object)
{
	const XeroWriteRules *found = xero_write_rules(object);

	return found != NULL && found->place == XERO_PLACE_BELOW ?
		object->array : object->wrapper;
}

const XeroLimit *
xero_find_limit(const XeroObject *object, const char *column)
{
	for (int i = 0; i < lengthof(limits); i++)
	{
		if (limits[i].object == object &&
			strcmp(limits[i].column, column) == 0)
			return &limits[i];
	}
	return NULL;
}

bool
xero_is_one_of(const char *words, const char *word)
{
	size_t		len = strlen(word);

	for (;;)
	{
		size_t		n = strcspn(words, "|");

		if (n == len && strncmp(words, word, n) == 0)
			return true;
		if (words[n] == '\0')
			return false;
		words += n + 1;
	}
}

const XeroEnding *
xero_find_ending(const XeroWriteRules *rules, const char *status)
{
	for (int i = 0; i < rules->nendings; i++)
	{
		const XeroEnding *ending = &rules->endings[i];

		if (ending->status == NULL ||
			(status != NULL && strcmp(ending->status, status) == 0))
			return ending;
	}
	return NULL;
}
