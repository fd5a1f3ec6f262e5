-- Child tables end with members of the record that holds them, and conditions
-- on those travel as they do in the parent's own table.
CALL needs_00_setup();
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset attachments=10
SET TimeZone = 'UTC';

-- 1. The same requests as of the parent, by where= and by parameters.
EXPLAIN (COSTS OFF) SELECT line_amount FROM xero.invoice_line_items
	WHERE invoice_date >= '2025-01-01' AND invoice_type = 'ACCREC' AND invoice_status IN ('AUTHORISED', 'PAID');
EXPLAIN (COSTS OFF) SELECT total FROM xero.invoices
	WHERE date >= '2025-01-01' AND type = 'ACCREC' AND status IN ('AUTHORISED', 'PAID');
EXPLAIN (COSTS OFF) SELECT line_amount FROM xero.invoice_line_items
	WHERE document_number IN ('INV-000000', 'INV-000001') AND invoice_updated_date_utc > '2025-01-01';
EXPLAIN (COSTS OFF) SELECT line_amount FROM xero.purchase_order_line_items
	WHERE purchase_order_date BETWEEN '2025-01-01' AND '2025-06-30' AND purchase_order_status = 'DRAFT';
EXPLAIN (COSTS OFF) SELECT line_amount FROM xero.quote_line_items
	WHERE quote_contact_id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6' AND document_number = 'QU-0001';
EXPLAIN (COSTS OFF) SELECT city FROM xero.contact_addresses WHERE contact_status = 'ACTIVE' AND contact_name = 'Acme';
EXPLAIN (COSTS OFF) SELECT amount FROM xero.credit_note_allocations
	WHERE credit_note_contact_name = 'Acme' AND date > '2025-01-01';

-- 2. The values that the parent's own table has.
CREATE FUNCTION differences(child text, parent text) RETURNS TABLE (child_table text, columns bigint, rows bigint, wrong bigint)
	LANGUAGE plpgsql AS $$
DECLARE
	shown text;
	theirs text;
BEGIN
	SELECT string_agg(format('%I', c.column_name), ', '), string_agg(format('p.%I', p.column_name), ', '), count(*)
	INTO shown, theirs, columns
	FROM xero_fdw.columns AS c JOIN xero_fdw.columns AS p
		ON (p.api, p.table_name, '../' || p.field) = (c.api, parent, c.field)
	WHERE c.api = 'accounting' AND c.table_name = child;
	EXECUTE format('CREATE TEMP TABLE lines AS SELECT %s FROM xero.%I', shown, child);
	EXECUTE format('SELECT count(*) FROM (SELECT * FROM lines EXCEPT SELECT %s FROM xero.%I AS p) AS x', theirs, parent) INTO wrong;
	SELECT count(*) INTO rows FROM lines;
	DROP TABLE lines;
	child_table := child;
	RETURN NEXT;
END $$;
SELECT d.child_table, d.columns, d.rows > 0 AS some, d.wrong
FROM xero_fdw.objects AS c
	JOIN xero_fdw.objects AS p ON c.object LIKE p.object || '/%' AND c.path = p.path,
	differences(c.table_name, p.table_name) AS d
WHERE c.api = 'accounting'
ORDER BY c.table_name;

-- 3. They cannot be written, and no condition on them is lost when lines are.
SELECT error_of($$UPDATE xero.invoice_line_items SET invoice_date = '2025-01-01'$$);
SELECT error_of($$INSERT INTO xero.invoice_line_items (invoice_id, description, invoice_status)
	VALUES ('5d4c0bad-f188-4b5b-988a-2f9aa300e3b6', 'x', 'DRAFT')$$);
SELECT invoice_id FROM xero.invoices WHERE type = 'ACCREC' AND status = 'DRAFT' AND jsonb_array_length(line_items) = 2
	ORDER BY invoice_number LIMIT 1 \gset
UPDATE xero.invoice_line_items SET description = 'changed'
WHERE invoice_id = :'invoice_id' AND invoice_status = 'DRAFT' RETURNING description, invoice_status, invoice_type;
UPDATE xero.invoice_line_items SET description = 'again'
WHERE invoice_id = :'invoice_id' AND invoice_status = 'PAID' RETURNING description;

-- 4. The answer about an allocation has no member of the credit note: its date is the allocation's.
SELECT c.credit_note_id, c.remaining_credit, i.invoice_id
FROM xero.credit_notes AS c, xero.invoices AS i
WHERE c.type = 'ACCRECCREDIT' AND c.status = 'AUTHORISED' AND c.remaining_credit >= 1
	AND i.type = 'ACCREC' AND i.status = 'AUTHORISED' AND i.amount_due >= 1 AND i.currency_code = c.currency_code
	AND i.contact_id = c.contact_id
ORDER BY c.credit_note_number, i.invoice_number LIMIT 1 \gset
INSERT INTO xero.credit_note_allocations (credit_note_id, invoice_id, amount, date)
VALUES (:'credit_note_id', :'invoice_id', 0.5, '2026-11-05')
RETURNING credit_note_id = :'credit_note_id' AS same, date, credit_note_date, credit_note_status;
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
