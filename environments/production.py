"""Production."""

from traversion.settings import (
    AlertmanagerSettings,
    AlertReceivers,
    ApiSettings,
    ArchiveSettings,
    AutoscalingTargets,
    BackupSettings,
    Environment,
    GcsRepository,
    Image,
    IngressSettings,
    ObservabilitySettings,
    OffsiteSettings,
    PlacementSettings,
    PrometheusSettings,
    RedisSettings,
    Replicas,
    Resources,
    TimescaleDbSettings,
)

environment = Environment(
    name="production",
    namespace="traversion-system",
    domain="traversion.company.com",
    priority=100_000,
    placement=PlacementSettings(spread_zones=True),
    api=ApiSettings(
        image=Image(repository="registry.company.com/traversion/traversion", tag="1.1.0"),
        replicas=Replicas(minimum=5, maximum=50),
        surge=5,
        autoscaling=AutoscalingTargets(cpu_percent=60, memory_percent=70, requests_per_second=100),
        resources=Resources(cpu="500m", cpu_limit="1", memory="768Mi", memory_limit="1Gi"),
    ),
    database=TimescaleDbSettings(
        storage="200Gi",
        zone_replicated=True,
        resources=Resources(cpu="4", cpu_limit="8", memory="16Gi", memory_limit="16Gi"),
        max_connections=400,
        event_retention="90d",
        backups=BackupSettings(
            repository=GcsRepository(bucket="company-traversion-production-backups"),
            full="0 2 * * *",
            incremental="30 * * * *",
            retention="30d",
            offsite=OffsiteSettings(
                repository=GcsRepository(bucket="company-traversion-production-offsite"), schedule="0 4 * * 0"
            ),
            archive=ArchiveSettings(
                repository=GcsRepository(bucket="company-traversion-production-archive"),
                schedule="0 5 1 * *",
                retention="1y",
            ),
        ),
    ),
    redis=RedisSettings(
        storage="20Gi",
        resources=Resources(cpu="500m", cpu_limit="1", memory="4Gi", memory_limit="4Gi"),
    ),
    observability=ObservabilitySettings(
        prometheus=PrometheusSettings(
            retention="30d",
            storage="100Gi",
            resources=Resources(cpu="500m", cpu_limit="2", memory="4Gi", memory_limit="6Gi"),
        ),
        alertmanager=AlertmanagerSettings(
            receivers=AlertReceivers(pagerduty=True, slack_channel="#traversion-alerts")
        ),
    ),
    ingress=IngressSettings(issuer="letsencrypt", acme_email="sre@company.com"),
)
