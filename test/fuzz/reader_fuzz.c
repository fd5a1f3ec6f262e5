/*-------------------------------------------------------------------------
 *
 * reader_fuzz.c
 *	  Any body as a page of JSON.
 *
 * Input: encoding, kind of page, body.
 *
 * Link: src/json/reader.c src/json/skip.c src/json/convert.c
 * Link: src/json/moment.c src/json/rewrite.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "catalog/pg_type_d.h"
#include "json/reader.h"
#include "json/rewrite.h"
#include "utils/builtins.h"

static const XeroField fields[] = {
	{"InvoiceID", false, UUIDOID, -1, "invoice_id"},
	{"InvoiceNumber", false, TEXTOID, -1, "number"},
	{"Total", false, NUMERICOID, -1, "total"},
	{"SentToContact", false, BOOLOID, -1, "sent"},
	{"Count", false, INT4OID, -1, "count"},
	{"Date", false, DATEOID, -1, "date"},
	{"UpdatedDateUTC", false, TIMESTAMPTZOID, -1, "updated"},
	{"Contact.Name", false, TEXTOID, -1, "name"},
	{"Contact.Group.Name", false, TEXTOID, -1, "group"},
	{"Contact", false, JSONBOID, -1, "contact"},
	{"LineItems", false, CSTRINGOID, -1, "line_items"},
};

static const XeroField line_fields[] = {
	{"LineItemID", false, UUIDOID, -1, "line_item_id"},
	{"Item.Code", false, TEXTOID, -1, "item"},
	{"InvoiceID", true, TEXTOID, -1, "invoice_id"},
	{"Contact.Name", true, TEXTOID, -1, "name"},
};

typedef struct Kind
{
	const char *wrapper;
	const char *array;
	const XeroField *fields;
	int			nfields;
} Kind;

static const Kind kinds[] = {
	{"Invoices", NULL, fields, lengthof(fields)},
	{"Invoices", "LineItems", line_fields, lengthof(line_fields)},
	{NULL, NULL, fields, lengthof(fields)},
};

typedef struct Page
{
	Kind		kind;
	char	   *body;
	size_t		len;
	int64		rows;
	int64		records;
	XeroPageInfo info;
} Page;

static void
read_page(void *arg)
{
	Page	   *page = arg;
	const Kind *kind = &page->kind;
	XeroReader *reader;
	Datum		values[lengthof(fields)];
	bool		nulls[lengthof(fields)];

	page->rows = 0;
	reader = xero_reader_create(CurrentMemoryContext, "t", kind->wrapper,
								kind->array, kind->fields, kind->nfields,
								kind->nfields > 0 ? 0 : -1);
	xero_reader_open(reader, page->body, page->len, "HTTP status 200");
	while (xero_reader_next(reader, values, nulls))
	{
		page->rows++;
		for (int i = 0; i < kind->nfields; i++)
		{
			char	   *string;

			if (nulls[i] || kind->fields[i].type != TEXTOID)
				continue;
			string = TextDatumGetCString(values[i]);
			fuzz_must(fuzz_is_text(string, strlen(string)));
		}
	}
	fuzz_must(!xero_reader_next(reader, values, nulls));
	page->records = xero_reader_records(reader);
	page->info = *xero_reader_info(reader);
}

void
fuzz_one(FuzzInput *in)
{
	Page		page;
	Page		bare;
	Page		replaced;
	int			code;
	int			bare_code;

	fuzz_pick_encoding(in);
	page.kind = kinds[fuzz_pick(in, lengthof(kinds))];
	page.body = fuzz_rest(in, &page.len);
	code = fuzz_run(read_page, &page);
	fuzz_must(code == 0 || code == ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION ||
			  ERRCODE_TO_CATEGORY(code) == ERRCODE_DATA_EXCEPTION);

	/* with replacements the page is the same, and some texts are not refused */
	replaced = page;
	xero_on_bad_text = XERO_BAD_TEXT_REPLACE;
	fuzz_must(fuzz_run(read_page, &replaced) == 0 || code != 0);
	xero_on_bad_text = XERO_BAD_TEXT_ERROR;
	fuzz_must(code != 0 || (replaced.rows == page.rows &&
							replaced.records == page.records));

	/* without columns the page is the same, but for what they refuse */
	bare = page;
	bare.kind.nfields = 0;
	bare_code = fuzz_run(read_page, &bare);
	fuzz_must(bare_code == 0 ||
			  bare_code == ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION);
	fuzz_must(code != 0 || (bare_code == 0 && bare.rows == page.rows &&
							bare.records == page.records &&
							memcmp(&bare.info, &page.info,
								   sizeof(XeroPageInfo)) == 0));
}
