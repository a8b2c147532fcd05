"""Checks of the Gateway API: listeners, the certificates of hosts, and how backends are verified."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from tests.manifests import Manifest, Synthesis, find, of_kind
from tests.verify.cases import errors, found
from traversion.verify import from_objects, verify

_IDS = {"gateway-listener", "tls-host", "backend-tls-target", "backend-name", "route-extension-missing"}


def _gateway(*listeners: str) -> str:
    return f"""
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge, namespace: shop}}
spec: {{gatewayClassName: envoy, listeners: [{", ".join(f"{{{each}}}" for each in listeners)}]}}
"""


_TLS = "protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}"


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        ((f"name: a, port: 443, hostname: a.x.io, {_TLS}", f"name: b, port: 443, {_TLS}"), None),
        ((f"name: a, port: 443, {_TLS}", f"name: b, port: 8443, {_TLS}"), None),
        ((f"name: a, port: 443, {_TLS}", f"name: b, port: 443, {_TLS}"), "error"),
        ((f"name: a, port: 443, {_TLS}", f"name: a, port: 444, {_TLS}"), "error"),
        ((f"name: a, port: 443, {_TLS}", "name: b, port: 443, protocol: HTTP, hostname: b.x.io"), "error"),
        (("name: a, port: 443, protocol: HTTPS",), "error"),
        (("name: a, port: 443, protocol: HTTPS, tls: {options: {cloud.example/cert: x}}",), "warning"),
        (("name: a, port: 443, protocol: TLS, tls: {mode: Passthrough}",), None),
        (("name: a, port: 443, protocol: TLS",), "error"),
        (("name: a, port: 80, protocol: HTTP",), None),
    ],
)
def test_listeners(listeners: tuple[str, ...], expected: str | None) -> None:
    manifests = _gateway(*listeners)
    severity = "error" if "gateway-listener" in errors(manifests) else "warning"
    assert (severity if "gateway-listener" in found(manifests) else None) == expected


def _certificate(*names: str) -> str:
    return f"""
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: tls, namespace: shop}}
spec: {{secretName: tls, dnsNames: [{", ".join(f"'{name}'" for name in names)}]}}
"""


@pytest.mark.parametrize(
    ("host", "names", "fits"),
    [
        ("a.x.io", ["a.x.io"], True),
        ("a.x.io", ["b.x.io", "a.x.io"], True),
        ("a.x.io", ["*.x.io"], True),
        ("'*.x.io'", ["*.x.io"], True),
        ("a.x.io", ["x.io"], False),
        ("a.b.x.io", ["*.x.io"], False),
        ("'*.x.io'", ["a.x.io"], False),
    ],
)
@pytest.mark.parametrize("kind", ["Gateway", "Ingress"])
def test_certificates_bear_their_hosts(kind: str, host: str, names: list[str], fits: bool) -> None:  # noqa: FBT001
    owner = _gateway(f"name: a, port: 443, hostname: {host}, {_TLS}")
    if kind == "Ingress":
        owner = f"""
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: api, namespace: shop}}
spec: {{ingressClassName: nginx, tls: [{{hosts: [{host}], secretName: tls}}], rules: [{{host: {host}}}]}}
"""
    assert ("tls-host" not in found(owner + _certificate(*names))) == fits
    assert "tls-host" not in found(owner), "whose certificate nobody knows"


_SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: https, port: 443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, image: "api:1.0.0"}], volumes: [{name: tls, secret: {secretName: tls}}]}
"""


def _policy(name: str = "api", section: str = "https", host: str = "api.shop", extra: str = "") -> str:
    return f"""
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{name: api, namespace: shop}}
spec:
  targetRefs: [{{group: '', kind: Service, name: {name}, sectionName: {section}}}]
  validation: {{hostname: {host}, caCertificateRefs: [{{group: '', kind: Secret, name: tls}}]{extra}}}
"""


def _verifying(name: str, verify_: str = "on") -> str:
    return f"""
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/proxy-ssl-secret: shop/tls
    nginx.ingress.kubernetes.io/proxy-ssl-verify: "{verify_}"
    nginx.ingress.kubernetes.io/proxy-ssl-name: {name}
spec: {{rules: [{{http: {{paths: [{{backend: {{service: {{name: api, port: {{number: 443}}}}}}}}]}}}}]}}
"""


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        (_SERVICE + _certificate("api.shop") + _policy(), set()),
        (_SERVICE + _certificate("api.shop") + _policy("web"), {"backend-tls-target"}),
        (_SERVICE + _certificate("api.shop") + _policy(section="http"), {"backend-tls-target"}),
        (_SERVICE + _certificate("api.shop.svc") + _policy(), {"backend-name"}),
        (
            _SERVICE
            + _certificate("x")
            + _policy(extra=", subjectAltNames: [{type: Hostname, hostname: x}]"),
            set(),
        ),
        (_SERVICE + _policy(), set()),  # whose certificate nobody knows
        (_SERVICE + _certificate("api.shop") + _verifying("api.shop"), set()),
        (_SERVICE + _certificate("api.shop") + _verifying("api"), {"backend-name"}),
        (_SERVICE + _certificate("api.shop") + _verifying("api", "off"), set()),
        # Mounted for its authority alone, it is not what the pods serve.
        (
            (_SERVICE + _certificate("other") + _policy()).replace(
                "{secretName: tls}}]", "{secretName: tls, items: [{key: ca.crt, path: ca.crt}]}}]"
            ),
            set(),
        ),
    ],
)
def test_backends(manifests: str, expected: set[str]) -> None:
    assert found(manifests) & _IDS == expected


