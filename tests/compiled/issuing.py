"""cert-manager as it runs in a cluster, and an authority on the "Internet" that it asks: Pebble."""

import base64
import json
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.compiled.compiling import compiled, module
from tests.compiled.control_plane import Cluster, as_list
from tests.integration.authority import Authority
from tests.integration.processes import Daemon, daemon, eventually, run
from tests.manifests import Manifest


@contextmanager
def cert_manager(go: str, cluster: Cluster, *nameservers: str) -> Generator[Daemon]:
    """Install its definitions and start its controllers, which may do everything.

    They ask ``nameservers`` and not the machine's.
    """
    program = compiled(go, "cert-manager") / "cert-manager"
    # Those beside the repository are only the ones that are synthesized.
    definitions = module(go, "cert-manager", "github.com/cert-manager/cert-manager") / "deploy" / "crds"
    cluster.done("apply", "--server-side", "--force-conflicts", "-f", str(definitions))
    cluster.done("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    environment = {"KUBECONFIG": str(cluster.home / "kubeconfig"), "HOME": str(cluster.home)}
    with daemon([str(program), *nameservers], environment, cluster.home / "cert-manager.log") as running:
        yield running


def ready(certificate: Manifest) -> bool:
    """Tell whether a Certificate has been issued as it is now."""
    conditions = {each["type"]: each for each in certificate.get("status", {}).get("conditions", [])}
    done = {"status": "True", "observedGeneration": certificate["metadata"]["generation"]}
    return "Issuing" not in conditions and done.items() <= conditions.get("Ready", {}).items()


def wait_for(cluster: Cluster, wanted: Sequence[Manifest], within: float = 90) -> None:
    """Wait until Certificates are issued as they are stored now."""
    (namespace,) = {each["metadata"]["namespace"] for each in wanted}
    try:
        eventually(lambda: all(map(ready, cluster.stored(wanted))), within=within, every=0.5)
    except AssertionError as error:
        raise AssertionError(explained(cluster, namespace)) from error


def explained(cluster: Cluster, namespace: str) -> str:
    """Say what cert-manager's objects in a namespace say of themselves."""
    kinds = "issuers,certificates,certificaterequests,orders,challenges"
    found = json.loads(cluster.done("get", kinds, "-n", namespace, "-o", "json"))["items"]
    return "\n".join(
        f"{each['kind']} {each['metadata']['name']}: {json.dumps(each.get('status'))}" for each in found
    )


@dataclass(frozen=True)
class Certificate:
    """What a Secret holds, as openssl reads it."""

    files: Mapping[str, str]

    @staticmethod
    def of(secret: Manifest) -> "Certificate":
        decoded = {name: base64.b64decode(text).decode() for name, text in secret["data"].items()}
        return Certificate(decoded)

    def says(self, *options: str) -> str:
        """Ask openssl about the certificate."""
        done = run(["openssl", "x509", "-noout", *options], text=self.files["tls.crt"])
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def fingerprint(self) -> str:
        return self.says("-fingerprint", "-sha256")

    @property
    def names(self) -> set[str]:
        return set(re.findall(r"DNS:([^,\s]+)", self.says("-text")))

    def verified(self, trust: str, home: Path, *, name: str = "", purpose: str = "sslserver") -> bool:
        """Tell whether a peer that trusts ``trust`` accepts it, by name where it asks for one."""
        (home / "trust.crt").write_text(trust, encoding="utf-8")
        asked = ["-verify_hostname", name] if name else []
        command = ["openssl", "verify", "-x509_strict", "-CAfile", str(home / "trust.crt")]
        done = run([*command, "-purpose", purpose, *asked], text=self.files["tls.crt"])
        return done.returncode == 0

    def belongs_to_its_key(self) -> bool:
        of_key = run(["openssl", "pkey", "-pubout"], text=self.files["tls.key"])
        assert of_key.returncode == 0, of_key.stderr
        return of_key.stdout == self.says("-pubkey")


@contextmanager
def public_authority(programs: Path, home: Path, *, front: str, directory: int) -> Generator[str]:
    """Start Pebble, for whom every name leads to ``front``; yields a DNS server that says the same.

    It asks on port 80 as Let's Encrypt does, at once, and its own certificate is of ``home``'s authority.
    """
    home.mkdir(parents=True, exist_ok=True)
    own = Authority(home, "authority of the ACME server").issue(["localhost"])
    for name, text in own.items():
        (home / name).write_text(str(text), encoding="utf-8")
    config = {
        "listenAddress": f"127.0.0.1:{directory}",
        "managementListenAddress": f"127.0.0.1:{directory + 1}",
        "certificate": str(home / "tls.crt"),
        "privateKey": str(home / "tls.key"),
        "httpPort": 80,
        "tlsPort": 443,
    }
    (home / "pebble.json").write_text(json.dumps({"pebble": config}), encoding="utf-8")
    names = f"127.0.0.1:{directory + 2}"
    answers = [f"-defaultIPv4={front}", "-defaultIPv6=", f"-dnsserver={names}"]
    nothing_else = ["-http01=", "-https01=", "-tlsalpn01=", "-doh=", f"-management=127.0.0.1:{directory + 3}"]
    with (
        daemon([str(programs / "pebble-challtestsrv"), *answers, *nothing_else], {}, home / "names.log"),
        daemon(
            [str(programs / "pebble"), "-config", str(home / "pebble.json"), "-dnsserver", names],
            {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"},
            home / "pebble.log",
        ),
    ):
        yield names


def asking(issuer: Manifest, home: Path, *, directory: int) -> Manifest:
    """Return an ACME Issuer that asks Pebble instead of Let's Encrypt, and is otherwise the same."""
    assert issuer["spec"]["acme"]["server"].startswith("https://acme"), issuer["spec"]
    trust = (home / "ca.crt").read_text(encoding="utf-8")
    acme = {
        **issuer["spec"]["acme"],
        "server": f"https://localhost:{directory}/dir",
        "caBundle": base64.b64encode(trust.encode()).decode(),
    }
    return {**issuer, "spec": {"acme": acme}}


def apply(cluster: Cluster, manifests: Sequence[Manifest]) -> None:
    """Apply manifests as the README says."""
    cluster.done("apply", "--server-side", "-f", "-", text=as_list(manifests))
