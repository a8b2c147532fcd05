"""Redis: there, with memory to spare, and able to write what it promised to keep."""

from traversion.observability.metrics import (
    REDIS_AOF_REWRITTEN,
    REDIS_AOF_WRITTEN,
    REDIS_AVERAGE_TTL,
    REDIS_EVICTED,
    REDIS_MAX_MEMORY,
    REDIS_MEMORY,
    REDIS_RDB_SAVED,
    REDIS_REJECTED,
    REDIS_UP,
)
from traversion.observability.rules.rule import Alert, Group, Recording

MOST_MEMORY = 0.90
LONGEST_CACHED = 6 * 3600
"""Seconds. Cache entries live for an hour and sessions for a day or longer: a mean time to live above this
says that hardly any cache is left, and what is evicted next (soonest to expire first) is a session."""

MEMORY = Recording("redis:memory_used:ratio", f"max({REDIS_MEMORY}) / (max({REDIS_MAX_MEMORY}) > 0)")

GROUP = Group(
    "redis",
    (
        MEMORY,
        Alert(
            "RedisDown",
            "redis",
            f"absent({REDIS_UP} == 1)",
            "Redis is down",
            "For a minute Redis has not answered its exporter, or the exporter itself has been gone.",
            lasting="1m",
            severity="critical",
        ),
        Alert(
            "RedisMemoryHigh",
            "redis",
            f"{MEMORY} > {MOST_MEMORY}",
            "Redis is about to evict keys",
            "{{ $value | humanizePercentage }} of maxmemory are in use.",
            lasting="10m",
        ),
        Alert(
            "RedisEvictsKeys",
            "redis",
            # Short bursts are what an eviction policy is for.
            f"sum(rate({REDIS_EVICTED}[5m])) > 0",
            "Redis evicts keys",
            "{{ $value | humanize }} keys per second go before their time; sessions may be among them.",
            lasting="10m",
        ),
        Alert(
            "RedisEvictsSessions",
            "redis",
            f"""
            sum(increase({REDIS_EVICTED}[5m])) > 0
            and
            max({REDIS_AVERAGE_TTL}) > {LONGEST_CACHED}
            """,
            "Redis evicts sessions",
            "{{ $value | humanize }} keys were evicted within 5 minutes, and those that are left live for "
            "hours: they are sessions and no cache entries. Users are logged out.",
            lasting="5m",
            severity="critical",
        ),
        Alert(
            "RedisRejectsConnections",
            "redis",
            f"sum(increase({REDIS_REJECTED}[5m])) > 0",
            "Redis rejects connections",
            "{{ $value | humanize }} were rejected within 5 minutes, because maxclients are connected.",
        ),
        Alert(
            "RedisAofWriteFailing",
            "redis",
            f"max({REDIS_AOF_WRITTEN}) == 0 or max({REDIS_AOF_REWRITTEN}) == 0",
            "Redis cannot write its append-only file",
            "The last write or rewrite failed. Redis refuses writes until it succeeds; is the volume full?",
            lasting="1m",
        ),
        Alert(
            "RedisSnapshotFailing",
            "redis",
            f"max({REDIS_RDB_SAVED}) == 0",
            "Redis cannot write its snapshot",
            "The last background save failed. Is the volume full, or the memory too small for a fork?",
            lasting="5m",
        ),
    ),
)
