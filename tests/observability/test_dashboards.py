"""Dashboards as Grafana would judge them: complete, unambiguous, and asking for what exists."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.observability.promql import labels_grouped_by, names_of_series
from traversion.contract import TRAVERSION, UPSTREAM_1_0_0, Contract
from traversion.observability.dashboards import dashboards
from traversion.observability.metrics import CATALOGUE
from traversion.observability.rules import Place, Subject, rule_groups, unavailable
from traversion.verify.promql import parse, without_variables

SCHEMA = (Path(__file__).parents[2] / "constructs/traversion/timescaledb/schema/10-tables.sql").read_text()
SOURCES = {"prometheus": "prometheus", "timescaledb": "grafana-postgresql-datasource"}
ALL = [
    pytest.param(contract, file, id=f"{file} {image}")
    for image, contract in (("traversion", TRAVERSION), ("upstream-1.0.0", UPSTREAM_1_0_0))
    for file in dashboards(Subject(contract))
]
every_dashboard = pytest.mark.parametrize(("contract", "file"), ALL)


def read(contract: Contract, file: str) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(dashboards(Subject(contract))[file])
    return board


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: dict[str, Any]) -> Iterator[str]:
    """Yield each PromQL expression as Prometheus gets it."""
    for panel in panels(board):
        yield from (as_sent(target["expr"]) for target in panel["targets"] if "expr" in target)
    yield from (annotation["expr"] for annotation in board["annotations"]["list"])
    for variable in board["templating"]["list"]:
        asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
        assert asked
        yield as_sent(f"count by ({asked[2]}) ({asked[1]})")


def as_sent(expr: str) -> str:
    return re.sub(
        r"\$(environment|namespace|pod|tenant_id|endpoint)\b", ".*", expr.replace("$__rate_interval", "1m")
    )


def test_there_is_one_for_each_subject() -> None:
    assert [
        file.removeprefix("traversion-").removesuffix(".json") for file in dashboards(Subject(TRAVERSION))
    ] == [
        *(
            "overview",
            "api",
            "causality",
            "websocket",
            "timescaledb",
            "backups",
            "redis",
            "resources",
            "prometheus",
        ),
    ]


@every_dashboard
def test_the_sdk_reads_the_same_as_it_wrote(contract: Contract, file: str) -> None:
    register_default_plugins()
    board = read(contract, file)
    again = json.loads(json.dumps(Dashboard.from_json(board), default=lambda value: value.to_json()))
    # The SDK does not know the queries of the PostgreSQL data source, nor needs it to.
    for written, reread in zip(panels(board), panels(again), strict=True):
        if written["datasource"]["uid"] == "timescaledb":
            reread["targets"] = written["targets"]
    assert again == board


@every_dashboard
def test_dashboards_are_found_and_linked(contract: Contract, file: str) -> None:
    board = read(contract, file)
    assert f"{board['uid']}.json" == file
    assert re.fullmatch(r"[a-z0-9-]{8,40}", board["uid"])
    assert board["tags"] == ["traversion"]
    assert board["links"][0]["tags"] == ["traversion"]
    assert board["time"] == {"from": "now-6h", "to": "now"}
    assert board["refresh"] in {"30s", "1m"}
    assert board["title"]
    assert board["description"]
    assert not board["editable"]


@every_dashboard
def test_panels_have_their_own_number_and_place(contract: Contract, file: str) -> None:
    board = read(contract, file)
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers))
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


@every_dashboard
def test_panels_say_what_they_show(contract: Contract, file: str) -> None:
    for panel in panels(read(contract, file)):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["type"] in {"timeseries", "stat", "bargauge", "table"}
        # A unit of the whole table would turn its times into numbers.
        assert ("unit" in panel["fieldConfig"]["defaults"]) == (panel["type"] != "table")


@every_dashboard
def test_rows_are_not_empty(contract: Contract, file: str) -> None:
    kinds = [panel["type"] for panel in read(contract, file)["panels"]]
    assert kinds[0] == "row"
    assert kinds[-1] != "row"
    assert ("row", "row") not in list(pairwise(kinds))


@every_dashboard
def test_panels_ask_known_data_sources_something(contract: Contract, file: str) -> None:
    board = read(contract, file)
    for asking in (*panels(board), *board["annotations"]["list"], *board["templating"]["list"]):
        assert SOURCES[asking["datasource"]["uid"]] == asking["datasource"]["type"]
    for panel in panels(board):
        assert panel["targets"], panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            assert (target.get("expr") or target.get("rawSql")).strip(), panel["title"]


@every_dashboard
def test_legends_and_queries_use_labels_that_the_series_have(contract: Contract, file: str) -> None:
    labels = {name: {*family.labels, "le"} for family in CATALOGUE for name in family.series}
    rules = [rule for group in rule_groups(Subject(contract), Place("", "", "")) for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for panel in panels(read(contract, file)):
        for target in (target for target in panel["targets"] if "expr" in target):
            names = names_of_series(as_sent(target["expr"]))
            assert names <= (set(labels) | recorded) - unavailable(Subject(contract)), panel["title"]
            having = set().union(*(labels.get(name) or set(name.split(":")[0].split("_")) for name in names))
            used = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert labels_grouped_by(target["expr"]) | used <= having, panel["title"]


@every_dashboard
def test_variables_that_are_used_are_there(contract: Contract, file: str) -> None:
    board = read(contract, file)
    variables = board["templating"]["list"]
    declared = [variable["name"] for variable in variables]
    if any("expr" in target for panel in panels(board) for target in panel["targets"]):
        assert declared[:2] == ["environment", "namespace"]
    assert len(declared) == len(set(declared))
    # "All" of one variable must not hide another's choice, and each may depend on those before it only.
    for number, variable in enumerate(variables):
        assert variable["allValue"] == ".*"
        assert variable["current"] == {"text": ["All"], "value": ["$__all"]}
        assert set(re.findall(r"\$([a-z]\w*)", variable["query"]["query"])) <= set(declared[:number])
    assert set(re.findall(r"\$([a-z]\w*)", json.dumps(board["panels"]))) == set(declared)


@every_dashboard
def test_every_query_keeps_to_what_is_chosen(contract: Contract, file: str) -> None:
    """Each selector asks for the environment, and for the namespace where its series have one."""
    labels = {name: set(family.labels) for family in CATALOGUE for name in family.series}
    for panel in panels(read(contract, file)):
        for target in (target for target in panel["targets"] if "expr" in target):
            for selector in parse(without_variables(target["expr"])).selectors:
                if (
                    selector.metric == "ALERTS"
                ):  # Alertmanager's business; Prometheus adds the label on the way
                    continue
                asked = {label for label, _, _ in selector.matchers}
                having = labels.get(selector.metric, set())
                assert "environment" in asked, panel["title"]
                assert ("namespace" in asked) == ("namespace" in having), panel["title"]


@every_dashboard
def test_rollouts_and_critical_alerts_are_marked(contract: Contract, file: str) -> None:
    alerts, rollouts = read(contract, file)["annotations"]["list"]
    assert alerts["expr"] == 'ALERTS{alertstate="firing",severity="critical"}'
    assert "kube_pod_owner" in rollouts["expr"]
    for annotation in (alerts, rollouts):
        assert annotation["enable"]
        assert not annotation.get("hide")
        assert annotation["name"]


@every_dashboard
def test_thresholds_ascend_and_begin_without_a_value(contract: Contract, file: str) -> None:
    for panel in panels(read(contract, file)):
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        if steps:
            first, *others = [step["value"] for step in steps]
            assert first is None
            assert others == sorted(others), panel["title"]


def test_prometheus_can_read_every_query(promtool: str, tmp_path: Path) -> None:
    exprs = sorted(
        {
            expr
            for contract, file in (parameter.values for parameter in ALL)
            if isinstance(contract, Contract) and isinstance(file, str)
            for expr in queries(read(contract, file))
        }
    )
    rules = [{"record": f"panel:query_{number}", "expr": expr} for number, expr in enumerate(exprs)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    subprocess.run([promtool, "check", "rules", file], check=True)


def test_sql_reads_tables_and_columns_of_the_schema() -> None:
    texts = [
        target["rawSql"]
        for panel in panels(read(TRAVERSION, "traversion-causality.json"))
        for target in panel["targets"]
        if "rawSql" in target
    ]
    assert texts
    for text in texts:
        tables = re.findall(r"FROM (\w+)", text)
        definition = re.search(rf"CREATE TABLE IF NOT EXISTS {tables[0]} \((.*?)\n\);", SCHEMA, re.DOTALL)
        assert definition, text
        columns = set(re.findall(r'^\s+"?([a-z]\w+)"?', definition[1], re.MULTILINE))
        language = {"metric", "count", "avg", "max", "confidence", "last", *tables}
        assert set(re.findall(r"(?<![$_\w])[a-z]\w*", text)) - language <= columns, text


def test_without_metrics_no_panel_asks_the_application() -> None:
    texts = dashboards(Subject(UPSTREAM_1_0_0))
    assert texts
    for text in texts.values():
        assert not [metric.name for metric in TRAVERSION.metrics if metric.name in text]
        assert 'job=\\"traversion\\"' not in text


@pytest.mark.slow
def test_the_same_bytes_whatever_the_hash_seed() -> None:
    program = (
        "from traversion.contract import TRAVERSION;"
        "from traversion.observability.dashboards import dashboards;"
        "from traversion.observability.rules import Subject;"
        "print(*dashboards(Subject(TRAVERSION)).values(), sep='', end='')"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout == "".join(dashboards(Subject(TRAVERSION)).values())
