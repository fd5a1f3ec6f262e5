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

-- Lets the run that begins try again what may succeed now.  What is about a row that
-- could get no link ends with that row.
CREATE FUNCTION xero_fdw._retry_failed(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	unlinked CONSTANT jsonb[] := ARRAY(SELECT i.local_key FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = self.sync_id AND i.link_id IS NULL AND i.local_key IS NOT NULL);
BEGIN
	DELETE FROM xero_fdw.sync_issue AS i
	WHERE i.sync_id = self.sync_id AND i.link_id IS NULL AND i.local_key = ANY (unlinked)
		AND i.local_key NOT IN (SELECT r.local_key FROM xero_fdw._read_local(self.sync_id, unlinked, false) AS r);
	PERFORM xero_fdw._merge_again(i) FROM xero_fdw.sync_issue AS i
	WHERE i.sync_id = self.sync_id AND xero_fdw._failed_here(i, self.mirror) AND xero_fdw._may_pass(i.sqlstate);
	IF self.direction <> 'pull' THEN
		PERFORM xero_fdw._merge_again(i) FROM xero_fdw._differing_rows(self.sync_id) AS i;
		PERFORM xero_fdw._merge_again(i) FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = self.sync_id AND xero_fdw._is_due(i);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._retry_failed(xero_fdw.sync) IS
	'internal: let a run try again what may succeed now';
