"""What is promised fits: the quota admits everything, the database every pool, the limits what they hold."""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

import pytest

from tests.manifests import (
    Manifest,
    Synthesis,
    Workload,
    change,
    find,
    of_kind,
    synthesize_environment,
    workload,
    workloads,
)
from tests.variants import VARIANTS
from traversion.settings import Environment

SYNTHESES = ("dev", "production", "staging", *VARIANTS)

SOLVER = {"requests.cpu": "10m", "limits.cpu": "100m", "requests.memory": "64Mi", "limits.memory": "64Mi"}
"""cert-manager's defaults: --acme-http01-solver-resource-*."""


@pytest.fixture(scope="session", params=SYNTHESES)
def objects(
    request: pytest.FixtureRequest,
    manifests: Mapping[str, list[Manifest]],
    variants: Callable[[str], Synthesis],
) -> list[Manifest]:
    name: str = request.param
    return manifests[name] if name in manifests else variants(name).manifests


def amount(quantity: str) -> Fraction:
    """Read a quantity as the API server does, https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?", quantity)
    assert match, quantity
    suffix = match[2] or ""
    if suffix == "m":
        return Fraction(match[1]) / 1000
    power = "kMGTPE".find(suffix[:1].replace("K", "k")) + 1 if suffix else 0
    factor: int = (1024 if suffix.endswith("i") else 1000) ** power
    return Fraction(match[1]) * factor


def most_pods(objects: list[Manifest], each: Workload) -> int:
    """Return how many pods of a workload can exist at once, by its own manifest and its autoscaler's."""
    spec = each.manifest["spec"]
    if each.kind in {"Job", "CronJob"}:
        job = spec["jobTemplate"]["spec"] if each.kind == "CronJob" else spec
        assert each.kind == "Job" or spec["concurrencyPolicy"] in {"Forbid", "Replace"}
        return int(job.get("parallelism", 1))
    scalers = [
        scaler["spec"]["maxReplicas"]
        for scaler in of_kind(objects, "HorizontalPodAutoscaler")
        if scaler["spec"]["scaleTargetRef"]["name"] == each.name
    ]
    replicas = scalers[0] if scalers else spec["replicas"]
    if each.kind == "StatefulSet":
        return int(replicas)
    surge = spec["strategy"]["rollingUpdate"]["maxSurge"]
    assert isinstance(surge, int), "teach the tests about percentages"
    return int(replicas) + surge


def pod_amount(each: Workload, kind: str, resource: str) -> Fraction:
    def of(containers: list[Manifest]) -> list[Fraction]:
        return [amount(container["resources"][kind][resource]) for container in containers]

    return max(sum(of(each.containers), Fraction(0)), *of(each.init_containers), Fraction(0))


def demand(objects: list[Manifest]) -> dict[str, Fraction]:
    """Add up everything at its largest, at the same time."""
    total = {key: amount(value) for key, value in SOLVER.items()} | {"pods": Fraction(1)}
    claims = [claim["spec"] for claim in of_kind(objects, "PersistentVolumeClaim")]
    for each in workloads(objects):
        pods = most_pods(objects, each)
        total["pods"] += pods
        for kind in ("requests", "limits"):
            for resource in ("cpu", "memory"):
                total[f"{kind}.{resource}"] += pods * pod_amount(each, kind, resource)
        claims += [claim["spec"] for claim in each.manifest["spec"].get("volumeClaimTemplates", [])] * (
            pods if each.kind == "StatefulSet" else 0
        )
        claims += [
            volume["ephemeral"]["volumeClaimTemplate"]["spec"]
            for volume in each.spec.get("volumes", [])
            if "ephemeral" in volume
        ]
    total["persistentvolumeclaims"] = Fraction(len(claims))
    total["requests.storage"] = sum(
        (amount(claim["resources"]["requests"]["storage"]) for claim in claims), Fraction(0)
    )
    return total


def test_the_quota_admits_everything_at_its_largest(objects: list[Manifest]) -> None:
    (quota,) = of_kind(objects, "ResourceQuota")
    hard = {key: amount(value) for key, value in quota["spec"]["hard"].items()}
    needed = demand(objects)
    assert needed.keys() <= hard.keys()
    assert {key: (float(value), float(hard[key])) for key, value in needed.items() if value > hard[key]} == {}


