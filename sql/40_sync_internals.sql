-- The functions that the sync procedures are made of: what they return, and
-- what they cost.
CALL needs_00_setup();
\set VERBOSITY terse
SET TimeZone = 'UTC';
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset

-- What a push says, without keys that differ between runs.
CREATE FUNCTION push(relation regclass, operation text, rows jsonb, key text,
	shown text DEFAULT NULL)
RETURNS TABLE (row_number integer, stored boolean, key_known boolean, sqlstate text, message text,
	shows text) LANGUAGE sql AS $$
	SELECT row_number, stored, key IS NOT NULL, sqlstate,
		regexp_replace(message, '[0-9a-f-]{36}', 'N'), record->>shown
	FROM xero_fdw._push($1, $2, $3, $4)
$$;
SELECT FROM calls();

-- Rows that are at fault do not hinder the others, and only those that pass
-- the checks here are sent.
SELECT * FROM push('xero.contacts', 'insert', '[
	{"name": "Push one", "email_address": "one@example.com"},
	{"name": "Push one"},
	{"email_address": "nobody@example.com"},
	{"name": "Push two", "contact_status": "WRONG"},
	{"name": "Push three", "updated_date_utc": "2026-01-01"},
	{"name": "Push four", "addresses": [{"AddressType": "STREET", "City": "Perth"}]},
	{"name": "Push five", "discount": "much"}]', 'push-1', 'name');
SELECT * FROM calls();
-- the same with the same key is the same request, which Xero does not do again
SELECT row_number, stored, record->>'email_address' AS shows, record->>'contact_id' = key AS same
FROM xero_fdw._push('xero.contacts', 'insert',
	'[{"email_address": "one@example.com", "name": "Push one"}, {"name": "Push one"},
		{"addresses": [{"City": "Perth", "AddressType": "STREET"}], "name": "Push four"}]',
	'push-1');
\set log `"$PG_ABS_SRCDIR/test/sandbox-control" log | grep push-1`
SELECT count(*) AS requests, count(DISTINCT line::jsonb->>'body') AS bodies
	FROM string_to_table(:'log', E'\n') AS line;
SELECT count(*) FROM xero.contacts WHERE name LIKE 'Push %';
SELECT FROM calls();

-- All that the table has comes back.
CREATE TEMP TABLE pushed AS
SELECT p.* FROM xero.contacts AS x,
	xero_fdw._push('xero.contacts', 'update',
		jsonb_build_array(jsonb_build_object('contact_id', x.contact_id, 'first_name', 'F',
			'email_address', null)),
		'push-2') AS p
WHERE x.name = 'Push one';
SELECT * FROM calls();
SELECT j.key, j.value AS pushed, x.value AS read FROM pushed, jsonb_each(record) AS j
	LEFT JOIN (SELECT r.* FROM xero.contacts AS c, jsonb_each(to_jsonb(c)) AS r
		WHERE c.name = 'Push one') AS x USING (key)
WHERE j.value IS DISTINCT FROM x.value;
SELECT record->>'first_name' AS first_name, record->>'email_address' AS email_address FROM pushed;
SELECT FROM calls();

-- Update: each row sets what it has.
CREATE TEMP TABLE victims AS SELECT contact_id, row_number() OVER (ORDER BY contact_id) AS n
FROM xero.contacts WHERE contact_status = 'ACTIVE' ORDER BY contact_id LIMIT 5;
SELECT FROM calls();
SELECT jsonb_agg(jsonb_build_object('contact_id', contact_id) || CASE n
	WHEN 1 THEN '{"first_name": "One"}'
	WHEN 2 THEN '{"last_name": "Two", "email_address": "two@example.com"}'
	WHEN 3 THEN '{"balances": {}}'
	WHEN 4 THEN '{"name": null}'
	ELSE '{"tax_number": "5"}'
	END::jsonb ORDER BY n) AS rows
FROM victims \gset
SELECT * FROM push('xero.contacts', 'update', :'rows'::jsonb || '[
	{"first_name": "Nobody"},
	{"contact_id": null, "first_name": "Nobody"},
	{"contact_id": "00000000-0000-0000-0000-00000000dead", "first_name": "Nobody"}]',
	'push-3', 'first_name');
SELECT * FROM calls();
-- columns that go along with every change of a quote
SELECT operation, batch, needs
	FROM unnest(array['insert', 'update', 'delete']) AS operation,
		xero_fdw._push_rules('xero.quotes', operation);
