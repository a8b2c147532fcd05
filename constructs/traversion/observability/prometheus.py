"""Prometheus: what it scrapes, which rules it evaluates, what it may read of Kubernetes."""

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
from traversion.platform.pods import Container, Pod, http_probe
from traversion.platform.rbac import allow_cluster, allow_in_namespace, call_kubernetes
from traversion.platform.volumes import Claim, ConfigFiles, Mount
from traversion.platform.workloads import disruption_budget, service, stateful_set
from traversion.settings import PrometheusSettings
from traversion.values import bytes_of

_UID = 65534  # "nobody"
_KUBELET_PORT = 10250
_TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 # a path
_KUBELET_METRICS = (
    "kubelet_volume_stats_(capacity|available|used)_bytes|kubelet_volume_stats_inodes(_free|_used)?"
)
_CADVISOR_METRICS = (
    "container_cpu_usage_seconds_total|container_cpu_cfs_(throttled_)?periods_total|container_memory_working_set_bytes"
    "|container_spec_(memory_limit_bytes|cpu_quota|cpu_period)|container_network_(receive|transmit)_bytes_total"
    "|container_fs_usage_bytes|container_oom_events_total"
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

    @property
    def trust_directory(self) -> str:
        """Where Prometheus finds the authority behind the certificate."""
        return f"/etc/prometheus-trust/{self.job}"


class Prometheus:
    """One Prometheus server that keeps the metrics of this environment only.

    Creates the StatefulSet ``prometheus``, the Service ``prometheus-service``, a Role to find pods, and a
    ClusterRole that reads kubelet metrics and nothing else.
    """

    port = 9090
    host = "prometheus-service"

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: PrometheusSettings,
        *,
        host_name: str,
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
        self.component = platform.make_component("prometheus", "monitoring", settings.image.tag).with_ports(
            http=self.port
        )
        self._flows(alertmanager)
        self._permissions()
        config = {
            "prometheus.yml": to_yaml(self._configuration(alertmanager)),
            "rules.yml": to_yaml({"groups": rules}),
        }
        self._server(ConfigFiles("config", "prometheus-config", config).create(self._scope, self.component))
        service(self._scope, self.component, self.host, {"http": (self.port, "http")})
        service(self._scope, self.component, "prometheus", {"http": (self.port, "http")}, headless=True)
        disruption_budget(self._scope, self.component, "prometheus")

    def _flows(self, alertmanager: Alertmanager) -> None:
        network = self._platform.network
        for target in self._targets:
            port = target.component.ports[target.port_name]
            network.allow(self.component, target.component, port, because=f"scrape {target.job}")
        network.allow(self.component, alertmanager.component, alertmanager.port, because="send alerts")
        network.allow(
            self.component,
            self._platform.kubelets,
            _KUBELET_PORT,
            because="scrape container and volume metrics",
        )

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
        size = bytes_of(settings.storage) * 8 // 10 // 2**20  # Prometheus counts in powers of two.
        server = Container(
            name="prometheus",
            image=settings.image,
            resources=settings.resources,
            args=[
                "--config.file=/etc/prometheus/prometheus.yml",
                "--storage.tsdb.path=/prometheus",
                f"--storage.tsdb.retention.time={settings.retention}",
                f"--storage.tsdb.retention.size={size}MB",
                f"--web.external-url=https://{self._host_name}/",
            ],
            ports=self.component.ports,
            mounts=[
                Mount(config, "/etc/prometheus"),
                Mount(data, "/prometheus", sub_path="data"),
                *(
                    Mount(target.certificate.trust_of(f"{target.job}-trust"), target.trust_directory)
                    for target in self._targets
                    if target.certificate
                ),
            ],
            # Replaying the write-ahead log after a crash takes minutes.
            startup=http_probe("/-/ready", "http", period=15, failures=60),
            readiness=http_probe("/-/ready", "http"),
            liveness=http_probe("/-/healthy", "http", failures=6),
        )
        pod = Pod(
            [server],
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
        )

    def _configuration(self, alertmanager: Alertmanager) -> Mapping[str, Any]:
        namespace = self.component.namespace
        # Dashboards choose by it, here and where several environments are stored together.
        environment = {"target_label": "environment", "replacement": self.component.instance}
        found = (
            *(_scrape_pods(target) for target in self._targets),
            _scrape_kubelets("cadvisor", "/metrics/cadvisor", namespace, _CADVISOR_METRICS),
            _scrape_kubelets("kubelet", "/metrics", namespace, _KUBELET_METRICS),
        )
        return {
            "global": {
                "scrape_interval": self._settings.scrape_interval,
                "evaluation_interval": f"{EVALUATION_SECONDS}s",
                "external_labels": {"environment": self.component.instance},
            },
            "rule_files": ["/etc/prometheus/rules.yml"],
            "alerting": {
                "alertmanagers": [
                    {
                        "path_prefix": alertmanager.path,
                        "static_configs": [{"targets": [f"{alertmanager.host}:{alertmanager.port}"]}],
                    }
                ]
            },
            "scrape_configs": [
                {
                    "job_name": "prometheus",
                    "static_configs": [{"targets": [f"localhost:{self.port}"]}],
                    "relabel_configs": [environment],
                },
                *({**job, "relabel_configs": [*job["relabel_configs"], environment]} for job in found),
            ],
        }


def _scrape_pods(target: ScrapeTarget) -> Mapping[str, Any]:
    """Find running pods through the API server: one target for each, whatever Service is in front."""
    selector = ",".join(f"{label}={value}" for label, value in target.component.selector.items())
    return {
        "job_name": target.job,
        "metrics_path": target.path,
        **(_tls(target, target.certificate) if target.certificate else {}),
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


def _tls(target: ScrapeTarget, certificate: ServingCertificate) -> Mapping[str, Any]:
    """Pods are found by address, which no certificate bears: expect the name of their Service."""
    verified = {"ca_file": f"{target.trust_directory}/ca.crt", "server_name": certificate.name}
    return {"scheme": "https", "tls_config": verified}


def _scrape_kubelets(job: str, path: str, namespace: str, metrics: str) -> Mapping[str, Any]:
    """Ask every node's kubelet, and keep what concerns this namespace."""
    return {
        "job_name": job,
        "scheme": "https",
        "metrics_path": path,
        "authorization": {"credentials_file": f"{_TOKEN_DIRECTORY}/token"},
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
