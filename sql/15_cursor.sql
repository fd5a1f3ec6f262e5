-- Cursors: forward, in parts, beyond the end of a transaction; backward only
-- where PostgreSQL keeps the rows.
CALL needs_00_setup();
CREATE FOREIGN TABLE paged (contact_id uuid, name text)
	SERVER xero OPTIONS (object 'accounting/Contacts', page_size '10');
CREATE FUNCTION rest(c refcursor) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	MOVE FORWARD ALL FROM c;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- Only the pages that are fetched are asked for.
BEGIN;
DECLARE c CURSOR FOR SELECT name IS NOT NULL AS named FROM paged;
SELECT * FROM calls();
FETCH 2 FROM c;
SELECT * FROM calls();
MOVE 7 FROM c;
SELECT * FROM calls();
FETCH 1 FROM c;
FETCH 1 FROM c;
SELECT * FROM calls();
CLOSE c;
SELECT * FROM calls();
COMMIT;

-- Backward is refused, and the transaction goes on after it.
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT name FROM paged;
MOVE 15 FROM c;
SAVEPOINT s;
FETCH BACKWARD 1 FROM c;
ROLLBACK TO s;
SELECT count(*) FROM calls();
COMMIT;
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM paged;
FETCH PRIOR FROM c;
ROLLBACK;

-- A scrollable cursor goes everywhere; each page is asked for once.
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT row_number() OVER () AS n FROM paged;
FETCH ABSOLUTE 25 FROM c;
FETCH PRIOR FROM c;
FETCH FIRST FROM c;
FETCH LAST FROM c;
FETCH RELATIVE -5 FROM c;
SELECT rest('c');
SELECT count(*) FROM calls();
COMMIT;
-- also where the scan is the whole plan
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT name FROM paged;
MOVE 20 FROM c;
MOVE BACKWARD 10 FROM c;
SELECT rest('c');
MOVE FIRST FROM c;
SELECT rest('c');
SELECT count(*) FROM calls();
COMMIT;

-- A cursor WITH HOLD reads the rest when its transaction ends.
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT name IS NOT NULL AS named FROM paged;
FETCH 3 FROM c;
SELECT count(*) FROM calls();
COMMIT;
SELECT count(*) FROM calls();
SELECT rest('c');
SELECT count(*) FROM calls();
CLOSE c;
BEGIN;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT name IS NOT NULL AS named FROM paged;
MOVE 30 FROM c;
COMMIT;
FETCH FIRST FROM c;
SELECT rest('c');
SELECT count(*) FROM calls();
CLOSE c;

-- Two at once, each with its own place; and one that outlives a savepoint.
BEGIN;
DECLARE a CURSOR FOR SELECT name FROM paged;
DECLARE b CURSOR FOR SELECT name FROM paged;
MOVE 15 FROM a;
SAVEPOINT s;
MOVE 25 FROM b;
SELECT 1 / 0;
ROLLBACK TO s;
SELECT rest('a');
SELECT rest('b');
ROLLBACK;
SELECT FROM calls();

-- A cursor whose query is another for each row
CREATE FUNCTION statuses() RETURNS TABLE (status text, n bigint) LANGUAGE plpgsql AS $$
DECLARE
	c CURSOR (s text) FOR SELECT i.total FROM xero.invoices AS i WHERE i.status = s;
BEGIN
	FOREACH status IN ARRAY ARRAY['PAID', 'DRAFT', 'NONE'] LOOP
		n := 0;
		FOR r IN c(status) LOOP
			n := n + 1;
		END LOOP;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT * FROM statuses();
SELECT count(*) FROM calls();
-- a transaction that commits while a loop runs over the table
CREATE PROCEDURE copy_names() LANGUAGE plpgsql AS $$
DECLARE
	r record;
	n int := 0;
BEGIN
	FOR r IN SELECT name FROM paged LOOP
		n := n + 1;
		IF n % 40 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
	RAISE NOTICE '% names', n;
END $$;
CALL copy_names();
SELECT count(*) FROM calls();
-- prepared statements that change their table
PREPARE names AS SELECT count(lower(name)) FROM paged;
EXECUTE names;
SELECT count(*) FROM calls();
ALTER FOREIGN TABLE paged OPTIONS (SET page_size '100');
EXECUTE names;
SELECT count(*) FROM calls();
ALTER FOREIGN TABLE paged ALTER COLUMN name OPTIONS (ADD field 'NoSuchThing');
EXECUTE names;
DEALLOCATE names;
SELECT FROM calls();
DROP FOREIGN TABLE paged;
DROP FUNCTION rest, statuses;
DROP PROCEDURE copy_names;
