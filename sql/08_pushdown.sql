-- Which conditions travel, which are checked again, which stay here.
--   Xero Filter: what went down; Filter: what PostgreSQL checks (again)
CALL needs_00_setup();
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- numbers
SELECT * FROM verdicts('total = 100', 'total <> 100', 'total < 100.50', 'total <= -100',
	'total > 0', '100 >= total', 'total BETWEEN 1 AND 2', 'total NOT BETWEEN 1 AND 2',
	'total IN (1, 2.50)', 'total NOT IN (1, 2)', 'total = 1e3', 'total = 0.00000000001',
	'total < 1e20', 'total > ''NaN''', 'total < ''Infinity''', 'total + 1 = 2', '-total = 1',
	'total = 1::float8', 'total = ANY (ARRAY[1, NULL, 2])',
	'total <> ALL (ARRAY[1, NULL, 2]::numeric[])', 'total > ANY (ARRAY[1, 2])',
	'total = ANY (''{}''::numeric[])', 'total = NULL', 'amount_due = total');
-- columns that may be null, and that lists do not filter on
SELECT * FROM verdicts('currency_rate = 1', 'cis_rate <> 1', 'total_discount > 0',
	'amount_paid <> 0');

-- enums: Xero ignores case, which for closed words is the same
SELECT * FROM verdicts('status = ''PAID''', 'status = ''Paid''', 'status <> ''PAID''',
	'status IN (''PAID'', ''VOIDED'')', 'status NOT IN (''PAID'', ''VOIDED'')', 'type = ''ACCREC''',
	'type <> ''ACCREC''', 'type = ''ACC REC''', 'status = ''''', 'status > ''D''',
	'status = ''PAID'' OR status = ''DRAFT''', 'status = ''PAID'' OR type = ''ACCREC''',
	'NOT (status = ''PAID'' OR type = ''ACCREC'')', 'NOT (status = ''PAID'' AND total = 1)',
	'status || type = ''x''', 'status = ''PAID'' COLLATE "C"', 'upper(status) = ''PAID''');

-- dates: days, whatever time Xero may have stored
SELECT * FROM verdicts('date = ''2025-01-31''', 'date <> ''2025-01-31''', 'date < ''2025-01-31''',
	'date <= ''2025-01-31''', 'date > ''2025-01-31''', 'date >= ''2025-01-31''',
	'''2025-01-31'' < date', 'date BETWEEN ''2025-01-01'' AND ''2025-01-31''',
	'date IN (''2025-01-31'', ''2025-02-01'')', 'date > ''infinity''', 'date > ''-infinity''',
	'due_date > ''-infinity''', 'date > ''0044-03-15 BC''', 'date < ''99999-01-01''',
	'date = ''infinity''', 'due_date <> ''2025-01-31''', 'due_date IS NULL', 'due_date IS NOT NULL',
	'date IS NULL', 'date IS NOT NULL', 'NOT (due_date IS NULL)',
	'status IS NOT NULL AND date IS NOT NULL', 'date IS NOT NULL OR due_date IS NULL',
	'NOT (date IS NULL OR due_date IS NULL)',
	'date > timestamp ''2025-01-31 12:00''', 'date + 1 > ''2025-01-31''',
	'extract(year FROM date) = 2025');

-- Functions that keep the order of dates: the days are found by trying them.
SET TimeZone = 'Pacific/Auckland';
SELECT * FROM verdicts('date >= timestamp ''2025-01-31''', 'date > timestamp ''2025-01-31''',
	'date >= timestamp ''2025-01-31 12:00''', 'date < timestamp ''2025-01-31 12:00''',
	'date = timestamp ''2025-01-31''', 'date = timestamp ''2025-01-31 12:00''',
	'date <> timestamp ''2025-01-31''', 'date <> timestamp ''2025-01-31 12:00''',
	'due_date <> timestamp ''2025-01-31 12:00''', 'NOT (date < timestamp ''2025-01-31'')',
	'timestamp ''2025-01-31'' > date', 'date >= timestamptz ''2025-01-31 00:00+00''',
	'date >= timestamptz ''2025-01-31 00:00+13''', 'date = timestamptz ''2025-01-30 11:00+00''',
	'date > timestamp ''infinity''', 'date > timestamptz ''-infinity''',
	'date > timestamp ''0044-03-15 BC''', 'due_date < timestamp ''294276-01-01''',
	'date >= now() - interval ''30 days''', 'date BETWEEN now() - interval ''1 year'' AND now()',
	'date + 30 >= ''2025-03-02''', 'date + interval ''1 month'' <= ''2025-02-28''',
	'date - interval ''1 month'' < now()', '''2025-03-02'' - date > 30',
	'date - ''2025-03-02'' > 30',
	'timestamptz ''2025-03-02 01:00+13'' - date > interval ''30 days''',
	'date_trunc(''month'', date) = ''2025-02-01''',
	'date_trunc(''MONTH'', date)::date = ''2025-02-01''',
	'date_trunc(''month'', date) = ''2025-02-02''',
	'date_trunc(''quarter'', date) >= ''2025-02-02''',
	'date_trunc(''month'', date) = date_trunc(''month'', now())',
	'date_trunc(''week'', date::timestamp) = ''2025-02-03''', 'extract(year FROM date) = 2025',
	'extract(year FROM date) > 2024.5', 'date_part(''year'', date) <= 2025',
	'extract(year FROM date) = 2025 AND extract(month FROM date) = 3',
	'to_char(date, ''YYYY-MM'') = ''2025-02''', 'to_char(date, ''YYYY-MM'') = ''2025-13''',
	'date::timestamptz >= ''2025-01-31 00:00+00''',
	'date >= timestamp ''2025-01-31'' OR status = ''PAID''');
