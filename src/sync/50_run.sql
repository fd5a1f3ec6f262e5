-- Runs: the steps of the other files, one transaction each.
--
-- A run is a state that a step turns into the next one.  run_sync() commits
-- between them, so what is done stays done, and every session sees how far it
-- is; plan_sync() takes the same steps and undoes them.
--
-- The procedures are C (fdw/sync/run.c): they hold the state of the run, take the
-- steps and commit them.  A run that is said to be running while nobody has the
-- lock of its sync has crashed.

-- Is there anything about local rows that the run is to know?  A sync that only
-- pulls looks at them for matching, and follows them where a trigger tells.
CREATE FUNCTION xero_fdw._looks_at_rows(self xero_fdw.sync) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT NOT self.mirror AND (self.direction <> 'pull' OR self.match_on IS NOT NULL OR self.watch = 'trigger'
		OR xero_fdw._id_column(self.sync_id) IS NOT NULL
			AND NOT EXISTS (SELECT FROM xero_fdw.sync_position AS p
				WHERE p.sync_id = self.sync_id AND p.initial_done))
$$;
COMMENT ON FUNCTION xero_fdw._looks_at_rows(xero_fdw.sync) IS
	'internal: do local rows matter to a run?';

-- The partitions of a local table, with their files, and since when they are such: rows
-- come, go and change with these while no trigger fires.
CREATE FUNCTION xero_fdw._parts_of(local_table regclass) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT md5(string_agg(concat_ws(' ', t.relid::oid, pg_relation_filenode(t.relid), i.xmin), ',' ORDER BY t.relid::oid))
	FROM pg_partition_tree(local_table) AS t LEFT JOIN pg_inherits AS i ON i.inhrelid = t.relid AND t.level > 0
$$;
COMMENT ON FUNCTION xero_fdw._parts_of(regclass) IS
	'internal: digest of the partitions of a local table and their files; null if it has none';

