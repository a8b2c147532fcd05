"""A PostgreSQL server that runs the synthesized pod ``timescaledb``, and psql as its clients have it.

Debian has no TimescaleDB. Its library and parameters are left out of the configuration, and its functions
are stand-ins in ``template1``: they keep a list of hypertables and policies and refuse what the real ones
refuse, so that a schema that could not run twice there cannot run twice here.
"""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import select
from types import TracebackType
from typing import Self

from tests.integration.kubelet import Pod, Secrets
from tests.integration.processes import USER, Daemon, complete, daemon, eventually, own_name, run
from tests.manifests import Manifest

HOST = "timescaledb-service"
_DATA = "/home/postgres/pgdata"
_SOCKETS = "/var/run/postgresql"

WITHOUT_TIMESCALEDB = {
    r"(?m)^shared_preload_libraries = .*\n": "",
    r"(?m)^timescaledb\..*\n": "",
    r"CREATE EXTENSION IF NOT EXISTS timescaledb;": "",
}
_STAND_INS = """
CREATE SCHEMA stand_in;
CREATE TABLE stand_in.hypertables (name text PRIMARY KEY, chunk interval NOT NULL);
CREATE TABLE stand_in.policies (kind text, name text REFERENCES stand_in.hypertables, age interval NOT NULL,
    PRIMARY KEY (kind, name));
GRANT USAGE ON SCHEMA stand_in TO PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA stand_in TO PUBLIC;

CREATE FUNCTION create_hypertable(relation regclass, time_column name, chunk_time_interval interval,
    if_not_exists boolean DEFAULT false, migrate_data boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF if_not_exists AND EXISTS (SELECT FROM stand_in.hypertables WHERE name = relation::text) THEN
        RETURN;
    END IF;
    INSERT INTO stand_in.hypertables VALUES (relation::text, chunk_time_interval);
END $$;
CREATE FUNCTION add_compression_policy(hypertable regclass, compress_after interval)
RETURNS void LANGUAGE sql AS $$ INSERT INTO stand_in.policies VALUES ('compression', $1::text, $2) $$;
CREATE FUNCTION add_retention_policy(relation regclass, drop_after interval)
RETURNS void LANGUAGE sql AS $$ INSERT INTO stand_in.policies VALUES ('retention', $1::text, $2) $$;
CREATE FUNCTION remove_compression_policy(hypertable regclass, if_exists boolean DEFAULT false)
RETURNS void LANGUAGE sql AS $$
    DELETE FROM stand_in.policies WHERE kind = 'compression' AND name = $1::text
$$;
CREATE FUNCTION remove_retention_policy(relation regclass, if_exists boolean DEFAULT false)
RETURNS void LANGUAGE sql AS $$
    DELETE FROM stand_in.policies WHERE kind = 'retention' AND name = $1::text
$$;
"""
PSQL = ["psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate"]
"""Bare answers; an error is reported as its five-character SQLSTATE."""

# The memory of a test machine; and a crash of the machine itself is not what is tested.
_ON_THIS_MACHINE = ["-c", "shared_buffers=32MB", "-c", "fsync=off"]


