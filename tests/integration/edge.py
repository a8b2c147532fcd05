"""The API's pod on this machine: the container ``tls-proxy`` as synthesized, before a stand-in application.

Rewritten are the ports, the address of redis-service, and what Debian's nginx needs to be told: where its
stream module is, which the image's nginx has built in.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.application import Application
from tests.integration.kubelet import Pod, Secrets
from tests.integration.processes import USER, Daemon, daemon, eventually, free_port, run
from tests.manifests import Manifest, find, workload

STREAM_MODULE = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;"
CERTIFICATE_PATH = "/etc/tls-proxy/certificate"
NAME = "traversion-service"


class ApiPod:
    """The pod ``traversion``: ``port`` maps the names of its ports, and ``redis``, to ports that are free."""

    def __init__(
        self,
        manifests: Sequence[Manifest],
        root: Path,
        *,
        secrets: Secrets,
        application: int,
        redis: int | None = None,
        rewrites: Mapping[str, str] | None = None,
    ) -> None:
        self.manifests = manifests
        self.secrets = secrets
        (proxy,) = (c for c in workload(manifests, "traversion").containers if c["name"] == "tls-proxy")
        numbers = {port["name"]: port["containerPort"] for port in proxy["ports"]}
        self.port = {name: free_port() for name in (*numbers, "redis")}
        plain = find(manifests, "ConfigMap", "traversion-config")["data"]
        behind = {int(plain[key]) for key in ("PORT", "WS_PORT", "METRICS_PORT") if key in plain}
        own = {
            r"\Apid ": f"{STREAM_MODULE}\npid ",
            r"redis-service:6379": f"127.0.0.1:{redis or free_port()}",
            r"127\.0\.0\.1:6379": f"127.0.0.1:{self.port['redis']}",
            r"\b18EB\b": f"{self.port['redis']:04X}",
            **{rf"\blisten {number} ": f"listen {self.port[name]} " for name, number in numbers.items()},
            **{rf"127\.0\.0\.1:{number}\b": f"127.0.0.1:{application}" for number in behind},
            **{rf"\b{number:04X}\b": f"{application:04X}" for number in behind},
        }
        self.pod = Pod(
            manifests, "traversion", root, secrets=secrets, rewrites=own | dict(rewrites or {}), user=USER
        )
        self.log = root / "proxy.log"

    @contextmanager
    def running(self) -> Iterator[Daemon]:
        """Start the container; where this is root it runs as another user, as in the pod."""
        command = self.pod.command("tls-proxy")
        with daemon(command, self.pod.environment("tls-proxy"), self.log, user=USER) as proxy:
            eventually(lambda: self._listens(proxy) and self.master)
            yield proxy

    @property
    def master(self) -> str:
        """The process that starts the others; empty until it says so."""
        file = self.pod.path("/tmp/nginx.pid")
        return file.read_text(encoding="ascii").strip() if file.exists() else ""

    def _listens(self, proxy: Daemon) -> bool:
        assert proxy.process.poll() is None, proxy.said()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port["health"])) == 0

    @property
    def trusted(self) -> str:
        return self.secrets["traversion-tls"]["ca.crt"]

    def connect(self, port: str = "https", *, name: str = NAME, trusted: str | None = None) -> ssl.SSLSocket:
        """Open a connection to a port and verify it; raises ``ssl.SSLError`` where that fails."""
        context = ssl.create_default_context(cadata=trusted or self.trusted)
        plain = socket.create_connection(("127.0.0.1", self.port[port]), timeout=10)
        return context.wrap_socket(plain, server_hostname=name)

    def client(self, port: str = "https") -> http.client.HTTPConnection:
        """Return an HTTP client that is connected."""
        client = http.client.HTTPConnection(NAME)
        client.sock = self.connect(port)
        return client

    def ask(self, path: str, headers: Mapping[str, str] | None = None, *, port: str = "https") -> str:
        client = self.client(port)
        client.request("GET", path, headers=dict(headers or {}))
        answer = client.getresponse()
        assert answer.status == http.client.OK, answer.status
        text = answer.read().decode()
        client.close()
        return text

    def headers(self, sent: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the headers that the application got."""
        seen: dict[str, Any] = json.loads(self.ask("/headers", sent))
        return seen

    def served(self, port: str = "https") -> str:
        """Return the certificate that a new connection gets."""
        address = ["-connect", f"127.0.0.1:{self.port[port]}", "-servername", NAME]
        return run(["openssl", "x509"], text=run(["openssl", "s_client", *address]).stdout).stdout


@contextmanager
def application_and_pod(
    manifests: Sequence[Manifest],
    root: Path,
    *,
    secrets: Secrets,
    redis: int | None = None,
    rewrites: Mapping[str, str] | None = None,
) -> Iterator[tuple[Application, ApiPod]]:
    """Run both until the end."""
    with Application().running() as application:
        pod = ApiPod(
            manifests, root, secrets=secrets, application=application.port, redis=redis, rewrites=rewrites
        )
        with pod.running():
            yield application, pod
