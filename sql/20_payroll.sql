-- Employees of the payroll APIs: other paths, other JSON dialects, one engine.
CALL needs_00_setup();
SET TimeZone = 'UTC';
CREATE SCHEMA au;
CREATE SCHEMA uk;
CREATE SCHEMA nz;
IMPORT FOREIGN SCHEMA payroll_au FROM SERVER xero INTO au;
IMPORT FOREIGN SCHEMA payroll_uk FROM SERVER xero INTO uk;
IMPORT FOREIGN SCHEMA payroll_nz FROM SERVER xero INTO nz;

-- A server without tenant_id stands for the organisation that it first found;
-- each country has a sandbox of its own here.
\set state `"$PG_ABS_SRCDIR"/test/sandbox-control state Employees`
SELECT count(*) = jsonb_array_length(:'state') AS all_there, count(*) > 5 AS several
	FROM au.employees;
SELECT e.first_name = r ->> 'FirstName' AS first_name,
	e.date_of_birth = (timestamp '1970-01-01' +
		(substring(r ->> 'DateOfBirth' FROM '-?\d+'))::int8 * interval '1 ms')::date AS date_of_birth,
	count(*) > 5 AS several
FROM au.employees AS e
	JOIN jsonb_array_elements(:'state') AS r ON (r ->> 'EmployeeID')::uuid = e.employee_id
	GROUP BY 1, 2;
SELECT date_of_birth < '1970-01-01' AS before_1970, count(*) > 0 AS any
	FROM au.employees GROUP BY 1 ORDER BY 1;
SELECT FROM calls();
SELECT count(*)
	FROM au.employees WHERE employee_id = (SELECT employee_id FROM au.employees LIMIT 1);
SELECT regexp_replace(calls, '[0-9a-f]{8}-[0-9a-f-]{27}', 'KEY') FROM calls();
SELECT * FROM error_of('SELECT count(*) FROM uk.employees');

\! "$PG_ABS_SRCDIR/test/sandbox-control" reset country=UK
\c
SET TimeZone = 'UTC';
\set state `"$PG_ABS_SRCDIR"/test/sandbox-control state Employees`
SELECT count(*) = jsonb_array_length(:'state') AS all_there, count(*) > 5 AS several
	FROM uk.employees;
SELECT e.first_name = r ->> 'firstName' AS first_name,
	e.date_of_birth = (r ->> 'dateOfBirth')::date AS date_of_birth,
	e.updated_date_utc = (r ->> 'updatedDateUTC')::timestamptz AS updated, count(*) > 5 AS several
FROM uk.employees AS e
	JOIN jsonb_array_elements(:'state') AS r ON (r ->> 'employeeID')::uuid = e.employee_id
	GROUP BY 1, 2, 3;
SELECT FROM calls();
SELECT count(lower(first_name))
	FROM uk.employees WHERE employee_id = (SELECT employee_id FROM uk.employees LIMIT 1);
SELECT regexp_replace(calls, '[0-9a-f]{8}-[0-9a-f-]{27}', 'KEY') FROM calls();

\! "$PG_ABS_SRCDIR/test/sandbox-control" reset country=NZ
\c
SET TimeZone = 'UTC';
\set state `"$PG_ABS_SRCDIR"/test/sandbox-control state Employees`
SELECT count(*) = jsonb_array_length(:'state') AS all_there, count(*) > 5 AS several
	FROM nz.employees;
SELECT e.last_name = r ->> 'lastName' AS last_name,
	e.start_date = (r ->> 'startDate')::date AS start_date, count(*) > 5 AS several
FROM nz.employees AS e
	JOIN jsonb_array_elements(:'state') AS r ON (r ->> 'employeeID')::uuid = e.employee_id
	GROUP BY 1, 2;

\! "$PG_ABS_SRCDIR/test/sandbox-control" reset
SET client_min_messages = 'warning';
DROP SCHEMA au, uk, nz CASCADE;
