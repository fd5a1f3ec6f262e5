-- Writing to Xero: requests are made of what waits in sync_intent, get a key
-- that is committed before they are sent, and are settled with their outcome, if
-- that is known (49_outcome.sql: if not).
--
-- What both sides have agreed on is what was sent, and what the answer to that very
-- request has shown, never what was read later: that may be an edit.  Nothing is agreed
-- where a row has nothing, and Xero has given its new record something.
--
-- A request for which Xero answers 5xx, or whose answer is lost, is taken apart, as one
-- of its rows may be the cause.  When all others were sent, and it is known what was
-- stored all the same, its rows go in sevenths, each with a key of its own, and then
-- alone.  What has failed alone is tried once more at the end, as Xero may have got
-- over it.  Of 50 rows one of which is bad, all of that takes 13 or 14 requests that
-- succeed, 4 that fail, each of which is sent twice, and 5 looks: 27 calls at most.
-- What was not answered may still be carried out, so only the next run looks for that.
--
-- The row becomes an issue if another one of its kind was stored since Xero failed
-- first.  Else it may be Xero: the run is paused, and the next one sends it last.  A row
-- that has failed alone in five runs becomes an issue anyway.
--
-- After two failures in a row, or one answer that was lost, a single row goes.  If that
-- fails, too, it is Xero, and the run is paused; the next one begins with a single row.

-- The columns whose values Xero keeps unique, in whichever objects have them.
CREATE FUNCTION xero_fdw._unique_columns() RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT '{contact_number,invoice_number,credit_note_number,purchase_order_number,quote_number,code,name}'::pg_catalog.text[]
$$;
COMMENT ON FUNCTION xero_fdw._unique_columns() IS
	'internal: the columns whose values Xero keeps unique';

-- Records in Xero that have the row's values of these columns, whatever the
-- sync's filter says: a call for each page.
CREATE FUNCTION xero_fdw._find_records(sync integer, tenant uuid, "row" jsonb,
		names text[])
	RETURNS TABLE (xero_id text, remote jsonb, updated_at timestamptz)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET xero_fdw.mark_bad_text = on AS $$
DECLARE
	self xero_fdw.sync;
	condition text;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	SELECT concat_ws(' AND ',
		(SELECT format('xero.%I OPERATOR(pg_catalog.=) $1', c) FROM xero_fdw._tenant_column(self.xero_table) AS c
			WHERE c IS NOT NULL),
		(SELECT string_agg(format('xero.%I OPERATOR(pg_catalog.=) ($2 OPERATOR(pg_catalog.->>) %L)::%s',
				a.attname, a.attname, xero_fdw._type_name(a.atttypid, a.atttypmod)), ' AND ')
			FROM pg_attribute AS a
			WHERE a.attrelid = self.xero_table AND a.attname = ANY (names)))
	INTO condition;
	RETURN QUERY SELECT r.* FROM xero_fdw._as_caller(self.search_path,
		xero_fdw._records_query(sync, condition), tenant, "row")
		AS r(xero_id text, remote jsonb, updated_at timestamptz);
END $$;
COMMENT ON FUNCTION xero_fdw._find_records(integer, uuid, jsonb, text[]) IS
	'internal: records in Xero that have these values';

-- Does a record say what a row that was to be created is matched by?
CREATE FUNCTION xero_fdw._is_match(intent xero_fdw.sync_intent, remote jsonb) RETURNS boolean
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(xero_fdw._match_key(intent.image, s.match_on) = xero_fdw._match_key(
		(xero_fdw._terms_or_null(s.sync_id, 'local', ARRAY[remote], s.match_on))[1], s.match_on), false)
	FROM xero_fdw.sync AS s WHERE s.sync_id = intent.sync_id
$$;
COMMENT ON FUNCTION xero_fdw._is_match(xero_fdw.sync_intent, jsonb) IS
	'internal: does a record say what a row that was to be created is matched by?';

