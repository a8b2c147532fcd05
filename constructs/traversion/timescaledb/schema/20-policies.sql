-- Compression and retention. Run in the database "traversion" after 10-tables.sql, as often as you like:
-- policies are put in place anew, so they follow the settings.

SET ROLE traversion_owner;

DO $$
DECLARE
    hypertable text;
BEGIN
    -- On a plain PostgreSQL, as the tests use, there is nothing to compress.
    IF to_regclass('timescaledb_information.hypertables') IS NOT NULL THEN
        FOREACH hypertable IN ARRAY ARRAY['events', 'causality', 'patterns', 'metrics'] LOOP
            -- Set once: TimescaleDB refuses to reconfigure a table that has compressed chunks.
            IF NOT EXISTS (
                SELECT FROM timescaledb_information.hypertables
                WHERE hypertable_schema = 'public' AND hypertable_name = hypertable AND compression_enabled
            ) THEN
                EXECUTE format(
                    'ALTER TABLE %I SET (timescaledb.compress, timescaledb.compress_segmentby = %L, timescaledb.compress_orderby = %L)',
                    hypertable, 'tenant_id', '"timestamp" DESC, id DESC'
                );
            END IF;
        END LOOP;
    END IF;
END
$$;

SELECT remove_compression_policy('events', if_exists => TRUE);
SELECT remove_compression_policy('causality', if_exists => TRUE);
SELECT remove_compression_policy('patterns', if_exists => TRUE);
SELECT remove_compression_policy('metrics', if_exists => TRUE);
SELECT add_compression_policy('events', compress_after => INTERVAL '@compress_after@');
SELECT add_compression_policy('causality', compress_after => INTERVAL '@compress_after@');
SELECT add_compression_policy('patterns', compress_after => INTERVAL '@compress_after@');
SELECT add_compression_policy('metrics', compress_after => INTERVAL '@compress_after@');

SELECT remove_retention_policy('events', if_exists => TRUE);
SELECT remove_retention_policy('causality', if_exists => TRUE);
SELECT remove_retention_policy('patterns', if_exists => TRUE);
SELECT remove_retention_policy('metrics', if_exists => TRUE);
SELECT add_retention_policy('events', drop_after => INTERVAL '@event_retention@');
SELECT add_retention_policy('causality', drop_after => INTERVAL '@event_retention@');
SELECT add_retention_policy('patterns', drop_after => INTERVAL '@event_retention@');
SELECT add_retention_policy('metrics', drop_after => INTERVAL '@metric_retention@');

RESET ROLE;
