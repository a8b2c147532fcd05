"""Pod Security Standards, by what the namespaces declare."""

import re
from collections.abc import Iterator, Mapping

from traversion.verify.check import Problem, Severity, check
from traversion.verify.graph import Graph
from traversion.verify.model import PodTemplate
from traversion.verify.pod_standards import BASELINE, LATEST, RESTRICTED, Rule, Subject

_LABEL = "pod-security.kubernetes.io/"
_LEVELS = {"privileged": 0, "baseline": 1, "restricted": 2}
_VERSION = re.compile(r"v1\.(\d{1,3})")
_NAMED = 3
# Its pods are the cluster's own; they need what applications must not have.
_SYSTEM = "kube-system"


@check(
    "pod-security-baseline",
    "error",
    what='Pods break the Pod Security Standard "baseline".',
    why="They can take over their node; a namespace that enforces the standard does not start them.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  hostPID: true
  containers: [{name: app, image: "redis:7.4.11"}]
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11"}]
""",
)
def pods_keep_baseline(graph: Graph) -> Iterator[Problem]:
    """Judge by what the namespace declares; a warning where it declares nothing."""
    for pods in graph.pod_templates:
        undeclared: Severity | None = None if pods.namespace == _SYSTEM else "warning"
        yield from _judge(graph, pods, "baseline", BASELINE, undeclared)


@check(
    "pod-security-restricted",
    "error",
    what='Pods break the Pod Security Standard "restricted" that their namespace declares.',
    why="A namespace that enforces it refuses every such pod; only the controller's events tell.",
    wrong="""
apiVersion: v1
kind: Namespace
metadata: {name: example, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Pod
metadata: {name: example, namespace: example}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers: [{name: app, image: "redis:7.4.11", securityContext: {allowPrivilegeEscalation: false}}]
""",
    right="""
apiVersion: v1
kind: Namespace
metadata: {name: example, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Pod
metadata: {name: example, namespace: example}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: app
      image: redis:7.4.11
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
""",
)
def pods_keep_restricted(graph: Graph) -> Iterator[Problem]:
    """Judge where a namespace enforces it (an error), or warns or audits (a warning)."""
    for pods in graph.pod_templates:
        yield from _judge(graph, pods, "restricted", RESTRICTED, None)


def _judge(
    graph: Graph, pods: PodTemplate, level: str, rules: tuple[Rule, ...], undeclared: Severity | None
) -> Iterator[Problem]:
    severity, version, mode = _in_force(graph.namespaces.get(pods.namespace, {}), level)
    severity = severity if mode else undeclared
    if severity is None:
        return
    subject = Subject(pods, version)
    by = f" (namespace {pods.namespace} {mode})" if mode else f' (not allowed by "{level}")'
    violations = [found for rule in rules for found in rule(subject)]
    if violations and not mode:
        # Nobody demands it: one line is enough.
        wrong = ", ".join(dict.fromkeys(violation.wrong for violation in violations[:_NAMED]))
        more = f" and {len(violations) - _NAMED} more" if len(violations) > _NAMED else ""
        yield Problem(pods.owner, violations[0].path, wrong + more + by, violations[0].remedy, severity)
        return
    for violation in violations:
        yield Problem(pods.owner, violation.path, violation.wrong + by, violation.remedy, severity)


def _in_force(labels: Mapping[str, str], level: str) -> tuple[Severity | None, int, str]:
    """Return how bad a violation of a level is, by which version, and which label says so."""
    modes: tuple[tuple[str, str, Severity], ...] = (
        ("enforce", "enforces", "error"),
        ("warn", "warns by", "warning"),
        ("audit", "audits by", "warning"),
    )
    for mode, verb, severity in modes:
        declared = labels.get(_LABEL + mode)
        # What is no level counts as the strictest one.
        if declared is not None and _LEVELS.get(declared, 2) >= _LEVELS[level]:
            match = _VERSION.fullmatch(labels.get(f"{_LABEL}{mode}-version", "latest"))
            return severity, int(match[1]) if match else LATEST, f"{verb} {declared}"
    # A namespace that says "privileged" means it.
    if labels.get(_LABEL + "enforce") == "privileged" and level == "baseline":
        return None, LATEST, "enforces privileged"
    return None, LATEST, ""
