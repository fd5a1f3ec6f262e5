-- Reading Xero: what has changed since the watermark, into the inbox.
--
-- A pull is read in chunks, each of which the run commits together with the
-- place it got to, so that what ends a run costs no call twice.  The watermark
-- moves when the last chunk is there.

CREATE TYPE xero_fdw._run AS (
	run_id bigint,				-- null: of a plan
	sync_id integer,
	phase text,
	tenants uuid[],				-- the organisations that are connected
	pulled integer,				-- how many of them were read
	gathered bigint,			-- the last change that was looked at
	upto bigint,				-- the last change of this run
	open_xids xid8[],			-- transactions whose changes wait for the next run
	request text,				-- key of what is to be sent next
	sent_before boolean,		-- it was sent already
	force boolean,				-- whatever the brake says
	failed bigint[],			-- intents that have failed alone
	proved text[],				-- operations that were carried out since Xero has failed; null: it has not
	in_vain integer,			-- requests that have failed since one was carried out
	lost text[],				-- error and detail of a request whose answer was lost
	rounds integer,				-- how often what was pushed has come back
	calls bigint,				-- of the session, before the run
	bytes bigint,
	waited_ms double precision,
	retried bigint				-- what failed in earlier runs and was tried again
);
COMMENT ON TYPE xero_fdw._run IS 'internal: where a run is';

-- The column of a foreign table that has a field of Xero's; null if there is none.
CREATE FUNCTION xero_fdw._column_of(relation regclass, field text) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT attname::text FROM pg_attribute
		WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
			AND 'field=' || field = ANY (attfdwoptions)
		LIMIT 1);
END $$;
COMMENT ON FUNCTION xero_fdw._column_of(regclass, text) IS
	'internal: the column of a foreign table that has a field of Xero''s';

-- The column of a foreign table whose records never change and are read from a number
-- on, that has the number; null for others.
CREATE FUNCTION xero_fdw._number_column(relation regclass) RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._column_of(relation, 'JournalNumber')
	FROM xero_fdw._xero_object(relation) AS x JOIN xero_fdw.objects AS o ON o.object = x.object
	WHERE o.paging = 'offset'
$$;
COMMENT ON FUNCTION xero_fdw._number_column(regclass) IS
	'internal: the column with the number that a list is read from';

-- What is read of each record: what the fields are made of, what goes along with a
-- change, and what it was merged into.
CREATE FUNCTION xero_fdw._read_columns(sync integer) RETURNS text[]
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (WITH self AS (
			SELECT * FROM xero_fdw.sync AS s WHERE s.sync_id = sync
		), wanted AS (
			SELECT s.xero_key AS name FROM self AS s
			UNION
			SELECT xero_fdw._column_of(s.xero_table, 'MergedToContactID') FROM self AS s WHERE NOT s.mirror
			UNION
			SELECT unnest(f.xero_uses || f.xero_column) FROM xero_fdw.sync_field AS f
			WHERE f.sync_id = sync
			UNION
			SELECT unnest(rules.needs)
			FROM self AS s, unnest('{update,delete}'::text[]) AS operation,
				xero_fdw._push_rules(s.xero_table, operation) AS rules
			WHERE s.direction <> 'pull'
		)
		SELECT array_agg(a.attname::text ORDER BY a.attnum)
		FROM self AS s JOIN pg_attribute AS a ON a.attrelid = s.xero_table
			JOIN wanted AS w ON w.name = a.attname
		WHERE a.attnum > 0 AND NOT a.attisdropped);
END $$;
COMMENT ON FUNCTION xero_fdw._read_columns(integer) IS
	'internal: the columns of the foreign table that a sync reads';

