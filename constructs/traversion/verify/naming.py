"""Which ConfigMaps and Secrets objects name, and which of their keys."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from traversion.verify.declared import literal
from traversion.verify.graph import Graph
from traversion.verify.model import Container, PodTemplate, Resource, Step, dig, items, mapping, path_of, text

_NGINX = "nginx.ingress.kubernetes.io/"
# Custom resources whose Secrets are named in one of two shapes: {name, key} or a field "...SecretRef".
_SECRET_READERS = {"cert-manager.io", "external-secrets.io", "keda.sh", "monitoring.coreos.com"}


@dataclass(frozen=True)
class Reference:
    """One place where an object names a ConfigMap or Secret."""

    kind: str
    name: str
    owner: Resource
    path: str
    key: str = ""
    """The key that must be there; empty when all are taken."""
    namespace: str | None = None
    """The namespace where it is looked for, when not the owner's."""
    pulls_image: bool = False


_MADE: WeakKeyDictionary[Graph, Sequence[Reference]] = WeakKeyDictionary()


def references(graph: Graph) -> Sequence[Reference]:
    """Return what must be there (nothing ``optional``), gathered once for each graph."""
    if graph not in _MADE:
        _MADE[graph] = [
            reference
            for resource in graph.resources
            for reference, optional in (*_of_pods(resource.pods), *_of_object(resource))
            if reference.name and not optional
        ]
    return _MADE[graph]


