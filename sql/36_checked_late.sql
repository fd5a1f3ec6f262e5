-- What PostgreSQL checks only after a row of a foreign table is written, or cannot
-- undo then: it is checked, or refused, before anything is sent.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset contacts=5
CREATE ROLE regress_xero_clerk;
GRANT USAGE ON SCHEMA xero TO regress_xero_clerk;
CREATE USER MAPPING FOR regress_xero_clerk SERVER xero OPTIONS (access_token 'sandbox-token');
CREATE TABLE pc (contact_id uuid, name text, account_number text, kind text, status text)
	PARTITION BY LIST (kind);
CREATE TABLE pc_local PARTITION OF pc FOR VALUES IN ('local');
CREATE FOREIGN TABLE pc_xero (
	account_number text OPTIONS (field 'AccountNumber'),
	contact_id uuid OPTIONS (field 'ContactID'),
	kind text OPTIONS (field 'CompanyNumber'),
	status text OPTIONS (field 'ContactStatus'),
	name text OPTIONS (field 'Name')
) SERVER xero OPTIONS (object 'accounting/Contacts');
ALTER TABLE pc ATTACH PARTITION pc_xero FOR VALUES IN ('xero', '');
GRANT SELECT, INSERT, UPDATE, DELETE ON pc TO regress_xero_clerk;
-- the writes among the calls
CREATE VIEW writes AS SELECT * FROM calls() AS call WHERE call !~ '^GET';
GRANT SELECT ON writes TO regress_xero_clerk;
SELECT FROM writes;
SET ROLE regress_xero_clerk;

-- 1. A row that moves into a foreign partition stays where it is if it cannot
INSERT INTO pc (name, kind) VALUES ('Taken', 'xero'), ('Taken', 'local'), ('New', 'local');
SELECT * FROM writes;
SET xero_fdw.on_row_error = log;
SELECT * FROM error_of('UPDATE pc SET kind = ''xero'' WHERE kind = ''local'' AND name = ''Taken''');
SELECT * FROM error_of('UPDATE pc SET kind = ''xero'', name = NULL WHERE kind = ''local''');
SELECT * FROM error_of('MERGE INTO pc USING (VALUES (''Taken'')) AS v (name)
	ON pc.kind = ''local'' AND pc.name = v.name WHEN MATCHED THEN UPDATE SET kind = ''xero''');
SELECT * FROM writes;
INSERT INTO pc (name, kind) VALUES ('Taken', 'xero'), ('Other', 'local');
RESET xero_fdw.on_row_error;
SET xero_fdw.dry_run = on;
SELECT * FROM error_of('UPDATE pc SET kind = ''xero'' WHERE kind = ''local''');
RESET xero_fdw.dry_run;
SELECT name, kind FROM pc WHERE kind = 'local' ORDER BY 1;
UPDATE pc SET kind = 'xero' WHERE kind = 'local' AND name = 'New';
SELECT name, kind FROM pc WHERE kind IN ('local', 'xero') ORDER BY 1, 2;
SELECT * FROM writes;
RESET ROLE;

-- 2. Triggers with transition tables
CREATE FUNCTION count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE INFO '% of % rows', tg_op, (SELECT count(*) FROM rows);
	RETURN NULL;
END $$;
CREATE TRIGGER i AFTER INSERT ON pc REFERENCING NEW TABLE AS rows
	FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER u AFTER UPDATE ON pc REFERENCING NEW TABLE AS rows
	FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER d AFTER DELETE ON pc REFERENCING OLD TABLE AS rows
	FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
SET ROLE regress_xero_clerk;
SELECT * FROM error_of('INSERT INTO pc (name, kind) VALUES (''Tr'', ''local''), (''Tr'', ''xero'')');
SELECT * FROM error_of('UPDATE pc SET account_number = ''x'' WHERE name = ''Taken''');
SELECT * FROM error_of('UPDATE pc SET kind = ''xero'' WHERE kind = ''local''');
SELECT * FROM error_of('DELETE FROM pc WHERE name = ''Taken''');
COPY pc (name, kind) FROM stdin;
Tr	xero
\.
SELECT * FROM writes;
-- those of other partitions it can collect
INSERT INTO pc (name, kind) VALUES ('Tr', 'local');
UPDATE pc SET account_number = 'x' WHERE name = 'Tr';
RESET ROLE;
INSERT INTO pc_xero (name, kind) VALUES ('Tr', 'xero');
SELECT * FROM writes;
DROP TRIGGER i ON pc;
DROP TRIGGER u ON pc;
DROP TRIGGER d ON pc;

