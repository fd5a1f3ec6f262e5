-- What the engine remembers of some records or rows, by key.
--
-- What waits in a table comes and goes, so its statistics may say that it is empty
-- when it is full, and a run's time must go with what has changed, not with what is
-- there.  So whatever is about some of the rows takes their keys from an array and
-- looks each of them up: OFFSET 0 keeps the planner from another idea, and before it
-- stand the columns of one index, and nothing else.  What is about all of them
-- compares by (IN ...) IS TRUE, which is hashed and never a join.
--
-- The next few of many are taken in the order of an index, with a LIMIT that the
-- planner cannot read, as in LIMIT (SELECT 1000): of a few of which it thinks that they
-- are all, it would rather sort all each time.
--
-- Rows are changed and deleted at the places that _at functions tell.  Nobody else
-- changes them while a run has its sync.
--
-- The bodies are parsed when they are created, and put in place of the call.

CREATE FUNCTION xero_fdw._links_of_rows(sync integer, keys jsonb[])
	RETURNS SETOF xero_fdw.sync_link
	LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
	SELECT k.* FROM pg_catalog.unnest(keys) AS u(key)
		CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = sync AND k.local_key = u.key OFFSET 0) AS k;
END;
COMMENT ON FUNCTION xero_fdw._links_of_rows(integer, jsonb[]) IS
	'internal: the links of local rows';

CREATE FUNCTION xero_fdw._links_of_records(sync integer, tenants uuid[], ids text[])
	RETURNS SETOF xero_fdw.sync_link
	LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
	SELECT k.* FROM ROWS FROM (pg_catalog.unnest(tenants), pg_catalog.unnest(ids)) AS u(tenant_id, xero_id)
		CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = sync AND k.xero_id = u.xero_id AND k.tenant_id = u.tenant_id OFFSET 0) AS k;
END;
COMMENT ON FUNCTION xero_fdw._links_of_records(integer, uuid[], text[]) IS
	'internal: the links of records';

CREATE FUNCTION xero_fdw._changes_of_rows(sync integer, keys jsonb[])
	RETURNS SETOF xero_fdw.sync_change
	LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
	SELECT c.* FROM pg_catalog.unnest(keys) AS u(key)
		CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_change AS c
			WHERE c.sync_id = sync AND pg_catalog.jsonb_hash_extended(c.local_key, 0) = pg_catalog.jsonb_hash_extended(u.key, 0)
				AND c.local_key = u.key OFFSET 0) AS c;
END;
COMMENT ON FUNCTION xero_fdw._changes_of_rows(integer, jsonb[]) IS
	'internal: the changes of local rows';

CREATE FUNCTION xero_fdw._changes_by_id(sync integer, ids bigint[])
	RETURNS SETOF xero_fdw.sync_change
	LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
	SELECT c.* FROM pg_catalog.unnest(ids) AS u(id)
		CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_change AS c
			WHERE c.sync_id = sync AND c.change_id = u.id OFFSET 0) AS c;
END;
COMMENT ON FUNCTION xero_fdw._changes_by_id(integer, bigint[]) IS
	'internal: changes by number';

CREATE FUNCTION xero_fdw._changes_at(sync integer, keys jsonb[])
	RETURNS SETOF tid
	LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
	SELECT c.ctid FROM pg_catalog.unnest(keys) AS u(key)
		CROSS JOIN LATERAL (SELECT c.ctid FROM xero_fdw.sync_change AS c
			WHERE c.sync_id = sync AND pg_catalog.jsonb_hash_extended(c.local_key, 0) = pg_catalog.jsonb_hash_extended(u.key, 0)
				AND c.local_key = u.key OFFSET 0) AS c;
END;
COMMENT ON FUNCTION xero_fdw._changes_at(integer, jsonb[]) IS
	'internal: where the changes of local rows are';

CREATE FUNCTION xero_fdw._inbox_at(sync integer, tenants uuid[], ids text[])
	RETURNS SETOF tid
	LANGUAGE sql STABLE ROWS 100
BEGIN ATOMIC
	SELECT i.ctid FROM ROWS FROM (pg_catalog.unnest(tenants), pg_catalog.unnest(ids)) AS u(tenant_id, xero_id)
		CROSS JOIN LATERAL (SELECT i.ctid FROM xero_fdw.sync_inbox AS i
			WHERE i.sync_id = sync AND i.tenant_id = u.tenant_id AND i.xero_id = u.xero_id OFFSET 0) AS i;
END;
COMMENT ON FUNCTION xero_fdw._inbox_at(integer, uuid[], text[]) IS
	'internal: where records are in the inbox';

-- For each link that goes, two foreign keys ask for what belongs to it; they keep their
-- plans here.
CREATE FUNCTION xero_fdw._drop_links(links bigint[]) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = auto AS $$
	DELETE FROM xero_fdw.sync_link AS k WHERE k.link_id = ANY (links)
$$;
COMMENT ON FUNCTION xero_fdw._drop_links(bigint[]) IS
	'internal: forget links, and what belongs to them';

CREATE FUNCTION xero_fdw._touched_links(sync integer)
	RETURNS SETOF xero_fdw.sync_link
	LANGUAGE sql STABLE ROWS 1000
BEGIN ATOMIC
	SELECT k.* FROM (SELECT DISTINCT c.local_key FROM xero_fdw.sync_change AS c
			WHERE c.sync_id = sync AND c.local_key IS NOT NULL) AS c
		CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = sync AND k.local_key = c.local_key OFFSET 0) AS k
	UNION ALL
	SELECT k.* FROM xero_fdw.sync_inbox AS i
		CROSS JOIN LATERAL (SELECT * FROM xero_fdw.sync_link AS k
			WHERE k.sync_id = sync AND k.xero_id = i.xero_id AND k.tenant_id = i.tenant_id OFFSET 0) AS k
	WHERE i.sync_id = sync AND NOT i.held;
END;
COMMENT ON FUNCTION xero_fdw._touched_links(integer) IS
	'internal: the links of rows that have changed and of records in the inbox';
