"""Sessions and cache."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from traversion.settings.base import Image, Resources, Settings, refuse
from traversion.values import StorageSize, bytes_of


class RedisSettings(Settings):
    """Sessions and cache."""

    image: Image = Image(repository="docker.io/library/redis", tag="7.4.11-alpine")
    """Redis server."""
    storage: StorageSize = "10Gi"
    """Volume for the append-only file and snapshots; at least twice the memory limit, for a rewrite."""
    resources: Resources = Resources(cpu="100m", cpu_limit="500m", memory="512Mi", memory_limit="1Gi")
    """CPU and memory of the server."""
    maxmemory_percent: Annotated[int, Field(ge=30, le=80)] = 60
    """Data in percent of the memory limit; the rest is for copy-on-write while saving, and for buffers."""

    @model_validator(mode="after")
    def _volume_holds_a_rewrite(self) -> Self:
        if bytes_of(self.storage) < 2 * bytes_of(self.resources.memory_limit):
            raise refuse(
                "storage",
                self.storage,
                f"must be at least twice resources.memory_limit = {self.resources.memory_limit}",
            )
        return self
