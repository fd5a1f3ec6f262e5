-- Reading the local side: which rows have changed, and what they are now.
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
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length(key) <= 500 THEN key ELSE left(key, 100) || '... ' || md5(key) END;
COMMENT ON FUNCTION xero_fdw._short_key(text) IS
	'internal: a text that fits into an index';

-- A text without case, as Xero compares names.
CREATE FUNCTION xero_fdw._fold(value text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'xero_fold';
COMMENT ON FUNCTION xero_fdw._fold(text) IS
	'internal: a text without case';

-- What two sides must have in common to belong together.  A number says the same
-- however many zeros it ends with.
CREATE FUNCTION xero_fdw._match_key("values" jsonb, columns text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT xero_fdw._short_key(jsonb_agg(xero_fdw._fold(value) ORDER BY n)::text)
	FROM unnest(columns) WITH ORDINALITY AS u(c, n),
		LATERAL (SELECT CASE jsonb_typeof("values"->c) WHEN 'number' THEN trim_scale(("values"->c)::numeric)::text
			ELSE btrim("values"->>c) END AS value) AS v
	HAVING bool_and(coalesce(value, '') <> ''));
COMMENT ON FUNCTION xero_fdw._match_key(jsonb, text[]) IS
	'internal: the values of the columns, trimmed and without case; null if one is empty';

-- The local column that receives the id of the record, if any.
CREATE FUNCTION xero_fdw._id_column(sync integer) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT f.local_column FROM xero_fdw.sync AS s
			JOIN xero_fdw.sync_field AS f USING (sync_id)
		WHERE s.sync_id = sync AND f.xero_column = s.xero_key
			AND f.local_column IS NOT NULL AND f.to_local IS NULL
		LIMIT 1);
END $$;
COMMENT ON FUNCTION xero_fdw._id_column(integer) IS
	'internal: the local column that receives the id of the record';

-- The local column that has the id of the record's organisation, if any.
CREATE FUNCTION xero_fdw._organisation_column(sync integer) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT f.local_column FROM xero_fdw.sync AS s
			JOIN xero_fdw.sync_field AS f USING (sync_id)
		WHERE s.sync_id = sync AND f.xero_column = xero_fdw._tenant_column(s.xero_table)
			AND f.local_column IS NOT NULL AND f.to_local IS NULL AND f.to_xero IS NULL
		LIMIT 1);
END $$;
COMMENT ON FUNCTION xero_fdw._organisation_column(integer) IS
	'internal: the local column that has the id of the record''s organisation';

-- The record that a row names, as Xero spells its id: a text may have it in capitals.
CREATE FUNCTION xero_fdw._named_record(image jsonb, id_column text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT CASE WHEN id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN lower(id) ELSE id END
	FROM nullif(btrim(image->>id_column), '') AS id);
COMMENT ON FUNCTION xero_fdw._named_record(jsonb, text) IS
	'internal: the record that a row names; null if it names none';

-- The organisation that a row names; null if it names none.  A text that is no id
-- names one that is never connected, so that its row waits.
CREATE FUNCTION xero_fdw._named_organisation(image jsonb, organisation_column text) RETURNS uuid
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT CASE WHEN id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN id
		ELSE '00000000-0000-0000-0000-000000000000' END::uuid
	FROM xero_fdw._named_record(image, organisation_column) AS id WHERE id IS NOT NULL);
COMMENT ON FUNCTION xero_fdw._named_organisation(jsonb, text) IS
	'internal: the organisation that a row names; null if it names none';

CREATE FUNCTION xero_fdw._local_columns(sync integer) RETURNS text[]
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT array_agg(a.attname::text ORDER BY a.attnum)
		FROM xero_fdw.sync AS s
			JOIN pg_attribute AS a ON a.attrelid = s.local_table AND a.attnum > 0
				AND NOT a.attisdropped
		WHERE s.sync_id = sync AND (a.attname = ANY (s.local_key || s.match_on)
			OR EXISTS (SELECT FROM xero_fdw.sync_field AS f
				WHERE f.sync_id = sync
					AND (a.attname = f.local_column OR a.attname = ANY (f.local_uses)))));
END $$;
COMMENT ON FUNCTION xero_fdw._local_columns(integer) IS
	'internal: the columns of the local relation that a sync reads';