-- What Xero leaves out, or masks, for a person who connected without the role for it:
-- the bank details of contacts and, masked only, their tax number.  By column; true
-- if nothing is said either where there is something.
CREATE FUNCTION xero_fdw._guarded_columns(sync integer) RETURNS jsonb
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	shown CONSTANT text[] := xero_fdw._read_columns(sync);
BEGIN
	RETURN (SELECT coalesce(jsonb_object_agg(a.attname, f.field <> 'taxnumber'), '{}')
		FROM xero_fdw.sync AS s
			JOIN pg_foreign_table AS t ON t.ftrelid = s.xero_table AND 'object=accounting/Contacts' = ANY (t.ftoptions)
			JOIN pg_attribute AS a ON a.attrelid = s.xero_table,
			LATERAL (SELECT lower(coalesce((SELECT o.option_value FROM pg_options_to_table(a.attfdwoptions) AS o
				WHERE o.option_name = 'field'), replace(a.attname, '_', ''))) AS field) AS f
		WHERE s.sync_id = sync AND a.attname = ANY (shown)
			AND f.field ~ '^(bankaccountdetails|batchpayments|taxnumber)\M');
END $$;
COMMENT ON FUNCTION xero_fdw._guarded_columns(integer) IS
	'internal: columns whose values Xero shows to some only';

-- A record without what Xero may merely not tell, or with what is known of it.  A field
-- that lacks a column says nothing, which is no change.
CREATE FUNCTION xero_fdw._as_told(remote jsonb, known jsonb, guarded jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN guarded = '{}' THEN remote ELSE (
		SELECT remote - coalesce(array_agg(g.key), '{}') || coalesce(jsonb_object_agg(g.key, known->g.key)
			FILTER (WHERE xero_fdw._filled(known->g.key) IS NOT NULL), '{}')
		FROM jsonb_each(guarded) AS g
		WHERE xero_fdw._filled(remote->g.key) IS NULL AND g.value = 'true' OR remote->>g.key ~ '[*\u2022]') END
$$;
COMMENT ON FUNCTION xero_fdw._as_told(jsonb, jsonb, jsonb) IS
	'internal: a record without what Xero may merely not tell';

-- The column of a foreign table that names the organisation of a record; null if the
-- table has none.
CREATE FUNCTION xero_fdw._tenant_column(relation regclass) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT attname::text FROM pg_attribute
		WHERE attrelid = relation AND attname = 'tenant_id' AND NOT attisdropped
			AND attfdwoptions IS NULL);
END $$;
COMMENT ON FUNCTION xero_fdw._tenant_column(regclass) IS
	'internal: the column that names the organisation of a record';

-- Is a type carried as text?  What has a cast to json, as hstore has, is an object of
-- JSON to to_jsonb(), which its type cannot read back.
CREATE FUNCTION xero_fdw._goes_as_text(type oid) RETURNS boolean
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a type of PostgreSQL's own consists of others of these
	IF type < 16384 THEN
		RETURN false;
	END IF;
	RETURN (WITH RECURSIVE part (type) AS (
			SELECT _goes_as_text.type
			UNION
			SELECT inner_type FROM part JOIN pg_type AS t ON t.oid = part.type,
				LATERAL (SELECT unnest(ARRAY[t.typbasetype, t.typelem]) UNION ALL
					SELECT a.atttypid FROM pg_attribute AS a
					WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS i (inner_type)
			WHERE inner_type >= 16384
		)
		SELECT EXISTS (SELECT FROM part JOIN pg_cast AS c ON c.castsource = part.type
			WHERE c.casttarget = 'json'::regtype));
END $$;
COMMENT ON FUNCTION xero_fdw._goes_as_text(oid) IS
	'internal: is a type carried as text, as its values do not come back from JSON?';

-- An expression of a type as a value for jsonb_build_object().
CREATE FUNCTION xero_fdw._json_value(expression text, type oid) RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN xero_fdw._goes_as_text(type)
		THEN format('CASE WHEN (%1$s) IS DISTINCT FROM NULL THEN pg_catalog.format(''%%s'', %1$s) END', expression)
		ELSE expression END
$$;
COMMENT ON FUNCTION xero_fdw._json_value(text, oid) IS
	'internal: an expression of a type as a value for JSON';

-- The columns of a row of a relation as an object.  They are named one by one: what
-- stands for a row as a whole may as well be the name of a column.
CREATE FUNCTION xero_fdw._object_of(alias text, relation regclass, columns text[]) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT '(' || string_agg('pg_catalog.jsonb_build_object(' || part || ')',
			' OPERATOR(pg_catalog.||) ' ORDER BY n) || ')'
		FROM (SELECT (m - 1) / 50 AS n, string_agg(format('%L, %s', c, xero_fdw._json_value(
					format('%I.%I', alias, c), xero_fdw._column_type(relation, c))), ', ' ORDER BY m) AS part
			FROM unnest(columns) WITH ORDINALITY AS u(c, m) GROUP BY 1) AS parts);
