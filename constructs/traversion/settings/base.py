"""What every group of settings is made of, and the kinds of value that several share."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from traversion.values import (
    CpuAmount,
    DnsLabel,
    ImageRepository,
    ImageTag,
    MemorySize,
    bytes_of,
    millicores_of,
)


class Settings(BaseModel):
    """A group of settings: immutable, and closed to names that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def refuse(setting: str, value: object, remedy: str) -> PydanticCustomError:
    """Build the error of a check across several settings, naming the one to change."""
    return PydanticCustomError(
        "traversion", "{remedy}", {"setting": setting, "value": value, "remedy": remedy}
    )


class Image(Settings):
    """A container image."""

    repository: ImageRepository
    """Registry and path, without the tag."""
    tag: ImageTag
    """One build; a digest may follow as ``@sha256:...``. ``latest`` needs ``allow_mutable_tags``."""
    pull_secret: DnsLabel | None = None
    """Name of an image pull Secret in the namespace, for a private registry. The operator supplies it."""

    @property
    def reference(self) -> str:
        """The image as a Pod names it."""
        return f"{self.repository}:{self.tag}"


class Resources(Settings):
    """CPU and memory of one container. Limits are always set: alerts and the quota compare with them."""

    cpu: CpuAmount
    """Requested CPU, which the scheduler reserves."""
    cpu_limit: CpuAmount
    """CPU above which the kernel throttles; at least the request."""
    memory: MemorySize
    """Requested memory, which the scheduler reserves."""
    memory_limit: MemorySize
    """Memory above which the kernel kills the container; at least the request."""

    @model_validator(mode="after")
    def _limits_cover_requests(self) -> Self:
        if millicores_of(self.cpu_limit) < millicores_of(self.cpu):
            raise refuse("cpu_limit", self.cpu_limit, f"must be at least the request, cpu = {self.cpu}")
        if bytes_of(self.memory_limit) < bytes_of(self.memory):
            raise refuse(
                "memory_limit",
                self.memory_limit,
                f"must be at least the request, memory = {self.memory}",
            )
        return self


SMALL = Resources(cpu="20m", cpu_limit="200m", memory="64Mi", memory_limit="128Mi")


class Replicas(Settings):
    """Bounds of a horizontally scaled component."""

    minimum: Annotated[int, Field(ge=1, le=1000)]
    """Pods that always run, also during a rollout."""
    maximum: Annotated[int, Field(ge=1, le=1000)]
    """Pods the autoscaler may reach; quota and database connections are sized for it."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise refuse("minimum", self.minimum, f"must not exceed maximum = {self.maximum}")
        return self
