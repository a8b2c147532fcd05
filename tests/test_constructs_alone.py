"""Each construct works without the others, and options that no environment uses do what they say."""

import re
from collections.abc import Callable
from difflib import unified_diff

import pytest

from tests.manifests import (
    REPOSITORY,
    Manifest,
    Synthesis,
    find,
    mentions,
    names,
    of_kind,
    synthesize_alone,
    workload,
    workloads,
)
from traversion.contract import TRAVERSION, UPSTREAM_1_0_0
from traversion.observability import ObservabilityStack
from traversion.platform import Platform
from traversion.redis_cache import RedisCache
from traversion.settings import (
    ClusterSettings,
    Hosts,
    ObservabilitySettings,
    RedisSettings,
    TimescaleDbSettings,
)
from traversion.timescaledb import TimescaleDb

HOSTS = Hosts.under("company.com")
Variants = Callable[[str], Synthesis]


def a_database(platform: Platform) -> None:
    TimescaleDb(platform, TimescaleDbSettings())


def a_cache(platform: Platform) -> None:
    RedisCache(platform, RedisSettings())


def observability(platform: Platform) -> None:
    ObservabilityStack(platform, ObservabilitySettings(), hosts=HOSTS)


def observability_of_a_cache(platform: Platform) -> None:
    redis = RedisCache(platform, RedisSettings())
    ObservabilityStack(platform, ObservabilitySettings(), hosts=HOSTS, redis=redis)


