"""The API: down, failing, slow, blocked."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import KSM, ONCE, histogram, up


def _requests(status: int, endpoint: str = "/api/events", pod: str = "a") -> str:
    return (
        f'traversion_http_requests_total{{job="traversion",pod="{pod}",method="GET",'
        f'endpoint="{endpoint}",status_code="{status}"}}'
    )


def _latency(pod: str = "a", endpoint: str = "/api/events", **per_scrape: int) -> dict[str, str]:
    labels = f'pod="{pod}",method="GET",endpoint="{endpoint}"'
    return histogram("traversion_http_request_duration_seconds", labels, **per_scrape)


CASES = (
    Case(
        "TraversionApiDown",
        "the only pod stops answering after 2 minutes, and answers again after 5",
        {up("a"): "1x8 0x12 1x20"},
        {"3m15s": ONCE, "4m": ONCE},
        silent=("2m15s", "2m45s", "3m", "6m"),
    ),
    Case(
        "TraversionApiDown",
        "the target has vanished from service discovery",
        {up("a"): "1x8 stale"},
        {"3m15s": ONCE, "10m": ONCE},
        silent=("2m45s", "3m"),
    ),
    Case(
        "TraversionApiDown",
        "there has never been a pod",
        {},
        {"1m": ONCE},
        silent=("30s", "45s"),
    ),
    Case(
        "TraversionApiDown",
        "all of three pods fail: one alert",
        {up("a"): "0x40", up("b"): "0x40", up("c"): "1x4 stale"},
        {"3m": ONCE},
        silent=("1m45s",),
    ),
    Case(
        "TraversionApiDown",
        "one of two pods fails, and a rollout replaces it",
        {up("a"): "1x40", up("b"): "1x8 0x8 stale", up("c"): "_x12 1x20"},
        {},
        silent=("3m", "5m", "10m"),
        shows="two pods",
    ),
    Case(
        "TraversionApiDown",
        "45 seconds without an answer",
        {up("a"): "1x8 0x2 1x30"},
        {},
        silent=("2m45s", "3m15s", "5m"),
        shows="below",
    ),
    Case(
        "TraversionApiPodDown",
        "one of two pods fails",
        {up("a"): "1x60", up("b"): "0x60"},
        {"5m": ({"job": "traversion", "instance": "b:9090", "namespace": "n", "pod": "b"},)},
        silent=("30s", "4m45s"),
    ),
    Case(
        "TraversionApiPodDown",
        "all pods fail: that is another alert",
        {up("a"): "0x60", up("b"): "0x60"},
        {},
        silent=("5m", "10m"),
        shows="below",
    ),
    Case("TraversionApiPodDown", "no pod", {}, {}, silent=("10m",)),
    Case(
        "TraversionApiErrorRateHigh",
        "one of five requests fails, on two pods, and then none",
        {
            _requests(200, pod="a"): "0+80x100",
            _requests(503, pod="a"): "0+15x40 600x60",
            _requests(200, pod="b"): "0+80x100",
            _requests(500, pod="b"): "0+25x40 1000x60",
        },
        {"2m15s": ONCE, "10m": ONCE},
        silent=("30s", "2m", "15m30s"),
        shows="two pods",
    ),
    Case(
        "TraversionApiErrorRateHigh",
        "just above one of ten",
        {_requests(200): "0+899x40", _requests(500): "0+101x40"},
        {"2m15s": ONCE},
        silent=("2m",),
    ),
    Case(
        "TraversionApiErrorRateHigh",
        "just below one of ten",
        {_requests(200): "0+901x80", _requests(500): "0+99x80"},
        {},
        silent=("5m", "10m"),
        shows="below",
    ),
    Case(
        "TraversionApiErrorRateHigh",
        "one request per minute and pod, and half of them fail",
        {_requests(200): "0x3 1x3 2x3 3x3 4x3 5x3 6x3", _requests(500): "0x1 1x3 2x3 3x3 4x3 5x3 6x5"},
        {"5m": ONCE},
        shows="few",
    ),
    Case(
        "TraversionApiErrorRateHigh",
        "users see nothing but errors while quick health checks succeed",
        {
            _requests(200, "/api/health"): "0+100x40",
            _requests(200, "/health"): "0+100x40",
            _requests(200, "/metrics"): "0+100x40",
            _requests(500): "0+1x40",
        },
        {"2m15s": ONCE},
    ),
    Case(
        "TraversionApiErrorRateHigh",
        "no traffic: nothing by nothing is no number",
        {_requests(200): "7x80", _requests(500): "7x80"},
        {},
        silent=("5m", "10m"),
    ),
    Case(
        "TraversionApiErrorRateHigh",
        "there has never been a 5xx, only a 4xx",
        {_requests(200): "0+1x80", _requests(404): "0+9x80"},
        {},
        silent=("5m", "10m"),
    ),
    Case("TraversionApiErrorRateHigh", "no series at all", {}, {}, silent=("5m",)),
    Case(
        "TraversionApiLatencyHigh",
        "one of ten requests takes 2 to 5 seconds",
        _latency(le1=80, le2=90, le5=100, inf=100),
        {"5m15s": ONCE},
        silent=("30s", "5m"),
    ),
    Case(
        "TraversionApiLatencyHigh",
        "just above 2 seconds",
        _latency(le1=0, le2=948, le3=1000, inf=1000),
        {"5m15s": ONCE},
        silent=("5m",),
    ),
    Case(
        "TraversionApiLatencyHigh",
        "just below 2 seconds",
        _latency(le1=0, le2=951, le3=1000, inf=1000),
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "TraversionApiLatencyHigh",
        "one of two pods is slow",
        _latency("a", le1=100, le2=100, le5=100, inf=100) | _latency("b", le1=10, le2=10, le5=100, inf=100),
        {"5m15s": ONCE},
        shows="two pods",
    ),
    Case(
        "TraversionApiLatencyHigh",
        "few users wait while many health checks are quick",
        _latency(endpoint="/api/health", le1=100, le2=100, le5=100, inf=100)
        | _latency(le1=0, le2=0, le5=1, inf=1),
        {"5m15s": ONCE},
        shows="few",
    ),
    Case(
        "TraversionApiLatencyHigh",
        "no traffic",
        _latency(le1=0, le2=0, le5=0, inf=0),
        {},
        silent=("10m",),
    ),
    Case("TraversionApiLatencyHigh", "no series at all", {}, {}, silent=("10m",)),
    Case(
        "TraversionEventLoopBlocked",
        "one of two pods is blocked for up to a second",
        histogram("traversion_event_loop_lag_seconds", 'pod="a"', le0_5=100, le1=100, inf=100)
        | histogram("traversion_event_loop_lag_seconds", 'pod="b"', le0_5=90, le1=100, inf=100),
        {"5m15s": ({"pod": "b"},)},
        silent=("5m",),
        shows="two pods",
    ),
    Case(
        "TraversionEventLoopBlocked",
        "just below: one callback in two hundred is late",
        histogram("traversion_event_loop_lag_seconds", 'pod="a"', le0_5=995, le1=1000, inf=1000),
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "TraversionApiPodDown",
        "one of two pods fails for four minutes",
        {up("a"): "1x60", up("b"): "0x16 1x40"},
        {},
        silent=("4m", "6m"),
        shows="two pods",
    ),
    Case(
        "TraversionEventLoopBlocked",
        "nothing is measured",
        histogram("traversion_event_loop_lag_seconds", 'pod="a"', le0_5=0, le1=0, inf=0),
        {},
        silent=("10m",),
        shows="few",
    ),
)

CASES_WITHOUT_METRICS = (
    Case(
        "TraversionApiDown",
        "no pod is available for a while",
        {f'kube_deployment_status_replicas_available{{{KSM},deployment="traversion-app"}}': "3x8 0x12 1x20"},
        {"3m15s": ONCE},
        silent=("2m45s", "3m", "6m"),
    ),
    Case(
        "TraversionApiDown",
        "the Deployment is deleted; another one is well",
        {
            f'kube_deployment_status_replicas_available{{{KSM},deployment="traversion-app"}}': "3x8 stale",
            f'kube_deployment_status_replicas_available{{{KSM},deployment="other"}}': "3x40",
        },
        {"3m15s": ONCE},
        silent=("2m45s", "3m"),
    ),
)
