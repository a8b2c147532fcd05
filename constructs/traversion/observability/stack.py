"""Everything that watches an environment."""

from constructs import Construct

from traversion.api import TraversionApi
from traversion.contract import TRAVERSION
from traversion.observability.adapter import PrometheusAdapter
from traversion.observability.alertmanager import Alertmanager
from traversion.observability.dashboards import dashboards
from traversion.observability.dashboards.queries import SQL
from traversion.observability.exporters import KubeStateMetrics, PostgresExporter, RedisExporter
from traversion.observability.grafana import Grafana
from traversion.observability.prometheus import MetricsApi, Prometheus, ScrapeTarget, check_retention
from traversion.observability.rules import Place, Subject, rule_groups
from traversion.observability.scope import Group, scoped_dashboard
from traversion.observability.sidecar import relinked, sidecar_dashboards
from traversion.platform import Platform
from traversion.redis_cache import RedisCache
from traversion.settings import Hosts, ObservabilitySettings
from traversion.timescaledb import TimescaleDb


class ObservabilityStack(Construct):
    """Prometheus with alert rules, Alertmanager, Grafana with dashboards, and the exporters they need.

    Watches whichever of API, database and Redis it is given, the namespace's Kubernetes objects, its
    containers and its volumes. Where the API scales on requests, prometheus-adapter serves that number.

    In a cluster with a prometheus-operator, that gets monitors, rules and dashboards instead: then there is
    neither a ``prometheus`` nor an ``alertmanager``, and a ``grafana`` only if the settings ask for one.
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
        self._platform = platform
        self._settings = settings
        self._hosts = hosts
        self._subject = Subject(
            api.contract if api else TRAVERSION,
            self._jobs_without_targets(api, database, redis),
            settings.objectives,
            settings.prometheus.retention,
            database.backups.settings if database and database.backups else None,
        )
        place = Place(platform.instance, settings.runbooks, f"https://{hosts.grafana}")
        self._rules: list[Group] = [*rule_groups(self._subject, place)]
        if settings.mode == "standalone":
            check_retention(settings.prometheus, api.settings.replicas.minimum if api else 0)
        self.alertmanager = (
            Alertmanager(
                self,
                platform,
                settings.alertmanager,
                host_name=hosts.monitoring,
                tls_proxy=settings.tls_proxy,
            )
            if settings.mode == "standalone"
            else None
        )
        self.grafana = self._grafana(database)
        self.prometheus: Prometheus | None = None
        targets = self._targets(api, database, redis)
        metrics = (
            self._standalone(self.alertmanager, targets) if self.alertmanager else self._operated(targets)
        )
        if self.grafana:
            self.grafana.reads(metrics)
        if api and api.settings.scales_on_requests:
            PrometheusAdapter(self, platform, settings.prometheus_adapter, metrics)

    def _jobs_without_targets(
        self, api: TraversionApi | None, database: TimescaleDb | None, redis: RedisCache | None
    ) -> frozenset[str]:
        """Return the scrape jobs that nothing should be missed of."""
        operated = self._settings.mode == "operator"
        watched = {
            "traversion": api is not None,
            "timescaledb": database is not None,
            "redis": redis is not None,
            "backups": database is not None and database.backups is not None,
            "grafana": self._settings.has_grafana,
            # The cluster's watch themselves.
            "prometheus": not operated,
            "alertmanager": not operated,
            SQL: self._settings.has_grafana,
        }
        return frozenset(job for job, is_watched in watched.items() if not is_watched)

    def _grafana(self, database: TimescaleDb | None) -> Grafana | None:
        settings = self._settings
        boards = dashboards(self._subject)
        if settings.mode == "operator":
            boards = {
                file: scoped_dashboard(text, self._rules, self._platform.instance)
                for file, text in boards.items()
            }
        if not settings.has_grafana:
            owner = self._platform.make_component("grafana", "dashboards")
            sidecar_dashboards(self, owner, boards, settings.operator.dashboard_labels)
            return None
        return Grafana(
            self,
            self._platform,
            settings.grafana,
            host_name=self._hosts.grafana,
            tls_proxy=settings.tls_proxy,
            database=database,
            dashboards=boards,
            scrape_interval=settings.prometheus.scrape_interval,
        )

    def _targets(
        self, api: TraversionApi | None, database: TimescaleDb | None, redis: RedisCache | None
    ) -> list[ScrapeTarget]:
        """Create the exporters, and return whom to scrape."""
        platform, settings = self._platform, self._settings
        targets = []
        if self.alertmanager:
            path = f"{self.alertmanager.path}/metrics"
            server = self.alertmanager
            targets.append(
                ScrapeTarget("alertmanager", server.component, "https", path, certificate=server.certificate)
            )
        if self.grafana:
            certificate = self.grafana.certificate
            targets.append(ScrapeTarget("grafana", self.grafana.component, "https", certificate=certificate))
        targets.append(KubeStateMetrics(self, platform, settings.kube_state_metrics).target)
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
        return targets

    def _standalone(self, alertmanager: Alertmanager, targets: list[ScrapeTarget]) -> MetricsApi:
        """Create Prometheus."""
        self.prometheus = Prometheus(
            self,
            self._platform,
            self._settings.prometheus,
            host_name=self._hosts.monitoring,
            tls_proxy=self._settings.tls_proxy,
            targets=targets,
            alertmanager=alertmanager,
            rules=self._rules,
        )
        return self.prometheus.api

    def _operated(self, targets: list[ScrapeTarget]) -> MetricsApi:
        """Tell the cluster's prometheus-operator what to scrape and which rules to evaluate."""
        from traversion.observability.monitors import Monitors  # noqa: PLC0415 # most have no operator

        settings, rules = self._settings.operator, self._rules
        if not self.grafana:
            rules = relinked(rules, settings.grafana_url, self._platform.instance)
        return Monitors(
            self,
            self._platform,
            settings,
            targets=targets,
            scrape_interval=self._settings.prometheus.scrape_interval,
            rules=rules,
        ).api
