"""TimescaleDB: there, with room for connections, and without transactions that hold the others up."""

from traversion.observability.metrics import (
    PG_BLOCKS_HIT,
    PG_BLOCKS_READ,
    PG_DEAD_ROWS,
    PG_DEADLOCKS,
    PG_LIVE_ROWS,
    PG_MAX_CONNECTIONS,
    PG_OLDEST_TRANSACTION,
    PG_REPLICA_BEHIND,
    PG_SCRAPE_ERROR,
    PG_SESSIONS,
    PG_SLOT_ACTIVE,
    PG_UP,
    POLICY_FAILED,
    POLICY_OVERDUE,
)
from traversion.observability.rules.rule import Alert, Group, Recording

# The server's own workers need no connection slot. Exporters without the label count as clients.
OF_CLIENTS = 'backend_type=~"client backend|"'
MOST_CONNECTIONS = 0.80
FEWEST_CACHE_HITS = 0.90
LONGEST_TRANSACTION = 15 * 60
"""Seconds."""
MOST_DEAD_ROWS = 0.2
"""Of all rows of a table; autovacuum begins at 20 % of the live ones by default."""
SMALLEST_BLOAT = 100_000
"""Rows: a small table that is mostly dead costs nothing."""
FARTHEST_BEHIND = 2**30
"""Bytes of WAL."""
LONGEST_OVERDUE = 2 * 3600
"""Seconds."""

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
DEAD_ROWS = Recording(
    "datname_schemaname_relname:dead_rows:ratio",
    f"""
    max by (datname, schemaname, relname) ({PG_DEAD_ROWS} > {SMALLEST_BLOAT})
    /
    (max by (datname, schemaname, relname) ({PG_LIVE_ROWS})
     + max by (datname, schemaname, relname) ({PG_DEAD_ROWS}))
    """,
    ("datname", "schemaname", "relname"),
)

GROUP = Group(
    "timescaledb",
    (
        CONNECTIONS,
        CACHE_HITS,
        DEAD_ROWS,
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
            f"{CACHE_HITS} < {FEWEST_CACHE_HITS} and on () sum(rate({PG_BLOCKS_READ}[5m])) > 100",
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
            "TimescaleDbTableBloated",
            "timescaledb",
            f"{DEAD_ROWS} > {MOST_DEAD_ROWS}",
            "A table is full of dead rows",
            "{{ $value | humanizePercentage }} of the rows of {{ $labels.schemaname }}.{{ $labels.relname }} "
            "in {{ $labels.datname }} are dead; autovacuum does not keep up, or a transaction holds it up.",
            lasting="1h",
        ),
        Alert(
            "TimescaleDbJobFailing",
            "timescaledb",
            f"{POLICY_FAILED} == 1",
            "A background job of TimescaleDB fails",
            "The last run of {{ $labels.policy }} on {{ $labels.hypertable }} (job {{ $labels.job_id }}) "
            "failed; without compression or retention the volume fills.",
            lasting="15m",
        ),
        Alert(
            "TimescaleDbJobOverdue",
            "timescaledb",
            f"{POLICY_OVERDUE} > {LONGEST_OVERDUE}",
            "A background job of TimescaleDB does not run",
            "{{ $labels.policy }} on {{ $labels.hypertable }} (job {{ $labels.job_id }}) should have run "
            "{{ $value | humanizeDuration }} ago; does the scheduler live, and has it a free worker?",
            lasting="15m",
        ),
        Alert(
            "TimescaleDbReplicationSlotInactive",
            "timescaledb",
            f"{PG_SLOT_ACTIVE} == 0",
            "A replication slot keeps WAL for nobody",
            "Nobody has read from the slot {{ $labels.slot_name }} for 15 minutes; WAL piles up until "
            "the volume is full.",
            lasting="15m",
        ),
        Alert(
            "TimescaleDbStandbyBehind",
            "timescaledb",
            f"{PG_REPLICA_BEHIND} > {FARTHEST_BEHIND}",
            "A standby of TimescaleDB lags behind",
            "{{ $labels.application_name }} has {{ $value | humanize1024 }}B of WAL to replay.",
            lasting="10m",
        ),
        Alert(
            "TimescaleDbStatisticsIncomplete",
            "timescaledb",
            # What a query cannot read, no alert can see: so the loss itself is one.
            f"""
            max({PG_SCRAPE_ERROR}) == 1
            or
            (max({PG_UP}) == 1 unless on () {POLICY_FAILED})
            """,
            "Statistics of TimescaleDB are missing",
            "PostgreSQL answers, but a query of its exporter fails or knows no background jobs; "
            "alerts that need its result stay silent.",
            lasting="15m",
        ),
    ),
)
