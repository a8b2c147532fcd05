"""The API by route: what is asked for, what fails, what is slow, and on which pod."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, Variable, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    AUTH_ATTEMPTS,
    DEPLOYMENT_AVAILABLE,
    DEPLOYMENT_WANTED,
    EVENT_LOOP_SECONDS,
    HTTP_REQUESTS,
    HTTP_SECONDS,
    LIMITS,
    RESTARTS,
)
from traversion.observability.rules import api, kubernetes

_POD, _ROUTE, _API_PODS = 'pod=~"$pod"', 'endpoint=~"$endpoint"', 'container="traversion"'
_CHOSEN = (api.OF_USERS, _POD, _ROUTE)
_FAILED = 'status_code=~"5.."'
_DEPLOYMENT = f'deployment="{api.DEPLOYMENT}"'
_SLOW = Threshold(0.5, api.SLOWEST_P95)
_FAILING = Threshold(0.01, api.MOST_ERRORS)
_EACH = "{{method}} {{endpoint}}"


def _requests(by: str, *matchers: str) -> str:
    return f"sum by ({by}) (rate({HTTP_REQUESTS.where(*_CHOSEN, *matchers)}[$__rate_interval]))"


def _quantile(quantile: float, by: str) -> str:
    buckets = f"sum by ({by}le) (rate({HTTP_SECONDS.bucket.where(*_CHOSEN)}[$__rate_interval]))"
    return f"histogram_quantile({quantile}, {buckets})"


DASHBOARD = Dashboard(
    "traversion-api",
    "Traversion / API",
    "Requests, errors and latency by route and by pod, and what limits the pods.",
    (
        Row(
            "Now",
            (
                number(
                    "Pods available",
                    "Pods of the API that can serve.",
                    f"sum({DEPLOYMENT_AVAILABLE.where(_DEPLOYMENT)}) or vector(0)",
                    width=6,
                    threshold=Threshold(1, 0.5),
                ),
                number(
                    "Missing pods",
                    "Pods that are wanted and cannot serve.",
                    f"sum({DEPLOYMENT_WANTED.where(_DEPLOYMENT)}) "
                    f"- sum({DEPLOYMENT_AVAILABLE.where(_DEPLOYMENT)})",
                    width=6,
                    threshold=Threshold(1),
                ),
                number(
                    "Restarts",
                    "Of the API's containers, within an hour.",
                    f"sum(increase({RESTARTS.where(_API_PODS)}[1h]))",
                    width=6,
                    threshold=Threshold(1, 3),
                ),
                number(
                    "Requests",
                    "Requests per second of users, of the chosen routes and pods.",
                    f"sum(rate({HTTP_REQUESTS.where(*_CHOSEN)}[$__rate_interval]))",
                    "reqps",
                    width=6,
                ),
            ),
        ),
        Row(
            "Routes",
            (
                Panel(
                    "Busiest routes",
                    "The ten routes with the most requests per second.",
                    (PromQl(f"topk(10, {_requests('method, endpoint')})", _EACH),),
                    "reqps",
                ),
                Panel(
                    "Slowest routes (p95)",
                    "The ten routes with the highest p95.",
                    (PromQl(f"topk(10, {_quantile(0.95, 'method, endpoint, ')})", _EACH),),
                    "s",
                    threshold=_SLOW,
                ),
                Panel(
                    "Failing routes",
                    "The ten routes with the highest share of 5xx.",
                    (
                        PromQl(
                            f"topk(10, {_requests('method, endpoint', _FAILED)} "
                            f"/ ({_requests('method, endpoint')} > 0))",
                            _EACH,
                        ),
                    ),
                    "percentunit",
                    threshold=_FAILING,
                ),
            ),
        ),
        Row(
            "Answers",
            (
                Panel(
                    "Requests by status",
                    "Requests per second of the chosen routes and pods, by the status of the answer.",
                    (PromQl(_requests("status_code"), "{{status_code}}"),),
                    "reqps",
                    stacked=True,
                ),
                Panel(
                    "Latency",
                    "Quantiles of the chosen routes over the chosen pods.",
                    tuple(
                        PromQl(_quantile(quantile, ""), name)
                        for quantile, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
                    ),
                    "s",
                    threshold=_SLOW,
                ),
                Panel(
                    "Log-ins",
                    "Attempts to log in, by their result; a wave of failures may be an attack.",
                    (
                        PromQl(
                            f"sum by (method, result) (rate({AUTH_ATTEMPTS.where(_POD)}[$__rate_interval]))",
                            "{{method}} {{result}}",
                        ),
                    ),
                    "ops",
                    stacked=True,
                ),
            ),
        ),
        Row(
            "Pods",
            (
                Panel(
                    "Requests by pod",
                    "Whether the load is spread evenly.",
                    (PromQl(_requests("pod"), "{{pod}}"),),
                    "reqps",
                ),
                Panel(
                    "Errors by pod",
                    "5xx per second; one pod alone points to its node or its connections.",
                    (PromQl(_requests("pod", _FAILED), "{{pod}}"),),
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
                    "CPU of the limit",
                    "Above the line for 5 minutes is an alert.",
                    (PromQl(f"{kubernetes.CPU}{{{_POD},{_API_PODS}}}", "{{pod}}"),),
                    "percentunit",
                    width=12,
                    threshold=Threshold(kubernetes.MOST_OF_LIMIT),
                ),
                Panel(
                    "Memory of the limit",
                    "Above the line for 5 minutes is an alert.",
                    (PromQl(f"{kubernetes.MEMORY}{{{_POD},{_API_PODS}}}", "{{pod}}"),),
                    "percentunit",
                    width=12,
                    threshold=Threshold(kubernetes.MOST_OF_LIMIT),
                ),
            ),
        ),
    ),
    (
        Variable("pod", LIMITS, "Pod", (_API_PODS,)),
        Variable("endpoint", HTTP_REQUESTS, "Route"),
    ),
)
