"""Stands in for the controllers: the pods and claims that they would make of a workload."""

import math
from collections.abc import Sequence

from tests.manifests import Manifest, Workload, of_kind, workloads


def namespace_of(manifests: Sequence[Manifest]) -> str:
    (namespace,) = of_kind(manifests, "Namespace")
    return str(namespace["metadata"]["name"])


def pod_of(workload: Workload, number: int = 0) -> Manifest:
    """Return a pod as the workload's controller would make it."""
    metadata = workload.template["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **metadata,
            "name": f"{workload.kind.lower()}-{workload.name}-{number}",
            "namespace": workload.manifest["metadata"]["namespace"],
        },
        "spec": with_claims(workload),
    }


def with_claims(workload: Workload) -> Manifest:
    templates = workload.manifest["spec"].get("volumeClaimTemplates", [])
    claims = [template["metadata"]["name"] for template in templates]
    volumes = [
        {"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{workload.name}-0"}} for name in claims
    ]
    return {
        "restartPolicy": "Always",
        **workload.spec,
        "volumes": [*workload.spec.get("volumes", []), *volumes],
    }


def most_pods(workload: Workload, manifests: Sequence[Manifest]) -> int:
    """Return how many pods of a workload exist at its largest, in the middle of a rollout."""
    spec = workload.manifest["spec"]
    if workload.kind in {"Job", "CronJob"}:
        if workload.kind == "CronJob":
            assert spec["concurrencyPolicy"] != "Allow", "without bound"
            spec = spec["jobTemplate"]["spec"]
        return int(spec.get("parallelism", 1))
    scaled = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["maxReplicas"]
        for scaler in of_kind(manifests, "HorizontalPodAutoscaler")
    }
    replicas = int(scaled[workload.name] if workload.name in scaled else spec["replicas"])
    if workload.kind == "StatefulSet":
        return replicas
    assert workload.kind == "Deployment", f"teach the tests about {workload.kind}"
    surge = spec["strategy"]["rollingUpdate"]["maxSurge"]
    if isinstance(surge, str):
        surge = math.ceil(replicas * int(surge.removesuffix("%")) / 100)
    return replicas + int(surge)


def claims(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Return the claims that StatefulSets and scratch disks make; others stand in the manifests."""
    scratch = [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": f"{pod_of(workload)['metadata']['name']}-{volume['name']}",
                "namespace": workload.manifest["metadata"]["namespace"],
            },
            "spec": volume["ephemeral"]["volumeClaimTemplate"]["spec"],
        }
        for workload in workloads(manifests)
        for volume in workload.spec.get("volumes", [])
        if "ephemeral" in volume
    ]
    return scratch + [
        {
            **template,
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                **template["metadata"],
                "name": f"{template['metadata']['name']}-{workload.name}-{number}",
                "namespace": workload.manifest["metadata"]["namespace"],
            },
        }
        for workload in workloads(manifests)
        if workload.kind == "StatefulSet"
        for template in workload.manifest["spec"].get("volumeClaimTemplates", [])
        for number in range(workload.manifest["spec"]["replicas"])
    ]
