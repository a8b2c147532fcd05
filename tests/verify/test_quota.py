import pytest

from tests.verify.cases import findings, found
from tests.verify.pods import autoscaler, container, document, job, pod, quota, workload

ASKS = container(
    resources={"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": 1, "memory": "1Gi"}}
)
ROLLING = {"rollingUpdate": {"maxSurge": 1}}
EXCEEDED, UNSTATED = "quota-exceeded", "quota-unstated"


def cpu(asked: str) -> dict[str, object]:
    return {"resources": {"requests": {"cpu": asked}}}


@pytest.mark.parametrize(
    ("hard", "manifests"),
    [
        ("500m", workload("Deployment", ASKS, replicas=4, strategy=ROLLING)),
        ("500m", workload("Deployment", ASKS, replicas=4)),  # 25 % of 4
        ("300m", workload("Deployment", ASKS, replicas=3, strategy={"type": "Recreate"})),
        ("300m", workload("StatefulSet", ASKS, replicas=3)),
        ("200m", workload("Deployment", ASKS)),  # 25 % of 1, rounded up
        ("1100m", workload("Deployment", ASKS, strategy=ROLLING) + autoscaler(2, 10)),
        ("200m", job(ASKS, parallelism=5, completions=2)),
        ("100m", job(ASKS) + job(ASKS, name="suspended", suspend=True)),
        ("0", workload("DaemonSet", ASKS)),  # nobody knows how many nodes
        ("0", workload("Deployment", ASKS, replicas=0)),
    ],
)
def test_the_exact_amount_is_enough_and_less_is_not(hard: str, manifests: str) -> None:
    assert EXCEEDED not in found(manifests + quota(requests__cpu=hard))
    if hard != "0":
        less = f"{int(hard.removesuffix('m')) - 1}m"
        assert EXCEEDED in found(manifests + quota(requests__cpu=less))


@pytest.mark.parametrize(
    ("init", "hard"),
    [
        ([cpu("300m"), cpu("200m")], "300m"),  # one after the other
        ([cpu("50m")], "100m"),  # the container needs more
        ([{**cpu("200m"), "restartPolicy": "Always"}], "300m"),  # a sidecar stays
        ([{**cpu("200m"), "restartPolicy": "Always"}, cpu("300m")], "500m"),
    ],
)
def test_init_containers_and_sidecars(init: list[dict[str, object]], hard: str) -> None:
    initial = [container(**each) for each in init]
    manifests = pod(container(**cpu("100m")), initContainers=initial)
    assert EXCEEDED not in found(manifests + quota(requests__cpu=hard))
    assert EXCEEDED in found(manifests + quota(requests__cpu=f"{int(hard[:-1]) - 1}m"))


def test_one_pod_that_never_fits_is_blamed_itself() -> None:
    problems = [each.problem for each in findings(pod(ASKS) + quota(requests__memory="512Mi"))]
    assert [(each.resource.kind, each.wrong) for each in problems if "512Mi" in each.wrong] == [
        ("Pod", "one takes 1Gi of requests.memory, ResourceQuota default/quota allows 512Mi in all")
    ]


def test_the_limits_of_an_init_container_may_come_from_the_limit_range_s_maximum() -> None:
    ranges = document(
        "LimitRange",
        "limits",
        spec={
            "limits": [{"type": "Container", "default": {"cpu": 1}}, {"type": "Container", "max": {"cpu": 4}}]
        },
    )
    manifests = pod(ASKS, initContainers=[container()]) + ranges + quota(limits__cpu=4)
    assert EXCEEDED not in found(manifests)
    assert EXCEEDED in found(manifests.replace('"limits.cpu": 4', '"limits.cpu": 3'))


