"""A database with its backups: the agent beside it, the jobs around it, a real Pushgateway.

Names of Services are looked up in a file (nss_wrapper), so that certificates are verified against the names
that the manifests contain.
"""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.authority import Authority
from tests.integration.conftest import apply_schema, secrets_of
from tests.integration.database import Postgres
from tests.integration.kubelet import Pod, Secrets
from tests.integration.processes import (
    USER,
    Daemon,
    as_user,
    complete,
    daemon,
    eventually,
    free_port,
    public_directory,
    run,
)
from tests.manifests import Manifest, Synthesis, find
from traversion.restoring import restore_manifests
from traversion.settings import Environment
from traversion.timescaledb.restore import Restore

REPOSITORY = "/var/lib/pgbackrest"
KEYS = "/etc/pgbackrest-keys"
AGENT_CERTIFICATE = "/etc/pgbackrest-tls"

# TimescaleDB's views, for what only looks at them; Debian's PostgreSQL has no TimescaleDB.
_INFORMATION = """
    CREATE SCHEMA IF NOT EXISTS timescaledb_information;
    CREATE OR REPLACE VIEW timescaledb_information.hypertables AS
        SELECT 'public'::name AS hypertable_schema, name::name AS hypertable_name FROM stand_in.hypertables;
    CREATE OR REPLACE VIEW timescaledb_information.chunks AS
        SELECT name::name AS hypertable_name, 'public'::name AS chunk_schema, name::name AS chunk_name,
            now() AS range_start FROM stand_in.hypertables;
    CREATE TABLE IF NOT EXISTS timescaledb_information.jobs (job_id int, proc_name text);
    CREATE OR REPLACE FUNCTION alter_job(job_id int, scheduled boolean) RETURNS void LANGUAGE sql AS 'SELECT';
"""
_WITHOUT_TIMESCALEDB = {
    r"extname = 'timescaledb'": "extname = 'plpgsql'",
    r"SELECT timescaledb_(pre|post)_restore\(\)": "SELECT 1",
    # Debian's pgBackRest is older than block incremental backups.
    r"(?m)^repo\d-block=y\n": "",
}


