-- What the session could not write.  Kept in its memory, so a rollback leaves
-- it alone, and nobody else sees the values: another role of the session
-- neither.

CREATE FUNCTION xero_fdw._write_errors(
		OUT at timestamptz, OUT table_name text, OUT operation text,
		OUT key text, OUT sqlstate text, OUT message text, OUT "values" jsonb)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 100
	AS 'MODULE_PATHNAME', 'xero_write_errors';
COMMENT ON FUNCTION xero_fdw._write_errors() IS
	'internal: rows of the view xero_fdw.write_errors';

CREATE VIEW xero_fdw.write_errors AS
	SELECT at, table_name, operation, key, sqlstate, message, "values"
	FROM xero_fdw._write_errors();
COMMENT ON VIEW xero_fdw.write_errors IS
	'rows of the present role that were refused in this session while xero_fdw.on_row_error was log';
COMMENT ON COLUMN xero_fdw.write_errors.at IS 'when it was refused';
COMMENT ON COLUMN xero_fdw.write_errors.table_name IS 'foreign table';
COMMENT ON COLUMN xero_fdw.write_errors.operation IS
	'INSERT, UPDATE or DELETE';
COMMENT ON COLUMN xero_fdw.write_errors.key IS
	'the row: key of the record, or number of the row in the statement and what names it';
COMMENT ON COLUMN xero_fdw.write_errors.sqlstate IS
	'the error that the statement would have ended with';
COMMENT ON COLUMN xero_fdw.write_errors.message IS
	'what Xero said, or a check before the call';
COMMENT ON COLUMN xero_fdw.write_errors."values" IS
	'what was sent; null if nothing was';
GRANT EXECUTE ON FUNCTION xero_fdw._write_errors() TO PUBLIC;
GRANT SELECT ON xero_fdw.write_errors TO PUBLIC;