-- The members of a row's key, as record_change() makes them.
CREATE FUNCTION xero_fdw._key_members(sync integer) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT string_agg(format(CASE WHEN a.atttypid::oid < 16384 THEN 'pg_catalog.to_jsonb(local.%I)'
			ELSE 'pg_catalog.to_jsonb(pg_catalog.format(''%%s'', local.%I))' END, c), ', ' ORDER BY n)
		FROM xero_fdw.sync AS s, unnest(s.local_key) WITH ORDINALITY AS u(c, n)
			JOIN pg_attribute AS a ON a.attname = c
		WHERE s.sync_id = sync AND a.attrelid = s.local_table);
END $$;
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
		xero_fdw._object_of('local', s.local_table, xero_fdw._local_columns(sync)),
		CASE WHEN NOT filtered THEN 'NULL::pg_catalog.bool'
			ELSE format(E'(%s\n) IS TRUE', coalesce(s.local_filter, 'true')) END, s.local_table, ending)
	FROM xero_fdw.sync AS s WHERE s.sync_id = sync
$$;
COMMENT ON FUNCTION xero_fdw._rows_query(integer, text, boolean) IS
	'internal: the statement that reads rows of the local relation as a sync sees them';

-- What says that two values of a type are equal, whatever the search path is: the
-- operator of its btree operator class.
CREATE FUNCTION xero_fdw._equals(type oid) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT coalesce((
			SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
			FROM pg_opclass AS c
				JOIN pg_amop AS a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 3
					AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype
				JOIN pg_operator AS o ON o.oid = a.amopopr
				JOIN pg_namespace AS n ON n.oid = o.oprnamespace
			WHERE c.opcdefault AND c.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid)
				AND c.opcmethod = (SELECT m.oid FROM pg_am AS m WHERE m.amname = 'btree')), 'OPERATOR(pg_catalog.=)')
		FROM pg_type AS t WHERE t.oid = type);
END $$;
COMMENT ON FUNCTION xero_fdw._equals(oid) IS
	'internal: the equality operator of a type, with its schema';

-- The condition for the local row that has a key, which is an array of JSON.
CREATE FUNCTION xero_fdw._key_condition(sync integer, key text) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT string_agg(format('local.%I %s (%s OPERATOR(pg_catalog.->>) %s)::%s', u.c,
			xero_fdw._equals(a.atttypid), key, u.n - 1, xero_fdw._type_name(a.atttypid, a.atttypmod)),
			' AND ' ORDER BY u.n)
		FROM xero_fdw.sync AS s, unnest(s.local_key) WITH ORDINALITY AS u(c, n)
			JOIN pg_attribute AS a ON a.attname = c
		WHERE s.sync_id = sync AND a.attrelid = s.local_table);
END $$;
COMMENT ON FUNCTION xero_fdw._key_condition(integer, text) IS
	'internal: the condition for the local row that has a key';

CREATE FUNCTION xero_fdw._has_foreign_parts(relation regclass) RETURNS boolean
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT EXISTS (SELECT FROM pg_class AS c
			WHERE c.relkind = 'f' AND (c.oid = relation
				OR c.oid IN (SELECT t.relid FROM pg_partition_tree(relation) AS t))));
END $$;
COMMENT ON FUNCTION xero_fdw._has_foreign_parts(regclass) IS
	'internal: is a relation foreign, or has it foreign partitions?';

-- The rows that have these keys and exist; locked, where the relation can be.  It is
-- called by _read_local() alone.  A foreign table is read as a whole, which may be one
-- question where the keys would be one each.
CREATE FUNCTION xero_fdw._read_rows(sync integer, keys jsonb[], lock boolean, filtered boolean)
	RETURNS TABLE (local_key jsonb, image jsonb, in_scope boolean)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp ROWS 1000 AS $$
DECLARE
	self xero_fdw.sync;
	condition text;
	locking text;
