"""A public authority signs: its challenges pass the way in, admission and the policies, in both modes.

All is real between the authority (Pebble, by the makers of Let's Encrypt) and cert-manager's solver: Traefik
leads the challenge to it, though it sends everything else to HTTPS. Only the solver itself is a stand-in, for
want of a kubelet; it answers what the stored pod says.
"""

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.compiled.compiling import compiled
from tests.compiled.control_plane import Cluster, control_plane
from tests.compiled.front import (
    FRONT,
    PODS,
    front,
    install_definitions,
    may_make_networks,
    private_network,
)
from tests.compiled.issuing import apply, asking, cert_manager, explained, public_authority, wait_for
from tests.compiled.test_cluster_edge import ARGUMENTS, CLASSES, settings
from tests.conftest import Program
from tests.integration.processes import eventually, run
from tests.manifests import Manifest, change, names, of_kind, selects, synthesize_environment
from traversion.settings import Environment

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.daemon,
    pytest.mark.slow,
    pytest.mark.skipif(not may_make_networks(), reason="only root may make a network for it"),
]

DIRECTORY = 14000
SOLVER_PORT = 8089
SOLVER = "acme.cert-manager.io/http01-solver=true"


class Solvers:
    """Stands in for the kubelet and the EndpointSlice controller: what was admitted answers."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.pods: dict[str, Manifest] = {}
        self._cluster = cluster
        self._namespace = namespace
        self._ended = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        solvers = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = solvers.key(self.headers["Host"], self.path)
                self.send_response(200 if key else 404)
                self.end_headers()
                self.wfile.write(key.encode())

            def log_message(self, *_: object, **__: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer((PODS, SOLVER_PORT), Answer)
        threads = [
            threading.Thread(target=each, daemon=True) for each in (server.serve_forever, self._follow)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            server.shutdown()
            server.server_close()
            threads[1].join(20)

    def key(self, host: str, path: str) -> str:
        """Return what the solver of a challenge says, "" where there is none."""
        for pod in list(self.pods.values()):
            (container,) = pod["spec"]["containers"]
            told: dict[str, str] = dict(each.removeprefix("--").split("=", 1) for each in container["args"])
            if told["domain"] == host.partition(":")[0] and path.endswith(f"/{told['token']}"):
                return told["key"]
        return ""

    def _follow(self) -> None:
        while not self._ended.wait(0.3):
            found = json.loads(
                self._cluster.done("get", "pods,services", "-n", self._namespace, "-l", SOLVER, "-o", "json")
            )["items"]
            self.pods |= {each["metadata"]["name"]: each for each in of_kind(found, "Pod")}
            slices = [self._slice(each, of_kind(found, "Pod")) for each in of_kind(found, "Service")]
            if slices:
                apply(self._cluster, slices)

    def _slice(self, service: Manifest, pods: Sequence[Manifest]) -> Manifest:
        ready = [
            each
            for each in pods
            if selects({"matchLabels": service["spec"]["selector"]}, each["metadata"]["labels"])
        ]
        (port,) = service["spec"]["ports"]
        assert port["targetPort"] == SOLVER_PORT, port
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": service["metadata"]["name"],
                "namespace": self._namespace,
                "labels": {"kubernetes.io/service-name": service["metadata"]["name"]},
            },
            "addressType": "IPv4",
            "ports": [{"name": port.get("name", ""), "port": SOLVER_PORT, "protocol": "TCP"}],
            "endpoints": [{"addresses": [PODS], "conditions": {"ready": True}} for _ in ready],
        }


@dataclass(frozen=True)
class Issued:
    """What there was when every public Certificate had been issued."""

    manifests: Sequence[Manifest]
    certificates: Sequence[Manifest]
    pods: Sequence[Manifest]
    served: Mapping[str, str]
    """By host, the issuer of the certificate that the way in shows."""


@pytest.fixture(scope="module", params=["nginx", "gateway"])
def issued(
    request: pytest.FixtureRequest,
    server: Path,
    program: Program,
    environments: Mapping[str, Environment],
    tmp_path_factory: pytest.TempPathFactory,
) -> Issued:
    pebble = compiled(program("go"), "pebble")
    mode: str = request.param
    home = tmp_path_factory.mktemp(mode)
    environment = change(environments["production"], {"ingress": settings(mode)})
    manifests = synthesize_environment(environment).manifests
    (namespace,) = names(manifests, "Namespace")
    certificates = [
        each
        for each in of_kind(manifests, "Certificate")
        if each["spec"]["issuerRef"]["name"] == "letsencrypt"
    ]
    with private_network(), control_plane(server) as cluster:
        install_definitions(cluster)
        cluster.done("create", "-f", "-", text=CLASSES[mode])
        solvers = Solvers(cluster, namespace)
        with (
            front(cluster, manifests, ARGUMENTS[mode], home / "front"),
            public_authority(pebble, home / "public", front=FRONT, directory=DIRECTORY) as nameserver,
            cert_manager(program("go"), cluster, nameserver),
            solvers.running(),
        ):
            limits = of_kind(manifests, "ResourceQuota", "LimitRange", "NetworkPolicy")
            issuers = [
                asking(each, home / "public", directory=DIRECTORY)
                for each in of_kind(manifests, "Issuer")
                if each["metadata"]["name"] == "letsencrypt"
            ]
            # Those that Traefik started with are not of this authority.
            secrets = [each["spec"]["secretName"] for each in certificates]
            cluster.done("delete", "secret", *secrets, "-n", namespace)
            apply(cluster, [*limits, *issuers, *certificates])
            wait_for(cluster, certificates, within=120)
            hosts = [name for each in certificates for name in each["spec"]["dnsNames"]]
            served: dict[str, str] = {}

            def all_served() -> bool:
                served.update((host, issuer_of(host)) for host in hosts)
                return all("Pebble" in issuer for issuer in served.values())

            eventually(all_served, within=60, every=0.5)
            assert len(solvers.pods) == len(hosts), explained(cluster, namespace)
            return Issued(manifests, certificates, list(solvers.pods.values()), served)


def issuer_of(host: str) -> str:
    """Return who signed the certificate that the way in shows for a host."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((FRONT, 443), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        shown = connection.getpeercert(binary_form=True)
    assert shown
    done = run(["openssl", "x509", "-noout", "-issuer"], text=ssl.DER_cert_to_PEM_cert(shown))
    return done.stdout


