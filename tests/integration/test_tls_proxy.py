"""The proxy beside the API: what reaches the application, who is let in and trusted, and what lives on."""

import contextlib
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import Program
from tests.integration.application import Application, websocket
from tests.integration.authority import Authority
from tests.integration.cache import Redis
from tests.integration.edge import (
    CERTIFICATE_PATH,
    NAME,
    ApiPod,
    application_and_pod,
    ingress,
    redis_through,
    through,
)
from tests.integration.handshakes import is_modern, offered, served_certificate
from tests.integration.kubelet import Files, Secrets
from tests.integration.processes import eventually, free_port, public_directory, run
from tests.manifests import Manifest, Synthesis, find, workload

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

MIB = 2**20


@pytest.fixture(scope="module")
def cache(
    redis_server: str, redis_cli: str, production: Sequence[Manifest], secrets: Secrets
) -> Iterator[Redis]:
    assert redis_server
    assert redis_cli
    with public_directory() as root:
        server = Redis(production, root, secrets=secrets, port=free_port())
        with server.running():
            yield server


@pytest.fixture(scope="module")
def both(
    nginx: str, production: Sequence[Manifest], secrets: Secrets, cache: Redis
) -> Iterator[tuple[Application, ApiPod]]:
    """The stand-in and the proxy before it, which the tests share."""
    assert nginx
    with (
        public_directory() as root,
        application_and_pod(production, root, secrets=secrets, redis=cache.port) as running,
    ):
        yield running


@pytest.fixture
def application(both: tuple[Application, ApiPod]) -> Application:
    return both[0]


@pytest.fixture
def pod(both: tuple[Application, ApiPod]) -> ApiPod:
    return both[1]


@pytest.fixture
def own(
    nginx: str, production: Sequence[Manifest], secrets: Secrets, host: Path
) -> Iterator[tuple[Application, ApiPod]]:
    """A pod of one test, which may do to it what it wants."""
    assert nginx
    with application_and_pod(production, host, secrets=secrets) as running:
        yield running


# What the application sees


def test_requests_arrive_as_the_ingress_controller_sent_them(pod: ApiPod) -> None:
    sent = {
        "Host": "api.traversion.company.com",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "api.traversion.company.com",
        "X-Real-IP": "203.0.113.7",
        "X-Request-ID": "4f1c",
        "X-Under_Score": "kept",
        "Cookie": "c=" + "x" * 12_000,
    }
    seen = pod.headers(sent)
    assert {name: seen.get(name) for name in sent} == sent
    assert seen.keys() - sent.keys() <= {"Accept-Encoding"}


def test_answers_leave_as_the_application_gave_them(pod: ApiPod) -> None:
    client = pod.client()
    client.request("GET", "/")
    answer = client.getresponse()
    assert answer.read() == b"ok"
    assert answer.getheader("Server") == "stand-in"
    assert answer.getheader("X-Accel-Buffering") == "no"
    assert answer.getheader("Location") == "http://https/elsewhere"
    client.close()


@pytest.mark.parametrize("port", ["https", "wss", "metrics"])
def test_every_port_leads_to_the_application(pod: ApiPod, port: str) -> None:
    assert pod.ask("/", port=port) == "ok"


def test_answers_stream(application: Application, pod: ApiPod) -> None:
    """Each chunk arrives before the next one exists."""
    client = pod.client()
    client.request("GET", "/stream")
    answer = client.getresponse()
    for text in ("first", "second"):
        application.next_chunk(text)
        assert answer.read(len(text)) == text.encode()
    application.next_chunk("")
    assert answer.read() == b""
    client.close()


def test_uploads_stream(application: Application, pod: ApiPod) -> None:
    """The application has read the first half before the second is sent; nothing is kept on a disk."""
    client = pod.client()
    client.putrequest("POST", "/upload")
    client.putheader("Content-Length", str(48 * MIB))
    client.endheaders()
    client.send(bytes(24 * MIB))
    eventually(lambda: application.received == 24 * MIB)
    client.send(bytes(24 * MIB))
    assert client.getresponse().read() == str(48 * MIB).encode()
    client.close()


