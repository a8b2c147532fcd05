"""pgBackRest's configuration: the repositories that both ends know, and what each end adds.

Options are those of https://pgbackrest.org/configuration.html. Secret values are not among them: files of
a mounted Secret hold those, each named like its option, and ``pgbackrest-with-keys`` passes them on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from traversion.platform.credentials import Random, Source, Supplied
from traversion.platform.flows import INTERNET, Addresses
from traversion.settings import (
    AzureRepository,
    BackupSettings,
    GcsRepository,
    PosixRepository,
    S3Repository,
    refuse,
)
from traversion.settings.backups import Repository, place_of
from traversion.timescaledb.files import (
    BACKUP_SCRIPTS_DIRECTORY,
    DATA_DIRECTORY,
    PORT,
    SOCKET_DIRECTORY,
)
from traversion.values import millicores_of, seconds_of

STANZA = "traversion"
AGENT_PORT = 8432
"""Where pgBackRest listens beside the database; its default."""
USER = "backup"
"""The role it logs in as, inside the database's pod."""

CONFIG_DIRECTORY = "/etc/pgbackrest"
KEYS_DIRECTORY = "/etc/pgbackrest-keys"
CERTIFICATE_DIRECTORY = "/etc/pgbackrest-tls"
TRUST_DIRECTORY = "/etc/trust"
VOLUME_DIRECTORY = "/var/lib/pgbackrest"
SPOOL_DIRECTORY = "/var/spool/pgbackrest"
TOKEN_DIRECTORY = "/var/run/secrets/sts.amazonaws.com"  # noqa: S105 # a path
LOCK_DIRECTORY = "/tmp/pgbackrest"

Options = Mapping[str, str | int]


@dataclass(frozen=True)
class Placed:
    """A repository, and what makes it the first, the second or the third.

    The numbers stay whichever of them an environment has: they stand in the names of keys.
    """

    number: int
    name: str
    settings: Repository
    path: str
    retention: str

    @property
    def options(self) -> dict[str, str | int]:
        """The options that both ends must agree on."""
        own: dict[str, str | int] = {
            "type": self.settings.kind,
            "path": self.path,
            "cipher-type": "aes-256-cbc",
            # Otherwise thousands of chunks are thousands of objects, and one changed page is a whole chunk.
            "bundle": "y",
            "block": "y",
            **_place(self.settings, self.number),
        }
        return {f"repo{self.number}-{option}": value for option, value in own.items()}

    @property
    def keys(self) -> dict[str, Source]:
        """The secret options, and where each value comes from."""
        prefix = f"repo{self.number}"
        keys: dict[str, Source] = {f"{prefix}-cipher-pass": Random(64)}
        match self.settings:
            case S3Repository(role_arn=None, bucket=bucket):
                keys[f"{prefix}-s3-key"] = Supplied(f"access key ID that may read and write {bucket}")
                keys[f"{prefix}-s3-key-secret"] = Supplied(f"its secret access key, for {bucket}")
            case GcsRepository(bucket=bucket):
                keys[f"{prefix}-gcs-key"] = Supplied(
                    f"JSON key of a service account that may read and write {bucket}"
                )
            case AzureRepository(account=account):
                keys[f"{prefix}-azure-key"] = Supplied(f"access key of the storage account {account}")
        return keys

    @property
    def files(self) -> dict[str, str]:
        """What the configuration refers to and is no secret."""
        if isinstance(self.settings, S3Repository) and self.settings.certificate_authority:
            return {f"repo{self.number}-ca.crt": self.settings.certificate_authority.strip() + "\n"}
        return {}

    @property
    def address(self) -> tuple[Addresses, int] | None:
        """Where connections to it go, and to which port; None for a volume."""
        if isinstance(self.settings, PosixRepository):
            return None
        port = self.settings.port if isinstance(self.settings, S3Repository) else 443
        if not self.settings.endpoint_cidrs:
            return INTERNET, port
        return Addresses(f"{self.name}-backups", self.settings.endpoint_cidrs, by_name=True), port


def repositories(settings: BackupSettings, instance: str) -> list[Placed]:
    """Return the repositories of an environment, each with its place and its retention.

    Raises where one lies in another: the second would find files of the first that its key does not open.
    """
    chosen: list[tuple[int, str, Repository, str]] = [(1, "primary", settings.repository, settings.retention)]
    if settings.offsite:
        chosen.append((2, "offsite", settings.offsite.repository, settings.offsite.retention))
    if settings.archive:
        chosen.append((3, "archive", settings.archive.repository, settings.archive.retention))
    placed = [
        Placed(number, name, repository, _path(repository, f"/{instance}/{name}"), retention)
        for number, name, repository, retention in chosen
    ]
    for one, other in combinations(placed, 2):
        outer, inner = sorted((f"{one.path}/", f"{other.path}/"), key=len)
        if place_of(one.settings) == place_of(other.settings) and inner.startswith(outer):
            raise refuse(
                f"database.backups.{other.name}.repository.path",
                other.path,
                f"shares {place_of(one.settings)} with {one.path} of the {one.name} repository: "
                "write a path of its own, or name another bucket",
            )
    return placed


def _path(settings: Repository, default: str) -> str:
    return VOLUME_DIRECTORY if isinstance(settings, PosixRepository) else settings.path or default


def _place(settings: Repository, number: int) -> Options:
    match settings:
        case PosixRepository():
            return {}
        case S3Repository():
            return _s3(settings, number)
        case GcsRepository():
            return {
                "gcs-bucket": settings.bucket,
                "gcs-key-type": "service",
                "gcs-key": f"{KEYS_DIRECTORY}/repo{number}-gcs-key",
            }
        case AzureRepository():
            return {
                "azure-account": settings.account,
                "azure-container": settings.container,
                "azure-key-type": "shared",
            }