@pytest.mark.parametrize(
    ("build", "components"),
    [
        (
            a_database,
            {
                "timescaledb",
                "timescaledb-schema",
                "timescaledb-backup",
                "timescaledb-rehearsal",
                "pushgateway",
            },
        ),
        (a_cache, {"redis"}),
        (observability, {"prometheus", "alertmanager", "grafana", "kube-state-metrics"}),
        (
            observability_of_a_cache,
            {"prometheus", "alertmanager", "grafana", "kube-state-metrics", "redis", "redis-exporter"},
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_construct_stands_alone(build: Callable[[Platform], None], components: set[str]) -> None:
    objects = synthesize_alone(build).manifests
    assert {each.component for each in workloads(objects)} == components
    assert names(objects, "ServiceAccount") == components
    absent = {"timescaledb-service", "redis-service", "traversion-service"} - names(objects, "Service")
    for service in absent:
        for manifest in objects:
            assert not mentions(manifest, service), f"{manifest['metadata']['name']} names {service}"


def test_a_cloud_without_such_disks_cannot_replicate() -> None:
    settings = TimescaleDbSettings(zone_replicated=True)
    with pytest.raises(ValueError, match="eks has no zone-replicated volumes"):
        synthesize_alone(
            lambda platform: TimescaleDb(platform, settings), cluster=ClusterSettings(cloud="eks")
        )


def test_upstreams_image_listens_on_one_port(variants: Variants) -> None:
    objects = variants("upstream").manifests
    api = workload(objects, "traversion")
    assert api.ports == {"http": 3335, "https": 8443, "health": 8081}
    values = api.variables(objects, "traversion")
    assert values["PORT"] == "3335"
    assert not {"WS_PORT", "METRICS_PORT"} & values.keys(), "it does not read them"
    ports = find(objects, "Service", "traversion-service")["spec"]["ports"]
    assert {port["name"]: (port["port"], port["targetPort"]) for port in ports} == {
        "http": (3333, "https"),
        "websocket": (3334, "https"),
    }
    ingress = find(objects, "Ingress", "traversion-websocket-ingress")
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["path"] == "/ws"


def test_upstreams_image_exports_nothing_so_nothing_asks(variants: Variants) -> None:
    objects = variants("upstream").manifests
    assert not [each for each in workloads(objects) if each.component == "prometheus-adapter"]
    assert not of_kind(objects, "APIService")
    (scaler,) = of_kind(objects, "HorizontalPodAutoscaler")
    assert {metric["type"] for metric in scaler["spec"]["metrics"]} == {"Resource"}
    assert "METRICS_PORT" not in workload(objects, "traversion").variables(objects, "traversion")
    prometheus = find(objects, "ConfigMap", "prometheus-config")["data"]
    assert not re.search(r"job_name: traversion\b", prometheus["prometheus.yml"])
    series = [metric.name for metric in TRAVERSION.metrics]
    for manifest in of_kind(objects, "ConfigMap"):
        text = "\n".join(manifest["data"].values())
        assert not [name for name in series if name in text], manifest["metadata"]["name"]
        assert 'job="traversion"' not in text.replace('\\"', '"'), manifest["metadata"]["name"]
    # Whether it is up, and what it consumes, is known from Kubernetes.
    assert "TraversionApiDown" in prometheus["rules.yml"]


def test_upstreams_budget_of_health_requests_is_kept(variants: Variants) -> None:
    """The kubelet is one address: what all probes of a pod ask in any 15 minutes counts together."""
    budget = UPSTREAM_1_0_0.health_budget
    assert budget
    container = workload(variants("upstream").manifests, "traversion").container("traversion")
    asked = 0.0
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container[kind]
        if probe.get("httpGet", {}).get("path") == UPSTREAM_1_0_0.health_path:
            longest = budget.seconds
            if kind == "startupProbe":
                longest = min(longest, probe["periodSeconds"] * probe["failureThreshold"])
            asked += longest / probe["periodSeconds"] + 1
    assert 0 < asked <= budget.requests
    assert container["readinessProbe"]["httpGet"]["path"] == "/health"


def test_external_secrets_copy_every_key(variants: Variants) -> None:
    synthesis = variants("external-secrets")
    copied = {
        each["spec"]["target"]["name"]: {
            item["secretKey"]: (item["remoteRef"]["key"], item["remoteRef"]["property"])
            for item in each["spec"]["data"]
        }
        for each in of_kind(synthesis.manifests, "ExternalSecret")
    }
    assert copied == {
        credential.secret: {
            key: (f"traversion/production/{credential.secret}", key) for key in credential.sources
        }
        for credential in synthesis.platform.credentials.declared
    }
    for each in of_kind(synthesis.manifests, "ExternalSecret"):
        assert each["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
        assert each["spec"]["refreshInterval"] == "86400s", (
            "the operator reads Go's notation, which has no days"
        )


def test_recommendations_are_made_and_not_applied(variants: Variants) -> None:
    objects = variants("recommendations").manifests
    recommended = of_kind(objects, "VerticalPodAutoscaler")
    assert {each["spec"]["updatePolicy"]["updateMode"] for each in recommended} == {"Off"}
    assert {
        (each["spec"]["targetRef"]["kind"], each["spec"]["targetRef"]["name"]) for each in recommended
    } == {(each.kind, each.name) for each in workloads(objects) if each.kind in {"Deployment", "StatefulSet"}}


@pytest.mark.parametrize(
    ("name", "provisioner", "parameters", "zone_key"),
    [
        ("recommendations", "pd.csi.storage.gke.io", {"type": "pd-ssd"}, None),
        ("eks", "ebs.csi.aws.com", {"type": "gp3", "encrypted": "true"}, None),
        ("aks", "disk.csi.azure.com", {"skuName": "Premium_ZRS"}, "topology.disk.csi.azure.com/zone"),
    ],
)
def test_each_cloud_has_ssds(
    variants: Variants, name: str, provisioner: str, parameters: dict[str, str], zone_key: str | None
) -> None:
    objects = variants(name).manifests
    (template,) = workload(objects, "timescaledb").manifest["spec"]["volumeClaimTemplates"]
    storage = find(objects, "StorageClass", template["spec"]["storageClassName"])
    assert storage["provisioner"] == provisioner
    assert storage["parameters"] == parameters
    topologies = storage.get("allowedTopologies", [])
    keys = {rule["key"]: rule["values"] for each in topologies for rule in each["matchLabelExpressions"]}
    assert keys == ({zone_key: ["westeurope-1", "westeurope-2"]} if zone_key else {})


def test_a_generic_cluster_keeps_its_class(variants: Variants) -> None:
    objects = variants("generic").manifests
    assert not of_kind(objects, "StorageClass")
    for each in workloads(objects):
        for template in each.manifest["spec"].get("volumeClaimTemplates", []):
            assert template["spec"]["storageClassName"] == "local-ssd"


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("eks", "eks.amazonaws.com/capacityType", "SPOT"),
        ("aks", "kubernetes.azure.com/scalesetpriority", "spot"),
    ],
)
def test_spot_nodes_are_preferred_and_tolerated(variants: Variants, name: str, key: str, value: str) -> None:
    for each in workloads(variants(name).manifests):
        assert {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"} in each.spec[
            "tolerations"
        ]
        (term,) = each.spec["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert term["preference"]["matchExpressions"] == [{"key": key, "operator": "In", "values": [value]}]


def test_pods_require_the_nodes_that_are_chosen(variants: Variants) -> None:
    for each in workloads(variants("generic").manifests):
        (term,) = each.spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
            "nodeSelectorTerms"
        ]
        assert term["matchExpressions"] == [
            {"key": "disk", "operator": "In", "values": ["fast"]},
            {"key": "workload", "operator": "In", "values": ["traversion"]},
        ]


def test_a_private_registry_has_its_key_and_a_digest_is_kept(variants: Variants) -> None:
    api = workload(variants("private-registry").manifests, "traversion")
    assert api.spec["imagePullSecrets"] == [{"name": "registry"}]
    image = api.containers[0]["image"]
    assert image == f"registry.company.com:5000/traversion:1.1.0@sha256:{'0' * 64}"
    assert api.labels["app.kubernetes.io/version"] == "1.1.0"


def test_alerts_without_receivers_need_no_internet(variants: Variants) -> None:
    objects = variants("private-registry").manifests
    policy = find(objects, "NetworkPolicy", "allow-alertmanager")
    assert "egress" not in policy["spec"]
    config = find(objects, "ConfigMap", "alertmanager-config")["data"]["alertmanager.yml"]
    assert "slack" not in config
    assert "pagerduty" not in config


SNAPSHOTS = REPOSITORY / "tests" / "snapshots"


def only(*kinds: str) -> Callable[[Manifest], bool]:
    return lambda manifest: manifest["kind"] in kinds


def about(component: str) -> Callable[[Manifest], bool]:
    label = "app.kubernetes.io/name"
    return lambda manifest: manifest["metadata"]["labels"][label] == component


def either(*wanted: Callable[[Manifest], bool]) -> Callable[[Manifest], bool]:
    return lambda manifest: any(each(manifest) for each in wanted)


def about_without_files(component: str) -> Callable[[Manifest], bool]:
    """Leave out rules and dashboards, which dist/ shows."""
    return lambda manifest: about(component)(manifest) and not only("ConfigMap")(manifest)


SNAPSHOT_CASES: dict[str, tuple[str, Callable[[Manifest], bool]]] = {
    "upstream-api": ("upstream", about("traversion")),
    "external-secrets": ("external-secrets", only("ExternalSecret")),
    "recommendations": ("recommendations", only("VerticalPodAutoscaler")),
    "eks-cache": ("eks", about("redis")),
    "aks-storage": ("aks", only("StorageClass")),
    "generic-network": ("generic", only("NetworkPolicy")),
    "private-registry-alerting": ("private-registry", about("alertmanager")),
    "nginx-oidc-ingress": ("nginx-oidc", either(about("traversion-ingress"), about("oauth2-proxy"))),
    "gateway-traefik-ingress": ("gateway-traefik", about("traversion-ingress")),
    "gateway-envoy-ingress": ("gateway-envoy", about("traversion-ingress")),
    "gateway-elsewhere-network": ("gateway-elsewhere", only("NetworkPolicy")),
    "alertmanager-cluster": ("highly-available-monitoring", about("alertmanager")),
    "prometheus-twice": ("highly-available-monitoring", about_without_files("prometheus")),
    "prometheus-with-stores": ("long-term-storage", about_without_files("prometheus")),
    "grafana-with-single-sign-on": ("single-sign-on", about_without_files("grafana")),
    "operator-monitors": ("operator", only("ServiceMonitor")),
}


@pytest.mark.parametrize("name", [*SNAPSHOT_CASES, "database-alone", "cache-alone"])
def test_snapshots(name: str, variants: Variants, request: pytest.FixtureRequest) -> None:
    if name in SNAPSHOT_CASES:
        variant, wanted = SNAPSHOT_CASES[name]
        synthesis = variants(variant)
    else:
        synthesis = synthesize_alone({"database-alone": a_database, "cache-alone": a_cache}[name])
        wanted = only(
            "StatefulSet", "Service", "Job", "CronJob", "ResourceQuota", "LimitRange", "PriorityClass"
        )
    documents = re.split(r"(?m)^---\n", synthesis.text)
    kept = [
        document
        for document, manifest in zip(documents, synthesis.manifests, strict=True)
        if wanted(manifest)
    ]
    text = "---\n".join(kept)
    file = SNAPSHOTS / f"{name}.yaml"
    if request.config.getoption("--update-snapshots"):
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    difference = "".join(
        unified_diff(
            before.splitlines(keepends=True), text.splitlines(keepends=True), str(file), "synthesized now"
        )
    )
    if difference:
        pytest.fail(
            f"If this is meant: make test ARGS='-k test_snapshots --update-snapshots'\n{difference}",
            pytrace=False,
        )


def test_every_snapshot_has_its_test() -> None:
    expected = {*SNAPSHOT_CASES, "database-alone", "cache-alone"}
    assert {file.stem for file in SNAPSHOTS.glob("*.yaml")} == expected