SELECT jsonb_agg(jsonb_build_object('quote_id', quote_id, 'title', 'pushed')
	|| CASE WHEN n > 1 THEN jsonb_build_object('contact_id', contact_id, 'date', date,
		'quote_number', quote_number, 'reference', reference, 'terms', terms,
		'expiry_date', expiry_date, 'summary', summary, 'branding_theme_id', branding_theme_id,
		'currency_code', currency_code, 'currency_rate', currency_rate,
		'line_amount_types', line_amount_types, 'status', status) ELSE '{}' END
	) AS rows
FROM (SELECT *, row_number() OVER (ORDER BY quote_id) AS n FROM xero.quotes
	WHERE status = 'DRAFT' ORDER BY quote_id LIMIT 2) AS q \gset
SELECT * FROM push('xero.quotes', 'update', :'rows', 'push-4', 'title');
SELECT FROM calls();

-- Delete: by status, and by the method, which has no key
SELECT jsonb_agg(jsonb_build_object('contact_id', contact_id, 'name', 'left alone',
	'contact_status', CASE WHEN n = 5 THEN 'ARCHIVED' ELSE 'ACTIVE' END) ORDER BY n) AS rows
FROM victims WHERE n > 3 \gset
SELECT * FROM push('xero.contacts', 'delete', :'rows', 'push-5', 'contact_status');
SELECT * FROM calls();
SELECT FROM push('xero.items', 'insert', '[{"code": "PUSH"}]', 'push-6');
SELECT p.* FROM xero.items AS i,
	push('xero.items', 'delete', jsonb_build_array(jsonb_build_object('item_id', i.item_id)),
		'push-7', 'code') AS p
	WHERE code = 'PUSH';
SELECT regexp_replace(calls, '[0-9a-f-]{36}', 'N') AS calls FROM calls();

-- What was sent is shown, whatever Xero makes of it.
SELECT now, sent, xero_fdw._shows(now, sent)
FROM (VALUES ('{"Price": "9.5000", "Code": "A"}'::jsonb, '{"Price": 9.5}'::jsonb), ('"9.50"', '9.5'), ('9.5', '"9.500"'),
	('9.496', '9.5'), ('"9.6"', '9.5'), ('"nine"', '9'), ('"9.50"', '"9.5"'), (' "a  b "', '"a b"'), ('null', '9')) AS v (now, sent);

-- What Xero refuses as a whole is refused to each row; what fails is an error.
SELECT row_number, stored, sqlstate, message, together
FROM xero_fdw._push('xero.contacts', 'insert',
	'[{"name": "Push six"}, {"name": "Push seven", "purchases_tracking_categories": "x"},
		{"first_name": "Nameless"}]',
	'push-8');
SELECT row_number, stored, sqlstate, message, together
FROM xero_fdw._push('xero.contacts', 'insert',
	'[{"name": "Push seven", "purchases_tracking_categories": "x"}]', 'push-8a');
SELECT * FROM push('xero.accounts', 'insert',
	'[{"code": "200", "name": "Twice", "type": "EXPENSE"}]', 'push-8b');
SELECT * FROM calls();
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Contacts method=PUT status=403 times=1
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "Forbidden"}]', 'push-9');
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
SELECT FROM calls();

-- A record that is stored but does not fit the table
CREATE FOREIGN TABLE narrow (
	contact_id uuid, name text, email_address text,
	status integer OPTIONS (field 'ContactStatus')
) SERVER xero OPTIONS (object 'accounting/Contacts');
SELECT row_number, stored, key IS NOT NULL AS key_known, record
	FROM xero_fdw._push('narrow', 'insert', '[{"name": "Narrow one"}]', 'push-10');
ALTER FOREIGN TABLE narrow OPTIONS (ADD updatable 'false');
SELECT FROM xero_fdw._push('narrow', 'insert', '[{"name": "Narrow two"}]', 'push-11');
SELECT batch, needs FROM xero_fdw._push_rules('narrow', 'insert');
DROP FOREIGN TABLE narrow;
SELECT FROM calls();

-- A key that is in use for too long is no protection, so nothing is sent.
SELECT stored
	FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "Sent again"}]', 'push-12',
		now() - interval '5 minutes');
SELECT stored
	FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "Sent too late"}]', 'push-13',
		now() - interval '6 minutes');
SELECT * FROM calls();

-- Bad calls send nothing.
SELECT FROM xero_fdw._push('xero.contacts', 'upsert', '[]', 'k');
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '{"name": "x"}', 'k');
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '"x"', 'k');
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '["x"]', 'k');
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '[{"nick": "x"}]', 'k');
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "x"}]', 'a b');
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "x"}]', E'a\nb');
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "x"}]', '');
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "x"}]', NULL);
SELECT FROM xero_fdw._push('xero.contacts', 'insert',
	(SELECT jsonb_agg(jsonb_build_object('name', 'Many ' || n)) FROM generate_series(1, 51) AS n),
	'k');
