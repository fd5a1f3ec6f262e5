-- Contacts that were merged into others.  Xero archives such a contact, and it names
-- the one that lives on; its documents belong to that one from then on.  So does its
-- row: the link moves, with what both sides had agreed on as its base, so that what
-- is different at the other contact comes here, and what was edited here goes there.
-- Where the other one has a row already, a person must say which row is to stay;
-- until then nothing flows, as nothing that is written to a dead contact is seen by
-- anybody.
--
-- A run that finds no merged contact asks nothing for that.

-- The record in which a merge ends, after others that it may have been merged into
-- in turn; null if that is not known.  What is not known is asked for, if "ask", and
-- put into the inbox.
CREATE FUNCTION xero_fdw._survivor(self xero_fdw.sync, tenant uuid, id text, ask boolean)
	RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	merged CONSTANT text := xero_fdw._column_of(self.xero_table, 'MergedToContactID');
	record jsonb;
BEGIN
	FOR hop IN 1 .. 100 LOOP
		record := coalesce(
			(SELECT i.remote FROM xero_fdw.sync_inbox AS i
				WHERE i.sync_id = self.sync_id AND i.tenant_id = tenant AND i.xero_id = id),
			(SELECT k.base_xero FROM xero_fdw.sync_link AS k
				WHERE k.sync_id = self.sync_id AND k.tenant_id = tenant AND k.xero_id = id));
		IF record IS NULL AND ask THEN
			INSERT INTO xero_fdw.sync_inbox AS i (sync_id, tenant_id, xero_id, remote, updated_at)
			SELECT self.sync_id, tenant, f.xero_id, f.remote, f.updated_at
			FROM xero_fdw._find_records(self.sync_id, tenant,
				jsonb_build_object(self.xero_key, id), ARRAY[self.xero_key]) AS f
			ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
				SET remote = excluded.remote, updated_at = excluded.updated_at, held = false
			RETURNING i.remote INTO record;
		END IF;
		IF record IS NULL THEN
			RETURN NULL;
		ELSIF record->>merged IS NULL THEN
			RETURN id;
		END IF;
		id := record->>merged;
	END LOOP;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION xero_fdw._survivor(xero_fdw.sync, uuid, text, boolean) IS
	'internal: the record in which a merge ends';

-- Gives the row of a link to another record, which has none that is there.
CREATE FUNCTION xero_fdw._move_link(link xero_fdw.sync_link, id text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM xero_fdw.sync_inbox AS i
	WHERE i.sync_id = link.sync_id AND i.tenant_id = link.tenant_id AND i.xero_id = link.xero_id;
	UPDATE xero_fdw.sync_inbox AS i SET held = false
	WHERE i.sync_id = link.sync_id AND i.tenant_id = link.tenant_id AND i.xero_id = id;
	INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id, remote, updated_at)
	SELECT k.sync_id, k.tenant_id, k.xero_id, k.base_xero, k.xero_updated_at
	FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = link.sync_id AND k.tenant_id = link.tenant_id AND k.xero_id = id AND k.base_xero IS NOT NULL
	ON CONFLICT (sync_id, tenant_id, xero_id) DO NOTHING;
	DELETE FROM xero_fdw.sync_issue AS i USING xero_fdw.sync_link AS k
	WHERE k.sync_id = link.sync_id AND k.tenant_id = link.tenant_id AND k.xero_id IN (link.xero_id, id)
		AND i.link_id = k.link_id;
	DELETE FROM xero_fdw.sync_intent AS i USING xero_fdw.sync_link AS k
	WHERE k.sync_id = link.sync_id AND k.tenant_id = link.tenant_id AND k.xero_id IN (link.xero_id, id)
		AND i.link_id = k.link_id AND i.idempotency_key IS NULL;
	UPDATE xero_fdw.sync_link AS k SET local_key = NULL, state = 'ended', match_key = NULL
	WHERE k.link_id = link.link_id;
	INSERT INTO xero_fdw.sync_link AS k (sync_id, tenant_id, xero_id, local_key, state, base_xero,
		base_local, seen_local, local_updated_at, renamed)
	VALUES (link.sync_id, link.tenant_id, id, link.local_key, 'linked', link.base_xero,
		link.base_local, link.seen_local, link.local_updated_at, link.renamed)
	ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE
		SET local_key = excluded.local_key, state = excluded.state, base_xero = excluded.base_xero,
			base_local = excluded.base_local, seen_local = excluded.seen_local,
			local_updated_at = excluded.local_updated_at, renamed = excluded.renamed,
			deleted = false, match_key = NULL;
