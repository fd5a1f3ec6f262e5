-- Defining syncs: create_sync(), alter_sync(), drop_sync(), and the check that a
-- definition still holds.

CREATE FUNCTION xero_fdw._insert_fields(definition xero_fdw.sync,
		compiled xero_fdw.sync_field[]) RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO xero_fdw.sync_field
	SELECT definition.sync_id, f.field, f.local_column, f.xero_column, f.direction,
		f.to_local, f.to_xero, f.xero_uses, f.local_uses
	FROM unnest(compiled) AS f
$$;
COMMENT ON FUNCTION xero_fdw._insert_fields(xero_fdw.sync, xero_fdw.sync_field[]) IS
	'internal: stores the fields of a sync';

-- Whose sync is it?  Null if the table is gone.  What is true now, whatever the
-- snapshot of the transaction shows.
CREATE FUNCTION xero_fdw._sync_owner(local_table oid) RETURNS oid
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'xero_sync_owner';
COMMENT ON FUNCTION xero_fdw._sync_owner(oid) IS
	'internal: the owner of a local table, who owns its syncs';

-- The sync of a name, of the caller's; of two, one that they have confirmed.
CREATE FUNCTION xero_fdw._find_sync(sync_name text) RETURNS xero_fdw.sync
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition xero_fdw.sync;
BEGIN
	SELECT s.* INTO definition FROM xero_fdw.sync AS s
	WHERE s.name = sync_name AND xero_fdw._sync_owner(s.local_table) = xero_fdw._caller()
	ORDER BY s.confirmed_by = pg_get_userbyid(xero_fdw._caller()) DESC, s.sync_id LIMIT 1;
	IF FOUND THEN
		RETURN definition;
	END IF;
	SELECT s.* INTO definition FROM xero_fdw.sync AS s
	WHERE s.name = sync_name
		AND pg_has_role(xero_fdw._caller(), xero_fdw._sync_owner(s.local_table), 'USAGE')
	ORDER BY s.sync_id LIMIT 1;
	IF FOUND THEN
		PERFORM xero_fdw._require_owner(definition);
	END IF;
	RAISE EXCEPTION 'sync "%" does not exist', sync_name
		USING ERRCODE = 'undefined_object';
END $$;
COMMENT ON FUNCTION xero_fdw._find_sync(text) IS
	'internal: the caller''s sync of a name, or an error';

-- Expressions and filters of a sync run as its owner.  So one whose table got
-- another owner waits until that role has looked at it.  A step of a run asks, too,
-- with the table held: it may have changed hands since the run began.
CREATE FUNCTION xero_fdw._require_owner(definition xero_fdw.sync)
	RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner CONSTANT oid := xero_fdw._sync_owner(definition.local_table);
BEGIN
	IF owner IS DISTINCT FROM xero_fdw._caller() THEN
		RAISE EXCEPTION 'must be owner of sync "%"', definition.name
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'SET ROLE ' || quote_ident(pg_get_userbyid(owner)) || '.';
	ELSIF definition.confirmed_by <> pg_get_userbyid(owner) THEN
		RAISE EXCEPTION 'sync "%" is paused, as table % belongs to another role than before',
				definition.name, definition.local_table
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('Its expressions and filters were set by role "%s", and would run with your rights.',
					definition.confirmed_by),
				HINT = format('Look at it in xero_fdw.syncs, then: SELECT xero_fdw.confirm_sync(%L);', definition.name);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._require_owner(xero_fdw.sync) IS
	'internal: an error unless the caller owns a sync and has confirmed it';