-- Makes a record the partner of a row that was to be created.  What Xero has
-- done to the values is left to the next merge.  It is not the first one any more, but
-- the two have not met before: the side that is to win by "initial" has changed, and the
-- other one has not.
CREATE FUNCTION xero_fdw._adopt_record(intent xero_fdw.sync_intent,
		the_id text, record jsonb, at timestamptz) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = intent.sync_id AND k.tenant_id = intent.tenant_id
		AND k.xero_id = the_id AND k.local_key IS NULL;
	UPDATE xero_fdw.sync_link AS k
	SET tenant_id = intent.tenant_id, xero_id = the_id, state = 'linked', match_key = NULL,
		base_xero = CASE WHEN s.initial IN ('new_only', 'local_to_xero') THEN xero_fdw._slice(record, ARRAY(
			SELECT unnest(f.xero_uses || f.xero_column) FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = s.sync_id AND f.direction <> 'to_local')) END,
		base_local = CASE WHEN s.initial = 'new_only' OR s.initial = 'xero_to_local' AND s.direction = 'both'
			THEN intent.image END
	FROM xero_fdw.sync AS s
	WHERE k.link_id = intent.link_id AND s.sync_id = intent.sync_id;
	INSERT INTO xero_fdw.sync_inbox AS i (sync_id, tenant_id, xero_id, remote, updated_at)
	VALUES (intent.sync_id, intent.tenant_id, the_id, record, at)
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
		SET remote = excluded.remote, updated_at = excluded.updated_at, held = false;
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.intent_id = intent.intent_id;
END $$;
COMMENT ON FUNCTION xero_fdw._adopt_record(xero_fdw.sync_intent, text, jsonb, timestamptz) IS
	'internal: make a record the partner of a row that was to be created';

-- Marks for fields that were not sent and read columns that were: what is agreed of
-- these columns has changed, and it was not agreed for them.
CREATE FUNCTION xero_fdw._marks(sync integer, sent text[], side text, news jsonb, base jsonb)
	RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_object_agg('?' || f.field, true), '{}')
	FROM xero_fdw.sync_field AS f
	WHERE f.sync_id = sync AND f.field <> ALL (sent)
		AND f.direction <> CASE side WHEN 'xero' THEN 'to_xero' ELSE 'to_local' END
		AND EXISTS (SELECT FROM jsonb_each(news) AS m
			WHERE m.key = ANY (CASE side WHEN 'xero' THEN f.xero_uses ELSE f.local_uses END)
				AND m.value IS DISTINCT FROM base->m.key)
$$;
COMMENT ON FUNCTION xero_fdw._marks(integer, text[], text, jsonb, jsonb) IS
	'internal: marks for fields that read what others have changed in a base image';

-- What a record says that has ended.
CREATE FUNCTION xero_fdw._ended_image(sync integer) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT jsonb_build_object(rules.status, rules.ends[1])
		FROM xero_fdw.sync AS s, xero_fdw._push_rules(s.xero_table, 'delete') AS rules
		WHERE s.sync_id = sync AND rules.status IS NOT NULL), '{}')
$$;
COMMENT ON FUNCTION xero_fdw._ended_image(integer) IS
	'internal: what a record says that has ended';

