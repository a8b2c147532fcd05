-- Compression, retention and refreshing. Run in the database "traversion" after 15-rollups.sql, as often as you
-- like: policies are put in place anew, so they follow the settings.

SET ROLE traversion_owner;

-- A plain PostgreSQL, as the tests use, has nothing to compress and no roll-ups.
SELECT to_regclass('timescaledb_information.continuous_aggregates') IS NOT NULL AS has_rollups \gset
\if :has_rollups
ALTER TABLE events SET (timescaledb.compress, timescaledb.compress_segmentby = 'tenant_id', timescaledb.compress_orderby = '"timestamp" DESC, id DESC');
ALTER TABLE causality SET (timescaledb.compress, timescaledb.compress_segmentby = 'tenant_id', timescaledb.compress_orderby = '"timestamp" DESC, id DESC');
ALTER TABLE patterns SET (timescaledb.compress, timescaledb.compress_segmentby = 'tenant_id', timescaledb.compress_orderby = '"timestamp" DESC, id DESC');
ALTER TABLE metrics SET (timescaledb.compress, timescaledb.compress_segmentby = 'tenant_id', timescaledb.compress_orderby = '"timestamp" DESC, id DESC');
\endif

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

-- Roll-ups take in what comes late until the rows are compressed. They must not look further back than rows are
-- kept: where rows were dropped, a refresh would drop the hour as well.
\if :has_rollups
SELECT remove_continuous_aggregate_policy('events_hourly', if_exists => TRUE);
SELECT remove_continuous_aggregate_policy('metrics_hourly', if_exists => TRUE);
SELECT add_continuous_aggregate_policy('events_hourly', start_offset => INTERVAL '@compress_after@', end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '30 minutes');
SELECT add_continuous_aggregate_policy('metrics_hourly', start_offset => INTERVAL '@compress_after@', end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '30 minutes');
SELECT remove_retention_policy('events_hourly', if_exists => TRUE);
SELECT remove_retention_policy('metrics_hourly', if_exists => TRUE);
SELECT add_retention_policy('events_hourly', drop_after => INTERVAL '@hourly_retention@');
SELECT add_retention_policy('metrics_hourly', drop_after => INTERVAL '@hourly_retention@');
\endif

RESET ROLE;
