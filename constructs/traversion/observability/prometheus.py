"""Prometheus: what it scrapes, which rules it evaluates, what it may read of Kubernetes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.observability.alertmanager import Alertmanager
from traversion.observability.rules.rule import EVALUATION_SECONDS
from traversion.observability.text import to_yaml
from traversion.platform import Platform
from traversion.platform.certificates import ServingCertificate
from traversion.platform.component import Component
from traversion.platform.credentials import Supplied
from traversion.platform.flows import Endpoint, outside
from traversion.platform.pods import Container, Pod, PodField, http_probe
from traversion.platform.rbac import allow_cluster, allow_in_namespace, call_kubernetes
from traversion.platform.volumes import Claim, ConfigFiles, Mount, SecretFiles
from traversion.platform.workloads import disruption_budget, service, stateful_set
from traversion.settings import PrometheusSettings, RemoteWrite, TlsProxySettings, refuse
from traversion.tls_proxy import Inlet, TlsProxy
from traversion.values import bytes_of, port_of, seconds_of

_UID = 65534  # "nobody"
KUBELET_PORT = 10250
_TRUST = "/etc/prometheus-trust"
_STORES, _STORE_KEYS = "prometheus-remote-write", "/etc/remote-write"
TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 # a path
KUBELET_METRICS = (
    "kubelet_volume_stats_(capacity|available|used)_bytes|kubelet_volume_stats_inodes(_free|_used)?"
)
CADVISOR_METRICS = (
    "container_cpu_usage_seconds_total|container_cpu_cfs_(throttled_)?periods_total|container_memory_working_set_bytes"
    "|container_spec_(memory_limit_bytes|cpu_quota|cpu_period)|container_network_(receive|transmit)_bytes_total"
    "|container_fs_usage_bytes|container_oom_events_total"
)


# About what a small environment has without the API, and what one of its pods exports.
_SERIES, _SERIES_OF_AN_API_POD = 8_000, 1_500
_BYTES_OF_A_SAMPLE = 2  # Prometheus' documentation on storage: one to two.


def size_retained(settings: PrometheusSettings) -> int:
    """Return the bytes that blocks may take: the rest of the volume is for the WAL and for compaction."""
    return bytes_of(settings.storage) * 8 // 10


def check_retention(settings: PrometheusSettings, api_pods: int) -> None:
    """Refuse to promise more time than the volume has room for, with as many API pods as always run."""
    samples = seconds_of(settings.retention) / seconds_of(settings.scrape_interval)
    needed = samples * _BYTES_OF_A_SAMPLE * (_SERIES + api_pods * _SERIES_OF_AN_API_POD)
    if needed > size_retained(settings):
        raise refuse(
            "observability.prometheus.retention",
            settings.retention,
            f"fills about {math.ceil(needed / 0.8 / 2**30)}Gi: enlarge observability.prometheus.storage = "
            f"{settings.storage!r}, or keep metrics for less long",
        )


@dataclass(frozen=True)
class ScrapeTarget:
    """Pods of a component that export metrics on a named port."""

    job: str
    component: Component
    port_name: str
    path: str = "/metrics"
    describes_others: bool = False
    """Its series carry labels such as ``pod`` of the objects that they are about; keep those."""
    certificate: ServingCertificate | None = None
    """What its pods serve the metrics with; None: they serve them in plain text."""


@dataclass(frozen=True)
class MetricsApi:
    """A Prometheus that answers queries: who it is in the network, where, and whom its clients trust."""

    endpoint: Endpoint
    port: int
    url: str
    certificate: ServingCertificate | None = None
    """None: the cluster's own, as its URL says."""


