-- Every object that can be written: created, read back, changed, ended; and
-- what Xero refuses.
CALL needs_00_setup();
\set VERBOSITY terse
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
\pset format unaligned
\pset tuples_only on
INSERT INTO xero.contacts (name, email_address, addresses)
	VALUES ('Fresh one', 'fresh@example.com', '[{"AddressType":"STREET","City":"Perth"}]')
	RETURNING name, contact_status, tenant_id, addresses->0->>'City';
UPDATE xero.contacts SET first_name = 'F', account_number = NULL WHERE name = 'Fresh one'
	RETURNING first_name, account_number, addresses->0->>'City';
UPDATE xero.contacts SET contact_status = 'ARCHIVED' WHERE name = 'Fresh one';
UPDATE xero.contacts SET contact_status = 'ACTIVE' WHERE name = 'Fresh one'
	RETURNING contact_status;
INSERT INTO xero.contacts (name) VALUES ('Fresh two');
DELETE FROM xero.contacts WHERE name = 'Fresh two' RETURNING name, contact_status;
SELECT contact_status FROM xero.contacts WHERE name = 'Fresh two';
\set con '(select contact_id from xero.contacts where name = ''Fresh one'')'
SELECT * FROM calls();

-- 1. invoices, one and sixty; what is stored and what cannot be changed
INSERT INTO xero.invoices (type, contact_id, date, due_date, line_amount_types, invoice_number,
		reference, status, line_items)
	VALUES ('ACCREC', :con, '2026-03-01', '2026-03-31', 'Exclusive', 'W-1', 'first', 'AUTHORISED',
		'[{"Description":"Work","Quantity":"3","UnitAmount":12.3456,"AccountCode":"200"}]')
	RETURNING invoice_number, status, total, amount_due, line_items->0->'UnitAmount', date, due_date;
INSERT INTO xero.invoices (type, contact_id, date, invoice_number, line_items)
	SELECT 'ACCREC', :con, '2026-03-02', 'B-' || n, '[{"Description":"x"}]'
	FROM generate_series(1,60) n;
SELECT count(*), min(status) FROM xero.invoices WHERE invoice_number LIKE 'B-%';
UPDATE xero.invoices SET reference = 'new', due_date = '2026-04-30' WHERE invoice_number = 'W-1'
	RETURNING reference, due_date, total, jsonb_array_length(line_items);
UPDATE xero.invoices SET due_date = NULL WHERE invoice_number = 'W-1';
UPDATE xero.invoices SET status='AUTHORISED' WHERE invoice_number = 'B-1';
UPDATE xero.invoices SET contact_name='x' WHERE invoice_number = 'B-1';
SELECT * FROM calls();

-- 2. a payment is taken back, not changed; a paid invoice stays
INSERT INTO xero.payments (invoice_id, account_id, date, amount, reference)
	SELECT invoice_id,
		(SELECT account_id FROM xero.accounts
			WHERE type='BANK' AND status='ACTIVE' AND currency_code='AUD' ORDER BY name LIMIT 1),
		'2026-03-05', 10.01, 'pay'
	FROM xero.invoices WHERE invoice_number='W-1'
	RETURNING amount, status, payment_type;
SELECT amount_due, status FROM xero.invoices WHERE invoice_number = 'W-1';
DELETE FROM xero.invoices WHERE invoice_number = 'W-1';
DELETE FROM xero.payments WHERE reference='pay' AND status = 'AUTHORISED' RETURNING status;
DELETE FROM xero.payments WHERE reference='pay';
SELECT amount_due, status FROM xero.invoices WHERE invoice_number = 'W-1';
DELETE FROM xero.invoices WHERE invoice_number IN ('W-1','B-2');
SELECT invoice_number, status FROM xero.invoices WHERE invoice_number IN ('W-1','B-2') ORDER BY 1;
DELETE FROM xero.invoices WHERE invoice_number LIKE 'B-%' AND status='DRAFT';
SELECT status, count(*) FROM xero.invoices WHERE invoice_number LIKE 'B-%' GROUP BY 1;
SELECT * FROM calls();

-- 3. a batch payment
INSERT INTO xero.invoices (type, contact_id, date, due_date, invoice_number, status, line_items)
	VALUES ('ACCREC', :con, '2026-03-01', '2026-03-31', 'W-2', 'AUTHORISED',
		'[{"Description":"Work","Quantity":1,"UnitAmount":100,"AccountCode":"200"}]');
INSERT INTO xero.batch_payments (account_id, date, payments, reference)
	SELECT (SELECT account_id FROM xero.accounts
			WHERE type='BANK' AND status='ACTIVE' AND currency_code='AUD' ORDER BY name LIMIT 1),
		'2026-03-06',
		jsonb_build_array(jsonb_build_object(
			'Invoice', jsonb_build_object('InvoiceID', invoice_id),
			'Amount', 5)),
		'bp'
	FROM xero.invoices WHERE invoice_number='W-2'
	RETURNING status, total_amount;
