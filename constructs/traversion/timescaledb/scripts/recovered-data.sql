-- Fails unless the schema came back whole and every row can be read; prints the rows of each chunk.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        RAISE EXCEPTION 'the extension timescaledb did not come back';
    END IF;
END
$$;
CREATE TEMPORARY TABLE expected (name text);
INSERT INTO expected VALUES ('events'), ('causality'), ('patterns'), ('metrics');
DO $$
DECLARE
    missing text;
    chunk record;
    counted bigint;
BEGIN
    SELECT string_agg(name, ', ') INTO missing FROM expected
    WHERE name NOT IN (
        SELECT hypertable_name FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public'
    );
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'these hypertables did not come back: %', missing;
    END IF;
    FOR chunk IN
        SELECT hypertable_name AS hypertable, chunk_schema AS schema, chunk_name AS name
        FROM timescaledb_information.chunks ORDER BY hypertable_name, range_start
    LOOP
        EXECUTE format('SELECT count(*) FROM %I.%I', chunk.schema, chunk.name) INTO counted;
        RAISE NOTICE '%: % rows in %', chunk.hypertable, counted, chunk.name;
    END LOOP;
    FOR chunk IN SELECT name FROM expected UNION ALL SELECT 'tenants' LOOP
        EXECUTE format('SELECT count(*) FROM public.%I', chunk.name) INTO counted;
        RAISE NOTICE '%: % rows', chunk.name, counted;
    END LOOP;
END
$$;
