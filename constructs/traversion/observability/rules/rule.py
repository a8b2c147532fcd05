"""What a rule is: an alert, or a series recorded for the alerts and dashboards that share it."""

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Literal

from traversion.observability.metrics import names_in

Severity = Literal["critical", "warning", "none"]
"""Someone is woken up, someone looks at it today, or it only proves that alerts arrive."""

Component = Literal["api", "causality", "timescaledb", "redis", "kubernetes", "storage", "monitoring"]
"""The part of Traversion that an alert is about; Alertmanager groups and inhibits by it."""


@dataclass(frozen=True)
class Recording:
    """A series that Prometheus computes, named ``level:metric:operation``; in an f-string, its name."""

    name: str
    expr: str

    def __str__(self) -> str:
        return self.name

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as Prometheus reads it."""
        return {"record": self.name, "expr": dedent(self.expr).strip()}


@dataclass(frozen=True)
class Alert:
    """A condition that someone should know of once it has held without a gap for ``lasting``.

    ``description`` is a Prometheus template: ``$value`` is what ``expr`` yields, ``$labels`` what it kept.
    """

    name: str
    component: Component
    expr: str
    summary: str
    description: str
    lasting: str = "0m"
    severity: Severity = "warning"

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": dedent(self.expr).strip(),
            "for": self.lasting,
            "labels": {"severity": self.severity, "component": self.component},
            "annotations": {"summary": self.summary, "description": self.description},
        }


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, so an alert sees what was recorded just before it."""

    name: str
    rules: tuple[Recording | Alert, ...]

    def without(self, unknown: Iterable[str]) -> "Group":
        """Return the group without the rules that need one of these series, directly or recorded."""
        missing = set(unknown)
        kept: list[Recording | Alert] = []
        for rule in self.rules:
            if missing.isdisjoint(names_in(rule.expr)):
                kept.append(rule)
            else:
                missing.add(rule.name)
        return Group(self.name, tuple(kept))

    def to_dict(self) -> dict[str, Any]:
        """Return the group as Prometheus reads it."""
        return {"name": self.name, "rules": [rule.to_dict() for rule in self.rules]}