DELETE FROM xero.batch_payments WHERE reference='bp' RETURNING status;
SELECT status FROM xero.batch_payments WHERE reference='bp';
SELECT * FROM calls();

-- 4. a credit note is authorised, then voided
INSERT INTO xero.credit_notes (type, contact_id, date, credit_note_number, line_items)
	VALUES ('ACCRECCREDIT', :con, '2026-03-01', 'CN-W',
		'[{"Description":"Back","Quantity":1,"UnitAmount":7,"AccountCode":"200"}]')
	RETURNING status,total;
UPDATE xero.credit_notes SET status='AUTHORISED', reference='r' WHERE credit_note_number='CN-W';
DELETE FROM xero.credit_notes WHERE credit_note_number='CN-W' RETURNING status;
SELECT status, reference FROM xero.credit_notes WHERE credit_note_number='CN-W';
SELECT * FROM calls();

-- 5. an account is archived, restored, deleted; system accounts are not
INSERT INTO xero.accounts (code, name, type)
	VALUES ('WX1','Write test','EXPENSE') RETURNING code, status, class;
UPDATE xero.accounts SET description='d' WHERE code='WX1' RETURNING description;
UPDATE xero.accounts SET status='ARCHIVED' WHERE code='WX1';
SELECT status FROM xero.accounts WHERE code='WX1';
UPDATE xero.accounts SET status='ACTIVE' WHERE code='WX1';
DELETE FROM xero.accounts WHERE code='WX1' RETURNING code;
SELECT count(*) FROM xero.accounts WHERE code='WX1';
DELETE FROM xero.accounts WHERE code='200';
INSERT INTO xero.accounts (name, type) VALUES ('nocode','EXPENSE');
SELECT * FROM calls();

-- 6. items, in one request; a code that is taken
INSERT INTO xero.items (code, name, sales_details)
	SELECT 'IT'||n, 'Item '||n, '{"UnitPrice": 1.2345}' FROM generate_series(1,3) n;
UPDATE xero.items SET name = name || '!' WHERE code IN ('IT1','IT2');
SELECT code,name,sales_details FROM xero.items WHERE code LIKE 'IT_' ORDER BY 1;
DELETE FROM xero.items WHERE code IN ('IT1','IT2') RETURNING code;
INSERT INTO xero.items (code) VALUES ('IT3');
SELECT * FROM calls();

-- 7. bank transactions, and one that Xero refuses
INSERT INTO xero.bank_transactions (type, contact_id, bank_account_id, date, reference, line_items)
	SELECT 'SPEND', :con,
		(SELECT account_id FROM xero.accounts
			WHERE type='BANK' AND status='ACTIVE' AND currency_code='AUD' ORDER BY name LIMIT 1),
		'2026-03-03', 'bt'||n,
		'[{"Description":"Tea","Quantity":1,"UnitAmount":4.5,"AccountCode":"429"}]'
	FROM generate_series(1,2) n;
UPDATE xero.bank_transactions SET reference='bt2x' WHERE reference='bt2';
DELETE FROM xero.bank_transactions WHERE reference IN ('bt1','bt2x');
SELECT reference,status,total
	FROM xero.bank_transactions WHERE reference IN ('bt1','bt2x') ORDER BY 1;
INSERT INTO xero.bank_transactions (type, contact_id, date, line_items)
	VALUES ('SPEND', gen_random_uuid(), now(), '[]');
SELECT * FROM calls();

-- 8. a bank transfer is deleted, not changed
INSERT INTO xero.bank_transfers (from_bank_account_id, to_bank_account_id, amount, date)
	SELECT (array_agg(account_id ORDER BY name))[1], (array_agg(account_id ORDER BY name))[2],
		12.34, '2026-03-03'
	FROM xero.accounts WHERE type='BANK' AND status='ACTIVE'
	RETURNING amount;
DELETE FROM xero.bank_transfers WHERE amount=12.34 AND status='AUTHORISED' RETURNING status;
SELECT * FROM calls();

-- 9. a manual journal is posted, then voided
INSERT INTO xero.manual_journals (narration, date, journal_lines)
	VALUES ('mj', '2026-03-03',
		'[{"LineAmount":10,"AccountCode":"200"},{"LineAmount":-10,"AccountCode":"429"}]')
	RETURNING status, narration;
UPDATE xero.manual_journals SET status='POSTED' WHERE narration='mj';
DELETE FROM xero.manual_journals WHERE narration='mj';
SELECT status FROM xero.manual_journals WHERE narration='mj';
SELECT * FROM calls();

-- 10. a purchase order
INSERT INTO xero.purchase_orders (contact_id, date, purchase_order_number, line_items)
	VALUES (:con, '2026-03-03','PO-W',
		'[{"Description":"Desk","Quantity":1,"UnitAmount":100.1234,"AccountCode":"429"}]')
	RETURNING status,total;
