"""Restores: into a new server beside the old, into the old one's volume, or of a dump into a new database.

None of it is part of an environment. ``traversion restore`` prints the objects, and a person applies them.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from constructs import Construct

from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.flows import admit
from traversion.platform.pods import Container, EnvValue
from traversion.platform.volumes import Claim, ConfigFiles, Mount, Scratch
from traversion.platform.workloads import job
from traversion.timescaledb import pgbackrest
from traversion.timescaledb.backups import RESTORER, Backups
from traversion.timescaledb.database import TimescaleDb
from traversion.timescaledb.files import (
    BACKUP_SCRIPTS_DIRECTORY,
    DATA_DIRECTORY,
    DATA_VOLUME,
    scripts,
    server_files,
)
from traversion.timescaledb.server import Additions, database_server

RESTORED = "timescaledb-restored"
"""The server beside the old one; everything that belongs to it bears this name."""
RESTORE = "timescaledb-restore"
"""The Job that works on the old server, on its volume or in a database of its own."""

_LONGEST_RESTORE = 12 * 3600
"""Seconds."""


@dataclass(frozen=True)
class Restore:
    """What to restore, and where to."""

    where: Literal["beside", "in-place", "dump"]
    repository: int = 1
    time: datetime | None = None
    """The moment to restore, with its zone; None: everything that was archived."""
    dump: str = "latest"
    """A dump's file name, for ``dump``."""

    @property
    def label(self) -> str:
        """The name label that all its objects bear."""
        return RESTORED if self.where == "beside" else RESTORE

    def environment(self, *, once: bool) -> dict[str, EnvValue]:
        """Return the variables of the script ``restore.sh``; ``once``: not again when the pod restarts."""
        variables: dict[str, EnvValue] = {
            "PGDATA": DATA_DIRECTORY,
            "REPOSITORY": str(self.repository),
            "ONCE": "true" if once else "false",
            # A server beside the old one must not mix its WAL with the old one's.
            "ARCHIVE_MODE": "off" if once else "preserve",
        }
        if self.time:
            moment = self.time.astimezone(UTC)
            variables["TARGET_TIME"] = moment.strftime("%Y-%m-%d %H:%M:%S.%f+00")
            variables["TARGET_EPOCH"] = str(int(moment.timestamp()))
        return variables


def restore_database(platform: Platform, database: TimescaleDb, backups: Backups, restore: Restore) -> None:
    """Create the objects of a restore."""
    scope = Construct(database, "restore")
    if restore.where == "beside":
        _beside(scope, platform, database, backups, restore)
    else:
        _in_the_old_server(scope, platform, database, backups, restore)


def _beside(
    scope: Construct, platform: Platform, database: TimescaleDb, backups: Backups, restore: Restore
) -> None:
    settings = database.settings
    component = platform.make_component(RESTORED, "restore", settings.image.tag).with_ports(
        postgresql=database.port
    )
    backups.reach(component, because="restore backups")
    claim = Claim("data", settings.storage, platform.storage.ssd())
    tools = _tools(scope, component, backups, "restore.sh")
    restorer = Container(
        name="restore",
        image=settings.image,
        resources=RESTORER,
        command=["/bin/bash", f"{BACKUP_SCRIPTS_DIRECTORY}/restore.sh"],
        environment={**backups.environment, **restore.environment(once=True)},
        mounts=[*tools, Mount(claim, DATA_VOLUME), Mount(Scratch("tmp", "256Mi"), "/tmp")],
    )
    database_server(
        scope,
        platform,
        component,
        settings,
        certificate=platform.certificates.serving(
            component, [f"{RESTORED}-service", f"{RESTORED}-0.{RESTORED}"]
        ),
        superuser_password=database.superuser.key("password"),
        claim=claim,
        configuration=server_files(settings, archives=False),
        # Recovery fetches WAL when the server starts.
        additions=Additions(environment=backups.environment, mounts=tools, before=[restorer]),
        beside=backups.beside,
    )


def _in_the_old_server(
    scope: Construct, platform: Platform, database: TimescaleDb, backups: Backups, restore: Restore
) -> None:
    settings = database.settings
    component = platform.make_component(RESTORE, "restore", settings.image.tag)
    backups.reach(component, because="restore backups")
    environment: dict[str, EnvValue]
    mounts = [Mount(Scratch("tmp", "256Mi"), "/tmp")]
    if restore.where == "dump":
        platform.network.allow(component, database.component, database.port, because="restore a dump")
        admit(scope, component, database.component, database.port)
        script = "restore-dump.sh"
        environment = {
            **database.connection(database.superuser),
            "REPOSITORY": str(restore.repository),
            "DUMP": restore.dump,
        }
        mounts.append(Mount(database.certificate.trust, "/etc/trust"))
    else:
        script = "restore.sh"
        environment = restore.environment(once=False)
        claim = Claim("data-timescaledb-0", settings.storage, "", existing=True)
        mounts.append(Mount(claim, DATA_VOLUME))
    restorer = Container(
        name="restore",
        image=settings.image,
        resources=RESTORER,
        command=["/bin/bash", f"{BACKUP_SCRIPTS_DIRECTORY}/{script}"],
        environment={**backups.environment, **environment},
        mounts=[*_tools(scope, component, backups, script), *mounts],
    )
    pod = backups.pod(restorer)
    if restore.where == "in-place":
        pod = replace(pod, beside=None)  # the old server does not run
    job(scope, platform, component, RESTORE, pod, deadline_seconds=_LONGEST_RESTORE)


def _tools(scope: Construct, component: Component, backups: Backups, script: str) -> list[Mount]:
    files = ConfigFiles(
        "backup-scripts",
        f"{component.name}-backup-scripts",
        scripts("pgbackrest-with-keys", script),
        executable=True,
    ).create(scope, component)
    text = pgbackrest.database_end(backups.placed, client=component.name)
    config = backups.configuration(f"{component.name}-pgbackrest", text).create(scope, component)
    spool = Mount(Scratch("spool", "1Gi"), pgbackrest.SPOOL_DIRECTORY)
    return [*backups.tools(config, files), spool]
