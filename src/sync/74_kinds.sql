-- Where a mirror differs from other syncs, and nowhere else: its records go into the
-- copy as they come, and the copy is all that it remembers of them.

CREATE FUNCTION xero_fdw._take_records(run bigint, self xero_fdw.sync, tenant uuid,
		condition text, limits text, watermark timestamptz) RETURNS bigint
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN self.mirror
		THEN xero_fdw._mirror_records(run, self, tenant, condition, limits, watermark)
		ELSE xero_fdw._pull_records(run, self.sync_id, tenant,
			xero_fdw._records_query(self.sync_id, condition, limits), watermark) END
$$;
COMMENT ON FUNCTION xero_fdw._take_records(bigint, xero_fdw.sync, uuid, text, text, timestamptz) IS
	'internal: read records of a pull; how many they were';

-- What was decided about the next of what waits, null if nothing does.  Of a mirror,
-- only records that the copy has refused wait.
CREATE FUNCTION xero_fdw._merge_next(self xero_fdw.sync, state xero_fdw._run)
	RETURNS xero_fdw._decision[]
	LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN NOT self.mirror THEN xero_fdw._merge_batch(state, state.run_id IS NULL)
		WHEN state.run_id IS NULL THEN xero_fdw._mirror_decisions(self)
		WHEN NOT xero_fdw._mirror_inbox(state.run_id, self) THEN '{}' END
$$;
COMMENT ON FUNCTION xero_fdw._merge_next(xero_fdw.sync, xero_fdw._run) IS
	'internal: merge the next of what waits; null if nothing does';

CREATE FUNCTION xero_fdw._audit_records(self xero_fdw.sync, tenant uuid, condition text,
		limits text, ids text[], OUT read bigint, OUT differing text[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF self.mirror THEN
		SELECT * INTO read, differing FROM xero_fdw._mirror_audit(self, tenant, condition, limits, ids);
	ELSE
		SELECT * INTO read, differing FROM xero_fdw._audit_linked(self, tenant, condition, limits, ids);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._audit_records(xero_fdw.sync, uuid, text, text, text[]) IS
	'internal: read records for an audit';

CREATE FUNCTION xero_fdw._audit_rest(self xero_fdw.sync, tenant uuid, batch integer,
		OUT differing text[], OUT gone text[])
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF self.mirror THEN
		SELECT * INTO differing, gone FROM xero_fdw._audit_copy(self, tenant, batch);
	ELSE
		SELECT * INTO differing, gone FROM xero_fdw._audit_links(self, tenant, batch);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._audit_rest(xero_fdw.sync, uuid, integer) IS
	'internal: look up what a list did not have; null for gone when all was looked up';

-- The key of the row that belongs to a record.
CREATE FUNCTION xero_fdw._row_of(self xero_fdw.sync, tenant uuid, id text) RETURNS jsonb
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN self.mirror THEN jsonb_build_array(tenant, id)
		ELSE (SELECT k.local_key FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = self.sync_id AND k.tenant_id = tenant AND k.xero_id = id) END
$$;
COMMENT ON FUNCTION xero_fdw._row_of(xero_fdw.sync, uuid, text) IS
	'internal: the key of the row that belongs to a record';
