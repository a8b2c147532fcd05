"""What Traversion is for: events come in, causes are found, browsers are told."""

from traversion.observability.metrics import (
    DETECTIONS,
    EVENT_ERRORS,
    EVENT_SECONDS,
    EVENTS,
    QUERY_SECONDS,
    STORAGE_SECONDS,
    WEBSOCKET_CONNECTIONS,
)
from traversion.observability.rules.rule import Alert, Group, Recording

MOST_EVENT_ERRORS = 0.05
SLOWEST_QUERIES_P95 = 5
"""Seconds."""
SLOWEST_EVENTS_P95 = 5
"""Seconds from an event's arrival until it is stored and analysed."""
SLOWEST_STORAGE_P95 = 1
"""Seconds."""
FEWEST_EVENTS = 0.1
"""Of an hour ago."""

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
EVENT_RATE = Recording("traversion:events:rate5m", f"sum(rate({EVENTS}[5m]))")
EVENT_P95 = Recording(
    "traversion:event_processing_duration_seconds:p95_rate5m",
    f"histogram_quantile(0.95, sum by (le) (rate({EVENT_SECONDS.bucket}[5m])))",
)
DETECTION_RATE = Recording("traversion:causality_detections:rate5m", f"sum(rate({DETECTIONS}[5m]))")
STORAGE_P95 = Recording(
    "traversion:storage_operation_duration_seconds:p95_rate5m",
    f"histogram_quantile(0.95, sum by (operation, le) (rate({STORAGE_SECONDS.bucket}[5m])))",
    ("operation",),
)

GROUP = Group(
    "traversion-causality",
    (
        EVENT_ERROR_RATIO,
        QUERY_P95,
        EVENT_RATE,
        EVENT_P95,
        DETECTION_RATE,
        STORAGE_P95,
        Alert(
            "TraversionEventsStopped",
            "causality",
            # An hour ago somebody sent one event per second or more; a few agents may rightly fall silent.
            # Where nothing is exported any more, no pod is there, and that is another alert.
            f"""
            {EVENT_RATE} < {FEWEST_EVENTS} * ({EVENT_RATE} offset 1h)
            and
            ({EVENT_RATE} offset 1h) >= 1
            """,
            "Events hardly come in any more",
            "{{ $value | humanize }} events per second are processed, less than a tenth of an hour ago.",
            lasting="15m",
        ),
        Alert(
            "TraversionEventsLate",
            "causality",
            f"{EVENT_P95} > {SLOWEST_EVENTS_P95}",
            "Traversion lags behind the events",
            "One of twenty events takes longer than {{ $value | humanizeDuration }} "
            "from its arrival until it is stored and analysed (p95).",
            lasting="10m",
        ),
        Alert(
            "TraversionDetectionStalled",
            "causality",
            # As many events as ever, and relations were found among them an hour ago.
            f"""
            max_over_time({DETECTION_RATE}[30m]) == 0
            and
            {EVENT_RATE} >= 1
            and
            avg_over_time({DETECTION_RATE}[1h] offset 1h) > 0
            """,
            "No causal relations are found any more",
            "For half an hour no relation was detected, though events come in and some were an hour before.",
            lasting="15m",
        ),
        Alert(
            "TraversionStorageSlow",
            "causality",
            f"{STORAGE_P95} > {SLOWEST_STORAGE_P95}",
            "Traversion waits for its database",
            "One of twenty operations {{ $labels.operation }} takes longer than "
            "{{ $value | humanizeDuration }} (p95).",
            lasting="10m",
        ),
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
            dashboard="websocket",
        ),
        Alert(
            "TraversionWebSocketsUneven",
            "causality",
            # A new pod is empty, and fills as browsers come back; that takes longer than these 30 minutes
            # only if the load balancer keeps sending them elsewhere.
            f"""
            max(sum by (pod) ({WEBSOCKET_CONNECTIONS})) > 5 * avg(sum by (pod) ({WEBSOCKET_CONNECTIONS}))
            and
            sum({WEBSOCKET_CONNECTIONS}) >= 100
            """,
            "One pod holds most WebSocket connections",
            "The busiest pod has {{ $value }} connections, more than five times the mean: "
            "when it ends, all of them reconnect at once.",
            lasting="30m",
            dashboard="websocket",
        ),
    ),
)
