"""When containers are restarted, and how they end."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from traversion.verify.check import Problem, Severity, check
from traversion.verify.environment import containers, words_of
from traversion.verify.graph import Graph
from traversion.verify.model import dig, mapping, number

# Kubernetes' defaults: pkg/apis/core/v1/defaults.go
_PERIOD, _THRESHOLD, _GRACE = 10, 3, 30
# Whatever starts faster than this is not restarted by its own liveness probe.
_SHORTEST_START = 10
_LONGEST = 1_000
_SLEEP = re.compile(r"(?:.*[;&|\s])?(?:/\S*/)?sleep\s+(\d{1,7})s?\b", re.DOTALL)


@check(
    "liveness-as-readiness",
    "warning",
    what="Liveness asks the same as readiness and gives up no later.",
    why="When a dependency is away for a moment, all pods are restarted at once, not just left out.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: app
      image: redis:7.4.11
      livenessProbe: {httpGet: {path: /health, port: 8080}}
      readinessProbe: {httpGet: {path: /health, port: 8080}}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: app
      image: redis:7.4.11
      livenessProbe: {httpGet: {path: /health, port: 8080}, failureThreshold: 12}
      readinessProbe: {httpGet: {path: /health, port: 8080}}
""",
)
def liveness_is_patient(graph: Graph) -> Iterator[Problem]:
    """The same question is fine when liveness waits longer; a TCP port or a command asks no dependency."""
    for container in containers(graph):
        live, ready = (mapping(container.data.get(probe)) for probe in ("livenessProbe", "readinessProbe"))
        if not live.get("httpGet") or live.get("httpGet") != ready.get("httpGet"):
            continue
        if _patience(live) <= _patience(ready):
            wrong = f"both ask the same, and liveness restarts after {_patience(live)} s of failures"
            remedy = "let liveness ask something without dependencies, or fail later than readiness"
            yield Problem(container.owner, container.path("livenessProbe"), wrong, remedy)


def _patience(probe: Mapping[str, Any]) -> int:
    return (number(probe.get("periodSeconds")) or _PERIOD) * (
        number(probe.get("failureThreshold")) or _THRESHOLD
    )


@check(
    "liveness-start",
    "warning",
    what="A liveness probe gives the container less than ten seconds to start.",
    why="On a busy node it is restarted before it is up, for ever (CrashLoopBackOff).",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: app
      image: redis:7.4.11
      livenessProbe: {tcpSocket: {port: 6379}, periodSeconds: 2, failureThreshold: 2}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: app
      image: redis:7.4.11
      livenessProbe: {tcpSocket: {port: 6379}, periodSeconds: 2, failureThreshold: 2}
      startupProbe: {tcpSocket: {port: 6379}, failureThreshold: 30}
""",
)
def liveness_lets_start(graph: Graph) -> Iterator[Problem]:
    """A startup probe holds the liveness probe back."""
    for container in containers(graph):
        live = mapping(container.data.get("livenessProbe"))
        if not live or container.data.get("startupProbe"):
            continue
        budget = (number(live.get("initialDelaySeconds")) or 0) + _patience(live)
        if budget < _SHORTEST_START:
            wrong = f"restarts the container {budget} s after its start"
            yield Problem(container.owner, container.path("livenessProbe"), wrong, "add a startupProbe")


@check(
    "prestop-grace",
    "error",
    what="preStop sleeps as long as, or longer than, the pod may take to end.",
    why="The kubelet kills the container while it sleeps: requests that it still answers are cut off.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  terminationGracePeriodSeconds: 10
  containers:
    - {name: app, image: "redis:7.4.11", lifecycle: {preStop: {exec: {command: [sleep, "15"]}}}}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  terminationGracePeriodSeconds: 60
  containers:
    - {name: app, image: "redis:7.4.11", lifecycle: {preStop: {exec: {command: [sleep, "15"]}}}}
""",
)
def hooks_end_in_time(graph: Graph) -> Iterator[Problem]:
    """The grace period covers hook and application together; it is 30 s when it is not stated."""
    for container in containers(graph):
        stated = number(container.pods.spec.get("terminationGracePeriodSeconds"))
        grace = _GRACE if stated is None else stated
        hook = mapping(dig(container.data, "lifecycle", "preStop"))
        match = _SLEEP.match(" ".join(words_of(dig(hook, "exec", "command")))[:_LONGEST])
        seconds = number(dig(hook, "sleep", "seconds")) or (int(match[1]) if match else 0)
        if seconds and seconds >= grace:
            severity: Severity = "error" if seconds > grace else "warning"
            wrong = f"sleeps {seconds} s, the pod has {grace} s in all"
            remedy = "raise terminationGracePeriodSeconds, or sleep less"
            yield Problem(container.owner, container.path("lifecycle", "preStop"), wrong, remedy, severity)
