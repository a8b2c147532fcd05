"""A renewed certificate reaches the running server by itself, and disturbs nobody."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.authority import Authority
from tests.integration.conftest import MakePostgres
from tests.integration.database import Postgres, Session
from tests.integration.processes import USER, daemon, eventually, run
from tests.manifests import find

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

FILES = "/etc/postgresql-tls"


@pytest.fixture
def reloading(make_postgres: MakePostgres) -> Iterator[Postgres]:
    """A server beside its container ``certificate-reloader``, which looks more often than it would."""
    postgres = make_postgres()
    environment = postgres.pod.environment("certificate-reloader")
    assert float(environment["INTERVAL_SECONDS"]) <= 60
    with (
        postgres.running(),
        daemon(
            postgres.pod.command("certificate-reloader"),
            {**environment, **postgres.local, "INTERVAL_SECONDS": "0.1"},
            postgres.root / "reloader.log",
            user=USER,
        ),
    ):
        yield postgres


def served_certificate(postgres: Postgres) -> str:
    address = f"127.0.0.1:{postgres.port}"
    handshake = run(["openssl", "s_client", "-starttls", "postgres", "-connect", address])
    return run(["openssl", "x509"], text=handshake.stdout).stdout


def test_new_connections_get_the_new_certificate_and_old_ones_go_on(
    reloading: Postgres, authority: Authority
) -> None:
    before = reloading.secrets["timescaledb-tls"]["tls.crt"]
    renewed = authority.serving(find(reloading.manifests, "Certificate", "timescaledb-tls"))
    assert served_certificate(reloading) == before
    with Session(reloading.login("timescaledb-superuser", PGDATABASE="postgres")) as session:
        backend = session.ask("SELECT pg_backend_pid();")
        reloading.pod.replace_secret(FILES, renewed)
        eventually(lambda: served_certificate(reloading) == renewed["tls.crt"])
        assert session.ask("SELECT pg_backend_pid();") == backend
    assert reloading.query("timescaledb-superuser", "SELECT 1", PGDATABASE="postgres").returncode == 0


def test_a_certificate_that_does_not_fit_its_key_changes_nothing(
    reloading: Postgres, authority: Authority
) -> None:
    before = reloading.secrets["timescaledb-tls"]
    unfit = {**authority.issue(["timescaledb-service"]), "tls.key": before["tls.key"]}
    reloading.pod.replace_secret(FILES, unfit)
    eventually(lambda: "SSL configuration was not reloaded" in reloading.log.read_text(encoding="utf-8"))
    assert served_certificate(reloading) == before["tls.crt"]


@pytest.mark.skipif(USER is None, reason="only root can make a namespace of processes")
def test_the_reloader_leaves_when_the_pod_is_asked_to(make_postgres: MakePostgres) -> None:
    """As the first process of its container it gets no default action on SIGTERM: it has to handle it."""
    postgres = make_postgres()
    environment = {**postgres.pod.environment("certificate-reloader"), **postgres.local}
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = [*alone, *postgres.pod.command("certificate-reloader")]
    log = postgres.root / "reloader.log"
    with daemon(command, environment, log, end=signal.SIGKILL) as reloader:
        children = Path(f"/proc/{reloader.process.pid}/task/{reloader.process.pid}/children")
        eventually(lambda: children.read_text(encoding="ascii"))
        first = children.read_text(encoding="ascii").strip()
        eventually(lambda: "sleep" in run(["ps", "--ppid", first, "-o", "comm="]).stdout)
        run(["kill", "-TERM", first])
        eventually(lambda: reloader.process.poll() is not None, within=2)
