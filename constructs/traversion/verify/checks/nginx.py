"""Ingresses of ingress-nginx: its annotations."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from traversion.verify.check import Problem, check
from traversion.verify.graph import Graph
from traversion.verify.ingress_nginx import MEANT, PREFIX, REMOVED, SNIPPETS, fault, is_known
from traversion.verify.model import PodTemplate, Resource, dig, items, mapping, text
from traversion.verify.routing import class_of, hosts_of, ingresses, paths_of

_GRAFANA = re.compile(r"(^|/)grafana(-oss|-enterprise)?([:@]|$)")
_PATTERN = re.compile(r"[()\[\]^$*+?|\\{}]")


@check(
    "nginx-annotation-unknown",
    "error",
    what="An annotation under nginx.ingress.kubernetes.io/ that ingress-nginx does not have.",
    why="The controller ignores it without a word, so what it asks for does not happen.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/rate-limit: "100"}}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/limit-rps: "100"}}
""",
)
def annotations_exist(graph: Graph) -> Iterator[Problem]:
    """Compare with the table of the controller's annotations; a warning for those that older releases had."""
    for ingress, name, _ in _annotations(graph):
        if name in REMOVED:
            yield Problem(ingress, _path(name), f"{PREFIX}{name} was {REMOVED[name]}", "remove it", "warning")
        elif not is_known(name):
            yield Problem(
                ingress,
                _path(name),
                f"ingress-nginx has no annotation {name}",
                MEANT.get(name, "see the controller's list of annotations, or remove it"),
            )


