"""The database that several modules share, and the Secrets that every pod asks for."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import Program, Unavailable
from tests.integration.authority import Authority
from tests.integration.database import Postgres
from tests.integration.firewall import Firewall, PodHost
from tests.integration.kubelet import Files, Pod, Secrets
from tests.integration.network import Network
from tests.integration.processes import USER, free_port, public_directory, run
from tests.manifests import Manifest, Synthesis, of_kind
from traversion.platform.credentials import Derived, Fixed

MakePostgres = Callable[[], Postgres]


@pytest.fixture
def host() -> Iterator[Path]:
    """A directory for one test's pods, whoever runs them."""
    with public_directory() as path:
        yield path


@pytest.fixture(scope="session")
def session_host() -> Iterator[Path]:
    with public_directory() as path:
        yield path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def secrets(syntheses: dict[str, Synthesis], authority: Authority) -> Secrets:
    return secrets_of(syntheses["production"], authority)


def secrets_of(synthesis: Synthesis, authority: Authority) -> Secrets:
    """Every Secret of an environment, with passwords that whoever forgets to quote them stumbles over."""
    values = {
        credential.secret: {
            key: source.value if isinstance(source, Fixed) else _password(f"{credential.secret} {key}")
            for key, source in credential.sources.items()
            if not isinstance(source, Derived)
        }
        for credential in synthesis.platform.credentials.declared
    }
    leaves = [c for c in of_kind(synthesis.manifests, "Certificate") if not c["spec"].get("isCA")]
    certificates: dict[str, Files] = {c["spec"]["secretName"]: authority.serving(c) for c in leaves}
    return values | certificates


def _password(name: str) -> str:
    return rf"""it's a "{name}" \ $HOME %40 /+=:@#?&;--"""


@pytest.fixture(scope="session")
def empty_postgres(
    postgres_bin: str, production: Sequence[Manifest], secrets: Secrets, session_host: Path
) -> Postgres:
    """A server as after its very first start; it is down, and stays as it is."""
    root = session_host / "empty"
    root.mkdir()
    postgres = Postgres(postgres_bin, production, root, secrets=secrets, port=free_port())
    postgres.initialize(secrets["timescaledb-superuser"]["password"])
    return postgres


@pytest.fixture
def make_postgres(
    postgres_bin: str, production: Sequence[Manifest], secrets: Secrets, empty_postgres: Postgres, host: Path
) -> MakePostgres:
    """Makes the server of one test, which may do to it what it wants; it is down and has no schema."""

    def make() -> Postgres:
        postgres = Postgres(postgres_bin, production, host, secrets=secrets, port=free_port())
        postgres.copy_of(empty_postgres)
        return postgres

    return make


@pytest.fixture(scope="session")
def database(
    postgres_bin: str,
    production: Sequence[Manifest],
    secrets: Secrets,
    empty_postgres: Postgres,
    session_host: Path,
) -> Iterator[Postgres]:
    """A running server with the schema and nothing in it but what a test adds for itself.

    It logs every statement, as a server does whose operator is looking for something.
    """
    root = session_host / "database"
    root.mkdir()
    postgres = Postgres(postgres_bin, production, root, secrets=secrets, port=free_port())
    postgres.copy_of(empty_postgres)
    with postgres.running("-c", "log_statement=all", "-c", "log_min_duration_statement=0"):
        done = apply_schema(postgres, root / "schema-job")
        assert done.returncode == 0, done.stderr
        yield postgres


def apply_schema(postgres: Postgres, root: Path) -> subprocess.CompletedProcess[str]:
    """Run the Job ``timescaledb-schema`` to its end."""
    pod = postgres.client_pod("timescaledb-schema", root)
    return run_container(postgres, pod, "apply-schema")


def run_container(
    postgres: Postgres, pod: Pod, container: str, **overrides: str
) -> subprocess.CompletedProcess[str]:
    environment = postgres.client_environment(pod, container) | overrides
    return run(pod.command(container), environment, user=USER)


@pytest.fixture(scope="session")
def network_maker(program: Program, unavailable: Unavailable) -> type[Network]:
    """Networks, where this user and this kernel can make and filter them."""
    program("ip")
    program("nft")
    denial = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "denial", "namespace": "somewhere"},
        "spec": {"podSelector": {}},
    }
    pod = PodHost("pod", "somewhere", address="192.0.2.1")
    try:
        with Network([{pod.name: pod.address}], [1]) as network:
            network.enforce(Firewall([denial], [pod]).rules())
    except OSError as error:
        unavailable(f"no network with a firewall can be made here: {error}")
    return Network
