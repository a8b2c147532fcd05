"""The database of one environment."""

from constructs import Construct

from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.credentials import Credential, Fixed, Random, Source
from traversion.platform.pods import Container, EnvValue, Pod, exec_probe, tcp_probe
from traversion.platform.volumes import Claim, ConfigFiles, Mount, Scratch
from traversion.platform.workloads import (
    cron_job,
    disruption_budget,
    job,
    persistent_volume_claim,
    service,
    stateful_set,
)
from traversion.settings import BackupSettings, Resources, TimescaleDbSettings, refuse
from traversion.timescaledb.files import (
    CERTIFICATE_DIRECTORY,
    CONFIG_DIRECTORY,
    CONNECTION_LIMITS,
    SOCKET_DIRECTORY,
    schema_files,
    script,
    server_files,
)
from traversion.timescaledb.tuning import SHARED_MEMORY_FRACTION
from traversion.values import bytes_of, format_bytes, seconds_of

_UID = 1000  # "postgres" in timescale/timescaledb-ha
_DATA_VOLUME = "/home/postgres/pgdata"  # The image keeps PGDATA in the directory "data" below it.
_HELPER = Resources(cpu="10m", cpu_limit="100m", memory="32Mi", memory_limit="64Mi")
_SCHEMA_RUNNER = Resources(cpu="50m", cpu_limit="500m", memory="64Mi", memory_limit="128Mi")
_INITDB = "--data-checksums --encoding=UTF8 --auth-local=peer --auth-host=scram-sha-256"
# Superuser, and the schema job beside a person who looks on.
_OTHER_CONNECTIONS = 3 + 2


