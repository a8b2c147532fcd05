"""Who is who, and who comes first: names, namespaces, and the order in which kubectl applies."""

from collections.abc import Hashable, Iterator, Mapping
from typing import TypeVar

from traversion.verify.check import Problem, Severity, check
from traversion.verify.declared import BUILT_IN_NAMESPACES, CORE, declared, stated_namespace
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, mapping, text

# Files beside manifests that are for a program on the caller's side, and never reach the API server.
_CLIENT_SIDE = {
    "kustomize.config.k8s.io",
    "kubeadm.k8s.io",
    "kind.x-k8s.io",
    "k3d.io",
    "skaffold",
    "eksctl.io",
}
_Key = TypeVar("_Key", bound=Hashable)
_NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
_CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n"


@check(
    "duplicate-object",
    "error",
    what="Two objects of one kind have the same name in the same namespace.",
    why="The one applied later replaces the earlier; which one is the file order's choice.",
    wrong=f"{_CONFIG}data: {{A: '1'}}\n---\n{_CONFIG}data: {{A: '2'}}",
    right=_CONFIG,
)
def objects_are_unique(graph: Graph) -> Iterator[Problem]:
    """Compare group, kind, namespace and name; an exact copy does no harm, so it is a warning."""
    seen: dict[tuple[str, str, str, str], Resource] = {}
    for each in graph.resources:
        if not each.name:
            continue
        first = seen.setdefault((each.group, each.kind, stated_namespace(each), each.name), each)
        if first is each:
            continue
        same = first.data == each.data
        # With kustomize the second may be a patch.
        harmless = same or declared(graph).kustomized
        yield Problem(
            each,
            "metadata.name",
            f"{each.reference} is declared twice{_and(first)}{', word for word' if same else ''}",
            "keep one of them",
            "warning" if harmless else "error",
        )


def _and(first: Resource) -> str:
    source = first.source
    return f", first in {source.file}:{source.line}" if source.file else ""


@check(
    "name-missing",
    "error",
    what="An object has no name, or one that is no text.",
    why="kubectl apply and the API server refuse it.",
    wrong="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}",
    right='apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "12"}',
)
def objects_have_names(graph: Graph) -> Iterator[Problem]:
    """Demand a name from what is sent to the API server; generateName is a name for `kubectl create`."""
    for each in graph.resources:
        built_in = each.group in {CORE, "apps", "batch", "autoscaling", "policy"} or each.group.endswith(
            ".k8s.io"
        )
        if each.name or not built_in or each.group in _CLIENT_SIDE or not each.kind:
            continue
        if not text(each.data.get("apiVersion")) or text(each.metadata.get("generateName")):
            continue
        if "metadata" not in each.data:
            continue  # configuration of a component, such as KubeletConfiguration
        wrong = f"the name is {each.metadata['name']!r}" if "name" in each.metadata else "there is no name"
        yield Problem(each, "metadata.name", wrong, "give it a name, in quotes when it looks like a number")


@check(
    "namespace-missing",
    "warning",
    what="An object stands in a namespace that the set does not declare, while it declares others.",
    why="Unless it is there already, the API server refuses the object: namespace not found.",
    wrong=f"{_NAMESPACE}---\n{_CONFIG.replace('shop', 'shpo')}",
    right=f"{_NAMESPACE}---\n{_CONFIG}",
)
def namespace_is_declared(graph: Graph) -> Iterator[Problem]:
    """Look up namespaces; once for each of them, since one fault may stand in many objects."""
    known = {each.name for each in graph.of_kind("Namespace")}
    known |= {text(each.metadata.get("name")) for each in graph.of_kind("Project")}  # OpenShift
    if not known:
        return
    reported: set[str] = set()
    for each in graph.resources:
        namespace = stated_namespace(each)
        if not namespace or each.cluster_scoped or namespace in known | BUILT_IN_NAMESPACES | reported:
            continue
        reported.add(namespace)
        yield Problem(
            each,
            "metadata.namespace",
            f"no Namespace {namespace} is declared (there are: {', '.join(sorted(known))})",
            "correct the name, or declare the Namespace",
        )


@check(
    "namespace-unstated",
    "warning",
    what="An object states no namespace, while the set declares one and other objects state theirs.",
    why="It lands in whatever namespace the caller's context has, apart from its companions.",
    wrong=f"{_NAMESPACE}---\n{_CONFIG}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: other}}",
    right=f"{_NAMESPACE}---\n{_CONFIG}",
)
def namespace_is_stated(graph: Graph) -> Iterator[Problem]:
    """Ask for a namespace only where stating it is the set's own habit."""
    namespaced = [
        each
        for each in graph.resources
        if not each.cluster_scoped and each.group not in _CLIENT_SIDE and each.kind and each.name
    ]
    unstated = [each for each in namespaced if not stated_namespace(each)]
    if not graph.of_kind("Namespace") or len(unstated) == len(namespaced):
        return
    for each in unstated:
        yield Problem(
            each, "metadata", "states no namespace; others of the set do", "state metadata.namespace"
        )