def test_every_host_gets_its_certificate(issued: Issued) -> None:
    assert len(issued.served) == 4
    for host, issuer in issued.served.items():
        assert "Pebble Intermediate CA" in issuer, host


def test_the_solver_is_a_pod_that_the_namespace_admits(issued: Issued) -> None:
    """Pod Security, quota and limits were in force; this is what made it pass."""
    for pod in issued.pods:
        (container,) = pod["spec"]["containers"]
        assert container["ports"] == [{"containerPort": SOLVER_PORT, "name": "http", "protocol": "TCP"}]
        assert container["resources"]["limits"], "else it could not be counted for the quota"
        assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_the_policies_let_the_way_in_reach_the_solver_and_it_nobody(issued: Issued) -> None:
    (namespace,) = of_kind(issued.manifests, "Namespace")
    for pod in issued.pods:
        policies = [
            each["spec"]
            for each in of_kind(issued.manifests, "NetworkPolicy")
            if selects(each["spec"]["podSelector"], pod["metadata"]["labels"])
        ]
        assert {kind for each in policies for kind in each["policyTypes"]} == {"Ingress", "Egress"}
        opened = [
            (peer, port["port"])
            for each in policies
            for rule in each.get("ingress", [])
            for peer in rule["from"]
            for port in rule["ports"]
        ]
        assert {port for _, port in opened} == {SOLVER_PORT}
        assert opened
        assert all("namespaceSelector" in peer for peer, _ in opened)
        assert not [rule for each in policies for rule in each.get("egress", [])]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
