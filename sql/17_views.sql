-- What is shown of calls and of running scans, and to whom.
CALL needs_00_setup();
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid IN ('xero_fdw.requests'::regclass, 'xero_fdw.progress'::regclass) AND attnum > 0
	ORDER BY attrelid::regclass::text DESC, attnum;
-- every object of the extension that users see is explained
SELECT objid::regclass, attname
	FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = d.objid AND a.attnum > 0
	JOIN pg_class AS c ON c.oid = d.objid AND c.relkind <> 'S'
WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'xero_fdw') AND deptype = 'e'
	AND classid = 'pg_class'::regclass
	AND (obj_description(objid, 'pg_class') IS NULL OR col_description(objid, attnum) IS NULL);
SELECT objid::regprocedure FROM pg_depend
WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'xero_fdw') AND deptype = 'e'
	AND classid = 'pg_proc'::regclass
	AND obj_description(objid, 'pg_proc') IS NULL;

-- requests
SELECT count(*) FROM xero.invoices WHERE status = 'PAID';
SELECT at BETWEEN now() - interval '1 minute' AND clock_timestamp() AS at,
	pid = pg_backend_pid() AS pid, role = current_user AS role, server,
	tenant_id IS NOT NULL AS tenant, method, path, status, attempt, waited_ms >= 0 AS waited,
	elapsed_ms > 0 AS elapsed,
	bytes_in > 0 AS bytes_in, bytes_out, correlation_id ~ '^[0-9a-f-]{36}$' AS correlation, error
FROM xero_fdw.requests AS r WHERE pid = pg_backend_pid() ORDER BY r.at;
-- what was not answered as it should
SELECT count(*) FROM xero.invoices WHERE invoice_id = '00000000-0000-0000-0000-000000000001';
SELECT path, status, attempt, error
	FROM xero_fdw.requests WHERE pid = pg_backend_pid() ORDER BY at DESC LIMIT 1;
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Currencies status=503 times=1 body=offline
SELECT count(*) > 0 AS any FROM xero.currencies;
SELECT path, status, attempt, attempt = 1 OR waited_ms > 0 AS waited, error
	FROM xero_fdw.requests WHERE pid = pg_backend_pid() AND path LIKE '%/Currencies' ORDER BY at;
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
-- no secret
SELECT count(*) FROM xero_fdw.requests AS r WHERE r::text ~ 'sandbox-token|Bearer';

-- progress: of this very statement's scan, seen by a function that it calls
CREATE FUNCTION progress() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT concat_ws(', ', relid, phase, pages_done, pages_total, rows > 0, bytes_in > 0,
		waiting_for)
	FROM xero_fdw.progress
	WHERE pid = pg_backend_pid()
$$;
CREATE FOREIGN TABLE paged (contact_id uuid, name text)
	SERVER xero OPTIONS (object 'accounting/Contacts', page_size '50');
SELECT DISTINCT progress() FROM paged;
SELECT count(*) FROM xero_fdw.progress WHERE pid = pg_backend_pid();
-- it is gone after an error, too
SELECT progress(), 1 / (length(name) - length(name)) FROM paged;
SELECT count(*) FROM xero_fdw.progress WHERE pid = pg_backend_pid();
-- and as long as a cursor is open
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM paged;
MOVE 60 FROM c;
SELECT progress();
CLOSE c;
SELECT progress();
COMMIT;
DROP FOREIGN TABLE paged;

-- Whoever may read all statistics may read these; others may not.
CREATE ROLE regress_xero_user;
SET ROLE regress_xero_user;
SELECT count(*) FROM xero_fdw.requests;
SELECT count(*) FROM xero_fdw.progress;
SELECT count(*) FROM xero_fdw._requests();
SELECT count(*) FROM xero_fdw._progress();
SELECT xero_fdw.version() <> '' AS version;
SELECT count(*) > 0 AS catalogue FROM xero_fdw.objects;
RESET ROLE;
GRANT pg_read_all_stats TO regress_xero_user;
SET ROLE regress_xero_user;
SELECT count(*) > 0 AS requests FROM xero_fdw.requests;
SELECT count(*) FROM xero_fdw.progress;
RESET ROLE;
DROP ROLE regress_xero_user;
DROP FUNCTION progress;
-- other databases see nothing of this one
SELECT count(*)
	FROM xero_fdw.requests WHERE server IS DISTINCT FROM 'xero' AND pid = pg_backend_pid();
SHOW xero_fdw.request_log_size;
