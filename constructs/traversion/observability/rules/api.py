"""The API as its users see it: there, without errors, in time."""

from traversion.contract import Contract
from traversion.observability.metrics import (
    API,
    DEPLOYMENT_AVAILABLE,
    EVENT_LOOP_SECONDS,
    HTTP_REQUESTS,
    HTTP_SECONDS,
)
from traversion.observability.rules.rule import Alert, Group, Recording

DEPLOYMENT = "traversion-app"
MOST_ERRORS = 0.10
SLOWEST_P95 = 2
"""Seconds."""
LATEST_CALLBACK = 0.5
"""Seconds."""

# Probes and scrapes never stop. With few users their quick successes would hide every failure.
OF_USERS = 'endpoint!~".*/(health|metrics)"'

REQUEST_RATE = Recording("traversion:http_requests:rate5m", f"sum(rate({HTTP_REQUESTS.where(OF_USERS)}[5m]))")
ERROR_RATE = Recording(
    "traversion:http_errors:rate5m",
    # Without a 5xx ever there is no such series, which is no error. What is recorded bears the environment,
    # and the sum does not: without `on ()` both would be there.
    f"""sum(rate({HTTP_REQUESTS.where(OF_USERS, 'status_code=~"5.."')}[5m])) or on () 0 * {REQUEST_RATE}""",
)
ERROR_RATIO = Recording(
    "traversion:http_errors:ratio_rate5m",
    # Nothing by nothing is no ratio.
    f"{ERROR_RATE} / ({REQUEST_RATE} > 0)",
)
LATENCY_P95 = Recording(
    "traversion:http_request_duration_seconds:p95_rate5m",
    f"histogram_quantile(0.95, sum by (le) (rate({HTTP_SECONDS.bucket.where(OF_USERS)}[5m])))",
)

_DOWN_BY_SCRAPES = Alert(
    "TraversionApiDown",
    "api",
    # `absent` of a comparison: one alert, whether scrapes of all pods fail or there is no pod left to scrape.
    f"absent({API.up} == 1)",
    "The Traversion API is down",
    "For a minute Prometheus has reached no pod of the API, or has found none.",
    lasting="1m",
    severity="critical",
)
_DOWN_BY_AVAILABILITY = Alert(
    "TraversionApiDown",
    "api",
    f"""absent({DEPLOYMENT_AVAILABLE.where(f'deployment="{DEPLOYMENT}"')} > 0)""",
    "The Traversion API is down",
    f"For a minute the Deployment {DEPLOYMENT} has had no available pod, has been missing, "
    "or kube-state-metrics, which would know, has been missing.",
    lasting="1m",
    severity="critical",
)
_POD_DOWN = Alert(
    "TraversionApiPodDown",
    "api",
    # When none is up, TraversionApiDown says so. Pods that start answer within these five minutes.
    f"{API.up} == 0 unless on () absent({API.up} == 1)",
    "A pod of the Traversion API does not answer",
    "Prometheus has not reached the metrics of {{ $labels.pod }} for 5 minutes. Other pods still answer.",
    lasting="5m",
)
_ERRORS = Alert(
    "TraversionApiErrorRateHigh",
    "api",
    f"{ERROR_RATIO} > {MOST_ERRORS}",
    "The Traversion API fails many requests",
    "{{ $value | humanizePercentage }} of the last 5 minutes' requests were answered with a 5xx status.",
    lasting="2m",
    severity="critical",
)
_LATENCY = Alert(
    "TraversionApiLatencyHigh",
    "api",
    f"{LATENCY_P95} > {SLOWEST_P95}",
    "The Traversion API answers slowly",
    "One of twenty requests takes longer than {{ $value | humanizeDuration }} (p95 over all pods).",
    lasting="5m",
    severity="critical",
)
_EVENT_LOOP = Alert(
    "TraversionEventLoopBlocked",
    "api",
    f"""
    histogram_quantile(0.99, sum by (pod, le) (rate({EVENT_LOOP_SECONDS.bucket}[5m])))
    > {LATEST_CALLBACK}
    """,
    "The event loop of an API pod is blocked",
    "Callbacks of {{ $labels.pod }} start {{ $value | humanizeDuration }} late (p99): "
    "something computes on its main thread.",
    lasting="5m",
)


def group(contract: Contract) -> Group:
    """Return the rules on the API; without a metrics port only Kubernetes knows whether it is up."""
    down = (_DOWN_BY_SCRAPES, _POD_DOWN) if contract.metrics_port else (_DOWN_BY_AVAILABILITY,)
    rules = (REQUEST_RATE, ERROR_RATE, ERROR_RATIO, LATENCY_P95, *down, _ERRORS, _LATENCY, _EVENT_LOOP)
    return Group("traversion-api", rules)