def test_a_pod_refuses_a_larger_body_whoever_is_in_front(pod: ApiPod) -> None:
    """A Gateway has no words for the limit."""
    client = pod.client()
    client.putrequest("POST", "/upload")
    client.putheader("Content-Length", str(50 * MIB + 1))
    client.endheaders()
    assert client.getresponse().status == http.client.REQUEST_ENTITY_TOO_LARGE
    client.close()


def test_answers_carry_security_headers(pod: ApiPod) -> None:
    client = pod.client()
    client.request("GET", "/")
    answer = client.getresponse()
    answer.read()
    client.close()
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("X-Frame-Options") == "DENY"
    assert answer.getheader("Referrer-Policy") == "strict-origin-when-cross-origin"


def test_connections_are_kept_open(pod: ApiPod) -> None:
    client = pod.client()
    for _ in range(20):
        client.request("GET", "/")
        assert client.getresponse().read() == b"ok"
        assert client.sock is not None
    client.close()


def test_idle_connections_to_the_application_are_closed_before_it_closes_them(pod: ApiPod) -> None:
    """Node.js closes after five seconds: a request that is under way at that moment would fail."""
    config = pod.pod.path("/etc/tls-proxy/config/nginx.conf").read_text(encoding="utf-8")
    kept = re.findall(r"keepalive 64;\s*keepalive_timeout (\d+)s;", config)
    assert kept
    assert all(0 < int(seconds) < 5 for seconds in kept)


# Who is let in


@pytest.mark.parametrize("port", ["https", "wss", "metrics"])
def test_plain_text_is_refused(pod: ApiPod, port: str) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", pod.port[port], timeout=10)) as client:
        client.request("GET", "/headers")
        assert client.getresponse().status == http.client.BAD_REQUEST


@pytest.mark.parametrize("port", ["https", "wss", "metrics"])
def test_the_certificate_names_the_service_in_every_form(pod: ApiPod, port: str) -> None:
    for suffix in (
        "",
        ".traversion-system",
        ".traversion-system.svc",
        ".traversion-system.svc.cluster.local",
    ):
        pod.connect(port, name=NAME + suffix).close()


