-- What the calls to Xero did and do.  All of it comes from shared memory; no
-- call is made.  Requests show which rows others asked for, so only those who
-- may read all statistics may read them.

CREATE FUNCTION xero_fdw.version() RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'xero_version';
COMMENT ON FUNCTION xero_fdw.version() IS
	'version of the loaded library';

CREATE FUNCTION xero_fdw._requests(
		OUT at timestamptz, OUT pid integer, OUT role_id oid,
		OUT server_id oid, OUT tenant_id text, OUT method text, OUT path text,
		OUT status integer, OUT attempt integer, OUT waited_ms double precision,
		OUT elapsed_ms double precision, OUT bytes_in bigint,
		OUT bytes_out bigint, OUT correlation_id text, OUT error text,
		OUT warning text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 1000
	AS 'MODULE_PATHNAME', 'xero_requests';
COMMENT ON FUNCTION xero_fdw._requests() IS
	'internal: rows of the view xero_fdw.requests';
REVOKE ALL ON FUNCTION xero_fdw._requests() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION xero_fdw._requests() TO pg_read_all_stats;

CREATE VIEW xero_fdw.requests AS
	SELECT r.at, r.pid, pg_get_userbyid(r.role_id) AS role,
		s.srvname AS server, r.tenant_id, r.method, r.path, r.status,
		r.attempt, r.waited_ms, r.elapsed_ms, r.bytes_in, r.bytes_out,
		r.correlation_id, r.error, r.warning
	FROM xero_fdw._requests() AS r
		LEFT JOIN pg_foreign_server AS s ON s.oid = r.server_id;
COMMENT ON VIEW xero_fdw.requests IS
	'the most recent calls to Xero from this database, one row for each attempt';
COMMENT ON COLUMN xero_fdw.requests.at IS 'when the attempt was sent';
COMMENT ON COLUMN xero_fdw.requests.pid IS 'process ID of the backend';
COMMENT ON COLUMN xero_fdw.requests.role IS 'role that was in force';
COMMENT ON COLUMN xero_fdw.requests.server IS
	'foreign server; null if it was dropped since';
COMMENT ON COLUMN xero_fdw.requests.tenant_id IS
	'organisation; null if the call named none';
COMMENT ON COLUMN xero_fdw.requests.method IS 'HTTP method';
COMMENT ON COLUMN xero_fdw.requests.path IS
	'path and decoded query, cut';
COMMENT ON COLUMN xero_fdw.requests.status IS
	'HTTP status; null if no answer came';
COMMENT ON COLUMN xero_fdw.requests.attempt IS
	'1 for the first attempt of a call';
COMMENT ON COLUMN xero_fdw.requests.waited_ms IS
	'milliseconds waited before sending, for budget, limits and back-off';
COMMENT ON COLUMN xero_fdw.requests.elapsed_ms IS
	'milliseconds from sending to the end of the answer';
COMMENT ON COLUMN xero_fdw.requests.bytes_in IS
	'bytes of the answer''s body as transmitted';
COMMENT ON COLUMN xero_fdw.requests.bytes_out IS
	'bytes of the request''s body';
COMMENT ON COLUMN xero_fdw.requests.correlation_id IS
	'Xero''s name for the call, to be told to Xero''s support';
COMMENT ON COLUMN xero_fdw.requests.error IS
	'what was wrong with the answer; null if nothing';
COMMENT ON COLUMN xero_fdw.requests.warning IS
	'what Xero warned of though it did as it was told, the last of it; null if nothing';
GRANT SELECT ON xero_fdw.requests TO pg_read_all_stats;

CREATE FUNCTION xero_fdw._progress(
		OUT pid integer, OUT relid oid, OUT phase text, OUT pages_done bigint,
		OUT pages_total bigint, OUT rows bigint, OUT bytes_in bigint,
		OUT waiting_for text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 10
	AS 'MODULE_PATHNAME', 'xero_progress';
COMMENT ON FUNCTION xero_fdw._progress() IS
	'internal: rows of the view xero_fdw.progress';
REVOKE ALL ON FUNCTION xero_fdw._progress() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION xero_fdw._progress() TO pg_read_all_stats;

CREATE VIEW xero_fdw.progress AS
	SELECT p.pid, p.relid::regclass AS relid, p.phase, p.pages_done,
		p.pages_total, p.rows, p.bytes_in, p.waiting_for
	FROM xero_fdw._progress() AS p;
COMMENT ON VIEW xero_fdw.progress IS
	'the scans and writes of foreign tables of this database that run now';
COMMENT ON COLUMN xero_fdw.progress.pid IS 'process ID of the backend';
COMMENT ON COLUMN xero_fdw.progress.relid IS 'foreign table';
COMMENT ON COLUMN xero_fdw.progress.phase IS 'what is being done';
COMMENT ON COLUMN xero_fdw.progress.pages_done IS 'pages consumed';
COMMENT ON COLUMN xero_fdw.progress.pages_total IS
	'pages in all; null while not known';
COMMENT ON COLUMN xero_fdw.progress.rows IS 'rows produced';
COMMENT ON COLUMN xero_fdw.progress.bytes_in IS
	'bytes of the answers'' bodies as transmitted';
COMMENT ON COLUMN xero_fdw.progress.waiting_for IS
	'budget, token, audit, network, rate limit or retry; null if not waiting';
GRANT SELECT ON xero_fdw.progress TO pg_read_all_stats;

CREATE FUNCTION xero_fdw._budget(
		OUT client_id text, OUT tenant_id text, OUT shared boolean,
		OUT server_ids oid[], OUT minute_limit integer,
		OUT minute_remaining integer, OUT day_limit integer,
		OUT day_remaining integer, OUT day_resets_at timestamptz,
		OUT concurrency integer, OUT in_flight integer, OUT waiting integer,
		OUT app_minute_remaining integer, OUT blocked_until timestamptz,
		OUT last_problem text, OUT calls bigint, OUT throttled bigint,
		OUT waited_ms double precision, OUT bytes_in bigint,
		OUT bytes_out bigint, OUT stats_since timestamptz)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 10
	AS 'MODULE_PATHNAME', 'xero_budget';
COMMENT ON FUNCTION xero_fdw._budget() IS
	'internal: rows of the view xero_fdw.budget';
REVOKE ALL ON FUNCTION xero_fdw._budget() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION xero_fdw._budget() TO pg_read_all_stats;

-- A budget belongs to an application in an organisation; a server is one of
-- possibly many that draw on it: by what its options say, or because Xero has
-- accepted its token.  Until then it has a budget that is not shared.
CREATE VIEW xero_fdw.budget AS
	SELECT s.srvname AS server, b.tenant_id, b.minute_limit,
		b.minute_remaining, b.day_limit, b.day_remaining, b.day_resets_at,
		b.concurrency, b.in_flight, b.waiting, b.app_minute_remaining,
		b.blocked_until, b.last_problem, b.calls, b.throttled, b.waited_ms,
		b.bytes_in, b.bytes_out, b.stats_since
	FROM xero_fdw._budget() AS b
		LEFT JOIN (
			SELECT s.srvname,
				s.oid,
				(SELECT option_value FROM pg_options_to_table(s.srvoptions)
					WHERE option_name = 'client_id') AS client_id,
				(SELECT option_value::uuid FROM pg_options_to_table(s.srvoptions)
					WHERE option_name = 'tenant_id') AS tenant_id
			FROM pg_foreign_server AS s
				JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
			WHERE w.fdwhandler = 'xero_fdw.xero_fdw_handler'::regproc
		) AS s ON s.oid = ANY (b.server_ids)
			OR (b.shared AND coalesce(left(s.client_id, 63), '') = b.client_id
				AND (s.tenant_id IS NULL OR s.tenant_id::text = b.tenant_id));
COMMENT ON VIEW xero_fdw.budget IS
	'what Xero''s rate limits allow, and what was spent: one row for each organisation that was called, and each server of this database that calls it';
COMMENT ON COLUMN xero_fdw.budget.server IS
	'foreign server; null if only servers of other databases call the organisation';
COMMENT ON COLUMN xero_fdw.budget.tenant_id IS 'organisation';
COMMENT ON COLUMN xero_fdw.budget.minute_limit IS
	'calls a minute that the server allows itself';
COMMENT ON COLUMN xero_fdw.budget.minute_remaining IS
	'calls that may begin now, after all that is known of this minute';
COMMENT ON COLUMN xero_fdw.budget.day_limit IS
	'calls a day: what the server allows itself, or Xero''s limit if its headers show a smaller one';
COMMENT ON COLUMN xero_fdw.budget.day_remaining IS
	'calls left of the day; null until Xero has told';
COMMENT ON COLUMN xero_fdw.budget.day_resets_at IS
	'when there will be calls again; null while not known, which is until Xero refuses one';
COMMENT ON COLUMN xero_fdw.budget.concurrency IS
	'calls at once that the server allows itself';
COMMENT ON COLUMN xero_fdw.budget.in_flight IS 'calls under way';
COMMENT ON COLUMN xero_fdw.budget.waiting IS
	'sessions that wait for their turn';
COMMENT ON COLUMN xero_fdw.budget.app_minute_remaining IS
	'calls that the application may begin now, over all organisations';
COMMENT ON COLUMN xero_fdw.budget.blocked_until IS
	'no call begins before, because Xero has refused one; null if not so';
COMMENT ON COLUMN xero_fdw.budget.last_problem IS
	'which limit Xero named when it last refused a call; null if it never did';
COMMENT ON COLUMN xero_fdw.budget.calls IS
	'calls that were sent since stats_since';
COMMENT ON COLUMN xero_fdw.budget.throttled IS
	'of them, refused by Xero for a limit';
COMMENT ON COLUMN xero_fdw.budget.waited_ms IS
	'milliseconds that statements waited for limits';
COMMENT ON COLUMN xero_fdw.budget.bytes_in IS
	'bytes of the answers'' bodies as transmitted';
COMMENT ON COLUMN xero_fdw.budget.bytes_out IS
	'bytes of the requests'' bodies';
COMMENT ON COLUMN xero_fdw.budget.stats_since IS
	'when counting began; see xero_fdw.reset_stats()';
GRANT SELECT ON xero_fdw.budget TO pg_read_all_stats;

CREATE FUNCTION xero_fdw.reset_stats() RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'xero_reset_stats';
COMMENT ON FUNCTION xero_fdw.reset_stats() IS
	'begin the counts of xero_fdw.budget anew and empty xero_fdw.requests, for the whole cluster';
REVOKE ALL ON FUNCTION xero_fdw.reset_stats() FROM PUBLIC;

-- For the server's owner; the function checks that.
CREATE FUNCTION xero_fdw.clear_block(server text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'xero_clear_block';
COMMENT ON FUNCTION xero_fdw.clear_block(text) IS
	'forget that Xero has refused calls of the server''s application, in all of its organisations; sessions that wait for that go on';
