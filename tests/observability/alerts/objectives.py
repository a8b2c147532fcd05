"""Error budgets: 99.9 % of the requests must not fail, 95 % must be answered within half a second.

The windows look far back, but an average over what there is needs no day of samples to be one.
"""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import ONCE, histogram


def _requests(good: float, bad: float, pod: str = "a") -> dict[str, str]:
    """Return requests that succeed and fail, with each scrape."""
    labels = f'job="traversion",pod="{pod}",method="GET",endpoint="/api/events"'
    return {
        f'traversion_http_requests_total{{{labels},status_code="200"}}': f"0+{good}x300",
        f'traversion_http_requests_total{{{labels},status_code="500"}}': f"0+{bad}x300",
    }


def _timed(quick: int, slow: int, pod: str = "a") -> dict[str, str]:
    """Return requests that are answered within half a second and later, with each scrape."""
    labels = f'pod="{pod}",method="GET",endpoint="/api/events"'
    name = "traversion_http_request_duration_seconds"
    count = f'{name}_count{{job="traversion",{labels}}}'
    both = histogram(name, labels, le0_5=quick, le1=quick + slow, inf=quick + slow)
    return {series: values.replace("x80", "x300") for series, values in both.items()} | {
        count: f"0+{quick + slow}x300"
    }


_FAST, _SLOW = "TraversionAvailabilityBudgetBurnsFast", "TraversionAvailabilityBudgetBurns"
_LATE_FAST, _LATE = "TraversionLatencyBudgetBurnsFast", "TraversionLatencyBudgetBurns"

CASES = (
    Case(
        _FAST,
        "1.5 % fail, which is fifteen times what may",
        _requests(9850, 150),
        {"2m15s": ONCE, "30m": ONCE},
        silent=("30s", "2m"),
    ),
    Case(
        _FAST,
        "0.61 % fail, on two pods: six times what may, for six hours",
        _requests(99390, 0, "a") | _requests(0, 610, "b"),
        {"2m15s": ONCE},
        silent=("2m",),
        shows="two pods",
    ),
    Case(_FAST, "0.59 % fail", _requests(99410, 590), {}, silent=("30m",), shows="below"),
    Case(
        _FAST,
        "one request in ten minutes, and the only failure among twenty",
        {
            **_requests(0, 0),
            'traversion_http_requests_total{job="traversion",pod="b",method="GET",endpoint="/",'
            'status_code="500"}': "0x40 1x300",
        },
        {},
        silent=("12m", "40m"),
        shows="few",
    ),
    Case(
        _SLOW,
        "0.11 % fail, on two pods",
        _requests(299670, 0, "a") | _requests(0, 330, "b"),
        {"15m15s": ONCE},
        silent=("15m",),
        shows="two pods",
    ),
    Case(
        _SLOW,
        "0.31 % fail, which is three times what may",
        _requests(99690, 310),
        {"15m15s": ONCE},
        silent=("2m", "15m"),
    ),
    Case(_SLOW, "0.09 % fail", _requests(299730, 270), {}, silent=("40m",), shows="below"),
    Case(_SLOW, "no traffic", _requests(0, 0), {}, silent=("40m",), shows="few"),
    Case(
        _LATE_FAST,
        "31 % are late: six times what may",
        _timed(6900, 3100),
        {"2m15s": ONCE},
        silent=("30s", "2m"),
    ),
    Case(
        _LATE_FAST,
        "one of two pods answers nothing in time",
        _timed(10000, 0, "a") | _timed(0, 10000, "b"),
        {"2m15s": ONCE},
        shows="two pods",
    ),
    Case(_LATE_FAST, "29 % are late", _timed(7100, 2900), {}, silent=("30m",), shows="below"),
    Case(_LATE_FAST, "no traffic", _timed(0, 0), {}, silent=("30m",), shows="few"),
    Case(
        _LATE,
        "6 % are late: more than may",
        _timed(9400, 600),
        {"15m15s": ONCE},
        silent=("2m", "15m"),
    ),
    Case(
        _LATE,
        "one of two pods answers one of eight late",
        _timed(10000, 0, "a") | _timed(8800, 1200, "b"),
        {"15m15s": ONCE},
        shows="two pods",
    ),
    Case(_LATE, "4 % are late", _timed(9600, 400), {}, silent=("40m",), shows="below"),
    Case(_LATE, "no traffic", _timed(0, 0), {}, silent=("40m",), shows="few"),
)
