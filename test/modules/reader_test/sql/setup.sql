\getenv srcdir PG_ABS_SRCDIR
\set module :srcdir '/reader_test.so'
CREATE FUNCTION reader_read(wrapper text, "array" text, fields text[], body bytea)
RETURNS TABLE (r text[]) LANGUAGE c AS :'module';
CREATE FUNCTION reader_info(wrapper text, "array" text, body bytea)
RETURNS text LANGUAGE c AS :'module';
CREATE FUNCTION reader_bench(wrapper text, fields text[], body bytea, n int)
RETURNS float8 LANGUAGE c STRICT AS :'module';
CREATE FUNCTION reader_bad_text(replace bool, mark bool)
RETURNS void LANGUAGE c AS :'module';

-- rows of a page with the wrapper "Rows"
CREATE FUNCTION reads(fields text[], body text)
RETURNS TABLE (r text[]) LANGUAGE sql AS
$$ SELECT r FROM reader_read('Rows', NULL, fields, convert_to(body, 'UTF8')) $$;

-- rows of a child table, from the array "Lines" of the rows
CREATE FUNCTION reads_lines(fields text[], body text)
RETURNS TABLE (r text[]) LANGUAGE sql AS
$$ SELECT r FROM reader_read('Rows', 'Lines', fields, convert_to(body, 'UTF8')) $$;

-- one value of one row, given as JSON, read as one type
CREATE FUNCTION reads_value(type text, value text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	message text;
	detail text;
BEGIN
	RETURN (SELECT coalesce(r[2], 'NULL')
			FROM reads(ARRAY['K:text', 'V:' || type],
					   '{"Rows":[{"V":' || value || ',"K":"key"}]}'));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	-- the rest is PostgreSQL's, and not the same in all versions
	RETURN SQLSTATE || ' ' || message || ' | ' || regexp_replace(detail, 'is refused: .*', 'is refused');
END
$$;

-- the error that reading a whole body ends in
CREATE FUNCTION fails(body bytea) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	message text;
	detail text;
BEGIN
	PERFORM r FROM reader_read('Rows', NULL, '{ID:text,V:text}', body);
	RETURN 'read';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || message || ' | ' || detail;
END
$$;
