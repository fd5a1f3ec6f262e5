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
CREATE FUNCTION xero_fdw._mirror_key(relation regclass) RETURNS text[]
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN array_position(key, NULL) IS NULL THEN key END
	FROM xero_fdw._xero_object(relation) AS x
		JOIN xero_fdw.objects AS o ON o.object = x.object,
		xero_fdw._line_source(relation) AS source,
		LATERAL (
			SELECT max(c.column_name) FILTER (WHERE c.known = 'tenant_id') AS tenant,
				max(c.column_name) FILTER (WHERE c.of_parent AND c.known = source.parent_key) AS parent,
				max(c.column_name) FILTER (WHERE NOT c.of_parent AND c.known = o.key_column) AS own
			FROM xero_fdw._list_columns(relation) AS c
		) AS k,
		LATERAL (
			SELECT CASE WHEN source.parent_key IS NULL THEN ARRAY[tenant, own]
				ELSE ARRAY[tenant, parent, CASE WHEN o.key_column IS NULL THEN 'line_number' ELSE own END] END AS key
		) AS a
$$;
COMMENT ON FUNCTION xero_fdw._mirror_key(regclass) IS
	'internal: the primary key of the copy of a foreign table; null if it cannot be copied';

CREATE FUNCTION xero_fdw._mirror_columns(relation regclass,
		OUT column_name text, OUT type text, OUT description text, OUT n integer)
	RETURNS SETOF record
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.attname, format_type(a.atttypid, a.atttypmod),
		col_description(relation, a.attnum), a.attnum
	FROM xero_fdw._list_columns(relation) AS c
		JOIN pg_attribute AS a ON a.attrelid = relation AND a.attname = c.column_name
UNION ALL
	SELECT 'line_number', 'integer', 'Place among the lines of its parent, from 1', 10000
	WHERE 'line_number' = ANY (xero_fdw._mirror_key(relation))
$$;
COMMENT ON FUNCTION xero_fdw._mirror_columns(regclass) IS
	'internal: the columns of the copy of a foreign table: those that cost no call of their own';

-- The foreign tables that are meant: those of a schema or, if there is no schema
-- of that name, of a server.
CREATE FUNCTION xero_fdw._mirror_sources(remote text)
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
			AND (xero_fdw._xero_object(c.oid)).object IS NOT NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'schema "%" has no foreign tables of xero_fdw', remote
			USING ERRCODE = 'undefined_table',
				HINT = 'Import them first, as in: CREATE SCHEMA xero; IMPORT FOREIGN SCHEMA accounting FROM SERVER xero INTO xero;';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_sources(text) IS
	'internal: the foreign tables of a schema or a server';

-- The table whose records hold the lines: one that is mirrored along, or was
-- before.
CREATE FUNCTION xero_fdw._mirror_parent(relation regclass, local_schema text,
		chosen regclass[]) RETURNS regclass
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.relation
	FROM xero_fdw._line_source(_mirror_parent.relation) AS source,
		(
			SELECT unnest(chosen) AS relation
			UNION
			SELECT s.xero_table FROM xero_fdw.sync AS s
				JOIN pg_class AS c ON c.oid = s.local_table
			WHERE s.mirror AND c.relowner = xero_fdw._caller() AND c.relnamespace = to_regnamespace(quote_ident(local_schema))
		) AS p
		JOIN pg_foreign_table AS t ON t.ftrelid = p.relation
		JOIN pg_foreign_table AS own ON own.ftrelid = _mirror_parent.relation AND own.ftserver = t.ftserver
	WHERE (xero_fdw._xero_object(p.relation)).object = source.parent_object
		AND EXISTS (SELECT FROM xero_fdw._list_columns(p.relation) AS c
			WHERE c.known = source.array_column)
	LIMIT 1
$$;
COMMENT ON FUNCTION xero_fdw._mirror_parent(regclass, text, regclass[]) IS
	'internal: the foreign table whose records hold the rows of a line table';

