"""Environments that nobody deploys yet somebody might: every option that the three of ours leave alone."""

from collections.abc import Mapping

from tests.manifests import change
from traversion.contract import UPSTREAM_1_0_0
from traversion.settings import (
    AlertmanagerSettings,
    AlertReceivers,
    ArchiveSettings,
    AuthoritySettings,
    BackupSettings,
    ClientLimits,
    Cloudflare,
    ClusterSettings,
    CredentialSettings,
    EmailReceiver,
    Environment,
    GatewaySettings,
    GrafanaSettings,
    Image,
    IngressSettings,
    LokiSettings,
    MonitoringAccess,
    MuteTime,
    NginxSettings,
    ObservabilitySettings,
    OffsiteSettings,
    OidcSettings,
    OperatorSettings,
    PlacementSettings,
    PosixRepository,
    PrometheusSettings,
    ProxyOidcSettings,
    RemoteWrite,
    Route53,
    S3Repository,
    SecretReference,
    WebhookReceiver,
)

OIDC = ProxyOidcSettings(
    issuer_url="https://login.company.com/realms/sre",
    client_id="traversion-monitoring",
    client_secret=SecretReference(name="monitoring-oidc", key="client-secret"),
    email_domains=("company.com",),
)

_OFFSITE = S3Repository(
    bucket="company-traversion",
    region="eu-central-1",
    endpoint="storage.company.com",
    port=9000,
    uri_style="path",
    endpoint_cidrs=("10.20.0.0/16",),
)

_CERTIFICATES = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" * 2
_EVERY_RECEIVER = AlertReceivers(
    pagerduty=True,
    slack_channel="#traversion-alerts",
    email=EmailReceiver(
        smarthost="smtp.company.com:587",
        sender="alerts@company.com",
        to=("sre@company.com", "on-call@company.com"),
        username="alerts",
        cidrs=("10.20.0.0/16",),
    ),
    webhook=WebhookReceiver(cidrs=("10.30.0.0/16",)),
    heartbeat=WebhookReceiver(),
)
_LOG_IN = OidcSettings(
    name="Company SSO",
    client_id="grafana",
    auth_url="https://sso.company.com/authorize",
    token_url="https://sso.company.com/oauth2/token",
    api_url="https://api.sso.company.com:8443/userinfo",
    scopes=("openid", "profile", "email", "groups"),
    allowed_domains=("company.com",),
    allowed_groups=("sre", "developers"),
    admin_groups=("sre",),
    editor_groups=("developers",),
)
_OPERATED = {
    "observability": ObservabilitySettings(
        mode="operator",
        operator=OperatorSettings(
            labels={"release": "monitoring"}, grafana_url="https://grafana.company.com"
        ),
        prometheus=PrometheusSettings(scrape_interval="30s"),
    ),
}

VARIANTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "upstream": ("production", {"api.contract": UPSTREAM_1_0_0}),
    "external-secrets": (
        "production",
        {
            "credentials": CredentialSettings(
                source="external-secrets", store="vault", prefix="traversion/production/", refresh="1d"
            )
        },
    ),
    "posix-backups": (
        "production",
        {
            "database.backups": BackupSettings(
                repository=PosixRepository(storage="500Gi"),
                offsite=OffsiteSettings(repository=_OFFSITE),
                archive=ArchiveSettings(repository=_OFFSITE),
            )
        },
    ),
    "succession": (
        "production",
        {"authority": AuthoritySettings(generation=2, successor=True, trusted=_CERTIFICATES)},
    ),
    "recommendations": ("staging", {"vertical_pod_autoscaler": True}),
    "eks": (
        "staging",
        {"cluster": ClusterSettings(cloud="eks"), "placement": PlacementSettings(spot=True)},
    ),
    "aks": (
        "production",
        {
            "cluster": ClusterSettings(cloud="aks", zones=("westeurope-1", "westeurope-2")),
            "placement": PlacementSettings(spot=True, spread_zones=True),
        },
    ),
    "generic": (
        "dev",
        {
            "placement": PlacementSettings(node_labels={"workload": "traversion", "disk": "fast"}),
            "cluster": ClusterSettings(
                cloud="generic",
                storage_class="local-ssd",
                api_server_cidrs=("192.0.2.10/32",),
                node_cidrs=("10.128.0.0/16",),
                dns_cidrs=("169.254.20.10/32",),
            ),
        },
    ),
    "private-registry": (
        "staging",
        {
            "api.image": Image(
                repository="registry.company.com:5000/traversion",
                tag=f"1.1.0@sha256:{'0' * 64}",
                pull_secret="registry",
            ),
            "observability.alertmanager.receivers": AlertReceivers(),
            "ingress.cors_origins": ("https://app.company.com",),
            "quota_headroom_percent": 0,
        },
    ),
    "highly-available-monitoring": (
        "production",
        {
            "observability.prometheus.replicas": 2,
            "observability.alertmanager": AlertmanagerSettings(
                replicas=3,
                receivers=_EVERY_RECEIVER,
                mute_times=(
                    MuteTime(name="node-upgrades", start="01:00", end="03:00", weekdays=("tuesday",)),
                    MuteTime(name="moving-house", start="22:00", end="24:00", critical=True),
                ),
            ),
        },
    ),
    "long-term-storage": (
        "staging",
        {
            "observability.prometheus.external_labels": {"cluster": "europe-1"},
            "observability.prometheus.remote_write": (
                RemoteWrite(
                    name="mimir",
                    url="https://mimir.company.com/api/v1/push",
                    authentication="basic",
                    username="traversion",
                    headers={"X-Scope-OrgID": "traversion"},
                    keep="traversion[_:].*|up",
                    cidrs=("10.40.0.0/16",),
                ),
                RemoteWrite(name="vendor", url="https://metrics.vendor.io:8443/receive"),
                RemoteWrite(
                    name="open", url="https://thanos.company.com/api/v1/receive", authentication="none"
                ),
            ),
        },
    ),
    "single-sign-on": (
        "staging",
        {
            "observability.grafana": GrafanaSettings(
                oidc=_LOG_IN, loki=LokiSettings(url="http://loki-gateway.logging.svc")
            )
        },
    ),
    "operator": ("production", _OPERATED),
    "operator-with-grafana": (
        "staging",
        {**_OPERATED, "observability.operator": OperatorSettings(grafana="own")},
    ),
    "gateway-traefik": (
        "production",
        {
            "ingress": IngressSettings(
                mode="gateway",
                gateway=GatewaySettings(implementation="traefik"),
                acme_email="sre@company.com",
                cors_origins=("https://app.company.com",),
                allowlist=("198.51.100.0/24", "2001:db8::/32"),
                monitoring=MonitoringAccess(allowlist=("203.0.113.0/24",), oidc=OIDC),
            )
        },
    ),
    "gateway-envoy": (
        "staging",
        {
            "ingress": IngressSettings(
                mode="gateway",
                gateway=GatewaySettings(implementation="envoy-gateway"),
                issuer="letsencrypt-staging",
                acme_email="sre@company.com",
                dns01=Route53(
                    region="eu-central-1",
                    access_key_id="AKIAIOSFODNN7EXAMPLE",
                    secret_access_key=SecretReference(name="route53", key="secret-access-key"),
                ),
                wildcard=True,
                limits=None,
                monitoring=MonitoringAccess(
                    oidc=OIDC.model_copy(update={"groups": ("sre",), "provider_cidrs": ("10.20.0.5/32",)})
                ),
            )
        },
    ),
    "gateway-elsewhere": (
        "dev",
        {
            "ingress": IngressSettings(
                mode="gateway",
                class_name="gke-l7-global-external-managed",
                controller_cidrs=("35.191.0.0/16", "130.211.0.0/22"),
                gateway=GatewaySettings(implementation="other"),
                issuer="self-signed",
                limits=None,
                monitoring=MonitoringAccess(oidc=OIDC),
            )
        },
    ),
    "nginx-oidc": (
        "production",
        {
            "ingress": IngressSettings(
                nginx=NginxSettings(websocket_timeout_seconds=7200, security_headers=True),
                class_name="public",
                controller_namespace="ingress",
                controller_labels={"app": "nginx"},
                acme_email="sre@company.com",
                dns01=Cloudflare(api_token=SecretReference(name="cloudflare", key="api-token")),
                wildcard=True,
                allowlist=("198.51.100.0/24",),
                limits=ClientLimits(requests_per_second=100, logins_per_minute=5),
                monitoring=MonitoringAccess(allowlist=("203.0.113.0/24",), oidc=OIDC),
            )
        },
    ),
}
"""Name -> the environment it starts from, and the settings that it changes."""


def variant(environments: Mapping[str, Environment], name: str) -> Environment:
    """Return a variant's settings, checked."""
    base, changes = VARIANTS[name]
    return change(environments[base], changes)
