-- The three-way merge: what a record and a row say now, and what both sides last
-- agreed on, become decisions.  Nothing is written here.
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
	deleted boolean,			-- no longer a local row
	in_scope boolean,			-- local_filter lets the row in
	remote jsonb,
	remote_at timestamptz,
	base_xero jsonb,
	local jsonb,
	local_at timestamptz,
	base_local jsonb
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
-- type: rounded to its precision, but not cut to its length.
CREATE FUNCTION xero_fdw._cast(expression text, relation regclass,
		column_name text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((
		SELECT format(E'(%s\n)::%s', expression, format_type(a.atttypid,
			CASE WHEN t.typcategory IN ('N', 'D', 'T') THEN a.atttypmod ELSE -1 END))
		FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
		WHERE a.attrelid = relation AND a.attname = column_name), expression)
$$;
COMMENT ON FUNCTION xero_fdw._cast(text, regclass, text) IS
	'internal: an expression as the type of a column';

-- Columns with their types, as jsonb_to_record() wants them.
CREATE FUNCTION xero_fdw._column_list(relation regclass, columns text[])
	RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', '
		ORDER BY attnum)
	FROM pg_attribute
	WHERE attrelid = relation AND attname = ANY (columns) AND attnum > 0
$$;
COMMENT ON FUNCTION xero_fdw._column_list(regclass, text[]) IS
	'internal: columns with their types';

-- A statement that makes objects of objects, in the same order: the members as an
-- expression says of each column.  Null stays null.  The alias and its columns are
-- all that is in sight of the expressions.
CREATE FUNCTION xero_fdw._images_query(alias text, columns text, names text[],
		expressions text[]) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('SELECT pg_catalog.array_agg(CASE WHEN i.image IS NOT NULL THEN ('
			'SELECT %s FROM pg_catalog.jsonb_to_record(i.image) AS %I(%s)) END ORDER BY i.n)'
			' FROM pg_catalog.unnest($1) WITH ORDINALITY AS i(image, n)',
		string_agg('pg_catalog.jsonb_build_object(' || part || ')', ' OPERATOR(pg_catalog.||) ' ORDER BY n),
		alias, columns)
	FROM (SELECT (m - 1) / 50 AS n, string_agg(format('%L, %s', name, expression), ', ' ORDER BY m) AS part
		FROM unnest(names, expressions) WITH ORDINALITY AS u(name, expression, m) GROUP BY 1) AS parts
