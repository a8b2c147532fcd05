"""What an environment may choose. Operators edit ``environments/*.py``; this package says what is possible.

Every setting is checked when it is written down: an unknown name, a value without its unit or a
combination that cannot work is refused with the setting, the value and the remedy, and nothing is
synthesized. Settings are frozen: what was checked is what is deployed.
"""

from traversion.settings.alerting import (
    AlertmanagerSettings,
    AlertReceivers,
    EmailReceiver,
    MuteTime,
    WebhookReceiver,
)
from traversion.settings.api import ApiSettings, AutoscalingTargets, TlsProxySettings
from traversion.settings.authority import AuthoritySettings
from traversion.settings.backups import (
    ArchiveSettings,
    AzureRepository,
    BackupSettings,
    GcsRepository,
    OffsiteSettings,
    PosixRepository,
    RehearsalSettings,
    S3Repository,
)
from traversion.settings.base import Image, Replicas, Resources, Settings, refuse
from traversion.settings.cluster import ClusterSettings, CredentialSettings, PlacementSettings
from traversion.settings.environment import Environment
from traversion.settings.ingress import (
    AzureDns,
    ClientLimits,
    CloudDns,
    Cloudflare,
    GatewaySettings,
    Hosts,
    IngressSettings,
    MonitoringAccess,
    NginxSettings,
    ProxyOidcSettings,
    Route53,
    SecretReference,
)
from traversion.settings.observability import (
    ExporterSettings,
    GrafanaSettings,
    LokiSettings,
    ObjectiveSettings,
    ObservabilitySettings,
    OidcSettings,
    OperatorSettings,
    PrometheusSettings,
    RemoteWrite,
)
from traversion.settings.redis import RedisSettings
from traversion.settings.timescaledb import TimescaleDbSettings

__all__ = [
    "AlertReceivers",
    "AlertmanagerSettings",
    "ApiSettings",
    "ArchiveSettings",
    "AuthoritySettings",
    "AutoscalingTargets",
    "AzureDns",
    "AzureRepository",
    "BackupSettings",
    "ClientLimits",
    "CloudDns",
    "Cloudflare",
    "ClusterSettings",
    "CredentialSettings",
    "EmailReceiver",
    "Environment",
    "ExporterSettings",
    "GatewaySettings",
    "GcsRepository",
    "GrafanaSettings",
    "Hosts",
    "Image",
    "IngressSettings",
    "LokiSettings",
    "MonitoringAccess",
    "MuteTime",
    "NginxSettings",
    "ObjectiveSettings",
    "ObservabilitySettings",
    "OffsiteSettings",
    "OidcSettings",
    "OperatorSettings",
    "PlacementSettings",
    "PosixRepository",
    "PrometheusSettings",
    "ProxyOidcSettings",
    "RedisSettings",
    "RehearsalSettings",
    "RemoteWrite",
    "Replicas",
    "Resources",
    "Route53",
    "S3Repository",
    "SecretReference",
    "Settings",
    "TimescaleDbSettings",
    "TlsProxySettings",
    "WebhookReceiver",
    "refuse",
]
