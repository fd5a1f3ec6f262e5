-- The schema is made here, and not by the control file, so that it is a member of
-- the extension: one that is there already, with who knows what in it, is refused
-- rather than used.  The script runs under the path "pg_catalog, pg_temp".
CREATE SCHEMA xero_fdw;
COMMENT ON SCHEMA xero_fdw IS
	'Xero in the database: what the extension xero_fdw has for its users';

CREATE FUNCTION xero_fdw.xero_fdw_handler() RETURNS fdw_handler
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION xero_fdw.xero_fdw_handler() IS
	'foreign-data wrapper handler of xero_fdw';

CREATE FUNCTION xero_fdw.xero_fdw_validator(text[], oid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION xero_fdw.xero_fdw_validator(text[], oid) IS
	'foreign-data wrapper validator of xero_fdw';

CREATE FOREIGN DATA WRAPPER xero_fdw
	HANDLER xero_fdw.xero_fdw_handler
	VALIDATOR xero_fdw.xero_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER xero_fdw IS
	'organisations in Xero as foreign tables';
