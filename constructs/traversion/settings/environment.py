"""One environment, and what its groups of settings must agree on."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from traversion.contract import REQUEST_SECONDS
from traversion.settings.api import ApiSettings
from traversion.settings.authority import AuthoritySettings
from traversion.settings.base import Image, Settings, refuse
from traversion.settings.cluster import ClusterSettings, CredentialSettings, PlacementSettings
from traversion.settings.ingress import Hosts, IngressSettings
from traversion.settings.observability import ObservabilitySettings
from traversion.settings.redis import RedisSettings
from traversion.settings.timescaledb import TimescaleDbSettings
from traversion.values import DomainName, EnvironmentName, NamespaceName


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
    authority: AuthoritySettings = AuthoritySettings()
    """The authority that signs certificates between components."""
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
        if self.ingress.front.namespace == self.namespace:
            raise refuse(
                "ingress.controller_namespace",
                self.namespace,
                "the controller runs in a namespace of its own: this one admits no pods beside Traversion's",
            )
        within = self.observability.objectives.latency_seconds
        timed = self.api.contract.metric(REQUEST_SECONDS.name)
        if timed and within not in timed.buckets:
            raise refuse(
                "observability.objectives.latency_seconds",
                within,
                f"the image counts requests up to one of {', '.join(map(str, timed.buckets))} seconds",
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
