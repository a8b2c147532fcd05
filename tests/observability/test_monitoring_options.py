"""What the settings of monitoring do to the manifests; tests/integration has the running programs."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import yaml

from tests.manifests import Manifest, Synthesis, find, names, of_kind, workload
from traversion.platform.credentials import Supplied

Variants = Callable[[str], Synthesis]


@pytest.fixture(scope="module")
def doubled(variants: Variants) -> list[Manifest]:
    return variants("highly-available-monitoring").manifests


def arguments(manifests: Sequence[Manifest], component: str) -> list[str]:
    found: list[str] = workload(manifests, component).container(component)["args"]
    return found


def prometheus_config(manifests: Sequence[Manifest]) -> dict[str, Any]:
    text = find(manifests, "ConfigMap", "prometheus-config")["data"]["prometheus.yml"]
    config: dict[str, Any] = yaml.safe_load(text)
    return config


def egress_to(manifests: Sequence[Manifest], policy: str, cidr: str) -> list[int]:
    """Return the ports of one address block that a component may call."""
    return [
        port["port"]
        for rule in find(manifests, "NetworkPolicy", policy)["spec"]["egress"]
        for port in rule["ports"]
        if any(peer.get("ipBlock", {}).get("cidr") == cidr for peer in rule["to"])
    ]


@pytest.mark.parametrize("name", ["dev", "staging", "production"])
def test_nobody_can_stop_or_empty_prometheus_over_http(
    manifests: dict[str, list[Manifest]], name: str
) -> None:
    flags = {argument.partition("=")[0] for argument in arguments(manifests[name], "prometheus")}
    assert not [flag for flag in flags if flag.startswith("--web.enable-")]
    assert "--storage.tsdb.wal-compression" in flags


@pytest.mark.parametrize("component", ["prometheus", "alertmanager"])
def test_several_pods_are_spread_and_have_a_volume_each(
    doubled: list[Manifest], production: list[Manifest], component: str
) -> None:
    replicas = {"prometheus": 2, "alertmanager": 3}[component]
    stateful_set = find(doubled, "StatefulSet", component)
    assert stateful_set["spec"]["replicas"] == replicas
    keys = {each["topologyKey"] for each in workload(doubled, component).spec["topologySpreadConstraints"]}
    assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    # Kubernetes would refuse to change it when the number changes.
    before = find(production, "StatefulSet", component)["spec"]
    assert stateful_set["spec"]["podManagementPolicy"] == before["podManagementPolicy"]


def test_the_quota_admits_the_pods_that_are_added(
    doubled: list[Manifest], production: list[Manifest]
) -> None:
    def claims(manifests: list[Manifest]) -> int:
        return int(
            find(manifests, "ResourceQuota", "traversion-quota")["spec"]["hard"]["persistentvolumeclaims"]
        )

    assert claims(doubled) - claims(production) >= 3  # one of Prometheus, two of Alertmanager


def test_whoever_asks_one_prometheus_stays_with_it(doubled: list[Manifest]) -> None:
    assert find(doubled, "Service", "prometheus-service")["spec"]["sessionAffinity"] == "ClientIP"
    annotations = find(doubled, "Ingress", "traversion-monitoring-ingress")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/affinity"] == "cookie"


def test_alerts_are_sent_to_every_alertmanager(doubled: list[Manifest]) -> None:
    config = prometheus_config(doubled)
    ((target,),) = (each["static_configs"] for each in config["alerting"]["alertmanagers"])
    assert target["targets"] == [f"alertmanager-{number}.alertmanager:8443" for number in range(3)]
    governing = find(doubled, "Service", "alertmanager")["spec"]
    assert governing["clusterIP"] == "None"
    assert governing["publishNotReadyAddresses"], "peers must find each other before they are ready"


def test_alertmanagers_gossip_among_themselves_alone(doubled: list[Manifest]) -> None:
    policy = find(doubled, "NetworkPolicy", "allow-alertmanager")["spec"]
    own = {"podSelector": policy["podSelector"]}
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        gossip = [rule for rule in policy[direction] if any(port["port"] == 9094 for port in rule["ports"])]
        (rule,) = gossip
        assert rule[peers] == [own]
        assert {port["protocol"] for port in rule["ports"]} == {"TCP", "UDP"}


def test_samples_are_sent_to_the_stores(variants: Variants) -> None:
    synthesis = variants("long-term-storage")
    config = prometheus_config(synthesis.manifests)
    assert config["global"]["external_labels"] == {"environment": "traversion-staging", "cluster": "europe-1"}
    mimir, vendor, without = config["remote_write"]
    assert mimir["basic_auth"] == {"username": "traversion", "password_file": "/etc/remote-write/mimir"}
    assert mimir["headers"] == {"X-Scope-OrgID": "traversion"}
    (keep,) = mimir["write_relabel_configs"]
    assert keep == {"source_labels": ["__name__"], "regex": "traversion[_:].*|up", "action": "keep"}
    assert vendor["authorization"] == {"credentials_file": "/etc/remote-write/vendor"}
    assert not {"authorization", "basic_auth"} & without.keys()
    (credential,) = (
        each
        for each in synthesis.platform.credentials.declared
        if each.secret == "prometheus-remote-write"  # a name
    )
    assert set(credential.sources) == {"mimir", "vendor"}
    assert all(isinstance(source, Supplied) for source in credential.sources.values())


def test_stores_are_reached_where_they_are(variants: Variants) -> None:
    objects = variants("long-term-storage").manifests
    assert egress_to(objects, "allow-prometheus", "10.40.0.0/16") == [443]
    # The API server is at an unknown address: that rule has 443 and 6443.
    assert sorted(egress_to(objects, "allow-prometheus", "0.0.0.0/0")) == [443, 443, 6443, 8443]


def test_people_log_in_through_the_identity_provider(variants: Variants) -> None:
    objects = variants("single-sign-on").manifests
    plain = workload(objects, "grafana").variables(objects, "grafana")
    options = {
        name.removeprefix("GF_AUTH_GENERIC_OAUTH_").lower(): value
        for name, value in plain.items()
        if name.startswith("GF_AUTH_GENERIC_OAUTH_")
    }
    assert options["use_pkce"] == options["role_attribute_strict"] == options["enabled"] == "true"
    assert options["allowed_domains"] == "company.com"
    assert options["allowed_groups"] == "sre developers"
    assert options["allow_assign_grafana_admin"] == "false"
    assert options["role_attribute_path"] == (
        "contains(groups || `[]`, 'sre') && 'Admin' || contains(groups || `[]`, 'developers') && 'Editor'"
        " || 'Viewer'"
    )
    assert "client_secret" not in options
    assert ("grafana-oidc", "client-secret") in workload(objects, "grafana").secret_keys
    assert plain["GF_SECURITY_COOKIE_SAMESITE"] == "lax"
    assert plain["GF_SECURITY_COOKIE_SECURE"] == "true"
    assert sorted(egress_to(objects, "allow-grafana", "0.0.0.0/0")) == [443, 8443]


def test_without_it_grafana_asks_nobody_outside(staging: list[Manifest]) -> None:
    plain = workload(staging, "grafana").variables(staging, "grafana")
    assert not [name for name in plain if "OAUTH" in name]
    assert plain["GF_SECURITY_COOKIE_SAMESITE"] == "strict"
    assert not egress_to(staging, "allow-grafana", "0.0.0.0/0")


def test_logs_are_a_data_source_more(variants: Variants) -> None:
    objects = variants("single-sign-on").manifests
    text = find(objects, "ConfigMap", "grafana-datasources")["data"]["datasources.yaml"]
    sources = {each["uid"]: each for each in yaml.safe_load(text)["datasources"]}
    assert set(sources) == {"prometheus", "timescaledb", "loki"}
    assert sources["loki"]["url"] == "http://loki-gateway.logging.svc"
    loki = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "logging"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "loki"}},
    }
    rules = find(objects, "NetworkPolicy", "allow-grafana")["spec"]["egress"]
    assert [rule["ports"] for rule in rules if loki in rule["to"]] == [[{"port": 3100, "protocol": "TCP"}]]


def test_one_adapter_serves_the_cluster(manifests: dict[str, list[Manifest]]) -> None:
    serving = [name for name, objects in manifests.items() if names(objects, "APIService")]
    assert serving == ["production"]
    (service,) = of_kind(manifests["production"], "APIService")
    assert not service["spec"].get("insecureSkipTLSVerify")
    assert "cert-manager.io/inject-ca-from" in service["metadata"]["annotations"]
