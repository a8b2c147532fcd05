"""What Traversion is for: events, the causes found between them, and those who ask for them."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, Variable
from traversion.observability.dashboards.queries import PromQl, Sql
from traversion.observability.metrics import (
    CONFIDENCE,
    DETECTIONS,
    EVENT_ERRORS,
    EVENT_SECONDS,
    EVENTS,
    GRAPH_SIZE,
    QUERIES,
    QUERY_SECONDS,
    STORAGE_SECONDS,
    Family,
)
from traversion.observability.rules import causality

_TENANT = 'tenant_id=~"$tenant_id"'


def _rate(family: Family, by: str) -> PromQl:
    return PromQl(f"sum by ({by}) (rate({family.where(_TENANT)}[$__rate_interval]))", f"{{{{{by}}}}}")


def _p95(family: Family, by: str, *matchers: str) -> PromQl:
    buckets = f"sum by ({by}, le) (rate({family.bucket.where(*matchers)}[$__rate_interval]))"
    return PromQl(f"histogram_quantile(0.95, {buckets})", f"{{{{{by}}}}}")


def _quantile(quantile: float, family: Family, name: str) -> PromQl:
    buckets = f"sum by (le) (rate({family.bucket.where(_TENANT)}[$__rate_interval]))"
    return PromQl(f"histogram_quantile({quantile}, {buckets})", name)


def _per_interval(value: str, table: str, by: str) -> Sql:
    return Sql(
        f'SELECT $__timeGroupAlias("timestamp", $__interval), {by} AS metric, {value}\n'
        f'FROM {table} WHERE $__timeFilter("timestamp")\n'
        "GROUP BY 1, 2 ORDER BY 1"
    )


DASHBOARD = Dashboard(
    "traversion-causality",
    "Traversion / Causality",
    "Events that come in, causal relations that are found, and queries on them.",
    (
        Row(
            "Events",
            (
                Panel(
                    "Events by type",
                    "Events processed per second.",
                    (_rate(EVENTS, "event_type"),),
                    "ops",
                    stacked=True,
                ),
                Panel(
                    "Failed events",
                    "Share of all events that failed; above the line for 10 minutes is an alert.",
                    (PromQl(f"{causality.EVENT_ERROR_RATIO}", "failed"),),
                    "percentunit",
                    threshold=Threshold(causality.MOST_EVENT_ERRORS),
                ),
                Panel(
                    "Failed events by kind",
                    "Events that failed per second, by the kind of error.",
                    (_rate(EVENT_ERRORS, "error_type"),),
                    "ops",
                ),
                Panel(
                    "Time to process an event",
                    "From its arrival until it is stored and analysed.",
                    (
                        _quantile(0.5, EVENT_SECONDS, "p50"),
                        _quantile(0.95, EVENT_SECONDS, "p95"),
                        _quantile(0.99, EVENT_SECONDS, "p99"),
                    ),
                    "s",
                    width=12,
                    threshold=Threshold(causality.SLOWEST_EVENTS_P95),
                ),
                Panel(
                    "Time of storage operations (p95)",
                    "What the database takes of it; above the line for 10 minutes is an alert.",
                    (_p95(STORAGE_SECONDS, "operation"),),
                    "s",
                    width=12,
                    threshold=Threshold(causality.SLOWEST_STORAGE_P95),
                ),
            ),
        ),
        Row(
            "Causality",
            (
                Panel(
                    "Relations found",
                    "Causal relations detected per second.",
                    (_rate(DETECTIONS, "causality_type"),),
                    "ops",
                    width=6,
                    stacked=True,
                ),
                Panel(
                    "Relations per event",
                    "Of all tenants. It changes with what is sent; nothing at all for long is an alert.",
                    (PromQl(f"{causality.DETECTION_RATE} / ({causality.EVENT_RATE} > 0)", "relations"),),
                    "none",
                    width=6,
                ),
                Panel(
                    "Confidence",
                    "How sure the detection is: the median, and what nine of ten relations exceed.",
                    (_quantile(0.5, CONFIDENCE, "p50"), _quantile(0.1, CONFIDENCE, "p10")),
                    "percentunit",
                    width=6,
                    maximum=1,
                ),
                Panel(
                    "Size of the graph",
                    "Nodes of each tenant's graph, in the pod that holds most of it.",
                    (PromQl(f"max by (tenant_id) ({GRAPH_SIZE.where(_TENANT)})", "{{tenant_id}}"),),
                    width=6,
                ),
            ),
        ),
        Row(
            "Queries",
            (
                Panel(
                    "Queries by type",
                    "Causality queries per second.",
                    (_rate(QUERIES, "query_type"),),
                    "ops",
                    width=12,
                    stacked=True,
                ),
                Panel(
                    "Time of a query (p95)",
                    "One of twenty takes longer; over all types above the line for 10 minutes is an alert.",
                    (
                        _p95(QUERY_SECONDS, "query_type", _TENANT),
                        PromQl(f"{causality.QUERY_P95}", "all tenants and types"),
                    ),
                    "s",
                    width=12,
                    threshold=Threshold(causality.SLOWEST_QUERIES_P95),
                ),
            ),
        ),
        Row(
            "Stored",
            (
                Panel(
                    "Events stored",
                    "Rows of the table events in each interval, of all tenants.",
                    (_per_interval("count(*) AS events", "events", "event_type"),),
                    stacked=True,
                ),
                Panel(
                    "Confidence of stored relations",
                    "Mean of the relations stored in each interval, of all tenants.",
                    (_per_interval("avg(confidence_score) AS confidence", "causality", "relationship_type"),),
                    "percentunit",
                    maximum=1,
                ),
                Panel(
                    "Busiest files",
                    "The files with the most events in the chosen time.",
                    (
                        Sql(
                            'SELECT file_path, count(*) AS events, max("timestamp") AS last\n'
                            'FROM events WHERE $__timeFilter("timestamp")\n'
                            "GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
                        ),
                    ),
                    kind="table",
                ),
            ),
        ),
    ),
    (Variable("tenant_id", EVENTS, "Tenant"),),
)
