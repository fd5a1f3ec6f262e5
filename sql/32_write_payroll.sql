-- Employees of the payroll APIs: an array in Australia, one object a call in
-- the United Kingdom and New Zealand.
CALL needs_00_setup();
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
ALTER SERVER xero OPTIONS (ADD minute_limit '100000', ADD day_limit '1000000');
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset country=AU
CREATE SCHEMA au; IMPORT FOREIGN SCHEMA payroll_au FROM SERVER xero INTO au;
INSERT INTO au.employee_details (first_name, last_name, date_of_birth, email, home_address)
	VALUES ('Ann', 'Au', '1980-02-29', 'ann@example.com',
		'{"AddressLine1": "1 Road", "City": "Perth"}')
	RETURNING first_name, last_name, date_of_birth, status;
INSERT INTO au.employees (first_name, last_name, date_of_birth)
	VALUES ('Bob', 'Au', '1981-01-01'), ('Cid', 'Au', '1982-01-01');
INSERT INTO au.employees (first_name) VALUES ('Dan');
UPDATE au.employees SET job_title = 'Cook', phone = NULL WHERE last_name = 'Au';
SELECT first_name, job_title FROM au.employees WHERE last_name = 'Au' ORDER BY 1;
UPDATE au.employee_details SET job_title = 'Chef' WHERE first_name = 'Ann' AND home_address ->> 'City' = 'Perth' RETURNING job_title;
UPDATE au.employees SET first_name = '' WHERE last_name = 'Au' AND first_name = 'Ann';
DELETE FROM au.employees WHERE last_name = 'Au';
SELECT * FROM calls();

\! "$PG_ABS_SRCDIR/test/sandbox-control" reset country=UK
CREATE SCHEMA uk; IMPORT FOREIGN SCHEMA payroll_uk FROM SERVER xero INTO uk;
INSERT INTO uk.employees (title, first_name, last_name, date_of_birth, gender, address)
	VALUES ('Ms', 'Ann', 'Uk', '1980-02-29', 'F',
		'{"addressLine1": "1 Road", "city": "York", "postCode": "YO1"}')
	RETURNING first_name, last_name, date_of_birth, address->>'city', created_date_utc IS NOT NULL;
UPDATE uk.employees SET email = 'ann@example.com' WHERE last_name = 'Uk' RETURNING email, gender;
UPDATE uk.employees SET phone_number = '1' WHERE last_name = 'Uk';
INSERT INTO uk.employees (title, first_name, last_name, date_of_birth, gender, address)
	VALUES ('Ms', 'Eve', 'Uk', '1980-02-29', 'F', '{"city": "York"}');
INSERT INTO uk.employees (title, first_name, last_name, date_of_birth, gender, address)
	VALUES ('Ms', 'Eve', 'Uk', '1980-02-29', 'X',
		'{"addressLine1": "1 Road", "city": "York", "postCode": "YO1"}');
SELECT first_name, email, phone_number FROM uk.employees WHERE last_name = 'Uk';
SELECT * FROM calls();

\! "$PG_ABS_SRCDIR/test/sandbox-control" reset country=NZ
CREATE SCHEMA nz; IMPORT FOREIGN SCHEMA payroll_nz FROM SERVER xero INTO nz;
INSERT INTO nz.employees (first_name, last_name, date_of_birth, address, engagement_type)
	VALUES ('Ann', 'Nz', '1980-02-29',
		'{"addressLine1": "1 Road", "city": "Napier", "postCode": "4110"}', 'Permanent')
	RETURNING first_name, address->>'city';
UPDATE nz.employees SET job_title = 'Cook' WHERE last_name = 'Nz' RETURNING job_title, first_name;
SELECT * FROM calls();

-- what Xero does not store as it was sent, and what it does not show
INSERT INTO nz.employees (title, first_name, last_name, date_of_birth, address)
	VALUES ('Mr', 'Bob', 'Nz', '1981-01-01', '{"addressLine1": "1 Road", "city": "Napier", "postCode": "4110"}');
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path='/payroll.xro/2.0/Employees*' method=PUT times=1 body='{"problem": null, "employee": {"employeeID": "5d2b5a4e-1d4c-4e0a-8f0e-2b1f4f7c0001", "firstName": "Bob", "jobTitle": null, "address": {"city": "Nelson", "postCode": "4110"}}}'
\set VERBOSITY default
UPDATE nz.employees SET job_title = 'Cook' WHERE first_name = 'Bob' AND last_name = 'Nz';
\set VERBOSITY terse

-- a problem is one whatever the status
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset country=UK quirks='["payroll-problems-in-200"]'
INSERT INTO uk.employees (title, first_name, last_name, date_of_birth, gender, address)
	VALUES ('Ms', 'Eve', 'Uk', '1980-02-29', 'F', '{"city": "York"}');
INSERT INTO uk.employees (title, first_name, last_name, date_of_birth, gender, address)
	VALUES ('Ms', 'Ann', 'Uk', '1980-02-29', 'F', '{"addressLine1": "1 Road", "city": "York", "postCode": "YO1"}');
UPDATE uk.employees SET address = '{"city": "Hull"}' WHERE last_name = 'Uk';
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path='/payroll.xro/2.0/Employees*' method=PUT times=1 body='{"problem": {"title": "Conflict", "detail": "The employee is being paid."}, "employee": {"employeeID": "5d2b5a4e-1d4c-4e0a-8f0e-2b1f4f7c0001"}}'
UPDATE uk.employees SET email = 'ann@example.com' WHERE last_name = 'Uk';

DROP SCHEMA au, uk, nz CASCADE;
\pset format aligned
\pset tuples_only off
\! "$PG_ABS_SRCDIR/test/sandbox-control" reset country=AU
ALTER SERVER xero OPTIONS (DROP minute_limit, DROP day_limit);
