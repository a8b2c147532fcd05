"""The rules load, name only what exists, and every alert does what its cases say."""

import re
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.observability.alerts import (
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
from tests.observability.alerts.case import STEP, Case, Labels, recovery, seconds, unit_test, unit_tests
from tests.observability.promql import labels_grouped_by, names_of_series
from traversion.contract import TRAVERSION, UPSTREAM_1_0_0, Contract
from traversion.observability.dashboards import dashboards
from traversion.observability.metrics import API, CADVISOR, CATALOGUE, KUBERNETES, Family
from traversion.observability.rules import Place, Subject, rule_groups, unavailable

CASES = (
    *api.CASES,
    *causality.CASES,
    *kubernetes.CASES,
    *timescaledb.CASES,
    *backups.CASES,
    *redis.CASES,
    *monitoring.CASES,
    *certificates.CASES,
    *objectives.CASES,
)
PLACE = Place("test", "https://runbooks", "https://grafana")
WITHOUT_SERIES: dict[str, Sequence[Labels]] = {
    **dict.fromkeys(("TraversionApiDown", "TimescaleDbDown", "RedisDown", "Watchdog"), ({},)),
    "TargetDown": tuple({"job": job} for job in monitoring.OTHER_JOBS),
}
"""What fires when Prometheus sees nothing at all. The other alerts stay silent: those that need a series
which may be missing while all else is well (jobs of the database, certificates) have cases for it."""
PROMISED = {
    "TraversionApiDown",
    "TimescaleDbDown",
    "TraversionApiErrorRateHigh",
    "TraversionApiLatencyHigh",
    "ContainerCpuHigh",
    "ContainerMemoryHigh",
    "RedisDown",
}


def groups(contract: Contract = TRAVERSION) -> list[dict[str, Any]]:
    return rule_groups(Subject(contract), PLACE)


def rules(contract: Contract = TRAVERSION) -> list[dict[str, Any]]:
    return [rule for group in groups(contract) for rule in group["rules"]]


def alerts(contract: Contract = TRAVERSION) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules(contract) if "alert" in rule}


def recorded(contract: Contract = TRAVERSION) -> set[str]:
    return {rule["record"] for rule in rules(contract) if "record" in rule}


def test_no_rule_has_the_name_of_another() -> None:
    names = [rule.get("alert") or rule["record"] for rule in rules()]
    assert len(names) == len(set(names))
    named = [group["name"] for group in groups()]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("contract", [TRAVERSION, UPSTREAM_1_0_0])
def test_promtool_accepts_the_rules(promtool: str, tmp_path: Path, contract: Contract) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups(contract)}))
    subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", file], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", [group["name"] for group in groups()])
def test_every_alert_behaves_as_its_cases_say(promtool: str, tmp_path: Path, name: str) -> None:
    prove(promtool, tmp_path, name, TRAVERSION, (*CASES, *recoveries()))


def test_without_metrics_the_api_is_still_watched(promtool: str, tmp_path: Path) -> None:
    prove(promtool, tmp_path, "traversion-api", UPSTREAM_1_0_0, api.CASES_WITHOUT_METRICS)


