-- Tools that save whole rows: columns that cannot be set keep their values.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset contacts=20 invoices=20
-- An UPDATE of all columns of a row, by its key, with some values changed.
CREATE FUNCTION pg_temp.save(relation regclass, row_now jsonb, key text,
	changes jsonb DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
	SELECT format('UPDATE %s SET %s WHERE %I = %L', relation,
		string_agg(format('%I = %L', column_name, value), ', '), key, row_now ->> key)
	FROM jsonb_each_text(row_now || changes) AS members (column_name, value)
$$;
SELECT to_jsonb(c) AS contact FROM xero.contacts AS c
	WHERE contact_status = 'ACTIVE' AND tax_number_type IS NULL ORDER BY name LIMIT 1 \gset
SELECT to_jsonb(i) AS invoice FROM xero.invoices AS i
	WHERE status = 'DRAFT' AND type = 'ACCREC' ORDER BY invoice_number LIMIT 1 \gset
SELECT FROM cost;

-- 1. What is as it was is no error
SELECT * FROM error_of(
	pg_temp.save('xero.contacts', :'contact', 'contact_id', '{"first_name": "Saved"}'));
SELECT * FROM error_of(
	pg_temp.save('xero.invoices', :'invoice', 'invoice_id', '{"reference": "Saved"}'));
SELECT * FROM cost;
SELECT first_name, to_jsonb(c) - '{first_name,updated_date_utc}'::text[]
		= :'contact'::jsonb - '{first_name,updated_date_utc}'::text[] AS same, to_jsonb(c) AS contact
	FROM xero.contacts AS c WHERE first_name = 'Saved' \gset
\echo :first_name :same
SELECT to_jsonb(i) AS saved FROM xero.invoices AS i WHERE reference = 'Saved' \gset
SELECT key FROM jsonb_each(:'saved') AS now JOIN jsonb_each(:'invoice') AS before USING (key)
	WHERE now.value <> before.value AND key <> 'updated_date_utc';
\set invoice :saved
SELECT * FROM error_of(pg_temp.save('xero.invoices', :'invoice', 'invoice_id', jsonb_build_object(
	'total', (:'invoice'::jsonb ->> 'total') || '00', 'reference', 'Scale')));
PREPARE saved (text, text, numeric) AS
	UPDATE xero.invoices SET reference = $2, total = $3, contact_name = contact_name
	WHERE reference = $1 RETURNING reference;
SET plan_cache_mode = force_generic_plan;
EXECUTE saved ('Scale', 'Prepared', (:'invoice'::jsonb ->> 'total')::numeric);
RESET plan_cache_mode;

-- 2. What differs is refused, and the row is not sent
SELECT FROM cost;
SELECT regexp_replace(error, '[0-9a-f-]{36}', 'N', 'g') AS error FROM unnest(ARRAY[
	pg_temp.save('xero.contacts', :'contact', 'contact_id', '{"is_customer": null}'),
	pg_temp.save('xero.contacts', :'contact', 'contact_id', '{"has_attachments": true}'),
	pg_temp.save('xero.contacts', :'contact', 'contact_id', '{"updated_date_utc": "2026-01-01 00:00Z"}'),
	'UPDATE xero.contacts SET last_name = ''x'', contact_id = ''00000000-0000-0000-0000-000000000001''
		WHERE first_name = ''Saved''',
	'UPDATE xero.contacts SET last_name = ''x'', tenant_id = ''00000000-0000-0000-0000-000000000001''
		WHERE first_name = ''Saved''']) AS statement, error_of(statement) AS error;
EXECUTE saved ('Prepared', 'x', 1);
SELECT * FROM cost WHERE call NOT LIKE 'GET%';
SET xero_fdw.on_row_error = log;
UPDATE xero.contacts SET last_name = 'x', updated_date_utc = '2026-01-01 00:00Z'
	WHERE first_name = 'Saved' RETURNING last_name;
RESET xero_fdw.on_row_error;
SELECT sqlstate, message FROM xero_fdw.write_errors;

-- 3. What cannot be the value that is there is refused before a call
SELECT FROM cost;
SELECT * FROM error_of('UPDATE xero.invoices SET total = 1');
SELECT * FROM error_of('UPDATE xero.invoices SET total = total, contact_name = ''x''');
SELECT * FROM error_of('UPDATE xero.invoices SET reference = ''x'', total = total + 1');
SELECT * FROM error_of('UPDATE xero.invoices SET reference = ''x'', total = sub_total');
SELECT * FROM error_of('UPDATE xero.invoices SET reference = ''x'', total = random()');
SELECT * FROM cost;

-- 4. Rows inside of records, with columns of the record
SELECT to_jsonb(l) AS line FROM xero.invoice_line_items AS l
	WHERE invoice_id = (:'invoice'::jsonb ->> 'invoice_id')::uuid ORDER BY description LIMIT 1 \gset
SELECT FROM cost;
SELECT * FROM error_of(
	pg_temp.save('xero.invoice_line_items', :'line', 'line_item_id', '{"description": "Saved"}')
	|| ' AND invoice_id = ' || quote_literal(:'invoice'::jsonb ->> 'invoice_id'));
SELECT regexp_replace(error, '[0-9a-f-]{36}', 'N', 'g') AS error FROM error_of(
	'UPDATE xero.invoice_line_items SET description = ''x'', invoice_status = ''PAID''
		WHERE description = ''Saved''') AS error;
SELECT * FROM cost;
SELECT description, quantity = (:'line'::jsonb ->> 'quantity')::numeric AS same
	FROM xero.invoice_line_items WHERE description = 'Saved';

-- 5. What stays does not go along: Xero would refuse it, or compute by it
SELECT to_jsonb(l) AS line FROM xero.invoice_line_items AS l
	WHERE description = 'Saved' \gset
SELECT to_jsonb(i) AS paid FROM xero.invoices AS i
	WHERE status = 'PAID' AND type = 'ACCPAY' ORDER BY invoice_number LIMIT 1 \gset
SELECT to_jsonb(i) AS discounted FROM xero.invoices AS i WHERE status = 'DRAFT'
	AND line_items @> '[{"DiscountEnteredAsPercent": true}]' ORDER BY invoice_number LIMIT 1 \gset
SELECT FROM cost;
SELECT * FROM error_of(pg_temp.save('xero.invoice_line_items', :'line', 'line_item_id',
	jsonb_build_object('quantity', (:'line'::jsonb ->> 'quantity')::numeric + 1))
	|| ' AND invoice_id = ' || quote_literal(:'invoice'::jsonb ->> 'invoice_id'));
SELECT * FROM error_of(
	pg_temp.save('xero.invoices', :'paid', 'invoice_id', '{"reference": "Saved paid"}'));
SELECT * FROM error_of(
	pg_temp.save('xero.invoices', :'discounted', 'invoice_id', '{"reference": "Saved discount"}'));
SELECT * FROM cost;
SELECT quantity - (:'line'::jsonb ->> 'quantity')::numeric AS more,
	line_amount <> (:'line'::jsonb ->> 'line_amount')::numeric AS computed
	FROM xero.invoice_line_items WHERE description = 'Saved';
SELECT key FROM jsonb_each((SELECT to_jsonb(i) FROM xero.invoices AS i WHERE reference = 'Saved paid'))
	AS now JOIN jsonb_each(:'paid') AS before USING (key)
	WHERE now.value <> before.value AND key NOT LIKE 'updated_date%';
SELECT count(*) FROM xero.invoices WHERE reference = 'Saved discount';
-- texts are the same by their bytes
CREATE SCHEMA folded;
CREATE COLLATION folded.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts) FROM SERVER xero INTO folded;
ALTER FOREIGN TABLE folded.contacts ALTER first_name TYPE text COLLATE folded.any_case;
UPDATE folded.contacts SET first_name = 'SAVED', last_name = 'x' WHERE first_name = 'Saved'
	RETURNING first_name, last_name;
DROP FOREIGN TABLE folded.contacts;
DROP SCHEMA folded CASCADE;

\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
