-- What users look at.  The views have the rights of the extension's owner, and show
-- the syncs of those whose rights the user has; as barriers, so that no function of
-- theirs sees the others' rows before they are left out.

CREATE VIEW xero_fdw._running AS
	SELECT k.objid::bigint AS sync_id, k.pid FROM pg_locks AS k
	WHERE k.locktype = 'object' AND k.classid = 'xero_fdw.sync'::regclass AND k.granted
		AND k.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());
COMMENT ON VIEW xero_fdw._running IS
	'internal: the syncs whose locks somebody has, and who';
COMMENT ON COLUMN xero_fdw._running.sync_id IS 'number of the sync';
COMMENT ON COLUMN xero_fdw._running.pid IS 'process ID of who has it';

CREATE VIEW xero_fdw.syncs WITH (security_barrier) AS
	SELECT s.name, c.relowner::regrole AS owner, s.xero_table, s.local_table, s.direction, s.fields,
		s.match_on, s.xero_filter, s.local_filter, s.conflict, s.initial,
		s.on_delete, s.brake, s.watch, p.name AS parent, r.state,
		r.started_at AS last_start, r.ended_at AS last_end,
		(SELECT max(d.ended_at) FROM xero_fdw.sync_run AS d
			WHERE d.sync_id = s.sync_id AND d.state = 'done') AS last_done,
		(SELECT max(coalesce(d.ended_at, d.started_at)) FROM xero_fdw.sync_run AS d
			WHERE d.sync_id = s.sync_id
				AND (d.state = 'done' OR d.pulled + d.pushed + d.created + d.updated > 0)) AS last_progress,
		nullif(concat_ws('; ',
			CASE WHEN s.confirmed_by <> pg_get_userbyid(c.relowner)
				THEN 'it waits for its new owner to call confirm_sync()'
				WHEN r.state IN ('failed', 'paused', 'cancelled', 'crashed') THEN coalesce(r.error, 'the session ended before the run did') END,
			CASE WHEN n.issues > 0 THEN format('%s issues', n.issues) END), '') AS problem,
		xero_fdw._schedule(s.name, c.relowner) AS schedule,
		(SELECT CASE WHEN bool_and(q.watermark IS NOT NULL) THEN min(q.watermark) END
			FROM xero_fdw.sync_position AS q
			WHERE q.sync_id = s.sync_id) AS watermark,
		n.issues,
		s.search_path, s.confirmed_by = pg_get_userbyid(c.relowner) AS confirmed,
		(SELECT count(*) FROM xero_fdw.sync_change AS h
			WHERE h.sync_id = s.sync_id) AS waiting_changes
	FROM xero_fdw.sync AS s
		JOIN pg_class AS c ON c.oid = s.local_table
		LEFT JOIN xero_fdw.sync AS p ON p.sync_id = s.parent_id
		LEFT JOIN LATERAL (
			SELECT CASE WHEN l.state = 'running' AND NOT EXISTS (
					SELECT FROM xero_fdw._running AS k WHERE k.sync_id = s.sync_id AND k.pid = l.pid)
				THEN 'crashed' ELSE l.state END AS state,
				l.started_at, l.ended_at, l.error
			FROM xero_fdw.sync_run AS l
			WHERE l.sync_id = s.sync_id AND l.state <> 'busy' ORDER BY l.run_id DESC LIMIT 1
		) AS r ON true,
		LATERAL (SELECT count(*) AS issues FROM xero_fdw.sync_issue AS i
			WHERE i.sync_id = s.sync_id) AS n
	WHERE pg_has_role(c.relowner, 'USAGE');
COMMENT ON VIEW xero_fdw.syncs IS
	'your syncs: how they are defined, and where they are';
COMMENT ON COLUMN xero_fdw.syncs.name IS 'name of the sync';
COMMENT ON COLUMN xero_fdw.syncs.owner IS
	'role that it runs as: the owner of the local table';
COMMENT ON COLUMN xero_fdw.syncs.xero_table IS 'foreign table of xero_fdw';
COMMENT ON COLUMN xero_fdw.syncs.local_table IS 'the other table';
COMMENT ON COLUMN xero_fdw.syncs.direction IS
	'pull (from Xero), push (to Xero) or both';
