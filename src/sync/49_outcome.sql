-- What became of requests whose outcome is not known: a crash has left them
-- behind, or their answer was lost, or Xero has failed.  They have a key, and no
-- outcome.
--
-- Everything has been read since they were sent.  So what they have made or changed
-- is among it, unless a filter of the sync hides it; it may have been edited since.
--
-- A create is sent again with its key as long as Xero remembers that: the answer
-- tells what was made, then or now.  Later it is looked for.  A change was stored
-- if the record shows something that was sent and that it did not have before.
-- What was not stored goes anew, with another key.  When a request was sent is told by
-- Xero's clock: ours may have been set since.

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

-- Does what Xero shows say what was sent, but for what Xero makes of values?  It
-- trims texts and rounds amounts, which may come as texts, and an object gets more
-- members.  An array may get elements that say nothing: no more than one member, such
-- as a type, has a value.
CREATE FUNCTION xero_fdw._shows(now jsonb, sent jsonb) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	number CONSTANT text := '^-?[0-9]+(\.[0-9]+)?$';
BEGIN
	IF xero_fdw._filled(now) IS NOT DISTINCT FROM xero_fdw._filled(sent) THEN
		RETURN true;
	ELSIF jsonb_typeof(now) = 'array' AND (jsonb_typeof(sent) = 'array' OR xero_fdw._filled(sent) IS NULL) THEN
		RETURN NOT EXISTS (SELECT FROM jsonb_path_query(sent, '$[*]') AS s(part)
				WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(now) AS n(part) WHERE xero_fdw._shows(n.part, s.part)))
			AND NOT EXISTS (SELECT FROM jsonb_array_elements(now) AS n(part)
				WHERE NOT EXISTS (SELECT FROM jsonb_path_query(sent, '$[*]') AS s(part) WHERE xero_fdw._shows(n.part, s.part))
					AND NOT (jsonb_typeof(n.part) = 'object' AND 2 > (SELECT count(xero_fdw._filled(m.value))
						FROM jsonb_each(CASE jsonb_typeof(n.part) WHEN 'object' THEN n.part ELSE '{}' END) AS m)));
	ELSIF jsonb_typeof(now) = 'object' AND jsonb_typeof(sent) = 'object' THEN
		RETURN NOT EXISTS (SELECT FROM jsonb_each(sent) AS m WHERE NOT xero_fdw._shows(now->m.key, m.value));
	ELSIF 'number' IN (jsonb_typeof(now), jsonb_typeof(sent))
		AND now #>> '{}' ~ number AND sent #>> '{}' ~ number THEN
		RETURN abs((now #>> '{}')::numeric - (sent #>> '{}')::numeric) <= 0.005;
	END IF;
	RETURN coalesce(btrim(regexp_replace(now #>> '{}', '\s+', ' ', 'g')) = btrim(regexp_replace(sent #>> '{}', '\s+', ' ', 'g')), false);
END $$;
COMMENT ON FUNCTION xero_fdw._shows(jsonb, jsonb) IS
	'internal: does a value of Xero''s say what was sent?';

-- May a record have been made of a row?  Where that has nothing, Xero may give something.
CREATE FUNCTION xero_fdw._shows_made(now jsonb, "row" jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._shows(now, coalesce(jsonb_object_agg(m.key, m.value), '{}'))
	FROM jsonb_each("row") AS m WHERE xero_fdw._filled(m.value) IS NOT NULL
$$;
COMMENT ON FUNCTION xero_fdw._shows_made(jsonb, jsonb) IS
	'internal: may a record have been made of a row?';

-- What was sent, as the answer would have shown it.
CREATE FUNCTION xero_fdw._as_shown(now jsonb, sent jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_object_agg(m.key,
		CASE WHEN xero_fdw._shows(now->m.key, m.value) THEN now->m.key ELSE m.value END), '{}')
	FROM jsonb_each(sent) AS m
$$;
COMMENT ON FUNCTION xero_fdw._as_shown(jsonb, jsonb) IS
	'internal: what was sent, as Xero shows what it has not changed since';

-- Rows turn out to have been stored by an earlier request.  The records that were
-- found are in the inbox, and merged: what differs from what was sent is an edit.
CREATE FUNCTION xero_fdw._settle_found(run bigint, sync integer,
		intents xero_fdw.sync_intent[], ids text[], records jsonb[], times timestamptz[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given_up CONSTANT jsonb[] := xero_fdw._given_up(intents);
BEGIN
	INSERT INTO xero_fdw.sync_inbox AS x (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT sync, i.tenant_id, u.id, u.remote, u.updated_at
	FROM unnest(intents) WITH ORDINALITY AS i
		JOIN unnest(ids, records, times) WITH ORDINALITY AS u(id, remote, updated_at, n) ON n = i.ordinality
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET held = false;
	PERFORM xero_fdw._settle_stored(run, sync, intents, ids, ARRAY(
		SELECT xero_fdw._as_shown(u.remote, i."row")
		FROM unnest(intents) WITH ORDINALITY AS i
			JOIN unnest(records) WITH ORDINALITY AS u(remote, n) ON n = i.ordinality
		ORDER BY n), true);
	PERFORM xero_fdw._retry_duplicates(sync, given_up);
END $$;
COMMENT ON FUNCTION xero_fdw._settle_found(bigint, integer, xero_fdw.sync_intent[], text[], jsonb[], timestamptz[]) IS
	'internal: settle rows that an earlier request has stored';

-- Looks for the record that a create has made among what was read and, if a filter
-- may have kept it from that, in Xero.  It cannot be one that has a row, was known or is
-- older than the request, or shows what a namesake has sent.  More than one that it
-- could be are an issue.
CREATE FUNCTION xero_fdw._find_created(run bigint, intent xero_fdw.sync_intent) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names CONSTANT text[] := xero_fdw._natural_columns(intent.sync_id, intent."row");
	wanted CONSTANT text := xero_fdw._match_key(intent."row", names);
	clocks_differ CONSTANT interval := '60 seconds';
	since CONSTANT timestamptz := intent.first_sent - clocks_differ;
	sent_here CONSTANT timestamptz := intent.first_sent - xero_fdw._clock_offset();
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
		AND NOT EXISTS (SELECT FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = i.sync_id AND k.tenant_id = i.tenant_id AND k.xero_id = i.xero_id
				AND (k.local_key IS NOT NULL OR k.seen_at < sent_here))
		AND xero_fdw._may_be_made(intent, i.remote)
		AND (xero_fdw._shows_made(i.remote, intent."row") OR NOT EXISTS (
			SELECT FROM xero_fdw.sync_intent AS o
			WHERE o.sync_id = intent.sync_id AND o.tenant_id = intent.tenant_id
				AND o.operation = 'insert' AND o.idempotency_key IS NOT NULL
				AND xero_fdw._match_key(o."row", names) = wanted
				AND xero_fdw._shows_made(i.remote, o."row")));
	IF found.ids IS NULL AND filtered THEN
		SELECT array_agg(f.xero_id) AS ids, array_agg(f.remote) AS records,
			array_agg(f.updated_at) AS times
		INTO found
		FROM xero_fdw._find_records(intent.sync_id, intent.tenant_id, intent."row", names) AS f
		WHERE coalesce(f.updated_at >= since, true)
			AND NOT xero_fdw._has_row(intent, f.xero_id);
	END IF;
	IF cardinality(found.ids) = 1 THEN
		PERFORM xero_fdw._settle_found(run, intent.sync_id, ARRAY[intent], found.ids, found.records, found.times);
	ELSIF found.ids IS NOT NULL THEN
		DELETE FROM xero_fdw.sync_intent AS i WHERE i.intent_id = intent.intent_id;
		PERFORM xero_fdw._note_issue(intent.link_id, 'ambiguous', NULL,
			'the row was sent to Xero, and more than one record there may be what became of it',
			'08007', to_jsonb(found.ids));
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._find_created(bigint, xero_fdw.sync_intent) IS
	'internal: look for the record that a create has made';

-- The records of a request as they are, if they have changed since both sides agreed
-- last.  With "look", those that are not among what was read are asked for by their
-- keys, with one call: a filter may hide them, or they are again what they were.
CREATE FUNCTION xero_fdw._changed_records(sync integer, key text, look boolean)
	RETURNS TABLE (intent xero_fdw.sync_intent, link xero_fdw.sync_link, remote jsonb, updated_at timestamptz)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	hidden record;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	IF look THEN
		SELECT array_agg(k.xero_id) AS ids, min(k.tenant_id::text)::uuid AS tenant INTO hidden
		FROM xero_fdw.sync_intent AS i JOIN xero_fdw.sync_link AS k ON k.link_id = i.link_id
		WHERE i.sync_id = sync AND i.idempotency_key = key AND NOT EXISTS (SELECT FROM xero_fdw.sync_inbox AS x
			WHERE x.sync_id = sync AND x.tenant_id = k.tenant_id AND x.xero_id = k.xero_id);
		INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id, remote, updated_at)
		SELECT sync, hidden.tenant, r.* FROM xero_fdw._records_by_key(self, hidden.tenant, hidden.ids) AS r;
	END IF;
	RETURN QUERY
	SELECT i, k, x.remote, x.updated_at
	FROM xero_fdw.sync_intent AS i JOIN xero_fdw.sync_link AS k ON k.link_id = i.link_id
		JOIN xero_fdw.sync_inbox AS x ON x.sync_id = sync AND x.tenant_id = k.tenant_id AND x.xero_id = k.xero_id
	WHERE i.sync_id = sync AND i.idempotency_key = key AND x.remote IS NOT NULL
		AND coalesce(x.updated_at > k.xero_updated_at, x.remote IS DISTINCT FROM k.base_xero)
	ORDER BY i.intent_id;
END $$;
COMMENT ON FUNCTION xero_fdw._changed_records(integer, text, boolean) IS
	'internal: the records of a request that have changed at Xero';

CREATE FUNCTION xero_fdw._records_by_key(self xero_fdw.sync, tenant uuid, ids text[])
	RETURNS TABLE (xero_id text, remote jsonb, updated_at timestamptz)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET xero_fdw.mark_bad_text = on AS $$
BEGIN
	IF cardinality(ids) > 0 THEN
		RETURN QUERY SELECT r.* FROM xero_fdw._as_caller(self.search_path, xero_fdw._records_query(self.sync_id, concat_ws(' AND ',
			(SELECT format('xero.%I OPERATOR(pg_catalog.=) $1', c) FROM xero_fdw._tenant_column(self.xero_table) AS c WHERE c IS NOT NULL),
			(SELECT format('xero.%I OPERATOR(pg_catalog.=) ANY (%L::%s[])', a.attname, ids, xero_fdw._type_name(a.atttypid, a.atttypmod))
				FROM pg_attribute AS a WHERE a.attrelid = self.xero_table AND a.attname = self.xero_key))), tenant)
			AS r(xero_id text, remote jsonb, updated_at timestamptz);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._records_by_key(xero_fdw.sync, uuid, text[]) IS
	'internal: records in Xero by their keys, whatever the filter says';

-- Changes that were stored: the record shows what was sent where it had something
-- else before.  If it was merged into another one meanwhile, that does not matter.
CREATE FUNCTION xero_fdw._find_updated(run bigint, sync integer, key text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found record;
BEGIN
	SELECT array_agg(c.intent) AS intents, array_agg((c.link).xero_id) AS ids,
		array_agg(c.remote) AS records, array_agg(c.updated_at) AS times
	INTO found
	FROM xero_fdw._changed_records(sync, key,
		(SELECT s.xero_filter IS NOT NULL FROM xero_fdw.sync AS s WHERE s.sync_id = sync)) AS c
	WHERE c.remote->>(SELECT xero_fdw._column_of(s.xero_table, 'MergedToContactID') FROM xero_fdw.sync AS s WHERE s.sync_id = sync) IS NULL
		AND EXISTS (SELECT FROM jsonb_each((c.intent)."row") AS m
		WHERE (c.link).base_xero ? m.key AND xero_fdw._shows(c.remote->m.key, m.value)
			AND NOT xero_fdw._shows((c.link).base_xero->m.key, m.value));
	IF found.ids IS NOT NULL THEN
		PERFORM xero_fdw._settle_found(run, sync, found.intents, found.ids, found.records, found.times);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._find_updated(bigint, integer, text) IS
	'internal: settle changes that were stored';

-- Records that were to end, have changed since, and have not ended: somebody has
-- brought them back, or edited them before.  That is for a person to say, as
-- if nobody had deleted the row.
CREATE FUNCTION xero_fdw._find_revived(sync integer, key text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	links bigint[];
BEGIN
	SELECT array_agg((c.link).link_id) INTO links
	FROM xero_fdw._changed_records(sync, key, true) AS c
		JOIN xero_fdw.sync AS s ON s.sync_id = sync
		CROSS JOIN xero_fdw._push_rules(s.xero_table, 'delete') AS rules
	WHERE coalesce(c.remote->>rules.status <> ALL (rules.ends), true);
	UPDATE xero_fdw.sync_link AS k SET deleted = false WHERE k.link_id = ANY (links);
	UPDATE xero_fdw.sync_inbox AS x SET held = false FROM xero_fdw.sync_link AS k
	WHERE k.link_id = ANY (links) AND x.sync_id = sync AND x.tenant_id = k.tenant_id AND x.xero_id = k.xero_id;
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.link_id = ANY (links);
END $$;
COMMENT ON FUNCTION xero_fdw._find_revived(integer, text) IS
	'internal: let a person settle what was to end and has changed since';

-- Records that have ended, as they were to.  A row that was inserted since and says the
-- same is another one, as it would be if the answer had come.
CREATE FUNCTION xero_fdw._find_ended(sync integer, key text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	id_column CONSTANT text := xero_fdw._id_column(sync);
	ended CONSTANT bigint[] := xero_fdw._ended_links(sync, key);
	again record;
BEGIN
	SELECT array_agg(k.link_id) AS links, array_agg(k.local_key) AS keys INTO again
	FROM xero_fdw.sync_link AS k
	WHERE k.link_id = ANY (ended) AND NOT k.deleted AND jsonb_typeof(k.local_key) = 'array';
	UPDATE xero_fdw.sync_link AS k
	SET local_key = jsonb_build_object('was', k.local_key, 'link', k.link_id), deleted = true
	WHERE k.link_id = ANY (again.links);
	INSERT INTO xero_fdw.sync_link (sync_id, local_key, match_key, state)
	SELECT sync, r.local_key, xero_fdw._row_key(r.image, id_column, s.match_on), 'unlinked'
	FROM xero_fdw._read_local(sync, again.keys, false) AS r JOIN xero_fdw.sync AS s ON s.sync_id = sync
	WHERE r.in_scope IS NOT FALSE;
	PERFORM xero_fdw._settle_ended(sync, ended);
END $$;
COMMENT ON FUNCTION xero_fdw._find_ended(integer, text) IS
	'internal: settle ends that were stored';

-- The requests whose outcome is not known.  Creates are to be sent again as long as Xero
-- remembers their keys.  Nobody knows whether Xero would do the work of one that has
-- failed, or tell of the failure again, so that one goes on in parts.
CREATE FUNCTION xero_fdw._unknown_requests(sync integer, tenants uuid[])
	RETURNS TABLE (key text, operation text, send_again boolean)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	memory CONSTANT interval := '5 minutes';
	forgotten CONSTANT timestamptz := clock_timestamp() + xero_fdw._clock_offset() - memory;
BEGIN
	RETURN QUERY
		SELECT i.idempotency_key, min(i.operation), min(i.operation) = 'insert'
			AND bool_and(i.problem IS NULL) AND min(s.direction) <> 'pull' AND min(i.first_sent) > forgotten
		FROM xero_fdw.sync_intent AS i JOIN xero_fdw.sync AS s USING (sync_id)
		WHERE i.sync_id = sync AND i.idempotency_key IS NOT NULL AND i.tenant_id = ANY (tenants)
		GROUP BY i.idempotency_key ORDER BY min(i.intent_id);
END $$;
COMMENT ON FUNCTION xero_fdw._unknown_requests(integer, uuid[]) IS
	'internal: the requests whose outcome is not known, and whether they are to be sent again';

-- Settles them, but for one that is to be sent again, whose key is returned.  A sync that
-- only pulls by now sends nothing.  A plan sends nothing either: what Xero would answer
-- is taken to be what can be found there.
CREATE FUNCTION xero_fdw._settle_unknown(run bigint, sync integer, tenants uuid[]) RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pulls CONSTANT boolean := (SELECT s.direction = 'pull' FROM xero_fdw.sync AS s
		WHERE s.sync_id = sync);
	request record;
BEGIN
	FOR request IN SELECT * FROM xero_fdw._unknown_requests(sync, tenants)
	LOOP
		IF request.send_again AND run IS NOT NULL THEN
			RETURN request.key;
		END IF;
		CASE request.operation
		WHEN 'insert' THEN
			PERFORM xero_fdw._find_created(run, i) FROM xero_fdw.sync_intent AS i
			WHERE i.sync_id = sync AND i.idempotency_key = request.key ORDER BY i.intent_id;
		WHEN 'update' THEN PERFORM xero_fdw._find_updated(run, sync, request.key);
		ELSE
			PERFORM xero_fdw._find_revived(sync, request.key);
			PERFORM xero_fdw._find_ended(sync, request.key);
		END CASE;
		IF pulls THEN
			DELETE FROM xero_fdw.sync_intent AS i WHERE i.sync_id = sync AND i.idempotency_key = request.key;
		ELSE
			-- what is an issue waits until it is due
			DELETE FROM xero_fdw.sync_intent AS i WHERE i.sync_id = sync AND i.idempotency_key = request.key
				AND i.problem IS NULL AND xero_fdw._has_failed(i.link_id);
			PERFORM xero_fdw._withdraw_request(request.key);
		END IF;
	END LOOP;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION xero_fdw._settle_unknown(bigint, integer, uuid[]) IS
	'internal: settle requests of unknown outcome; the key of one that is to be sent again';
