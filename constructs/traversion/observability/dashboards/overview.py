"""The service at a glance: is it well, and if not, where to look."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, Variable, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    ACTIVE_SESSIONS,
    ALERTS,
    DEPLOYMENT_AVAILABLE,
    DEPLOYMENT_WANTED,
    HPA_MAXIMUM,
    HTTP_REQUESTS,
    HTTP_SECONDS,
    LIMITS,
    POD_READY,
    WEBSOCKET_CONNECTIONS,
)
from traversion.observability.rules import api, kubernetes, objectives, redis, timescaledb

_FIRING = ALERTS.where('alertstate="firing"', 'severity!="none"')
_DEPLOYMENT = f'deployment="{api.DEPLOYMENT}"'
_SLOW = Threshold(0.5, api.SLOWEST_P95)
_FAILING = Threshold(0.01, api.MOST_ERRORS)
_UP = Threshold(1, 0.5)
_BUDGET = Threshold(0.5, 0)
_POD = 'pod=~"$pod"'


def _quantiles(by: str = "") -> tuple[PromQl, ...]:
    buckets = f"sum by (le{by}) (rate({HTTP_SECONDS.bucket.where(api.OF_USERS)}[$__rate_interval]))"
    return tuple(
        PromQl(f"histogram_quantile({quantile}, {buckets})", name)
        for quantile, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    )


DASHBOARD = Dashboard(
    "traversion-overview",
    "Traversion / Overview",
    "Traffic, errors, latency and saturation of the API, its objectives, and the alerts that are firing.",
    (
        Row(
            "Now",
            (
                number(
                    "Firing alerts",
                    "Alerts that someone should look at; the table at the bottom names them.",
                    f"count({_FIRING}) or vector(0)",
                    width=4,
                    threshold=Threshold(1),
                ),
                number(
                    "Requests",
                    "Requests per second of users; probes and scrapes are not counted.",
                    f"{api.REQUEST_RATE}",
                    "reqps",
                    width=4,
                ),
                number(
                    "Errors",
                    "Share of requests answered with a 5xx status within 5 minutes.",
                    f"{api.ERROR_RATIO}",
                    "percentunit",
                    width=4,
                    threshold=_FAILING,
                ),
                number(
                    "Latency (p95)",
                    "One of twenty requests takes longer.",
                    f"{api.LATENCY_P95}",
                    "s",
                    width=4,
                    threshold=_SLOW,
                ),
                number(
                    "Pods available",
                    "Pods of the API that can serve.",
                    f"sum({DEPLOYMENT_AVAILABLE.where(_DEPLOYMENT)}) or vector(0)",
                    width=4,
                    threshold=_UP,
                ),
                number(
                    "WebSockets",
                    "Connections open, over all pods.",
                    f"sum({WEBSOCKET_CONNECTIONS})",
                    width=4,
                ),
            ),
        ),
        Row(
            "Requests",
            (
                Panel(
                    "Requests by status",
                    "Requests per second of users, by the status of the answer.",
                    (
                        PromQl(
                            "sum by (status_code) "
                            f"(rate({HTTP_REQUESTS.where(api.OF_USERS)}[$__rate_interval]))",
                            "{{status_code}}",
                        ),
                    ),
                    "reqps",
                    stacked=True,
                ),
                Panel(
                    "Error ratio",
                    "Share of 5xx within 5 minutes; above the red line for 2 minutes is an alert.",
                    (PromQl(f"{api.ERROR_RATIO}", "5xx"),),
                    "percentunit",
                    threshold=_FAILING,
                ),
                Panel(
                    "Latency",
                    "Quantiles over all pods; a p95 above the red line for 5 minutes is an alert.",
                    _quantiles(),
                    "s",
                    threshold=_SLOW,
                ),
            ),
        ),
        Row(
            "Saturation",
            (
                Panel(
                    "Pods",
                    "Pods wanted and available; at the maximum the autoscaler cannot help any more.",
                    (
                        PromQl(f"max({DEPLOYMENT_WANTED.where(_DEPLOYMENT)})", "wanted"),
                        PromQl(f"max({DEPLOYMENT_AVAILABLE.where(_DEPLOYMENT)})", "available"),
                        PromQl(
                            f"""max({HPA_MAXIMUM.where(f'horizontalpodautoscaler="{api.DEPLOYMENT}"')})""",
                            "maximum",
                        ),
                    ),
                ),
                Panel(
                    "CPU of the limit",
                    "The busiest container of each pod; above the line for 5 minutes is an alert.",
                    (PromQl(f"max by (pod) ({kubernetes.CPU}{{{_POD}}})", "{{pod}}"),),
                    "percentunit",
                    threshold=Threshold(kubernetes.MOST_OF_LIMIT),
                ),
                Panel(
                    "Memory of the limit",
                    "The fullest container of each pod; above the line for 5 minutes is an alert.",
                    (PromQl(f"max by (pod) ({kubernetes.MEMORY}{{{_POD}}})", "{{pod}}"),),
                    "percentunit",
                    threshold=Threshold(kubernetes.MOST_OF_LIMIT),
                ),
                Panel(
                    "Sessions and WebSockets",
                    "Sessions in use, and WebSocket connections open.",
                    (
                        PromQl(f"sum({ACTIVE_SESSIONS})", "sessions"),
                        PromQl(f"sum({WEBSOCKET_CONNECTIONS})", "WebSockets"),
                    ),
                    width=12,
                ),
                Panel(
                    "Dependencies",
                    "Connections of TimescaleDB and memory of Redis, as shares of what they allow.",
                    (
                        PromQl(f"{timescaledb.CONNECTIONS}", "TimescaleDB connections"),
                        PromQl(f"{redis.MEMORY}", "Redis memory"),
                    ),
                    "percentunit",
                    width=12,
                    threshold=Threshold(timescaledb.MOST_CONNECTIONS),
                ),
            ),
        ),
        Row(
            "Objectives",
            (
                number(
                    "Availability: budget left",
                    "Share of the error budget that is not spent yet, over the window of the settings.",
                    f"{objectives.BUDGETS['availability']}",
                    "percentunit",
                    width=6,
                    threshold=_BUDGET,
                ),
                number(
                    "Latency: budget left",
                    "Share of the late answers that are not used up yet, over the same window.",
                    f"{objectives.BUDGETS['latency']}",
                    "percentunit",
                    width=6,
                    threshold=_BUDGET,
                ),
                number(
                    "Failed within an hour",
                    "Share of requests that failed, of all users.",
                    f"{objectives.LOSSES['availability', '1h']}",
                    "percentunit",
                    width=6,
                ),
                number(
                    "Late within an hour",
                    "Share of requests that took longer than the objective allows.",
                    f"{objectives.LOSSES['latency', '1h']}",
                    "percentunit",
                    width=6,
                ),
                Panel(
                    "Budgets left",
                    "At 0 the objective of the window is missed; below, users were promised too much.",
                    tuple(
                        PromQl(f"{objectives.BUDGETS[name]}", name) for name in ("availability", "latency")
                    ),
                    "percentunit",
                    minimum=None,
                    threshold=_BUDGET,
                ),
                Panel(
                    "Failed requests",
                    "Share over a short and two long windows; alerts need a short and a long one together.",
                    tuple(
                        PromQl(f"{objectives.LOSSES['availability', window]}", window)
                        for window in ("5m", "1h", "6h", "3d")
                    ),
                    "percentunit",
                ),
                Panel(
                    "Late requests",
                    "Share over the same windows.",
                    tuple(
                        PromQl(f"{objectives.LOSSES['latency', window]}", window)
                        for window in ("5m", "1h", "6h", "3d")
                    ),
                    "percentunit",
                ),
            ),
        ),
        Row(
            "What is wrong",
            (
                Panel(
                    "Firing alerts",
                    "Each alert that is firing, how grave it is and what it is about.",
                    (PromQl(f"sum by (severity, alertname, component) ({_FIRING})"),),
                    kind="table",
                    width=12,
                ),
                Panel(
                    "Pods that are not ready",
                    "Pods of this environment that do not serve; those of finished jobs are among them.",
                    (PromQl(f"""sum by (pod) ({POD_READY.where('condition="false"')} == 1)"""),),
                    kind="table",
                    width=12,
                ),
            ),
        ),
    ),
    (Variable("pod", LIMITS, "Pod"),),
)
