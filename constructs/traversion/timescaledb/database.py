"""The database of one environment."""

from constructs import Construct

from traversion.platform import Platform, renewal
from traversion.platform.component import Component
from traversion.platform.credentials import Credential, Fixed, Random, Source
from traversion.platform.pods import Container, EnvValue, Pod
from traversion.platform.volumes import Claim, ConfigFiles, Mount
from traversion.platform.workloads import disruption_budget, job
from traversion.settings import Resources, TimescaleDbSettings, refuse
from traversion.timescaledb.backup_jobs import BackupJobs
from traversion.timescaledb.backups import RESTORER, Backups
from traversion.timescaledb.files import (
    CONNECTION_LIMITS,
    PORT,
    SCRIPTS_DIRECTORY,
    schema_files,
    server_files,
)
from traversion.timescaledb.pgbackrest import AGENT_PORT
from traversion.timescaledb.pushgateway import Pushgateway
from traversion.timescaledb.rehearsal import Rehearsal
from traversion.timescaledb.server import UID, Additions, database_server

_SCHEMA_RUNNER = Resources(cpu="50m", cpu_limit="500m", memory="64Mi", memory_limit="128Mi")
# Superuser, and the schema job beside a person who looks on.
_OTHER_CONNECTIONS = 3 + 2


class TimescaleDb(Construct):
    """One TimescaleDB server with TLS, its schema, a role for each user of it, and backups.

    Creates the StatefulSet ``timescaledb`` with one SSD volume, the Services ``timescaledb-service``
    (clients) and ``timescaledb`` (governing), and a Job that brings the schema up to date. Unless backups are
    off, it archives WAL, and CronJobs take backups and rehearse their restore. Raises where memory does not
    suffice for the connections.
    """

    port = PORT
    host = "timescaledb-service"
    database_name = "traversion"

    def __init__(self, platform: Platform, settings: TimescaleDbSettings) -> None:
        """Create the database on the platform."""
        super().__init__(platform, "timescaledb")
        self._platform = platform
        self.settings = settings
        self.component = self._component()
        self.certificate = platform.certificates.serving(
            self.component, [self.host, f"timescaledb-0.{self.component.name}"]
        )
        self.superuser = self._role("postgres", "timescaledb-superuser", "the schema job and people in need")
        self.owner = self._role("traversion_owner", "timescaledb-owner", "people who change the schema")
        self.application = self._role("traversion", "timescaledb-traversion", "the API")
        self.reader = self._role("grafana", "timescaledb-grafana", "dashboards, which only read")
        self.monitor = self._role("postgres_exporter", "timescaledb-exporter", "the metrics exporter")
        self.backup = self._role("backup", "timescaledb-backup", "the backup jobs")
        self.backups = self._backups()
        self._server()
        disruption_budget(self, self.component, "timescaledb")
        self._schema()
        self.job_metrics = self._jobs(self.backups) if self.backups else None
        """Where the jobs leave their metrics, if there are any."""

    def pool_size(self, pods: int) -> int:
        """Return how many connections each of so many API pods may open, so that all fit at once."""
        reserved = sum(CONNECTION_LIMITS.values()) + _OTHER_CONNECTIONS
        size = (self.settings.max_connections - reserved) // pods
        if size < 1:
            raise refuse(
                "database.max_connections",
                self.settings.max_connections,
                f"must be at least {pods + reserved}: one for each of {pods} API pods, {reserved} for others",
            )
        return size

    def _component(self) -> Component:
        ports = {"postgresql": self.port} | ({"backup-agent": AGENT_PORT} if self.settings.backups else {})
        return self._platform.make_component("timescaledb", "database", self.settings.image.tag).with_ports(
            **ports
        )

    def _role(self, name: str, secret: str, user: str) -> Credential:
        sources: dict[str, Source] = {"username": Fixed(name), "password": Random()}
        purpose = f"database role of {user}"
        return self._platform.credentials.declare(self.component, secret, purpose, sources)

    def _backups(self) -> Backups | None:
        settings = self.settings
        if not settings.backups:
            return None
        return Backups(self, self._platform, settings.backups, image=settings.image, database=self.component)

    def _server(self) -> None:
        settings = self.settings
        storage_class = self._platform.storage.ssd(zone_replicated=settings.zone_replicated)
        data = Claim("data", settings.storage, storage_class)
        database_server(
            self,
            self._platform,
            self.component,
            settings,
            certificate=self.certificate,
            superuser_password=self.superuser.key("password"),
            claim=data,
            configuration=server_files(settings, archives=self.backups is not None),
            additions=self.backups.additions(data, self.certificate) if self.backups else Additions(),
        )

    def _schema(self) -> None:
        component = self._platform.make_component("timescaledb-schema", "migration", self.settings.image.tag)
        self._platform.network.allow(
            component, self.component, self.port, because="bring the schema up to date"
        )
        files = ConfigFiles("schema", "timescaledb-schema", schema_files(self.settings)).create(
            self, component
        )
        passwords = {
            f"{role.upper()}_PASSWORD": credential.key("password")
            for role, credential in (
                ("traversion_owner", self.owner),
                ("traversion", self.application),
                ("grafana", self.reader),
                ("postgres_exporter", self.monitor),
                ("backup", self.backup),
            )
        }
        runner = Container(
            name="apply-schema",
            image=self.settings.image,
            resources=_SCHEMA_RUNNER,
            command=["/bin/sh", f"{SCRIPTS_DIRECTORY}/apply-schema.sh"],
            environment={**self.connection(self.superuser), **passwords},
            mounts=[Mount(files, SCRIPTS_DIRECTORY), Mount(self.certificate.trust, "/etc/trust")],
        )
        pod = Pod([runner], uid=UID, gid=UID, restart_policy="OnFailure")
        job(
            Construct(self, "schema"),
            self._platform,
            component,
            "timescaledb-schema",
            pod,
            deadline_seconds=3600,
        )

    def _jobs(self, backups: Backups) -> Pushgateway:
        self._reserve_restored_server()
        gateway = Pushgateway(self, self._platform, backups.settings.pushgateway)
        BackupJobs(
            self,
            self._platform,
            backups,
            database=self.component,
            host=self.host,
            certificate=self.certificate,
            connection=self.connection(self.backup),
            gateway=gateway,
        )
        if backups.settings.rehearsal:
            Rehearsal(
                self,
                self._platform,
                backups.settings.rehearsal,
                backups,
                storage=self.settings.storage,
                gateway=gateway,
            )
        return gateway

    def _reserve_restored_server(self) -> None:
        """Have the quota admit a restored server beside this one: nobody wants to raise it at night."""
        self._platform.capacity.add_pods(1, [self.settings.resources, renewal.RESOURCES], [RESTORER])
        self._platform.capacity.add_claim(self.settings.storage)

    def connection(self, credential: Credential) -> dict[str, EnvValue]:
        """Return libpq's variables; the mount ``/etc/trust`` goes with them."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": credential.key("username"),
            "PGPASSWORD": credential.key("password"),
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": "/etc/trust/ca.crt",
            "PGCONNECT_TIMEOUT": "10",
        }
