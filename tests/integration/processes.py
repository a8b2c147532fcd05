"""Real programs, started and ended by the test that needs them."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

USER = "postgres" if os.geteuid() == 0 else None
"""Whom programs run as that refuse to run as root, or None where this user will do."""


@dataclass(frozen=True)
class Daemon:
    """A process in a session of its own, and the file that it logs to."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """End it as a crash of the machine would: no process of it does anything any more."""
        # PostgreSQL's children leave the group.
        for process in (self.process.pid, *_descendants(self.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()


def _descendants(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children")
    found = (
        [int(child) for child in children.read_text(encoding="ascii").split()] if children.exists() else []
    )
    return found + [each for child in found for each in _descendants(child)]


@contextmanager
def daemon(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    user: str | None = None,
    end: signal.Signals = signal.SIGTERM,
) -> Iterator[Daemon]:
    """Start a program; at the end it gets ``end``, and is killed unless it leaves within ten seconds."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            as_user(command, user),
            env=complete(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    started = Daemon(process, log)
    try:
        yield started
    finally:
        if process.poll() is None:
            process.send_signal(end)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                started.kill()


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    user: str | None = None,
    text: str | None = None,
    timeout: float = 30,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with ``text`` as its input; whether it succeeded is for the test to say."""
    return subprocess.run(
        as_user(command, user),
        env=complete(environment or {}),
        input=text or "",
        capture_output=True,
        text=True,
        errors="replace",  # a server may greet in bytes
        timeout=timeout,
        check=False,
    )


def as_user(command: Sequence[str], user: str | None) -> list[str]:
    if not user:
        return list(command)
    group = pwd.getpwnam(user).pw_gid
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *command]


def complete(environment: Mapping[str, str]) -> dict[str, str]:
    """Add what every container has; nothing of the caller's own environment gets through."""
    path = ":".join(part for part in (environment.get("PATH"), _PATH) if part)
    return {"LANG": "C.UTF-8", "TZ": "UTC", **environment, "PATH": path}


def eventually(holds: Callable[[], object], *, within: float = 10, every: float = 0.05) -> None:
    """Wait until something holds; fails when it does not hold in time (seconds)."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within} seconds"
        time.sleep(every)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def public_directory() -> Iterator[Path]:
    """Make a directory that every user may enter, with a path short enough for a unix socket."""
    path = Path(tempfile.mkdtemp(prefix="traversion-"))
    try:
        path.chmod(0o755)
        yield path
    finally:
        shutil.rmtree(path)


def own_name() -> str:
    return USER or pwd.getpwuid(os.geteuid()).pw_name
