"""A scenario for an alert, and how promtool is asked whether the rules agree with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Labels = Mapping[str, str]

STEP = 15
"""Seconds between two scrapes, and between two evaluations."""

Shows = Literal["", "below", "few", "two pods"]
"""That it stays silent just below the threshold, what little traffic does, what two pods do together."""


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
    shows: Shows = ""


def recovery(fires: Case, below: Case) -> Case:
    """Return the case that begins like one and goes on like the other: what has fired must end."""
    last = max(map(seconds, fires.fires))
    until = last // STEP + 1
    series = {}
    for name in {**fires.series, **below.series}:
        before = [*expanded(fires.series.get(name, "")), *["_"] * until][:until]
        after = expanded(below.series[name]) if name in below.series else ["stale"]
        series[name] = " ".join([*before, *after])
    end = f"{last + max(map(seconds, below.silent))}s"
    return Case(
        fires.alert, "it fires and then ends", series, {f"{last}s": fires.fires[_time(fires, last)]}, (end,)
    )


def _time(case: Case, wanted: int) -> str:
    return next(time for time in case.fires if seconds(time) == wanted)


def expanded(values: str) -> list[str]:
    """Return each sample of promtool's notation."""
    samples: list[str] = []
    for token in values.split():
        match = re.fullmatch(r"(_|-?[\d.]+)(?:([+-])([\d.]+))?(?:x(\d+))?", token)
        if not match:
            samples.append(token)  # stale
            continue
        start, sign, step, times = match.groups()
        if start == "_":
            samples += ["_"] * int(times or 1)
            continue
        change = float(f"{sign}{step}") if step else 0.0
        samples += [f"{float(start) + change * number:.12g}" for number in range(int(times or 0) + 1)]
    return samples


def seconds(time: str) -> int:
    """Return the seconds of a time such as 2m15s."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", time)
    assert parts, time
    hours, minutes, rest = (int(part or 0) for part in parts.groups())
    return 3600 * hours + 60 * minutes + rest


def unit_test(cases: Sequence[Case], own_labels: Mapping[str, Labels]) -> dict[str, Any]:
    """Return cases with the same series as a promtool test group; ``own_labels`` are what each alert adds."""
    return {
        "name": ", ".join(f"{case.alert}: {case.scenario}" for case in cases),
        "interval": f"{STEP}s",
        "input_series": [{"series": series, "values": values} for series, values in cases[0].series.items()],
        "promql_expr_test": [
            question for case in cases for question in _questions(case, own_labels[case.alert])
        ],
    }


def _questions(case: Case, own_labels: Labels) -> Iterator[dict[str, Any]]:
    name = {"alertname": case.alert, "alertstate": "firing"}
    own_labels = {label: value for label, value in own_labels.items() if label != "environment"}
    for time, alerts in {**case.fires, **dict.fromkeys(case.silent, ())}.items():
        yield {
            # What is made of recorded series bears the environment, and the rest does not.
            "expr": f"sum without (environment) (ALERTS{_braced(name)})",
            "eval_time": time,
            "exp_samples": [
                {"labels": _braced({**labels, **own_labels, **name}), "value": 1} for labels in alerts
            ],
        }


def unit_tests(rules: str, names: Sequence[str], tests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the content of a promtool test file for a rule file and its groups, in their order."""
    return {
        "rule_files": [rules],
        "evaluation_interval": f"{STEP}s",
        "group_eval_order": list(names),
        "tests": list(tests),
    }


def _braced(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"
