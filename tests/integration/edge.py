"""A pod's container ``tls-proxy`` on this machine, as synthesized, before a stand-in application.

Rewritten are the ports, the addresses of other Services, and what Debian's nginx needs to be told: where its
stream module is, which the image's nginx has built in.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import NGINX_STREAM_MODULE
from tests.integration.application import Application
from tests.integration.cache import Redis
from tests.integration.kubelet import Pod, Secrets
from tests.integration.processes import USER, Daemon, daemon, eventually, free_port, run
from tests.manifests import Manifest, find, workload

CERTIFICATE_PATH = "/etc/tls-proxy/certificate"
NAME = "traversion-service"


class ProxiedPod:
    """The pod of a component: ``port`` maps the names of its proxy's ports to ports that are free.

    ``behind`` are the application's ports in it; ``outlets`` maps Services that its proxy leads to, their
    ports and those on loopback, to where they really listen; ``port`` has them by the Service's name.
    """

    def __init__(
        self,
        manifests: Sequence[Manifest],
        component: str,
        root: Path,
        *,
        secrets: Secrets,
        application: int,
        behind: Collection[int],
        outlets: Mapping[tuple[str, int, int], int] | None = None,
        rewrites: Mapping[str, str] | None = None,
    ) -> None:
        self.manifests = manifests
        self.secrets = secrets
        (proxy,) = (c for c in workload(manifests, component).containers if c["name"] == "tls-proxy")
        numbers = {port["name"]: port["containerPort"] for port in proxy["ports"]}
        self.port = {name: free_port() for name in numbers}
        own = {r"\Apid ": f"load_module {NGINX_STREAM_MODULE};\npid "}
        for (service, number, local), real in (outlets or {}).items():
            at = self.port[service.removesuffix("-service")] = free_port()
            own |= {
                rf"\blisten 127\.0\.0\.1:{local} ": f"listen 127.0.0.1:{at} ",
                rf"\b{local:04X}\b": f"{at:04X}",
                f"{service}:{number}": f"127.0.0.1:{real}",
            }
        own |= {
            **{rf"\blisten {number} ": f"listen {self.port[name]} " for name, number in numbers.items()},
            **{rf"127\.0\.0\.1:{number}\b": f"127.0.0.1:{application}" for number in behind},
            **{rf"\b{number:04X}\b": f"{application:04X}" for number in behind},
        }
        self.pod = Pod(
            manifests, component, root, secrets=secrets, rewrites=own | dict(rewrites or {}), user=USER
        )
        self._trusted = secrets[f"{component}-tls"]["ca.crt"]
        self._name = find(manifests, "Certificate", f"{component}-tls")["spec"]["dnsNames"][0]
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

    def connect(self, port: str = "https", *, name: str = "", trusted: str | None = None) -> ssl.SSLSocket:
        """Open a connection to a port and verify it; raises ``ssl.SSLError`` where that fails."""
        context = ssl.create_default_context(cadata=trusted or self._trusted)
        plain = socket.create_connection(("127.0.0.1", self.port[port]), timeout=10)
        return context.wrap_socket(plain, server_hostname=name or self._name)

    def client(self, port: str = "https") -> http.client.HTTPConnection:
        """Return an HTTP client that is connected."""
        client = http.client.HTTPConnection(self._name)
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


class ApiPod(ProxiedPod):
    """The pod ``traversion``; its ``port`` also has ``redis``."""

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
        plain = find(manifests, "ConfigMap", "traversion-config")["data"]
        super().__init__(
            manifests,
            "traversion",
            root,
            secrets=secrets,
            application=application,
            behind={int(plain[key]) for key in ("PORT", "WS_PORT", "METRICS_PORT") if key in plain},
            outlets={("redis-service", 6379, 6379): redis or free_port()},
            rewrites=rewrites,
        )


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


# An nginx that is told what the Ingress's annotations tell the controller.
INGRESS = """\
pid {root}/ingress.pid;
daemon off;
error_log stderr warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {root}/client;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size {annotations[proxy-body-size]};
        location / {{
            proxy_pass https://127.0.0.1:{backend};
            proxy_ssl_trusted_certificate {trust}/ca.crt;
            proxy_ssl_verify {annotations[proxy-ssl-verify]};
            proxy_ssl_verify_depth {annotations[proxy-ssl-verify-depth]};
            proxy_ssl_name {annotations[proxy-ssl-name]};
            proxy_ssl_server_name {annotations[proxy-ssl-server-name]};
            proxy_ssl_protocols {annotations[proxy-ssl-protocols]};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


@contextmanager
def ingress(
    nginx: str, pod: ProxiedPod, root: Path, ingress_name: str = "traversion-ingress"
) -> Iterator[int]:
    """Start it with the Secret that the annotation names; yields its port."""
    prefix = "nginx.ingress.kubernetes.io/"
    stated = find(pod.manifests, "Ingress", ingress_name)["metadata"]["annotations"]
    annotations = {"proxy-body-size": "1m"} | {  # what the controller allows where nothing is said
        name.removeprefix(prefix): value for name, value in stated.items() if name.startswith(prefix)
    }
    assert annotations["backend-protocol"] == "HTTPS"
    namespace, _, secret = annotations["proxy-ssl-secret"].partition("/")
    assert namespace == "traversion-system"
    root.chmod(0o777)
    # The controller would also show the key pair in it to a pod that asked for one; none does.
    (root / "ca.crt").write_text(pod.secrets[secret]["ca.crt"], encoding="utf-8")
    port, config = free_port(), root / "ingress.conf"
    values = {"annotations": annotations, "backend": pod.port["https"], "trust": root}
    config.write_text(INGRESS.format(root=root, port=port, **values), encoding="utf-8")
    with daemon([nginx, "-e", "stderr", "-c", str(config)], {}, root / "ingress.log", user=USER):
        eventually(lambda: answers(port))
        yield port


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def through(port: int, body: bytes | None = None) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request("POST" if body else "GET", "/upload" if body else "/headers", body)
        answer = client.getresponse()
        return answer.status, answer.read()


def redis_through(pod: ApiPod, redis: Redis, *command: str) -> str:
    """Send Redis a command as the application does: in plain text, to loopback."""
    client = ["redis-cli", "-p", str(pod.port["redis"]), "--no-auth-warning", *command]
    done = run(client, {"REDISCLI_AUTH": redis.passwords["default"]})
    return (done.stdout + done.stderr).strip()
