-- The plan of a run: its own steps, undone.

-- What decisions mean, field by field: a row for each column of each side.
CREATE FUNCTION xero_fdw._explain(sync integer, decisions xero_fdw._decision[])
	RETURNS TABLE (side text, action text, local_key jsonb, xero_id text,
		field text, old jsonb, new jsonb, why text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT side, action, xero_fdw._shown_key((d.item).local_key), (d.item).xero_id, m.key,
		CASE WHEN m.key IS NULL THEN d.before ELSE d.before->m.key END, m.value,
		coalesce(d.why->>'', (SELECT string_agg(DISTINCT d.why->>f.field, ', ')
			FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = sync AND d.why ? f.field
				AND CASE side WHEN 'local' THEN f.local_column
					WHEN 'xero' THEN f.xero_column ELSE f.field END = m.key))
	FROM (
		SELECT item, why, 'local' AS side, local_action AS action, local_old AS before, local_new AS after
		FROM unnest(decisions) WHERE local_action IS NOT NULL
		UNION ALL
		SELECT item, why, 'xero', xero_action, xero_old, xero_new
		FROM unnest(decisions) WHERE xero_action IS NOT NULL
		UNION ALL
		SELECT item, why, NULL, 'conflict',
			(SELECT jsonb_object_agg(c.key, c.value->'local') FROM jsonb_each(conflicts) AS c),
			(SELECT jsonb_object_agg(c.key, c.value->'xero') FROM jsonb_each(conflicts) AS c)
		FROM unnest(decisions) WHERE conflicts IS NOT NULL
		UNION ALL
		SELECT item, why, NULL, 'issue', NULL, NULL
		FROM unnest(decisions) AS d WHERE xero_fdw._obstacle(d) IS NOT NULL
		UNION ALL
		SELECT item, '{"": "they belong together"}', NULL, 'link', NULL, NULL
		FROM unnest(decisions)
		WHERE (item).state = 'linked' AND (item).base_xero IS NULL AND (item).base_local IS NULL
			AND (item).xero_id IS NOT NULL AND (item).local_key IS NOT NULL
	) AS d LEFT JOIN jsonb_each(d.after) AS m ON d.action <> 'create' OR m.value <> 'null'
$$;
COMMENT ON FUNCTION xero_fdw._explain(integer, xero_fdw._decision[]) IS
	'internal: decisions field by field';

-- What was sent and not answered, and will be sent once more, so that Xero tells what
-- became of it.
CREATE FUNCTION xero_fdw._explain_unknown(sync integer, keys text[])
	RETURNS TABLE (side text, action text, local_key jsonb, xero_id text,
		field text, old jsonb, new jsonb, why text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'xero', 'settle', xero_fdw._shown_key(k.local_key), k.xero_id, NULL, NULL::jsonb, i."row",
		'sent by an earlier run, and not answered: Xero is asked by sending it again'
	FROM xero_fdw.sync_intent AS i JOIN xero_fdw.sync_link AS k USING (link_id)
	WHERE i.sync_id = sync AND i.idempotency_key = ANY (keys)
$$;
COMMENT ON FUNCTION xero_fdw._explain_unknown(integer, text[]) IS
	'internal: what is to be sent again, as its outcome is not known';

-- What is left of an earlier run and will be sent as it is.
CREATE FUNCTION xero_fdw._explain_intents(sync integer, decided bigint[])
	RETURNS TABLE (side text, action text, local_key jsonb, xero_id text,
		field text, old jsonb, new jsonb, why text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'xero', CASE i.operation WHEN 'insert' THEN 'create' WHEN 'delete' THEN 'archive' ELSE 'update' END,
		xero_fdw._shown_key(k.local_key), k.xero_id, m.key, k.base_xero->m.key, m.value,
		'left by an earlier run'
	FROM xero_fdw.sync_intent AS i JOIN xero_fdw.sync_link AS k USING (link_id)
		LEFT JOIN jsonb_each(i."row") AS m ON true
	WHERE i.sync_id = sync AND i.link_id <> ALL (decided)
$$;
COMMENT ON FUNCTION xero_fdw._explain_intents(integer, bigint[]) IS
	'internal: what earlier runs have left to be sent, field by field';

-- The requests that a run would make of what is to be written, which is forgotten.  Rows
-- that no request has failed with are counted together: there may be many.
CREATE FUNCTION xero_fdw._count_requests(state xero_fdw._run) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	requests bigint := 0;
	key text;
BEGIN
	state.failed := '{}';
	LOOP
		IF state.in_vain < 2 THEN
			WITH waiting AS MATERIALIZED (
				SELECT i.intent_id, i.operation FROM xero_fdw.sync_intent AS i
				WHERE i.sync_id = state.sync_id AND i.batch = 1000000 AND i.idempotency_key IS NULL
					AND i.tenant_id = ANY (state.tenants) AND NOT xero_fdw._has_failed(i.link_id)
			), rule AS (
				-- of no other operations: these may be none of the table's
				SELECT o.operation, r.batch
				FROM (SELECT DISTINCT w.operation FROM waiting AS w) AS o
					JOIN xero_fdw.sync AS s ON s.sync_id = state.sync_id,
					LATERAL xero_fdw._push_rules(s.xero_table, o.operation) AS r
			), fresh AS (
				DELETE FROM xero_fdw.sync_intent AS i
				USING waiting AS w JOIN rule AS r ON r.operation = w.operation AND r.batch > 0
				WHERE i.intent_id = w.intent_id
				RETURNING i.tenant_id, i.operation, r.batch
			)
			SELECT requests + coalesce(sum(p.number), 0) INTO requests
			FROM (SELECT ceil(count(*)::numeric / f.batch) AS number
				FROM fresh AS f GROUP BY f.tenant_id, f.operation, f.batch) AS p;
		END IF;
		key := xero_fdw._next_request(state);
		EXIT WHEN key IS NULL;
		DELETE FROM xero_fdw.sync_intent AS i WHERE i.idempotency_key = key;
		requests := requests + 1;
		state.in_vain := 0;
	END LOOP;
	RETURN requests;
END $$;
COMMENT ON FUNCTION xero_fdw._count_requests(xero_fdw._run) IS
	'internal: how many requests would write what waits';

-- Rows that were returned before an error are kept, and the error undoes all
-- else.  The last row has the number of calls: those that the plan has made,
-- which a run makes as well, and the requests that would follow.
CREATE FUNCTION xero_fdw._plan_sync(name text)
	RETURNS TABLE (side text, action text, local_key jsonb, xero_id text,
		field text, old jsonb, new jsonb, why text, calls bigint)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self CONSTANT xero_fdw.sync := xero_fdw._own_sync(name);
	began CONSTANT timestamptz := clock_timestamp();
	calls_before CONSTANT bigint := (xero_fdw._session()).calls;
	run xero_fdw._run;
	made record;
	decided bigint[] := '{}';
	written bigint[] := '{}';
	asked text[] := '{}';			-- keys of requests that a run would send again
	settling bigint[] := '{}';		-- the links of their rows
	requests bigint;
	made_whole boolean := false;
BEGIN
	IF current_setting('transaction_read_only')::boolean THEN
		RAISE EXCEPTION 'cannot plan a sync in a read-only transaction'
			USING ERRCODE = 'read_only_sql_transaction',
				DETAIL = 'A plan takes the steps of a run, and undoes them.';
	END IF;
	PERFORM xero_fdw._lock_sync(self);
	run.sync_id := self.sync_id;
	run.phase := 'start';
	run.pulled := 0;
	run.gathered := 0;
	run.rounds := 0;
	BEGIN
		WHILE run.phase <> 'done' LOOP
			IF run.phase = 'settle' THEN
				asked := ARRAY(SELECT u.key FROM xero_fdw._unknown_requests(self.sync_id, run.tenants) AS u
					WHERE u.send_again);
				RETURN QUERY SELECT e.*, NULL::bigint FROM xero_fdw._explain_unknown(self.sync_id, asked) AS e;
				settling := ARRAY(SELECT i.link_id FROM xero_fdw.sync_intent AS i
					WHERE i.sync_id = self.sync_id AND i.idempotency_key = ANY (asked));
				decided := settling;
				run.in_vain := CASE WHEN asked = '{}' THEN run.in_vain ELSE 0 END;
			END IF;
			SELECT * INTO made FROM xero_fdw._step(run);
			run := made.state;
			CONTINUE WHEN made.decisions IS NULL;
			decided := decided || ARRAY(SELECT (d.item).link_id FROM unnest(made.decisions) AS d);
			-- but for what is sent again anyway, and what has ended already
			made.decisions := ARRAY(SELECT d FROM unnest(made.decisions) AS d
				WHERE (d.xero_action = 'create' AND (d.item).link_id = ANY (settling)
						AND EXISTS (SELECT FROM xero_fdw.sync_intent AS i
							WHERE i.link_id = (d.item).link_id AND d.xero_new @> i."row")) IS NOT TRUE
					AND CASE WHEN d.xero_action = 'archive'
						THEN NOT xero_fdw._has_ended(self.xero_table, coalesce((d.item).remote, (d.item).base_xero))
						ELSE true END);
			RETURN QUERY SELECT e.*, NULL::bigint
				FROM xero_fdw._explain(self.sync_id, made.decisions) AS e;
			PERFORM xero_fdw._save_intents(self.sync_id, run.tenants, made.decisions, NULL);
			written := written || ARRAY(SELECT (d.item).link_id FROM unnest(made.decisions) AS d
				WHERE d.xero_action IS NOT NULL);
		END LOOP;
		DELETE FROM xero_fdw.sync_intent AS i
		WHERE i.link_id = ANY (decided) AND i.link_id <> ALL (written);
		PERFORM xero_fdw._settle_ended(self.sync_id, xero_fdw._ended_links(self.sync_id, NULL));
		RETURN QUERY SELECT e.*, NULL::bigint
			FROM xero_fdw._explain_intents(self.sync_id, decided) AS e;
		RETURN QUERY SELECT NULL, 'stop', NULL::jsonb, NULL, NULL, NULL::jsonb, NULL::jsonb,
				b.message, NULL::bigint
			FROM xero_fdw._waiting(self.sync_id) AS w, xero_fdw._braked(self, w.ends, w.updates) AS b
			WHERE b.message IS NOT NULL;
		requests := xero_fdw._count_requests(run);
		RETURN QUERY SELECT NULL, 'issue', i.local_key, i.xero_id, i.field, NULL::jsonb,
				i.payload, i.message, NULL::bigint
			FROM xero_fdw.sync_issue AS i
			WHERE i.sync_id = self.sync_id AND i.last_seen >= began AND i.kind <> 'conflict';
		made_whole := true;
		RAISE EXCEPTION 'the plan is made' USING ERRCODE = 'XF001';
	EXCEPTION WHEN SQLSTATE 'XF001' THEN
		IF NOT made_whole THEN		-- somebody else's error has that code
			RAISE;
		END IF;
	END;
	RETURN QUERY SELECT NULL, 'total', NULL::jsonb, NULL, NULL, NULL::jsonb, NULL::jsonb, NULL,
		(xero_fdw._session()).calls - calls_before + cardinality(asked) + requests;
END $$;
COMMENT ON FUNCTION xero_fdw._plan_sync(text) IS
	'internal: plan_sync()';

CREATE FUNCTION xero_fdw.plan_sync(name text)
	RETURNS TABLE (side text, action text, local_key jsonb, xero_id text,
		field text, old jsonb, new jsonb, why text, calls bigint)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.plan_sync(text) IS
	'what a run of a sync would do, field by field, without doing it; the last row has the number of calls';
