"""Metrics, alerts and dashboards."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from traversion.settings.alerting import AlertmanagerSettings
from traversion.settings.api import TlsProxySettings
from traversion.settings.base import SMALL, Image, Resources, Settings, refuse
from traversion.values import (
    Cidr,
    DnsLabel,
    DomainName,
    HeaderName,
    HttpsUrl,
    HttpUrl,
    LabelKey,
    LabelValue,
    MetricLabel,
    MetricPattern,
    Period,
    PlainText,
    ServiceUrl,
    StorageSize,
    seconds_of,
)


class RemoteWrite(Settings):
    """A long-term store that Prometheus sends its samples to: Mimir, Thanos Receive, or a vendor.

    The password or token is ``<name>`` in the Secret ``prometheus-remote-write``.
    """

    name: DnsLabel
    """Name, e.g. "mimir"."""
    url: ServiceUrl
    """Where to, e.g. "https://mimir.company.com/api/v1/push"."""
    authentication: Literal["basic", "bearer", "none"] = "bearer"
    """How Prometheus says who it is."""
    username: PlainText | None = None
    """User for ``authentication = "basic"``."""
    headers: Mapping[HeaderName, PlainText] = {}
    """HTTP headers to add, such as the tenant: {"X-Scope-OrgID": "traversion"}."""
    keep: MetricPattern | None = None
    """Send only metrics of such names, e.g. "traversion_.*|up"; everything without it."""
    max_shards: Annotated[int, Field(ge=1, le=200)] = 10
    """Connections at once."""
    capacity: Annotated[int, Field(ge=2000, le=100_000)] = 10_000
    """Samples that wait in memory for each connection; more wait on the volume."""
    cidrs: Sequence[Cidr] = ()
    """Networks of the store where it is not on the Internet."""

    @model_validator(mode="after")
    def _user_is_named_where_one_is_needed(self) -> Self:
        if (self.authentication == "basic") != (self.username is not None):
            raise refuse(
                "username", self.username, 'belongs to authentication = "basic": set both, or neither'
            )
        return self


class PrometheusSettings(Settings):
    """Metrics collection."""

    image: Image = Image(repository="docker.io/prom/prometheus", tag="v3.13.4")
    """Prometheus server, long-term support line."""
    replicas: Literal[1, 2] = 1
    """Pods. Two scrape and alert independently of each other; every alert is told once."""
    retention: Period = "30d"
    """How long metrics are kept; refused where the volume would be full before."""
    storage: StorageSize = "50Gi"
    """Volume of each pod; 80 % of it is the retention by size."""
    scrape_interval: Period = "15s"
    """Distance of two samples; at most 1m, or the alerts on rates go blind."""
    out_of_order_window: Period = "10m"
    """How late a sample may arrive, e.g. because a clock was set back."""
    external_labels: Mapping[MetricLabel, PlainText] = {}
    """Labels of everything that leaves Prometheus, besides ``environment``, e.g. {"cluster": "europe-1"}."""
    remote_write: Sequence[RemoteWrite] = ()
    """Long-term storage elsewhere."""
    resources: Resources = Resources(cpu="250m", cpu_limit="1", memory="1Gi", memory_limit="2Gi")
    """CPU and memory of the server."""

    @model_validator(mode="after")
    def _rates_have_samples(self) -> Self:
        if seconds_of(self.scrape_interval) > seconds_of("1m"):
            raise refuse("scrape_interval", self.scrape_interval, 'must be at most "1m"')
        return self

    @model_validator(mode="after")
    def _labels_are_free(self) -> Self:
        for label in ("environment", "replica"):
            if label in self.external_labels:
                raise refuse("external_labels", label, "is set already: name another label")
        return self

    @model_validator(mode="after")
    def _stores_have_names_of_their_own(self) -> Self:
        names = [each.name for each in self.remote_write]
        for name in names:
            if names.count(name) > 1:
                raise refuse("remote_write", name, "is the name of two: give each its own")
        return self


class OidcSettings(Settings):
    """Log-in through the company's identity provider (OpenID Connect, authorization code with PKCE).

    The client's secret is ``client-secret`` in the Secret ``grafana-oidc``. Register
    ``https://grafana.<domain>/login/generic_oauth`` with the provider.
    """

    name: PlainText = "SSO"
    """What the button says: Sign in with ..."""
    client_id: PlainText
    """Identifier of this client at the provider."""
    auth_url: ServiceUrl
    """Where browsers are sent to log in."""
    token_url: ServiceUrl
    """Where Grafana exchanges the code for tokens."""
    api_url: ServiceUrl
    """Where Grafana reads who the user is (UserInfo)."""
    scopes: Annotated[Sequence[PlainText], Field(min_length=1)] = ("openid", "profile", "email")
    """What is asked for; many providers tell groups for a scope ``groups`` only."""
    allowed_domains: Sequence[DomainName] = ()
    """Domains of e-mail addresses that may log in."""
    allowed_groups: Sequence[PlainText] = ()
    """Groups that may log in."""
    admin_groups: Sequence[PlainText] = ()
    """Groups whose members administer Grafana."""
    editor_groups: Sequence[PlainText] = ()
    """Groups whose members may explore and edit; all others view."""
    cidrs: Sequence[Cidr] = ()
    """Networks of the provider where it is not on the Internet."""

    @model_validator(mode="after")
    def _not_everyone_may_log_in(self) -> Self:
        if not self.allowed_domains and not self.allowed_groups:
            raise refuse(
                "allowed_domains",
                self.allowed_domains,
                "name those who may log in, here or in allowed_groups: at a public provider it is everyone",
            )
        return self

    @model_validator(mode="after")
    def _groups_are_single_words(self) -> Self:
        for setting in ("scopes", "allowed_groups", "admin_groups", "editor_groups"):
            for word in getattr(self, setting):
                if " " in word:
                    raise refuse(setting, word, "Grafana reads a space as the end of it: use another name")
        return self


class LokiSettings(Settings):
    """A Loki that collects the pods' logs already; Grafana shows them."""

    url: HttpUrl
    """Address, e.g. "http://loki-gateway.logging.svc"."""
    namespace: DnsLabel = "logging"
    """Namespace of its pods."""
    pod_labels: Mapping[LabelKey, LabelValue] = {"app.kubernetes.io/name": "loki"}
    """Labels of the pods that answer there."""
    pod_port: Annotated[int, Field(ge=1, le=65535)] = 3100
    """Port of these pods, which need not be the Service's."""


