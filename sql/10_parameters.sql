-- Values that are known at run time only: prepared statements, their generic
-- plans, subqueries, functions' arguments.
CALL needs_00_setup();
SET TimeZone = 'UTC';
SET plan_cache_mode = 'force_generic_plan';

PREPARE by_key(uuid) AS SELECT status, total FROM xero.invoices WHERE invoice_id = $1;
EXPLAIN (COSTS OFF) EXECUTE by_key('5d4c0bad-f188-4b5b-988a-2f9aa300e3b6');
EXECUTE by_key('5d4c0bad-f188-4b5b-988a-2f9aa300e3b6');
EXECUTE by_key('00000000-0000-0000-0000-000000000001');
EXECUTE by_key(NULL);
SELECT * FROM calls();

PREPARE by_keys(uuid[]) AS SELECT count(total::text) FROM xero.invoices WHERE invoice_id = ANY ($1);
EXPLAIN (COSTS OFF) EXECUTE by_keys('{}');
EXECUTE by_keys('{5d4c0bad-f188-4b5b-988a-2f9aa300e3b6}');
EXECUTE by_keys('{5d4c0bad-f188-4b5b-988a-2f9aa300e3b6,00000000-0000-0000-0000-000000000001}');
EXECUTE by_keys('{5d4c0bad-f188-4b5b-988a-2f9aa300e3b6,NULL,5d4c0bad-f188-4b5b-988a-2f9aa300e3b6}');
EXECUTE by_keys('{NULL}');
EXECUTE by_keys('{}');
EXECUTE by_keys(NULL);
SELECT * FROM calls();

-- Text that where= cannot carry is checked here, whatever the plan promised.
PREPARE by_text(text) AS SELECT contact_id IS NOT NULL AS found, name
	FROM xero.contacts WHERE name = $1;
EXPLAIN (COSTS OFF) EXECUTE by_text('x');
EXECUTE by_text('O''Brien & Sons');
EXECUTE by_text('o''brien & sons');
EXECUTE by_text('The "Quoted" Company');
EXECUTE by_text('');
EXECUTE by_text(NULL);
SELECT * FROM calls();
PREPARE by_pattern(text) AS SELECT count(*) FROM xero.contacts WHERE name LIKE $1;
EXPLAIN (COSTS OFF) EXECUTE by_pattern('x');
EXECUTE by_pattern('Boutique%');
EXECUTE by_pattern('%Café%');
EXECUTE by_pattern('The "%');
EXECUTE by_pattern('%');
EXECUTE by_pattern(NULL);
EXECUTE by_pattern('ends with \');
SELECT * FROM calls();

-- An enum's value may be in another spelling at run time.
PREPARE by_status(text) AS SELECT count(*) FROM xero.invoices WHERE status = $1 AND type = 'ACCREC';
EXPLAIN (COSTS OFF) EXECUTE by_status('PAID');
EXECUTE by_status('PAID');
EXECUTE by_status('paid');
EXECUTE by_status('NO SUCH');
SELECT * FROM calls();
PREPARE not_status(text) AS SELECT count(*) FROM xero.invoices WHERE status <> $1;
EXECUTE not_status('PAID');
EXECUTE not_status('paid');
SELECT * FROM calls();

-- numbers, dates, times
PREPARE over(numeric, date, timestamptz) AS SELECT count(*)
	FROM xero.invoices WHERE total > $1 AND due_date <= $2 AND updated_date_utc >= $3;
EXPLAIN (COSTS OFF) EXECUTE over(1, 'today', 'now');
EXECUTE over(1000, '2025-12-31', '2025-01-01');
EXECUTE over('NaN', '2025-12-31', '2025-01-01');
EXECUTE over(1000, 'infinity', '-infinity');
EXECUTE over(1000, '-infinity', '2025-01-01');
EXECUTE over(1000, NULL, '2025-01-01');
SELECT * FROM calls();
SELECT count(*) FROM xero.invoices
	WHERE total > 1000 AND due_date <= '2025-12-31' AND updated_date_utc >= '2025-01-01';
SELECT count(*) FROM xero.invoices WHERE total > 1000;
SELECT FROM calls();

-- The parameters of a custom plan are constants.
SET plan_cache_mode = 'force_custom_plan';
EXPLAIN (COSTS OFF) EXECUTE by_status('PAID');
EXPLAIN (COSTS OFF) EXECUTE by_status('paid');
EXPLAIN (COSTS OFF) EXECUTE by_keys('{5d4c0bad-f188-4b5b-988a-2f9aa300e3b6}');
RESET plan_cache_mode;

-- functions' arguments, stable functions, and subqueries that give one value
CREATE FUNCTION invoices_of(contact uuid, since date) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(*) FROM xero.invoices WHERE contact_id = contact AND date >= since);
END $$;
SELECT invoices_of('6a08dbd4-9068-41bb-8686-e1c28bd37fdb', '2020-01-01') > 0 AS any,
	invoices_of('6a08dbd4-9068-41bb-8686-e1c28bd37fdb', 'infinity') AS none,
	invoices_of(NULL, '2020-01-01') AS of_nobody;
SELECT * FROM calls();
EXPLAIN (COSTS OFF) SELECT invoice_id FROM xero.invoices WHERE due_date < current_date;
EXPLAIN (COSTS OFF) SELECT invoice_id
	FROM xero.invoices WHERE due_date < (now() - interval '1 day')::date AND total > random();
SELECT count(total::text) > 0 AS any FROM xero.invoices
	WHERE contact_id
	= (SELECT contact_id FROM xero.contacts WHERE name = 'Boutique Property Management 00080');
SELECT * FROM calls();
SELECT total FROM xero.invoices
	WHERE contact_id = (SELECT contact_id FROM xero.contacts WHERE name = 'Nobody');
SELECT * FROM calls();
DEALLOCATE ALL;
DROP FUNCTION invoices_of;