-- What keeps a table from being mirrored.  A local table of that name may exist
-- if it could be the copy.
CREATE FUNCTION xero_fdw._mirror_faults(relation regclass, local_schema text,
		name text, chosen regclass[]) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH
	source AS (
		SELECT s.*, xero_fdw._mirror_key(relation) AS key
		FROM xero_fdw._line_source(relation) AS s
	),
	local AS (
		SELECT c.oid::regclass AS relation, c.relkind, c.relowner, ARRAY(
				SELECT a.attname::text FROM pg_index AS i
					JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
				WHERE i.indrelid = c.oid AND i.indisprimary) AS key
		FROM pg_class AS c
		WHERE c.relnamespace = to_regnamespace(quote_ident(local_schema)) AND c.relname = name
	)
	SELECT format('42501 You may not read foreign table %s.', relation)
	WHERE NOT has_table_privilege(xero_fdw._caller(), relation, 'SELECT')
UNION ALL
	SELECT xero_fdw._check_types(relation)
UNION ALL
	SELECT format('42703 Foreign table %s lacks a column that identifies its rows.', relation)
	FROM source WHERE key IS NULL
UNION ALL
	SELECT format('22023 Foreign table %s has lines of %s, which must be mirrored, too, with column "%s".',
		relation, parent_object, array_column)
	FROM source
	WHERE parent_object IS NOT NULL AND xero_fdw._mirror_parent(relation, local_schema, chosen) IS NULL
UNION ALL
	-- lines are made of the parent's copy
	SELECT format('42703 Column "%s" of foreign table %s is a member of the records of %s, which has no column of it.',
		own.attname, relation, parent)
	FROM xero_fdw._mirror_parent(relation, local_schema, chosen) AS parent,
		pg_attribute AS own, unnest(own.attfdwoptions) AS ours
	WHERE parent IS NOT NULL AND own.attrelid = relation AND NOT own.attisdropped AND ours LIKE 'field=../%'
		AND NOT EXISTS (SELECT FROM pg_attribute AS a, unnest(a.attfdwoptions) AS theirs
			WHERE a.attrelid = parent AND NOT a.attisdropped
				AND lower(theirs) = lower('field=' || substr(ours, 10)))
UNION ALL
	SELECT format('42809 %s exists and is not a table.', local.relation)
	FROM local WHERE relkind NOT IN ('r', 'p')
UNION ALL
	SELECT format('42501 Table %s exists and belongs to role "%s".', local.relation, pg_get_userbyid(local.relowner))
	FROM local WHERE relowner <> xero_fdw._caller()
UNION ALL
	SELECT format('42P07 Table %s exists, without a primary key of %s.', local.relation, array_to_string(source.key, ', '))
	FROM local, source
	WHERE relkind IN ('r', 'p') AND NOT (local.key @> source.key AND local.key <@ source.key)
UNION ALL
	SELECT format('42P07 Table %s lacks columns (%s), such as "%s" of type %s.', local.relation, count(*),
		(array_agg(c.column_name ORDER BY c.n))[1], (array_agg(c.type ORDER BY c.n))[1])
	FROM local, xero_fdw._mirror_columns(_mirror_faults.relation) AS c
	WHERE relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_attribute AS a
		WHERE a.attrelid = local.relation AND a.attname = c.column_name
			AND format_type(a.atttypid, a.atttypmod) = c.type)
	GROUP BY local.relation
UNION ALL
	SELECT format('42710 There is a sync "%s" of other tables; xero_fdw.drop_sync() forgets it.', s.name)
	FROM xero_fdw.sync AS s
	WHERE s.name = local_schema || '.' || _mirror_faults.name
		AND s.confirmed_by = pg_get_userbyid(xero_fdw._caller())
		AND NOT (s.mirror AND s.xero_table = _mirror_faults.relation
			AND s.local_table IN (SELECT l.relation FROM local AS l))
$$;
COMMENT ON FUNCTION xero_fdw._mirror_faults(regclass, text, text, regclass[]) IS
	'internal: what keeps a foreign table from being mirrored';

