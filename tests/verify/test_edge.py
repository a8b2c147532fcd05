"""Checks of the way in: Ingresses, the annotations of ingress-nginx, Gateway routes."""

import pytest

from tests.verify.cases import errors, found

_IDS = {
    *(
        "nginx-annotation-unknown",
        "nginx-annotation-value",
        "nginx-snippet",
        "nginx-auth",
        "grafana-basic-auth",
    ),
    *(
        "cors-credentials",
        "nginx-https-off",
        "nginx-regex",
        "ingress-class-annotation",
        "ingress-class-missing",
    ),
    *("ingress-host-tls", "ingress-path-twice", "route-parent"),
}


def _ingress(spec: str = "{}", name: str = "api", **annotations: str) -> str:
    notes = ", ".join(
        f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}: {value}" for key, value in annotations.items()
    )
    spec = (
        spec
        if "ingressClassName" in spec or not spec.startswith("{")
        else "{ingressClassName: nginx, " + spec[1:]
    )
    return f"""
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: shop, annotations: {{{notes}}}}}
spec: {spec}
"""


def _rule(host: str, path: str = "/", kind: str = "Prefix", service: str = "api") -> str:
    return (
        f"{{host: '{host}', http: {{paths: [{{path: '{path}', pathType: {kind},"
        f" backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}]}}}}"
    )


def _spec(*rules: str, tls: str = "") -> str:
    return f"{{rules: [{', '.join(rules)}], tls: [{tls}]}}"


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ({}, set()),
        ({"limit_rps": '"5"', "proxy_body_size": "8m", "use_regex": '"true"'}, set()),
        ({"rate_limit": '"5"'}, {"nginx-annotation-unknown"}),
        ({"websocket_services": "api"}, {"nginx-annotation-unknown"}),
        ({"whitelist_source_range": "10.0.0.0/8, 192.168.0.1"}, set()),
        ({"proxy_read_timeout": '"60s"'}, {"nginx-annotation-value"}),
        ({"proxy_read_timeout": "60"}, {"nginx-annotation-value"}),  # a number, not a text
        ({"proxy_read_timeout": '"60"'}, set()),
        ({"proxy_read_timeout": '""'}, set()),
        ({"ssl_redirect": '"yes"'}, {"nginx-annotation-value"}),
        ({"ssl_redirect": '"True"'}, set()),
        ({"proxy_body_size": "8mb"}, {"nginx-annotation-value"}),
        ({"proxy_buffering": '"true"'}, {"nginx-annotation-value"}),
        ({"backend_protocol": "https"}, set()),
        ({"backend_protocol": "H2C"}, {"nginx-annotation-value"}),
        ({"proxy_ssl_verify": '"true"', "proxy_ssl_secret": "shop/ca"}, {"nginx-annotation-value"}),
        ({"proxy_ssl_verify": '"on"', "proxy_ssl_secret": "shop/ca"}, set()),
        ({"proxy_ssl_verify": '"on"'}, {"nginx-auth"}),
        ({"proxy_ssl_verify": '"off"'}, set()),
        ({"proxy_ssl_secret": "ca"}, {"nginx-auth"}),
        ({"proxy_ssl_secret": "other/ca"}, {"nginx-auth"}),
        ({"allowlist_source_range": "everybody"}, {"nginx-annotation-value"}),
        ({"configuration_snippet": "deny all;"}, {"nginx-snippet"}),
        ({"auth_secret": "users"}, {"nginx-auth"}),
        ({"auth_type": "basic"}, {"nginx-auth"}),
        ({"auth_type": "basic", "auth_secret": "users"}, set()),
        ({"auth_url": "https://auth.x.io", "auth_signin": "https://auth.x.io"}, set()),
        ({"enable_cors": '"true"'}, {"cors-credentials"}),
        ({"enable_cors": '"true"', "cors_allow_credentials": '"false"'}, set()),
        ({"enable_cors": '"true"', "cors_allow_origin": "https://a.x.io, https://b.x.io"}, set()),
        ({"enable_cors": '"false"', "cors_allow_origin": '"*"'}, set()),
        ({"cors_allow_origin": '"*"', "cors_allow_credentials": '"true"'}, set()),
    ],
)
def test_annotations(notes: dict[str, str], expected: set[str]) -> None:
    quoted = {
        key: value if value.startswith('"') or value == "60" else f'"{value}"' for key, value in notes.items()
    }
    assert found(_ingress(**quoted)) & _IDS == expected


