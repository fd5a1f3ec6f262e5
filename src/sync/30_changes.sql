-- Local changes, recorded in the writer's own transaction
-- (src/fdw/sync/watch.c).  The function needs no SECURITY DEFINER: it turns values
-- into JSON as the writer, and becomes its own owner for one INSERT.

CREATE FUNCTION xero_fdw.record_change() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_record_change';
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
	identity text[] := ARRAY(
		SELECT unnest(definition.match_on)
		UNION
		SELECT f.local_column FROM unnest(compiled) AS f
		WHERE f.xero_column IN (definition.xero_key, xero_fdw._tenant_column(definition.xero_table))
			AND f.local_column IS NOT NULL
		ORDER BY 1);
BEGIN
	PERFORM xero_fdw._unwatch(definition);
	IF definition.watch <> 'trigger' THEN
		RETURN;
	END IF;
	PERFORM xero_fdw._do_as_caller('pg_catalog, pg_temp', format(
		'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s'
		' FOR EACH ROW EXECUTE FUNCTION xero_fdw.record_change(%L, %L, %L, %L)',
		trigger, definition.local_table, definition.sync_id, definition.local_key, watched, identity));
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
	VALUES ($1, 'compare', clock_timestamp())
$$;
COMMENT ON FUNCTION xero_fdw._compare_all(integer) IS
	'internal: records that any local row may have changed';
