-- What syncs are, and what they remember.
--
-- The tables are the engine's alone (fdw/sync/gate.h): nobody else has a right on
-- them, so nobody can put rows there, occupy numbers or hold locks.  A row of one
-- sync cannot point at another's.  Everything that a user made or would miss is
-- dumped.
--
-- Who owns the local table owns the sync; that is looked up, not stored.
-- confirmed_by is the role that has defined it, or has taken it over.  Names are
-- an owner's.
--
-- Functions call the sync_id that they are given "sync": in SQL a column goes
-- before a parameter of the same name, so a condition on it would always be true.
--
-- parent_id has no foreign key: of one that leads to the same table, pg_dump
-- warns in each dump.

CREATE TABLE xero_fdw.sync (
	sync_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL CHECK (name <> ''),
	confirmed_by name NOT NULL,
	xero_table regclass NOT NULL,
	local_table regclass NOT NULL,
	direction text NOT NULL CHECK (direction IN ('pull', 'push', 'both')),
	fields jsonb NOT NULL,
	match_on text[],
	xero_filter text,
	local_filter text,
	conflict text NOT NULL CHECK (conflict IN ('newest', 'xero', 'local', 'manual')),
	initial text NOT NULL CHECK (initial IN ('new_only', 'merge', 'xero_to_local', 'local_to_xero')),
	on_delete text NOT NULL CHECK (on_delete IN ('ignore', 'archive')),
	brake real NOT NULL DEFAULT 0.2 CHECK (brake BETWEEN 0 AND 1),
	xero_key text NOT NULL,
	local_key text[] NOT NULL,
	watch text NOT NULL CHECK (watch IN ('trigger', 'compare')),
	columns jsonb NOT NULL,
	mirror boolean NOT NULL DEFAULT false,
	parent_id integer,
	search_path text NOT NULL,
	parts text,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	altered_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	UNIQUE (confirmed_by, name)
);

CREATE TABLE xero_fdw.sync_field (
	sync_id integer NOT NULL REFERENCES xero_fdw.sync ON DELETE CASCADE,
	field text NOT NULL,
	local_column text,
	xero_column text,
	direction text NOT NULL CHECK (direction IN ('both', 'to_local', 'to_xero')),
	to_local text,
	to_xero text,
	xero_uses text[] NOT NULL,
	local_uses text[] NOT NULL,
	PRIMARY KEY (sync_id, field)
);

-- Where reading Xero stands, by organisation.
CREATE TABLE xero_fdw.sync_position (
	sync_id integer NOT NULL REFERENCES xero_fdw.sync ON DELETE CASCADE,
	tenant_id uuid NOT NULL,
	watermark timestamptz,
	pull_started timestamptz,
	pull_offset bigint NOT NULL DEFAULT 0,
	pull_records bigint,
	audit_started timestamptz,
	audit_offset bigint NOT NULL DEFAULT 0,
	initial_done boolean NOT NULL DEFAULT false,
	merged_before boolean NOT NULL DEFAULT false,
	PRIMARY KEY (sync_id, tenant_id)
);

-- Records that were read and wait to be merged.
CREATE TABLE xero_fdw.sync_inbox (
	sync_id integer NOT NULL,
	tenant_id uuid NOT NULL,
	xero_id text COLLATE "C" NOT NULL,
	remote jsonb,
	updated_at timestamptz,
	held boolean NOT NULL DEFAULT false,
	PRIMARY KEY (sync_id, tenant_id, xero_id)
);
CREATE INDEX sync_inbox_waiting ON xero_fdw.sync_inbox (sync_id, tenant_id, xero_id)
	WHERE NOT held;

-- Local rows that were changed, recorded in the writer's own transaction.  No
-- foreign key: its check would lock the row of the sync for each change.  Keys are
-- indexed by their hash: what is too long for an index must not fail the writer.
CREATE TABLE xero_fdw.sync_change (
	change_id bigint GENERATED ALWAYS AS IDENTITY,
	sync_id integer NOT NULL,
	operation text NOT NULL CHECK (operation IN ('insert', 'update', 'delete', 'truncate', 'compare')),
	local_key jsonb,
	old_key jsonb,
	said jsonb,
	columns text[],
	departed boolean NOT NULL DEFAULT false,
	changed_at timestamptz NOT NULL,
	xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
	PRIMARY KEY (sync_id, change_id)
);
CREATE INDEX sync_change_rows ON xero_fdw.sync_change
	(sync_id, pg_catalog.jsonb_hash_extended(local_key, 0));
CREATE INDEX sync_change_moved ON xero_fdw.sync_change (sync_id, xid)
	WHERE old_key IS NOT NULL OR operation IN ('insert', 'delete');

-- Every record and every row that a sync knows, together if they belong
-- together, with the values that both sides last agreed on.
CREATE TABLE xero_fdw.sync_link (
	link_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sync_id integer NOT NULL,
	tenant_id uuid,
	xero_id text COLLATE "C",
	local_key jsonb,
	base_xero jsonb,
	base_local jsonb,
	match_key text COLLATE "C",
	state text NOT NULL CHECK (state IN ('linked', 'unlinked', 'ignored', 'ended')),
	deleted boolean NOT NULL DEFAULT false,
	renamed boolean NOT NULL DEFAULT false,
	first boolean NOT NULL DEFAULT false,
	seen_local text,
	xero_updated_at timestamptz,
	local_updated_at timestamptz,
	seen_at timestamptz,
	UNIQUE (link_id, sync_id),
	CHECK (xero_id IS NOT NULL OR local_key IS NOT NULL),
	UNIQUE (sync_id, xero_id, tenant_id),
	UNIQUE (sync_id, local_key)
);
CREATE INDEX ON xero_fdw.sync_link (sync_id, match_key)
	WHERE match_key IS NOT NULL;
