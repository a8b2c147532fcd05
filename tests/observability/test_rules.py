"""The rules load, name only what exists, and every alert does what its cases say."""

import re
import subprocess
from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.observability.alerts import api, causality, kubernetes, monitoring, redis, timescaledb
from tests.observability.alerts.case import Case, unit_test, unit_tests
from tests.observability.promql import labels_grouped_by, names_of_series
from traversion.contract import TRAVERSION, UPSTREAM_1_0_0, Contract
from traversion.observability.metrics import CATALOGUE
from traversion.observability.rules import rule_groups, unavailable

CASES = (
    *api.CASES,
    *causality.CASES,
    *kubernetes.CASES,
    *timescaledb.CASES,
    *redis.CASES,
    *monitoring.CASES,
)
PROMISED = {
    "TraversionApiDown",
    "TimescaleDbDown",
    "TraversionApiErrorRateHigh",
    "TraversionApiLatencyHigh",
    "ContainerCpuHigh",
    "ContainerMemoryHigh",
    "RedisDown",
}


def rules(contract: Contract = TRAVERSION) -> list[dict[str, Any]]:
    return [rule for group in rule_groups(contract) for rule in group["rules"]]


def alerts(contract: Contract = TRAVERSION) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules(contract) if "alert" in rule}


def recorded(contract: Contract = TRAVERSION) -> set[str]:
    return {rule["record"] for rule in rules(contract) if "record" in rule}


def test_no_rule_has_the_name_of_another() -> None:
    names = [rule.get("alert") or rule["record"] for rule in rules()]
    assert len(names) == len(set(names))
    groups = [group["name"] for group in rule_groups(TRAVERSION)]
    assert len(groups) == len(set(groups))


@pytest.mark.parametrize("contract", [TRAVERSION, UPSTREAM_1_0_0])
def test_promtool_accepts_the_rules(promtool: str, tmp_path: Path, contract: Contract) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": rule_groups(contract)}))
    subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", file], check=True)


@pytest.mark.slow
def test_every_alert_behaves_as_its_cases_say(promtool: str, tmp_path: Path) -> None:
    files = [
        *_test_files(tmp_path / "with-metrics", TRAVERSION, CASES),
        *_test_files(tmp_path / "without-metrics", UPSTREAM_1_0_0, api.CASES_WITHOUT_METRICS),
    ]
    run = subprocess.run([promtool, "test", "rules", *files], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def _test_files(folder: Path, contract: Contract, cases: tuple[Case, ...]) -> list[Path]:
    """Write a test file for each group: evaluating the others' rules would take most of the time."""
    folder.mkdir()
    by_alert: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_alert[case.alert].append(case)
    files = []
    for group in rule_groups(contract):
        tests = [
            unit_test(case, rule["labels"])
            for rule in group["rules"]
            for case in by_alert.get(rule.get("alert", ""), [])
        ]
        if tests:
            (folder / f"{group['name']}.yaml").write_text(yaml.safe_dump({"groups": [group]}))
            files.append(folder / f"{group['name']}.test.yaml")
            files[-1].write_text(yaml.safe_dump(unit_tests(f"{group['name']}.yaml", tests)))
    return files


def test_every_alert_has_cases_and_every_case_an_alert() -> None:
    assert {case.alert for case in CASES if any(case.fires.values())} == set(alerts())
    assert {case.alert for case in CASES if case.silent} == set(alerts()) - {"Watchdog"}
    assert {case.alert for case in api.CASES_WITHOUT_METRICS} <= set(alerts(UPSTREAM_1_0_0))


def test_every_alert_that_waits_is_shown_to_wait() -> None:
    """One case fires, and is silent at a time before that."""
    shown = {
        case.alert
        for case in CASES
        if any(_seconds(quiet) < _seconds(loud) for quiet in case.silent for loud in case.fires)
    }
    assert shown >= {name for name, rule in alerts().items() if rule["for"] != "0m"}


@pytest.mark.parametrize("alert", ["TraversionApiDown", "TimescaleDbDown", "RedisDown"])
def test_down_alerts_fire_within_three_minutes_and_not_at_thirty_seconds(alert: str) -> None:
    assert alerts()[alert]["for"] == "1m"
    never_there = next(case for case in CASES if case.alert == alert and not case.series)
    assert "30s" in never_there.silent
    assert "1m" in never_there.fires
    vanished = [c for c in CASES if c.alert == alert and any("stale" in v for v in c.series.values())]
    assert any(set(case.fires) & {"3m15s"} for case in vanished)


def test_what_is_promised_wakes_someone_up() -> None:
    critical = {name for name, rule in alerts().items() if rule["labels"]["severity"] == "critical"}
    assert critical == PROMISED | {"PersistentVolumeAlmostFull"}


def test_every_alert_tells_what_it_is_about() -> None:
    for name, rule in alerts().items():
        assert set(rule["labels"]) == {"severity", "component"}, name
        assert set(rule["annotations"]) == {"summary", "description"}, name
        assert not rule["annotations"]["summary"].endswith("."), name
        assert rule["annotations"]["description"].endswith((".", "?")), name


def test_descriptions_use_only_labels_that_the_alert_has() -> None:
    fired: dict[str, list[set[str]]] = defaultdict(list)
    for case in CASES:
        fired[case.alert] += [set(labels) for labels in chain(*case.fires.values())]
    for name, rule in alerts().items():
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]))
        assert all(used <= labels for labels in fired[name]), name


@pytest.mark.parametrize("contract", [TRAVERSION, UPSTREAM_1_0_0])
def test_rules_name_only_series_that_exist(contract: Contract) -> None:
    known = set().union(*(family.series for family in CATALOGUE)) | recorded()
    for rule in rules(contract):
        names = names_of_series(rule["expr"])
        assert names <= known - unavailable(contract), rule
        # Watchdog needs none.
        assert names or rule.get("alert") == "Watchdog", rule


def test_rules_group_by_labels_that_their_series_have() -> None:
    labels = {name: set(family.labels) | {"le"} for family in CATALOGUE for name in family.series}
    for rule in rules():
        names = names_of_series(rule["expr"]) - recorded()
        if names:
            having = set().union(*(labels[name] for name in names))
            recording = {label for name in recorded() for label in name.split(":")[0].split("_")}
            assert labels_grouped_by(rule["expr"]) <= having | recording, rule


def test_without_metrics_nothing_asks_the_application() -> None:
    text = yaml.safe_dump(rule_groups(UPSTREAM_1_0_0))
    assert "traversion_" not in text
    assert 'job="traversion"' not in text
    assert set(alerts()) - set(alerts(UPSTREAM_1_0_0)) == {
        "TraversionApiPodDown",
        "TraversionApiErrorRateHigh",
        "TraversionApiLatencyHigh",
        "TraversionEventLoopBlocked",
        "TraversionEventErrorsHigh",
        "TraversionQueriesSlow",
        "TraversionWebSocketsLost",
    }


def test_every_recording_is_used_by_another_rule() -> None:
    for name in recorded():
        assert any(name in rule["expr"] for rule in rules()), name


def _seconds(time: str) -> int:
    parts = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", time)
    assert parts, time
    minutes, seconds = (int(part or 0) for part in parts.groups())
    return 60 * minutes + seconds
