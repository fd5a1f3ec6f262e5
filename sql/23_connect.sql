-- The surface of consent, with xero_fdw.key_file set.  What happens in exchanges
-- is for the TAP tests.
CALL needs_00_setup();
SELECT coalesce(current_setting('xero_fdw.key_file', true), '') = '' AS no_key_file \gset
\if :no_key_file
\echo 'skipped: xero_fdw.key_file is not set'
\quit
\endif
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'xero_fdw.connections'::regclass AND attnum > 0 ORDER BY attnum;
LOAD 'xero_fdw';
SELECT name, unit, context, vartype FROM pg_settings WHERE name = 'xero_fdw.key_file';
SELECT oid::regprocedure AS function, proisstrict, provolatile, proparallel FROM pg_proc
WHERE pronamespace = 'xero_fdw'::regnamespace
	AND proname IN ('authorize_url', 'complete_authorization', 'refresh_token', 'disconnect',
		'rotate_key')
	ORDER BY 1;

-- the tables are nobody's but the extension's, are not dumped, and are explained
SELECT relname, (SELECT count(*) FROM aclexplode(relacl) WHERE grantee <> relowner) AS grants,
	c.oid = ANY (extconfig) IS TRUE AS dumped
FROM pg_class AS c, pg_extension AS e
	WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind = 'r' AND relname !~ '^sync'
		AND extname = 'xero_fdw'
	ORDER BY 1;
SELECT c.relname, a.attname
	FROM pg_class AS c
		LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind IN ('r', 'v')
	AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, attnum) IS NULL);

-- an address is made without a call, and only of what the server says
\getenv url XERO_SANDBOX_URL
CREATE SERVER consent FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (client_id 'sandbox-client', redirect_uri 'http://localhost:8000/a b?c=ü',
	scopes 'openid a+b  a+b', login_url 'https://login.example.com/',
	api_url :'url', identity_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER consent;
SELECT FROM calls();
SELECT regexp_replace(xero_fdw.authorize_url('consent'),
	'(state|nonce|challenge)=[-_A-Za-z0-9]{43}', '\1=...', 'g');
SELECT roleid::regrole = current_user::regrole AS own, client_id, redirect_uri, scopes,
	octet_length(state_hash), octet_length(verifier),
	octet_length(nonce), expires_at - now() > interval '9 minutes' AS open
FROM xero_fdw.pending_authorization;
SELECT * FROM calls();
SELECT * FROM xero_fdw.connections WHERE server = 'consent';

-- errors
SELECT xero_fdw.authorize_url('nobody');
SELECT xero_fdw.authorize_url(NULL) IS NULL AS null;
SELECT * FROM xero_fdw.complete_authorization('consent', '');
SELECT * FROM xero_fdw.complete_authorization('consent', 'http://localhost/?code=&state=a');
SELECT * FROM xero_fdw.complete_authorization('consent',
	'http://localhost/?state=a&error=access_denied'
	'&error_description=The+user+said%20%22no%22%0A%7F%C3%BC%FF');
SELECT * FROM xero_fdw.complete_authorization('consent',
	'http://localhost/?code=a&state=' || repeat('b', 5000));
SELECT * FROM xero_fdw.complete_authorization('consent', 'code=a&state=b');
SELECT xero_fdw.refresh_token('consent');
SELECT xero_fdw.disconnect('consent');
ALTER USER MAPPING FOR CURRENT_USER SERVER consent OPTIONS (ADD access_token 'sandbox-token');
SELECT xero_fdw.authorize_url('consent');
ALTER USER MAPPING FOR CURRENT_USER SERVER consent OPTIONS (DROP access_token);
ALTER SERVER consent OPTIONS (ADD grant_type 'client_credentials');
SELECT xero_fdw.authorize_url('consent');
ALTER SERVER consent OPTIONS (DROP grant_type, DROP client_id);
SELECT xero_fdw.authorize_url('consent');
CREATE FOREIGN DATA WRAPPER regress_other;
CREATE SERVER regress_other FOREIGN DATA WRAPPER regress_other;
SELECT xero_fdw.authorize_url('regress_other');
DROP FOREIGN DATA WRAPPER regress_other CASCADE;
DROP SERVER consent CASCADE;
