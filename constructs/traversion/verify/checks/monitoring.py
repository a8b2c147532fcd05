"""Prometheus and Grafana: what they are told to reach and to read."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from traversion.verify.check import Problem, check
from traversion.verify.exporters import NOT_HTTP
from traversion.verify.graph import Graph
from traversion.verify.model import PodTemplate, dig, items, mapping, number, text
from traversion.verify.observability import Address, Part, jobs_of, observability

_CONFIG_FOLDER = "/etc/prometheus"


@check(
    "scrape-target-missing",
    "error",
    what="Prometheus is told to scrape, or to alert through, a Service or a port that does not exist.",
    why="The target is down for ever: its metrics, or all alerts, get lost.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: prometheus, namespace: shop}
spec: {containers: [{name: prometheus}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus, namespace: shop}
data:
  prometheus.yml: |
    scrape_configs: [{job_name: api, static_configs: [{targets: ["api:9090"]}]}]
""",
    right="""
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 9090}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus, namespace: shop}
data:
  prometheus.yml: |
    scrape_configs: [{job_name: api, static_configs: [{targets: ["api:9090"]}]}]
""",
)
def targets_exist(graph: Graph) -> Iterator[Problem]:
    """Look every static target and alertmanager up."""
    for part in observability(graph).configs:
        for path, target in [*_scraped(part), *_alertmanagers(part)]:
            error = Address(graph, part.namespace, target).error
            if error:
                yield Problem(
                    part.resource,
                    path,
                    f"{target}: {error}",
                    "name a Service of the set and one of its ports",
                )


@check(
    "scrape-target-not-http",
    "error",
    what="Prometheus is told to scrape a port of a database or another protocol.",
    why="It asks for metrics by HTTP and gets none: the target is down for ever.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data:
  prometheus.yml: |
    scrape_configs: [{job_name: redis, static_configs: [{targets: ["redis.example.com:6379"]}]}]
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data:
  prometheus.yml: |
    scrape_configs: [{job_name: redis, static_configs: [{targets: ["exporter.example.com:9121"]}]}]
""",
)
def targets_speak_http(graph: Graph) -> Iterator[Problem]:
    """Judge the port at the pods."""
    for part in observability(graph).configs:
        for path, target in _scraped(part):
            port = Address(graph, part.namespace, target).pod_port
            if port is not None and port in NOT_HTTP:
                yield Problem(
                    part.resource,
                    path,
                    f"{target} speaks {NOT_HTTP[port]}, not HTTP",
                    "run an exporter beside it and scrape that",
                )


@check(
    "scrape-job-twice",
    "error",
    what="Two scrape jobs of one Prometheus have the same name.",
    why="Prometheus refuses the configuration and does not start.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data: {prometheus.yml: "scrape_configs: [{job_name: api}, {job_name: api}]"}
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data: {prometheus.yml: "scrape_configs: [{job_name: api}, {job_name: web}]"}
""",
)
def jobs_are_unique(graph: Graph) -> Iterator[Problem]:
    """Compare the names in each configuration."""
    for part in observability(graph).configs:
        names = Counter(text(job.get("job_name")) for _, job in jobs_of(part))
        for name, count in names.items():
            if count > 1 and name:
                yield Problem(
                    part.resource,
                    f"{part.path}.scrape_configs",
                    f"{count} jobs are called {name}",
                    "rename them",
                )


@check(
    "rule-file-missing",
    "error",
    what="Prometheus is told to read rules from a file that no volume brings.",
    why="It starts without them and says nothing: no alert of that file ever fires.",
    wrong="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data: {prometheus.yml: "{rule_files: [alerts.yml], scrape_configs: []}"}
---
apiVersion: v1
kind: Pod
metadata: {name: prometheus}
spec:
  containers: [{name: prometheus, volumeMounts: [{name: config, mountPath: /etc/prometheus}]}]
  volumes: [{name: config, configMap: {name: prometheus}}]
""",
    right="""
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus}
data: {prometheus.yml: "{rule_files: [alerts.yml], scrape_configs: []}", alerts.yml: "groups: []"}
---
apiVersion: v1
kind: Pod
metadata: {name: prometheus}
spec:
  containers: [{name: prometheus, volumeMounts: [{name: config, mountPath: /etc/prometheus}]}]
  volumes: [{name: config, configMap: {name: prometheus}}]