CREATE FUNCTION xero_fdw._create_copy(relation regclass, local_schema text,
		name text) RETURNS regclass
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	copy CONSTANT text := format('%I.%I', local_schema, name);
	statements text[];
BEGIN
	SELECT ARRAY[format('CREATE TABLE %s (%s, PRIMARY KEY (%s))', copy,
				string_agg(format('%I %s', column_name, type), ', ' ORDER BY n),
				(SELECT string_agg(quote_ident(k), ', ') FROM unnest(xero_fdw._mirror_key(relation)) AS k)),
			format('COMMENT ON TABLE %s IS %L', copy, obj_description(relation, 'pg_class'))]
		|| array_agg(format('COMMENT ON COLUMN %s.%I IS %L', copy, column_name, description))
			FILTER (WHERE description IS NOT NULL)
	INTO statements FROM xero_fdw._mirror_columns(relation);
	PERFORM xero_fdw._do_as_caller('pg_catalog, pg_temp', statement) FROM unnest(statements) AS statement;
	RETURN copy;
END $$;
COMMENT ON FUNCTION xero_fdw._create_copy(regclass, text, text) IS
	'internal: an empty table like a foreign table, with a primary key';

CREATE FUNCTION xero_fdw._create_mirror(relation regclass, local_schema text,
		name text, parent xero_fdw.sync) RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	copy regclass := coalesce(to_regclass(format('%I.%I', local_schema, name)),
		xero_fdw._create_copy(relation, local_schema, name));
	columns text[] := ARRAY(SELECT column_name FROM xero_fdw._mirror_columns(relation));
	definition xero_fdw.sync;
BEGIN
	definition.name := local_schema || '.' || name;
	definition.xero_table := relation;
	definition.local_table := copy;
	definition.direction := 'pull';
	definition.fields := (SELECT jsonb_object_agg(c, c) FROM unnest(columns) AS c WHERE c <> 'line_number');
	definition.conflict := 'xero';
	definition.initial := 'xero_to_local';
	definition.on_delete := 'archive';
	definition.brake := 1;
	definition.local_key := xero_fdw._mirror_key(relation);
	definition.xero_key := definition.local_key[2];
	definition.watch := 'compare';
	definition.columns := jsonb_build_object('source', xero_fdw._source_of(relation),
		'xero', xero_fdw._types(relation, columns),
		'local', xero_fdw._types(copy, columns));
	definition.mirror := true;
	definition.parent_id := parent.sync_id;
	definition.search_path := xero_fdw._caller_path();
	definition.sync_id := xero_fdw._insert_sync(definition);
	PERFORM xero_fdw._insert_fields(definition, ARRAY(
		SELECT ROW(NULL, c, c, c, 'to_local', NULL, NULL, ARRAY[c], ARRAY[c])::xero_fdw.sync_field
		FROM jsonb_object_keys(definition.fields) AS c));
	RETURN definition.sync_id;
END $$;
COMMENT ON FUNCTION xero_fdw._create_mirror(regclass, text, text, xero_fdw.sync) IS
	'internal: the sync of a copy, which is made if it is not there';

