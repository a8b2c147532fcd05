"""Ingresses and Gateway routes, as the checks of the edge read them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traversion.verify.graph import Graph
from traversion.verify.model import Resource, items, mapping, path_of, text

CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def ingresses(graph: Graph) -> Sequence[Resource]:
    """Return the Ingresses."""
    return [each for each in graph.of_kind("Ingress") if each.group in {"networking.k8s.io", "extensions"}]


def class_of(ingress: Resource) -> str:
    """Return the name of an Ingress's class, by the field or the old annotation; empty when it has none."""
    return text(ingress.spec.get("ingressClassName")) or ingress.annotations.get(CLASS_ANNOTATION, "")


def paths_of(ingress: Resource) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield where each path of an Ingress stands, its host and itself."""
    for index, rule in enumerate(items(ingress.spec.get("rules"))):
        http = mapping(mapping(rule).get("http"))
        for number, path in enumerate(items(http.get("paths"))):
            where = path_of("spec", "rules", index, "http", "paths", number)
            yield where, text(mapping(rule).get("host")), mapping(path)


def hosts_of(ingress: Resource) -> list[str]:
    """Return the hosts of an Ingress's rules; empty texts mean any host."""
    return [text(mapping(rule).get("host")) for rule in items(ingress.spec.get("rules"))]


def covers(pattern: str, host: str) -> bool:
    """Tell whether a certificate's host is a host, or a wildcard of its parent, which is one label wide."""
    pattern, host = pattern.lower(), host.lower()
    return pattern == host or (pattern.startswith("*.") and pattern[1:] == host[host.find(".") :])
