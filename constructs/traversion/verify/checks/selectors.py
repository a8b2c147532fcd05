"""Selectors: controllers and their pods, and who selects nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traversion.verify.check import Problem, Severity, check
from traversion.verify.declared import declared, stated_namespace
from traversion.verify.graph import Graph, matches_selector
from traversion.verify.model import PodTemplate, Resource, dig, items, mapping, text
from traversion.verify.picking import made_as_it_goes, picking

_CONTROLLERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
_MOST_COMPARED = 200  # pods, when the closest one is sought for a message


def _deployment(selector: str, labels: str, name: str = "web") -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {selector}}}
  template:
    metadata: {{labels: {labels}}}
    spec: {{containers: [{{name: web, image: "nginx:1.27"}}]}}
"""


def _service(selector: str) -> str:
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {selector}, ports: [{{port: 80}}]}}
"""


def _policy(selector: str) -> str:
    return f"""---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web}}
spec: {{podSelector: {{matchLabels: {selector}}}}}
"""


def _budget(selector: str) -> str:
    return f"""---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: web}}
spec: {{maxUnavailable: 1, selector: {{matchLabels: {selector}}}}}
"""


def _written(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "none"


def _selector(controller: Resource) -> Mapping[str, Any]:
    """Return a controller's selector as a LabelSelector."""
    selector = mapping(controller.spec.get("selector"))
    return {"matchLabels": selector} if controller.kind == "ReplicationController" else selector


@check(
    "selector-template-mismatch",
    "error",
    what="A controller's selector does not pick the pods of its own template.",
    why="The API server refuses the controller: selector does not match template labels.",
    wrong=_deployment("{app: web}", "{app: site}"),
    right=_deployment("{app: web}", "{app: web, tier: front}"),
)
def selector_picks_template(graph: Graph) -> Iterator[Problem]:
    """Compare each controller's selector with its template's labels."""
    for controller in graph.of_kind(*_CONTROLLERS):
        pods = controller.pods
        # A manifest without a template is a patch, not a controller.
        if pods is None or not mapping(controller.dig("spec", "template")):
            continue
        selector = _selector(controller)
        if not selector and controller.group == "apps":
            if declared(graph).kustomized:
                continue  # a patch
            yield Problem(controller, "spec.selector", "there is no selector", "select the template's labels")
        elif not matches_selector(selector, pods.labels):
            yield Problem(
                controller,
                "spec.selector",
                f"selects {_selected(selector)}; the template has {_written(pods.labels)}",
                "give both the same labels",
            )


def _selected(selector: Mapping[str, Any]) -> str:
    listed = _written(mapping(selector.get("matchLabels")))
    return f"{listed} and expressions" if selector.get("matchExpressions") else listed


@check(
    "selector-overlap",
    "warning",
    what="The selector of one controller picks the pods of another in the same namespace.",
    why="Whoever asks by selector (an HPA, kubectl, a budget) counts the pods of both as one.",
    wrong=_deployment("{app: web}", "{app: web}") + "---" + _deployment("{app: web}", "{app: web}", "copy"),
    right=_deployment("{app: web}", "{app: web}") + "---" + _deployment("{app: copy}", "{app: copy}", "copy"),
)
def selectors_are_apart(graph: Graph) -> Iterator[Problem]:
    """Look for another controller's pods behind each selector: an error for those that are autoscaled.

    Controllers leave alone what another owns; an HPA counts and measures all pods of the selector.
    """
    scaled = {
        (
            each.namespace,
            text(each.dig("spec", "scaleTargetRef", "kind")),
            text(each.dig("spec", "scaleTargetRef", "name")),
        )
        for each in graph.of_kind("HorizontalPodAutoscaler")
    }
    index = picking(graph)
    for controller in graph.of_kind(*_CONTROLLERS, "ReplicationController"):
        selector, own = _selector(controller), controller.pods
        if own is None or not mapping(selector.get("matchLabels")):
            continue
        for pods in index.by_selector(stated_namespace(controller), selector):
            other = pods.owner
            if other is controller or other.kind not in {*_CONTROLLERS, "ReplicationController"}:
                continue
            if (other.kind, other.name) == (controller.kind, controller.name):
                continue  # declared twice, which is another fault
            yield Problem(
                controller,
                "spec.selector",
                f"{_selected(selector)} also selects the pods of {other.reference}",
                "select a label that only its own pods have",
                "error" if (controller.namespace, controller.kind, controller.name) in scaled else "warning",
            )
            break


@check(
    "selector-changes",
    "warning",
    what="A selector or claim template, which nobody can change, has a label that changes with a version.",
    why="The next version is refused (field is immutable) until somebody deletes the controller.",
    wrong=_deployment('{app: web, version: "1.27"}', '{app: web, version: "1.27"}'),
    right=_deployment("{app: web}", '{app: web, version: "1.27"}'),
)
def selector_is_stable(graph: Graph) -> Iterator[Problem]:
    """Look for versions, image tags, chart versions and dates."""
    for controller in graph.of_kind(*_CONTROLLERS):
        labels = [
            ("spec.selector.matchLabels", mapping(controller.dig("spec", "selector", "matchLabels"))),
            *(
                (
                    f"spec.volumeClaimTemplates[{index}].metadata.labels",
                    mapping(dig(claim, "metadata", "labels")),
                )
                for index, claim in enumerate(items(controller.spec.get("volumeClaimTemplates")))
            ),
        ]
        for path, found in labels:
            for key, value in found.items():
                if _changes(controller, text(key), text(value)):
                    yield Problem(
                        controller,
                        f"{path}.{key}",
                        f"{key}={value} changes with the version",
                        "keep it in the template's labels only",
                    )


