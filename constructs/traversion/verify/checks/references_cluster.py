"""What objects name beside pods and routes: roles, classes, issuers, stores, and what is scaled."""

from collections.abc import Iterator, Mapping
from typing import Any

from traversion.verify.check import Problem, Severity, check
from traversion.verify.declared import CORE, declared, literal, may_make_objects, stated_namespace
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, dig, items, mapping, text

_RBAC = "rbac.authorization.k8s.io"
# Roles that every cluster has, https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
# and in kube-system one that aggregated API servers need.
_ROLES = {"admin", "cluster-admin", "edit", "view", "extension-apiserver-authentication-reader"}
# Storage classes that managed clusters and local ones bring along: their providers' documentation.
_STORAGE_CLASSES = {
    *("standard", "default", "hostpath", "local-path", "longhorn", "microk8s-hostpath"),
    *("gp2", "gp3", "efs-sc", "ebs-sc"),
    *("standard-rwo", "standard-rwx", "premium-rwo", "premium-rwx", "enterprise-rwx", "hyperdisk-balanced"),
    *("managed", "managed-csi", "managed-csi-premium", "managed-premium", "azurefile", "azurefile-csi"),
    *("azurefile-csi-premium", "azurefile-premium", "do-block-storage", "linode-block-storage"),
    *("linode-block-storage-retain", "hcloud-volumes", "oci-bv", "vultr-block-storage", "thin-csi", "thin"),
    *("csi-cinder-high-speed", "rook-ceph-block", "rook-cephfs", "cephfs", "ceph-block", "nfs-client"),
}


def _binding(role: str, account: str) -> str:
    return f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: web}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: web}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {role}}}
subjects: [{{kind: ServiceAccount, name: {account}}}]"""


@check(
    "role-missing",
    "error",
    what="A RoleBinding or ClusterRoleBinding gives a role that does not exist.",
    why="It grants nothing: the subject's requests are forbidden.",
    wrong=_binding("raeder", "web"),
    right=_binding("reader", "web"),
)
def role_exists(graph: Graph) -> Iterator[Problem]:
    """Look up roles; a ClusterRole may be the cluster's own, so its absence is a warning."""
    known = declared(graph)
    for binding in graph.of_kind("RoleBinding", "ClusterRoleBinding"):
        reference = mapping(binding.data.get("roleRef"))
        kind, name = text(reference.get("kind")), literal(reference.get("name"))
        if binding.group != _RBAC or not name or name in _ROLES or name.startswith("system:"):
            continue
        if kind == "ClusterRole":
            found, severity = known.cluster_wide(_RBAC, kind, name), "warning"
        else:
            found = known.find(_RBAC, "Role", name, binding)
            # kube-system has Roles of the cluster's own.
            system = stated_namespace(binding) in {"kube-system", "kube-public"}
            severity = "warning" if system else known.severity(binding.namespace)
        if found is None:
            remedy = "declare it or correct the name"
            yield Problem(binding, "roleRef.name", f"there is no {kind} {name}", remedy, _as(severity))


def _as(severity: str) -> Severity:
    return "error" if severity == "error" else "warning"


@check(
    "subject-missing",
    "error",
    what="A binding names a ServiceAccount that does not exist in a namespace of the set.",
    why="It grants nothing to the pods it was written for: their requests are forbidden.",
    wrong=_binding("reader", "wbe"),
    right=_binding("reader", "web"),
)
def subject_exists(graph: Graph) -> Iterator[Problem]:
    """Look up ServiceAccounts where the set has others; elsewhere they are somebody else's."""
    known = declared(graph)
    homes = {stated_namespace(each) for each in graph.of_kind("ServiceAccount")}
    for binding in graph.of_kind("RoleBinding", "ClusterRoleBinding"):
        if binding.group != _RBAC:
            continue
        for index, subject in enumerate(items(binding.data.get("subjects"))):
            name = literal(dig(subject, "name"))
            if dig(subject, "kind") != "ServiceAccount" or not name or name == "default":
                continue
            namespace = literal(dig(subject, "namespace"))
            path = f"subjects[{index}]"
            if not namespace and binding.kind == "ClusterRoleBinding":
                if known.kustomized:
                    continue  # it fills in the namespace
                wrong = f"ServiceAccount {name} has no namespace"
                yield Problem(binding, path, wrong, "state its namespace: the API server refuses this")
                continue
            place = namespace or stated_namespace(binding)
            if place == "kube-system" or known.find(CORE, "ServiceAccount", name, binding, place):
                continue
            if place not in homes or known.operator_makes(place, name):
                continue
            where = f" in namespace {place}" if place else ""
            wrong = f"there is no ServiceAccount {name}{where}"
            severity = known.severity(place or "default")
            yield Problem(binding, path, wrong, "declare it or correct the name", severity)