class Site:
    """The pod ``timescaledb`` with its agent, and the jobs that back it up and rehearse its restore."""

    def __init__(
        self,
        binaries: str,
        manifests: Sequence[Manifest],
        root: Path,
        *,
        secrets: Secrets,
        authority: Authority,
        pushgateway: str,
    ) -> None:
        self.root = root
        self.gateway_port = free_port()
        self.agent_port = free_port()
        self.secrets = secrets
        self._authority = authority
        self._binaries = binaries
        self._manifests = manifests
        self._pushgateway = pushgateway
        self._hosts = root / "hosts"
        self._hosts.write_text("", encoding="utf-8")
        self.know("timescaledb-service", "pushgateway")
        self._rewrites = {
            **_WITHOUT_TIMESCALEDB,
            r"\b8432\b": str(self.agent_port),
            r"\b9091\b": str(self.gateway_port),
            r"(?m)^tls-server-address=\*$": "tls-server-address=127.0.0.1",
        }
        self.postgres = Postgres(
            binaries,
            manifests,
            root,
            secrets=secrets,
            port=free_port(),
            rewrites=self._rewrites,
            archives=True,
        )
        self._pods = 0

    def know(self, *names: str) -> None:
        """Let names mean this machine."""
        with self._hosts.open("a", encoding="utf-8") as hosts:
            hosts.writelines(f"127.0.0.1 {name}\n" for name in names)

    @property
    def surroundings(self) -> dict[str, str]:
        """The variables of every container here."""
        return {
            **self.postgres.path,
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_HOSTS": str(self._hosts),
        }

    def environment(self, pod: Pod, container: str, **overrides: str) -> dict[str, str]:
        return {**pod.environment(container), **self.surroundings, **overrides}

    @contextmanager
    def running(self) -> Iterator[Daemon]:
        """Start the containers of the database's pod, and the Pushgateway."""
        with ExitStack() as stack:
            gateway = [self._pushgateway, f"--web.listen-address=127.0.0.1:{self.gateway_port}"]
            stack.enter_context(daemon(gateway, {}, self.root / "gateway.log"))
            server = stack.enter_context(self.postgres.running(environment=self.surroundings))
            stack.enter_context(self.agent())
            yield server

    @contextmanager
    def agent(self, log: str = "agent.log", **overrides: str) -> Iterator[Daemon]:
        pod = self.postgres.pod
        quickly = {"INTERVAL_SECONDS": "0.2", "RETRY_SECONDS": "1"}
        environment = self.environment(pod, "backup-agent", **quickly, **overrides)
        with daemon(pod.command("backup-agent"), environment, self.root / log, user=USER) as agent:
            yield agent

    def prepare(self) -> None:
        """Apply the schema, and wait until WAL can be archived."""
        done = apply_schema(self.postgres, self.root / "schema-job")
        assert done.returncode == 0, done.stderr
        done = self.postgres.superuser(_INFORMATION)
        assert done.returncode == 0, done.stderr
        try:
            eventually(lambda: self.archive() and self._archived() > 0, within=60, every=0.5)
        except AssertionError as error:
            error.add_note((self.root / "agent.log").read_text(encoding="utf-8")[-3000:])
            raise

    def archive(self) -> bool:
        """Have everything that was committed archived, as ``archive_timeout`` does within a minute."""
        switch = "SELECT pg_walfile_name(pg_switch_wal())"
        return self.postgres.superuser(switch, database="postgres").returncode == 0

    def _archived(self) -> int:
        asked = "SELECT archived_count FROM pg_stat_archiver"
        return int(self.postgres.superuser(asked, database="postgres").stdout)

    def archive_now(self) -> None:
        """Archive, and wait until it is done."""
        self.postgres.superuser("CREATE TABLE IF NOT EXISTS written (n int); INSERT INTO written VALUES (1)")
        switch = "SELECT pg_walfile_name(pg_switch_wal())"
        segment = self.postgres.superuser(switch, database="postgres").stdout.strip()
        asked = f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver"  # noqa: S608 # ours
        eventually(lambda: self.postgres.superuser(asked, database="postgres").stdout == "t\n", within=30)

    def start_job(self, name: str, **overrides: str) -> subprocess.Popen[str]:
        """Start a CronJob's container, in a pod of its own."""
        pod = self.pod(name)
        (container,) = pod.containers
        return self._start(pod, container, overrides)

    def job(self, name: str, **overrides: str) -> subprocess.CompletedProcess[str]:
        """Run a CronJob's container to its end."""
        return finished(self.start_job(name, **overrides))

    def run(self, pod: Pod, container: str, **overrides: str) -> subprocess.CompletedProcess[str]:
        return finished(self._start(pod, container, overrides))

    def _start(self, pod: Pod, container: str, overrides: Mapping[str, str]) -> subprocess.Popen[str]:
        environment = self.environment(pod, container, **overrides)
        if "PRELOAD_LIBRARIES" in environment:
            environment["PRELOAD_LIBRARIES"] = ""
        return start(pod.command(container), environment)

    def pod(self, name: str, elsewhere: Mapping[str, Path] | None = None, **rewrites: str) -> Pod:
        """Lay out a CronJob's pod; it shares the repository's volume with the database's."""
        self._pods += 1
        database = self.postgres.pod
        # What the agent reads for a job is in the database's pod.
        shared = (REPOSITORY, "/home/postgres/pgdata", "/var/run/postgresql")
        places = {path: database.path(path) for path in shared} | dict(elsewhere or {})
        component = "timescaledb-rehearsal" if name == "timescaledb-rehearsal" else "timescaledb-backup"
        return Pod(
            self._manifests,
            component,
            self.root / f"pod-{self._pods}",
            secrets=self.secrets,
            rewrites=self.postgres.rewrites | rewrites,
            user=USER,
            workload_name=name,
            elsewhere=places,
        )

    def restorer(self, manifests: Sequence[Manifest], elsewhere: Mapping[str, Path] | None = None) -> Pod:
        """Lay out the Job ``timescaledb-restore``, which has the database's volume."""
        self._pods += 1
        database = self.postgres.pod
        shared = (REPOSITORY, "/home/postgres/pgdata")
        return Pod(
            manifests,
            "timescaledb-restore",
            self.root / f"pod-{self._pods}",
            secrets=self.secrets,
            rewrites=self.postgres.rewrites,
            user=USER,
            elsewhere={path: database.path(path) for path in shared} | dict(elsewhere or {}),
        )

    def beside(self, manifests: Sequence[Manifest]) -> Postgres:
        """Lay out the server that a restore starts beside the old one."""
        self._pods += 1
        root = self.root / f"pod-{self._pods}"
        root.mkdir()
        certificate = find(manifests, "Certificate", "timescaledb-restored-tls")
        return Postgres(
            self._binaries,
            manifests,
            root,
            secrets={**self.secrets, "timescaledb-restored-tls": self._authority.serving(certificate)},
            port=free_port(),
            rewrites=self._rewrites,
            component="timescaledb-restored",
            elsewhere={REPOSITORY: self.postgres.pod.path(REPOSITORY)},
            archives=True,
        )

    @contextmanager
    def restored(self, manifests: Sequence[Manifest]) -> Iterator[Postgres]:
        """Restore into a new server, and run it."""
        server = self.beside(manifests)
        done = self.run(server.pod, "restore")
        assert done.returncode == 0, done.stdout + done.stderr
        with server.running(within=60, environment=self.surroundings):
            yield server

    def info(self) -> list[dict[str, Any]]:
        """Return what pgBackRest says of the repositories."""
        pod = self.postgres.pod
        command = [str(pod.path("/opt/pgbackrest") / "pgbackrest-with-keys"), "--output=json", "info"]
        done = run(command, self.environment(pod, "backup-agent"), user=USER)
        assert done.returncode == 0, done.stdout + done.stderr
        stanzas: list[dict[str, Any]] = json.loads(done.stdout)
        return stanzas

    def backups(self, repository: int = 1) -> list[dict[str, Any]]:
        """Return the backups of a repository, oldest first."""
        (stanza,) = self.info()
        return [each for each in stanza["backup"] if each["database"]["repo-key"] == repository]

    def metrics(self) -> Mapping[str, float]:
        """Return what the jobs left at the Pushgateway, by series."""
        address = f"http://127.0.0.1:{self.gateway_port}/metrics"
        with urllib.request.urlopen(address, timeout=10) as answer:  # on this machine
            lines = answer.read().decode().splitlines()
        pairs = (
            line.rsplit(" ", 1)
            for line in lines
            if line.startswith(("timescaledb_backup_", "timescaledb_rehearsal_"))
        )
        return {series.replace('instance="",', ""): float(value) for series, value in pairs}