-- Creates what is missing; the syncs that pull.
CREATE FUNCTION xero_fdw._define_mirror(remote text, local_schema text,
		tables text[]) RETURNS integer[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sources regclass[];
	chosen regclass[];
	faults text[];
	source record;
	parent xero_fdw.sync;
	line integer;
BEGIN
	SELECT array_agg(s.relation) INTO sources FROM xero_fdw._mirror_sources(remote) AS s;
	-- of tables of details, a copy would only have what that of their list has
	chosen := ARRAY(SELECT s FROM unnest(sources) AS s JOIN pg_class AS c ON c.oid = s
		WHERE c.relname = ANY (tables)
			OR tables IS NULL AND (xero_fdw._xero_object(s)).object NOT LIKE '%Details' AND has_table_privilege(xero_fdw._caller(), s, 'SELECT') AND xero_fdw._mirror_key(s) IS NOT NULL
				AND ((xero_fdw._line_source(s)).parent_object IS NULL
					OR xero_fdw._mirror_parent(s, local_schema, sources) IS NOT NULL));
	faults := ARRAY(
		SELECT format('42P01 There is no foreign table "%s" of xero_fdw in "%s".', t, remote)
		FROM unnest(tables) AS t
		WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = ANY (chosen) AND c.relname = t)
	UNION ALL
		SELECT format('42P09 There are several foreign tables "%s" of server "%s"; name a schema instead.', c.relname, remote)
		FROM pg_class AS c WHERE c.oid = ANY (chosen)
		GROUP BY c.relname HAVING count(*) > 1
	UNION ALL
		(SELECT f.fault FROM pg_class AS c, xero_fdw._mirror_faults(c.oid, local_schema, c.relname, chosen)
			WITH ORDINALITY AS f(fault, n)
		WHERE c.oid = ANY (chosen)
		ORDER BY c.relname COLLATE "C", f.n));
	PERFORM xero_fdw._raise_faults(format('"%s" cannot be mirrored in schema "%s"', remote, local_schema), faults);

	IF to_regnamespace(quote_ident(local_schema)) IS NULL THEN
		PERFORM xero_fdw._do_as_caller('pg_catalog, pg_temp', format('CREATE SCHEMA %I', local_schema));
	END IF;
	-- parents before their lines
	FOR source IN
			SELECT c.oid::regclass AS relation, c.relname::text AS name,
				xero_fdw._mirror_parent(c.oid, local_schema, chosen) AS holder
			FROM pg_class AS c
			WHERE c.oid = ANY (chosen) AND NOT EXISTS (SELECT FROM xero_fdw.sync AS s
				WHERE s.name = local_schema || '.' || c.relname
					AND s.confirmed_by = pg_get_userbyid(xero_fdw._caller()))
			ORDER BY (xero_fdw._line_source(c.oid)).parent_object IS NOT NULL, c.relname LOOP
		parent := NULL;
		IF source.holder IS NULL THEN
			PERFORM xero_fdw._create_mirror(source.relation, local_schema, source.name, NULL);
			CONTINUE;
		END IF;
		SELECT s.* INTO STRICT parent FROM xero_fdw.sync AS s
			JOIN pg_class AS c ON c.oid = s.local_table
		WHERE s.mirror AND s.xero_table = source.holder AND c.relowner = xero_fdw._caller()
			AND c.relnamespace = to_regnamespace(quote_ident(local_schema));
		PERFORM xero_fdw._lock_sync(parent);
		line := xero_fdw._create_mirror(source.relation, local_schema, source.name, parent);
		PERFORM xero_fdw._mirror_all_lines(parent, s), xero_fdw._analyze_local(line, 0)
		FROM xero_fdw.sync AS s WHERE s.sync_id = line;
	END LOOP;
	RETURN ARRAY(SELECT s.sync_id FROM xero_fdw.sync AS s
			JOIN pg_class AS c ON c.oid = s.local_table
		WHERE s.mirror AND s.parent_id IS NULL AND s.xero_table = ANY (chosen)
			AND c.relowner = xero_fdw._caller()
			AND s.confirmed_by = pg_get_userbyid(xero_fdw._caller())
			AND c.relnamespace = to_regnamespace(quote_ident(local_schema))
		ORDER BY s.name);
END $$;
COMMENT ON FUNCTION xero_fdw._define_mirror(text, text, text[]) IS
	'internal: create the local tables and syncs of a mirror that are missing';

CREATE PROCEDURE xero_fdw.mirror(remote text, local_schema text,
		tables text[] DEFAULT NULL)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_mirror';
COMMENT ON PROCEDURE xero_fdw.mirror(text, text, text[]) IS
	'copy foreign tables of a schema or server into tables of a local schema, and define the syncs that keep them in step; without tables, all that can be';
