-- Who wrote what to Xero.  A background worker stores it, so it outlives what
-- becomes of the transaction; names are texts, so that they outlive their roles
-- and servers.

CREATE TABLE xero_fdw.audit_entry (
	entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL,
	event text NOT NULL CHECK (event IN ('write', 'consent', 'refresh', 'disconnect')),
	role text NOT NULL,
	session_role text NOT NULL,
	application_name text,
	pid integer NOT NULL,
	server text NOT NULL,
	tenant_id text,
	method text,
	path text,
	attempt integer NOT NULL,
	record_keys text[] NOT NULL,
	status integer,
	error text,
	idempotency_key text,
	correlation_id text,
	finished_at timestamptz
);
CREATE INDEX ON xero_fdw.audit_entry (at);
REVOKE ALL ON xero_fdw.audit_entry FROM PUBLIC;
COMMENT ON TABLE xero_fdw.audit_entry IS
	'internal: what the view xero_fdw.audit shows';
COMMENT ON COLUMN xero_fdw.audit_entry.entry_id IS 'number of the entry';
COMMENT ON COLUMN xero_fdw.audit_entry.at IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.event IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.role IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.session_role IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.application_name IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.pid IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.server IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.tenant_id IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.method IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.path IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.attempt IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.record_keys IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.status IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.error IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.idempotency_key IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.correlation_id IS 'as in the view';
COMMENT ON COLUMN xero_fdw.audit_entry.finished_at IS 'as in the view';

CREATE VIEW xero_fdw.audit AS
	SELECT e.at, e.event, e.role, e.session_role, e.application_name, e.pid,
		e.server, e.tenant_id, e.method, e.path, e.attempt, e.record_keys,
		e.status, e.error, e.idempotency_key, e.correlation_id, e.finished_at
	FROM xero_fdw.audit_entry AS e;
COMMENT ON VIEW xero_fdw.audit IS
	'what was written to Xero, and which consents were given, refreshed and ended; one row for each attempt, from before it was sent';
COMMENT ON COLUMN xero_fdw.audit.at IS 'when it was about to be sent';
COMMENT ON COLUMN xero_fdw.audit.event IS
	'write, consent, refresh or disconnect';
COMMENT ON COLUMN xero_fdw.audit.role IS
	'role that was in force, as it was named then';
COMMENT ON COLUMN xero_fdw.audit.session_role IS
	'role that had logged in, as it was named then; another one than role after SET ROLE, or in a SECURITY DEFINER function';
COMMENT ON COLUMN xero_fdw.audit.application_name IS
	'application_name of the session; null if it had none';
COMMENT ON COLUMN xero_fdw.audit.pid IS 'process ID of the session';
COMMENT ON COLUMN xero_fdw.audit.server IS
	'foreign server, as it was named then';
COMMENT ON COLUMN xero_fdw.audit.tenant_id IS
	'organisation; null if it was about none, or all';
COMMENT ON COLUMN xero_fdw.audit.method IS
	'HTTP method; null if nothing was sent';
COMMENT ON COLUMN xero_fdw.audit.path IS
	'path of the request; null if nothing was sent';
COMMENT ON COLUMN xero_fdw.audit.attempt IS
	'1 for the first attempt of a call';
COMMENT ON COLUMN xero_fdw.audit.record_keys IS
	'keys of the records that it is about; those of new ones once Xero has told them';
COMMENT ON COLUMN xero_fdw.audit.status IS
	'HTTP status; null if no answer came, or has not come yet, or nothing was sent';
COMMENT ON COLUMN xero_fdw.audit.error IS
	'what was wrong; null if nothing, or if it has not ended';
COMMENT ON COLUMN xero_fdw.audit.idempotency_key IS
	'key under which Xero does it once; all attempts of a call have the same';
COMMENT ON COLUMN xero_fdw.audit.correlation_id IS
	'Xero''s name for the call, to be told to Xero''s support';
COMMENT ON COLUMN xero_fdw.audit.finished_at IS
	'when it ended; null if it has not, or if the server has crashed meanwhile';
GRANT SELECT ON xero_fdw.audit TO pg_read_all_stats;

CREATE FUNCTION xero_fdw._audit_status(
		OUT waiting integer, OUT lost bigint, OUT last_lost_at timestamptz)
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'xero_audit_status';
COMMENT ON FUNCTION xero_fdw._audit_status() IS
	'internal: the row of the view xero_fdw.audit_status';
REVOKE ALL ON FUNCTION xero_fdw._audit_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION xero_fdw._audit_status() TO pg_read_all_stats;

CREATE VIEW xero_fdw.audit_status AS
	SELECT s.waiting, s.lost, s.last_lost_at FROM xero_fdw._audit_status() AS s;
COMMENT ON VIEW xero_fdw.audit_status IS
	'whether xero_fdw.audit is complete, for this database since the server started';
COMMENT ON COLUMN xero_fdw.audit_status.waiting IS
	'entries, and ends of entries, that wait to be stored';
COMMENT ON COLUMN xero_fdw.audit_status.lost IS
	'those that could not be, and are in the server''s log only';
COMMENT ON COLUMN xero_fdw.audit_status.last_lost_at IS
	'when that last happened; null if it never did';
GRANT SELECT ON xero_fdw.audit_status TO pg_read_all_stats;
