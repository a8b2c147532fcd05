"""What is declared and used by nobody. All warnings: a program may read through the API what none mounts."""

import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from traversion.verify.check import Problem, check
from traversion.verify.declared import declared, stated_namespace
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, items, mapping, text
from traversion.verify.naming import optional_names, references

_POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: nginx:1.27
"""
# Labels and annotations by which programs find their ConfigMaps and Secrets through the API, by prefix:
# Grafana's sidecar, Argo CD, kubed and reflectors, Prometheus' config reloaders, Helm, bootstrap.
_FOUND_BY_LABEL = (
    "argocd.argoproj.io/",
    "config.openshift.io/",
    "cnpg.io/",
    "grafana_",
    "helm.sh/hook",
    "k8s.grafana.com/",
    "kubed.appscode.com/",
    "loki_rule",
    "reflector.v1.k8s.emberstack.com/",
    "replicator.v1.mittwald.de/",
    "tekton.dev/",
)
_READ_THROUGH_API = {"argocd", "knative-serving", "knative-eventing"}  # values of app.kubernetes.io/part-of
_SECRET_TYPES_OF_OTHERS = (
    "bootstrap.kubernetes.io/",
    "helm.sh/",
    "kubernetes.io/service-account-token",
    "kubernetes.io/dockerc",  # pulled through the ServiceAccount that somebody patches
)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_LONGEST = 1024  # Longer texts are scripts, dashboards, certificates: names in them prove nothing.


@check(
    "configmap-unused",
    "warning",
    what="A ConfigMap that no object names, beside pods that could.",
    why="A change to it changes nothing: a typo in a reference, or a left-over.",
    wrong=_POD + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: web-config}",
    right=_POD
    + """      envFrom: [{configMapRef: {name: web-config}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-config}""",
)
def configmap_is_used(graph: Graph) -> Iterator[Problem]:
    """Compare ConfigMaps with all names in the set."""
    yield from _unused(graph, graph.of_kind("ConfigMap"), "ConfigMap")


@check(
    "secret-unused",
    "warning",
    what="A Secret (or what makes one: ExternalSecret, SealedSecret, Certificate) that no object names.",
    why="A credential lies in the cluster for nothing: a typo in a reference, or a left-over.",
    wrong=_POD + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: web-token}",
    right=_POD
    + """      envFrom: [{secretRef: {name: web-token}}]
---
apiVersion: v1
kind: Secret
metadata: {name: web-token}""",
)
def secret_is_used(graph: Graph) -> Iterator[Problem]:
    """Compare Secrets and their makers with all names in the set."""
    makers = graph.of_kind("Secret", "ExternalSecret", "SealedSecret", "Certificate")
    yield from _unused(graph, makers, "Secret")


@check(
    "service-account-unused",
    "warning",
    what="A ServiceAccount that no pod runs as, no binding grants anything and nothing else names.",
    why="The pods run as another account, mostly default: a typo in a reference, or a left-over.",
    wrong=_POD + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}",
    right=_POD
    + "  serviceAccountName: web\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}",
)
def service_account_is_used(graph: Graph) -> Iterator[Problem]:
    """Compare ServiceAccounts with all names in the set; `default` is everybody's."""
    accounts = [each for each in graph.of_kind("ServiceAccount") if each.name != "default"]
    yield from _unused(graph, accounts, "ServiceAccount")


@check(
    "claim-unused",
    "warning",
    what="A PersistentVolumeClaim that no pod mounts.",
    why="Storage is paid for nothing, and the data is not where somebody thinks it is.",
    wrong=_POD + "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}",
    right=_POD
    + """  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}""",
)
def claim_is_used(graph: Graph) -> Iterator[Problem]:
    """Compare claims with all names in the set, and with those that StatefulSets take by ordinal."""
    templated = {
        f"{text(dig(claim, 'metadata', 'name'))}-{each.name}"
        for each in graph.of_kind("StatefulSet")
        for claim in items(each.spec.get("volumeClaimTemplates"))
    }
    claims = graph.of_kind("PersistentVolumeClaim")
    rest = [each for each in claims if each.name.rpartition("-")[0] not in templated]
    yield from _unused(graph, rest, "PersistentVolumeClaim")


@check(
    "role-unused",
    "warning",
    what="A Role that no RoleBinding gives to anybody.",
    why="It grants nothing: requests that it was written for are forbidden.",
    wrong="apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}",
    right="""
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {kind: Role, name: reader}""",
)
def role_is_bound(graph: Graph) -> Iterator[Problem]:
    """Look for the bindings of Roles. ClusterRoles are often there for people to bind later."""
    bound = {
        (place, text(dig(each.data, "roleRef", "name")))
        for each in graph.of_kind("RoleBinding")
        for place in {stated_namespace(each), ""}
        if dig(each.data, "roleRef", "kind") == "Role"
    }
    for role in graph.of_kind("Role"):
        unstated = ("", role.name) in bound
        if role.group == "rbac.authorization.k8s.io" and role.name:
            if (stated_namespace(role), role.name) in bound or (unstated and not stated_namespace(role)):
                continue
            yield Problem(role, "metadata.name", "no RoleBinding gives this Role", "bind it or remove it")


def _unused(graph: Graph, candidates: list[Resource], kind: str) -> Iterator[Problem]:
    used = _used_names(graph)
    for each in candidates:
        name = _secret_name(each) if kind == "Secret" else each.name
        if not name or name in used or _has_another_reader(graph, each):
            continue
        wrong = f"no object of the set names the {kind} {name}"
        yield Problem(each, "metadata.name", wrong, "correct the reference that means it, or remove it")


def _has_another_reader(graph: Graph, each: Resource) -> bool:
    """Tell whether somebody beyond the names in the set may use the object."""
    place = stated_namespace(each)
    templated = mapping(each.dig("spec", "target", "template", "metadata", "labels"))
    marks = (*each.labels, *each.annotations, *templated)
    if any(str(mark).startswith(_FOUND_BY_LABEL) for mark in marks):
        return True
    if each.labels.get("app.kubernetes.io/part-of") in _READ_THROUGH_API:
        return True
    if text(each.data.get("type")).startswith(_SECRET_TYPES_OF_OTHERS):
        return True
    # Nobody of the set runs there: it is for others. And an operator reads what bears its object's name.
    return (
        not _runs_pods(graph, place)
        or place == "kube-system"
        or declared(graph).operator_makes(place, each.name)
    )


def _secret_name(each: Resource) -> str:
    match each.kind:
        case "Certificate":
            return text(each.spec.get("secretName"))
        case "ExternalSecret":
            return text(each.dig("spec", "target", "name")) or each.name
        case "SealedSecret":
            return text(each.dig("spec", "template", "metadata", "name")) or each.name
        case _:
            return each.name


_USED: WeakKeyDictionary[Graph, set[str]] = WeakKeyDictionary()


def _used_names(graph: Graph) -> set[str]:
    """Return all names that stand in values anywhere, made once for each graph.

    Namespaces are not compared: what is named anywhere is not reported.
    """
    if graph not in _USED:
        names = {name for _, name in optional_names(graph)} | {each.name for each in references(graph)}
        for resource in graph.resources:
            _collect(resource, names)
        _USED[graph] = names
    return _USED[graph]


def _collect(resource: Resource, names: set[str]) -> None:
    _words(dict(resource.annotations), names)
    if resource.pods:
        pods = resource.pods
        names |= {text(pods.spec.get("serviceAccountName")), text(pods.spec.get("serviceAccount"))}
        _words(resource.dig(*pods.steps, "metadata", "annotations"), names)
        for volume in items(pods.spec.get("volumes")):
            # Its own name is nobody else's.
            _words({key: value for key, value in mapping(volume).items() if key != "name"}, names)
        for container in pods.containers:
            _words([container.data.get("args"), container.data.get("command")], names)
            _words([variable.get("value") for _, variable in container.environment()], names)
    elif resource.kind in {"RoleBinding", "ClusterRoleBinding"}:
        _words(resource.data.get("subjects"), names)
    elif resource.kind == "Ingress":
        _words(resource.spec.get("tls"), names)
    elif resource.kind not in _NAMES_OF_OTHERS:
        _words({key: value for key, value in resource.data.items() if key not in _HEADER}, names)


_HEADER = {"apiVersion", "kind", "metadata"}
# Kinds whose specification names other things than ConfigMaps, Secrets, accounts and claims, often by the
# same words; or, the last three, what they make themselves.
_NAMES_OF_OTHERS = {
    "APIService",
    "CustomResourceDefinition",
    "HorizontalPodAutoscaler",
    "LimitRange",
    "MutatingWebhookConfiguration",
    "Namespace",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PriorityClass",
    "ResourceQuota",
    "Secret",
    "Service",
    "ValidatingWebhookConfiguration",
    "VerticalPodAutoscaler",
    "Certificate",
    "ExternalSecret",
    "SealedSecret",
}
_LABELS = {"labels", "matchLabels", "matchExpressions", "nodeSelector", "selector"}


def _words(value: object, names: set[str]) -> None:
    stack = [value]
    while stack:
        entry = stack.pop()
        if isinstance(entry, str):
            if len(entry) <= _LONGEST:
                names.update(_NAME.findall(entry))
        elif isinstance(entry, dict):
            stack.extend(part for key, part in entry.items() if key not in _LABELS)
        elif isinstance(entry, list):
            stack.extend(entry)


_TEMPLATES: WeakKeyDictionary[Graph, set[str]] = WeakKeyDictionary()


def _runs_pods(graph: Graph, namespace: str) -> bool:
    """Tell whether the set has pods in a namespace; in any, for none."""
    if graph not in _TEMPLATES:
        _TEMPLATES[graph] = {stated_namespace(pods.owner) for pods in graph.pod_templates}
    found = _TEMPLATES[graph]
    return bool(found) if not namespace else namespace in found or "" in found
