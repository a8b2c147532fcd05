"""Measure what the TLS proxy in the API's pod costs: `make bench`, or this file alone.

The synthesized proxy runs in this machine's nginx, before an nginx that answers each request with a few
bytes, so that hardly anything but the hop is measured; and before the synthesized Redis. Load generator,
proxy and servers share this machine's cores, so requests per second are a lower bound. The CPU time that the
proxy spent on each request is the kernel's own count and depends on nothing else.

Nothing is promised about a machine that we do not know, except this much, which is many times what we see:

* the proxy needs at most 1 ms of CPU for a request, and 10 ms for a new connection with its handshake.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.authority import Authority
from tests.integration.cache import Redis
from tests.integration.edge import ApiPod, answers
from tests.integration.kubelet import Files
from tests.integration.processes import USER, daemon, eventually, free_port
from tests.manifests import Manifest, Synthesis, of_kind, synthesize_environment
from traversion.synthesis import load_environments

SECONDS = 5
CONNECTIONS = 16
REQUEST_PROMISED, HANDSHAKE_PROMISED = 1e-3, 10e-3
TICKS = os.sysconf("SC_CLK_TCK")
PROGRAMS = ("nginx", "wrk", "redis-server", "redis-cli", "redis-benchmark", "openssl")

APPLICATION = """
pid {root}/application.pid;
daemon off;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {root}/a; proxy_temp_path {root}/b; fastcgi_temp_path {root}/c;
    uwsgi_temp_path {root}/d; scgi_temp_path {root}/e;
    keepalive_requests 1000000;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "a few bytes"; }} }}
}}
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw, and the CPU seconds that the proxy spent meanwhile on each request."""

    per_second: float
    median: str
    slowest_hundredth: str
    cpu_seconds: float


def main() -> None:
    """Print the table; exit with 1 if a promise is broken."""
    missing = [name for name in PROGRAMS if not shutil.which(name, path=_path())]
    if missing:
        print(f"tls_proxy.py measures with {', '.join(missing)}, which this machine lacks: skipped")
        return
    production = synthesize_environment(load_environments()["production"])
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        kept = _measure(production, root)
    sys.exit(not kept)


def _measure(production: Synthesis, root: Path) -> bool:
    secrets = _secrets(production, root)
    manifests = production.manifests
    for name in ("pod", "redis", "application"):
        (root / name).mkdir()
    redis = Redis(manifests, root / "redis", secrets=secrets, port=free_port())
    with _application(root / "application") as port, redis.running():
        pod = ApiPod(manifests, root / "pod", secrets=secrets, application=port, redis=redis.port)
        with pod.running():
            print(f"{os.cpu_count()} cores, {CONNECTIONS} connections, {SECONDS} s each\n")
            print(f"{'':44}  per second    median       99 %   proxy's CPU")
            _http("requests, plain, without the proxy", f"http://127.0.0.1:{port}/")
            through = f"https://127.0.0.1:{pod.port['https']}/"
            request = _http("requests, TLS, through the proxy", through, master=pod.master)
            again = ("--header", "Connection: close")
            handshake = _http("a connection for each, through the proxy", through, *again, master=pod.master)
            _redis("Redis GET, TLS, without the proxy", redis, redis.port, encrypted=True)
            _redis("Redis GET, plain to the proxy, TLS from it", redis, pod.port["redis"], encrypted=False)
    kept = request.cpu_seconds <= REQUEST_PROMISED and handshake.cpu_seconds <= HANDSHAKE_PROMISED
    print(f"\nCPU for a request        {request.cpu_seconds * 1e6:6.0f} us  promised: at most 1000 us")
    print(f"CPU for a connection     {handshake.cpu_seconds * 1e6:6.0f} us  promised: at most 10000 us")
    return kept


def _http(name: str, url: str, *options: str, master: str = "") -> Load:
    load = [
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(CONNECTIONS),
        "--timeout",
        "20s",
        "--latency",
        *options,
    ]
    _run([*load, "--duration", "1s", url])  # not counted: everything is there afterwards
    before = _cpu_seconds(master)
    said = _run([*load, "--duration", f"{SECONDS}s", url])
    spent = _cpu_seconds(master) - before
    count = int(_found(r"(\d+) requests in", said))
    if "Socket errors" in said or "Non-2xx" in said:
        sys.exit(f"{name}: requests failed\n{said}")
    found = Load(
        float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        _found(r"50%\s+(\S+)", said),
        _found(r"99%\s+(\S+)", said),
        spent / count,
    )
    cpu = f"{found.cpu_seconds * 1e6:8.0f} us" if master else ""
    times = f"{found.median:>9}  {found.slowest_hundredth:>9}"
    print(f"{name:44}  {found.per_second:10.0f} {times}   {cpu}", flush=True)
    return found


def _redis(name: str, redis: Redis, port: int, *, encrypted: bool) -> None:
    trust = redis.client[redis.client.index("--cacert") + 1]
    tls = ["--tls", "--cacert", trust, "--sni", "redis-service"] if encrypted else []
    password = redis.passwords["default"]
    load = ["redis-benchmark", "-p", str(port), "-a", password, *tls, "-c", str(CONNECTIONS)]
    said = _run([*load, "-n", "100000", "-r", "1000", "-t", "get", "--csv"])
    # "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms",...
    (row,) = (line.replace('"', "").split(",") for line in said.splitlines() if line.startswith('"GET"'))
    print(f"{name:44}  {float(row[1]):10.0f} {row[4] + 'ms':>9}  {row[6] + 'ms':>9}", flush=True)


def _cpu_seconds(master: str) -> float:
    """Return what nginx's workers have consumed, in user and kernel."""
    if not master:
        return 0.0
    children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
    fields = [
        Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split() for pid in children
    ]
    return sum(int(each[11]) + int(each[12]) for each in fields) / TICKS


@contextmanager
def _application(root: Path) -> Iterator[int]:
    root.chmod(0o777)
    port, config = free_port(), root / "nginx.conf"
    config.write_text(APPLICATION.format(root=root, port=port), encoding="utf-8")
    nginx = shutil.which("nginx", path=_path()) or "nginx"
    with daemon([nginx, "-e", "stderr", "-c", str(config)], {}, root / "log", user=USER):
        eventually(lambda: answers(port))
        yield port


def _secrets(production: Synthesis, root: Path) -> dict[str, Files]:
    (root / "authority").mkdir()
    authority = Authority(root / "authority")
    leaves: list[Manifest] = [
        each for each in of_kind(production.manifests, "Certificate") if not each["spec"].get("isCA")
    ]
    certificates = {each["spec"]["secretName"]: authority.serving(each) for each in leaves}
    passwords = {
        credential.secret: dict.fromkeys(credential.sources, f"of {credential.secret} here only")
        for credential in production.platform.credentials.declared
    }
    return passwords | certificates


def _run(command: Sequence[str]) -> str:
    environment = {**os.environ, "PATH": _path()}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if not match:
        sys.exit(f"no {pattern} in\n{text}")
    return match[1]


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"


if __name__ == "__main__":
    main()
