"""Whether autoscalers can scale, and disruption budgets let nodes be drained."""

from collections.abc import Iterator, Mapping

from traversion.verify.check import Problem, Severity, check
from traversion.verify.demand import Needs, Scale, autoscaled, needs, replicas_of, scaled
from traversion.verify.graph import Graph
from traversion.verify.model import PodTemplate, Resource, dig, items, mapping, number, text
from traversion.verify.quantity import brief

_MEASURED = ("cpu", "memory")
# pkg/controller/disruption/disruption.go finds the scale of these; of other owners it knows none.
_SCALED_KINDS = {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}


@check(
    "pdb-blocks-eviction",
    "error",
    what="A PodDisruptionBudget never allows an eviction.",
    why="Draining a node hangs until somebody deletes the pod or the budget; cluster upgrades stop there.",
    wrong="""
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: example}
spec: {minAvailable: 2, selector: {matchLabels: {app: example}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  replicas: 2
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec: {containers: [{name: app, image: "redis:7.4.11"}]}
""",
    right="""
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: example}
spec: {minAvailable: 1, selector: {matchLabels: {app: example}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  replicas: 2
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec: {containers: [{name: app, image: "redis:7.4.11"}]}
""",
)
def budgets_allow_evictions(graph: Graph) -> Iterator[Problem]:
    """Compare each budget with the fewest pods that it covers; one pod that must stay may be meant so."""
    scales = autoscaled(graph)
    for budget in graph.of_kind("PodDisruptionBudget"):
        pods = graph.selected(budget.namespace, budget.spec.get("selector"))
        fewest = _fewest(pods, scales)
        if not fewest:
            continue
        allowed, field = _allowed(budget, fewest)
        if allowed is None or allowed > 0:
            continue
        # Where no replicas are stated, somebody else may set them.
        unstated = any(each.owner.spec.get("replicas") is None and not _scale(each, scales) for each in pods)
        single = fewest == 1 or unstated
        severity: Severity = "warning" if single else "error"
        wrong = f"{field} {brief(budget.spec[field])} of {fewest} pods: none may ever be evicted"
        remedy = (
            "use maxUnavailable: 1"
            if single
            else "use maxUnavailable: 1, or run more replicas than must be available"
        )
        yield Problem(budget, f"spec.{field}", wrong, remedy, severity)


def _fewest(pods: list[PodTemplate], scales: Mapping[tuple[str, str, str], Scale]) -> int:
    """Return the least number of pods; 0 where that is not known."""
    if any(each.owner.kind not in _SCALED_KINDS for each in pods):
        return 0
    return sum(scale.least if (scale := _scale(each, scales)) else replicas_of(each.owner) for each in pods)


def _scale(pods: PodTemplate, scales: Mapping[tuple[str, str, str], Scale]) -> Scale | None:
    return scales.get((pods.owner.kind, pods.namespace, pods.owner.name))


def _allowed(budget: Resource, pods: int) -> tuple[int | None, str]:
    """Return how many may go, and the field that says so. Both fields round up."""
    if budget.spec.get("maxUnavailable") is not None:
        return scaled(budget.spec["maxUnavailable"], pods, up=True), "maxUnavailable"
    least = scaled(budget.spec.get("minAvailable"), pods, up=True)
    return None if least is None else pods - least, "minAvailable"


@check(
    "hpa-without-request",
    "error",
    what="A HorizontalPodAutoscaler measures utilization of something that a container does not request.",
    why="Utilization is a share of the request: the autoscaler reports FailedGetResourceMetric, no more.",
    wrong="""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: example}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: example}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec: {containers: [{name: app, image: "redis:7.4.11"}]}
""",
    right="""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: example}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: example}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec: {containers: [{name: app, image: "redis:7.4.11", resources: {requests: {cpu: 100m}}}]}
""",
)
def utilization_has_requests(graph: Graph) -> Iterator[Problem]:
    """Look for the request behind every utilization; a LimitRange may give it."""
    autoscalers = graph.of_kind("HorizontalPodAutoscaler")
    if not autoscalers:
        return
    asked = {(each.pods.owner.kind, each.pods.namespace, each.pods.owner.name): each for each in needs(graph)}
    for autoscaler in autoscalers:
        target = mapping(autoscaler.spec.get("scaleTargetRef"))
        pods = asked.get((text(target.get("kind")), autoscaler.namespace, text(target.get("name"))))
        for name, container, path in _utilizations(autoscaler) if pods else ():
            lacking = _lacking(pods, name, container) if pods else ""
            if lacking:
                wrong = f"measures utilization of {name}, and {lacking}"
                yield Problem(
                    autoscaler,
                    path,
                    wrong,
                    f"request {name} in every container of {text(target.get('name'))}",
                )


