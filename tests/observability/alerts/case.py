"""A scenario for an alert, and how promtool is asked whether the rules agree with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """What Prometheus scrapes every 15 seconds, and when the alert fires for what.

    ``fires`` maps a time to the labels of each firing alert, without the rule's own; at the times in
    ``silent`` nothing fires. Times count from the first scrape. Values are in promtool's notation:
    ``1x8 stale`` are nine times 1, then a target that vanished.
    """

    alert: str
    scenario: str
    series: Mapping[str, str]
    fires: Mapping[str, Sequence[Labels]]
    silent: Sequence[str] = ()


def unit_test(case: Case, own_labels: Labels) -> dict[str, Any]:
    """Return the case as a promtool test group; ``own_labels`` are those that the rule adds."""
    times = {**case.fires, **dict.fromkeys(case.silent, ())}
    name = {"alertname": case.alert, "alertstate": "firing"}
    return {
        "name": f"{case.alert}: {case.scenario}",
        "interval": "15s",
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "promql_expr_test": [
            {
                "expr": f"ALERTS{_braced(name)}",
                "eval_time": time,
                "exp_samples": [
                    {"labels": f"ALERTS{_braced({**labels, **own_labels, **name})}", "value": 1}
                    for labels in alerts
                ],
            }
            for time, alerts in times.items()
        ],
    }


def unit_tests(rules: str, groups: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the content of a promtool test file for a rule file."""
    return {"rule_files": [rules], "evaluation_interval": "15s", "tests": list(groups)}


def _braced(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"
