"""Everything that watches an environment."""

from constructs import Construct

from traversion.api import TraversionApi
from traversion.contract import TRAVERSION
from traversion.observability.adapter import PrometheusAdapter
from traversion.observability.alertmanager import Alertmanager
from traversion.observability.dashboards import dashboards
from traversion.observability.exporters import KubeStateMetrics, PostgresExporter, RedisExporter
from traversion.observability.grafana import Grafana
from traversion.observability.prometheus import Prometheus, ScrapeTarget
from traversion.observability.rules import Place, Subject, rule_groups
from traversion.platform import Platform
from traversion.redis_cache import RedisCache
from traversion.settings import Hosts, ObservabilitySettings
from traversion.timescaledb import TimescaleDb


class ObservabilityStack(Construct):
    """Prometheus with alert rules, Alertmanager, Grafana with dashboards, and the exporters they need.

    Watches whichever of API, database and Redis it is given, the namespace's Kubernetes objects, its
    containers and its volumes. Where the API scales on requests, prometheus-adapter serves that number.
    """

    def __init__(
        self,
        platform: Platform,
        settings: ObservabilitySettings,
        *,
        hosts: Hosts,
        api: TraversionApi | None = None,
        database: TimescaleDb | None = None,
        redis: RedisCache | None = None,
    ) -> None:
        """Create the stack on the platform; its links point to ``hosts``."""
        super().__init__(platform, "observability")
        exports = api.contract if api else TRAVERSION
        backups = database.backups.settings if database and database.backups else None
        watched = {"traversion": api, "timescaledb": database, "redis": redis, "backups": backups}
        unwatched = frozenset(job for job, component in watched.items() if component is None)
        subject = Subject(exports, unwatched, settings.objectives, settings.prometheus.retention, backups)
        self.alertmanager = Alertmanager(self, platform, settings.alertmanager, hosts.monitoring)
        self.grafana = Grafana(
            self,
            platform,
            settings.grafana,
            host_name=hosts.grafana,
            database=database,
            dashboards=dashboards(subject),
            scrape_interval=settings.prometheus.scrape_interval,
        )

        targets = [
            ScrapeTarget(
                "alertmanager",
                self.alertmanager.component,
                "http",
                f"{self.alertmanager.path}/metrics",
            ),
            ScrapeTarget("grafana", self.grafana.component, "http"),
            KubeStateMetrics(self, platform, settings.kube_state_metrics).target,
        ]
        if api and api.contract.metrics_port:
            path, certificate = api.contract.metrics_path, api.certificate
            targets.append(
                ScrapeTarget("traversion", api.component, "metrics", path, certificate=certificate)
            )
        if database:
            targets.append(PostgresExporter(self, platform, settings.postgres_exporter, database).target)
        if database and database.job_metrics:
            targets.append(ScrapeTarget("backups", database.job_metrics.component, "metrics"))
        if redis:
            targets.append(RedisExporter(self, platform, settings.redis_exporter, redis).target)

        self.prometheus = Prometheus(
            self,
            platform,
            settings.prometheus,
            host_name=hosts.monitoring,
            targets=targets,
            alertmanager=self.alertmanager,
            rules=rule_groups(
                subject, Place(platform.instance, settings.runbooks, f"https://{hosts.grafana}")
            ),
        )
        self.grafana.reads(self.prometheus)
        if api and api.settings.scales_on_requests:
            PrometheusAdapter(self, platform, settings.prometheus_adapter, self.prometheus)
