"""What every pod promises: hardened, no token without need, probes with a meaning, rolled configuration."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.manifests import (
    Manifest,
    Synthesis,
    Workload,
    find,
    mentions,
    of_kind,
    strings,
    synthesize_environment,
    workload,
    workloads,
)
from tests.manifests import change as changed
from tests.variants import VARIANTS
from traversion.settings import Environment

SYNTHESES = ("dev", "production", "staging", *VARIANTS)


@pytest.fixture(scope="session", params=SYNTHESES)
def objects(
    request: pytest.FixtureRequest,
    manifests: Mapping[str, list[Manifest]],
    variants: Callable[[str], Synthesis],
) -> list[Manifest]:
    name: str = request.param
    return manifests[name] if name in manifests else variants(name).manifests


def violations_of_restricted(each: Workload) -> Iterator[str]:
    """Pod Security Standard "restricted", https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    spec, pod = each.spec, each.spec.get("securityContext", {})
    for field in ("hostNetwork", "hostPID", "hostIPC", "hostUsers"):
        if spec.get(field):
            yield field
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    for volume in spec.get("volumes", []):
        if not set(volume) - {"name"} <= allowed:
            yield f"volume {volume['name']}"
    if pod.get("sysctls"):
        yield "sysctls"
    for container in each.all_containers:
        own = container.get("securityContext", {})
        effective = {**pod, **own}
        facts = {
            "privileged": not own.get("privileged"),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
            "capabilities": own.get("capabilities", {}).get("drop") == ["ALL"]
            and not own["capabilities"].get("add"),
            "runAsNonRoot": effective.get("runAsNonRoot") is True,
            "runAsUser": effective.get("runAsUser", 0) > 0,
            "seccompProfile": effective.get("seccompProfile", {}).get("type")
            in {"RuntimeDefault", "Localhost"},
            "procMount": "procMount" not in own,
            "hostPort": not any("hostPort" in port for port in container.get("ports", [])),
        }
        yield from (f"{container['name']}: {fact}" for fact, holds in facts.items() if not holds)


def test_pods_are_restricted(objects: list[Manifest]) -> None:
    found = workloads(objects)
    assert len(found) > 8
    assert {each.name: list(violations_of_restricted(each)) for each in found} == {
        each.name: [] for each in found
    }


