"""Prometheus, in the image's version, finds its targets in a real API server, with its own rights alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compiled.compiling import compiled
from tests.compiled.control_plane import Cluster, as_list, control_plane
from tests.compiled.front import may_make_networks, private_network
from tests.compiled.pods import namespace_of, pod_of
from tests.conftest import Program
from tests.integration.authority import Authority
from tests.integration.kubelet import Pod
from tests.integration.monitoring import get
from tests.integration.processes import daemon, eventually, free_port
from tests.manifests import Manifest, find, workload, workloads

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.daemon,
    pytest.mark.slow,
    pytest.mark.skipif(not may_make_networks(), reason="only root may make a network for it"),
]

CONFIG = "/etc/prometheus/prometheus.yml"
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
NODE = "node-1"
PODS = {
    "deployment-traversion-app-0": ("traversion", "https", 9443, "/metrics"),
    "deployment-traversion-app-1": ("traversion", "https", 9443, "/metrics"),
    "deployment-kube-state-metrics-0": ("kube-state-metrics", "http", 8080, "/metrics"),
    "deployment-postgres-exporter-0": ("timescaledb", "http", 9187, "/metrics"),
    "deployment-redis-exporter-0": ("redis", "http", 9121, "/metrics"),
    "deployment-pushgateway-0": ("backups", "http", 9091, "/metrics"),
    "statefulset-alertmanager-0": ("alertmanager", "https", 8443, "/alertmanager/metrics"),
    "statefulset-grafana-0": ("grafana", "https", 8443, "/metrics"),
}
"""The pods with metrics: job, scheme, port and path. Prometheus asks itself on loopback."""


@dataclass(frozen=True)
class Discovered:
    """What Prometheus found, and what it said meanwhile."""

    environment: str
    namespace: str
    addresses: Mapping[str, str]
    """By pod, of those that run in the namespace."""
    targets: Sequence[Mapping[str, Any]]
    log: str


def running(pod: Manifest, address: str, phase: str = "Running") -> Manifest:
    """Return the status that the kubelet would report."""
    ready = {"type": "Ready", "status": "True" if phase == "Running" else "False"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {name: pod["metadata"][name] for name in ("name", "namespace")},
        "status": {"phase": phase, "podIP": address, "podIPs": [{"ip": address}], "conditions": [ready]},
    }


def started(cluster: Cluster, pods: Sequence[tuple[Manifest, str]]) -> dict[str, str]:
    """Create pods and let them run, or end as is said of them; return their addresses."""
    cluster.done("apply", "--server-side", "-f", "-", text=as_list([pod for pod, _ in pods]))
    addresses = [f"192.0.2.{10 + number}" for number in range(len(pods))]
    statuses = [running(pod, at, phase) for (pod, phase), at in zip(pods, addresses, strict=True)]
    cluster.done(
        *("apply", "--server-side", "--force-conflicts", "--subresource=status", "-f", "-"),
        text=as_list(statuses),
    )
    return {pod["metadata"]["name"]: at for (pod, _), at in zip(pods, addresses, strict=True)}


@pytest.fixture(scope="module", params=["production", "dev"])
def discovered(
    request: pytest.FixtureRequest,
    server: Path,
    written: Mapping[str, Sequence[Manifest]],
    program: Program,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Discovered]:
    prometheus = compiled(program("go"), "prometheus") / "prometheus"
    environment: str = request.param
    manifests, home = written[environment], tmp_path_factory.mktemp(environment)
    namespace = namespace_of(manifests)
    with private_network(), control_plane(server) as cluster:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        cluster.done("apply", "--server-side", "-f", "-", text=as_list([*manifests, node]))
        status = {
            "addresses": [{"type": "InternalIP", "address": "192.0.2.2"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        }
        cluster.done("patch", "node", NODE, "--subresource=status", "-p", json.dumps({"status": status}))
        everyone = [(pod_of(each), "Running") for each in workloads(manifests)]
        api = workload(manifests, "traversion")
        everyone.append((pod_of(api, 1), "Running"))
        ended = [(pod_of(api, 2), "Succeeded"), (pod_of(api, 3), "Failed")]
        elsewhere = pod_of(api)
        elsewhere["metadata"] = {**elsewhere["metadata"], "namespace": "default"}
        elsewhere["spec"] = {**elsewhere["spec"], "serviceAccountName": "default", "priorityClassName": ""}
        elsewhere["metadata"]["name"] = "elsewhere"
        addresses = started(cluster, [*everyone, *ended, (elsewhere, "Running")])
        authority = Authority(home)
        secrets = {
            f"{name}-tls": authority.serving(find(manifests, "Certificate", f"{name}-tls"))
            for name in ("traversion", "prometheus", "alertmanager", "grafana")
        }
        pod = Pod(manifests, "prometheus", home, secrets=secrets, elsewhere={TOKENS: home})
        _ask(cluster, pod, home, namespace)
        url = f"127.0.0.1:{free_port()}"
        command = [str(prometheus), *pod.command("prometheus"), f"--web.listen-address={url}"]
        with daemon(command, {}, home / "prometheus.log") as log:

            def targets() -> list[dict[str, Any]]:
                answer = get(f"http://{url}/api/v1/targets", state="active")
                found: list[dict[str, Any]] = answer["data"]["activeTargets"] if answer else []
                return found

            # Each job asks on its own; there are fewer targets than jobs until all have their answer.
            jobs = {
                each["job_name"]
                for each in yaml.safe_load(pod.path(CONFIG).read_text("utf-8"))["scrape_configs"]
            }
            eventually(lambda: {each["labels"]["job"] for each in targets()} == jobs, within=60)
            yield Discovered(environment, namespace, addresses, targets(), log.said())


def _ask(cluster: Cluster, pod: Pod, home: Path, namespace: str) -> None:
    """Have Prometheus ask this API server, as its own account."""
    token = cluster.done("create", "token", "prometheus", "-n", namespace).strip()
    known = yaml.safe_load((cluster.home / "kubeconfig").read_text("utf-8"))
    known["users"] = [{"name": "admin", "user": {"token": token}}]
    (home / "kubeconfig").write_text(yaml.safe_dump(known), "utf-8")
    (home / "token").write_text(token, "utf-8")
    (home / "ca.crt").write_text((cluster.home / "apiserver.crt").read_text("utf-8"), "utf-8")
    config = yaml.safe_load(pod.path(CONFIG).read_text("utf-8"))
    for job in config["scrape_configs"]:
        for discovery in job.get("kubernetes_sd_configs", []):
            discovery["kubeconfig_file"] = str(home / "kubeconfig")
    pod.path(CONFIG).write_text(yaml.safe_dump(config), "utf-8")


def test_every_target_is_found_once_and_nothing_else(discovered: Discovered) -> None:
    """Not what has ended, and not what looks the same in another namespace."""
    found = sorted((each["labels"]["job"], each["scrapeUrl"]) for each in discovered.targets)
    expected = [
        (job, f"{scheme}://{discovered.addresses[pod]}:{port}{path}")
        for pod, (job, scheme, port, path) in PODS.items()
        if pod in discovered.addresses
    ]
    on_node = [("kubelet", "/metrics"), ("cadvisor", "/metrics/cadvisor")]
    expected += [(job, f"https://192.0.2.2:10250{path}") for job, path in on_node]
    assert found == sorted([*expected, ("prometheus", "http://localhost:9090/metrics")])


def test_labels_say_whose_series_they_are(discovered: Discovered) -> None:
    pods = {address: pod for pod, address in discovered.addresses.items()}
    for target in discovered.targets:
        labels = target["labels"]
        assert labels.pop("environment") == f"traversion-{discovered.environment}"
        job, instance = labels.pop("job"), labels.pop("instance")
        if job in {"kubelet", "cadvisor"}:
            assert (labels, instance) == ({"node": NODE}, NODE)
        elif job != "prometheus":
            assert labels.pop("component")
            pod = pods[instance.partition(":")[0]]
            assert labels == {"namespace": discovered.namespace, "pod": pod}, job


def test_its_account_may_do_all_that_it_tries(discovered: Discovered) -> None:
    said = [line for line in discovered.log.splitlines() if "level=INFO" not in line]
    assert not said
