-- EXPLAIN tells what would be sent, and with ANALYZE what it took; nothing of
-- it is secret, and without ANALYZE it makes no call.
CALL needs_00_setup();
CREATE FUNCTION explain(options text, query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
		-- what differs between runs and versions
		CONTINUE WHEN line ~ 'Buffers:|Memory:|Planning|Settings|Index Searches';
		line := regexp_replace(line, '\n[^\n]*Disabled[^\n]*', '', 'g');
		line := regexp_replace(line, '(Bytes Received"?: )[1-9]\d*', '\1N');
		line := regexp_replace(line, '(Budget Wait"?: )[\d.]+', '\1N');
		line := regexp_replace(line, '(Budget Left"?: "?)\d+ of (\d+) a minute, \d+ of',
			'\1N of \2 a minute, N of');
		line := regexp_replace(line, '(cost=)[\d.]+', '\1N', 'g');
		RETURN NEXT regexp_replace(line, 'rows=(\d+)\.00', 'rows=\1');
	END LOOP;
END $$;

EXPLAIN (VERBOSE, COSTS OFF) SELECT invoice_number, total * 2
	FROM xero.invoices WHERE status = 'PAID' AND reference <> 'x';
EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM xero.tax_rates;
SELECT * FROM explain('COSTS OFF, FORMAT JSON',
	'SELECT total FROM xero.invoices WHERE status = ''PAID'' AND reference <> ''x''');
SELECT * FROM explain('COSTS OFF, FORMAT YAML',
	'SELECT total FROM xero.invoices WHERE date = ''2025-01-01''');
SELECT * FROM explain('COSTS OFF, FORMAT XML',
	'SELECT name FROM xero.contacts WHERE name = ''A & B <Traders>''');
SELECT * FROM calls();

-- The estimate of calls
SELECT * FROM explain('COSTS', 'SELECT total FROM xero.invoices');
SELECT * FROM explain('COSTS',
	'SELECT total FROM xero.invoices WHERE invoice_id = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''');
-- 200 keys are five requests, of which three are shown
SELECT array_agg('00000000-0000-0000-0000-' || lpad(g::text, 12, '0')) AS ids
FROM generate_series(1, 200) AS g \gset
SELECT string_agg(l, E'\n')::jsonb #> '{0,Plan,Xero Request}' AS requests
FROM explain('FORMAT JSON, COSTS OFF',
	format('SELECT total FROM xero.invoices WHERE invoice_id = ANY (%L)', :'ids')) AS l \gset
SELECT left(e, 66) AS request, length(e) FROM jsonb_array_elements_text(:'requests') AS e;
-- ... knows better once the table has been read
SELECT count(total::text) FROM xero.invoices;
SELECT * FROM explain('COSTS', 'SELECT total FROM xero.invoices');
SELECT FROM calls();

-- ANALYZE
SELECT * FROM explain('ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF',
	'SELECT total FROM xero.invoices WHERE status = ''PAID'' AND reference <> ''x''');
SELECT * FROM explain('ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF',
	'SELECT total FROM xero.invoices WHERE invoice_id = ''00000000-0000-0000-0000-000000000001''');
SELECT * FROM explain('ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF',
	'SELECT total FROM xero.invoices WHERE date > ''infinity''');
SELECT * FROM explain('ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF',
	'SELECT journal_number FROM xero.journals');
SELECT * FROM explain('ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF',
	'SELECT count(*) FROM xero.invoices WHERE status = ''PAID''');
ALTER FOREIGN TABLE xero.contact_groups ADD COLUMN contacts jsonb OPTIONS (field 'Contacts');
SELECT * FROM explain('ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF',
	'SELECT contacts FROM xero.contact_groups');
ALTER FOREIGN TABLE xero.contact_groups DROP COLUMN contacts;
SELECT e FROM explain('ANALYZE, SUMMARY OFF, COSTS OFF', 'SELECT code FROM xero.currencies') AS e
	WHERE e ~ 'Xero';
SELECT e FROM explain('ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON',
	'SELECT total FROM xero.invoices WHERE status = ''PAID''') AS j,
	LATERAL string_to_table(j, E'\n') AS e WHERE e ~ 'Xero';
-- a scan that did not run
SELECT * FROM explain('ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF',
	'SELECT total FROM xero.invoices LIMIT 0');

-- The calls of a scan are those of all its runs, and the first node shows the sum of all.
-- Runs with other values take no more than the list twice; with the same, none.
CREATE TABLE ids AS
	SELECT '00000000-0000-0000-0000-000000000001'::uuid AS invoice_id, g AS n
	FROM generate_series(1, 40) AS g;
ANALYZE ids;
CREATE FUNCTION shown(query text, options text DEFAULT 'COSTS') RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT regexp_replace(e, '  \(.*|\?.*', '') FROM explain(options, query) AS e
	WHERE e ~ 'Scan|Join|Loop|Update|Insert|Delete|Request|Calls|Budget'
$$;
SELECT * FROM shown('SELECT (SELECT i.total FROM xero.invoices i WHERE i.invoice_id = ids.invoice_id)
	FROM ids WHERE n <= 30');
SELECT * FROM shown('SELECT (SELECT d.include_online FROM xero.invoice_attachments d
		WHERE d.invoice_id = ids.invoice_id), (SELECT count(*) FROM xero.users)
	FROM ids WHERE n <= 30');
SELECT * FROM shown('SELECT l.total FROM ids, LATERAL (SELECT b.type, i.total FROM
		(SELECT type FROM xero.accounts a WHERE a.account_id = ids.invoice_id OFFSET 0) AS b,
		LATERAL (SELECT total FROM xero.invoices i WHERE i.type = b.type LIMIT 1) AS i) AS l');
SELECT * FROM shown('SELECT count(*) FROM xero.invoices i JOIN xero.accounts a ON a.name = i.reference',
	'ANALYZE, TIMING OFF, SUMMARY OFF');
SELECT * FROM shown('SELECT name FROM xero.accounts UNION ALL SELECT u.email_address FROM xero.users u,
	generate_series(1, 5)', 'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF');
SELECT * FROM shown('INSERT INTO xero.contacts (name) SELECT ''Explained '' || n FROM ids');
SELECT * FROM shown('UPDATE xero.contacts SET account_number = ''E'' WHERE name LIKE ''Explained%''');
SELECT * FROM shown('UPDATE xero.invoice_line_items l SET description = ''E'' FROM ids
	WHERE l.invoice_id = ids.invoice_id', 'ANALYZE, TIMING OFF, SUMMARY OFF');
SELECT * FROM shown('WITH x AS (DELETE FROM xero.items WHERE code = ''none'' RETURNING item_id)
	SELECT count(*) FROM x', 'ANALYZE, TIMING OFF, SUMMARY OFF');
DROP FUNCTION shown;
DROP TABLE ids;

-- no address and no token
SELECT count(*) FROM explain('ANALYZE, VERBOSE', 'SELECT * FROM xero.invoices') AS e
	WHERE e ~ 'token|http|127\.0\.0\.1';
DROP FUNCTION explain;
