"""Probes that ask the wrong place, or cannot fail."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from traversion.verify.check import Problem, Severity, check
from traversion.verify.environment import PROBES, containers, is_shell, words_of
from traversion.verify.graph import Graph
from traversion.verify.model import Container, dig, items, mapping, number, text
from traversion.verify.quantity import brief

_HOOKS = (("lifecycle", "postStart"), ("lifecycle", "preStop"))
_LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 # where probes are sent

_ONE_LINE = 300
_ALWAYS = r"(?:/\S*/)?(?:true|:|exit\s+0|echo\b[^|;&]*)"
_NEVER_FAILS = re.compile(rf"(?:{_ALWAYS}|sleep\s+\S+|date)\s*;?\s*(?:exit\s+0)?")
_MASKED = re.compile(rf"(?:\|\|\s*{_ALWAYS}|;\s*(?:true|exit\s+0))\s*;?\s*$")


def _probes(container: Container) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for probe in PROBES:
        stated = mapping(container.data.get(probe))
        if stated:
            yield probe, stated


@check(
    "probe-port",
    "error",
    what="A probe asks a port that its container does not open.",
    why="By a name that does not exist every probe fails: never ready, or restarted for ever.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: app
      image: redis:7.4.11
      ports: [{name: http, containerPort: 8080}]
      readinessProbe: {httpGet: {path: /, port: web}}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: app
      image: redis:7.4.11
      ports: [{name: http, containerPort: 8080}]
      readinessProbe: {httpGet: {path: /, port: http}}
""",
)
def probes_ask_open_ports(graph: Graph) -> Iterator[Problem]:
    """A number need not be declared: a warning, and only where others are."""
    for container in containers(graph):
        # On the host's network a declared port is taken on the node: many leave them out.
        host_network = container.pods.spec.get("hostNetwork") is True
        ports = [mapping(port) for port in items(container.data.get("ports"))]
        names, numbers = [port.get("name") for port in ports], [port.get("containerPort") for port in ports]
        everywhere = {key for key in container.pods.open_ports if isinstance(key, int)}
        for probe, stated in _probes(container):
            for handler in ("httpGet", "tcpSocket", "grpc"):
                port = dig(stated, handler, "port")
                path = container.path(probe, handler, "port")
                if isinstance(port, str) and not port.isdecimal() and port not in names:
                    wrong = f"no port of container {container.name} is called {port}"
                    yield Problem(container.owner, path, wrong, "use the name of one of its ports")
                elif (
                    (asked := _number(port)) is not None
                    and not host_network
                    and numbers
                    and asked not in everywhere
                ):
                    wrong = (
                        f"container {container.name} declares {', '.join(map(brief, numbers))}, not {asked}"
                    )
                    yield Problem(container.owner, path, wrong, "correct it, or declare the port", "warning")


def _number(port: object) -> int | None:
    return int(port) if isinstance(port, str) and port.isdecimal() and len(port) <= 5 else number(port)  # noqa: PLR2004


@check(
    "probe-host",
    "warning",
    what="A probe or hook names a host.",
    why="The kubelet asks that host from the node, not the container: localhost is the node itself.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - {name: app, image: "redis:7.4.11", readinessProbe: {httpGet: {host: localhost, path: /, port: 8080}}}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", readinessProbe: {httpGet: {path: /, port: 8080}}}]
""",
)
def probes_ask_the_pod(graph: Graph) -> Iterator[Problem]:
    """On the host's network localhost is right; elsewhere it can never be."""
    for container in containers(graph):
        host_network = container.pods.spec.get("hostNetwork") is True
        for steps in (*((probe,) for probe in PROBES), *_HOOKS):
            for handler in ("httpGet", "tcpSocket"):
                host = text(dig(container.data, *steps, handler, "host"))
                if not host or (host_network and host in _LOOPBACK):
                    continue
                severity: Severity = "error" if host in _LOOPBACK else "warning"
                remedy = "remove it; a virtual host goes into httpHeaders as Host"
                path = container.path(*steps, handler, "host")
                yield Problem(container.owner, path, f"asks {host} instead of the pod", remedy, severity)


@check(
    "probe-never-fails",
    "warning",
    what="A probe runs a command that always succeeds.",
    why="A container that hangs is never restarted, and one that is not ready gets requests.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - {name: app, image: "redis:7.4.11", livenessProbe: {exec: {command: [sh, -c, "redis-cli ping || true"]}}}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", livenessProbe: {exec: {command: [redis-cli, ping]}}}]
""",
)
def probes_can_fail(graph: Graph) -> Iterator[Problem]:
    """Read the last thing that a command does."""
    for container in containers(graph):
        for probe, stated in _probes(container):
            command = words_of(dig(stated, "exec", "command"))
            script = command[-1] if is_shell(command) else " ".join(command)
            if command and _always_succeeds(script.strip(), shell=is_shell(command)):
                wrong = f"{script.strip()[-60:]!r} always succeeds"
                path = container.path(probe, "exec", "command")
                yield Problem(container.owner, path, wrong, "ask the application, and let the answer count")


def _always_succeeds(script: str, *, shell: bool) -> bool:
    if len(script) <= _ONE_LINE and _NEVER_FAILS.fullmatch(script):
        return True
    # After "exit 1" somewhere, the end does not tell.
    last = script.rpartition("\n")[2].strip()[-_ONE_LINE:]
    return shell and "exit 1" not in script and bool(_MASKED.search(last))
