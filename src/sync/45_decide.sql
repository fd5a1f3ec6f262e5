-- Deciding: items become decisions.  Nothing is written here, and of users' texts
-- only _in_terms_of() evaluates any.
--
--   _kind            what an item is to become as a whole
--   _put_cases       items with each side in terms of the other
--   _compare_fields  what is known of each field of them: facts, no policy
--   _judge_field     which way a field flows, and why: policy, of facts alone
--   _merge_fields    the fields of each item together
--   _conclude        the decision about an item
--   _decide          all of that for a batch
--
-- What is called for each item or field is an expression that the planner puts in
-- place of the call.  So these functions have no search path of their own, but
-- bodies that are parsed when they are created.

CREATE TYPE xero_fdw._case AS (
	n integer,					-- which of the items
	item xero_fdw._item,
	kind text,					-- of _kind()
	as_local jsonb,				-- the record as the row would be
	as_local_base jsonb,		-- what it was when both sides agreed
	as_xero jsonb,				-- the row as the record would be
	as_xero_base jsonb
);
COMMENT ON TYPE xero_fdw._case IS
	'internal: an item with each side in terms of the other';

CREATE TYPE xero_fdw._field_state AS (
	n integer,					-- which of the items
	field text,
	local_column text,
	xero_column text,
	direction text,
	adopt boolean,				-- both sides are to stay as they are
	is_id boolean,				-- the record's id
	first boolean,				-- it goes by the rules of the first merge
	row_read boolean,			-- what the row has is known
	old_local jsonb,			-- what the row has
	new_local jsonb,			-- what it would have by the record
	old_xero jsonb,				-- what the record has
	new_xero jsonb,				-- what it would have by the row
	same boolean,				-- both sides say the same
	untold boolean,				-- Xero may have something, and never told what
	unknown boolean,			-- what both sides agreed on is known of neither
	xero_changed boolean,		-- or what it was is not known
	local_changed boolean,		-- so, too; and is to go to Xero
	local_newer boolean,		-- the row was changed after the record
	decided text				-- the way that a person wants it to flow
);
COMMENT ON TYPE xero_fdw._field_state IS
	'internal: what is known of a field of an item';

CREATE TYPE xero_fdw._verdict AS (
	flow text,					-- to_local, to_xero, conflict
	why text
);
COMMENT ON TYPE xero_fdw._verdict IS
	'internal: which way a field flows';

CREATE TYPE xero_fdw._merged AS (
	n integer,					-- which of the items; the others as in _decision
	local_new jsonb,
	local_old jsonb,
	xero_new jsonb,
	xero_old jsonb,
	xero_fields text[],
	conflicts jsonb,
	disagreed integer,
	why jsonb
);
COMMENT ON TYPE xero_fdw._merged IS
	'internal: what the fields of an item come to';

