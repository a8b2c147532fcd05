"""What pods name: ConfigMaps, Secrets and their keys, claims, ServiceAccounts, volumes."""

from collections.abc import Iterable, Iterator

from traversion.verify.check import Problem, Severity, check
from traversion.verify.declared import CORE, declared, literal, stated_namespace
from traversion.verify.graph import Graph
from traversion.verify.keyed import made_elsewhere, stores
from traversion.verify.model import Resource, dig, items, text
from traversion.verify.naming import Reference, references

_POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: nginx:1.27
"""


def _place(near: Resource, namespace: str | None = None) -> str:
    place = stated_namespace(near) if namespace is None else namespace
    return f" in namespace {place}" if place else ""


def _once(found: Iterable[Reference]) -> Iterator[Reference]:
    """Yield the first place where an object names each thing: one fault, one finding."""
    seen: set[tuple[int, str, str, str | None]] = set()
    for each in found:
        key = (id(each.owner), each.kind, each.name, each.namespace)
        if key not in seen:
            seen.add(key)
            yield each


@check(
    "configmap-missing",
    "error",
    what="A pod uses a ConfigMap that nobody makes.",
    why="Its containers wait in CreateContainerConfigError, or its volumes are never mounted.",
    wrong=_POD + "      envFrom: [{configMapRef: {name: web-config}}]",
    right=_POD
    + """      envFrom: [{configMapRef: {name: web-config}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-config}
data: {PORT: "80"}""",
)
def configmap_exists(graph: Graph) -> Iterator[Problem]:
    """Look up every ConfigMap that is not optional."""
    for each in _once(references(graph)):
        if each.kind == "ConfigMap" and not stores(graph).config_maps.find(each.owner, each.name):
            # The system's own namespace has ConfigMaps that nobody's manifests declare.
            if stated_namespace(each.owner) == "kube-system" or made_elsewhere(graph, each.owner, each.name):
                continue
            yield Problem(
                each.owner,
                each.path,
                f"there is no ConfigMap {each.name}{_place(each.owner)}",
                "declare it, correct the name, or say optional: true",
                declared(graph).severity(each.owner.namespace),
            )


@check(
    "configmap-key-missing",
    "error",
    what="A pod uses a key that its ConfigMap does not have.",
    why="Its containers wait in CreateContainerConfigError, or its volumes are never mounted.",
    wrong=_POD
    + """      env: [{name: PORT, valueFrom: {configMapKeyRef: {name: web-config, key: PORTS}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-config}
data: {PORT: "80"}""",
    right=_POD
    + """      env: [{name: PORT, valueFrom: {configMapKeyRef: {name: web-config, key: PORT}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-config}
data: {PORT: "80"}""",
)
def configmap_has_key(graph: Graph) -> Iterator[Problem]:
    """Look up the keys of ConfigMaps that exist."""
    yield from _missing_keys(graph, "ConfigMap")


@check(
    "secret-undeclared",
    "warning",
    what="A Secret is used that nothing in the set makes: no Secret, ExternalSecret, Certificate or other.",
    why="Unless somebody made it by hand, containers wait in CreateContainerConfigError.",
    wrong=_POD + "      envFrom: [{secretRef: {name: web-secrets}}]",
    right=_POD
    + """      envFrom: [{secretRef: {name: web-secrets}}]
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: web-secrets, namespace: default}
spec: {data: [{secretKey: TOKEN, remoteRef: {key: web/token}}]}""",
)
def secret_is_declared(graph: Graph) -> Iterator[Problem]:
    """Look up every Secret that is not optional."""
    for each in _once(references(graph)):
        if each.kind != "Secret" or stores(graph).secrets.find(each.owner, each.name, each.namespace):
            continue
        if made_elsewhere(graph, each.owner, each.name):
            continue
        purpose = "the image pull Secret" if each.pulls_image else "the Secret"
        yield Problem(
            each.owner,
            each.path,
            f"nothing makes {purpose} {each.name}{_place(each.owner, each.namespace)}",
            "declare it (ExternalSecret, SealedSecret, ...); if people supply it, name it in the Namespace's "
            "annotation verify.traversion.io/supplied-secrets",
        )


@check(
    "secret-key-missing",
    "error",
    what="A key of a Secret is used that whatever makes the Secret does not put there.",
    why="Containers wait in CreateContainerConfigError, volumes are not mounted, controllers report errors.",
    wrong=_POD
    + """      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: web-secrets, key: TOKENS}}}]
