"""Operator mode: the same rules and dashboards, for a Prometheus and a Grafana that others use as well."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests import Manifest, Synthesis, change, find, names, of_kind, selects, synthesize_environment
from tests.observability.alerts.case import unit_test, unit_tests
from tests.observability.test_rules import BUILDS_ON, CASES
from tests.observability.test_rules import groups as standalone_groups
from traversion.observability.metrics import CATALOGUE, JOBS
from traversion.observability.scope import scoped_query
from traversion.observability.sidecar import relinked, uid_in
from traversion.settings import Environment, ObservabilitySettings
from traversion.verify.promql import parse

KNOWS_JOBS = {"TargetDown"}
"""It misses fewer jobs here than its cases say."""
OURS = "traversion-production"
SERIES = frozenset(name for family in CATALOGUE for name in family.series)
NOT_THERE = {"prometheus", "alertmanager", "grafana"}
"""Scrape jobs of what the cluster brings itself."""


@pytest.fixture(scope="module")
def operated(variants: Callable[[str], Synthesis]) -> list[Manifest]:
    return variants("operator").manifests


def groups(manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
    (rule,) = of_kind(manifests, "PrometheusRule")
    found: list[dict[str, Any]] = rule["spec"]["groups"]
    return found


def rules(manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
    return [rule for group in groups(manifests) for rule in group["rules"]]


def of_our_own(production: Sequence[Manifest], file: str) -> Any:  # noqa: ANN401 # YAML is what it is
    return yaml.safe_load(find(production, "ConfigMap", "prometheus-config")["data"][file])


def test_the_cluster_monitors_and_nothing_of_ours_does(operated: list[Manifest]) -> None:
    own = {"prometheus", "alertmanager", "grafana"}
    assert not own & (names(operated, "StatefulSet") | names(operated, "ServiceAccount"))
    of_the_api = {"traversion-ingress", "traversion-login-ingress", "traversion-websocket-ingress"}
    assert names(operated, "Ingress") == of_the_api
    assert not [m for m in operated if m["kind"] == "NetworkPolicy" and m["metadata"]["name"][6:] in own]


def test_everything_is_scraped_that_was_scraped_before(
    operated: list[Manifest], production: list[Manifest]
) -> None:
    before = {
        job["job_name"]: (job["metrics_path"], job.get("scheme", "http"))
        for job in of_our_own(production, "prometheus.yml")["scrape_configs"]
        if job["job_name"] not in NOT_THERE
    }
    monitored: dict[str, tuple[str, str]] = {}
    for monitor in of_kind(operated, "ServiceMonitor"):
        (endpoint,) = monitor["spec"]["endpoints"]
        fixed = {
            each["targetLabel"]: each["replacement"]
            for each in endpoint["relabelings"]
            if "targetLabel" in each
        }
        assert fixed["environment"] == OURS
        monitored[fixed["job"]] = (endpoint["path"], endpoint.get("scheme", "http"))
    assert monitored == before


def test_each_monitor_finds_one_service(operated: list[Manifest]) -> None:
    for monitor in of_kind(operated, "ServiceMonitor"):
        spec = monitor["spec"]
        (endpoint,) = spec["endpoints"]
        if "namespaceSelector" in spec:
            assert spec["namespaceSelector"] == {"matchNames": ["kube-system"]}
            continue
        found = [
            service
            for service in of_kind(operated, "Service")
            if selects(spec["selector"], service["metadata"]["labels"])
            and endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
        ]
        assert len(found) == 1, monitor["metadata"]["name"]


def test_prometheus_picks_monitors_and_rules_by_the_label_that_is_set(operated: list[Manifest]) -> None:
    for manifest in of_kind(operated, "ServiceMonitor", "PrometheusRule"):
        assert manifest["metadata"]["labels"]["release"] == "monitoring"


def test_only_the_clusters_prometheus_may_scrape(operated: list[Manifest]) -> None:
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
    }
    admitted = {
        policy["metadata"]["name"]: [port["port"] for port in rule["ports"]]
        for policy in of_kind(operated, "NetworkPolicy")
        for rule in policy["spec"].get("ingress", [])
        if peer in rule["from"]
    }
    scraped = {
        f"allow-{service['metadata']['labels']['app.kubernetes.io/name']}": [
            service["spec"]["ports"][0]["port"]
        ]
        for service in of_kind(operated, "Service")
        if service["spec"]["ports"][0]["name"] == "scrape"
    }
    assert admitted == scraped
    assert "allow-traversion" in admitted


def test_the_autoscaler_asks_the_clusters_prometheus(operated: list[Manifest]) -> None:
    (container,) = find(operated, "Deployment", "prometheus-adapter")["spec"]["template"]["spec"][
        "containers"
    ]
    assert "--prometheus-url=http://prometheus-operated.monitoring.svc:9090" in container["args"]


def test_rules_are_the_same_but_for_whom_they_are_about(
    operated: list[Manifest], production: list[Manifest]
) -> None:
    def name(rule: Mapping[str, Any]) -> str:
        return str(rule.get("alert") or rule["record"])

    before = {
        name(rule): rule for group in of_our_own(production, "rules.yml")["groups"] for rule in group["rules"]
    }
    now = {name(rule): rule for rule in rules(operated)}
    watching_themselves = {
        each for each, rule in before.items() if re.search(r'job="(prometheus|alertmanager)"', rule["expr"])
    }
    assert before.keys() - now.keys() == watching_themselves - {"TargetDown"}
    assert now.keys() <= before.keys()
    for each, rule in now.items():
        if each != "TargetDown":  # it misses fewer jobs
            bare = re.sub(rf'environment="{OURS}",?', "", rule["expr"]).replace("{}", "")
            assert bare == before[each]["expr"].replace("{}", ""), each
        links = {"dashboard_url"}
        told = [
            {k: v for k, v in r.get("annotations", {}).items() if k not in links}
            for r in (rule, before[each])
        ]
        assert told[0] == told[1]
        assert rule["labels"]["environment"] == OURS
        if "alert" in rule:
            assert rule["labels"]["namespace"] == "traversion-system"
            assert rule["labels"]["severity"] == before[each]["labels"]["severity"]


def test_every_selector_is_kept_to_the_environment(operated: list[Manifest]) -> None:
    for rule in rules(operated):
        for selector in parse(rule["expr"]).selectors:
            assert ("environment", "=", OURS) in selector.matchers, rule


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("up", 'up{environment="e"}'),
        ('up{job="a"} == 0', 'up{environment="e",job="a"} == 0'),
        ("sum by (up_to) (rate(up [5m]))", 'sum by (up_to) (rate(up{environment="e"} [5m]))'),
        (
            """label_replace(up, "a", "up", "b", 'up')""",
            """label_replace(up{environment="e"}, "a", "up", "b", 'up')""",
        ),
        ("a:up:rate5m offset 5m", "a:up:rate5m offset 5m"),
        ('up{a="\\"up{"} / up{}', 'up{environment="e",a="\\"up{"} / up{environment="e",}'),
    ],
)
def test_names_are_told_from_other_words(query: str, expected: str) -> None:
    assert scoped_query(query, frozenset({"up"}), "e") == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", [group["name"] for group in standalone_groups()])
def test_every_alert_behaves_the_same_among_others_series(
    promtool: str, operated: list[Manifest], tmp_path: Path, name: str
) -> None:
    """Each case again, with the series of another environment and another kube-state-metrics beside ours."""
    needed = [group for group in groups(operated) if group["name"] in (name, *BUILDS_ON.get(name, ()))]
    (group,) = (group for group in needed if group["name"] == name)
    # The cases add up alerts of all environments: were there one of another, its sum would be two.
    own_labels = {
        rule["alert"]: {name: value for name, value in rule["labels"].items() if name != "environment"}
        for rule in group["rules"]
        if "alert" in rule
    }
    cases = [
        replace(case, series=_among_others(case.series))
        for case in CASES
        if case.alert in own_labels and case.alert not in KNOWS_JOBS
    ]
    file = tmp_path / "test.yaml"
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": needed}))
    tests = [unit_test([case], own_labels) for case in cases]
    file.write_text(yaml.safe_dump(unit_tests("rules.yaml", [each["name"] for each in needed], tests)))
    run = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def _among_others(series: Mapping[str, str]) -> dict[str, str]:
    ours = {scoped_query(name, SERIES, OURS): values for name, values in series.items()}
    others = {scoped_query(name, SERIES, "traversion-other"): values for name, values in series.items()}
    healthy = {f'up{{environment="traversion-other",job="{job.name}",pod="healthy"}}': "1x80" for job in JOBS}
    return {**ours, **others, **healthy, **series}


def test_dashboards_are_collected_by_the_sidecar(operated: list[Manifest]) -> None:
    boards = [
        manifest
        for manifest in of_kind(operated, "ConfigMap")
        if manifest["metadata"]["labels"].get("grafana_dashboard") == "1"
    ]
    assert len(boards) >= 4
    for manifest in boards:
        assert manifest["metadata"]["annotations"]["grafana_folder"] == "Traversion"
        ((file, text),) = manifest["data"].items()
        board = json.loads(text)
        assert file == f"{board['uid']}.json"
        assert board["uid"].endswith("-production")
        assert len(board["uid"]) <= 40
        # The cluster's Grafana has no way to the database.
        assert "grafana-postgresql-datasource" not in text
        assert not [query for query in queries(board) if f'environment="{OURS}"' not in query]


def queries(board: Any) -> Iterator[str]:  # noqa: ANN401 # JSON is what it is
    """Yield whatever asks Prometheus: panels, annotations, variables."""
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []) if "expr" in target)
    yield from (each["expr"] for each in board["annotations"]["list"] if "expr" in each)
    yield from (each["query"]["query"] for each in board["templating"]["list"])


def test_environments_do_not_replace_each_others_dashboards(
    environments: Mapping[str, Environment], operated: list[Manifest]
) -> None:
    staging = change(environments["staging"], {"observability": ObservabilitySettings(mode="operator")})
    boards = [
        {file for each in of_kind(manifests, "ConfigMap") for file in each["data"] if file.endswith(".json")}
        for manifests in (operated, synthesize_environment(staging).manifests)
    ]
    assert boards[0]
    assert not boards[0] & boards[1]


def test_a_uid_stays_short_however_long_the_environments_name_is() -> None:
    assert uid_in("traversion-overview", "traversion-dev") == "traversion-overview-dev"
    long = [uid_in("traversion-resources", f"traversion-{letter * 40}") for letter in "ab"]
    assert all(len(uid) <= 40 for uid in long)
    assert len(set(long)) == 2


def test_alerts_lead_to_the_dashboards_of_the_clusters_grafana() -> None:
    linked = {"alert": "A", "annotations": {"summary": "s", "dashboard_url": "https://ours/d/traversion-api"}}
    groups = [{"name": "g", "rules": [linked, {"record": "a:b:c", "expr": "1"}]}]
    (group,) = relinked(groups, "https://theirs/", OURS)
    assert group["rules"] == [
        {
            "alert": "A",
            "annotations": {"summary": "s", "dashboard_url": "https://theirs/d/traversion-api-production"},
        },
        groups[0]["rules"][1],
    ]
    (group,) = relinked(groups, None, OURS)
    assert group["rules"][0]["annotations"] == {"summary": "s"}


def test_a_grafana_of_our_own_asks_the_clusters_prometheus(variants: Callable[[str], Synthesis]) -> None:
    manifests = variants("operator-with-grafana").manifests
    (source, database) = yaml.safe_load(
        find(manifests, "ConfigMap", "grafana-datasources")["data"]["datasources.yaml"]
    )["datasources"]
    assert source["url"] == "http://prometheus-operated.monitoring.svc:9090"
    assert database["uid"] == "timescaledb"
    assert "traversion-grafana-ingress" in names(manifests, "Ingress")
    assert "traversion-monitoring-ingress" not in names(manifests, "Ingress")
    assert "grafana" in names(manifests, "ServiceMonitor")
