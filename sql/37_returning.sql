-- RETURNING: rows are written in batches, and come back as Xero stored them.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset contacts=5 invoices=0
SELECT FROM cost;

-- 1. As many calls as without, and the rows in their order
CREATE TABLE made (n int, contact_id uuid, name text);
WITH new AS (
	INSERT INTO xero.contacts (name, account_number)
	SELECT 'New ' || n, n FROM generate_series(1, 1000) AS n
	RETURNING contact_id, name, account_number)
INSERT INTO made SELECT account_number::int, contact_id, name FROM new;
SELECT * FROM cost;
SELECT count(*), count(DISTINCT contact_id), bool_and(name = 'New ' || n), min(n), max(n) FROM made;
SELECT count(*) FROM made JOIN xero.contacts USING (contact_id, name);
SELECT FROM cost;
CREATE FUNCTION pg_temp.rows_of(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE statement;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
SELECT pg_temp.rows_of('INSERT INTO xero.contacts (name)
	SELECT ''Tag '' || n FROM generate_series(1, 60) AS n RETURNING name');
SELECT pg_temp.rows_of('UPDATE xero.contacts SET first_name = ''T''
	WHERE name LIKE ''Tag %'' RETURNING name');
SELECT pg_temp.rows_of('DELETE FROM xero.contacts WHERE name LIKE ''Tag %'' RETURNING name');
SELECT * FROM cost;

-- 2. All that a RETURNING may have
INSERT INTO xero.contacts AS c (name, addresses)
	VALUES ('All 1', '[{"City": "Perth"}]'), ('All 2', NULL)
	RETURNING name, contact_status, contact_id IS NOT NULL, tenant_id IS NOT NULL,
		c.tableoid::regclass, jsonb_path_query_array(addresses, '$[*].City'),
		(c).name = (to_jsonb(c) ->> 'name') AS whole,
		(SELECT count(*) FROM made WHERE made.name = 'New ' || right(c.name, 1)) AS sub;
WITH w AS (UPDATE xero.contacts SET (first_name, last_name) = (SELECT 'F', left(name, 3))
	WHERE name LIKE 'All %' RETURNING *)
SELECT name, first_name, last_name, updated_date_utc IS NOT NULL FROM w ORDER BY name;
CREATE TABLE wanted (name text, label text);
INSERT INTO wanted VALUES ('All 1', 'one'), ('All 2', 'two'), ('All 1', 'one more');
SELECT FROM cost;
UPDATE xero.contacts AS c SET account_number = w.label FROM wanted AS w
	WHERE c.name = w.name AND c.name LIKE 'All %' AND w.label <> 'one more'
	RETURNING c.name, account_number, w.label, w AS whole;
-- found twice, written and returned once
UPDATE xero.contacts AS c SET account_number = left(w.label, 1) FROM wanted AS w
	WHERE c.name = w.name AND c.name LIKE 'All %' RETURNING c.name, account_number = left(label, 1);
DELETE FROM xero.contacts AS c USING (SELECT DISTINCT name FROM wanted) AS w
	WHERE c.name = w.name AND c.name LIKE 'All %'
	RETURNING c.name, w.name, contact_status, first_name, c.tableoid::regclass;
SELECT * FROM cost;
-- functions of the rows are called once
CREATE SEQUENCE ordinal;
INSERT INTO xero.contacts (name) SELECT 'Seq ' || nextval('ordinal') FROM generate_series(1, 3)
	RETURNING name;
SELECT nextval('ordinal');
-- plans that sort, hash and repeat; columns that only sort; none to return
INSERT INTO xero.contacts (name)
	SELECT DISTINCT 'Sort ' || m.n FROM made AS m JOIN made AS o ON m.n = o.n WHERE m.n <= 120
	ORDER BY 1 DESC OFFSET 118 RETURNING name;
INSERT INTO xero.contacts (name)
	SELECT 'Junk ' || n FROM made WHERE n < 4 ORDER BY -n RETURNING name;
INSERT INTO xero.contacts (name) SELECT name FROM made WHERE false RETURNING name;
PREPARE p (text, int) AS INSERT INTO xero.contacts (name)
	SELECT $1 || n FROM generate_series(1, $2) AS n RETURNING name;
SET plan_cache_mode = force_generic_plan;
EXECUTE p ('Prep ', 2);
EXECUTE p ('Again ', 1);
RESET plan_cache_mode;
SELECT * FROM cost;
DO $$
DECLARE
	r record;
	n int := 0;
BEGIN
	FOR r IN INSERT INTO xero.contacts (name) SELECT 'Loop ' || i FROM generate_series(1, 55) AS i
		RETURNING name LOOP
		n := n + 1;
		EXIT WHEN n = 2;
	END LOOP;
END $$;
SELECT count(*) FROM xero.contacts WHERE name LIKE 'Loop %';
SELECT * FROM cost;

-- 3. Rows that are refused
SELECT FROM cost;
SET xero_fdw.on_row_error = log;
WITH new AS (
	INSERT INTO xero.contacts (name, email_address)
	SELECT CASE WHEN n = 7 THEN 'New 1' WHEN n <> 9 THEN 'Log ' || n END,
		CASE n WHEN 52 THEN 'none' END
	FROM generate_series(1, 101) AS n WHERE n IN (1, 7, 8, 9) OR n > 49 RETURNING name)
SELECT count(*), count(DISTINCT name), min(name), max(name) FROM new WHERE name LIKE 'Log %';
SELECT * FROM cost;
SELECT sqlstate, key, "values" ->> 'Name' FROM xero_fdw.write_errors;
WITH changed AS (
	UPDATE xero.contacts
	SET email_address = CASE WHEN name LIKE '%1' THEN 'no' ELSE 'a@example.com' END
	WHERE name LIKE 'Seq %' RETURNING name, email_address)
SELECT * FROM changed ORDER BY name;
RESET xero_fdw.on_row_error;
SELECT FROM cost;
SELECT regexp_replace(error, '[0-9a-f-]{36}(, )?', 'N ', 'g')
FROM error_of('INSERT INTO xero.contacts (name)
	SELECT CASE n WHEN 57 THEN ''New 1'' ELSE ''Half '' || n END
	FROM generate_series(1, 58) AS n RETURNING name') AS error;
SELECT * FROM cost;
SELECT count(*) FROM xero.contacts WHERE name LIKE 'Half %';
SELECT * FROM error_of('INSERT INTO xero.contacts (name) VALUES (''x'')
	ON CONFLICT DO NOTHING RETURNING name');
SELECT FROM cost;
SET xero_fdw.dry_run = on;
INSERT INTO xero.contacts (name) VALUES ('Dry 1'), ('Dry 2') RETURNING name, contact_id;
UPDATE xero.contacts SET first_name = 'Dry' WHERE name = 'Seq 2'
	RETURNING name, first_name, email_address;
DELETE FROM xero.contacts WHERE name = 'Seq 1' RETURNING name, first_name;
RESET xero_fdw.dry_run;

-- 4. What sends rows one by one
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_LEVEL = 'STATEMENT' THEN
		RAISE NOTICE '% %: %', TG_WHEN, TG_OP,
			(SELECT count(*) FROM xero.contacts WHERE name LIKE 'Trig %');
		RETURN NULL;
	END IF;
	NEW.name := NEW.name || '!';
	RETURN NEW;
END $$;
CREATE TRIGGER s AFTER INSERT OR UPDATE ON xero.contacts FOR EACH STATEMENT EXECUTE FUNCTION tell();
SELECT FROM cost;
INSERT INTO xero.contacts (name)
	SELECT 'Trig ' || n FROM generate_series(1, 3) AS n RETURNING name;
UPDATE xero.contacts SET first_name = 'S' WHERE name LIKE 'Trig %' RETURNING first_name;
SELECT * FROM cost;
DROP TRIGGER s ON xero.contacts;
CREATE TRIGGER r BEFORE INSERT ON xero.contacts FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO xero.contacts (name) VALUES ('Row 1'), ('Row 2') RETURNING name;
UPDATE xero.contacts SET first_name = 'R' WHERE name LIKE 'Row %' RETURNING first_name;
SELECT * FROM cost;
DROP TRIGGER r ON xero.contacts;
CREATE VIEW plain AS SELECT name, contact_id, first_name FROM xero.contacts;
CREATE VIEW checked AS SELECT * FROM plain WHERE name <> 'x' WITH CHECK OPTION;
INSERT INTO plain (name) VALUES ('View 1'), ('View 2') RETURNING name, contact_id IS NOT NULL;
INSERT INTO checked (name) VALUES ('Checked 1'), ('Checked 2') RETURNING name;
UPDATE plain SET first_name = 'V' WHERE name LIKE 'View %' RETURNING first_name;
SELECT * FROM cost;
CREATE TABLE parted (name text, first_name text, contact_id uuid, contact_status text)
	PARTITION BY LIST (first_name);
CREATE FOREIGN TABLE parted_xero PARTITION OF parted FOR VALUES IN ('X')
	SERVER xero OPTIONS (object 'accounting/Contacts');
CREATE TABLE parted_local PARTITION OF parted FOR VALUES IN ('L');
INSERT INTO parted VALUES ('Part 1', 'X'), ('Part 2', 'L'), ('Part 3', 'X')
	RETURNING name, contact_id IS NOT NULL, tableoid::regclass;
UPDATE parted SET name = 'Part 4' WHERE name IN ('Part 1', 'Part 2')
	RETURNING name, tableoid::regclass;
DELETE FROM parted WHERE name = 'Part 4' RETURNING name, tableoid::regclass;
SELECT * FROM cost;
INSERT INTO parted_xero VALUES ('Part 5', 'X'), ('Part 6', 'X')
	RETURNING name, contact_id IS NOT NULL;
SELECT * FROM cost;
DROP TABLE parted;
ALTER FOREIGN TABLE xero.contacts OPTIONS (ADD batch_size '2');
INSERT INTO xero.contacts (name) SELECT 'Size ' || n FROM generate_series(1, 5) AS n RETURNING name;
SELECT * FROM cost;
ALTER FOREIGN TABLE xero.contacts OPTIONS (DROP batch_size);

-- 5. Rows inside of records: each is found in its record, whatever else is there
WITH doc AS (
	INSERT INTO xero.invoices (type, contact_id, date, due_date, invoice_number, line_items)
	SELECT 'ACCREC', contact_id, '2026-03-02', '2026-03-31', 'R-' || n,
		'[{"Description": "First", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}]'
	FROM made WHERE n <= 3 RETURNING invoice_id, invoice_number, total, line_items)
SELECT invoice_number, total, jsonb_array_length(line_items) FROM doc;
CREATE TEMP TABLE doc AS
	SELECT invoice_id, invoice_number FROM xero.invoices WHERE invoice_number LIKE 'R-%';
SELECT FROM cost;
INSERT INTO xero.invoice_line_items AS l (invoice_id, description, quantity,
	unit_amount, account_code)
	SELECT invoice_id, invoice_number || '/' || n, n, 10, '200'
	FROM doc, generate_series(1, 3) AS n ORDER BY n, invoice_number
	RETURNING description, line_amount, line_item_id IS NOT NULL,
		(SELECT invoice_number FROM doc WHERE doc.invoice_id = l.invoice_id);
SELECT * FROM cost;
WITH l AS (UPDATE xero.invoice_line_items AS l SET quantity = quantity + 1 FROM doc
	WHERE doc.invoice_id = l.invoice_id AND description LIKE '%/_' AND description NOT LIKE '%-2/2'
	RETURNING description, line_amount, doc.invoice_number)
SELECT * FROM l ORDER BY 1;
WITH l AS (DELETE FROM xero.invoice_line_items AS l
	WHERE invoice_id IN (SELECT invoice_id FROM doc)
	AND description LIKE '%/2' RETURNING description, line_amount)
SELECT * FROM l ORDER BY 1;
SELECT * FROM cost WHERE call LIKE 'POST%';
WITH l AS (UPDATE xero.invoice_line_items AS l SET description = description || '!'
	WHERE invoice_id IN (SELECT invoice_id FROM doc) RETURNING *)
SELECT description, line_amount FROM l ORDER BY 1;
-- and below one: a batch that is refused is taken apart
INSERT INTO xero.contact_groups (name) VALUES ('R-G');
SELECT contact_group_id AS g FROM xero.contact_groups WHERE name = 'R-G' \gset
SELECT FROM cost;
SET xero_fdw.on_row_error = log;
INSERT INTO xero.contact_group_contacts (contact_group_id, contact_id)
	SELECT :'g', CASE WHEN n = 2 THEN '00000000-0000-0000-0000-000000000001' ELSE contact_id END
	FROM made WHERE n <= 3 ORDER BY n RETURNING name, contact_group_id = :'g' AS here;
RESET xero_fdw.on_row_error;
SELECT * FROM cost;

-- 6. EXPLAIN
EXPLAIN (COSTS OFF) INSERT INTO xero.contact_groups (name)
	SELECT 'x' || n FROM generate_series(1, 3) AS n RETURNING name, contact_group_id;
EXPLAIN (COSTS OFF, VERBOSE) UPDATE xero.contacts AS c SET account_number = w.label FROM wanted AS w
	WHERE c.name = w.name RETURNING c.name, w.label;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) INSERT INTO xero.contacts (name)
	SELECT 'E' || n FROM generate_series(1, 60) AS n RETURNING name;
EXPLAIN (COSTS OFF) WITH n AS (INSERT INTO xero.contacts (name) VALUES ('x') RETURNING *) SELECT 1;

\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
