"""Prometheus rules: alerts that can fire, and what they ask for."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traversion.verify.check import Problem, check
from traversion.verify.exporters import CADVISOR_PREFIX, EXPORTERS
from traversion.verify.graph import Graph
from traversion.verify.model import dig, items, mapping, text
from traversion.verify.observability import Part, jobs_of, observability, rules_of
from traversion.verify.promql import Query, is_fixed, parse, without_variables

# promql: Duration; model: metric names. Prometheus 3 allows any UTF-8, but nobody names rules so.
_DURATION = re.compile(r"^(0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$")
_METRIC = re.compile(r"^[A-Za-z_:][\w:]*$")


@dataclass(frozen=True)
class _Use:
    """A query and where it stands."""

    part: Part
    path: str
    query: str
    parsed: Query


@check(
    "promql-invalid",
    "error",
    what="A query in a rule or a dashboard does not parse as PromQL.",
    why="Prometheus refuses the whole configuration with such a rule; a panel shows an error.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: rules}
data: {rules.yml: 'groups: [{name: api, rules: [{alert: Errors, expr: "rate(errors_total[5m) > 1"}]}]'}
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: rules}
data: {rules.yml: 'groups: [{name: api, rules: [{alert: Errors, expr: "rate(errors_total[5m]) > 1"}]}]'}
""",
)
def queries_parse(graph: Graph) -> Iterator[Problem]:
    """Parse them all; in dashboards, variables are replaced first."""
    for use in _uses(graph):
        if use.parsed.error:
            wrong = f"{_short(use.query)} does not parse: {use.parsed.error}"
            yield Problem(use.part.resource, use.path, wrong, "correct the query")


@check(
    "rule-invalid",
    "error",
    what="A rule or a group of rules that Prometheus refuses.",
    why="It does not start, or keeps its former rules, with a configuration that contains it.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: rules}
data: {rules.yml: 'groups: [{name: api, rules: [{alert: Down, expr: up == 0, for: 5 minutes}]}]'}
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: rules}
data: {rules.yml: 'groups: [{name: api, rules: [{alert: Down, expr: up == 0, for: 5m}]}]'}
""",
)
def rules_are_accepted(graph: Graph) -> Iterator[Problem]:
    """Judge groups and rules as prometheus/model/rulefmt does."""
    for part in observability(graph).rules:
        groups = [mapping(each) for each in items(mapping(part.data).get("groups"))]
        names = Counter(text(group.get("name")) for group in groups)
        for name, count in names.items():
            if count > 1 or not name:
                wrong = f"{count} groups are called {name}" if name else "a group has no name"
                yield Problem(
                    part.resource, f"{part.path}.groups", wrong, "give each group a name of its own"
                )
        for path, rule in rules_of(part):
            for wrong, remedy in _rule_faults(rule):
                yield Problem(part.resource, path, wrong, remedy)


@check(
    "promql-metric-missing",
    "warning",
    what="A query asks for a metric that nothing exports although the set brings its own Prometheus.",
    why="It finds no series: the alert never fires, the panel stays empty.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data:
  prometheus.yml: "scrape_configs: [{job_name: api, static_configs: []}]"
  rules.yml: 'groups: [{name: redis, rules: [{alert: RedisDown, expr: redis_up == 0}]}]'
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data:
  prometheus.yml: "scrape_configs: [{job_name: api, static_configs: []}]"
  rules.yml: 'groups: [{name: redis, rules: [{alert: RedisDown, expr: redis_up == 0}]}]'
---
apiVersion: v1
kind: Pod
metadata: {name: exporter}
spec: {containers: [{name: exporter, image: "oliver006/redis_exporter:v1.93.0"}]}
""",
)
def metrics_are_exported(graph: Graph) -> Iterator[Problem]:
    """Find metrics of known exporters that are absent, and recording rules' names that none records.

    Silent where Prometheus discovers pods or Services of the whole cluster: an exporter may be anywhere.
    """
    seen = observability(graph)
    if not seen.configs:
        return
    everywhere = any(_discovers_cluster(job) for part in seen.configs for _, job in jobs_of(part))
    cadvisor = any("cadvisor" in str(job) for part in seen.configs for _, job in jobs_of(part))
    images = " ".join(
        text(each.data.get("image")) for pods in graph.pod_templates for each in pods.containers
    )
    recorded = {text(rule.get("record")) for part in seen.rules for _, rule in rules_of(part)}
    absent = {
        prefix: each.name
        for prefix, each in EXPORTERS.items()
        if not everywhere and not any(image in images for image in each.images)
    }
    if not cadvisor and not _federates(seen.configs):
        absent[CADVISOR_PREFIX] = "cAdvisor (the kubelet's /metrics/cadvisor)"
    for use in _uses(graph):
        for metric in dict.fromkeys(each.metric for each in use.parsed.selectors):
            if metric in recorded:
                continue
            lacking = next((name for prefix, name in absent.items() if metric.startswith(prefix)), "")
            if ":" in metric and recorded:
                lacking = "recording rule of this name"
            if lacking:
                yield Problem(
                    use.part.resource,
                    use.path,
                    f"{metric} is exported by nothing: the set has no {lacking}",
                    "run and scrape it, or ask for another metric",
                )


