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

DROP TABLE pc;
DROP VIEW writes;
DROP FUNCTION count_rows();
DROP USER MAPPING FOR regress_xero_clerk SERVER xero;
DROP OWNED BY regress_xero_clerk;
DROP ROLE regress_xero_clerk;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
