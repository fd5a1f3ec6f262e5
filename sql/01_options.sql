-- Options are checked when they are set.
CALL needs_00_setup();

CREATE SERVER s FOREIGN DATA WRAPPER xero_fdw;
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (access_token 't');

-- unknown names, with the valid ones in the hint
ALTER SERVER s OPTIONS (ADD tenant 'x');
ALTER SERVER s OPTIONS (ADD client_secret 'x');
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD client_id 'x');
CREATE FOREIGN TABLE t (invoice_id uuid) SERVER s OPTIONS (object 'accounting/Invoices', paths 'x');
CREATE FOREIGN TABLE t (invoice_id uuid OPTIONS (path 'x'))
	SERVER s OPTIONS (object 'accounting/Invoices');
ALTER FOREIGN DATA WRAPPER xero_fdw OPTIONS (ADD client_id 'x');

-- numbers have ranges
ALTER SERVER s OPTIONS (ADD page_size '0');
ALTER SERVER s OPTIONS (ADD page_size '1001');
ALTER SERVER s OPTIONS (ADD page_size 'many');
ALTER SERVER s OPTIONS (ADD page_size '1.5');
ALTER SERVER s OPTIONS (ADD page_size '0x10');
ALTER SERVER s OPTIONS (ADD page_size ' 10');
ALTER SERVER s OPTIONS (ADD minute_limit '0');
ALTER SERVER s OPTIONS (ADD day_limit '-1');
ALTER SERVER s OPTIONS (ADD concurrency '101');
ALTER SERVER s OPTIONS (ADD app_minute_limit '99999999999');
ALTER SERVER s OPTIONS (ADD reserve '101');
ALTER SERVER s OPTIONS (ADD request_timeout '99');
ALTER SERVER s OPTIONS (ADD batch_size '0');
ALTER SERVER s OPTIONS (ADD max_calls '0');
ALTER SERVER s OPTIONS (ADD role_day_limit '1k');
ALTER SERVER s OPTIONS (ADD minute_limit '');
ALTER SERVER s OPTIONS (ADD page_size '99');
ALTER SERVER s OPTIONS (ADD page_size '98');
ALTER SERVER s OPTIONS (DROP page_size);

-- and so have the other kinds
ALTER SERVER s OPTIONS (ADD updatable 'maybe');
ALTER SERVER s OPTIONS (ADD grant_type 'password');
ALTER SERVER s OPTIONS (ADD tenant_id 'my company');
ALTER SERVER s OPTIONS (ADD client_id '');
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET access_token 'two words');
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET access_token E'line\r\nX-Evil: 1');
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD client_secret 'é');
CREATE FOREIGN TABLE t (invoice_id uuid) SERVER s;
CREATE FOREIGN TABLE t (invoice_id uuid) SERVER s OPTIONS (object 'accounting/Bills');
CREATE FOREIGN TABLE t (invoice_id uuid) SERVER s OPTIONS (object 'Invoices');
CREATE FOREIGN TABLE t (invoice_id uuid)
	SERVER s OPTIONS (object 'accounting/Invoices', include_archived 'perhaps');
CREATE FOREIGN TABLE t (invoice_id uuid)
	SERVER s OPTIONS (object 'accounting/Invoices', page_size '0');

-- https, but for this machine itself
ALTER SERVER s OPTIONS (ADD api_url 'http://api.xero.com');
ALTER SERVER s OPTIONS (ADD identity_url 'http://127.0.0.1.example.com');
ALTER SERVER s OPTIONS (ADD login_url 'http://localhost.example.com:80');
ALTER SERVER s OPTIONS (ADD api_url 'http://[::2]:80');
ALTER SERVER s OPTIONS (ADD api_url 'http://127.0.0.1@example.com');
ALTER SERVER s OPTIONS (ADD api_url 'ftp://api.xero.com');
ALTER SERVER s OPTIONS (ADD api_url 'https://');
ALTER SERVER s OPTIONS (ADD api_url 'https://api.xero.com?x=1');
ALTER SERVER s OPTIONS (ADD api_url 'api.xero.com');
ALTER SERVER s
	OPTIONS (ADD api_url 'https://api.xero.com/', ADD identity_url 'http://localhost:1',
		ADD login_url 'http://[::1]:2');
ALTER SERVER s OPTIONS (SET api_url 'http://127.1.2.3:80/base', SET identity_url 'HTTPS://x');

-- every option there is
ALTER SERVER s OPTIONS (ADD client_id 'c', ADD grant_type 'client_credentials',
	ADD tenant_id '258B4852-865A-4704-A5A7-EE71DF03C46E', ADD scopes 'a b',
	ADD redirect_uri 'http://localhost:8000/',
	ADD ca_file '/etc/ca.pem', ADD minute_limit '60', ADD day_limit '1000', ADD concurrency '5',
	ADD app_minute_limit '10000', ADD reserve '0', ADD page_size '1000', ADD request_timeout '60000',
	ADD updatable 'off', ADD batch_size '50', ADD max_calls '10', ADD role_day_limit '100');
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD client_secret 's', ADD updatable 'off',
	ADD max_calls '10', ADD role_day_limit '100');
CREATE FOREIGN TABLE t (invoice_id uuid OPTIONS (field 'InvoiceID')) SERVER s
	OPTIONS (object 'Accounting/invoices', include_archived 'no', summary_only 'true',
		updatable '0', page_size '1');

-- Where secrets are sent is for superusers to say.
CREATE ROLE regress_xero_user;
GRANT USAGE ON FOREIGN DATA WRAPPER xero_fdw TO regress_xero_user;
SET ROLE regress_xero_user;
CREATE SERVER mine FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'c', page_size '5');
ALTER SERVER mine OPTIONS (ADD api_url 'https://api.xero.com');
ALTER SERVER mine OPTIONS (ADD identity_url 'https://identity.xero.com');
ALTER SERVER mine OPTIONS (ADD login_url 'https://login.xero.com');
ALTER SERVER mine OPTIONS (ADD ca_file '/etc/passwd');
CREATE SERVER another FOREIGN DATA WRAPPER xero_fdw OPTIONS (api_url 'https://evil.example.com');
ALTER SERVER mine OPTIONS (SET page_size '6');
RESET ROLE;
DROP SERVER mine;
DROP OWNED BY regress_xero_user;
DROP ROLE regress_xero_user;
SET client_min_messages = 'warning';
DROP SERVER s CASCADE;
