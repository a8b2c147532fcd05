"""Metrics, alerts and dashboards."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from traversion.settings.base import SMALL, Image, Resources, Settings, refuse
from traversion.values import HttpsUrl, Period, SlackChannel, StorageSize, seconds_of


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
    resources: Resources = SMALL
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