def test_the_quota_bounds_what_costs(objects: list[Manifest]) -> None:
    """Room above the maximum and a restored server, but not so much that the quota means nothing."""
    (quota,) = of_kind(objects, "ResourceQuota")
    hard = {key: amount(value) for key, value in quota["spec"]["hard"].items()}
    needed = demand(objects)
    restored = demand(of_kind(objects, "StatefulSet")[:1]) if of_kind(objects, "CronJob") else {}
    for key in needed.keys() - {"persistentvolumeclaims", "pods"}:
        assert hard[key] <= (needed[key] + restored.get(key, 0)) * Fraction(13, 10), key
    assert hard["services.loadbalancers"] == hard["services.nodeports"] == 0


def test_the_quota_follows_the_settings(environments: Mapping[str, Environment]) -> None:
    grown = {
        "api.replicas.maximum": 60,
        "api.surge": 7,
        "quota_headroom_percent": 0,
        "database.storage": "300Gi",
    }
    test_the_quota_admits_everything_at_its_largest(
        synthesize_environment(change(environments["production"], grown)).manifests
    )


def test_the_limit_range_admits_every_container_and_the_solver(objects: list[Manifest]) -> None:
    (limits,) = of_kind(objects, "LimitRange")
    (item,) = limits["spec"]["limits"]
    assert item["type"] == "Container"
    for each in workloads(objects):
        for container in each.all_containers:
            for resource in ("cpu", "memory"):
                asked = amount(container["resources"]["limits"][resource])
                assert asked <= amount(item["max"][resource]), container["name"]
    for resource in ("cpu", "memory"):
        assert amount(SOLVER[f"requests.{resource}"]) <= amount(item["default"][resource])
        assert amount(item["defaultRequest"][resource]) <= amount(item["default"][resource])
        assert amount(item["default"][resource]) <= amount(item["max"][resource])


def postgresql(objects: list[Manifest]) -> dict[str, str]:
    text = find(objects, "ConfigMap", "timescaledb-config")["data"]["postgresql.conf"]
    return {name: value.strip("'") for name, value in re.findall(r"(?m)^(\S+) = (.*)$", text)}


def connections_of_others(objects: list[Manifest]) -> int:
    """The limits that the schema sets for the roles beside the API's, and what a superuser needs."""
    data = find(objects, "ConfigMap", "timescaledb-schema")["data"]
    limits = [
        int(limit) for text in data.values() for limit in re.findall(r"(?i)connection limit (\d+)", text)
    ]
    assert len(limits) >= 3
    return sum(limits) + int(postgresql(objects)["superuser_reserved_connections"])


def test_every_pool_can_be_full_at_once(objects: list[Manifest]) -> None:
    api = workload(objects, "traversion")
    pool = int(api.variables(objects, "traversion")["DB_MAX_CONNECTIONS"])
    assert pool >= 2, "a pod with one connection waits for itself"
    needed = most_pods(objects, api) * pool + connections_of_others(objects)
    assert needed <= int(postgresql(objects)["max_connections"])


def megabytes(text: str) -> Fraction:
    match = re.fullmatch(r"(\d+)(kB|MB|GB)", text)
    assert match, text
    unit: Fraction = {"kB": Fraction(1, 1024), "MB": Fraction(1), "GB": Fraction(1024)}[match[2]]
    return int(match[1]) * unit


