"""What a check is: a documented function from the graph to problems."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from traversion.verify.graph import Graph
from traversion.verify.model import Resource

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """What a check found in one place. ``severity`` overrides the check's own."""

    resource: Resource
    path: str
    wrong: str
    remedy: str
    severity: Severity | None = None


@dataclass(frozen=True)
class Check:
    """One check. ``error``: it will not work, or is unsafe by published rules; ``warning``: it looks so."""

    id: str
    group: str
    severity: Severity
    what: str
    why: str
    wrong: str
    right: str
    find: Callable[[Graph], Iterator[Problem]]


@dataclass(frozen=True)
class Finding:
    """One problem, with all that its reader needs."""

    check: Check
    severity: Severity
    problem: Problem

    def __str__(self) -> str:
        problem = self.problem
        place = f"{problem.resource.reference}: {self.check.id} at {problem.path}"
        return f"{place}: {problem.wrong}: {problem.remedy}"

    def to_dict(self) -> Mapping[str, object]:
        """Return what ``--format json`` prints."""
        resource = self.problem.resource
        return {
            "check": self.check.id,
            "severity": self.severity,
            "object": {
                "apiVersion": resource.data.get("apiVersion"),
                "kind": resource.kind,
                "namespace": resource.namespace or None,
                "name": resource.name,
            },
            "file": resource.source.file or None,
            "line": resource.source.line or None,
            "path": self.problem.path,
            "wrong": self.problem.wrong,
            "effect": self.check.why,
            "remedy": self.problem.remedy,
        }


CHECKS: dict[str, Check] = {}
"""Every check, by id, in the order of their modules."""


def check(
    identifier: str, severity: Severity, *, what: str, why: str, wrong: str, right: str
) -> Callable[[Callable[[Graph], Iterator[Problem]]], Callable[[Graph], Iterator[Problem]]]:
    """Register a function as a check. ``wrong`` and ``right`` are manifests, as short as they can be."""

    def register(find: Callable[[Graph], Iterator[Problem]]) -> Callable[[Graph], Iterator[Problem]]:
        if identifier in CHECKS:
            raise ValueError(f"two checks are called {identifier}")
        group = find.__module__.rpartition(".")[2]
        CHECKS[identifier] = Check(
            identifier, group, severity, what, why, wrong.strip("\n"), right.strip("\n"), find
        )
        return find

    return register
