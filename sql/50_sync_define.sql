-- Defining syncs: what is stored, and all that can be wrong with a definition.
CALL needs_00_setup();
\set VERBOSITY terse
SET client_min_messages = 'warning';
CREATE SCHEMA crm;
CREATE TABLE crm.contact (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, contact_id uuid,
	name text NOT NULL, email varchar(100), phone text, vip boolean DEFAULT false,
	born date, upper_name text GENERATED ALWAYS AS (upper(name)) STORED);
CREATE TABLE crm.twin (LIKE crm.contact INCLUDING ALL);
CREATE TABLE crm.dated (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, due timestamptz);
SELECT FROM calls();

-- 1. a definition, and what follows from it
SELECT xero_fdw.create_sync('contacts', 'xero.contacts', 'crm.contact', 'both', $${
	"contact_id": "contact_id",
	"name": "name",
	"email": "email_address",
	"phone": {"xero": "phones",
		"to_local": "xero.phones -> 0 ->> 'PhoneNumber' -- the first",
		"to_xero": "jsonb_build_array(jsonb_build_object('PhoneType', 'DEFAULT', 'PhoneNumber', local.phone))"},
	"vip": {"to_local": "coalesce(discount, 0) > 10"},
	"number": {"xero": "contact_number", "to_xero": "'CRM-' || id"}
}$$, match_on => '{email}', local_filter => 'name <> ''''');
SELECT name, owner = current_user::regrole AS own, xero_table, local_table, direction, match_on,
	xero_filter, local_filter, conflict, initial, on_delete, watch, state, schedule, watermark,
	issues
FROM xero_fdw.syncs;
SELECT jsonb_pretty(fields) FROM xero_fdw.syncs;
SELECT xero_key, local_key, columns #- '{xero,relation}' #- '{xero,numbers}' #- '{local,relation}' AS columns FROM xero_fdw.sync;
SELECT field, local_column, xero_column, direction, to_local IS NOT NULL AS to_local,
	to_xero IS NOT NULL AS to_xero, xero_uses, local_uses
	FROM xero_fdw.sync_field ORDER BY field COLLATE "C";
-- 2. nothing was asked of Xero, and nothing was left behind
SELECT * FROM calls();
SELECT count(*) FROM pg_class WHERE relname = 'xero_fdw_expression';

-- 3. all that is wrong comes at once
SELECT * FROM error_of($$SELECT xero_fdw.create_sync('bad', 'xero.invoices', 'crm.contact',
	'sideways', '{
	"nowhere": "reference", "name": "nowhere", "vip": "is_discounted", "born": "line_items",
	"upper_name": "reference", "id": "type",
	"phone": {"xero": "reference", "to_local": "max(reference)", "to_xero": "nowhere + 1"},
	"email": {"zero": 1, "xero": 2}}',
	conflict => 'mine', initial => 'none', on_delete => 'delete', match_on => '{email,born,contact_id}',
	xero_filter => 'total', local_filter => 'nowhere')$$);
SELECT * FROM error_of($$SELECT xero_fdw.create_sync('', 'xero.contacts', 'crm.contact', NULL,
	'{}')$$);
SELECT * FROM error_of($$SELECT xero_fdw.create_sync(NULL, NULL, NULL, 'pull', '[]')$$);
SELECT * FROM error_of($$SELECT xero_fdw.create_sync('bad', 'xero.contacts', 'crm.contact', 'pull',
	NULL)$$);
SELECT * FROM error_of($$SELECT xero_fdw.create_sync('bad', 'xero.nowhere', 'crm.contact', 'pull',
	'{"name": "name"}')$$);

-- 4. a field has a column at Xero, or an expression for each way that it goes
CREATE FUNCTION try(fields jsonb, direction text DEFAULT 'both',
	relation regclass DEFAULT 'crm.twin', xero_table regclass DEFAULT 'xero.contacts',
	match_on text[] DEFAULT NULL, xero_filter text DEFAULT NULL, local_filter text DEFAULT NULL)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM xero_fdw.create_sync('try', xero_table, relation, direction, fields, match_on,
		xero_filter, local_filter);
	PERFORM xero_fdw.drop_sync('try');
	RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN QUERY SELECT SQLSTATE || ': ' || coalesce(nullif(detail, ''), SQLERRM);
END $$;
SELECT try('{"name": "name"}');
SELECT try('{"name": 1, "email": ["a"], "phone": null}');
SELECT try('{"name": {"xero": "name", "direction": "up"}}');
SELECT try('{"name": {}}');
SELECT try('{"name": {"xero": "name", "key": "yes"}}');
SELECT try('{"name": {"xero": "name", "key": true}}');
SELECT try('{"name": "name", "other": {"xero": "reference"}}');
SELECT try('{"name": "name", "other": {"to_local": "1"}}');
SELECT try('{"name": "name", "phone": {"to_xero": "1"}}');
SELECT try('{"name": "name",
	"other": {"xero": "account_number", "to_xero": "name", "direction": "both"}}');
-- 5. the key comes from Xero, whatever the direction
SELECT try('{"name": "name", "contact_id": {"xero": "contact_id", "direction": "both"}}');
SELECT try('{"name": "name", "contact_id": "contact_id"}', 'push');
SELECT try('{"name": "name", "contact_id": "contact_id"}', 'pull');
-- 6. what is read-only there, or here, goes one way
SELECT try('{"name": "name", "vip": "is_customer"}');
SELECT try('{"name": "name", "vip": {"xero": "is_customer", "direction": "to_local"}}');
SELECT try('{"name": "name", "vip": "is_customer"}', 'pull');
SELECT try('{"name": "name", "upper_name": "account_number"}');
SELECT try('{"name": "name", "upper_name": "account_number"}', 'push');
SELECT try('{"name": "name", "id": {"to_local": "1"}}');
-- 7. directions that do not go together
SELECT try('{"name": "name", "email": {"xero": "email_address", "direction": "to_xero"}}', 'pull');
SELECT try('{"name": "name", "n": {"xero": "account_number", "to_xero": "1"}}', 'pull');
-- 8. types: what can be assigned, and text
SELECT try('{"name": "name", "phone": "phones"}');
SELECT try('{"name": "name", "phone": "phones"}', 'pull');
SELECT try('{"name": "name", "phone": {"xero": "phones", "to_xero": "''[]''::jsonb"}}');
SELECT try('{"name": "name", "born": {"to_local": "updated_date_utc"}}');
SELECT try('{"name": "reference", "due": "due_date"}', 'both', 'crm.dated', 'xero.invoices');
SELECT try('{"name": "reference", "due": {"xero": "due_date",
	"to_local": "due_date::timestamp AT TIME ZONE ''Europe/London''",
	"to_xero": "(due AT TIME ZONE ''Europe/London'')::date"},
	"type": {"xero": "type", "to_xero": "''ACCREC''", "direction": "to_xero"},
	"contact": {"xero": "contact_id", "to_xero": "gen_random_uuid()", "direction": "to_xero"},
	"lines": {"xero": "line_items", "to_xero": "''[]''::jsonb", "direction": "to_xero"}}',
	'both', 'crm.dated', 'xero.invoices');
SELECT try('{"name": "name", "born": {"to_local": "''2020-01-01''"}}');
SELECT try('{"name": "name", "born": {"to_local": "date ''2020-01-01''"}}');
SELECT try('{"name": "name", "n": {"xero": "discount", "to_xero": "id"}}');
SELECT try('{"name": "name", "n": {"xero": "account_number", "to_xero": "id"}}');
SELECT try('{"name": "name", "n": {"xero": "phones", "to_xero": "phone"}}');
-- 9. expressions: one value for each row, of its own columns
SELECT try('{"name": {"xero": "name", "to_local": "upper(name"}}');
SELECT try('{"name": {"xero": "name", "to_local": "name) AS value, (name"}}');
SELECT try('{"name": {"xero": "name", "to_local": "name; SELECT 1"}}');
SELECT try('{"name": {"xero": "name", "to_local": "generate_series(1, 2)::text"}}');
SELECT try('{"name": {"xero": "name", "to_local": "row_number() OVER ()"}}');
SELECT try('{"name": {"xero": "name", "to_local": "xero::text"}}');
SELECT try('{"name": {"xero": "name", "to_local": "tableoid::text"}}');
SELECT try('{"name": {"xero": "name", "to_local": "local.name"}}');
SELECT try('{"name": {"xero": "name",
	"to_local": "(SELECT max(c.name) FROM crm.contact AS c WHERE c.email = xero.email_address)"}}');
-- 10. one value for each column of Xero
SELECT try('{"name": "name", "email": "account_number", "phone": "account_number"}');
SELECT try('{"name": "name", "email": {"xero": "account_number", "to_xero": "email || phone"},
	"phone": {"xero": "account_number", "to_xero": "email || phone"}}');
SELECT try('{"name": "name", "email": "account_number",
	"phone": {"xero": "account_number", "direction": "to_local"}}');
-- 11. what new records and rows need
SELECT try('{"email": "email_address"}');
SELECT try('{"email": "email_address"}', 'push');
SELECT try('{"email": "email_address"}', 'pull');
SELECT try('{"name": {"to_local": "name"}, "email": {"xero": "name", "direction": "to_xero"}}');
-- 12. match_on: which columns can match
SELECT try('{"name": "name"}', match_on => '{email}');
SELECT try('{"name": "name", "n": {"xero": "account_number", "to_xero": "id"}}',
	match_on => '{n,name}');
SELECT try('{"email": "email_address"}', match_on => '{name}');
SELECT try('{"name": "name"}', match_on => '{}');
-- 13. filters: conditions on one row
SELECT try('{"name": "name"}', xero_filter => 'xero.contact_status = ''ACTIVE'' -- only these',
	local_filter => 'local.vip');
SELECT try('{"name": "name"}', xero_filter => 'count(*) > 1', local_filter => 'id');
SELECT try('{"name": "name"}', xero_filter => '', local_filter => ' ');

-- 14. tables: which can be synced, and which way
CREATE TABLE crm.keyless (name text);
CREATE TABLE crm.json_key (name jsonb PRIMARY KEY);
CREATE TABLE crm.array_key (name text[] PRIMARY KEY);
CREATE TEMP TABLE temporary (name text PRIMARY KEY);
CREATE VIEW crm.view AS SELECT * FROM crm.contact;
CREATE TABLE crm.natural (name text PRIMARY KEY, quantity integer NOT NULL);
CREATE TABLE crm.parted (
	tenant_id uuid, contact_id uuid, name text,
	PRIMARY KEY (tenant_id, contact_id)
) PARTITION BY HASH (tenant_id);
CREATE FOREIGN TABLE xero.untold (contact_id uuid, name text)
	SERVER xero OPTIONS (object 'accounting/Contacts');
CREATE FOREIGN TABLE xero.renamed (
	tenant_id uuid,
	id uuid OPTIONS (field 'ContactID'),
	title text OPTIONS (field 'Name'),
	more text OPTIONS (field 'Extra.More')
) SERVER xero OPTIONS (object 'accounting/Contacts');
CREATE FOREIGN TABLE xero.closed (tenant_id uuid, contact_id uuid, name text)
	SERVER xero OPTIONS (object 'accounting/Contacts', updatable 'false');
SELECT try('{"name": "name"}', relation => 'crm.keyless');
SELECT try('{"name": "name"}', relation => 'crm.json_key');
SELECT try('{"name": "name"}', relation => 'crm.array_key');
SELECT try('{"name": "name"}', relation => 'temporary');
SELECT try('{"name": "name"}', relation => 'crm.view');
SELECT try('{"name": "name"}', relation => 'xero.contacts');
SELECT try('{"name": "name"}', relation => 'crm.natural');
SELECT try('{"name": "name"}', relation => 'crm.natural', direction => 'push');
SELECT try('{"name": "name"}', xero_table => 'crm.contact');
SELECT try('{"name": "name"}', xero_table => 'xero.untold');
SELECT try('{"name": "city"}', xero_table => 'xero.contact_addresses', direction => 'pull');
SELECT try('{"contact_id": "id", "name": "title", "phone": "more"}', xero_table => 'xero.renamed');
SELECT try('{"name": "name"}', xero_table => 'xero.closed');
SELECT try('{"name": "name"}', xero_table => 'xero.closed', direction => 'pull');
SELECT try('{"name": "name"}', xero_table => 'xero.branding_themes');
SELECT try('{"tenant_id": "tenant_id", "contact_id": "contact_id", "name": "name"}',
	relation => 'crm.parted', direction => 'pull');
SELECT try('{"name": "name"}', relation => 'crm.parted');
-- Xero's key cannot have a default, but where rows come from Xero alone
CREATE TABLE crm.own_key (contact_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
CREATE TABLE crm.own_number (id integer PRIMARY KEY, name text, contact_id uuid DEFAULT NULL);
CREATE DOMAIN crm.made AS uuid DEFAULT gen_random_uuid();
CREATE TABLE crm.own_domain (id integer PRIMARY KEY, name text, contact_id crm.made);
SELECT try('{"contact_id": "contact_id", "name": "name"}', relation => 'crm.own_key');
SELECT try('{"contact_id": "contact_id", "name": "name"}', relation => 'crm.own_key', direction => 'pull');
SELECT try('{"contact_id": "contact_id", "name": "name"}', relation => 'crm.own_number', direction => 'push');
SELECT try('{"contact_id": "contact_id", "name": "name"}', relation => 'crm.own_domain', direction => 'push');
ALTER TABLE crm.own_domain ALTER contact_id SET DEFAULT NULL;
SELECT try('{"contact_id": "contact_id", "name": "name"}', relation => 'crm.own_domain', direction => 'push');
-- ... other than NULL
ALTER TABLE crm.own_number ALTER contact_id SET DEFAULT (NULL::varchar(40)::"char")::text::uuid;
SELECT try('{"contact_id": "contact_id", "name": "name"}', relation => 'crm.own_number', direction => 'push');
ALTER TABLE crm.own_number ALTER contact_id SET DEFAULT nullif(gen_random_uuid(), NULL);
SELECT try('{"contact_id": "contact_id", "name": "name"}', relation => 'crm.own_number', direction => 'push');
ALTER TABLE crm.own_number ALTER contact_id SET DEFAULT (NULL::text IS NULL)::text::uuid;
SELECT try('{"contact_id": "contact_id", "name": "name"}', relation => 'crm.own_number', direction => 'push');
SELECT * FROM error_of($$SELECT xero_fdw.create_sync('bad', 'xero.currencies', 'crm.natural',
	'push', '{"name": "code", "quantity": {"xero": "description", "to_xero": "quantity"}}',
	on_delete => 'archive')$$);
-- 15. a trigger may give what a column needs
CREATE FUNCTION crm.fill()
	RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.quantity := 0; RETURN NEW; END';
CREATE TRIGGER fill BEFORE INSERT ON crm.natural FOR EACH ROW EXECUTE FUNCTION crm.fill();
SELECT try('{"name": "name"}', relation => 'crm.natural');

-- 16. whose sync it is: the local table's owner's, and that of all that has its rows
CREATE ROLE regress_xero_other;
ALTER TABLE crm.twin OWNER TO regress_xero_other;
SELECT * FROM error_of($$SELECT xero_fdw.create_sync('bad', 'xero.contacts', 'crm.twin', 'pull',
	'{"name": "name"}')$$);
ALTER TABLE crm.twin OWNER TO CURRENT_USER;
CREATE TABLE crm.part PARTITION OF crm.parted FOR VALUES WITH (MODULUS 2, REMAINDER 0)
	PARTITION BY HASH (tenant_id);
CREATE TABLE crm.part_of_part PARTITION OF crm.part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
SELECT try('{"tenant_id": "tenant_id", "contact_id": "contact_id", "name": "name"}',
	relation => 'crm.parted', direction => 'pull');
ALTER TABLE crm.part_of_part OWNER TO regress_xero_other;
SELECT try('{"name": "name"}', 'push', 'crm.parted');
ALTER TABLE crm.part_of_part OWNER TO CURRENT_USER;
ALTER TABLE crm.parted OWNER TO regress_xero_other;
SELECT try('{"name": "name"}', 'push', 'crm.part_of_part');
CREATE TABLE crm.old_twin () INHERITS (crm.twin);
ALTER TABLE crm.old_twin OWNER TO regress_xero_other;
SELECT try('{"name": "name"}');
DROP TABLE crm.old_twin, crm.parted;
DROP ROLE regress_xero_other;

-- 17. foreign tables of other wrappers have no primary key, so fields name the key
CREATE FOREIGN DATA WRAPPER regress_other;
CREATE SERVER regress_other FOREIGN DATA WRAPPER regress_other;
CREATE FOREIGN TABLE crm.far (id integer DEFAULT 1, region text, name text) SERVER regress_other;
SELECT try('{"name": "name"}', relation => 'crm.far');
SELECT try('{"id": {"key": true}, "name": "name"}', relation => 'crm.far');
SELECT try('{"nowhere": {"key": true}, "name": "name"}', relation => 'crm.far');
SELECT try('{"region": {"key": true}, "name": "name"}', relation => 'crm.far');
SELECT try('{"region": {"key": true, "xero": "account_number"}, "id": {"key": true},
	"name": "name"}', relation => 'crm.far');
SELECT xero_fdw.create_sync('far', 'xero.contacts', 'crm.far', 'both',
	'{"id": {"key": true}, "region": {"key": true, "xero": "account_number"}, "name": "name"}');
SELECT watch, local_key FROM xero_fdw.sync WHERE name = 'far';
SELECT xero_fdw._check_sync_columns(sync_id) FROM xero_fdw.sync WHERE name = 'far';
SELECT xero_fdw.drop_sync('far');
DROP FOREIGN DATA WRAPPER regress_other CASCADE;

-- 18. a name is taken once; two syncs of the same tables need filters
SELECT * FROM error_of($$SELECT xero_fdw.create_sync('contacts', 'xero.items', 'crm.natural',
	'push', '{"name": "code"}')$$);
SELECT try('{"name": "name"}', 'push', 'crm.contact');
SELECT try('{"name": "name"}', 'push', 'crm.contact', local_filter => 'vip');
SELECT try('{"name": "name"}', 'pull', 'crm.contact', xero_filter => 'is_customer');
SELECT xero_fdw.alter_sync('contacts', direction => 'pull', fields => '{"name": "name"}',
	match_on => '{}', xero_filter => 'is_supplier');
SELECT try('{"name": "name"}', 'pull', 'crm.contact', xero_filter => 'is_customer');
SELECT try('{"name": "name"}', 'pull', 'crm.contact', xero_filter => 'is_supplier');
SELECT try('{"name": "name"}', 'push', 'crm.contact');
SELECT xero_fdw.alter_sync('contacts', direction => 'both', xero_filter => '');
SELECT * FROM error_of($$SELECT xero_fdw.drop_sync('nowhere')$$);
SELECT * FROM error_of($$SELECT xero_fdw.alter_sync('nowhere')$$);
SELECT * FROM error_of($$SELECT xero_fdw.drop_sync(NULL)$$);

-- 19. names mean what they mean to who defines the sync
CREATE SCHEMA lib;
CREATE FUNCTION lib.tidy(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT btrim($1)';
SELECT try('{"name": {"xero": "name", "to_local": "tidy(name)"}}');
SET search_path = lib, public;
SELECT try('{"name": {"xero": "name", "to_local": "tidy(name)"}}');
SELECT xero_fdw.alter_sync('contacts', on_delete => 'archive');
RESET search_path;
SELECT search_path, on_delete FROM xero_fdw.sync;

-- 20. altering changes what is given, and the rest stays
SELECT xero_fdw.alter_sync('contacts', direction => 'pull',
	fields => '{"name": "name", "email": "email_address"}', local_filter => '', match_on => '{}',
	conflict => 'xero', on_delete => 'ignore');
SELECT direction, fields, match_on, local_filter, conflict, initial, on_delete, watch
	FROM xero_fdw.syncs;
SELECT field, direction FROM xero_fdw.sync_field ORDER BY 1;
SELECT xero_fdw.alter_sync('contacts', direction => 'both');
SELECT field, direction FROM xero_fdw.sync_field ORDER BY 1;
SELECT * FROM error_of($$SELECT xero_fdw.alter_sync('contacts', conflict => 'mine',
	fields => '{"nowhere": "name"}')$$);
-- 21. what is looked at anew: base images are marked by what means something else now
INSERT INTO xero_fdw.sync_position
		(sync_id, tenant_id, watermark, pull_started, pull_offset, initial_done)
	SELECT sync_id, gen_random_uuid(), now(), now(), 7, true FROM xero_fdw.sync;
INSERT INTO xero_fdw.sync_link
		(sync_id, tenant_id, xero_id, local_key, base_xero, base_local, state)
	SELECT sync_id, gen_random_uuid(), 'x', '[1]', '{"name": "n", "email_address": "e"}',
		'{"name": "n", "email": "e", "phone": "p"}', 'linked'
	FROM xero_fdw.sync;
CREATE VIEW anew AS
	SELECT watermark IS NULL AS from_start, pull_started IS NULL AS no_pull, pull_offset,
	initial_done, base_xero, base_local,
	(SELECT count(*) FROM xero_fdw.sync_change AS c
		WHERE c.sync_id = p.sync_id AND operation = 'compare') AS compare
	FROM xero_fdw.sync_position AS p
	JOIN xero_fdw.sync_link USING (sync_id);
DELETE FROM xero_fdw.sync_change;
SELECT xero_fdw.alter_sync('contacts', conflict => 'newest');
SELECT * FROM anew;
SELECT xero_fdw.alter_sync('contacts',
	fields => '{"name": "name", "phone": "account_number",
		"email": {"xero": "email_address", "to_local": "lower(email_address)"}}');
SELECT * FROM anew;
UPDATE xero_fdw.sync_position SET watermark = now();
SELECT xero_fdw.alter_sync('contacts', xero_filter => 'is_customer');
SELECT * FROM anew;

-- 22. a run keeps it from being changed
BEGIN;
SELECT xero_fdw._try_lock(sync_id) FROM xero_fdw.sync;
\setenv PGDATABASE :DBNAME
\! psql -X -q -c "SELECT xero_fdw.alter_sync('contacts')" 2>&1 | grep -E '^(ERROR|HINT)'
\! psql -X -q -c "SELECT xero_fdw.drop_sync('contacts')" 2>&1 | grep -E '^(ERROR|HINT)'
ROLLBACK;

-- 23. tables that change: the next run says what does not fit any more
CREATE VIEW broken AS
	SELECT line FROM xero_fdw.sync,
		error_of(format('SELECT xero_fdw._check_sync_columns(%s)', sync_id)) AS line;
SELECT * FROM broken;
ALTER TABLE crm.contact RENAME TO person;
ALTER TABLE crm.person ADD COLUMN extra text;
SELECT * FROM broken;
DROP VIEW crm.view;
ALTER TABLE crm.person DROP COLUMN upper_name;
SELECT * FROM broken;
ALTER TABLE crm.person RENAME email TO mail;
ALTER TABLE crm.person DROP COLUMN phone;
ALTER TABLE crm.person ALTER name TYPE varchar(50);
ALTER FOREIGN TABLE xero.contacts DROP COLUMN account_number;
SELECT * FROM broken;
SELECT * FROM error_of($$SELECT xero_fdw.alter_sync('contacts')$$);
SELECT xero_fdw.alter_sync('contacts', fields => '{"name": "name", "mail": "email_address"}');
SELECT * FROM broken;
ALTER TABLE crm.person DROP CONSTRAINT contact_pkey, ADD PRIMARY KEY (id, name);
SELECT * FROM broken;
SELECT xero_fdw.alter_sync('contacts');
-- 24. another key, so all begins anew
SELECT count(*) FROM anew;
ALTER TABLE crm.person DISABLE TRIGGER ALL;
SELECT * FROM broken;
SELECT xero_fdw.alter_sync('contacts');
SELECT * FROM broken;
-- 25. a foreign table that is made again is another one
DROP FUNCTION try;
DROP FOREIGN TABLE xero.contacts CASCADE;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts) FROM SERVER xero INTO xero;
SELECT * FROM broken;
SELECT * FROM error_of($$SELECT xero_fdw.alter_sync('contacts')$$);
SELECT xero_fdw.alter_sync('contacts', 'xero.contacts');
SELECT * FROM broken;

-- 26. dropping leaves the data
INSERT INTO crm.person (name) VALUES ('Ann');
SELECT xero_fdw.drop_sync('contacts');
INSERT INTO crm.person (name) VALUES ('Bob');
SELECT count(*) FROM crm.person;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'crm.person'::regclass;
SELECT (SELECT count(*) FROM xero_fdw.sync), (SELECT count(*) FROM xero_fdw.sync_field),
	(SELECT count(*) FROM xero_fdw.sync_change), (SELECT count(*) FROM xero_fdw.sync_link);
-- 27. a table that is dropped takes its syncs along
SELECT xero_fdw.create_sync('gone', 'xero.contacts', 'crm.person', 'both', '{"name": "name"}');
DROP TABLE crm.person CASCADE;
SELECT * FROM xero_fdw.syncs;
SELECT * FROM calls();

DROP VIEW anew, broken;
DROP SCHEMA crm, lib CASCADE;
DROP FOREIGN TABLE xero.untold, xero.renamed, xero.closed;
