import pytest

from tests.verify.cases import errors, found

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}, namespace: {}}}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
ISSUER = "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: acme}\n"
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop, annotations: {cert-manager.io/cluster-issuer: acme}}
"""
KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [web.yaml]\n"
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Shop, plural: shops}}
"""
SHOP = "apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: web}\n"


def documents(*texts: str) -> str:
    return "\n---\n".join(texts)


def config(name: str = "web", namespace: str = "shop") -> str:
    return CONFIG.format(name, namespace)


@pytest.mark.parametrize(
    ("identifier", "manifests"),
    [
        ("duplicate-object", documents(config(), config() + "data: {A: '1'}")),
        ("duplicate-object", documents(config(), config())),
        ("name-missing", "apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: b}}"),
        ("name-missing", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: null}"),
        ("namespace-missing", documents(NAMESPACE, config(namespace="shpo"))),
        (
            "namespace-unstated",
            documents(NAMESPACE, config(), "apiVersion: v1\nkind: Pod\nmetadata: {name: web}"),
        ),
        (
            "namespace-on-cluster-scoped",
            "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: a, namespace: shop}",
        ),
        (
            "namespace-on-cluster-scoped",
            documents(DEFINITION, SHOP.replace("name: web", "name: web, namespace: shop")),
        ),
        ("order-namespace", documents(config(), config("other"), NAMESPACE)),
        ("order-crd", documents(SHOP, DEFINITION)),
        ("order-issuer", documents(NAMESPACE, INGRESS, ISSUER)),
    ],
)
def test_finds(identifier: str, manifests: str) -> None:
    assert identifier in found(manifests)


@pytest.mark.parametrize(
    "manifests",
    [
        pytest.param(documents(config(), config(namespace="other")), id="one name in two namespaces"),
        pytest.param(
            documents(config(), config().replace("ConfigMap", "ServiceAccount")), id="one name, two kinds"
        ),
        pytest.param(
            documents(*["apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: load-}"] * 2),
            id="names that the server makes",
        ),
        pytest.param(
            "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration", id="a component's file"
        ),
        pytest.param(documents(NAMESPACE, config(namespace="kube-system")), id="a built-in namespace"),
        pytest.param(config(namespace="elsewhere"), id="a set without namespaces"),
        pytest.param(
            documents(NAMESPACE, *(f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {n}}}" for n in "ab")),
            id="applied with --namespace",
        ),
        pytest.param(documents(NAMESPACE, DEFINITION, SHOP, ISSUER, INGRESS), id="in order"),
        pytest.param(
            "apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: a, namespace: b}", id="an unknown kind"
        ),
    ],
)
def test_is_silent(manifests: str) -> None:
    assert not {each for each in found(manifests) if each.startswith(("dupl", "name", "order"))}


def test_a_late_namespace_is_reported_once() -> None:
    assert found(documents(*(config(name) for name in "abc"), NAMESPACE)) & {"order-namespace"}


def test_kustomize_sorts_and_patches() -> None:
    manifests = documents(KUSTOMIZATION, config(), config() + "data: {A: '1'}", NAMESPACE)
    assert "order-namespace" in found(manifests)
    assert not {"order-namespace", "duplicate-object"} & errors(manifests)


def test_an_exact_copy_is_no_error() -> None:
    assert "duplicate-object" not in errors(documents(config(), config()))
    assert "duplicate-object" in errors(documents(config(), config() + "data: {A: '1'}"))