def test_the_namespace_enforces_it(objects: list[Manifest]) -> None:
    (namespace,) = of_kind(objects, "Namespace")
    for mode in ("enforce", "audit", "warn"):
        assert namespace["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] == "restricted"


def test_containers_cannot_write_their_image(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        for container in each.all_containers:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, container["name"]


def test_only_what_calls_the_api_server_gets_a_token(objects: list[Manifest]) -> None:
    bound = {
        subject["name"]
        for binding in of_kind(objects, "RoleBinding", "ClusterRoleBinding")
        for subject in binding["subjects"]
    }
    for account in of_kind(objects, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    for each in workloads(objects):
        spec = each.spec
        assert spec["automountServiceAccountToken"] is (spec["serviceAccountName"] in bound), each.name


def test_each_workload_has_an_account_of_its_own(objects: list[Manifest]) -> None:
    """Of a component, that is: the kinds of backup are one component."""
    accounts = {(each.spec["serviceAccountName"], each.component) for each in workloads(objects)}
    assert len(accounts) == len({account for account, _ in accounts}) == len({name for _, name in accounts})
    assert all(account == component for account, component in accounts)


def test_permissions_are_few(objects: list[Manifest]) -> None:
    for role in of_kind(objects, "Role", "ClusterRole"):
        for rule in role["rules"]:
            assert set(rule["verbs"]) <= {"get", "list", "watch"}, role["metadata"]["name"]
            resources = set(rule["resources"])
            assert not resources & {
                "secrets",
                "configmaps",
                "*",
                "nodes/proxy",
                "pods/exec",
                "serviceaccounts/token",
            }
            assert "*" not in rule["apiGroups"]
        if role["kind"] == "ClusterRole":
            # Prometheus scrapes nodes; kube-state-metrics asks which kinds of objects there are.
            assert {resource for rule in role["rules"] for resource in rule["resources"]} in (
                {"nodes", "nodes/metrics"},
                {"customresourcedefinitions"},
            )


def test_images_are_of_one_build(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        for container in each.all_containers:
            name, _, tag = container["image"].rpartition(":")
            assert name, container["image"]
            assert re.fullmatch(r"[\w.-]+|[0-9a-f]{64}", tag), container["image"]
            assert tag != "latest"


def test_containers_are_bounded(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        for container in each.all_containers:
            assert container["resources"].keys() >= {"requests", "limits"}
            for kind in ("requests", "limits"):
                assert set(container["resources"][kind]) == {"cpu", "memory"}, container["name"]
        for volume in each.spec.get("volumes", []):
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""}), volume["name"]


def test_services_do_not_leak_into_the_environment(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        assert each.spec["enableServiceLinks"] is False


def test_probes_cannot_contain_what_the_kubelet_does_not_expand(objects: list[Manifest]) -> None:
    kinds = ("startupProbe", "readinessProbe", "livenessProbe")
    for each in workloads(objects):
        for container in each.all_containers:
            for kind in kinds:
                assert not mentions(container.get(kind, {}), "$("), f"{container['name']} {kind}"


DISPENSABLE = {"backup-agent"}
"""Serves beside the server that the pod is there for, whose clients must not lose it with this one."""


def test_servers_are_probed(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        if each.kind in {"Job", "CronJob"}:
            continue
        for container in each.containers:
            if not container.get("ports"):
                continue
            if container["name"] in DISPENSABLE:
                assert "livenessProbe" in container
                assert "readinessProbe" not in container
                continue
            assert container.keys() >= {"readinessProbe", "livenessProbe"}, container["name"]
            patience = {
                kind: seconds_to_fail(container[kind]) for kind in ("readinessProbe", "livenessProbe")
            }
            assert patience["livenessProbe"] > patience["readinessProbe"], container["name"]


def seconds_to_fail(probe: Manifest) -> int:
    return int(probe["periodSeconds"] * probe["failureThreshold"])


def test_the_api_is_restarted_for_another_reason_than_it_is_unready(objects: list[Manifest]) -> None:
    container = workload(objects, "traversion").container("traversion")
    action = {
        kind: {
            key: container[kind][key] for key in ("httpGet", "tcpSocket", "exec") if key in container[kind]
        }
        for kind in ("readinessProbe", "livenessProbe")
    }
    assert action["livenessProbe"] != action["readinessProbe"]
    assert "httpGet" in action["readinessProbe"]
    assert "tcpSocket" in action["livenessProbe"]


def test_recovery_is_not_interrupted(objects: list[Manifest]) -> None:
    minutes = {"timescaledb": 60, "redis": 10, "prometheus": 15}
    recovering = [each for each in workloads(objects) if each.component in minutes]
    assert {each.component for each in recovering} >= {"timescaledb", "redis"}
    for each in recovering:
        probe = each.containers[0]["startupProbe"]
        assert seconds_to_fail(probe) >= minutes[each.component] * 60, each.component


def test_pods_leave_in_time(objects: list[Manifest]) -> None:
    container = workload(objects, "traversion").container("traversion")
    command = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    assert 5 <= int(command[1]) < workload(objects, "traversion").spec["terminationGracePeriodSeconds"]
    database = workload(objects, "timescaledb")
    stop = database.containers[0]["lifecycle"]["preStop"]["exec"]["command"]
    assert stop[:2] == ["pg_ctl", "stop"]
    assert int(stop[stop.index("--timeout") + 1]) < database.spec["terminationGracePeriodSeconds"]


def test_only_the_proxys_ports_are_open_to_others(objects: list[Manifest]) -> None:
    proxy = {
        port["name"]: port["containerPort"]
        for port in workload(objects, "traversion").container("tls-proxy")["ports"]
    }
    service = find(objects, "Service", "traversion-service")["spec"]["ports"]
    assert {port["port"] for port in service} <= {3333, 3334, 9090}
    assert {port["targetPort"] for port in service} <= proxy.keys()
    assert {port["appProtocol"] for port in service} == {"https"}
    rules = find(objects, "NetworkPolicy", "allow-traversion")["spec"]["ingress"]
    admitted = {port["port"] for rule in rules for port in rule["ports"]}
    assert admitted == {number for name, number in proxy.items() if name != "health"}


def test_the_api_can_write_where_it_does(objects: list[Manifest]) -> None:
    api = workload(objects, "traversion")
    mounts = {mount["mountPath"]: mount for mount in api.containers[0]["volumeMounts"]}
    empty = {volume["name"] for volume in api.spec["volumes"] if "emptyDir" in volume}
    for path in ("/tmp", "/app/.traversion", "/app/backups", "/app/exports"):
        assert mounts[path]["name"] in empty
        assert not mounts[path].get("readOnly")


def test_every_mount_has_its_volume(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        claims = {
            template["metadata"]["name"] for template in each.manifest["spec"].get("volumeClaimTemplates", [])
        }
        volumes = {volume["name"] for volume in each.spec.get("volumes", [])} | claims
        mounted = {
            mount["name"] for container in each.all_containers for mount in container.get("volumeMounts", [])
        }
        assert mounted == volumes, each.name
        for container in each.all_containers:
            paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(paths) == len(set(paths))


def test_secrets_are_mounted_for_the_group_alone(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        for volume in each.spec.get("volumes", []):
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o440, f"{each.name} {volume['name']}"


def test_no_argument_or_variable_holds_a_credential(objects: list[Manifest]) -> None:
    """Values come by reference; a URL never holds one."""
    secretive = re.compile(r"PASS|SECRET|TOKEN|_KEY$|AUTH$", re.IGNORECASE)
    harmless = {
        "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED",
        "GF_AUTH_GENERIC_OAUTH_TOKEN_URL",
        "GF_AUTH_GENERIC_OAUTH_USE_REFRESH_TOKEN",
    }
    for each in workloads(objects):
        for container in each.all_containers:
            words = [*container.get("command", []), *container.get("args", [])]
            assert not [word for word in words if re.search(r"--\w*(password|secret|token)=", word)]
            for variable in container.get("env", []):
                if secretive.search(variable["name"]) and variable["name"] not in harmless:
                    assert "secretKeyRef" in variable.get("valueFrom", {}), variable["name"]
    for manifest in objects:
        for path, text in strings(manifest):
            assert not re.search(r"\w+://[^/\s\"'@]*:[^/\s\"'@]*@", text), (
                f"{manifest['metadata']['name']}{path}"
            )


def test_config_maps_hold_no_credential(objects: list[Manifest]) -> None:
    for manifest in of_kind(objects, "ConfigMap"):
        for name, text in manifest["data"].items():
            found = re.findall(
                r"(?im)^\s*(?:requirepass|masterauth|password|\w*_secret|jwt\w*):?[ =]+\S+", text
            )
            allowed = ["password: $__env{TIMESCALEDB_PASSWORD}"]
            assert not [line for line in found if line.strip() not in allowed], name
            assert "PRIVATE KEY" not in text


def test_the_autoscaled_deployment_has_no_size_of_its_own(objects: list[Manifest]) -> None:
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = find(
            objects, scaler["spec"]["scaleTargetRef"]["kind"], scaler["spec"]["scaleTargetRef"]["name"]
        )
        assert "replicas" not in target["spec"]


def test_a_rollout_never_takes_a_pod_before_its_replacement_is_ready(objects: list[Manifest]) -> None:
    for each in workloads(objects):
        if each.kind == "Deployment":
            assert each.manifest["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, each.name


def test_drains_are_never_blocked(objects: list[Manifest]) -> None:
    for budget in of_kind(objects, "PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in budget["spec"]


CHANGES = {
    "domain": "example.org",
    "api.log_level": "warn",
    "api.replicas.maximum": 20,
    "database.resources.memory_limit": "32Gi",
    "database.event_retention": "100d",
    "redis.maxmemory_percent": 50,
    "observability.prometheus.scrape_interval": "30s",
    "observability.alertmanager.receivers.slack_channel": "#elsewhere",
}


def test_changed_configuration_rolls_the_pods_that_read_it(environments: Mapping[str, Environment]) -> None:
    before = synthesize_environment(environments["production"]).manifests
    after = synthesize_environment(changed(environments["production"], CHANGES)).manifests
    different = {
        manifest["metadata"]["name"]
        for manifest in of_kind(before, "ConfigMap")
        if manifest["data"] != find(after, "ConfigMap", manifest["metadata"]["name"])["data"]
    }
    assert {"traversion-config", "timescaledb-config", "redis-config", "prometheus-config"} < different
    read: set[str] = set()
    for each in workloads(before):
        if each.config_maps & different:
            read |= each.config_maps
            assert each.template["metadata"] != workload(after, each.component).template["metadata"], (
                each.name
            )
    assert different <= read, "a ConfigMap that nobody reads"


@pytest.mark.parametrize(
    "changes",
    [
        {"placement.node_labels": {"pool": "data"}},
        {"placement.spread_zones": False},
        {"database.image.tag": "pg15.18-ts2.28.4"},
        {"database.image.pull_secret": "registry"},
        {"database.event_retention": "100d"},
        {"name": "other"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_job_is_another_one_when_its_pod_changes(
    environments: Mapping[str, Environment], syntheses: Mapping[str, Synthesis], changes: Mapping[str, object]
) -> None:
    """A Job's template is immutable: under its old name, ``kubectl apply`` would be refused."""
    before = syntheses["production"].manifests
    after = synthesize_environment(changed(environments["production"], changes)).manifests
    jobs = {job["metadata"]["name"]: job["spec"] for job in of_kind(before, "Job")}
    for job in of_kind(after, "Job"):
        assert jobs.get(job["metadata"]["name"], job["spec"]) == job["spec"]


def test_what_is_immutable_does_not_depend_on_the_version(
    environments: Mapping[str, Environment], syntheses: Mapping[str, Synthesis]
) -> None:
    """Selectors and claim templates cannot be changed by ``kubectl apply``."""
    newer = {"api.image.tag": "2.0.0", "database.image.tag": "pg15.99", "redis.image.tag": "7.9-alpine"}
    after = synthesize_environment(changed(environments["production"], newer)).manifests
    for each in workloads(syntheses["production"].manifests):
        other = workload(after, each.component, each.name if each.kind == "CronJob" else None)
        for field in ("selector", "serviceName", "volumeClaimTemplates"):
            assert each.manifest["spec"].get(field) == other.manifest["spec"].get(field), each.name
