"""Single faults: each spoils one good object in one place, and names the check that has to find it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.manifests import Manifest

WORKLOADS = ("Deployment", "StatefulSet")


@dataclass(frozen=True)
class Fault:
    """``spoil`` changes the manifests, or returns False where the chosen object offers nothing to spoil."""

    check: str
    what: str
    spoil: Callable[[list[Manifest], Random], bool]


FAULTS: list[Fault] = []

Spoil = Callable[[list[Manifest], Random], bool]


def fault(check: str, what: str) -> Callable[[Spoil], Spoil]:
    def register(spoil: Spoil) -> Spoil:
        FAULTS.append(Fault(check, what, spoil))
        return spoil

    return register


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def template(manifest: Manifest) -> Manifest:
    spec = manifest["spec"]
    found: Manifest = (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]
    return found


def containers(manifests: list[Manifest]) -> Iterator[Manifest]:
    for each in of_kind(manifests, *WORKLOADS, "Job", "CronJob"):
        yield from template(each)["spec"]["containers"]


def one(random: Random, candidates: Sequence[Any]) -> Any:  # noqa: ANN401 # whatever was offered
    return random.choice(candidates) if candidates else None


# Identity and order.


@fault("duplicate-object", "another object of the same name")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, of_kind(manifests, "Service", "ConfigMap", *WORKLOADS))
    manifests.append({**chosen, "metadata": {**chosen["metadata"], "annotations": {"other": "yes"}}})
    return True


@fault("namespace-missing", "a namespace that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "NetworkPolicy", "PodDisruptionBudget"))["metadata"]["namespace"] = (
        "elsewhere"
    )
    return True


@fault("namespace-on-cluster-scoped", "a namespace on a cluster-scoped object")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "PriorityClass", "StorageClass", "ClusterRole"))["metadata"][
        "namespace"
    ] = "x"
    return True


@fault("order-namespace", "the Namespace comes last")
def _(manifests: list[Manifest], random: Random) -> bool:
    del random
    manifests.append(manifests.pop(0))
    return True


# References.


@fault("configmap-missing", "a ConfigMap volume of another name")
def _(manifests: list[Manifest], random: Random) -> bool:
    volumes = [
        v for each in of_kind(manifests, *WORKLOADS) for v in template(each)["spec"].get("volumes", [])
    ]
    one(random, [volume for volume in volumes if "configMap" in volume])["configMap"]["name"] = "misspelt"
    return True


@fault("secret-key-missing", "a key that the Secret does not have")
def _(manifests: list[Manifest], random: Random) -> bool:
    variables = [v for each in containers(manifests) for v in each.get("env", [])]
    secret = [v["valueFrom"]["secretKeyRef"] for v in variables if "secretKeyRef" in v.get("valueFrom", {})]
    one(random, secret)["key"] = "misspelt"
    return True


@fault("secret-undeclared", "a Secret that nothing makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    variables = [v for each in containers(manifests) for v in each.get("env", [])]
    secret = [v["valueFrom"]["secretKeyRef"] for v in variables if "secretKeyRef" in v.get("valueFrom", {})]
    one(random, secret)["name"] = "misspelt"
    return True


@fault("claim-missing", "a claim that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    pod = template(random.choice(of_kind(manifests, *WORKLOADS, "Job", "CronJob")))["spec"]
    claim = {"name": "misspelt", "persistentVolumeClaim": {"claimName": "misspelt"}}
    pod["volumes"] = [*pod.get("volumes", []), claim]
    pod["containers"][0].setdefault("volumeMounts", []).append({"name": "misspelt", "mountPath": "/misspelt"})
    return True


@fault("service-account-missing", "an account that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    template(one(random, of_kind(manifests, *WORKLOADS)))["spec"]["serviceAccountName"] = "misspelt"
    return True


@fault("role-missing", "a role that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    own = [
        each for each in of_kind(manifests, "RoleBinding") if not each["roleRef"]["name"].startswith("ext")
    ]
    one(random, own)["roleRef"]["name"] = "misspelt"
    return True


@fault("subject-missing", "a subject that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "RoleBinding", "ClusterRoleBinding"))["subjects"][0]["name"] = "misspelt"
    return True


@fault("priority-class-missing", "a priority that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    pods = [template(each)["spec"] for each in of_kind(manifests, *WORKLOADS)]
    one(random, [spec for spec in pods if "priorityClassName" in spec])["priorityClassName"] = "misspelt"
    return True


@fault("storage-class-missing", "a class that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, of_kind(manifests, "StatefulSet"))
    chosen["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = "misspelt"
    return True


@fault("issuer-missing", "an issuer that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "Certificate"))["spec"]["issuerRef"]["name"] = "misspelt"
    return True


@fault("hpa-target-missing", "an autoscaler of nothing")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "HorizontalPodAutoscaler"))["spec"]["scaleTargetRef"]["name"] = "misspelt"
    return True


@fault("ingress-backend-missing", "a backend that nobody makes")
def _(manifests: list[Manifest], random: Random) -> bool:
    rule = one(random, of_kind(manifests, "Ingress"))["spec"]["rules"][0]
    one(random, rule["http"]["paths"])["backend"]["service"]["name"] = "misspelt"
    return True


@fault("ingress-port-missing", "a port that the backend does not have")
def _(manifests: list[Manifest], random: Random) -> bool:
    rule = one(random, of_kind(manifests, "Ingress"))["spec"]["rules"][0]
    one(random, rule["http"]["paths"])["backend"]["service"]["port"] = {"number": 1}
    return True


@fault("volume-missing", "a mount without a volume")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, [each for each in containers(manifests) if each.get("volumeMounts")])["volumeMounts"][0][
        "name"
    ] = "no"
    return True


@fault("governing-service-missing", "a StatefulSet without its Service")
def _(manifests: list[Manifest], random: Random) -> bool:
    # Of one pod, nobody needs the names that it gives: a warning, and still found.
    one(random, of_kind(manifests, "StatefulSet"))["spec"]["serviceName"] = "misspelt"
    return True


@fault("configmap-unused", "a ConfigMap for nobody")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, of_kind(manifests, "ConfigMap"))
    metadata = {**chosen["metadata"], "name": "for-nobody"}
    manifests.append({**chosen, "metadata": metadata})
    return True


# Selectors.


@fault("selector-template-mismatch", "a template without the selector's labels")
def _(manifests: list[Manifest], random: Random) -> bool:
    template(one(random, of_kind(manifests, *WORKLOADS)))["metadata"]["labels"].pop("app.kubernetes.io/name")
    return True


@fault("service-selects-nothing", "a Service whose selector is misspelt")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "Service"))["spec"]["selector"]["app.kubernetes.io/name"] = "misspelt"
    return True


@fault("budget-selects-nothing", "a budget whose selector is misspelt")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, of_kind(manifests, "PodDisruptionBudget"))
    chosen["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = "misspelt"
    return True


@fault("policy-selects-nothing", "a policy whose selector is misspelt")
def _(manifests: list[Manifest], random: Random) -> bool:
    policies = [each for each in of_kind(manifests, "NetworkPolicy") if each["spec"]["podSelector"]]
    own = [p for p in policies if "app.kubernetes.io/name" in p["spec"]["podSelector"]["matchLabels"]]
    one(random, own)["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] = "misspelt"
    return True


@fault("target-port-closed", "a targetPort that nobody opens")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "Service"))["spec"]["ports"][0]["targetPort"] = "misspelt"
    return True


# Capacity.


@fault("quota-exceeded", "a quota below the maximum")
def _(manifests: list[Manifest], random: Random) -> bool:
    hard = one(random, of_kind(manifests, "ResourceQuota"))["spec"]["hard"]
    key = one(random, ["limits.cpu", "limits.memory", "pods", "requests.cpu", "requests.memory"])
    hard[key] = {"pods": "3"}.get(key, "1")
    return True


@fault("pdb-blocks-eviction", "a budget that allows nothing")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "PodDisruptionBudget"))["spec"]["maxUnavailable"] = 0
    return True


@fault("replicas-beside-hpa", "replicas beside an autoscaler")
def _(manifests: list[Manifest], random: Random) -> bool:
    del random
    (app,) = [
        each for each in of_kind(manifests, "Deployment") if each["metadata"]["name"] == "traversion-app"
    ]
    app["spec"]["replicas"] = 3
    return True


@fault("request-over-limit", "a request above its limit")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, list(containers(manifests)))["resources"]["requests"]["memory"] = "900Gi"
    return True


@fault("db-connections", "pools larger than the server")
def _(manifests: list[Manifest], random: Random) -> bool:
    del random
    for each in of_kind(manifests, "ConfigMap"):
        if "DB_MAX_CONNECTIONS" in each["data"]:
            each["data"]["DB_MAX_CONNECTIONS"] = "500"
    return True


# Storage.


@fault("claim-template-default", "a claim template without a class")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, of_kind(manifests, "StatefulSet"))
    chosen["spec"]["volumeClaimTemplates"][0]["spec"].pop("storageClassName")
    return True


@fault("claim-access-mode", "a disk for many nodes")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, of_kind(manifests, "StatefulSet"))
    chosen["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"] = ["ReadWriteMany"]
    return True


@fault("binding-immediate", "a disk bound before its pod")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "StorageClass"))["volumeBindingMode"] = "Immediate"
    return True


@fault("provisioner-in-tree", "a provisioner that is gone")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "StorageClass"))["provisioner"] = "kubernetes.io/gce-pd"
    return True


@fault("volume-unwritable", "a volume that its user cannot write")
def _(manifests: list[Manifest], random: Random) -> bool:
    template(one(random, of_kind(manifests, "StatefulSet")))["spec"]["securityContext"].pop("fsGroup")
    return True


# Pods.


@fault("pod-security-restricted", "a container with less than restricted")
def _(manifests: list[Manifest], random: Random) -> bool:
    context = one(random, list(containers(manifests)))["securityContext"]
    context.pop(one(random, ["allowPrivilegeEscalation", "capabilities"]))
    return True


@fault("pod-security-baseline", "a privileged container")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, list(containers(manifests)))["securityContext"]["privileged"] = True
    return True


@fault("token-unused", "a token that nothing needs")
def _(manifests: list[Manifest], random: Random) -> bool:
    names = {"traversion-app", "timescaledb", "redis", "grafana", "alertmanager"}
    chosen = [each for each in of_kind(manifests, *WORKLOADS) if each["metadata"]["name"] in names]
    template(one(random, chosen))["spec"]["automountServiceAccountToken"] = True
    return True


@fault("rbac-escalation", "a role that may do anything")
def _(manifests: list[Manifest], random: Random) -> bool:
    one(random, of_kind(manifests, "Role", "ClusterRole"))["rules"][0].update(
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    )
    return True


@fault("credential-literal", "a password in the open")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, list(containers(manifests)))
    chosen.setdefault("env", []).append({"name": "ADMIN_PASSWORD", "value": "kX9vQ2mT7rB4nL8s"})
    return True


@fault("placeholder", "a value that was never filled in")
def _(manifests: list[Manifest], random: Random) -> bool:
    data = one(random, of_kind(manifests, "ConfigMap"))["data"]
    data["ADDED"] = "REPLACE_WITH_YOUR_VALUE"
    return True


@fault("image-mutable", "an image by a tag that moves")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, list(containers(manifests)))
    chosen["image"] = chosen["image"].rpartition(":")[0] + one(random, ["", ":latest"])
    return True


# Probes and lifecycle.


@fault("probe-port", "a probe of a port that is closed")
def _(manifests: list[Manifest], random: Random) -> bool:
    found = [each["readinessProbe"] for each in containers(manifests) if "readinessProbe" in each]
    one(random, [probe for probe in found if "httpGet" in probe])["httpGet"]["port"] = "misspelt"
    return True


@fault("probe-never-fails", "a probe that always succeeds")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, [each for each in containers(manifests) if "livenessProbe" in each])
    chosen["livenessProbe"] = {"exec": {"command": ["/bin/sh", "-c", "redis-cli ping || true"]}}
    return True


@fault("probe-variable", "a probe that hopes for $(VARIABLE)")
def _(manifests: list[Manifest], random: Random) -> bool:
    secret = [
        (each, variable["name"])
        for each in containers(manifests)
        for variable in each.get("env", [])
        if "readinessProbe" in each and "valueFrom" in variable
    ]
    chosen, name = one(random, secret)
    chosen["readinessProbe"] = {"exec": {"command": ["redis-cli", "-a", f"$({name})", "ping"]}}
    return True


@fault("prestop-grace", "a hook longer than the pod may take")
def _(manifests: list[Manifest], random: Random) -> bool:
    chosen = one(random, of_kind(manifests, *WORKLOADS))
    grace = template(chosen)["spec"]["terminationGracePeriodSeconds"]
    lifecycle = {"preStop": {"exec": {"command": ["sleep", str(grace + 5)]}}}
    template(chosen)["spec"]["containers"][0]["lifecycle"] = lifecycle
    return True


# Network.


@fault("policy-one-sided", "one side of a flow is missing")
def _(manifests: list[Manifest], random: Random) -> bool:
    names = ("allow-redis", "allow-timescaledb", "allow-prometheus")
    policies = [each for each in of_kind(manifests, "NetworkPolicy") if each["metadata"]["name"] in names]
    one(random, policies)["spec"].pop("ingress")
    return True


@fault("policy-peer-dead", "a peer that nobody is")
def _(manifests: list[Manifest], random: Random) -> bool:
    rules = [rule for each in of_kind(manifests, "NetworkPolicy") for rule in each["spec"].get("ingress", [])]
    pods = [peer for rule in rules for peer in rule["from"] if "podSelector" in peer]
    one(random, pods)["podSelector"]["matchLabels"] = {"app": "misspelt"}
    return True


@fault("policy-port-closed", "a port that the pods do not open")
def _(manifests: list[Manifest], random: Random) -> bool:
    policies = [each for each in of_kind(manifests, "NetworkPolicy") if each["spec"].get("ingress")]
    own = [each for each in policies if "solver" not in each["metadata"]["name"]]
    one(random, own)["spec"]["ingress"][0]["ports"][0]["port"] = 1
    return True


@fault("policy-metadata", "the metadata address, reachable")
def _(manifests: list[Manifest], random: Random) -> bool:
    rules = [rule for each in of_kind(manifests, "NetworkPolicy") for rule in each["spec"].get("egress", [])]
    blocks = [peer["ipBlock"] for rule in rules for peer in rule["to"] if "ipBlock" in peer]
    one(random, [block for block in blocks if block["cidr"] == "0.0.0.0/0"]).pop("except")
    return True


# Edge.


@fault("nginx-annotation-unknown", "an annotation that the controller does not have")
def _(manifests: list[Manifest], random: Random) -> bool:
    annotations = one(random, of_kind(manifests, "Ingress"))["metadata"]["annotations"]
    annotations["nginx.ingress.kubernetes.io/websocket-services"] = "traversion-service"
    return True


@fault("nginx-annotation-value", "a timeout with a unit")
def _(manifests: list[Manifest], random: Random) -> bool:
    annotations = one(random, of_kind(manifests, "Ingress"))["metadata"]["annotations"]
    annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] = "60s"
    return True


@fault("grafana-basic-auth", "two log-ins at one header")
def _(manifests: list[Manifest], random: Random) -> bool:
    del random
    by_name = {
        each["metadata"]["name"]: each["metadata"]["annotations"] for each in of_kind(manifests, "Ingress")
    }
    auth = {k: v for k, v in by_name["traversion-monitoring-ingress"].items() if "/auth-" in k}
    by_name["traversion-grafana-ingress"].update(auth)
    return True


@fault("cors-credentials", "any origin, with credentials")
def _(manifests: list[Manifest], random: Random) -> bool:
    del random
    for each in of_kind(manifests, "Ingress"):
        if "nginx.ingress.kubernetes.io/enable-cors" in each["metadata"]["annotations"]:
            each["metadata"]["annotations"]["nginx.ingress.kubernetes.io/cors-allow-origin"] = "*"
    return True


@fault("ingress-host-tls", "a host without a certificate")
def _(manifests: list[Manifest], random: Random) -> bool:
    host = one(random, of_kind(manifests, "Ingress"))["spec"]["rules"][0]["host"]
    for each in of_kind(manifests, "Ingress"):
        if each["spec"]["rules"][0]["host"] == host:
            each["spec"]["tls"][0]["hosts"] = ["other.company.com"]
    return True


@fault("tls-host", "the certificate of another host")
def _(manifests: list[Manifest], random: Random) -> bool:
    secret = one(random, of_kind(manifests, "Ingress"))["spec"]["tls"][0]["secretName"]
    for each in of_kind(manifests, "Certificate"):
        if each["spec"]["secretName"] == secret:
            each["spec"]["dnsNames"] = ["www.company.com"]
    return True


@fault("backend-name", "a name that the pods' certificate does not bear")
def _(manifests: list[Manifest], random: Random) -> bool:
    name = "nginx.ingress.kubernetes.io/proxy-ssl-name"
    verified = [each for each in of_kind(manifests, "Ingress") if name in each["metadata"]["annotations"]]
    chosen = one(random, verified)
    chosen["metadata"]["annotations"][name] = chosen["spec"]["rules"][0]["host"]
    return True


@fault("nginx-auth", "half of a log-in")
def _(manifests: list[Manifest], random: Random) -> bool:
    del random
    (chosen,) = [each for each in of_kind(manifests, "Ingress") if "monitoring" in each["metadata"]["name"]]
    chosen["metadata"]["annotations"].pop("nginx.ingress.kubernetes.io/auth-secret")
    return True