-- 3. A view WITH CHECK OPTION, of a role that has nothing else
CREATE VIEW bob WITH (security_barrier) AS
	SELECT contact_id, name, account_number, contact_status FROM xero.contacts
	WHERE account_number LIKE 'BOB%' WITH CASCADED CHECK OPTION;
CREATE VIEW bob_b AS SELECT * FROM bob WHERE name >= 'B' WITH LOCAL CHECK OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE ON bob, bob_b TO regress_xero_clerk;
SET ROLE regress_xero_clerk;
INSERT INTO bob (name, account_number) VALUES ('Bob 1', 'BOB-1') RETURNING name, account_number;
UPDATE bob SET name = 'Bob one' WHERE name = 'Bob 1' RETURNING name;
UPDATE bob_b SET account_number = 'BOB-3' WHERE name = 'Bob one' RETURNING account_number;
SELECT * FROM writes;
SELECT * FROM error_of('INSERT INTO bob (name, account_number) VALUES (''Not Bob'', ''ADMIN-1'')');
SELECT * FROM error_of('INSERT INTO bob (name, account_number)
	SELECT ''Not Bob'', ''ADMIN-1'' FROM generate_series(1, 3)');
SELECT * FROM error_of('INSERT INTO bob_b (name, account_number) VALUES (''Anna'', ''BOB-2'')');
SELECT * FROM error_of('INSERT INTO bob_b (name, account_number) VALUES (''Bert'', ''ADMIN-1'')');
SELECT * FROM error_of('UPDATE bob SET account_number = ''ADMIN-2''');
SELECT * FROM error_of('UPDATE bob_b SET account_number = ''ADMIN-2''');
SELECT * FROM error_of('UPDATE bob_b SET name = ''Anna''');
-- what Xero makes of a row may be another one
SELECT * FROM error_of('INSERT INTO bob (name) VALUES (''Nobody'')');
SELECT * FROM error_of('UPDATE bob SET account_number = NULL');
SELECT * FROM error_of('INSERT INTO bob (name, account_number) VALUES (''Blank'', ''BOB-1 '')');
SELECT * FROM error_of('INSERT INTO bob (name, account_number) VALUES (''Blank'', E''BOB\u200b-1'')');
-- nor is such a row one that Xero refuses
SET xero_fdw.on_row_error = log;
SELECT * FROM error_of('INSERT INTO bob (name, account_number) VALUES (''Not Bob'', ''ADMIN-1'')');
RESET xero_fdw.on_row_error;
SELECT * FROM writes;
RESET ROLE;
DROP VIEW bob_b, bob;

-- 4. Checks of what Xero computes, fills in, or writes in a form of its own
CREATE VIEW active AS SELECT name, contact_status FROM xero.contacts
	WHERE contact_status = 'ACTIVE' WITH CHECK OPTION;
CREATE VIEW no_customers AS SELECT name, first_name FROM xero.contacts
	WHERE is_customer IS NOT TRUE WITH CHECK OPTION;
CREATE VIEW phones AS SELECT name, phones FROM xero.contacts
	WHERE jsonb_typeof(phones) <> 'object' WITH CHECK OPTION;
CREATE VIEW whole AS SELECT name FROM xero.contacts AS c
	WHERE c IS DISTINCT FROM NULL WITH CHECK OPTION;
CREATE VIEW cheap AS SELECT invoice_id, account_id, date, amount FROM xero.payments
	WHERE amount < 100 WITH CHECK OPTION;
CREATE VIEW numbered AS SELECT invoice_id, invoice_number, account_id, date, amount
	FROM xero.payments
	WHERE invoice_number LIKE 'BOB%' WITH CHECK OPTION;
CREATE VIEW of_bank AS SELECT bank_account_id, bank_account_code FROM xero.bank_transactions
	WHERE bank_account_code <> 'ADMIN' WITH CHECK OPTION;
CREATE VIEW keyed AS SELECT contact_id, name FROM xero.contacts
	WHERE contact_id IS DISTINCT FROM '00000000-0000-0000-0000-000000000000' WITH CHECK OPTION;
CREATE VIEW lines AS SELECT invoice_id, quantity, line_amount FROM xero.invoice_line_items
	WHERE line_amount < 1000000 WITH CHECK OPTION;
CREATE VIEW dated AS SELECT invoice_id, description FROM xero.invoice_line_items
	WHERE invoice_date < '2100-01-01' WITH CHECK OPTION;
CREATE VIEW listed AS SELECT name, account_number FROM xero.contacts AS c
	WHERE EXISTS (SELECT FROM pc_local AS l WHERE l.name = c.account_number) WITH CHECK OPTION;
GRANT SELECT, INSERT, UPDATE ON active, no_customers, phones, whole, cheap, numbered, of_bank,
	keyed, lines, dated, listed
	TO regress_xero_clerk;
SET ROLE regress_xero_clerk;
SELECT * FROM error_of('INSERT INTO active (name) VALUES (''x'')');
SELECT * FROM error_of('INSERT INTO no_customers (name) VALUES (''x'')');
SELECT * FROM error_of('UPDATE no_customers SET first_name = ''x''');
SELECT * FROM error_of('INSERT INTO phones VALUES (''x'', ''[]'')');
SELECT * FROM error_of('INSERT INTO whole (name) VALUES (''x'')');
SELECT * FROM error_of('INSERT INTO cheap VALUES
	(gen_random_uuid(), gen_random_uuid(), current_date, 99.999)');
SELECT * FROM error_of('INSERT INTO cheap VALUES (''00000000-0000-0000-0000-000000000001'',
	''00000000-0000-0000-0000-000000000002'', ''2026-01-02'', 100)');
-- what another column says, too
SELECT * FROM error_of('INSERT INTO numbered
	VALUES (gen_random_uuid(), ''BOB-1'', gen_random_uuid(), current_date, 1)');
SELECT * FROM error_of('UPDATE of_bank SET bank_account_id = gen_random_uuid()');
SELECT * FROM error_of('INSERT INTO keyed (name) VALUES (''x'')');
SELECT * FROM error_of('UPDATE lines SET quantity = 1000');
SELECT * FROM error_of('UPDATE dated SET description = ''x''');
SELECT * FROM error_of('INSERT INTO listed VALUES (''x'', ''y'')');
SELECT * FROM writes;
INSERT INTO active VALUES ('Through a view', 'ACTIVE') RETURNING *;
INSERT INTO listed VALUES ('Through a subquery', 'Taken') RETURNING *;
UPDATE keyed SET name = 'Through its key' WHERE name = 'Through a view';
SELECT * FROM writes;
RESET ROLE;
DROP VIEW active, no_customers, phones, whole, cheap, numbered, of_bank, keyed, lines, dated, listed;

-- 5. Views of a partitioned table, and its policies, which PostgreSQL does not check
-- in foreign partitions
CREATE VIEW pv AS SELECT * FROM pc WHERE account_number LIKE 'P%' WITH CHECK OPTION;
GRANT SELECT, INSERT, UPDATE ON pv TO regress_xero_clerk;
ALTER TABLE pc ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON pc TO regress_xero_clerk USING (account_number LIKE 'P%')
	WITH CHECK (account_number NOT LIKE '%!');
SET ROLE regress_xero_clerk;
SELECT * FROM error_of('INSERT INTO pv (name, account_number, kind) VALUES (''Part'', ''Q-1'', ''xero'')');
INSERT INTO pv (name, account_number, kind) VALUES ('Part', 'P-1', 'xero'), ('Part', 'P-1', 'local');
SELECT * FROM writes;
SELECT * FROM error_of('UPDATE pv SET account_number = ''Q-2''');
SELECT * FROM error_of('UPDATE pv SET kind = ''xero'', account_number = ''Q-3'' WHERE kind = ''local''');
SELECT * FROM error_of('INSERT INTO pc (name, account_number, kind) VALUES (''R'', ''P!'', ''xero'')');
SELECT * FROM error_of('UPDATE pc SET account_number = ''P!'' WHERE kind = ''xero''');
SELECT * FROM error_of('UPDATE pc SET account_number = ''P!'', kind = ''xero'' WHERE kind = ''local''');
SELECT * FROM error_of('INSERT INTO pc (name, kind) VALUES (''R'', ''xero'')');
SELECT * FROM writes;
UPDATE pc SET account_number = 'P-2' WHERE kind = 'xero';
SELECT * FROM writes;
RESET ROLE;
DROP VIEW pv;

-- 6. Columns of one member give it one value
CREATE FOREIGN TABLE twice (
	contact_id uuid,
	n1 text OPTIONS (field 'Name'),
	n2 varchar OPTIONS (field 'name'),
	phones json,
	phones_b jsonb OPTIONS (field 'Phones'),
	limit_1 numeric OPTIONS (field 'Own'),
	limit_2 numeric OPTIONS (field 'own'),
	part text OPTIONS (field 'Own.Part')
) SERVER xero OPTIONS (object 'accounting/Contacts');
CREATE FOREIGN TABLE line_twice (
	invoice_id uuid, line_item_id uuid,
	d1 text OPTIONS (field 'Description'),
	d2 text OPTIONS (field 'Description')
) SERVER xero OPTIONS (object 'accounting/Invoices/LineItems');
CREATE VIEW first_name AS SELECT * FROM twice WHERE n1 < 'U' WITH CHECK OPTION;
GRANT SELECT ON xero.invoices TO regress_xero_clerk;
GRANT SELECT, INSERT, UPDATE ON twice, line_twice, first_name TO regress_xero_clerk;
SET ROLE regress_xero_clerk;
SELECT * FROM error_of('INSERT INTO twice (n1, n2) VALUES (''A'', ''B'')');
SELECT * FROM error_of('INSERT INTO twice (n1, phones, phones_b) VALUES (''A'', ''[]'', ''[{}]'')');
SELECT * FROM error_of('INSERT INTO twice (n1, limit_1, part) VALUES (''A'', 1, ''x'')');
SELECT * FROM error_of('UPDATE twice SET n1 = ''A'', n2 = ''B'' WHERE n1 = ''Taken''');
SELECT * FROM error_of('UPDATE twice SET n1 = ''A'', n2 = NULL WHERE n1 = ''Taken''');
SELECT * FROM error_of('INSERT INTO first_name (n2) VALUES (''Z'')');
SELECT * FROM error_of('UPDATE first_name SET n2 = ''Z'' WHERE n1 = ''Taken''');
SELECT * FROM writes;
\set VERBOSITY default
SET xero_fdw.dry_run = on;
INSERT INTO twice (n1, n2, phones, phones_b, limit_1, limit_2) VALUES
	('Same', 'Same', '[{"PhoneType":"DDI", "PhoneNumber":"1"}]', '[{"PhoneType":"DDI", "PhoneNumber":"1"}]', 1.0, 1),
	('One', NULL, NULL, NULL, NULL, 2), (NULL, 'Two', NULL, NULL, NULL, NULL);
UPDATE twice SET n2 = 'Second' WHERE contact_id = (SELECT contact_id FROM twice WHERE n1 = 'Taken');
RESET xero_fdw.dry_run;
\set VERBOSITY terse
UPDATE first_name SET n1 = 'Three', n2 = 'Three' WHERE n1 = 'Taken' RETURNING n1, n2;
UPDATE line_twice SET d2 = 'Second' WHERE line_item_id = (
	SELECT l.line_item_id FROM line_twice AS l JOIN xero.invoices AS i USING (invoice_id)
	WHERE i.type = 'ACCREC' AND i.status = 'DRAFT' ORDER BY 1 LIMIT 1)
	RETURNING d1, d2;
RESET ROLE;
DROP VIEW first_name;
DROP FOREIGN TABLE twice, line_twice;

DROP TABLE pc;
DROP VIEW writes;
DROP FUNCTION count_rows();
DROP USER MAPPING FOR regress_xero_clerk SERVER xero;
DROP OWNED BY regress_xero_clerk;
DROP ROLE regress_xero_clerk;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
