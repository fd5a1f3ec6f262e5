-- Mirrors: local copies of foreign tables.
--
-- A mirror is a sync that only pulls, into a table of the same columns whose
-- primary key is the organisation and the record's key.  The local table is its
-- own image of what was read: records are put into it as they come, without
-- links, and whatever differs from Xero gives way.
--
-- Rows of a line table are made of their parents' arrays.  They cost no call,
-- and are replaced whenever their parent has changed.

-- The columns that identify a row in the copy, the organisation first; lines
-- that Xero does not number are counted.  Null if the foreign table lacks one.
CREATE FUNCTION @extschema@._mirror_key(relation regclass) RETURNS text[]
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN array_position(key, NULL) IS NULL THEN key END
	FROM @extschema@._xero_object(relation) AS x
		JOIN @extschema@.objects AS o ON o.object = x.object,
		@extschema@._line_source(relation) AS source,
		LATERAL (
			SELECT max(c.column_name) FILTER (WHERE c.known = 'tenant_id') AS tenant,
				max(c.column_name) FILTER (WHERE c.of_parent AND c.known = source.parent_key) AS parent,
				max(c.column_name) FILTER (WHERE NOT c.of_parent AND c.known = o.key_column) AS own
			FROM @extschema@._list_columns(relation) AS c
		) AS k,
		LATERAL (
			SELECT CASE WHEN source.parent_key IS NULL THEN ARRAY[tenant, own]
				ELSE ARRAY[tenant, parent, CASE WHEN o.key_column IS NULL THEN 'line_number' ELSE own END] END AS key
		) AS a
$$;
COMMENT ON FUNCTION @extschema@._mirror_key(regclass) IS
	'internal: the primary key of the copy of a foreign table; null if it cannot be copied';

CREATE FUNCTION @extschema@._mirror_columns(relation regclass,
		OUT column_name text, OUT type text, OUT description text, OUT n integer)
	RETURNS SETOF record
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.attname, format_type(a.atttypid, a.atttypmod),
		col_description(relation, a.attnum), a.attnum
	FROM @extschema@._list_columns(relation) AS c
		JOIN pg_attribute AS a ON a.attrelid = relation AND a.attname = c.column_name
UNION ALL
	SELECT 'line_number', 'integer', 'Place among the lines of its parent, from 1', 10000
	WHERE 'line_number' = ANY (@extschema@._mirror_key(relation))
$$;
COMMENT ON FUNCTION @extschema@._mirror_columns(regclass) IS
	'internal: the columns of the copy of a foreign table: those that cost no call of their own';

-- The foreign tables that are meant: those of a schema or, if there is no schema
-- of that name, of a server.
CREATE FUNCTION @extschema@._mirror_sources(remote text)
	RETURNS TABLE (relation regclass, name text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
		SELECT c.oid::regclass, c.relname::text
		FROM pg_foreign_table AS t
			JOIN pg_class AS c ON c.oid = t.ftrelid
			JOIN pg_namespace AS n ON n.oid = c.relnamespace
			JOIN pg_foreign_server AS s ON s.oid = t.ftserver
		WHERE CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = remote)
				THEN n.nspname = remote ELSE s.srvname = remote END
			AND (@extschema@._xero_object(c.oid)).object IS NOT NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'schema "%" has no foreign tables of xero_fdw', remote
			USING ERRCODE = 'undefined_table',
				HINT = 'Import them first, as in: CREATE SCHEMA xero; IMPORT FOREIGN SCHEMA accounting FROM SERVER xero INTO xero;';
	END IF;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_sources(text) IS
	'internal: the foreign tables of a schema or a server';

-- The table whose records hold the lines: one that is mirrored along, or was
-- before.
CREATE FUNCTION @extschema@._mirror_parent(relation regclass, local_schema text,
		chosen regclass[]) RETURNS regclass
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.relation
	FROM @extschema@._line_source(_mirror_parent.relation) AS source,
		(
			SELECT unnest(chosen) AS relation
			UNION
			SELECT s.xero_table FROM @extschema@.sync AS s
				JOIN pg_class AS c ON c.oid = s.local_table
			WHERE s.mirror AND c.relnamespace = to_regnamespace(quote_ident(local_schema))
		) AS p
		JOIN pg_foreign_table AS t ON t.ftrelid = p.relation
		JOIN pg_foreign_table AS own ON own.ftrelid = _mirror_parent.relation AND own.ftserver = t.ftserver
	WHERE (@extschema@._xero_object(p.relation)).object = source.parent_object
		AND EXISTS (SELECT FROM @extschema@._list_columns(p.relation) AS c
			WHERE c.known = source.array_column)
	LIMIT 1
$$;
COMMENT ON FUNCTION @extschema@._mirror_parent(regclass, text, regclass[]) IS
	'internal: the foreign table whose records hold the rows of a line table';

