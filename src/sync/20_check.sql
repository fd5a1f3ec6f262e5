-- What a sync's definition must be.
--
-- A definition is checked as a whole, by the rights of the caller, and all that
-- is wrong with it is raised as one error.  Until then each fault is a text: an
-- SQLSTATE, a blank, and a sentence.
--
-- The functions belong to the engine.  So what they ask of rights, they ask of
-- _caller(), and the users' expressions and filters are looked at by _analyze()
-- alone, as the caller and under the search path that the sync will have, with
-- the record of Xero named "xero" and the local row named "local".

CREATE FUNCTION xero_fdw._raise_faults(message text, faults text[],
		hint text DEFAULT NULL)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	codes text[] := ARRAY(SELECT DISTINCT left(fault, 5) FROM unnest(faults) AS fault);
	code text := CASE cardinality(codes) WHEN 1 THEN codes[1] ELSE '22023' END;
	details text := (SELECT string_agg(substr(fault, 7), E'\n' ORDER BY n)
		FROM unnest(faults) WITH ORDINALITY AS f (fault, n));
BEGIN
	IF details IS NULL THEN
		RETURN;
	ELSIF hint IS NULL THEN
		RAISE EXCEPTION '%', message USING ERRCODE = code, DETAIL = details;
	END IF;
	RAISE EXCEPTION '%', message USING ERRCODE = code, DETAIL = details, HINT = hint;
END $$;
COMMENT ON FUNCTION xero_fdw._raise_faults(text, text[], text) IS
	'internal: raises all that is wrong, if anything is';

CREATE FUNCTION xero_fdw._xero_object(relation regclass,
		OUT object text, OUT operations text[], OUT updatable boolean)
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT o.object, o.operations,
		xero_fdw._is_updatable(relation, xero_fdw._caller())
	FROM pg_foreign_table AS t
		JOIN pg_foreign_server AS s ON s.oid = t.ftserver
		JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
		JOIN xero_fdw.objects AS o ON o.object =
			(SELECT option_value FROM pg_options_to_table(t.ftoptions) WHERE option_name = 'object')
	WHERE t.ftrelid = relation
		AND w.fdwhandler = 'xero_fdw.xero_fdw_handler()'::regprocedure
$$;
COMMENT ON FUNCTION xero_fdw._xero_object(regclass) IS
	'internal: the object of a foreign table of xero_fdw; nulls for any other relation';

CREATE FUNCTION xero_fdw._xero_columns(relation regclass,
		OUT column_name text, OUT is_key boolean, OUT writable boolean,
		OUT required boolean)
	RETURNS SETOF record
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.attname, coalesce(c.column_name = o.key_column, false),
		coalesce(c.writable, true), coalesce(c.required, false)
	FROM pg_attribute AS a
		CROSS JOIN xero_fdw._xero_object(relation) AS x
		JOIN xero_fdw.objects AS o ON o.object = x.object
		LEFT JOIN LATERAL (
			SELECT option_value AS path FROM pg_options_to_table(a.attfdwoptions)
			WHERE option_name = 'field'
		) AS f ON true
		LEFT JOIN xero_fdw.columns AS c ON c.api = o.api
			AND c.table_name = o.table_name
			AND CASE WHEN f.path IS NULL THEN c.column_name = a.attname
				ELSE lower(c.field) = lower(f.path) END
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION xero_fdw._xero_columns(regclass) IS
	'internal: the columns of a foreign table of xero_fdw, with what the catalogue says of them';

-- Which day a time is, is a question of the time zone, which is UTC in runs and not where
-- the table is used.
CREATE FUNCTION xero_fdw._assignable(source regtype, target regtype)
	RETURNS boolean
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE base (side, type, of) AS (
		SELECT side, t.oid, CASE t.typtype WHEN 'd' THEN t.typbasetype END
		FROM (VALUES (1, source), (2, target)) AS v (side, type)
			JOIN pg_type AS t ON t.oid = v.type
		UNION ALL
		SELECT b.side, t.oid, CASE t.typtype WHEN 'd' THEN t.typbasetype END
		FROM base AS b JOIN pg_type AS t ON t.oid = b.of
	)
	SELECT s.type = t.type OR typcategory = 'S' OR EXISTS (
			SELECT FROM pg_cast
			WHERE castsource = s.type AND casttarget = t.type AND castcontext IN ('i', 'a'))
		AND (s.type, t.type) NOT IN (('date'::regtype, 'timestamptz'::regtype), ('timestamptz'::regtype, 'date'::regtype))
	FROM base AS s, base AS t JOIN pg_type ON oid = t.type
	WHERE s.side = 1 AND s.of IS NULL AND t.side = 2 AND t.of IS NULL
$$;
COMMENT ON FUNCTION xero_fdw._assignable(regtype, regtype) IS
	'internal: can every value of a type be assigned to a column of another, but for its range?';

-- What an error adds that asks for an expression.
CREATE FUNCTION xero_fdw._example(column_name text, source regtype, target regtype)
	RETURNS text
	LANGUAGE sql IMMUTABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN (source, target) = ('date'::regtype, 'timestamptz'::regtype)
			THEN format(', such as "%I::timestamp AT TIME ZONE ''Europe/London''"', column_name)
		WHEN (source, target) = ('timestamptz'::regtype, 'date'::regtype)
			THEN format(', such as "(%I AT TIME ZONE ''Europe/London'')::date"', column_name) END
$$;
COMMENT ON FUNCTION xero_fdw._example(text, regtype, regtype) IS
	'internal: an expression for a column of another type, where it is not obvious';

