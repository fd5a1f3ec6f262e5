-- Rows that want each other's names.  Xero keeps such values unique and refuses both
-- changes, as each takes what the other one still has.  A third value in between
-- would be seen in the books, and would stay there if a run ended between two
-- writes.  So it is a person who gives one of the rows another value for a while,
-- and the issues say so.

-- Adds that to the issues of rows that wait for each other in a circle: two that
-- swap, or more.  To be called when a run has sent all.
CREATE FUNCTION xero_fdw._explain_swaps(sync integer) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	longest CONSTANT integer := 10;
	hint text;
	circle record;
BEGIN
	FOR circle IN
		WITH RECURSIVE refused AS MATERIALIZED (
			SELECT i.issue_id, k.link_id, k.tenant_id, xero_fdw._shown_key(k.local_key) AS key, c AS name,
				xero_fdw._match_key(i.payload, ARRAY[c]) AS wants, xero_fdw._match_key(k.base_xero, ARRAY[c]) AS has
			FROM xero_fdw.sync_issue AS i JOIN xero_fdw.sync_link AS k ON k.link_id = i.link_id,
				unnest(xero_fdw._unique_columns()) AS c
			WHERE i.sync_id = sync AND i.kind = 'validation' AND i.sqlstate = '23505'
				AND k.xero_id IS NOT NULL AND i.payload ? c
		), chain AS (
			SELECT r.tenant_id, r.name, r.wants, r.has AS closes, ARRAY[r.issue_id] AS issues, ARRAY[r.key] AS keys
			FROM refused AS r WHERE r.wants <> r.has
			UNION ALL
			SELECT c.tenant_id, c.name, r.wants, c.closes, c.issues || r.issue_id, c.keys || r.key
			FROM chain AS c JOIN refused AS r ON r.tenant_id = c.tenant_id AND r.name = c.name AND r.has = c.wants
			WHERE c.wants <> c.closes AND r.issue_id > c.issues[1] AND r.issue_id <> ALL (c.issues)
				AND cardinality(c.issues) < longest
		)
		SELECT c.name, c.issues, c.keys FROM chain AS c WHERE c.wants = c.closes
	LOOP
		hint := format(E'\nRows %s want each other''s values of column "%s", which Xero keeps unique. Give one of them another value, and the one it is to have after the next run.',
			array_to_string(circle.keys, ', '), circle.name);
		UPDATE xero_fdw.sync_issue AS i SET message = i.message || hint
		WHERE i.issue_id = ANY (circle.issues) AND right(i.message, length(hint)) <> hint;
	END LOOP;
END $$;
COMMENT ON FUNCTION xero_fdw._explain_swaps(integer) IS
	'internal: tell rows that want each other''s unique values what to do';