-- To be called before anything of a sync runs as the caller: nobody gives away, or
-- alters, what it reads or writes, until the transaction ends.  The local table is
-- let alone where only Xero is asked, as that may take a while.
CREATE FUNCTION xero_fdw._hold(definition xero_fdw.sync, "rows" boolean DEFAULT true)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM xero_fdw._hold_table(definition.xero_table);
	IF "rows" THEN
		PERFORM xero_fdw._hold_table(definition.local_table);
	END IF;
	PERFORM xero_fdw._require_owner(definition);
	PERFORM xero_fdw._raise_faults(
		format('sync "%s" cannot read foreign table %s', definition.name, definition.xero_table),
		ARRAY(SELECT xero_fdw._check_types(definition.xero_table)));
	PERFORM xero_fdw._raise_faults(
		format('sync "%s" cannot rely on table %s', definition.name, definition.local_table),
		ARRAY(SELECT '55000 ' || substr(fault, 7) FROM xero_fdw._check_rows(definition) AS fault),
		format('Undo that, or forget the sync by xero_fdw.drop_sync(%L).', definition.name));
END $$;
COMMENT ON FUNCTION xero_fdw._hold(xero_fdw.sync, boolean) IS
	'internal: an error unless the tables of a sync are as the caller may use them, until the transaction ends';

