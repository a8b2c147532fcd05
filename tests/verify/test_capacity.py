import pytest

from tests.verify.cases import findings, found
from tests.verify.pods import container, document, pod


def limit_range(**item: object) -> str:
    return document("LimitRange", "limits", spec={"limits": [{"type": "Container", **item}]})


def resources(requests: object = None, limits: object = None) -> dict[str, object]:
    return {"resources": {"requests": requests, "limits": limits}}


@pytest.mark.parametrize("value", ["512MB", "1 Gi", "-1", True, [], "100m m"])
def test_a_quantity_is_invalid(value: object) -> None:
    assert "quantity-invalid" in found(pod(container(**resources({"memory": value}))))


@pytest.mark.parametrize(
    ("name", "value"), [("memory", "1Gi"), ("memory", 1024), ("cpu", "100m"), ("cpu", 0.5)]
)
def test_a_quantity_is_valid(name: str, value: object) -> None:
    assert "quantity-invalid" not in found(pod(container(**resources({name: value}))))


def test_memory_in_thousandths_of_a_byte_is_a_mistake() -> None:
    assert "quantity-invalid" in found(pod(container(**resources({"memory": "512m"}))))


@pytest.mark.parametrize(
    ("requests", "limits", "wrong"),
    [
        ({"cpu": 2}, {"cpu": "1500m"}, True),
        ({"cpu": "1.0"}, {"cpu": "1000m"}, False),
        ({"cpu": 2}, None, False),
        ({"cpu": 2}, {"memory": "1"}, False),
        (None, {"cpu": 1}, False),
    ],
)
def test_requests_and_limits(requests: object, limits: object, wrong: object) -> None:
    assert ("request-over-limit" in found(pod(container(**resources(requests, limits))))) is wrong


def test_a_default_limit_can_be_below_the_request() -> None:
    manifests = limit_range(default={"memory": "64Mi"}) + pod(container(**resources({"memory": "1Gi"})))
    assert "request-over-limit" in found(manifests)


@pytest.mark.parametrize(
    ("item", "asked", "wrong"),
    [
        ({"min": {"cpu": "50m"}}, resources({"cpu": "10m"}), True),
        ({"min": {"cpu": "50m"}}, resources({"cpu": "50m"}), False),
        ({"min": {"cpu": "50m"}}, {}, False),  # the minimum is the default
        ({"max": {"cpu": 1}}, resources(None, {"cpu": 2}), True),
        ({"max": {"cpu": 1}}, {}, False),  # the maximum is the default
        ({"maxLimitRequestRatio": {"cpu": 2}}, resources({"cpu": 1}, {"cpu": 3}), True),
        ({"maxLimitRequestRatio": {"cpu": 3}}, resources({"cpu": 1}, {"cpu": 3}), False),
        ({"maxLimitRequestRatio": {"cpu": 3}}, {}, True),
        ({"type": "Pod", "max": {"cpu": 1}}, {}, True),  # pods have no defaults
        ({"type": "Pod", "max": {"cpu": 1}}, resources(None, {"cpu": 1}), False),
        ({"max": []}, {}, False),
    ],
)
def test_limit_ranges(item: dict[str, object], asked: dict[str, object], wrong: object) -> None:
    assert ("limit-range" in found(limit_range(**item) + pod(container(**asked)))) is wrong


@pytest.mark.parametrize(("storage", "wrong"), [("11Gi", True), ("10Gi", False), ("1Mi", True)])
def test_limit_ranges_hold_for_claims(storage: str, wrong: object) -> None:
    item = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "10Gi"}}
    claim = document(
        "PersistentVolumeClaim",
        "data",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}},
    )
    assert ("limit-range" in found(limit_range(**item) + claim)) is wrong


def test_limit_ranges_end_at_their_namespace() -> None:
    manifests = limit_range(max={"cpu": 1}) + pod(container(**resources(None, {"cpu": 2})), namespace="other")
    assert "limit-range" not in found(manifests)


def test_the_place_is_named() -> None:
    manifests = limit_range(max={"cpu": 1}) + pod(container(**resources(None, {"cpu": 2})))
    problem = next(each.problem for each in findings(manifests) if each.check.id == "limit-range")
    assert problem.path == "spec.containers[0].resources.limits.cpu"
    assert problem.wrong == "may use 2 of cpu, 1 is the most"
