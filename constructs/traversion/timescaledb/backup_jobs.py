"""The jobs that take backups: full, incremental, off-site and for the archive, never two at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from constructs import Construct

from traversion.platform import Platform
from traversion.platform.certificates import ServingCertificate
from traversion.platform.component import Component
from traversion.platform.pods import Container, EnvValue
from traversion.platform.volumes import ConfigFiles, Mount, Scratch
from traversion.platform.workloads import cron_job, service_account
from traversion.settings import BackupSettings
from traversion.timescaledb import pgbackrest
from traversion.timescaledb.backups import BACKUP_CLIENT, Backups
from traversion.timescaledb.files import BACKUP_SCRIPTS_DIRECTORY, PORT, scripts
from traversion.timescaledb.pushgateway import Pushgateway
from traversion.values import seconds_of

LONGEST_BACKUP = 6 * 3600
"""Seconds after which a backup is given up."""


@dataclass(frozen=True)
class BackupJob:
    """One kind of backup: when it is taken, how, and into which repository."""

    name: str
    schedule: str
    kind: str
    repository: int
    environment: Mapping[str, str] = field(default_factory=dict)


def backup_jobs(settings: BackupSettings) -> Iterator[BackupJob]:
    """Yield the kinds of backup that are set."""
    yield BackupJob("full", settings.full, "full", 1)
    if settings.incremental:
        yield BackupJob("incremental", settings.incremental, "incr", 1)
    if settings.offsite:
        yield BackupJob("offsite", settings.offsite.schedule, "full", 2)
    if settings.archive:
        kept = {
            # Each backup brings the WAL that it needs, so that the archive need not keep all of it.
            "PGBACKREST_ARCHIVE_COPY": "y",
            "DUMP_RETENTION_SECONDS": str(seconds_of(settings.archive.retention)),
        }
        yield BackupJob("archive", settings.archive.schedule, "full", 3, kept)


class BackupJobs:
    """A CronJob ``timescaledb-backup-<kind>`` for each kind of backup.

    They read the database's files through the agent beside it, over TLS with certificates at both ends, and
    write to the repository themselves: nobody runs commands in the database's pod. All of them wait for one
    lock in the database.
    """

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        backups: Backups,
        *,
        database: Component,
        host: str,
        certificate: ServingCertificate,
        connection: Mapping[str, EnvValue],
        gateway: Pushgateway,
    ) -> None:
        """Create the jobs of ``database``, which answers at ``host`` and to ``connection``."""
        self._scope = Construct(scope, "backup")
        self._settings = backups.settings
        self._backups = backups
        self._host = host
        self._database_certificate = certificate
        self._environment = {**connection, **backups.environment, "PUSHGATEWAY_URL": gateway.url}
        self.component = platform.make_component(BACKUP_CLIENT, "backup", backups.image.tag)
        allow = platform.network.allow
        allow(self.component, database, PORT, because="lock other backups out, and dump")
        allow(self.component, database, pgbackrest.AGENT_PORT, because="read the database's files")
        allow(self.component, gateway.component, gateway.port, because="tell which backups there are")
        backups.reach(self.component, because="store backups")
        self._client_certificate = platform.certificates.client(self.component)
        service_account(self._scope, self.component)
        mounts = self._mounts()
        for job in backup_jobs(backups.settings):
            cron_job(
                Construct(self._scope, job.name),
                platform,
                self.component,
                f"{self.component.name}-{job.name}",
                backups.pod(self._container(job, mounts)),
                schedule=job.schedule,
                deadline_seconds=LONGEST_BACKUP,
                retries=2,
            )

    def _mounts(self) -> list[Mount]:
        text = pgbackrest.job_end(self._backups.placed, self._settings, host=self._host)
        config = self._backups.configuration("timescaledb-backup", text).create(self._scope, self.component)
        texts = scripts("pgbackrest-with-keys", "back-up.sh", "publish-backups.sh", "backup-metrics.jq")
        files = ConfigFiles("backup-scripts", "timescaledb-backup-scripts", texts, executable=True)
        return [
            *self._backups.tools(config, files.create(self._scope, self.component)),
            Mount(self._client_certificate.files, pgbackrest.CERTIFICATE_DIRECTORY),
            Mount(self._database_certificate.trust, pgbackrest.TRUST_DIRECTORY),
            Mount(Scratch("tmp", "64Mi"), "/tmp"),
        ]

    def _container(self, job: BackupJob, mounts: list[Mount]) -> Container:
        return Container(
            name="backup",
            image=self._backups.image,
            resources=self._settings.resources,
            command=["/bin/bash", f"{BACKUP_SCRIPTS_DIRECTORY}/back-up.sh"],
            environment={
                **self._environment,
                "BACKUP_TYPE": job.kind,
                "REPOSITORY": str(job.repository),
                **job.environment,
            },
            mounts=mounts,
        )