---
apiVersion: v1
kind: Secret
metadata: {name: web-secrets}
stringData: {TOKEN: from-elsewhere}""",
    right=_POD
    + """      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: web-secrets, key: TOKEN}}}]
---
apiVersion: v1
kind: Secret
metadata: {name: web-secrets}
stringData: {TOKEN: from-elsewhere}""",
)
def secret_has_key(graph: Graph) -> Iterator[Problem]:
    """Look up the keys of Secrets that the set makes."""
    yield from _missing_keys(graph, "Secret")


def _missing_keys(graph: Graph, kind: str) -> Iterator[Problem]:
    store = stores(graph).of(kind)
    for each in references(graph):
        if each.kind != kind or not each.key:
            continue
        source = store.find(each.owner, each.name, each.namespace)
        if source and source.lacks(each.key):
            yield Problem(
                each.owner,
                _key_path(each),
                f"{kind} {each.name} has no key {each.key}",
                _keys(source.listed()),
            )


def _key_path(reference: Reference) -> str:
    return f"{reference.path}.key" if reference.path.endswith("KeyRef") else reference.path


def _keys(listed: str) -> str:
    shown = listed if len(listed) <= 200 else listed[:200] + "..."  # noqa: PLR2004 # a line or two
    return f"correct the key (it has: {shown}), add it, or say optional: true"


@check(
    "claim-missing",
    "error",
    what="A pod mounts a PersistentVolumeClaim that nobody makes.",
    why="The pod stays Pending: persistentvolumeclaim not found.",
    wrong=_POD + "  volumes: [{name: data, persistentVolumeClaim: {claimName: web-data}}]",
    right=_POD
    + """  volumes: [{name: data, persistentVolumeClaim: {claimName: web-data}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: web-data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}""",
)
def claim_exists(graph: Graph) -> Iterator[Problem]:
    """Look up the claims of volumes."""
    known = declared(graph)
    templated = _templated_claims(graph)
    for pods in graph.pod_templates:
        own = {
            text(dig(claim, "metadata", "name"))
            for claim in items(pods.owner.spec.get("volumeClaimTemplates"))
        }
        for index, volume in enumerate(items(pods.spec.get("volumes"))):
            name = literal(dig(volume, "persistentVolumeClaim", "claimName"))
            # A claim template takes the place of the volume of its name.
            if not name or text(dig(volume, "name")) in own:
                continue
            place = stated_namespace(pods.owner)
            if known.find(CORE, "PersistentVolumeClaim", name, pods.owner) or known.operator_makes(
                place, name
            ):
                continue
            if (place, name.rpartition("-")[0]) in templated:
                continue
            yield Problem(
                pods.owner,
                pods.path("spec", "volumes", index, "persistentVolumeClaim", "claimName"),
                f"there is no PersistentVolumeClaim {name}{_place(pods.owner)}",
                "declare it or correct the name",
                known.severity(pods.namespace),
            )


def _templated_claims(graph: Graph) -> set[tuple[str, str]]:
    """Return namespace and beginning of the claims that StatefulSets make: template-set-0, -1, ..."""
    return {
        (stated_namespace(each), f"{text(dig(claim, 'metadata', 'name'))}-{each.name}")
        for each in graph.of_kind("StatefulSet")
        for claim in items(each.spec.get("volumeClaimTemplates"))
    }


@check(
    "service-account-missing",
    "error",
    what="A pod runs as a ServiceAccount that nobody makes.",
    why="No pod is created: the API server refuses them, and only the controller's events say so.",
    wrong=_POD + "  serviceAccountName: web",
    right=_POD
    + """  serviceAccountName: web
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}""",
)
def service_account_exists(graph: Graph) -> Iterator[Problem]:
    """Look up the ServiceAccounts of pods; every namespace has one called default."""
    known = declared(graph)
    for pods in graph.pod_templates:
        for field in ("serviceAccountName", "serviceAccount"):
            name = literal(pods.spec.get(field))
            if (
                not name
                or name == "default"
                or (field == "serviceAccount" and "serviceAccountName" in pods.spec)
            ):
                continue
            place = stated_namespace(pods.owner)
            if known.find(CORE, "ServiceAccount", name, pods.owner) or known.operator_makes(place, name):
                continue
            # kube-system has ServiceAccounts of the cluster's own.
            severity: Severity = "warning" if place == "kube-system" else known.severity(pods.namespace)
            yield Problem(
                pods.owner,
                pods.path("spec", field),
                f"there is no ServiceAccount {name}{_place(pods.owner)}",
                "declare it or correct the name",
                severity,
            )


@check(
    "volume-missing",
    "error",
    what="A container mounts a volume that its pod does not have.",
    why="The API server refuses the pod.",
    wrong=_POD + "      volumeMounts: [{name: cache, mountPath: /cache}]",
    right=_POD
    + """      volumeMounts: [{name: cache, mountPath: /cache}]
  volumes: [{name: cache, emptyDir: {}}]""",
)
def mounted_volume_exists(graph: Graph) -> Iterator[Problem]:
    """Compare mounts with volumes and claim templates."""
    for pods in graph.pod_templates:
        volumes = {
            dig(volume, "name") for volume in items(pods.spec.get("volumes")) if text(dig(volume, "name"))
        }
        volumes |= {
            name
            for claim in items(pods.owner.spec.get("volumeClaimTemplates"))
            if (name := text(dig(claim, "metadata", "name")))
        }
        for container in pods.containers:
            for field in ("volumeMounts", "volumeDevices"):
                for index, mount in enumerate(items(container.data.get(field))):
                    name = literal(dig(mount, "name"))
                    if name and name not in volumes:
                        yield Problem(
                            pods.owner,
                            container.path(field, index, "name"),
                            f"the pod has no volume {name}; it has {', '.join(sorted(volumes)) or 'none'}",
                            "add the volume or correct the name",
                        )


@check(
    "volume-unused",
    "warning",
    what="A pod has a volume or claim template that no container mounts.",
    why="A file or folder is not where the container looks for it, or storage is paid for nothing.",
    wrong=_POD + "  volumes: [{name: cache, emptyDir: {}}]",
    right=_POD
    + """      volumeMounts: [{name: cache, mountPath: /cache}]
  volumes: [{name: cache, emptyDir: {}}]""",
)
def volume_is_mounted(graph: Graph) -> Iterator[Problem]:
    """Compare volumes and claim templates with mounts."""
    for pods in graph.pod_templates:
        if not pods.containers:
            continue  # nothing is known of this pod
        mounted = {
            dig(mount, "name")
            for container in pods.containers
            for field in ("volumeMounts", "volumeDevices")
            for mount in items(container.data.get(field))
            if text(dig(mount, "name"))
        }
        listed = [
            (text(dig(volume, "name")), pods.path("spec", "volumes", index))
            for index, volume in enumerate(items(pods.spec.get("volumes")))
        ]
        listed += [
            (text(dig(claim, "metadata", "name")), f"spec.volumeClaimTemplates[{index}]")
            for index, claim in enumerate(items(pods.owner.spec.get("volumeClaimTemplates")))
        ]
        for name, path in listed:
            if name and name not in mounted:
                yield Problem(
                    pods.owner, path, f"no container mounts the volume {name}", "mount or remove it"
                )