-- The whole local relation is compared before the first merge, if nothing
-- watches it, when its partitions are others than before, and when what watches
-- says that any row may have changed.
-- Transactions that are under way may have changes with lower numbers than those
-- that are seen.
CREATE FUNCTION xero_fdw._step_compare(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	present CONSTANT text := xero_fdw._parts_of(self.local_table);
	truncation bigint;
	all_rows boolean;
BEGIN
	SELECT max(c.change_id) INTO truncation FROM xero_fdw.sync_change AS c
	WHERE c.sync_id = self.sync_id AND c.operation = 'truncate';
	WITH asked AS (
		DELETE FROM xero_fdw.sync_change AS c
		WHERE c.sync_id = self.sync_id AND c.operation = 'compare'
		RETURNING true
	)
	SELECT count(*) > 0 INTO all_rows FROM asked;
	state.phase := 'gather';
	state.upto := 0;
	IF NOT xero_fdw._looks_at_rows(self) THEN
		RETURN;
	END IF;
	IF truncation IS NOT NULL THEN
		PERFORM xero_fdw._refuse_empty(self);
		PERFORM xero_fdw._refuse_strangers(self);
		PERFORM xero_fdw._part_links(self, truncation);
	END IF;
	IF all_rows OR self.watch = 'compare' OR present IS DISTINCT FROM self.parts OR NOT EXISTS (
		SELECT FROM xero_fdw.sync_position AS p
		WHERE p.sync_id = self.sync_id AND p.initial_done)
	THEN
		UPDATE xero_fdw.sync AS s SET parts = present
		WHERE s.sync_id = self.sync_id AND s.parts IS DISTINCT FROM present;
		PERFORM xero_fdw._compare_local(self.sync_id, present IS DISTINCT FROM self.parts);
	END IF;
	SELECT coalesce(max(c.change_id), 0), ARRAY(SELECT pg_snapshot_xip(pg_current_snapshot()))
	INTO state.upto, state.open_xids
	FROM xero_fdw.sync_change AS c WHERE c.sync_id = self.sync_id;
END $$;
COMMENT ON FUNCTION xero_fdw._step_compare(xero_fdw.sync, xero_fdw._run) IS
	'internal: compare the local relation, if it must be; the changes of the run';

-- Gives the planner statistics of what was filled, rather than leave the first
-- queries, and audits, to those of an empty table until autovacuum comes, which
-- it never does for the whole of a partitioned table.  Once there are any, as many
-- rows must have changed as autovacuum waits for.  A table that is somebody else's
-- or elsewhere is left alone, and so is one that is being vacuumed.
CREATE FUNCTION xero_fdw._analyze_local(sync integer, changed bigint) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = error
AS $$
DECLARE
	filled record;
BEGIN
	FOR filled IN
		SELECT s.local_table, s.search_path
		FROM xero_fdw.sync AS s JOIN pg_class AS c ON c.oid = s.local_table
		WHERE sync IN (s.sync_id, s.parent_id) AND s.direction <> 'push'
			AND (c.reltuples < 0 OR changed > current_setting('autovacuum_analyze_threshold')::bigint
				+ current_setting('autovacuum_analyze_scale_factor')::float8 * c.reltuples)
			AND NOT EXISTS (SELECT FROM pg_class AS part
				WHERE (part.oid = c.oid OR part.oid IN (SELECT t.relid FROM pg_partition_tree(c.oid) AS t))
					AND NOT (part.relkind IN ('r', 'p') AND part.relowner = xero_fdw._caller()))
	LOOP
		PERFORM xero_fdw._do_as_caller(filled.search_path,
			format('ANALYZE (SKIP_LOCKED) %s', filled.local_table));
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._analyze_local(integer, bigint) IS
	'internal: statistics of the local tables of a sync that were filled';

CREATE FUNCTION xero_fdw._step_start(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM xero_fdw._check_sync_columns(self.sync_id);
	PERFORM xero_fdw._follow_labels(self);
	PERFORM xero_fdw._replace_bad_texts(self.sync_id);
	state.retried := xero_fdw._retry_failed(self);
	IF EXISTS (SELECT FROM xero_fdw.sync_intent AS i WHERE i.sync_id = self.sync_id AND i.batch <= 0) THEN
		state.proved := '{}';
	END IF;
	state.in_vain := CASE WHEN EXISTS (SELECT FROM xero_fdw.sync_intent AS i
		WHERE i.sync_id = self.sync_id AND i.batch > 0 AND i.batch < 1000000) THEN 2 ELSE 0 END;
	state.tenants := ARRAY(SELECT o.tenant_id FROM xero_fdw._organisations(self.xero_table) AS o
		ORDER BY o.tenant_id);
	state.phase := 'compare';
END $$;
COMMENT ON FUNCTION xero_fdw._step_start(xero_fdw.sync, xero_fdw._run) IS
	'internal: look whether the tables are as they were, what may succeed now, and what is connected';

-- Counts the issues that this step has filed.
CREATE FUNCTION xero_fdw._count_filed(state xero_fdw._run) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	UPDATE xero_fdw.sync_run AS r SET issues = r.issues + f.number
	FROM (SELECT count(*) AS number FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = state.sync_id AND i.last_seen >= now()) AS f
	WHERE r.run_id = state.run_id AND f.number > 0
$$;
COMMENT ON FUNCTION xero_fdw._count_filed(xero_fdw._run) IS
	'internal: count the issues that this step has filed';

CREATE FUNCTION xero_fdw._step_gather(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last CONSTANT bigint := CASE WHEN xero_fdw._looks_at_rows(self) THEN xero_fdw._gather(state) END;
BEGIN
	PERFORM xero_fdw._count_filed(state);
	state.gathered := coalesce(last, state.gathered);
	IF last IS NULL THEN
		state.phase := 'pull';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._step_gather(xero_fdw.sync, xero_fdw._run) IS
	'internal: give links to the rows of the next changes';

CREATE FUNCTION xero_fdw._step_pull(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF state.pulled = cardinality(state.tenants) THEN
		state.phase := 'settle';
		RETURN;
	END IF;
	state.pulled := state.pulled + xero_fdw._pull_chunk(state.run_id, self.sync_id,
		state.tenants[state.pulled + 1])::integer;
	-- with nothing to match or to settle, records can be merged as they come
	IF self.direction = 'pull' AND NOT xero_fdw._has_waiting_rows(self.sync_id)
		AND NOT EXISTS (SELECT FROM xero_fdw.sync_intent AS i WHERE i.sync_id = self.sync_id)
	THEN
		PERFORM xero_fdw._follow_merges(self);
		state.phase := 'merge';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._step_pull(xero_fdw.sync, xero_fdw._run) IS
	'internal: read the next records of an organisation';

CREATE FUNCTION xero_fdw._step_settle(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF state.lost IS NOT NULL THEN
		PERFORM xero_fdw._pause_push(state);
	END IF;
	state.request := xero_fdw._settle_unknown(state.run_id, self.sync_id, state.tenants);
	state.sent_before := state.request IS NOT NULL;
	state.phase := CASE WHEN state.sent_before THEN 'send' ELSE 'match' END;
END $$;
COMMENT ON FUNCTION xero_fdw._step_settle(xero_fdw.sync, xero_fdw._run) IS
	'internal: find out what became of requests whose outcome is not known';

-- A record that may stay without a row is to be found by one that comes later.
CREATE FUNCTION xero_fdw._step_match(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	waiting CONSTANT boolean := xero_fdw._has_waiting_rows(self.sync_id) OR EXISTS (
		SELECT FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = self.sync_id AND i.kind = 'ambiguous');
BEGIN
	PERFORM xero_fdw._renew_revived(self);
	IF waiting AND self.match_on IS NOT NULL THEN
		PERFORM xero_fdw._rejoin_renamed(self, true);
	END IF;
	IF waiting OR self.match_on IS NOT NULL
		AND (self.direction = 'push' OR self.initial IN ('new_only', 'local_to_xero'))
	THEN
		PERFORM xero_fdw._absorb(self.sync_id);
	END IF;
	IF waiting THEN
		PERFORM xero_fdw._match(self.sync_id);
	END IF;
	PERFORM xero_fdw._file_strangers(self);
	PERFORM xero_fdw._withhold_ambiguous(self.sync_id);
	PERFORM xero_fdw._count_filed(state);
	PERFORM xero_fdw._follow_merges(self);
	state.phase := 'merge';
END $$;
COMMENT ON FUNCTION xero_fdw._step_match(xero_fdw.sync, xero_fdw._run) IS
	'internal: join records and rows that belong together';

CREATE FUNCTION xero_fdw._step_merge(self xero_fdw.sync, INOUT state xero_fdw._run,
		OUT decisions xero_fdw._decision[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	more bigint;				-- of what failed in earlier runs
BEGIN
	decisions := xero_fdw._merge_next(self, state);
	IF decisions IS NOT NULL THEN
		RETURN;
	ELSIF state.pulled < cardinality(state.tenants) THEN
		state.phase := 'pull';
		RETURN;
	END IF;
	more := xero_fdw._retry_more(self, state);
	IF more > 0 THEN
		state.retried := state.retried + more;
		RETURN;
	END IF;
	WITH done AS (
		UPDATE xero_fdw.sync_position AS p SET initial_done = true
		WHERE p.sync_id = self.sync_id AND p.tenant_id = ANY (state.tenants)
			AND NOT p.initial_done
		RETURNING p.tenant_id
	)
	UPDATE xero_fdw.sync_link AS k SET first = true
	FROM xero_fdw.sync_issue AS i
	WHERE EXISTS (SELECT FROM done AS d WHERE coalesce(k.tenant_id = d.tenant_id, true))
		AND i.sync_id = self.sync_id AND i.kind = 'ambiguous' AND k.link_id = i.link_id AND k.state = 'unlinked';
	state.phase := CASE WHEN state.run_id IS NULL THEN 'done' ELSE 'brake' END;
END $$;
COMMENT ON FUNCTION xero_fdw._step_merge(xero_fdw.sync, xero_fdw._run) IS
	'internal: merge the next records and rows';

CREATE FUNCTION xero_fdw._step_brake(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM xero_fdw._heed_brake(self, state.force);
	UPDATE xero_fdw.sync_position AS p SET merged_before = true
	WHERE p.sync_id = self.sync_id AND p.tenant_id = ANY (state.tenants)
		AND NOT p.merged_before;
	state.phase := 'push';
END $$;
COMMENT ON FUNCTION xero_fdw._step_brake(xero_fdw.sync, xero_fdw._run) IS
	'internal: end the run if it would do much that looks like a mistake';

-- When nothing else is to be sent, what has failed is looked for.  What Xero has made
-- of what was sent is merged in the same run, but not for ever.
CREATE FUNCTION xero_fdw._step_push(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	state.request := CASE WHEN state.in_vain < 3 THEN xero_fdw._next_request(state) END;
	state.sent_before := false;
	IF state.request IS NOT NULL THEN
		state.phase := 'send';
	ELSIF state.lost IS NULL AND EXISTS (SELECT FROM xero_fdw.sync_intent AS i
		WHERE i.sync_id = self.sync_id AND i.idempotency_key IS NOT NULL AND i.tenant_id = ANY (state.tenants))
	THEN
		state.pulled := 0;
		state.phase := 'pull';
	ELSIF state.rounds < 2 AND EXISTS (SELECT FROM xero_fdw.sync_inbox AS i
		WHERE i.sync_id = self.sync_id AND NOT i.held AND i.tenant_id = ANY (state.tenants))
	THEN
		state.rounds := state.rounds + 1;
		PERFORM xero_fdw._follow_merges(self);
		state.phase := 'merge';
	ELSIF state.failed <> '{}' THEN
		state.failed := xero_fdw._file_failed(state);
		state.in_vain := CASE WHEN state.proved = '{}' THEN state.in_vain ELSE 0 END;
	ELSIF state.in_vain >= 3 OR EXISTS (SELECT FROM xero_fdw.sync_intent AS i
		WHERE i.sync_id = self.sync_id AND i.idempotency_key IS NOT NULL AND i.tenant_id = ANY (state.tenants)
			AND NOT xero_fdw._has_failed(i.link_id))
	THEN
		PERFORM xero_fdw._pause_push(state);
	ELSE
		PERFORM xero_fdw._explain_swaps(self.sync_id);
		PERFORM xero_fdw._analyze_local(self.sync_id, r.created + r.updated)
		FROM xero_fdw.sync_run AS r WHERE r.run_id = state.run_id;
		state.phase := 'done';
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._step_push(xero_fdw.sync, xero_fdw._run) IS
	'internal: make the next request; without any, see what came of them, and end';

CREATE FUNCTION xero_fdw._step_send(self xero_fdw.sync, INOUT state xero_fdw._run)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sent record;
BEGIN
	SELECT * INTO STRICT sent
	FROM xero_fdw._send_request(state.run_id, self.sync_id, state.request, state.sent_before);
	IF sent.carried IS NOT NULL THEN
		state.proved := CASE WHEN state.proved IS NOT NULL THEN state.proved || sent.carried END;
		state.in_vain := 0;
	END IF;
	IF sent.failed <> '{}' THEN
		PERFORM xero_fdw._split_failed(sent.failed, sent.problem);
		state.failed := state.failed || ARRAY(SELECT i.intent_id FROM xero_fdw.sync_intent AS i
			WHERE i.intent_id = ANY (sent.failed) AND i.batch <= 0);
		state.proved := coalesce(state.proved, '{}');
		state.in_vain := state.in_vain + CASE WHEN sent.lost IS NULL THEN 1 ELSE 2 END;
		state.lost := coalesce(sent.lost, state.lost);
	END IF;
	IF NOT state.sent_before THEN
		state.phase := 'push';
	ELSIF sent.problem IS NOT NULL THEN
		state.pulled := 0;
		state.phase := 'pull';
	ELSE
		state.phase := 'settle';
	END IF;
	state.request := NULL;
END $$;
COMMENT ON FUNCTION xero_fdw._step_send(xero_fdw.sync, xero_fdw._run) IS
	'internal: send a request';

-- One step: does what is next and says what comes then; phase "done" at the end.
-- A plan, which has no number, sends nothing and writes nothing to the local side;
-- its decisions are returned.
CREATE FUNCTION xero_fdw._step(INOUT state xero_fdw._run,
		OUT decisions xero_fdw._decision[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	made record;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = state.sync_id;
	PERFORM xero_fdw._hold(self, self.mirror OR state.phase <> ALL ('{pull,settle,brake,push,send}'));
	CASE state.phase
	WHEN 'start' THEN state := xero_fdw._step_start(self, state);
	WHEN 'compare' THEN state := xero_fdw._step_compare(self, state);
	WHEN 'gather' THEN state := xero_fdw._step_gather(self, state);
	WHEN 'pull' THEN state := xero_fdw._step_pull(self, state);
	WHEN 'settle' THEN state := xero_fdw._step_settle(self, state);
	WHEN 'match' THEN state := xero_fdw._step_match(self, state);
	WHEN 'brake' THEN state := xero_fdw._step_brake(self, state);
	WHEN 'push' THEN state := xero_fdw._step_push(self, state);
	WHEN 'send' THEN state := xero_fdw._step_send(self, state);
	WHEN 'merge' THEN
		made := xero_fdw._step_merge(self, state);
		state := made.state;
		decisions := made.decisions;
	END CASE;
	PERFORM xero_fdw._show_progress(state);
END $$;
COMMENT ON FUNCTION xero_fdw._step(xero_fdw._run) IS
	'internal: the next step of a run';

-- What other sessions see of the run.  A request that is under way is part of the
-- phase "push", which counts rows.
CREATE FUNCTION xero_fdw._show_progress(state xero_fdw._run) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	UPDATE xero_fdw.sync_run AS r
	SET phase = shown, calls = s.calls - state.calls,
		bytes = s.bytes_in + s.bytes_out - state.bytes,
		budget_wait = make_interval(secs => (s.waited_ms - state.waited_ms) / 1000),
		done = CASE WHEN shown = 'push' THEN r.pushed WHEN shown = r.phase THEN r.done ELSE 0 END,
		total = CASE WHEN shown = r.phase THEN r.total
			WHEN shown = 'merge' THEN
				(SELECT count(*) FROM xero_fdw.sync_inbox AS i
					WHERE i.sync_id = state.sync_id AND NOT i.held)
				+ (SELECT count(*) FROM xero_fdw._due_changes(_show_progress.state))
			WHEN shown = 'push' THEN r.pushed
				+ (SELECT count(*) FROM xero_fdw.sync_intent AS i WHERE i.sync_id = state.sync_id) END
	FROM xero_fdw._session() AS s,
		(VALUES (CASE state.phase WHEN 'send' THEN 'push' WHEN 'brake' THEN 'merge' ELSE state.phase END)) AS v (shown)
	WHERE r.run_id = state.run_id;
END $$;
COMMENT ON FUNCTION xero_fdw._show_progress(xero_fdw._run) IS
	'internal: show how far a run is';

-- Begins a run, whose lock is held.
CREATE FUNCTION xero_fdw._begin_run(sync integer, force boolean) RETURNS xero_fdw._run
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	state xero_fdw._run;
BEGIN
	UPDATE xero_fdw.sync_run AS r
	SET state = 'crashed', ended_at = clock_timestamp(),
		error = 'the session ended before the run did'
	WHERE r.sync_id = sync AND r.state = 'running';
	SELECT NULL, sync, 'start', '{}', 0, 0, 0, '{}', NULL, false, force, '{}', NULL, 0, NULL, 0,
		s.calls, s.bytes_in + s.bytes_out, s.waited_ms, 0
	INTO state FROM xero_fdw._session() AS s;
	INSERT INTO xero_fdw.sync_run (sync_id, phase) VALUES (sync, 'start')
		RETURNING run_id INTO state.run_id;
	RETURN state;
END $$;
COMMENT ON FUNCTION xero_fdw._begin_run(integer, boolean) IS
	'internal: begin a run of a sync';

-- Notes a run that could not begin, as another one is under way.
CREATE FUNCTION xero_fdw._refuse_run(sync integer) RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO xero_fdw.sync_run (sync_id, state, ended_at, sqlstate, error)
	VALUES (sync, 'busy', clock_timestamp(), '55006', 'the sync is running already')
	RETURNING run_id
$$;
COMMENT ON FUNCTION xero_fdw._refuse_run(integer) IS
	'internal: note a run that could not begin';

-- What an error makes of a run.  When the budget is spent, or Xero cannot be
-- reached or does not answer as it should, the next run goes on where this one
-- stopped.
CREATE FUNCTION xero_fdw._outcome(code text) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN code IS NULL THEN 'done'
		WHEN code = '57014' THEN 'cancelled'
		WHEN code IN ('53400', 'HV00L', '55P03', '40001', '40P01') OR code LIKE '08%' THEN 'paused'
		ELSE 'failed' END
$$;
COMMENT ON FUNCTION xero_fdw._outcome(text) IS
	'internal: what an error makes of a run';

-- Ends a run: what became of it is written down and announced, and history that
-- is old enough forgotten.  Whoever may connect may listen, so the number of the
-- run is all that is told.  Of a request that was not sent the rows wait again.
CREATE FUNCTION xero_fdw._end_run(run xero_fdw._run, code text, message text)
	RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	outcome CONSTANT text := xero_fdw._outcome(code);
BEGIN
	IF run.request IS NOT NULL AND NOT run.sent_before AND xero_fdw._is_unsent(code) THEN
		PERFORM xero_fdw._withdraw_request(run.request);
	END IF;
	UPDATE xero_fdw.sync_run AS r
	SET state = outcome, ended_at = clock_timestamp(), sqlstate = code, error = message,
		calls = s.calls - run.calls, bytes = s.bytes_in + s.bytes_out - run.bytes,
		budget_wait = make_interval(secs => (s.waited_ms - run.waited_ms) / 1000)
	FROM xero_fdw._session() AS s
	WHERE r.run_id = run.run_id;
	DELETE FROM xero_fdw.sync_run AS r
	WHERE r.sync_id = run.sync_id
		AND r.ended_at < now() - make_interval(days => current_setting('xero_fdw.sync_history')::integer);
	PERFORM pg_notify('xero_fdw_sync', jsonb_build_object('run_id', run.run_id)::text);
	RETURN outcome;
END $$;
COMMENT ON FUNCTION xero_fdw._end_run(xero_fdw._run, text, text) IS
	'internal: end a run; what became of it';

-- A sync that the caller may run, by name.
CREATE FUNCTION xero_fdw._own_sync(sync_name text) RETURNS xero_fdw.sync
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self CONSTANT xero_fdw.sync := xero_fdw._find_sync(sync_name);
BEGIN
	PERFORM xero_fdw._require_owner(self);
	IF self.parent_id IS NOT NULL THEN
		RAISE EXCEPTION 'sync "%" has no runs of its own', self.name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = format('It follows sync "%s".',
					(SELECT s.name FROM xero_fdw.sync AS s WHERE s.sync_id = self.parent_id));
	END IF;
	RETURN self;
END $$;
COMMENT ON FUNCTION xero_fdw._own_sync(text) IS
	'internal: a sync that the caller may run';

-- How many tables a table refers to, through others, too, and itself.  Sorted by it,
-- tables come after all that they refer to, and those of a cycle side by side.  What
-- holds for a partition holds for its table.
CREATE FUNCTION xero_fdw._count_referenced(relation regclass) RETURNS bigint
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	WITH RECURSIVE referenced AS (
		SELECT coalesce(pg_partition_root(_count_referenced.relation), _count_referenced.relation)::oid AS relation
		UNION
		SELECT coalesce(pg_partition_root(c.confrelid), c.confrelid)
		FROM referenced AS r CROSS JOIN LATERAL (
				SELECT r.relation UNION SELECT t.relid FROM pg_partition_tree(r.relation) AS t) AS part (relation)
			JOIN pg_constraint AS c ON c.conrelid = part.relation
		WHERE c.contype = 'f'
	)
	SELECT count(*) FROM referenced
$$;
COMMENT ON FUNCTION xero_fdw._count_referenced(regclass) IS
	'internal: how many tables a table refers to, through others, too';

-- In the order in which they are to run: a row comes after those that it refers to.
-- Those that wait for the caller to confirm them are told of, and left out.
CREATE FUNCTION xero_fdw._own_syncs() RETURNS integer[]
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	ids integer[] := '{}';
BEGIN
	FOR self IN
			SELECT s.* FROM xero_fdw.sync AS s
			WHERE xero_fdw._sync_owner(s.local_table) = xero_fdw._caller() AND s.parent_id IS NULL
			ORDER BY xero_fdw._count_referenced(s.local_table), s.sync_id LOOP
		IF self.confirmed_by = pg_get_userbyid(xero_fdw._caller()) THEN
			ids := ids || self.sync_id;
		ELSE
			RAISE WARNING 'sync "%" is paused, as table % belongs to another role than before',
					self.name, self.local_table
				USING HINT = format('SELECT xero_fdw.confirm_sync(%L);', self.name);
		END IF;
	END LOOP;
	RETURN ids;
END $$;
COMMENT ON FUNCTION xero_fdw._own_syncs() IS
	'internal: the syncs that the caller may run';

CREATE PROCEDURE xero_fdw.run_sync(name text, force boolean DEFAULT false)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_run_sync';
COMMENT ON PROCEDURE xero_fdw.run_sync(text, boolean) IS
	'bring the two sides of a sync in step; with force, though its brake says that much would end or be renamed in Xero';

CREATE PROCEDURE xero_fdw.run_syncs()
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_run_syncs';
COMMENT ON PROCEDURE xero_fdw.run_syncs() IS
	'run all syncs of the current role, one after the other';
