-- Options of tables: what is left out, in which form, and by how many a page.
CALL needs_00_setup();
CREATE FOREIGN TABLE active (contact_id uuid, name text, contact_status text,
	updated_date_utc timestamptz, addresses jsonb)
	SERVER xero OPTIONS (object 'accounting/Contacts', include_archived 'false');

-- Archived records are there unless they are not wanted.
SELECT contact_status, count(*) > 0 AS any FROM xero.contacts GROUP BY 1 ORDER BY 1;
SELECT contact_status, count(*) > 0 AS any FROM active GROUP BY 1 ORDER BY 1;
SELECT (SELECT count(*) FROM active)
	= (SELECT count(*) FROM xero.contacts WHERE contact_status <> 'ARCHIVED') AS same;
SELECT * FROM calls();
-- also if one is asked for by its key: by neither way is it a row of this table
SELECT contact_id AS archived
	FROM xero.contacts WHERE contact_status = 'ARCHIVED' ORDER BY name LIMIT 1 \gset
SELECT contact_id AS another FROM active ORDER BY name LIMIT 1 \gset
SELECT FROM calls();
EXPLAIN (COSTS OFF) SELECT contact_id
	FROM active WHERE contact_id = '00000000-0000-0000-0000-000000000001';
SELECT count(lower(contact_status)) FROM active WHERE contact_id = :'archived';
SELECT count(lower(contact_status)) FROM active WHERE contact_id IN (:'archived', :'another');
SELECT count(lower(contact_status)) FROM active WHERE contact_id = ANY (ARRAY[:'archived']::uuid[]);
SELECT count(lower(contact_status)) FROM active WHERE contact_status = 'ARCHIVED';
SELECT count(lower(contact_status))
	FROM active WHERE name IS NOT NULL AND contact_id = (SELECT :'archived'::uuid);
SELECT count(lower(contact_status)) FROM xero.contacts WHERE contact_id = :'archived';

-- Summaries only: columns that they lack cannot be asked for, and are not
-- shown as empty.
SELECT FROM calls();
ALTER FOREIGN TABLE active OPTIONS (ADD summary_only 'true', DROP include_archived);
SELECT count(lower(name)) = count(*) AS named FROM active;
SELECT * FROM calls();
SELECT addresses FROM active;
SELECT name FROM active WHERE addresses IS NULL;
EXPLAIN SELECT * FROM active;
ALTER FOREIGN TABLE active OPTIONS (SET summary_only 'false');
SELECT count(*) = count(addresses) AS all_have FROM active;
SELECT * FROM calls();

-- Which form is read depends on the columns.
EXPLAIN (COSTS OFF) SELECT name FROM active;
EXPLAIN (COSTS OFF) SELECT name FROM active WHERE addresses IS NOT NULL;
EXPLAIN (COSTS OFF) SELECT name FROM active ORDER BY addresses;
EXPLAIN (COSTS OFF) SELECT name FROM xero.contacts WHERE is_customer;

-- Page sizes: the table's, else the server's
ALTER FOREIGN TABLE active OPTIONS (ADD page_size '50');
SELECT count(lower(name)) FROM active;
SELECT * FROM calls();
ALTER FOREIGN TABLE active OPTIONS (DROP page_size);
ALTER SERVER xero OPTIONS (ADD page_size '100');
SELECT count(lower(name)) FROM active;
SELECT * FROM calls();
ALTER SERVER xero OPTIONS (DROP page_size);
SELECT count(lower(name)) FROM active;
SELECT * FROM calls();
DROP FOREIGN TABLE active;
