-- Consent and what it brings: who may connect, the tokens, the organisations.
-- The tables are for the extension alone.  None of them is dumped: a token in
-- a dump would be a secret in a file, and be out of date the day after.  Rows are
-- a user mapping's, by the name of its server and the oid of its role: pg_upgrade
-- keeps these two, and no other key of a mapping.

CREATE TABLE xero_fdw.token (
	server name,
	roleid oid,
	client_id text NOT NULL,
	refresh_token bytea NOT NULL,
	access_token bytea,
	access_expires_at timestamptz,
	refreshed_at timestamptz NOT NULL,
	authorized_at timestamptz NOT NULL,
	authorized_by name NOT NULL,
	scopes text NOT NULL,
	xero_user_id text,
	user_name text,
	email text,
	authentication_event text,
	state text NOT NULL CHECK (state IN ('connected', 'reconnect needed')),
	error text,
	PRIMARY KEY (server, roleid)
);
REVOKE ALL ON xero_fdw.token FROM PUBLIC;
COMMENT ON TABLE xero_fdw.token IS
	'internal: the tokens that consents have brought, sealed with the key of xero_fdw.key_file';
COMMENT ON COLUMN xero_fdw.token.server IS 'foreign server';
COMMENT ON COLUMN xero_fdw.token.roleid IS
	'role of the user mapping (pg_authid.oid); 0 for PUBLIC';
COMMENT ON COLUMN xero_fdw.token.client_id IS
	'application that the consent was given to';
COMMENT ON COLUMN xero_fdw.token.refresh_token IS
	'sealed; good for one exchange';
COMMENT ON COLUMN xero_fdw.token.access_token IS
	'sealed; null if there is none';
COMMENT ON COLUMN xero_fdw.token.access_expires_at IS
	'end of the access token';
COMMENT ON COLUMN xero_fdw.token.refreshed_at IS
	'when the present tokens were got';
COMMENT ON COLUMN xero_fdw.token.authorized_at IS
	'when the consent was given';
COMMENT ON COLUMN xero_fdw.token.authorized_by IS
	'role that called complete_authorization()';
COMMENT ON COLUMN xero_fdw.token.scopes IS
	'what the consent was asked for, or Xero has granted';
COMMENT ON COLUMN xero_fdw.token.xero_user_id IS
	'who consented, by Xero''s id';
COMMENT ON COLUMN xero_fdw.token.user_name IS
	'who consented, by name';
COMMENT ON COLUMN xero_fdw.token.email IS
	'who consented, by address';
COMMENT ON COLUMN xero_fdw.token.authentication_event IS
	'the consent, by Xero''s id';
COMMENT ON COLUMN xero_fdw.token.state IS
	'reconnect needed: Xero does not accept the refresh token any more';
COMMENT ON COLUMN xero_fdw.token.error IS
	'what went wrong with the last exchange; null if nothing';

CREATE TABLE xero_fdw.secret (
	server name,
	roleid oid,
	client_id text NOT NULL,
	client_secret bytea NOT NULL,
	PRIMARY KEY (server, roleid)
);
REVOKE ALL ON xero_fdw.secret FROM PUBLIC;
COMMENT ON TABLE xero_fdw.secret IS
	'internal: the client secrets that set_client_secret() was given, sealed with the key of xero_fdw.key_file';
COMMENT ON COLUMN xero_fdw.secret.server IS 'foreign server';
COMMENT ON COLUMN xero_fdw.secret.roleid IS
	'role of the user mapping (pg_authid.oid); 0 for PUBLIC';
COMMENT ON COLUMN xero_fdw.secret.client_id IS
	'application whose secret it is';
COMMENT ON COLUMN xero_fdw.secret.client_secret IS 'sealed';

CREATE TABLE xero_fdw.pending_authorization (
	state_hash bytea PRIMARY KEY,
	server name NOT NULL,
	roleid oid NOT NULL,
	client_id text NOT NULL,
	begun_by oid NOT NULL,
	verifier bytea NOT NULL,
	nonce bytea NOT NULL,
	redirect_uri text NOT NULL,
	scopes text NOT NULL,
	expires_at timestamptz NOT NULL
);
REVOKE ALL ON xero_fdw.pending_authorization FROM PUBLIC;
COMMENT ON TABLE xero_fdw.pending_authorization IS
	'internal: URLs of authorize_url() that nobody has come back from';
