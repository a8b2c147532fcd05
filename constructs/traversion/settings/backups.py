"""Backups of the database: where they go, how often, how long they stay, and how they are rehearsed."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from traversion.settings.base import Image, Resources, Settings, refuse
from traversion.values import (
    AzureContainer,
    BucketName,
    Cidr,
    CloudRegion,
    CronSchedule,
    DomainName,
    OneWord,
    PemCertificate,
    Period,
    RoleArn,
    StorageAccount,
    StoragePath,
    StorageSize,
    longest_gap,
    seconds_of,
)


class PosixRepository(Settings):
    """Backups on a volume in the same cluster, for clusters without object storage."""

    kind: ClassVar[str] = "posix"

    storage: StorageSize
    """Volume for backups and WAL. The jobs run on the database's node, which a ReadWriteOnce volume wants."""


class ObjectRepository(Settings):
    """What the kinds of object storage have in common. The bucket must exist, and belong to nothing else."""

    path: StoragePath | None = None
    """Path in the bucket; None: the environment and the use, e.g. "/traversion-production/offsite"."""
    endpoint_cidrs: Sequence[Cidr] = ()
    """Networks of a private endpoint, which the pods may then reach instead of the Internet."""


class S3Repository(ObjectRepository):
    """Backups in a bucket of Amazon S3, or of anything that speaks its API."""

    kind: ClassVar[str] = "s3"

    bucket: BucketName
    """The bucket."""
    region: CloudRegion
    """Its region; signatures contain it."""
    endpoint: DomainName | None = None
    """Host that serves the API; None: Amazon's of the region."""
    port: Annotated[int, Field(ge=1, le=65535)] = 443
    """Its port. The connection is always TLS."""
    uri_style: Literal["host", "path"] = "host"
    """Where the bucket stands in requests; most servers that are not Amazon's want "path"."""
    certificate_authority: PemCertificate | None = None
    """The authority of a private endpoint, in PEM; None: those that the image trusts."""
    kms_key: OneWord | None = None
    """Key of AWS KMS for encryption on the server as well; None: the bucket's default."""
    role_arn: RoleArn | None = None
    """Role that the pods assume by their ServiceAccount's token (workload identity); None: a key that you
    supply. pgBackRest knows one role, so all repositories of S3 must name the same."""

    @model_validator(mode="after")
    def _bucket_fits_the_certificate(self) -> Self:
        # A certificate for *.s3.<region>.amazonaws.com is good for one label in front, and a host has no "_".
        if self.uri_style == "host" and set(self.bucket) & set("._"):
            raise refuse(
                "bucket",
                self.bucket,
                'cannot stand in front of a host that TLS verifies: choose a bucket without "." and "_", '
                'or set uri_style="path"',
            )
        return self


class GcsRepository(ObjectRepository):
    """Backups in a bucket of Google Cloud Storage, with a service account's key.

    Workload identity would need the metadata address, which no pod may reach.
    """

    kind: ClassVar[str] = "gcs"

    bucket: BucketName
    """The bucket."""


class AzureRepository(ObjectRepository):
    """Backups in a container of Azure Blob Storage, with the account's key.

    Managed identities would need the metadata address, which no pod may reach.
    """

    kind: ClassVar[str] = "azure"

    account: StorageAccount
    """The storage account, without hierarchical namespace."""
    container: AzureContainer
    """The container."""


def _a_repository(value: object) -> object:
    if not isinstance(value, PosixRepository | ObjectRepository) or type(value) is ObjectRepository:
        raise PydanticCustomError(
            "traversion",
            "is no repository: write S3Repository(bucket=..., region=...), GcsRepository(bucket=...), "
            "AzureRepository(account=..., container=...) or PosixRepository(storage=...)",
        )
    return value


def _in_object_storage(value: object) -> object:
    if isinstance(value, PosixRepository):
        raise PydanticCustomError(
            "traversion",
            "is in the same cluster: write S3Repository(...), GcsRepository(...) or AzureRepository(...)",
        )
    return _a_repository(value)


Repository: TypeAlias = Annotated[
    PosixRepository | S3Repository | GcsRepository | AzureRepository, BeforeValidator(_a_repository)
]
RemoteRepository: TypeAlias = Annotated[
    S3Repository | GcsRepository | AzureRepository, BeforeValidator(_in_object_storage)
]


class OffsiteSettings(Settings):
    """Copies far away: a repository of its own, which gets WAL as well and can be restored from alone."""

    repository: RemoteRepository
    """Object storage in another region, account or cloud."""
    schedule: CronSchedule = "0 4 * * 0"
    """When a full backup starts, in UTC."""
    retention: Period = "90d"
    """How long a full backup is kept, and WAL with it."""


