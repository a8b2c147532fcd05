"""The database: does it answer, what do its clients wait for, how full is it, do its jobs run."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    BACKUP_COMPLETED,
    PG_BLOCKS_READ,
    PG_COMMITS,
    PG_DATABASE_BYTES,
    PG_DEADLOCKS,
    PG_LOCKS,
    PG_MAX_CONNECTIONS,
    PG_OLDEST_TRANSACTION,
    PG_REPLICA_BEHIND,
    PG_ROLLBACKS,
    PG_ROWS_FETCHED,
    PG_ROWS_INSERTED,
    PG_SESSIONS,
    PG_TEMPORARY_BYTES,
    PG_UP,
    POLICY_FAILED,
    POLICY_FAILURES,
    POLICY_OVERDUE,
    POLICY_RUNS,
    Family,
)
from traversion.observability.rules import kubernetes, timescaledb

_UP = Threshold(1, 0.5)


def _rate(family: Family, legend: str) -> PromQl:
    return PromQl(f"sum(rate({family}[$__rate_interval]))", legend)


DASHBOARD = Dashboard(
    "traversion-timescaledb",
    "Traversion / TimescaleDB",
    "Whether the database answers, what its clients wait for, how full it is, and whether its jobs run.",
    (
        Row(
            "Now",
            (
                number(
                    "Up",
                    "1 while PostgreSQL answers.",
                    f"max({PG_UP}) or vector(0)",
                    width=4,
                    threshold=_UP,
                ),
                number(
                    "Connections",
                    "Share of max_connections in use.",
                    f"{timescaledb.CONNECTIONS}",
                    "percentunit",
                    width=5,
                    threshold=Threshold(timescaledb.MOST_CONNECTIONS),
                ),
                number(
                    "Cache hits",
                    "Share of blocks found in memory.",
                    f"{timescaledb.CACHE_HITS}",
                    "percentunit",
                    width=5,
                    threshold=Threshold(0.99, timescaledb.FEWEST_CACHE_HITS),
                ),
                number(
                    "Size",
                    "All databases, on disk.",
                    f"sum({PG_DATABASE_BYTES})",
                    "bytes",
                    width=5,
                ),
                number(
                    "Age of the last backup",
                    "Time since any backup in the first repository was complete.",
                    f"""time() - max({BACKUP_COMPLETED.where('repository="primary"')})""",
                    "dtdurations",
                    width=5,
                ),
            ),
        ),
        Row(
            "Clients",
            (
                Panel(
                    "Sessions by state",
                    "What clients do with their connections; the maximum is max_connections.",
                    (
                        PromQl(
                            f"sum by (state) ({PG_SESSIONS.where(timescaledb.OF_CLIENTS)})",
                            "{{state}}",
                        ),
                        PromQl(f"max({PG_MAX_CONNECTIONS})", "maximum"),
                    ),
                ),
                Panel(
                    "Transactions",
                    "Committed and rolled back per second.",
                    (_rate(PG_COMMITS, "committed"), _rate(PG_ROLLBACKS, "rolled back")),
                    "ops",
                ),
                Panel(
                    "Rows",
                    "Inserted, and fetched by queries, per second.",
                    (_rate(PG_ROWS_INSERTED, "inserted"), _rate(PG_ROWS_FETCHED, "fetched")),
                    "ops",
                ),
                Panel(
                    "Oldest transaction",
                    "By user; above the line for a minute is an alert, dumps excepted.",
                    (
                        PromQl(
                            f"max by (usename) ({PG_OLDEST_TRANSACTION.where(timescaledb.OF_CLIENTS)})",
                            "{{usename}}",
                        ),
                    ),
                    "s",
                    threshold=Threshold(timescaledb.LONGEST_TRANSACTION),
                ),
            ),
        ),
        Row(
            "Memory and disk",
            (
                Panel(
                    "Cache hits and reads",
                    "Share of blocks found in memory; the others are read from the volume.",
                    (PromQl(f"{timescaledb.CACHE_HITS}", "hits"),),
                    "percentunit",
                    maximum=1,
                ),
                Panel(
                    "Blocks read",
                    "Blocks of 8 KiB per second that were not in memory.",
                    (_rate(PG_BLOCKS_READ, "blocks"),),
                    "ops",
                ),
                Panel(
                    "Free space",
                    "Of the database's volume; below the red line, and when it will not last, are alerts.",
                    (
                        PromQl(
                            f'{kubernetes.FREE_SPACE}{{persistentvolumeclaim=~"data-timescaledb-.+"}}',
                            "{{persistentvolumeclaim}}",
                        ),
                    ),
                    "percentunit",
                    maximum=1,
                    threshold=Threshold(kubernetes.LITTLE_SPACE, kubernetes.TOO_LITTLE_SPACE),
                ),
                Panel(
                    "Size of the databases",
                    "Everything on disk, WAL excepted.",
                    (PromQl(f"max by (datname) ({PG_DATABASE_BYTES})", "{{datname}}"),),
                    "bytes",
                    stacked=True,
                ),
                Panel(
                    "Dead rows",
                    "Share of the rows of large tables and chunks that wait for VACUUM; the ten worst.",
                    (PromQl(f"topk(10, {timescaledb.DEAD_ROWS})", "{{schemaname}}.{{relname}}"),),
                    "percentunit",
                    threshold=Threshold(timescaledb.MOST_DEAD_ROWS),
                ),
            ),
        ),
        Row(
            "Waiting",
            (
                Panel(
                    "Locks by mode",
                    "Locks held; an accessexclusivelock stops everyone else.",
                    (PromQl(f"sum by (mode) ({PG_LOCKS})", "{{mode}}"),),
                    stacked=True,
                ),
                Panel(
                    "Deadlocks",
                    "Transactions ended because they waited for each other, within 15 minutes.",
                    (PromQl(f"sum by (datname) (increase({PG_DEADLOCKS}[15m]))", "{{datname}}"),),
                ),
                Panel(
                    "Temporary files",
                    "Sorts and hashes that did not fit into work_mem.",
                    (_rate(PG_TEMPORARY_BYTES, "written"),),
                    "Bps",
                ),
            ),
        ),
        Row(
            "Background jobs and standbys",
            (
                Panel(
                    "Jobs",
                    "Compression, retention and TimescaleDB's own jobs: whether the last run failed.",
                    (PromQl(f"sum by (job_id, policy, hypertable) ({POLICY_FAILED})"),),
                    kind="table",
                    keep_value=True,
                ),
                Panel(
                    "Failed runs",
                    "Runs of background jobs that failed, within an hour.",
                    (
                        PromQl(
                            f"sum by (policy, hypertable) (increase({POLICY_FAILURES}[1h]))",
                            "{{policy}} {{hypertable}}",
                        ),
                    ),
                    threshold=Threshold(1),
                ),
                Panel(
                    "Overdue",
                    "Time since a job should have begun; above the line for 15 minutes is an alert.",
                    (PromQl(f"max by (policy, hypertable) ({POLICY_OVERDUE})", "{{policy}} {{hypertable}}"),),
                    "s",
                    threshold=Threshold(timescaledb.LONGEST_OVERDUE),
                ),
                Panel(
                    "Runs",
                    "Runs of background jobs within an hour.",
                    (PromQl(f"sum by (policy) (increase({POLICY_RUNS}[1h]))", "{{policy}}"),),
                    width=12,
                ),
                Panel(
                    "WAL to replay",
                    "How far standbys are behind; empty without standbys.",
                    (PromQl(f"max by (application_name) ({PG_REPLICA_BEHIND})", "{{application_name}}"),),
                    "bytes",
                    width=12,
                    threshold=Threshold(timescaledb.FARTHEST_BEHIND),
                ),
            ),
        ),
    ),
)
