-- LIMIT makes pages small, and ORDER BY travels where Xero sorts alike and
-- LIMIT makes it worth while.
CALL needs_00_setup();
SET TimeZone = 'UTC';
CREATE TEMP TABLE local
	AS SELECT invoice_id, date, due_date, total, amount_credited, status, invoice_number,
		updated_date_utc
	FROM xero.invoices;
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
SELECT count(*)
	FROM (SELECT invoice_id FROM xero.invoices WHERE status = 'PAID' LIMIT 10 OFFSET 70) AS x;
SELECT invoice_id FROM xero.invoices LIMIT 0;
SELECT count(*) FROM (SELECT invoice_id FROM xero.invoices LIMIT ALL) AS x;
SELECT * FROM calls();

-- dates, numbers and times that are never null, both ways
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY total DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id
	FROM xero.invoices WHERE status = 'PAID' ORDER BY updated_date_utc DESC LIMIT 5;
SELECT FROM calls();
SELECT total FROM xero.invoices ORDER BY total DESC LIMIT 5;
SELECT * FROM calls();
SELECT array(SELECT total FROM xero.invoices ORDER BY total DESC LIMIT 7 OFFSET 3)
	= array(SELECT total FROM local ORDER BY total DESC LIMIT 7 OFFSET 3) AS same;
SELECT array(SELECT date FROM xero.invoices ORDER BY date LIMIT 20)
	= array(SELECT date FROM local ORDER BY date LIMIT 20) AS same;
SELECT array(SELECT updated_date_utc
	FROM xero.invoices WHERE status = 'PAID' ORDER BY updated_date_utc LIMIT 20)
	= array(SELECT updated_date_utc
		FROM local WHERE status = 'PAID' ORDER BY updated_date_utc LIMIT 20) AS same;
SELECT FROM calls();

-- Nulls that come first, texts and uuids are sorted here, and so is what is checked here.
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY due_date DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY due_date NULLS FIRST LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY invoice_number LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY invoice_id LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id
	FROM xero.invoices WHERE contact_name = 'x' ORDER BY date LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY total + 1 LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date LIMIT 5000;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY date DESC NULLS LAST LIMIT 5;
-- a condition that no null passes lets such a column be sorted there
EXPLAIN (COSTS OFF) SELECT invoice_id
	FROM xero.invoices WHERE due_date < '2026-06-30' ORDER BY due_date DESC LIMIT 5;
SELECT FROM calls();
SELECT array(SELECT due_date
	FROM xero.invoices WHERE due_date < '2026-06-30' ORDER BY due_date DESC LIMIT 5)
	= array(SELECT due_date
		FROM local WHERE due_date < '2026-06-30' ORDER BY due_date DESC LIMIT 5) AS same;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices
	WHERE due_date IS NULL OR due_date < '2026-06-30' ORDER BY due_date DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id
	FROM xero.invoices WHERE due_date IS DISTINCT FROM '2026-06-30' ORDER BY due_date DESC LIMIT 5;
-- which is how PostgreSQL asks for the smallest and the greatest
SELECT max(updated_date_utc) = (SELECT max(updated_date_utc) FROM local) AS same
	FROM xero.invoices;
SELECT * FROM calls();
SELECT max(due_date) = (SELECT max(due_date) FROM local WHERE status = 'PAID') AS same
	FROM xero.invoices WHERE status = 'PAID';
SELECT * FROM calls();
-- but not of rows that are checked here
SELECT min(total) = (SELECT min(total) FROM local WHERE upper(status) <> 'PAID') AS same
	FROM xero.invoices WHERE upper(status) <> 'PAID';
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT invoice_line_items.line_amount
	FROM xero.invoice_line_items ORDER BY line_amount LIMIT 5;
-- a limit that comes at run time
PREPARE top(int) AS SELECT total FROM xero.invoices ORDER BY total DESC LIMIT $1;
SET plan_cache_mode = 'force_generic_plan';
EXPLAIN (COSTS OFF) EXECUTE top(3);
EXECUTE top(3);
SELECT * FROM calls();
RESET plan_cache_mode;
DEALLOCATE top;
SELECT array(SELECT invoice_number
	FROM xero.invoices ORDER BY due_date DESC NULLS LAST, invoice_id LIMIT 20)
	= array(SELECT invoice_number
		FROM local ORDER BY due_date DESC NULLS LAST, invoice_id LIMIT 20) AS same;

-- Nulls that come last are left out at first.
EXPLAIN (COSTS OFF) SELECT invoice_id
	FROM xero.invoices WHERE status = 'PAID' ORDER BY due_date LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices ORDER BY due_date DESC NULLS LAST LIMIT 5;
EXPLAIN (COSTS OFF) SELECT contact_id FROM xero.contacts ORDER BY discount LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_id
	FROM xero.invoices WHERE date < (SELECT '2025-06-01'::date) ORDER BY due_date LIMIT 5;

-- Of several keys, Xero sorts by the first.  The rows that are equal to the last one
-- are on its page, or else all pages are read, in the order of the key.
EXPLAIN (COSTS OFF) SELECT invoice_number FROM xero.invoices ORDER BY date DESC, invoice_number LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_number
	FROM xero.invoices ORDER BY date DESC FETCH FIRST 5 ROWS WITH TIES;
