-- Conditions in other words: what they say of a column is sent.
CALL needs_00_setup();
SET TimeZone = 'Europe/London';
SET DateStyle = 'ISO';

-- Lists of values beside a function: a comparison each.
SELECT * FROM verdicts('extract(year FROM date) IN (2024, 2025)',
	'to_char(date, ''YYYY-MM'') IN (''2025-01'', ''2025-03'')',
	'date_trunc(''month'', date) <> ALL (ARRAY[timestamptz ''2025-01-01'', ''2025-02-01''])',
	'date IN (timestamp ''2025-01-31'', ''2025-02-01 12:00'')',
	'date_trunc(''month'', date) = ANY (ARRAY[timestamptz ''2025-01-01'', NULL])',
	'total IN (1::float8, 2::float8)', 'total > ANY (ARRAY[1, 2])', 'total > ALL (ARRAY[1, 2])',
	'lower(status) IN (''draft'', ''paid'')', 'lower(reference) IN (''ref-001'', ''abc'')',
	'lower(reference) IN (''ref-001'', ''a'')', 'contact_name ILIKE ANY (ARRAY[''%acme%'', ''boutique%''])',
	'contact_name LIKE ANY (ARRAY[''Acme%'', ''%x''])', 'lower(status) NOT IN (''draft'')',
	format('extract(day FROM date) + extract(year FROM date) IN (%s)', 1),
	format('extract(year FROM date) IN (%s)', (SELECT string_agg(n::text, ', ')
		FROM generate_series(2000, 2020) AS n)));
-- of which nothing is exact where one is not
SELECT * FROM verdicts('lower(status) = ''Draft'' OR lower(status) = ''Paid''');
SELECT count(*) FROM xero.invoices WHERE lower(status) = 'Draft' OR lower(status) = 'Paid';

-- Time zones, casts and ranges: more functions that keep the order.
SELECT * FROM verdicts('(updated_date_utc AT TIME ZONE ''Europe/London'')::date = ''2025-03-10''',
	'date_trunc(''day'', updated_date_utc AT TIME ZONE ''UTC'') >= ''2025-03-10''',
	'date_trunc(''day'', updated_date_utc, ''Pacific/Auckland'') >= ''2025-03-10''',
	'updated_date_utc AT TIME ZONE ''UTC'' AT TIME ZONE ''Europe/London'' < ''2025-03-10''',
	'updated_date_utc AT TIME ZONE ''Nowhere'' > ''2025-03-10''',
	'date AT TIME ZONE ''UTC'' >= ''2025-03-10''',
	'CAST(extract(year FROM date) AS integer) = 2025',
	'CAST(TRUNC(extract(year FROM date)) AS integer) >= 2025',
	'date_part(''year'', date)::bigint = 2025', 'total::integer = 100', 'round(total::float8) = 100');
SELECT * FROM verdicts('date <@ daterange(''2025-01-01'', ''2025-02-01'')',
	'daterange(''2025-01-01'', ''2025-02-01'', ''()'') @> date', 'date <@ daterange(''2025-01-01'', NULL)',
	'date <@ ''empty''::daterange', 'due_date <@ daterange(NULL, NULL)', 'date <@ NULL::daterange',
	'date::timestamp <@ tsrange(''2025-01-01 12:00'', ''2025-02-01 12:00'')',
	'updated_date_utc <@ tstzrange(''2025-03-10'', ''2025-03-11'')',
	'total <@ numrange(100, 200, ''()'')', 'NOT (date <@ daterange(''2025-01-01'', ''2025-02-01''))',
	'date <@ datemultirange(daterange(''2025-01-01'', ''2025-02-01''))',
	'daterange(date, due_date) @> date ''2025-01-01''');

