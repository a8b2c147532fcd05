"""Who may do what with the API: tokens, roles, bindings."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from traversion.verify.check import Problem, Severity, check
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, items, mapping, text

_RBAC = "rbac.authorization.k8s.io"
_EVERYBODY = {"system:unauthenticated", "system:anonymous"}
# Every user and every pod of the cluster; on some platforms every account of the cloud.
_ALL_USERS = {"system:authenticated", "system:serviceaccounts"}
# What Kubernetes itself gives everybody: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go
_PUBLIC_ROLES = {
    "system:public-info-viewer",
    "system:discovery",
    "system:basic-user",
    "system:service-account-issuer-discovery",
    "kubeadm:bootstrap-signer-clusterinfo",
}
# The roles for people that Kubernetes comes with; view reads no Secrets.
_POWERFUL_ROLES = {"cluster-admin", "admin", "edit"}
# Needs the token without a binding of its own: it proves who the pod is.
_TOKEN_READERS = ("vault.hashicorp.com/agent-inject", "consul.hashicorp.com/connect-inject")


@check(
    "token-unused",
    "warning",
    what="Pods are given the token of a ServiceAccount that no binding allows anything.",
    why="Whoever breaks into the container has an identity in the cluster that the application does not use.",
    wrong="""
apiVersion: v1
kind: ServiceAccount
metadata: {name: example}
---
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {serviceAccountName: example, containers: [{name: app, image: "redis:7.4.11"}]}
""",
    right="""
apiVersion: v1
kind: ServiceAccount
metadata: {name: example}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {serviceAccountName: example, containers: [{name: app, image: "redis:7.4.11"}]}
""",
)
def tokens_are_used(graph: Graph) -> Iterator[Problem]:
    """Judge accounts that the set declares, and the default ones; others are bound elsewhere."""
    accounts, groups = _bound(graph)
    for pods in graph.pod_templates:
        named = (
            text(pods.spec.get("serviceAccountName")) or text(pods.spec.get("serviceAccount")) or "default"
        )
        account = graph.find("ServiceAccount", pods.namespace, named)
        stated = pods.spec.get("automountServiceAccountToken")
        if stated is None and account is not None:
            stated = account.data.get("automountServiceAccountToken")
        known = account is not None or named == "default"
        bound = (pods.namespace, named) in accounts or not groups.isdisjoint(
            {"system:serviceaccounts", f"system:serviceaccounts:{pods.namespace}"}
        )
        notes = mapping(pods.owner.dig(*pods.steps, "metadata", "annotations"))
        if (
            pods.namespace == "kube-system"
            or stated is False
            or not known
            or bound
            or any(note in notes for note in _TOKEN_READERS)
        ):
            continue
        wrong = f"mounts the token of ServiceAccount {named}, which nothing in the set binds to a role"
        path = pods.path("spec", "automountServiceAccountToken")
        yield Problem(pods.owner, path, wrong, "set automountServiceAccountToken: false")


def _bound(graph: Graph) -> tuple[set[tuple[str, str]], set[str]]:
    """Return the ServiceAccounts, and the groups, that some binding names."""
    accounts, groups = set(), set()
    for binding in graph.of_kind("RoleBinding", "ClusterRoleBinding"):
        for subject in _subjects(binding):
            name = text(subject.get("name"))
            if subject.get("kind") == "ServiceAccount":
                accounts.add((text(subject.get("namespace")) or binding.namespace, name))
            elif subject.get("kind") == "Group":
                groups.add(name)
            elif name.startswith("system:serviceaccount:"):
                namespace, _, account = name.removeprefix("system:serviceaccount:").partition(":")
                accounts.add((namespace, account))
    return accounts, groups


def _subjects(binding: Resource) -> list[Mapping[str, object]]:
    return [mapping(subject) for subject in items(binding.data.get("subjects"))]


@check(
    "rbac-everybody",
    "error",
    what="A binding gives rights to everybody: people without an account, or all accounts there are.",
    why="Whoever reaches the API server, or any pod of the cluster, has these rights.",
    wrong="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: example}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:unauthenticated"}]
""",
    right="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: example}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: operators}]
""",
)
def nobody_is_everybody(graph: Graph) -> Iterator[Problem]:
    """Know what Kubernetes itself makes public; rights of all accounts are an error when they escalate."""
    for binding in graph.of_kind("RoleBinding", "ClusterRoleBinding"):
        role = text(dig(binding.data, "roleRef", "name"))
        if role in _PUBLIC_ROLES:
            continue
        for index, subject in enumerate(_subjects(binding)):
            name = text(subject.get("name"))
            if name in _EVERYBODY:
                severity: Severity = "error"
            elif name in _ALL_USERS:
                severity = "error" if role in _POWERFUL_ROLES or _risks(_role(graph, binding)) else "warning"
            else:
                continue
            wrong = f"gives {role} to {name}"
            yield Problem(
                binding, f"subjects[{index}]", wrong, "name the users, groups or ServiceAccounts", severity
            )


@check(
    "rbac-escalation",
    "warning",
    what="A role lets its holder become more than it is: wildcards, all Secrets, other identities, nodes.",
    why="Whoever breaks into a pod of this account can take over its namespace or the cluster"
    " (Kubernetes: RBAC good practices, privilege escalation risks).",
    wrong="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: example}
rules: [{apiGroups: [""], resources: [nodes/proxy], verbs: [get]}]
""",
    right="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: example}
