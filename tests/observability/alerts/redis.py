"""The cache."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import ONCE, up


def _redis(metric: str) -> str:
    return f'redis_{metric}{{job="redis",instance="i:9121",pod="e"}}'


CASES = (
    Case(
        "RedisDown",
        "Redis stops answering after 2 minutes, and answers again after 5",
        {up("e", "redis"): "1x40", _redis("up"): "1x8 0x12 1x20"},
        {"3m15s": ONCE},
        silent=("2m45s", "3m", "6m"),
    ),
    Case(
        "RedisDown",
        "the exporter stops answering",
        {up("e", "redis"): "1x8 0x40", _redis("up"): "1x8 stale"},
        {"3m15s": ONCE},
        silent=("2m45s", "3m"),
    ),
    Case("RedisDown", "the exporter is gone", {}, {"1m": ONCE}, silent=("30s", "45s")),
    Case(
        "RedisMemoryHigh",
        "91 of 100",
        {_redis("memory_used_bytes"): "91x60", _redis("memory_max_bytes"): "100x60"},
        {"10m": ONCE},
        silent=("9m45s",),
    ),
    Case(
        "RedisMemoryHigh",
        "90 of 100",
        {_redis("memory_used_bytes"): "90x60", _redis("memory_max_bytes"): "100x60"},
        {},
        silent=("14m",),
        shows="below",
    ),
    Case(
        "RedisMemoryHigh",
        "no bound",
        {_redis("memory_used_bytes"): "90x60", _redis("memory_max_bytes"): "0x60"},
        {},
        silent=("14m",),
    ),
    Case(
        "RedisEvictsKeys",
        "some with every scrape",
        {_redis("evicted_keys_total"): "0+1x80"},
        {"10m15s": ONCE},
        silent=("10m",),
    ),
    Case(
        "RedisEvictsKeys",
        "a burst of two minutes, then none",
        {_redis("evicted_keys_total"): "0x8 0+100x8 800x80"},
        {},
        silent=("8m", "15m"),
        shows="below",
    ),
    Case(
        "RedisRejectsConnections",
        "one",
        {_redis("rejected_connections_total"): "3x8 4x60"},
        {"2m15s": ONCE},
        silent=("2m", "8m"),
    ),
    Case(
        "RedisRejectsConnections",
        "none",
        {_redis("rejected_connections_total"): "3x60"},
        {},
        silent=("9m",),
        shows="below",
    ),
    Case(
        "RedisAofWriteFailing",
        "the last write failed",
        {_redis("aof_last_write_status"): "0x40", _redis("aof_last_bgrewrite_status"): "1x40"},
        {"1m": ONCE},
        silent=("45s",),
    ),
    Case(
        "RedisAofWriteFailing",
        "the last rewrite failed",
        {_redis("aof_last_write_status"): "1x40", _redis("aof_last_bgrewrite_status"): "0x40"},
        {"1m": ONCE},
    ),
    Case(
        "RedisAofWriteFailing",
        "both succeeded",
        {_redis("aof_last_write_status"): "1x40", _redis("aof_last_bgrewrite_status"): "1x40"},
        {},
        silent=("5m",),
        shows="below",
    ),
    Case(
        "RedisSnapshotFailing",
        "the last snapshot failed",
        {_redis("rdb_last_bgsave_status"): "0x40"},
        {"5m": ONCE},
        silent=("4m45s",),
    ),
    Case(
        "RedisSnapshotFailing",
        "the next one succeeded",
        {_redis("rdb_last_bgsave_status"): "0x12 1x40"},
        {},
        silent=("5m", "8m"),
        shows="below",
    ),
    Case(
        "RedisDown",
        "it does not answer for 45 seconds",
        {up("e", "redis"): "1x40", _redis("up"): "1x8 0x2 1x30"},
        {},
        silent=("2m45s", "3m15s", "5m"),
        shows="below",
    ),
    Case(
        "RedisEvictsSessions",
        "keys are evicted, and those that are left live for hours",
        {_redis("evicted_keys_total"): "0+1x80", _redis("db_avg_ttl_seconds"): "21601x80"},
        {"5m15s": ONCE},
        silent=("30s", "5m"),
    ),
    Case(
        "RedisEvictsSessions",
        "what is left is cache",
        {_redis("evicted_keys_total"): "0+1x80", _redis("db_avg_ttl_seconds"): "21600x80"},
        {},
        silent=("15m",),
        shows="below",
    ),
    Case(
        "RedisEvictsSessions",
        "sessions, and nothing is evicted",
        {_redis("evicted_keys_total"): "7x80", _redis("db_avg_ttl_seconds"): "80000x80"},
        {},
        silent=("15m",),
    ),
)
