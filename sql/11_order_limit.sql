-- LIMIT makes pages small, and ORDER BY travels where Xero sorts alike and
-- LIMIT makes it worth while.
SET TimeZone = 'UTC';
CREATE TEMP TABLE local AS SELECT invoice_id, date, due_date, total, status, invoice_number, updated_date_utc FROM xero.invoices;
SELECT FROM calls();

EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices LIMIT 10;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices LIMIT 10 OFFSET 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE status = 'PAID' LIMIT 10;
-- not where rows may be dropped here, or made of others
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE contact_name = 'x' LIMIT 10;
EXPLAIN (COSTS OFF) SELECT DISTINCT status FROM xero.invoices LIMIT 10;
EXPLAIN (COSTS OFF) SELECT line_item_id FROM xero.invoice_line_items LIMIT 10;
EXPLAIN (COSTS OFF) SELECT count(*) FROM (SELECT FROM xero.invoices LIMIT 10) AS x;
EXPLAIN (COSTS OFF) SELECT i.invoice_id FROM xero.invoices AS i, generate_series(1, 3) LIMIT 10;
SELECT count(*) FROM (SELECT invoice_id FROM xero.invoices LIMIT 10) AS x;
SELECT count(*) FROM (SELECT invoice_id FROM xero.invoices WHERE status = 'PAID' LIMIT 10 OFFSET 70) AS x;
SELECT invoice_id FROM xero.invoices LIMIT 0;
SELECT count(*) FROM (SELECT invoice_id FROM xero.invoices LIMIT ALL) AS x;
SELECT * FROM calls();

-- dates, numbers and times that are never null, both ways
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY total DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE status = 'PAID' ORDER BY updated_date_utc DESC LIMIT 5;
SELECT FROM calls();
SELECT total FROM xero.invoices ORDER BY total DESC LIMIT 5;
SELECT * FROM calls();
SELECT array(SELECT total FROM xero.invoices ORDER BY total DESC LIMIT 7 OFFSET 3) = array(SELECT total FROM local ORDER BY total DESC LIMIT 7 OFFSET 3) AS same;
SELECT array(SELECT date FROM xero.invoices ORDER BY date LIMIT 20) = array(SELECT date FROM local ORDER BY date LIMIT 20) AS same;
SELECT array(SELECT updated_date_utc FROM xero.invoices WHERE status = 'PAID' ORDER BY updated_date_utc LIMIT 20)
	= array(SELECT updated_date_utc FROM local WHERE status = 'PAID' ORDER BY updated_date_utc LIMIT 20) AS same;
SELECT max(total) = (SELECT max(total) FROM local) AS same FROM xero.invoices;
SELECT FROM calls();

-- Nulls, texts and uuids are sorted here, and so is what is checked here.
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY due_date LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY invoice_number LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY invoice_id LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE contact_name = 'x' ORDER BY date LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date, total LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY total + 1 LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date LIMIT 5000;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date DESC NULLS LAST LIMIT 5;
-- a condition that no null passes lets such a column be sorted there
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE due_date < '2026-06-30' ORDER BY due_date DESC LIMIT 5;
SELECT FROM calls();
SELECT array(SELECT due_date FROM xero.invoices WHERE due_date < '2026-06-30' ORDER BY due_date DESC LIMIT 5)
	= array(SELECT due_date FROM local WHERE due_date < '2026-06-30' ORDER BY due_date DESC LIMIT 5) AS same;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE due_date IS NULL OR due_date < '2026-06-30' ORDER BY due_date DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE due_date IS DISTINCT FROM '2026-06-30' ORDER BY due_date DESC LIMIT 5;
