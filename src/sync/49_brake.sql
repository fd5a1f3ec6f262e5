-- The brake: a run does not end many records at Xero, nor give them to other rows,
-- because of what may be a mistake of somebody's.
--
-- An end has a recorded delete of its row, but so has a DELETE that lacks its
-- WHERE.  A record gets another identity when the columns that tell it from others
-- are to be changed: that is what a table looks like that was loaded anew with the
-- keys in another order.  Not so if a trigger has recorded an UPDATE of them
-- (sync_link.renamed).
--
-- What was merged when the brake stops a run is kept, and what is to be written
-- waits in sync_intent, so that a run with "force" sends that.  What a first run
-- brings together is not counted, nor is what a run has let through and could not send
-- before it was paused.

-- The fields that tell a row from others, of those that go to Xero.
CREATE FUNCTION xero_fdw._identity_fields(sync integer) RETURNS SETOF xero_fdw.sync_field
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT f FROM xero_fdw.sync AS s JOIN xero_fdw.sync_field AS f USING (sync_id)
	WHERE s.sync_id = sync AND f.direction <> 'to_local'
		AND f.local_column = ANY (s.local_key || s.match_on)
$$;
COMMENT ON FUNCTION xero_fdw._identity_fields(integer) IS
	'internal: the fields that go to Xero and tell a row from others';

-- Do so many records ask for a person's word?  "ends" are links whose records are to
-- be ended, "updates" links whose records would get other values of identity fields.
-- The message is null if the run may go on.
CREATE FUNCTION xero_fdw._braked(self xero_fdw.sync, ends bigint[], updates bigint[],
		OUT message text, OUT detail text)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	never_below CONSTANT integer := 10;
	sync CONSTANT integer := self.sync_id;
	counted record;
	records bigint;
BEGIN
	IF coalesce(cardinality(ends), 0) + coalesce(cardinality(updates), 0) <= never_below THEN
		RETURN;
	END IF;
	SELECT count(*) AS number, array_agg(u.key ORDER BY u.link_id) FILTER (WHERE u.ends) AS ended,
		array_agg(u.key ORDER BY u.link_id) FILTER (WHERE NOT u.ends) AS renamed
	INTO counted
	FROM (SELECT k.link_id, a.ends, xero_fdw._shown_key(k.local_key) AS key
		FROM (SELECT unnest(_braked.ends), true UNION ALL SELECT unnest(updates), false) AS a(link, ends)
			JOIN xero_fdw.sync_link AS k ON k.link_id = a.link
			JOIN xero_fdw.sync_position AS p ON p.sync_id = sync AND p.tenant_id = k.tenant_id
		WHERE p.merged_before AND (a.ends OR NOT k.renamed)
			AND NOT EXISTS (SELECT FROM xero_fdw.sync_intent AS i WHERE i.link_id = k.link_id AND i.let_through)) AS u;
	IF counted.number <= never_below THEN
		RETURN;
	END IF;
	SELECT count(*) INTO records FROM xero_fdw.sync_link AS k
	WHERE k.sync_id = sync AND k.state = 'linked' AND k.xero_id IS NOT NULL AND k.local_key IS NOT NULL;
	IF counted.number <= self.brake * records THEN
		RETURN;
	END IF;
	message := format('sync "%s" would %s of its %s records in Xero', self.name,
		concat_ws(' and ', 'end ' || cardinality(counted.ended),
			'give other rows'' identities to ' || cardinality(counted.renamed)), records);
	detail := concat_ws(' ', format('That is more than its brake of %s allows.', self.brake),
		'The first rows that were deleted: ' || array_to_string(counted.ended[:5], ', ') || '.',
		'The first rows that are others than before: ' || array_to_string(counted.renamed[:5], ', ') || '.');
END $$;
COMMENT ON FUNCTION xero_fdw._braked(xero_fdw.sync, bigint[], bigint[]) IS
	'internal: why a run must not go on without a person''s word; null if it may';

-- What waits to be written, as _braked() takes it.
CREATE FUNCTION xero_fdw._waiting(sync integer, OUT ends bigint[], OUT updates bigint[])
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(i.link_id) FILTER (WHERE i.operation = 'delete'),
		array_agg(i.link_id) FILTER (WHERE i.operation = 'update'
			AND i.fields && ARRAY(SELECT f.field FROM xero_fdw._identity_fields(sync) AS f))
	FROM xero_fdw.sync_intent AS i WHERE i.sync_id = sync
$$;
COMMENT ON FUNCTION xero_fdw._waiting(integer) IS
	'internal: the links whose records are about to be ended, or to get another identity';

CREATE FUNCTION xero_fdw._heed_brake(self xero_fdw.sync, force boolean) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	waiting record;
	stop record;
BEGIN
	SELECT * INTO waiting FROM xero_fdw._waiting(self.sync_id);
	SELECT * INTO stop FROM xero_fdw._braked(self, waiting.ends, waiting.updates);
	IF stop.message IS NOT NULL AND NOT force THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = stop.message, DETAIL = stop.detail,
			HINT = format('Nothing was written. Look at xero_fdw.plan_sync(%1$L). If that is what you want: CALL xero_fdw.run_sync(%1$L, force => true);', self.name);
	END IF;
	UPDATE xero_fdw.sync_intent AS i SET let_through = true
	WHERE i.sync_id = self.sync_id AND i.link_id = ANY (waiting.ends || waiting.updates) AND NOT i.let_through;
END $$;
COMMENT ON FUNCTION xero_fdw._heed_brake(xero_fdw.sync, boolean) IS
	'internal: an error if what waits to be written asks for a person''s word; else it is let through';
