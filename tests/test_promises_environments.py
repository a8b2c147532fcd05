"""The table of the design: what each environment is."""

from collections.abc import Mapping

import pytest

from tests.manifests import Manifest, find, names, of_kind, workload, workloads
from traversion.settings import Environment

NGINX = "nginx.ingress.kubernetes.io/"

TABLE = [
    # environment, namespace, domain, pods, metrics, database, redis, prometheus, issuer's server
    ("dev", "traversion-dev", (1, 2), {"cpu": 80}, "10Gi", "1Gi", "2d", None),
    (
        "staging",
        "traversion-staging",
        (3, 10),
        {"cpu": 70, "memory": 80},
        "50Gi",
        "10Gi",
        "7d",
        "acme-staging-v02",
    ),
    (
        "production",
        "traversion-system",
        (5, 50),
        {"cpu": 60, "memory": 70},
        "200Gi",
        "20Gi",
        "30d",
        "acme-v02",
    ),
]


@pytest.mark.parametrize(
    ("name", "namespace", "pods", "metrics", "database", "redis", "retention", "authority"),
    TABLE,
    ids=[row[0] for row in TABLE],
)
def test_the_table(
    manifests: Mapping[str, list[Manifest]],
    *,
    name: str,
    namespace: str,
    pods: tuple[int, int],
    metrics: Mapping[str, int],
    database: str,
    redis: str,
    retention: str,
    authority: str | None,
) -> None:
    objects = manifests[name]
    assert names(objects, "Namespace") == {namespace}
    (scaler,) = (each["spec"] for each in of_kind(objects, "HorizontalPodAutoscaler"))
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == pods
    utilization = {
        metric["resource"]["name"]: metric["resource"]["target"]["averageUtilization"]
        for metric in scaler["metrics"]
        if metric["type"] == "Resource"
    }
    assert utilization == metrics
    assert ("Pods" in {metric["type"] for metric in scaler["metrics"]}) == (name == "production")
    assert (claim_of(objects, "timescaledb"), claim_of(objects, "redis")) == (database, redis)
    assert (
        f"--storage.tsdb.retention.time={retention}" in workload(objects, "prometheus").containers[0]["args"]
    )
    public = {tls["secretName"] for each in of_kind(objects, "Ingress") for tls in each["spec"]["tls"]}
    issuers = {find(objects, "Certificate", secret)["spec"]["issuerRef"]["name"] for secret in public}
    (issuer,) = (find(objects, "Issuer", issuer)["spec"] for issuer in issuers)
    if authority:
        assert issuer["acme"]["server"] == f"https://{authority}.api.letsencrypt.org/directory"
    else:
        assert issuer == {"selfSigned": {}}


def claim_of(objects: list[Manifest], component: str) -> str:
    (template,) = workload(objects, component).manifest["spec"]["volumeClaimTemplates"]
    return str(template["spec"]["resources"]["requests"]["storage"])


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("dev", "dev.traversion.company.com"),
        ("staging", "staging.traversion.company.com"),
        ("production", "traversion.company.com"),
    ],
)
def test_hosts(manifests: Mapping[str, list[Manifest]], name: str, domain: str) -> None:
    hosts = {
        rule["host"] for ingress in of_kind(manifests[name], "Ingress") for rule in ingress["spec"]["rules"]
    }
    assert hosts == {f"{prefix}.{domain}" for prefix in ("api", "ws", "monitoring", "grafana")}


