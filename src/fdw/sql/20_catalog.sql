-- The catalogue of Xero's objects, as data.  Anyone may read it: it says what
-- Xero has, not what an organisation has.

GRANT USAGE ON SCHEMA xero_fdw TO PUBLIC;

CREATE FUNCTION xero_fdw._catalog_objects(
		OUT api text, OUT object text, OUT table_name text, OUT path text,
		OUT key_column text, OUT operations text[], OUT paging text,
		OUT max_batch integer, OUT filters text[], OUT description text,
		OUT update_batch integer, OUT ends text, OUT inside text)
	RETURNS SETOF record
	LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 50
	AS 'MODULE_PATHNAME', 'xero_catalog_objects';
COMMENT ON FUNCTION xero_fdw._catalog_objects() IS
	'internal: rows of the view xero_fdw.objects, with descriptions';

CREATE FUNCTION xero_fdw._catalog_columns(
		OUT api text, OUT table_name text, OUT column_name text,
		OUT data_type text, OUT field text, OUT pushdown text,
		OUT writable boolean, OUT required boolean, OUT description text)
	RETURNS SETOF record
	LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 1000
	AS 'MODULE_PATHNAME', 'xero_catalog_columns';
COMMENT ON FUNCTION xero_fdw._catalog_columns() IS
	'internal: rows of the view xero_fdw.columns, with descriptions';

GRANT EXECUTE ON FUNCTION xero_fdw._catalog_objects(),
	xero_fdw._catalog_columns() TO PUBLIC;

CREATE VIEW xero_fdw.objects AS
	SELECT api, object, table_name, path, key_column, operations, paging,
		max_batch, filters
	FROM xero_fdw._catalog_objects();
COMMENT ON VIEW xero_fdw.objects IS
	'the objects that IMPORT FOREIGN SCHEMA makes tables of';
COMMENT ON COLUMN xero_fdw.objects.api IS
	'remote schema: the first part of the table option "object"';
COMMENT ON COLUMN xero_fdw.objects.object IS
	'value of the table option "object"';
COMMENT ON COLUMN xero_fdw.objects.table_name IS
	'name of the foreign table';
COMMENT ON COLUMN xero_fdw.objects.path IS
	'path that is asked for, below the server option api_url';
COMMENT ON COLUMN xero_fdw.objects.key_column IS
	'column that identifies a row within an organisation';
COMMENT ON COLUMN xero_fdw.objects.operations IS
	'what Xero offers: list, get (one record by its key), create, update, delete';
COMMENT ON COLUMN xero_fdw.objects.paging IS
	'how a list is cut: none (one response), page (with the number of records), bare (without), offset';
COMMENT ON COLUMN xero_fdw.objects.max_batch IS
	'records that one call can write; 0 for a read-only table';
COMMENT ON COLUMN xero_fdw.objects.filters IS
	'what narrows or sorts a list: parameters by name, where, If-Modified-Since, order';

CREATE VIEW xero_fdw.columns AS
	SELECT api, table_name, column_name, data_type, field, pushdown, writable,
		required
	FROM xero_fdw._catalog_columns();
COMMENT ON VIEW xero_fdw.columns IS
	'the columns of those tables, besides tenant_id, which every table has';
COMMENT ON COLUMN xero_fdw.columns.api IS
	'remote schema';
COMMENT ON COLUMN xero_fdw.columns.table_name IS
	'name of the foreign table';
COMMENT ON COLUMN xero_fdw.columns.column_name IS
	'name of the column';
COMMENT ON COLUMN xero_fdw.columns.data_type IS
	'type the column is imported with';
COMMENT ON COLUMN xero_fdw.columns.field IS
	'value of the column option "field": a path in Xero''s JSON; ../ is the record that holds the array';
COMMENT ON COLUMN xero_fdw.columns.pushdown IS
	'how Xero filters on it: optimised, legal (refused in very large organisations), none';
COMMENT ON COLUMN xero_fdw.columns.writable IS
	'whether INSERT or UPDATE can set it';
COMMENT ON COLUMN xero_fdw.columns.required IS
	'whether INSERT must set it';

GRANT SELECT ON xero_fdw.objects, xero_fdw.columns TO PUBLIC;