COMMENT ON COLUMN xero_fdw.syncs.fields IS
	'local columns and the columns of Xero they are mapped to';
COMMENT ON COLUMN xero_fdw.syncs.match_on IS
	'local columns by which records and rows find each other; null: none';
COMMENT ON COLUMN xero_fdw.syncs.xero_filter IS
	'which records; null: all';
COMMENT ON COLUMN xero_fdw.syncs.local_filter IS 'which rows; null: all';
COMMENT ON COLUMN xero_fdw.syncs.conflict IS
	'who wins where both sides changed a field: newest, xero, local or manual';
COMMENT ON COLUMN xero_fdw.syncs.initial IS
	'what the first run does with what is there: new_only, merge, xero_to_local or local_to_xero';
COMMENT ON COLUMN xero_fdw.syncs.on_delete IS
	'what becomes of the other side: ignore or archive';
COMMENT ON COLUMN xero_fdw.syncs.brake IS
	'share of the records beyond which a run stops before it ends them or gives them to other rows; 1: none';
COMMENT ON COLUMN xero_fdw.syncs.watch IS
	'how local changes are found: trigger, or compare (all rows in each run)';
COMMENT ON COLUMN xero_fdw.syncs.parent IS
	'sync of the records whose lines these are; null for all but line tables of a mirror';
COMMENT ON COLUMN xero_fdw.syncs.state IS
	'of the last run; null if it never ran';
COMMENT ON COLUMN xero_fdw.syncs.last_start IS 'when the last run began';
COMMENT ON COLUMN xero_fdw.syncs.last_end IS
	'when it ended; null if it has not';
COMMENT ON COLUMN xero_fdw.syncs.last_done IS
	'when a run last came to its end';
COMMENT ON COLUMN xero_fdw.syncs.last_progress IS
	'when a run last came to its end, or brought anything from one side to the other';
COMMENT ON COLUMN xero_fdw.syncs.problem IS
	'what stands in its way; null if nothing does';
COMMENT ON COLUMN xero_fdw.syncs.schedule IS
	'when pg_cron runs it; null if it does not, or you cannot see that';
COMMENT ON COLUMN xero_fdw.syncs.watermark IS
	'all that Xero changed before it was read, by Xero''s clock; null until a pull came to its end';
COMMENT ON COLUMN xero_fdw.syncs.issues IS
	'rows of xero_fdw.sync_issues';
COMMENT ON COLUMN xero_fdw.syncs.search_path IS
	'what unqualified names in expressions and filters mean';
COMMENT ON COLUMN xero_fdw.syncs.confirmed IS
	'false if the local table got another owner, who has not called confirm_sync() yet; it is paused until then';
COMMENT ON COLUMN xero_fdw.syncs.waiting_changes IS
	'local changes that the next run is to look at';

CREATE VIEW xero_fdw.sync_runs WITH (security_barrier) AS
	SELECT r.run_id, s.name AS sync, r.started_at, r.ended_at,
		CASE WHEN r.state = 'running' AND NOT EXISTS (
				SELECT FROM xero_fdw._running AS k WHERE k.sync_id = s.sync_id AND k.pid = r.pid)
			THEN 'crashed' ELSE r.state END AS state, r.phase,
		r.done, r.total, r.pulled, r.pushed, r.created, r.updated, r.unchanged,
		r.conflicts, r.issues, r.calls, r.bytes, r.budget_wait, r.pid, r.sqlstate,
		r.error
	FROM xero_fdw.sync_run AS r JOIN xero_fdw.sync AS s USING (sync_id)
		JOIN pg_class AS c ON c.oid = s.local_table
	WHERE pg_has_role(c.relowner, 'USAGE');
COMMENT ON VIEW xero_fdw.sync_runs IS
	'the runs of your syncs, also those under way';
COMMENT ON COLUMN xero_fdw.sync_runs.run_id IS 'number of the run';
COMMENT ON COLUMN xero_fdw.sync_runs.sync IS 'name of the sync';
COMMENT ON COLUMN xero_fdw.sync_runs.started_at IS 'when it began';
COMMENT ON COLUMN xero_fdw.sync_runs.ended_at IS
	'when it ended; null if it has not';
