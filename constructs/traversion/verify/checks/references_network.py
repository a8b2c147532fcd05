"""What routes, webhooks and StatefulSets name: Services and their ports, TLS Secrets, certificates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from traversion.verify.check import Problem, check
from traversion.verify.declared import CORE, declared, literal, stated_namespace
from traversion.verify.graph import Graph
from traversion.verify.keyed import made_elsewhere, stores
from traversion.verify.model import Resource, Step, dig, items, mapping, number, path_of, text
from traversion.verify.picking import picking
from traversion.verify.routing import GATEWAY_GROUP, ROUTES, gateways

_SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}]}
---
"""
_SECURE = """
apiVersion: v1
kind: Secret
metadata: {name: web-tls}
data: {tls.crt: "", tls.key: ""}
---
"""


def _ingress(service: str, port: str) -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web}}
spec: {{defaultBackend: {{service: {{name: {service}, port: {port}}}}}}}"""


def _route(service: str, port: str) -> str:
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: web, namespace: default}}
spec: {{rules: [{{backendRefs: [{{name: {service}, port: {port}}}]}}]}}"""


@dataclass(frozen=True)
class _Backend:
    """One place where an object names a Service."""

    owner: Resource
    path: str
    name: str
    port: object
    namespace: str | None = None


@check(
    "ingress-backend-missing",
    "error",
    what="An Ingress sends requests to a Service that does not exist.",
    why="The ingress controller answers 503 for these paths.",
    wrong=_SERVICE + _ingress("site", "{number: 80}"),
    right=_SERVICE + _ingress("web", "{number: 80}"),
)
def ingress_backend_exists(graph: Graph) -> Iterator[Problem]:
    """Look up the Services of Ingresses."""
    yield from _missing_services(graph, _ingress_backends(graph))


@check(
    "ingress-port-missing",
    "error",
    what="An Ingress sends requests to a port that the Service does not have, by number or by name.",
    why="The ingress controller answers 503 for these paths.",
    wrong=_SERVICE + _ingress("web", "{name: web}"),
    right=_SERVICE + _ingress("web", "{name: http}"),
)
def ingress_port_exists(graph: Graph) -> Iterator[Problem]:
    """Compare the ports of Ingresses with those of Services."""
    yield from _missing_ports(graph, _ingress_backends(graph))


@check(
    "route-backend-missing",
    "error",
    what="A Gateway API route sends requests to a Service that does not exist.",
    why="The route is not resolved (BackendNotFound); the gateway answers 500.",
    wrong=_SERVICE + _route("site", "80"),
    right=_SERVICE + _route("web", "80"),
)
def route_backend_exists(graph: Graph) -> Iterator[Problem]:
    """Look up the Services of routes."""
    yield from _missing_services(graph, _route_backends(graph))


@check(
    "route-port-missing",
    "error",
    what="A Gateway API route names a port that the Service does not have.",
    why="The route is not resolved; the gateway answers 500.",
    wrong=_SERVICE + _route("web", "8080"),
    right=_SERVICE + _route("web", "80"),
)
def route_port_exists(graph: Graph) -> Iterator[Problem]:
    """Compare the ports of routes with those of Services."""
    yield from _missing_ports(graph, _route_backends(graph))


@check(
    "webhook-service-missing",
    "error",
    what="A webhook, an APIService or a conversion names a Service or port that does not exist.",
    why="The API server cannot reach it: requests of its kinds fail, for failurePolicy Fail all of them.",
    wrong=_SERVICE
    + """
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.shop.example.com}
spec: {group: shop.example.com, version: v1, service: {name: site, namespace: default, port: 80}}""",
    right=_SERVICE
    + """
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.shop.example.com}
spec: {group: shop.example.com, version: v1, service: {name: web, namespace: default, port: 80}}""",
)
def webhook_service_exists(graph: Graph) -> Iterator[Problem]:
    """Look up what the API server is told to call; its port is 443 where none is given."""
    backends = list(_called_by_server(graph))
    yield from _missing_services(graph, backends)
    yield from _missing_ports(graph, backends)


