"""Who an object belongs to: one component of one environment, and the labels that say so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from cdk8s import ApiObjectMetadata
from cdk8s_plus_27 import k8s

_LONGEST_LABEL = 63

KEPT_BY_ARGO_CD = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}
"""On data: Argo CD must not delete it because a file went missing from git."""


@dataclass(frozen=True)
class Component:
    """One running part of an environment, such as its database.

    Selectors are immutable in Kubernetes, so ``selector`` holds only what never changes: the version
    is a label, not a selector.
    """

    name: str
    role: str
    instance: str
    namespace: str
    version: str = ""
    ports: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Container ports, by name."""

    def with_ports(self, **ports: int) -> Self:
        """Return the component, listening."""
        return replace(self, ports=ports)

    @property
    def selector(self) -> dict[str, str]:
        """Labels that pick exactly this component's pods."""
        return {
            "app.kubernetes.io/name": self.name,
            "app.kubernetes.io/component": self.role,
            "app.kubernetes.io/instance": self.instance,
        }

    @property
    def lasting_labels(self) -> dict[str, str]:
        """The recommended labels without the version, for objects that outlive it."""
        return self.selector | {
            "app.kubernetes.io/part-of": "traversion",
            "app.kubernetes.io/managed-by": "cdk8s",
        }

    @property
    def labels(self) -> dict[str, str]:
        """The recommended labels of every object of this component."""
        version = {"app.kubernetes.io/version": _label_value(self.version)} if self.version else {}
        return self.lasting_labels | version

    def metadata(self, name: str, annotations: Mapping[str, str] | None = None) -> k8s.ObjectMeta:
        """Metadata of a namespaced object."""
        return k8s.ObjectMeta(
            name=name, namespace=self.namespace, labels=self.labels, annotations=annotations
        )

    def cluster_metadata(self, name: str, annotations: Mapping[str, str] | None = None) -> k8s.ObjectMeta:
        """Metadata of a cluster-scoped object; the name must tell environments apart."""
        return k8s.ObjectMeta(name=name, labels=self.labels, annotations=annotations)

    def resource_metadata(self, name: str, annotations: Mapping[str, str] | None = None) -> ApiObjectMetadata:
        """Metadata of a namespaced custom resource; ``cdk8s import`` uses another type for it."""
        return ApiObjectMetadata(
            name=name, namespace=self.namespace, labels=self.labels, annotations=annotations
        )


def _label_value(version: str) -> str:
    """Fit an image tag into a label: no digest, at most 63 characters, ending in a letter or digit."""
    return re.sub(r"[^A-Za-z0-9]+$", "", version.partition("@")[0][:_LONGEST_LABEL])
