"""Where the data is: TimescaleDB, its backups, and Redis."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    CRONJOB_SUCCEEDED,
    PG_BLOCKS_READ,
    PG_COMMITS,
    PG_DATABASE_BYTES,
    PG_DEADLOCKS,
    PG_LOCKS,
    PG_MAX_CONNECTIONS,
    PG_OLDEST_TRANSACTION,
    PG_ROLLBACKS,
    PG_ROWS_FETCHED,
    PG_ROWS_INSERTED,
    PG_SESSIONS,
    PG_TEMPORARY_BYTES,
    PG_UP,
    REDIS_CLIENTS,
    REDIS_COMMANDS,
    REDIS_EVICTED,
    REDIS_EXPIRED,
    REDIS_HITS,
    REDIS_KEYS,
    REDIS_MAX_MEMORY,
    REDIS_MEMORY,
    REDIS_MISSES,
    REDIS_REJECTED,
    REDIS_UP,
    Family,
)
from traversion.observability.rules import redis, timescaledb

_UP = Threshold(1, 0.5)


def _rate(family: Family, legend: str) -> PromQl:
    return PromQl(f"sum(rate({family}[$__rate_interval]))", legend)


DASHBOARD = Dashboard(
    "traversion-data",
    "Traversion / TimescaleDB and Redis",
    "Whether the database and the cache answer, how full and how busy they are, and the age of the backup.",
    (
        Row(
            "TimescaleDB",
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
                    "Time since the last dump succeeded; empty before the first.",
                    f"time() - max({CRONJOB_SUCCEEDED.where(timescaledb.BACKUP)})",
                    "dtdurations",
                    width=5,
                    threshold=Threshold(timescaledb.OLDEST_BACKUP),
                ),
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
            "Redis",
            (
                number(
                    "Up",
                    "1 while Redis answers.",
                    f"max({REDIS_UP}) or vector(0)",
                    width=6,
                    threshold=_UP,
                ),
                number(
                    "Memory",
                    "Share of maxmemory in use.",
                    f"{redis.MEMORY}",
                    "percentunit",
                    width=6,
                    threshold=Threshold(redis.MOST_MEMORY),
                ),
                number(
                    "Clients",
                    "Connections open.",
                    f"sum({REDIS_CLIENTS})",
                    width=6,
                ),
                number(
                    "Rejected connections",
                    "Within the last hour, because maxclients were connected.",
                    f"sum(increase({REDIS_REJECTED}[1h]))",
                    width=6,
                    threshold=Threshold(1),
                ),
                Panel(
                    "Memory and its bound",
                    "The data set and its buffers, against maxmemory.",
                    (
                        PromQl(f"max({REDIS_MEMORY})", "used"),
                        PromQl(f"max({REDIS_MAX_MEMORY})", "maxmemory"),
                    ),
                    "bytes",
                ),
                Panel(
                    "Commands",
                    "Commands processed per second.",
                    (_rate(REDIS_COMMANDS, "commands"),),
                    "ops",
                ),
                Panel(
                    "Hit ratio",
                    "Share of look-ups that found their key.",
                    (
                        PromQl(
                            f"sum(rate({REDIS_HITS}[$__rate_interval])) / "
                            f"(sum(rate({REDIS_HITS}[$__rate_interval])) "
                            f"+ sum(rate({REDIS_MISSES}[$__rate_interval])) > 0)",
                            "hits",
                        ),
                    ),
                    "percentunit",
                    maximum=1,
                ),
                Panel(
                    "Keys",
                    "Keys stored, by database.",
                    (PromQl(f"sum by (db) ({REDIS_KEYS})", "{{db}}"),),
                    width=12,
                ),
                Panel(
                    "Keys that went",
                    "Expired in their time, or evicted before it, per second.",
                    (_rate(REDIS_EXPIRED, "expired"), _rate(REDIS_EVICTED, "evicted")),
                    "ops",
                    width=12,
                ),
            ),
        ),
    ),
)
