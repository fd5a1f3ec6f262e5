-- Filling the copies of a mirror: the records of a pull, their lines, what a copy
-- has refused, plans and audits.
--
-- Statements on a copy, where there may be triggers of its owner, go through the
-- door.  They have the organisation as $1, the watermark as $2, and keys or records
-- as $3.

-- The statement that puts records into a copy.  "source" selects them, by the
-- names of the foreign table; "whole" says that there are no others.  It tells
-- how many they were, how many of them were there, which have made a difference,
-- which others are there, and which of $4 were among them.
CREATE FUNCTION xero_fdw._mirror_statement(self xero_fdw.sync, source text,
		whole boolean) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('WITH page AS MATERIALIZED (%s), put AS (INSERT INTO %s AS l (%s) SELECT %s FROM page AS p'
			' ON CONFLICT (%s) DO %s RETURNING l.%I::pg_catalog.text AS key)',
			source, self.local_table, columns.own, columns.page, key.own,
			coalesce(format('UPDATE SET (%s) = ROW(%s) WHERE pg_catalog.record_image_ne(ROW(%s), ROW(%s))',
				others.own, others.excluded, others.local, others.excluded), 'NOTHING'), self.xero_key)
		|| format(' SELECT (SELECT pg_catalog.count(*) FROM page),'
			' (SELECT pg_catalog.count(*) FROM page AS p JOIN %s AS l ON %s AND l.tenant_id OPERATOR(pg_catalog.=) $1),'
			' ARRAY(SELECT put.key FROM put), ARRAY(%s),'
			' ARRAY(SELECT p.%I::pg_catalog.text FROM page AS p WHERE p.%I::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($4))',
			self.local_table, key.equal,
			CASE WHEN whole THEN format('SELECT l.%I::pg_catalog.text FROM %s AS l WHERE l.tenant_id OPERATOR(pg_catalog.=) $1'
				' AND NOT EXISTS (SELECT FROM page AS p WHERE %s)', self.xero_key, self.local_table, key.equal)
				ELSE 'SELECT NULL::pg_catalog.text WHERE false' END,
			self.xero_key, self.xero_key)
	FROM (
			SELECT string_agg(quote_ident(f.field), ', ') AS own,
				string_agg(format('p.%I', f.field), ', ') AS page
			FROM xero_fdw.sync_field AS f WHERE f.sync_id = self.sync_id
		) AS columns,
		LATERAL (
			SELECT string_agg(quote_ident(f.field), ', ') AS own,
				string_agg(format('l.%I', f.field), ', ') AS local,
				string_agg(format('excluded.%I', f.field), ', ') AS excluded
			FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = self.sync_id AND f.field <> ALL (self.local_key)
		) AS others,
		LATERAL (
			SELECT string_agg(quote_ident(k), ', ') AS own,
				string_agg(format('p.%I OPERATOR(pg_catalog.=) l.%I', k, k), ' AND ') AS equal
			FROM unnest(self.local_key) AS k
		) AS key
$$;
COMMENT ON FUNCTION xero_fdw._mirror_statement(xero_fdw.sync, text, boolean) IS
	'internal: the statement that puts records into a copy';

