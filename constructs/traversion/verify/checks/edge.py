"""The way in: Ingresses and Gateway routes of any controller."""

from collections.abc import Iterator, Mapping
from typing import Any

from traversion.verify.check import Problem, check
from traversion.verify.graph import Graph, matches_selector
from traversion.verify.model import Resource, items, mapping, number, path_of, text
from traversion.verify.routing import (
    CLASS_ANNOTATION,
    GATEWAY_GROUP,
    ROUTES,
    class_of,
    covers,
    gateways,
    ingresses,
    paths_of,
)

# Controllers that take certificates from elsewhere than spec.tls say so in annotations or by their class.
_TLS_ELSEWHERE = (
    "alb.ingress.kubernetes.io/",
    "cloud.google.com/",
    "ingress.gcp.kubernetes.io/",
    "networking.gke.io/",
    "traefik.ingress.kubernetes.io/",
)
_CLASSES_WITH_TLS_ELSEWHERE = {"alb", "cloudflare-tunnel", "gce", "gce-internal", "ngrok", "tailscale"}
_LOCAL = (".internal", ".lan", ".local", ".localhost", ".test", "localhost")


@check(
    "ingress-class-annotation",
    "warning",
    what="An Ingress names its class by the annotation kubernetes.io/ingress.class.",
    why="It is deprecated since Kubernetes 1.18, and a controller may be told not to read it any more.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {kubernetes.io/ingress.class: nginx}}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec: {ingressClassName: nginx}
""",
)
def classes_are_fields(graph: Graph) -> Iterator[Problem]:
    """Find the annotation; an error beside another ingressClassName, which the API server refuses."""
    for ingress in ingresses(graph):
        old, new = ingress.annotations.get(CLASS_ANNOTATION), text(ingress.spec.get("ingressClassName"))
        if old is not None:
            both = bool(new) and old != new
            yield Problem(
                ingress,
                f"metadata.annotations[{CLASS_ANNOTATION}]",
                f"the annotation says {old}, spec.ingressClassName {new}"
                if both
                else f"names the class {old}",
                "remove the annotation" if new else f"set spec.ingressClassName: {old} instead",
                "error" if both else None,
            )


@check(
    "ingress-class-missing",
    "warning",
    what="An Ingress names no class, and no IngressClass of the set is the default.",
    why="Unless the cluster has a default class, no controller serves it.",
    wrong="""
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: api}}
""",
    right="""
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: api}, spec: {ingressClassName: nginx}}
""",
)
def classes_are_named(graph: Graph) -> Iterator[Problem]:
    """Find Ingresses without field and annotation."""
    default = any(
        each.annotations.get("ingressclass.kubernetes.io/is-default-class") == "true"
        for each in graph.of_kind("IngressClass")
    )
    for ingress in ingresses(graph):
        if not class_of(ingress) and not default:
            yield Problem(ingress, "spec.ingressClassName", "names no class", "set it, for example to nginx")


@check(
    "ingress-host-tls",
    "warning",
    what="A host of an Ingress has no certificate.",
    why="It is served in clear text, or with a certificate of the controller that browsers do not trust.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  tls: [{hosts: [api.example.com], secretName: api-tls}]
  rules: [{host: api.example.com}, {host: www.example.com}]
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  tls: [{hosts: [api.example.com, www.example.com], secretName: api-tls}]
  rules: [{host: api.example.com}, {host: www.example.com}]
""",
)
def hosts_have_certificates(graph: Graph) -> Iterator[Problem]:
    """Find hosts outside spec.tls: an error where the Ingress has certificates for others only."""
    elsewhere = {
        host
        for ingress in ingresses(graph)
        for entry in items(ingress.spec.get("tls"))
        for each in items(mapping(entry).get("hosts"))
        if (host := text(each))
    }
    for ingress in ingresses(graph):
        entries = [mapping(each) for each in items(ingress.spec.get("tls"))]
        if _tls_elsewhere(ingress) or any(not items(each.get("hosts")) for each in entries):
            continue
        own = [text(host) for each in entries for host in items(each.get("hosts"))]
        for index, rule in enumerate(items(ingress.spec.get("rules"))):
            host = text(mapping(rule).get("host"))
            if (
                not host
                or host.endswith(_LOCAL)
                or host in elsewhere
                or any(covers(each, host) for each in own)
            ):
                continue
            yield Problem(
                ingress,
                path_of("spec", "rules", index, "host"),
                f"{host} is in no spec.tls.hosts" + (f" ({', '.join(own)})" if own else ""),
                "add the host to an entry of spec.tls, with the Secret of its certificate",
                "error" if own else None,
            )


