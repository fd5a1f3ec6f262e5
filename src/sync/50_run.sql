-- Runs: the steps of the other files, one transaction each.
--
-- A run is a state that a step turns into the next one.  run_sync() commits
-- between them, so what is done stays done, and every session sees how far it
-- is; plan_sync() takes the same steps and undoes them.
--
-- A session that runs a sync holds the advisory lock of its tables' oid and the
-- sync's number, from the first step to the last.  A run that is said to be
-- running while nobody has the lock has crashed.

-- Is there anything about local rows that the run is to know?  A sync that only
-- pulls looks at them for matching.
CREATE FUNCTION xero_fdw._looks_at_rows(self xero_fdw.sync) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
	SELECT NOT self.mirror AND (self.direction <> 'pull' OR self.match_on IS NOT NULL
		OR xero_fdw._id_column(self.sync_id) IS NOT NULL
			AND NOT EXISTS (SELECT FROM xero_fdw.sync_position AS p
				WHERE p.sync_id = self.sync_id AND p.initial_done))
$$;
COMMENT ON FUNCTION xero_fdw._looks_at_rows(xero_fdw.sync) IS
	'internal: do local rows matter to a run?';

-- The whole local relation is compared before the first merge, if nothing
-- watches it, and when what watches says that any row may have changed.
-- Transactions that are under way may have changes with lower numbers than those
-- that are seen.
CREATE FUNCTION xero_fdw._step_compare(self xero_fdw.sync,
		OUT upto bigint, OUT open_xids xid8[])
	LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	all_rows boolean;
BEGIN
	WITH asked AS (
		DELETE FROM xero_fdw.sync_change AS c
		WHERE c.sync_id = self.sync_id AND c.operation = 'truncate'
		RETURNING true
	)
	SELECT count(*) > 0 INTO all_rows FROM asked;
	IF NOT xero_fdw._looks_at_rows(self) THEN
		upto := 0;
		RETURN;
	END IF;
	IF all_rows OR self.watch = 'compare' OR NOT EXISTS (
		SELECT FROM xero_fdw.sync_position AS p
		WHERE p.sync_id = self.sync_id AND p.initial_done)
	THEN
		PERFORM xero_fdw._compare_local(self.sync_id);
	END IF;
	SELECT coalesce(max(c.change_id), 0), ARRAY(SELECT pg_snapshot_xip(pg_current_snapshot()))
	INTO upto, open_xids
	FROM xero_fdw.sync_change AS c WHERE c.sync_id = self.sync_id;
END $$;
COMMENT ON FUNCTION xero_fdw._step_compare(xero_fdw.sync) IS
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
	filled regclass;
BEGIN
	FOR filled IN
		SELECT s.local_table
		FROM xero_fdw.sync AS s JOIN pg_class AS c ON c.oid = s.local_table
		WHERE sync IN (s.sync_id, s.parent_id) AND s.direction <> 'push'
			AND (c.reltuples < 0 OR changed > current_setting('autovacuum_analyze_threshold')::bigint
				+ current_setting('autovacuum_analyze_scale_factor')::float8 * c.reltuples)
			AND NOT EXISTS (SELECT FROM pg_class AS part
				WHERE (part.oid = c.oid OR part.oid IN (SELECT t.relid FROM pg_partition_tree(c.oid) AS t))
					AND NOT (part.relkind IN ('r', 'p') AND pg_has_role(part.relowner, 'USAGE')))
	LOOP
		EXECUTE format('ANALYZE (SKIP_LOCKED) %s', filled);
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._analyze_local(integer, bigint) IS
	'internal: statistics of the local tables of a sync that were filled';