CREATE FUNCTION xero_fdw._analyze(relation regclass, alias text,
		expression text, path text, OUT type regtype, OUT uses text[])
	LANGUAGE c VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'xero_analyze';
COMMENT ON FUNCTION xero_fdw._analyze(regclass, text, text, text) IS
	'internal: type of an expression on a relation and the columns it reads, or an error with what is wrong with it';

CREATE FUNCTION xero_fdw._check_expression(relation regclass, alias text,
		expression text, path text,
		OUT type regtype, OUT uses text[], OUT fault text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT a.type, a.uses INTO type, uses
	FROM xero_fdw._analyze(relation, alias, expression, path) AS a;
EXCEPTION WHEN OTHERS THEN
	fault := format('%s %s.', SQLSTATE, upper(left(SQLERRM, 1)) || substr(SQLERRM, 2));
END $$;
COMMENT ON FUNCTION xero_fdw._check_expression(regclass, text, text, text) IS
	'internal: type of an expression on a relation and the columns it reads, or the fault of it';

-- The name of a type in a statement that runs under a path of the user's, in which
-- a schema may stand before pg_catalog: format_type() leaves that one out.  Names
-- that the grammar knows, such as "character varying", are those of pg_catalog.
CREATE FUNCTION xero_fdw._type_name(type oid, modifier integer) RETURNS text
	LANGUAGE plpgsql STABLE STRICT
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN (SELECT CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace AND f.name IN (
					SELECT quote_ident(n.typname) || suffix FROM pg_type AS n, unnest(ARRAY['', '[]']) AS suffix
					WHERE n.oid IN (t.oid, t.typelem))
				THEN 'pg_catalog.' || f.name ELSE f.name END
		FROM pg_type AS t, format_type(type, modifier) AS f (name)
		WHERE t.oid = type);
END $$;
COMMENT ON FUNCTION xero_fdw._type_name(oid, integer) IS
	'internal: the name of a type under any search path';

CREATE FUNCTION xero_fdw._column_type(relation regclass, column_name text)
	RETURNS regtype
	LANGUAGE plpgsql STABLE STRICT
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN (SELECT atttypid FROM pg_attribute
		WHERE attrelid = relation AND attname = column_name AND attnum > 0
			AND NOT attisdropped);
END $$;
COMMENT ON FUNCTION xero_fdw._column_type(regclass, text) IS
	'internal: type of a column; null if there is none';

-- The key's values go through jsonb, which has no place for some types.
CREATE FUNCTION xero_fdw._local_key(relation regclass, fields jsonb,
		OUT columns text[], OUT fault text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	marked text[] := ARRAY(SELECT key FROM jsonb_each(fields)
		WHERE value -> 'key' = 'true' ORDER BY key);
BEGIN
	SELECT array_agg(a.attname::text ORDER BY k.n) INTO columns
	FROM pg_index AS i
		CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
		JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
	WHERE i.indrelid = relation AND i.indisprimary AND k.n <= i.indnkeyatts;
	IF columns IS NOT NULL AND marked <> '{}' THEN
		fault := format('22023 The key of %s is its primary key; "key" is for foreign tables.',
			relation);
	ELSIF columns IS NULL AND (SELECT relkind FROM pg_class WHERE oid = relation) = 'f' THEN
		columns := marked;
		IF marked = '{}' THEN
			fault := format('22023 Foreign table %s needs a key: '
				'mark the columns that identify a row, as in {"id": {"key": true}}.', relation);
		END IF;
	ELSIF columns IS NULL THEN
		fault := format('22023 Table %s has no primary key.', relation);
	END IF;
	IF fault IS NOT NULL THEN
		columns := NULL;
		RETURN;
	END IF;
	SELECT format('42804 Column "%s" cannot be a key, as it is of type %s.',
		c, format_type(t.oid, NULL))
	INTO fault
	FROM unnest(columns) AS c
		JOIN pg_type AS t ON t.oid = xero_fdw._column_type(relation, c)
		LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
	WHERE t.typcategory IN ('A', 'C', 'R', 'P', 'G')
		OR t.oid IN ('json'::regtype, 'jsonb'::regtype, 'xml'::regtype)
		OR t.typtype = 'd' AND b.typcategory NOT IN ('S', 'D', 'U')
	LIMIT 1;
END $$;
COMMENT ON FUNCTION xero_fdw._local_key(regclass, jsonb) IS
	'internal: the columns that identify a row of a local table';

-- A sync does what its owner may, and its owner is the owner of the local table.
-- Rows of a table may be rows of others, whose triggers are theirs.
CREATE FUNCTION xero_fdw._check_owner(local_table regclass)
	RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE
	kin (relation, above) AS (
		SELECT local_table::oid, above FROM unnest(ARRAY[true, false]) AS above
		UNION
		SELECT CASE WHEN above THEN inhparent ELSE inhrelid END, above
		FROM kin JOIN pg_inherits
			ON relation = CASE WHEN above THEN inhrelid ELSE inhparent END
	),
	local AS (SELECT relowner AS owner FROM pg_class WHERE oid = local_table)
	SELECT format('42501 Table %s belongs to %s, whose sync it would be.',
		local_table, owner::regrole)
	FROM local
	WHERE owner <> xero_fdw._caller()
UNION ALL
	(SELECT format(CASE WHEN above
			THEN '42501 Table %s is part of %s, which belongs to %s; they need the same owner.'
			ELSE '42501 Table %s has a part %s, which belongs to %s; they need the same owner.'
		END, local_table, oid::regclass, relowner::regrole)
	FROM kin JOIN pg_class ON oid = relation
		CROSS JOIN local
	WHERE relowner <> owner
	ORDER BY oid)
$$;
COMMENT ON FUNCTION xero_fdw._check_owner(regclass) IS
	'internal: faults of a local table that belongs to others than the caller, or has parts that do';

-- What a sync cannot see must not look as if it had been deleted.  So its owner
-- sees all rows of the local table, no row is lost but by a statement, and
-- triggers tell of all statements.  The owner of a table is above its row level
-- security unless that is forced.
CREATE FUNCTION xero_fdw._check_rows(definition xero_fdw.sync)
	RETURNS SETOF text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN QUERY
	WITH part AS (
		SELECT c.* FROM pg_class AS c
		WHERE c.oid = definition.local_table
			OR c.oid IN (SELECT t.relid FROM pg_partition_tree(definition.local_table) AS t)
	)
	SELECT format('42501 Row level security of table %s is forced, so rows may be hidden from its owner.', part.oid::regclass)
	FROM part, pg_roles AS caller
	WHERE part.relrowsecurity AND part.relforcerowsecurity
		AND caller.oid = xero_fdw._caller() AND NOT (caller.rolsuper OR caller.rolbypassrls)
UNION ALL
	SELECT format('42809 Table %s is unlogged, so a crash of the server empties it.', part.oid::regclass)
	FROM part WHERE part.relpersistence = 'u'
UNION ALL
	SELECT format('42809 Table %s inherits from %s, so rows are in one that no trigger of the other watches.',
		i.inhrelid::regclass, i.inhparent::regclass)
	FROM pg_inherits AS i JOIN pg_class AS parent ON parent.oid = i.inhparent
	WHERE definition.local_table IN (i.inhrelid, i.inhparent) AND parent.relkind <> 'p'
UNION ALL
	SELECT format('0A000 Nothing tells of the rows of foreign table %s that they were deleted, '
		'so on_delete cannot be archive.', part.oid::regclass)
	FROM part
	WHERE part.oid = definition.local_table AND part.relkind = 'f'
		AND definition.on_delete = 'archive' AND definition.direction <> 'pull';
END $$;
COMMENT ON FUNCTION xero_fdw._check_rows(xero_fdw.sync) IS
	'internal: faults of a local table whose rows may be hidden, or lost unnoticed';

-- Values that are read are given the column's type, and the CHECKs of a domain, say,
-- are its owner's code.  Superusers need none of this, and the caller's own code
-- may run as the caller.
CREATE FUNCTION xero_fdw._check_types(xero_table regclass)
	RETURNS SETOF text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN QUERY
	SELECT format('42501 Column "%s" of foreign table %s is of type %s, which belongs to %s, whose code would run as you.',
		a.attname, xero_table, t.oid::regtype, t.typowner::regrole)
	FROM pg_attribute AS a
		JOIN pg_type AS t ON t.oid = a.atttypid
		JOIN pg_roles AS owner ON owner.oid = t.typowner
	WHERE a.attrelid = xero_table AND a.attnum > 0 AND NOT a.attisdropped
		AND NOT owner.rolsuper AND owner.oid <> xero_fdw._caller()
	ORDER BY a.attnum;
END $$;
COMMENT ON FUNCTION xero_fdw._check_types(regclass) IS
	'internal: faults of a foreign table whose columns have types of others than the caller';

CREATE FUNCTION xero_fdw._check_tables(INOUT definition xero_fdw.sync,
		OUT faults text[])
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	class pg_class;
	fault text;
BEGIN
	faults := ARRAY(
		SELECT format('42P01 Table %s was dropped.',
			coalesce(definition.columns -> side ->> 'table', relation::text))
		FROM (VALUES ('xero', definition.xero_table), ('local', definition.local_table))
			AS t (side, relation)
		WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = relation));
	IF faults <> '{}' THEN
		definition.local_key := NULL;
		RETURN;
	END IF;

	IF xero_fdw._xero_object(definition.xero_table) IS NULL THEN
		faults := faults || format('42809 %s is not a foreign table of xero_fdw.',
			definition.xero_table);
	ELSE
		SELECT column_name INTO definition.xero_key
		FROM xero_fdw._xero_columns(definition.xero_table) WHERE is_key;
		IF NOT FOUND THEN
			faults := faults || format(
				'42703 Foreign table %s has no column that identifies a record.',
				definition.xero_table);
		END IF;
		IF xero_fdw._column_type(definition.xero_table, 'tenant_id') IS NULL THEN
			faults := faults || format('42703 Foreign table %s has no column "tenant_id".',
				definition.xero_table);
		END IF;
		faults := faults || ARRAY(SELECT xero_fdw._check_types(definition.xero_table));
	END IF;

	definition.local_key := NULL;
	SELECT * INTO class FROM pg_class WHERE oid = definition.local_table;
	IF class.relkind NOT IN ('r', 'p', 'f') THEN
		faults := faults || format('42809 %s is not a table.', definition.local_table);
	ELSIF class.relpersistence = 't' THEN
		faults := faults || format('42809 %s is a temporary table.', definition.local_table);
	ELSIF xero_fdw._xero_object(definition.local_table) IS NOT NULL THEN
		faults := faults || format('42809 %s is a foreign table of xero_fdw itself.',
			definition.local_table);
	ELSE
		SELECT k.columns, k.fault INTO definition.local_key, fault
		FROM xero_fdw._local_key(definition.local_table, definition.fields) AS k;
		faults := faults || array_remove(ARRAY[fault], NULL)
			|| ARRAY(SELECT xero_fdw._check_owner(definition.local_table))
			|| ARRAY(SELECT xero_fdw._check_rows(definition));
		definition.watch := CASE WHEN class.relkind = 'f' THEN 'compare' ELSE 'trigger' END;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._check_tables(xero_fdw.sync) IS
	'internal: keys of the tables of a sync, how local changes are found, and what is wrong with the tables';

-- One field.  It is checked in steps, each of which asks only what those before
-- have found right: its shape, the columns that it joins and which way it flows,
-- the values that it takes from either side, and whether these fit the other.

CREATE FUNCTION xero_fdw._check_shape(field text, spec jsonb)
	RETURNS SETOF text
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('22023 Field "%s" is neither the name of a column nor an object.', field)
	WHERE jsonb_typeof(spec) <> 'object'
UNION ALL
	SELECT format('22023 Field "%s" has what a field cannot have: %s. '
			'It has texts "xero", "to_local", "to_xero" and "direction", '
			'and "key", which is true or false.',
		field, string_agg(format('"%s"', key), ', ' ORDER BY key))
	FROM jsonb_each(CASE jsonb_typeof(spec) WHEN 'object' THEN spec END)
	WHERE key NOT IN ('xero', 'to_local', 'to_xero', 'direction', 'key')
		OR jsonb_typeof(value) <> CASE key WHEN 'key' THEN 'boolean' ELSE 'string' END
	HAVING count(*) > 0
$$;
COMMENT ON FUNCTION xero_fdw._check_shape(text, jsonb) IS
	'internal: what is wrong with a field before one looks at the tables';

CREATE FUNCTION xero_fdw._compile_field(definition xero_fdw.sync, spec jsonb,
		INOUT compiled xero_fdw.sync_field, OUT fault text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name constant text := compiled.field;
	given text := spec ->> 'direction';
	is_key boolean;
BEGIN
	compiled.xero_column := spec ->> 'xero';
	compiled.to_local := nullif(btrim(spec ->> 'to_local'), '');
	compiled.to_xero := nullif(btrim(spec ->> 'to_xero'), '');

	-- Without a local column, an expression goes out; without one of Xero, in.
	IF xero_fdw._column_type(definition.local_table, name) IS NOT NULL THEN
		compiled.local_column := name;
	ELSIF compiled.to_xero IS NULL OR compiled.xero_column IS NULL
			OR compiled.to_local IS NOT NULL OR given <> 'to_xero' THEN
		fault := format('42703 Column "%s" of table %s does not exist.',
			name, definition.local_table);
		RETURN;
	END IF;
	SELECT c.is_key INTO is_key FROM xero_fdw._xero_columns(definition.xero_table) AS c
	WHERE c.column_name = compiled.xero_column;
	IF compiled.xero_column IS NOT NULL AND NOT FOUND THEN
		fault := format('42703 Field "%s": column "%s" of foreign table %s does not exist.',
			name, compiled.xero_column, definition.xero_table);
		RETURN;
	ELSIF compiled.xero_column IS NULL AND (compiled.to_local IS NULL
			OR compiled.to_xero IS NOT NULL OR given <> 'to_local') THEN
		fault := format('22023 Field "%s" needs "xero", a column of the foreign table.', name);
		RETURN;
	END IF;

	given := coalesce(given, CASE
		WHEN compiled.xero_column IS NULL OR is_key THEN 'to_local'
		WHEN compiled.local_column IS NULL THEN 'to_xero'
		ELSE 'both' END);
	IF given NOT IN ('both', 'to_local', 'to_xero') THEN
		fault := format('22023 Field "%s": direction "%s" is unknown. '
			'There are both, to_local and to_xero.', name, given);
	ELSIF given = 'to_xero' AND definition.direction = 'pull' THEN
		fault := format('22023 Field "%s" goes to Xero, but the direction of the sync is pull.',
			name);
	ELSIF given <> 'to_local' AND is_key THEN
		fault := format('428C9 Field "%s": column "%s" is the key, which comes from Xero.',
			name, compiled.xero_column);
	END IF;
	compiled.direction := CASE
		WHEN given <> 'both' OR definition.direction = 'both' THEN given
		WHEN definition.direction = 'pull' THEN 'to_local' ELSE 'to_xero' END;
	IF compiled.direction = 'to_local' THEN
		compiled.to_xero := NULL;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._compile_field(xero_fdw.sync, jsonb, xero_fdw.sync_field) IS
	'internal: a field as it is kept, but for the columns that it uses, or what is wrong with its columns or direction';

-- What a field takes from one side: the value of an expression, else of a column.
CREATE FUNCTION xero_fdw._field_value(relation regclass, alias text,
		column_name text, expression text, path text,
		OUT type regtype, OUT uses text[], OUT fault text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF expression IS NOT NULL THEN
		SELECT e.type, e.uses, e.fault INTO type, uses, fault
		FROM xero_fdw._check_expression(relation, alias, expression, path) AS e;
	ELSE
		type := xero_fdw._column_type(relation, column_name);
		uses := array_remove(ARRAY[column_name], NULL);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._field_value(regclass, text, text, text, text) IS
	'internal: type and columns of what a field takes from one side, or what is wrong with it';

CREATE FUNCTION xero_fdw._check_to_local(definition xero_fdw.sync,
		field xero_fdw.sync_field, source regtype)
	RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('42804 Field "%s": %s of type %s does not fit column "%s" of type %s; '
			'it needs an expression "to_local" of that type%s.',
		field.field,
		CASE WHEN field.to_local IS NULL THEN format('column "%s"', field.xero_column)
			ELSE 'to_local' END,
		format_type(source, NULL), a.attname, format_type(a.atttypid, NULL),
		xero_fdw._example(CASE WHEN field.to_local IS NULL THEN field.xero_column END, source, a.atttypid))
	FROM pg_attribute AS a
	WHERE a.attrelid = definition.local_table AND a.attname = field.local_column
		AND NOT xero_fdw._assignable(source, a.atttypid)
UNION ALL
	SELECT format('428C9 Field "%s": the column is generated, so no value can come from Xero.',
		field.field)
	FROM pg_attribute AS a
	WHERE a.attrelid = definition.local_table AND a.attname = field.local_column
		AND (a.attgenerated <> '' OR a.attidentity = 'a')
$$;
COMMENT ON FUNCTION xero_fdw._check_to_local(xero_fdw.sync, xero_fdw.sync_field, regtype) IS
	'internal: why the value that a field takes from Xero cannot be set here';

CREATE FUNCTION xero_fdw._check_to_xero(definition xero_fdw.sync,
		field xero_fdw.sync_field, source regtype)
	RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN NOT c.writable
		THEN format('428C9 Field "%s": column "%s" of foreign table %s is read-only; '
				'map it with "direction": "to_local".',
			field.field, c.column_name, definition.xero_table)
		ELSE format('42804 Field "%s": %s of type %s does not fit column "%s" of type %s; '
				'it needs an expression "to_xero" of that type%s, or "direction": "to_local".',
			field.field,
			CASE WHEN field.to_xero IS NULL THEN format('column "%s"', field.local_column)
				ELSE 'to_xero' END,
			format_type(source, NULL), c.column_name, format_type(type, NULL),
			xero_fdw._example(CASE WHEN field.to_xero IS NULL THEN field.local_column END, source, type)) END
	FROM xero_fdw._xero_columns(definition.xero_table) AS c
		CROSS JOIN xero_fdw._column_type(definition.xero_table, c.column_name) AS type
	WHERE c.column_name = field.xero_column
		AND NOT (c.writable AND xero_fdw._assignable(source, type))
$$;
COMMENT ON FUNCTION xero_fdw._check_to_xero(xero_fdw.sync, xero_fdw.sync_field, regtype) IS
	'internal: why the value that a field takes from here cannot be set in Xero';

CREATE FUNCTION xero_fdw._check_field(definition xero_fdw.sync, spec jsonb,
		INOUT compiled xero_fdw.sync_field, OUT faults text[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result record;
BEGIN
	IF jsonb_typeof(spec) = 'string' THEN
		spec := jsonb_build_object('xero', spec);
	END IF;
	faults := ARRAY(SELECT xero_fdw._check_shape(compiled.field, spec));
	IF faults <> '{}' THEN
		RETURN;
	END IF;
	result := xero_fdw._compile_field(definition, spec, compiled);
	compiled := result.compiled;
	IF result.fault IS NOT NULL THEN
		faults := ARRAY[result.fault];
		RETURN;
	END IF;

	result := xero_fdw._field_value(definition.xero_table, 'xero',
		compiled.xero_column, compiled.to_local, definition.search_path);
	compiled.xero_uses := result.uses;
	IF result.fault IS NOT NULL THEN
		faults := faults || format('%s Field "%s", to_local: %s',
			left(result.fault, 5), compiled.field, substr(result.fault, 7));
	ELSIF compiled.direction <> 'to_xero' THEN
		faults := faults
			|| ARRAY(SELECT xero_fdw._check_to_local(definition, compiled, result.type));
	END IF;

	result := xero_fdw._field_value(definition.local_table, 'local',
		compiled.local_column, compiled.to_xero, definition.search_path);
	compiled.local_uses := result.uses;
	IF result.fault IS NOT NULL THEN
		faults := faults || format('%s Field "%s", to_xero: %s',
			left(result.fault, 5), compiled.field, substr(result.fault, 7));
	ELSIF compiled.direction <> 'to_local' THEN
		faults := faults
			|| ARRAY(SELECT xero_fdw._check_to_xero(definition, compiled, result.type));
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._check_field(xero_fdw.sync, jsonb, xero_fdw.sync_field) IS
	'internal: a field as it is kept, and what is wrong with it';

CREATE FUNCTION xero_fdw._check_choices(direction text, fields jsonb, conflict text,
		initial text, on_delete text)
	RETURNS SETOF text
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN word IS NULL THEN format('22004 %s is null.', parameter)
		ELSE format('22023 %s "%s" is unknown. There are %s.',
			parameter, word, array_to_string(words, ', ')) END
	FROM (VALUES
		('direction', direction, ARRAY['pull', 'push', 'both']),
		('conflict', conflict, ARRAY['newest', 'xero', 'local', 'manual']),
		('initial', initial, ARRAY['new_only', 'merge', 'xero_to_local', 'local_to_xero']),
		('on_delete', on_delete, ARRAY['ignore', 'archive'])
	) AS v (parameter, word, words)
	WHERE word = ANY (words) IS NOT TRUE
UNION ALL
	SELECT CASE fields WHEN '{}' THEN '22023 There are no fields.'
		ELSE '22023 fields is not an object like {"local column": "column of Xero"}.' END
	WHERE fields = '{}' OR jsonb_typeof(fields) IS DISTINCT FROM 'object'
$$;
COMMENT ON FUNCTION xero_fdw._check_choices(text, jsonb, text, text, text) IS
	'internal: what is wrong with the parameters that syncs and templates have by themselves';

CREATE FUNCTION xero_fdw._check_words(definition xero_fdw.sync)
	RETURNS text[]
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN definition.name IS NULL OR definition.name = ''
			THEN ARRAY['22023 A sync needs a name.'] ELSE '{}' END
		|| CASE WHEN definition.xero_table IS NULL
			THEN ARRAY['22004 xero_table is null.'] ELSE '{}' END
		|| CASE WHEN definition.local_table IS NULL
			THEN ARRAY['22004 local_table is null.'] ELSE '{}' END
		|| CASE WHEN (definition.brake BETWEEN 0 AND 1) IS NOT TRUE
			THEN ARRAY[format('22023 brake is %s, which is not from 0 to 1.', coalesce(definition.brake::text, 'null'))] ELSE '{}' END
		|| ARRAY(SELECT xero_fdw._check_choices(definition.direction, definition.fields,
			definition.conflict, definition.initial, definition.on_delete))
$$;
COMMENT ON FUNCTION xero_fdw._check_words(xero_fdw.sync) IS
	'internal: what is wrong with the parameters of a sync by themselves';

-- Expressions are what PostgreSQL makes of them, so all that may come after NULL is a
-- cast.
CREATE FUNCTION xero_fdw._is_null_constant(expression text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT expression ~ ('^\(*NULL(\)|::' || name || '(\.' || name || ')?( [a-z]+)*(\([\d,-]+\)( [a-z]+)*)?(\[\])*)*$')
	FROM (VALUES ('([a-z_]\w*|"([^"]|"")+")')) AS n (name)
$$;
COMMENT ON FUNCTION xero_fdw._is_null_constant(text) IS
	'internal: is an expression NULL and nothing else, but for casts?';

-- What the fields are together: one value for each column of Xero, and all that a
-- new record or a new row needs.
-- Other syncs of the local table are the caller's own, as the table is.
CREATE FUNCTION xero_fdw._check_mapping(definition xero_fdw.sync,
		compiled xero_fdw.sync_field[])
	RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('22023 Fields %s all set column "%s" of foreign table %s; '
			'only fields with the same "to_xero" may.',
		string_agg(format('"%s"', f.field), ', ' ORDER BY f.field), f.xero_column,
		definition.xero_table)
	FROM unnest(compiled) AS f
	WHERE f.direction <> 'to_local'
	GROUP BY f.xero_column
	HAVING count(*) > 1 AND (count(DISTINCT f.to_xero) > 1 OR count(f.to_xero) < count(*))
UNION ALL
	SELECT format('23502 Xero requires a value in column "%s" of a new record, '
			'and no field sets it.', c.column_name)
	FROM xero_fdw._xero_columns(definition.xero_table) AS c
	WHERE c.required AND definition.direction <> 'pull'
		AND 'create' = ANY ((xero_fdw._xero_object(definition.xero_table)).operations)
		AND NOT EXISTS (SELECT FROM unnest(compiled) AS f
			WHERE f.direction <> 'to_local' AND f.xero_column = c.column_name)
UNION ALL
	SELECT format('23502 Column "%s" of table %s needs a value in a new row, '
			'and no field or default sets it.',
		a.attname, definition.local_table)
	FROM pg_attribute AS a
	WHERE a.attrelid = definition.local_table AND a.attnum > 0 AND NOT a.attisdropped
		AND definition.direction <> 'push'
		AND NOT a.atthasdef AND a.attidentity = ''
		AND (a.attname = ANY (definition.local_key)
			OR a.attnotnull AND NOT EXISTS (SELECT FROM pg_trigger AS t
				WHERE t.tgrelid = a.attrelid AND t.tgtype & 7 = 7))
		AND NOT EXISTS (SELECT FROM unnest(compiled) AS f
			WHERE f.direction <> 'to_xero' AND f.local_column = a.attname)
UNION ALL
	SELECT format('22023 Column "%s" of table %s is to have the key that Xero gives a record, '
			'and its default gives each new row one that no record has.',
		a.attname, definition.local_table)
	FROM unnest(compiled) AS f JOIN pg_attribute AS a
		ON a.attrelid = definition.local_table AND a.attname = f.local_column
		JOIN pg_type AS t ON t.oid = a.atttypid
		LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE f.xero_column = definition.xero_key AND f.to_local IS NULL AND definition.direction <> 'pull'
		AND (a.attidentity <> '' OR NOT xero_fdw._is_null_constant(coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault)))
UNION ALL
	SELECT format('42710 Sync "%s" joins the same tables in the same direction; '
			'both need filters that keep their rows apart.', s.name)
	FROM xero_fdw.sync AS s
	WHERE s.xero_table = definition.xero_table AND s.local_table = definition.local_table
		AND s.sync_id IS DISTINCT FROM definition.sync_id
		AND (s.direction <> 'push' AND definition.direction <> 'push'
				AND (s.xero_filter IS NULL OR definition.xero_filter IS NULL
					OR s.xero_filter = definition.xero_filter)
			OR s.direction <> 'pull' AND definition.direction <> 'pull'
				AND (s.local_filter IS NULL OR definition.local_filter IS NULL
					OR s.local_filter = definition.local_filter))
$$;
COMMENT ON FUNCTION xero_fdw._check_mapping(xero_fdw.sync, xero_fdw.sync_field[]) IS
	'internal: what is wrong with the fields of a sync together';

CREATE FUNCTION xero_fdw._check_rights(definition xero_fdw.sync,
		compiled xero_fdw.sync_field[])
	RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH
	object AS (SELECT * FROM xero_fdw._xero_object(definition.xero_table)),
	read AS (
		SELECT definition.xero_table AS relation, 'SELECT' AS privilege, c
		FROM unnest(compiled) AS f,
			unnest(f.xero_uses || ARRAY[definition.xero_key, 'tenant_id']) AS c
		UNION
		SELECT definition.local_table, 'SELECT', c
		FROM unnest(compiled) AS f, unnest(f.local_uses || definition.local_key) AS c
	),
	written AS (
		SELECT definition.xero_table AS relation, privilege, f.xero_column AS c
		FROM unnest(compiled) AS f, object,
			(VALUES ('INSERT', 'create'), ('UPDATE', 'update')) AS p (privilege, operation)
		WHERE f.direction <> 'to_local' AND operation = ANY (operations)
			AND (operation = 'create' OR f.xero_column <> 'tenant_id')
		UNION
		SELECT definition.local_table, privilege, f.local_column
		FROM unnest(compiled) AS f, unnest(ARRAY['INSERT', 'UPDATE']) AS privilege
		WHERE f.direction <> 'to_xero'
			AND (privilege = 'UPDATE' OR definition.direction <> 'push')
	),
	lacking AS (
		SELECT relation, privilege FROM (TABLE read UNION TABLE written) AS u
		WHERE NOT has_column_privilege(xero_fdw._caller(), relation, c, privilege)
		UNION
		SELECT definition.xero_table, 'SELECT'
		WHERE definition.direction <> 'pull'
			AND NOT has_table_privilege(xero_fdw._caller(), definition.xero_table, 'SELECT')
		UNION
		SELECT relation, 'DELETE'
		FROM (VALUES (definition.xero_table, 'pull'), (definition.local_table, 'push'))
			AS v (relation, direction)
		WHERE definition.on_delete = 'archive' AND v.direction <> definition.direction
			AND NOT has_table_privilege(xero_fdw._caller(), relation, 'DELETE')
		UNION
		SELECT relation, 'USAGE of the schema'
		FROM unnest(ARRAY[definition.xero_table, definition.local_table]) AS relation
			JOIN pg_class ON oid = relation
		WHERE NOT has_schema_privilege(xero_fdw._caller(), relnamespace, 'USAGE')
	)
	SELECT format('42501 You lack a privilege on %s that the sync needs: %s.', relation,
		string_agg(privilege, ', ' ORDER BY privilege))
	FROM lacking GROUP BY relation
UNION ALL
	SELECT format('0A000 Foreign table %s is read-only.', definition.xero_table)
	FROM object
	WHERE definition.direction <> 'pull'
		AND NOT (updatable AND operations && ARRAY['create', 'update'])
UNION ALL
	SELECT format('0A000 Records of foreign table %s cannot be ended, '
		'so on_delete cannot be archive.', definition.xero_table)
	FROM object
	WHERE definition.direction <> 'pull' AND definition.on_delete = 'archive'
		AND operations && ARRAY['create', 'update'] AND NOT 'delete' = ANY (operations)
$$;
COMMENT ON FUNCTION xero_fdw._check_rights(xero_fdw.sync, xero_fdw.sync_field[]) IS
	'internal: what a sync would do that the caller, or Xero, cannot';

-- What goes along with a change must be among the columns of the foreign table.
CREATE FUNCTION xero_fdw._check_push(definition xero_fdw.sync) RETURNS SETOF text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	operation text;
	detail text;
BEGIN
	FOREACH operation IN ARRAY CASE WHEN definition.direction = 'pull' THEN '{}'::text[]
			WHEN definition.on_delete = 'archive' THEN '{update,delete}' ELSE '{update}' END LOOP
		BEGIN
			PERFORM xero_fdw._push_rules(definition.xero_table, operation);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
			RETURN NEXT format('%s %s. %s', SQLSTATE, upper(left(SQLERRM, 1)) || substr(SQLERRM, 2), detail);
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._check_push(xero_fdw.sync) IS
	'internal: why changes could not be sent to Xero';

CREATE FUNCTION xero_fdw._check_filter(relation regclass, alias text,
		parameter text, filter text, path text,
		OUT uses text[], OUT fault text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result record;
BEGIN
	uses := '{}';
	IF filter IS NULL THEN
		RETURN;
	END IF;
	result := xero_fdw._check_expression(relation, alias, filter, path);
	uses := result.uses;
	IF result.fault IS NOT NULL THEN
		fault := format('%s %s: %s', left(result.fault, 5), parameter, substr(result.fault, 7));
	ELSIF result.type <> 'boolean'::regtype THEN
		fault := format('42804 %s: It is of type %s, not boolean.',
			parameter, format_type(result.type, NULL));
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._check_filter(regclass, text, text, text, text) IS
	'internal: the columns that a filter reads, or what is wrong with it';

-- A column that has got the name of another one is told by its number, and so is a value
-- of an enum.  What a dump has carried elsewhere has other numbers, and is another
-- relation.
CREATE FUNCTION xero_fdw._types(relation regclass, names text[])
	RETURNS jsonb
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('table', relation::text, 'relation', relation::oid::bigint,
		'columns', coalesce(jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)), '{}'),
		'numbers', coalesce(jsonb_object_agg(a.attname, a.attnum), '{}'),
		'labels', coalesce(jsonb_object_agg(a.attname, l.labels) FILTER (WHERE l.labels IS NOT NULL), '{}'))
	FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid,
		LATERAL (SELECT jsonb_object_agg(e.oid, e.enumlabel) AS labels FROM pg_enum AS e
			WHERE e.enumtypid IN (t.oid, t.typbasetype)) AS l
	WHERE a.attrelid = relation AND a.attname = ANY (names) AND a.attnum > 0
		AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION xero_fdw._types(regclass, text[]) IS
	'internal: types, values and numbers of the columns that a sync uses of a table, as they are now';

CREATE FUNCTION xero_fdw._same_columns(before jsonb, names_before text[], after jsonb,
		names_after text[]) RETURNS boolean
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN before->'relation' = after->'relation'
		THEN ARRAY(SELECT before->'numbers'->c FROM unnest(names_before) AS c)
			= ARRAY(SELECT after->'numbers'->c FROM unnest(names_after) AS c)
		ELSE names_before = names_after END
$$;
COMMENT ON FUNCTION xero_fdw._same_columns(jsonb, text[], jsonb, text[]) IS
	'internal: are columns the same as before, whatever they are called?';

CREATE FUNCTION xero_fdw._check_sync(INOUT definition xero_fdw.sync,
		OUT compiled xero_fdw.sync_field[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	message constant text := format('sync "%s" cannot be defined so', definition.name);
	faults text[] := xero_fdw._check_words(definition);
	hint text;
	result record;
	name text;
	spec jsonb;
	field xero_fdw.sync_field;
	xero_filter record;
	local_filter record;
BEGIN
	definition.match_on := nullif(definition.match_on, '{}');
	definition.xero_filter := nullif(btrim(definition.xero_filter), '');
	definition.local_filter := nullif(btrim(definition.local_filter), '');
	IF definition.xero_table IS NULL OR definition.local_table IS NULL
			OR jsonb_typeof(definition.fields) IS DISTINCT FROM 'object' THEN
		PERFORM xero_fdw._raise_faults(message, faults);
	END IF;
	result := xero_fdw._check_tables(definition);
	definition := result.definition;
	faults := faults || result.faults;
	hint := (SELECT format('SET ROLE %s.', relowner::regrole) FROM pg_class
		WHERE oid = definition.local_table AND relowner <> xero_fdw._caller());
	IF xero_fdw._xero_object(definition.xero_table) IS NULL OR definition.local_key IS NULL THEN
		PERFORM xero_fdw._raise_faults(message, faults, hint);
	END IF;

	compiled := '{}';
	FOR name, spec IN SELECT key, value FROM jsonb_each(definition.fields) LOOP
		IF spec = '{"key": true}' THEN
			IF xero_fdw._column_type(definition.local_table, name) IS NULL THEN
				faults := faults || format('42703 Column "%s" of table %s does not exist.',
					name, definition.local_table);
			END IF;
			CONTINUE;
		END IF;
		field := ROW(definition.sync_id, name, NULL, NULL, NULL, NULL, NULL, '{}', '{}');
		result := xero_fdw._check_field(definition, spec, field);
		field := result.compiled;
		faults := faults || result.faults;
		compiled := compiled || field;
	END LOOP;
	-- Where nothing but its key tells a row from others, what comes from Xero goes by that.
	IF definition.direction = 'pull' AND definition.match_on IS NULL AND NOT EXISTS (
		SELECT FROM unnest(compiled) AS f
		WHERE f.xero_column = definition.xero_key AND f.local_column IS NOT NULL AND f.to_local IS NULL)
	THEN
		definition.watch := 'compare';
	END IF;
	xero_filter := xero_fdw._check_filter(definition.xero_table, 'xero', 'xero_filter',
		definition.xero_filter, definition.search_path);
	local_filter := xero_fdw._check_filter(definition.local_table, 'local', 'local_filter',
		definition.local_filter, definition.search_path);
	faults := faults || array_remove(ARRAY[xero_filter.fault, local_filter.fault], NULL);

	-- What only a definition that is right in itself can be asked.
	IF faults = '{}' THEN
		faults := ARRAY(SELECT xero_fdw._check_mapping(definition, compiled)
			UNION ALL SELECT xero_fdw._check_rights(definition, compiled)
			UNION ALL SELECT DISTINCT fault FROM xero_fdw._check_push(definition) AS fault);
	END IF;
	faults := faults || ARRAY(
		SELECT format('22023 match_on names "%s", which is not a local column of a field.', m)
		FROM unnest(definition.match_on) AS m
		WHERE NOT EXISTS (SELECT FROM unnest(compiled) AS f
			WHERE f.field = m AND xero_fdw._column_type(definition.local_table, m) IS NOT NULL));
	PERFORM xero_fdw._raise_faults(message, faults, hint);

	definition.columns := jsonb_build_object(
		'source', xero_fdw._source_of(definition.xero_table),
		'xero', xero_fdw._types(definition.xero_table,
			ARRAY[definition.xero_key, 'tenant_id'] || xero_filter.uses
			|| ARRAY(SELECT unnest(xero_uses || xero_column) FROM unnest(compiled))),
		'local', xero_fdw._types(definition.local_table,
			definition.local_key || local_filter.uses
			|| ARRAY(SELECT unnest(local_uses || local_column) FROM unnest(compiled))));
END $$;
COMMENT ON FUNCTION xero_fdw._check_sync(xero_fdw.sync) IS
	'internal: a definition with all that follows from it, or an error with all that is wrong with it';