COMMENT ON COLUMN xero_fdw.pending_authorization.state_hash IS
	'SHA-256 of the state in the URL';
COMMENT ON COLUMN xero_fdw.pending_authorization.server IS 'foreign server';
COMMENT ON COLUMN xero_fdw.pending_authorization.roleid IS
	'role of the user mapping (pg_authid.oid); 0 for PUBLIC';
COMMENT ON COLUMN xero_fdw.pending_authorization.client_id IS
	'application that is to be consented to';
COMMENT ON COLUMN xero_fdw.pending_authorization.begun_by IS
	'role that asked, and must complete';
COMMENT ON COLUMN xero_fdw.pending_authorization.verifier IS
	'sealed; proves to Xero that the code is ours';
COMMENT ON COLUMN xero_fdw.pending_authorization.nonce IS
	'sealed; proves that the id token is for us';
COMMENT ON COLUMN xero_fdw.pending_authorization.redirect_uri IS
	'where the browser is sent back to';
COMMENT ON COLUMN xero_fdw.pending_authorization.scopes IS
	'what is asked for';
COMMENT ON COLUMN xero_fdw.pending_authorization.expires_at IS
	'ten minutes after it began';

CREATE TABLE xero_fdw.organisation (
	server name,
	roleid oid,
	client_id text NOT NULL,
	tenant_id uuid NOT NULL,
	tenant_name text NOT NULL,
	tenant_type text NOT NULL,
	connected boolean NOT NULL,
	PRIMARY KEY (server, roleid, tenant_id)
);
REVOKE ALL ON xero_fdw.organisation FROM PUBLIC;
COMMENT ON TABLE xero_fdw.organisation IS
	'internal: the organisations that the credentials of a user mapping reach, as Xero told last';
COMMENT ON COLUMN xero_fdw.organisation.server IS 'foreign server';
COMMENT ON COLUMN xero_fdw.organisation.roleid IS
	'role of the user mapping (pg_authid.oid); 0 for PUBLIC';
COMMENT ON COLUMN xero_fdw.organisation.client_id IS
	'application whose connections they are; empty for a ready-made access_token';
COMMENT ON COLUMN xero_fdw.organisation.tenant_id IS 'organisation';
COMMENT ON COLUMN xero_fdw.organisation.tenant_name IS 'its name';
COMMENT ON COLUMN xero_fdw.organisation.tenant_type IS
	'ORGANISATION, PRACTICE or PRACTICEMANAGER';
COMMENT ON COLUMN xero_fdw.organisation.connected IS
	'false if Xero does not list it any more, and nobody has accepted that yet';

-- Everybody sees what belongs to the mappings that are in force for oneself.
CREATE VIEW xero_fdw.connections WITH (security_barrier) AS
	SELECT s.srvname AS server,
		CASE WHEN m.umuser = 0 THEN 'public'::name
			ELSE pg_get_userbyid(m.umuser) END AS user_name,
		o.tenant_id, o.tenant_name, o.tenant_type,
		t.access_expires_at AS token_expires_at, t.refreshed_at,
		CASE WHEN t.state = 'reconnect needed' THEN t.state
			WHEN o.connected IS FALSE THEN 'disconnected'
			ELSE 'connected' END AS state,
		t.error
	FROM xero_fdw.token AS t
		FULL JOIN xero_fdw.organisation AS o USING (server, roleid)
		JOIN pg_catalog.pg_foreign_server AS s ON s.srvname = server
		JOIN pg_catalog.pg_user_mapping AS m
			ON m.umserver = s.oid AND m.umuser = roleid
	WHERE pg_has_role('pg_read_all_stats', 'USAGE')
		OR CASE WHEN m.umuser = 0
				THEN has_server_privilege(s.oid, 'USAGE')
				ELSE pg_has_role(m.umuser, 'USAGE') END;
COMMENT ON VIEW xero_fdw.connections IS
	'the organisations that each server reaches, as Xero told last: by consent, or by other credentials that a query has used';
COMMENT ON COLUMN xero_fdw.connections.server IS 'foreign server';
COMMENT ON COLUMN xero_fdw.connections.user_name IS
	'role of the user mapping, or public';
