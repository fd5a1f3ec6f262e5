-- The three-way merge is of what a record and a row say now and what both sides
-- last agreed on.  Here it is collected, and put in terms of the other side;
-- 45_decide.sql makes decisions of it.  Nothing is written but by 46_local.sql.
--
-- An item is a link with all that is known of its two sides.  A side has changed
-- if what it is in the other's terms is not what its base image is in those; so
-- what a field makes nothing of does not change it.

CREATE TYPE xero_fdw._item AS (
	link_id bigint,
	is_new boolean,				-- the link is not stored yet
	first boolean,				-- by the rules of the first merge
	blocked boolean,			-- waits for a person, who is to say what belongs together
	state text,
	tenant_id uuid,
	xero_id text,
	local_key jsonb,
	gone boolean,				-- no longer in Xero
	deleted boolean,			-- the local row was deleted
	missing boolean,			-- it is not there, and nobody has deleted it
	in_scope boolean,			-- local_filter lets the row in
	remote jsonb,
	remote_at timestamptz,
	base_xero jsonb,
	local jsonb,
	local_at timestamptz,
	base_local jsonb,
	unclear text				-- why it is not clear that they belong together
);
COMMENT ON TYPE xero_fdw._item IS
	'internal: a link with all that is known of its two sides';

CREATE TYPE xero_fdw._decision AS (
	item xero_fdw._item,
	state text,					-- of the link afterwards; null: no link
	hold boolean,				-- the record stays in the inbox
	local_action text,			-- create, update, delete
	local_new jsonb,			-- {local column: value}
	local_old jsonb,
	xero_action text,			-- create, update, archive
	xero_new jsonb,				-- {column of the foreign table: value}
	xero_old jsonb,
	xero_fields text[],			-- fields that xero_new is made of
	conflicts jsonb,			-- {field: {"xero": value, "local": value}}
	disagreed integer,			-- fields that both sides have changed
	why jsonb					-- {field: reason}
);
COMMENT ON TYPE xero_fdw._decision IS
	'internal: what is to be done about an item';

-- The expression of a column that a field gives a value to, as the column's
-- type: rounded to its precision, but not cut to its length.  Nothing is a value, for
-- a domain that wants another one, too, as a default may be that.
CREATE FUNCTION xero_fdw._cast(expression text, relation regclass,
		column_name text) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT format(E'(%s\n)', expression) || coalesce((
			SELECT '::' || xero_fdw._type_name(CASE WHEN t.typnotnull THEN t.typbasetype ELSE a.atttypid END,
				CASE WHEN t.typcategory IN ('N', 'D', 'T') THEN CASE WHEN t.typnotnull THEN t.typtypmod ELSE a.atttypmod END ELSE -1 END)
			FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
			WHERE a.attrelid = relation AND a.attname = column_name), ''));
END $$;
COMMENT ON FUNCTION xero_fdw._cast(text, regclass, text) IS
	'internal: an expression as the type of a column';

-- Columns with their types, as jsonb_to_record() wants them.
CREATE FUNCTION xero_fdw._column_list(relation regclass, columns text[])
	RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT string_agg(format('%I %s', attname, xero_fdw._type_name(atttypid, atttypmod)), ', '
			ORDER BY attnum)
		FROM pg_attribute
		WHERE attrelid = relation AND attname = ANY (columns) AND attnum > 0);
END $$;
COMMENT ON FUNCTION xero_fdw._column_list(regclass, text[]) IS
	'internal: columns with their types';

-- A statement that makes objects of objects, in the same order: the members as an
-- expression says of each column.  Null stays null.  The alias and its columns are
-- all that is in sight of the expressions.
CREATE FUNCTION xero_fdw._images_query(alias text, columns text, names text[],
		expressions text[]) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT format('SELECT pg_catalog.array_agg(CASE WHEN i.image IS NOT NULL THEN ('
				'SELECT %s FROM pg_catalog.jsonb_to_record(i.image) AS %I(%s)) END ORDER BY i.n)'
				' FROM pg_catalog.unnest($1) WITH ORDINALITY AS i(image, n)',
			string_agg('pg_catalog.jsonb_build_object(' || part || ')', ' OPERATOR(pg_catalog.||) ' ORDER BY n),
			alias, columns)
		FROM (SELECT (m - 1) / 50 AS n, string_agg(format('%L, %s', name, expression), ', ' ORDER BY m) AS part
			FROM unnest(names, expressions) WITH ORDINALITY AS u(name, expression, m) GROUP BY 1) AS parts);