-- Does an image say what its base says, in all that both know of?
CREATE FUNCTION xero_fdw._has_stayed(image jsonb, base jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT NOT EXISTS (SELECT FROM jsonb_each(base) AS m
		WHERE image ? m.key AND image->m.key <> m.value)
$$;
COMMENT ON FUNCTION xero_fdw._has_stayed(jsonb, jsonb) IS
	'internal: does an image say what its base says?';

-- What kind of item it is:
--   pair                 both sides are there, and at least one has changed
--   quiet                both are there and have not
--   adopt                both are there, and are to stay as they are
--   create_local, create_xero, delete_local, archive
--   end                  one side is gone for good
--   missing              the row is not there, and nobody has deleted it
--   unclear              it is not clear that they belong together
--   ignore               is not to be synced unless it changes
--   wait                 until something else happens
--   rest, forget         nothing to do; and the link is of no use
CREATE FUNCTION xero_fdw._kind(self xero_fdw.sync, item xero_fdw._item)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN item.gone THEN CASE
		WHEN item.state = 'linked' AND NOT item.deleted AND self.on_delete = 'archive'
			AND self.direction <> 'push'
			AND (self.direction = 'pull' OR item.local = item.base_local) THEN 'delete_local'
		ELSE 'end' END
	WHEN item.state = 'ended' THEN 'rest'
	WHEN item.xero_id IS NULL THEN CASE
		WHEN item.deleted OR item.missing THEN 'forget'
		WHEN item.blocked THEN 'wait'
		WHEN NOT item.in_scope OR self.direction = 'pull' THEN 'rest'
		WHEN item.state = 'ignored' THEN CASE
			WHEN self.initial = 'new_only' OR xero_fdw._has_stayed(item.local, item.base_local) THEN 'rest'
			ELSE 'create_xero' END
		WHEN item.first AND self.initial IN ('new_only', 'xero_to_local') THEN 'ignore'
		ELSE 'create_xero' END
	WHEN item.local_key IS NULL THEN CASE
		WHEN item.unclear IS NOT NULL THEN 'end'
		WHEN item.blocked OR self.direction = 'push' THEN 'wait'
		WHEN item.state = 'ignored' THEN CASE
			WHEN self.initial = 'new_only' OR xero_fdw._has_stayed(item.remote, item.base_xero) THEN 'rest'
			ELSE 'create_local' END
		WHEN item.first AND self.initial IN ('new_only', 'local_to_xero') THEN 'ignore'
		ELSE 'create_local' END
	WHEN item.missing THEN 'missing'
	WHEN item.deleted THEN CASE
		WHEN self.on_delete = 'archive' AND self.direction <> 'pull' AND item.unclear IS NULL
			AND NOT item.blocked THEN 'archive'
		ELSE 'end' END
	WHEN item.unclear IS NOT NULL THEN 'unclear'
	WHEN item.first AND self.initial = 'new_only' AND item.base_xero IS NULL
		AND item.base_local IS NULL THEN 'adopt'
	WHEN item.remote = item.base_xero
		AND (item.local IS NULL OR NOT item.in_scope OR item.local = item.base_local) THEN 'quiet'
	ELSE 'pair' END;
COMMENT ON FUNCTION xero_fdw._kind(xero_fdw.sync, xero_fdw._item) IS
	'internal: what kind of item it is';

-- Items with their kinds, and what their images are on the other side, as far as
-- the kind asks for it.  What is not known of a base image is taken to be as it is
-- now, for expressions and types that want a value.
CREATE FUNCTION xero_fdw._put_cases(self xero_fdw.sync, items xero_fdw._item[])
	RETURNS xero_fdw._case[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sync CONSTANT integer := self.sync_id;
	kinds CONSTANT text[] := ARRAY(SELECT xero_fdw._kind(self, i) FROM unnest(items) AS i);
	locals jsonb[];
	local_bases jsonb[];
	xeros jsonb[];
	xero_bases jsonb[];
BEGIN
	SELECT array_agg(CASE WHEN k IN ('pair', 'adopt', 'create_local') THEN i.remote END ORDER BY n),
		array_agg(CASE WHEN k = 'pair' AND i.remote <> i.base_xero THEN i.remote || i.base_xero END ORDER BY n),
		array_agg(CASE WHEN k IN ('pair', 'adopt', 'create_xero') THEN i.local END ORDER BY n),
		array_agg(CASE WHEN k = 'pair' AND i.local <> i.base_local THEN i.local || i.base_local END ORDER BY n)
	INTO locals, local_bases, xeros, xero_bases
	FROM unnest(items) WITH ORDINALITY AS i
		JOIN unnest(kinds) WITH ORDINALITY AS u(k, n) ON n = i.ordinality;
	locals := xero_fdw._in_terms_of(sync, 'local', locals);
	local_bases := xero_fdw._in_terms_of(sync, 'local', local_bases);
	xeros := xero_fdw._in_terms_of(sync, 'xero', xeros);
	xero_bases := xero_fdw._in_terms_of(sync, 'xero', xero_bases);
	RETURN ARRAY(
		SELECT ROW(n, item, kind,
			as_local, CASE WHEN (item).remote = (item).base_xero THEN as_local ELSE as_local_base END,
			as_xero, CASE WHEN (item).local = (item).base_local THEN as_xero ELSE as_xero_base END)::xero_fdw._case
		FROM (SELECT generate_subscripts(items, 1) AS n, unnest(items) AS item, unnest(kinds) AS kind,
				unnest(locals) AS as_local, unnest(local_bases) AS as_local_base,
				unnest(xeros) AS as_xero, unnest(xero_bases) AS as_xero_base) AS u
		ORDER BY n);
END $$;
COMMENT ON FUNCTION xero_fdw._put_cases(xero_fdw.sync, xero_fdw._item[]) IS
	'internal: items with each side in terms of the other';

-- What is known of each field of the items that have both sides.
-- A base image that has a field's columns, and no mark of the field, tells what
-- both sides agreed on.  A field that is marked so is merged anew, as in the first
-- run.  A column that is made of several fields has changed through the one whose own
-- local column has.  The organisation of a record is Xero's to tell.  A person's
-- decision holds as long as the side that loses says what it said then.
CREATE FUNCTION xero_fdw._compare_fields(self xero_fdw.sync,
		fields xero_fdw.sync_field[], cases xero_fdw._case[], clock_offset interval)
	RETURNS SETOF xero_fdw._field_state
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH field AS (
		SELECT *, '?' || field AS mark,
			1 = count(*) FILTER (WHERE direction <> 'to_local') OVER (PARTITION BY xero_column) AS alone,
			guarded.columns ?| (xero_uses || xero_column) AS guarded
		FROM unnest(fields), xero_fdw._guarded_columns(self.sync_id) AS guarded(columns)
	), value AS (
		SELECT c.n, c.kind, c.item, f.field, f.local_column, f.xero_column, f.direction, f.mark, f.alone,
			coalesce((c.item).base_xero ?& f.xero_uses
				AND coalesce(jsonb_typeof((c.item).base_xero->f.mark), 'object') = 'object', false) AS xero_known,
			coalesce((c.item).base_local ?& f.local_uses
				AND NOT (c.item).base_local ? f.mark, false) AS local_known,
			coalesce((c.item).base_local->>f.mark = 'anew', false) AS anew,
			f.guarded AND NOT (c.item).remote ?& (f.xero_uses || f.xero_column) AS untold,
			f.guarded AND NOT coalesce((c.item).base_xero ?& f.xero_uses, false) AS never_told,
			(c.item).base_xero->f.mark AS decision,
			coalesce((c.item).local->f.local_column, c.as_local_base->f.local_column) AS old_local,
			c.as_local->f.local_column AS new_local,
			c.as_local_base->f.local_column AS base_local,
			(c.item).remote->f.xero_column AS old_xero,
			c.as_xero->f.xero_column AS new_xero,
			c.as_xero_base->f.xero_column AS base_xero
		FROM unnest(cases) AS c CROSS JOIN field AS f
		WHERE c.kind IN ('pair', 'adopt')
	)
	SELECT n, field, local_column, xero_column, direction,
		kind = 'adopt' OR anew AND self.initial = 'new_only', coalesce(xero_column = self.xero_key, false),
		(item).first OR anew, (item).local IS NOT NULL,
		old_local, new_local, old_xero, new_xero,
		(item).local IS NOT NULL AND (
			local_column IS NOT NULL AND direction <> 'to_xero'
				AND xero_fdw._filled(new_local) IS NOT DISTINCT FROM xero_fdw._filled(old_local)
			OR xero_column IS NOT NULL AND direction <> 'to_local'
				AND xero_fdw._filled(new_xero) IS NOT DISTINCT FROM xero_fdw._filled(old_xero)),
		untold, NOT xero_known AND (NOT local_known OR never_told),
		NOT xero_known
			OR xero_fdw._filled(new_local) IS DISTINCT FROM xero_fdw._filled(base_local),
		(item).in_scope AND xero_column IS DISTINCT FROM tenant_column
			AND CASE WHEN untold THEN local_known AND xero_fdw._filled(new_xero) IS NOT NULL ELSE true END
			AND (NOT local_known OR never_told AND NOT untold
				OR (alone OR direction = 'to_xero'
					OR (item).local->local_column IS DISTINCT FROM (item).base_local->local_column)
				AND xero_fdw._filled(new_xero) IS DISTINCT FROM xero_fdw._filled(base_xero)),
		coalesce((item).local_at > (item).remote_at - clock_offset, false),
		CASE
		WHEN decision->>'winner' = 'local' AND (item).in_scope
			AND xero_fdw._filled(decision->'over') IS NOT DISTINCT FROM xero_fdw._filled(new_local) THEN 'to_xero'
		WHEN decision->>'winner' = 'xero' AND (item).local IS NOT NULL
			AND xero_fdw._filled(decision->'over') IS NOT DISTINCT FROM xero_fdw._filled(old_local) THEN 'to_local'
		END
	FROM value CROSS JOIN xero_fdw._tenant_column(self.xero_table) AS tenant_column
$$;
COMMENT ON FUNCTION xero_fdw._compare_fields(xero_fdw.sync, xero_fdw.sync_field[], xero_fdw._case[], interval) IS
	'internal: what is known of each field';

-- Which way a field flows by the rules of the sync, the first that applies; null:
-- nothing is to be done.
CREATE FUNCTION xero_fdw._judge_field(state xero_fdw._field_state, conflict text,
		initial text) RETURNS xero_fdw._verdict
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN state.same THEN NULL
	WHEN state.decided IS NOT NULL THEN ROW(state.decided,
		CASE WHEN state.decided = 'to_local' AND xero_fdw._filled(state.old_local) IS NULL
			THEN 'the row has nothing there' ELSE 'decided by a person' END)::xero_fdw._verdict

	-- nothing that Xero does not tell is a change there, or is overwritten without one here
	WHEN state.untold THEN CASE
		WHEN state.local_changed AND state.direction <> 'to_local'
		THEN ROW('to_xero', 'changed in the local table')::xero_fdw._verdict END

	-- one way only; a row that has lost the id of its record gets it back, and one that
	-- has nothing where nothing was agreed on yet empties nothing
	WHEN state.adopt THEN CASE
		WHEN state.direction = 'to_local' AND state.is_id
		THEN ROW('to_local', 'changed in Xero')::xero_fdw._verdict END
	WHEN state.direction = 'to_local' THEN CASE
		WHEN state.local_column IS NOT NULL AND (state.xero_changed OR state.row_read AND state.is_id)
		THEN ROW('to_local', 'changed in Xero')::xero_fdw._verdict END
	WHEN state.direction = 'to_xero' THEN CASE
		WHEN state.unknown AND NOT (state.first AND initial = 'local_to_xero')
			AND (xero_fdw._filled(state.new_xero) IS NULL
				OR state.local_column IS NOT NULL AND xero_fdw._filled(state.old_local) IS NULL)
		THEN NULL
		WHEN state.local_changed
		THEN ROW('to_xero', 'changed in the local table')::xero_fdw._verdict END

	-- both ways, and at most one side has changed
	WHEN state.xero_changed IS NOT TRUE THEN CASE
		WHEN state.local_changed
		THEN ROW('to_xero', 'changed in the local table')::xero_fdw._verdict END
	WHEN state.local_changed IS NOT TRUE THEN ROW('to_local', 'changed in Xero')::xero_fdw._verdict

	-- both have, and nothing was agreed on yet
	WHEN state.unknown THEN CASE
		WHEN state.first AND initial = 'xero_to_local'
		THEN ROW('to_local', 'taken from Xero when first merged')::xero_fdw._verdict
		WHEN state.first AND initial = 'local_to_xero'
		THEN ROW('to_xero', 'taken from the local table when first merged')::xero_fdw._verdict
		WHEN xero_fdw._filled(state.old_local) IS NULL
		THEN ROW('to_local', 'taken from Xero when first merged')::xero_fdw._verdict
		WHEN xero_fdw._filled(state.new_local) IS NULL
		THEN ROW('to_xero', 'taken from the local table when first merged')::xero_fdw._verdict
		WHEN conflict = 'manual'
		THEN ROW('conflict', 'both sides have changed it')::xero_fdw._verdict
		WHEN conflict = 'local' OR conflict = 'newest' AND state.local_newer
		THEN ROW('to_xero', 'taken from the local table when first merged')::xero_fdw._verdict
		ELSE ROW('to_local', 'taken from Xero when first merged')::xero_fdw._verdict END

	-- both have changed what they agreed on
	WHEN conflict = 'manual' THEN ROW('conflict', 'both sides have changed it')::xero_fdw._verdict
	WHEN conflict = 'xero' THEN ROW('to_local', 'both sides have changed it, Xero wins')::xero_fdw._verdict
	WHEN conflict = 'local' THEN ROW('to_xero', 'both sides have changed it, the local table wins')::xero_fdw._verdict
	WHEN state.local_newer
	THEN ROW('to_xero', 'both sides have changed it, the local change is newer')::xero_fdw._verdict
	ELSE ROW('to_local', 'both sides have changed it, Xero''s change is newer')::xero_fdw._verdict END;
COMMENT ON FUNCTION xero_fdw._judge_field(xero_fdw._field_state, text, text) IS
	'internal: which way a field flows, and why';

-- The fields of each item together.  A column of Xero's that several fields are
-- parts of goes there as a whole: while one of them waits for a person, so do the
-- others.  One that only goes there has no conflict of its own.
CREATE FUNCTION xero_fdw._merge_fields(states xero_fdw._field_state[],
		conflict text, initial text) RETURNS SETOF xero_fdw._merged
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH judged AS (
		SELECT s.*, xero_fdw._judge_field(s, conflict, initial) AS verdict
		FROM unnest(states) AS s
	), settled AS (
		SELECT *, (verdict).flow = 'to_xero'
			AND bool_or((verdict).flow = 'conflict') OVER (PARTITION BY n, xero_column) AS waits
		FROM judged
	), flowing AS (
		SELECT *, CASE WHEN waits THEN CASE direction WHEN 'both' THEN 'conflict' END
				ELSE (verdict).flow END AS flow,
			CASE WHEN waits THEN 'both sides have changed it' ELSE (verdict).why END AS why
		FROM settled
	)
	SELECT n,
		jsonb_object_agg(local_column, new_local) FILTER (WHERE flow = 'to_local'),
		jsonb_object_agg(local_column, old_local) FILTER (WHERE flow = 'to_local'),
		jsonb_object_agg(xero_column, new_xero) FILTER (WHERE flow = 'to_xero'),
		jsonb_object_agg(xero_column, old_xero) FILTER (WHERE flow = 'to_xero'),
		array_agg(field) FILTER (WHERE flow = 'to_xero'),
		jsonb_object_agg(field, jsonb_build_object('xero', new_local, 'local', old_local))
			FILTER (WHERE flow = 'conflict'),
		(count(*) FILTER (WHERE direction = 'both' AND xero_changed AND local_changed
			AND decided IS NULL AND NOT unknown))::integer,
		jsonb_object_agg(field, why)
	FROM flowing
	WHERE flow IS NOT NULL
	GROUP BY n
$$;
COMMENT ON FUNCTION xero_fdw._merge_fields(xero_fdw._field_state[], text, text) IS
	'internal: the fields of each item together';

-- The decision about an item: by its kind, and for a pair by its fields.  "fields"
-- are those that a new record is made of.
CREATE FUNCTION xero_fdw._conclude(known xero_fdw._case, merged xero_fdw._merged,
		fields text[]) RETURNS xero_fdw._decision
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN ROW(known.item,
	CASE known.kind
		WHEN 'forget' THEN NULL
		WHEN 'ignore' THEN 'ignored'
		WHEN 'rest' THEN (known.item).state
		WHEN 'wait' THEN 'unlinked'
		WHEN 'create_xero' THEN 'unlinked'
		WHEN 'archive' THEN 'linked'
		WHEN 'end' THEN 'ended'
		WHEN 'delete_local' THEN 'ended'
		ELSE 'linked' END,
	known.kind IN ('wait', 'missing', 'unclear') OR merged.conflicts IS NOT NULL,
	CASE WHEN known.kind = 'create_local' THEN 'create'
		WHEN known.kind = 'delete_local' THEN 'delete'
		WHEN merged.local_new IS NOT NULL THEN 'update' END,
	CASE WHEN known.kind = 'create_local' THEN known.as_local ELSE merged.local_new END,
	CASE WHEN known.kind = 'delete_local' THEN (known.item).local ELSE merged.local_old END,
	CASE WHEN known.kind = 'create_xero' THEN 'create'
		WHEN known.kind = 'archive' THEN 'archive'
		WHEN merged.xero_new IS NOT NULL THEN 'update' END,
	CASE WHEN known.kind = 'create_xero' THEN known.as_xero ELSE merged.xero_new END,
	merged.xero_old,
	CASE WHEN known.kind = 'create_xero' THEN fields
		WHEN known.kind = 'archive' THEN '{}' ELSE merged.xero_fields END,
	merged.conflicts, coalesce(merged.disagreed, 0),
	CASE WHEN known.kind = 'create_local' THEN '{"": "new in Xero"}'
		WHEN known.kind = 'create_xero' THEN '{"": "new in the local table"}'
		WHEN known.kind = 'archive' THEN '{"": "deleted from the local table"}'
		WHEN known.kind = 'delete_local' THEN '{"": "gone from Xero"}'
		WHEN known.kind = 'missing' AND (known.item).local_key->'long' IS NOT NULL
			THEN '{"": "the key of the row is longer than 2000 bytes"}'
		WHEN known.kind = 'missing' THEN '{"": "its row is gone, and nobody has deleted it"}'
		WHEN known.kind = 'unclear' THEN jsonb_build_object('', (known.item).unclear)
		ELSE merged.why END)::xero_fdw._decision;
COMMENT ON FUNCTION xero_fdw._conclude(xero_fdw._case, xero_fdw._merged, text[]) IS
	'internal: the decision about an item';

-- The kind of issue that leaves both sides of a pair as they are; null if none does.
CREATE FUNCTION xero_fdw._obstacle(decision xero_fdw._decision) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN decision.hold IS NOT TRUE OR decision.conflicts IS NOT NULL THEN NULL
	WHEN (decision.item).missing AND (decision.item).local_key->'long' IS NOT NULL THEN 'transform'
	WHEN (decision.item).missing THEN 'missing'
	WHEN (decision.item).unclear IS NOT NULL THEN 'ambiguous' END;
COMMENT ON FUNCTION xero_fdw._obstacle(xero_fdw._decision) IS
	'internal: the kind of issue that leaves both sides as they are';

-- Where both sides are to be written, what goes to Xero is made of the row as it
-- will be: several local columns may be parts of one of Xero's.
CREATE FUNCTION xero_fdw._follow_local(sync integer, decisions xero_fdw._decision[])
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	images CONSTANT jsonb[] := ARRAY(
		SELECT CASE WHEN d.xero_action = 'update' THEN (d.item).local || d.local_new END
		FROM unnest(decisions) WITH ORDINALITY AS d ORDER BY d.ordinality);
	as_xero jsonb[];
BEGIN
	IF array_length(array_remove(images, NULL), 1) IS NULL THEN
		RETURN decisions;
	END IF;
	as_xero := xero_fdw._in_terms_of(sync, 'xero', images);
	RETURN ARRAY(
		SELECT ROW(d.item, d.state, d.hold, d.local_action, d.local_new, d.local_old,
			d.xero_action, CASE WHEN x.image IS NULL THEN d.xero_new
				ELSE xero_fdw._slice(x.image, ARRAY(SELECT jsonb_object_keys(d.xero_new))) END,
			d.xero_old, d.xero_fields, d.conflicts, d.disagreed, d.why)::xero_fdw._decision
		FROM unnest(decisions) WITH ORDINALITY AS d
			JOIN unnest(as_xero) WITH ORDINALITY AS x(image, n) ON x.n = d.ordinality
		ORDER BY d.ordinality);
END $$;
COMMENT ON FUNCTION xero_fdw._follow_local(integer, xero_fdw._decision[]) IS
	'internal: make what goes to Xero of the rows as they will be';

-- What is to be done about each item.  Fails if an expression or the filter of the
-- user does, and for a record with a text that PostgreSQL cannot store.
CREATE FUNCTION xero_fdw._decide(sync integer, items xero_fdw._item[])
	RETURNS xero_fdw._decision[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	self xero_fdw.sync;
	fields CONSTANT xero_fdw.sync_field[] := ARRAY(SELECT f FROM xero_fdw.sync_field AS f
		WHERE f.sync_id = sync ORDER BY f.field);
	to_xero CONSTANT text[] := (SELECT array_agg(f.field) FROM unnest(fields) AS f
		WHERE f.direction <> 'to_local');
	cases xero_fdw._case[];
	states xero_fdw._field_state[];
BEGIN
	PERFORM xero_fdw._refuse_bad_text(i.remote) FROM unnest(items) AS i;
	SELECT * INTO STRICT self FROM xero_fdw.sync AS s WHERE s.sync_id = sync;
	PERFORM xero_fdw._refuse_unfiltered(sync, array_agg(i.local_key)) FROM unnest(items) AS i
	WHERE i.local IS NOT NULL AND i.in_scope IS NULL HAVING count(*) > 0;
	cases := xero_fdw._put_cases(self, items);
	states := ARRAY(SELECT s
		FROM xero_fdw._compare_fields(self, fields, cases, xero_fdw._clock_offset()) AS s);
	RETURN xero_fdw._follow_local(sync, ARRAY(
		SELECT xero_fdw._conclude(c, m, to_xero)
		FROM unnest(cases) AS c
			LEFT JOIN xero_fdw._merge_fields(states, self.conflict, self.initial) AS m ON m.n = c.n
		ORDER BY c.n));
END $$;
COMMENT ON FUNCTION xero_fdw._decide(integer, xero_fdw._item[]) IS
	'internal: what is to be done about items';
