"""Grafana: dashboards and data sources from this repository, users and preferences on a volume."""

from collections.abc import Mapping

from constructs import Construct

from traversion.observability.prometheus import MetricsApi
from traversion.observability.text import to_yaml
from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.credentials import Fixed, Random, Supplied
from traversion.platform.flows import Pods, outside
from traversion.platform.pods import Container, EnvValue, Pod, http_probe
from traversion.platform.volumes import Claim, ConfigFiles, Mount, Scratch
from traversion.platform.workloads import disruption_budget, service, stateful_set
from traversion.settings import GrafanaSettings, LokiSettings, OidcSettings, TlsProxySettings
from traversion.timescaledb import TimescaleDb
from traversion.tls_proxy import Inlet, TlsProxy
from traversion.values import port_of

_UID = 472
_PROVISIONING = "/etc/grafana/provisioning"
_DASHBOARDS = "/etc/grafana/dashboards"
_METRICS_TRUST = "/etc/prometheus-trust"


class Grafana:
    """One Grafana with its own log-in; it reads Prometheus and, as a role that cannot write, the database.

    Creates the StatefulSet ``grafana`` and the Service ``grafana-service``. Everybody gets TLS on port 8443;
    3000 is for its own pod.
    """

    port = 3000
    https_port = 8443
    host = "grafana-service"

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: GrafanaSettings,
        *,
        host_name: str,
        tls_proxy: TlsProxySettings,
        database: TimescaleDb | None,
        dashboards: Mapping[str, str],
        scrape_interval: str,
    ) -> None:
        """Prepare the server with dashboards (file name -> JSON), shown to people at ``host_name``.

        It is created when it is told what it `reads`.
        """
        self._scope = Construct(scope, "grafana")
        self._platform = platform
        self._settings = settings
        self._database = database
        component = platform.make_component("grafana", "dashboards", settings.image.tag)
        self.certificate = platform.certificates.serving(component, [self.host])
        inlets = {"https": Inlet(self.https_port, self.port)}
        self._tls_proxy = TlsProxy(tls_proxy, self.certificate, inlets, outlets={})
        self.component = component.with_ports(http=self.port, **self._tls_proxy.ports)
        self._admin = platform.credentials.declare(
            self.component,
            "grafana-admin",
            "first log-in to Grafana, and the key its sessions are encrypted with",
            {"username": Fixed("admin"), "password": Random(), "secret-key": Random()},
        )
        if database:
            platform.network.allow(self.component, database.component, database.port, because="query events")
        if settings.loki:
            loki = Pods("loki", settings.loki.pod_labels, settings.loki.namespace)
            platform.network.allow(self.component, loki, settings.loki.pod_port, because="query logs")
        self._log_in = _single_sign_on(platform, self.component, settings.oidc) if settings.oidc else {}
        self._host_name = host_name
        self._boards = dashboards
        self._scrape_interval = scrape_interval
        ports = {"https": (self.https_port, "https")}
        service(self._scope, self.component, self.host, ports)
        service(self._scope, self.component, "grafana", ports, headless=True)
        disruption_budget(self._scope, self.component, "grafana")

    def reads(self, metrics: MetricsApi) -> None:
        """Create the server, which queries this Prometheus."""
        self._platform.network.allow(self.component, metrics.endpoint, metrics.port, because="query metrics")
        self._server(metrics)

    def _server(self, metrics: MetricsApi) -> None:
        data = Claim("data", self._settings.storage, self._platform.storage.ssd())
        mounts = [
            Mount(data, "/var/lib/grafana", sub_path="data"),
            Mount(Scratch("tmp", "64Mi"), "/tmp"),
            *self._provisioning(metrics),
            *self._dashboards(),
        ]
        if metrics.certificate:
            mounts.append(Mount(metrics.certificate.trust_of("prometheus-trust"), _METRICS_TRUST))
        if self._database:
            mounts.append(Mount(self._database.certificate.trust, "/etc/trust"))
        server = Container(
            name="grafana",
            image=self._settings.image,
            resources=self._settings.resources,
            ports={"http": self.port},
            environment=self._environment(),
            mounts=mounts,
            startup=http_probe("/api/health", "http", period=5, failures=60),
            readiness=http_probe("/api/health", "http"),
            liveness=http_probe("/api/health", "http", timeout=5, failures=6),
        )
        proxy = self._tls_proxy.create(self._scope, self.component)
        pod = Pod([server, proxy], uid=_UID, gid=_UID, priority_class=self._platform.monitoring_priority)
        stateful_set(
            self._scope,
            self._platform,
            self.component,
            pod,
            claim=data,
            governing_service="grafana",
        )

    def _environment(self) -> dict[str, EnvValue]:
        environment: dict[str, EnvValue] = {
            "GF_SERVER_ROOT_URL": f"https://{self._host_name}/",
            "GF_SECURITY_ADMIN_USER": self._admin.key("username"),
            "GF_SECURITY_ADMIN_PASSWORD": self._admin.key("password"),
            "GF_SECURITY_SECRET_KEY": self._admin.key("secret-key"),
            "GF_SECURITY_COOKIE_SECURE": "true",
            # A browser that comes back from the identity provider brings no strict cookie along.
            "GF_SECURITY_COOKIE_SAMESITE": "lax" if self._log_in else "strict",
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
            **self._log_in,
        }
        if self._database:
            environment["TIMESCALEDB_PASSWORD"] = self._database.reader.key("password")
        return environment

    def _provisioning(self, metrics: MetricsApi) -> list[Mount]:
        sources = [_metrics_source(metrics, self._scrape_interval)]
        if self._database:
            sources.append(_database_source(self._database))
        if self._settings.loki:
            sources.append(_logs_source(self._settings.loki))
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

    def _dashboards(self) -> list[Mount]:
        """Mount each dashboard from its own ConfigMap: together they outgrow what kubectl can apply."""
        mounts = []
        for file, dashboard in self._boards.items():
            name = f"dashboard-{file.removesuffix('.json')}"
            files = ConfigFiles(name, f"grafana-{name}", {file: dashboard}).create(
                self._scope, self.component
            )
            mounts.append(Mount(files, f"{_DASHBOARDS}/{file.removesuffix('.json')}"))
        return mounts