COMMENT ON COLUMN xero_fdw.sync_runs.state IS
	'running, done, paused (the next run continues there), failed, crashed, cancelled, or busy (another run was under way)';
COMMENT ON COLUMN xero_fdw.sync_runs.phase IS 'what is being done';
COMMENT ON COLUMN xero_fdw.sync_runs.done IS
	'how much of the phase is done';
COMMENT ON COLUMN xero_fdw.sync_runs.total IS
	'out of how much; null while not known';
COMMENT ON COLUMN xero_fdw.sync_runs.pulled IS 'records read';
COMMENT ON COLUMN xero_fdw.sync_runs.pushed IS 'rows sent to Xero';
COMMENT ON COLUMN xero_fdw.sync_runs.created IS
	'records and rows created';
COMMENT ON COLUMN xero_fdw.sync_runs.updated IS
	'records and rows changed';
COMMENT ON COLUMN xero_fdw.sync_runs.unchanged IS
	'records and rows that were as they should be';
COMMENT ON COLUMN xero_fdw.sync_runs.conflicts IS
	'fields that both sides had changed';
COMMENT ON COLUMN xero_fdw.sync_runs.issues IS 'issues filed';
COMMENT ON COLUMN xero_fdw.sync_runs.calls IS 'calls to Xero';
COMMENT ON COLUMN xero_fdw.sync_runs.bytes IS 'bytes of their bodies';
COMMENT ON COLUMN xero_fdw.sync_runs.budget_wait IS
	'time waited for limits';
COMMENT ON COLUMN xero_fdw.sync_runs.pid IS 'process ID of the backend';
COMMENT ON COLUMN xero_fdw.sync_runs.sqlstate IS
	'code of the error; null if none';
COMMENT ON COLUMN xero_fdw.sync_runs.error IS
	'why it was paused or failed; null if it was not';

CREATE VIEW xero_fdw.sync_issues WITH (security_barrier) AS
	SELECT i.issue_id, s.name AS sync, i.tenant_id, i.local_key, i.xero_id,
		i.kind, i.field, i.message, i.sqlstate, i.payload, i.first_seen,
		i.last_seen, i.attempts
	FROM xero_fdw.sync_issue AS i JOIN xero_fdw.sync AS s USING (sync_id)
		JOIN pg_class AS c ON c.oid = s.local_table
	WHERE pg_has_role(c.relowner, 'USAGE');
COMMENT ON VIEW xero_fdw.sync_issues IS
	'what your syncs could not do, each until it is settled';
COMMENT ON COLUMN xero_fdw.sync_issues.issue_id IS
	'number of the issue, for retry_issue() and resolve_conflict()';
COMMENT ON COLUMN xero_fdw.sync_issues.sync IS 'name of the sync';
COMMENT ON COLUMN xero_fdw.sync_issues.tenant_id IS 'organisation';
COMMENT ON COLUMN xero_fdw.sync_issues.local_key IS
	'the local row: array of its key''s values';
COMMENT ON COLUMN xero_fdw.sync_issues.xero_id IS
	'the record: its key in Xero';
COMMENT ON COLUMN xero_fdw.sync_issues.kind IS
	'validation (one side refuses the values), conflict (both sides changed a field), ambiguous (several could match), transform (an expression failed), missing (the row is gone, and nobody has deleted it)';
COMMENT ON COLUMN xero_fdw.sync_issues.field IS 'field of a conflict';
COMMENT ON COLUMN xero_fdw.sync_issues.message IS 'what is wrong';
COMMENT ON COLUMN xero_fdw.sync_issues.sqlstate IS
	'code of the error; null if there was none';
COMMENT ON COLUMN xero_fdw.sync_issues.payload IS
	'the values that it is about';
COMMENT ON COLUMN xero_fdw.sync_issues.first_seen IS
	'when it first happened';
COMMENT ON COLUMN xero_fdw.sync_issues.last_seen IS
	'when it last happened';
COMMENT ON COLUMN xero_fdw.sync_issues.attempts IS
	'how often it happened';

GRANT SELECT ON xero_fdw.syncs, xero_fdw.sync_runs,
	xero_fdw.sync_issues TO PUBLIC;