@check(
    "priority-class-missing",
    "warning",
    what="A pod's priorityClassName is no PriorityClass of the set.",
    why="Unless the cluster has it, the API server refuses the pods.",
    wrong="apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {priorityClassName: urgent}",
    right="apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {priorityClassName: system-node-critical}",
)
def priority_class_exists(graph: Graph) -> Iterator[Problem]:
    """Look up priority classes; every cluster has those that begin with system-."""
    for pods in graph.pod_templates:
        name = literal(pods.spec.get("priorityClassName"))
        if name and not name.startswith("system-"):
            if declared(graph).cluster_wide("scheduling.k8s.io", "PriorityClass", name):
                continue
            wrong = f"the set declares no PriorityClass {name}"
            yield Problem(
                pods.owner, pods.path("spec", "priorityClassName"), wrong, "declare it or correct the name"
            )


@check(
    "storage-class-missing",
    "warning",
    what="A claim's storageClassName is neither in the set nor one that common clusters bring along.",
    why="Unless the cluster has it, the claim and its pods stay Pending.",
    wrong="""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: fast}""",
    right="""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: fast}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: ebs.csi.aws.com""",
)
def storage_class_exists(graph: Graph) -> Iterator[Problem]:
    """Look up storage classes; a volume of the same class in the set is as good."""
    offered = {literal(volume.spec.get("storageClassName")) for volume in graph.of_kind("PersistentVolume")}
    offered |= _STORAGE_CLASSES | {""}
    for owner, path, spec in _claims(graph):
        name = literal(dig(spec, "storageClassName"))
        if name in offered or declared(graph).cluster_wide("storage.k8s.io", "StorageClass", name):
            continue
        wrong = f"the set declares no StorageClass {name}"
        yield Problem(owner, f"{path}.storageClassName", wrong, "declare it or correct the name")


def _claims(graph: Graph) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    for claim in graph.of_kind("PersistentVolumeClaim"):
        yield claim, "spec", claim.spec
    for pods in graph.pod_templates:
        for index, claim in enumerate(items(pods.owner.spec.get("volumeClaimTemplates"))):
            yield pods.owner, f"spec.volumeClaimTemplates[{index}].spec", mapping(dig(claim, "spec"))
        for index, volume in enumerate(items(pods.spec.get("volumes"))):
            template = dig(volume, "ephemeral", "volumeClaimTemplate", "spec")
            if template:
                path = pods.path("spec", "volumes", index, "ephemeral", "volumeClaimTemplate", "spec")
                yield pods.owner, path, mapping(template)


_CERTIFICATE = """
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: ca}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web}
spec: {secretName: web, issuerRef: {name: NAME}}"""


@check(
    "issuer-missing",
    "error",
    what="A Certificate, Ingress or Gateway asks an Issuer that does not exist in its namespace.",
    why="No certificate is issued: the Secret never appears, and pods that mount it never start.",
    wrong=_CERTIFICATE.replace("NAME", "ac"),
    right=_CERTIFICATE.replace("NAME", "ca"),
)
def issuer_exists(graph: Graph) -> Iterator[Problem]:
    """Look up issuers; a ClusterIssuer may be the cluster's own, so its absence is a warning."""
    known = declared(graph)
    for each in graph.of_kind("Certificate", "Ingress", "Gateway"):
        for path, kind, name in _issuers(each):
            if kind == "ClusterIssuer":
                found, severity = known.cluster_wide("cert-manager.io", kind, name), "warning"
            else:
                found = known.find("cert-manager.io", kind, name, each)
                severity = known.severity(each.namespace)
            if found is None:
                yield Problem(
                    each, path, f"there is no {kind} {name}", "declare it or correct the name", _as(severity)
                )


