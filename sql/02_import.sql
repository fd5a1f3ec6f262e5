-- IMPORT FOREIGN SCHEMA: from the catalogue, without a call.
CALL needs_00_setup();
CREATE SERVER nowhere FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (api_url 'http://127.0.0.1:9', tenant_id '00000000-0000-0000-0000-000000000001');
SET client_min_messages = 'warning';
CREATE SCHEMA "Some Where";

IMPORT FOREIGN SCHEMA accounting LIMIT TO (organisation, "users")
	FROM SERVER nowhere INTO "Some Where";
\d "Some Where".*
IMPORT FOREIGN SCHEMA accounting LIMIT TO (organisation) FROM SERVER nowhere INTO "Some Where";
DROP SCHEMA "Some Where" CASCADE;
CREATE SCHEMA "Some Where";

-- all but some; one that does not exist is no harm here
IMPORT FOREIGN SCHEMA accounting EXCEPT (invoices, invoice_line_items, bills)
	FROM SERVER nowhere INTO "Some Where";
SELECT o.table_name FROM xero_fdw.objects AS o
WHERE o.api = 'accounting' AND to_regclass(format('"Some Where".%I', o.table_name)) IS NULL;
DROP SCHEMA "Some Where" CASCADE;

-- what is not there
IMPORT FOREIGN SCHEMA accounting LIMIT TO (invoices, bills) FROM SERVER nowhere INTO xero;
IMPORT FOREIGN SCHEMA books FROM SERVER nowhere INTO xero;
IMPORT FOREIGN SCHEMA "Accounting" FROM SERVER nowhere INTO xero;
IMPORT FOREIGN SCHEMA accounting FROM SERVER nowhere INTO xero OPTIONS (prefix 'x');

-- another remote schema
CREATE SCHEMA payroll_uk;
IMPORT FOREIGN SCHEMA payroll_uk FROM SERVER nowhere INTO payroll_uk;
SELECT ft.foreign_table_name, o.option_value
FROM information_schema.foreign_tables AS ft
	JOIN information_schema.foreign_table_options AS o USING (foreign_table_schema, foreign_table_name)
WHERE foreign_table_schema = 'payroll_uk';
DROP SCHEMA payroll_uk CASCADE;

-- Tables and columns are those of the catalogue ...
SELECT table_name, column_name, data_type, field FROM xero_fdw.columns WHERE api = 'accounting'
EXCEPT
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
	(SELECT option_value FROM pg_options_to_table(a.attfdwoptions) WHERE option_name = 'field')
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 1
WHERE c.relnamespace = 'xero'::regnamespace;
-- ... the first column is the organisation in all of them ...
SELECT count(*) FILTER (WHERE a.attname = 'tenant_id'
	AND a.atttypid = 'uuid'::regtype) = count(*) AS all_tenant_id
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = 1
WHERE c.relnamespace = 'xero'::regnamespace;
-- ... and every table and column is explained.
SELECT c.relname, a.attname
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'xero'::regnamespace AND
	(col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL);
SELECT obj_description('xero.invoices'::regclass), col_description('xero.invoices'::regclass, 1),
	col_description('xero.invoices'::regclass, 2) \gx

-- names that need quotes
CREATE SERVER "Where's ""it" FOREIGN DATA WRAPPER xero_fdw;
CREATE SCHEMA "Some ""Where";
IMPORT FOREIGN SCHEMA accounting LIMIT TO ("users") FROM SERVER "Where's ""it" INTO "Some ""Where";
SELECT foreign_server_name, foreign_table_schema
	FROM information_schema.foreign_tables WHERE foreign_table_schema LIKE 'Some%';
DROP SERVER "Where's ""it" CASCADE;
DROP SCHEMA "Some ""Where";

-- A table that a user writes is left without comments.
CREATE FOREIGN TABLE own (invoice_id uuid) SERVER nowhere OPTIONS (object 'accounting/Invoices');
SELECT obj_description('own'::regclass), col_description('own'::regclass, 1);

-- IMPORT works for those who may use the server, and in a transaction.
CREATE ROLE regress_xero_user;
GRANT USAGE ON FOREIGN SERVER nowhere TO regress_xero_user;
CREATE SCHEMA theirs AUTHORIZATION regress_xero_user;
SET ROLE regress_xero_user;
BEGIN;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (currencies) FROM SERVER nowhere INTO theirs;
SELECT obj_description('theirs.currencies'::regclass);
ROLLBACK;
SELECT to_regclass('theirs.currencies');
RESET ROLE;
DROP SCHEMA theirs;
DROP SERVER nowhere CASCADE;
DROP ROLE regress_xero_user;
SELECT * FROM calls();