BEGIN
	IF cardinality(keys) > 0 THEN
		SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
		condition := xero_fdw._key_condition(sync, 'k.key');
		locking := CASE WHEN lock THEN 'FOR NO KEY UPDATE OF local' ELSE '' END;
		RETURN QUERY SELECT DISTINCT ON (r.local_key) r.* FROM xero_fdw._as_caller(self.search_path,
			CASE WHEN xero_fdw._has_foreign_parts(self.local_table) THEN xero_fdw._rows_query(sync, format(
					'WHERE EXISTS (SELECT FROM pg_catalog.unnest($1) AS k(key) WHERE %s) %s', condition, locking), filtered)
				ELSE format('SELECT r.* FROM pg_catalog.unnest($1) AS k(key) CROSS JOIN LATERAL (%s) AS r', xero_fdw._rows_query(sync,
					format('WHERE %s OFFSET 0 %s', condition, locking), filtered)) END, keys)
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
-- might be created a second time, in Xero or here, or be taken for others.  If others
-- name their records, they are issues (_file_strangers).
CREATE FUNCTION xero_fdw._refuse_strangers(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	id_column CONSTANT text := xero_fdw._id_column(self.sync_id);
	known record;
BEGIN
	IF self.match_on IS NOT NULL OR NOT EXISTS (
		SELECT FROM xero_fdw.sync_link AS k WHERE k.sync_id = self.sync_id AND k.state = 'linked')
	THEN
		RETURN;
	END IF;
	SELECT count(*) AS rows, count(xero_fdw._named_record(r.image, id_column)) AS named INTO known
	FROM xero_fdw._as_caller(self.search_path, xero_fdw._rows_query(self.sync_id, ''))
		AS r(local_key jsonb, image jsonb, in_scope boolean)
	WHERE r.in_scope;
	IF known.rows > 0 AND known.named = 0 THEN
		RAISE EXCEPTION '"%" was truncated, and which records its rows belong to is not known', self.local_table
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Sync "%s" has no match_on, and none of %s rows names a record.', self.name, known.rows),
				HINT = format('Set match_on with xero_fdw.alter_sync(%1$L, ...), or put the ids of the records into the rows. '
					'If all rows are new, forget the sync by xero_fdw.drop_sync(%1$L) and define it again.', self.name);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._refuse_strangers(xero_fdw.sync) IS
	'internal: an error if rows that were loaded anew cannot be told from new ones';

-- Records as changes what differs from what was seen last: rows that are new, that
-- are there again and, where no trigger watches, that are not what they were.
-- Those that are not found are looked at, which is no deletion.
-- A row may have the key of another one: it has other values of match_on than that,
-- and neither a trigger has seen it get them nor does it name the record.  It is new,
-- and the other one is gone, if the id is gone with it, if partitions have come, or if
-- other rows say what either of the two has said: they were shifted while no trigger
-- looked.  Where a row names its record and takes what another one said, a person is
-- asked who it is.
-- When such a row was changed is not known; the time of the look before is
-- taken, so that Xero's change wins wherever it may be the newer one.  What
-- differs for a conflict was seen when it was changed.  What differs as fields are
-- other ones by now was not changed at all.
CREATE FUNCTION xero_fdw._compare_rows(sync integer, other_parts boolean, filtered boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	id_column CONSTANT text := xero_fdw._id_column(sync);
	identity CONSTANT text[] := ARRAY(SELECT unnest(f.local_uses || f.local_column)
		FROM xero_fdw._identity_fields(sync) AS f);
	marks CONSTANT text[] := ARRAY(SELECT '?' || f.field FROM xero_fdw.sync_field AS f
		WHERE f.sync_id = sync);
	last_change CONSTANT bigint := (SELECT max(c.change_id) FROM xero_fdw.sync_change AS c WHERE c.sync_id = sync);
	absent bigint[];
	contradicting bigint[];
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
	), lost AS MATERIALIZED (
		SELECT k.link_id, k.local_key, k.base_local FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND self.direction <> 'pull'
			AND k.state <> 'ended' AND jsonb_typeof(k.local_key) = 'array'
			AND (k.local_key IN (SELECT r.local_key FROM r)) IS NOT TRUE
			AND (k.link_id IN (SELECT m.link_id FROM missing AS m)) IS NOT TRUE
	), strange AS MATERIALIZED (
		SELECT r.local_key, k.link_id, w.said, w.says, coalesce(n.names = k.xero_id, false) AS names_own,
			n.names IS NULL AND xero_fdw._named_record(k.base_local, id_column) IS NOT NULL AS lost_id
		FROM r JOIN xero_fdw.sync_link AS k ON k.sync_id = sync AND k.local_key = r.local_key,
			LATERAL (SELECT xero_fdw._match_key(k.base_local, self.match_on) AS said,
				xero_fdw._match_key(r.image, self.match_on) AS says) AS w,
			LATERAL (SELECT xero_fdw._named_record(r.image, id_column) AS names) AS n
		WHERE self.direction <> 'pull' AND k.state = 'linked' AND NOT k.renamed
			AND k.base_local <> r.image AND w.said <> coalesce(w.says, '')
			AND NOT EXISTS (SELECT FROM xero_fdw._changes_of_rows(sync, ARRAY[r.local_key]) AS c
				WHERE c.operation <> 'update' OR c.old_key IS NOT NULL OR c.columns && identity)
	), shifted AS MATERIALIZED (
		SELECT s.local_key, s.link_id, s.names_own, s.lost_id,
			s.says IN (SELECT o.said FROM strange AS o UNION ALL
				SELECT xero_fdw._match_key(l.base_local, self.match_on) FROM lost AS l) AS takes,
			s.said IN (SELECT o.says FROM strange AS o UNION ALL
				SELECT xero_fdw._match_key(r.image, self.match_on)
				FROM r LEFT JOIN xero_fdw.sync_link AS k ON k.sync_id = sync AND k.local_key = r.local_key
				WHERE k.link_id IS NULL) AS gives
		FROM strange AS s
	), changed AS (
		INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
		SELECT sync, CASE WHEN k.state = 'ended' OR r.local_key IN (
					SELECT s.local_key FROM shifted AS s
					WHERE NOT s.names_own
						AND (s.takes OR s.gives OR s.lost_id OR other_parts AND self.watch = 'trigger'))
				THEN 'insert' ELSE 'update' END,
			r.local_key,
			CASE WHEN 'anew' = ANY (ARRAY(SELECT k.base_local->>m FROM unnest(marks) AS m)) THEN '-infinity'
				WHEN self.direction <> 'pull' AND self.watch = 'trigger' AND EXISTS (
					SELECT FROM xero_fdw.sync_issue AS i
					WHERE i.link_id = k.link_id AND i.kind = 'conflict')
				THEN coalesce(k.local_updated_at, last_look) ELSE last_look END
		FROM r LEFT JOIN xero_fdw.sync_link AS k ON k.sync_id = sync AND k.local_key = r.local_key
		WHERE CASE WHEN k.link_id IS NULL THEN r.in_scope IS NOT FALSE
			WHEN k.state = 'ended' THEN k.deleted
			WHEN k.link_id IN (SELECT m.link_id FROM missing AS m) THEN true
			WHEN self.direction = 'pull' THEN false
			WHEN self.watch = 'compare' THEN k.seen_local IS DISTINCT FROM md5(r.image::text)
			ELSE k.base_local IS DISTINCT FROM r.image END
	), noticed AS (
		INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
		SELECT sync, 'update', l.local_key, last_look FROM lost AS l
	)
	SELECT (SELECT array_agg(l.link_id) FROM lost AS l),
		(SELECT array_agg(s.link_id) FROM shifted AS s WHERE s.names_own AND s.takes)
	INTO absent, contradicting;
	PERFORM xero_fdw._keep_match_keys(self, absent, last_change);
	PERFORM xero_fdw._note_issue(k.link_id, 'ambiguous', NULL,
		format('the row names record %s, and its values of match_on are another record''s', k.xero_id), NULL, NULL)
	FROM xero_fdw.sync_link AS k WHERE k.link_id = ANY (contradicting);
END $$;
COMMENT ON FUNCTION xero_fdw._compare_rows(integer, boolean, boolean) IS
	'internal: record as changes what differs from what was seen of the local relation';

-- Where local_filter fails for a row, all that are not linked are looked at one by one.
CREATE FUNCTION xero_fdw._compare_local(sync integer, other_parts boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM xero_fdw._compare_rows(sync, other_parts, true);
EXCEPTION WHEN OTHERS THEN
	IF NOT xero_fdw._may_be_row_error(SQLSTATE) OR NOT EXISTS (
		SELECT FROM xero_fdw.sync AS s WHERE s.sync_id = sync AND s.local_filter IS NOT NULL)
	THEN
		RAISE;
	END IF;
	PERFORM xero_fdw._compare_rows(sync, other_parts, false);
END $$;
COMMENT ON FUNCTION xero_fdw._compare_local(integer, boolean) IS
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

-- What a row is matched by: the record that it names and nothing else, or the values
-- of match_on.
CREATE FUNCTION xero_fdw._row_key(image jsonb, id_column text, match_on text[])
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(xero_fdw._short_key('=' || xero_fdw._named_record(image, id_column)),
	xero_fdw._match_key(image, match_on));
COMMENT ON FUNCTION xero_fdw._row_key(jsonb, text, text[]) IS
	'internal: what a row is matched by';

-- Sees to it that the rows of the next changes have links, with the key to match
-- them by, and issues the keys that these rows have; returns the last of these changes,
-- null if there was none.  A row of an organisation that is not connected waits until
-- it is.
CREATE FUNCTION xero_fdw._gather(state xero_fdw._run) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	batch CONSTANT integer := 5000;
	sync CONSTANT integer := state.sync_id;
	self xero_fdw.sync;
	id_column CONSTANT text := xero_fdw._id_column(sync);
	tenant_column CONSTANT text := xero_fdw._organisation_column(sync);
	changes CONSTANT bigint[] := ARRAY(SELECT c.change_id FROM xero_fdw._due_changes(state) AS c
		WHERE c.change_id > state.gathered ORDER BY c.change_id LIMIT (SELECT batch));
	keys jsonb[];
	strange jsonb[];			-- those of rows that have no record
	seen record;
	known jsonb[];
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	IF changes = '{}' THEN
		PERFORM xero_fdw._rejoin_waiting(self);
		IF xero_fdw._has_waiting_rows(sync) THEN
			PERFORM xero_fdw._rejoin_renamed(self, false);
			PERFORM xero_fdw._release_contested(self);
		END IF;
		PERFORM xero_fdw._release_links(self, state, id_column, tenant_column);
		RETURN NULL;
	END IF;
	PERFORM xero_fdw._follow_changes(self, changes);
	keys := ARRAY(SELECT DISTINCT c.local_key FROM xero_fdw._changes_by_id(sync, changes) AS c
		WHERE c.local_key IS NOT NULL);
	strange := ARRAY(SELECT u.key FROM unnest(keys) AS u(key)
			LEFT JOIN LATERAL (SELECT k.xero_id FROM xero_fdw.sync_link AS k
				WHERE k.sync_id = sync AND k.local_key = u.key OFFSET 0) AS k ON true
		WHERE k.xero_id IS NULL);
	SELECT array_agg(r.local_key) AS keys, array_agg(r.in_scope) AS in_scope,
		array_agg(xero_fdw._named_organisation(r.image, tenant_column)) AS tenants,
		array_agg(xero_fdw._row_key(r.image, id_column, self.match_on)) AS match_keys,
		array_agg(xero_fdw._match_key(r.image, self.match_on)) AS says
	INTO seen FROM xero_fdw._read_local(sync, strange, false) AS r;
	known := xero_fdw._rejoin(self, seen.keys, seen.match_keys, seen.says, seen.tenants);
	PERFORM xero_fdw._follow_deletions(self, changes, strange, id_column, tenant_column);
	PERFORM xero_fdw._settle_insertions(sync, changes);
	INSERT INTO xero_fdw.sync_link AS k (sync_id, tenant_id, local_key, match_key, state)
	SELECT sync, r.tenant, r.key, r.match_key, 'unlinked'
	FROM unnest(seen.keys, seen.in_scope, seen.tenants, seen.match_keys) AS r(key, in_scope, tenant, match_key)
	WHERE r.in_scope IS NOT FALSE AND (r.key IN (SELECT unnest(known))) IS NOT TRUE
	ORDER BY r.key
	ON CONFLICT (sync_id, local_key) DO UPDATE
		SET match_key = excluded.match_key, tenant_id = excluded.tenant_id
		WHERE (k.match_key, k.tenant_id) IS DISTINCT FROM (excluded.match_key, excluded.tenant_id);
	UPDATE xero_fdw.sync_issue AS i SET local_key = xero_fdw._shown_key(k.local_key)
	FROM xero_fdw._links_of_rows(sync, keys) AS k
	WHERE i.link_id = k.link_id AND i.sync_id = sync
		AND i.local_key IS DISTINCT FROM xero_fdw._shown_key(k.local_key);
	PERFORM xero_fdw._note_issue(k.link_id, 'validation', NULL, m.message, NULL, NULL)
	FROM xero_fdw._links_of_rows(sync, keys) AS k,
		LATERAL (SELECT CASE k.tenant_id WHEN '00000000-0000-0000-0000-000000000000'
				THEN format('column "%s" does not have the id of an organisation', tenant_column)
				ELSE format('organisation %s is not connected', k.tenant_id) END AS message) AS m
	WHERE k.tenant_id <> ALL (state.tenants) AND k.state <> 'ended'
		AND NOT EXISTS (SELECT FROM xero_fdw.sync_issue AS i WHERE i.link_id = k.link_id AND i.message = m.message);
	RETURN changes[cardinality(changes)];
END $$;
COMMENT ON FUNCTION xero_fdw._gather(xero_fdw._run) IS
	'internal: give links to the rows of the next changes; the last of these changes';
