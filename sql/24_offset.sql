-- OFFSET begins on a later page, and LIMIT over several pages reads those and
-- no more: so chunks cost no more than the whole.
CALL needs_00_setup();
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
CREATE FOREIGN TABLE paged (tenant_id uuid, gone text OPTIONS (field 'Url'), invoice_id uuid,
	status text, total numeric, date date, attachments jsonb)
	SERVER xero OPTIONS (object 'accounting/Invoices', page_size '20');
ALTER FOREIGN TABLE paged DROP COLUMN gone;
CREATE TEMP TABLE whole AS SELECT row_number() OVER () AS n, *
	FROM (SELECT tenant_id, invoice_id, status, total, date FROM paged OFFSET 0) AS x;
SELECT FROM calls();
EXPLAIN (COSTS OFF) SELECT invoice_id FROM paged LIMIT 100 OFFSET 100;
SELECT array(SELECT invoice_id FROM paged LIMIT 100 OFFSET 100)
	= array(SELECT invoice_id FROM whole WHERE n > 100 AND n <= 200 ORDER BY n) AS same;
SELECT * FROM calls();
SELECT array(SELECT invoice_id FROM paged LIMIT 33 OFFSET 67)
	= array(SELECT invoice_id FROM whole WHERE n > 67 AND n <= 100 ORDER BY n) AS same;
SELECT * FROM calls();
SELECT array(SELECT invoice_id FROM paged LIMIT 60)
	= array(SELECT invoice_id FROM whole WHERE n <= 60 ORDER BY n) AS same;
SELECT * FROM calls();
SELECT array(SELECT invoice_id FROM paged OFFSET 215)
	= array(SELECT invoice_id FROM whole WHERE n > 215 ORDER BY n) AS same;
SELECT * FROM calls();
-- a page of just these rows
SELECT array(SELECT invoice_id FROM paged LIMIT 7 OFFSET 63)
	= array(SELECT invoice_id FROM whole WHERE n > 63 AND n <= 70 ORDER BY n) AS same;
SELECT * FROM calls();
-- the end, and behind it
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 100 OFFSET 200) AS x;
SELECT * FROM calls();
SELECT xero_fdw._list_size('paged') AS listed;
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 100 OFFSET 300) AS x;
SELECT * FROM calls();
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 9223372036854775807 OFFSET 240) AS x;
SELECT count(*)
	FROM (SELECT invoice_id FROM paged LIMIT 9223372036854775807 OFFSET 40000000000) AS x;
SELECT FROM calls();
-- conditions that Xero checks exactly, expressions, whole rows, tableoid
EXPLAIN (COSTS OFF, VERBOSE) SELECT p, upper(status) || total
	FROM paged AS p WHERE status = 'PAID' LIMIT 20 OFFSET 45;
SELECT array(SELECT (to_jsonb(p) - 'attachments')
			|| jsonb_build_object('s', lower(status), 't', p IS NULL)
		FROM paged AS p WHERE status = 'PAID' LIMIT 20 OFFSET 45)
	= array(SELECT to_jsonb(w) - 'n' || jsonb_build_object('s', lower(status), 't', false)
		FROM whole AS w WHERE status = 'PAID' ORDER BY n LIMIT 20 OFFSET 45) AS same;
SELECT DISTINCT tableoid::regclass
	FROM (SELECT tableoid, invoice_id FROM paged LIMIT 20 OFFSET 45) AS x;
SELECT FROM calls();
-- columns that take a call each are fetched for the rows of the window alone
CREATE FOREIGN TABLE people (contact_id uuid, attachments jsonb)
	SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20');
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
SELECT array(SELECT total FROM paged ORDER BY total DESC LIMIT 10 OFFSET 105)
	= array(SELECT total FROM whole ORDER BY total DESC LIMIT 10 OFFSET 105) AS same;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT total FROM paged ORDER BY total DESC LIMIT 15 OFFSET 105;
EXPLAIN (COSTS OFF) SELECT total FROM paged ORDER BY total DESC, date LIMIT 10 OFFSET 100;
EXPLAIN (COSTS OFF) SELECT total FROM paged ORDER BY status LIMIT 10 OFFSET 100;
ALTER SERVER xero OPTIONS (DROP tenant_id);
-- run again with the same values, and with others
SELECT g, count(*), count(DISTINCT invoice_id), min(status)
	FROM unnest(array['PAID', 'PAID', 'DRAFT', 'NONE']) AS g,
		LATERAL (SELECT * FROM paged WHERE status = g LIMIT 20 OFFSET 15) AS x
	GROUP BY g
	ORDER BY g;
SELECT * FROM calls();
PREPARE chunk(bigint, bigint) AS SELECT count(*)
	FROM (SELECT invoice_id FROM paged LIMIT $1 OFFSET $2) AS x;
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
SELECT EXISTS (SELECT FROM (SELECT upper(status) AS s FROM paged LIMIT 100 OFFSET 40) AS x
	WHERE s <> '');
