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

CREATE FUNCTION xero_fdw._create_sync(definition xero_fdw.sync)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result record;
	compiled xero_fdw.sync_field[];
BEGIN
	result := xero_fdw._check_sync(definition);
	definition := result.definition;
	compiled := result.compiled;
	BEGIN
		INSERT INTO xero_fdw.sync (name, xero_table, local_table, direction, fields,
			match_on, xero_filter, local_filter, conflict, initial, on_delete, xero_key,
			local_key, watch, columns, search_path)
		VALUES (definition.name, definition.xero_table, definition.local_table,
			definition.direction, definition.fields, definition.match_on,
			definition.xero_filter, definition.local_filter, definition.conflict,
			definition.initial, definition.on_delete, definition.xero_key,
			definition.local_key, definition.watch, definition.columns, definition.search_path)
		RETURNING sync_id INTO definition.sync_id;
	EXCEPTION WHEN unique_violation THEN
		RAISE EXCEPTION 'sync "%" already exists', definition.name
			USING ERRCODE = 'duplicate_object';
	END;
	PERFORM xero_fdw._insert_fields(definition, compiled);
	PERFORM xero_fdw._watch(definition, compiled);
END $$;
COMMENT ON FUNCTION xero_fdw._create_sync(xero_fdw.sync) IS
	'internal: checks a definition and stores it';

-- No SET here, so nothing but assignments: what the caller's names mean must not
-- be lost.
CREATE FUNCTION xero_fdw.create_sync(name text, xero_table regclass,
		local_table regclass, direction text, fields jsonb,
		match_on text[] DEFAULT NULL, xero_filter text DEFAULT NULL,
		local_filter text DEFAULT NULL, conflict text DEFAULT 'newest',
		initial text DEFAULT 'merge', on_delete text DEFAULT 'ignore')
	RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	definition xero_fdw.sync;
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
	definition.search_path := pg_catalog.current_setting('search_path');
	PERFORM xero_fdw._create_sync(definition);
END $$;
COMMENT ON FUNCTION xero_fdw.create_sync(text, regclass, regclass, text, jsonb, text[], text, text, text, text, text) IS
	'define a sync of a foreign table of Xero with a local table; fields: {"local column": "column of Xero"}';

CREATE FUNCTION xero_fdw._find_sync(sync_name text) RETURNS xero_fdw.sync
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition xero_fdw.sync;
BEGIN
	SELECT * INTO definition FROM xero_fdw.sync WHERE name = sync_name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'sync "%" does not exist', sync_name
			USING ERRCODE = 'undefined_object';
	END IF;
	RETURN definition;
END $$;
COMMENT ON FUNCTION xero_fdw._find_sync(text) IS
	'internal: the sync of a name, or an error';

-- Whoever else has the owner's rights may look at a sync and drop it.  But its
-- expressions run as the owner, and are checked by the rights of who sets them.
CREATE FUNCTION xero_fdw._require_owner(definition xero_fdw.sync)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF definition.owner <> quote_ident(current_user)::regrole THEN
		RAISE EXCEPTION 'must be owner of sync "%"', definition.name
			USING ERRCODE = 'insufficient_privilege',
				HINT = format('SET ROLE %s.', definition.owner);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._require_owner(xero_fdw.sync) IS
	'internal: an error if the current role is not the owner of a sync';

