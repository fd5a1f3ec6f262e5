-- What goes wrong says so: SQLSTATE, message, and what can be done about it.
CALL needs_00_setup();
\getenv url XERO_SANDBOX_URL
CREATE SERVER bad FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (api_url :'url', identity_url :'url', login_url :'url',
	tenant_id '258b4852-865a-4704-a5a7-ee71df03c46e');
CREATE FOREIGN TABLE t (code text) SERVER bad OPTIONS (object 'accounting/Currencies');

-- credentials: none, half, wrong
SELECT left(line, 33) AS line FROM error_of('SELECT count(*) FROM t') AS line;
CREATE USER MAPPING FOR CURRENT_USER SERVER bad;
SELECT * FROM error_of('SELECT count(*) FROM t');
ALTER SERVER bad OPTIONS (ADD client_id 'sandbox-client');
SELECT * FROM error_of('SELECT count(*) FROM t');
ALTER SERVER bad OPTIONS (ADD grant_type 'client_credentials');
SELECT * FROM error_of('SELECT count(*) FROM t');
ALTER USER MAPPING FOR CURRENT_USER SERVER bad OPTIONS (ADD client_secret 'wrong');
SELECT * FROM error_of('SELECT count(*) FROM t');
ALTER SERVER bad OPTIONS (SET client_id 'nobody');
SELECT * FROM error_of('SELECT count(*) FROM t');
ALTER SERVER bad OPTIONS (SET client_id 'sandbox-client');
ALTER USER MAPPING FOR CURRENT_USER SERVER bad OPTIONS (SET client_secret 'sandbox-secret');
SELECT count(*) > 0 AS any FROM t;
ALTER USER MAPPING FOR CURRENT_USER
	SERVER bad OPTIONS (DROP client_secret, ADD access_token 'expired');
SELECT * FROM error_of('SELECT count(*) FROM t');

-- a scope that was not granted, an organisation that is not connected
ALTER USER MAPPING FOR CURRENT_USER
	SERVER bad OPTIONS (DROP access_token, ADD client_secret 'sandbox-secret');
ALTER SERVER bad OPTIONS (ADD scopes 'accounting.contacts.read');
SELECT * FROM error_of('SELECT count(*) FROM t');
ALTER SERVER bad OPTIONS (DROP scopes, SET tenant_id '00000000-0000-0000-0000-000000000001');
SELECT * FROM error_of('SELECT count(*) FROM t');
ALTER SERVER bad OPTIONS (SET tenant_id '258b4852-865a-4704-a5a7-ee71df03c46e');
SELECT count(*) > 0 AS any FROM t;

-- no server there
ALTER SERVER bad OPTIONS (SET api_url 'http://127.0.0.1:9');
SELECT line FROM error_of('SELECT count(*) FROM t') AS line LIMIT 1;
ALTER SERVER bad OPTIONS (SET api_url :'url');

-- Xero refuses a filter, answers an error, not JSON, not at all
\setenv BODY '{"ErrorNumber": 16, "Type": "QueryParseException", "Message": "No property or field exists"}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=400 body="$BODY"
SELECT * FROM error_of('SELECT count(*) FROM t');
\setenv BODY '{"Title": "Forbidden", "Detail": "AuthenticationUnsuccessful"}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=403 body="$BODY"
SELECT * FROM error_of('SELECT count(*) FROM t');
\setenv BODY 'The resource you are looking for cannot be found'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=404 body="$BODY"
SELECT * FROM error_of('SELECT count(*) FROM t');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=200 body='{"Status": "OK"}'
SELECT * FROM error_of('SELECT count(*) FROM t');
\setenv BODY '{"Currencies": {"Code": "AUD"}}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=200 body="$BODY"
SELECT count(*) FROM t;
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=200 body='{"Currencies": [7]}'
SELECT * FROM error_of('SELECT count(*) FROM t');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=200 body='{"Currencies": []}'
SELECT count(*) FROM t;
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=200 body='{"Currencies": null}'
SELECT * FROM error_of('SELECT count(*) FROM t');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies body=null
SELECT count(*) > 0 AS any FROM t;

