"""Gateway API: listeners that can serve, and backends that can be verified."""

from collections.abc import Iterator, Mapping
from typing import Any

from traversion.verify.check import Problem, Severity, check
from traversion.verify.declared import CORE, declared, literal
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, items, mapping, number, path_of, text
from traversion.verify.routing import (
    GATEWAY_GROUP,
    ROUTES,
    certificate_of,
    certificates_behind,
    covers,
    gateways,
    ingresses,
)

_PROXY_NAME = "nginx.ingress.kubernetes.io/proxy-ssl-name"
_PROXY_VERIFY = "nginx.ingress.kubernetes.io/proxy-ssl-verify"

_SERVED = """
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  containers: [{name: api, image: "api:1.0.0"}]
  volumes: [{name: tls, secret: {secretName: api-tls}}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: https, port: 443}]}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: api, namespace: shop}
spec: {secretName: api-tls, dnsNames: [api.shop.svc]}
---
"""


def _gateway(*listeners: str) -> str:
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge, namespace: shop}}
spec: {{gatewayClassName: envoy, listeners: [{", ".join(listeners)}]}}
"""


def _policy(service: str, port: str, host: str = "api.shop.svc") -> str:
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{name: api, namespace: shop}}
spec:
  targetRefs: [{{group: "", kind: Service, name: {service}, sectionName: {port}}}]
  validation: {{hostname: {host}, caCertificateRefs: [{{group: "", kind: Secret, name: api-tls}}]}}
"""


@check(
    "gateway-listener",
    "error",
    what="A listener of a Gateway conflicts with another one, or terminates TLS without a certificate.",
    why="The Gateway refuses both, or it: their hosts are not served.",
    wrong=_gateway(
        "{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: a}]}}",
        "{name: b, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: b}]}}",
    ),
    right=_gateway(
        "{name: a, port: 443, protocol: HTTPS, hostname: a.x.io, tls: {certificateRefs: [{name: a}]}}",
        "{name: b, port: 443, protocol: HTTPS, hostname: b.x.io, tls: {certificateRefs: [{name: b}]}}",
    ),
)
def listeners_can_serve(graph: Graph) -> Iterator[Problem]:
    """Find two of one name, of one port with another protocol, or of one port and host."""
    for gateway in gateways(graph):
        names: set[str] = set()
        protocols: dict[int | None, str] = {}
        hosts: set[tuple[int | None, str]] = set()
        for index, data in enumerate(items(gateway.spec.get("listeners"))):
            listener = mapping(data)
            path = path_of("spec", "listeners", index)
            name, port = text(listener.get("name")), number(listener.get("port"))
            protocol, host = text(listener.get("protocol")), text(listener.get("hostname"))
            if name in names:
                yield Problem(gateway, path, f"a second listener is called {name}", "give it another name")
            elif protocols.setdefault(port, protocol) != protocol:
                wrong = f"port {port} speaks {protocols[port]} in an earlier listener, and {protocol} here"
                yield Problem(gateway, path, wrong, "give it another port")
            elif (port, host) in hosts:
                wrong = f"port {port} serves {host or 'any host'} twice"
                yield Problem(gateway, path, wrong, "give each a hostname of its own, or remove one")
            if _terminates(listener) and not items(dig(listener, "tls", "certificateRefs")):
                wrong = f"listener {name} terminates TLS without a certificate"
                # Implementations may take one from options instead.
                severity: Severity | None = "warning" if mapping(dig(listener, "tls", "options")) else None
                yield Problem(gateway, path, wrong, "name its Secret in tls.certificateRefs", severity)
            names.add(name)
            hosts.add((port, host))


@check(
    "tls-host",
    "error",
    what="A host is served with a certificate that does not bear its name.",
    why="Clients refuse it.",
    wrong=_gateway(
        "{name: a, port: 443, protocol: HTTPS, hostname: a.x.io, tls: {certificateRefs: [{name: tls}]}}"
    )
    + """
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: tls, namespace: shop}
spec: {secretName: tls, dnsNames: [b.x.io]}
""",
    right=_gateway(
        "{name: a, port: 443, protocol: HTTPS, hostname: a.x.io, tls: {certificateRefs: [{name: tls}]}}"
    )
    + """
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: tls, namespace: shop}
spec: {secretName: tls, dnsNames: ["*.x.io"]}
""",
)
def certificates_bear_their_hosts(graph: Graph) -> Iterator[Problem]:
    """Compare the hosts of listeners and Ingresses with the names of the Certificates behind them."""
    for owner, path, host, secret in _served_hosts(graph):
        certificate = certificate_of(graph, owner, secret)
        if certificate is None:
            continue
        names = [text(each) for each in items(certificate.spec.get("dnsNames"))]
        common = text(certificate.spec.get("commonName"))
        if not any(covers(name, host) for name in (*names, common) if name):
            wrong = f"{certificate.reference} is for {', '.join(names) or 'no name'}, not for {host}"
            yield Problem(owner, path, wrong, "add the host to its dnsNames, or name another Secret")