def prove(promtool: str, folder: Path, name: str, contract: Contract, cases: Sequence[Case]) -> None:
    """Let promtool judge the cases of a group, and of the groups that it needs."""
    needed = [group for group in groups(contract) if group["name"] in (name, *BUILDS_ON.get(name, ()))]
    (group,) = (group for group in needed if group["name"] == name)
    own_labels = {rule["alert"]: rule["labels"] for rule in group["rules"] if "alert" in rule}
    tests = [unit_test([case], own_labels) for case in cases if case.alert in own_labels]
    tests.append(unit_test([without_series(alert) for alert in own_labels], own_labels))
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": needed}))
    (folder / "test.yaml").write_text(
        yaml.safe_dump(unit_tests("rules.yaml", [each["name"] for each in needed], tests))
    )
    run = subprocess.run(
        [promtool, "test", "rules", folder / "test.yaml"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


BUILDS_ON = {"traversion-objectives": ("traversion-api",)}
"""Evaluating the rules of all groups for each case would take most of the time."""


def without_series(alert: str) -> Case:
    """Return the case in which Prometheus sees nothing at all."""
    expected = WITHOUT_SERIES.get(alert)
    fires = {"20m": expected} if expected else {}
    return Case(alert, "no series at all", {}, fires, () if expected else ("20m",))


def of(alert: str, shows: str = "") -> list[Case]:
    return [case for case in CASES if case.alert == alert and shows in ("", case.shows)]


def recoveries() -> tuple[Case, ...]:
    """Return a case for each alert: it fires, then the values return to just below the threshold."""
    return tuple(
        recovery(
            next(case for case in of(name) if any(case.fires.values()) and case.series), of(name, "below")[0]
        )
        for name in alerts()
        if name != "Watchdog"
    )


def families_of(name: str) -> set[Family]:
    """Return the families that an alert needs, directly or recorded."""
    exprs = {rule.get("alert") or rule["record"]: rule["expr"] for rule in rules()}
    found: set[Family] = set()
    names, seen = names_of_series(exprs[name]), set[str]()
    while names - seen:
        series = (names - seen).pop()
        seen.add(series)
        if series in exprs:
            names |= names_of_series(exprs[series])
        found |= {family for family in CATALOGUE if series in family.series}
    return found


def test_every_alert_stays_silent_just_below_its_threshold() -> None:
    assert [name for name in alerts() if not of(name, "below") and name != "Watchdog"] == []
    assert [
        case.scenario for case in CASES if case.shows == "below" and (case.fires or not case.silent)
    ] == []


def test_every_alert_fires_at_the_promised_time_and_not_an_evaluation_before() -> None:
    shown = {
        case.alert
        for case in CASES
        for loud in case.fires
        if any(seconds(loud) - seconds(quiet) == STEP for quiet in case.silent)
    }
    assert set(alerts()) - shown == _NOT_TO_THE_SECOND


_NOT_TO_THE_SECOND = {
    "Watchdog",  # always
    "TraversionEventsStopped",  # rates over minutes cross the threshold a while after the events stop
    "TraversionDetectionStalled",
    "TimescaleDbDeadlocks",
    "ContainerRestarting",
}


def test_what_is_made_of_traffic_has_a_case_with_little_of_it() -> None:
    of_traffic = {
        name
        for name in alerts()
        if any(f.job == API.name and f.kind in ("counter", "histogram") for f in families_of(name))
    }
    assert of_traffic
    assert {name for name in of_traffic if not of(name, "few")} == set()


def test_what_is_about_pods_has_a_case_with_two() -> None:
    of_pods = {
        name
        for name in alerts()
        if any(
            f.job in (API.name, CADVISOR.name) or (f.job == KUBERNETES.name and "pod" in f.labels)
            for f in families_of(name)
        )
    }
    assert of_pods
    assert {name for name in of_pods if not of(name, "two pods")} == {"CertificatesUnwatched"} & of_pods


def test_every_alert_has_cases_and_every_case_an_alert() -> None:
    assert {case.alert for case in CASES if any(case.fires.values())} == set(alerts())
    assert {case.alert for case in CASES if case.silent} == set(alerts()) - {"Watchdog"}
    assert {case.alert for case in api.CASES_WITHOUT_METRICS} <= set(alerts(UPSTREAM_1_0_0))


def test_every_alert_that_waits_is_shown_to_wait() -> None:
    """One case fires, and is silent at a time before that."""
    shown = {
        case.alert
        for case in CASES
        if any(seconds(quiet) < seconds(loud) for quiet in case.silent for loud in case.fires)
    }
    assert shown >= {name for name, rule in alerts().items() if rule["for"] != "0m"}


@pytest.mark.parametrize("alert", ["TraversionApiDown", "TimescaleDbDown", "RedisDown"])
def test_down_alerts_fire_within_three_minutes_and_not_at_thirtyseconds(alert: str) -> None:
    assert alerts()[alert]["for"] == "1m"
    never_there = next(case for case in CASES if case.alert == alert and not case.series)
    assert "30s" in never_there.silent
    assert "1m" in never_there.fires
    vanished = [c for c in CASES if c.alert == alert and any("stale" in v for v in c.series.values())]
    assert any(set(case.fires) & {"3m15s"} for case in vanished)


def test_what_is_promised_wakes_someone_up() -> None:
    critical = {name for name, rule in alerts().items() if rule["labels"]["severity"] == "critical"}
    assert critical == PROMISED | {
        "PersistentVolumeAlmostFull",
        "CertificateAboutToExpire",
        "RedisEvictsSessions",
        "TimescaleDbBackupDamaged",
        "TimescaleDbRehearsalFailed",
        "TimescaleDbWalArchivingFailing",
        "TimescaleDbWalArchivingLags",
        "TraversionAvailabilityBudgetBurnsFast",
        "TraversionLatencyBudgetBurnsFast",
    }


def test_every_alert_tells_what_it_is_about() -> None:
    for name, rule in alerts().items():
        assert set(rule["labels"]) == {"severity", "component"}, name
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url", "dashboard_url"}, name
        assert rule["annotations"]["runbook_url"] == f"https://runbooks/{name}.md"
        assert not rule["annotations"]["summary"].endswith("."), name
        assert rule["annotations"]["description"].endswith((".", "?")), name


@pytest.mark.parametrize("contract", [TRAVERSION, UPSTREAM_1_0_0])
def test_every_alert_links_to_a_dashboard_that_is_there(contract: Contract) -> None:
    uids = {file.removesuffix(".json") for file in dashboards(Subject(contract))}
    for name, rule in alerts(contract).items():
        assert rule["annotations"]["dashboard_url"].removeprefix("https://grafana/d/") in uids, name


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
        assert names <= known - unavailable(Subject(contract)), rule
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
    text = yaml.safe_dump(groups(UPSTREAM_1_0_0))
    assert not [metric.name for metric in TRAVERSION.metrics if metric.name in text]
    assert 'job="traversion"' not in text
    assert set(alerts()) - set(alerts(UPSTREAM_1_0_0)) == {
        "TraversionApiPodDown",
        "TraversionApiErrorRateHigh",
        "TraversionApiLatencyHigh",
        "TraversionEventLoopBlocked",
        "TraversionEventErrorsHigh",
        "TraversionQueriesSlow",
        "TraversionWebSocketsLost",
        "TraversionWebSocketsUneven",
        "TraversionEventsStopped",
        "TraversionEventsLate",
        "TraversionDetectionStalled",
        "TraversionStorageSlow",
        "TraversionAvailabilityBudgetBurnsFast",
        "TraversionAvailabilityBudgetBurns",
        "TraversionLatencyBudgetBurnsFast",
        "TraversionLatencyBudgetBurns",
    }


def test_every_recording_is_used_by_another_rule_or_a_dashboard() -> None:
    shown = "".join(dashboards(Subject(TRAVERSION)).values())
    for name in recorded():
        assert name in shown or any(name in rule["expr"] for rule in rules()), name
