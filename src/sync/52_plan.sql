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

-- The requests that so many rows make.
CREATE FUNCTION xero_fdw._requests_for(sync integer, action text, number bigint)
	RETURNS bigint
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN r.batch > 0 THEN ceil(number::numeric / r.batch)::bigint ELSE 0 END
	FROM xero_fdw.sync AS s, xero_fdw._push_rules(s.xero_table,
		CASE action WHEN 'create' THEN 'insert' WHEN 'archive' THEN 'delete' ELSE 'update' END) AS r
	WHERE s.sync_id = sync
$$;
COMMENT ON FUNCTION xero_fdw._requests_for(integer, text, bigint) IS
	'internal: how many requests write so many rows';

-- Adds to an object of counts.
CREATE FUNCTION xero_fdw._add_up(counts jsonb, words text[]) RETURNS jsonb
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT counts || coalesce(jsonb_object_agg(w.word,
		coalesce((counts->>w.word)::bigint, 0) + w.number), '{}')
	FROM (SELECT word, count(*) AS number FROM unnest(words) AS word GROUP BY word) AS w
$$;
COMMENT ON FUNCTION xero_fdw._add_up(jsonb, text[]) IS
	'internal: add to counts of words';

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
	identity CONSTANT text[] := ARRAY(SELECT f.field FROM xero_fdw._identity_fields(self.sync_id) AS f);
	ended bigint[] := '{}';
	renamed bigint[] := '{}';
	sent jsonb := '{}';				-- {action: number of rows}
	asked text[] := '{}';			-- keys of requests that a run would send again
	settling bigint[] := '{}';		-- the links of their rows
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
			END IF;
			SELECT * INTO made FROM xero_fdw._step(run);
			run := made.state;
			CONTINUE WHEN made.decisions IS NULL;
			-- what is sent again anyway
			made.decisions := ARRAY(SELECT d FROM unnest(made.decisions) AS d
				WHERE NOT (d.xero_action = 'create' AND (d.item).link_id = ANY (settling)
					AND EXISTS (SELECT FROM xero_fdw.sync_intent AS i
						WHERE i.link_id = (d.item).link_id AND d.xero_new @> i."row")));
			RETURN QUERY SELECT e.*, NULL::bigint
				FROM xero_fdw._explain(self.sync_id, made.decisions) AS e;
			decided := decided || ARRAY(SELECT (d.item).link_id FROM unnest(made.decisions) AS d);
			ended := ended || ARRAY(SELECT (d.item).link_id FROM unnest(made.decisions) AS d
				WHERE d.xero_action = 'archive');
			renamed := renamed || ARRAY(SELECT (d.item).link_id FROM unnest(made.decisions) AS d
				WHERE d.xero_action = 'update' AND d.xero_fields && identity);
			sent := xero_fdw._add_up(sent, ARRAY(SELECT d.xero_action FROM unnest(made.decisions) AS d
				WHERE d.xero_action IS NOT NULL));
		END LOOP;
		RETURN QUERY SELECT e.*, NULL::bigint
			FROM xero_fdw._explain_intents(self.sync_id, decided) AS e;
		sent := xero_fdw._add_up(sent, ARRAY(SELECT DISTINCT ON (e.local_key) e.action
			FROM xero_fdw._explain_intents(self.sync_id, decided) AS e));
		RETURN QUERY SELECT NULL, 'stop', NULL::jsonb, NULL, NULL, NULL::jsonb, NULL::jsonb,
				b.message, NULL::bigint
			FROM xero_fdw._waiting(self.sync_id, decided) AS w,
				xero_fdw._braked(self, ended || w.ends, renamed || w.updates) AS b
			WHERE b.message IS NOT NULL;
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
		(xero_fdw._session()).calls - calls_before + cardinality(asked) + coalesce((
			SELECT sum(xero_fdw._requests_for(self.sync_id, m.key, m.value::bigint))
			FROM jsonb_each_text(sent) AS m), 0)::bigint;
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
