-- Foreign tables where PostgreSQL puts tables: partitions, children, views,
-- commands that read, rows that are locked.
CALL needs_00_setup();
CREATE TABLE part (tenant_id uuid, contact_id uuid, name text) PARTITION BY LIST (tenant_id);
CREATE FOREIGN TABLE part_xero PARTITION OF part FOR
	VALUES IN ('258b4852-865a-4704-a5a7-ee71df03c46e')
	SERVER xero OPTIONS (object 'accounting/Contacts');
CREATE TABLE part_local PARTITION OF part DEFAULT;
INSERT INTO part
	VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002',
		'!local');
SELECT tableoid::regclass, count(*), count(DISTINCT name) = count(*) AS different
	FROM part GROUP BY 1 ORDER BY 1;
SELECT FROM calls();
EXPLAIN (COSTS OFF) SELECT name FROM part WHERE contact_id = '00000000-0000-0000-0000-000000000002';
SELECT name FROM part WHERE contact_id = '00000000-0000-0000-0000-000000000002';
SELECT name FROM part ORDER BY name COLLATE "C" LIMIT 2;
-- partitions that cannot match are not asked
SELECT count(*) FROM part WHERE tenant_id = '00000000-0000-0000-0000-000000000001';
SELECT * FROM calls();
-- joined with their like
SET enable_partitionwise_join = on;
SELECT count(*) FROM part AS a JOIN part AS b USING (tenant_id, contact_id);
RESET enable_partitionwise_join;
INSERT INTO part VALUES ('258b4852-865a-4704-a5a7-ee71df03c46e', NULL, NULL);
DROP TABLE part;

-- Partitions are asked for what their table is asked for: the first rows in an order are
-- among the first ones of each.
CREATE TABLE document (type text, status text, date date, due_date date, total numeric)
	PARTITION BY LIST (type);
CREATE FOREIGN TABLE document_invoices PARTITION OF document
	FOR VALUES IN ('ACCREC', 'ACCPAY') SERVER xero OPTIONS (object 'accounting/Invoices', page_size '20');
CREATE FOREIGN TABLE document_credits PARTITION OF document
	FOR VALUES IN ('ACCRECCREDIT', 'ACCPAYCREDIT') SERVER xero
	OPTIONS (object 'accounting/CreditNotes', page_size '14');
CREATE TABLE document_other PARTITION OF document DEFAULT;
INSERT INTO document VALUES ('other', 'PAID', '2025-03-03', NULL, 77777);
CREATE TABLE local_document AS SELECT * FROM document;
SELECT FROM calls();
EXPLAIN (COSTS OFF) SELECT date FROM document ORDER BY date DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT total FROM document LIMIT 5;
CREATE FUNCTION same_documents(query text) RETURNS TABLE (same boolean, calls text)
LANGUAGE plpgsql AS $$
DECLARE
	remote text;
	here text;
BEGIN
	EXECUTE format('SELECT array_agg(r::text) FROM (%s) AS r', replace(query, '@', 'document'))
		INTO remote;
	EXECUTE format('SELECT array_agg(r::text) FROM (%s) AS r', replace(query, '@', 'local_document'))
		INTO here;
	same := remote IS NOT DISTINCT FROM here;
	calls := (SELECT string_agg(r, ', ' ORDER BY r)
		FROM (SELECT count(*) || ' ' || substring(c FROM '0/([^?]*)') FROM calls() AS c
			GROUP BY substring(c FROM '0/([^?]*)')) AS s(r));
	RETURN NEXT;
END $$;
SELECT q AS query, same, calls
FROM unnest(ARRAY['SELECT date FROM @ ORDER BY date DESC LIMIT 5',
	'SELECT total FROM @ WHERE status = ''PAID'' ORDER BY total DESC LIMIT 4 OFFSET 3',
	'SELECT date, total FROM @ ORDER BY date, total DESC LIMIT 7',
	'SELECT max(date) FROM @', 'SELECT min(total) FROM @ WHERE status = ''AUTHORISED''',
	'SELECT due_date FROM @ ORDER BY due_date LIMIT 3',
	'SELECT total FROM @ WHERE type = ''ACCREC'' ORDER BY total DESC LIMIT 3',
	'SELECT date FROM (SELECT date FROM @ UNION ALL SELECT date FROM @) AS u ORDER BY date LIMIT 3']) AS q, same_documents(q);

