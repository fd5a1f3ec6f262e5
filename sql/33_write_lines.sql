-- Child tables: lines that are written with their record, and parts of one
-- that have requests of their own.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
-- calls() without what every request has: identifiers are N, and calls that are
-- the same but for these are counted.
CREATE FUNCTION brief_calls() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT call || CASE WHEN count(*) > 1 THEN ' x ' || count(*) ELSE '' END
	FROM (SELECT call, n, n - row_number() OVER (PARTITION BY call ORDER BY n) AS run
		FROM (SELECT n, regexp_replace(regexp_replace(c, '[0-9a-f]{8}-[0-9a-f-]{27}', 'N', 'g'),
				'(&|\?)(order=[A-Za-z]+|includeArchived=true|unitdp=4|page=1|pageSize=\d+'
				'|summaryOnly=true|summarizeErrors=false)(?=&|$| )', '', 'g') AS call
			FROM calls() WITH ORDINALITY AS c (c, n)) AS each) AS runs
	GROUP BY call, run ORDER BY min(n)
$$;
\pset format unaligned
\pset tuples_only on
EXPLAIN (COSTS OFF) INSERT INTO xero.invoice_line_items (description) VALUES ('x');
EXPLAIN (COSTS OFF) UPDATE xero.quote_line_items SET description = 'x';
EXPLAIN (COSTS OFF) INSERT INTO xero.credit_note_allocations (amount) VALUES (1);
EXPLAIN (COSTS OFF) DELETE FROM xero.credit_note_allocations;
EXPLAIN (COSTS OFF) UPDATE xero.tracking_category_options SET name = 'x';
EXPLAIN (COSTS OFF) INSERT INTO xero.contact_group_contacts (name) VALUES ('x');
EXPLAIN (COSTS OFF) DELETE FROM xero.contact_contact_persons RETURNING first_name;

-- 1. lines of an invoice, new ones with the record's others
INSERT INTO xero.contacts (name) VALUES ('Lines');
\set con '(SELECT contact_id FROM xero.contacts WHERE name = ''Lines'')'
SELECT account_id AS bank FROM xero.accounts
	WHERE type = 'BANK' AND status = 'ACTIVE' AND currency_code = 'AUD' ORDER BY name LIMIT 1 \gset
INSERT INTO xero.invoices (type, contact_id, date, due_date, invoice_number, line_items)
	VALUES ('ACCREC', :con, '2026-03-01', '2026-03-31', 'L-1',
		'[{"Description":"First","Quantity":1,"UnitAmount":10,"AccountCode":"200",
		"DiscountRate":10,"TaxAmount":0.5}]');
\set inv '(SELECT invoice_id FROM xero.invoices WHERE invoice_number = ''L-1'')'
INSERT INTO xero.invoice_line_items (invoice_id, description, quantity, unit_amount, account_code)
	SELECT :inv, 'New ' || n, n, 1.2345, '200' FROM generate_series(1, 3) AS n;
INSERT INTO xero.invoice_line_items (invoice_id, description, quantity, unit_amount, account_code)
	VALUES (:inv, 'Told', 2, 0.5555, '260')
	RETURNING line_item_id IS NOT NULL, invoice_id = :inv, tenant_id IS NOT NULL,
		line_amount, tax_type;
CREATE TEMP TABLE before AS
	SELECT line_item_id, description FROM xero.invoice_line_items WHERE invoice_id = :inv;
SELECT * FROM brief_calls();
-- 2. what Xero computes from what is set is computed anew, the rest stays
UPDATE xero.invoice_line_items SET quantity = 4 WHERE invoice_id = :inv AND description = 'First'
	RETURNING quantity, line_amount, discount_rate, discount_amount, tax_amount;
UPDATE xero.invoice_line_items SET tax_amount = 9 WHERE invoice_id = :inv AND description = 'New 3'
	RETURNING line_amount, tax_amount;
UPDATE xero.invoice_line_items SET description = description || '!'
	WHERE invoice_id = :inv AND description LIKE 'New%' RETURNING description, tax_amount;
UPDATE xero.invoice_line_items SET account_code = '260'
	WHERE invoice_id = :inv AND description = 'New 1!'
	RETURNING account_code, account_id = (SELECT account_id FROM xero.accounts WHERE code = '260');
UPDATE xero.invoice_line_items
	SET account_id = (SELECT account_id FROM xero.accounts WHERE code = '200')
	WHERE invoice_id = :inv AND description = 'New 1!'
	RETURNING account_code;
UPDATE xero.invoice_line_items SET discount_amount = 1
	WHERE invoice_id = :inv AND description = 'First'
	RETURNING discount_rate, discount_amount, line_amount;