CREATE FUNCTION xero_fdw._lock_sync(definition xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT xero_fdw._try_lock(definition.sync_id) THEN
		RAISE EXCEPTION 'sync "%" is running', definition.name
			USING ERRCODE = 'object_in_use',
				HINT = 'Try again when the run has ended; xero_fdw.sync_runs shows how far it is.';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._lock_sync(xero_fdw.sync) IS
	'internal: keeps a sync from running until the end of the transaction, or an error if it runs';

CREATE FUNCTION xero_fdw._insert_sync(definition xero_fdw.sync) RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO xero_fdw.sync (name, confirmed_by, xero_table, local_table,
		direction, fields, match_on, xero_filter, local_filter, conflict, initial,
		on_delete, brake, xero_key, local_key, watch, columns, mirror, parent_id, search_path)
	VALUES (definition.name, pg_get_userbyid(xero_fdw._caller()),
		definition.xero_table, definition.local_table, definition.direction,
		definition.fields, definition.match_on, definition.xero_filter,
		definition.local_filter, definition.conflict, definition.initial,
		definition.on_delete, definition.brake, definition.xero_key, definition.local_key,
		definition.watch, definition.columns, coalesce(definition.mirror, false),
		definition.parent_id, definition.search_path)
	RETURNING sync_id INTO definition.sync_id;
	RETURN definition.sync_id;
EXCEPTION WHEN unique_violation THEN
	RAISE EXCEPTION 'sync "%" already exists', definition.name
		USING ERRCODE = 'duplicate_object',
			DETAIL = coalesce((
				SELECT format('Its table %s belongs to %s.', s.local_table, c.relowner::regrole)
				FROM xero_fdw.sync AS s JOIN pg_class AS c ON c.oid = s.local_table
				WHERE s.name = definition.name AND s.confirmed_by = pg_get_userbyid(xero_fdw._caller())),
				'Another session has just defined it.');
END $$;
COMMENT ON FUNCTION xero_fdw._insert_sync(xero_fdw.sync) IS
	'internal: stores a definition; the number of the sync';

CREATE FUNCTION xero_fdw._create_sync(name text, xero_table regclass,
		local_table regclass, direction text, fields jsonb, match_on text[],
		xero_filter text, local_filter text, conflict text, initial text,
		on_delete text, brake real)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition xero_fdw.sync;
	result record;
BEGIN
	definition.name := name;
	definition.xero_table := xero_table;
	definition.local_table := local_table;
	definition.direction := direction;
	definition.fields := fields;
	definition.match_on := match_on;
	definition.xero_filter := xero_filter;
	definition.local_filter := local_filter;
	definition.conflict := conflict;
	definition.initial := initial;
	definition.on_delete := on_delete;
	definition.brake := brake;
	definition.search_path := xero_fdw._caller_path();
	result := xero_fdw._check_sync(definition);
	definition := result.definition;
	definition.sync_id := xero_fdw._insert_sync(definition);
	PERFORM xero_fdw._insert_fields(definition, result.compiled);
	PERFORM xero_fdw._watch(definition, result.compiled);
END $$;
COMMENT ON FUNCTION xero_fdw._create_sync(text, regclass, regclass, text, jsonb, text[], text, text, text, text, text, real) IS
	'internal: create_sync()';

CREATE FUNCTION xero_fdw.create_sync(name text, xero_table regclass,
		local_table regclass, direction text, fields jsonb,
		match_on text[] DEFAULT NULL, xero_filter text DEFAULT NULL,
		local_filter text DEFAULT NULL, conflict text DEFAULT 'newest',
		initial text DEFAULT 'merge', on_delete text DEFAULT 'ignore',
		brake real DEFAULT 0.2)
	RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.create_sync(text, regclass, regclass, text, jsonb, text[], text, text, text, text, text, real) IS
	'define a sync of a foreign table of Xero with a local table; fields: {"local column": "column of Xero"}';

-- What a foreign table shows, and where.
CREATE FUNCTION xero_fdw._source_of(relation regclass) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.srvname || ': ' || x.object
	FROM pg_foreign_table AS t JOIN pg_foreign_server AS s ON s.oid = t.ftserver,
		xero_fdw._xero_object(relation) AS x
	WHERE t.ftrelid = relation
$$;
COMMENT ON FUNCTION xero_fdw._source_of(regclass) IS
	'internal: server and object of a foreign table';

-- A column of the key is of another type, so the same keys are other JSON now.
CREATE FUNCTION xero_fdw._respell_keys(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	SELECT array_agg(r.old) AS olds, array_agg(r.new) AS news INTO found
	FROM xero_fdw._as_caller(self.search_path,
		format('SELECT k.key, pg_catalog.jsonb_build_array(%s) FROM pg_catalog.unnest($1) AS k(key) JOIN %s AS local ON %s',
			xero_fdw._key_members(self.sync_id), self.local_table, xero_fdw._key_condition(self.sync_id, 'k.key')),
		ARRAY(SELECT k.local_key FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = self.sync_id AND jsonb_typeof(k.local_key) = 'array')) AS r(old jsonb, new jsonb);
	UPDATE xero_fdw.sync_link AS k SET local_key = u.new
	FROM unnest(found.olds, found.news) AS u(old, new)
	WHERE k.sync_id = self.sync_id AND k.local_key = u.old;
	UPDATE xero_fdw.sync_change AS c SET local_key = u.new
	FROM unnest(found.olds, found.news) AS u(old, new)
	WHERE c.sync_id = self.sync_id AND c.local_key = u.old;
END $$;
COMMENT ON FUNCTION xero_fdw._respell_keys(xero_fdw.sync) IS
	'internal: the keys that links know, as the types of their columns have them now';

-- The fields that mean what a field has meant before, whatever it was called, and do
-- not come from Xero only now: {now: before}.
CREATE FUNCTION xero_fdw._kept_fields(definition xero_fdw.sync, before xero_fdw.sync,
		compiled xero_fdw.sync_field[]) RETURNS jsonb
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_object_agg(n.field, o.field ORDER BY n.field = o.field), '{}')
	FROM unnest(compiled) AS n JOIN xero_fdw.sync_field AS o ON o.sync_id = definition.sync_id
	WHERE (o.to_local, o.to_xero) IS NOT DISTINCT FROM (n.to_local, n.to_xero)
		AND NOT (o.direction = 'to_xero' AND n.direction = 'both')
		AND xero_fdw._same_columns(before.columns->'local', o.local_uses || o.local_column,
			definition.columns->'local', n.local_uses || n.local_column)
		AND xero_fdw._same_columns(before.columns->'xero', o.xero_uses || o.xero_column,
			definition.columns->'xero', n.xero_uses || n.xero_column)
$$;
COMMENT ON FUNCTION xero_fdw._kept_fields(xero_fdw.sync, xero_fdw.sync, xero_fdw.sync_field[]) IS
	'internal: fields that mean what a field has meant before';

-- The columns that have other names by now: {before: now}.
CREATE FUNCTION xero_fdw._new_names(before jsonb, after jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_object_agg(b.key, a.key), '{}')
	FROM jsonb_each(before->'numbers') AS b JOIN jsonb_each(after->'numbers') AS a ON a.value = b.value
	WHERE before->'relation' = after->'relation' AND a.key <> b.key
$$;
COMMENT ON FUNCTION xero_fdw._new_names(jsonb, jsonb) IS
	'internal: columns that have other names by now';

CREATE FUNCTION xero_fdw._rename_members(image jsonb, names jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_object_agg(coalesce(names->>m.key, m.key), m.value), '{}') FROM jsonb_each(image) AS m
$$;
COMMENT ON FUNCTION xero_fdw._rename_members(jsonb, jsonb) IS
	'internal: an image whose columns have other names';

-- What is known of rows and records, with the names that columns and fields have now.
CREATE FUNCTION xero_fdw._rename_known(sync integer, kept jsonb, local_names jsonb,
		xero_names jsonb) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	marks CONSTANT jsonb := (
		SELECT coalesce(jsonb_object_agg('?' || f.value, '?' || f.key), '{}')
		FROM jsonb_each_text(kept) AS f WHERE f.key <> f.value);
BEGIN
	IF marks || local_names || xero_names = '{}' THEN
		RETURN;
	END IF;
	UPDATE xero_fdw.sync_link AS k
	SET base_local = xero_fdw._rename_members(k.base_local, local_names || marks),
		base_xero = xero_fdw._rename_members(k.base_xero, xero_names || marks)
	WHERE k.sync_id = sync;
	UPDATE xero_fdw.sync_inbox AS i SET remote = xero_fdw._rename_members(i.remote, xero_names)
	WHERE i.sync_id = sync;
	UPDATE xero_fdw.sync_intent AS i
	SET image = xero_fdw._rename_members(i.image, local_names),
		"row" = xero_fdw._rename_members(i."row", xero_names)
	WHERE i.sync_id = sync;
END $$;
COMMENT ON FUNCTION xero_fdw._rename_known(integer, jsonb, jsonb, jsonb) IS
	'internal: what is known, with the names that columns and fields have now';

-- What the next run must look at anew: all that waits, as it may be matched, or
-- be allowed to flow, otherwise now.  In base images, fields that mean something
-- else than before, or come from Xero as well by now, are marked by members "?field"
-- that say "anew"; of these nothing is known, so they are merged as in the first run.
-- Columns that have other names are what they were.
CREATE FUNCTION xero_fdw._forget(definition xero_fdw.sync,
		before xero_fdw.sync, compiled xero_fdw.sync_field[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept constant jsonb := xero_fdw._kept_fields(definition, before, compiled);
	marks constant jsonb := (
		SELECT coalesce(jsonb_object_agg('?' || n.field, 'anew'::text), '{}')
		FROM unnest(compiled) AS n WHERE NOT kept ? n.field);
	known bigint;
BEGIN
	-- Other tables or keys, other rows or records: nothing that is known fits any
	-- more.  A foreign table that was imported anew is the same, and so is a key whose
	-- columns have other names.
	IF definition.local_table <> before.local_table
			OR NOT xero_fdw._same_columns(before.columns->'local', before.local_key,
				definition.columns->'local', definition.local_key)
			OR definition.columns -> 'source' IS DISTINCT FROM before.columns -> 'source' THEN
		SELECT count(*) INTO known FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = definition.sync_id AND k.state = 'linked';
		IF known > 0 THEN
			RAISE WARNING 'sync "%" forgets which records belong to % rows', definition.name, known
				USING DETAIL = 'It has another table or another key than before.',
					HINT = 'The next run matches them anew; look at its plan_sync() first.';
		END IF;
		DELETE FROM xero_fdw.sync_link WHERE sync_id = definition.sync_id;
		DELETE FROM xero_fdw.sync_inbox WHERE sync_id = definition.sync_id;
		DELETE FROM xero_fdw.sync_position WHERE sync_id = definition.sync_id;
		DELETE FROM xero_fdw.sync_change WHERE sync_id = definition.sync_id;
		DELETE FROM xero_fdw.sync_issue WHERE sync_id = definition.sync_id;
		RETURN;
	END IF;
	IF EXISTS (SELECT FROM unnest(definition.local_key, before.local_key) AS u(c, was)
			WHERE definition.columns #> ARRAY['local', 'columns', u.c] <> before.columns #> ARRAY['local', 'columns', u.was]) THEN
		PERFORM xero_fdw._respell_keys(definition);
	END IF;

	DELETE FROM xero_fdw.sync_intent
	WHERE sync_id = definition.sync_id AND idempotency_key IS NULL;
	PERFORM xero_fdw._rename_known(definition.sync_id, kept,
		xero_fdw._new_names(before.columns->'local', definition.columns->'local'),
		xero_fdw._new_names(before.columns->'xero', definition.columns->'xero'));
	UPDATE xero_fdw.sync_inbox SET held = false
	WHERE sync_id = definition.sync_id AND held;
	INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT k.sync_id, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
	FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = definition.sync_id AND k.state = 'ignored' AND k.xero_id IS NOT NULL
	ON CONFLICT DO NOTHING;
	INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
	SELECT k.sync_id, 'update', k.local_key, coalesce(k.local_updated_at, '-infinity')
	FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = definition.sync_id AND k.xero_id IS NULL;
	UPDATE xero_fdw.sync_link
	SET base_xero = base_xero || marks, base_local = base_local || marks, seen_local = NULL
	WHERE sync_id = definition.sync_id AND (marks <> '{}' OR seen_local IS NOT NULL);

	IF definition.match_on IS DISTINCT FROM before.match_on THEN
		-- of rows that are gone
		UPDATE xero_fdw.sync_link AS k
		SET match_key = CASE WHEN definition.direction <> 'pull'
			THEN xero_fdw._match_key(k.base_local, definition.match_on) END
		WHERE k.sync_id = definition.sync_id AND k.match_key IS NOT NULL
			AND k.xero_id IS NOT NULL AND k.local_key IS NOT NULL;
	END IF;
	IF definition.fields <> before.fields OR definition.direction <> before.direction
			OR definition.xero_filter IS DISTINCT FROM before.xero_filter THEN
		UPDATE xero_fdw.sync_position
		SET watermark = NULL, pull_started = NULL, pull_offset = 0
		WHERE sync_id = definition.sync_id;
	END IF;
	IF definition.watch = 'trigger' THEN
		PERFORM xero_fdw._compare_all(definition.sync_id);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._forget(xero_fdw.sync, xero_fdw.sync, xero_fdw.sync_field[]) IS
	'internal: after a change of a definition, what the next run is to look at anew';

CREATE FUNCTION xero_fdw._alter_sync(name text, xero_table regclass,
		local_table regclass, direction text, fields jsonb, match_on text[],
		xero_filter text, local_filter text, conflict text, initial text,
		on_delete text, brake real)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	before xero_fdw.sync := xero_fdw._find_sync(name);
	definition xero_fdw.sync := before;
BEGIN
	PERFORM xero_fdw._require_owner(before);
	definition.xero_table := coalesce(xero_table, before.xero_table);
	definition.local_table := coalesce(local_table, before.local_table);
	definition.direction := coalesce(direction, before.direction);
	definition.fields := coalesce(fields, before.fields);
	definition.match_on := coalesce(match_on, before.match_on);
	definition.xero_filter := coalesce(xero_filter, before.xero_filter);
	definition.local_filter := coalesce(local_filter, before.local_filter);
	definition.conflict := coalesce(conflict, before.conflict);
	definition.initial := coalesce(initial, before.initial);
	definition.on_delete := coalesce(on_delete, before.on_delete);
	definition.brake := coalesce(brake, before.brake);
	definition.search_path := xero_fdw._caller_path();
	IF before.parent_id IS NOT NULL OR before.mirror
			AND to_jsonb(definition) - ARRAY['xero_filter', 'on_delete', 'search_path']
				<> to_jsonb(before) - ARRAY['xero_filter', 'on_delete', 'search_path'] THEN
		RAISE EXCEPTION 'sync "%" is a mirror', before.name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = 'Of a mirror, xero_filter and on_delete can be changed; of one of lines, nothing.';
	END IF;
	PERFORM xero_fdw._redefine_sync(definition, before);
END $$;
COMMENT ON FUNCTION xero_fdw._alter_sync(text, regclass, regclass, text, jsonb, text[], text, text, text, text, text, real) IS
	'internal: alter_sync()';

CREATE FUNCTION xero_fdw.alter_sync(name text, xero_table regclass DEFAULT NULL,
		local_table regclass DEFAULT NULL, direction text DEFAULT NULL,
		fields jsonb DEFAULT NULL, match_on text[] DEFAULT NULL,
		xero_filter text DEFAULT NULL, local_filter text DEFAULT NULL,
		conflict text DEFAULT NULL, initial text DEFAULT NULL,
		on_delete text DEFAULT NULL, brake real DEFAULT NULL)
	RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.alter_sync(text, regclass, regclass, text, jsonb, text[], text, text, text, text, text, real) IS
	'change the definition of a sync; what is null stays, and an empty filter or match_on is none';

CREATE FUNCTION xero_fdw._redefine_sync(definition xero_fdw.sync,
		before xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result record;
	compiled xero_fdw.sync_field[];
BEGIN
	PERFORM xero_fdw._lock_sync(before);
	PERFORM xero_fdw._follow_labels(before);
	result := xero_fdw._check_sync(definition);
	definition := result.definition;
	compiled := result.compiled;
	PERFORM xero_fdw._unwatch(before);
	PERFORM xero_fdw._watch(definition, compiled);
	PERFORM xero_fdw._forget(definition, before, compiled);
	DELETE FROM xero_fdw.sync_field WHERE sync_id = definition.sync_id;
	PERFORM xero_fdw._insert_fields(definition, compiled);
	UPDATE xero_fdw.sync
	SET xero_table = definition.xero_table, local_table = definition.local_table,
		direction = definition.direction, fields = definition.fields,
		match_on = definition.match_on, xero_filter = definition.xero_filter,
		local_filter = definition.local_filter, conflict = definition.conflict,
		initial = definition.initial, on_delete = definition.on_delete, brake = definition.brake,
		xero_key = definition.xero_key, local_key = definition.local_key,
		watch = definition.watch, columns = definition.columns,
		search_path = definition.search_path, altered_at = now()
	WHERE sync_id = definition.sync_id;
END $$;
COMMENT ON FUNCTION xero_fdw._redefine_sync(xero_fdw.sync, xero_fdw.sync) IS
	'internal: checks a changed definition and stores it';

-- A sync with those of its lines that have the same owner.
CREATE FUNCTION xero_fdw._with_lines(definition xero_fdw.sync)
	RETURNS SETOF xero_fdw.sync
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.* FROM xero_fdw.sync AS s
	WHERE definition.sync_id IN (s.sync_id, s.parent_id)
		AND xero_fdw._sync_owner(s.local_table) = xero_fdw._sync_owner(definition.local_table)
	ORDER BY s.sync_id
$$;
COMMENT ON FUNCTION xero_fdw._with_lines(xero_fdw.sync) IS
	'internal: a sync with those of its lines';

-- Takes over a sync whose table got another owner: what it does is checked by the
-- rights of that role, and names mean what they mean to it.
CREATE FUNCTION xero_fdw._confirm_sync(name text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	confirmed CONSTANT name := pg_get_userbyid(xero_fdw._caller());
	definition xero_fdw.sync;
	part xero_fdw.sync;
BEGIN
	SELECT s.* INTO definition FROM xero_fdw.sync AS s
	WHERE s.name = _confirm_sync.name AND s.confirmed_by <> confirmed
		AND xero_fdw._sync_owner(s.local_table) = xero_fdw._caller()
	ORDER BY s.sync_id LIMIT 1;
	IF NOT FOUND THEN
		PERFORM xero_fdw._find_sync(name);
		RETURN;
	END IF;
	FOR part IN SELECT * FROM xero_fdw._with_lines(definition) LOOP
		PERFORM xero_fdw._lock_sync(part);
		part.search_path := xero_fdw._caller_path();
		IF part.parent_id IS NULL THEN
			PERFORM xero_fdw._check_sync(part);
		END IF;
		UPDATE xero_fdw.sync AS s SET confirmed_by = confirmed, search_path = part.search_path
		WHERE s.sync_id = part.sync_id;
		PERFORM xero_fdw._unschedule(part.name, part.confirmed_by);
	END LOOP;
EXCEPTION WHEN unique_violation THEN
	RAISE EXCEPTION 'sync "%" already exists', part.name
		USING ERRCODE = 'duplicate_object',
			DETAIL = 'You have defined one of that name yourself.',
			HINT = 'xero_fdw.drop_sync() forgets that one.';
END $$;
COMMENT ON FUNCTION xero_fdw._confirm_sync(text) IS
	'internal: confirm_sync()';

CREATE FUNCTION xero_fdw.confirm_sync(name text) RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.confirm_sync(text) IS
	'let a sync run on, as you, whose local table has become yours';

-- Whoever has the owner's rights may drop a sync, too, if there is but one of that
-- name that could be meant.
CREATE FUNCTION xero_fdw._drop_sync(name text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition xero_fdw.sync;
	part xero_fdw.sync;
BEGIN
	SELECT s.* INTO definition
	FROM xero_fdw.sync AS s, xero_fdw._sync_owner(s.local_table) AS o (owner)
	WHERE s.name = _drop_sync.name AND pg_has_role(xero_fdw._caller(), o.owner, 'USAGE')
		AND (SELECT count(*) FROM xero_fdw.sync AS t WHERE t.name = _drop_sync.name
			AND pg_has_role(xero_fdw._caller(), xero_fdw._sync_owner(t.local_table), 'USAGE')) = 1;
	IF NOT FOUND THEN
		definition := xero_fdw._find_sync(name);
	END IF;
	FOR part IN SELECT * FROM xero_fdw._with_lines(definition) LOOP
		PERFORM xero_fdw._lock_sync(part);
		PERFORM xero_fdw._unwatch(part);
		PERFORM xero_fdw._erase_sync(part.sync_id);
	END LOOP;
	PERFORM xero_fdw._unschedule(definition.name,
		pg_get_userbyid(xero_fdw._sync_owner(definition.local_table)));
END $$;
COMMENT ON FUNCTION xero_fdw._drop_sync(text) IS
	'internal: drop_sync()';

CREATE FUNCTION xero_fdw.drop_sync(name text) RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.drop_sync(text) IS
	'forget a sync, its history and its schedule; the data of both sides stay';

-- Changes have no foreign key that would take them along.
CREATE FUNCTION xero_fdw._erase_sync(sync integer) RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM xero_fdw.sync_change AS c WHERE c.sync_id = sync;
	DELETE FROM xero_fdw.sync AS s WHERE s.sync_id = sync
$$;
COMMENT ON FUNCTION xero_fdw._erase_sync(integer) IS
	'internal: forget all of a sync';

-- For the start of a run: cheap, and by name, so that a table that was dropped
-- and made again is told from one that was only renamed.
CREATE FUNCTION xero_fdw._check_sync_columns(sync_id integer) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition xero_fdw.sync;
	faults text[];
BEGIN
	SELECT * INTO definition FROM xero_fdw.sync AS s WHERE s.sync_id = $1;
	faults := ARRAY(
		SELECT CASE WHEN c.oid IS NULL THEN format('Table %s was dropped.', side -> 'table')
			WHEN a.attname IS NULL THEN format('Column "%s" of table %s was dropped or renamed.', column_name, c.oid::regclass)
			WHEN format_type(a.atttypid, a.atttypmod) <> was
			THEN format('Column "%s" of table %s was of type %s, and is of type %s.', column_name,
				c.oid::regclass, was, format_type(a.atttypid, a.atttypmod))
			ELSE format('Column "%s" of table %s was dropped or renamed, and another one has its name.', column_name, c.oid::regclass) END
		FROM (VALUES (definition.xero_table, definition.columns -> 'xero'),
				(definition.local_table, definition.columns -> 'local')) AS t (relation, side)
			LEFT JOIN pg_class AS c ON c.oid = t.relation
			LEFT JOIN jsonb_each_text(side -> 'columns') AS u (column_name, was) ON c.oid IS NOT NULL
			LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = column_name
				AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.oid IS NULL OR format_type(a.atttypid, a.atttypmod) IS DISTINCT FROM was
			OR side -> 'relation' = to_jsonb(c.oid::bigint) AND side -> 'numbers' -> column_name <> to_jsonb(a.attnum)
		ORDER BY c.oid, column_name, side ->> 'table');
	IF faults = '{}' AND (xero_fdw._local_key(definition.local_table, definition.fields)).columns
			IS DISTINCT FROM definition.local_key THEN
		faults := ARRAY[format('Table %s has another key than before.', definition.local_table)];
	END IF;
	IF faults = '{}' THEN
		faults := ARRAY(
			SELECT substr(fault, 7) FROM xero_fdw._check_owner(definition.local_table) AS fault
		UNION ALL
			SELECT format('Table %s belongs to role "%s", and table %s, whose lines it has, to role "%s".',
				s.local_table, pg_get_userbyid(c.relowner), definition.local_table,
				pg_get_userbyid(xero_fdw._caller()))
			FROM xero_fdw.sync AS s JOIN pg_class AS c ON c.oid = s.local_table
			WHERE s.parent_id = definition.sync_id AND c.relowner <> xero_fdw._caller());
	END IF;
	IF faults = '{}' AND definition.watch = 'trigger' THEN
		faults := ARRAY(
			SELECT DISTINCT format('A trigger of the sync on table %s was dropped or disabled.', needed.relation)
			FROM (SELECT definition.local_table AS relation, unnest(ARRAY['', '_truncate']) AS suffix
				UNION ALL SELECT p.relid, '' FROM pg_partition_tree(definition.local_table) AS p) AS needed
			WHERE NOT EXISTS (SELECT FROM pg_trigger AS t
				WHERE t.tgrelid = needed.relation AND t.tgenabled = 'A'
					AND t.tgname = 'xero_fdw_' || definition.sync_id || needed.suffix));
	END IF;
	IF faults <> '{}' THEN
		RAISE EXCEPTION 'the tables of sync "%" have changed', definition.name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = array_to_string(faults, E'\n'),
				HINT = format(CASE WHEN definition.mirror
					THEN 'Forget it by xero_fdw.drop_sync(%L) and call xero_fdw.mirror() again, which says what the copy lacks.'
					ELSE 'Adapt it by xero_fdw.alter_sync(%L, ...), which also accepts the tables as they are now.' END, definition.name);
	END IF;
	-- after a dump was restored
	UPDATE xero_fdw.sync AS s SET columns = s.columns || (
		SELECT jsonb_object_agg(side, xero_fdw._types(relation, ARRAY(SELECT jsonb_object_keys(s.columns #> ARRAY[side, 'columns']))))
		FROM (VALUES ('xero', s.xero_table), ('local', s.local_table)) AS t (side, relation))
	WHERE s.sync_id = $1 AND (s.columns #>> '{xero,relation}' <> s.xero_table::oid::text
		OR s.columns #>> '{local,relation}' <> s.local_table::oid::text);
END $$;
COMMENT ON FUNCTION xero_fdw._check_sync_columns(integer) IS
	'internal: an error if the tables of a sync are not as they were when it was defined';
