-- Who may touch which rows of the tables of syncs, and what a dump contains.

-- Each role has the rows of its own syncs.
GRANT SELECT, INSERT, UPDATE, DELETE ON
	xero_fdw.sync, xero_fdw.sync_field, xero_fdw.sync_position,
	xero_fdw.sync_inbox, xero_fdw.sync_change, xero_fdw.sync_link,
	xero_fdw.sync_intent, xero_fdw.sync_issue, xero_fdw.sync_run
	TO PUBLIC;
-- the merge takes the numbers of new links before it inserts them
GRANT USAGE ON SEQUENCE xero_fdw.sync_link_link_id_seq TO PUBLIC;

ALTER TABLE xero_fdw.sync ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON xero_fdw.sync
	USING (pg_has_role(owner, 'USAGE'));

DO $$
DECLARE
	child text;
BEGIN
	FOREACH child IN ARRAY ARRAY['field', 'position', 'inbox', 'change', 'link',
			'intent', 'issue', 'run'] LOOP
		EXECUTE format('ALTER TABLE xero_fdw.sync_%s ENABLE ROW LEVEL SECURITY', child);
		EXECUTE format('CREATE POLICY own ON xero_fdw.sync_%s
			USING (sync_id IN (SELECT sync_id FROM xero_fdw.sync))', child);
	END LOOP;
END $$;

-- All of it is dumped: without its links a restored sync would not know which
-- record belongs to which row.
DO $$
DECLARE
	relation regclass;
BEGIN
	FOR relation IN
			SELECT oid FROM pg_class
			WHERE relnamespace = 'xero_fdw'::regnamespace
				AND relkind IN ('r', 'S') AND relname ~ '^sync($|_)'
			ORDER BY oid LOOP
		PERFORM pg_extension_config_dump(relation, '');
	END LOOP;
END $$;
