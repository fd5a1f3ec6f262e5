-- The budget of calls: what the view shows, what the settings do.  Races are
-- for the TAP tests.
CALL needs_00_setup();
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'xero_fdw.budget'::regclass AND attnum > 0 ORDER BY attnum;
-- settings are there as soon as the library is; those of the shared memory are
-- the postmaster's if it has loaded that
LOAD 'xero_fdw';
SELECT name, setting, unit,
	nullif(context, CASE
		WHEN name NOT IN ('xero_fdw.max_tenants', 'xero_fdw.request_log_size') THEN NULL
		WHEN current_setting('shared_preload_libraries') ~ 'xero_fdw' THEN 'postmaster'
		ELSE 'sighup'
	END) AS context, vartype, enumvals
FROM pg_settings WHERE name LIKE 'xero\_fdw.%' AND name <> 'xero_fdw.key_file' ORDER BY name;
SET xero_fdw.priority = 'urgent';

-- a server of its own application, so that its budget is its own
DO $$
BEGIN
	EXECUTE (SELECT format('CREATE SERVER metered FOREIGN DATA WRAPPER xero_fdw'
			' OPTIONS (client_id %L, tenant_id %L, %s)',
			'metered-' || pg_backend_pid() || '-' || extract(epoch FROM now()),
			(SELECT tenant_id FROM xero.accounts LIMIT 1),
			string_agg(format('%I %L', option_name, option_value), ', '))
		FROM pg_foreign_server, pg_options_to_table(srvoptions)
		WHERE srvname = 'xero' AND option_name LIKE '%\_url');
END $$;
CREATE USER MAPPING FOR PUBLIC SERVER metered OPTIONS (access_token 'sandbox-token');
CREATE SCHEMA metered;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (currencies, users) FROM SERVER metered INTO metered;
SELECT count(*) FROM xero_fdw.budget WHERE server = 'metered';
SELECT count(*) > 0 AS any FROM metered.currencies;
CREATE VIEW mine AS
	SELECT minute_limit, minute_remaining, day_limit, day_remaining, day_resets_at, concurrency,
	in_flight, waiting, app_minute_remaining,
	blocked_until > now() AS blocked, last_problem, calls, throttled, waited_ms > 0 AS waited,
	bytes_in > 0 AS bytes_in, bytes_out, stats_since <= now() AS since
FROM xero_fdw.budget WHERE server = 'metered';
\x
SELECT * FROM mine;

-- what Xero says counts, both ways
\setenv HEADERS '{"X-MinLimit-Remaining": "7", "X-DayLimit-Remaining": "900", "X-AppMinLimit-Remaining": "5000"}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Currencies headers="$HEADERS"
SELECT count(*) > 0 AS any FROM metered.currencies;
SELECT minute_remaining, day_limit, day_remaining, app_minute_remaining FROM mine;
\setenv HEADERS '{"X-MinLimit-Remaining": "59", "X-DayLimit-Remaining": "4999", "X-AppMinLimit-Remaining": "9999"}'
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Currencies headers="$HEADERS"
SELECT count(*) > 0 AS any FROM metered.currencies;
SELECT minute_remaining, day_limit, day_remaining, app_minute_remaining FROM mine;

-- a server may allow itself less, and keep a part of the day for interactive work
ALTER SERVER metered
	OPTIONS (ADD minute_limit '5', ADD day_limit '4000', ADD concurrency '2', ADD reserve '20');
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Currencies headers='{"X-DayLimit-Remaining": "800"}'
SET xero_fdw.priority = 'background';
SELECT count(*) > 0 AS any FROM metered.currencies;
SELECT minute_limit, day_limit, day_remaining, concurrency FROM mine;
SELECT regexp_replace(e, 'by 20.*in 8[56]\d{3} seconds', 'by then') AS error
	FROM error_of('SELECT count(*) FROM metered.currencies') AS e;
SET xero_fdw.priority = 'interactive';
SELECT count(*) > 0 AS any FROM metered.currencies;
ALTER SERVER metered OPTIONS (DROP minute_limit, DROP day_limit);

-- a refusal is in force for all that follow
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults path=/api.xro/2.0/Currencies problem=minute retry_after=3600 times=1
SELECT FROM calls();
SET xero_fdw.max_wait = 0;
\set VERBOSITY terse
SELECT count(*) FROM metered.currencies;
SELECT count(*) FROM metered.users;
SELECT * FROM calls();
SELECT * FROM mine;
\! "$PG_ABS_SRCDIR/test/sandbox-control" faults '[]'
RESET xero_fdw.max_wait;
\x

-- and counting begins anew
SELECT xero_fdw.reset_stats();
SELECT calls, throttled, waited, last_problem, blocked FROM mine;
SELECT count(*) FROM xero_fdw.requests;
CREATE ROLE regress_xero_nobody;
SET ROLE regress_xero_nobody;
SELECT xero_fdw.reset_stats();
SELECT count(*) FROM xero_fdw.budget;
RESET ROLE;
GRANT pg_read_all_stats TO regress_xero_nobody;
SET ROLE regress_xero_nobody;
SELECT count(*) > 0 AS seen FROM xero_fdw.budget;
RESET ROLE;
DROP ROLE regress_xero_nobody;
DROP VIEW mine;
SET client_min_messages = warning;
DROP SCHEMA metered CASCADE;
DROP SERVER metered CASCADE;