-- Dates as text.
SELECT * FROM verdicts('date::text = ''2025-03-10''', 'date::text LIKE ''2025-03%''',
	'date::text LIKE ''2025%-01''', 'date::text LIKE ''%-01''', 'date::text NOT LIKE ''2025-03%''',
	'date::text >= ''2025-03''', 'date::varchar IN (''2025-03-10'', ''x'')',
	'left(date::text, 7) = ''2025-03''', 'left(date::text, -3) = ''2025-03''',
	'substring(date::text FROM 1 FOR 4) = ''2025''', 'substr(date::text, 6, 2) = ''03''',
	'to_char(date, ''yyyy-mm'') BETWEEN ''2025-01'' AND ''2025-03''',
	'to_char(date, ''YYYY-"Q"Q'') = ''2025-Q1''', 'to_char(date, ''YYYY-MM'') LIKE ''2025-1%''',
	'to_char(date, ''YYYY-MM'') > ''2025-02'' COLLATE "und-x-icu"', 'to_char(date, ''DD/MM/YYYY'') = ''10/03/2025''',
	'updated_date_utc::text LIKE ''2025-03-10%''');
CREATE COLLATION backwards (provider = icu, locale = 'und-u-kr-punct');
SELECT * FROM verdict('to_char(date, ''YYYY-MM'') > ''2025-02'' COLLATE backwards');
DROP COLLATION backwards;
-- Their order is that of days in ISO style only, which may be gone when the statement runs.
PREPARE march AS SELECT count(*), min(date), max(date) FROM xero.invoices WHERE date::text LIKE '2025-03%';
PREPARE march_orders AS SELECT count(*) FROM xero.purchase_orders WHERE date::text LIKE '2025-03%';
SELECT 'march' AS statement;
EXECUTE march;
EXECUTE march_orders;
SET DateStyle = 'German';
SELECT * FROM verdict('date::text = ''10.03.2025''');
EXECUTE march;
EXECUTE march_orders;
SELECT count(*) FROM xero.invoices WHERE date::text LIKE '%.03.2025';
SET DateStyle = 'ISO';
DEALLOCATE march;
DEALLOCATE march_orders;

-- Whatever is null: distinct, certain, rows.
SELECT * FROM verdicts('status IS DISTINCT FROM ''PAID''', 'status IS NOT DISTINCT FROM ''PAID''',
	'due_date IS DISTINCT FROM ''2025-03-10''', 'due_date IS NOT DISTINCT FROM ''2025-03-10''',
	'due_date IS NOT DISTINCT FROM NULL', 'reference IS DISTINCT FROM ''a''',
	'reference IS NOT DISTINCT FROM ''a''', '''2025-03-10'' IS DISTINCT FROM date',
	'date IS NOT DISTINCT FROM (SELECT date ''2025-03-10'')',
	'due_date IS NOT DISTINCT FROM (SELECT date ''2025-03-10'')',
	'date IS DISTINCT FROM (SELECT date ''2025-03-10'')', 'date IS NOT DISTINCT FROM due_date',
	'(status = ''PAID'') IS NOT TRUE', '(status IN (''PAID'', ''DRAFT'')) IS NOT TRUE',
	'(status = ''PAID'' OR date < ''2025-01-01'') IS NOT TRUE', '(total > 5) IS NOT FALSE',
	'(due_date < ''2025-01-01'') IS NOT TRUE', '(status = (SELECT ''PAID''::text)) IS NOT TRUE',
	'(total <> 5) IS NOT UNKNOWN');
SELECT * FROM verdicts('(date, invoice_id) > (''2025-03-10'', ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'')',
	'(date, invoice_id) <= (''2025-03-10'', ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'')',
	'(''2025-03-10''::date, 5) < (date, total)', 'NOT ((due_date, total) >= (''2025-03-10'', 5))',
	'(invoice_id, date) > (''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'', ''2025-03-10'')');

-- A uuid as text.
SELECT * FROM verdicts('invoice_id::text = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''',
	'contact_id::varchar = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''',
	'''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'' = contact_id::text',
	'contact_id::text = ''5D4C0BAD-f188-4b5b-988a-2f9aa300e3b6''', 'contact_id::text = ''INV-000001''',
	'contact_id::text IN (''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'', ''x'', NULL)',
	'contact_id::text = ANY ((SELECT ''{5d4c0bad-f188-4b5b-988a-2f9aa300e3b6,x}''::text[])::text[])',
	'contact_id::text = (SELECT ''x''::text)', 'contact_id::text <> ''x''',
	'contact_id::text LIKE ''5d4c%''', 'tenant_id::text = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''',
	'contact_id::text NOT IN (''x'')', 'contact_id::text = reference');
