"""What an environment may choose. Operators edit ``environments/*.py``; this file says what is possible.

Every setting is checked when it is written down: an unknown name, a value without its unit or a
combination that cannot work is refused with the setting, the value and the remedy, and nothing is
synthesized. Settings are frozen: what was checked is what is deployed.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from traversion.contract import REQUESTS, TRAVERSION, Contract
from traversion.values import (
    PRIVATE_NETWORKS,
    BodySize,
    Cidr,
    CpuAmount,
    CronSchedule,
    DnsLabel,
    DomainName,
    EmailAddress,
    EnvironmentName,
    HttpsOrigin,
    ImageRepository,
    ImageTag,
    KeyPrefix,
    LabelKey,
    LabelValue,
    MemorySize,
    NamespaceName,
    Period,
    ResolverCidr,
    SlackChannel,
    StorageSize,
    bytes_of,
    millicores_of,
    seconds_of,
)


class Settings(BaseModel):
    """A group of settings: immutable, and closed to names that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def refuse(setting: str, value: object, remedy: str) -> PydanticCustomError:
    """Build the error of a check across several settings, naming the one to change."""
    return PydanticCustomError(
        "traversion", "{remedy}", {"setting": setting, "value": value, "remedy": remedy}
    )


class Image(Settings):
    """A container image."""

    repository: ImageRepository
    """Registry and path, without the tag."""
    tag: ImageTag
    """One build; a digest may follow as ``@sha256:...``. ``latest`` needs ``allow_mutable_tags``."""
    pull_secret: DnsLabel | None = None
    """Name of an image pull Secret in the namespace, for a private registry. The operator supplies it."""

    @property
    def reference(self) -> str:
        """The image as a Pod names it."""
        return f"{self.repository}:{self.tag}"


class Resources(Settings):
    """CPU and memory of one container. Limits are always set: alerts and the quota compare with them."""

    cpu: CpuAmount
    """Requested CPU, which the scheduler reserves."""
    cpu_limit: CpuAmount
    """CPU above which the kernel throttles; at least the request."""
    memory: MemorySize
    """Requested memory, which the scheduler reserves."""
    memory_limit: MemorySize
    """Memory above which the kernel kills the container; at least the request."""

    @model_validator(mode="after")
    def _limits_cover_requests(self) -> Self:
        if millicores_of(self.cpu_limit) < millicores_of(self.cpu):
            raise refuse("cpu_limit", self.cpu_limit, f"must be at least the request, cpu = {self.cpu}")
        if bytes_of(self.memory_limit) < bytes_of(self.memory):
            raise refuse(
                "memory_limit",
                self.memory_limit,
                f"must be at least the request, memory = {self.memory}",
            )
        return self


_SMALL = Resources(cpu="20m", cpu_limit="200m", memory="64Mi", memory_limit="128Mi")


