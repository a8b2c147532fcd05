"""One authority takes over from another: between the two, every client accepts servers of either."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Program
from tests.integration.authority import Authority
from tests.integration.cache import CERTIFICATE_PATH as REDIS_CERTIFICATE
from tests.integration.cache import Redis
from tests.integration.edge import (
    CERTIFICATE_PATH,
    answers,
    application_and_pod,
    ingress,
    redis_through,
    through,
)
from tests.integration.handshakes import served_certificate
from tests.integration.kubelet import Files, Pod, Secrets
from tests.integration.processes import USER, daemon, eventually, free_port, run
from tests.manifests import Manifest, change, find, of_kind, synthesize_environment, workload, workloads
from traversion.settings import AuthoritySettings, Environment

pytestmark = [pytest.mark.daemon, pytest.mark.slow]


@pytest.fixture(scope="module")
def old(authority: Authority) -> Authority:
    """The authority that signed everything there is."""
    return authority


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("successor"), "internal CA-2")


@pytest.fixture(scope="module")
def between(environments: Mapping[str, Environment], old: Authority, new: Authority) -> list[Manifest]:
    """Production while both are trusted, and the new one signs."""
    settings = AuthoritySettings(generation=2, trusted=old.certificate + new.certificate)
    return synthesize_environment(change(environments["production"], {"authority": settings})).manifests


def trusting(secrets: Secrets, manifests: Sequence[Manifest]) -> dict[str, Files]:
    """Add the Secret that `traversion secrets` prints for the ingress controller."""
    bundle: Files = find(manifests, "ConfigMap", "internal-ca-trust")["data"]
    return {**secrets, "internal-ca-trust": bundle}


def test_the_new_authority_signs_every_certificate(between: list[Manifest]) -> None:
    leaves = [each for each in of_kind(between, "Certificate") if not each["spec"].get("isCA")]
    issuers = {each["spec"]["issuerRef"]["name"] for each in leaves}
    assert issuers - {"letsencrypt"} == {"internal-ca-2"}  # browsers trust the other one
    assert find(between, "Issuer", "internal-ca-2")["spec"]["ca"]["secretName"] == "internal-ca-2"


def test_no_client_reads_what_changes_with_the_servers_certificate(between: list[Manifest]) -> None:
    """A ``ca.crt`` beside the server's certificate is replaced at once, the server's file minutes later."""
    for each in workloads(between):
        for volume in each.spec.get("volumes", []):
            keys = [item["key"] for item in volume.get("secret", {}).get("items", [])]
            assert keys != ["ca.crt"], f"{each.name} {volume['name']}"


def test_requests_and_redis_go_on_while_servers_change_their_authority(
    nginx: str,
    redis_server: str,
    *,
    between: list[Manifest],
    secrets: Secrets,
    new: Authority,
    host: Path,
) -> None:
    assert redis_server
    for directory in ("redis", "pod", "ingress"):
        (host / directory).mkdir()
    mine = trusting(secrets, between)
    cache = Redis(between, host / "redis", secrets=mine, port=free_port())
    often = {**cache.pod.environment("certificate-reloader"), "INTERVAL_SECONDS": "0.1"}
    with (
        cache.running(),
        daemon(cache.pod.command("certificate-reloader"), often, host / "reloader.log"),
        application_and_pod(between, host / "pod", secrets=mine, redis=cache.port) as (_, pod),
        ingress(nginx, pod, host / "ingress") as port,
    ):
        # Everything still serves what the old authority signed.
        assert through(port)[0] == 200
        assert redis_through(pod, cache, "PING") == "PONG"
        renewed = {
            name: new.serving(find(between, "Certificate", f"{name}-tls")) for name in ("traversion", "redis")
        }
        pod.pod.replace_secret(CERTIFICATE_PATH, renewed["traversion"])
        assert served_certificate(pod.port["https"]) == renewed["traversion"]["tls.crt"]
        assert through(port)[0] == 200
        cache.pod.replace_secret(REDIS_CERTIFICATE, renewed["redis"])
        eventually(lambda: served_certificate(cache.port) == renewed["redis"]["tls.crt"])
        assert redis_through(pod, cache, "PING") == "PONG"


def test_node_trusts_both(
    program: Program, between: list[Manifest], secrets: Secrets, host: Path, *, old: Authority, new: Authority
) -> None:
    """The application's runtime reads the bundle from NODE_EXTRA_CA_CERTS, the database's driver too."""
    pod = Pod(between, "traversion", host, secrets=trusting(secrets, between), user=USER)
    values = workload(between, "traversion").variables(between, "traversion")
    assert values["NODE_EXTRA_CA_CERTS"] == values["PGSSLROOTCERT"]
    bundle = pod.rewritten(values["NODE_EXTRA_CA_CERTS"])
    for number, authority in enumerate((old, new)):
        port = free_port()
        issued = authority.issue(["timescaledb-service"])
        both = host / f"{number}.pem"
        both.write_text(issued["tls.crt"] + issued["tls.key"], encoding="utf-8")
        server = ["openssl", "s_server", "-accept", str(port), "-cert", str(both), "-www", "-quiet"]
        script = (
            f"require('tls').connect({{port: {port}, host: '127.0.0.1', servername: 'timescaledb-service'}},"
            " function () { console.log(this.authorized); this.destroy(); })"
        )
        ask = [program("node"), "-e", script]
        with daemon(server, {}, host / f"{number}.log"):
            eventually(partial(answers, port))
            assert run(ask, {"NODE_EXTRA_CA_CERTS": bundle}).stdout == "true\n"
