from typing import Any

import pytest

from tests.verify.cases import errors, found
from tests.verify.pods import autoscaler, container, document, pod, workload

MOUNTS: dict[str, Any] = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
CLAIMED: dict[str, Any] = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
RECREATE = {"type": "Recreate"}
DISKS = document("StorageClass", "ssd", "storage.k8s.io/v1", provisioner="ebs.csi.aws.com")


def claim(mode: str = "ReadWriteOnce", **spec: object) -> str:
    return document(
        "PersistentVolumeClaim", "data", spec={"accessModes": [mode], "storageClassName": "ssd", **spec}
    )


def deployment(replicas: int | None = None, strategy: object = None) -> str:
    return workload("Deployment", container(**MOUNTS), spec=CLAIMED, replicas=replicas, strategy=strategy)


@pytest.mark.parametrize(
    ("manifests", "level"),
    [
        (DISKS + claim() + deployment(), "error"),
        (DISKS + claim() + deployment(2, RECREATE), "error"),
        (DISKS + claim() + deployment(None, RECREATE) + autoscaler(1, 5), "error"),
        (DISKS + claim() + deployment(1, RECREATE), ""),
        (DISKS + claim() + deployment(1, {"rollingUpdate": {"maxSurge": 0}}), ""),
        (DISKS + claim() + deployment(1, {"rollingUpdate": {"maxUnavailable": 1}}), ""),  # the old one goes
        (claim() + deployment(), "warning"),  # who knows what the class is
        (claim("ReadWriteOncePod") + deployment(), "error"),
        (DISKS + claim("ReadWriteMany") + deployment(3), ""),
        (DISKS + claim() + workload("StatefulSet", container(**MOUNTS), spec=CLAIMED), ""),
        (DISKS + claim() + pod(container(**MOUNTS), **CLAIMED), ""),
        (deployment(3), ""),  # the claim is not in the set
    ],
)
def test_shared_disks(manifests: str, level: str) -> None:
    assert ("claim-shared" in errors(manifests)) is (level == "error")
    assert ("claim-shared" in found(manifests)) is bool(level)


@pytest.mark.parametrize(
    ("context", "content", "wrong"),
    [
        ({"runAsUser": 1000}, {}, True),
        ({"runAsNonRoot": True}, {}, True),
        ({"runAsUser": 1000, "fsGroup": 1000}, {}, False),
        ({"runAsUser": 0}, {}, False),
        ({}, {}, False),
        ({}, {"securityContext": {"runAsUser": 1000}}, True),
        ({"runAsUser": 1000}, {"securityContext": {"runAsUser": 0}}, False),
        ({"runAsUser": 1000}, {"volumeMounts": [{"name": "data", "readOnly": True}]}, False),
        ({"runAsUser": 1000}, {"volumeMounts": [{"name": "other"}]}, False),
    ],
)
def test_unwritable_volumes(context: object, content: dict[str, object], wrong: object) -> None:
    manifests = pod(container(**{**MOUNTS, **content}), **CLAIMED, securityContext=context)
    assert ("volume-unwritable" in found(manifests)) is wrong


def test_an_init_container_may_change_the_owner() -> None:
    prepare = container(**MOUNTS, name="prepare", securityContext={"runAsUser": 0})
    manifests = pod(
        container(**MOUNTS), **CLAIMED, securityContext={"runAsUser": 1000}, initContainers=[prepare]
    )
    assert "volume-unwritable" not in found(manifests)


def test_new_disks_certainly_belong_to_root() -> None:
    template = {"metadata": {"name": "data"}, "spec": {"storageClassName": "ssd"}}
    manifests = workload(
        "StatefulSet",
        container(**MOUNTS),
        spec={"securityContext": {"runAsUser": 1000}},
        volumeClaimTemplates=[template],
    )
    assert "volume-unwritable" in found(manifests) - errors(manifests)
    assert "volume-unwritable" in errors(DISKS + manifests)


@pytest.mark.parametrize(
    ("directory", "limits", "wrong"),
    [
        ({"medium": "Memory"}, None, True),
        ({"medium": "Memory", "sizeLimit": "1Mi"}, None, False),
        ({"medium": "Memory"}, {"memory": "1Gi"}, False),
        ({}, None, False),
        ([], None, False),
    ],
)
def test_directories_in_memory(directory: object, limits: object, wrong: object) -> None:
    volumes = [{"name": "cache", "emptyDir": directory}]
    manifests = pod(container(resources={"limits": limits}), volumes=volumes)
    assert ("emptydir-memory" in found(manifests)) is wrong


@pytest.mark.parametrize(
    ("kind", "path", "spec", "wrong"),
    [
        ("Deployment", "/srv/data", {}, True),
        ("DaemonSet", "/srv/data", {}, False),
        ("Deployment", "/var/run/docker.sock", {}, False),
        ("Deployment", "/srv/data", {"nodeSelector": {"kubernetes.io/hostname": "a"}}, False),
    ],
)
def test_data_on_nodes(kind: str, path: str, spec: dict[str, object], wrong: object) -> None:
    volumes = [{"name": "data", "hostPath": {"path": path}}]
    manifests = workload(kind, container(**MOUNTS), spec={"volumes": volumes, **spec})
    assert ("host-path-data" in found(manifests)) is wrong
