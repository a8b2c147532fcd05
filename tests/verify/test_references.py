import json

import pytest

from tests.verify.cases import errors, found
from traversion.verify import CHECKS

OURS = {
    identifier
    for identifier, check in CHECKS.items()
    if check.group in {"references", "references_cluster", "references_network", "unused"}
}


def pod(container: str = "", spec: str = "", metadata: str = "name: web") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{{metadata}}}
spec:
  containers:
    - name: web
      image: nginx:1.27
{container}
{spec}"""


def uses(reference: str) -> str:
    return pod(f"      envFrom: [{reference}]")


def key(kind: str, name: str, wanted: str, more: str = "") -> str:
    source = f"{kind}KeyRef: {{name: {name}, key: {wanted}{more}}}"
    return pod(f"      env: [{{name: A, valueFrom: {{{source}}}}}]")


def documents(*texts: str) -> str:
    return "\n---\n".join(texts)


def simple(api: str, kind: str, name: str, rest: str = "", namespace: str = "") -> str:
    place = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}{place}}}\n{rest}"


CERT = "cert-manager.io/v1"
STORE = "external-secrets.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
MOUNT = "      volumeMounts: [{name: v, mountPath: /v}]"
FILE = "      volumeMounts: [{name: v, mountPath: /v/a.conf, subPath: a.conf}]"


def volume(source: str, mount: str = MOUNT) -> str:
    return pod(mount, f"  volumes: [{{name: v, {source}}}]")


CONFIG = simple("v1", "ConfigMap", "conf", "data: {a.conf: x}")


@pytest.mark.parametrize(
    ("identifier", "manifests"),
    [
        ("configmap-missing", uses("{configMapRef: {name: conf}}")),
        ("configmap-missing", volume("configMap: {name: conf}")),
        ("configmap-missing", volume("projected: {sources: [{configMap: {name: conf}}]}")),
        (
            "configmap-missing",
            documents(uses("{configMapRef: {name: conf}}"), simple("v1", "Secret", "conf")),
        ),
        ("configmap-key-missing", documents(CONFIG, key("configMap", "conf", "b.conf"))),
        (
            "configmap-key-missing",
            documents(CONFIG, volume("configMap: {name: conf, items: [{key: b, path: b}]}")),
        ),
        (
            "configmap-key-missing",
            documents(CONFIG.replace("a.conf", "b.conf"), volume("configMap: {name: conf}", FILE)),
        ),
        ("configmap-key-missing", key("configMap", "kube-root-ca.crt", "ca.pem")),
        ("secret-undeclared", uses("{secretRef: {name: keys}}")),
        ("secret-undeclared", pod(spec="  imagePullSecrets: [{name: registry}]")),
        ("secret-undeclared", simple("v1", "ServiceAccount", "web", "imagePullSecrets: [{name: registry}]")),
        (
            "secret-undeclared",
            documents(
                uses("{secretRef: {name: keys}}"),
                simple(STORE, "ExternalSecret", "keys", "spec: {target: {creationPolicy: Merge}}"),
            ),
        ),
        (
            "secret-undeclared",
            simple(
                "networking.k8s.io/v1",
                "Ingress",
                "web, annotations: {nginx.ingress.kubernetes.io/auth-secret: users}",
            ),
        ),
        (
            "secret-undeclared",
            simple(CERT, "Issuer", "ca", "spec: {ca: {secretName: ca}}"),
        ),
        (
            "secret-key-missing",
            documents(
                key("secret", "keys", "B"),
                simple(STORE, "ExternalSecret", "keys", "spec: {data: [{secretKey: A}]}"),
            ),
        ),
        (
            "secret-key-missing",
            documents(
                key("secret", "keys", "A"),
                simple(
                    STORE,
                    "ExternalSecret",
                    "keys",
                    "spec: {data: [{secretKey: A}], target: {template: {data: {URL: x}}}}",
                ),
            ),
        ),
        (
            "secret-key-missing",
            documents(
                key("secret", "tls", "tls.pem"),
                simple(CERT, "Certificate", "web", "spec: {secretName: tls}"),
            ),
        ),
        ("claim-missing", volume("persistentVolumeClaim: {claimName: data}")),
        ("service-account-missing", pod(spec="  serviceAccountName: web")),
        ("service-account-missing", pod(spec="  serviceAccount: web")),
        ("volume-missing", pod(MOUNT)),
        ("volume-unused", volume("emptyDir: {}", "")),
        ("role-missing", simple(RBAC, "ClusterRoleBinding", "a", "roleRef: {kind: ClusterRole, name: b}")),
        ("role-missing", simple(RBAC, "RoleBinding", "a", "roleRef: {kind: Role, name: b}")),
        (
            "subject-missing",
            simple(RBAC, "ClusterRoleBinding", "a", "subjects: [{kind: ServiceAccount, name: b}]"),
        ),
        ("priority-class-missing", pod(spec="  priorityClassName: urgent")),
        (
            "storage-class-missing",
            simple("v1", "PersistentVolumeClaim", "a", "spec: {storageClassName: traversion-ssd}"),
        ),
        (
            "issuer-missing",
            simple(CERT, "Certificate", "a", "spec: {issuerRef: {kind: ClusterIssuer, name: b}}"),
        ),
        (
            "secret-store-missing",
            simple(STORE, "ExternalSecret", "a", "spec: {secretStoreRef: {name: b}}"),
        ),
        (
            "hpa-target-missing",
            simple("keda.sh/v1alpha1", "ScaledObject", "a", "spec: {scaleTargetRef: {name: b}}"),
        ),
        (
            "hpa-target-missing",
            documents(
                simple("apps/v1", "Deployment", "web"),
                simple(
                    "autoscaling/v2",
                    "HorizontalPodAutoscaler",
                    "a",
                    "spec: {scaleTargetRef: {apiVersion: extensions/v1beta1, kind: Deployment, name: web}}",
                ),
            ),
        ),
        (
            "webhook-service-missing",
            simple(
                "admissionregistration.k8s.io/v1",
                "ValidatingWebhookConfiguration",
                "a",
                "webhooks: [{clientConfig: {service: {name: b, namespace: default}}}]",
            ),
        ),
    ],
)
def test_finds(identifier: str, manifests: str) -> None:
    assert identifier in found(manifests)


SUPPLIED = json.dumps(json.dumps({"keys": ["A"]}))


@pytest.mark.parametrize(
    "manifests",
    [
        pytest.param(uses("{configMapRef: {name: conf, optional: true}}"), id="optional envFrom"),
        pytest.param(key("secret", "keys", "A", ", optional: true"), id="optional key"),
        pytest.param(volume("secret: {secretName: keys, optional: true}"), id="optional volume"),
        pytest.param(volume("configMap: {name: kube-root-ca.crt}"), id="made in every namespace"),
        pytest.param(uses("{configMapRef: {name: $(CONFIG)}}"), id="a template"),
        pytest.param(
            documents(
                key("secret", "keys", "B"),
                simple(STORE, "ExternalSecret", "keys", "spec: {dataFrom: [{extract: {key: a}}]}"),
            ),
            id="keys of dataFrom are unknown",
        ),
        pytest.param(
            documents(
                key("secret", "keys", "A"),
                simple(
                    STORE, "ExternalSecret", "other", "spec: {target: {name: keys}, data: [{secretKey: A}]}"
                ),
            ),
            id="named by its target",
        ),
        pytest.param(
            documents(
                key("secret", "keys", "A"),
                simple("bitnami.com/v1alpha1", "SealedSecret", "keys", "spec: {encryptedData: {A: x}}"),
            ),
            id="a SealedSecret",
        ),
        pytest.param(
            documents(
                key("secret", "tls", "keystore.p12"),
                simple(
                    CERT,
                    "Certificate",
                    "web",
                    "spec: {secretName: tls, keystores: {pkcs12: {create: true}}}",
                ),
            ),
            id="a keystore",
        ),
        pytest.param(
            documents(
                key("secret", "token", "token"),
                simple(
                    "v1",
                    "Secret",
                    "token, annotations: {kubernetes.io/service-account.name: default}",
                    "type: kubernetes.io/service-account-token",
                ),
            ),
            id="a token Secret",
        ),
        pytest.param(
            documents(
                pod(
                    "      env: [{name: A, valueFrom: {secretKeyRef: {name: keys, key: A}}}]",
                    metadata="name: web, namespace: shop",
                ),
                simple(
                    "v1",
                    "Namespace",
                    f"shop, annotations: {{verify.traversion.io/supplied-secrets: {SUPPLIED}}}",
                ),
            ),
            id="supplied by people",
        ),
        pytest.param(
            documents(
                uses("{secretRef: {name: runtime}}"),
                simple(
                    "kustomize.config.k8s.io/v1beta1",
                    "Kustomization",
                    "k",
                    "secretGenerator: [{name: runtime, literals: [a=b]}]",
                ),
            ),
            id="generated by kustomize",
        ),
        pytest.param(
            documents(
                volume("secret: {secretName: admission}"),
                simple(
                    "batch/v1",
                    "Job",
                    "create",
                    "spec: {template: {spec: {containers: [{args: [create, --secret-name=admission]}]}}}",
                ),
            ),
            id="made by a Job, as ingress-nginx does",
        ),
        pytest.param(
            documents(
                uses("{secretRef: {name: pg-app}}"),
                simple("postgresql.cnpg.io/v1", "Cluster", "pg", "spec: {instances: 3}"),
            ),
            id="made by an operator",
        ),
        pytest.param(
            documents(
                simple("v1", "ServiceAccount", "admin-user", namespace="kube-system"),
                simple(
                    RBAC,
                    "ClusterRoleBinding",
                    "a",
                    "roleRef: {kind: ClusterRole, name: cluster-admin}\n"
                    "subjects: [{kind: ServiceAccount, name: admin-user, namespace: kube-system}]",
                ),
            ),
            id="an account for people",
        ),
        pytest.param(
            simple(
                RBAC,
                "RoleBinding",
                "a",
                "roleRef: {kind: ClusterRole, name: view}\n"
                "subjects: [{kind: ServiceAccount, name: prometheus-k8s, namespace: monitoring}]",
            ),
            id="an account of another set",
        ),
        pytest.param(
            simple("v1", "PersistentVolumeClaim", "a", 'spec: {storageClassName: ""}'),
            id="no class, on purpose",
        ),
        pytest.param(
            documents(
                volume("persistentVolumeClaim: {claimName: data-db-0}"),
                simple(
                    "apps/v1",
                    "StatefulSet",
                    "db",
                    "spec: {template: {spec: {containers: [{name: db, volumeMounts: [{name: data}]}]}},"
                    " volumeClaimTemplates: [{metadata: {name: data}}]}",
                ),
            ),
            id="the claim of a StatefulSet's first pod",
        ),
        pytest.param(
            documents(
                pod(metadata="name: web, namespace: shop", spec="  serviceAccountName: web"),
                simple("v1", "ServiceAccount", "web"),
            ),
            id="a namespace left to kubectl",
        ),
        pytest.param(
            documents(
                pod(),
                simple("v1", "ConfigMap", "board, labels: {grafana_dashboard: '1'}"),
            ),
            id="read by Grafana's sidecar",
        ),
        pytest.param(
            documents(
                pod("      args: [--configmap=$(POD_NAMESPACE)/controller]"),
                simple("v1", "ConfigMap", "controller"),
            ),
            id="named by an argument",
        ),
    ],
)
def test_is_silent(manifests: str) -> None:
    assert not found(manifests) & OURS


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web, annotations: {{{annotations}}}}}
spec:
  tls: [{{hosts: [example.com], secretName: web-tls}}]
  rules:
    - host: example.com
      http:
        paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: {service}, port: {port}}}}}}}]
"""
SERVICE = simple("v1", "Service", "web", "spec: {ports: [{name: http, port: 80, targetPort: 8080}]}")


