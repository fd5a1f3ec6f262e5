-- The local tables of "script/bench --calls": some invoices and contacts, as many as
-- the name says, and the same in each run.
SET client_min_messages = warning;

SELECT format('CREATE TABLE ids%s AS
               SELECT invoice_id, contact_id, invoice_number FROM xero.invoices
               WHERE type = ''ACCREC'' ORDER BY md5(invoice_id::text) LIMIT %1$s', n),
       format('CREATE TABLE cids%s AS
               SELECT contact_id, name, email_address FROM xero.contacts
               WHERE email_address <> '''' ORDER BY md5(contact_id::text) LIMIT %1$s', n)
FROM unnest('{1, 20, 200, 2000}'::integer[]) AS n \gexec

-- What is to be written.
CREATE TABLE wi AS
SELECT invoice_id, 'Ref ' || invoice_number AS reference FROM xero.invoices
WHERE type = 'ACCREC' AND status = 'AUTHORISED' ORDER BY md5(invoice_id::text) LIMIT 200;
CREATE TABLE wk AS
SELECT contact_id, 'A' || row_number() OVER () AS account_number FROM cids200;

-- A copy that lacks what was changed of late.
CREATE TABLE li AS
SELECT invoice_id, total, updated_date_utc FROM xero.invoices
ORDER BY updated_date_utc LIMIT 19800;

ANALYZE;
