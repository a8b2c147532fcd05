"""What pods do with their volumes: sharing disks, writing without rights, keeping data on nodes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from traversion.verify.check import Problem, Severity, check
from traversion.verify.claims import Claim, claims
from traversion.verify.demand import Scale, at_once, autoscaled, rollout
from traversion.verify.graph import Graph
from traversion.verify.model import Container, PodTemplate, dig, items, mapping, text
from traversion.verify.volumes import is_block, provisioner

# Directories of the node's own programs: who writes there serves the node, and keeps no data.
_OF_THE_NODE = (
    "/var/lib/kubelet",
    "/var/run",
    "/run",
    "/dev",
    "/sys",
    "/proc",
    "/etc",
    "/lib",
    "/boot",
    "/var/log",
)
_SEVERAL_PODS = {"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"}


@check(
    "claim-shared",
    "error",
    what="Several pods of a workload, or the old and the new one of an update, mount a disk for one node.",
    why="The second pod waits for ever ('Multi-Attach error') unless it lands on the same node.",
    wrong="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: ebs.csi.aws.com
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: ssd, resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec:
      containers: [{name: app, image: "redis:7.4.11", volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
""",
    right="""
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ssd}
provisioner: ebs.csi.aws.com
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: ssd, resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec:
      containers: [{name: app, image: "redis:7.4.11", volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
""",
)
def disks_serve_one_pod(graph: Graph) -> Iterator[Problem]:
    """An error where the class is known to be of disks; local and network volumes may be shared."""
    declared = {
        (claim.owner.namespace, claim.owner.name): claim for claim in claims(graph) if not claim.is_template
    }
    scales = autoscaled(graph) if declared else {}
    for pods in graph.pod_templates if declared else ():
        for index, volume in enumerate(items(pods.spec.get("volumes"))):
            name = text(dig(volume, "persistentVolumeClaim", "claimName"))
            claim = declared.get((pods.namespace, name))
            clash = _clash(pods, scales) if claim and _for_one_node(claim) else ""
            if claim and clash:
                disk = is_block(provisioner(graph, claim)[0]) or "ReadWriteOncePod" in claim.access_modes
                severity: Severity = "error" if disk else "warning"
                wrong = f"{clash} mount the claim {name}, which is {claim.access_modes[0]}"
                remedy = "use one replica and strategy Recreate, claim templates, or ReadWriteMany"
                yield Problem(pods.owner, pods.path("spec", "volumes", index), wrong, remedy, severity)


def _for_one_node(claim: Claim) -> bool:
    return bool(claim.access_modes) and all(
        mode in ("ReadWriteOnce", "ReadWriteOncePod") for mode in claim.access_modes
    )


def _clash(pods: PodTemplate, scales: Mapping[tuple[str, str, str], Scale]) -> str:
    if pods.owner.kind not in _SEVERAL_PODS:
        return ""
    most, _ = at_once(pods, scales)
    if most > 1:
        return f"{most} pods"
    # An update that may remove the old pod first gets through.
    update = rollout(pods.owner, most)
    return "the old and the new pod of an update" if update.surge and not update.unavailable else ""


@check(
    "volume-unwritable",
    "warning",
    what="A container that is not root mounts a claim, and nothing gives it the right to write there.",
    why="A new disk belongs to root: the first write fails with 'Permission denied'.",
    wrong="""
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: example}
spec:
  template:
    spec:
      securityContext: {runAsUser: 1000}
      containers: [{name: app, image: "redis:7.4.11", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates: [{metadata: {name: data}}]
""",
    right="""
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: example}
spec:
  template:
    spec:
      securityContext: {runAsUser: 1000, fsGroup: 1000}
      containers: [{name: app, image: "redis:7.4.11", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates: [{metadata: {name: data}}]
""",
)
def volumes_are_writable(graph: Graph) -> Iterator[Problem]:
    """Accept fsGroup, or an init container that is root; an error on disks."""
    held: dict[tuple[str, str], Claim] = {}
    templates: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims(graph):
        if claim.is_template:
            templates[id(claim.owner)].append(claim)
        else:
            held[claim.owner.namespace, claim.owner.name] = claim
    for pods in graph.pod_templates:
        disks = _disks(pods, held, templates.get(id(pods.owner), ()))
        if not disks or _is_prepared(pods, disks):
            continue
        for container in pods.containers:
            mounted = _written(container, disks) if _is_unprivileged(container) else ""
            if mounted:
                disk = disks[mounted]
                name, knowledge = provisioner(graph, disk) if disk else ("", "unknown")
                severity: Severity = "error" if is_block(name) and knowledge == "declared" else "warning"
                wrong = f"container {container.name} is not root and writes to {mounted}; there is no fsGroup"
                path = pods.path("spec", "securityContext", "fsGroup")
                yield Problem(pods.owner, path, wrong, "set fsGroup to the container's group", severity)
                break


