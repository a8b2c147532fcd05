"""What a set of manifests declares, looked up by name the way a cluster would resolve it."""

from collections import defaultdict
from weakref import WeakKeyDictionary

from traversion.verify.check import Severity
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, items, text

CORE = ""
KUSTOMIZE = "kustomize.config.k8s.io"
BUILT_IN_NAMESPACES = {"default", "kube-system", "kube-public", "kube-node-lease"}
"""Namespaces of every cluster.

https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
"""

# API groups whose objects never bring pods, Services, ConfigMaps or claims into their namespace. Where they
# make Secrets (Certificate, ExternalSecret, ...) the module `keyed` knows which. The groups of Kubernetes
# itself end in ".k8s.io" or have no dot. An object of any other group may be an operator's, which makes
# whatever it likes; what seems to be missing beside it may be its work.
_MAKE_NOTHING = {
    "acme.cert-manager.io",
    "bitnami.com",  # SealedSecret
    "cert-manager.io",
    "cilium.io",
    "configuration.konghq.com",
    "constraints.gatekeeper.sh",
    "crd.projectcalico.org",
    "elbv2.k8s.aws",
    "external-secrets.io",
    "generators.external-secrets.io",
    "karpenter.sh",
    "keda.sh",
    "kustomize.config.k8s.io",
    "kyverno.io",
    "networking.istio.io",
    "projectcalico.org",
    "secrets.hashicorp.com",
    "security.istio.io",
    "telemetry.istio.io",
    "templates.gatekeeper.sh",
    "traefik.containo.us",
    "traefik.io",
    "trust.cert-manager.io",
}
# The same for single kinds of groups that have others.
_KINDS_THAT_MAKE_NOTHING = {
    "argoproj.io": {"AppProject"},
    "monitoring.coreos.com": {
        "AlertmanagerConfig",
        "PodMonitor",
        "Probe",
        "PrometheusRule",
        "ScrapeConfig",
        "ServiceMonitor",
    },
}


class Declared:
    """The objects of a set by kind and name.

    Who states no namespace may be applied into any (``kubectl --namespace``), so it is taken for a
    neighbour of everybody.
    """

    def __init__(self, graph: Graph) -> None:
        """Index the set once."""
        self._exact: dict[tuple[str, str, str, str], Resource] = {}
        self._unstated: dict[tuple[str, str, str], Resource] = {}
        self._anywhere: dict[tuple[str, str, str], Resource] = {}
        self._operated: dict[str, set[str]] = defaultdict(set)
        self.namespaces: set[str] = set()
        kustomizations = [each for each in graph.of_kind("Kustomization") if each.group == KUSTOMIZE]
        self.kustomized = bool(kustomizations)
        """Whether kustomize builds the set: it sorts, patches, and fills in namespaces."""
        self._incomplete = any(_takes_from_elsewhere(each) for each in kustomizations)
        for each in graph.resources:
            key = (each.group, each.kind, each.name)
            self._anywhere.setdefault(key, each)
            namespace = stated_namespace(each)
            if each.cluster_scoped or namespace:
                self._exact.setdefault((each.group, each.kind, each.namespace, each.name), each)
            else:
                self._unstated.setdefault(key, each)
            if each.namespace:
                self.namespaces.add(each.namespace)
            if may_make_objects(each):
                self._operated[namespace].add(each.name)

    def find(
        self, group: str, kind: str, name: str, near: Resource, namespace: str | None = None
    ) -> Resource | None:
        """Return the object that one near another means by a name; ``namespace`` where it names one."""
        place = stated_namespace(near) if namespace is None else namespace
        key = (group, kind, name)
        if not place:
            return self._anywhere.get(key)
        return self._exact.get((group, kind, place, name)) or self._unstated.get(key)

    def cluster_wide(self, group: str, kind: str, name: str) -> Resource | None:
        """Return an object of a cluster-scoped kind."""
        return self._anywhere.get((group, kind, name))

    def operator_makes(self, namespace: str, name: str) -> bool:
        """Tell whether an operator's object bears this name or the beginning of it, as what it makes does."""
        owners = self._operated.get(namespace, set()) | self._operated.get("", set())
        if not owners:
            return False
        parts = name.split("-")
        return any("-".join(parts[:count]) in owners for count in range(1, len(parts) + 1))

    def severity(self, namespace: str) -> Severity:
        """Return how bad it is when something is missing in a namespace.

        A warning where an operator's objects stand (it may make the missing one), where nothing else
        does, or where kustomize adds what lies in other folders.
        """
        operated = self._operated.get(namespace) or self._operated.get("")
        certain = namespace in self.namespaces and not operated and not self._incomplete
        return "error" if certain else "warning"


_MADE: WeakKeyDictionary[Graph, Declared] = WeakKeyDictionary()


def declared(graph: Graph) -> Declared:
    """Return what a set declares, made once for each graph."""
    if graph not in _MADE:
        _MADE[graph] = Declared(graph)
    return _MADE[graph]


def stated_namespace(resource: Resource) -> str:
    """Return the namespace that an object states; empty where it leaves the choice to who applies it."""
    return text(resource.metadata.get("namespace"))


def may_make_objects(resource: Resource) -> bool:
    """Tell whether the object is one that an operator could turn into others."""
    group = resource.group
    if "." not in group or group.endswith(".k8s.io") or group in _MAKE_NOTHING:
        return False
    return resource.kind not in _KINDS_THAT_MAKE_NOTHING.get(group, set())


def _takes_from_elsewhere(kustomization: Resource) -> bool:
    listed = [
        *items(kustomization.data.get("resources")),
        *items(kustomization.data.get("bases")),
        *items(kustomization.data.get("components")),
    ]
    return any("/" in text(entry) or not text(entry).endswith((".yaml", ".yml", ".json")) for entry in listed)


def literal(value: object) -> str:
    """Return a name that stands as it will be used; empty for templates such as ``$(NAME)`` or ``{{ }}``."""
    name = text(value)
    return "" if "$" in name or "{{" in name else name
