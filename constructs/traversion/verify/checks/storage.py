"""Claims, classes and volumes."""

from collections.abc import Iterator

from traversion.verify.check import Problem, Severity, check
from traversion.verify.claims import Claim, claims
from traversion.verify.graph import Graph, matches_selector
from traversion.verify.model import dig, mapping, text
from traversion.verify.quantity import brief
from traversion.verify.volumes import (
    NO_PROVISIONER,
    REMOVED,
    TRANSLATED,
    ZONAL,
    driver,
    is_block,
    provisioner,
)

_MANY_NODES = {"ReadWriteMany", "ReadOnlyMany"}


@check(
    "claim-selector",
    "error",
    what="A claim picks its volume by labels or by name, though its class makes new volumes.",
    why="Provisioners refuse such claims ('claim Selector is not supported'): it stays Pending, its pod too.",
    wrong="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: pd.csi.storage.gke.io
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ssd
  resources: {requests: {storage: 1Gi}}
  selector: {matchLabels: {app: example}}
""",
    right="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: pd.csi.storage.gke.io
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ssd
  resources: {requests: {storage: 1Gi}}
""",
)
def dynamic_claims_pick_nothing(graph: Graph) -> Iterator[Problem]:
    """Leave alone what a PersistentVolume of the set satisfies; elsewhere one may exist in the cluster."""
    for claim in claims(graph):
        selector, volume = claim.spec.get("selector"), text(claim.spec.get("volumeName"))
        # Without a class, volumes are made by hand.
        if (selector is None and not volume) or claim.storage_class == "":
            continue
        name, knowledge = provisioner(graph, claim)
        if name == NO_PROVISIONER or _is_declared(graph, claim, selector, volume):
            continue
        # By name it may well be a volume that somebody restored.
        severity: Severity = "error" if knowledge == "declared" and not volume else "warning"
        field = "volumeName" if volume else "selector"
        wrong = f"asks for the volume {volume}" if volume else "asks for a volume with certain labels"
        by = (
            f"class {claim.storage_class} of {name}"
            if name
            else f"class {claim.storage_class or 'by default'}"
        )
        yield Problem(
            claim.owner,
            claim.path(field),
            f"{wrong}, but {by} makes new ones",
            f"remove {field}, or declare the PersistentVolume and an empty storageClassName",
            severity,
        )


def _is_declared(graph: Graph, claim: Claim, selector: object, volume: str) -> bool:
    if volume:
        return graph.find("PersistentVolume", "", volume) is not None
    return any(
        each.spec.get("storageClassName") == claim.storage_class
        and matches_selector(mapping(selector), each.labels)
        for each in graph.of_kind("PersistentVolume")
    )


@check(
    "claim-access-mode",
    "error",
    what="A claim wants to be mounted on many nodes, which the disks of its class cannot.",
    why="The provisioner refuses it or the second node cannot attach the disk: claim or pods stay Pending.",
    wrong="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: ebs.csi.aws.com
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteMany], storageClassName: ssd, resources: {requests: {storage: 1Gi}}}
""",
    right="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: files}
provisioner: efs.csi.aws.com
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteMany], storageClassName: files, resources: {requests: {storage: 1Gi}}}
""",
)
def access_modes_are_served(graph: Graph) -> Iterator[Problem]:
    """Raw devices may be shared, file systems on disks never."""
    for claim in claims(graph):
        if "ReadWriteMany" not in claim.access_modes or claim.is_block or text(claim.spec.get("volumeName")):
            continue
        name, knowledge = provisioner(graph, claim)
        if is_block(name):
            wrong = f"ReadWriteMany from class {claim.storage_class}: a disk of {name} is for one node"
            remedy = "use ReadWriteOnce, or a class of shared files"
            severity: Severity = "error" if knowledge == "declared" else "warning"
            yield Problem(claim.owner, claim.path("accessModes"), wrong, remedy, severity)