-- What keeps a table from being mirrored.  A local table of that name may exist
-- if it could be the copy.
CREATE FUNCTION @extschema@._mirror_faults(relation regclass, local_schema text,
		name text, chosen regclass[]) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH
	source AS (
		SELECT s.*, @extschema@._mirror_key(relation) AS key
		FROM @extschema@._line_source(relation) AS s
	),
	local AS (
		SELECT c.oid::regclass AS relation, c.relkind, ARRAY(
				SELECT a.attname::text FROM pg_index AS i
					JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
				WHERE i.indrelid = c.oid AND i.indisprimary) AS key
		FROM pg_class AS c
		WHERE c.relnamespace = to_regnamespace(quote_ident(local_schema)) AND c.relname = name
	)
	SELECT format('42501 You may not read foreign table %s.', relation)
	WHERE NOT has_table_privilege(relation, 'SELECT')
UNION ALL
	SELECT format('42703 Foreign table %s lacks a column that identifies its rows.', relation)
	FROM source WHERE key IS NULL
UNION ALL
	SELECT format('22023 Foreign table %s has lines of %s, which must be mirrored, too, with column "%s".',
		relation, parent_object, array_column)
	FROM source
	WHERE parent_object IS NOT NULL AND @extschema@._mirror_parent(relation, local_schema, chosen) IS NULL
UNION ALL
	SELECT format('42809 %s exists and is not a table.', local.relation)
	FROM local WHERE relkind NOT IN ('r', 'p')
UNION ALL
	SELECT format('42P07 Table %s exists, without a primary key of %s.', local.relation, array_to_string(source.key, ', '))
	FROM local, source
	WHERE relkind IN ('r', 'p') AND NOT (local.key @> source.key AND local.key <@ source.key)
UNION ALL
	SELECT format('42P07 Table %s lacks columns (%s), such as "%s" of type %s.', local.relation, count(*),
		(array_agg(c.column_name ORDER BY c.n))[1], (array_agg(c.type ORDER BY c.n))[1])
	FROM local, @extschema@._mirror_columns(_mirror_faults.relation) AS c
	WHERE relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_attribute AS a
		WHERE a.attrelid = local.relation AND a.attname = c.column_name
			AND format_type(a.atttypid, a.atttypmod) = c.type)
	GROUP BY local.relation
UNION ALL
	SELECT format('42710 There is a sync "%s" of other tables; xero_fdw.drop_sync() forgets it.', s.name)
	FROM @extschema@.sync AS s
	WHERE s.name = local_schema || '.' || _mirror_faults.name
		AND NOT (s.mirror AND s.xero_table = _mirror_faults.relation
			AND s.local_table IN (SELECT l.relation FROM local AS l)
			AND s.owner = current_user::regrole)
$$;
COMMENT ON FUNCTION @extschema@._mirror_faults(regclass, text, text, regclass[]) IS
	'internal: what keeps a foreign table from being mirrored';

CREATE FUNCTION @extschema@._create_copy(relation regclass, local_schema text,
		name text) RETURNS regclass
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	copy text := format('%I.%I', local_schema, name);
	statement text;
BEGIN
	EXECUTE (
		SELECT format('CREATE TABLE %s (%s, PRIMARY KEY (%s))', copy,
			string_agg(format('%I %s', column_name, type), ', ' ORDER BY n),
			(SELECT string_agg(quote_ident(k), ', ') FROM unnest(@extschema@._mirror_key(relation)) AS k))
		FROM @extschema@._mirror_columns(relation));
	EXECUTE format('COMMENT ON TABLE %s IS %L', copy, obj_description(relation, 'pg_class'));
	FOR statement IN
			SELECT format('COMMENT ON COLUMN %s.%I IS %L', copy, column_name, description)
			FROM @extschema@._mirror_columns(relation) WHERE description IS NOT NULL LOOP
		EXECUTE statement;
	END LOOP;
	RETURN copy;
END $$;
COMMENT ON FUNCTION @extschema@._create_copy(regclass, text, text) IS
	'internal: an empty table like a foreign table, with a primary key';

CREATE FUNCTION @extschema@._create_mirror(relation regclass, local_schema text,
		name text, parent @extschema@.sync, path text) RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	copy regclass := coalesce(to_regclass(format('%I.%I', local_schema, name)),
		@extschema@._create_copy(relation, local_schema, name));
	columns text[] := ARRAY(SELECT column_name FROM @extschema@._mirror_columns(relation));
	definition @extschema@.sync;
