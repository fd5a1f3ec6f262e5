-- Objects whose lists have a path of two parts or a parameter of their own, and
-- parameters that Xero has added to lists and to writes.
CALL needs_00_setup();
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');

-- 1. Lists that a parameter makes another one of.
SELECT count(*) > 0 AS some, bool_or(source_type = 'ACCREC') AS accruals FROM xero.cash_journals;
SELECT count(DISTINCT journal_id) FROM xero.cash_journal_journal_lines;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT journal_id FROM xero.cash_journals WHERE journal_number > 300;

-- 1a. Journals go by their numbers: a list begins where a condition says, and ends
-- with the page that has the last number wanted.
CREATE TEMP TABLE ledger AS SELECT journal_id, journal_number, reference FROM xero.journals;
CREATE FUNCTION pg_temp.same(condition text) RETURNS TABLE (rows boolean, calls text[])
	LANGUAGE plpgsql AS $$
DECLARE
	query text := 'SELECT array_agg(journal_number ORDER BY journal_number) FROM %s WHERE ' || condition;
	theirs integer[];
	ours integer[];
BEGIN
	PERFORM FROM calls();
	EXECUTE format(query, 'xero.journals') INTO theirs;
	calls := ARRAY(SELECT substring(c FROM 'offset.*') FROM calls() AS c);
	EXECUTE format(query, 'ledger') INTO ours;
	rows := theirs IS NOT DISTINCT FROM ours;
	RETURN NEXT;
END $$;
SELECT condition, s.* FROM unnest(ARRAY[
	'journal_number > 300', 'journal_number >= 300', 'journal_number = 300', '300 < journal_number',
	'journal_number BETWEEN 51 AND 90', 'journal_number < 60', 'journal_number <= 80',
	'journal_number > 300 AND journal_number >= 350 AND journal_number < 390 AND journal_number <= 370',
	'journal_number > (SELECT max(journal_number) - 20 FROM ledger)',
	'journal_number >= 300::bigint AND reference IS NULL',
	'journal_number < 1', 'journal_number BETWEEN 5 AND 3', 'journal_number > NULL',
	'journal_number > (SELECT NULL::integer)']) AS condition, pg_temp.same(condition) AS s;
SELECT condition, rows FROM unnest(ARRAY[
	'journal_number > 9223372036854775807', 'journal_number >= 2147483647',
	'journal_number > -9223372036854775808 AND journal_number < 9223372036854775807',
	'journal_number <> 300', 'NOT journal_number > 300', 'journal_number IN (3, 300)',
	'journal_number > 300 OR journal_number < 20', 'journal_number + 1 > 300']) AS condition, pg_temp.same(condition);
SELECT count(*) = (SELECT count(*) FROM ledger WHERE journal_number > 300) AS same
	FROM (SELECT DISTINCT journal_number FROM xero.journal_journal_lines WHERE journal_number > 300) AS l;
SELECT * FROM calls();
-- with values that are known later, also in a scan that is run again
SET plan_cache_mode = force_generic_plan;
PREPARE from_number(integer) AS SELECT count(journal_id) FROM xero.journals
	WHERE journal_number >= $1 AND journal_number < $1 + 5;
EXPLAIN (COSTS OFF) EXECUTE from_number(300);
EXECUTE from_number(300);
EXECUTE from_number(NULL);
RESET plan_cache_mode;
SELECT n, (SELECT count(journal_id) FROM xero.journals WHERE journal_number BETWEEN n AND n + 4)
	= (SELECT count(*) FROM ledger WHERE journal_number BETWEEN n AND n + 4) AS same
	FROM unnest('{300, 300, 420}'::integer[]) AS n;
SELECT * FROM calls();
-- in their order, which costs nothing, but not backwards
EXPLAIN (COSTS OFF) SELECT journal_number FROM xero.journals ORDER BY journal_number LIMIT 3;
SELECT (SELECT array_agg(n) FROM (SELECT journal_number AS n FROM xero.journals ORDER BY 1 LIMIT 60) AS x)
	= (SELECT array_agg(n) FROM (SELECT journal_number AS n FROM ledger ORDER BY 1 LIMIT 60) AS x) AS same;
SELECT min(journal_number) = (SELECT min(journal_number) FROM ledger) AS same FROM xero.journals;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT journal_id FROM xero.journals
	WHERE reference <> '' ORDER BY journal_number, journal_date DESC LIMIT 3;
EXPLAIN (COSTS OFF) SELECT journal_number FROM xero.journals ORDER BY journal_number DESC LIMIT 3;
DROP FUNCTION pg_temp.same(text);

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
