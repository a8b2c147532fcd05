"""Backups with the real pgBackRest: what the jobs take comes back, and what is broken is noticed."""

from collections.abc import Iterator

import pytest

from tests.conftest import Program
from tests.integration.authority import Authority
from tests.integration.backups import Site
from tests.integration.conftest import secrets_of
from tests.integration.database import Postgres
from tests.integration.processes import public_directory
from tests.manifests import change, synthesize_environment
from traversion.settings import BackupSettings, Environment, PosixRepository

pytestmark = [pytest.mark.daemon, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(
    postgres_bin: str,
    program: Program,
    environments: dict[str, Environment],
    authority: Authority,
    empty_postgres: Postgres,
) -> Iterator[Site]:
    program("pgbackrest")
    backups = BackupSettings(repository=PosixRepository(storage="500Gi"))
    synthesis = synthesize_environment(change(environments["production"], {"database.backups": backups}))
    with public_directory() as root:
        site = Site(
            postgres_bin,
            synthesis.manifests,
            root,
            secrets=secrets_of(synthesis, authority),
            pushgateway=program("prometheus-pushgateway"),
        )
        site.postgres.copy_of(empty_postgres)
        with site.running():
            site.prepare()
            yield site


def test_full_and_incremental(site: Site) -> None:
    done = site.job("timescaledb-backup-full")
    assert done.returncode == 0, done.stdout + done.stderr
    done = site.job("timescaledb-backup-incremental")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [each["type"] for each in site.info()[0]["backup"]] == ["full", "incr"]
    print(site.metrics())


def test_rehearsal(site: Site) -> None:
    done = site.job("timescaledb-rehearsal")
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    print(site.metrics())
