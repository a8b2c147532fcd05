"""Redis: does it answer, is there room, what is evicted, is what it promised to keep on disk."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    REDIS_AOF_BYTES,
    REDIS_AOF_REWRITTEN,
    REDIS_AOF_WRITTEN,
    REDIS_AVERAGE_TTL,
    REDIS_CLIENTS,
    REDIS_COMMAND_SECONDS,
    REDIS_COMMANDS,
    REDIS_EVICTED,
    REDIS_EXPIRED,
    REDIS_FRAGMENTATION,
    REDIS_HITS,
    REDIS_KEYS,
    REDIS_KEYS_EXPIRING,
    REDIS_MAX_MEMORY,
    REDIS_MEMORY,
    REDIS_MISSES,
    REDIS_RDB_SAVED,
    REDIS_REJECTED,
    REDIS_UP,
    REDIS_UPTIME,
    Family,
)
from traversion.observability.rules import redis

_UP = Threshold(1, 0.5)


def _rate(family: Family, legend: str) -> PromQl:
    return PromQl(f"sum(rate({family}[$__rate_interval]))", legend)


DASHBOARD = Dashboard(
    "traversion-redis",
    "Traversion / Redis",
    "Whether Redis answers, how full it is, what it evicts, and whether it can write to its volume.",
    (
        Row(
            "Now",
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
            ),
        ),
        Row(
            "Memory",
            (
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
                    "Fragmentation",
                    "Memory taken from the system by memory used: above 1.5 is waste, below 1 is swapped.",
                    (PromQl(f"max({REDIS_FRAGMENTATION})", "ratio"),),
                    "none",
                ),
                Panel(
                    "Mean time to live",
                    "Of the keys that expire. Above the line little cache is left, and sessions go next.",
                    (PromQl(f"max by (db) ({REDIS_AVERAGE_TTL})", "{{db}}"),),
                    "s",
                    threshold=Threshold(redis.LONGEST_CACHED),
                ),
            ),
        ),
        Row(
            "Commands and keys",
            (
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
                    "Time in commands",
                    "Seconds of its one thread per second, by command; at 1 it can do no more.",
                    (
                        PromQl(
                            f"topk(10, sum by (cmd) (rate({REDIS_COMMAND_SECONDS}[$__rate_interval])))",
                            "{{cmd}}",
                        ),
                    ),
                    "percentunit",
                    stacked=True,
                ),
                Panel(
                    "Keys",
                    "Keys stored by database, and those among them that expire.",
                    (
                        PromQl(f"sum by (db) ({REDIS_KEYS} > 0)", "{{db}}"),
                        PromQl(f"sum by (db) ({REDIS_KEYS_EXPIRING} > 0)", "{{db}} expiring"),
                    ),
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
        Row(
            "Persistence",
            (
                number(
                    "Append-only file",
                    "1 while the last write and the last rewrite succeeded.",
                    f"min({REDIS_AOF_WRITTEN}) * min({REDIS_AOF_REWRITTEN})",
                    width=6,
                    threshold=_UP,
                ),
                number(
                    "Snapshot",
                    "1 while the last background save succeeded.",
                    f"min({REDIS_RDB_SAVED})",
                    width=6,
                    threshold=_UP,
                ),
                number(
                    "Size of the append-only file",
                    "Grows with every write until it is rewritten.",
                    f"max({REDIS_AOF_BYTES})",
                    "bytes",
                    width=6,
                ),
                number(
                    "Running for",
                    "Time since its start; a short one explains an empty cache.",
                    f"max({REDIS_UPTIME})",
                    "dtdurations",
                    width=6,
                ),
            ),
        ),
    ),
)