@check(
    "promql-job-missing",
    "warning",
    what="A query selects a job that Prometheus does not scrape.",
    why="It finds no series: the alert never fires, the panel stays empty.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data:
  prometheus.yml: "scrape_configs: [{job_name: api, static_configs: []}]"
  rules.yml: 'groups: [{name: api, rules: [{alert: ApiDown, expr: "up{job=\\"web\\"} == 0"}]}]'
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data:
  prometheus.yml: "scrape_configs: [{job_name: api, static_configs: []}]"
  rules.yml: 'groups: [{name: api, rules: [{alert: ApiDown, expr: "up{job=\\"api\\"} == 0"}]}]'
""",
)
def jobs_exist(graph: Graph) -> Iterator[Problem]:
    """Compare with the names of the scrape jobs, unless a job takes the label from its targets."""
    configs = observability(graph).configs
    jobs = [job for part in configs for _, job in jobs_of(part)]
    names = {text(job.get("job_name")) for job in jobs}
    if not names or any(_relabels_job(job) for job in jobs) or graph.of_kind("ServiceMonitor", "PodMonitor"):
        return
    for use in _uses(graph):
        wanted = {
            value
            for selector in use.parsed.selectors
            for label, operator, value in selector.matchers
            if label == "job" and operator == "=" and value and value != "variable"
        }
        for job in sorted(wanted - names):
            yield Problem(
                use.part.resource,
                use.path,
                f'job="{job}" is no scrape job, only {", ".join(sorted(names))}',
                "use the name of a scrape job",
            )


@check(
    "alert-counter",
    "warning",
    what="An alert compares a counter with a number as it is.",
    why="A counter only grows until its process restarts: the alert fires some day and then for ever.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: rules}
data: {rules.yml: 'groups: [{name: api, rules: [{alert: Errors, expr: errors_total > 100}]}]'}
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: rules}
data: {rules.yml: 'groups: [{name: api, rules: [{alert: Errors, expr: "increase(errors_total[1h]) > 100"}]}]'}
""",
)
def counters_are_rated(graph: Graph) -> Iterator[Problem]:
    """Find counters by their suffix _total."""
    for part in observability(graph).rules:
        for path, rule in rules_of(part):
            for name in parse(text(rule.get("expr"))).raw_counters if rule.get("alert") else ():
                yield Problem(
                    part.resource,
                    f"{path}.expr",
                    f"{name} is compared without rate() or increase()",
                    f"ask for increase({name}[...]) or rate({name}[...])",
                )


def _uses(graph: Graph) -> Iterator[_Use]:
    """Yield the queries of rules and dashboards, unparsed where their form depends on a variable."""
    seen = observability(graph)
    for part in seen.rules:
        for path, rule in rules_of(part):
            query = text(rule.get("expr"))
            if query and not _is_template(query):
                yield _Use(part, f"{path}.expr", query, parse(query))
    for dashboard in seen.dashboards:
        for path, query in dashboard.queries:
            certain = is_fixed(query) and not _is_template(query)
            parsed = parse(without_variables(query)) if certain else Query()
            yield _Use(dashboard.part, f"{dashboard.part.path}.{path}", query, parsed)


def _is_template(query: str) -> bool:
    return "{{" in query


def _short(query: str) -> str:
    words = " ".join(query.split())
    return words if len(words) <= 100 else words[:97] + "..."  # noqa: PLR2004 # about a line


def _rule_faults(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    alert, record = rule.get("alert"), rule.get("record")
    if bool(alert) == bool(record):
        both = "both alert and record" if alert else "neither alert nor record"
        yield f"has {both}", "give it exactly one of them"
    if rule.get("expr") in (None, ""):
        yield "has no expr", "add the query"
    if record and not _METRIC.match(str(record)):
        yield f"records {record}, which is no name of a metric", "use letters, digits, _ and :"
    for field in ("for", "keep_firing_for"):
        value = rule.get(field)
        if value is not None and not _is_duration(value):
            yield f"{field} is {value}, which is no duration", "write it as 5m or 1h30m"
    if record and rule.get("for") is not None:
        yield "has record and for", "remove for: only alerts wait"


def _is_duration(value: object) -> bool:
    return value == 0 or (isinstance(value, str) and bool(value) and bool(_DURATION.match(value)))


def _discovers_cluster(job: Mapping[str, Any]) -> bool:
    """Tell whether a job looks for targets in all namespaces, or where the set cannot see."""
    if job.get("metrics_path") == "/federate":
        return True
    for key, value in job.items():
        kubernetes = key == "kubernetes_sd_configs"
        if kubernetes and any(_is_cluster_wide(mapping(each)) for each in items(value)):
            return True
        if not kubernetes and str(key).endswith("_sd_configs"):
            return True
    return False


def _is_cluster_wide(discovery: Mapping[str, Any]) -> bool:
    return discovery.get("role") != "node" and not items(dig(discovery, "namespaces", "names"))


def _federates(configs: list[Part]) -> bool:
    return any(job.get("metrics_path") == "/federate" for part in configs for _, job in jobs_of(part))


def _relabels_job(job: Mapping[str, Any]) -> bool:
    rules = [*items(job.get("relabel_configs")), *items(job.get("metric_relabel_configs"))]
    sets = any(dig(each, "target_label") == "job" or dig(each, "action") == "labelmap" for each in rules)
    labelled = any("job" in mapping(dig(each, "labels")) for each in items(job.get("static_configs")))
    return sets or labelled or job.get("honor_labels") is True