class Replicas(Settings):
    """Bounds of a horizontally scaled component."""

    minimum: Annotated[int, Field(ge=1, le=1000)]
    """Pods that always run, also during a rollout."""
    maximum: Annotated[int, Field(ge=1, le=1000)]
    """Pods the autoscaler may reach; quota and database connections are sized for it."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise refuse("minimum", self.minimum, f"must not exceed maximum = {self.maximum}")
        return self


class AutoscalingTargets(Settings):
    """What the autoscaler keeps per pod; it follows whichever target asks for the most pods."""

    cpu_percent: Annotated[int, Field(ge=10, le=95)] = 60
    """Average CPU in percent of the request."""
    memory_percent: Annotated[int, Field(ge=10, le=95)] | None = None
    """Average memory in percent of the request; None leaves memory out."""
    requests_per_second: Annotated[int, Field(ge=1)] | None = None
    """Average HTTP requests per second and pod, from Prometheus through the custom metrics API; None leaves
    it out, and so does an image without that metric. The adapter that serves it registers one API for the
    whole cluster, so only one environment may ask."""


class ApiSettings(Settings):
    """The Traversion API."""

    image: Image
    """The image, built elsewhere. ``TRAVERSION_IMAGE_TAG`` overrides its tag for one synthesis."""
    contract: Contract = TRAVERSION
    """What that image promises: ports, paths, environment keys, metrics."""
    replicas: Replicas = Replicas(minimum=3, maximum=10)
    """Lower and upper bound of pods."""
    surge: Annotated[int, Field(ge=1, le=100)] = 1
    """Pods above the current count during a rollout. None is taken away before its replacement is ready."""
    autoscaling: AutoscalingTargets = AutoscalingTargets()
    """Targets of the HorizontalPodAutoscaler."""
    resources: Resources = Resources(cpu="250m", cpu_limit="1", memory="512Mi", memory_limit="1Gi")
    """CPU and memory of one pod."""
    log_level: Literal["error", "warn", "info", "debug"] = "info"
    """Verbosity of the JSON log on stdout."""
    drain_seconds: Annotated[int, Field(ge=5, le=300)] = 10
    """Seconds a stopping pod keeps serving while load balancers forget it."""
    grace_seconds: Annotated[int, Field(ge=10, le=3600)] = 60
    """Seconds from the stop signal to the kill, draining included; longer than ``drain_seconds``."""

    @model_validator(mode="after")
    def _time_left_after_draining(self) -> Self:
        if self.grace_seconds <= self.drain_seconds:
            raise refuse(
                "grace_seconds",
                self.grace_seconds,
                f"must be longer than drain_seconds = {self.drain_seconds}",
            )
        return self

    @property
    def scales_on_requests(self) -> bool:
        """Whether the autoscaler asks for requests per second, and the image counts them."""
        wanted = self.autoscaling.requests_per_second is not None
        return wanted and self.contract.metric(REQUESTS.name) is not None

    @property
    def most_pods(self) -> int:
        """Pods that can exist at once: a rollout at full scale."""
        return self.replicas.maximum + self.surge


class BackupSettings(Settings):
    """Logical dumps of the database onto a volume of their own."""

    schedule: CronSchedule = "0 2 * * *"
    """When a dump starts, in UTC."""
    retention: Period = "30d"
    """How long a dump is kept; at least a day. The newest one is never deleted."""
    storage: StorageSize = "50Gi"
    """Volume for the dumps; a compressed dump is commonly a fifth to a tenth of the database."""
    resources: Resources = Resources(cpu="250m", cpu_limit="1", memory="256Mi", memory_limit="512Mi")
    """CPU and memory of the backup pod."""

    @model_validator(mode="after")
    def _retention_covers_a_day(self) -> Self:
        if seconds_of(self.retention) < seconds_of("1d"):
            raise refuse("retention", self.retention, 'must be at least "1d": dumps are pruned by the day')
        return self


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
    backups: BackupSettings | None = BackupSettings()
    """Scheduled dumps; None switches them off."""

    @model_validator(mode="after")
    def _compressed_before_dropped(self) -> Self:
        for setting in ("event_retention", "metric_retention"):
            kept: str = getattr(self, setting)
            if seconds_of(kept) <= seconds_of(self.compress_after):
                raise refuse(setting, kept, f"must be longer than compress_after = {self.compress_after}")
        return self


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


class PrometheusSettings(Settings):
    """Metrics collection."""

    image: Image = Image(repository="docker.io/prom/prometheus", tag="v3.13.4")
    """Prometheus server, long-term support line."""
    retention: Period = "30d"
    """How long metrics are kept, if the volume is not full before."""
    storage: StorageSize = "50Gi"
    """Volume; 80 % of it is the retention by size."""
    scrape_interval: Period = "15s"
    """Distance of two samples; at most 1m, or the alerts on rates go blind."""
    resources: Resources = Resources(cpu="250m", cpu_limit="1", memory="1Gi", memory_limit="2Gi")
    """CPU and memory of the server."""

    @model_validator(mode="after")
    def _rates_have_samples(self) -> Self:
        if seconds_of(self.scrape_interval) > seconds_of("1m"):
            raise refuse("scrape_interval", self.scrape_interval, 'must be at most "1m"')
        return self


class AlertReceivers(Settings):
    """Where alerts go. Keys and webhook addresses come from the Secret ``alertmanager-receivers``."""

    pagerduty: bool = False
    """Page through PagerDuty (Events API v2) for critical alerts."""
    slack_channel: SlackChannel | None = None
    """Post every alert to this Slack channel, e.g. "#traversion-alerts"."""


class AlertmanagerSettings(Settings):
    """Alert routing."""

    image: Image = Image(repository="docker.io/prom/alertmanager", tag="v0.34.1")
    """Alertmanager."""
    receivers: AlertReceivers = AlertReceivers()
    """Destinations; without any, alerts are only shown."""
    storage: StorageSize = "1Gi"
    """Volume for silences and the notification log."""
    resources: Resources = _SMALL
    """CPU and memory."""


class GrafanaSettings(Settings):
    """Dashboards."""

    image: Image = Image(repository="docker.io/grafana/grafana", tag="12.4.10")
    """Grafana OSS."""
    storage: StorageSize = "1Gi"
    """Volume for users, preferences and sessions; dashboards and data sources come from this repository."""
    resources: Resources = Resources(cpu="100m", cpu_limit="500m", memory="256Mi", memory_limit="512Mi")
    """CPU and memory."""


class ExporterSettings(Settings):
    """A program that translates somebody else's state into metrics."""

    image: Image
    """The exporter."""
    resources: Resources = _SMALL
    """CPU and memory."""


