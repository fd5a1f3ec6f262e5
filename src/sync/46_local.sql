-- Writing to the local side, with nothing but plain INSERT, UPDATE and DELETE by
-- key: the relation may be a foreign table of any kind.

-- The rows to be created, with their keys: a column of the key that no field
-- gives a value gets its default, or the next value of its identity, beforehand,
-- since a foreign table may be unable to tell what it has stored.
CREATE FUNCTION xero_fdw._make_keys(self xero_fdw.sync, "rows" jsonb[]) RETURNS jsonb[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made text;
BEGIN
	FOREACH made IN ARRAY ARRAY(
		SELECT c FROM unnest(self.local_key) AS c
		WHERE NOT EXISTS (SELECT FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = self.sync_id AND f.local_column = c AND f.direction <> 'to_xero'))
	LOOP
		"rows" := ARRAY(
			SELECT u.r || jsonb_build_object(made, u.value)
			FROM unnest("rows", xero_fdw._default_values(self.local_table, made,
				self.search_path, cardinality("rows"))) WITH ORDINALITY AS u(r, value, n)
			ORDER BY u.n);
	END LOOP;
	RETURN "rows";
END $$;
COMMENT ON FUNCTION xero_fdw._make_keys(xero_fdw.sync, jsonb[]) IS
	'internal: rows to be created, with their keys';

-- The keys that rows have, as links know them.
CREATE FUNCTION xero_fdw._keys_of(self xero_fdw.sync, "rows" jsonb[]) RETURNS jsonb[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result jsonb[];
BEGIN
	SELECT r.keys INTO result FROM xero_fdw._as_caller(self.search_path,
		format('SELECT pg_catalog.array_agg(pg_catalog.jsonb_build_array(%s) ORDER BY u.n)'
			' FROM pg_catalog.unnest($1) WITH ORDINALITY AS u(r, n), pg_catalog.jsonb_to_record(u.r) AS local(%s)',
			xero_fdw._key_members(self.sync_id), xero_fdw._column_list(self.local_table, self.local_key)), "rows")
		AS r(keys jsonb[]);
	RETURN result;
END $$;
COMMENT ON FUNCTION xero_fdw._keys_of(xero_fdw.sync, jsonb[]) IS
	'internal: the keys of rows, as links know them';

-- Rows that are to be written, with the default where there is no value for one of
-- these columns, which must have one.
CREATE FUNCTION xero_fdw._put_defaults(self xero_fdw.sync, "rows" jsonb[], names text[])
	RETURNS jsonb[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
	empty bigint[];
BEGIN
	FOR name IN
		SELECT a.attname FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
		WHERE a.attrelid = self.local_table AND a.attname = ANY (names)
			AND (a.attnotnull OR t.typnotnull)
			AND (a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL)
	LOOP
		empty := ARRAY(SELECT n FROM unnest("rows") WITH ORDINALITY AS u(r, n) WHERE r->name = 'null');
		CONTINUE WHEN empty = '{}';
		SELECT array_agg(u.r || CASE WHEN e.n IS NULL THEN '{}' ELSE jsonb_build_object(name, e.value) END ORDER BY u.n)
		INTO "rows"
		FROM unnest("rows") WITH ORDINALITY AS u(r, n)
			LEFT JOIN unnest(empty, xero_fdw._default_values(self.local_table, name,
				self.search_path, cardinality(empty))) AS e(n, value) ON e.n = u.n;
	END LOOP;
	RETURN "rows";
END $$;
COMMENT ON FUNCTION xero_fdw._put_defaults(xero_fdw.sync, jsonb[], text[]) IS
	'internal: rows with defaults where a value is missing that must be there';

CREATE FUNCTION xero_fdw._insert_local(self xero_fdw.sync, "rows" jsonb[]) RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._do_as_caller(self.search_path,
		format('INSERT INTO %s (%s) %s SELECT %s FROM pg_catalog.unnest($1) AS u(r),'
				' pg_catalog.jsonb_to_record(u.r) AS r(%s)',
			self.local_table,
			(SELECT string_agg(quote_ident(c), ', ' ORDER BY c) FROM unnest(w.columns) AS c),
			CASE WHEN EXISTS (SELECT FROM pg_attribute AS a
					WHERE a.attrelid = self.local_table AND a.attidentity <> '' AND a.attname = ANY (w.columns))
				THEN 'OVERRIDING SYSTEM VALUE' ELSE '' END,
			(SELECT string_agg(format('r.%I', c), ', ' ORDER BY c) FROM unnest(w.columns) AS c),
			xero_fdw._column_list(self.local_table, w.columns)), "rows")
	FROM (SELECT array_agg(DISTINCT c) AS columns FROM (
			SELECT unnest(self.local_key) AS c
			UNION SELECT f.local_column FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = self.sync_id AND f.direction <> 'to_xero'
				AND f.local_column IS NOT NULL) AS u) AS w
$$;
COMMENT ON FUNCTION xero_fdw._insert_local(xero_fdw.sync, jsonb[]) IS
	'internal: create local rows';

-- Sets the same columns of several rows; how many of them there were.
CREATE FUNCTION xero_fdw._update_local(self xero_fdw.sync, keys jsonb[], "rows" jsonb[],
		names text[]) RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._do_as_caller(self.search_path,
		format('UPDATE %s AS local SET %s FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u(k, r),'
				' pg_catalog.jsonb_to_record(u.r) AS r(%s) WHERE %s',
			self.local_table,
			(SELECT string_agg(format('%1$I = r.%1$I', c), ', ') FROM unnest(names) AS c),
			xero_fdw._column_list(self.local_table, names),
			xero_fdw._key_condition(self.sync_id, 'u.k')), keys,
		xero_fdw._put_defaults(self, "rows", ARRAY(SELECT unnest(names) EXCEPT SELECT unnest(self.local_key))))
$$;
COMMENT ON FUNCTION xero_fdw._update_local(xero_fdw.sync, jsonb[], jsonb[], text[]) IS
	'internal: change local rows';

CREATE FUNCTION xero_fdw._delete_local(self xero_fdw.sync, keys jsonb[]) RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._do_as_caller(self.search_path,
		format('DELETE FROM %s AS local USING pg_catalog.unnest($1) AS u(k) WHERE %s',
			self.local_table, xero_fdw._key_condition(self.sync_id, 'u.k')), keys)
$$;
COMMENT ON FUNCTION xero_fdw._delete_local(xero_fdw.sync, jsonb[]) IS
	'internal: delete local rows';

-- An error if a write has left out rows that are there all the same, under any of
-- these keys: a trigger has swallowed it.  Rows that are gone are nobody's fault.
CREATE FUNCTION xero_fdw._refuse_swallowed(self xero_fdw.sync, action text, wanted bigint,
		written bigint, keys jsonb[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF written < wanted AND (CASE action WHEN 'changed' THEN written ELSE 0 END) < (
		SELECT count(*) FROM xero_fdw._read_local(self.sync_id, ARRAY(SELECT DISTINCT unnest(keys)), false))
	THEN
		RAISE EXCEPTION 'the local row was not %', action
			USING ERRCODE = 'integrity_constraint_violation', DETAIL = 'A trigger has kept it as it was.';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._refuse_swallowed(xero_fdw.sync, text, bigint, bigint, jsonb[]) IS
	'internal: an error if local rows were not written though they are there';

-- The keys that rows have after columns of them were set.
CREATE FUNCTION xero_fdw._moved_keys(self xero_fdw.sync, keys jsonb[], "rows" jsonb[],
		names text[]) RETURNS jsonb[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN NOT self.local_key && names THEN keys
		ELSE xero_fdw._keys_of(self, (
			SELECT array_agg((SELECT jsonb_object_agg(c, k->(n::integer - 1))
					FROM unnest(self.local_key) WITH ORDINALITY AS u(c, n)) || r ORDER BY o)
			FROM unnest(keys, "rows") WITH ORDINALITY AS u(k, r, o))) END
$$;
COMMENT ON FUNCTION xero_fdw._moved_keys(xero_fdw.sync, jsonb[], jsonb[], text[]) IS
	'internal: the keys of rows after a change';

-- Writes what was decided for the local side.  Returns, in the order of the
-- decisions, the keys and the present images of the rows that were written;
-- no image, if the row is gone or images are not kept.  What the trigger has
-- recorded of these writes is taken back, but not that a trigger of the table, or a
-- foreign key, has deleted a row.  Constraints and triggers that would wait
-- for the end of the transaction do not, so that the row at fault can be found.
CREATE FUNCTION xero_fdw._apply_local(sync integer, decisions xero_fdw._decision[],
		OUT keys jsonb[], OUT images jsonb[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	earlier CONSTANT bigint := coalesce(
		(SELECT max(c.change_id) FROM xero_fdw.sync_change AS c WHERE c.sync_id = sync), 0);
	made jsonb[];
	moved jsonb[];
	batch record;
	numbers bigint[] := '{}';		-- of the decisions that were carried out
	before jsonb[] := '{}';
	after jsonb[] := '{}';
	deleted jsonb[] := '{}';
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	SELECT array_agg(d.ordinality ORDER BY d.ordinality) AS numbers,
		array_agg(d.local_new ORDER BY d.ordinality) AS "rows"
	INTO batch
	FROM unnest(decisions) WITH ORDINALITY AS d WHERE d.local_action = 'create';
	IF batch.numbers IS NOT NULL THEN
		made := xero_fdw._put_defaults(self, xero_fdw._make_keys(self, batch."rows"), ARRAY(
			SELECT f.local_column FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = sync AND f.direction <> 'to_xero' AND f.local_column IS NOT NULL));
		PERFORM xero_fdw._insert_local(self, made);
		numbers := batch.numbers;
		after := xero_fdw._keys_of(self, made);
		before := after;
	END IF;

	FOR batch IN
		SELECT array_agg(d.ordinality ORDER BY d.ordinality) AS numbers,
			array_agg((d.item).local_key ORDER BY d.ordinality) AS keys,
			array_agg(d.local_new ORDER BY d.ordinality) AS "rows", c.columns
		FROM unnest(decisions) WITH ORDINALITY AS d, LATERAL (
			SELECT array_agg(k ORDER BY k) AS columns FROM jsonb_object_keys(d.local_new) AS k) AS c
		WHERE d.local_action = 'update' GROUP BY c.columns
	LOOP
		moved := xero_fdw._moved_keys(self, batch.keys, batch."rows", batch.columns);
		PERFORM xero_fdw._refuse_swallowed(self, 'changed', cardinality(batch.keys),
			xero_fdw._update_local(self, batch.keys, batch."rows", batch.columns), batch.keys || moved);
		numbers := numbers || batch.numbers;
		before := before || batch.keys;
		after := after || moved;
	END LOOP;

	SELECT array_agg(d.ordinality) AS numbers, array_agg((d.item).local_key) AS keys
	INTO batch
	FROM unnest(decisions) WITH ORDINALITY AS d WHERE d.local_action = 'delete';
	IF batch.numbers IS NOT NULL THEN
		PERFORM xero_fdw._refuse_swallowed(self, 'deleted', cardinality(batch.keys),
			xero_fdw._delete_local(self, batch.keys), batch.keys);
		deleted := batch.keys;
	END IF;

	PERFORM xero_fdw._do_as_caller(self.search_path, 'SET CONSTRAINTS ALL IMMEDIATE');
	DELETE FROM xero_fdw.sync_change AS c
	WHERE c.sync_id = sync AND c.change_id > earlier AND c.xid = pg_current_xact_id()
		AND (c.local_key IN (SELECT unnest(CASE c.operation WHEN 'delete' THEN deleted ELSE before || after || deleted END))) IS TRUE;
	SELECT array_agg(w.key ORDER BY d.n), array_agg(r.image ORDER BY d.n)
	INTO keys, images
	FROM generate_series(1, cardinality(decisions)) AS d(n)
		LEFT JOIN unnest(numbers, after) AS w(n, key) ON w.n = d.n
		LEFT JOIN xero_fdw._read_local(sync,
			CASE WHEN self.direction = 'pull' THEN '{}' ELSE after END, false) AS r
			ON r.local_key = w.key;
	IF self.direction <> 'pull' AND EXISTS (
		SELECT FROM unnest(decisions) WITH ORDINALITY AS d
		WHERE d.local_action = 'create' AND images[d.ordinality] IS NULL)
	THEN
		RAISE EXCEPTION 'the local row was not stored with the key that it was given'
			USING ERRCODE = 'integrity_constraint_violation';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._apply_local(integer, xero_fdw._decision[]) IS
	'internal: write to the local side what was decided';

-- Which fields the two sides do not agree on yet, as marks "?field" for the base
-- images, though rows were created or changed by what came from Xero: those of new rows
-- that only go there and, where Xero has nothing, those that are made of what has
-- come, or that a default or a trigger has filled.  What is made here of values that
-- came does not go back over one that Xero has: a name that is put together of its
-- parts would rename the record.  Nor does what tells a record from others.  Of a column
-- that several fields are parts of, all of which come, Xero has as much as comes of
-- each.  In the order of the decisions; null for none.
CREATE FUNCTION xero_fdw._open_fields(self xero_fdw.sync, decisions xero_fdw._decision[],
		images jsonb[]) RETURNS jsonb[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH field AS MATERIALIZED (
		SELECT f.*, guarded.columns ?| (f.xero_uses || f.xero_column) AS guarded,
			count(*) FILTER (WHERE f.direction = 'both') OVER parts > 1 AND bool_and(f.direction = 'both') OVER parts AS is_part,
			f.direction = 'to_xero' AND f.xero_column <> ALL (xero_fdw._unique_columns())
				AND NOT EXISTS (SELECT FROM pg_attribute AS a
					WHERE a.attrelid = self.local_table AND a.attname = ANY (f.local_uses) AND a.attgenerated <> '') AS is_own
		FROM xero_fdw.sync_field AS f, xero_fdw._push_rules(self.xero_table, 'update') AS rules,
			xero_fdw._guarded_columns(self.sync_id) AS guarded(columns)
		WHERE f.sync_id = self.sync_id AND f.direction <> 'to_local' AND rules.batch > 0
		WINDOW parts AS (PARTITION BY f.xero_column)
	)
	SELECT array_agg(CASE WHEN d.local_action IN ('create', 'update') AND i.image IS NOT NULL
			AND NOT (d.local_action = 'update' AND (d.item).base_local IS NULL AND self.initial = 'new_only')
			AND NOT coalesce((d.item).base_local ?| ARRAY(SELECT '?' || f.field FROM field AS f), false) THEN (
		SELECT jsonb_object_agg('?' || f.field, true) FROM field AS f
		WHERE (NOT f.guarded OR (d.item).remote ?& (f.xero_uses || f.xero_column)) AND (f.is_own AND d.local_action = 'create' AND NOT d.local_new ?| f.local_uses
			OR xero_fdw._filled(CASE WHEN f.is_part AND d.local_new ? f.local_column THEN d.local_new->f.local_column
					ELSE (d.item).remote->f.xero_column END) IS NULL
				AND (f.direction = 'to_xero' AND d.local_new ?| f.local_uses OR EXISTS (
					SELECT FROM unnest(f.local_uses) AS c
					WHERE xero_fdw._filled(i.image->c) IS DISTINCT FROM xero_fdw._filled(
						CASE WHEN d.local_new ? c THEN d.local_new->c ELSE (d.item).local->c END))))) END ORDER BY i.n)
	FROM unnest(decisions) WITH ORDINALITY AS d
		JOIN unnest(images) WITH ORDINALITY AS i(image, n) ON i.n = d.ordinality
$$;
COMMENT ON FUNCTION xero_fdw._open_fields(xero_fdw.sync, xero_fdw._decision[], jsonb[]) IS
	'internal: fields that the two sides do not agree on though what came was written';

-- Takes the records of items out of the inbox.
CREATE FUNCTION xero_fdw._leave_inbox(sync integer, items xero_fdw._item[]) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM xero_fdw.sync_inbox AS i
	WHERE i.ctid = ANY (ARRAY(SELECT a.at FROM (
			SELECT array_agg(d.tenant_id) AS tenants, array_agg(d.xero_id) AS ids FROM unnest(items) AS d) AS l,
		xero_fdw._inbox_at(sync, l.tenants, l.ids) AS a(at)))
$$;
COMMENT ON FUNCTION xero_fdw._leave_inbox(integer, xero_fdw._item[]) IS
	'internal: take the records of items out of the inbox';

-- The organisation that is written to: the link's, the one that the row names, or the
-- only one there is; null if that is not known.
CREATE FUNCTION xero_fdw._destination(of_link uuid, of_row uuid, tenants uuid[]) RETURNS uuid
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT t.id FROM coalesce(of_link, of_row,
		CASE WHEN cardinality(tenants) = 1 THEN tenants[1] END) AS t(id)
	WHERE t.id = ANY (tenants));
COMMENT ON FUNCTION xero_fdw._destination(uuid, uuid, uuid[]) IS
	'internal: the organisation that is written to';

-- Files rows of which nobody knows in which organisation they are to be created; their
-- links.
CREATE FUNCTION xero_fdw._file_homeless(sync integer, tenants uuid[],
		decisions xero_fdw._decision[]) RETURNS bigint[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	homeless CONSTANT bigint[] := ARRAY(SELECT (d.item).link_id
		FROM xero_fdw.sync AS s CROSS JOIN xero_fdw._tenant_column(s.xero_table) AS tenant_column
			CROSS JOIN unnest(decisions) AS d
		WHERE s.sync_id = sync AND d.xero_action = 'create'
			AND xero_fdw._destination((d.item).tenant_id, (d.xero_new->>tenant_column)::uuid, tenants) IS NULL);
BEGIN
	PERFORM xero_fdw._note_issue((d.item).link_id, 'validation', NULL,
		'the row does not say in which organisation it is to be created', NULL, d.xero_new)
	FROM unnest(decisions) AS d WHERE (d.item).link_id = ANY (homeless);
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.link_id = ANY (homeless) AND i.idempotency_key IS NULL;
	RETURN homeless;
END $$;
COMMENT ON FUNCTION xero_fdw._file_homeless(integer, uuid[], xero_fdw._decision[]) IS
	'internal: file rows that are to be created in an organisation that is not known';

-- Remembers what was decided to be written to Xero, of rows that may have other images
-- by now.
CREATE FUNCTION xero_fdw._save_intents(sync integer, tenants uuid[],
		decisions xero_fdw._decision[], images jsonb[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tenant_column CONSTANT text := (SELECT xero_fdw._tenant_column(s.xero_table) FROM xero_fdw.sync AS s
		WHERE s.sync_id = sync);
BEGIN
	DELETE FROM xero_fdw.sync_intent AS i
	WHERE i.link_id = ANY (ARRAY(SELECT (d.item).link_id FROM unnest(decisions) AS d
			WHERE NOT (d.item).is_new AND d.xero_action IS NULL))
		AND i.idempotency_key IS NULL;
	INSERT INTO xero_fdw.sync_intent AS i (sync_id, link_id, tenant_id, operation, "row", fields, image)
	SELECT sync, (d.item).link_id, t.tenant_id,
		CASE d.xero_action WHEN 'create' THEN 'insert' WHEN 'archive' THEN 'delete' ELSE 'update' END,
		coalesce(d.xero_new - tenant_column, d.xero_new, '{}'), d.xero_fields,
		coalesce(k.image, (d.item).local)
	FROM unnest(decisions) WITH ORDINALITY AS d
		LEFT JOIN unnest(images) WITH ORDINALITY AS k(image, n) ON k.n = d.ordinality
		CROSS JOIN LATERAL (SELECT xero_fdw._destination((d.item).tenant_id, (d.xero_new->>tenant_column)::uuid, tenants) AS tenant_id) AS t
	WHERE d.xero_action IS NOT NULL AND t.tenant_id IS NOT NULL
	-- in what company it goes, is learnt from what became of it
	ON CONFLICT (link_id, sync_id) DO UPDATE
		SET tenant_id = excluded.tenant_id, operation = excluded.operation, "row" = excluded."row",
			fields = excluded.fields, image = excluded.image,
			let_through = i.let_through AND (i.operation, i."row") = (excluded.operation, excluded."row");
END $$;
COMMENT ON FUNCTION xero_fdw._save_intents(integer, uuid[], xero_fdw._decision[], jsonb[]) IS
	'internal: remember what is to be written to Xero';

-- Remembers what was decided and done about items: in links, intents, issues and
-- the run's counts.  What a write has left open is merged again.  Of a row that was
-- deleted, the link knows something, be it empty, until its record has ended, too.
CREATE FUNCTION xero_fdw._save(run bigint, sync integer, tenants uuid[],
		decisions xero_fdw._decision[], keys jsonb[], images jsonb[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	open_fields jsonb[];
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	open_fields := xero_fdw._open_fields(self, decisions, images);

	WITH done AS MATERIALIZED (
		SELECT d.*, k.key, k.image, k.marks, k.obstacle FROM unnest(decisions) WITH ORDINALITY AS d
			JOIN unnest(keys, images, open_fields, ARRAY(SELECT xero_fdw._obstacle(o) FROM unnest(decisions) AS o))
				WITH ORDINALITY AS k(key, image, marks, obstacle, n) ON k.n = d.ordinality
	), known AS MATERIALIZED (
		SELECT (d.item).link_id, (d.item).tenant_id, (d.item).xero_id,
			coalesce(d.key, (d.item).local_key) AS local_key,
			d.state,
			CASE WHEN d.state = 'unlinked' OR (d.item).gone THEN NULL
				WHEN open.xero IS NULL THEN (d.item).remote
				ELSE (d.item).remote - open.xero || xero_fdw._slice((d.item).base_xero, open.xero)
				END AS base_xero,
			CASE WHEN d.state = 'unlinked' THEN NULL
				WHEN (d.item).deleted THEN coalesce((d.item).base_local,
					CASE WHEN (d.item).state = 'linked' THEN '{}'::jsonb END)
				WHEN self.direction = 'pull' THEN NULL
				WHEN NOT (d.item).in_scope THEN (d.item).base_local
					|| xero_fdw._slice(d.image, ARRAY(SELECT jsonb_object_keys(d.local_new)))
				WHEN open.local IS NULL THEN coalesce(d.image, (d.item).local)
				ELSE coalesce(d.image, (d.item).local) - open.local
					|| xero_fdw._slice((d.item).base_local, open.local)
				END || coalesce(d.marks, '{}') AS base_local,
			CASE WHEN self.watch = 'compare' THEN md5(coalesce(d.image, (d.item).local)::text) END AS seen_local,
			(d.item).remote_at AS xero_updated_at, (d.item).local_at AS local_updated_at,
			coalesce((d.item).deleted, false) AS deleted
		FROM done AS d
			LEFT JOIN LATERAL (
				SELECT array_agg(u) FILTER (WHERE side = 'xero') AS xero,
					array_agg(u) FILTER (WHERE side = 'local') AS local
				FROM (SELECT 'xero' AS side, unnest(f.xero_uses || ('?' || f.field)) AS u FROM xero_fdw.sync_field AS f
						WHERE f.sync_id = sync AND d.conflicts ? f.field
					UNION ALL
					SELECT 'xero', '?' || f.field FROM xero_fdw.sync_field AS f
						WHERE f.sync_id = sync AND f.field = ANY (d.xero_fields)
							AND jsonb_typeof((d.item).base_xero->('?' || f.field)) = 'object'
					UNION ALL
					SELECT 'local', unnest(f.local_uses || ('?' || f.field)) FROM xero_fdw.sync_field AS f
						WHERE f.sync_id = sync AND (d.conflicts ? f.field OR f.field = ANY (d.xero_fields))) AS u
				) AS open ON d.conflicts IS NOT NULL OR d.xero_fields IS NOT NULL
		-- a record whose row was deleted, or is another one by now, stays what it was
		WHERE d.state IS NOT NULL AND d.obstacle IS NULL AND NOT (d.state = 'unlinked' AND EXISTS (
			SELECT FROM xero_fdw.sync_link AS k
			WHERE k.link_id = (d.item).link_id AND k.deleted AND k.local_key IS NULL))
	)
	INSERT INTO xero_fdw.sync_link AS l (link_id, sync_id, tenant_id, xero_id, local_key,
		state, base_xero, base_local, seen_local, xero_updated_at, local_updated_at, deleted, seen_at)
	OVERRIDING SYSTEM VALUE
	SELECT k.link_id, sync, k.tenant_id, k.xero_id, k.local_key,
		k.state, k.base_xero, k.base_local, k.seen_local, k.xero_updated_at,
		k.local_updated_at, k.deleted, now()
	FROM known AS k
	ON CONFLICT (link_id, sync_id) DO UPDATE
	SET local_key = excluded.local_key, state = excluded.state, base_xero = excluded.base_xero,
		base_local = excluded.base_local, seen_local = coalesce(excluded.seen_local, l.seen_local),
		xero_updated_at = excluded.xero_updated_at, local_updated_at = excluded.local_updated_at,
		deleted = excluded.deleted, first = l.first AND excluded.state = 'unlinked', seen_at = excluded.seen_at,
		match_key = CASE WHEN excluded.state IN ('unlinked', 'ignored') OR excluded.deleted THEN l.match_key END;

	UPDATE xero_fdw.sync_link AS k SET renamed = false
	WHERE k.renamed AND k.link_id = ANY (ARRAY(SELECT (d.item).link_id FROM unnest(decisions) AS d
		WHERE NOT (d.item).is_new AND d.xero_action IS NULL AND NOT d.hold));
	DELETE FROM xero_fdw.sync_link AS k USING unnest(decisions) AS d
	WHERE k.link_id = (d.item).link_id AND d.state IS NULL;

	PERFORM xero_fdw._save_intents(sync, tenants, decisions, images);
	PERFORM xero_fdw._file_homeless(sync, tenants, decisions);
	DELETE FROM xero_fdw.sync_issue AS i USING unnest(decisions) AS d
	WHERE i.link_id = (d.item).link_id AND NOT (d.item).is_new
		AND CASE i.kind WHEN 'conflict' THEN NOT coalesce(d.conflicts ? i.field, false)
			WHEN 'validation' THEN d.xero_action IS NULL
			WHEN 'transform' THEN xero_fdw._obstacle(d) IS DISTINCT FROM 'transform'
			WHEN 'missing' THEN xero_fdw._obstacle(d) IS DISTINCT FROM 'missing'
			WHEN 'ambiguous' THEN (d.item).xero_id IS NOT NULL AND (d.item).local_key IS NOT NULL
				AND xero_fdw._obstacle(d) IS DISTINCT FROM 'ambiguous'
			ELSE false END;
	PERFORM xero_fdw._note_issue((d.item).link_id, 'conflict', c.key,
		format('both sides have changed %s', c.key), NULL, c.value)
	FROM unnest(decisions) AS d, jsonb_each(d.conflicts) AS c;
	PERFORM xero_fdw._note_issue((d.item).link_id, xero_fdw._obstacle(d), NULL, d.why->>'', NULL, NULL)
	FROM unnest(decisions) AS d WHERE xero_fdw._obstacle(d) IS NOT NULL;

	INSERT INTO xero_fdw.sync_inbox AS i (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT sync, (d.item).tenant_id, (d.item).xero_id, (d.item).remote, (d.item).remote_at
	FROM unnest(decisions) WITH ORDINALITY AS d
		JOIN unnest(open_fields) WITH ORDINALITY AS o(marks, n) ON o.n = d.ordinality
	WHERE o.marks IS NOT NULL
	ON CONFLICT (sync_id, tenant_id, xero_id) DO NOTHING;
	UPDATE xero_fdw.sync_inbox AS i SET held = true
	WHERE i.ctid = ANY (ARRAY(SELECT a.at FROM (
			SELECT array_agg((d.item).tenant_id) AS tenants, array_agg((d.item).xero_id) AS ids
			FROM unnest(decisions) WITH ORDINALITY AS d
				JOIN unnest(open_fields) WITH ORDINALITY AS o(marks, n) ON o.n = d.ordinality
			WHERE d.hold AND o.marks IS NULL) AS h,
		xero_fdw._inbox_at(sync, h.tenants, h.ids) AS a(at)));
	PERFORM xero_fdw._leave_inbox(sync, ARRAY(SELECT d.item FROM unnest(decisions) WITH ORDINALITY AS d
			JOIN unnest(open_fields) WITH ORDINALITY AS o(marks, n) ON o.n = d.ordinality
		WHERE NOT d.hold AND o.marks IS NULL));

	PERFORM xero_fdw._retry_freed(sync, ARRAY(SELECT d.item FROM unnest(decisions) AS d));

	UPDATE xero_fdw.sync_run AS r
	SET created = r.created + c.created, updated = r.updated + c.updated,
		unchanged = r.unchanged + c.unchanged, conflicts = r.conflicts + c.conflicts,
		issues = r.issues + c.obstacles,
		done = r.done + cardinality(decisions)
	FROM (SELECT count(*) FILTER (WHERE local_action = 'create') AS created,
			count(*) FILTER (WHERE local_action IN ('update', 'delete')) AS updated,
			count(*) FILTER (WHERE local_action IS NULL AND xero_action IS NULL AND obstacle IS NULL
				AND NOT again) AS unchanged,
			count(obstacle) AS obstacles,
			coalesce(sum(disagreed), 0) AS conflicts
		FROM unnest(decisions) AS d, LATERAL (SELECT xero_fdw._obstacle(d) AS obstacle,
			coalesce((d.item).base_local ?| ARRAY(SELECT '?' || f.field FROM xero_fdw.sync_field AS f WHERE f.sync_id = sync), false) AS again) AS m) AS c
	WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION xero_fdw._save(bigint, integer, uuid[], xero_fdw._decision[], jsonb[], jsonb[]) IS
	'internal: remember what was decided and done';

-- An item that cannot be merged: the record waits in the inbox, the link stays
-- as it was, and an issue says why.
CREATE FUNCTION xero_fdw._fail_item(run bigint, sync integer,
		items xero_fdw._item[], kind text, message text, code text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	i xero_fdw._item := items[1];
BEGIN
	IF i.is_new THEN
		INSERT INTO xero_fdw.sync_link (link_id, sync_id, tenant_id, xero_id, state)
		OVERRIDING SYSTEM VALUE
		VALUES (i.link_id, sync, i.tenant_id, i.xero_id, 'unlinked');
	ELSE
		UPDATE xero_fdw.sync_link AS k SET seen_local = md5(i.local::text)
		WHERE k.link_id = i.link_id AND k.seen_local IS DISTINCT FROM md5(i.local::text);
	END IF;
	UPDATE xero_fdw.sync_inbox AS x SET held = true
	WHERE x.sync_id = sync AND x.tenant_id = i.tenant_id AND x.xero_id = i.xero_id;
	PERFORM xero_fdw._note_issue(i.link_id, kind, NULL, message, code,
		jsonb_strip_nulls(jsonb_build_object('xero', coalesce(i.remote, i.base_xero), 'local', i.local)));
	UPDATE xero_fdw.sync_run AS r SET issues = r.issues + 1, done = r.done + 1
	WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION xero_fdw._fail_item(bigint, integer, xero_fdw._item[], text, text, text) IS
	'internal: file an item that cannot be merged';

-- Does an item fail with this code, by itself: to be decided about or, if it was
-- decided, to be written?  Nothing is left of it.
CREATE FUNCTION xero_fdw._fails_alone(sync integer, item xero_fdw._item,
		decisions xero_fdw._decision[], code text) RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF decisions IS NULL THEN
		PERFORM xero_fdw._decide(sync, ARRAY[item]);
	ELSE
		PERFORM xero_fdw._apply_local(sync, ARRAY(SELECT d FROM unnest(decisions) AS d
			WHERE (d.item).link_id = item.link_id));
	END IF;
	RAISE EXCEPTION 'it does not' USING ERRCODE = 'XF001';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE = code;
END $$;
COMMENT ON FUNCTION xero_fdw._fails_alone(integer, xero_fdw._item, xero_fdw._decision[], text) IS
	'internal: does an item fail with this code?';

-- Is an error the definition's?  It may be if both the first and the last item raise
-- it, of those at least that have no issue yet.
CREATE FUNCTION xero_fdw._is_shared_error(sync integer, items xero_fdw._item[],
		decisions xero_fdw._decision[], code text) RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	fresh xero_fdw._item[];
BEGIN
	IF xero_fdw._is_row_error(code) THEN
		RETURN false;
	END IF;
	fresh := ARRAY(SELECT i FROM unnest(items) AS i
		WHERE NOT EXISTS (SELECT FROM xero_fdw.sync_issue AS x
			WHERE x.link_id = i.link_id AND x.kind IN ('validation', 'transform')));
	RETURN cardinality(fresh) > 1
		AND xero_fdw._fails_alone(sync, fresh[1], decisions, code)
		AND xero_fdw._fails_alone(sync, fresh[cardinality(fresh)], decisions, code);
END $$;
COMMENT ON FUNCTION xero_fdw._is_shared_error(integer, xero_fdw._item[], xero_fdw._decision[], text) IS
	'internal: is an error that of the definition?';

-- Carries out what was decided.  If that fails because of one item, the halves are
-- tried, so that the one is found, becomes an issue, and holds up nobody.  An error
-- of the definition is raised; "rows_differ": it is none, as others have shown.  So is
-- that of a trigger which may not wait (gate.c): items that write nothing fire none.
CREATE FUNCTION xero_fdw._carry_out(run bigint, sync integer, tenants uuid[],
		decisions xero_fdw._decision[], rows_differ boolean)
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	half CONSTANT integer := cardinality(decisions) / 2;
	applied record;
	items xero_fdw._item[];
	code text;
	message text;
	detail text;
	schema text;
BEGIN
	SELECT * INTO applied FROM xero_fdw._apply_local(sync, decisions);
	PERFORM xero_fdw._save(run, sync, tenants, decisions, applied.keys, applied.images);
	RETURN decisions;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		schema = SCHEMA_NAME;
	IF half = 0 OR NOT (rows_differ OR xero_fdw._is_row_error(code)) THEN
		items := ARRAY(SELECT d.item FROM unnest(decisions) AS d);
	END IF;
	IF NOT xero_fdw._may_be_row_error(code) OR code = '42501' AND schema = 'xero_fdw'
		OR NOT rows_differ AND xero_fdw._is_shared_error(sync, items, decisions, code)
	THEN
		RAISE;
	ELSIF half > 0 THEN
		rows_differ := rows_differ OR NOT xero_fdw._is_row_error(code);
		RETURN xero_fdw._carry_out(run, sync, tenants, decisions[:half], rows_differ)
			|| xero_fdw._carry_out(run, sync, tenants, decisions[half + 1:], rows_differ);
	END IF;
	PERFORM xero_fdw._fail_item(run, sync, items, 'validation',
		concat_ws(E'\n', message, nullif(detail, '')), code);
	RETURN '{}';
END $$;
COMMENT ON FUNCTION xero_fdw._carry_out(bigint, integer, uuid[], xero_fdw._decision[], boolean) IS
	'internal: carry out what was decided, one by one if need be';

-- What is to be done about items, again by halves until those that an expression
-- fails for are issues.
CREATE FUNCTION xero_fdw._decide_items(run bigint, sync integer, items xero_fdw._item[],
		rows_differ boolean) RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	half CONSTANT integer := cardinality(items) / 2;
	code text;
	message text;
	detail text;
BEGIN
	RETURN xero_fdw._decide(sync, items);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	IF NOT xero_fdw._may_be_row_error(code)
		OR NOT rows_differ AND xero_fdw._is_shared_error(sync, items, NULL, code)
	THEN
		RAISE;
	ELSIF half > 0 THEN
		rows_differ := rows_differ OR NOT xero_fdw._is_row_error(code);
		RETURN xero_fdw._decide_items(run, sync, items[:half], rows_differ)
			|| xero_fdw._decide_items(run, sync, items[half + 1:], rows_differ);
	END IF;
	PERFORM xero_fdw._fail_item(run, sync, items, 'transform',
		concat_ws(E'\n', message, nullif(detail, '')), code);
	RETURN '{}';
END $$;
COMMENT ON FUNCTION xero_fdw._decide_items(bigint, integer, xero_fdw._item[], boolean) IS
	'internal: what is to be done about items, one by one if need be';

-- Merges items.  With "plan", nothing is written to the local side, nothing
-- remembered but issues.
CREATE FUNCTION xero_fdw._merge_items(run bigint, sync integer, tenants uuid[],
		items xero_fdw._item[], plan boolean)
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	decisions CONSTANT xero_fdw._decision[] := xero_fdw._decide_items(run, sync, items, false);
	homeless bigint[];
BEGIN
	IF decisions = '{}' THEN
		RETURN decisions;
	ELSIF plan THEN
		homeless := xero_fdw._file_homeless(sync, tenants, decisions);
		RETURN ARRAY(SELECT d FROM unnest(decisions) AS d WHERE (d.item).link_id <> ALL (homeless));
	END IF;
	RETURN xero_fdw._carry_out(run, sync, tenants, decisions, false);
END $$;
COMMENT ON FUNCTION xero_fdw._merge_items(bigint, integer, uuid[], xero_fdw._item[], boolean) IS
	'internal: merge items';

-- Merges the next batch; what was decided, null if nothing is left.
CREATE FUNCTION xero_fdw._merge_batch(state xero_fdw._run, plan boolean)
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken record;
	decisions xero_fdw._decision[];
BEGIN
	SELECT * INTO taken FROM xero_fdw._take_items(state);
	IF taken.items IS NULL AND taken.keys IS NULL THEN
		RETURN NULL;
	END IF;
	IF taken.items IS NOT NULL THEN
		decisions := xero_fdw._merge_items(state.run_id, state.sync_id, state.tenants,
			taken.items, plan);
		IF plan THEN
			PERFORM xero_fdw._leave_inbox(state.sync_id, taken.items);
		END IF;
	END IF;
	DELETE FROM xero_fdw.sync_change AS c
	WHERE c.ctid = ANY (ARRAY(SELECT xero_fdw._changes_at(state.sync_id, taken.keys)))
		AND c.change_id <= state.upto AND c.xid <> ALL (state.open_xids);
	RETURN coalesce(decisions, '{}');
END $$;
COMMENT ON FUNCTION xero_fdw._merge_batch(xero_fdw._run, boolean) IS
	'internal: merge the next batch';
