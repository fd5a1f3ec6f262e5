-- A page of 1,000 invoices as Xero prints it: 3 lines each, CRLF, indented.
\pset format unaligned
CREATE TABLE page AS
SELECT convert_to(replace(E'{\n  "Id": "e9b5a3b0-2f4e-4a0c-8b6e-0c8a4c1f5b11",\n  "Status": "OK",\n  "pagination": {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": 1000},\n  "Invoices": [\n    ' ||
	string_agg(jsonb_pretty(jsonb_build_object(
		'Type', 'ACCREC', 'InvoiceID', md5(n::text)::uuid, 'InvoiceNumber', 'INV-' || n, 'Reference', 'Ref ' || n,
		'Payments', '[]'::jsonb, 'CreditNotes', '[]'::jsonb, 'Prepayments', '[]'::jsonb, 'Overpayments', '[]'::jsonb,
		'AmountDue', 100.00 + n, 'AmountPaid', 0.00, 'AmountCredited', 0.00, 'CurrencyRate', 1.0000000000,
		'IsDiscounted', false, 'HasAttachments', false, 'HasErrors', false, 'InvoicePaymentServices', '[]'::jsonb)
	|| jsonb_build_object(
		'Contact', jsonb_build_object('ContactID', md5('c' || n)::uuid, 'Name', 'Customer ' || n, 'Addresses', '[]'::jsonb, 'Phones', '[]'::jsonb, 'ContactGroups', '[]'::jsonb, 'HasValidationErrors', false),
		'DateString', '2024-03-05T00:00:00', 'Date', '/Date(1709596800000+0000)/', 'DueDateString', '2024-04-05T00:00:00', 'DueDate', '/Date(1712275200000+0000)/',
		'Status', 'AUTHORISED', 'LineAmountTypes', 'Exclusive', 'SubTotal', 90.00 + n, 'TotalTax', 10.00, 'Total', 100.00 + n,
		'UpdatedDateUTC', '/Date(1709632800123+0000)/', 'CurrencyCode', 'NZD', 'BrandingThemeID', md5('b')::uuid,
		'LineItems', (SELECT jsonb_agg(jsonb_build_object('ItemCode', 'BOOK', 'Description', 'Hours of consulting on the matter ' || n || '/' || l, 'UnitAmount', 30.00,
			'TaxType', 'OUTPUT2', 'TaxAmount', 3.33, 'LineAmount', 30.00, 'AccountCode', '200', 'Tracking', '[]'::jsonb, 'Quantity', 1.0000, 'LineItemID', md5(n || '/' || l)::uuid, 'ValidationErrors', '[]'::jsonb))
			FROM generate_series(1, 3) l)))
	, E',\n    ') || E'\n  ]\n}', E'\n', E'\r\n'), 'UTF8') AS body
FROM generate_series(1, 1000) n;
SELECT length(body) AS bytes FROM page;
\set ten '{InvoiceID:uuid,InvoiceNumber:text,Type:text,Status:text,Contact.ContactID:uuid,Date:date,DueDate:date,Total:numeric,AmountDue:numeric,UpdatedDateUTC:timestamptz}'
SELECT round(reader_bench('Invoices', '{}', body, 200)::numeric, 3) AS "no column, ms a page" FROM page;
SELECT round(reader_bench('Invoices', :'ten', body, 200)::numeric, 3) AS "ten columns, ms a page" FROM page;
SELECT round(reader_bench('Invoices', '{InvoiceID:uuid,Total:numeric,LineItems:jsonb}', body, 50)::numeric, 3) AS "with lines as jsonb, ms a page" FROM page;
