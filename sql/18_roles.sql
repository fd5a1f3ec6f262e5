-- Whose credentials a statement uses: the current role's mapping, PUBLIC's if
-- it has none, and in a view the mapping of the view's owner.
CALL needs_00_setup();
\getenv url XERO_SANDBOX_URL
CREATE ROLE regress_xero_reader;
CREATE ROLE regress_xero_owner;
CREATE SERVER other FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (api_url :'url', identity_url :'url', login_url :'url');
CREATE SCHEMA other;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (currencies, users, organisation)
	FROM SERVER other INTO other;
GRANT USAGE ON SCHEMA other TO regress_xero_reader, regress_xero_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA other TO regress_xero_reader, regress_xero_owner;
CREATE FUNCTION roles() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT role || ' ' || path FROM xero_fdw.requests
	WHERE pid = pg_backend_pid() AND server = 'other' AND path <> '/connections' ORDER BY at
$$;

-- no mapping at all
SET ROLE regress_xero_reader;
SELECT left(line, 33) AS line FROM error_of('SELECT count(*) FROM other.currencies') AS line;
-- planning needs none
EXPLAIN (COSTS OFF) SELECT code FROM other.currencies;
RESET ROLE;

-- a mapping for everybody
CREATE USER MAPPING FOR PUBLIC SERVER other OPTIONS (access_token 'sandbox-token');
SET ROLE regress_xero_reader;
SELECT count(*) > 0 AS any FROM other.currencies;
RESET ROLE;
SELECT count(*) > 0 AS any FROM other.currencies;
SELECT * FROM roles();

-- one's own goes before it, at once
CREATE USER MAPPING FOR regress_xero_reader SERVER other OPTIONS (access_token 'no-such-token');
SET ROLE regress_xero_reader;
SELECT * FROM error_of('SELECT count(*) FROM other.currencies');
RESET ROLE;
SELECT count(*) > 0 AS any FROM other.currencies;
ALTER USER MAPPING FOR regress_xero_reader SERVER other OPTIONS (SET access_token 'sandbox-token');
SET ROLE regress_xero_reader;
SELECT count(*) > 0 AS any FROM other.currencies;
RESET ROLE;

-- The view's owner is who counts, and so is the definer of a function.
DROP USER MAPPING FOR PUBLIC SERVER other;
DROP USER MAPPING FOR regress_xero_reader SERVER other;
CREATE USER MAPPING FOR regress_xero_owner SERVER other OPTIONS (access_token 'sandbox-token');
GRANT CREATE ON SCHEMA other TO regress_xero_owner;
SET ROLE regress_xero_owner;
CREATE VIEW other.codes AS SELECT code FROM other.currencies;
CREATE FUNCTION other.how_many()
	RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM other.currencies';
CREATE FUNCTION other.how_many_invoker()
	RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM other.currencies';
GRANT SELECT ON other.codes TO regress_xero_reader;
SET ROLE regress_xero_reader;
SELECT count(*) > 0 AS any FROM other.codes;
SELECT other.how_many() > 0 AS any;
SELECT left(line, 33) AS line FROM error_of('SELECT other.how_many_invoker()') AS line;
SELECT left(line, 33) AS line FROM error_of('SELECT code FROM other.currencies') AS line;
-- count(*) of a view of a paged table
RESET ROLE;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (invoices) FROM SERVER other INTO other;
GRANT SELECT ON other.invoices TO regress_xero_owner;
SET ROLE regress_xero_owner;
CREATE VIEW other.paid AS SELECT * FROM other.invoices WHERE status = 'PAID';
GRANT SELECT ON other.paid TO regress_xero_reader;
SET ROLE regress_xero_reader;
SELECT count(*) > 0 AS any FROM other.paid;
SELECT count(total::text) > 0 AS any FROM other.paid;
SELECT * FROM error_of('SELECT count(*) FROM other.invoices');
RESET ROLE;
-- A prepared statement follows the role.
PREPARE q AS SELECT count(*) > 0 AS any FROM other.currencies;
SELECT left(line, 33) AS line FROM error_of('EXECUTE q') AS line;
SET ROLE regress_xero_owner;
EXECUTE q;
RESET ROLE;
SELECT left(line, 33) AS line FROM error_of('EXECUTE q') AS line;
DEALLOCATE q;

-- USAGE is what creating tables needs; creating a mapping for oneself, too.
CREATE SCHEMA mine AUTHORIZATION regress_xero_reader;
SET ROLE regress_xero_reader;
CREATE FOREIGN TABLE mine.mine (code text) SERVER other OPTIONS (object 'accounting/Currencies');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (access_token 'sandbox-token');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER other TO regress_xero_reader;
SET ROLE regress_xero_reader;
CREATE FOREIGN TABLE mine.mine (code text) SERVER other OPTIONS (object 'accounting/Currencies');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (access_token 'sandbox-token');
SELECT count(code) > 0 AS any FROM mine.mine;
-- Secrets of mappings are seen by nobody but superusers and their owners.
SELECT usename, umoptions FROM pg_user_mappings WHERE srvname = 'other' ORDER BY 1;
SET ROLE regress_xero_owner;
SELECT usename, umoptions IS NULL AS hidden
	FROM pg_user_mappings WHERE srvname = 'other' AND usename = 'regress_xero_reader';
RESET ROLE;

-- row security does not apply to foreign tables, privileges on columns do
GRANT SELECT (email_address) ON other.users TO PUBLIC;
REVOKE SELECT ON other.users FROM regress_xero_reader;
SET ROLE regress_xero_reader;
SELECT count(email_address) > 0 AS any FROM other.users;
SELECT first_name FROM other.users;
RESET ROLE;

SET client_min_messages = 'warning';
DROP SCHEMA other, mine CASCADE;
DROP SERVER other CASCADE;
DROP FUNCTION roles;
DROP ROLE regress_xero_reader, regress_xero_owner;