COMMENT ON COLUMN xero_fdw.connections.tenant_id IS
	'organisation; null if none is known';
COMMENT ON COLUMN xero_fdw.connections.tenant_name IS 'its name in Xero';
COMMENT ON COLUMN xero_fdw.connections.tenant_type IS
	'ORGANISATION, PRACTICE or PRACTICEMANAGER';
COMMENT ON COLUMN xero_fdw.connections.token_expires_at IS
	'end of the present access token of a consent, which the next query replaces; null without a consent';
COMMENT ON COLUMN xero_fdw.connections.refreshed_at IS
	'last exchange; a consent that is not used for 60 days ends; null without one';
COMMENT ON COLUMN xero_fdw.connections.state IS
	'connected; reconnect needed: call authorize_url() again; disconnected: Xero does not list the organisation any more';
COMMENT ON COLUMN xero_fdw.connections.error IS
	'what went wrong with the last exchange; null if nothing';
GRANT SELECT ON xero_fdw.connections TO PUBLIC;

CREATE FUNCTION xero_fdw.set_client_secret(server text, secret text)
	RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'xero_set_client_secret';
COMMENT ON FUNCTION xero_fdw.set_client_secret(text, text) IS
	'store the client secret of the server''s application for the user mapping in force, sealed with the key of xero_fdw.key_file; null forgets it';

CREATE FUNCTION xero_fdw.authorize_url(server text) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'xero_authorize_url';
COMMENT ON FUNCTION xero_fdw.authorize_url(text) IS
	'the address at Xero where a person connects the server to an organisation; good for ten minutes';

CREATE FUNCTION xero_fdw.complete_authorization(server text,
		callback_url text, OUT user_name text, OUT email text,
		OUT tenant_id uuid, OUT tenant_name text, OUT tenant_type text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 5
	AS 'MODULE_PATHNAME', 'xero_complete_authorization';
COMMENT ON FUNCTION xero_fdw.complete_authorization(text, text) IS
	'connect the server with the address that Xero sent the browser back to; who consented, and to which organisations';

CREATE FUNCTION xero_fdw.refresh_token(server text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'xero_refresh_token';
COMMENT ON FUNCTION xero_fdw.refresh_token(text) IS
	'exchange the tokens of the server now and read the list of organisations anew; once a month keeps an idle connection alive';

CREATE FUNCTION xero_fdw.disconnect(server text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'xero_disconnect';
COMMENT ON FUNCTION xero_fdw.disconnect(text) IS
	'end the consent at Xero, and forget its tokens and organisations; without a consent forget the organisations only';

CREATE FUNCTION xero_fdw.disconnect(server text, tenant_id uuid)
	RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'xero_disconnect_one';
COMMENT ON FUNCTION xero_fdw.disconnect(text, uuid) IS
	'end the connection to one organisation at Xero, and forget it; the consent and its other connections stay';

CREATE FUNCTION xero_fdw.rotate_key(old_key_file text) RETURNS bigint
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'xero_rotate_key';
COMMENT ON FUNCTION xero_fdw.rotate_key(text) IS
	'seal the stored secrets of this database with the key of xero_fdw.key_file that are sealed with that of another file; how many there were';
REVOKE ALL ON FUNCTION xero_fdw.rotate_key(text) FROM PUBLIC;

CREATE FUNCTION xero_fdw.carry_consents() RETURNS event_trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_server_renamed';
COMMENT ON FUNCTION xero_fdw.carry_consents() IS
	'internal: what is stored of a server goes with its name';

CREATE EVENT TRIGGER xero_fdw_carry_consents ON ddl_command_end
	WHEN TAG IN ('ALTER SERVER')
	EXECUTE FUNCTION xero_fdw.carry_consents();

CREATE FUNCTION xero_fdw.check(
		server text, OUT name text, OUT state text, OUT seen text,
		OUT advice text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 10
	AS 'MODULE_PATHNAME', 'xero_check';
COMMENT ON FUNCTION xero_fdw.check(text) IS
	'what is wrong with a server, if anything is: settings, key file, reachable, tls, clock, token, scopes, each organisation and its budget, page size; state is ok, warning or problem; takes a few calls, and writes nothing';
