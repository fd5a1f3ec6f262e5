-- What becomes of syncs whose tables or owners go: event triggers, entered by the
-- gate like anything else.

-- A dropped local table takes its syncs along: they would be nobody's.
CREATE FUNCTION xero_fdw._forget_dropped() RETURNS event_trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	gone xero_fdw.sync;
BEGIN
	FOR gone IN
			SELECT s.* FROM pg_event_trigger_dropped_objects() AS d
				JOIN xero_fdw.sync AS s ON s.local_table = d.objid
			WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
			ORDER BY s.sync_id LOOP
		PERFORM xero_fdw._unschedule(gone.name, gone.confirmed_by);
		PERFORM xero_fdw._erase_sync(gone.sync_id);
		RAISE NOTICE 'sync "%" is dropped with its local table', gone.name;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._forget_dropped() IS
	'internal: forget_dropped()';

CREATE FUNCTION xero_fdw.forget_dropped() RETURNS event_trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.forget_dropped() IS
	'internal: drops the syncs of local tables that were dropped';

CREATE EVENT TRIGGER xero_fdw_forget_dropped ON sql_drop
	EXECUTE FUNCTION xero_fdw.forget_dropped();

-- A job runs as the role that has made it, which may be about to go when its tables
-- get another owner; pg_cron does not take jobs of roles that are gone well.
CREATE FUNCTION xero_fdw._forget_jobs() RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT xero_fdw._unschedule(s.name, s.confirmed_by)
	FROM xero_fdw.sync AS s
	WHERE s.confirmed_by <> pg_get_userbyid(xero_fdw._sync_owner(s.local_table))
$$;
COMMENT ON FUNCTION xero_fdw._forget_jobs() IS
	'internal: removes the jobs of syncs whose local tables got another owner';

CREATE FUNCTION xero_fdw.forget_jobs() RETURNS event_trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.forget_jobs() IS
	'internal: removes the jobs of syncs whose local tables got another owner';

-- REASSIGN OWNED fires no event trigger: fdw/sync/reassign.c.
CREATE EVENT TRIGGER xero_fdw_forget_jobs ON ddl_command_end
	WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE')
	EXECUTE FUNCTION xero_fdw.forget_jobs();

-- When the extension goes, nothing of it is called any more at the end of the
-- command, so the jobs go at the beginning.
CREATE FUNCTION xero_fdw._forget_all_jobs() RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT xero_fdw._unschedule(s.name, s.confirmed_by) FROM xero_fdw.sync AS s
$$;
COMMENT ON FUNCTION xero_fdw._forget_all_jobs() IS
	'internal: removes the jobs of all syncs';

CREATE FUNCTION xero_fdw.forget_all_jobs() RETURNS event_trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_before_drop_extension';
COMMENT ON FUNCTION xero_fdw.forget_all_jobs() IS
	'internal: removes the jobs of all syncs, if it is this extension that is dropped';

CREATE EVENT TRIGGER xero_fdw_forget_all_jobs ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION')
	EXECUTE FUNCTION xero_fdw.forget_all_jobs();
