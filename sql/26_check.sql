-- What is wrong with a server: check() says so in a table, and raises nothing
-- that it is there to report.
CALL needs_00_setup();
\getenv url XERO_SANDBOX_URL
CREATE SERVER checked FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (client_id 'sandbox-client', grant_type 'client_credentials', minute_limit '1000', api_url :'url', identity_url :'url', login_url :'url');
CREATE SERVER ready FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (minute_limit '1000', api_url :'url', identity_url :'url', login_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER ready OPTIONS (access_token 'sandbox-token');
CREATE SCHEMA checked;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (payments) FROM SERVER ready INTO checked;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts, currencies, invoices, invoice_line_items) FROM SERVER checked INTO checked;

-- The rows that are not as usual, or all; then the calls, also those that
-- nobody counts.
CREATE FUNCTION look(server text, everything boolean DEFAULT false) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz := clock_timestamp();
	line text;
BEGIN
	FOR line IN
		SELECT format('%s: %s: %s', name, state, seen) || coalesce(' -> ' || advice, '') FROM xero_fdw.check(server)
		WHERE everything OR state <> 'ok'
	LOOP
		line := regexp_replace(line, '127.0.0.1:\d{2,}', 'HOST', 'g');
		line := regexp_replace(line, 'correlation id [0-9a-f-]+', 'correlation id N', 'g');
		line := regexp_replace(line, '\d{4}-\d\d-\d\d [0-9:.]+[+-]\d+', 'TIME', 'g');
		line := regexp_replace(line, ': Failed to connect .* -> ', ': REASON -> ');
		line := regexp_replace(line, '\d+ seconds', 'N seconds', 'g');
		-- versions of PostgreSQL say more or less
		line := regexp_replace(line, '(user mapping not found) for .* -> ', '\1 -> ');
		-- other tests call for the same organisation
		RETURN NEXT regexp_replace(line, '\d+ (of 1000 calls|of 5000)', 'N \1', 'g');
	END LOOP;
	RETURN QUERY
		SELECT '  ' || method || ' ' || path || coalesce(' ' || status, '') || coalesce(' ' || error, '') FROM xero_fdw.requests
		WHERE pid = pg_backend_pid() AND at >= began ORDER BY at, path;
END $$;

\pset format unaligned
\pset tuples_only on

-- settings that are not complete
SELECT * FROM look('checked', true);
CREATE USER MAPPING FOR CURRENT_USER SERVER checked OPTIONS (client_secret 'wrong-secret');
ALTER SERVER checked OPTIONS (DROP client_id);
SELECT * FROM look('checked') LIMIT 2;
ALTER SERVER checked OPTIONS (ADD client_id 'sandbox-client');

-- a token that is refused
SELECT * FROM look('checked');
ALTER USER MAPPING FOR CURRENT_USER SERVER checked OPTIONS (SET client_secret 'sandbox-secret');
-- all is well; a second time the token is at hand
SELECT * FROM look('checked', true);
SELECT * FROM look('checked');
-- so it is with a token that does not say what it may do
SELECT * FROM look('ready', true);
-- and a ready-made one that is not good
ALTER USER MAPPING FOR CURRENT_USER SERVER checked OPTIONS (DROP client_secret, ADD access_token 'no-such-token');
SELECT * FROM look('checked');
ALTER USER MAPPING FOR CURRENT_USER SERVER checked OPTIONS (DROP access_token, ADD client_secret 'sandbox-secret');

-- scopes: to read is not to write, broad ones cover others
ALTER SERVER checked OPTIONS (ADD scopes 'accounting.settings.read accounting.contacts.read accounting.invoices');
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (ADD updatable 'false');
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (SET scopes 'accounting.settings.read');
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (SET scopes 'accounting.contacts.read accounting.invoices.read');
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (SET scopes 'accounting.transactions accounting.contacts.read accounting.settings', SET client_id 'sandbox-legacy');
SELECT * FROM look('checked');
-- and some are closed to most
IMPORT FOREIGN SCHEMA accounting LIMIT TO (journals, receipts) FROM SERVER checked INTO checked;
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (DROP scopes);
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (SET client_id 'sandbox-client');
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (DROP updatable);
DROP FOREIGN TABLE checked.journals, checked.receipts;

