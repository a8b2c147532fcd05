"""Checks of Prometheus, its rules, Grafana and the autoscaler's metrics."""

import json
import time
from typing import Any

import pytest
import yaml

from tests.verify.cases import errors, found
from traversion.verify.promql import is_fixed, parse, without_variables

_IDS = {
    *("scrape-target-missing", "scrape-target-not-http", "scrape-job-twice", "rule-file-missing"),
    *("datasource-invalid", "hpa-metric-unserved", "promql-invalid", "rule-invalid", "promql-metric-missing"),
    *("promql-job-missing", "alert-counter", "dashboard-refused", "dashboard-twice"),
    *("dashboard-datasource-missing", "dashboard-angular"),
}
_SET = """
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {selector: {app: api},
 ports: [{port: 80, targetPort: http}, {port: 9090}, {port: 6379, targetPort: 9121}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop},
 spec: {clusterIP: None, selector: {app: db}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop, labels: {app: api}},
 spec: {containers: [{name: x, image: "shop/api:1", ports: [{name: http, containerPort: 5432}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}},
 spec: {containers: [{name: x, image: "postgres:15", ports: [{containerPort: 8008}]}]}}
"""


def _config(data: dict[str, Any], **meta: Any) -> str:  # noqa: ANN401 # any metadata
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()}
    metadata = {"name": "config", "namespace": "shop"} | meta
    return "\n---\n" + yaml.safe_dump(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": texts}
    )


def _prometheus(*jobs: Any, **more: Any) -> str:  # noqa: ANN401 # any configuration
    return _config({"prometheus.yml": yaml.safe_dump({"scrape_configs": list(jobs)} | more)})


def _job(*targets: str, name: str = "job", **more: Any) -> dict[str, Any]:  # noqa: ANN401 # any field
    return {"job_name": name, "static_configs": [{"targets": list(targets)}]} | more


_PROBE: dict[str, Any] = {
    "relabel_configs": [{"target_label": "__address__", "replacement": "blackbox:9115"}]
}


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (_job("api:9090", "api.shop:9090", "api.shop.svc:9090", "api.shop.svc.cluster.local:9090"), set()),
        (_job("localhost:9090", "127.0.0.1:1", "10.0.0.1:1", "[::1]:80"), set()),
        (_job("metrics.example.com:443", "node.kube-system.svc:9100", "${HOST}:80"), set()),
        (_job("db-0.db.shop.svc.cluster.local:8008", "db:8008"), set()),
        (_job("gone:9090"), {"scrape-target-missing"}),
        (_job("gone.shop.svc:9090"), {"scrape-target-missing"}),
        (_job("api:8080"), {"scrape-target-missing"}),
        (_job("db:9999"), set()),  # a headless Service without ports
        (_job("api:80"), {"scrape-target-not-http"}),  # whose pods listen on 5432
        (_job("api:6379"), set()),  # whose pods listen on 9121
        (_job("cache.example.com:6379"), {"scrape-target-not-http"}),
        (_job("https://gone/health", **_PROBE), set()),
    ],
)
def test_targets(job: dict[str, Any], expected: set[str]) -> None:
    assert found(_SET + _prometheus(job)) & _IDS == expected


_PODS = """
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: shop},
 spec: {serviceName: db, replicas: 2, selector: {matchLabels: {app: db}},
        template: {metadata: {labels: {app: db}}, spec: {containers: [{name: x}]}}}}
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("db-1.db:8008", set()),
        ("db-1.db.shop.svc:8008", set()),
        ("db-2.db:8008", {"scrape-target-missing"}),
        ("db-2.db.shop.svc.cluster.local:8008", {"scrape-target-missing"}),
        ("db-2.elsewhere:8008", set()),
    ],
)
def test_targets_that_are_pods_of_a_stateful_set(target: str, expected: set[str]) -> None:
    assert found(_SET + _PODS + _prometheus(_job(target))) & _IDS == expected


def test_alertmanagers_and_jobs() -> None:
    alerting = {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]}
    assert "scrape-target-missing" in errors(_SET + _prometheus(alerting=alerting))
    assert "scrape-job-twice" in errors(_prometheus(_job(), _job()))
    # A configuration on its own tells nothing about the Services of its namespace.
    assert "scrape-target-missing" not in found(_prometheus(_job("gone:9090")))


def _mounted(*mounts: str, volume: str = "configMap: {name: config}") -> str:
    return f"""