END $$;
COMMENT ON FUNCTION xero_fdw._images_query(text, text, text[], text[]) IS
	'internal: the statement that makes objects of objects by expressions';

-- Images of one side in terms of the other, in the same order, as objects by
-- column of the other side: of the fields that flow that way, and of the local
-- columns "also".  Null stays null.
CREATE FUNCTION xero_fdw._in_terms_of(sync integer, side text, images jsonb[],
		also text[] DEFAULT NULL) RETURNS jsonb[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	statement text;
	result jsonb[];
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	IF side = 'local' THEN
		SELECT xero_fdw._images_query('xero',
			xero_fdw._column_list(self.xero_table, xero_fdw._read_columns(sync)),
			array_agg(f.local_column), array_agg(xero_fdw._json_value(xero_fdw._cast(
					coalesce(f.to_local, format('xero.%I', f.xero_column)), self.local_table, f.local_column),
				xero_fdw._column_type(self.local_table, f.local_column))))
		INTO statement
		FROM xero_fdw.sync_field AS f
		WHERE f.sync_id = sync AND f.local_column IS NOT NULL
			AND (f.direction <> 'to_xero' OR f.local_column = ANY (also));
	ELSE
		SELECT xero_fdw._images_query('local',
			xero_fdw._column_list(self.local_table, xero_fdw._local_columns(sync)),
			array_agg(f.name), array_agg(f.expression))
		INTO statement
		FROM (SELECT DISTINCT f.xero_column AS name, xero_fdw._json_value(xero_fdw._cast(
					coalesce(f.to_xero, format('local.%I', f.local_column)), self.xero_table, f.xero_column),
				xero_fdw._column_type(self.xero_table, f.xero_column)) AS expression
			FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = sync AND f.xero_column IS NOT NULL AND f.direction <> 'to_local') AS f;
	END IF;
	IF statement IS NULL OR array_length(array_remove(images, NULL), 1) IS NULL THEN
		RETURN (SELECT array_agg(CASE WHEN i IS NOT NULL THEN '{}'::jsonb END ORDER BY n)
			FROM unnest(images) WITH ORDINALITY AS u(i, n));
	END IF;
	SELECT r.images INTO result
	FROM xero_fdw._as_caller(self.search_path, statement, images) AS r(images jsonb[]);
	RETURN result;
END $$;
COMMENT ON FUNCTION xero_fdw._in_terms_of(integer, text, jsonb[], text[]) IS
	'internal: what images of one side are on the other, by column';

-- The changes that a run is not to see, but is to know of: rows that were made or
-- deleted, or got another key, since it has looked at changes.
CREATE FUNCTION xero_fdw._later_changes(state xero_fdw._run)
	RETURNS SETOF xero_fdw.sync_change
	LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
	SELECT c.* FROM xero_fdw.sync_change AS c
	WHERE c.sync_id = (state).sync_id AND c.change_id > (state).upto
		AND (c.old_key IS NOT NULL OR c.operation IN ('insert', 'delete'))
	UNION ALL
	SELECT c.* FROM pg_catalog.unnest((state).open_xids) AS u(xid)
		CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_change AS c
			WHERE c.sync_id = (state).sync_id AND c.xid = u.xid
				AND (c.old_key IS NOT NULL OR c.operation IN ('insert', 'delete')) OFFSET 0) AS c
	WHERE c.change_id <= (state).upto;
END;
COMMENT ON FUNCTION xero_fdw._later_changes(xero_fdw._run) IS
	'internal: what has happened to rows since a run has looked';

