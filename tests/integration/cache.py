"""A Redis server that runs the synthesized pod ``redis``, and redis-cli as its clients have it: with TLS."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from tests.integration.kubelet import Pod, Secrets
from tests.integration.processes import Daemon, daemon, eventually, run
from tests.manifests import Manifest

PASSWORDS = {
    "default": "password",
    "exporter": "exporter-password",
    "reloader": "reloader-password",
    "admin": "admin-password",
}
CERTIFICATE_PATH = "/etc/redis-tls"


class Redis:
    """The pod ``redis`` on this machine, on a port of its own; it may be up or down."""

    def __init__(
        self,
        manifests: Sequence[Manifest],
        root: Path,
        *,
        secrets: Secrets,
        port: int,
        rewrites: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self.passwords = {user: secrets["redis-auth"][key] for user, key in PASSWORDS.items()}
        own_address = {
            r"\b6379\b": str(port),
            r"(?m)^bind .*$": "bind 127.0.0.1",
        }
        self.secrets = secrets
        self.pod = Pod(manifests, "redis", root, secrets=secrets, rewrites=own_address | dict(rewrites or {}))
        self.data = self.pod.path("/data")
        self.log = root / "server.log"

    @cached_property
    def client(self) -> list[str]:
        """redis-cli as it connects over the network: verifying the authority, and the name by SNI."""
        authority = self.pod.path("/").parent / f"{self.pod.path('/').name}-trust.crt"
        authority.write_text(self.secrets["redis-tls"]["ca.crt"], encoding="utf-8")
        tls = ["--tls", "--cacert", str(authority), "--sni", "redis-service"]
        return ["redis-cli", "-p", str(self.port), *tls, "--no-auth-warning"]

    @contextmanager
    def running(self, *, wait: bool = True) -> Iterator[Daemon]:
        """Start the container; at its end it saves, as when the pod is deleted."""
        with daemon(self.pod.command("redis"), self.pod.environment("redis"), self.log) as server:
            if wait:
                eventually(lambda: self._answers(server))
            yield server

    def _answers(self, server: Daemon) -> bool:
        assert server.process.poll() is None, server.said()
        return self.probe("readinessProbe") == 0

    def probe(self, kind: str, **overrides: str) -> int:
        """Run a synthesized probe inside the container and return its exit code."""
        environment = self.pod.environment("redis") | overrides
        return run(self.pod.hook("redis", kind), environment).returncode

    def ask(self, user: str, *command: str, password: str | None = None) -> str:
        """Send one command as a user and return the answer, which begins with a code if it is an error."""
        login = ["--user", user] if user != "default" else []
        known = self.passwords[user] if password is None else password
        client = [*self.client, *login, *command]
        done = run(client, {"REDISCLI_AUTH": known} if known else {})
        return (done.stdout + done.stderr).strip()

    def pipe(self, commands: str) -> None:
        """Send many commands at once, one on a line, and wait until all are written to the log.

        On a busy disk Redis answers first, and keeps for up to two seconds what it has not written.
        """
        done = run(self.client, {"REDISCLI_AUTH": self.passwords["default"]}, text=commands)
        assert done.returncode == 0, done.stderr
        eventually(lambda: self.number("persistence", "aof_buffer_length") == 0)

    def number(self, section: str, field: str) -> int:
        """Return a number from INFO."""
        lines = self.ask("admin", "INFO", section).splitlines()
        return int(dict(line.split(":", 1) for line in lines if ":" in line)[field])