UPDATE xero.invoice_line_items SET discount_rate = 25
	WHERE invoice_id = :inv AND description = 'First'
	RETURNING discount_rate, discount_amount, line_amount;
DELETE FROM xero.invoice_line_items WHERE invoice_id = :inv AND description = 'New 2!'
	RETURNING description;
SELECT * FROM brief_calls();
-- 3. lines keep their identifiers
SELECT l.description, b.description
	FROM xero.invoice_line_items AS l LEFT JOIN before AS b USING (line_item_id)
	WHERE invoice_id = :inv;
SELECT total, jsonb_array_length(line_items) FROM xero.invoices WHERE invoice_number = 'L-1';
SELECT * FROM brief_calls();
-- 4. refusals
SELECT * FROM error_of('INSERT INTO xero.invoice_line_items (description) VALUES (''x'')');
SELECT * FROM error_of('INSERT INTO xero.invoice_line_items (invoice_id, description)
	VALUES (''00000000-0000-0000-0000-000000000001'', ''x'')');
SELECT * FROM error_of('INSERT INTO xero.invoice_line_items (invoice_id, line_item_id)
	VALUES (gen_random_uuid(), gen_random_uuid())');
SELECT * FROM error_of('INSERT INTO xero.invoice_line_items
		(invoice_id, description, quantity, unit_amount, account_code)
	SELECT invoice_id, v.d, 1, 1, v.c
	FROM xero.invoices, (VALUES (''bad'', ''none''), (''good'', ''200'')) AS v (d, c)
	WHERE invoice_number = ''L-1''');
SELECT * FROM error_of('UPDATE xero.invoice_line_items SET invoice_id = gen_random_uuid()');
SELECT * FROM error_of('UPDATE xero.invoice_line_items SET item_name = ''x''');
SELECT * FROM error_of('UPDATE xero.invoice_line_items SET quantity = NULL
	WHERE description = ''Told''');
SELECT * FROM error_of('UPDATE xero.invoice_line_items SET quantity = ''NaN''
	WHERE description = ''Told''');
SELECT status, count(*) FROM xero.invoices AS i JOIN xero.invoice_line_items AS l USING (invoice_id)
	WHERE invoice_number = 'L-1' GROUP BY 1;
SET xero_fdw.on_row_error = log;
INSERT INTO xero.invoice_line_items (invoice_id, description, quantity, unit_amount, account_code)
	SELECT coalesce((SELECT invoice_id FROM xero.invoices WHERE invoice_number = number),
		'00000000-0000-0000-0000-000000000001'),
		'Logged', 1, 1, '200'
	FROM (VALUES ('L-1'), ('none')) AS v (number);
SELECT table_name, operation, key, sqlstate, message, "values"
	FROM xero_fdw.write_errors WHERE table_name = 'invoice_line_items';
RESET xero_fdw.on_row_error;
SELECT * FROM brief_calls();
-- 5. a table with few columns, and a column of one's own; the other members stay
CREATE FOREIGN TABLE own_lines (
	invoice_id uuid OPTIONS (field '../InvoiceID'),
	line_item_id uuid OPTIONS (field 'LineItemID'),
	label text OPTIONS (field 'Description'),
	sort text OPTIONS (field 'Item.Code')
) SERVER xero OPTIONS (object 'accounting/Invoices/LineItems');
UPDATE own_lines SET label = 'Own' WHERE invoice_id = :inv AND label = 'Told' RETURNING label, sort;
SELECT description, quantity, unit_amount, account_code
	FROM xero.invoice_line_items WHERE invoice_id = :inv AND description = 'Own';
CREATE FOREIGN TABLE no_parent (
	line_item_id uuid OPTIONS (field 'LineItemID'),
	description text OPTIONS (field 'Description')
) SERVER xero OPTIONS (object 'accounting/Invoices/LineItems');
SELECT * FROM error_of('INSERT INTO no_parent (description) VALUES (''x'')');
SELECT * FROM error_of('DELETE FROM no_parent');
DROP FOREIGN TABLE own_lines, no_parent;
SELECT * FROM brief_calls();

-- 6. lines of the other documents
INSERT INTO xero.quotes (contact_id, date, quote_number, line_items)
	VALUES (:con, '2026-03-03', 'L-Q',
		'[{"Description":"First","Quantity":1,"UnitAmount":1,"AccountCode":"200"}]');
\set q '(SELECT quote_id FROM xero.quotes WHERE quote_number = ''L-Q'')'
INSERT INTO xero.quote_line_items (quote_id, description, quantity, unit_amount, account_code)
	VALUES (:q, 'Added', 2, 3.3333, '200') RETURNING line_amount;
UPDATE xero.quote_line_items SET unit_amount = 1 WHERE quote_id = :q AND description = 'Added'
	RETURNING line_amount;
DELETE FROM xero.quote_line_items WHERE quote_id = :q AND description = 'First';
SELECT description, unit_amount FROM xero.quote_line_items WHERE quote_id = :q;
INSERT INTO xero.purchase_orders (contact_id, date, purchase_order_number, line_items)
	VALUES (:con, '2026-03-03', 'L-P',
		'[{"Description":"First","Quantity":1,"UnitAmount":1,"AccountCode":"429"}]');
\set q '(SELECT purchase_order_id FROM xero.purchase_orders WHERE purchase_order_number = ''L-P'')'
INSERT INTO xero.purchase_order_line_items
		(purchase_order_id, description, quantity, unit_amount, account_code)
	VALUES (:q, 'Added', 2, 3.3333, '429')
	RETURNING line_amount;
UPDATE xero.purchase_order_line_items SET unit_amount = 1
	WHERE purchase_order_id = :q AND description = 'Added' RETURNING line_amount;
DELETE FROM xero.purchase_order_line_items WHERE purchase_order_id = :q AND description = 'First';
SELECT description, unit_amount FROM xero.purchase_order_line_items WHERE purchase_order_id = :q;
INSERT INTO xero.bank_transactions (type, contact_id, bank_account_id, date, reference, line_items)
	VALUES ('SPEND', :con, :'bank', '2026-03-03', 'L-B',
		'[{"Description":"First","Quantity":1,"UnitAmount":1,"AccountCode":"429"}]');
\set q '(SELECT bank_transaction_id FROM xero.bank_transactions WHERE reference = ''L-B'')'
INSERT INTO xero.bank_transaction_line_items
		(bank_transaction_id, description, quantity, unit_amount, account_code)
	VALUES (:q, 'Added', 2, 3.3333, '429')
	RETURNING line_amount;
UPDATE xero.bank_transaction_line_items SET unit_amount = 1.2345
	WHERE bank_transaction_id = :q AND description = 'Added' RETURNING line_amount;
DELETE FROM xero.bank_transaction_line_items
	WHERE bank_transaction_id = :q AND description = 'First';
SELECT description, unit_amount
	FROM xero.bank_transaction_line_items WHERE bank_transaction_id = :q;
INSERT INTO xero.credit_notes (type, contact_id, date, due_date, credit_note_number, line_items)
	VALUES ('ACCRECCREDIT', :con, '2026-03-03', '2026-03-31', 'L-C',
		'[{"Description":"First","Quantity":1,"UnitAmount":1,"AccountCode":"200"}]');
\set q '(SELECT credit_note_id FROM xero.credit_notes WHERE credit_note_number = ''L-C'')'
INSERT INTO xero.credit_note_line_items
		(credit_note_id, description, quantity, unit_amount, account_code)
	VALUES (:q, 'Added', 2, 3.3333, '200')
	RETURNING line_amount;
UPDATE xero.credit_note_line_items SET unit_amount = 10
	WHERE credit_note_id = :q AND description = 'Added' RETURNING line_amount;
DELETE FROM xero.credit_note_line_items WHERE credit_note_id = :q AND description = 'First';
SELECT description, unit_amount FROM xero.credit_note_line_items WHERE credit_note_id = :q;
SELECT * FROM brief_calls();

-- 7. lines without identifiers: a manual journal's, a contact's persons
INSERT INTO xero.manual_journals (narration, date, journal_lines)
	VALUES ('L-M', '2026-03-03',
		'[{"LineAmount":10,"AccountCode":"200"},{"LineAmount":-10,"AccountCode":"429"}]');
\set q '(SELECT manual_journal_id FROM xero.manual_journals WHERE narration = ''L-M'')'
INSERT INTO xero.manual_journal_journal_lines
		(manual_journal_id, line_amount, account_code, description)
	SELECT :q, n, '200', 'equal' FROM (VALUES (5), (5), (-10)) AS v (n);
SELECT * FROM error_of('INSERT INTO xero.manual_journal_journal_lines
		(manual_journal_id, description)
	VALUES (gen_random_uuid(), ''x'')');
SELECT * FROM error_of('DELETE FROM xero.manual_journal_journal_lines
	WHERE description = ''equal'' AND line_amount = -10');
UPDATE xero.manual_journal_journal_lines
	SET line_amount = line_amount * 2, description = coalesce(description, '') || 'z'
	WHERE manual_journal_id = :q AND description = 'equal';
UPDATE xero.manual_journal_journal_lines SET description = 'told'
	WHERE manual_journal_id = :q AND account_code = '429' RETURNING line_amount, description;
SELECT line_amount, account_code, description
	FROM xero.manual_journal_journal_lines WHERE manual_journal_id = :q;
DELETE FROM xero.manual_journal_journal_lines
	WHERE manual_journal_id = :q AND description = 'equalz';
SELECT line_amount, account_code, description
	FROM xero.manual_journal_journal_lines WHERE manual_journal_id = :q;
INSERT INTO xero.contact_contact_persons (contact_id, first_name, email_address, include_in_emails)
	VALUES (:con, 'A', 'a@example.com', true), (:con, 'B', NULL, false);
UPDATE xero.contact_contact_persons SET last_name = first_name || '!' WHERE contact_id = :con
	RETURNING first_name, last_name, include_in_emails;
DELETE FROM xero.contact_contact_persons WHERE contact_id = :con AND first_name = 'A';
DELETE FROM xero.contact_contact_persons WHERE contact_id = :con
	RETURNING first_name, email_address;
SELECT count(*) FROM xero.contact_contact_persons WHERE contact_id = :con;
SELECT * FROM brief_calls();

-- 8. allocations
UPDATE xero.invoices SET status = 'AUTHORISED' WHERE invoice_number = 'L-1';
UPDATE xero.credit_notes SET status = 'AUTHORISED' WHERE credit_note_number = 'L-C';
\set cn '(SELECT credit_note_id FROM xero.credit_notes WHERE credit_note_number = ''L-C'')'
INSERT INTO xero.credit_note_allocations (credit_note_id, invoice_id, amount, date)
	VALUES (:cn, :inv, 2.5, '2026-03-05'), (:cn, :inv, 1.5, '2026-03-05');
INSERT INTO xero.credit_note_allocations (credit_note_id, invoice_number, amount, date)
	VALUES (:cn, 'L-1', 1, '2026-03-06')
	RETURNING allocation_id IS NOT NULL, credit_note_id = :cn, invoice_id = :inv, amount, date;
SELECT amount, date FROM xero.credit_note_allocations WHERE credit_note_id = :cn;
SELECT remaining_credit FROM xero.credit_notes WHERE credit_note_number = 'L-C';
DELETE FROM xero.credit_note_allocations WHERE credit_note_id = :cn AND amount = 1 RETURNING amount;
DELETE FROM xero.credit_note_allocations WHERE credit_note_id = :cn AND amount > 1;
SELECT remaining_credit FROM xero.credit_notes WHERE credit_note_number = 'L-C';
SELECT * FROM error_of('INSERT INTO xero.credit_note_allocations (credit_note_id)
	VALUES (gen_random_uuid())');
SELECT * FROM error_of('INSERT INTO xero.credit_note_allocations
		(credit_note_id, invoice_id, amount, date)
	VALUES (''00000000-0000-0000-0000-000000000001'', ''00000000-0000-0000-0000-000000000002'',
		1, ''2026-03-06'')');
SELECT * FROM error_of('INSERT INTO xero.credit_note_allocations
		(credit_note_id, invoice_number, amount, date)
	SELECT credit_note_id, ''L-1'', 1000, ''2026-03-06''
	FROM xero.credit_notes WHERE credit_note_number = ''L-C''');
SELECT * FROM error_of('UPDATE xero.credit_note_allocations SET amount = 1');
INSERT INTO xero.bank_transactions (type, contact_id, bank_account_id, date, reference, line_items)
	VALUES ('RECEIVE-PREPAYMENT', :con, :'bank', '2026-03-03', 'L-PRE',
		'[{"Description":"Ahead","Quantity":1,"UnitAmount":5,"AccountCode":"200"}]'),
	('RECEIVE-OVERPAYMENT', :con, :'bank', '2026-03-03', 'L-OVER',
		'[{"Description":"Too much","Quantity":1,"UnitAmount":5,"AccountCode":"610"}]');
INSERT INTO xero.prepayment_allocations (prepayment_id, invoice_id, amount, date)
	SELECT prepayment_id, :inv, 1.25, '2026-03-05'
	FROM xero.bank_transactions WHERE reference = 'L-PRE'
	RETURNING amount;
DELETE FROM xero.prepayment_allocations
	WHERE prepayment_id
		= (SELECT prepayment_id FROM xero.bank_transactions WHERE reference = 'L-PRE')
	RETURNING amount;
INSERT INTO xero.overpayment_allocations (overpayment_id, invoice_id, amount, date)
	SELECT overpayment_id, :inv, 1.25, '2026-03-05'
	FROM xero.bank_transactions WHERE reference = 'L-OVER'
	RETURNING amount;
DELETE FROM xero.overpayment_allocations
	WHERE overpayment_id
		= (SELECT overpayment_id FROM xero.bank_transactions WHERE reference = 'L-OVER')
	RETURNING amount;
SELECT * FROM brief_calls();

-- 9. options
INSERT INTO xero.tracking_category_options (tracking_category_id, name)
	SELECT tracking_category_id, 'L-O' FROM xero.tracking_categories
	WHERE status = 'ACTIVE' ORDER BY name LIMIT 1
	RETURNING name, status, tracking_category_id IS NOT NULL, tracking_option_id IS NOT NULL;
UPDATE xero.tracking_category_options SET name = 'L-O2' WHERE name = 'L-O'
	RETURNING name, tracking_category_id IS NOT NULL;
UPDATE xero.tracking_category_options SET status = 'ARCHIVED' WHERE name = 'L-O2';
DELETE FROM xero.tracking_category_options WHERE name = 'L-O2' RETURNING name, status;
SELECT * FROM error_of('INSERT INTO xero.tracking_category_options (tracking_category_id, name)
	VALUES (''00000000-0000-0000-0000-000000000001'', ''x'')');
SELECT * FROM brief_calls();

-- 10. members of a group; a list of groups has none, so each group is asked for
INSERT INTO xero.contact_groups (name) VALUES ('L-G');
\set g '(SELECT contact_group_id FROM xero.contact_groups WHERE name = ''L-G'')'
INSERT INTO xero.contact_group_contacts (contact_group_id, contact_id)
	SELECT :g, contact_id FROM xero.contacts WHERE contact_status = 'ACTIVE' AND name < 'F';
INSERT INTO xero.contact_group_contacts (contact_group_id, contact_id)
	VALUES (:g, :con) RETURNING name, contact_id = :con, contact_group_id = :g;
SELECT * FROM error_of('INSERT INTO xero.contact_group_contacts (contact_group_id, contact_id)
	SELECT contact_group_id,
		CASE n WHEN 3 THEN ''00000000-0000-0000-0000-000000000001'' ELSE contact_id END
	FROM (SELECT contact_group_id, contact_id, row_number() OVER (ORDER BY contacts.name) AS n
		FROM xero.contact_groups, xero.contacts
		WHERE contact_groups.name = ''L-G''
			AND contacts.name IN (''1e10'', ''ACME HOLDINGS'', ''Lines'')) AS s');
SELECT g.name, count(*), count(DISTINCT m.contact_id), min(m.name)
	FROM xero.contact_groups AS g JOIN xero.contact_group_contacts AS m USING (contact_group_id)
	GROUP BY 1 ORDER BY 1;
SELECT * FROM brief_calls();
\! "$PG_ABS_SRCDIR/test/sandbox-control" calls >/dev/null
SELECT count(*) FROM xero.contact_group_contacts;
\! "$PG_ABS_SRCDIR/test/sandbox-control" calls | sed 's/[0-9a-f-]\{36\}/.../'
SELECT count(*) FROM xero.contact_group_contacts
	WHERE contact_group_id = (SELECT contact_group_id FROM xero.contact_groups WHERE name = 'L-G');
\! "$PG_ABS_SRCDIR/test/sandbox-control" calls | sed 's/[0-9a-f-]\{36\}/.../'
DELETE FROM xero.contact_group_contacts WHERE contact_group_id = :g AND contact_id = :con
	RETURNING name;
DELETE FROM xero.contact_group_contacts WHERE contact_group_id = :g;
SELECT count(*) FROM xero.contact_group_contacts WHERE contact_group_id = :g;
SELECT * FROM error_of('UPDATE xero.contact_group_contacts SET contact_id = gen_random_uuid()');
SELECT * FROM brief_calls();

-- 11. what Xero does not offer
SELECT * FROM error_of('INSERT INTO xero.contact_addresses (city) VALUES (''x'')');
SELECT * FROM error_of('DELETE FROM xero.contact_phones');
SELECT * FROM error_of('UPDATE xero.invoice_payments SET amount = 1');
SELECT * FROM error_of('UPDATE xero.journal_journal_lines SET description = ''x''');
SELECT * FROM error_of('DELETE FROM xero.tax_rate_tax_components');
DROP TABLE before;
DROP FUNCTION brief_calls;

\pset format aligned
\pset tuples_only off
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
