-- A child table that is joined with that of its parents asks for what they ask for.
CALL needs_00_setup();
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset invoices=2500
SET TimeZone = 'UTC';

-- What a query returns is what it returns of local copies; and what it costs.
CREATE SCHEMA copies;
CREATE TABLE copies.invoices AS SELECT * FROM xero.invoices;
CREATE TABLE copies.invoice_line_items AS SELECT * FROM xero.invoice_line_items;
CREATE TABLE copies.invoice_payments AS SELECT * FROM xero.invoice_payments;
CREATE TABLE copies.contacts AS SELECT * FROM xero.contacts;
CREATE TABLE copies.contact_addresses AS SELECT * FROM xero.contact_addresses;
CREATE TABLE copies.credit_notes AS SELECT * FROM xero.credit_notes;
CREATE TABLE copies.credit_note_allocations AS SELECT * FROM xero.credit_note_allocations;
ANALYZE;
CREATE FUNCTION compared(query text, OUT rows bigint, OUT wrong bigint, OUT requests text)
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM calls();
	EXECUTE format('CREATE TEMP TABLE got AS SELECT r::text FROM (%s) AS r', query);
	SELECT string_agg(n || ' ' || call, ', ') INTO requests FROM (
		SELECT count(*) AS n, regexp_replace(regexp_replace(call, '.*/', ''), '[?].*', '') AS call
		FROM calls() AS call GROUP BY 2 ORDER BY 2) AS x;
	EXECUTE format('CREATE TEMP TABLE wanted AS SELECT r::text FROM (%s) AS r',
		replace(query, 'xero.', 'copies.'));
	SELECT count(*) INTO rows FROM got;
	SELECT count(*) INTO wrong FROM ((TABLE got EXCEPT ALL TABLE wanted)
		UNION ALL (TABLE wanted EXCEPT ALL TABLE got)) AS x;
	DROP TABLE got, wanted;
END $$;

-- 1. The conditions of the invoices reach their lines, whatever columns they are about
EXPLAIN (COSTS OFF) SELECT l.account_code, sum(l.line_amount)
	FROM xero.invoices AS i JOIN xero.invoice_line_items AS l USING (invoice_id)
	WHERE i.date BETWEEN '2026-03-01' AND '2026-03-31' AND i.status IN ('AUTHORISED', 'PAID')
	GROUP BY 1;
SELECT * FROM compared($$SELECT i.invoice_number, l.* FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l USING (invoice_id)
	WHERE i.date BETWEEN '2026-03-01' AND '2026-03-31' AND i.status IN ('AUTHORISED', 'PAID')$$);
SELECT * FROM compared($$SELECT i.invoice_number, l.* FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l ON l.tenant_id = i.tenant_id AND i.invoice_id = l.invoice_id
	WHERE i.updated_date_utc >= '2026-01-01' AND i.total > 2000 AND i.reference LIKE 'P%'$$);
-- the child's own conditions are checked
SELECT * FROM compared($$SELECT i.invoice_number, l.* FROM xero.invoices AS i, xero.invoice_line_items AS l
	WHERE l.invoice_id = i.invoice_id AND i.date = '2026-03-10' AND l.account_code = '200'
		AND l.invoice_status = 'PAID' AND l.line_amount < i.total$$);
-- in a left join, as a semi-join from both sides, and as an anti-join
SELECT * FROM compared($$SELECT i.invoice_number, l.description FROM xero.invoices AS i
	LEFT JOIN xero.invoice_line_items AS l ON l.invoice_id = i.invoice_id AND l.account_code = '200'
	WHERE i.date = '2026-03-10'$$);
SELECT * FROM compared($$SELECT l.* FROM xero.invoice_line_items AS l
	WHERE l.invoice_id IN (SELECT invoice_id FROM xero.invoices WHERE date = '2026-03-10')$$);
SELECT * FROM compared($$SELECT i.invoice_number FROM xero.invoices AS i WHERE i.date = '2026-03-10'
	AND EXISTS (SELECT FROM xero.invoice_line_items AS l
		WHERE l.invoice_id = i.invoice_id AND l.account_code = '200')$$);
SELECT * FROM compared($$SELECT i.invoice_number FROM xero.invoices AS i WHERE i.date = '2026-03-10'
	AND NOT EXISTS (SELECT FROM xero.invoice_line_items AS l
		WHERE l.invoice_id = i.invoice_id AND l.account_code = '200')$$);
-- several children, and other parents
SELECT * FROM compared($$SELECT i.invoice_number, l.line_amount, p.amount FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l USING (invoice_id)
	LEFT JOIN xero.invoice_payments AS p USING (invoice_id)
	WHERE i.date BETWEEN '2026-03-01' AND '2026-03-31'$$);
SELECT * FROM compared($$SELECT c.name, a.city FROM xero.contacts AS c
	JOIN xero.contact_addresses AS a USING (contact_id) WHERE c.is_supplier$$);
SELECT * FROM compared($$SELECT c.credit_note_number, a.amount FROM xero.credit_notes AS c
	JOIN xero.credit_note_allocations AS a USING (credit_note_id) WHERE c.status = 'PAID'$$);
-- values that are known at run time only
PREPARE lines(date, text) AS SELECT count(*) FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l USING (invoice_id) WHERE i.date >= $1 AND i.status = $2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE lines('2026-03-01', 'DRAFT');
EXECUTE lines('2026-03-01', 'DRAFT');
EXECUTE lines('2026-03-01', NULL);
RESET plan_cache_mode;

-- 2. Not where rows are wanted that have no such parent
SELECT * FROM compared($$SELECT i.invoice_number, l.description FROM xero.invoice_line_items AS l
	LEFT JOIN xero.invoices AS i ON i.invoice_id = l.invoice_id AND i.date = '2026-03-10'$$);
SELECT * FROM compared($$SELECT i.invoice_number, l.description FROM xero.invoice_line_items AS l
	FULL JOIN (SELECT * FROM xero.invoices WHERE date = '2026-03-10') AS i
	ON i.invoice_id = l.invoice_id$$);
SELECT * FROM compared($$SELECT l.description FROM xero.invoice_line_items AS l
	WHERE NOT EXISTS (SELECT FROM xero.invoices AS i
		WHERE i.invoice_id = l.invoice_id AND i.date >= '2026-03-10')$$);
SELECT * FROM compared($$SELECT l.description FROM xero.invoice_line_items AS l
	JOIN xero.invoices AS i ON i.contact_id = l.invoice_id AND i.date >= '2026-03-10'$$);

-- 3. Nor where a record may come by several of the parent's requests, by its number
SELECT * FROM compared(format($$SELECT i.invoice_number, l.description FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l USING (invoice_id) WHERE i.invoice_number IN (%s)$$,
	(SELECT string_agg(quote_literal(lower(invoice_number)) || ',' || quote_literal(invoice_number), ',')
		FROM (SELECT invoice_number FROM copies.invoices WHERE invoice_number LIKE 'INV%'
			ORDER BY 1 LIMIT 50) AS x)));
SELECT * FROM compared($$SELECT i.invoice_number, l.description FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l USING (invoice_id)
	WHERE i.invoice_number IN ('INV-000100', 'inv-000100', 'INV-000200')$$);

DROP SCHEMA copies CASCADE;
DROP FUNCTION compared;
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
