"""TimescaleDB: there, with room for connections, and without transactions that hold the others up."""

from traversion.observability.metrics import (
    CRONJOB_CREATED,
    CRONJOB_SUCCEEDED,
    PG_BLOCKS_HIT,
    PG_BLOCKS_READ,
    PG_DEADLOCKS,
    PG_MAX_CONNECTIONS,
    PG_OLDEST_TRANSACTION,
    PG_SESSIONS,
    PG_UP,
)
from traversion.observability.rules.rule import Alert, Group, Recording

# The server's own workers need no connection slot. Exporters without the label count as clients.
OF_CLIENTS = 'backend_type=~"client backend|"'
BACKUP = 'cronjob="timescaledb-backup"'
MOST_CONNECTIONS = 0.80
FEWEST_CACHE_HITS = 0.90
LONGEST_TRANSACTION = 15 * 60
"""Seconds."""
OLDEST_BACKUP = 26 * 3600
"""Seconds: dumps are daily, and may take two hours."""

_NOT_DUMPS = 'application_name!="pg_dump"'

CONNECTIONS = Recording(
    "timescaledb:connections:ratio",
    f"sum({PG_SESSIONS.where(OF_CLIENTS)}) / max({PG_MAX_CONNECTIONS})",
)
CACHE_HITS = Recording(
    "timescaledb:cache_hits:ratio_rate5m",
    f"""
    sum(rate({PG_BLOCKS_HIT}[5m]))
    /
    (sum(rate({PG_BLOCKS_HIT}[5m])) + sum(rate({PG_BLOCKS_READ}[5m])) > 0)
    """,
)

GROUP = Group(
    "timescaledb",
    (
        CONNECTIONS,
        CACHE_HITS,
        Alert(
            "TimescaleDbDown",
            "timescaledb",
            # One alert for all three: PostgreSQL refuses, the exporter fails, there is no pod to scrape.
            f"absent({PG_UP} == 1)",
            "TimescaleDB is down",
            "For a minute PostgreSQL has not answered its exporter, or the exporter itself has been gone.",
            lasting="1m",
            severity="critical",
        ),
        Alert(
            "TimescaleDbConnectionsHigh",
            "timescaledb",
            f"{CONNECTIONS} > {MOST_CONNECTIONS}",
            "TimescaleDB runs out of connections",
            "{{ $value | humanizePercentage }} of max_connections are in use; at 100% clients are refused.",
            lasting="5m",
        ),
        Alert(
            "TimescaleDbTransactionLong",
            "timescaledb",
            f"""
            max by (datname, usename) ({PG_OLDEST_TRANSACTION.where(OF_CLIENTS, _NOT_DUMPS)})
            > {LONGEST_TRANSACTION}
            """,
            "A transaction in TimescaleDB does not end",
            "{{ $labels.usename }} has had a transaction open in {{ $labels.datname }} for "
            "{{ $value | humanizeDuration }}; VACUUM cannot remove what it might still read.",
            lasting="1m",
        ),
        Alert(
            "TimescaleDbCacheHitRatioLow",
            "timescaledb",
            # An idle server reads little, and what it reads is cold: that says nothing about its memory.
            f"{CACHE_HITS} < {FEWEST_CACHE_HITS} and sum(rate({PG_BLOCKS_READ}[5m])) > 100",
            "TimescaleDB reads much from disk",
            "Only {{ $value | humanizePercentage }} of the blocks were found in memory.",
            lasting="30m",
        ),
        Alert(
            "TimescaleDbDeadlocks",
            "timescaledb",
            f"sum by (datname) (increase({PG_DEADLOCKS}[15m])) > 5",
            "Transactions in TimescaleDB block each other",
            "{{ $value | humanize }} deadlocks in {{ $labels.datname }} within 15 minutes; "
            "each ended a transaction with an error.",
        ),
        Alert(
            "TimescaleDbBackupOld",
            "timescaledb",
            # Before the first success the age of the CronJob itself counts.
            f"""
            time() - {CRONJOB_SUCCEEDED.where(BACKUP)} > {OLDEST_BACKUP}
            or
            (time() - {CRONJOB_CREATED.where(BACKUP)} > {24 * 3600}
             unless on (cronjob) {CRONJOB_SUCCEEDED.where(BACKUP)})
            """,
            "The last backup of TimescaleDB is too old",
            "{{ $labels.cronjob }} has not succeeded for {{ $value | humanizeDuration }}; "
            "what was written since is lost if the volume is.",
        ),
    ),
)