class GrafanaSettings(Settings):
    """Dashboards."""

    image: Image = Image(repository="docker.io/grafana/grafana", tag="12.4.10")
    """Grafana OSS."""
    storage: StorageSize = "1Gi"
    """Volume for users, preferences and sessions; dashboards and data sources come from this repository."""
    resources: Resources = Resources(cpu="100m", cpu_limit="500m", memory="256Mi", memory_limit="512Mi")
    """CPU and memory."""
    oidc: OidcSettings | None = None
    """Log-in through an identity provider; the administrator's password stays for emergencies."""
    loki: LokiSettings | None = None
    """Logs beside the metrics."""


class OperatorSettings(Settings):
    """The cluster's prometheus-operator, for ``mode = "operator"``; by default kube-prometheus-stack."""

    namespace: DnsLabel = "monitoring"
    """Namespace of its Prometheus and Grafana."""
    labels: Mapping[LabelKey, LabelValue] = {"release": "kube-prometheus-stack"}
    """Labels by which its Prometheus picks monitors and rules."""
    prometheus_labels: Annotated[Mapping[LabelKey, LabelValue], Field(min_length=1)] = {
        "app.kubernetes.io/name": "prometheus"
    }
    """Labels of its Prometheus pods; only they may scrape."""
    service: DnsLabel = "prometheus-operated"
    """Service in front of them, for what asks Prometheus: the autoscaler and a Grafana of our own."""
    port: Annotated[int, Field(ge=1, le=65535)] = 9090
    """Port of that Service and of the pods."""
    grafana: Literal["sidecar", "own"] = "sidecar"
    """``sidecar``: dashboards are ConfigMaps that the sidecar of the cluster's Grafana collects; panels that
    ask the database are left out, as that Grafana cannot reach it. ``own``: Grafana is deployed as ever."""
    grafana_url: ServiceUrl | None = None
    """Address of the cluster's Grafana, for the links in alerts; without it they lead to no dashboard."""
    dashboard_labels: Annotated[Mapping[LabelKey, LabelValue], Field(min_length=1)] = {
        "grafana_dashboard": "1"
    }
    """Labels by which the sidecar finds dashboards."""

    @property
    def url(self) -> str:
        """Where its Prometheus answers queries."""
        return f"http://{self.service}.{self.namespace}.svc:{self.port}"

    @model_validator(mode="after")
    def _one_grafana_is_linked_to(self) -> Self:
        if self.grafana == "own" and self.grafana_url:
            raise refuse(
                "grafana_url", self.grafana_url, 'has no effect with grafana = "own": remove the setting'
            )
        return self


