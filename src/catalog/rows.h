/*-------------------------------------------------------------------------
 *
 * rows.h
 *	  For the data files of the catalogue only: the short names that make a
 *	  column a line and an object a section.
 *
 * Adding a column is adding its line to the columns of its object.  Adding an
 * object is adding its section to a data file (or a new file: all files of
 * this folder are compiled), and its name to XERO_OBJECTS in objects.h.  A
 * section is
 *
 *	  the columns, NAME_columns;
 *	  the object, xero_object_NAME: what it is called, how it is listed
 *	  (paging, filters, parameters), the scopes it needs, how it is written.
 *
 * What is inside of a record (a child table) is listed as the record is, so an
 * object with child tables has the members that say so in a macro NAME_LIST.
 * What lists lack (LEVELS_SINGLE) has a table of details, too: an object of the
 * same path with .details, or a child table.  No other is imported with it.
 * The data files keep their long lines: INDENT OFF leaves them alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ROWS_H
#define XERO_ROWS_H

#include "compat.h"

#include "catalog/catalog.h"
#include "catalog/objects.h"
#include "catalog/writes.h"

/*
 * C(SQL name, "Xero's field", type, filter, levels, flags, "comment"), and
 * further members of XeroColumn by their names:
 *	  type		of XeroType, without its prefix
 *	  filter	of XeroFiltering, without its prefix
 *	  levels	levels of detail that carry it, one of LEVELS_*
 *	  flags		the short names below, joined by |, or 0
 */