@check(
    "tls-secret-missing",
    "warning",
    what="An Ingress or Gateway serves TLS with a Secret that nothing in the set makes.",
    why="Unless it is there already, clients get the controller's self-made certificate, or no listener.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {tls: [{hosts: [example.com], secretName: web-tls}]}""",
    right=_SECURE
    + """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {tls: [{hosts: [example.com], secretName: web-tls}]}""",
)
def tls_secret_is_declared(graph: Graph) -> Iterator[Problem]:
    """Look up TLS Secrets; one of the set without certificate and key is an error."""
    for owner, path, name, namespace in _tls_secrets(graph):
        source = stores(graph).secrets.find(owner, name, namespace)
        if source is None:
            if not made_elsewhere(graph, owner, name):
                remedy = "declare a Certificate, or name an issuer in the annotation cert-manager.io/issuer"
                yield Problem(owner, path, f"nothing makes the Secret {name}", remedy)
            continue
        for key in ("tls.crt", "tls.key"):
            if source.lacks(key):
                wrong = f"Secret {name} has no key {key} (it has: {source.listed()})"
                yield Problem(owner, path, wrong, "give it tls.crt and tls.key", "error")


def _tls_secrets(graph: Graph) -> Iterator[tuple[Resource, str, str, str | None]]:
    for ingress in graph.of_kind("Ingress"):
        for index, entry in enumerate(items(ingress.spec.get("tls"))):
            # Without a name the controller takes its default certificate, on purpose.
            if name := literal(dig(entry, "secretName")):
                yield ingress, f"spec.tls[{index}].secretName", name, None
    for gateway in gateways(graph):
        for index, listener in enumerate(items(gateway.spec.get("listeners"))):
            for position, entry in enumerate(items(dig(listener, "tls", "certificateRefs"))):
                name = literal(dig(entry, "name"))
                if name and dig(entry, "kind") in (None, "Secret") and not dig(entry, "group"):
                    path = f"spec.listeners[{index}].tls.certificateRefs[{position}].name"
                    yield gateway, path, name, text(dig(entry, "namespace")) or None


@check(
    "ca-certificate-missing",
    "error",
    what="An object asks cert-manager to inject the CA of a Certificate that does not exist.",
    why="caBundle stays empty, and the API server does not trust what it calls.",
    wrong="""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web, annotations: {cert-manager.io/inject-ca-from: shop/web-tls}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop}
spec: {secretName: web-tls}""",
    right="""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web, annotations: {cert-manager.io/inject-ca-from: shop/web}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop}
spec: {secretName: web-tls}""",
)
def injected_certificate_exists(graph: Graph) -> Iterator[Problem]:
    """Look up the Certificate, which is named and not its Secret: a frequent slip."""
    annotation = "cert-manager.io/inject-ca-from"
    for each in graph.resources:
        value = literal(each.annotations.get(annotation))
        namespace, slash, name = value.partition("/")
        if not slash or declared(graph).find("cert-manager.io", "Certificate", name, each, namespace):
            continue
        yield Problem(
            each,
            f"metadata.annotations[{annotation}]",
            f"there is no Certificate {name} in namespace {namespace}",
            "name the Certificate (not its Secret) as namespace/name",
            declared(graph).severity(namespace),
        )


@check(
    "governing-service-missing",
    "error",
    what="A StatefulSet's serviceName is no Service of its namespace.",
    why="Its pods get no DNS names, so they do not find each other.",
    wrong=_SERVICE
    + """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec: {serviceName: site, template: {spec: {}}}""",
    right=_SERVICE
    + """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec: {serviceName: web, template: {spec: {}}}""",
)
def governing_service_exists(graph: Graph) -> Iterator[Problem]:
    """Look up serviceName; leaving it out is a choice, and a single pod has nobody to find."""
    for each in graph.of_kind("StatefulSet"):
        backend = _Backend(each, "spec.serviceName", literal(each.spec.get("serviceName")), None)
        alone = (number(each.spec.get("replicas", 1)) or 0) <= 1
        for problem in _missing_services(graph, [backend]):
            yield replace(problem, severity="warning") if alone else problem


@check(
    "governing-service-not-headless",
    "warning",
    what="A StatefulSet's serviceName is a Service with a cluster IP, or one that does not select its pods.",
    why="Its pods get no DNS names of their own, such as web-0.web.",
    wrong=_SERVICE
    + """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec: {serviceName: web, template: {spec: {}}}""",
    right="""
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec: {serviceName: web, template: {metadata: {labels: {app: web}}, spec: {}}}""",
)
def governing_service_is_headless(graph: Graph) -> Iterator[Problem]:
    """Look at the Services that govern StatefulSets."""
    for each in graph.of_kind("StatefulSet"):
        name = literal(each.spec.get("serviceName"))
        service = declared(graph).find(CORE, "Service", name, each) if name else None
        if service is None:
            continue
        selector = mapping(service.spec.get("selector"))
        if service.spec.get("clusterIP") != "None":
            remedy = "add a Service with clusterIP: None and name that one; clients may keep the other"
            yield Problem(each, "spec.serviceName", f"Service {name} has a cluster IP", remedy)
        elif selector and all(
            pods.owner is not each for pods in picking(graph).by_labels(stated_namespace(service), selector)
        ):
            remedy = "give the Service the labels of the StatefulSet's pods"
            yield Problem(each, "spec.serviceName", f"Service {name} does not select its pods", remedy)


