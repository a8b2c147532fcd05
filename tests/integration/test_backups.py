"""Backups with the real pgBackRest: what the jobs take comes back, and what is broken is noticed."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import Program
from tests.integration.authority import Authority
from tests.integration.backups import (
    AGENT_CERTIFICATE,
    API,
    EVENT,
    KEYS,
    REPOSITORY,
    Place,
    Site,
    events,
    finished,
    running_place,
    wait_for_the_clock,
)
from tests.integration.database import Postgres, Session
from tests.integration.processes import USER, eventually, run
from tests.manifests import change, synthesize_environment
from traversion.settings import BackupSettings, Environment, PosixRepository
from traversion.timescaledb.restore import Restore

# One worker has them all: the site that they share takes seconds to set up.
pytestmark = [pytest.mark.daemon, pytest.mark.slow, pytest.mark.xdist_group("backups")]

MakePlace = Callable[[], AbstractContextManager[Place]]


@pytest.fixture(scope="module")
def make_place(
    program: Program,
    environments: dict[str, Environment],
    authority: Authority,
    empty_postgres: Postgres,
) -> MakePlace:
    program("pgbackrest")
    program("jq")
    backups = BackupSettings(repository=PosixRepository(storage="500Gi"))
    environment = change(environments["production"], {"database.backups": backups})
    synthesis = synthesize_environment(environment)

    @contextmanager
    def make() -> Iterator[Place]:
        with running_place(
            empty_postgres, environment, synthesis, authority, program("prometheus-pushgateway")
        ) as place:
            done = place.site.job("timescaledb-backup-full")
            assert done.returncode == 0, done.stdout + done.stderr
            yield place

    return make


@pytest.fixture(scope="module")
def place(make_place: MakePlace) -> Iterator[Place]:
    with make_place() as place:
        yield place


@pytest.fixture
def own_place(make_place: MakePlace) -> Iterator[Place]:
    """A site that one test may destroy."""
    with make_place() as place:
        yield place


@pytest.fixture
def site(place: Place) -> Site:
    return place.site


def test_wal_is_archived_within_the_recovery_point(place: Place) -> None:
    asked = "SELECT setting::int FROM pg_settings WHERE name = 'archive_timeout'"
    closed_after = int(place.site.postgres.superuser(asked).stdout)
    assert 0 < closed_after <= 45
    before = datetime.now(UTC)
    place.write("archived")
    place.site.archive_now()
    # Closing the segment and sending it are what the promised minute is made of.
    assert datetime.now(UTC) - before < timedelta(seconds=60 - closed_after)


def test_an_incremental_backup_adds_to_the_last_full_one(site: Site) -> None:
    done = site.job("timescaledb-backup-incremental")
    assert done.returncode == 0, done.stdout + done.stderr
    full, *_, incremental = site.backups()
    assert (full["type"], incremental["type"]) == ("full", "incr")
    assert incremental["prior"] is not None
    assert incremental["info"]["repository"]["delta"] < full["info"]["repository"]["delta"]
    assert not incremental["error"]


def test_prometheus_is_told_what_the_repository_says(site: Site) -> None:
    assert site.job("timescaledb-backup-incremental").returncode == 0
    newest = {each["type"]: each for each in site.backups()}
    metrics = site.metrics()
    for kind, backup in (("full", newest["full"]), ("incremental", newest["incr"])):
        labels = f'{{job="timescaledb-backup",repository="primary",type="{kind}"}}'
        stop, begin = backup["timestamp"]["stop"], backup["timestamp"]["start"]
        assert metrics[f"timescaledb_backup_last_completion_timestamp_seconds{labels}"] == stop
        assert metrics[f"timescaledb_backup_last_duration_seconds{labels}"] == stop - begin
        assert metrics[f"timescaledb_backup_last_damaged{labels}"] == 0
    assert metrics[f"timescaledb_backup_count{labels}"] == len(site.backups()) - 1


def test_two_backups_are_never_taken_at_once(site: Site) -> None:
    before = len(site.backups())
    jobs = [site.start_job("timescaledb-backup-full") for _ in range(3)]
    assert [finished(job).returncode for job in jobs] == [0, 0, 0]
    times = [each["timestamp"] for each in site.backups()[before:]]
    assert len(times) == 3
    assert all(later["start"] >= earlier["stop"] for earlier, later in pairwise(times))


def test_a_backup_that_dies_lets_the_next_one_go_on(site: Site) -> None:
    job = site.start_job("timescaledb-backup-full")
    held = "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory'"
    eventually(lambda: site.postgres.superuser(held, database="postgres").stdout == "t\n")
    os.killpg(job.pid, signal.SIGKILL)
    job.communicate()
    done = site.job("timescaledb-backup-incremental")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_backup_needs_the_database(site: Site) -> None:
    done = site.job("timescaledb-backup-full", PGPASSWORD="wrong")
    assert done.returncode != 0


def test_a_moment_comes_back_without_what_came_after_it(place: Place) -> None:
    site = place.site
    place.write("before-the-backup")
    assert site.job("timescaledb-backup-full").returncode == 0
    place.write("before-the-mark")
    wait_for_the_clock()
    mark = datetime.now(UTC)
    wait_for_the_clock()
    place.write("after-the-mark")
    site.archive_now()

    with site.restored(place.restoring(Restore("beside", time=mark))) as restored:
        found = events(restored)
        assert {"before-the-backup", "before-the-mark"} <= set(found)
        assert "after-the-mark" not in found
        # It is a database that works, beside the old one and without a hand on its archive.
        name = "timescaledb-restored-service"
        assert restored.query(API, EVENT.format("new"), PGHOST=name).returncode == 0
        assert restored.superuser("SHOW archive_mode").stdout == "off\n"
        assert "new" not in events(site.postgres)
    assert "after-the-mark" in events(site.postgres)


def test_a_restored_server_that_restarts_is_not_restored_again(place: Place) -> None:
    site = place.site
    manifests = place.restoring(Restore("beside"))
    server = site.beside(manifests)
    assert site.run(server.pod, "restore").returncode == 0
    stamp = (server.data / "PG_VERSION").stat().st_ino
    again = site.run(server.pod, "restore")
    assert (again.returncode, "restored before" in again.stdout) == (0, True)
    assert (server.data / "PG_VERSION").stat().st_ino == stamp


class Load:
    """A client that writes as fast as it is answered, and knows what was acknowledged."""

    def __init__(self, postgres: Postgres) -> None:
        self.acknowledged: list[str] = []
        self._postgres = postgres
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        with Session(self._postgres.login(API)) as session:
            answer = session.ask("SET search_path = public; SELECT 'ready';")
            while answer:
                answer = session.ask(
                    "INSERT INTO events (tenant_id, event_type, file_path) "
                    "SELECT id, 'load', gen_random_uuid() FROM tenants LIMIT 1 RETURNING file_path;"
                )
                self.acknowledged += [answer] if answer else []

    def end(self) -> list[str]:
        self._thread.join(15)
        assert not self._thread.is_alive()
        return self.acknowledged


def test_what_was_acknowledged_survives_a_kill_and_a_restore(own_place: Place) -> None:
    site = own_place.site
    own_place.write("first")
    load = Load(site.postgres)
    eventually(lambda: len(load.acknowledged) > 100, within=30)
    assert site.job("timescaledb-backup-incremental").returncode == 0
    during = len(load.acknowledged)
    eventually(lambda: len(load.acknowledged) > during + 100, within=30)
    own_place.server.kill()
    acknowledged = set(load.end())
    assert len(acknowledged) > 200

    with site.postgres.running(within=60, environment=site.surroundings):
        assert acknowledged <= set(events(site.postgres))
        site.archive_now()
    with site.restored(own_place.restoring(Restore("beside"))) as restored:
        assert acknowledged <= set(events(restored))


def test_a_volume_is_refilled_in_place_and_the_old_data_kept(own_place: Place) -> None:
    site = own_place.site
    own_place.write("kept")
    wait_for_the_clock()
    mark = datetime.now(UTC)
    wait_for_the_clock()
    site.postgres.superuser("DELETE FROM events")
    site.archive_now()
    own_place.server.process.send_signal(signal.SIGINT)
    own_place.server.process.wait(30)

    manifests = own_place.restoring(Restore("in-place", time=mark))
    done = site.run(site.restorer(manifests), "restore")
    assert done.returncode == 0, done.stdout + done.stderr
    (aside,) = site.postgres.data.parent.glob("data.before-*")
    assert (aside / "PG_VERSION").exists()
    with site.postgres.running(within=60, environment=site.surroundings):
        assert events(site.postgres) == ["kept"]
        # It is the server again, and goes on to archive: on a timeline of its own.
        assert site.postgres.superuser("SHOW archive_mode").stdout == "on\n"
        own_place.write("later")
        site.archive_now()
        assert site.job("timescaledb-backup-full").returncode == 0
        assert site.job("timescaledb-rehearsal").returncode == 0


def test_the_rehearsal_asks_for_the_wal_of_the_server_that_it_restores(own_place: Place) -> None:
    """After a major upgrade the new server's WAL begins at low numbers; the old one's stays for a month."""
    site = own_place.site
    for _ in range(10):
        site.archive_now()
    own_place.server.process.send_signal(signal.SIGINT)
    own_place.server.process.wait(30)
    shutil.rmtree(site.postgres.data)
    site.postgres.initialize(site.secrets["timescaledb-superuser"]["password"])
    pod = site.postgres.pod
    upgrade = [str(pod.path("/opt/pgbackrest") / "pgbackrest-with-keys"), "stanza-upgrade"]
    with site.postgres.running(within=60, environment=site.surroundings):
        site.postgres.superuser("CREATE ROLE backup LOGIN SUPERUSER", database="postgres")
        done = run(upgrade, site.environment(pod, "backup-agent"), user=USER)
        assert done.returncode == 0, done.stdout + done.stderr
        site.prepare()
        assert site.job("timescaledb-backup-full").returncode == 0
        old, new = (each["max"] for each in site.info()[0]["archive"])
        assert old > new
        done = site.job("timescaledb-rehearsal")
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_restore_that_fails_half_way_leaves_the_data_where_it_was(own_place: Place, host: Path) -> None:
    site = own_place.site
    own_place.write("kept")
    own_place.server.process.send_signal(signal.SIGINT)
    own_place.server.process.wait(30)
    copy = host / "repository"
    run(["cp", "-a", str(site.postgres.pod.path(REPOSITORY)), str(copy)])
    _damage_a_file(copy, host)
    restorer = site.restorer(own_place.restoring(Restore("in-place")), {REPOSITORY: copy})
    assert site.run(restorer, "restore").returncode != 0
    with site.postgres.running(within=60, environment=site.surroundings):
        assert events(site.postgres) == ["kept"]
        own_place.write("later")
        site.archive_now()

    # The next try, weeks later, must not take the data that is in use for the remains of this one.
    manifests = own_place.restoring(Restore("in-place"))
    done = site.run(site.restorer(manifests), "restore")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(site.postgres.data.parent.glob("data.before-*/PG_VERSION"))
    assert not list(site.postgres.data.parent.glob("*.restoring"))
    with site.postgres.running(within=60, environment=site.surroundings):
        assert events(site.postgres) == ["kept", "later"]


@pytest.mark.parametrize(
    ("restore", "said"),
    [
        (
            Restore("beside", time=datetime(2026, 1, 1, tzinfo=UTC)),
            "is before the oldest backup of repository 1",
        ),
    ],
)
def test_a_moment_that_no_backup_covers_is_refused(place: Place, restore: Restore, said: str) -> None:
    server = place.site.beside(place.restoring(restore))
    done = place.site.run(server.pod, "restore")
    assert done.returncode == 1
    assert said in done.stderr
    assert not server.data.exists()


def test_the_rehearsal_succeeds_on_good_backups(place: Place) -> None:
    site = place.site
    place.write("rehearsed")
    assert site.job("timescaledb-backup-incremental").returncode == 0
    site.archive_now()
    done = site.job("timescaledb-rehearsal")
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = {series.partition("{")[0]: value for series, value in site.metrics().items()}
    assert metrics["timescaledb_rehearsal_success"] == 1
    assert 0 < metrics["timescaledb_rehearsal_duration_seconds"] < 180
    assert 0 <= metrics["timescaledb_rehearsal_data_age_seconds"] < 180
    now = datetime.now(UTC).timestamp()
    assert 0 <= now - metrics["timescaledb_rehearsal_last_success_timestamp_seconds"] < 60
    # Nothing of it stays behind but the scratch volume, which is deleted with the pod.
    assert events(site.postgres)[-1] == "rehearsed"


def _lose_a_segment(repository: Path, keys: Path) -> None:
    del keys
    *_, before, _ = sorted(repository.glob("archive/traversion/15-1/*/*.zst"))
    before.unlink()


def _damage_a_file(repository: Path, keys: Path) -> None:
    del keys
    newest = max(repository.glob("backup/traversion/*F"))
    bundle = max((newest / "bundle").iterdir(), key=lambda file: file.stat().st_size)
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 0xFF
    bundle.write_bytes(content)


def _lose_everything(repository: Path, keys: Path) -> None:
    del keys
    for folder in ("archive", "backup"):
        shutil.rmtree(repository / folder)


def _take_another_key(repository: Path, keys: Path) -> None:
    del repository
    key = keys / "repo1-cipher-pass"
    key.chmod(0o644)
    key.write_text("another", encoding="utf-8")


@pytest.mark.parametrize("fault", [_lose_a_segment, _damage_a_file, _lose_everything, _take_another_key])
def test_the_rehearsal_fails_on_bad_backups(
    place: Place, fault: Callable[[Path, Path], None], host: Path
) -> None:
    site = place.site
    assert site.job("timescaledb-backup-full").returncode == 0
    for _ in range(2):
        site.archive_now()
    assert site.job("timescaledb-rehearsal").returncode == 0
    good = metric(site, "timescaledb_rehearsal_last_success_timestamp_seconds")
    wait_for_the_clock()

    copy = host / "repository"
    run(["cp", "-a", str(site.postgres.pod.path(REPOSITORY)), str(copy)])
    pod = site.pod("timescaledb-rehearsal", {REPOSITORY: copy})
    fault(copy, pod.path(KEYS))
    done = site.run(pod, "rehearsal")
    assert done.returncode != 0
    assert "must not be relied on" in done.stderr
    assert metric(site, "timescaledb_rehearsal_success") == 0
    # What was known of the last success is still known.
    assert metric(site, "timescaledb_rehearsal_last_success_timestamp_seconds") == good


def metric(site: Site, name: str) -> float:
    (value,) = (value for series, value in site.metrics().items() if series.startswith(f"{name}{{"))
    return value


def shake_hands(site: Site, *options: str) -> subprocess.CompletedProcess[str]:
    """Shake hands with the agent; what a client without pgBackRest can do."""
    address = f"127.0.0.1:{site.agent_port}"
    return run(["openssl", "s_client", "-connect", address, *options])


def test_the_agent_speaks_to_backup_jobs_only(place: Place, tmp_path: Path) -> None:
    site = place.site
    stranger = Authority(tmp_path).issue([], common_name="timescaledb-backup", usage="clientAuth")
    pod = site.pod("timescaledb-backup-full")
    pod.replace_secret(AGENT_CERTIFICATE, {**stranger, "ca.crt": site.secrets["timescaledb-tls"]["ca.crt"]})
    done = site.run(pod, "backup")
    assert done.returncode != 0, "a certificate of another authority"

    pod = site.pod("timescaledb-backup-full")
    pod.replace_secret(AGENT_CERTIFICATE, site.secrets["timescaledb-tls"])
    done = site.run(pod, "backup")
    assert done.returncode != 0, "a certificate of our authority for another purpose and name"


def test_a_job_sends_nothing_to_a_host_that_it_does_not_know(place: Place, tmp_path: Path) -> None:
    site = place.site
    pod = site.pod("timescaledb-backup-full")
    (pod.path("/etc/trust") / "ca.crt").resolve().write_text(
        Authority(tmp_path).certificate, encoding="utf-8"
    )
    done = site.run(pod, "backup")
    assert done.returncode != 0
    assert "certificate verify failed" in done.stdout + done.stderr

    site.know("another-host")
    pod = site.pod(
        "timescaledb-backup-full", None, **{"pg1-host=timescaledb-service": "pg1-host=another-host"}
    )
    done = site.run(pod, "backup")
    assert done.returncode != 0
    assert "another-host" in done.stdout + done.stderr


def served(site: Site) -> str:
    handshake = shake_hands(site)
    return run(["openssl", "x509"], text=handshake.stdout).stdout


def test_a_renewed_certificate_reaches_the_agent(place: Place, authority: Authority) -> None:
    site = place.site
    before = site.secrets["timescaledb-tls"]
    assert served(site) == before["tls.crt"]
    (certificate,) = (
        each
        for each in place.manifests
        if each["kind"] == "Certificate" and each["metadata"]["name"] == "timescaledb-tls"
    )
    renewed = authority.serving(certificate)
    site.postgres.pod.replace_secret(AGENT_CERTIFICATE, renewed)
    try:
        eventually(lambda: served(site) == renewed["tls.crt"])
        assert site.job("timescaledb-backup-incremental").returncode == 0
    finally:
        site.postgres.pod.replace_secret(AGENT_CERTIFICATE, before)
        eventually(lambda: served(site) == before["tls.crt"])


def test_the_agents_probe_asks_the_agent(place: Place) -> None:
    site = place.site
    pod = site.postgres.pod
    probe = pod.hook("backup-agent", "livenessProbe")
    environment = site.environment(pod, "backup-agent")
    assert run(probe, environment, user=USER).returncode == 0
    elsewhere = [re.sub("server-ping", "--tls-server-port=1 server-ping", word) for word in probe]
    assert run(elsewhere, environment, user=USER).returncode != 0