def optional_names(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield kind and name of what objects use when it is there."""
    for resource in graph.resources:
        for reference, optional in _of_pods(resource.pods):
            if optional:
                yield reference.kind, reference.name


_Found = tuple[Reference, bool]


def _of_pods(pods: PodTemplate | None) -> Iterator[_Found]:
    if pods is None:
        return
    for container in pods.containers:
        yield from _of_container(container)
    mounted = _subpaths(pods)
    for index, volume in enumerate(items(pods.spec.get("volumes"))):
        yield from _of_volume(pods, mapping(volume), index, mounted.get(text(dig(volume, "name")), []))
    for index, entry in enumerate(items(pods.spec.get("imagePullSecrets"))):
        path = pods.path("spec", "imagePullSecrets", index)
        yield Reference("Secret", literal(dig(entry, "name")), pods.owner, path, pulls_image=True), False


def _of_container(container: Container) -> Iterator[_Found]:
    for index, variable in container.environment():
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            source = dig(variable, "valueFrom", field)
            if source:
                path = container.path("env", index, "valueFrom", field)
                yield _found(kind, source, container.owner, path, key=text(dig(source, "key")))
    for index, entry in enumerate(items(container.data.get("envFrom"))):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            source = dig(entry, field)
            if source:
                yield _found(kind, source, container.owner, container.path("envFrom", index, field))


def _found(
    kind: str, source: object, owner: Resource, path: str, *, key: str = "", name: str = "name"
) -> _Found:
    optional = dig(source, "optional") is True
    return Reference(kind, literal(dig(source, name)), owner, path, literal(key)), optional


def _of_volume(
    pods: PodTemplate, volume: Mapping[str, Any], index: int, subpaths: Sequence[tuple[str, str]]
) -> Iterator[_Found]:
    steps: tuple[Step, ...] = ("spec", "volumes", index)
    for field, kind, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
        source = volume.get(field)
        if not source:
            continue
        yield from _of_source(pods, kind, source, (*steps, field), name)
        # A subPath is a file of the volume: a key, when the volume has all of them. Where there is none,
        # the kubelet would mount an empty folder in the file's place.
        if not items(dig(source, "items")):
            for subpath, path in subpaths:
                reference, optional = _found(kind, source, pods.owner, path, key=subpath, name=name)
                yield reference, optional
    for position, projected in enumerate(items(dig(volume, "projected", "sources"))):
        for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            source = dig(projected, field)
            if source:
                steps_here = (*steps, "projected", "sources", position, field)
                yield from _of_source(pods, kind, source, steps_here, "name")
    for driver, field in (("csi", "nodePublishSecretRef"), ("cephfs", "secretRef"), ("rbd", "secretRef")):
        if source := dig(volume, driver, field):
            yield _found("Secret", source, pods.owner, pods.path(*steps, driver, field))


def _of_source(
    pods: PodTemplate, kind: str, source: object, steps: tuple[Step, ...], name: str
) -> Iterator[_Found]:
    listed = items(dig(source, "items"))
    if not listed:
        yield _found(kind, source, pods.owner, pods.path(*steps), name=name)
    for position, entry in enumerate(listed):
        path = pods.path(*steps, "items", position)
        yield _found(kind, source, pods.owner, path, key=text(dig(entry, "key")), name=name)


def _subpaths(pods: PodTemplate) -> dict[str, list[tuple[str, str]]]:
    """Return the plain files that containers mount of each volume, with the place that says so."""
    found: dict[str, list[tuple[str, str]]] = {}
    for container in pods.containers:
        for index, mount in enumerate(items(container.data.get("volumeMounts"))):
            subpath = literal(dig(mount, "subPath"))
            if subpath and "/" not in subpath:
                place = container.path("volumeMounts", index, "subPath")
                found.setdefault(text(dig(mount, "name")), []).append((subpath, place))
    return found


def _of_object(resource: Resource) -> Iterator[_Found]:
    match resource.kind:
        case "ServiceAccount":
            for index, entry in enumerate(items(resource.data.get("imagePullSecrets"))):
                name = literal(dig(entry, "name"))
                yield (
                    Reference("Secret", name, resource, path_of("imagePullSecrets", index), pulls_image=True),
                    False,
                )
        case "Ingress":
            yield from _of_nginx(resource)
        case "BackendTLSPolicy" if resource.group == "gateway.networking.k8s.io":
            for index, entry in enumerate(items(resource.dig("spec", "validation", "caCertificateRefs"))):
                kind = text(dig(entry, "kind"))
                if kind in {"ConfigMap", "Secret"} and not dig(entry, "group"):
                    path = path_of("spec", "validation", "caCertificateRefs", index)
                    yield Reference(kind, literal(dig(entry, "name")), resource, path, "ca.crt"), False
        case "Issuer" | "ClusterIssuer" if resource.group == "cert-manager.io":
            authority = {"name": resource.dig("spec", "ca", "secretName"), "key": "tls.key"}
            yield _in_namespace(resource, authority, "spec.ca.secretName")
            yield from _of_custom(resource, resource.spec, ("spec",))
        case _ if resource.group in _SECRET_READERS:
            yield from _of_custom(resource, resource.spec, ("spec",))


def _of_nginx(ingress: Resource) -> Iterator[_Found]:
    # https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
    for annotation, key in (("auth-secret", "auth"), ("auth-tls-secret", "ca.crt"), ("proxy-ssl-secret", "")):
        value = literal(ingress.annotations.get(_NGINX + annotation))
        namespace, slash, name = value.rpartition("/")
        if annotation == "auth-secret" and ingress.annotations.get(_NGINX + "auth-secret-type") == "auth-map":
            key = ""  # noqa: PLW2901 # every key is a user there
        path = f"metadata.annotations[{_NGINX}{annotation}]"
        yield Reference("Secret", name, ingress, path, key, namespace if slash else None), False


def _of_custom(owner: Resource, value: object, steps: tuple[Step, ...]) -> Iterator[_Found]:
    """Search the specification of a custom resource; what it makes itself is no reference."""
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _of_custom(owner, entry, (*steps, index))
        return
    for field, entry in mapping(value).items():
        here = (*steps, str(field))
        if field in {"privateKeySecretRef", "secretTemplate", "template", "remoteRef"}:
            continue
        fields = set(mapping(entry))
        names_key = {"name", "key"} <= fields <= {"name", "key", "optional", "namespace"}
        if names_key and text(field).lower() != "configmap":
            yield _in_namespace(owner, mapping(entry), path_of(*here))
        elif field == "secretTargetRef":
            for index, target in enumerate(items(entry)):
                yield _in_namespace(owner, mapping(target), path_of(*here, index))
        else:
            yield from _of_custom(owner, entry, here)


def _in_namespace(owner: Resource, source: Mapping[str, Any], path: str) -> _Found:
    # A cluster-scoped owner reads it in a namespace of its controller's choice: nobody can tell which.
    namespace = text(source.get("namespace")) or ("" if owner.cluster_scoped else None)
    reference = Reference(
        "Secret", literal(source.get("name")), owner, path, literal(source.get("key")), namespace
    )
    return reference, source.get("optional") is True
