-- Schedules: jobs of pg_cron that run a sync.
--
-- A job runs as the role that makes it.  pg_cron lives in one database of a
-- cluster; from any other, nothing of it can be seen.

CREATE FUNCTION xero_fdw._require_cron(job text, schedule text, command text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	home text;
BEGIN
	IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		IF NOT has_schema_privilege(xero_fdw._caller(), 'cron', 'USAGE') THEN
			RAISE EXCEPTION 'permission denied for schema cron'
				USING ERRCODE = 'insufficient_privilege',
					HINT = format('GRANT USAGE ON SCHEMA cron TO %I.', pg_get_userbyid(xero_fdw._caller()));
		END IF;
		RETURN;
	END IF;
	BEGIN
		home := current_setting('cron.database_name', true);
	EXCEPTION WHEN insufficient_privilege THEN
		NULL;
	END;
	RAISE EXCEPTION 'pg_cron is not installed in database "%"', current_database()
		USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = CASE WHEN home <> current_database()
				THEN format('It is at home in database "%s". There, let a superuser run: SELECT cron.schedule_in_database(%L, %L, %L, %L, %L);',
					home, job, schedule, command, current_database(), pg_get_userbyid(xero_fdw._caller()))
				ELSE format('Add pg_cron to shared_preload_libraries and run CREATE EXTENSION pg_cron, or have another scheduler run: %s', command) END;
END $$;
COMMENT ON FUNCTION xero_fdw._require_cron(text, text, text) IS
	'internal: an error if the current role cannot use pg_cron here';

CREATE FUNCTION xero_fdw._schedule_sync(name text, schedule text) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition CONSTANT xero_fdw.sync := xero_fdw._own_sync(name);
	job CONSTANT text := 'xero_fdw: ' || name;
	command CONSTANT text := format('CALL xero_fdw.run_sync(%L)', name);
	job_id bigint;
BEGIN
	PERFORM xero_fdw._require_cron(job, schedule, command);
	SELECT r.job_id INTO job_id FROM xero_fdw._as_caller('pg_catalog, pg_temp',
		'SELECT cron.schedule($1, $2, $3)', job, schedule, command) AS r(job_id bigint);
	RETURN job_id;
END $$;
COMMENT ON FUNCTION xero_fdw._schedule_sync(text, text) IS
	'internal: schedule_sync()';

CREATE FUNCTION xero_fdw.schedule_sync(name text,
		schedule text DEFAULT '*/10 * * * *') RETURNS bigint
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.schedule_sync(text, text) IS
	'have pg_cron run a sync, every ten minutes if nothing else is said; returns the number of the job';

-- Removes the job of a sync; was there one?  It is the engine that does so, since
-- the role of the job may have lost its rights on pg_cron, or be gone.  A job that
-- somebody is changing is left alone, rather than waited for.
CREATE FUNCTION xero_fdw._unschedule(name text, role_name name) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	removed bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		RETURN false;
	END IF;
	EXECUTE 'SELECT count(cron.unschedule(j.jobid)) FROM (SELECT jobid FROM cron.job'
		' WHERE jobname = $1 AND username = $2 FOR UPDATE SKIP LOCKED) AS j'
		INTO removed USING 'xero_fdw: ' || name, role_name::text;
	RETURN removed > 0;
END $$;
COMMENT ON FUNCTION xero_fdw._unschedule(text, name) IS
	'internal: removes the job of a sync; was there one?';

CREATE FUNCTION xero_fdw._unschedule_sync(name text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition CONSTANT xero_fdw.sync := xero_fdw._find_sync(name);
BEGIN
	IF NOT xero_fdw._unschedule(definition.name, pg_get_userbyid(xero_fdw._caller())) THEN
		RAISE EXCEPTION 'sync "%" is not scheduled', name
			USING ERRCODE = 'undefined_object';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._unschedule_sync(text) IS
	'internal: unschedule_sync()';

CREATE FUNCTION xero_fdw.unschedule_sync(name text) RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.unschedule_sync(text) IS
	'have pg_cron run a sync no longer';

CREATE FUNCTION xero_fdw._schedule(name text, owner oid) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schedule text;
BEGIN
	IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron')
			AND has_schema_privilege('cron', 'USAGE') THEN
		EXECUTE 'SELECT schedule FROM cron.job WHERE jobname = $1 AND username = $2 AND active'
			INTO schedule USING 'xero_fdw: ' || name, pg_get_userbyid(owner);
	END IF;
	RETURN schedule;
END $$;
COMMENT ON FUNCTION xero_fdw._schedule(text, oid) IS
	'internal: schedule of a sync; null if it has none that can be seen';
