-- Roll-ups: what dashboards show of weeks and months. Run in the database "traversion" after 10-tables.sql, as
-- often as you like, but not in a transaction.
--
-- Reading one adds up what is newer than its last refresh, so that the present hour is there too. It keeps an
-- hour after the rows of that hour were dropped; see 20-policies.sql. Rows that come later than compress_after
-- are counted when somebody refreshes their hours by hand. Hours whose rows are gone must not be: they would
-- be emptied.

SET ROLE traversion_owner;

-- A plain PostgreSQL, as the tests use, has none.
SELECT to_regclass('timescaledb_information.continuous_aggregates') IS NOT NULL AS has_rollups \gset
\if :has_rollups

CREATE MATERIALIZED VIEW IF NOT EXISTS events_hourly
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '1 hour', "timestamp") AS hour,
    tenant_id,
    event_type,
    count(*) AS events
FROM events
GROUP BY 1, 2, 3
WITH NO DATA;

-- The mean of any span is sum(total) / sum(samples): means themselves could not be added up.
CREATE MATERIALIZED VIEW IF NOT EXISTS metrics_hourly
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    time_bucket(INTERVAL '1 hour', "timestamp") AS hour,
    tenant_id,
    metric_name,
    count(*) AS samples,
    sum(metric_value) AS total,
    min(metric_value) AS minimum,
    max(metric_value) AS maximum
FROM metrics
GROUP BY 1, 2, 3
WITH NO DATA;

-- Rows older than what the policy refreshes get in once, before there is a policy. Later they might be gone.
SELECT format('CALL refresh_continuous_aggregate(%L, NULL, now() - INTERVAL ''1 hour'')', view_name)
FROM timescaledb_information.continuous_aggregates AS rollup
WHERE view_schema = 'public' AND NOT EXISTS (
    SELECT FROM timescaledb_information.jobs
    WHERE proc_name = 'policy_refresh_continuous_aggregate'
        AND (hypertable_schema, hypertable_name) IN (
            (rollup.view_schema, rollup.view_name),
            (rollup.materialization_hypertable_schema, rollup.materialization_hypertable_name)
        )
)
\gexec

\endif

RESET ROLE;
