"""Traefik in front of stand-in pods: it reads Ingresses and Gateways from a real API server.

All of it runs in a network of its own, with addresses that an EndpointSlice may have: loopback it may not.
"""

import ctypes
import json
import os
import socket
import ssl
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from tests.compiled.control_plane import Cluster, as_list
from tests.integration.authority import Authority
from tests.integration.kubelet import Files
from tests.integration.processes import daemon, eventually, run
from tests.manifests import Manifest, find, of_kind

PROGRAM = Path(sys.executable).parent / "traefik"
FRONT, PODS = "192.0.2.1", "192.0.2.2"
GUEST, OTHER_GUEST, GUESSER, OPERATOR = (f"192.0.2.{number}" for number in (65, 66, 67, 68))
STRANGER = "192.0.2.129"
"""Addresses of clients; the first four are in ``GUESTS``, and the fourth alone in ``OPERATORS``."""
GUESTS, OPERATORS = "192.0.2.64/26", f"{OPERATOR}/32"
PASSWORD = "password of a test"

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
# Definitions that Traefik watches and that are not beside the repository: whatever is in them is accepted.
_OTHER_KINDS = {
    "gateway.networking.k8s.io": {
        "GatewayClass": ("gatewayclasses", "v1", "Cluster"),
        "GRPCRoute": ("grpcroutes", "v1", "Namespaced"),
        "TLSRoute": ("tlsroutes", "v1", "Namespaced"),
        "ReferenceGrant": ("referencegrants", "v1beta1", "Namespaced"),
    },
    "traefik.io": {
        kind: (f"{kind.lower()}s", "v1alpha1", "Namespaced")
        for kind in (
            *("IngressRoute", "IngressRouteTCP", "IngressRouteUDP", "Middleware", "MiddlewareTCP"),
            *("ServersTransport", "ServersTransportTCP", "TLSOption", "TLSStore", "TraefikService"),
        )
    },
}


def may_make_networks() -> bool:
    """Say whether this user may."""
    return os.geteuid() == 0 and run(["unshare", "-n", "true"]).returncode == 0


@contextmanager
def private_network() -> Iterator[None]:
    """Have this thread, and whatever it starts, live in a network that nobody else sees."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open("rb") as before:
        assert libc.unshare(_NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        try:
            # kube-apiserver asks for a default route, though it needs none.
            for command in ("link set lo up", "address add 192.0.2.0/24 dev lo", "route add default dev lo"):
                done = run(["ip", *command.split()])
                assert done.returncode == 0, done.stderr
            yield
        finally:
            assert libc.setns(before.fileno(), _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def seen(self) -> Any:  # noqa: ANN401 # JSON
        """What the pod that answered saw of the request."""
        return json.loads(self.body)


class _Pod(BaseHTTPRequestHandler):
    """Tells what it saw; holds what is asked to be slow; echoes what comes after an upgrade."""

    protocol_version = "HTTP/1.1"

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Upgrade") == "websocket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            while line := self.rfile.readline():
                self.wfile.write(line)
            return
        pods: Pods = self.server.pods  # type: ignore[attr-defined]
        if self.path.startswith("/slow"):
            pods.slow.release()
            pods.go_on.wait(30)
        seen = {
            "service": self.server.service,  # type: ignore[attr-defined]
            "path": self.path,
            "host": self.headers.get("Host"),
            "headers": dict(self.headers.items()),
            "length": len(body),
            "encrypted": isinstance(self.connection, ssl.SSLSocket),
        }
        text = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_OPTIONS = handle_request  # noqa: N815 # as the base class finds them

    def log_message(self, *_: object, **__: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind as the base class does, without asking for a name where nobody answers."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = PODS, self.socket.getsockname()[1]


@dataclass
class Pods:
    """Stand-ins for the pods behind every Service that something in front names."""

    authority: Authority
    slow: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released for each request that is being held."""
    go_on: threading.Event = field(default_factory=threading.Event)

    last_port: int = 20000

    def free_port(self) -> int:
        self.last_port += 1
        return self.last_port

    @contextmanager
    def serve(self, port: int, what: str, certificate: Files | None, home: Path) -> Iterator[None]:
        """Answer on a port, with TLS where there is a certificate."""
        server = _Server((PODS, port), _Pod)
        server.pods = self  # type: ignore[attr-defined]
        server.service = what  # type: ignore[attr-defined]
        if certificate:
            server.socket = _context(certificate, home / f"pod-{port}").wrap_socket(
                server.socket, server_side=True
            )
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.go_on.set()
            server.shutdown()
            server.server_close()


