import pytest

from tests.verify.cases import errors, found
from tests.verify.pods import document, pod

RBAC = "rbac.authorization.k8s.io/v1"
TOKEN, RISK, ALL = "token-unused", "rbac-escalation", "rbac-everybody"


def account(*, mounts: bool | None = None) -> str:
    return document("ServiceAccount", "robot", automountServiceAccountToken=mounts)


def binding(
    kind: str = "RoleBinding",
    role: str = "view",
    name: str = "robot",
    namespace: str | None = "default",
    subject_kind: str = "ServiceAccount",
) -> str:
    subject = {"kind": subject_kind, "name": name, "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return document(kind, "binding", RBAC, roleRef=reference, subjects=[subject])


def group(name: str, role: str = "view") -> str:
    return binding("ClusterRoleBinding", role, name=name, subject_kind="Group")


def role(*rules: object, kind: str = "ClusterRole", name: str = "example") -> str:
    return document(kind, name, RBAC, rules=list(rules))


def rule(groups: str, resources: str, verbs: str, *names: str) -> object:
    return {
        "apiGroups": groups.split(",") if groups else [""],
        "resources": resources.split(),
        "verbs": verbs.split(),
        "resourceNames": list(names),
    }


@pytest.mark.parametrize(
    ("manifests", "wrong"),
    [
        (pod(), True),
        (pod(automountServiceAccountToken=False), False),
        (account() + pod(serviceAccountName="robot"), True),
        (account() + pod(serviceAccount="robot"), True),
        (account(mounts=False) + pod(serviceAccountName="robot"), False),
        (
            account(mounts=False) + pod(serviceAccountName="robot", automountServiceAccountToken=True),
            True,
        ),
        (account() + binding() + pod(serviceAccountName="robot"), False),
        (account() + binding(namespace=None) + pod(serviceAccountName="robot"), False),
        (account() + binding(namespace="other") + pod(serviceAccountName="robot"), True),
        (account() + group("system:serviceaccounts:default") + pod(serviceAccountName="robot"), False),
        (pod(serviceAccountName="from-elsewhere"), False),
        (pod(namespace="kube-system"), False),
    ],
)
def test_tokens(manifests: str, wrong: object) -> None:
    assert (TOKEN in found(manifests)) is wrong


@pytest.mark.parametrize(
    "given",
    [
        rule("*", "*", "*"),
        rule("apps", "*", "*"),
        rule("", "secrets", "get list"),
        rule("", "*", "get list watch"),
        rule("", "pods", "create"),
        rule("", "pods/exec", "create"),
        rule("", "nodes/proxy", "get"),
        rule("", "persistentvolumes", "create"),
        rule("", "serviceaccounts/token", "create"),
        rule("", "users", "impersonate"),
        rule("", "users", "*"),
        rule("rbac.authorization.k8s.io", "clusterroles", "escalate"),
        rule("rbac.authorization.k8s.io", "roles", "bind"),
        rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"),
        rule("certificates.k8s.io", "certificatesigningrequests/approval", "update"),
    ],
)
def test_risks(given: object) -> None:
    assert RISK in found(role(given))


@pytest.mark.parametrize(
    "given",
    [
        rule("", "secrets", "get"),
        rule("", "secrets", "list watch", "one-secret"),
        rule("", "configmaps", "*"),
        rule("", "pods", "get list watch delete"),
        rule("", "nodes nodes/metrics", "get list watch"),
        rule("apps", "deployments", "create update"),
        rule("rbac.authorization.k8s.io", "clusterroles", "bind", "view"),
        rule("rbac.authorization.k8s.io", "clusterroles", "get list"),
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
        rule("metrics.k8s.io", "pods nodes", "get list"),
        [],
        None,
    ],
)
def test_no_risks(given: object) -> None:
    assert RISK not in found(role(given))


def test_in_one_namespace_some_rights_are_usual() -> None:
    assert RISK not in found(role(rule("", "secrets pods", "list create"), kind="Role"))
    assert RISK in found(role(rule("", "serviceaccounts/token", "create"), kind="Role"))


def test_the_cluster_s_own_roles() -> None:
    assert RISK not in found(role(rule("*", "*", "*"), name="system:controller:example"))


def test_administrators() -> None:
    assert RISK in found(binding("ClusterRoleBinding", "cluster-admin"))
    assert RISK not in found(group("operators", "cluster-admin"))


@pytest.mark.parametrize(
    ("name", "role_name", "level"),
    [
        ("system:unauthenticated", "view", "error"),
        ("system:anonymous", "view", "error"),
        ("system:unauthenticated", "system:public-info-viewer", ""),
        ("system:authenticated", "cluster-admin", "error"),
        ("system:serviceaccounts", "edit", "error"),
        ("system:authenticated", "view", "warning"),
        ("system:serviceaccounts:monitoring", "view", ""),
        ("operators", "cluster-admin", ""),
    ],
)
def test_everybody(name: str, role_name: str, level: str) -> None:
    manifests = group(name, role_name)
    assert (ALL in errors(manifests)) is (level == "error")
    assert (ALL in found(manifests)) is bool(level)


def test_everybody_may_escalate() -> None:
    manifests = group("system:authenticated", "example")
    assert ALL in errors(manifests + role(rule("", "nodes/proxy", "get")))


@pytest.mark.parametrize(
    ("kind", "namespace", "wrong"),
    [("ClusterRoleBinding", None, True), ("ClusterRoleBinding", "a", False), ("RoleBinding", None, False)],
)
def test_namespaces_of_subjects(kind: str, namespace: str | None, wrong: object) -> None:
    assert ("binding-namespace" in found(binding(kind, namespace=namespace))) is wrong
