"""Which pods a selector picks, found through an index: as fast for ten thousand objects as for ten."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from traversion.verify.declared import stated_namespace
from traversion.verify.graph import Graph, matches_selector
from traversion.verify.model import PodTemplate, mapping

RUNTIME_LABELS = {
    "apps.kubernetes.io/pod-index",  # StatefulSet controller
    "cnpg.io/instanceRole",
    "controller-revision-hash",
    "pod-template-hash",
    "redis-role",
    "role",  # Patroni, with its default settings
    "spilo-role",  # Patroni in Zalando's image
    "statefulset.kubernetes.io/pod-name",
    "vault-active",
    "vault-initialized",
    "vault-sealed",
    "vault-version",
}
"""Labels that a controller or the program itself puts on a running pod; no template bears them."""

# Labels of pods that no manifest declares: a controller makes them as it goes.
_MADE_PODS = (
    "acme.cert-manager.io/",
    "batch.kubernetes.io/",
    "cnpg.io/cluster",
    "job-name",
    "spark-role",
    "strimzi.io/",
    "tekton.dev/",
    "workflows.argoproj.io/",
)
_ANY = "*"


class Picking:
    """The pods of a set by namespace and label."""

    def __init__(self, graph: Graph) -> None:
        """Index the set once."""
        self._labelled: dict[tuple[str, str, str], list[PodTemplate]] = defaultdict(list)
        self._in: dict[str, list[PodTemplate]] = defaultdict(list)
        for pods in graph.pod_templates:
            for place in (stated_namespace(pods.owner), _ANY):
                self._in[place].append(pods)
                for key, value in pods.labels.items():
                    self._labelled[place, key, value].append(pods)

    def pods_in(self, namespace: str) -> Sequence[PodTemplate]:
        """Return the pods of a namespace, and those that state none; all for no namespace."""
        return [*self._in.get(namespace, ()), *self._in.get("", ())] if namespace else self._in.get(_ANY, [])

    def by_labels(self, namespace: str, labels: Mapping[str, Any]) -> Iterator[PodTemplate]:
        """Yield the pods that bear all these labels, as a Service selects them."""
        yield from self._picked(namespace, labels, {})

    def by_selector(self, namespace: str, selector: Mapping[str, Any]) -> Iterator[PodTemplate]:
        """Yield the pods that a LabelSelector picks."""
        expressions = {"matchExpressions": selector.get("matchExpressions")}
        yield from self._picked(namespace, mapping(selector.get("matchLabels")), expressions)

    def _picked(
        self, namespace: str, labels: Mapping[str, Any], expressions: Mapping[str, Any]
    ) -> Iterator[PodTemplate]:
        for pods in self._candidates(namespace, labels):
            exact = all(
                pods.labels.get(key) == value or (key in RUNTIME_LABELS and key not in pods.labels)
                for key, value in labels.items()
            )
            if exact and matches_selector(expressions, pods.labels):
                yield pods

    def _candidates(self, namespace: str, labels: Mapping[str, Any]) -> Sequence[PodTemplate]:
        """Return the pods with the rarest of the labels."""
        places = (namespace, "") if namespace else (_ANY,)
        buckets = [
            [self._labelled.get((place, key, value), []) for place in places]
            for key, value in labels.items()
            if key not in RUNTIME_LABELS and isinstance(value, str)
        ]
        if not buckets:
            return self.pods_in(namespace)
        rarest = min(buckets, key=lambda bucket: sum(map(len, bucket)))
        return [pods for part in rarest for pods in part]


_MADE: WeakKeyDictionary[Graph, Picking] = WeakKeyDictionary()


def picking(graph: Graph) -> Picking:
    """Return the index of a set, made once for each graph."""
    if graph not in _MADE:
        _MADE[graph] = Picking(graph)
    return _MADE[graph]


def made_as_it_goes(labels: Mapping[str, Any]) -> bool:
    """Tell whether labels belong to pods that a well-known controller makes without a manifest."""
    return any(str(key).startswith(_MADE_PODS) for key in labels)
