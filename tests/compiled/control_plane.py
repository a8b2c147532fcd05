"""A Kubernetes control plane on loopback: the real etcd, kube-apiserver and kube-controller-manager.

There are no nodes: what is created is admitted, stored and answered for, and never runs.
"""

import json
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.processes import daemon, eventually, free_port, run
from tests.manifests import REPOSITORY, Manifest, read_manifests

_CRDS = REPOSITORY.parent / "shared" / "crds"
_OPERATORS = ("cert-manager", "external-secrets", "gateway-api", "vertical-pod-autoscaler")
_TOKEN = "loopback"  # admits to a server that lives for one test

QUIET_CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "namespace-controller",
    "resourcequota-controller",
    "serviceaccount-controller",
)
"""Those without which admission and RBAC do not work; workloads stay what was applied, without pods."""


@dataclass(frozen=True)
class Cluster:
    """A running control plane, and kubectl as its administrator."""

    server: Path
    home: Path

    def kubectl(
        self, *arguments: str, text: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl; whether it succeeded is for the test to say."""
        environment = {"HOME": str(self.home), "KUBECONFIG": str(self.home / "kubeconfig")}
        return run([str(self.server), "kubectl", *arguments], environment, text=text, timeout=timeout)

    def done(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl, which must succeed, and return what it prints."""
        done = self.kubectl(*arguments, text=text)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout

    def silent(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl, which must succeed without a warning, and return what it prints."""
        done = self.kubectl(*arguments, text=text)
        assert (done.returncode, done.stderr) == (0, ""), f"kubectl {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout

    def created(self, manifests: Sequence[Manifest], *options: str) -> list[Manifest]:
        """Create objects, without a warning, and return what the server answers."""
        return read_manifests(
            self.silent("create", *options, "-o", "yaml", "-f", "-", text=as_list(manifests))
        )

    def stored(self, manifests: Sequence[Manifest]) -> list[Manifest]:
        """Return the objects as the server has them, in the same order."""
        found = json.loads(self.done("get", "-f", "-", "-o", "json", text=as_list(manifests)))
        items: list[Manifest] = found["items"]
        return items

    def listed(self, kind: str, namespace: str) -> list[Manifest]:
        """Return all objects of a kind in a namespace."""
        found = json.loads(self.done("get", kind, "-n", namespace, "-o", "json"))
        items: list[Manifest] = found["items"]
        return items


def as_list(manifests: Sequence[Manifest]) -> str:
    """Write manifests as kubectl reads them from its standard input."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})


@contextmanager
def control_plane(server: Path, controllers: Sequence[str] = QUIET_CONTROLLERS) -> Generator[Cluster]:
    """Start an empty cluster in which the operators' CRDs are installed; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="traversion-cluster-") as directory, ExitStack() as running:
        home = Path(directory)
        cluster = Cluster(server, home)
        etcd, peers, port = free_port(), free_port(), free_port()
        _write_credentials(home, port)
        for program, options in {
            "etcd": _etcd(home, etcd, peers),
            "kube-apiserver": _kube_apiserver(home, etcd, port),
            "kube-controller-manager": _kube_controller_manager(home, controllers),
        }.items():
            arguments = [f"--{name}={value}" for name, value in options.items()]
            log = home / f"{program}.log"
            started = running.enter_context(daemon([str(server), program, *arguments], {}, log))
            if program == "kube-apiserver":

                def ready() -> bool:
                    assert started.process.poll() is None, started.said()[-4000:]  # noqa: B023 # called now
                    return cluster.kubectl("get", "--raw=/readyz").returncode == 0

                eventually(ready, within=60, every=0.5)
        _install_operators(cluster)
        # The last thing to come up: the controllers have seen the namespace.
        eventually(
            lambda: cluster.kubectl("get", "serviceaccount", "default").returncode == 0, within=30, every=0.2
        )
        yield cluster


def _write_credentials(home: Path, port: int) -> None:
    (home / "tokens.csv").write_text(f'{_TOKEN},admin,admin,"system:masters"\n', encoding="utf-8")
    key = home / "service-account.key"
    done = run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(key)])
    assert done.returncode == 0, done.stderr
    certificate = str(home / "apiserver.crt")  # the server makes it when it starts
    named: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "loopback",
        "contexts": [{"name": "loopback", "context": {"cluster": "loopback", "user": "admin"}}],
        "users": [{"name": "admin", "user": {"token": _TOKEN}}],
        "clusters": [
            {
                "name": "loopback",
                "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority": certificate},
            }
        ],
    }
    (home / "kubeconfig").write_text(json.dumps(named), encoding="utf-8")


def _etcd(home: Path, client: int, peer: int) -> dict[str, str]:
    return {
        "data-dir": str(home / "etcd"),
        "listen-client-urls": f"http://127.0.0.1:{client}",
        "advertise-client-urls": f"http://127.0.0.1:{client}",
        "listen-peer-urls": f"http://127.0.0.1:{peer}",
        "initial-advertise-peer-urls": f"http://127.0.0.1:{peer}",
        "initial-cluster": f"default=http://127.0.0.1:{peer}",
        "unsafe-no-fsync": "true",
    }


def _kube_apiserver(home: Path, etcd: int, port: int) -> dict[str, str]:
    return {
        "etcd-servers": f"http://127.0.0.1:{etcd}",
        "bind-address": "127.0.0.1",
        "secure-port": str(port),
        "cert-dir": str(home),
        "token-auth-file": str(home / "tokens.csv"),
        "authorization-mode": "RBAC",
        "enable-admission-plugins": "LimitRanger,PodSecurity,ResourceQuota,ServiceAccount",
        "allow-privileged": "true",  # who refuses a privileged pod has to be Pod Security
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(home / "service-account.key"),
        "service-account-signing-key-file": str(home / "service-account.key"),
        "service-cluster-ip-range": "10.96.0.0/16",
        "endpoint-reconciler-type": "none",  # would refuse to publish a loopback address
        "profiling": "false",
    }


def _kube_controller_manager(home: Path, controllers: Sequence[str]) -> dict[str, str]:
    return {
        "kubeconfig": str(home / "kubeconfig"),
        "controllers": ",".join(controllers),
        "service-account-private-key-file": str(home / "service-account.key"),
        "leader-elect": "false",
        "secure-port": "0",
        "profiling": "false",
    }


def _install_operators(cluster: Cluster) -> None:
    files = [file for name in _OPERATORS for file in sorted(_CRDS.glob(f"{name}-v*.yaml"))]
    assert len(files) == len(_OPERATORS), f"{_CRDS} must hold the CRDs of {', '.join(_OPERATORS)}"
    arguments = [argument for file in files for argument in ("-f", str(file))]
    cluster.done("apply", "--server-side", *arguments)
    cluster.done("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
