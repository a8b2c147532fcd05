"""The rules of Prometheus: what is recorded, and who is told when.

A module for each subject holds its recordings and alerts as constants; dashboards plot the same recordings.
An alert says what users lose (summary) and what was measured (description). ``critical`` wakes someone up:
the API, the database or the cache are down, users see errors or wait, or a limit is about to end a service.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from traversion.contract import Contract
from traversion.observability.metrics import API, not_exported
from traversion.observability.rules import (
    api,
    backups,
    causality,
    certificates,
    kubernetes,
    monitoring,
    objectives,
    redis,
    timescaledb,
)
from traversion.observability.rules.rule import Group, Place
from traversion.settings import BackupSettings, ObjectiveSettings, TimescaleDbSettings

__all__ = ["Place", "Subject", "rule_groups", "unavailable"]


@dataclass(frozen=True)
class Subject:
    """What is watched, and what is expected of it."""

    contract: Contract
    """Of the image; rules that need a metric which it does not export are left out."""
    unwatched: frozenset[str] = frozenset()
    """Scrape jobs without targets in this environment; what needs their metrics is left out too."""
    objectives: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    retention: str = "30d"
    """How far back Prometheus can see."""
    backups: BackupSettings | None = TimescaleDbSettings().backups
    """Those of the database that are set."""


def rule_groups(subject: Subject, place: Place) -> list[dict[str, Any]]:
    """Return the ``groups`` of a Prometheus rule file."""
    return [group.to_dict(place) for group in _kept(subject) if group.rules]


def unavailable(subject: Subject) -> frozenset[str]:
    """Return the series that do not exist: neither exported by the image and the jobs, nor recorded."""
    every = {rule.name for groups in _all_groups(subject) for group in groups for rule in group.rules}
    kept = {rule.name for group in _kept(subject) for rule in group.rules}
    return not_exported(subject.contract, subject.unwatched) | (every - kept)


def _kept(subject: Subject) -> Iterator[Group]:
    missing = set(not_exported(subject.contract, subject.unwatched))
    for group in _groups(subject):
        kept = group.without(missing)
        missing |= {rule.name for rule in set(group.rules) - set(kept.rules)}
        yield kept


def _groups(subject: Subject) -> tuple[Group, ...]:
    about_the_api, others = _all_groups(subject)
    return others if API.name in subject.unwatched else (*about_the_api, *others)


def _all_groups(subject: Subject) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Return the groups about the API, and the others."""
    about_the_api = (
        api.group(subject.contract),
        objectives.group(subject.objectives, subject.retention),
        causality.GROUP,
    )
    return about_the_api, (
        timescaledb.GROUP,
        backups.group(subject.backups),
        redis.GROUP,
        kubernetes.GROUP,
        certificates.GROUP,
        monitoring.group(subject.unwatched),
    )