CREATE FUNCTION xero_fdw._lock_sync(definition xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT pg_try_advisory_xact_lock('xero_fdw.sync'::regclass::oid::integer, definition.sync_id) THEN
		RAISE EXCEPTION 'sync "%" is running', definition.name
			USING ERRCODE = 'object_in_use',
				HINT = 'Try again when the run has ended; xero_fdw.sync_runs shows how far it is.';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._lock_sync(xero_fdw.sync) IS
	'internal: keeps a sync from running until the end of the transaction, or an error if it runs';

-- What the next run must look at anew: all that waits, as it may be matched, or
-- be allowed to flow, otherwise now.  In base images, fields that mean something
-- else than before are marked by members "?field"; of these nothing is known, so
-- they are merged as in the first run.
CREATE FUNCTION xero_fdw._forget(definition xero_fdw.sync,
		before xero_fdw.sync, compiled xero_fdw.sync_field[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	marks constant jsonb := (
		SELECT coalesce(jsonb_object_agg('?' || n.field, true), '{}')
		FROM unnest(compiled) AS n
		WHERE NOT EXISTS (SELECT FROM xero_fdw.sync_field AS o
			WHERE o.sync_id = definition.sync_id AND o.field = n.field
				AND (o.xero_column, o.to_local, o.to_xero) IS NOT DISTINCT FROM (n.xero_column, n.to_local, n.to_xero)));
BEGIN
	-- Other keys, other records: nothing that is known fits any more.
	IF definition.local_key <> before.local_key OR (xero_fdw._xero_object(definition.xero_table)).object
			<> (xero_fdw._xero_object(before.xero_table)).object THEN
		DELETE FROM xero_fdw.sync_link WHERE sync_id = definition.sync_id;
		DELETE FROM xero_fdw.sync_inbox WHERE sync_id = definition.sync_id;
		DELETE FROM xero_fdw.sync_position WHERE sync_id = definition.sync_id;
		DELETE FROM xero_fdw.sync_change WHERE sync_id = definition.sync_id;
		RETURN;
	END IF;

	DELETE FROM xero_fdw.sync_intent
	WHERE sync_id = definition.sync_id AND idempotency_key IS NULL;
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

CREATE FUNCTION xero_fdw.alter_sync(name text, xero_table regclass DEFAULT NULL,
		local_table regclass DEFAULT NULL, direction text DEFAULT NULL,
		fields jsonb DEFAULT NULL, match_on text[] DEFAULT NULL,
		xero_filter text DEFAULT NULL, local_filter text DEFAULT NULL,
		conflict text DEFAULT NULL, initial text DEFAULT NULL,
		on_delete text DEFAULT NULL)
	RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	before xero_fdw.sync := xero_fdw._find_sync(name);
	definition xero_fdw.sync := before;
BEGIN
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
	definition.search_path := pg_catalog.current_setting('search_path');
	PERFORM xero_fdw._alter_sync(definition, before);
END $$;
COMMENT ON FUNCTION xero_fdw.alter_sync(text, regclass, regclass, text, jsonb, text[], text, text, text, text, text) IS
	'change the definition of a sync; what is null stays, and an empty filter or match_on is none';

CREATE FUNCTION xero_fdw._alter_sync(definition xero_fdw.sync,
		before xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result record;
	compiled xero_fdw.sync_field[];
BEGIN
	PERFORM xero_fdw._require_owner(before);
	IF before.parent_id IS NOT NULL OR before.mirror
			AND to_jsonb(definition) - ARRAY['xero_filter', 'on_delete', 'search_path']
				<> to_jsonb(before) - ARRAY['xero_filter', 'on_delete', 'search_path'] THEN
		RAISE EXCEPTION 'sync "%" is a mirror', before.name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = 'Of a mirror, xero_filter and on_delete can be changed; of one of lines, nothing.';
	END IF;
	PERFORM xero_fdw._lock_sync(before);
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
		initial = definition.initial, on_delete = definition.on_delete,
		xero_key = definition.xero_key, local_key = definition.local_key,
		watch = definition.watch, columns = definition.columns,
		search_path = definition.search_path, altered_at = now()
	WHERE sync_id = definition.sync_id;
END $$;
COMMENT ON FUNCTION xero_fdw._alter_sync(xero_fdw.sync, xero_fdw.sync) IS
	'internal: checks a changed definition and stores it';

CREATE FUNCTION xero_fdw.drop_sync(name text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition xero_fdw.sync := xero_fdw._find_sync(name);
	part xero_fdw.sync;
BEGIN
	FOR part IN
			SELECT s.* FROM xero_fdw.sync AS s
			WHERE definition.sync_id IN (s.sync_id, s.parent_id)
			ORDER BY s.sync_id LOOP
		PERFORM xero_fdw._lock_sync(part);
		PERFORM xero_fdw._unwatch(part);
		DELETE FROM xero_fdw.sync_change AS c WHERE c.sync_id = part.sync_id;
	END LOOP;
	PERFORM xero_fdw._unschedule(definition);
	DELETE FROM xero_fdw.sync AS s
	WHERE definition.sync_id IN (s.sync_id, s.parent_id);
END $$;
COMMENT ON FUNCTION xero_fdw.drop_sync(text) IS
	'forget a sync, its history and its schedule; the data of both sides stay';

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
			ELSE format('Column "%s" of table %s was of type %s, and is of type %s.', column_name,
				c.oid::regclass, was, format_type(a.atttypid, a.atttypmod)) END
		FROM (VALUES (definition.xero_table, definition.columns -> 'xero'),
				(definition.local_table, definition.columns -> 'local')) AS t (relation, side)
			LEFT JOIN pg_class AS c ON c.oid = t.relation
			LEFT JOIN jsonb_each_text(side -> 'columns') AS u (column_name, was) ON c.oid IS NOT NULL
			LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = column_name
				AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.oid IS NULL OR format_type(a.atttypid, a.atttypmod) IS DISTINCT FROM was
		ORDER BY c.oid, column_name, side ->> 'table');
	IF faults = '{}' AND (xero_fdw._local_key(definition.local_table, definition.fields)).columns
			IS DISTINCT FROM definition.local_key THEN
		faults := ARRAY[format('Table %s has another key than before.', definition.local_table)];
	END IF;
	IF faults = '{}' AND definition.watch = 'trigger' AND (SELECT count(*) FROM pg_trigger
			WHERE tgrelid = definition.local_table AND tgenabled = 'A'
				AND tgname IN ('xero_fdw_' || definition.sync_id, 'xero_fdw_' || definition.sync_id || '_truncate')) < 2 THEN
		faults := ARRAY[format('A trigger of the sync on table %s was dropped or disabled.', definition.local_table)];
	END IF;
	IF faults <> '{}' THEN
		RAISE EXCEPTION 'the tables of sync "%" have changed', definition.name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = array_to_string(faults, E'\n'),
				HINT = format(CASE WHEN definition.mirror
					THEN 'Forget it by xero_fdw.drop_sync(%L) and call xero_fdw.mirror() again, which says what the copy lacks.'
					ELSE 'Adapt it by xero_fdw.alter_sync(%L, ...), which also accepts the tables as they are now.' END, definition.name);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._check_sync_columns(integer) IS
	'internal: an error if the tables of a sync are not as they were when it was defined';