BEGIN
	INSERT INTO @extschema@.sync (name, xero_table, local_table, direction, fields,
		conflict, initial, on_delete, xero_key, local_key, watch, columns, mirror,
		parent_id, search_path)
	SELECT local_schema || '.' || name, relation, copy, 'pull',
		(SELECT jsonb_object_agg(c, c) FROM unnest(columns) AS c WHERE c <> 'line_number'),
		'xero', 'xero_to_local', 'archive', key[2], key, 'compare',
		jsonb_build_object('xero', @extschema@._types(relation, columns),
			'local', @extschema@._types(copy, columns)), true, parent.sync_id, path
	FROM @extschema@._mirror_key(relation) AS key
	RETURNING * INTO definition;
	PERFORM @extschema@._insert_fields(definition, ARRAY(
		SELECT ROW(NULL, c, c, c, 'to_local', NULL, NULL, ARRAY[c], ARRAY[c])::@extschema@.sync_field
		FROM jsonb_object_keys(definition.fields) AS c));
	RETURN definition.sync_id;
END $$;
COMMENT ON FUNCTION @extschema@._create_mirror(regclass, text, text, @extschema@.sync, text) IS
	'internal: the sync of a copy, which is made if it is not there';

-- Creates what is missing; the syncs that pull.
CREATE FUNCTION @extschema@._define_mirror(remote text, local_schema text,
		tables text[], path text) RETURNS integer[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sources regclass[];
	chosen regclass[];
	faults text[];
	source record;
	parent @extschema@.sync;
	line integer;
BEGIN
	SELECT array_agg(s.relation) INTO sources FROM @extschema@._mirror_sources(remote) AS s;
	chosen := ARRAY(SELECT s FROM unnest(sources) AS s JOIN pg_class AS c ON c.oid = s
		WHERE c.relname = ANY (tables)
			OR tables IS NULL AND has_table_privilege(s, 'SELECT') AND @extschema@._mirror_key(s) IS NOT NULL
				AND ((@extschema@._line_source(s)).parent_object IS NULL
					OR @extschema@._mirror_parent(s, local_schema, sources) IS NOT NULL));
	faults := ARRAY(
		SELECT format('42P01 There is no foreign table "%s" of xero_fdw in "%s".', t, remote)
		FROM unnest(tables) AS t
		WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = ANY (chosen) AND c.relname = t)
	UNION ALL
		SELECT format('42P09 There are several foreign tables "%s" of server "%s"; name a schema instead.', c.relname, remote)
		FROM pg_class AS c WHERE c.oid = ANY (chosen)
		GROUP BY c.relname HAVING count(*) > 1
	UNION ALL
		SELECT f FROM pg_class AS c, @extschema@._mirror_faults(c.oid, local_schema, c.relname, chosen) AS f
		WHERE c.oid = ANY (chosen));
	PERFORM @extschema@._raise_faults(format('"%s" cannot be mirrored in schema "%s"', remote, local_schema), faults);

	IF to_regnamespace(quote_ident(local_schema)) IS NULL THEN
		EXECUTE format('CREATE SCHEMA %I', local_schema);
	END IF;
	-- parents before their lines
	FOR source IN
			SELECT c.oid::regclass AS relation, c.relname::text AS name,
				@extschema@._mirror_parent(c.oid, local_schema, chosen) AS holder
			FROM pg_class AS c
			WHERE c.oid = ANY (chosen) AND NOT EXISTS (SELECT FROM @extschema@.sync AS s
				WHERE s.name = local_schema || '.' || c.relname)
			ORDER BY (@extschema@._line_source(c.oid)).parent_object IS NOT NULL, c.relname LOOP
		parent := NULL;
		IF source.holder IS NULL THEN
			PERFORM @extschema@._create_mirror(source.relation, local_schema, source.name, NULL, path);
			CONTINUE;
		END IF;
		SELECT s.* INTO STRICT parent FROM @extschema@.sync AS s
			JOIN pg_class AS c ON c.oid = s.local_table
		WHERE s.mirror AND s.xero_table = source.holder
			AND c.relnamespace = to_regnamespace(quote_ident(local_schema));
		PERFORM @extschema@._lock_sync(parent);
		line := @extschema@._create_mirror(source.relation, local_schema, source.name, parent, path);
		PERFORM @extschema@._mirror_all_lines(line);
	END LOOP;
	RETURN ARRAY(SELECT s.sync_id FROM @extschema@.sync AS s
			JOIN pg_class AS c ON c.oid = s.local_table
		WHERE s.mirror AND s.parent_id IS NULL AND s.xero_table = ANY (chosen)
			AND c.relnamespace = to_regnamespace(quote_ident(local_schema))
		ORDER BY s.name);
END $$;
COMMENT ON FUNCTION @extschema@._define_mirror(text, text, text[], text) IS
	'internal: create the local tables and syncs of a mirror that are missing';

CREATE PROCEDURE @extschema@.mirror(remote text, local_schema text,
		tables text[] DEFAULT NULL)
	LANGUAGE plpgsql
AS $$
DECLARE
	ids integer[] := @extschema@._define_mirror(remote, local_schema, tables,
		pg_catalog.current_setting('search_path'));
BEGIN
	COMMIT;
	CALL @extschema@._run_syncs(ids);
