"""Stands in for the prometheus-operator: writes the scrape jobs that it makes of ServiceMonitors.

What is added to a monitor's own relabelings is what `generateServiceMonitorConfig` of prometheus-operator
0.93 adds (pkg/prometheus/promcfg.go), in that order. As elsewhere, targets are listed and not discovered.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.manifests import Manifest, Workload, of_kind, selects, workloads


def scrape_jobs(
    manifests: Sequence[Manifest], addresses: Mapping[str, Mapping[str, str]], authority: str = "/ca.crt"
) -> list[Manifest]:
    """Return a job for each endpoint of each monitor, with targets: component -> pod -> address.

    ``authority`` is the file that has ``ca.crt`` of whatever Secret a monitor names.
    """
    found = list(_endpoints(manifests, addresses))
    return [
        _job(monitor, endpoint, found) | _tls(endpoint.get("tlsConfig", {}), authority)
        for monitor in of_kind(manifests, "ServiceMonitor")
        for endpoint in monitor["spec"]["endpoints"]
    ]


def _job(monitor: Manifest, endpoint: Manifest, found: Sequence[Manifest]) -> Manifest:
    namespace = monitor["metadata"]["namespace"]
    searched = monitor["spec"].get("namespaceSelector", {}).get("matchNames", [namespace])
    keeps = [
        {
            "action": "keep",
            "source_labels": [f"__meta_kubernetes_service_label_{_label(key)}"],
            "regex": re.escape(value).replace(r"\-", "-"),
        }
        for key, value in sorted(monitor["spec"]["selector"]["matchLabels"].items())
    ]
    kind_and_name = [
        "__meta_kubernetes_endpoint_address_target_kind",
        "__meta_kubernetes_endpoint_address_target_name",
    ]
    relabelings = [
        *keeps,
        {
            "action": "keep",
            "source_labels": ["__meta_kubernetes_endpoint_port_name"],
            "regex": endpoint["port"],
        },
        {"source_labels": kind_and_name, "regex": "Node;(.*)", "target_label": "node"},
        {"source_labels": kind_and_name, "regex": "Pod;(.*)", "target_label": "pod"},
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": ["__meta_kubernetes_service_name"], "target_label": "service"},
        {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        {"source_labels": ["__meta_kubernetes_pod_container_name"], "target_label": "container"},
        {
            "action": "drop",
            "source_labels": ["__meta_kubernetes_pod_phase"],
            "regex": "(Failed|Succeeded)",
        },
        {"source_labels": ["__meta_kubernetes_service_name"], "target_label": "job"},
        {"target_label": "endpoint", "replacement": endpoint["port"]},
        *map(_relabeling, endpoint["relabelings"]),
    ]
    return {
        "job_name": f"serviceMonitor/{namespace}/{monitor['metadata']['name']}/0",
        "honor_labels": endpoint.get("honorLabels", False),
        "scrape_interval": endpoint["interval"],
        "metrics_path": endpoint["path"],
        "scheme": endpoint.get("scheme", "http"),
        "relabel_configs": relabelings,
        "metric_relabel_configs": [*map(_relabeling, endpoint.get("metricRelabelings", []))],
        "static_configs": [
            target for target in found if target["labels"]["__meta_kubernetes_namespace"] in searched
        ],
    }


def _tls(config: Manifest, authority: str) -> Manifest:
    """Return how a target is verified."""
    if "ca" not in config:
        return {"tls_config": {"insecure_skip_verify": True}} if config else {}
    assert config["ca"]["secret"]["key"] == "ca.crt"
    return {"tls_config": {"ca_file": authority, "server_name": config["serverName"]}}


def _relabeling(config: Mapping[str, Any]) -> Manifest:
    """Return a relabeling in Prometheus' own notation."""
    return {re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", key): v for key, v in config.items()}


def _endpoints(
    manifests: Sequence[Manifest], addresses: Mapping[str, Mapping[str, str]]
) -> Iterator[Manifest]:
    """Yield what the endpoints of every Service look like to Prometheus: each pod, for each of its ports."""
    for service in of_kind(manifests, "Service"):
        for each in workloads(manifests):
            if selects({"matchLabels": service["spec"]["selector"]}, each.labels):
                for pod, address in addresses.get(each.component, {}).items():
                    yield from _ports(service, each, pod, address)


def _ports(service: Manifest, behind: Workload, pod: str, address: str) -> Iterator[Manifest]:
    for port in service["spec"]["ports"]:
        labels = {
            "__meta_kubernetes_namespace": service["metadata"]["namespace"],
            "__meta_kubernetes_service_name": service["metadata"]["name"],
            "__meta_kubernetes_endpoint_port_name": port["name"],
            "__meta_kubernetes_endpoint_address_target_kind": "Pod",
            "__meta_kubernetes_endpoint_address_target_name": pod,
            "__meta_kubernetes_pod_name": pod,
            "__meta_kubernetes_pod_phase": "Running",
            "__meta_kubernetes_pod_container_name": behind.containers[0]["name"],
        }
        labels |= {
            f"__meta_kubernetes_service_label_{_label(key)}": value
            for key, value in service["metadata"]["labels"].items()
        }
        yield {"targets": [address], "labels": labels}


def _label(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", key)
