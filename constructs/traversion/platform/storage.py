"""SSD volumes on each cloud: the StorageClass that asks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.platform.component import Component
from traversion.settings import ClusterSettings


@dataclass(frozen=True)
class _Disks:
    """How one cloud's CSI driver is asked for SSDs, and for SSDs in two zones."""

    provisioner: str
    zonal: Mapping[str, str]
    replicated: Mapping[str, str] | None
    zone_key: str


_CLOUDS = {
    "gke": _Disks(
        "pd.csi.storage.gke.io",
        {"type": "pd-ssd"},
        {"type": "pd-ssd", "replication-type": "regional-pd"},
        "topology.gke.io/zone",
    ),
    "eks": _Disks(
        "ebs.csi.aws.com",
        {"type": "gp3", "encrypted": "true"},
        None,
        "topology.ebs.csi.aws.com/zone",
    ),
    "aks": _Disks(
        "disk.csi.azure.com",
        {"skuName": "Premium_LRS"},
        {"skuName": "Premium_ZRS"},
        "topology.disk.csi.azure.com/zone",
    ),
}


class Storage:
    """The StorageClasses of one environment, made when first asked for."""

    def __init__(self, scope: Construct, owner: Component, cluster: ClusterSettings) -> None:
        """Remember where to make them."""
        self._scope = scope
        self._owner = owner
        self._cluster = cluster
        self._made: set[str] = set()

    def scratch(self) -> str:
        """Return the name of a class of SSD volumes that are deleted with their claim.

        With a StorageClass of the cluster's own it is that one, whatever becomes of its volumes.
        """
        if self._cluster.storage_class:
            return self._cluster.storage_class
        disks = _CLOUDS[self._cluster.cloud]
        return self._class(f"{self._owner.instance}-ssd-scratch", disks, disks.zonal, reclaim_policy="Delete")

    def ssd(self, *, zone_replicated: bool = False) -> str:
        """Return the name of a class of SSD volumes that grow, wait for their pod, and outlive their claim.

        Raises ``ValueError`` for zone replication on a cloud without such disks.
        """
        if self._cluster.storage_class:
            return self._cluster.storage_class
        disks = _CLOUDS[self._cluster.cloud]
        parameters = disks.replicated if zone_replicated else disks.zonal
        if parameters is None:
            message = f"{self._cluster.cloud} has no zone-replicated volumes"
            raise ValueError(message)
        name = f"{self._owner.instance}-ssd{'-replicated' if zone_replicated else ''}"
        zones = self._cluster.zones if zone_replicated else ()
        return self._class(name, disks, parameters, reclaim_policy="Retain", zones=zones)

    def _class(
        self,
        name: str,
        disks: _Disks,
        parameters: Mapping[str, str],
        *,
        reclaim_policy: str,
        zones: Sequence[str] = (),
    ) -> str:
        if name not in self._made:
            self._made.add(name)
            k8s.KubeStorageClass(
                self._scope,
                name,
                metadata=self._owner.cluster_metadata(name),
                provisioner=disks.provisioner,
                parameters=parameters,
                reclaim_policy=reclaim_policy,
                allow_volume_expansion=True,
                # Bound before scheduling, a zonal disk can land where the pod may not run.
                volume_binding_mode="WaitForFirstConsumer",
                allowed_topologies=_in_zones(disks.zone_key, zones),
            )
        return name


def _in_zones(key: str, zones: Sequence[str]) -> list[k8s.TopologySelectorTerm] | None:
    if not zones:
        return None
    requirement = k8s.TopologySelectorLabelRequirement(key=key, values=list(zones))
    return [k8s.TopologySelectorTerm(match_label_expressions=[requirement])]
