"""ConfigMaps and Secrets with their keys, however the set makes them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from traversion.verify.declared import declared, literal, stated_namespace
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, items, mapping, text

SUPPLIED = "verify.traversion.io/supplied-secrets"
"""Annotation of a Namespace: the Secrets that its operator supplies, a JSON object of name -> keys."""

Keys = frozenset[str] | None  # None: nobody can tell from the manifests

_TLS_KEYS = frozenset({"tls.crt", "tls.key", "ca.crt"})
# Annotations by which a controller fills in what the manifest leaves out.
_FILLED_LATER = (
    "reflector.v1.k8s.emberstack.com/reflects",
    "replicator.v1.mittwald.de/replicate-from",
    "replicator.v1.mittwald.de/replicate-all-from",
    "service.beta.openshift.io/inject-cabundle",
)
# ConfigMaps of every namespace (kube-root-ca.crt: kube-controller-manager's root-ca-cert-publisher), and
# those of well-known platforms.
_CONFIG_MAPS_EVERYWHERE = {
    "kube-root-ca.crt": frozenset({"ca.crt"}),
    "istio-ca-root-cert": frozenset({"root-cert.pem"}),
    "linkerd-identity-trust-roots": frozenset({"ca-bundle.crt"}),
    "openshift-service-ca.crt": frozenset({"service-ca.crt"}),
}


@dataclass(frozen=True)
class Keyed:
    """A ConfigMap or Secret that the set makes, and its keys."""

    maker: Resource | None
    keys: Keys

    def lacks(self, key: str) -> bool:
        """Tell whether a key is certainly not there."""
        return self.keys is not None and key not in self.keys

    def listed(self) -> str:
        """Return the keys for a message."""
        return ", ".join(sorted(self.keys or ())) or "none"


class Store:
    """ConfigMaps or Secrets by namespace and name; the empty namespace stands for any."""

    def __init__(self) -> None:
        """Start empty."""
        self._found: dict[tuple[str, str], Keyed] = {}
        self._anywhere: dict[str, Keyed] = {}

    def add(self, maker: Resource | None, namespace: str, name: str, keys: Keys) -> None:
        """Add one; what several make has the keys of all."""
        if not name:
            return
        known = self._found.get((namespace, name))
        if known is not None:
            keys = None if known.keys is None or keys is None else known.keys | keys
            maker = known.maker
        self._found[namespace, name] = self._anywhere[name] = Keyed(maker, keys)

    def find(self, near: Resource, name: str, namespace: str | None = None) -> Keyed | None:
        """Return the one that an object means by a name."""
        place = stated_namespace(near) if namespace is None else namespace
        if not place:
            return self._anywhere.get(name)
        return self._found.get((place, name)) or self._found.get(("", name))

    def __iter__(self) -> Iterator[tuple[str, Keyed]]:
        """Yield names and what bears them."""
        return ((name, keyed) for (_, name), keyed in self._found.items())


@dataclass(frozen=True)
class Stores:
    """What a set makes of both."""

    config_maps: Store
    secrets: Store

    def of(self, kind: str) -> Store:
        """Return the store of a kind."""
        return self.config_maps if kind == "ConfigMap" else self.secrets


_MADE: WeakKeyDictionary[Graph, Stores] = WeakKeyDictionary()


def stores(graph: Graph) -> Stores:
    """Return the ConfigMaps and Secrets that a set makes, gathered once for each graph."""
    if graph not in _MADE:
        _MADE[graph] = _gather(graph)
    return _MADE[graph]


def made_elsewhere(graph: Graph, near: Resource, name: str) -> bool:
    """Tell whether an operator makes the ConfigMap or Secret of this name."""
    return declared(graph).operator_makes(stated_namespace(near), name)


def _gather(graph: Graph) -> Stores:
    config_maps, secrets = Store(), Store()
    for name, known in _CONFIG_MAPS_EVERYWHERE.items():
        config_maps.add(None, "", name, known)
    for each in graph.resources:
        for namespace, name, keys in _config_maps_made_by(each):
            config_maps.add(each, namespace, name, keys)
        for namespace, name, keys in _secrets_made_by(each):
            secrets.add(each, namespace, name, keys)
    for each in graph.of_kind("ExternalSecret"):
        # Such a one makes nothing: it adds to a Secret that somebody else makes.
        name = _target_name(each)
        if each.dig("spec", "target", "creationPolicy") == "Merge" and secrets.find(each, name):
            secrets.add(each, stated_namespace(each), name, _external_keys(each.spec))
    return Stores(config_maps, secrets)


_Made = Iterable[tuple[str, str, Keys]]  # namespace ("": any), name, keys


def _config_maps_made_by(each: Resource) -> _Made:
    match (each.group, each.kind):
        case ("", "ConfigMap"):
            return [(stated_namespace(each), each.name, _config_map_keys(each))]
        case ("kustomize.config.k8s.io", "Kustomization"):
            return _generated(each, "configMapGenerator")
        case ("trust.cert-manager.io", "Bundle"):
            return _bundled(each, "configMap")
        case _:
            return []


def _generated(kustomization: Resource, field: str) -> _Made:
    for generator in items(kustomization.data.get(field)):
        yield "", text(dig(generator, "name")), _generated_keys(generator)


def _bundled(bundle: Resource, kind: str) -> _Made:
    if key := text(dig(bundle.spec, "target", kind, "key")):
        yield "", bundle.name, frozenset({key})


def _secrets_made_by(each: Resource) -> _Made:  # noqa: C901, PLR0911, PLR0912 # one table
    here = stated_namespace(each)
    match (each.group, each.kind):
        case ("", "Secret"):
            return [(here, each.name, _secret_keys(each))]
        case ("", "Namespace"):
            return [(each.name, name, keys) for name, keys in _supplied(each)]
        case ("kustomize.config.k8s.io", "Kustomization"):
            return _generated(each, "secretGenerator")
        case ("trust.cert-manager.io", "Bundle"):
            return _bundled(each, "secret")
        case ("cert-manager.io", "Certificate"):
            return [(here, text(each.spec.get("secretName")), _certificate_keys(each))]
        case ("cert-manager.io", "Issuer" | "ClusterIssuer"):
            # The ACME account; a ClusterIssuer's lies in cert-manager's own namespace, whichever that is.
            account = each.dig("spec", "acme", "privateKeySecretRef")
            key = text(dig(account, "key")) or "tls.key"
            return [(here, text(dig(account, "name")), frozenset({key}))]
        case ("networking.k8s.io" | "extensions", "Ingress") if asks_for_certificates(each):
            listed = items(each.spec.get("tls"))
            return [(here, text(dig(entry, "secretName")), _TLS_KEYS) for entry in listed]
        case ("gateway.networking.k8s.io", "Gateway") if asks_for_certificates(each):
            return [
                (text(dig(reference, "namespace")) or here, text(dig(reference, "name")), _TLS_KEYS)
                for listener in items(each.spec.get("listeners"))
                for reference in items(dig(listener, "tls", "certificateRefs"))
            ]
        case ("external-secrets.io", "ExternalSecret"):
            makes = each.dig("spec", "target", "creationPolicy") not in ("Merge", "None")
            return [(here, _target_name(each), _external_keys(each.spec))] if makes else []
        case ("external-secrets.io", "ClusterExternalSecret"):
            spec = mapping(each.spec.get("externalSecretSpec"))
            name = dig(spec, "target", "name") or each.spec.get("externalSecretName") or each.name
            return [("", text(name), _external_keys(spec))]
        case ("bitnami.com", "SealedSecret"):
            name = text(each.dig("spec", "template", "metadata", "name")) or each.name
            keys = {*mapping(each.spec.get("encryptedData")), *mapping(each.dig("spec", "template", "data"))}
            return [(here, name, frozenset(map(str, keys)))]
        case ("secrets.hashicorp.com", _):
            return [(here, text(each.dig("spec", "destination", "name")), None)]
        case ("onepassword.com", "OnePasswordItem"):
            return [(here, each.name, None)]
        case ("secrets-store.csi.x-k8s.io", "SecretProviderClass"):
            return [
                (here, text(dig(entry, "secretName")), _listed(items(dig(entry, "data")), "key"))
                for entry in items(each.spec.get("secretObjects"))
            ]
        case ("isindir.github.com", "SopsSecret"):
            return [
                (here, text(dig(entry, "name")), _data_keys(mapping(entry)))
                for entry in items(each.spec.get("secretTemplates"))
            ]
        case _:
            return [*_made_by_command(each, here), *_connection_secrets(each, here)]


def asks_for_certificates(each: Resource) -> bool:
    """Tell whether cert-manager's shim makes the certificates that an Ingress or Gateway names."""
    # https://cert-manager.io/docs/usage/ingress/#supported-annotations
    wanted = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme")
    return any(each.annotations.get(annotation) for annotation in wanted)


