-- count(*) is one call for one record, where Xero's count is the right one.
CALL needs_00_setup();
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.invoices WHERE status = 'PAID' AND total > 100;
EXPLAIN (COSTS OFF) SELECT count(*) AS n, count(*) + 1 AS m, 'x' AS constant
	FROM xero.contacts WHERE contact_status = 'ACTIVE';
SELECT count(*) AS n, count(*) + 1 AS m, 'x' AS constant FROM xero.invoices WHERE status = 'PAID';
SELECT * FROM calls();

-- However it is spelled.
EXPLAIN (COSTS OFF) SELECT count(1), count(invoice_id), count(*), count('x') FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(due_date) FROM xero.invoices WHERE status = 'PAID';
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE status = 'PAID') FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.invoices HAVING count(*) > 5;
SELECT count(1), count(invoice_id), count(tenant_id), count(*) FROM xero.invoices;
SELECT count(total) AS n FROM xero.invoices HAVING count(*) > 5;
SELECT count(total) AS n FROM xero.invoices HAVING count(*) > 500;
SELECT * FROM calls();

-- Not where rows must be looked at.
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.invoices WHERE contact_name = 'x';
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.invoices WHERE status = 'PAID' AND reference <> 'x';
EXPLAIN (COSTS OFF) SELECT count(reference) FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(sent_to_contact) FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(DISTINCT invoice_id) FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE reference = 'x') FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE tenant_id = '00000000-0000-0000-0000-000000000001')
	FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(*), sum(total) FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.invoices HAVING count(*) > sum(total);
EXPLAIN (COSTS OFF) SELECT count(*)
	FROM xero.invoices WHERE updated_date_utc > '2025-01-01 00:00+00';
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.invoice_line_items;
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.accounts;
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.quotes;
EXPLAIN (COSTS OFF) SELECT count(*) FROM xero.invoices, xero.organisation;
EXPLAIN (COSTS OFF) SELECT generate_series(1, 2), count(*) FROM xero.invoices;
-- (whose plans look different in different versions)
SELECT count(DISTINCT status) FROM xero.invoices;
SELECT * FROM calls();
SELECT DISTINCT count(*) OVER () FROM xero.accounts;
SELECT * FROM calls();

-- It agrees with counting here.
CREATE TEMP TABLE local AS SELECT * FROM xero.invoices;
SELECT FROM calls();
CREATE FUNCTION counts(condition text) RETURNS TABLE (remote bigint, same boolean, calls bigint)
LANGUAGE plpgsql AS $$
DECLARE
	here bigint;
BEGIN
	EXECUTE 'SELECT count(*) FROM xero.invoices WHERE ' || condition INTO remote;
	EXECUTE 'SELECT count(*) FROM local WHERE ' || condition INTO here;
	same := remote = here;
	calls := (SELECT count(*) FROM calls());
	RETURN NEXT;
END $$;
SELECT left(c, 100) AS condition, remote > 0 AS any, same, calls
FROM unnest(ARRAY['true', 'status = ''DRAFT''', 'status = ''NONE''', 'total > 5000',
	'date >= ''2025-06-01''', 'due_date IS NOT NULL', 'has_attachments',
	'status IS NOT NULL', 'total IS NOT NULL AND status = ''PAID''', 'NOT (type IS NULL)',
	'status IS NOT NULL OR total > 5000', 'reference IS NOT NULL',
	'status IN (''DRAFT'', ''PAID'')', 'type = ''ACCREC'' OR total < 1000',
	'date > ''infinity''', 'reference LIKE ''R%''', 'due_date <> ''2025-01-01''',
	'date BETWEEN ''2025-01-01'' AND ''2025-06-30''', 'false',
	'invoice_id = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''',
	'invoice_id IN (''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'', ''00000000-0000-0000-0000-000000000001'')',
	format('invoice_id = ANY (%L::uuid[])',
		(SELECT array_agg(invoice_id) FROM local WHERE total > 9000))]) AS c, counts(c);

-- with values that come at run time, also as a subquery, and again and again
SELECT s.status,
	(SELECT count(*) FROM xero.invoices WHERE status = s.status AND total > 0) = s.n AS same
