-- Names that need quotes, session settings that differ, and functions that others
-- have put in the way.
CALL needs_00_setup();
\set VERBOSITY terse
SET client_min_messages = 'warning';
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=3 contacts=0
SELECT current_user AS superuser \gset
CREATE ROLE "Regress Xero, Ann" LOGIN;
CREATE ROLE regress_xero_trap;
CREATE SCHEMA "My Schema" AUTHORIZATION "Regress Xero, Ann";
GRANT USAGE ON SCHEMA xero TO "Regress Xero, Ann";
CREATE USER MAPPING FOR "Regress Xero, Ann" SERVER xero OPTIONS (access_token 'sandbox-token');
GRANT SELECT, INSERT, UPDATE ON xero.contacts TO "Regress Xero, Ann";
GRANT SELECT ON xero.invoices, xero.invoice_line_items TO "Regress Xero, Ann";
-- for the schema of copies
GRANT CREATE ON DATABASE :"DBNAME" TO "Regress Xero, Ann";

-- 1. a schema in which others may create functions that fit better than those of
-- pg_catalog
CREATE SCHEMA open;
GRANT USAGE, CREATE ON SCHEMA open TO PUBLIC;
SET ROLE regress_xero_trap;
CREATE FUNCTION open.trap() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'a trap has caught %', current_user USING ERRCODE = '42501';
END $$;
DO $$
DECLARE
	signature text;
BEGIN
	FOREACH signature IN ARRAY ARRAY[
			'to_jsonb(record)',
			'jsonb_build_array(jsonb)',
			'jsonb_build_array(timestamptz, text)',
			'jsonb_build_array(varchar)',
			'jsonb_build_object(text, uuid, text, jsonb, text, uuid)',
			'jsonb_agg(jsonb)',
			'unnest(jsonb[])',
			'unnest(text[])',
			'cardinality(text[])'] LOOP
		EXECUTE format('CREATE FUNCTION open.%s RETURNS jsonb LANGUAGE plpgsql'
			' AS ''BEGIN PERFORM open.trap(); END''', signature);
	END LOOP;
END $$;
CREATE FUNCTION open.same(varchar, varchar)
	RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM open.trap(); END';
CREATE OPERATOR open.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = open.same);
RESET ROLE;
-- what is closed to her
CREATE VIEW open.links AS SELECT local_key, state FROM xero_fdw.sync_link;
GRANT SELECT ON open.links TO "Regress Xero, Ann";

-- 2. what is pushed, planned and audited is the same under all names and settings
\c - "Regress Xero, Ann"
SET client_min_messages = 'warning';
SET search_path = "My Schema", xero, open;
CREATE TYPE mood AS ENUM ('Sad', 'Happy');
CREATE DOMAIN code AS varchar(12);
CREATE TABLE "A ""Table"" whose name is as long as names can be, which is a lot" (
	"Key A" timestamptz, "Key B" code, "Na""me" text, "E-mail" text, "select" numeric(6,2),
	mood mood, "date" date, made text GENERATED ALWAYS AS (upper("E-mail")) STORED,
	PRIMARY KEY ("Key A", "Key B")
);
SELECT relname FROM pg_class WHERE relnamespace = '"My Schema"'::regnamespace AND relkind = 'r';
SELECT xero_fdw.create_sync('"A" sync''s name', 'contacts',
	'"A ""Table"" whose name is as long as names can be, which is a lot"', 'push', '{
	"Na\"me": "name", "E-mail": "email_address",
	"made": {"xero": "first_name", "direction": "to_xero"},
	"a field without a column may have a name that is longer than that of any column": {
		"xero": "last_name", "direction": "to_xero", "to_xero":
		"mood || '' '' || \"date\" || '' '' || \"select\" || '' '' || extract(hour FROM \"Key A\")"}}',
	match_on => '{"Na\"me"}', local_filter => 'mood >= ''Sad''::mood');
SELECT name, owner FROM xero_fdw.syncs;
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'German';
SET extra_float_digits = -5;
INSERT INTO "A ""Table"" whose name is as long as names can be, which is a lot"
VALUES ('2026-01-01 10:00+00', 'a"b''c', 'N1', 'n1@example.com', 1.5, 'Happy', '2026-03-04'),
	('2026-01-01 10:00:00.123456+00', '', 'N2', 'n2@example.com', -1.5, 'Sad', '2026-03-05');
CALL xero_fdw.run_sync('"A" sync''s name');
RESET TimeZone;
SET DateStyle = 'SQL, DMY';
UPDATE "A ""Table"" whose name is as long as names can be, which is a lot"
	SET "E-mail" = 'new' || "E-mail", "Key B" = "Key B" || 'k';
SELECT action, local_key, field, new
	FROM xero_fdw.plan_sync('"A" sync''s name') ORDER BY local_key, field;
CALL xero_fdw.run_sync('"A" sync''s name');
SELECT state, pushed, issues, error FROM xero_fdw.sync_runs ORDER BY run_id;
SELECT name, email_address, first_name, last_name FROM contacts ORDER BY name;
SELECT * FROM open.links ORDER BY 1;
SELECT * FROM xero_fdw.audit_sync('"A" sync''s name');
-- 3. so is what is merged both ways
CREATE TABLE both_ways (code varchar(12) PRIMARY KEY DEFAULT left(gen_random_uuid()::text, 12),
	name text);
SELECT xero_fdw.create_sync('both', 'contacts', 'both_ways', 'both', '{"name": "name"}',
	match_on => '{name}', conflict => 'manual');
INSERT INTO both_ways (name) VALUES ('N1'), ('N3');
CALL xero_fdw.run_sync('both');
UPDATE both_ways SET name = name || ' ours';
UPDATE contacts SET name = name || ' theirs';
CALL xero_fdw.run_sync('both');
SELECT xero_fdw.resolve_conflict(issue_id,
	CASE name WHEN 'N2 ours' THEN '"Decided"' ELSE 'local' END)
FROM xero_fdw.sync_issues JOIN both_ways ON local_key->>0 = code::text;
CALL xero_fdw.run_sync('both');
SELECT name FROM both_ways ORDER BY 1;
SELECT name FROM contacts ORDER BY 1;
SELECT * FROM xero_fdw.audit_sync('both');
-- 4. and a mirror
CALL xero_fdw.mirror('xero', 'Copies', '{invoices, invoice_line_items}');
SELECT (SELECT count(*) FROM "Copies".invoices) AS invoices,
	(SELECT count(*) > 0 FROM "Copies".invoice_line_items) AS lines;
SELECT * FROM xero_fdw.audit_sync('Copies.invoices');
SELECT sync, state, error FROM xero_fdw.sync_runs WHERE error IS NOT NULL;
SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs WHERE parent IS NULL;
\c - :superuser
SET client_min_messages = 'warning';
DROP OWNED BY "Regress Xero, Ann", regress_xero_trap;
DROP ROLE "Regress Xero, Ann", regress_xero_trap;
DROP SCHEMA open CASCADE;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
