"""Events, queries and WebSockets."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import ONCE, histogram


def _per_tenant(name: str, labels: str = "") -> str:
    return f'{name}{{job="traversion",pod="a",tenant_id="t"{labels}}}'


_STORAGE = "traversion_storage_operation_duration_seconds"


def _connections(*each: int) -> dict[str, str]:
    series = _per_tenant("traversion_websocket_connections")
    return {series.replace('"a"', f'"{pod}"'): f"{count}x160" for pod, count in enumerate(each)}


CASES = (
    Case(
        "TraversionEventErrorsHigh",
        "one of ten events fails",
        {
            _per_tenant("traversion_events_total"): "0+90x80",
            _per_tenant("traversion_events_errors_total"): "0+10x80",
        },
        {"10m15s": ONCE},
        silent=("10m",),
    ),
    Case(
        "TraversionEventErrorsHigh",
        "every event fails, none was ever processed",
        {_per_tenant("traversion_events_errors_total"): "0+1x80"},
        {"10m15s": ONCE},
    ),
    Case(
        "TraversionEventErrorsHigh",
        "just below one of twenty",
        {
            _per_tenant("traversion_events_total"): "0+951x80",
            _per_tenant("traversion_events_errors_total"): "0+49x80",
        },
        {},
        silent=("15m",),
        shows="below",
    ),
    Case(
        "TraversionEventErrorsHigh",
        "no event, or none that failed",
        {_per_tenant("traversion_events_total"): "5x80"},
        {},
        silent=("15m",),
    ),
    Case(
        "TraversionQueriesSlow",
        "one of ten queries takes 5 to 10 seconds",
        histogram("traversion_query_duration_seconds", 'pod="a"', le5=90, le10=100, inf=100),
        {"10m15s": ONCE},
        silent=("10m",),
    ),
    Case(
        "TraversionQueriesSlow",
        "one of twenty-five does",
        histogram("traversion_query_duration_seconds", 'pod="a"', le5=96, le10=100, inf=100),
        {},
        silent=("15m",),
        shows="below",
    ),
    Case(
        "TraversionQueriesSlow",
        "no queries",
        histogram("traversion_query_duration_seconds", 'pod="a"', le5=0, le10=0, inf=0),
        {},
        silent=("15m",),
    ),
    Case(
        "TraversionWebSocketsLost",
        "most connections are lost after 20 minutes and do not come back",
        {_per_tenant("traversion_websocket_connections"): "100x80 40x60"},
        {"25m15s": ONCE},
        silent=("20m", "25m"),
    ),
    Case(
        "TraversionWebSocketsLost",
        "just half are lost",
        {_per_tenant("traversion_websocket_connections"): "100x80 50x60"},
        {},
        silent=("26m", "30m"),
        shows="below",
    ),
    Case(
        "TraversionWebSocketsLost",
        "a few go home",
        {_per_tenant("traversion_websocket_connections"): "19x80 0x60"},
        {},
        silent=("26m",),
        shows="few",
    ),
    Case(
        "TraversionEventErrorsHigh",
        "a few events a minute, on two pods, and one of them fails all of its own",
        {
            _per_tenant(
                "traversion_events_total"
            ): "0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3 10x3 11x3 12x3 13x9",
            _per_tenant("traversion_events_errors_total").replace('"a"', '"b"'): (
                "0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3 10x3 11x3 12x3 13x9"
            ),
        },
        {"13m": ONCE},
        shows="two pods",
    ),
    Case(
        "TraversionEventErrorsHigh",
        "no event at all is no ratio",
        {
            _per_tenant("traversion_events_total"): "7x80",
            _per_tenant("traversion_events_errors_total"): "7x80",
        },
        {},
        silent=("15m",),
        shows="few",
    ),
    Case(
        "TraversionQueriesSlow",
        "one query a minute, and each of them slow",
        histogram("traversion_query_duration_seconds", 'pod="a"', le5=0, le10=0, inf=0)
        | {
            f'traversion_query_duration_seconds_bucket{{job="traversion",pod="b",le="{le}"}}': (
                "0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3 10x3 11x3 12x9" if le != "5" else "0x80"
            )
            for le in ("5", "10", "+Inf")
        },
        {"12m": ONCE},
        shows="few",
    ),
    Case(
        "TraversionQueriesSlow",
        "one of two pods is slow",
        histogram("traversion_query_duration_seconds", 'pod="a"', le5=100, le10=100, inf=100)
        | histogram("traversion_query_duration_seconds", 'pod="b"', le5=80, le10=100, inf=100),
        {"10m15s": ONCE},
        shows="two pods",
    ),
    Case(
        "TraversionEventsStopped",
        "100 per scrape for an hour, then a tenth of it less one",
        {_per_tenant("traversion_events_total"): "0+100x260 26000+9x200"},
        {"1h25m": ONCE},
        silent=("1h",),
    ),
    Case(
        "TraversionEventsStopped",
        "just above a tenth; the hour before there were more by far",
        {_per_tenant("traversion_events_total"): "0+100x260 26000+11x400"},
        {},
        silent=("1h25m", "2h30m"),
        shows="below",
    ),
    Case(
        "TraversionEventsStopped",
        "a few agents, less than an event per second, fall silent",
        {_per_tenant("traversion_events_total"): "0+14x260 3640x200"},
        {},
        silent=("1h25m", "1h45m"),
        shows="few",
    ),
    Case(
        "TraversionEventsStopped",
        "a rollout: one pod goes, another goes on",
        {
            _per_tenant("traversion_events_total"): "0+100x260 stale",
            _per_tenant("traversion_events_total").replace('"a"', '"b"'): "_x256 0+100x200",
        },
        {},
        silent=("1h10m", "1h45m"),
        shows="two pods",
    ),
    Case(
        "TraversionEventsLate",
        "one of ten events takes 5 to 10 seconds",
        histogram("traversion_event_processing_duration_seconds", 'pod="a"', le5=90, le10=100, inf=100),
        {"10m15s": ONCE},
        silent=("10m",),
    ),
    Case(
        "TraversionEventsLate",
        "one of twenty-five does",
        histogram("traversion_event_processing_duration_seconds", 'pod="a"', le5=96, le10=100, inf=100),
        {},
        silent=("15m",),
        shows="below",
    ),
    Case(
        "TraversionEventsLate",
        "no events",
        histogram("traversion_event_processing_duration_seconds", 'pod="a"', le5=0, le10=0, inf=0),
        {},
        silent=("15m",),
        shows="few",
    ),
    Case(
        "TraversionEventsLate",
        "one of two pods lags",
        histogram("traversion_event_processing_duration_seconds", 'pod="a"', le5=100, le10=100, inf=100)
        | histogram("traversion_event_processing_duration_seconds", 'pod="b"', le5=70, le10=100, inf=100),
        {"10m15s": ONCE},
        shows="two pods",
    ),
    Case(
        "TraversionDetectionStalled",
        "relations are found for 90 minutes and then no more, on two pods",
        {
            _per_tenant("traversion_events_total"): "0+100x700",
            _per_tenant("traversion_causality_detections_total"): "0+5x360 1800x340",
            _per_tenant("traversion_events_total").replace('"a"', '"b"'): "0+100x700",
            _per_tenant("traversion_causality_detections_total").replace('"a"', '"b"'): "0+5x360 1800x340",
        },
        {"2h21m": ONCE},
        silent=("1h30m", "2h19m"),
        shows="two pods",
    ),
    Case(
        "TraversionDetectionStalled",
        "a relation is found once in twenty minutes",
        {
            _per_tenant("traversion_events_total"): "0+100x700",
            _per_tenant("traversion_causality_detections_total"): (
                "0x79 1x79 2x79 3x79 4x79 5x79 6x79 7x79 8x79"
            ),
        },
        {},
        silent=("1h30m", "2h30m"),
        shows="below",
    ),
    Case(
        "TraversionDetectionStalled",
        "no events, and so no relations",
        {
            _per_tenant("traversion_events_total"): "0+100x360 36000x400",
            _per_tenant("traversion_causality_detections_total"): "0+5x360 1800x400",
        },
        {},
        silent=("2h21m", "2h45m"),
        shows="few",
    ),
    Case(
        "TraversionStorageSlow",
        "one of ten writes takes 1 to 2.5 seconds; reads are quick",
        histogram(_STORAGE, 'pod="a",operation="write"', le1=90, le2_5=100, inf=100)
        | histogram(_STORAGE, 'pod="a",operation="read"', le1=100, le2_5=100, inf=100),
        {"10m15s": ({"operation": "write"},)},
        silent=("10m",),
    ),
    Case(
        "TraversionStorageSlow",
        "one of twenty-five does",
        histogram(_STORAGE, 'pod="a",operation="write"', le1=96, le2_5=100, inf=100),
        {},
        silent=("15m",),
        shows="below",
    ),
    Case(
        "TraversionStorageSlow",
        "no operations",
        histogram(_STORAGE, 'pod="a",operation="write"', le1=0, le2_5=0, inf=0),
        {},
        silent=("15m",),
        shows="few",
    ),
    Case(
        "TraversionStorageSlow",
        "one of two pods waits",
        histogram(_STORAGE, 'pod="a",operation="write"', le1=100, le2_5=100, inf=100)
        | histogram(_STORAGE, 'pod="b",operation="write"', le1=80, le2_5=100, inf=100),
        {"10m15s": ({"operation": "write"},)},
        shows="two pods",
    ),
    Case(
        "TraversionWebSocketsLost",
        "one of two pods ends, and its clients come back to the other",
        {
            _per_tenant("traversion_websocket_connections"): "100x80 stale",
            _per_tenant("traversion_websocket_connections").replace('"a"', '"b"'): "100x80 200x60",
        },
        {},
        silent=("26m",),
        shows="two pods",
    ),
    Case(
        "TraversionWebSocketsUneven",
        "one of seven pods has nearly all",
        _connections(994, 1, 1, 1, 1, 1, 1),
        {"30m": ONCE},
        silent=("30s", "29m45s"),
        shows="two pods",
    ),
    Case(
        "TraversionWebSocketsUneven",
        "one of seven pods has five times the mean",
        _connections(500, 34, 34, 33, 33, 33, 33),
        {},
        silent=("35m",),
        shows="below",
    ),
    Case(
        "TraversionWebSocketsUneven",
        "a handful of browsers",
        _connections(99, 0, 0, 0, 0, 0, 0),
        {},
        silent=("35m",),
        shows="few",
    ),
)
