\getenv module BUDGET_BENCH
CREATE FUNCTION budget_spend(client text, calls int, tenants int, headers bool)
RETURNS void LANGUAGE c STRICT AS :'module';
CREATE FUNCTION budget_crowd(client text, calls int, at_once int)
RETURNS int LANGUAGE c STRICT AS :'module';
CREATE FUNCTION xero_budget(
    OUT client_id text, OUT tenant_id text, OUT shared boolean,
    OUT server_ids oid[], OUT minute_limit integer,
    OUT minute_remaining integer, OUT day_limit integer,
    OUT day_remaining integer, OUT day_resets_at timestamptz,
    OUT concurrency integer, OUT in_flight integer, OUT waiting integer,
    OUT app_minute_remaining integer, OUT blocked_until timestamptz,
    OUT last_problem text, OUT calls bigint, OUT throttled bigint,
    OUT waited_ms double precision, OUT bytes_in bigint,
    OUT bytes_out bigint, OUT stats_since timestamptz)
RETURNS SETOF record LANGUAGE c STRICT AS :'module', 'xero_budget';

-- what was spent by an application, in one line
CREATE FUNCTION spent(client text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', count(*), 'organisations:', sum(calls), 'calls,', sum(throttled), 'refused,',
                     sum(bytes_in), 'bytes in,', sum(bytes_out), 'out,', sum(in_flight), 'in flight,',
                     sum(waiting), 'waiting')
    FROM xero_budget() WHERE client_id = client
$$;
