"""Metrics on their way from the pods to the autoscaler."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from traversion.verify.check import Problem, Severity, check
from traversion.verify.graph import Graph
from traversion.verify.model import dig, items, mapping, path_of, text
from traversion.verify.observability import Part, observability

_METRIC_GROUPS = {
    "Pods": "custom.metrics.k8s.io",
    "Object": "custom.metrics.k8s.io",
    "External": "external.metrics.k8s.io",
}
_SLOW = re.compile(r"[*+}]\)+[*+{]")
_WARNING: Severity = "warning"


@check(
    "hpa-metric-unserved",
    "error",
    what="A HorizontalPodAutoscaler asks for a metric that nothing serves.",
    why="It cannot compute this metric, and never scales down while one metric is missing.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data: {prometheus.yml: "scrape_configs: []"}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec: {metrics: [{type: Pods, pods: {metric: {name: http_requests_per_second}}}]}
""",
    right="""
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.custom.metrics.k8s.io}
spec: {group: custom.metrics.k8s.io, version: v1beta1}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec: {metrics: [{type: Pods, pods: {metric: {name: http_requests_per_second}}}]}
""",
)
def metrics_are_served(graph: Graph) -> Iterator[Problem]:
    """Find metrics without APIService, or that no rule of the set's prometheus-adapter yields.

    Without an APIService it is an error where the set brings its own Prometheus, of which an adapter of the
    cluster knows nothing; elsewhere the cluster may have one.
    """
    seen = observability(graph)
    groups = {text(each.spec.get("group")) for each in graph.of_kind("APIService")}
    for scaler in graph.of_kind("HorizontalPodAutoscaler"):
        for index, metric in enumerate(map(mapping, items(scaler.spec.get("metrics")))):
            kind = text(metric.get("type"))
            name = text(dig(metric, kind[:1].lower() + kind[1:], "metric", "name"))
            group = _METRIC_GROUPS.get(kind)
            if not group or not name:
                continue
            path, severity = path_of("spec", "metrics", index), None
            if group not in groups:
                wrong = f"{name} needs an APIService for {group}, and the set has none"
                severity = None if seen.configs else _WARNING
            elif seen.adapters and not any(_yields(part, group, name) for part in seen.adapters):
                wrong = f"no rule of prometheus-adapter yields {name}"
            else:
                continue
            yield Problem(
                scaler,
                path,
                wrong,
                "add an adapter such as prometheus-adapter with a rule for the metric",
                severity,
            )


def _yields(part: Part, group: str, name: str) -> bool:
    """Tell whether a rule of prometheus-adapter may serve a metric."""
    rules = mapping(part.data).get("rules" if group.startswith("custom") else "externalRules")
    return any(_rule_yields(mapping(each), name) for each in items(rules))


def _rule_yields(rule: Mapping[str, Any], name: str) -> bool:
    series = re.match(r"[A-Za-z_:][\w:]*", text(rule.get("seriesQuery")))
    matches, as_ = text(dig(rule, "name", "matches")), text(dig(rule, "name", "as"))
    if as_ and "$" not in as_:
        return as_ == name
    # A regular expression of names finds whatever there is; one that could take for ever is not tried.
    if series is None or _SLOW.search(matches):
        return True
    try:
        pattern = re.compile(matches or ".*")
    except re.error:
        return True
    found = pattern.search(series.group())
    if not found:
        return False
    template = as_ or ("$1" if pattern.groups else "$0")
    made = re.sub(r"\$\{?(\d+)\}?", lambda each: _group(found, int(each.group(1))), template)
    return made == name


def _group(match: re.Match[str], index: int) -> str:
    return match.group(index) or "" if index <= match.re.groups else ""
