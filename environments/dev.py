"""Development: small, cheap and disposable."""

from traversion.settings import (
    AlertmanagerSettings,
    ApiSettings,
    AutoscalingTargets,
    Environment,
    GrafanaSettings,
    Image,
    IngressSettings,
    ObservabilitySettings,
    PlacementSettings,
    PrometheusSettings,
    RedisSettings,
    Replicas,
    Resources,
    TimescaleDbSettings,
)

environment = Environment(
    name="dev",
    namespace="traversion-dev",
    domain="dev.traversion.company.com",
    priority=1_000,
    allow_mutable_tags=True,
    placement=PlacementSettings(spot=True),
    api=ApiSettings(
        image=Image(repository="registry.company.com/traversion/traversion", tag="1.1.0"),
        replicas=Replicas(minimum=1, maximum=2),
        autoscaling=AutoscalingTargets(cpu_percent=80),
        resources=Resources(cpu="100m", cpu_limit="500m", memory="256Mi", memory_limit="512Mi"),
        log_level="debug",
    ),
    database=TimescaleDbSettings(
        storage="10Gi",
        resources=Resources(cpu="100m", cpu_limit="1", memory="1Gi", memory_limit="1Gi"),
        max_connections=60,
        event_retention="14d",
        metric_retention="14d",
        backups=None,
    ),
    redis=RedisSettings(
        storage="1Gi",
        resources=Resources(cpu="50m", cpu_limit="250m", memory="128Mi", memory_limit="256Mi"),
    ),
    observability=ObservabilitySettings(
        prometheus=PrometheusSettings(
            retention="2d",
            storage="5Gi",
            resources=Resources(cpu="100m", cpu_limit="500m", memory="512Mi", memory_limit="1Gi"),
        ),
        alertmanager=AlertmanagerSettings(),
        grafana=GrafanaSettings(),
    ),
    ingress=IngressSettings(issuer="self-signed"),
)