END $$;
COMMENT ON FUNCTION xero_fdw._object_of(text, regclass, text[]) IS
	'internal: an expression for columns of a row as an object';

-- SELECT of records as the inbox holds them: xero_id, remote, updated_at.  The
-- condition may name the table's columns, and "limits" ends the statement.
CREATE FUNCTION xero_fdw._records_query(sync integer, condition text,
		limits text DEFAULT '') RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('SELECT r.%I::pg_catalog.text, %s, %s FROM (SELECT %s FROM %s AS xero WHERE %s %s) AS r',
		s.xero_key,
		xero_fdw._object_of('r', s.xero_table, read.columns),
		coalesce('r.' || quote_ident(clock), 'NULL::pg_catalog.timestamptz'),
		(SELECT string_agg(format('xero.%I', c), ', ') FROM unnest(
			CASE WHEN clock = ANY (read.columns) THEN read.columns ELSE read.columns || clock END) AS c
			WHERE c IS NOT NULL),
		s.xero_table, condition, limits)
	FROM xero_fdw.sync AS s,
		xero_fdw._read_columns(sync) AS read(columns),
		xero_fdw._column_of(s.xero_table, 'UpdatedDateUTC') AS clock
	WHERE s.sync_id = sync
$$;
COMMENT ON FUNCTION xero_fdw._records_query(integer, text, text) IS
	'internal: the statement that reads records as the inbox holds them';

-- Xero's clock minus ours.  It is told in whole seconds, so of clocks that go right
-- it shows nothing but noise.
CREATE FUNCTION xero_fdw._clock_offset() RETURNS interval
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN s.clock_offset BETWEEN '-2 seconds' AND '2 seconds' THEN '0'
		ELSE coalesce(s.clock_offset, '0') END
	FROM xero_fdw._session() AS s
$$;
COMMENT ON FUNCTION xero_fdw._clock_offset() IS
	'internal: Xero''s clock minus ours';

-- Which records a pull reads; $1 is the organisation, $2 the watermark.
CREATE FUNCTION xero_fdw._pull_condition(sync integer, incremental boolean)
	RETURNS text
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT concat_ws(' AND ', 'true',
		CASE WHEN tenant IS NOT NULL THEN format('xero.%I OPERATOR(pg_catalog.=) $1', tenant) END,
		CASE WHEN incremental THEN format('xero_fdw._modified_since(xero.%I, $2)', clock) END,
		'(' || s.xero_filter || E'\n)')
	FROM xero_fdw.sync AS s,
		xero_fdw._tenant_column(s.xero_table) AS tenant,
		xero_fdw._column_of(s.xero_table, 'UpdatedDateUTC') AS clock
	WHERE s.sync_id = sync
$$;
COMMENT ON FUNCTION xero_fdw._pull_condition(integer, boolean) IS
	'internal: the condition for the records that a pull reads';

-- Can the statement be read in parts by LIMIT and OFFSET, at the cost of the
-- pages that a part touches?  Only if the list has pages that are counted, and
-- nothing of the condition is left to be checked here.
CREATE FUNCTION xero_fdw._can_be_parted(self xero_fdw.sync, condition text,
		tenant uuid, watermark timestamptz) RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan json;