FROM (SELECT status, count(*) AS n FROM local GROUP BY status) AS s ORDER BY 1;
SELECT count(*) FROM calls();
SELECT d,
	(SELECT count(*) FROM xero.invoices AS i WHERE i.date >= d)
		= (SELECT count(*) FROM local AS l WHERE l.date >= d) AS same
FROM unnest(ARRAY['2025-01-01', '2025-01-01', '2025-07-01', NULL]::date[]) AS d;
SELECT * FROM calls();
-- also with timestamps, and functions of the date
SET TimeZone = 'America/New_York';
SELECT c AS condition, remote > 0 AS any, same, calls
FROM unnest(ARRAY['date_trunc(''month'', date) = ''2026-03-01''',
	'extract(year FROM date) = 2026',
	'to_char(date, ''YYYY-MM'') = ''2026-03''', 'date < timestamptz ''2026-03-02 04:59:59+00''',
	'timestamp ''2026-03-02'' - due_date > interval ''30 days''']) AS c, counts(c);
SELECT c AS condition, same, calls
FROM unnest(ARRAY['date >= now() - interval ''30 days''',
	'now() - due_date > interval ''30 days''',
	'current_date - due_date > 30 AND status = ''AUTHORISED''',
	'date_trunc(''month'', date) = date_trunc(''month'', now() - interval ''1 year'')'])
	AS c, counts(c);
-- which are checked again
SELECT c AS condition, same, calls
FROM unnest(ARRAY['total > 5000::float8', 'updated_date_utc::date >= ''2026-03-01''']) AS c, counts(c);
SELECT date(d) AS date,
	(SELECT count(*) FROM xero.invoices AS i WHERE i.date >= d)
		= (SELECT count(*) FROM local AS l WHERE l.date >= d) AS same
FROM unnest(ARRAY['2026-03-01 05:00+00', '2026-03-01 05:00:01+00', 'infinity',
	NULL]::timestamptz[]) AS d;
SELECT * FROM calls();
RESET TimeZone;
PREPARE since(date) AS SELECT count(*) FROM xero.invoices WHERE date >= $1;
SET plan_cache_mode = 'force_generic_plan';
EXECUTE since('infinity');
EXECUTE since(NULL);
SELECT * FROM calls();
DEALLOCATE since;

-- Several counts are a call each, where that is known to be less than the pages: this
-- list has one page, and thirteen small ones.
EXPLAIN (COSTS OFF) SELECT count(*), count(due_date) FROM xero.invoices;
ALTER FOREIGN TABLE xero.invoices OPTIONS (ADD page_size '20');
EXPLAIN (COSTS OFF) SELECT count(*), count(due_date) FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE status = 'DRAFT') AS drafts,
		count(*) FILTER (WHERE status = 'AUTHORISED' AND due_date < '2025-06-01') AS overdue,
		count(due_date) FILTER (WHERE type = 'ACCREC') AS due,
		count(*) FILTER (WHERE status = 'PAID') AS paid
	FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT count(*) FILTER (WHERE status = 'DRAFT') AS drafts,
		count(*) FILTER (WHERE status = 'AUTHORISED') AS approved,
		count(*) FILTER (WHERE status = 'VOIDED') AS voided,
		count(*) FILTER (WHERE status = 'PAID') AS paid
	FROM xero.invoices WHERE date < '2026-01-01';
CREATE FUNCTION same_counts(counts text) RETURNS TABLE (same boolean, calls bigint)
LANGUAGE plpgsql AS $$
DECLARE
	remote text;
	here text;
BEGIN
	EXECUTE format('SELECT ROW(%s)::text FROM xero.invoices', counts) INTO remote;
	EXECUTE format('SELECT ROW(%s)::text FROM local', counts) INTO here;
	same := remote = here;
	calls := (SELECT count(*) FROM calls());
	RETURN NEXT;
END $$;
SELECT FROM calls();
SELECT c AS counts, same, calls
FROM unnest(ARRAY['count(*), count(due_date), count(total)', 'count(1) + count(*), count(date) - 1',
	'count(*) FILTER (WHERE status = ''DRAFT''), count(*) FILTER (WHERE status = ''NONE'')',
	'count(*) FILTER (WHERE status = ''PAID''), count(*) FILTER (WHERE status = ''PAID'' AND total > 0)',
	'count(due_date) FILTER (WHERE due_date > ''2025-06-01''), count(*) FILTER (WHERE date > ''infinity'')',
	'count(reference), count(*)', 'count(*) FILTER (WHERE lower(status) = ''paid'')']) AS c,
	same_counts(c);