-- how many tie is not known
EXPLAIN (COSTS OFF) SELECT invoice_id, date FROM xero.invoices ORDER BY date DESC FETCH FIRST 5 ROWS WITH TIES;
EXPLAIN (COSTS OFF) SELECT invoice_line_items.line_amount FROM xero.invoice_line_items ORDER BY line_amount LIMIT 5;
-- a limit that comes at run time
PREPARE top(int) AS SELECT total FROM xero.invoices ORDER BY total DESC LIMIT $1;
SET plan_cache_mode = 'force_generic_plan';
EXPLAIN (COSTS OFF) EXECUTE top(3);
EXECUTE top(3);
SELECT * FROM calls();
RESET plan_cache_mode;
DEALLOCATE top;
SELECT array(SELECT invoice_number FROM xero.invoices ORDER BY due_date DESC NULLS LAST, invoice_id LIMIT 20)
	= array(SELECT invoice_number FROM local ORDER BY due_date DESC NULLS LAST, invoice_id LIMIT 20) AS same;

-- A limit over conditions that are checked here stops as soon as it can.
CREATE FOREIGN TABLE small (contact_id uuid, name text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '10');
SELECT FROM calls();
SELECT count(*) FROM (SELECT name FROM small WHERE upper(name) <> 'X' LIMIT 15) AS x;
SELECT * FROM calls();
SELECT EXISTS (SELECT FROM small WHERE upper(name) = 'O''BRIEN & SONS') AS found;
SELECT count(*) <= 12 AS no_more_than_needed FROM calls();
DROP FOREIGN TABLE small;

-- Tables without pages, and with pages of a fixed size
EXPLAIN (COSTS OFF) SELECT account_id FROM xero.accounts LIMIT 10;
EXPLAIN (COSTS OFF) SELECT account_id FROM xero.accounts ORDER BY updated_date_utc LIMIT 1;
EXPLAIN (COSTS OFF) SELECT journal_id FROM xero.journals LIMIT 10;
EXPLAIN (COSTS OFF) SELECT quote_id FROM xero.quotes ORDER BY date LIMIT 10;
EXPLAIN (COSTS OFF) SELECT linked_transaction_id FROM xero.linked_transactions LIMIT 10;

-- OFFSET begins on a later page, and LIMIT over several pages reads those and
-- no more: so chunks cost no more than the whole.
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
CREATE FOREIGN TABLE paged (tenant_id uuid, gone text OPTIONS (field 'Url'), invoice_id uuid, status text, total numeric, date date, attachments jsonb)
	SERVER xero OPTIONS (object 'accounting/Invoices', page_size '20');
ALTER FOREIGN TABLE paged DROP COLUMN gone;
CREATE TEMP TABLE whole AS SELECT row_number() OVER () AS n, * FROM (SELECT tenant_id, invoice_id, status, total, date FROM paged OFFSET 0) AS x;
SELECT FROM calls();
EXPLAIN (COSTS OFF) SELECT invoice_id FROM paged LIMIT 100 OFFSET 100;
SELECT array(SELECT invoice_id FROM paged LIMIT 100 OFFSET 100) = array(SELECT invoice_id FROM whole WHERE n > 100 AND n <= 200 ORDER BY n) AS same;
SELECT * FROM calls();
SELECT array(SELECT invoice_id FROM paged LIMIT 33 OFFSET 67) = array(SELECT invoice_id FROM whole WHERE n > 67 AND n <= 100 ORDER BY n) AS same;
SELECT * FROM calls();
SELECT array(SELECT invoice_id FROM paged LIMIT 60) = array(SELECT invoice_id FROM whole WHERE n <= 60 ORDER BY n) AS same;
SELECT * FROM calls();
SELECT array(SELECT invoice_id FROM paged OFFSET 215) = array(SELECT invoice_id FROM whole WHERE n > 215 ORDER BY n) AS same;
SELECT * FROM calls();
-- a page of just these rows
SELECT array(SELECT invoice_id FROM paged LIMIT 7 OFFSET 63) = array(SELECT invoice_id FROM whole WHERE n > 63 AND n <= 70 ORDER BY n) AS same;
SELECT * FROM calls();
-- the end, and behind it
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 100 OFFSET 200) AS x;
SELECT * FROM calls();
SELECT records FROM xero_fdw._session();
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 100 OFFSET 300) AS x;
SELECT * FROM calls();
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 9223372036854775807 OFFSET 240) AS x;
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 9223372036854775807 OFFSET 40000000000) AS x;
SELECT FROM calls();
-- conditions that Xero checks exactly, expressions, whole rows, tableoid
EXPLAIN (COSTS OFF, VERBOSE) SELECT p, upper(status) || total FROM paged AS p WHERE status = 'PAID' LIMIT 20 OFFSET 45;
SELECT array(SELECT (to_jsonb(p) - 'attachments') || jsonb_build_object('s', lower(status), 't', p IS NULL) FROM paged AS p WHERE status = 'PAID' LIMIT 20 OFFSET 45)
	= array(SELECT to_jsonb(w) - 'n' || jsonb_build_object('s', lower(status), 't', false) FROM whole AS w WHERE status = 'PAID' ORDER BY n LIMIT 20 OFFSET 45) AS same;
