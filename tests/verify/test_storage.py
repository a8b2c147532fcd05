import pytest

from tests.verify.cases import errors, found
from tests.verify.pods import document, workload

EBS, EFS = "ebs.csi.aws.com", "efs.csi.aws.com"


def storage_class(provisioner: object, mode: str | None = None, topologies: object = None) -> str:
    return document(
        "StorageClass",
        "ssd",
        "storage.k8s.io/v1",
        provisioner=provisioner,
        volumeBindingMode=mode,
        allowedTopologies=topologies,
    )


def claim(**spec: object) -> str:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "ssd",
        "resources": {"requests": {"storage": "1Gi"}},
        **spec,
    }
    return document("PersistentVolumeClaim", "data", spec=spec)


def volume(**content: object) -> str:
    return document("PersistentVolume", "disk", spec={"storageClassName": "ssd", **content})


def template(**spec: object) -> str:
    complete = {
        "accessModes": ["ReadWriteOnce"],
        "volumeMode": "Filesystem",
        "storageClassName": "ssd",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return workload(
        "StatefulSet", volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": {**complete, **spec}}]
    )


LABELS = {"matchLabels": {"app": "example"}}


@pytest.mark.parametrize(
    ("manifests", "level"),
    [
        (storage_class(EBS) + claim(selector=LABELS), "error"),
        (storage_class(EBS) + claim(selector={}), "error"),  # refused too
        (storage_class(EBS) + template(selector=LABELS), "error"),
        (claim(selector=LABELS), "warning"),  # the class is not in the set
        (storage_class(EBS) + claim(volumeName="disk"), "warning"),
        (storage_class(EBS) + claim(volumeName="disk") + volume(), ""),
        (storage_class("kubernetes.io/no-provisioner") + claim(selector=LABELS), ""),
        (claim(selector=LABELS, storageClassName=""), ""),
        (storage_class(EBS) + claim(selector={"matchLabels": {}}) + volume(), ""),
        (storage_class(EBS) + claim(selector=LABELS) + volume(), "error"),  # has other labels
        (storage_class(EBS) + claim(), ""),
    ],
)
def test_selectors(manifests: str, level: str) -> None:
    assert ("claim-selector" in errors(manifests)) is (level == "error")
    assert ("claim-selector" in found(manifests)) is bool(level)


@pytest.mark.parametrize(
    ("manifests", "level"),
    [
        (storage_class(EBS) + claim(accessModes=["ReadWriteMany"]), "error"),
        (storage_class("rook-ceph.rbd.csi.ceph.com") + claim(accessModes=["ReadWriteMany"]), "error"),
        (storage_class("kubernetes.io/gce-pd") + claim(accessModes=["ReadWriteMany"]), "error"),
        (claim(accessModes=["ReadWriteMany"], storageClassName="gp3"), "warning"),
        (claim(accessModes=["ReadWriteMany"]), ""),
        (storage_class(EFS) + claim(accessModes=["ReadWriteMany"]), ""),
        (storage_class("csi.vsphere.vmware.com") + claim(accessModes=["ReadWriteMany"]), ""),  # has files too
        (storage_class(EBS) + claim(accessModes=["ReadWriteMany"], volumeMode="Block"), ""),
        (storage_class(EBS) + claim(accessModes=["ReadWriteOncePod"]), ""),
    ],
)
def test_access_modes(manifests: str, level: str) -> None:
    assert ("claim-access-mode" in errors(manifests)) is (level == "error")
    assert ("claim-access-mode" in found(manifests)) is bool(level)


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, False),
        ({"accessModes": []}, True),
        ({"accessModes": "ReadWriteOnce"}, True),
        ({"resources": {}}, True),
        ({"resources": {"requests": {"storage": "0"}}}, True),
        ({"resources": {"requests": {"storage": "1GB"}}}, True),
        ({"resources": []}, True),
    ],
)
def test_complete_claims(spec: dict[str, object], wrong: object) -> None:
    assert ("claim-incomplete" in found(claim(**spec))) is wrong
    assert ("claim-incomplete" in found(template(**spec))) is wrong


@pytest.mark.parametrize("field", ["storageClassName", "volumeMode"])
def test_templates_leave_nothing_open(field: str) -> None:
    assert "claim-template-default" not in found(template())
    assert "claim-template-default" in found(template(**{field: None}))
    assert "claim-template-default" not in found(claim(**{field: None}))


def test_no_class_is_a_choice() -> None:
    assert "claim-template-default" not in found(template(storageClassName=""))


@pytest.mark.parametrize(
    ("provisioner", "level"),
    [
        ("kubernetes.io/aws-ebs", "warning"),
        ("kubernetes.io/glusterfs", "error"),
        ("kubernetes.io/no-provisioner", ""),
        (EBS, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_provisioners(provisioner: object, level: str) -> None:
    manifests = storage_class(provisioner)
    assert ("provisioner-in-tree" in errors(manifests)) is (level == "error")
    assert ("provisioner-in-tree" in found(manifests)) is bool(level)


@pytest.mark.parametrize(
    ("manifests", "wrong"),
    [
        (storage_class(EBS), True),
        (storage_class(EBS, "Immediate"), True),
        (storage_class("kubernetes.io/gce-pd"), True),
        (storage_class(EBS, "WaitForFirstConsumer"), False),
        (storage_class(EBS, topologies=[{"matchLabelExpressions": []}]), False),
        (storage_class(EFS), False),
    ],
)
def test_binding(manifests: str, wrong: object) -> None:
    assert ("binding-immediate" in found(manifests)) is wrong