def _context(certificate: Files, directory: Path) -> ssl.SSLContext:
    directory.mkdir()
    for name, content in certificate.items():
        (directory / name).write_text(str(content), encoding="utf-8")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    return context


@dataclass(frozen=True)
class Front:
    """A running Traefik, and clients of it."""

    cluster: Cluster
    manifests: Sequence[Manifest]
    pods: Pods
    authority: Authority
    home: Path
    slices: Sequence[Manifest]

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        client: str = GUEST,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request as a browser would, and verify the certificate of the host."""
        connection, path = self.connect(url, client)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response: HTTPResponse = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def connect(self, url: str, client: str = GUEST) -> tuple[HTTPConnection, str]:
        """Open a connection from an address to the host of a URL."""
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        if scheme == "http":
            connection = HTTPConnection(host, timeout=10)
        else:
            connection = HTTPSConnection(host, timeout=10, context=self.trust())
        raw = socket.create_connection(
            (FRONT, 443 if scheme == "https" else 80), timeout=10, source_address=(client, 0)
        )
        connection.sock = self.trust().wrap_socket(raw, server_hostname=host) if scheme == "https" else raw
        return connection, slash + path or "/"

    def directory(self, name: str) -> Path:
        (self.home / name).mkdir()
        return self.home / name

    @contextmanager
    def replaced(self, name: str, certificate: Files) -> Iterator[None]:
        """Have other pods stand behind a Service, with a certificate of their own."""
        service = find(self.manifests, "Service", name)
        with ExitStack() as running:
            slices, ports = self._slice(name), []
            for each in slices["ports"]:
                port = self.pods.free_port()
                running.enter_context(self.pods.serve(port, f"{name}:{each['name']}", certificate, self.home))
                ports.append({**each, "port": port})
            self._apply(_slice(service, ports))
            try:
                yield
            finally:
                self._apply(slices)

    def _slice(self, name: str) -> Manifest:
        (found,) = (each for each in self.slices if each["metadata"]["name"] == name)
        return found

    def _apply(self, manifest: Manifest) -> None:
        self.cluster.done("apply", "--server-side", "-f", "-", text=as_list([manifest]))

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority.certificate)


@contextmanager
def front(
    cluster: Cluster, manifests: Sequence[Manifest], arguments: Sequence[str], home: Path
) -> Generator[Front]:
    """Apply what the way in consists of, stand in for cert-manager and the pods, and start Traefik."""
    (home / "public").mkdir(parents=True)
    (home / "internal").mkdir()
    public, internal = Authority(home / "public"), Authority(home / "internal")
    (namespace,) = of_kind(manifests, "Namespace")
    kinds = ("Gateway", "HTTPRoute", "BackendTLSPolicy", "Middleware", "Ingress")
    wanted = [*of_kind(manifests, *kinds)]
    secrets = {
        each["spec"]["secretName"]: (internal if _is_internal(each) else public).serving(each)
        for each in of_kind(manifests, "Certificate")
        if not each["spec"].get("isCA") and each["spec"].get("dnsNames")
    }
    pods = Pods(internal)
    with ExitStack() as running:
        slices = []
        for service in of_kind(manifests, "Service"):
            ports = []
            for each in service["spec"]["ports"]:
                port = pods.free_port()
                name = service["metadata"]["name"]
                certificate = secrets.get(_serving_secret(manifests, service) or "")
                running.enter_context(pods.serve(port, f"{name}:{each['name']}", certificate, home))
                ports.append({"name": each["name"], "port": port, "protocol": "TCP"})
            slices.append(_slice(service, ports))
        users = _basic_auth(manifests)
        cluster.done("create", "-f", "-", text=as_list([{**namespace, "spec": {}}]))
        cluster.done(
            *("apply", "--server-side", "-f", "-"),
            text=as_list(
                [
                    *(_secret(namespace, name, files) for name, files in secrets.items()),
                    *(_secret(namespace, name, files) for name, files in users.items()),
                    *of_kind(manifests, "Service"),
                    *slices,
                    *wanted,
                ]
            ),
        )
        started = running.enter_context(
            daemon(
                [
                    str(PROGRAM),
                    "--global.checkNewVersion=false",
                    "--global.sendAnonymousUsage=false",
                    f"--entryPoints.web.address={FRONT}:80",
                    f"--entryPoints.websecure.address={FRONT}:443",
                    "--log.level=INFO",
                    *arguments,
                ],
                {"KUBECONFIG": str(cluster.home / "kubeconfig"), "HOME": str(home)},
                home / "traefik.log",
            )
        )
        served = Front(cluster, manifests, pods, public, home, slices)

        def ready() -> bool:
            assert started.process.poll() is None, started.said()[-4000:]
            try:
                return served.ask(f"https://{_a_host(manifests)}/api/health").status == 200
            except OSError:
                return False

        try:
            eventually(ready, within=30, every=0.2)
        except AssertionError as error:
            raise AssertionError(started.said()[-4000:]) from error
        yield served


def install_definitions(cluster: Cluster) -> None:
    """Install what Traefik watches besides what `control_plane` installs."""
    crds = [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{plural}.{group}",
                "annotations": {"api-approved.kubernetes.io": "unapproved, a stand-in of a test"},
            },
            "spec": {
                "group": group,
                "scope": scope,
                "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                "versions": [
                    {
                        "name": version,
                        "served": True,
                        "storage": True,
                        "subresources": {"status": {}},
                        "schema": {
                            "openAPIV3Schema": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                            }
                        },
                    }
                ],
            },
        }
        for group, kinds in _OTHER_KINDS.items()
        for kind, (plural, version, scope) in kinds.items()
    ]
    cluster.done("create", "-f", "-", text=as_list(crds))
    cluster.done("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")


def _is_internal(certificate: Manifest) -> bool:
    return str(certificate["spec"]["issuerRef"]["name"]).startswith("internal-ca")


def _serving_secret(manifests: Sequence[Manifest], service: Manifest) -> str | None:
    """Return the Secret that something in front expects the pods behind a Service to serve with."""
    name = service["metadata"]["name"]
    for policy in of_kind(manifests, "BackendTLSPolicy"):
        if any(target["name"] == name for target in policy["spec"]["targetRefs"]):
            return str(policy["spec"]["validation"]["caCertificateRefs"][0]["name"])
    for ingress in of_kind(manifests, "Ingress"):
        secret = ingress["metadata"]["annotations"].get("nginx.ingress.kubernetes.io/proxy-ssl-secret")
        (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
        if secret and path["backend"]["service"]["name"] == name:
            return str(secret).partition("/")[2]
    return None


def _slice(service: Manifest, ports: Sequence[Manifest]) -> Manifest:
    metadata = service["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {"kubernetes.io/service-name": metadata["name"]},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [PODS], "conditions": {"ready": True}}],
        "ports": list(ports),
    }


def _secret(namespace: Manifest, name: str, files: Mapping[str, object]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace["metadata"]["name"]},
        "type": "kubernetes.io/tls" if "tls.crt" in files else "Opaque",
        "stringData": {key: str(value) for key, value in files.items()},
    }


def _basic_auth(manifests: Sequence[Manifest]) -> dict[str, dict[str, str]]:
    import bcrypt  # noqa: PLC0415 # for this alone

    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=4)).decode()
    names = {
        each["metadata"]["annotations"].get("nginx.ingress.kubernetes.io/auth-secret")
        for each in of_kind(manifests, "Ingress")
    }
    return {name: {"auth": f"admin:{hashed}"} for name in names if name}


def _a_host(manifests: Sequence[Manifest]) -> str:
    certificate = find(manifests, "Certificate", "traversion-ingress-tls")
    return str(certificate["spec"]["dnsNames"][0])
