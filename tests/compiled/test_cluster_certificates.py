"""The real cert-manager makes of what is synthesized the certificates that servers and clients need."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.compiled.control_plane import Cluster, control_plane
from tests.compiled.issuing import Certificate, apply, cert_manager, wait_for
from tests.conftest import Program
from tests.integration.processes import eventually
from tests.manifests import Manifest, change, find, names, of_kind, synthesize_environment, workloads
from traversion.settings import AuthoritySettings, Environment

pytestmark = [pytest.mark.compiled, pytest.mark.daemon, pytest.mark.slow]

Written = Mapping[str, Sequence[Manifest]]
ENVIRONMENTS = ("dev", "production", "staging")
PURPOSES = {"server auth": "sslserver", "client auth": "sslclient"}


@pytest.fixture(scope="module")
def cluster(server: Path, dist: Path, program: Program) -> Iterator[Cluster]:
    """A cluster with all of ``dist/``, in which cert-manager has just been started."""
    with control_plane(server) as running:
        done = running.kubectl("apply", "--server-side", "-f", str(dist))
        assert done.returncode == 0, done.stderr
        with cert_manager(program("go"), running):
            yield running


def namespace_of(manifests: Sequence[Manifest]) -> str:
    (namespace,) = names(manifests, "Namespace")
    return namespace


def of_own_authority(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Return the Certificates for which nobody on the Internet is asked."""
    public = {each["metadata"]["name"] for each in of_kind(manifests, "Issuer") if "acme" in each["spec"]}
    return [
        each for each in of_kind(manifests, "Certificate") if each["spec"]["issuerRef"]["name"] not in public
    ]


def issued(cluster: Cluster, certificate: Manifest) -> Certificate:
    """Return what the Secret of a Certificate holds."""
    namespace = certificate["metadata"]["namespace"]
    secret = cluster.done("get", "secret", certificate["spec"]["secretName"], "-n", namespace, "-o", "json")
    return Certificate.of(json.loads(secret))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_certificate_comes_up_from_nothing(
    cluster: Cluster, written: Written, environment: str, tmp_path: Path
) -> None:
    wanted = of_own_authority(written[environment])
    assert len(wanted) > 6
    wait_for(cluster, wanted)
    for each in wanted:
        name, spec, found = each["metadata"]["name"], each["spec"], issued(cluster, each)
        assert set(found.files) == {"tls.crt", "tls.key", "ca.crt"}, name
        assert found.belongs_to_its_key(), name
        assert found.names == set(spec.get("dnsNames", [])), name
        assert "NIST CURVE: P-256" in found.says("-text"), name
        for usage in set(spec.get("usages", [])) & set(PURPOSES):
            for alternative in spec.get("dnsNames", [""]):
                accepted = found.verified(
                    found.files["ca.crt"], tmp_path, name=alternative, purpose=PURPOSES[usage]
                )
                assert accepted, (name, alternative)


def test_an_environment_does_not_trust_another(cluster: Cluster, written: Written, tmp_path: Path) -> None:
    found = {}
    for environment in ENVIRONMENTS:
        certificate = find(written[environment], "Certificate", "timescaledb-tls")
        wait_for(cluster, [certificate])
        found[environment] = issued(cluster, certificate)
    accepted = {
        (environment, other)
        for environment, certificate in found.items()
        for other, trusted in found.items()
        if certificate.verified(trusted.files["ca.crt"], tmp_path, name="timescaledb-service")
    }
    assert accepted == {(environment, environment) for environment in ENVIRONMENTS}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_file_that_is_mounted_of_a_certificate_is_there(
    cluster: Cluster, written: Written, environment: str
) -> None:
    manifests = written[environment]
    certificates = {each["spec"]["secretName"]: each for each in of_own_authority(manifests)}
    wait_for(cluster, list(certificates.values()))
    mounted = [
        (certificates[volume["secret"]["secretName"]], item["key"])
        for each in workloads(manifests)
        for volume in each.spec.get("volumes", [])
        if volume.get("secret", {}).get("secretName") in certificates
        for item in volume["secret"].get("items") or [{"key": "tls.crt"}, {"key": "tls.key"}]
    ]
    assert {key for _, key in mounted} == {"tls.crt", "tls.key", "ca.crt"}
    for certificate, key in mounted:
        assert issued(cluster, certificate).files[key], (certificate["metadata"]["name"], key)


def test_what_the_alerts_of_expiry_read_is_there(cluster: Cluster, written: Written) -> None:
    """kube-state-metrics reads these two fields of every Certificate."""
    wanted = of_own_authority(written["production"])
    wait_for(cluster, wanted)
    for each in cluster.stored(wanted):
        assert each["status"]["notAfter"] > each["status"]["renewalTime"], each["metadata"]["name"]
        assert {"type": "Ready", "status": "True"}.items() <= each["status"]["conditions"][0].items()


def test_a_renewal_brings_another_key_under_the_same_authority(
    cluster: Cluster, written: Written, tmp_path: Path
) -> None:
    certificate = find(written["staging"], "Certificate", "redis-tls")
    wait_for(cluster, [certificate])
    before = issued(cluster, certificate)
    # This is how `cmctl renew` asks for it.
    due = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "a test wants it"}
    (stored,) = cluster.stored([certificate])
    stored["status"]["conditions"].append({**due, "lastTransitionTime": stored["status"]["notBefore"]})
    cluster.done("replace", "--subresource=status", "-f", "-", text=json.dumps(stored))
    eventually(lambda: issued(cluster, certificate).fingerprint != before.fingerprint, within=60, every=0.5)
    after = issued(cluster, certificate)
    assert after.belongs_to_its_key()
    assert after.files["tls.key"] != before.files["tls.key"]
    assert after.verified(before.files["ca.crt"], tmp_path, name="redis-service")


def test_an_authority_is_replaced_while_everybody_is_trusted(
    cluster: Cluster, environments: Mapping[str, Environment], written: Written, tmp_path: Path
) -> None:
    """The steps of docs/operations/certificates.md, each applied; the certificates are copied as it says."""
    certificate = find(written["dev"], "Certificate", "timescaledb-tls")

    def applied(**settings: object) -> list[Manifest]:
        environment = change(environments["dev"], {"authority": AuthoritySettings(**settings)})  # type: ignore[arg-type]
        manifests = synthesize_environment(environment).manifests
        apply(cluster, manifests)
        wait_for(cluster, of_own_authority(manifests))
        return manifests

    def accepted(leaf: Certificate, trust: str) -> bool:
        return leaf.verified(trust, tmp_path, name="timescaledb-service")

    first = issued(cluster, certificate)
    manifests = applied(successor=True)
    old, new = (
        issued(cluster, find(manifests, "Certificate", name)).files["tls.crt"]
        for name in ("internal-ca", "internal-ca-2")
    )
    assert issued(cluster, certificate).fingerprint == first.fingerprint
    manifests = applied(successor=True, trusted=old + new)
    bundle = find(manifests, "ConfigMap", "internal-ca-trust")["data"]["ca.crt"]
    assert accepted(issued(cluster, certificate), bundle)
    applied(generation=2, trusted=old + new)
    second = issued(cluster, certificate)
    assert second.fingerprint != first.fingerprint
    assert accepted(second, bundle)
    assert not accepted(second, old)
    applied(generation=2)
    last = issued(cluster, certificate)
    assert accepted(last, last.files["ca.crt"])
    assert not accepted(first, last.files["ca.crt"])
