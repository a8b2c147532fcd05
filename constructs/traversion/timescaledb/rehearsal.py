"""The rehearsal of a restore: backups that nobody has restored are hopes."""

from constructs import Construct

from traversion.platform import Platform
from traversion.platform.pods import Container
from traversion.platform.volumes import ConfigFiles, Mount, Scratch, ScratchDisk
from traversion.platform.workloads import cron_job, service_account
from traversion.settings import RehearsalSettings
from traversion.timescaledb import pgbackrest
from traversion.timescaledb.backups import Backups
from traversion.timescaledb.files import BACKUP_SCRIPTS_DIRECTORY, scripts
from traversion.timescaledb.pushgateway import Pushgateway
from traversion.values import bytes_of

_LONGEST_REHEARSAL = 12 * 3600
"""Seconds."""
_SCRATCH_DIRECTORY = "/scratch"


class Rehearsal:
    """The CronJob ``timescaledb-rehearsal``.

    Restores the newest backup and all WAL of the first repository to a disk that is deleted with the pod,
    starts PostgreSQL on it without any network, and fails unless all of the archive was replayed, the schema
    is there, every row can be read, and neither amcheck nor the checksums object.
    """

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: RehearsalSettings,
        backups: Backups,
        *,
        storage: str,
        gateway: Pushgateway,
    ) -> None:
        """Create the job, with a disk as large as the database's."""
        own = Construct(scope, "rehearsal")
        self.component = platform.make_component("timescaledb-rehearsal", "rehearsal", backups.image.tag)
        backups.reach(self.component, because="restore backups")
        platform.network.allow(
            self.component, gateway.component, gateway.port, because="tell how the rehearsal went"
        )
        service_account(own, self.component)
        texts = scripts(
            "pgbackrest-with-keys",
            "rehearse-restore.sh",
            "recovered-wal.sql",
            "recovered-data.sql",
            "data-age.sql",
        )
        files = ConfigFiles("backup-scripts", self.component.name, texts, executable=True)
        disk = ScratchDisk("scratch", storage, platform.storage.scratch())
        platform.capacity.add_claim(disk.size)
        container = Container(
            name="rehearsal",
            image=backups.image,
            resources=settings.resources,
            command=["/bin/bash", f"{BACKUP_SCRIPTS_DIRECTORY}/rehearse-restore.sh"],
            environment={
                **backups.environment,
                "SCRATCH_DIRECTORY": _SCRATCH_DIRECTORY,
                "PRELOAD_LIBRARIES": "timescaledb",
                "SHARED_BUFFERS": f"{bytes_of(settings.resources.memory_limit) // 4 // 2**20}MB",
                "PUSHGATEWAY_URL": gateway.url,
            },
            mounts=[
                *backups.tools(backups.database_end, files.create(own, self.component)),
                Mount(disk, _SCRATCH_DIRECTORY),
                Mount(Scratch("spool", "1Gi"), pgbackrest.SPOOL_DIRECTORY),
                Mount(Scratch("tmp", "64Mi"), "/tmp"),
            ],
        )
        cron_job(
            own,
            platform,
            self.component,
            self.component.name,
            backups.pod(container),
            schedule=settings.schedule,
            deadline_seconds=_LONGEST_REHEARSAL,
            retries=1,
        )