CREATE TEMP TABLE wanted AS SELECT invoice_id::text AS id FROM xero.invoices ORDER BY 1 LIMIT 3;
SELECT count(*) > 0 AS called FROM calls();
INSERT INTO wanted VALUES ('no uuid'), (NULL), ('');
SELECT count(*) FROM xero.invoices WHERE invoice_id::text = ANY (ARRAY(SELECT id FROM wanted));
SELECT count(*), call ~ '[?]IDs=' AS by_ids FROM calls() AS call GROUP BY 2;
SELECT count(*) FROM xero.invoices WHERE invoice_id::text = (SELECT 'no uuid'::text);
SELECT * FROM calls();
DROP TABLE wanted;

-- Choices: what is said of what is chosen.
SELECT * FROM verdicts('CASE WHEN status = ''PAID'' THEN ''closed'' ELSE ''open'' END = ''closed''',
	'CASE WHEN status = ''PAID'' THEN ''closed'' ELSE ''open'' END = ''open''',
	'CASE WHEN status = ''PAID'' THEN ''closed'' ELSE ''open'' END <> ''open''',
	'NOT (CASE WHEN status = ''PAID'' THEN ''closed'' ELSE ''open'' END = ''open'')',
	'CASE WHEN status = ''PAID'' THEN ''closed'' END = ''open''',
	'CASE WHEN due_date < ''2025-03-10'' THEN ''late'' WHEN status = ''PAID'' THEN ''closed'' ELSE ''open'' END'
	' IN (''late'', ''closed'')',
	'CASE WHEN due_date < ''2025-03-10'' THEN ''late'' WHEN status = ''PAID'' THEN ''closed'' ELSE ''open'' END = ''open''',
	'CASE WHEN reference ~ ''a|b'' THEN ''x'' WHEN status = ''PAID'' THEN ''y'' ELSE ''z'' END = ''y''',
	'CASE status WHEN ''PAID'' THEN 1 WHEN ''DRAFT'' THEN 2 ELSE 0 END > 0',
	'CASE WHEN type = ''ACCREC'' THEN date ELSE due_date END >= ''2025-03-10''',
	'date_trunc(''month'', CASE WHEN type = ''ACCREC'' THEN date ELSE due_date END) = ''2025-03-01''',
	'CASE WHEN status = ''PAID'' THEN 0 ELSE amount_due END > 100',
	'100 / CASE WHEN status = ''PAID'' THEN 0 ELSE 1 END > 5', 'CASE WHEN status = ''PAID'' THEN 1 / amount_due END > 5',
	'CASE WHEN status = ''PAID'' THEN total > 5 ELSE false END', 'CASE WHEN has_attachments THEN 1 ELSE 0 END = 1',
	'CASE WHEN random() < 0.5 THEN ''a'' ELSE ''b'' END = ''a''',
	'CASE WHEN status = ''PAID'' THEN ''a'' ELSE ''b'' END = (SELECT ''a''::text)',
	'CASE WHEN status = ''PAID'' THEN ''a'' ELSE NULL END = (SELECT ''a''::text)');
SELECT * FROM verdicts('coalesce(has_attachments, false)', 'NOT coalesce(has_attachments, false)',
	'coalesce(has_attachments, true)', 'nullif(reference, '''') = ''abc''', 'nullif(total, 0) > 5',
	'nullif(total, 0) IS NOT NULL', 'greatest(date, due_date) >= ''2025-03-10''',
	'least(total, amount_due, 100) > 5', 'least(total, amount_due, 100) < 5', 'greatest(total, 0) <= 5',
	'coalesce(nullif(reference, ''''), invoice_number) = ''abc''', 'greatest(due_date, NULL::date) < ''2025-03-10''');

-- position() says that there is a piece where zero would not do.
SELECT * FROM verdicts('position(''abc'' in reference) >= 1', 'strpos(reference, ''abc'') <> 0',
	'strpos(reference, ''abc'') = 3', 'strpos(reference, ''abc'') > -1', 'strpos(reference, ''abc'') = 0',
	'strpos(reference, ''abc'') < 5', '0 < strpos(reference, ''abc'')');
