-- Pushing: which requests are made of what, and what becomes of refused rows, of
-- answers that are lost, and of records that are there already.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=0 contacts=3
SELECT current_user AS superuser \gset
CALL create_books('push', 'SELECT, INSERT, UPDATE, DELETE ON xero.contacts, xero.quotes',
	'SELECT, INSERT, UPDATE ON xero.bank_transfers, xero.manual_journals', 'SELECT ON xero.accounts');
\c - regress_xero_books
SET client_min_messages = 'warning';
SET TimeZone = 'UTC';
CREATE FUNCTION push.run(name text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', state,
		nullif('pushed ' || pushed, 'pushed 0'),
		nullif('created ' || created, 'created 0'),
		nullif('updated ' || updated, 'updated 0'),
		nullif('issues ' || issues, 'issues 0'),
		'calls ' || calls, regexp_replace(error, E'\n.*', ''))
	FROM xero_fdw.sync_runs WHERE sync = $1 ORDER BY run_id DESC LIMIT 1
$$;
-- the writing calls of this session since it was last asked
CREATE FUNCTION push.calls() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT c || ' x ' || count(*) FROM calls() AS c
	WHERE c NOT LIKE 'GET%/Contacts?%page=%' GROUP BY c ORDER BY c
$$;

-- what the log of the sandbox has of requests by a method, the last one first
CREATE FUNCTION push.requests(log text, method text)
RETURNS TABLE (body text, key text) LANGUAGE sql AS $$
	SELECT call ->> 'body',
		(SELECT value FROM jsonb_each_text(call -> 'headers') WHERE lower(key) = 'idempotency-key')
	FROM string_to_table($1, E'\n') AS line, CAST(line AS jsonb) AS call
	WHERE call ->> 'method' = $2 ORDER BY (call -> 'n')::bigint DESC
$$;

-- 1. batches of 50; ids come back; a second run has nothing to do
CREATE TABLE push.contacts (
	id integer PRIMARY KEY,
	contact_id uuid,
	name text,
	email text,
	number text,
	made timestamptz DEFAULT '2026-01-01'
-- without statistics, whenever autovacuum comes: what is read of Xero to compare
-- is counted below
) WITH (autovacuum_enabled = off);
SELECT xero_fdw.create_sync('contacts', 'xero.contacts', 'push.contacts', 'push', '{
	"contact_id": "contact_id", "name": "name", "email": "email_address",
	"reference": {"xero": "account_number",
		"to_xero": "''N-'' || coalesce(nullif(number, ''bad''), (1 / (id - id))::text)"}}',
	match_on => '{name}');
INSERT INTO push.contacts (id, name, email, number)
	SELECT n, 'P ' || n, 'p' || n || '@example.com', n FROM generate_series(1, 120) AS n;
SELECT FROM calls();
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT push.calls();
SELECT count(*),
	bool_and((x.name, x.email_address, x.account_number)
		= (l.name, l.email, 'N-' || l.number)) AS same
FROM push.contacts AS l JOIN xero.contacts AS x USING (contact_id);
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
-- 2. updates: changed columns only, whichever they are in each row
UPDATE push.contacts SET email = 'x' || id || '@example.com' WHERE id <= 30;
UPDATE push.contacts SET number = number || 'x' WHERE id BETWEEN 21 AND 60;
SELECT FROM calls();
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT push.calls();
\set log `"$PG_ABS_SRCDIR/test/sandbox-control" log`
SELECT DISTINCT ARRAY(SELECT jsonb_object_keys(c) ORDER BY 1) AS sent
FROM push.requests(:'log', 'POST'), jsonb_array_elements(body::jsonb -> 'Contacts') AS c ORDER BY 1;
-- 3. what is edited in Xero stays there, and is not known here
UPDATE xero.contacts SET email_address = 'theirs@example.com' WHERE name = 'P 100';
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'), email FROM push.contacts WHERE name = 'P 100';
SELECT email_address FROM xero.contacts WHERE name = 'P 100';

