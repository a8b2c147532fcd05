"""The volume claims of a set: those that stand alone, those of StatefulSets and those of single pods."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from traversion.verify.demand import at_once, autoscaled
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, Step, dig, items, mapping, path_of, text
from traversion.verify.quantity import quantity

# The class of a claim, before there was a field for it; still obeyed.
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


@dataclass(frozen=True, eq=False)
class Claim:
    """A claim, or the template of several."""

    owner: Resource
    data: Mapping[str, Any]
    steps: tuple[Step, ...]
    times: int
    """How many there are of it at the maximum."""

    @property
    def is_template(self) -> bool:
        """Whether a StatefulSet or a pod makes it."""
        return bool(self.steps)

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """What is claimed."""
        return mapping(self.data.get("spec"))

    @cached_property
    def name(self) -> str:
        """Its name, or the name its template gives the volume."""
        return text(dig(self.data, "metadata", "name"))

    @cached_property
    def storage(self) -> Decimal | None:
        """How much is asked for; None when that cannot be read."""
        return quantity(dig(self.spec, "resources", "requests", "storage"))

    @cached_property
    def storage_class(self) -> str | None:
        """The name of the class; empty for none at all, None for the cluster's default."""
        named = self.spec.get("storageClassName")
        if named is None:
            named = dig(self.data, "metadata", "annotations", _CLASS_ANNOTATION)
        return named if isinstance(named, str) else None

    @cached_property
    def access_modes(self) -> Sequence[Any]:
        """How it may be mounted."""
        return items(self.spec.get("accessModes"))

    @property
    def is_block(self) -> bool:
        """Whether it is a raw device instead of a file system."""
        return self.spec.get("volumeMode") == "Block"

    def path(self, *steps: Step) -> str:
        """Return a path below the claim's spec, as seen from its owner."""
        return path_of(*self.steps, "spec", *steps)


def claims(graph: Graph) -> Iterator[Claim]:
    """Yield every claim and every template of claims."""
    for each in graph.of_kind("PersistentVolumeClaim"):
        yield Claim(each, each.data, (), 1)
    scales = autoscaled(graph)
    for pods in graph.pod_templates:
        owner = pods.owner
        if owner.kind == "StatefulSet":
            most, _ = at_once(pods, scales)
            for index, template in enumerate(items(owner.spec.get("volumeClaimTemplates"))):
                yield Claim(owner, mapping(template), ("spec", "volumeClaimTemplates", index), most)
        for index, volume in enumerate(items(pods.spec.get("volumes"))):
            template = dig(volume, "ephemeral", "volumeClaimTemplate")
            if template is not None:
                steps = (*pods.steps, "spec", "volumes", index, "ephemeral", "volumeClaimTemplate")
                yield Claim(owner, mapping(template), steps, sum(at_once(pods, scales)))