EXPLAIN (COSTS OFF) SELECT invoice_number FROM xero.invoices ORDER BY invoice_number, date LIMIT 5;
EXPLAIN (COSTS OFF) SELECT invoice_number FROM xero.invoices ORDER BY date, invoice_number LIMIT 501;
EXPLAIN (COSTS OFF) SELECT invoice_number
	FROM xero.invoices WHERE contact_name = 'x' ORDER BY date, invoice_number LIMIT 5;
ALTER FOREIGN TABLE xero.invoices OPTIONS (ADD page_size '20');
CREATE FUNCTION same_order(tail text) RETURNS TABLE (same boolean, calls bigint)
LANGUAGE plpgsql AS $$
DECLARE
	remote text;
	here text;
BEGIN
	EXECUTE format('SELECT array_agg((date, due_date, total)::text) FROM (SELECT * FROM xero.invoices %s) AS r', tail)
		INTO remote;
	EXECUTE format('SELECT array_agg((date, due_date, total)::text) FROM (SELECT * FROM local %s) AS r', tail)
		INTO here;
	same := remote IS NOT DISTINCT FROM here;
	calls := (SELECT count(*) FROM calls());
	RETURN NEXT;
END $$;
SELECT FROM calls();
SELECT t AS tail, same, calls
FROM unnest(ARRAY['ORDER BY date DESC, total LIMIT 10', 'ORDER BY date, total, invoice_id LIMIT 3 OFFSET 7',
	'ORDER BY total, date LIMIT 10', 'ORDER BY due_date, total LIMIT 10',
	'ORDER BY due_date DESC NULLS LAST, date, total LIMIT 5 OFFSET 5',
	'WHERE status = ''PAID'' ORDER BY due_date, date, total LIMIT 3',
	-- there are fewer with a due date, or none
	'WHERE due_date IS NULL ORDER BY due_date, date, total LIMIT 3',
	'WHERE due_date IS NULL OR due_date < ''2025-01-05'' ORDER BY due_date DESC NULLS LAST, total LIMIT 10',
	'WHERE total < 0 ORDER BY due_date, total LIMIT 5', 'ORDER BY date, total DESC FETCH FIRST 4 ROWS WITH TIES',
	'WHERE total < 0 ORDER BY date, total LIMIT 5',
	'WHERE status = ''VOIDED'' ORDER BY date, total LIMIT 10',
	-- a page of equal amounts, and more
	'WHERE status <> ''PAID'' ORDER BY amount_credited, date, total LIMIT 10',
	-- more than half a page
	'ORDER BY date, total LIMIT 11']) AS t, same_order(t);
-- again and again
SELECT d, array(SELECT total FROM xero.invoices WHERE date < d ORDER BY date DESC, total LIMIT 3)
	= array(SELECT total FROM local WHERE date < d ORDER BY date DESC, total LIMIT 3) AS same
FROM unnest(ARRAY['2025-06-01', '2025-06-01', '2025-07-01']::date[]) AS d;
SELECT * FROM calls();
DROP FUNCTION same_order;
ALTER FOREIGN TABLE xero.invoices OPTIONS (DROP page_size);

-- A limit over conditions that are checked here stops as soon as it can.
CREATE FOREIGN TABLE small (contact_id uuid, name text)
	SERVER xero OPTIONS (object 'accounting/Contacts', page_size '10');
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

-- values that take two requests: their lists are put in one order here
SELECT array_agg(contact_id) AS ids
	FROM (SELECT contact_id
		FROM xero.invoices WHERE type = 'ACCREC' GROUP BY 1 ORDER BY 1 LIMIT 60) AS c \gset
CREATE TEMP TABLE local_dates AS SELECT date FROM xero.invoices WHERE contact_id = ANY (:'ids');
SELECT cardinality(:'ids'::uuid[]),
	(SELECT array_agg(date)
		FROM (SELECT date FROM local_dates ORDER BY date LIMIT 9) AS r) AS first,
	(SELECT array_agg(date)
		FROM (SELECT date FROM local_dates ORDER BY date DESC OFFSET 6 LIMIT 3) AS r) AS last;
\! "$PG_ABS_SRCDIR/test/sandbox-control" calls > /dev/null
SELECT array_agg(date)
	FROM (SELECT date
		FROM xero.invoices WHERE contact_id = ANY (:'ids') ORDER BY date LIMIT 9) AS r;
\! "$PG_ABS_SRCDIR/test/sandbox-control" calls | sed 's/ContactIDs=[-0-9a-f,]*/ContactIDs=.../'
SELECT array_agg(date)
	FROM (SELECT date FROM xero.invoices
		WHERE contact_id = ANY ((SELECT :'ids'::uuid[])::uuid[]) ORDER BY date LIMIT 9) AS r;
\! "$PG_ABS_SRCDIR/test/sandbox-control" calls | sed 's/ContactIDs=[-0-9a-f,]*/ContactIDs=.../'
SELECT array_agg(date)
	FROM (SELECT date FROM xero.invoices WHERE contact_id = ANY ((SELECT :'ids'::uuid[])::uuid[])
		ORDER BY date DESC OFFSET 6 LIMIT 3) AS r;
SELECT array_agg(date)
	FROM (SELECT date FROM xero.invoices
		WHERE contact_id = ANY (:'ids') ORDER BY date DESC OFFSET 6 LIMIT 3) AS r;
DROP TABLE local_dates;