-- 4. rows that are refused, by Xero or by an expression, wait until they change
UPDATE push.contacts SET email = 'not an address' WHERE id = 1;
UPDATE push.contacts SET number = 'bad' WHERE id = 2;
UPDATE push.contacts SET email = 'fine@example.com' WHERE id = 3;
INSERT INTO push.contacts (id, name, email, number)
	VALUES (201, NULL, NULL, '201'), (202, 'P 202', 'not an address', '202'),
		(203, 'P 203', NULL, 'bad'), (204, 'P 204', NULL, '204');
SELECT FROM calls();
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT push.calls();
SELECT local_key, kind, sqlstate, message, attempts FROM xero_fdw.sync_issues ORDER BY local_key;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
UPDATE push.contacts SET email = NULL WHERE id IN (1, 202);
UPDATE push.contacts SET number = id, name = 'P ' || id WHERE id IN (2, 201, 203);
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'), count(*) FROM xero_fdw.sync_issues;
SELECT l.id, x.name, x.email_address, x.account_number
	FROM push.contacts AS l JOIN xero.contacts AS x USING (contact_id)
	WHERE l.id IN (1, 2, 201, 202, 203) ORDER BY 1;

-- 5. a record of that name that the pull did not show
SELECT xero_fdw.alter_sync('contacts', xero_filter => 'email_address <> ''hidden@example.com''');
CALL xero_fdw.run_sync('contacts');
INSERT INTO xero.contacts (name, email_address) VALUES ('Hidden', 'hidden@example.com');
INSERT INTO push.contacts (id, name, email, number)
	VALUES (300, 'Hidden', 'mine@example.com', '300'), (301, 'P 120', NULL, '301');
SELECT FROM calls();
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT local_key, kind, sqlstate, message FROM xero_fdw.sync_issues \gx
CALL xero_fdw.run_sync('contacts');
SELECT x.name, x.email_address, x.contact_id = l.contact_id AS linked
	FROM xero.contacts AS x JOIN push.contacts AS l ON l.id = 300 WHERE x.name = 'Hidden';
DELETE FROM push.contacts WHERE id = 301;

-- 6. answers that are lost: the records are there, or not
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Contacts method=PUT drop=after
INSERT INTO push.contacts (id, name, number)
	SELECT n, 'P ' || n, n FROM generate_series(401, 403) AS n;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT count(*) AS sent, count(DISTINCT idempotency_key) AS requests FROM push.sync_intent;
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
UPDATE push.contacts SET email = 'meanwhile@example.com' WHERE id = 402;
SELECT FROM calls();
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT push.calls();
SELECT x.name, x.email_address, l.id
	FROM xero.contacts AS x LEFT JOIN push.contacts AS l USING (contact_id)
	WHERE x.name LIKE 'P 40_' ORDER BY 1;
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Contacts method=PUT drop=before
INSERT INTO push.contacts (id, name, number)
	SELECT n, 'P ' || n, n FROM generate_series(501, 503) AS n;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
-- 7. the same request again
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
\set log `"$PG_ABS_SRCDIR/test/sandbox-control" log`
SELECT count(*) AS requests, count(DISTINCT (body, key)) AS different
FROM (SELECT * FROM push.requests(:'log', 'PUT') LIMIT 2) AS last;
SELECT count(*)
	FROM xero.contacts AS x JOIN push.contacts AS l USING (contact_id) WHERE x.name LIKE 'P 50_';
-- 8. another one, when Xero has forgotten the key
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Contacts method=PUT drop=before
INSERT INTO push.contacts (id, name, number) VALUES (601, 'P 601', 601);
CALL xero_fdw.run_sync('contacts');
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
\c - :superuser
UPDATE xero_fdw.sync_intent SET first_sent = first_sent - interval '6 minutes';
\c - regress_xero_books
SET client_min_messages = 'warning';
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
\set log `"$PG_ABS_SRCDIR/test/sandbox-control" log`
SELECT count(*) AS requests, count(DISTINCT key) AS keys
FROM (SELECT * FROM push.requests(:'log', 'PUT') LIMIT 2) AS last;
SELECT count(*) FROM xero.contacts WHERE name = 'P 601';
-- 9. updates are looked for
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Contacts method=POST drop=after
UPDATE push.contacts SET email = 'unknown@example.com' WHERE id = 601;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'), count(*) FROM push.sync_intent;
SELECT email_address FROM xero.contacts WHERE name = 'P 601';
-- 10. a budget that is spent before a request: nothing was sent, and all of it waits
UPDATE push.contacts SET email = 'budget' || id || '@example.com' WHERE id <= 60;
SET xero_fdw.max_calls = 2;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'), count(*) AS intents, count(idempotency_key) AS sent
FROM push.sync_intent \gx
RESET xero_fdw.max_calls;
SELECT side, action, count(*), count(DISTINCT local_key), sum(calls) AS calls
	FROM xero_fdw.plan_sync('contacts') GROUP BY 1, 2 ORDER BY 1, 2;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'), count(*) FROM push.sync_intent;
