-- Which row is which: links follow rows whose keys change, and part from keys that
-- other rows have by now.
--
-- A key is no evidence of who a row is: where it was deleted and inserted again, or
-- has come back after its table or partition was emptied, the row may be another one.  A
-- link whose row is gone gives up the key for an object, which is no row's key, and
-- keeps in match_key what its row was matched by.  A row that comes and says the
-- same, or names the record, is that row, whatever its key is: the link becomes its
-- own again, with all that both sides had agreed on.  So does a row that is deleted
-- before anybody has seen it with its key.  A link that nobody comes for ends if a
-- deletion was recorded, and is an issue if none was; after a TRUNCATE its record is
-- matched anew.
--
-- What a change says of links is followed once.  What then remains of it is that
-- there is a row to be looked at.

-- A row that moves to another partition is deleted there and inserted here, by one
-- UPDATE, under a key of which only the columns of the partitioning are others.  That
-- is a change of the key.
CREATE FUNCTION xero_fdw._pair_moves(sync integer, changes bigint[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	self xero_fdw.sync;
	lasting integer[];
BEGIN
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	SELECT array_agg(u.n - 1) INTO lasting
	FROM unnest(self.local_key) WITH ORDINALITY AS u(c, n)
	WHERE NOT EXISTS (SELECT FROM pg_partition_tree(self.local_table) AS t
			JOIN pg_partitioned_table AS p ON p.partrelid = t.relid
			JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs)
		WHERE a.attname = u.c);
	IF lasting IS NULL OR cardinality(lasting) = cardinality(self.local_key) THEN
		RETURN;
	END IF;
	WITH change AS MATERIALIZED (
		SELECT c.change_id, c.operation, c.local_key, c.xid, c.departed,
			ARRAY(SELECT c.local_key->n FROM unnest(lasting) AS n) AS lasts
		FROM xero_fdw.sync_change AS c
		WHERE c.sync_id = sync AND c.operation IN ('insert', 'delete')
	), pair AS (
		SELECT DISTINCT ON (d.change_id) i.change_id AS insertion,
			d.change_id AS deletion, d.local_key AS old_key
		FROM change AS i JOIN change AS d USING (xid, lasts)
		WHERE i.operation = 'insert' AND i.change_id = ANY (changes) AND d.departed
			AND d.change_id < i.change_id AND d.local_key <> i.local_key
		ORDER BY d.change_id, i.change_id
	), moved AS (
		UPDATE xero_fdw.sync_change AS c SET operation = 'update', old_key = p.old_key
		FROM pair AS p WHERE c.sync_id = sync AND c.change_id = p.insertion
	)
	DELETE FROM xero_fdw.sync_change AS c USING pair AS p WHERE c.sync_id = sync AND c.change_id = p.deletion;
END $$;
COMMENT ON FUNCTION xero_fdw._pair_moves(integer, bigint[]) IS
	'internal: take rows that have moved to another partition for rows whose key has changed';

-- Keys that are too long for an index become objects with their digests, which are no
-- rows' keys: links follow rows that get such a key, also by being deleted and inserted
-- with it if they name the record, and come back.  As long as they have it, these rows
-- are issues: here those that have no record, and the others when they are merged.
CREATE FUNCTION xero_fdw._shorten_keys(sync integer, changes bigint[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	most CONSTANT integer := 2000;
	long CONSTANT jsonb[] := ARRAY(SELECT DISTINCT u.key
		FROM xero_fdw._changes_by_id(sync, changes) AS c, unnest(ARRAY[c.local_key, c.old_key]) AS u(key)
		WHERE octet_length(u.key::text) > most);
BEGIN
	IF long = '{}' THEN
		RETURN;
	END IF;
	WITH same AS MATERIALIZED (
		SELECT c.change_id AS insertion, d.change_id AS deletion, k.local_key AS old_key
		FROM xero_fdw._read_local(sync, long, false) AS r
			JOIN xero_fdw.sync_link AS k ON k.sync_id = sync
				AND k.xero_id = xero_fdw._named_record(r.image, xero_fdw._id_column(sync))
			JOIN xero_fdw._changes_by_id(sync, changes) AS c ON c.local_key = r.local_key AND c.operation = 'insert'
			JOIN xero_fdw._changes_by_id(sync, changes) AS d ON d.local_key = k.local_key AND d.operation = 'delete'
		WHERE d.change_id < c.change_id AND d.local_key <> c.local_key
	), followed AS (
		UPDATE xero_fdw.sync_change AS c SET operation = 'update', old_key = s.old_key
		FROM same AS s WHERE c.sync_id = sync AND c.change_id = s.insertion
	)
	DELETE FROM xero_fdw.sync_change AS c USING same AS s WHERE c.sync_id = sync AND c.change_id = s.deletion;
	DELETE FROM xero_fdw.sync_issue AS i WHERE i.sync_id = sync AND i.link_id IS NULL AND i.local_key = ANY (long);
	INSERT INTO xero_fdw.sync_issue (sync_id, local_key, kind, message, sqlstate)
	SELECT sync, r.local_key, 'transform', format('the key of the row is longer than %s bytes', most), '54000'
	FROM xero_fdw._read_local(sync, long, false) AS r
	WHERE r.in_scope IS NOT FALSE AND NOT EXISTS (SELECT FROM xero_fdw._links_of_rows(sync,
			jsonb_build_object('long', md5(r.local_key::text)) || ARRAY(SELECT c.old_key
				FROM xero_fdw._changes_by_id(sync, changes) AS c
				WHERE c.local_key = r.local_key AND c.old_key IS NOT NULL)) AS k
		WHERE k.xero_id IS NOT NULL);
	UPDATE xero_fdw.sync_change AS c SET local_key = jsonb_build_object('long', md5(c.local_key::text))
	WHERE c.sync_id = sync AND c.change_id = ANY (changes) AND c.local_key = ANY (long);
	UPDATE xero_fdw.sync_change AS c SET old_key = jsonb_build_object('long', md5(c.old_key::text))
	WHERE c.sync_id = sync AND c.change_id = ANY (changes) AND c.old_key = ANY (long);
END $$;
COMMENT ON FUNCTION xero_fdw._shorten_keys(integer, bigint[]) IS
	'internal: let the keys of changes fit into an index';

-- Marks for the base image of a row that has come back.  It may lack what comes from
-- Xero alone: there, Xero wins over nothing.
CREATE FUNCTION xero_fdw._marks_of_lacking(sync integer) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_object_agg('?' || f.field, '{"winner": "xero", "over": null}'::jsonb), '{}')
	FROM xero_fdw.sync_field AS f WHERE f.sync_id = sync AND f.direction = 'to_local'
$$;
COMMENT ON FUNCTION xero_fdw._marks_of_lacking(integer) IS
	'internal: marks of what a row that has come back may lack';

-- Has a link ended without its record, so that its row may come back?  One whose record
-- was ended knows nothing of a row any more.
CREATE FUNCTION xero_fdw._has_live_record(link xero_fdw.sync_link) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN link.state = 'ended' AND link.base_xero IS NOT NULL AND link.base_local IS NOT NULL;
COMMENT ON FUNCTION xero_fdw._has_live_record(xero_fdw.sync_link) IS
	'internal: has a link ended without its record?';

-- Notes what the rows of links are matched by, as these rows are gone: what they said
-- last, as far as changes "upto" one tell, or what is under way to Xero, or without "upto"
-- when both sides agreed.  Of a row that only comes from Xero, what its record said is
-- known.
CREATE FUNCTION xero_fdw._keep_match_keys(self xero_fdw.sync, links bigint[], upto bigint)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known record;
BEGIN
	SELECT array_agg(k.link_id ORDER BY u.n) AS links,
		array_agg(CASE WHEN self.direction = 'pull' THEN k.base_xero
			WHEN upto > 0 THEN coalesce(i.image, k.base_local)
			ELSE coalesce(k.base_local, i.image) END ORDER BY u.n) AS images,
		array_agg((SELECT c.said FROM xero_fdw._changes_of_rows(k.sync_id, ARRAY[k.local_key]) AS c
			WHERE c.said IS NOT NULL AND c.change_id <= upto
			ORDER BY c.change_id DESC LIMIT 1) ORDER BY u.n) AS said
	INTO known
	FROM unnest(links) WITH ORDINALITY AS u(link, n)
		JOIN xero_fdw.sync_link AS k ON k.link_id = u.link
		LEFT JOIN xero_fdw.sync_intent AS i ON i.link_id = k.link_id AND i.sync_id = k.sync_id
	WHERE self.match_on IS NOT NULL;
	IF self.direction = 'pull' AND known.links IS NOT NULL THEN
		known.images := xero_fdw._terms_or_null(self.sync_id, 'local', known.images, self.match_on);
	END IF;
	UPDATE xero_fdw.sync_link AS k
	SET match_key = coalesce(xero_fdw._match_key(u.said, self.match_on),
		xero_fdw._match_key(u.image, self.match_on), k.match_key)
	FROM unnest(known.links, known.images, known.said) AS u(link, image, said)
	WHERE k.link_id = u.link;
END $$;
COMMENT ON FUNCTION xero_fdw._keep_match_keys(xero_fdw.sync, bigint[], bigint) IS
	'internal: note what the rows of links are matched by, as they are gone';

-- Parts links from keys that were inserted anew.  As a key is there once, the row
-- before is gone, even if nobody has deleted it.  A link whose two sides have not
-- been merged yet may be this very row's, unless a deletion comes between.  Where
-- neither match_on nor a record's id tells rows apart, the key is all there is, but
-- for rows that were deleted and their records ended.  "changes" are those among
-- which deletions are looked for.
CREATE FUNCTION xero_fdw._part_reused(self xero_fdw.sync, inserts bigint[], changes bigint[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rows_tell CONSTANT boolean := self.match_on IS NOT NULL
		OR xero_fdw._id_column(self.sync_id) IS NOT NULL;
	reused record;
BEGIN
	WITH event AS MATERIALIZED (
		SELECT c.change_id, c.local_key, c.operation,
			bool_or(c.operation = 'delete') OVER (PARTITION BY c.local_key ORDER BY c.change_id) AS deleted
		FROM xero_fdw._changes_by_id(self.sync_id, changes) AS c
		WHERE c.operation IN ('insert', 'delete')
	), parted AS (
		SELECT DISTINCT ON (k.link_id) k.link_id, e.local_key, e.change_id, k.deleted OR e.deleted AS deleted
		FROM event AS e CROSS JOIN LATERAL (
			SELECT * FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = self.sync_id AND k.local_key = e.local_key OFFSET 0) AS k
		WHERE e.operation = 'insert' AND e.change_id = ANY (inserts)
			AND (k.xero_id IS NOT NULL OR k.state = 'ignored' OR k.first OR EXISTS (
				SELECT FROM xero_fdw.sync_intent AS i
				WHERE i.link_id = k.link_id AND i.idempotency_key IS NOT NULL))
			AND (k.deleted OR e.deleted OR k.base_xero IS NOT NULL OR k.base_local IS NOT NULL)
			AND (rows_tell OR k.state = 'ended' AND NOT xero_fdw._has_live_record(k))
		ORDER BY k.link_id, e.change_id
	)
	SELECT array_agg(p.link_id) AS links, array_agg(p.deleted) AS deleted,
		array_agg(p.local_key) AS keys, array_agg(p.change_id) AS inserts
	INTO reused FROM parted AS p;
	IF reused.links IS NULL THEN
		RETURN;
	END IF;
	UPDATE xero_fdw.sync_link AS k
	SET local_key = jsonb_build_object('was', k.local_key, 'link', k.link_id), deleted = u.deleted
	FROM unnest(reused.links, reused.deleted) AS u(link, deleted)
	WHERE k.link_id = u.link;
	UPDATE xero_fdw.sync_change AS c
	SET local_key = jsonb_build_object('was', c.local_key, 'link', u.link)
	FROM unnest(reused.links, reused.keys, reused.inserts) AS u(link, key, insert)
	WHERE c.ctid = ANY (ARRAY(SELECT xero_fdw._changes_at(self.sync_id, reused.keys)))
		AND c.local_key = u.key AND c.change_id < u.insert
		AND c.operation <> 'insert' AND c.change_id = ANY (changes);
	PERFORM xero_fdw._keep_match_keys(self, reused.links, changes[cardinality(changes)]);
	INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT k.sync_id, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
	FROM xero_fdw.sync_link AS k
	WHERE k.link_id = ANY (reused.links) AND k.state = 'linked' AND k.base_xero IS NOT NULL
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET held = false;
END $$;
COMMENT ON FUNCTION xero_fdw._part_reused(xero_fdw.sync, bigint[], bigint[]) IS
	'internal: part links from keys that were inserted anew';

-- Rows that were gone are there, with these keys.  Of those whose links had ended,
-- nothing is agreed on any more.
CREATE FUNCTION xero_fdw._come_back(self xero_fdw.sync, links bigint[], keys jsonb[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	marks CONSTANT jsonb := xero_fdw._marks_of_lacking(self.sync_id);
BEGIN
	INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT k.sync_id, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
	FROM xero_fdw.sync_link AS k WHERE k.link_id = ANY (links) AND k.base_xero IS NOT NULL
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET held = false;
	UPDATE xero_fdw.sync_link AS k
	SET local_key = u.key, deleted = false,
		match_key = CASE WHEN k.xero_id IS NULL THEN k.match_key END,
		state = CASE WHEN k.xero_id IS NULL THEN k.state ELSE 'linked' END,
		base_xero = CASE WHEN k.state <> 'ended' THEN marks || k.base_xero END,
		base_local = CASE WHEN k.state <> 'ended' THEN k.base_local END
	FROM unnest(links, keys) AS u(link, key)
	WHERE k.link_id = u.link;
END $$;
COMMENT ON FUNCTION xero_fdw._come_back(xero_fdw.sync, bigint[], jsonb[]) IS
	'internal: rows that were gone are there again';

-- Rows whose key has changed keep their links.  A link that is in the way gives
-- up its key: the row is gone, and with it its key, or its own change of the key
-- is about to come, as one statement may shift many.  Changes that are in nobody's
-- way are followed all at once, and so are insertions.  What was done to a row before,
-- goes along.
CREATE FUNCTION xero_fdw._follow_keys(self xero_fdw.sync, changes bigint[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sync CONSTANT integer := self.sync_id;
	entangled jsonb[];			-- keys that change in an order that matters
	c xero_fdw.sync_change;
	other bigint;
	gone boolean;
	key jsonb;					-- an object, which is no row's key
BEGIN
	WITH change AS MATERIALIZED (
		SELECT x.change_id, x.old_key, x.local_key, jsonb_build_object('was', x.old_key) AS was
		FROM xero_fdw._changes_by_id(sync, changes) AS x
		WHERE x.old_key <> x.local_key
	), taken AS MATERIALIZED (
		SELECT u.key FROM change AS x, unnest(ARRAY[x.old_key, x.local_key]) AS u(key)
		GROUP BY u.key HAVING count(*) > 1
		UNION ALL
		SELECT k.local_key FROM change AS x, xero_fdw._links_of_rows(sync, ARRAY[x.local_key, x.was]) AS k
		UNION ALL
		SELECT x.local_key FROM xero_fdw._changes_by_id(sync, changes) AS x
		WHERE x.operation IN ('insert', 'delete')
	), free AS MATERIALIZED (
		SELECT * FROM change AS x
		WHERE x.old_key NOT IN (SELECT t.key FROM taken AS t)
			AND x.local_key NOT IN (SELECT t.key FROM taken AS t)
			AND x.was NOT IN (SELECT t.key FROM taken AS t)
	), moved AS (
		UPDATE xero_fdw.sync_link AS k SET local_key = f.local_key
		FROM free AS f WHERE k.sync_id = sync AND k.local_key = f.old_key
	), edited AS (
		UPDATE xero_fdw.sync_change AS e SET local_key = f.local_key
		FROM free AS f
		WHERE e.ctid = ANY (ARRAY(SELECT xero_fdw._changes_at(sync, ARRAY(SELECT o.old_key FROM free AS o))))
			AND e.local_key = f.old_key AND e.change_id < f.change_id
	)
	UPDATE xero_fdw.sync_change AS x SET old_key = NULL
	FROM free AS f WHERE x.sync_id = sync AND x.change_id = f.change_id;

	SELECT coalesce(array_agg(u.key), '{}') INTO entangled
	FROM xero_fdw._changes_by_id(sync, changes) AS x, unnest(ARRAY[x.old_key, x.local_key]) AS u(key)
	WHERE x.old_key <> x.local_key;
	PERFORM xero_fdw._part_reused(self, ARRAY(SELECT x.change_id FROM xero_fdw._changes_by_id(sync, changes) AS x
		WHERE x.operation = 'insert' AND (x.local_key IN (SELECT unnest(entangled))) IS NOT TRUE), changes);
	FOR c IN
		SELECT * FROM xero_fdw._changes_by_id(sync, changes) AS x
		WHERE x.old_key <> x.local_key
			OR x.operation = 'insert' AND x.local_key IN (SELECT unnest(entangled))
		ORDER BY x.change_id
	LOOP
		IF c.operation = 'insert' THEN
			PERFORM xero_fdw._part_reused(self, ARRAY[c.change_id], changes);
			CONTINUE;
		END IF;
		DELETE FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND k.local_key = c.local_key AND k.xero_id IS NULL
			AND EXISTS (SELECT FROM xero_fdw.sync_link AS o
				WHERE o.sync_id = sync AND o.local_key IN (c.old_key, jsonb_build_object('was', c.old_key)));
		SELECT max(k.link_id), coalesce(bool_or(k.state = 'ended' OR k.deleted), false) OR EXISTS (
				SELECT FROM xero_fdw._changes_of_rows(sync, ARRAY[c.local_key]) AS d
				WHERE d.change_id < c.change_id AND d.operation = 'delete')
		INTO other, gone FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND k.local_key = c.local_key;
		key := jsonb_build_object('was', c.local_key) || CASE WHEN NOT gone THEN '{}'
			WHEN other IS NULL THEN jsonb_build_object('change', c.change_id)
			ELSE jsonb_build_object('link', other) END;
		UPDATE xero_fdw.sync_link AS k SET local_key = key WHERE k.link_id = other;
		UPDATE xero_fdw.sync_change AS d SET local_key = key
		WHERE d.ctid = ANY (ARRAY(SELECT xero_fdw._changes_at(sync, ARRAY[c.local_key])))
			AND d.change_id < c.change_id;
		-- another row has got the key that this one leaves
		key := jsonb_build_object('was', c.old_key);
		IF NOT EXISTS (SELECT FROM xero_fdw._links_of_rows(sync, ARRAY[key]))
			AND NOT EXISTS (SELECT FROM xero_fdw._changes_of_rows(sync, ARRAY[key])) THEN
			key := c.old_key;
		END IF;
		UPDATE xero_fdw.sync_link AS k SET local_key = c.local_key
		WHERE k.sync_id = sync AND k.local_key = key;
		UPDATE xero_fdw.sync_change AS e SET local_key = c.local_key
		WHERE e.ctid = ANY (ARRAY(SELECT xero_fdw._changes_at(sync, ARRAY[key])))
			AND e.change_id < c.change_id AND e.operation <> 'delete';
		UPDATE xero_fdw.sync_change AS x SET old_key = NULL
		WHERE x.sync_id = sync AND x.change_id = c.change_id;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._follow_keys(xero_fdw.sync, bigint[]) IS
	'internal: let links follow rows whose key has changed';

-- Is all that each of these rows says, but for its keys, what the row of the link beside
-- it said when both sides agreed?
CREATE FUNCTION xero_fdw._say_the_same(self xero_fdw.sync, keys jsonb[], links bigint[])
	RETURNS boolean[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pulls CONSTANT boolean := self.direction = 'pull';
	columns CONSTANT text[] := ARRAY(SELECT DISTINCT c
		FROM xero_fdw.sync_field AS f, unnest(CASE WHEN pulls THEN ARRAY[f.local_column] ELSE f.local_uses END) AS c
		WHERE f.sync_id = self.sync_id AND f.direction <> CASE WHEN pulls THEN 'to_xero' ELSE 'to_local' END
			AND c <> ALL (self.local_key) AND c IS DISTINCT FROM xero_fdw._id_column(self.sync_id));
	known record;
BEGIN
	SELECT array_agg(k.link_id) AS links, array_agg(CASE WHEN pulls THEN k.base_xero ELSE k.base_local END) AS images
	INTO known FROM xero_fdw.sync_link AS k WHERE k.link_id = ANY (links);
	IF pulls THEN
		known.images := xero_fdw._terms_or_null(self.sync_id, 'local', known.images, NULL);
	END IF;
	RETURN (WITH row AS (
			SELECT r.local_key, jsonb_strip_nulls(xero_fdw._slice(r.image, columns)) AS says
			FROM xero_fdw._read_local(self.sync_id, ARRAY(
				SELECT DISTINCT k FROM unnest(keys) AS k WHERE jsonb_typeof(k) = 'array'), false) AS r
		), link AS (
			SELECT u.link, jsonb_strip_nulls(xero_fdw._slice(u.image, columns)) AS said
			FROM unnest(known.links, known.images) AS u(link, image)
		)
		SELECT array_agg(coalesce(row.says <@ link.said, false) ORDER BY c.n)
		FROM unnest(keys, links) WITH ORDINALITY AS c(key, link, n)
			LEFT JOIN row ON row.local_key = c.key LEFT JOIN link ON link.link = c.link);
END $$;
COMMENT ON FUNCTION xero_fdw._say_the_same(xero_fdw.sync, jsonb[], bigint[]) IS
	'internal: do rows say what rows of links said?';

-- Gives links whose rows are gone to rows that are the same: they name the record,
-- or say what the row before was matched by.  Where two could be meant, it is the
-- one that is named, or that says nothing but what the row before said, else none.
-- "keys" are of rows that have no record, with what they are matched by, their values
-- of match_on and their organisation; returns those that have one now.  Those of rows
-- that are deleted are objects, and get only links that have given up their keys for
-- good.  A row that is being created in Xero waits for what comes of that, and so does
-- one that names a record and has another one's values of match_on, if nobody has
-- deleted a row.  A record whose deletion was sent, and that would not be seen any more, is
-- nobody's.  One that has waited while the other was there is not that one, unless
-- it takes its place as that is deleted.
CREATE FUNCTION xero_fdw._rejoin(self xero_fdw.sync, keys jsonb[], match_keys text[],
		says text[], tenants uuid[]) RETURNS jsonb[]
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	vanish CONSTANT boolean := (SELECT rules.status IS NULL
		FROM xero_fdw._push_rules(self.xero_table, 'delete') AS rules);
	candidate record;
	found record;
BEGIN
	SELECT array_agg(c.key) AS keys, array_agg(c.link_id) AS links, array_agg(c.old_key) AS old_keys,
		array_agg(c.named) AS named, bool_or(c.rivals > 1) AS tied
	INTO candidate
	FROM (SELECT *, greatest(count(*) OVER (PARTITION BY key), count(*) OVER (PARTITION BY link_id)) AS rivals
		FROM (SELECT c.key, k.link_id, k.local_key AS old_key, c.match_key = '=' || k.xero_id AS named
			FROM unnest(keys, match_keys, says, tenants) AS c(key, match_key, says, tenant)
				CROSS JOIN LATERAL (
					SELECT k.* FROM (SELECT * FROM xero_fdw.sync_link AS k
						WHERE k.sync_id = self.sync_id AND k.match_key = c.match_key OFFSET 0) AS k
					UNION ALL
					SELECT k.* FROM (SELECT * FROM xero_fdw.sync_link AS k
						WHERE k.sync_id = self.sync_id AND k.xero_id = substr(c.match_key, 2) OFFSET 0) AS k
					WHERE c.match_key LIKE '=%') AS k
			WHERE k.local_key <> c.key AND coalesce(k.tenant_id = c.tenant, true)
				AND (jsonb_typeof(c.key) = 'array' OR k.local_key->'link' IS NOT NULL)
				AND CASE k.state WHEN 'linked' THEN true
					WHEN 'ended' THEN xero_fdw._has_live_record(k)
					ELSE k.xero_id IS NULL AND (k.deleted OR k.local_key->'was' IS NOT NULL)
						AND (k.state = 'ignored' OR EXISTS (SELECT FROM xero_fdw.sync_intent AS i
							WHERE i.link_id = k.link_id AND i.idempotency_key IS NOT NULL)) END
				AND NOT (vanish AND EXISTS (SELECT FROM xero_fdw.sync_intent AS i
					WHERE i.link_id = k.link_id AND i.operation = 'delete' AND i.idempotency_key IS NOT NULL))
				AND (EXISTS (SELECT FROM xero_fdw.sync_link AS w LEFT JOIN xero_fdw.sync_intent AS i USING (link_id)
					WHERE w.sync_id = self.sync_id AND w.local_key = c.key AND (i.idempotency_key IS NOT NULL
						OR w.seen_at IS NOT NULL AND (NOT k.deleted OR k.state = 'ignored') AND c.match_key NOT LIKE '=%'))) IS NOT TRUE
				AND (c.match_key LIKE '=%' AND NOT k.deleted AND c.says <> k.match_key AND EXISTS (
					SELECT FROM (SELECT * FROM xero_fdw.sync_link AS o
						WHERE o.sync_id = self.sync_id AND o.match_key = c.says OFFSET 0) AS o
					WHERE o.xero_id IS NOT NULL AND o.state <> 'ended')) IS NOT TRUE) AS c) AS c;
	WITH weighed AS (
		SELECT c.*, CASE WHEN c.named THEN 2 WHEN c.same THEN 1 ELSE 0 END AS weight
		FROM unnest(candidate.keys, candidate.links, candidate.old_keys, candidate.named, CASE WHEN candidate.tied
			THEN xero_fdw._say_the_same(self, candidate.keys, candidate.links) END) AS c(key, link_id, old_key, named, same)
	), likely AS (
		SELECT * FROM (SELECT *, greatest(max(weight) OVER (PARTITION BY link_id),
			max(weight) OVER (PARTITION BY key)) AS most FROM weighed) AS c
		WHERE weight = most
	), counted AS (
		SELECT *, count(*) OVER (PARTITION BY link_id) AS rows_of, count(*) OVER (PARTITION BY key) AS links_of
		FROM likely
	)
	SELECT array_agg(link_id) AS links, array_agg(key) AS keys, array_agg(old_key) AS old_keys INTO found
	FROM counted WHERE rows_of = 1 AND links_of = 1;
	IF found.links IS NOT NULL THEN
		SELECT array_agg(f.link) AS links, array_agg(f.key) AS keys, NULL::jsonb[] AS old_keys INTO found
		FROM unnest(found.links, found.keys, found.old_keys) AS f(link, key, old_key)
		WHERE (f.old_key IN (SELECT r.local_key FROM xero_fdw._read_local(self.sync_id, ARRAY(
			SELECT o FROM unnest(found.old_keys) AS o WHERE jsonb_typeof(o) = 'array'), false) AS r)) IS NOT TRUE;
	END IF;
	DELETE FROM xero_fdw.sync_link AS k
	WHERE k.link_id = ANY (ARRAY(SELECT w.link_id FROM xero_fdw._links_of_rows(self.sync_id, found.keys) AS w
		WHERE w.xero_id IS NULL));
	PERFORM xero_fdw._come_back(self, found.links, found.keys);
	RETURN coalesce(found.keys, '{}');
END $$;
COMMENT ON FUNCTION xero_fdw._rejoin(xero_fdw.sync, jsonb[], text[], text[], uuid[]) IS
	'internal: give links whose rows are gone to rows that are the same';

-- The same for rows that wait: they may have come before the others went.
CREATE FUNCTION xero_fdw._rejoin_waiting(self xero_fdw.sync) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT xero_fdw._rejoin(self, array_agg(w.local_key), array_agg(w.match_key), NULL,
		array_agg(w.tenant_id))
	FROM (SELECT DISTINCT m.match_key FROM xero_fdw._touched_links(self.sync_id) AS k,
				LATERAL (VALUES (k.match_key), (CASE WHEN k.deleted THEN '=' || k.xero_id END)) AS m(match_key)
			WHERE m.match_key IS NOT NULL AND k.local_key IS NOT NULL
				AND (k.xero_id IS NOT NULL OR k.deleted)) AS gone,
		LATERAL (SELECT * FROM xero_fdw.sync_link AS w
			WHERE w.sync_id = self.sync_id AND w.match_key = gone.match_key OFFSET 0) AS w
	WHERE w.xero_id IS NULL AND jsonb_typeof(w.local_key) = 'array' AND NOT w.deleted
	HAVING count(*) > 0
$$;
COMMENT ON FUNCTION xero_fdw._rejoin_waiting(xero_fdw.sync) IS
	'internal: give links whose rows are gone to rows that wait and are the same';

-- The same for links that nobody has come for by what their rows said last.  They may be
-- known by what both sides agreed on or, once that is read, by what their records say,
-- as somebody may have given both sides the same new name.
CREATE FUNCTION xero_fdw._rejoin_renamed(self xero_fdw.sync, as_read boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	gone record;
BEGIN
	SELECT array_agg(k.link_id) AS links, array_agg(k.match_key) AS said, array_agg(i.remote) AS images INTO gone
	FROM xero_fdw._touched_links(self.sync_id) AS k
		LEFT JOIN xero_fdw.sync_inbox AS i USING (sync_id, tenant_id, xero_id)
	WHERE k.xero_id IS NOT NULL AND k.match_key IS NOT NULL
		AND (k.deleted OR jsonb_typeof(k.local_key) = 'object');
	IF gone.links IS NULL THEN
		RETURN;
	ELSIF as_read THEN
		gone.images := xero_fdw._terms_or_null(self.sync_id, 'local', gone.images, self.match_on);
		UPDATE xero_fdw.sync_link AS k
		SET match_key = coalesce(xero_fdw._match_key(u.image, self.match_on), k.match_key)
		FROM unnest(gone.links, gone.images) AS u(link, image)
		WHERE k.link_id = u.link;
	ELSE
		PERFORM xero_fdw._keep_match_keys(self, gone.links, 0);
	END IF;
	PERFORM xero_fdw._rejoin_waiting(self);
	UPDATE xero_fdw.sync_link AS k SET match_key = u.said
	FROM unnest(gone.links, gone.said) AS u(link, said)
	WHERE k.link_id = u.link AND k.match_key <> u.said;
END $$;
COMMENT ON FUNCTION xero_fdw._rejoin_renamed(xero_fdw.sync, boolean) IS
	'internal: give links whose rows are gone to rows that wait, whatever these are known by';

-- Rows that were deleted and have no record, but have said what rows that are gone
-- were matched by, or named their records, were these rows, under other keys: so it
-- is these that were deleted.
CREATE FUNCTION xero_fdw._follow_deletions(self xero_fdw.sync, changes bigint[], strange jsonb[],
		id_column text, tenant_column text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	gone record;
	keys jsonb[];
	links bigint[];
BEGIN
	SELECT array_agg(d.key) AS keys, array_agg(d.match_key) AS match_keys,
		array_agg(d.says) AS says, array_agg(d.tenant) AS tenants
	INTO gone
	FROM (SELECT DISTINCT ON (m.match_key, m.tenant) m.*,
			jsonb_build_object('was', c.local_key, 'change', c.change_id) AS key
		FROM xero_fdw._changes_by_id(self.sync_id, changes) AS c CROSS JOIN LATERAL (
			SELECT xero_fdw._row_key(c.said, id_column, self.match_on) AS match_key,
				xero_fdw._match_key(c.said, self.match_on) AS says,
				xero_fdw._named_organisation(c.said, tenant_column) AS tenant) AS m
		WHERE c.operation = 'delete' AND c.local_key IN (SELECT unnest(strange))
			AND m.match_key IS NOT NULL
		ORDER BY m.match_key, m.tenant, c.change_id DESC) AS d;
	keys := xero_fdw._rejoin(self, gone.keys, gone.match_keys, gone.says, gone.tenants);
	links := ARRAY(SELECT k.link_id FROM xero_fdw._links_of_rows(self.sync_id, keys) AS k);
	UPDATE xero_fdw.sync_link AS k SET deleted = true WHERE k.link_id = ANY (links);
	PERFORM xero_fdw._keep_match_keys(self, links, 0);
	UPDATE xero_fdw.sync_change AS c SET local_key = u.key
	FROM unnest(keys) AS u(key)
	WHERE c.sync_id = self.sync_id AND c.change_id = (u.key->'change')::bigint;
	-- what else was known of these rows
	PERFORM xero_fdw._drop_links(ARRAY(SELECT k.link_id
		FROM xero_fdw._links_of_rows(self.sync_id, ARRAY(SELECT u.key->'was' FROM unnest(keys) AS u(key))) AS k
		WHERE k.xero_id IS NULL AND k.deleted AND NOT EXISTS (SELECT FROM xero_fdw.sync_intent AS i
			WHERE i.link_id = k.link_id AND i.idempotency_key IS NOT NULL)));
END $$;
COMMENT ON FUNCTION xero_fdw._follow_deletions(xero_fdw.sync, bigint[], jsonb[], text, text) IS
	'internal: let links know that their rows were deleted under other keys';

-- Insertions were followed: what is left of them is a row to be looked at, and of
-- deletions before them, nothing.
CREATE FUNCTION xero_fdw._settle_insertions(sync integer, changes bigint[]) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	WITH inserted AS (
		UPDATE xero_fdw.sync_change AS c SET operation = 'update'
		WHERE c.sync_id = sync AND c.change_id = ANY (changes) AND c.operation = 'insert'
		RETURNING c.change_id, c.local_key
	)
	DELETE FROM xero_fdw.sync_change AS d USING inserted AS i
	WHERE d.ctid = ANY (ARRAY(SELECT xero_fdw._changes_at(sync, ARRAY(SELECT o.local_key FROM inserted AS o))))
		AND d.local_key = i.local_key AND d.change_id < i.change_id AND d.operation = 'delete'
$$;
COMMENT ON FUNCTION xero_fdw._settle_insertions(integer, bigint[]) IS
	'internal: leave of insertions that were followed what is to be merged';

-- What changes say of links: which rows they belong to, which of these are
-- deleted, or there again, and which were given another name by an UPDATE.
CREATE FUNCTION xero_fdw._follow_changes(self xero_fdw.sync, changes bigint[])
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	identity CONSTANT text[] := ARRAY(SELECT unnest(f.local_uses || f.local_column)
		FROM xero_fdw._identity_fields(self.sync_id) AS f);
	arrived record;
	known record;
BEGIN
	PERFORM xero_fdw._pair_moves(self.sync_id, changes);
	PERFORM xero_fdw._shorten_keys(self.sync_id, changes);
	SELECT array_agg(c.local_key) AS keys, array_agg(c.change_id) AS changes INTO arrived
	FROM xero_fdw._changes_by_id(self.sync_id, changes) AS c WHERE c.old_key <> c.local_key;
	PERFORM xero_fdw._follow_keys(self, changes);
	-- what was deleted before a row got its key was another row
	WITH last AS (
		SELECT DISTINCT ON (c.local_key) c.local_key, c.operation = 'delete' AS deleted,
			bool_or(c.operation = 'delete') OVER (PARTITION BY c.local_key) AS ever
		FROM xero_fdw._changes_by_id(self.sync_id, changes) AS c
		WHERE c.operation IN ('insert', 'delete')
			AND (EXISTS (SELECT FROM unnest(arrived.keys, arrived.changes) AS a(key, change)
				WHERE a.key = c.local_key AND a.change > c.change_id)) IS NOT TRUE
		ORDER BY c.local_key, c.change_id DESC
	), marked AS (
		UPDATE xero_fdw.sync_link AS k SET deleted = l.deleted
		FROM last AS l, LATERAL xero_fdw._links_of_rows(self.sync_id, ARRAY[l.local_key]) AS o
		WHERE k.link_id = o.link_id AND (k.deleted OR l.ever)
		RETURNING k.*, k.state = 'linked' OR xero_fdw._has_live_record(k) AS may_return
	)
	SELECT array_agg(m.link_id) FILTER (WHERE m.deleted) AS gone,
		array_agg(m.link_id) FILTER (WHERE m.back) AS back,
		array_agg(m.local_key) FILTER (WHERE m.back) AS keys
	INTO known
	FROM (SELECT *, NOT deleted AND xero_id IS NOT NULL AND may_return AS back FROM marked) AS m;
	PERFORM xero_fdw._keep_match_keys(self, known.gone, changes[cardinality(changes)]);
	PERFORM xero_fdw._come_back(self, known.back, known.keys);
	UPDATE xero_fdw.sync_link AS k SET renamed = true
	FROM xero_fdw._changes_by_id(self.sync_id, changes) AS c,
		LATERAL xero_fdw._links_of_rows(self.sync_id, ARRAY[c.local_key]) AS o
	WHERE c.columns && identity AND k.link_id = o.link_id AND NOT k.renamed;
END $$;
COMMENT ON FUNCTION xero_fdw._follow_changes(xero_fdw.sync, bigint[]) IS
	'internal: let links know of changes of keys, of deletions, and of new names';

-- After a TRUNCATE a key may come back with another row, so all links give up theirs,
-- and rows that come and are the same get them again.  A row that was deleted before
-- stays so.
CREATE FUNCTION xero_fdw._part_links(self xero_fdw.sync, truncation bigint)
	RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sync CONSTANT integer := self.sync_id;
	earlier CONSTANT bigint[] := ARRAY(SELECT c.change_id FROM xero_fdw.sync_change AS c
		WHERE c.sync_id = sync AND c.change_id <= truncation ORDER BY c.change_id);
	links bigint[];
BEGIN
	PERFORM xero_fdw._follow_changes(self, earlier);
	links := ARRAY(SELECT k.link_id FROM xero_fdw.sync_link AS k
		WHERE k.sync_id = sync AND k.local_key IS NOT NULL AND k.local_key->'was' IS NULL);
	PERFORM xero_fdw._keep_match_keys(self, links, truncation);
	DELETE FROM xero_fdw.sync_issue AS i WHERE i.sync_id = sync AND i.kind = 'missing';
	DELETE FROM xero_fdw.sync_intent AS i USING xero_fdw.sync_link AS k
	WHERE i.sync_id = sync AND k.link_id = i.link_id AND i.idempotency_key IS NULL AND NOT k.deleted;
	DELETE FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = sync AND k.xero_id IS NULL
		AND NOT EXISTS (SELECT FROM xero_fdw.sync_intent AS i WHERE i.link_id = k.link_id);
	DELETE FROM xero_fdw.sync_change AS c WHERE c.sync_id = sync AND c.change_id <= truncation;
	UPDATE xero_fdw.sync_link AS k
	SET local_key = jsonb_build_object('was', k.local_key, 'link', k.link_id)
	WHERE k.link_id = ANY (links);
	INSERT INTO xero_fdw.sync_change (sync_id, operation, local_key, changed_at)
	SELECT sync, 'delete', k.local_key, clock_timestamp() FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = sync AND k.xero_id IS NOT NULL AND k.deleted AND k.state <> 'ended';
	UPDATE xero_fdw.sync_position AS p SET initial_done = false WHERE p.sync_id = sync;
END $$;
COMMENT ON FUNCTION xero_fdw._part_links(xero_fdw.sync, bigint) IS
	'internal: part all links from their rows, as these are gone';

-- Records part from their links' rows, and find others, or come here, as in the first run.
CREATE FUNCTION xero_fdw._release(self xero_fdw.sync, links bigint[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF links = '{}' THEN
		RETURN;
	END IF;
	INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT k.sync_id, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
	FROM xero_fdw.sync_link AS k WHERE k.link_id = ANY (links) AND k.base_xero IS NOT NULL
	ON CONFLICT (sync_id, tenant_id, xero_id) DO NOTHING;
	-- records whose rows waited for a person have no base
	UPDATE xero_fdw.sync_inbox AS i SET held = false
	FROM xero_fdw.sync_link AS k
	WHERE k.link_id = ANY (links) AND i.held
		AND i.sync_id = k.sync_id AND i.tenant_id = k.tenant_id AND i.xero_id = k.xero_id;
	UPDATE xero_fdw.sync_link AS k
	SET local_key = NULL, state = 'unlinked' WHERE k.link_id = ANY (links);
END $$;
COMMENT ON FUNCTION xero_fdw._release(xero_fdw.sync, bigint[]) IS
	'internal: let records find other rows';

-- Where more than one row says what a row that is gone has said, or one says what several
-- that are gone have, which of them it is, or whether it was deleted, is for a person
-- to say.  What was deleted stays so, if nobody turns out to be that row.
CREATE FUNCTION xero_fdw._release_contested(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	links CONSTANT bigint[] := ARRAY(
		WITH gone AS (
			SELECT DISTINCT k.link_id, k.tenant_id, k.match_key, k.deleted
			FROM xero_fdw._touched_links(self.sync_id) AS k
			WHERE k.state = 'linked' AND k.match_key IS NOT NULL
				AND (k.deleted OR jsonb_typeof(k.local_key) = 'object')
				AND NOT EXISTS (SELECT FROM xero_fdw.sync_intent AS i
					WHERE i.link_id = k.link_id AND i.idempotency_key IS NOT NULL)
		), claimed AS (
			SELECT g.link_id, r.rows, count(*) OVER (PARTITION BY g.tenant_id, g.match_key) AS links
			FROM gone AS g CROSS JOIN LATERAL (
				SELECT count(*) AS rows FROM (SELECT * FROM xero_fdw.sync_link AS w
					WHERE w.sync_id = self.sync_id AND w.match_key = g.match_key OFFSET 0) AS w
				WHERE w.xero_id IS NULL AND w.state = 'unlinked' AND NOT w.deleted
					AND jsonb_typeof(w.local_key) = 'array' AND coalesce(w.tenant_id = g.tenant_id, true)
					AND (g.deleted OR w.seen_at IS NULL)) AS r
			WHERE r.rows > 0
		)
		SELECT c.link_id FROM claimed AS c WHERE c.rows + c.links > 2);
BEGIN
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.link_id = ANY (links);
	PERFORM xero_fdw._release(self, links);
END $$;
COMMENT ON FUNCTION xero_fdw._release_contested(xero_fdw.sync) IS
	'internal: let a person say which of the rows that say the same has a record';

-- Nobody has deleted the rows that do not come, but for those that are deleted while
-- the run looks for them.  Their records find others, or come here, as in the first run.
CREATE FUNCTION xero_fdw._release_links(self xero_fdw.sync, state xero_fdw._run,
		id_column text, tenant_column text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sync CONSTANT integer := self.sync_id;
	later record;
BEGIN
	IF NOT EXISTS (SELECT FROM xero_fdw.sync_position AS p WHERE p.sync_id = sync AND NOT p.initial_done) THEN
		RETURN;
	END IF;
	SELECT array_agg(c.change_id) AS changes, array_agg(c.local_key) AS keys INTO later
	FROM xero_fdw._later_changes(state) AS c WHERE c.operation = 'delete';
	PERFORM xero_fdw._follow_deletions(self, later.changes, later.keys, id_column, tenant_column);
	PERFORM xero_fdw._release(self, ARRAY(SELECT k.link_id
		FROM xero_fdw.sync_position AS p JOIN xero_fdw.sync_link AS k USING (sync_id, tenant_id)
		WHERE p.sync_id = sync AND NOT p.initial_done AND k.state = 'linked' AND NOT k.deleted
			AND k.local_key->'was' IS NOT NULL));
END $$;
COMMENT ON FUNCTION xero_fdw._release_links(xero_fdw.sync, xero_fdw._run, text, text) IS
	'internal: let records whose rows have not come back find others';
