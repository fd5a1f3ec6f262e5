-- How values of Xero's JSON become SQL values.  The sandbox serves these
-- bodies byte for byte.
CALL needs_00_setup();
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE FOREIGN TABLE probe (
	name text OPTIONS (field 'Name'),
	id uuid OPTIONS (field 'AccountID'),
	text text OPTIONS (field 'V'),
	json jsonb OPTIONS (field 'V'),
	plain json OPTIONS (field 'V'),
	boolean boolean OPTIONS (field 'V'),
	uuid uuid OPTIONS (field 'V'),
	integer integer OPTIONS (field 'V'),
	bigint bigint OPTIONS (field 'V'),
	numeric numeric OPTIONS (field 'V'),
	money numeric(12,2) OPTIONS (field 'V'),
	short varchar(3) OPTIONS (field 'V'),
	double float8 OPTIONS (field 'V'),
	date date OPTIONS (field 'V'),
	instant timestamptz OPTIONS (field 'V'),
	local timestamp OPTIONS (field 'V')
) SERVER xero OPTIONS (object 'accounting/Accounts');

-- text: escapes, emoji, an empty text, another spelling of members, none at
-- all, and JSON of other types as its own text
SELECT json_build_object('path', '/api.xro/2.0/Accounts', 'body', E'{"Status":"OK","Accounts":[
 {"Name":"plain", "AccountID":"5D4C0BAD-F188-4B5B-988A-2F9AA300E3B6", "V":"x"},\r
 {"name":"escapes", "accountId":null, "v":"a\\"b\\\\c\\/d\\t\\u00e9\\ud83e\\udde9"},
 {"V":null, "Name":"null", "Extra":{"V":[1,{"V":2}], "Name":"y"}},
 {"Name":"empty", "V":""}, {"Name":"none"}, {"Name":"number", "V":12.50},
 {"Name":"true", "V":true}, {"Name":"object", "V":{"b":1.50,"a":[]}},
 {"Name":"array", "V":[ 1, "two" ]}]}') AS data \gset
\setenv DATA :data
\! "$PG_ABS_SRCDIR/test/sandbox-control" data "$DATA"
SELECT name, id, text, json, plain FROM probe;

-- numbers: exact, whatever their length; in quotes as well
SELECT json_build_object('path', '/api.xro/2.0/Accounts', 'body', '{"Accounts":[
 {"Name":"zeros", "V":40.0000}, {"Name":"rate", "V":0.0000000001}, {"Name":"exponent", "V":1.5E+3},
 {"Name":"negative", "V":-0.10}, {"Name":"quoted", "V":"7.10"}, {"Name":"null", "V":null},
 {"Name":"empty", "V":""}, {"Name":"half", "V":2.345}]}') AS data \gset
\setenv DATA :data
\! "$PG_ABS_SRCDIR/test/sandbox-control" data "$DATA"
SELECT name, numeric, money, double, text FROM probe;
SELECT json_build_object('path', '/api.xro/2.0/Accounts', 'body', '{"Accounts":[
 {"Name":"long", "V":12345678901234567890.12345678901234567890},
 {"Name":"huge", "V":1' || repeat('0', 10000) || '}]}') AS data \gset
\setenv DATA :data
\! "$PG_ABS_SRCDIR/test/sandbox-control" data "$DATA"
SELECT name, CASE WHEN length(text) < 100 THEN numeric END AS numeric, length(text),
	numeric = text::numeric AS exact
FROM probe;

-- whole numbers and booleans, also in quotes
SELECT json_build_object('path', '/api.xro/2.0/Accounts', 'body', '{"Accounts":[
 {"Name":"a", "V":7}, {"Name":"b", "V":"-8"},
 {"Name":"c", "V":9.0}, {"Name":"d", "V":2147483647}, {"Name":"e", "V":null}]}') AS data \gset
\setenv DATA :data
\! "$PG_ABS_SRCDIR/test/sandbox-control" data "$DATA"
SELECT name, integer, bigint FROM probe;
SELECT json_build_object('path', '/api.xro/2.0/Accounts', 'body', '{"Accounts":[
 {"Name":"a", "V":true}, {"Name":"b", "V":false},
 {"Name":"c", "V":"true"}, {"Name":"d", "V":null}, {"Name":"e"}]}') AS data \gset
\setenv DATA :data
\! "$PG_ABS_SRCDIR/test/sandbox-control" data "$DATA"
SELECT name, boolean FROM probe;

-- dates: days are not shifted, instants are; before 1970, with an offset that
-- is informational only, in ISO form, with a fraction
SELECT json_build_object('path', '/api.xro/2.0/Accounts', 'body', '{"Accounts":[
 {"Name":"epoch", "V":"\/Date(0)\/"}, {"Name":"ms", "V":"\/Date(1439434356790)\/"},
 {"Name":"offset", "V":"/Date(1439434356790+1300)/"}, {"Name":"negative", "V":"\/Date(-1+0000)\/"},
 {"Name":"iso day", "V":"2024-02-29"}, {"Name":"iso", "V":"2024-02-29T23:59:59"},
 {"Name":"zulu", "V":"2024-02-29T23:59:59Z"}, {"Name":"seven", "V":"2024-02-29T23:59:59.1234567"},
 {"Name":"shifted", "V":"2024-02-29T23:59:59+01:00"}, {"Name":"null", "V":null}]}') AS data \gset
\setenv DATA :data
\! "$PG_ABS_SRCDIR/test/sandbox-control" data "$DATA"
SELECT name, date, instant, local FROM probe;
SET TimeZone = 'Pacific/Auckland';
SELECT name, date, instant, local FROM probe WHERE name IN ('ms', 'iso', 'negative');
SET TimeZone = 'UTC';

-- A value that the column's type cannot hold is an error that says where; a
-- column that is not wanted is not looked at.
SELECT json_build_object('path', '/api.xro/2.0/Accounts', 'body', '{"Accounts":[
 {"Name":"first", "V":"1"},
 {"Name":"second", "V":"soon", "AccountID":"5d4c0bad-f188-4b5b-988a-2f9aa300e3b6"}]}') AS data \gset
\setenv DATA :data
\! "$PG_ABS_SRCDIR/test/sandbox-control" data "$DATA"
SELECT name FROM probe;
SELECT a.attname, e.* FROM pg_attribute AS a,
	LATERAL error_of(format('SELECT %I FROM probe', a.attname)) WITH ORDINALITY AS e(line, n)
WHERE a.attrelid = 'probe'::regclass AND a.attnum > 5 ORDER BY a.attnum, n;
DROP FOREIGN TABLE probe;
\! "$PG_ABS_SRCDIR/test/sandbox-control" data path=/api.xro/2.0/Accounts body=null