-- a part of the answer is no answer
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies status=206 body='{"Currencies": []}'
SELECT * FROM error_of('SELECT count(*) FROM t');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Currencies body=null

-- a record without its key cannot be asked for what the list lacks
ALTER FOREIGN TABLE xero.contact_groups ADD COLUMN contacts jsonb OPTIONS (field 'Contacts');
ALTER FOREIGN TABLE xero.invoices ADD COLUMN attachments jsonb OPTIONS (field 'Attachments');
\setenv BODY '{"ContactGroups": [{"Name": "no key"}]}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups status=200 body="$BODY"
SELECT name FROM xero.contact_groups;
SELECT * FROM error_of('SELECT name, contacts FROM xero.contact_groups');
\setenv BODY '{"ContactGroups": [{"ContactGroupID": null, "Name": "null"}]}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups status=200 body="$BODY"
SELECT * FROM error_of('SELECT name, contacts FROM xero.contact_groups');
SELECT * FROM error_of('SELECT name FROM xero.contact_group_contacts');
\setenv BODY '{"Invoices": [{"InvoiceID": "", "InvoiceNumber": "empty"}]}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Invoices status=200 body="$BODY"
SELECT invoice_number FROM xero.invoices;
SELECT * FROM error_of('SELECT invoice_number, attachments FROM xero.invoices');
ALTER FOREIGN TABLE xero.invoices DROP COLUMN attachments;
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Invoices body=null

-- nor is one gone that the answer to its own GET lacks
\setenv BODY '{"ContactGroups": [{"ContactGroupID": "00000000-0000-0000-0000-000000000007", "Name": "seven"}]}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups status=200 body="$BODY"
\setenv BODY '{"ContactGroups": []}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups/00000000-0000-0000-0000-000000000007 status=200 body="$BODY"
SELECT * FROM error_of('SELECT name, contacts FROM xero.contact_groups');
SELECT * FROM error_of('SELECT name FROM xero.contact_group_contacts');
SELECT * FROM error_of($$SELECT name, contacts
	FROM xero.contact_groups WHERE contact_group_id = '00000000-0000-0000-0000-000000000007'$$);
\setenv BODY '{"ContactGroups": null}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups/00000000-0000-0000-0000-000000000007 status=200 body="$BODY"
SELECT * FROM error_of('SELECT name, contacts FROM xero.contact_groups');
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups/00000000-0000-0000-0000-000000000007 status=404 body=gone
SELECT count(*) > 0 AS some FROM calls();
SELECT * FROM error_of('SELECT name, contacts FROM xero.contact_groups');
SELECT * FROM error_of('SELECT name FROM xero.contact_group_contacts');
SELECT * FROM calls();
-- unless it was a whim
\setenv BODY '{"ContactGroups": [{"ContactGroupID": "00000000-0000-0000-0000-000000000007", "Name": "seven", "Contacts": [{"Name": "Ann"}]}]}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups/00000000-0000-0000-0000-000000000007 status=200 body="$BODY"
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/ContactGroups/00000000-0000-0000-0000-000000000007 status=404 times=1
SELECT name, contacts FROM xero.contact_groups;
SELECT * FROM calls();
-- or the list has it no more
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups/00000000-0000-0000-0000-000000000007 status=404 body=gone
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/ContactGroups after=1 times=1 status=200 body='{"ContactGroups": []}'
SELECT name, contacts FROM xero.contact_groups;
SELECT * FROM calls();
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups/00000000-0000-0000-0000-000000000007 body=null
ALTER FOREIGN TABLE xero.contact_groups DROP COLUMN contacts;
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/ContactGroups body=null

SET client_min_messages = 'warning';
DROP SERVER bad CASCADE;
