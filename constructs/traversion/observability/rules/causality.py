"""What Traversion is for: events come in, causes are found, browsers are told."""

from traversion.observability.metrics import (
    EVENT_ERRORS,
    EVENTS,
    QUERY_SECONDS,
    WEBSOCKET_CONNECTIONS,
)
from traversion.observability.rules.rule import Alert, Group, Recording

MOST_EVENT_ERRORS = 0.05
SLOWEST_QUERIES_P95 = 5
"""Seconds."""

EVENT_ERROR_RATIO = Recording(
    "traversion:event_errors:ratio_rate5m",
    # Bounded by 1, also when every event fails and no processed one is counted.
    f"""
    sum(rate({EVENT_ERRORS}[5m]))
    /
    (sum(rate({EVENT_ERRORS}[5m])) + (sum(rate({EVENTS}[5m])) or vector(0)) > 0)
    """,
)
QUERY_P95 = Recording(
    "traversion:query_duration_seconds:p95_rate5m",
    f"histogram_quantile(0.95, sum by (le) (rate({QUERY_SECONDS.bucket}[5m])))",
)

GROUP = Group(
    "traversion-causality",
    (
        EVENT_ERROR_RATIO,
        QUERY_P95,
        Alert(
            "TraversionEventErrorsHigh",
            "causality",
            f"{EVENT_ERROR_RATIO} > {MOST_EVENT_ERRORS}",
            "Traversion fails to process events",
            "{{ $value | humanizePercentage }} of the events of the last 5 minutes failed; "
            "causes that depend on them are not found.",
            lasting="10m",
        ),
        Alert(
            "TraversionQueriesSlow",
            "causality",
            f"{QUERY_P95} > {SLOWEST_QUERIES_P95}",
            "Causality queries are slow",
            "One of twenty causality queries takes longer than {{ $value | humanizeDuration }} (p95).",
            lasting="10m",
        ),
        Alert(
            "TraversionWebSocketsLost",
            "causality",
            # A few connections come and go; a rollout's clients are back within these five minutes.
            f"""
            sum({WEBSOCKET_CONNECTIONS}) < 0.5 * sum({WEBSOCKET_CONNECTIONS} offset 15m)
            and
            sum({WEBSOCKET_CONNECTIONS} offset 15m) >= 20
            """,
            "Most WebSocket connections were lost",
            "{{ $value }} connections are open, less than half of those 15 minutes ago.",
            lasting="5m",
        ),
    ),
)
