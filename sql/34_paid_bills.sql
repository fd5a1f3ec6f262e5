-- What Xero lets one change of a bill that is paid (since March 2026), and what not.
CALL needs_00_setup();
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
SELECT invoice_id, contact_id, total FROM xero.invoices
	WHERE type = 'ACCPAY' AND status = 'PAID' AND date > '2024-01-01' ORDER BY invoice_id LIMIT 1 \gset
SELECT contact_id AS other FROM xero.contacts
	WHERE contact_status = 'ACTIVE' AND is_supplier AND contact_id <> :'contact_id' ORDER BY contact_id LIMIT 1 \gset
SELECT branding_theme_id FROM xero.branding_themes ORDER BY sort_order DESC LIMIT 1 \gset
UPDATE xero.invoices SET reference = 'after', due_date = '2026-12-24', invoice_number = 'B-77',
	branding_theme_id = :'branding_theme_id', contact_id = :'other', url = 'https://example.com/77',
	planned_payment_date = '2026-12-20'
WHERE invoice_id = :'invoice_id';
SELECT status, reference, due_date, invoice_number, branding_theme_id = :'branding_theme_id' AS theme,
	contact_id = :'other' AS contact, url, planned_payment_date, total = :total AS same_total, amount_due
FROM xero.invoices WHERE invoice_id = :'invoice_id';
UPDATE xero.invoice_line_items SET description = 'Rent', account_code = '429', tracking = '[]' WHERE invoice_id = :'invoice_id';
SELECT DISTINCT description, account_code, tracking, document_number FROM xero.invoice_line_items WHERE invoice_id = :'invoice_id';
SELECT total = :total AS same_total, status FROM xero.invoices WHERE invoice_id = :'invoice_id';
SELECT error_of(format('UPDATE xero.invoice_line_items SET quantity = quantity + 1 WHERE invoice_id = %L', :'invoice_id'));
SELECT error_of(format('UPDATE xero.invoices SET date = ''2026-01-01'' WHERE invoice_id = %L', :'invoice_id'));
\! "$PG_ABS_SRCDIR"/test/sandbox-control reset
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
