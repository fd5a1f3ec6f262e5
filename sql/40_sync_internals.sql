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

-- Rights are those of INSERT, UPDATE and DELETE, and to read what comes back.
CREATE ROLE xero_pusher;
CREATE USER MAPPING FOR xero_pusher SERVER xero OPTIONS (access_token 'sandbox-token');
GRANT USAGE ON SCHEMA xero TO xero_pusher;
GRANT SELECT ON victims TO xero_pusher;
SET ROLE xero_pusher;
SELECT FROM xero_fdw._push('xero.currencies', 'insert', '[{"code": "SEK"}]', 'k');
SELECT FROM xero_fdw._organisations('xero.currencies');
RESET ROLE;
GRANT INSERT (code) ON xero.currencies TO xero_pusher;
SET ROLE xero_pusher;
SELECT FROM xero_fdw._push('xero.currencies', 'insert', '[{"code": "SEK"}]', 'k');
RESET ROLE;
GRANT SELECT ON xero.currencies, xero.contacts TO xero_pusher;
GRANT UPDATE (first_name) ON xero.contacts TO xero_pusher;
SET ROLE xero_pusher;
SELECT FROM xero_fdw._push('xero.currencies', 'insert', '[{"code": "SEK", "description": "x"}]',
	'k');
SELECT stored FROM xero_fdw._push('xero.currencies', 'insert', '[{"code": "SEK"}]', 'push-15');
SELECT FROM xero_fdw._push('xero.contacts', 'update',
	(SELECT jsonb_build_array(jsonb_build_object('contact_id', contact_id, 'last_name', 'x'))
		FROM victims WHERE n = 1),
	'k');
SELECT FROM xero_fdw._push('xero.contacts', 'delete', '[]', 'k');
SELECT stored
	FROM xero_fdw._push('xero.contacts', 'update',
		(SELECT jsonb_build_array(jsonb_build_object('contact_id', contact_id, 'first_name', 'x'))
			FROM victims WHERE n = 1),
		'push-16');
RESET ROLE;
SELECT FROM calls();
DROP OWNED BY xero_pusher;
DROP ROLE xero_pusher;

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
-- ... and tells it to those who may read the table
SELECT 'xero.invoices'::regclass::oid AS invoices \gset
CREATE ROLE xero_stranger;
SET ROLE xero_stranger;
SELECT xero_fdw._list_size(:invoices) AS listed;
RESET ROLE;
GRANT SELECT (status) ON xero.invoices TO xero_stranger;
SET ROLE xero_stranger;
SELECT xero_fdw._list_size(:invoices) AS listed;
RESET ROLE;
DROP OWNED BY xero_stranger;
DROP ROLE xero_stranger;
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
