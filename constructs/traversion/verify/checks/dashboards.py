"""Grafana dashboards in ConfigMaps: files that its provisioning takes and panels that show something."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from hashlib import sha256

from traversion.verify.check import Problem, Severity, check
from traversion.verify.graph import Graph
from traversion.verify.model import dig, items, mapping, text
from traversion.verify.observability import Dashboard, observability

_LONGEST_UID = 40  # grafana/pkg/util: IsShortUIDTooLong
_BUILT_IN = {"", "default", "grafana", "__expr__", "-- Grafana --", "-- Mixed --", "-- Dashboard --", "-100"}
# grafana.com/docs/grafana/latest/developers/angular_deprecation/angular-plugins; Grafana itself migrates the
# three of its core when a dashboard is opened, and shows the others no more since version 12.
_MIGRATED = {"graph": "timeseries", "singlestat": "stat", "table-old": "table"}
_GONE = {
    "briangann-gauge-panel": "gauge",
    "corpglory-progresslist-panel": "bargauge",
    "digrich-bubblechart-panel": "xychart",
    "grafana-piechart-panel": "piechart",
    "grafana-singlestat-panel": "stat",
    "grafana-worldmap-panel": "geomap",
    "jdbranham-diagram-panel": "nodeGraph",
    "michaeldmoore-multistat-panel": "barchart",
    "mtanda-histogram-panel": "histogram",
    "natel-discrete-panel": "state-timeline",
    "ryantxu-ajax-panel": "text",
    "savantly-heatmap-panel": "heatmap",
    "vonage-status-panel": "stat",
}
_VARIABLE = re.compile(r"^\$\{?(\w+)(?::\w+)?\}?$")


@check(
    "dashboard-refused",
    "error",
    what="A dashboard file that Grafana's provisioning does not load.",
    why="Grafana logs an error and the dashboard is missing.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards, labels: {grafana_dashboard: "1"}}
data: {overview.json: '{"dashboard": {"title": "Overview", "panels": []}}'}
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards, labels: {grafana_dashboard: "1"}}
data: {overview.json: '{"title": "Overview", "panels": []}'}
""",
)
def dashboards_load(graph: Graph) -> Iterator[Problem]:
    """Judge files as provisioning/dashboards/file_reader.go does: JSON, a title, a short uid."""
    for dashboard in observability(graph).dashboards:
        part = dashboard.part
        fault = _fault(dashboard)
        if fault:
            wrong, remedy = fault
            yield Problem(part.resource, part.path, wrong, remedy)


@check(
    "dashboard-twice",
    "error",
    what="Two dashboards of one Grafana have the same uid.",
    why="Each replaces the other again and again, until Grafana stops to write them.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards, labels: {grafana_dashboard: "1"}}
data:
  one.json: '{"title": "One", "uid": "overview", "panels": []}'
  two.json: '{"title": "Two", "uid": "overview", "panels": []}'
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards, labels: {grafana_dashboard: "1"}}
data:
  one.json: '{"title": "One", "uid": "one", "panels": []}'
  two.json: '{"title": "Two", "uid": "two", "panels": []}'
