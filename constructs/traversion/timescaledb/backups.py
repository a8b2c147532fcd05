"""Backups by pgBackRest: what archives the database's WAL, and what every job needs to use a repository."""

from collections.abc import Iterable

from constructs import Construct

from traversion.platform import Platform
from traversion.platform.certificates import ServingCertificate
from traversion.platform.component import Component
from traversion.platform.pods import Container, EnvValue, Pod, exec_probe
from traversion.platform.volumes import Claim, ConfigFiles, IdentityToken, Mount, Scratch, SecretFiles
from traversion.platform.workloads import persistent_volume_claim
from traversion.settings import BackupSettings, Image, PosixRepository, Resources
from traversion.timescaledb import pgbackrest
from traversion.timescaledb.files import BACKUP_SCRIPTS_DIRECTORY, DATA_VOLUME, SOCKET_DIRECTORY, scripts
from traversion.timescaledb.server import SOCKET, UID, Additions

BACKUP_CLIENT = "timescaledb-backup"
"""The component of the backup jobs, and so the common name of their certificate."""

_AGENT = Resources(cpu="100m", cpu_limit="1", memory="128Mi", memory_limit="512Mi")
RESTORER = Resources(cpu="1", cpu_limit="2", memory="512Mi", memory_limit="1Gi")
"""Of what restores a backup for a person."""
_SPOOL = Mount(Scratch("spool", "1Gi"), pgbackrest.SPOOL_DIRECTORY)


class Backups:
    """The repositories of one environment, and how pods use them.

    Declares the Secret ``timescaledb-repositories`` with their keys and creates the ConfigMap
    ``timescaledb-pgbackrest``; with a repository in this cluster, the claim ``timescaledb-backups`` as well.
    """

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: BackupSettings,
        *,
        image: Image,
        database: Component,
    ) -> None:
        """Prepare the backups of ``database``, whose image has pgBackRest in it."""
        self._scope = Construct(scope, "repositories")
        self._platform = platform
        self._database = database
        self.settings = settings
        self.image = image
        self.placed = pgbackrest.repositories(settings, platform.instance)
        self._keys = self._declare_keys()
        self._volume = self._claim(settings)
        text = pgbackrest.database_end(self.placed, client=BACKUP_CLIENT)
        self.database_end = self.configuration("timescaledb-pgbackrest", text).create(self._scope, database)

    def _declare_keys(self) -> SecretFiles:
        keys = {key: source for placed in self.placed for key, source in placed.keys.items()}
        purpose = "keys of the repositories; without a cipher-pass nobody can read what is in one"
        self._platform.credentials.declare(self._database, "timescaledb-repositories", purpose, keys)
        return SecretFiles("repository-keys", "timescaledb-repositories")

    def _claim(self, settings: BackupSettings) -> Claim | None:
        """Create the volume of a repository in this cluster, if that is where the backups go."""
        repository = settings.repository
        if not isinstance(repository, PosixRepository):
            return None
        storage_class = self._platform.storage.ssd()
        claim = Claim("timescaledb-backups", repository.storage, storage_class, existing=True)
        persistent_volume_claim(self._scope, self._platform, self._database, claim)
        return claim

    def configuration(self, config_map: str, text: str) -> ConfigFiles:
        """Return a configuration with the files that it refers to."""
        referred = {name: content for placed in self.placed for name, content in placed.files.items()}
        return ConfigFiles("pgbackrest", config_map, {"pgbackrest.conf": text, **referred})

    @property
    def environment(self) -> dict[str, EnvValue]:
        """The variables of every container that runs pgBackRest."""
        return {**pgbackrest.environment(self.placed)}

    def tools(self, configuration: ConfigFiles, script_files: ConfigFiles) -> list[Mount]:
        """Return what pgBackRest needs in a container, whatever it does there."""
        mounts = [
            Mount(configuration, pgbackrest.CONFIG_DIRECTORY),
            Mount(self._keys, pgbackrest.KEYS_DIRECTORY),
            Mount(script_files, BACKUP_SCRIPTS_DIRECTORY),
        ]
        if self._volume:
            mounts.append(Mount(self._volume, pgbackrest.VOLUME_DIRECTORY))
        if pgbackrest.role_of(self.placed):
            mounts.append(Mount(IdentityToken("identity", "sts.amazonaws.com"), pgbackrest.TOKEN_DIRECTORY))
        return mounts

    @property
    def beside(self) -> Component | None:
        """On whose node a pod must run, to share the volume of a repository in this cluster."""
        return self._database if self._volume else None

    def reach(self, component: Component, *, because: str) -> None:
        """Let a component connect to the repositories."""
        for address, port in pgbackrest.addresses(self.placed):
            self._platform.network.allow(component, address, port, because=because)

    def pod(self, container: Container, before: Iterable[Container] = ()) -> Pod:
        """Return the pod of a job that uses a repository; those that fail stay, so their log can be read."""
        return Pod(
            [container],
            init_containers=list(before),
            uid=UID,
            gid=UID,
            restart_policy="Never",
            beside=self.beside,
        )

    def additions(self, data: Claim, certificate: ServingCertificate) -> Additions:
        """Return what the database's pod gets: pgBackRest for the server, and the agent that jobs talk to."""
        self.reach(self._database, because="archive WAL")
        texts = scripts("pgbackrest-with-keys", "serve-backups.sh")
        files = ConfigFiles("backup-scripts", "timescaledb-backup-agent", texts, executable=True)
        tools = self.tools(self.database_end, files.create(self._scope, self._database))
        agent = Container(
            name="backup-agent",
            image=self.image,
            resources=_AGENT,
            ports={"backup-agent": pgbackrest.AGENT_PORT},
            command=["/bin/bash", f"{BACKUP_SCRIPTS_DIRECTORY}/serve-backups.sh"],
            environment={
                **self.environment,
                "CERTIFICATE_DIRECTORY": pgbackrest.CERTIFICATE_DIRECTORY,
                "INTERVAL_SECONDS": "60",
                "RETRY_SECONDS": "10",
            },
            mounts=[
                *tools,
                _SPOOL,
                Mount(data, DATA_VOLUME),
                Mount(SOCKET, SOCKET_DIRECTORY),
                Mount(certificate.files, pgbackrest.CERTIFICATE_DIRECTORY),
                Mount(certificate.trust, pgbackrest.TRUST_DIRECTORY),
                Mount(Scratch("agent-tmp", "64Mi"), "/tmp"),
            ],
            # It answers whether or not the repositories are ready: a restart would not help those.
            liveness=exec_probe(
                ["pgbackrest", "--io-timeout=3", "server-ping", "127.0.0.1"], period=30, failures=6
            ),
        )
        return Additions(environment=self.environment, mounts=[*tools, _SPOOL], beside=[agent])