def _metrics_source(metrics: MetricsApi, scrape_interval: str) -> dict[str, object]:
    # What $__rate_interval is made of: rates over less than four scrapes would be empty.
    options: dict[str, object] = {"timeInterval": scrape_interval}
    source: dict[str, object] = {
        "name": "Prometheus",
        "uid": "prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": metrics.url,
        "isDefault": True,
        "editable": False,
        "jsonData": options,
    }
    if metrics.certificate:
        options["tlsAuthWithCACert"] = True
        source["secureJsonData"] = {"tlsCACert": f"$__file{{{_METRICS_TRUST}/ca.crt}}"}
    return source


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


def _logs_source(loki: LokiSettings) -> dict[str, object]:
    return {
        "name": "Loki",
        "uid": "loki",
        "type": "loki",
        "access": "proxy",
        "url": loki.url,
        "editable": False,
    }


def _single_sign_on(platform: Platform, grafana: Component, settings: OidcSettings) -> dict[str, EnvValue]:
    """Declare what log-in through an identity provider needs, and return how Grafana is told of it."""
    client = platform.credentials.declare(
        grafana,
        "grafana-oidc",
        "log-in to Grafana through the identity provider",
        {"client-secret": Supplied(f"secret of the client {settings.client_id} at {settings.token_url}")},
    )
    provider = outside("identity-provider", settings.cidrs)
    ports = sorted({port_of(settings.token_url), port_of(settings.api_url)})
    platform.network.allow(grafana, provider, *ports, because="check who logs in")
    options: dict[str, EnvValue] = {
        "ENABLED": "true",
        "NAME": settings.name,
        "CLIENT_ID": settings.client_id,
        "CLIENT_SECRET": client.key("client-secret"),
        "AUTH_URL": settings.auth_url,
        "TOKEN_URL": settings.token_url,
        "API_URL": settings.api_url,
        "SCOPES": " ".join(settings.scopes),
        "ALLOWED_DOMAINS": " ".join(settings.allowed_domains),
        "ALLOWED_GROUPS": " ".join(settings.allowed_groups),
        "GROUPS_ATTRIBUTE_PATH": "groups",
        "ROLE_ATTRIBUTE_PATH": _role(settings),
        "ROLE_ATTRIBUTE_STRICT": "true",
        "ALLOW_ASSIGN_GRAFANA_ADMIN": "false",
        # Whoever the provider lets in gets an account; sign-up with a form stays off.
        "ALLOW_SIGN_UP": "true",
        "USE_PKCE": "true",
        "USE_REFRESH_TOKEN": "true",
    }
    return {f"GF_AUTH_GENERIC_OAUTH_{name}": value for name, value in options.items() if value}


def _role(settings: OidcSettings) -> str:
    """Return the JMESPath expression that makes a role of the user's groups; it is asked at every log-in."""
    roles = [
        f"contains(groups || `[]`, '{group}') && '{role}'"
        for role, groups in (("Admin", settings.admin_groups), ("Editor", settings.editor_groups))
        for group in groups
    ]
    return " || ".join([*roles, "'Viewer'"])
