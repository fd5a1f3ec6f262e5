-- Expressions and filters of syncs: what is one, what it reads, and whose rights count.
CALL needs_00_setup();
\set VERBOSITY terse
SET client_min_messages = 'warning';
CREATE ROLE regress_xero_poet;
GRANT USAGE ON SCHEMA xero TO regress_xero_poet;
GRANT SELECT ON xero.invoices TO regress_xero_poet;
GRANT SELECT, INSERT, UPDATE ON xero.contacts TO regress_xero_poet;
REVOKE TEMPORARY ON DATABASE :DBNAME FROM PUBLIC;
CREATE SCHEMA verse AUTHORIZATION regress_xero_poet;
SET ROLE regress_xero_poet;
CREATE TABLE verse.word (
	id integer PRIMARY KEY, name text, born date, parts integer[], z jsonb, "?n" text,
	"?key" text, "naïve" text);
CREATE FUNCTION verse.try(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM xero_fdw.create_sync('try', 'xero.contacts', 'verse.word', 'push',
		jsonb_build_object('name', 'name', 'id',
			jsonb_build_object('xero', 'account_number', 'to_xero', expression)));
	PERFORM xero_fdw.drop_sync('try');
	RETURN 'yes';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || replace(coalesce(nullif(detail, ''), SQLERRM),
		'Field "id", to_xero: ', '');
END $$;
SELECT has_database_privilege(current_database(), 'TEMPORARY');

-- 1. one expression, however it is written: all of these are
SELECT expression, verse.try(expression) FROM unnest(ARRAY[
	'name', 'local.name', '(name)', 'verse.try(name)', 'CASE WHEN id > 1 THEN name END',
	'name --', 'name -- the name', E'-- first\nname', '/* ( */ name', 'name /* ) -- */', 'name/**/',
	'''US$100''', '''a;b''', '''--''', '''/*''', ''') OR (''', 'E''\'') OR (''', 'U&''d\0061t''',
	E'''two ''\n''lines''', '$$it''s $1$$', '$a$ $$;$$ $a$', '''東京''', '"naïve"', 'U&"n\0061me"',
	'name COLLATE "C"', 'z ->> ''a''', '"?n" || local."?key"', 'id', 'NULL', 'current_user',
	'(SELECT max(w.name) FROM verse.word AS w WHERE w.id < local.id)',
	'(WITH w AS (SELECT local.name) SELECT name FROM w ORDER BY 1 LIMIT 1)'
	]) AS expression;
-- 2. more than one, less than one, or one with something after it: none of these is
SELECT expression, verse.try(expression) FROM unnest(ARRAY[
	'--', '/* */', ';', '/*', '''', '$$', '"', 'name,', 'name, id', '*', 'name AS n', 'name n',
	'name "n"', 'name;', 'name; SELECT 1', 'name)', 'name) OR (true', 'name) AS value, (name',
	'name FROM verse.word', 'name WHERE true', 'name GROUP BY name', 'name HAVING true',
	'name WINDOW w AS ()', 'name ORDER BY name', 'name LIMIT 1', 'name OFFSET 0',
	'name FETCH FIRST ROW ONLY', 'name FOR UPDATE', 'name UNION SELECT name',
	'name INTERSECT SELECT name', 'name INTO x', 'DISTINCT name', 'DISTINCT ON (id) name',
	'ALL name', 'SELECT name', 'VALUES (1)', 'TABLE verse.word', 'WITH x AS (SELECT 1) SELECT 1',
	'x := name', 'local.name := name', 'name = ', 'DEFAULT', 'DROP TABLE verse.word'
	]) AS expression;
-- 3. one that has no value for a row, or none that a column could have
SELECT expression, verse.try(expression) FROM unnest(ARRAY[
	'$1', 'name || $1', 'max(name)', 'count(*)', 'row_number() OVER ()',
	'generate_series(1, 2)', 'unnest(parts)', 'ROW(name, id)', 'pg_sleep(0)',
	'nowhere', 'local.nowhere', 'xero.name', 'word.name', 'verse.word.name', 'nothing()',
	'(WITH gone AS (DELETE FROM verse.word RETURNING name) SELECT name FROM gone)',
	'(SELECT id, name FROM verse.word)'
	]) AS expression;
-- 4. one that does not say which columns it reads
SELECT expression, verse.try(expression) FROM unnest(ARRAY[
	'local', 'local::text', 'local.*', '(local.*)', '(local).*', 'to_jsonb(local)',
	'(SELECT local::text)', 'ctid', 'local.xmin::text', 'tableoid::regclass',
	'(SELECT max(w.name) FROM verse.word AS w WHERE w.ctid = local.ctid)'
	]) AS expression;

-- 5. what it reads: columns of the row, not those of other rows of the same table
RESET ROLE;
SELECT e.expression, c.* FROM unnest(ARRAY[
	'name', '''Name''', 'parts[id]', 'z ->> "?n"', 'born + id',
	'(SELECT w.name FROM verse.word AS w WHERE w.id = local.id)',
	'(SELECT (SELECT count(*) FROM verse.word AS w WHERE w.born = local.born) + length(name))',
	'EXISTS (SELECT FROM verse.word AS local WHERE local.id = 1)',
	'(SELECT w::text FROM verse.word AS w WHERE w.id = local.id)'
	]) AS e (expression)
	CROSS JOIN xero_fdw._check_expression('verse.word', 'local', e.expression, 'pg_catalog') AS c;
-- a column is taken before a row of its name
CREATE TABLE verse.names (id integer, local text, xero text, value text, alias text);
SELECT e.expression, c.* FROM unnest(ARRAY[
	'local', 'local.local', 'xero', 'value || alias', '(SELECT local.id)'
	]) AS e (expression)
	CROSS JOIN xero_fdw._check_expression('verse.names', 'local', e.expression, 'pg_catalog') AS c;

-- 6. the caller's rights on all that it uses; a view has its owner's
CREATE TABLE verse.secret (id integer PRIMARY KEY, treasure text, hint text);
GRANT SELECT (id, hint) ON verse.secret TO regress_xero_poet;
CREATE VIEW verse.window AS SELECT treasure FROM verse.secret;
GRANT SELECT ON verse.window TO regress_xero_poet;
CREATE FUNCTION verse.hidden(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION verse.hidden_constant() RETURNS text
	LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN ''x''; END';
REVOKE ALL ON FUNCTION verse.hidden, verse.hidden_constant FROM PUBLIC;
CREATE FUNCTION verse.who() RETURNS text LANGUAGE plpgsql IMMUTABLE
	AS 'BEGIN RAISE WARNING ''computed by %'', current_user; RETURN ''''; END';
SET ROLE regress_xero_poet;
SELECT expression, verse.try(expression) FROM unnest(ARRAY[
	'(SELECT treasure FROM verse.secret)', '(SELECT hint FROM verse.secret LIMIT 1)',
	'(SELECT s::text FROM verse.secret AS s)', 'CASE WHEN id > 1 THEN verse.hidden(name) END',
	'verse.hidden_constant()', '(SELECT max(verse.hidden(hint)) FROM verse.secret)',
	'(SELECT max(treasure) FROM verse.window)'
	]) AS expression;
-- what can be computed at once is computed by the caller
SELECT verse.try('verse.who()');

-- 7. filters are expressions; what has a "$" or ends with a comment is one like any other
CREATE TABLE verse.invoice (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, ref text);
SELECT xero_fdw.create_sync('dollar', 'xero.invoices', 'verse.invoice', 'pull',
	'{"ref": "reference"}', xero_filter => $$reference <> 'US$100'$$);
SELECT xero_fdw.create_sync('comment', 'xero.invoices', 'verse.invoice', 'pull',
	'{"ref": "reference"}', xero_filter => 'total > 0 --');
SELECT name, xero_filter FROM xero_fdw.syncs ORDER BY name;
CREATE FUNCTION verse.try_filter(filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM xero_fdw.create_sync('try', 'xero.contacts', 'verse.word', 'push', '{"name": "name"}',
		local_filter => filter);
	PERFORM xero_fdw.drop_sync('try');
	RETURN 'yes';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || coalesce(nullif(detail, ''), SQLERRM);
END $$;
SELECT filter, verse.try_filter(filter) FROM unnest(ARRAY[
	'name <> ''US$100''', 'id > 1 --', 'z IS NULL', 'NULL::boolean', 'NULL', 'id',
	'false) OR (id < 1', 'true LIMIT 1', 'true, true', 'id > $1', 'max(id) > 1',
	'local IS NOT NULL', 'EXISTS (SELECT FROM verse.secret WHERE treasure = name)'
	]) AS filter;
SELECT xero_fdw.drop_sync('dollar'), xero_fdw.drop_sync('comment');

-- 8. what is remembered of the columns is the same, whoever's settings are in force
SET quote_all_identifiers = on;
SET standard_conforming_strings = off;
SELECT xero_fdw.create_sync('quoted', 'xero.contacts', 'verse.word', 'pull',
	'{"id": {"to_local": "0"}, "name": "name"}', xero_filter => E'name <> \'\\\'');
RESET quote_all_identifiers;
RESET standard_conforming_strings;
RESET ROLE;
SELECT columns #- '{xero,relation}' #- '{xero,numbers}' #- '{local,relation}' AS columns FROM xero_fdw.sync;
SET ROLE regress_xero_poet;
SELECT xero_fdw.drop_sync('quoted');

-- 9. nothing was made, or asked of Xero
SELECT count(*) FROM pg_class WHERE relpersistence = 't';
SELECT count(*) FROM verse.word;
RESET ROLE;
GRANT TEMPORARY ON DATABASE :DBNAME TO PUBLIC;
DROP SCHEMA verse CASCADE;
DROP OWNED BY regress_xero_poet;
DROP ROLE regress_xero_poet;
SELECT * FROM calls();