SELECT count(*) FROM xero.contacts WHERE email_address LIKE 'budget%';
-- 11. two new rows of one name: Xero takes one of them, and the other when it has a
-- name of its own
INSERT INTO push.contacts (id, name, number) VALUES (701, 'Twin', 701), (702, 'Twin', 702);
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT count(*), count(contact_id) FROM push.contacts WHERE name = 'Twin';
SELECT local_key, xero_id, kind, sqlstate, message
FROM xero_fdw.sync_issues WHERE local_key->0 IN ('701', '702') \gx
UPDATE push.contacts SET name = 'Other twin' WHERE name = 'Twin' AND contact_id IS NULL;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT count(*)
	FROM push.contacts AS l JOIN xero.contacts AS x USING (contact_id, name) WHERE l.id > 700;
SELECT count(*) FROM xero_fdw.sync_issues WHERE local_key->0 IN ('701', '702');
SELECT xero_fdw.drop_sync('contacts');

-- 12. what an object wants along with each change; what it cannot do; how it ends
CREATE TABLE push.quotes (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	quote_id uuid,
	contact uuid,
	day date,
	title text,
	lines jsonb DEFAULT '[{"Description": "Work", "Quantity": 1, "UnitAmount": 10}]'
);
CREATE TABLE push.transfers (
	id integer PRIMARY KEY,
	source uuid,
	target uuid,
	amount numeric,
	day date
);
SELECT xero_fdw.create_sync('quotes', 'xero.quotes', 'push.quotes', 'push',
	'{"quote_id": "quote_id", "contact": "contact_id", "day": "date", "title": "title",
		"lines": "line_items"}',
	initial => 'new_only', on_delete => 'archive');
SELECT xero_fdw.create_sync('transfers', 'xero.bank_transfers', 'push.transfers', 'push',
	'{"source": "from_bank_account_id", "target": "to_bank_account_id", "amount": "amount",
		"day": "date"}',
	initial => 'new_only');
CALL xero_fdw.run_syncs();
INSERT INTO push.quotes (contact, day, title)
	SELECT contact_id, '2026-02-03', 'Quote ' || n
	FROM generate_series(1, 3) AS n,
		(SELECT contact_id FROM xero.contacts WHERE name = 'P 601') AS c;
INSERT INTO push.transfers
	SELECT 1, (array_agg(account_id ORDER BY name))[1], (array_agg(account_id ORDER BY name))[2],
		12.34, '2026-02-03'
	FROM xero.accounts WHERE type = 'BANK' AND status = 'ACTIVE';
CALL xero_fdw.run_syncs();
SELECT push.run('quotes'), push.run('transfers');
UPDATE push.quotes SET title = title || '!' WHERE title = 'Quote 1';
DELETE FROM push.quotes WHERE title = 'Quote 2';
UPDATE push.transfers SET amount = 12.35;
SELECT FROM calls();
CALL xero_fdw.run_syncs();
SELECT push.run('quotes'), push.run('transfers');
SELECT push.calls();
SELECT title, date, status FROM xero.quotes WHERE title ~ '^Quote [0-9]' ORDER BY 1;
SELECT sync, kind, sqlstate, message FROM xero_fdw.sync_issues;
CALL xero_fdw.run_syncs();
SELECT push.run('quotes'), push.run('transfers');