SELECT FROM xero_fdw._push('xero.contacts', 'insert',
	(SELECT jsonb_agg(jsonb_build_object('name', 'Large ' || n,
		'addresses', jsonb_build_array(jsonb_build_object('City', repeat('x', 100000)))))
	FROM generate_series(1, 40) AS n), 'k');
SELECT FROM xero_fdw._push('xero.organisation', 'insert', '[{"name": "x"}]', 'k');
SELECT FROM xero_fdw._push('xero.invoice_line_items', 'insert', '[]', 'k');
SELECT FROM xero_fdw._push('victims', 'insert', '[]', 'k');
SELECT FROM xero_fdw._push('pg_class', 'insert', '[]', 'k');
SELECT FROM xero_fdw._push(0, 'insert', '[]', 'k');
SELECT count(*) FROM xero_fdw._push('xero.contacts', 'insert', '[]', 'k');
BEGIN READ ONLY;
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "x"}]', 'k');
ROLLBACK;
SET xero_fdw.dry_run = on;
SELECT FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "x"}]', 'k');
RESET xero_fdw.dry_run;
SELECT * FROM calls();
-- Xero does not forget on ROLLBACK.
SET client_min_messages = error;
BEGIN;
SELECT stored FROM xero_fdw._push('xero.currencies', 'insert', '[{"code": "CHF"}]', 'push-14');
PREPARE TRANSACTION 'push';
RESET client_min_messages;
SELECT FROM calls();

-- Nobody but the engine calls _push().  It writes as whoever came in by the gate, so
-- for this test there are gates to it: rights are those of INSERT, UPDATE and
-- DELETE, and to read what comes back.
CREATE FUNCTION xero_fdw.push(relation regclass, operation text, "rows" jsonb,
		idempotency_key text, first_sent timestamptz DEFAULT NULL, OUT row_number integer,
		OUT stored boolean, OUT key text, OUT sqlstate text, OUT message text, OUT record jsonb,
		OUT together boolean) RETURNS SETOF record
	LANGUAGE c AS '$libdir/xero_fdw', 'xero_gate';
CREATE FUNCTION xero_fdw.organisations(relation regclass, OUT tenant_id uuid, OUT name text)
	RETURNS SETOF record
	LANGUAGE c AS '$libdir/xero_fdw', 'xero_gate';
CREATE ROLE xero_pusher;
CREATE USER MAPPING FOR xero_pusher SERVER xero OPTIONS (access_token 'sandbox-token');
GRANT USAGE ON SCHEMA xero TO xero_pusher;
GRANT SELECT ON victims TO xero_pusher;
SET ROLE xero_pusher;
SELECT FROM xero_fdw._push('xero.currencies', 'insert', '[{"code": "SEK"}]', 'k');
SELECT FROM xero_fdw.push('xero.currencies', 'insert', '[{"code": "SEK"}]', 'k');
SELECT FROM xero_fdw.organisations('xero.currencies');
RESET ROLE;
GRANT INSERT (code) ON xero.currencies TO xero_pusher;
SET ROLE xero_pusher;
SELECT FROM xero_fdw.push('xero.currencies', 'insert', '[{"code": "SEK"}]', 'k');
RESET ROLE;
GRANT SELECT ON xero.currencies, xero.contacts TO xero_pusher;
GRANT UPDATE (first_name) ON xero.contacts TO xero_pusher;
SET ROLE xero_pusher;
SELECT FROM xero_fdw.push('xero.currencies', 'insert', '[{"code": "SEK", "description": "x"}]',
	'k');
SELECT stored FROM xero_fdw.push('xero.currencies', 'insert', '[{"code": "SEK"}]', 'push-15');
SELECT FROM xero_fdw.push('xero.contacts', 'update',
	(SELECT jsonb_build_array(jsonb_build_object('contact_id', contact_id, 'last_name', 'x'))
		FROM victims WHERE n = 1),
	'k');
SELECT FROM xero_fdw.push('xero.contacts', 'delete', '[]', 'k');
SELECT stored
	FROM xero_fdw.push('xero.contacts', 'update',
		(SELECT jsonb_build_array(jsonb_build_object('contact_id', contact_id, 'first_name', 'x'))
			FROM victims WHERE n = 1),
		'push-16');
RESET ROLE;
SELECT FROM calls();
DROP OWNED BY xero_pusher;
DROP ROLE xero_pusher;
DROP FUNCTION xero_fdw.push, xero_fdw.organisations;

