-- Filling the copies of a mirror: the records of a pull, their lines, what a copy
-- has refused, plans and audits.
--
-- Statements on a copy, where there may be triggers and expressions of users, run
-- in functions of their own, by the search path of whoever defined the mirror.

-- The statement that puts records into a copy.  "source" selects them, by the
-- names of the foreign table; "whole" says that there are no others.  It tells
-- how many they were, how many of them were there, which have made a difference,
-- which were taken out, and which had been refused before.
CREATE FUNCTION xero_fdw._mirror_statement(sync integer, source text,
		whole boolean) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('WITH page AS MATERIALIZED (%s), put AS (INSERT INTO %s AS l (%s) SELECT %s FROM page AS p'
			' ON CONFLICT (%s) DO %s RETURNING l.%I::text AS key)',
			source, s.local_table, columns.own, columns.page, key.own,
			coalesce(format('UPDATE SET (%s) = ROW(%s) WHERE (%s) IS DISTINCT FROM (%s)',
				others.own, others.excluded, others.local, others.excluded), 'NOTHING'), s.xero_key)
		|| CASE WHEN whole THEN format(', gone AS (DELETE FROM %s AS l WHERE l.tenant_id = $1'
			' AND NOT EXISTS (SELECT FROM page AS p WHERE %s) RETURNING l.%I::text AS key)',
			s.local_table, key.equal, s.xero_key) ELSE '' END
		|| format(' SELECT (SELECT count(*) FROM page),'
			' (SELECT count(*) FROM page AS p JOIN %s AS l ON %s AND l.tenant_id = $1),'
			' ARRAY(SELECT key FROM put), ARRAY(%s),'
			' ARRAY(SELECT p.%I::text FROM page AS p WHERE p.%I::text IN (SELECT i.xero_id FROM xero_fdw.sync_inbox AS i WHERE i.sync_id = %s AND i.tenant_id = $1 AND i.remote <> ''{}''))',
			s.local_table, key.equal,
			CASE WHEN whole THEN 'SELECT key FROM gone' ELSE 'SELECT NULL::text WHERE false' END,
			s.xero_key, s.xero_key, s.sync_id)
	FROM xero_fdw.sync AS s,
		LATERAL (
			SELECT string_agg(quote_ident(f.field), ', ') AS own,
				string_agg(format('p.%I', f.field), ', ') AS page
			FROM xero_fdw.sync_field AS f WHERE f.sync_id = s.sync_id
		) AS columns,
		LATERAL (
			SELECT string_agg(quote_ident(f.field), ', ') AS own,
				string_agg(format('l.%I', f.field), ', ') AS local,
				string_agg(format('excluded.%I', f.field), ', ') AS excluded
			FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = s.sync_id AND f.field <> ALL (s.local_key)
		) AS others,
		LATERAL (
			SELECT string_agg(quote_ident(k), ', ') AS own,
				string_agg(format('p.%I = l.%I', k, k), ' AND ') AS equal
			FROM unnest(s.local_key) AS k
		) AS key
	WHERE s.sync_id = sync
$$;
COMMENT ON FUNCTION xero_fdw._mirror_statement(integer, text, boolean) IS
	'internal: the statement that puts records into a copy';

