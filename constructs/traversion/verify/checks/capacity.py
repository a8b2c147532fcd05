"""Whether single pods and claims may ask for what they ask: quantities, limits and limit ranges."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from traversion.verify.check import Problem, check
from traversion.verify.claims import claims
from traversion.verify.demand import Needs, Side, needs
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, items, mapping, text
from traversion.verify.quantity import brief, quantity, shown

_SIDES: tuple[Side, Side] = ("requests", "limits")
_BYTE = Decimal(1)


@check(
    "quantity-invalid",
    "error",
    what="A request or limit is no quantity.",
    why="The API server refuses the object: 512MB, 1.5 Gi or 2cores are not in Kubernetes' notation.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", resources: {limits: {memory: 512MB}}}]
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", resources: {limits: {memory: 512Mi}}}]
""",
)
def quantities_are_valid(graph: Graph) -> Iterator[Problem]:
    """Read every request and limit."""
    for pods in graph.pod_templates:
        for container in pods.containers:
            for side in _SIDES:
                for name, value in mapping(dig(container.data, "resources", side)).items():
                    amount = quantity(value)
                    path = container.path("resources", side, str(name))
                    if amount is None or amount < 0:
                        wrong = f"{brief(value)} is no quantity"
                        yield Problem(container.owner, path, wrong, "write it as 250m, 2, 512Mi or 1Gi")
                    elif name == "memory" and 0 < amount < _BYTE:
                        wrong = f"{value} of memory is less than a byte: m means thousandths"
                        yield Problem(container.owner, path, wrong, "write Mi for mebibytes")


@check(
    "request-over-limit",
    "error",
    what="A container requests more than its limit.",
    why="The API server refuses the pod.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - {name: app, image: "redis:7.4.11", resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - {name: app, image: "redis:7.4.11", resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}}
""",
)
def requests_stay_below_limits(graph: Graph) -> Iterator[Problem]:
    """Compare them, with the defaults that a LimitRange gives."""
    for each in needs(graph):
        for container in each.containers:
            limits = each.of(container, "limits")
            for name, request in each.of(container, "requests").items():
                limit = limits.get(name)
                if limit is not None and request > limit:
                    wrong = f"requests {shown(request, name)} of {name}, its limit is {shown(limit, name)}"
                    path = container.path("resources", "requests", name)
                    yield Problem(container.owner, path, wrong, "raise the limit or lower the request")


@check(
    "limit-range",
    "error",
    what="A container, pod or claim lies outside its namespace's LimitRange.",
    why="Admission refuses it; a controller then runs without pods, and only its events tell why.",
    wrong="""
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, max: {memory: 1Gi}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", resources: {limits: {memory: 2Gi}}}]
""",
    right="""
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, max: {memory: 1Gi}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", resources: {limits: {memory: 1Gi}}}]
""",
)
def limit_ranges_are_kept(graph: Graph) -> Iterator[Problem]:
    """Hold every container, pod and claim against the limits of its namespace."""
    ranges: dict[str, list[_Bound]] = defaultdict(list)
    for resource in graph.of_kind("LimitRange"):
        for item in items(resource.spec.get("limits")):
            ranges[resource.namespace] += _bounds(resource, item)
    if not ranges:
        return
    for each in needs(graph):
        for bound in ranges.get(each.pods.namespace, ()):
            yield from _of_pod(bound, each)
    for claim in claims(graph):
        for bound in ranges.get(claim.owner.namespace, ()):
            if bound.type == "PersistentVolumeClaim" and claim.storage is not None:
                # A claim has requests only, and they are held against the maximum too.
                for _, wrong in bound.broken({"requests": claim.storage, "limits": claim.storage}):
                    yield bound.problem(claim.owner, claim.path("resources", "requests", "storage"), wrong)


def _of_pod(bound: "_Bound", each: Needs) -> Iterator[Problem]:
    if bound.type == "Pod":
        whole: dict[Side, Decimal | None] = {
            "requests": each.requests.get(bound.name),
            "limits": each.limits.get(bound.name),
        }
        for _, wrong in bound.broken(whole):
            yield bound.problem(each.pods.owner, each.pods.path("spec"), wrong)
    for container in each.containers if bound.type == "Container" else ():
        for side, wrong in bound.broken({side: each.of(container, side).get(bound.name) for side in _SIDES}):
            yield bound.problem(container.owner, container.path("resources", side, bound.name), wrong)


@dataclass(frozen=True)
class _Bound:
    """One number in a LimitRange."""

    resource: Resource
    type: str
    rule: str
    name: str
    amount: Decimal

    def broken(self, asked: Mapping[Side, Decimal | None]) -> Iterator[tuple[Side, str]]:
        """Say what breaks it: one reason is enough, as for admission."""
        request, limit = asked["requests"], asked["limits"]
        bound = shown(self.amount, "" if self.rule == "maxLimitRequestRatio" else self.name)
        if self.rule == "min":
            if request is None:
                yield "requests", f"requests no {self.name}, at least {bound} is demanded"
            elif request < self.amount:
                yield "requests", f"requests {shown(request, self.name)} of {self.name}, less than {bound}"
        elif self.rule == "max":
            if limit is None:
                yield "limits", f"has no limit of {self.name}, {bound} is the most"
            elif limit > self.amount:
                yield "limits", f"may use {shown(limit, self.name)} of {self.name}, {bound} is the most"
        elif not request or not limit:
            yield "limits", f"has no request or no limit of {self.name}, so no ratio between them"
        elif limit / request > self.amount:
            yield (
                "limits",
                f"may use {limit / request:.1f} times its request of {self.name}, {bound} is the most",
            )

    def problem(self, owner: Resource, path: str, wrong: str) -> Problem:
        """Name the LimitRange in the remedy."""
        return Problem(owner, path, wrong, f"change it, or the {self.rule} of {self.resource.reference}")


def _bounds(resource: Resource, item: object) -> Iterator[_Bound]:
    for rule in ("min", "max", "maxLimitRequestRatio"):
        for name, value in mapping(dig(item, rule)).items():
            amount = quantity(value)
            if amount is not None and isinstance(name, str):
                yield _Bound(resource, text(dig(item, "type")), rule, name, amount)
