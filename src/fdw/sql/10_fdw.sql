CREATE FUNCTION @extschema@.xero_fdw_handler() RETURNS fdw_handler
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.xero_fdw_handler() IS
	'foreign-data wrapper handler of xero_fdw';

CREATE FUNCTION @extschema@.xero_fdw_validator(text[], oid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.xero_fdw_validator(text[], oid) IS
	'foreign-data wrapper validator of xero_fdw';

CREATE FOREIGN DATA WRAPPER xero_fdw
	HANDLER @extschema@.xero_fdw_handler
	VALIDATOR @extschema@.xero_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER xero_fdw IS
	'organisations in Xero as foreign tables';