def _s3(settings: S3Repository, number: int) -> Options:
    options: dict[str, str | int] = {
        "s3-bucket": settings.bucket,
        "s3-region": settings.region,
        "s3-endpoint": settings.endpoint or f"s3.{settings.region}.amazonaws.com",
        "s3-uri-style": settings.uri_style,
        "s3-key-type": "web-id" if settings.role_arn else "shared",
        "storage-port": settings.port,
    }
    if settings.kms_key:
        options["s3-kms-key-id"] = settings.kms_key
    if settings.certificate_authority:
        options["storage-ca-file"] = f"{CONFIG_DIRECTORY}/repo{number}-ca.crt"
    return options


def database_end(placed: Sequence[Placed], *, client: str) -> str:
    """Return the configuration beside the database: it archives WAL, and lets ``client`` read the files.

    ``client`` is the common name of the certificate that a backup job presents.
    """
    return _text(
        placed,
        {
            # Segments leave several at a time, and PostgreSQL does not wait for each to arrive.
            "archive-async": "y",
            "spool-path": SPOOL_DIRECTORY,
            "process-max": 2,
            "tls-server-address": "*",
            "tls-server-port": AGENT_PORT,
            "tls-server-auth": f"{client}={STANZA}",
            "tls-server-ca-file": f"{TRUST_DIRECTORY}/ca.crt",
            "tls-server-cert-file": f"{CERTIFICATE_DIRECTORY}/tls.crt",
            "tls-server-key-file": f"{CERTIFICATE_DIRECTORY}/tls.key",
        },
        {},
    )


def job_end(placed: Sequence[Placed], settings: BackupSettings, *, host: str) -> str:
    """Return the configuration of a backup job: it reads the database's files from the agent at ``host``."""
    return _text(
        placed,
        {
            "process-max": max(1, millicores_of(settings.resources.cpu_limit) // 1000),
            "start-fast": "y",  # a checkpoint now, not at the end of the next five minutes
            **dict(_retention(placed)),
        },
        {
            "pg1-host": host,
            "pg1-host-type": "tls",
            "pg1-host-port": AGENT_PORT,
            "pg1-host-ca-file": f"{TRUST_DIRECTORY}/ca.crt",
            "pg1-host-cert-file": f"{CERTIFICATE_DIRECTORY}/tls.crt",
            "pg1-host-key-file": f"{CERTIFICATE_DIRECTORY}/tls.key",
        },
    )


def _retention(placed: Sequence[Placed]) -> Iterator[tuple[str, str | int]]:
    for each in placed:
        yield f"repo{each.number}-retention-full-type", "time"
        yield f"repo{each.number}-retention-full", -(-seconds_of(each.retention) // seconds_of("1d"))
        if each.name == "archive":
            # What is kept for a year is its backups, each with the WAL that it needs, not all WAL since.
            yield f"repo{each.number}-retention-archive-type", "full"
            yield f"repo{each.number}-retention-archive", 1


def _text(placed: Sequence[Placed], own: Options, stanza: Options) -> str:
    options: dict[str, str | int] = {
        # The containers' standard error is the log.
        "log-level-file": "off",
        "log-level-console": "warn",
        "log-level-stderr": "off",
        "lock-path": LOCK_DIRECTORY,
        "compress-type": "zst",
        "cmd": f"{BACKUP_SCRIPTS_DIRECTORY}/pgbackrest-with-keys",
        # A node that died says nothing, and what worked for it would keep its locks for hours.
        "tcp-keep-alive-idle": 60,
        "tcp-keep-alive-interval": 10,
        "tcp-keep-alive-count": 6,
        **{option: value for each in placed for option, value in each.options.items()},
        **own,
    }
    server: Options = {
        "pg1-path": DATA_DIRECTORY,
        "pg1-socket-path": SOCKET_DIRECTORY,
        "pg1-port": PORT,
        "pg1-user": USER,
        "pg1-database": "postgres",
    }
    sections: Mapping[str, Options] = {
        "global": options,
        # Of a segment of WAL every minute nobody wants to read.
        "global:backup": {"log-level-console": "info"},
        "global:restore": {"log-level-console": "info"},
        STANZA: {**server, **stanza},
    }
    return "\n".join(
        f"[{name}]\n" + "".join(f"{option}={value}\n" for option, value in section.items())
        for name, section in sections.items()
    )


def environment(placed: Sequence[Placed]) -> dict[str, str]:
    """Return the variables of every container that runs pgBackRest; the image sets two of them otherwise."""
    variables = {"PGBACKREST_CONFIG": f"{CONFIG_DIRECTORY}/pgbackrest.conf", "PGBACKREST_STANZA": STANZA}
    role = role_of(placed)
    if role:
        variables |= {
            "AWS_ROLE_ARN": role,
            "AWS_WEB_IDENTITY_TOKEN_FILE": f"{TOKEN_DIRECTORY}/token",
        }
    return variables


def role_of(placed: Sequence[Placed]) -> str | None:
    """Return the role that the pods assume, if they do."""
    roles = (each.settings.role_arn for each in placed if isinstance(each.settings, S3Repository))
    return next((role for role in roles if role), None)


def addresses(placed: Sequence[Placed]) -> list[tuple[Addresses, int]]:
    """Return where whoever uses the repositories connects to."""
    found = dict.fromkeys(each.address for each in placed if each.address)
    if role_of(placed):
        found[INTERNET, 443] = None  # AWS's token service
    return list(found)