def _ingress_backends(graph: Graph) -> Iterator[_Backend]:
    for each in graph.of_kind("Ingress"):
        if each.group not in {"networking.k8s.io", "extensions"}:
            continue
        for field in ("defaultBackend", "backend"):
            yield from _ingress_backend(each, each.spec.get(field), ("spec", field))
        for index, rule in enumerate(items(each.spec.get("rules"))):
            for position, path in enumerate(items(dig(rule, "http", "paths"))):
                steps = ("spec", "rules", index, "http", "paths", position, "backend")
                yield from _ingress_backend(each, dig(path, "backend"), steps)


def _ingress_backend(each: Resource, backend: object, steps: tuple[Step, ...]) -> Iterator[_Backend]:
    service = mapping(dig(backend, "service"))
    if service:
        port = dig(service, "port", "name") or dig(service, "port", "number")
        # The AWS controller's actions: the "Service" is an annotation of the Ingress.
        if port != "use-annotation":
            yield _Backend(each, path_of(*steps, "service"), literal(service.get("name")), port)
    elif dig(backend, "servicePort") != "use-annotation":  # networking.k8s.io/v1beta1
        yield _Backend(
            each, path_of(*steps), literal(dig(backend, "serviceName")), dig(backend, "servicePort")
        )


def _route_backends(graph: Graph) -> Iterator[_Backend]:
    for each in graph.of_kind(*ROUTES):
        if each.group != GATEWAY_GROUP:
            continue
        for index, rule in enumerate(items(each.spec.get("rules"))):
            for position, backend in enumerate(items(dig(rule, "backendRefs"))):
                if dig(backend, "kind") in (None, "Service") and not dig(backend, "group"):
                    path = f"spec.rules[{index}].backendRefs[{position}]"
                    namespace = text(dig(backend, "namespace")) or None
                    yield _Backend(each, path, literal(dig(backend, "name")), dig(backend, "port"), namespace)


def _called_by_server(graph: Graph) -> Iterator[_Backend]:
    for each in graph.of_kind("APIService"):
        yield from _called(each, each.spec.get("service"), "spec.service")
    for each in graph.of_kind("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for index, webhook in enumerate(items(each.data.get("webhooks"))):
            path = f"webhooks[{index}].clientConfig.service"
            yield from _called(each, dig(webhook, "clientConfig", "service"), path)
    for each in graph.of_kind("CustomResourceDefinition"):
        steps = ("spec", "conversion", "webhook", "clientConfig", "service")
        yield from _called(each, each.dig(*steps), path_of(*steps))


def _called(each: Resource, service: object, path: str) -> Iterator[_Backend]:
    fields: Mapping[str, Any] = mapping(service)
    if fields:
        namespace = literal(fields.get("namespace"))
        yield _Backend(each, path, literal(fields.get("name")), fields.get("port", 443), namespace)


def _missing_services(graph: Graph, backends: Iterator[_Backend] | list[_Backend]) -> Iterator[Problem]:
    known = declared(graph)
    for each in backends:
        place = stated_namespace(each.owner) if each.namespace is None else each.namespace
        if not each.name or known.find(CORE, "Service", each.name, each.owner, each.namespace):
            continue
        if known.operator_makes(place, each.name):
            continue
        where = f" in namespace {place}" if place else ""
        severity = known.severity(place or each.owner.namespace or "default")
        remedy = "declare it or correct the name"
        yield Problem(each.owner, each.path, f"there is no Service {each.name}{where}", remedy, severity)


def _missing_ports(graph: Graph, backends: Iterator[_Backend] | list[_Backend]) -> Iterator[Problem]:
    for each in backends:
        service = declared(graph).find(CORE, "Service", each.name, each.owner, each.namespace)
        if service is None or service.spec.get("type") == "ExternalName":
            continue
        ports = items(service.spec.get("ports"))
        offered = {number(dig(port, "port")) for port in ports} | {text(dig(port, "name")) for port in ports}
        offered -= {None, ""}
        if not isinstance(each.port, str | int) or each.port in offered or not literal(str(each.port)):
            continue
        shown = ", ".join(f"{text(dig(port, 'name')) or 'unnamed'} {dig(port, 'port')}" for port in ports)
        yield Problem(
            each.owner,
            each.path,
            f"Service {each.name} has no port {each.port} (it has: {shown or 'none'})",
            "name one of its ports; the container's own port stands behind it",
        )
