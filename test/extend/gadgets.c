/*-------------------------------------------------------------------------
 *
 * gadgets.c
 *	  An object that Xero does not have, for test/extend/run.
 *
 * A whole section: every kind of thing that one can say of an object.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"

/* INDENT OFF */

/* gadgets */

static const XeroColumn gadgets_columns[] = {
	C(gadget_id, "GadgetID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the gadget"),
	C(name, "Name", TEXT, OPTIMISED, FULL, NOT_NULL | REQUIRED, "Name of the gadget", .max_length = 20),
	C(colour, "Colour", TEXT, LEGAL, FULL, ENUM | WRITABLE, "RED or BLUE", .words = "RED|BLUE"),
	C(price, "Price", NUMERIC, LEGAL, FULL, ORDER | WRITABLE, "Price"),
	C(made_on, "Maker.MadeOn", DATE, NONE, FULL, WRITABLE, "Day it was made"),
	C(status, "Status", TEXT, LEGAL, FULL, NOT_NULL | ENUM | WRITABLE, "ACTIVE or DELETED", .words = "ACTIVE|DELETED"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
};

const XeroObject xero_object_gadgets = {
	.api = &xero_api_accounting, .name = "Gadgets", .table_name = "gadgets",
	.comment = "Things that nobody needs",
	.key = "gadget_id",
	COLUMNS(gadgets_columns),
	.wrapper = "Gadgets", .order = "GadgetID",
	.paging = XERO_PAGING_PAGE, .max_page_size = 1000, .default_page_size = 100,
	.has_where = true, .has_modified_since = true,
	PARAMS({"Statuses", XERO_PARAM_LIST, "status", true}),
	.typical_rows = 50,
	SCOPE("accounting.gadgets"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE | XERO_OP_VOID,
	.max_batch = 50,
	WRITES(
		.create = "PUT", .update = "POST", .statuses = true, .update_batch = 50,
		.labels = {"name"},
		.status = "status", ENDINGS({"ACTIVE", "DELETED"}),
		.ending_hint = "A gadget that is DELETED stays so."),
};