def test_annotations_of_older_controllers_are_warnings() -> None:
    manifests = _ingress(enable_opentracing='"true"')
    assert "nginx-annotation-unknown" in found(manifests)
    assert "nginx-annotation-unknown" not in errors(manifests)


def test_explicit_credentials_for_everybody_are_an_error() -> None:
    assert "cors-credentials" not in errors(_ingress(enable_cors='"true"', cors_allow_origin='"*"'))
    assert "cors-credentials" in errors(_ingress(enable_cors='"true"', cors_allow_credentials='"true"'))


_TLS = "{hosts: [a.x.io], secretName: tls}"


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        (_ingress(_spec(_rule("a.x.io"), tls=_TLS)), set()),
        (_ingress(_spec(_rule("a.x.io"))), {"ingress-host-tls"}),
        (_ingress(_spec(_rule("shop.local"))), set()),
        (_ingress(_spec(_rule(""))), set()),
        (_ingress(_spec(_rule("a.x.io"), tls="{secretName: tls}")), set()),
        (_ingress(_spec(_rule("a.x.io"), tls="{hosts: ['*.x.io'], secretName: tls}")), set()),
        (
            _ingress(_spec(_rule("a.b.x.io"), tls="{hosts: ['*.x.io'], secretName: tls}")),
            {"ingress-host-tls"},
        ),
        # Two Ingresses of one host, of which one brings the certificate.
        (
            _ingress(_spec(_rule("a.x.io"), tls=_TLS)) + _ingress(_spec(_rule("a.x.io", "/v2")), "two"),
            set(),
        ),
        (
            _ingress(_spec(_rule("a.x.io"), tls=_TLS)) + _ingress(_spec(_rule("a.x.io"), tls=_TLS), "two"),
            {"ingress-path-twice"},
        ),
        (
            _ingress(_spec(_rule("a.x.io"), tls=_TLS))
            + _ingress(_spec(_rule("a.x.io"), tls=_TLS), "two", canary='"true"', canary_weight='"5"'),
            set(),
        ),
        (_ingress(_spec(_rule("a.x.io"), _rule("a.x.io"), tls=_TLS)), {"ingress-path-twice"}),
        (_ingress(_spec(_rule("a.x.io", "/"), _rule("a.x.io", "/", "Exact"), tls=_TLS)), set()),
        (_ingress(_spec(_rule("a.x.io"), tls=_TLS), ssl_redirect='"false"'), {"nginx-https-off"}),
        (
            _ingress(_spec(_rule("a.x.io"), tls=_TLS), ssl_redirect='"false"', force_ssl_redirect='"true"'),
            set(),
        ),
        (_ingress(_spec(_rule("a.x.io", "/(.*)"), tls=_TLS)), {"nginx-regex"}),
        (
            _ingress(_spec(_rule("a.x.io", "/(.*)", "ImplementationSpecific"), tls=_TLS), use_regex='"true"'),
            set(),
        ),
        (
            _ingress(
                _spec(_rule("a.x.io", "/(.*)", "ImplementationSpecific"), tls=_TLS), rewrite_target='"/$1"'
            ),
            set(),
        ),
        (_ingress("{ingressClassName: alb, rules: [" + _rule("a.x.io", "/*") + "]}"), set()),
        (_ingress("[]"), {"ingress-class-missing"}),
        (
            _ingress("[]")
            + "\n---\n{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx,"
            ' annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}}',
            set(),
        ),
        (
            _ingress("[]").replace("annotations: {", "annotations: {kubernetes.io/ingress.class: nginx"),
            {"ingress-class-annotation"},
        ),
    ],
)
def test_ingresses(manifests: str, expected: set[str]) -> None:
    assert found(manifests) & _IDS == expected


