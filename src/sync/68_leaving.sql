-- What becomes of syncs whose tables or owners go, and of consents whose mappings
-- do: event triggers, entered by the gate like anything else.

CREATE FUNCTION xero_fdw._forget_mapping(of_server name, of_role oid) RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM xero_fdw.token AS t WHERE (t.server, t.roleid) = (of_server, of_role);
	DELETE FROM xero_fdw.secret AS s WHERE (s.server, s.roleid) = (of_server, of_role);
	DELETE FROM xero_fdw.pending_authorization AS p WHERE (p.server, p.roleid) = (of_server, of_role);
	DELETE FROM xero_fdw.organisation AS o WHERE (o.server, o.roleid) = (of_server, of_role)
$$;
COMMENT ON FUNCTION xero_fdw._forget_mapping(name, oid) IS
	'internal: forgets what belongs to a user mapping';

-- A dropped user mapping takes its tokens along, and who consented.  Xero is not
-- told: a restored copy drops its mapping so that it does not reach Xero.
CREATE FUNCTION xero_fdw._forget_consents() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	gone record;
BEGIN
	FOR gone IN
			SELECT m.server, m.roleid, m.name, t.server IS NOT NULL AS consented
			FROM (SELECT d.object_identity, d.address_args[1]::name,
						CASE WHEN d.address_names[1] = 'public' THEN 0 ELSE r.oid END
					FROM pg_event_trigger_dropped_objects() AS d
						LEFT JOIN pg_roles AS r ON r.rolname = d.address_names[1]
					WHERE d.classid = 'pg_user_mapping'::regclass) AS m (name, server, roleid)
				LEFT JOIN xero_fdw.token AS t USING (server, roleid) LOOP
		PERFORM xero_fdw._forget_mapping(gone.server, gone.roleid);
		IF gone.consented THEN
			RAISE NOTICE 'the connection of user mapping % is forgotten, and still counts at Xero', gone.name
				USING HINT = 'xero_fdw.disconnect(), before a mapping is dropped, ends it there, too.';
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._forget_consents() IS
	'internal: forgets what belongs to user mappings that were dropped';

-- A dropped local table takes its syncs along: they would be nobody's.
CREATE FUNCTION xero_fdw._forget_dropped() RETURNS event_trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	gone xero_fdw.sync;
BEGIN
	PERFORM xero_fdw._forget_consents();
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
	'internal: drops the syncs of local tables that were dropped, and the consents of user mappings';

CREATE EVENT TRIGGER xero_fdw_forget_dropped ON sql_drop
	EXECUTE FUNCTION xero_fdw.forget_dropped();

-- What is stored is found by names: a new user mapping begins with nothing, even if
-- event triggers were disabled when an earlier one was dropped.
CREATE FUNCTION xero_fdw._forget_leftovers() RETURNS event_trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM xero_fdw._forget_mapping(s.srvname, m.umuser)
	FROM pg_event_trigger_ddl_commands() AS d
		JOIN pg_user_mapping AS m ON m.oid = d.objid
		JOIN pg_foreign_server AS s ON s.oid = m.umserver
	WHERE d.classid = 'pg_user_mapping'::regclass;
END $$;
COMMENT ON FUNCTION xero_fdw._forget_leftovers() IS
	'internal: forget_leftovers()';

CREATE FUNCTION xero_fdw.forget_leftovers() RETURNS event_trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.forget_leftovers() IS
	'internal: forgets what earlier user mappings of the same role and server have left';

CREATE EVENT TRIGGER xero_fdw_forget_leftovers ON ddl_command_end
	WHEN TAG IN ('CREATE USER MAPPING')
	EXECUTE FUNCTION xero_fdw.forget_leftovers();

