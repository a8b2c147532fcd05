"""The way in, seen working: Traefik serves what both modes synthesize, from a real API server.

In mode ``nginx`` it stands in for the retired ingress-nginx, whose annotations it reads; what is particular
to that controller's own code (its cipher list, its HSTS header) is not seen here.
"""

import base64
import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.compiled.control_plane import control_plane
from tests.compiled.front import (
    FRONT,
    GUESSER,
    GUEST,
    GUESTS,
    OPERATOR,
    OPERATORS,
    OTHER_GUEST,
    PASSWORD,
    PROGRAM,
    STRANGER,
    Front,
    front,
    install_definitions,
    may_make_networks,
    private_network,
)
from tests.integration.authority import Authority
from tests.integration.processes import eventually
from tests.manifests import change, of_kind, synthesize_environment
from tests.variants import OIDC
from traversion.settings import (
    ClientLimits,
    Environment,
    GatewaySettings,
    IngressSettings,
    MonitoringAccess,
)

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not may_make_networks(), reason="only root may make a network for it"),
]

LIMITS = ClientLimits(
    requests_per_second=5,
    connections=4,
    websocket_handshakes_per_second=3,
    websocket_connections=3,
    logins_per_minute=6,
    burst=3,
)
DOMAIN = "traversion.company.com"
API, WS, MONITORING, GRAFANA = (f"https://{name}.{DOMAIN}" for name in ("api", "ws", "monitoring", "grafana"))
APP = "https://app.company.com"
LOGGED_IN = {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}


def settings(mode: str) -> IngressSettings:
    gateway = mode == "gateway"
    return IngressSettings(
        mode="gateway" if gateway else "nginx",
        gateway=GatewaySettings(implementation="traefik") if gateway else None,
        acme_email="sre@company.com",
        cors_origins=(APP,),
        limits=LIMITS,
        body_size="1m",
        allowlist=(GUESTS,),
        monitoring=MonitoringAccess(allowlist=(OPERATORS,), oidc=OIDC if gateway else None),
    )


ARGUMENTS = {
    "nginx": [
        "--providers.kubernetesIngressNGINX=true",
        "--providers.kubernetesIngressNGINX.httpEntryPoint=web",
        "--providers.kubernetesIngressNGINX.httpsEntryPoint=websecure",
        "--providers.kubernetesIngressNGINX.proxyRequestBuffering=true",  # as ingress-nginx does
    ],
    "gateway": ["--providers.kubernetesGateway=true", "--providers.kubernetesCRD=true"],
}
CLASSES = {
    "nginx": (
        "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, "
        "spec: {controller: k8s.io/ingress-nginx}}"
    ),
    "gateway": (
        "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: traefik}, "
        "spec: {controllerName: traefik.io/gateway-controller}}"
    ),
}


