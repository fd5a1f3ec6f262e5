-- Reading the local side: which rows have changed, and what they are now.
--
-- What waits in a table comes and goes, so its statistics may say that it is empty
-- when it is full; statements that would then compare all with all take keys from
-- an array, or test (IN ...) IS TRUE, which is hashed and never a join.
--
-- Where a trigger records changes there is nothing to look for; elsewhere, and
-- before the first merge, the whole relation is compared with what was seen of
-- it last.  Both end in sync_change, and each new row gets a link, which waits
-- for a partner or for being created in Xero.

-- Two values that say the same, though one side may have no way to say it
-- otherwise: Xero leaves out what is empty.
CREATE FUNCTION xero_fdw._filled(value jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN value OPERATOR(pg_catalog.=) ANY (
		'{"null","\"\"","[]","{}"}'::pg_catalog.jsonb[])
		THEN NULL ELSE value END
$$;
COMMENT ON FUNCTION xero_fdw._filled(jsonb) IS
	'internal: the value, or null if it is empty';

-- The members of an object that have these names.
CREATE FUNCTION xero_fdw._slice(object jsonb, names text[]) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT coalesce(pg_catalog.jsonb_object_agg(m.key, m.value), '{}')
	FROM pg_catalog.jsonb_each(object) AS m
	WHERE m.key OPERATOR(pg_catalog.=) ANY (names)
$$;
COMMENT ON FUNCTION xero_fdw._slice(jsonb, text[]) IS
	'internal: the members of an object that have these names';

-- A text that fits into an index: what is beyond a length is digested.
CREATE FUNCTION xero_fdw._short_key(key text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN octet_length(key) <= 500 THEN key ELSE left(key, 100) || '... ' || md5(key) END
$$;
COMMENT ON FUNCTION xero_fdw._short_key(text) IS
	'internal: a text that fits into an index';

-- What two sides must have in common to belong together.
CREATE FUNCTION xero_fdw._match_key("values" jsonb, columns text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._short_key(jsonb_agg(lower(btrim("values"->>c)) ORDER BY n)::text)
	FROM unnest(columns) WITH ORDINALITY AS u(c, n)
	HAVING bool_and(coalesce(btrim("values"->>c), '') <> '')
$$;
COMMENT ON FUNCTION xero_fdw._match_key(jsonb, text[]) IS
	'internal: the values of the columns, trimmed and without case; null if one is empty';

-- The local column that receives the id of the record, if any.
CREATE FUNCTION xero_fdw._id_column(sync integer) RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT f.local_column FROM xero_fdw.sync AS s
		JOIN xero_fdw.sync_field AS f USING (sync_id)
	WHERE s.sync_id = sync AND f.xero_column = s.xero_key
		AND f.local_column IS NOT NULL AND f.to_local IS NULL
	LIMIT 1
$$;
COMMENT ON FUNCTION xero_fdw._id_column(integer) IS
	'internal: the local column that receives the id of the record';

CREATE FUNCTION xero_fdw._local_columns(sync integer) RETURNS text[]
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(a.attname::text ORDER BY a.attnum)
	FROM xero_fdw.sync AS s
		JOIN pg_attribute AS a ON a.attrelid = s.local_table AND a.attnum > 0
			AND NOT a.attisdropped
	WHERE s.sync_id = sync AND (a.attname = ANY (s.local_key || s.match_on)
		OR EXISTS (SELECT FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = sync
				AND (a.attname = f.local_column OR a.attname = ANY (f.local_uses))))
$$;
COMMENT ON FUNCTION xero_fdw._local_columns(integer) IS
	'internal: the columns of the local relation that a sync reads';

-- The members of a row's key, as record_change() makes them.
CREATE FUNCTION xero_fdw._key_members(sync integer) RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format(CASE WHEN a.atttypid::oid < 16384 THEN 'pg_catalog.to_jsonb(local.%I)'
		ELSE 'pg_catalog.to_jsonb(pg_catalog.format(''%%s'', local.%I))' END, c), ', ' ORDER BY n)
	FROM xero_fdw.sync AS s, unnest(s.local_key) WITH ORDINALITY AS u(c, n)
		JOIN pg_attribute AS a ON a.attname = c
	WHERE s.sync_id = sync AND a.attrelid = s.local_table
$$;
COMMENT ON FUNCTION xero_fdw._key_members(integer) IS
	'internal: the members of a row''s key';

-- SELECT of rows as a sync sees them: local_key, image, in_scope.  Nothing but the
-- local table's columns is in sight of local_filter, which may fail for some of them:
-- without it, in_scope is null.
CREATE FUNCTION xero_fdw._rows_query(sync integer, ending text, filtered boolean DEFAULT true)
	RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('SELECT pg_catalog.jsonb_build_array(%s), %s, %s FROM %s AS local %s',
		xero_fdw._key_members(sync),
		xero_fdw._object_of('local', xero_fdw._local_columns(sync)),
		CASE WHEN NOT filtered THEN 'NULL::pg_catalog.bool'
			ELSE format(E'(%s\n) IS TRUE', coalesce(s.local_filter, 'true')) END, s.local_table, ending)
	FROM xero_fdw.sync AS s WHERE s.sync_id = sync
$$;
COMMENT ON FUNCTION xero_fdw._rows_query(integer, text, boolean) IS
	'internal: the statement that reads rows of the local relation as a sync sees them';

-- What says that two values of a type are equal, whatever the search path is: the
-- operator of its btree operator class.
CREATE FUNCTION xero_fdw._equals(type oid) RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((
		SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
		FROM pg_opclass AS c
			JOIN pg_amop AS a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 3
				AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype
			JOIN pg_operator AS o ON o.oid = a.amopopr
			JOIN pg_namespace AS n ON n.oid = o.oprnamespace
		WHERE c.opcdefault AND c.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid)
			AND c.opcmethod = (SELECT m.oid FROM pg_am AS m WHERE m.amname = 'btree')), 'OPERATOR(pg_catalog.=)')
	FROM pg_type AS t WHERE t.oid = type
$$;
COMMENT ON FUNCTION xero_fdw._equals(oid) IS
	'internal: the equality operator of a type, with its schema';

-- The condition for the local row that has a key, which is an array of JSON.
CREATE FUNCTION xero_fdw._key_condition(sync integer, key text) RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('local.%I %s (%s OPERATOR(pg_catalog.->>) %s)::%s', u.c,
		xero_fdw._equals(a.atttypid), key, u.n - 1, xero_fdw._type_name(a.atttypid, a.atttypmod)),
		' AND ' ORDER BY u.n)
	FROM xero_fdw.sync AS s, unnest(s.local_key) WITH ORDINALITY AS u(c, n)
		JOIN pg_attribute AS a ON a.attname = c
	WHERE s.sync_id = sync AND a.attrelid = s.local_table
