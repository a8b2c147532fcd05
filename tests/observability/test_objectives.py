"""Objectives as settings: what they change in the rules, and which are refused."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tests.manifests import Manifest, change, find, synthesize_environment
from traversion.settings import Environment


def rules(manifests: Sequence[Manifest]) -> dict[str, dict[str, Any]]:
    text = find(manifests, "ConfigMap", "prometheus-config")["data"]["rules.yml"]
    return {
        rule.get("alert") or rule["record"]: rule
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
    }


def test_objectives_become_budgets_thresholds_and_links(environments: Mapping[str, Environment]) -> None:
    settings = {
        "observability.objectives.availability_percent": 99.5,
        "observability.objectives.latency_percent": 99.0,
        "observability.objectives.latency_seconds": 1.0,
        "observability.objectives.window": "14d",
        "observability.runbooks": "https://wiki.company.com/runbooks",
    }
    made = rules(synthesize_environment(change(environments["production"], settings)).manifests)
    # Half a percent may fail: 14.4 times and 6 times too fast.
    fast = made["TraversionAvailabilityBudgetBurnsFast"]
    assert "> 0.072" in fast["expr"]
    assert "> 0.03" in fast["expr"]
    assert "0.50%" in fast["annotations"]["description"]
    assert fast["annotations"]["runbook_url"] == (
        "https://wiki.company.com/runbooks/TraversionAvailabilityBudgetBurnsFast.md"
    )
    # Prometheus 3 writes the bound as 1.0, whatever the image writes.
    assert 'le=~"1|1.0"' in made["traversion:http_slow:rate5m"]["expr"]
    assert made["traversion:latency_budget:remaining"]["expr"].endswith("/ 0.01")
    assert "[14d]" in made["traversion:latency_budget:remaining"]["expr"]


def test_a_budget_is_for_as_long_as_prometheus_remembers(
    staging: Sequence[Manifest], production: Sequence[Manifest]
) -> None:
    name = "traversion:availability_budget:remaining"
    assert "[7d]" in rules(staging)[name]["expr"]
    assert "[30d]" in rules(production)[name]["expr"]


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("observability.objectives.latency_seconds", 0.3, "counts requests up to one of 0.001, 0.005"),
        ("observability.objectives.availability_percent", 100.0, "less than 100"),
        ("observability.objectives.availability_percent", 93.0, "greater than or equal to 94"),
        ("observability.objectives.latency_percent", 50.0, "greater than or equal to 94"),
        ("observability.objectives.window", "a month", "write a whole number and a unit"),
        ("observability.runbooks", "http://wiki.company.com", "write scheme, host and path"),
        ("observability.runbooks", "https://wiki.company.com/", "without a slash at the end"),
    ],
)
def test_objectives_that_cannot_work_are_refused(
    environments: Mapping[str, Environment], setting: str, value: object, remedy: str
) -> None:
    with pytest.raises(ValidationError, match=remedy):
        change(environments["production"], {setting: value})
