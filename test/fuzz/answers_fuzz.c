/*-------------------------------------------------------------------------
 *
 * answers_fuzz.c
 *	  Any body as Xero's answer to a write.
 *
 * Of failure.c and row_error.c only a function each is called; nothing of what
 * the others call is linked.
 *
 * Input: encoding, table, number of elements, status, body.
 *
 * Link: src/fdw/write/answer.c src/fdw/write/row_error.c src/api/report/failure.c
 * Link: src/api/http/small_json.c src/api/http/markup.c src/base/text.c
 * Link: src/api/http/crypto.c src/json/reader.c
 * Link: src/json/skip.c src/json/convert.c src/json/moment.c
 * Link: src/json/rewrite.c src/json/compare.c
 * Link: src/catalog/accounting_banking.c src/catalog/accounting_contacts.c
 * Link: src/catalog/accounting_documents.c src/catalog/accounting_ledger.c
 * Link: src/catalog/accounting_settings.c src/catalog/payroll.c
 * Link: src/catalog/catalog.c src/catalog/writes.c -ljson-c -lcrypto
 * Link: -no-pie -Wl,--unresolved-symbols=ignore-all
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "catalog/catalog.h"
#include "fdw/write/answer.h"

#define KEY "e9b5a3b0-2f4e-4a0c-8b6e-0c8a4c1f5b11"

static const char *const tables[] = {
	"accounting/Contacts", "accounting/Invoices", "payroll_uk/Employees",
	"payroll_au/Employees"
};

typedef struct Exchange
{
	const XeroObject *object;
	XeroResponse response;
	List	   *keys;
	XeroOutcome *outcomes;
} Exchange;

static void
read_answer(void *arg)
{
	Exchange   *exchange = arg;
	XeroAnswer *answer = xero_answer_create(CurrentMemoryContext, "t",
											exchange->object);

	exchange->outcomes = xero_answer_read(answer, &exchange->response,
										  exchange->keys);
}

static void
check_texts(List *texts)
{
	ListCell   *lc;

	foreach(lc, texts)
		fuzz_must(fuzz_is_text(lfirst(lc), strlen(lfirst(lc))));
}

void
fuzz_one(FuzzInput *in)
{
	Exchange	exchange = {0};
	XeroResponse *response = &exchange.response;
	int			code;

	fuzz_pick_encoding(in);
	exchange.object = xero_find_object(tables[fuzz_pick(in, lengthof(tables))]);
	for (int n = fuzz_pick(in, 4); n >= 0; n--)
		exchange.keys = lappend(exchange.keys, n % 2 == 1 ? NULL : KEY);
	response->status = fuzz_pick(in, 2) == 0 ? 200 : 400;
	response->detail = "HTTP status";
	response->body = fuzz_rest(in, &response->len);
	code = fuzz_run(read_answer, &exchange);
	fuzz_must(code == 0 || code == ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION ||
			  ERRCODE_TO_CATEGORY(code) == ERRCODE_DATA_EXCEPTION);
	if (code != 0)
		return;
	for (int i = 0; i < list_length(exchange.keys); i++)
	{
		const XeroOutcome *outcome = &exchange.outcomes[i];

		if (outcome->stored)
			fuzz_must(response->status == 200 && outcome->key[0] != '\0' &&
					  outcome->messages == NIL);
		else
			fuzz_must(outcome->messages != NIL && outcome->sqlerrcode != 0);
		check_texts(outcome->messages);
		check_texts(outcome->warnings);
	}
}