_VERSION_KEYS = {"app.kubernetes.io/version", "helm.sh/chart", "chart", "app-version", "appVersion"}
_BUILD_KEYS = re.compile(r"(^|[./_-])(version|tag|build|commit|sha|revision|date|timestamp)$", re.IGNORECASE)
_CHANGING = re.compile(r"v?\d+\.\d+|\d{4}-?\d{2}-?\d{2}|^[0-9a-f]{7,40}$|^\d{6,}$")


def _changes(controller: Resource, key: str, value: str) -> bool:
    # "reviews-v1" selects version=v1 on purpose: each version is a controller of its own.
    if not value or value in re.split(r"[-.]", controller.name) or controller.name.endswith(f"-{value}"):
        return False
    if key in _VERSION_KEYS or (_BUILD_KEYS.search(key) and _CHANGING.search(value)):
        return True
    containers = controller.pods.containers if controller.pods else ()
    tags = {text(container.data.get("image")).rpartition(":")[2] for container in containers}
    return value in tags and any(letter.isdigit() for letter in value)


@check(
    "service-selects-nothing",
    "error",
    what="A Service selects no pod of the set.",
    why="It has no endpoints: every connection to it is refused.",
    wrong=_deployment("{app: web}", "{app: web}") + _service("{app: site}"),
    right=_deployment("{app: web}", "{app: web}") + _service("{app: web}"),
)
def service_selects_pods(graph: Graph) -> Iterator[Problem]:
    """Look behind Services; those without selector and ExternalNames have other endpoints."""
    index = picking(graph)
    for service in graph.of_kind("Service"):
        selector = mapping(service.spec.get("selector"))
        if service.group or not selector or service.spec.get("type") == "ExternalName":
            continue
        if next(index.by_labels(stated_namespace(service), selector), None) is None:
            yield from _nothing(graph, service, "spec.selector", selector)


@check(
    "budget-selects-nothing",
    "error",
    what="A PodDisruptionBudget selects no pod of the set.",
    why="It protects nothing: a drain may evict all pods at once.",
    wrong=_deployment("{app: web}", "{app: web}") + _budget("{app: site}"),
    right=_deployment("{app: web}", "{app: web}") + _budget("{app: web}"),
)
def budget_selects_pods(graph: Graph) -> Iterator[Problem]:
    """Look behind PodDisruptionBudgets."""
    yield from _selecting_nothing(graph, "PodDisruptionBudget", "selector")


@check(
    "policy-selects-nothing",
    "error",
    what="A NetworkPolicy selects no pod of the set, nor any that a well-known controller makes.",
    why="It restricts nothing: the pods it was written for are open, or cut off by another policy.",
    wrong=_deployment("{app: web}", "{app: web}") + _policy("{app: site}"),
    right=_deployment("{app: web}", "{app: web}") + _policy("{app: web}"),
)
def policy_selects_pods(graph: Graph) -> Iterator[Problem]:
    """Look behind NetworkPolicies."""
    yield from _selecting_nothing(graph, "NetworkPolicy", "podSelector")


def _selecting_nothing(graph: Graph, kind: str, field: str) -> Iterator[Problem]:
    index = picking(graph)
    for each in graph.of_kind(kind):
        selector = mapping(each.spec.get(field))
        labels = mapping(selector.get("matchLabels"))
        keys = {**labels, **{text(dig(one, "key")): "" for one in items(selector.get("matchExpressions"))}}
        # An empty selector means all pods there are, also none; a group of another maker has other rules.
        if not keys or not (each.group.endswith("k8s.io") or each.group == "policy"):
            continue
        if next(index.by_selector(stated_namespace(each), selector), None) is None:
            yield from _nothing(graph, each, f"spec.{field}", labels, keys)


def _nothing(
    graph: Graph,
    selecting: Resource,
    path: str,
    labels: Mapping[str, Any],
    keys: Mapping[str, Any] | None = None,
) -> Iterator[Problem]:
    place = stated_namespace(selecting)
    # kube-system and sets without pods: what is selected is not of this set.
    if not graph.pod_templates or place == "kube-system" or made_as_it_goes(keys or labels):
        return
    neighbours = picking(graph).pods_in(place)
    if declared(graph).operator_makes(place, selecting.name):
        return
    severity: Severity = declared(graph).severity(selecting.namespace) if neighbours else "warning"
    yield Problem(
        selecting,
        path,
        f"{_written(labels) if labels else 'the selector'} selects no pod{_closest(neighbours, labels)}",
        "select labels that the pods have, or remove it",
        severity,
    )


def _closest(neighbours: Sequence[PodTemplate], labels: Mapping[str, Any]) -> str:
    best: tuple[int, PodTemplate | None] = (0, None)
    for pods in neighbours[:_MOST_COMPARED]:
        shared = sum(pods.labels.get(key) == value for key, value in labels.items())
        best = max(best, (shared, pods), key=lambda each: each[0])
    if best[1] is None:
        return ""
    shown = {key: best[1].labels.get(key, "") for key in labels}
    return f" (closest: {best[1].owner.reference} with {_written(shown)})"