@check(
    "ingress-path-twice",
    "error",
    what="Two Ingress rules of one class have the same host and path.",
    why="The controller's webhook refuses the second, or one of the two gets no traffic.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: one}
spec: {ingressClassName: nginx, rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: two}
spec: {ingressClassName: nginx, rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix}]}}]}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: one}
spec: {ingressClassName: nginx, rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: two}
spec: {ingressClassName: nginx, rules: [{host: b.example.com, http: {paths: [{path: /, pathType: Prefix}]}}]}
""",
)
def paths_are_unique(graph: Graph) -> Iterator[Problem]:
    """Find the second of two; a canary Ingress repeats its main one on purpose."""
    seen: dict[tuple[str, str, str, str], Resource] = {}
    for ingress in ingresses(graph):
        if ingress.annotations.get("nginx.ingress.kubernetes.io/canary", "").lower() == "true":
            continue
        for where, host, data in paths_of(ingress):
            key = (class_of(ingress), host, text(data.get("path")) or "/", text(data.get("pathType")))
            first = seen.setdefault(key, ingress)
            if first is not ingress or (host and _stands_before(ingress, where, key)):
                yield Problem(
                    ingress,
                    where,
                    f"{host or 'any host'}{key[2]} is already served by {first.reference}",
                    "remove one of the two, or give them different hosts or paths",
                    None if host else "warning",
                )


@check(
    "route-parent",
    "warning",
    what="A Gateway route is attached to no listener that would take it.",
    why="No gateway serves the route: its hosts answer 404, or do not answer.",
    wrong="""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {gatewayClassName: envoy, listeners: [{name: https, port: 443, protocol: HTTPS}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec: {parentRefs: [{name: edge, sectionName: http}]}
""",
    right="""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {gatewayClassName: envoy, listeners: [{name: https, port: 443, protocol: HTTPS}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec: {parentRefs: [{name: edge, sectionName: https}]}
""",
)
def routes_have_listeners(graph: Graph) -> Iterator[Problem]:
    """Find routes whose parent is missing, or (an error) has no listener for them."""
    known = {(each.namespace, each.name): each for each in gateways(graph)}
    for route in graph.of_kind(*ROUTES):
        if route.group != GATEWAY_GROUP:
            continue
        parents = items(route.spec.get("parentRefs"))
        if not parents:
            yield Problem(route, "spec.parentRefs", "names no Gateway", "name the Gateway that serves it")
        for index, data in enumerate(parents):
            parent = mapping(data)
            if (text(parent.get("kind")) or "Gateway") != "Gateway":
                continue
            namespace = text(parent.get("namespace")) or route.namespace
            gateway = known.get((namespace, text(parent.get("name"))))
            path = path_of("spec", "parentRefs", index)
            if gateway is not None:
                wrong = _refused(graph, route, parent, gateway)
                if wrong:
                    remedy = "name a listener that takes the route, or let the Gateway allow it"
                    yield Problem(route, path, wrong, remedy, "error")
            elif namespace in {each.namespace for each in known.values()}:
                wrong = f"there is no Gateway {namespace}/{text(parent.get('name'))}"
                yield Problem(route, path, wrong, "name one that exists")


def _tls_elsewhere(ingress: Resource) -> bool:
    noted = any(key.startswith(_TLS_ELSEWHERE) for key in ingress.annotations)
    return noted or class_of(ingress) in _CLASSES_WITH_TLS_ELSEWHERE


def _stands_before(ingress: Resource, where: str, key: tuple[str, str, str, str]) -> bool:
    """Tell whether the same Ingress has the same path at an earlier place."""
    for earlier, host, data in paths_of(ingress):
        if earlier == where:
            return False
        if key == (class_of(ingress), host, text(data.get("path")) or "/", text(data.get("pathType"))):
            return True
    return False


def _refused(graph: Graph, route: Resource, parent: Mapping[str, Any], gateway: Resource) -> str:
    """Return why no listener of a Gateway takes a route; empty when one does."""
    listeners = [mapping(each) for each in items(gateway.spec.get("listeners"))]
    section, port = text(parent.get("sectionName")), number(parent.get("port"))
    named = [
        each
        for each in listeners
        if (not section or each.get("name") == section) and (port is None or each.get("port") == port)
    ]
    if not named:
        return f"{gateway.reference} has no listener {section or port}"
    allowed = [each for each in named if _allows(graph, route, gateway, each)]
    if not allowed:
        return f"{gateway.reference} allows no routes from namespace {route.namespace}"
    hosts = [text(each) for each in items(route.spec.get("hostnames")) if text(each)]
    served = [text(each.get("hostname")) for each in allowed]
    if hosts and not any(_meet(one, other) for one in served for other in hosts):
        return f"no listener of {gateway.reference} has a hostname of {', '.join(hosts)}"
    return ""


def _allows(graph: Graph, route: Resource, gateway: Resource, listener: Mapping[str, Any]) -> bool:
    namespaces = mapping(mapping(listener.get("allowedRoutes")).get("namespaces"))
    match text(namespaces.get("from")) or "Same":
        case "Same":
            return route.namespace == gateway.namespace
        case "Selector":
            labels = graph.namespaces.get(route.namespace, {})
            return matches_selector(mapping(namespaces.get("selector")), labels)
        case source:
            return source == "All"


def _meet(one: str, other: str) -> bool:
    """Tell whether two hostnames share a host; in Gateway API a wildcard covers any number of labels."""
    if not one or one == other:
        return True
    return (one.startswith("*.") and other.endswith(one[1:])) or (
        other.startswith("*.") and one.endswith(other[1:])
    )
