"""Programs that translate somebody else's state into metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.observability.extensions import CERTIFICATES, certificate_metrics, postgres_queries
from traversion.observability.prometheus import ScrapeTarget
from traversion.observability.text import to_yaml
from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.pods import Container, EnvValue, Pod, http_probe
from traversion.platform.rbac import allow_cluster, allow_in_namespace, call_kubernetes
from traversion.platform.volumes import ConfigFiles, Mount
from traversion.platform.workloads import deployment
from traversion.redis_cache import RedisCache
from traversion.settings import ExporterSettings
from traversion.timescaledb import TimescaleDb

_NOBODY = 65534


class PostgresExporter:
    """Logs in to the database as the role that sees statistics, over verified TLS."""

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: ExporterSettings,
        database: TimescaleDb,
    ) -> None:
        """Create the Deployment ``postgres-exporter``."""
        component = platform.make_component("postgres-exporter", "metrics", settings.image.tag).with_ports(
            metrics=9187
        )
        platform.network.allow(component, database.component, database.port, because="read statistics")
        environment: dict[str, EnvValue] = {
            "DATA_SOURCE_URI": f"{database.host}:{database.port}/{database.database_name}"
            "?sslmode=verify-full&sslrootcert=/etc/trust/ca.crt",
            "DATA_SOURCE_USER": database.monitor.key("username"),
            "DATA_SOURCE_PASS": database.monitor.key("password"),
        }
        queries = ConfigFiles(
            "queries", "postgres-exporter-queries", {"queries.yaml": to_yaml(postgres_queries())}
        )
        container = Container(
            name="postgres-exporter",
            image=settings.image,
            resources=settings.resources,
            args=["--extend.query-path=/etc/queries/queries.yaml"],
            ports=component.ports,
            environment=environment,
            mounts=[Mount(database.certificate.trust, "/etc/trust"), Mount(queries, "/etc/queries")],
            readiness=http_probe("/", "metrics"),
            liveness=http_probe("/", "metrics", failures=6),
        )
        own = _run(scope, platform, component, Pod([container], uid=_NOBODY, gid=_NOBODY))
        queries.create(own, component)
        self.target = ScrapeTarget("timescaledb", component, "metrics")


class RedisExporter:
    """Logs in to Redis as the user that may only ask for statistics, over verified TLS."""

    def __init__(
        self, scope: Construct, platform: Platform, settings: ExporterSettings, redis: RedisCache
    ) -> None:
        """Create the Deployment ``redis-exporter``."""
        component = platform.make_component("redis-exporter", "metrics", settings.image.tag).with_ports(
            metrics=9121
        )
        platform.network.allow(component, redis.component, redis.port, because="read statistics")
        container = Container(
            name="redis-exporter",
            image=settings.image,
            resources=settings.resources,
            ports=component.ports,
            environment={
                "REDIS_ADDR": f"rediss://{redis.host}:{redis.port}",
                "REDIS_EXPORTER_TLS_CA_CERT_FILE": "/etc/trust/ca.crt",
                "REDIS_USER": "exporter",
                "REDIS_PASSWORD": redis.credential.key("exporter-password"),
            },
            mounts=[Mount(redis.certificate.trust, "/etc/trust")],
            readiness=http_probe("/health", "metrics"),
            liveness=http_probe("/health", "metrics", failures=6),
        )
        _run(scope, platform, component, Pod([container], uid=59000, gid=59000))
        self.target = ScrapeTarget("redis", component, "metrics")


class KubeStateMetrics:
    """Reads the Kubernetes objects and cert-manager's certificates of this namespace and no other."""

    _KINDS: Mapping[str, Sequence[str]] = {
        "": ("persistentvolumeclaims", "pods", "resourcequotas"),
        "apps": ("deployments", "statefulsets"),
        "autoscaling": ("horizontalpodautoscalers",),
        "batch": ("cronjobs", "jobs"),
        "policy": ("poddisruptionbudgets",),
    }

    def __init__(self, scope: Construct, platform: Platform, settings: ExporterSettings) -> None:
        """Create the Deployment ``kube-state-metrics`` and a Role that lists what it counts.

        Before it lists custom resources it asks the cluster which kinds of them there are.
        """
        component = platform.make_component("kube-state-metrics", "metrics", settings.image.tag).with_ports(
            metrics=8080, telemetry=8081
        )
        call_kubernetes(platform, component, because="watch the namespace's objects")
        custom = ConfigFiles(
            "custom-resources",
            "kube-state-metrics-custom-resources",
            {"config.yaml": to_yaml(certificate_metrics())},
        )
        kinds = sorted(kind for kinds in self._KINDS.values() for kind in kinds)
        container = Container(
            name="kube-state-metrics",
            image=settings.image,
            resources=settings.resources,
            args=[
                f"--namespaces={component.namespace}",
                f"--resources={','.join(kinds)}",
                "--custom-resource-state-config-file=/etc/custom-resources/config.yaml",
            ],
            ports=component.ports,
            mounts=[Mount(custom, "/etc/custom-resources")],
            readiness=http_probe("/readyz", "telemetry"),
            liveness=http_probe("/livez", "metrics", timeout=5, failures=6),
        )
        own = _run(
            scope,
            platform,
            component,
            Pod([container], uid=_NOBODY, gid=_NOBODY, calls_kubernetes=True),
        )
        rules = [
            k8s.PolicyRule(api_groups=[group], resources=list(kinds), verbs=["list", "watch"])
            for group, kinds in self._KINDS.items()
        ]
        custom.create(own, component)
        group, _, _, plural = CERTIFICATES
        rules.append(k8s.PolicyRule(api_groups=[group], resources=[plural], verbs=["list", "watch"]))
        allow_in_namespace(own, component, rules)
        definitions = k8s.PolicyRule(
            api_groups=["apiextensions.k8s.io"],
            resources=["customresourcedefinitions"],
            verbs=["list", "watch"],
        )
        allow_cluster(own, component, [definitions])
        self.target = ScrapeTarget("kube-state-metrics", component, "metrics", describes_others=True)


def _run(scope: Construct, platform: Platform, component: Component, pod: Pod) -> Construct:
    own = Construct(scope, component.name)
    watching = replace(pod, priority_class=platform.monitoring_priority)
    deployment(own, platform, component, component.name, watching)
    return own