-- The next items: of records in the inbox, then of rows that have changed, each
-- with what is known of its other side.  "keys" are the rows whose changes the
-- items settle.  Links to organisations that are not connected now are left, and
-- rows that were deleted or got another key since the run has looked at them.
-- Where a base image stands for the record, it is without the marks of fields.
-- A row that names another record than its own, or another organisation, and not the
-- one that it named when both sides agreed, is nobody's until that is settled.  Nor is
-- one of which a person was asked who it is, until somebody has renamed it.
-- What is deleted while rows are read is left for the next run, too, whether or not
-- another row has the key by now.  A sync that only pulls reads the rows that a trigger
-- has told of or that have come back, and those that wait for a person; of those that
-- get something from Xero, it looks whether they are there.
CREATE FUNCTION xero_fdw._take_items(state xero_fdw._run,
		OUT items xero_fdw._item[], OUT keys jsonb[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	batch CONSTANT integer := 1000;
	sync CONSTANT integer := state.sync_id;
	self xero_fdw.sync;
	moved CONSTANT jsonb[] := ARRAY(SELECT coalesce(c.old_key, c.local_key)
		FROM xero_fdw._later_changes(state) AS c
		WHERE c.old_key IS NOT NULL OR c.operation = 'delete'
			OR EXISTS (SELECT FROM xero_fdw._links_of_rows(sync, ARRAY[c.local_key])));
	marks CONSTANT text[] := ARRAY(SELECT '?' || f.field FROM xero_fdw.sync_field AS f
		WHERE f.sync_id = sync);
	id_column CONSTANT text := xero_fdw._id_column(sync);
	organisation_column CONSTANT text := xero_fdw._organisation_column(sync);
	merged CONSTANT text := (SELECT xero_fdw._column_of(s.xero_table, 'MergedToContactID') FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
	guarded CONSTANT jsonb := xero_fdw._guarded_columns(sync);
	picked xero_fdw._item[];
	lost jsonb[];
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	SELECT array_agg(n.item), array_agg((n.item).local_key) FILTER (WHERE (n.item).local_key IS NOT NULL)
	INTO picked, keys
	FROM (SELECT ROW(coalesce(k.link_id, nextval('xero_fdw.sync_link_link_id_seq')),
				k.link_id IS NULL, k.first, NULL, coalesce(k.state, 'unlinked'),
				i.tenant_id, i.xero_id, k.local_key, NULL, k.deleted, NULL, NULL,
				xero_fdw._as_told(i.remote - marks, k.base_xero, guarded), i.updated_at, k.base_xero, NULL, k.local_updated_at, k.base_local, NULL)::xero_fdw._item AS item
			FROM unnest(state.tenants) AS t(tenant)
				CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_inbox AS i
					WHERE i.sync_id = sync AND i.tenant_id = t.tenant AND NOT i.held
					ORDER BY i.xero_id LIMIT (SELECT batch + cardinality(moved))) AS i
				LEFT JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
					WHERE k.sync_id = sync AND k.xero_id = i.xero_id AND k.tenant_id = i.tenant_id OFFSET 0) AS k ON true
			WHERE (k.local_key = ANY (moved)) IS NOT TRUE
			LIMIT (SELECT batch)) AS n;
	IF picked IS NULL THEN
		SELECT array_agg(DISTINCT c.local_key) INTO keys
		FROM (SELECT c.local_key FROM xero_fdw._due_changes(state) AS c
				LEFT JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
					WHERE k.sync_id = sync AND k.local_key = c.local_key OFFSET 0) AS k ON true
			WHERE c.local_key IS NOT NULL AND c.local_key <> ALL (moved)
				AND (k.tenant_id IS NULL OR k.tenant_id = ANY (state.tenants))
			ORDER BY c.change_id LIMIT (SELECT batch)) AS c;
		SELECT array_agg(ROW(k.link_id, false, k.first, NULL, k.state,
			k.tenant_id, k.xero_id, k.local_key, NULL, k.deleted, NULL, NULL,
			xero_fdw._as_told(CASE WHEN i.xero_id IS NULL THEN k.base_xero ELSE i.remote END - marks, k.base_xero, guarded),
			coalesce(i.updated_at, k.xero_updated_at),
			k.base_xero, NULL, k.local_updated_at, k.base_local, NULL)::xero_fdw._item
			ORDER BY k.link_id)
		INTO picked
		FROM xero_fdw._links_of_rows(sync, keys) AS k
			LEFT JOIN LATERAL (SELECT * FROM xero_fdw.sync_inbox AS i
				WHERE i.sync_id = sync AND i.tenant_id = k.tenant_id AND i.xero_id = k.xero_id OFFSET 0) AS i ON true;
	END IF;

	WITH change AS (
		-- of the image that is read below, which has what was changed meanwhile, too;
		-- another key is no edit
		SELECT c.local_key, max(c.changed_at) FILTER (WHERE c.columns IS DISTINCT FROM '{}') AS changed_at
		FROM xero_fdw._changes_of_rows(sync, keys) AS c
		GROUP BY c.local_key
	), blocked AS MATERIALIZED (
		SELECT i.link_id, i.local_key, x.message, k.renamed
		FROM unnest(picked) AS i JOIN xero_fdw.sync_issue AS x ON x.link_id = i.link_id AND x.kind = 'ambiguous'
			JOIN xero_fdw.sync_link AS k ON k.link_id = i.link_id
	), local AS MATERIALIZED (
		SELECT * FROM xero_fdw._read_local(sync,
			CASE WHEN self.direction = 'pull'
				THEN ARRAY(SELECT c.local_key FROM change AS c UNION SELECT b.local_key FROM blocked AS b
					UNION SELECT i.local_key FROM unnest(picked) AS i WHERE self.watch = 'trigger' AND i.base_xero ?| marks)
				ELSE coalesce(keys, '{}') END,
			EXISTS (SELECT FROM xero_fdw.sync_field AS f
				WHERE f.sync_id = sync AND f.direction <> 'to_xero'))
	), awaited AS MATERIALIZED (
		SELECT array_agg(i.local_key) AS keys FROM unnest(picked) AS i
		WHERE self.direction = 'pull' AND self.watch = 'trigger' AND NOT self.mirror
			AND (self.match_on IS NOT NULL OR id_column IS NOT NULL)
			AND i.state = 'linked' AND NOT i.deleted AND jsonb_typeof(i.local_key) = 'array'
			AND i.remote IS DISTINCT FROM i.base_xero
	), away AS MATERIALIZED (
		SELECT u.key FROM awaited AS a, unnest(a.keys) AS u(key)
		EXCEPT
		SELECT r.local_key FROM awaited AS a, xero_fdw._read_local(sync, a.keys, false) AS r
	)
	SELECT array_agg(ROW(i.link_id, i.is_new,
		CASE WHEN i.first THEN true
			WHEN p.sync_id IS NOT NULL THEN NOT p.initial_done
			ELSE NOT EXISTS (SELECT FROM xero_fdw.sync_position AS o
				WHERE o.sync_id = sync AND o.initial_done) END,
		b.link_id IS NOT NULL,
		i.state,
		i.tenant_id, i.xero_id, i.local_key,
		i.remote IS NULL AND i.xero_id IS NOT NULL,
		absent AND i.deleted,
		absent AND NOT i.deleted AND self.direction <> 'pull' OR i.local_key IN (SELECT a.key FROM away AS a),
		self.direction = 'pull' OR l.in_scope,
		i.remote, i.remote_at,
		i.base_xero,
		l.image, coalesce(c.changed_at, i.local_at),
		i.base_local,
		CASE WHEN i.remote->>merged IS NOT NULL THEN xero_fdw._merge_obstacle(self, i.tenant_id, i.xero_id, i.remote)
			WHEN i.xero_id IS NOT NULL AND named.id NOT IN (i.xero_id, coalesce(xero_fdw._named_record(i.base_local, id_column), ''))
			THEN format('the row belongs to record %s, and names record %s', i.xero_id, named.id)
			WHEN i.xero_id IS NOT NULL AND named.organisation NOT IN (i.tenant_id::text, coalesce(xero_fdw._named_record(i.base_local, organisation_column), ''))
			THEN format('the row belongs to a record of organisation %s, and names organisation %s', i.tenant_id, named.organisation)
			WHEN NOT b.renamed AND xero_fdw._match_key(i.base_local, self.match_on) <> xero_fdw._match_key(l.image, self.match_on)
			THEN b.message END
		)::xero_fdw._item ORDER BY i.ordinality)
	INTO items
	FROM unnest(picked) WITH ORDINALITY AS i
		LEFT JOIN change AS c ON c.local_key = i.local_key
		LEFT JOIN local AS l ON l.local_key = i.local_key
		LEFT JOIN blocked AS b ON b.link_id = i.link_id
		LEFT JOIN xero_fdw.sync_position AS p ON p.sync_id = sync
			AND p.tenant_id = i.tenant_id
		CROSS JOIN LATERAL (SELECT i.local_key IS NOT NULL AND l.local_key IS NULL AS absent) AS r
		CROSS JOIN LATERAL (SELECT xero_fdw._named_record(l.image, id_column) AS id,
			xero_fdw._named_record(l.image, organisation_column) AS organisation) AS named;
	lost := ARRAY(SELECT coalesce(c.old_key, c.local_key) FROM xero_fdw._later_changes(state) AS c);
	IF lost <> '{}' THEN
		items := nullif(ARRAY(SELECT i FROM unnest(items) AS i
			WHERE i.local_key IS NULL OR i.local_key <> ALL (lost)), '{}');
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._take_items(xero_fdw._run) IS
	'internal: the next items to be merged';
