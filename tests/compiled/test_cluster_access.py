"""What each ServiceAccount may do, asked of the server's own RBAC. Whoever is not listed may do nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

import pytest

from tests.compiled.control_plane import Cluster
from tests.manifests import Manifest, names, of_kind, workload, workloads

pytestmark = [pytest.mark.compiled, pytest.mark.daemon, pytest.mark.slow]

Written = Mapping[str, Sequence[Manifest]]
ENVIRONMENTS = ("dev", "production", "staging")
RBAC = "rbac.authorization.k8s.io"
OWN, ELSEWHERE, CLUSTER = "(own)", "default", ""


@dataclass(frozen=True)
class Deed:
    """A verb on ``resource.group/subresource``, in the own namespace, in another or in the cluster."""

    verb: str
    resource: str
    namespace: str = OWN
    name: str = ""

    def review(self, user: str, own: str) -> Manifest:
        """Ask the server about it."""
        resource, _, subresource = self.resource.partition("/")
        resource, _, group = resource.partition(".")
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": user,
                "groups": groups_of(user),
                "resourceAttributes": {
                    "verb": self.verb,
                    "resource": resource,
                    "group": group,
                    "subresource": subresource,
                    "namespace": own if self.namespace == OWN else self.namespace,
                    "name": self.name,
                },
            },
        }


def groups_of(user: str) -> list[str]:
    namespace = user.split(":")[2]
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]


def deeds(verbs: str, *resources: str, namespace: str = OWN) -> set[Deed]:
    return {Deed(verb, resource, namespace) for verb in verbs.split() for resource in resources}


REVIEWS = deeds(
    "create",
    "tokenreviews.authentication.k8s.io",
    "subjectaccessreviews.authorization.k8s.io",
    namespace=CLUSTER,
)
REQUEST_HEADER = Deed("get", "configmaps", "kube-system", "extension-apiserver-authentication")

MAY: Mapping[str, set[Deed]] = {
    "prometheus": (
        deeds("get list watch", "pods")
        | deeds("get list watch", "nodes", namespace=CLUSTER)
        | deeds("get", "nodes/metrics", namespace=CLUSTER)
    ),
    "kube-state-metrics": deeds(
        "list watch",
        "persistentvolumeclaims",
        "pods",
        "resourcequotas",
        "deployments.apps",
        "statefulsets.apps",
        "horizontalpodautoscalers.autoscaling",
        "cronjobs.batch",
        "jobs.batch",
        "poddisruptionbudgets.policy",
        "certificates.cert-manager.io",
    )
    | deeds("list watch", "customresourcedefinitions.apiextensions.k8s.io", namespace=CLUSTER),
    "prometheus-adapter": deeds("get list watch", "pods") | REVIEWS | {REQUEST_HEADER},
}
"""By ServiceAccount."""

TEMPTATIONS = (
    deeds("get list watch create update patch delete", "secrets", "configmaps", "pods")
    | deeds("get create", "pods/exec", "pods/log", "pods/portforward")
    | deeds("create", "serviceaccounts/token", "pods/eviction")
    | deeds("get list watch", "services", "endpoints", "replicasets.apps", "ingresses.networking.k8s.io")
    | deeds("update patch", "deployments.apps", "statefulsets.apps", "deployments.apps/scale")
    | deeds("get list", "secrets", "pods", "configmaps", namespace=ELSEWHERE)
    | deeds("get list", "secrets", "pods", "configmaps", namespace="kube-system")
    | deeds("get list", "secrets", "pods", "namespaces", "nodes", namespace=CLUSTER)
    | deeds("get create", "nodes/proxy", "nodes/log", "nodes/stats", "nodes/metrics", namespace=CLUSTER)
    | deeds("update patch delete", "nodes", "namespaces", namespace=CLUSTER)
    | deeds("create bind escalate", f"roles.{RBAC}", f"rolebindings.{RBAC}")
    | deeds("impersonate", "users", "groups", "serviceaccounts", namespace=CLUSTER)
    | deeds("get list", "pods.metrics.k8s.io", "pods.custom.metrics.k8s.io/requests")
    | REVIEWS
    | {REQUEST_HEADER}
)
"""What somebody who took over a pod would try."""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_account_may_do_exactly_what_it_needs(
    cluster: Cluster, written: Written, environment: str
) -> None:
    (namespace,) = names(written[environment], "Namespace")
    accounts = names(written[environment], "ServiceAccount")
    questions = [
        (account, deed)
        for account in sorted(accounts)
        for deed in sorted(TEMPTATIONS.union(*MAY.values()), key=str)
    ]
    reviews = [deed.review(f"system:serviceaccount:{namespace}:{who}", namespace) for who, deed in questions]
    answers = cluster.created(reviews)
    for answer in answers:
        assert "evaluationError" not in answer["status"]
    may = [answer["status"]["allowed"] for answer in answers]
    assert set(compress(questions, may)) == {
        (account, deed) for account in accounts for deed in MAY.get(account, set())
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_account_has_any_other_rule(cluster: Cluster, written: Written, environment: str) -> None:
    """Whatever temptation was forgotten above: an unlisted account has the rules of anybody, no more."""
    (namespace,) = names(written[environment], "Namespace")

    def rules(account: str) -> str:
        user = f"system:serviceaccount:{namespace}:{account}"
        groups = [f"--as-group={group}" for group in groups_of(user)]
        return cluster.done("auth", "can-i", "--list", "-n", namespace, f"--as={user}", *groups)

    anybody = rules("anybody")
    accounts = names(written[environment], "ServiceAccount")
    assert {account for account in accounts if rules(account) != anybody} == accounts & MAY.keys()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_kube_state_metrics_may_watch_what_it_is_told_to(written: Written, environment: str) -> None:
    (container,) = workload(written[environment], "kube-state-metrics").containers
    (kinds,) = (
        argument.removeprefix("--resources=").split(",")
        for argument in container["args"]
        if argument.startswith("--resources=")
    )
    # Certificates it finds by its configuration of custom resources, and their definition with them.
    custom = {"certificates", "customresourcedefinitions"}
    watched = {deed.resource.partition(".")[0] for deed in MAY["kube-state-metrics"]}
    assert set(kinds) == watched - custom


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_only_they_hold_a_token(written: Written, environment: str) -> None:
    with_token = {
        each.spec["serviceAccountName"]
        for each in workloads(written[environment])
        if each.spec.get("automountServiceAccountToken", True)
    }
    assert with_token == MAY.keys() & names(written[environment], "ServiceAccount")


def test_the_autoscaler_may_read_the_metric_it_scales_on(cluster: Cluster, written: Written) -> None:
    (scaler,) = of_kind(written["production"], "HorizontalPodAutoscaler")
    (metric,) = (each["pods"]["metric"]["name"] for each in scaler["spec"]["metrics"] if "pods" in each)
    user = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
    deed = Deed("get", f"pods.custom.metrics.k8s.io/{metric}")
    review = deed.review(user, scaler["metadata"]["namespace"])
    (answer,) = cluster.created([review])
    assert answer["status"]["allowed"]
