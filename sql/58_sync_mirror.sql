-- Mirrors: copies of foreign tables in a local schema, kept in step.
CALL needs_00_setup();
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
SELECT count(*) > 0 AS some FROM calls();

-- How many rows are on one side only, of the columns that the copy has.
CREATE FUNCTION differs(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	columns text := string_agg(quote_ident(attname), ', ') FROM pg_attribute
		WHERE attrelid = ('books.' || name)::regclass AND attnum > 0 AND attname <> 'line_number';
	result bigint;
BEGIN
	EXECUTE replace(format('SELECT count(*) FROM ('
		'(SELECT $c FROM xero.%1$I EXCEPT ALL SELECT $c FROM books.%1$I)'
		' UNION ALL (SELECT $c FROM books.%1$I EXCEPT ALL SELECT $c FROM xero.%1$I)) AS d', name),
		'$c', columns) INTO result;
	RETURN result;
END $$;
-- How many rows the planner has not heard of.
CREATE FUNCTION unheard_of(copy regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('SELECT count(*) - (SELECT reltuples FROM pg_class WHERE oid = %1$L::regclass)'
		' FROM %1$s', copy) INTO result;
	RETURN result;
END $$;
CREATE VIEW last_runs WITH (security_invoker) AS
	SELECT DISTINCT ON (sync) sync, state, pulled, created, updated, unchanged, issues, calls
	FROM xero_fdw.sync_runs ORDER BY sync, run_id DESC;
GRANT SELECT ON last_runs TO PUBLIC;
SELECT current_user AS superuser \gset
CALL create_books('behind', 'SELECT, INSERT, UPDATE, DELETE ON xero.invoices',
	'SELECT, INSERT ON xero.contacts',
	'SELECT ON xero.invoice_line_items, xero.contact_phones, xero.contact_addresses,
		xero.currencies, xero.tracking_categories, xero.tracking_category_options,
		xero.accounts, xero.items, xero.quotes, xero.journals, xero.journal_journal_lines');
-- for schemas of copies
GRANT CREATE ON DATABASE :"DBNAME" TO regress_xero_books;
\c - regress_xero_books
SET client_min_messages = warning;

-- 1. what is wrong is told at once, before anything is made
CREATE SCHEMA books;
CREATE TABLE books.contacts (tenant_id uuid, contact_id uuid PRIMARY KEY, name integer);
CREATE VIEW books.accounts AS SELECT 1 AS one;
\set VERBOSITY default
\set SHOW_CONTEXT never
CALL xero_fdw.mirror('xero', 'books', '{invoice_line_items,contacts,accounts,nothing,items}');
CALL xero_fdw.mirror('nowhere', 'books');
\set VERBOSITY terse
SELECT count(*) FROM xero_fdw.syncs;
SELECT relname
	FROM pg_class WHERE relnamespace = 'books'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1;
DROP SCHEMA books CASCADE;
SELECT * FROM calls();

-- 2. the schema is made, the tables, and their contents
\set mirrored '{invoices,invoice_line_items,contacts,contact_phones,currencies,'
\set mirrored :mirrored 'tracking_categories,tracking_category_options}'
-- but for columns that would cost a call a record
\c - :superuser
ALTER FOREIGN TABLE xero.invoices ADD COLUMN files jsonb OPTIONS (field 'Attachments');
\c - regress_xero_books
SET client_min_messages = warning;
CALL xero_fdw.mirror('xero', 'books', :'mirrored');
SELECT * FROM calls();
\d books.contact_phones
SELECT attname, col_description(attrelid, attnum)
	FROM pg_attribute WHERE attrelid = 'books.contact_phones'::regclass AND attnum > 0;
SELECT obj_description('books.invoices'::regclass);
SELECT attname FROM pg_attribute WHERE attrelid = 'xero.invoices'::regclass AND attnum > 0 AND NOT attisdropped
EXCEPT SELECT attname FROM pg_attribute WHERE attrelid = 'books.invoices'::regclass;
\c - :superuser
ALTER FOREIGN TABLE xero.invoices DROP COLUMN files;
\c - regress_xero_books
SET client_min_messages = warning;
SELECT name, direction, parent, state, issues FROM xero_fdw.syncs ORDER BY name;
SELECT * FROM last_runs;
SELECT name, differs(name) FROM unnest(:'mirrored'::text[]) AS name;
SELECT count(*) FROM books.contact_phones WHERE line_number > 1;
SELECT relname, unheard_of(oid)
	FROM pg_class WHERE relnamespace = 'books'::regnamespace AND relkind = 'r' ORDER BY 1;
ALTER TABLE books.invoices SET (autovacuum_enabled = off);

-- 3. a second run reads what is new: nothing; those without a date are read again
SELECT count(*) > 0 AS some FROM calls();
CALL xero_fdw.run_sync('books.invoices');
CALL xero_fdw.run_sync('books.currencies');
SELECT * FROM calls();
SELECT * FROM last_runs WHERE sync IN ('books.invoices', 'books.currencies');

-- 4. lines come with their parents: changed ones, fewer, none, new ones
SELECT invoice_id AS one, line_items AS lines FROM books.invoices
	WHERE jsonb_array_length(line_items) >= 3 AND status = 'DRAFT' ORDER BY invoice_id LIMIT 1 \gset
SELECT invoice_id AS other
	FROM books.invoices
	WHERE jsonb_array_length(line_items) >= 2 AND status = 'DRAFT' AND invoice_id <> :'one'
	ORDER BY invoice_id LIMIT 1 \gset
UPDATE xero.invoices SET line_items = jsonb_set(line_items - 0, '{0,Description}', '"Edited line"')
	WHERE invoice_id = :'one';
DELETE FROM xero.invoices WHERE invoice_id = :'other';
INSERT INTO xero.invoices (type, contact_id, line_items)
	SELECT 'ACCREC', contact_id, '[{"Description": "New line", "LineAmount": 5}]'
	FROM books.contacts WHERE contact_status = 'ACTIVE' LIMIT 1;
CREATE TABLE behind.before AS SELECT * FROM books.invoice_line_items;
SELECT count(*) > 0 AS some FROM calls();
CALL xero_fdw.run_sync('books.invoices');
SELECT * FROM calls();
SELECT pulled, created, updated FROM last_runs WHERE sync = 'books.invoices';
-- 5. so few changes are not worth an ANALYZE
SELECT unheard_of('books.invoices');
SELECT status FROM books.invoices WHERE invoice_id = :'other';
SELECT count(*) FROM (SELECT * FROM books.invoice_line_items EXCEPT SELECT * FROM behind.before) AS d;
SELECT count(*)
	FROM books.invoice_line_items WHERE description = 'Edited line' AND invoice_id = :'one';
SELECT differs('invoices'), differs('invoice_line_items');

-- 6. what a whole list no longer has, is gone, with its lines
SELECT tracking_category_id AS "ID" FROM books.tracking_category_options ORDER BY 1 LIMIT 1 \gset
\setenv ID :ID
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=TrackingCategories id="$ID" delete=true
CALL xero_fdw.run_sync('books.tracking_categories');
SELECT pulled, updated, unchanged FROM last_runs WHERE sync = 'books.tracking_categories';
SELECT count(*) FROM books.tracking_category_options WHERE tracking_category_id = :'ID';
SELECT name, differs(name)
	FROM unnest('{tracking_categories,tracking_category_options}'::text[]) AS name;

-- 7. the copy gives way
UPDATE books.currencies SET description = 'mine';
DELETE FROM books.tracking_categories;
CALL xero_fdw.run_sync('books.currencies');
CALL xero_fdw.run_sync('books.tracking_categories');
SELECT name, differs(name)
	FROM unnest('{currencies,tracking_categories,tracking_category_options}'::text[]) AS name;

-- 8. a plan says what would change, and changes nothing; lines follow
UPDATE books.currencies SET description = 'mine' WHERE code = 'EUR';
DELETE FROM books.currencies WHERE code = 'USD';
INSERT INTO books.currencies (tenant_id, code)
	SELECT tenant_id, 'XXX' FROM books.currencies LIMIT 1;
SELECT side, action, xero_id, field,
	CASE jsonb_typeof(old) WHEN 'object' THEN old - 'tenant_id' ELSE old END AS old,
	CASE WHEN field <> 'tenant_id' THEN new END AS new, why, calls
FROM xero_fdw.plan_sync('books.currencies') ORDER BY action, xero_id, field;
SELECT differs('currencies') > 0 AS still;
CALL xero_fdw.run_sync('books.currencies');
SELECT differs('currencies');

-- 9. an audit finds what reading by time cannot, and the next run repairs it
SELECT invoice_id AS "ID"
	FROM books.invoices WHERE jsonb_array_length(line_items) > 1 ORDER BY invoice_id LIMIT 1 \gset
\setenv ID :ID
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id="$ID" delete=true
SELECT invoice_id AS "ID2" FROM books.invoices ORDER BY invoice_id DESC LIMIT 1 \gset
\setenv ID :ID2
\setenv UNSEEN '{"Reference": "unseen"}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id="$ID" set="$UNSEEN" silent=true
CALL xero_fdw.run_sync('books.invoices');
SELECT count(*) FROM books.invoices WHERE invoice_id = :'ID' OR reference = 'unseen';
SELECT count(*) > 0 AS some FROM calls();
SELECT finding, xero_id = :'ID' AS removed, xero_id = :'ID2' AS edited,
	local_key ->> 1 = xero_id AS same
	FROM xero_fdw.audit_sync('books.invoices', 5) ORDER BY finding;
SELECT * FROM calls();
CALL xero_fdw.run_sync('books.invoices');
SELECT pulled, created, updated FROM last_runs WHERE sync = 'books.invoices';
SELECT count(*) FROM books.invoice_line_items WHERE invoice_id = :'ID';
SELECT differs('invoices'), differs('invoice_line_items');
SELECT count(*) FROM behind.sync_inbox;
SELECT count(*) FROM xero_fdw.audit_sync('books.invoices');
-- 10. what has left the filter is left as it is
SELECT xero_fdw.alter_sync('books.invoices', xero_filter => 'reference IS DISTINCT FROM ''left''');
CALL xero_fdw.run_sync('books.invoices');
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id="$ID" set='{"Reference": "left"}'
SELECT count(*) FROM xero_fdw.audit_sync('books.invoices');
CALL xero_fdw.run_sync('books.invoices');
SELECT reference FROM books.invoices WHERE invoice_id = :'ID2';
SELECT count(*) FROM behind.sync_inbox;
SELECT xero_fdw.alter_sync('books.invoices', xero_filter => '');
CALL xero_fdw.run_sync('books.invoices');
SELECT reference FROM books.invoices WHERE invoice_id = :'ID2';

-- 11. what is missing is added; lines of records that are here cost nothing
SELECT count(*) > 0 AS some FROM calls();
CALL xero_fdw.mirror('xero', 'books', '{contact_addresses,quotes}');
SELECT * FROM calls();
SELECT name, differs(name) FROM unnest('{contact_addresses,quotes}'::text[]) AS name;
SELECT count(*) > 0 AS any, unheard_of('books.contact_addresses') FROM books.contact_addresses;
CALL xero_fdw.run_sync('books.contact_addresses');

-- 12. a record that the copy refuses stops nobody else, and waits
CREATE SCHEMA strict;
CREATE TABLE strict.contacts (
	LIKE books.contacts INCLUDING ALL,
	mine text DEFAULT 'kept',
	CHECK (name <> 'Refused')
) PARTITION BY HASH (tenant_id);
CREATE TABLE strict.contacts_0 PARTITION OF strict.contacts
	FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE strict.contacts_1 PARTITION OF strict.contacts
	FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO xero.contacts (name) VALUES ('Refused') RETURNING contact_id AS refused \gset
-- lines show members of their parent, which its copy must have
\c - :superuser
ALTER FOREIGN TABLE xero.contacts DROP COLUMN contact_status;
\c - regress_xero_books
SET client_min_messages = warning;
\set VERBOSITY default
CALL xero_fdw.mirror('xero', 'strict', '{contacts,contact_phones}');
\set VERBOSITY terse
\c - :superuser
ALTER FOREIGN TABLE xero.contacts ADD COLUMN contact_status text OPTIONS (field 'ContactStatus');
\c - regress_xero_books
SET client_min_messages = warning;
CALL xero_fdw.mirror('xero', 'strict', '{contacts,contact_phones}');
SELECT pulled, created, issues FROM last_runs WHERE sync = 'strict.contacts';
SELECT kind, message, xero_id = :'refused' AS same, attempts
FROM xero_fdw.sync_issues WHERE sync = 'strict.contacts' \gx
SELECT count(*) - (SELECT count(*) FROM xero.contacts) AS missing, unheard_of('strict.contacts')
	FROM strict.contacts;
SELECT count(*) - (SELECT count(*) FROM xero.contact_phones) AS missing FROM strict.contact_phones;
CALL xero_fdw.run_sync('strict.contacts');
SELECT attempts FROM xero_fdw.sync_issues WHERE sync = 'strict.contacts';
ALTER TABLE strict.contacts DROP CONSTRAINT contacts_name_check;
SELECT FROM xero_fdw.sync_issues AS i, xero_fdw.retry_issue(i.issue_id)
	WHERE sync = 'strict.contacts';
SELECT count(*) > 0 AS some FROM calls();
CALL xero_fdw.run_sync('strict.contacts');
SELECT * FROM calls();
SELECT count(*) FROM xero_fdw.sync_issues WHERE sync = 'strict.contacts';
SELECT name, mine FROM strict.contacts WHERE contact_id = :'refused';

-- 13. anybody who may read the foreign tables may mirror them; nobody else sees it
\c - :superuser
SET client_min_messages = warning;
CREATE ROLE regress_xero_keeper;
CREATE USER MAPPING FOR regress_xero_keeper SERVER xero OPTIONS (access_token 'sandbox-token');
GRANT USAGE ON SCHEMA xero TO regress_xero_keeper;
-- all that there is, without a word: but for tables of details
GRANT SELECT ON xero.contacts, xero.contact_phones, xero.contact_attachments, xero.receipt_details TO regress_xero_keeper;
CREATE SCHEMA kept AUTHORIZATION regress_xero_keeper;
SET ROLE regress_xero_keeper;
SELECT count(*) FROM xero_fdw.syncs;
CALL xero_fdw.run_sync('books.invoices');
\set VERBOSITY default
CALL xero_fdw.mirror('xero', 'kept', '{contacts,items}');
\set VERBOSITY terse
BEGIN;
CALL xero_fdw.mirror('xero', 'kept');
ROLLBACK;
CALL xero_fdw.mirror('xero', 'kept');
SELECT name, owner FROM xero_fdw.syncs ORDER BY name;
SELECT count(*) FROM kept.contact_phones;
DELETE FROM kept.contacts
	WHERE contact_id = (SELECT min(contact_id::text)::uuid FROM kept.contacts);
SELECT finding FROM xero_fdw.audit_sync('kept.contacts');
CALL xero_fdw.run_sync('kept.contacts');
SELECT created, updated FROM last_runs WHERE sync = 'kept.contacts';
RESET ROLE;
CALL xero_fdw.run_sync('kept.contacts');

-- 14. a table of somebody else is not filled
CREATE TABLE kept.items (LIKE xero.items, PRIMARY KEY (tenant_id, item_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON kept.items TO regress_xero_keeper;
GRANT SELECT ON xero.items TO regress_xero_keeper;
SET ROLE regress_xero_keeper;
\set VERBOSITY default
CALL xero_fdw.mirror('xero', 'kept', '{items}');
\set VERBOSITY terse
RESET ROLE;

-- 14a. a copy of journals goes on at the number where it ended
\c - regress_xero_books
SET client_min_messages = warning;
\set ledger_run 'SELECT state, pulled, created, updated, issues, calls FROM last_runs WHERE sync = ''books.journals'''
\set ledger 'SELECT count(*) = (SELECT count(*) FROM xero.journals) AS all, max(journal_number) AS last FROM books.journals'
SELECT FROM calls();
CALL xero_fdw.mirror('xero', 'books', '{journals,journal_journal_lines}');
SELECT * FROM calls();
:ledger_run;
:ledger;
CALL xero_fdw.run_sync('books.journals');
:ledger_run;
SELECT FROM calls();
\set journal '[{"JournalID": "00000000-0000-0000-0000-000000000900", "JournalNumber": 900,'
\set journal :journal ' "JournalDate": "2026-03-01", "CreatedDateUTC": "2026-03-01T00:00:00",'
\set journal :journal ' "JournalLines": [{"JournalLineID": "00000000-0000-0000-0000-000000000901", "AccountCode": "200", "NetAmount": 1}]}]'
\setenv JOURNAL :journal
\! "$PG_ABS_SRCDIR/test/sandbox-control" data object=Journals records="$JOURNAL"
SELECT action, side FROM xero_fdw.plan_sync('books.journals');
CALL xero_fdw.run_sync('books.journals');
SELECT * FROM calls();
:ledger_run;
:ledger;
SELECT account_code, net_amount FROM books.journal_journal_lines WHERE journal_number = 900;
-- what was taken out of the copy comes back by an audit
DELETE FROM books.journals WHERE journal_number = 2;
CALL xero_fdw.run_sync('books.journals');
:ledger;
SELECT finding FROM xero_fdw.audit_sync('books.journals');
CALL xero_fdw.run_sync('books.journals');
:ledger;

-- 15. a copy that lost a column
\c - regress_xero_books
SET client_min_messages = warning;
ALTER TABLE books.invoices DROP COLUMN reference;
\set VERBOSITY default
\set SHOW_CONTEXT never
CALL xero_fdw.run_sync('books.invoices');
\set VERBOSITY terse

SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs WHERE parent IS NULL ORDER BY name;
SELECT count(*) > 0 AS kept FROM books.invoices;
\c - :superuser
SET client_min_messages = warning;
SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs WHERE parent IS NULL ORDER BY name;
SELECT count(*) FROM xero_fdw.sync;
DROP SCHEMA books, strict, kept, behind CASCADE;
DROP OWNED BY regress_xero_keeper, regress_xero_books;
DROP ROLE regress_xero_keeper, regress_xero_books;
DROP VIEW last_runs;
DROP FUNCTION differs, unheard_of;
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