def test_the_database_fits_its_memory(objects: list[Manifest]) -> None:
    """Shared buffers, parallel queries, maintenance and a sort in each connection stay below the limit."""
    server = workload(objects, "timescaledb").containers[0]
    limit = amount(server["resources"]["limits"]["memory"]) / 2**20
    settings = postgresql(objects)
    shared = megabytes(settings["shared_buffers"])
    assert limit * Fraction(15, 100) <= shared <= limit * Fraction(40, 100)
    volumes = {volume["name"]: volume for volume in workload(objects, "timescaledb").spec["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in server["volumeMounts"]}
    in_memory = volumes[mounts["/dev/shm"]]["emptyDir"]
    assert in_memory["medium"] == "Memory"
    total = (
        shared
        + amount(in_memory["sizeLimit"]) / 2**20
        + int(settings["autovacuum_max_workers"]) * megabytes(settings["maintenance_work_mem"])
        + int(settings["max_connections"]) * megabytes(settings["work_mem"])
    )
    assert total < limit


def test_write_ahead_log_leaves_room_for_data(objects: list[Manifest]) -> None:
    claim = workload(objects, "timescaledb").manifest["spec"]["volumeClaimTemplates"][0]["spec"]
    size = amount(claim["resources"]["requests"]["storage"]) / 2**20
    settings = postgresql(objects)
    assert megabytes(settings["min_wal_size"]) < megabytes(settings["max_wal_size"]) <= size / 5


def test_redis_leaves_memory_for_saving(objects: list[Manifest]) -> None:
    text = find(objects, "ConfigMap", "redis-config")["data"]["redis.conf"]
    options = dict(line.split(" ", 1) for line in text.splitlines())
    limit = amount(workload(objects, "redis").containers[0]["resources"]["limits"]["memory"])
    assert Fraction(30, 100) <= int(options["maxmemory"]) / limit <= Fraction(80, 100)
    assert options["maxmemory-policy"].startswith("volatile-") or options["maxmemory-policy"] == "noeviction"
    assert options["appendonly"] == "yes"


def test_prometheus_does_not_fill_its_volume(objects: list[Manifest]) -> None:
    if not of_kind(objects, "PrometheusRule"):
        assert_prometheus_fits(workload(objects, "prometheus"))


def assert_prometheus_fits(prometheus: Workload) -> None:
    (argument,) = (each for each in prometheus.containers[0]["args"] if "retention.size" in each)
    match = re.fullmatch(r"--storage.tsdb.retention.size=(\d+)MB", argument)
    assert match
    claim = prometheus.manifest["spec"]["volumeClaimTemplates"][0]["spec"]
    assert int(match[1]) * 2**20 <= amount(claim["resources"]["requests"]["storage"]) * Fraction(85, 100)


def test_the_autoscaler_is_quick_up_and_slow_down(objects: list[Manifest]) -> None:
    (scaler,) = of_kind(objects, "HorizontalPodAutoscaler")
    up, down = (scaler["spec"]["behavior"][direction] for direction in ("scaleUp", "scaleDown"))
    assert up["stabilizationWindowSeconds"] <= 60
    assert down["stabilizationWindowSeconds"] >= 300
    # A rollout starts with what runs, so the minimum always stays.
    assert scaler["spec"]["minReplicas"] >= 1
    assert scaler["apiVersion"] == "autoscaling/v2"


def test_metrics_stand_in_the_order_that_the_api_server_stores(objects: list[Manifest]) -> None:
    """Storage version v1 keeps CPU apart and appends it: another order is a difference for ever."""
    (scaler,) = of_kind(objects, "HorizontalPodAutoscaler")
    kinds = [metric.get("resource", {}).get("name", metric["type"]) for metric in scaler["spec"]["metrics"]]
    assert kinds[-1] == "cpu"
    assert kinds[:-1] in ([], ["memory"], ["memory", "Pods"])


def test_the_proxy_hardly_moves_the_autoscalers_percentages(objects: list[Manifest]) -> None:
    """They are of the whole pod's requests: what the proxy asks for dilutes them."""
    api = workload(objects, "traversion")
    application, proxy = (
        api.container(name)["resources"]["requests"] for name in ("traversion", "tls-proxy")
    )
    for resource, most in (("cpu", 10), ("memory", 8)):
        share = amount(proxy[resource]) / amount(application[resource])
        assert share <= Fraction(1, most), resource


def test_the_proxy_accepts_what_its_memory_holds(objects: list[Manifest]) -> None:
    limits = workload(objects, "traversion").container("tls-proxy")["resources"]["limits"]
    config = find(objects, "ConfigMap", "traversion-tls-proxy")["data"]["nginx.conf"]
    (workers,) = re.findall(r"worker_processes (\d+);", config)
    (connections,) = re.findall(r"worker_connections (\d+);", config)
    needed = int(workers) * int(connections) * 40 * 2**10
    assert Fraction(80, 100) < needed / amount(limits["memory"]) < Fraction(95, 100)
