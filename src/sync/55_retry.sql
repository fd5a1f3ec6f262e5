-- What a run tries again by itself, because another row may have been the reason that
-- it failed: the row that a foreign key leads to has come, a unique value is free, or
-- what an expression looks up is there now.  Trying costs no call.  Xero is not asked
-- again for what it has refused: a row is sent again when it is another one by now.
-- Where Xero has failed, it may have got over that: such a row is tried again an hour
-- later, then after two, at last once a day.

-- May what failed with this code here succeed another time, though neither record nor
-- row have changed?  A value that does not fit its column will not.
CREATE FUNCTION xero_fdw._may_pass(code text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT left(code, 2) NOT IN ('0A', '22', '54')
$$;
COMMENT ON FUNCTION xero_fdw._may_pass(text) IS
	'internal: may what failed here succeed another time?';

-- Did it fail here?  Else the issue is about a row that was to go to Xero, which is
-- its payload.
CREATE FUNCTION xero_fdw._failed_here(issue xero_fdw.sync_issue, mirror boolean) RETURNS boolean
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT issue.kind IN ('validation', 'transform') AND (mirror OR issue.payload ?| '{xero,local}' AND NOT EXISTS (
		SELECT FROM jsonb_each(issue.payload) AS m
		WHERE m.key NOT IN ('xero', 'local') OR jsonb_typeof(m.value) <> 'object'))
$$;
COMMENT ON FUNCTION xero_fdw._failed_here(xero_fdw.sync_issue, boolean) IS
	'internal: did it fail here, not at Xero?';

-- Of rows that were refused, those that Xero would be sent otherwise now, though nobody
-- has changed them: they are made of other rows, too.
CREATE FUNCTION xero_fdw._differing_rows(sync integer) RETURNS SETOF xero_fdw.sync_issue
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	issues CONSTANT xero_fdw.sync_issue[] := ARRAY(
		SELECT i FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = sync AND i.kind = 'validation' AND jsonb_typeof(i.payload) = 'object'
			AND i.payload <> '{}' AND NOT xero_fdw._failed_here(i, false));
	keys CONSTANT jsonb[] := ARRAY(SELECT k.local_key FROM unnest(issues) AS i
		JOIN xero_fdw.sync_link AS k USING (link_id) WHERE k.local_key IS NOT NULL);
	links bigint[];
	images jsonb[];
BEGIN
	SELECT array_agg(k.link_id), array_agg(r.image) INTO links, images
	FROM xero_fdw._read_local(sync, keys, false) AS r
		JOIN xero_fdw.sync_link AS k ON k.sync_id = sync AND k.local_key = r.local_key
	WHERE r.in_scope;
	RETURN QUERY
		SELECT i.* FROM unnest(issues) AS i
			JOIN unnest(links, xero_fdw._terms_or_null(sync, 'xero', images, NULL)) AS l(link_id, as_xero) USING (link_id)
		WHERE xero_fdw._slice(l.as_xero, ARRAY(SELECT jsonb_object_keys(i.payload))) <> i.payload;
END $$;
COMMENT ON FUNCTION xero_fdw._differing_rows(integer) IS
	'internal: issues of rows that would be sent to Xero otherwise now';

-- Is it time to try again what Xero has failed to carry out?
CREATE FUNCTION xero_fdw._is_due(issue xero_fdw.sync_issue) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT issue.kind = 'validation' AND issue.sqlstate = '08007' AND clock_timestamp() - issue.last_seen
		> least(interval '1 day', interval '1 hour' * power(2, least(issue.attempts, 6) - 1))
$$;
COMMENT ON FUNCTION xero_fdw._is_due(xero_fdw.sync_issue) IS
	'internal: is it time to try again what Xero has failed to carry out?';

-- Lets a run try again what failed here: so many at once, first one of each message,
-- which names the row that is missing, and those that were tried least lately; how
-- many they are.  Once it has begun, only records can be taken up that wait in the
-- inbox, of what was not tried "since".
CREATE FUNCTION xero_fdw._retry_some(self xero_fdw.sync, since timestamptz DEFAULT NULL) RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	WITH failed AS MATERIALIZED (
		SELECT i AS issue, i.last_seen, row_number() OVER (PARTITION BY i.message ORDER BY i.last_seen, i.issue_id) AS n
		FROM xero_fdw.sync_issue AS i LEFT JOIN xero_fdw.sync_link AS k USING (link_id, sync_id)
		WHERE i.sync_id = self.sync_id AND xero_fdw._failed_here(i, self.mirror) AND xero_fdw._may_pass(i.sqlstate)
			AND (since IS NULL OR i.last_seen < since AND EXISTS (SELECT FROM xero_fdw.sync_inbox AS x
				WHERE x.sync_id = self.sync_id AND x.held AND x.tenant_id = coalesce(k.tenant_id, i.tenant_id)
					AND x.xero_id = coalesce(k.xero_id, i.xero_id)))
	)
	SELECT count(*) FROM (SELECT xero_fdw._merge_again(f.issue) FROM failed AS f
		ORDER BY f.n, f.last_seen LIMIT 200) AS tried
$$;
COMMENT ON FUNCTION xero_fdw._retry_some(xero_fdw.sync, timestamptz) IS
	'internal: let a run try again what failed here; how many they are';

-- Lets the run that begins try again what may succeed now; how much of that failed
-- here.  What is about a row that could get no link ends with that row.
CREATE FUNCTION xero_fdw._retry_failed(self xero_fdw.sync) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	unlinked CONSTANT jsonb[] := ARRAY(SELECT i.local_key FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = self.sync_id AND i.link_id IS NULL AND i.local_key IS NOT NULL);
BEGIN
	DELETE FROM xero_fdw.sync_issue AS i
	WHERE i.sync_id = self.sync_id AND i.link_id IS NULL AND i.local_key = ANY (unlinked)
		AND i.local_key NOT IN (SELECT r.local_key FROM xero_fdw._read_local(self.sync_id, unlinked, false) AS r);
	IF self.direction <> 'pull' THEN
		PERFORM xero_fdw._merge_again(i) FROM xero_fdw._differing_rows(self.sync_id) AS i;
		PERFORM xero_fdw._merge_again(i) FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = self.sync_id AND xero_fdw._is_due(i);
	END IF;
	RETURN xero_fdw._retry_some(self);
END $$;
COMMENT ON FUNCTION xero_fdw._retry_failed(xero_fdw.sync) IS
	'internal: let a run try again what may succeed now; how much of that failed here';

-- As long as most of what a run has tried again succeeds, it tries more of it; how
-- much.  So what fails for good costs a run no more than its first attempts.
CREATE FUNCTION xero_fdw._retry_more(self xero_fdw.sync, state xero_fdw._run) RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN state.retried > 0 AND state.retried >= 2 * (SELECT count(*) FROM xero_fdw.sync_issue AS i
			WHERE i.sync_id = self.sync_id AND i.attempts > 1 AND i.last_seen >= r.started_at AND xero_fdw._failed_here(i, self.mirror))
		THEN xero_fdw._retry_some(self, r.started_at) END
	FROM xero_fdw.sync_run AS r WHERE r.run_id = state.run_id
$$;
COMMENT ON FUNCTION xero_fdw._retry_more(xero_fdw.sync, xero_fdw._run) IS
	'internal: let a run try more of what failed here, if that is of use; how much';