class ExporterSettings(Settings):
    """A program that translates somebody else's state into metrics."""

    image: Image
    """The exporter."""
    resources: Resources = SMALL
    """CPU and memory."""


class ObjectiveSettings(Settings):
    """What users may expect of the API (service level objectives). What it may fail is the error budget."""

    availability_percent: Annotated[float, Field(ge=94, lt=100)] = 99.9
    """Requests that are not answered with a 5xx status. Below 94, no burn rate could reach the alerts'."""
    latency_percent: Annotated[float, Field(ge=94, lt=100)] = 95
    """Requests that are answered within ``latency_seconds``."""
    latency_seconds: float = 0.5
    """What is still in time; one of the buckets' bounds in the image's contract."""
    window: Period = "30d"
    """What the error budget is for; no longer than ``prometheus.retention``, which bounds it silently."""


class ObservabilitySettings(Settings):
    """Metrics, alerts and dashboards."""

    mode: Literal["standalone", "operator"] = "standalone"
    """``standalone``: Prometheus, Alertmanager and Grafana of our own. ``operator``: the cluster's
    prometheus-operator gets monitors and rules, and its Alertmanager tells people."""
    operator: OperatorSettings = OperatorSettings()
    """The cluster's prometheus-operator."""
    objectives: ObjectiveSettings = ObjectiveSettings()
    """What the API is measured by."""
    runbooks: HttpsUrl = "https://git.company.com/platform/traversion-kubernetes/-/blob/main/docs/runbooks"
    """Where docs/runbooks of this repository can be read; each alert links to its page there."""

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
    tls_proxy: TlsProxySettings = TlsProxySettings(
        resources=Resources(cpu="10m", cpu_limit="500m", memory="32Mi", memory_limit="128Mi")
    )
    """What encrypts people's connections to Prometheus, Alertmanager and Grafana, in each of their pods."""

    @property
    def has_grafana(self) -> bool:
        """Whether a Grafana of our own is deployed."""
        return self.mode == "standalone" or self.operator.grafana == "own"

    @model_validator(mode="after")
    def _nothing_is_set_in_vain(self) -> Self:
        unused: list[tuple[str, Settings]] = []
        if self.mode == "standalone":
            unused.append(("operator", self.operator))
        else:
            unused += [("prometheus", self.prometheus), ("alertmanager", self.alertmanager)]
        if not self.has_grafana:
            unused += [("grafana", self.grafana), ("tls_proxy", self.tls_proxy)]
        for group, settings in unused:
            default = type(self).model_fields[group].default
            for name in type(settings).model_fields:
                value = getattr(settings, name)
                # Monitors say how often to scrape.
                if value != getattr(default, name) and (group, name) != ("prometheus", "scrape_interval"):
                    raise refuse(
                        f"{group}.{name}",
                        value,
                        f'has no effect with mode = "{self.mode}": remove the setting',
                    )
        return self
