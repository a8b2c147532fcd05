"""Redis on the network: TLS and nothing else, to clients who verify it, its certificate renewed under way."""

import signal
import socket
import ssl
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import Program
from tests.integration.authority import Authority
from tests.integration.cache import CERTIFICATE_PATH, Redis
from tests.integration.handshakes import is_modern, offered, served_certificate
from tests.integration.kubelet import Files, Pod, Secrets
from tests.integration.processes import USER, daemon, eventually, free_port, public_directory, run
from tests.manifests import Manifest, find

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

HOST = "redis-service"


@pytest.fixture(scope="module")
def redis(
    redis_server: str, redis_cli: str, production: Sequence[Manifest], secrets: Secrets
) -> Iterator[Redis]:
    assert redis_server
    assert redis_cli
    with public_directory() as root:
        server = Redis(production, root, secrets=secrets, port=free_port())
        with server.running():
            yield server


@pytest.fixture
def reloading(
    redis_server: str, redis_cli: str, production: Sequence[Manifest], secrets: Secrets, host: Path
) -> Iterator[Redis]:
    """A server beside its container ``certificate-reloader``, which looks more often than it would."""
    assert redis_server
    assert redis_cli
    redis = Redis(production, host, secrets=secrets, port=free_port())
    environment = redis.pod.environment("certificate-reloader")
    assert float(environment["INTERVAL_SECONDS"]) <= 60
    often = {**environment, "INTERVAL_SECONDS": "0.1"}
    log = host / "reloader.log"
    with redis.running(), daemon(redis.pod.command("certificate-reloader"), often, log):
        eventually(lambda: "was told" in log.read_text(encoding="utf-8"))
        yield redis


def connect(redis: Redis, trusted: str, name: str = HOST) -> ssl.SSLSocket:
    context = ssl.create_default_context(cadata=trusted)
    plain = socket.create_connection(("127.0.0.1", redis.port), timeout=10)
    return context.wrap_socket(plain, server_hostname=name)


def test_plain_text_is_refused(redis: Redis) -> None:
    with socket.create_connection(("127.0.0.1", redis.port), timeout=10) as client:
        client.sendall(b"PING\r\n")
        try:
            answer = client.recv(100)
        except ConnectionResetError:
            answer = b""
    assert b"PONG" not in answer
    assert b"NOAUTH" not in answer


def test_only_modern_protocols_and_ciphers_are_spoken(program: Program, redis: Redis) -> None:
    protocols, ciphers = offered(program("sslscan"), redis.port)
    assert protocols == {"TLSv1.2", "TLSv1.3"}
    assert ciphers
    assert all(map(is_modern, ciphers)), ciphers


@pytest.mark.parametrize("suffix", ["", ".traversion-system", ".traversion-system.svc"])
def test_the_certificate_names_the_service(redis: Redis, suffix: str) -> None:
    connect(redis, redis.secrets["redis-tls"]["ca.crt"], HOST + suffix).close()


def test_clients_notice_another_host_or_authority(redis: Redis, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        connect(redis, redis.secrets["redis-tls"]["ca.crt"], "timescaledb-service")
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        connect(redis, Authority(tmp_path).certificate)


def test_new_connections_get_the_new_certificate_and_old_ones_go_on(
    reloading: Redis, authority: Authority
) -> None:
    before: Files = reloading.secrets["redis-tls"]
    renewed = authority.serving(find(reloading.pod.manifests, "Certificate", "redis-tls"))
    assert served_certificate(reloading.port) == before["tls.crt"]
    with connect(reloading, before["ca.crt"]) as client, client.makefile("rwb") as file:
        file.write(b"PING\r\n")
        file.flush()
        assert file.readline().startswith(b"-NOAUTH")
        reloading.pod.replace_secret(CERTIFICATE_PATH, renewed)
        eventually(lambda: served_certificate(reloading.port) == renewed["tls.crt"])
        file.write(b"PING\r\n")
        file.flush()
        assert file.readline().startswith(b"-NOAUTH")
    assert reloading.ask("default", "PING") == "PONG"


def test_a_certificate_that_does_not_fit_its_key_changes_nothing(
    reloading: Redis, authority: Authority, host: Path
) -> None:
    before = reloading.secrets["redis-tls"]
    reloading.pod.replace_secret(CERTIFICATE_PATH, {**authority.issue([HOST]), "tls.key": before["tls.key"]})
    eventually(lambda: "Unable to update TLS" in (host / "reloader.log").read_text(encoding="utf-8"))
    assert served_certificate(reloading.port) == before["tls.crt"]
    fitting = authority.issue([HOST])
    reloading.pod.replace_secret(CERTIFICATE_PATH, fitting)
    eventually(lambda: served_certificate(reloading.port) == fitting["tls.crt"])


@pytest.mark.skipif(USER is None, reason="only root can make a namespace of processes")
def test_the_reloader_leaves_when_the_pod_is_asked_to(
    production: Sequence[Manifest], secrets: Secrets, host: Path
) -> None:
    """As the first process of its container it gets no default action on SIGTERM: it has to handle it."""
    redis = Redis(production, host, secrets=secrets, port=free_port())
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = [*alone, *redis.pod.command("certificate-reloader")]
    environment = redis.pod.environment("certificate-reloader")
    with daemon(command, environment, host / "reloader.log", end=signal.SIGKILL) as reloader:
        file = Path(f"/proc/{reloader.process.pid}/task/{reloader.process.pid}/children")
        eventually(lambda: file.read_text(encoding="ascii"))
        first = file.read_text(encoding="ascii").strip()
        eventually(lambda: "sleep" in run(["ps", "--ppid", first, "-o", "comm="]).stdout)
        run(["kill", "-TERM", first])
        eventually(lambda: reloader.process.poll() is not None, within=2)


@pytest.mark.parametrize(
    ("names", "foreign", "works"),
    [(["localhost"], False, True), ([HOST], False, False), (["localhost"], True, False)],
    ids=["verified", "another host", "another authority"],
)
def test_the_exporter_verifies_whom_it_gives_its_password(  # what differs, and what runs
    program: Program,
    production: Sequence[Manifest],
    secrets: Secrets,
    authority: Authority,
    host: Path,
    *,
    names: Sequence[str],
    foreign: bool,
    works: bool,
) -> None:
    """The Service's name leads nowhere on this machine: ``localhost`` stands for it."""
    for directory in ("redis", "exporter", "authority"):
        (host / directory).mkdir()
    issued = (Authority(host / "authority") if foreign else authority).issue(names)
    mine = {**secrets, "redis-tls": {**issued, "ca.crt": authority.certificate}}
    redis = Redis(production, host / "redis", secrets=mine, port=free_port())
    here = {rf"{HOST}:6379": f"localhost:{redis.port}"}
    pod = Pod(production, "redis-exporter", host / "exporter", secrets=mine, rewrites=here)
    at = f"127.0.0.1:{free_port()}"
    command = [program("prometheus-redis-exporter"), "-web.listen-address", at]
    with (
        redis.running(),
        daemon(command, pod.environment("redis-exporter"), host / "exporter.log"),
    ):
        eventually(lambda: answered(f"http://{at}/health"))
        metrics = answered(f"http://{at}/metrics")
    assert (f"redis_up {int(works)}\n") in metrics
    assert ("redis_memory_max_bytes" in metrics) == works


def answered(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 # ours
            text: str = answer.read().decode()
    except OSError:
        return ""
    return text
