"""The service at a glance: is it well, and if not, where to look."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, Variable, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    ACTIVE_SESSIONS,
    ALERTS,
    AUTH_ATTEMPTS,
    DEPLOYMENT_AVAILABLE,
    DEPLOYMENT_WANTED,
    EVENT_LOOP_SECONDS,
    HPA_MAXIMUM,
    HTTP_REQUESTS,
    HTTP_SECONDS,
    LIMITS,
    POD_READY,
    WEBSOCKET_CONNECTIONS,
)
from traversion.observability.rules import api, kubernetes, redis, timescaledb

_FIRING = ALERTS.where('alertstate="firing"', 'severity!="none"')
_DEPLOYMENT = f'deployment="{api.DEPLOYMENT}"'
_SLOW = Threshold(0.5, api.SLOWEST_P95)
_FAILING = Threshold(0.01, api.MOST_ERRORS)
_UP = Threshold(1, 0.5)
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
    "Traffic, errors, latency and saturation of the API, and the alerts that are firing.",
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
                Panel(
                    "Busiest endpoints",
                    "The ten endpoints with the most requests per second.",
                    (
                        PromQl(
                            "topk(10, sum by (method, endpoint) "
                            f"(rate({HTTP_REQUESTS.where(api.OF_USERS)}[$__rate_interval])))",
                            "{{method}} {{endpoint}}",
                        ),
                    ),
                    "reqps",
                    width=12,
                ),
                Panel(
                    "Slowest endpoints (p95)",
                    "The ten endpoints with the highest p95.",
                    (
                        PromQl(
                            "topk(10, histogram_quantile(0.95, sum by (method, endpoint, le) "
                            f"(rate({HTTP_SECONDS.bucket.where(api.OF_USERS)}[$__rate_interval]))))",
                            "{{method}} {{endpoint}}",
                        ),
                    ),
                    "s",
                    width=12,
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
                    "Requests by pod",
                    "Whether the load is spread evenly.",
                    (
                        PromQl(
                            "sum by (pod) "
                            f"(rate({HTTP_REQUESTS.where(api.OF_USERS, _POD)}[$__rate_interval]))",
                            "{{pod}}",
                        ),
                    ),
                    "reqps",
                ),
                Panel(
                    "Event loop lag (p99)",
                    "How late callbacks start: the main thread of Node.js is the API's scarcest resource.",
                    (
                        PromQl(
                            "histogram_quantile(0.99, sum by (pod, le) "
                            f"(rate({EVENT_LOOP_SECONDS.bucket.where(_POD)}[$__rate_interval])))",
                            "{{pod}}",
                        ),
                    ),
                    "s",
                    threshold=Threshold(api.LATEST_CALLBACK),
                ),
                Panel(
                    "Dependencies",
                    "Connections of TimescaleDB and memory of Redis, as shares of what they allow.",
                    (
                        PromQl(f"{timescaledb.CONNECTIONS}", "TimescaleDB connections"),
                        PromQl(f"{redis.MEMORY}", "Redis memory"),
                    ),
                    "percentunit",
                    threshold=Threshold(timescaledb.MOST_CONNECTIONS),
                ),
            ),
        ),
        Row(
            "Users",
            (
                Panel(
                    "Sessions",
                    "Sessions in use.",
                    (PromQl(f"sum({ACTIVE_SESSIONS})", "sessions"),),
                    width=12,
                ),
                Panel(
                    "Log-ins",
                    "Attempts to log in, by their result; a wave of failures may be an attack.",
                    (
                        PromQl(
                            f"sum by (method, result) (rate({AUTH_ATTEMPTS}[$__rate_interval]))",
                            "{{method}} {{result}}",
                        ),
                    ),
                    "ops",
                    width=12,
                    stacked=True,
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
