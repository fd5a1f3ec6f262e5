-- What a statement needs twice is asked for once.
CALL needs_00_setup();
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset invoices=2500
SELECT count(*) > 0 AS some FROM calls();
ANALYZE;

-- 1. The whole list, with what is inside of it: three pages
SELECT count(*), count(DISTINCT i.invoice_id) FROM xero.invoices AS i JOIN xero.invoice_line_items AS l USING (invoice_id);
SELECT * FROM cost;
SELECT count(*) > 0 AS some FROM xero.invoices AS i LEFT JOIN xero.invoice_line_items AS l USING (invoice_id)
	LEFT JOIN xero.invoice_payments AS p USING (invoice_id) WHERE l.line_amount > 0 OR p.amount IS NULL;
SELECT * FROM cost;
-- as all take the full form, EXPLAIN shows that; one alone takes the summary
EXPLAIN (COSTS OFF) SELECT total, line_amount FROM xero.invoices JOIN xero.invoice_line_items USING (invoice_id);
EXPLAIN (COSTS OFF) SELECT total FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT i.total, l.line_amount FROM xero.invoices AS i, xero.invoice_line_items AS l
	WHERE i.type = 'ACCREC' AND l.invoice_type = 'ACCPAY' AND i.contact_id = l.invoice_contact_id;

-- 2. Self-joins, set operations, subqueries, expressions WITH
SELECT count(*) FROM xero.invoices AS a JOIN xero.invoices AS b ON a.contact_id = b.contact_id AND a.total < b.total;
SELECT * FROM cost;
SELECT count(*) FROM (SELECT contact_name FROM xero.invoices UNION ALL SELECT reference FROM xero.invoices) AS x;
SELECT * FROM cost;
WITH t AS NOT MATERIALIZED (SELECT * FROM xero.invoices WHERE date >= '2026-01-01')
SELECT (SELECT sum(total) > 0 FROM t), (SELECT count(DISTINCT contact_id) > 0 FROM t);
SELECT * FROM cost;
SELECT count(*) > 0 AS some FROM xero.invoices WHERE total::text > (SELECT avg(total)::text FROM xero.invoices);
SELECT * FROM cost;
SELECT i.invoice_number, l.line_amount > 0 AS positive FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l USING (invoice_id)
	WHERE i.invoice_id = (SELECT min(invoice_id::text)::uuid FROM xero.invoices WHERE invoice_number = 'INV-000100')
	LIMIT 1;
SELECT * FROM cost;

-- 3. ANALYZE tells it; the setting bounds it
CREATE FUNCTION explained(options text, query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('EXPLAIN (%s) %s', options, query);
END $$;
SELECT trim(line) AS line FROM explained('ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF', 'SELECT count(i.total) FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l USING (invoice_id)') AS line WHERE line ~ 'Foreign Scan|Actual Calls|Shared|Pages';
SELECT trim(line) AS line FROM explained('COSTS', 'SELECT count(i.total) FROM xero.invoices AS i
	JOIN xero.invoice_line_items AS l USING (invoice_id)') AS line WHERE line ~ 'Xero.*Calls';
SELECT count(*) > 0 AS some FROM calls();
SET xero_fdw.statement_cache = 0;
SELECT count(*) FROM xero.invoices AS i JOIN xero.invoice_line_items AS l USING (invoice_id);
SELECT * FROM cost;
SET xero_fdw.statement_cache = '5MB';
SELECT count(*) FROM xero.invoices AS i JOIN xero.invoice_line_items AS l USING (invoice_id);
SELECT * FROM cost;
RESET xero_fdw.statement_cache;

-- 4. Not between statements, nor between roles, nor after a write
BEGIN;
DECLARE c CURSOR FOR SELECT count(i.total) FROM xero.invoices AS i JOIN xero.invoice_line_items AS l USING (invoice_id);
DECLARE d CURSOR FOR SELECT count(i.total) FROM xero.invoices AS i JOIN xero.invoice_line_items AS l USING (invoice_id);
FETCH c;
FETCH d;
COMMIT;
SELECT * FROM cost;
CREATE ROLE regress_xero_other;
GRANT USAGE ON SCHEMA xero TO regress_xero_other;
GRANT SELECT ON xero.invoices TO regress_xero_other;
CREATE USER MAPPING FOR regress_xero_other SERVER xero OPTIONS (access_token 'sandbox-token');
CREATE VIEW theirs AS SELECT * FROM xero.invoices;
ALTER VIEW theirs OWNER TO regress_xero_other;
SELECT count(*) FROM xero.invoices AS a JOIN theirs AS b ON a.invoice_id = b.invoice_id AND a.total = b.total;
SELECT * FROM cost;
DROP VIEW theirs;
CREATE FUNCTION write_one() RETURNS int VOLATILE LANGUAGE plpgsql AS $$
BEGIN
	UPDATE xero.contacts SET account_number = 'W-1' WHERE name = (SELECT min(name) FROM xero.contacts);
	RETURN 1;
END $$;
SELECT count(*) > 0 AS some FROM calls();
WITH a AS MATERIALIZED (SELECT count(account_number) AS n, count(DISTINCT name) FROM xero.contacts),
	w AS MATERIALIZED (SELECT write_one() AS one FROM a WHERE n >= 0),
	b AS MATERIALIZED (SELECT count(account_number) AS n, count(DISTINCT name) FROM xero.contacts, w WHERE one = 1)
SELECT b.n - a.n AS more FROM a, b;

DROP FUNCTION explained, write_one;
DROP OWNED BY regress_xero_other;
DROP ROLE regress_xero_other;
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
