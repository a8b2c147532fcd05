"""Synthesizes environments for the tests, and asks questions about the manifests that come out.

What is asked here reads plain YAML and knows nothing of the constructs, so that it can contradict them.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import yaml
from cdk8s import App, Chart

from traversion.chart import TraversionChart
from traversion.platform import Platform
from traversion.settings import ClusterSettings, Environment, Settings

Manifest = dict[str, Any]
Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
AnySettings = TypeVar("AnySettings", bound=Settings)

REPOSITORY = Path(__file__).parents[1]

CLUSTER_SCOPED = {
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "Namespace",
    "PriorityClass",
    "StorageClass",
}


@dataclass(frozen=True)
class Synthesis:
    """What one environment, or one chart of a test, became."""

    text: str
    platform: Platform

    @cached_property
    def manifests(self) -> list[Manifest]:
        """Every object of the file."""
        return read_manifests(self.text)


def read_manifests(text: str) -> list[Manifest]:
    """Read a file of manifests."""
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def synthesize_environment(environment: Environment) -> Synthesis:
    """Synthesize an environment through the real chart."""
    charts: list[TraversionChart] = []
    text = _synthesized(lambda app: charts.append(TraversionChart(app, environment)))
    return Synthesis(text, charts[0].platform)


def synthesize_alone(
    build: Callable[[Platform], object], *, cluster: ClusterSettings | None = None
) -> Synthesis:
    """Synthesize a chart that holds what ``build`` makes, and the platform that it stands on."""
    platforms: list[Platform] = []

    def make(app: App) -> None:
        chart = Chart(app, "alone")
        with Platform(chart, name="alone", namespace="traversion-alone", cluster=cluster) as platform:
            build(platform)
        platforms.append(platform)

    return Synthesis(_synthesized(make), platforms[0])


def _synthesized(make: Callable[[App], object]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder)
        make(app)
        app.synth()
        (file,) = Path(folder).iterdir()
        return file.read_text(encoding="utf-8")


def change(settings: AnySettings, changes: Mapping[str, object]) -> AnySettings:
    """Return settings with other values at dotted paths, checked like those that a person writes."""
    for path, value in changes.items():
        settings = _change(settings, path, value)
    return settings


def _change(settings: AnySettings, path: str, value: object) -> AnySettings:
    name, _, rest = path.partition(".")
    inner = _change(getattr(settings, name), rest, value) if rest else value
    return type(settings).model_validate({**dict(settings), name: inner})


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    """Return the objects of these kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def find(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """Return the one object of this kind and name."""
    (found,) = (manifest for manifest in of_kind(manifests, kind) if manifest["metadata"]["name"] == name)
    return found


def names(manifests: Sequence[Manifest], kind: str) -> set[str]:
    """Return the names of the objects of a kind."""
    return {manifest["metadata"]["name"] for manifest in of_kind(manifests, kind)}


def identity(manifest: Manifest) -> str:
    """Name an object in a message."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


@dataclass(frozen=True)
class Workload:
    """Something that makes pods."""

    manifest: Manifest
    template: Manifest

    @property
    def kind(self) -> str:
        """Deployment, StatefulSet, Job or CronJob."""
        return str(self.manifest["kind"])

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def component(self) -> str:
        """The name label of the pods."""
        return str(self.labels["app.kubernetes.io/name"])

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the pods."""
        return dict(self.template["metadata"]["labels"])

    @property
    def spec(self) -> Manifest:
        """The PodSpec."""
        return dict(self.template["spec"])

    @property
    def init_containers(self) -> list[Manifest]:
        """Containers that run before the others."""
        return list(self.spec.get("initContainers", []))

    @property
    def containers(self) -> list[Manifest]:
        """Containers that run together."""
        return list(self.spec["containers"])

    @property
    def all_containers(self) -> list[Manifest]:
        """Every container."""
        return self.init_containers + self.containers

    def container(self, name: str) -> Manifest:
        """Return one of the containers."""
        (found,) = (each for each in self.containers if each["name"] == name)
        return found

    @property
    def ports(self) -> dict[str, int]:
        """Open ports by name."""
        return {
            port["name"]: port["containerPort"]
            for container in self.containers
            for port in container.get("ports", [])
        }

    @property
    def secret_keys(self) -> set[tuple[str, str]]:
        """Every (Secret, key) that a container or volume names; key "*" for all of them."""
        found: set[tuple[str, str]] = set()
        for container in self.all_containers:
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                if reference:
                    found.add((reference["name"], reference["key"]))
            for source in container.get("envFrom", []):
                if "secretRef" in source:
                    found.add((source["secretRef"]["name"], "*"))
        for volume in self.spec.get("volumes", []):
            for secret in _secret_sources(volume):
                items = secret.get("items")
                name = secret.get("secretName") or secret["name"]
                found |= {(name, item["key"]) for item in items} if items else {(name, "*")}
        return found

    @property
    def config_maps(self) -> set[str]:
        """Every ConfigMap that the pods read."""
        found = {
            source["configMapRef"]["name"]
            for container in self.all_containers
            for source in container.get("envFrom", [])
            if "configMapRef" in source
        }
        found |= {
            variable["valueFrom"]["configMapKeyRef"]["name"]
            for container in self.all_containers
            for variable in container.get("env", [])
            if "configMapKeyRef" in variable.get("valueFrom", {})
        }
        found |= {
            volume["configMap"]["name"] for volume in self.spec.get("volumes", []) if "configMap" in volume
        }
        return found

    def variables(self, manifests: Sequence[Manifest], container: str) -> dict[str, str]:
        """Return the plain environment of a container, ConfigMaps included."""
        (found,) = (each for each in self.all_containers if each["name"] == container)
        values: dict[str, str] = {}
        for source in found.get("envFrom", []):
            values |= find(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
        return values | {
            variable["name"]: variable["value"] for variable in found.get("env", []) if "value" in variable
        }


def _secret_sources(volume: Manifest) -> Iterator[Manifest]:
    if "secret" in volume:
        yield volume["secret"]
    for source in volume.get("projected", {}).get("sources", []):
        if "secret" in source:
            yield source["secret"]


def workloads(manifests: Sequence[Manifest]) -> list[Workload]:
    """Return everything that makes pods."""
    return [
        Workload(
            manifest,
            (manifest["spec"]["jobTemplate"] if manifest["kind"] == "CronJob" else manifest)["spec"][
                "template"
            ],
        )
        for manifest in of_kind(manifests, "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
    ]


def workload(manifests: Sequence[Manifest], component: str, name: str | None = None) -> Workload:
    """Return the workload of a component, such as "timescaledb"; by its name where it has several."""
    (found,) = (
        each for each in workloads(manifests) if each.component == component and name in {None, each.name}
    )
    return found


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a label selector with ``matchLabels`` picks these labels."""
    unknown = set(selector) - {"matchLabels"}
    assert not unknown, f"teach the tests about {unknown}"
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def strings(value: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string in a structure, keys included, with the path that leads to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}", key
            yield from strings(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from strings(inner, f"{path}[{index}]")


def mentions(value: Json, text: str) -> list[str]:
    """Return the path of every string that contains ``text``."""
    return [path for path, string in strings(value) if text in string]
