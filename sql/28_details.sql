-- What lists lack is in tables of details: a call for each record that has any.
-- No other imported column costs a call a record.
CALL needs_00_setup();
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset attachments=10
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');

-- 1. Everything of every other table costs the calls of its key alone.
CREATE FUNCTION pages_of(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := calls FROM xero_fdw._session();
BEGIN
	EXECUTE 'SELECT count(t) FROM (' || statement || ' OFFSET 0) AS t';
	RETURN (SELECT calls FROM xero_fdw._session()) - before;
END $$;
SELECT o.table_name, p.whole, p.keys
FROM xero_fdw.objects AS o, LATERAL (
	SELECT pages_of(format('SELECT * FROM xero.%I', o.table_name)) AS whole,
		pages_of(format('SELECT tenant_id FROM xero.%I', o.table_name)) AS keys) AS p
WHERE o.api = 'accounting' AND obj_description(format('xero.%I', o.table_name)::regclass) !~ 'one call'
	AND p.whole <> p.keys;

SELECT FROM calls();

-- 2. Attachments of the records that have some, of one record, of some.
SELECT count(*), count(DISTINCT contact_id) FROM xero.contact_attachments;
SELECT * FROM calls();
SELECT contact_id FROM xero.contacts WHERE has_attachments ORDER BY name LIMIT 1 \gset
SELECT contact_id AS other FROM xero.contacts WHERE NOT has_attachments ORDER BY name LIMIT 1 \gset
SELECT FROM calls();
SELECT file_name, mime_type, content_length, include_online, contact_status FROM xero.contact_attachments
	WHERE contact_id = :'contact_id';
SELECT file_name FROM xero.contact_attachments WHERE contact_id = :'other';
SELECT regexp_replace(call, '[0-9a-f-]{36}', 'ID') FROM calls() AS call;
SELECT count(*) FROM xero.contact_attachments WHERE contact_id IN (:'contact_id', :'other');
SELECT regexp_replace(call, '[0-9a-f-]{36}', 'ID', 'g') FROM calls() AS call;
EXPLAIN (COSTS OFF) SELECT file_name FROM xero.invoice_attachments
	WHERE invoice_type = 'ACCPAY' AND invoice_date >= '2026-01-01';
SELECT count(*) AS "WITH" FROM xero.invoices WHERE type = 'ACCPAY' AND status = 'PAID' AND has_attachments \gset
SELECT FROM calls();
SELECT count(*) > 0 AS some, count(DISTINCT invoice_id) = :WITH AS all
	FROM xero.invoice_attachments WHERE invoice_type = 'ACCPAY' AND invoice_status = 'PAID';
SELECT count(*) = :WITH + 1 AS as_many_calls FROM calls();

-- Of quotes nothing tells which have any: each costs a call, and one that is
-- named costs two.  Conditions on the quote choose which are asked for.
SELECT count(*) AS quotes FROM xero.quotes WHERE status = 'SENT' \gset
SELECT FROM calls();
SELECT count(*) > 0 AS some, bool_and(quote_status = 'SENT' AND document_number LIKE 'QU-%'
		AND quote_contact_name IS NOT NULL AND url LIKE '%/Quotes/' || quote_id || '/Attachments/%') AS right
	FROM xero.quote_attachments WHERE quote_status = 'SENT';
SELECT regexp_replace(call, '[0-9a-f-]{36}', 'ID') AS call, count(*) = CASE WHEN call ~ 'Attachments' THEN :quotes ELSE 1 END AS as_many
	FROM calls() AS call GROUP BY 1, call ~ 'Attachments' ORDER BY 1;
SELECT quote_id FROM xero.quote_attachments LIMIT 1 \gset
\setenv QUOTE_ID :quote_id
SELECT FROM calls();
SELECT count(*), min(document_number) LIKE 'QU-%' AS numbered FROM xero.quote_attachments WHERE quote_id = :'quote_id';
SELECT regexp_replace(call, '[0-9a-f-]{36}', 'ID') FROM calls() AS call;
SELECT count(*) FROM xero.quote_attachments WHERE quote_id = '00000000-0000-4000-8000-000000000000';
SELECT * FROM error_of('INSERT INTO xero.quote_attachments (file_name) VALUES (''a.pdf'')');
SELECT FROM calls();
-- A quote that is listed and has no such list is an error, not a quote without.
\! "$PG_ABS_SRCDIR"/test/sandbox-control faults path=/api.xro/2.0/Quotes/"$QUOTE_ID"/Attachments status=404 times=2
SELECT regexp_replace(error_of, '[0-9a-f-]{36}', 'ID', 'g')
	FROM error_of(format('SELECT count(*) FROM xero.quote_attachments WHERE quote_id = %L', :'quote_id'));
SELECT regexp_replace(call, '[0-9a-f-]{36}', 'ID') FROM calls() AS call;
\! "$PG_ABS_SRCDIR"/test/sandbox-control faults '[]'

-- 3. Details, for columns that lists lack and not for others.
SELECT count(*) FROM xero.invoice_details WHERE status = 'PAID' AND type = 'ACCREC';
SELECT regexp_replace(call, '[?].*', '') AS call, count(*) FROM calls() AS call GROUP BY 1;
SELECT count(*) > 0 AS some FROM xero.invoice_details
	WHERE invoice_number IN ('INV-000000', 'INV-000001', 'INV-000002') AND rounding_amount IS NOT NULL;
SELECT regexp_replace(regexp_replace(call, '[?].*', ''), '[0-9a-f-]{36}', 'ID') AS call, count(*)
	FROM calls() AS call GROUP BY 1 ORDER BY 1;

-- 4. A receipt is inserted with its lines, which the list's table has not.
SELECT error_of('INSERT INTO xero.receipts (date, contact_id) VALUES (''2026-01-01'', NULL)');
SELECT user_id FROM xero.users ORDER BY email_address LIMIT 1 \gset
INSERT INTO xero.receipt_details (date, contact_id, user_id, line_items) VALUES ('2026-03-01', :'contact_id', :'user_id',
	'[{"Description": "Taxi", "Quantity": 1, "UnitAmount": 20, "AccountCode": "429"}]')
RETURNING receipt_id, total > 0 AS total, line_items -> 0 ->> 'Description' AS line \gset
\echo :total :line
UPDATE xero.receipts SET reference = 'R 1' WHERE receipt_id = :'receipt_id';
UPDATE xero.receipt_line_items SET description = 'Bus' WHERE receipt_id = :'receipt_id' AND receipt_status = 'DRAFT';
SELECT description, document_number IS NOT NULL AS numbered FROM xero.receipt_line_items WHERE receipt_id = :'receipt_id';
SELECT reference FROM xero.receipt_details WHERE receipt_id = :'receipt_id';

-- 5. Who wants it cheap in code and dear in calls may add the column.
ALTER FOREIGN TABLE xero.contacts ADD COLUMN files jsonb OPTIONS (field 'Attachments');
SELECT FROM calls();
SELECT count(files) FROM xero.contacts;
SELECT count(*) FROM calls();
ALTER FOREIGN TABLE xero.contacts DROP COLUMN files;
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