class Prometheus:
    """A Prometheus server, or two alike, that keeps the metrics of this environment only.

    Two scrape and alert independently: each tells its series apart by the label ``replica`` when they
    leave it, except in alerts, so that Alertmanager sees one alert and not two.

    Creates the StatefulSet ``prometheus``, the Service ``prometheus-service``, a Role to find pods, and a
    ClusterRole that reads kubelet metrics and nothing else. Everybody gets TLS on port 8443; 9090 is for its
    own pod.
    """

    port = 9090
    https_port = 8443
    host = "prometheus-service"
    url = f"https://{host}:{https_port}"

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: PrometheusSettings,
        *,
        host_name: str,
        tls_proxy: TlsProxySettings,
        targets: Sequence[ScrapeTarget],
        alertmanager: Alertmanager,
        rules: Sequence[Mapping[str, Any]],
    ) -> None:
        """Create the server, shown to people at ``host_name``."""
        self._scope = Construct(scope, "prometheus")
        self._platform = platform
        self._settings = settings
        self._host_name = host_name
        self._targets = targets
        component = platform.make_component("prometheus", "monitoring", settings.image.tag)
        self.certificate = platform.certificates.serving(component, [self.host])
        inlets = {"https": Inlet(self.https_port, self.port)}
        self._tls_proxy = TlsProxy(tls_proxy, self.certificate, inlets, outlets={})
        self.component = component.with_ports(http=self.port, **self._tls_proxy.ports)
        self.api = MetricsApi(self.component, self.https_port, self.url, self.certificate)
        self._trusts = {
            "alertmanager": alertmanager.certificate,
            **({"prometheus": self.certificate} if self.replicated else {}),
            **{target.job: target.certificate for target in targets if target.certificate},
        }
        self._flows(alertmanager)
        self._stores()
        self._permissions()
        config = {
            "prometheus.yml": to_yaml(self._configuration(alertmanager)),
            "rules.yml": to_yaml({"groups": rules}),
        }
        self._server(ConfigFiles("config", "prometheus-config", config).create(self._scope, self.component))
        # Two replicas scrape at different moments: a graph that changes between them would flicker.
        sticky = self.replicated
        ports = {"https": (self.https_port, "https")}
        service(self._scope, self.component, self.host, ports, sticky=sticky)
        service(self._scope, self.component, "prometheus", ports, headless=True)
        disruption_budget(self._scope, self.component, "prometheus")

    @property
    def replicated(self) -> bool:
        """Whether there are two."""
        return self._settings.replicas > 1

    def _flows(self, alertmanager: Alertmanager) -> None:
        network = self._platform.network
        for target in self._targets:
            port = target.component.ports[target.port_name]
            network.allow(self.component, target.component, port, because=f"scrape {target.job}")
        network.allow(self.component, alertmanager.component, alertmanager.https_port, because="send alerts")
        network.allow(
            self.component,
            self._platform.kubelets,
            KUBELET_PORT,
            because="scrape container and volume metrics",
        )
        if self.replicated:
            network.allow(self.component, self.component, self.https_port, because="scrape prometheus")

    def _stores(self) -> None:
        """Let it reach the long-term stores, with what it logs in with."""
        network, stores = self._platform.network, self._settings.remote_write
        for store in stores:
            destination = outside(f"remote-write-{store.name}", store.cidrs)
            network.allow(self.component, destination, port_of(store.url), because=f"send to {store.name}")
        keys = {
            store.name: Supplied(f"{'password' if store.username else 'token'} for {store.url}")
            for store in stores
            if store.authentication != "none"
        }
        self._store_keys = []
        if keys:
            self._platform.credentials.declare(self.component, _STORES, "log-in to long-term storage", keys)
            self._store_keys = [Mount(SecretFiles("remote-write", _STORES), _STORE_KEYS)]

    def _permissions(self) -> None:
        call_kubernetes(self._platform, self.component, because="find pods and nodes to scrape")
        find_pods = k8s.PolicyRule(api_groups=[""], resources=["pods"], verbs=["get", "list", "watch"])
        allow_in_namespace(self._scope, self.component, [find_pods])
        allow_cluster(
            self._scope,
            self.component,
            [
                k8s.PolicyRule(api_groups=[""], resources=["nodes"], verbs=["get", "list", "watch"]),
                # The kubelet asks for this one; nodes/proxy would let it run commands in every pod.
                k8s.PolicyRule(api_groups=[""], resources=["nodes/metrics"], verbs=["get"]),
            ],
        )

    def _server(self, config: ConfigFiles) -> None:
        settings = self._settings
        data = Claim("data", settings.storage, self._platform.storage.ssd())
        size = size_retained(settings) // 2**20  # Prometheus counts in powers of two.
        server = Container(
            name="prometheus",
            image=settings.image,
            resources=settings.resources,
            args=[
                "--config.file=/etc/prometheus/prometheus.yml",
                "--storage.tsdb.path=/prometheus",
                f"--storage.tsdb.retention.time={settings.retention}",
                f"--storage.tsdb.retention.size={size}MB",
                "--storage.tsdb.wal-compression",
                f"--web.external-url=https://{self._host_name}/",
            ],
            ports={"http": self.port},
            environment={"POD_NAME": PodField("metadata.name")} if self.replicated else {},
            mounts=[
                Mount(config, "/etc/prometheus"),
                Mount(data, "/prometheus", sub_path="data"),
                *(
                    Mount(certificate.trust_of(f"{job}-trust"), f"{_TRUST}/{job}")
                    for job, certificate in self._trusts.items()
                ),
                *self._store_keys,
            ],
            # Replaying the write-ahead log after a crash takes minutes.
            startup=http_probe("/-/ready", "http", period=15, failures=60),
            readiness=http_probe("/-/ready", "http"),
            liveness=http_probe("/-/healthy", "http", failures=6),
        )
        pod = Pod(
            [server, self._tls_proxy.create(self._scope, self.component)],
            uid=_UID,
            gid=_UID,
            calls_kubernetes=True,
            grace_seconds=300,
            priority_class=self._platform.monitoring_priority,
        )
        stateful_set(
            self._scope,
            self._platform,
            self.component,
            pod,
            claim=data,
            governing_service="prometheus",
            replicas=settings.replicas,
        )

    def _configuration(self, alertmanager: Alertmanager) -> Mapping[str, Any]:
        settings, namespace = self._settings, self.component.namespace
        replicated = self.replicated
        # Rules and dashboards choose by it where several environments are stored together.
        environment = {"target_label": "environment", "replacement": self.component.instance}
        alerting: dict[str, Any] = {
            "alertmanagers": [
                {
                    **_tls("alertmanager", alertmanager.certificate),
                    "path_prefix": alertmanager.path,
                    "static_configs": [{"targets": alertmanager.addresses}],
                }
            ]
        }
        if replicated:
            alerting["alert_relabel_configs"] = [{"regex": "replica", "action": "labeldrop"}]
        stores = [_remote_write(store) for store in settings.remote_write]
        return {
            "global": {
                "scrape_interval": settings.scrape_interval,
                "evaluation_interval": f"{EVALUATION_SECONDS}s",
                "external_labels": {
                    "environment": self.component.instance,
                    **settings.external_labels,
                    # Prometheus itself puts the variable's value here.
                    **({"replica": "${POD_NAME}"} if replicated else {}),
                },
            },
            "storage": {"tsdb": {"out_of_order_time_window": settings.out_of_order_window}},
            "rule_files": ["/etc/prometheus/rules.yml"],
            "alerting": alerting,
            "scrape_configs": [
                {**job, "relabel_configs": [*job.get("relabel_configs", []), environment]}
                for job in (
                    self._scrape_itself(),
                    *(_scrape_pods(target) for target in self._targets),
                    _scrape_kubelets("cadvisor", "/metrics/cadvisor", namespace, CADVISOR_METRICS),
                    _scrape_kubelets("kubelet", "/metrics", namespace, KUBELET_METRICS),
                )
            ],
            **({"remote_write": stores} if stores else {}),
        }

    def _scrape_itself(self) -> Mapping[str, Any]:
        """Ask itself, without the network; or both replicas, so that each misses the other."""
        if self.replicated:
            return _scrape_pods(
                ScrapeTarget("prometheus", self.component, "https", certificate=self.certificate)
            )
        return {"job_name": "prometheus", "static_configs": [{"targets": [f"localhost:{self.port}"]}]}