@check(
    "namespace-on-cluster-scoped",
    "warning",
    what="An object of a kind without namespace states one.",
    why="The API server ignores it; who reads the manifest expects it to hold for that namespace only.",
    wrong="apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: disk, namespace: shop}",
    right="apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: disk}",
)
def cluster_scoped_has_no_namespace(graph: Graph) -> Iterator[Problem]:
    """Kinds of unknown groups never count: the set does not tell their scope."""
    scopes = _scopes(graph)
    for each in graph.resources:
        namespace = stated_namespace(each)
        if namespace and (each.cluster_scoped or scopes.get((each.group, each.kind)) == "Cluster"):
            yield Problem(
                each,
                "metadata.namespace",
                f"{each.kind} has no namespace, but {namespace} is stated",
                "remove metadata.namespace",
            )


def _scopes(graph: Graph) -> dict[tuple[str, str], str]:
    return {
        (text(each.spec.get("group")), text(dig(each.spec, "names", "kind"))): text(each.spec.get("scope"))
        for each in graph.of_kind("CustomResourceDefinition")
    }


@check(
    "order-namespace",
    "error",
    what="An object comes before the Namespace it stands in, within a file or in the order of the files.",
    why="kubectl applies in that order; the API server refuses the object: namespace not found.",
    wrong=f"{_CONFIG}---\n{_NAMESPACE}",
    right=f"{_NAMESPACE}---\n{_CONFIG}",
)
def namespace_comes_first(graph: Graph) -> Iterator[Problem]:
    """Report each late Namespace once, with the first object that needs it."""
    declared_at = _first({each.name: each for each in reversed(graph.of_kind("Namespace"))}, graph)
    reported: set[str] = set()
    for position, each in enumerate(graph.resources):
        namespace = stated_namespace(each)
        if each.cluster_scoped or namespace in reported or position >= declared_at.get(namespace, 0):
            continue
        reported.add(namespace)
        late = graph.resources[declared_at[namespace]]
        yield Problem(
            late,
            "metadata.name",
            f"Namespace {namespace} comes after {each.reference}{_in(each)}, which stands in it",
            "put the Namespace first; files are taken by name, e.g. 00-namespace.yaml",
            _severity(graph),
        )


@check(
    "order-crd",
    "error",
    what="A custom resource comes before the CustomResourceDefinition of its kind.",
    why="kubectl knows no such kind yet and skips the object: no matches for kind.",
    wrong="""
apiVersion: example.com/v1
kind: Shop
metadata: {name: web}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec: {group: example.com, names: {kind: Shop, plural: shops}}""",
    right="""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec: {group: example.com, names: {kind: Shop, plural: shops}}
---
apiVersion: example.com/v1
kind: Shop
metadata: {name: web}""",
)
def definition_comes_first(graph: Graph) -> Iterator[Problem]:
    """Report each late definition once."""
    definitions = {
        (text(each.spec.get("group")), text(dig(each.spec, "names", "kind"))): each
        for each in reversed(graph.of_kind("CustomResourceDefinition"))
    }
    defined_at = _first(definitions, graph)
    for position, each in enumerate(graph.resources):
        key = (each.group, each.kind)
        if position >= defined_at.get(key, 0):
            continue
        late = graph.resources[defined_at.pop(key)]
        yield Problem(
            late,
            "metadata.name",
            f"the definition of {each.kind} comes after {each.reference}{_in(each)}",
            "put definitions first, best in a file that is applied on its own",
            _severity(graph),
        )


@check(
    "order-issuer",
    "warning",
    what="A Certificate, Ingress or Gateway comes before the issuer that it asks.",
    why="The first request fails; cert-manager tries again, up to an hour later.",
    wrong="""
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop}
spec: {secretName: web, issuerRef: {name: ca}}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: ca, namespace: shop}""",
    right="""
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: ca, namespace: shop}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop}
spec: {secretName: web, issuerRef: {name: ca}}""",
)
def issuer_comes_first(graph: Graph) -> Iterator[Problem]:
    """Compare the positions of issuers and those who name them."""
    known = declared(graph)
    positions = {id(each): position for position, each in enumerate(graph.resources)}
    reported: set[int] = set()
    for each in graph.of_kind("Certificate", "Ingress", "Gateway"):
        for kind, name in _issuers(each):
            issuer = known.find("cert-manager.io", kind, name, each, "" if kind == "ClusterIssuer" else None)
            if issuer is None or id(issuer) in reported or positions[id(issuer)] < positions[id(each)]:
                continue
            reported.add(id(issuer))
            yield Problem(
                issuer,
                "metadata.name",
                f"{kind} {name} comes after {each.reference}{_in(each)}, which asks it",
                "put issuers before certificates and ingresses",
            )


def _issuers(each: Resource) -> Iterator[tuple[str, str]]:
    if each.kind == "Certificate":
        reference = mapping(each.spec.get("issuerRef"))
        if text(reference.get("group")) in {"", "cert-manager.io"}:
            yield text(reference.get("kind")) or "Issuer", text(reference.get("name"))
        return
    for annotation, kind in (("issuer", "Issuer"), ("cluster-issuer", "ClusterIssuer")):
        if name := each.annotations.get(f"cert-manager.io/{annotation}"):
            yield kind, name


def _first(objects: Mapping[_Key, Resource], graph: Graph) -> dict[_Key, int]:
    positions = {id(each): position for position, each in enumerate(graph.resources)}
    return {key: positions[id(each)] for key, each in objects.items()}


def _in(each: Resource) -> str:
    return f" ({each.source.file}:{each.source.line})" if each.source.file else ""


def _severity(graph: Graph) -> Severity:
    # Kustomize sorts by kind; only who applies the files themselves meets the fault.
    return "warning" if declared(graph).kustomized else "error"