@pytest.mark.parametrize(
    ("hard", "manifests", "wrong"),
    [
        ({"pods": 4}, workload("Deployment", replicas=4, strategy=ROLLING), True),
        ({"pods": 5}, workload("Deployment", replicas=4, strategy=ROLLING), False),
        ({"count/pods": 1}, pod() + pod(name="second"), True),
        (
            {"services.nodeports": 1},
            document("Service", "a", spec={"type": "NodePort", "ports": [{}, {}]}),
            True,
        ),
        ({"services.nodeports": 0}, document("Service", "a", spec={"ports": [{}]}), False),
        ({"services.loadbalancers": 0}, document("Service", "a", spec={"type": "LoadBalancer"}), True),
        ({"configmaps": 1}, document("ConfigMap", "a") + document("ConfigMap", "b"), True),
        ({"count/deployments.apps": 0}, workload("Deployment"), True),
        ({"count/deployments.apps": 0}, workload("StatefulSet"), False),
        (
            {"count/ingresses.networking.k8s.io": 0},
            document("Ingress", "a", "networking.k8s.io/v1"),
            True,
        ),
        (
            {"count/networkpolicies.networking.k8s.io": 0},
            document("NetworkPolicy", "a", "networking.k8s.io/v1"),
            True,
        ),
    ],
)
def test_objects_are_counted(hard: dict[str, object], manifests: str, wrong: object) -> None:
    limit = document("ResourceQuota", "quota", spec={"hard": hard})
    assert (EXCEEDED in found(manifests + limit)) is wrong


@pytest.mark.parametrize(
    ("hard", "wrong"),
    [
        ({"requests.storage": "30Gi"}, False),
        ({"requests.storage": "29Gi"}, True),
        ({"persistentvolumeclaims": 3}, False),
        ({"persistentvolumeclaims": 2}, True),
        ({"ssd.storageclass.storage.k8s.io/requests.storage": "29Gi"}, True),
        ({"other.storageclass.storage.k8s.io/requests.storage": "1Gi"}, False),
    ],
)
def test_claims_are_counted_for_every_replica(hard: dict[str, object], wrong: object) -> None:
    template = {
        "metadata": {"name": "data"},
        "spec": {"storageClassName": "ssd", "resources": {"requests": {"storage": "10Gi"}}},
    }
    manifests = workload("StatefulSet", replicas=3, volumeClaimTemplates=[template])
    limit = document("ResourceQuota", "quota", spec={"hard": hard})
    assert (EXCEEDED in found(manifests + limit)) is wrong


@pytest.mark.parametrize(
    ("scope", "counted"),
    [
        ({"scopes": ["NotTerminating"]}, True),
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["NotBestEffort"]}, True),
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, False),
        *(
            (
                {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", **requirement}]}},
                counted,
            )
            for requirement, counted in (
                ({"operator": "In", "values": ["high"]}, True),
                ({"operator": "NotIn", "values": ["high"]}, False),
                ({"operator": "Exists"}, True),
                ({"operator": "DoesNotExist"}, False),
            )
        ),
    ],
)
def test_quotas_count_what_is_in_their_scope(scope: dict[str, object], counted: object) -> None:
    limit = document("ResourceQuota", "quota", spec={"hard": {"pods": 0}, **scope})
    assert (EXCEEDED in found(pod(ASKS, priorityClassName="high") + limit)) is counted


@pytest.mark.parametrize(
    ("manifests", "wrong"),
    [
        (pod(), True),
        (pod(ASKS, container()), True),
        (pod(ASKS, initContainers=[container()]), True),
        (pod(ASKS), False),
        (pod(container(resources={"limits": {"cpu": 1}})), False),  # the request is the limit
        (pod(container(), resources={"requests": {"cpu": 1}}), False),  # stated for the whole pod
        (workload("DaemonSet"), True),
    ],
)
def test_quotas_demand_their_numbers(manifests: str, wrong: object) -> None:
    assert (UNSTATED in found(manifests + quota(requests__cpu=100))) is wrong


def test_a_limit_range_gives_the_numbers() -> None:
    ranges = document("LimitRange", "limits", spec={"limits": [{"type": "Container", "default": {"cpu": 1}}]})
    assert UNSTATED not in found(pod() + ranges + quota(requests__cpu=100, limits__cpu=100))


def test_a_quota_on_pods_demands_nothing() -> None:
    assert found(pod() + quota(pods=10, requests__storage="1Gi")).isdisjoint({UNSTATED, EXCEEDED})
