-- Audits: what reading by time of change cannot see, such as records that were
-- deleted for good, or amounts that Xero has changed without telling.
--
-- The whole list is read in its order, as far as the caller's budget of calls
-- goes, and the next audit goes on there.  What differs from the base images is
-- put into the inbox, for the next run to merge.  At the end of the list, the
-- links that were not seen are looked up by their keys, as they may merely have
-- left the filter; what is not in Xero goes into the inbox as gone.

-- Reads records, notes that they were seen, and puts those into the inbox that
-- are new or not as they were.  What is looked up by its key because the list
-- did not have it has left the filter, if there is one, and is left as it is.
CREATE FUNCTION xero_fdw._audit_linked(self xero_fdw.sync, tenant uuid, condition text,
		limits text, ids text[], OUT read bigint, OUT differing text[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET xero_fdw.mark_bad_text = on AS $$
DECLARE
	guarded CONSTANT jsonb := xero_fdw._guarded_columns(self.sync_id);
BEGIN
	WITH r AS MATERIALIZED (
		SELECT * FROM xero_fdw._as_caller(self.search_path,
			xero_fdw._records_query(self.sync_id, condition, limits), tenant, NULL::timestamptz, ids)
			AS r(xero_id text, remote jsonb, updated_at timestamptz)
	), seen AS (
		UPDATE xero_fdw.sync_link AS k SET seen_at = now() FROM r
		WHERE k.sync_id = self.sync_id AND k.tenant_id = tenant AND k.xero_id = r.xero_id
	), put AS (
		INSERT INTO xero_fdw.sync_inbox AS old (sync_id, tenant_id, xero_id, remote, updated_at)
		SELECT self.sync_id, tenant, r.* FROM r
			LEFT JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
				WHERE k.sync_id = self.sync_id AND k.xero_id = r.xero_id AND k.tenant_id = tenant OFFSET 0) AS k ON true
		WHERE r.xero_id IS NOT NULL AND (ids IS NULL OR self.xero_filter IS NULL) AND (k.link_id IS NULL
			OR k.state IN ('linked', 'ignored') AND k.base_xero IS DISTINCT FROM xero_fdw._as_told(r.remote, k.base_xero, guarded))
		ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET remote = excluded.remote,
			updated_at = excluded.updated_at, held = false
			WHERE old.remote IS DISTINCT FROM excluded.remote
		RETURNING old.xero_id
	)
	SELECT (SELECT count(*) FROM r), ARRAY(SELECT p.xero_id FROM put AS p) INTO read, differing;
END $$;
COMMENT ON FUNCTION xero_fdw._audit_linked(xero_fdw.sync, uuid, text, text, text[]) IS
	'internal: read records for an audit';

-- The next part of the list; was it the last?
CREATE FUNCTION xero_fdw._audit_list(self xero_fdw.sync, tenant uuid, pages integer,
		OUT differing text[], OUT finished boolean)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	page CONSTANT integer := 1000;
	condition CONSTANT text := xero_fdw._pull_condition(self.sync_id, false);
	parted CONSTANT boolean := xero_fdw._can_be_parted(self, condition, tenant, NULL);
	place xero_fdw.sync_position;
	part record;
BEGIN
	SELECT * INTO STRICT place FROM xero_fdw.sync_position AS p
	WHERE p.sync_id = self.sync_id AND p.tenant_id = tenant;
	SELECT * INTO part FROM xero_fdw._audit_records(self, tenant, condition,
		CASE WHEN parted THEN format('LIMIT %s OFFSET %s', page * pages, place.audit_offset) ELSE '' END,
		NULL);
	differing := part.differing;
	finished := NOT parted OR part.read < page * pages
		OR coalesce(place.audit_offset + part.read >= xero_fdw._list_size(self.xero_table), false);
	UPDATE xero_fdw.sync_position AS p
	SET audit_offset = CASE WHEN finished THEN -1 ELSE place.audit_offset + part.read END
	WHERE p.sync_id = self.sync_id AND p.tenant_id = tenant;
END $$;
COMMENT ON FUNCTION xero_fdw._audit_list(xero_fdw.sync, uuid, integer) IS
	'internal: audit the next part of a list';

-- The condition for records by their keys, which are $3.
CREATE FUNCTION xero_fdw._ids_condition(self xero_fdw.sync) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT concat_ws(' AND ', 'xero.' || quote_ident(t) || ' OPERATOR(pg_catalog.=) $1',
		format('xero.%I OPERATOR(pg_catalog.=) ANY ($3::%s[])', self.xero_key, xero_fdw._type_name(a.atttypid, a.atttypmod)))
	FROM xero_fdw._tenant_column(self.xero_table) AS t, pg_attribute AS a
	WHERE a.attrelid = self.xero_table AND a.attname = self.xero_key
$$;
COMMENT ON FUNCTION xero_fdw._ids_condition(xero_fdw.sync) IS
	'internal: the condition for records by their keys';

-- Looks up the next links that the list did not have.  What is not in Xero goes
-- into the inbox as gone; "gone" is null when all were looked up.
CREATE FUNCTION xero_fdw._audit_links(self xero_fdw.sync, tenant uuid,
		batch integer, OUT differing text[], OUT gone text[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids CONSTANT text[] := (SELECT array_agg(k.xero_id)
		FROM (SELECT k.xero_id FROM xero_fdw.sync_link AS k
				JOIN xero_fdw.sync_position AS p USING (sync_id, tenant_id)
			WHERE k.sync_id = self.sync_id AND k.tenant_id = tenant AND k.state <> 'ended'
				AND k.xero_id IS NOT NULL AND coalesce(k.seen_at < p.audit_started, true)
			ORDER BY k.xero_id LIMIT batch) AS k);
BEGIN
	IF ids IS NULL THEN
		RETURN;
	END IF;
	differing := (xero_fdw._audit_records(self, tenant,
		xero_fdw._ids_condition(self), '', ids)).differing;
	WITH missing AS (
		UPDATE xero_fdw.sync_link AS k SET seen_at = now()
		FROM xero_fdw.sync_position AS p
		WHERE p.sync_id = k.sync_id AND p.tenant_id = k.tenant_id
			AND k.sync_id = self.sync_id AND k.tenant_id = tenant AND k.xero_id = ANY (ids)
			AND coalesce(k.seen_at < p.audit_started, true)
		RETURNING k.xero_id
	), put AS (
		INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id)
		SELECT self.sync_id, tenant, m.xero_id FROM missing AS m
		ON CONFLICT (sync_id, tenant_id, xero_id) DO UPDATE SET remote = NULL, held = false
		RETURNING xero_id
	)
	SELECT coalesce(array_agg(p.xero_id), '{}') INTO gone FROM put AS p;
END $$;
COMMENT ON FUNCTION xero_fdw._audit_links(xero_fdw.sync, uuid, integer) IS
	'internal: look up links that a list did not have';

CREATE FUNCTION xero_fdw._audit_sync(name text, budget_calls integer)
	RETURNS TABLE (tenant_id uuid, xero_id text, local_key jsonb, finding text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	self CONSTANT xero_fdw.sync := xero_fdw._own_sync(name);
	ids_a_call CONSTANT integer := 40;
	pages_a_step CONSTANT integer := 5;
	ends CONSTANT bigint := (xero_fdw._session()).calls + budget_calls;
	tenant uuid;
	place xero_fdw.sync_position;
	part record;
BEGIN
	PERFORM xero_fdw._lock_sync(self);
	PERFORM xero_fdw._hold(self);
	PERFORM xero_fdw._check_sync_columns(self.sync_id);
	FOR tenant IN
		SELECT o.tenant_id FROM xero_fdw._organisations(self.xero_table) AS o
			LEFT JOIN xero_fdw.sync_position AS p
				ON p.sync_id = self.sync_id AND p.tenant_id = o.tenant_id
		ORDER BY p.audit_started, o.tenant_id
	LOOP
		INSERT INTO xero_fdw.sync_position AS p (sync_id, tenant_id, audit_started)
		VALUES (self.sync_id, tenant, now())
		ON CONFLICT ON CONSTRAINT sync_position_pkey DO UPDATE
			SET audit_started = coalesce(p.audit_started, excluded.audit_started);
		LOOP
			SELECT * INTO STRICT place FROM xero_fdw.sync_position AS p
			WHERE p.sync_id = self.sync_id AND p.tenant_id = tenant;
			EXIT WHEN place.audit_started IS NULL;
			IF (xero_fdw._session()).calls >= ends THEN
				RAISE NOTICE 'the audit of organisation % is not finished; the next one goes on', tenant;
				RETURN;
			END IF;
			IF place.audit_offset >= 0 THEN
				SELECT l.differing, NULL::text[] AS gone INTO part
				FROM xero_fdw._audit_list(self, tenant,
					least(ends - (xero_fdw._session()).calls, pages_a_step)::integer) AS l;
			ELSE
				SELECT * INTO part FROM xero_fdw._audit_rest(self, tenant, ids_a_call);
				IF part.gone IS NULL THEN
					UPDATE xero_fdw.sync_position AS p
					SET audit_started = NULL, audit_offset = 0
					WHERE p.sync_id = self.sync_id AND p.tenant_id = tenant;
				END IF;
			END IF;
			RETURN QUERY SELECT tenant, f.id, xero_fdw._row_of(self, tenant, f.id), f.finding
			FROM (SELECT unnest(part.gone) AS id, 'gone' AS finding
				UNION ALL SELECT unnest(part.differing), 'differs') AS f;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._audit_sync(text, integer) IS
	'internal: audit_sync()';

CREATE FUNCTION xero_fdw.audit_sync(name text, budget_calls integer DEFAULT 100)
	RETURNS TABLE (tenant_id uuid, xero_id text, local_key jsonb, finding text)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.audit_sync(text, integer) IS
	'compare all records with what a sync knows of them, spending at most so many calls; what is found is settled by the next run, and the next audit goes on where this one ended';