@check(
    "backend-tls-target",
    "error",
    what="A BackendTLSPolicy is for a Service, or a port of it, that does not exist.",
    why="It is applied to nothing: the gateway speaks plain HTTP to the pods, or refuses the policy.",
    wrong=_SERVED + _policy("api", "http"),
    right=_SERVED + _policy("api", "https"),
)
def policies_have_targets(graph: Graph) -> Iterator[Problem]:
    """Look up the Services and, by name, their ports."""
    for policy, path, target in _targets(graph):
        name = literal(target.get("name"))
        service = declared(graph).find(CORE, "Service", name, policy) if name else None
        if name and service is None:
            severity = declared(graph).severity(policy.namespace)
            wrong = f"there is no Service {name} in namespace {policy.namespace}"
            yield Problem(policy, path, wrong, "name a Service that exists", severity)
        section = literal(target.get("sectionName"))
        ports = [text(dig(port, "name")) for port in items(service.spec.get("ports"))] if service else []
        if service and section and section not in ports:
            wrong = f"Service {name} has no port called {section} (it has: {', '.join(ports) or 'none'})"
            yield Problem(policy, f"{path}.sectionName", wrong, "write the name of one of its ports")


@check(
    "backend-name",
    "error",
    what="What stands in front of a Service verifies a name that the certificate behind it does not bear.",
    why="Every request fails with 502: the certificate is valid, but for another name.",
    wrong=_SERVED + _policy("api", "https", "api"),
    right=_SERVED + _policy("api", "https"),
)
def backends_bear_the_name(graph: Graph) -> Iterator[Problem]:
    """Compare with the Certificates whose Secrets the pods mount; where none does, nobody can tell."""
    for owner, path, name, service in _verified(graph):
        found = declared(graph).find(CORE, "Service", service, owner)
        certificates = certificates_behind(graph, found) if found else []
        names = [text(each) for one in certificates for each in items(one.spec.get("dnsNames"))]
        if names and not any(covers(each, name) for each in names):
            wrong = f"the certificate behind Service {service} is for {', '.join(names)}, not for {name}"
            yield Problem(owner, path, wrong, "expect one of these names")


@check(
    "route-extension-missing",
    "warning",
    what="A route names a filter of an implementation that is not in the set, beside others that are.",
    why="The gateway refuses the rule, or answers 500: the filter may be what keeps others out.",
    wrong="""
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: limit, namespace: shop}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec:
  rules: [{filters: [{type: ExtensionRef, extensionRef: {group: traefik.io, kind: Middleware, name: lim}}]}]
""",
    right="""
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: limit, namespace: shop}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec:
  rules: [{filters: [{type: ExtensionRef, extensionRef: {group: traefik.io, kind: Middleware, name: limit}}]}]
""",
)
def extensions_exist(graph: Graph) -> Iterator[Problem]:
    """Look up filters of kinds that the set declares in the namespace; others may come from elsewhere."""
    for route in graph.of_kind(*ROUTES):
        if route.group != GATEWAY_GROUP:
            continue
        for index, rule in enumerate(items(route.spec.get("rules"))):
            for position, data in enumerate(items(dig(rule, "filters"))):
                reference = mapping(dig(data, "extensionRef"))
                group, kind = text(reference.get("group")), text(reference.get("kind"))
                name = literal(reference.get("name"))
                here = [each.name for each in graph.of_kind(kind) if each.namespace == route.namespace]
                if name and here and declared(graph).find(group, kind, name, route) is None:
                    path = path_of("spec", "rules", index, "filters", position, "extensionRef")
                    wrong = f"there is no {kind} {name} in namespace {route.namespace}"
                    yield Problem(route, path, wrong, f"name one of {', '.join(sorted(here)[:5])}")


def _terminates(listener: Mapping[str, Any]) -> bool:
    mode = text(dig(listener, "tls", "mode")) or "Terminate"
    return listener.get("protocol") == "HTTPS" or (listener.get("protocol") == "TLS" and mode == "Terminate")


def _served_hosts(graph: Graph) -> Iterator[tuple[Resource, str, str, str]]:
    for gateway in gateways(graph):
        for index, listener in enumerate(items(gateway.spec.get("listeners"))):
            host = text(dig(listener, "hostname"))
            secrets = [
                literal(dig(each, "name"))
                for each in items(dig(listener, "tls", "certificateRefs"))
                if dig(each, "namespace") in (None, gateway.namespace) and not dig(each, "group")
            ]
            # Of several, the one that fits is chosen.
            if host and len(secrets) == 1:
                yield gateway, path_of("spec", "listeners", index, "hostname"), host, secrets[0]
    for ingress in ingresses(graph):
        for index, entry in enumerate(items(ingress.spec.get("tls"))):
            for position, host in enumerate(items(dig(entry, "hosts"))):
                path = path_of("spec", "tls", index, "hosts", position)
                yield ingress, path, text(host), literal(dig(entry, "secretName"))


def _targets(graph: Graph) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    for policy in graph.of_kind("BackendTLSPolicy"):
        if policy.group != GATEWAY_GROUP:
            continue
        for index, data in enumerate(items(policy.spec.get("targetRefs"))):
            target = mapping(data)
            if target.get("kind") == "Service" and not target.get("group"):
                yield policy, path_of("spec", "targetRefs", index), target


def _verified(graph: Graph) -> Iterator[tuple[Resource, str, str, str]]:
    for policy, _, target in _targets(graph):
        name = literal(policy.dig("spec", "validation", "hostname"))
        # Alternative names are expected instead of the hostname.
        if name and not items(policy.dig("spec", "validation", "subjectAltNames")):
            yield policy, "spec.validation.hostname", name, literal(target.get("name"))
    for ingress in ingresses(graph):
        name = literal(ingress.annotations.get(_PROXY_NAME))
        if not name or ingress.annotations.get(_PROXY_VERIFY) != "on":
            continue
        services = {
            literal(dig(path, "backend", "service", "name"))
            for rule in items(ingress.spec.get("rules"))
            for path in items(dig(rule, "http", "paths"))
        }
        for service in sorted(services):
            yield ingress, f"metadata.annotations[{_PROXY_NAME}]", name, service