---
apiVersion: v1
kind: Pod
metadata: {{name: prometheus, namespace: shop}}
spec:
  containers: [{{name: prometheus, volumeMounts: [{", ".join(mounts)}]}}]
  volumes: [{{name: config, configMap: {{name: config}}}}, {{name: rules, {volume}}}]
"""


_AT = "{name: config, mountPath: /etc/prometheus}"
_RULES_AT = "{name: rules, mountPath: /etc/prometheus/rules}"


@pytest.mark.parametrize(
    ("file", "pods", "missing"),
    [
        ("prometheus.yml", _mounted(_AT), False),
        ("alerts.yml", _mounted(_AT), True),
        ("/etc/prometheus/prom*.yml", _mounted(_AT), False),
        ("/etc/prometheus/rules/*.yml", _mounted(_AT), True),
        (
            "/etc/prometheus/rules/*.yml",
            _mounted(_AT, _RULES_AT, volume="configMap: {name: elsewhere}"),
            False,
        ),
        ("/etc/prometheus/rules/*.yml", _mounted(_AT, _RULES_AT, volume="emptyDir: {}"), False),
        ("rules/prometheus.yml", _mounted(_AT, _RULES_AT), False),
        ("/rules/alerts.yml", _mounted(_AT), False),  # a folder of the image
        ("alerts.yml", "", False),
    ],
)
def test_rule_files(file: str, pods: str, missing: bool) -> None:  # noqa: FBT001 # a table
    assert ("rule-file-missing" in found(_prometheus(rule_files=[file]) + pods)) == missing


def _rules(*rules: dict[str, Any]) -> str:
    return _config({"rules.yml": {"groups": [{"name": "group", "rules": list(rules)}]}}, name="rules")


def _alert(expr: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 # any field
    return {"alert": "Alert", "expr": expr} | more


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (_alert("up == 0", **{"for": "1h30m"}), set()),
        (_alert("up == 0", **{"for": "0s"}), set()),
        (_alert("up == 0", **{"for": 0}), set()),
        (_alert("up == 0", **{"for": "5 min"}), {"rule-invalid"}),
        (_alert(""), {"rule-invalid"}),
        (_alert("up ==="), {"promql-invalid"}),
        (_alert("rate(x_total)"), {"promql-invalid"}),
        (_alert("sum by (job) (rate(x_total[5m])) / on (job) group_left () sum by (job) (y) > 1"), set()),
        (_alert("histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m]))) > 2"), set()),
        (_alert("max_over_time(deriv(x[5m])[1h:5m] offset 1d) @ end() > 0"), {"promql-invalid"}),
        (_alert("rate(x_total[5m] smoothed) > 0"), set()),  # newer than the parser
        (_alert('{"utf8.name", job="a"} > 0'), set()),
        (_alert("x_total > 100"), {"alert-counter"}),
        (_alert("(x_total) >= 1e3 and on () y"), {"alert-counter"}),
        (_alert("x_total > 0"), set()),
        (_alert("x_total > y_total"), set()),
        (_alert("increase(x_total[1h]) > 100"), set()),
        (_alert("{{ .Values.expr }}"), set()),
        ({"record": "job:x:sum", "expr": "sum by (job) (x)"}, set()),
        ({"record": "x_total_limit", "expr": "x_total > bool 100"}, set()),
        ({"record": "not a name", "expr": "x"}, {"rule-invalid"}),
        ({"record": "x", "alert": "X", "expr": "x"}, {"rule-invalid"}),
        ({"expr": "x"}, {"rule-invalid"}),
    ],
)
def test_rules(rule: dict[str, Any], expected: set[str]) -> None:
    assert found(_rules(rule)) & _IDS == expected


def test_custom_resources_are_rules_too() -> None:
    spec = {"groups": [{"name": "a", "rules": [_alert("up ===")]}, {"name": "a", "rules": []}]}
    data = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "x"},
        "spec": spec,
    }
    assert {"promql-invalid", "rule-invalid"} <= errors(yaml.safe_dump(data))


_CLUSTER = _job(kubernetes_sd_configs=[{"role": "pod"}])
_OWN = _job(kubernetes_sd_configs=[{"role": "pod", "namespaces": {"names": ["shop"]}}])
_NODES = _job(metrics_path="/metrics/cadvisor", kubernetes_sd_configs=[{"role": "node"}])
_EXPORTER = """
---
{apiVersion: v1, kind: Pod, metadata: {name: e, namespace: shop}, spec: {containers: [{image: IMAGE}]}}
"""


@pytest.mark.parametrize(
    ("expr", "manifests", "missing"),
    [
        ("pg_up == 0", "", False),  # whoever brings only rules has a Prometheus elsewhere
        ("pg_up == 0", _prometheus(_OWN), True),
        ("pg_up == 0", _prometheus(_CLUSTER), False),
        ("pg_up == 0", _prometheus(_job(metrics_path="/federate")), False),
        (
            "pg_up == 0",
            _prometheus(_OWN) + _EXPORTER.replace("IMAGE", "quay.io/x/postgres-exporter:v1"),
            False,
        ),
        ("container_memory_working_set_bytes > 1", _prometheus(_CLUSTER), True),
        ("container_memory_working_set_bytes > 1", _prometheus(_NODES), False),
        ("shop_orders > 1", _prometheus(_OWN), False),
        ("job:shop:sum > 1", _prometheus(_OWN), True),
        ("job:known:sum > 1", _prometheus(_OWN), False),
    ],
)
def test_metrics_have_exporters(expr: str, manifests: str, missing: bool) -> None:  # noqa: FBT001 # a table
    rules = _rules(_alert(expr), {"record": "job:known:sum", "expr": "sum(x)"})
    assert ("promql-metric-missing" in found(rules + manifests)) == missing


@pytest.mark.parametrize(
    ("expr", "job", "missing"),
    [
        ('up{job="api"} == 0', _job(name="api"), False),
        ('up{job="apj"} == 0', _job(name="api"), True),
        ('up{job=~"apj"} == 0', _job(name="api"), False),
        ('up{job!="apj"} == 0', _job(name="api"), False),
        ('up{job="apj"} == 0', _job(name="api", honor_labels=True), False),
        ('up{job="apj"} == 0', _job(name="api", relabel_configs=[{"target_label": "job"}]), False),
    ],
)
def test_jobs_exist(expr: str, job: dict[str, Any], missing: bool) -> None:  # noqa: FBT001 # a table
    assert ("promql-job-missing" in found(_rules(_alert(expr)) + _prometheus(job))) == missing


def _dashboard(*panels: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 # any field
    return {"title": "Overview", "uid": "overview", "panels": list(panels)} | more


def _panel(expr: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 # any field
    return {"type": "timeseries", "targets": [{"expr": expr}]} | more


_ROW = {"type": "row", "panels": [_panel("rate(x[5m")]}


@pytest.mark.parametrize(
    ("dashboard", "expected"),
    [
        (_dashboard(), set()),
        ("{", {"dashboard-refused"}),
        ("[]", {"dashboard-refused"}),
        ({"dashboard": _dashboard()}, {"dashboard-refused"}),
        (_dashboard(title=""), {"dashboard-refused"}),
        (_dashboard(uid="x" * 41), {"dashboard-refused"}),
        (_dashboard(uid=None), set()),
        # The resource of Grafana 12 is another format.
        ({"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard", "spec": {}}, set()),
        (_dashboard(_panel("", type="graph")), {"dashboard-angular"}),
        (_dashboard(_panel("", type="grafana-worldmap-panel")), {"dashboard-angular"}),
        (_dashboard(_panel("", type="heatmap")), set()),
        (_dashboard(_panel("rate(x[5m")), {"promql-invalid"}),
        (_dashboard(_ROW), {"promql-invalid"}),
        (_dashboard(rows=[{"panels": [_panel("rate(x[5m")]}]), {"promql-invalid"}),
        (_dashboard(_panel('rate(x{a=~"$a", b="${b:regex}"}[$__rate_interval])')), set()),
        (_dashboard(_panel("topk($n, $metric) by ($label)")), set()),
        (_dashboard(_panel('{app="x"} |= `a`', datasource={"type": "loki", "uid": "loki"})), set()),
    ],
)
def test_dashboards(dashboard: Any, expected: set[str]) -> None:  # noqa: ANN401 # any JSON
    manifests = _config({"overview.json": dashboard}, labels={"grafana_dashboard": "1"})
    assert found(manifests) & _IDS == expected


def test_other_json_is_no_dashboard() -> None:
    assert not found(_config({"settings.json": {"dashboard": {"colour": "red"}}, "broken.json": "{"})) & _IDS


def test_dashboards_are_unique_in_a_namespace() -> None:
    two = _config({"a.json": _dashboard(), "b.json": _dashboard(title="Other")})
    assert "dashboard-twice" in errors(two)
    same_title = _config({"a.json": _dashboard(), "b.json": _dashboard(uid="other")})
    assert "dashboard-twice" in found(same_title)
    assert "dashboard-twice" not in errors(same_title)
    staging = _config({"a.json": _dashboard()}) + _config({"a.json": _dashboard()}, namespace="staging")
    assert "dashboard-twice" not in found(staging)


_VARIABLE = {"templating": {"list": [{"name": "ds", "type": "datasource"}]}}


@pytest.mark.parametrize(
    ("source", "more", "missing"),
    [
        ({"uid": "prom"}, {}, False),
        ("Prometheus", {}, False),
        ({"uid": "PBFA97CFB590B2093"}, {}, True),  # what Grafana makes of a name without uid
        ({"uid": "P5DCFC7561CCDE821"}, {}, True),
        (None, {}, False),
        ("-- Mixed --", {}, False),
        ({"uid": "-- Grafana --"}, {}, False),
        ({"uid": "other"}, {}, True),
        ({"uid": "${ds}"}, _VARIABLE, False),
        ({"uid": "${DS_PROMETHEUS}"}, {}, True),
    ],
)
def test_panels_have_data_sources(
    source: Any,  # noqa: ANN401 # any JSON
    more: dict[str, Any],
    missing: bool,  # noqa: FBT001 # a table
) -> None:
    datasources = {"datasources": [{"name": "Prometheus", "uid": "prom", "type": "prometheus"}]}
    manifests = _config({"a.json": _dashboard({"datasource": source}, **more), "ds.yaml": datasources})
    assert ("dashboard-datasource-missing" in found(manifests)) == missing


def test_a_data_source_without_uid_has_one_made_of_its_name() -> None:
    datasources = {"datasources": [{"name": "Prometheus", "type": "prometheus"}]}
    panel = {"datasource": {"uid": "PBFA97CFB590B2093"}}
    assert not found(_config({"a.json": _dashboard(panel), "ds.yaml": datasources})) & _IDS


_DEFAULT = {"isDefault": True}


@pytest.mark.parametrize(
    ("sources", "wrong"),
    [
        ([{"name": "A", "type": "prometheus", "url": "http://api:9090"}], False),
        ([{"name": "A", "type": "postgres", "url": "db:8008"}], False),
        ([{"name": "A", "type": "prometheus", "url": "http://gone:9090/path"}], True),
        ([{"name": "A", "type": "prometheus", "url": "https://user:pw@gone.shop.svc"}], True),
        ([{"name": "A", "type": "prometheus", "url": "$PROMETHEUS_URL"}], False),
        ([{"name": "A", "type": "loki", "url": "https://logs.example.com"}], False),
        ([{"name": "A", "type": "x"}, {"name": "A", "type": "x"}], True),
        ([{"name": "A", "type": "x", **_DEFAULT}, {"name": "B", "type": "x", **_DEFAULT}], True),
        ([{"name": "A", "type": "x", **_DEFAULT}, {"name": "B", "type": "x", **_DEFAULT, "orgId": 2}], False),
    ],
)
def test_data_sources(sources: list[Any], wrong: bool) -> None:  # noqa: FBT001 # a table
    assert ("datasource-invalid" in found(_SET + _config({"ds.yaml": {"datasources": sources}}))) == wrong


def _scaler(kind: str, name: str = "rps") -> str:
    metric = {"type": kind, kind[0].lower() + kind[1:]: {"metric": {"name": name}}}
    data = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "api"}}
    return "\n---\n" + yaml.safe_dump(data | {"spec": {"metrics": [metric]}})


_API_SERVICE = """
---
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.custom.metrics.k8s.io},
 spec: {group: custom.metrics.k8s.io, version: v1beta1}}
