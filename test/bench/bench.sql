-- What the benchmarks ask of the server, beside the extension.

-- CPU seconds of this backend so far, its resident memory and the peak of
-- that, in kB.
CREATE FUNCTION bench_usage(OUT cpu numeric, OUT rss bigint, OUT peak bigint)
LANGUAGE sql AS $$
    -- fields 14 and 15 of stat, in hundredths; the second may hold blanks
    SELECT (stat[12]::numeric + stat[13]::numeric) / 100,
           substring(status FROM 'VmRSS:\s+(\d+) kB')::bigint,
           substring(status FROM 'VmHWM:\s+(\d+) kB')::bigint
    FROM pg_read_file('/proc/self/status') AS status,
         regexp_split_to_array(regexp_replace(pg_read_file('/proc/self/stat'),
                                              '^.*\) ', ''), ' ') AS stat
$$;

-- Cancel what a backend does; the milliseconds until it is idle.
CREATE FUNCTION bench_cancel(backend integer) RETURNS double precision
LANGUAGE plpgsql AS $$
DECLARE
    start timestamptz := clock_timestamp();
    state text;
BEGIN
    PERFORM pg_cancel_backend(backend);
    LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT a.state INTO STRICT state FROM pg_stat_get_activity(backend) a;
        EXIT WHEN state <> 'active';
        IF clock_timestamp() > start + interval '60 s' THEN
            RAISE EXCEPTION 'backend % ignores its cancellation', backend;
        END IF;
    END LOOP;
    RETURN extract(epoch FROM clock_timestamp() - start) * 1000;
END
$$;