def _issuers(each: Resource) -> Iterator[tuple[str, str, str]]:
    if each.kind == "Certificate":
        reference = mapping(each.spec.get("issuerRef"))
        kind, name = text(reference.get("kind")) or "Issuer", literal(reference.get("name"))
        ours = text(reference.get("group")) in {"", "cert-manager.io"}
        if each.group == "cert-manager.io" and ours and name and kind in {"Issuer", "ClusterIssuer"}:
            yield "spec.issuerRef", kind, name
        return
    if each.annotations.get("cert-manager.io/issuer-group", "cert-manager.io") != "cert-manager.io":
        return
    for field, kind in (("issuer", "Issuer"), ("cluster-issuer", "ClusterIssuer")):
        if name := literal(each.annotations.get(f"cert-manager.io/{field}")):
            yield f"metadata.annotations[cert-manager.io/{field}]", kind, name


_EXTERNAL = """
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: vault, namespace: shop}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: web, namespace: shop}
spec: {secretStoreRef: {name: NAME}}"""


@check(
    "secret-store-missing",
    "error",
    what="An ExternalSecret reads from a SecretStore that does not exist in its namespace.",
    why="The Secret is never made, and pods that need it never start.",
    wrong=_EXTERNAL.replace("NAME", "valt"),
    right=_EXTERNAL.replace("NAME", "vault"),
)
def secret_store_exists(graph: Graph) -> Iterator[Problem]:
    """Look up stores; a ClusterSecretStore may be the cluster's own, so its absence is a warning."""
    known, group = declared(graph), "external-secrets.io"
    for each in graph.of_kind("ExternalSecret"):
        reference = mapping(each.spec.get("secretStoreRef"))
        kind, name = text(reference.get("kind")) or "SecretStore", literal(reference.get("name"))
        if not name or each.group != group or kind not in {"SecretStore", "ClusterSecretStore"}:
            continue
        if kind == "ClusterSecretStore":
            found, severity = known.cluster_wide(group, kind, name), "warning"
        else:
            found, severity = known.find(group, kind, name, each), "error"
        if found is None:
            remedy = "declare it or correct the name"
            wrong = f"there is no {kind} {name}"
            yield Problem(each, "spec.secretStoreRef", wrong, remedy, _as(severity))


_SCALED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}}"""

# Where each autoscaler names what it scales, and the kind that it means when it names none.
_TARGETS = {
    ("autoscaling", "HorizontalPodAutoscaler"): ("scaleTargetRef", ""),
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"): ("targetRef", ""),
    ("keda.sh", "ScaledObject"): ("scaleTargetRef", "Deployment"),
}
_SCALABLE = {
    "Deployment": "apps",
    "StatefulSet": "apps",
    "ReplicaSet": "apps",
    "DaemonSet": "apps",
    "ReplicationController": CORE,
    "CronJob": "batch",
    "Job": "batch",
}


@check(
    "hpa-target-missing",
    "error",
    what="An autoscaler (HPA, VPA, KEDA) scales an object that does not exist.",
    why="Nothing is scaled: it reports FailedGetScale and waits.",
    wrong=_SCALED.replace("NAME", "wbe"),
    right=_SCALED.replace("NAME", "web"),
)
def scaled_object_exists(graph: Graph) -> Iterator[Problem]:
    """Look up targets; of a kind that Kubernetes does not know, only in a set that has such objects."""
    known = declared(graph)
    for each in graph.of_kind("HorizontalPodAutoscaler", "VerticalPodAutoscaler", "ScaledObject"):
        if (each.group, each.kind) not in _TARGETS:
            continue
        field, default = _TARGETS[each.group, each.kind]
        target = mapping(each.spec.get(field))
        kind, name = text(target.get("kind")) or default, literal(target.get("name"))
        group, slash, _ = text(target.get("apiVersion")).rpartition("/")
        group = group if slash or kind not in _SCALABLE else _SCALABLE[kind]
        if not name or known.find(group, kind, name, each):
            continue
        if kind not in _SCALABLE and not any(may_make_objects(other) for other in graph.of_kind(kind)):
            continue
        if known.operator_makes(stated_namespace(each), name):
            continue
        yield Problem(
            each,
            f"spec.{field}",
            f"there is no {kind} {name} of {text(target.get('apiVersion')) or 'that kind'}",
            "correct apiVersion, kind and name",
            known.severity(each.namespace),
        )
