-- ANALYZE calls within xero_fdw.analyze_calls, and the planner heeds what it finds.
CALL needs_00_setup();
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset invoices=2500
CREATE FUNCTION estimate(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan #>> '{0,Plan,Plan Rows}';
END $$;
CREATE FUNCTION is_near(estimated bigint, counted bigint) RETURNS boolean LANGUAGE sql
RETURN estimated BETWEEN counted / 2 AND counted * 2;
SELECT count(*) > 0 AS some FROM calls();

-- by default there is none, also of a whole database
ANALYZE xero.invoices;
ANALYZE VERBOSE xero.invoices;
SELECT count(*) FROM calls();
SELECT count(*) FROM pg_stats WHERE schemaname = 'xero';

-- two pages of three; dead rows there are none
SET xero_fdw.analyze_calls = 2;
ANALYZE VERBOSE xero.invoices;
SELECT * FROM cost;
SELECT count(*) > 20 AS columns FROM pg_stats WHERE schemaname = 'xero' AND tablename = 'invoices';
SELECT is_near(estimate($$SELECT * FROM xero.invoices WHERE date < '2024-09-01'$$),
		(SELECT count(*) FROM xero.invoices WHERE date < '2024-09-01')) AS dates,
	is_near(estimate($$SELECT * FROM xero.invoices WHERE status = 'VOIDED'$$),
		(SELECT count(*) FROM xero.invoices WHERE status = 'VOIDED')) AS words;
SELECT count(*) > 0 AS some FROM calls();

-- rows of parents, lists without pages, what takes a call for each record, views and partitions
ANALYZE xero.invoice_line_items, xero.accounts (code, type), xero.receipt_line_items;
SELECT * FROM cost;
SELECT tablename, count(*) > 1 AS columns FROM pg_stats
WHERE schemaname = 'xero' AND tablename <> 'invoices' GROUP BY 1 ORDER BY 1;
CREATE TABLE parted (LIKE xero.contacts) PARTITION BY LIST (contact_status);
CREATE FOREIGN TABLE parted_rest PARTITION OF parted DEFAULT SERVER xero OPTIONS (object 'accounting/Contacts');
ANALYZE parted;
SELECT tablename, inherited, count(*) > 10 AS columns FROM pg_stats
WHERE tablename LIKE 'parted%' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM calls();
DROP TABLE parted;

-- a limit that is met, and a role that may not
SET xero_fdw.max_calls = 1;
ANALYZE xero.invoices;
RESET xero_fdw.max_calls;
SELECT count(*) FROM calls();
CREATE ROLE regress_xero_reader;
GRANT USAGE ON SCHEMA xero TO regress_xero_reader;
GRANT SELECT ON xero.contacts TO regress_xero_reader;
SET ROLE regress_xero_reader;
ANALYZE xero.contacts;
RESET ROLE;
-- the owner of a table, who is nobody else
GRANT USAGE ON FOREIGN SERVER xero TO regress_xero_reader;
CREATE USER MAPPING FOR regress_xero_reader SERVER xero OPTIONS (access_token 'sandbox-token');
CREATE SCHEMA reader AUTHORIZATION regress_xero_reader;
SET ROLE regress_xero_reader;
CREATE FOREIGN TABLE reader.mine (gone integer, contact_id uuid, "Name" text OPTIONS (field 'Name'))
	SERVER xero OPTIONS (object 'accounting/Contacts');
ALTER FOREIGN TABLE reader.mine DROP COLUMN gone;
ANALYZE reader.mine;
SELECT attname, n_distinct = -1 AS is_key FROM pg_stats WHERE schemaname = 'reader' ORDER BY 1;
RESET ROLE;
SELECT * FROM cost;
DROP USER MAPPING FOR regress_xero_reader SERVER xero;
DROP OWNED BY regress_xero_reader;
DROP ROLE regress_xero_reader;
RESET xero_fdw.analyze_calls;
DROP FUNCTION estimate, is_near;
DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class
	WHERE relnamespace = 'xero'::regnamespace);
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