""",
)
def rule_files_exist(graph: Graph) -> Iterator[Problem]:
    """Follow each rule file into the volumes of the pods that read the configuration."""
    for part in observability(graph).configs:
        for index, each in enumerate(items(mapping(part.data).get("rule_files"))):
            pattern = text(each)
            lacking = [
                pods
                for pods in _mounting(graph, part)
                if pattern and not _has_file(graph, pods, part, pattern)
            ]
            if lacking:
                yield Problem(
                    part.resource,
                    f"{part.path}.rule_files[{index}]",
                    f"{pattern} is no file in the pods of {lacking[0].owner.reference}",
                    "add it to the ConfigMap, or mount the one that has it there",
                )


@check(
    "datasource-invalid",
    "error",
    what="A data source that Grafana is given cannot work.",
    why="Its panels stay empty; two defaults or two of one name keep Grafana from starting.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: grafana, namespace: shop}
spec: {containers: [{name: grafana}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: grafana, namespace: shop}
data:
  datasources.yaml: |
    datasources: [{name: Prometheus, type: prometheus, url: "http://prometheus:9090"}]
""",
    right="""
apiVersion: v1
kind: Service
metadata: {name: prometheus, namespace: shop}
spec: {selector: {app: prometheus}, ports: [{port: 9090}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: grafana, namespace: shop}
data:
  datasources.yaml: |
    datasources: [{name: Prometheus, type: prometheus, url: "http://prometheus:9090"}]
""",
)
def datasources_work(graph: Graph) -> Iterator[Problem]:
    """Look up each address, and compare names and defaults within a file."""
    for part in observability(graph).datasources:
        sources = [mapping(each) for each in items(mapping(part.data).get("datasources"))]
        path = f"{part.path}.datasources"
        for index, source in enumerate(sources):
            url = text(source.get("url"))
            error = Address(graph, part.namespace, url).error if "$" not in url else ""
            if error:
                yield Problem(
                    part.resource,
                    f"{path}[{index}].url",
                    f"{url}: {error}",
                    "name a Service of the set and its port",
                )
        for field in ("name", "uid"):
            counts = Counter(
                (number(source.get("orgId")) or 1, text(source.get(field))) for source in sources
            )
            for (_, name), count in counts.items():
                if name and count > 1:
                    yield Problem(
                        part.resource, path, f"{count} have the {field} {name}", f"give each its own {field}"
                    )
        if (
            max(
                Counter(
                    number(each.get("orgId")) or 1 for each in sources if each.get("isDefault") is True
                ).values(),
                default=0,
            )
            > 1
        ):
            yield Problem(part.resource, path, "several have isDefault: true", "leave it at one of them")


def _scraped(part: Part) -> Iterator[tuple[str, str]]:
    """Yield where static targets stand, and the targets; not those that relabelling turns into parameters."""
    for path, job in jobs_of(part):
        rules = [mapping(each) for each in items(job.get("relabel_configs"))]
        if not any(each.get("target_label") == "__address__" for each in rules):
            yield from _targets(path, job)


def _alertmanagers(part: Part) -> Iterator[tuple[str, str]]:
    for index, each in enumerate(items(dig(part.data, "alerting", "alertmanagers"))):
        yield from _targets(f"{part.path}.alerting.alertmanagers[{index}]", mapping(each))


def _targets(path: str, holder: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, config in enumerate(items(holder.get("static_configs"))):
        for place, target in enumerate(items(dig(config, "targets"))):
            if text(target) and "$" not in target:
                yield f"{path}.static_configs[{index}].targets[{place}]", target


def _mounting(graph: Graph, part: Part) -> Sequence[PodTemplate]:
    """Return the pods that mount the ConfigMap of a configuration."""
    return observability(graph).readers.get((part.namespace, part.resource.name), ())


def _has_file(graph: Graph, pods: PodTemplate, part: Part, pattern: str) -> bool:
    """Tell whether a rule file may be in the pods; only ConfigMaps of the set can be looked into."""
    folder = _folder(pods, part.resource.name) or _CONFIG_FOLDER
    wanted = posixpath.normpath(posixpath.join(folder, pattern))
    volumes = {text(dig(each, "name")): mapping(each) for each in items(pods.spec.get("volumes"))}
    covered = False
    for container in pods.containers:
        for mount in map(mapping, items(container.data.get("volumeMounts"))):
            at = posixpath.normpath(text(mount.get("mountPath")) or "/")
            # A pattern in the folder's own name may mean any mount.
            if (
                not wanted.startswith(at + "/")
                and wanted != at
                and not _is_pattern(posixpath.dirname(wanted))
            ):
                continue
            volume = volumes.get(text(mount.get("name")), {})
            config = graph.find("ConfigMap", pods.namespace, text(dig(volume, "configMap", "name")))
            if config is None:
                return True
            covered = True
            listed = [text(dig(each, "path")) for each in items(dig(volume, "configMap", "items"))]
            files = listed or [*mapping(config.data.get("data"))]
            paths = [at] if mount.get("subPath") else [posixpath.join(at, str(each)) for each in files]
            if any(fnmatchcase(each, wanted) for each in paths):
                return True
    return not covered


def _folder(pods: PodTemplate, config: str) -> str:
    names = {
        text(dig(each, "name"))
        for each in items(pods.spec.get("volumes"))
        if dig(each, "configMap", "name") == config
    }
    for container in pods.containers:
        for mount in items(container.data.get("volumeMounts")):
            if text(dig(mount, "name")) in names:
                path = text(dig(mount, "mountPath"))
                return posixpath.dirname(path) if dig(mount, "subPath") else path
    return ""


def _is_pattern(path: str) -> bool:
    return any(each in path for each in "*?[")