END $$;
COMMENT ON PROCEDURE @extschema@.mirror(text, text, text[]) IS
	'copy foreign tables of a schema or server into tables of a local schema, and define the syncs that keep them in step; without tables, all that can be';

-- The statement that puts records into a copy.  "source" selects them, by the
-- names of the foreign table; "whole" says that there are no others.  It tells
-- how many they were, how many of them were there, which have made a difference,
-- which were taken out, and which had been refused before.
CREATE FUNCTION @extschema@._mirror_statement(sync integer, source text,
		whole boolean) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('WITH page AS MATERIALIZED (%s), put AS (INSERT INTO %s AS l (%s) SELECT %s FROM page AS p'
			' ON CONFLICT (%s) DO %s RETURNING l.%I::text AS key)',
			source, s.local_table, columns.own, columns.page, key.own,
			coalesce(format('UPDATE SET (%s) = ROW(%s) WHERE (%s) IS DISTINCT FROM (%s)',
				others.own, others.excluded, others.local, others.excluded), 'NOTHING'), s.xero_key)
		|| CASE WHEN whole THEN format(', gone AS (DELETE FROM %s AS l WHERE l.tenant_id = $1'
			' AND NOT EXISTS (SELECT FROM page AS p WHERE %s) RETURNING l.%I::text AS key)',
			s.local_table, key.equal, s.xero_key) ELSE '' END
		|| format(' SELECT (SELECT count(*) FROM page),'
			' (SELECT count(*) FROM page AS p JOIN %s AS l ON %s AND l.tenant_id = $1),'
			' ARRAY(SELECT key FROM put), ARRAY(%s),'
			' ARRAY(SELECT p.%I::text FROM page AS p WHERE p.%I::text IN (SELECT i.xero_id FROM @extschema@.sync_inbox AS i WHERE i.sync_id = %s AND i.tenant_id = $1 AND i.remote <> ''{}''))',
			s.local_table, key.equal,
			CASE WHEN whole THEN 'SELECT key FROM gone' ELSE 'SELECT NULL::text WHERE false' END,
			s.xero_key, s.xero_key, s.sync_id)
	FROM @extschema@.sync AS s,
		LATERAL (
			SELECT string_agg(quote_ident(f.field), ', ') AS own,
				string_agg(format('p.%I', f.field), ', ') AS page
			FROM @extschema@.sync_field AS f WHERE f.sync_id = s.sync_id
		) AS columns,
		LATERAL (
			SELECT string_agg(quote_ident(f.field), ', ') AS own,
				string_agg(format('l.%I', f.field), ', ') AS local,
				string_agg(format('excluded.%I', f.field), ', ') AS excluded
			FROM @extschema@.sync_field AS f
			WHERE f.sync_id = s.sync_id AND f.field <> ALL (s.local_key)
		) AS others,
		LATERAL (
			SELECT string_agg(quote_ident(k), ', ') AS own,
				string_agg(format('p.%I = l.%I', k, k), ' AND ') AS equal
			FROM unnest(s.local_key) AS k
		) AS key
	WHERE s.sync_id = sync
$$;
COMMENT ON FUNCTION @extschema@._mirror_statement(integer, text, boolean) IS
	'internal: the statement that puts records into a copy';