#define C(name, field, type, filter, levels, ...) \
	{#name, field, XERO_##type, XERO_FILTER_##filter, LEVELS_##levels, __VA_ARGS__}

#define LEVELS_ALL (XERO_LEVEL_SUMMARY | XERO_LEVEL_LIST | XERO_LEVEL_SINGLE)
#define LEVELS_FULL (XERO_LEVEL_LIST | XERO_LEVEL_SINGLE)
#define LEVELS_LIST XERO_LEVEL_LIST
#define LEVELS_SINGLE XERO_LEVEL_SINGLE

#define NOT_NULL XERO_COL_NOT_NULL
#define ENUM XERO_COL_ENUM
#define ORDER XERO_COL_ORDER
#define PARENT XERO_COL_PARENT
#define WRITABLE XERO_COL_WRITABLE
#define STAYS XERO_COL_STAYS
#define REQUIRED (XERO_COL_WRITABLE | XERO_COL_REQUIRED)
#define KEY (NOT_NULL | ORDER)

/* The parent's key in a child table that can be written */
#define PARENT_KEY (KEY | PARENT | REQUIRED)

/*
 * The columns that a child table ends with: members of the parent's record, by
 * which Xero filters as it does in the parent's own table.  A macro NAME_MEMBERS
 * beside the parent has them all.
 */
#define P(name, field, type, filter, comment) \
	C(name, field, type, filter, FULL, PARENT, comment)

/* Members of XeroObject; what takes a list, takes its rows in braces. */
#define COLUMNS(array) .columns = (array), .ncolumns = lengthof(array)
#define PARAMS(...) \
	.params = (const XeroParam[]) {__VA_ARGS__}, \
	.nparams = lengthof(((const XeroParam[]) {__VA_ARGS__}))
#define SCOPE(name) .read_scope = name ".read", .write_scope = name
#define WRITES(...) .writes = &(const XeroWriteRules) {__VA_ARGS__}

/* Members of XeroWriteRules */
#define ENDINGS(...) \
	.endings = (const XeroEnding[]) {__VA_ARGS__}, \
	.nendings = lengthof(((const XeroEnding[]) {__VA_ARGS__}))
#define BY_METHOD ENDINGS({NULL, NULL})
#define FOLLOWS(...) \
	.follows = (const XeroFollow[]) {__VA_ARGS__}, \
	.nfollows = lengthof(((const XeroFollow[]) {__VA_ARGS__}))
#define UNSENT(...) \
	.unsent = (const XeroFollow[]) {__VA_ARGS__}, \
	.nunsent = lengthof(((const XeroFollow[]) {__VA_ARGS__}))

/*
 * What several objects have in common
 */
#define LINE_AMOUNT_TYPES "Exclusive|Inclusive|NoTax"

/*
 * The element of every LineItems array, after the parent's key.  Lists show
 * which account and item a line has by identifiers, too, but not those of
 * purchase orders.
 */
#define LINE_ITEM_COLUMNS LINE_ITEM_ROWS("Account", LINE_ITEM_ITEM)
#define LINE_ITEM_ITEM \
	C(item_id, "Item.ItemID", UUID, NONE, FULL, 0, "Item"), \
	C(item_name, "Item.Name", TEXT, NONE, FULL, 0, "Name of the item"),
#define LINE_ITEM_ROWS(account, item) \
	C(line_item_id, "LineItemID", UUID, NONE, FULL, 0, "Xero's identifier of the line"), \
	C(description, "Description", TEXT, NONE, FULL, WRITABLE, "Text of the line"), \
	C(quantity, "Quantity", NUMERIC, NONE, FULL, WRITABLE, "Quantity"), \
	C(unit_amount, "UnitAmount", NUMERIC, NONE, FULL, WRITABLE, "Price of one unit"), \
	C(item_code, "ItemCode", TEXT, NONE, FULL, WRITABLE, "Code of the item"), \
	C(account_code, "AccountCode", TEXT, NONE, FULL, WRITABLE, "Code of the account"), \
	C(account_id, "AccountID", UUID, NONE, FULL, WRITABLE, account), \
	C(tax_type, "TaxType", TEXT, NONE, FULL, WRITABLE, "Code of the tax rate"), \
	C(tax_amount, "TaxAmount", NUMERIC, NONE, FULL, WRITABLE, "Tax on the line"), \
	item \
	C(line_amount, "LineAmount", NUMERIC, NONE, FULL, WRITABLE, "Amount of the line, discount deducted"), \
	C(tracking, "Tracking", JSONB, NONE, FULL, WRITABLE, "Up to two tracking categories with their options"), \
	C(discount_rate, "DiscountRate", NUMERIC, NONE, FULL, WRITABLE, "Discount, in percent"), \
	C(discount_amount, "DiscountAmount", NUMERIC, NONE, FULL, WRITABLE, "Discount, as an amount"), \
	C(repeating_invoice_id, "RepeatingInvoiceID", UUID, NONE, FULL, 0, "Template the line was made from"), \
	C(taxability, "Taxability", TEXT, NONE, FULL, ENUM, "How automatic sales tax treats the line (US)"), \
	C(sales_tax_code_id, "SalesTaxCodeId", NUMERIC, NONE, FULL, 0, "Sales tax code (US)"), \
	C(tax_breakdown, "TaxBreakdown", JSONB, NONE, FULL, 0, "The tax by component (US)"), \
	C(discount_entered_as_percent, "DiscountEnteredAsPercent", BOOLEAN, NONE, FULL, 0, "Whether the discount was entered in percent")

/* What can change the sum of a document. */
#define TOTAL_FOLLOWS {"status|line_items|line_amount_types", "total"}

/*
 * The price of one unit and the number of units give the rest.  Of a line with
 * a discount, Xero refuses amounts that it has rounded itself: a discount of
 * 27.83 on 27.8260, and a LineAmount of 0.00.
 */
#define LINE_ITEM_WRITES \
	WRITES( \
		.place = XERO_PLACE_INSIDE, \
		.labels = {"description"}, \
		BY_METHOD, \
		FOLLOWS( \
			{"quantity|unit_amount|discount_rate|discount_amount|tax_type", "line_amount"}, \
			{"quantity|unit_amount|discount_rate|discount_amount|tax_type|line_amount", "tax_amount"}, \
			{"quantity|unit_amount", "discount_amount", "discount_rate"}, \
			{"discount_rate", "discount_amount"}, \
			{"discount_amount", "discount_rate"}, \
			{"account_code", "account_id"}, \
			{"account_id", "account_code"}), \
		UNSENT( \
			{"discount_rate", "discount_amount"}, \
			{"discount_rate|discount_amount", "line_amount"}))

/*
 * A table of the files attached to records.  Lists do not tell of them, only
 * whether a record has any.
 */
#define ATTACHMENT_COLUMNS(key_, field_, filter_) \
	C(key_, field_, UUID, filter_, FULL, PARENT | KEY, "Record that the file is attached to"), \
	C(attachment_id, "AttachmentID", UUID, NONE, FULL, 0, "Xero's identifier of the attachment"), \
	C(file_name, "FileName", TEXT, NONE, FULL, 0, "Name of the file"), \
	C(url, "Url", TEXT, NONE, FULL, 0, "Where the API has its content"), \
	C(mime_type, "MimeType", TEXT, NONE, FULL, 0, "Type of its content"), \
	C(content_length, "ContentLength", INTEGER, NONE, FULL, 0, "Length of its content, in bytes"), \
	C(include_online, "IncludeOnline", BOOLEAN, NONE, FULL, 0, "Whether the online document has it")

#define ATTACHMENTS(name_, parent_, path_, key_, field_, filter_, comment_, list_, members_) \
	static const XeroColumn name_##_columns[] = { \
		ATTACHMENT_COLUMNS(key_, field_, filter_), \
		members_ \
	}; \
	const XeroObject xero_object_##name_ = { \
		.api = &xero_api_accounting, .name = path_ "/Attachments", .table_name = #name_, \
		.parent = &xero_object_##parent_, .array = "Attachments", \
		.comment = "Files attached to " comment_ "; one call for each that has any", \
		.key = "attachment_id", \
		COLUMNS(name_##_columns), \
		list_, \
		.typical_rows = 50, \
		.operations = XERO_OP_LIST | XERO_OP_GET, \
	}

#define ALLOCATION_WRITES \
	WRITES( \
		.place = XERO_PLACE_BELOW, .create = "PUT", .statuses = true, \
		.labels = {"invoice_id", "invoice_number"}, \
		.one_of = {"invoice_id|invoice_number"}, \
		BY_METHOD, \
		.ending_hint = "An allocation cannot be changed; DELETE takes it back.")

/* INDENT OFF */

#define DECLARE_API(name, base, country) extern const XeroApi xero_api_##name;
#define DECLARE_OBJECT(name) extern const XeroObject xero_object_##name;

XERO_APIS(DECLARE_API)
XERO_OBJECTS(DECLARE_OBJECT)

/* INDENT ON */

#endif							/* XERO_ROWS_H */
