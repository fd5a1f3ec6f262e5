-- One condition, read in several ways.
DROP SCHEMA IF EXISTS diff CASCADE;
CREATE SCHEMA diff;

-- Equal here means neither the same bytes nor what is equal to Xero: neither
-- case nor accents nor punctuation counts.
CREATE COLLATION diff.lax (provider = icu, locale = 'und-u-ka-shifted-ks-level1', deterministic = false);

-- The array that a query returns, or its error.
CREATE FUNCTION diff.fetch(query text, OUT got text[], OUT error text)
	LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query INTO got;
	got := coalesce(got, '{}');
EXCEPTION WHEN OTHERS THEN
	error := SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE FUNCTION diff.plan(query text, OUT plan text)
	LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	plan := '';
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
EXCEPTION WHEN OTHERS THEN
	plan := SQLERRM;
END $$;

-- How often each element of "these" comes more often than in "those".
CREATE FUNCTION diff.more(these text[], those text[], OUT elements text[])
	LANGUAGE sql AS $$
	SELECT (array_agg(e))[1:5] FROM (
		SELECT e FROM unnest(these) AS e EXCEPT ALL SELECT e FROM unnest(those) AS e) AS x(e)
$$;

-- "ways" are queries that must return the same array: the foreign table, its
-- copy, the foreign table with the condition kept away from it.  What "part"
-- returns must be among what "whole" returns, if they are given.
CREATE FUNCTION diff.check(number integer, prepares text[], ways text[],
		part text DEFAULT NULL, whole text DEFAULT NULL) RETURNS jsonb
	LANGUAGE plpgsql AS $$
DECLARE
	copy record;
	one record;
	shown text;
	problem text;
	command text;
BEGIN
	FOREACH command IN ARRAY prepares LOOP
		EXECUTE command;
	END LOOP;
	shown := diff.plan(ways[1]);
	SELECT * INTO copy FROM diff.fetch(ways[2]);
	FOR i IN 1 .. array_length(ways, 1) LOOP
		CONTINUE WHEN i = 2 OR problem IS NOT NULL;
		SELECT * INTO one FROM diff.fetch(ways[i]);
		IF copy.error IS NOT NULL THEN
			-- rows that raise it may not have been sent
			IF one.error IS NOT NULL AND left(one.error, 5) <> left(copy.error, 5) THEN
				problem := format('way %s: %s instead of %s', i, one.error, copy.error);
			END IF;
		ELSIF one.error IS NOT NULL THEN
			problem := format('way %s: %s', i, one.error);
		ELSIF one.got <> copy.got THEN
			problem := format('way %s: %s rows instead of %s; missing %s; too many %s; first %s instead of %s',
				i, cardinality(one.got), cardinality(copy.got),
				diff.more(copy.got, one.got), diff.more(one.got, copy.got), one.got[1:5], copy.got[1:5]);
		END IF;
	END LOOP;
	IF problem IS NULL AND part IS NOT NULL AND copy.error IS NULL THEN
		SELECT * INTO one FROM diff.fetch(part);
		SELECT * INTO copy FROM diff.fetch(whole);
		IF one.error IS NOT NULL THEN
			problem := format('part: %s', one.error);
		ELSIF diff.more(one.got, copy.got) IS NOT NULL THEN
			problem := format('part: rows that are not in the whole: %s', diff.more(one.got, copy.got));
		END IF;
	END IF;
	DEALLOCATE ALL;
	RETURN jsonb_build_object('n', number, 'scan', shown ~ 'Foreign Scan',
		'sent', shown ~ 'Xero Filter:', 'window', shown ~ 'Xero Offset:', 'bound', shown ~ 'XeroLookahead', 'exact', shown !~ '\n +Filter:', 'rows', cardinality(copy.got),
		'error', copy.error, 'problem', problem, 'plan', CASE WHEN problem IS NOT NULL THEN shown END);
END $$;
