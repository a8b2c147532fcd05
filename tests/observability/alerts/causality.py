"""Events, queries and WebSockets."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import ONCE, histogram


def _per_tenant(name: str, labels: str = "") -> str:
    return f'{name}{{job="traversion",pod="a",tenant_id="t"{labels}}}'


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
    ),
    Case(
        "TraversionWebSocketsLost",
        "a few go home",
        {_per_tenant("traversion_websocket_connections"): "19x80 0x60"},
        {},
        silent=("26m",),
    ),
)