class TimescaleDb(Construct):
    """One TimescaleDB server with TLS, its schema, a role for each user of it, and scheduled dumps.

    Creates the StatefulSet ``timescaledb`` with one SSD volume, the Services ``timescaledb-service``
    (clients) and ``timescaledb`` (governing), a Job that brings the schema up to date, and a CronJob
    that dumps the database unless backups are off. Raises where memory does not suffice for the
    connections.
    """

    port = 5432
    host = "timescaledb-service"
    database_name = "traversion"

    def __init__(self, platform: Platform, settings: TimescaleDbSettings) -> None:
        """Create the database on the platform."""
        super().__init__(platform, "timescaledb")
        self._platform = platform
        self._settings = settings
        self.component = platform.make_component("timescaledb", "database", settings.image.tag).with_ports(
            postgresql=self.port
        )
        self._storage_class = platform.storage.ssd(zone_replicated=settings.zone_replicated)
        self.certificate = platform.certificates.serving(
            self.component, [self.host, f"timescaledb-0.{self.component.name}"]
        )
        self.superuser = self._role("postgres", "timescaledb-superuser", "the schema job and people in need")
        self.application = self._role("traversion", "timescaledb-traversion", "the API")
        self.reader = self._role("grafana", "timescaledb-grafana", "dashboards, which only read")
        self.monitor = self._role("postgres_exporter", "timescaledb-exporter", "the metrics exporter")
        self._backup_role = self._role("backup", "timescaledb-backup", "the dump job")
        self._server()
        self._services()
        disruption_budget(self, self.component, "timescaledb")
        self._schema()
        if settings.backups:
            self._backups(settings.backups)

    def pool_size(self, pods: int) -> int:
        """Return how many connections each of so many API pods may open, so that all fit at once."""
        reserved = sum(CONNECTION_LIMITS.values()) + _OTHER_CONNECTIONS
        size = (self._settings.max_connections - reserved) // pods
        if size < 1:
            raise refuse(
                "database.max_connections",
                self._settings.max_connections,
                f"must be at least {pods + reserved}: one for each of {pods} API pods, {reserved} for others",
            )
        return size

    def _role(self, name: str, secret: str, user: str) -> Credential:
        sources: dict[str, Source] = {"username": Fixed(name), "password": Random()}
        purpose = f"database role of {user}"
        return self._platform.credentials.declare(self.component, secret, purpose, sources)

    def _server(self) -> None:
        settings = self._settings
        config = ConfigFiles("config", "timescaledb-config", server_files(settings)).create(
            self, self.component
        )
        scripts = ConfigFiles("scripts", "timescaledb-scripts", script("reload-certificate.sh"))
        scripts.create(self, self.component)
        socket = Scratch("socket", "1Mi")
        certificate = self.certificate.files
        shared_memory = bytes_of(settings.resources.memory_limit) // SHARED_MEMORY_FRACTION
        data = Claim("data", settings.storage, self._storage_class)
        accepting = ["pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(self.port)]
        server = Container(
            name="timescaledb",
            image=settings.image,
            resources=settings.resources,
            args=["-c", f"config_file={CONFIG_DIRECTORY}/postgresql.conf"],
            ports=self.component.ports,
            environment={
                "POSTGRES_USER": "postgres",
                "POSTGRES_PASSWORD": self.superuser.key("password"),
                "POSTGRES_INITDB_ARGS": _INITDB,
                # The configuration comes from us; the image's own tuner would write another.
                "NO_TS_TUNE": "true",
                "TIMESCALEDB_TELEMETRY": "off",
            },
            mounts=[
                Mount(data, _DATA_VOLUME),
                Mount(config, CONFIG_DIRECTORY),
                Mount(certificate, CERTIFICATE_DIRECTORY),
                Mount(socket, SOCKET_DIRECTORY),
                Mount(Scratch("tmp", "256Mi"), "/tmp"),
                Mount(
                    Scratch("shared-memory", format_bytes(shared_memory), in_memory=True),
                    "/dev/shm",
                ),
            ],
            # Recovery after a crash replays WAL and must not be interrupted: it may take an hour.
            startup=exec_probe(accepting, failures=360),
            readiness=exec_probe(accepting, period=5),
            # The postmaster accepts connections while it recovers from a crashed backend; let it.
            liveness=tcp_probe("postgresql", timeout=5, failures=6),
            # SIGTERM would wait for every client to leave; this disconnects them and writes a checkpoint.
            pre_stop=[
                "pg_ctl",
                "stop",
                "--pgdata",
                f"{_DATA_VOLUME}/data",
                "--mode",
                "fast",
                "--timeout",
                "100",
            ],
        )
        reloader = Container(
            name="certificate-reloader",
            image=settings.image,
            resources=_HELPER,
            command=["/bin/sh", "/opt/traversion/reload-certificate.sh"],
            environment={"INTERVAL_SECONDS": "60", "CERTIFICATE_DIRECTORY": CERTIFICATE_DIRECTORY},
            mounts=[
                Mount(scripts, "/opt/traversion"),
                Mount(certificate, CERTIFICATE_DIRECTORY),
                Mount(socket, SOCKET_DIRECTORY),
            ],
        )
        pod = Pod(
            [server, reloader],
            uid=_UID,
            gid=_UID,
            grace_seconds=120,
            priority_class=self._platform.data_priority,
        )
        stateful_set(
            self,
            self._platform,
            self.component,
            pod,
            claim=data,
            governing_service=self.component.name,
        )

    def _services(self) -> None:
        ports = {"postgresql": (self.port, "postgresql")}
        service(self, self.component, self.host, ports)
        service(self, self.component, self.component.name, ports, headless=True)

    def _schema(self) -> None:
        component = self._client("timescaledb-schema", "migration", "bring the schema up to date")
        files = ConfigFiles("schema", "timescaledb-schema", schema_files(self._settings)).create(
            self, component
        )
        passwords = {
            f"{role.upper()}_PASSWORD": credential.key("password")
            for role, credential in (
                ("traversion", self.application),
                ("grafana", self.reader),
                ("postgres_exporter", self.monitor),
                ("backup", self._backup_role),
            )
        }
        runner = Container(
            name="apply-schema",
            image=self._settings.image,
            resources=_SCHEMA_RUNNER,
            command=["/bin/sh", "/opt/traversion/apply-schema.sh"],
            environment={**self._connection(self.superuser), **passwords},
            mounts=[Mount(files, "/opt/traversion"), Mount(self.certificate.trust, "/etc/trust")],
        )
        pod = Pod([runner], uid=_UID, gid=_UID, restart_policy="OnFailure")
        job(
            Construct(self, "schema"),
            self._platform,
            component,
            "timescaledb-schema",
            pod,
            deadline_seconds=3600,
        )

    def _backups(self, settings: BackupSettings) -> None:
        component = self._client("timescaledb-backup", "backup", "dump the database")
        scope = Construct(self, "backup")
        scripts = ConfigFiles("scripts", "timescaledb-backup", script("dump.sh")).create(scope, component)
        dumps = Claim("timescaledb-backups", settings.storage, self._platform.storage.ssd(), existing=True)
        persistent_volume_claim(scope, self._platform, component, dumps)
        dump = Container(
            name="dump",
            image=self._settings.image,
            resources=settings.resources,
            command=["/bin/sh", "/opt/traversion/dump.sh"],
            environment={
                **self._connection(self._backup_role),
                "DUMP_DIRECTORY": "/backups",
                "RETENTION_MINUTES": str(seconds_of(settings.retention) // 60),
            },
            mounts=[
                Mount(scripts, "/opt/traversion"),
                Mount(self.certificate.trust, "/etc/trust"),
                Mount(dumps, "/backups"),
            ],
        )
        cron_job(
            scope,
            self._platform,
            component,
            "timescaledb-backup",
            Pod([dump], uid=_UID, gid=_UID, restart_policy="OnFailure"),
            schedule=settings.schedule,
            deadline_seconds=6 * 3600,
        )

    def _client(self, name: str, role: str, reason: str) -> Component:
        component = self._platform.make_component(name, role, self._settings.image.tag)
        self._platform.network.allow(component, self.component, self.port, because=reason)
        return component

    def _connection(self, credential: Credential) -> dict[str, EnvValue]:
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