-- what depends on the rows of a query around it is not counted for each of them: rows are
-- read, for no more calls than the list has pages, twice
SELECT c.n = l.n AS same FROM (SELECT sum((SELECT count(*) FROM xero.invoices AS i
		WHERE i.contact_id = c.contact_id)) FROM xero.contacts AS c) AS c(n),
	(SELECT count(*) FROM local) AS l(n);
SELECT count(*) <= 13 + 13 + 1 AS few FROM calls();
SELECT d, n = (SELECT ROW(count(*) FILTER (WHERE date >= d), count(*)) FROM local) AS same
FROM unnest(ARRAY['2025-01-01', '2025-01-01', '2025-07-01', NULL]::date[]) AS d,
	LATERAL (SELECT ROW(count(*) FILTER (WHERE date >= d), count(*)) FROM xero.invoices) AS i(n);
SELECT * FROM calls();
PREPARE between_days(date, date) AS SELECT count(*) FILTER (WHERE date >= $1) AS since,
		count(*) FILTER (WHERE date < $2) AS before, count(*) AS of_all
	FROM xero.invoices WHERE total > 0;
EXPLAIN (COSTS OFF) EXECUTE between_days('2025-06-01', '2025-06-01');
EXECUTE between_days('2025-06-01', '2025-06-01');
EXECUTE between_days(NULL, 'infinity');
SELECT * FROM calls();
DEALLOCATE between_days;

-- min() and max() beside a count are the first records of lists, which tell their numbers
-- as well.
EXPLAIN (COSTS OFF) SELECT count(*), max(date) FROM xero.invoices WHERE type = 'ACCREC';
EXPLAIN (COSTS OFF) SELECT min(due_date), max(total) + 1 AS more, count(*) FILTER (WHERE status = 'PAID')
	FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT max(invoice_number), count(*) FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT max(total - 1), count(*) FROM xero.invoices;
EXPLAIN (COSTS OFF) SELECT max(total), count(*), sum(total) FROM xero.invoices;
SELECT FROM calls();
SELECT c AS counts, same, calls
FROM unnest(ARRAY['count(*), max(date)', 'max(date), min(date), count(*), count(date)',
	'max(updated_date_utc), count(*)', 'max(due_date), count(*)', 'count(due_date), min(due_date)',
	'max(total) FILTER (WHERE status = ''PAID''), count(*) FILTER (WHERE status = ''PAID'')',
	'max(total) FILTER (WHERE status = ''NONE''), count(*)',
	'max(total) FILTER (WHERE status = ''PAID''), min(total) FILTER (WHERE type = ''ACCREC'')',
	'max(date) FILTER (WHERE invoice_id = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''), count(*)',
	'max(date) FILTER (WHERE invoice_id = ''00000000-0000-0000-0000-000000000001''), count(*)',
	'max(date) FILTER (WHERE lower(status) = ''paid''), count(*)']) AS c,
	same_counts(c);
SELECT d, n = (SELECT ROW(count(*), max(total), min(total)) FROM local WHERE date >= d) AS same
FROM unnest(ARRAY['2025-01-01', '2025-01-01', '2026-03-01', NULL, '2100-01-01']::date[]) AS d,
	LATERAL (SELECT ROW(count(*), max(total), min(total)) FROM xero.invoices WHERE date >= d) AS i(n);
SELECT * FROM calls();
DROP FUNCTION same_counts;

-- By a column whose words are known: each of them, and all, unless the pages are fewer.
EXPLAIN (COSTS OFF) SELECT type, count(*) FROM xero.invoices GROUP BY type;
EXPLAIN (COSTS OFF) SELECT status, count(*) + 1 AS more, count(total)
	FROM xero.invoices GROUP BY status HAVING count(*) > 5 ORDER BY 1;
CREATE FUNCTION same_groups(query text) RETURNS TABLE (same boolean, groups bigint, calls bigint)
LANGUAGE plpgsql AS $$
DECLARE
	remote text;
	here text;