CREATE FUNCTION @extschema@._mirror_put(sync integer, tenant uuid, statement text,
		watermark timestamptz, ids text[], OUT read bigint, OUT had bigint,
		OUT put text[], OUT gone text[], OUT refused text[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@._use_path(sync);
	EXECUTE statement INTO read, had, put, gone, refused USING tenant, watermark, ids;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_put(integer, uuid, text, timestamptz, text[]) IS
	'internal: put records into a copy';

-- What _lines() wants to know of a parent, from the copy "l".
CREATE FUNCTION @extschema@._line_members(line regclass, parent regclass)
	RETURNS text
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('%L, l.%I', coalesce(p.known, own.attname, p.column_name), p.column_name), ', ')
	FROM @extschema@._line_source(line) AS source,
		@extschema@._list_columns(parent) AS p
		JOIN pg_attribute AS a ON a.attrelid = parent AND a.attname = p.column_name
		LEFT JOIN pg_attribute AS own ON own.attrelid = line AND EXISTS (
			SELECT FROM unnest(a.attfdwoptions) AS theirs, unnest(own.attfdwoptions) AS ours
			WHERE theirs LIKE 'field=%' AND lower(ours) = lower('field=../' || substr(theirs, 7)))
	WHERE p.known IN ('tenant_id', source.array_column) OR own.attname IS NOT NULL
$$;
COMMENT ON FUNCTION @extschema@._line_members(regclass, regclass) IS
	'internal: the members of a record that the rows of a line table are made of';

-- Lines are made a hundred parents at a time: what is read of them is held in
-- memory.
CREATE FUNCTION @extschema@._lines_statement(line @extschema@.sync,
		parent @extschema@.sync) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('INSERT INTO %s (%s) SELECT %s FROM generate_series(1, cardinality($2), 100) AS n,'
			' LATERAL (SELECT jsonb_agg(jsonb_build_object(%s)) AS parents FROM %s AS l'
			' WHERE l.tenant_id = $1 AND l.%I = ANY (($2[n : n + 99])::%s[])) AS slice,'
			' ROWS FROM (@extschema@._lines(NULL::%s, slice.parents)) WITH ORDINALITY AS line',
		line.local_table, string_agg(quote_ident(c.column_name), ', '),
		string_agg(CASE WHEN line.fields ? c.column_name THEN format('line.%I', c.column_name)
			ELSE format('row_number() OVER (PARTITION BY line.%I ORDER BY line.ordinality)', line.xero_key) END, ', '),
		@extschema@._line_members(line.xero_table, parent.xero_table), parent.local_table,
		parent.xero_key, parent.columns #>> ARRAY['local', 'columns', parent.xero_key], line.xero_table)
	FROM jsonb_object_keys(line.columns #> '{local,columns}') AS c (column_name)
$$;
COMMENT ON FUNCTION @extschema@._lines_statement(@extschema@.sync, @extschema@.sync) IS
	'internal: the statement that makes the lines of records in a copy';

CREATE FUNCTION @extschema@._mirror_run(sync integer, tenant uuid, keys text[],
		statement text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@._use_path(sync);
	EXECUTE statement USING tenant, keys;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_run(integer, uuid, text[], text) IS
	'internal: run a statement on rows of a copy';

CREATE FUNCTION @extschema@._mirror_lines(line integer, tenant uuid, parents text[])
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	self @extschema@.sync;
	parent @extschema@.sync;
BEGIN
	SELECT * INTO STRICT self FROM @extschema@.sync AS s WHERE s.sync_id = line;
	SELECT * INTO STRICT parent FROM @extschema@.sync AS s WHERE s.sync_id = self.parent_id;
	PERFORM @extschema@._mirror_run(line, tenant, parents,
		format('DELETE FROM %s WHERE tenant_id = $1 AND %I = ANY ($2::%s[])', self.local_table, self.xero_key,
			self.columns #>> ARRAY['local', 'columns', self.xero_key]));
	PERFORM @extschema@._mirror_run(line, tenant, parents, @extschema@._lines_statement(self, parent));
END $$;
COMMENT ON FUNCTION @extschema@._mirror_lines(integer, uuid, text[]) IS
	'internal: replace the lines of records by what these have in the copy';

CREATE FUNCTION @extschema@._mirror_all_lines(line integer) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent @extschema@.sync;
	tenant uuid;
	keys text[];
BEGIN
	SELECT p.* INTO STRICT parent
	FROM @extschema@.sync AS s JOIN @extschema@.sync AS p ON p.sync_id = s.parent_id
	WHERE s.sync_id = line;
	FOR tenant, keys IN EXECUTE format(
			'SELECT tenant_id, array_agg(key) FROM (SELECT tenant_id, %I::text AS key,'
			' (row_number() OVER (PARTITION BY tenant_id) - 1) / 1000 AS n FROM %s) AS k GROUP BY tenant_id, n',
			parent.xero_key, parent.local_table) LOOP
		PERFORM @extschema@._mirror_lines(line, tenant, keys);
	END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_all_lines(integer) IS
	'internal: make the lines of all records that a copy has';

-- Puts records into the copy, and their lines; how many they were.
CREATE FUNCTION @extschema@._mirror_page(run bigint, sync integer, tenant uuid,
		source text, whole boolean, watermark timestamptz, ids text[])
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	page record;
	added bigint;
BEGIN
	page := @extschema@._mirror_put(sync, tenant,
		@extschema@._mirror_statement(sync, source, whole), watermark, ids);
	PERFORM @extschema@._mirror_lines(s.sync_id, tenant, page.put || page.gone)
	FROM @extschema@.sync AS s
	WHERE s.parent_id = sync AND page.put || page.gone <> '{}';
	IF page.refused <> '{}' THEN
		DELETE FROM @extschema@.sync_inbox AS i
		WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = ANY (page.refused);
		DELETE FROM @extschema@.sync_issue AS i
		WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = ANY (page.refused);
	END IF;
	added := page.read - page.had;
	UPDATE @extschema@.sync_run AS r
	SET created = r.created + added,
		updated = r.updated + greatest(cardinality(page.put) - added, 0) + cardinality(page.gone),
		unchanged = r.unchanged + greatest(page.read - cardinality(page.put), 0)
	WHERE r.run_id = run;
	RETURN page.read;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_page(bigint, integer, uuid, text, boolean, timestamptz, text[]) IS
	'internal: put records and their lines into a copy';

CREATE FUNCTION @extschema@._mirror_missing(sync integer, tenant uuid)
	RETURNS TABLE (xero_id text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE (
		SELECT format('SELECT l.%I::text FROM %s AS l WHERE l.tenant_id = $1 AND NOT EXISTS (SELECT'
			' FROM @extschema@.sync_inbox AS i WHERE i.sync_id = %s AND i.tenant_id = $1 AND i.xero_id = l.%I::text)',
			s.xero_key, s.local_table, sync, s.xero_key)
		FROM @extschema@.sync AS s WHERE s.sync_id = sync) USING tenant;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_missing(integer, uuid) IS
	'internal: what is in a copy and not in the inbox';

CREATE FUNCTION @extschema@._mirror_foresee(sync integer, tenant uuid,
		condition text, limits text, whole boolean, watermark timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	read CONSTANT bigint := @extschema@._fill_inbox(sync, tenant,
		@extschema@._records_query(sync, condition, limits), watermark);
BEGIN
	IF whole THEN
		INSERT INTO @extschema@.sync_inbox (sync_id, tenant_id, xero_id)
		SELECT sync, tenant, m.xero_id FROM @extschema@._mirror_missing(sync, tenant) AS m;
	END IF;
	RETURN read;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_foresee(integer, uuid, text, text, boolean, timestamptz) IS
	'internal: read records into the inbox, and what is gone';

-- Reads records into the copy.  If it refuses one, they are read into the inbox,
-- from where _mirror_inbox() finds out which.
CREATE FUNCTION @extschema@._mirror_read(run bigint, sync integer, tenant uuid,
		condition text, limits text, whole boolean, watermark timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source text;
BEGIN
	SELECT format('SELECT %s FROM %s AS xero WHERE %s %s',
		(SELECT string_agg(format('xero.%I', f.field), ', ') FROM @extschema@.sync_field AS f WHERE f.sync_id = s.sync_id),
		s.xero_table, condition, limits)
	INTO STRICT source FROM @extschema@.sync AS s WHERE s.sync_id = sync;
	RETURN @extschema@._mirror_page(run, sync, tenant, source, whole, watermark, NULL);
EXCEPTION WHEN OTHERS THEN
	IF NOT @extschema@._is_row_error(SQLSTATE) THEN
		RAISE;
	END IF;
	RETURN @extschema@._fill_inbox(sync, tenant,
		@extschema@._records_query(sync, condition, limits), watermark);
END $$;
COMMENT ON FUNCTION @extschema@._mirror_read(bigint, integer, uuid, text, text, boolean, timestamptz) IS
	'internal: read records into a copy; how many they were';

-- A chunk of a pull.  For a plan the records stay in the inbox.
CREATE FUNCTION @extschema@._mirror_records(run bigint, sync integer, tenant uuid,
		condition text, limits text, watermark timestamptz) RETURNS bigint
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN run IS NULL
		THEN @extschema@._mirror_foresee(sync, tenant, condition, limits, whole, watermark)
		ELSE @extschema@._mirror_read(run, sync, tenant, condition, limits, whole, watermark) END
	FROM (VALUES (watermark IS NULL AND limits = '')) AS v (whole)
$$;
COMMENT ON FUNCTION @extschema@._mirror_records(bigint, integer, uuid, text, text, timestamptz) IS
	'internal: read the records of a pull into a copy; how many they were';

-- Puts records of the inbox into the copy, by halves until those that are refused
-- stand alone.
CREATE FUNCTION @extschema@._mirror_ids(run bigint, sync integer, tenant uuid,
		ids text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	half CONSTANT integer := cardinality(ids) / 2;
BEGIN
	PERFORM @extschema@._mirror_page(run, sync, tenant, format('SELECT r.*'
			' FROM @extschema@.sync_inbox AS i, jsonb_populate_record(NULL::%s, i.remote) AS r'
			' WHERE i.sync_id = %s AND i.tenant_id = $1 AND i.xero_id = ANY ($3)', s.xero_table, sync),
		false, NULL, ids)
	FROM @extschema@.sync AS s WHERE s.sync_id = sync;
EXCEPTION WHEN OTHERS THEN
	IF NOT @extschema@._is_row_error(SQLSTATE) THEN
		RAISE;
	ELSIF half > 0 THEN
		PERFORM @extschema@._mirror_ids(run, sync, tenant, ids[1 : half]);
		PERFORM @extschema@._mirror_ids(run, sync, tenant, ids[half + 1 : cardinality(ids)]);
	ELSE
		PERFORM @extschema@._mirror_issue(run, sync, tenant, ids[1], SQLERRM, SQLSTATE);
	END IF;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_ids(bigint, integer, uuid, text[]) IS
	'internal: put records of the inbox into a copy';

CREATE FUNCTION @extschema@._mirror_issue(run bigint, sync integer, tenant uuid,
		id text, reason text, code text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	remote jsonb;
BEGIN
	UPDATE @extschema@.sync_inbox AS i SET held = true
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = id
	RETURNING i.remote INTO remote;
	UPDATE @extschema@.sync_issue AS i
	SET message = reason, sqlstate = code, payload = remote,
		last_seen = clock_timestamp(), attempts = i.attempts + 1
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = id;
	IF NOT FOUND THEN
		INSERT INTO @extschema@.sync_issue (sync_id, tenant_id, xero_id, kind, message, sqlstate, payload)
		VALUES (sync, tenant, id, 'validation', reason, code, remote);
	END IF;
	UPDATE @extschema@.sync_run AS r SET issues = r.issues + 1 WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_issue(bigint, integer, uuid, text, text, text) IS
	'internal: a record that a copy refuses waits for a person';

CREATE FUNCTION @extschema@._mirror_remove(run bigint, sync integer, tenant uuid,
		ids text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	self @extschema@.sync;
BEGIN
	SELECT * INTO STRICT self FROM @extschema@.sync AS s WHERE s.sync_id = sync;
	PERFORM @extschema@._mirror_run(sync, tenant, ids,
		format('DELETE FROM %s WHERE tenant_id = $1 AND %I = ANY ($2::%s[])', self.local_table, self.xero_key,
			self.columns #>> ARRAY['local', 'columns', self.xero_key]));
	PERFORM @extschema@._mirror_lines(s.sync_id, tenant, ids)
	FROM @extschema@.sync AS s WHERE s.parent_id = sync;
	DELETE FROM @extschema@.sync_inbox AS i
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = ANY (ids);
	DELETE FROM @extschema@.sync_issue AS i
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = ANY (ids);
	UPDATE @extschema@.sync_run AS r SET updated = r.updated + cardinality(ids)
	WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_remove(bigint, integer, uuid, text[]) IS
	'internal: take records that are gone, and their lines, out of a copy';

-- The next of the records that a copy has refused, that an audit has found or a
-- person wants to try again; were they the last?
CREATE FUNCTION @extschema@._mirror_inbox(run bigint, sync integer) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	waiting record;
BEGIN
	FOR waiting IN
			SELECT n.tenant_id, array_agg(n.xero_id) FILTER (WHERE NOT n.gone) AS ids,
				array_agg(n.xero_id) FILTER (WHERE n.gone) AS gone
			FROM (SELECT i.tenant_id, i.xero_id, i.remote IS NULL AS gone FROM @extschema@.sync_inbox AS i
				WHERE i.sync_id = sync AND NOT i.held
				LIMIT 1000) AS n
			GROUP BY n.tenant_id LOOP
		IF waiting.gone IS NOT NULL THEN
			PERFORM @extschema@._mirror_remove(run, sync, waiting.tenant_id, waiting.gone);
		END IF;
		IF waiting.ids IS NOT NULL THEN
			PERFORM @extschema@._mirror_ids(run, sync, waiting.tenant_id, waiting.ids);
		END IF;
	END LOOP;
	RETURN NOT EXISTS (SELECT FROM @extschema@.sync_inbox AS i WHERE i.sync_id = sync AND NOT i.held);
END $$;
COMMENT ON FUNCTION @extschema@._mirror_inbox(bigint, integer) IS
	'internal: put records that wait in the inbox into a copy; were they the last?';

-- What a record, null if it is gone, would change of a row, null if there is none;
-- null for nothing.
CREATE FUNCTION @extschema@._mirror_decision(tenant uuid, id text, remote jsonb,
		local jsonb) RETURNS @extschema@._decision
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	decision @extschema@._decision;
	item @extschema@._item;
BEGIN
	item.tenant_id := tenant;
	item.xero_id := id;
	item.local_key := jsonb_build_array(tenant, id);
	decision.item := item;
	IF remote IS NULL THEN
		decision.local_action := 'delete';
		decision.local_old := local;
		decision.why := '{"": "gone from Xero"}';
	ELSIF local IS NULL THEN
		decision.local_action := 'create';
		decision.local_new := remote;
		decision.why := '{"": "new in Xero"}';
	ELSE
		decision.local_action := 'update';
		SELECT jsonb_object_agg(key, value), jsonb_object_agg(key, local -> key), jsonb_object_agg(key, 'differs from Xero')
		INTO decision.local_new, decision.local_old, decision.why
		FROM jsonb_each(remote) WHERE value IS DISTINCT FROM local -> key;
	END IF;
	RETURN CASE WHEN decision.why IS NOT NULL THEN decision END;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_decision(uuid, text, jsonb, jsonb) IS
	'internal: what a record would change of a row of a copy';

-- Of a plan: what the next records of the inbox would change in the copy; null
-- if there are none.
CREATE FUNCTION @extschema@._mirror_decisions(sync integer)
	RETURNS @extschema@._decision[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	decisions @extschema@._decision[];
BEGIN
	IF NOT EXISTS (SELECT FROM @extschema@.sync_inbox AS i WHERE i.sync_id = sync AND NOT i.held) THEN
		RETURN NULL;
	END IF;
	EXECUTE (
		SELECT format('WITH next AS (DELETE FROM @extschema@.sync_inbox WHERE ctid = ANY (ARRAY('
				'SELECT i.ctid FROM @extschema@.sync_inbox AS i WHERE i.sync_id = %s AND NOT i.held LIMIT 1000))'
				' RETURNING tenant_id, xero_id, remote)'
				' SELECT array_agg(d) FROM next AS n LEFT JOIN %s AS l ON l.tenant_id = n.tenant_id AND l.%I = n.xero_id::%s,'
				' @extschema@._mirror_decision(n.tenant_id, n.xero_id, n.remote, to_jsonb(l)) AS d'
				' WHERE d.why IS NOT NULL',
			sync, s.local_table, s.xero_key, s.columns #>> ARRAY['local', 'columns', s.xero_key])
		FROM @extschema@.sync AS s WHERE s.sync_id = sync) INTO decisions;
	RETURN coalesce(decisions, '{}');
END $$;
COMMENT ON FUNCTION @extschema@._mirror_decisions(integer) IS
	'internal: what records of the inbox would change in a copy';

-- Reads records for an audit.  Those that differ from the copy go into the inbox;
-- of the others it keeps the keys, held and empty, until the list is at its end.
CREATE FUNCTION @extschema@._mirror_audit(sync integer, tenant uuid, condition text,
		limits text, ids text[], OUT read bigint, OUT differing text[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
BEGIN
	SELECT format('WITH r AS MATERIALIZED (%s), compared AS ('
			'SELECT r.*, NOT coalesce(r.remote = (SELECT to_jsonb(z) FROM (SELECT %s) AS z), false) AS differs'
			' FROM r LEFT JOIN %s AS l ON l.tenant_id = $1 AND l.%I = r.xero_id::%s'
		'), put AS ('
			'INSERT INTO @extschema@.sync_inbox AS old (sync_id, tenant_id, xero_id, remote, updated_at, held)'
			' SELECT %s, $1, c.xero_id, CASE WHEN c.differs THEN c.remote ELSE ''{}'' END, c.updated_at, NOT c.differs'
			' FROM compared AS c'
			' ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET remote = excluded.remote,'
			'	updated_at = excluded.updated_at, held = false'
			'	WHERE NOT excluded.held AND old.remote IS DISTINCT FROM excluded.remote'
			' RETURNING xero_id, held'
		') SELECT (SELECT count(*) FROM r), ARRAY(SELECT xero_id FROM put WHERE NOT held)',
		@extschema@._records_query(sync, condition, limits),
		(SELECT string_agg(format('l.%I', f.field), ', ') FROM @extschema@.sync_field AS f WHERE f.sync_id = sync),
		s.local_table, s.xero_key, s.columns #>> ARRAY['local', 'columns', s.xero_key], sync)
	INTO STRICT statement FROM @extschema@.sync AS s WHERE s.sync_id = sync;
	SELECT a.read, a.differing INTO read, differing
	FROM @extschema@._mirror_compare(sync, tenant, statement, ids) AS a;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_audit(integer, uuid, text, text, text[]) IS
	'internal: read records for an audit of a copy';

CREATE FUNCTION @extschema@._mirror_compare(sync integer, tenant uuid,
		statement text, ids text[], OUT read bigint, OUT differing text[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@._use_path(sync);
	EXECUTE statement INTO read, differing USING tenant, NULL::timestamptz, ids;
END $$;
COMMENT ON FUNCTION @extschema@._mirror_compare(integer, uuid, text, text[]) IS
	'internal: compare records with a copy';

-- Those of the ids that Xero, asked for them, did not have go into the inbox.
CREATE FUNCTION @extschema@._mirror_gone(sync integer, tenant uuid, ids text[])
	RETURNS text[]
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH put AS (
		INSERT INTO @extschema@.sync_inbox (sync_id, tenant_id, xero_id)
		SELECT sync, tenant, id FROM unnest(ids) AS id
		ON CONFLICT (sync_id, tenant_id, xero_id) DO NOTHING
		RETURNING xero_id
	)
	SELECT coalesce(array_agg(xero_id), '{}') FROM put
$$;
COMMENT ON FUNCTION @extschema@._mirror_gone(integer, uuid, text[]) IS
	'internal: what an audit has not found';

CREATE FUNCTION @extschema@._mirror_audited(sync integer, tenant uuid) RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM @extschema@.sync_inbox AS i
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.remote = '{}'
$$;
COMMENT ON FUNCTION @extschema@._mirror_audited(integer, uuid) IS
	'internal: forget the keys that an audit has kept';
