"""The dump job: what it writes can be restored, and what it cannot write it does not pretend to have."""

import os
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.conftest import run_container
from tests.integration.database import Postgres
from tests.integration.kubelet import Pod
from tests.integration.processes import USER, complete, eventually, run

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

TABLES = ("tenants", "events", "causality", "patterns", "metrics")
FILL = """
    INSERT INTO tenants (name) VALUES ('{name}');
    INSERT INTO events (tenant_id, "timestamp", event_type, file_path, metadata)
        SELECT id, now() - n * interval '1 hour', 'modified', 'src/' || n,
            '{{"key": "it''s \\\\ €"}}'
        FROM tenants, generate_series(1, 500) n WHERE name = '{name}';
    INSERT INTO causality (tenant_id, child_event_id, relationship_type)
        SELECT tenant_id, id, 'imports' FROM events;
    INSERT INTO patterns (tenant_id, pattern_type, pattern_data) SELECT id, 'burst', '[]' FROM tenants;
    INSERT INTO metrics (tenant_id, metric_name, metric_value) SELECT id, 'lag', 'NaN' FROM tenants;
"""


@pytest.fixture(scope="module")
def database(database: Postgres) -> Postgres:
    done = database.query("timescaledb-traversion", FILL.format(name=uuid4()))
    assert done.returncode == 0, done.stderr
    return database


@pytest.fixture
def job(database: Postgres, host: Path) -> Pod:
    return database.client_pod("timescaledb-backup", host)


def dumps(job: Pod) -> list[Path]:
    return sorted(job.path("/backups").glob("*.dump"))


def age(dump: Path, minutes: float) -> None:
    then = time.time() - minutes * 60
    os.utime(dump, (then, then))


def contents(database: Postgres, name: str) -> list[str]:
    statements = "".join(f"SELECT t FROM {table} t ORDER BY t::text;" for table in TABLES)  # noqa: S608 # ours
    done = database.superuser(statements, database=name)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_dump_restores_every_row_into_an_empty_database(database: Postgres, job: Pod) -> None:
    done = run_container(database, job, "dump")
    assert (done.returncode, done.stderr) == (0, "")
    (dump,) = dumps(job)
    database.superuser("CREATE DATABASE restored TEMPLATE template0", database="postgres")
    try:
        options = ["--exit-on-error", "--username=postgres", "--dbname=restored"]
        restored = run(["pg_restore", *options, str(dump)], database.local, user=USER)
        assert (restored.returncode, restored.stderr) == (0, "")
        assert contents(database, "restored") == contents(database, "traversion")
        assert len(contents(database, "restored")) > 1000
    finally:
        database.superuser("DROP DATABASE restored", database="postgres")


def test_what_is_past_its_retention_goes_and_the_rest_stays(database: Postgres, job: Pod) -> None:
    retention = int(job.environment("dump")["RETENTION_MINUTES"])
    assert retention == 30 * 24 * 60
    kept, old, foreign = (
        job.path("/backups") / name
        for name in ("traversion-20260102T020000Z.dump", "traversion-20260101T020000Z.dump", "notes.txt")
    )
    for file, minutes in ((kept, retention - 5), (old, retention + 5), (foreign, retention + 5)):
        file.touch()
        age(file, minutes)
    done = run_container(database, job, "dump")
    assert done.returncode == 0, done.stderr
    assert not old.exists()
    assert kept.exists()
    assert foreign.exists()
    assert len(dumps(job)) == 2


def test_without_a_newer_dump_the_old_ones_stay(database: Postgres, job: Pod) -> None:
    assert run_container(database, job, "dump").returncode == 0
    (only,) = dumps(job)
    age(only, 10 * 365 * 24 * 60)
    done = run_container(database, job, "dump", PGPASSWORD="wrong")
    assert done.returncode != 0
    assert dumps(job) == [only]


def test_a_dump_that_does_not_fit_on_the_volume_is_no_dump(database: Postgres, job: Pod) -> None:
    full = ["sh", "-c", 'ulimit -f 4; exec "$@"', "-", *job.command("dump")]
    done = run(full, database.client_environment(job, "dump"), user=USER)
    assert done.returncode != 0
    assert dumps(job) == []
    # The next one clears away what is left of it.
    assert run_container(database, job, "dump").returncode == 0
    assert [file.suffix for file in job.path("/backups").iterdir()] == [".dump"]


def test_a_dump_that_is_interrupted_is_no_dump(database: Postgres, job: Pod) -> None:
    locked = database.login("timescaledb-traversion")
    hold = ["psql", "-X", "-c", "BEGIN; LOCK TABLE events; SELECT pg_sleep(1)"]
    with subprocess.Popen(hold, env=complete(locked), stdout=subprocess.DEVNULL) as holder:
        waiting = "SELECT count(*) > 0 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
        eventually(lambda: database.superuser(waiting).stdout == "t\n")
        killed = ["timeout", "--signal=KILL", "0.5", *job.command("dump")]
        done = run(killed, database.client_environment(job, "dump"), user=USER)
        holder.kill()
    assert done.returncode != 0
    assert dumps(job) == []
