-- What people do about issues.

CREATE FUNCTION xero_fdw._find_issue(id bigint) RETURNS xero_fdw.sync_issue
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	issue xero_fdw.sync_issue;
	self xero_fdw.sync;
BEGIN
	SELECT * INTO issue FROM xero_fdw.sync_issue AS i WHERE i.issue_id = id;
	SELECT s.* INTO self FROM xero_fdw.sync AS s
	WHERE s.sync_id = issue.sync_id
		AND pg_has_role(xero_fdw._caller(), xero_fdw._sync_owner(s.local_table), 'USAGE');
	IF NOT FOUND THEN
		RAISE EXCEPTION 'issue % does not exist', id
			USING ERRCODE = 'undefined_object',
				HINT = 'xero_fdw.sync_issues has those that are open.';
	END IF;
	PERFORM xero_fdw._hold(self);
	PERFORM xero_fdw._lock_sync(self);
	RETURN issue;
END $$;
COMMENT ON FUNCTION xero_fdw._find_issue(bigint) IS
	'internal: an issue, whose sync does not run until the transaction ends';

-- Lets the next run merge a link again.
CREATE FUNCTION xero_fdw._merge_again(issue xero_fdw.sync_issue) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	link xero_fdw.sync_link;
BEGIN
	SELECT * INTO link FROM xero_fdw.sync_link AS k WHERE k.link_id = issue.link_id;
	UPDATE xero_fdw.sync_inbox AS i SET held = false
	WHERE i.sync_id = issue.sync_id AND i.tenant_id = coalesce(link.tenant_id, issue.tenant_id)
		AND i.xero_id = coalesce(link.xero_id, issue.xero_id);
	IF NOT FOUND AND link.local_key IS NOT NULL THEN
		INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
		VALUES (issue.sync_id, 'update', link.local_key,
			coalesce(link.local_updated_at, '-infinity'));
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._merge_again(xero_fdw.sync_issue) IS
	'internal: let the next run merge a link again';

CREATE FUNCTION xero_fdw._retry_issue(issue_id bigint) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	issue CONSTANT xero_fdw.sync_issue := xero_fdw._find_issue(issue_id);
BEGIN
	PERFORM xero_fdw._merge_again(issue);
	IF issue.kind = 'ambiguous' OR issue.link_id IS NULL AND issue.xero_id IS NULL AND issue.local_key IS NULL THEN
		DELETE FROM xero_fdw.sync_issue AS i WHERE i.issue_id = issue.issue_id;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._retry_issue(bigint) IS
	'internal: retry_issue()';

CREATE FUNCTION xero_fdw.retry_issue(issue_id bigint) RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.retry_issue(bigint) IS
	'let the next run of the sync try again what an issue is about';

-- A row is gone that nobody has deleted.  A person says that it was deleted, or
-- that it is to come from Xero again, as a new one.
CREATE FUNCTION xero_fdw._settle_missing(issue xero_fdw.sync_issue, winner text)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = issue.sync_id;
	IF winner = 'local' THEN
		UPDATE xero_fdw.sync_link AS k SET deleted = true WHERE k.link_id = issue.link_id;
	ELSIF self.direction = 'push' THEN
		RAISE EXCEPTION 'sync "%" only pushes, so the row cannot come from Xero', self.name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Insert it again, or resolve the issue for ''local'': then it counts as deleted.';
	ELSE
		INSERT INTO xero_fdw.sync_inbox AS i (sync_id, tenant_id, xero_id, remote, updated_at)
		SELECT k.sync_id, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
		FROM xero_fdw.sync_link AS k WHERE k.link_id = issue.link_id
		ON CONFLICT (sync_id, tenant_id, xero_id) DO NOTHING;
		UPDATE xero_fdw.sync_link AS k
		SET local_key = NULL, state = 'unlinked', base_xero = NULL, base_local = NULL
		WHERE k.link_id = issue.link_id;
	END IF;
	PERFORM xero_fdw._merge_again(issue);
	DELETE FROM xero_fdw.sync_issue AS i WHERE i.issue_id = issue.issue_id;
END $$;
COMMENT ON FUNCTION xero_fdw._settle_missing(xero_fdw.sync_issue, text) IS
	'internal: let a person say what a row is that is not there';

