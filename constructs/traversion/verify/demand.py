"""What the pods of a set ask of their namespace: how many there can be at once, and what each one needs."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from traversion.verify.graph import Graph
from traversion.verify.model import Container, PodTemplate, Resource, dig, items, mapping, number, text
from traversion.verify.quantity import quantity

Amounts = Mapping[str, Decimal]
Side = Literal["requests", "limits"]

_PERCENT = re.compile(r"(\d{1,6})%")
# k8s.io/kubernetes/pkg/apis/apps/v1/defaults.go
_DEFAULT_ROLLING = "25%"
# KEDA: ScaledObject, minReplicaCount and maxReplicaCount
_KEDA_LEAST, _KEDA_MOST = 0, 100


def scaled(value: object, of: int, *, up: bool) -> int | None:
    """Return a number, or a percentage of a number rounded up or down; None for neither."""
    if (absolute := number(value)) is not None:
        return absolute
    match = _PERCENT.fullmatch(text(value))
    if match is None:
        return None
    share = int(match[1]) * of
    return -(-share // 100) if up else share // 100


@dataclass(frozen=True, eq=False)
class Scale:
    """How far an autoscaler goes."""

    autoscaler: Resource
    least: int
    most: int


def autoscaled(graph: Graph) -> Mapping[tuple[str, str, str], Scale]:
    """Return the autoscaler of each (kind, namespace, name) that has one."""
    found = {}
    for each in graph.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        keda = each.kind == "ScaledObject"
        least = number(each.spec.get("minReplicaCount" if keda else "minReplicas"))
        most = number(each.spec.get("maxReplicaCount" if keda else "maxReplicas"))
        target = mapping(each.spec.get("scaleTargetRef"))
        kind = text(target.get("kind")) or ("Deployment" if keda else "")
        least = (_KEDA_LEAST if keda else 1) if least is None else least
        most = (_KEDA_MOST if keda else least) if most is None else most
        found[kind, each.namespace, text(target.get("name"))] = Scale(each, least, most)
    return found


@dataclass(frozen=True)
class Rollout:
    """What a rolling update adds to, and takes from, the replicas."""

    surge: int
    unavailable: int


def rollout(resource: Resource, replicas: int) -> Rollout:
    """Return what an update does; only a rolling Deployment makes pods before it removes any."""
    if resource.kind != "Deployment" or resource.dig("spec", "strategy", "type") == "Recreate":
        return Rollout(0, replicas)
    rolling = mapping(resource.dig("spec", "strategy", "rollingUpdate"))
    surge = rolling.get("maxSurge")
    unavailable = rolling.get("maxUnavailable")
    more = scaled(_DEFAULT_ROLLING if surge is None else surge, replicas, up=True) or 0
    fewer = scaled(_DEFAULT_ROLLING if unavailable is None else unavailable, replicas, up=False) or 0
    # As ResolveFenceposts in pkg/controller/deployment/util: both zero would never get anywhere.
    return Rollout(more, fewer or int(more == 0))


def replicas_of(resource: Resource) -> int:
    """Return the replicas that a controller states, 1 when it states none."""
    stated = number(resource.spec.get("replicas"))
    return 1 if stated is None else stated


def at_once(pods: PodTemplate, scales: Mapping[tuple[str, str, str], Scale]) -> tuple[int, int]:
    """Return the pods at the maximum and the pods that an update adds; none where the nodes decide."""
    owner = pods.owner
    match owner.kind:
        case "DaemonSet":
            return 0, 0
        case "Pod":
            return 1, 0
        case "Job" | "CronJob":
            return _of_job(owner), 0
        case _:
            scale = scales.get((owner.kind, owner.namespace, owner.name))
            most = max(scale.most if scale else replicas_of(owner), 0)
            return most, rollout(owner, most).surge


def _of_job(owner: Resource) -> int:
    job = mapping(owner.dig("spec", "jobTemplate", "spec")) if owner.kind == "CronJob" else owner.spec
    if owner.spec.get("suspend") is True or job.get("suspend") is True:
        return 0
    parallelism, completions = number(job.get("parallelism")), number(job.get("completions"))
    most = 1 if parallelism is None else max(parallelism, 0)
    return most if completions is None else min(most, max(completions, 0))


@dataclass(frozen=True, eq=False)
class Needs:
    """What one pod asks for, after the API server's and the LimitRanges' defaults."""

    pods: PodTemplate
    defaults: Mapping[Side, Amounts]

    def of(self, container: Container, side: Side) -> Amounts:
        """Return what a container asks for."""
        return self._by_container[side][container.steps]

    @cached_property
    def _by_container(self) -> Mapping[Side, Mapping[tuple[str | int, ...], Amounts]]:
        requests, limits = {}, {}
        for container in self.containers:
            own = amounts(container.data, "limits")
            limits[container.steps] = {**self.defaults["limits"], **own}
            # A request that is not stated is the container's own limit, before any LimitRange is asked.
            stated = {**own, **amounts(container.data, "requests")}
            requests[container.steps] = {**self.defaults["requests"], **stated}
        return {"requests": requests, "limits": limits}

    @cached_property
    def containers(self) -> Sequence[Container]:
        """The containers that count; ephemeral ones have no resources."""
        return [each for each in self.pods.containers if each.steps[-2] != "ephemeralContainers"]

    @cached_property
    def pod_level(self) -> bool:
        """Whether the pod states resources as a whole, which frees its containers from stating any."""
        return bool(amounts(self.pods.spec, "requests") or amounts(self.pods.spec, "limits"))

    @cached_property
    def requests(self) -> Amounts:
        """The requests of the whole pod."""
        return self._whole("requests")

    @cached_property
    def limits(self) -> Amounts:
        """The limits of the whole pod."""
        return self._whole("limits")

    def _whole(self, side: Side) -> Amounts:
        """Add up as PodRequests in k8s.io/component-helpers does: sidecars stay, init containers leave."""
        total: dict[str, Decimal] = defaultdict(Decimal)
        sidecars: dict[str, Decimal] = defaultdict(Decimal)
        starting: dict[str, Decimal] = defaultdict(Decimal)
        for container in self.containers:
            for name, amount in self.of(container, side).items():
                if container.is_init and not container.is_sidecar:
                    starting[name] = max(starting[name], amount + sidecars[name])
                    continue
                total[name] += amount
                if container.is_sidecar:
                    sidecars[name] += amount
        whole = {name: max(total[name], starting[name]) for name in {**total, **starting}}
        return {**whole, **amounts(self.pods.spec, side)}


def amounts(holder: Mapping[str, Any], side: Side) -> Amounts:
    """Return the quantities under resources.requests or resources.limits that can be read."""
    return _readable(dig(holder, "resources", side))


def _readable(stated: object) -> Amounts:
    read = {str(name): quantity(value) for name, value in mapping(stated).items()}
    return {name: amount for name, amount in read.items() if amount is not None}


def defaults_of(limit_ranges: Iterable[Resource]) -> Mapping[Side, Amounts]:
    """Return what the LimitRanges of a namespace give containers that state nothing.

    As SetDefaults_LimitRangeItem does: the limit is the default, else the maximum; the request is the
    default, else that limit, else the minimum.
    """
    requests: dict[str, Decimal] = {}
    limits: dict[str, Decimal] = {}
    for item in (mapping(each) for ranges in limit_ranges for each in items(ranges.spec.get("limits"))):
        if item.get("type") == "Container":
            read = {key: _readable(item.get(key)) for key in ("min", "max", "default", "defaultRequest")}
            limit = {**read["max"], **read["default"]}
            limits |= limit
            requests |= {**read["min"], **limit, **read["defaultRequest"]}
    return {"requests": requests, "limits": limits}


def by_namespace(resources: Iterable[Resource]) -> Mapping[str, Sequence[Resource]]:
    """Return objects by their namespace."""
    found: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        found[resource.namespace].append(resource)
    return found


def needs(graph: Graph) -> list[Needs]:
    """Return what every pod of the set asks for."""
    defaults = {
        namespace: defaults_of(ranges)
        for namespace, ranges in by_namespace(graph.of_kind("LimitRange")).items()
    }
    nothing: Mapping[Side, Amounts] = {"requests": {}, "limits": {}}
    return [Needs(pods, defaults.get(pods.namespace, nothing)) for pods in graph.pod_templates]