-- What the session has spent; what its last scan was told of
CREATE TEMP TABLE before AS SELECT * FROM xero_fdw._session();
SELECT count(*) FROM (SELECT reference FROM xero.invoices WHERE status = 'PAID' LIMIT 3) AS x;
SELECT s.calls - b.calls AS calls, s.retries - b.retries AS retries,
	s.bytes_in > b.bytes_in AS bytes_in, s.bytes_out - b.bytes_out AS bytes_out,
	s.waited_ms - b.waited_ms AS waited_ms, xero_fdw._list_size('xero.invoices') AS listed,
	s.clock_offset BETWEEN '-2 s' AND '2 s' AS same_time
FROM xero_fdw._session() AS s, before AS b;
-- a Xero whose clock is two hours ahead
\! "$PG_ABS_SRCDIR/test/sandbox-control" clock advance=7200
SELECT count(*) FROM xero.invoices WHERE status = 'PAID';
SELECT xero_fdw._list_size('xero.invoices') AS listed,
	clock_offset BETWEEN '01:59:58' AND '02:00:02' AS ahead
FROM xero_fdw._session();
SELECT count(*) FROM (SELECT account_id FROM xero.accounts OFFSET 0) AS x;
-- each table has its own; a list that does not tell has none
SELECT xero_fdw._list_size('xero.accounts') AS accounts,
	xero_fdw._list_size('xero.invoices') AS invoices,
	xero_fdw._list_size('pg_class') AS none;
SELECT FROM calls();

-- Lines made of parents that were read: those of every line table are what a
-- scan of it gives, in the same order, without a call.
SELECT * FROM xero_fdw._line_source('xero.invoice_line_items');
SELECT * FROM xero_fdw._line_source('xero.invoices');
CREATE FUNCTION compare_lines(lines regclass, source record) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	parent text := table_name FROM xero_fdw.objects
		WHERE source.parent_object IN (api || '/' || object, object);
	parents jsonb;
	made jsonb;
	called bigint;
	result text;
BEGIN
	EXECUTE format('SELECT jsonb_agg(to_jsonb(p)) FROM (SELECT tenant_id, %s FROM xero.%I) AS p',
		(SELECT string_agg(quote_ident(p.column_name), ', ')
			FROM xero_fdw.columns AS p WHERE p.api = 'accounting' AND p.table_name = parent
				AND (p.column_name = source.array_column OR EXISTS (
					SELECT FROM pg_attribute AS a WHERE a.attrelid = lines
						AND a.attfdwoptions[1] = 'field=../' || p.field))),
		parent) INTO parents;
	called := (SELECT s.calls FROM xero_fdw._session() AS s);
	EXECUTE format('SELECT jsonb_agg(l) FROM xero_fdw._lines(NULL::%s, $1) AS l',
		lines) INTO made USING parents;
	result := format('%s rows, %s calls', jsonb_array_length(made),
		(SELECT s.calls FROM xero_fdw._session() AS s) - called);
	EXECUTE format('SELECT $1 || CASE WHEN jsonb_agg(l) IS NOT DISTINCT FROM $2'
		' THEN '', as scanned'' ELSE '', OTHERS THAN SCANNED'' END FROM %s AS l', lines)
		INTO result USING result, made;
	RETURN result;
END $$;
SELECT c.relname, compare_lines(c.oid::regclass, s)
	FROM pg_class AS c, xero_fdw._line_source(c.oid) AS s
WHERE c.relnamespace = 'xero'::regnamespace AND c.relkind = 'f' AND s.parent_key IS NOT NULL
	-- what lists lack is not made of lists
	AND obj_description(c.oid) !~ 'one call'
	ORDER BY c.relname;
SELECT count(*) > 0 AS called FROM calls();
-- other columns of the table, and of the parent
CREATE FOREIGN TABLE lines (
	description text,
	amount numeric OPTIONS (field 'LineAmount'),
	issued date OPTIONS (field '../Date'),
	whose uuid OPTIONS (field '../Contact.ContactID'),
	named text OPTIONS (field '../Contact.Name')
) SERVER xero OPTIONS (object 'accounting/Invoices/LineItems');
SELECT * FROM xero_fdw._lines(NULL::lines, '[
	{"invoice_id": "x", "contact_id": "9b30a1f2-7a3b-4c1e-a2a4-0d9a2b4d3f10",
		"contact_name": "Ünal", "date": "2026-03-01", "line_items": [
			{"LineAmount": 1.10, "Description": "a\u00e4\n\"b\"", "New": [1]}, {}]},
	{"line_items": null},
	{"date": null, "line_items": []},
	{},
	{"date": "/Date(1772323200000+0000)/", "line_items": [{"LineAmount": 1e3}]}]');