-- organisations: one that is not connected, one that refuses, one that is offline
ALTER SERVER checked OPTIONS (ADD tenant_id '00000000-0000-0000-0000-000000000001');
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (SET tenant_id '258B4852-865A-4704-A5A7-EE71DF03C46E');
SELECT name, state FROM xero_fdw.check('checked') WHERE name = 'organisation';
ALTER SERVER checked OPTIONS (DROP tenant_id);
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Organisation", "status": 403, "body": "{\"Title\": \"Forbidden\", \"Detail\": \"AuthenticationUnsuccessful\"}"}'
SELECT * FROM look('checked');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Organisation", "body": null}'

-- budget: the day is spent, first by Xero's word, then by ours
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[{"path": "/api.xro/2.0/Organisation", "problem": "day", "times": 1}]'
SELECT * FROM look('checked');
SELECT * FROM look('checked');
SELECT xero_fdw.clear_block('checked');
SELECT * FROM look('checked');
-- there is little left of it
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[{"path": "/api.xro/2.0/Contacts", "headers": {"X-DayLimit-Remaining": "400"}}, {"path": "/api.xro/2.0/Organisation", "headers": {"X-DayLimit-Remaining": "401"}}]'
SELECT * FROM look('checked');
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[{"path": "/api.xro/2.0/Organisation", "headers": {"X-DayLimit-Remaining": "4900"}}]'
SELECT name, state FROM xero_fdw.check('checked') WHERE name = 'budget';
-- a statement may call no more
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
SET xero_fdw.max_calls = 1;
SELECT * FROM look('checked');
RESET xero_fdw.max_calls;

-- pages of another size, or of one that is not told
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Contacts", "body": {"pagination": {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 0}, "Contacts": []}}'
SELECT * FROM look('checked');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Contacts", "body": {"Contacts": [{"ContactID": "258b4852-865a-4704-a5a7-ee71df03c46e"}]}}'
SELECT * FROM look('checked');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Contacts", "body": "[]"}'
SELECT * FROM look('checked');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Contacts", "body": null}'

-- nobody there, at one of the hosts or at both
ALTER SERVER checked OPTIONS (SET identity_url 'http://127.0.0.1:9');
SELECT * FROM look('checked');
ALTER SERVER checked OPTIONS (SET api_url 'http://127.0.0.1:9');
SELECT * FROM look('checked', true);
ALTER SERVER checked OPTIONS (SET api_url :'url', SET identity_url :'url');
-- somebody who is disturbed
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[{"path": "/connections", "status": 503}]'
SELECT * FROM look('checked') LIMIT 2;
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'

-- a server without tables
DROP SCHEMA checked CASCADE;
SELECT * FROM look('checked') WHERE look NOT LIKE '  %';

-- who may: who may use the server
CREATE ROLE regress_xero_checker;
SET ROLE regress_xero_checker;
SELECT * FROM error_of('SELECT xero_fdw.check(''checked'')');
SELECT * FROM error_of('SELECT xero_fdw.check(''no such server'')');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER checked TO regress_xero_checker;
SET ROLE regress_xero_checker;
-- versions of PostgreSQL say more or less
SELECT name, state, left(seen, 22) AS seen FROM xero_fdw.check('checked') LIMIT 1;
RESET ROLE;
CREATE USER MAPPING FOR PUBLIC SERVER checked OPTIONS (client_secret 'sandbox-secret');
SET ROLE regress_xero_checker;
SELECT name, state FROM xero_fdw.check('checked');
RESET ROLE;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nothing FOREIGN DATA WRAPPER nothing;
SELECT * FROM error_of('SELECT xero_fdw.check(''nothing'')');
DROP FOREIGN DATA WRAPPER nothing CASCADE;

-- what it has set for itself is gone, and it can be part of any query
SHOW xero_fdw.max_wait;
BEGIN READ ONLY;
SELECT count(*) AS checks, count(*) FILTER (WHERE state = 'ok') AS ok FROM xero_fdw.check('checked');
COMMIT;
SELECT xero_fdw.check(NULL) IS NULL AS none;
SET client_min_messages = warning;
DROP SERVER checked CASCADE;
DROP SERVER ready CASCADE;
DROP ROLE regress_xero_checker;
DROP FUNCTION look(text, boolean);