def test_callers_notice_another_host_or_authority(pod: ApiPod, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        pod.connect(name="redis-service")
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        pod.connect(trusted=Authority(tmp_path).certificate)


@pytest.mark.parametrize("port", ["https", "metrics"])
def test_only_modern_protocols_and_ciphers_are_spoken(program: Program, pod: ApiPod, port: str) -> None:
    protocols, ciphers = offered(program("sslscan"), pod.port[port])
    assert protocols == {"TLSv1.2", "TLSv1.3"}
    assert ciphers
    assert all(map(is_modern, ciphers)), ciphers


# The ingress controller as the caller


def test_the_ingress_controller_verifies_and_is_the_only_proxy_that_is_seen(
    nginx: str, pod: ApiPod, host: Path
) -> None:
    with ingress(nginx, pod, host) as port:
        status, text = through(port)
    assert status == http.client.OK
    assert json.loads(text)["X-Forwarded-For"] == "127.0.0.1"


def test_bodies_pass_up_to_the_ingress_controllers_limit(nginx: str, pod: ApiPod, host: Path) -> None:
    stated = find(pod.manifests, "Ingress", "traversion-ingress")["metadata"]["annotations"]
    limit = int(stated["nginx.ingress.kubernetes.io/proxy-body-size"].removesuffix("m")) * MIB
    with ingress(nginx, pod, host) as port:
        assert through(port, bytes(limit)) == (http.client.OK, str(limit).encode())
        status, _ = through(port, bytes(limit + 1))
    assert status == http.client.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("wrong", ["authority", "host"])
def test_the_ingress_controller_sends_nothing_to_a_pod_that_is_not_ours(
    nginx: str, pod: ApiPod, authority: Authority, host: Path, *, wrong: str
) -> None:
    (host / "authority").mkdir()
    names = find(pod.manifests, "Certificate", "traversion-tls")["spec"]["dnsNames"]
    foreign = Authority(host / "authority").issue(names)
    before: Files = pod.secrets["traversion-tls"]
    served = authority.issue(["redis-service"]) if wrong == "host" else foreign
    pod.pod.replace_secret(CERTIFICATE_PATH, served)
    try:
        with ingress(nginx, pod, host) as port:
            status, _ = through(port)
    finally:
        pod.pod.replace_secret(CERTIFICATE_PATH, before)
    assert status == http.client.BAD_GATEWAY


# The way out


def test_redis_is_reached_without_speaking_tls(pod: ApiPod, cache: Redis) -> None:
    assert redis_through(pod, cache, "SET", "session:hop", "x" * 100_000, "EX", "60") == "OK"
    assert redis_through(pod, cache, "GET", "session:hop") == "x" * 100_000
    assert redis_through(pod, cache, "EVAL", "return redis.call('INCR', 'cache:hop')", "0") == "1"
    assert "NOPERM" in redis_through(pod, cache, "FLUSHALL")
    assert cache.ask("admin", "EXISTS", "session:hop") == "1"


def test_an_idle_redis_connection_and_a_subscription_live(pod: ApiPod, cache: Redis) -> None:
    with socket.create_connection(("127.0.0.1", pod.port["redis"]), timeout=10) as client:
        answers = client.makefile("rb")
        password = cache.passwords["default"].encode()
        client.sendall(b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(password), password))
        assert answers.readline() == b"+OK\r\n"
        client.sendall(b"SUBSCRIBE events\r\n")
        assert b"".join(answers.readline() for _ in range(6)).endswith(b"events\r\n:1\r\n")
        time.sleep(1)
        assert redis_through(pod, cache, "PUBLISH", "events", "news") == "1"
        assert b"".join(answers.readline() for _ in range(7)).endswith(b"news\r\n")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [("authority", "certificate verify error"), ("host", 'does not match "redis-service"')],
)
def test_a_server_that_is_not_redis_service_gets_no_word(
    nginx: str,
    production: Sequence[Manifest],
    secrets: Secrets,
    authority: Authority,
    host: Path,
    *,
    wrong: str,
    reason: str,
) -> None:
    """An impostor would learn the password from the first command."""
    assert nginx
    for directory in ("authority", "redis", "pod"):
        (host / directory).mkdir()
    names = find(production, "Certificate", "redis-tls")["spec"]["dnsNames"]
    if wrong == "host":
        issued = authority.issue(["timescaledb-service"])
    else:
        issued = Authority(host / "authority").issue(names)
    impostor = Redis(production, host / "redis", secrets={**secrets, "redis-tls": issued}, port=free_port())
    with (
        impostor.running(),
        application_and_pod(production, host / "pod", secrets=secrets, redis=impostor.port) as (_, pod),
    ):
        received = impostor.number("stats", "total_net_input_bytes")
        assert "OK" not in redis_through(pod, impostor, "SET", "session:secret", "x" * 100_000)
        assert impostor.number("stats", "total_net_input_bytes") < received + 1000
        assert reason in pod.log.read_text(encoding="utf-8")


# What lives on