def _utilizations(autoscaler: Resource) -> Iterator[tuple[str, str, str]]:
    """Yield resource, container (empty for the whole pod) and path."""
    metrics = items(autoscaler.spec.get("metrics"))
    for index, metric in enumerate(metrics):
        field = {"Resource": "resource", "ContainerResource": "containerResource"}.get(
            text(dig(metric, "type")), ""
        )
        measured = mapping(dig(metric, field))
        # v2beta1 had the percentage beside the name.
        share = dig(measured, "target", "averageUtilization") or measured.get("targetAverageUtilization")
        if share is not None and measured.get("name") in _MEASURED:
            yield text(measured["name"]), text(measured.get("container")), f"spec.metrics[{index}]"
    if not metrics:
        # Without metrics it is 80 % of the CPU: pkg/apis/autoscaling/v2/defaults.go
        yield "cpu", "", "spec"


def _lacking(pods: Needs, name: str, container: str) -> str:
    if pods.pod_level and not container:
        return "" if name in pods.requests else f"the pod requests no {name}"
    running = [each for each in pods.containers if each.is_sidecar or not each.is_init]
    if container and container not in {each.name for each in running}:
        return f"there is no container {container}"
    without = [
        each.name
        for each in running
        if container in ("", each.name) and name not in pods.of(each, "requests")
    ]
    return f"{', '.join(without)} requests none" if without else ""


@check(
    "hpa-bounds",
    "error",
    what="An autoscaler's minimum and maximum leave it no room.",
    why="The API server refuses a maximum below the minimum; where both are equal nothing is ever scaled.",
    wrong="""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: example}
spec: {minReplicas: 5, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: example}}
""",
    right="""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: example}
spec: {minReplicas: 3, maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: example}}
""",
)
def autoscalers_have_room(graph: Graph) -> Iterator[Problem]:
    """Compare the minimum, which is 1 when it is not stated, with the maximum."""
    for autoscaler in graph.of_kind("HorizontalPodAutoscaler"):
        stated, most = number(autoscaler.spec.get("minReplicas")), number(autoscaler.spec.get("maxReplicas"))
        least = 1 if stated is None else stated
        if most is None:
            continue
        if most < max(least, 1):
            wrong = f"the maximum {most} is below the minimum {least}"
            yield Problem(autoscaler, "spec.maxReplicas", wrong, "raise the maximum")
        elif most == least:
            wrong = f"minimum and maximum are both {most}"
            yield Problem(
                autoscaler,
                "spec.maxReplicas",
                wrong,
                "raise the maximum, or remove the autoscaler",
                "warning",
            )


@check(
    "replicas-beside-hpa",
    "warning",
    what="A workload states replicas although an autoscaler sets them.",
    why="Every apply throws the autoscaler's number away: at peak load it removes most of the pods.",
    wrong="""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: example}
spec: {maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: example}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec: {replicas: 3}
""",
    right="""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: example}
spec: {maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: example}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec: {}
""",
)
def autoscaled_workloads_state_no_replicas(graph: Graph) -> Iterator[Problem]:
    """Look for both."""
    for (kind, namespace, name), scale in autoscaled(graph).items():
        workload = graph.find(kind, namespace, name)
        if workload is not None and workload.spec.get("replicas") is not None:
            wrong = f"replicas {brief(workload.spec['replicas'])} beside {scale.autoscaler.reference}"
            yield Problem(workload, "spec.replicas", wrong, "leave replicas out")