def _disks(
    pods: PodTemplate, held: Mapping[tuple[str, str], Claim], templates: Sequence[Claim]
) -> Mapping[str, Claim | None]:
    """Return the claims that are file systems, by the name of the volume; None for one outside of the set."""
    found: dict[str, Claim | None] = {claim.name: claim for claim in templates if not claim.is_block}
    for volume in items(pods.spec.get("volumes")):
        source = mapping(dig(volume, "persistentVolumeClaim"))
        claim = held.get((pods.namespace, text(source.get("claimName"))))
        if source and source.get("readOnly") is not True and not (claim and claim.is_block):
            found[text(dig(volume, "name"))] = claim
    return found


def _is_prepared(pods: PodTemplate, disks: Mapping[str, Claim | None]) -> bool:
    """Tell whether the pod changes the owner: by fsGroup, or as root before the others start."""
    context = mapping(pods.spec.get("securityContext"))
    if context.get("fsGroup") is not None or dig(pods.spec, "os", "name") == "windows":
        return True
    return any(
        container.is_init and _written(container, disks) and not _is_unprivileged(container)
        for container in pods.containers
    )


def _is_unprivileged(container: Container) -> bool:
    contexts = (
        mapping(container.data.get("securityContext")),
        mapping(container.pods.spec.get("securityContext")),
    )
    user = next((each["runAsUser"] for each in contexts if each.get("runAsUser") is not None), None)
    non_root = next(
        (each["runAsNonRoot"] for each in contexts if each.get("runAsNonRoot") is not None), False
    )
    return user != 0 if user is not None else non_root is True


def _written(container: Container, disks: Mapping[str, Claim | None]) -> str:
    """Return the first of the volumes that a container mounts to write."""
    for mount in items(container.data.get("volumeMounts")):
        if text(dig(mount, "name")) in disks and dig(mount, "readOnly") is not True:
            return text(dig(mount, "name"))
    return ""


@check(
    "emptydir-memory",
    "warning",
    what="An emptyDir in memory has no size, and the pod no memory limit that would bound it.",
    why="What is written there is the node's memory: one full directory takes every pod on the node down.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", volumeMounts: [{name: cache, mountPath: /cache}]}]
  volumes: [{name: cache, emptyDir: {medium: Memory}}]
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", volumeMounts: [{name: cache, mountPath: /cache}]}]
  volumes: [{name: cache, emptyDir: {medium: Memory, sizeLimit: 64Mi}}]
""",
)
def memory_directories_are_bounded(graph: Graph) -> Iterator[Problem]:
    """Writes count against the memory limit of the container that makes them."""
    for pods in graph.pod_templates:
        unbounded = [
            container
            for container in pods.containers
            if dig(container.data, "resources", "limits", "memory") is None
        ]
        for index, volume in enumerate(items(pods.spec.get("volumes")) if unbounded else ()):
            directory = mapping(dig(volume, "emptyDir"))
            if directory.get("medium") == "Memory" and directory.get("sizeLimit") is None:
                wrong = f"{text(dig(volume, 'name'))} is in memory without a size"
                path = pods.path("spec", "volumes", index, "emptyDir")
                yield Problem(pods.owner, path, wrong, "set sizeLimit, or a memory limit for every container")


@check(
    "host-path-data",
    "warning",
    what="A workload that may move writes to a directory of its node.",
    why="On another node the data is not there: it seems lost after a drain, and stays on the old node.",
    wrong="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  template:
    spec:
      containers: [{name: app, image: "redis:7.4.11", volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, hostPath: {path: /var/lib/data}}]
""",
    right="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  template:
    spec:
      containers: [{name: app, image: "redis:7.4.11", volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
""",
)
def data_is_not_on_nodes(graph: Graph) -> Iterator[Problem]:
    """A DaemonSet's pods belong to their nodes, pods with a node selector may."""
    for pods in graph.pod_templates:
        if pods.owner.kind not in _SEVERAL_PODS or pods.spec.get("nodeSelector") or pods.spec.get("nodeName"):
            continue
        written = {
            text(dig(mount, "name"))
            for container in pods.containers
            for mount in items(container.data.get("volumeMounts"))
            if dig(mount, "readOnly") is not True
        }
        for index, volume in enumerate(items(pods.spec.get("volumes"))):
            path = text(dig(volume, "hostPath", "path"))
            is_data = dig(volume, "hostPath", "type") in (None, "", "Directory", "DirectoryOrCreate")
            if (
                path
                and is_data
                and text(dig(volume, "name")) in written
                and not path.startswith(_OF_THE_NODE)
            ):
                yield Problem(
                    pods.owner,
                    pods.path("spec", "volumes", index, "hostPath"),
                    f"writes to {path} of whatever node it runs on",
                    "use a claim",
                )
