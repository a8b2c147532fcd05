"""Whatever an object names exists, selects what it means, and belongs to its environment."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.manifests import (
    CLUSTER_SCOPED,
    Manifest,
    Synthesis,
    Workload,
    find,
    identity,
    mentions,
    names,
    of_kind,
    selects,
    workload,
    workloads,
)
from tests.variants import VARIANTS

SYNTHESES = ("dev", "production", "staging", *VARIANTS)
LABEL = "app.kubernetes.io/"


@pytest.fixture(scope="session", params=SYNTHESES)
def synthesis(
    request: pytest.FixtureRequest,
    syntheses: Mapping[str, Synthesis],
    variants: Callable[[str], Synthesis],
) -> Synthesis:
    name: str = request.param
    return syntheses[name] if name in syntheses else variants(name)


@pytest.fixture(scope="session")
def objects(synthesis: Synthesis) -> list[Manifest]:
    return synthesis.manifests


def test_names_are_unique(objects: list[Manifest]) -> None:
    counted = Counter(
        (
            manifest["apiVersion"],
            manifest["kind"],
            manifest["metadata"].get("namespace"),
            manifest["metadata"]["name"],
        )
        for manifest in objects
    )
    assert not [identity for identity, number in counted.items() if number > 1]


def test_objects_are_labelled(objects: list[Manifest]) -> None:
    (namespace,) = of_kind(objects, "Namespace")
    instance = namespace["metadata"]["labels"][f"{LABEL}instance"]
    templates = [each.template for each in workloads(objects)]
    for manifest in (*objects, *templates):
        labels = manifest["metadata"]["labels"]
        assert labels.keys() >= {f"{LABEL}name", f"{LABEL}component"}, manifest["metadata"]
        assert labels[f"{LABEL}part-of"] == "traversion"
        assert labels[f"{LABEL}managed-by"] == "cdk8s"
        assert labels[f"{LABEL}instance"] == instance
    for each in workloads(objects):
        image = each.containers[0]["image"].partition("@")[0]
        assert each.labels[f"{LABEL}version"] == image.rpartition(":")[2]


def test_objects_stand_in_their_namespace(objects: list[Manifest]) -> None:
    (namespace,) = names(objects, "Namespace")
    elsewhere: list[tuple[str, str, str]] = []
    for manifest in objects:
        metadata = manifest["metadata"]
        if manifest["kind"] in CLUSTER_SCOPED:
            assert "namespace" not in metadata
        elif metadata["namespace"] != namespace:
            elsewhere.append(
                (manifest["kind"], metadata["namespace"], manifest.get("roleRef", {}).get("name", ""))
            )
    # What an aggregated API may read there, and nothing more.
    assert elsewhere in ([], [("RoleBinding", "kube-system", "extension-apiserver-authentication-reader")])


def test_what_all_environments_share_tells_them_apart(synthesis: Synthesis) -> None:
    for manifest in synthesis.manifests:
        name = manifest["metadata"]["name"]
        shared = (
            manifest["kind"] in CLUSTER_SCOPED
            or manifest["metadata"]["namespace"] != synthesis.platform.namespace
        )
        if shared and manifest["kind"] != "APIService":  # its name is the API's, so one environment has it
            assert synthesis.platform.instance in name or synthesis.platform.namespace in name, identity(
                manifest
            )


def test_environments_share_no_object(manifests: Mapping[str, list[Manifest]]) -> None:
    counted = Counter(
        (manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        for each in manifests.values()
        for manifest in each
    )
    assert not [identity for identity, number in counted.items() if number > 1]


def test_selectors_match_their_own_pods_and_no_others(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        if each.kind in {"Deployment", "StatefulSet"}:
            selector = each.manifest["spec"]["selector"]
            assert set(selector["matchLabels"]) == {f"{LABEL}name", f"{LABEL}component", f"{LABEL}instance"}
            assert [other.name for other in workloads(objects) if selects(selector, other.labels)] == [
                each.name
            ]


def test_services_lead_to_an_open_port_of_one_workload(objects: list[Manifest]) -> None:
    for service in of_kind(objects, "Service"):
        selector = {"matchLabels": service["spec"]["selector"]}
        (target,) = (each for each in workloads(objects) if selects(selector, each.labels))
        for port in service["spec"]["ports"]:
            name = port["targetPort"]
            assert name in target.ports or name in target.ports.values(), identity(service)


def test_budgets_and_autoscalers_have_their_target(objects: list[Manifest]) -> None:
    for budget in of_kind(objects, "PodDisruptionBudget"):
        selector = budget["spec"]["selector"]
        assert len([each for each in workloads(objects) if selects(selector, each.labels)]) == 1
    for scaler in of_kind(objects, "HorizontalPodAutoscaler", "VerticalPodAutoscaler"):
        spec = scaler["spec"]
        target = spec.get("scaleTargetRef") or spec["targetRef"]
        assert find(objects, target["kind"], target["name"])["apiVersion"] == target["apiVersion"]


def test_probes_ask_an_open_port(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        for container in each.containers:
            opened = {port["name"] for port in container.get("ports", [])}
            opened |= {port["containerPort"] for port in container.get("ports", [])}
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = container.get(kind, {})
                for action in ("httpGet", "tcpSocket"):
                    if action in probe:
                        assert probe[action]["port"] in opened, f"{container['name']} {kind}"


def test_what_a_pod_names_exists(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        assert each.spec["serviceAccountName"] in names(objects, "ServiceAccount")
        assert each.config_maps <= names(objects, "ConfigMap")
        if "priorityClassName" in each.spec:
            assert each.spec["priorityClassName"] in names(objects, "PriorityClass")
        for volume in each.spec.get("volumes", []):
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in names(objects, "PersistentVolumeClaim")
        if each.kind == "StatefulSet":
            governing = find(objects, "Service", each.manifest["spec"]["serviceName"])
            assert governing["spec"]["clusterIP"] == "None"
            assert selects({"matchLabels": governing["spec"]["selector"]}, each.labels)


def test_nothing_is_left_over(objects: list[Manifest]) -> None:
    """Every ConfigMap is read, every account runs something."""
    read = {name for each in workloads(objects) for name in each.config_maps}
    for ingress in of_kind(objects, "Ingress"):
        headers = ingress["metadata"]["annotations"].get("nginx.ingress.kubernetes.io/custom-headers")
        read |= {headers.partition("/")[2]} if headers else set()
    collected = {
        each["metadata"]["name"]
        for each in of_kind(objects, "ConfigMap")
        if "grafana_dashboard" in each["metadata"]["labels"]
    }
    assert read | collected == names(objects, "ConfigMap")
    assert not read & collected
    assert {each.spec["serviceAccountName"] for each in workloads(objects)} == names(
        objects, "ServiceAccount"
    )
    classes = {each.spec.get("priorityClassName") for each in workloads(objects)}
    assert names(objects, "PriorityClass") <= classes


def test_every_key_of_a_secret_is_one_that_somebody_makes(synthesis: Synthesis) -> None:
    made = {
        credential.secret: set(credential.sources) for credential in synthesis.platform.credentials.declared
    }
    assert len(made) == len(synthesis.platform.credentials.declared), "a Secret declared twice"
    for certificate in of_kind(synthesis.manifests, "Certificate"):
        made[certificate["spec"]["secretName"]] = {"tls.crt", "tls.key", "ca.crt"}
    for each in workloads(synthesis.manifests):
        for secret, key in each.secret_keys:
            assert secret in made, f"{each.name} reads Secret {secret}"
            assert key in (*made[secret], "*"), f"{each.name} reads {key} of Secret {secret}"
    for ingress in of_kind(synthesis.manifests, "Ingress"):
        secret = ingress["metadata"]["annotations"].get("nginx.ingress.kubernetes.io/auth-secret")
        if secret:
            assert "auth" in made[secret]


def test_no_secret_is_made_in_vain(synthesis: Synthesis) -> None:
    read = {secret for each in workloads(synthesis.manifests) for secret, _ in each.secret_keys}
    read |= {
        ingress["metadata"]["annotations"].get(f"nginx.ingress.kubernetes.io/{name}", "").rpartition("/")[2]
        for ingress in of_kind(synthesis.manifests, "Ingress")
        for name in ("auth-secret", "proxy-ssl-secret")
    }
    read |= {name for issuer in of_kind(synthesis.manifests, "Issuer") for name in secrets_of_solvers(issuer)}
    assert {credential.secret for credential in synthesis.platform.credentials.declared} <= read


def scratch_disks(each: Workload) -> list[Manifest]:
    """Volumes that live and die with the pod."""
    return [volume for volume in each.spec.get("volumes", []) if "ephemeral" in volume]


def secrets_of_solvers(issuer: Manifest) -> Iterator[str]:
    """Name what an issuer proves a domain with."""
    for solver in issuer["spec"].get("acme", {}).get("solvers", []):
        for provider in solver.get("dns01", {}).values():
            yield from (value["name"] for key, value in provider.items() if key.endswith("SecretRef"))


def test_storage_classes_exist_or_are_the_clusters(synthesis: Synthesis) -> None:
    made = names(synthesis.manifests, "StorageClass") or {"local-ssd"}
    claims = of_kind(synthesis.manifests, "PersistentVolumeClaim")
    for each in workloads(synthesis.manifests):
        claims = claims + each.manifest["spec"].get("volumeClaimTemplates", [])
        claims = claims + [volume["ephemeral"]["volumeClaimTemplate"] for volume in scratch_disks(each)]
    assert {claim["spec"]["storageClassName"] for claim in claims} == made


def test_certificates_name_their_service_and_have_an_issuer(objects: list[Manifest]) -> None:
    issuers = names(objects, "Issuer")
    (namespace,) = names(objects, "Namespace")
    for certificate in of_kind(objects, "Certificate"):
        spec = certificate["spec"]
        assert spec["issuerRef"]["name"] in issuers
        if spec.get("isCA"):
            assert len(spec["commonName"]) <= 64  # the longest that X.509 allows
            continue
        if not spec["issuerRef"]["name"].startswith("internal-ca"):
            continue  # of a public host
        if spec["usages"] == ["digital signature", "client auth"]:
            assert spec["commonName"] in names(objects, "ServiceAccount")  # whom it identifies
            continue
        services = {name.partition(".")[0] for name in spec["dnsNames"]} & names(objects, "Service")
        assert services
        for service in services:
            for suffix in ("", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.cluster.local"):
                assert f"{service}{suffix}" in spec["dnsNames"]
    authorities = {certificate["spec"]["secretName"] for certificate in of_kind(objects, "Certificate")}
    for issuer in of_kind(objects, "Issuer"):
        assert issuer["spec"].get("ca", {}).get("secretName") in (None, *authorities)


def test_ingresses_lead_to_a_port_of_a_service(objects: list[Manifest]) -> None:
    for ingress in of_kind(objects, "Ingress"):
        (tls,) = ingress["spec"]["tls"]
        assert tls["hosts"] == [rule["host"] for rule in ingress["spec"]["rules"]]
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = find(objects, "Service", backend["name"])["spec"]["ports"]
                assert backend["port"]["name"] in {port["name"] for port in ports}
        (host,) = tls["hosts"]
        certificate = find(objects, "Certificate", tls["secretName"])["spec"]
        assert certificate["secretName"] == tls["secretName"]
        assert set(certificate["dnsNames"]) & {host, f"*.{host.partition('.')[2]}"}


def test_roles_are_bound_to_accounts_that_exist(objects: list[Manifest]) -> None:
    provided = {"system:auth-delegator", "extension-apiserver-authentication-reader"}
    roles = names(objects, "Role") | names(objects, "ClusterRole") | provided
    for binding in of_kind(objects, "RoleBinding", "ClusterRoleBinding"):
        assert binding["roleRef"]["name"] in roles
        for subject in binding["subjects"]:
            account = find(objects, "ServiceAccount", subject["name"])
            assert account["metadata"]["namespace"] == subject["namespace"]


def test_the_aggregated_api_is_verified(objects: list[Manifest]) -> None:
    for api in of_kind(objects, "APIService"):
        assert not api["spec"].get("insecureSkipTLSVerify")
        namespace, _, secret = api["metadata"]["annotations"]["cert-manager.io/inject-ca-from"].partition("/")
        certificate = find(objects, "Certificate", secret)
        assert certificate["metadata"]["namespace"] == namespace
        service = api["spec"]["service"]
        assert f"{service['name']}.{service['namespace']}.svc" in certificate["spec"]["dnsNames"]
        ports = find(objects, "Service", service["name"])["spec"]["ports"]
        assert service["port"] in {port["port"] for port in ports}


def test_hosts_that_programs_call_are_services(objects: list[Manifest]) -> None:
    """``DB_HOST`` and the like: a name in a variable is easy to miss when a Service is renamed."""
    services = names(objects, "Service")
    for each in workloads(objects):
        for container in each.containers:
            variables = each.variables(objects, container["name"])
            for name in ("DB_HOST", "PGHOST"):
                assert variables.get(name) in (None, *services), f"{each.name} {name}"
    # The API reaches Redis through the proxy in its pod.
    api = workload(objects, "traversion").variables(objects, "traversion")
    assert (api["REDIS_HOST"], api["REDIS_PORT"]) == ("127.0.0.1", "6379")
    proxy = find(objects, "ConfigMap", "traversion-tls-proxy")["data"]["nginx.conf"]
    assert re.findall(r"listen (127\S+).*;\n\s*proxy_pass ([\w-]+):(\d+);", proxy) == [
        ("127.0.0.1:6379", "redis-service", "6379")
    ]
    assert "redis-service" in services
    for config in of_kind(objects, "ConfigMap"):
        if config["metadata"]["name"] == "prometheus-config":
            for path in mentions(config, "alertmanager-service:"):
                assert "alertmanager-service" in services, path


def test_the_autoscalers_metric_is_the_one_that_the_adapter_serves(objects: list[Manifest]) -> None:
    (scaler,) = of_kind(objects, "HorizontalPodAutoscaler")
    wanted = {
        metric["pods"]["metric"]["name"] for metric in scaler["spec"]["metrics"] if metric["type"] == "Pods"
    }
    adapters = [each for each in workloads(objects) if each.component == "prometheus-adapter"]
    assert bool(wanted) == bool(adapters)
    if wanted:
        config = find(objects, "ConfigMap", "prometheus-adapter-config")["data"]["config.yaml"]
        assert all(name in config for name in wanted)


def test_data_is_never_pruned(objects: list[Manifest]) -> None:
    def is_kept(manifest: Manifest) -> bool:
        options = manifest["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-options", "")
        return {"Prune=false", "Delete=false"} <= set(options.split(","))

    data = of_kind(objects, "Namespace", "StatefulSet", "PersistentVolumeClaim")
    for manifest in data:
        assert is_kept(manifest), identity(manifest)
        for template in manifest.get("spec", {}).get("volumeClaimTemplates", []):
            assert is_kept(template), identity(manifest)
    scratch = {
        volume["ephemeral"]["volumeClaimTemplate"]["spec"]["storageClassName"]
        for each in workloads(objects)
        for volume in scratch_disks(each)
    }
    for storage in of_kind(objects, "StorageClass"):
        temporary = storage["metadata"]["name"] in scratch
        assert storage["reclaimPolicy"] == ("Delete" if temporary else "Retain")
    for each in of_kind(objects, "StatefulSet"):
        policy = each["spec"].get("persistentVolumeClaimRetentionPolicy", {})
        assert "Delete" not in policy.values()


def test_the_schema_job_comes_before_the_pods_that_rely_on_it(objects: list[Manifest]) -> None:
    (schema,) = (job for job in of_kind(objects, "Job"))
    annotations = schema["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/hook"] == "Sync"
    wave = "argocd.argoproj.io/sync-wave"
    waves = {
        each.name: int(each.manifest["metadata"].get("annotations", {}).get(wave, 0))
        for each in workloads(objects)
    }
    assert waves["traversion-app"] > int(annotations.get(wave, 0))
    assert {name for name, number in waves.items() if number} == {"traversion-app"}


def test_operators_find_the_names_that_they_type(production: list[Manifest]) -> None:
    expected = {
        "Deployment": {"traversion-app"},
        "StatefulSet": {"timescaledb", "redis", "prometheus", "grafana", "alertmanager"},
        "Ingress": {"traversion-ingress", "traversion-monitoring-ingress"},
        "Service": {
            "traversion-service",
            "timescaledb-service",
            "redis-service",
            "prometheus-service",
            "grafana-service",
            "alertmanager-service",
        },
    }
    for kind, wanted in expected.items():
        assert wanted <= names(production, kind)
    assert [container["name"] for container in workload(production, "traversion").containers] == [
        "traversion",
        "tls-proxy",
    ]
    credentials = workload(production, "traversion").variables(production, "traversion")
    assert credentials["DB_NAME"] == "traversion"
