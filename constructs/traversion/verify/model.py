"""Kubernetes objects as the checks see them: whatever somebody wrote, read without ever trusting its type."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

# Kinds without a namespace, by API group. Unknown kinds count as namespaced only when they name one.
_CLUSTER_SCOPED = {
    "": {"Namespace", "Node", "PersistentVolume", "ComponentStatus"},
    "admissionregistration.k8s.io": {
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    },
    "apiextensions.k8s.io": {"CustomResourceDefinition"},
    "apiregistration.k8s.io": {"APIService"},
    "argoproj.io": {"ClusterAnalysisTemplate", "ClusterWorkflowTemplate"},
    "certificates.k8s.io": {"CertificateSigningRequest", "ClusterTrustBundle"},
    "cert-manager.io": {"ClusterIssuer"},
    "external-secrets.io": {"ClusterExternalSecret", "ClusterSecretStore"},
    "flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
    "gateway.networking.k8s.io": {"GatewayClass"},
    "networking.k8s.io": {"IngressClass"},
    "keda.sh": {"ClusterTriggerAuthentication"},
    "node.k8s.io": {"RuntimeClass"},
    "policy": {"PodSecurityPolicy"},
    "postgresql.cnpg.io": {"ClusterImageCatalog"},
    "rbac.authorization.k8s.io": {"ClusterRole", "ClusterRoleBinding"},
    "scheduling.k8s.io": {"PriorityClass"},
    "storage.k8s.io": {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"},
}
_KNOWN_GROUPS = {
    "",
    "apps",
    "autoscaling",
    "autoscaling.k8s.io",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "monitoring.coreos.com",
    *_CLUSTER_SCOPED,
}
# Where the pod template of each kind of controller stands.
_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}

_LARGEST = 2**63

Step = str | int


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """Return the value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int | None:
    """Return the value if it is a whole number that the API server could hold (64 bits)."""
    if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value < _LARGEST:
        return value
    return None


def dig(value: object, *steps: Step) -> Any:  # noqa: ANN401 # whatever stands there
    """Follow keys and indexes; None where the way ends."""
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = mapping(value).get(step)
    return value


def path_of(*steps: Step) -> str:
    """Write a path as people do: spec.containers[0].env."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


@dataclass(frozen=True)
class Source:
    """Where an object was read: file and line, counted from 1; empty for objects that were never a file."""

    file: str = ""
    line: int = 0
    order: int = 0
    """Position among all objects, in the order that kubectl takes files and documents."""


@dataclass(frozen=True, eq=False)
class Resource:
    """One object."""

    data: Mapping[str, Any]
    source: Source = field(default_factory=Source)

    @cached_property
    def kind(self) -> str:
        """The kind, e.g. "Deployment"."""
        return text(self.data.get("kind"))

    @cached_property
    def group(self) -> str:
        """The API group; empty for the core group."""
        group, slash, _ = text(self.data.get("apiVersion")).partition("/")
        return group if slash else ""

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata."""
        return mapping(self.data.get("metadata"))

    @cached_property
    def name(self) -> str:
        """The name; empty when the server generates it."""
        return text(self.metadata.get("name"))

    @cached_property
    def built_in(self) -> bool:
        """Whether the API group belongs to Kubernetes, or to a controller that this program knows."""
        return self.group in _KNOWN_GROUPS

    @cached_property
    def cluster_scoped(self) -> bool:
        """Whether the kind has no namespace."""
        if self.kind in _CLUSTER_SCOPED.get(self.group, set()):
            return True
        return not self.built_in and not text(self.metadata.get("namespace"))

    @cached_property
    def namespace(self) -> str:
        """The namespace; "default" where none is named, empty for cluster-scoped kinds."""
        return "" if self.cluster_scoped else text(self.metadata.get("namespace")) or "default"

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Labels whose values are texts."""
        return {
            key: value
            for key, value in mapping(self.metadata.get("labels")).items()
            if isinstance(value, str)
        }

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """Annotations whose values are texts."""
        notes = mapping(self.metadata.get("annotations"))
        return {key: value for key, value in notes.items() if isinstance(value, str)}

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """The specification."""
        return mapping(self.data.get("spec"))

    @cached_property
    def reference(self) -> str:
        """How findings name the object: Kind namespace/name."""
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    @cached_property
    def pods(self) -> "PodTemplate | None":
        """The pods this object makes, or is."""
        steps = _TEMPLATES.get(self.kind) if self.built_in else None
        # Controllers of other people, such as Argo's Rollout, keep the template where Deployments do.
        if steps is None and isinstance(self.dig("spec", "template", "spec", "containers"), list):
            steps = ("spec", "template")
        return None if steps is None else PodTemplate(self, steps)

    def dig(self, *steps: Step) -> Any:  # noqa: ANN401 # whatever stands there
        """Follow keys and indexes from the root of the object."""
        return dig(self.data, *steps)


@dataclass(frozen=True, eq=False)
class PodTemplate:
    """The pods of one controller, or a single pod."""

    owner: Resource
    steps: tuple[Step, ...]

    @cached_property
    def namespace(self) -> str:
        """The namespace the pods run in."""
        return self.owner.namespace

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The labels the pods bear."""
        found = mapping(self.owner.dig(*self.steps, "metadata", "labels"))
        return {key: value for key, value in found.items() if isinstance(value, str)}

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """The pod's specification."""
        return mapping(self.owner.dig(*self.steps, "spec"))

    @cached_property
    def containers(self) -> Sequence["Container"]:
        """All containers: init containers first."""
        return [
            Container(self, mapping(data), (*self.steps, "spec", key, index))
            for key in ("initContainers", "containers", "ephemeralContainers")
            for index, data in enumerate(items(self.spec.get(key)))
        ]

    @cached_property
    def open_ports(self) -> Mapping[str | int, "Container"]:
        """Declared container ports by name and by number, of containers that keep running."""
        ports: dict[str | int, Container] = {}
        for container in self.containers:
            if container.is_init and not container.is_sidecar:
                continue
            for port in items(container.data.get("ports")):
                for key in (dig(port, "name"), dig(port, "containerPort")):
                    if isinstance(key, str | int) and not isinstance(key, bool):
                        ports[key] = container
        return ports

    def path(self, *steps: Step) -> str:
        """Return a path below the pod's root, as seen from the owner."""
        return path_of(*self.steps, *steps)


@dataclass(frozen=True, eq=False)
class Container:
    """One container of a pod template."""

    pods: PodTemplate
    data: Mapping[str, Any]
    steps: tuple[Step, ...]

    @property
    def owner(self) -> Resource:
        """The object to blame."""
        return self.pods.owner

    @property
    def name(self) -> str:
        """The container's name."""
        return text(self.data.get("name"))

    @property
    def is_init(self) -> bool:
        """Whether it runs before the others."""
        return self.steps[-2] == "initContainers"

    @property
    def is_sidecar(self) -> bool:
        """Whether it is an init container that keeps running."""
        return self.is_init and self.data.get("restartPolicy") == "Always"

    def path(self, *steps: Step) -> str:
        """Return a path below the container, as seen from the owner."""
        return path_of(*self.steps, *steps)

    def environment(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the variables with their positions."""
        for index, variable in enumerate(items(self.data.get("env"))):
            yield index, mapping(variable)
