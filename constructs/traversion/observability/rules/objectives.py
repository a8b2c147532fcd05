"""Whether the API keeps what users were told: error budgets, and how fast they are spent.

Burn rates and windows are those of the Google SRE workbook, chapter 5: someone is woken up when the budget
of 30 days would be gone in about two days (14.4 times too fast, for an hour) or in five (6 times, for six
hours), and a slower loss is looked at by day. The short window beside each long one ends the alert soon after
the loss.
"""

from traversion.observability.metrics import HTTP_SECONDS, record
from traversion.observability.rules.api import ERROR_RATE, OF_USERS, REQUEST_RATE
from traversion.observability.rules.rule import EVALUATION_SECONDS, Alert, Group, Recording, Severity
from traversion.settings import ObjectiveSettings
from traversion.values import seconds_of

LEAST_FAILURES = 5
"""In the long window. One failure among a night's ten requests is no reason to wake anybody."""

_SHORT = "5m"
_PAGES = (("1h", "5m", 14.4), ("6h", "30m", 6))
_TICKETS = (("1d", "2h", 3), ("3d", "6h", 1))
WINDOWS = ("30m", "1h", "2h", "6h", "1d", "3d")

TIMED_RATE = Recording("traversion:http_timed:rate5m", f"sum(rate({HTTP_SECONDS.count.where(OF_USERS)}[5m]))")


LOSSES = {
    (name, window): f"traversion:{name}_loss:ratio_rate{window}"
    for name in ("availability", "latency")
    for window in (_SHORT, *WINDOWS)
}
"""Series of the share of bad requests, by objective and window."""
BUDGETS = {name: f"traversion:{name}_budget:remaining" for name in ("availability", "latency")}
"""Series of the share of the error budget that is left, by objective."""
for _series in (*LOSSES.values(), *BUDGETS.values()):
    record(_series, ())


class Objective:
    """One promise: the series that its budget is made of, and the alerts on their loss."""

    def __init__(self, name: str, promised_percent: float, bad: Recording, every: Recording) -> None:
        """``bad`` and ``every`` are requests per second, over five minutes."""
        self.name = name
        self.budget = round(1 - promised_percent / 100, 9)
        """The share of requests that may be bad."""
        self._bad, self._every = bad, every

    def ratio(self, window: str) -> Recording:
        """Return the share of bad requests; long windows are averages of short rates, and so cheap."""
        name = LOSSES[self.name, window]
        if window == _SHORT:
            return Recording(name, f"{self._bad} / ({self._every} > 0)")
        bad, every = (f"avg_over_time({series}[{window}])" for series in (self._bad, self._every))
        return Recording(name, f"{bad} / ({every} > 0)")

    def left(self, window: str) -> Recording:
        """Return the share of the window's error budget that is not spent yet; below 0 it is overspent."""
        bad, every = (f"avg_over_time({series}[{window}])" for series in (self._bad, self._every))
        return Recording(BUDGETS[self.name], f"1 - {bad} / ({every} > 0) / {self.budget}")

    def burns(self, summary: str, what: str) -> tuple[Alert, Alert]:
        """Return the alert that wakes someone up, and the one for the day."""
        return (
            self._alert("BurnsFast", _PAGES, summary, what, lasting="2m", severity="critical"),
            self._alert("Burns", _TICKETS, summary, what, lasting="15m", severity="warning"),
        )

    def _alert(
        self,
        suffix: str,
        windows: tuple[tuple[str, str, float], ...],
        summary: str,
        what: str,
        *,
        lasting: str,
        severity: Severity,
    ) -> Alert:
        conditions = [
            f"""({self.ratio(long)} > {round(rate * self.budget, 9)}
            and {self.ratio(short)} > {round(rate * self.budget, 9)}
            and sum_over_time({self._bad}[{long}]) * {EVALUATION_SECONDS} >= {LEAST_FAILURES})"""
            for long, short, rate in windows
        ]
        first, second = ("/".join(pair[:2]) for pair in windows)
        return Alert(
            f"Traversion{self.name.capitalize()}Budget{suffix}",
            "api",
            "\nor ".join(conditions),
            summary,
            f"{{{{ $value | humanizePercentage }}}} of the requests {what}, and {self.budget:.2%} may "
            f"(over {first} or {second}).",
            lasting=lasting,
            severity=severity,
            dashboard="overview",
        )


def group(settings: ObjectiveSettings, retention: str) -> Group:
    """Return the rules on both objectives; ``retention`` is how far back Prometheus can see."""
    quick = HTTP_SECONDS.bucket.where(OF_USERS, _within(settings.latency_seconds))
    slow = Recording("traversion:http_slow:rate5m", f"{TIMED_RATE} - on () sum(rate({quick}[5m]))")
    availability = Objective("availability", settings.availability_percent, ERROR_RATE, REQUEST_RATE)
    latency = Objective("latency", settings.latency_percent, slow, TIMED_RATE)
    window = min(settings.window, retention, key=seconds_of)
    return Group(
        "traversion-objectives",
        (
            TIMED_RATE,
            slow,
            *(each.ratio(w) for each in (availability, latency) for w in (_SHORT, *WINDOWS)),
            *(each.left(window) for each in (availability, latency)),
            *availability.burns("The API spends its error budget too fast", "failed"),
            *latency.burns(
                "The API answers too many requests late",
                f"took longer than {settings.latency_seconds:g} s",
            ),
        ),
    )


def _within(seconds: float) -> str:
    # Prometheus 3 writes the bound 1 as "1.0", and the image may write it as "1".
    whole = seconds == int(seconds)
    return f'le=~"{seconds:g}|{seconds:.1f}"' if whole else f'le="{seconds:g}"'
