"""Ingresses and Gateway routes, as the checks of the edge read them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, items, mapping, path_of, text

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
GATEWAY_GROUP = "gateway.networking.k8s.io"
_ISSUED = "cert-manager.io"
ROUTES = ("GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute")


def ingresses(graph: Graph) -> Sequence[Resource]:
    """Return the Ingresses."""
    return [each for each in graph.of_kind("Ingress") if each.group in {"networking.k8s.io", "extensions"}]


def gateways(graph: Graph) -> Sequence[Resource]:
    """Return the Gateways of Gateway API; Istio has another kind of this name."""
    return [each for each in graph.of_kind("Gateway") if each.group == GATEWAY_GROUP]


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


def certificate_of(graph: Graph, near: Resource, secret: str) -> Resource | None:
    """Return the Certificate that writes a Secret beside an object."""
    for each in graph.of_kind("Certificate"):
        here = each.group == _ISSUED and each.namespace == near.namespace
        if here and text(each.spec.get("secretName")) == secret:
            return each
    return None


def certificates_behind(graph: Graph, service: Resource) -> Sequence[Resource]:
    """Return the Certificates whose keys the pods behind a Service mount: what they may serve with."""
    mounted = {
        text(dig(volume, "secret", "secretName"))
        for pods in graph.behind(service)
        for volume in items(pods.spec.get("volumes"))
        # Of some keys only, it is mounted for its authority.
        if not items(dig(volume, "secret", "items"))
    }
    found = (certificate_of(graph, service, secret) for secret in sorted(mounted) if secret)
    return [each for each in found if each]
