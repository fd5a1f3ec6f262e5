-- Pulling: what is read, in how many calls, and what becomes of it here.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=0 contacts=5020
SELECT current_user AS superuser \gset
CALL create_books('pull', 'SELECT, UPDATE ON xero.contacts',
	'SELECT ON xero.currencies, xero.tax_rates');
\c - regress_xero_books
SET client_min_messages = 'warning';
SET TimeZone = 'UTC';
-- what the last run of a sync was like
CREATE FUNCTION pull.run(name text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', state,
		nullif('pushed ' || pushed, 'pushed 0'),
		nullif('created ' || created, 'created 0'),
		nullif('updated ' || updated, 'updated 0'),
		nullif('conflicts ' || conflicts, 'conflicts 0'),
		nullif('issues ' || issues, 'issues 0'),
		'calls ' || calls, error)
	FROM xero_fdw.sync_runs WHERE sync = $1 ORDER BY run_id DESC LIMIT 1
$$;
-- the calls of this session since it was last asked, in short
CREATE FUNCTION pull.calls() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT regexp_replace(c, '\?order=.*&page=', ' page ') FROM calls() AS c
$$;

-- 1. a plain table; two chunks, and each page is read once
CREATE TABLE pull.contacts (
	contact_id uuid PRIMARY KEY,
	name text NOT NULL,
	email text,
	phone text,
	balance numeric(10,2),
	updated timestamptz
);
CREATE FUNCTION pull.default_phone(phones jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT jsonb_path_query_first(phones, '$[*] ? (@.PhoneType == "DEFAULT").PhoneNumber') #>> '{}'
$$;
SELECT xero_fdw.create_sync('contacts', 'xero.contacts', 'pull.contacts', 'pull', '{
	"contact_id": "contact_id", "name": "name", "email": "email_address",
	"updated": "updated_date_utc",
	"phone": {"xero": "phones", "to_local": "pull.default_phone(phones)"}}');
SELECT FROM calls();
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts');
SELECT pull.calls();
SELECT count(*) AS rows,
	bool_and((l.name, l.email, l.updated)
		IS NOT DISTINCT FROM (x.name, x.email_address, x.updated_date_utc)) AS same
FROM pull.contacts AS l FULL JOIN xero.contacts AS x USING (contact_id);
SELECT reltuples AS known FROM pg_class WHERE oid = 'pull.contacts'::regclass;
SELECT count(*) AS linked FROM pull.sync_link WHERE state = 'linked';
SELECT count(*) AS left_over FROM pull.sync_inbox;
-- 2. nothing new: one call, which asks for what has changed since
SELECT FROM calls();
\! "$PG_ABS_SRCDIR/test/sandbox-control" clock advance=600
CALL xero_fdw.run_sync('contacts');
\! "$PG_ABS_SRCDIR/test/sandbox-control" log | tail -1 | grep -oi 'if-modified-since' | tr A-Z a-z
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts'), count(*) FROM pull.calls();

-- 3. a small table from here on
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=0 contacts=6
SELECT xero_fdw.drop_sync('contacts');
TRUNCATE pull.contacts;
ALTER TABLE pull.contacts ADD CHECK (email <> 'refused@example.com');
CREATE FUNCTION pull.number(number text, name text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN number = 'bad' THEN (1 / length(substr(name, 1, 0)))::text ELSE number END
$$;
SELECT xero_fdw.create_sync('contacts', 'xero.contacts', 'pull.contacts', 'pull', '{
	"contact_id": "contact_id", "name": "name", "email": "email_address",
	"phone": {"to_local": "pull.number(account_number, name)"}}');
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts');
-- 4. only what has changed in Xero changes here, also if the row has been edited
UPDATE pull.contacts SET email = 'mine@example.com', name = 'Mine' WHERE name = 'Café Zoë GmbH';
\! "$PG_ABS_SRCDIR/test/sandbox-control" clock advance=600
CALL xero_fdw.run_sync('contacts');
UPDATE xero.contacts SET name = 'Café Zoé' WHERE name = 'Café Zoë GmbH';
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts');
SELECT name, email FROM pull.contacts WHERE email = 'mine@example.com';
-- 5. a row that was deleted here stays deleted
DELETE FROM pull.contacts WHERE email = 'mine@example.com';
\! "$PG_ABS_SRCDIR/test/sandbox-control" clock advance=600
UPDATE xero.contacts SET name = 'Café' WHERE name = 'Café Zoé';
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts'), count(*) FROM pull.contacts;

-- 6. bad records stop themselves, and no other
\! "$PG_ABS_SRCDIR/test/sandbox-control" clock advance=600
UPDATE xero.contacts SET account_number = CASE WHEN name LIKE 'O%' THEN 'bad' ELSE 'good ' || left(name, 1) END
	WHERE name !~ '^Caf';
UPDATE xero.contacts SET email_address = 'refused@example.com' WHERE name LIKE 'Comma%';
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts');
SELECT name, email, phone FROM pull.contacts ORDER BY name COLLATE "C";
SELECT kind, message, sqlstate, jsonb_path_query_array(payload, '$.xero.*.type()') AS payload,
	attempts
FROM xero_fdw.sync_issues ORDER BY kind \gx
-- 7. what another row may cure is tried again, the others not until they change,
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts');
SELECT kind, attempts FROM xero_fdw.sync_issues ORDER BY kind;
-- 8. or somebody says so,
SELECT xero_fdw.retry_issue(issue_id) FROM xero_fdw.sync_issues WHERE kind = 'transform';
CALL xero_fdw.run_sync('contacts');
SELECT kind, attempts FROM xero_fdw.sync_issues ORDER BY kind;
ALTER TABLE pull.contacts DROP CONSTRAINT contacts_email_check;
SELECT xero_fdw.retry_issue(issue_id) FROM xero_fdw.sync_issues WHERE kind = 'validation';
\! "$PG_ABS_SRCDIR/test/sandbox-control" clock advance=600
UPDATE xero.contacts SET account_number = 'better' WHERE account_number = 'bad';
CALL xero_fdw.run_sync('contacts');
SELECT name, email, phone
	FROM pull.contacts WHERE phone = 'better' OR email = 'refused@example.com' ORDER BY name;
SELECT count(*) FROM xero_fdw.sync_issues;
SELECT xero_fdw.retry_issue(0);

-- 9. whatever code a trigger of ours raises
CREATE FUNCTION pull.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'not this one' USING ERRCODE = 'UE001';
END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON pull.contacts
	FOR EACH ROW WHEN (new.name = 'Refused') EXECUTE FUNCTION pull.refuse();
UPDATE xero.contacts SET name = CASE WHEN name LIKE 'O%' THEN 'Refused' ELSE 'Taken' END
	WHERE name LIKE 'O%' OR name LIKE 'Comma%';
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts');
SELECT kind, message, sqlstate FROM xero_fdw.sync_issues;
SELECT count(*) FROM pull.contacts WHERE name = 'Taken';

-- 10. a run whose budget is spent goes on where it stopped
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=0 contacts=5020
SELECT xero_fdw.drop_sync('contacts');
TRUNCATE pull.contacts;
SELECT xero_fdw.create_sync('contacts', 'xero.contacts', 'pull.contacts', 'pull',
	'{"contact_id": "contact_id", "name": "name"}');
SELECT FROM calls();
SET xero_fdw.max_calls = 5;
CALL xero_fdw.run_sync('contacts');
RESET xero_fdw.max_calls;
SELECT state, pulled, calls, error FROM xero_fdw.sync_runs WHERE sync = 'contacts';
SELECT count(*) FROM pull.contacts;
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts'), count(*) FROM pull.contacts;
SELECT pull.calls();

-- 11. lists without pages and without a time of change; keys of several columns; a
-- key from a sequence; partitions
CREATE TABLE pull.currencies (
	tenant_id uuid,
	code text,
	description text,
	PRIMARY KEY (tenant_id, code)
) PARTITION BY HASH (tenant_id);
CREATE TABLE pull.currencies_0 PARTITION OF pull.currencies
	FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE pull.rates (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	tax_type text,
	rate numeric(6,3),
	made text DEFAULT 'here'
);
SELECT xero_fdw.create_sync('currencies', 'xero.currencies', 'pull.currencies', 'pull',
	'{"tenant_id": "tenant_id", "code": "code", "description": "description"}');
SELECT xero_fdw.create_sync('rates', 'xero.tax_rates', 'pull.rates', 'pull',
	'{"tax_type": "tax_type", "rate": "effective_rate", "made": {"to_local": "''by a sync''"}}',
	xero_filter => 'effective_rate > 0');
SELECT FROM calls();
CALL xero_fdw.run_syncs();
SELECT sync, pull.run(sync) FROM (VALUES ('contacts'), ('currencies'), ('rates')) AS v (sync);
SELECT pull.calls();
SELECT code, description FROM pull.currencies ORDER BY code;
SELECT id, tax_type, rate, made FROM pull.rates ORDER BY id;
CALL xero_fdw.run_syncs();
SELECT sync, pull.run(sync) FROM (VALUES ('contacts'), ('currencies'), ('rates')) AS v (sync);

-- 12. what a run does not do
BEGIN;
CALL xero_fdw.run_sync('contacts');
ROLLBACK;
CALL xero_fdw.run_sync('nobody');
ALTER TABLE pull.contacts RENAME name TO title;
CALL xero_fdw.run_sync('contacts');
SELECT state, phase, sqlstate, error
	FROM xero_fdw.sync_runs WHERE sync = 'contacts' ORDER BY run_id DESC LIMIT 1;
ALTER TABLE pull.contacts RENAME title TO name;
CALL xero_fdw.run_sync('contacts');
SELECT pull.run('contacts');
-- 13. history
SET xero_fdw.sync_history = 0;
CALL xero_fdw.run_sync('contacts');
SELECT count(*) FROM xero_fdw.sync_runs WHERE sync = 'contacts';
RESET xero_fdw.sync_history;

SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs;
DROP SCHEMA pull CASCADE;
\c - :superuser
DROP OWNED BY regress_xero_books;
DROP ROLE regress_xero_books;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