-- What was changed while a trigger of a sync was disabled, no one has recorded.  As long
-- as it is, no run begins; once it is enabled again, nothing tells.
CREATE FUNCTION xero_fdw._note_unwatched() RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT xero_fdw._compare_all(s.sync_id)
	FROM pg_event_trigger_ddl_commands() AS d
		JOIN pg_trigger AS t ON t.tgrelid = d.objid AND t.tgenabled <> 'A'
		JOIN xero_fdw.sync AS s ON t.tgname IN ('xero_fdw_' || s.sync_id, 'xero_fdw_' || s.sync_id || '_truncate')
			AND (s.local_table = t.tgrelid OR s.local_table IN (SELECT pg_partition_ancestors(t.tgrelid)))
	WHERE d.classid = 'pg_class'::regclass
$$;
COMMENT ON FUNCTION xero_fdw._note_unwatched() IS
	'internal: lets the tables be compared whose triggers are disabled';

-- Nor do triggers tell what ALTER COLUMN ... TYPE ... USING makes of the rows.
CREATE FUNCTION xero_fdw._note_rewritten() RETURNS event_trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation CONSTANT oid := pg_event_trigger_table_rewrite_oid();
BEGIN
	PERFORM xero_fdw._compare_all(s.sync_id) FROM xero_fdw.sync AS s
	WHERE s.local_table = relation OR s.local_table IN (SELECT pg_partition_ancestors(relation));
END $$;
COMMENT ON FUNCTION xero_fdw._note_rewritten() IS
	'internal: note_rewritten()';

CREATE FUNCTION xero_fdw.note_rewritten() RETURNS event_trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.note_rewritten() IS
	'internal: lets the tables be compared that are rewritten';

CREATE EVENT TRIGGER xero_fdw_note_rewritten ON table_rewrite
	EXECUTE FUNCTION xero_fdw.note_rewritten();

-- A job runs as the role that has made it, which may be about to go when its tables
-- get another owner; pg_cron does not take jobs of roles that are gone well.
CREATE FUNCTION xero_fdw._forget_jobs() RETURNS event_trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM xero_fdw._note_unwatched();
	PERFORM xero_fdw._unschedule(s.name, s.confirmed_by)
	FROM pg_event_trigger_ddl_commands() AS d
		JOIN xero_fdw.sync AS s ON s.local_table = d.objid
	WHERE d.classid = 'pg_class'::regclass
		AND s.confirmed_by <> pg_get_userbyid(xero_fdw._sync_owner(s.local_table));
END $$;
COMMENT ON FUNCTION xero_fdw._forget_jobs() IS
	'internal: forget_jobs()';

CREATE FUNCTION xero_fdw.forget_jobs() RETURNS event_trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.forget_jobs() IS
	'internal: removes the jobs of syncs whose local tables got another owner';

CREATE EVENT TRIGGER xero_fdw_forget_jobs ON ddl_command_end
	WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE')
	EXECUTE FUNCTION xero_fdw.forget_jobs();

-- REASSIGN OWNED and DROP ROLE fire no event trigger: fdw/sync/roles.c calls this.
-- The name of a role that is gone may be given to another one, which is not to have
-- its templates.
CREATE FUNCTION xero_fdw._forget_roles(dropped text[]) RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM xero_fdw.sync_templates AS t WHERE t.ctid = ANY (ARRAY(
		SELECT g.ctid FROM xero_fdw.sync_templates AS g WHERE g.owner = ANY (dropped) FOR UPDATE SKIP LOCKED));
	DELETE FROM xero_fdw.pending_authorization AS p WHERE p.ctid = ANY (ARRAY(
		SELECT g.ctid FROM xero_fdw.pending_authorization AS g
		WHERE g.begun_by NOT IN (SELECT r.oid FROM pg_roles AS r) FOR UPDATE SKIP LOCKED));
	SELECT xero_fdw._unschedule(s.name, s.confirmed_by) FROM xero_fdw.sync AS s
	WHERE s.confirmed_by <> pg_get_userbyid(xero_fdw._sync_owner(s.local_table))
$$;
COMMENT ON FUNCTION xero_fdw._forget_roles(text[]) IS
	'internal: forgets what belongs to roles that have gone, or have given their tables away';

CREATE FUNCTION xero_fdw.forget_roles(dropped text[]) RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.forget_roles(text[]) IS
	'internal: called after REASSIGN OWNED and DROP ROLE';

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