-- The type of the key that a copy has from Xero.
CREATE FUNCTION xero_fdw._key_type(self xero_fdw.sync) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT xero_fdw._type_name(xero_fdw._column_type(self.local_table, self.xero_key), -1)
$$;
COMMENT ON FUNCTION xero_fdw._key_type(xero_fdw.sync) IS
	'internal: the type of a copy''s column for the key of a record';

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
	SELECT format('INSERT INTO %s (%s) SELECT %s FROM pg_catalog.generate_series(1, pg_catalog.cardinality($2), 100) AS g(n),'
			' LATERAL (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(%s)) AS parents FROM %s AS l'
			' WHERE l.tenant_id OPERATOR(pg_catalog.=) $1 AND l.%I OPERATOR(pg_catalog.=)'
			' ANY (($2[g.n : g.n OPERATOR(pg_catalog.+) 99])::%s[])) AS slice,'
			' ROWS FROM (xero_fdw._lines(NULL::%s, slice.parents)) WITH ORDINALITY AS line',
		line.local_table, string_agg(quote_ident(c.column_name), ', '),
		string_agg(CASE WHEN line.fields ? c.column_name THEN format('line.%I', c.column_name)
			ELSE format('pg_catalog.row_number() OVER (PARTITION BY line.%I ORDER BY line.ordinality)', line.xero_key) END, ', '),
		xero_fdw._line_members(line.xero_table, parent.xero_table), parent.local_table,
		parent.xero_key, xero_fdw._key_type(parent), line.xero_table)
	FROM jsonb_object_keys(line.columns #> '{local,columns}') AS c (column_name)
$$;
COMMENT ON FUNCTION xero_fdw._lines_statement(xero_fdw.sync, xero_fdw.sync) IS
	'internal: the statement that makes the lines of records in a copy';

-- Takes records, or the lines of records, out of a copy.
CREATE FUNCTION xero_fdw._remove_rows(self xero_fdw.sync, tenant uuid, keys text[])
	RETURNS bigint
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT xero_fdw._do_as_caller(self.search_path,
		format('DELETE FROM %s AS l WHERE l.tenant_id OPERATOR(pg_catalog.=) $1'
			' AND l.%I OPERATOR(pg_catalog.=) ANY ($2::%s[])',
			self.local_table, self.xero_key, xero_fdw._key_type(self)), tenant, keys)
$$;
COMMENT ON FUNCTION xero_fdw._remove_rows(xero_fdw.sync, uuid, text[]) IS
	'internal: take the rows of records out of a copy';

-- The syncs of the lines of a copy, whose tables are held from then on.
CREATE FUNCTION xero_fdw._hold_lines(parent xero_fdw.sync) RETURNS SETOF xero_fdw.sync
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	line xero_fdw.sync;
BEGIN
	FOR line IN
			SELECT s.* FROM xero_fdw.sync AS s
			WHERE s.parent_id = parent.sync_id ORDER BY s.sync_id LOOP
		PERFORM xero_fdw._hold_table(line.local_table);
		PERFORM xero_fdw._require_owner(line);
		RETURN NEXT line;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._hold_lines(xero_fdw.sync) IS
	'internal: the syncs of the lines of a copy, whose tables are held';

-- Takes records out of a copy, their lines before them: these may refer to them.
CREATE FUNCTION xero_fdw._mirror_remove(self xero_fdw.sync, tenant uuid, ids text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	line xero_fdw.sync;
BEGIN
	IF ids <> '{}' THEN
		FOR line IN SELECT * FROM xero_fdw._hold_lines(self) LOOP
			PERFORM xero_fdw._remove_rows(line, tenant, ids);
		END LOOP;
		PERFORM xero_fdw._remove_rows(self, tenant, ids);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_remove(xero_fdw.sync, uuid, text[]) IS
	'internal: take records, and their lines, out of a copy';

-- Replaces the lines of records by what these have in the copy.
CREATE FUNCTION xero_fdw._mirror_lines(parent xero_fdw.sync, tenant uuid, parents text[])
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	line xero_fdw.sync;
BEGIN
	IF parents <> '{}' THEN
		FOR line IN SELECT * FROM xero_fdw._hold_lines(parent) LOOP
			PERFORM xero_fdw._remove_rows(line, tenant, parents);
			PERFORM xero_fdw._do_as_caller(line.search_path,
				xero_fdw._lines_statement(line, parent), tenant, parents);
		END LOOP;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_lines(xero_fdw.sync, uuid, text[]) IS
	'internal: replace the lines of records by what these have in the copy';

CREATE FUNCTION xero_fdw._mirror_all_lines(parent xero_fdw.sync, line xero_fdw.sync)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
			SELECT * FROM xero_fdw._as_caller(parent.search_path, format(
				'SELECT k.tenant_id, pg_catalog.array_agg(k.key) FROM (SELECT l.tenant_id, l.%I::pg_catalog.text AS key,'
				' (pg_catalog.row_number() OVER (PARTITION BY l.tenant_id) OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog./) 1000 AS n'
				' FROM %s AS l) AS k GROUP BY k.tenant_id, k.n',
				parent.xero_key, parent.local_table)) AS r(tenant uuid, keys text[]) LOOP
		PERFORM xero_fdw._do_as_caller(line.search_path,
			xero_fdw._lines_statement(line, parent), part.tenant, part.keys);
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_all_lines(xero_fdw.sync, xero_fdw.sync) IS
	'internal: make the lines of all records that a copy has';

-- Nothing waits of records.
CREATE FUNCTION xero_fdw._mirror_forget(self xero_fdw.sync, tenant uuid, ids text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF ids <> '{}' THEN
		DELETE FROM xero_fdw.sync_inbox AS i
		WHERE i.sync_id = self.sync_id AND i.tenant_id = tenant AND i.xero_id = ANY (ids);
		DELETE FROM xero_fdw.sync_issue AS i
		WHERE i.sync_id = self.sync_id AND i.tenant_id = tenant AND i.xero_id = ANY (ids);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_forget(xero_fdw.sync, uuid, text[]) IS
	'internal: forget what waits of records';

-- Puts records into the copy, and their lines; how many they were.  "records" is
-- what $3 of the source stands for.  What is gone and could not be taken out before
-- waits in the inbox.
CREATE FUNCTION xero_fdw._mirror_page(run bigint, self xero_fdw.sync, tenant uuid,
		source text, whole boolean, watermark timestamptz, records jsonb[])
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	waiting CONSTANT text[] := ARRAY(SELECT i.xero_id FROM xero_fdw.sync_inbox AS i
		WHERE i.sync_id = self.sync_id AND i.tenant_id = tenant AND coalesce(i.remote <> '{}', true));
	page record;
	gone text[];
	added bigint;
BEGIN
	SELECT * INTO page FROM xero_fdw._as_caller(self.search_path,
		xero_fdw._mirror_statement(self, source, whole), tenant, watermark, records, waiting)
		AS r(read bigint, had bigint, put text[], gone text[], refused text[]);
	gone := ARRAY(SELECT unnest(page.gone) EXCEPT SELECT i.xero_id FROM xero_fdw.sync_inbox AS i
		WHERE i.sync_id = self.sync_id AND i.tenant_id = tenant AND i.remote IS NULL);
	PERFORM xero_fdw._mirror_remove(self, tenant, gone);
	PERFORM xero_fdw._mirror_lines(self, tenant, page.put);
	PERFORM xero_fdw._mirror_forget(self, tenant, page.refused || gone);
	added := page.read - page.had;
	UPDATE xero_fdw.sync_run AS r
	SET created = r.created + added,
		updated = r.updated + greatest(cardinality(page.put) - added, 0) + cardinality(gone),
		unchanged = r.unchanged + greatest(page.read - cardinality(page.put), 0)
	WHERE r.run_id = run;
	RETURN page.read;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_page(bigint, xero_fdw.sync, uuid, text, boolean, timestamptz, jsonb[]) IS
	'internal: put records and their lines into a copy';

-- What is in the copy and not in the inbox.
CREATE FUNCTION xero_fdw._mirror_missing(self xero_fdw.sync, tenant uuid)
	RETURNS TABLE (xero_id text)
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT l.xero_id FROM xero_fdw._as_caller(self.search_path,
			format('SELECT l.%I::pg_catalog.text FROM %s AS l WHERE l.tenant_id OPERATOR(pg_catalog.=) $1',
				self.xero_key, self.local_table), tenant) AS l(xero_id text)
	WHERE (l.xero_id IN (SELECT i.xero_id FROM xero_fdw.sync_inbox AS i
		WHERE i.sync_id = self.sync_id AND i.tenant_id = tenant)) IS NOT TRUE
$$;
COMMENT ON FUNCTION xero_fdw._mirror_missing(xero_fdw.sync, uuid) IS
	'internal: what is in a copy and not in the inbox';

-- Reads records into the inbox, and what is gone.
CREATE FUNCTION xero_fdw._mirror_foresee(self xero_fdw.sync, tenant uuid,
		condition text, limits text, whole boolean, watermark timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	read CONSTANT bigint := xero_fdw._fill_inbox(self.sync_id, tenant,
		xero_fdw._records_query(self.sync_id, condition, limits), watermark);
BEGIN
	IF whole THEN
		INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id)
		SELECT self.sync_id, tenant, m.xero_id FROM xero_fdw._mirror_missing(self, tenant) AS m;
	END IF;
	RETURN read;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_foresee(xero_fdw.sync, uuid, text, text, boolean, timestamptz) IS
	'internal: read records into the inbox, and what is gone';

-- Reads records into the copy.  If it refuses one, or one has a text that cannot
-- be stored, they are read into the inbox, from where _mirror_inbox() finds out
-- which.  A lack of rights may be one at Xero, which is not asked twice.
CREATE FUNCTION xero_fdw._mirror_read(run bigint, self xero_fdw.sync, tenant uuid,
		condition text, limits text, whole boolean, watermark timestamptz)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN xero_fdw._mirror_page(run, self, tenant, (
		SELECT format('SELECT %s FROM %s AS xero WHERE %s %s', string_agg(format('xero.%I', f.field), ', '),
			self.xero_table, condition, limits)
		FROM xero_fdw.sync_field AS f WHERE f.sync_id = self.sync_id), whole, watermark, NULL);
EXCEPTION WHEN OTHERS THEN
	IF NOT xero_fdw._may_be_row_error(SQLSTATE) OR SQLSTATE = '42501' THEN
		RAISE;
	END IF;
	RETURN xero_fdw._mirror_foresee(self, tenant, condition, limits, whole, watermark);
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_read(bigint, xero_fdw.sync, uuid, text, text, boolean, timestamptz) IS
	'internal: read records into a copy; how many they were';

-- A chunk of a pull.  For a plan the records stay in the inbox.
CREATE FUNCTION xero_fdw._mirror_records(run bigint, self xero_fdw.sync, tenant uuid,
		condition text, limits text, watermark timestamptz) RETURNS bigint
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN run IS NULL
		THEN xero_fdw._mirror_foresee(self, tenant, condition, limits, whole, watermark)
		ELSE xero_fdw._mirror_read(run, self, tenant, condition, limits, whole, watermark) END
	FROM (VALUES (watermark IS NULL AND limits = '')) AS v (whole)
$$;
COMMENT ON FUNCTION xero_fdw._mirror_records(bigint, xero_fdw.sync, uuid, text, text, timestamptz) IS
	'internal: read the records of a pull into a copy; how many they were';

-- The statement that selects records which are in $3.
CREATE FUNCTION xero_fdw._mirror_waiting(self xero_fdw.sync) RETURNS text
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('SELECT r.* FROM pg_catalog.unnest($3) AS i(remote),'
		' pg_catalog.jsonb_populate_record(NULL::%s, i.remote) AS r', self.xero_table)
$$;
COMMENT ON FUNCTION xero_fdw._mirror_waiting(xero_fdw.sync) IS
	'internal: the statement that selects records of the inbox';

-- Puts records of the inbox into the copy, when those that are gone are taken out of it.
CREATE FUNCTION xero_fdw._mirror_settle(run bigint, self xero_fdw.sync, tenant uuid,
		ids text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	waiting record;
BEGIN
	SELECT array_agg(i.xero_id) FILTER (WHERE i.remote IS NULL) AS gone,
		array_agg(i.remote) FILTER (WHERE i.remote IS NOT NULL) AS records
	INTO waiting
	FROM xero_fdw.sync_inbox AS i
	WHERE i.sync_id = self.sync_id AND i.tenant_id = tenant AND i.xero_id = ANY (ids);
	IF waiting.gone IS NOT NULL THEN
		PERFORM xero_fdw._mirror_remove(self, tenant, waiting.gone);
		PERFORM xero_fdw._mirror_forget(self, tenant, waiting.gone);
		UPDATE xero_fdw.sync_run AS r SET updated = r.updated + cardinality(waiting.gone)
		WHERE r.run_id = run;
	END IF;
	IF waiting.records IS NOT NULL THEN
		PERFORM xero_fdw._mirror_page(run, self, tenant, xero_fdw._mirror_waiting(self),
			false, NULL, waiting.records);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_settle(bigint, xero_fdw.sync, uuid, text[]) IS
	'internal: put records of the inbox into a copy, and take those that are gone out of it';

-- Does the copy refuse a record of the inbox with this code, by itself?  Nothing is
-- left of it.
CREATE FUNCTION xero_fdw._mirror_refuses(self xero_fdw.sync, tenant uuid, id text, code text)
	RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM xero_fdw._mirror_settle(NULL, self, tenant, ARRAY[id]);
	RAISE EXCEPTION 'it does not' USING ERRCODE = 'XF001';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE = code;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_refuses(xero_fdw.sync, uuid, text, text) IS
	'internal: does a copy refuse a record with this code?';

-- Is an error the definition's?  As _is_shared_error().
CREATE FUNCTION xero_fdw._mirror_refuses_all(self xero_fdw.sync, tenant uuid, ids text[], code text)
	RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	fresh CONSTANT text[] := ARRAY(SELECT id FROM unnest(ids) AS id
		WHERE NOT EXISTS (SELECT FROM xero_fdw.sync_issue AS x
			WHERE x.sync_id = self.sync_id AND x.tenant_id = tenant AND x.xero_id = id));
BEGIN
	RETURN NOT xero_fdw._is_row_error(code) AND cardinality(fresh) > 1
		AND xero_fdw._mirror_refuses(self, tenant, fresh[1], code)
		AND xero_fdw._mirror_refuses(self, tenant, fresh[cardinality(fresh)], code);
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_refuses_all(xero_fdw.sync, uuid, text[], text) IS
	'internal: is an error of a copy that of all records?';

-- Settles records of the inbox, by halves until those that are refused stand alone; as
-- _merge_items() does.
CREATE FUNCTION xero_fdw._mirror_ids(run bigint, self xero_fdw.sync, tenant uuid,
		ids text[], rows_differ boolean DEFAULT false) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number CONSTANT integer := cardinality(ids);
	half CONSTANT integer := number / 2;
	code text;
	message text;
BEGIN
	PERFORM xero_fdw._mirror_settle(run, self, tenant, ids);
EXCEPTION WHEN OTHERS THEN
	code := SQLSTATE;
	message := SQLERRM;
	IF NOT xero_fdw._may_be_row_error(code)
		OR NOT rows_differ AND xero_fdw._mirror_refuses_all(self, tenant, ids, code)
	THEN
		RAISE;
	ELSIF half > 0 THEN
		rows_differ := rows_differ OR NOT xero_fdw._is_row_error(code);
		PERFORM xero_fdw._mirror_ids(run, self, tenant, ids[1 : half], rows_differ);
		PERFORM xero_fdw._mirror_ids(run, self, tenant, ids[half + 1 : number], rows_differ);
	ELSE
		PERFORM xero_fdw._mirror_issue(run, self.sync_id, tenant, ids[1], message, code);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_ids(bigint, xero_fdw.sync, uuid, text[], boolean) IS
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

-- The next of the records that a copy has refused, that an audit has found or a
-- person wants to try again, first those that are gone; were they the last?
CREATE FUNCTION xero_fdw._mirror_inbox(run bigint, self xero_fdw.sync) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	waiting record;
BEGIN
	FOR waiting IN
			SELECT n.tenant_id, array_agg(n.xero_id ORDER BY n.gone DESC) FILTER (WHERE n.bad IS NULL) AS ids,
				jsonb_object_agg(n.xero_id, n.bad) FILTER (WHERE n.bad IS NOT NULL) AS bad
			FROM (SELECT i.tenant_id, i.xero_id, i.remote IS NULL AS gone,
					xero_fdw._bad_column(i.remote) AS bad
				FROM xero_fdw.sync_inbox AS i
				WHERE i.sync_id = self.sync_id AND NOT i.held
				LIMIT 1000) AS n
			GROUP BY n.tenant_id LOOP
		PERFORM xero_fdw._mirror_issue(run, self.sync_id, waiting.tenant_id, b.key,
			xero_fdw._bad_text_message(b.value), '22P05')
		FROM jsonb_each_text(waiting.bad) AS b;
		IF waiting.ids IS NOT NULL THEN
			PERFORM xero_fdw._mirror_ids(run, self, waiting.tenant_id, waiting.ids);
		END IF;
	END LOOP;
	RETURN NOT EXISTS (SELECT FROM xero_fdw.sync_inbox AS i WHERE i.sync_id = self.sync_id AND NOT i.held);
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_inbox(bigint, xero_fdw.sync) IS
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
CREATE FUNCTION xero_fdw._mirror_decisions(self xero_fdw.sync)
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenants uuid[];
	ids text[];
	remotes jsonb[];
BEGIN
	WITH next AS (
		DELETE FROM xero_fdw.sync_inbox WHERE ctid = ANY (ARRAY(
			SELECT i.ctid FROM xero_fdw.sync_inbox AS i
			WHERE i.sync_id = self.sync_id AND NOT i.held LIMIT 1000))
		RETURNING tenant_id, xero_id, remote
	)
	SELECT array_agg(n.tenant_id), array_agg(n.xero_id), array_agg(n.remote)
	INTO tenants, ids, remotes FROM next AS n;
	RETURN CASE WHEN ids IS NOT NULL THEN ARRAY(
		SELECT d FROM xero_fdw._as_caller(self.search_path, format(
				'SELECT u.tenant, u.id, u.remote, pg_catalog.to_jsonb(ROW(l.*)::%1$s)'
				' FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS u(tenant, id, remote)'
				' LEFT JOIN %1$s AS l ON l.tenant_id OPERATOR(pg_catalog.=) u.tenant AND l.%2$I OPERATOR(pg_catalog.=) u.id::%3$s',
				self.local_table, self.xero_key, xero_fdw._key_type(self)), tenants, ids, remotes)
				AS r(tenant uuid, id text, remote jsonb, local jsonb),
			xero_fdw._mirror_decision(r.tenant, r.id, r.remote,
				CASE WHEN r.local ->> 'tenant_id' IS NOT NULL THEN r.local END) AS d
		WHERE d.why IS NOT NULL AND xero_fdw._bad_column(r.remote) IS NULL) END;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_decisions(xero_fdw.sync) IS
	'internal: what records of the inbox would change in a copy';

-- Reads records for an audit.  Those that differ from the copy go into the inbox,
-- unless they have left the filter; of the others it keeps the keys, held and
-- empty, until the list is at its end.
CREATE FUNCTION xero_fdw._mirror_audit(self xero_fdw.sync, tenant uuid, condition text,
		limits text, ids text[], OUT read bigint, OUT differing text[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET xero_fdw.mark_bad_text = on
AS $$
BEGIN
	WITH r AS MATERIALIZED (
		SELECT * FROM xero_fdw._as_caller(self.search_path, format(
				'SELECT r.*, ($3 IS NULL OR %L) AND NOT coalesce(r.remote OPERATOR(pg_catalog.=) %s, false)'
				' FROM (%s) AS r(xero_id, remote, updated_at)'
				' LEFT JOIN %s AS l ON l.tenant_id OPERATOR(pg_catalog.=) $1 AND l.%I OPERATOR(pg_catalog.=) r.xero_id::%s',
				self.xero_filter IS NULL,
				xero_fdw._object_of('l', self.local_table, ARRAY(SELECT f.field FROM xero_fdw.sync_field AS f WHERE f.sync_id = self.sync_id)),
				xero_fdw._records_query(self.sync_id, condition, limits),
				self.local_table, self.xero_key, xero_fdw._key_type(self)), tenant, NULL::timestamptz, ids)
			AS r(xero_id text, remote jsonb, updated_at timestamptz, differs boolean)
	), put AS (
		INSERT INTO xero_fdw.sync_inbox AS old (sync_id, tenant_id, xero_id, remote, updated_at, held)
		SELECT self.sync_id, tenant, r.xero_id, CASE WHEN r.differs THEN r.remote ELSE '{}' END,
			r.updated_at, NOT r.differs
		FROM r WHERE r.xero_id IS NOT NULL
		ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET remote = excluded.remote,
			updated_at = excluded.updated_at, held = false
			WHERE NOT excluded.held AND old.remote IS DISTINCT FROM excluded.remote
		RETURNING old.xero_id, old.held
	)
	SELECT (SELECT count(*) FROM r), ARRAY(SELECT p.xero_id FROM put AS p WHERE NOT p.held)
	INTO read, differing;
END $$;
COMMENT ON FUNCTION xero_fdw._mirror_audit(xero_fdw.sync, uuid, text, text, text[]) IS
	'internal: read records for an audit of a copy';

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

-- The part of an audit that looks up what the list did not have.
CREATE FUNCTION xero_fdw._audit_copy(self xero_fdw.sync, tenant uuid,
		batch integer, OUT differing text[], OUT gone text[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids CONSTANT text[] := (SELECT array_agg(m.xero_id) FROM (
		SELECT m.xero_id FROM xero_fdw._mirror_missing(self, tenant) AS m LIMIT batch) AS m);
BEGIN
	IF ids IS NULL THEN
		PERFORM xero_fdw._mirror_audited(self.sync_id, tenant);
		RETURN;
	END IF;
	differing := (xero_fdw._audit_records(self, tenant,
		xero_fdw._ids_condition(self), '', ids)).differing;
	gone := xero_fdw._mirror_gone(self.sync_id, tenant, ids);
END $$;
COMMENT ON FUNCTION xero_fdw._audit_copy(xero_fdw.sync, uuid, integer) IS
	'internal: look up records of a copy that a list did not have';