class Postgres:
    """The pod ``timescaledb`` on this machine, on a port of its own; its database may be up or down."""

    def __init__(
        self,
        binaries: str,
        manifests: Sequence[Manifest],
        root: Path,
        *,
        secrets: Secrets,
        port: int,
        rewrites: Mapping[str, str] | None = None,
        component: str = "timescaledb",
        elsewhere: Mapping[str, Path] | None = None,
        archives: bool = False,
    ) -> None:
        self.port = port
        self._archives = archives
        self.manifests = manifests
        self.secrets = secrets
        self.rewrites = {
            r"\b5432\b": str(port),
            r"listen_addresses = '\*'": "listen_addresses = '127.0.0.1'",
            **WITHOUT_TIMESCALEDB,
            # In the container the user is "postgres"; here it may be anybody.
            r"(?m)^pod    postgres ": f"pod    {own_name()} ",
            **(rewrites or {}),
        }
        self.root = root
        self.pod = self.client_pod(component, root, elsewhere=elsewhere)
        self.path = {"PATH": binaries}
        self.data = self.pod.path(_DATA) / "data"
        self.log = root / "server.log"

    def client_pod(
        self,
        component: str,
        root: Path,
        workload_name: str | None = None,
        elsewhere: Mapping[str, Path] | None = None,
    ) -> Pod:
        """Lay out another pod that this server's port concerns, such as the schema job's."""
        root.mkdir(exist_ok=True)
        return Pod(
            self.manifests,
            component,
            root,
            secrets=self.secrets,
            rewrites=self.rewrites,
            user=USER,
            workload_name=workload_name,
            elsewhere=elsewhere,
        )

    def client_environment(self, pod: Pod, container: str) -> dict[str, str]:
        """Return a client's variables; the name of the Service stands for this machine."""
        return {**pod.environment(container), **self.path, "PGHOSTADDR": "127.0.0.1"}

    @property
    def local(self) -> dict[str, str]:
        """What makes psql use the server's unix socket, which here is not where it was compiled to be."""
        return {**self.path, "PGHOST": str(self.pod.path(_SOCKETS)), "PGPORT": str(self.port)}

    def initialize(self, password: str) -> None:
        """Do what the image's entry point does with an empty volume, and add the stand-ins."""
        environment = self.pod.environment("timescaledb")
        secret = self.root / "superuser-password"
        secret.write_text(password, encoding="utf-8")
        secret.chmod(0o644)
        options = [
            f"--username={environment['POSTGRES_USER']}",
            f"--pwfile={secret}",
            "--no-sync",
            "--wal-segsize=1",
        ]
        done = run(
            ["initdb", f"--pgdata={self.data}", *options, *environment["POSTGRES_INITDB_ARGS"].split()],
            self.path,
            user=USER,
        )
        assert done.returncode == 0, done.stderr
        with self.running():
            done = self.superuser(_STAND_INS, database="template1")
            assert done.returncode == 0, done.stderr

    def copy_of(self, other: "Postgres") -> None:
        """Take over the volume of a server that is down."""
        run(["cp", "-a", str(other.data), str(self.data)])

    @contextmanager
    def running(
        self,
        *options: str,
        wait: bool = True,
        within: float = 10,
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[Daemon]:
        """Start the container ``timescaledb``; ``options`` go behind the synthesized arguments."""
        arguments = [*self.pod.command("timescaledb"), *_ON_THIS_MACHINE]
        if not self._archives:
            arguments += ["-c", "archive_mode=off"]
        with daemon(
            ["postgres", *arguments, *options],
            # The policy of this machine's OpenSSL must not refuse what the configuration forgot to refuse.
            {
                **self.pod.environment("timescaledb"),
                **self.path,
                "PGDATA": str(self.data),
                "OPENSSL_CONF": "/dev/null",
                **(environment or {}),
            },
            self.log,
            user=USER,
            end=signal.SIGINT,
        ) as server:
            if wait:
                eventually(lambda: self._answers(server), within=within)
            yield server

    def _answers(self, server: Daemon) -> bool:
        assert server.process.poll() is None, server.said()
        return self.probe("readinessProbe") == 0

    def probe(self, kind: str) -> int:
        """Run a synthesized probe of the server and return its exit code."""
        return run(self.pod.hook("timescaledb", kind), self.path, user=USER).returncode

    def superuser(self, statements: str, database: str = "traversion") -> subprocess.CompletedProcess[str]:
        command = ["psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]
        return run(command, self.local, user=USER, text=statements)

    def login(self, secret: str, **overrides: str) -> dict[str, str]:
        """Return the variables with which a role logs in over the network, as the clients' pods have them."""
        return {
            **self.path,
            "PGHOST": HOST,
            "PGHOSTADDR": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGDATABASE": "traversion",
            "PGUSER": self.secrets[secret]["username"],
            "PGPASSWORD": self.secrets[secret]["password"],
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.pod.path("/etc/postgresql-tls/ca.crt")),
            **overrides,
        }

    def query(self, secret: str, statements: str, **overrides: str) -> subprocess.CompletedProcess[str]:
        """Let a role run statements; an error is reported as its five-character SQLSTATE."""
        return run(PSQL, self.login(secret, **overrides), text=statements)


@dataclass
class Session:
    """A connection that stays open: psql, asked one question after the other."""

    environment: Mapping[str, str]

    def __enter__(self) -> Self:
        self._psql = subprocess.Popen(
            # Into a pipe, psql would hold its answers back until there are many.
            ["/usr/bin/stdbuf", "--output=L", "psql", "-X", "-qAt"],
            env=complete(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def ask(self, statement: str) -> str:
        """Return the first line of the answer; nothing when the server refused the connection."""
        assert self._psql.stdin
        assert self._psql.stdout
        try:
            print(statement, file=self._psql.stdin, flush=True)
        except BrokenPipeError:
            return ""
        ready, _, _ = select([self._psql.stdout], [], [], 10)
        assert ready, f"no answer within 10 seconds to {statement}"
        return self._psql.stdout.readline().strip()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._psql.kill()
        self._psql.communicate()