SELECT DISTINCT tableoid::regclass FROM (SELECT tableoid, invoice_id FROM paged LIMIT 20 OFFSET 45) AS x;
SELECT FROM calls();
-- columns that take a call each are fetched for the rows of the window alone
CREATE FOREIGN TABLE people (contact_id uuid, attachments jsonb) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20');
CREATE TEMP TABLE attached AS SELECT * FROM people LIMIT 9 OFFSET 110;
SELECT regexp_replace(calls, '[0-9a-f-]{36}', 'N') AS calls FROM calls();
SELECT count(*), count(attachments) FROM attached;
SELECT count(attachments) FROM (SELECT * FROM people LIMIT 20 OFFSET 100) AS x;
SELECT FROM calls();
DROP FOREIGN TABLE people;
-- an order that Xero gives, on one page, of one organisation
EXPLAIN (COSTS OFF) SELECT total FROM paged ORDER BY total DESC LIMIT 10 OFFSET 105;
SELECT tenant_id FROM whole LIMIT 1 \gset
SELECT format('ALTER SERVER xero OPTIONS (ADD tenant_id %L)', :'tenant_id') \gexec
EXPLAIN (COSTS OFF) SELECT total FROM paged ORDER BY total DESC LIMIT 10 OFFSET 105;
SELECT array(SELECT total FROM paged ORDER BY total DESC LIMIT 10 OFFSET 105) = array(SELECT total FROM whole ORDER BY total DESC LIMIT 10 OFFSET 105) AS same;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT total FROM paged ORDER BY total DESC LIMIT 15 OFFSET 105;
EXPLAIN (COSTS OFF) SELECT total FROM paged ORDER BY total DESC, date LIMIT 10 OFFSET 100;
EXPLAIN (COSTS OFF) SELECT total FROM paged ORDER BY status LIMIT 10 OFFSET 100;
ALTER SERVER xero OPTIONS (DROP tenant_id);
-- run again with the same values, and with others
SELECT g, count(*), count(DISTINCT invoice_id), min(status) FROM unnest(array['PAID', 'PAID', 'DRAFT', 'NONE']) AS g, LATERAL (SELECT * FROM paged WHERE status = g LIMIT 20 OFFSET 15) AS x GROUP BY g ORDER BY g;
SELECT * FROM calls();
PREPARE chunk(bigint, bigint) AS SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT $1 OFFSET $2) AS x;
EXECUTE chunk(40, 200);
EXECUTE chunk(40, 240);
SELECT * FROM calls();
SET plan_cache_mode = force_generic_plan;
EXECUTE chunk(40, 240);
RESET plan_cache_mode;
SELECT count(*) FROM calls();
DEALLOCATE chunk;
-- who may stop early asks for nothing ahead
BEGIN;
SELECT EXISTS (SELECT FROM (SELECT upper(status) AS s FROM paged LIMIT 100 OFFSET 40) AS x WHERE s <> '');
SELECT count(*) FROM calls();
SELECT count(*) FROM (SELECT * FROM (SELECT status FROM paged LIMIT 100 OFFSET 40) AS x LIMIT 10) AS y;
SELECT count(*) FROM calls();
COMMIT;
-- not where rows may be dropped or made here
EXPLAIN (COSTS OFF) SELECT invoice_id FROM paged WHERE status <> 'paid' LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT status FROM paged GROUP BY status LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT DISTINCT status FROM paged LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT row_number() OVER () FROM paged LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT generate_series(1, 2) FROM paged LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT random() FROM paged LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT status FROM paged ORDER BY total FETCH FIRST 20 ROWS WITH TIES;
EXPLAIN (COSTS OFF) SELECT status FROM paged FOR UPDATE LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT status FROM paged WHERE current_user = 'somebody' LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT a.status FROM paged AS a JOIN paged AS b USING (invoice_id) LIMIT 20 OFFSET 60;
EXPLAIN (COSTS OFF) SELECT line_item_id FROM xero.invoice_line_items LIMIT 20 OFFSET 2000;
EXPLAIN (COSTS OFF) SELECT account_id FROM xero.accounts LIMIT 20 OFFSET 2000;
EXPLAIN (COSTS OFF) SELECT quote_id FROM xero.quotes LIMIT 20 OFFSET 2000;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM paged LIMIT 0 OFFSET 2000;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM paged LIMIT NULL OFFSET NULL;
SELECT invoice_id FROM paged LIMIT 20 OFFSET -1;
SELECT invoice_id FROM paged LIMIT -1 OFFSET 100;
SELECT FROM calls();
-- A Xero that says of a page behind the end that it is not there ...
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[{"path": "/api.xro/2.0/Invoices", "status": 404, "times": 1}]'
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 100 OFFSET 300) AS x;
SELECT * FROM calls();
-- ... of one that should be there ...
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[{"path": "/api.xro/2.0/Invoices", "status": 404, "times": 1}]'
SELECT * FROM error_of('SELECT invoice_id FROM paged LIMIT 100 OFFSET 100');
SELECT * FROM calls();
-- ... and one that serves pages of another size
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Invoices", "body": "{\"pagination\": {\"page\": 6, \"pageSize\": 10, \"pageCount\": 25, \"itemCount\": 250}, \"Invoices\": [{\"InvoiceID\": \"00000000-0000-0000-0000-000000000001\"}]}"}'
SELECT * FROM error_of('SELECT invoice_id FROM paged LIMIT 100 OFFSET 100');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Invoices", "body": "{\"Invoices\": [{\"InvoiceID\": \"00000000-0000-0000-0000-000000000001\"}]}"}'
SELECT * FROM error_of('SELECT invoice_id FROM paged LIMIT 100 OFFSET 100');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data '{"path": "/api.xro/2.0/Invoices", "body": null}'
DROP FOREIGN TABLE paged;
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
-- Several organisations: rows are passed over one by one, even if nobody knew
-- of them when it was planned.
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset '{"seed": 1, "invoices": 250, "contacts": 120, "tenants": 2, "strict": true, "limits": false}'
\getenv url XERO_SANDBOX_URL
CREATE SERVER two FOREIGN DATA WRAPPER xero_fdw OPTIONS (api_url :'url', identity_url :'url', login_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (access_token 'sandbox-token');
CREATE FOREIGN TABLE both_books (tenant_id uuid, contact_id uuid) SERVER two OPTIONS (object 'accounting/Contacts', page_size '50');
EXPLAIN (COSTS OFF) SELECT * FROM both_books LIMIT 60 OFFSET 100;
SELECT count(*), count(DISTINCT contact_id), count(DISTINCT tenant_id) AS organisations FROM (SELECT * FROM both_books LIMIT 60 OFFSET 100) AS x;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT * FROM both_books LIMIT 60 OFFSET 100;
SELECT tenant_id FROM both_books LIMIT 1 \gset
SELECT FROM calls();
SELECT count(*) FROM (SELECT * FROM both_books WHERE tenant_id = :'tenant_id' LIMIT 60 OFFSET 100) AS x;
SELECT * FROM calls();
DROP SERVER two CASCADE;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset '{"seed": 1, "invoices": 250, "contacts": 120, "tenants": 1, "strict": true, "limits": false}'
