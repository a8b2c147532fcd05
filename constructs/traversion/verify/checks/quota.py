"""Whether a namespace's quota admits everything at once: pods at their maximum, claims, objects."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from traversion.verify.check import Problem, check
from traversion.verify.claims import Claim, claims
from traversion.verify.demand import Needs, Side, at_once, autoscaled, by_namespace, needs
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, items, mapping, number, text
from traversion.verify.quantity import quantity, shown

# Quotas on these make admission demand them of every container:
# pkg/quota/v1/evaluator/core/pods.go, validationSet.
_DEMANDED: Mapping[str, tuple[Side, str]] = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}
_BARE_REQUESTS = {"cpu", "memory", "ephemeral-storage"}
_NAMED = 3  # of what is too much, a message names this many


@check(
    "quota-unstated",
    "error",
    what="A quota counts requests or limits that a container does not state and no LimitRange gives it.",
    why="Admission refuses every such pod ('must specify limits.cpu for: app').",
    wrong="""
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {limits.memory: 4Gi}}
---
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11"}]
""",
    right="""
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {limits.memory: 4Gi}}
---
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", resources: {limits: {memory: 1Gi}}}]
""",
)
def quotas_find_their_numbers(graph: Graph) -> Iterator[Problem]:
    """Look for what each quota demands of each container."""
    quotas = by_namespace(graph.of_kind("ResourceQuota"))
    if not quotas:
        return
    for each in needs(graph):
        demanded = {
            _DEMANDED[key]
            for quota in quotas.get(each.pods.namespace, ())
            if _covers(quota, each)
            for key in mapping(quota.spec.get("hard"))
            if key in _DEMANDED
        }
        for container in () if each.pod_level else each.containers:
            missing = [
                f"{side}.{name}" for side, name in sorted(demanded) if name not in each.of(container, side)
            ]
            if missing:
                wrong = f"container {container.name} states no {', '.join(missing)}, which the quota counts"
                remedy = "state them, or give the namespace a LimitRange with defaults"
                yield Problem(container.owner, container.path("resources"), wrong, remedy)


@check(
    "quota-exceeded",
    "error",
    what="Pods at their maximum, updates and jobs included, claims or objects exceed their quota.",
    why="Admission refuses what comes last: the update, the autoscaler or the nightly job stops.",
    wrong="""
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {requests.cpu: "1"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  replicas: 4
  strategy: {rollingUpdate: {maxSurge: 1}}
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec:
      containers: [{name: app, image: "redis:7.4.11", resources: {requests: {cpu: 250m}}}]
""",
    right="""
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {requests.cpu: 1250m}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  replicas: 4
  strategy: {rollingUpdate: {maxSurge: 1}}
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec:
      containers: [{name: app, image: "redis:7.4.11", resources: {requests: {cpu: 250m}}}]
""",
)
def quotas_suffice(graph: Graph) -> Iterator[Problem]:
    """Add up what each quota counts."""
    quotas = graph.of_kind("ResourceQuota")
    if not quotas:
        return
    scales = autoscaled(graph)
    pods: dict[str, list[tuple[Needs, int, int]]] = defaultdict(list)
    for each in needs(graph):
        pods[each.pods.namespace].append((each, *at_once(each.pods, scales)))
    held: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims(graph):
        held[claim.owner.namespace].append(claim)
    objects = by_namespace(graph.resources)
    for quota in quotas:
        for key, value in mapping(quota.spec.get("hard")).items():
            hard = quantity(value)
            if hard is None or not isinstance(key, str):
                continue
            uses = [
                *_of_pods(key, quota, pods.get(quota.namespace, ())),
                *_of_claims(key, held.get(quota.namespace, ())),
                *_of_objects(key, objects.get(quota.namespace, ())),
            ]
            yield from _judge(quota, key, hard, uses)


@dataclass(frozen=True)
class _Use:
    """What one object takes of a quota: so many times one amount."""

    owner: Resource
    each: Decimal
    times: int
    reason: str = ""


def _judge(quota: Resource, key: str, hard: Decimal, uses: Sequence[_Use]) -> Iterator[Problem]:
    alone = [use for use in uses if use.each > hard and use.times]
    for use in alone:
        wrong = (
            f"one takes {shown(use.each, key)} of {key}, {quota.reference} allows {shown(hard, key)} in all"
        )
        yield Problem(use.owner, "", wrong, "ask for less, or raise the quota")
    total = sum((use.each * use.times for use in uses), Decimal())
    if total <= hard or alone:
        return
    most = sorted(uses, key=lambda use: use.each * use.times, reverse=True)
    named = "; ".join(
        f"{use.owner.kind} {use.owner.name} {use.times} x {shown(use.each, key)}{use.reason}"
        for use in most[:_NAMED]
    )
    rest = f" and {len(most) - _NAMED} more" if len(most) > _NAMED else ""
    yield Problem(
        quota,
        f"spec.hard[{key}]",
        f"allows {shown(hard, key)}, {shown(total, key)} can be asked for: {named}{rest}",
        f"raise it to {shown(total, key)} at least, or lower replicas, surge or requests",
    )


def _of_pods(key: str, quota: Resource, pods: Iterable[tuple[Needs, int, int]]) -> Iterator[_Use]:
    for each, most, surge in pods:
        amount = _of_pod(key, each)
        if amount and most + surge and _covers(quota, each):
            reason = f" ({most} and {surge} during an update)" if surge else ""
            # Defaults surprise: a LimitRange's maximum is also the default of what states nothing.
            if amount != _of_pod(key, replace(each, defaults={"requests": {}, "limits": {}})):
                reason += " with the defaults of the LimitRange"
            yield _Use(each.pods.owner, amount, most + surge, reason)


def _of_pod(key: str, each: Needs) -> Decimal | None:
    if key in ("pods", "count/pods"):
        return Decimal(1)
    if key in _BARE_REQUESTS:
        return each.requests.get(key)
    side, _, name = key.partition(".")
    # requests.storage is the claims'.
    if side == "requests" and name != "storage":
        return each.requests.get(name)
    return each.limits.get(name) if side == "limits" else None


def _of_claims(key: str, held: Iterable[Claim]) -> Iterator[_Use]:
    of_class, _, rest = key.partition(".storageclass.storage.k8s.io/")
    counted = rest or key
    for claim in held:
        if rest and claim.storage_class != of_class:
            continue
        if counted == "requests.storage" and claim.storage is not None:
            yield _Use(claim.owner, claim.storage, claim.times)
        elif counted in ("persistentvolumeclaims", "count/persistentvolumeclaims"):
            yield _Use(claim.owner, Decimal(1), claim.times)


# Counted under a name of their own, without count/.
_COUNTED = {
    "services": "Service",
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "replicationcontrollers": "ReplicationController",
    "resourcequotas": "ResourceQuota",
}


def _of_objects(key: str, objects: Iterable[Resource]) -> Iterator[_Use]:
    plural, _, group = key.removeprefix("count/").partition(".")
    for each in objects:
        if key == "services.loadbalancers":
            times = int(each.kind == "Service" and each.spec.get("type") == "LoadBalancer")
        elif key == "services.nodeports":
            times = _node_ports(each)
        elif key.startswith("count/"):
            # Pods and claims are counted where their number is known.
            elsewhere = plural in ("pods", "persistentvolumeclaims")
            times = int(not elsewhere and each.group == group and _plural(each.kind) == plural)
        else:
            times = int(not each.group and _COUNTED.get(key) == each.kind)
        if times:
            yield _Use(each, Decimal(1), times)


def _plural(kind: str) -> str:
    singular = kind.lower()
    if singular.endswith("y") and not singular.endswith("ay"):
        return singular[:-1] + "ies"
    return (
        singular
        if singular == "endpoints"
        else singular + ("es" if singular.endswith(("s", "x", "ch")) else "s")
    )


def _node_ports(each: Resource) -> int:
    """Count as pkg/quota/v1/evaluator/core/services.go does."""
    ports = items(each.spec.get("ports"))
    kind = each.spec.get("type") if each.kind == "Service" else None
    if kind == "LoadBalancer" and each.spec.get("allocateLoadBalancerNodePorts") is False:
        return sum(1 for port in ports if number(dig(port, "nodePort")))
    return len(ports) if kind in ("NodePort", "LoadBalancer") else 0


def _covers(quota: Resource, needs_: Needs) -> bool:
    """Tell whether a quota counts a pod; not where its scopes ask what only a cluster knows."""
    scopes: list[tuple[str, str, list[object]]] = [
        (text(scope), "Exists", []) for scope in items(quota.spec.get("scopes"))
    ]
    scopes += [
        (text(dig(each, "scopeName")), text(dig(each, "operator")), [*items(dig(each, "values"))])
        for each in items(dig(quota.spec.get("scopeSelector"), "matchExpressions"))
    ]
    return all(_in_scope(needs_, *scope) for scope in scopes)


def _in_scope(each: Needs, scope: str, operator: str, values: Sequence[object]) -> bool:
    terminating = number(each.pods.spec.get("activeDeadlineSeconds")) is not None
    best_effort = not any(name in ("cpu", "memory") for name in {**each.requests, **each.limits})
    match scope:
        case "Terminating":
            return terminating
        case "NotTerminating":
            return not terminating
        case "BestEffort":
            return best_effort
        case "NotBestEffort":
            return not best_effort
        case "PriorityClass":
            return _named(text(each.pods.spec.get("priorityClassName")), operator, values)
        case _:
            return False


def _named(name: str, operator: str, values: Sequence[object]) -> bool:
    match operator:
        case "In":
            return name in values
        case "NotIn":
            return name not in values
        case "DoesNotExist":
            return not name
        case _:
            return bool(name)