@pytest.mark.parametrize(
    ("service", "port", "expected"),
    [
        ("web", "{number: 80}", set()),
        ("web", "{name: http}", set()),
        ("web", "{number: 8080}", {"ingress-port-missing"}),
        ("web", "{name: web}", {"ingress-port-missing"}),
        ("wbe", "{number: 80}", {"ingress-backend-missing"}),
        ("ssl-redirect", "{name: use-annotation}", set()),
    ],
)
def test_ingress_backends(service: str, port: str, expected: set[str]) -> None:
    ingress = INGRESS.format(annotations="kubernetes.io/tls-acme: 'true'", service=service, port=port)
    assert {each for each in found(documents(SERVICE, ingress)) if each.startswith("ingress-")} & {
        "ingress-port-missing",
        "ingress-backend-missing",
    } == expected


def test_tls_secret_needs_a_maker() -> None:
    without = INGRESS.format(annotations="", service="web", port="{number: 80}")
    assert "tls-secret-missing" in found(documents(SERVICE, without))
    shimmed = INGRESS.format(annotations="cert-manager.io/issuer: ca", service="web", port="{number: 80}")
    assert "tls-secret-missing" not in found(documents(SERVICE, shimmed))
    opaque = simple("v1", "Secret", "web-tls", "stringData: {cert: x}")
    assert "tls-secret-missing" in errors(documents(SERVICE, without, opaque))