def _remote_write(store: RemoteWrite) -> Mapping[str, Any]:
    key = f"{_STORE_KEYS}/{store.name}"
    login: Mapping[str, Mapping[str, Any]] = {
        "basic": {"basic_auth": {"username": store.username, "password_file": key}},
        "bearer": {"authorization": {"credentials_file": key}},
        "none": {},
    }
    keep = [{"source_labels": ["__name__"], "regex": store.keep, "action": "keep"}]
    return {
        "name": store.name,
        "url": store.url,
        **login[store.authentication],
        **({"headers": dict(store.headers)} if store.headers else {}),
        **({"write_relabel_configs": keep} if store.keep else {}),
        "queue_config": {"max_shards": store.max_shards, "capacity": store.capacity},
    }


def _scrape_pods(target: ScrapeTarget) -> Mapping[str, Any]:
    """Find running pods through the API server: one target for each, whatever Service is in front."""
    selector = ",".join(f"{label}={value}" for label, value in target.component.selector.items())
    return {
        "job_name": target.job,
        "metrics_path": target.path,
        **(_tls(target.job, target.certificate) if target.certificate else {}),
        **({"honor_labels": True} if target.describes_others else {}),
        "kubernetes_sd_configs": [
            {
                "role": "pod",
                "namespaces": {"names": [target.component.namespace]},
                "selectors": [{"role": "pod", "label": selector}],
            }
        ],
        "relabel_configs": [
            {
                "source_labels": ["__meta_kubernetes_pod_container_port_name"],
                "regex": target.port_name,
                "action": "keep",
            },
            {
                "source_labels": ["__meta_kubernetes_pod_phase"],
                "regex": "Succeeded|Failed",
                "action": "drop",
            },
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
            {"target_label": "component", "replacement": target.component.role},
        ],
    }


def _tls(job: str, certificate: ServingCertificate) -> Mapping[str, Any]:
    """Pods are found by address, which no certificate bears: expect the name of their Service."""
    verified = {"ca_file": f"{_TRUST}/{job}/ca.crt", "server_name": certificate.name}
    return {"scheme": "https", "tls_config": verified}


def _scrape_kubelets(job: str, path: str, namespace: str, metrics: str) -> Mapping[str, Any]:
    """Ask every node's kubelet, and keep what concerns this namespace."""
    return {
        "job_name": job,
        "scheme": "https",
        "metrics_path": path,
        "authorization": {"credentials_file": TOKEN_FILE},
        # Kubelets commonly serve certificates that they signed themselves; what is read is no secret.
        "tls_config": {"insecure_skip_verify": True},
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [
            {"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"},
        ],
        "metric_relabel_configs": [
            {"source_labels": ["__name__"], "regex": metrics, "action": "keep"},
            {"source_labels": ["namespace"], "regex": namespace, "action": "keep"},
        ],
    }
