"""Provisioners as data: what they cannot do, and what became of those that were part of Kubernetes."""

from collections.abc import Mapping
from typing import Literal

from traversion.verify.claims import Claim
from traversion.verify.graph import Graph
from traversion.verify.model import text

# Drivers whose file systems one node at a time may mount: "Read/Write Single Pod" in kubernetes-csi/docs,
# book/src/drivers.md. Raw devices of some of them may be shared, file systems never.
BLOCK_PROVISIONERS = {
    "block.csi.ibm.com",
    "csi.cloudscale.ch",
    "csi.hetzner.cloud",
    "cinder.csi.openstack.org",
    "disk.csi.azure.com",
    "diskplugin.csi.alibabacloud.com",
    "dobs.csi.digitalocean.com",
    "ebs.csi.aws.com",
    "linodebs.csi.linode.com",
    "pd.csi.storage.gke.io",
    "rbd.csi.ceph.com",
    "vpc.block.csi.ibm.io",
}
# Rook puts its operator's namespace before the name.
_BLOCK_SUFFIX = ".rbd.csi.ceph.com"

# k8s.io/csi-translation-lib, plugins/: the volumes are the driver's, which must be installed.
TRANSLATED: Mapping[str, str] = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/azure-file": "file.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}
# In neither k8s.io/kubernetes/pkg/volume nor the translation any more (1.37): they make no volume.
REMOVED = {
    "kubernetes.io/flocker",
    "kubernetes.io/glusterfs",
    "kubernetes.io/photon-pd",
    "kubernetes.io/quobyte",
    "kubernetes.io/rbd",
    "kubernetes.io/scaleio",
    "kubernetes.io/storageos",
}
# Disks that live in one zone, and nodes only there can mount them.
ZONAL = {"cinder.csi.openstack.org", "disk.csi.azure.com", "ebs.csi.aws.com", "pd.csi.storage.gke.io"}
# A volume of this provisioner is made by hand.
NO_PROVISIONER = "kubernetes.io/no-provisioner"
# Classes that managed clusters come with (GKE, EKS, AKS, DigitalOcean, Hetzner).
_KNOWN_CLASSES: Mapping[str, str] = {
    "do-block-storage": "dobs.csi.digitalocean.com",
    "gp2": "ebs.csi.aws.com",
    "gp3": "ebs.csi.aws.com",
    "hcloud-volumes": "csi.hetzner.cloud",
    "managed-csi": "disk.csi.azure.com",
    "managed-csi-premium": "disk.csi.azure.com",
    "premium-rwo": "pd.csi.storage.gke.io",
    "standard-rwo": "pd.csi.storage.gke.io",
}

Knowledge = Literal["declared", "known", "unknown"]


def provisioner(graph: Graph, claim: Claim) -> tuple[str, Knowledge]:
    """Return the driver of a claim's class, and whether the set declares the class."""
    name = claim.storage_class or ""
    declared = graph.find("StorageClass", "", name) if name else None
    if declared is not None:
        return driver(text(declared.data.get("provisioner"))), "declared"
    if name in _KNOWN_CLASSES:
        return _KNOWN_CLASSES[name], "known"
    return "", "unknown"


def driver(name: str) -> str:
    """Return the driver that does a provisioner's work today."""
    return TRANSLATED.get(name, name)


def is_block(name: str) -> bool:
    """Tell whether a driver's file systems are for one node at a time."""
    return name in BLOCK_PROVISIONERS or name.endswith(_BLOCK_SUFFIX)
