"""What an environment can consume at most: the sum that its quota has to admit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from traversion.settings import Resources
from traversion.values import bytes_of, millicores_of


@dataclass(frozen=True)
class Demand:
    """CPU in thousandths of a core and memory in bytes, requested and at the limit."""

    cpu: int = 0
    cpu_limit: int = 0
    memory: int = 0
    memory_limit: int = 0

    @classmethod
    def of(cls, resources: Resources) -> Self:
        """Read the demand of one container."""
        return cls(
            millicores_of(resources.cpu),
            millicores_of(resources.cpu_limit),
            bytes_of(resources.memory),
            bytes_of(resources.memory_limit),
        )

    @classmethod
    def of_pod(cls, containers: Iterable[Resources], init_containers: Iterable[Resources]) -> Self:
        """Return a pod's demand: its containers together, or its largest init container if that is more."""
        together = sum((cls.of(container) for container in containers), cls())
        alone = [cls.of(container) for container in init_containers]
        return cls(
            *(max(values) for values in zip(*(vars(d).values() for d in (together, *alone)), strict=True))
        )

    def __add__(self, other: "Demand") -> Self:
        """Add two demands."""
        return type(self)(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def __mul__(self, count: int) -> Self:
        """Return the demand of ``count`` of these."""
        return type(self)(*(value * count for value in vars(self).values()))


# cert-manager starts one pod for each HTTP-01 challenge; these are its defaults for it.
ACME_SOLVER = Resources(cpu="10m", cpu_limit="100m", memory="64Mi", memory_limit="64Mi")


@dataclass
class Capacity:
    """Collects what the workloads of an environment can demand, all at once and at their largest."""

    total: Demand = field(default_factory=Demand)
    pods: int = 0
    storage: int = 0
    claims: int = 0
    largest: Demand = field(default_factory=Demand)

    def add_pods(
        self, count: int, containers: Iterable[Resources], init_containers: Iterable[Resources]
    ) -> None:
        """Count pods that can exist at the same time."""
        containers, init_containers = list(containers), list(init_containers)
        self.total += Demand.of_pod(containers, init_containers) * count
        self.pods += count
        for container in (*containers, *init_containers):
            each = Demand.of(container)
            self.largest = Demand(
                *(max(a, b) for a, b in zip(vars(self.largest).values(), vars(each).values(), strict=True))
            )

    def add_claim(self, size: str, count: int = 1) -> None:
        """Count volumes."""
        self.storage += bytes_of(size) * count
        self.claims += count