SELECT count(*) FROM xero_fdw._lines(NULL::lines, NULL);
SELECT * FROM xero_fdw._lines(NULL::lines, '[{"line_items": [{"LineAmount": "much"}]}]');
SELECT * FROM xero_fdw._lines(NULL::lines, '{}');
SELECT * FROM xero_fdw._lines(NULL::lines, '[1]');
SELECT * FROM xero_fdw._lines(NULL::xero.invoices, '[]');
SELECT * FROM xero_fdw._lines(NULL::victims, '[]');
SELECT * FROM xero_fdw._lines(NULL::text, '[]');
DROP FOREIGN TABLE lines;
DROP FUNCTION compare_lines;
SELECT * FROM calls();

-- Deciding, part by part: no call, no table, no sync.
-- 1. what kind of item it is.  Both sides are there: merged if one has changed and may; ended,
-- archived or deleted if one is gone, a changed row never
CREATE FUNCTION item(given jsonb) RETURNS xero_fdw._item LANGUAGE sql AS $$
	SELECT jsonb_populate_record(NULL::xero_fdw._item, '{"link_id": 1, "state": "linked",
		"xero_id": "r", "local_key": [1], "gone": false, "deleted": false, "first": false,
		"blocked": false, "in_scope": true, "remote": {"x": "a"}, "base_xero": {"x": "a"},
		"local": {"l": "a"}, "base_local": {"l": "a"}}' || given)
