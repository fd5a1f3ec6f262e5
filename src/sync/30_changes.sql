-- Local changes, recorded in the writer's own transaction.
--
-- The trigger function runs with the rights of the extension's owner, since
-- writers have none on its tables.  It therefore must not call what others have
-- made: values are compared as bytes and become text by output functions; casts
-- and operators, which anybody can define for types of their own, are used for
-- built-in types only.  It records changes of a sync's own table alone, so
-- nobody can forge changes of somebody else's.
--
-- A writer never fails because of a sync.  While a column is missing, all that
-- is recorded is that something changed.

CREATE FUNCTION xero_fdw.record_change() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	SET datestyle = 'ISO'
	SET intervalstyle = 'postgres'
	SET bytea_output = 'hex'
AS $$
DECLARE
	-- arguments: sync_id, columns of the key, columns that are watched
	operation text := lower(TG_OP);
	key_of constant text := $sql$CASE WHEN pg_typeof(($%1$s).%2$I)::oid < 16384
		THEN to_jsonb(($%1$s).%2$I) ELSE to_jsonb(format('%%s', ($%1$s).%2$I)) END$sql$;
	new_key jsonb;
	old_key jsonb;
	changed text[];
BEGIN
	IF TG_LEVEL = 'ROW' THEN
		IF TG_OP = 'UPDATE' AND OLD *= NEW THEN
			RETURN NULL;
		END IF;
		BEGIN
			IF TG_OP = 'UPDATE' THEN
				EXECUTE (
					SELECT format('SELECT jsonb_build_array(%s), jsonb_build_array(%s)',
						string_agg(format(key_of, 1, c), ', ' ORDER BY n),
						string_agg(format(key_of, 2, c), ', ' ORDER BY n))
					FROM unnest(TG_ARGV[1]::text[]) WITH ORDINALITY AS k (c, n)
				) || (
					SELECT format(', array_remove(ARRAY[%s]::text[], NULL)', string_agg(format(
						'CASE WHEN record_image_ne(ROW(($1).%1$I), ROW(($2).%1$I)) THEN %1$L END', c), ', '))
					FROM unnest(TG_ARGV[2]::text[]) AS c
				) INTO new_key, old_key, changed USING NEW, OLD;
				IF changed = '{}' AND new_key = old_key THEN
					RETURN NULL;
				END IF;
			ELSE
				EXECUTE (
					SELECT format('SELECT jsonb_build_array(%s)', string_agg(format(key_of, 1, c), ', ' ORDER BY n))
					FROM unnest(TG_ARGV[1]::text[]) WITH ORDINALITY AS k (c, n)
				) INTO new_key USING CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
			END IF;
		EXCEPTION WHEN undefined_column THEN
			operation := 'truncate';
			new_key := NULL;
		END;
	END IF;
	INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, old_key, columns, changed_at)
	SELECT s.sync_id, operation, new_key, nullif(old_key, new_key), changed, clock_timestamp()
	FROM xero_fdw.sync AS s
	WHERE s.sync_id = TG_ARGV[0]::integer
		AND (s.local_table = TG_RELID
			OR s.local_table IN (SELECT relid FROM pg_partition_ancestors(TG_RELID)));
	RETURN NULL;
END $$;
COMMENT ON FUNCTION xero_fdw.record_change() IS
	'internal: trigger on the local tables of syncs';

CREATE FUNCTION xero_fdw._unwatch(definition xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	trigger name;
BEGIN
	FOR trigger IN
			SELECT tgname FROM pg_trigger
			WHERE tgrelid = definition.local_table AND tgparentid = 0
				AND tgname IN ('xero_fdw_' || definition.sync_id,
					'xero_fdw_' || definition.sync_id || '_truncate') LOOP
		PERFORM xero_fdw._do_as_caller('pg_catalog, pg_temp',
			format('DROP TRIGGER %I ON %s', trigger, definition.local_table));
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._unwatch(xero_fdw.sync) IS
	'internal: removes the triggers of a sync';

-- The triggers also fire for changes that logical replication applies.
CREATE FUNCTION xero_fdw._watch(definition xero_fdw.sync,
		compiled xero_fdw.sync_field[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	trigger text := 'xero_fdw_' || definition.sync_id;
	watched text[] := ARRAY(
		SELECT c FROM unnest(compiled) AS f, unnest(f.local_uses) AS c
		WHERE f.direction <> 'to_local' OR f.local_column = ANY (definition.match_on)
			OR f.xero_column = definition.xero_key
		UNION
		SELECT unnest(uses) FROM xero_fdw._check_filter(definition.local_table,
			'local', 'local_filter', definition.local_filter, definition.search_path)
		ORDER BY 1);
BEGIN
	PERFORM xero_fdw._unwatch(definition);
	IF definition.watch <> 'trigger' THEN
		RETURN;
	END IF;
	PERFORM xero_fdw._do_as_caller('pg_catalog, pg_temp', format(
		'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s'
		' FOR EACH ROW EXECUTE FUNCTION xero_fdw.record_change(%L, %L, %L)',
		trigger, definition.local_table, definition.sync_id, definition.local_key, watched));
	PERFORM xero_fdw._do_as_caller('pg_catalog, pg_temp', format(
		'CREATE TRIGGER %I AFTER TRUNCATE ON %s'
		' FOR EACH STATEMENT EXECUTE FUNCTION xero_fdw.record_change(%L)',
		trigger || '_truncate', definition.local_table, definition.sync_id));
	PERFORM xero_fdw._do_as_caller('pg_catalog, pg_temp', format(
		'ALTER TABLE %s ENABLE ALWAYS TRIGGER %I, ENABLE ALWAYS TRIGGER %I',
		definition.local_table, trigger, trigger || '_truncate'));
END $$;
COMMENT ON FUNCTION xero_fdw._watch(xero_fdw.sync, xero_fdw.sync_field[]) IS
	'internal: makes the triggers of a sync, if it has any';

-- The whole local table is compared by the next run.
CREATE FUNCTION xero_fdw._compare_all(sync_id integer) RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO xero_fdw.sync_change (sync_id, operation, changed_at)
	VALUES ($1, 'truncate', clock_timestamp())
$$;
COMMENT ON FUNCTION xero_fdw._compare_all(integer) IS
	'internal: records that any local row may have changed';
