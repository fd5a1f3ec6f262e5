-- One record with a text that PostgreSQL cannot store is an issue, and holds up
-- nobody else.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset invoices=5 contacts=3
SELECT current_user AS superuser \gset
CALL create_books('ours', 'SELECT, INSERT, UPDATE ON xero.contacts',
	'SELECT ON xero.invoices, xero.invoice_line_items');
-- for the schema of copies
GRANT CREATE ON DATABASE :"DBNAME" TO regress_xero_books;
\c - regress_xero_books
SET client_min_messages = 'warning';
SET search_path = ours, public;
CREATE VIEW last_run AS
	SELECT state, pulled, pushed, created, updated, issues, error FROM xero_fdw.sync_runs ORDER BY run_id DESC LIMIT 1;
CREATE VIEW open_issues AS
	SELECT sync, kind, xero_id = (SELECT contact_id FROM xero.contacts ORDER BY contact_id LIMIT 1)::text AS of_contact, message, sqlstate, attempts
	FROM xero_fdw.sync_issues;

-- 1. a mirror, and its lines
SELECT invoice_id AS bad, line_items::text AS lines, replace(line_items::text, '"Description": "', '"Description": "nul \u0000 ') AS bad_lines
	FROM xero.invoices WHERE jsonb_array_length(line_items) > 1 ORDER BY invoice_id LIMIT 1 \gset
\setenv BAD :bad
\setenv LINES :lines
\setenv BAD_LINES :bad_lines
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id=$BAD set="{\"LineItems\": $BAD_LINES}"
CALL xero_fdw.mirror('xero', 'copy', '{invoices,invoice_line_items}');
SELECT * FROM last_run;
SELECT sync, kind, xero_id = :'bad' AS the_bad, message, sqlstate FROM xero_fdw.sync_issues;
SELECT count(*), count(*) FILTER (WHERE invoice_id = :'bad') AS bad FROM copy.invoices;
SELECT count(*) > 0 AS some, count(*) FILTER (WHERE invoice_id = :'bad') AS bad FROM copy.invoice_line_items;
-- 2. nothing is tried again until something changes, but a person may ask
CALL xero_fdw.run_sync('copy.invoices');
SELECT attempts FROM xero_fdw.sync_issues;
SELECT FROM xero_fdw.sync_issues AS i, xero_fdw.retry_issue(i.issue_id);
CALL xero_fdw.run_sync('copy.invoices');
SELECT attempts FROM xero_fdw.sync_issues;
SELECT finding, count(*) FROM xero_fdw.audit_sync('copy.invoices') GROUP BY 1;
SELECT count(*) FROM xero_fdw.plan_sync('copy.invoices');
-- 3. mended in Xero, it is no issue any more
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id=$BAD set="{\"LineItems\": $LINES}"
CALL xero_fdw.run_sync('copy.invoices');
SELECT state, issues FROM last_run;
SELECT count(*) FROM xero_fdw.sync_issues;
SELECT count(*), bool_and(line_items::text NOT LIKE U&'%\FDD0%') AS clean FROM copy.invoices;
-- 4. broken again; with the setting it comes with U+FFFD
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices id=$BAD set="{\"LineItems\": $BAD_LINES}"
CALL xero_fdw.run_sync('copy.invoices');
SELECT count(*) FROM xero_fdw.sync_issues;
SET xero_fdw.on_bad_text = replace;
CALL xero_fdw.run_sync('copy.invoices');
SELECT count(*) FROM xero_fdw.sync_issues;
SELECT bool_and(description LIKE U&'nul \FFFD %') FROM copy.invoice_line_items WHERE invoice_id = :'bad';
SELECT finding, count(*) FROM xero_fdw.audit_sync('copy.invoices') GROUP BY 1;
RESET xero_fdw.on_bad_text;
SELECT xero_fdw.drop_sync('copy.invoice_line_items'), xero_fdw.drop_sync('copy.invoices');
DROP SCHEMA copy CASCADE;

-- 5. both ways: what was replaced is never pushed
SELECT contact_id AS bad FROM xero.contacts ORDER BY contact_id LIMIT 1 \gset
\setenv BAD :bad
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Contacts id=$BAD set='{"FirstName": "half \ud83d"}'
CREATE TABLE people (contact_id uuid PRIMARY KEY, name text, first_name text, email text);
SELECT xero_fdw.create_sync('people', 'xero.contacts', 'people', 'both', '{
	"contact_id": "contact_id", "name": "name", "first_name": "first_name", "email": "email_address"}', initial => 'xero_to_local');
CALL xero_fdw.run_sync('people');
SELECT * FROM last_run;
SELECT * FROM open_issues;
SELECT count(*) FROM people;
SET xero_fdw.on_bad_text = replace;
CALL xero_fdw.run_sync('people');
SELECT * FROM last_run;
SELECT * FROM open_issues;
SELECT first_name = U&'half \FFFD' FROM people WHERE contact_id = :'bad';
SELECT FROM calls();
-- 6. another field goes to Xero, and that one stays
UPDATE people SET email = 'new@example.com' WHERE contact_id = :'bad';
CALL xero_fdw.run_sync('people');
SELECT * FROM last_run;
UPDATE people SET first_name = first_name || '!' WHERE contact_id = :'bad';
CALL xero_fdw.run_sync('people');
SELECT state, pushed, issues FROM last_run;
SELECT * FROM open_issues;
\! "$PG_ABS_SRCDIR/test/sandbox-control" state Contacts | grep -oE '"(FirstName": "half|EmailAddress": "new)[^"]*"'
UPDATE people SET first_name = 'whole' WHERE contact_id = :'bad';
CALL xero_fdw.run_sync('people');
SELECT state, pushed, issues FROM last_run;
SELECT * FROM open_issues;
SELECT first_name FROM xero.contacts WHERE contact_id = :'bad';
RESET xero_fdw.on_bad_text;
SELECT xero_fdw.drop_sync('people');
DROP SCHEMA ours CASCADE;
\c - :superuser
DROP OWNED BY regress_xero_books;
DROP ROLE regress_xero_books;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
