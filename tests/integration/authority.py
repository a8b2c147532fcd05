"""Certificates as cert-manager makes them: an authority of one's own, and leaves that bear names only."""

from collections.abc import Sequence
from pathlib import Path

from tests.integration.kubelet import Files
from tests.integration.processes import run
from tests.manifests import Manifest

_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
_CONFIG = """\
[req]
distinguished_name = nothing
[nothing]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = {usage}
subjectAltName = critical, {names}
"""


class Authority:
    """A certificate authority with its files in a directory."""

    def __init__(self, directory: Path, name: str = "internal CA") -> None:
        self._directory = directory
        self._issued = 0
        self._request("authority", f"/CN={name}", "DNS:not.in.an.authority")

    @property
    def certificate(self) -> str:
        return self._read("authority.crt")

    def serving(self, certificate: Manifest) -> Files:
        """Return the Secret that cert-manager would keep for a synthesized Certificate."""
        assert certificate["kind"] == "Certificate"
        spec = certificate["spec"]
        usage = "clientAuth" if "client auth" in spec["usages"] else "serverAuth"
        return self.issue(spec.get("dnsNames", []), common_name=spec.get("commonName", ""), usage=usage)

    def issue(self, names: Sequence[str], *, common_name: str = "", usage: str = "serverAuth") -> Files:
        self._issued += 1
        name = f"leaf-{self._issued}"
        authority = self._directory / "authority"
        signed_by = ["-CA", f"{authority}.crt", "-CAkey", f"{authority}.key"]
        subject = f"/CN={common_name}" if common_name else "/"
        alternatives = [f"DNS:{each}" for each in names] or [f"URI:spiffe://{common_name}"]
        self._request(name, subject, ",".join(alternatives), *signed_by, usage=usage)
        return {
            "tls.crt": self._read(f"{name}.crt"),
            "tls.key": self._read(f"{name}.key"),
            "ca.crt": self.certificate,
        }

    def _request(
        self, name: str, subject: str, names: str, *signed_by: str, usage: str = "serverAuth"
    ) -> None:
        config = self._directory / f"{name}.cnf"
        config.write_text(_CONFIG.format(names=names, usage=usage), encoding="utf-8")
        section = "leaf" if signed_by else "authority"
        files = ["-keyout", f"{self._directory}/{name}.key", "-out", f"{self._directory}/{name}.crt"]
        options = ["-days", "1", "-subj", subject, "-config", str(config), "-extensions", section]
        done = run(["openssl", "req", "-x509", *options, *_NEW_KEY, *signed_by, *files])
        assert done.returncode == 0, done.stderr

    def _read(self, name: str) -> str:
        return (self._directory / name).read_text(encoding="utf-8")
