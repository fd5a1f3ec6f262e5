-- Who may do what.  Tables are closed by themselves; functions are open unless
-- somebody closes them.

-- Nobody but the engine calls the engine's functions, but for those that stand in
-- statements of users, and those of views.  They do nothing that their caller could
-- not do anyway.
DO $$
DECLARE
	routine regprocedure;
	everybodys CONSTANT regprocedure[] := '{
		"xero_fdw._catalog_objects()", "xero_fdw._catalog_columns()",
		"xero_fdw._lines(anyelement,jsonb)",
		"xero_fdw._modified_since(timestamptz,timestamptz)", "xero_fdw._write_errors()",
		"xero_fdw._schedule(text,oid)"}';
BEGIN
	REVOKE ALL ON FUNCTION xero_fdw.refuse_writes(), xero_fdw.forget_dropped(),
		xero_fdw.forget_jobs(), xero_fdw.forget_roles(text[]), xero_fdw.forget_all_jobs(), xero_fdw.forget_leftovers(),
		xero_fdw.note_rewritten(), xero_fdw.carry_consents() FROM PUBLIC;
	FOR routine IN
			SELECT p.oid FROM pg_proc AS p
			WHERE p.pronamespace = 'xero_fdw'::regnamespace AND p.proname LIKE '\_%'
				AND p.oid <> ALL (everybodys) LOOP
		EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', routine);
	END LOOP;
END $$;

-- pg_write_all_data is every table's.  But what stands in these becomes statements
-- of others, or is written to Xero by their rights, or is a connection that somebody
-- has given; and an audit is not for those whom it is about.
DO $$
DECLARE
	relation regclass;
BEGIN
	FOR relation IN
			SELECT c.oid FROM pg_class AS c
			WHERE c.relnamespace = 'xero_fdw'::regnamespace AND c.relkind = 'r' LOOP
		EXECUTE format('CREATE TRIGGER refuse_writes BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s'
			' FOR EACH STATEMENT EXECUTE FUNCTION xero_fdw.refuse_writes()', relation);
	END LOOP;
END $$;

-- All of it is dumped: without its links a restored sync would not know which
-- record belongs to which row.  Who owns the database may dump it.
DO $$
DECLARE
	relation regclass;
BEGIN
	FOR relation IN
			SELECT c.oid FROM pg_class AS c
			WHERE c.relnamespace = 'xero_fdw'::regnamespace
				AND c.relkind IN ('r', 'S') AND c.relname ~ '^(sync($|_(?!templates))|audit_entry($|_))'
			ORDER BY c.oid LOOP
		PERFORM pg_extension_config_dump(relation, '');
		EXECUTE format('GRANT SELECT ON %s TO pg_database_owner', relation);
	END LOOP;
END $$;