def _made_by_command(each: Resource, here: str) -> _Made:
    """kube-webhook-certgen and its like are told by an argument which Secret they make."""
    if each.kind != "Job" or not each.pods:
        return
    for container in each.pods.containers:
        for argument in items(container.data.get("args")):
            flag, equals, name = text(argument).partition("=")
            if equals and flag in {"--secret-name", "-secret-name"}:
                yield here, literal(name), None


def _connection_secrets(each: Resource, here: str) -> _Made:
    """Crossplane's managed resources write how to connect to them."""
    target = each.spec.get("writeConnectionSecretToRef")
    if target:
        yield text(dig(target, "namespace")) or here, text(dig(target, "name")), None


def _data_keys(data: object) -> Keys:
    fields = mapping(data)
    names = {*mapping(fields.get("data")), *mapping(fields.get("stringData"))}
    return frozenset(map(str, names))


def _secret_keys(each: Resource) -> Keys:
    keys = _data_keys(each.data) or frozenset()
    if each.data.get("type") == "kubernetes.io/service-account-token":
        return keys | {"token", "ca.crt", "namespace"}
    # An empty one is a place that a program fills at run time.
    return None if not keys or any(note in each.annotations for note in _FILLED_LATER) else keys


def _config_map_keys(each: Resource) -> Keys:
    if each.labels.get("config.openshift.io/inject-trusted-cabundle") == "true":
        return None
    keys = {*mapping(each.data.get("data")), *mapping(each.data.get("binaryData"))}
    return (
        None
        if not keys or any(note in each.annotations for note in _FILLED_LATER)
        else frozenset(map(str, keys))
    )


