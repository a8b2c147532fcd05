"""The cluster that an environment lands on: its cloud, its nodes, its source of secrets."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from traversion.settings.base import Settings, refuse
from traversion.values import (
    PRIVATE_NETWORKS,
    Cidr,
    DnsLabel,
    KeyPrefix,
    LabelKey,
    LabelValue,
    Period,
    ResolverCidr,
)


class ClusterSettings(Settings):
    """The cluster the environment lands on."""

    cloud: Literal["gke", "eks", "aks", "generic"] = "gke"
    """Cloud provider: chooses the CSI provisioner of the SSD StorageClass and the labels of spot nodes. Fixed
    once applied, as a StorageClass cannot change."""
    storage_class: DnsLabel | None = None
    """Existing StorageClass to use; required for ``generic``, refused elsewhere (the class is made)."""
    zones: Sequence[str] = ()
    """Zones of zone-replicated volumes, e.g. ("europe-west1-b", "europe-west1-c"); empty: any two."""
    api_server_cidrs: Annotated[Sequence[Cidr], Field(min_length=1)] = ("0.0.0.0/0",)
    """Addresses of the Kubernetes API server; narrow it where they are known."""
    node_cidrs: Annotated[Sequence[Cidr], Field(min_length=1)] = PRIVATE_NETWORKS
    """Addresses of the nodes, whose kubelets Prometheus scrapes."""
    dns_cidrs: Sequence[ResolverCidr] | None = None
    """Address of a node-local DNS cache, besides kube-dns; None: ("169.254.20.10/32",) on ``gke``, whose
    clusters run NodeLocal DNSCache, and none elsewhere."""

    @property
    def resolvers(self) -> Sequence[str]:
        """The networks of the node-local DNS cache, if there is one."""
        if self.dns_cidrs is not None:
            return self.dns_cidrs
        return ("169.254.20.10/32",) if self.cloud == "gke" else ()

    @model_validator(mode="after")
    def _storage_class_fits_the_cloud(self) -> Self:
        if self.cloud == "generic" and self.storage_class is None:
            raise refuse(
                "storage_class",
                None,
                'is required for cloud = "generic": name an existing SSD StorageClass',
            )
        if len(self.zones) == 1:
            raise refuse("zones", self.zones, "a volume is kept in two zones: name at least two, or none")
        if self.cloud != "generic" and self.storage_class is not None:
            raise refuse(
                "storage_class",
                self.storage_class,
                f'is for cloud = "generic" only, "{self.cloud}" gets a class of its own: remove the setting',
            )
        return self


class PlacementSettings(Settings):
    """Which nodes pods run on."""

    spot: bool = False
    """Prefer and tolerate spot (preemptible) nodes; not for data that must not wait."""
    spread_zones: bool = False
    """Keep the pods of one component in different zones, not only on different nodes."""
    node_labels: Mapping[LabelKey, LabelValue] = {}
    """Labels that a node must have, e.g. {"workload": "traversion"}."""


class CredentialSettings(Settings):
    """Where secret values come from; they never stand in ``dist/``."""

    source: Literal["generated", "external-secrets"] = "generated"
    """``generated``: ``traversion secrets ENV --current -`` prints them for kubectl.
    ``external-secrets``: the External Secrets Operator copies them from a store."""
    store: DnsLabel | None = None
    """ClusterSecretStore to read; required for ``external-secrets``."""
    prefix: KeyPrefix = ""
    """Put before the Secret's name to form the key in the store, e.g. "traversion/production/"."""
    refresh: Period = "1h"
    """How often the operator looks for rotated values."""

    @model_validator(mode="after")
    def _store_is_named(self) -> Self:
        if self.source == "external-secrets" and self.store is None:
            raise refuse(
                "store",
                None,
                'is required for source = "external-secrets": name a ClusterSecretStore',
            )
        return self