BEGIN
	IF NOT EXISTS (
		SELECT FROM pg_foreign_table AS t,
			pg_options_to_table(t.ftoptions) AS o, xero_fdw.objects AS x
		WHERE t.ftrelid = self.xero_table AND o.option_name = 'object'
			AND x.object = o.option_value AND x.paging = 'page')
	THEN
		RETURN false;
	END IF;
	SELECT e.plan INTO plan
	FROM xero_fdw._as_caller(self.search_path, 'EXPLAIN (FORMAT json, COSTS off) '
		|| xero_fdw._records_query(self.sync_id, condition), tenant, watermark) AS e(plan json);
	RETURN plan::text !~ '"(Filter|One-Time Filter)":';
END $$;
COMMENT ON FUNCTION xero_fdw._can_be_parted(xero_fdw.sync, text, uuid, timestamptz) IS
	'internal: does LIMIT with OFFSET cost no more than the pages it touches?';

-- A text that PostgreSQL cannot store must not end a run.  So what reads records
-- for a sync sets mark_bad_text: U+FDD0, which is no character, then stands for
-- what cannot be stored, unless the setting on_bad_text replaces that anyway.
-- Who makes something of a record asks for the column that has it.
CREATE FUNCTION xero_fdw._bad_column(remote jsonb) RETURNS text
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- other encodings have no U+FDD0
	IF getdatabaseencoding() <> 'UTF8' OR remote::text NOT LIKE '%' || convert_from('\xefb790', 'UTF8') || '%' THEN
		RETURN NULL;
	END IF;
	RETURN (SELECT min(m.key) FROM jsonb_each(remote) AS m WHERE m.value::text LIKE '%' || convert_from('\xefb790', 'UTF8') || '%');
END $$;
COMMENT ON FUNCTION xero_fdw._bad_column(jsonb) IS
	'internal: the column of a record that has a text which PostgreSQL cannot store';

CREATE FUNCTION xero_fdw._bad_text_message(column_name text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'column "%s" has a character that PostgreSQL cannot store\n'
		'U+FFFD is read in its place if xero_fdw.on_bad_text is "replace".', column_name)
$$;
COMMENT ON FUNCTION xero_fdw._bad_text_message(text) IS
	'internal: what is wrong with such a record';

CREATE FUNCTION xero_fdw._refuse_bad_text(remote jsonb) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF xero_fdw._bad_column(remote) IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'untranslatable_character',
			MESSAGE = xero_fdw._bad_text_message(xero_fdw._bad_column(remote));
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._refuse_bad_text(jsonb) IS
	'internal: an error for a record that has such a text';

-- Records that wait for a setting that replaces such texts need not wait longer.
CREATE FUNCTION xero_fdw._replace_bad_texts(sync integer) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF current_setting('xero_fdw.on_bad_text') = 'replace' THEN
		UPDATE xero_fdw.sync_inbox AS i
		SET held = false, remote = replace(i.remote::text, convert_from('\xefb790', 'UTF8'),
			convert_from('\xefbfbd', 'UTF8'))::jsonb
		WHERE i.sync_id = sync AND xero_fdw._bad_column(i.remote) IS NOT NULL;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._replace_bad_texts(integer) IS
	'internal: replace what PostgreSQL cannot store in the inbox, if the setting says so';

