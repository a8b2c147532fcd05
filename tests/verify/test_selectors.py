import pytest

from tests.verify.cases import errors, found

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers:
    - name: web
      image: nginx:1.27
      ports: [{name: http, containerPort: 80}, {containerPort: 53, protocol: UDP}]
"""


def documents(*texts: str) -> str:
    return "\n---\n".join(texts)


def selecting(kind: str, spec: str, api: str = "v1", namespace: str = "shop") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: web, namespace: {namespace}}}\nspec: {spec}\n"


def controller(name: str, selector: str, labels: str, kind: str = "Deployment", more: str = "") -> str:
    return f"""
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {selector}
  template: {{metadata: {{labels: {labels}}}, spec: {{containers: [{{name: a, image: "redis:7.4.1"}}]}}}}
{more}"""


def service(selector: str, ports: str = "[{port: 80}]", namespace: str = "shop") -> str:
    return selecting("Service", f"{{selector: {selector}, ports: {ports}}}", namespace=namespace)


POLICY = "networking.k8s.io/v1"
OPERATOR = "apiVersion: example.com/v1\nkind: Database\nmetadata: {name: db, namespace: shop}\n"


@pytest.mark.parametrize(
    ("identifier", "manifests"),
    [
        ("selector-template-mismatch", controller("a", "{matchLabels: {app: a}}", "{app: b}")),
        ("selector-template-mismatch", controller("a", "{}", "{app: b}")),
        (
            "selector-template-mismatch",
            controller("a", "{matchExpressions: [{key: app, operator: In, values: [a]}]}", "{app: b}"),
        ),
        (
            "selector-overlap",
            documents(
                controller("a", "{matchLabels: {app: x}}", "{app: x}"),
                controller("b", "{matchLabels: {app: x}}", "{app: x}", "StatefulSet"),
            ),
        ),
        ("selector-changes", controller("a", "{matchLabels: {tag: 7.4.1}}", "{tag: 7.4.1}")),
        ("selector-changes", controller("a", "{matchLabels: {date: '20260101'}}", "{date: '20260101'}")),
        (
            "selector-changes",
            controller(
                "a",
                "{matchLabels: {app: a}}",
                "{app: a}",
                "StatefulSet",
                "  volumeClaimTemplates: [{metadata: {name: d, labels: {helm.sh/chart: redis-1.2.3}}}]",
            ),
        ),
        ("service-selects-nothing", documents(POD, service("{app: site}"))),
        ("service-selects-nothing", documents(POD, service("{app: web}", namespace="other"))),
        (
            "budget-selects-nothing",
            documents(
                POD, selecting("PodDisruptionBudget", "{selector: {matchLabels: {app: x}}}", "policy/v1")
            ),
        ),
        (
            "policy-selects-nothing",
            documents(POD, selecting("NetworkPolicy", "{podSelector: {matchLabels: {app: x}}}", POLICY)),
        ),
        ("target-port-closed", documents(POD, service("{app: web}", "[{port: 80, targetPort: web}]"))),
        ("target-port-closed", documents(POD, service("{app: web}", "[{port: 8080}]"))),
        ("target-port-closed", documents(POD, service("{app: web}", "[{port: 80, protocol: UDP}]"))),
        (
            "target-port-closed",
            documents(POD, service("{app: web}", "[{port: 1, targetPort: http, protocol: UDP}]")),
        ),
        (
            "monitor-selects-nothing",
            documents(
                POD,
                selecting("PodMonitor", "{selector: {matchLabels: {app: x}}}", "monitoring.coreos.com/v1"),
            ),
        ),
        (
            "monitor-port-missing",
            documents(
                POD,
                selecting(
                    "PodMonitor",
                    "{selector: {matchLabels: {app: web}}, podMetricsEndpoints: [{port: metrics}]}",
                    "monitoring.coreos.com/v1",
                ),
            ),
        ),
    ],
)
def test_finds(identifier: str, manifests: str) -> None:
    assert identifier in found(manifests)


OURS = {
    "selector-template-mismatch",
    "selector-overlap",
    "selector-changes",
    "service-selects-nothing",
    "budget-selects-nothing",
    "policy-selects-nothing",
    "target-port-closed",
    "monitor-selects-nothing",
    "monitor-port-missing",
}


@pytest.mark.parametrize(
    "manifests",
    [
        pytest.param(documents(POD, service("{app: web}")), id="selected"),
        pytest.param(service("{app: web}"), id="a set without pods"),
        pytest.param(
            documents(POD, selecting("Service", "{type: ExternalName, externalName: a.b, selector: {a: b}}")),
            id="ExternalName",
        ),
        pytest.param(documents(POD, selecting("Service", "{ports: [{port: 5432}]}")), id="endpoints by hand"),
        pytest.param(
            documents(POD, service("{app: web, role: master}"), service("{app: web, spilo-role: replica}")),
            id="labels that Patroni sets at run time",
        ),
        pytest.param(
            documents(POD, service("{app: web, statefulset.kubernetes.io/pod-name: web-0}")),
            id="one pod of a StatefulSet",
        ),
        pytest.param(
            documents(
                POD, selecting("Service", "{clusterIP: None, selector: {app: web}, ports: [{port: 9999}]}")
            ),
            id="a headless Service translates no ports",
        ),
        pytest.param(
            documents(
                POD.replace("ports:", "ignored:"),
                service("{app: web}", "[{port: 8080}]"),
            ),
            id="a pod that declares no ports",
        ),
        pytest.param(
            documents(POD, service("{k8s-app: kube-controller-manager}", namespace="kube-system")),
            id="pods of the cluster itself",
        ),
        pytest.param(
            documents(
                POD,
                selecting(
                    "NetworkPolicy",
                    "{podSelector: {matchLabels: {acme.cert-manager.io/http01-solver: 'true'}}}",
                    POLICY,
                ),
            ),
            id="cert-manager's solver",
        ),
        pytest.param(
            documents(POD, selecting("NetworkPolicy", "{podSelector: {}}", POLICY)), id="all pods there are"
        ),
        pytest.param(
            controller(
                "reviews-v1", "{matchLabels: {app: reviews, version: v1}}", "{app: reviews, version: v1}"
            ),
            id="a controller for each version",
        ),
        pytest.param(
            documents(
                controller("a", "{matchLabels: {app: x, track: stable}}", "{app: x, track: stable}"),
                controller("b", "{matchLabels: {app: x, track: canary}}", "{app: x, track: canary}"),
            ),
            id="stable and canary",
        ),
        pytest.param(
            controller("a", "{matchLabels: {app: a, release: prod}}", "{app: a, release: prod}"),
            id="a Helm release",
        ),
        pytest.param(
            documents(
                service("{app: web}"),
                selecting(
                    "ServiceMonitor",
                    "{selector: {matchLabels: {a: b}}, namespaceSelector: {matchNames: [kube-system]}}",
                    "monitoring.coreos.com/v1",
                ),
            ),
            id="a monitor of another set's Services",
        ),
    ],
)
def test_is_silent(manifests: str) -> None:
    assert not found(manifests) & OURS


@pytest.mark.parametrize(
    ("identifier", "manifests"),
    [
        ("service-selects-nothing", documents(POD, OPERATOR, service("{app: site}"))),
        ("service-selects-nothing", documents(POD, service("{app: web}", namespace="other"))),
        ("target-port-closed", documents(POD, service("{app: web}", "[{port: 8080}]"))),
    ],
)
def test_is_a_warning_where_others_may_explain_it(identifier: str, manifests: str) -> None:
    assert identifier in found(manifests) - errors(manifests)


def test_an_overlap_is_an_error_for_what_an_autoscaler_measures() -> None:
    pair = documents(
        controller("a", "{matchLabels: {app: x}}", "{app: x}"),
        controller("b", "{matchLabels: {app: x}}", "{app: x}"),
    )
    assert "selector-overlap" in found(pair) - errors(pair)
    scaler = selecting(
        "HorizontalPodAutoscaler", "{scaleTargetRef: {kind: Deployment, name: a}}", "autoscaling/v2"
    )
    assert "selector-overlap" in errors(documents(pair, scaler))


@pytest.mark.parametrize("odd", ["null", "3", "[]", "{}", "[null]", "{a: [1]}", "{a: {b: c}}", "x", "true"])
@pytest.mark.parametrize(
    "kind", ["Service", "NetworkPolicy", "PodDisruptionBudget", "ServiceMonitor", "Deployment"]
)
def test_wrong_types_raise_nothing(kind: str, odd: str) -> None:
    api = {"NetworkPolicy": POLICY, "Deployment": "apps/v1", "ServiceMonitor": "monitoring.coreos.com/v1"}
    fields = ("selector", "podSelector", "ports", "template", "endpoints", "namespaceSelector")
    spec = ", ".join(f"{field}: {odd}" for field in fields)
    found(documents(POD, selecting(kind, f"{{{spec}}}", api.get(kind, "v1")), service(odd, odd)))