-- 13. a table that has lost all of its rows ends nothing
CREATE TEMP TABLE kept AS SELECT * FROM push.quotes;
TRUNCATE push.quotes;
SELECT FROM calls();
CALL xero_fdw.run_sync('quotes');
SELECT push.run('quotes');
SELECT push.calls();
INSERT INTO push.quotes SELECT * FROM kept;
CALL xero_fdw.run_sync('quotes');
SELECT push.run('quotes');
SELECT push.calls();

-- 14. a duplicate that nothing tells from others is not looked for
SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs;
CREATE TABLE push.journals (
	id integer PRIMARY KEY,
	journal_id uuid,
	narration text,
	day date,
	lines jsonb
);
INSERT INTO push.journals
	VALUES (1, NULL, 'Twice', '2026-01-05',
		'[{"LineAmount": 1, "AccountCode": "200"}, {"LineAmount": -1, "AccountCode": "400"}]');
SELECT xero_fdw.create_sync('journals', 'xero.manual_journals', 'push.journals', 'push',
	'{"journal_id": "manual_journal_id", "narration": "narration", "day": "date",
		"lines": "journal_lines"}');
\set refusal '{"HasErrors": true, "ValidationErrors": [{"Message": "It already exists"}]}'
\set refusal '{"Status": "OK", "ManualJournals": [' :refusal ']}'
\setenv REFUSAL :refusal
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/ManualJournals method=PUT times=1 status=200 body="$REFUSAL"
SELECT FROM calls();
CALL xero_fdw.run_sync('journals');
SELECT push.run('journals');
SELECT kind, message, sqlstate FROM xero_fdw.sync_issues;
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'

-- 15. names that go from row to row: what was refused as a duplicate is tried again
-- when the name is free, and only then
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=0 contacts=0
SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs;
TRUNCATE push.contacts;
INSERT INTO push.contacts (id, name) VALUES (1, 'One'), (2, 'Two'), (3, 'Three'), (4, 'Four');
SELECT xero_fdw.create_sync('contacts', 'xero.contacts', 'push.contacts', 'push',
	'{"contact_id": "contact_id", "name": "name"}');
CALL xero_fdw.run_sync('contacts');
UPDATE push.contacts
	SET name = CASE id WHEN 1 THEN 'Two' WHEN 2 THEN 'Three' WHEN 3 THEN 'Other' ELSE 'One' END;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'),
	ARRAY(SELECT local_key FROM xero_fdw.sync_issues ORDER BY 1) AS refused;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'),
	ARRAY(SELECT local_key FROM xero_fdw.sync_issues ORDER BY 1) AS refused;
CALL xero_fdw.run_sync('contacts');
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'),
	ARRAY(SELECT local_key FROM xero_fdw.sync_issues ORDER BY 1) AS refused;
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT l.id, l.name, x.name
	FROM push.contacts AS l JOIN xero.contacts AS x USING (contact_id) ORDER BY 1;
-- 16. a request that was sent is not taken for one that is too large to be sent
\c - :superuser
CREATE FUNCTION push.too_large() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE program_limit_exceeded;
END $$;
CREATE TRIGGER too_large BEFORE UPDATE ON xero_fdw.sync_link
	FOR EACH ROW WHEN (NEW.xero_id IS DISTINCT FROM OLD.xero_id)
	EXECUTE FUNCTION push.too_large();
\c - regress_xero_books
SET client_min_messages = 'warning';
INSERT INTO push.contacts (id, name) VALUES (5, 'Five'), (6, 'Six');
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'), (SELECT count(DISTINCT idempotency_key) FROM push.sync_intent);
\c - :superuser
DROP TRIGGER too_large ON xero_fdw.sync_link;
\c - regress_xero_books
SET client_min_messages = 'warning';
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts'), (SELECT count(*) FROM xero.contacts) AS records;

-- 17. what Xero has stored but cannot be read back is not taken for empty
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=0 contacts=0
SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs;
TRUNCATE push.contacts;
INSERT INTO xero.contacts (name, last_name) VALUES ('Longer', 'a longer name');
SELECT xero_fdw.create_sync('contacts', 'xero.contacts', 'push.contacts', 'both',
	'{"id": {"to_local": "1"}, "contact_id": "contact_id", "name": "name", "email": "email_address"}');