CREATE INDEX sync_link_waiting ON xero_fdw.sync_link (sync_id)
	WHERE match_key IS NOT NULL AND xero_id IS NULL;

-- What is to be written to Xero.  Rows with the same idempotency key are one
-- request that was sent, or is about to be, and whose outcome is not known; the
-- key is committed before.  Rows without a key wait.
CREATE TABLE xero_fdw.sync_intent (
	intent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sync_id integer NOT NULL,
	link_id bigint NOT NULL,
	tenant_id uuid NOT NULL,
	operation text NOT NULL CHECK (operation IN ('insert', 'update', 'delete')),
	"row" jsonb NOT NULL,
	fields text[] NOT NULL,
	image jsonb,
	batch integer NOT NULL DEFAULT 1000000,
	problem text,
	let_through boolean NOT NULL DEFAULT false,
	idempotency_key text,
	first_sent timestamptz,
	UNIQUE (link_id, sync_id),
	FOREIGN KEY (link_id, sync_id) REFERENCES xero_fdw.sync_link (link_id, sync_id) ON DELETE CASCADE
);
CREATE INDEX ON xero_fdw.sync_intent (sync_id, batch, intent_id);
CREATE INDEX sync_intent_sent ON xero_fdw.sync_intent (idempotency_key)
	WHERE idempotency_key IS NOT NULL;

CREATE TABLE xero_fdw.sync_issue (
	issue_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sync_id integer NOT NULL,
	link_id bigint,
	tenant_id uuid,
	local_key jsonb,
	xero_id text,
	kind text NOT NULL CHECK (kind IN ('validation', 'conflict', 'ambiguous', 'transform', 'missing')),
	field text,
	message text NOT NULL,
	sqlstate text,
	payload jsonb,
	first_seen timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	last_seen timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	attempts integer NOT NULL DEFAULT 1,
	FOREIGN KEY (link_id, sync_id) REFERENCES xero_fdw.sync_link (link_id, sync_id) ON DELETE CASCADE
);
CREATE INDEX ON xero_fdw.sync_issue (sync_id);
CREATE INDEX ON xero_fdw.sync_issue (link_id, sync_id);

CREATE TABLE xero_fdw.sync_run (
	run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sync_id integer NOT NULL REFERENCES xero_fdw.sync ON DELETE CASCADE,
	pid integer NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
	started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	ended_at timestamptz,
	state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'paused', 'failed', 'crashed', 'cancelled', 'busy')),
	phase text,
	done bigint NOT NULL DEFAULT 0,
	total bigint,
	pulled bigint NOT NULL DEFAULT 0,
	pushed bigint NOT NULL DEFAULT 0,
	created bigint NOT NULL DEFAULT 0,
	updated bigint NOT NULL DEFAULT 0,
	unchanged bigint NOT NULL DEFAULT 0,
	conflicts bigint NOT NULL DEFAULT 0,
	issues bigint NOT NULL DEFAULT 0,
	calls bigint NOT NULL DEFAULT 0,
	bytes bigint NOT NULL DEFAULT 0,
	budget_wait interval NOT NULL DEFAULT '0',
	sqlstate text,
	error text
);
CREATE INDEX ON xero_fdw.sync_run (sync_id, started_at);

-- These tables are empty one minute and full the next, and one of them has the rows
-- of syncs that have nothing in common.  What ANALYZE has seen of them is never true
-- for long.  So it is to see nothing: then the planner prefers the index of which it
-- is told most columns, whenever it looks.
DO $$
DECLARE
	part record;
BEGIN
	FOR part IN
			SELECT a.attrelid::pg_catalog.regclass AS relation, a.attname
			FROM pg_catalog.pg_attribute AS a
			WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND a.attrelid OPERATOR(pg_catalog.=) ANY
				('{xero_fdw.sync_inbox,xero_fdw.sync_change,xero_fdw.sync_link,xero_fdw.sync_intent,xero_fdw.sync_issue}'::pg_catalog.regclass[]) LOOP
		EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', part.relation, part.attname);
	END LOOP;
END $$;
ALTER INDEX xero_fdw.sync_change_rows ALTER COLUMN 2 SET STATISTICS 0;

-- What belongs to a sync goes with it.  Foreign keys of tables that hold many rows
-- would ask a query for each row that is written.
CREATE FUNCTION xero_fdw._forget_syncs() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = auto AS $$
BEGIN
	DELETE FROM xero_fdw.sync_intent AS i WHERE i.sync_id IN (SELECT g.sync_id FROM gone AS g);
	DELETE FROM xero_fdw.sync_issue AS i WHERE i.sync_id IN (SELECT g.sync_id FROM gone AS g);
	DELETE FROM xero_fdw.sync_inbox AS i WHERE i.sync_id IN (SELECT g.sync_id FROM gone AS g);
	DELETE FROM xero_fdw.sync_link AS k WHERE k.sync_id IN (SELECT g.sync_id FROM gone AS g);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION xero_fdw._forget_syncs() IS
	'internal: forget what belongs to syncs that are gone';
CREATE TRIGGER forget_syncs AFTER DELETE ON xero_fdw.sync
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION xero_fdw._forget_syncs();