""",
)
def dashboards_are_unique(graph: Graph) -> Iterator[Problem]:
    """Compare uids, and titles (a warning: they may lie in different folders), within a namespace."""
    seen: dict[tuple[str, str, str], Dashboard] = {}
    for dashboard in observability(graph).dashboards:
        part = dashboard.part
        for field, severity in _UNIQUE.items():
            value = text(mapping(part.data).get(field))
            first = seen.setdefault((part.namespace, field, value), dashboard)
            if value and first is not dashboard:
                yield Problem(
                    part.resource,
                    f"{part.path}.{field}",
                    f"{first.part.resource.reference} ({first.part.key}) has the {field} {value} too",
                    f"give each dashboard its own {field}",
                    severity,
                )


@check(
    "dashboard-datasource-missing",
    "error",
    what="A panel asks a data source that Grafana is not given.",
    why="It shows an error instead of data.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: grafana}
data:
  datasources.yaml: "datasources: [{name: Prometheus, uid: prometheus, type: prometheus}]"
  overview.json: '{"title": "Overview", "panels": [{"datasource": {"uid": "prom"}}]}'
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: grafana}
data:
  datasources.yaml: "datasources: [{name: Prometheus, uid: prometheus, type: prometheus}]"
  overview.json: '{"title": "Overview", "panels": [{"datasource": {"uid": "prometheus"}}]}'
""",
)
def panels_have_data_sources(graph: Graph) -> Iterator[Problem]:
    """Compare with the provisioned data sources of the namespace, where it has any."""
    seen = observability(graph)
    given: dict[str, set[str]] = defaultdict(set)
    for part in seen.datasources:
        for each in items(mapping(part.data).get("datasources")):
            name, uid = text(dig(each, "name")), text(dig(each, "uid"))
            given[part.namespace] |= {name, uid or _made_uid(name)}
    for dashboard in seen.dashboards:
        part = dashboard.part
        known = given.get(part.namespace)
        variables = {text(dig(each, "name")) for each in items(dig(part.data, "templating", "list"))}
        for path, source in _sources(dashboard) if known else ():
            match = _VARIABLE.match(source)
            if (match.group(1) in variables) if match else source in _BUILT_IN or source in (known or ()):
                continue
            wrong = f"variable {source} is not defined" if match else f"no data source is called {source}"
            yield Problem(
                part.resource,
                f"{part.path}.{path}.datasource",
                wrong,
                f"use one of {', '.join(sorted(filter(None, known or ())))}",
            )


@check(
    "dashboard-angular",
    "warning",
    what="A panel is of a type that was written in Angular.",
    why="Grafana has run none since version 12: it converts those of its own core, the others stay empty.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards}
data: {overview.json: '{"title": "Overview", "panels": [{"type": "graph"}]}'}
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards}
data: {overview.json: '{"title": "Overview", "panels": [{"type": "timeseries"}]}'}
""",
)
def panels_are_current(graph: Graph) -> Iterator[Problem]:
    """Find the old types, once for each dashboard and type."""
    for dashboard in observability(graph).dashboards:
        found: dict[str, list[str]] = defaultdict(list)
        for path, panel in dashboard.panels:
            kind = text(panel.get("type"))
            if kind in _MIGRATED or kind in _GONE:
                found[kind].append(path)
        for kind, paths in found.items():
            yield Problem(
                dashboard.part.resource,
                f"{dashboard.part.path}.{paths[0]}.type",
                f"{len(paths)} panels are of type {kind}",
                f"use {(_MIGRATED | _GONE)[kind]}",
            )


_UNIQUE: Mapping[str, Severity | None] = {"uid": None, "title": "warning"}


def _fault(dashboard: Dashboard) -> tuple[str, str] | None:
    body = mapping(dashboard.part.data)
    uid = text(body.get("uid"))
    if dashboard.error:
        return f"is no JSON: {dashboard.error[:120]}", "correct it"
    if not body:
        return "is no JSON object", "put the dashboard's own object there"
    if "dashboard" in body and "panels" not in body:
        return 'wraps the dashboard in {"dashboard": ...}', "provisioning takes the inner object alone"
    if not text(body.get("title")).strip():
        return "has no title", "add one"
    if len(uid) > _LONGEST_UID:
        return f"its uid {uid} has {len(uid)} characters", f"shorten it to {_LONGEST_UID}"
    return None


def _sources(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    """Yield where panels name a data source, and its uid or name, once for each."""
    named = set()
    for path, panel in dashboard.panels:
        holders = [(path, panel)]
        holders += [
            (f"{path}.targets[{index}]", mapping(each))
            for index, each in enumerate(items(panel.get("targets")))
        ]
        for where, holder in holders:
            source = holder.get("datasource")
            name = source if isinstance(source, str) else text(dig(source, "uid"))
            if name not in named:
                named.add(name)
                yield where, name


def _made_uid(name: str) -> str:
    """Return the uid that Grafana gives a data source without one (datasources: safeUIDFromName)."""
    return "P" + sha256(name.encode()).digest()[:8].hex().upper()
