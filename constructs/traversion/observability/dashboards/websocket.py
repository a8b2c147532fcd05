"""WebSocket clients: how many, on which pods, and what they are told."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, Variable, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import EVENT_LOOP_SECONDS, WEBSOCKET_CONNECTIONS, WEBSOCKET_MESSAGES
from traversion.observability.rules import api

_POD = 'pod=~"$pod"'
_OPEN = f"sum({WEBSOCKET_CONNECTIONS.where(_POD)})"
_BY_POD = f"sum by (pod) ({WEBSOCKET_CONNECTIONS.where(_POD)})"

DASHBOARD = Dashboard(
    "traversion-websocket",
    "Traversion / WebSocket",
    "Connections that are open, how they are spread over the pods, and the messages on them.",
    (
        Row(
            "Now",
            (
                number("Connections", "Open, over the chosen pods.", _OPEN, width=6),
                number(
                    "Of a quarter of an hour ago",
                    "Connections now by connections 15 minutes ago; below a half for 5 minutes is an alert.",
                    f"{_OPEN} / (sum({WEBSOCKET_CONNECTIONS.where(_POD)} offset 15m) > 0)",
                    "percentunit",
                    width=6,
                    threshold=Threshold(0.8, 0.5),
                ),
                number(
                    "Busiest pod",
                    "Its connections by the mean of all pods; five for half an hour is an alert.",
                    f"max({_BY_POD}) / (avg({_BY_POD}) > 0)",
                    "none",
                    width=6,
                    threshold=Threshold(3, 5),
                ),
                number(
                    "Messages",
                    "Per second, over all connections.",
                    f"sum(rate({WEBSOCKET_MESSAGES.where(_POD)}[$__rate_interval]))",
                    "mps",
                    width=6,
                ),
            ),
        ),
        Row(
            "Connections",
            (
                Panel(
                    "Connections by pod",
                    "Connections stay where they were opened, so new pods fill up slowly.",
                    (PromQl(_BY_POD, "{{pod}}"),),
                    width=12,
                    stacked=True,
                ),
                Panel(
                    "Connections by tenant",
                    "The ten tenants with the most.",
                    (
                        PromQl(
                            f"topk(10, sum by (tenant_id) ({WEBSOCKET_CONNECTIONS.where(_POD)}))",
                            "{{tenant_id}}",
                        ),
                    ),
                    width=12,
                ),
            ),
        ),
        Row(
            "Messages",
            (
                Panel(
                    "Messages by type",
                    "Messages per second, over all connections.",
                    (
                        PromQl(
                            "sum by (message_type) "
                            f"(rate({WEBSOCKET_MESSAGES.where(_POD)}[$__rate_interval]))",
                            "{{message_type}}",
                        ),
                    ),
                    "mps",
                    stacked=True,
                ),
                Panel(
                    "Messages per connection",
                    "Per second. Connections without messages may be dead.",
                    (
                        PromQl(
                            f"sum(rate({WEBSOCKET_MESSAGES.where(_POD)}[$__rate_interval])) / ({_OPEN} > 0)",
                            "messages",
                        ),
                    ),
                    "mps",
                ),
                Panel(
                    "Event loop lag (p99)",
                    "Messages and pings wait as long as the main thread is blocked.",
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
            ),
        ),
    ),
    (Variable("pod", WEBSOCKET_CONNECTIONS, "Pod"),),
)
