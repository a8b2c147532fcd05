"""Small workloads for the checks on pods."""

import json
from collections.abc import Mapping


def document(kind: str, name: str, api: str = "v1", namespace: str | None = None, **content: object) -> str:
    """Return one object as a YAML document (JSON is YAML)."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return "---\n" + json.dumps({"apiVersion": api, "kind": kind, "metadata": metadata, **content}) + "\n"


def container(**content: object) -> Mapping[str, object]:
    """Return a container with an image and whatever else is given."""
    return {"name": "app", "image": "redis:7.4.11", **content}


def pod(
    *containers: Mapping[str, object], name: str = "example", namespace: str | None = None, **spec: object
) -> str:
    """Return a single pod."""
    spec["containers"] = list(containers or [container()])
    return document("Pod", name, namespace=namespace, spec=spec)


def workload(
    kind: str,
    *containers: Mapping[str, object],
    name: str = "example",
    spec: Mapping[str, object] | None = None,
    **owner: object,
) -> str:
    """Return a controller whose pods bear the label app=NAME; ``spec`` is the pod's, the rest the owner's."""
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {**(spec or {}), "containers": list(containers or [container()])},
    }
    owner = {"selector": {"matchLabels": labels}, "template": template, **owner}
    return document(kind, name, "apps/v1", spec=owner)


def job(*containers: Mapping[str, object], name: str = "example", **owner: object) -> str:
    """Return a Job."""
    template = {"spec": {"restartPolicy": "Never", "containers": list(containers or [container()])}}
    return document("Job", name, "batch/v1", spec={"template": template, **owner})


def autoscaler(least: int | None, most: int, name: str = "example", **spec: object) -> str:
    """Return a HorizontalPodAutoscaler of a Deployment."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    bounds = {"maxReplicas": most} | ({} if least is None else {"minReplicas": least})
    spec = {"scaleTargetRef": target, **bounds, **spec}
    return document("HorizontalPodAutoscaler", name, "autoscaling/v2", spec=spec)


def quota(**hard: object) -> str:
    """Return a ResourceQuota; dots are written as two underscores."""
    return document(
        "ResourceQuota", "quota", spec={"hard": {k.replace("__", "."): v for k, v in hard.items()}}
    )


def config(name: str, **data: object) -> str:
    """Return a ConfigMap."""
    return document("ConfigMap", name, data=data)
