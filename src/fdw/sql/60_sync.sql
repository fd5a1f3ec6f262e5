-- What the engine of the syncs is made of (src/sync), in C.

CREATE FUNCTION xero_fdw._push(
		relation regclass, operation text, rows jsonb, idempotency_key text,
		first_sent timestamptz DEFAULT NULL,
		OUT row_number integer, OUT stored boolean, OUT key text,
		OUT sqlstate text, OUT message text, OUT record jsonb,
		OUT together boolean)
	RETURNS SETOF record
	LANGUAGE c VOLATILE ROWS 50
	AS 'MODULE_PATHNAME', 'xero_push';
COMMENT ON FUNCTION xero_fdw._push(regclass, text, jsonb, text, timestamptz) IS
	'internal: write rows with one request, and tell what became of each, 08007 if Xero has failed and that is not known; first_sent says since when the key is in use; together, that Xero refused the request and not this row';

CREATE FUNCTION xero_fdw._push_rules(
		relation regclass, operation text,
		OUT batch integer, OUT needs text[], OUT status text, OUT ends text[])
	RETURNS record
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'xero_push_rules';
COMMENT ON FUNCTION xero_fdw._push_rules(regclass, text) IS
	'internal: how many rows one _push() takes, 0 if none, and which columns each must have; of a delete also the column that shows that a record has ended, and the values it then has';

CREATE FUNCTION xero_fdw._is_updatable(relation regclass, role oid)
	RETURNS boolean
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'xero_is_updatable';
COMMENT ON FUNCTION xero_fdw._is_updatable(regclass, oid) IS
	'internal: true if no option keeps the role from writing to a foreign table of xero_fdw';

CREATE FUNCTION xero_fdw._session(
		OUT calls bigint, OUT retries bigint, OUT bytes_in bigint,
		OUT bytes_out bigint, OUT waited_ms double precision,
		OUT clock_offset interval)
	RETURNS record
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'xero_session';
COMMENT ON FUNCTION xero_fdw._session() IS
	'internal: what this session has spent, and Xero''s clock minus ours';

CREATE FUNCTION xero_fdw._list_size(relation regclass) RETURNS bigint
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'xero_sync_list_size';
COMMENT ON FUNCTION xero_fdw._list_size(regclass) IS
	'internal: how many records Xero told this session''s last scan of the foreign table of';

CREATE FUNCTION xero_fdw._organisations(
		relation regclass, OUT tenant_id uuid, OUT name text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT ROWS 10
	AS 'MODULE_PATHNAME', 'xero_sync_organisations';
COMMENT ON FUNCTION xero_fdw._organisations(regclass) IS
	'internal: the organisations that a foreign table''s server stands for';

CREATE FUNCTION xero_fdw._lines(line anyelement, parents jsonb)
	RETURNS SETOF anyelement
	LANGUAGE c STABLE ROWS 1000
	AS 'MODULE_PATHNAME', 'xero_lines';
COMMENT ON FUNCTION xero_fdw._lines(anyelement, jsonb) IS
	'internal: rows of a line table from records of its parent, as JSON by the names of the parent''s columns';

CREATE FUNCTION xero_fdw._line_source(
		relation regclass, OUT parent_object text, OUT parent_key text,
		OUT array_column text)
	RETURNS record
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'xero_line_source';
COMMENT ON FUNCTION xero_fdw._line_source(regclass) IS
	'internal: which records the rows of a line table are parts of; nulls for other tables';

CREATE FUNCTION xero_fdw._list_columns(
		relation regclass, OUT column_name text, OUT known text,
		OUT of_parent boolean)
	RETURNS SETOF record
	LANGUAGE c STABLE STRICT ROWS 50
	AS 'MODULE_PATHNAME', 'xero_list_columns';
COMMENT ON FUNCTION xero_fdw._list_columns(regclass) IS
	'internal: the columns of a foreign table that its list carries, so that none costs a call a record; what the catalogue calls them, and whether they are of the record that holds the array';

CREATE FUNCTION xero_fdw._modified_since(
		updated_at timestamptz, since timestamptz)
	RETURNS boolean
	LANGUAGE c IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'xero_modified_since';
COMMENT ON FUNCTION xero_fdw._modified_since(timestamptz, timestamptz) IS
	'internal: has a record been modified since, as far as Xero can tell; of updated_date_utc, it goes to Xero whole';

-- The gate, the door, and the lock (fdw/sync/gate.h).  src/sync/90_rights.sql
-- sees to it that nobody but the engine calls them.

CREATE FUNCTION xero_fdw._caller() RETURNS oid
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'xero_caller';
COMMENT ON FUNCTION xero_fdw._caller() IS
	'internal: the role that called the entry point';

CREATE FUNCTION xero_fdw._caller_path() RETURNS text
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'xero_caller_path';
COMMENT ON FUNCTION xero_fdw._caller_path() IS
	'internal: the search path that was in force when the entry point was called';

CREATE FUNCTION xero_fdw._as_caller(path text, statement text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'xero_as_caller';
COMMENT ON FUNCTION xero_fdw._as_caller(text, text) IS
	'internal: the rows of a statement that runs as the caller';

CREATE FUNCTION xero_fdw._as_caller(path text, statement text,
		VARIADIC parameters "any") RETURNS SETOF record
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'xero_as_caller';
COMMENT ON FUNCTION xero_fdw._as_caller(text, text, "any") IS
	'internal: the rows of a statement with parameters that runs as the caller';

CREATE FUNCTION xero_fdw._do_as_caller(path text, statement text)
	RETURNS bigint
	LANGUAGE c VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'xero_do_as_caller';
COMMENT ON FUNCTION xero_fdw._do_as_caller(text, text) IS
	'internal: run a statement as the caller; how many rows it processed';

CREATE FUNCTION xero_fdw._do_as_caller(path text, statement text,
		VARIADIC parameters "any") RETURNS bigint
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'xero_do_as_caller';
COMMENT ON FUNCTION xero_fdw._do_as_caller(text, text, "any") IS
	'internal: run a statement with parameters as the caller; how many rows it processed';

CREATE FUNCTION xero_fdw._try_lock(sync_id integer) RETURNS boolean
	LANGUAGE c VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'xero_sync_lock';
COMMENT ON FUNCTION xero_fdw._try_lock(integer) IS
	'internal: keep a sync from running until the transaction ends; false if it runs';

CREATE FUNCTION xero_fdw._hold_table(relation oid) RETURNS void
	LANGUAGE c VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'xero_hold_table';
COMMENT ON FUNCTION xero_fdw._hold_table(oid) IS
	'internal: keep a table from being altered until the transaction ends';

CREATE FUNCTION xero_fdw._default_values(relation oid, column_name text,
		path text, number integer) RETURNS jsonb[]
	LANGUAGE c VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'xero_default_values';
COMMENT ON FUNCTION xero_fdw._default_values(oid, text, text, integer) IS
	'internal: so many values that a column gets by default';

CREATE FUNCTION xero_fdw.refuse_writes() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_refuse_writes';
COMMENT ON FUNCTION xero_fdw.refuse_writes() IS
	'internal: trigger on tables that nobody but their owner and superusers may write, not even with pg_write_all_data';