@pytest.mark.parametrize(
    ("replicas", "service", "expected", "is_error"),
    [
        (1, "none", "governing-service-missing", False),
        (3, "none", "governing-service-missing", True),
        (1, "web", "governing-service-not-headless", False),
    ],
)
def test_governing_services(replicas: int, service: str, expected: str, *, is_error: bool) -> None:
    stateful = simple(
        "apps/v1",
        "StatefulSet",
        "db",
        f"spec: {{replicas: {replicas}, serviceName: {service}, template: {{}}}}",
    )
    manifests = documents(SERVICE, stateful)
    assert expected in found(manifests)
    assert (expected in errors(manifests)) == is_error


def test_what_an_operator_may_make_is_no_error() -> None:
    missing = uses("{configMapRef: {name: conf}}")
    assert "configmap-missing" in errors(missing)
    beside = simple("example.com/v1", "Database", "db", "spec: {}")
    assert "configmap-missing" not in errors(documents(missing, beside))


POD_SHAPE = """
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  serviceAccountName: ODD
  imagePullSecrets: ODD
  containers: [{env: ODD, envFrom: ODD, volumeMounts: ODD, args: ODD}, ODD]
  volumes: [{name: ODD, secret: ODD, configMap: ODD, projected: {sources: ODD}}, ODD]
"""
SHAPES = [
    POD_SHAPE,
    simple("networking.k8s.io/v1", "Ingress", "a, annotations: ODD", "spec: {tls: ODD, rules: ODD}"),
    simple("apps/v1", "StatefulSet", "a", "spec: {serviceName: ODD, volumeClaimTemplates: ODD}"),
    simple(STORE, "ExternalSecret", "a", "spec: {target: ODD, data: ODD, secretStoreRef: ODD}"),
    simple(CERT, "Certificate", "a", "spec: {secretName: ODD, issuerRef: ODD, keystores: ODD}"),
    simple(RBAC, "RoleBinding", "a", "roleRef: ODD\nsubjects: ODD"),
]


@pytest.mark.parametrize("odd", ["null", "3", "[]", "{}", "[null]", "[[]]", "{a: [1]}", "x", "true"])
@pytest.mark.parametrize("shape", SHAPES)
def test_wrong_types_raise_nothing(shape: str, odd: str) -> None:
    found(shape.replace("ODD", odd))