class ObservabilitySettings(Settings):
    """Metrics, alerts and dashboards."""

    prometheus: PrometheusSettings = PrometheusSettings()
    """Collection and rules."""
    alertmanager: AlertmanagerSettings = AlertmanagerSettings()
    """Routing of alerts."""
    grafana: GrafanaSettings = GrafanaSettings()
    """Dashboards."""
    postgres_exporter: ExporterSettings = ExporterSettings(
        image=Image(repository="quay.io/prometheuscommunity/postgres-exporter", tag="v0.20.1")
    )
    """Metrics of the database."""
    redis_exporter: ExporterSettings = ExporterSettings(
        image=Image(repository="docker.io/oliver006/redis_exporter", tag="v1.93.0")
    )
    """Metrics of Redis."""
    kube_state_metrics: ExporterSettings = ExporterSettings(
        image=Image(repository="registry.k8s.io/kube-state-metrics/kube-state-metrics", tag="v2.19.1")
    )
    """Metrics of the namespace's Kubernetes objects."""
    prometheus_adapter: ExporterSettings = ExporterSettings(
        image=Image(repository="registry.k8s.io/prometheus-adapter/prometheus-adapter", tag="v0.12.0"),
        resources=Resources(cpu="100m", cpu_limit="250m", memory="192Mi", memory_limit="256Mi"),
    )
    """Serves requests per second to the autoscaler; deployed only where the autoscaler asks for it."""


