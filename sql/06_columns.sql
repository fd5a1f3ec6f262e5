-- Users shape their tables: other names, other types, more columns or fewer.
CALL needs_00_setup();
SET TimeZone = 'UTC';
CREATE FOREIGN TABLE short (
	id uuid OPTIONS (field 'InvoiceID'),
	"Total, incl. tax" numeric OPTIONS (field 'Total'),
	status text
) SERVER xero OPTIONS (object 'accounting/Invoices');
SELECT id = invoice_id AS same_id, "Total, incl. tax" = total AS same_total,
	s.status = i.status AS same_status, count(*)
FROM short AS s JOIN xero.invoices AS i ON i.invoice_id = s.id GROUP BY 1, 2, 3;

-- A renamed column still is the field's, and conditions on it travel.
EXPLAIN (COSTS OFF) SELECT "Total, incl. tax"
	FROM short WHERE id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';
SELECT "Total, incl. tax", status FROM short WHERE id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';
ALTER FOREIGN TABLE short RENAME COLUMN status TO state;
-- without an option, the name was all that said which field it is
SELECT state FROM short LIMIT 1;
ALTER FOREIGN TABLE short ALTER COLUMN state OPTIONS (ADD field 'Status');
EXPLAIN (COSTS OFF) SELECT count(*) FROM short WHERE state = 'PAID';
SELECT count(*) FROM short WHERE state = 'PAID';

-- Columns for fields that the catalogue does not declare, at any depth, and
-- for ones that do not exist.
ALTER FOREIGN TABLE short ADD COLUMN date_string text OPTIONS (field 'DateString'),
	ADD COLUMN mail text OPTIONS (field 'Contact.EmailAddress'),
	ADD COLUMN first_group jsonb OPTIONS (field 'Contact.ContactGroups'),
	ADD COLUMN absent text OPTIONS (field 'NoSuchThing'),
	ADD COLUMN deep int OPTIONS (field 'Total.No.Such.Thing'),
	ADD COLUMN contact jsonb OPTIONS (field 'Contact');
SELECT date_string, mail, first_group, absent, deep, contact ->> 'Name' AS contact_name
FROM short WHERE id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';
-- Nothing is known of them, so nothing is sent.
EXPLAIN (COSTS OFF) SELECT id
	FROM short WHERE date_string = '2025-08-27T00:00:00' AND absent IS NULL;
SELECT count(absent), count(deep), count(date_string) FROM short;

-- Dropped columns are gone, and those after them keep their values.
ALTER FOREIGN TABLE short DROP COLUMN "Total, incl. tax", DROP COLUMN contact;
SELECT * FROM short WHERE id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';
SELECT short FROM short WHERE id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';
SELECT state = 'AUTHORISED' AS state, date_string
	FROM short WHERE id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';

-- A table without columns still has its rows.
CREATE FOREIGN TABLE bare () SERVER xero OPTIONS (object 'accounting/Invoices');
SELECT count(*) FROM bare;
SELECT count(*) FROM (SELECT FROM bare OFFSET 0) AS rows;

-- A column without option that has no field's name
CREATE FOREIGN TABLE nameless (invoice_id uuid, sum numeric)
	SERVER xero OPTIONS (object 'accounting/Invoices');
SELECT * FROM error_of('SELECT invoice_id FROM nameless');
-- ... and tenant_id, which is no field; unless an option says otherwise
CREATE FOREIGN TABLE tenants (tenant_id uuid, organisation_id uuid)
	SERVER xero OPTIONS (object 'accounting/Organisation');
SELECT tenant_id = '258b4852-865a-4704-a5a7-ee71df03c46e' AS constant FROM tenants;
ALTER FOREIGN TABLE tenants ALTER COLUMN tenant_id OPTIONS (ADD field 'OrganisationID');
SELECT tenant_id = organisation_id AS field FROM tenants;

-- Other types: the value is converted, and conditions stay here.
CREATE FOREIGN TABLE typed (
	invoice_id text, total float8, date text, due_date timestamptz, status varchar(4)
	OPTIONS (field 'Type'),
	type varchar, amount_due numeric(10,1), line_items text, has_attachments text
) SERVER xero OPTIONS (object 'accounting/Invoices');
SELECT invoice_id, total, date, due_date, type, amount_due, left(line_items, 1) AS line_items,
	has_attachments
FROM typed WHERE invoice_id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';
EXPLAIN (COSTS OFF) SELECT invoice_id FROM typed
WHERE invoice_id = 'x' AND total > 1 AND due_date > '2026-01-01' AND amount_due > 1
	AND has_attachments = 'true';
-- varchar without length is text by another name
EXPLAIN (COSTS OFF) SELECT invoice_id FROM typed WHERE type = 'ACCREC';
SELECT count(*) = (SELECT count(*) FROM xero.invoices WHERE xero.invoices.type = 'ACCREC')
	FROM typed WHERE typed.type = 'ACCREC';
-- a value that does not fit is an error that names it
SELECT * FROM error_of('SELECT status
	FROM typed WHERE invoice_id = ''5d4c0bad-f188-4b5b-988a-2f9aa300e3b6''');

-- System columns and whole rows
SELECT tableoid::regclass, ctid IS NOT NULL AS ctid FROM short LIMIT 1;
SELECT (i).total, (i).invoice_number
	FROM xero.invoices AS i WHERE invoice_id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';

-- Writing needs the columns that Xero needs.
SELECT * FROM error_of('INSERT INTO short (state) VALUES (''DRAFT'')');
SELECT * FROM error_of('TRUNCATE short');
DROP FOREIGN TABLE short, bare, nameless, tenants, typed;
