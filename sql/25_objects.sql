-- Objects whose lists have a path of two parts or a parameter of their own, and
-- parameters that Xero has added to lists and to writes.
CALL needs_00_setup();
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');

-- 1. Lists that a parameter makes another one of.
SELECT count(*) > 0 AS some, bool_or(source_type = 'ACCREC') AS accruals FROM xero.cash_journals;
SELECT count(DISTINCT journal_id) FROM xero.cash_journal_journal_lines;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT journal_id FROM xero.cash_journals WHERE journal_number > 300;

-- 2. Paths of two parts.
SELECT name, status FROM xero.organisation_actions ORDER BY name;
SELECT enabled FROM xero.invoice_reminders_settings;
SELECT * FROM calls();

-- 3. References, several in one call; what a list would be cut at travels otherwise.
SELECT DISTINCT reference FROM xero.bank_transactions WHERE reference IN ('BT-001 ñ', 'BT-002 ñ') ORDER BY 1;
SELECT count(*) FROM xero.prepayments WHERE reference = 'Allocated 3';
SELECT count(*) FROM xero.bank_transactions WHERE reference = 'a, b';
SELECT * FROM calls();

-- 4. More of a tracked item than is available.
SELECT contact_id FROM xero.contacts WHERE contact_status = 'ACTIVE' ORDER BY name LIMIT 1 \gset
CREATE TEMP TABLE sale AS SELECT 'ACCREC' AS type, :'contact_id'::uuid AS contact_id, date '2026-11-02' AS date,
	date '2026-12-01' AS due_date, 'AUTHORISED' AS status,
	jsonb '[{"ItemCode": "GB1-White", "Quantity": 4, "UnitAmount": 1, "AccountCode": "200"}]' AS line_items;
SELECT error_of('INSERT INTO xero.invoices (type, contact_id, date, due_date, status, line_items) TABLE sale');
SET xero_fdw.allow_backorders = on;
INSERT INTO xero.invoices (type, contact_id, date, due_date, status, line_items) TABLE sale RETURNING invoice_id \gset
UPDATE xero.invoices SET reference = 'back-ordered' WHERE invoice_id = :'invoice_id';
UPDATE xero.invoice_line_items SET quantity = 5 WHERE invoice_id = :'invoice_id';
-- It is for invoices only.
EXPLAIN (COSTS OFF) INSERT INTO xero.credit_notes (type) VALUES ('ACCRECCREDIT');
-- A push is the same request whatever is set, as its key demands.
SELECT stored, sqlstate FROM xero_fdw._push('xero.invoices', 'insert', (SELECT jsonb_agg(to_jsonb(sale)) FROM sale), 'push');
RESET xero_fdw.allow_backorders;
SELECT call FROM calls() AS call WHERE call::text LIKE '%P%/Invoices%';
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