def _generated_keys(generator: object) -> Keys:
    if items(dig(generator, "envs")) or dig(generator, "env"):
        return None
    literals = {text(entry).partition("=")[0] for entry in items(dig(generator, "literals"))}
    files = {text(entry).partition("=")[0].rpartition("/")[2] for entry in items(dig(generator, "files"))}
    return frozenset(literals | files)


def _supplied(namespace: Resource) -> Iterator[tuple[str, Keys]]:
    try:
        listed = json.loads(namespace.annotations.get(SUPPLIED, "{}"))
    except (ValueError, RecursionError):
        return
    for name, keys in mapping(listed).items():
        yield name, frozenset(text(key) for key in items(keys))


def _certificate_keys(each: Resource) -> Keys:
    # https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.CertificateSpec
    keys = set(_TLS_KEYS)
    for store, suffix in (("jks", "jks"), ("pkcs12", "p12")):
        if dig(each.spec, "keystores", store, "create") is True:
            keys |= {f"keystore.{suffix}", f"truststore.{suffix}"}
    formats = {"CombinedPEM": "tls-combined.pem", "DER": "key.der"}
    for output in items(each.spec.get("additionalOutputFormats")):
        keys.add(formats.get(text(dig(output, "type")), ""))
    return frozenset(keys)


def _target_name(each: Resource) -> str:
    return text(each.dig("spec", "target", "name")) or each.name


def _external_keys(spec: object) -> Keys:
    # https://external-secrets.io/latest/api/externalsecret/: a template's keys replace the fetched ones,
    # unless it merges; a template without data (labels, type) leaves them.
    template = mapping(dig(spec, "target", "template"))
    if items(dig(spec, "dataFrom")) or items(template.get("templateFrom")):
        return None
    fetched = _listed(items(dig(spec, "data")), "secretKey") or frozenset()
    templated = frozenset(map(str, mapping(template.get("data"))))
    if not templated:
        return fetched
    return fetched | templated if template.get("mergePolicy") == "Merge" else templated


def _listed(entries: Iterable[object], field: str) -> Keys:
    return frozenset(text(dig(entry, field)) for entry in entries)