$$;
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
			array_agg(f.local_column), array_agg(xero_fdw._cast(
				coalesce(f.to_local, format('xero.%I', f.xero_column)), self.local_table, f.local_column)))
		INTO statement
		FROM xero_fdw.sync_field AS f
		WHERE f.sync_id = sync AND f.local_column IS NOT NULL
			AND (f.direction <> 'to_xero' OR f.local_column = ANY (also));
	ELSE
		SELECT xero_fdw._images_query('local',
			xero_fdw._column_list(self.local_table, xero_fdw._local_columns(sync)),
			array_agg(f.name), array_agg(f.expression))
		INTO statement
		FROM (SELECT DISTINCT f.xero_column AS name, xero_fdw._cast(
				coalesce(f.to_xero, format('local.%I', f.local_column)), self.xero_table, f.xero_column) AS expression
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

-- The next items: of records in the inbox, then of rows that have changed, each
-- with what is known of its other side.  "keys" are the rows whose changes the
-- items settle.  Links to organisations that are not connected now are left, and
-- rows that were deleted or got another key since the run has looked at them.
-- Where a base image stands for the record, it is without the marks of fields.
CREATE FUNCTION xero_fdw._take_items(state xero_fdw._run,
		OUT items xero_fdw._item[], OUT keys jsonb[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
DECLARE
	batch CONSTANT integer := 1000;
	sync CONSTANT integer := state.sync_id;
	self xero_fdw.sync;
	moved CONSTANT jsonb[] := ARRAY(SELECT coalesce(c.old_key, c.local_key)
		FROM xero_fdw.sync_change AS c
		WHERE c.sync_id = sync AND (c.old_key IS NOT NULL OR c.operation = 'delete')
			AND (c.change_id > state.upto OR c.xid = ANY (state.open_xids)));
	marks CONSTANT text[] := ARRAY(SELECT '?' || f.field FROM xero_fdw.sync_field AS f
		WHERE f.sync_id = sync);
	picked xero_fdw._item[];
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	SELECT array_agg(ROW(coalesce(k.link_id, nextval('xero_fdw.sync_link_link_id_seq')),
			k.link_id IS NULL, NULL, NULL, coalesce(k.state, 'unlinked'),
			i.tenant_id, i.xero_id, k.local_key, NULL, NULL, NULL,
			i.remote - marks, i.updated_at, k.base_xero, NULL, k.local_updated_at, k.base_local)::xero_fdw._item
			ORDER BY i.tenant_id, i.xero_id),
		array_agg(k.local_key) FILTER (WHERE k.local_key IS NOT NULL)
	INTO picked, keys
	FROM (SELECT * FROM xero_fdw.sync_inbox AS i
			WHERE i.sync_id = sync AND NOT i.held AND i.tenant_id = ANY (state.tenants)
				AND NOT EXISTS (SELECT FROM xero_fdw.sync_link AS k
					WHERE k.sync_id = sync AND k.tenant_id = i.tenant_id
						AND k.xero_id = i.xero_id AND k.local_key IN (SELECT unnest(moved)))
			ORDER BY i.tenant_id, i.xero_id LIMIT batch) AS i
		LEFT JOIN xero_fdw.sync_link AS k ON k.sync_id = sync
			AND k.tenant_id = i.tenant_id AND k.xero_id = i.xero_id;
	IF picked IS NULL THEN
		SELECT array_agg(DISTINCT c.local_key) INTO keys
		FROM (SELECT c.local_key FROM xero_fdw._due_changes(state) AS c
				LEFT JOIN xero_fdw.sync_link AS k ON k.sync_id = sync
					AND k.local_key = c.local_key
			WHERE c.local_key IS NOT NULL AND c.local_key NOT IN (SELECT unnest(moved))
				AND (k.tenant_id IS NULL OR k.tenant_id = ANY (state.tenants))
			ORDER BY c.change_id LIMIT batch) AS c;
		SELECT array_agg(ROW(k.link_id, false, NULL, NULL, k.state,
			k.tenant_id, k.xero_id, k.local_key, NULL, NULL, NULL,
			CASE WHEN i.xero_id IS NULL THEN k.base_xero ELSE i.remote END - marks,
			coalesce(i.updated_at, k.xero_updated_at),
			k.base_xero, NULL, k.local_updated_at, k.base_local)::xero_fdw._item
			ORDER BY k.link_id)
		INTO picked
		FROM xero_fdw.sync_link AS k
			LEFT JOIN xero_fdw.sync_inbox AS i ON i.sync_id = sync
				AND i.tenant_id = k.tenant_id AND i.xero_id = k.xero_id
		WHERE k.sync_id = sync AND k.local_key IN (SELECT unnest(keys));
	END IF;

	WITH change AS (
		SELECT c.local_key, max(c.changed_at) AS changed_at,
			(array_agg(c.operation ORDER BY c.change_id DESC))[1] AS operation
		FROM xero_fdw._due_changes(state) AS c
		WHERE c.local_key IN (SELECT unnest(keys))
		GROUP BY c.local_key
	), local AS MATERIALIZED (
		SELECT * FROM xero_fdw._read_local(sync,
			CASE WHEN self.direction = 'pull' THEN '{}' ELSE coalesce(keys, '{}') END,
			EXISTS (SELECT FROM xero_fdw.sync_field AS f
				WHERE f.sync_id = sync AND f.direction <> 'to_xero'))
	)
	SELECT array_agg(ROW(i.link_id, i.is_new,
		CASE WHEN p.sync_id IS NOT NULL THEN NOT p.initial_done
			ELSE NOT EXISTS (SELECT FROM xero_fdw.sync_position AS o
				WHERE o.sync_id = sync AND o.initial_done) END,
		NOT i.is_new AND EXISTS (SELECT FROM xero_fdw.sync_issue AS x
			WHERE x.link_id = i.link_id AND x.kind = 'ambiguous'),
		CASE WHEN revived THEN 'linked' ELSE i.state END,
		i.tenant_id, i.xero_id, i.local_key,
		i.remote IS NULL AND i.xero_id IS NOT NULL,
		i.local_key IS NOT NULL AND CASE WHEN self.direction = 'pull'
			THEN c.operation = 'delete' ELSE l.local_key IS NULL END,
		self.direction = 'pull' OR l.in_scope,
		i.remote, i.remote_at,
		CASE WHEN NOT revived THEN i.base_xero END,
		l.image, coalesce(c.changed_at, i.local_at),
		CASE WHEN NOT revived THEN i.base_local END)::xero_fdw._item ORDER BY i.ordinality)
	INTO items
	FROM unnest(picked) WITH ORDINALITY AS i
		LEFT JOIN change AS c ON c.local_key = i.local_key
		LEFT JOIN local AS l ON l.local_key = i.local_key
		LEFT JOIN xero_fdw.sync_position AS p ON p.sync_id = sync
			AND p.tenant_id = i.tenant_id
		CROSS JOIN LATERAL (SELECT coalesce(i.state = 'ended' AND c.operation = 'insert'
			AND i.remote IS NOT NULL AND self.on_delete = 'ignore', false) AS revived) AS r;
END $$;
COMMENT ON FUNCTION xero_fdw._take_items(xero_fdw._run) IS
	'internal: the next items to be merged';

-- Does an image say what its base says, in all that both know of?
CREATE FUNCTION xero_fdw._has_stayed(image jsonb, base jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT NOT EXISTS (SELECT FROM jsonb_each(base) AS m
		WHERE image ? m.key AND image->m.key <> m.value)
$$;
COMMENT ON FUNCTION xero_fdw._has_stayed(jsonb, jsonb) IS
	'internal: does an image say what its base says?';

-- What kind of item each is, in the same order:
--   pair                 both sides are there, and at least one has changed
--   quiet                both are there and have not
--   adopt                both are there, and are to stay as they are
--   create_local, create_xero, delete_local, archive
--   end                  one side is gone for good
--   ignore               is not to be synced unless it changes
--   wait                 until something else happens
--   rest, forget         nothing to do; and the link is of no use
CREATE FUNCTION xero_fdw._kinds(self xero_fdw.sync, items xero_fdw._item[])
	RETURNS text[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(CASE
		WHEN i.gone THEN CASE
			WHEN i.state = 'linked' AND NOT i.deleted AND self.on_delete = 'archive'
				AND self.direction <> 'push'
				AND (self.direction = 'pull' OR i.local = i.base_local) THEN 'delete_local'
			ELSE 'end' END
		WHEN i.state = 'ended' THEN 'rest'
		WHEN i.xero_id IS NULL THEN CASE
			WHEN i.deleted THEN 'forget'
			WHEN i.blocked THEN 'wait'
			WHEN NOT i.in_scope OR self.direction = 'pull' THEN 'rest'
			WHEN i.state = 'ignored' THEN CASE
				WHEN self.initial = 'new_only' OR xero_fdw._has_stayed(i.local, i.base_local) THEN 'rest'
				ELSE 'create_xero' END
			WHEN i.first AND self.initial IN ('new_only', 'xero_to_local') THEN 'ignore'
			ELSE 'create_xero' END
		WHEN i.local_key IS NULL THEN CASE
			WHEN i.blocked OR self.direction = 'push' THEN 'wait'
			WHEN i.state = 'ignored' THEN CASE
				WHEN self.initial = 'new_only' OR xero_fdw._has_stayed(i.remote, i.base_xero) THEN 'rest'
				ELSE 'create_local' END
			WHEN i.first AND self.initial IN ('new_only', 'local_to_xero') THEN 'ignore'
			ELSE 'create_local' END
		WHEN i.deleted THEN CASE
			WHEN self.on_delete = 'archive' AND self.direction <> 'pull' THEN 'archive'
			ELSE 'end' END
		WHEN i.first AND self.initial = 'new_only' AND i.base_xero IS NULL
			AND i.base_local IS NULL THEN 'adopt'
		WHEN i.remote = i.base_xero
			AND (self.direction = 'pull' OR NOT i.in_scope OR i.local = i.base_local) THEN 'quiet'
		ELSE 'pair' END ORDER BY i.ordinality)
	FROM unnest(items) WITH ORDINALITY AS i
$$;
COMMENT ON FUNCTION xero_fdw._kinds(xero_fdw.sync, xero_fdw._item[]) IS
	'internal: what kind of item each is';

-- Where both sides are to be written, what goes to Xero is made of the row as it
-- will be: several local columns may be parts of one of Xero's.
CREATE FUNCTION xero_fdw._follow_local(sync integer, decisions xero_fdw._decision[])
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	images CONSTANT jsonb[] := ARRAY(
		SELECT CASE WHEN d.xero_action = 'update' THEN (d.item).local || d.local_new END
		FROM unnest(decisions) WITH ORDINALITY AS d ORDER BY d.ordinality);
	as_xero jsonb[];
BEGIN
	IF array_length(array_remove(images, NULL), 1) IS NULL THEN
		RETURN decisions;
	END IF;
	as_xero := xero_fdw._in_terms_of(sync, 'xero', images);
	RETURN ARRAY(
		SELECT ROW(d.item, d.state, d.hold, d.local_action, d.local_new, d.local_old,
			d.xero_action, CASE WHEN x.image IS NULL THEN d.xero_new
				ELSE xero_fdw._slice(x.image, ARRAY(SELECT jsonb_object_keys(d.xero_new))) END,
			d.xero_old, d.xero_fields, d.conflicts, d.disagreed, d.why)::xero_fdw._decision
		FROM unnest(decisions) WITH ORDINALITY AS d
			JOIN unnest(as_xero) WITH ORDINALITY AS x(image, n) ON x.n = d.ordinality
		ORDER BY d.ordinality);
END $$;
COMMENT ON FUNCTION xero_fdw._follow_local(integer, xero_fdw._decision[]) IS
	'internal: make what goes to Xero of the rows as they will be';

-- What is to be done about each item.  Fails if an expression of the user does,
-- and for a record with a text that PostgreSQL cannot store.
-- What is not known of a base image is taken to be as it is now, for expressions
-- and types that want a value.
CREATE FUNCTION xero_fdw._decide(sync integer, items xero_fdw._item[])
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	clock_offset CONSTANT interval := xero_fdw._clock_offset();
	tenant_column text;
	kinds text[];
	locals jsonb[];
	local_bases jsonb[];
	xeros jsonb[];
	xero_bases jsonb[];
	decisions xero_fdw._decision[];
BEGIN
	PERFORM xero_fdw._refuse_bad_text(i.remote) FROM unnest(items) AS i;
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	tenant_column := xero_fdw._tenant_column(self.xero_table);
	kinds := xero_fdw._kinds(self, items);
	SELECT array_agg(CASE WHEN k IN ('pair', 'adopt', 'create_local') THEN i.remote END ORDER BY n),
		array_agg(CASE WHEN k = 'pair' AND i.remote <> i.base_xero THEN i.remote || i.base_xero END ORDER BY n),
		array_agg(CASE WHEN k IN ('pair', 'adopt', 'create_xero') THEN i.local END ORDER BY n),
		array_agg(CASE WHEN k = 'pair' AND i.local <> i.base_local THEN i.local || i.base_local END ORDER BY n)
	INTO locals, local_bases, xeros, xero_bases
	FROM unnest(items) WITH ORDINALITY AS i
		JOIN unnest(kinds) WITH ORDINALITY AS u(k, n) ON n = i.ordinality;
	locals := xero_fdw._in_terms_of(sync, 'local', locals);
	local_bases := xero_fdw._in_terms_of(sync, 'local', local_bases);
	xeros := xero_fdw._in_terms_of(sync, 'xero', xeros);
	xero_bases := xero_fdw._in_terms_of(sync, 'xero', xero_bases);

	WITH item AS MATERIALIZED (
		SELECT unnest(items) AS item, generate_subscripts(items, 1) AS n, unnest(kinds) AS kind,
			unnest(locals) AS as_local, unnest(local_bases) AS as_local_base,
			unnest(xeros) AS as_xero, unnest(xero_bases) AS as_xero_base
	), pair AS (
		SELECT (item).link_id, kind, f.*, (item).in_scope, (item).first,
			as_local->f.local_column AS new_local,
			as_xero->f.xero_column AS new_xero,
			coalesce((item).local->f.local_column, as_local_base->f.local_column) AS old_local,
			(item).remote->f.xero_column AS old_xero,
			coalesce((item).base_xero ?& f.xero_uses
				AND (item).base_xero->('?' || f.field) IS DISTINCT FROM 'true', false) AS x_known,
			coalesce((item).base_local ?& f.local_uses AND NOT (item).base_local ? ('?' || f.field), false) AS l_known,
			CASE WHEN (item).remote = (item).base_xero THEN as_local
				ELSE as_local_base END->f.local_column AS base_local,
			CASE WHEN (item).local = (item).base_local THEN as_xero
				ELSE as_xero_base END->f.xero_column AS base_xero,
			(item).base_xero->('?' || f.field) AS mark,
			(item).local IS NOT NULL AS l_read,
			f.direction = 'to_xero' OR (item).local->f.local_column IS DISTINCT FROM (item).base_local->f.local_column
				OR 1 = (SELECT count(*) FROM xero_fdw.sync_field AS o WHERE o.sync_id = sync
					AND o.xero_column = f.xero_column AND o.direction <> 'to_local') AS l_own,
			coalesce((item).local_at > (item).remote_at - clock_offset, false) AS l_newer
		FROM item JOIN xero_fdw.sync_field AS f ON f.sync_id = sync
		WHERE kind IN ('pair', 'adopt')
	), compared AS (
		SELECT *,
			NOT x_known OR xero_fdw._filled(new_local)
				IS DISTINCT FROM xero_fdw._filled(base_local) AS x_changed,
			in_scope AND xero_column IS DISTINCT FROM tenant_column AND (NOT l_known OR l_own AND xero_fdw._filled(new_xero)
				IS DISTINCT FROM xero_fdw._filled(base_xero)) AS l_changed,
			l_read AND (
				local_column IS NOT NULL AND direction <> 'to_xero' AND xero_fdw._filled(new_local)
					IS NOT DISTINCT FROM xero_fdw._filled(old_local)
				OR xero_column IS NOT NULL AND direction <> 'to_local' AND xero_fdw._filled(new_xero)
					IS NOT DISTINCT FROM xero_fdw._filled(old_xero)) AS same,
			CASE WHEN mark->>'winner' = 'local' AND in_scope AND xero_fdw._filled(mark->'over')
					IS NOT DISTINCT FROM xero_fdw._filled(new_local) THEN 'to_xero'
				WHEN mark->>'winner' = 'xero' AND xero_fdw._filled(mark->'over')
					IS NOT DISTINCT FROM xero_fdw._filled(old_local) THEN 'to_local' END AS decided
		FROM pair
	), judged AS (
		SELECT *,
			CASE
			WHEN same THEN NULL
			WHEN decided IS NOT NULL THEN decided
			WHEN kind = 'adopt' THEN CASE WHEN xero_column = self.xero_key
				AND direction = 'to_local' THEN 'to_local' END
			WHEN direction = 'to_local' THEN CASE WHEN local_column IS NOT NULL
				AND (x_changed OR l_read AND xero_column = self.xero_key) THEN 'to_local' END
			WHEN direction = 'to_xero' THEN CASE WHEN l_changed THEN 'to_xero' END
			WHEN x_changed AND l_changed THEN CASE
				WHEN first_merge AND first AND self.initial = 'xero_to_local' THEN 'to_local'
				WHEN first_merge AND first AND self.initial = 'local_to_xero' THEN 'to_xero'
				WHEN first_merge AND xero_fdw._filled(old_local) IS NULL THEN 'to_local'
				WHEN first_merge AND xero_fdw._filled(new_local) IS NULL THEN 'to_xero'
				WHEN self.conflict = 'xero' THEN 'to_local'
				WHEN self.conflict = 'local' THEN 'to_xero'
				WHEN self.conflict = 'manual' THEN 'conflict'
				WHEN l_newer THEN 'to_xero'
				ELSE 'to_local' END
			WHEN x_changed THEN 'to_local'
			WHEN l_changed THEN 'to_xero'
			END AS wanted
		FROM compared, LATERAL (SELECT NOT x_known AND NOT l_known AS first_merge) AS m
	), settled AS (
		-- a column of Xero's that several fields are parts of goes there as a whole;
		-- one that only goes there has no conflict of its own, but waits for the others
		SELECT *, CASE WHEN wanted = 'to_xero' AND bool_or(wanted = 'conflict')
			OVER (PARTITION BY link_id, xero_column) THEN CASE direction WHEN 'both' THEN 'conflict' END
			ELSE wanted END AS flow
		FROM judged
	), explained AS (
		SELECT *, CASE
			WHEN flow = decided THEN 'decided by a person'
			WHEN flow = 'conflict' THEN 'both sides have changed it'
			WHEN direction <> 'both' OR NOT (x_changed AND l_changed) THEN
				CASE WHEN flow = 'to_local' THEN 'changed in Xero' ELSE 'changed in the local table' END
			WHEN first_merge THEN
				CASE WHEN flow = 'to_local' THEN 'taken from Xero when first merged'
					ELSE 'taken from the local table when first merged' END
			ELSE CASE WHEN self.conflict = 'newest' THEN
				CASE WHEN flow = 'to_local' THEN 'both sides have changed it, Xero''s change is newer'
					ELSE 'both sides have changed it, the local change is newer' END
				ELSE CASE WHEN flow = 'to_local' THEN 'both sides have changed it, Xero wins'
					ELSE 'both sides have changed it, the local table wins' END END
			END AS why
		FROM settled
	), merged AS (
		SELECT link_id,
			jsonb_object_agg(local_column, new_local) FILTER (WHERE flow = 'to_local') AS local_new,
			jsonb_object_agg(local_column, old_local) FILTER (WHERE flow = 'to_local') AS local_old,
			jsonb_object_agg(xero_column, new_xero) FILTER (WHERE flow = 'to_xero') AS xero_new,
			jsonb_object_agg(xero_column, old_xero) FILTER (WHERE flow = 'to_xero') AS xero_old,
			array_agg(field) FILTER (WHERE flow = 'to_xero') AS xero_fields,
			jsonb_object_agg(field, jsonb_build_object('xero', new_local, 'local', old_local))
				FILTER (WHERE flow = 'conflict') AS conflicts,
			count(*) FILTER (WHERE flow IS NOT NULL AND direction = 'both'
				AND x_changed AND l_changed AND decided IS NULL AND NOT first_merge) AS disagreed,
			jsonb_object_agg(field, why) FILTER (WHERE flow IS NOT NULL) AS why
		FROM explained GROUP BY link_id
	)
	SELECT array_agg(ROW(item, CASE kind
				WHEN 'forget' THEN NULL
				WHEN 'ignore' THEN 'ignored'
				WHEN 'rest' THEN (item).state
				WHEN 'wait' THEN 'unlinked'
				WHEN 'create_xero' THEN 'unlinked'
				WHEN 'archive' THEN 'linked'
				WHEN 'end' THEN 'ended'
				WHEN 'delete_local' THEN 'ended'
				ELSE 'linked' END,
			kind = 'wait' OR m.conflicts IS NOT NULL,
			CASE WHEN kind = 'create_local' THEN 'create'
				WHEN kind = 'delete_local' THEN 'delete'
				WHEN m.local_new IS NOT NULL THEN 'update' END,
			CASE WHEN kind = 'create_local' THEN as_local ELSE m.local_new END,
			CASE WHEN kind = 'delete_local' THEN (item).local ELSE m.local_old END,
			CASE WHEN kind = 'create_xero' THEN 'create'
				WHEN kind = 'archive' THEN 'archive'
				WHEN m.xero_new IS NOT NULL THEN 'update' END,
			CASE WHEN kind = 'create_xero' THEN as_xero ELSE m.xero_new END,
			m.xero_old,
			CASE WHEN kind = 'create_xero' THEN to_xero.fields
				WHEN kind = 'archive' THEN '{}' ELSE m.xero_fields END,
			m.conflicts, coalesce(m.disagreed, 0),
			CASE WHEN kind = 'create_local' THEN '{"": "new in Xero"}'
				WHEN kind = 'create_xero' THEN '{"": "new in the local table"}'
				WHEN kind = 'archive' THEN '{"": "deleted from the local table"}'
				WHEN kind = 'delete_local' THEN '{"": "gone from Xero"}'
				ELSE m.why END)::xero_fdw._decision ORDER BY n)
	INTO decisions
	FROM item LEFT JOIN merged AS m ON m.link_id = (item).link_id
		CROSS JOIN (SELECT array_agg(f.field) AS fields FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = sync AND f.direction <> 'to_local') AS to_xero;
	RETURN xero_fdw._follow_local(sync, decisions);
END $$;
COMMENT ON FUNCTION xero_fdw._decide(integer, xero_fdw._item[]) IS
	'internal: what is to be done about items';