class ArchiveSettings(Settings):
    """What is kept for long: a full backup, and a logical dump that survives a physical defect."""

    repository: RemoteRepository
    """Object storage; it may share a bucket with the off-site copies."""
    schedule: CronSchedule = "0 5 1 * *"
    """When backup and dump start, in UTC."""
    retention: Period = "1y"
    """How long both are kept."""


class RehearsalSettings(Settings):
    """Restores of the newest backup that nobody asked for: into a scratch volume, checked, thrown away."""

    schedule: CronSchedule = "0 6 * * 6"
    """When one starts, in UTC; at least once a week."""
    resources: Resources = Resources(cpu="500m", cpu_limit="2", memory="1Gi", memory_limit="2Gi")
    """CPU and memory of restore and server. The scratch volume is as large as the database's."""

    @model_validator(mode="after")
    def _often_enough(self) -> Self:
        if longest_gap(self.schedule) > seconds_of("7d"):
            raise refuse("schedule", self.schedule, 'must be at least once a week, e.g. "0 6 * * 6"')
        return self


class BackupSettings(Settings):
    """Full and incremental backups by pgBackRest, and every WAL segment in between."""

    repository: Repository
    """Where backups and WAL go, encrypted before they leave the pod."""
    full: CronSchedule = "0 2 * * *"
    """When a full backup starts, in UTC."""
    incremental: CronSchedule | None = "30 * * * *"
    """When an incremental one starts, in UTC; None leaves them out."""
    retention: Period = "30d"
    """How far back a restore can go; in whole days. The newest full backup is never deleted."""
    recovery_point: Period = "1m"
    """What losing the volume can cost at most: the changes of so long, "30s" to "1h". Each such interval with
    a change in it sends a WAL segment, a few kB when it is nearly empty."""
    offsite: OffsiteSettings | None = None
    """Copies in another place; None leaves them out."""
    archive: ArchiveSettings | None = None
    """Copies for long; None leaves them out."""
    rehearsal: RehearsalSettings | None = RehearsalSettings()
    """Restores that prove the backups; None leaves them out."""
    resources: Resources = Resources(cpu="500m", cpu_limit="2", memory="256Mi", memory_limit="1Gi")
    """CPU and memory of a backup's pod; it uses as many processes as the limit has whole CPUs."""
    pushgateway: Image = Image(repository="docker.io/prom/pushgateway", tag="v1.11.3")
    """Where the jobs leave their metrics for Prometheus."""

    @model_validator(mode="after")
    def _kept_from_one_to_the_next(self) -> Self:
        kept = {"": (self.full, self.retention)}
        if self.offsite:
            kept["offsite."] = (self.offsite.schedule, self.offsite.retention)
        if self.archive:
            kept["archive."] = (self.archive.schedule, self.archive.retention)
        for group, (schedule, retention) in kept.items():
            gap = longest_gap(schedule)
            if seconds_of(retention) < max(gap, seconds_of("1d")):
                raise refuse(
                    f"{group}retention",
                    retention,
                    f'is shorter than from one backup to the next, "{schedule}": '
                    f'write at least "{-(-gap // seconds_of("1d"))}d"',
                )
        return self

    @model_validator(mode="after")
    def _recovery_point_possible(self) -> Self:
        if not seconds_of("30s") <= seconds_of(self.recovery_point) <= seconds_of("1h"):
            raise refuse(
                "recovery_point",
                self.recovery_point,
                'write "30s" to "1h": each interval sends a WAL segment',
            )
        return self

    @model_validator(mode="after")
    def _other_places(self) -> Self:
        if self.offsite and place_of(self.offsite.repository) == place_of(self.repository):
            raise refuse(
                "offsite.repository",
                place_of(self.repository),
                "is the bucket of repository: name one in another region, account or cloud",
            )
        roles = {
            each.role_arn
            for each in (self.repository, *(g.repository for g in (self.offsite, self.archive) if g))
            if isinstance(each, S3Repository)
        }
        if len(roles) > 1:
            raise refuse(
                "repository.role_arn",
                sorted(map(str, roles)),
                "pgBackRest assumes one role for all its repositories: name the same in each, or none",
            )
        return self


def place_of(repository: PosixRepository | S3Repository | GcsRepository | AzureRepository) -> str:
    """Name the bucket of a repository, whatever the path in it."""
    match repository:
        case PosixRepository():
            return "a volume"
        case AzureRepository():
            return f"azure:{repository.account}/{repository.container}"
        case S3Repository():
            return f"s3:{repository.endpoint or 'amazonaws.com'}/{repository.bucket}"
        case GcsRepository():
            return f"gcs:{repository.bucket}"