def test_development_may_run_on_spot_nodes(manifests: Mapping[str, list[Manifest]]) -> None:
    for name, objects in manifests.items():
        for each in workloads(objects):
            tolerations = each.spec.get("tolerations", [])
            assert bool(tolerations) == (name == "dev"), each.name
    for each in workloads(manifests["dev"]):
        assert each.spec["tolerations"] == [
            {"key": "cloud.google.com/gke-spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"}
        ]
        preferred = each.spec["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert "cloud.google.com/gke-spot" in str(preferred)
        assert "requiredDuringSchedulingIgnoredDuringExecution" not in each.spec["affinity"]["nodeAffinity"]


def test_pods_of_the_api_are_spread(manifests: Mapping[str, list[Manifest]]) -> None:
    for name, objects in manifests.items():
        constraints = workload(objects, "traversion").spec["topologySpreadConstraints"]
        keys = {constraint["topologyKey"] for constraint in constraints}
        assert "kubernetes.io/hostname" in keys
        assert ("topology.kubernetes.io/zone" in keys) == (name == "production")
        assert len(keys) <= 2
        for constraint in constraints:
            assert constraint["whenUnsatisfiable"] == "ScheduleAnyway", "a full zone must not stop a rollout"


def test_productions_data_is_kept_in_two_zones(production: list[Manifest]) -> None:
    (template,) = workload(production, "timescaledb").manifest["spec"]["volumeClaimTemplates"]
    storage = find(production, "StorageClass", template["spec"]["storageClassName"])
    assert storage["parameters"] == {"type": "pd-ssd", "replication-type": "regional-pd"}
    assert storage["provisioner"] == "pd.csi.storage.gke.io"


def test_volumes_grow_and_wait_for_their_pod(manifests: Mapping[str, list[Manifest]]) -> None:
    for objects in manifests.values():
        classes = of_kind(objects, "StorageClass")
        assert classes
        for storage in classes:
            assert storage["allowVolumeExpansion"] is True
            assert storage["volumeBindingMode"] == "WaitForFirstConsumer"
            scratch = storage["metadata"]["name"].endswith("-scratch")
            assert storage["reclaimPolicy"] == ("Delete" if scratch else "Retain")


def test_schedules_are_utc_whatever_clock_the_controller_lives_by(
    manifests: Mapping[str, list[Manifest]],
) -> None:
    jobs = [job for objects in manifests.values() for job in of_kind(objects, "CronJob")]
    assert {job["spec"]["timeZone"] for job in jobs} == {"Etc/UTC"}


def test_backups_are_scheduled_where_they_are_promised(manifests: Mapping[str, list[Manifest]]) -> None:
    assert not of_kind(manifests["dev"], "CronJob")
    for name in ("staging", "production"):
        schedules = {
            job["metadata"]["name"].removeprefix("timescaledb-"): job["spec"]["schedule"]
            for job in of_kind(manifests[name], "CronJob")
        }
        daily = {"backup-full": "0 2 * * *", "rehearsal": "0 6 * * 6"}
        others = {
            "backup-incremental": "30 * * * *",
            "backup-offsite": "0 4 * * 0",
            "backup-archive": "0 5 1 * *",
        }
        assert schedules == (daily | others if name == "production" else daily)


def test_production_keeps_backups_as_long_as_promised(production: list[Manifest]) -> None:
    config = find(production, "ConfigMap", "timescaledb-backup")["data"]["pgbackrest.conf"]
    for repository, days in ((1, 30), (2, 90), (3, 365)):
        assert f"repo{repository}-retention-full-type=time\n" in config
        assert f"repo{repository}-retention-full={days}\n" in config
        assert f"repo{repository}-cipher-type=aes-256-cbc\n" in config


def test_productions_critical_alerts_wake_somebody(production: list[Manifest]) -> None:
    config = find(production, "ConfigMap", "alertmanager-config")["data"]["alertmanager.yml"]
    assert "pagerduty_configs" in config
    assert "routing_key_file" in config


def test_everything_is_https(manifests: Mapping[str, list[Manifest]]) -> None:
    weak = ("CBC", "3DES", "RC4", "AES128-SHA", "AES256-SHA", "kRSA", "AES128-GCM-SHA256:AES")
    for objects in manifests.values():
        for ingress in of_kind(objects, "Ingress"):
            annotations = ingress["metadata"]["annotations"]
            assert ingress["spec"]["ingressClassName"] == "nginx"
            assert annotations[f"{NGINX}force-ssl-redirect"] == "true"
            ciphers = annotations[f"{NGINX}ssl-ciphers"].split(":")
            assert all(cipher.startswith("ECDHE-") for cipher in ciphers), "forward secrecy"
            assert not [cipher for cipher in ciphers if any(word in cipher for word in weak)]


def test_websockets_may_be_quiet(manifests: Mapping[str, list[Manifest]]) -> None:
    for objects in manifests.values():
        annotations = find(objects, "Ingress", "traversion-websocket-ingress")["metadata"]["annotations"]
        for direction in ("read", "send"):
            assert int(annotations[f"{NGINX}proxy-{direction}-timeout"]) >= 300


def test_monitoring_asks_for_a_password(manifests: Mapping[str, list[Manifest]]) -> None:
    for objects in manifests.values():
        guarded = set()
        for ingress in of_kind(objects, "Ingress"):
            services = {
                path["backend"]["service"]["name"]
                for rule in ingress["spec"]["rules"]
                for path in rule["http"]["paths"]
            }
            if services & {"prometheus-service", "alertmanager-service"}:
                annotations = ingress["metadata"]["annotations"]
                assert annotations[f"{NGINX}auth-type"] == "basic"
                assert annotations[f"{NGINX}auth-secret"] == "monitoring-basic-auth"
                guarded |= services
        assert guarded == {"prometheus-service", "alertmanager-service"}


ANNOTATIONS = {
    # https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
    "auth-realm",
    "auth-secret",
    "auth-secret-type",
    "auth-type",
    "backend-protocol",
    "cors-allow-credentials",
    "cors-allow-headers",
    "cors-allow-methods",
    "cors-allow-origin",
    "cors-max-age",
    "enable-cors",
    "force-ssl-redirect",
    "limit-burst-multiplier",
    "limit-connections",
    "limit-rpm",
    "limit-rps",
    "proxy-body-size",
    "proxy-connect-timeout",
    "proxy-read-timeout",
    "proxy-send-timeout",
    "proxy-ssl-name",
    "proxy-ssl-protocols",
    "proxy-ssl-secret",
    "proxy-ssl-server-name",
    "proxy-ssl-verify",
    "proxy-ssl-verify-depth",
    "ssl-ciphers",
    "ssl-prefer-server-ciphers",
}


def test_annotations_of_the_ingresses_exist(manifests: Mapping[str, list[Manifest]]) -> None:
    """A misspelt annotation is ignored without a word."""
    for objects in manifests.values():
        for ingress in of_kind(objects, "Ingress"):
            used = {
                name.removeprefix(NGINX)
                for name in ingress["metadata"]["annotations"]
                if name.startswith(NGINX)
            }
            assert used <= ANNOTATIONS
            assert ("limit-rpm" if "login" in ingress["metadata"]["name"] else "limit-rps") in used


def test_browsers_come_from_named_origins_only(manifests: Mapping[str, list[Manifest]]) -> None:
    for objects in manifests.values():
        for ingress in of_kind(objects, "Ingress"):
            origins = ingress["metadata"]["annotations"].get(f"{NGINX}cors-allow-origin", "https://none")
            assert all(origin.startswith("https://") for origin in origins.split(","))
        api = workload(objects, "traversion").variables(objects, "traversion")
        origins = find(objects, "Ingress", "traversion-ingress")["metadata"]["annotations"][
            f"{NGINX}cors-allow-origin"
        ]
        assert api["CORS_ORIGIN"] == origins


def test_priorities_rank_data_first_and_production_above_all(manifests: Mapping[str, list[Manifest]]) -> None:
    values = {
        name: {
            each["metadata"]["name"].rpartition("-")[2]: each["value"]
            for each in of_kind(objects, "PriorityClass")
        }
        for name, objects in manifests.items()
    }
    for ranks in values.values():
        assert ranks["data"] > ranks["serving"] > ranks["monitoring"] > 0
    assert values["production"]["monitoring"] > values["staging"]["data"]
    assert values["staging"]["monitoring"] > values["dev"]["data"]


def test_settings_differ_where_environments_share_a_cluster(environments: Mapping[str, Environment]) -> None:
    for setting in ("namespace", "domain", "priority"):
        values = [getattr(environment, setting) for environment in environments.values()]
        assert len(values) == len(set(values)), setting