rules: [{apiGroups: [""], resources: [nodes/metrics], verbs: [get]}]
""",
)
def roles_do_not_escalate(graph: Graph) -> Iterator[Problem]:
    """Judge every role that is not the cluster's own, and bindings to the most powerful of those."""
    for role in graph.of_kind("Role", "ClusterRole"):
        if not role.name.startswith("system:") and not role.labels.get("kubernetes.io/bootstrapping"):
            for index, risk in _risks(role):
                yield Problem(
                    role, f"rules[{index}]", risk, "name the groups, resources, objects and verbs it needs"
                )
    for binding in graph.of_kind("ClusterRoleBinding", "RoleBinding"):
        if dig(binding.data, "roleRef", "name") != "cluster-admin" or binding.name.startswith("system:"):
            continue
        for subject in _subjects(binding):
            # People may be administrators; a pod should not.
            if subject.get("kind") == "ServiceAccount":
                wrong = f"makes ServiceAccount {text(subject.get('name'))} an administrator of everything"
                yield Problem(binding, "roleRef.name", wrong, "bind a role with the rights it needs")
                break


def _role(graph: Graph, binding: Resource) -> Resource | None:
    reference = mapping(binding.data.get("roleRef"))
    namespace = binding.namespace if reference.get("kind") == "Role" else ""
    return graph.find(text(reference.get("kind")), namespace, text(reference.get("name")))


@dataclass(frozen=True)
class _Risk:
    """Rights that are dangerous: any of the verbs on any of the resources of one API group."""

    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]
    effect: str
    everywhere: bool = False
    """Whether it takes a ClusterRole."""


def _risk(group: str, resources: str, verbs: str, effect: str, *, everywhere: bool = False) -> _Risk:
    return _Risk(
        frozenset({group}), frozenset(resources.split()), frozenset(verbs.split()), effect, everywhere
    )


# https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
_RISKS = (
    _risk("", "secrets", "list watch", "reads the Secrets of all namespaces", everywhere=True),
    _risk("", "pods", "create", "starts pods as any ServiceAccount of any namespace", everywhere=True),
    _risk("", "pods/exec pods/attach", "create get", "runs commands in every pod", everywhere=True),
    _risk("", "pods/ephemeralcontainers", "update patch", "runs containers in every pod", everywhere=True),
    # A GET through a WebSocket runs commands: the verb get is not read-only here.
    _risk("", "nodes/proxy", "get create", "runs commands in every pod of a node, past audit and admission"),
    _risk("", "persistentvolumes", "create", "mounts any directory of a node"),
    _risk("", "serviceaccounts/token", "create", "makes tokens of other ServiceAccounts"),
    _risk("", "users groups serviceaccounts", "impersonate", "acts as somebody else"),
    _risk(_RBAC, "roles clusterroles", "escalate", "gives itself rights that it does not have"),
    _risk(_RBAC, "roles clusterroles", "bind", "binds itself to roles with more rights"),
    _risk(
        "certificates.k8s.io",
        "certificatesigningrequests/approval",
        "update patch",
        "approves client certificates",
    ),
    _risk(
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations validatingwebhookconfigurations",
        "create update patch",
        "reads or changes every object that is admitted",
    ),
)


def _risks(role: Resource | None) -> list[tuple[int, str]]:
    return [] if role is None else list(_judged(role))


def _judged(role: Resource) -> Iterator[tuple[int, str]]:
    for index, rule in enumerate(items(role.data.get("rules"))):
        groups, resources, verbs = (
            {text(each) for each in items(dig(rule, key))} for key in ("apiGroups", "resources", "verbs")
        )
        # Where objects are named, the rule ends at these (creating cannot be limited so).
        named = bool(items(dig(rule, "resourceNames"))) and not verbs & {"create", "*"}
        if "*" in resources and "*" in verbs:
            yield index, f"may do everything with {_listed(groups)}"
        elif not named:
            cluster = role.kind == "ClusterRole"
            for risk in _RISKS:
                if (cluster or not risk.everywhere) and _meets(risk, groups, resources, verbs):
                    yield index, f"{risk.effect} ({_listed(verbs)} {_listed(resources)})"
                    break


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(name or "core" for name in names))


def _meets(risk: _Risk, groups: set[str], resources: set[str], verbs: set[str]) -> bool:
    # The resource "*" does cover subresources; the verb "*" covers impersonate, escalate and bind.
    return (
        ("*" in groups or bool(risk.groups & groups))
        and ("*" in resources or bool(risk.resources & resources))
        and ("*" in verbs or bool(risk.verbs & verbs))
    )


@check(
    "binding-namespace",
    "error",
    what="A ClusterRoleBinding names a ServiceAccount without its namespace.",
    why="The API server refuses the binding.",
    wrong="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: example}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: example}]
""",
    right="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: example}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: example, namespace: example}]
""",
)
def bindings_name_namespaces(graph: Graph) -> Iterator[Problem]:
    """A RoleBinding means its own namespace."""
    for binding in graph.of_kind("ClusterRoleBinding"):
        for index, subject in enumerate(_subjects(binding)):
            if subject.get("kind") == "ServiceAccount" and not text(subject.get("namespace")):
                wrong = f"ServiceAccount {text(subject.get('name'))} of no namespace"
                yield Problem(
                    binding, f"subjects[{index}].namespace", wrong, "name the ServiceAccount's namespace"
                )