API = "timescaledb-traversion"
EVENT = """
    INSERT INTO tenants (name) VALUES ('acme') ON CONFLICT DO NOTHING;
    INSERT INTO events (tenant_id, event_type, file_path) SELECT id, 'modified', '{}' FROM tenants;
"""


@dataclass
class Place:
    """A site, the settings that it was made of, and its running server."""

    site: Site
    environment: Environment
    manifests: list[Manifest]
    server: Daemon

    def restoring(self, restore: Restore) -> list[Manifest]:
        """Return the environment with the objects of a restore."""
        return [*self.manifests, *(dict(each) for each in restore_manifests(self.environment, restore))]

    def write(self, name: str) -> None:
        """Commit an event that can be recognized."""
        done = self.site.postgres.query(API, EVENT.format(name))
        assert done.returncode == 0, done.stderr


@contextmanager
def running_place(
    empty: Postgres,
    environment: Environment,
    synthesis: Synthesis,
    authority: Authority,
    pushgateway: str,
    *,
    names: Sequence[str] = (),
) -> Iterator[Place]:
    """Run an environment's database with its agent; ``names`` are of other servers on this machine."""
    with public_directory() as root:
        site = Site(
            empty.path["PATH"],
            synthesis.manifests,
            root,
            secrets=secrets_of(synthesis, authority),
            authority=authority,
            pushgateway=pushgateway,
        )
        site.know(*names)
        site.postgres.copy_of(empty)
        with site.running() as server:
            site.prepare()
            yield Place(site, environment, synthesis.manifests, server)
        # What pgBackRest left in the background, for segments that it will not get any more.
        run(["pkill", "--full", str(root)])


def events(postgres: Postgres, database: str = "traversion") -> list[str]:
    """Return the names of the events, oldest first."""
    return postgres.superuser("SELECT file_path FROM events ORDER BY id", database).stdout.split()


def start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        as_user(command, USER),
        env=complete(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a job's end."""
    output, errors = process.communicate(timeout=180)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def wait_for_the_clock() -> None:
    """Backups are timed in whole seconds."""
    time.sleep(1.1)
