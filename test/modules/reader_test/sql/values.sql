CREATE TABLE given (n serial, type text, json text);
INSERT INTO given (type, json) VALUES
-- text
('text', '"plain"'), ('text', '""'), ('text', '12.50'), ('text', 'true'), ('text', 'null'),
('text', '"a\"b\\c\/d\b\f\n\r\t\u00e9\ud83d\ude00"'), ('text', '"é😀"'),
('text', '{"a": [1, "x"]}'), ('text', '[ ]'),
('text', '"\u0000"'), ('text', '"\ud83d"'), ('text', '"\x"'), ('text', '"\u12"'),
('varchar(3)', '"abc"'), ('varchar(3)', '"abc  "'), ('varchar(3)', '"abcd"'), ('varchar(3)', '"éèê"'), ('varchar', '""'),
('char(5)', '"ab"'), ('name', '"n"'),
-- uuid
('uuid', '"243216c5-369e-4056-ac67-05388f86dc81"'), ('uuid', '"243216C5-369E-4056-AC67-05388F86DC81"'),
('uuid', '"{243216c5369e4056ac6705388f86dc81}"'), ('uuid', '"00000000-0000-0000-0000-000000000000"'),
('uuid', '""'), ('uuid', '"243216c5-369e-4056-ac67-05388f86dc8"'), ('uuid', '"243216c5-369e-4056-ac67-05388f86dc8g"'),
('uuid', '{"ID": 1}'), ('uuid', '12'),
-- numeric
('numeric', '40.00'), ('numeric', '"40.00"'), ('numeric', '-0.0000000001'), ('numeric', '1e-10'), ('numeric', '9999999999.99'),
('numeric', '0.1000000000000000055511151231257827'), ('numeric', '123456789012345678901234567890.123456789'), ('numeric', '""'), ('numeric', '"abc"'),
('numeric', 'true'), ('numeric', '[]'), ('numeric(10,2)', '1.005'), ('numeric(4,2)', '100'), ('numeric', '"\u0031"'),
-- boolean
('bool', 'true'), ('bool', 'false'), ('bool', '"true"'), ('bool', '"False"'), ('bool', '""'), ('bool', '1'), ('bool', '"yes"'), ('bool', '{}'),
-- integers
('int', '12'), ('int', '-12'), ('int', '0'), ('int', '"12"'), ('int', '12.00'), ('int', '12.50'), ('int', '1e3'), ('int', '""'), ('int', '"-"'), ('int', '"."'), ('int', '"0."'),
('int', '2147483647'), ('int', '-2147483648'), ('int', '2147483648'), ('smallint', '32767'), ('smallint', '32768'),
('bigint', '9223372036854775807'), ('bigint', '-9223372036854775808'), ('bigint', '9223372036854775808'), ('int', '"12 "'),
('int', 'false'), ('float8', '0.5'), ('float8', '""'), ('float4', '"x"'),
-- json as it came, jsonb
('json', '{"b": 1,  "a":"\/Date(1)\/", "b":2}'), ('jsonb', '{"b": 1.50,  "a":"\/Date(1)\/"}'), ('jsonb', '"x"'), ('jsonb', 'null'), ('jsonb', '[]'),
('jsonb', '{"a":"\u0000"}'), ('jsonb', '[1 2]'), ('json', '{"a" 1}'),
-- others, by their input functions
('int[]', '"{1,2}"'), ('int[]', '[1,2]'), ('interval', '"1 day"'), ('interval', '"x"'), ('inet', '""');
SELECT type, json, reads_value(type, json) FROM given ORDER BY n;
DROP TABLE given;

-- as many digits as PostgreSQL has
SELECT length(reads_value('numeric', repeat('7', 10000) || '.25'));
SELECT reads_value('int', repeat('7', 10000));
-- what is shown of a value is cut and clean
SELECT reads_value('uuid', '"' || repeat('é', 200) || '"');
SELECT reads_value('uuid', E'"a\x7Fb"');
-- the record is named by its key, or else by its number
SELECT * FROM reads('{ID:text,Total:numeric}', '{"Rows":[{"ID":"a","Total":1},{"Total":"abc","ID":"INV-1"}]}');
SELECT * FROM reads('{ID:text,Total:numeric}', '{"Rows":[{"ID":"a","Total":1},{"Total":"abc"}]}');
-- an unwanted value may be anything
SELECT * FROM reads('{ID:text}', '{"Rows":[{"ID":"a","Total":"\u0000","X":"\ud800"}]}');

-- a database of another encoding, which has ł but not €
CREATE DATABASE reader_latin2 ENCODING 'LATIN2' LOCALE 'C' TEMPLATE template0;
\c reader_latin2
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/setup.sql'
\set ECHO none
\i :setup
\set ECHO all
SET client_encoding = 'UTF8';
SELECT r, octet_length(r[1]), octet_length(r[2]), octet_length(r[3]) FROM reader_read('Rows', NULL, '{A:text,B:text,C:jsonb}', '{"Rows":[{"A":"\305\202","B":"\\u0142/\305\202","C":{"x":"\305\202\\u0142"}}]}');
SELECT reads_value('text', '"\u0142"'), reads_value('text', '"\u20ac"');
SELECT fails('{"Rows":[{"ID":"a","V":"\342\202\254"}]}');
SELECT regexp_replace(fails('{"Rows":[{"ID":"a","V":"\\u20ac"}]}'), 'is refused: .*', 'is refused');
SELECT fails('{"Rows":[{"ID":"a","X":"\342\202\254"}]}');
\c contrib_regression
DROP DATABASE reader_latin2;
