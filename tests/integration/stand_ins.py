"""What exports metrics in a cluster and cannot run here: the API, the kubelets, kube-state-metrics.

They export every family of the contract, or of the kind, with the names and labels that the real ones have,
about the pods, claims, quota and certificates of the synthesized manifests. Faults are attributes to be set.
"""

import ssl
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.integration.kubelet import Files
from tests.manifests import Manifest, of_kind, workloads
from traversion.contract import Contract, Metric
from traversion.values import bytes_of, millicores_of

Page = Callable[[], str]


def sample(name: str, value: float, **labels: str) -> str:
    inner = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{name}{{{inner}}} {float(value)}\n"


@contextmanager
def serving(pages: Mapping[str, Page], certificate: Files | None = None, token: str = "") -> Iterator[str]:
    """Serve pages by path, with a certificate over TLS, to those who bear the token; yields host:port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            allowed = not token or self.headers["Authorization"] == f"Bearer {token}"
            try:
                body = page().encode() if page and allowed else b""
            except OSError:  # what it would pass on does not answer
                page, body = None, b""
            with suppress(ConnectionError):  # whoever asked has lost patience
                self.send_response(200 if page and allowed else 404 if allowed else 401)
                self.send_header("Content-Type", "text/plain; version=0.0.4")  # Prometheus 3 insists on it
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object, **__: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            server.socket = _context(certificate).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _context(certificate: Files) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("tls.crt", "tls.key"):
            (Path(folder) / name).write_text(certificate[name], encoding="utf-8")
        context.load_cert_chain(Path(folder) / "tls.crt", Path(folder) / "tls.key")
    return context


@dataclass
class Application:
    """One pod of the API: users, events, queries and WebSockets; it may fail and be slow."""

    contract: Contract
    requests_per_second: float = 50
    failing: float = 0.0
    """Share of requests that are answered with a 500."""
    slow: float = 0.0
    """Share of requests that take between 2.5 and 5 seconds."""
    _good: float = 1
    _bad: float = 0
    _late: float = 0
    _asked: float = field(default_factory=time.monotonic)

    def page(self) -> str:
        now = time.monotonic()
        came = (now - self._asked) * self.requests_per_second
        self._asked = now
        self._good += came * (1 - self.failing)
        self._bad += came * self.failing
        self._late += came * self.slow
        return "".join(self._exposition(metric) for metric in self.contract.metrics)

    def _exposition(self, metric: Metric) -> str:
        labels = {label: _LABELS.get(label, "some") for label in metric.labels}
        total = self._good + self._bad
        head = f"# TYPE {metric.name} {metric.kind}\n"
        if metric.name == "traversion_http_requests_total":
            bad = sample(metric.name, self._bad, **{**labels, "status_code": "500"})
            return head + sample(metric.name, self._good, **labels) + bad
        if metric.name == "traversion_events_errors_total":
            return head + sample(metric.name, total / 1000, **labels)
        if metric.kind != "histogram":
            return head + sample(metric.name, 200 if metric.kind == "gauge" else total, **labels)
        late = self._late if metric.name == "traversion_http_request_duration_seconds" else 0
        counts = [total - late if bound < 5 else total for bound in metric.buckets]
        counts = [0 if bound < 0.05 else count for bound, count in zip(metric.buckets, counts, strict=True)]
        bounds = [f"{bound:g}" for bound in metric.buckets]
        buckets = (
            sample(f"{metric.name}_bucket", count, **labels, le=bound)
            for bound, count in [*zip(bounds, counts, strict=True), ("+Inf", total)]
        )
        sums = sample(f"{metric.name}_sum", total * 0.05 + late * 3, **labels)
        return head + "".join(buckets) + sums + sample(f"{metric.name}_count", total, **labels)


_LABELS = {"method": "GET", "endpoint": "/api/events", "status_code": "200", "result": "success"}


class Kubernetes:
    """What kube-state-metrics and the kubelets say of an environment in which all is well.

    ``volume_free`` is the share of every volume that is free, and may be changed.
    """

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self.volume_free = 0.8
        self._manifests = manifests
        self._start = time.monotonic()
        self.namespace: str = of_kind(manifests, "Namespace")[0]["metadata"]["name"]
        self._running = [w for w in workloads(manifests) if w.kind in ("Deployment", "StatefulSet")]
        self.pods = {
            f"{w.name}-0" if w.kind == "StatefulSet" else f"{w.name}-6d5f9c7b8d-{letter * 5}": w
            for w in self._running
            for letter in ("xz" if w.name == "traversion-app" else "x")
        }

    def state(self) -> str:
        return "".join(self._state())

    def _state(self) -> Iterator[str]:
        here = {"namespace": self.namespace}
        for pod, workload in self.pods.items():
            kind = "ReplicaSet" if workload.kind == "Deployment" else "StatefulSet"
            owner = pod.rsplit("-", 1)[0] if workload.kind == "Deployment" else workload.name
            yield sample("kube_pod_owner", 1, **here, pod=pod, uid="u", owner_kind=kind, owner_name=owner)
            for ready in ("true", "false", "unknown"):
                is_so = ready == "true"
                yield sample("kube_pod_status_ready", is_so, **here, pod=pod, uid="u", condition=ready)
            for container in workload.spec["containers"]:
                each = {**here, "pod": pod, "uid": "u", "container": container["name"]}
                yield sample("kube_pod_container_status_restarts_total", 0, **each)
                for kind in ("limits", "requests"):
                    amounts = container["resources"][kind]
                    name, node = f"kube_pod_container_resource_{kind}", {"node": "node-1"}
                    cpu, memory = millicores_of(amounts["cpu"]) / 1000, bytes_of(amounts["memory"])
                    yield sample(name, cpu, **each, **node, resource="cpu", unit="core")
                    yield sample(name, memory, **each, **node, resource="memory", unit="byte")
        for workload in self._running:
            count = sum(other is workload for other in self.pods.values())
            named = {**here, workload.kind.lower(): workload.name}
            if workload.kind == "StatefulSet":
                yield sample("kube_statefulset_replicas", count, **named)
                yield sample("kube_statefulset_status_replicas_ready", count, **named)
                continue
            yield sample("kube_deployment_spec_replicas", count, **named)
            yield sample("kube_deployment_status_replicas_available", count, **named)
            for status in ("true", "false", "unknown"):
                condition = {"condition": "Progressing", "status": status, "reason": "NewReplicaSetAvailable"}
                yield sample("kube_deployment_status_condition", status == "true", **named, **condition)
        yield from self._others(here)

    def _others(self, here: Mapping[str, str]) -> Iterator[str]:
        now = time.time()
        for scaler in of_kind(self._manifests, "HorizontalPodAutoscaler"):
            name, named = (
                "kube_horizontalpodautoscaler",
                {"horizontalpodautoscaler": scaler["metadata"]["name"]},
            )
            for metric, value in (
                ("status_desired_replicas", 2),
                ("status_current_replicas", 2),
                ("spec_min_replicas", scaler["spec"]["minReplicas"]),
                ("spec_max_replicas", scaler["spec"]["maxReplicas"]),
            ):
                yield sample(f"{name}_{metric}", value, **here, **named)
            for status in ("true", "false", "unknown"):
                condition = {"condition": "ScalingActive", "status": status}
                yield sample(f"{name}_status_condition", status == "true", **here, **named, **condition)
        for quota in of_kind(self._manifests, "ResourceQuota"):
            for resource in quota["spec"]["hard"]:
                named = {"resourcequota": quota["metadata"]["name"], "resource": resource}
                for kind, value in (("hard", 100), ("used", 50)):
                    yield sample("kube_resourcequota", value, **here, **named, type=kind)
        for job in of_kind(self._manifests, "CronJob"):
            named = {**here, "cronjob": job["metadata"]["name"]}
            yield sample("kube_cronjob_created", now - 86400 * 90, **named)
            yield sample("kube_cronjob_status_last_successful_time", now - 3600, **named)
            yield sample("kube_cronjob_next_schedule_time", now + 3600, **named)
            yield sample("kube_cronjob_spec_suspend", 0, **named)
        for certificate in of_kind(self._manifests, "Certificate"):
            named = {
                "customresource_group": "cert-manager.io",
                "customresource_kind": "Certificate",
                "customresource_version": "v1",
                **here,
                "certificate": certificate["metadata"]["name"],
            }
            yield sample("kube_certificate_expiration_timestamp_seconds", now + 86400 * 60, **named)
            yield sample("kube_certificate_condition", 1, **named, condition="Ready")

    def containers(self) -> str:
        """Return cAdvisor's page of a node; another namespace's pods are on it too."""
        return "".join(self._containers())

    def _containers(self) -> Iterator[str]:
        age = time.monotonic() - self._start
        yield sample("container_memory_working_set_bytes", 1, namespace="kube-system", pod="x", container="x")
        for pod, workload in self.pods.items():
            here = {"id": "/kubepods", "namespace": self.namespace, "pod": pod}
            for way in ("receive", "transmit"):
                name = f"container_network_{way}_bytes_total"
                yield sample(name, 1000 * age, **here, interface="eth0")
            # The sum of the whole pod has no container.
            for container in [{"name": "", "resources": None}, *workload.spec["containers"]]:
                limits = (container["resources"] or workload.spec["containers"][0]["resources"])["limits"]
                each = {**here, "container": container["name"]}
                cpu, memory = millicores_of(limits["cpu"]) / 1000, bytes_of(limits["memory"])
                yield sample("container_cpu_usage_seconds_total", 0.2 * cpu * age, **each, cpu="total")
                yield sample("container_memory_working_set_bytes", 0.4 * memory, **each)
                yield sample("container_cpu_cfs_periods_total", 10 * age, **each)
                yield sample("container_cpu_cfs_throttled_periods_total", 0.1 * age, **each)

    def volumes(self) -> str:
        """Return the kubelet's own page."""
        claims = [claim["metadata"]["name"] for claim in of_kind(self._manifests, "PersistentVolumeClaim")]
        for stateful_set in of_kind(self._manifests, "StatefulSet"):
            pod = f"{stateful_set['metadata']['name']}-0"
            templates = stateful_set["spec"]["volumeClaimTemplates"]
            claims += [f"{template['metadata']['name']}-{pod}" for template in templates]
        return "".join(
            sample(
                f"kubelet_volume_stats_{metric}", value, namespace=self.namespace, persistentvolumeclaim=claim
            )
            for claim in claims
            for metric, value in (
                ("capacity_bytes", 10**9),
                ("available_bytes", 10**9 * self.volume_free),
                ("inodes", 10**6),
                ("inodes_free", 0.9 * 10**6),
            )
        )


def passed_on(address: str, also: str) -> Page:
    """Return a page that a real exporter answers, with a few samples more."""

    def page() -> str:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
        return text + also

    return page
