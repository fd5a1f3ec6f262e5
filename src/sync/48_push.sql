-- Writing to Xero: requests are made of what waits in sync_intent, get a key
-- that is committed before they are sent, and are settled with their outcome.
--
-- What a crash leaves behind is a key without an outcome.  Updates are merged
-- anew, as doing them twice does no harm.  A create is first looked for in
-- Xero; if it is not there it is sent again, with the same key as long as Xero
-- remembers it, which makes that harmless, too.

-- The columns whose values Xero keeps unique, in whichever objects have them.
CREATE FUNCTION xero_fdw._unique_columns() RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT '{contact_number,invoice_number,credit_note_number,purchase_order_number,quote_number,code,name}'::pg_catalog.text[]
$$;
COMMENT ON FUNCTION xero_fdw._unique_columns() IS
	'internal: the columns whose values Xero keeps unique';

-- The columns that tell a record from others, of those that a row has: what
-- match_on compares, else what Xero keeps unique, else what names a document.
CREATE FUNCTION xero_fdw._natural_columns(sync integer, "row" jsonb)
	RETURNS text[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(
		(SELECT array_agg(f.xero_column) FROM xero_fdw.sync AS s
				JOIN xero_fdw.sync_field AS f USING (sync_id)
			WHERE s.sync_id = sync AND f.local_column = ANY (s.match_on)
			HAVING bool_and(xero_fdw._filled("row"->f.xero_column) IS NOT NULL)),
		(SELECT ARRAY[c] FROM unnest(xero_fdw._unique_columns() || '{reference,narration}'::text[])
				WITH ORDINALITY AS u(c, n)
			WHERE xero_fdw._filled("row"->c) IS NOT NULL ORDER BY n LIMIT 1),
		(SELECT array_agg(m.key ORDER BY m.key) FROM jsonb_each("row") AS m
			WHERE jsonb_typeof(m.value) IN ('string', 'number', 'boolean')
				AND xero_fdw._filled(m.value) IS NOT NULL))
$$;
COMMENT ON FUNCTION xero_fdw._natural_columns(integer, jsonb) IS
	'internal: the columns by which a record can be found without its key';

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

-- Makes a record the partner of a row that was to be created.  What Xero has
-- done to the values is left to the next merge.
CREATE FUNCTION xero_fdw._adopt_record(intent xero_fdw.sync_intent,
		the_id text, record jsonb, at timestamptz) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = intent.sync_id AND k.tenant_id = intent.tenant_id
		AND k.xero_id = the_id AND k.local_key IS NULL;
	UPDATE xero_fdw.sync_link AS k
	SET tenant_id = intent.tenant_id, xero_id = the_id, state = 'linked',
		match_key = NULL, base_xero = NULL, base_local = NULL
	WHERE k.link_id = intent.link_id;
	INSERT INTO xero_fdw.sync_inbox AS i (sync_id, tenant_id, xero_id, remote, updated_at)
	VALUES (intent.sync_id, intent.tenant_id, the_id, record, at)
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
		SET remote = excluded.remote, updated_at = excluded.updated_at, held = false;
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.intent_id = intent.intent_id;
END $$;
COMMENT ON FUNCTION xero_fdw._adopt_record(xero_fdw.sync_intent, text, jsonb, timestamptz) IS
	'internal: make a record the partner of a row that was to be created';

-- What became of rows that were stored: their fields are agreed as they were sent
-- and as Xero shows them now, if it could be read.  What else the records tell,
-- their ids for instance, is merged like anything that was read.  With a contact that
-- was merged into another one meanwhile, nothing is agreed on.
CREATE FUNCTION xero_fdw._settle_stored(run bigint, sync integer,
		intents xero_fdw.sync_intent[], ids text[], records jsonb[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	columns CONSTANT text[] := xero_fdw._read_columns(sync);
	guarded CONSTANT jsonb := xero_fdw._guarded_columns(sync);
	clock CONSTANT text := (SELECT xero_fdw._clock_column(s.xero_table)
		FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
	merged CONSTANT text := (SELECT xero_fdw._merged_column(s.xero_table)
		FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
BEGIN
	-- links that know nothing but the record, which a crash may have left
	DELETE FROM xero_fdw.sync_link AS k
	USING unnest(intents) WITH ORDINALITY AS i JOIN unnest(ids) WITH ORDINALITY AS u(id, n) ON n = i.ordinality
	WHERE i.operation = 'insert' AND k.sync_id = sync AND k.tenant_id = i.tenant_id
		AND k.xero_id = u.id AND k.local_key IS NULL;

	WITH stored AS MATERIALIZED (
		SELECT i.link_id, i.tenant_id, i.operation, i.image, u.id,
			CASE WHEN u.record->>merged IS NULL THEN i.fields ELSE '{}' END AS fields,
			CASE WHEN u.record IS NOT NULL THEN xero_fdw._as_told(xero_fdw._slice(u.record, columns), NULL, guarded) END AS remote,
			(u.record->>clock)::timestamptz AS updated_at
		FROM unnest(intents) WITH ORDINALITY AS i
			JOIN unnest(ids, records) WITH ORDINALITY AS u(id, record, n) ON n = i.ordinality
	), agreed AS (
		UPDATE xero_fdw.sync_link AS k
		SET tenant_id = s.tenant_id, xero_id = s.id, match_key = NULL,
			state = CASE WHEN s.operation = 'delete' THEN 'ended' ELSE 'linked' END,
			base_xero = coalesce(k.base_xero, '{}') - uses.marks || xero_fdw._slice(s.remote, uses.xero),
			base_local = CASE s.operation WHEN 'insert' THEN s.image
				WHEN 'update' THEN coalesce(k.base_local, '{}') - uses.marks || xero_fdw._slice(s.image, uses.local) END,
			xero_updated_at = coalesce(s.updated_at, k.xero_updated_at), renamed = false
		FROM stored AS s, LATERAL (
			SELECT array_agg(u.x) AS xero, array_agg(u.l) AS local,
				coalesce(array_agg('?' || f.field), '{}') AS marks
			FROM xero_fdw.sync_field AS f
				CROSS JOIN LATERAL unnest(f.xero_uses || f.xero_column, f.local_uses) AS u(x, l)
			WHERE f.sync_id = sync AND f.field = ANY (s.fields)) AS uses
		WHERE k.link_id = s.link_id
		RETURNING k.link_id, k.base_xero
	)
	INSERT INTO xero_fdw.sync_inbox AS i (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT sync, s.tenant_id, s.id, s.remote, s.updated_at
	FROM stored AS s JOIN agreed AS a USING (link_id)
	WHERE s.operation <> 'delete' AND s.remote <> a.base_xero
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
		SET remote = excluded.remote, updated_at = excluded.updated_at;

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
COMMENT ON FUNCTION xero_fdw._settle_stored(bigint, integer, xero_fdw.sync_intent[], text[], jsonb[]) IS
	'internal: settle rows that Xero has stored';

-- What became of a row that was refused.  A duplicate may be the very record that
-- the row stands for: if there is one of that name and it has no row yet, they
-- become partners.
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
		FROM xero_fdw._find_records(intent.sync_id, intent.tenant_id, intent."row", names) AS f;
		IF found.number = 1 AND NOT xero_fdw._has_row(intent, found.id) THEN
			PERFORM xero_fdw._adopt_record(intent, f.xero_id, f.remote, f.updated_at)
			FROM xero_fdw.sync AS s, xero_fdw._find_records(intent.sync_id, intent.tenant_id,
				jsonb_build_object(s.xero_key, found.id), ARRAY[s.xero_key]) AS f
			WHERE s.sync_id = intent.sync_id;
			RETURN;
		END IF;
	END IF;
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.intent_id = intent.intent_id;
	PERFORM xero_fdw._note_issue(intent.link_id, 'validation', NULL, message, code, intent."row");
	UPDATE xero_fdw.sync_run AS r SET issues = r.issues + 1 WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION xero_fdw._settle_refused(bigint, xero_fdw.sync_intent, text, text) IS
	'internal: settle a row that Xero has refused';

-- What stored rows have changed was theirs until now, and is free for rows that
-- were refused as duplicates: the next run tries these again.
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

-- Gives a fresh key to the next rows that go to Xero as one request; null if none
-- waits.  What Xero does not offer for the object becomes an issue.
CREATE FUNCTION xero_fdw._next_request(run bigint, sync integer, tenants uuid[])
	RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation CONSTANT regclass := (SELECT s.xero_table FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
	key CONSTANT text := 'sync-' || gen_random_uuid();
	intent xero_fdw.sync_intent;
	batch integer;
BEGIN
	LOOP
		SELECT * INTO intent FROM xero_fdw.sync_intent AS i
		WHERE i.sync_id = sync AND i.idempotency_key IS NULL AND i.tenant_id = ANY (tenants)
		ORDER BY i.intent_id LIMIT 1;
		IF NOT FOUND THEN
			RETURN NULL;
		END IF;
		batch := (xero_fdw._push_rules(relation, intent.operation)).batch;
		EXIT WHEN batch > 0;
		PERFORM xero_fdw._settle_refused(run, intent, '0A000',
			format('Xero does not offer to %s records of %s', intent.operation, relation));
	END LOOP;
	UPDATE xero_fdw.sync_intent AS i
	SET idempotency_key = key, first_sent = clock_timestamp()
	WHERE i.intent_id = ANY (ARRAY(SELECT o.intent_id FROM xero_fdw.sync_intent AS o
		WHERE o.sync_id = sync AND o.idempotency_key IS NULL
			AND o.tenant_id = intent.tenant_id AND o.operation = intent.operation
			AND (o.intent_id = intent.intent_id OR NOT intent.alone AND NOT o.alone)
		ORDER BY o.intent_id LIMIT batch));
	RETURN key;
END $$;
COMMENT ON FUNCTION xero_fdw._next_request(bigint, integer, uuid[]) IS
	'internal: give a key to the next rows that go to Xero together';

-- The rows of a request, as _push() takes them.  A change is accompanied by the
-- record's key and by what Xero wants along with it.
CREATE FUNCTION xero_fdw._request_rows(key text) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_agg(CASE WHEN t.name IS NULL THEN '{}'
				ELSE jsonb_build_object(t.name, i.tenant_id) END
			|| CASE WHEN i.operation = 'insert' THEN '{}'
				ELSE xero_fdw._slice(coalesce(k.base_xero, '{}') || coalesce(x.remote, '{}'), rules.needs)
					|| jsonb_build_object(s.xero_key, k.xero_id) END
			|| i."row" ORDER BY i.intent_id)
	FROM xero_fdw.sync_intent AS i
		JOIN xero_fdw.sync AS s USING (sync_id)
		JOIN xero_fdw.sync_link AS k USING (link_id)
		LEFT JOIN xero_fdw.sync_inbox AS x ON x.sync_id = i.sync_id
			AND x.tenant_id = k.tenant_id AND x.xero_id = k.xero_id,
		xero_fdw._tenant_column(s.xero_table) AS t(name),
		xero_fdw._push_rules(s.xero_table, i.operation) AS rules
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
-- is to go alone.
CREATE FUNCTION xero_fdw._send_request(run bigint, sync integer, key text,
		sent_before boolean) RETURNS void
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
	FOR outcome IN
		SELECT * FROM xero_fdw._push(relation, intents[1].operation,
			xero_fdw._request_rows(key), key,
			CASE WHEN sent_before THEN intents[1].first_sent END)
	LOOP
		answered := true;
		intent := intents[outcome.row_number];
		IF outcome.stored THEN
			stored := stored || intent;
			ids := ids || outcome.key;
			records := records || outcome.record;
		ELSIF outcome.together AND cardinality(intents) > 1 THEN
			UPDATE xero_fdw.sync_intent AS i
			SET alone = true, idempotency_key = NULL, first_sent = NULL
			WHERE i.intent_id = intent.intent_id;
		ELSE
			refused := refused || intent;
			codes := codes || outcome.sqlstate;
			messages := messages || outcome.message;
		END IF;
	END LOOP;
	IF stored <> '{}' THEN
		given_up := ARRAY(SELECT xero_fdw._slice(k.base_xero, ARRAY(SELECT jsonb_object_keys(i."row")))
			FROM unnest(stored) AS i JOIN xero_fdw.sync_link AS k USING (link_id)
			WHERE i.operation = 'update' AND i."row" ?| xero_fdw._unique_columns());
		PERFORM xero_fdw._settle_stored(run, sync, stored, ids, records);
	END IF;
	-- what a duplicate is one of may just have been stored
	PERFORM xero_fdw._settle_refused(run, refused[n], codes[n], messages[n])
	FROM generate_subscripts(refused, 1) AS n;
	IF given_up <> '{}' THEN
		PERFORM xero_fdw._retry_duplicates(sync, given_up);
	END IF;
EXCEPTION WHEN program_limit_exceeded THEN
	IF cardinality(intents) < 2 OR (xero_fdw._session()).calls > sent THEN
		RAISE;
	END IF;
	UPDATE xero_fdw.sync_intent AS i
	SET alone = true, idempotency_key = NULL, first_sent = NULL
	WHERE i.idempotency_key = key;
WHEN OTHERS THEN
	-- what was answered is undone here, so the next run must find it at Xero: no
	-- error may look as if nothing had been sent
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	IF NOT answered OR NOT xero_fdw._is_unsent(code) THEN
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

-- Does a record belong to a row already?
CREATE FUNCTION xero_fdw._has_row(intent xero_fdw.sync_intent, the_id text)
	RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = intent.sync_id AND k.tenant_id = intent.tenant_id
			AND k.xero_id = the_id AND k.local_key IS NOT NULL)
$$;
COMMENT ON FUNCTION xero_fdw._has_row(xero_fdw.sync_intent, text) IS
	'internal: does a record belong to a row already?';

-- Looks for the record that a create has made among what was read and, if a filter
-- may have kept it from that, in Xero.  It cannot be one that has a row, or is
-- older than the request.  True if it was found, or several that it could be.
CREATE FUNCTION xero_fdw._find_created(intent xero_fdw.sync_intent) RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names CONSTANT text[] := xero_fdw._natural_columns(intent.sync_id, intent."row");
	wanted CONSTANT text := xero_fdw._match_key(intent."row", names);
	clocks_differ CONSTANT interval := '60 seconds';
	since CONSTANT timestamptz := intent.first_sent - clocks_differ
		+ xero_fdw._clock_offset();
	filtered CONSTANT boolean := (SELECT s.xero_filter IS NOT NULL FROM xero_fdw.sync AS s
		WHERE s.sync_id = intent.sync_id);
	found record;
BEGIN
	SELECT array_agg(i.xero_id) AS ids, array_agg(i.remote) AS records,
		array_agg(i.updated_at) AS times
	INTO found
	FROM xero_fdw.sync_inbox AS i
	WHERE i.sync_id = intent.sync_id AND i.tenant_id = intent.tenant_id
		AND coalesce(i.updated_at >= since, true)
		AND xero_fdw._match_key(i.remote, names) = wanted
		AND NOT xero_fdw._has_row(intent, i.xero_id);
	IF found.ids IS NULL AND filtered THEN
		SELECT array_agg(f.xero_id) AS ids, array_agg(f.remote) AS records,
			array_agg(f.updated_at) AS times
		INTO found
		FROM xero_fdw._find_records(intent.sync_id, intent.tenant_id, intent."row", names) AS f
		WHERE coalesce(f.updated_at >= since, true)
			AND NOT xero_fdw._has_row(intent, f.xero_id);
	END IF;
	IF found.ids IS NULL THEN
		RETURN false;
	ELSIF cardinality(found.ids) = 1 THEN
		PERFORM xero_fdw._adopt_record(intent, found.ids[1], found.records[1], found.times[1]);
		UPDATE xero_fdw.sync_link AS k
		SET base_local = intent.image, base_xero = xero_fdw._slice(found.records[1],
			ARRAY(SELECT unnest(f.xero_uses || f.xero_column) FROM xero_fdw.sync_field AS f
				WHERE f.sync_id = intent.sync_id AND f.field = ANY (intent.fields)))
		WHERE k.link_id = intent.link_id;
		RETURN true;
	END IF;
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.intent_id = intent.intent_id;
	PERFORM xero_fdw._note_issue(intent.link_id, 'ambiguous', NULL,
		'the row was sent to Xero, and more than one record there may be what became of it',
		'08007', to_jsonb(found.ids));
	RETURN true;
END $$;
COMMENT ON FUNCTION xero_fdw._find_created(xero_fdw.sync_intent) IS
	'internal: look for the record that a create has made';

-- Settles the requests whose outcome was not known when the last run ended: all
-- but creates that are to be sent again with their key, which is returned.  A sync
-- that only pulls by now sends nothing.
CREATE FUNCTION xero_fdw._settle_unknown(sync integer, tenants uuid[]) RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	memory CONSTANT interval := '5 minutes';
	pulls CONSTANT boolean := (SELECT s.direction = 'pull' FROM xero_fdw.sync AS s
		WHERE s.sync_id = sync);
	the_key text;
	intent xero_fdw.sync_intent;
	found boolean;
BEGIN
	WITH gone AS (
		DELETE FROM xero_fdw.sync_intent AS i
		WHERE i.sync_id = sync AND i.idempotency_key IS NOT NULL AND i.operation <> 'insert'
		RETURNING i.link_id
	)
	INSERT INTO xero_fdw.sync_inbox AS x (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT sync, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
	FROM gone JOIN xero_fdw.sync_link AS k USING (link_id)
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET held = false;

	FOR the_key IN
		SELECT DISTINCT i.idempotency_key FROM xero_fdw.sync_intent AS i
		WHERE i.sync_id = sync AND i.idempotency_key IS NOT NULL AND i.tenant_id = ANY (tenants)
	LOOP
		found := false;
		FOR intent IN
			SELECT * FROM xero_fdw.sync_intent AS i WHERE i.idempotency_key = the_key ORDER BY i.intent_id
		LOOP
			found := xero_fdw._find_created(intent) OR found;
		END LOOP;
		-- if one of its rows is there, the request was carried out
		IF pulls THEN
			DELETE FROM xero_fdw.sync_intent AS i WHERE i.idempotency_key = the_key;
		ELSIF NOT found AND intent.first_sent > clock_timestamp() - memory THEN
			RETURN the_key;
		ELSE
			PERFORM xero_fdw._withdraw_request(the_key);
		END IF;
	END LOOP;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION xero_fdw._settle_unknown(integer, uuid[]) IS
	'internal: settle requests of unknown outcome; the key of one that is to be sent again';
