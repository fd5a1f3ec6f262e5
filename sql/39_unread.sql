-- Records that are changed by their key, and not read before.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset contacts=5 invoices=3
CREATE FUNCTION pg_temp.rows_of(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE statement;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
INSERT INTO xero.contacts (name) VALUES ('One'), ('Two');
INSERT INTO xero.items (code) VALUES ('ONE'), ('TWO');
SELECT contact_id AS one FROM xero.contacts WHERE name = 'One' \gset
SELECT account_id AS account FROM xero.accounts WHERE code = '429' \gset
SELECT item_id AS item FROM xero.items WHERE code = 'ONE' \gset
SELECT invoice_id AS invoice FROM xero.invoices ORDER BY 1 LIMIT 1 \gset
\set none '00000000-0000-0000-0000-000000000001'
SELECT FROM cost;

-- 1. One call
SELECT pg_temp.rows_of(format(
	'UPDATE xero.contacts SET first_name = ''A'' WHERE contact_id = %L', :'one'));
UPDATE xero.contacts SET first_name = 'B', phones = '[{"PhoneType": "MOBILE", "PhoneNumber": "1"}]'
	WHERE contact_id = :'one' RETURNING name, first_name, contact_status, tenant_id IS NOT NULL;
PREPARE by_key (uuid, text) AS UPDATE xero.contacts SET last_name = $2 WHERE $1 = contact_id
	RETURNING last_name, first_name;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_key (:'one', 'C');
EXECUTE by_key (:'one', 'D');
RESET plan_cache_mode;
UPDATE xero.accounts SET description = 'E' WHERE account_id = :'account'
	RETURNING code, description;
SELECT * FROM cost;
SELECT pg_temp.rows_of(format('DELETE FROM xero.items WHERE item_id = %L', :'item'));
SELECT * FROM cost;
SELECT first_name, last_name FROM xero.contacts WHERE contact_id = :'one';
SELECT code FROM xero.items WHERE code IN ('ONE', 'TWO');
SELECT FROM cost;

-- 2. What is not there is no row, and is not made
SELECT pg_temp.rows_of(format(
	'UPDATE xero.contacts SET first_name = ''x'' WHERE contact_id = %L', :'none'));
UPDATE xero.contacts SET first_name = 'x' WHERE contact_id = :'none' RETURNING name;
SELECT pg_temp.rows_of(format(
	'UPDATE xero.accounts SET description = ''x'' WHERE account_id = %L', :'none'));
SELECT pg_temp.rows_of(format('DELETE FROM xero.items WHERE item_id = %L', :'none'));
SELECT pg_temp.rows_of(format('DELETE FROM xero.items WHERE item_id = %L', :'item'));
EXECUTE by_key (NULL, 'x');
SELECT pg_temp.rows_of(format(statement, :'none')) FROM unnest(ARRAY[
	'UPDATE xero.tracking_categories SET status = ''ARCHIVED'' WHERE tracking_category_id = %L',
	'UPDATE xero.contact_groups SET status = ''DELETED'' WHERE contact_group_id = %L',
	'DELETE FROM xero.tracking_categories WHERE tracking_category_id = %L',
	'DELETE FROM xero.linked_transactions WHERE linked_transaction_id = %L',
	'DELETE FROM xero.accounts WHERE account_id = %L']) AS statement;
SELECT * FROM cost;
SELECT count(*) FROM xero.contacts WHERE first_name = 'x';

-- 3. What Xero refuses
SELECT * FROM error_of(format('UPDATE xero.contacts SET email_address = ''no''
	WHERE contact_id = %L RETURNING name', :'one')) AS e WHERE e NOT LIKE 'DETAIL%';
SET xero_fdw.on_row_error = log;
UPDATE xero.contacts SET email_address = 'no' WHERE contact_id = :'one' RETURNING name;
RESET xero_fdw.on_row_error;
SELECT FROM cost;

-- 4. What is read first: a new record could be made of it, or a value of the old one counts
UPDATE xero.contacts SET name = 'One' WHERE contact_id = :'one' RETURNING name;
EXECUTE by_key (:'one', NULL);
UPDATE xero.contacts SET first_name = name WHERE contact_id = :'one' RETURNING first_name;
UPDATE xero.contacts SET first_name = 'x' WHERE contact_id = :'one' AND first_name = 'y'
	RETURNING name;
UPDATE xero.contacts SET first_name = 'F', tenant_id = tenant_id WHERE contact_id = :'one'
	RETURNING first_name;
UPDATE xero.contacts SET first_name = 'G' WHERE contact_id IN (:'one', :'none')
	RETURNING first_name;
UPDATE xero.contacts SET first_name = (SELECT c.name FROM xero.contacts AS c
	WHERE c.contact_id = contacts.contact_id) WHERE contact_id = :'one' RETURNING first_name;
UPDATE xero.invoices SET reference = 'H' WHERE invoice_id = :'invoice' RETURNING reference;
DELETE FROM xero.items WHERE item_id = (SELECT item_id FROM xero.items WHERE code = 'TWO')
	RETURNING code;
DELETE FROM xero.contacts WHERE contact_id = :'one';
SELECT * FROM cost WHERE call NOT LIKE 'GET%';
SET xero_fdw.dry_run = on;
UPDATE xero.contacts SET first_name = 'Dry' WHERE contact_id = :'one' RETURNING name, first_name;
RESET xero_fdw.dry_run;
SELECT * FROM cost;

-- 5. EXPLAIN
EXPLAIN (COSTS OFF) UPDATE xero.contacts SET first_name = 'x' WHERE contact_id = :'none';
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
	UPDATE xero.contacts SET first_name = 'x' WHERE contact_id = :'none';
EXPLAIN (COSTS OFF) DELETE FROM xero.items WHERE item_id = :'none';
EXPLAIN (COSTS OFF) UPDATE xero.contacts SET name = 'x' WHERE contact_id = :'none';

\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
