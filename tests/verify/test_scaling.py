import pytest

from tests.verify.cases import errors, found
from tests.verify.pods import autoscaler, container, document, pod, workload

BLOCKS = "pdb-blocks-eviction"
SELECTOR = {"matchLabels": {"app": "example"}}


def budget(**spec: object) -> str:
    return document("PodDisruptionBudget", "budget", "policy/v1", spec={"selector": SELECTOR, **spec})


def measured(name: str = "cpu", **target: object) -> dict[str, object]:
    return {"type": "Resource", "resource": {"name": name, "target": target or {"averageUtilization": 70}}}


@pytest.mark.parametrize(
    ("spec", "replicas", "wrong"),
    [
        ({"minAvailable": 3}, 3, True),
        ({"minAvailable": 2}, 3, False),
        ({"minAvailable": "100%"}, 3, True),
        ({"minAvailable": "90%"}, 3, True),  # rounded up
        ({"minAvailable": "50%"}, 3, False),
        ({"maxUnavailable": 0}, 3, True),
        ({"maxUnavailable": "0%"}, 3, True),
        ({"maxUnavailable": "1%"}, 3, False),  # rounded up
        ({"maxUnavailable": 1}, 1, False),
        ({"minAvailable": 1}, 0, False),
        ({"minAvailable": []}, 3, False),
        ({"minAvailable": "many"}, 3, False),
        ({}, 3, False),
    ],
)
def test_budgets(spec: dict[str, object], replicas: int, wrong: object) -> None:
    assert (BLOCKS in errors(budget(**spec) + workload("Deployment", replicas=replicas))) is wrong


def test_one_pod_that_must_stay_may_be_meant_so() -> None:
    manifests = budget(minAvailable=1) + workload("StatefulSet", replicas=1)
    assert BLOCKS in found(manifests) - errors(manifests)


def test_the_autoscaler_s_minimum_counts() -> None:
    scaled = budget(minAvailable=2) + workload("Deployment")
    assert BLOCKS in errors(scaled + autoscaler(2, 9))
    assert BLOCKS not in found(scaled + autoscaler(3, 9))


def test_replicas_that_nobody_states_may_be_set_elsewhere() -> None:
    manifests = budget(minAvailable=2) + workload("Deployment")
    assert BLOCKS in found(manifests) - errors(manifests)


def test_the_pods_of_nodes_and_single_pods_have_no_scale() -> None:
    assert BLOCKS not in found(budget(minAvailable=5) + workload("DaemonSet"))
    assert BLOCKS not in found(budget(minAvailable=5) + pod())


@pytest.mark.parametrize(
    ("metrics", "containers", "wrong"),
    [
        ([measured()], [container()], True),
        ([measured()], [container(resources={"requests": {"cpu": 1}})], False),
        ([measured()], [container(resources={"limits": {"cpu": 1}})], False),
        ([measured("memory")], [container(resources={"requests": {"cpu": 1}})], True),
        ([measured()], [container(resources={"requests": {"cpu": 1}}), container(name="proxy")], True),
        ([measured("cpu", averageValue="100m")], [container()], False),
        ([], [container()], True),  # 80 % of the CPU is the default
        ([{"type": "Pods", "pods": {"metric": {"name": "requests"}}}], [container()], False),
        ([{"type": "ContainerResource", "containerResource": {
            "name": "cpu", "container": "app", "target": {"averageUtilization": 50}}}],
            [container(resources={"requests": {"cpu": 1}}), container(name="proxy")], False),
        ([{"type": "ContainerResource", "containerResource": {
            "name": "cpu", "container": "api", "target": {"averageUtilization": 50}}}],
            [container(resources={"requests": {"cpu": 1}})], True),
        ("none", [container()], True),
    ],
)  # fmt: skip
def test_utilization_needs_requests(
    metrics: object, containers: list[dict[str, object]], wrong: object
) -> None:
    manifests = autoscaler(1, 3, metrics=metrics) + workload("Deployment", *containers)
    assert ("hpa-without-request" in found(manifests)) is wrong


def test_a_limit_range_gives_the_request() -> None:
    item = {"type": "Container", "defaultRequest": {"cpu": "100m"}}
    ranges = document("LimitRange", "limits", spec={"limits": [item]})
    manifests = autoscaler(1, 3, metrics=[measured()]) + workload("Deployment")
    assert "hpa-without-request" not in found(manifests + ranges)


def test_a_target_outside_of_the_set_is_not_judged() -> None:
    assert "hpa-without-request" not in found(autoscaler(1, 3, metrics=[measured()]))


@pytest.mark.parametrize(
    ("least", "most", "level"),
    [
        (5, 3, "error"),
        (1, 0, "error"),
        (None, 0, "error"),
        (3, 3, "warning"),
        (None, 1, "warning"),
        (1, 2, ""),
    ],
)
def test_bounds(least: int | None, most: int, level: str) -> None:
    manifests = autoscaler(least, most)
    assert ("hpa-bounds" in errors(manifests)) is (level == "error")
    assert ("hpa-bounds" in found(manifests)) is bool(level)


@pytest.mark.parametrize(("replicas", "wrong"), [(3, True), (None, False)])
def test_replicas_beside_an_autoscaler(replicas: int | None, wrong: object) -> None:
    deployment = workload("Deployment", replicas=replicas)
    assert ("replicas-beside-hpa" in found(autoscaler(1, 3) + deployment)) is wrong
    assert "replicas-beside-hpa" not in found(deployment)


def test_keda_scales_too() -> None:
    scaled = document(
        "ScaledObject", "example", "keda.sh/v1alpha1", spec={"scaleTargetRef": {"name": "example"}}
    )
    assert "replicas-beside-hpa" in found(scaled + workload("Deployment", replicas=2))