@pytest.fixture(scope="module", params=["nginx", "gateway"])
def way_in(
    request: pytest.FixtureRequest,
    server: Path,
    environments: Mapping[str, Environment],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    assert PROGRAM.exists(), "make setup installs it"
    mode: str = request.param
    environment = change(environments["production"], {"ingress": settings(mode)})
    manifests = synthesize_environment(environment).manifests
    with private_network(), control_plane(server) as cluster:
        install_definitions(cluster)
        cluster.done("create", "-f", "-", text=CLASSES[mode])
        with front(cluster, manifests, ARGUMENTS[mode], tmp_path_factory.mktemp(mode) / "front") as served:
            yield served


def has_gateway(way_in: Front) -> bool:
    return bool(of_kind(way_in.manifests, "Gateway"))


def test_each_path_leads_where_it_should(way_in: Front) -> None:
    """With the certificate of its host, which every request verifies."""
    expected = {
        (f"{API}/", GUEST): "traversion-service:http",
        (f"{API}/api/events?x=1", GUEST): "traversion-service:http",
        (f"{API}/api/auth/login", GUEST): "traversion-service:http",
        (f"{WS}/", GUEST): "traversion-service:websocket",
        (f"{GRAFANA}/d/overview", OPERATOR): "grafana-service:https",
        (f"{GRAFANA}/login", OPERATOR): "grafana-service:https",
        (f"{MONITORING}/graph", OPERATOR): "prometheus-service:https",
        (f"{MONITORING}/alertmanager/", OPERATOR): "alertmanager-service:https",
    }
    if has_gateway(way_in):
        for path in ("/graph", "/alertmanager/"):
            expected[f"{MONITORING}{path}", OPERATOR] = "oauth2-proxy-service:https"
    for (url, client), service in expected.items():
        answer = way_in.ask(url, client=client, headers=LOGGED_IN)
        assert answer.status == 200, (url, answer)
        assert answer.seen["service"] == service, url
        assert url.endswith(answer.seen["path"])
        assert f"https://{answer.seen['host']}/" in f"{url}/"


def test_another_host_is_not_served(way_in: Front) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        way_in.ask(f"https://www.{DOMAIN}/")


@pytest.mark.parametrize("url", [f"{API}/api/x", f"{WS}/", f"{MONITORING}/graph", f"{GRAFANA}/"])
def test_http_is_redirected_to_https(way_in: Front, url: str) -> None:
    answer = way_in.ask(url.replace("https://", "http://"), client=OPERATOR)
    assert answer.status in {301, 308}
    assert answer.headers["Location"].replace(":443", "") == url


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_old_protocols_are_refused(way_in: Front) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = way_in.trust()
        context.minimum_version = context.maximum_version = version
        assert handshake(context)
    context = way_in.trust()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert not handshake(context)


def handshake(context: ssl.SSLContext) -> bool:
    with socket.create_connection((FRONT, 443), timeout=10) as raw:
        try:
            with context.wrap_socket(raw, server_hostname=f"api.{DOMAIN}"):
                return True
        except ssl.SSLError:
            return False


def test_browsers_of_named_origins_may_call(way_in: Front) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for origin, admitted in ((APP, True), (API, True), ("https://evil.example", False)):
        preflight = way_in.ask(f"{API}/api/x", method="OPTIONS", headers={"Origin": origin, **asked})
        answer = way_in.ask(f"{API}/api/x", headers={"Origin": origin})
        for each in (preflight, answer):
            assert each.headers.get("Access-Control-Allow-Origin") == (origin if admitted else None)
        if admitted:
            assert preflight.status in {200, 204}
            assert preflight.headers["Access-Control-Allow-Credentials"] == "true"
            assert preflight.headers["Access-Control-Max-Age"] == "7200"
            assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
            assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()


def test_only_listed_networks_get_in(way_in: Front) -> None:
    for url, client, status in (
        (API, STRANGER, 403),
        (f"{API}/api/auth/login", STRANGER, 403),
        (WS, STRANGER, 403),
        (MONITORING, GUEST, 403),
        (f"{MONITORING}/alertmanager/", GUEST, 403),
        (GRAFANA, GUEST, 403),
        (f"{GRAFANA}/login", GUEST, 403),
        (API, OPERATOR, 200),
        (GRAFANA, OPERATOR, 200),
    ):
        assert way_in.ask(url, client=client, headers=LOGGED_IN).status == status, (url, client)


def test_monitoring_asks_for_a_log_in(way_in: Front) -> None:
    if has_gateway(way_in):
        # Nothing behind this host but the proxy that asks for it.
        for path in ("/", "/alertmanager", "/alertmanager/", "/oauth2/callback"):
            seen = way_in.ask(f"{MONITORING}{path}", client=OPERATOR).seen
            assert seen["service"] == "oauth2-proxy-service:https"
        return
    wrong = {"Authorization": "Basic " + base64.b64encode(b"admin:guessed").decode()}
    for path in ("/graph", "/alertmanager/", "/api/v1/query"):
        for headers, status in (({}, 401), (wrong, 401), (LOGGED_IN, 200)):
            assert way_in.ask(f"{MONITORING}{path}", client=OPERATOR, headers=headers).status == status
    assert way_in.ask(f"{GRAFANA}/login", client=OPERATOR).status == 200


def test_a_client_that_asks_too_often_is_turned_away(way_in: Front) -> None:
    """At the log-in after some; elsewhere after many; and another client notices nothing of it."""
    login = f"{API}/api/auth/login"
    logins = [way_in.ask(login, method="POST", client=GUESSER).status for _ in range(20)]
    assert 6 <= logins.count(200) <= 14
    assert set(logins) <= {200, 429, 503}
    assert way_in.ask(f"{API}/api/x", client=GUESSER).status == 200, "the log-in has a limit of its own"
    assert way_in.ask(f"{API}/api/auth/login", client=OTHER_GUEST).status == 200
    grafana = [way_in.ask(f"{GRAFANA}/login", client=OPERATOR).status for _ in range(20)]
    assert len([status for status in grafana if status != 200]) >= 5
    connection, path = way_in.connect(f"{API}/api/x", GUESSER)
    answers: list[int] = []
    while not answers or (answers[-1] == 200 and len(answers) < 1000):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        answers.append(response.status)
    connection.close()
    assert answers.count(200) >= 15
    assert answers[-1] in {429, 503}, "1000 requests as fast as it goes, of which 5 per second are admitted"
    assert way_in.ask(f"{API}/api/x", client=OTHER_GUEST).status == 200


def test_a_client_with_many_requests_at_once_is_turned_away(way_in: Front) -> None:
    open_: list[http.client.HTTPConnection] = []
    for _ in range(LIMITS.connections):
        connection, path = way_in.connect(f"{API}/slow", OTHER_GUEST)
        connection.request("GET", path)
        assert way_in.pods.slow.acquire(timeout=10), "it did not get through"
        open_.append(connection)
    assert way_in.ask(f"{API}/api/x", client=OTHER_GUEST).status in {429, 503}
    assert way_in.ask(f"{API}/api/x", client=OPERATOR).status == 200
    way_in.pods.go_on.set()
    assert {connection.getresponse().status for connection in open_} == {200}
    for connection in open_:
        connection.close()
    eventually(lambda: way_in.ask(f"{API}/api/x", client=OTHER_GUEST).status == 200)


def test_pods_that_are_not_the_apis_are_refused(way_in: Front) -> None:
    """With a certificate of another authority, or of ours for another name."""
    names = ["traversion-service"]
    stranger = Authority(way_in.directory("stranger"))
    for impostor in (stranger.issue(names), way_in.pods.authority.issue(["redis-service"])):
        with way_in.replaced("traversion-service", impostor):
            eventually(lambda: way_in.ask(f"{API}/api/x", client=OPERATOR).status in {500, 502}, within=20)
            assert way_in.ask(f"{WS}/", client=OPERATOR).status in {500, 502}
        eventually(lambda: way_in.ask(f"{API}/api/x", client=OPERATOR).status == 200, within=20)
    # Not because they changed: others with the right certificate are welcome.
    with way_in.replaced("traversion-service", way_in.pods.authority.issue(names)):
        time.sleep(1)
        answer = way_in.ask(f"{API}/api/x", client=OPERATOR)
        assert (answer.status, answer.seen["encrypted"]) == (200, True)
    for url in (API, WS):
        eventually(lambda url=url: way_in.ask(url, client=OPERATOR).status == 200, within=20)  # type: ignore[misc]


def test_a_websocket_passes_and_may_be_quiet(way_in: Front) -> None:
    connection, path = way_in.connect(f"{WS}/", OPERATOR)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    connection.request("GET", path, headers={**upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    answer = http.client.HTTPResponse(connection.sock)
    answer.begin()
    assert answer.status == 101
    for message in (b"hello\n", b"again\n"):
        connection.sock.sendall(message)
        assert connection.sock.recv(100) == message
        time.sleep(3)
    connection.close()


def test_bodies_have_a_limit(way_in: Front) -> None:
    below = way_in.ask(f"{API}/api/x", method="POST", body=b"x" * 2**20)
    assert (below.status, below.seen["length"]) == (200, 2**20)
    above = way_in.ask(f"{API}/api/x", method="POST", body=b"x" * (2**20 + 1))
    # The Gateway API has no such limit: there, the pods themselves keep it.
    assert above.status == (200 if has_gateway(way_in) else 413)


def test_answers_carry_security_headers(way_in: Front) -> None:
    if not has_gateway(way_in):
        pytest.skip("the pods set them, and the controller HSTS: its own code, which Traefik does not have")
    for url, client in (
        (API, GUEST),
        (f"{API}/api/auth/login", OPERATOR),
        (MONITORING, OPERATOR),
        (GRAFANA, OPERATOR),
    ):
        headers = way_in.ask(url, client=client).headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_the_gateway_accepts_every_object(way_in: Front) -> None:
    if not has_gateway(way_in):
        pytest.skip("Ingresses tell nobody whether they were understood")
    (gateway,) = way_in.cluster.stored(of_kind(way_in.manifests, "Gateway"))
    for listener in gateway["status"]["listeners"]:
        conditions = {each["type"]: each["status"] for each in listener["conditions"]}
        assert conditions.get("Programmed", "True") == "True", listener
        assert conditions["ResolvedRefs"] == "True", listener
    for route in way_in.cluster.stored(of_kind(way_in.manifests, "HTTPRoute")):
        (parent,) = route["status"]["parents"]
        conditions = {each["type"]: each["status"] for each in parent["conditions"]}
        assert conditions == {"Accepted": "True", "ResolvedRefs": "True"}, route["metadata"]["name"]