UPDATE xero.purchase_orders SET delivery_instructions='ring' WHERE purchase_order_number='PO-W'
	RETURNING delivery_instructions;
DELETE FROM xero.purchase_orders WHERE purchase_order_number='PO-W';
SELECT status FROM xero.purchase_orders WHERE purchase_order_number='PO-W';
SELECT * FROM calls();

-- 11. a quote: an update carries what Xero wants with it
INSERT INTO xero.quotes (contact_id, date, quote_number, line_items)
	VALUES (:con, '2026-03-03','QU-W',
		'[{"Description":"Desk","Quantity":1,"UnitAmount":100.1234,"AccountCode":"200"}]')
	RETURNING status,total;
UPDATE xero.quotes SET title='T' WHERE quote_number='QU-W' RETURNING title;
UPDATE xero.quotes SET terms='T2' WHERE quote_number='QU-W';
DELETE FROM xero.quotes WHERE quote_number='QU-W';
SELECT status,title,terms FROM xero.quotes WHERE quote_number='QU-W';
SELECT * FROM calls();

-- 12. a template of repeating invoices
INSERT INTO xero.repeating_invoices (type, contact_id, reference, schedule, line_items)
	VALUES ('ACCREC', :con, 'rep-w',
		'{"Period":1,"Unit":"MONTHLY","DueDate":10,"DueDateType":"OFFOLLOWINGMONTH",
		"StartDate":"2026-04-01"}',
		'[{"Description":"Desk","Quantity":1,"UnitAmount":100,"AccountCode":"200"}]')
	RETURNING status;
DELETE FROM xero.repeating_invoices WHERE reference='rep-w';
SELECT status FROM xero.repeating_invoices WHERE reference='rep-w';
SELECT * FROM calls();

-- 13. a contact group
INSERT INTO xero.contact_groups (name) VALUES ('G-W') RETURNING status;
UPDATE xero.contact_groups SET name='G-W2' WHERE name='G-W' RETURNING name;
DELETE FROM xero.contact_groups WHERE name='G-W2' RETURNING name;
SELECT * FROM calls();

-- 14. tracking categories; those in use stay
DELETE FROM xero.tracking_categories;
INSERT INTO xero.tracking_categories (name) VALUES ('T-W') RETURNING status;
UPDATE xero.tracking_categories SET name='T-W2' WHERE name='T-W' RETURNING name;
DELETE FROM xero.tracking_categories WHERE name='T-W2';
SELECT * FROM calls();

-- 15. tax rates
INSERT INTO xero.tax_rates (name, tax_components, report_tax_type)
	VALUES ('TR-W','[{"Name":"C","Rate":5}]', 'OUTPUT') RETURNING tax_type, status, effective_rate;
UPDATE xero.tax_rates SET name='TR-W2' WHERE name='TR-W' RETURNING name;
DELETE FROM xero.tax_rates WHERE name='TR-W2';
SELECT name,status FROM xero.tax_rates WHERE name LIKE 'TR-W%';
SELECT * FROM calls();

-- 16. a currency is added, nothing more
INSERT INTO xero.currencies (code) VALUES ('CHF') RETURNING code, description;
INSERT INTO xero.currencies (code) VALUES ('CHF');
SELECT * FROM calls();

-- 17. receipts and expense claims
INSERT INTO xero.receipt_details (date, contact_id, user_id, line_items, reference)
	SELECT '2026-03-03', :con, (SELECT user_id FROM xero.users LIMIT 1),
		'[{"Description":"Taxi","Quantity":1,"UnitAmount":20,"AccountCode":"429"}]', 'rc'
	RETURNING status,total;
INSERT INTO xero.expense_claims (user_id, receipts)
	SELECT user_id, jsonb_build_array(jsonb_build_object('ReceiptID', receipt_id))
	FROM xero.receipts WHERE reference='rc'
	RETURNING status;
SELECT * FROM calls();

-- 18. a linked transaction
INSERT INTO xero.invoices (type, contact_id, date, due_date, invoice_number, status, line_items)
	VALUES ('ACCPAY', :con, '2026-03-01', '2026-03-31', 'BILL-W', 'AUTHORISED',
		'[{"Description":"Work","Quantity":1,"UnitAmount":100,"AccountCode":"429"}]');
INSERT INTO xero.linked_transactions (source_transaction_id, source_line_item_id, contact_id)
	SELECT invoice_id, (line_items->0->>'LineItemID')::uuid, contact_id
	FROM xero.invoices WHERE invoice_number='BILL-W' RETURNING status;
DELETE FROM xero.linked_transactions
	WHERE source_transaction_id
		= (SELECT invoice_id FROM xero.invoices WHERE invoice_number='BILL-W')
	RETURNING status;
SELECT * FROM calls();

\pset format aligned
\pset tuples_only off
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
