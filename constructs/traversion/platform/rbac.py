"""Permissions on the API server for the few components that call it."""

from collections.abc import Sequence

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.platform.component import Component
from traversion.platform.ground import Platform

_GROUP = "rbac.authorization.k8s.io"


def call_kubernetes(platform: Platform, component: Component, *, because: str) -> None:
    """Let a component reach the API server: its Service port, and the port behind it."""
    platform.network.allow(component, platform.api_server, 443, 6443, because=because)


def allow_in_namespace(scope: Construct, component: Component, rules: Sequence[k8s.PolicyRule]) -> None:
    """Grant a component's account rules in its namespace."""
    k8s.KubeRole(scope, "role", metadata=component.metadata(component.name), rules=rules)
    k8s.KubeRoleBinding(
        scope,
        "role-binding",
        metadata=component.metadata(component.name),
        role_ref=k8s.RoleRef(api_group=_GROUP, kind="Role", name=component.name),
        subjects=[account_of(component)],
    )


def allow_cluster(scope: Construct, component: Component, rules: Sequence[k8s.PolicyRule]) -> None:
    """Grant a component's account rules in the whole cluster."""
    name = f"{component.instance}-{component.name}"
    k8s.KubeClusterRole(scope, "cluster-role", metadata=component.cluster_metadata(name), rules=rules)
    bind_cluster_role(scope, component, name)


def bind_cluster_role(scope: Construct, component: Component, role: str) -> None:
    """Bind a component's account to a ClusterRole by name."""
    name = f"{component.instance}-{component.name}"
    k8s.KubeClusterRoleBinding(
        scope,
        "cluster-role-binding",
        metadata=component.cluster_metadata(name),
        role_ref=k8s.RoleRef(api_group=_GROUP, kind="ClusterRole", name=role),
        subjects=[account_of(component)],
    )


def account_of(component: Component) -> k8s.Subject:
    """Name a component's ServiceAccount as the subject of a binding."""
    return k8s.Subject(kind="ServiceAccount", name=component.name, namespace=component.namespace)