CREATE FUNCTION xero_fdw._mirror_put(sync integer, tenant uuid, statement text,
		watermark timestamptz, ids text[], OUT read bigint, OUT had bigint,
		OUT put text[], OUT gone text[], OUT refused text[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM xero_fdw._use_path(sync);
	EXECUTE statement INTO read, had, put, gone, refused USING tenant, watermark, ids;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_put(integer, uuid, text, timestamptz, text[]) IS
	'internal: put records into a copy';

-- What _lines() wants to know of a parent, from the copy "l".
CREATE FUNCTION xero_fdw._line_members(line regclass, parent regclass)
	RETURNS text
	LANGUAGE sql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('%L, l.%I', coalesce(p.known, own.attname, p.column_name), p.column_name), ', ')
	FROM xero_fdw._line_source(line) AS source,
		xero_fdw._list_columns(parent) AS p
		JOIN pg_attribute AS a ON a.attrelid = parent AND a.attname = p.column_name
		LEFT JOIN pg_attribute AS own ON own.attrelid = line AND EXISTS (
			SELECT FROM unnest(a.attfdwoptions) AS theirs, unnest(own.attfdwoptions) AS ours
			WHERE theirs LIKE 'field=%' AND lower(ours) = lower('field=../' || substr(theirs, 7)))
	WHERE p.known IN ('tenant_id', source.array_column) OR own.attname IS NOT NULL
$$;
COMMENT ON FUNCTION xero_fdw._line_members(regclass, regclass) IS
	'internal: the members of a record that the rows of a line table are made of';

-- Lines are made a hundred parents at a time: what is read of them is held in
-- memory.
CREATE FUNCTION xero_fdw._lines_statement(line xero_fdw.sync,
		parent xero_fdw.sync) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('INSERT INTO %s (%s) SELECT %s FROM pg_catalog.generate_series(1, pg_catalog.cardinality($2), 100) AS n,'
			' LATERAL (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(%s)) AS parents FROM %s AS l'
			' WHERE l.tenant_id = $1 AND l.%I = ANY (($2[n : n + 99])::%s[])) AS slice,'
			' ROWS FROM (xero_fdw._lines(NULL::%s, slice.parents)) WITH ORDINALITY AS line',
		line.local_table, string_agg(quote_ident(c.column_name), ', '),
		string_agg(CASE WHEN line.fields ? c.column_name THEN format('line.%I', c.column_name)
			ELSE format('pg_catalog.row_number() OVER (PARTITION BY line.%I ORDER BY line.ordinality)', line.xero_key) END, ', '),
		xero_fdw._line_members(line.xero_table, parent.xero_table), parent.local_table,
		parent.xero_key, parent.columns #>> ARRAY['local', 'columns', parent.xero_key], line.xero_table)
	FROM jsonb_object_keys(line.columns #> '{local,columns}') AS c (column_name)
$$;
COMMENT ON FUNCTION xero_fdw._lines_statement(xero_fdw.sync, xero_fdw.sync) IS
	'internal: the statement that makes the lines of records in a copy';

CREATE FUNCTION xero_fdw._mirror_run(sync integer, tenant uuid, keys text[],
		statement text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM xero_fdw._use_path(sync);
	EXECUTE statement USING tenant, keys;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_run(integer, uuid, text[], text) IS
	'internal: run a statement on rows of a copy';

CREATE FUNCTION xero_fdw._mirror_lines(line integer, tenant uuid, parents text[])
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	self xero_fdw.sync;
	parent xero_fdw.sync;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = line;
	SELECT * INTO STRICT parent FROM xero_fdw.sync AS s WHERE s.sync_id = self.parent_id;
	PERFORM xero_fdw._mirror_run(line, tenant, parents,
		format('DELETE FROM %s WHERE tenant_id = $1 AND %I = ANY ($2::%s[])', self.local_table, self.xero_key,
			self.columns #>> ARRAY['local', 'columns', self.xero_key]));
	PERFORM xero_fdw._mirror_run(line, tenant, parents, xero_fdw._lines_statement(self, parent));
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_lines(integer, uuid, text[]) IS
	'internal: replace the lines of records by what these have in the copy';

CREATE FUNCTION xero_fdw._mirror_all_lines(line integer) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent xero_fdw.sync;
	tenant uuid;
	keys text[];
BEGIN
	SELECT p.* INTO STRICT parent
	FROM xero_fdw.sync AS s JOIN xero_fdw.sync AS p ON p.sync_id = s.parent_id
	WHERE s.sync_id = line;
	FOR tenant, keys IN EXECUTE format(
			'SELECT tenant_id, array_agg(key) FROM (SELECT tenant_id, %I::text AS key,'
			' (row_number() OVER (PARTITION BY tenant_id) - 1) / 1000 AS n FROM %s) AS k GROUP BY tenant_id, n',
			parent.xero_key, parent.local_table) LOOP
		PERFORM xero_fdw._mirror_lines(line, tenant, keys);
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_all_lines(integer) IS
	'internal: make the lines of all records that a copy has';

-- Puts records into the copy, and their lines; how many they were.
CREATE FUNCTION xero_fdw._mirror_page(run bigint, sync integer, tenant uuid,
		source text, whole boolean, watermark timestamptz, ids text[])
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	page record;
	added bigint;
BEGIN
	page := xero_fdw._mirror_put(sync, tenant,
		xero_fdw._mirror_statement(sync, source, whole), watermark, ids);
	PERFORM xero_fdw._mirror_lines(s.sync_id, tenant, page.put || page.gone)
	FROM xero_fdw.sync AS s
	WHERE s.parent_id = sync AND page.put || page.gone <> '{}';
	IF page.refused <> '{}' THEN
		DELETE FROM xero_fdw.sync_inbox AS i
		WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = ANY (page.refused);
		DELETE FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = ANY (page.refused);
	END IF;
	added := page.read - page.had;
	UPDATE xero_fdw.sync_run AS r
	SET created = r.created + added,
		updated = r.updated + greatest(cardinality(page.put) - added, 0) + cardinality(page.gone),
		unchanged = r.unchanged + greatest(page.read - cardinality(page.put), 0)
	WHERE r.run_id = run;
	RETURN page.read;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_page(bigint, integer, uuid, text, boolean, timestamptz, text[]) IS
	'internal: put records and their lines into a copy';

-- All are compared with all, whatever the planner thinks of tables that were empty
-- when it last heard of them.
CREATE FUNCTION xero_fdw._mirror_missing(sync integer, tenant uuid)
	RETURNS TABLE (xero_id text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET enable_nestloop = off
AS $$
BEGIN
	RETURN QUERY EXECUTE (
		SELECT format('SELECT l.%I::text FROM %s AS l WHERE l.tenant_id = $1 AND NOT EXISTS (SELECT'
			' FROM xero_fdw.sync_inbox AS i WHERE i.sync_id = %s AND i.tenant_id = $1 AND i.xero_id = l.%I::text)',
			s.xero_key, s.local_table, sync, s.xero_key)
		FROM xero_fdw.sync AS s WHERE s.sync_id = sync) USING tenant;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_missing(integer, uuid) IS
	'internal: what is in a copy and not in the inbox';

CREATE FUNCTION xero_fdw._mirror_foresee(sync integer, tenant uuid,
		condition text, limits text, whole boolean, watermark timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	read CONSTANT bigint := xero_fdw._fill_inbox(sync, tenant,
		xero_fdw._records_query(sync, condition, limits), watermark);
BEGIN
	IF whole THEN
		INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id)
		SELECT sync, tenant, m.xero_id FROM xero_fdw._mirror_missing(sync, tenant) AS m;
	END IF;
	RETURN read;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_foresee(integer, uuid, text, text, boolean, timestamptz) IS
	'internal: read records into the inbox, and what is gone';

-- Reads records into the copy.  If it refuses one, or one has a text that cannot
-- be stored, they are read into the inbox, from where _mirror_inbox() finds out
-- which.
CREATE FUNCTION xero_fdw._mirror_read(run bigint, sync integer, tenant uuid,
		condition text, limits text, whole boolean, watermark timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source text;
BEGIN
	SELECT format('SELECT %s FROM %s AS xero WHERE %s %s',
		(SELECT string_agg(format('xero.%I', f.field), ', ') FROM xero_fdw.sync_field AS f WHERE f.sync_id = s.sync_id),
		s.xero_table, condition, limits)
	INTO STRICT source FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	RETURN xero_fdw._mirror_page(run, sync, tenant, source, whole, watermark, NULL);
EXCEPTION WHEN OTHERS THEN
	IF NOT xero_fdw._is_row_error(SQLSTATE) THEN
		RAISE;
	END IF;
	RETURN xero_fdw._fill_inbox(sync, tenant,
		xero_fdw._records_query(sync, condition, limits), watermark);
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_read(bigint, integer, uuid, text, text, boolean, timestamptz) IS
	'internal: read records into a copy; how many they were';

-- A chunk of a pull.  For a plan the records stay in the inbox.
CREATE FUNCTION xero_fdw._mirror_records(run bigint, sync integer, tenant uuid,
		condition text, limits text, watermark timestamptz) RETURNS bigint
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN run IS NULL
		THEN xero_fdw._mirror_foresee(sync, tenant, condition, limits, whole, watermark)
		ELSE xero_fdw._mirror_read(run, sync, tenant, condition, limits, whole, watermark) END
	FROM (VALUES (watermark IS NULL AND limits = '')) AS v (whole)
$$;
COMMENT ON FUNCTION xero_fdw._mirror_records(bigint, integer, uuid, text, text, timestamptz) IS
	'internal: read the records of a pull into a copy; how many they were';

-- Puts records of the inbox into the copy, by halves until those that are refused
-- stand alone.
CREATE FUNCTION xero_fdw._mirror_ids(run bigint, sync integer, tenant uuid,
		ids text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	half CONSTANT integer := cardinality(ids) / 2;
BEGIN
	PERFORM xero_fdw._mirror_page(run, sync, tenant, format('SELECT r.*'
			' FROM xero_fdw.sync_inbox AS i, jsonb_populate_record(NULL::%s, i.remote) AS r'
			' WHERE i.sync_id = %s AND i.tenant_id = $1 AND i.xero_id = ANY ($3)', s.xero_table, sync),
		false, NULL, ids)
	FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
EXCEPTION WHEN OTHERS THEN
	IF NOT xero_fdw._is_row_error(SQLSTATE) THEN
		RAISE;
	ELSIF half > 0 THEN
		PERFORM xero_fdw._mirror_ids(run, sync, tenant, ids[1 : half]);
		PERFORM xero_fdw._mirror_ids(run, sync, tenant, ids[half + 1 : cardinality(ids)]);
	ELSE
		PERFORM xero_fdw._mirror_issue(run, sync, tenant, ids[1], SQLERRM, SQLSTATE);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_ids(bigint, integer, uuid, text[]) IS
	'internal: put records of the inbox into a copy';

CREATE FUNCTION xero_fdw._mirror_issue(run bigint, sync integer, tenant uuid,
		id text, reason text, code text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	remote jsonb;
BEGIN
	UPDATE xero_fdw.sync_inbox AS i SET held = true
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = id
	RETURNING i.remote INTO remote;
	UPDATE xero_fdw.sync_issue AS i
	SET message = reason, sqlstate = code, payload = remote,
		last_seen = clock_timestamp(), attempts = i.attempts + 1
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = id;
	IF NOT FOUND THEN
		INSERT INTO xero_fdw.sync_issue (sync_id, tenant_id, xero_id, kind, message, sqlstate, payload)
		VALUES (sync, tenant, id, 'validation', reason, code, remote);
	END IF;
	UPDATE xero_fdw.sync_run AS r SET issues = r.issues + 1 WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_issue(bigint, integer, uuid, text, text, text) IS
	'internal: a record that a copy refuses waits for a person';

CREATE FUNCTION xero_fdw._mirror_remove(run bigint, sync integer, tenant uuid,
		ids text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	self xero_fdw.sync;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	PERFORM xero_fdw._mirror_run(sync, tenant, ids,
		format('DELETE FROM %s WHERE tenant_id = $1 AND %I = ANY ($2::%s[])', self.local_table, self.xero_key,
			self.columns #>> ARRAY['local', 'columns', self.xero_key]));
	PERFORM xero_fdw._mirror_lines(s.sync_id, tenant, ids)
	FROM xero_fdw.sync AS s WHERE s.parent_id = sync;
	DELETE FROM xero_fdw.sync_inbox AS i
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = ANY (ids);
	DELETE FROM xero_fdw.sync_issue AS i
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = ANY (ids);
	UPDATE xero_fdw.sync_run AS r SET updated = r.updated + cardinality(ids)
	WHERE r.run_id = run;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_remove(bigint, integer, uuid, text[]) IS
	'internal: take records that are gone, and their lines, out of a copy';

-- The next of the records that a copy has refused, that an audit has found or a
-- person wants to try again; were they the last?
CREATE FUNCTION xero_fdw._mirror_inbox(run bigint, sync integer) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	waiting record;
BEGIN
	FOR waiting IN
			SELECT n.tenant_id, array_agg(n.xero_id) FILTER (WHERE NOT n.gone AND n.bad IS NULL) AS ids,
				array_agg(n.xero_id) FILTER (WHERE n.gone) AS gone,
				jsonb_object_agg(n.xero_id, n.bad) FILTER (WHERE n.bad IS NOT NULL) AS bad
			FROM (SELECT i.tenant_id, i.xero_id, i.remote IS NULL AS gone,
					xero_fdw._bad_column(i.remote) AS bad
				FROM xero_fdw.sync_inbox AS i
				WHERE i.sync_id = sync AND NOT i.held
				LIMIT 1000) AS n
			GROUP BY n.tenant_id LOOP
		IF waiting.gone IS NOT NULL THEN
			PERFORM xero_fdw._mirror_remove(run, sync, waiting.tenant_id, waiting.gone);
		END IF;
		PERFORM xero_fdw._mirror_issue(run, sync, waiting.tenant_id, b.key,
			xero_fdw._bad_text_message(b.value), '22P05')
		FROM jsonb_each_text(waiting.bad) AS b;
		IF waiting.ids IS NOT NULL THEN
			PERFORM xero_fdw._mirror_ids(run, sync, waiting.tenant_id, waiting.ids);
		END IF;
	END LOOP;
	RETURN NOT EXISTS (SELECT FROM xero_fdw.sync_inbox AS i WHERE i.sync_id = sync AND NOT i.held);
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_inbox(bigint, integer) IS
	'internal: put records that wait in the inbox into a copy; were they the last?';

-- What a record, null if it is gone, would change of a row, null if there is none;
-- null for nothing.
CREATE FUNCTION xero_fdw._mirror_decision(tenant uuid, id text, remote jsonb,
		local jsonb) RETURNS xero_fdw._decision
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	decision xero_fdw._decision;
	item xero_fdw._item;
BEGIN
	item.tenant_id := tenant;
	item.xero_id := id;
	item.local_key := jsonb_build_array(tenant, id);
	decision.item := item;
	IF remote IS NULL THEN
		decision.local_action := 'delete';
		decision.local_old := local;
		decision.why := '{"": "gone from Xero"}';
	ELSIF local IS NULL THEN
		decision.local_action := 'create';
		decision.local_new := remote;
		decision.why := '{"": "new in Xero"}';
	ELSE
		decision.local_action := 'update';
		SELECT jsonb_object_agg(key, value), jsonb_object_agg(key, local -> key), jsonb_object_agg(key, 'differs from Xero')
		INTO decision.local_new, decision.local_old, decision.why
		FROM jsonb_each(remote) WHERE value IS DISTINCT FROM local -> key;
	END IF;
	RETURN CASE WHEN decision.why IS NOT NULL THEN decision END;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_decision(uuid, text, jsonb, jsonb) IS
	'internal: what a record would change of a row of a copy';

-- Of a plan: what the next records of the inbox would change in the copy; null
-- if there are none.
CREATE FUNCTION xero_fdw._mirror_decisions(sync integer)
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	decisions xero_fdw._decision[];
BEGIN
	IF NOT EXISTS (SELECT FROM xero_fdw.sync_inbox AS i WHERE i.sync_id = sync AND NOT i.held) THEN
		RETURN NULL;
	END IF;
	EXECUTE (
		SELECT format('WITH next AS (DELETE FROM xero_fdw.sync_inbox WHERE ctid = ANY (ARRAY('
				'SELECT i.ctid FROM xero_fdw.sync_inbox AS i WHERE i.sync_id = %s AND NOT i.held LIMIT 1000))'
				' RETURNING tenant_id, xero_id, remote)'
				' SELECT array_agg(d) FROM next AS n LEFT JOIN %s AS l ON l.tenant_id = n.tenant_id AND l.%I = n.xero_id::%s,'
				' xero_fdw._mirror_decision(n.tenant_id, n.xero_id, n.remote, to_jsonb(l)) AS d'
				' WHERE d.why IS NOT NULL AND xero_fdw._bad_column(n.remote) IS NULL',
			sync, s.local_table, s.xero_key, s.columns #>> ARRAY['local', 'columns', s.xero_key])
		FROM xero_fdw.sync AS s WHERE s.sync_id = sync) INTO decisions;
	RETURN coalesce(decisions, '{}');
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_decisions(integer) IS
	'internal: what records of the inbox would change in a copy';

-- Reads records for an audit.  Those that differ from the copy go into the inbox,
-- unless they have left the filter; of the others it keeps the keys, held and
-- empty, until the list is at its end.
CREATE FUNCTION xero_fdw._mirror_audit(sync integer, tenant uuid, condition text,
		limits text, ids text[], OUT read bigint, OUT differing text[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
BEGIN
	SELECT format('WITH r AS MATERIALIZED (%s), compared AS ('
			'SELECT r.*, ($3 IS NULL OR %L) AND NOT coalesce(r.remote = (SELECT pg_catalog.to_jsonb(z) FROM (SELECT %s) AS z), false) AS differs'
			' FROM r LEFT JOIN %s AS l ON l.tenant_id = $1 AND l.%I = r.xero_id::%s'
		'), put AS ('
			'INSERT INTO xero_fdw.sync_inbox AS old (sync_id, tenant_id, xero_id, remote, updated_at, held)'
			' SELECT %s, $1, c.xero_id, CASE WHEN c.differs THEN c.remote ELSE ''{}'' END, c.updated_at, NOT c.differs'
			' FROM compared AS c'
			' ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET remote = excluded.remote,'
			'	updated_at = excluded.updated_at, held = false'
			'	WHERE NOT excluded.held AND old.remote IS DISTINCT FROM excluded.remote'
			' RETURNING xero_id, held'
		') SELECT (SELECT count(*) FROM r), ARRAY(SELECT xero_id FROM put WHERE NOT held)',
		xero_fdw._records_query(sync, condition, limits), s.xero_filter IS NULL,
		(SELECT string_agg(format('l.%I', f.field), ', ') FROM xero_fdw.sync_field AS f WHERE f.sync_id = sync),
		s.local_table, s.xero_key, s.columns #>> ARRAY['local', 'columns', s.xero_key], sync)
	INTO STRICT statement FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	SELECT a.read, a.differing INTO read, differing
	FROM xero_fdw._mirror_compare(sync, tenant, statement, ids) AS a;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_audit(integer, uuid, text, text, text[]) IS
	'internal: read records for an audit of a copy';

CREATE FUNCTION xero_fdw._mirror_compare(sync integer, tenant uuid,
		statement text, ids text[], OUT read bigint, OUT differing text[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET xero_fdw.mark_bad_text = on
AS $$
BEGIN
	PERFORM xero_fdw._use_path(sync);
	EXECUTE statement INTO read, differing USING tenant, NULL::timestamptz, ids;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_compare(integer, uuid, text, text[]) IS
	'internal: compare records with a copy';

-- Those of the ids that Xero, asked for them, did not have go into the inbox.
CREATE FUNCTION xero_fdw._mirror_gone(sync integer, tenant uuid, ids text[])
	RETURNS text[]
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH put AS (
		INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id)
		SELECT sync, tenant, id FROM unnest(ids) AS id
		ON CONFLICT (sync_id, tenant_id, xero_id) DO NOTHING
		RETURNING xero_id
	)
	SELECT coalesce(array_agg(xero_id), '{}') FROM put
$$;
COMMENT ON FUNCTION xero_fdw._mirror_gone(integer, uuid, text[]) IS
	'internal: what an audit has not found';

CREATE FUNCTION xero_fdw._mirror_audited(sync integer, tenant uuid) RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM xero_fdw.sync_inbox AS i
	WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.remote = '{}'
$$;
COMMENT ON FUNCTION xero_fdw._mirror_audited(integer, uuid) IS
	'internal: forget the keys that an audit has kept';