class IngressSettings(Settings):
    """The way in."""

    class_name: DnsLabel = "nginx"
    """IngressClass of the ingress-nginx controller."""
    controller_namespace: DnsLabel = "ingress-nginx"
    """Namespace the controller's pods run in; only they may reach the API, Grafana and Prometheus."""
    issuer: Literal["self-signed", "letsencrypt-staging", "letsencrypt"] = "letsencrypt"
    """Who signs the public certificates. Let's Encrypt needs ``acme_email``."""
    acme_email: EmailAddress | None = None
    """Mailbox that the certificate authority warns."""
    cors_origins: Sequence[HttpsOrigin] = ()
    """Web origins besides the API's own that browsers may call it from."""
    requests_per_second: Annotated[int, Field(ge=1, le=10000)] = 50
    """Requests per second and client address, per controller replica; five times that in a burst."""
    connections: Annotated[int, Field(ge=1, le=10000)] = 50
    """Connections at once per client address, per controller replica."""
    body_size: BodySize = "50m"
    """Largest request body in nginx notation ("50m" is 50 MiB)."""
    websocket_timeout_seconds: Annotated[int, Field(ge=300, le=86400)] = 3600
    """Seconds without a frame after which a WebSocket is closed; at least 300."""

    @model_validator(mode="after")
    def _acme_has_a_mailbox(self) -> Self:
        if self.issuer != "self-signed" and self.acme_email is None:
            raise refuse(
                "acme_email",
                None,
                f'is required for issuer = "{self.issuer}": write the mailbox of the on-call team',
            )
        return self


class ClusterSettings(Settings):
    """The cluster the environment lands on."""

    cloud: Literal["gke", "eks", "aks", "generic"] = "gke"
    """Cloud provider: chooses the CSI provisioner of the SSD StorageClass and the labels of spot nodes. Fixed
    once applied, as a StorageClass cannot change."""
    storage_class: DnsLabel | None = None
    """Existing StorageClass to use; required for ``generic``, refused elsewhere (the class is made)."""
    zones: Sequence[str] = ()
    """Zones of zone-replicated volumes, e.g. ("europe-west1-b", "europe-west1-c"); empty: any two."""
    api_server_cidrs: Annotated[Sequence[Cidr], Field(min_length=1)] = ("0.0.0.0/0",)
    """Addresses of the Kubernetes API server; narrow it where they are known."""
    node_cidrs: Annotated[Sequence[Cidr], Field(min_length=1)] = PRIVATE_NETWORKS
    """Addresses of the nodes, whose kubelets Prometheus scrapes."""
    dns_cidrs: Sequence[ResolverCidr] = ()
    """Address of a node-local DNS cache, e.g. ("169.254.20.10/32",), besides kube-dns."""

    @model_validator(mode="after")
    def _storage_class_fits_the_cloud(self) -> Self:
        if self.cloud == "generic" and self.storage_class is None:
            raise refuse(
                "storage_class",
                None,
                'is required for cloud = "generic": name an existing SSD StorageClass',
            )
        if len(self.zones) == 1:
            raise refuse("zones", self.zones, "a volume is kept in two zones: name at least two, or none")
        if self.cloud != "generic" and self.storage_class is not None:
            raise refuse(
                "storage_class",
                self.storage_class,
                f'is for cloud = "generic" only, "{self.cloud}" gets a class of its own: remove the setting',
            )
        return self


class PlacementSettings(Settings):
    """Which nodes pods run on."""

    spot: bool = False
    """Prefer and tolerate spot (preemptible) nodes; not for data that must not wait."""
    spread_zones: bool = False
    """Keep the pods of one component in different zones, not only on different nodes."""
    node_labels: Mapping[LabelKey, LabelValue] = {}
    """Labels that a node must have, e.g. {"workload": "traversion"}."""


class CredentialSettings(Settings):
    """Where secret values come from; they never stand in ``dist/``."""

    source: Literal["generated", "external-secrets"] = "generated"
    """``generated``: ``traversion secrets ENV --current -`` prints them for kubectl.
    ``external-secrets``: the External Secrets Operator copies them from a store."""
    store: DnsLabel | None = None
    """ClusterSecretStore to read; required for ``external-secrets``."""
    prefix: KeyPrefix = ""
    """Put before the Secret's name to form the key in the store, e.g. "traversion/production/"."""
    refresh: Period = "1h"
    """How often the operator looks for rotated values."""

    @model_validator(mode="after")
    def _store_is_named(self) -> Self:
        if self.source == "external-secrets" and self.store is None:
            raise refuse(
                "store",
                None,
                'is required for source = "external-secrets": name a ClusterSecretStore',
            )
        return self


