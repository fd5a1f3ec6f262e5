-- Which record and which row belong together, before anything is created: by the
-- id that a row has, or by the columns of match_on.  More than one candidate is
-- an issue for a person, never a guess.

-- The key of a row, or the one that it had.
CREATE FUNCTION xero_fdw._shown_key(key jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN pg_catalog.jsonb_typeof(key) OPERATOR(pg_catalog.=) 'object' THEN key OPERATOR(pg_catalog.->) 'was' ELSE key END
$$;
COMMENT ON FUNCTION xero_fdw._shown_key(jsonb) IS
	'internal: the key of a row, or the one that it had';

-- Notes an issue of a link, or that it is still there.
CREATE FUNCTION xero_fdw._note_issue(the_link bigint, the_kind text,
		the_field text, the_message text, the_sqlstate text, the_payload jsonb)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE xero_fdw.sync_issue AS i
	SET message = the_message, sqlstate = the_sqlstate, payload = the_payload,
		local_key = xero_fdw._shown_key(k.local_key), last_seen = clock_timestamp(), attempts = i.attempts + 1
	FROM xero_fdw.sync_link AS k
	WHERE k.link_id = the_link AND i.link_id = the_link AND i.kind = the_kind
		AND i.field IS NOT DISTINCT FROM the_field;
	IF NOT FOUND THEN
		INSERT INTO xero_fdw.sync_issue (sync_id, link_id, tenant_id, local_key,
			xero_id, kind, field, message, sqlstate, payload)
		SELECT k.sync_id, k.link_id, k.tenant_id, xero_fdw._shown_key(k.local_key), k.xero_id,
			the_kind, the_field, the_message, the_sqlstate, the_payload
		FROM xero_fdw.sync_link AS k WHERE k.link_id = the_link;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._note_issue(bigint, text, text, text, text, jsonb) IS
	'internal: note what is wrong with a link';

-- Like _in_terms_of(), with null for an image that an expression fails on; what is
-- wrong with it is told when it is merged.
CREATE FUNCTION xero_fdw._terms_or_null(sync integer, side text, images jsonb[],
		also text[]) RETURNS jsonb[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	half CONSTANT integer := cardinality(images) / 2;
BEGIN
	RETURN xero_fdw._in_terms_of(sync, side, images, also);
EXCEPTION WHEN OTHERS THEN
	IF NOT xero_fdw._may_be_row_error(SQLSTATE) THEN
		RAISE;
	ELSIF half = 0 THEN
		RETURN ARRAY[NULL::jsonb];
	END IF;
	RETURN xero_fdw._terms_or_null(sync, side, images[:half], also)
		|| xero_fdw._terms_or_null(sync, side, images[half + 1:], also);
END $$;
COMMENT ON FUNCTION xero_fdw._terms_or_null(integer, text, jsonb[], text[]) IS
	'internal: what images of one side are on the other, as far as that can be said';

-- Is this the fault of one row's data, so that the others may go on?  All is that
-- is not the fault of the definition or its rights, of the transaction, or of a
-- server: triggers may raise codes of their own.
CREATE FUNCTION xero_fdw._is_row_error(code text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT left(code, 2) NOT IN ('08', '25', '28', '2D', '3B', '3D', '3F', '40', '42', '53', '57', '58', 'F0', 'HV', 'XX')
		AND code NOT IN ('55006', '55P03') OR code = '428C9'
$$;
COMMENT ON FUNCTION xero_fdw._is_row_error(text) IS
	'internal: is this error the fault of one row''s data?';

-- What a trigger or an expression does may depend on the row, so an error that looks
-- like the definition's may be that of some rows: nobody else has it.
CREATE FUNCTION xero_fdw._may_be_row_error(code text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._is_row_error(code) OR left(code, 2) IN ('3F', '42')
$$;
COMMENT ON FUNCTION xero_fdw._may_be_row_error(text) IS
	'internal: may this error be the fault of some rows'' data?';

-- Does a row wait for a partner?
CREATE FUNCTION xero_fdw._has_waiting_rows(sync integer) RETURNS boolean
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND k.match_key IS NOT NULL AND k.xero_id IS NULL
			AND k.state IN ('unlinked', 'ignored'))
$$;
COMMENT ON FUNCTION xero_fdw._has_waiting_rows(integer) IS
	'internal: does a row wait for a partner?';

-- Gives links to the records of the inbox that have none, with the key to match
-- them by, and new keys to those that have no partner yet.
CREATE FUNCTION xero_fdw._absorb(sync integer) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	batch CONSTANT integer := 5000;
	columns CONSTANT text[] := (SELECT s.match_on FROM xero_fdw.sync AS s WHERE s.sync_id = sync);
	after_tenant uuid := '00000000-0000-0000-0000-000000000000';
	after_id text := '';
	tenants uuid[];
	ids text[];
	images jsonb[];
BEGIN
	LOOP
		SELECT array_agg(i.tenant_id ORDER BY i.tenant_id, i.xero_id),
			array_agg(i.xero_id ORDER BY i.tenant_id, i.xero_id),
			array_agg(i.remote ORDER BY i.tenant_id, i.xero_id)
		INTO tenants, ids, images
		FROM (SELECT i.tenant_id, i.xero_id, i.remote FROM xero_fdw.sync_inbox AS i
				LEFT JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
					WHERE k.sync_id = sync AND k.xero_id = i.xero_id AND k.tenant_id = i.tenant_id OFFSET 0) AS k ON true
			WHERE i.sync_id = sync AND NOT i.held AND i.remote IS NOT NULL
				AND (i.tenant_id, i.xero_id) > (after_tenant, after_id)
				AND (k.link_id IS NULL OR k.local_key IS NULL)
			ORDER BY i.tenant_id, i.xero_id LIMIT (SELECT batch)) AS i;
		EXIT WHEN ids IS NULL;
		IF columns IS NOT NULL THEN
			images := xero_fdw._terms_or_null(sync, 'local', images, columns);
		END IF;
		INSERT INTO xero_fdw.sync_link AS k (sync_id, tenant_id, xero_id, match_key, state)
		SELECT sync, r.tenant_id, r.xero_id,
			xero_fdw._match_key(r.image, columns), 'unlinked'
		FROM unnest(tenants, ids, images) AS r(tenant_id, xero_id, image)
		ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
			SET match_key = excluded.match_key WHERE k.match_key IS DISTINCT FROM excluded.match_key;
		after_tenant := tenants[cardinality(tenants)];
		after_id := ids[cardinality(ids)];
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._absorb(integer) IS
	'internal: give links to the records of the inbox that have none';

-- Records that have ended with their rows, and that somebody has brought back since, are
-- new.
CREATE FUNCTION xero_fdw._renew_revived(self xero_fdw.sync) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	UPDATE xero_fdw.sync_link AS k
	SET local_key = NULL, state = 'unlinked', deleted = false, base_xero = NULL, base_local = NULL, match_key = NULL
	WHERE self.on_delete = 'archive' AND self.direction <> 'pull' AND k.link_id = ANY (ARRAY(
		SELECT e.link_id
		FROM xero_fdw._push_rules(self.xero_table, 'delete') AS rules, xero_fdw.sync_inbox AS i,
			LATERAL (SELECT * FROM xero_fdw.sync_link AS e
				WHERE e.sync_id = i.sync_id AND e.xero_id = i.xero_id AND e.tenant_id = i.tenant_id OFFSET 0) AS e
		WHERE i.sync_id = self.sync_id AND NOT i.held AND i.remote->>rules.status <> ALL (rules.ends)
			AND e.state = 'ended' AND e.deleted AND e.base_xero->>rules.status = ANY (rules.ends)))
$$;
COMMENT ON FUNCTION xero_fdw._renew_revived(xero_fdw.sync) IS
	'internal: let records that were ended, and are there again, be new';

-- Rows that name records, but whose values of match_on are those of other records,
-- and not of the ones that they name: which record they are cannot be told.
CREATE FUNCTION xero_fdw._contradictions(self xero_fdw.sync, rs bigint[], ls bigint[])
	RETURNS TABLE (r bigint, l bigint, other bigint)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	odd record;
BEGIN
	IF self.match_on IS NULL OR rs IS NULL THEN
		RETURN;
	END IF;
	WITH named AS MATERIALIZED (
		SELECT p.r, p.l, n.tenant_id, n.match_key, k.local_key
		FROM unnest(rs, ls) AS p(r, l)
			JOIN xero_fdw.sync_link AS k ON k.link_id = p.l
			JOIN xero_fdw.sync_link AS n ON n.link_id = p.r
		WHERE k.match_key LIKE '=%'
	)
	SELECT array_agg(n.r) AS rs, array_agg(n.l) AS ls, array_agg(n.tenant_id) AS tenants, array_agg(row.says) AS says
	INTO odd
	FROM (SELECT i.local_key, xero_fdw._match_key(i.image, self.match_on) AS says
			FROM xero_fdw._read_local(self.sync_id, ARRAY(SELECT n.local_key FROM named AS n), false) AS i) AS row
		JOIN named AS n USING (local_key)
	WHERE row.says <> coalesce(n.match_key, '');
	IF odd.rs IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY
		WITH known AS MATERIALIZED (
			SELECT k.link_id, k.tenant_id, coalesce(k.match_key, xero_fdw._match_key(k.base_local, self.match_on)) AS says
			FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = self.sync_id AND k.xero_id IS NOT NULL AND k.state <> 'ended'
		)
		SELECT o.r, o.l, known.link_id
		FROM unnest(odd.rs, odd.ls, odd.tenants, odd.says) AS o(r, l, tenant_id, says)
			JOIN known USING (tenant_id, says)
		WHERE known.link_id <> o.r;
END $$;
COMMENT ON FUNCTION xero_fdw._contradictions(xero_fdw.sync, bigint[], bigint[]) IS
	'internal: rows that name records and are matched by what others say';

-- Rows that name a record have the match key "=" and its id.
CREATE FUNCTION xero_fdw._has_named_rows(sync integer) RETURNS boolean
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND k.match_key >= '=' AND k.match_key < '>')
$$;
COMMENT ON FUNCTION xero_fdw._has_named_rows(integer) IS
	'internal: does a row that names its record wait for it?';

-- The match keys that may join a record and a row that are not joined yet: those of
-- rows that have changed, of records in the inbox, and of what is ambiguous.  All
-- others were looked at before, and have found nobody.
CREATE FUNCTION xero_fdw._new_match_keys(sync integer) RETURNS text[]
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(
		SELECT DISTINCT m.key
		FROM (
			SELECT k.* FROM xero_fdw._touched_links(sync) AS k
			UNION ALL
			SELECT k.* FROM xero_fdw.sync_issue AS i,
				LATERAL (SELECT * FROM xero_fdw.sync_link AS k WHERE k.link_id = i.link_id OFFSET 0) AS k
			WHERE i.sync_id = sync AND i.kind = 'ambiguous') AS k
			CROSS JOIN LATERAL (VALUES (k.match_key), (CASE WHEN named.exist THEN '=' || k.xero_id END)) AS m(key)
		WHERE (k.xero_id IS NULL OR k.local_key IS NULL) AND m.key IS NOT NULL)
	FROM xero_fdw._has_named_rows(sync) AS named(exist)
$$;
COMMENT ON FUNCTION xero_fdw._new_match_keys(integer) IS
	'internal: the match keys of what may have found a partner';

-- Joins the links of records and rows that belong together, files the ambiguous
-- ones as issues, and frees those that are not any more.
CREATE FUNCTION xero_fdw._match(sync integer) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	new_keys CONSTANT text[] := xero_fdw._new_match_keys(sync);
	names CONSTANT boolean := xero_fdw._has_named_rows(sync);
	pairs record;
	odd record;
	unclear record;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	WITH l AS (
		SELECT k.link_id, k.tenant_id, k.state, k.match_key
		FROM unnest(new_keys) AS u(key), LATERAL (SELECT * FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = sync AND k.match_key = u.key OFFSET 0) AS k
		WHERE k.xero_id IS NULL AND k.state IN ('unlinked', 'ignored') AND NOT k.deleted
	), candidate AS (
		SELECT r.link_id AS r, l.link_id AS l, r.state AS r_state, l.state AS l_state
		FROM l, LATERAL (SELECT * FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = sync AND k.match_key = l.match_key OFFSET 0) AS r
		WHERE r.local_key IS NULL AND r.state IN ('unlinked', 'ignored') AND coalesce(l.tenant_id = r.tenant_id, true)
			AND (names AND EXISTS (SELECT FROM (SELECT * FROM xero_fdw.sync_link AS k
					WHERE k.sync_id = sync AND k.match_key = '=' || r.xero_id OFFSET 0) AS k
				WHERE k.xero_id IS NULL AND k.state IN ('unlinked', 'ignored') AND NOT k.deleted)) IS NOT TRUE
		UNION ALL
		SELECT r.link_id, l.link_id, 'unlinked', 'unlinked'
		FROM l, LATERAL (SELECT * FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = sync AND k.xero_id = substr(l.match_key, 2) OFFSET 0) AS r
		WHERE l.match_key LIKE '=%' AND r.local_key IS NULL AND r.state IN ('unlinked', 'ignored') AND coalesce(l.tenant_id = r.tenant_id, true)
	), counted AS (
		SELECT *, count(*) OVER (PARTITION BY r) AS ls, count(*) OVER (PARTITION BY l) AS rs
		FROM candidate
		WHERE r_state = 'unlinked' OR l_state = 'unlinked'
	)
	SELECT array_agg(r) FILTER (WHERE ls = 1 AND rs = 1) AS rs,
		array_agg(l) FILTER (WHERE ls = 1 AND rs = 1) AS ls,
		array_agg(r) FILTER (WHERE (ls > 1 OR rs > 1) AND r_state = 'unlinked') AS unclear_rs,
		array_agg(l) FILTER (WHERE (ls > 1 OR rs > 1) AND l_state = 'unlinked') AS unclear_ls
	INTO pairs FROM counted;
	SELECT array_agg(c.r) AS rs, array_agg(c.l) AS ls, array_agg(c.other) AS others INTO odd
	FROM xero_fdw._contradictions(self, pairs.rs, pairs.ls) AS c;

	WITH pair AS (
		SELECT * FROM unnest(pairs.rs, pairs.ls) AS p(r, l)
		WHERE (p.r IN (SELECT unnest(odd.rs || odd.others))) IS NOT TRUE
	)
	SELECT array_agg(p.r) AS rs, array_agg(p.l) AS ls, array_agg(k.local_key) AS keys,
		array_agg(k.local_updated_at) AS times, array_agg(k.first) AS firsts
	INTO unclear
	FROM pair AS p JOIN xero_fdw.sync_link AS k ON k.link_id = p.l;
	PERFORM xero_fdw._drop_links(unclear.ls);
	INSERT INTO xero_fdw.sync_inbox AS i (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT sync, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
	FROM xero_fdw.sync_link AS k WHERE k.link_id = ANY (unclear.rs)
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET held = false;
	UPDATE xero_fdw.sync_link AS k
	SET local_key = p.local_key, local_updated_at = p.updated_at, state = 'linked', match_key = NULL, deleted = false,
		first = k.first AND p.first,
		base_xero = CASE WHEN k.deleted THEN xero_fdw._marks_of_lacking(sync) || k.base_xero END,
		base_local = CASE WHEN k.deleted THEN k.base_local END
	FROM unnest(unclear.rs, unclear.keys, unclear.times, unclear.firsts) AS p(r, local_key, updated_at, first)
	WHERE k.link_id = p.r;

	PERFORM xero_fdw._file_ambiguous(sync, pairs.unclear_rs || pairs.unclear_ls,
		odd.rs || odd.ls || odd.others, new_keys);
END $$;
COMMENT ON FUNCTION xero_fdw._match(integer) IS
	'internal: join the links of records and rows that belong together';

-- Issues for links with several candidates, for rows that name a record that is not
-- known, and for those of a contradiction.  What is not ambiguous any more is
-- merged again, and what was deleted is deleted.  Of pairs, _save() files what is not
-- clear about them.
CREATE FUNCTION xero_fdw._file_ambiguous(sync integer, unclear bigint[], contradicting bigint[],
		new_keys text[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lost CONSTANT bigint[] := ARRAY(SELECT k.link_id
		FROM xero_fdw.sync AS s, unnest(new_keys) AS u(key),
			LATERAL (SELECT * FROM xero_fdw.sync_link AS k
				WHERE k.sync_id = sync AND k.match_key = u.key OFFSET 0) AS k
		WHERE s.sync_id = sync AND s.direction <> 'pull' AND u.key LIKE '=%'
			AND k.xero_id IS NULL AND k.state = 'unlinked');
	cleared bigint[];
BEGIN
	WITH gone AS (
		DELETE FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = sync AND i.kind = 'ambiguous' AND i.sqlstate IS NULL
			AND i.link_id <> ALL (coalesce(unclear, '{}') || coalesce(contradicting, '{}') || lost)
			AND NOT EXISTS (SELECT FROM xero_fdw.sync_link AS k
				WHERE k.link_id = i.link_id AND k.xero_id IS NOT NULL AND k.local_key IS NOT NULL)
		RETURNING i.link_id
	)
	SELECT array_agg(link_id) INTO cleared FROM gone;
	-- nobody is the row that was deleted
	UPDATE xero_fdw.sync_link AS k
	SET local_key = jsonb_build_object('was', NULL, 'link', k.link_id), state = 'linked'
	WHERE k.link_id = ANY (cleared) AND k.deleted AND k.local_key IS NULL;
	UPDATE xero_fdw.sync_inbox AS i SET held = false
	FROM xero_fdw.sync_link AS k
	WHERE k.link_id = ANY (cleared) AND i.sync_id = sync
		AND i.tenant_id = k.tenant_id AND i.xero_id = k.xero_id;
	INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
	SELECT sync, 'update', k.local_key, coalesce(k.local_updated_at, '-infinity')
	FROM xero_fdw.sync_link AS k
	WHERE k.link_id = ANY (cleared) AND k.local_key IS NOT NULL AND k.xero_id IS NULL;

	PERFORM xero_fdw._note_issue(k.link_id, 'ambiguous', NULL,
		CASE WHEN k.link_id = ANY (contradicting)
			THEN CASE WHEN k.xero_id IS NULL
				THEN format('the row names record %s, and its values of match_on are another record''s', substr(k.match_key, 2))
				ELSE 'a row has the values of match_on of one record, and names another' END
			WHEN k.link_id = ANY (lost)
			THEN format('the row names record %s, which is not known or has another row', substr(k.match_key, 2))
			ELSE 'more than one record or row has these values of match_on' END,
		NULL, to_jsonb(k.match_key))
	FROM xero_fdw.sync_link AS k
	WHERE (k.link_id = ANY (unclear || lost) OR k.link_id = ANY (contradicting) AND (k.xero_id IS NULL OR k.local_key IS NULL))
		AND NOT EXISTS (SELECT FROM xero_fdw.sync_issue AS i
			WHERE i.link_id = k.link_id AND i.kind = 'ambiguous'
				AND i.payload = to_jsonb(k.match_key));
END $$;
COMMENT ON FUNCTION xero_fdw._file_ambiguous(integer, bigint[], bigint[], text[]) IS
	'internal: file what is ambiguous, and free what is not any more';

-- After a TRUNCATE, where nothing but a record's id tells rows apart: as long as there
-- are rows that name no record, and records that have lost their rows, both wait.
CREATE FUNCTION xero_fdw._file_strangers(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	code CONSTANT text := '55000';
	filed CONSTANT bigint[] := ARRAY(SELECT i.link_id FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = self.sync_id AND i.kind = 'ambiguous' AND i.sqlstate = code);
	anew CONSTANT boolean := self.match_on IS NULL AND EXISTS (SELECT FROM xero_fdw.sync_position AS p
		WHERE p.sync_id = self.sync_id AND NOT p.initial_done);
	strange bigint[];
	lost bigint[];
BEGIN
	IF self.mirror OR NOT anew AND filed = '{}' THEN
		RETURN;
	END IF;
	strange := ARRAY(SELECT k.link_id FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = self.sync_id AND k.state = 'unlinked' AND k.xero_id IS NULL AND k.match_key IS NULL AND NOT k.deleted
			AND (anew OR k.link_id = ANY (filed)));
	lost := ARRAY(SELECT k.link_id FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = self.sync_id AND k.state = 'unlinked' AND k.local_key IS NULL
			AND (anew AND k.base_xero IS NOT NULL OR k.link_id = ANY (filed)));
	IF strange <> '{}' AND lost <> '{}' THEN
		PERFORM xero_fdw._note_issue(u.link, 'ambiguous', NULL,
			'the table was truncated, and which of its rows belongs to which record is not known', code, NULL)
		FROM unnest(strange || lost) AS u(link) WHERE u.link <> ALL (filed);
	ELSE
		PERFORM xero_fdw._merge_again(i) FROM xero_fdw.sync_issue AS i WHERE i.link_id = ANY (filed) AND i.sqlstate = code;
		DELETE FROM xero_fdw.sync_issue AS i WHERE i.link_id = ANY (filed) AND i.sqlstate = code;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._file_strangers(xero_fdw.sync) IS
	'internal: file rows and records of which nobody knows whether they belong together';
