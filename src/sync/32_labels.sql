-- Values of enums that get another name.
--
-- What a sync knows of rows are texts, and ALTER TYPE ... RENAME VALUE changes what
-- rows say without a change of any row: keys would lead nowhere, and what both sides
-- agreed on could not be read any more.  So the values of enums are remembered by their
-- numbers (_types).  Before they are used, keys get the new names.  Of other columns
-- nothing is agreed on any more: the rows say something else.
--
-- A change says what its row was called then.  If that is the name of another value by
-- now, the transactions tell which of the two is meant.

-- An image without values that have new names, which are {column: {old name: new name}}.
CREATE FUNCTION xero_fdw._without_renamed(image jsonb, renamed jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN image - ARRAY(SELECT r.key FROM jsonb_each(renamed) AS r WHERE r.value ? (image->>r.key));
COMMENT ON FUNCTION xero_fdw._without_renamed(jsonb, jsonb) IS
	'internal: an image without values that have new names';

-- A key, which may be one that was, with the new names.
CREATE FUNCTION xero_fdw._relabel_key(key jsonb, columns text[], renamed jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT CASE WHEN jsonb_typeof(was) IS DISTINCT FROM 'array' THEN key
		WHEN jsonb_typeof(key) = 'array' THEN news
		ELSE key || jsonb_build_object('was', news) END
	FROM (SELECT CASE jsonb_typeof(key) WHEN 'object' THEN key->'was' ELSE key END AS was) AS w,
		LATERAL (SELECT jsonb_agg(coalesce(renamed->columns[m.n::integer]->(m.value #>> '{}'), m.value) ORDER BY m.n) AS news
			FROM jsonb_array_elements(CASE jsonb_typeof(was) WHEN 'array' THEN was END) WITH ORDINALITY AS m(value, n)) AS k);
COMMENT ON FUNCTION xero_fdw._relabel_key(jsonb, text[], jsonb) IS
	'internal: a key with the new names of values';

-- Which values have another name than a sync knows, by column; of all, and without those
-- whose old name another value has; and how old the last of these names is, in
-- transactions.  What a dump has carried elsewhere has other numbers.
CREATE FUNCTION xero_fdw._renamed_labels(self xero_fdw.sync, OUT renamed jsonb, OUT unmistakable jsonb,
		OUT age integer)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH label AS (
		SELECT c.key AS column_name, l.value AS was, e.enumlabel AS name, age(e.xmin) AS age,
			EXISTS (SELECT FROM pg_enum AS o WHERE o.enumtypid = e.enumtypid AND o.enumlabel = l.value) AS taken
		FROM jsonb_each(self.columns #> '{local,labels}') AS c, jsonb_each_text(c.value) AS l
			JOIN pg_enum AS e ON e.oid = l.key::oid
		WHERE e.enumlabel <> l.value AND self.columns #>> '{local,relation}' = self.local_table::oid::text
	), by_column AS (
		SELECT column_name, jsonb_object_agg(was, name) AS renamed,
			coalesce(jsonb_object_agg(was, name) FILTER (WHERE NOT taken), '{}') AS unmistakable, min(age) AS age
		FROM label GROUP BY column_name
	)
	SELECT jsonb_object_agg(column_name, renamed), jsonb_object_agg(column_name, unmistakable), min(age)
	FROM by_column
$$;
COMMENT ON FUNCTION xero_fdw._renamed_labels(xero_fdw.sync) IS
	'internal: values of enums that have other names than a sync knows';

-- Puts the new names into what a sync knows of rows, all of which are compared.  Keys
-- that values have swapped are out of the way before each gets its new one.
CREATE FUNCTION xero_fdw._follow_labels(self xero_fdw.sync) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	present CONSTANT jsonb := xero_fdw._types(self.local_table,
		ARRAY(SELECT jsonb_object_keys(self.columns #> '{local,columns}')))->'labels';
	labels CONSTANT record := xero_fdw._renamed_labels(self);
BEGIN
	IF labels.renamed IS NOT NULL THEN
		UPDATE xero_fdw.sync_change AS c
		SET local_key = xero_fdw._relabel_key(c.local_key, self.local_key, n.names),
			old_key = xero_fdw._relabel_key(c.old_key, self.local_key, n.names),
			said = xero_fdw._without_renamed(c.said, n.names)
		FROM (VALUES (true, labels.renamed), (false, labels.unmistakable)) AS n (before, names)
		WHERE c.sync_id = self.sync_id AND n.before = (age(c.xid::xid) > labels.age);
		UPDATE xero_fdw.sync_link AS k
		SET local_key = CASE WHEN k.local_key <> n.key THEN jsonb_build_object('link', k.link_id, 'key', n.key) ELSE n.key END,
			base_local = xero_fdw._without_renamed(k.base_local, labels.renamed), seen_local = NULL
		FROM (SELECT o.link_id, xero_fdw._relabel_key(o.local_key, self.local_key, labels.renamed) AS key
			FROM xero_fdw.sync_link AS o WHERE o.sync_id = self.sync_id) AS n
		WHERE k.link_id = n.link_id AND k.sync_id = self.sync_id AND k.local_key IS NOT NULL;
		UPDATE xero_fdw.sync_link AS k SET local_key = k.local_key->'key'
		WHERE k.sync_id = self.sync_id AND k.local_key ?& '{link,key}';
		UPDATE xero_fdw.sync_intent AS i SET image = xero_fdw._without_renamed(i.image, labels.renamed)
		WHERE i.sync_id = self.sync_id;
		UPDATE xero_fdw.sync_issue AS i
		SET local_key = xero_fdw._relabel_key(i.local_key, self.local_key, labels.renamed)
		WHERE i.sync_id = self.sync_id;
		PERFORM xero_fdw._compare_all(self.sync_id);
	END IF;
	IF self.columns #> '{local,labels}' IS DISTINCT FROM present THEN
		UPDATE xero_fdw.sync AS s SET columns = jsonb_set(s.columns, '{local,labels}', present)
		WHERE s.sync_id = self.sync_id;
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._follow_labels(xero_fdw.sync) IS
	'internal: let a sync know values of enums by the names that they have now';
