"""Staging: production in small."""

from traversion.settings import (
    AlertmanagerSettings,
    AlertReceivers,
    ApiSettings,
    AutoscalingTargets,
    BackupSettings,
    Environment,
    GcsRepository,
    Image,
    IngressSettings,
    ObservabilitySettings,
    PrometheusSettings,
    RedisSettings,
    Replicas,
    TimescaleDbSettings,
)

environment = Environment(
    name="staging",
    namespace="traversion-staging",
    domain="staging.traversion.company.com",
    priority=10_000,
    api=ApiSettings(
        image=Image(repository="registry.company.com/traversion/traversion", tag="1.1.0"),
        replicas=Replicas(minimum=3, maximum=10),
        surge=2,
        autoscaling=AutoscalingTargets(cpu_percent=70, memory_percent=80),
    ),
    database=TimescaleDbSettings(
        storage="50Gi",
        max_connections=120,
        event_retention="30d",
        backups=BackupSettings(
            repository=GcsRepository(bucket="company-traversion-staging-backups"),
            incremental=None,
            retention="7d",
        ),
    ),
    redis=RedisSettings(storage="10Gi"),
    observability=ObservabilitySettings(
        prometheus=PrometheusSettings(retention="7d", storage="20Gi"),
        alertmanager=AlertmanagerSettings(receivers=AlertReceivers(slack_channel="#traversion-staging")),
    ),
    ingress=IngressSettings(issuer="letsencrypt-staging", acme_email="sre@company.com"),
)