@check(
    "claim-incomplete",
    "error",
    what="A claim names no access mode or no storage.",
    why="The API server refuses it; a StatefulSet then makes no pod, and only its events tell why.",
    wrong="""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: ssd, resources: {requests: {storage: 0}}}
""",
    right="""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: ssd, resources: {requests: {storage: 1Gi}}}
""",
)
def claims_are_complete(graph: Graph) -> Iterator[Problem]:
    """Look for both; there are no defaults."""
    for claim in claims(graph):
        if not claim.access_modes:
            yield Problem(claim.owner, claim.path("accessModes"), "names no access mode", "add ReadWriteOnce")
        if claim.storage is None or claim.storage <= 0:
            stated = dig(claim.spec, "resources", "requests", "storage")
            wrong = "asks for no storage" if stated is None else f"asks for {brief(stated)} of storage"
            path = claim.path("resources", "requests", "storage")
            yield Problem(claim.owner, path, wrong, "ask for an amount like 10Gi")


@check(
    "claim-template-default",
    "warning",
    what="A StatefulSet's claim template leaves its class or volume mode to the cluster.",
    why="The class is the cluster's default, for ever: templates cannot be changed. The server fills"
    " in the mode, which tools that compare (Argo CD) report as a difference each time.",
    wrong="""
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: example}
spec:
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
""",
    right="""
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: example}
spec:
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        volumeMode: Filesystem
        storageClassName: ssd
        resources: {requests: {storage: 1Gi}}
""",
)
def templates_leave_nothing_open(graph: Graph) -> Iterator[Problem]:
    """Look at templates only: a single claim can be replaced."""
    for claim in claims(graph):
        missing = []
        if claim.storage_class is None:
            missing.append("storageClassName")
        if claim.spec.get("volumeMode") is None:
            missing.append("volumeMode")
        if claim.is_template and claim.owner.kind == "StatefulSet" and missing:
            wrong = f"the template {claim.name} states no {' and no '.join(missing)}"
            yield Problem(
                claim.owner, claim.path(), wrong, "state it (volumeMode: Filesystem is the default)"
            )


@check(
    "provisioner-in-tree",
    "warning",
    what="A StorageClass names a provisioner that Kubernetes no longer has.",
    why="Where a driver took over it must be installed; others make no volume at all.",
    wrong="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: kubernetes.io/gce-pd
volumeBindingMode: WaitForFirstConsumer
""",
    right="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: pd.csi.storage.gke.io
volumeBindingMode: WaitForFirstConsumer
""",
)
def provisioners_exist(graph: Graph) -> Iterator[Problem]:
    """Tell those that a driver replaces from those that nothing does."""
    for each in graph.of_kind("StorageClass"):
        name = text(each.data.get("provisioner"))
        if name in TRANSLATED:
            wrong = f"{name} is gone; {TRANSLATED[name]} does its work where it is installed"
            yield Problem(each, "provisioner", wrong, f"name {TRANSLATED[name]}")
        elif name in REMOVED:
            wrong = f"{name} is gone, and no driver took over: no volume is ever made"
            yield Problem(each, "provisioner", wrong, "use a CSI driver", "error")


@check(
    "binding-immediate",
    "warning",
    what="A StorageClass makes disks of one zone before it is known where the pod will run.",
    why="Disk and pod may come to different zones: the pod stays Pending ('volume node affinity conflict').",
    wrong="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: ebs.csi.aws.com
""",
    right="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: ebs.csi.aws.com
volumeBindingMode: WaitForFirstConsumer
""",
)
def disks_wait_for_pods(graph: Graph) -> Iterator[Problem]:
    """A class that is bound to a topology has decided the matter."""
    for each in graph.of_kind("StorageClass"):
        mode = each.data.get("volumeBindingMode")
        zonal = driver(text(each.data.get("provisioner"))) in ZONAL
        if zonal and mode in (None, "Immediate") and not each.data.get("allowedTopologies"):
            wrong = f"volumeBindingMode {mode or 'Immediate (the default)'} for disks of one zone"
            yield Problem(each, "volumeBindingMode", wrong, "use WaitForFirstConsumer")
