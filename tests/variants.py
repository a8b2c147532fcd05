"""Environments that nobody deploys yet somebody might: every option that the three of ours leave alone."""

from collections.abc import Mapping

from tests.manifests import change
from traversion.contract import UPSTREAM_1_0_0
from traversion.settings import (
    AlertReceivers,
    ArchiveSettings,
    AuthoritySettings,
    BackupSettings,
    ClientLimits,
    Cloudflare,
    ClusterSettings,
    CredentialSettings,
    Environment,
    GatewaySettings,
    Image,
    IngressSettings,
    MonitoringAccess,
    NginxSettings,
    OffsiteSettings,
    OidcSettings,
    PlacementSettings,
    PosixRepository,
    Route53,
    S3Repository,
    SecretReference,
)

OIDC = OidcSettings(
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