RESET TimeZone;
SET TimeZone = 'UTC';
-- by parameters that lists of other tables have
SELECT * FROM verdict('date >= timestamp ''2025-01-31 12:00'' AND '
	'date < timestamptz ''2025-03-01 00:00+00''', 'xero.quotes');
SELECT * FROM verdict('date_trunc(''month'', date) = ''2025-02-01''', 'xero.purchase_orders');
SELECT * FROM verdict('date_trunc(''month'', date) = ''2025-02-02''', 'xero.purchase_orders');
SELECT * FROM verdict('date_trunc(''month'', invoice_date) = ''2025-02-01''',
	'xero.invoice_line_items');
-- not where the order is lost, may be lost, or the function may fail
SELECT * FROM verdicts('extract(month FROM date) = 3', 'to_char(date, ''YY'') = ''25''',
	'to_char(date, ''YYYY-MM'') > ''2025-02''',
	'date_trunc(''fortnight'', date) = ''2025-02-01''',
	'date + 2000000000 > ''2025-01-01''', 'date + (-2147483648) > ''2025-01-01''',
	'date - due_date > 30',
	'date::text = ''2025-02-01''',
	'''infinity''::date - date > 30', 'age(date) > interval ''1 month''',
	'date = ANY (ARRAY[timestamp ''2025-01-31'', ''2025-02-01''])');
-- of instants and numbers the bounds are wider
SELECT * FROM verdicts('updated_date_utc::date >= ''2025-03-10''',
	'updated_date_utc::date = ''2025-03-10''',
	'date_trunc(''month'', updated_date_utc) = ''2025-03-01''',
	'timestamptz ''2025-03-10'' - updated_date_utc < interval ''7 days''',
	'extract(year FROM updated_date_utc) = 2025',
	'updated_date_utc + interval ''1 day'' > timestamptz ''2025-03-10''',
	'updated_date_utc::date <> ''2025-03-10''', 'total > 20000::float8', 'total <= 0.1::float8',
	'total = 100.5::float8', 'total <> 1::float8', 'total > ''Infinity''::float8',
	'total < ''NaN''::float8', 'total > -1e300::float8', 'total > 1e300::float8',
	'total = 0.1::float4',
	'round(total) = 100', 'round(total, 1) = 100.1', 'NOT (total > 20000::float8)');

-- booleans
SELECT * FROM verdicts('has_attachments', 'NOT has_attachments', 'has_attachments = true',
	'has_attachments <> true', 'has_attachments IS TRUE', 'has_attachments IS NOT TRUE',
	'has_attachments IS FALSE', 'has_attachments IS NOT FALSE', 'has_attachments IS NULL',
	'has_attachments IS UNKNOWN', 'sent_to_contact', 'NOT sent_to_contact',
	'sent_to_contact IS TRUE', 'sent_to_contact IS NULL', 'sent_to_contact = is_discounted',
	'has_attachments < true');

-- uuids: one by the path, several by a parameter, others by where
SELECT * FROM verdicts('invoice_id = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''',
	'invoice_id IN (''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'', ''5D4C0BAD-F188-4B5B-988A-2F9AA300E3B6'')',
	'invoice_id IN (''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'', ''00000000-0000-0000-0000-000000000001'')',
	'invoice_id = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'' AND status = ''PAID''',
	'invoice_id = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'' OR invoice_id = ''00000000-0000-0000-0000-000000000001''',
	'invoice_id = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6'' OR status = ''PAID''',
	'invoice_id <> ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''',
	'invoice_id > ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''',
	'contact_id = ''6a08dbd4-9068-41bb-8686-e1c28bd37fdb''',
	'contact_id IN (''6a08dbd4-9068-41bb-8686-e1c28bd37fdb'', ''00000000-0000-0000-0000-000000000001'')',
	'contact_id <> ''6a08dbd4-9068-41bb-8686-e1c28bd37fdb''', 'contact_id IS NULL',
	'branding_theme_id = ''6a08dbd4-9068-41bb-8686-e1c28bd37fdb''',
	'tenant_id = ''6a08dbd4-9068-41bb-8686-e1c28bd37fdb''');

-- the time of the last change: by the header, in whole seconds and one more
SELECT * FROM verdicts('updated_date_utc > ''2025-03-10 17:28:34.522+00''',
	'updated_date_utc >= ''2025-03-10 17:28:34''',
	'updated_date_utc = ''2025-03-10 17:28:34.522+02''',
	'updated_date_utc < ''2025-03-10 17:28:34.999''',
	'updated_date_utc > ''2025-03-10'' AND updated_date_utc > ''2025-03-11''',
	'updated_date_utc > date ''2025-03-10''',
	'updated_date_utc BETWEEN ''2025-03-10'' AND ''2025-03-11''', 'updated_date_utc > ''infinity''',
	'updated_date_utc > ''-infinity''', 'updated_date_utc > ''2025-03-10'' OR status = ''PAID''',
	'updated_date_utc <> ''2025-03-10''', 'updated_date_utc > ''0001-01-01''');

-- What cannot be true asks for nothing.
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE date > 'infinity';
SELECT invoice_id FROM xero.invoices WHERE status = 'PAID' AND false;
SELECT count(*) FROM xero.invoices WHERE total > 'NaN' AND total = ANY ('{}'::numeric[]);
SELECT invoice_id FROM xero.invoices WHERE date > 'infinity';
SELECT * FROM calls();
