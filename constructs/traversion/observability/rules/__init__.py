"""The rules of Prometheus: what is recorded, and who is told when.

A module for each subject holds its recordings and alerts as constants; dashboards plot the same recordings.
An alert says what users lose (summary) and what was measured (description). ``critical`` wakes someone up:
the API, the database or the cache are down, users see errors or wait, or a limit is about to end a service.
"""

from typing import Any

from traversion.contract import Contract
from traversion.observability.metrics import not_exported
from traversion.observability.rules import api, causality, kubernetes, monitoring, redis, timescaledb
from traversion.observability.rules.rule import Group


def rule_groups(contract: Contract) -> list[dict[str, Any]]:
    """Return the ``groups`` of a Prometheus rule file for an image with this contract.

    Rules that need a metric which the image does not export are left out.
    """
    missing = not_exported(contract)
    kept = (group.without(missing) for group in _groups(contract))
    return [group.to_dict() for group in kept if group.rules]


def unavailable(contract: Contract) -> frozenset[str]:
    """Return the series that do not exist with this image: neither exported nor recorded."""
    missing = not_exported(contract)
    dropped = {
        rule.name
        for group in _groups(contract)
        for rule in set(group.rules) - set(group.without(missing).rules)
    }
    return missing | dropped


def _groups(contract: Contract) -> tuple[Group, ...]:
    return (
        api.group(contract),
        causality.GROUP,
        timescaledb.GROUP,
        redis.GROUP,
        kubernetes.GROUP,
        monitoring.GROUP,
    )