-- A record that has no key can be neither linked nor found again.  It is an issue by
-- itself; retry_issue() ends that until the record is read another time.
CREATE FUNCTION xero_fdw._note_keyless(sync integer, tenant uuid, records jsonb[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	record jsonb;
BEGIN
	FOR record IN SELECT DISTINCT u.r FROM unnest(records) AS u(r) LOOP
		UPDATE xero_fdw.sync_issue AS i SET last_seen = clock_timestamp(), attempts = i.attempts + 1
		WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id IS NULL AND i.link_id IS NULL
			AND i.payload = record;
		IF NOT FOUND THEN
			INSERT INTO xero_fdw.sync_issue (sync_id, tenant_id, kind, message, payload)
			VALUES (sync, tenant, 'transform', 'a record without a key', record);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._note_keyless(integer, uuid, jsonb[]) IS
	'internal: note records that have no key';

-- Puts records into the inbox.  One that was held there stays held unless it
-- has changed since.
CREATE FUNCTION xero_fdw._fill_inbox(sync integer, tenant uuid, query text,
		watermark timestamptz) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET xero_fdw.mark_bad_text = on AS $$
DECLARE
	read bigint;
	keyless jsonb[];
BEGIN
	WITH r AS MATERIALIZED (
		SELECT r.* FROM xero_fdw.sync AS s,
			xero_fdw._as_caller(s.search_path, query, tenant, watermark)
				AS r(xero_id text, remote jsonb, updated_at timestamptz)
		WHERE s.sync_id = sync
	), put AS (
		INSERT INTO xero_fdw.sync_inbox AS old (sync_id, tenant_id, xero_id, remote, updated_at)
		SELECT sync, tenant, r.* FROM r WHERE r.xero_id IS NOT NULL
		ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
		SET remote = excluded.remote, updated_at = excluded.updated_at,
			held = old.held AND old.remote IS NOT DISTINCT FROM excluded.remote
	)
	SELECT count(*), array_agg(r.remote) FILTER (WHERE r.xero_id IS NULL) INTO read, keyless FROM r;
	PERFORM xero_fdw._note_keyless(sync, tenant, keyless);
	RETURN read;
END $$;
COMMENT ON FUNCTION xero_fdw._fill_inbox(integer, uuid, text, timestamptz) IS
	'internal: read records into the inbox; how many they were';

-- The same for records that have links: those that are what was agreed on last
-- have nothing to tell and stay out.
CREATE FUNCTION xero_fdw._pull_records(run bigint, sync integer, tenant uuid,
		query text, watermark timestamptz) RETURNS bigint
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET xero_fdw.mark_bad_text = on AS $$
DECLARE
	read bigint;
	news bigint;
	keyless jsonb[];
BEGIN
	WITH r AS MATERIALIZED (
		SELECT r.* FROM xero_fdw.sync AS s,
			xero_fdw._as_caller(s.search_path, query, tenant, watermark)
				AS r(xero_id text, remote jsonb, updated_at timestamptz)
		WHERE s.sync_id = sync
	), news AS (
		INSERT INTO xero_fdw.sync_inbox AS old (sync_id, tenant_id, xero_id, remote, updated_at)
		SELECT sync, tenant, r.* FROM r
			LEFT JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
				WHERE k.sync_id = sync AND k.xero_id = r.xero_id AND k.tenant_id = tenant OFFSET 0) AS k ON true
		WHERE r.xero_id IS NOT NULL AND (k.base_xero IS DISTINCT FROM r.remote OR EXISTS (
			SELECT FROM xero_fdw.sync_inbox AS i
			WHERE i.sync_id = sync AND i.tenant_id = tenant AND i.xero_id = r.xero_id OFFSET 0))
		ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
		SET remote = excluded.remote, updated_at = excluded.updated_at,
			held = old.held AND old.remote IS NOT DISTINCT FROM excluded.remote
		RETURNING true
	)
	SELECT count(*), (SELECT count(*) FROM news), array_agg(r.remote) FILTER (WHERE r.xero_id IS NULL)
	INTO read, news, keyless FROM r;
	PERFORM xero_fdw._note_keyless(sync, tenant, keyless);
	UPDATE xero_fdw.sync_run AS r
	SET unchanged = r.unchanged + (read - news - coalesce(cardinality(keyless), 0)),
		issues = r.issues + coalesce(cardinality(keyless), 0)
	WHERE r.run_id = run;
	RETURN read;
END $$;
COMMENT ON FUNCTION xero_fdw._pull_records(bigint, integer, uuid, text, timestamptz) IS
	'internal: read records into the inbox that are not what links remember; how many there were';

-- How far a copy has come in a list that is read from a number on, after so many
-- records beyond the one it began at.
CREATE FUNCTION xero_fdw._last_number(self xero_fdw.sync, tenant uuid, number text,
		after bigint, records bigint) RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(r.last, after) FROM xero_fdw._as_caller(self.search_path, format(
			'SELECT pg_catalog.max(n.%1$I)::pg_catalog.int8 FROM (SELECT l.%1$I FROM %2$s AS l'
			' WHERE l.tenant_id OPERATOR(pg_catalog.=) $1 AND l.%1$I OPERATOR(pg_catalog.>) %3$s ORDER BY l.%1$I LIMIT %4$s) AS n',
			number, self.local_table, after, records), tenant) AS r(last bigint)
$$;
COMMENT ON FUNCTION xero_fdw._last_number(xero_fdw.sync, uuid, text, bigint, bigint) IS
	'internal: the last of so many numbers of a copy';

-- Reads the next chunk of an organisation's records; is the pull finished?
-- When records have left the list since the chunk before, those behind them have
-- moved up, so that many are read again.  A copy of what never changes goes on
-- where it ended, in this pull and in the next one.
CREATE FUNCTION xero_fdw._pull_chunk(run bigint, sync integer, tenant uuid)
	RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	overlap CONSTANT interval := '60 seconds';
	chunk CONSTANT integer := 5000;
	page CONSTANT integer := 1000;
	self xero_fdw.sync;
	number text;
	place xero_fdw.sync_position;
	began timestamptz := clock_timestamp();
	condition text;
	parted boolean;
	limits text;
	read bigint;
	listed bigint;
	fell bigint;
	next bigint;
	finished boolean := true;
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	INSERT INTO xero_fdw.sync_position (sync_id, tenant_id)
		VALUES (sync, tenant) ON CONFLICT DO NOTHING;
	SELECT * INTO STRICT place FROM xero_fdw.sync_position AS p
	WHERE p.sync_id = sync AND p.tenant_id = tenant;

	condition := xero_fdw._pull_condition(sync, place.watermark IS NOT NULL);
	number := CASE WHEN self.mirror THEN xero_fdw._number_column(self.xero_table) END;
	parted := number IS NULL AND xero_fdw._can_be_parted(self, condition, tenant, place.watermark);
	limits := CASE WHEN parted THEN format('LIMIT %s OFFSET %s', chunk, place.pull_offset)
		WHEN number IS NOT NULL THEN format('ORDER BY xero.%I LIMIT %s', number,
			CASE WHEN run IS NULL THEN 'ALL' ELSE chunk::text END)
		ELSE '' END;
	IF number IS NOT NULL THEN
		condition := format('%s AND xero.%I OPERATOR(pg_catalog.>) %s', condition, number, place.pull_offset);
	END IF;
	read := xero_fdw._take_records(run, self, tenant, condition, limits, place.watermark);
	listed := xero_fdw._list_size(self.xero_table);
	place.pull_started := coalesce(place.pull_started,
		began + xero_fdw._clock_offset());

	IF parted THEN
		fell := greatest(coalesce(place.pull_records - listed, 0), 0);
		next := greatest(place.pull_offset + read - fell, 0);
		IF fell > 0 THEN
			next := next - next % page;
		END IF;
		finished := fell = 0
			AND (read < chunk OR coalesce(next >= listed, false));
	ELSIF number IS NOT NULL AND run IS NOT NULL THEN
		next := xero_fdw._last_number(self, tenant, number, place.pull_offset, read);
		finished := read < chunk OR next = place.pull_offset;
	END IF;

	UPDATE xero_fdw.sync_position AS p
	SET watermark = CASE WHEN NOT finished THEN p.watermark
			WHEN xero_fdw._column_of(self.xero_table, 'UpdatedDateUTC') IS NOT NULL
				THEN place.pull_started - overlap END,
		pull_started = CASE WHEN NOT finished THEN place.pull_started END,
		pull_offset = CASE WHEN finished AND number IS NULL THEN 0 ELSE coalesce(next, p.pull_offset) END,
		pull_records = CASE WHEN NOT finished THEN listed END
	WHERE p.sync_id = sync AND p.tenant_id = tenant;
	UPDATE xero_fdw.sync_run AS r
	SET pulled = r.pulled + read, done = place.pull_offset + read,
		total = listed
	WHERE r.run_id = run;
	RETURN finished;
END $$;
COMMENT ON FUNCTION xero_fdw._pull_chunk(bigint, integer, uuid) IS
	'internal: read the next records of an organisation into the inbox; were they the last?';