SELECT count(*) FROM calls();
SELECT count(*)
	FROM (SELECT * FROM (SELECT status FROM paged LIMIT 100 OFFSET 40) AS x LIMIT 10) AS y;
SELECT count(*) FROM calls();
COMMIT;
-- not where rows may be dropped or made here, nor where nobody counts
CREATE FUNCTION sends_offset(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line ~ 'Xero Offset' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
SELECT query, sends_offset(query) FROM unnest(array[
	$$SELECT invoice_id FROM paged LIMIT 20 OFFSET 60$$,
	$$SELECT invoice_id FROM paged WHERE status <> 'paid' LIMIT 20 OFFSET 60$$,
	$$SELECT status FROM paged GROUP BY status LIMIT 20 OFFSET 60$$,
	$$SELECT DISTINCT status FROM paged LIMIT 20 OFFSET 60$$,
	$$SELECT row_number() OVER () FROM paged LIMIT 20 OFFSET 60$$,
	$$SELECT generate_series(1, 2) FROM paged LIMIT 20 OFFSET 60$$,
	$$SELECT random() FROM paged LIMIT 20 OFFSET 60$$,
	$$SELECT status FROM paged ORDER BY total OFFSET 60 FETCH FIRST 20 ROWS WITH TIES$$,
	$$SELECT status FROM paged FOR UPDATE LIMIT 20 OFFSET 60$$,
	$$SELECT status FROM paged WHERE current_user = 'somebody' LIMIT 20 OFFSET 60$$,
	$$SELECT a.status FROM paged AS a JOIN paged AS b USING (invoice_id) LIMIT 20 OFFSET 60$$,
	$$SELECT line_item_id FROM xero.invoice_line_items LIMIT 20 OFFSET 2000$$,
	$$SELECT account_id FROM xero.accounts LIMIT 20 OFFSET 2000$$,
	$$SELECT quote_id FROM xero.quotes LIMIT 20 OFFSET 2000$$,
	$$SELECT invoice_id FROM paged LIMIT 0 OFFSET 2000$$,
	$$SELECT invoice_id FROM paged LIMIT NULL OFFSET NULL$$]) AS query;
DROP FUNCTION sends_offset;
SELECT invoice_id FROM paged LIMIT 20 OFFSET -1;
SELECT invoice_id FROM paged LIMIT -1 OFFSET 100;
SELECT FROM calls();
-- A Xero that says of a page behind the end that it is not there ...
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Invoices status=404 times=1
SELECT count(*) FROM (SELECT invoice_id FROM paged LIMIT 100 OFFSET 300) AS x;
SELECT * FROM calls();
-- ... of one that should be there ...
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Invoices status=404 times=1
SELECT * FROM error_of('SELECT invoice_id FROM paged LIMIT 100 OFFSET 100');
SELECT * FROM calls();
-- ... and one that serves pages of another size
\setenv BODY '{"pagination": {"page": 6, "pageSize": 10, "pageCount": 25, "itemCount": 250}, "Invoices": [{"InvoiceID": "00000000-0000-0000-0000-000000000001"}]}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Invoices body="$BODY"
SELECT * FROM error_of('SELECT invoice_id FROM paged LIMIT 100 OFFSET 100');
\setenv BODY '{"Invoices": [{"InvoiceID": "00000000-0000-0000-0000-000000000001"}]}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Invoices body="$BODY"
SELECT * FROM error_of('SELECT invoice_id FROM paged LIMIT 100 OFFSET 100');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Invoices body=null
DROP FOREIGN TABLE paged;
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
-- Several organisations: rows are passed over one by one, even if nobody knew
-- of them when it was planned.
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset tenants=2
\getenv url XERO_SANDBOX_URL
CREATE SERVER two FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (api_url :'url', identity_url :'url', login_url :'url', minute_limit '100000',
		day_limit '1000000');
CREATE USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (access_token 'sandbox-token');
CREATE FOREIGN TABLE both_books (tenant_id uuid, contact_id uuid)
	SERVER two OPTIONS (object 'accounting/Contacts', page_size '50');
EXPLAIN (COSTS OFF) SELECT * FROM both_books LIMIT 60 OFFSET 100;
SELECT count(*), count(DISTINCT contact_id), count(DISTINCT tenant_id) AS organisations
	FROM (SELECT * FROM both_books LIMIT 60 OFFSET 100) AS x;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT * FROM both_books LIMIT 60 OFFSET 100;
SELECT tenant_id FROM both_books LIMIT 1 \gset
SELECT FROM calls();
SELECT count(*)
	FROM (SELECT * FROM both_books WHERE tenant_id = :'tenant_id' LIMIT 60 OFFSET 100) AS x;
SELECT * FROM calls();
DROP SERVER two CASCADE;
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
