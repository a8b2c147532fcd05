"""The rules of Prometheus: what is recorded, and who is told when.

A module for each subject holds its recordings and alerts as constants; dashboards plot the same recordings.
An alert says what users lose (summary) and what was measured (description). ``critical`` wakes someone up:
the API, the database or the cache are down, users see errors or wait, or a limit is about to end a service.
"""

from typing import Any

from traversion.contract import Contract
from traversion.observability.metrics import not_exported
from traversion.observability.rules import api, causality, kubernetes, monitoring, redis, timescaledb


def rule_groups(contract: Contract) -> list[dict[str, Any]]:
    """Return the ``groups`` of a Prometheus rule file for an image with this contract.

    Rules that need a metric which the image does not export are left out.
    """
    groups = (
        api.group(contract),
        causality.GROUP,
        timescaledb.GROUP,
        redis.GROUP,
        kubernetes.GROUP,
        monitoring.GROUP,
    )
    kept = (group.without(not_exported(contract)) for group in groups)
    return [group.to_dict() for group in kept if group.rules]
