-- What the calls to Xero did and do.  All of it comes from shared memory; no
-- call is made.  Requests show which rows others asked for, so only those who
-- may read all statistics may read them.

CREATE FUNCTION @extschema@.version() RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'xero_version';
COMMENT ON FUNCTION @extschema@.version() IS
	'version of the loaded library';

CREATE FUNCTION @extschema@._requests(
		OUT at timestamptz, OUT pid integer, OUT role_id oid,
		OUT server_id oid, OUT tenant_id text, OUT method text, OUT path text,
		OUT status integer, OUT attempt integer, OUT waited_ms double precision,
		OUT elapsed_ms double precision, OUT bytes_in bigint,
		OUT bytes_out bigint, OUT correlation_id text, OUT error text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 1000
	AS 'MODULE_PATHNAME', 'xero_requests';
COMMENT ON FUNCTION @extschema@._requests() IS
	'internal: rows of the view xero_fdw.requests';
REVOKE ALL ON FUNCTION @extschema@._requests() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._requests() TO pg_read_all_stats;

CREATE VIEW @extschema@.requests AS
	SELECT r.at, r.pid, pg_get_userbyid(r.role_id) AS role,
		s.srvname AS server, r.tenant_id, r.method, r.path, r.status,
		r.attempt, r.waited_ms, r.elapsed_ms, r.bytes_in, r.bytes_out,
		r.correlation_id, r.error
	FROM @extschema@._requests() AS r
		LEFT JOIN pg_foreign_server AS s ON s.oid = r.server_id;
COMMENT ON VIEW @extschema@.requests IS
	'the most recent calls to Xero from this database, one row for each attempt';
COMMENT ON COLUMN @extschema@.requests.at IS 'when the attempt was sent';
COMMENT ON COLUMN @extschema@.requests.pid IS 'process ID of the backend';
COMMENT ON COLUMN @extschema@.requests.role IS 'role that was in force';
COMMENT ON COLUMN @extschema@.requests.server IS
	'foreign server; null if it was dropped since';
COMMENT ON COLUMN @extschema@.requests.tenant_id IS
	'organisation; null if the call named none';
COMMENT ON COLUMN @extschema@.requests.method IS 'HTTP method';
COMMENT ON COLUMN @extschema@.requests.path IS
	'path and decoded query, cut';
COMMENT ON COLUMN @extschema@.requests.status IS
	'HTTP status; null if no answer came';
COMMENT ON COLUMN @extschema@.requests.attempt IS
	'1 for the first attempt of a call';
COMMENT ON COLUMN @extschema@.requests.waited_ms IS
	'milliseconds waited before sending, for budget, limits and back-off';
COMMENT ON COLUMN @extschema@.requests.elapsed_ms IS
	'milliseconds from sending to the end of the answer';
COMMENT ON COLUMN @extschema@.requests.bytes_in IS
	'bytes of the answer''s body as transmitted';
COMMENT ON COLUMN @extschema@.requests.bytes_out IS
	'bytes of the request''s body';
COMMENT ON COLUMN @extschema@.requests.correlation_id IS
	'Xero''s name for the call, to be told to Xero''s support';
COMMENT ON COLUMN @extschema@.requests.error IS
	'what was wrong with the answer; null if nothing';
GRANT SELECT ON @extschema@.requests TO pg_read_all_stats;

CREATE FUNCTION @extschema@._progress(
		OUT pid integer, OUT relid oid, OUT phase text, OUT pages_done bigint,
		OUT pages_total bigint, OUT rows bigint, OUT bytes_in bigint,
		OUT waiting_for text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 10
	AS 'MODULE_PATHNAME', 'xero_progress';
COMMENT ON FUNCTION @extschema@._progress() IS
	'internal: rows of the view xero_fdw.progress';
REVOKE ALL ON FUNCTION @extschema@._progress() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._progress() TO pg_read_all_stats;

CREATE VIEW @extschema@.progress AS
	SELECT p.pid, p.relid::regclass AS relid, p.phase, p.pages_done,
		p.pages_total, p.rows, p.bytes_in, p.waiting_for
	FROM @extschema@._progress() AS p;
COMMENT ON VIEW @extschema@.progress IS
	'the scans and writes of foreign tables of this database that run now';
COMMENT ON COLUMN @extschema@.progress.pid IS 'process ID of the backend';
COMMENT ON COLUMN @extschema@.progress.relid IS 'foreign table';
COMMENT ON COLUMN @extschema@.progress.phase IS 'what is being done';
COMMENT ON COLUMN @extschema@.progress.pages_done IS 'pages consumed';
COMMENT ON COLUMN @extschema@.progress.pages_total IS
	'pages in all; null while not known';
COMMENT ON COLUMN @extschema@.progress.rows IS 'rows produced';
COMMENT ON COLUMN @extschema@.progress.bytes_in IS
	'bytes of the answers'' bodies as transmitted';
COMMENT ON COLUMN @extschema@.progress.waiting_for IS
	'budget, token, network, rate limit or retry; null if not waiting';
GRANT SELECT ON @extschema@.progress TO pg_read_all_stats;
