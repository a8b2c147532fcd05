"""Grafana: dashboards and data sources from this repository, users and preferences on a volume."""

from collections.abc import Mapping

from constructs import Construct

from traversion.observability.prometheus import Prometheus
from traversion.observability.text import to_yaml
from traversion.platform import Platform
from traversion.platform.credentials import Fixed, Random
from traversion.platform.pods import Container, EnvValue, Pod, http_probe
from traversion.platform.volumes import Claim, ConfigFiles, Mount, Scratch
from traversion.platform.workloads import disruption_budget, service, stateful_set
from traversion.settings import GrafanaSettings
from traversion.timescaledb import TimescaleDb

_UID = 472
_PROVISIONING = "/etc/grafana/provisioning"
_DASHBOARDS = "/etc/grafana/dashboards"


class Grafana:
    """One Grafana with its own log-in; it reads Prometheus and, as a role that cannot write, the database.

    Creates the StatefulSet ``grafana`` and the Service ``grafana-service``.
    """

    port = 3000
    host = "grafana-service"

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: GrafanaSettings,
        *,
        host_name: str,
        database: TimescaleDb | None,
        dashboards: Mapping[str, str],
        scrape_interval: str,
    ) -> None:
        """Create the server with dashboards (file name -> JSON), shown to people at ``host_name``."""
        self._scope = Construct(scope, "grafana")
        self._platform = platform
        self._settings = settings
        self._database = database
        self.component = platform.make_component("grafana", "dashboards", settings.image.tag).with_ports(
            http=self.port
        )
        self._admin = platform.credentials.declare(
            self.component,
            "grafana-admin",
            "first log-in to Grafana, and the key its sessions are encrypted with",
            {"username": Fixed("admin"), "password": Random(), "secret-key": Random()},
        )
        if database:
            platform.network.allow(self.component, database.component, database.port, because="query events")
        self._scrape_interval = scrape_interval
        self._server(host_name, dashboards)
        service(self._scope, self.component, self.host, {"http": (self.port, "http")})
        service(self._scope, self.component, "grafana", {"http": (self.port, "http")}, headless=True)
        disruption_budget(self._scope, self.component, "grafana")

    def reads(self, prometheus: Prometheus) -> None:
        """Let it query Prometheus."""
        self._platform.network.allow(
            self.component, prometheus.component, prometheus.port, because="query metrics"
        )

    def _server(self, host_name: str, dashboards: Mapping[str, str]) -> None:
        data = Claim("data", self._settings.storage, self._platform.storage.ssd())
        mounts = [
            Mount(data, "/var/lib/grafana", sub_path="data"),
            Mount(Scratch("tmp", "64Mi"), "/tmp"),
            *self._provisioning(),
            *self._dashboards(dashboards),
        ]
        if self._database:
            mounts.append(Mount(self._database.certificate.trust, "/etc/trust"))
        server = Container(
            name="grafana",
            image=self._settings.image,
            resources=self._settings.resources,
            ports=self.component.ports,
            environment=self._environment(host_name),
            mounts=mounts,
            startup=http_probe("/api/health", "http", period=5, failures=60),
            readiness=http_probe("/api/health", "http"),
            liveness=http_probe("/api/health", "http", timeout=5, failures=6),
        )
        pod = Pod([server], uid=_UID, gid=_UID, priority_class=self._platform.monitoring_priority)
        stateful_set(
            self._scope,
            self._platform,
            self.component,
            pod,
            claim=data,
            governing_service="grafana",
        )

    def _environment(self, host_name: str) -> dict[str, EnvValue]:
        environment: dict[str, EnvValue] = {
            "GF_SERVER_ROOT_URL": f"https://{host_name}/",
            "GF_SECURITY_ADMIN_USER": self._admin.key("username"),
            "GF_SECURITY_ADMIN_PASSWORD": self._admin.key("password"),
            "GF_SECURITY_SECRET_KEY": self._admin.key("secret-key"),
            "GF_SECURITY_COOKIE_SECURE": "true",
            "GF_SECURITY_COOKIE_SAMESITE": "strict",
            "GF_SECURITY_DISABLE_GRAVATAR": "true",
            "GF_AUTH_ANONYMOUS_ENABLED": "false",
            "GF_USERS_ALLOW_SIGN_UP": "false",
            "GF_LOG_MODE": "console",
            # Nothing is fetched from, or told to, anybody.
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
            "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_NEWS_NEWS_FEED_ENABLED": "false",
        }
        if self._database:
            environment["TIMESCALEDB_PASSWORD"] = self._database.reader.key("password")
        return environment

    def _provisioning(self) -> list[Mount]:
        sources: list[dict[str, object]] = [
            {
                "name": "Prometheus",
                "uid": "prometheus",
                "type": "prometheus",
                "access": "proxy",
                "url": f"http://{Prometheus.host}:{Prometheus.port}",
                "isDefault": True,
                "editable": False,
                # What $__rate_interval is made of: rates over less than four scrapes would be empty.
                "jsonData": {"timeInterval": self._scrape_interval},
            }
        ]
        if self._database:
            sources.append(_database_source(self._database))
        providers = [
            {
                "name": "traversion",
                "folder": "Traversion",
                "type": "file",
                "allowUiUpdates": False,
                "options": {"path": _DASHBOARDS},
            }
        ]
        mounts = []
        for kind, document in (
            ("datasources", {"apiVersion": 1, "prune": True, "datasources": sources}),
            ("dashboards", {"apiVersion": 1, "providers": providers}),
        ):
            files = ConfigFiles(kind, f"grafana-{kind}", {f"{kind}.yaml": to_yaml(document)})
            mounts.append(Mount(files.create(self._scope, self.component), f"{_PROVISIONING}/{kind}"))
        return mounts

    def _dashboards(self, dashboards: Mapping[str, str]) -> list[Mount]:
        """Mount each dashboard from its own ConfigMap: together they outgrow what kubectl can apply."""
        mounts = []
        for file, dashboard in dashboards.items():
            name = f"dashboard-{file.removesuffix('.json')}"
            files = ConfigFiles(name, f"grafana-{name}", {file: dashboard}).create(
                self._scope, self.component
            )
            mounts.append(Mount(files, f"{_DASHBOARDS}/{file.removesuffix('.json')}"))
        return mounts


def _database_source(database: TimescaleDb) -> dict[str, object]:
    return {
        "name": "TimescaleDB",
        "uid": "timescaledb",
        "type": "grafana-postgresql-datasource",
        "access": "proxy",
        "url": f"{database.host}:{database.port}",
        "user": "grafana",
        "editable": False,
        "jsonData": {
            "database": database.database_name,
            "sslmode": "verify-full",
            "tlsConfigurationMethod": "file-path",
            "sslRootCertFile": "/etc/trust/ca.crt",
            "postgresVersion": 1500,
            "timescaledb": True,
            "maxOpenConns": 5,
            "maxIdleConns": 2,
        },
        # Grafana reads the variable; the password itself stands in no file.
        "secureJsonData": {"password": "$__env{TIMESCALEDB_PASSWORD}"},
    }