def test_some_hosts_without_certificate_are_an_error() -> None:
    assert "ingress-host-tls" in errors(_ingress(_spec(_rule("a.x.io"), _rule("b.x.io"), tls=_TLS)))
    assert "ingress-host-tls" not in errors(_ingress(_spec(_rule("b.x.io"))))


@pytest.mark.parametrize(
    ("image", "env", "collides"),
    [
        ("grafana/grafana:12.4.1", "", True),
        ("docker.io/grafana/grafana-oss@sha256:abc", "", True),
        ("grafana/loki:3", "", False),
        ("prom/prometheus:v3", "", False),
        ("grafana/grafana:12.4.1", '{name: GF_AUTH_BASIC_ENABLED, value: "false"}', False),
        ("grafana/grafana:12.4.1", '{name: GF_AUTH_PROXY_ENABLED, value: "true"}', False),
    ],
)
def test_basic_auth_before_grafana(image: str, env: str, collides: bool) -> None:  # noqa: FBT001 # a table
    manifests = (
        _ingress(_spec(_rule("a.x.io"), tls=_TLS), auth_type="basic", auth_secret="users")
        + f"""
---
{{apiVersion: v1, kind: Service, metadata: {{name: api, namespace: shop}}, spec: {{selector: {{app: g}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: g, namespace: shop, labels: {{app: g}}}}
spec: {{containers: [{{name: g, image: "{image}", env: [{env}]}}]}}
"""
    )
    assert ("grafana-basic-auth" in found(manifests)) == collides


_GATEWAY = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: infra}
spec: {listeners: [{name: https, hostname: '*.x.io', allowedRoutes: {namespaces: {from: FROM}}}]}
"""


@pytest.mark.parametrize(
    ("from_", "parent", "hosts", "expected"),
    [
        ("All", "{name: edge, namespace: infra}", "[a.x.io]", None),
        ("All", "{name: edge, namespace: infra}", "[a.b.x.io]", None),
        ("All", "{name: edge, namespace: infra}", "[]", None),
        ("All", "{name: edge, namespace: infra}", "[a.y.io]", "error"),
        ("All", "{name: edge, namespace: infra, sectionName: http}", "[a.x.io]", "error"),
        ("Same", "{name: edge, namespace: infra}", "[a.x.io]", "error"),
        ("All", "{name: other, namespace: infra}", "[a.x.io]", "warning"),
        ("All", "{name: shared, namespace: elsewhere}", "[a.x.io]", None),
        ("All", "{name: api, kind: Service}", "[a.x.io]", None),
    ],
)
def test_routes(from_: str, parent: str, hosts: str, expected: str | None) -> None:
    manifests = f"""{_GATEWAY.replace("FROM", from_)}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: api, namespace: shop}}
spec: {{parentRefs: [{parent}], hostnames: {hosts}}}
"""
    severity = "error" if "route-parent" in errors(manifests) else "warning"
    assert (severity if "route-parent" in found(manifests) else None) == expected


@pytest.mark.parametrize("odd", ["null", "[]", "3", "text", "{}", "[null]", "[{}]", "[[1]]"])
def test_wrong_types_are_survived(odd: str) -> None:
    found(_ingress(odd))
    found(_ingress(f"{{rules: {odd}, tls: {odd}, ingressClassName: {odd}}}", rate_limit=odd, auth_type=odd))
    found(_ingress(f"{{rules: [{{host: {odd}, http: {odd}}}], tls: [{{hosts: {odd}}}]}}"))
    found(_ingress(f"{{rules: [{{http: {{paths: [{{path: {odd}, pathType: {odd}, backend: {odd}}}]}}}}]}}"))
    found(_GATEWAY.replace("FROM", odd) + _ingress(f"{{parentRefs: {odd}}}").replace("Ingress", "HTTPRoute"))
    found(_ingress().replace("annotations: {}", f"annotations: {odd}"))
