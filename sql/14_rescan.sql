-- A scan that is run again with the same values costs no call; with others,
-- it asks anew.
CALL needs_00_setup();
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
CREATE TEMP TABLE t (n int, status text, id uuid);
INSERT INTO t
	VALUES (1, 'PAID', '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'),
		(2, 'PAID', '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'),
	(3, 'DRAFT', '00000000-0000-0000-0000-000000000001'), (4, 'DRAFT', NULL), (5, 'PAID', NULL),
	(6, NULL, '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6');
ANALYZE t;

-- the inner side of a nested loop, without parameters
EXPLAIN (COSTS OFF) SELECT count(*) FROM t LEFT JOIN xero.accounts AS a ON a.code > t.n::text;
SELECT count(*) > 20 AS rows FROM t LEFT JOIN xero.accounts AS a ON a.code > t.n::text;
SELECT * FROM calls();
-- several pages, some of the rows only: LIMIT left the first run in the middle
CREATE FOREIGN TABLE paged (contact_id uuid, name text, contact_status text)
	SERVER xero OPTIONS (object 'accounting/Contacts', page_size '50');
SELECT t.n, (SELECT count(*) FROM (SELECT name FROM paged WHERE t.n > 0 LIMIT t.n * 20) AS x)
	FROM t;
SELECT * FROM calls();
SELECT t.n, EXISTS (SELECT FROM paged AS p WHERE p.name < 'B' OR t.n = 6) FROM t;
SELECT * FROM calls();

-- correlated subqueries: one call for each value
SELECT t.n, (SELECT count(i.total) FROM xero.invoices AS i WHERE i.status = t.status)
	FROM t ORDER BY n;
SELECT * FROM calls();
SELECT t.n, (SELECT total FROM xero.invoices AS i WHERE i.invoice_id = t.id) FROM t ORDER BY n;
SELECT * FROM calls();
-- the value that is checked here may differ although the request is the same
SELECT v, (SELECT count(lower(name)) FROM xero.contacts WHERE name = v)
	FROM unnest(ARRAY['O''Brien & Sons', 'O''BRIEN & SONS', 'The "Quoted" Company', 'x"',
		'O''Brien & Sons']) AS v;
SELECT * FROM calls();
SELECT v, (SELECT count(updated_date_utc::text) FROM xero.invoices WHERE updated_date_utc > v)
	= (SELECT count(*) FILTER (WHERE updated_date_utc > v) FROM xero.invoices) AS same
FROM unnest(ARRAY['2025-03-10 17:28:34.521+00', '2025-03-10 17:28:34.522+00',
	'2025-03-10 17:28:34.999+00']::timestamptz[]) AS v;
SELECT count(*) FROM calls();

-- the outer side of a join in a subquery that is run again
SELECT t.n,
	(SELECT count(*) FROM xero.accounts AS a JOIN xero.tax_rates AS r ON r.tax_type = a.tax_type
		WHERE a.code <> t.n::text) > 0 AS any
	FROM t;
SELECT calls, count(*) FROM calls() GROUP BY 1 ORDER BY 1;
-- many rows are kept on disk
SET work_mem = '64kB';
SELECT t.n, (SELECT count(*) FROM (SELECT i.* FROM xero.invoices AS i WHERE t.n > 0 OFFSET 0) AS x)
	FROM t;
SELECT * FROM calls();
-- and are read anew from there
SELECT t.n, (SELECT count(x) FROM (SELECT i FROM xero.invoices AS i WHERE t.n > 0 OFFSET 0) AS x)
	FROM t;
SELECT count(*) FROM calls();
RESET work_mem;
-- a recursive query runs its scans again
WITH RECURSIVE r(n, rows) AS (
	SELECT 1, 0::bigint
	UNION ALL SELECT n + 1, (SELECT count(lower(name)) FROM xero.accounts WHERE code <> r.n::text)
	FROM r
	WHERE n < 4
) SELECT n, rows > 0 AS any FROM r;
SELECT * FROM calls();
DROP FOREIGN TABLE paged;

-- The rows of what a plan runs once are kept nowhere; of what it may run again, they are.
CREATE FUNCTION kept(statement text) RETURNS TABLE (scan text, kept boolean) LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || statement INTO plan;
	RETURN QUERY
		SELECT node ->> 'Alias', (node ->> 'Temp Written Blocks')::integer > 0
		FROM jsonb_path_query(plan, 'strict $.**{2 to last} ? (@."Node Type" == "Foreign Scan")') AS node
		ORDER BY 1;
END $$;
SET work_mem = '64kB';
SET enable_hashjoin = on;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT * FROM kept('SELECT count(i.line_items), count(c.addresses) FROM xero.invoices AS i
	JOIN xero.contacts AS c ON c.contact_id = i.contact_id');
SELECT * FROM kept('SELECT count(a) FROM (SELECT line_items AS a FROM xero.invoices AS i
	UNION ALL SELECT addresses FROM xero.contacts AS c OFFSET 0) AS r');
SELECT * FROM kept('SELECT (SELECT count(line_items) FROM xero.invoices AS i),
	ARRAY(SELECT length(addresses::text) FROM xero.contacts AS c)');
SELECT * FROM kept('WITH r AS MATERIALIZED (SELECT line_items FROM xero.invoices AS i)
	SELECT FROM r, r AS s WHERE r IS NULL');
SELECT * FROM kept('SELECT FROM xero.invoices AS i
	WHERE line_items::text NOT IN (SELECT addresses::text FROM xero.contacts AS c)');
SET enable_hashjoin = off;
SET enable_nestloop = on;
SET enable_material = off;
SELECT * FROM kept('SELECT count(i.line_items) FROM (VALUES (1), (2)) AS v(n)
	LEFT JOIN xero.invoices AS i ON i.total > n - 1');
SELECT * FROM kept('SELECT (SELECT count(line_items) FROM xero.invoices AS i WHERE length(reference) <> n)
	FROM (VALUES (1), (2)) AS v(n)');
RESET enable_material;
RESET enable_nestloop;
RESET enable_mergejoin;
RESET enable_hashjoin;
RESET work_mem;
BEGIN;
DECLARE again SCROLL CURSOR FOR SELECT c.name FROM xero.contacts AS c
	JOIN xero.invoices AS i ON c.contact_id = i.contact_id ORDER BY c.name COLLATE "C" DESC LIMIT 2;
FETCH ALL FROM again;
FETCH BACKWARD ALL FROM again;
COMMIT;
DROP FUNCTION kept(text);