-- One step: does what is next and says what comes then; phase "done" at the end.
-- A plan sends nothing and writes nothing to the local side; its decisions are
-- returned.
CREATE FUNCTION xero_fdw._step(INOUT state xero_fdw._run,
		OUT decisions xero_fdw._decision[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog
	SET timezone = 'UTC'
	SET datestyle = 'ISO'
	SET intervalstyle = 'postgres'
	SET bytea_output = 'hex'
	SET extra_float_digits = 1
	SET jit = off
	SET xero_fdw.priority = 'background'
AS $$
DECLARE
	plan CONSTANT boolean := state.run_id IS NULL;
	self xero_fdw.sync;
	last bigint;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = state.sync_id;
	CASE state.phase
	WHEN 'start' THEN
		PERFORM xero_fdw._check_sync_columns(self.sync_id);
		PERFORM xero_fdw._replace_bad_texts(self.sync_id);
		state.tenants := ARRAY(SELECT o.tenant_id FROM xero_fdw._organisations(self.xero_table) AS o
			ORDER BY o.tenant_id);
		state.phase := 'compare';
	WHEN 'compare' THEN
		SELECT c.upto, c.open_xids INTO state.upto, state.open_xids
		FROM xero_fdw._step_compare(self) AS c;
		state.phase := 'gather';
	WHEN 'gather' THEN
		last := CASE WHEN xero_fdw._looks_at_rows(self)
			THEN xero_fdw._gather(state) END;
		IF last IS NULL THEN
			state.phase := 'pull';
		ELSE
			state.gathered := last;
		END IF;
	WHEN 'pull' THEN
		IF state.pulled = cardinality(state.tenants) THEN
			state.phase := CASE WHEN self.mirror THEN 'merge' ELSE 'settle' END;
		ELSE
			state.pulled := state.pulled + xero_fdw._pull_chunk(state.run_id, self.sync_id,
				state.tenants[state.pulled + 1])::integer;
			-- with nothing to match or to settle, records can be merged as they come
			IF self.direction = 'pull' AND NOT self.mirror
				AND NOT xero_fdw._has_waiting_rows(self.sync_id)
				AND NOT EXISTS (SELECT FROM xero_fdw.sync_intent AS i WHERE i.sync_id = self.sync_id)
			THEN
				state.phase := 'merge';
			END IF;
		END IF;
	WHEN 'settle' THEN
		state.request := CASE WHEN NOT plan
			THEN xero_fdw._settle_unknown(self.sync_id, state.tenants) END;
		state.sent_before := state.request IS NOT NULL;
		state.phase := CASE WHEN state.sent_before THEN 'send' ELSE 'match' END;
	WHEN 'match' THEN
		IF xero_fdw._has_waiting_rows(self.sync_id) OR EXISTS (
			SELECT FROM xero_fdw.sync_issue AS i
			WHERE i.sync_id = self.sync_id AND i.kind = 'ambiguous')
		THEN
			PERFORM xero_fdw._absorb(self.sync_id);
			PERFORM xero_fdw._match(self.sync_id);
		END IF;
		state.phase := 'merge';
	WHEN 'merge' THEN
		IF self.mirror AND plan THEN
			decisions := xero_fdw._mirror_decisions(self.sync_id);
		ELSIF self.mirror THEN
			decisions := CASE WHEN NOT xero_fdw._mirror_inbox(state.run_id, self.sync_id)
				THEN '{}'::xero_fdw._decision[] END;
		ELSE
			decisions := xero_fdw._merge_batch(state, plan);
		END IF;
		IF decisions IS NULL THEN
			IF state.pulled < cardinality(state.tenants) THEN
				state.phase := 'pull';
			ELSE
				UPDATE xero_fdw.sync_position AS p SET initial_done = true
				WHERE p.sync_id = self.sync_id AND p.tenant_id = ANY (state.tenants)
					AND NOT p.initial_done;
				state.phase := CASE WHEN plan THEN 'done' ELSE 'push' END;
			END IF;
		END IF;
	WHEN 'push' THEN
		state.request := xero_fdw._next_request(state.run_id, self.sync_id, state.tenants);
		state.sent_before := false;
		IF state.request IS NOT NULL THEN
			state.phase := 'send';
		ELSIF state.rounds < 2 AND EXISTS (SELECT FROM xero_fdw.sync_inbox AS i
			WHERE i.sync_id = self.sync_id AND NOT i.held AND i.tenant_id = ANY (state.tenants))
		THEN
			state.rounds := state.rounds + 1;
			state.phase := 'merge';
		ELSE
			PERFORM xero_fdw._analyze_local(self.sync_id, r.created + r.updated)
			FROM xero_fdw.sync_run AS r WHERE r.run_id = state.run_id;
			state.phase := 'done';
		END IF;
	WHEN 'send' THEN
		PERFORM xero_fdw._send_request(state.run_id, self.sync_id, state.request,
			state.sent_before);
		state.phase := CASE WHEN state.sent_before THEN 'settle' ELSE 'push' END;
		state.request := NULL;
	END CASE;
	PERFORM xero_fdw._show_progress(state);
END $$;
COMMENT ON FUNCTION xero_fdw._step(xero_fdw._run) IS
	'internal: the next step of a run';

-- What other sessions see of the run.  A request that is under way is part of the
-- phase "push", which counts rows.
CREATE FUNCTION xero_fdw._show_progress(state xero_fdw._run) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog AS $$
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
		(VALUES (CASE state.phase WHEN 'send' THEN 'push' ELSE state.phase END)) AS v (shown)
	WHERE r.run_id = state.run_id
$$;
COMMENT ON FUNCTION xero_fdw._show_progress(xero_fdw._run) IS
	'internal: show how far a run is';

-- Begins a run of a sync, or null if one is under way already.
CREATE FUNCTION xero_fdw._begin_run(sync integer) RETURNS xero_fdw._run
	LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	state xero_fdw._run;
BEGIN
	IF NOT pg_try_advisory_lock('xero_fdw.sync'::regclass::oid::integer, sync) THEN
		RETURN NULL;
	END IF;
	UPDATE xero_fdw.sync_run AS r
	SET state = 'crashed', ended_at = clock_timestamp(),
		error = 'the session ended before the run did'
	WHERE r.sync_id = sync AND r.state = 'running';
	SELECT NULL, sync, 'start', '{}', 0, 0, 0, '{}', NULL, false, 0,
		s.calls, s.bytes_in + s.bytes_out, s.waited_ms
	INTO state FROM xero_fdw._session() AS s;
	INSERT INTO xero_fdw.sync_run (sync_id, phase) VALUES (sync, 'start')
		RETURNING run_id INTO state.run_id;
	RETURN state;
END $$;
COMMENT ON FUNCTION xero_fdw._begin_run(integer) IS
	'internal: begin a run of a sync; null if one is under way';

-- Ends a run: what became of it is written down and announced, and history that
-- is old enough forgotten.  Of a request that was not sent the rows wait again.
CREATE FUNCTION xero_fdw._end_run(run xero_fdw._run, outcome text, code text,
		message text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	shown jsonb;
BEGIN
	IF run.request IS NOT NULL AND NOT run.sent_before
		AND (code IN ('53400', '42501', '08001') OR code LIKE '28%')
	THEN
		PERFORM xero_fdw._withdraw_request(run.request);
	END IF;
	UPDATE xero_fdw.sync_run AS r
	SET state = outcome, ended_at = clock_timestamp(), sqlstate = code, error = message,
		calls = s.calls - run.calls, bytes = s.bytes_in + s.bytes_out - run.bytes,
		budget_wait = make_interval(secs => (s.waited_ms - run.waited_ms) / 1000)
	FROM xero_fdw._session() AS s
	WHERE r.run_id = run.run_id
	RETURNING to_jsonb(r) || jsonb_build_object('error', left(r.error, 1000)) INTO shown;
	DELETE FROM xero_fdw.sync_run AS r
	WHERE r.sync_id = run.sync_id
		AND r.ended_at < now() - make_interval(days => current_setting('xero_fdw.sync_history')::integer);
	PERFORM pg_notify('xero_fdw_sync', (shown || jsonb_build_object('name',
		(SELECT s.name FROM xero_fdw.sync AS s WHERE s.sync_id = run.sync_id)))::text);
	PERFORM pg_advisory_unlock('xero_fdw.sync'::regclass::oid::integer, run.sync_id);
END $$;
COMMENT ON FUNCTION xero_fdw._end_run(xero_fdw._run, text, text, text) IS
	'internal: end a run';

-- What an error makes of a run.  When the budget is spent, or Xero cannot be
-- reached or does not answer as it should, the next run goes on where this one
-- stopped.
CREATE FUNCTION xero_fdw._outcome(code text) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
	SELECT CASE WHEN code = '57014' THEN 'cancelled'
		WHEN code IN ('53400', 'HV00L', '55P03', '40001', '40P01') OR code LIKE '08%' THEN 'paused'
		ELSE 'failed' END
$$;
COMMENT ON FUNCTION xero_fdw._outcome(text) IS
	'internal: what an error makes of a run';

-- Runs a sync to its end.  Errors are returned, not raised, so that the caller can
-- go on with others.  Each step is a transaction of its own, in which the local
-- row that is read is the one that is changed.
CREATE PROCEDURE xero_fdw._run_sync(sync integer, INOUT outcome text,
		INOUT code text, INOUT message text, INOUT detail text, INOUT hint text)
	LANGUAGE plpgsql AS $$
DECLARE
	state xero_fdw._run;
	ended boolean := false;
BEGIN
	PERFORM xero_fdw._refuse_block();
	COMMIT;
	state := xero_fdw._begin_run(sync);
	IF state IS NULL THEN
		outcome := 'busy';
		RETURN;
	END IF;
	outcome := 'done';
	LOOP
		COMMIT;
		EXIT WHEN ended;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		BEGIN
			IF state.phase OPERATOR(pg_catalog.<>) 'done' THEN
				state := (xero_fdw._step(state)).state;
			END IF;
		EXCEPTION WHEN query_canceled OR OTHERS THEN
			GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
				detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			outcome := xero_fdw._outcome(code);
		END;
		IF outcome OPERATOR(pg_catalog.<>) 'done' OR state.phase OPERATOR(pg_catalog.=) 'done' THEN
			PERFORM xero_fdw._end_run(state, outcome, code,
				nullif(pg_catalog.concat_ws(E'\n', message, nullif(detail, '')), ''));
			ended := true;
		END IF;
	END LOOP;
END $$;
COMMENT ON PROCEDURE xero_fdw._run_sync(integer, text, text, text, text, text) IS
	'internal: run a sync to its end';

-- A sync that the current role may run, by name.
CREATE FUNCTION xero_fdw._own_sync(sync_name text) RETURNS xero_fdw.sync
	LANGUAGE plpgsql SET search_path = pg_catalog AS $$
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
	'internal: a sync that the current role may run';

CREATE PROCEDURE xero_fdw.run_sync(name text)
	LANGUAGE plpgsql AS $$
DECLARE
	sync CONSTANT integer := (xero_fdw._own_sync(name)).sync_id;
	outcome text;
	code text;
	message text;
	detail text;
	hint text;
BEGIN
	CALL xero_fdw._run_sync(sync, outcome, code, message, detail, hint);
	CASE outcome
	WHEN 'done' THEN
	WHEN 'busy' THEN
		RAISE NOTICE 'sync "%" is running already', name;
	WHEN 'paused' THEN
		RAISE WARNING 'sync "%" is paused: %', name, message
			USING ERRCODE = code, DETAIL = coalesce(nullif(detail, ''), 'What was done is kept.'),
				HINT = 'The next run goes on from here.';
	ELSE
		RAISE EXCEPTION '%', message
			USING ERRCODE = code, DETAIL = coalesce(nullif(detail, ''), 'What was done is kept.'),
				HINT = coalesce(nullif(hint, ''), 'xero_fdw.sync_runs has the history of runs.');
	END CASE;
END $$;
COMMENT ON PROCEDURE xero_fdw.run_sync(text) IS
	'bring the two sides of a sync in step';

-- Runs syncs one after the other.  One that fails does not keep the others from
-- running.
CREATE PROCEDURE xero_fdw._run_syncs(ids integer[])
	LANGUAGE plpgsql AS $$
DECLARE
	sync integer;
	name text;
	outcome text;
	code text;
	message text;
	detail text;
	hint text;
	failed text[] := '{}';
BEGIN
	FOREACH sync IN ARRAY ids LOOP
		SELECT s.name INTO name FROM xero_fdw.sync AS s WHERE s.sync_id OPERATOR(pg_catalog.=) sync;
		CONTINUE WHEN NOT FOUND;
		code := NULL;
		message := NULL;
		CALL xero_fdw._run_sync(sync, outcome, code, message, detail, hint);
		IF outcome OPERATOR(pg_catalog.=) 'busy' THEN
			RAISE NOTICE 'sync "%" is running already', name;
		ELSIF outcome OPERATOR(pg_catalog.=) 'cancelled' THEN
			RAISE EXCEPTION '%', message USING ERRCODE = code;
		ELSIF outcome OPERATOR(pg_catalog.<>) 'done' THEN
			RAISE WARNING 'sync "%" is %: %', name, outcome, message
				USING ERRCODE = code, DETAIL = coalesce(nullif(detail, ''), 'What was done is kept.'),
					HINT = coalesce(nullif(hint, ''), 'The next run goes on from here.');
			IF outcome OPERATOR(pg_catalog.=) 'failed' THEN
				failed := pg_catalog.array_append(failed, name);
			END IF;
		END IF;
	END LOOP;
	IF failed OPERATOR(pg_catalog.<>) '{}' THEN
		RAISE EXCEPTION 'syncs have failed: %', pg_catalog.array_to_string(failed, ', ')
			USING ERRCODE = 'external_routine_exception',
				HINT = 'xero_fdw.sync_runs has the reasons.';
	END IF;
END $$;
COMMENT ON PROCEDURE xero_fdw._run_syncs(integer[]) IS
	'internal: run syncs one after the other';

CREATE PROCEDURE xero_fdw.run_syncs()
	LANGUAGE plpgsql AS $$
DECLARE
	ids CONSTANT integer[] := ARRAY(SELECT s.sync_id FROM xero_fdw.sync AS s
		WHERE s.owner OPERATOR(pg_catalog.=) pg_catalog.quote_ident(current_user)::pg_catalog.regrole AND s.parent_id IS NULL
		ORDER BY s.sync_id);
BEGIN
	CALL xero_fdw._run_syncs(ids);
END $$;
COMMENT ON PROCEDURE xero_fdw.run_syncs() IS
	'run all syncs of the current role, one after the other';