-- They are counted as well, if PostgreSQL is let.
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT count(*) FROM document WHERE total > 100;
EXPLAIN (COSTS OFF) SELECT type, count(*) FROM document GROUP BY type HAVING count(*) > 5;
SELECT q AS query, same, calls
FROM unnest(ARRAY['SELECT count(*) FROM @', 'SELECT count(*) + 1, count(total) FROM @ WHERE total > 100',
	'SELECT count(*) FILTER (WHERE status = ''PAID''), count(due_date) FROM @ HAVING count(*) > 5',
	'SELECT count(*) FROM @ HAVING count(*) > 100000',
	'SELECT type, count(*) FROM @ GROUP BY type HAVING count(*) > 5 ORDER BY type',
	'SELECT status, count(*) FROM @ GROUP BY status HAVING count(*) > 5 ORDER BY status',
	'SELECT count(*), sum(total) FROM @', 'SELECT count(*) FROM @ WHERE type = ''ACCRECCREDIT''',
	'SELECT DISTINCT type FROM @ ORDER BY type']) AS q, same_documents(q);
RESET enable_partitionwise_aggregate;
DROP FUNCTION same_documents(text);
DROP TABLE document, local_document;

-- inheritance
CREATE TABLE parent (invoice_id uuid, total numeric);
CREATE FOREIGN TABLE child (status text) INHERITS (parent)
	SERVER xero OPTIONS (object 'accounting/Invoices');
INSERT INTO parent VALUES (NULL, 99999);
SELECT count(*), max(total), count(*) FILTER (WHERE tableoid = 'child'::regclass) > 1 AS children
	FROM parent;
SELECT count(*) FROM parent WHERE total > 90000;
SELECT FROM calls();
SELECT count(*) > 0 AS any FROM child WHERE total > 10000 AND status = 'PAID';
SELECT * FROM calls();
DROP TABLE parent CASCADE;

-- a view that is a security barrier: its condition travels, the leaky one not
CREATE FUNCTION leak(text) RETURNS boolean
	LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END';
CREATE VIEW barrier WITH (security_barrier) AS SELECT code, description
	FROM xero.currencies WHERE code = 'AUD';
SELECT code FROM barrier WHERE leak(code);
DROP VIEW barrier;
DROP FUNCTION leak;

-- what reads, and what cannot
CREATE MATERIALIZED VIEW codes AS SELECT code FROM xero.currencies WITH NO DATA;
REFRESH MATERIALIZED VIEW codes;
SELECT count(*) > 0 AS any FROM codes;
DROP MATERIALIZED VIEW codes;
COPY (SELECT code FROM xero.currencies WHERE code = 'AUD') TO STDOUT;
CREATE TABLE copied AS SELECT * FROM xero.currencies;
INSERT INTO copied SELECT * FROM xero.currencies WHERE code = 'AUD';
UPDATE copied SET description = a.name FROM xero.accounts AS a
	WHERE a.code = '200' AND copied.code = 'AUD' RETURNING copied.description;
DELETE FROM copied USING xero.currencies AS c WHERE c.code = copied.code AND c.code = 'AUD';
MERGE INTO copied USING xero.currencies AS c ON c.code = copied.code
	WHEN NOT MATCHED THEN INSERT (code)
	VALUES (c.code);
SELECT count(*) = count(DISTINCT code) AS each_once,
	count(*) = (SELECT count(*) FROM xero.currencies) AS all_there
	FROM copied;
DROP TABLE copied;
COPY xero.currencies TO STDOUT;
ANALYZE xero.currencies;

-- rows that are locked; those of other tables may have changed meanwhile
BEGIN;
SELECT status
	FROM xero.invoices WHERE invoice_id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6' FOR UPDATE;
CREATE TEMP TABLE held AS SELECT 1 AS n;
SELECT n, i.status FROM held, xero.invoices AS i
	WHERE i.invoice_id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6' FOR UPDATE OF held;
COMMIT;
-- a plan that would be parallel
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TEMP TABLE big AS SELECT g AS n, g % 120 AS k FROM generate_series(1, 5000) AS g;
SELECT count(*) FROM big JOIN (SELECT row_number() OVER () AS k FROM xero.contacts) AS c USING (k);