def test_a_renewed_certificate_is_served_to_new_connections_and_no_request_fails(
    program: Program, own: tuple[Application, ApiPod], authority: Authority
) -> None:
    application, pod = own
    renewed = [authority.serving(find(pod.manifests, "Certificate", "traversion-tls")) for _ in range(3)]
    load = [program("wrk"), "--threads", "1", "--connections", "20", "--duration", "3s", "--timeout", "20s"]
    url = f"https://127.0.0.1:{pod.port['https']}/"
    with websocket(pod.connect("wss"), NAME) as open_before:
        assert open_before.ask("before") == "before"
        with subprocess.Popen([*load, url], stdout=subprocess.PIPE, text=True) as wrk:
            for files in renewed:
                time.sleep(0.7)
                pod.pod.replace_secret(CERTIFICATE_PATH, files)
                # The promise is two minutes, which the kubelet needs; the proxy adds nothing to it.
                assert served_certificate(pod.port["https"]) == files["tls.crt"]
                assert served_certificate(pod.port["metrics"]) == files["tls.crt"]
            said = wrk.communicate()[0]
        assert open_before.ask("after") == "after"
    assert wrk.returncode == 0
    assert int(re.search(r"(\d+) requests in", said)[1]) > 500  # type: ignore[index]
    assert "Socket errors" not in said, said
    assert "Non-2xx" not in said, said
    assert application.upgrades == 1


def test_a_websocket_lives_through_a_reload_of_the_configuration(own: tuple[Application, ApiPod]) -> None:
    """Nothing here reloads it, but a person may."""
    application, pod = own
    pid = pod.master
    with websocket(pod.connect("wss"), NAME) as open_before:
        before = children(pid)
        run(["kill", "-HUP", pid])
        eventually(lambda: children(pid) - before)
        for number in range(5):
            assert open_before.ask(f"message {number}") == f"message {number}"
            time.sleep(0.1)
        assert pod.ask("/") == "ok"
        assert before & children(pid), "the old worker is there for as long as the connection is"
    assert application.upgrades == 1


def children(pid: str) -> set[str]:
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())


def test_the_proxy_stays_until_the_application_is_gone(own: tuple[Application, ApiPod]) -> None:
    """All containers of a pod are told to stop at once: the preStop hook waits for the other container."""
    application, pod = own
    drain = pod.pod.hook("tls-proxy", "preStop")
    with websocket(pod.connect("wss"), NAME) as connection, subprocess.Popen(drain) as waiting:
        time.sleep(1.5)
        assert waiting.poll() is None, "the application listens"
        assert connection.ask("still there") == "still there"
        application.loop.call_soon_threadsafe(application._stop)  # noqa: SLF001 # it exits
        assert waiting.wait(10) == 0


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGQUIT])
def test_the_proxy_leaves_when_it_is_asked_to(
    nginx: str, production: Sequence[Manifest], secrets: Secrets, host: Path, end: signal.Signals
) -> None:
    assert nginx
    pod = ApiPod(production, host, secrets=secrets, application=free_port())
    with pod.running() as proxy:
        proxy.process.send_signal(end)
        assert proxy.process.wait(5) == 0


def test_the_readiness_probe_is_a_handshake_with_the_certificate(own: tuple[Application, ApiPod]) -> None:
    _, pod = own
    probes = workload(pod.manifests, "traversion").container("tls-proxy")
    probe = probes["readinessProbe"]["httpGet"]
    assert (probe["scheme"], probe["port"]) == ("HTTPS", "health")
    client = pod.client("health")
    client.request("GET", probe["path"])
    assert 200 <= client.getresponse().status < 400
    client.close()
    assert "tcpSocket" in probes["livenessProbe"]


def test_nothing_is_written_but_below_tmp(own: tuple[Application, ApiPod]) -> None:
    """The root file system is read-only in the pod."""
    _, pod = own
    pod.ask("/")
    pid = pod.master
    for process in (pid, *children(pid)):
        for link in Path(f"/proc/{process}/fd").iterdir():
            target = str(link.readlink())
            if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
                assert target.startswith((str(pod.pod.path("/tmp")), str(pod.log)))


# The application's other contract


def test_one_port_for_requests_and_websockets(
    nginx: str, variants: Callable[[str], Synthesis], secrets: Secrets, host: Path
) -> None:
    assert nginx
    manifests = variants("upstream").manifests
    with application_and_pod(manifests, host, secrets=secrets) as (_, pod):
        assert pod.ask("/") == "ok"
        with websocket(pod.connect("https"), NAME, "/ws") as connection:
            assert connection.ask("hello") == "hello"
        assert "metrics" not in pod.port
