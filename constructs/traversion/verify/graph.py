"""A set of manifests as a graph: what exists, who selects whom."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from traversion.verify.model import PodTemplate, Resource, items, mapping, text


class Graph:
    """All objects that are judged together; indexes are made when first used."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        """Take the objects, in the order in which kubectl would apply them."""
        self.resources: Sequence[Resource] = list(resources)

    @cached_property
    def _by_kind(self) -> Mapping[str, Sequence[Resource]]:
        known = {each.kind for each in self.resources if each.built_in}
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            # Another group's kind of the same name, such as Knative's Service, is another thing.
            if resource.built_in or resource.kind not in known:
                found[resource.kind].append(resource)
        return found

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str, str], Resource]:
        listed = [each for resources in self._by_kind.values() for each in resources]
        return {(each.kind, each.namespace, each.name): each for each in reversed(listed)}

    def of_kind(self, *kinds: str) -> list[Resource]:
        """Return the objects of these kinds."""
        return [resource for kind in kinds for resource in self._by_kind.get(kind, ())]

    def find(self, kind: str, namespace: str, name: str) -> Resource | None:
        """Return one object by name; the namespace of a cluster-scoped kind is empty."""
        return self._by_name.get((kind, namespace, name))

    @cached_property
    def pod_templates(self) -> Sequence[PodTemplate]:
        """The pods of every controller, and single pods."""
        return [resource.pods for resource in self.resources if resource.pods]

    @cached_property
    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of every namespace that the set declares or uses.

        Kubernetes itself labels each with its name.
        """
        used: dict[str, dict[str, str]] = {each.namespace: {} for each in self.resources if each.namespace}
        declared = {each.name: dict(each.labels) for each in self.of_kind("Namespace")}
        return {
            name: labels | {"kubernetes.io/metadata.name": name} for name, labels in (used | declared).items()
        }

    def selected(self, namespace: str, selector: object) -> list[PodTemplate]:
        """Return the pods in a namespace that a LabelSelector picks; none for None."""
        if selector is None:
            return []
        return [
            pods
            for pods in self._pods_in.get(namespace, ())
            if matches_selector(mapping(selector), pods.labels)
        ]

    def behind(self, service: Resource) -> list[PodTemplate]:
        """Return the pods behind a Service; none when it has no selector."""
        selector = mapping(service.spec.get("selector"))
        if not selector:
            return []
        return [
            pods
            for pods in self._pods_in.get(service.namespace, ())
            if all(pods.labels.get(key) == value for key, value in selector.items())
        ]

    @cached_property
    def _pods_in(self) -> Mapping[str, Sequence[PodTemplate]]:
        found: dict[str, list[PodTemplate]] = defaultdict(list)
        for pods in self.pod_templates:
            found[pods.namespace].append(pods)
        return found


def matches_selector(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector picks an object; an empty one picks all."""
    exact = all(labels.get(key) == value for key, value in mapping(selector.get("matchLabels")).items())
    return exact and all(_meets(mapping(each), labels) for each in items(selector.get("matchExpressions")))


def _meets(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = text(requirement.get("key")), items(requirement.get("values"))
    match requirement.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