def test_the_authority_of_a_policy_exists() -> None:
    without = _SERVICE.replace("tls, secret: {secretName: tls}", "other, emptyDir: {}")
    assert "secret-undeclared" in found(without + _policy())
    assert "secret-undeclared" not in found(without + _certificate("api.shop") + _policy())
    authority = "{apiVersion: v1, kind: ConfigMap, metadata: {name: tls, namespace: shop}, data: {KEY: x}}"
    policy = _policy().replace("kind: Secret", "kind: ConfigMap")
    assert errors(f"{without}---\n{authority.replace('KEY', 'ca.pem')}{policy}") & {"configmap-key-missing"}
    assert not errors(f"{without}---\n{authority.replace('KEY', 'ca.crt')}{policy}") & {
        "configmap-key-missing"
    }


@pytest.mark.parametrize("odd", ["null", "[]", "3", "text", "{}", "[null]", "[{}]", "[[1]]"])
def test_wrong_types_are_survived(odd: str) -> None:
    found(_gateway("name: a").replace("[{name: a}]", odd))
    found(_gateway(f"name: {odd}, port: {odd}, hostname: {odd}, protocol: HTTPS, tls: {odd}"))
    found(_gateway(f"tls: {{certificateRefs: {odd}}}") + _certificate().replace("[]", odd))
    found(_SERVICE + _policy().replace("spec:\n", f"spec: {odd}\n#").replace("  validation", "#"))
    found(_SERVICE + _policy(odd, odd, odd))
    route = _gateway().replace("kind: Gateway", "kind: HTTPRoute")
    found(route.replace("listeners: []", f"rules: {odd}"))
    found(route.replace("listeners: []", f"rules: [{{filters: [{{extensionRef: {odd}}}]}}]"))


Spoil = Callable[[list[Manifest]], object]


def _route(manifests: list[Manifest]) -> Manifest:
    rule: Manifest = find(manifests, "HTTPRoute", "traversion-api")["spec"]["rules"][0]
    return rule


def _extension(manifests: list[Manifest]) -> Manifest:
    filters = _route(manifests)["filters"]
    extension: Manifest = next(each["extensionRef"] for each in filters if "extensionRef" in each)
    return extension


def _policy_of(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = find(manifests, "BackendTLSPolicy", "traversion-service")["spec"]
    return spec


def _listener(manifests: list[Manifest], name: str) -> Manifest:
    listeners = find(manifests, "Gateway", "traversion-gateway")["spec"]["listeners"]
    listener: Manifest = next(each for each in listeners if each["name"] == name)
    return listener


FAULTS: dict[str, tuple[str, Spoil]] = {
    "a host on two listeners": (
        "gateway-listener",
        lambda all_: _listener(all_, "https-ws").update(hostname="api.traversion.company.com"),
    ),
    "a listener without a certificate": (
        "gateway-listener",
        lambda all_: _listener(all_, "https-ws")["tls"].pop("certificateRefs"),
    ),
    "the certificate of another host": (
        "tls-host",
        lambda all_: _listener(all_, "https-ws")["tls"].update(
            certificateRefs=[{"name": "traversion-ingress-tls"}]
        ),
    ),
    "a certificate that nobody asks for": (
        "tls-secret-missing",
        lambda all_: _listener(all_, "https-ws")["tls"].update(certificateRefs=[{"name": "ws-tls"}]),
    ),
    "a listener of another name": (
        "route-parent",
        lambda all_: _listener(all_, "https-api").update(name="https-web"),
    ),
    "a listener of another host": (
        "route-parent",
        lambda all_: find(all_, "HTTPRoute", "traversion-api")["spec"]["parentRefs"][0].update(
            sectionName="https-ws"
        ),
    ),
    "another Service": (
        "route-backend-missing",
        lambda all_: _route(all_)["backendRefs"][0].update(name="traversion"),
    ),
    "another port": ("route-port-missing", lambda all_: _route(all_)["backendRefs"][0].update(port=8443)),
    "a policy for another port": (
        "backend-tls-target",
        lambda all_: _policy_of(all_)["targetRefs"][0].update(sectionName="https"),
    ),
    "a policy for another Service": (
        "backend-tls-target",
        lambda all_: _policy_of(all_)["targetRefs"][0].update(name="traversion"),
    ),
    "another name than the certificate's": (
        "backend-name",
        lambda all_: _policy_of(all_)["validation"].update(hostname="api.traversion.company.com"),
    ),
    "an authority that nobody makes": (
        "secret-undeclared",
        lambda all_: _policy_of(all_)["validation"]["caCertificateRefs"][0].update(name="internal"),
    ),
    "another Middleware": (
        "route-extension-missing",
        lambda all_: _extension(all_).update(name="traversion-api-limits"),
    ),
}


@pytest.fixture(scope="module")
def gateway(variants: Callable[[str], Synthesis]) -> list[Manifest]:
    return variants("gateway-traefik").manifests


@pytest.mark.parametrize("fault", FAULTS)
def test_a_single_fault_is_found(fault: str, gateway: list[Manifest]) -> None:
    check, spoil = FAULTS[fault]
    spoilt = deepcopy(gateway)
    spoil(spoilt)
    assert check in {each.check.id for each in verify(from_objects(spoilt))}


@pytest.mark.parametrize("variant", ["gateway-traefik", "gateway-envoy", "gateway-elsewhere", "nginx-oidc"])
def test_the_good_sets_are_good(variant: str, variants: Callable[[str], Synthesis]) -> None:
    manifests = variants(variant).manifests
    assert [str(finding) for finding in verify(from_objects(manifests))] == []
    assert of_kind(manifests, "Gateway" if "gateway" in variant else "Ingress")