-- What became of rows that were stored: their fields are agreed as they were sent
-- and as the records show them, which are what the answer to that very request
-- has shown or, null, could not.  What Xero gives to a new record where the row had
-- nothing is agreed, too, and comes here as long as the row has nothing.  What else they
-- tell, ids for instance, is merged like anything that was read; but what waits in the
-- inbox is newer, if the request was sent earlier, and a record that waits for a person
-- goes on waiting if all that is new is what was sent.  With a contact that was merged
-- into another one meanwhile, nothing is agreed on.
CREATE FUNCTION xero_fdw._settle_stored(run bigint, sync integer,
		intents xero_fdw.sync_intent[], ids text[], records jsonb[], earlier boolean)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	columns CONSTANT text[] := xero_fdw._read_columns(sync);
	guarded CONSTANT jsonb := xero_fdw._guarded_columns(sync);
	clock CONSTANT text := (SELECT xero_fdw._column_of(s.xero_table, 'UpdatedDateUTC')
		FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
	merged CONSTANT text := (SELECT xero_fdw._column_of(s.xero_table, 'MergedToContactID')
		FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
BEGIN
	-- links that know nothing but the record, which a crash may have left
	DELETE FROM xero_fdw.sync_link AS k
	USING unnest(intents) WITH ORDINALITY AS i JOIN unnest(ids) WITH ORDINALITY AS u(id, n) ON n = i.ordinality
	WHERE i.operation = 'insert' AND k.sync_id = sync AND k.tenant_id = i.tenant_id
		AND k.xero_id = u.id AND k.local_key IS NULL;

	WITH stored AS MATERIALIZED (
		SELECT i.link_id, i.tenant_id, i.operation, i.image, u.id, r.remote, u.record IS NOT NULL AS shown,
			(u.record->>clock)::timestamptz AS updated_at, uses.marks,
			coalesce(k.base_xero, '{}') AS base_xero, coalesce(k.base_local, '{}') AS base_local,
			n.xero AS news_xero, n.local AS news_local, g.given,
			xero_fdw._marks(sync, a.fields, 'xero', n.xero, k.base_xero) AS marks_xero,
			xero_fdw._marks(sync, a.fields, 'local', n.local, k.base_local) AS marks_local
		FROM unnest(intents) WITH ORDINALITY AS i
			JOIN unnest(ids, records) WITH ORDINALITY AS u(id, record, n) ON n = i.ordinality
			JOIN xero_fdw.sync_link AS k ON k.link_id = i.link_id
			CROSS JOIN LATERAL (SELECT CASE WHEN u.record IS NULL THEN xero_fdw._slice(i."row", columns)
				ELSE xero_fdw._as_told(xero_fdw._slice(u.record, columns), NULL, guarded) END AS remote) AS r
			CROSS JOIN LATERAL (
				SELECT coalesce(array_agg(f.field), '{}') AS fields FROM xero_fdw.sync_field AS f
				WHERE f.sync_id = sync AND f.field = ANY (i.fields) AND u.record->>merged IS NULL
					AND NOT (i.operation = 'insert' AND xero_fdw._filled(i."row"->f.xero_column) IS NULL
						AND NOT xero_fdw._shows(r.remote->f.xero_column, i."row"->f.xero_column))) AS a
			CROSS JOIN LATERAL (
				SELECT array_agg(u.x) AS xero, array_agg(u.l) AS local,
					coalesce(array_agg('?' || f.field), '{}') AS marks
				FROM xero_fdw.sync_field AS f
					CROSS JOIN LATERAL unnest(f.xero_uses || f.xero_column, f.local_uses) AS u(x, l)
				WHERE f.sync_id = sync AND f.field = ANY (a.fields)) AS uses
			CROSS JOIN LATERAL (SELECT xero_fdw._slice(r.remote, uses.xero) AS xero,
				CASE i.operation WHEN 'update' THEN xero_fdw._slice(i.image, uses.local) END AS local) AS n
			CROSS JOIN LATERAL (
				SELECT coalesce(jsonb_object_agg('?' || f.field, '{"winner": "xero", "over": null}'::jsonb), '{}')
					|| xero_fdw._slice(r.remote, array_agg(c)) AS given
				FROM xero_fdw.sync_field AS f CROSS JOIN LATERAL unnest(f.xero_uses || f.xero_column) AS c
				WHERE f.sync_id = sync AND f.field = ANY (i.fields) AND f.direction = 'both'
					AND u.record->>merged IS NULL AND f.field <> ALL (a.fields)) AS g
	), agreed AS (
		UPDATE xero_fdw.sync_link AS k
		SET tenant_id = s.tenant_id, xero_id = s.id, match_key = NULL,
			state = CASE WHEN s.operation = 'delete' THEN 'ended'
				WHEN k.local_key IS NULL THEN 'unlinked' ELSE 'linked' END,
			base_xero = s.marks_xero || s.base_xero - s.marks || s.news_xero || s.given
				|| CASE WHEN s.operation = 'delete' THEN xero_fdw._ended_image(sync) ELSE '{}' END,
			base_local = CASE s.operation WHEN 'insert' THEN s.image
				WHEN 'update' THEN s.marks_local || s.base_local - s.marks || s.news_local END,
			xero_updated_at = coalesce(s.updated_at, k.xero_updated_at), renamed = false
		FROM stored AS s
		WHERE k.link_id = s.link_id
		RETURNING k.link_id, k.base_xero
	)
	INSERT INTO xero_fdw.sync_inbox AS i (sync_id, tenant_id, xero_id, remote, updated_at, held)
	SELECT sync, s.tenant_id, s.id, s.remote, s.updated_at,
		coalesce(x.held AND x.remote || s.news_xero = s.remote AND s.marks_xero = '{}', false)
	FROM stored AS s JOIN agreed AS a USING (link_id)
		LEFT JOIN xero_fdw.sync_inbox AS x ON x.sync_id = sync AND x.tenant_id = s.tenant_id AND x.xero_id = s.id
	WHERE s.operation <> 'delete' AND s.shown AND s.remote <> a.base_xero
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
		SET remote = excluded.remote, updated_at = excluded.updated_at, held = excluded.held
		WHERE NOT earlier;

	DELETE FROM xero_fdw.sync_issue AS x USING unnest(intents) AS i
	WHERE x.link_id = i.link_id AND (x.kind IN ('validation', 'ambiguous')
		OR x.kind = 'conflict' AND x.field = ANY (i.fields));
	DELETE FROM xero_fdw.sync_intent AS x
	WHERE x.intent_id = ANY (ARRAY(SELECT i.intent_id FROM unnest(intents) AS i));
	UPDATE xero_fdw.sync_run AS r
	SET pushed = r.pushed + cardinality(intents), created = r.created + c.created,
		updated = r.updated + cardinality(intents) - c.created
	FROM (SELECT count(*) AS created FROM unnest(intents) AS i WHERE i.operation = 'insert') AS c
	WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION xero_fdw._settle_stored(bigint, integer, xero_fdw.sync_intent[], text[], jsonb[], boolean) IS
	'internal: settle rows that Xero has stored';

-- May a record be what a create has made, or the one that its row stands for?  If the
-- row was deleted since, it must show what was sent, so that nobody else's record ends.
CREATE FUNCTION xero_fdw._may_be_made(intent xero_fdw.sync_intent, remote jsonb) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._shows_made(remote, intent."row") OR NOT EXISTS (
		SELECT FROM xero_fdw.sync_link AS k WHERE k.link_id = intent.link_id AND k.deleted)
$$;
COMMENT ON FUNCTION xero_fdw._may_be_made(xero_fdw.sync_intent, jsonb) IS
	'internal: may a record be what a create has made?';

-- What became of a row that was refused.  A duplicate may be the very record that
-- the row stands for, which a filter hides: if there is one of that name, the columns of
-- match_on agree, and it has no row yet, they become partners.  A name alone is no
-- evidence.
CREATE FUNCTION xero_fdw._settle_refused(run bigint, intent xero_fdw.sync_intent,
		code text, message text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names CONSTANT text[] := ARRAY(SELECT c
		FROM unnest(xero_fdw._unique_columns()) WITH ORDINALITY AS u(c, n)
		WHERE xero_fdw._filled(intent."row"->c) IS NOT NULL ORDER BY n LIMIT 1);
	found record;
BEGIN
	IF intent.operation = 'insert' AND code = '23505' AND names <> '{}' THEN
		SELECT count(*) AS number, min(f.xero_id) AS id INTO found
		FROM xero_fdw._find_records(intent.sync_id, intent.tenant_id, intent."row", names) AS f
		WHERE xero_fdw._is_match(intent, f.remote) AND xero_fdw._may_be_made(intent, f.remote);
		IF found.number = 1 AND NOT xero_fdw._has_row(intent, found.id) THEN
			PERFORM xero_fdw._adopt_record(intent, f.xero_id, f.remote, f.updated_at)
			FROM xero_fdw.sync AS s, xero_fdw._find_records(intent.sync_id, intent.tenant_id,
				jsonb_build_object(s.xero_key, found.id), ARRAY[s.xero_key]) AS f
			WHERE s.sync_id = intent.sync_id;
			RETURN;
		END IF;
	END IF;
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.intent_id = intent.intent_id
		AND (code <> '08007' OR i.idempotency_key IS NULL);		-- else the outcome may be another one
	PERFORM xero_fdw._note_issue(intent.link_id, 'validation', NULL, message, code, intent."row");
	UPDATE xero_fdw.sync_run AS r SET issues = r.issues + 1 WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION xero_fdw._settle_refused(bigint, xero_fdw.sync_intent, text, text) IS
	'internal: settle a row that Xero has refused';

-- What rows that are stored have changed was theirs until then, by what their links
-- still say.
CREATE FUNCTION xero_fdw._given_up(stored xero_fdw.sync_intent[]) RETURNS jsonb[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(CASE i.operation WHEN 'delete' THEN k.base_xero
		ELSE xero_fdw._slice(k.base_xero, ARRAY(SELECT jsonb_object_keys(i."row"))) END)
	FROM unnest(stored) AS i JOIN xero_fdw.sync_link AS k USING (link_id)
	WHERE i.operation = 'delete' OR i.operation = 'update' AND i."row" ?| xero_fdw._unique_columns()
$$;
COMMENT ON FUNCTION xero_fdw._given_up(xero_fdw.sync_intent[]) IS
	'internal: the values that rows that are stored have no more';

-- That is free for rows that were refused as duplicates: the next run tries these again.
CREATE FUNCTION xero_fdw._retry_duplicates(sync integer, given_up jsonb[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM xero_fdw._merge_again(i) FROM xero_fdw.sync_issue AS i
	WHERE i.sync_id = sync AND i.kind = 'validation' AND i.sqlstate = '23505'
		AND EXISTS (SELECT FROM unnest(given_up) AS g, unnest(xero_fdw._unique_columns()) AS c
			WHERE xero_fdw._match_key(g, ARRAY[c]) = xero_fdw._match_key(i.payload, ARRAY[c]));
END $$;
COMMENT ON FUNCTION xero_fdw._retry_duplicates(integer, jsonb[]) IS
	'internal: let the next run try again what was refused as a duplicate of values that are free now';

-- The same for what records said until somebody changed or ended them at Xero.
CREATE FUNCTION xero_fdw._retry_freed(sync integer, items xero_fdw._item[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = sync AND i.kind = 'validation' AND i.sqlstate = '23505')
	THEN
		PERFORM xero_fdw._retry_duplicates(sync, ARRAY(
			SELECT i.base_xero FROM unnest(items) AS i
			WHERE i.base_xero IS NOT NULL AND (i.gone OR EXISTS (
				SELECT FROM unnest(xero_fdw._unique_columns() || '{status,contact_status}'::text[]) AS c
				WHERE i.remote->c IS DISTINCT FROM i.base_xero->c))));
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._retry_freed(integer, xero_fdw._item[]) IS
	'internal: let the next run try again what was refused as a duplicate of values that records have no more';

-- Has a record ended?  To be asked only where some may: the table must have the column
-- that tells.
CREATE FUNCTION xero_fdw._has_ended(relation regclass, record jsonb) RETURNS boolean
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT coalesce(record->>rules.status = ANY (rules.ends), false)
		FROM xero_fdw._push_rules(relation, 'delete') AS rules);
END $$;
COMMENT ON FUNCTION xero_fdw._has_ended(regclass, jsonb) IS
	'internal: has a record ended?';

-- Records that have ended already need not be ended.
CREATE FUNCTION xero_fdw._ended_links(sync integer, request text) RETURNS bigint[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(SELECT k.link_id
		FROM xero_fdw.sync AS s JOIN xero_fdw.sync_intent AS i ON i.sync_id = s.sync_id
			JOIN xero_fdw.sync_link AS k ON k.link_id = i.link_id
			LEFT JOIN xero_fdw.sync_inbox AS x ON x.sync_id = i.sync_id
				AND x.tenant_id = k.tenant_id AND x.xero_id = k.xero_id
		WHERE s.sync_id = sync AND i.idempotency_key IS NOT DISTINCT FROM request
			AND CASE WHEN i.operation = 'delete'
				THEN xero_fdw._has_ended(s.xero_table, coalesce(x.remote, k.base_xero)) END)
$$;
COMMENT ON FUNCTION xero_fdw._ended_links(integer, text) IS
	'internal: links whose records are to end by a request, or wait for that, and have ended';

CREATE FUNCTION xero_fdw._settle_ended(sync integer, links bigint[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE xero_fdw.sync_link AS k
	SET state = 'ended', base_local = NULL, base_xero = k.base_xero || xero_fdw._ended_image(sync)
	WHERE k.link_id = ANY (links);
	DELETE FROM xero_fdw.sync_issue AS x WHERE x.link_id = ANY (links) AND x.kind = 'validation';
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.link_id = ANY (links);
END $$;
COMMENT ON FUNCTION xero_fdw._settle_ended(integer, bigint[]) IS
	'internal: settle what was to end records that have ended already';

-- What a run has left to create is not created once it is ambiguous.  When that is
-- settled, the row is merged anew.
CREATE FUNCTION xero_fdw._withhold_ambiguous(sync integer) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM xero_fdw.sync_intent AS i USING xero_fdw.sync_issue AS x
	WHERE x.sync_id = sync AND x.kind = 'ambiguous' AND i.link_id = x.link_id
		AND i.operation = 'insert' AND i.idempotency_key IS NULL
$$;
COMMENT ON FUNCTION xero_fdw._withhold_ambiguous(integer) IS
	'internal: create nothing of rows that are ambiguous by now';

-- The rows whose turn it is: parts of a request that has failed before others, the
-- smallest first.  After two failures in a row, one row alone, of those that are least
-- suspected, is to tell whether Xero carries out anything.  Those that have failed
-- alone, as their batch or an issue says, go alone when nothing else is left; again,
-- if it was not Xero.
CREATE FUNCTION xero_fdw._next_intent(state xero_fdw._run) RETURNS xero_fdw.sync_intent
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	intent xero_fdw.sync_intent;
BEGIN
	IF state.in_vain < 2 THEN
		SELECT * INTO intent FROM (SELECT * FROM xero_fdw.sync_intent AS i
			WHERE i.sync_id = state.sync_id AND i.batch > 0 ORDER BY i.batch, i.intent_id LIMIT (SELECT 1000000)) AS i
		WHERE i.idempotency_key IS NULL AND i.tenant_id = ANY (state.tenants) AND NOT xero_fdw._has_failed(i.link_id)
		LIMIT 1;
	ELSE
		SELECT * INTO intent FROM (SELECT * FROM xero_fdw.sync_intent AS i
			WHERE i.sync_id = state.sync_id AND i.batch > 0 ORDER BY i.batch DESC, i.intent_id DESC LIMIT (SELECT 1000000)) AS i
		WHERE i.idempotency_key IS NULL AND i.tenant_id = ANY (state.tenants) AND NOT xero_fdw._has_failed(i.link_id)
		LIMIT 1;
		intent.batch := 1;
	END IF;
	IF intent.intent_id IS NULL THEN
		SELECT * INTO intent FROM xero_fdw.sync_intent AS i
		WHERE i.sync_id = state.sync_id AND i.idempotency_key IS NULL AND i.tenant_id = ANY (state.tenants)
			AND (i.batch = 0 AND i.operation = ANY (state.proved)
				OR i.intent_id <> ALL (state.failed) AND (state.lost IS NULL OR i.operation = ANY (state.proved)))
		ORDER BY i.batch DESC, i.intent_id LIMIT 1;
		intent.batch := least(intent.batch, 0);
	END IF;
	RETURN intent;
END $$;
COMMENT ON FUNCTION xero_fdw._next_intent(xero_fdw._run) IS
	'internal: the first of the rows that go to Xero next; its batch says with how many';

CREATE FUNCTION xero_fdw._has_failed(link bigint) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM xero_fdw.sync_issue AS x
		WHERE x.link_id = link AND x.kind = 'validation' AND x.sqlstate = '08007')
$$;
COMMENT ON FUNCTION xero_fdw._has_failed(bigint) IS
	'internal: is it an issue that Xero fails to carry out what a row wants?';

-- Gives a fresh key to the next rows that go to Xero as one request; null if none
-- waits.  What Xero does not offer for the object becomes an issue.
CREATE FUNCTION xero_fdw._next_request(state xero_fdw._run) RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sync CONSTANT integer := state.sync_id;
	relation CONSTANT regclass := (SELECT s.xero_table FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
	key CONSTANT text := 'sync-' || gen_random_uuid();
	clock_offset CONSTANT interval := xero_fdw._clock_offset();
	intent xero_fdw.sync_intent;
	most integer;
BEGIN
	LOOP
		intent := xero_fdw._next_intent(state);
		IF intent.operation = 'delete' THEN
			PERFORM xero_fdw._settle_ended(sync, xero_fdw._ended_links(sync, NULL));
			intent := xero_fdw._next_intent(state);
		END IF;
		IF intent.intent_id IS NULL THEN
			RETURN NULL;
		END IF;
		most := (xero_fdw._push_rules(relation, intent.operation)).batch;
		EXIT WHEN most > 0;
		PERFORM xero_fdw._settle_refused(state.run_id, intent, '0A000',
			format('Xero does not offer to %s records of %s', intent.operation, relation));
	END LOOP;
	UPDATE xero_fdw.sync_intent AS i
	SET idempotency_key = key, first_sent = clock_timestamp() + clock_offset, batch = intent.batch, problem = NULL
	WHERE i.intent_id = ANY (CASE WHEN intent.batch <= 1 THEN ARRAY[intent.intent_id]
		ELSE ARRAY(SELECT o.intent_id FROM xero_fdw.sync_intent AS o
			WHERE o.sync_id = sync AND o.idempotency_key IS NULL AND o.batch = intent.batch
				AND o.tenant_id = intent.tenant_id AND o.operation = intent.operation
				AND NOT xero_fdw._has_failed(o.link_id)
			ORDER BY o.intent_id LIMIT least(most, intent.batch)) END);
	RETURN key;
END $$;
COMMENT ON FUNCTION xero_fdw._next_request(xero_fdw._run) IS
	'internal: give a key to the next rows that go to Xero together';

-- The rows of a request, as _push() takes them.  A change is accompanied by the
-- record's key and by what Xero wants along with it.
CREATE FUNCTION xero_fdw._request_rows(key text) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH request AS MATERIALIZED (
		SELECT s.sync_id, s.xero_key, t.name AS tenant_column, rules.needs
		FROM (SELECT * FROM xero_fdw.sync_intent AS i WHERE i.idempotency_key = key LIMIT 1) AS i
			JOIN xero_fdw.sync AS s USING (sync_id),
			xero_fdw._tenant_column(s.xero_table) AS t(name),
			xero_fdw._push_rules(s.xero_table, i.operation) AS rules
	)
	SELECT jsonb_agg(CASE WHEN r.tenant_column IS NULL THEN '{}'
				ELSE jsonb_build_object(r.tenant_column, i.tenant_id) END
			|| CASE WHEN i.operation = 'insert' THEN '{}'
				ELSE xero_fdw._slice(coalesce(k.base_xero, '{}') || coalesce(x.remote, '{}'), r.needs)
					|| jsonb_build_object(r.xero_key, k.xero_id) END
			|| i."row" ORDER BY i.intent_id)
	FROM request AS r
		CROSS JOIN xero_fdw.sync_intent AS i
		JOIN xero_fdw.sync_link AS k USING (link_id)
		LEFT JOIN xero_fdw.sync_inbox AS x ON x.sync_id = r.sync_id
			AND x.tenant_id = k.tenant_id AND x.xero_id = k.xero_id
	WHERE i.idempotency_key = key
$$;
COMMENT ON FUNCTION xero_fdw._request_rows(text) IS
	'internal: the rows of a request';

-- Does an error of a request say that it was not sent?
CREATE FUNCTION xero_fdw._is_unsent(code text) RETURNS boolean
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT code IN ('53400', '42501', '08001') OR code LIKE '28%'
$$;
COMMENT ON FUNCTION xero_fdw._is_unsent(text) IS
	'internal: does an error say that a request was not sent?';

-- Sends a request, for the first time or again, and settles its rows.  When Xero
-- refuses all of it for the fault of one, or it is too large to be sent, each row
-- is to go alone.  When Xero has failed, which "problem" tells, or its answer is lost,
-- what became of the rows is not known: they keep the key, and are returned.  If
-- anything was stored, the operation is.
CREATE FUNCTION xero_fdw._send_request(run bigint, sync integer, key text,
		sent_before boolean, OUT carried text, OUT failed bigint[], OUT problem text, OUT lost text[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation CONSTANT regclass := (SELECT s.xero_table FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
	intents CONSTANT xero_fdw.sync_intent[] := ARRAY(
		SELECT i FROM xero_fdw.sync_intent AS i WHERE i.idempotency_key = key ORDER BY i.intent_id);
	stored xero_fdw.sync_intent[] := '{}';
	ids text[] := '{}';
	records jsonb[] := '{}';
	refused xero_fdw.sync_intent[] := '{}';
	codes text[] := '{}';
	messages text[] := '{}';
	given_up jsonb[];
	sent CONSTANT bigint := (xero_fdw._session()).calls;
	answered boolean := false;
	outcome record;
	intent xero_fdw.sync_intent;
	code text;
	message text;
	detail text;
	hint text;
BEGIN
	failed := '{}';
	FOR outcome IN
		SELECT * FROM xero_fdw._push(relation, intents[1].operation,
			xero_fdw._request_rows(key), key,
			CASE WHEN sent_before THEN intents[1].first_sent - xero_fdw._clock_offset() END)
	LOOP
		answered := true;
		intent := intents[outcome.row_number];
		IF outcome.stored OR intent.operation = 'delete' AND outcome.sqlstate = 'P0002' THEN	-- gone already
			stored := stored || intent;
			ids := ids || coalesce(outcome.key, (SELECT k.xero_id FROM xero_fdw.sync_link AS k WHERE k.link_id = intent.link_id));
			records := records || outcome.record;
		ELSIF outcome.sqlstate = '08007' THEN
			failed := failed || intent.intent_id;
			problem := outcome.message;
		ELSIF outcome.together AND cardinality(intents) > 1 THEN
			UPDATE xero_fdw.sync_intent AS i
			SET batch = 1, idempotency_key = NULL, first_sent = NULL
			WHERE i.intent_id = intent.intent_id;
		ELSE
			refused := refused || intent;
			codes := codes || outcome.sqlstate;
			messages := messages || outcome.message;
		END IF;
	END LOOP;
	IF stored <> '{}' THEN
		given_up := xero_fdw._given_up(stored);
		PERFORM xero_fdw._settle_stored(run, sync, stored, ids, records, sent_before);
	END IF;
	-- what a duplicate is one of may just have been stored
	PERFORM xero_fdw._settle_refused(run, refused[n], codes[n], messages[n])
	FROM generate_subscripts(refused, 1) AS n;
	IF given_up <> '{}' THEN
		PERFORM xero_fdw._retry_duplicates(sync, given_up);
	END IF;
	carried := CASE WHEN stored <> '{}' THEN intents[1].operation END;
EXCEPTION WHEN program_limit_exceeded THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	IF (xero_fdw._session()).calls > sent THEN
		RAISE;
	END IF;
	carried := NULL;
	failed := '{}';
	IF cardinality(intents) = 1 THEN
		PERFORM xero_fdw._settle_refused(run, intents[1], '54000', concat_ws(E'\n', message, nullif(detail, '')));
	ELSE
		UPDATE xero_fdw.sync_intent AS i
		SET batch = 1, idempotency_key = NULL, first_sent = NULL
		WHERE i.idempotency_key = key;
	END IF;
WHEN OTHERS THEN
	-- what was answered is undone here, so the next run must find it at Xero: no
	-- error may look as if nothing had been sent
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	IF NOT answered AND code IN ('08007', 'HV00L') THEN
		failed := ARRAY(SELECT i.intent_id FROM unnest(intents) AS i);
		lost := ARRAY[message, detail];
		RETURN;
	ELSIF NOT answered OR NOT xero_fdw._is_unsent(code) THEN
		RAISE;
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'transaction_resolution_unknown',
		MESSAGE = message, DETAIL = detail, HINT = hint;
END $$;
COMMENT ON FUNCTION xero_fdw._send_request(bigint, integer, text, boolean) IS
	'internal: send a request and settle its rows';

-- Nothing of the request was sent: its rows wait again.
CREATE FUNCTION xero_fdw._withdraw_request(key text) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	UPDATE xero_fdw.sync_intent SET idempotency_key = NULL, first_sent = NULL
	WHERE idempotency_key = key
$$;
COMMENT ON FUNCTION xero_fdw._withdraw_request(text) IS
	'internal: let the rows of a request wait again';

-- Rows for which Xero has failed, or whose answer was lost, are to go on in parts.
CREATE FUNCTION xero_fdw._split_failed(failed bigint[], the_problem text) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	UPDATE xero_fdw.sync_intent AS i
	SET problem = the_problem, batch = CASE WHEN i.batch <= 0 THEN i.batch - 1
		WHEN cardinality(failed) = 1 THEN 0 ELSE greatest(cardinality(failed) / 7, 1) END
	WHERE i.intent_id = ANY (failed)
$$;
COMMENT ON FUNCTION xero_fdw._split_failed(bigint[], text) IS
	'internal: let rows that have failed go on in parts';

-- Nothing else can be done until Xero carries out what is written, or it is known what
-- became of it.
CREATE FUNCTION xero_fdw._pause_push(state xero_fdw._run) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF state.lost IS NOT NULL THEN
		RAISE EXCEPTION '%', state.lost[1]
			USING ERRCODE = 'transaction_resolution_unknown', DETAIL = state.lost[2];
	END IF;
	RAISE EXCEPTION 'Xero fails to carry out what is written'
		USING ERRCODE = 'fdw_unable_to_create_execution',
			DETAIL = coalesce((SELECT max(i.problem) FROM xero_fdw.sync_intent AS i
				WHERE i.sync_id = state.sync_id), '');
END $$;
COMMENT ON FUNCTION xero_fdw._pause_push(xero_fdw._run) IS
	'internal: an error that pauses the run, as Xero fails';

-- Nothing else is left to be sent: rows that have failed alone more than once become
-- issues, if it seems to be their fault.  Those that are left are returned; if it was
-- none's, the run is paused.
CREATE FUNCTION xero_fdw._file_failed(state xero_fdw._run) RETURNS bigint[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	filed CONSTANT bigint[] := ARRAY(SELECT i.intent_id FROM xero_fdw.sync_intent AS i
		WHERE i.intent_id = ANY (state.failed)
			AND (i.batch < 0 AND i.operation = ANY (state.proved) OR i.batch <= -4 OR xero_fdw._has_failed(i.link_id)));
	others CONSTANT bigint[] := ARRAY(SELECT i.intent_id FROM xero_fdw.sync_intent AS i
		WHERE i.intent_id = ANY (state.failed) AND i.intent_id <> ALL (filed));
BEGIN
	IF filed = '{}' AND others <> '{}' THEN
		PERFORM xero_fdw._pause_push(state);
	END IF;
	PERFORM xero_fdw._settle_refused(state.run_id, i, '08007',
		coalesce(i.problem, array_to_string(state.lost, E'\n')))
	FROM xero_fdw.sync_intent AS i WHERE i.intent_id = ANY (filed);
	RETURN others;
END $$;
COMMENT ON FUNCTION xero_fdw._file_failed(xero_fdw._run) IS
	'internal: make issues of rows that have failed alone';