$$;
COMMENT ON FUNCTION xero_fdw._key_condition(integer, text) IS
	'internal: the condition for the local row that has a key';

-- The rows that have these keys and exist; locked, where the relation can be.  It is
-- called by _read_local() alone.
CREATE FUNCTION xero_fdw._read_rows(sync integer, keys jsonb[], lock boolean, filtered boolean)
	RETURNS TABLE (local_key jsonb, image jsonb, in_scope boolean)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = on ROWS 1000 AS $$
DECLARE
	self xero_fdw.sync;
BEGIN
	IF cardinality(keys) > 0 THEN
		SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
		RETURN QUERY SELECT r.* FROM xero_fdw._as_caller(self.search_path,
			xero_fdw._rows_query(sync, format('WHERE EXISTS (SELECT FROM pg_catalog.unnest($1) AS k(key) WHERE %s) %s',
				xero_fdw._key_condition(sync, 'k.key'), CASE WHEN lock THEN 'FOR NO KEY UPDATE OF local' END), filtered), keys)
			AS r(local_key jsonb, image jsonb, in_scope boolean);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._read_rows(integer, jsonb[], boolean, boolean) IS
	'internal: rows of the local relation by key';

-- The same with a filter, by halves until the rows that it fails for stand alone.
CREATE FUNCTION xero_fdw._filter_rows(sync integer, keys jsonb[], lock boolean,
		OUT read_keys jsonb[], OUT images jsonb[], OUT scopes boolean[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	half CONSTANT integer := cardinality(keys) / 2;
	rest record;
BEGIN
	SELECT array_agg(r.local_key), array_agg(r.image), array_agg(r.in_scope) INTO read_keys, images, scopes
	FROM xero_fdw._read_rows(sync, keys, lock, true) AS r;
EXCEPTION WHEN OTHERS THEN
	IF NOT xero_fdw._may_be_row_error(SQLSTATE) THEN
		RAISE;
	ELSIF half = 0 THEN
		SELECT array_agg(r.local_key), array_agg(r.image), array_agg(r.in_scope) INTO read_keys, images, scopes
		FROM xero_fdw._read_rows(sync, keys, lock, false) AS r;
	ELSE
		SELECT * INTO read_keys, images, scopes FROM xero_fdw._filter_rows(sync, keys[:half], lock);
		SELECT * INTO rest FROM xero_fdw._filter_rows(sync, keys[half + 1:], lock);
		read_keys := read_keys || rest.read_keys;
		images := images || rest.images;
		scopes := scopes || rest.scopes;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._filter_rows(integer, jsonb[], boolean) IS
	'internal: rows of the local relation by key, as far as the filter can be asked';

-- Rows by key.  Of one that local_filter fails for, in_scope is null, and _decide()
-- tells the error.
CREATE FUNCTION xero_fdw._read_local(sync integer, keys jsonb[], lock boolean)
	RETURNS TABLE (local_key jsonb, image jsonb, in_scope boolean)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp ROWS 1000 AS $$
BEGIN
	IF EXISTS (SELECT FROM xero_fdw.sync AS s WHERE s.sync_id = sync AND s.local_filter IS NOT NULL) THEN
		RETURN QUERY SELECT u.* FROM xero_fdw._filter_rows(sync, keys, lock) AS r,
			unnest(r.read_keys, r.images, r.scopes) AS u;
	ELSE
		RETURN QUERY SELECT r.* FROM xero_fdw._read_rows(sync, keys, lock, true) AS r;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._read_local(integer, jsonb[], boolean) IS
	'internal: rows of the local relation by key';

-- Tells the error of local_filter for rows that it fails for.
CREATE FUNCTION xero_fdw._refuse_unfiltered(sync integer, keys jsonb[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM FROM xero_fdw._read_rows(sync, keys, false, true);
EXCEPTION WHEN OTHERS THEN
	RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = 'local_filter: ' || SQLERRM;
END $$;
COMMENT ON FUNCTION xero_fdw._refuse_unfiltered(integer, jsonb[]) IS
	'internal: the error of local_filter for rows';

-- A table that has lost all of its rows at once is more likely to be one that is
-- being loaded anew, than one whose rows are to come from Xero.
CREATE FUNCTION xero_fdw._refuse_empty(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	empty boolean;
	records bigint;
BEGIN
	IF self.on_delete <> 'archive' OR self.direction = 'pull' THEN
		RETURN;
	END IF;
	SELECT r.empty INTO empty FROM xero_fdw._as_caller(self.search_path,
		format('SELECT NOT EXISTS (SELECT FROM %s)', self.local_table)) AS r(empty boolean);
	IF NOT empty THEN
		RETURN;
	END IF;
	SELECT count(*) INTO records FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = self.sync_id AND k.state = 'linked' AND k.local_key IS NOT NULL;
	IF records > 0 THEN
		RAISE EXCEPTION '"%" is empty, and had rows of % records in Xero', self.local_table, records
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Sync "%s" has on_delete ''archive'', and a TRUNCATE ends no records.', self.name),
				HINT = 'Load the rows again. If the records are to stay as they are, set on_delete to ''ignore'' with xero_fdw.alter_sync(); if they are to end, delete them from the foreign table.';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._refuse_empty(xero_fdw.sync) IS
	'internal: an error if all rows of the local table are gone';

-- Rows that were loaded anew, and that nothing but their keys tells from others,
-- might be created in Xero a second time, or be taken for others.
CREATE FUNCTION xero_fdw._refuse_strangers(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	id_column CONSTANT text := xero_fdw._id_column(self.sync_id);
	strangers bigint;
BEGIN
	IF self.match_on IS NOT NULL OR self.direction = 'pull' OR NOT EXISTS (
		SELECT FROM xero_fdw.sync_link AS k WHERE k.sync_id = self.sync_id AND k.state = 'linked')
	THEN
		RETURN;
	END IF;
	SELECT count(*) INTO strangers
	FROM xero_fdw._as_caller(self.search_path, xero_fdw._rows_query(self.sync_id, ''))
		AS r(local_key jsonb, image jsonb, in_scope boolean)
	WHERE r.in_scope AND xero_fdw._filled(r.image->id_column) IS NULL;
	IF strangers > 0 THEN
		RAISE EXCEPTION '"%" was truncated, and which records its rows belong to is not known', self.local_table
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Sync "%s" has no match_on, and %s rows do not name a record.', self.name, strangers),
				HINT = format('Set match_on with xero_fdw.alter_sync(%1$L, ...), or put the ids of the records into the rows. '
					'If all rows are new, forget the sync by xero_fdw.drop_sync(%1$L) and define it again.', self.name);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._refuse_strangers(xero_fdw.sync) IS
	'internal: an error if rows that were loaded anew cannot be told from new ones';

-- Records as changes what differs from what was seen last: rows that are new, that
-- are there again and, where no trigger watches, that are not what they were.
-- Those that are not found are looked at, which is no deletion.
-- When such a row was changed is not known; the time of the look before is
-- taken, so that Xero's change wins wherever it may be the newer one.  What
-- differs for a conflict was seen when it was changed.
CREATE FUNCTION xero_fdw._compare_rows(sync integer, filtered boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last_look CONSTANT timestamptz := coalesce(
		(SELECT max(r.started_at) FROM xero_fdw.sync_run AS r
			WHERE r.sync_id = sync AND r.state = 'done'),
		'-infinity');
	self xero_fdw.sync;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	WITH r AS MATERIALIZED (
		SELECT * FROM xero_fdw._as_caller(self.search_path, xero_fdw._rows_query(sync, '', filtered))
			AS r(local_key jsonb, image jsonb, in_scope boolean)
	), missing AS MATERIALIZED (
		SELECT i.link_id FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = sync AND i.kind = 'missing'
	), changed AS (
		INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
		SELECT sync, CASE WHEN k.link_id IS NULL OR k.state = 'ended' THEN 'insert' ELSE 'update' END,
			r.local_key,
			CASE WHEN self.direction <> 'pull' AND self.watch = 'trigger' AND EXISTS (
					SELECT FROM xero_fdw.sync_issue AS i
					WHERE i.link_id = k.link_id AND i.kind = 'conflict')
				THEN coalesce(k.local_updated_at, last_look) ELSE last_look END
		FROM r LEFT JOIN xero_fdw.sync_link AS k ON k.sync_id = sync AND k.local_key = r.local_key
		WHERE CASE WHEN k.link_id IS NULL THEN r.in_scope IS NOT FALSE
			WHEN k.state = 'ended' THEN k.base_local IS NULL
			WHEN self.direction = 'pull' THEN false
			WHEN k.link_id IN (SELECT m.link_id FROM missing AS m) THEN true
			WHEN self.watch = 'compare' THEN k.seen_local IS DISTINCT FROM md5(r.image::text)
			ELSE k.base_local IS DISTINCT FROM r.image END
	)
	INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
	SELECT sync, 'update', k.local_key, last_look
	FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = sync AND self.direction <> 'pull'
		AND k.state <> 'ended' AND k.local_key IS NOT NULL
		AND (k.local_key IN (SELECT r.local_key FROM r)) IS NOT TRUE
		AND (k.link_id IN (SELECT m.link_id FROM missing AS m)) IS NOT TRUE;
END $$;
COMMENT ON FUNCTION xero_fdw._compare_rows(integer, boolean) IS
	'internal: record as changes what differs from what was seen of the local relation';

-- Where local_filter fails for a row, all that are not linked are looked at one by one.
CREATE FUNCTION xero_fdw._compare_local(sync integer) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM xero_fdw._compare_rows(sync, true);
EXCEPTION WHEN OTHERS THEN
	IF NOT xero_fdw._may_be_row_error(SQLSTATE) OR NOT EXISTS (
		SELECT FROM xero_fdw.sync AS s WHERE s.sync_id = sync AND s.local_filter IS NOT NULL)
	THEN
		RAISE;
	END IF;
	PERFORM xero_fdw._compare_rows(sync, false);
END $$;
COMMENT ON FUNCTION xero_fdw._compare_local(integer) IS
	'internal: record as changes what differs, whatever the filter does';

-- The changes that a run is to see.
CREATE FUNCTION xero_fdw._due_changes(state xero_fdw._run)
	RETURNS SETOF xero_fdw.sync_change
	LANGUAGE sql STABLE AS $$
	SELECT * FROM xero_fdw.sync_change AS c
	WHERE c.sync_id OPERATOR(pg_catalog.=) state.sync_id
		AND c.change_id OPERATOR(pg_catalog.<=) state.upto
		AND c.xid OPERATOR(pg_catalog.<>) ALL (state.open_xids)
$$;
COMMENT ON FUNCTION xero_fdw._due_changes(xero_fdw._run) IS
	'internal: the changes that a run is to see';

-- A row that moves to another partition is deleted there and inserted here, in
-- one transaction, under a key of which only the columns of the partitioning are
-- others.  That is a change of the key.
CREATE FUNCTION xero_fdw._pair_moves(sync integer, changes bigint[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	lasting integer[];
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	SELECT array_agg(u.n - 1) INTO lasting
	FROM unnest(self.local_key) WITH ORDINALITY AS u(c, n)
	WHERE NOT EXISTS (SELECT FROM pg_partition_tree(self.local_table) AS t
			JOIN pg_partitioned_table AS p ON p.partrelid = t.relid
			JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs)
		WHERE a.attname = u.c);
	IF lasting IS NULL OR cardinality(lasting) = cardinality(self.local_key) THEN
		RETURN;
	END IF;
	WITH change AS MATERIALIZED (
		SELECT c.change_id, c.operation, c.local_key, c.xid,
			ARRAY(SELECT c.local_key->n FROM unnest(lasting) AS n) AS lasts
		FROM xero_fdw.sync_change AS c
		WHERE c.sync_id = sync AND c.operation IN ('insert', 'delete')
	), pair AS (
		SELECT DISTINCT ON (i.change_id) i.change_id AS insertion,
			d.change_id AS deletion, d.local_key AS old_key
		FROM change AS i JOIN change AS d USING (xid, lasts)
		WHERE i.operation = 'insert' AND i.change_id = ANY (changes) AND d.operation = 'delete'
			AND d.change_id < i.change_id AND d.local_key <> i.local_key
		ORDER BY i.change_id, d.change_id DESC
	), moved AS (
		UPDATE xero_fdw.sync_change AS c SET operation = 'update', old_key = p.old_key
		FROM pair AS p WHERE c.change_id = p.insertion
	)
	DELETE FROM xero_fdw.sync_change AS c USING pair AS p WHERE c.change_id = p.deletion;
END $$;
COMMENT ON FUNCTION xero_fdw._pair_moves(integer, bigint[]) IS
	'internal: take rows that have moved to another partition for rows whose key has changed';

-- Rows whose key has changed keep their links.  A link that is in the way gives
-- up its key: the row is gone, and with it its key, or its own change of the key
-- is about to come, as one statement may shift many.  Changes that are in nobody's
-- way are followed all at once.
CREATE FUNCTION xero_fdw._follow_keys(sync integer, changes bigint[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c xero_fdw.sync_change;
	other bigint;
	gone boolean;
	key jsonb;					-- an object, which is no row's key
BEGIN
	WITH change AS MATERIALIZED (
		SELECT x.change_id, x.old_key, x.local_key, jsonb_build_object('was', x.old_key) AS was
		FROM xero_fdw.sync_change AS x
		WHERE x.change_id = ANY (changes) AND x.old_key <> x.local_key
	), taken AS MATERIALIZED (
		SELECT u.key FROM change AS x, unnest(ARRAY[x.old_key, x.local_key]) AS u(key)
		GROUP BY u.key HAVING count(*) > 1
		UNION ALL
		SELECT k.local_key FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND k.local_key IN (
			SELECT unnest(ARRAY[x.local_key, x.was]) FROM change AS x)
	), free AS MATERIALIZED (
		SELECT * FROM change AS x
		WHERE x.old_key NOT IN (SELECT t.key FROM taken AS t)
			AND x.local_key NOT IN (SELECT t.key FROM taken AS t)
			AND x.was NOT IN (SELECT t.key FROM taken AS t)
	), moved AS (
		UPDATE xero_fdw.sync_link AS k SET local_key = f.local_key
		FROM free AS f WHERE k.sync_id = sync AND k.local_key = f.old_key
	)
	UPDATE xero_fdw.sync_change AS x SET old_key = NULL
	FROM free AS f WHERE x.change_id = f.change_id;

	FOR c IN
		SELECT * FROM xero_fdw.sync_change AS x
		WHERE x.change_id = ANY (changes) AND x.old_key <> x.local_key
		ORDER BY x.change_id
	LOOP
		DELETE FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND k.local_key = c.local_key AND k.xero_id IS NULL
			AND EXISTS (SELECT FROM xero_fdw.sync_link AS o
				WHERE o.sync_id = sync AND o.local_key IN (c.old_key, jsonb_build_object('was', c.old_key)));
		SELECT k.link_id, k.state = 'ended' OR k.deleted OR EXISTS (SELECT FROM xero_fdw.sync_change AS d
				WHERE d.sync_id = sync AND d.change_id < c.change_id
					AND d.operation = 'delete' AND d.local_key = c.local_key)
		INTO other, gone FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND k.local_key = c.local_key;
		IF FOUND THEN
			key := jsonb_build_object('was', c.local_key)
				|| CASE WHEN gone THEN jsonb_build_object('link', other) ELSE '{}' END;
			UPDATE xero_fdw.sync_link AS k SET local_key = key WHERE k.link_id = other;
			UPDATE xero_fdw.sync_change AS d SET local_key = key
			WHERE d.sync_id = sync AND d.change_id < c.change_id AND d.local_key = c.local_key;
		END IF;
		UPDATE xero_fdw.sync_link AS k SET local_key = c.local_key
		WHERE k.sync_id = sync AND k.local_key = coalesce(
			(SELECT o.local_key FROM xero_fdw.sync_link AS o
			WHERE o.sync_id = sync AND o.local_key = jsonb_build_object('was', c.old_key)), c.old_key);
		UPDATE xero_fdw.sync_change AS x SET old_key = NULL
		WHERE x.change_id = c.change_id;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._follow_keys(integer, bigint[]) IS
	'internal: let links follow rows whose key has changed';

-- A row that names the record of another one that is gone is that row, with
-- another key: it was loaded anew, or nothing watches the relation.
CREATE FUNCTION xero_fdw._follow_ids(self xero_fdw.sync, keys jsonb[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
DECLARE
	moved record;
BEGIN
	SELECT array_agg(l.link_id) AS waiting, array_agg(l.local_key) AS keys,
		array_agg(k.link_id) AS links, array_agg(k.local_key) AS old_keys
	INTO moved
	FROM xero_fdw.sync_link AS l
		JOIN xero_fdw.sync_link AS k ON k.sync_id = l.sync_id AND '=' || k.xero_id = l.match_key
	WHERE l.sync_id = self.sync_id AND l.local_key IN (SELECT unnest(keys)) AND l.xero_id IS NULL
		AND k.local_key IS NOT NULL
		AND (k.state = 'linked' OR k.state = 'ended' AND self.on_delete = 'ignore');
	IF moved.links IS NULL THEN
		RETURN;
	END IF;
	SELECT array_agg(m.waiting) AS waiting, array_agg(m.key) AS keys,
		array_agg(m.link) AS links, array_agg(m.old_key) AS old_keys
	INTO moved
	FROM (SELECT *, count(*) OVER (PARTITION BY link) AS number
			FROM unnest(moved.waiting, moved.keys, moved.links, moved.old_keys) AS u(waiting, key, link, old_key)) AS m
		LEFT JOIN xero_fdw._read_local(self.sync_id, moved.old_keys, false) AS r ON r.local_key = m.old_key
	WHERE r.local_key IS NULL AND m.number = 1;
	DELETE FROM xero_fdw.sync_link AS k WHERE k.link_id = ANY (moved.waiting);
	UPDATE xero_fdw.sync_link AS k SET local_key = m.key, deleted = false
	FROM unnest(moved.links, moved.keys) AS m(link, key) WHERE k.link_id = m.link;
	DELETE FROM xero_fdw.sync_change AS c
	WHERE c.sync_id = self.sync_id AND c.operation = 'delete' AND c.local_key IN (SELECT unnest(moved.old_keys));
END $$;
COMMENT ON FUNCTION xero_fdw._follow_ids(xero_fdw.sync, jsonb[]) IS
	'internal: let links follow rows that name their records';

-- What changes say of links: which rows they belong to, which of these are
-- deleted, and which were given another name by an UPDATE.
CREATE FUNCTION xero_fdw._follow_changes(sync integer, changes bigint[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	identity CONSTANT text[] := ARRAY(SELECT unnest(f.local_uses || f.local_column)
		FROM xero_fdw._identity_fields(sync) AS f);
BEGIN
	PERFORM xero_fdw._pair_moves(sync, changes);
	PERFORM xero_fdw._follow_keys(sync, changes);
	UPDATE xero_fdw.sync_link AS k SET deleted = c.deleted
	FROM (SELECT DISTINCT ON (c.local_key) c.local_key, c.operation = 'delete' AS deleted
		FROM xero_fdw.sync_change AS c
		WHERE c.change_id = ANY (changes) AND c.operation IN ('insert', 'delete')
		ORDER BY c.local_key, c.change_id DESC) AS c
	WHERE k.sync_id = sync AND k.local_key = c.local_key AND k.deleted <> c.deleted;
	UPDATE xero_fdw.sync_link AS k SET renamed = true
	FROM xero_fdw.sync_change AS c
	WHERE c.change_id = ANY (changes) AND c.columns && identity
		AND k.sync_id = sync AND k.local_key = c.local_key AND NOT k.renamed;
END $$;
COMMENT ON FUNCTION xero_fdw._follow_changes(integer, bigint[]) IS
	'internal: let links know of changes of keys, of deletions, and of new names';

-- Rows that have the keys of linked ones, and name their records or, if they name
-- none, have the values of match_on that those had: what was loaded anew is the same.
CREATE FUNCTION xero_fdw._same_rows(self xero_fdw.sync)
	RETURNS TABLE (link_id bigint, has_changed boolean)
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT k.link_id, r.image IS DISTINCT FROM k.base_local
	FROM xero_fdw._id_column(self.sync_id) AS i(id_column)
		CROSS JOIN xero_fdw._read_local(self.sync_id, ARRAY(SELECT k.local_key FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = self.sync_id AND k.state = 'linked' AND jsonb_typeof(k.local_key) = 'array'), false) AS r
		JOIN xero_fdw.sync_link AS k ON k.sync_id = self.sync_id AND k.local_key = r.local_key
	WHERE self.direction <> 'pull' AND CASE WHEN xero_fdw._filled(r.image->id_column) IS NOT NULL THEN r.image->>id_column = k.xero_id
		ELSE xero_fdw._match_key(r.image, self.match_on) = xero_fdw._match_key(k.base_local, self.match_on) END
$$;
COMMENT ON FUNCTION xero_fdw._same_rows(xero_fdw.sync) IS
	'internal: links whose rows were loaded anew and are the same; have they changed?';

-- After a TRUNCATE a key may come back with another row, and nobody has deleted
-- the rows that do not.  So records and rows find each other anew, and are merged as
-- in the first run, but for rows that are the same, or name the records that they
-- had: of these, nothing is known of fields that come from Xero alone.  A row that
-- was deleted before stays so, and one that was sent to Xero with unknown outcome
-- keeps its key.
CREATE FUNCTION xero_fdw._part_links(self xero_fdw.sync, truncation bigint)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sync CONSTANT integer := self.sync_id;
	same bigint[];
	changed bigint[];
	earlier CONSTANT bigint[] := ARRAY(SELECT c.change_id FROM xero_fdw.sync_change AS c
		WHERE c.sync_id = sync AND c.change_id <= truncation ORDER BY c.change_id);
	marks CONSTANT jsonb := (SELECT coalesce(jsonb_object_agg('?' || f.field, true), '{}')
		FROM xero_fdw.sync_field AS f WHERE f.sync_id = sync AND f.direction = 'to_local');
BEGIN
	PERFORM xero_fdw._follow_changes(sync, earlier);
	DELETE FROM xero_fdw.sync_change AS c WHERE c.sync_id = sync AND c.change_id <= truncation;
	DELETE FROM xero_fdw.sync_issue AS i WHERE i.sync_id = sync AND i.kind = 'missing';
	SELECT coalesce(array_agg(s.link_id), '{}'), coalesce(array_agg(s.link_id) FILTER (WHERE s.has_changed), '{}')
	INTO same, changed FROM xero_fdw._same_rows(self) AS s;
	DELETE FROM xero_fdw.sync_intent AS i USING xero_fdw.sync_link AS k
	WHERE i.sync_id = sync AND k.link_id = i.link_id AND i.idempotency_key IS NULL AND NOT k.deleted
		AND k.link_id NOT IN (SELECT unnest(same));
	DELETE FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = sync AND k.xero_id IS NULL
		AND NOT EXISTS (SELECT FROM xero_fdw.sync_intent AS i WHERE i.link_id = k.link_id);

	UPDATE xero_fdw.sync_link AS k
	SET local_key = jsonb_build_object('was', k.local_key, 'link', k.link_id)
	WHERE k.sync_id = sync AND k.xero_id IS NOT NULL AND (k.deleted OR k.state = 'ended')
		AND jsonb_typeof(k.local_key) = 'array';
	INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
	SELECT sync, 'delete', k.local_key, clock_timestamp() FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = sync AND k.xero_id IS NOT NULL AND k.deleted AND k.state <> 'ended';

	INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT sync, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
	FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = sync AND k.state = 'linked' AND NOT k.deleted AND k.base_xero IS NOT NULL
		AND k.link_id NOT IN (SELECT unnest(same))
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET held = false;
	UPDATE xero_fdw.sync_link AS k
	SET local_key = NULL, state = 'unlinked', base_xero = k.base_xero || marks
	WHERE k.sync_id = sync AND k.state = 'linked' AND NOT k.deleted AND k.link_id NOT IN (SELECT unnest(same));
	UPDATE xero_fdw.sync_link AS k SET base_xero = k.base_xero || marks
	WHERE k.sync_id = sync AND k.link_id IN (SELECT unnest(changed));
	UPDATE xero_fdw.sync_position AS p SET initial_done = false WHERE p.sync_id = sync;
END $$;
COMMENT ON FUNCTION xero_fdw._part_links(xero_fdw.sync, bigint) IS
	'internal: let records and rows find each other anew';

-- The keys that fit into an index.  Rows with longer ones become issues.
CREATE FUNCTION xero_fdw._fitting_keys(sync integer, keys jsonb[]) RETURNS jsonb[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	most CONSTANT integer := 2000;
	long CONSTANT jsonb[] := ARRAY(SELECT k FROM unnest(keys) AS k WHERE octet_length(k::text) > most);
BEGIN
	IF long = '{}' THEN
		RETURN keys;
	END IF;
	DELETE FROM xero_fdw.sync_issue AS i WHERE i.sync_id = sync AND i.link_id IS NULL AND i.local_key = ANY (long);
	INSERT INTO xero_fdw.sync_issue (sync_id, local_key, kind, message, sqlstate)
	SELECT sync, r.local_key, 'transform', format('the key of the row is longer than %s bytes', most), '54000'
	FROM xero_fdw._read_local(sync, long, false) AS r WHERE r.in_scope IS NOT FALSE;
	RETURN ARRAY(SELECT k FROM unnest(keys) AS k WHERE octet_length(k::text) <= most);
END $$;
COMMENT ON FUNCTION xero_fdw._fitting_keys(integer, jsonb[]) IS
	'internal: the keys that fit into an index';

-- Sees to it that the rows of the next changes have links, with the key to match
-- them by; returns the last of these changes, null if there was none.  A row
-- that names its record is matched by nothing else.  One of an organisation that
-- is not connected waits until it is.
CREATE FUNCTION xero_fdw._gather(state xero_fdw._run) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
DECLARE
	batch CONSTANT integer := 5000;
	sync CONSTANT integer := state.sync_id;
	self xero_fdw.sync;
	id_column CONSTANT text := xero_fdw._id_column(sync);
	tenant_column CONSTANT text := (SELECT f.local_column
		FROM xero_fdw.sync AS s JOIN xero_fdw.sync_field AS f USING (sync_id)
		WHERE s.sync_id = sync AND f.to_xero IS NULL
			AND f.xero_column = xero_fdw._tenant_column(s.xero_table));
	changes CONSTANT bigint[] := ARRAY(SELECT c.change_id FROM xero_fdw._due_changes(state) AS c
		WHERE c.change_id > state.gathered ORDER BY c.change_id LIMIT batch);
	keys jsonb[];
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	PERFORM xero_fdw._follow_changes(sync, changes);

	-- a row that was deleted, and its record ended, is another one when it is back
	UPDATE xero_fdw.sync_link AS k SET local_key = NULL
	FROM xero_fdw.sync_change AS c
	WHERE self.on_delete = 'archive' AND c.change_id = ANY (changes)
		AND c.operation = 'insert' AND k.sync_id = sync
		AND k.local_key = c.local_key AND k.state = 'ended' AND k.xero_id IS NOT NULL;

	SELECT array_agg(DISTINCT c.local_key) INTO keys
	FROM xero_fdw.sync_change AS c
		LEFT JOIN xero_fdw.sync_link AS k USING (sync_id, local_key)
	WHERE c.change_id = ANY (changes) AND c.local_key IS NOT NULL
		AND (k.link_id IS NULL OR k.xero_id IS NULL);
	keys := xero_fdw._fitting_keys(sync, keys);
	INSERT INTO xero_fdw.sync_link AS k (sync_id, tenant_id, local_key, match_key, state)
	SELECT sync, (r.image->>tenant_column)::uuid, r.local_key,
		CASE WHEN xero_fdw._filled(r.image->id_column) IS NOT NULL
				THEN xero_fdw._short_key('=' || (r.image->>id_column))
			ELSE xero_fdw._match_key(r.image, self.match_on) END, 'unlinked'
	FROM xero_fdw._read_local(sync, keys, false) AS r
	WHERE r.in_scope IS NOT FALSE
	ORDER BY r.local_key
	ON CONFLICT (sync_id, local_key) DO UPDATE
		SET match_key = excluded.match_key, tenant_id = excluded.tenant_id
		WHERE (k.match_key, k.tenant_id) IS DISTINCT FROM (excluded.match_key, excluded.tenant_id);
	PERFORM xero_fdw._follow_ids(self, keys);
	PERFORM xero_fdw._note_issue(k.link_id, 'validation', NULL, m.message, NULL, NULL)
	FROM xero_fdw.sync_link AS k,
		LATERAL (SELECT format('organisation %s is not connected', k.tenant_id) AS message) AS m
	WHERE k.sync_id = sync AND k.tenant_id <> ALL (state.tenants) AND k.state <> 'ended'
		AND k.local_key IN (SELECT c.local_key FROM xero_fdw.sync_change AS c WHERE c.change_id = ANY (changes))
		AND NOT EXISTS (SELECT FROM xero_fdw.sync_issue AS i WHERE i.link_id = k.link_id AND i.message = m.message);
	RETURN changes[cardinality(changes)];
END $$;
COMMENT ON FUNCTION xero_fdw._gather(xero_fdw._run) IS
	'internal: give links to the rows of the next changes; the last of these changes';