@check(
    "nginx-annotation-value",
    "error",
    what="An annotation of ingress-nginx whose value is not of the form that the controller reads.",
    why="Its webhook refuses the Ingress; without the webhook it uses its default instead.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/proxy-read-timeout: 300s}}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/proxy-read-timeout: "300"}}
""",
)
def annotations_have_their_form(graph: Graph) -> Iterator[Problem]:
    """Judge values as the controller's validators do."""
    for ingress, name, value in _annotations(graph):
        if not isinstance(value, str):
            yield Problem(
                ingress,
                _path(name),
                f"{name} is {value!r}, no text",
                "put it in quotes: annotations are texts",
            )
        elif form := fault(name, value):
            yield Problem(ingress, _path(name), f'{name} is "{value[:80]}"', f"it must be {form}")


@check(
    "nginx-snippet",
    "warning",
    what="An Ingress brings a piece of nginx configuration along.",
    why="ingress-nginx refuses such annotations unless its administrator has allowed them for everybody.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/configuration-snippet: "deny all;"}}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/denylist-source-range: 0.0.0.0/0}}
""",
)
def no_snippets(graph: Graph) -> Iterator[Problem]:
    """Find annotations of critical risk."""
    for ingress, name, _ in _annotations(graph):
        if name in SNIPPETS:
            yield Problem(
                ingress,
                _path(name),
                f"{name} needs allow-snippet-annotations and annotations-risk-level: Critical",
                "use an annotation for the purpose, or the controller's ConfigMap",
            )


@check(
    "nginx-auth",
    "error",
    what="Authentication by ingress-nginx of which a half is missing.",
    why="Without its type nobody is asked for a password; without its Secret every request gets a 503.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/auth-secret: users}}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
  annotations: {nginx.ingress.kubernetes.io/auth-secret: users, nginx.ingress.kubernetes.io/auth-type: basic}
""",
)
def authentication_is_whole(graph: Graph) -> Iterator[Problem]:
    """Find annotations that do nothing without others."""
    pairs = (
        ("auth-secret", "auth-type", "nobody is asked for a password"),
        ("auth-type", "auth-secret", "every request gets a 503"),
        ("auth-tls-verify-client", "auth-tls-secret", "no client is asked for a certificate"),
        ("proxy-ssl-verify", "proxy-ssl-secret", "the controller reads no proxy-ssl annotation"),
        ("proxy-ssl-name", "proxy-ssl-secret", "the controller reads no proxy-ssl annotation"),
    )
    for ingress in ingresses(graph):
        notes = ingress.annotations
        for given, needed, effect in pairs:
            value = notes.get(PREFIX + given, "")
            if value and value != "off" and PREFIX + needed not in notes:
                yield Problem(
                    ingress,
                    _path(given),
                    f"{given} stands without {needed}: {effect}",
                    f"add {PREFIX}{needed}",
                )
        secret = notes.get(PREFIX + "proxy-ssl-secret", "")
        if secret and secret.partition("/")[0] != ingress.namespace:
            yield Problem(
                ingress,
                _path("proxy-ssl-secret"),
                f"proxy-ssl-secret is {secret}, which is no Secret of namespace {ingress.namespace}",
                f"write it as {ingress.namespace}/<name>",
            )


@check(
    "grafana-basic-auth",
    "error",
    what="Basic authentication in front of Grafana.",
    why="Grafana takes the proxy's Authorization header for its own login and refuses every request.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: grafana
  annotations: {nginx.ingress.kubernetes.io/auth-secret: users, nginx.ingress.kubernetes.io/auth-type: basic}
spec:
  rules: [{http: {paths: [{backend: {service: {name: grafana, port: {number: 3000}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: grafana}
spec: {selector: {app: grafana}, ports: [{port: 3000}]}
---
apiVersion: v1
kind: Pod
metadata: {name: grafana, labels: {app: grafana}}
spec: {containers: [{name: grafana, image: "grafana/grafana:12.4.1"}]}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: grafana}
spec:
  rules: [{http: {paths: [{backend: {service: {name: grafana, port: {number: 3000}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: grafana}
spec: {selector: {app: grafana}, ports: [{port: 3000}]}
---
apiVersion: v1
kind: Pod
metadata: {name: grafana, labels: {app: grafana}}
spec: {containers: [{name: grafana, image: "grafana/grafana:12.4.1"}]}
""",
)
def grafana_logs_in_itself(graph: Graph) -> Iterator[Problem]:
    """Find such Ingresses before pods that run Grafana and do not leave the header alone."""
    for ingress in ingresses(graph):
        notes = ingress.annotations
        snippet = notes.get(PREFIX + "configuration-snippet", "")
        if notes.get(PREFIX + "auth-type", "").strip() != "basic" or "authorization" in snippet.lower():
            continue
        for path, _, data in paths_of(ingress):
            name = text(dig(data, "backend", "service", "name"))
            service = graph.find("Service", ingress.namespace, name)
            if service and any(_is_grafana(pods) for pods in graph.behind(service)):
                yield Problem(
                    ingress,
                    f"{path}.backend.service.name",
                    f"Service {name} is Grafana, behind basic authentication",
                    "give Grafana an Ingress without auth-type: it has its own login",
                )


@check(
    "cors-credentials",
    "error",
    what="CORS for every origin together with credentials.",
    why="Browsers refuse the pair, so calls with cookies fail; and no origin is kept out.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
  annotations:
    nginx.ingress.kubernetes.io/enable-cors: "true"
    nginx.ingress.kubernetes.io/cors-allow-origin: "*"
    nginx.ingress.kubernetes.io/cors-allow-credentials: "true"
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
  annotations:
    nginx.ingress.kubernetes.io/enable-cors: "true"
    nginx.ingress.kubernetes.io/cors-allow-origin: https://shop.example.com
""",
)
def cors_names_origins(graph: Graph) -> Iterator[Problem]:
    """Find `*` with credentials: a warning where these are on by the controller's default only."""
    for ingress in ingresses(graph):
        notes = {key.removeprefix(PREFIX): value for key, value in ingress.annotations.items()}
        if notes.get("enable-cors", "").lower() != "true":
            continue
        origins = [each.strip() for each in notes.get("cors-allow-origin", "*").split(",")]
        credentials = notes.get("cors-allow-credentials", "")
        if "*" in origins and credentials.lower() != "false":
            yield Problem(
                ingress,
                _path("cors-allow-origin" if "cors-allow-origin" in notes else "enable-cors"),
                "allows every origin (*) with credentials, "
                + ("as it asks for" if credentials else "as is the default"),
                'name the origins, or set cors-allow-credentials: "false"',
                None if credentials else "warning",
            )


@check(
    "nginx-https-off",
    "warning",
    what="An Ingress with a certificate does not redirect HTTP to HTTPS.",
    why="Who types the address without https sends passwords and tokens in clear text.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/ssl-redirect: "false"}}
spec: {tls: [{hosts: [api.example.com], secretName: api-tls}], rules: [{host: api.example.com}]}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/ssl-redirect: "true"}}
spec: {tls: [{hosts: [api.example.com], secretName: api-tls}], rules: [{host: api.example.com}]}
""",
)
def http_is_redirected(graph: Graph) -> Iterator[Problem]:
    """Find the redirect, which is on where there is TLS, switched off."""
    for ingress in ingresses(graph):
        notes = ingress.annotations
        off = notes.get(PREFIX + "ssl-redirect", "").lower() == "false"
        forced = notes.get(PREFIX + "force-ssl-redirect", "").lower() == "true"
        passed = notes.get(PREFIX + "ssl-passthrough", "").lower() == "true"
        if off and not forced and not passed and items(ingress.spec.get("tls")):
            yield Problem(ingress, _path("ssl-redirect"), "ssl-redirect is false", "remove it")


@check(
    "nginx-regex",
    "error",
    what="A path is written as a regular expression, and nothing makes the controller read it as one.",
    why="It is compared letter by letter, so no request matches it.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  ingressClassName: nginx
  rules: [{host: a.example.com, http: {paths: [{path: /api/(.*), pathType: ImplementationSpecific}]}}]
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/use-regex: "true"}}
spec:
  ingressClassName: nginx
  rules: [{host: a.example.com, http: {paths: [{path: /api/(.*), pathType: ImplementationSpecific}]}}]
""",
)
def patterns_are_declared(graph: Graph) -> Iterator[Problem]:
    """Find patterns without use-regex or rewrite-target, which count for a whole host, or in Prefix paths."""
    regex_hosts = {
        host
        for ingress in ingresses(graph)
        if ingress.annotations.get(PREFIX + "use-regex", "").lower() == "true"
        or PREFIX + "rewrite-target" in ingress.annotations
        for host in hosts_of(ingress)
    }
    for ingress in ingresses(graph):
        if "nginx" not in class_of(ingress) and not any(
            key.startswith(PREFIX) for key in ingress.annotations
        ):
            continue
        for path, host, data in paths_of(ingress):
            pattern, kind = text(data.get("path")), text(data.get("pathType"))
            if not _PATTERN.search(pattern):
                continue
            if host not in regex_hosts:
                yield Problem(
                    ingress,
                    f"{path}.path",
                    f"{pattern} is a pattern, and the Ingress has no use-regex",
                    f'set {PREFIX}use-regex: "true" and pathType: ImplementationSpecific',
                )
            elif kind in {"Prefix", "Exact"}:
                yield Problem(
                    ingress,
                    f"{path}.pathType",
                    f"{pattern} has pathType {kind}, which strict-validate-path-type refuses",
                    "use pathType: ImplementationSpecific",
                    "warning",
                )


def _annotations(graph: Graph) -> Iterator[tuple[Resource, str, object]]:
    for ingress in ingresses(graph):
        for key, value in mapping(ingress.metadata.get("annotations")).items():
            if str(key).startswith(PREFIX):
                yield ingress, str(key).removeprefix(PREFIX), value


def _path(name: str) -> str:
    return f"metadata.annotations[{PREFIX}{name}]"


def _is_grafana(pods: PodTemplate) -> bool:
    return any(
        _GRAFANA.search(text(container.data.get("image"))) and not _ignores_header(container.data)
        for container in pods.containers
    )


def _ignores_header(container: Mapping[str, Any]) -> bool:
    values = {
        text(dig(each, "name")): text(dig(each, "value")).lower() for each in items(container.get("env"))
    }
    return values.get("GF_AUTH_BASIC_ENABLED") == "false" or values.get("GF_AUTH_PROXY_ENABLED") == "true"