END $$;
COMMENT ON FUNCTION xero_fdw._move_link(xero_fdw.sync_link, text) IS
	'internal: give the row of a link to another record';

-- Moves the links of records in the inbox that were merged into others.  What was
-- asked for in vain is not asked for again while the record waits, with an issue that
-- says so.
CREATE FUNCTION xero_fdw._follow_merges(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	merged CONSTANT text := xero_fdw._column_of(self.xero_table, 'MergedToContactID');
	dead record;
	link xero_fdw.sync_link;
	survivor text;
BEGIN
	IF merged IS NULL OR self.mirror THEN
		RETURN;
	END IF;
	FOR dead IN
		SELECT k.link_id, i.tenant_id, i.remote->>merged AS into_id, i.held
		FROM (
			SELECT i.* FROM xero_fdw.sync_inbox AS i WHERE i.sync_id = self.sync_id AND NOT i.held
			UNION ALL
			SELECT i.* FROM xero_fdw.sync_issue AS x
				CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k WHERE k.link_id = x.link_id OFFSET 0) AS k
				CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_inbox AS i
					WHERE i.sync_id = self.sync_id AND i.tenant_id = k.tenant_id AND i.xero_id = k.xero_id OFFSET 0) AS i
			WHERE x.sync_id = self.sync_id AND x.kind = 'ambiguous' AND i.held) AS i
			CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
				WHERE k.sync_id = self.sync_id AND k.xero_id = i.xero_id AND k.tenant_id = i.tenant_id OFFSET 0) AS k
		WHERE i.remote->>merged IS NOT NULL
			AND k.state = 'linked' AND k.local_key IS NOT NULL AND NOT k.deleted
			AND NOT EXISTS (SELECT FROM xero_fdw.sync_intent AS s
				WHERE s.link_id = k.link_id AND s.idempotency_key IS NOT NULL)
		ORDER BY i.tenant_id, i.xero_id
	LOOP
		survivor := xero_fdw._survivor(self, dead.tenant_id, dead.into_id, NOT dead.held);
		IF survivor IS NOT NULL AND NOT EXISTS (SELECT FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = self.sync_id AND k.tenant_id = dead.tenant_id AND k.xero_id = survivor
				AND (k.local_key IS NOT NULL AND k.state <> 'ended' AND NOT k.deleted
					OR EXISTS (SELECT FROM xero_fdw.sync_intent AS s
						WHERE s.link_id = k.link_id AND s.idempotency_key IS NOT NULL)))
		THEN
			SELECT * INTO STRICT link FROM xero_fdw.sync_link AS k WHERE k.link_id = dead.link_id;
			PERFORM xero_fdw._move_link(link, survivor);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._follow_merges(xero_fdw.sync) IS
	'internal: let rows of records that were merged go along';

-- What keeps a row with a record that was merged into another one; null if it was
-- not.  Where records only come from Xero, such a one is as good as any.
CREATE FUNCTION xero_fdw._merge_obstacle(self xero_fdw.sync, tenant uuid, id text, record jsonb)
	RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	into_id CONSTANT text := record->>xero_fdw._column_of(self.xero_table, 'MergedToContactID');
	survivor text;
BEGIN
	IF into_id IS NULL OR self.direction = 'pull' THEN
		RETURN NULL;
	END IF;
	survivor := xero_fdw._survivor(self, tenant, into_id, false);
	RETURN format('record %s was merged into %s, which %s', id, coalesce(survivor, into_id), coalesce(
		(SELECT format('has row %s', xero_fdw._shown_key(k.local_key)) FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = self.sync_id AND k.tenant_id = tenant AND k.xero_id = survivor),
		'is not there'));
END $$;
COMMENT ON FUNCTION xero_fdw._merge_obstacle(xero_fdw.sync, uuid, text, jsonb) IS
	'internal: what keeps a row with a record that was merged into another one';
