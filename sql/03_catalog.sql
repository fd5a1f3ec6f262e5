-- The catalogue, as everybody sees it.
CALL needs_00_setup();
CREATE ROLE regress_xero_user;
SET ROLE regress_xero_user;

SELECT api, table_name, key_column, paging, max_batch FROM xero_fdw.objects;
SELECT * FROM xero_fdw.objects
	WHERE table_name IN ('invoices', 'invoice_line_items', 'journals', 'organisation') \gx

-- What each column is, of one table.
SELECT column_name, data_type, field, pushdown, writable, required
FROM xero_fdw.columns WHERE api = 'accounting' AND table_name = 'contacts';

-- Names are unique, types are few, keys exist, words are those documented.
SELECT api, table_name FROM xero_fdw.objects GROUP BY 1, 2 HAVING count(*) > 1;
SELECT api, table_name, column_name FROM xero_fdw.columns GROUP BY 1, 2, 3 HAVING count(*) > 1;
SELECT data_type, count(*) > 0 AS used FROM xero_fdw.columns GROUP BY 1 ORDER BY 1;
SELECT DISTINCT pushdown FROM xero_fdw.columns ORDER BY 1;
SELECT DISTINCT unnest(operations) AS operation FROM xero_fdw.objects ORDER BY 1;
SELECT o.api, o.table_name, o.key_column FROM xero_fdw.objects AS o
WHERE o.key_column IS NOT NULL AND NOT EXISTS
	(SELECT FROM xero_fdw.columns AS c
		WHERE (c.api, c.table_name, c.column_name) = (o.api, o.table_name, o.key_column));
-- names are the fields' in snake_case, but for ids that name other records
SELECT table_name, column_name, field FROM xero_fdw.columns
WHERE api = 'accounting' AND field !~ '[./]' AND
	replace(column_name, '_', '') <> lower(field);
RESET ROLE;
DROP ROLE regress_xero_user;
