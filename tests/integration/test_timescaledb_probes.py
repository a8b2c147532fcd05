"""What the kubelet learns from the synthesized probes of PostgreSQL, in health and in sickness."""

from contextlib import ExitStack

import pytest

from tests.integration.conftest import MakePostgres
from tests.integration.database import Postgres, Session
from tests.integration.processes import USER, eventually, run

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

PROBES = pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe"])


@PROBES
def test_a_healthy_server_is_well(database: Postgres, probe: str) -> None:
    assert database.probe(probe) == 0


@PROBES
def test_a_server_that_is_down_is_not(make_postgres: MakePostgres, probe: str) -> None:
    assert make_postgres().probe(probe) != 0


def test_a_server_that_replays_wal_is_not_ready_until_it_has(make_postgres: MakePostgres) -> None:
    postgres = make_postgres()
    (postgres.data / "recovery.signal").touch()
    release = postgres.root / "release"
    restoring = f"restore_command=while [ ! -e {release} ]; do sleep 0.05; done; false"
    with postgres.running("-c", restoring, wait=False):
        eventually(lambda: "database system was shut down" in postgres.log.read_text(encoding="utf-8"))
        assert postgres.probe("startupProbe") == 1
        assert postgres.probe("readinessProbe") == 1
        release.touch()
        eventually(lambda: postgres.probe("startupProbe") == 0)
        assert postgres.probe("readinessProbe") == 0


def test_a_server_without_a_free_connection_stays_in_service(make_postgres: MakePostgres) -> None:
    """It serves those that are connected: a restart, or no endpoint, would only add to the trouble."""
    postgres = make_postgres()
    # Three connections are kept for superusers, as synthesized, which leaves two.
    with postgres.running("-c", "max_connections=5", "-c", "max_wal_senders=0"):
        postgres.superuser("CREATE ROLE somebody LOGIN PASSWORD 'x'", database="postgres")
        somebody = {"PGUSER": "somebody", "PGPASSWORD": "x", "PGDATABASE": "postgres"}
        with ExitStack() as stack:
            login = postgres.login("timescaledb-superuser", **somebody)
            sessions = [stack.enter_context(Session(login)) for _ in range(2)]
            assert [session.ask("SELECT 1;") for session in sessions] == ["1", "1"]
            refused = postgres.query("timescaledb-superuser", "SELECT 1", **somebody)
            assert "53300" in refused.stderr or "remaining connection slots" in refused.stderr
            assert postgres.probe("readinessProbe") == 0


def test_the_pre_stop_hook_shuts_down_cleanly_though_clients_are_connected(
    make_postgres: MakePostgres,
) -> None:
    postgres = make_postgres()
    with postgres.running() as server:
        with Session(postgres.login("timescaledb-superuser", PGDATABASE="postgres")) as client:
            assert client.ask("SELECT 1;") == "1"
            done = run(postgres.pod.hook("timescaledb", "preStop"), postgres.path, user=USER, timeout=10)
            assert done.returncode == 0, done.stderr
        assert server.process.wait(5) == 0
        state = run(["pg_controldata", str(postgres.data)], postgres.path, user=USER).stdout
        assert "shut down" in state.split("Database cluster state:")[1].splitlines()[0]
