"""Monitoring configuration in ConfigMaps, parsed: Prometheus, rules, Grafana's data sources, dashboards."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from traversion.verify.graph import Graph
from traversion.verify.model import PodTemplate, Resource, dig, items, mapping, number, text
from traversion.verify.reading import UnusableInput, documents

_LARGEST = 2 * 2**20
_GRAFANA = re.compile(r"(^|/)grafana(-oss|-enterprise)?([:@]|$)")


@dataclass(frozen=True, eq=False)
class Part:
    """One file in a ConfigMap, or the specification of a custom resource, parsed."""

    resource: Resource
    path: str
    key: str
    data: Any

    @property
    def namespace(self) -> str:
        """The namespace it is read in."""
        return self.resource.namespace


@dataclass(frozen=True)
class Dashboard:
    """One file that Grafana shall show."""

    part: Part
    error: str
    """Why it is no JSON; empty when it is."""
    mounted: bool
    """Whether Grafana surely reads it: its pods mount the file, or the ConfigMap has the sidecar's label."""

    @property
    def queries(self) -> Iterator[tuple[str, str]]:
        """Yield where each PromQL query stands, and the query."""
        for path, panel in self.panels:
            if _is_foreign(panel.get("datasource")):
                continue
            for index, target in enumerate(items(panel.get("targets"))):
                query = text(dig(target, "expr"))
                if query and not _is_foreign(dig(target, "datasource")):
                    yield f"{path}.targets[{index}].expr", query

    @cached_property
    def panels(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """The panels with their places, those in rows included."""
        body = mapping(self.part.data)
        body = mapping(body["dashboard"]) if "dashboard" in body and "panels" not in body else body
        found = []
        for path, holder in [("", body)] + [
            (f"rows[{index}].", mapping(row)) for index, row in enumerate(items(body.get("rows")))
        ]:
            for index, panel in enumerate(items(holder.get("panels"))):
                found.append((f"{path}panels[{index}]", mapping(panel)))
                for inner, other in enumerate(items(mapping(panel).get("panels"))):
                    found.append((f"{path}panels[{index}].panels[{inner}]", mapping(other)))
        return found


class Observability:
    """What a set says about monitoring."""

    def __init__(self, graph: Graph) -> None:
        """Parse the files that look like it, each text once."""
        self._graph = graph
        self.configs: list[Part] = []
        self.rules: list[Part] = []
        self.datasources: list[Part] = []
        self.adapters: list[Part] = []
        self.dashboards: list[Dashboard] = []
        self.readers = _readers(graph)
        for resource in graph.of_kind("ConfigMap"):
            for key, content in mapping(resource.data.get("data")).items():
                if isinstance(content, str) and isinstance(key, str):
                    self._sort(resource, key, content)
        for resource in graph.of_kind("PrometheusRule"):
            self.rules.append(Part(resource, "spec", "", resource.spec))

    def _sort(self, resource: Resource, key: str, content: str) -> None:
        path = f"data[{key}]"
        if key.endswith(".json"):
            self._dashboard(resource, key, content)
            return
        for mark, into, is_one in (
            ("scrape_configs", self.configs, _has_jobs),
            ("groups", self.rules, _has_rules),
            ("datasources", self.datasources, _has_datasources),
            ("seriesQuery", self.adapters, _has_series),
        ):
            if re.search(rf"\b{mark}[\"']?\s*:", content) and is_one(data := mapping(parsed(content))):
                into.append(Part(resource, path, key, data))

    def _dashboard(self, resource: Resource, key: str, content: str) -> None:
        pods = self.readers.get((resource.namespace, resource.name), ())
        mounted = "grafana_dashboard" in resource.labels or any(map(is_grafana, pods))
        data, error = parsed_json(content)
        body = mapping(data)
        inner = mapping(body.get("dashboard"))
        looks = any("panels" in each or "schemaVersion" in each or "rows" in each for each in (body, inner))
        if looks or (mounted and "apiVersion" not in body):
            self.dashboards.append(Dashboard(Part(resource, f"data[{key}]", key, data), error, mounted))


_MADE: WeakKeyDictionary[Graph, Observability] = WeakKeyDictionary()


def observability(graph: Graph) -> Observability:
    """Return what a graph says about monitoring, parsed once."""
    if graph not in _MADE:
        _MADE[graph] = Observability(graph)
    return _MADE[graph]


@lru_cache(maxsize=512)
def parsed(content: str) -> Any:  # noqa: ANN401 # whatever was written
    """Return the first document of a YAML text; None for what is none, such as a template."""
    if len(content) > _LARGEST:
        return None
    try:
        return next((data for data, _ in documents("", content)), None)
    except (UnusableInput, ValueError):
        return None


@lru_cache(maxsize=512)
def parsed_json(content: str) -> tuple[Any, str]:
    """Return a JSON text, or why it is none."""
    try:
        return json.loads(content), ""
    except (ValueError, RecursionError) as error:
        return None, str(error) or "it is nested too deeply"


def is_grafana(pods: PodTemplate) -> bool:
    """Tell whether pods run Grafana."""
    return any(_GRAFANA.search(text(container.data.get("image"))) for container in pods.containers)


def rules_of(part: Part) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where each rule of a file stands, and the rule."""
    for group_index, group in enumerate(items(mapping(part.data).get("groups"))):
        for index, rule in enumerate(items(mapping(group).get("rules"))):
            yield f"{part.path}.groups[{group_index}].rules[{index}]", mapping(rule)


def jobs_of(part: Part) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where each scrape job of a Prometheus configuration stands, and the job."""
    for index, job in enumerate(items(mapping(part.data).get("scrape_configs"))):
        yield f"{part.path}.scrape_configs[{index}]", mapping(job)


class Address:
    """A host and port in a configuration, looked up as a pod of a namespace would."""

    def __init__(self, graph: Graph, namespace: str, address: str) -> None:
        """Take host:port, with or without a scheme and a path."""
        rest = re.sub(r"^[a-z][a-z0-9+.-]*://", "", address.strip())
        rest = rest.split("/")[0].rpartition("@")[2]
        host, colon, port = rest.partition(":")
        self.host = host.lower()
        self.port = int(port) if colon and re.fullmatch("[0-9]{1,5}", port) else None
        self._graph = graph
        self._namespace = namespace

    @property
    def error(self) -> str:
        """Why nothing of the set answers there; empty when something does, or when it need not."""
        place = self._place()
        if place is None:
            return ""
        name, namespace = place
        service = self._graph.find("Service", namespace, name)
        if service is None:
            return f"there is no Service {namespace}/{name}"
        if missing := self._missing_pod(name, namespace):
            return missing
        ports = [number(dig(each, "port")) for each in items(service.spec.get("ports"))]
        headless, behind = service.spec.get("clusterIP") == "None", self._graph.behind(service)
        direct = headless and (not ports or any(self.port in each.open_ports for each in behind))
        if self.port in (None, *ports) or service.spec.get("type") == "ExternalName" or direct:
            return ""
        return (
            f"Service {namespace}/{name} has no port {self.port}, only {', '.join(map(str, ports)) or 'none'}"
        )

    @property
    def pod_port(self) -> int | None:
        """The number of the port at the pods, where the set shows it; else the port itself."""
        place = self._place()
        service = place and self._graph.find("Service", place[1], place[0])
        if not service:
            return self.port
        for each in items(service.spec.get("ports")):
            if dig(each, "port") == self.port:
                target = dig(each, "targetPort")
                if number(target):
                    return number(target)
                for pods in self._graph.behind(service):
                    return _numbered(pods, text(target)) or self.port
        return self.port

    def _place(self) -> tuple[str, str] | None:
        """Return the name and namespace of the Service that is meant; None for a host outside the set."""
        labels = self.host.split(".")
        if not re.fullmatch(r"[a-z0-9.-]+", self.host) or labels[-1].isdigit() or self.host == "localhost":
            return None
        if "svc" in labels[2:]:
            at = labels.index("svc", 2)
            name, namespace = labels[at - 2], labels[at - 1]
        elif len(labels) == 1:
            name, namespace = labels[0], self._namespace
        elif len(labels) == 2 and labels[1] in self._graph.namespaces:  # noqa: PLR2004 # service.namespace
            name, namespace = labels
        elif len(labels) == 2 and self._governed(labels[1], self._namespace):  # noqa: PLR2004 # pod.service
            name, namespace = labels[1], self._namespace
        else:
            return None
        # A namespace of which the set shows no pods and no Services is somebody else's.
        return (name, namespace) if namespace in self._shown else None

    def _governed(self, service: str, namespace: str) -> list[Resource]:
        """Return the StatefulSets whose pods have names below a Service."""
        return [
            each
            for each in self._graph.of_kind("StatefulSet")
            if each.namespace == namespace and each.spec.get("serviceName") == service
        ]

    def _missing_pod(self, service: str, namespace: str) -> str:
        """Say that a StatefulSet has too few replicas for the pod that is named, if one is."""
        pod, sets = self.host.split(".")[0], self._governed(service, namespace)
        counts = [number(each.spec.get("replicas")) for each in sets]
        if pod == service or not sets or None in counts:
            return ""
        made = {
            f"{each.name}-{(number(dig(each.spec, 'ordinals', 'start')) or 0) + index}"
            for each, count in zip(sets, counts, strict=True)
            for index in range(count or 0)
        }
        if pod in made:
            return ""
        return f"the StatefulSets of Service {namespace}/{service} make no pod {pod}"

    @property
    def _shown(self) -> set[str]:
        return shown_namespaces(self._graph)


_SHOWN: WeakKeyDictionary[Graph, set[str]] = WeakKeyDictionary()


def shown_namespaces(graph: Graph) -> set[str]:
    """Return the namespaces of which the set has workloads or Services."""
    if graph not in _SHOWN:
        _SHOWN[graph] = {each.namespace for each in graph.of_kind("Service")} | {
            each.namespace for each in graph.pod_templates
        }
    return _SHOWN[graph]


def _numbered(pods: PodTemplate, name: str) -> int | None:
    for container in pods.containers:
        for port in items(container.data.get("ports")):
            if dig(port, "name") == name:
                return number(dig(port, "containerPort"))
    return None


def _has_jobs(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("scrape_configs"), list)


def _has_rules(data: Mapping[str, Any]) -> bool:
    rules = (mapping(rule) for group in items(data.get("groups")) for rule in items(dig(group, "rules")))
    return any({"expr", "alert", "record"} & set(rule) for rule in rules)


def _has_datasources(data: Mapping[str, Any]) -> bool:
    return any("type" in mapping(each) for each in items(data.get("datasources")))


def _has_series(data: Mapping[str, Any]) -> bool:
    return any(
        "seriesQuery" in mapping(each) for key in ("rules", "externalRules") for each in items(data.get(key))
    )


def _is_foreign(source: object) -> bool:
    """Tell whether a data source is surely no Prometheus."""
    kind = text(mapping(source).get("type"))
    return bool(kind) and kind != "prometheus" and not kind.startswith(("$", "-- ", "datasource"))


def _readers(graph: Graph) -> Mapping[tuple[str, str], Sequence[PodTemplate]]:
    """Return the pods that mount each ConfigMap."""
    found: dict[tuple[str, str], list[PodTemplate]] = {}
    for pods in graph.pod_templates:
        for volume in items(pods.spec.get("volumes")):
            names = [dig(volume, "configMap", "name")]
            names += [dig(each, "configMap", "name") for each in items(dig(volume, "projected", "sources"))]
            for name in filter(None, map(text, names)):
                found.setdefault((pods.namespace, name), []).append(pods)
    return found
