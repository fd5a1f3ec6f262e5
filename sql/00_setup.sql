-- What the other files use: a server that leads to the sandbox, its accounting
-- tables in the schema "xero", and a function that tells what was called.
\getenv url XERO_SANDBOX_URL

-- The tests are about a sandbox of this seed and size, whatever it was before.
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset

CREATE EXTENSION xero_fdw;
SELECT extversion = xero_fdw.version() AS same_version FROM pg_extension WHERE extname = 'xero_fdw';

CREATE SERVER xero FOREIGN DATA WRAPPER xero_fdw
	OPTIONS (api_url :'url', identity_url :'url', login_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER xero
	OPTIONS (access_token 'sandbox-token');
CREATE SCHEMA xero;
IMPORT FOREIGN SCHEMA accounting FROM SERVER xero INTO xero;

-- The calls of this session since it was last asked, also for a role that may not see
-- who calls Xero.
CREATE FUNCTION calls() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	seen timestamptz := nullif(current_setting('test.seen', true), '');
BEGIN
	RETURN QUERY
		SELECT method || ' ' || path || coalesce(' -> ' || nullif(status, 200), '')
		FROM xero_fdw.requests
		WHERE pid = pg_backend_pid() AND path <> '/connections'
			AND (seen IS NULL OR at > seen)
		ORDER BY at;
	PERFORM set_config('test.seen', max(at)::text, false)
	FROM xero_fdw.requests WHERE pid = pg_backend_pid();
END $$;

-- How many of them there were, by kind.
CREATE VIEW cost AS
	SELECT count(*), regexp_replace(regexp_replace(call, '[0-9a-f-]{36}', 'N', 'g'),
		'[?].*?( -> .*)?$', '\1') AS call
	FROM calls() AS call GROUP BY 2 ORDER BY min(call);

-- What a statement that must fail says, without what differs between runs.
CREATE FUNCTION error_of(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT SQLSTATE || ': ' || SQLERRM;
	detail := regexp_replace(detail, '(correlation id )[0-9a-f-]{36}', '\1N');
	RETURN QUERY SELECT 'DETAIL: ' || detail WHERE detail <> '';
	RETURN QUERY SELECT 'HINT: ' || hint WHERE hint <> '';
END $$;

-- The request and the verdict of a condition on a table.
CREATE FUNCTION verdict(condition text, relation text DEFAULT 'xero.invoices',
	columns text DEFAULT '1') RETURNS TABLE (verdict text, sent text)
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT JSON, COSTS OFF) SELECT %s FROM %s WHERE %s',
		columns, relation, condition) INTO plan;
	plan := plan #> '{0,Plan}';
	IF plan ->> 'Node Type' <> 'Foreign Scan' THEN
		RETURN QUERY SELECT plan ->> 'Node Type', NULL;
		RETURN;
	END IF;
	RETURN QUERY
		SELECT CASE
				WHEN plan ? 'Filter' AND plan ? 'Xero Filter' THEN 'superset'
				WHEN plan ? 'Filter' THEN 'local'
				WHEN plan ? 'Xero Filter' THEN 'exact'
				ELSE 'none'
			END,
			-- what every request has is left out
			regexp_replace(regexp_replace(r, '^GET /[a-z.]+/\d\.0', ''),
				'(&|\?)(order=[A-Za-z]+|includeArchived=true|unitdp=4|page=1|pageSize=1000'
				'|summaryOnly=true)(?=&|$| )', '', 'g')
		FROM jsonb_array_elements_text(
			CASE jsonb_typeof(plan -> 'Xero Request')
				WHEN 'array' THEN plan -> 'Xero Request'
				ELSE jsonb_build_array(plan -> 'Xero Request')
			END) AS r;
END $$;
CREATE FUNCTION verdicts(VARIADIC conditions text[])
RETURNS TABLE (condition text, verdict text, sent text) LANGUAGE sql AS $$
	SELECT c, v.*
	FROM unnest(conditions) WITH ORDINALITY AS c(c, n), verdict(c) AS v
	ORDER BY n
$$;

-- For syncs, an ordinary role that may log in: it has a user mapping, a schema, and
-- the given rights on foreign tables ('SELECT ON xero.contacts').  What is behind the
-- syncs is closed to it; views in the schema show it.
CREATE PROCEDURE create_books(schema text, VARIADIC rights text[]) LANGUAGE plpgsql AS $$
DECLARE
	item text;
BEGIN
	CREATE ROLE regress_xero_books LOGIN;
	CREATE USER MAPPING FOR regress_xero_books SERVER xero OPTIONS (access_token 'sandbox-token');
	EXECUTE format('CREATE SCHEMA %I AUTHORIZATION regress_xero_books', schema);
	GRANT USAGE ON SCHEMA xero TO regress_xero_books;
	FOREACH item IN ARRAY rights LOOP
		EXECUTE format('GRANT %s TO regress_xero_books', item);
	END LOOP;
	FOR item IN
			SELECT relname FROM pg_class
			WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind = 'r' AND relname ~ '^sync' LOOP
		EXECUTE format('CREATE VIEW %1$I.%2$I AS TABLE xero_fdw.%2$I;'
			' GRANT SELECT ON %1$I.%2$I TO regress_xero_books', schema, item);
	END LOOP;
END $$;

-- What the other files call first: without this one they say what they lack.  Nothing is
-- known of the number of records then, whatever ran before.
CREATE PROCEDURE needs_00_setup() LANGUAGE sql AS 'SELECT xero_fdw.reset_stats()';

-- Nothing so far has called Xero.
SELECT * FROM calls();
SELECT count(*) FROM xero.organisation;
SELECT * FROM calls();
SELECT * FROM calls();
