"""The Traversion API."""

from collections.abc import Sequence

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.platform import Platform
from traversion.platform.credentials import Random
from traversion.platform.notation import quantity
from traversion.platform.pods import Container, EnvValue, Pod, http_probe, tcp_probe
from traversion.platform.volumes import ConfigFiles, Mount, Scratch
from traversion.platform.workloads import deployment, disruption_budget, service
from traversion.redis_cache import RedisCache
from traversion.settings import ApiSettings
from traversion.timescaledb import TimescaleDb
from traversion.tls_proxy import SECURITY_HEADERS, Inlet, Outlet, TlsProxy

REQUESTS_PER_SECOND = "traversion_http_requests_per_second"
"""The custom metric that the autoscaler asks for and the adapter serves."""

_NAME = "traversion-app"
_TRUST = "/etc/traversion/trust"
_LOOPBACK = "127.0.0.1"


class TraversionApi(Construct):
    """The API: as many equal pods as CPU, memory and requests ask for, between two bounds.

    Creates the Deployment ``traversion-app``, the Service ``traversion-service`` (3333 http, 3334
    websocket and, where the image exports metrics, 9090), a HorizontalPodAutoscaler and a
    PodDisruptionBudget. Where the image listens is its contract's business; the Service's ports stay.

    The image speaks no TLS except to the database. A proxy in the same pod does: the Service's ports lead to
    it, and ``component.ports`` are its ports, the only ones that others may reach. They serve
    ``certificate``, which names the Service. The application reaches Redis through it.
    """

    host = "traversion-service"
    http_port = 3333
    websocket_port = 3334
    metrics_port = 9090

    def __init__(
        self,
        platform: Platform,
        settings: ApiSettings,
        *,
        database: TimescaleDb,
        redis: RedisCache,
        public_url: str,
        cors_origins: Sequence[str] = (),
        body_size: str = "0",
    ) -> None:
        """Create the API, reachable for browsers at ``public_url`` and from ``cors_origins``.

        Its pods refuse request bodies larger than ``body_size``, in nginx notation; 0: none.
        """
        super().__init__(platform, "api")
        self._platform = platform
        self.settings = settings
        self.contract = settings.contract
        self.name = _NAME
        component = platform.make_component("traversion", "api", settings.image.tag)
        self.certificate = platform.certificates.serving(component, [self.host])
        self._proxy = self._tls_proxy(redis, body_size)
        self.component = component.with_ports(**self._proxy.ports)
        self._sessions = platform.credentials.declare(
            self.component,
            "traversion-app",
            "keys that sign the API's tokens and sessions",
            {"jwt-secret": Random(64), "session-secret": Random(64)},
        )
        platform.network.allow(
            self.component, database.component, database.port, because="store and query events"
        )
        platform.network.allow(self.component, redis.component, redis.port, because="keep sessions and cache")
        self._configuration(database, redis, public_url, cors_origins)
        self._deployment(database, redis)
        self._service()
        self._autoscaler()
        disruption_budget(self, self.component, _NAME)

    @property
    def request_ports(self) -> tuple[int, ...]:
        """The ports of a pod where browsers' requests arrive, encrypted; two purposes may share one."""
        return tuple(port for name, port in self.component.ports.items() if name != "metrics")

    def _tls_proxy(self, redis: RedisCache, body_size: str) -> TlsProxy:
        contract = self.contract
        inlets = {"https": Inlet(8443, contract.http_port, body_size, SECURITY_HEADERS)}
        if contract.websocket_port != contract.http_port:
            inlets["wss"] = Inlet(8444, contract.websocket_port)
        if contract.metrics_port:
            inlets["metrics"] = Inlet(9443, contract.metrics_port)
        outlets = {"redis": Outlet(redis.port, redis.host, redis.port, redis.certificate)}
        return TlsProxy(self.settings.tls_proxy, self.certificate, inlets, outlets)

    def _application_ports(self) -> dict[str, int]:
        """Return the image's own ports, in plain text: for the pod's proxy and the kubelet's probes only."""
        ports = {"http": self.contract.http_port}
        if self.contract.websocket_port != self.contract.http_port:
            ports["websocket"] = self.contract.websocket_port
        if self.contract.metrics_port:
            ports["plain-metrics"] = self.contract.metrics_port
        return ports

    def _configuration(
        self, database: TimescaleDb, redis: RedisCache, public_url: str, cors_origins: Sequence[str]
    ) -> None:
        origins = ",".join([public_url, *cors_origins])
        values = {
            "NODE_ENV": "production",
            # Not loopback alone: the kubelet's probes come from the node and ask the application itself. To
            # everybody else the network policies open the proxy's ports only.
            "HOST": "0.0.0.0",  # noqa: S104
            "PORT": str(self.contract.http_port),
            "WS_PORT": str(self.contract.websocket_port),
            "METRICS_PORT": str(self.contract.metrics_port),
            "APP_URL": public_url,
            "CORS_ORIGIN": origins,
            "CORS_ORIGINS": origins,
            "LOG_LEVEL": self.settings.log_level,
            "LOG_JSON": "true",
            "LOG_TO_FILE": "false",
            "NO_COLOR": "true",
            "DATA_DIR": "/app/.traversion",
            # The database's own job takes the backups, once and not once per pod.
            "BACKUP_ENABLED": "false",
            "DB_TYPE": "postgres",
            "DB_HOST": database.host,
            "DB_PORT": str(database.port),
            "DB_NAME": database.database_name,
            "DB_SSL": "true",
            "DB_MAX_CONNECTIONS": str(database.pool_size(self.settings.most_pods)),
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": f"{_TRUST}/ca.crt",
            "NODE_EXTRA_CA_CERTS": f"{_TRUST}/ca.crt",
            "REDIS_ENABLED": "true",
            "REDIS_HOST": _LOOPBACK,  # where the proxy encrypts for it
            "REDIS_PORT": str(redis.port),
        }
        known = {name: value for name, value in values.items() if name in self.contract.environment_keys}
        self._config = ConfigFiles("config", "traversion-config", known).create(self, self.component)

    def _deployment(self, database: TimescaleDb, redis: RedisCache) -> None:
        settings = self.settings
        credentials: dict[str, EnvValue] = {
            "DB_USER": database.application.key("username"),
            "DB_PASSWORD": database.application.key("password"),
            "REDIS_PASSWORD": redis.credential.key("password"),
            "JWT_SECRET": self._sessions.key("jwt-secret"),
            "SESSION_SECRET": self._sessions.key("session-secret"),
        }
        writable = [
            Mount(Scratch(_volume_name(path), "256Mi"), path) for path in self.contract.writable_paths
        ]
        startup, readiness = self._health_probes()
        container = Container(
            name="traversion",
            image=settings.image,
            resources=settings.resources,
            ports=self._application_ports(),
            environment_from=self._config,
            environment=credentials,
            mounts=[*writable, Mount(database.certificate.trust, _TRUST)],
            startup=startup,
            readiness=readiness,
            # Asks the process alone: restarting the API does not heal a database.
            liveness=tcp_probe("http", period=10, timeout=5, failures=6),
            # Keeps serving while endpoints and load balancers forget the pod.
            pre_stop=["sleep", str(settings.drain_seconds)],
        )
        pod = Pod(
            [container, self._proxy.create(self, self.component)],
            uid=self.contract.uid,
            gid=self.contract.gid,
            grace_seconds=settings.grace_seconds,
            priority_class=self._platform.serving_priority,
        )
        deployment(
            self,
            self._platform,
            self.component,
            _NAME,
            pod,
            autoscaled_to=settings.replicas.maximum,
            surge=settings.surge,
            # Argo CD waits for the schema job before it rolls the pods that rely on the schema.
            annotations={"argocd.argoproj.io/sync-wave": "1"},
        )

    def _health_probes(self) -> tuple[k8s.Probe, k8s.Probe]:
        """Return the startup and the readiness probe, within what the image allows one address."""
        path, budget = self.contract.health_path, self.contract.health_budget
        if budget is None:
            return http_probe(path, "http", period=5, failures=36), http_probe(path, "http", period=10)
        # Half of the budget: a second pod's restart on the node must not use up the first one's.
        period = -(-2 * budget.seconds // budget.requests)
        return tcp_probe("http", period=5, failures=36), http_probe(path, "http", period=period)

    def _service(self) -> None:
        target = self.component.ports
        ports = {
            "http": (self.http_port, "https"),
            "websocket": (self.websocket_port, "wss" if "wss" in target else "https"),
        }
        if "metrics" in target:
            ports["metrics"] = (self.metrics_port, "metrics")
        service(self, self.component, self.host, ports, app_protocol="https")

    def _autoscaler(self) -> None:
        replicas = self.settings.replicas
        k8s.KubeHorizontalPodAutoscalerV2(
            self,
            "autoscaler",
            metadata=self.component.metadata(_NAME),
            spec=k8s.HorizontalPodAutoscalerSpecV2(
                scale_target_ref=k8s.CrossVersionObjectReferenceV2(
                    api_version="apps/v1", kind="Deployment", name=_NAME
                ),
                min_replicas=replicas.minimum,
                max_replicas=replicas.maximum,
                metrics=self._scaling_metrics(),
                behavior=k8s.HorizontalPodAutoscalerBehaviorV2(
                    scale_up=_scaling(0, pods=4, percent=100, seconds=30),
                    # Ten minutes of calm, then a tenth a minute: a lull must not cost the next peak.
                    scale_down=_scaling(600, pods=1, percent=10, seconds=60),
                ),
            ),
        )

    def _scaling_metrics(self) -> list[k8s.MetricSpecV2]:
        """CPU stands last: API servers move it there, and Argo CD would report that difference for ever."""
        targets = self.settings.autoscaling
        metrics = []
        if targets.memory_percent:
            metrics.append(_utilization("memory", targets.memory_percent))
        if self.settings.scales_on_requests:
            metrics.append(
                k8s.MetricSpecV2(
                    type="Pods",
                    pods=k8s.PodsMetricSourceV2(
                        metric=k8s.MetricIdentifierV2(name=REQUESTS_PER_SECOND),
                        target=k8s.MetricTargetV2(
                            type="AverageValue",
                            average_value=quantity(str(targets.requests_per_second)),
                        ),
                    ),
                )
            )
        return [*metrics, _utilization("cpu", targets.cpu_percent)]


def _volume_name(path: str) -> str:
    return path.strip("/").replace("/", "-").replace(".", "")


def _utilization(resource: str, percent: int) -> k8s.MetricSpecV2:
    target = k8s.MetricTargetV2(type="Utilization", average_utilization=percent)
    return k8s.MetricSpecV2(
        type="Resource", resource=k8s.ResourceMetricSourceV2(name=resource, target=target)
    )


def _scaling(calm_seconds: int, *, pods: int, percent: int, seconds: int) -> k8s.HpaScalingRulesV2:
    """Allow ``pods`` or ``percent`` more or fewer, whichever is more, every ``seconds`` after a calm."""
    return k8s.HpaScalingRulesV2(
        stabilization_window_seconds=calm_seconds,
        select_policy="Max",
        policies=[
            k8s.HpaScalingPolicyV2(type="Pods", value=pods, period_seconds=seconds),
            k8s.HpaScalingPolicyV2(type="Percent", value=percent, period_seconds=seconds),
        ],
    )
