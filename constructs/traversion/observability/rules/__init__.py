"""The rules of Prometheus: what is recorded, and who is told when.

A module for each subject holds its recordings and alerts as constants; dashboards plot the same recordings.
An alert says what users lose (summary) and what was measured (description). ``critical`` wakes someone up:
the API, the database or the cache are down, users see errors or wait, or a limit is about to end a service.
"""

from typing import Any

from traversion.contract import Contract
from traversion.observability.metrics import API, not_exported
from traversion.observability.rules import api, causality, kubernetes, monitoring, redis, timescaledb
from traversion.observability.rules.rule import Group


def rule_groups(contract: Contract, unwatched: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Return the ``groups`` of a Prometheus rule file for an image with this contract.

    Rules that need a metric which the image does not export, or which comes from an ``unwatched`` scrape
    job, are left out.
    """
    missing = not_exported(contract, unwatched)
    kept = (group.without(missing) for group in _groups(contract, unwatched))
    return [group.to_dict() for group in kept if group.rules]


def unavailable(contract: Contract, unwatched: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the series that do not exist: neither exported by the image and the jobs, nor recorded."""
    missing = not_exported(contract, unwatched)
    dropped = {
        rule.name
        for group in _groups(contract, unwatched)
        for rule in set(group.rules) - set(group.without(missing).rules)
    }
    return missing | dropped


def _groups(contract: Contract, unwatched: frozenset[str]) -> tuple[Group, ...]:
    about_the_api = () if API.name in unwatched else (api.group(contract), causality.GROUP)
    return (
        *about_the_api,
        timescaledb.GROUP,
        redis.GROUP,
        kubernetes.GROUP,
        monitoring.group(unwatched),
    )
