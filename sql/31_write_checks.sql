-- What is checked before a call is made, what EXPLAIN shows, and the options
-- and variables of writes.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset

EXPLAIN (COSTS OFF) INSERT INTO xero.contacts (name) VALUES ('x'), ('y');
EXPLAIN (COSTS OFF) INSERT INTO xero.contacts (name) VALUES ('x') RETURNING contact_id;
EXPLAIN (COSTS OFF) INSERT INTO xero.accounts (name) SELECT name FROM xero.accounts;
EXPLAIN (COSTS OFF) UPDATE xero.invoices SET reference = 'x' WHERE status = 'DRAFT';
EXPLAIN (COSTS OFF) UPDATE xero.invoices SET reference = 'x' WHERE status = 'DRAFT' RETURNING total;
EXPLAIN (COSTS OFF) UPDATE xero.tax_rates SET name = 'x' WHERE tax_type = 'TAX001';
EXPLAIN (COSTS OFF) DELETE FROM xero.items WHERE code = 'x';
EXPLAIN (COSTS OFF) DELETE FROM xero.quotes WHERE status = 'DRAFT';

-- what each object takes
SELECT table_name, pg_relation_is_updatable(('xero.' || table_name)::regclass, false) AS events
FROM xero_fdw.objects
WHERE api = 'accounting'
	AND pg_relation_is_updatable(('xero.' || table_name)::regclass, false) > 0;

-- required columns, all of them
SELECT * FROM error_of('INSERT INTO xero.contacts (first_name) VALUES (''x'')');
SELECT * FROM error_of('INSERT INTO xero.payments (reference) VALUES (''x'')');
SELECT * FROM error_of('INSERT INTO xero.invoices (reference) VALUES (''x'')');
SELECT * FROM error_of('UPDATE xero.contacts SET name = NULL');
-- computed columns
SELECT * FROM error_of('INSERT INTO xero.contacts (name, is_customer) VALUES (''x'', true)');
SELECT * FROM error_of('INSERT INTO xero.contacts (name, contact_id)
	VALUES (''x'', gen_random_uuid())');
SELECT * FROM error_of('UPDATE xero.contacts SET is_customer = true');
SELECT * FROM error_of('UPDATE xero.contacts SET tenant_id = gen_random_uuid()');
COPY xero.contacts (name, is_customer) FROM stdin;
x	t
\.
-- values
SELECT * FROM error_of('INSERT INTO xero.contacts (name, contact_status)
	VALUES (''x'', ''active'')');
SELECT * FROM error_of('INSERT INTO xero.contacts (name, account_number)
	VALUES (''x'', repeat(''x'', 51))');
SELECT * FROM error_of('INSERT INTO xero.invoices (type, contact_id, line_items, date)
	VALUES (''ACCREC'', gen_random_uuid(), ''[]'', ''-infinity'')');
SELECT * FROM error_of('INSERT INTO xero.invoices (type, contact_id, line_items, date)
	VALUES (''ACCREC'', gen_random_uuid(), ''[]'', ''0044-03-15 BC'')');
SELECT * FROM error_of('INSERT INTO xero.invoices (type, contact_id, line_items, currency_rate)
	VALUES (''ACCREC'', gen_random_uuid(), ''[]'', ''NaN'')');
SELECT * FROM error_of('INSERT INTO xero.contacts (name, tenant_id)
	VALUES (''x'', ''00000000-0000-0000-0000-000000000000'')');
SELECT * FROM error_of('UPDATE xero.invoices SET due_date = NULL');
-- operations
SELECT * FROM error_of('INSERT INTO xero.users (first_name) VALUES (''x'')');
SELECT * FROM error_of('INSERT INTO xero.contact_phones (phone_number) VALUES (''x'')');
SELECT * FROM error_of('UPDATE xero.payments SET reference = ''x''');
SELECT * FROM error_of('DELETE FROM xero.currencies');
SELECT * FROM error_of('DELETE FROM xero.invoices WHERE status = ''VOIDED''');
SELECT * FROM error_of('TRUNCATE xero.contacts');
SELECT * FROM error_of('INSERT INTO xero.contacts (name) VALUES (''x'') ON CONFLICT DO NOTHING');
-- columns that were dropped, or are one's own
CREATE FOREIGN TABLE nokey (name text) SERVER xero OPTIONS (object 'accounting/Contacts');
SELECT * FROM error_of('UPDATE nokey SET name = ''x''');
SELECT * FROM error_of('DELETE FROM nokey');
INSERT INTO nokey VALUES ('No key');
CREATE FOREIGN TABLE nostatus (invoice_id uuid) SERVER xero OPTIONS (object 'accounting/Invoices');
SELECT * FROM error_of('DELETE FROM nostatus');
CREATE FOREIGN TABLE own (
	code varchar(30) NOT NULL,
	label text OPTIONS (field 'Name'),
	price numeric OPTIONS (field 'SalesDetails.UnitPrice'),
	account text OPTIONS (field 'SalesDetails.AccountCode')
) SERVER xero OPTIONS (object 'accounting/Items');
INSERT INTO own VALUES ('OWN', 'Own', 12.3456, '200') RETURNING *;
SELECT * FROM error_of('INSERT INTO own VALUES (NULL)');
SELECT * FROM calls();

-- only showing it
SET xero_fdw.dry_run = on;
\set VERBOSITY default
INSERT INTO xero.contacts (name) VALUES (E'Dry "1"\n'), ('Dry 2') RETURNING name;
INSERT INTO xero.invoices (type, contact_id, date, line_items)
	VALUES ('ACCREC', '00000000-0000-0000-0000-000000000001', '2026-01-02', '[{"Quantity": 1.10}]');
UPDATE xero.contacts SET email_address = NULL WHERE name IN ('Fresh one', 'No key');
DELETE FROM xero.contacts WHERE name = 'No key';
RESET xero_fdw.dry_run;
SELECT contact_status FROM xero.contacts WHERE name = 'No key';
SELECT * FROM calls();

-- going on
SET xero_fdw.on_row_error = log;
INSERT INTO xero.contacts (name, email_address)
	VALUES ('No key', NULL), ('On', NULL), ('Off', '?'), (NULL, NULL);
UPDATE xero.contacts SET email_address = 'no' WHERE name = 'On' RETURNING name;
DELETE FROM xero.contacts WHERE contact_status = 'ARCHIVED' AND name LIKE 'A%';
SELECT table_name, operation, regexp_replace(key, '[0-9a-f-]{36}', '...') AS key, sqlstate, message,
	"values" - 'ContactID' AS "values"
	FROM xero_fdw.write_errors
	WHERE operation <> 'DELETE';
SELECT count(*) FROM xero.contacts WHERE name IN ('On', 'Off');
SELECT * FROM calls();
RESET xero_fdw.on_row_error;

-- a read-only connection
ALTER FOREIGN TABLE xero.contacts OPTIONS (ADD updatable 'false');
SELECT * FROM error_of('INSERT INTO xero.contacts (name) VALUES (''x'')');
SELECT * FROM error_of('UPDATE xero.contacts SET first_name = ''x''');
SELECT * FROM error_of('DELETE FROM xero.contacts');
ALTER FOREIGN TABLE xero.contacts OPTIONS (SET updatable 'true', ADD batch_size '3');
EXPLAIN (COSTS OFF) INSERT INTO xero.contacts (name) VALUES ('x');
ALTER FOREIGN TABLE xero.contacts OPTIONS (DROP updatable, DROP batch_size);

DROP FOREIGN TABLE nokey, nostatus, own;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