BEGIN
	EXECUTE format('SELECT count(*), array_agg(r::text ORDER BY r::text) FROM (%s) AS r',
		replace(query, '@', 'xero.invoices')) INTO groups, remote;
	EXECUTE format('SELECT array_agg(r::text ORDER BY r::text) FROM (%s) AS r',
		replace(query, '@', 'local')) INTO here;
	same := remote IS NOT DISTINCT FROM here;
	calls := (SELECT count(*) FROM calls());
	RETURN NEXT;
END $$;
SELECT FROM calls();
SELECT q AS query, same, groups, calls
FROM unnest(ARRAY['SELECT type, count(*) FROM @ GROUP BY type',
	'SELECT count(*), status, count(date) FROM @ GROUP BY status HAVING count(*) > 20',
	'SELECT status FROM @ GROUP BY status',
	'SELECT upper(status), count(*) FROM @ GROUP BY status',
	'SELECT DISTINCT status FROM @', 'SELECT DISTINCT count(*) FROM @',
	'SELECT DISTINCT type FROM @ WHERE total > 0 ORDER BY type LIMIT 1',
	'SELECT status, count(*) FROM @ WHERE total > 100 GROUP BY status',
	-- pages that are fewer, once it is known how many rows there are
	'SELECT status, count(*) FROM @ WHERE date >= ''2025-12-01'' GROUP BY status',
	'SELECT status, count(*) FROM @ WHERE total < 0 GROUP BY status',
	-- not one by one
	'SELECT status, count(due_date) FROM @ GROUP BY status',
	'SELECT DISTINCT status, type FROM @', 'SELECT DISTINCT ON (status) status FROM @',
	'SELECT DISTINCT lower(status) FROM @', 'SELECT DISTINCT count(*) FROM @ GROUP BY status',
	'SELECT status, type, count(*) FROM @ GROUP BY status, type',
	'SELECT currency_code, count(*) FROM @ GROUP BY currency_code',
	'SELECT status, sum(total) FROM @ GROUP BY status']) AS q, same_groups(q);
-- for each row of another relation
SELECT d, (SELECT array_agg(g::text ORDER BY g::text)
		FROM (SELECT status, count(*) FROM xero.invoices WHERE date >= d GROUP BY status) AS g)
	IS NOT DISTINCT FROM (SELECT array_agg(g::text ORDER BY g::text)
		FROM (SELECT status, count(*) FROM local WHERE date >= d GROUP BY status) AS g) AS same
FROM unnest(ARRAY['2025-01-01', '2025-01-01', NULL]::date[]) AS d;
SELECT count(*) FROM calls();
-- A word that is not known shows in the total: then the rows are read.
\! "$PG_ABS_SRCDIR/test/sandbox-control" change object=Invoices 'create={"Type":"ACCREC","Status":"ODD"}' >/dev/null
SELECT status, count(*) FROM xero.invoices GROUP BY status ORDER BY status;
SELECT count(*) FROM calls();
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
DROP FUNCTION same_groups;
-- what a condition left is not taken for the length of the list
EXPLAIN SELECT invoice_id FROM xero.invoices \g | grep Calls
ALTER FOREIGN TABLE xero.invoices OPTIONS (DROP page_size);

-- Counting the rows of child tables needs the form that has them.
SELECT count(*) = (SELECT count(line_item_id) FROM xero.invoice_line_items) AS same,
	count(*) > 0 AS any
	FROM xero.invoice_line_items;
SELECT count(*)
	= (SELECT count(line_amount) FROM xero.invoice_line_items
		WHERE invoice_id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6') AS same
	FROM xero.invoice_line_items WHERE invoice_id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';
SELECT count(*) = (SELECT count(allocation_id) FROM xero.credit_note_allocations) AS same,
	count(*) > 0 AS any
	FROM xero.credit_note_allocations;
SELECT count(*) = (SELECT sum(jsonb_array_length(contact_persons)) FROM xero.contacts) AS same,
	count(*) > 0 AS any
	FROM xero.contact_contact_persons;
SELECT EXISTS (SELECT FROM xero.invoice_payments) AS any;
ALTER FOREIGN TABLE xero.invoice_line_items OPTIONS (ADD summary_only 'true');
SELECT count(*) FROM xero.invoice_line_items;
SELECT invoice_id FROM xero.invoice_line_items;
ALTER FOREIGN TABLE xero.invoice_line_items OPTIONS (DROP summary_only);
DROP FUNCTION counts;
