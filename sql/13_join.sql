-- Joins: whole lists where that takes few calls, look-ups by key where few
-- keys are wanted.
CALL needs_00_setup();
CREATE TEMP TABLE wanted (n int, id uuid);
INSERT INTO wanted
	SELECT row_number() OVER (), invoice_id
	FROM (SELECT invoice_id
		FROM xero.invoices WHERE status = 'PAID' AND total > 5000 ORDER BY invoice_id LIMIT 3) AS x;
INSERT INTO wanted
	VALUES (4, '00000000-0000-0000-0000-000000000001'), (5, NULL),
		(6, (SELECT id FROM wanted WHERE n = 1));
ANALYZE wanted;
SELECT FROM calls();

-- The planner knows nothing of the number of records yet, and looks keys up in a list.
-- (The sides of an inner join's condition change places between versions.)
EXPLAIN (COSTS OFF) SELECT w.n, i.total
	FROM wanted AS w LEFT JOIN xero.invoices AS i ON i.invoice_id = w.id;
SELECT w.n, i.status, i.total > 5000 AS large
	FROM wanted AS w JOIN xero.invoices AS i ON i.invoice_id = w.id ORDER BY 1;
SELECT count(*), count(DISTINCT calls) FROM calls();
SELECT w.n, i.status
	FROM wanted AS w LEFT JOIN xero.invoices AS i ON i.invoice_id = w.id ORDER BY 1;
SELECT count(*), count(DISTINCT calls) FROM calls();
-- with a condition beside the key, and with the key on a child table
SELECT w.n FROM wanted AS w
	JOIN xero.invoices AS i ON i.invoice_id = w.id AND i.status = 'PAID' AND i.total > 5000
	ORDER BY 1;
SELECT w.n, count(l.line_amount) > 0 AS lines
	FROM wanted AS w JOIN xero.invoice_line_items AS l ON l.invoice_id = w.id GROUP BY 1 ORDER BY 1;
SELECT FROM calls();

-- IN and EXISTS of local rows, and what they exclude
SELECT count(*) FROM xero.invoices WHERE invoice_id IN (SELECT id FROM wanted);
SELECT count(*) FROM xero.invoices AS i
	WHERE EXISTS (SELECT FROM wanted AS w WHERE w.id = i.invoice_id AND w.n < 3);
SELECT count(*) < 10 AS few FROM calls();
SELECT count(*)
	FROM xero.invoices AS i WHERE NOT EXISTS (SELECT FROM wanted AS w WHERE w.id = i.invoice_id);
SELECT count(*)
	FROM xero.invoices WHERE invoice_id NOT IN (SELECT id FROM wanted WHERE id IS NOT NULL);
SELECT count(*) FROM xero.invoices WHERE invoice_id NOT IN (SELECT id FROM wanted);
SELECT n FROM wanted AS w
	WHERE NOT EXISTS (SELECT FROM xero.invoices AS i WHERE i.invoice_id = w.id) ORDER BY 1;
SELECT FROM calls();
-- an array of keys is one list request for forty
SELECT count(*) FROM xero.invoices WHERE invoice_id = ANY (ARRAY(SELECT id FROM wanted));
SELECT count(*) FROM calls();

-- LATERAL, with a limit for each row and with what the row says
SELECT w.n, l.total
	FROM wanted AS w,
		LATERAL (SELECT total > 0 AS total FROM xero.invoices WHERE invoice_id = w.id) AS l
	ORDER BY 1;
SELECT c.name <> '' AS name, l.n
	FROM (SELECT contact_id, name
		FROM xero.contacts WHERE name IN ('O''Brien & Sons', 'Strasse & Sohne')) AS c,
	LATERAL (SELECT count(*) AS n
		FROM (SELECT FROM xero.invoices AS i WHERE i.contact_id = c.contact_id LIMIT 2) AS x) AS l;
SELECT w.n, l.line FROM wanted AS w LEFT JOIN LATERAL
	(SELECT line_amount > 0 AS line
		FROM xero.invoice_line_items WHERE invoice_id = w.id LIMIT 1) AS l ON true
	ORDER BY 1;
SELECT FROM calls();

-- foreign with foreign: contents agree with joins of copies
CREATE TEMP TABLE i AS SELECT * FROM xero.invoices;
CREATE TEMP TABLE c AS SELECT * FROM xero.contacts;
CREATE TEMP TABLE p AS SELECT * FROM xero.payments;
SELECT FROM calls();
CREATE FUNCTION agree(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	a text;
	b text;
BEGIN
	EXECUTE format('SELECT string_agg(x::text, %L ORDER BY x::text) FROM (%s) AS x', E'\n',
		query) INTO a;
	EXECUTE format('SELECT string_agg(x::text, %L ORDER BY x::text) FROM (%s) AS x', E'\n',
		replace(query, 'xero.', '')) INTO b;
	RETURN a = b AND a <> '';
END $$;
ALTER TABLE i RENAME TO invoices;
ALTER TABLE c RENAME TO contacts;
ALTER TABLE p RENAME TO payments;
SELECT agree('SELECT i.invoice_number, c.name
	FROM xero.invoices AS i JOIN xero.contacts AS c USING (contact_id) WHERE i.status = ''PAID''');
SELECT agree('SELECT c.name, count(i.*), sum(i.total)
	FROM xero.contacts AS c LEFT JOIN xero.invoices AS i USING (contact_id) GROUP BY c.name');
SELECT agree('SELECT i.invoice_number, p.amount
	FROM xero.invoices AS i
		FULL JOIN xero.payments AS p ON p.invoice_id = i.invoice_id AND p.status = ''AUTHORISED''');
SELECT agree('SELECT a.invoice_number, b.invoice_number
	FROM xero.invoices AS a, xero.invoices AS b
	WHERE a.contact_id = b.contact_id AND a.date < b.date
		AND a.type = ''ACCREC'' AND b.status = ''DRAFT''');
SELECT agree('SELECT name FROM xero.contacts AS c
	WHERE NOT EXISTS (SELECT FROM xero.invoices AS i WHERE i.contact_id = c.contact_id)');
SELECT agree('SELECT name FROM xero.contacts
	WHERE contact_id IN (SELECT contact_id FROM xero.invoices WHERE total > 15000)');
SELECT agree('SELECT name, (SELECT max(total) FROM xero.invoices AS i
		WHERE i.contact_id = c.contact_id AND i.status = ''PAID'')
	FROM xero.contacts AS c WHERE name LIKE ''B%''');
SELECT agree('SELECT status FROM xero.invoices UNION SELECT contact_status FROM xero.contacts');
SELECT agree('SELECT invoice_number
	FROM xero.invoices EXCEPT ALL SELECT payment_invoice_number FROM xero.payments');
SELECT agree('WITH big AS MATERIALIZED (SELECT * FROM xero.invoices WHERE total > 10000)
	SELECT a.total, b.total FROM big AS a JOIN big AS b USING (contact_id)');
SELECT agree('SELECT invoice_number, rank() OVER (PARTITION BY contact_id ORDER BY total DESC)
	FROM xero.invoices WHERE type = ''ACCREC''');
DROP FUNCTION agree;

-- a look-up between partitions, whose parameters are those of a partition
CREATE TABLE local_parts (contact_id uuid) PARTITION BY HASH (contact_id);
CREATE TABLE local_part PARTITION OF local_parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO local_parts SELECT contact_id FROM xero.contacts ORDER BY contact_id LIMIT 2;
ANALYZE local_part;
CREATE TABLE contact_parts (contact_id uuid, name text) PARTITION BY HASH (contact_id);
CREATE FOREIGN TABLE contact_part PARTITION OF contact_parts FOR
	VALUES WITH (MODULUS 1, REMAINDER 0)
	SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20');
SET enable_partitionwise_join = on;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT FROM calls();
SELECT count(lower(name)) FROM local_parts JOIN contact_parts USING (contact_id);
SELECT * FROM calls();
RESET enable_partitionwise_join;
RESET enable_hashjoin;
RESET enable_mergejoin;
DROP TABLE local_parts, contact_parts;

-- Nothing is asked of a table that a view joins and a query does not want, as keys are
-- unique: in one organisation.
CREATE VIEW wide AS SELECT i.invoice_number, c.name, p.amount
	FROM xero.invoices AS i LEFT JOIN xero.contacts AS c USING (contact_id)
		LEFT JOIN xero.payments AS p USING (invoice_id);
CREATE VIEW careful AS SELECT i.invoice_number, c.name
	FROM xero.invoices AS i LEFT JOIN xero.contacts AS c USING (tenant_id, contact_id);
SELECT FROM calls();
SELECT count(lower(invoice_number)) > 0 AS any FROM careful;
SELECT * FROM cost;
SELECT count(lower(invoice_number)) > 0 AS any FROM wide;
SELECT * FROM cost;
SELECT tenant_id FROM xero.organisation \gset
SELECT FROM calls();
ALTER SERVER xero OPTIONS (ADD tenant_id :'tenant_id');
-- (an invoice has several payments)
SELECT count(lower(invoice_number)) > 0 AS any FROM wide;
SELECT * FROM cost;
SELECT count(lower(name)) > 0 AS any FROM careful;
SELECT * FROM cost;
ALTER SERVER xero OPTIONS (DROP tenant_id);
DROP VIEW wide, careful;
