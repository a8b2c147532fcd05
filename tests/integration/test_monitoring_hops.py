"""The last hop to Prometheus, Alertmanager and Grafana: encrypted, and verified by whoever passes it."""

import contextlib
import http.client
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.application import Application, websocket
from tests.integration.authority import Authority
from tests.integration.conftest import secrets_of
from tests.integration.edge import CERTIFICATE_PATH, ProxiedPod, ingress, through
from tests.integration.kubelet import Secrets
from tests.integration.monitored import PLAIN_PORTS as PORTS
from tests.integration.processes import free_port
from tests.manifests import Manifest, Synthesis, find

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

INGRESSES = {
    "prometheus": "traversion-monitoring-ingress",
    "alertmanager": "traversion-alertmanager-ingress",
    "grafana": "traversion-grafana-ingress",
}


@contextlib.contextmanager
def server(
    manifests: Sequence[Manifest], component: str, root: Path, secrets: Secrets
) -> Iterator[ProxiedPod]:
    """Run the component's proxy, before a stand-in for the component."""
    root.mkdir(exist_ok=True)
    with Application().running() as application:
        pod = ProxiedPod(
            manifests,
            component,
            root,
            secrets=secrets,
            application=application.port,
            behind={PORTS[component]},
        )
        with pod.running():
            yield pod


@pytest.fixture(params=PORTS)
def component(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def pod(
    nginx: str, production: Sequence[Manifest], secrets: Secrets, host: Path, component: str
) -> Iterator[ProxiedPod]:
    assert nginx
    with server(production, component, host / "pod", secrets) as running:
        yield running


def test_people_get_verified_tls_and_websockets(pod: ProxiedPod, component: str) -> None:
    assert pod.ask("/") == "ok"
    with websocket(pod.connect(), f"{component}-service") as live:
        assert live.ask("as Grafana Live does") == "as Grafana Live does"
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        pod.connect(name="traversion-service")
    plain = http.client.HTTPConnection("127.0.0.1", pod.port["https"], timeout=10)
    with contextlib.closing(plain) as client:
        client.request("GET", "/headers")
        assert client.getresponse().status == http.client.BAD_REQUEST


def test_the_proxy_stays_until_its_server_is_gone(
    nginx: str, production: Sequence[Manifest], secrets: Secrets, host: Path, component: str
) -> None:
    assert nginx
    with contextlib.ExitStack() as stack:
        with server(production, component, host / "pod", secrets) as pod:
            waiting = stack.enter_context(subprocess.Popen(pod.pod.hook("tls-proxy", "preStop")))
            time.sleep(1.5)
            assert waiting.poll() is None, "the server listens"
        assert waiting.wait(10) == 0


@pytest.mark.parametrize("served", ["own", "host", "authority"])
def test_the_ingress_controller_verifies_whom_it_asks(
    nginx: str, pod: ProxiedPod, authority: Authority, component: str, host: Path, *, served: str
) -> None:
    names = find(pod.manifests, "Certificate", f"{component}-tls")["spec"]["dnsNames"]
    (host / "elsewhere").mkdir()
    if served == "host":
        pod.pod.replace_secret(CERTIFICATE_PATH, authority.issue(["redis-service"]))
    if served == "authority":
        pod.pod.replace_secret(CERTIFICATE_PATH, Authority(host / "elsewhere").issue(names))
    (host / "ingress").mkdir()
    with ingress(nginx, pod, host / "ingress", INGRESSES[component]) as port:
        status, _ = through(port)
    assert status == (http.client.OK if served == "own" else http.client.BAD_GATEWAY)


@pytest.mark.parametrize("watched", ["prometheus", "alertmanager"])
def test_the_log_in_verifies_whom_it_asks(
    nginx: str, variants: Callable[[str], Synthesis], authority: Authority, host: Path, watched: str
) -> None:
    """oauth2-proxy asks the proxy in its own pod, and that one the proxy of the other pod."""
    assert nginx
    synthesis = variants("nginx-oidc")
    secrets, manifests = secrets_of(synthesis, authority), synthesis.manifests
    with server(manifests, watched, host / "pod", secrets) as pod:
        with log_in(manifests, host / "right", secrets, pod.port["https"]) as asking:
            assert through(asking.port[watched])[0] == http.client.OK
        pod.pod.replace_secret(CERTIFICATE_PATH, authority.issue(["grafana-service"]))
        with log_in(manifests, host / "wrong", secrets, pod.port["https"]) as asking:
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                through(asking.port[watched])
            assert f'does not match "{watched}-service"' in asking.log.read_text(encoding="utf-8")


@contextlib.contextmanager
def log_in(
    manifests: Sequence[Manifest], root: Path, secrets: Secrets, server_port: int
) -> Iterator[ProxiedPod]:
    root.mkdir()
    pod = ProxiedPod(
        manifests,
        "oauth2-proxy",
        root,
        secrets=secrets,
        application=free_port(),
        behind={4180},
        outlets={
            (f"{name}-service", 8443, PORTS[name]): server_port for name in ("prometheus", "alertmanager")
        },
    )
    with pod.running():
        yield pod