class Hosts(Settings):
    """The public host names of one environment."""

    api: str
    websocket: str
    monitoring: str
    grafana: str

    @classmethod
    def under(cls, domain: str) -> Self:
        """Name the hosts below a domain."""
        return cls(
            api=f"api.{domain}",
            websocket=f"ws.{domain}",
            monitoring=f"monitoring.{domain}",
            grafana=f"grafana.{domain}",
        )


class Environment(Settings):
    """One environment: one namespace, one domain, one file in ``dist/``."""

    name: EnvironmentName
    """Short name; also the file name in ``environments/`` and ``dist/``."""
    namespace: NamespaceName
    """Kubernetes namespace; no two environments share one."""
    domain: DomainName
    """Parent of the hosts ``api.``, ``ws.``, ``monitoring.`` and ``grafana.``."""
    priority: Annotated[int, Field(ge=1, le=900_000_000)] = 100_000
    """Scheduling priority of the data stores; the other pods rank below. Environments that share a cluster
    should differ. PriorityClasses cannot change: delete them before applying another value."""
    allow_mutable_tags: bool = False
    """Accept the image tag ``latest``, whose content changes under the same name. For development only."""
    cluster: ClusterSettings = ClusterSettings()
    """The cluster."""
    placement: PlacementSettings = PlacementSettings()
    """The nodes."""
    credentials: CredentialSettings = CredentialSettings()
    """The source of secret values."""
    quota_headroom_percent: Annotated[int, Field(ge=0, le=400)] = 20
    """Room in the quota above the computed maximum, for pods that are still stopping and for debugging."""
    vertical_pod_autoscaler: bool = False
    """Add VerticalPodAutoscalers that only recommend. Needs that operator in the cluster."""
    api: ApiSettings
    """The API."""
    database: TimescaleDbSettings = TimescaleDbSettings()
    """TimescaleDB."""
    redis: RedisSettings = RedisSettings()
    """Redis."""
    observability: ObservabilitySettings = ObservabilitySettings()
    """Prometheus, Alertmanager, Grafana and exporters."""
    ingress: IngressSettings
    """Hosts, certificates and limits."""

    @property
    def hosts(self) -> Hosts:
        """The public host names."""
        return Hosts.under(self.domain)

    @model_validator(mode="after")
    def _possible_here(self) -> Self:
        if self.database.zone_replicated and self.cluster.cloud == "eks":
            raise refuse(
                "database.zone_replicated", value=True, remedy="EBS volumes live in one zone: set it to False"
            )
        if self.database.zone_replicated and self.cluster.cloud == "generic":
            raise refuse(
                "database.zone_replicated",
                value=True,
                remedy="cluster.storage_class decides that on a generic cluster: set it to False",
            )
        if self.placement.spot and self.cluster.cloud == "generic":
            raise refuse(
                "placement.spot",
                value=True,
                remedy="no label marks spot nodes on a generic cluster: use placement.node_labels",
            )
        if self.ingress.controller_namespace == self.namespace:
            raise refuse(
                "ingress.controller_namespace",
                self.namespace,
                "the controller runs in a namespace of its own: this one admits no pods beside Traversion's",
            )
        for path, image in [] if self.allow_mutable_tags else _images(self):
            if image.tag == "latest":
                raise refuse(
                    f"{path}.tag",
                    image.tag,
                    'name one build, e.g. "1.1.0": what "latest" means changes between two pods',
                )
        return self


def _images(settings: Settings, path: str = "") -> list[tuple[str, Image]]:
    found = []
    for name in type(settings).model_fields:
        value: Any = getattr(settings, name)
        if isinstance(value, Image):
            found.append((f"{path}{name}", value))
        elif isinstance(value, Settings):
            found += _images(value, f"{path}{name}.")
    return found
