-- INSERT never changes a contact that has the new one's number, whether Xero
-- refuses to or not.
CALL needs_00_setup();
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
CREATE FUNCTION numbered() RETURNS TABLE (contact_number text, name text) LANGUAGE sql AS $$
	SELECT contact_number, name FROM xero.contacts WHERE contact_number LIKE 'T-%' ORDER BY 1, 2
$$;
EXPLAIN (COSTS OFF) INSERT INTO xero.contacts (name, contact_number) VALUES ('x', 'T-1');
EXPLAIN (COSTS OFF) INSERT INTO xero.contacts (contact_number, name) SELECT n, n FROM generate_series(1, 2) AS n;
EXPLAIN (COSTS OFF) INSERT INTO xero.contacts (name) SELECT n FROM generate_series(1, 2) AS n;
EXPLAIN (COSTS OFF) UPDATE xero.contacts SET contact_number = 'T-1' WHERE name = 'x';

\! "$PG_ABS_SRCDIR/test/sandbox-control" reset quirks='["put-overwrites-contacts"]'
-- 1. one call for all numbers of a request, none without
INSERT INTO xero.contacts (name, contact_number) VALUES ('One', 'T-1'), ('Two', 'T-2'), ('Three', NULL), ('Four', '');
SELECT * FROM calls();
INSERT INTO xero.contacts (name) VALUES ('Five');
SELECT * FROM calls();

-- 2. nothing is sent of a request that has a number that is taken
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Six', 'T-6'), ('Other', 'T-1')$$);
SELECT * FROM calls();
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Other', 't-1 ') RETURNING name$$);
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Six', 'T-6'), ('Seven', 'T-6')$$);
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Six', 'T-"6"')$$);
-- an archived contact keeps its number
DELETE FROM xero.contacts WHERE name = 'Two';
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Other', 'T-2')$$);
SELECT * FROM numbered();

-- 3. those that can be stored are, if the others are noted
SET xero_fdw.on_row_error = 'log';
INSERT INTO xero.contacts (name, contact_number) VALUES ('Other', 'T-1'), ('Six', 'T-6'), ('Another', 'T-6'), ('Eight', NULL);
RESET xero_fdw.on_row_error;
SELECT key, sqlstate, message, "values" FROM xero_fdw.write_errors;
SELECT * FROM numbered();
SELECT count(*) FROM xero.contacts WHERE name IN ('Other', 'Another', 'Eight');

-- 4. a number that is spelled otherwise; many of them; and a request that is only shown
INSERT INTO xero.contacts (name, contact_number) VALUES ('Cafe', 'T-É');
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Other', 'T-é')$$);
-- (to Xero, accents may make no difference, so each number is asked about by itself)
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Contacts method=GET times=2 body='{"Contacts":[{"ContactNumber":"T-7ä"}]}'
SELECT FROM calls();
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Other', 'T-7a'), ('Nine', 'T-9')$$);
SELECT * FROM calls();
INSERT INTO xero.contacts (name, contact_number) SELECT 'Many ' || n, 'M-' || n FROM generate_series(1, 60) AS n;
SELECT left(call, 80) AS call FROM calls() AS call;
SET xero_fdw.dry_run = on;
INSERT INTO xero.contacts (name, contact_number) VALUES ('Other', 'T-1');
RESET xero_fdw.dry_run;
SELECT * FROM calls();

-- 5. what syncs push: each row has its own outcome and its own record
SELECT row_number, stored, sqlstate, message, record->>'name' AS record
FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "Ten", "contact_number": "T-10"},
	{"name": "Other", "contact_number": "T-1"}, {"name": "Eleven"}, {"name": "Another", "contact_number": "T-6"},
	{"name": "Twelve", "contact_number": "T-12"}]', 'taken-1', NULL);
SELECT row_number, stored, sqlstate, record FROM xero_fdw._push('xero.contacts', 'insert',
	'[{"name": "Ten", "contact_number": "T-10"}]', 'taken-1', clock_timestamp());
SELECT * FROM numbered();

-- 6. a very large organisation is not asked by number, but for each record
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset quirks='["put-overwrites-contacts"]' high_volume=50
INSERT INTO xero.contacts (name, contact_number) VALUES ('One', 'T-1'), ('Two', 'T-2');
SELECT * FROM calls();
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Six', 'T-6'), ('Other', 'T-2'),
	('Seven', 'T/7'), ('Eight', '5d2b5a4e1d4c4e0a8f0e2b1f4f7c0001')$$);

-- 7. the same where Xero refuses
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
INSERT INTO xero.contacts (name, contact_number) VALUES ('One', 'T-1');
SELECT * FROM error_of($$INSERT INTO xero.contacts (name, contact_number) VALUES ('Other', 'T-1')$$);
SELECT * FROM numbered();
DROP FUNCTION numbered;
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