-- A value of its own becomes a change of the local row.
CREATE FUNCTION xero_fdw._resolve_conflict(issue_id bigint, value jsonb)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	issue CONSTANT xero_fdw.sync_issue := xero_fdw._find_issue(issue_id);
	mapped xero_fdw.sync_field;
BEGIN
	IF value IS NULL THEN
		RAISE EXCEPTION 'the value must not be null'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'The null of JSON makes the local column null.';
	END IF;
	IF issue.kind = 'missing' THEN
		RAISE EXCEPTION 'issue % is resolved for ''xero'' or for ''local'', as there is no row that could have a value', issue.issue_id
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM xero_fdw._let_win(issue, 'local');
	SELECT * INTO STRICT mapped FROM xero_fdw.sync_field AS f
	WHERE f.sync_id = issue.sync_id AND f.field = issue.field;
	PERFORM xero_fdw._update_local(s, ARRAY[k.local_key],
		ARRAY[jsonb_build_object(mapped.local_column, value)], ARRAY[mapped.local_column])
	FROM xero_fdw.sync_link AS k JOIN xero_fdw.sync AS s USING (sync_id)
	WHERE k.link_id = issue.link_id;
END $$;
COMMENT ON FUNCTION xero_fdw._resolve_conflict(bigint, jsonb) IS
	'internal: resolve_conflict()';

CREATE FUNCTION xero_fdw.resolve_conflict(issue_id bigint, value jsonb)
	RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.resolve_conflict(bigint, jsonb) IS
	'let the next run of the sync give a field that both sides have changed this value of the local column';

CREATE FUNCTION xero_fdw._resolve_conflict(issue_id bigint, winner text)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	value jsonb;
BEGIN
	IF winner IN ('xero', 'local') THEN
		PERFORM xero_fdw._let_win(xero_fdw._find_issue(issue_id), winner);
		RETURN;
	END IF;
	BEGIN
		value := winner;
	EXCEPTION WHEN invalid_text_representation THEN
		RAISE EXCEPTION 'a conflict is resolved for ''xero'', for ''local'' or for a JSON value, not for ''%''', winner
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'A text is written with double quotes in JSON.';
	END;
	PERFORM xero_fdw._resolve_conflict(issue_id, value);
END $$;
COMMENT ON FUNCTION xero_fdw._resolve_conflict(bigint, text) IS
	'internal: resolve_conflict()';

CREATE FUNCTION xero_fdw.resolve_conflict(issue_id bigint, winner text)
	RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.resolve_conflict(bigint, text) IS
	'let the next run of the sync settle a field that both sides have changed: for ''xero'', for ''local'', or for a value as JSON; or a row that is gone: it comes from Xero again, or was deleted';

-- The next run is told by a member "?field" of the base image which side wins,
-- over what the other one says now.  If that has changed by then, it is another
-- conflict.
CREATE FUNCTION xero_fdw._let_win(issue xero_fdw.sync_issue, winner text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	loser jsonb := issue.payload->'xero';
BEGIN
	IF issue.kind = 'missing' THEN
		PERFORM xero_fdw._settle_missing(issue, winner);
		RETURN;
	ELSIF issue.kind <> 'conflict' THEN
		RAISE EXCEPTION 'issue % is not a conflict', issue.issue_id
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = format('It is of the kind %s; retry_issue() tries again.', issue.kind);
	END IF;
	IF winner = 'xero' THEN
		SELECT r.image->f.local_column INTO loser
		FROM xero_fdw.sync_field AS f, xero_fdw.sync_link AS k,
			xero_fdw._read_local(issue.sync_id, ARRAY[k.local_key], true) AS r
		WHERE f.sync_id = issue.sync_id AND f.field = issue.field AND k.link_id = issue.link_id;
	END IF;
	UPDATE xero_fdw.sync_link AS k
	SET base_xero = coalesce(k.base_xero, '{}') || jsonb_build_object('?' || issue.field,
		jsonb_build_object('winner', winner, 'over', loser))
	WHERE k.link_id = issue.link_id;
	PERFORM xero_fdw._merge_again(issue);
	DELETE FROM xero_fdw.sync_issue AS i WHERE i.issue_id = issue.issue_id;
END $$;
COMMENT ON FUNCTION xero_fdw._let_win(xero_fdw.sync_issue, text) IS
	'internal: let one side of a conflict win';