CALL xero_fdw.run_sync('contacts');
\c - :superuser
ALTER FOREIGN TABLE xero.contacts ALTER last_name TYPE varchar(3);
\c - regress_xero_books
SET client_min_messages = 'warning';
SELECT xero_fdw.alter_sync('contacts');
UPDATE push.contacts SET email = 'new@example.com';
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
CALL xero_fdw.run_sync('contacts');
SELECT push.run('contacts');
SELECT l.name, l.email, x.name, x.email_address
	FROM push.contacts AS l LEFT JOIN xero.contacts AS x USING (contact_id);
\c - :superuser
ALTER FOREIGN TABLE xero.contacts ALTER last_name TYPE text;

-- 18. what Xero fills in where a row has nothing comes here, at once
SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=0 contacts=1
CREATE TABLE push.numbered (
	id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	contact uuid,
	number text,
	title text,
	status text
);
INSERT INTO push.numbered SELECT n, contact_id, nullif('Q-' || n, 'Q-1'), nullif('T-' || n, 'T-1')
	FROM xero.contacts, generate_series(1, 2) AS n;
SELECT xero_fdw.create_sync('numbered', 'xero.quotes', 'push.numbered', 'both', '{"contact": "contact_id",
	"number": "quote_number", "title": "title", "status": "status",
	"date": {"xero": "date", "to_xero": "date ''2026-01-02''", "direction": "to_xero"},
	"line": {"xero": "line_items", "direction": "to_xero",
		"to_xero": "''[{\"Description\": \"Work\", \"Quantity\": 1, \"UnitAmount\": 5}]''::jsonb"}}',
	initial => 'local_to_xero', conflict => 'local', match_on => '{title}');
CALL xero_fdw.run_sync('numbered');
SELECT push.run('numbered');
SELECT l.id, l.number, l.title, l.status, x.status AS xero_status
	FROM push.numbered AS l LEFT JOIN xero.quotes AS x ON x.quote_number = l.number
	WHERE id < 3 ORDER BY id;
CALL xero_fdw.run_sync('numbered');
SELECT push.run('numbered');
SELECT xero_fdw.drop_sync('numbered');

-- 19. several organisations: a row says which, or there is but one
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=0 contacts=2 tenants=2
\c - regress_xero_books
SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs;
SET client_min_messages = 'warning';
CREATE TABLE push.both (
	id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	org uuid,
	contact_id uuid,
	name text
);
SELECT xero_fdw.create_sync('both', 'xero.contacts', 'push.both', 'both',
	'{"contact_id": "contact_id", "name": "name", "org": "tenant_id"}', initial => 'new_only');
CALL xero_fdw.run_sync('both');
SELECT push.run('both');
INSERT INTO push.both (id, org, name)
	SELECT row_number() OVER (ORDER BY tenant_id), tenant_id, 'Mine'
	FROM (SELECT DISTINCT tenant_id FROM xero.contacts) AS t
	UNION ALL SELECT 3, NULL, 'Whose?';
SELECT action, local_key, why FROM xero_fdw.plan_sync('both')
	WHERE field IS NULL OR field = 'name' ORDER BY 1, 2;
CALL xero_fdw.run_sync('both');
SELECT push.run('both');
SELECT l.id, x.name, x.tenant_id = l.org AS same
	FROM push.both AS l LEFT JOIN xero.contacts AS x USING (contact_id) ORDER BY 1;
SELECT local_key, kind, message FROM xero_fdw.sync_issues;
-- 20. one that is not connected is told, and waited for
UPDATE push.both SET org = '00000000-0000-0000-0000-000000000001' WHERE id = 3;
CALL xero_fdw.run_sync('both');
SELECT local_key, kind, message, attempts FROM xero_fdw.sync_issues;
UPDATE push.both SET org = (SELECT org FROM push.both WHERE id = 1) WHERE id = 3;
CALL xero_fdw.run_sync('both');
SELECT push.run('both'), count(*) FROM xero_fdw.sync_issues;

SELECT xero_fdw.drop_sync('both');
DROP SCHEMA push CASCADE;
\c - :superuser
DROP OWNED BY regress_xero_books;
DROP ROLE regress_xero_books;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
