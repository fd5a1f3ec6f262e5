-- What Xero's JSON can say and PostgreSQL's types cannot, or say otherwise:
-- characters that cannot be stored, dates inside of jsonb, dates that mean none.
CALL needs_00_setup();
\pset format unaligned
\pset tuples_only on
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
INSERT INTO xero.invoices (type, contact_id, date, invoice_number, reference, line_items)
	SELECT 'ACCREC', (SELECT contact_id FROM xero.contacts WHERE contact_status = 'ACTIVE' ORDER BY contact_id LIMIT 1), '2026-01-01', number, 'fine',
		'[{"Description": "first", "Quantity": 1, "UnitAmount": 2, "AccountCode": "200"}, {"Description": "second", "Quantity": 1, "UnitAmount": 2, "AccountCode": "200"}]'
	FROM unnest('{PAIR,LINE,OWN}'::text[]) AS number;
SELECT invoice_id AS pair FROM xero.invoices WHERE invoice_number = 'PAIR' \gset
SELECT invoice_id AS line, replace(line_items::text, 'first', 'nul \u0000') AS lines FROM xero.invoices WHERE invoice_number = 'LINE' \gset
SELECT invoice_id AS own FROM xero.invoices WHERE invoice_number = 'OWN' \gset
\setenv PAIR :pair
\setenv LINE :line
\setenv OWN :own
\setenv LINES :lines
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id=$PAIR set='{"Reference": "a\ud83db"}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id=$LINE set='{"LineItems": '"$LINES"'}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id=$OWN set='{"Reference": "a\ufffdb"}'
\set VERBOSITY terse

-- by default, an error that says what to do; the other columns can be read
SELECT regexp_replace(e, '[0-9a-f-]{36}', 'ID') FROM error_of($$SELECT reference FROM xero.invoices WHERE invoice_number = 'PAIR'$$) AS e;
SELECT description FROM xero.invoice_line_items WHERE invoice_id = :'line';
SELECT line_items FROM xero.invoices WHERE invoice_number = 'LINE';
SELECT reference, invoice_number FROM xero.invoices WHERE invoice_number = 'LINE';

SET xero_fdw.on_bad_text = replace;
SELECT reference = U&'a\FFFDb' FROM xero.invoices WHERE invoice_number = 'PAIR';
SELECT description = U&'nul \FFFD' FROM xero.invoice_line_items WHERE invoice_id = :'line';
SELECT line_items->0->>'Description' = U&'nul \FFFD' FROM xero.invoices WHERE invoice_number = 'LINE';

-- a condition on what was replaced stays here: Xero has another text
SELECT count(*) > 0 FROM calls();
SELECT invoice_number FROM xero.invoices WHERE reference = U&'a\FFFDb' ORDER BY 1;
SELECT count(*) FROM xero.invoices WHERE reference LIKE U&'a\FFFD%';
SELECT * FROM calls();

-- what was replaced, or may have been, is not sent
UPDATE xero.invoices SET invoice_number = 'PAIR-2' WHERE invoice_number = 'PAIR' RETURNING reference = U&'a\FFFDb';
UPDATE xero.invoices SET reference = reference WHERE invoice_number = 'PAIR-2';
UPDATE xero.invoices SET line_items = line_items WHERE invoice_number = 'LINE';
UPDATE xero.invoice_line_items SET description = description || '!' WHERE description LIKE 'nul%' AND invoice_id = :'line';
INSERT INTO xero.contacts (name) VALUES (U&'a\FFFDb');
-- other columns and lines can be changed, and keep what Xero has
UPDATE xero.invoice_line_items SET unit_amount = 3 WHERE description = 'second' AND invoice_id = :'line';
-- where nothing is replaced, it is a text like others
RESET xero_fdw.on_bad_text;
INSERT INTO xero.contacts (name) VALUES (U&'a\FFFDb') RETURNING name = U&'a\FFFDb';
UPDATE xero.invoices SET due_date = '2026-02-01' WHERE invoice_number = 'OWN' RETURNING reference = U&'a\FFFDb';
\! "$PG_ABS_SRCDIR/test/sandbox-control" state Invoices | grep -oE '"(Reference|Description)": "(a|nul)[^"]*"'

-- dates inside of jsonb are ISO 8601, and can be cast
SELECT bool_and(p->>'Date' LIKE '____-__-__T00:00:00Z'), count(*) > 0 FROM xero.invoices, jsonb_array_elements(payments) AS p;
SELECT count(*) FROM xero.invoices AS i, jsonb_array_elements(i.payments) AS p
	LEFT JOIN xero.payments AS q ON q.payment_id = (p->>'PaymentID')::uuid
WHERE q.date IS DISTINCT FROM (p->>'Date')::date;
SELECT count(*) FROM xero.invoices WHERE payments::text LIKE '%/Date(%';

-- and go back as they came
SELECT schedule - '{NextScheduledDate,NextScheduledDateString}'::text[] AS schedule, repeating_invoice_id AS template
	FROM xero.repeating_invoices WHERE status = 'AUTHORISED' AND schedule ? 'EndDate' ORDER BY repeating_invoice_id LIMIT 1 \gset
\echo :schedule
INSERT INTO xero.repeating_invoices (type, contact_id, schedule, line_items, status, reference)
	SELECT type, contact_id, :'schedule', '[{"Description": "rent", "Quantity": 1, "UnitAmount": 2, "AccountCode": "200"}]', 'DRAFT', 'again'
	FROM xero.repeating_invoices WHERE repeating_invoice_id = :'template';
SELECT schedule @> :'schedule' FROM xero.repeating_invoices WHERE reference = 'again';
-- a date that means none to Xero is shown as Xero has it
CREATE FOREIGN TABLE born (currency text OPTIONS (field 'Code'), day date OPTIONS (field 'DateOfBirth'), at timestamptz OPTIONS (field 'DateOfBirth')) SERVER xero OPTIONS (object 'accounting/Currencies');
\setenv BODY '{"Currencies": [{"Code": "A", "DateOfBirth": "/Date(0+0000)/"}, {"Code": "B", "DateOfBirth": "0001-01-01T00:00:00"}, {"Code": "C", "DateOfBirth": "/Date(-62135596800000)/"}, {"Code": "D", "DateOfBirth": ""}, {"Code": "E", "DateOfBirth": null}]}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies body="$BODY"
SELECT currency, day, at FROM born ORDER BY 1;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