"""


def _adapter(**rule: Any) -> str:  # noqa: ANN401 # any rule
    return _API_SERVICE + _config(
        {"config.yaml": {"rules": [{"seriesQuery": "http_requests_total{}"} | rule]}}
    )


@pytest.mark.parametrize(
    ("manifests", "severity"),
    [
        (_scaler("Resource"), None),
        (_scaler("Pods"), "warning"),  # the cluster may have an adapter
        (_scaler("Pods") + _prometheus(), "error"),
        (_scaler("External") + _prometheus() + _API_SERVICE, "error"),
        (_scaler("Object") + _API_SERVICE, None),
        (_scaler("Pods") + _adapter(name={"as": "rps"}), None),
        (_scaler("Pods") + _adapter(name={"as": "other"}), "error"),
        (_scaler("Pods") + _adapter(), "error"),
        (_scaler("Pods", "http_requests_total") + _adapter(), None),
        (
            _scaler("Pods", "http_requests_rate")
            + _adapter(name={"matches": "^(.*)_total$", "as": "${1}_rate"}),
            None,
        ),
        (_scaler("Pods", "http_requests") + _adapter(name={"matches": "^(.*)_total$"}), None),
        (_scaler("Pods", "anything") + _adapter(seriesQuery='{__name__=~"^http_.*"}'), None),
    ],
)
def test_autoscaler_metrics(manifests: str, severity: str | None) -> None:
    got = "error" if "hpa-metric-unserved" in errors(manifests) else "warning"
    assert (got if "hpa-metric-unserved" in found(manifests) else None) == severity


@pytest.mark.parametrize(
    "query", ["(" * 4000, "1+" * 2000 + "1", "[" * 4000, '"' * 4001, "x[1e9999]", "-" * 4999, "\0"]
)
def test_monstrous_queries_take_no_time(query: str) -> None:
    started = time.monotonic()
    parse(query)
    parse(without_variables(query))
    is_fixed(query)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("odd", [None, [], 3, "text", {}, [None], [{}], [[1]]])
def test_wrong_types_are_survived(odd: Any) -> None:  # noqa: ANN401 # any value
    found(_SET + _prometheus(odd, rule_files=odd, alerting=odd) + _mounted(_AT))
    found(_SET + _prometheus(_job(name=odd, relabel_configs=odd, metrics_path=odd, static_configs=odd)))
    found(
        _SET
        + _prometheus({"static_configs": [{"targets": odd, "labels": odd}], "kubernetes_sd_configs": odd})
    )
    found(_rules({"alert": odd, "expr": odd, "for": odd}, {"record": odd, "expr": "x"}))
    found(
        _config({"a.json": _dashboard({"targets": odd, "datasource": odd, "type": odd}, title=odd, uid=odd)})
    )
    found(_config({"a.json": _dashboard(odd, templating=odd, rows=odd)}, labels={"grafana_dashboard": "1"}))
    found(
        _config(
            {"ds.yaml": {"datasources": [{"name": odd, "uid": odd, "url": odd, "orgId": odd, "type": odd}]}}
        )
    )
    found(_scaler("Pods") + _adapter(name=odd, seriesQuery=odd))
    found(_scaler("Pods") + _adapter(name={"as": odd, "matches": odd}))
    found(yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": odd}))