$$;
CREATE FUNCTION kind(given jsonb, self jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT xero_fdw._kind(jsonb_populate_record(NULL::xero_fdw.sync,
		'{"direction": "both", "initial": "merge", "on_delete": "ignore"}' || self), item(given))
$$;
SELECT given AS "both sides are there; but", kind(given), kind(given, '{"direction": "pull"}') AS pull,
	kind(given, '{"on_delete": "archive"}') AS archive
FROM jsonb_array_elements('[{}, {"remote": {"x": "b"}}, {"local": {"l": "b"}},
	{"local": {"l": "b"}, "in_scope": false}, {"state": "ended"},
	{"gone": true, "remote": null}, {"gone": true, "remote": null, "local": {"l": "b"}},
	{"deleted": true, "local": null}]') AS given;
-- ... one side alone: created on the other, or ignored by the first merge until it changes
SELECT given AS "a row alone; but", kind(alone || given, '{"initial": "merge"}') AS merge,
	kind(alone || given, '{"initial": "new_only"}') AS new_only,
	kind(alone || given, '{"initial": "xero_to_local"}') AS xero_to_local,
	kind(alone || given, '{"initial": "local_to_xero"}') AS local_to_xero,
	kind(alone || given, '{"direction": "pull"}') AS pull
FROM jsonb_array_elements('[{}, {"first": true}, {"state": "ignored"},
	{"state": "ignored", "local": {"l": "b"}}, {"blocked": true},
	{"in_scope": false}, {"deleted": true}]') AS given,
	(VALUES ('{"xero_id": null, "remote": null, "base_xero": null}'::jsonb)) AS v(alone);
SELECT given AS "a record alone; but", kind(alone || given, '{"initial": "merge"}') AS merge,
	kind(alone || given, '{"initial": "new_only"}') AS new_only,
	kind(alone || given, '{"initial": "xero_to_local"}') AS xero_to_local,
	kind(alone || given, '{"initial": "local_to_xero"}') AS local_to_xero,
	kind(alone || given, '{"direction": "push"}') AS push
FROM jsonb_array_elements('[{}, {"first": true}, {"state": "ignored"},
	{"state": "ignored", "remote": {"x": "b"}}, {"blocked": true}]') AS given,
	(VALUES ('{"local_key": null, "local": null, "base_local": null}'::jsonb)) AS v(alone);
-- ... and a pair is left as it is by the first merge of what is new only
SELECT initial, kind('{"first": true, "base_xero": null, "base_local": null}',
	jsonb_build_object('initial', initial))
FROM unnest('{merge,new_only,xero_to_local,local_to_xero}'::text[]) AS initial;

-- 2. what is known of a field, by what each side says and what it said when both agreed
CREATE FUNCTION facts(here jsonb, there jsonb, here_before jsonb, there_before jsonb,
	item jsonb DEFAULT '{}', field jsonb DEFAULT '{}', clock_offset interval DEFAULT '0')
RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', CASE WHEN same THEN 'same' END, CASE WHEN unknown THEN 'unknown' END,
		CASE WHEN xero_changed THEN 'changed there' END, CASE WHEN local_changed THEN 'changed here' END,
		CASE WHEN local_newer THEN 'later here' END, 'decided ' || decided, CASE WHEN is_id THEN 'id' END,
		CASE WHEN NOT row_read THEN 'not read' END)
	FROM xero_fdw._compare_fields(jsonb_populate_record(NULL::xero_fdw.sync, '{"xero_key": "id"}'),
		ARRAY[jsonb_populate_record(NULL::xero_fdw.sync_field, '{"field": "f", "local_column": "l",
			"xero_column": "x", "direction": "both", "xero_uses": ["x"], "local_uses": ["l"]}' || field)],
		ARRAY[jsonb_populate_record(NULL::xero_fdw._case, jsonb_build_object('n', 1, 'kind', 'pair',
			'item', jsonb_build_object('in_scope', true,
				'local', CASE WHEN here IS NOT NULL THEN jsonb_build_object('l', here) END,
				'base_local', CASE WHEN here_before IS NOT NULL THEN jsonb_build_object('l', here_before) END,
				'remote', jsonb_build_object('x', there),
				'base_xero', CASE WHEN there_before IS NOT NULL THEN jsonb_build_object('x', there_before) ELSE '{}' END
					|| coalesce(item->'marks', '{}')) || item,
			'as_local', jsonb_build_object('l', there), 'as_local_base', jsonb_build_object('l', there_before),
			'as_xero', jsonb_build_object('x', here), 'as_xero_base', jsonb_build_object('x', here_before)))],
		clock_offset)
$$;
SELECT here, there, here_before, there_before, facts(here, there, here_before, there_before)
FROM (VALUES (1, '"a"'::jsonb, '"a"'::jsonb, '"a"'::jsonb, '"a"'::jsonb),
	(2, '"a"', '"b"', '"a"', '"a"'), (3, '"b"', '"a"', '"a"', '"a"'),
	(4, '"b"', '"c"', '"a"', '"a"'), (5, '"b"', '"b"', '"a"', '"a"'),
	-- what is empty is empty
	(6, '""', 'null', '"a"', '"a"'), (7, '""', 'null', 'null', '[]'), (8, '{}', '"a"', 'null', '"a"'),
	-- what is not known counts as changed
	(9, '"a"', '"b"', NULL, NULL), (10, '"a"', '"b"', '"a"', NULL), (11, '"a"', '"b"', NULL, '"b"'),
	(12, '"a"', '"a"', NULL, NULL), (13, NULL, '"b"', NULL, '"a"'))
	AS v(n, here, there, here_before, there_before) ORDER BY n;
-- ... a field that is marked counts as changed; outside of the filter a row changes nothing;
-- a field that only flows one way; and the id, which the row has lost
SELECT facts('"a"', '"b"', '"a"', '"a"', '{"marks": {"?f": true}}') AS marked,
	facts('"b"', '"a"', '"a"', '"a"', '{"in_scope": false}') AS outside,
	facts('"b"', '"a"', '"a"', '"a"', field => '{"direction": "to_local"}') AS to_local,
	facts('"a"', '"b"', '"a"', '"a"', field => '{"direction": "to_xero", "local_column": null}') AS to_xero,
	facts('null', '"r"', '"r"', '"r"', field => '{"direction": "to_local", "xero_column": "id"}') AS id;
-- ... which side was changed later, by a clock of Xero's that is an hour ahead or not
SELECT here_at, facts('"b"', '"c"', '"a"', '"a"', times) AS same_clock,
	facts('"b"', '"c"', '"a"', '"a"', times, clock_offset => '1 hour') AS ahead
FROM unnest('{10:30,11:30,12:30}'::time[]) AS here_at,
	jsonb_build_object('local_at', '2026-01-01'::timestamptz + here_at, 'remote_at', '2026-01-01 12:00Z') AS times;
-- ... and what a person has decided holds over the value that it was about only
SELECT mark, facts('"b"', '"c"', '"a"', '"a"', jsonb_build_object('marks', jsonb_build_object('?f', mark))),
	facts('"b"', '"c"', '"a"', '"a"', jsonb_build_object('marks', jsonb_build_object('?f', mark), 'in_scope', false)) AS outside
FROM jsonb_array_elements('[{"winner": "local", "over": "c"}, {"winner": "local", "over": "d"},
	{"winner": "xero", "over": "b"}, {"winner": "xero", "over": "d"}]') AS mark;

-- 3. a column of Xero's that is made of two has changed through the one that has
SELECT field, local_changed FROM xero_fdw._compare_fields(NULL,
	ARRAY(SELECT f FROM jsonb_populate_recordset(NULL::xero_fdw.sync_field, '[
		{"field": "p1", "local_column": "p1", "xero_column": "x", "direction": "both", "xero_uses": ["x"], "local_uses": ["p1", "p2"]},
		{"field": "p2", "local_column": "p2", "xero_column": "x", "direction": "both", "xero_uses": ["x"], "local_uses": ["p1", "p2"]},
		{"field": "p3", "local_column": "p3", "xero_column": "x", "direction": "to_xero", "xero_uses": ["x"], "local_uses": ["p1", "p2"]}
		]') AS f),
	ARRAY[jsonb_populate_record(NULL::xero_fdw._case, '{"n": 1, "kind": "pair", "item": {"in_scope": true,
		"local": {"p1": "3", "p2": "2"}, "base_local": {"p1": "1", "p2": "2"},
		"remote": {"x": "1/2"}, "base_xero": {"x": "1/2"}},
		"as_local": {"p1": "1", "p2": "2"}, "as_local_base": {"p1": "1", "p2": "2"},
		"as_xero": {"x": "3/2"}, "as_xero_base": {"x": "1/2"}}')], '0')
ORDER BY field;

-- 4. which way a field flows: not at all if no side has changed or both say the same, by
-- the side that has, by the rule of the sync if both have
CREATE FUNCTION state(given jsonb) RETURNS xero_fdw._field_state LANGUAGE sql AS $$
	SELECT jsonb_populate_record(NULL::xero_fdw._field_state, '{"n": 1, "field": "f", "local_column": "l",
		"xero_column": "x", "direction": "both", "row_read": true, "old_local": "ours", "new_local": "theirs",
		"old_xero": "theirs", "new_xero": "ours", "adopt": false, "is_id": false, "first": false, "same": false,
		"unknown": false, "xero_changed": false, "local_changed": false, "local_newer": false}' || given)
$$;
CREATE FUNCTION judge(given jsonb, conflict text, initial text DEFAULT 'merge') RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(v.flow || ': ' || v.why, '-') FROM xero_fdw._judge_field(state(given), conflict, initial) AS v
$$;
SELECT given, judge(given, 'newest') AS flows
FROM jsonb_array_elements('[{}, {"xero_changed": true}, {"local_changed": true},
	{"same": true, "xero_changed": true, "local_changed": true}]') AS given;
SELECT conflict, judge(given, conflict) AS flows, judge(given || '{"local_newer": true}', conflict) AS flows_if_newer
FROM unnest('{newest,xero,local,manual}'::text[]) AS conflict,
	(VALUES ('{"xero_changed": true, "local_changed": true}'::jsonb)) AS v(given);
-- 5. if nothing was agreed on: in the first merge of all by "initial", else from the side
-- that is not empty, else by the rule
SELECT initial, judge(given || '{"first": true}', 'manual', initial) AS flows,
	judge(given, 'manual', initial) AS flows_later
FROM unnest('{merge,xero_to_local,local_to_xero}'::text[]) AS initial,
	(VALUES ('{"xero_changed": true, "local_changed": true, "unknown": true}'::jsonb)) AS v(given);
SELECT empty, judge(given || empty, 'manual') AS flows,
	judge(given || empty || '{"first": true}', 'manual', 'local_to_xero') AS flows_to_xero
FROM jsonb_array_elements('[{"old_local": null}, {"old_local": ""}, {"new_local": null}, {"new_local": []}]') AS empty,
	(VALUES ('{"xero_changed": true, "local_changed": true, "unknown": true}'::jsonb)) AS v(given);
SELECT conflict, judge(given, conflict) AS flows, judge(given || '{"local_newer": true}', conflict) AS flows_if_newer
FROM unnest('{newest,xero,local,manual}'::text[]) AS conflict,
	(VALUES ('{"xero_changed": true, "local_changed": true, "unknown": true}'::jsonb)) AS v(given);
-- 6. one way only: what changes on the side that it flows to is left, but the id is put
-- back if the row was read
SELECT given, judge(given || '{"direction": "to_local"}', 'local') AS to_local,
	judge(given || '{"direction": "to_xero"}', 'xero') AS to_xero,
	judge(given || '{"direction": "to_local", "adopt": true}', 'xero') AS adopted
FROM jsonb_array_elements('[{}, {"xero_changed": true}, {"local_changed": true},
	{"xero_changed": true, "local_changed": true}, {"xero_changed": true, "local_column": null},
	{"is_id": true}, {"is_id": true, "row_read": false}]') AS given;
-- 7. a person's decision goes before the rules, but not where both say the same
SELECT decided, judge(given || decided, 'xero') AS flows, judge(given || decided || '{"same": true}', 'xero') AS flows_if_same,
	judge(decided, 'xero') AS flows_if_unchanged
FROM jsonb_array_elements('[{"decided": "to_local"}, {"decided": "to_xero"}]') AS decided,
	(VALUES ('{"xero_changed": true, "local_changed": true}'::jsonb)) AS v(given);

-- 8. the fields of an item together: each goes its way, what both have changed is counted
SELECT m.* FROM xero_fdw._merge_fields(ARRAY(SELECT state(given) FROM jsonb_array_elements('[
	{"field": "a", "local_column": "a", "xero_column": "xa", "xero_changed": true},
	{"field": "b", "local_column": "b", "xero_column": "xb", "local_changed": true},
	{"field": "c", "local_column": "c", "xero_column": "xc", "xero_changed": true, "local_changed": true},
	{"field": "d", "local_column": "d", "xero_column": "xd"},
	{"n": 2, "field": "d"}]') AS given), 'manual', 'merge') AS m \gx
-- 9. parts of one column wait for the one that a person is to decide on; the part that
-- only goes to Xero does not ask him; another column and another item do not wait
SELECT m.n, m.xero_new, m.conflicts, m.disagreed, m.why FROM xero_fdw._merge_fields(ARRAY(SELECT state(given) FROM jsonb_array_elements('[
	{"field": "p1", "xero_changed": true, "local_changed": true},
	{"field": "p2", "local_changed": true},
	{"field": "p3", "direction": "to_xero", "local_changed": true},
	{"field": "other", "xero_column": "other", "local_changed": true},
	{"n": 2, "field": "p2", "local_changed": true}]') AS given), 'manual', 'merge') AS m ORDER BY m.n \gx

-- 10. what is to be done, by the kind of item, and for a pair by its fields
SELECT kind, d.state, d.hold, d.local_action, d.local_new, d.local_old, d.xero_action, d.xero_new, d.xero_fields, d.why
FROM unnest('{pair,quiet,adopt,create_local,create_xero,delete_local,archive,end,ignore,wait,rest,forget}'::text[])
		WITH ORDINALITY AS k(kind, n),
	xero_fdw._conclude(jsonb_populate_record(NULL::xero_fdw._case, jsonb_build_object('kind', kind,
		'item', to_jsonb(item('{"state": "unlinked"}')), 'as_local', CASE WHEN kind = 'create_local' THEN jsonb '{"l": "new"}' END,
		'as_xero', CASE WHEN kind = 'create_xero' THEN jsonb '{"x": "new"}' END)), NULL, '{f}') AS d ORDER BY n;
SELECT d.state, d.hold, d.local_action, d.local_new, d.xero_action, d.xero_new, d.xero_fields, d.conflicts, d.why
FROM jsonb_array_elements('[{"local_new": {"l": 1}, "why": {"f": "there"}}, {"xero_new": {"x": 1}, "xero_fields": ["f"], "why": {"f": "here"}},
		{"conflicts": {"f": {}}, "why": {"f": "both"}}]') AS merged,
	xero_fdw._conclude(jsonb_populate_record(NULL::xero_fdw._case, '{"kind": "pair"}'),
		jsonb_populate_record(NULL::xero_fdw._merged, merged), '{f}') AS d;
SELECT * FROM calls();
DROP FUNCTION item, kind, facts, state, judge;

-- Several organisations
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset tenants=2
\getenv url XERO_SANDBOX_URL
CREATE SERVER two FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (api_url :'url', identity_url :'url', login_url :'url', minute_limit '100000',
		day_limit '1000000');
CREATE USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (access_token 'sandbox-token');
CREATE SCHEMA two;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts) FROM SERVER two INTO two;
SELECT name, tenant_id IS NOT NULL AS known
	FROM xero_fdw._organisations('two.contacts') ORDER BY name;
SELECT array_agg(tenant_id ORDER BY name) AS ids FROM xero_fdw._organisations('two.contacts') \gset
SELECT * FROM push('two.contacts', 'insert',
	'[{"name": "Whose?"},
		{"tenant_id": "00000000-0000-0000-0000-00000000dead", "name": "Nobody''s"}]',
	'k');
SELECT FROM push('two.contacts', 'insert',
	(SELECT jsonb_agg(jsonb_build_object('tenant_id', id, 'name', 'Both'))
		FROM unnest(:'ids'::uuid[]) AS id),
	'k');
SELECT * FROM push('two.contacts', 'insert',
	jsonb_build_array(jsonb_build_object('tenant_id', (:'ids'::uuid[])[2], 'name', 'Second')),
	'push-17', 'name');
SELECT tenant_id = (:'ids'::uuid[])[2] AS second FROM two.contacts WHERE name = 'Second';
SELECT count(*) FROM (SELECT name FROM two.contacts) AS x;
SELECT xero_fdw._list_size('two.contacts') AS listed;
SELECT * FROM calls();
ALTER SERVER two OPTIONS (ADD tenant_id '00000000-0000-0000-0000-00000000cafe');
SELECT * FROM xero_fdw._organisations('two.contacts');
DROP SERVER two CASCADE;
DROP SCHEMA two;

DROP FUNCTION push;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
