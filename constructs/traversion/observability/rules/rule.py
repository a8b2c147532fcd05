"""What a rule is: an alert, or a series recorded for the alerts and dashboards that share it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Literal

from traversion.observability.metrics import demand, names_in, record

EVALUATION_SECONDS = 15
"""Time between two evaluations of a rule."""

Severity = Literal["critical", "warning", "none"]
"""Someone is woken up, someone looks at it today, or it only proves that alerts arrive."""

Component = Literal[
    "api", "causality", "timescaledb", "redis", "kubernetes", "storage", "certificates", "monitoring"
]
"""The part of Traversion that an alert is about; Alertmanager groups and inhibits by it."""

Dashboard = Literal[
    "overview",
    "api",
    "causality",
    "websocket",
    "timescaledb",
    "backups",
    "redis",
    "resources",
    "prometheus",
]
"""Where an alert's reader sees more; the uid is this behind "traversion-"."""

_DASHBOARDS: Mapping[Component, Dashboard] = {
    "api": "api",
    "causality": "causality",
    "timescaledb": "timescaledb",
    "redis": "redis",
    "kubernetes": "resources",
    "storage": "resources",
    "certificates": "resources",
    "monitoring": "prometheus",
}


@dataclass(frozen=True)
class Place:
    """Where rules are evaluated, and where the people who get an alert read on."""

    environment: str
    """Its name; recorded series bear it like those that are scraped."""
    runbooks: str
    """URL of the folder with a page for each alert."""
    grafana: str
    """URL of Grafana."""


@dataclass(frozen=True)
class Recording:
    """A series that Prometheus computes, named ``level:metric:operation``; in an f-string, its name."""

    name: str
    expr: str
    labels: tuple[str, ...] = ()
    """What tells its series apart."""

    def __post_init__(self) -> None:
        demand(self.expr, *self.labels)
        record(self.name, self.labels)

    def __str__(self) -> str:
        return self.name

    def to_dict(self, place: Place) -> dict[str, Any]:
        """Return the rule as Prometheus reads it."""
        return {
            "record": self.name,
            "expr": dedent(self.expr).strip(),
            "labels": {"environment": place.environment},
        }


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
    dashboard: Dashboard | None = None
    """Other than that of the component."""

    def __post_init__(self) -> None:
        demand(self.expr)

    def to_dict(self, place: Place) -> dict[str, Any]:
        """Return the rule as Prometheus reads it."""
        dashboard = self.dashboard or _DASHBOARDS[self.component]
        return {
            "alert": self.name,
            "expr": dedent(self.expr).strip(),
            "for": self.lasting,
            "labels": {"severity": self.severity, "component": self.component},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{place.runbooks}/{self.name}.md",
                "dashboard_url": f"{place.grafana}/d/traversion-{dashboard}",
            },
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

    def to_dict(self, place: Place) -> dict[str, Any]:
        """Return the group as Prometheus reads it."""
        return {"name": self.name, "rules": [rule.to_dict(place) for rule in self.rules]}
