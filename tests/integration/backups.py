"""A database with its backups: the agent beside it, the jobs around it, a real Pushgateway.

Names of Services are looked up in a file (nss_wrapper), so that certificates are verified against the names
that the manifests contain.
"""

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.integration.conftest import apply_schema
from tests.integration.database import Postgres
from tests.integration.kubelet import Pod, Secrets
from tests.integration.processes import USER, daemon, eventually, free_port, run
from tests.manifests import Manifest

NSS_WRAPPER = "libnss_wrapper.so"

# TimescaleDB's views, for what only looks at them; Debian's PostgreSQL has no TimescaleDB.
_INFORMATION = """
    CREATE SCHEMA IF NOT EXISTS timescaledb_information;
    CREATE OR REPLACE VIEW timescaledb_information.hypertables AS
        SELECT 'public'::name AS hypertable_schema, name::name AS hypertable_name FROM stand_in.hypertables;
    CREATE OR REPLACE VIEW timescaledb_information.chunks AS
        SELECT name::name AS hypertable_name, 'public'::name AS chunk_schema, name::name AS chunk_name,
            now() AS range_start FROM stand_in.hypertables;
"""
WITHOUT_TIMESCALEDB = {
    r"extname = 'timescaledb'": "extname = 'plpgsql'",
    # Debian's pgBackRest is older than block incremental backups.
    r"(?m)^repo\d-block=y\n": "",
}


class Site:
    """The pod ``timescaledb`` with its agent, and the jobs that back it up and rehearse its restore."""

    def __init__(
        self, binaries: str, manifests: Sequence[Manifest], root: Path, *, secrets: Secrets, pushgateway: str
    ) -> None:
        self.root = root
        self.gateway_port = free_port()
        self.agent_port = free_port()
        self._pushgateway = pushgateway
        self._hosts = root / "hosts"
        self._hosts.write_text("", encoding="utf-8")
        self.know("timescaledb-service", "pushgateway")
        self.postgres = Postgres(
            binaries,
            manifests,
            root,
            secrets=secrets,
            port=free_port(),
            rewrites={
                **WITHOUT_TIMESCALEDB,
                r"\b8432\b": str(self.agent_port),
                r"\b9091\b": str(self.gateway_port),
                r"(?m)^tls-server-address=\*$": "tls-server-address=127.0.0.1",
            },
        )
        self._jobs = 0

    def know(self, *names: str) -> None:
        """Let names mean this machine."""
        with self._hosts.open("a", encoding="utf-8") as hosts:
            hosts.writelines(f"127.0.0.1 {name}\n" for name in names)

    def environment(self, pod: Pod, container: str, **overrides: str) -> dict[str, str]:
        return {
            **pod.environment(container),
            **self.postgres.path,
            "LD_PRELOAD": NSS_WRAPPER,
            "NSS_WRAPPER_HOSTS": str(self._hosts),
            **overrides,
        }

    @contextmanager
    def running(self, *options: str) -> Iterator[None]:
        """Start the containers of the database's pod, and the Pushgateway."""
        with ExitStack() as stack:
            gateway = [self._pushgateway, f"--web.listen-address=127.0.0.1:{self.gateway_port}"]
            stack.enter_context(daemon(gateway, {}, self.root / "gateway.log"))
            stack.enter_context(self.postgres.running(*options))
            stack.enter_context(self.agent())
            yield

    @contextmanager
    def agent(self) -> Iterator[None]:
        pod = self.postgres.pod
        environment = self.environment(pod, "backup-agent", INTERVAL_SECONDS="0.2")
        with daemon(pod.command("backup-agent"), environment, self.root / "agent.log", user=USER):
            yield

    def prepare(self) -> None:
        """Apply the schema, and wait until WAL can be archived."""
        done = apply_schema(self.postgres, self.root / "schema-job")
        assert done.returncode == 0, done.stderr
        done = self.postgres.superuser(_INFORMATION)
        assert done.returncode == 0, done.stderr
        eventually(self.archives, within=30)

    def archives(self) -> bool:
        self.postgres.superuser("SELECT pg_switch_wal()", database="postgres")
        asked = "SELECT archived_count > 0 FROM pg_stat_archiver"
        return self.postgres.superuser(asked, database="postgres").stdout == "t\n"

    def job(self, name: str, **overrides: str) -> subprocess.CompletedProcess[str]:
        """Run a CronJob's container to its end, each time in a pod of its own."""
        pod = self.pod(name)
        (container,) = pod.containers
        environment = self.environment(pod, container, **overrides)
        if "PRELOAD_LIBRARIES" in environment:
            environment["PRELOAD_LIBRARIES"] = ""
        return run(pod.command(container), environment, user=USER, timeout=120)

    def pod(self, name: str) -> Pod:
        self._jobs += 1
        component = "timescaledb-rehearsal" if name == "timescaledb-rehearsal" else "timescaledb-backup"
        database = self.postgres.pod
        # The volume that all pods share, and what the agent reads for a job.
        shared = ("/var/lib/pgbackrest", "/home/postgres/pgdata", "/var/run/postgresql")
        elsewhere = {path: database.path(path) for path in shared}
        return self.postgres.client_pod(component, self.root / f"job-{self._jobs}", name, elsewhere)

    def info(self) -> list[dict[str, Any]]:
        """Return what pgBackRest says of the repositories."""
        pod = self.postgres.pod
        command = [str(pod.path("/opt/pgbackrest/pgbackrest-with-keys")), "--output=json", "info"]
        done = run(command, self.environment(pod, "backup-agent"), user=USER)
        assert done.returncode == 0, done.stdout + done.stderr
        stanzas: list[dict[str, Any]] = json.loads(done.stdout)
        return stanzas

    def metrics(self) -> Mapping[str, float]:
        """Return what the jobs left at the Pushgateway, by series."""
        address = f"http://127.0.0.1:{self.gateway_port}/metrics"
        with urllib.request.urlopen(address, timeout=10) as answer:  # on this machine
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("traversion_"))
        return {series: float(value) for series, value in pairs}
