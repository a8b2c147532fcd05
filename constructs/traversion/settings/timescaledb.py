"""The database: its size, and how long it keeps what."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from traversion.settings.backups import BackupSettings, PosixRepository
from traversion.settings.base import Image, Resources, Settings, refuse
from traversion.values import Period, StorageSize, seconds_of


class TimescaleDbSettings(Settings):
    """The database."""

    image: Image = Image(repository="docker.io/timescale/timescaledb-ha", tag="pg15.18-ts2.28.3")
    """PostgreSQL 15 with TimescaleDB and pgBackRest in one image."""
    storage: StorageSize = "50Gi"
    """Data volume, WAL included. Growing it later takes the steps of docs/operations/grow-a-volume.md."""
    zone_replicated: bool = False
    """Keep the volume in two zones at once, where the cloud has such disks (gke, aks)."""
    resources: Resources = Resources(cpu="500m", cpu_limit="2", memory="2Gi", memory_limit="2Gi")
    """CPU and memory of the server; its buffers are derived from the memory limit."""
    max_connections: Annotated[int, Field(ge=40, le=2000)] = 120
    """Connections the server accepts; the API's pools are derived from it. Each costs memory."""
    compress_after: Period = "7d"
    """Age at which chunks are compressed; younger than the retention."""
    event_retention: Period = "90d"
    """Age at which events, causality and patterns are dropped."""
    metric_retention: Period = "30d"
    """Age at which application metrics stored in the database are dropped."""
    hourly_retention: Period = "400d"
    """Age at which the hourly roll-ups of events and metrics are dropped; longer than rows are kept."""
    backups: BackupSettings | None = BackupSettings(repository=PosixRepository(storage="50Gi"))
    """Backups and continuous archiving; None switches both off."""

    @model_validator(mode="after")
    def _compressed_before_dropped(self) -> Self:
        if seconds_of(self.compress_after) < 24 * 3600:
            raise refuse("compress_after", self.compress_after, "must be at least 1d: chunks span a day")
        for setting in ("event_retention", "metric_retention"):
            kept: str = getattr(self, setting)
            if seconds_of(kept) <= seconds_of(self.compress_after):
                raise refuse(setting, kept, f"must be longer than compress_after = {self.compress_after}")
            if seconds_of(kept) > seconds_of(self.hourly_retention):
                raise refuse(
                    "hourly_retention", self.hourly_retention, f"must not be shorter than {setting} = {kept}"
                )
        return self
