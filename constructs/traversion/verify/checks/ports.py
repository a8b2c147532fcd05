"""Ports between Services, pods and monitors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traversion.verify.check import Problem, check
from traversion.verify.declared import CORE, literal, stated_namespace
from traversion.verify.graph import Graph, matches_selector
from traversion.verify.model import PodTemplate, Resource, dig, items, mapping, number, text
from traversion.verify.picking import picking

_POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: "nginx:1.27", ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
"""
_SERVICE = _POD + "spec: {selector: {app: web}, ports: [{name: http, port: 80}]}\n"


@check(
    "target-port-closed",
    "error",
    what="A Service's targetPort is a name or number that none of its pods' containers declares.",
    why="A name that no container has leaves it without endpoints; a closed number refuses connections.",
    wrong=_POD + "spec: {selector: {app: web}, ports: [{port: 80, targetPort: web}]}",
    right=_POD + "spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}",
)
def target_port_is_open(graph: Graph) -> Iterator[Problem]:
    """Compare Services with the ports of their pods; a number is a warning: it may be open undeclared."""
    index = picking(graph)
    for service in graph.of_kind("Service"):
        selector = mapping(service.spec.get("selector"))
        if service.group or not selector:
            continue
        behind = list(index.by_labels(stated_namespace(service), selector))
        if not behind:
            continue
        opened = [port for pods in behind for port in _ports(pods)]
        for position, port in enumerate(items(service.spec.get("ports"))):
            yield from _closed(service, position, mapping(port), opened)


def _closed(
    service: Resource, position: int, port: Mapping[str, Any], opened: Sequence[tuple[str, int | None, str]]
) -> Iterator[Problem]:
    target, protocol = port.get("targetPort", port.get("port")), text(port.get("protocol")) or "TCP"
    path = f"spec.ports[{position}].{'targetPort' if 'targetPort' in port else 'port'}"
    if name := literal(target):
        # The endpoints controller wants name and protocol to match (k8s.io/endpointslice, FindPort).
        if (name, protocol) in {(known, spoken) for known, _, spoken in opened}:
            return
        yield Problem(
            service,
            path,
            f"no container behind the Service has a {protocol} port named {name} ({_listed(opened)})",
            "name a port that the containers declare",
        )
    elif number(target) is not None and opened and service.spec.get("clusterIP") != "None":
        # Who declares no port at all may open any; and headless Services do not translate ports.
        if target in {value for _, value, spoken in opened if spoken == protocol}:
            return
        yield Problem(
            service,
            path,
            f"no container behind the Service declares {protocol} port {target} ({_listed(opened)})",
            "correct the number, or declare the port on the container",
            "warning",
        )


def _ports(pods: PodTemplate) -> Iterator[tuple[str, int | None, str]]:
    """Yield name, number and protocol of the ports of containers that keep running."""
    for container in pods.containers:
        if container.is_init and not container.is_sidecar:
            continue
        for port in items(container.data.get("ports")):
            yield (
                text(dig(port, "name")),
                number(dig(port, "containerPort")),
                text(dig(port, "protocol")) or "TCP",
            )


def _listed(opened: Sequence[tuple[str, int | None, str]]) -> str:
    shown = sorted({f"{name or 'unnamed'} {value}/{protocol}" for name, value, protocol in opened})
    return "they declare " + (", ".join(shown[:10]) or "none")


@check(
    "monitor-selects-nothing",
    "warning",
    what="A ServiceMonitor or PodMonitor selects nothing in the namespaces that it looks at.",
    why="Prometheus scrapes nothing for it, and alerts on its metrics never fire.",
    wrong=_SERVICE
    + """---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: default}
spec: {selector: {matchLabels: {app: site}}, endpoints: [{port: http}]}""",
    right=_SERVICE
    + """---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: default}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: http}]}""",
)
def monitor_selects(graph: Graph) -> Iterator[Problem]:
    """Look behind monitors where the set has anything that they could select."""
    for monitor, candidates, selected in _monitored(graph):
        if candidates and not selected:
            kind = "Service" if monitor.kind == "ServiceMonitor" else "pod"
            selector = mapping(monitor.dig("spec", "selector", "matchLabels"))
            written = ", ".join(f"{key}={value}" for key, value in selector.items()) or "its selector"
            yield Problem(
                monitor,
                "spec.selector",
                f"{written} selects no {kind} of the set",
                f"select labels that the {kind} itself bears",
            )


@check(
    "monitor-port-missing",
    "error",
    what="A monitor scrapes a port by a name that nothing it selects has.",
    why="Prometheus drops every target of it: nothing is scraped.",
    wrong=_SERVICE
    + """---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: default}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: metrics}]}""",
    right=_SERVICE
    + """---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: default}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: http}]}""",
)
def monitor_port_exists(graph: Graph) -> Iterator[Problem]:
    """Compare the ports of monitors with those of Services or containers."""
    for monitor, _, selected in _monitored(graph):
        field = "endpoints" if monitor.kind == "ServiceMonitor" else "podMetricsEndpoints"
        names = {name for each in selected for name in _port_names(each)}
        for index, endpoint in enumerate(items(monitor.spec.get(field))):
            port = literal(dig(endpoint, "port"))
            if selected and port and port not in names:
                yield Problem(
                    monitor,
                    f"spec.{field}[{index}].port",
                    f"nothing selected has a port {port} (there are: {', '.join(sorted(names)) or 'none'})",
                    "name a port of the Service, or of the container for a PodMonitor",
                )


_Target = Resource | PodTemplate


def _monitored(graph: Graph) -> Iterator[tuple[Resource, Sequence[_Target], Sequence[_Target]]]:
    """Yield each monitor with what stands in its namespaces, and what it selects of that."""
    services: dict[str, list[_Target]] = {}
    for service in graph.of_kind("Service"):
        if service.group == CORE:
            services.setdefault(service.namespace, []).append(service)
    pods: dict[str, list[_Target]] = {}
    for each in graph.pod_templates:
        pods.setdefault(each.namespace, []).append(each)
    for monitor in graph.of_kind("ServiceMonitor", "PodMonitor"):
        if monitor.group != "monitoring.coreos.com":
            continue
        found = services if monitor.kind == "ServiceMonitor" else pods
        candidates = [each for namespace in _namespaces(monitor, found) for each in found.get(namespace, ())]
        selector = mapping(monitor.spec.get("selector"))
        yield monitor, candidates, [each for each in candidates if matches_selector(selector, each.labels)]


def _namespaces(monitor: Resource, found: Mapping[str, object]) -> list[str]:
    where = mapping(monitor.spec.get("namespaceSelector"))
    if where.get("any") is True:
        return list(found)
    named = [text(name) for name in items(where.get("matchNames"))]
    own = stated_namespace(monitor)
    return named or ([own] if own else list(found))


def _port_names(target: _Target) -> Iterator[str]:
    if isinstance(target, Resource):
        yield from (text(dig(port, "name")) for port in items(target.spec.get("ports")))
    else:
        yield from (name for name, _, _ in _ports(target) if name)
